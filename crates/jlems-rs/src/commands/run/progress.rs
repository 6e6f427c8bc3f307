//! How far a run is, and the wish to end it.

use std::io::IsTerminal;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use indicatif::{FormattedDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jlems::Stop;
use lems_engine::Simulation;
use lems_network::rounded;

use super::signals::Signals;

/// Shortest time between two looks of the bar.
const PERIOD: Duration = Duration::from_millis(100);

/// What a run has reached.
pub struct Progress {
    /// When the first step of the first run began.
    pub first_step: Option<Instant>,
    /// The current run: its steps so far, its steps in all, the simulated time.
    pub reached: Option<Reached>,
    bar: Option<ProgressBar>,
    drawn: Instant,
    /// When this process began the run, and at which step: after `--resume` it is not the first one.
    begun: (Instant, u64),
    signals: Signals,
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
        let bar = (shown && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let template = "{bar:30} {pos}/{len} steps, {msg} ";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Progress {
            first_step: None,
            reached: None,
            bar,
            drawn: now,
            begun: (now, 0),
            signals: Signals::take(),
        }
    }

    /// Set by the first signal, for those who look in the middle of a step.
    pub fn interrupted(&self) -> Arc<AtomicBool> {
        self.signals.interrupted()
    }

    /// Notes where a run is. Decides whether it continues.
    pub fn look(&mut self, simulation: &Simulation, steps: u64, time: f64) -> ControlFlow<Stop> {
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
            self.begun = (now, steps);
            if self.status().is_none() {
                self.signals.keep();
            }
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
            let left = left(now - self.begun.0, self.begun.1, steps, of);
            let left = left.map_or(String::new(), |left| {
                format!(", {} left", FormattedDuration(left))
            });
            bar.set_message(format!("{:.3} of {length} ms{left}", time * 1e3));
        }
        match self.status() {
            Some(_) => ControlFlow::Break(Stop::User),
            None => ControlFlow::Continue(()),
        }
    }

    /// The exit status of a run that a signal has ended.
    pub fn status(&self) -> Option<u8> {
        self.signals.status()
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Time left, if steps take as long as those since `first` have taken; None before there are some.
fn left(elapsed: Duration, first: u64, steps: u64, of: u64) -> Option<Duration> {
    let done = steps.checked_sub(first).filter(|done| *done > 0)?;
    let per_step = elapsed.as_secs_f64() / done as f64;
    let left = of.saturating_sub(steps) as f64 * per_step;
    // In whole seconds, as a clock has it.
    Duration::try_from_secs_f64(left.ceil()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_that_of_the_steps_made_here() {
        let minute = Duration::from_secs(60);
        assert_eq!(left(minute, 0, 100, 400), Some(3 * minute));
        // Resumed at step 300: those before took no time here.
        assert_eq!(left(minute, 300, 350, 400), Some(minute));
        assert_eq!(left(minute, 300, 300, 400), None);
        assert_eq!(left(minute, 0, 400, 400), Some(Duration::ZERO));
    }
}
