//! Whether the instances of a step kernel can be computed in any order.
//!
//! They can if no instance reads what another one stores. Two exceptions are allowed. Code that reads what
//! others store, as for gap junctions, can be kept in order while all else is not. And an event may reach an
//! instance whose turn comes later in the same call: that instance is rolled back to its state before the
//! call, and its step is replayed.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};
use std::ops::Range;

use lems_ir::{Block, Kernel, Place, Program, Receivers};
use rustc_hash::FxHashSet;

use super::ordered::Ordered;
use super::survey::{Extent, NOBODY, Slots, Stored, Survey, each_slot, no_overlap};
use crate::obstacle::Obstacle;

/// What must be known to run the instances of a kernel in any order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Independence {
    /// Everything that a step of an instance stores.
    pub stored: Vec<Stored>,
    /// For each handler: the instance of the kernel to which each instance of the handler belongs, if events
    /// of the kernel run the handler at once; empty for the other handlers.
    pub owners: Vec<Vec<u32>>,
    /// What must keep the order of the instances nevertheless.
    pub ordered: Ordered,
}

impl Independence {
    /// Whether an event of one instance can reach another one in the same call.
    pub fn interferes(&self) -> bool {
        self.owners.iter().any(|owners| !owners.is_empty())
    }
}

/// What it takes to run a kernel's instances in any order.
///
/// # Errors
///
/// If their order matters, the first reason found.
pub fn independence(program: &Program, kernel: u32) -> Result<Independence, Obstacle> {
    let code = program.kernels.get(kernel as usize);
    let code = code.ok_or(Obstacle::UnknownKernel(kernel))?;
    let population = match program.population(kernel) {
        0 => return Err(Obstacle::NoInstances),
        population => population,
    };
    // What a step of an instance touches: only its own variables and what is attached to it.
    let survey = Survey::of(&code.body)?;
    keeps_no_order(&survey)?;
    let slots = Slots::new(program, &survey, population);
    slots.not_shared(&survey.extents())?;
    // What its events do at once, in handlers.
    let handlers = reachable(program, &survey.ports, population)?;
    let touched = Touched::by(program, &handlers, &slots);
    touches_nothing_after_events(&code.body, &touched, &mut false)?;
    columns_are_apart(&survey, &slots, &handlers)?;
    // What instances read of one another, and whom events reach.
    let ordered = reads_of_others(program, &survey, &slots, &handlers)?;
    let owners = owners_of_handlers(program, &survey, &slots, &handlers)?;
    Ok(Independence {
        stored: survey.stored().collect(),
        owners,
        ordered,
    })
}

/// Checks that instances draw no random numbers and store no variables of others, and that each sends events of
/// its own only.
fn keeps_no_order(survey: &Survey) -> Result<(), Obstacle> {
    match (&survey.keeps_order, survey.stored_elsewhere.first()) {
        (Some(obstacle), _) => Err(obstacle.clone()),
        (None, Some(table)) => Err(Obstacle::StoresLinked(*table)),
        (None, None) => Ok(()),
    }
}

/// Checks that the columns of the kernel and its handlers are the same or do not overlap.
fn columns_are_apart(
    survey: &Survey,
    slots: &Slots<'_>,
    handlers: &BTreeMap<u32, Reached>,
) -> Result<(), Obstacle> {
    let own =
        (survey.columns.iter()).map(|(base, (extent, _))| (*base, slots.owners(*extent).len()));
    let of_handlers = handlers.values().flat_map(|handler| {
        let bases = handler.survey.columns.keys();
        bases.map(|base| (*base, handler.population as usize))
    });
    no_overlap(own.chain(of_handlers).collect())
}

/// What instances read of one another. Handlers must not store any of it.
fn reads_of_others(
    program: &Program,
    survey: &Survey,
    slots: &Slots<'_>,
    handlers: &BTreeMap<u32, Reached>,
) -> Result<Ordered, Obstacle> {
    let by_handlers: FxHashSet<u32> = (handlers.values())
        .flat_map(|handler| handler.slots_stored_elsewhere(program))
        .map(|(_, slot)| slot)
        .collect();
    let mut ordered = Ordered::default();
    for (place, extent) in &survey.elsewhere {
        let instances = slots.owners(*extent);
        for (_, slot) in each_slot(program, *place, instances.len()) {
            let column = slots.column(slot).map(|(column, _)| column);
            let mut storing = handlers.values().map(|handler| handler.stores(slot));
            if by_handlers.contains(&slot) || storing.any(|stores| stores) {
                let column = column.unwrap_or(slot);
                return Err(Obstacle::HandlersStore { slot, column });
            }
            if let Some(column) = column {
                ordered.add(column, *place);
            }
        }
    }
    Ok(ordered)
}

/// For each handler: the instance of the kernel to which each of its instances belongs.
fn owners_of_handlers(
    program: &Program,
    survey: &Survey,
    slots: &Slots<'_>,
    handlers: &BTreeMap<u32, Reached>,
) -> Result<Vec<Vec<u32>>, Obstacle> {
    let mut owners = vec![Vec::new(); program.handlers.len()];
    for (&number, handler) in handlers {
        let owner = handler
            .owners(program, survey, slots)
            .and_then(|owner| handler.loads_of_owners(program, slots, owner))
            .map_err(|reason| reason.of_handler(number))?;
        if let Some(entry) = owners.get_mut(number as usize) {
            *entry = owner;
        }
    }
    Ok(owners)
}

impl Obstacle {
    fn of_handler(self, handler: u32) -> Obstacle {
        let reason = Box::new(self);
        Obstacle::Handler { handler, reason }
    }
}

/// A handler that events of a kernel run at once.
struct Reached {
    survey: Survey,
    /// One more than the largest instance that it runs for.
    population: u32,
}

