//! A step over ranks.
//!
//! A rank makes the step of its instances in their order. What others do in the step and what reaches its own
//! at once (events; how many random numbers are drawn before) it supposes at first: no events, and as many
//! draws as in the step before. Then all tell what they did. If somebody did other things than in the
//! round before, those that have supposed something else go back and make the step again, with the events of
//! others in their turns. When nobody's deeds differ any more, the step is what one rank alone would have made:
//! what an instance does depends only on the state before the step and on what instances before it do, so
//! there is only one answer. After round `n` all that the first `n` stretches of positions of one rank do is
//! right, so it ends.

use std::sync::{Arc, Mutex, PoisonError};

use lems_ir::{Action, Backend, Call, Deliveries, Fault, State, deliver_due, emit, make_stage};
use lems_math::JavaRandom;

use crate::part::{Entry, Part};
use crate::ranks::{Kind, Left, Ranks, out_of_step, packed, unpacked};

/// A back end that makes the part of one rank, and exchanges with the others what it takes.
pub struct RankBackend {
    inner: Arc<dyn Backend + Send + Sync>,
    part: Part,
    ranks: Ranks,
    notes: Mutex<Notes>,
}

/// What a rank keeps from one step to the next.
#[derive(Default)]
struct Notes {
    /// Whether the queue has the events for this rank only.
    is_begun: bool,
    /// Draws in each segment in the last step.
    draws: Vec<u64>,
    /// What the slots of this rank held before the step.
    saved: Vec<f64>,
}

/// Turns and codes of entries.
type Entries = Vec<(u32, u32)>;

/// Turns and sources of the events of a step that can change what other ranks do in it, and the draws in each
/// segment.
type Deeds = (Vec<(u32, u32)>, Vec<u64>);

/// What a step changes besides memory and queue, as it was before.
struct Before {
    deliveries: Deliveries,
    effects: u64,
    draws: u64,
    fault: Option<Fault>,
}

/// What the instances of a rank do in a step.
#[derive(Clone)]
struct Made {
    entries: Entries,
    /// Draws in each segment.
    draws: Vec<u64>,
}

/// What a rank supposes of others in a step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Supposed {
    /// Turns and sources of events from others that reach this rank at once.
    events: Vec<(u32, u32)>,
    /// Draws before each segment of this rank.
    draws: Vec<u64>,
}

