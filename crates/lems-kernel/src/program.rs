//! A whole model as kernels, tables and a schedule.

use crate::{Kernel, Scheme};

/// Kernels of a model and the tables that they use; nothing in it changes while a model runs.
#[derive(Debug, Clone, Default)]
pub struct Program {
    /// Step kernels, one per shape.
    pub kernels: Vec<Kernel>,
    /// Set-up kernels: initial passes, run by the interpreter on both back ends.
    pub setups: Vec<Kernel>,
    /// Handler kernels: one per shape and port that receives events.
    pub handlers: Vec<Kernel>,
    /// The order in which a step visits the instances.
    pub schedule: Vec<Call>,
    /// The order in which the initial passes visit them.
    pub setup: Vec<Setup>,
    /// Index and offset tables of the kernels.
    pub links: Vec<u32>,
    /// Kinetic schemes.
    pub schemes: Vec<Scheme>,
    /// Who receives the events of each source.
    pub routes: Routes,
    /// Initial content of the memory.
    pub memory: Vec<f64>,
}

/// One kernel for a range of instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call {
    /// Index in [`Program::kernels`] (schedule) or [`Program::setups`] (set-up).
    pub kernel: u32,
    /// First instance.
    pub first: u32,
    /// One after the last instance.
    pub last: u32,
}

/// A part of the initial passes.
#[derive(Debug, Clone, PartialEq)]
pub enum Setup {
    /// A kernel over a range of instances.
    Call(Call),
    /// All parts in order, and once more if that changed anything.
    Twice(Vec<Setup>),
}

/// Receivers of the events of each source, in the order in which they are told.
#[derive(Debug, Clone, Default)]
pub struct Routes {
    /// `targets[offsets[s] .. offsets[s + 1]]` belong to source `s`.
    pub offsets: Vec<u32>,
    /// All targets.
    pub targets: Vec<Target>,
}

/// One receiver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// What happens there.
    pub action: Action,
    /// Seconds after the event; zero or less is at once.
    pub delay: f64,
}

/// What an event does at a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Runs a handler kernel for one instance.
    Handle {
        /// Index in [`Program::handlers`].
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

impl Program {
    /// One more than the largest instance that the schedule runs a step kernel for; zero if it
    /// does not run it.
    pub fn population(&self, kernel: u32) -> u32 {
        let calls = self.schedule.iter().filter(|call| call.kernel == kernel);
        calls.map(|call| call.last).max().unwrap_or(0)
    }
}

impl Routes {
    /// Routes from sources below `sources` to targets, in any order; those of one source stay in
    /// theirs.
    pub(crate) fn sorted(sources: u32, routes: &[(u32, Target)]) -> Routes {
        let mut offsets = vec![0_u32; sources as usize + 1];
        for (source, _) in routes {
            offsets[*source as usize] += 1;
        }
        let mut end = 0;
        for offset in &mut offsets {
            end += *offset;
            *offset = end;
        }
        let Some((_, target)) = routes.first() else {
            return Routes {
                offsets,
                targets: Vec::new(),
            };
        };
        let mut targets = vec![*target; routes.len()];
        for (source, target) in routes.iter().rev() {
            let place = &mut offsets[*source as usize];
            *place -= 1;
            targets[*place as usize] = *target;
        }
        Routes { offsets, targets }
    }

    /// Targets of a source; none for an unknown one.
    pub fn targets(&self, source: u32) -> &[Target] {
        let source = source as usize;
        match (self.offsets.get(source), self.offsets.get(source + 1)) {
            (Some(&first), Some(&last)) => self
                .targets
                .get(first as usize..last as usize)
                .unwrap_or_default(),
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Routes, Target};

    #[test]
    fn targets_of_a_source_keep_their_order() {
        let target = |selection| Target {
            action: Action::Record { selection },
            delay: 0.0,
        };
        let made = [
            (2, target(0)),
            (0, target(1)),
            (2, target(2)),
            (0, target(3)),
        ];
        let routes = Routes::sorted(3, &made);
        assert_eq!(routes.targets(0), [target(1), target(3)]);
        assert_eq!(routes.targets(1), []);
        assert_eq!(routes.targets(2), [target(0), target(2)]);
        assert_eq!(Routes::sorted(2, &[]).offsets, [0, 0, 0]);
    }
}
