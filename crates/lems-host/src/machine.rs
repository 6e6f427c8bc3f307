use std::time::{Duration, Instant};

use jlems::Host;

use crate::memory;

/// The machine that this process runs on. Its clock begins when the value is made.
#[derive(Debug, Clone, Copy)]
pub struct Machine {
    started: Instant,
}

impl Machine {
    /// This machine, with a clock that begins now.
    pub fn new() -> Machine {
        Machine {
            started: Instant::now(),
        }
    }
}

impl Default for Machine {
    fn default() -> Self {
        Machine::new()
    }
}

impl Host for Machine {
    fn now(&self) -> Option<Duration> {
        Some(self.started.elapsed())
    }

    fn memory_in_use(&self) -> Option<usize> {
        memory::used()
    }

    fn is_memory_full(&self, limit: usize) -> bool {
        memory::is_full(limit)
    }
}
