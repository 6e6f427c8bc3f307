//! Work stealing: threads share the instances of a call in any order.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::run::wait::take_turns;

/// The instances of a call, with a share for each thread.
///
/// A thread takes instances from the beginning of its own share. When that is empty, it steals from the
/// end of another share. So a thread works on neighbouring instances, and no thread waits for the slowest.
pub(crate) struct WorkStealing(Vec<Share>);

/// The first instance in the lower half, one after the last instance in the upper half.
///
/// A share has a cache line of its own, and the next one, because processors fetch lines in pairs.
#[repr(align(128))]
#[derive(Default)]
struct Share(AtomicU64);

impl WorkStealing {
    /// Empty shares.
    pub(crate) fn new(threads: usize) -> Self {
        WorkStealing((0..threads).map(|_| Share::default()).collect())
    }

    /// Gives equal shares of an even number of instances to the first `threads` threads, and empty shares
    /// to the others. Each share is an even number of instances. No thread may be taking instances.
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

    /// Takes up to `most` instances for a thread. Both numbers are even.
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
    /// Takes what `choose` returns for the remaining instances: a range at one of their ends.
    fn take(&self, choose: impl Fn(Range<u32>) -> Range<u32>) -> Option<Range<u32>> {
        let mut before = self.0.load(Ordering::Relaxed);
        loop {
            let left = unpacked(before);
            if left.is_empty() {
                return None;
            }
            let taken = choose(left.clone());
            let rest = if taken.start == left.start {
                taken.end..left.end
            } else {
                left.start..taken.start
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
            let stealing = WorkStealing::new(4);
            stealing.deal(instances.clone(), threads);
            let mut taken = Vec::new();
            // The last thread is the slowest.
            for thread in (0..4).cycle() {
                let before = taken.len();
                for _ in thread..4 {
                    taken.extend(stealing.take(thread, 16).into_iter().flatten());
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
    fn a_thread_with_an_empty_share_steals_from_the_end_of_another() {
        let stealing = WorkStealing::new(2);
        stealing.deal(0..20, 2);
        assert_eq!(stealing.take(0, 8), Some(0..8));
        assert_eq!(stealing.take(0, 8), Some(8..10));
        assert_eq!(stealing.take(0, 8), Some(12..20));
        assert_eq!(stealing.take(1, 8), Some(10..12));
        assert_eq!(stealing.take(1, 8), None);
    }
}
