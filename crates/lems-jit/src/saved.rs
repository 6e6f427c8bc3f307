//! What some instances of a kernel held before their step.

use std::ops::Range;

use lems_kernel::Stored;

/// Copies of parts of columns.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    /// Slots, and where their copies begin.
    parts: Vec<(Range<usize>, usize)>,
    values: Vec<f64>,
}

impl Saved {
    /// Forgets all copies.
    pub(crate) fn clear(&mut self) {
        self.parts.clear();
        self.values.clear();
    }

    /// Copies what instances have in the columns, from `memory`, which is asked for no other
    /// slots.
    pub(crate) fn save<'m>(
        &mut self,
        columns: &[Stored],
        links: &[u32],
        instances: Range<u32>,
        memory: impl Fn(Range<usize>) -> Option<&'m [f64]>,
    ) {
        for column in columns {
            column.ranges(links, instances.clone(), |slots| {
                if let Some(values) = memory(slots.clone())
                    && !values.is_empty()
                {
                    self.parts.push((slots, self.values.len()));
                    self.values.extend_from_slice(values);
                }
            });
        }
    }

    /// Makes what was saved ready to be found again.
    pub(crate) fn index(&mut self) {
        self.parts.sort_unstable_by_key(|(slots, _)| slots.start);
    }

    /// Brings the columns of an instance, if it was saved, back to where they were; needs an
    /// [`index`](Self::index).
    pub(crate) fn restore(
        &self,
        columns: &[Stored],
        links: &[u32],
        instance: u32,
        memory: &mut [f64],
    ) {
        for column in columns {
            column.ranges(links, instance..instance + 1, |slots| {
                let after = self
                    .parts
                    .partition_point(|(part, _)| part.start <= slots.start);
                let Some((part, copy)) = after.checked_sub(1).and_then(|at| self.parts.get(at))
                else {
                    return;
                };
                if !part.contains(&slots.start) {
                    return;
                }
                let first = copy + (slots.start - part.start);
                let before = self.values.get(first..first + slots.len());
                if let (Some(now), Some(before)) = (memory.get_mut(slots.clone()), before) {
                    now.copy_from_slice(before);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use lems_kernel::Extent;

    use super::*;

    #[test]
    fn an_instance_gets_back_its_own_and_what_is_attached_to_it() {
        let links = [0, 2, 2, 5];
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
        saved.index();
        let mut memory = vec![-1.0; 20];
        saved.restore(&columns, &links, 2, &mut memory);
        let restored: Vec<usize> = (0..20).filter(|slot| memory[*slot] != -1.0).collect();
        assert_eq!(restored, [2, 12, 13, 14]);
        assert!(restored.iter().all(|slot| memory[*slot] == before[*slot]));
    }
}