/// What a rank tells of a step.
#[derive(Debug, Clone, PartialEq, Default)]
struct Told {
    /// Draws in each segment, zero in those of others.
    draws: Vec<u64>,
    /// Turns and codes of entries that others need.
    entries: Vec<(u32, u32)>,
    /// Values that are recorded.
    values: Vec<u64>,
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
    ) -> Result<(), Left> {
        let part = &self.part;
        if !notes.is_begun {
            let own = state.queue.in_order().into_iter();
            let own = own.filter(|event| part.has(event.action));
            state
                .queue
                .replace(own.map(|event| (event.time, event.action)));
            notes.is_begun = true;
        }
        // Events that are due, in the order of the queue: only one rank has any that draw or send.
        let base = state.random.clone();
        let drawn = state.draws;
        deliver_due(&*self.inner, state, time, part.program.due(time, step));
        let mut of_queue = Made {
            entries: Vec::new(),
            draws: vec![0; part.segments.len()],
        };
        if let (Some(own), Some(segment)) = (of_queue.draws.first_mut(), part.segments.first())
            && segment.turns.start == 0
        {
            *own = state.draws - drawn;
        }
        self.take_entries(state, true, &mut of_queue.entries);
        // What the step begins from.
        let before = self.save(notes, state);
        // The rounds.
        let mut supposed = Supposed {
            events: Vec::new(),
            draws: self.before_segments(&notes.draws),
        };
        let mut last: Deeds = (Vec::new(), notes.draws.clone());
        let mut made = of_queue.clone();
        self.run(state, &base, &supposed, &mut made, (time, step));
        let most_rounds = part
            .sources
            .len()
            .saturating_add(part.segments.len())
            .saturating_add(3);
        let mut rounds = 0;
        let all = loop {
            let own = self.told(state, &made, has_rows);
            let all = self.exchange(&own, has_rows)?;
            let now = self.deeds(&all);
            let must_end = all
                .iter()
                .any(|told| matches!(told.fault, Some(Fault::Ended { .. })));
            if !part.ranks_depend() || now == last || must_end {
                break all;
            }
            rounds += 1;
            if rounds > most_rounds {
                return Err(out_of_step());
            }
            let next = self.supposed(&now);
            if next != supposed {
                if let Some(more) = self.only_later(&supposed, &next) {
                    // Those of this rank have made their step: the events come after it, as they should.
                    for (_, source) in more {
                        emit(&part.program, &*self.inner, state, *source);
                    }
                } else {
                    self.restore(notes, state, &before);
                    made = of_queue.clone();
                    self.run(state, &base, &next, &mut made, (time, step));
                }
                supposed = next;
            }
            last = now;
        };
        self.end_step(notes, state, base, made.entries, all);
        Ok(())
    }

    /// Makes the step of the instances of this rank, with events from others in their turns.
    fn run(
        &self,
        state: &mut State,
        base: &JavaRandom,
        supposed: &Supposed,
        made: &mut Made,
        (time, step): (f64, f64),
    ) {
        let part = &self.part;
        let mut events = supposed.events.iter().peekable();
        let mut segment = None;
        for item in &part.items {
            while let Some((_, source)) = events.next_if(|(turn, _)| *turn < item.turns.start) {
                emit(&part.program, &*self.inner, state, *source);
            }
            // The random numbers go on where those of the ranks before end.
            if item.segment.is_some() && item.segment != segment {
                segment = item.segment;
                let at = |of: &[u64]| of.get(segment.unwrap_or_default()).copied().unwrap_or(0);
                state.random = base.clone();
                state.random.skip(at(&supposed.draws) + at(&made.draws));
            }
            let drawn = state.draws;
            make_stage(&part.program, &*self.inner, state, &item.stage, time, step);
            if let Some(own) = segment.and_then(|segment| made.draws.get_mut(segment)) {
                *own += state.draws - drawn;
            }
            self.take_entries(state, false, &mut made.entries);
        }
        for (_, source) in events {
            emit(&part.program, &*self.inner, state, *source);
        }
    }

    /// Takes what was recorded, with the turns of the positions that have sent it; all is of turn 0 if it is of
    /// events that were due.
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
            // All since the last one is of this turn.
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

    /// Copies what the slots of this rank hold, and the rest of the state that a step changes.
    fn save(&self, notes: &mut Notes, state: &State) -> Before {
        notes.saved.clear();
        if self.part.ranks_depend() {
            for slots in self.part.own_slots() {
                (notes.saved).extend_from_slice(state.memory.get(slots).unwrap_or_default());
            }
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
        for slots in self.part.own_slots() {
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

    /// What of the step others may need.
    fn told(&self, state: &State, made: &Made, has_rows: bool) -> Told {
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
        Told {
            draws: made.draws.clone(),
            entries: made.entries.iter().filter(is_needed).copied().collect(),
            values: probes.into_iter().flatten().map(value).collect(),
            fault: state.fault.clone(),
        }
    }

    /// What of a step can change what other ranks do in it.
    fn deeds(&self, all: &[Told]) -> Deeds {
        let part = &self.part;
        let mut draws = vec![0; part.segments.len()];
        let mut events = Vec::new();
        for told in all {
            for (sum, own) in draws.iter_mut().zip(&told.draws) {
                *sum += own;
            }
            for (turn, code) in &told.entries {
                if let Entry::End(source) = Entry::of(*code, part.selections, part.source_count())
                    && (part.sources.get(source as usize))
                        .is_some_and(|source| source.reaches_at_once)
                {
                    events.push((*turn, source));
                }
            }
        }
        // Those of one turn are of one rank, and keep their order.
        events.sort_by_key(|(turn, _)| *turn);
        (events, draws)
    }

    fn supposed(&self, (events, draws): &Deeds) -> Supposed {
        let part = &self.part;
        let is_for_us = |(_, source): &&(u32, u32)| {
            let source = *source as usize;
            let is_foreign = part
                .sources
                .get(source)
                .is_some_and(|source| source.rank != part.rank);
            is_foreign && part.here.get(source).is_some_and(|here| here.at_once)
        };
        Supposed {
            events: events.iter().filter(is_for_us).copied().collect(),
            draws: self.before_segments(draws),
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

    /// The events that are new in `next`, if nothing else is, and all of them come after the last position of
    /// this rank.
    fn only_later<'n>(&self, supposed: &Supposed, next: &'n Supposed) -> Option<&'n [(u32, u32)]> {
        let more = next.events.strip_prefix(supposed.events.as_slice())?;
        let end = self.part.items.last().map_or(0, |item| item.turns.end);
        let is_later = more.iter().all(|(turn, _)| *turn >= end);
        (is_later && next.draws == supposed.draws).then_some(more)
    }

    /// Makes the step final: events with delays go on their way, rank 0 records.
    fn end_step(
        &self,
        notes: &mut Notes,
        state: &mut State,
        base: JavaRandom,
        own: Entries,
        mut all: Vec<Told>,
    ) {
        let part = &self.part;
        let (_, draws) = self.deeds(&all);
        // The entries of all ranks in the order of their turns.
        if let Some(told) = all.get_mut(usize::from(part.rank)) {
            told.entries = own;
        }
        let mut entries: Entries = all.iter().flat_map(|told| &told.entries).copied().collect();
        entries.sort_by_key(|(turn, _)| *turn);
        let fault = all.iter_mut().find_map(|told| told.fault.take());
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
        // The random numbers go on after those of all ranks.
        state.random = base;
        state.random.skip(draws.iter().sum());
        notes.draws = draws;
        // Values of others that are recorded.
        if part.rank == 0 {
            for (slots, told) in part.probes.iter().zip(&all) {
                for (slot, value) in slots.iter().zip(&told.values) {
                    if let Some(place) = state.memory.get_mut(*slot as usize) {
                        *place = f64::from_bits(*value);
                    }
                }
            }
        }
    }

    fn exchange(&self, own: &Told, has_rows: bool) -> Result<Vec<Told>, Left> {
        let own_draws = self
            .segments_of(self.part.rank)
            .filter_map(|segment| own.draws.get(segment).copied());
        let mut words: Vec<u64> = own_draws.collect();
        words.push(own.entries.len() as u64);
        let entry = |(turn, code): &(u32, u32)| u64::from(*turn) << 32 | u64::from(*code);
        words.extend(own.entries.iter().map(entry));
        words.extend(&own.values);
        if let Some(fault) = &own.fault {
            fault_as_words(fault, &mut words);
        }
        let all = self.ranks.gather(Kind::Step, words)?;
        let read = |(rank, words): (u16, Vec<u64>)| {
            self.read(rank, &words, has_rows).ok_or_else(out_of_step)
        };
        (0..).zip(all).map(read).collect()
    }

    /// Segments of a rank.
    fn segments_of(&self, rank: u16) -> impl Iterator<Item = usize> {
        let segments = self.part.segments.iter().enumerate();
        segments
            .filter(move |(_, segment)| segment.rank == rank)
            .map(|(place, _)| place)
    }

    /// What a rank tells with these words.
    fn read(&self, rank: u16, words: &[u64], has_rows: bool) -> Option<Told> {
        let mut told = Told {
            draws: vec![0; self.part.segments.len()],
            ..Told::default()
        };
        let mut words = Words(words);
        for segment in self.segments_of(rank) {
            *told.draws.get_mut(segment)? = words.next()?;
        }
        for word in words.list()? {
            told.entries
                .push((u32::try_from(word >> 32).ok()?, low_half(*word)));
        }
        if has_rows {
            let probes = self.part.probes.get(usize::from(rank))?;
            told.values = words.take(probes.len())?.to_vec();
        }
        told.fault = words.fault();
        Some(told)
    }

    /// Exchanges all that the ranks hold; rank 0 takes it.
    fn gather_whole(&self, state: &mut State) -> Result<(), Left> {
        let part = &self.part;
        self.ranks.meet()?;
        let mut message = Vec::new();
        if part.rank != 0 {
            for slots in part.own_slots() {
                let values = state.memory.get(slots).unwrap_or_default();
                message.extend(values.iter().map(|value| value.to_bits()));
            }
            for event in state
                .queue
                .in_order()
                .iter()
                .filter(|event| part.has(event.action))
            {
                if let Action::Handle { handler, instance } = event.action {
                    let receiver = u64::from(handler) << 32 | u64::from(instance);
                    message.extend([event.time.to_bits(), receiver]);
                }
            }
        }
        let all = self.ranks.gather(Kind::Whole, message)?;
        if part.rank != 0 {
            return Ok(());
        }
        let own = state.queue.in_order().into_iter();
        let mut events: Vec<(f64, Action)> = own.map(|event| (event.time, event.action)).collect();
        for (slots, words) in part.slots.iter().zip(&all).skip(1) {
            let mut words = Words(words);
            for slots in slots {
                let own = state
                    .memory
                    .get_mut(slots.start as usize..slots.end as usize);
                let own = own.ok_or_else(out_of_step)?;
                let values = words.take(own.len()).ok_or_else(out_of_step)?;
                for (slot, value) in own.iter_mut().zip(values) {
                    *slot = f64::from_bits(*value);
                }
            }
            for event in words.0.chunks_exact(2) {
                if let [time, receiver] = event {
                    let handler = u32::try_from(receiver >> 32).unwrap_or(u32::MAX);
                    let instance = low_half(*receiver);
                    events.push((f64::from_bits(*time), Action::Handle { handler, instance }));
                }
            }
        }
        // Those of equal time on different ranks do not touch the same; those of one rank keep their order.
        events.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        state.queue.replace(events);
        Ok(())
    }
}

impl Backend for RankBackend {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        self.inner.advance(state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        self.inner.handle(state, handler, instances);
    }

    /// Makes one step; the state has a fault if the others are not there any more.
    fn steps(&self, state: &mut State, time: &mut f64, step: f64, most: u64) -> u64 {
        // With cables the time is a multiple of the step, with a rounding error far below one step.
        let steps = lems_math::saturating_u64((*time / step).round());
        let end = self.part.program.clock.end_of_step(steps, *time, step);
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        match self.make_step(&mut notes, state, (end, step), most == 1) {
            Ok(()) => *time = end,
            Err(Left(message)) => state.fault = Some(Fault::Left { message }),
        }
        1
    }

    fn collect(&self, state: &mut State) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        notes.is_begun = false;
        if let Err(Left(message)) = self.gather_whole(state) {
            state.fault = Some(Fault::Left { message });
        }
    }
}

fn low_half(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0)
}

/// Words that are read from the first on.
struct Words<'w>(&'w [u64]);

impl<'w> Words<'w> {
    fn next(&mut self) -> Option<u64> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> Option<&'w [u64]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of words, and so many words.
    fn list(&mut self) -> Option<&'w [u64]> {
        let count = usize::try_from(self.next()?).ok()?;
        self.take(count)
    }

    /// The fault that the rest tells of.
    fn fault(&mut self) -> Option<Fault> {
        let [number, limit, time] = [self.next()?, self.next()?, self.next()?];
        let time = f64::from_bits(time);
        let receiver = unpacked(self.0)?;
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
            4 => Fault::Left { message: receiver },
            _ => Fault::Ended { time },
        })
    }
}

fn fault_as_words(fault: &Fault, words: &mut Vec<u64>) {
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
        Fault::Left { message } => (4, 0, 0.0, message.as_str()),
        Fault::Ended { time } => (0, 0, *time, ""),
    };
    words.extend([number, limit, time.to_bits()]);
    words.extend(packed(text));
}
