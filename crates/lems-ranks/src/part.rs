//! The part of a program that one rank runs, as a program of its own.
//!
//! The part has the kernels, tables and memory of the whole. Its schedule has the positions of the rank
//! only, and its routes the receivers of the rank. Source `s` of the whole has two sources in the part. The
//! events of `s` itself reach at once what they reach at once in the whole. Those of `S + s`, with `S` sources
//! in the whole, reach the receivers with a delay: the rank sends them at the end of the step, when it knows
//! the events of all ranks and their order.
//!
//! To know this order, the part records the events of `s`: for the event selections of the whole, and also to
//! note which source has sent ([`Entry`]).

use std::ops::Range;
use std::sync::Arc;

use lems_index::narrow;
use lems_ir::{Action, Call, Program, Routes, Scheduled, Target, sparse_copy};

use crate::clusters::{instances, node_of};
use crate::partition::{Cut, Partition, Segment, Source};

/// The part of a run that one rank makes, and what it must know about the other ranks.
pub struct Part {
    pub(crate) rank: u16,
    pub(crate) program: Arc<Program>,
    pub(crate) items: Vec<Item>,
    pub(crate) sources: Vec<Source>,
    /// For each source: whether it has receivers on this rank without a delay, and with one.
    pub(crate) here: Vec<Here>,
    /// Number of event selections.
    pub(crate) selections: u32,
    /// The slots that the rank stores.
    pub(crate) slots: Vec<Range<u32>>,
    /// The slots that other ranks store.
    elsewhere: Vec<Range<u32>>,
    /// For each rank: the recorded slots that it stores and must send to rank 0. Rank 0 has none.
    pub(crate) probes: Vec<Vec<u32>>,
    /// On rank 0: the recorded slots that it stores.
    pub(crate) own_probes: Vec<u32>,
    /// Where random numbers are drawn, in the order of a step.
    pub(crate) segments: Vec<Segment>,
    /// First node of each handler, and ranks of the nodes from the first one on.
    handlers: Vec<u32>,
    /// The instance of the first node of each handler.
    receivers: Vec<u32>,
    handler_ranks: Vec<u16>,
    complaint: Option<String>,
}

/// Instances of this rank in one entry of the schedule with no instance of another rank between them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) scheduled: Scheduled,
    /// The turns of its positions.
    pub(crate) turns: Range<u32>,
    /// The segment of random numbers that it belongs to.
    pub(crate) segment: Option<usize>,
}

/// Receivers of a source on this rank.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Here {
    pub(crate) at_once: bool,
    pub(crate) later: bool,
}

/// Why an event of a part is recorded. Each reason has a number, which is the selection in the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// An event selection of the whole.
    Selection(u32),
    /// A source has sent, and all receivers that it reaches at once are done.
    End(u32),
    /// A source begins to send. Its receivers may send events in the same step.
    Begin(u32),
}

impl Entry {
    pub(crate) fn of(code: u32, selections: u32, sources: u32) -> Entry {
        match code.checked_sub(selections) {
            None => Entry::Selection(code),
            Some(source) if source < sources => Entry::End(source),
            Some(source) => Entry::Begin(source - sources),
        }
    }

    fn code(self, selections: u32, sources: u32) -> u32 {
        match self {
            Entry::Selection(selection) => selection,
            Entry::End(source) => selections + source,
            Entry::Begin(source) => selections + sources + source,
        }
    }
}

