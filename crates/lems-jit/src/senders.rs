//! Which instances an event can take back to where they were before their step.

use std::ops::Range;

use lems_kernel::{Block, Call, Independence, Level, Program, Statement};

/// To save one of a list costs as much as to save so many of all.
const COST_OF_ONE: usize = 4;

/// Instances that an event of one before them can take back.
pub(crate) enum Exposed {
    /// All, as far as anyone knows.
    All {
        /// Whether some of what gets an event sends one at once.
        passed_on: bool,
    },
    /// A few, which are listed.
    Some(Listed),
}

/// Some instances of a kernel, and what they store.
#[derive(Default)]
pub(crate) struct Listed {
    /// `slots[offsets[i] .. offsets[i + 1]]` belong to instance `i`: none, if it is not listed.
    offsets: Vec<u32>,
    slots: Vec<u32>,
    /// Whether events of an instance can take back another.
    senders: Vec<bool>,
}

impl Listed {
    /// Instances that `is_exposed` tells, and what they store.
    pub(crate) fn new(
        links: &[u32],
        independence: &Independence,
        is_exposed: &[bool],
        senders: Vec<bool>,
    ) -> Self {
        let mut offsets = Vec::with_capacity(is_exposed.len() + 1);
        let mut slots = Vec::new();
        offsets.push(0);
        for (instance, exposed) in (0..).zip(is_exposed) {
            if *exposed {
                for column in &independence.stored {
                    column.ranges(links, instance..instance + 1, |range| {
                        slots.extend(range.map(|slot| slot as u32));
                    });
                }
            }
            offsets.push(slots.len() as u32);
        }
        Listed {
            offsets,
            slots,
            senders,
        }
    }

    /// Where the slots of those that lie in a range of instances are among all.
    pub(crate) fn places(&self, instances: Range<u32>) -> Range<usize> {
        let offset = |instance: u32| self.offsets.get(instance as usize).copied().unwrap_or(0);
        offset(instances.start) as usize..offset(instances.end) as usize
    }

    /// The slots at these places.
    pub(crate) fn slots(&self, places: Range<usize>) -> &[u32] {
        self.slots.get(places).unwrap_or_default()
    }
}

impl Exposed {
    /// Whether some of what gets an event sends one at once.
    pub(crate) fn passed_on(&self) -> bool {
        matches!(self, Exposed::All { passed_on: true })
    }

    /// Whether events of an instance can take back another.
    pub(crate) fn can_come_from(&self, instance: u32) -> bool {
        match self {
            Exposed::All { .. } => true,
            Exposed::Some(listed) => {
                let sends = listed.senders.get(instance as usize);
                sends.copied().unwrap_or(false)
            }
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

/// The instances of a kernel that an event of another can take back.
pub(crate) fn exposed(
    program: &Program,
    number: u32,
    independence: &Independence,
    reach: impl Fn(Call) -> Reach,
) -> Exposed {
    if !independence.interferes() {
        return Exposed::Some(Listed::default());
    }
    let sends: Vec<bool> = (program.handlers.iter())
        .map(|handler| !events(&handler.body).is_empty())
        .collect();
    let Some(ports) = own_ports(program, number) else {
        let passed_on = sends.contains(&true);
        return Exposed::All { passed_on };
    };
    let population = program.population(number) as usize;
    let mut senders = vec![false; population];
    let mut is_exposed = vec![false; population];
    for call in (program.schedule.iter()).filter(|call| call.kernel == number) {
        let Reach { unit, window } = reach(*call);
        for instance in call.first..call.last {
            let begun = (instance - call.first) / unit.max(1);
            let end = begun.saturating_add(window).saturating_mul(unit);
            let end = call.first.saturating_add(end).min(call.last);
            for (handler, receivers) in told_at_once(program, &ports, instance) {
                // Where its own events go is not followed.
                if sends.get(handler) != Some(&false) {
                    return Exposed::All { passed_on: true };
                }
                let Some(owners) = independence.owners.get(handler) else {
                    continue;
                };
                let owners = receivers
                    .iter()
                    .filter_map(|number| owners.get(*number as usize));
                for owner in owners.filter(|owner| instance < **owner && **owner < end) {
                    senders[instance as usize] = true;
                    is_exposed[*owner as usize] = true;
                }
            }
        }
    }
    let count = is_exposed.iter().filter(|exposed| **exposed).count();
    match count * COST_OF_ONE < population || count == 0 {
        true => Exposed::Some(Listed::new(
            &program.links,
            independence,
            &is_exposed,
            senders,
        )),
        false => Exposed::All { passed_on: false },
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

#[cfg(test)]
mod tests {
    use lems_kernel::{Extent, Stored};

    use super::*;

    #[test]
    fn listed_instances_are_found_with_their_slots() {
        let links = [0, 2, 2, 5, 7];
        let stored = [(0, Extent::Own), (10, Extent::Attached { offsets: 0 })];
        let independence = Independence {
            stored: stored.map(|(base, extent)| Stored { base, extent }).into(),
            owners: Vec::new(),
        };
        let is_exposed = [true, false, true, false];
        let listed = Listed::new(&links, &independence, &is_exposed, Vec::new());
        assert_eq!(listed.places(0..4), 0..7);
        assert_eq!(listed.places(1..3), 3..7);
        assert_eq!(listed.places(3..4), 7..7);
        assert_eq!(listed.slots(listed.places(0..1)), [0, 10, 11]);
        assert_eq!(listed.slots(listed.places(2..3)), [2, 12, 13, 14]);
        assert_eq!(listed.slots(listed.places(1..2)), []);
    }
}
