//! The parts of a step as NEURON's mechanisms make it: [`Phase::Conduct`](crate::Phase::Conduct) and
//! [`Phase::Advance`](crate::Phase::Advance).
//!
//! What conducts has a mechanism in it: its children, with all in them. A mechanism whose states move is
//! computed when they do, once in a step, so what is inside it is held until then. Only its own variables,
//! of its topmost nodes, are computed with the currents. So it conducts by its states of the step before.
//! Other nodes with moving states, such as pools, are held with all in them. What has no moving states is
//! computed with the currents.

use lems_network::{NodeId, Part, ShapeId};

use crate::{
    Clock, Equations, Item, Moving, NodeItem,
    step::{end, published},
};

impl<'m, 'd> Equations<'_, 'm, 'd> {
    /// Whether states of a node, or of one below it, have rates or are the occupancies of a scheme.
    pub(crate) fn has_moving_states(&self, shape: ShapeId, node: NodeId) -> bool {
        self.below(shape, node).into_iter().any(|node| {
            let dynamics = self.dynamics(shape, node);
            dynamics.is_some_and(|dynamics| {
                let blocks = dynamics.with_regimes();
                let mut rates = blocks.flat_map(|block| &block.rates);
                !dynamics.schemes.is_empty() || rates.next().is_some()
            })
        })
    }

    /// The nodes of a compartment that are computed only when states move.
    pub fn held(&self, shape: ShapeId) -> Vec<NodeId> {
        let mut held = Vec::new();
        self.hold(shape, NodeId::ROOT, &mut held);
        held
    }

    fn hold(&self, shape: ShapeId, node: NodeId, held: &mut Vec<NodeId>) {
        let network = self.network;
        let conducts = network.cables.conducts(self.kind(shape, node));
        for child in self.children(shape, node) {
            let moves = self.has_moving_states(shape, child);
            let own = self.dynamics(shape, child);
            let is_mover = own.is_some_and(|dynamics| !dynamics.rates.is_empty());
            if conducts && moves {
                for inner in self.children(shape, child) {
                    held.extend(self.below(shape, inner));
                }
            } else if !conducts && is_mover {
                held.extend(self.below(shape, child));
            } else {
                self.hold(shape, child, held);
            }
        }
    }

    fn children(&self, shape: ShapeId, node: NodeId) -> impl Iterator<Item = NodeId> {
        let parts = self.parts(shape, node).iter();
        parts.filter_map(|part| match *part {
            Part::Child(child) => Some(child),
            Part::Attached(_) => None,
        })
    }

    /// The currents of a compartment, given its nodes.
    pub(crate) fn conduct(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let root = |item| NodeItem {
            node: NodeId::ROOT,
            item,
        };
        let held = self.held(shape);
        let is_fresh = |node: &NodeId| !held.contains(node);
        let fresh: Vec<NodeId> = nodes.iter().copied().filter(is_fresh).collect();
        let mut seen = self.seen_by_attached(shape, nodes);
        seen.retain(|(node, _)| is_fresh(node));
        let mut items = vec![root(Item::SettleAlone(seen))];
        items.extend(self.all_attached(shape, nodes));
        items.push(root(Item::SettleAlone(self.computed_names(shape, &fresh))));
        items.extend(self.all_published(shape, &fresh));
        items.extend(self.rate_of_potential(shape));
        items
    }

    /// The states of a compartment and what is attached to it, given its nodes.
    pub(crate) fn advance(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let held = self.held(shape);
        let mut items = self.all_attached(shape, nodes);
        items.extend(self.settle_and_move(shape, &held, self.moving(shape)));
        // Conditions of the root are tested at the end of the step.
        for &node in nodes.iter().filter(|node| **node != NodeId::ROOT) {
            let kind = self.kind(shape, node);
            let dynamics = kind.dynamics.as_deref().into_iter();
            let own = dynamics.flat_map(|dynamics| end(kind, dynamics));
            items.extend(own.map(|item| NodeItem { node, item }));
        }
        items
    }

    /// The step of what is attached to a compartment and has moving states.
    pub(crate) fn advance_attached(&self, shape: ShapeId) -> Vec<NodeItem<'m, 'd>> {
        let nodes = self.below(shape, NodeId::ROOT);
        let mut items = self.requirements_of_all(shape);
        let moving = self.all_moving(shape);
        items.extend(self.settle_and_move(shape, &nodes, moving));
        for &node in &nodes {
            let kind = self.kind(shape, node);
            let dynamics = kind.dynamics.as_deref().into_iter();
            let own = dynamics.flat_map(|dynamics| end(kind, dynamics));
            items.extend(own.map(|item| NodeItem { node, item }));
        }
        items
    }

    /// What is held of a compartment before the first step, given its nodes.
    pub(crate) fn hold_at_start(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let mut items = self.all_attached(shape, nodes);
        let names = self.computed_names(shape, &self.held(shape));
        items.push(NodeItem {
            node: NodeId::ROOT,
            item: Item::SettleAtZero(names),
        });
        items
    }

    /// The same of what is attached to one.
    pub(crate) fn hold_attached_at_start(&self, shape: ShapeId) -> Vec<NodeItem<'m, 'd>> {
        let nodes = self.below(shape, NodeId::ROOT);
        let mut items = self.requirements_of_all(shape);
        items.push(NodeItem {
            node: NodeId::ROOT,
            item: Item::SettleAtZero(self.computed_names(shape, &nodes)),
        });
        items
    }

    /// Computes what is held, then moves states by it.
    fn settle_and_move(
        &self,
        shape: ShapeId,
        held: &[NodeId],
        mut moving: Moving<'m, 'd>,
    ) -> Vec<NodeItem<'m, 'd>> {
        let root = |item| NodeItem {
            node: NodeId::ROOT,
            item,
        };
        let nodes = self.shape(shape).nodes.ids();
        let clocks = nodes.map(|node| {
            let has_dynamics = self.dynamics(shape, node).is_some();
            let clock = match has_dynamics {
                true => Clock::Always,
                false => Clock::IfRecorded,
            };
            let item = Item::Clock(clock);
            NodeItem { node, item }
        });
        let mut items: Vec<NodeItem<'m, 'd>> = clocks.collect();
        let names = self.computed_names(shape, held);
        // Kinetic schemes move first, and what depends on their occupancies is computed once more.
        if !moving.schemes.is_empty() {
            items.push(root(Item::SettleAlone(names.clone())));
            items.push(root(Item::Move(Moving {
                schemes: std::mem::take(&mut moving.schemes),
                states: Vec::new(),
            })));
        }
        items.push(root(Item::SettleAlone(names)));
        items.push(root(Item::Move(moving)));
        items
    }

    fn all_published(
        &self,
        shape: ShapeId,
        nodes: &[NodeId],
    ) -> impl Iterator<Item = NodeItem<'m, 'd>> {
        nodes.iter().flat_map(move |&node| {
            let kind = self.kind(shape, node);
            let dynamics = kind.dynamics.as_deref().into_iter();
            let own = dynamics.flat_map(|dynamics| published(kind, dynamics));
            own.map(move |item| NodeItem { node, item })
        })
    }
}
