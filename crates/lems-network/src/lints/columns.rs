//! Columns of data files that never change, or are there twice.

use rustc_hash::FxHashSet;

use crate::{Experiment, Network, NetworkError, Variable, rounded};

/// Warns of each such column.
pub(super) fn useless<'d>(
    network: &Network<'_, 'd>,
    experiment: &Experiment<'d>,
) -> Vec<NetworkError> {
    let mut found = Vec::new();
    // Displays, whose names no file can have, may well show thresholds.
    let files = experiment.data_files.iter();
    for file in files.filter(|file| !file.path.starts_with('\0')) {
        let mut seen = FxHashSet::default();
        for recording in &file.columns {
            let Ok(column) = network.column(recording) else {
                continue;
            };
            let (quantity, span) = (recording.quantity.value(), recording.quantity.span());
            let quantity = quantity.to_owned();
            match column.value.variable {
                Variable::Fixed(value) => found.push(NetworkError::ConstantColumn {
                    quantity,
                    value: rounded(value),
                    span,
                }),
                Variable::Exposed(name) | Variable::Live(name) => {
                    if !seen.insert((column.value.instance, name)) {
                        found.push(NetworkError::ColumnTwice { quantity, span });
                    }
                }
            }
        }
    }
    found
}
