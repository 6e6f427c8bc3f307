//! Cables before their columns have a place in memory.

use lems_index::narrow;
use lems_ir::{Cable, CableNode, Membrane};

use super::columns::Address;

/// The kernels of a shape of nodes.
#[derive(Debug, Clone)]
pub(super) struct CableKernels {
    pub members: u32,
    /// For each part of the step: the number of its kernel; none where there is nothing to do.
    pub parts: Vec<Option<u32>>,
}

/// A node of a cable, by the columns of its instance.
#[derive(Debug, Clone)]
pub(super) struct PendingNode {
    pub parent: Option<u32>,
    pub conductance: f64,
    pub has_capacitance: bool,
    pub instance: Option<InstanceColumns>,
}

/// The columns of an instance that the solution of its cable reads or writes.
#[derive(Debug, Clone, Copy)]
pub(super) struct InstanceColumns {
    pub potential: Address,
    pub rate: Address,
    pub slope: Address,
    pub capacitance: Address,
}

impl PendingNode {
    /// What the solution of the cable reads or writes.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        let of = |columns: InstanceColumns| {
            [
                columns.potential,
                columns.rate,
                columns.slope,
                columns.capacitance,
            ]
        };
        self.instance.map(of).into_iter().flatten()
    }
}

/// A cable whose columns have their slots. Nodes without an instance get slots at the end of memory.
pub(super) fn finished(
    nodes: &[PendingNode],
    slot: &dyn Fn(Address) -> u32,
    memory: &mut Vec<f64>,
) -> Cable {
    let node = |node: &PendingNode| {
        let potential = match node.instance {
            Some(columns) => slot(columns.potential),
            None => {
                memory.push(0.0);
                narrow(memory.len() - 1)
            }
        };
        CableNode {
            parent: node.parent,
            conductance: node.conductance,
            has_capacitance: node.has_capacitance,
            potential,
            membrane: node.instance.map(|columns| Membrane {
                rate: slot(columns.rate),
                slope: slot(columns.slope),
                capacitance: slot(columns.capacitance),
            }),
        }
    };
    Cable::new(nodes.iter().map(node).collect())
}
