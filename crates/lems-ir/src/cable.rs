//! Cables: trees of compartments whose potentials are coupled by the cytoplasm between them.
//!
//! The potentials of a tree are the solution of one linear system in each step. Kernels give what the
//! membrane does: the rate of each potential, and the derivative of the rate by the potential. The
//! system is a tree, so elimination from the leaves to the root and back solves it in time
//! proportional to its nodes (M. Hines, Int. J. Biomed. Comput. 15, 1984).

/// How the potentials of cables are advanced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CableMethod {
    /// An implicit half step, then as far again: second order (Crank-Nicolson).
    #[default]
    Staggered,
    /// An implicit step: first order, and no oscillation where the membrane reacts fast.
    Implicit,
}

/// One tree of compartments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cable {
    /// Its nodes: parents come before children, and the first is the root.
    pub nodes: Vec<CableNode>,
}

/// A node of a cable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CableNode {
    /// The node towards the root; none for a root.
    pub parent: Option<u32>,
    /// Conductance between the node and its parent, in siemens.
    pub conductance: f64,
    /// Slot of the potential, in volts.
    pub potential: u32,
    /// Whether it has a membrane that takes up charge; a point, such as the end of a branch, has not.
    pub has_capacitance: bool,
    /// What kernels compute for the node; none if it has no instance.
    pub membrane: Option<Membrane>,
}

/// The current through a piece of membrane, as a kernel leaves it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Membrane {
    /// Slot of the rate of the potential without the cytoplasm, in volts per second.
    pub rate: u32,
    /// Slot of the derivative of the rate by the potential, per second.
    pub slope: u32,
    /// Slot of the capacitance by which the kernel divides currents, in farads.
    pub capacitance: u32,
}

/// Room for the solution of one cable after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CableScratch {
    diagonal: Vec<f64>,
    right: Vec<f64>,
}

impl Cable {
    /// The slots of memory that its solution reads or writes.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().flat_map(|node| {
            let membrane = node.membrane.into_iter();
            let of_membrane =
                membrane.flat_map(|membrane| [membrane.rate, membrane.slope, membrane.capacitance]);
            of_membrane.chain([node.potential])
        })
    }

    /// Advances the potentials in a memory by a step, in seconds.
    ///
    /// # Panics
    /// A slot is not in the memory, or a parent does not come before its child.
    pub fn advance(
        &self,
        memory: &mut [f64],
        step: f64,
        method: CableMethod,
        scratch: &mut CableScratch,
    ) {
        let implicit_step = match method {
            CableMethod::Staggered => step / 2.0,
            CableMethod::Implicit => step,
        };
        let nodes = self.nodes.as_slice();
        scratch.diagonal.clear();
        scratch.right.clear();
        scratch.diagonal.resize(nodes.len(), 0.0);
        scratch.right.resize(nodes.len(), 0.0);
        let diagonal = scratch.diagonal.as_mut_slice();
        let right = scratch.right.as_mut_slice();
        // The equations, one for each node: capacitance, membrane, and the way to the parent, whose
        // conductance comes in with the elimination.
        for (index, node) in nodes.iter().enumerate() {
            if let Some(membrane) = node.membrane {
                let capacitance = memory[membrane.capacitance as usize];
                if node.has_capacitance {
                    diagonal[index] += capacitance / implicit_step;
                }
                diagonal[index] -= capacitance * memory[membrane.slope as usize];
                right[index] += capacitance * memory[membrane.rate as usize];
            }
            if let Some(parent) = node.parent {
                let parent = parent as usize;
                let difference =
                    memory[nodes[parent].potential as usize] - memory[node.potential as usize];
                let current = node.conductance * difference;
                right[index] += current;
                right[parent] -= current;
            }
        }
        // From the leaves to the root. Seen from its parent, a node is its own term in series with the
        // conductance between them; so nothing is subtracted, and roundings stay small.
        for (index, node) in nodes.iter().enumerate().rev() {
            let (term, side) = (diagonal[index], right[index]);
            if let Some(parent) = node.parent {
                let parent = parent as usize;
                let sum = term + node.conductance;
                let share = node.conductance / sum;
                diagonal[parent] += term * share;
                right[parent] += side * share;
                diagonal[index] = share;
                right[index] = side / sum;
            } else {
                right[index] = side / term;
            }
        }
        // From the root to the leaves.
        for (index, node) in nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                right[index] += diagonal[index] * right[parent as usize];
            }
        }
        // The new potentials.
        let factor = step / implicit_step;
        for (node, change) in nodes.iter().zip(right) {
            let factor = if node.has_capacitance { factor } else { 1.0 };
            memory[node.potential as usize] += factor * *change;
        }
    }
}
