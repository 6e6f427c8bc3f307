//! Event connections, with what neighbours have in common kept once.

use std::ops::Range;

use indexmap::IndexSet;
use lems_index::narrow;

use crate::InstanceId;
use crate::names::equal;

/// A way for events from one instance to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Route<'d> {
    /// The sender.
    pub source: InstanceId,
    /// Its port.
    pub source_port: &'d str,
    /// The receiver.
    pub target: InstanceId,
    /// Its port.
    pub target_port: &'d str,
    /// Seconds on the way; zero or less is at once.
    pub delay: f64,
}

/// Event connections in the order in which they were made.
#[derive(Debug, Clone, Default)]
pub struct Connections<'d> {
    /// The sender of each.
    sources: Vec<InstanceId>,
    /// Where receivers do not follow one another as connections do: the number of a connection, and its receiver.
    targets: Vec<(u32, InstanceId)>,
    /// Ports that connections join, each pair once.
    ports: IndexSet<[&'d str; 2]>,
    /// Neighbours with the same ports and delay.
    runs: Vec<Run>,
}

/// Connections that follow one another, up to the next run.
#[derive(Debug, Clone, Copy)]
struct Run {
    /// The number of the first one.
    first: u32,
    /// The number of their pair of ports.
    ports: u32,
    delay: f64,
}

impl<'d> Connections<'d> {
    /// Adds a connection.
    pub(crate) fn push(&mut self, route: &Route<'d>) {
        let pair = [route.source_port, route.target_port];
        let is_like_last = self.runs.last().is_some_and(|run| {
            let ports = self.ports[run.ports as usize];
            run.delay.to_bits() == route.delay.to_bits()
                && equal(ports[0], pair[0])
                && equal(ports[1], pair[1])
        });
        let number = narrow(self.sources.len());
        if !is_like_last {
            let (ports, _) = self.ports.insert_full(pair);
            self.runs.push(Run {
                first: number,
                ports: narrow(ports),
                delay: route.delay,
            });
        }
        let next = |(first, target): &(u32, InstanceId)| target.0.checked_add(number - first);
        if self.targets.last().and_then(next) != Some(route.target.0) {
            self.targets.push((number, route.target));
        }
        self.sources.push(route.source);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.sources.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Route<'d>> + Clone {
        let all = narrow(self.sources.len());
        let targets = ranges(&self.targets, |(first, _)| *first, all);
        let targets = targets.flat_map(|((_, target), of_run)| {
            let from_first = 0..of_run.end - of_run.start;
            from_first.map(|number| InstanceId(target.0 + number))
        });
        let runs = ranges(&self.runs, |run| run.first, all);
        let alike = runs.flat_map(|(run, of_run)| of_run.map(move |_| run));
        let ends = self.sources.iter().zip(targets);
        ends.zip(alike).map(|((source, target), run)| {
            let [source_port, target_port] = self.ports[run.ports as usize];
            Route {
                source: *source,
                source_port,
                target,
                target_port,
                delay: run.delay,
            }
        })
    }
}

/// Each of the runs of connections with the numbers of its connections, up to a number.
fn ranges<T>(
    runs: &[T],
    first: impl Fn(&T) -> u32 + Clone,
    all: u32,
) -> impl Iterator<Item = (&T, Range<u32>)> + Clone {
    let ends = runs.iter().skip(1).map(first.clone()).chain([all]);
    (runs.iter().zip(ends)).map(move |(run, end)| (run, first(run)..end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_given_back_as_they_were_made() {
        let route = |source, target, target_port, delay| Route {
            source: InstanceId(source),
            source_port: "out",
            target: InstanceId(target),
            target_port,
            delay,
        };
        let made = [
            route(1, 2, "in", 0.0),
            route(2, 1, "in", 0.0),
            route(2, 3, "in", 1.0),
            route(2, 3, "other", 1.0),
            route(5, 2, "in", 0.0),
            route(5, 3, "in", 0.0),
            route(4, 4, "in", 2.0),
        ];
        let mut connections = Connections::default();
        assert!(connections.is_empty());
        assert_eq!(connections.iter().count(), 0);
        for route in &made {
            connections.push(route);
        }
        assert_eq!(connections.len(), 7);
        assert!(connections.iter().eq(made));
        assert_eq!(connections.ports.len(), 2);
        assert_eq!(connections.runs.len(), 5);
        assert_eq!(connections.targets.len(), 5);
    }
}
