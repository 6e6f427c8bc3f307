//! Units of work that several threads compute in any order, and commit in order.
//!
//! This is what a processor calls a reorder buffer.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::run::wait::{take_turns, wait_for};

/// A queue of units, of which a few at a time, the window, are computed but not committed yet.
///
/// A thread that has computed a unit commits all computed units whose turn it is, while other threads
/// compute further units of the window.
pub(crate) struct InOrderQueue {
    units: u32,
    window: u32,
    progress: Mutex<Progress>,
    /// Counts the changes that waiting threads may be waiting for.
    changes: AtomicU32,
}

struct Progress {
    /// The first unit that no thread has taken.
    next: u32,
    /// The first unit that is not committed.
    uncommitted: u32,
    /// Whether a thread is committing it.
    committing: bool,
    /// For each position in the window: whether the unit is computed, and if so, whether its commit has work.
    computed: Vec<Option<HasWork>>,
    /// Whether the last commit has left work for later commits.
    left: HasWork,
    /// Whether a thread has failed, so that no further unit will be committed.
    failed: bool,
}

/// Whether a commit has anything to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum HasWork {
    No,
    Yes,
}

impl HasWork {
    pub(crate) fn of(has_work: bool) -> HasWork {
        if has_work { HasWork::Yes } else { HasWork::No }
    }
}

impl InOrderQueue {
    /// A queue of `units` units. At most `window` of them, and at least one, are computed or being computed
    /// but not committed at any time.
    pub(crate) fn new(units: u32, window: u32) -> InOrderQueue {
        let window = window.max(1);
        InOrderQueue {
            units,
            window,
            progress: Mutex::new(Progress {
                next: 0,
                uncommitted: 0,
                committing: false,
                computed: vec![None; window as usize],
                left: HasWork::No,
                failed: false,
            }),
            changes: AtomicU32::new(0),
        }
    }

    /// Computes and commits units until all are committed.
    ///
    /// `compute(unit)` returns whether `commit(unit)` has anything to do. `commit` runs in unit order, on
    /// one thread at a time, and returns whether it has left work for later units. It is skipped for a unit
    /// if neither says that there is work.
    pub(crate) fn take_part(
        &self,
        mut compute: impl FnMut(u32) -> HasWork,
        mut commit: impl FnMut(u32) -> HasWork,
    ) {
        let mut progress = self.progress();
        while progress.uncommitted < self.units && !progress.failed {
            if let Some(work) = self.to_commit(&progress) {
                // Commit the next unit, outside the lock.
                let unit = progress.uncommitted;
                if work == HasWork::Yes {
                    progress.committing = true;
                    drop(progress);
                    let left = self.or_fail(|| commit(unit));
                    progress = self.progress();
                    progress.committing = false;
                    progress.left = left;
                }
                progress.computed[self.position(unit)] = None;
                progress.uncommitted += 1;
                self.changes.fetch_add(1, Ordering::Release);
            } else if progress.next < self.units.min(progress.uncommitted + self.window) {
                // Compute the next unit of the window, outside the lock.
                let unit = progress.next;
                progress.next += 1;
                drop(progress);
                let work = self.or_fail(|| compute(unit));
                progress = self.progress();
                progress.computed[self.position(unit)] = Some(work);
                self.changes.fetch_add(1, Ordering::Release);
            } else {
                // Wait until another thread has computed or committed something.
                let known = self.changes.load(Ordering::Acquire);
                drop(progress);
                wait_for(|| (self.changes.load(Ordering::Acquire) != known).then_some(()));
                progress = self.progress();
            }
        }
    }

    /// Whether the commit of the next unit has work, if the unit is computed and no thread commits it.
    fn to_commit(&self, progress: &Progress) -> Option<HasWork> {
        let computed = progress.computed[self.position(progress.uncommitted)];
        let work = computed.filter(|_| !progress.committing)?;
        Some(work.max(progress.left))
    }

    /// Position of a unit in the window.
    fn position(&self, unit: u32) -> usize {
        (unit % self.window) as usize
    }

    /// Runs `act`. If it panics, all other threads leave instead of waiting for ever.
    fn or_fail(&self, act: impl FnOnce() -> HasWork) -> HasWork {
        let _failure = Failure(self);
        take_turns();
        act()
    }

    /// Locks the progress, without sleep: no thread keeps it for long.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        wait_for(|| match self.progress.try_lock() {
            Ok(progress) => Some(progress),
            Err(TryLockError::Poisoned(progress)) => Some(progress.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

/// Tells the other threads about a panic when it is dropped.
struct Failure<'q>(&'q InOrderQueue);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.progress().failed = true;
            self.0.changes.fetch_add(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_committed_in_order_after_they_are_computed() {
        for (threads, window) in [(1, 1), (1, 4), (2, 3), (4, 8)] {
            let queue = InOrderQueue::new(200, window);
            let computed = Mutex::new(vec![false; 200]);
            let committed = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        queue.take_part(
                            |unit| {
                                computed.lock().unwrap()[unit as usize] = true;
                                match unit % 3 {
                                    0 => HasWork::No,
                                    _ => HasWork::Yes,
                                }
                            },
                            |unit| {
                                let mut committed = committed.lock().unwrap();
                                let computed = computed.lock().unwrap();
                                let taken = computed.iter().filter(|computed| **computed).count();
                                assert!(computed[unit as usize]);
                                assert!(taken <= (unit + window) as usize);
                                committed.push(unit);
                                match unit % 10 {
                                    8 => HasWork::Yes,
                                    _ => HasWork::No,
                                }
                            },
                        );
                    });
                }
            });
            let committed = committed.into_inner().unwrap();
            // Also units that have no work of their own, but work from the unit before.
            let own = |unit: u32| !unit.is_multiple_of(3);
            let left = |unit: &u32| own(*unit) || (unit % 10 == 9 && own(unit - 1));
            assert!(committed.into_iter().eq((0..200).filter(left)));
        }
    }

    #[test]
    fn a_panic_ends_the_work_of_all() {
        for failing in ["compute", "commit"] {
            let queue = InOrderQueue::new(1000, 4);
            let fail = |unit: u32, what| {
                assert!(unit != 20 || what != failing, "as wanted");
                HasWork::Yes
            };
            let failed = std::thread::scope(|scope| {
                let part =
                    || queue.take_part(|unit| fail(unit, "compute"), |unit| fail(unit, "commit"));
                let threads = [scope.spawn(part), scope.spawn(part)];
                let ends = threads.map(|thread| thread.join());
                ends.iter().filter(|end| end.is_err()).count()
            });
            assert_eq!(failed, 1, "{failing}");
        }
    }
}
