//! Memory and clock of the machine, which are read only now and then: building a small model takes less time
//! than asking the system.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use jlems::Host;
use lems_host::Machine;

/// Time between two questions.
const PERIOD: Duration = Duration::from_millis(10);

/// The memory that this process may use, in bytes, as it was when it was asked for first.
pub fn most() -> usize {
    static MOST: LazyLock<usize> = LazyLock::new(|| lems_host::most().unwrap_or(usize::MAX));
    *MOST
}

/// The machine that this process runs on.
pub fn machine() -> Arc<dyn Host> {
    static MACHINE: LazyLock<Arc<NowAndThen>> = LazyLock::new(|| {
        Arc::new(NowAndThen {
            machine: Machine::new(),
            next: AtomicU64::new(0),
            is_full: AtomicBool::new(false),
        })
    });
    Arc::<NowAndThen>::clone(&MACHINE)
}

/// A machine that remembers for a moment what it said about memory.
#[derive(Debug)]
struct NowAndThen {
    machine: Machine,
    /// When it is asked again, in nanoseconds of its clock.
    next: AtomicU64,
    is_full: AtomicBool,
}

impl Host for NowAndThen {
    fn now(&self) -> Option<Duration> {
        self.machine.now()
    }

    fn memory_in_use(&self) -> Option<usize> {
        self.machine.memory_in_use()
    }

    fn is_memory_full(&self, limit: usize) -> bool {
        // A limit of the user's is looked at each time: what was said is about the usual one.
        if limit != most() {
            return self.machine.is_memory_full(limit);
        }
        let nanoseconds = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        let now = self.now().unwrap_or_default();
        if nanoseconds(now) >= self.next.load(Ordering::Relaxed) {
            let is_full = self.machine.is_memory_full(limit);
            self.is_full.store(is_full, Ordering::Relaxed);
            let next = nanoseconds(now.saturating_add(PERIOD));
            self.next.store(next, Ordering::Relaxed);
        }
        self.is_full.load(Ordering::Relaxed)
    }
}
