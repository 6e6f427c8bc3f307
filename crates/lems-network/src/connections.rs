//! Event connections, with what neighbours have in common kept once.

use indexmap::IndexSet;
use lems_index::narrow;

use crate::InstanceId;

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
    /// The sender and the receiver of each.
    ends: Vec<[InstanceId; 2]>,
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
            run.delay.to_bits() == route.delay.to_bits() && self.ports[run.ports as usize] == pair
        });
        if !is_like_last {
            let (ports, _) = self.ports.insert_full(pair);
            self.runs.push(Run {
                first: narrow(self.ends.len()),
                ports: narrow(ports),
                delay: route.delay,
            });
        }
        self.ends.push([route.source, route.target]);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Route<'d>> + Clone {
        let ends = self.runs.iter().skip(1).map(|run| run.first as usize);
        let ends = ends.chain([self.ends.len()]);
        self.runs.iter().zip(ends).flat_map(|(run, end)| {
            let [source_port, target_port] = self.ports[run.ports as usize];
            let of_run = self.ends[run.first as usize..end].iter();
            of_run.map(move |[source, target]| Route {
                source: *source,
                source_port,
                target: *target,
                target_port,
                delay: run.delay,
            })
        })
    }
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
        ];
        let mut connections = Connections::default();
        assert!(connections.is_empty());
        assert_eq!(connections.iter().count(), 0);
        for route in &made {
            connections.push(route);
        }
        assert_eq!(connections.len(), 5);
        assert!(connections.iter().eq(made));
        assert_eq!(connections.ports.len(), 2);
        assert_eq!(connections.runs.len(), 4);
    }
}
