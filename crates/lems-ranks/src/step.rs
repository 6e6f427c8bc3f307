//! A step over ranks.
//!
//! A step is made in rounds. In the first one, each rank makes the step of its own instances, in their order.
//! It has to assume what other ranks do in the same step: which events reach its instances at once, and how
//! many random numbers are drawn before its own. The first assumption is no events, and as many draws as in
//! the step before. Then all ranks exchange reports of what they did. A rank whose assumptions were wrong
//! rolls back and makes the step again, with the events of other ranks in their turns.
//!
//! The rounds end when the outcome is the same as that of the round before. It is then what one rank alone
//! would compute: what an instance does depends only on the state before the step and on what the instances
//! before it do, so there is only one solution. The number of rounds is limited. Call a run of neighbouring
//! positions of one rank a stretch: after round `n`, the results of the first `n` stretches are final.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use lems_ir::{
    Action, Ahead, Backend, Call, Deliveries, Fault, Share, State, deliver_due, emit, run_scheduled,
};
use lems_math::JavaRandom;

use crate::part::{Entry, Part};
use crate::ranks::{Disconnected, Kind, Ranks, out_of_step};
use crate::window::Window;
use crate::words::{Words, low_half, packed, unpacked};

/// A back end that makes the part of one rank, and exchanges the results of each step with the others.
pub struct RankBackend {
    pub(crate) inner: Arc<dyn Backend + Send + Sync>,
    pub(crate) part: Part,
    pub(crate) ranks: Ranks,
    notes: Mutex<Notes>,
}

/// What a rank keeps from one step to the next.
#[derive(Default)]
pub(crate) struct Notes {
    /// Whether the queue has been reduced to the events for this rank.
    is_begun: bool,
    /// Draws in each segment in the last step.
    draws: Vec<u64>,
    /// What the slots of this rank held before the step.
    saved: Vec<f64>,
    pub(crate) window: Window,
}

/// Turns and codes of entries.
pub(crate) type Entries = Vec<(u32, u32)>;

/// What of a step can change what other ranks do in it.
#[derive(PartialEq)]
struct Outcome {
    /// Turns and sources of events that reach other ranks at once.
    events: Vec<(u32, u32)>,
    /// Draws in each segment.
    draws: Vec<u64>,
}

/// The state before a step, except memory and queue.
struct Before {
    deliveries: Deliveries,
    effects: u64,
    draws: u64,
    fault: Option<Fault>,
}

/// What the instances of a rank do in a step.
#[derive(Clone)]
pub(crate) struct Results {
    pub(crate) entries: Entries,
    /// Draws in each segment.
    pub(crate) draws: Vec<u64>,
}

/// What a rank assumes about other ranks in a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Assumptions {
    /// Turns and sources of events from others that reach this rank at once.
    events: Vec<(u32, u32)>,
    /// Draws before each segment of this rank.
    draws: Vec<u64>,
}

/// What a rank sends to the others about a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Report {
    /// Draws in each segment, zero in those of others.
    draws: Vec<u64>,
    /// Turns and codes of entries that others need.
    entries: Vec<(u32, u32)>,
    /// Values that are recorded.
    pub(crate) values: Vec<u64>,
    fault: Option<Fault>,
}

impl RankBackend {
    /// Makes a part, which `inner` runs: a back end of the program of the part.
    pub fn new(inner: Arc<dyn Backend + Send + Sync>, part: Part, ranks: Ranks) -> RankBackend {
        let draws = vec![0; part.segments.len()];
        let notes = Notes {
            draws,
            ..Notes::default()
        };
        RankBackend {
            inner,
            part,
            ranks,
            notes: Mutex::new(notes),
        }
    }

