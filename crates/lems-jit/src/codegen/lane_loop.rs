//! Whether the body of a loop over attached instances can run for two of them side by side.

use std::collections::HashSet;

use lems_ir::{
    Block, Level, Operation, Operator, Place, Program, Register, Scalar, Statement, statements,
};
use lems_optimise::{Reads, carried, flat_loop_body};

/// The body of a loop over attached instances, as code for two of them.
pub(crate) struct LaneLoop {
    /// What is the same for all of them, in order.
    pub(crate) uniform: Block,
    /// What is done side by side, in order.
    pub(crate) parallel: Block,
    /// What hands values from one instance to the next, in order.
    pub(crate) serial: Block,
}

impl LaneLoop {
    /// The body for two instances, if its instances do not depend on one another but for what
    /// they add to; new registers are added to `registers`.
    pub(crate) fn of(
        program: &Program,
        body: &Block,
        level: Level,
        populations: &[u32],
        reads: &Reads,
        registers: &mut Vec<Scalar>,
    ) -> Option<LaneLoop> {
        if body.iter().any(hides_call) {
            return None;
        }
        let flat = flat_loop_body(body, reads, registers)?;
        let stored: Vec<u32> = (flat.iter())
            .filter_map(|statement| match statement {
                Statement::Store(place, _) => Some(*place),
                _ => None,
            })
            .map(|place| match place {
                Place::Column { base, level: of } if of == level => Some(base),
                _ => None,
            })
            .collect::<Option<_>>()?;
        let mut assigned = HashSet::new();
        let mut serial = HashSet::new();
        for statement in &flat {
            let open = statement.operands();
            serial.extend(
                open.into_iter()
                    .filter(|register| !assigned.contains(register)),
            );
            assigned.extend(statement.assigned());
        }
        // Of those that are read before they are assigned, the others come from outside.
        serial.retain(|register| assigned.contains(register));
        // Also what is handed on unread: a loop that runs for nobody hands on nothing.
        serial.extend(carried(body));
        let mut uniform = HashSet::new();
        let mut lanes = LaneLoop {
            uniform: Block::new(),
            parallel: Block::new(),
            serial: Block::new(),
        };
        for statement in flat {
            let follows = statement
                .operands()
                .iter()
                .any(|register| serial.contains(register));
            match &statement {
                Statement::Let(register, _) if follows || serial.contains(register) => {
                    serial.insert(*register);
                    lanes.serial.push(statement);
                }
                Statement::Let(_, Operation::Load(place))
                    if may_be_stored(program, *place, level, populations, &stored) =>
                {
                    return None;
                }
                Statement::Let(register, operation)
                    if is_uniform(operation, level, &|operand| {
                        uniform.contains(&operand) || !assigned.contains(&operand)
                    }) =>
                {
                    uniform.insert(*register);
                    lanes.uniform.push(statement);
                }
                _ if follows => return None,
                _ => lanes.parallel.push(statement),
            }
        }
        Some(lanes)
    }
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

/// Whether a call is only made under a condition, so that making it always would cost.
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

/// Whether a loop that stores the columns may thereby change what it loads from elsewhere; what
/// instances that are not neighbours store is the same for two side by side as for one after the
/// other.
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
