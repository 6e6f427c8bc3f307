//! What some instances of a kernel held before their step.

use std::ops::Range;

use lems_kernel::Stored;

use crate::exposed::Exposed;

/// Copies of parts of columns: of all instances, or of listed ones.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    columns: Vec<Copies>,
    /// Of all columns.
    listed: Copies,
}

/// Copies of parts of a row of values.
#[derive(Debug, Default)]
struct Copies {
    /// Places in the row, and where their copies begin; those that follow one another are one part.
    parts: Vec<(Range<usize>, usize)>,
    values: Vec<f64>,
}

impl Saved {
    /// Forgets all copies.
    pub(crate) fn clear(&mut self) {
        for copies in self.columns.iter_mut().chain([&mut self.listed]) {
            copies.parts.clear();
            copies.values.clear();
        }
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
            Exposed::Some(listed) => {
                let places = listed.places(instances);
                let slots = listed.slots(places.clone()).iter();
                let values = slots.map(|slot| match memory(*slot as usize..*slot as usize + 1) {
                    Some([value]) => *value,
                    _ => f64::NAN,
                });
                self.listed.begin(places).extend(values);
            }
            Exposed::All { .. } => {
                if self.columns.len() < columns.len() {
                    self.columns.resize_with(columns.len(), Copies::default);
                }
                for (column, copies) in columns.iter().zip(&mut self.columns) {
                    column.ranges(links, instances.clone(), |slots| {
                        if let Some(values) = memory(slots.clone())
                            && !values.is_empty()
                        {
                            copies.begin(slots).extend_from_slice(values);
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
                let places = listed.places(instance..instance + 1);
                let before = self.listed.find(&places).unwrap_or_default();
                for (slot, value) in listed.slots(places).iter().zip(before) {
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

impl Copies {
    /// Where the copies of what is at these places go, one for each.
    fn begin(&mut self, places: Range<usize>) -> &mut Vec<f64> {
        match self.parts.last_mut() {
            Some((part, _)) if part.end == places.start => part.end = places.end,
            _ => self.parts.push((places, self.values.len())),
        }
        &mut self.values
    }

    fn find(&self, places: &Range<usize>) -> Option<&[f64]> {
        // Few are looked for, so it would not pay to sort them.
        let (part, copy) = (self.parts.iter())
            .find(|(part, _)| part.start <= places.start && places.end <= part.end)?;
        let first = copy + (places.start - part.start);
        self.values.get(first..first + places.len())
    }
}

#[cfg(test)]
mod tests {
    use lems_kernel::{Extent, Independence};

    use super::*;
    use crate::exposed::Listed;

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
