//! Runs that several ranks make together: threads of this process, or processes of a launcher.

use std::ops::ControlFlow;
use std::process::ExitCode;

use jlems::{Failure, MemoryStore};
use lems_ranks::{Ranks, threads};

use super::Arguments;
use super::signals::Signals;

/// Makes the run by ranks that are threads of this process.
pub fn of_threads(arguments: &Arguments, number: u16) -> Result<ExitCode, Failure> {
    let mut ranks = threads(number.into()).into_iter().map(Ranks::new);
    let Some(first) = ranks.next() else {
        return super::lead(arguments, None);
    };
    std::thread::scope(|scope| {
        for ranks in ranks {
            scope.spawn(move || follow(arguments, &ranks));
        }
        lead(arguments, &first)
    })
}

/// Makes the part of rank 0, and disconnects when it is done.
pub fn lead(arguments: &Arguments, ranks: &Ranks) -> Result<ExitCode, Failure> {
    let result = super::lead(arguments, Some(ranks.clone()));
    // The caller prints the failure, so the other ranks need no message.
    ranks.leave(None);
    result
}

/// Makes the part of another rank. Rank 0 prints what went wrong.
pub fn follow(arguments: &Arguments, ranks: &Ranks) -> ExitCode {
    let result = make(arguments, ranks);
    let message = result.as_ref().err().map(|failure| {
        let first = failure.diagnostics.first();
        first.map_or_else(String::new, |diagnostic| diagnostic.message.clone())
    });
    ranks.leave(message.as_deref());
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn make(arguments: &Arguments, ranks: &Ranks) -> Result<(), Failure> {
    let mut options = super::options(arguments, Some(ranks.clone()))?;
    let file = arguments.file.as_deref().unwrap_or_default();
    let reader = arguments.search.reader(file, &options);
    let runnable = (arguments.recording).runnable(file, &*reader, &mut options)?;
    let checkpoint = arguments.checkpoints.resumed()?;
    // Rank 0 decides when a signal ends the run, but each rank must end a step that would never finish.
    let signals = Signals::take();
    signals.keep();
    options.interrupted = Some(signals.interrupted());
    jlems::run_from(
        checkpoint,
        runnable.path(),
        runnable.reader(),
        &mut MemoryStore::new(),
        &options,
        &mut |_, _| ControlFlow::Continue(()),
    )?;
    Ok(())
}
