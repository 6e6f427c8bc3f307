//! How much memory a network will take.

use lems_document::Document;
use lems_model::Model;
use lems_network::{Estimate, state_size};

/// Bytes of memory before any model is read: the program and the core types.
const PROGRAM_BYTES: u64 = 13 << 20;
/// Bytes that a component, an instance, a variable and a connection take, as measured on networks
/// of point cells and synapses while they are built, which is when most memory is in use.
const COMPONENT_BYTES: u64 = 200;
pub(crate) const INSTANCE_BYTES: u64 = 280;
/// Bytes that a queued event takes: the event itself, the room for growing the queue, and the events that are
/// being delivered.
pub(crate) const EVENT_BYTES: usize = 100;
const VARIABLE_BYTES: u64 = 8;
const TARGET_BYTES: u64 = 24;
const LINK_BYTES: u64 = 4;

/// Bytes that a run will take, about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needed {
    /// Variables of all instances.
    pub state: u64,
    /// Who receives which events, and what is attached where.
    pub tables: u64,
    /// All together, when most is in use.
    pub peak: u64,
}

impl Needed {
    /// The memory that a model with so many instances will need.
    pub fn of(document: &Document, model: &Model<'_>, estimate: &Estimate) -> Needed {
        let text = document.sources().iter().map(|source| source.text.len());
        let read = text.sum::<usize>() as u64
            + PROGRAM_BYTES
            + model.component_ids().count() as u64 * COMPONENT_BYTES;
        let kept = (estimate.kinds.iter()).map(|(kind, count)| {
            let variables = state_size(model.type_of(*kind));
            variables.saturating_mul(count.instances)
        });
        let variables = kept.fold(estimate.assigned, u64::saturating_add);
        let state = variables.saturating_mul(VARIABLE_BYTES);
        let tables = (estimate.connections.saturating_mul(TARGET_BYTES))
            .saturating_add(estimate.attached().saturating_mul(LINK_BYTES));
        let built = estimate.instances().saturating_mul(INSTANCE_BYTES);
        // The program holds the first content of the memory, the state the current one.
        let peak = [built, state, state, tables, read];
        Needed {
            state,
            tables,
            peak: peak.into_iter().fold(0, u64::saturating_add),
        }
    }
}

/// Bytes in a unit that makes them short, with two digits.
pub fn size(bytes: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    let unit = units.get(unit).copied().unwrap_or_default();
    match value < 10.0 && unit != "bytes" {
        true => format!("{value:.1} {unit}"),
        false => format!("{value:.0} {unit}"),
    }
}
