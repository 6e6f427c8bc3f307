//! Waiting without sleep.

/// How often a thread looks whether it can go on before it lets others have the processor.
const LOOKS: u32 = 2_000;

/// Lets others have the processor where fuzzed: even where there is a single one, threads take turns.
pub(crate) fn take_turns() {
    if cfg!(fuzzing) {
        std::thread::yield_now();
    }
}

/// Asks until there is an answer.
pub(crate) fn wait_for<T>(mut answer: impl FnMut() -> Option<T>) -> T {
    let mut looks = 0_u32;
    loop {
        if let Some(answer) = answer() {
            return answer;
        }
        looks = looks.saturating_add(1);
        match looks < LOOKS {
            true => std::hint::spin_loop(),
            false => std::thread::yield_now(),
        }
    }
}
