//! What a network will hold, counted from its components without making an instance.

use std::rc::Rc;

use indexmap::IndexMap;
use lems_document::Attribute;
use lems_model::{
    Assign, ComponentId, ComponentType, Formula, Model, Role, Siblings, StructureElement, TypeId,
};
use rustc_hash::FxHashMap;

use crate::build::{MAX_INSTANCES, filled_slots, number_of_lists};
use crate::cables::plans;
use crate::instances::Contents;
use crate::populate::referenced_component;
use crate::structure::{is_bare_connection, is_plain_connection};
use crate::{CablePlan, CableRules, MAX_DEPTH, NetworkError};

/// What a network will contain, counted without building it. [`Network::build`](crate::Network::build) makes exactly
/// as many if `untold` is zero.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Estimate {
    /// Instances by type, in the order in which the types are met.
    pub kinds: IndexMap<TypeId, Count>,
    /// Event connections made; at most as many routes.
    pub connections: u64,
    /// How many have a delay that seems to differ from that of the connection before: a few of each table are compared.
    pub own_delays: u64,
    /// How many connections are made by attached instances, such as those that pass an event on to a part.
    pub relays: u64,
    /// Bytes that attached instances take for their parts and lists, beside the parts themselves.
    pub contents: u64,
    /// Values set in single instances.
    pub assigned: u64,
    /// Elements of `Structure`s that cannot be counted without building the network, or that
    /// refer to nothing.
    pub untold: u64,
    /// Cells with dendrites.
    pub cables: u64,
    /// Their compartments, each of which is an instance. Points without membrane are not counted.
    pub compartments: u64,
    /// Most instances that one element makes, and the component that it belongs to.
    pub largest: Option<(u64, ComponentId)>,
}

/// Number of instances of a type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub instances: u64,
    /// Those that connections attach to others, with what they contain.
    pub attached: u64,
}

impl Estimate {
    /// Most instances that a network may have.
    pub const LIMIT: u64 = MAX_INSTANCES as u64;

    /// Counts what the target's tree and all `Structure`s in it make. The time is that of reading
    /// the components and does not depend on the sizes of populations.
    ///
    /// # Errors
    /// Components that contain one another too deep; more different places than a network may
    /// have instances.
    pub fn of(model: &Model<'_>, target: ComponentId) -> Result<Estimate, NetworkError> {
        Estimate::within(model, target, MAX_INSTANCES)
    }

    /// The same for a network of at most `most` instances, which also bounds the time: each place
    /// is an instance at least.
    ///
    /// # Errors
    /// Components that contain one another too deep; more different places than `most`.
    pub fn within(
        model: &Model<'_>,
        target: ComponentId,
        most: usize,
    ) -> Result<Estimate, NetworkError> {
        Estimate::with_cables(model, target, most, None)
    }

    /// The same with cells that have dendrites, if there are rules for them.
    ///
    /// # Errors
    /// Those of [`within`](Self::within).
    pub fn with_cables(
        model: &Model<'_>,
        target: ComponentId,
        most: usize,
        cables: Option<&CableRules>,
    ) -> Result<Estimate, NetworkError> {
        let plans = cables.map(|rules| plans(model, rules));
        let mut counter = Counter {
            model,
            plans: match plans {
                Some((plans, true)) => plans,
                _ => FxHashMap::default(),
            },
            cable: None,
            estimate: Estimate::default(),
            places: 0,
            each: 1,
            table: None,
            most,
        };
        let root = Place {
            component: Some(target),
            kind: model.component(target).component_type,
            around: None,
            attached: false,
        };
        counter.instances(root, 1, 0)?;
        Ok(counter.estimate)
    }

    /// Number of all instances.
    pub fn instances(&self) -> u64 {
        self.sum(|count| count.instances)
    }

    /// Number of attached instances, with what they contain.
    pub fn attached(&self) -> u64 {
        self.sum(|count| count.attached)
    }

    fn sum(&self, of: impl Fn(&Count) -> u64) -> u64 {
        (self.kinds.values()).fold(0, |sum, count| sum.saturating_add(of(count)))
    }
}

