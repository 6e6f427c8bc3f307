//! Compares a run without a break with a run that is resumed from a checkpoint.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jlems::{BackendKind, Failure, Options, Stop, run_from};
use lems_document::MemorySources;
use lems_engine::{Checkpoint, EngineError, Moment, Simulation};
use lems_output::MemoryStore;

use crate::{Difference, RandomModel};

/// Runs `model` as machine code. Then it runs the first half again in the same way, and the rest,
/// from a checkpoint, with the interpreter, and compares the outputs. Returns whether the run reaches
/// its end; some runs stop early, because a variable becomes infinite.
///
/// # Errors
/// The outputs differ.
pub fn in_halves(model: &RandomModel) -> Result<bool, Difference> {
    let middle = model.timing.steps as u64 / 2;
    let (whole, _) = run(model, BackendKind::Jit, None, None);
    let (_, saved) = run(model, BackendKind::Jit, None, Some(middle));
    let Some(saved) = saved else {
        return Ok(false);
    };
    let checkpoint = Checkpoint::read(&saved)
        .map_err(|error| Difference::Refused(EngineError::from(error).to_string()))?;
    let (resumed, _) = run(model, BackendKind::Interpreter, Some(checkpoint), None);
    match (whole, resumed) {
        (Ok(whole), Ok(resumed)) if whole == resumed => Ok(true),
        (Err(whole), Err(resumed)) if whole == resumed => Ok(false),
        _ => Err(Difference::Halves { middle }),
    }
}

type Outputs = BTreeMap<String, Vec<u8>>;

/// The outputs of a run that ends after `until` steps, and its checkpoint at that point.
fn run(
    model: &RandomModel,
    backend: BackendKind,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Result<Outputs, Failure>, Option<Vec<u8>>) {
    let sources = MemorySources::from([("model.xml", model.text.as_str())]);
    let options = Options {
        backend,
        method: model.method,
        // A checkpoint is due after every step, so any step can be the last one.
        checkpoint_every: Some(f64::MIN_POSITIVE),
        ..Options::default()
    };
    let store = MemoryStore::new();
    let mut saved = None;
    let mut watch = |_: &Simulation, moment: &mut Moment<'_, '_>| {
        if until != Some(moment.steps) {
            return ControlFlow::Continue(());
        }
        saved = moment.checkpoint().ok();
        ControlFlow::Break(Stop::User)
    };
    let mut outputs = store.clone();
    let result = run_from(
        from,
        "model.xml",
        &sources,
        &mut outputs,
        &options,
        &mut watch,
    );
    (result.map(|_| store.outputs()), saved)
}
