//! Units of work that several threads do in any order, and finish one after the other.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, TryLockError};

use crate::wait::{take_turns, wait_for};

/// Units in a row, of which a few at a time, the window, are in work.
///
/// Whoever has done a unit finishes all that are done and whose turn it is, while others go on
/// with the window.
pub(crate) struct Belt {
    units: u32,
    window: u32,
    progress: Mutex<Progress>,
    /// Counts what may let those go on who wait.
    news: AtomicU32,
}

struct Progress {
    /// The first unit that nobody has taken.
    next: u32,
    /// The first unit that is not finished.
    unfinished: u32,
    /// Whether somebody is finishing it.
    finishing: bool,
    /// By unit in the window: whether it is done, and then, what is left to do.
    done: Vec<Option<Rest>>,
    /// What finished units have left for later ones.
    left: Rest,
    /// Whether somebody has failed, so that no more will be finished.
    failed: bool,
}

/// Whether there is anything to do when a unit is finished.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rest {
    Nothing,
    Something,
}

impl Rest {
    pub(crate) fn of(is_left: bool) -> Rest {
        match is_left {
            true => Rest::Something,
            false => Rest::Nothing,
        }
    }
}

impl Belt {
    /// A number of units; `window` of them, one at least, are taken and not finished at any time.
    pub(crate) fn new(units: u32, window: u32) -> Belt {
        let window = window.max(1);
        Belt {
            units,
            window,
            progress: Mutex::new(Progress {
                next: 0,
                unfinished: 0,
                finishing: false,
                done: vec![None; window as usize],
                left: Rest::Nothing,
                failed: false,
            }),
            news: AtomicU32::new(0),
        }
    }

    /// Does and finishes units until all are finished. `work` says whether it leaves something for
    /// `finish`, and this, whether it leaves something for later units; it is called only for units
    /// for which something is left, by one thread at a time.
    pub(crate) fn take_part(
        &self,
        mut work: impl FnMut(u32) -> Rest,
        mut finish: impl FnMut(u32) -> Rest,
    ) {
        let mut progress = self.progress();
        while progress.unfinished < self.units && !progress.failed {
            if let Some(rest) = self.to_finish(&progress) {
                let unit = progress.unfinished;
                if rest == Rest::Something {
                    progress.finishing = true;
                    drop(progress);
                    let left = self.or_fail(|| finish(unit));
                    progress = self.progress();
                    progress.finishing = false;
                    progress.left = left;
                }
                progress.done[self.place(unit)] = None;
                progress.unfinished += 1;
                self.news.fetch_add(1, Ordering::Release);
            } else if progress.next < self.units.min(progress.unfinished + self.window) {
                let unit = progress.next;
                progress.next += 1;
                drop(progress);
                let rest = self.or_fail(|| work(unit));
                progress = self.progress();
                progress.done[self.place(unit)] = Some(rest);
                self.news.fetch_add(1, Ordering::Release);
            } else {
                let known = self.news.load(Ordering::Acquire);
                drop(progress);
                wait_for(|| (self.news.load(Ordering::Acquire) != known).then_some(()));
                progress = self.progress();
            }
        }
    }

    /// What is left to do for the next unit to finish, if it is done and nobody does that.
    fn to_finish(&self, progress: &Progress) -> Option<Rest> {
        let done = progress.done[self.place(progress.unfinished)];
        let rest = done.filter(|_| !progress.finishing)?;
        Some(rest.max(progress.left))
    }

    /// Where a unit is in the window.
    fn place(&self, unit: u32) -> usize {
        (unit % self.window) as usize
    }

    /// Acts; a panic lets all others leave, who would wait for it for ever.
    fn or_fail(&self, act: impl FnOnce() -> Rest) -> Rest {
        let _failure = Failure(self);
        take_turns();
        act()
    }

    /// Waits without sleep: nobody keeps it for long.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        wait_for(|| match self.progress.try_lock() {
            Ok(progress) => Some(progress),
            Err(TryLockError::Poisoned(progress)) => Some(progress.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        })
    }
}

struct Failure<'b>(&'b Belt);

impl Drop for Failure<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.progress().failed = true;
            self.0.news.fetch_add(1, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_finished_in_order_after_they_are_done() {
        for (threads, window) in [(1, 1), (1, 4), (2, 3), (4, 8)] {
            let belt = Belt::new(200, window);
            let done = Mutex::new(vec![false; 200]);
            let finished = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        belt.take_part(
                            |unit| {
                                done.lock().unwrap()[unit as usize] = true;
                                match unit % 3 {
                                    0 => Rest::Nothing,
                                    _ => Rest::Something,
                                }
                            },
                            |unit| {
                                let mut finished = finished.lock().unwrap();
                                let done = done.lock().unwrap();
                                let taken = done.iter().filter(|done| **done).count();
                                assert!(done[unit as usize]);
                                assert!(taken <= (unit + window) as usize);
                                finished.push(unit);
                                match unit % 10 {
                                    8 => Rest::Something,
                                    _ => Rest::Nothing,
                                }
                            },
                        );
                    });
                }
            });
            let finished = finished.into_inner().unwrap();
            // Also those that have nothing of their own, but something from one before.
            let own = |unit: u32| !unit.is_multiple_of(3);
            let left = |unit: &u32| own(*unit) || (unit % 10 == 9 && own(unit - 1));
            assert!(finished.into_iter().eq((0..200).filter(left)));
        }
    }

    #[test]
    fn a_panic_ends_the_work_of_all() {
        for failing in ["work", "finish"] {
            let belt = Belt::new(1000, 4);
            let fail = |unit: u32, what| {
                assert!(unit != 20 || what != failing, "as wanted");
                Rest::Something
            };
            let failed = std::thread::scope(|scope| {
                let part =
                    || belt.take_part(|unit| fail(unit, "work"), |unit| fail(unit, "finish"));
                let threads = [scope.spawn(part), scope.spawn(part)];
                let ends = threads.map(|thread| thread.join());
                ends.iter().filter(|end| end.is_err()).count()
            });
            assert_eq!(failed, 1, "{failing}");
        }
    }
}
