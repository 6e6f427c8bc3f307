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

/// A run from a checkpoint, or from the start, that ends after `until` steps, and what `save` makes of it at that
/// point.
pub fn run<C>(
    model: &RandomModel,
    options: Options,
    from: Option<Checkpoint>,
    until: Option<u64>,
    mut save: impl FnMut(&mut Moment<'_, '_>) -> Option<C>,
) -> (RunResult, Option<C>) {
    let sources = MemorySources::from([("model.xml", model.text.as_str())]);
    let options = Options {
        method: model.method,
        // A checkpoint is due after every step, so any step can be the last one.
        checkpoint_every: Some(f64::MIN_POSITIVE),
        ..options
    };
    let mut saved = None;
    let mut watch = |_: &Simulation, moment: &mut Moment<'_, '_>| {
        // A rank that does not lead saves when the one that leads wants it.
        if moment.wanted.is_none() && until != Some(moment.steps) {
            return ControlFlow::Continue(());
        }
        saved = save(moment);
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
