//! What some instances of a kernel held before their step.

use std::ops::Range;

use lems_kernel::Stored;

/// Copies of parts of columns.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    columns: Vec<Copies>,
}

/// Copies of parts of one column.
#[derive(Debug, Default)]
struct Copies {
    /// Slots, and where their copies begin; those that follow one another are one part.
    parts: Vec<(Range<usize>, usize)>,
    values: Vec<f64>,
}

impl Saved {
    /// Forgets all copies.
    pub(crate) fn clear(&mut self) {
        for copies in &mut self.columns {
            copies.parts.clear();
            copies.values.clear();
        }
    }

    /// Copies what instances have in the columns, always the same ones until all is forgotten,
    /// from `memory`, which is asked for no other slots.
    pub(crate) fn save<'m>(
        &mut self,
        columns: &[Stored],
        links: &[u32],
        instances: Range<u32>,
        memory: impl Fn(Range<usize>) -> Option<&'m [f64]>,
    ) {
        if self.columns.len() < columns.len() {
            self.columns.resize_with(columns.len(), Copies::default);
        }
        for (column, copies) in columns.iter().zip(&mut self.columns) {
            column.ranges(links, instances.clone(), |slots| {
                if let Some(values) = memory(slots.clone())
                    && !values.is_empty()
                {
                    copies.add(slots, values);
                }
            });
        }
    }

    /// Brings the columns of an instance back to where they were, as far as they were saved, and
    /// says how many slots were.
    pub(crate) fn restore(
        &self,
        columns: &[Stored],
        links: &[u32],
        instance: u32,
        memory: &mut [f64],
    ) -> usize {
        let mut restored = 0;
        for (column, copies) in columns.iter().zip(&self.columns) {
            column.ranges(links, instance..instance + 1, |slots| {
                if let (Some(before), Some(now)) =
                    (copies.find(&slots), memory.get_mut(slots.clone()))
                {
                    now.copy_from_slice(before);
                    restored += slots.len();
                }
            });
        }
        restored
    }
}

impl Copies {
    fn add(&mut self, slots: Range<usize>, values: &[f64]) {
        match self.parts.last_mut() {
            Some((part, _)) if part.end == slots.start => part.end = slots.end,
            _ => self.parts.push((slots, self.values.len())),
        }
        self.values.extend_from_slice(values);
    }

    fn find(&self, slots: &Range<usize>) -> Option<&[f64]> {
        // Few are looked for, so it would not pay to sort them.
        let (part, copy) = (self.parts.iter())
            .find(|(part, _)| part.start <= slots.start && slots.end <= part.end)?;
        let first = copy + (slots.start - part.start);
        self.values.get(first..first + slots.len())
    }
}

#[cfg(test)]
mod tests {
    use lems_kernel::Extent;

    use super::*;

    #[test]
    fn an_instance_gets_back_its_own_and_what_is_attached_to_it() {
        let links = [0, 2, 2, 5, 7];
        let columns = [
            Stored {
                base: 0,
                extent: Extent::Own,
            },
            Stored {
                base: 10,
                extent: Extent::Attached { offsets: 0 },
            },
        ];
        let before: Vec<f64> = (0..20).map(f64::from).collect();
        let mut saved = Saved::default();
        saved.save(&columns, &links, 0..3, |slots| before.get(slots));
        let mut memory = vec![-1.0; 20];
        assert_eq!(saved.restore(&columns, &links, 2, &mut memory), 4);
        assert_eq!(saved.restore(&columns, &links, 3, &mut memory), 0);
        let restored: Vec<usize> = (0..20).filter(|slot| memory[*slot] != -1.0).collect();
        assert_eq!(restored, [2, 12, 13, 14]);
        assert!(restored.iter().all(|slot| memory[*slot] == before[*slot]));
    }
}
