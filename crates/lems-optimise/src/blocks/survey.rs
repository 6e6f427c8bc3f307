//! Which variables a kernel or handler touches, and whose they are.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use lems_index::narrow;
use lems_ir::{Block, Level, Operation, Place, Program, Statement};

use crate::obstacle::Obstacle;

/// A column that a kernel stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stored {
    /// First slot.
    pub base: u32,
    /// The part of the column that belongs to an instance of the kernel.
    pub extent: Extent,
}

/// The part of a column that belongs to an instance of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Extent {
    /// One value.
    Own,
    /// The values of the instances attached to it, as for `ForAttached`.
    Attached {
        /// First entry of the offset table.
        offsets: u32,
    },
    /// The values of the instances attached to it in runs of an arm, as for `ForRuns`.
    Runs {
        /// First entry of the offset table.
        offsets: u32,
        /// First triple.
        runs: u32,
        /// The arm.
        arm: u32,
    },
}

impl Stored {
    /// The slots that belong to a range of instances of the kernel.
    pub fn ranges(&self, links: &[u32], members: Range<u32>, mut each: impl FnMut(Range<usize>)) {
        let base = self.base as usize;
        self.extent.ranges(links, members, |range| {
            each(base + range.start as usize..base + range.end as usize);
        });
    }
}

impl Extent {
    /// The instances, as ranges, that belong to a range of instances of the kernel.
    fn ranges(self, links: &[u32], members: Range<u32>, mut each: impl FnMut(Range<u32>)) {
        let entry = |table: u32, number: u32| {
            let entry = links.get(table as usize + number as usize);
            entry.copied().unwrap_or(0)
        };
        match self {
            Extent::Own => each(members),
            Extent::Attached { offsets } => {
                each(entry(offsets, members.start)..entry(offsets, members.end));
            }
            Extent::Runs { offsets, runs, arm } => {
                for run in entry(offsets, members.start)..entry(offsets, members.end) {
                    if entry(runs, 3 * run) == arm {
                        each(entry(runs, 3 * run + 1)..entry(runs, 3 * run + 2));
                    }
                }
            }
        }
    }
}

/// No instance of a kernel.
pub(super) const NOBODY: u32 = u32::MAX;

/// What a kernel or handler touches.
#[derive(Default)]
pub(super) struct Survey {
    /// For the first slot of each column: which instances the column belongs to, and whether it is stored.
    pub(super) columns: BTreeMap<u32, (Extent, bool)>,
    /// Variables of other instances that it loads, and the instances that it loads them for.
    pub(super) elsewhere: Vec<(Place, Extent)>,
    /// Tables of the variables of other instances that it stores.
    pub(super) stored_elsewhere: Vec<u32>,
    /// First sources of the events that it sends for its own instances.
    pub(super) ports: Vec<u32>,
    /// A statement whose effect depends on the order of the instances.
    pub(super) keeps_order: Option<Obstacle>,
}

impl Survey {
    /// What a block touches for the instances of a kernel.
    ///
    /// # Errors
    ///
    /// If it goes beyond its instances and what is attached to them.
    pub(super) fn of(block: &Block) -> Result<Survey, Obstacle> {
        let mut survey = Survey::default();
        survey.block(block, &[Extent::Own])?;
        Ok(survey)
    }

    /// Adds what a block touches; `extents` are those of the levels around it.
    fn block(&mut self, block: &Block, extents: &[Extent]) -> Result<(), Obstacle> {
        let extent = |level: Level| {
            let extent = extents.get(usize::from(level.0)).copied();
            extent.ok_or(Obstacle::Level(level.0))
        };
        for statement in block {
            match statement {
                // Loads: of the instance, or of others.
                Statement::Let(_, Operation::Load(place)) => match *place {
                    Place::Column { base, level } => self.column(base, extent(level)?, false)?,
                    Place::Slot(_) => self.elsewhere.push((*place, Extent::Own)),
                    Place::Linked { level, .. } => self.elsewhere.push((*place, extent(level)?)),
                },
                Statement::Let(_, Operation::Random(_)) => {
                    self.keeps_order = Some(Obstacle::Draws);
                }
                // Stores: for others only through tables of the instance itself.
                Statement::Store(place, _) => match *place {
                    Place::Column { base, level } => self.column(base, extent(level)?, true)?,
                    Place::Linked {
                        table,
                        level: Level(0),
                    } => self.stored_elsewhere.push(table),
                    Place::Linked { table, .. } => return Err(Obstacle::StoresLinked(table)),
                    Place::Slot(slot) => return Err(Obstacle::StoresSlot(slot)),
                },
                Statement::Emit { port, level } if level.0 == 0 => self.ports.push(*port),
                Statement::Emit { .. } => self.keeps_order = Some(Obstacle::AttachedEvents),
                // Loops over what is attached to the instance.
                Statement::ForAttached { offsets, body, .. } => {
                    let extent = Extent::Attached { offsets: *offsets };
                    self.attached(body, extents, extent)?;
                }
                Statement::ForRuns {
                    offsets,
                    runs,
                    arms,
                    ..
                } => {
                    for (arm, body) in arms.iter().enumerate() {
                        let extent = Extent::Runs {
                            offsets: *offsets,
                            runs: *runs,
                            arm: narrow(arm),
                        };
                        self.attached(body, extents, extent)?;
                    }
                }
                Statement::If { .. } | Statement::Let(..) | Statement::Propagate { .. } => {
                    for inner in statement.nested() {
                        self.block(inner, extents)?;
                    }
                }
                Statement::Twice(_) => return Err(Obstacle::Repeats),
            }
        }
        Ok(())
    }