/// Number of variables that an instance of a type keeps from step to step.
pub fn state_size(kind: &ComponentType<'_>) -> u64 {
    kind.dynamics.as_ref().map_or(0, |dynamics| {
        let inner = (dynamics.regimes.values()).map(|regime| regime.dynamics.state.len());
        let regime = usize::from(!dynamics.regimes.is_empty());
        (dynamics.state.len() + inner.sum::<usize>() + regime) as u64
    })
}

/// Where instances are made: their component and that of the instance around.
#[derive(Clone, Copy)]
struct Place<'p> {
    component: Option<ComponentId>,
    kind: TypeId,
    around: Option<&'p Place<'p>>,
    /// Whether a connection attaches what is made here, or what it is in.
    attached: bool,
}

impl Place<'_> {
    fn outer_component(&self) -> Option<ComponentId> {
        self.around.and_then(|around| around.component)
    }
}

/// So many connections of a table are compared.
const SAMPLE: usize = 1000;

struct Counter<'m, 'd> {
    model: &'m Model<'d>,
    /// The cells that are cables.
    plans: FxHashMap<ComponentId, Rc<CablePlan>>,
    /// The cable whose parts are counted, and how many cells are it.
    cable: Option<(Rc<CablePlan>, u64)>,
    estimate: Estimate,
    /// Places met so far.
    places: usize,
    /// How many places the present one stands for.
    each: usize,
    /// The table of the connections that are counted.
    table: Option<Siblings>,
    /// Most places that may be met.
    most: usize,
}

type Counted = Result<(), NetworkError>;

impl<'m, 'd> Counter<'m, 'd> {
    /// Counts `times` instances at a place, with everything that they contain, attach and connect.
    fn instances(&mut self, place: Place<'_>, times: u64, depth: usize) -> Counted {
        let plan = (place.component).and_then(|component| self.plans.get(&component).cloned());
        let (Some(plan), None) = (plan, &self.cable) else {
            return self.alike(place, times, depth);
        };
        // A cell with dendrites is an instance for each compartment.
        let compartments = times.saturating_mul(plan.morphology.compartments().len() as u64);
        self.estimate.cables = self.estimate.cables.saturating_add(times);
        self.estimate.compartments = self.estimate.compartments.saturating_add(compartments);
        self.cable = Some((plan, times));
        let counted = self.alike(place, compartments, depth);
        self.cable = None;
        counted
    }

    /// How many instances of a part there are, if there are `times` of what it is in. In a cable, the part may be in
    /// some of the compartments only.
    fn number_of_part(&self, part: ComponentId, times: u64) -> u64 {
        let cable = self.cable.as_ref();
        let number = cable.and_then(|(plan, cells)| {
            let number = plan.number_of(part)? as u64;
            Some(number.saturating_mul(*cells))
        });
        number.map_or(times, |number| number.min(times))
    }

    /// The children of a table together if all make the same, else one by one.
    fn counted_alike(&self, group: Siblings) -> Vec<Siblings> {
        let component = self.model.component(group.first);
        let structure = &self.model.type_of(component.component_type).structure;
        let together = self.cable.is_none()
            && component.shares_references()
            && structure.iter().all(is_plain_connection);
        match together {
            true => vec![group],
            false => group.ids().map(Siblings::from).collect(),
        }
    }