    fn make_step(
        &self,
        notes: &mut Notes,
        state: &mut State,
        (time, step): (f64, f64),
        has_rows: bool,
    ) -> Result<(), Disconnected> {
        let part = &self.part;
        let base = state.random.clone();
        let of_queue = self.deliver(state, (time, step));
        // What the step begins from.
        let before = self.save(notes, state);
        // The first round.
        let mut assumed = Assumptions {
            events: Vec::new(),
            draws: self.before_segments(&notes.draws),
        };
        let mut last = Outcome {
            events: Vec::new(),
            draws: notes.draws.clone(),
        };
        let mut results = of_queue.clone();
        self.run(state, &base, &assumed, &mut results, (time, step));
        let most_rounds = part
            .sources
            .len()
            .saturating_add(part.segments.len())
            .saturating_add(3);
        let mut rounds = 0;
        // More rounds, until the outcome stays the same.
        let mut all = loop {
            let own = self.report(state, &results, has_rows);
            let all = self.exchange(&own, has_rows)?;
            let now = self.outcome(&all);
            let must_end = all
                .iter()
                .any(|report| matches!(report.fault, Some(Fault::Ended { .. })));
            if now == last || must_end {
                break all;
            }
            rounds += 1;
            if rounds > most_rounds {
                return Err(out_of_step());
            }
            let next = self.assumptions(&now);
            if next != assumed {
                if let Some(more) = self.only_later(&assumed, &next) {
                    // The instances of this rank come before the new events, so their results stay.
                    for (_, source) in more {
                        emit(&part.program, &*self.inner, state, *source);
                    }
                } else {
                    self.restore(notes, state, &before);
                    results = of_queue.clone();
                    self.run(state, &base, &next, &mut results, (time, step));
                }
                assumed = next;
            }
            last = now;
        };
        self.commit(notes, state, base, results.entries, &mut all);
        for (slot, value) in self.values(&all) {
            if let Some(place) = state.memory.get_mut(slot as usize) {
                *place = value;
            }
        }
        Ok(())
    }

    /// Reduces the queue to the events for this rank, before its first step.
    fn begin(&self, notes: &mut Notes, state: &mut State) {
        if !notes.is_begun {
            let own = state.queue.in_order().into_iter();
            let own = own.filter(|event| self.part.has(event.action));
            state
                .queue
                .replace(own.map(|event| (event.time, event.action)));
            notes.is_begun = true;
        }
    }

    /// Delivers events that are due, in the order of the queue: only one rank has any that draw or send.
    pub(crate) fn deliver(&self, state: &mut State, (time, step): (f64, f64)) -> Results {
        let part = &self.part;
        let drawn = state.draws;
        deliver_due(&*self.inner, state, time, part.program.due(time, step));
        let mut of_queue = Results {
            entries: Vec::new(),
            draws: vec![0; part.segments.len()],
        };
        if let (Some(own), Some(segment)) = (of_queue.draws.first_mut(), part.segments.first())
            && segment.turns.start == 0
        {
            *own = state.draws - drawn;
        }
        self.take_entries(state, true, &mut of_queue.entries);
        of_queue
    }

    /// Makes the step of the instances of this rank, with events from others in their turns.
    pub(crate) fn run(
        &self,
        state: &mut State,
        base: &JavaRandom,
        assumed: &Assumptions,
        results: &mut Results,
        (time, step): (f64, f64),
    ) {
        let part = &self.part;
        let mut events = assumed.events.iter().peekable();
        let mut segment = None;
        for item in &part.items {
            while let Some((_, source)) = events.next_if(|(turn, _)| *turn < item.turns.start) {
                emit(&part.program, &*self.inner, state, *source);
            }
            // The random numbers continue after those of the segments before.
            if item.segment.is_some() && item.segment != segment {
                segment = item.segment;
                let at = |of: &[u64]| of.get(segment.unwrap_or_default()).copied().unwrap_or(0);
                state.random = base.clone();
                state.random.skip(at(&assumed.draws) + at(&results.draws));
            }
            let drawn = state.draws;
            run_scheduled(
                &part.program,
                &*self.inner,
                state,
                &item.scheduled,
                time,
                step,
            );
            if let Some(own) = segment.and_then(|segment| results.draws.get_mut(segment)) {
                *own += state.draws - drawn;
            }
            self.take_entries(state, false, &mut results.entries);
        }
        for (_, source) in events {
            emit(&part.program, &*self.inner, state, *source);
        }
    }

