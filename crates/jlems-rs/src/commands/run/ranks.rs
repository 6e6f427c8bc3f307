//! Runs that several ranks make together: threads of this process, or processes of a launcher.

use std::ops::ControlFlow;
use std::process::ExitCode;

use jlems::{Failure, MemoryStore};
use lems_ranks::{Ranks, threads};

use super::Arguments;
use super::launcher::Launched;
use super::signals::Signals;
use crate::commands::watch::watch_over;

/// Makes the run by ranks that are threads of this process.
pub fn of_threads(arguments: &Arguments, number: u16) -> Result<ExitCode, Failure> {
    let mut ranks = threads(number.into()).into_iter().map(Ranks::new);
    let Some(first) = ranks.next() else {
        return super::lead(arguments, None);
    };
    std::thread::scope(|scope| {
        for ranks in ranks {
            scope.spawn(move || follow(arguments, &ranks, Watch::OfTheFirst));
        }
        lead(arguments, &first)
    })
}

/// Makes the part of this process of a run of several.
pub fn of_processes(arguments: &Arguments, launched: &Launched) -> Result<ExitCode, Failure> {
    let ranks = Ranks::new(launched.join()?);
    match ranks.leads() {
        true => lead(arguments, &ranks),
        false => Ok(follow(arguments, &ranks, Watch::Own)),
    }
}

/// Who sees to it that a rank does not take more time and memory than it may.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Watch {
    /// The first rank, which is in the same process.
    OfTheFirst,
    /// The rank itself.
    Own,
}

/// Makes the part of rank 0, and disconnects when it is done.
fn lead(arguments: &Arguments, ranks: &Ranks) -> Result<ExitCode, Failure> {
    let result = super::lead(arguments, Some(ranks.clone()));
    // The caller prints the failure, so the other ranks need no message.
    ranks.leave(None);
    result
}

/// Makes the part of another rank. Rank 0 prints what went wrong.
fn follow(arguments: &Arguments, ranks: &Ranks, watch: Watch) -> ExitCode {
    let result = make(arguments, ranks, watch);
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

fn make(arguments: &Arguments, ranks: &Ranks, watch: Watch) -> Result<(), Failure> {
    let mut options = super::options(arguments, Some(ranks.clone()))?;
    if watch == Watch::Own {
        watch_over(&options);
    }
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
        &mut |_, moment| {
            if let (Some(generation), Some(path)) = (moment.wanted, arguments.checkpoints.output())
            {
                // Rank 0 says what has gone wrong.
                let _ = super::parts::write(path, generation, ranks, moment);
            }
            ControlFlow::Continue(())
        },
    )?;
    Ok(())
}