    /// Counts instances that are all made alike.
    fn alike(&mut self, place: Place<'_>, times: u64, depth: usize) -> Counted {
        let model = self.model;
        let kind = model.type_of(place.kind);
        self.check_limits(place, depth)?;
        let count = self.estimate.kinds.entry(place.kind).or_default();
        count.instances = count.instances.saturating_add(times);
        if place.attached {
            count.attached = count.attached.saturating_add(times);
        }
        let children = (place.component).map_or_else(Vec::new, |id| model.child_groups(id));
        let in_lists = (children.iter())
            .filter(|(role, _)| matches!(role, Role::List(_)))
            .flat_map(|(_, group)| self.counted_alike(*group))
            .collect::<Vec<_>>();
        let slots = filled_slots(model, place.kind, &children);
        self.keep(&place, times, slots.len(), number_of_lists(&children));
        let slots = slots.into_iter().map(|(_, child)| Siblings::from(child));
        for group in slots.chain(in_lists) {
            let Siblings {
                first: child,
                count,
            } = group;
            let inner = self.inside(&place, child);
            let times = self.number_of_part(child, times);
            let times = times.saturating_mul(u64::from(count));
            if times == 0 {
                continue;
            }
            let each = self.each.saturating_mul(count as usize);
            let outer = std::mem::replace(&mut self.each, each);
            if is_bare_connection(model, child) {
                let structure = &model.type_of(inner.kind).structure;
                let outer = self.table.replace(group);
                self.connections(&inner, structure, times, depth)?;
                self.table = outer;
            } else {
                self.instances(inner, times, depth + 1)?;
            }
            self.each = outer;
        }
        running(model, &place, &kind.structure, &mut |element| {
            self.made(&place, element, times, depth)
        })?;
        self.connections(&place, &kind.structure, times, depth)
    }

    /// Counts what instances keep of so many parts in slots and lists, if they are attached.
    fn keep(&mut self, place: &Place<'_>, times: u64, slots: usize, lists: usize) {
        if place.attached && slots + lists > 0 {
            let bytes = times.saturating_mul(Contents::bytes(slots, lists));
            self.estimate.contents = self.estimate.contents.saturating_add(bytes);
        }
    }

    /// Counts the instances that one element makes.
    fn made(
        &mut self,
        place: &Place<'_>,
        element: &StructureElement<'d>,
        times: u64,
        depth: usize,
    ) -> Counted {
        let made = match element {
            StructureElement::ChildInstance { component, .. } => {
                self.keep(place, times, 1, 0);
                self.referenced(place, *component).map(|made| (made, 1))
            }
            StructureElement::MultiInstantiate { assigns, .. } => {
                let made = self.product(place, element);
                let number = made.map_or(0, |(_, number)| times.saturating_mul(number));
                self.assign(assigns, number);
                if number > self.estimate.largest.map_or(0, |(most, _)| most) {
                    self.estimate.largest = place.component.map(|maker| (number, maker));
                }
                made
            }
            _ => return Ok(()),
        };
        match made {
            Some((_, 0)) => {}
            Some((made, number)) => {
                self.instances(made, times.saturating_mul(number), depth + 1)?;
            }
            None => self.estimate.untold += 1,
        }
        Ok(())
    }

    fn check_limits(&mut self, place: Place<'_>, depth: usize) -> Counted {
        self.places = self.places.saturating_add(self.each);
        let span = || match place.component {
            Some(component) => self.model.span_of(component),
            None => self.model.type_of(place.kind).element.name_span(),
        };
        if depth > MAX_DEPTH {
            return Err(NetworkError::TooDeep {
                limit: MAX_DEPTH,
                instance: self.model.type_of(place.kind).name.to_owned(),
                span: span(),
            });
        }
        if self.places > self.most {
            return Err(NetworkError::TooManyInstances {
                limit: self.most,
                span: span(),
            });
        }
        Ok(())
    }

    fn inside<'p>(&self, around: &'p Place<'p>, component: ComponentId) -> Place<'p> {
        Place {
            component: Some(component),
            kind: self.model.component(component).component_type,
            around: Some(around),
            attached: around.attached,
        }
    }