impl Part {
    /// The part of rank `rank` of `size`, if the values in `recorded` slots are recorded. If the network was cut
    /// before it was built, the program is what this rank has of the whole.
    pub fn new(
        program: &Program,
        recorded: impl IntoIterator<Item = u32>,
        rank: usize,
        size: usize,
        cut: Option<&Cut>,
    ) -> Part {
        let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        let (rank, size) = (short(rank), short(size));
        let mut partition = Partition::of(program, size, cut);
        let targets = program.routes.all().map(|(_, target)| target.action);
        let selections = targets.filter_map(|action| match action {
            Action::Record { selection } => Some(selection + 1),
            Action::Handle { .. } => None,
        });
        let selections = selections.max().unwrap_or(0);
        let here = here(program, &partition, rank);
        let routes = routes(program, &partition, rank, selections);
        let items = items(program, &partition, rank);
        let part = Program {
            kernels: program.kernels.clone(),
            setups: Vec::new(),
            handlers: program.handlers.clone(),
            schedule: items.iter().map(|item| item.scheduled.clone()).collect(),
            setup: Vec::new(),
            links: program.links.clone(),
            schemes: program.schemes.clone(),
            cables: program.cables.clone(),
            routes,
            memory: sparse_copy(&program.memory),
            clock: program.clock,
        };
        let mut probes = vec![Vec::new(); size.into()];
        for slot in recorded {
            let holder = partition.rank_of_slot(slot);
            if let Some(own) = holder.and_then(|rank| probes.get_mut(usize::from(rank))) {
                own.push(slot);
            }
        }
        for own in &mut probes {
            own.sort_unstable();
            own.dedup();
        }
        // Rank 0 need not send its own to itself.
        let of_first = probes.first_mut().map(std::mem::take);
        let own_probes = of_first.filter(|_| rank == 0).unwrap_or_default();
        let first = partition.clusters.positions();
        Part {
            rank,
            program: Arc::new(part),
            items,
            here,
            selections,
            slots: slots(&partition, |holder| holder == rank),
            elsewhere: slots(&partition, |holder| holder != rank),
            probes,
            own_probes,
            handler_ranks: partition.ranks.split_off(first as usize),
            handlers: partition.clusters.handlers,
            receivers: partition.clusters.receivers,
            sources: partition.sources,
            segments: partition.segments,
            complaint: partition.complaint,
        }
    }

    /// What the rank runs.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// If some ranks have nothing to do: why, in one sentence.
    pub fn complaint(&self) -> Option<&str> {
        self.complaint.as_deref()
    }

    /// Number of sources of the whole.
    pub(crate) fn source_count(&self) -> u32 {
        narrow(self.sources.len())
    }

    /// Whether this rank makes an action.
    pub(crate) fn has(&self, action: Action) -> bool {
        match action {
            Action::Handle { handler, instance } => {
                let first = self.handlers.first().copied().unwrap_or(0);
                let node = node_of(&self.handlers, &self.receivers, handler, instance);
                let place = node.and_then(|node| node.checked_sub(first));
                let rank = place.and_then(|place| self.handler_ranks.get(place as usize));
                rank == Some(&self.rank)
            }
            Action::Record { .. } => self.rank == 0,
        }
    }

    /// The slots that this rank stores.
    pub(crate) fn stored_slots(&self) -> impl Iterator<Item = Range<usize>> {
        (self.slots.iter()).map(|slots| slots.start as usize..slots.end as usize)
    }

    /// Whether another rank stores a slot.
    pub(crate) fn is_elsewhere(&self, slot: u32) -> bool {
        let after = (self.elsewhere).partition_point(|slots| slots.end <= slot);
        (self.elsewhere.get(after)).is_some_and(|slots| slots.start <= slot)
    }

    /// The least delay of an event to an instance of this rank, in seconds; none if events have no delays.
    pub(crate) fn least_delay(&self) -> Option<f64> {
        let delays = self.program.routes.all().map(|(_, target)| target.delay);
        delays.filter(|delay| *delay > 0.0).min_by(f64::total_cmp)
    }

    /// Whether what a rank does in a step can depend on what another does in the same step.
    pub(crate) fn ranks_depend(&self) -> bool {
        self.segments.len() > 1 || self.sources.iter().any(|source| source.reaches_at_once)
    }
}

