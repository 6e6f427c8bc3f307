//! Threads that share the work of a step.

use lems_index::narrow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::JitError;

/// The calling thread and others, each with a worker: the buffers that only this thread uses.
pub(crate) struct Team<W> {
    workers: Vec<Mutex<W>>,
    /// The other threads, if there are any.
    others: Option<ThreadPool>,
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
            Some(others) if threads > 1 => others.in_place_scope(|scope| {
                let take_part = &take_part;
                for thread in 1..threads {
                    scope.spawn(move |_| take_part(thread));
                }
                take_part(0);
            }),
            _ => take_part(0),
        }
    }

    /// The workers of all threads, while no thread works.
    pub(crate) fn workers(&self) -> impl Iterator<Item = MutexGuard<'_, W>> {
        self.workers.iter().map(locked)
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
