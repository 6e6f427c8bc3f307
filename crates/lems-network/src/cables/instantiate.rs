//! Makes instances of the compartments of cells, and finds places on them.

use std::rc::Rc;

use lems_model::{ComponentId, TypeId};
use rustc_hash::FxHashSet;

use super::{Cable, CablePlace, CablePlan, Origin, plans};
use crate::{InstanceId, NetworkError, build::Builder};

impl<'d> Builder<'_, '_, 'd> {
    /// Turns cells into compartments if a cell of the model has several.
    pub(crate) fn look_for_cables(&mut self) {
        let model = self.network.model;
        let Some(rules) = self.cables.rules else {
            return;
        };
        let (plans, several) = plans(model, rules);
        let plans = plans.into_iter();
        self.cables
            .plans
            .extend(plans.map(|(cell, plan)| ((cell, [0; 3]), Some(plan))));
        if !several && !self.cables.always && !rules.single_precision {
            self.cables.rules = None;
            return;
        }
        let Some(kind) = model.type_named(&rules.cell) else {
            return;
        };
        let names = &model.type_of(kind).dynamics;
        let variable = |name: &str| {
            let mut all = names.iter().flat_map(|dynamics| dynamics.variables());
            all.find(|variable| variable.name == name)
                .map_or("", |variable| variable.name)
        };
        let parameters = |wanted: &[String]| -> Vec<&'d str> {
            let all = model.types.values().flat_map(|kind| kind.parameters.keys());
            let mut found: Vec<&'d str> = (all.copied())
                .filter(|name| wanted.iter().any(|wanted| wanted == name))
                .collect();
            found.sort_unstable();
            found.dedup();
            found
        };
        let (densities, counted) = (parameters(&rules.density), parameters(&rules.counted));
        let requirements = model
            .types
            .values()
            .flat_map(|kind| kind.requirements.keys());
        let requirements: FxHashSet<&'d str> = requirements.copied().collect();
        let around = (rules.around.iter())
            .filter_map(|(name, value)| Some((*requirements.get(name.as_str())?, *value)))
            .collect();
        let cables = &mut self.network.cables;
        cables.counted = counted;
        cables.around = around;
        cables.potential = variable(&rules.potential);
        cables.capacitance = variable(&rules.capacitance);
        cables.area = variable(&rules.area);
        cables.densities = densities;
    }

    /// What the compartment changes in a part of it that has just become an instance.
    pub(crate) fn place_part(
        &mut self,
        id: InstanceId,
        component: Option<ComponentId>,
        parent: Option<InstanceId>,
    ) {
        let model = self.network.model;
        // What a part says holds for the child that its structure makes, too.
        if let (Some(rules), Some(parent)) = (self.cables.rules, parent) {
            let outer = self.network.type_of(parent);
            for name in &rules.passed_on {
                let inner = self
                    .network
                    .type_of(id)
                    .parameters
                    .get_key_value(name.as_str());
                if let Some((name, _)) = inner
                    && outer.parameters.contains_key(name)
                    && let Some(value) = self.network.parameter(parent, name)
                {
                    self.network.cables.parameters.insert((id, name), value);
                }
            }
        }
        let (Some((plan, place)), Some(component)) = (self.cables.current.clone(), component)
        else {
            return;
        };
        if let Some(share) = plan.share(component, place).filter(|share| *share < 1.0) {
            self.network.cables.shares.insert(id, share);
        }
        if let Some(part) = plan.part(component, place) {
            self.network.cables.parts.insert(id, part);
        }
        if let (Some(varying), CablePlace::Compartment(compartment)) =
            (plan.varying(component), place)
        {
            let parameters = &model.type_of(varying.kind).parameters;
            let name = parameters.get_key_value(varying.parameter.as_str());
            let value = varying.values.get(&compartment);
            if let (Some((name, _)), Some(value)) = (name, value) {
                self.network.cables.parameters.insert((id, name), *value);
            }
        }
    }

    /// The plan of a cell component; None if it is not a cell with a shape. The errors of a plan are
    /// reported once.
    pub(crate) fn cable_plan(
        &mut self,
        kind: TypeId,
        component: Option<ComponentId>,
        parent: Option<InstanceId>,
    ) -> Option<Rc<CablePlan>> {
        let rules = self.cables.rules?;
        let component = component?;
        let model = self.network.model;
        if self.cables.current.is_some() || !model.is_a(kind, &rules.cell) {
            return None;
        }
        let displacement = self.displacement(parent);
        let key = (component, displacement.map(f64::to_bits));
        if let Some(known) = self.cables.plans.get(&key).cloned() {
            return self.complete_plan(known);
        }
        let plan = match CablePlan::displaced(model, rules, component, displacement) {
            None => None,
            Some(Ok(plan)) => Some(Rc::new(plan)),
            Some(Err(errors)) => {
                self.errors.extend(errors);
                self.exhausted = true;
                None
            }
        };
        self.cables.plans.insert(key, plan.clone());
        self.complete_plan(plan)
    }

    /// By how much the points of a cell are moved, if that matters to their last digits.
    fn displacement(&self, around: Option<InstanceId>) -> [f64; 3] {
        let place = || {
            let rules = self.cables.rules.filter(|rules| rules.single_precision)?;
            let [kind, x, y, z] = rules.displacement.as_ref()?;
            let model = self.network.model;
            let outer = self.network.instance(around?).component?;
            let mut children = model.children(outer).map(|(_, child)| child);
            let is_place =
                |child: &ComponentId| model.is_a(model.component(*child).component_type, kind);
            let place = children.find(is_place)?;
            Some([x, y, z].map(|name| model.parameter(place, name).unwrap_or(0.0)))
        };
        place().unwrap_or_default()
    }

    /// A plan, if it has all that a run needs.
    fn complete_plan(&mut self, plan: Option<Rc<CablePlan>>) -> Option<Rc<CablePlan>> {
        let plan = plan?;
        if plan.lacks.is_empty() {
            return Some(plan);
        }
        self.errors.extend(plan.lacks.iter().cloned());
        self.exhausted = true;
        None
    }

    /// Makes an instance for each compartment of a cell; gives the one that stands for it.
    pub(crate) fn instantiate_cable(
        &mut self,
        plan: &Rc<CablePlan>,
        origin: Origin,
    ) -> Option<InstanceId> {
        let cell = self.network.cables.all.len();
        self.network.cables.all.push(Cable {
            plan: plan.clone(),
            instances: vec![None; plan.morphology.nodes().len()],
        });
        // The main compartment first: it stands for the cell wherever instances are counted.
        let count = plan.morphology.compartments().len();
        let main = plan.main;
        let others = (0..count).filter(|compartment| *compartment != main);
        let mut first = None;
        for compartment in [main].into_iter().chain(others) {
            let node = plan.morphology.compartments().get(compartment)?.node;
            let made = self.cable_node(cell, node, origin)?;
            first = first.or(Some(made));
        }
        first
    }

    /// The instance at a node of a cell, which is made if there is none yet.
    pub(crate) fn cable_node(
        &mut self,
        cell: usize,
        node: usize,
        origin: Origin,
    ) -> Option<InstanceId> {
        let rules = self.cables.rules?;
        let cable = self.network.cables.all.get(cell)?;
        if let Some(made) = cable.instance(node) {
            return Some(made);
        }
        let plan = cable.plan.clone();
        let place = plan.place(node)?;
        let outer = self.cables.current.replace((plan.clone(), place));
        let Origin {
            kind,
            component,
            parent,
            consolidated,
            depth,
        } = origin;
        let made = self.instantiate(kind, component, parent, consolidated, depth);
        self.cables.current = outer;
        let made = made?;
        // What the shape gives.
        let model = self.network.model;
        let variables: Vec<&'d str> = (model.type_of(kind).dynamics.iter())
            .flat_map(|dynamics| dynamics.variables())
            .map(|variable| variable.name)
            .collect();
        let compartments = plan.morphology.compartments();
        let area = compartments.get(place.compartment())?.area;
        let has = |builder: &Self, element: &str| {
            component.is_some_and(|component| builder.has_part(&plan, place, component, element))
        };
        let mut given = vec![(rules.area.as_str(), area, None)];
        for default in &rules.defaults {
            if !has(self, &default.element) {
                let missing = model.type_named(&default.element);
                given.push((default.variable.as_str(), default.value, missing));
            }
        }
        for (name, value, missing) in given {
            if let Some(name) = variables.iter().find(|variable| **variable == name) {
                self.network.cables.given.insert((made, name), value);
                if let Some(missing) = missing {
                    let missing = model.type_of(missing).name;
                    self.network.cables.missing.insert(name, missing);
                }
            }
        }
        let cables = &mut self.network.cables;
        cables.node_of.insert(made, (cell, node));
        if let Some(slot) =
            (cables.all.get_mut(cell)).and_then(|cable| cable.instances.get_mut(node))
        {
            *slot = Some(made);
        }
        Some(made)
    }

    /// Whether a cell has a part of a type at a place.
    fn has_part(&self, plan: &CablePlan, place: CablePlace, cell: ComponentId, kind: &str) -> bool {
        let model = self.network.model;
        let mut unread = vec![cell];
        while let Some(part) = unread.pop() {
            if part != cell && plan.share(part, place).is_none() {
                continue;
            }
            if model.is_a(model.component(part).component_type, kind) {
                return true;
            }
            unread.extend(model.children(part).map(|(_, child)| child));
        }
        false
    }

    /// The instance of a cell where a connection says that it is; the cell itself if it has no
    /// dendrites. `attribute` has the path of the cell.
    pub(crate) fn cable_location(
        &mut self,
        cell: InstanceId,
        connection: ComponentId,
        attribute: &str,
    ) -> InstanceId {
        let (Some(rules), Some(cable)) = (self.cables.rules, self.network.cables.cell_at(cell))
        else {
            return cell;
        };
        let model = self.network.model;
        let element = model.element(connection);
        let text = |name: &str| element.attribute(name);
        let rule = (rules.places_of(attribute))
            .find(|rule| text(&rule.segment).is_some() || text(&rule.fraction).is_some());
        let Some(rule) = rule else {
            return cell;
        };
        let plan = cable.plan.clone();
        let segment = text(&rule.segment).map_or("0", |segment| segment.value().trim());
        let fraction = text(&rule.fraction).map_or("0.5", |fraction| fraction.value().trim());
        let index = segment.parse().ok().and_then(|id| plan.segment(id));
        let fraction_value: Option<f64> = fraction.parse().ok();
        let node = match (index, fraction_value) {
            (Some(segment), Some(fraction)) => plan.node_at(segment, fraction),
            _ => None,
        };
        let Some(node) = node else {
            let wrong = if index.is_none() {
                &rule.segment
            } else {
                &rule.fraction
            };
            let span = text(wrong).map_or_else(|| element.name_span(), |wrong| wrong.span());
            let problem = match index {
                None => format!("there is no segment {segment}"),
                Some(_) => format!("`{fraction}` is no place along a segment"),
            };
            let title = self.network.title(cell);
            self.errors.push(NetworkError::BadMorphology {
                cell: title,
                problem,
                help: Some(
                    "segments have whole numbers, and places on them are from 0 to 1".to_owned(),
                ),
                span,
            });
            return cell;
        };
        let Some((number, _)) = self.network.cables.node_of.get(&cell).copied() else {
            return cell;
        };
        let instance = self.network.instance(cell);
        let origin = Origin {
            kind: instance.kind,
            component: instance.component,
            parent: instance.parent,
            consolidated: instance.consolidated,
            depth: 1,
        };
        let Some(made) = self.cable_node(number, node, origin) else {
            return cell;
        };
        self.build(made);
        made
    }
}
