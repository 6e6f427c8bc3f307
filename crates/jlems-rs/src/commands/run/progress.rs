//! How far a run is, and the wish to end it.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jlems_rs::engine::Simulation;
use jlems_rs::network::rounded;

/// Shortest time between two looks of the bar.
const PERIOD: Duration = Duration::from_millis(100);

/// Nothing that could be kept is there yet: an interrupt ends the program.
const IDLE: u8 = 0;
/// Steps are made: the first interrupt ends the run after the step.
const STEPPING: u8 = 1;
/// The run is about to end: a second interrupt ends the program.
const INTERRUPTED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(IDLE);
/// Set by the first interrupt of a run that makes steps.
static WISH_TO_END: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Set when the run is to end, for those who look in the middle of a step.
pub fn interrupted() -> Arc<AtomicBool> {
    WISH_TO_END.clone()
}

/// Whether nothing that could be kept is there yet.
pub fn is_idle() -> bool {
    STATE.load(Ordering::Relaxed) == IDLE
}

/// What a run has reached.
pub struct Progress {
    /// When the first step of the first run began.
    pub first_step: Option<Instant>,
    /// The run at hand: its steps so far, its steps in all, the simulated time.
    pub reached: Option<Reached>,
    bar: Option<ProgressBar>,
    drawn: Instant,
}

/// Place of a run between its start and its end.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// Steps done when it was last looked at.
    pub steps: u64,
    /// Steps to do.
    pub of: u64,
    /// Length of a step, in seconds.
    pub step: f64,
    /// Simulated time, in seconds.
    pub time: f64,
}

impl Progress {
    /// Watches a run; with a bar if `shown` and the standard error is a terminal.
    pub fn new(shown: bool) -> Progress {
        // Without a handler an interrupt ends the program at once, as if nothing were running.
        let _ = ctrlc::set_handler(|| {
            let moved =
                STATE.compare_exchange(STEPPING, INTERRUPTED, Ordering::Relaxed, Ordering::Relaxed);
            if moved.is_err() {
                std::process::exit(i32::from(super::INTERRUPTED_STATUS));
            }
            WISH_TO_END.store(true, Ordering::Relaxed);
        });
        let bar = (shown && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "{bar:30} {pos}/{len} steps, {msg}, {eta} left ";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        Progress {
            first_step: None,
            reached: None,
            bar,
            drawn: Instant::now(),
        }
    }

    /// Notes where a run is; whether it is to go on.
    pub fn look(&mut self, simulation: &Simulation, steps: u64, time: f64) -> ControlFlow<()> {
        let now = Instant::now();
        let begins = steps == 0 || self.first_step.is_none();
        self.first_step.get_or_insert(now);
        let (of, step) = (simulation.steps(), simulation.step());
        self.reached = Some(Reached {
            steps,
            of,
            step,
            time,
        });
        if begins {
            let _ = STATE.compare_exchange(IDLE, STEPPING, Ordering::Relaxed, Ordering::Relaxed);
            if let Some(bar) = &self.bar {
                bar.reset();
                bar.set_length(of);
            }
        }
        if let Some(bar) = &self.bar
            && now - self.drawn >= PERIOD
        {
            self.drawn = now;
            let length = rounded(of as f64 * step * 1e3);
            bar.set_position(steps);
            bar.set_message(format!("{:.3} of {length} ms", time * 1e3));
        }
        match STATE.load(Ordering::Relaxed) {
            INTERRUPTED => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
