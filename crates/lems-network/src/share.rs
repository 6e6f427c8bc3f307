//! The share of a network that one of several ranks builds.
//!
//! All ranks make all cells. Plain instances that connections attach to the cells of another rank, such as
//! its synapses, are numbered but not made. Their shapes have all members of the whole network, but only some
//! of the instances. All ranks make the first instance of each kind, and the first that has other values. So the
//! code of all ranks is that of the whole network.

use lems_expression::{Expression, Node};
use lems_model::{ComponentId, Dynamics, Formula, Model, StructureElement};
use rustc_hash::FxHashMap;

use crate::instance::{Distribution, NO_RANK};
use crate::{InstanceId, Network, Readable, Variable};

/// Most rows of a table of connections that are looked at to find how many each cell has.
const SAMPLE: usize = 4096;

/// What a first look at the connections has found.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Connections of each host.
    pub counts: FxHashMap<InstanceId, u64>,
    /// Connections that the one at hand stands for.
    pub weight: u64,
}

impl Survey {
    /// How many rows of a table are skipped from one that is looked at to the next.
    pub(crate) fn stride(rows: usize) -> usize {
        (rows / SAMPLE).max(1)
    }
}

impl<'d> Network<'_, 'd> {
    /// Number of instances of the whole network, also if some are left out.
    pub fn size(&self) -> usize {
        let left_out = self.distribution.as_ref().map_or(0, |own| own.left_out);
        self.instances.len() + left_out
    }

    /// The rank of an instance: that of the cell that it belongs to, of the first one in it, or of the first one beside
    /// it, such as the cell at a `location`. It is 0 if the network is not distributed.
    pub fn rank_of(&self, id: InstanceId) -> u16 {
        let Some(distribution) = &self.distribution else {
            return 0;
        };
        let around = std::iter::successors(Some(id), |id| self.instance(*id).parent);
        let mut ranks = around.filter_map(|at| self.first_rank_in(distribution, at));
        ranks.next().unwrap_or(0)
    }

    fn first_rank_in(&self, distribution: &Distribution<'d>, id: InstanceId) -> Option<u16> {
        match distribution.ranks.get(id.0 as usize)? {
            &NO_RANK => (self.instance(id).inner())
                .find_map(|inner| self.first_rank_in(distribution, inner)),
            rank => Some(*rank),
        }
    }

    /// The outermost instances with dynamics, in the order of a step, each with its cost.
    fn units(
        &self,
        id: InstanceId,
        counts: &FxHashMap<InstanceId, u64>,
        units: &mut Vec<(InstanceId, u64)>,
    ) {
        // About as many variables as a step touches.
        const OF_INSTANCE: u64 = 10;
        const OF_CONNECTION: u64 = 5;
        if self.type_of(id).dynamics.is_none() {
            for inner in self.instance(id).inner() {
                self.units(inner, counts, units);
            }
            return;
        }
        let cost = |part| OF_INSTANCE + OF_CONNECTION * counts.get(&part).copied().unwrap_or(0);
        let parts = self.parts_of(id).into_iter();
        units.push((id, cost(id) + parts.map(cost).sum::<u64>()));
    }

    /// Ranks of all instances: the units in equal shares, neighbours on one rank. None if there are fewer than
    /// two units.
    pub(crate) fn ranks(
        &self,
        counts: &FxHashMap<InstanceId, u64>,
        ranks: u16,
    ) -> Option<Vec<u16>> {
        let mut units = Vec::new();
        self.units(Network::ROOT, counts, &mut units);
        let all = units.iter().map(|(_, cost)| cost).sum::<u64>().max(1);
        let mut of_instances = vec![NO_RANK; self.instances.len()];
        let mut before = 0;
        for (unit, cost) in &units {
            // The middle of the unit decides.
            let middle = u128::from(2 * before + cost) * u128::from(ranks);
            before += cost;
            let rank = u16::try_from(middle / u128::from(2 * all)).unwrap_or(0);
            for id in self.parts_of(*unit).into_iter().chain([*unit]) {
                if let Some(entry) = of_instances.get_mut(id.0 as usize) {
                    *entry = rank;
                }
            }
        }
        (units.len() > 1).then_some(of_instances)
    }

    /// Whether all ranks have a value at the start: a parameter or a state variable, not of what is attached.
    pub fn is_known_to_all(&self, value: &Readable<'d>) -> bool {
        let dynamics = self.type_of(value.instance).dynamics.as_ref();
        self.has_place_on_all(value.instance)
            && match value.variable {
                Variable::Exposed(name) | Variable::Live(name) => {
                    dynamics.is_some_and(|own| own.state.contains_key(name))
                }
                Variable::Fixed(_) => true,
            }
    }

    /// Whether the paths that lead to an instance lead to the same one on all ranks.
    pub fn has_place_on_all(&self, id: InstanceId) -> bool {
        let distribution = self.distribution.as_ref();
        distribution.is_none_or(|distribution| !distribution.is_attached(id))
    }
}

