//! Who receives the events of each source.

use lems_index::narrow;

/// What an event does at a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Runs a handler kernel for one instance.
    Handle {
        /// Index in [`Program::handlers`](crate::Program::handlers).
        handler: u32,
        /// Instance of the handler's group.
        instance: u32,
    },
    /// Records the event for an event selection.
    Record {
        /// Number of the selection.
        selection: u32,
    },
}

/// One receiver of an event.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// What happens there.
    pub action: Action,
    /// Seconds after the event; zero or less is at once.
    pub delay: f64,
}

/// Receivers of the events of each source, in the order in which they get an event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Routes {
    /// `groups[offsets[s] .. offsets[s + 1]]` belong to source `s`.
    offsets: Vec<u32>,
    groups: Vec<Group>,
    /// Instances or selections, group by group.
    numbers: Vec<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Group {
    delay: f64,
    handler: Option<u32>,
    /// `numbers[first .. last]` belong to the group.
    first: u32,
    last: u32,
}

/// Neighbouring receivers of one source with the same handler and delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Receivers<'r> {
    /// Seconds after the event; zero or less is at once.
    pub delay: f64,
    /// The handler that is run; without one, the event is recorded.
    pub handler: Option<u32>,
    /// Instances of the handler's group, or selections.
    pub numbers: &'r [u32],
}

impl<'r> Receivers<'r> {
    /// Whether they get the event before the next statement.
    pub fn at_once(&self) -> bool {
        self.delay <= 0.0
    }

    /// The action of each receiver.
    pub fn actions(self) -> impl Iterator<Item = Action> + 'r {
        self.numbers.iter().map(move |number| match self.handler {
            Some(handler) => Action::Handle {
                handler,
                instance: *number,
            },
            None => Action::Record { selection: *number },
        })
    }
}

impl Routes {
    /// Routes from sources below `sources` to targets, in any order; those of one source stay in
    /// theirs.
    ///
    /// # Panics
    ///
    /// If there is another source among them.
    pub fn new(sources: u32, routes: &[(u32, Target)]) -> Routes {
        let mut counts = vec![0_u32; sources as usize];
        for (source, _) in routes {
            counts[*source as usize] += 1;
        }
        let mut places = Vec::with_capacity(counts.len());
        let mut place = 0;
        for count in &counts {
            places.push(place);
            place += *count;
        }
        let mut ordered = vec![0_u32; routes.len()];
        for (number, (source, _)) in (0..).zip(routes) {
            let place = &mut places[*source as usize];
            ordered[*place as usize] = number;
            *place += 1;
        }
        let mut made = Routes {
            offsets: Vec::with_capacity(counts.len() + 1),
            groups: Vec::new(),
            numbers: Vec::with_capacity(routes.len()),
        };
        let mut ordered = ordered.into_iter();
        for count in counts {
            let first_group = made.groups.len();
            made.offsets.push(narrow(first_group));
            for number in ordered.by_ref().take(count as usize) {
                made.push(first_group, routes[number as usize].1);
            }
        }
        made.offsets.push(narrow(made.groups.len()));
        made
    }

    /// Adds a receiver to the last source, of which `first_group` is the first group.
    fn push(&mut self, first_group: usize, target: Target) {
        let (handler, number) = match target.action {
            Action::Handle { handler, instance } => (Some(handler), instance),
            Action::Record { selection } => (None, selection),
        };
        let place = narrow(self.numbers.len());
        self.numbers.push(number);
        let own = self.groups.get_mut(first_group..).unwrap_or_default();
        match own.last_mut() {
            Some(group) if group.handler == handler && group.delay == target.delay => {
                group.last = place + 1;
            }
            _ => self.groups.push(Group {
                delay: target.delay,
                handler,
                first: place,
                last: place + 1,
            }),
        }
    }

    /// Number of sources.
    pub fn sources(&self) -> u32 {
        narrow(self.offsets.len().saturating_sub(1))
    }

    /// Receivers of a source, group by group; none for an unknown one.
    pub fn receivers(&self, source: u32) -> impl Iterator<Item = Receivers<'_>> {
        let source = source as usize;
        let groups = match (self.offsets.get(source), self.offsets.get(source + 1)) {
            (Some(&first), Some(&last)) => self.groups.get(first as usize..last as usize),
            _ => None,
        };
        (groups.unwrap_or_default().iter()).map(|group| Receivers {
            delay: group.delay,
            handler: group.handler,
            numbers: (self.numbers)
                .get(group.first as usize..group.last as usize)
                .unwrap_or_default(),
        })
    }

    /// Receivers of a source, one by one; none for an unknown one.
    pub fn targets(&self, source: u32) -> impl Iterator<Item = Target> {
        self.receivers(source).flat_map(|receivers| {
            let delay = receivers.delay;
            (receivers.actions()).map(move |action| Target { action, delay })
        })
    }

    /// All sources and targets, source by source.
    pub fn all(&self) -> impl Iterator<Item = (u32, Target)> {
        (0..self.sources())
            .flat_map(|source| self.targets(source).map(move |target| (source, target)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_of_a_source_keep_their_order() {
        let record = |selection, delay| Target {
            action: Action::Record { selection },
            delay,
        };
        let handle = |handler, instance| Target {
            action: Action::Handle { handler, instance },
            delay: 0.0,
        };
        let made = [
            (2, record(0, 0.0)),
            (0, handle(1, 7)),
            (2, record(2, 1.0)),
            (0, handle(1, 3)),
            (2, record(2, 0.0)),
            (0, handle(0, 3)),
        ];
        let routes = Routes::new(4, &made);
        let targets = |source| routes.targets(source).collect::<Vec<_>>();
        assert_eq!(targets(0), [handle(1, 7), handle(1, 3), handle(0, 3)]);
        assert_eq!(targets(1), []);
        assert_eq!(targets(2), [record(0, 0.0), record(2, 1.0), record(2, 0.0)]);
        assert_eq!(targets(4), []);
        assert_eq!(routes.all().count(), 6);
        let groups: Vec<&[u32]> = routes.receivers(0).map(|group| group.numbers).collect();
        assert_eq!(groups, [&[7, 3][..], &[3]]);
        assert_eq!(Routes::new(2, &[]).sources(), 2);
    }

    #[test]
    fn sources_do_not_share_groups() {
        let target = Target {
            action: Action::Record { selection: 5 },
            delay: 0.0,
        };
        let routes = Routes::new(2, &[(1, target), (0, target)]);
        assert!((0..2).all(|source| routes.targets(source).eq([target])));
    }
}
