//! Whether the instances of a step kernel can be computed in any order.
//!
//! They can if none reads what another one stores. Two exceptions are allowed. Code that reads
//! what others store, as for gap junctions, can be kept in order while all else is not. An event
//! that reaches an instance whose turn comes later in the same call takes that instance back to
//! where it was before the call, and its step is done again.

use lems_index::narrow;
use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};
use std::ops::Range;

use super::InTurn;
use lems_ir::{Block, Kernel, Level, Operation, Place, Program, Receivers, Statement};

/// What must be known to run the instances of a kernel in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Independence {
    /// Everything that a step of an instance stores.
    pub stored: Vec<Stored>,
    /// By handler: the instance of the kernel that each instance of the handler is part of, if
    /// events of the kernel run the handler at once; empty for the others.
    pub owners: Vec<Vec<u32>>,
    /// What must be done for one instance after the other nevertheless.
    pub in_turn: InTurn,
}

/// A column that a kernel stores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stored {
    /// First slot.
    pub base: u32,
    /// The part of it that belongs to an instance of the kernel.
    pub extent: Extent,
}

/// The part of a column that belongs to an instance of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// One value.
    Own,
    /// Those of the instances attached to it, as of `ForAttached`.
    Attached {
        /// First entry of the offset table.
        offsets: u32,
    },
    /// Those of the instances attached to it in runs of an arm, as of `ForRuns`.
    Runs {
        /// First entry of the offset table.
        offsets: u32,
        /// First triple.
        runs: u32,
        /// The arm.
        arm: u32,
    },
}

impl Independence {
    /// Whether an event of one instance can reach another one in the same call.
    pub fn interferes(&self) -> bool {
        self.owners.iter().any(|owners| !owners.is_empty())
    }
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

/// What it takes to run a kernel's instances in any order; `None` if their order matters.
pub fn independence(program: &Program, kernel: u32) -> Option<Independence> {
    let code = program.kernels.get(kernel as usize)?;
    let population = match program.population(kernel) {
        0 => return None,
        population => population,
    };
    let mut survey = Survey::default();
    survey.block(&code.body, &[Extent::Own])?;
    if survey.keeps_order || !survey.stored_elsewhere.is_empty() {
        return None;
    }
    let handlers = reachable(program, &survey.ports, population)?;
    let slots = Slots::new(program, &survey, population);
    if survey.extents().any(|extent| slots.shared(extent)) {
        return None;
    }
    if touched_after_events(
        &code.body,
        &Touched::by(program, &handlers, &slots),
        &mut false,
    ) {
        return None;
    }
    let own = survey
        .columns
        .iter()
        .map(|(base, (extent, _))| (*base, slots.owners(*extent).len()));
    let of_handlers = (handlers.values())
        .flat_map(|handler| {
            handler
                .survey
                .columns
                .keys()
                .map(|base| (*base, handler.population))
        })
        .map(|(base, population)| (base, population as usize));
    if overlap(own.chain(of_handlers).collect()) {
        return None;
    }
    let by_handlers: HashSet<u32> = (handlers.values())
        .flat_map(|handler| handler.slots_stored_elsewhere(program))
        .map(|(_, slot)| slot)
        .collect();
    let mut in_turn = InTurn::default();
    for (place, extent) in &survey.elsewhere {
        let instances = slots.owners(*extent);
        for (_, slot) in each_slot(program, *place, instances.len()) {
            let by_handler = by_handlers.contains(&slot)
                || handlers.values().any(|handler| handler.stores(slot));
            if by_handler {
                return None;
            }
            if let Some((column, _)) = slots.column(slot) {
                in_turn.add(column, *place);
            }
        }
    }
    let mut owners = vec![Vec::new(); program.handlers.len()];
    for (&number, handler) in &handlers {
        let extents: HashSet<Extent> = handler
            .survey
            .columns
            .keys()
            .filter_map(|base| survey.extent(*base))
            .collect();
        let mut owner = match extents.into_iter().collect::<Vec<_>>()[..] {
            [] => None,
            [extent] => Some(slots.owners(extent)),
            _ => return None,
        };
        for (instance, slot) in handler.slots_stored_elsewhere(program) {
            let Some(of) = slots.owner(slot) else {
                continue;
            };
            let owner = owner.get_or_insert_with(Vec::new);
            if owner.len() <= instance {
                owner.resize(instance + 1, NOBODY);
            }
            match owner[instance] {
                known if known == of => {}
                NOBODY => owner[instance] = of,
                _ => return None,
            }
        }
        for (place, _) in &handler.survey.elsewhere {
            let population = handler.population as usize;
            let strange = each_slot(program, *place, population).any(|(instance, slot)| {
                let own = owner
                    .as_ref()
                    .and_then(|owner| owner.get(instance).copied());
                slots.owner(slot).is_some_and(|of| Some(of) != own)
            });
            if strange {
                return None;
            }
        }
        if let (Some(owner), Some(entry)) = (owner, owners.get_mut(number as usize)) {
            *entry = owner;
        }
    }
    let stored = survey
        .stored()
        .map(|(base, extent)| Stored { base, extent });
    let mut stored: Vec<Stored> = stored.collect();
    stored.sort_unstable_by_key(|stored| stored.base);
    Some(Independence {
        stored,
        owners,
        in_turn,
    })
}

/// No instance of a kernel.
const NOBODY: u32 = u32::MAX;

/// What a kernel or handler touches.
#[derive(Default)]
pub(super) struct Survey {
    /// By first slot: whose, and whether it is stored.
    pub(super) columns: HashMap<u32, (Extent, bool)>,
    /// Variables of other instances that it loads, and for whom.
    pub(super) elsewhere: Vec<(Place, Extent)>,
    /// Variables of other instances that it stores.
    pub(super) stored_elsewhere: Vec<Place>,
    /// First sources of the events that it sends for its own instances.
    ports: Vec<u32>,
    /// Whether it draws random numbers or sends events of attached instances.
    keeps_order: bool,
}

impl Survey {
    /// `None` if it goes beyond its instances and what is attached to them.
    pub(super) fn block(&mut self, block: &Block, extents: &[Extent]) -> Option<()> {
        for statement in block {
            match statement {
                Statement::Let(_, Operation::Load(place)) => {
                    let extent = |level: Level| extents.get(usize::from(level.0)).copied();
                    match *place {
                        Place::Column { base, level } => {
                            self.column(base, extent(level)?, false)?;
                        }
                        Place::Slot(_) => self.elsewhere.push((*place, Extent::Own)),
                        Place::Linked { level, .. } => {
                            self.elsewhere.push((*place, extent(level)?));
                        }
                    }
                }
                Statement::Let(_, Operation::Random(_)) => self.keeps_order = true,
                Statement::Twice(_) => return None,
                Statement::Store(Place::Column { base, level }, _) => {
                    let extent = *extents.get(usize::from(level.0))?;
                    self.column(*base, extent, true)?;
                }
                Statement::Store(
                    place @ Place::Linked {
                        level: Level(0), ..
                    },
                    _,
                ) => {
                    self.stored_elsewhere.push(*place);
                }
                Statement::Store(..) => return None,
                Statement::Emit { port, level } if level.0 == 0 => self.ports.push(*port),
                Statement::Emit { .. } => self.keeps_order = true,
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
            }
        }
        Some(())
    }

