//! How ranks tell one another numbers: the trait, and ranks that are threads of one process.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The ranks of a run as one of them sees them.
pub trait Exchange: Send {
    /// Number of this rank, from zero.
    fn rank(&self) -> usize;

    /// Number of ranks.
    fn size(&self) -> usize;

    /// Gives every rank the words of all ranks, in the order of the ranks. All must call it, as often as the
    /// others.
    ///
    /// # Errors
    /// A rank is not there any more.
    fn gather(&mut self, words: &[u64]) -> Result<Vec<Vec<u64>>, Gone>;
}

/// A rank has ended without a word, so that nothing more can be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another process of the run has ended without a word")]
pub struct Gone;

/// A rank that is a thread of this process.
pub struct ThreadRank {
    rank: usize,
    size: usize,
    table: Arc<Table>,
}

/// Where the threads lay down what they tell.
struct Table {
    round: Mutex<Round>,
    changed: Condvar,
}

/// One exchange: it is complete when every rank has told, and over when every rank has read.
struct Round {
    told: Vec<Option<Vec<u64>>>,
    /// Ranks that have read, once all have told.
    read: usize,
    /// Whether all have told.
    is_complete: bool,
    /// Whether a thread has gone.
    is_broken: bool,
}

/// So many ranks that are threads of this process: one for each thread.
pub fn threads(size: usize) -> Vec<ThreadRank> {
    let table = Arc::new(Table {
        round: Mutex::new(Round {
            told: vec![None; size],
            read: 0,
            is_complete: false,
            is_broken: false,
        }),
        changed: Condvar::new(),
    });
    let rank = |rank| ThreadRank {
        rank,
        size,
        table: Arc::clone(&table),
    };
    (0..size).map(rank).collect()
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Round> {
        self.round.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is so, or a thread has gone.
    fn wait_until<'t>(
        &self,
        round: MutexGuard<'t, Round>,
        is_so: impl Fn(&Round) -> bool,
    ) -> Result<MutexGuard<'t, Round>, Gone> {
        let is_not_so = |round: &mut Round| !is_so(round) && !round.is_broken;
        let round =
            (self.changed.wait_while(round, is_not_so)).unwrap_or_else(PoisonError::into_inner);
        // What is complete is read even if a thread has gone since.
        if is_so(&round) { Ok(round) } else { Err(Gone) }
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
        // All have read what was told before.
        let round = self.table.lock();
        let mut round = self.table.wait_until(round, |round| !round.is_complete)?;
        // The last to tell completes the round.
        if let Some(own) = round.told.get_mut(self.rank) {
            *own = Some(words.to_vec());
        }
        if round.told.iter().all(Option::is_some) {
            round.is_complete = true;
            self.table.changed.notify_all();
        }
        let mut round = self.table.wait_until(round, |round| round.is_complete)?;
        let all = round.told.iter().flatten().cloned().collect();
        // The last to read begins the next one.
        round.read += 1;
        if round.read == self.size {
            round.told.fill(None);
            (round.read, round.is_complete) = (0, false);
            self.table.changed.notify_all();
        }
        Ok(all)
    }
}

impl Drop for ThreadRank {
    fn drop(&mut self) {
        self.table.lock().is_broken = true;
        self.table.changed.notify_all();
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
                        // Nobody goes before all have read.
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
