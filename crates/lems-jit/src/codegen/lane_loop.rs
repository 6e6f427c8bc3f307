//! Whether the body of a loop over attached instances can run for two of them side by side.

use std::collections::HashSet;

use lems_ir::{
    Block, Level, Operation, Operator, Place, Program, Register, Scalar, Statement, statements,
};
use lems_optimise::{Obstacle, Reads, carried, flat_loop_body};

/// The body of a loop over attached instances, as code for two of them.
pub(crate) struct LaneLoop {
    /// Statements that give the same for all instances, in order.
    pub(crate) uniform: Block,
    /// Statements that run side by side, in order.
    pub(crate) parallel: Block,
    /// Statements that hand values from one instance to the next, in order.
    pub(crate) serial: Block,
}

impl LaneLoop {
    /// The body for two instances. New registers are added to `registers`; `populations` are those of the
    /// levels, with the loop as the last.
    ///
    /// # Errors
    ///
    /// If its instances depend on one another in more than sums, or if side by side they would cost more.
    pub(crate) fn of(
        program: &Program,
        body: &Block,
        level: Level,
        populations: &[u32],
        reads: &Reads,
        registers: &mut Vec<Scalar>,
    ) -> Result<LaneLoop, Obstacle> {
        if body.iter().any(hides_call) {
            return Err(Obstacle::ConditionalCall);
        }
        let flat = flat_loop_body(body, reads, registers)?;
        let stored = stored_columns(&flat, level)?;
        let assigned: HashSet<Register> = flat.iter().flat_map(Statement::assigned).collect();
        let mut serial = handed_on(body, &flat, &assigned);
        let mut uniform = HashSet::new();
        let mut lanes = LaneLoop {
            uniform: Block::new(),
            parallel: Block::new(),
            serial: Block::new(),
        };
        // Each statement goes to one of the three lists.
        for statement in flat {
            let follows = statement
                .operands()
                .iter()
                .any(|register| serial.contains(register));
            match &statement {
                // What depends on the instance before must come after it.
                Statement::Let(register, _) if follows || serial.contains(register) => {
                    serial.insert(*register);
                    lanes.serial.push(statement);
                }
                Statement::Let(_, Operation::Load(place))
                    if may_be_stored(program, *place, level, populations, &stored) =>
                {
                    return Err(Obstacle::LoadsStored);
                }
                Statement::Let(register, operation)
                    if is_uniform(operation, level, &|operand| {
                        uniform.contains(&operand) || !assigned.contains(&operand)
                    }) =>
                {
                    uniform.insert(*register);
                    lanes.uniform.push(statement);
                }
                _ if follows => return Err(Obstacle::Chained),
                _ => lanes.parallel.push(statement),
            }
        }
        Ok(lanes)
    }
}

/// The columns that a body stores, all of which must belong to the instances of the loop.
fn stored_columns(flat: &Block, level: Level) -> Result<Vec<u32>, Obstacle> {
    let mut stored = Vec::new();
    for statement in flat {
        match statement.effects().stores {
            Some(Place::Column { base, level: of }) if of == level => stored.push(base),
            Some(Place::Column { base, .. }) => return Err(Obstacle::TwoLevels(base)),
            Some(Place::Slot(slot)) => return Err(Obstacle::StoresSlot(slot)),
            Some(Place::Linked { table, .. }) => return Err(Obstacle::StoresLinked(table)),
            None => {}
        }
    }
    Ok(stored)
}

/// Registers that hand a value from one instance to the next: read before they are assigned, and assigned.
/// `assigned` are all registers that the body assigns.
fn handed_on(body: &Block, flat: &Block, assigned: &HashSet<Register>) -> HashSet<Register> {
    let mut so_far = HashSet::new();
    let mut handed_on = HashSet::new();
    for statement in flat {
        let open = statement.operands().into_iter();
        handed_on.extend(open.filter(|register| !so_far.contains(register)));
        so_far.extend(statement.assigned());
    }
    // Registers that the body never assigns come from outside of the loop.
    handed_on.retain(|register| assigned.contains(register));
    // A register that is handed on unread counts too: a loop that runs for no instance leaves it unchanged.
    handed_on.extend(carried(body));
    handed_on
}

/// Whether an operation gives the same for all instances of a level.
fn is_uniform(operation: &Operation, level: Level, known: &dyn Fn(Register) -> bool) -> bool {
    let place = match operation {
        Operation::Load(Place::Column { level: of, .. } | Place::Linked { level: of, .. }) => {
            *of != level
        }
        Operation::Constant(_) => false,
        _ => true,
    };
    place && operation.operands().all(known)
}

/// Whether a statement calls a function only under a condition, so that calling it always would cost more.
fn hides_call(statement: &Statement) -> bool {
    statements(statement.nested()).any(|statement| {
        matches!(
            statement,
            Statement::Let(
                _,
                Operation::Call(..) | Operation::Binary(Operator::Power, ..)
            )
        )
    })
}

/// Whether the stores of one instance of a pair may change what the other one loads. `stored` are the
/// columns that the loop stores. A store of any other instance comes before or after both.
fn may_be_stored(
    program: &Program,
    place: Place,
    level: Level,
    populations: &[u32],
    stored: &[u32],
) -> bool {
    let population = |level: Level| populations.get(usize::from(level.0)).copied().unwrap_or(0);
    let inside = |slot: u32| {
        (stored.iter()).any(|base| (*base..base.saturating_add(population(level))).contains(&slot))
    };
    match place {
        Place::Column { base, level: of } => stored.iter().any(|other| {
            let same = of == level && *other == base;
            let before = base.saturating_add(population(of)) <= *other;
            let after = other.saturating_add(population(level)) <= base;
            !(same || before || after)
        }),
        Place::Slot(slot) => inside(slot),
        Place::Linked { table, level: of } => {
            let table = table as usize;
            let entries = program.links.get(table..table + population(of) as usize);
            let mut entries = (0..).zip(entries.unwrap_or_default());
            entries.any(|(instance, slot)| match of == level {
                true => {
                    (stored.iter()).any(|base| slot.abs_diff(base + instance) == 1) && inside(*slot)
                }
                false => inside(*slot),
            })
        }
    }
}
