//! What some instances of a kernel held before their step.

use std::ops::Range;

use lems_optimise::Stored;

/// Copies of the parts of columns that belong to some instances, which block functions make before
/// they store anything there.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// The instances that there is room for.
    instances: Range<u32>,
    columns: Vec<Copies>,
}

/// Copies of a range of slots of one column.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    /// Number of the first one's instance, which is its distance from the first slot of the column.
    pub(crate) first: usize,
    pub(crate) values: Vec<f64>,
}

impl Saved {
    /// Forgets all copies, and makes room for those of what some instances store in columns.
    pub(crate) fn make_room(&mut self, columns: &[Stored], links: &[u32], instances: Range<u32>) {
        self.instances = instances.clone();
        self.columns.resize_with(columns.len(), Copies::default);
        for (column, copies) in columns.iter().zip(&mut self.columns) {
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

    /// Brings the columns of an instance back to where they were, by `store`, which gets slots and
    /// values; says how many there were.
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
    fn an_instance_gets_back_its_own_and_what_is_attached_to_it() {
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
        let mut saved = Saved::default();
        let restored = |saved: &Saved, instance| {
            let mut slots = Vec::new();
            let count = saved.restore(&columns, &links, instance, |slot, value| {
                assert_eq!(value, slot as f64);
                slots.push(slot);
            });
            assert_eq!(count, slots.len());
            slots
        };
        for instances in [1..3, 0..4] {
            saved.make_room(&columns, &links, instances.clone());
            for (column, copies) in columns.iter().zip(saved.room_for(&instances).unwrap()) {
                let slots = column.base as usize + copies.first..;
                for (slot, value) in slots.zip(&mut copies.values) {
                    *value = slot as f64;
                }
            }
            assert!(saved.room_for(&(1..5)).is_none());
            assert_eq!(restored(&saved, 2), [2, 12, 13, 14, 33, 34]);
            assert_eq!(restored(&saved, 1), [1]);
            let all = instances.contains(&0);
            assert_eq!(restored(&saved, 3).is_empty(), !all);
        }
        assert_eq!(restored(&saved, 0), [0, 10, 11, 30, 31, 32]);
        assert_eq!(restored(&saved, 3), [3, 15, 16]);
    }
}
