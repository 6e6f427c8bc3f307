//! Which instances of a kernel can send an event that takes another one back to where it was before
//! its step.

use lems_kernel::{Block, Call, Independence, Level, Program, Statement};

/// Instances whose events can take another one back.
#[derive(Debug, PartialEq)]
pub(crate) enum Senders {
    /// None at all.
    Nobody,
    /// Those for which it is true.
    Some(Vec<bool>),
    /// All, as far as anyone knows.
    All {
        /// Whether some of what gets an event sends one at once.
        passed_on: bool,
    },
}

impl Senders {
    /// Whether some of what gets an event sends one at once.
    pub(crate) fn passed_on(&self) -> bool {
        matches!(self, Senders::All { passed_on: true })
    }

    /// Whether an instance is one of them.
    pub(crate) fn contain(&self, instance: u32) -> bool {
        match self {
            Senders::Nobody => false,
            Senders::Some(senders) => senders.get(instance as usize).copied().unwrap_or(false),
            Senders::All { .. } => true,
        }
    }
}

/// How far the instances of a call can be ahead of one that sends an event.
pub(crate) struct Reach {
    /// Instances of a unit of work, those of the last one excepted.
    pub(crate) unit: u32,
    /// Units that can be made before the first of them is finished.
    pub(crate) window: u32,
}

/// The instances of a kernel whose events can take back another.
pub(crate) fn senders(
    program: &Program,
    number: u32,
    independence: &Independence,
    reach: impl Fn(Call) -> Reach,
) -> Senders {
    if !independence.interferes() {
        return Senders::Nobody;
    }
    let sends: Vec<bool> = (program.handlers.iter())
        .map(|handler| !events(&handler.body).is_empty())
        .collect();
    let Some(ports) = own_ports(program, number) else {
        let passed_on = sends.contains(&true);
        return Senders::All { passed_on };
    };
    let mut senders = vec![false; program.population(number) as usize];
    for call in (program.schedule.iter()).filter(|call| call.kernel == number) {
        let Reach { unit, window } = reach(*call);
        for instance in call.first..call.last {
            let begun = (instance - call.first) / unit.max(1);
            let end = begun.saturating_add(window).saturating_mul(unit);
            let end = call.first.saturating_add(end).min(call.last);
            for (handler, receivers) in told_at_once(program, &ports, instance) {
                // Where its own events go is not followed.
                if sends.get(handler) != Some(&false) {
                    return Senders::All { passed_on: true };
                }
                let Some(owners) = independence.owners.get(handler) else {
                    continue;
                };
                let owners = receivers
                    .iter()
                    .filter_map(|number| owners.get(*number as usize));
                senders[instance as usize] |= owners
                    .into_iter()
                    .any(|owner| instance < *owner && *owner < end);
            }
        }
    }
    match senders.contains(&true) {
        true => Senders::Some(senders),
        false => Senders::Nobody,
    }
}

/// The ports that a kernel sends events through; `None` if attached instances send some, too.
fn own_ports(program: &Program, number: u32) -> Option<Vec<u32>> {
    let kernel = program.kernels.get(number as usize)?;
    (events(&kernel.body).into_iter())
        .map(|(port, level)| (level == Level(0)).then_some(port))
        .collect()
}

/// Port and level of all events in a block.
fn events(block: &Block) -> Vec<(u32, Level)> {
    let mut events = Vec::new();
    let mut unread = vec![block];
    while let Some(block) = unread.pop() {
        for statement in block {
            if let Statement::Emit { port, level } = statement {
                events.push((*port, *level));
            }
            unread.extend(statement.nested());
        }
    }
    events
}

/// Handlers that run at once for events of an instance, and for which instances of theirs.
fn told_at_once<'p>(
    program: &'p Program,
    ports: &[u32],
    instance: u32,
) -> impl Iterator<Item = (usize, &'p [u32])> {
    (ports.iter())
        .flat_map(move |port| program.routes.receivers(port.saturating_add(instance)))
        .filter(|receivers| receivers.delay <= 0.0)
        .filter_map(|receivers| Some((receivers.handler? as usize, receivers.numbers)))
}
