//! What is said at the end of a run.

use std::fmt::Write;
use std::time::Duration;

use jlems::{Diagnostic, Failure, Outcome, Severity, visible};
use lems_network::rounded;
use serde::Serialize;

use super::super::messages::Message;
use super::super::printing::counted;
use super::progress::Reached;
use super::store::Written;

/// Everything that a run did.
#[derive(Debug, Serialize)]
pub struct Summary {
    file: String,
    status: &'static str,
    runs: Vec<Run>,
    seconds: Seconds,
    folders: Vec<String>,
    files: Vec<Written>,
    warnings: Vec<Message>,
    errors: Vec<Message>,
}

/// One run of the target; times are in seconds.
#[derive(Debug, Serialize)]
struct Run {
    steps: u64,
    of_steps: u64,
    step: f64,
    time: f64,
    complete: bool,
}

/// Time by the clock.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Seconds {
    /// From the start to the first step.
    pub set_up: f64,
    /// From the first step to the end.
    pub run: f64,
}

impl Seconds {
    /// The parts of a time that began `elapsed` ago, with its first step `stepping` ago.
    pub fn new(elapsed: Duration, stepping: Duration) -> Seconds {
        Seconds {
            set_up: elapsed.saturating_sub(stepping).as_secs_f64(),
            run: stepping.as_secs_f64(),
        }
    }
}

impl Summary {
    /// What became of running `file`.
    pub fn new(
        file: &str,
        result: &Result<Outcome, Failure>,
        reached: Option<Reached>,
        folders: Vec<String>,
        files: Vec<Written>,
        seconds: Seconds,
    ) -> Summary {
        let partial = |reached: Reached| Run {
            steps: reached.steps,
            of_steps: reached.of,
            step: reached.step,
            time: rounded(reached.time),
            complete: false,
        };
        let mut summary = Summary {
            file: file.to_owned(),
            status: "failed",
            runs: Vec::new(),
            seconds,
            folders,
            files,
            warnings: Vec::new(),
            errors: Vec::new(),
        };
        match result {
            Err(failure) => {
                summary.runs.extend(reached.map(partial));
                let all = failure.diagnostics.iter().cloned();
                let (errors, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) =
                    all.partition(|one| one.severity == Severity::Error);
                summary.errors = Message::all(&errors, &failure.sources);
                summary.warnings = Message::all(&warnings, &failure.sources);
            }
            Ok(outcome) => {
                summary.status = "done";
                for run in &outcome.summaries {
                    if run.interrupted {
                        summary.status = "interrupted";
                        summary.runs.extend(reached.map(partial));
                        continue;
                    }
                    summary.runs.push(Run {
                        steps: run.steps,
                        of_steps: run.steps,
                        step: rounded(run.time / run.steps.max(1) as f64),
                        time: rounded(run.time),
                        complete: true,
                    });
                }
                summary.warnings = Message::all(&outcome.warnings, &outcome.sources);
            }
        }
        summary
    }

    /// Whether the run was ended early.
    pub fn is_interrupted(&self) -> bool {
        self.status == "interrupted"
    }

    /// The folders that were not there before.
    fn made(&self) -> String {
        let folders = self.folders.iter();
        folders
            .map(|folder| format!("made the folder {}\n", visible(folder)))
            .collect()
    }

    /// The files that have not become complete, and how far the run got.
    pub fn remains(&self) -> String {
        let mut text = match self.status {
            "done" => String::new(),
            _ => self.made(),
        };
        for run in self.runs.iter().filter(|_| self.is_interrupted()) {
            let _ = writeln!(
                text,
                "interrupted after {} of {}: {} ms simulated",
                run.steps,
                counted(run.of_steps, "step"),
                short(run.time * 1e3)
            );
        }
        for file in self.files.iter().filter(|file| !file.complete) {
            let _ = writeln!(
                text,
                "kept {} ({})",
                visible(&file.path),
                counted(file.rows, "row")
            );
        }
        text
    }

    /// The complete files and runs.
    pub fn done(&self) -> String {
        let mut text = match self.status {
            "done" => self.made(),
            _ => String::new(),
        };
        for file in self.files.iter().filter(|file| file.complete) {
            let _ = writeln!(
                text,
                "wrote {} ({})",
                visible(&file.path),
                counted(file.rows, "row")
            );
        }
        let Seconds { set_up, run: ran } = self.seconds;
        for run in self.runs.iter().filter(|run| run.complete) {
            let _ = writeln!(
                text,
                "{} of {} ms: {} ms simulated in {:.3} s ({set_up:.3} s to set up, {ran:.3} s to run)",
                counted(run.steps, "step"),
                short(run.step * 1e3),
                short(run.time * 1e3),
                set_up + ran
            );
        }
        text
    }
}

/// For people: without what the sum of millions of steps blurs.
fn short(number: f64) -> f64 {
    format!("{number:.6e}").parse().unwrap_or(number)
}
