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

    /// The time since, if there is a clock.
    pub fn elapsed(&self) -> Option<Duration> {
        Some(self.host.now()?.saturating_sub(self.begun?))
    }

    /// Whether more than `limit` has passed.
    pub fn is_over(&self, limit: Duration) -> bool {
        self.elapsed().is_some_and(|elapsed| elapsed > limit)
    }
}
