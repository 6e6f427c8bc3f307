//! Signals that end a run: what is recorded by then is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use signal_hook::flag;

/// What ends a run, and is not to lose it: Ctrl-C, the end of a queue's patience, a closed terminal.
#[cfg(unix)]
const ENDING: [i32; 3] = [
    signal_hook::consts::SIGINT,
    signal_hook::consts::SIGTERM,
    signal_hook::consts::SIGHUP,
];
#[cfg(not(unix))]
const ENDING: [i32; 2] = [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM];

/// Added to the number of a signal in the exit status, as shells do.
const BASE: i32 = 128;

/// Which signal is there, if one is.
#[derive(Debug)]
pub struct Signals {
    /// Whether the next signal ends the program at once: before there is anything to keep, and after
    /// the first one.
    at_once: Arc<AtomicBool>,
    received: Arc<AtomicUsize>,
    interrupted: Arc<AtomicBool>,
}

/// Whether a run has results that the end of the process would lose.
static IS_KEPT: AtomicBool = AtomicBool::new(false);

/// Whether no run of this process has results that its end would lose.
pub fn nothing_is_kept() -> bool {
    !IS_KEPT.load(Ordering::SeqCst)
}

impl Signals {
    /// Takes the signals over; until [`Signals::keep`] is called they end the program at once.
    pub fn take() -> Signals {
        let signals = Signals {
            at_once: Arc::new(AtomicBool::new(true)),
            received: Arc::default(),
            interrupted: Arc::default(),
        };
        for signal in ENDING {
            if is_left_to_others(signal) {
                continue;
            }
            // A signal that cannot be taken over ends the program as if nothing were running.
            let Signals {
                at_once,
                received,
                interrupted,
            } = &signals;
            let _ = flag::register_conditional_shutdown(signal, BASE + signal, Arc::clone(at_once));
            let _ = flag::register_usize(signal, Arc::clone(received), signal as usize);
            let _ = flag::register(signal, Arc::clone(at_once));
            let _ = flag::register(signal, Arc::clone(interrupted));
        }
        signals
    }

    /// From now on, the end of the process would lose results. So the first signal only ends the run.
    pub fn keep(&self) {
        self.at_once.store(false, Ordering::SeqCst);
        IS_KEPT.store(true, Ordering::SeqCst);
    }

    /// Set by the first signal, for those who look in the middle of a step.
    pub fn interrupted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.interrupted)
    }

    /// The exit status of a run that a signal has ended.
    pub fn status(&self) -> Option<u8> {
        match self.received.load(Ordering::SeqCst) {
            0 => None,
            signal => u8::try_from(BASE as usize + signal).ok(),
        }
    }
}

/// Whether the program was started to outlive a signal, as by `nohup`.
fn is_left_to_others(signal: i32) -> bool {
    #[cfg(target_os = "linux")]
    {
        // Shells without job control also hide Ctrl-C from what they start in the background, which
        // `kill` is to reach all the same.
        if signal != signal_hook::consts::SIGHUP {
            return false;
        }
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
        let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = signal;
        false
    }
}
