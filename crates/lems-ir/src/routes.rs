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
    /// The handler, or [`NO_HANDLER`].
    handler: u32,
    /// `numbers[first ..]` up to the next group belong to it.
    first: u32,
}

/// What stands for the handler where events are only recorded.
const NO_HANDLER: u32 = u32::MAX;

/// What a receiver has in common with its neighbours.
#[derive(Debug, Clone, Copy)]
struct Kind {
    /// The handler, or [`NO_HANDLER`].
    handler: u32,
    delay: f64,
}

impl Kind {
    /// The kind of a receiver, and its number among those of the handler, or that of the selection.
    fn of(target: Target) -> (Kind, u32) {
        let (handler, number) = match target.action {
            Action::Handle { handler, instance } => (handler, instance),
            Action::Record { selection } => (NO_HANDLER, selection),
        };
        let delay = target.delay;
        (Kind { handler, delay }, number)
    }

    /// Whether it is another kind, bit for bit.
    fn is(self, other: Kind) -> bool {
        self.handler == other.handler && self.delay.to_bits() == other.delay.to_bits()
    }
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
        Routes::of(sources, routes.iter().copied())
    }

    /// The same from an iterator, which is gone through twice.
    ///
    /// # Panics
    ///
    /// If there is another source among them.
    pub fn of(sources: u32, routes: impl Iterator<Item = (u32, Target)> + Clone) -> Routes {
        let mut places = vec![0_u32; sources as usize];
        for (source, _) in routes.clone() {
            places[source as usize] += 1;
        }
        let mut all = 0;
        for place in &mut places {
            let count = std::mem::replace(place, all);
            all += count;
        }
        // From here on the place of a source is that of its next receiver, and in the end that of the next source.
        let mut numbers = vec![0_u32; all as usize];
        let mut kind_of = vec![0_u32; all as usize];
        let mut kinds: Vec<Kind> = Vec::new();
        for (source, target) in routes {
            let (kind, number) = Kind::of(target);
            if !kinds.last().is_some_and(|last| last.is(kind)) {
                kinds.push(kind);
            }
            let place = &mut places[source as usize];
            numbers[*place as usize] = number;
            kind_of[*place as usize] = narrow(kinds.len() - 1);
            *place += 1;
        }
        let mut made = Routes {
            offsets: Vec::with_capacity(places.len() + 1),
            groups: Vec::new(),
            numbers,
        };
        let mut first = 0;
        for end in places {
            let first_group = made.groups.len();
            made.offsets.push(narrow(first_group));
            for place in first..end {
                made.push(first_group, kinds[kind_of[place as usize] as usize], place);
            }
            first = end;
        }
        made.offsets.push(narrow(made.groups.len()));
        made
    }

    /// Adds the receiver at a place to the last source, of which `first_group` is the first group.
    fn push(&mut self, first_group: usize, Kind { handler, delay }: Kind, place: u32) {
        let last = (self.groups.get(first_group..)).and_then(|own| own.last());
        if !last.is_some_and(|last| last.handler == handler && last.delay == delay) {
            self.groups.push(Group {
                delay,
                handler,
                first: place,
            });
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
            (Some(first), Some(last)) => *first as usize..*last as usize,
            _ => 0..0,
        };
        groups.filter_map(|number| {
            let group = self.groups.get(number)?;
            let next = self.groups.get(number + 1);
            let last = next.map_or(self.numbers.len(), |next| next.first as usize);
            Some(Receivers {
                delay: group.delay,
                handler: Some(group.handler).filter(|handler| *handler != NO_HANDLER),
                numbers: self.numbers.get(group.first as usize..last)?,
            })
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
