//! Threads that take rounds of work together.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::JitError;

/// How often a thread looks whether it can go on before it lets others have the processor.
const LOOKS: u32 = 2_000;

/// The calling thread and others, each with something of its own to work with.
pub(crate) struct Team<W> {
    workers: Vec<Mutex<W>>,
    /// The other threads, if there are any.
    others: Option<ThreadPool>,
}

impl<W: Default + Send> Team<W> {
    /// A team of `size` threads, the calling one among them.
    ///
    /// # Errors
    ///
    /// If there are no such threads.
    pub(crate) fn new(size: usize) -> Result<Self, JitError> {
        let others = match size {
            1 => None,
            size => Some(
                (ThreadPoolBuilder::new().num_threads(size - 1).build())
                    .map_err(|error| JitError::Threads(error.to_string()))?,
            ),
        };
        Ok(Team {
            workers: (0..size).map(|_| Mutex::default()).collect(),
            others,
        })
    }

    pub(crate) fn size(&self) -> u32 {
        self.workers.len() as u32
    }

    /// In each round, `work` runs in the calling thread and in those of the first `threads` threads
    /// that come before it is done there, with a worker and the number of the thread; then `between`
    /// runs in the calling thread, with all workers and the number of the round.
    ///
    /// Others are woken once for all rounds; within them, they wait without sleep. One that has no
    /// processor is not waited for, so `work` must get everything done in any of them.
    pub(crate) fn rounds(
        &self,
        threads: u32,
        rounds: u32,
        work: impl Fn(&mut W, u32) + Sync,
        mut between: impl FnMut(&mut [MutexGuard<'_, W>], u32),
    ) {
        let workers = self.workers.get(..threads as usize).unwrap_or_default();
        if let [own] = workers {
            let mut own = [locked(own)];
            for round in 0..rounds {
                own.iter_mut().for_each(|worker| work(worker, 0));
                between(&mut own, round);
            }
            return;
        }
        let gate = Gate::default();
        let take_part = |thread: u32| {
            if let Some(worker) = workers.get(thread as usize) {
                work(&mut locked(worker), thread);
            }
        };
        let mut lead = || {
            let _end = End(&gate);
            for round in 0..rounds {
                gate.open(round);
                take_part(0);
                gate.close();
                let mut workers: Vec<_> = workers.iter().map(locked).collect();
                between(&mut workers, round);
            }
        };
        let follow = |thread: u32| {
            let mut passed = CLOSED;
            while let Some(round) = gate.wait_for_other_than(passed) {
                gate.pass(round, || take_part(thread));
                passed = round;
            }
        };
        match &self.others {
            Some(others) => others.in_place_scope(|scope| {
                let follow = &follow;
                for thread in 1..threads {
                    scope.spawn(move |_| follow(thread));
                }
                lead();
            }),
            None => lead(),
        }
    }
}

fn locked<W>(worker: &Mutex<W>) -> MutexGuard<'_, W> {
    worker.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What others pass to take part in a round.
struct Gate {
    /// The round that is open, or [`CLOSED`], or [`ENDED`].
    open: AtomicU32,
    /// How many are behind it.
    inside: AtomicU32,
}

const CLOSED: u32 = u32::MAX;
const ENDED: u32 = u32::MAX - 1;

impl Default for Gate {
    fn default() -> Self {
        Gate {
            open: AtomicU32::new(CLOSED),
            inside: AtomicU32::new(0),
        }
    }
}

impl Gate {
    fn open(&self, round: u32) {
        self.open.store(round, Ordering::SeqCst);
    }

    /// Lets nobody in any more, and waits for those who are inside.
    fn close(&self) {
        self.open.store(CLOSED, Ordering::SeqCst);
        wait_until(|| self.inside.load(Ordering::SeqCst) == 0);
    }

    /// Waits until a round is open that is not `passed`; `None` at the end.
    fn wait_for_other_than(&self, passed: u32) -> Option<u32> {
        let mut open = CLOSED;
        wait_until(|| {
            open = self.open.load(Ordering::SeqCst);
            open != passed && open != CLOSED
        });
        (open != ENDED).then_some(open)
    }

    /// Does something inside, if the round is still open.
    fn pass(&self, round: u32, act: impl FnOnce()) {
        let _inside = Inside::enter(self);
        // Who closes the gate looks inside after it; who comes in looks at the gate after it.
        if self.open.load(Ordering::SeqCst) == round {
            act();
        }
    }
}

/// A stay behind the gate, which ends even with a panic.
struct Inside<'g>(&'g Gate);

impl<'g> Inside<'g> {
    fn enter(gate: &'g Gate) -> Self {
        gate.inside.fetch_add(1, Ordering::SeqCst);
        Inside(gate)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Ends the rounds when dropped, even with a panic.
struct End<'g>(&'g Gate);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.open.store(ENDED, Ordering::SeqCst);
    }
}

fn wait_until(mut ready: impl FnMut() -> bool) {
    let mut looks = 0_u32;
    while !ready() {
        looks = looks.saturating_add(1);
        match looks < LOOKS {
            true => std::hint::spin_loop(),
            false => std::thread::yield_now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_work_of_a_round_is_done_before_what_comes_between() {
        for threads in [1, 2, 3, 8] {
            let team: Team<Vec<u32>> = Team::new(8).unwrap();
            let next = AtomicU32::new(0);
            let mut rounds = Vec::new();
            team.rounds(
                threads,
                50,
                |worker, _| {
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= 20 {
                            return;
                        }
                        worker.push(number);
                    }
                },
                |workers, round| {
                    let mut done: Vec<u32> = Vec::new();
                    for worker in workers {
                        done.append(worker);
                    }
                    done.sort_unstable();
                    rounds.push((round, done));
                    next.store(0, Ordering::Relaxed);
                },
            );
            assert!(
                rounds
                    .into_iter()
                    .eq((0..50).map(|round| (round, (0..20).collect())))
            );
        }
    }

    #[test]
    fn a_panic_in_any_thread_ends_the_rounds() {
        let team: Team<()> = Team::new(2).unwrap();
        for guilty in [0, 1] {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                team.rounds(
                    2,
                    1000,
                    |(), thread| {
                        if thread == guilty {
                            panic!("as wanted");
                        }
                        std::thread::sleep(std::time::Duration::from_millis(1));
                    },
                    |_, _| {},
                );
            }));
            assert!(caught.is_err());
        }
    }
}
