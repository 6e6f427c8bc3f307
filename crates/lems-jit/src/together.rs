//! How many instances make a step together, block by block, in one or several threads.

use lems_index::narrow;
use std::sync::Mutex;
use std::sync::atomic::AtomicPtr;

use lems_ir::{Call, State};

use crate::belt::{Belt, Rest};
use crate::native::Work;
use crate::plan::BlockPlan;
use crate::saved::Saved;
use crate::senders::Reach;
use crate::settle::{Emission, Settling};
use crate::shares::Shares;
use crate::team::{Team, locked};
use crate::{CompiledProgram, JitError};

/// Threads, and what they need to work together on a step.
pub(crate) struct Together {
    team: Team<Worker>,
    shares: Shares,
    /// By unit in the window of a [`Belt`].
    kept: Vec<Mutex<Kept>>,
}

impl Together {
    /// For a number of threads, and kernels that have these plans.
    ///
    /// # Errors
    ///
    /// If there are no such threads.
    pub(crate) fn new<'b>(
        threads: usize,
        plans: impl Iterator<Item = &'b BlockPlan>,
    ) -> Result<Together, JitError> {
        let window = plans.map(|plan| plan.reach(narrow(threads)).window).max();
        Ok(Together {
            team: Team::new(threads)?,
            shares: Shares::new(threads),
            kept: (0..window.unwrap_or(0)).map(|_| Mutex::default()).collect(),
        })
    }
}

/// What a thread needs for a step besides the state.
#[derive(Default)]
struct Worker {
    buffers: Vec<f64>,
    kept: Kept,
}

/// What is kept of some instances that made their step together.
#[derive(Default)]
pub(crate) struct Kept {
    /// What they held before, if an event may take them back.
    pub(crate) saved: Saved,
    /// Where it is saved, while a block is computed.
    pub(crate) copies: Vec<AtomicPtr<f64>>,
    /// The events that they sent.
    pub(crate) log: Vec<Emission>,
}

impl CompiledProgram<'_> {
    /// Computes instances that no event of the others reaches at once.
    pub(crate) fn advance_in_shares(&self, work: &Work<'_>, state: &mut State, call: Call) {
        let plan = &work.block.plan;
        let Together { team, shares, .. } = self.together();
        let threads = plan.threads(call, team.size());
        shares.deal(call.first..call.last, threads);
        team.run(threads, |worker, thread| {
            while let Some(instances) = shares.take(thread, plan.stride) {
                work.advance(&mut worker.buffers, &mut worker.kept, instances);
            }
        });
        let mut log = Vec::new();
        for mut worker in team.workers() {
            log.append(&mut worker.kept.log);
        }
        if !log.is_empty() {
            log.sort_by_key(|emission| emission.instance);
            let (none, mut deferred) = (Saved::default(), Vec::new());
            let nobody = call.last..call.last;
            Settling::new(self, work.block, call, &none, nobody, &mut deferred).settle(
                state,
                log.iter(),
                work.time,
                work.step,
            );
        }
    }

    /// Computes instances block by block, each with its tail, whose events are delivered at once.
    pub(crate) fn advance_with_tail(&self, work: &Work<'_>, state: &mut State, call: Call) {
        let stride = work.block.plan.stride;
        let Some(mut worker) = self.together().team.workers().next() else {
            return;
        };
        for first in (call.first..call.last).step_by(stride as usize) {
            let instances = first..call.last.min(first.saturating_add(stride));
            work.advance_at_once(self, state, &mut worker.buffers, instances);
        }
    }

    /// Computes instances that may send each other events, unit by unit; the events of a unit are
    /// delivered before those of the next.
    pub(crate) fn advance_in_units(&self, work: &Work<'_>, state: &mut State, call: Call) {
        let plan = &work.block.plan;
        let Together { team, kept, .. } = self.together();
        let threads = work.block.threads(call, team.size());
        let Reach { unit, window } = plan.reach(threads);
        let end_of = |units: u32| {
            let end = call.first.saturating_add(units.saturating_mul(unit));
            end.min(call.last)
        };
        let units = (call.last - call.first).div_ceil(unit);
        let belt = (threads > 1).then(|| Belt::new(units, window));
        let kept_of = |unit: u32| locked(&kept[(unit % window) as usize]);
        let settled = Mutex::new((state, Vec::new()));
        team.run(threads, |worker, _| {
            let mut work_on = |unit: u32| {
                let mut kept = kept_of(unit);
                kept.log.clear();
                let (first, last) = (end_of(unit), end_of(unit + 1));
                if work.block.saves() {
                    let columns = &plan.independence.stored;
                    let links = &self.program().links;
                    kept.saved.make_room(columns, links, first..last);
                }
                for first in (first..last).step_by(plan.stride as usize) {
                    let instances = first..last.min(first.saturating_add(plan.stride));
                    work.advance(&mut worker.buffers, &mut kept, instances);
                }
                if threads > 1 {
                    self.fetch_routes(&kept.log);
                }
                Rest::of(!kept.log.is_empty())
            };
            let finish = |unit: u32| {
                let kept = kept_of(unit);
                let (state, deferred) = &mut *locked(&settled);
                let made = Call {
                    first: end_of(unit),
                    last: end_of(unit + 1),
                    ..call
                };
                let ahead = made.last..end_of(unit.saturating_add(window));
                let settling = Settling::new(self, work.block, made, &kept.saved, ahead, deferred);
                settling.deliver_deferred(state);
                settling.settle(state, kept.log.iter(), work.time, work.step);
                Rest::of(!deferred.is_empty())
            };
            match &belt {
                Some(belt) => belt.take_part(work_on, finish),
                None => {
                    for unit in 0..units {
                        if work_on(unit) == Rest::Something {
                            finish(unit);
                        }
                    }
                }
            }
        });
    }

    /// Brings the routes of events into the cache while others settle theirs, so that settling these
    /// does not wait for memory at each step of the way from source to receivers.
    fn fetch_routes(&self, log: &[Emission]) {
        let routes = &self.program().routes;
        let receivers = log.iter().flat_map(|event| routes.receivers(event.source));
        let firsts = receivers.filter_map(|receivers| receivers.numbers.first());
        std::hint::black_box(firsts.fold(0, |all, number| all ^ number));
    }
}
