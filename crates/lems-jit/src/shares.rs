//! Work that threads deal out among themselves.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::wait::take_turns;

/// The instances of a round, a share for each thread.
///
/// A thread takes from the beginning of its own share, and when that is empty from the end of
/// others: so what it touches lies together, and nobody waits for the slowest.
pub(crate) struct Shares(Vec<Share>);

/// First instance in the lower half, one after the last in the upper.
///
/// In a cache line of its own, and the next, which processors fetch with it.
#[repr(align(128))]
#[derive(Default)]
struct Share(AtomicU64);

impl Shares {
    /// Empty shares.
    pub(crate) fn new(threads: usize) -> Self {
        Shares((0..threads).map(|_| Share::default()).collect())
    }

    /// Gives the first `threads` threads equal shares of an even number of instances, even numbers
    /// too; the others get none. Nobody may be taking any.
    pub(crate) fn deal(&self, instances: Range<u32>, threads: u32) {
        let size = (instances.end.saturating_sub(instances.start))
            .div_ceil(threads.max(1))
            .next_multiple_of(2);
        let mut first = instances.start;
        for share in &self.0 {
            let last = instances.end.min(first.saturating_add(size));
            share.0.store(packed(first..last), Ordering::Relaxed);
            first = last;
        }
    }

    /// Takes up to `most` instances for a thread, both even numbers.
    pub(crate) fn take(&self, thread: u32, most: u32) -> Option<Range<u32>> {
        take_turns();
        let (others, own) = self.0.split_at_checked(thread as usize)?;
        let (own, more) = own.split_first()?;
        own.take(|share| share.start..share.end.min(share.start.saturating_add(most)))
            .or_else(|| {
                (more.iter().chain(others)).find_map(|share| {
                    share.take(|share| share.start.max(share.end.saturating_sub(most))..share.end)
                })
            })
    }
}

impl Share {
    /// Takes the part of what is left that `choose` names, one of its ends.
    fn take(&self, choose: impl Fn(Range<u32>) -> Range<u32>) -> Option<Range<u32>> {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let left = unpacked(before);
            if left.is_empty() {
                return None;
            }
            let taken = choose(left.clone());
            let rest = match taken.start == left.start {
                true => taken.end..left.end,
                false => left.start..taken.start,
            };
            let after = packed(rest);
            match (self.0).compare_exchange_weak(
                before,
                after,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(taken),
                Err(now) => before = now,
            }
        }
    }
}

fn packed(range: Range<u32>) -> u64 {
    u64::from(range.start) | u64::from(range.end) << 32
}

fn unpacked(range: u64) -> Range<u32> {
    let [a, b, c, d, e, f, g, h] = range.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])..u32::from_le_bytes([e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_is_taken_once() {
        for (threads, instances) in [(1, 0..10), (2, 4..130), (3, 0..2), (4, 6..1000)] {
            let shares = Shares::new(4);
            shares.deal(instances.clone(), threads);
            let mut taken = Vec::new();
            // The last thread is the slowest.
            for thread in (0..4).cycle() {
                let before = taken.len();
                for _ in thread..4 {
                    taken.extend(shares.take(thread, 16).into_iter().flatten());
                }
                if taken.len() == before {
                    break;
                }
            }
            taken.sort_unstable();
            assert!(taken.into_iter().eq(instances));
        }
    }

    #[test]
    fn who_has_nothing_left_takes_from_the_end_of_another() {
        let shares = Shares::new(2);
        shares.deal(0..20, 2);
        assert_eq!(shares.take(0, 8), Some(0..8));
        assert_eq!(shares.take(0, 8), Some(8..10));
        assert_eq!(shares.take(0, 8), Some(12..20));
        assert_eq!(shares.take(1, 8), Some(10..12));
        assert_eq!(shares.take(1, 8), None);
    }
}
