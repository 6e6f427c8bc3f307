//! Runs that ranks cut before they build the network, so that none builds what only others need.

use lems_engine::{EngineError, RecordSettings, Simulation};
use lems_ir::Fault;
use lems_model::Model;
use lems_network::{Experiment, Run, Share};
use lems_ranks::{Cut, Ranks};

use crate::{Failure, Options};

/// What this rank has of a run. None if the run must be built as a whole.
///
/// # Errors
/// Another rank has left.
pub(super) fn part<'d>(
    model: &Model<'d>,
    experiment: &mut Experiment<'d>,
    run: Run,
    recording: &RecordSettings,
    options: &Options,
) -> Result<Option<Simulation>, Failure> {
    let Some(ranks) = options.ranks.as_ref().filter(|ranks| ranks.size() > 1) else {
        return Ok(None);
    };
    if options.fast || options.late_events || !experiment.inlets.is_empty() {
        return Ok(None);
    }
    experiment.share = Some(Share {
        rank: short(ranks.rank()),
        ranks: short(ranks.size()),
    });
    let built = Simulation::new(model, experiment, run, recording.clone(), options.method);
    experiment.share = None;
    let part = match built {
        // All ranks have found that it cannot be cut.
        Ok(whole) if !whole.is_part() => return Ok(Some(whole)),
        // What is wrong is said of the whole.
        built => built.ok().filter(|part| is_sound(part, ranks)),
    };
    let checksum = ranks.checksum_of_parts(part.as_ref().map(Simulation::checksums));
    let checksum = checksum.map_err(|reason| {
        let message = reason.to_string();
        Failure::from(EngineError::from(Fault::Disconnected { message }))
    })?;
    Ok(part.zip(checksum).map(|(mut part, checksum)| {
        part.set_whole(checksum);
        part
    }))
}

fn short(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Whether a part can run without what other ranks have.
fn is_sound(part: &Simulation, ranks: &Ranks) -> bool {
    let is_sound = (part.division.as_ref()).is_some_and(|division| division.is_sound);
    is_sound && cut(part, ranks).is_some_and(|cut| cut.fits(&part.program))
}

/// How the network of a part was cut; none of a whole.
pub(super) fn cut(part: &Simulation, ranks: &Ranks) -> Option<Cut> {
    let division = part.division.as_ref().filter(|_| part.is_part())?;
    Some(Cut {
        rank: short(ranks.rank()),
        positions: division.positions.clone(),
        crossings: division.crossings.clone(),
    })
}
