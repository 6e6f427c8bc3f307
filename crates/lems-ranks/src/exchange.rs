//! How ranks exchange messages: the trait, and ranks that are threads of one process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// What carries messages between the ranks of a run, as one of them sees it.
pub trait Exchange: Send {
    /// Number of this rank, from zero.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn size(&self) -> usize;

    /// Gives every rank the words of all ranks, in the order of the ranks (an *all-gather*). All ranks must call
    /// it equally often.
    ///
    /// # Errors
    /// A rank has ended.
    fn gather(&mut self, words: &[u64]) -> Result<Vec<Vec<u64>>, Gone>;
}

/// A rank has ended without a message, so that nothing more can be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another process of the run has ended without a word")]
pub struct Gone;

/// A rank that is a thread of this process.
pub struct ThreadRank {
    rank: usize,
    size: usize,
    shared: Arc<Shared>,
}

/// How often a rank looks for the messages of the others, with other threads in between, before it sleeps.
const LOOKS: u32 = 500;

/// What the threads share.
struct Shared {
    round: Mutex<Round>,
    changed: Condvar,
}

/// One exchange: it is complete when every rank has sent its words, and over when every rank has read all.
struct Round {
    /// The words of each rank that has sent them.
    sent: Vec<Option<Vec<u64>>>,
    /// Number of ranks that have read the words of all.
    read: usize,
    /// Whether all have sent their words.
    is_complete: bool,
    /// Whether a thread has ended.
    is_broken: bool,
}

/// Ranks for as many threads of this process, one for each thread.
pub fn threads(size: usize) -> Vec<ThreadRank> {
    let shared = Arc::new(Shared {
        round: Mutex::new(Round {
            sent: vec![None; size],
            read: 0,
            is_complete: false,
            is_broken: false,
        }),
        changed: Condvar::new(),
    });
    let rank = |rank| ThreadRank {
        rank,
        size,
        shared: Arc::clone(&shared),
    };
    (0..size).map(rank).collect()
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a condition holds. Fails if a thread ends before.
    fn wait_until<'r>(
        &'r self,
        mut round: MutexGuard<'r, Round>,
        holds: impl Fn(&Round) -> bool,
    ) -> Result<MutexGuard<'r, Round>, Gone> {
        let waits = |round: &mut Round| !holds(round) && !round.is_broken;
        // Mostly the others need a moment only, and to wake a thread that sleeps takes longer than that.
        for _ in 0..LOOKS {
            if !waits(&mut round) {
                break;
            }
            drop(round);
            std::thread::yield_now();
            round = self.lock();
        }
        let round = (self.changed.wait_while(round, waits)).unwrap_or_else(PoisonError::into_inner);
        // A complete round can be read even if a thread has ended since.
        if holds(&round) { Ok(round) } else { Err(Gone) }
    }
}

impl Exchange for ThreadRank {
    fn rank(&self) -> usize {
        self.rank
    }

    fn size(&self) -> usize {
        self.size
    }

    fn gather(&mut self, words: &[u64]) -> Result<Vec<Vec<u64>>, Gone> {
        // Wait until all have read the round before.
        let round = self.shared.lock();
        let mut round = self.shared.wait_until(round, |round| !round.is_complete)?;
        // The last rank that sends completes the round.
        if let Some(own) = round.sent.get_mut(self.rank) {
            *own = Some(words.to_vec());
        }
        if round.sent.iter().all(Option::is_some) {
            round.is_complete = true;
            self.shared.changed.notify_all();
        }
        let mut round = self.shared.wait_until(round, |round| round.is_complete)?;
        let all = round.sent.iter().flatten().cloned().collect();
        // The last rank that reads begins the next round.
        round.read += 1;
        if round.read == self.size {
            round.sent.fill(None);
            (round.read, round.is_complete) = (0, false);
            self.shared.changed.notify_all();
        }
        Ok(all)
    }
}

impl Drop for ThreadRank {
    fn drop(&mut self) {
        self.shared.lock().is_broken = true;
        self.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rank_gets_the_words_of_all_in_order() {
        for size in 1..5 {
            std::thread::scope(|scope| {
                for mut rank in threads(size) {
                    scope.spawn(move || {
                        for round in 0..200_u64 {
                            let own = vec![round; rank.rank() + (round % 3) as usize];
                            let all = rank.gather(&own).unwrap();
                            let lengths = all.iter().map(Vec::len);
                            assert!(lengths.eq((0..size).map(|of| of + (round % 3) as usize)));
                            assert!(all.iter().flatten().all(|word| *word == round));
                        }
                        // No rank ends before all have read.
                        let _ = rank.gather(&[]);
                    });
                }
            });
        }
    }

    #[test]
    fn nobody_waits_for_a_rank_that_has_gone() {
        let mut ranks = threads(3);
        let last = ranks.pop();
        std::thread::scope(|scope| {
            for mut rank in ranks {
                scope.spawn(move || assert_eq!(rank.gather(&[1]), Err(Gone)));
            }
            drop(last);
        });
    }
}
