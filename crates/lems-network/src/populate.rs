//! Runs the elements of a `Structure` that make instances, and sets values in them.

use lems_document::{Attribute, Element, Span};
use lems_model::{Assign, ComponentId, Formula, Model, Role, StructureElement, TypeId};

use crate::structure::{Place, chosen, makes_instances};
use crate::{InstanceId, NetworkError, build::Builder};

impl<'m, 'd> Builder<'_, 'm, 'd> {
    /// Makes the instances that the `Structure` of an instance asks for, unless that is done.
    pub(crate) fn complete(&mut self, id: InstanceId) {
        if self.exhausted || !self.waiting.remove(&id) {
            return;
        }
        let errors = self.errors.len();
        self.making.push(id);
        let structure = &self.network.type_of(id).structure;
        self.make_all(id, structure);
        self.making.pop();
        self.incomplete |= self.lacks_instances(errors);
    }

    fn make_all(&mut self, id: InstanceId, elements: &[StructureElement<'d>]) {
        for element in elements.iter().filter(|element| makes_instances(element)) {
            match element {
                StructureElement::ChildInstance { component, assigns } => {
                    self.child_instance(id, *component, assigns);
                }
                StructureElement::MultiInstantiate { .. } => self.multi_instantiate(id, element),
                StructureElement::CoInstantiate { .. } => self.co_instantiate(id, element),
                StructureElement::Choose { cases } => {
                    let place = Place::of(&self.network, id);
                    let body = chosen(cases, |test| self.test(test, place));
                    self.make_all(id, body);
                }
                StructureElement::Unsupported { element } => self.ignored(*element),
                _ => element.bodies().for_each(|body| self.ignore_all(body)),
            }
        }
    }

    /// Warns of elements that cannot make instances where they stand.
    fn ignore_all(&mut self, elements: &[StructureElement<'d>]) {
        for element in elements {
            match element {
                StructureElement::ChildInstance { component, .. } => {
                    self.ignored_at("ChildInstance", component.name_span());
                }
                StructureElement::MultiInstantiate { element, .. }
                | StructureElement::CoInstantiate { element, .. }
                | StructureElement::Unsupported { element } => self.ignored(*element),
                _ => element.bodies().for_each(|body| self.ignore_all(body)),
            }
        }
    }

    fn ignored(&mut self, element: Element<'d>) {
        self.ignored_at(element.name(), element.span());
    }

    fn ignored_at(&mut self, element: &str, span: Span) {
        let warning = NetworkError::Ignored {
            element: element.to_owned(),
            span,
        };
        let warnings = self.network.warnings.get_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// Whether a condition over parameters holds; one that cannot be computed does not, since jLEMS
    /// makes nothing under any condition.
    pub(crate) fn test(&mut self, test: &Formula<'d>, place: Place) -> bool {
        match self.value(test, None, place) {
            Ok(value) => value != 0.0,
            Err(warning) => {
                let warnings = self.network.warnings.get_mut();
                if !warnings.contains(&warning) {
                    warnings.push(warning);
                }
                false
            }
        }
    }

    fn depth_of(&self, id: InstanceId) -> usize {
        let parent = |id: &InstanceId| self.network.instance(*id).parent;
        std::iter::successors(Some(id), parent).count() - 1
    }

    fn child_instance(&mut self, id: InstanceId, name: Attribute<'d>, assigns: &[Assign<'d>]) {
        let place = Place::of(&self.network, id);
        let Some(component) = self.referenced(place, name) else {
            return;
        };
        let kind = self.network.model.component(component).component_type;
        let depth = self.depth_of(id) + 1;
        if let Some(child) = self.instantiate(kind, Some(component), Some(id), true, depth) {
            let singles = &mut self.network.contents_mut(id).singles;
            singles.push((name.value(), child));
            self.assign(child, place, assigns, None);
        }
    }

    /// The component that a name in a `Structure` refers to: a reference or slot of the component,
    /// or, after `../`, of the one around it.
    pub(crate) fn referenced(&mut self, place: Place, name: Attribute<'d>) -> Option<ComponentId> {
        let model = self.network.model;
        let (owner, wanted) = match name.value().strip_prefix("../") {
            Some(wanted) => {
                let around = place
                    .around
                    .and_then(|p| self.network.instance(p).component);
                (around, wanted)
            }
            None => (place.component, name.value()),
        };
        let found = owner.and_then(|owner| referenced_component(model, owner, wanted));
        if found.is_none() {
            let error = match owner {
                Some(owner) => NetworkError::MissingAttribute {
                    component: model.title(owner),
                    attribute: wanted.to_owned(),
                    span: model.element(owner).name_span(),
                },
                None => NetworkError::UnknownName {
                    name: name.value().to_owned(),
                    suggestion: None,
                    span: name.span(),
                },
            };
            self.errors.push(error);
        }
        found
    }

    fn multi_instantiate(&mut self, id: InstanceId, element: &StructureElement<'d>) {
        let StructureElement::MultiInstantiate {
            number,
            component,
            component_type,
            assigns,
            element,
        } = element
        else {
            return;
        };
        let count = match number {
            Some(number) => self.count(id, *number),
            None => Some(1),
        };
        let made = self.made_from(id, *component, *component_type, *element);
        let (Some(count), Some((kind, component))) = (count, made) else {
            return;
        };
        if !self.has_room(id, count, component) {
            return;
        }
        let depth = self.depth_of(id) + 1;
        for index in 0..count {
            let Some(child) = self.instantiate(kind, component, Some(id), true, depth) else {
                return;
            };
            self.network.contents_mut(child).number = u32::try_from(index).ok();
            if let Some(name) = self.network.declared_index(child) {
                self.network.set(child, name, index as f64);
            }
            self.append(id, "", child);
            self.assign(child, Place::of(&self.network, id), assigns, Some(child));
        }
    }

    /// One instance for each of a group, in a list that goes by the name of their type, with
    /// copies of all values of its instance of the group.
    fn co_instantiate(&mut self, id: InstanceId, element: &StructureElement<'d>) {
        let StructureElement::CoInstantiate {
            at,
            component,
            component_type,
            assigns,
            element,
        } = element
        else {
            return;
        };
        let made = self.made_from(id, *component, *component_type, *element);
        let points = self.group(id, *at);
        let (Some((kind, component)), Some(points)) = (made, points) else {
            return;
        };
        if !self.has_room(id, points.len() as u64, component) {
            return;
        }
        let depth = self.depth_of(id) + 1;
        let list = self.network.model.type_of(kind).name;
        for point in points {
            let Some(child) = self.instantiate(kind, component, Some(id), true, depth) else {
                return;
            };
            self.append(id, list, child);
            self.copy_values(point, child);
            self.assign(child, Place::of(&self.network, id), assigns, Some(child));
        }
    }

    /// The instances of the group that a reference of a component, or of one around it, names.
    fn group(&mut self, id: InstanceId, at: Attribute<'d>) -> Option<Vec<InstanceId>> {
        let model = self.network.model;
        let mut around = Some(id);
        let group = loop {
            let Some(instance) = around.map(|id| self.network.instance(id)) else {
                self.referenced(Place::of(&self.network, id), at);
                return None;
            };
            if let Some(group) = instance
                .component
                .and_then(|c| model.reference(c, at.value()))
            {
                break group;
            }
            around = instance.parent;
        };
        let mut scope = Some(id);
        while let Some(current) = scope {
            let instance = self.network.instance(current);
            let singles = instance.singles.iter().map(|(_, child)| *child);
            let listed = instance
                .lists
                .iter()
                .flat_map(|(_, list)| list.iter().copied());
            let found = (singles.chain(listed))
                .find(|child| self.network.instance(*child).component == Some(group));
            if let Some(found) = found {
                return self.members(found, at.span());
            }
            scope = instance.parent;
        }
        self.errors.push(NetworkError::BadSelection {
            reason: format!("there is no instance of {}", model.title(group)),
            span: model
                .text(self.network.instance(id).component?, at.value())?
                .span(),
        });
        None
    }

    /// Gives an instance the parameters, properties and assigned values of another.
    fn copy_values(&mut self, from: InstanceId, to: InstanceId) {
        let kind = self.network.type_of(from);
        let additions = self
            .network
            .additions
            .get(&from)
            .cloned()
            .unwrap_or_default();
        let names = (kind.parameters.keys().copied())
            .chain(kind.properties.keys().copied())
            .chain(additions)
            .chain(["index"]);
        for name in names {
            if let Some(value) = self.network.number_at(from, name) {
                self.network.set(to, name, value);
            }
        }
    }

    /// What a `MultiInstantiate` or `CoInstantiate` makes instances of.
    fn made_from(
        &mut self,
        id: InstanceId,
        component: Option<Attribute<'d>>,
        component_type: Option<Attribute<'d>>,
        element: Element<'d>,
    ) -> Option<(TypeId, Option<ComponentId>)> {
        let (name, span) = match (component, component_type) {
            (Some(component), _) => {
                let place = Place::of(&self.network, id);
                let component = self.referenced(place, component)?;
                let kind = self.network.model.component(component).component_type;
                return Some((kind, Some(component)));
            }
            (None, Some(name)) => match self.network.model.type_named(name.value()) {
                Some(kind) => return Some((kind, None)),
                None => (name.value(), name.span()),
            },
            (None, None) => ("component", element.span()),
        };
        self.errors.push(NetworkError::UnknownName {
            name: name.to_owned(),
            suggestion: None,
            span,
        });
        None
    }

    /// Whether `count` more instances are allowed. If not, adds the error.
    fn has_room(&mut self, id: InstanceId, count: u64, component: Option<ComponentId>) -> bool {
        let size = component.map_or(1, |component| size_of(self.network.model, component));
        let expected = count.saturating_mul(size);
        let fits = expected.saturating_add(self.network.instances.len() as u64) <= self.most as u64;
        if !fits {
            self.exhausted = true;
            self.errors.push(NetworkError::TooManyInstances {
                limit: self.most,
                span: self.network.span_of(id),
            });
        }
        fits
    }

    fn count(&mut self, id: InstanceId, number: Attribute<'d>) -> Option<u64> {
        let text = number.value();
        let value = (self.network.parameter(id, text)).or_else(|| text.trim().parse().ok());
        let Some(value) = value else {
            self.errors.push(NetworkError::UnknownName {
                name: text.to_owned(),
                suggestion: None,
                span: number.span(),
            });
            return None;
        };
        let error = || NetworkError::BadCount {
            what: format!("`{text}` of {}", self.network.title(id)),
            value,
            span: self.network.span_of(id),
        };
        if (0.0..=1e9).contains(&value) {
            let whole = (value + 0.5).floor();
            // A number that was computed may be off by rounding errors.
            if (value - whole).abs() > 1e-9 * whole.max(1.0) {
                self.network.warnings.borrow_mut().push(error());
            }
            return Some(lems_math::saturating_u64(whole));
        }
        let error = error();
        if value > 0.0 {
            self.errors.push(error);
            return None;
        }
        // As in jLEMS, fewer than none are none.
        self.network.warnings.borrow_mut().push(error);
        Some(0)
    }

    /// Sets values of a new instance. Names mean what they mean in the component that makes it;
    /// in one of many (`inner`) first what they mean there.
    pub(crate) fn assign(
        &mut self,
        made: InstanceId,
        maker: Place,
        assigns: &[Assign<'d>],
        inner: Option<InstanceId>,
    ) {
        for assign in assigns {
            let shown_as = (assign.expose_as)
                .zip(maker.component)
                .and_then(|(name, component)| self.network.model.text(component, name));
            let names = [Some(assign.property), shown_as.map(Attribute::value)];
            for name in names.into_iter().flatten() {
                if let Some(value) = self.evaluate(&assign.value, inner, maker) {
                    self.network.set(made, name, value);
                }
            }
        }
    }

    /// A value over parameters and properties of an instance, else of the component around; None
    /// with an error noted.
    pub(crate) fn evaluate(
        &mut self,
        formula: &Formula<'d>,
        inner: Option<InstanceId>,
        place: Place,
    ) -> Option<f64> {
        let value = self.value(formula, inner, place);
        value.map_err(|error| self.errors.push(error)).ok()
    }

    fn value(
        &mut self,
        formula: &Formula<'d>,
        inner: Option<InstanceId>,
        place: Place,
    ) -> Result<f64, NetworkError> {
        let network = &self.network;
        let mut random = network.random.clone();
        let lookup = &mut |name: &str| {
            (inner.and_then(|inner| network.value_at(inner, name)))
                .or_else(|| (place.component).and_then(|c| network.model.parameter(c, name)))
                .or_else(|| match (place.instance, place.component) {
                    (Some(id), _) => network.value_at(id, name),
                    (None, Some(component)) => network.model.default_of(component, name),
                    (None, None) => None,
                })
                .or_else(|| {
                    network
                        .model
                        .constants
                        .get(name)
                        .map(|constant| constant.value)
                })
        };
        let value = (formula.expression).evaluate_drawing(lookup, &mut || random.next_double());
        self.network.random = random;
        value.map_err(|error| NetworkError::BadAssign {
            reason: error.to_string(),
            span: formula.source.span(),
        })
    }
}

/// Number of instances that one of a component brings with it, itself among them.
fn size_of(model: &Model<'_>, component: ComponentId) -> u64 {
    let mut waiting = vec![component];
    let mut size = 0;
    while let Some(next) = waiting.pop() {
        size += 1;
        let children = model.component(next).children.iter();
        waiting.extend(children.flat_map(|group| group.ids()));
    }
    size
}

/// The component that a reference of a component means, or that fills a slot of it.
pub(crate) fn referenced_component(
    model: &Model<'_>,
    owner: ComponentId,
    wanted: &str,
) -> Option<ComponentId> {
    model.reference(owner, wanted).or_else(|| {
        let mut children = model.children(owner);
        let slot = |role| matches!(role, Role::Slot(slot) if slot == wanted);
        children
            .find(|(role, _)| slot(*role))
            .map(|(_, child)| child)
    })
}
