//! Which instances of a kernel can send an event that takes another one back to where it was before
//! its step.

use lems_ir::{Block, Call, Level, Program, Receivers, Statement, statements};
use lems_optimise::Independence;

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
                senders[instance as usize] |= (receivers.iter())
                    .filter_map(|number| owners.get(*number as usize))
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
    let events = statements([block]).filter_map(|statement| match statement {
        Statement::Emit { port, level } => Some((*port, *level)),
        _ => None,
    });
    events.collect()
}

/// Handlers that run at once for events of an instance, and for which instances of theirs.
fn told_at_once<'p>(
    program: &'p Program,
    ports: &[u32],
    instance: u32,
) -> impl Iterator<Item = (usize, &'p [u32])> {
    (ports.iter())
        .flat_map(move |port| program.routes.receivers(port.saturating_add(instance)))
        .filter(Receivers::at_once)
        .filter_map(|receivers| Some((receivers.handler? as usize, receivers.numbers)))
}

#[cfg(test)]
mod tests {
    use lems_ir::{Action, Kernel, Routes, Target};

    use super::*;

    /// Eight instances in units of two, of which two are in work, and a handler with this body.
    fn senders_of(routes: &[(u32, u32, f64)], handler: Block) -> Senders {
        let kernel = |body: Block| Kernel {
            name: "k".to_owned(),
            registers: Vec::new(),
            body,
        };
        let emit = Statement::Emit {
            port: 0,
            level: Level(0),
        };
        let target = |(source, instance, delay): &(u32, u32, f64)| {
            let action = Action::Handle {
                handler: 0,
                instance: *instance,
            };
            let delay = *delay;
            (*source, Target { action, delay })
        };
        let program = Program {
            kernels: vec![kernel(vec![emit])],
            handlers: vec![kernel(handler)],
            schedule: vec![Call {
                kernel: 0,
                first: 0,
                last: 8,
            }],
            routes: Routes::new(8, &routes.iter().map(target).collect::<Vec<_>>()),
            ..Program::default()
        };
        let independence = Independence {
            stored: Vec::new(),
            owners: vec![(0..8).collect()],
            ..Independence::default()
        };
        senders(&program, 0, &independence, |_| Reach { unit: 2, window: 2 })
    }

    #[test]
    fn only_events_for_later_instances_in_work_take_one_back() {
        // Before, itself, after all that is in work, later.
        let harmless = [(3, 1, 0.0), (4, 4, 0.0), (1, 4, 0.0), (6, 7, 1.0)];
        assert_eq!(senders_of(&harmless, Block::new()), Senders::Nobody);
        let reaching = [(1, 3, 0.0), (2, 5, 0.0), (6, 7, 0.0)];
        let all = [&harmless[..3], &reaching].concat();
        let found = senders_of(&all, Block::new());
        let numbers: Vec<u32> = (0..9).filter(|number| found.contain(*number)).collect();
        assert_eq!(numbers, [1, 2, 6]);
    }

    #[test]
    fn where_receivers_send_on_nobody_knows_who_is_reached() {
        let emit = Statement::Emit {
            port: 0,
            level: Level(0),
        };
        let found = senders_of(&[(3, 1, 0.0)], vec![emit]);
        assert_eq!(found, Senders::All { passed_on: true });
        assert!(found.passed_on() && found.contain(0));
    }
}