/// What a rank runs of each entry of the schedule, in that order.
fn items(program: &Program, partition: &Partition, rank: u16) -> Vec<Item> {
    let segment_of = |turns: &Range<u32>| {
        (partition.segments.iter())
            .position(|segment| segment.turns.start < turns.end && turns.start < segment.turns.end)
    };
    let mut items = Vec::new();
    for (scheduled, first) in program.schedule.iter().zip(&partition.clusters.entries) {
        let mut run: Option<Range<u32>> = None;
        let all = instances(scheduled);
        let shift = |instance: u32| first + (instance - all.start) + 1;
        let mut push = |run: Range<u32>| {
            let turns = shift(run.start)..shift(run.end);
            let call = |call: &Call| Call {
                first: run.start,
                last: run.end,
                ..*call
            };
            let scheduled = match scheduled {
                Scheduled::Call(whole) => Scheduled::Call(call(whole)),
                Scheduled::Midway(whole) => Scheduled::Midway(call(whole)),
                Scheduled::Solve(solver, _) => Scheduled::Solve(*solver, run.clone()),
            };
            let segment = segment_of(&turns);
            items.push(Item {
                scheduled,
                turns,
                segment,
            });
        };
        for instance in all.clone() {
            if partition.rank(shift(instance) - 1) == rank {
                run.get_or_insert(instance..instance).end = instance + 1;
            } else if let Some(run) = run.take() {
                push(run);
            }
        }
        run.into_iter().for_each(push);
    }
    items
}

fn here(program: &Program, partition: &Partition, rank: u16) -> Vec<Here> {
    let of = |source| {
        let mut here = Here::default();
        for receivers in program.routes.receivers(source) {
            let Some(handler) = receivers.handler else {
                continue;
            };
            let is_here = |instance: &u32| {
                partition.rank(partition.clusters.handler(handler, *instance)) == rank
            };
            if receivers.numbers.iter().any(is_here) {
                here.at_once |= receivers.at_once();
                here.later |= !receivers.at_once();
            }
        }
        here
    };
    (0..narrow(partition.sources.len())).map(of).collect()
}

/// The routes of a part.
fn routes(program: &Program, partition: &Partition, rank: u16, selections: u32) -> Routes {
    let sources = narrow(partition.sources.len());
    let mut routes: Vec<(u32, Target)> = Vec::new();
    let entry = |entry: Entry| Target {
        action: Action::Record {
            selection: entry.code(selections, sources),
        },
        delay: 0.0,
    };
    for (number, source) in (0..).zip(&partition.sources) {
        let is_own = source.rank == rank;
        if is_own && source.is_relayed {
            routes.push((number, entry(Entry::Begin(number))));
        }
        for target in program.routes.targets(number) {
            let is_here = match target.action {
                Action::Handle { handler, instance } => {
                    partition.rank(partition.clusters.handler(handler, instance)) == rank
                }
                Action::Record { .. } => is_own,
            };
            if is_here {
                let later = if target.delay > 0.0 { sources } else { 0 };
                routes.push((number + later, target));
            }
        }
        // No entry is needed for a source if neither another rank nor an output depends on it.
        let is_needed =
            source.is_relayed || source.goes_elsewhere || source.has_later || source.is_recorded;
        if is_own && is_needed {
            routes.push((number, entry(Entry::End(number))));
        }
    }
    Routes::new(2 * sources, &routes)
}

/// The slots that some ranks store, as ranges.
fn slots(partition: &Partition, is_wanted: impl Fn(u16) -> bool) -> Vec<Range<u32>> {
    let mut slots: Vec<Range<u32>> = Vec::new();
    let all = 0..partition.clusters.slots();
    for slot in all.filter(|slot| partition.rank_of_slot(*slot).is_some_and(&is_wanted)) {
        match slots.last_mut() {
            Some(last) if last.end == slot => last.end = slot + 1,
            _ => slots.push(slot..slot + 1),
        }
    }
    slots
}
