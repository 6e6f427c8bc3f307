//! Waiting without sleep.

/// How often a thread looks for an answer before it yields the processor between two looks.
const SPINS: u32 = 2_000;

/// Yields the processor under the fuzzer, so that threads take turns even on a single processor.
pub(crate) fn take_turns() {
    if cfg!(fuzzing) {
        std::thread::yield_now();
    }
}

/// Asks until there is an answer: first in a busy loop, then with other threads in between.
pub(crate) fn wait_for<T>(mut answer: impl FnMut() -> Option<T>) -> T {
    let mut looks = 0_u32;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        looks = looks.saturating_add(1);
        if looks < SPINS {
            std::hint::spin_loop();
        } else {
            std::thread::yield_now();
        }
    }
}
