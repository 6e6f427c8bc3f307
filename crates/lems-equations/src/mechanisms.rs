//! The parts of a step as NEURON's mechanisms make it: [`Phase::Conduct`](crate::Phase::Conduct) and
//! [`Phase::Advance`](crate::Phase::Advance).
//!
//! A mechanism whose states move is computed when they do, once in a step, and held until then. In a
//! compartment these are:
//!
//! - what is inside a channel: a child of a node that conducts. Only the channel's own variables are
//!   computed with the currents, so it conducts by its states of the step before.
//! - pools: other nodes with rates, with all in them. Their states move first, and what hands on their
//!   variables, such as the concentration of the compartment, follows at once.
//!
//! What is attached is held as a whole. What has no moving states is computed with the currents.

use lems_model::Selection;
use lems_network::{NodeId, Part, Readable, ShapeId, Variable};

use crate::{
    Clock, Equations, Item, Moving, NodeItem,
    step::{end, published},
};

/// The nodes of a compartment that are computed only when states move.
#[derive(Debug, Default)]
struct Held {
    /// What is inside channels with moving states.
    channels: Vec<NodeId>,
    /// Pools, with what is inside them.
    pools: Vec<NodeId>,
}

fn of_root<'m, 'd>(item: Item<'m, 'd>) -> NodeItem<'m, 'd> {
    NodeItem {
        node: NodeId::ROOT,
        item,
    }
}

