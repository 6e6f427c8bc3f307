//! Kernels whose instances must keep their order, but not in all that they do.
//!
//! Where `independence` finds none, because instances draw random numbers, or send events from what
//! is attached to them, or handlers reach far, part of a step may still be nobody else's business:
//! the gates of a cell that gets noise, say. What nobody else sees or changes is the **head** of
//! the kernel, computed for a block of instances; the rest is its **tail**, which runs as it stands,
//! for one instance after the other, and sends its events at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::independence::{Extent, Slots, Survey, each_slot, overlap};
use super::units::{by_buffers, is_free};
use super::{BlockKernel, InTurn, Part, Piece, count_assignments, flatten, split};
use lems_ir::{Block, Kernel, Operation, Place, Program, Register, Statement, statements};

/// The parts of a kernel of which the last is its tail; `kernel` is its code. `None` if its head
/// calls no function of whole buffers, or if what its instances and handlers touch cannot be told apart.
pub fn tailed_kernel(program: &Program, number: u32, kernel: &Kernel) -> Option<BlockKernel> {
    let public = Public::of(program, number, kernel)?;
    let (mut head, mut tail) = public.head_and_tail(&kernel.body);
    if !statements([&head]).any(by_buffers) {
        return None;
    }
    leave_loads(&mut head, &mut tail);
    let constants = constants(&head, &tail);
    let crossing = crossing(&head, &tail, &constants);
    let head = Kernel {
        body: head,
        ..kernel.clone()
    };
    let (flat, results) = flatten::flat(&head, &crossing)?;
    let (mut tailed, buffers) = split::split(&flat, &InTurn::default(), &results)?;
    tailed.parts.push(Part::Each(Piece {
        inputs: crossing.into_iter().zip(buffers).collect(),
        body: [constants, tail].concat(),
        outputs: Vec::new(),
    }));
    Some(tailed)
}

/// Columns of a kernel that others see or change.
#[derive(Default)]
struct Public {
    /// First slots of those that something stores on behalf of another instance.
    stored: HashSet<u32>,
    /// The same for those that something loads or stores.
    touched: HashSet<u32>,
}

impl Public {
    fn of(program: &Program, number: u32, kernel: &Kernel) -> Option<Public> {
        let population = match program.population(number) {
            0 => return None,
            population => population,
        };
        let mut survey = Survey::default();
        survey.block(&kernel.body, &[Extent::Own])?;
        let slots = Slots::new(program, &survey, population);
        if survey.extents().any(|extent| slots.shared(extent)) {
            return None;
        }
        let size = |extent: Extent| slots.owners(extent).len();
        let own: BTreeMap<u32, usize> = (survey.columns.iter())
            .map(|(base, (extent, _))| (*base, size(*extent)))
            .collect();
        let mut columns: Vec<(u32, usize)> = own.iter().map(|(b, size)| (*b, *size)).collect();
        let column_of = |slot: u32| {
            let (base, size) = own.range(..=slot).next_back()?;
            ((slot - base) as usize).lt(size).then_some(*base)
        };
        let columns_at = |place: Place, instances: usize| {
            each_slot(program, place, instances).filter_map(move |(_, slot)| column_of(slot))
        };
        let mut public = Public::default();
        for (place, extent) in &survey.elsewhere {
            public.touched.extend(columns_at(*place, size(*extent)));
        }
        for place in &survey.stored_elsewhere {
            public
                .stored
                .extend(columns_at(*place, population as usize));
        }
        for (handler, population) in program.handlers.iter().zip(populations(program)) {
            let mut survey = Survey::default();
            survey.block(&handler.body, &[Extent::Own])?;
            columns.extend(survey.columns.keys().map(|base| (*base, population)));
            public.touched.extend(survey.columns.keys());
            public.stored.extend(survey.stored().map(|(base, _)| base));
            for (place, _) in &survey.elsewhere {
                public.touched.extend(columns_at(*place, population));
            }
            for place in &survey.stored_elsewhere {
                public.stored.extend(columns_at(*place, population));
            }
        }
        public.touched.extend(&public.stored);
        (!overlap(columns)).then_some(public)
    }

    /// Whether a statement itself touches what others see or change.
    fn contains(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Let(_, Operation::Load(Place::Column { base, .. })) => {
                self.stored.contains(base)
            }
            Statement::Store(Place::Column { base, .. }, _) => self.touched.contains(base),
            Statement::Let(_, Operation::Load(_) | Operation::Random(_))
            | Statement::Store(..)
            | Statement::Emit { .. }
            | Statement::Twice(_) => true,
            _ => false,
        }
    }

    /// The statements that can come before all that touches what others see or change, and the
    /// others, both in order.
    fn head_and_tail(&self, body: &Block) -> (Block, Block) {
        let (mut head, mut tail) = (Block::new(), Block::new());
        let mut so_far = Touched::default();
        for statement in body {
            let own = Touched::by(statement);
            let public = statement.and_nested().any(|inner| self.contains(inner));
            match public || own.must_follow(&so_far) {
                true => {
                    so_far.add(own);
                    tail.push(statement.clone());
                }
                false => head.push(statement.clone()),
            }
        }
        (head, tail)
    }
}

