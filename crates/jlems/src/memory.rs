//! How much memory a network will take.

use lems_document::Document;
use lems_model::Model;
use lems_network::{Estimate, state_size};

/// Bytes of memory before any model is read: the program and the core types.
const PROGRAM_BYTES: u64 = 13 << 20;
/// Bytes that a component takes by itself, as measured.
const COMPONENT_BYTES: u64 = 200;
/// Bytes of a component in a table, besides its parameters.
const ROW_BYTES: u64 = 4;
/// Bytes of an instance and of a connection, as measured on networks of point cells and synapses.
const INSTANCE_BYTES: u64 = 280;
const CONNECTION_BYTES: u64 = 14;
/// Bytes of what takes more or less while a network is built and while it is lowered. Most memory is in use during one of
/// the two.
const BUILT: Prices = Prices {
    attached: 18,
    own_delay: 56,
};
const LOWERED: Prices = Prices {
    attached: ATTACHED_BYTES,
    own_delay: 46,
};
pub(crate) const ATTACHED_BYTES: u64 = 28;
/// What a connection that an attached instance makes takes more, as its ports are not those of the connection before.
const RELAY_BYTES: u64 = 100;
/// Bytes of a value that is set in an instance.
const ASSIGNED_BYTES: u64 = 28;
/// Bytes that a queued event takes: the event itself, the room for growing the queue, and the events that are
/// being delivered.
pub(crate) const EVENT_BYTES: usize = 100;
const VARIABLE_BYTES: u64 = 8;
/// Bytes of a receiver of events in the program, and of its own delay.
const TARGET_BYTES: u64 = 4;
const GROUP_BYTES: u64 = 16;
const LINK_BYTES: u64 = 4;

#[derive(Clone, Copy)]
struct Prices {
    /// Of an instance that is attached to another.
    attached: u64,
    /// Of a delay that is not that of the connection before.
    own_delay: u64,
}

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
        let texts = document.sources().iter().map(|source| &source.text);
        let read = (texts.clone()).map(|text| text.bytes_while_read() as u64);
        let read = read.sum::<u64>();
        let values = texts.map(|text| text.kept_bytes() as u64).sum::<u64>();
        let components = PROGRAM_BYTES + components(model);
        let kept = (estimate.kinds.iter()).map(|(kind, count)| {
            let variables = state_size(model.type_of(*kind));
            variables.saturating_mul(count.instances)
        });
        let variables = kept.fold(estimate.assigned, u64::saturating_add);
        let state = variables.saturating_mul(VARIABLE_BYTES);
        let sum = |parts: &[(u64, u64)]| {
            let products = parts
                .iter()
                .map(|(number, bytes)| number.saturating_mul(*bytes));
            products.fold(0, u64::saturating_add)
        };
        let attached = estimate.attached();
        let tables = sum(&[
            (estimate.connections, TARGET_BYTES),
            (estimate.own_delays, GROUP_BYTES),
            (attached, LINK_BYTES),
        ]);
        let others = estimate.instances().saturating_sub(attached);
        let network = |prices: Prices| {
            sum(&[
                (others, INSTANCE_BYTES),
                (attached, prices.attached),
                (estimate.connections, CONNECTION_BYTES),
                (estimate.relays, RELAY_BYTES),
                (estimate.own_delays, prices.own_delay),
                (estimate.assigned, ASSIGNED_BYTES),
            ])
        };
        let built = network(BUILT).saturating_add(estimate.contents);
        // Of the text, a part is whole while it is read. While the program runs, it holds the first content of the memory,
        // and the state the current one.
        let reading = components.saturating_add(read);
        let building = [components, values, built.max(network(LOWERED))];
        let running = [PROGRAM_BYTES, state, state, tables];
        let peak = [building.as_slice(), &running].map(|parts| {
            let parts = parts.iter().copied();
            parts.fold(0, u64::saturating_add)
        });
        Needed {
            state,
            tables,
            peak: peak.into_iter().fold(reading, u64::max),
        }
    }
}

/// Bytes of the components of a model.
fn components(model: &Model<'_>) -> u64 {
    let bytes = model.tables().map(|siblings| {
        let kind = model.type_of_component(siblings.first);
        let row = ROW_BYTES + VARIABLE_BYTES * kind.parameters.len() as u64;
        match siblings.count {
            1 => COMPONENT_BYTES,
            rows => COMPONENT_BYTES + u64::from(rows) * row,
        }
    });
    bytes.sum()
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
