//! What the code of one instance may touch: variables, sources of events, the random generator.

use std::collections::BTreeSet;

use lems_ir::{Block, Level, MAX_LEVELS, Operation, Place, Statement};

/// Something that code may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Touch {
    /// Reads a slot of memory.
    Reads(u32),
    /// Writes a slot of memory.
    Stores(u32),
    /// Sends an event from a source.
    Sends(u32),
    /// Takes a random number.
    Draws,
}

/// What a kernel touches, without what it computes and under which conditions.
#[derive(Debug, Default)]
pub(crate) struct Footprint {
    reads: Vec<Place>,
    stores: Vec<Place>,
    ports: Vec<(u32, Level)>,
    draws: bool,
    loops: Vec<Loop>,
}

/// A loop over attached instances.
#[derive(Debug)]
struct Loop {
    offsets: u32,
    /// First entry of the table of runs, if there are variants for several shapes. An entry is three numbers: the
    /// variant, its first instance and the end.
    runs: Option<u32>,
    level: Level,
    arms: Vec<Footprint>,
}

impl Footprint {
    /// Of a kernel or handler with this body.
    pub(crate) fn of(body: &Block) -> Footprint {
        let mut footprint = Footprint::default();
        let mut seen = BTreeSet::new();
        footprint.add(body, &mut seen);
        footprint
    }

    fn add(&mut self, block: &Block, seen: &mut BTreeSet<(bool, u32, u32)>) {
        for statement in block {
            match statement {
                Statement::Let(_, Operation::Load(place)) => {
                    if seen.insert(key(false, *place)) {
                        self.reads.push(*place);
                    }
                }
                Statement::Store(place, _) => {
                    if seen.insert(key(true, *place)) {
                        self.stores.push(*place);
                    }
                }
                Statement::Let(_, Operation::Random(_)) => self.draws = true,
                Statement::Emit { port, level } => self.ports.push((*port, *level)),
                Statement::ForAttached {
                    offsets,
                    level,
                    body,
                } => self.loops.push(Loop {
                    offsets: *offsets,
                    runs: None,
                    level: *level,
                    arms: vec![Footprint::of(body)],
                }),
                Statement::ForRuns {
                    offsets,
                    runs,
                    level,
                    arms,
                } => self.loops.push(Loop {
                    offsets: *offsets,
                    runs: Some(*runs),
                    level: *level,
                    arms: arms.iter().map(Footprint::of).collect(),
                }),
                Statement::If { .. } | Statement::Twice(_) => {
                    for inner in statement.nested() {
                        self.add(inner, seen);
                    }
                }
                Statement::Let(..) | Statement::Propagate { .. } => {}
            }
        }
    }

    /// Whether it sends events.
    pub(crate) fn sends(&self) -> bool {
        !self.ports.is_empty() || self.arms().any(Footprint::sends)
    }

    /// Whether it takes random numbers.
    pub(crate) fn draws(&self) -> bool {
        self.draws || self.arms().any(Footprint::draws)
    }

    fn arms(&self) -> impl Iterator<Item = &Footprint> {
        self.loops.iter().flat_map(|inner| &inner.arms)
    }

    /// Calls `each` with everything that the code may do for an instance, in no particular order. `links` holds the
    /// tables.
    pub(crate) fn visit(&self, links: &[u32], instance: u32, each: &mut impl FnMut(Touch)) {
        let mut instances = [0; MAX_LEVELS];
        instances[0] = instance;
        self.visit_inner(links, &mut instances, each);
    }

    fn visit_inner(
        &self,
        links: &[u32],
        instances: &mut [u32; MAX_LEVELS],
        each: &mut impl FnMut(Touch),
    ) {
        let entry = |table: u32, at: usize| links.get(table as usize + at).copied();
        let instance = |level: Level| instances.get(level.0 as usize).copied().unwrap_or(0);
        let slot = |place: &Place| match *place {
            Place::Slot(slot) => Some(slot),
            Place::Column { base, level } => base.checked_add(instance(level)),
            Place::Linked { table, level } => entry(table, instance(level) as usize),
        };
        self.reads
            .iter()
            .filter_map(slot)
            .for_each(|slot| each(Touch::Reads(slot)));
        self.stores
            .iter()
            .filter_map(slot)
            .for_each(|slot| each(Touch::Stores(slot)));
        for (port, level) in &self.ports {
            each(Touch::Sends(port.saturating_add(instance(*level))));
        }
        if self.draws {
            each(Touch::Draws);
        }
        for inner in &self.loops {
            let level = inner.level.0 as usize;
            let outer = level.checked_sub(1).and_then(|outer| instances.get(outer));
            let outer = outer.map_or(0, |outer| *outer as usize);
            let (Some(first), Some(last)) =
                (entry(inner.offsets, outer), entry(inner.offsets, outer + 1))
            else {
                continue;
            };
            for turn in first..last {
                // Which arm runs for which instances.
                let (arm, range) = match inner.runs {
                    None => (0, turn..turn.saturating_add(1)),
                    Some(runs) => {
                        let at = |part| entry(runs, 3 * turn as usize + part).unwrap_or(0);
                        (at(0) as usize, at(1)..at(2))
                    }
                };
                let Some(arm) = inner.arms.get(arm) else {
                    continue;
                };
                for attached in range {
                    if let Some(own) = instances.get_mut(level) {
                        *own = attached;
                    }
                    arm.visit_inner(links, instances, each);
                }
            }
        }
    }
}

/// A key that two equal accesses share.
fn key(stores: bool, place: Place) -> (bool, u32, u32) {
    match place {
        Place::Slot(slot) => (stores, slot, 0),
        Place::Column { base, level } => (stores, base, 1 + u32::from(level.0)),
        Place::Linked { table, level } => (stores, table, 0x1000 + u32::from(level.0)),
    }
}

#[cfg(test)]
mod tests {
    use lems_ir::Register;

    use super::*;

    #[test]
    fn attached_instances_and_both_sides_of_a_condition_are_touched() {
        let own = |base| Place::Column {
            base,
            level: Level(0),
        };
        let load = |place| Statement::Let(Register(0), Operation::Load(place));
        let attached = vec![
            load(Place::Linked {
                table: 4,
                level: Level(1),
            }),
            Statement::Emit {
                port: 50,
                level: Level(1),
            },
        ];
        let body = vec![
            Statement::If {
                condition: Register(0),
                then: vec![load(own(10)), load(own(10))],
                otherwise: vec![Statement::Store(own(20), Register(0))],
            },
            Statement::ForAttached {
                offsets: 0,
                level: Level(1),
                body: attached,
            },
        ];
        // Instance 1 has the attached instances 1 and 2; the table of what they read begins at 4.
        let links = [0, 1, 3, 3, 70, 71, 72];
        let footprint = Footprint::of(&body);
        let mut touched = Vec::new();
        footprint.visit(&links, 1, &mut |touch| touched.push(touch));
        use Touch::{Reads, Sends, Stores};
        assert_eq!(
            touched,
            [
                Reads(11),
                Stores(21),
                Reads(71),
                Sends(51),
                Reads(72),
                Sends(52)
            ]
        );
        assert!(footprint.sends() && !footprint.draws());
    }
}
