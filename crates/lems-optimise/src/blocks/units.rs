//! The statements of a straight line, as what belongs together.

use std::collections::HashSet;

use super::InTurn;
use lems_ir::{Block, Function, Operation, Operator, Place, Register, Statement};

/// Where in a phase a statement belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Lanes = 0,
    Each = 1,
    Buffers = 2,
}

pub(super) const KINDS: u32 = 3;

/// A statement, or a loop with the statements that start what it carries.
pub(super) struct Unit {
    pub(super) statements: Block,
    pub(super) kind: Kind,
    pub(super) reads: Vec<Register>,
    pub(super) writes: Vec<Register>,
    /// Columns that it reads and writes.
    loads: Vec<u32>,
    pub(super) stores: Vec<u32>,
    /// Whether it touches what instances read of one another.
    in_turn: bool,
    pub(super) slot: u32,
}

/// Condition and port of what sends events.
pub(super) type Emits = Vec<(Option<Register>, u32)>;

pub(super) fn units(body: &Block, in_turn: &InTurn) -> Option<(Vec<Unit>, Emits)> {
    let mut units = Vec::new();
    let mut emits = Emits::new();
    let mut starts = Block::new();
    for statement in body {
        match statement {
            Statement::Emit { port, level } if level.0 == 0 => emits.push((None, *port)),
            Statement::If {
                condition,
                then,
                otherwise,
            } if otherwise.is_empty() => match then.as_slice() {
                [Statement::Emit { port, level }] if level.0 == 0 => {
                    emits.push((Some(*condition), *port));
                }
                _ => return None,
            },
            Statement::Let(_, Operation::Copy(_)) => starts.push(statement.clone()),
            Statement::ForAttached { .. } | Statement::ForRuns { .. } => {
                let mut statements = std::mem::take(&mut starts);
                statements.push(statement.clone());
                units.push(Unit::of(statements, Kind::Each, in_turn)?);
            }
            statement if by_buffers(statement) => {
                units.push(Unit::of(vec![statement.clone()], Kind::Buffers, in_turn)?);
            }
            Statement::Let(..) | Statement::Store(..) => {
                units.push(Unit::of(vec![statement.clone()], Kind::Lanes, in_turn)?);
            }
            _ => return None,
        }
    }
    starts.is_empty().then_some((units, emits))
}

/// Whether a statement is a function that is computed for whole buffers.
pub(super) fn by_buffers(statement: &Statement) -> bool {
    match statement {
        Statement::Let(_, Operation::Call(function, _)) => {
            !matches!(function, Function::Sqrt | Function::Ceil | Function::Abs)
        }
        Statement::Let(_, Operation::Binary(Operator::Power, ..)) | Statement::Propagate { .. } => {
            true
        }
        _ => false,
    }
}

/// Whether an operation can be made anew wherever its result is needed.
pub(super) fn is_free(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Constant(_) | Operation::Time | Operation::Step
    )
}

impl Unit {
    fn new(kind: Kind) -> Unit {
        Unit {
            statements: Block::new(),
            kind,
            reads: Vec::new(),
            writes: Vec::new(),
            loads: Vec::new(),
            stores: Vec::new(),
            in_turn: false,
            slot: kind as u32,
        }
    }

    fn of(statements: Block, kind: Kind, in_turn: &InTurn) -> Option<Unit> {
        let mut unit = Unit::new(kind);
        unit.in_turn =
            lems_ir::statements([&statements]).any(|statement| in_turn.contains(statement));
        for statement in &statements {
            unit.writes.extend(statement.assigned());
        }
        let mut inside = unit.writes.iter().copied().collect();
        unit.survey(&statements, &mut inside)?;
        unit.forget_reads_of(&inside);
        unit.statements = statements;
        Some(unit)
    }

