//! Compares a run without a break with a run that is resumed from a checkpoint.

use jlems::{BackendKind, Failure, Options};
use lems_engine::{Checkpoint, EngineError, Moment};

use crate::run::{Outputs, run};
use crate::{Difference, RandomModel};

/// Runs `model` as machine code. Then it runs the first half again in the same way, and the rest,
/// from a checkpoint, with the interpreter, and compares the outputs. Returns whether the run reaches
/// its end; some runs stop early, because a variable becomes infinite.
///
/// # Errors
/// The outputs differ.
pub fn in_halves(model: &RandomModel) -> Result<bool, Difference> {
    let middle = model.timing.steps as u64 / 2;
    let (whole, _) = by(BackendKind::Jit, model, None, None);
    let (_, saved) = by(BackendKind::Jit, model, None, Some(middle));
    let Some(saved) = saved else {
        return Ok(false);
    };
    let checkpoint = Checkpoint::read(&saved)
        .map_err(|error| Difference::Refused(EngineError::from(error).to_string()))?;
    let (resumed, _) = by(BackendKind::Interpreter, model, Some(checkpoint), None);
    match (whole, resumed) {
        (Ok(whole), Ok(resumed)) if whole == resumed => Ok(true),
        (Err(whole), Err(resumed)) if whole == resumed => Ok(false),
        _ => Err(Difference::Halves { middle }),
    }
}

/// The outputs of a run by a back end that ends after `until` steps, and its checkpoint at that point.
fn by(
    backend: BackendKind,
    model: &RandomModel,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Result<Outputs, Failure>, Option<Vec<u8>>) {
    let options = Options {
        backend,
        ..Options::default()
    };
    let save = |moment: &mut Moment<'_, '_>| moment.checkpoint().ok();
    let (result, saved) = run(model, options, from, until, save);
    (result.map(|(_, outputs)| outputs), saved)
}
