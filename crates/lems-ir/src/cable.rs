//! Cables: trees of compartments whose potentials are coupled by the cytoplasm between them.
//!
//! The potentials of a tree are the solution of one linear system in each step. Kernels give what the
//! membrane does: the rate of each potential, and the derivative of the rate by the potential. The
//! system is a tree, so elimination from the leaves to the root and back solves it in time
//! proportional to its nodes (M. Hines, Int. J. Biomed. Comput. 15, 1984).

use crate::Solver;
use crate::elimination::{Way, from_the_middle};

/// One tree of compartments.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cable {
    nodes: Vec<CableNode>,
    rows: Vec<CableNode>,
    /// The node of each row.
    numbers: Vec<u32>,
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

impl Membrane {
    /// The slots that the solution of a cable reads of it.
    pub fn slots(&self) -> [u32; 3] {
        [self.rate, self.slope, self.capacitance]
    }
}

/// Room for the solution of one cable after the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CableScratch {
    diagonal: Vec<f64>,
    right: Vec<f64>,
}

impl Cable {
    /// The cable of these nodes: parents come before children, and the first is the root.
    pub fn new(nodes: Vec<CableNode>) -> Cable {
        let ways: Vec<Way> = (nodes.iter())
            .map(|node| (node.parent, node.conductance))
            .collect();
        let order = from_the_middle(&ways);
        let row = |(number, (parent, conductance)): &(u32, Way)| CableNode {
            parent: *parent,
            conductance: *conductance,
            ..nodes[*number as usize]
        };
        Cable {
            rows: order.iter().map(row).collect(),
            numbers: order.into_iter().map(|(number, _)| number).collect(),
            nodes,
        }
    }

    /// Its nodes, as they were given.
    pub fn nodes(&self) -> &[CableNode] {
        &self.nodes
    }

    /// Its nodes in the order in which they are eliminated, backwards. The parent of each, an index of this order, is the
    /// neighbour towards the middle of the tree.
    pub fn rows(&self) -> &[CableNode] {
        &self.rows
    }

