//! Messages of any length over the two exchanges that MPI has: one of equal lengths, and one of lengths that
//! all know before.
//!
//! Most messages are short. They fit into a slot of fixed size, so that one exchange is enough. What does not fit
//! follows in further ones.

use lems_ranks::Gone;

/// Words that each rank tells in the first exchange: the length of its message, and what fits.
const SLOT: usize = 32;

/// Words that all ranks together tell in a further exchange at most, unless they are so many ranks that this is
/// less than one for each. MPI counts in numbers of 31 bits; this is far less, to be lenient with memory.
const MOST_TOGETHER: usize = 1 << 24;

/// What carries words between processes.
pub(crate) trait Wire: Send {
    /// Number of this process, from zero.
    fn rank(&self) -> usize;

    /// Number of processes.
    fn size(&self) -> usize;

    /// Gives every process the words of all, one after the other. All tell as many.
    fn equal(&mut self, own: Vec<u64>) -> Result<Vec<u64>, Gone>;

    /// The same with words of different number, which all know: `counts` has one for each process.
    fn unequal(&mut self, own: Vec<u64>, counts: &[usize]) -> Result<Vec<u64>, Gone>;
}

/// Gives every process the words of all.
pub(crate) fn gather(wire: &mut dyn Wire, words: &[u64]) -> Result<Vec<Vec<u64>>, Gone> {
    let piece = MOST_TOGETHER / wire.size().max(1);
    gather_in_pieces(wire, words, piece.max(1))
}

fn gather_in_pieces(
    wire: &mut dyn Wire,
    words: &[u64],
    piece: usize,
) -> Result<Vec<Vec<u64>>, Gone> {
    let (first, mut rest) = words.split_at(words.len().min(SLOT - 1));
    let mut slot = Vec::with_capacity(SLOT);
    slot.push(words.len() as u64);
    slot.extend(first);
    slot.resize(SLOT, 0);
    let slots = wire.equal(slot)?;
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for slot in slots.chunks_exact(SLOT) {
        let (length, words) = slot.split_first().ok_or(Gone)?;
        let length = usize::try_from(*length).map_err(|_| Gone)?;
        let here = words.get(..length.min(SLOT - 1)).unwrap_or_default();
        all.push(here.to_vec());
        missing.push(length - here.len());
    }
    while missing.iter().any(|missing| *missing > 0) {
        let counts: Vec<usize> = missing.iter().map(|missing| piece.min(*missing)).collect();
        let (now, later) = rest.split_at(rest.len().min(piece));
        let told = wire.unequal(now.to_vec(), &counts)?;
        let mut told = told.as_slice();
        for ((words, missing), count) in all.iter_mut().zip(&mut missing).zip(counts) {
            let (own, others) = told.split_at_checked(count).ok_or(Gone)?;
            words.extend(own);
            *missing -= count;
            told = others;
        }
        rest = later;
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use lems_ranks::{Exchange, ThreadRank, threads};

    use super::*;

    /// Threads that are as strict about lengths as MPI.
    struct Strict {
        inner: ThreadRank,
        exchanges: usize,
    }

    impl Wire for Strict {
        fn rank(&self) -> usize {
            self.inner.rank()
        }

        fn size(&self) -> usize {
            self.inner.size()
        }

        fn equal(&mut self, own: Vec<u64>) -> Result<Vec<u64>, Gone> {
            let counts = vec![own.len(); self.size()];
            self.unequal(own, &counts)
        }

        fn unequal(&mut self, own: Vec<u64>, counts: &[usize]) -> Result<Vec<u64>, Gone> {
            self.exchanges += 1;
            let all = self.inner.gather(&own)?;
            assert!(all.iter().map(Vec::len).eq(counts.iter().copied()));
            Ok(all.concat())
        }
    }

    /// The exchanges that it takes if each rank tells so many words.
    fn exchanges(lengths: &[usize]) -> Vec<usize> {
        let words = |rank: usize, length: usize| -> Vec<u64> {
            (0..length)
                .map(|word| (1000 * rank + word) as u64)
                .collect()
        };
        std::thread::scope(|scope| {
            let ranks = threads(lengths.len()).into_iter().zip(lengths);
            let ranks = ranks.map(|(inner, length)| {
                scope.spawn(move || {
                    let rank = inner.rank();
                    let mut wire = Strict {
                        inner,
                        exchanges: 0,
                    };
                    let all = gather_in_pieces(&mut wire, &words(rank, *length), 10).unwrap();
                    for (rank, (found, length)) in all.iter().zip(lengths).enumerate() {
                        assert_eq!(*found, words(rank, *length));
                    }
                    // Nobody goes before all have read.
                    let _ = wire.inner.gather(&[]);
                    wire.exchanges
                })
            });
            let ranks: Vec<_> = ranks.collect();
            ranks.into_iter().map(|rank| rank.join().unwrap()).collect()
        })
    }

    #[test]
    fn short_messages_take_one_exchange() {
        assert_eq!(exchanges(&[0]), [1]);
        assert_eq!(exchanges(&[0, SLOT - 1, 7]), [1; 3]);
    }

    #[test]
    fn long_messages_follow_in_pieces() {
        assert_eq!(exchanges(&[0, SLOT, 7]), [2; 3]);
        assert_eq!(exchanges(&[SLOT + 9, SLOT - 1]), [2; 2]);
        assert_eq!(exchanges(&[SLOT + 10, 3]), [3; 2]);
        assert_eq!(exchanges(&[100, 60, 0, 35]), [8; 4]);
    }
}