    fn survey(&mut self, block: &Block, assigned: &mut HashSet<Register>) -> Option<()> {
        for statement in block {
            self.reads.extend(statement.operands());
            match statement {
                Statement::Let(_, Operation::Load(place)) => self.loads.extend(column(*place)),
                Statement::Store(place, _) => self.stores.push(column(*place)?),
                Statement::Emit { .. } => return None,
                _ => {}
            }
            for inner in statement.nested() {
                for statement in inner {
                    assigned.extend(statement.assigned());
                }
                self.survey(inner, assigned)?;
            }
        }
        Some(())
    }

    fn touches(&self, base: u32) -> bool {
        self.loads.contains(&base) || self.stores.contains(&base)
    }

    /// Several units, one after the other, as one loop.
    fn joined(units: Vec<Unit>) -> Unit {
        let mut joined = Unit::new(Kind::Each);
        joined.in_turn = true;
        for unit in units {
            joined.statements.extend(unit.statements);
            joined.reads.extend(unit.reads);
            joined.writes.extend(unit.writes);
            joined.loads.extend(unit.loads);
            joined.stores.extend(unit.stores);
        }
        let inside = joined.writes.iter().copied().collect();
        joined.forget_reads_of(&inside);
        joined
    }

    /// Leaves the registers that it reads from outside, each once.
    fn forget_reads_of(&mut self, inside: &HashSet<Register>) {
        self.reads.retain(|register| !inside.contains(register));
        self.reads.sort_unstable();
        self.reads.dedup();
    }

    /// Whether it must come after an earlier one.
    pub(super) fn depends_on(&self, earlier: &Unit) -> bool {
        self.reads_of(earlier) && !earlier.is_free() || earlier.conflicts(self)
    }

    pub(super) fn reads_of(&self, other: &Unit) -> bool {
        (self.reads.iter()).any(|register| other.writes.contains(register))
    }

    /// Whether the order of two units matters because of memory.
    pub(super) fn conflicts(&self, later: &Unit) -> bool {
        self.stores.iter().any(|base| later.touches(*base))
            || later.stores.iter().any(|base| self.loads.contains(base))
    }

    pub(super) fn operation(&self) -> Option<&Operation> {
        match self.statements.as_slice() {
            [Statement::Let(_, operation)] => Some(operation),
            _ => None,
        }
    }

    fn is_free(&self) -> bool {
        self.operation().is_some_and(is_free)
    }

    /// The first slot for this unit after one that it depends on.
    pub(super) fn after(&self, other: &Unit) -> u32 {
        let phase = match (self.kind, other.kind) {
            (Kind::Buffers, _) => other.slot.div_ceil(KINDS),
            (kind, _) => (other.slot + KINDS - 1 - kind as u32) / KINDS,
        };
        phase * KINDS + self.kind as u32
    }

    /// The last slot for code in lanes that must come no later than this unit.
    pub(super) fn lanes_before(&self) -> u32 {
        self.slot - self.kind as u32
    }
}

fn column(place: Place) -> Option<u32> {
    match place {
        Place::Column { base, .. } => Some(base),
        Place::Slot(_) | Place::Linked { .. } => None,
    }
}

/// The units with all that touch what instances read of one another, and all between them, as one
/// loop.
pub(super) fn with_one_in_turn(units: Vec<Unit>) -> Vec<Unit> {
    let mut after = vec![false; units.len()];
    let mut before = vec![false; units.len()];
    for (index, unit) in units.iter().enumerate() {
        after[index] = unit.in_turn
            || (units[..index].iter().zip(&after)).any(|(u, after)| *after && unit.depends_on(u));
    }
    for (index, unit) in units.iter().enumerate().rev() {
        let later = units.iter().zip(&before).skip(index + 1);
        before[index] = unit.in_turn
            || later
                .into_iter()
                .any(|(u, before)| *before && u.depends_on(unit));
    }
    let (mut start, mut joined, mut end) = (Vec::new(), Vec::new(), Vec::new());
    for (unit, place) in units.into_iter().zip(after.into_iter().zip(before)) {
        match place {
            (true, true) => joined.push(unit),
            (true, false) => end.push(unit),
            (false, _) => start.push(unit),
        }
    }
    if !joined.is_empty() {
        start.push(Unit::joined(joined));
    }
    start.append(&mut end);
    start
}
