//! The linear system of voltages on a tree, solved in linear time, as tests of the geometry need it.
//!
//! The method is the elimination from the leaves to the root of M. Hines, "Efficient computation of
//! branched nerve equations", Int. J. Bio-Medical Computing 15 (1984) 69-76.

#![allow(dead_code, reason = "each test uses a part of it")]

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
    /// By node: its parent, which has a smaller index. Any other number, such as `u32::MAX`, makes a root.
    pub parents: Vec<u32>,
    /// By node: the conductance to its parent, in siemens. That of a root has no effect.
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

    /// Solves the system in place: the children are eliminated before their parents, then values go back
    /// from the roots to the leaves.
    ///
    /// `diagonal` is the own term of each node without the conductances, in siemens: 2 C / Δt − dI/dV for
    /// Crank and Nicolson's step, 0 for a node without membrane. `rhs` is the right-hand side, in ampere. At
    /// the end `rhs` contains the result, in volt, and `diagonal` nothing of use.
    ///
    /// Own terms that are not negative, one of them positive in each tree, always have a result. No step of
    /// the elimination subtracts then, so roundings stay small also where conductances are much larger than
    /// own terms. If all own terms of a tree are 0, its values are not finite.
    ///
    /// Of lists of different lengths only the common beginning is used.
    pub fn solve(&self, diagonal: &mut [f64], rhs: &mut [f64]) {
        let nodes = self.nodes(1, diagonal, rhs);
        let (diagonal, rhs) = (&mut diagonal[..nodes], &mut rhs[..nodes]);
        let (parents, conductances) =
            (&self.parents[..nodes], &self.conductance_to_parent[..nodes]);
        // From the leaves to the roots. The own term of a node includes those of the children by now: seen
        // from the parent, the node is its own term d in series with the conductance g, d g / (d + g).
        for node in (0..nodes).rev() {
            let (parent, conductance) = (parents[node] as usize, conductances[node]);
            let (term, side) = (diagonal[node], rhs[node]);
            if parent < node {
                let sum = term + conductance;
                let share = conductance / sum;
                diagonal[parent] += term * share;
                rhs[parent] += side * share;
                // What the way back needs: x = rhs + diagonal × x of the parent.
                rhs[node] = side / sum;
                diagonal[node] = share;
            } else {
                rhs[node] = side / term;
            }
        }
        // From the roots to the leaves.
        for node in 0..nodes {
            let parent = parents[node] as usize;
            if parent < node {
                rhs[node] += diagonal[node] * rhs[parent];
            }
        }
    }
}

impl Tree {
    /// How many nodes have all their numbers.
    fn nodes(&self, count: usize, diagonal: &[f64], rhs: &[f64]) -> usize {
        let links = self.parents.len().min(self.conductance_to_parent.len());
        links.min(diagonal.len().min(rhs.len()) / count)
    }
}
