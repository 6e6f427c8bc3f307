//! The state of the whole run, gathered on rank 0 for a checkpoint.
//!
//! It is sent piece by piece, because every rank gets the messages of all: none needs room for the whole.

use std::ops::Range;

use lems_ir::{Action, State};

use crate::part::Part;
use crate::ranks::{Disconnected, Kind, Ranks, out_of_step};
use crate::words::{Words, low_half};

/// Half of the most words of a message.
const PIECE: usize = 1 << 16;

/// What a rank sends in one message.
enum Piece<'e> {
    Slots(Vec<Range<usize>>),
    Events(&'e [Event]),
}

/// A time in seconds, and what happens then.
type Event = (f64, Action);

/// Gathers the states of all ranks in the state of rank 0.
pub(crate) fn gather_state(
    ranks: &Ranks,
    part: &Part,
    state: &mut State,
) -> Result<(), Disconnected> {
    ranks.begin_gather()?;
    let events = state.queue.in_order().into_iter();
    let events = events.filter(|event| part.has(event.action));
    let own: Vec<Event> = events.map(|event| (event.time, event.action)).collect();
    if ranks.leads() {
        return receive(ranks, state, own);
    }
    let pieces = pieces(part, &own);
    let mut messages = pieces.iter().map(|piece| words(piece, state));
    while !exchange(ranks, messages.next().unwrap_or_default())?.is_empty() {}
    Ok(())
}

/// Receives all messages on rank 0, where `events` are on their way.
fn receive(ranks: &Ranks, state: &mut State, mut events: Vec<Event>) -> Result<(), Disconnected> {
    loop {
        let all = exchange(ranks, Vec::new())?;
        if all.is_empty() {
            break;
        }
        for words in &all {
            add(words, state, &mut events).ok_or_else(out_of_step)?;
        }
    }
    // Events of equal time on different ranks touch different variables. The sort is stable, so those of one rank
    // keep their order.
    events.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    state.queue.replace(events);
    Ok(())
}

/// Sends a message. Returns those of all, or nothing if no rank has anything to send.
fn exchange(ranks: &Ranks, message: Vec<u64>) -> Result<Vec<Vec<u64>>, Disconnected> {
    let mut all = ranks.gather(Kind::State, message)?;
    all.retain(|words| !words.is_empty());
    Ok(all)
}

/// All that a rank sends: its slots, then its events.
fn pieces<'e>(part: &Part, events: &'e [Event]) -> Vec<Piece<'e>> {
    let mut pieces = Vec::new();
    let (mut ranges, mut words) = (Vec::new(), 0);
    for slots in part.own_slots() {
        let mut start = slots.start;
        while start < slots.end {
            let end = slots.end.min(start + PIECE);
            words += 1 + (end - start);
            ranges.push(start..end);
            start = end;
            if words >= PIECE {
                pieces.push(Piece::Slots(std::mem::take(&mut ranges)));
                words = 0;
            }
        }
    }
    pieces.push(Piece::Slots(ranges));
    pieces.extend(events.chunks(PIECE / 2).map(Piece::Events));
    pieces
}

/// A piece as a message: the number of ranges, then each with its values; after them events.
fn words(piece: &Piece<'_>, state: &State) -> Vec<u64> {
    let mut words = Vec::new();
    match piece {
        Piece::Slots(ranges) => {
            words.push(ranges.len() as u64);
            for slots in ranges {
                words.push((slots.start as u64) << 32 | slots.end as u64);
                let values = state.memory.get(slots.clone()).unwrap_or_default();
                words.extend(values.iter().map(|value| value.to_bits()));
            }
        }
        Piece::Events(events) => {
            words.push(0);
            for (time, action) in *events {
                if let Action::Handle { handler, instance } = action {
                    let receiver = u64::from(*handler) << 32 | u64::from(*instance);
                    words.extend([time.to_bits(), receiver]);
                }
            }
        }
    }
    words
}

/// Adds what a message says to a state and its events. None if it makes no sense.
fn add(words: &[u64], state: &mut State, events: &mut Vec<Event>) -> Option<()> {
    let mut words = Words(words);
    for _ in 0..words.next()? {
        let slots = words.next()?;
        let (start, end) = ((slots >> 32) as usize, low_half(slots) as usize);
        let own = state.memory.get_mut(start..end)?;
        for (slot, value) in own.iter_mut().zip(words.take(end - start)?) {
            *slot = f64::from_bits(*value);
        }
    }
    for event in words.rest().chunks_exact(2) {
        if let [time, receiver] = event {
            let (handler, instance) = (low_half(receiver >> 32), low_half(*receiver));
            events.push((f64::from_bits(*time), Action::Handle { handler, instance }));
        }
    }
    Some(())
}