impl Reached {
    /// A handler that touches nothing but the instance that it runs for, and that runs for none so far.
    fn of(handler: &Kernel) -> Result<Reached, Obstacle> {
        let survey = Survey::of(&handler.body)?;
        if let Some(obstacle) = &survey.keeps_order {
            return Err(obstacle.clone());
        }
        if survey.extents().iter().any(|extent| *extent != Extent::Own) {
            return Err(Obstacle::ReachesAttached);
        }
        let population = 0;
        Ok(Reached { survey, population })
    }

    /// Whether it stores a slot for the instance that it runs for.
    fn stores(&self, slot: u32) -> bool {
        let mut stored = self.survey.stored();
        stored
            .any(|Stored { base, .. }| (base..base.saturating_add(self.population)).contains(&slot))
    }

    /// Instances, and the slots of other instances that it stores for them.
    fn slots_stored_elsewhere(&self, program: &Program) -> impl Iterator<Item = (usize, u32)> {
        (self.survey).slots_stored_elsewhere(program, self.population)
    }

    /// The instance of the kernel to which each of its instances belongs, by the variables of the kernel
    /// that it touches by column or stores elsewhere.
    fn owners(
        &self,
        program: &Program,
        survey: &Survey,
        slots: &Slots<'_>,
    ) -> Result<Vec<u32>, Obstacle> {
        // For each column: all its columns must belong to the same part of the kernel.
        let bases = self.survey.columns.keys();
        let extents: BTreeSet<Extent> = bases.filter_map(|base| survey.extent(*base)).collect();
        let mut owners = match extents.into_iter().collect::<Vec<_>>()[..] {
            [] => Vec::new(),
            [extent] => slots.owners(extent),
            _ => return Err(Obstacle::SeveralOwners),
        };
        // For each table: each of its instances must belong to one instance of the kernel.
        for (instance, slot) in self.slots_stored_elsewhere(program) {
            let Some(owner) = slots.owner(slot) else {
                continue;
            };
            if owners.len() <= instance {
                owners.resize(instance + 1, NOBODY);
            }
            match owners[instance] {
                known if known == owner => {}
                NOBODY => owners[instance] = owner,
                _ => return Err(Obstacle::SeveralOwners),
            }
        }
        Ok(owners)
    }

    /// Its owners, if it loads no variables of other instances of the kernel.
    fn loads_of_owners(
        &self,
        program: &Program,
        slots: &Slots<'_>,
        owners: Vec<u32>,
    ) -> Result<Vec<u32>, Obstacle> {
        for (place, _) in &self.survey.elsewhere {
            for (instance, slot) in each_slot(program, *place, self.population as usize) {
                let own = owners.get(instance).copied();
                if slots.owner(slot).is_some_and(|owner| Some(owner) != own) {
                    return Err(Obstacle::SeveralOwners);
                }
            }
        }
        Ok(owners)
    }
}

/// All handlers that events from the ports, and from those handlers in turn, run at once.
fn reachable(
    program: &Program,
    ports: &[u32],
    population: u32,
) -> Result<BTreeMap<u32, Reached>, Obstacle> {
    let mut reached: BTreeMap<u32, Reached> = BTreeMap::new();
    // Ranges of sources whose receivers are not looked at yet.
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
                        let code = program.handlers.get(handler as usize);
                        let code = code.ok_or(Obstacle::UnknownHandler(handler))?;
                        let handler = Reached::of(code).map_err(|why| why.of_handler(handler))?;
                        new.insert(handler)
                    }
                };
                // Instances that the handler did not run for so far send its events, too.
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
    Ok(reached)
}

/// Columns that handlers touch.
struct Touched {
    /// Those that they store.
    stored: FxHashSet<u32>,
    /// Those that they load or store.
    all: FxHashSet<u32>,
}

impl Touched {
    /// Columns of the kernel and of its handlers that these handlers touch.
    fn by(program: &Program, handlers: &BTreeMap<u32, Reached>, slots: &Slots<'_>) -> Touched {
        let mut touched = Touched {
            stored: FxHashSet::default(),
            all: FxHashSet::default(),
        };
        let column = |(_, slot): (usize, u32)| slots.column(slot).map(|(base, _)| base);
        for handler in handlers.values() {
            // Columns of the instance that the handler runs for.
            let survey = &handler.survey;
            touched.all.extend(survey.columns.keys());
            let stored = survey.stored().map(|stored| stored.base);
            touched.stored.extend(stored);
            // Columns of the kernel that it reaches through tables.
            for (place, _) in &survey.elsewhere {
                let loaded = each_slot(program, *place, handler.population as usize);
                touched.all.extend(loaded.filter_map(column));
            }
            let stored = handler.slots_stored_elsewhere(program).filter_map(column);
            touched.stored.extend(stored);
        }
        touched.all.extend(&touched.stored);
        touched
    }
}

/// Checks that code, after it may have sent an event, neither loads what handlers may have stored by then
/// nor stores what they should have found unchanged. `sent` is whether an event may have been sent before.
fn touches_nothing_after_events(
    block: &Block,
    touched: &Touched,
    sent: &mut bool,
) -> Result<(), Obstacle> {
    for statement in block {
        let effects = statement.effects();
        let column = |place: Option<Place>| place.and_then(|place| place.column());
        let loaded = column(effects.loads).and_then(|column| touched.stored.get(&column));
        let stored = column(effects.stores).and_then(|column| touched.all.get(&column));
        *sent |= effects.sends;
        if let Some(column) = loaded.or(stored).filter(|_| *sent) {
            return Err(Obstacle::UsedAfterEvent(*column));
        }
        for inner in statement.nested() {
            touches_nothing_after_events(inner, touched, sent)?;
        }
    }
    Ok(())
}
