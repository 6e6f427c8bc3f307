//! Compares a run by one rank with runs by several.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jlems::{BackendKind, Code, Failure, Options, Outcome, exchange_seals};
use lems_engine::{
    Checkpoint, CheckpointError, CheckpointFiles, EngineError, Moment, PartName, Seal,
};
use lems_ranks::{Command, Ranks, threads};

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
    if saved.is_none() && alone.is_ok() {
        return Err(Difference::Unsaved { size });
    }
    if let Some(files) = saved {
        let checkpoint = Checkpoint::open(files)
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

/// The files of a checkpoint of several ranks: that of the rank that leads, and the part of each rank.
#[derive(Debug, Default)]
struct Files(Mutex<BTreeMap<Option<usize>, Vec<u8>>>);

impl Files {
    fn put(&self, rank: Option<usize>, bytes: Vec<u8>) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert(rank, bytes);
    }

    /// Saves what a rank has of the run. The rank that leads saves the checkpoint after that.
    fn save(&self, ranks: &Ranks, moment: &mut Moment<'_, '_>) -> Result<(), EngineError> {
        if ranks.leads() {
            // If a rank has ended, the exchange that follows says so.
            let _ = ranks.broadcast(Command::Save(GENERATION));
        }
        let part = moment.checkpoint()?;
        let seal = Seal::of(&part).ok_or(CheckpointError::NotOne)?;
        self.put(Some(ranks.rank()), part);
        let seals = exchange_seals(ranks, Ok(seal))?;
        if ranks.leads() {
            self.put(None, moment.checkpoint_of_parts(GENERATION, &seals)?);
        }
        Ok(())
    }
}

const GENERATION: u64 = 1;

impl CheckpointFiles for Files {
    fn open(&self, part: Option<PartName>) -> io::Result<Box<dyn Read + '_>> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = files.get(&part.map(|part| part.rank)).cloned();
        let file = file.ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(io::Cursor::new(file)))
    }

    fn name(&self, part: PartName) -> String {
        format!("rank {}", part.rank)
    }
}

type Run = Result<(Outputs, bool), Failure>;

fn outputs(run: &Run) -> Result<&Outputs, &Failure> {
    run.as_ref().map(|(outputs, _)| outputs)
}

/// The outputs of a run by some ranks that ends after `until` steps, and the files of its checkpoint at that point.
fn run(
    model: &RandomModel,
    backend: BackendKind,
    size: usize,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Run, Option<Arc<Files>>) {
    let mut all = threads(size).into_iter().map(Ranks::new);
    let first = all.next().filter(|_| size > 1);
    let files = Arc::new(Files::default());
    let (result, saved) = std::thread::scope(|scope| {
        for ranks in all {
            let (from, files) = (from.clone(), &*files);
            scope.spawn(move || {
                let _ = part(model, backend, Some((&ranks, files)), from, until);
                ranks.leave(None);
            });
        }
        let shared = first.as_ref().map(|first| (first, &*files));
        let result = part(model, backend, shared, from.clone(), until);
        if let Some(first) = first {
            first.leave(None);
        }
        result
    });
    (result, saved.map(|()| files))
}

/// What one rank makes, and whether it has saved its part.
fn part(
    model: &RandomModel,
    backend: BackendKind,
    shared: Option<(&Ranks, &Files)>,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Run, Option<()>) {
    let options = Options {
        backend,
        threads: Some(NonZeroUsize::MIN),
        ranks: shared.map(|(ranks, _)| ranks.clone()),
        ..Options::default()
    };
    let save = |moment: &mut Moment<'_, '_>| {
        let (ranks, files) = shared?;
        files.save(ranks, moment).ok()
    };
    let (result, saved) = crate::run::run(model, options, from, until, save);
    let is_cut = |outcome: &Outcome| {
        let mut codes = outcome.warnings.iter().map(|warning| warning.code);
        !codes.any(|code| code == Code::IDLE_RANKS)
    };
    let result = result.map(|(outcome, outputs)| (outputs, is_cut(&outcome)));
    (result, saved)
}