    fn attached(&mut self, body: &Block, extents: &[Extent], extent: Extent) -> Option<()> {
        match extents {
            [own] => self.block(body, &[*own, extent]),
            _ => None,
        }
    }

    fn column(&mut self, base: u32, extent: Extent, stored: bool) -> Option<()> {
        let known = self.columns.entry(base).or_insert((extent, false));
        known.1 |= stored;
        (known.0 == extent).then_some(())
    }

    /// Whose its columns are, each once.
    pub(super) fn extents(&self) -> impl Iterator<Item = Extent> {
        let extents: HashSet<Extent> = self.columns.values().map(|(extent, _)| *extent).collect();
        extents.into_iter()
    }

    fn extent(&self, base: u32) -> Option<Extent> {
        self.columns.get(&base).map(|(extent, _)| *extent)
    }

    pub(super) fn stored(&self) -> impl Iterator<Item = (u32, Extent)> {
        let stored = self.columns.iter().filter(|(_, (_, stored))| *stored);
        stored.map(|(base, (extent, _))| (*base, *extent))
    }
}

/// Whether two columns, given by first slot and size, share a part but not the first slot.
pub(super) fn overlap(mut columns: Vec<(u32, usize)>) -> bool {
    columns.sort_unstable();
    let mut end = 0;
    let mut last = None;
    for (base, size) in columns {
        let base = base as usize;
        if base < end && last != Some(base) {
            return true;
        }
        end = end.max(base + size);
        last = Some(base);
    }
    false
}

/// A handler that events of a kernel run at once.
struct Reached {
    survey: Survey,
    /// One more than the largest instance that it runs for.
    population: u32,
}

impl Reached {
    /// `None` if it touches more than the instance that it runs for.
    fn of(handler: &Kernel) -> Option<Reached> {
        let mut survey = Survey::default();
        survey.block(&handler.body, &[Extent::Own])?;
        let own = survey
            .columns
            .values()
            .all(|(extent, _)| *extent == Extent::Own);
        let population = 0;
        let free = own && !survey.keeps_order;
        free.then_some(Reached { survey, population })
    }

