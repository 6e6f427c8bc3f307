//! Kernels that are split into a parallel head and a sequential tail (loop fission).
//!
//! [`independence`](super::independence()) may fail because instances draw random numbers, because attached
//! instances send events, or because handlers reach far. Still, part of a step may touch only what is private
//! to its instance: the gates of a cell that gets noise, for example. This part is the **head** of the kernel,
//! which runs for a block of instances. The rest is its **tail**, which runs unchanged for one instance after
//! another, and whose events are delivered at once.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::flatten::{self, count_assignments};
use super::kernel::{BlockKernel, Part, Piece};
use super::ordered::Ordered;
use super::schedule::{by_buffers, is_free};
use super::split::split;
use super::survey::{Extent, Slots, Survey, each_slot, no_overlap};
use crate::obstacle::Obstacle;
use lems_ir::{Block, Kernel, Operation, Place, Program, Register, Statement, statements};

/// The parts of a kernel of which the last is its tail; `kernel` is its code.
///
/// # Errors
///
/// If its head calls no function of whole buffers, or if it is not known whether its instances and handlers touch
/// the same variables.
pub fn tailed_kernel(
    program: &Program,
    number: u32,
    kernel: &Kernel,
) -> Result<BlockKernel, Obstacle> {
    // What the tail must keep, and what the head can take.
    let public = Public::of(program, number, kernel)?;
    let (mut head, mut tail) = public.head_and_tail(&kernel.body);
    if !statements([&head]).any(by_buffers) {
        return Err(Obstacle::CheapHead);
    }
    // The values that the tail needs from the head.
    leave_loads(&mut head, &mut tail);
    let constants = constants(&head, &tail);
    let crossing = crossing(&head, &tail, &constants);
    // The head by parts, and the tail as the last part.
    let head = Kernel {
        body: head,
        ..kernel.clone()
    };
    let (flat, results) = flatten::flat(&head, &crossing)?;
    let (mut tailed, buffers) = split(&flat, &Ordered::default(), &results)?;
    tailed.parts.push(Part::Each(Piece {
        inputs: crossing.into_iter().zip(buffers).collect(),
        body: [constants, tail].concat(),
        outputs: Vec::new(),
    }));
    Ok(tailed)
}

/// Columns of a kernel that others see or change.
#[derive(Default)]
struct Public {
    /// First slots of columns that something stores on behalf of another instance.
    stored: FxHashSet<u32>,
    /// First slots of columns that something loads or stores on behalf of another instance.
    touched: FxHashSet<u32>,
}

impl Public {
    /// The columns of a kernel that other instances or handlers read or store.
    fn of(program: &Program, number: u32, kernel: &Kernel) -> Result<Public, Obstacle> {
        let population = match program.population(number) {
            0 => return Err(Obstacle::NoInstances),
            population => population,
        };
        // The columns of the kernel.
        let survey = Survey::of(&kernel.body)?;
        let slots = Slots::new(program, &survey, population);
        slots.not_shared(&survey.extents())?;
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
        // What its instances touch of one another.
        let mut public = Public::default();
        for (place, extent) in &survey.elsewhere {
            public.touched.extend(columns_at(*place, size(*extent)));
        }
        let stored = survey.slots_stored_elsewhere(program, population);
        public
            .stored
            .extend(stored.filter_map(|(_, slot)| column_of(slot)));
        // What handlers touch.
        for (handler, population) in program.handlers.iter().zip(populations(program)) {
            let survey = Survey::of(&handler.body)?;
            columns.extend(
                survey
                    .columns
                    .keys()
                    .map(|base| (*base, population as usize)),
            );
            public.touched.extend(survey.columns.keys());
            public
                .stored
                .extend(survey.stored().map(|stored| stored.base));
            for (place, _) in &survey.elsewhere {
                public
                    .touched
                    .extend(columns_at(*place, population as usize));
            }
            let stored = survey.slots_stored_elsewhere(program, population);
            public
                .stored
                .extend(stored.filter_map(|(_, slot)| column_of(slot)));
        }
        public.touched.extend(&public.stored);
        no_overlap(columns)?;
        Ok(public)
    }

