//! Threads that share the work of a step.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lems_index::narrow;
use rayon::{ThreadPool, ThreadPoolBuilder, Yield};

use crate::error::JitError;
use crate::run::wait::wait_for;

/// How often a thread without work looks for some before it sleeps: for about a tenth of a millisecond. To
/// wake a thread takes as long as many a step, and the next work often comes sooner.
const LOOKS: u32 = 4_000;
/// How often it looks before it yields the processor to other programs.
const LOOKS_BETWEEN_YIELDS: u32 = 64;

/// The calling thread and others, each with a worker: the buffers that only this thread uses.
pub(crate) struct Team<W> {
    workers: Vec<Mutex<W>>,
    /// The other threads, if there are any.
    others: Option<ThreadPool>,
    /// Number of other threads that look for work instead of sleeping.
    awake: Arc<AtomicU32>,
}

impl<W: Default + Send> Team<W> {
    /// A team of `size` threads, including the calling thread.
    ///
    /// # Errors
    ///
    /// If the system does not start the threads.
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
            awake: Arc::default(),
        })
    }

    /// Number of threads, including the calling thread.
    pub(crate) fn size(&self) -> u32 {
        narrow(self.workers.len())
    }

    /// Runs `work` on the first `threads` threads, with the worker and the number of each thread; the
    /// calling thread has number zero. Returns when all threads are done.
    pub(crate) fn run(&self, threads: u32, work: impl Fn(&mut W, u32) + Sync) {
        let take_part = |thread: u32| {
            if let Some(worker) = self.workers.get(thread as usize) {
                work(&mut locked(worker), thread);
            }
        };
        match &self.others {
            Some(others) if threads > 1 => {
                self.wake(others);
                let working = AtomicU32::new(threads - 1);
                others.in_place_scope(|scope| {
                    let (take_part, working) = (&take_part, &working);
                    for thread in 1..threads {
                        scope.spawn(move |_| {
                            let _end = End(working);
                            take_part(thread);
                        });
                    }
                    take_part(0);
                    // At the end of the scope, rayon would sleep until the others are done.
                    wait_for(|| (working.load(Ordering::Acquire) == 0).then_some(()));
                });
            }
            _ => take_part(0),
        }
    }

    /// Makes the other threads look for work for a while, if all of them sleep.
    fn wake(&self, others: &ThreadPool) {
        if self.awake.load(Ordering::Relaxed) > 0 {
            return;
        }
        self.awake
            .fetch_add(narrow(others.current_num_threads()), Ordering::Relaxed);
        let awake = Arc::clone(&self.awake);
        others.spawn_broadcast(move |_| {
            let mut idle = 0;
            while idle < LOOKS {
                match rayon::yield_now() {
                    Some(Yield::Executed) => idle = 0,
                    Some(Yield::Idle) | None => idle += 1,
                }
                std::hint::spin_loop();
                // Others may need the processor more.
                if idle % LOOKS_BETWEEN_YIELDS == 0 {
                    std::thread::yield_now();
                }
            }
            awake.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// The workers of all threads, while no thread works.
    pub(crate) fn workers(&self) -> impl Iterator<Item = MutexGuard<'_, W>> {
        self.workers.iter().map(locked)
    }
}

/// Counts a thread as done when it is dropped, also after a panic.
struct End<'w>(&'w AtomicU32);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Release);
    }
}

/// Locks a mutex, also after a panic of another thread: the panic is passed on elsewhere.
pub(crate) fn locked<W>(worker: &Mutex<W>) -> MutexGuard<'_, W> {
    worker.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn all_work_is_done_in_the_threads_that_are_wanted() {
        let team: Team<Vec<u32>> = Team::new(8).unwrap();
        for threads in [1, 2, 3, 8] {
            let next = AtomicU32::new(0);
            team.run(threads, |worker, thread| {
                assert!(thread < threads);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= 20 {
                        return;
                    }
                    worker.push(number);
                }
            });
            let mut done: Vec<u32> = Vec::new();
            team.workers()
                .for_each(|mut worker| done.append(&mut worker));
            done.sort_unstable();
            assert!(done.into_iter().eq(0..20));
        }
    }

    #[test]
    fn a_panic_in_any_thread_is_passed_on() {
        let team: Team<()> = Team::new(2).unwrap();
        for guilty in [0, 1] {
            let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                team.run(2, |(), thread| assert_ne!(thread, guilty, "as wanted"));
            }));
            assert!(caught.is_err());
        }
    }
}
