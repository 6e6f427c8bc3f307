//! Lints: what is legal in a run, but probably a mistake. Each lint has a file.

mod cells;
mod columns;
mod steps;

use crate::{Experiment, Network, NetworkError, Run};

impl<'d> Network<'_, 'd> {
    /// What the lints say about a run of this network.
    pub fn doubts(&self, experiment: &Experiment<'d>, run: &Run) -> Vec<NetworkError> {
        // All lints, in the order of their warnings.
        [
            columns::useless(self, experiment),
            steps::coarse(self, run.step),
            cells::doubtful(self),
        ]
        .concat()
    }
}
