//! Events that arrive as NEURON delivers them.

use std::sync::Arc;

use lems_engine::Simulation;
use lems_export::ExportError;

/// The simulation with events that reach other instances half a step later.
pub(crate) fn delivered_late(mut simulation: Simulation) -> Result<Simulation, ExportError> {
    let step = simulation.step();
    let program = lems_export::late_events(&simulation.program, &simulation.columns, step)?;
    simulation.program = Arc::new(program);
    Ok(simulation)
}