    /// Whether a statement itself, without those inside it, touches what others see or change.
    fn contains(&self, statement: &Statement) -> bool {
        let effects = statement.effects();
        // What is in no column may be anybody's.
        let is_in = |place: Place, columns: &FxHashSet<u32>| {
            place
                .column()
                .is_none_or(|column| columns.contains(&column))
        };
        effects.draws
            || effects.sends
            || effects
                .loads
                .is_some_and(|place| is_in(place, &self.stored))
            || effects
                .stores
                .is_some_and(|place| is_in(place, &self.touched))
            || matches!(statement, Statement::Twice(_))
    }

    /// Splits a body into two lists of statements, both in order: those that can run before everything that touches
    /// a public column, and the rest.
    fn head_and_tail(&self, body: &Block) -> (Block, Block) {
        let (mut head, mut tail) = (Block::new(), Block::new());
        let mut so_far = Touched::default();
        for statement in body {
            let own = Touched::by(statement);
            let public = statement.and_nested().any(|inner| self.contains(inner));
            if public || own.must_follow(&so_far) {
                so_far.add(own);
                tail.push(statement.clone());
            } else {
                head.push(statement.clone());
            }
        }
        (head, tail)
    }
}

/// One more than the largest instance that each handler runs for.
fn populations(program: &Program) -> Vec<u32> {
    let mut populations = vec![0; program.handlers.len()];
    for source in 0..program.routes.sources() {
        for receivers in program.routes.receivers(source) {
            let handler = receivers.handler.map(|handler| handler as usize);
            if let Some(population) = handler.and_then(|handler| populations.get_mut(handler))
                && let Some(last) = receivers.numbers.iter().max()
            {
                *population = (*last + 1).max(*population);
            }
        }
    }
    populations
}

/// Registers and columns that statements read and write.
#[derive(Default)]
struct Touched {
    reads: FxHashSet<Register>,
    writes: FxHashSet<Register>,
    loads: FxHashSet<u32>,
    stores: FxHashSet<u32>,
}

impl Touched {
    /// What a statement touches, with all statements inside it.
    fn by(statement: &Statement) -> Touched {
        let mut touched = Touched::default();
        for statement in statement.and_nested() {
            touched.reads.extend(statement.operands());
            touched.writes.extend(statement.assigned());
            let effects = statement.effects();
            touched
                .loads
                .extend(effects.loads.and_then(|place| place.column()));
            touched
                .stores
                .extend(effects.stores.and_then(|place| place.column()));
        }
        touched
    }

    fn add(&mut self, other: Touched) {
        self.reads.extend(other.reads);
        self.writes.extend(other.writes);
        self.loads.extend(other.loads);
        self.stores.extend(other.stores);
    }

    /// Whether these statements must come after earlier ones.
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

/// Moves loads whose results only the tail reads from the head to the start of the tail, unless the head
/// stores what they load.
fn leave_loads(head: &mut Block, tail: &mut Block) {
    let assignments = assignments([&*head, tail]);
    let wanted = reads(head);
    let stored: FxHashSet<u32> = (head.iter())
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

/// Statements of the head whose results the tail reads, and which cost nothing to repeat.
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

/// Registers that the tail reads from the head, except those of the constants.
fn crossing(head: &Block, tail: &Block, constants: &Block) -> Vec<Register> {
    let (of_head, of_constants) = (assignments([head]), assignments([constants]));
    let is_crossing = |register: &Register| {
        of_head.contains_key(register) && !of_constants.contains_key(register)
    };
    let mut crossing: Vec<Register> = reads(tail).into_iter().filter(is_crossing).collect();
    crossing.sort_unstable();
    crossing
}

/// The registers that a block reads.
fn reads(block: &Block) -> FxHashSet<Register> {
    statements([block]).flat_map(Statement::operands).collect()
}

/// How often each register is assigned.
fn assignments<'b>(blocks: impl IntoIterator<Item = &'b Block>) -> FxHashMap<Register, u32> {
    let mut assignments = FxHashMap::default();
    for block in blocks {
        count_assignments(block, &mut assignments);
    }
    assignments
}
