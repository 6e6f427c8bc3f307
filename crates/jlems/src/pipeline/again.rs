//! Explains what went wrong with a run, and where: by looking at the model again, or by making the run again.

use std::time::Duration;

use lems_document::{Document, SourceReader, Span};
use lems_engine::{Diagnosis, EngineError};

use super::places::place_of_kernel;
use crate::host::Timer;
use crate::stages::{Checked, RunError, with_backend};
use crate::{Failure, Options, load};

/// Most time by the clock that is spent on looking for a cause.
const LONGEST_SEARCH: Duration = Duration::from_secs(60);
/// Most steps that are made to find one where there is no clock.
const MOST_STEPS_AGAIN: u64 = 1_000_000;

/// The failure of a run whose text has been dropped. The file is read again to show the lines of the failure.
pub(super) fn explained(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    run: usize,
    error: RunError,
) -> Failure {
    let explained = |document: &Document| {
        let checked = Checked::of(document, options).ok()?;
        checked.cause(&error, run, options)
    };
    match load(path, reader, options) {
        Ok(document) => {
            let cause = explained(&document);
            with_cause(error, cause, &document)
        }
        Err(_) => error.into(),
    }
}

/// The place of a failure, and its cause if it is known.
struct Cause {
    message: Option<String>,
    span: Span,
}

fn with_cause(error: RunError, cause: Option<Cause>, document: &Document) -> Failure {
    let message = error.to_string();
    let mut failure = Failure::from(error);
    if let Some(cause) = cause
        && let Some(diagnostic) = failure.diagnostics.first_mut()
    {
        diagnostic.span = Some(cause.span);
        if let Some(why) = cause.message {
            diagnostic.message = message;
            diagnostic.causes = vec![why];
        }
        failure.sources = document.sources().to_vec();
    }
    failure
}

impl Checked<'_> {
    /// What went wrong with a run of this model, by its number, with the place in the text. To find
    /// which equation first gave a value that is not finite, the run is made again with these
    /// options, which must be those that it was made with, for a minute at most.
    pub fn explain(&self, error: RunError, run: usize, options: &Options) -> Failure {
        let cause = self.cause(&error, run, options);
        with_cause(error, cause, self.document)
    }

    fn cause(&self, error: &RunError, run: usize, options: &Options) -> Option<Cause> {
        match error {
            RunError::Engine(EngineError::NotFinite { quantity, .. }) => {
                self.origin(quantity, run, options)
            }
            RunError::Engine(EngineError::Mistake { mistake, .. }) => Some(Cause {
                message: None,
                span: mistake.span(),
            }),
            RunError::Engine(EngineError::Fault(fault)) => {
                let span = place_of_kernel(&self.model, fault.receiver()?)?;
                Some(Cause {
                    message: None,
                    span,
                })
            }
            _ => None,
        }
    }

    /// The equation that first gave a value that is not finite.
    fn origin(&self, quantity: &str, run: usize, options: &Options) -> Option<Cause> {
        let mut experiment = self.experiment.clone();
        if let Some(seed) = options.seed {
            experiment.reseed(seed);
        }
        let diagnosis = Diagnosis::new(
            &self.model,
            &experiment,
            *experiment.runs.get(run)?,
            options.method,
        )?;
        let begun = Timer::start(&options.host());
        let mut steps = 0;
        let go_on = &mut || {
            steps += 1;
            match begun.elapsed() {
                Some(elapsed) => elapsed < LONGEST_SEARCH,
                None => steps <= MOST_STEPS_AGAIN,
            }
        };
        let found = with_backend(
            &diagnosis.program,
            options.backend,
            options.threads,
            |backend| diagnosis.find(backend, &experiment, quantity, go_on),
        );
        let found = found.ok()??;
        Some(Cause {
            message: Some(found.to_string()),
            span: found.equation.source.span(),
        })
    }
}
