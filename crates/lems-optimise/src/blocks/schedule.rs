//! The statements of a straight line as items that are scheduled one by one.

use super::ordered::Ordered;
use crate::obstacle::{Branch, Obstacle};
use lems_ir::{Block, Function, Operation, Operator, Place, Register, Statement};
use rustc_hash::FxHashSet;

/// The place of an item within its phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Code for instances side by side.
    Lanes = 0,
    /// Code for one instance after another.
    Each = 1,
    /// A function of whole buffers.
    Buffers = 2,
}

/// Number of kinds, and of slots in a phase.
pub(super) const KINDS: u32 = 3;

/// A statement, or a loop together with the copies that start the values that it carries.
pub(super) struct Item {
    pub(super) statements: Block,
    pub(super) kind: Kind,
    pub(super) reads: Vec<Register>,
    pub(super) writes: Vec<Register>,
    /// First slots of the columns that it loads.
    loads: Vec<u32>,
    /// First slots of the columns that it stores.
    pub(super) stores: Vec<u32>,
    /// Whether it touches what instances read of one another, and so must keep their order.
    ordered: bool,
    /// Position in the schedule: phases in order, and in each phase the kinds in order.
    pub(super) slot: u32,
}

/// Condition and port of each event.
pub(super) type Emits = Vec<(Option<Register>, u32)>;

/// The items of flat code, in order, and the events, which come after them all.
pub(super) fn items(body: &Block, ordered: &Ordered) -> Result<(Vec<Item>, Emits), Obstacle> {
    let mut items = Vec::new();
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
                _ => return Err(Branch::MoreThanAnEvent.into()),
            },
            Statement::Let(_, Operation::Copy(_)) => starts.push(statement.clone()),
            Statement::ForAttached { .. } | Statement::ForRuns { .. } => {
                let mut statements = std::mem::take(&mut starts);
                statements.push(statement.clone());
                items.push(Item::of(statements, Kind::Each, ordered)?);
            }
            statement if by_buffers(statement) => {
                items.push(Item::of(vec![statement.clone()], Kind::Buffers, ordered)?);
            }
            Statement::Let(..) | Statement::Store(..) => {
                items.push(Item::of(vec![statement.clone()], Kind::Lanes, ordered)?);
            }
            Statement::Emit { .. } => return Err(Obstacle::AttachedEvents),
            Statement::If { .. } => return Err(Branch::MoreThanAnEvent.into()),
            Statement::Propagate { .. } | Statement::Twice(_) => return Err(Obstacle::Repeats),
        }
    }
    if starts.is_empty() {
        Ok((items, emits))
    } else {
        Err(Obstacle::CopiesWithoutLoop)
    }
}

/// Whether a statement is computed by a function of whole buffers.
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

/// Whether an operation costs nothing, so that it can be repeated wherever its result is needed.
pub(super) fn is_free(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::Constant(_) | Operation::Time | Operation::Step
    )
}

impl Item {
    fn new(kind: Kind) -> Item {
        Item {
            statements: Block::new(),
            kind,
            reads: Vec::new(),
            writes: Vec::new(),
            loads: Vec::new(),
            stores: Vec::new(),
            ordered: false,
            slot: kind as u32,
        }
    }

    /// The statements as an item, with what they read and write.
    fn of(statements: Block, kind: Kind, ordered: &Ordered) -> Result<Item, Obstacle> {
        let mut item = Item::new(kind);
        item.ordered =
            lems_ir::statements([&statements]).any(|statement| ordered.contains(statement));
        for statement in &statements {
            item.writes.extend(statement.assigned());
        }
        let mut inside = item.writes.iter().copied().collect();
        item.survey(&statements, &mut inside)?;
        item.forget_reads_of(&inside);
        item.statements = statements;
        Ok(item)
    }

    /// Adds what the statements of a block read and store.
    fn survey(
        &mut self,
        block: &Block,
        assigned: &mut FxHashSet<Register>,
    ) -> Result<(), Obstacle> {
        for statement in block {
            self.reads.extend(statement.operands());
            let effects = statement.effects();
            self.loads.extend(effects.loads.and_then(column));
            if let Some(place) = effects.stores {
                self.stores.push(stored_column(place)?);
            }
            if effects.sends {
                return Err(Obstacle::AttachedEvents);
            }
            for inner in statement.nested() {
                for statement in inner {
                    assigned.extend(statement.assigned());
                }
                self.survey(inner, assigned)?;
            }
        }
        Ok(())
    }

