//! Compares a run by one rank with runs by several.

use std::num::NonZeroUsize;

use jlems::{BackendKind, Code, Failure, Options, Outcome};
use lems_engine::{Checkpoint, EngineError};
use lems_ranks::{Ranks, threads};

use crate::run::Outputs;
use crate::{Difference, RandomModel};

/// How runs of a model by several ranks went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared {
    /// Whether the run reaches its end; some stop early, because a variable becomes infinite.
    pub is_complete: bool,
    /// Whether every rank had something to do.
    pub is_cut: bool,
}

/// Runs `model` by one rank and by `size`. Then the first half by `size` ranks again, and the rest, from a
/// checkpoint, by `other`. Compares the outputs.
///
/// # Errors
/// The outputs differ.
pub fn by_ranks(model: &RandomModel, size: usize, other: usize) -> Result<Shared, Difference> {
    let (alone, _) = run(model, BackendKind::Jit, 1, None, None);
    let differs = |size| Difference::Ranks { size };
    let mut is_cut = false;
    for backend in [BackendKind::Jit, BackendKind::Interpreter] {
        let (shared, _) = run(model, backend, size, None, None);
        is_cut = shared.as_ref().is_ok_and(|(_, is_cut)| *is_cut);
        if outputs(&shared) != outputs(&alone) {
            return Err(differs(size));
        }
    }
    let middle = model.timing.steps as u64 / 2;
    let (_, saved) = run(model, BackendKind::Jit, size, None, Some(middle));
    if let Some(saved) = saved {
        let checkpoint = Checkpoint::read(&saved)
            .map_err(|error| Difference::Refused(EngineError::from(error).to_string()))?;
        let (resumed, _) = run(model, BackendKind::Jit, other, Some(checkpoint), None);
        if outputs(&resumed) != outputs(&alone) {
            return Err(differs(other));
        }
    }
    Ok(Shared {
        is_complete: alone.is_ok(),
        is_cut,
    })
}

type Run = Result<(Outputs, bool), Failure>;

fn outputs(run: &Run) -> Result<&Outputs, &Failure> {
    run.as_ref().map(|(outputs, _)| outputs)
}

/// The outputs of a run by some ranks that ends after `until` steps, and its checkpoint at that point.
fn run(
    model: &RandomModel,
    backend: BackendKind,
    size: usize,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Run, Option<Vec<u8>>) {
    let mut all = threads(size).into_iter().map(Ranks::new);
    let first = all.next().filter(|_| size > 1);
    std::thread::scope(|scope| {
        for ranks in all {
            let from = from.clone();
            scope.spawn(move || {
                let _ = part(model, backend, Some(&ranks), from, until);
                ranks.leave(None);
            });
        }
        let result = part(model, backend, first.as_ref(), from.clone(), until);
        if let Some(first) = first {
            first.leave(None);
        }
        result
    })
}

/// What one rank makes.
fn part(
    model: &RandomModel,
    backend: BackendKind,
    ranks: Option<&Ranks>,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Run, Option<Vec<u8>>) {
    let options = Options {
        backend,
        threads: Some(NonZeroUsize::MIN),
        ranks: ranks.cloned(),
        ..Options::default()
    };
    let (result, saved) = crate::run::run(model, options, from, until);
    let is_cut = |outcome: &Outcome| {
        let mut codes = outcome.warnings.iter().map(|warning| warning.code);
        !codes.any(|code| code == Code::IDLE_RANKS)
    };
    let result = result.map(|(outcome, outputs)| (outputs, is_cut(&outcome)));
    (result, saved)
}
