//! The undo log: what some instances of a kernel held before their step.

use std::ops::Range;
use std::sync::atomic::AtomicPtr;

use lems_optimise::Stored;

use crate::codegen::abi::Emission;

/// The step of some instances, as long as it may be rolled back: everything needed to commit it, or to
/// return the instances to their state before the step.
#[derive(Default)]
pub(crate) struct Speculation {
    /// What the instances held before, if an event can roll them back.
    pub(crate) undo: UndoLog,
    /// Where the copies of each column go, while a block is computed.
    pub(crate) copies: Vec<AtomicPtr<f64>>,
    /// The events that the instances sent.
    pub(crate) log: Vec<Emission>,
}

/// Copies of the parts of columns that belong to some instances. Block functions make them before they
/// store anything there.
#[derive(Debug, Default)]
pub(crate) struct UndoLog {
    /// The instances for which there is room.
    instances: Range<u32>,
    columns: Vec<Copies>,
}

/// Copies of a range of slots of one column.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Number of the instance in the first slot of the range, which is the distance of that slot from the
    /// first slot of the column.
    pub(crate) first: usize,
    pub(crate) values: Vec<f64>,
}

impl UndoLog {
    /// Drops all copies, and reserves room for those of the columns of some instances.
    pub(crate) fn reserve(&mut self, columns: &[Stored], links: &[u32], instances: Range<u32>) {
        self.instances = instances.clone();
        self.columns.resize_with(columns.len(), Copies::default);
        for (column, copies) in columns.iter().zip(&mut self.columns) {
            // The smallest range with all slots of the column that belong to the instances.
            let mut span: Option<Range<usize>> = None;
            column.ranges(links, instances.clone(), |slots| {
                let so_far = span.clone().unwrap_or_else(|| slots.clone());
                span = Some(so_far.start.min(slots.start)..so_far.end.max(slots.end));
            });
            let span = span.unwrap_or_default();
            copies.first = span.start.saturating_sub(column.base as usize);
            copies.values.resize(span.len(), 0.0);
        }
    }

    /// The copies of each column, if there is room for some instances.
    pub(crate) fn room_for(&mut self, instances: &Range<u32>) -> Option<&mut [Copies]> {
        let Range { start, end } = self.instances;
        let fits = start <= instances.start && instances.end <= end;
        fits.then_some(&mut self.columns)
    }

    /// Calls `store` with each slot of an instance and its value before the step; returns the number of
    /// slots.
    pub(crate) fn restore(
        &self,
        columns: &[Stored],
        links: &[u32],
        instance: u32,
        mut store: impl FnMut(usize, f64),
    ) -> usize {
        let mut restored = 0;
        for (column, copies) in columns.iter().zip(&self.columns) {
            let first = column.base as usize + copies.first;
            column.ranges(links, instance..instance + 1, |slots| {
                let places = slots.start.wrapping_sub(first)..slots.end.wrapping_sub(first);
                let before = copies.values.get(places).unwrap_or_default();
                for (slot, value) in slots.zip(before) {
                    store(slot, *value);
                    restored += 1;
                }
            });
        }
        restored
    }
}

#[cfg(test)]
mod tests {
    use lems_optimise::Extent;

    use super::*;

    #[test]
    fn an_instance_is_restored_with_what_is_attached_to_it() {
        // Offsets, offsets of runs, and runs of two arms.
        let links = [
            [0, 2, 2, 5, 7].as_slice(),
            &[0, 1, 1, 3, 3],
            &[1, 0, 3, 0, 0, 2, 1, 3, 5],
        ]
        .concat();
        let columns = [
            (0, Extent::Own),
            (10, Extent::Attached { offsets: 0 }),
            (
                30,
                Extent::Runs {
                    offsets: 5,
                    runs: 10,
                    arm: 1,
                },
            ),
        ]
        .map(|(base, extent)| Stored { base, extent });
        let mut undo = UndoLog::default();
        let restored = |undo: &UndoLog, instance| {
            let mut slots = Vec::new();
            let count = undo.restore(&columns, &links, instance, |slot, value| {
                assert_eq!(value, slot as f64);
                slots.push(slot);
            });
            assert_eq!(count, slots.len());
            slots
        };
        for instances in [1..3, 0..4] {
            undo.reserve(&columns, &links, instances.clone());
            for (column, copies) in columns.iter().zip(undo.room_for(&instances).unwrap()) {
                let slots = column.base as usize + copies.first..;
                for (slot, value) in slots.zip(&mut copies.values) {
                    *value = slot as f64;
                }
            }
            assert!(undo.room_for(&(1..5)).is_none());
            assert_eq!(restored(&undo, 2), [2, 12, 13, 14, 33, 34]);
            assert_eq!(restored(&undo, 1), [1]);
            let all = instances.contains(&0);
            assert_eq!(restored(&undo, 3).is_empty(), !all);
        }
        assert_eq!(restored(&undo, 0), [0, 10, 11, 30, 31, 32]);
        assert_eq!(restored(&undo, 3), [3, 15, 16]);
    }
}