    fn touches(&self, base: u32) -> bool {
        self.loads.contains(&base) || self.stores.contains(&base)
    }

    /// Several items, one after another, as one item of a loop over instances.
    fn joined(items: Vec<Item>) -> Item {
        let mut joined = Item::new(Kind::Each);
        joined.ordered = true;
        for item in items {
            joined.statements.extend(item.statements);
            joined.reads.extend(item.reads);
            joined.writes.extend(item.writes);
            joined.loads.extend(item.loads);
            joined.stores.extend(item.stores);
        }
        let inside = joined.writes.iter().copied().collect();
        joined.forget_reads_of(&inside);
        joined
    }

    /// Leaves only the registers that it reads from outside, each once.
    fn forget_reads_of(&mut self, inside: &FxHashSet<Register>) {
        self.reads.retain(|register| !inside.contains(register));
        self.reads.sort_unstable();
        self.reads.dedup();
    }

    /// Whether it must come after an earlier one.
    pub(super) fn depends_on(&self, earlier: &Item) -> bool {
        self.reads_of(earlier) && !earlier.is_free() || earlier.conflicts(self)
    }

    /// Whether it reads a register that another item writes.
    pub(super) fn reads_of(&self, other: &Item) -> bool {
        (self.reads.iter()).any(|register| other.writes.contains(register))
    }

    /// Whether the order of two items matters because of memory.
    pub(super) fn conflicts(&self, later: &Item) -> bool {
        self.stores.iter().any(|base| later.touches(*base))
            || later.stores.iter().any(|base| self.loads.contains(base))
    }

    /// The operation, if it is a single one.
    pub(super) fn operation(&self) -> Option<&Operation> {
        match self.statements.as_slice() {
            [Statement::Let(_, operation)] => Some(operation),
            _ => None,
        }
    }

    fn is_free(&self) -> bool {
        self.operation().is_some_and(is_free)
    }

    /// The first slot that this item can have after one that it depends on.
    pub(super) fn after(&self, other: &Item) -> u32 {
        let phase = match (self.kind, other.kind) {
            (Kind::Buffers, _) => other.slot.div_ceil(KINDS),
            (kind, _) => (other.slot + KINDS - 1 - kind as u32) / KINDS,
        };
        phase * KINDS + self.kind as u32
    }

    /// The last slot of lanes that comes no later than this item.
    pub(super) fn lanes_before(&self) -> u32 {
        self.slot - self.kind as u32
    }
}

/// The column that a place is in; `None` for a place of another instance.
fn column(place: Place) -> Option<u32> {
    match place {
        Place::Column { base, .. } => Some(base),
        Place::Slot(_) | Place::Linked { .. } => None,
    }
}

/// The column that a store changes.
fn stored_column(place: Place) -> Result<u32, Obstacle> {
    match place {
        Place::Column { base, .. } => Ok(base),
        Place::Slot(slot) => Err(Obstacle::StoresSlot(slot)),
        Place::Linked { table, .. } => Err(Obstacle::StoresLinked(table)),
    }
}

/// Joins all items that must keep the order of the instances, and all items between them, to one loop.
pub(super) fn with_one_ordered_loop(items: Vec<Item>) -> Vec<Item> {
    // Items that an ordered item comes before or is, by dependence; then those that one comes after or is.
    let mut after = vec![false; items.len()];
    let mut before = vec![false; items.len()];
    for (index, item) in items.iter().enumerate() {
        after[index] = item.ordered
            || (items[..index].iter().zip(&after)).any(|(u, after)| *after && item.depends_on(u));
    }
    for (index, item) in items.iter().enumerate().rev() {
        let later = items.iter().zip(&before).skip(index + 1);
        before[index] = item.ordered
            || later
                .into_iter()
                .any(|(u, before)| *before && u.depends_on(item));
    }
    // What is both is in the loop; the rest comes before or after it.
    let (mut start, mut joined, mut end) = (Vec::new(), Vec::new(), Vec::new());
    for (item, place) in items.into_iter().zip(after.into_iter().zip(before)) {
        match place {
            (true, true) => joined.push(item),
            (true, false) => end.push(item),
            (false, _) => start.push(item),
        }
    }
    if !joined.is_empty() {
        start.push(Item::joined(joined));
    }
    start.append(&mut end);
    start
}