    /// Moves what was recorded to `entries`, each with the turn of the position that sent it. Entries of events
    /// that were due have turn 0.
    fn take_entries(&self, state: &mut State, was_due: bool, entries: &mut Entries) {
        let part = &self.part;
        let (mut depth, mut waiting) = (0_u32, entries.len());
        for code in state.recorded.drain(..) {
            let source = match Entry::of(code, part.selections, part.source_count()) {
                Entry::Begin(_) => {
                    depth += 1;
                    continue;
                }
                Entry::End(source) => Some(source),
                Entry::Selection(_) => None,
            };
            entries.push((if was_due { 0 } else { u32::MAX }, code));
            let Some(source) = source.and_then(|source| part.sources.get(source as usize)) else {
                continue;
            };
            if source.is_relayed {
                depth = depth.saturating_sub(1);
            }
            // All entries since the last complete event are of this turn.
            if depth == 0 {
                if !was_due {
                    for (turn, _) in entries.iter_mut().skip(waiting) {
                        *turn = source.turn;
                    }
                }
                waiting = entries.len();
            }
        }
    }

    /// Copies the slots of this rank, and what else of the state a step changes.
    fn save(&self, notes: &mut Notes, state: &State) -> Before {
        notes.saved.clear();
        for slots in self.part.stored_slots() {
            (notes.saved).extend_from_slice(state.memory.get(slots).unwrap_or_default());
        }
        Before {
            deliveries: state.deliveries.clone(),
            effects: state.effects,
            draws: state.draws,
            fault: state.fault.clone(),
        }
    }

    fn restore(&self, notes: &Notes, state: &mut State, before: &Before) {
        let mut saved = notes.saved.as_slice();
        for slots in self.part.stored_slots() {
            if let Some(own) = state.memory.get_mut(slots)
                && let Some((values, rest)) = saved.split_at_checked(own.len())
            {
                own.copy_from_slice(values);
                saved = rest;
            }
        }
        state.deliveries = before.deliveries.clone();
        state.effects = before.effects;
        state.draws = before.draws;
        state.fault = before.fault.clone();
    }

    /// What other ranks may need to know about the step.
    pub(crate) fn report(&self, state: &State, results: &Results, has_rows: bool) -> Report {
        let part = &self.part;
        let is_needed = |(_, code): &&(u32, u32)| match Entry::of(
            *code,
            part.selections,
            part.source_count(),
        ) {
            Entry::Selection(_) => part.rank != 0,
            Entry::End(source) => {
                (part.sources.get(source as usize)).is_some_and(|source| source.goes_elsewhere)
            }
            Entry::Begin(_) => false,
        };
        let probes = part.probes.get(usize::from(part.rank)).filter(|_| has_rows);
        let value = |slot: &u32| {
            state
                .memory
                .get(*slot as usize)
                .map_or(0, |value| value.to_bits())
        };
        Report {
            draws: results.draws.clone(),
            entries: results.entries.iter().filter(is_needed).copied().collect(),
            values: probes.into_iter().flatten().map(value).collect(),
            fault: state.fault.clone(),
        }
    }

    /// The outcome of a step, from the reports of all ranks.
    fn outcome(&self, all: &[Report]) -> Outcome {
        let part = &self.part;
        let mut draws = vec![0; part.segments.len()];
        let mut events = Vec::new();
        for report in all {
            for (sum, own) in draws.iter_mut().zip(&report.draws) {
                *sum += own;
            }
            for (turn, code) in &report.entries {
                if let Entry::End(source) = Entry::of(*code, part.selections, part.source_count())
                    && (part.sources.get(source as usize))
                        .is_some_and(|source| source.reaches_at_once)
                {
                    events.push((*turn, source));
                }
            }
        }
        // All events of one turn are from one rank. The sort is stable, so they keep their order.
        events.sort_by_key(|(turn, _)| *turn);
        Outcome { events, draws }
    }

    /// What this rank must assume if the outcome is this one.
    fn assumptions(&self, outcome: &Outcome) -> Assumptions {
        let part = &self.part;
        let is_for_us = |(_, source): &&(u32, u32)| {
            let source = *source as usize;
            let is_foreign = part
                .sources
                .get(source)
                .is_some_and(|source| source.rank != part.rank);
            is_foreign && part.here.get(source).is_some_and(|here| here.at_once)
        };
        Assumptions {
            events: outcome.events.iter().filter(is_for_us).copied().collect(),
            draws: self.before_segments(&outcome.draws),
        }
    }