/// One more than the largest instance that each handler runs for.
fn populations(program: &Program) -> Vec<usize> {
    let mut populations = vec![0; program.handlers.len()];
    for source in 0..program.routes.sources() {
        for receivers in program.routes.receivers(source) {
            let handler = receivers.handler.map(|handler| handler as usize);
            if let Some(population) = handler.and_then(|handler| populations.get_mut(handler))
                && let Some(last) = receivers.numbers.iter().max()
            {
                *population = (*last as usize + 1).max(*population);
            }
        }
    }
    populations
}

/// Registers and columns that statements read and write.
#[derive(Default)]
struct Touched {
    reads: HashSet<Register>,
    writes: HashSet<Register>,
    loads: HashSet<u32>,
    stores: HashSet<u32>,
}

impl Touched {
    fn by(statement: &Statement) -> Touched {
        let mut touched = Touched::default();
        for statement in statement.and_nested() {
            touched.reads.extend(statement.operands());
            touched.writes.extend(statement.assigned());
            match statement {
                Statement::Let(_, Operation::Load(Place::Column { base, .. })) => {
                    touched.loads.insert(*base);
                }
                Statement::Store(Place::Column { base, .. }, _) => {
                    touched.stores.insert(*base);
                }
                _ => {}
            }
        }
        touched
    }

    fn add(&mut self, other: Touched) {
        self.reads.extend(other.reads);
        self.writes.extend(other.writes);
        self.loads.extend(other.loads);
        self.stores.extend(other.stores);
    }

    /// Whether these must come after some that came before.
    fn must_follow(&self, earlier: &Touched) -> bool {
        let registers = !self.reads.is_disjoint(&earlier.writes)
            || !self.writes.is_disjoint(&earlier.reads)
            || !self.writes.is_disjoint(&earlier.writes);
        let columns = !self.loads.is_disjoint(&earlier.stores)
            || !self.stores.is_disjoint(&earlier.loads)
            || !self.stores.is_disjoint(&earlier.stores);
        registers || columns
    }
}

/// Moves loads that only the tail reads from the head to its beginning, unless the head stores
/// what they load.
fn leave_loads(head: &mut Block, tail: &mut Block) {
    let assignments = assignments([&*head, tail]);
    let wanted = reads(head);
    let stored: HashSet<u32> = (head.iter())
        .flat_map(|statement| Touched::by(statement).stores)
        .collect();
    let is_left = |statement: &Statement| match statement {
        Statement::Let(register, Operation::Load(Place::Column { base, .. })) => {
            !wanted.contains(register)
                && !stored.contains(base)
                && assignments.get(register) == Some(&1)
        }
        _ => false,
    };
    let (left, kept): (Block, Block) = std::mem::take(head).into_iter().partition(is_left);
    *head = kept;
    tail.splice(0..0, left);
}

/// The statements of the head that make what the tail reads of it and anyone can make again.
fn constants(head: &Block, tail: &Block) -> Block {
    let assignments = assignments([head]);
    let wanted = reads(tail);
    let is_constant = |statement: &&Statement| match statement {
        Statement::Let(register, operation) => {
            is_free(operation) && wanted.contains(register) && assignments.get(register) == Some(&1)
        }
        _ => false,
    };
    head.iter().filter(is_constant).cloned().collect()
}

/// Registers that the tail reads of the head, but for those of the constants.
fn crossing(head: &Block, tail: &Block, constants: &Block) -> Vec<Register> {
    let (of_head, of_constants) = (assignments([head]), assignments([constants]));
    let is_crossing = |register: &Register| {
        of_head.contains_key(register) && !of_constants.contains_key(register)
    };
    let mut crossing: Vec<Register> = reads(tail).into_iter().filter(is_crossing).collect();
    crossing.sort_unstable();
    crossing
}

fn reads(block: &Block) -> HashSet<Register> {
    statements([block]).flat_map(Statement::operands).collect()
}

/// How often each register is assigned.
fn assignments<'b>(blocks: impl IntoIterator<Item = &'b Block>) -> HashMap<Register, u32> {
    let mut assignments = HashMap::new();
    for block in blocks {
        count_assignments(block, &mut assignments);
    }
    assignments
}
