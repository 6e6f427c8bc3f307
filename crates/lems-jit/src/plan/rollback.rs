//! Rollback sources: the instances of a kernel whose events can roll back another instance.
//!
//! Only these events need attention during a commit. If a kernel has no rollback sources, its block
//! function makes no copies for an undo log.

use lems_ir::{Block, Call, Level, Program, Receivers, Statement, statements};
use lems_optimise::Independence;

/// The instances of a kernel whose events can roll back another instance.
#[derive(Debug, PartialEq)]
pub(crate) enum RollbackSources {
    /// No instance.
    None,
    /// The instances whose entry is true.
    Some(Vec<bool>),
    /// All instances, as far as is known.
    All {
        /// Whether a receiver of an event may send an event at once.
        passed_on: bool,
    },
}

impl RollbackSources {
    /// Whether a receiver of an event may send an event at once.
    pub(crate) fn passed_on(&self) -> bool {
        matches!(self, RollbackSources::All { passed_on: true })
    }

    /// Whether an instance is one of them.
    pub(crate) fn contain(&self, instance: u32) -> bool {
        match self {
            RollbackSources::None => false,
            RollbackSources::Some(sources) => {
                sources.get(instance as usize).copied().unwrap_or(false)
            }
            RollbackSources::All { .. } => true,
        }
    }
}

/// How far ahead of an instance that sends an event other instances of the call can be.
pub(crate) struct Reach {
    /// Instances of a unit of work, except those of the last unit.
    pub(crate) unit: u32,
    /// Units that can be computed before the first of them is committed.
    pub(crate) window: u32,
}

/// The instances of a kernel whose events can roll back another instance, if `reach` says how calls are
/// cut into units.
pub(crate) fn rollback_sources(
    program: &Program,
    number: u32,
    independence: &Independence,
    reach: impl Fn(Call) -> Reach,
) -> RollbackSources {
    if !independence.interferes() {
        return RollbackSources::None;
    }
    let sends: Vec<bool> = (program.handlers.iter())
        .map(|handler| !events(&handler.body).is_empty())
        .collect();
    let Some(ports) = own_ports(program, number) else {
        let passed_on = sends.contains(&true);
        return RollbackSources::All { passed_on };
    };
    let mut sources = vec![false; program.population(number) as usize];
    for call in program.calls().filter(|call| call.kernel == number) {
        let Reach { unit, window } = reach(*call);
        for instance in call.first..call.last {
            // The end of the instances that may be computed before this one is committed.
            let begun = (instance - call.first) / unit.max(1);
            let end = begun.saturating_add(window).saturating_mul(unit);
            let end = call.first.saturating_add(end).min(call.last);
            for (handler, receivers) in handled_at_once(program, &ports, instance) {
                // Chains of events are not followed: give up, and treat all instances as sources.
                if sends.get(handler) != Some(&false) {
                    return RollbackSources::All { passed_on: true };
                }
                let Some(owners) = independence.owners.get(handler) else {
                    continue;
                };
                sources[instance as usize] |= (receivers.iter())
                    .filter_map(|number| owners.get(*number as usize))
                    .any(|owner| instance < *owner && *owner < end);
            }
        }
    }
    if sources.contains(&true) {
        RollbackSources::Some(sources)
    } else {
        RollbackSources::None
    }
}

/// The ports through which a kernel sends events; `None` if attached instances send events, too.
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

/// The handlers that run at once for events of an instance, each with the instances that it runs for.
fn handled_at_once<'p>(
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

    /// For eight instances in units of two, with a window of two units, and a handler with this body.
    fn sources_of(routes: &[(u32, u32, f64)], handler: Block) -> RollbackSources {
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
            schedule: vec![lems_ir::Scheduled::Call(Call {
                kernel: 0,
                first: 0,
                last: 8,
            })],
            routes: Routes::new(8, &routes.iter().map(target).collect::<Vec<_>>()),
            ..Program::default()
        };
        let independence = Independence {
            stored: Vec::new(),
            owners: vec![(0..8).collect()],
            ..Independence::default()
        };
        rollback_sources(&program, 0, &independence, |_| Reach { unit: 2, window: 2 })
    }

    #[test]
    fn only_events_for_later_instances_of_the_window_roll_back() {
        // An instance before, the sender itself, one after the window, a later event.
        let harmless = [(3, 1, 0.0), (4, 4, 0.0), (1, 4, 0.0), (6, 7, 1.0)];
        assert_eq!(sources_of(&harmless, Block::new()), RollbackSources::None);
        let reaching = [(1, 3, 0.0), (2, 5, 0.0), (6, 7, 0.0)];
        let all = [&harmless[..3], &reaching].concat();
        let found = sources_of(&all, Block::new());
        let numbers: Vec<u32> = (0..9).filter(|number| found.contain(*number)).collect();
        assert_eq!(numbers, [1, 2, 6]);
    }

    #[test]
    fn if_receivers_send_events_all_instances_are_sources() {
        let emit = Statement::Emit {
            port: 0,
            level: Level(0),
        };
        let found = sources_of(&[(3, 1, 0.0)], vec![emit]);
        assert_eq!(found, RollbackSources::All { passed_on: true });
        assert!(found.passed_on() && found.contain(0));
    }
}
