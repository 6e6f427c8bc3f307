//! What the ranks of a run tell one another when each has saved its part of a checkpoint.

use lems_engine::{EngineError, Seal};
use lems_ir::Fault;
use lems_ranks::Ranks;

/// The seals of the parts of all ranks, in their order. Every rank calls this after [`Command::Save`](lems_ranks::Command),
/// with the seal of its own part, or why it has none.
///
/// # Errors
/// A rank that could not save its part, or that has ended.
pub fn exchange_seals(ranks: &Ranks, own: Result<Seal, String>) -> Result<Vec<Seal>, EngineError> {
    let words = own.map(|seal| vec![seal.length, seal.checksum]);
    let all = ranks.results(words).map_err(|error| error.to_string());
    let seal = |(rank, result)| match result {
        Ok(words) => match <[u64; 2]>::try_from(words) {
            Ok([length, checksum]) => Ok(Seal { length, checksum }),
            Err(_) => Err(format!("process {rank} of the run has sent no seal")),
        },
        Err(text) => Err(format!("process {rank} of the run has failed: {text}")),
    };
    let seals = all.and_then(|all| all.into_iter().enumerate().map(seal).collect());
    seals.map_err(|message| Fault::Disconnected { message }.into())
}