    fn stores(&self, slot: u32) -> bool {
        let mut stored = self.survey.stored();
        stored.any(|(base, _)| (base..base.saturating_add(self.population)).contains(&slot))
    }

    /// Instances, and the slots of other instances that it stores for them.
    fn slots_stored_elsewhere(&self, program: &Program) -> impl Iterator<Item = (usize, u32)> {
        let places = self.survey.stored_elsewhere.iter();
        places.flat_map(|place| each_slot(program, *place, self.population as usize))
    }
}

/// All handlers that events from the ports, and from those handlers in turn, run at once.
fn reachable(program: &Program, ports: &[u32], population: u32) -> Option<HashMap<u32, Reached>> {
    let mut reached: HashMap<u32, Reached> = HashMap::new();
    let mut open: Vec<Range<u32>> = ports
        .iter()
        .map(|port| *port..port.saturating_add(population))
        .collect();
    while let Some(sources) = open.pop() {
        for source in sources {
            let receivers = program.routes.receivers(source);
            for receivers in receivers.filter(Receivers::at_once) {
                let (Some(handler), Some(last)) =
                    (receivers.handler, receivers.numbers.iter().max())
                else {
                    continue;
                };
                let known = match reached.entry(handler) {
                    Entry::Occupied(known) => known.into_mut(),
                    Entry::Vacant(new) => {
                        let code = program.handlers.get(handler as usize)?;
                        new.insert(Reached::of(code)?)
                    }
                };
                let before = known.population;
                known.population = before.max(last + 1);
                let more = before..known.population;
                if !more.is_empty() {
                    let ports = known.survey.ports.iter();
                    open.extend(ports.map(|port| port + more.start..port + more.end));
                }
            }
        }
    }
    Some(reached)
}

/// Whose the columns of a kernel are.
pub(super) struct Slots<'p> {
    links: &'p [u32],
    population: u32,
    /// Stored columns, by first slot.
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
            .map(|(base, extent)| (base, slots.owners(extent)));
        slots.stored = stored.collect();
        slots
    }

    /// The instance of the kernel that each instance of an extent belongs to.
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

    /// Whether an instance of an extent belongs to several instances of the kernel, or some range
    /// ends before it begins.
    pub(super) fn shared(&self, extent: Extent) -> bool {
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
    fn owner(&self, slot: u32) -> Option<u32> {
        self.column(slot).map(|(_, owner)| owner)
    }

    /// The same, after the stored column that the slot is part of.
    pub(super) fn column(&self, slot: u32) -> Option<(u32, u32)> {
        let (base, owners) = self.stored.range(..=slot).next_back()?;
        let owner = owners.get((slot - base) as usize).copied()?;
        (owner != NOBODY).then_some((*base, owner))
    }
}

/// The slots of a place, with the instance that each is for.
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

/// Columns that handlers touch.
struct Touched {
    /// Those that they store.
    stored: HashSet<u32>,
    /// Those that they load or store.
    all: HashSet<u32>,
}

impl Touched {
    fn by(program: &Program, handlers: &HashMap<u32, Reached>, slots: &Slots<'_>) -> Touched {
        let surveys = || handlers.values().map(|handler| &handler.survey);
        let linked = handlers.values().flat_map(|handler| {
            let places = handler.survey.elsewhere.iter();
            places.flat_map(|(place, _)| each_slot(program, *place, handler.population as usize))
        });
        let linked = linked.filter_map(|(_, slot)| slots.column(slot));
        let stored_elsewhere: Vec<u32> = (handlers.values())
            .flat_map(|handler| handler.slots_stored_elsewhere(program))
            .filter_map(|(_, slot)| slots.column(slot))
            .map(|(base, _)| base)
            .collect();
        let named = surveys().flat_map(|survey| survey.columns.keys().copied());
        Touched {
            stored: surveys()
                .flat_map(|survey| survey.stored().map(|(base, _)| base))
                .chain(stored_elsewhere.iter().copied())
                .collect(),
            all: named
                .chain(linked.map(|(base, _)| base))
                .chain(stored_elsewhere)
                .collect(),
        }
    }
}

/// Whether code, after it may have sent an event, loads what handlers may have stored by then or
/// stores what they should have found as it was.
fn touched_after_events(block: &Block, touched: &Touched, sent: &mut bool) -> bool {
    block.iter().any(|statement| {
        let touches = match statement {
            Statement::Let(_, Operation::Load(Place::Column { base, .. })) => {
                touched.stored.contains(base)
            }
            Statement::Store(Place::Column { base, .. }, _) => touched.all.contains(base),
            _ => false,
        };
        *sent |= matches!(statement, Statement::Emit { .. });
        *sent && touches
            || (statement.nested().into_iter())
                .any(|inner| touched_after_events(inner, touched, sent))
    })
}
