//! The order of a step.

use lems_model::{ComponentType, Dynamics, Regime};
use lems_network::{NodeId, Part, ShapeId, exposed_name};

use crate::{
    Clock, Computation, Equations, Item, Moving, NodeItem, Phase, RateSum, RegimeItems,
    Simultaneous,
};

/// What an instance of a type does in its own step, after its children and attached instances.
pub fn own_step<'m, 'd>(kind: &'m ComponentType<'d>) -> Vec<Item<'m, 'd>> {
    let mut items = beginning(kind);
    let Some(dynamics) = &kind.dynamics else {
        return items;
    };
    items.extend(requirements(kind));
    items.extend(computed(dynamics));
    if !dynamics.rates.is_empty() {
        items.push(Item::Integrate(&dynamics.rates));
    }
    items.extend(end(kind, dynamics));
    items
}

/// What comes before the equations: kinetic schemes, and the time that event handlers see.
fn beginning<'m, 'd>(kind: &'m ComponentType<'d>) -> Vec<Item<'m, 'd>> {
    match &kind.dynamics {
        Some(dynamics) => {
            let schemes = dynamics.schemes.iter().map(Item::Scheme);
            schemes.chain([Item::Clock(Clock::Always)]).collect()
        }
        None => vec![Item::Clock(Clock::IfRecorded)],
    }
}

/// The requirements of a type. One that is also a parameter has the value of the parameter.
pub fn requirements<'m, 'd>(
    kind: &'m ComponentType<'d>,
) -> impl Iterator<Item = Item<'m, 'd>> + use<'m, 'd> {
    let dynamics = kind.dynamics.iter();
    let names = dynamics.flat_map(|dynamics| dynamics.requirements.iter().copied());
    let outer = names.filter(|name| !kind.parameters.contains_key(name));
    outer.map(|name| Item::Compute(Computation::Requirement(name)))
}

/// The computed variables: selections, then derived variables, then conditional ones.
pub(crate) fn computed<'m, 'd>(
    dynamics: &'m Dynamics<'d>,
) -> impl Iterator<Item = Item<'m, 'd>> + use<'m, 'd> {
    let computations = dynamics.computed_variables().filter_map(Computation::of);
    computations.map(Item::Compute)
}

/// What an instance computes again once its states have moved.
fn currents<'m, 'd>(kind: &'m ComponentType<'d>) -> Vec<Item<'m, 'd>> {
    let Some(dynamics) = &kind.dynamics else {
        return Vec::new();
    };
    (computed(dynamics))
        .chain(published(kind, dynamics))
        .collect()
}

/// The second half of the step of an attached instance; its conditions and regimes belong to the first.
fn second_half<'m, 'd>(kind: &'m ComponentType<'d>) -> Vec<Item<'m, 'd>> {
    let Some(dynamics) = &kind.dynamics else {
        return Vec::new();
    };
    let mut items: Vec<_> = dynamics.schemes.iter().map(Item::Scheme).collect();
    if !dynamics.rates.is_empty() {
        items.extend(computed(dynamics));
        items.push(Item::Integrate(&dynamics.rates));
    }
    items.extend(currents(kind));
    items
}

/// What is left of a step if the requirements have been read.
pub(crate) fn without_requirements<'m, 'd>(mut items: Vec<Item<'m, 'd>>) -> Vec<Item<'m, 'd>> {
    items.retain(|item| !matches!(item, Item::Compute(Computation::Requirement(_))));
    items
}

/// What comes after the equations: conditions, what others see, the active regime.
pub(crate) fn end<'m, 'd>(
    kind: &'m ComponentType<'d>,
    dynamics: &'m Dynamics<'d>,
) -> impl Iterator<Item = Item<'m, 'd>> + use<'m, 'd> {
    let conditions = dynamics.on_condition.iter().map(Item::Condition);
    let published = published(kind, dynamics);
    conditions
        .chain(published)
        .chain(of_regimes(dynamics, regime_step))
}

/// The variables that others see, if the type exposes them.
pub(crate) fn published<'m, 'd>(
    kind: &'m ComponentType<'d>,
    dynamics: &'m Dynamics<'d>,
) -> impl Iterator<Item = Item<'m, 'd>> + use<'m, 'd> {
    let exposed = dynamics.variables().filter(|variable| {
        let exposed = exposed_name(kind, variable.name, variable.exposure);
        exposed.is_some()
    });
    exposed.map(|variable| Item::Publish(variable.name))
}

/// What each regime does, as one item: only the one that is active does it.
pub(crate) fn of_regimes<'m, 'd>(
    dynamics: &'m Dynamics<'d>,
    items: impl Fn(&'m Regime<'d>) -> Vec<Item<'m, 'd>>,
) -> Option<Item<'m, 'd>> {
    let regimes = dynamics.regimes.iter().map(|(name, regime)| RegimeItems {
        name,
        items: items(regime),
    });
    (!dynamics.regimes.is_empty()).then(|| Item::Regimes(regimes.collect()))
}