impl<'m, 'd> Equations<'_, 'm, 'd> {
    /// Whether states of a node, or of one below it, have rates or are the occupancies of a scheme.
    pub(crate) fn has_moving_states(&self, shape: ShapeId, node: NodeId) -> bool {
        self.below(shape, node).into_iter().any(|node| {
            self.dynamics(shape, node).is_some_and(|dynamics| {
                let blocks = dynamics.with_regimes();
                let mut rates = blocks.flat_map(|block| &block.rates);
                !dynamics.schemes.is_empty() || rates.next().is_some()
            })
        })
    }

    fn held(&self, shape: ShapeId) -> Held {
        let mut held = Held::default();
        self.hold(shape, NodeId::ROOT, &mut held);
        held
    }

    fn hold(&self, shape: ShapeId, node: NodeId, held: &mut Held) {
        let conducts = self.network.cables.conducts(self.kind(shape, node));
        for child in self.children(shape, node) {
            let own = self.dynamics(shape, child);
            let is_pool = own.is_some_and(|dynamics| !dynamics.rates.is_empty());
            if conducts && self.has_moving_states(shape, child) {
                for inner in self.children(shape, child) {
                    held.channels.extend(self.below(shape, inner));
                }
            } else if !conducts && is_pool {
                held.pools.extend(self.below(shape, child));
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

    /// The selections of nodes, given children first, that hand on variables of pools and nothing else.
    fn handed_on(
        &self,
        shape: ShapeId,
        nodes: &[NodeId],
        pools: &[NodeId],
    ) -> Vec<(NodeId, &'d str)> {
        let mut found: Vec<(NodeId, &'d str)> = Vec::new();
        for &node in nodes.iter().filter(|node| !pools.contains(node)) {
            let dynamics = self.dynamics(shape, node).into_iter();
            for selection in dynamics.flat_map(|dynamics| &dynamics.selections) {
                let values = self.selected_inside(shape, node, selection);
                let hands_on = |(from, name): &(NodeId, &'d str)| {
                    pools.contains(from) || found.contains(&(*from, *name))
                };
                if !values.is_empty() && values.iter().all(hands_on) {
                    found.push((node, selection.name));
                }
            }
        }
        found
    }

    /// The variables that a selection leads to, if all of them are in the shape.
    fn selected_inside(
        &self,
        shape: ShapeId,
        node: NodeId,
        selection: &Selection<'d>,
    ) -> Vec<(NodeId, &'d str)> {
        let instance = self.shape(shape).first_instance(node);
        let selected = self.network.selected(instance, selection);
        let inside = |readable: &Readable<'d>| {
            let location = self.shapes.location(readable.instance);
            match readable.variable {
                Variable::Live(name) | Variable::Exposed(name) if location.shape == shape => {
                    Some((location.node, name))
                }
                _ => None,
            }
        };
        let all: Option<Vec<_>> = selected.unwrap_or_default().iter().map(inside).collect();
        all.unwrap_or_default()
    }

    /// The currents of a compartment, given its nodes.
    pub(crate) fn conduct(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let held = self.held(shape);
        let is_fresh = |node: &NodeId| !held.channels.contains(node) && !held.pools.contains(node);
        let fresh: Vec<NodeId> = nodes.iter().copied().filter(is_fresh).collect();
        let mut seen = self.seen_by_attached(shape, nodes);
        seen.retain(|(node, _)| is_fresh(node));
        let mut items = vec![of_root(Item::SettleAlone(seen))];
        items.extend(self.all_attached(shape, nodes));
        let names = self.computed_names(shape, &fresh);
        items.push(of_root(Item::SettleAlone(names)));
        for &node in &fresh {
            let kind = self.kind(shape, node);
            let dynamics = kind.dynamics.as_deref().into_iter();
            let own = dynamics.flat_map(|dynamics| published(kind, dynamics));
            items.extend(own.map(|item| NodeItem { node, item }));
        }
        items.extend(self.rate_of_potential(shape));
        items
    }

    /// The states of a compartment and what is attached to it, given its nodes.
    pub(crate) fn advance(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let held = self.held(shape);
        let moving = self.moving(shape);
        let is_in_pool = |node: &NodeId| held.pools.contains(node);
        let (of_pools, others) = moving
            .states
            .into_iter()
            .partition(|state| is_in_pool(&state.node));
        let (pools, channels): (Vec<NodeId>, Vec<NodeId>) =
            nodes.iter().partition(|node| is_in_pool(node));
        let mut items = self.all_attached(shape, nodes);
        items.extend(self.clocks(shape));
        // Pools.
        items.extend(self.settle_and_move(
            shape,
            &held.pools,
            Moving {
                states: of_pools,
                schemes: Vec::new(),
            },
        ));
        items.extend(self.ends(shape, &pools));
        let handed_on = self.handed_on(shape, nodes, &held.pools);
        items.push(of_root(Item::SettleAlone(handed_on)));
        // Channels.
        let moving = Moving {
            states: others,
            schemes: moving.schemes,
        };
        items.extend(self.settle_and_move(shape, &held.channels, moving));
        // Conditions of the root are tested at the end of the step.
        let inner: Vec<NodeId> = (channels.into_iter())
            .filter(|node| *node != NodeId::ROOT)
            .collect();
        items.extend(self.ends(shape, &inner));
        items
    }

    /// The step of what is attached to a compartment and has moving states.
    pub(crate) fn advance_attached(&self, shape: ShapeId) -> Vec<NodeItem<'m, 'd>> {
        let nodes = self.below(shape, NodeId::ROOT);
        let mut items = self.requirements_of_all(shape);
        items.extend(self.clocks(shape));
        items.extend(self.settle_and_move(shape, &nodes, self.all_moving(shape)));
        items.extend(self.ends(shape, &nodes));
        items
    }

    /// The values of a compartment that are held before the first step, given its nodes.
    pub(crate) fn hold_at_start(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let held = self.held(shape);
        let is_held = |node: &NodeId| held.channels.contains(node) || held.pools.contains(node);
        let fresh: Vec<NodeId> = nodes
            .iter()
            .copied()
            .filter(|node| !is_held(node))
            .collect();
        let mut items = self.all_attached(shape, nodes);
        let names = self.computed_names(shape, &held.channels);
        items.push(of_root(Item::SettleAtZero(names)));
        // The row of the start has the currents of this.
        items.push(of_root(Item::SettleAlone(
            self.computed_names(shape, &fresh),
        )));
        items
    }

    /// The same of what is attached to one.
    pub(crate) fn hold_attached_at_start(&self, shape: ShapeId) -> Vec<NodeItem<'m, 'd>> {
        let nodes = self.below(shape, NodeId::ROOT);
        let mut items = self.requirements_of_all(shape);
        let names = self.computed_names(shape, &nodes);
        items.push(of_root(Item::SettleAtZero(names)));
        items
    }

    /// Computes what is held, then moves states by it.
    fn settle_and_move(
        &self,
        shape: ShapeId,
        held: &[NodeId],
        mut moving: Moving<'m, 'd>,
    ) -> Vec<NodeItem<'m, 'd>> {
        let names = self.computed_names(shape, held);
        let mut items = Vec::new();
        // Kinetic schemes move first, and what depends on their occupancies is computed once more.
        if !moving.schemes.is_empty() {
            items.push(of_root(Item::SettleAlone(names.clone())));
            items.push(of_root(Item::Move(Moving {
                schemes: std::mem::take(&mut moving.schemes),
                states: Vec::new(),
            })));
        }
        items.push(of_root(Item::SettleAlone(names)));
        items.push(of_root(Item::Move(moving)));
        items
    }

    /// The time for the event handlers of all nodes.
    fn clocks(&self, shape: ShapeId) -> impl Iterator<Item = NodeItem<'m, 'd>> {
        self.shape(shape).nodes.ids().map(move |node| {
            let clock = match self.dynamics(shape, node) {
                Some(_) => Clock::Always,
                None => Clock::IfRecorded,
            };
            NodeItem {
                node,
                item: Item::Clock(clock),
            }
        })
    }

    /// The conditions of nodes, and what others see of them.
    fn ends(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let of_node = |&node: &NodeId| {
            let kind = self.kind(shape, node);
            let dynamics = kind.dynamics.as_deref().into_iter();
            let own = dynamics.flat_map(|dynamics| end(kind, dynamics));
            own.map(move |item| NodeItem { node, item })
        };
        nodes.iter().flat_map(of_node).collect()
    }
}
