//! Cells with dendrites: a cell becomes an instance of its type for each compartment.
//!
//! A compartment has the parts of the cell that cover it: its own densities, capacitance, pools. Its
//! membrane area is given instead of computed. The instance of the compartment in the middle of
//! segment 0 stands for the whole cell, in its population and in paths; the others stand beside it.
//! Points without membrane, such as the end of a branch, have an instance if something is attached
//! to them. A [`Cable`] tells how the nodes are joined.

mod cover;
mod doubts;
mod groups;
mod instantiate;
mod plan;
mod read;
mod rules;
mod varying;

use std::rc::Rc;

use lems_model::{ComponentId, ComponentType, Model, TypeId};
use rustc_hash::FxHashMap;

pub(crate) use plan::CablePlace;
pub use plan::{CablePlan, SectionName};
pub use rules::{CableRules, CableRulesError, IonRule};

use crate::{InstanceId, Network};

/// A cell with dendrites.
#[derive(Debug, Clone)]
pub struct Cable {
    /// The compartments of its component.
    pub plan: Rc<CablePlan>,
    /// The instance at each node, if there is one. Compartments have one.
    pub instances: Vec<Option<InstanceId>>,
}

impl Cable {
    /// The instance at a node, if there is one.
    pub fn instance(&self, node: usize) -> Option<InstanceId> {
        self.instances.get(node).copied().flatten()
    }

    /// The instance that stands for the cell.
    pub(crate) fn main(&self) -> Option<InstanceId> {
        let main = self.plan.morphology.compartments().get(self.plan.main)?;
        self.instance(main.node)
    }
}

/// All cells with dendrites of a network.
#[derive(Debug, Clone, Default)]
pub struct Cables<'d> {
    /// The cells.
    pub all: Vec<Cable>,
    /// Cell and node of each instance that is one.
    pub(crate) node_of: FxHashMap<InstanceId, (usize, usize)>,
    /// Values of variables that are given by the shape, in SI units.
    pub given: FxHashMap<(InstanceId, &'d str), f64>,
    /// Those of them that hold because an element is missing: the name, and the type of the element.
    pub(crate) missing: FxHashMap<&'d str, &'d str>,
    /// Shares of parameters that are per area, where a group covers a compartment in part.
    pub shares: FxHashMap<InstanceId, f64>,
    /// Parts of what is counted, where a component is in several compartments.
    pub(crate) parts: FxHashMap<InstanceId, f64>,
    /// Parameters that have other values than those of the component, in SI units.
    pub(crate) parameters: FxHashMap<(InstanceId, &'d str), f64>,
    /// Values around cells that nothing gives, in SI units.
    pub(crate) around: Vec<(&'d str, f64)>,
    /// Parameters that are counted.
    pub(crate) counted: Vec<&'d str>,
    /// Name of the potential.
    pub potential: &'d str,
    /// Name of the capacitance.
    pub capacitance: &'d str,
    /// Name of the membrane area.
    pub area: &'d str,
    /// Parameters that are per area.
    pub(crate) densities: Vec<&'d str>,
}

impl Cables<'_> {
    /// Whether instances of one component may have different parameters.
    pub fn changes_parameters(&self) -> bool {
        !(self.shares.is_empty() && self.parts.is_empty() && self.parameters.is_empty())
    }

    /// Whether what has a type conducts through the membrane: it has a parameter that is per area, or
    /// that is counted.
    pub fn conducts(&self, kind: &ComponentType<'_>) -> bool {
        let mut names = self.densities.iter().chain(&self.counted);
        names.any(|name| kind.parameters.contains_key(name))
    }

    /// Whether an instance is a node of a cell.
    pub fn is_node(&self, id: InstanceId) -> bool {
        self.node_of.contains_key(&id)
    }

    /// The cell, and the node of it, that an instance is.
    pub fn place_of(&self, id: InstanceId) -> Option<(usize, usize)> {
        self.node_of.get(&id).copied()
    }

    /// Whether an instance is a node of a cell for which another one stands.
    pub fn is_beside(&self, id: InstanceId) -> bool {
        self.is_node(id) && self.cell_at(id).is_none()
    }

    /// The cell that an instance belongs to, and the node of it that the instance is.
    fn node(&self, id: InstanceId) -> Option<(&Cable, usize)> {
        let (cell, node) = self.node_of.get(&id)?;
        Some((self.all.get(*cell)?, *node))
    }

    /// The cell that an instance stands for, if it does.
    pub(crate) fn cell_at(&self, id: InstanceId) -> Option<&Cable> {
        let (cable, _) = self.node(id)?;
        (cable.main() == Some(id)).then_some(cable)
    }

    /// The other instances of the cell that an instance stands for.
    pub(crate) fn beside(&self, id: InstanceId) -> impl Iterator<Item = InstanceId> {
        let instances = self.cell_at(id).map(|cable| cable.instances.iter());
        let all = instances.into_iter().flatten().flatten().copied();
        all.filter(move |other| *other != id)
    }

    /// The other instances of a cell on the segments that a compartment is on.
    pub(crate) fn on_same_segments(&self, id: InstanceId) -> impl Iterator<Item = InstanceId> {
        let cable = self.node(id).map(|(cable, _)| cable);
        let own: Vec<usize> = (self.node(id).into_iter())
            .flat_map(|(cable, node)| cable.plan.segments_at(node))
            .collect();
        let on_own = move |cable: &Cable, node: usize| {
            let mut segments = cable.plan.segments_at(node);
            segments.any(|segment| own.contains(&segment))
        };
        let instances = cable.into_iter().flat_map(|cable| {
            let numbered = cable.instances.iter().enumerate();
            numbered.map(move |(node, instance)| (cable, node, *instance))
        });
        instances
            .filter(move |(cable, node, _)| on_own(cable, *node))
            .filter_map(move |(_, _, instance)| instance.filter(|other| *other != id))
    }

    /// The instance in the middle of a segment of the cell that an instance stands for.
    pub(crate) fn segment(&self, id: InstanceId, segment: &str) -> Option<InstanceId> {
        let cable = self.cell_at(id)?;
        let segment = cable.plan.segment(segment.parse().ok()?)?;
        cable.instance(cable.plan.node_at(segment, 0.5)?)
    }
}

impl<'d> Network<'_, 'd> {
    /// How much of a parameter an instance has: all of it, but for a density whose group covers
    /// a compartment in part.
    pub(crate) fn share_of(&self, id: InstanceId, parameter: &str) -> f64 {
        let cables = &self.cables;
        if cables.densities.contains(&parameter) {
            return cables.shares.get(&id).copied().unwrap_or(1.0);
        }
        if cables.counted.contains(&parameter) {
            return cables.parts.get(&id).copied().unwrap_or(1.0);
        }
        1.0
    }

    /// The segment that a compartment beside a cell is named after: the first in it.
    pub(crate) fn step_to_compartment(&self, id: InstanceId) -> Option<(InstanceId, i64)> {
        let (cable, node) = self.cables.node(id)?;
        let main = cable.main().filter(|main| *main != id)?;
        let segment = cable.plan.segments_at(node).next()?;
        let segment = cable.plan.morphology.segments().get(segment)?.id;
        Some((main, segment))
    }
}

