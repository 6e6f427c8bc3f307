//! The linear system of voltages on a tree, which the engine solves.

#![allow(dead_code, reason = "each test uses a part of it")]

use lems_ir::{Cable, CableNode};
use lems_morphology::{Morphology, Node};

/// The couplings between the nodes of a tree.
///
/// The system is symmetric. With d the own term of node j, g the conductance to its parent p and gₖ those
/// to its children k, row j is
///
/// ```text
/// (d + g + Σ gₖ) x_j − g x_p − Σ gₖ x_k = rhs_j
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tree {
    /// For each node: its parent, which has a smaller index. Any other number, such as `u32::MAX`, makes a root.
    pub parents: Vec<u32>,
    /// For each node: the conductance to its parent, in siemens. That of a root has no effect.
    pub conductance_to_parent: Vec<f64>,
}

impl Tree {
    /// The tree of the nodes of a morphology. `resistivity` is that of a compartment's cytoplasm, in ohm m.
    pub fn new(morphology: &Morphology, resistivity: impl Fn(usize) -> f64) -> Tree {
        let parent = |node: &Node| {
            let parent = node.parent.and_then(|parent| u32::try_from(parent).ok());
            parent.unwrap_or(u32::MAX)
        };
        let conductance = |node: &Node| {
            let parts = node.path.iter();
            let resistance: f64 = parts.map(|(own, path)| resistivity(*own) * path).sum();
            node.parent.map_or(0.0, |_| 1.0 / resistance)
        };
        Tree {
            parents: morphology.nodes().iter().map(parent).collect(),
            conductance_to_parent: morphology.nodes().iter().map(conductance).collect(),
        }
    }

    /// Solves the system by the engine's elimination. Of lists of different lengths only the common
    /// beginning is used.
    pub fn solve(&self, diagonal: &mut [f64], rhs: &mut [f64]) {
        let numbers = diagonal.len().min(rhs.len());
        let links = self.parents.iter().zip(&self.conductance_to_parent);
        let node = |(index, (parent, conductance)): (usize, (&u32, &f64))| CableNode {
            parent: Some(*parent).filter(|parent| (*parent as usize) < index),
            conductance: *conductance,
            has_capacitance: false,
            potential: 0,
            membrane: None,
        };
        let cable = Cable::new(links.take(numbers).enumerate().map(node).collect());
        cable.solve(diagonal, rhs);
    }
}
