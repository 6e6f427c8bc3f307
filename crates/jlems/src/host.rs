//! What a run needs to know of the machine that it is on.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

/// The clock of a machine and its memory. Without one, no time and no memory is measured: bounds on
/// them do not end a run, and only networks that are estimated to take too much memory are refused.
///
/// `lems_host::Machine` is one for this process.
pub trait Host: Debug + Send + Sync {
    /// The time since a fixed moment, or `None` without a clock.
    fn now(&self) -> Option<Duration>;

    /// Bytes of memory that this process has in use, if the system knows.
    fn memory_in_use(&self) -> Option<usize>;

    /// Whether this process uses more than `limit` bytes of memory.
    fn is_memory_full(&self, limit: usize) -> bool {
        self.memory_in_use().is_some_and(|used| used > limit)
    }
}

/// No machine: neither a clock nor memory that is measured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NoHost;

impl Host for NoHost {
    fn now(&self) -> Option<Duration> {
        None
    }

    fn memory_in_use(&self) -> Option<usize> {
        None
    }
}

/// A stopwatch by the clock of a host. Without a clock it measures nothing.
#[derive(Debug, Clone)]
pub(crate) struct Timer {
    host: Arc<dyn Host>,
    begun: Option<Duration>,
}

impl Timer {
    /// Begins now.
    pub fn start(host: &Arc<dyn Host>) -> Timer {
        Timer {
            begun: host.now(),
            host: Arc::clone(host),
        }
    }

    /// Whose clock it is.
    pub fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    /// The time since, if there is a clock.
    pub fn elapsed(&self) -> Option<Duration> {
        Some(self.host.now()?.saturating_sub(self.begun?))
    }

    /// Whether more than `limit` has passed.
    pub fn is_over(&self, limit: Duration) -> bool {
        self.elapsed().is_some_and(|elapsed| elapsed > limit)
    }
}

/// Chooses how many steps a run makes between two looks at what is outside it: signals, time, memory, progress.
///
/// A step takes from a few nanoseconds to seconds. A look comes about every 10 milliseconds whatever a step takes.
#[derive(Debug, Clone)]
pub struct Pace {
    timer: Timer,
    /// When it was asked last.
    asked: Duration,
    steps: u64,
}

impl Pace {
    /// More steps are made at once if they took less time than this.
    const SHORT: Duration = Duration::from_millis(5);
    /// Fewer steps are made at once if they took more time than this.
    const LONG: Duration = Duration::from_millis(20);
    const MOST_STEPS: u64 = 1 << 20;
    /// Steps at once on a host without a clock.
    const WITHOUT_CLOCK: u64 = 64;

    /// For steps that begin now, by the clock of a host.
    pub fn start(host: &Arc<dyn Host>) -> Pace {
        Pace {
            timer: Timer::start(host),
            asked: Duration::ZERO,
            steps: 0,
        }
    }

    /// The number of steps to the next look. The time since the last call is what the last ones took.
    pub fn steps(&mut self) -> u64 {
        let Some(now) = self.timer.elapsed() else {
            return Pace::WITHOUT_CLOCK;
        };
        let took = now.saturating_sub(self.asked);
        self.asked = now;
        if took < Pace::SHORT {
            self.steps = (2 * self.steps).clamp(1, Pace::MOST_STEPS);
        } else if took > Pace::LONG {
            let fewer = u128::from(self.steps) * Pace::LONG.as_nanos() / took.as_nanos();
            self.steps = u64::try_from(fewer).unwrap_or(Pace::MOST_STEPS).max(1);
        }
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A clock that is set by hand.
    #[derive(Debug, Default)]
    struct Clock(AtomicU64);

    impl Host for Clock {
        fn now(&self) -> Option<Duration> {
            Some(Duration::from_nanos(self.0.load(Ordering::Relaxed)))
        }

        fn memory_in_use(&self) -> Option<usize> {
            None
        }
    }

    #[test]
    fn looks_are_10_milliseconds_apart_whatever_a_step_takes() {
        for nanoseconds_of_a_step in [1_000, 100_000, 3_000_000, 2_000_000_000, 200_000, 10_000] {
            let clock = Arc::new(Clock::default());
            let host: Arc<dyn Host> = clock.clone();
            let mut pace = Pace::start(&host);
            let mut longest = 0;
            let mut steps = 0;
            for _ in 0..40 {
                steps = pace.steps();
                let took = steps * nanoseconds_of_a_step;
                longest = longest.max(took);
                clock.0.fetch_add(took, Ordering::Relaxed);
            }
            assert!(steps == 1 || steps * nanoseconds_of_a_step >= 2_500_000);
            assert!(
                longest <= 20_000_000.max(nanoseconds_of_a_step),
                "{longest}"
            );
        }
    }

    #[test]
    fn after_slow_steps_the_next_look_comes_soon() {
        let clock = Arc::new(Clock::default());
        let host: Arc<dyn Host> = clock.clone();
        let mut pace = Pace::start(&host);
        for _ in 0..40 {
            let steps = pace.steps();
            clock.0.fetch_add(steps * 1_000, Ordering::Relaxed);
        }
        // From here on, steps take a hundred times as long.
        let steps = pace.steps();
        clock.0.fetch_add(steps * 100_000, Ordering::Relaxed);
        assert!(pace.steps() * 100_000 <= 20_000_000);
    }

    #[test]
    fn without_a_clock_looks_come_after_a_fixed_number_of_steps() {
        let host: Arc<dyn Host> = Arc::new(NoHost);
        let mut pace = Pace::start(&host);
        assert_eq!([pace.steps(), pace.steps()], [Pace::WITHOUT_CLOCK; 2]);
    }
}