    /// Adds what the body of a loop over attached instances touches.
    fn attached(
        &mut self,
        body: &Block,
        extents: &[Extent],
        extent: Extent,
    ) -> Result<(), Obstacle> {
        match extents {
            [own] => self.block(body, &[*own, extent]),
            _ => Err(Obstacle::NestedLoops),
        }
    }

    fn column(&mut self, base: u32, extent: Extent, stored: bool) -> Result<(), Obstacle> {
        let known = self.columns.entry(base).or_insert((extent, false));
        known.1 |= stored;
        if known.0 == extent {
            Ok(())
        } else {
            Err(Obstacle::TwoLevels(base))
        }
    }

    /// The instances that its columns belong to, without repetitions.
    pub(super) fn extents(&self) -> BTreeSet<Extent> {
        self.columns.values().map(|(extent, _)| *extent).collect()
    }

    /// The instances that one of its columns belongs to.
    pub(super) fn extent(&self, base: u32) -> Option<Extent> {
        self.columns.get(&base).map(|(extent, _)| *extent)
    }

    /// The columns that it stores.
    pub(super) fn stored(&self) -> impl Iterator<Item = Stored> {
        let stored = self.columns.iter().filter(|(_, (_, stored))| *stored);
        stored.map(|(base, (extent, _))| Stored {
            base: *base,
            extent: *extent,
        })
    }

    /// The instances below `population`, each with the slots of other instances that it stores.
    pub(super) fn slots_stored_elsewhere(
        &self,
        program: &Program,
        population: u32,
    ) -> impl Iterator<Item = (usize, u32)> {
        self.stored_elsewhere.iter().flat_map(move |table| {
            let level = Level(0);
            let table = *table;
            each_slot(program, Place::Linked { table, level }, population as usize)
        })
    }
}

/// Checks that no two columns, given by first slot and size, share a part but not the first slot.
///
/// # Errors
///
/// If two do.
pub(super) fn no_overlap(mut columns: Vec<(u32, usize)>) -> Result<(), Obstacle> {
    columns.sort_unstable();
    let mut end = 0;
    let mut last = None;
    for (base, size) in columns {
        if let Some(first) = last
            && (base as usize) < end
            && first != base
        {
            return Err(Obstacle::Overlap {
                first,
                second: base,
            });
        }
        end = end.max(base as usize + size);
        last = Some(base);
    }
    Ok(())
}

/// The instances of a kernel that the slots of its columns belong to.
pub(super) struct Slots<'p> {
    links: &'p [u32],
    population: u32,
    /// Stored columns, by first slot: the instance to which each slot belongs.
    stored: BTreeMap<u32, Vec<u32>>,
}

impl<'p> Slots<'p> {
    pub(super) fn new(program: &'p Program, survey: &Survey, population: u32) -> Self {
        let mut slots = Slots {
            links: &program.links,
            population,
            stored: BTreeMap::new(),
        };
        let stored = survey
            .stored()
            .map(|Stored { base, extent }| (base, slots.owners(extent)));
        slots.stored = stored.collect();
        slots
    }

    /// The instance of the kernel to which each instance of an extent belongs.
    pub(super) fn owners(&self, extent: Extent) -> Vec<u32> {
        let mut owners = Vec::new();
        for member in 0..self.population {
            extent.ranges(self.links, member..member + 1, |range| {
                let (first, last) = (range.start as usize, range.end as usize);
                if owners.len() < last {
                    owners.resize(last, NOBODY);
                }
                if let Some(range) = owners.get_mut(first..last) {
                    range.fill(member);
                }
            });
        }
        owners
    }

    /// Checks that each instance of the extents belongs to one instance of the kernel, and that no range
    /// ends before it begins.
    ///
    /// # Errors
    ///
    /// If that is not so.
    pub(super) fn not_shared(&self, extents: &BTreeSet<Extent>) -> Result<(), Obstacle> {
        if extents.iter().any(|extent| self.shared(*extent)) {
            return Err(Obstacle::SharedAttachments);
        }
        Ok(())
    }

    fn shared(&self, extent: Extent) -> bool {
        let mut ranges = Vec::new();
        for member in 0..self.population {
            extent.ranges(self.links, member..member + 1, |range| ranges.push(range));
        }
        let reversed = ranges.iter().any(|range| range.end < range.start);
        ranges.retain(|range| !range.is_empty());
        ranges.sort_unstable_by_key(|range| range.start);
        let neighbours = ranges.iter().zip(ranges.iter().skip(1));
        reversed
            || neighbours
                .into_iter()
                .any(|(one, next)| next.start < one.end)
    }

    /// The instance of the kernel that stores a slot.
    pub(super) fn owner(&self, slot: u32) -> Option<u32> {
        self.column(slot).map(|(_, owner)| owner)
    }

    /// The stored column that a slot is part of, and the instance of the kernel that stores the slot.
    pub(super) fn column(&self, slot: u32) -> Option<(u32, u32)> {
        let (base, owners) = self.stored.range(..=slot).next_back()?;
        let owner = owners.get((slot - base) as usize).copied()?;
        (owner != NOBODY).then_some((*base, owner))
    }
}

/// The slots of a place, each with the instance that it is for.
pub(super) fn each_slot(
    program: &Program,
    place: Place,
    instances: usize,
) -> impl Iterator<Item = (usize, u32)> {
    let (single, table) = match place {
        Place::Slot(slot) => (Some(slot), &[][..]),
        Place::Linked { table, .. } => {
            let table = table as usize;
            let end = (table + instances).min(program.links.len());
            (None, program.links.get(table..end).unwrap_or_default())
        }
        Place::Column { .. } => (None, &[][..]),
    };
    let linked = table.iter().copied().enumerate();
    single.map(|slot| (0, slot)).into_iter().chain(linked)
}
