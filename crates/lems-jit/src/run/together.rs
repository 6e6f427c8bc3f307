//! Computing many instances together, block by block, on one thread or several.

use std::sync::Mutex;

use lems_index::narrow;
use lems_ir::{Backend, Call, Program, Solver, State};

use crate::codegen::abi::Emission;
use crate::error::JitError;
use crate::machine::{CompiledBlock, Machine, SharedMemory, Work};
use crate::plan::block::{BlockPlan, NODES_OF_A_SHARE};
use crate::plan::rollback::Reach;
use crate::run::cables::{BatchScratch, Batches};
use crate::run::commit::{Commit, Deferred};
use crate::run::in_order::{HasWork, InOrderQueue};
use crate::run::team::{Team, locked};
use crate::run::undo::{Speculation, UndoLog};
use crate::run::work_stealing::WorkStealing;

/// Threads, and what they need to work together on a step.
pub(crate) struct Together {
    team: Team<Worker>,
    stealing: WorkStealing,
    /// By position in the window of an [`InOrderQueue`].
    speculations: Vec<Mutex<Speculation>>,
}

/// What a thread needs for a step besides the state.
#[derive(Default)]
struct Worker {
    buffers: Vec<f64>,
    speculation: Speculation,
    scratch: BatchScratch,
}