    /// The slots of memory that its solution reads or writes.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        self.nodes.iter().flat_map(|node| {
            let of_membrane = node.membrane.iter().flat_map(Membrane::slots);
            of_membrane.chain([node.potential])
        })
    }

    /// By how much a step, in seconds, changes the potential of each of [`rows`](Self::rows), in volts: at the end the
    /// changes are in `scratch`. `memory` gives the value of a slot.
    pub fn changes<'s>(
        &self,
        memory: impl Fn(u32) -> f64,
        solver: Solver,
        step: f64,
        scratch: &'s mut CableScratch,
    ) -> &'s [f64] {
        let (implicit, beyond) = solver.parts(step);
        self.assemble(&memory, implicit, scratch);
        let right = scratch.right.as_mut_slice();
        self.eliminate(&mut scratch.diagonal, right);
        // A point without capacitance has no past, so it does not go as far again.
        for (node, change) in self.rows.iter().zip(right.iter_mut()) {
            if node.has_capacitance {
                *change *= beyond;
            }
        }
        right
    }

    /// The same for the first step of a run by the trapezoidal rule. Potentials that differ from node to node at the
    /// beginning, or that the first inputs change at once, would oscillate. So this step extrapolates two implicit
    /// half steps and an implicit whole one: it is of second order, and damps all that is faster than the step.
    pub fn first_changes<'s>(
        &self,
        memory: impl Fn(u32) -> f64,
        step: f64,
        scratch: &'s mut CableScratch,
    ) -> &'s [f64] {
        // One whole step.
        self.assemble(&memory, step, scratch);
        self.eliminate(&mut scratch.diagonal, &mut scratch.right);
        let whole = scratch.right.clone();
        // The first half step.
        self.assemble(&memory, step / 2.0, scratch);
        self.eliminate(&mut scratch.diagonal, &mut scratch.right);
        let half = scratch.right.clone();
        // The second one, from where the first has led. The equations are linear in this step.
        self.assemble(&memory, step / 2.0, scratch);
        for (index, node) in self.rows.iter().enumerate() {
            if let Some(membrane) = node.membrane {
                let capacitance = memory(membrane.capacitance);
                let slope = memory(membrane.slope);
                scratch.right[index] += capacitance * slope * half[index];
            }
            if let Some(parent) = node.parent {
                let parent = parent as usize;
                let current = node.conductance * (half[parent] - half[index]);
                scratch.right[index] += current;
                scratch.right[parent] -= current;
            }
        }
        self.eliminate(&mut scratch.diagonal, &mut scratch.right);
        for ((change, half), whole) in scratch.right.iter_mut().zip(half).zip(whole) {
            *change = 2.0 * (half + *change) - whole;
        }
        &scratch.right
    }

    /// The equations of an implicit step in seconds, one for each node: capacitance, membrane, and the way to
    /// the parent, whose conductance comes in with the elimination.
    fn assemble(&self, memory: &impl Fn(u32) -> f64, implicit: f64, scratch: &mut CableScratch) {
        let nodes = self.rows.as_slice();
        let rate = 1.0 / implicit;
        scratch.diagonal.clear();
        scratch.right.clear();
        scratch.diagonal.resize(nodes.len(), 0.0);
        scratch.right.resize(nodes.len(), 0.0);
        let diagonal = scratch.diagonal.as_mut_slice();
        let right = scratch.right.as_mut_slice();
        for (index, node) in nodes.iter().enumerate() {
            if let Some(membrane) = node.membrane {
                let capacitance = memory(membrane.capacitance);
                if node.has_capacitance {
                    diagonal[index] += capacitance * rate;
                }
                diagonal[index] -= capacitance * memory(membrane.slope);
                right[index] += capacitance * memory(membrane.rate);
            }
            if let Some(parent) = node.parent {
                let parent = parent as usize;
                let difference = memory(nodes[parent].potential) - memory(node.potential);
                let current = node.conductance * difference;
                right[index] += current;
                right[parent] -= current;
            }
        }
    }

    /// Changes the potentials in a memory by what [`changes`](Self::changes) has found.
    ///
    /// # Panics
    /// A slot is not in the memory.
    pub fn apply(&self, changes: &[f64], memory: &mut [f64]) {
        for (node, change) in self.rows.iter().zip(changes) {
            memory[node.potential as usize] += change;
        }
    }

    /// Solves the linear system of the tree. With d the own term of a node in `diagonal`, g the
    /// conductance to its parent p and gₖ those to its children k, its row is
    ///
    /// ```text
    /// (d + g + Σ gₖ) x − g x_p − Σ gₖ x_k = right
    /// ```
    ///
    /// The own terms are in siemens, the right sides in ampere, both by [`nodes`](Self::nodes). At the end `right` has the
    /// solution, in volt. Own terms that are not negative, one of them positive in each tree, always have a solution.
    ///
    /// # Panics
    /// There are more nodes than numbers.
    pub fn solve(&self, diagonal: &[f64], right: &mut [f64]) {
        let by_row = |values: &[f64]| -> Vec<f64> {
            let numbers = self.numbers.iter();
            numbers.map(|number| values[*number as usize]).collect()
        };
        let mut sides = by_row(right);
        self.eliminate(&mut by_row(diagonal), &mut sides);
        for (number, solution) in self.numbers.iter().zip(sides) {
            right[*number as usize] = solution;
        }
    }

    /// Solves the same system, whose terms are by row. At the end `right` has the solution, and `diagonal` nothing of
    /// use.
    fn eliminate(&self, diagonal: &mut [f64], right: &mut [f64]) {
        let nodes = self.rows.as_slice();
        // From the leaves to the root. Seen from its parent, a node is its own term in series with the
        // conductance between them; so nothing is subtracted, and roundings stay small.
        for (index, node) in nodes.iter().enumerate().rev() {
            let (term, side) = (diagonal[index], right[index]);
            if let Some(parent) = node.parent {
                let parent = parent as usize;
                let resistance = 1.0 / (term + node.conductance);
                let share = node.conductance * resistance;
                diagonal[parent] += term * share;
                right[parent] += side * share;
                diagonal[index] = share;
                right[index] = side * resistance;
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
    }
}