    /// An instance of the component that a name in a `Structure` refers to.
    fn referenced<'p>(&self, place: &'p Place<'p>, name: Attribute<'d>) -> Option<Place<'p>> {
        let (owner, wanted) = match name.value().strip_prefix("../") {
            Some(wanted) => (place.outer_component(), wanted),
            None => (place.component, name.value()),
        };
        let component = referenced_component(self.model, owner?, wanted)?;
        Some(self.inside(place, component))
    }

    /// What a `MultiInstantiate` makes, and how often.
    fn product<'p>(
        &self,
        place: &'p Place<'p>,
        element: &StructureElement<'d>,
    ) -> Option<(Place<'p>, u64)> {
        let StructureElement::MultiInstantiate {
            number,
            component,
            component_type,
            ..
        } = element
        else {
            return None;
        };
        let made = match (component, component_type) {
            (Some(name), _) => self.referenced(place, *name)?,
            (None, Some(name)) => Place {
                component: None,
                kind: self.model.type_named(name.value())?,
                around: Some(place),
                attached: place.attached,
            },
            (None, None) => return None,
        };
        Some((made, self.number(place, *number)?))
    }

    fn number(&self, place: &Place<'_>, number: Option<Attribute<'d>>) -> Option<u64> {
        let Some(number) = number else {
            return Some(1);
        };
        let text = number.value();
        let value = (place.component)
            .and_then(|component| self.model.parameter(component, text))
            .or_else(|| text.trim().parse().ok())?;
        (value >= 0.0 && value.is_finite())
            .then_some(lems_math::saturating_u64((value + 0.5).floor()))
    }

    fn assign(&mut self, assigns: &[Assign<'d>], times: u64) {
        let values = times.saturating_mul(assigns.len() as u64);
        self.estimate.assigned = self.estimate.assigned.saturating_add(values);
    }

    /// Counts what connecting elements of a `Structure` make when they run `times` times.
    fn connections(
        &mut self,
        place: &Place<'_>,
        elements: &[StructureElement<'d>],
        times: u64,
        depth: usize,
    ) -> Counted {
        let unknown = running(self.model, place, elements, &mut |element| {
            self.connection(place, element, times, depth)
        })?;
        self.estimate.untold += unknown;
        Ok(())
    }

    /// Counts what one connecting element makes.
    fn connection(
        &mut self,
        place: &Place<'_>,
        element: &StructureElement<'d>,
        times: u64,
        depth: usize,
    ) -> Counted {
        match element {
            StructureElement::EventConnection(connection) => {
                let made = self.estimate.connections.saturating_add(times);
                self.estimate.connections = made;
                if place.attached {
                    self.estimate.relays = self.estimate.relays.saturating_add(times);
                }
                if (connection.wiring.delay).is_some_and(|delay| self.differ(delay)) {
                    self.estimate.own_delays = self.estimate.own_delays.saturating_add(times);
                }
                if let Some(receiver) = connection.wiring.receiver {
                    self.assign(&connection.wiring.assigns, times);
                    self.attach(place, receiver, times, depth)?;
                }
            }
            StructureElement::Tunnel(tunnel) => {
                for end in [tunnel.component_a, tunnel.component_b] {
                    self.assign(&tunnel.assigns, times);
                    self.attach(place, end, times, depth)?;
                }
            }
            StructureElement::ForEach {
                instances, body, ..
            } => match self.size_of_list(place, *instances) {
                Some(size) => {
                    self.connections(place, body, times.saturating_mul(size), depth)?;
                }
                None => self.estimate.untold += 1,
            },
            StructureElement::CoInstantiate { .. }
            | StructureElement::PairsEventConnection { .. }
            | StructureElement::Apply { .. } => self.estimate.untold += 1,
            StructureElement::WithInstance { .. }
            | StructureElement::WithList { .. }
            | StructureElement::Gather { .. }
            | StructureElement::GatherPairs { .. }
            | StructureElement::PairFilter { .. }
            | StructureElement::IncludePair { .. }
            | StructureElement::ChildInstance { .. }
            | StructureElement::MultiInstantiate { .. }
            | StructureElement::Choose { .. }
            | StructureElement::Unsupported { .. } => {}
        }
        Ok(())
    }

    /// Whether some of the connections in the present table differ in a parameter, as far as a sample of them tells.
    fn differ(&self, parameter: &str) -> bool {
        let Some(table) = self.table.filter(|table| table.count > 1) else {
            return true;
        };
        let of = |component| self.model.parameter(component, parameter);
        let step = (table.count as usize / SAMPLE).max(1);
        let first = of(table.first);
        (table.ids().skip(1).step_by(step)).any(|component| of(component) != first)
    }

    fn attach(
        &mut self,
        place: &Place<'_>,
        name: Attribute<'d>,
        times: u64,
        depth: usize,
    ) -> Counted {
        match self.referenced(place, name) {
            Some(_) if times == 0 => Ok(()),
            Some(made) => {
                // What is attached sees its host around it, not the connection.
                let made = Place {
                    around: None,
                    attached: true,
                    ..made
                };
                self.instances(made, times, depth + 1)
            }
            None => {
                self.estimate.untold += 1;
                Ok(())
            }
        }
    }

    /// Number of instances that a list name, or the id of a population, means: looked for here,
    /// then outwards.
    fn size_of_list(&self, place: &Place<'_>, instances: Attribute<'d>) -> Option<u64> {
        let text = |owner: Option<ComponentId>, name| self.model.text(owner?, name);
        let wanted = match instances.value().strip_prefix("../") {
            Some(name) => text(place.outer_component(), name),
            None => text(place.component, instances.value()),
        };
        let wanted = wanted.unwrap_or(instances).value();
        let mut current = Some(place);
        while let Some(place) = current {
            if let Some(size) = self.elements(place, wanted) {
                return Some(size);
            }
            current = place.around;
        }
        None
    }

    fn elements(&self, place: &Place<'_>, wanted: &str) -> Option<u64> {
        let model = self.model;
        let component = place.component?;
        let of_list = |owner: ComponentId, list: &str| {
            (model.children(owner))
                .filter(|(role, child)| {
                    *role == Role::List(list) && !is_bare_connection(model, *child)
                })
                .count() as u64
        };
        match of_list(component, wanted) {
            0 => {}
            size => return Some(size),
        }
        let (_, found) = model.children(component).find(|(role, child)| {
            matches!(role, Role::Slot(slot) if *slot == wanted)
                || model.name(*child) == Some(wanted)
        })?;
        let population = self.inside(place, found);
        let kind = model.type_of(population.kind);
        let mut products: Vec<Option<u64>> = Vec::new();
        let unknown = running(model, &population, &kind.structure, &mut |element| {
            if let StructureElement::MultiInstantiate { .. } = element {
                let product = self.product(&population, element);
                products.push(product.map(|(_, number)| number));
            }
            Ok(())
        });
        if unknown != Ok(0) {
            return None;
        }
        if !products.is_empty() {
            return products.into_iter().sum();
        }
        let mut sizes = (kind.lists.keys())
            .map(|list| of_list(found, list))
            .filter(|size| *size > 0);
        match (sizes.next(), sizes.next()) {
            (Some(size), None) => Some(size),
            (None, _) => Some(0),
            _ => None,
        }
    }
}

/// Calls `each` with the elements that run, in order, those under conditions too. Returns the number of conditions
/// whose values are not known.
fn running<'d>(
    model: &Model<'d>,
    place: &Place<'_>,
    elements: &[StructureElement<'d>],
    each: &mut dyn FnMut(&StructureElement<'d>) -> Counted,
) -> Result<u64, NetworkError> {
    let mut unknown = 0;
    for element in elements {
        let StructureElement::Choose { cases } = element else {
            each(element)?;
            continue;
        };
        for (test, body) in cases {
            match test
                .as_ref()
                .map_or(Some(true), |test| holds(model, place, test))
            {
                Some(true) => {
                    unknown += running(model, place, body, each)?;
                    break;
                }
                Some(false) => {}
                None => unknown += 1,
            }
        }
    }
    Ok(unknown)
}

/// Whether a condition holds; none if its value is not known.
fn holds<'d>(model: &Model<'d>, place: &Place<'_>, test: &Formula<'d>) -> Option<bool> {
    let kind = model.type_of(place.kind);
    let lookup = &mut |name: &str| {
        (place.component)
            .and_then(|component| model.parameter(component, name))
            .or_else(|| kind.properties.get(name).map(|property| property.default))
            .or_else(|| model.constants.get(name).map(|constant| constant.value))
    };
    let value = test.expression.evaluate(lookup).ok()?;
    Some(value != 0.0)
}
