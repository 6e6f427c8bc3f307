//! What the instances of a network compute, as ordered lists.
//!
//! The order of evaluation decides the last bits of every result, so it is made here, once, as
//! plain data: an [`Item`] names an equation of the model and says what is done with it.
//!
//! - [`own_step`] is the order in which one instance makes a step, after its children.
//! - [`Equations::step`] is the order for a whole shape: children, attached instances, the node.
//! - [`Equations::phase`] is the order of the parts of the step of a cable.
//! - [`Simultaneous`] is the order of the stages of the Runge-Kutta method.
//! - [`Equations::setup`] is the order of the passes before the first step.
//! - [`handlers`] is what an instance does when an event arrives.
//!
//! These lists are used wherever the order matters: by the lowering to instructions, by the diagnosis of a
//! value that is not finite, and by [`Equations::step_order`], which prints them.

mod description;
mod events;
mod item;
mod mechanisms;
mod setup;
mod step;
#[cfg(test)]
mod tests;

use lems_model::{ComponentType, Dynamics};
use lems_network::{Network, NodeId, Part, Shape, ShapeId, Shapes};

pub use description::OrderLine;
pub use events::{entries, handlers};
pub use item::{
    Clock, Computation, Item, Moving, NodeItem, Phase, RateSum, RegimeItems, Simultaneous,
};
pub use setup::{Setup, creation, pass};
pub use step::{definition, own_step, requirements};

/// The equations of a network by shape and node.
#[derive(Debug, Clone, Copy)]
pub struct Equations<'n, 'm, 'd> {
    network: &'n Network<'m, 'd>,
    shapes: &'n Shapes<'d>,
}

impl<'n, 'm, 'd> Equations<'n, 'm, 'd> {
    /// The equations of a network and its shapes.
    pub fn of(network: &'n Network<'m, 'd>, shapes: &'n Shapes<'d>) -> Self {
        Equations { network, shapes }
    }

    /// The type of a node.
    pub fn kind(&self, shape: ShapeId, node: NodeId) -> &'m ComponentType<'d> {
        self.network
            .model
            .type_of(self.shape(shape).nodes[node].kind)
    }

    /// The dynamics of the type of a node.
    pub fn dynamics(&self, shape: ShapeId, node: NodeId) -> Option<&'m Dynamics<'d>> {
        self.kind(shape, node).dynamics.as_deref()
    }

    /// The nodes of the elements of a list of a node, in order.
    pub fn elements(&self, shape: ShapeId, node: NodeId, list: &str) -> Vec<NodeId> {
        let instance = self.shape(shape).first_instance(node);
        (self.network.instance(instance).lists.iter())
            .filter(|(name, _)| *name == list)
            .flat_map(|(_, elements)| elements)
            .map(|element| self.shapes.location(*element))
            .filter(|location| location.shape == shape)
            .map(|location| location.node)
            .collect()
    }

    fn shape(&self, shape: ShapeId) -> &'n Shape<'d> {
        &self.shapes.shapes[shape]
    }

    fn parts(&self, shape: ShapeId, node: NodeId) -> &'n [Part<'d>] {
        &self.shape(shape).nodes[node].parts
    }
}
