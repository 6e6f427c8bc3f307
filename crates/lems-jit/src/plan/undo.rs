//! Whether a block function can copy what it overwrites, so that a step can be rolled back.

use std::collections::HashSet;

use lems_ir::{Statement, statements};
use lems_optimise::{Extent, Part, Stored};

/// The first slots of the columns that the parts of a kernel store.
pub(crate) fn stored_columns(parts: &[Part]) -> HashSet<u32> {
    let stored = statements(parts.iter().filter_map(Part::code))
        .filter_map(|statement| statement.effects().stores);
    stored.filter_map(|place| place.column()).collect()
}

/// Whether code can copy each column before it stores something there.
///
/// There are two conditions. Loops over attached instances must run in every step, because the copies
/// are made in their bodies. And the slots that belong to some instances must lie in the range of
/// slots that belongs to a larger group of instances, because the undo log reserves room by range.
pub(crate) fn can_copy(parts: &[Part], columns: &[Stored], links: &[u32], population: u32) -> bool {
    let is_loop = |statement: &Statement| {
        matches!(
            statement,
            Statement::ForAttached { .. } | Statement::ForRuns { .. }
        )
    };
    let may_skip_a_loop = |statement: &Statement| {
        matches!(statement, Statement::If { .. }) && statements(statement.nested()).any(is_loop)
    };
    let mut code = parts.iter().filter_map(Part::code);
    let loops_run = !code.any(|body| body.iter().any(may_skip_a_loop));
    let ascends = |column: &Stored| match column.extent {
        Extent::Own | Extent::Runs { .. } => true,
        Extent::Attached { offsets } => {
            let first = offsets as usize;
            let offsets = links.get(first..=first + population as usize);
            offsets.is_some_and(<[u32]>::is_sorted)
        }
    };
    loops_run && columns.iter().all(ascends)
}
