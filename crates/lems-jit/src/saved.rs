//! What some instances of a kernel held before their step.

use std::ops::Range;

use lems_kernel::Stored;

use crate::exposed::{Exposed, Listed};

/// Copies of parts of columns: of all instances, or of listed ones.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    columns: Vec<Copies>,
    listed: ListedCopies,
}

/// Copies of parts of one column.
#[derive(Debug, Default)]
struct Copies {
    /// Slots, and where their copies begin; those that follow one another are one part.
    parts: Vec<(Range<usize>, usize)>,
    values: Vec<f64>,
}

/// Copies of what listed instances have in all columns.
#[derive(Debug, Default)]
struct ListedCopies {
    /// Numbers of instances, and where their copies begin.
    parts: Vec<(Range<u32>, usize)>,
    values: Vec<f64>,
}

impl Saved {
    /// Forgets all copies.
    pub(crate) fn clear(&mut self) {
        for copies in &mut self.columns {
            copies.parts.clear();
            copies.values.clear();
        }
        self.listed.parts.clear();
        self.listed.values.clear();
    }

    /// Copies what those of some instances that are exposed have in the columns, always the same
    /// ones until all is forgotten, from `memory`, which is asked for no other slots.
    pub(crate) fn save<'m>(
        &mut self,
        exposed: &Exposed,
        columns: &[Stored],
        links: &[u32],
        instances: Range<u32>,
        memory: impl Fn(Range<usize>) -> Option<&'m [f64]>,
    ) {
        match exposed {
            Exposed::Some(listed) => self.listed.add(listed, instances, memory),
            Exposed::All { .. } => {
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
        }
    }

    /// Brings the columns of an instance back to where they were, as far as they were saved, by
    /// `store`, which gets slots and values; says how many there were.
    pub(crate) fn restore(
        &self,
        exposed: &Exposed,
        columns: &[Stored],
        links: &[u32],
        instance: u32,
        mut store: impl FnMut(usize, f64),
    ) -> usize {
        let mut restored = 0;
        let mut restore = |slot: usize, value: &f64| {
            store(slot, *value);
            restored += 1;
        };
        match exposed {
            Exposed::Some(listed) => {
                let number = listed.within(instance..instance + 1);
                let before = self.listed.find(listed, &number).unwrap_or_default();
                for (slot, value) in listed.slots(number).iter().zip(before) {
                    restore(*slot as usize, value);
                }
            }
            Exposed::All { .. } => {
                for (column, copies) in columns.iter().zip(&self.columns) {
                    column.ranges(links, instance..instance + 1, |slots| {
                        let before = copies.find(&slots).unwrap_or_default();
                        for (slot, value) in slots.zip(before) {
                            restore(slot, value);
                        }
                    });
                }
            }
        }
        restored
    }
}

impl ListedCopies {
    fn add<'m>(
        &mut self,
        listed: &Listed,
        instances: Range<u32>,
        memory: impl Fn(Range<usize>) -> Option<&'m [f64]>,
    ) {
        let numbers = listed.within(instances);
        if numbers.is_empty() {
            return;
        }
        let slots = listed.slots(numbers.clone());
        let first = self.values.len();
        self.parts.push((numbers, first));
        self.values.extend(slots.iter().map(|slot| {
            let slot = *slot as usize;
            match memory(slot..slot + 1) {
                Some([value]) => *value,
                _ => f64::NAN,
            }
        }));
    }

    fn find(&self, listed: &Listed, number: &Range<u32>) -> Option<&[f64]> {
        let (part, copy) = (self.parts.iter())
            .find(|(part, _)| part.start <= number.start && number.end <= part.end)?;
        let skipped = listed.places(part.start..number.start).len();
        let first = copy + skipped;
        (self.values).get(first..first + listed.places(number.clone()).len())
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
    use lems_kernel::{Extent, Independence};

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
        let some = |listed: [bool; 4]| {
            let independence = Independence {
                stored: columns.to_vec(),
                owners: Vec::new(),
            };
            Exposed::Some(Listed::new(&links, &independence, &listed, Vec::new()))
        };
        let before: Vec<f64> = (0..20).map(f64::from).collect();
        for exposed in [
            Exposed::All { passed_on: false },
            some([true; 4]),
            some([false, false, true, true]),
        ] {
            let mut saved = Saved::default();
            for instances in [0..1, 1..3] {
                saved.save(&exposed, &columns, &links, instances, |slots| {
                    before.get(slots)
                });
            }
            let mut memory = [-1.0; 20];
            let mut restored = |instance| {
                saved.restore(&exposed, &columns, &links, instance, |slot, value| {
                    memory[slot] = value;
                })
            };
            assert_eq!(restored(2), 4);
            assert_eq!(restored(3), 0);
            let restored: Vec<usize> = (0..20).filter(|slot| memory[*slot] != -1.0).collect();
            assert_eq!(restored, [2, 12, 13, 14]);
            assert!(restored.iter().all(|slot| memory[*slot] == before[*slot]));
        }
    }
}
