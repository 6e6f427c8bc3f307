//! Kernels whose instances must keep their order, but not in all that they do.
//!
//! Where `independence` finds none, because instances draw random numbers, or send events from what
//! is attached to them, or handlers reach far, part of a step may still be nobody else's business:
//! the gates of a cell that gets noise, say. What nobody else sees or changes is the **head** of
//! the kernel, computed for a block of instances; the rest is its **tail**, which runs as it stands,
//! for one instance after the other, and sends its events at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::independence::{Extent, Slots, Survey, each_slot, overlap};
use super::{BlockKernel, InTurn, Part, Piece, count_assignments, flatten, split};
use crate::{Block, Kernel, Operation, Operator, Place, Program, Register, Statement, statements};

/// The parts of a kernel of which the last is its tail; `kernel` is its code. `None` if its head
/// calls no function, or if what its instances and handlers touch cannot be told apart.
pub fn tailed_kernel(program: &Program, number: u32, kernel: &Kernel) -> Option<BlockKernel> {
    let public = Public::of(program, number, kernel)?;
    let (mut head, mut tail) = public.head_and_tail(&kernel.body);
    if !statements([&head]).any(calls_function) {
        return None;
    }
    leave_loads(&mut head, &mut tail, &kernel.body);
    let crossing = crossing(&head, &tail);
    let (repeated, crossing): (Vec<_>, Vec<_>) =
        (crossing.into_iter()).partition(|(_, constant)| constant.is_some());
    let crossing: Vec<Register> = crossing.into_iter().map(|(register, _)| register).collect();
    let head = Kernel {
        body: head,
        ..kernel.clone()
    };
    let (flat, results) = flatten::flat(&head, &crossing)?;
    let (mut parts, buffers) = split::split(&flat, &InTurn::default(), &results)?;
    let constants = repeated.into_iter().filter_map(|(_, constant)| constant);
    let body = constants.chain(tail).collect();
    parts.parts.push(Part::Each(Piece {
        inputs: crossing.into_iter().zip(buffers).collect(),
        body,
        outputs: Vec::new(),
    }));
    Some(parts)
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
            population => population as usize,
        };
        let mut survey = Survey::default();
        survey.block(&kernel.body, &[Extent::Own])?;
        let slots = Slots::new(program, &survey, population as u32);
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
            public.stored.extend(columns_at(*place, population));
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
            let public = statements([&vec![statement.clone()]]).any(|s| self.contains(s));
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
        for statement in statements([&vec![statement.clone()]]) {
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

fn calls_function(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::Propagate { .. }
            | Statement::Let(
                _,
                Operation::Call(..) | Operation::Binary(Operator::Power, ..)
            )
    )
}

/// Moves loads that only the tail reads from the head to its beginning, unless the head stores
/// what they load.
fn leave_loads(head: &mut Block, tail: &mut Block, body: &Block) {
    let mut assignments = HashMap::new();
    count_assignments(body, &mut assignments);
    let mut wanted = HashSet::new();
    let mut stored = HashSet::new();
    for statement in statements([&*head]) {
        wanted.extend(statement.operands());
        if let Statement::Store(Place::Column { base, .. }, _) = statement {
            stored.insert(*base);
        }
    }
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

/// Registers that the head assigns and the tail reads; with the statement that assigns them, if it
/// can be made again instead.
fn crossing(head: &Block, tail: &Block) -> Vec<(Register, Option<Statement>)> {
    let mut assignments = HashMap::new();
    count_assignments(head, &mut assignments);
    let mut free = HashMap::new();
    for statement in head {
        if let Statement::Let(
            register,
            Operation::Constant(_) | Operation::Time | Operation::Step,
        ) = statement
        {
            free.insert(*register, statement);
        }
    }
    let read: HashSet<Register> = statements([tail]).flat_map(Statement::operands).collect();
    let mut crossing: Vec<Register> = (read.into_iter())
        .filter(|register| assignments.contains_key(register))
        .collect();
    crossing.sort_unstable();
    (crossing.into_iter())
        .map(|register| {
            let once = assignments.get(&register) == Some(&1);
            let constant = free.get(&register).filter(|_| once);
            (register, constant.map(|statement| (*statement).clone()))
        })
        .collect()
}