impl Together {
    /// For a number of threads, and kernels with these plans.
    ///
    /// # Errors
    ///
    /// If the threads cannot be started.
    pub(crate) fn new<'b>(
        threads: usize,
        plans: impl Iterator<Item = &'b BlockPlan>,
    ) -> Result<Together, JitError> {
        let window = plans.map(|plan| plan.reach(narrow(threads)).window).max();
        Ok(Together {
            team: Team::new(threads)?,
            stealing: WorkStealing::new(threads),
            speculations: (0..window.unwrap_or(0)).map(|_| Mutex::default()).collect(),
        })
    }

    /// Computes the instances of a call, and delivers their events as if one instance had come after
    /// another. Handlers of events that are delivered at once run in `backend`.
    pub(crate) fn advance(
        &self,
        machine: &Machine<'_>,
        backend: &dyn Backend,
        block: &CompiledBlock,
        state: &mut State,
        call: Call,
        (time, step): (f64, f64),
    ) {
        let (work, odd) = Work::new(machine, block, state, call, time, step);
        match (block.plan.has_tail, block.plan.independence.interferes()) {
            (true, _) => self.with_tail(&work, backend, state),
            (false, true) => self.in_units(machine, &work, state, call.kernel),
            (false, false) => self.in_shares(machine, &work, state, call.kernel),
        }
        // Blocks have even numbers of instances.
        if !odd.is_empty() {
            let last = Call {
                first: odd.start,
                ..call
            };
            machine.advance(backend, state, last, time, step);
        }
    }

    /// Advances the potentials of cables of a program in its memory by a step, in seconds.
    ///
    /// # Panics
    ///
    /// If a slot is not in the memory.
    pub(crate) fn solve(
        &self,
        program: &Program,
        batches: &Batches,
        memory: &mut [f64],
        (solver, step): (Solver, f64),
    ) {
        let most = narrow(batches.nodes / NODES_OF_A_SHARE).max(1);
        let batches = batches.all.as_slice();
        let threads = self.team.size().min(most);
        self.stealing.deal(0..narrow(batches.len()), threads);
        let memory = SharedMemory::of(memory);
        self.team.run(threads, |worker, thread| {
            while let Some(range) = self.stealing.take(thread, BATCHES_AT_A_TIME) {
                for batch in &batches[range.start as usize..range.end as usize] {
                    batch.advance(program, memory, solver, step, &mut worker.scratch);
                }
            }
        });
    }

    /// Computes blocks one after another, each with its tail, whose events are delivered at once.
    fn with_tail(&self, work: &Work<'_>, backend: &dyn Backend, state: &mut State) {
        let stride = work.block.plan.stride;
        let Some(mut worker) = self.team.workers().next() else {
            return;
        };
        let all = work.instances();
        for first in all.clone().step_by(stride as usize) {
            let instances = first..all.end.min(first.saturating_add(stride));
            work.advance_at_once(backend, state, &mut worker.buffers, instances);
        }
    }

    /// Computes instances that no event of the others reaches at once: threads take blocks in any order,
    /// and all events are delivered at the end.
    fn in_shares(&self, machine: &Machine<'_>, work: &Work<'_>, state: &mut State, kernel: u32) {
        let plan = &work.block.plan;
        let all = work.instances();
        let call = Call {
            kernel,
            first: all.start,
            last: all.end,
        };
        // The blocks, on several threads.
        let threads = plan.threads(call, self.team.size());
        self.stealing.deal(all, threads);
        self.team.run(threads, |worker, thread| {
            while let Some(instances) = self.stealing.take(thread, plan.stride) {
                work.advance(&mut worker.buffers, &mut worker.speculation, instances);
            }
        });
        // The events, in the order of the instances.
        let mut log = Vec::new();
        for mut worker in self.team.workers() {
            log.append(&mut worker.speculation.log);
        }
        if !log.is_empty() {
            log.sort_by_key(|emission| emission.instance);
            let (undo, mut deferred) = (UndoLog::default(), Vec::new());
            let ahead = call.last..call.last;
            let commit = Commit::new(machine, work.block, call, &undo, ahead, &mut deferred);
            commit.run(state, log.iter(), work.time, work.step);
        }
    }

    /// Computes instances that may send each other events. Threads take units of some blocks in any
    /// order, but commit them in order: the events of a unit are delivered before those of the next.
    fn in_units(&self, machine: &Machine<'_>, work: &Work<'_>, state: &mut State, kernel: u32) {
        // How the call is cut into units.
        let plan = &work.block.plan;
        let all = work.instances();
        let call = Call {
            kernel,
            first: all.start,
            last: all.end,
        };
        let threads = work.block.threads(call, self.team.size());
        let Reach { unit, window } = plan.reach(threads);
        let units = Units { call, unit };
        let count = (call.last - call.first).div_ceil(unit);
        let speculation_of = |unit: u32| locked(&self.speculations[(unit % window) as usize]);
        let committer: Mutex<(&mut State, Vec<Deferred>)> = Mutex::new((state, Vec::new()));
        let queue = (threads > 1).then(|| InOrderQueue::new(count, window));
        self.team.run(threads, |worker, _| {
            // Computing a unit, which leaves work for its commit if it sends events.
            let mut compute = |unit: u32| {
                let mut speculation = speculation_of(unit);
                speculation.log.clear();
                let made = units.call_of(unit);
                if work.block.copies() {
                    let columns = &plan.independence.stored;
                    let links = &machine.program().links;
                    (speculation.undo).reserve(columns, links, made.first..made.last);
                }
                for first in (made.first..made.last).step_by(plan.stride as usize) {
                    let instances = first..made.last.min(first.saturating_add(plan.stride));
                    work.advance(&mut worker.buffers, &mut speculation, instances);
                }
                if threads > 1 {
                    fetch_routes(machine.program(), &speculation.log);
                }
                HasWork::of(!speculation.log.is_empty())
            };
            // Committing a unit, which leaves work for later commits if it defers events.
            let commit = |unit: u32| {
                let speculation = speculation_of(unit);
                let (state, deferred) = &mut *locked(&committer);
                let made = units.call_of(unit);
                let ahead = made.last..units.end_of(unit.saturating_add(window));
                let undo = &speculation.undo;
                let commit = Commit::new(machine, work.block, made, undo, ahead, deferred);
                commit.deliver_deferred(state);
                commit.run(state, speculation.log.iter(), work.time, work.step);
                HasWork::of(!deferred.is_empty())
            };
            match &queue {
                Some(queue) => queue.take_part(compute, commit),
                None => {
                    for unit in 0..count {
                        if compute(unit) == HasWork::Yes {
                            commit(unit);
                        }
                    }
                }
            }
        });
    }
}

/// Batches of cables that a thread takes at a time, an even number.
const BATCHES_AT_A_TIME: u32 = 2;

/// A call that is cut into units of work.
struct Units {
    call: Call,
    /// Instances of a unit, except those of the last one.
    unit: u32,
}

impl Units {
    /// One after the last instance of the first `units` units.
    fn end_of(&self, units: u32) -> u32 {
        let end = (self.call.first).saturating_add(units.saturating_mul(self.unit));
        end.min(self.call.last)
    }

    /// The part of the call that a unit computes.
    fn call_of(&self, unit: u32) -> Call {
        Call {
            kernel: self.call.kernel,
            first: self.end_of(unit),
            last: self.end_of(unit + 1),
        }
    }
}

/// Brings the routes of events into the cache while other threads commit theirs. The commit of these events
/// then does not wait for memory at each step of the way from a source to its receivers.
fn fetch_routes(program: &Program, log: &[Emission]) {
    let routes = &program.routes;
    let receivers = log.iter().flat_map(|event| routes.receivers(event.source));
    let firsts = receivers.filter_map(|receivers| receivers.numbers.first());
    std::hint::black_box(firsts.fold(0, |all, number| all ^ number));
}
