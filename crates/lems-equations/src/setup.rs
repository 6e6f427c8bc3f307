//! The order of what happens before the first step.

use lems_model::{ComponentType, Dynamics, Trigger};
use lems_network::{NodeId, Part, ShapeId, regimes_in_order};

use crate::{
    Equations, Item,
    step::{computed, published, requirements},
};

/// A part of the set-up of a shape.
#[derive(Debug, Clone)]
pub enum Setup<'m, 'd> {
    /// One node makes a pass over its equations.
    Pass {
        /// The node.
        node: NodeId,
        /// What it does, in order.
        items: Vec<Item<'m, 'd>>,
    },
    /// Everything attached to a list of a node is set up.
    Attached {
        /// The node.
        node: NodeId,
        /// The list.
        list: &'d str,
    },
    /// The parts in it happen twice, one time after the other.
    Twice(Vec<Setup<'m, 'd>>),
}

/// What an instance of a type does when it is made: the assignments in the `OnStart` blocks of all its regimes, in the
/// order of jLEMS's table. The events of these blocks reach nobody: at this time nothing is connected.
pub fn creation<'m, 'd>(
    kind: &'m ComponentType<'d>,
) -> impl Iterator<Item = Item<'m, 'd>> + use<'m, 'd> {
    let dynamics = kind.dynamics.iter();
    let regimes = dynamics.flat_map(|dynamics| {
        let number = |name| dynamics.regimes.get_index_of(name);
        regimes_in_order(dynamics).filter_map(move |(name, regime)| Some((number(name)?, regime)))
    });
    regimes.flat_map(|(number, regime)| {
        let starts = regime.dynamics.on_start.iter();
        let assignments = starts.flat_map(|actions| &actions.assignments);
        assignments.map(move |assignment| Item::Create(number, assignment))
    })
}

/// One initial pass of an instance: requirements, variables if `derived` says so, `OnStart` blocks
/// (twice in an instance that jLEMS has consolidated), the initial regime, what others see.
pub fn pass<'m, 'd>(
    kind: &'m ComponentType<'d>,
    derived: bool,
    consolidated: bool,
) -> Vec<Item<'m, 'd>> {
    let mut items: Vec<Item<'m, 'd>> = requirements(kind).collect();
    let Some(dynamics) = &kind.dynamics else {
        return items;
    };
    if derived {
        items.extend(computed(dynamics));
    }
    for _ in 0..if consolidated { 2 } else { 1 } {
        items.extend(dynamics.actions_on([Trigger::Start]).map(Item::Actions));
    }
    items.extend(initial_regime(dynamics).map(Item::Enter));
    items.extend(published(kind, dynamics));
    items
}

/// The last regime that is declared initial in the order of jLEMS's table, else the first in that
/// order.
fn initial_regime<'d>(dynamics: &Dynamics<'d>) -> Option<&'d str> {
    let mut regimes = regimes_in_order(dynamics);
    let initial = regimes.clone().rfind(|(_, regime)| regime.initial);
    initial.or_else(|| regimes.next()).map(|(name, _)| name)
}

impl<'m, 'd> Equations<'_, 'm, 'd> {
    /// What the nodes of a shape do when its members are made, children first; and what is attached to them, which is
    /// made when all members of all shapes are there.
    pub fn creation(&self, shape: ShapeId) -> [Vec<Setup<'m, 'd>>; 2] {
        let mut parts = Vec::new();
        let mut attached = Vec::new();
        self.create(shape, NodeId::ROOT, &mut parts, &mut attached);
        [parts, attached]
    }

    fn create(
        &self,
        shape: ShapeId,
        node: NodeId,
        parts: &mut Vec<Setup<'m, 'd>>,
        attached: &mut Vec<Setup<'m, 'd>>,
    ) {
        for part in self.parts(shape, node) {
            match *part {
                Part::Child(child) => self.create(shape, child, parts, attached),
                Part::Attached(list) => attached.push(Setup::Attached { node, list }),
            }
        }
        let items: Vec<Item<'m, 'd>> = creation(self.kind(shape, node)).collect();
        if !items.is_empty() {
            parts.push(Setup::Pass { node, items });
        }
    }

    /// The set-up of a shape, in the order of `initialize` of jLEMS.
    ///
    /// Each node makes a pass. Then, twice, all nodes in it are set up, and it makes another pass.
    pub fn setup(&self, shape: ShapeId) -> Vec<Setup<'m, 'd>> {
        let mut parts = Vec::new();
        self.set_up(shape, NodeId::ROOT, &mut parts);
        parts
    }

    /// The set-up of a container before that of its children, which are members of other shapes, and after it.
    pub fn setup_of_container(&self, shape: ShapeId) -> [Vec<Setup<'m, 'd>>; 2] {
        let node = NodeId::ROOT;
        let attached = self
            .parts(shape, node)
            .iter()
            .filter_map(|part| match *part {
                Part::Attached(list) => Some(Setup::Attached { node, list }),
                Part::Child(_) => None,
            });
        let before = self.pass(shape, node, false).into_iter().collect();
        let after = attached.chain(self.pass(shape, node, true)).collect();
        [before, after]
    }

    /// Adds the set-up of a node and of all nodes in it.
    fn set_up(&self, shape: ShapeId, node: NodeId, parts: &mut Vec<Setup<'m, 'd>>) {
        parts.extend(self.pass(shape, node, false));
        let mut again = Vec::new();
        for part in self.parts(shape, node) {
            match *part {
                Part::Child(child) => self.set_up(shape, child, &mut again),
                Part::Attached(list) => again.push(Setup::Attached { node, list }),
            }
        }
        // The states and transitions of a kinetic scheme are set up once more.
        let dynamics = self.dynamics(shape, node).into_iter();
        for scheme in dynamics.flat_map(|dynamics| &dynamics.schemes) {
            for list in [scheme.nodes, scheme.edges] {
                for element in self.elements(shape, node, list) {
                    self.set_up(shape, element, &mut again);
                }
            }
        }
        // In a compartment the occupancies start at the steady state of the initial potential.
        if self.shape(shape).cable {
            let dynamics = self.dynamics(shape, node).into_iter();
            for scheme in dynamics.flat_map(|dynamics| &dynamics.schemes) {
                let items = vec![Item::Scheme(scheme)];
                again.push(Setup::Pass { node, items });
                for element in self.elements(shape, node, scheme.nodes) {
                    again.extend(self.pass(shape, element, true));
                }
            }
        }
        again.extend(self.pass(shape, node, true));
        parts.push(Setup::Twice(again));
    }

    /// One initial pass of a node; None without dynamics.
    pub fn pass(&self, shape: ShapeId, node: NodeId, derived: bool) -> Option<Setup<'m, 'd>> {
        let kind = self.kind(shape, node);
        let consolidated = self.shape(shape).nodes[node].consolidated;
        kind.dynamics.as_ref().map(|_| Setup::Pass {
            node,
            items: pass(kind, derived, consolidated),
        })
    }
}