/// A regime updates each state variable before it computes the next rate.
fn regime_step<'m, 'd>(regime: &'m Regime<'d>) -> Vec<Item<'m, 'd>> {
    let dynamics = &regime.dynamics;
    let derived = dynamics.derived.iter().map(Computation::Derived);
    let rates = (dynamics.rates.iter()).map(|rate| Item::Integrate(std::slice::from_ref(rate)));
    let conditions = dynamics.on_condition.iter().map(Item::Condition);
    (derived.map(Item::Compute))
        .chain(rates)
        .chain(conditions)
        .collect()
}

/// The computation of a variable of a type. Of several with that name it is that of the first
/// derived variable, else the first conditional one, else the first selection, else a requirement.
pub fn definition<'m, 'd>(kind: &'m ComponentType<'d>, name: &str) -> Option<Computation<'m, 'd>> {
    let of_dynamics = kind.dynamics.as_ref().and_then(|dynamics| {
        let derived = dynamics.derived.iter().find(|v| v.name == name);
        let conditional = || dynamics.conditional.iter().find(|v| v.name == name);
        let selection = || dynamics.selections.iter().find(|v| v.name == name);
        (derived.map(Computation::Derived))
            .or_else(|| conditional().map(Computation::Conditional))
            .or_else(|| selection().map(Computation::Select))
    });
    of_dynamics.or_else(|| {
        let name = kind.dynamics.as_ref()?.requirements.get(name)?;
        Some(Computation::Requirement(name))
    })
}