    /// Draws before each segment of this rank.
    fn before_segments(&self, draws: &[u64]) -> Vec<u64> {
        let mut sum = 0;
        let all = self
            .part
            .segments
            .iter()
            .zip(draws)
            .map(|(segment, draws)| {
                let before = sum;
                sum += draws;
                if segment.rank == self.part.rank {
                    before
                } else {
                    0
                }
            });
        all.collect()
    }

    /// The events that `next` adds, if it differs in nothing else and all of them come after the last position
    /// of this rank.
    fn only_later<'n>(
        &self,
        assumed: &Assumptions,
        next: &'n Assumptions,
    ) -> Option<&'n [(u32, u32)]> {
        let more = next.events.strip_prefix(assumed.events.as_slice())?;
        let end = self.part.items.last().map_or(0, |item| item.turns.end);
        let is_later = more.iter().all(|(turn, _)| *turn >= end);
        (is_later && next.draws == assumed.draws).then_some(more)
    }

    /// Commits the step: puts events with delays in the queue, and records events on rank 0.
    pub(crate) fn commit(
        &self,
        notes: &mut Notes,
        state: &mut State,
        base: JavaRandom,
        own: Entries,
        all: &mut [Report],
    ) {
        let part = &self.part;
        let draws = self.outcome(all).draws;
        // The entries of all ranks in the order of their turns.
        if let Some(report) = all.get_mut(usize::from(part.rank)) {
            report.entries = own;
        }
        let mut entries: Entries = all
            .iter()
            .flat_map(|report| &report.entries)
            .copied()
            .collect();
        entries.sort_by_key(|(turn, _)| *turn);
        let fault = all.iter_mut().find_map(|report| report.fault.take());
        state.fault = fault;
        for (_, code) in entries {
            match Entry::of(code, part.selections, part.source_count()) {
                Entry::Selection(selection) if part.rank == 0 => state.recorded.push(selection),
                Entry::End(source)
                    if part
                        .here
                        .get(source as usize)
                        .is_some_and(|here| here.later) =>
                {
                    emit(
                        &part.program,
                        &*self.inner,
                        state,
                        part.source_count() + source,
                    );
                }
                _ => {}
            }
        }
        // The next random number follows all those that the ranks have drawn.
        state.random = base;
        state.random.skip(draws.iter().sum());
        notes.draws = draws;
    }

    /// On rank 0: slots of instances of other ranks that are recorded, with their values.
    pub(crate) fn values<'r>(&'r self, all: &'r [Report]) -> impl Iterator<Item = (u32, f64)> {
        let leads = self.part.rank == 0;
        let ranks = (self.part.probes.iter().zip(all)).filter(move |_| leads);
        ranks.flat_map(|(slots, report)| {
            let values = report.values.iter().map(|value| f64::from_bits(*value));
            slots.iter().copied().zip(values)
        })
    }

    /// The reports of all ranks, in their order.
    fn exchange(&self, own: &Report, has_rows: bool) -> Result<Vec<Report>, Disconnected> {
        let mut words = Vec::new();
        self.write(own, &mut words);
        let all = self.ranks.gather(Kind::Step, words)?;
        let read = |(rank, words): (u16, Vec<u64>)| {
            let report = self.read(rank, &mut Words(&words), has_rows);
            report.ok_or_else(out_of_step)
        };
        (0..).zip(all).map(read).collect()
    }

    /// Adds a report to the words of a message.
    pub(crate) fn write(&self, own: &Report, words: &mut Vec<u64>) {
        let own_draws = self
            .segments_of(self.part.rank)
            .filter_map(|segment| own.draws.get(segment).copied());
        words.extend(own_draws);
        words.push(own.entries.len() as u64);
        let entry = |(turn, code): &(u32, u32)| u64::from(*turn) << 32 | u64::from(*code);
        words.extend(own.entries.iter().map(entry));
        words.extend(&own.values);
        let fault = own.fault.as_ref().map(fault_as_words).unwrap_or_default();
        words.push(fault.len() as u64);
        words.extend(fault);
    }

    /// Segments of a rank.
    fn segments_of(&self, rank: u16) -> impl Iterator<Item = usize> {
        let segments = self.part.segments.iter().enumerate();
        segments
            .filter(move |(_, segment)| segment.rank == rank)
            .map(|(place, _)| place)
    }

    /// The report of a rank, from the words of its message.
    pub(crate) fn read(&self, rank: u16, words: &mut Words<'_>, has_rows: bool) -> Option<Report> {
        let mut report = Report {
            draws: vec![0; self.part.segments.len()],
            ..Report::default()
        };
        for segment in self.segments_of(rank) {
            *report.draws.get_mut(segment)? = words.next()?;
        }
        for word in words.list()? {
            report
                .entries
                .push((u32::try_from(word >> 32).ok()?, low_half(*word)));
        }
        if has_rows {
            let probes = self.part.probes.get(usize::from(rank))?;
            report.values = words.take(probes.len())?.to_vec();
        }
        report.fault = fault_of_words(&mut Words(words.list()?));
        Some(report)
    }
}