/// The plans of the cells of a model, and whether one of them has several compartments: only then cells
/// are cables.
pub(crate) fn plans(
    model: &Model<'_>,
    rules: &CableRules,
) -> (FxHashMap<ComponentId, Rc<CablePlan>>, bool) {
    let is_cell = |id: &ComponentId| model.is_a(model.component(*id).component_type, &rules.cell);
    let cells = model.component_ids().filter(is_cell);
    let mut plans = FxHashMap::default();
    let mut several = false;
    for cell in cells {
        match CablePlan::of(model, rules, cell) {
            Some(Ok(plan)) => {
                several |= plan.has_several();
                plans.insert(cell, Rc::new(plan));
            }
            // What is wrong with it is said when it is instantiated.
            Some(Err(_)) => several |= CablePlan::counts_segments(model, rules, cell) > 1,
            None => {}
        }
    }
    (plans, several)
}

/// What the instances of a cell are made from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    pub kind: TypeId,
    pub component: Option<ComponentId>,
    pub parent: Option<InstanceId>,
    pub consolidated: bool,
    pub depth: usize,
}

/// What the builder knows of cells with dendrites.
#[derive(Debug, Default)]
pub(crate) struct CableBuilder<'r> {
    /// Whether cells are cables even if all of them have one compartment.
    pub always: bool,
    pub rules: Option<&'r CableRules>,
    /// The plans of cells that were met, by component and displacement; None where there is none.
    pub plans: FxHashMap<(ComponentId, [u64; 3]), Option<Rc<CablePlan>>>,
    /// The compartment whose instance is being made.
    pub current: Option<(Rc<CablePlan>, CablePlace)>,
}