/// Whether a network of a model may be distributed: its connections join pairs and attach what they make, nothing
/// in it is made at random, and nothing at the start depends on what is attached.
pub(crate) fn can_be_distributed(model: &Model<'_>) -> bool {
    let mut waiting = model.top_level.clone();
    while let Some(id) = waiting.pop() {
        let kind = model.type_of_component(id);
        if !kind.structure.iter().all(is_simple) || !starts_alone(kind.dynamics.as_deref()) {
            return false;
        }
        waiting.extend(model.child_groups(id).iter().map(|(_, group)| group.first));
    }
    true
}

/// Whether an element of a `Structure` makes instances or joins two, and draws no random numbers.
fn is_simple(element: &StructureElement<'_>) -> bool {
    let assigns = match element {
        StructureElement::WithInstance { .. } | StructureElement::WithList { .. } => return true,
        StructureElement::EventConnection(connection) => &connection.wiring.assigns,
        StructureElement::ChildInstance { assigns, .. } => assigns,
        StructureElement::MultiInstantiate {
            assigns,
            component_type: None,
            ..
        } => assigns,
        _ => return false,
    };
    (assigns.iter()).all(|assign| assign.expose_as.is_none() && !draws(&assign.value))
}

/// Whether what is assigned at the start depends on no variable that is computed.
fn starts_alone(dynamics: Option<&Dynamics<'_>>) -> bool {
    let Some(dynamics) = dynamics else {
        return true;
    };
    let is_computed = |name: &String| {
        let mut computed = dynamics
            .with_regimes()
            .flat_map(Dynamics::computed_variables);
        computed.any(|variable| variable.name == name)
    };
    let blocks = dynamics
        .with_regimes()
        .flat_map(|block| block.on_start.iter().chain(&block.on_entry));
    let mut values = blocks.flat_map(|actions| &actions.assignments);
    values.all(|assignment| {
        !assignment
            .value
            .expression
            .variables()
            .iter()
            .any(is_computed)
    })
}

/// Whether an instance of a component contains nothing, draws no random numbers, sends no events and looks at nothing
/// but itself and what is around it.
pub(crate) fn is_plain(model: &Model<'_>, component: ComponentId) -> bool {
    let kind = model.type_of_component(component);
    let is_leaf = kind.structure.is_empty()
        && kind.attachments.is_empty()
        && model.child_groups(component).is_empty();
    let is_quiet = |block: &Dynamics<'_>| {
        let rates = block.rates.iter().map(|rate| &rate.value);
        let tests = block.on_condition.iter().map(|condition| &condition.test);
        let assigned = block.actions().flat_map(|actions| &actions.assignments);
        let mut computed = block
            .computed_variables()
            .flat_map(|one| one.definition.formulas());
        let mut others = rates.chain(tests).chain(assigned.map(|one| &one.value));
        block.selections.is_empty()
            && block.schemes.is_empty()
            && block.actions().all(|actions| actions.events.is_empty())
            && !computed.any(draws)
            && !others.any(draws)
    };
    let dynamics = kind.dynamics.as_deref();
    is_leaf && dynamics.is_none_or(|dynamics| dynamics.with_regimes().all(is_quiet))
}

fn draws(formula: &Formula<'_>) -> bool {
    let nodes = Expression::nodes(&formula.expression);
    nodes.iter().any(|node| matches!(node, Node::Random(_)))
}
