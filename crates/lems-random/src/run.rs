//! Runs a random model, as a whole or in parts.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use jlems::{Failure, Options, Outcome, Stop, run_from};
use lems_document::MemorySources;
use lems_engine::{Checkpoint, Moment, Simulation};
use lems_output::MemoryStore;

use crate::RandomModel;

/// The bytes of outputs, by name.
pub type Outputs = BTreeMap<String, Vec<u8>>;

/// What a run gives: its outcome and its outputs.
pub type RunResult = Result<(Outcome, Outputs), Failure>;

/// A run from a checkpoint, or from the start, that ends after `until` steps, and its checkpoint at that point.
pub fn run(
    model: &RandomModel,
    options: Options,
    from: Option<Checkpoint>,
    until: Option<u64>,
) -> (RunResult, Option<Vec<u8>>) {
    let sources = MemorySources::from([("model.xml", model.text.as_str())]);
    let options = Options {
        method: model.method,
        // A checkpoint is due after every step, so any step can be the last one.
        checkpoint_every: Some(f64::MIN_POSITIVE),
        ..options
    };
    let mut saved = None;
    let mut watch = |_: &Simulation, moment: &mut Moment<'_, '_>| {
        if until != Some(moment.steps) {
            return ControlFlow::Continue(());
        }
        saved = moment.checkpoint().ok();
        ControlFlow::Break(Stop::User)
    };
    let mut store = MemoryStore::new();
    let result = run_from(
        from,
        "model.xml",
        &sources,
        &mut store,
        &options,
        &mut watch,
    );
    (result.map(|outcome| (outcome, store.outputs())), saved)
}
