//! Several steps with one exchange.
//!
//! If ranks send one another only events with delays, no rank needs anything of the others in as many steps as fit into the
//! least delay: a window. Each rank makes the steps of a window at once and notes what is recorded and sent in each. Then all
//! exchange their notes. Events are put in the queue in the order of sending, that of all steps and ranks.
//!
//! The run sees the steps one after another nevertheless: for each, what is recorded in it is put where the run looks for it. A
//! window ends where the run looks at more: at a checkpoint, for instance.

use std::collections::VecDeque;

use lems_ir::{Ahead, Fault, State};

use crate::ranks::{Disconnected, Kind, out_of_step};
use crate::step::{Assumptions, Entries, Notes, RankBackend, Report};
use crate::words::Words;

/// Most steps of a window, which bounds what is kept of recorded values.
const MOST: u64 = 256;

/// What a rank keeps of a window.
#[derive(Default)]
pub(crate) struct Window {
    /// What the run makes next; none if it has not said so.
    ahead: Option<Ahead>,
    /// Most steps of a window; none if the ranks have not agreed yet.
    length: Option<u64>,
    /// Steps that are made, and that the run has not seen yet.
    made: VecDeque<Made>,
}

/// What the run sees of a step.
struct Made {
    time: f64,
    /// Event selections that have fired.
    recorded: Vec<u32>,
    /// Recorded slots and their values.
    values: Vec<(u32, f64)>,
    fault: Option<Fault>,
}

/// What a rank knows of a step before the exchange.
struct Own {
    time: f64,
    has_row: bool,
    entries: Entries,
    /// Recorded slots of rank 0 and their values.
    values: Vec<(u32, f64)>,
}

impl Window {
    pub(crate) fn expect(&mut self, ahead: Ahead) {
        self.ahead = Some(ahead);
    }
}

impl RankBackend {
    /// Makes a step. Those of the same window after the first are made already.
    pub(crate) fn step_of_window(
        &self,
        notes: &mut Notes,
        state: &mut State,
        time: &mut f64,
        (done, step): (u64, f64),
        has_row: bool,
    ) -> Result<(), Disconnected> {
        if notes.window.made.is_empty() {
            let (most, first_row, every) = self.next_window(notes, step, has_row)?;
            let has_row = |place: u64| match place.checked_sub(first_row) {
                Some(over) => over.is_multiple_of(every),
                None => false,
            };
            let places = (0..most).map(|place| (done + place, has_row(place)));
            self.make_window(notes, state, (*time, step), places)?;
        }
        let made = notes.window.made.pop_front().ok_or_else(out_of_step)?;
        if let Some(ahead) = &mut notes.window.ahead {
            ahead.done += 1;
        }
        *time = made.time;
        state.recorded = made.recorded;
        for (slot, value) in made.values {
            if let Some(place) = state.memory.get_mut(slot as usize) {
                *place = value;
            }
        }
        state.fault = made.fault;
        Ok(())
    }

    /// The number of steps of the next window, the place of the first with a row, and how often one follows.
    fn next_window(
        &self,
        notes: &mut Notes,
        step: f64,
        has_row: bool,
    ) -> Result<(u64, u64, u64), Disconnected> {
        let window = &mut notes.window;
        let Some(ahead) = window.ahead else {
            return Ok((1, if has_row { 0 } else { u64::MAX }, 1));
        };
        let most = match window.length {
            Some(length) => length,
            None => *window.length.insert(self.agree(step)?),
        };
        let most = most.min(ahead.until.saturating_sub(ahead.done)).max(1);
        // The first row is that of the step after which their number is a multiple.
        Ok(match ahead.done.checked_rem(ahead.every) {
            Some(over) => (most, ahead.every - over - 1, ahead.every),
            None => (most, u64::MAX, 1),
        })
    }

    /// The number of steps that all ranks can make without one another.
    fn agree(&self, step: f64) -> Result<u64, Disconnected> {
        let delay = self.part.least_delay();
        let least = self.ranks.least(delay.map(f64::to_bits))?;
        // The times of steps are sums, whose rounding errors are far below a step.
        let steps = |delay: u64| (f64::from_bits(delay) / step).ceil() - 1.0;
        let steps = least.map_or(MOST, |delay| lems_math::saturating_u64(steps(delay)));
        Ok(steps.clamp(1, MOST))
    }

    /// Makes the steps with some numbers; each may have a row.
    fn make_window(
        &self,
        notes: &mut Notes,
        state: &mut State,
        (mut time, step): (f64, f64),
        steps: impl Iterator<Item = (u64, bool)>,
    ) -> Result<(), Disconnected> {
        let mut base = state.random.clone();
        let (mut own, mut words) = (Vec::new(), Vec::new());
        for (done, has_row) in steps {
            time = self.part.program.clock.end_of_step(done, time, step);
            let random = state.random.clone();
            let mut results = self.deliver(state, (time, step));
            let nothing = Assumptions::default();
            self.run(state, &random, &nothing, &mut results, (time, step));
            // If this rank draws, it is the only one.
            state.random = random;
            state.random.skip(results.draws.iter().sum());
            self.write(&self.report(state, &results, has_row), &mut words);
            own.push(Own {
                time,
                has_row,
                entries: results.entries,
                values: self.own_values(state),
            });
            if state.fault.is_some() {
                break;
            }
        }
        let all = self.ranks.gather(Kind::Step, words)?;
        let mut all: Vec<Words<'_>> = all.iter().map(|words| Words(words)).collect();
        // Each step ends as if the others had not been made yet.
        let now = state.now;
        for own in own {
            let ranks = (0..).zip(&mut all);
            let reports = ranks.map(|(rank, words)| self.read(rank, words, own.has_row));
            let reports: Option<Vec<Report>> = reports.collect();
            let mut reports = reports.ok_or_else(out_of_step)?;
            state.now = own.time;
            self.commit(notes, state, base, own.entries, &mut reports);
            base = state.random.clone();
            let mut values = own.values;
            values.extend(self.values(&reports));
            let fault = state.fault.take();
            let is_last = fault.is_some();
            notes.window.made.push_back(Made {
                time: own.time,
                recorded: std::mem::take(&mut state.recorded),
                values,
                fault,
            });
            if is_last {
                break;
            }
        }
        state.now = now;
        Ok(())
    }

    /// On rank 0: its recorded slots and their values.
    fn own_values(&self, state: &State) -> Vec<(u32, f64)> {
        let value = |slot: &u32| Some((*slot, *state.memory.get(*slot as usize)?));
        self.part.own_probes.iter().filter_map(value).collect()
    }
}
