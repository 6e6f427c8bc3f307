//! Runs a model without a break, and once more with one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jlems::{BackendKind, Failure, Options, Stop, run_from};
use lems_document::MemorySources;
use lems_engine::{Checkpoint, EngineError, Moment, Simulation};
use lems_output::MemoryStore;

use crate::{Difference, RandomModel};

/// Runs `model` as machine code; then its first half in the same way and the rest, from a checkpoint, by
/// the interpreter; and compares the outputs. Whether the run comes to its end: not every one does, as
/// variables may become infinite.
///
/// # Errors
/// An output that differs.
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

/// The outputs of a run, and its checkpoint after `until` steps, where it then ends.
fn run(
    model: &RandomModel,
    backend: BackendKind,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (Result<Outputs, Failure>, Option<Vec<u8>>) {
    let sources = MemorySources::from([("model.xml", model.text.as_str())]);
    let options = Options {
        backend,
        // So that any step may be the last.
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