impl Backend for RankBackend {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        self.inner.advance(state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        self.inner.handle(state, handler, instances);
    }

    /// Makes one step. If the ranks are disconnected, the state has a fault afterwards.
    fn steps(&self, state: &mut State, time: &mut f64, step: f64, most: u64) -> u64 {
        // With cables the time is a multiple of the step, with a rounding error far below one step.
        let steps = lems_math::saturating_u64((*time / step).round());
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        self.begin(&mut notes, state);
        let made = if self.part.ranks_depend() {
            let end = self.part.program.clock.end_of_step(steps, *time, step);
            let made = self.make_step(&mut notes, state, (end, step), most == 1);
            made.map(|()| *time = end)
        } else {
            self.step_of_window(&mut notes, state, time, (steps, step), most == 1)
        };
        if let Err(Disconnected(message)) = made {
            state.fault = Some(Fault::Disconnected { message });
        }
        1
    }

    fn expect(&self, ahead: Ahead) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.window.expect(ahead);
    }

    fn share(&self) -> Option<&dyn Share> {
        Some(self)
    }
}

impl Share for RankBackend {
    fn slots(&self) -> &[Range<u32>] {
        &self.part.slots
    }

    fn is_elsewhere(&self, slot: u32) -> bool {
        self.part.is_elsewhere(slot)
    }

    fn has(&self, action: Action) -> bool {
        self.part.has(action)
    }

    fn end(&self, not_a_number: Option<u32>) -> Result<Option<u32>, Fault> {
        // A new run may begin.
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.is_begun = false;
        notes.window = Window::default();
        let least = self.ranks.least(not_a_number.map(u64::from));
        let least = least.map_err(|Disconnected(message)| Fault::Disconnected { message })?;
        Ok(least.map(low_half))
    }
}

/// The fault in the remaining words of a message, if there is one.
fn fault_of_words(words: &mut Words<'_>) -> Option<Fault> {
    let [number, limit, time] = [words.next()?, words.next()?, words.next()?];
    let time = f64::from_bits(time);
    let receiver = unpacked(words.rest())?;
    Some(match number {
        1 => Fault::EndlessRelay { time, receiver },
        2 => Fault::TooManyDeliveries {
            limit,
            time,
            receiver,
        },
        3 => Fault::TooManyEvents {
            limit: usize::try_from(limit).unwrap_or(usize::MAX),
            time,
            receiver,
        },
        4 => Fault::Disconnected { message: receiver },
        _ => Fault::Ended { time },
    })
}

fn fault_as_words(fault: &Fault) -> Vec<u64> {
    let (number, limit, time, text) = match fault {
        Fault::EndlessRelay { time, receiver } => (1, 0, *time, receiver.as_str()),
        Fault::TooManyDeliveries {
            limit,
            time,
            receiver,
        } => (2, *limit, *time, receiver.as_str()),
        Fault::TooManyEvents {
            limit,
            time,
            receiver,
        } => (3, *limit as u64, *time, receiver.as_str()),
        Fault::Disconnected { message } => (4, 0, 0.0, message.as_str()),
        Fault::Ended { time } => (0, 0, *time, ""),
    };
    let mut words = vec![number, limit, time.to_bits()];
    words.extend(packed(text));
    words
}