impl<'m, 'd> Equations<'_, 'm, 'd> {
    /// The step of a shape: every node after the nodes and attached instances in it.
    pub fn step(&self, shape: ShapeId) -> Vec<NodeItem<'m, 'd>> {
        let mut items = Vec::new();
        self.step_node(shape, NodeId::ROOT, &mut items);
        items
    }

    /// Adds the step of a node and of all nodes in it.
    fn step_node(&self, shape: ShapeId, node: NodeId, items: &mut Vec<NodeItem<'m, 'd>>) {
        if self.is_simultaneous(shape, node) {
            return self.simultaneous_step(shape, node, items);
        }
        for part in self.parts(shape, node) {
            match *part {
                Part::Child(child) => self.step_node(shape, child, items),
                Part::Attached(list) => items.push(NodeItem {
                    node,
                    item: Item::Attached(list),
                }),
            }
        }
        let own = own_step(self.kind(shape, node));
        items.extend(own.into_iter().map(|item| NodeItem { node, item }));
    }

    /// A part of the step of a shape whose root is a node of a cable, or of what is attached to one.
    pub fn phase(&self, shape: ShapeId, phase: Phase) -> Vec<NodeItem<'m, 'd>> {
        if self.shape(shape).cable {
            self.compartment_phase(shape, phase)
        } else {
            self.attached_phase(shape, phase)
        }
    }

    /// A part of the step of a compartment.
    fn compartment_phase(&self, shape: ShapeId, phase: Phase) -> Vec<NodeItem<'m, 'd>> {
        let nodes = self.below(shape, NodeId::ROOT);
        let mut items = Vec::new();
        let root = |item| NodeItem {
            node: NodeId::ROOT,
            item,
        };
        match phase {
            Phase::States => {
                items.push(root(Item::Move(self.moving(shape))));
                items.extend(self.all_attached(shape, &nodes));
                for &node in &nodes {
                    let own = self.after_move(shape, node);
                    items.extend(own.into_iter().map(|item| NodeItem { node, item }));
                }
            }
            Phase::Currents => {
                let seen = self.seen_by_attached(shape, &nodes);
                items.push(root(Item::Settle(seen)));
                items.extend(self.all_attached(shape, &nodes));
                items.push(root(Item::Settle(self.computed_names(shape, &nodes))));
                for &node in &nodes {
                    let kind = self.kind(shape, node);
                    let dynamics = kind.dynamics.as_deref().into_iter();
                    let own = dynamics.flat_map(|dynamics| published(kind, dynamics));
                    items.extend(own.map(|item| NodeItem { node, item }));
                }
                items.extend(self.rate_of_potential(shape));
            }
            Phase::Rest => items.extend(self.all_attached(shape, &nodes)),
            Phase::End => {
                let kind = self.kind(shape, NodeId::ROOT);
                let dynamics = kind.dynamics.as_deref().into_iter();
                let own = dynamics.flat_map(|dynamics| end(kind, dynamics));
                items.extend(own.map(root));
            }
            Phase::Conduct => return self.conduct(shape, &nodes),
            Phase::Advance => return self.advance(shape, &nodes),
            Phase::Hold => return self.hold_at_start(shape, &nodes),
        }
        items
    }

    /// The rate of the potential of a compartment.
    pub(crate) fn rate_of_potential(
        &self,
        shape: ShapeId,
    ) -> impl Iterator<Item = NodeItem<'m, 'd>> {
        let dynamics = self.dynamics(shape, NodeId::ROOT).into_iter();
        let rates = dynamics.flat_map(|dynamics| &dynamics.rates);
        let of_potential = rates.filter(|rate| self.is_potential(rate.variable));
        of_potential.map(|rate| NodeItem {
            node: NodeId::ROOT,
            item: Item::Rate(rate),
        })
    }

    /// The steps of all that is attached to some nodes.
    pub(crate) fn all_attached(&self, shape: ShapeId, nodes: &[NodeId]) -> Vec<NodeItem<'m, 'd>> {
        let of_node = |node: NodeId| {
            let parts = self.parts(shape, node).iter();
            parts.filter_map(move |part| match *part {
                Part::Attached(list) => Some(NodeItem {
                    node,
                    item: Item::Attached(list),
                }),
                Part::Child(_) => None,
            })
        };
        nodes.iter().copied().flat_map(of_node).collect()
    }

    /// The states of a compartment that move before the potential.
    pub fn moving(&self, shape: ShapeId) -> Moving<'m, 'd> {
        let mut moving = self.all_moving(shape);
        let is_potential =
            |state: &RateSum<'m, 'd>| state.node == NodeId::ROOT && self.is_potential(state.name);
        moving.states.retain(|state| !is_potential(state));
        moving
    }

    /// The states of all nodes of a shape.
    pub fn all_moving(&self, shape: ShapeId) -> Moving<'m, 'd> {
        let nodes = self.below(shape, NodeId::ROOT);
        let Simultaneous { states, .. } = self.simultaneous(shape, &nodes);
        let mut schemes = Vec::new();
        for node in nodes {
            let dynamics = self.dynamics(shape, node).into_iter();
            schemes.extend(
                dynamics
                    .flat_map(|d| &d.schemes)
                    .map(|scheme| (node, scheme)),
            );
        }
        Moving { states, schemes }
    }

    /// What a node of a compartment does once its states have moved; the root tests its conditions at
    /// the end of the step.
    fn after_move(&self, shape: ShapeId, node: NodeId) -> Vec<Item<'m, 'd>> {
        let kind = self.kind(shape, node);
        let Some(dynamics) = &kind.dynamics else {
            return vec![Item::Clock(Clock::IfRecorded)];
        };
        let mut items = vec![Item::Clock(Clock::Always)];
        let acts = !dynamics.on_condition.is_empty() || !dynamics.regimes.is_empty();
        if acts && node != NodeId::ROOT {
            items.extend(requirements(kind));
            items.extend(computed(dynamics));
            items.extend(end(kind, dynamics));
        }
        items
    }

    /// The requirements and computed variables of some nodes, those of parents first.
    pub(crate) fn computed_names(
        &self,
        shape: ShapeId,
        nodes: &[NodeId],
    ) -> Vec<(NodeId, &'d str)> {
        self.simultaneous(shape, nodes).stored
    }

    /// Those of them that attached instances need.
    pub(crate) fn seen_by_attached(
        &self,
        shape: ShapeId,
        nodes: &[NodeId],
    ) -> Vec<(NodeId, &'d str)> {
        let mut needed: Vec<&'d str> = Vec::new();
        for &node in nodes {
            for part in self.parts(shape, node) {
                let Part::Attached(list) = *part else {
                    continue;
                };
                for its in self.attached(shape, node, list) {
                    for inner in self.shape(its).nodes.ids() {
                        needed.extend(self.kind(its, inner).requirements.keys());
                    }
                }
            }
        }
        let mut names = self.computed_names(shape, nodes);
        names.retain(|(_, name)| needed.contains(name));
        names
    }

    pub(crate) fn is_potential(&self, name: &str) -> bool {
        name == self.network.cables.potential
    }

    /// A part of the step of what is attached to a compartment. Requirements are read first, from the
    /// root down, so that all nodes see the potential of this moment; jLEMS's order would let each level
    /// see that of a step before. Then comes every node after the nodes and attached instances in it.
    fn attached_phase(&self, shape: ShapeId, phase: Phase) -> Vec<NodeItem<'m, 'd>> {
        let mut items = match phase {
            Phase::End => return Vec::new(),
            Phase::Conduct if self.has_moving_states(shape, NodeId::ROOT) => return Vec::new(),
            Phase::Advance if self.has_moving_states(shape, NodeId::ROOT) => {
                return self.advance_attached(shape);
            }
            Phase::Hold if self.has_moving_states(shape, NodeId::ROOT) => {
                return self.hold_attached_at_start(shape);
            }
            Phase::Advance | Phase::Hold => return Vec::new(),
            _ => self.requirements_of_all(shape),
        };
        self.attached_node(shape, NodeId::ROOT, phase, &mut items);
        items
    }

    /// The requirements of all nodes of a shape, from the root down.
    pub(crate) fn requirements_of_all(&self, shape: ShapeId) -> Vec<NodeItem<'m, 'd>> {
        let nodes = self.shape(shape).nodes.ids();
        let of_node = |node| {
            let requirements = requirements(self.kind(shape, node));
            requirements.map(move |item| NodeItem { node, item })
        };
        nodes.flat_map(of_node).collect()
    }

    fn attached_node(
        &self,
        shape: ShapeId,
        node: NodeId,
        phase: Phase,
        items: &mut Vec<NodeItem<'m, 'd>>,
    ) {
        for part in self.parts(shape, node) {
            match *part {
                Part::Child(child) => self.attached_node(shape, child, phase, items),
                Part::Attached(list) => items.push(NodeItem {
                    node,
                    item: Item::Attached(list),
                }),
            }
        }
        let kind = self.kind(shape, node);
        let own = match phase {
            Phase::States | Phase::Conduct => without_requirements(own_step(kind)),
            Phase::Currents => currents(kind),
            Phase::Rest => second_half(kind),
            Phase::Advance | Phase::Hold | Phase::End => Vec::new(),
        };
        items.extend(own.into_iter().map(|item| NodeItem { node, item }));
    }

    /// Whether jLEMS would flatten the node: only consolidated ones are.
    fn is_simultaneous(&self, shape: ShapeId, node: NodeId) -> bool {
        let is_declared = |dynamics: &Dynamics<'_>| dynamics.simultaneous;
        self.shape(shape).nodes[node].consolidated
            && self.dynamics(shape, node).is_some_and(is_declared)
    }

    /// The step of a node whose rates, and those of all nodes below it, are computed together: all
    /// nodes begin, all state variables move, all nodes end.
    fn simultaneous_step(&self, shape: ShapeId, root: NodeId, items: &mut Vec<NodeItem<'m, 'd>>) {
        let nodes = self.below(shape, root);
        for &node in &nodes {
            let attached = self
                .parts(shape, node)
                .iter()
                .filter_map(|part| match *part {
                    Part::Attached(list) => Some(Item::Attached(list)),
                    Part::Child(_) => None,
                });
            let begin = attached.chain(beginning(self.kind(shape, node)));
            items.extend(begin.map(|item| NodeItem { node, item }));
        }
        items.push(NodeItem {
            node: root,
            item: Item::Simultaneous(self.simultaneous(shape, &nodes)),
        });
        for &node in &nodes {
            let kind = self.kind(shape, node);
            let dynamics = kind.dynamics.as_deref();
            let end = dynamics
                .into_iter()
                .flat_map(|dynamics| end(kind, dynamics));
            items.extend(end.map(|item| NodeItem { node, item }));
        }
    }

    /// A node and all below it, children first.
    pub(crate) fn below(&self, shape: ShapeId, node: NodeId) -> Vec<NodeId> {
        let mut nodes = Vec::new();
        for part in self.parts(shape, node) {
            if let Part::Child(child) = *part {
                nodes.extend(self.below(shape, child));
            }
        }
        nodes.push(node);
        nodes
    }

    /// What the stages of the Runge-Kutta method compute. The first stage stores the variables of
    /// parents before those of their children.
    fn simultaneous(&self, shape: ShapeId, nodes: &[NodeId]) -> Simultaneous<'m, 'd> {
        let mut stored = Vec::new();
        for &node in nodes.iter().rev() {
            let kind = self.kind(shape, node);
            let Some(dynamics) = &kind.dynamics else {
                continue;
            };
            let computed = dynamics.computed_variables().map(|variable| variable.name);
            let names = dynamics.requirements.iter().copied().chain(computed);
            stored.extend(names.map(|name| (node, name)));
        }
        let mut states: Vec<RateSum<'m, 'd>> = Vec::new();
        for &node in nodes {
            let dynamics = self.dynamics(shape, node).into_iter();
            let first = states.len();
            for rate in dynamics.flat_map(|dynamics| &dynamics.rates) {
                let mut own = states[first..].iter_mut();
                match own.find(|state| state.name == rate.variable) {
                    Some(state) => state.rates.push(rate),
                    None => states.push(RateSum {
                        node,
                        name: rate.variable,
                        rates: vec![rate],
                    }),
                }
            }
        }
        Simultaneous { stored, states }
    }
}
