//! Makes instances: the tree of a component, then what its `Structure`s add.

use std::cell::RefCell;
use std::collections::HashMap;

use lems_document::Attribute;
use lems_model::{
    Assign, ComponentId, ComponentType, Formula, Model, Role, StructureElement, TypeId,
};

use crate::{
    Instance, InstanceId, MAX_DEPTH, Network, NetworkError,
    connect::{Connector, Place},
    hash_order,
};

/// Most instances of a network.
pub(crate) const MAX_INSTANCES: usize = 100_000_000;

impl<'m, 'd> Network<'m, 'd> {
    /// Makes the instances of `target` and connects them: first all that `ChildInstance` and
    /// `MultiInstantiate` make, then connections in document order.
    ///
    /// # Errors
    /// All paths, names and ports that lead nowhere.
    pub fn build(
        model: &'m Model<'d>,
        target: ComponentId,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        let network = Network {
            model,
            instances: Vec::new(),
            routes: Vec::new(),
            assigned: HashMap::new(),
            warnings: RefCell::default(),
            by_id: Default::default(),
        };
        let mut builder = Builder {
            network,
            errors: Vec::new(),
            exhausted: false,
        };
        let kind = model.component(target).component_type;
        if let Some(root) = builder.instantiate(kind, Some(target), None, true, 0) {
            builder.populate(root, 0);
            if builder.errors.is_empty() {
                builder.connect(root);
            }
        }
        if builder.errors.is_empty() {
            Ok(builder.network)
        } else {
            Err(builder.errors)
        }
    }
}

pub(crate) struct Builder<'m, 'd> {
    pub network: Network<'m, 'd>,
    pub errors: Vec<NetworkError>,
    /// Whether a limit was reached, so that nothing more is made.
    exhausted: bool,
}

impl<'m, 'd> Builder<'m, 'd> {
    /// An instance with its children, without what its `Structure` adds.
    pub(crate) fn instantiate(
        &mut self,
        kind: TypeId,
        component: Option<ComponentId>,
        parent: Option<InstanceId>,
        consolidated: bool,
        depth: usize,
    ) -> Option<InstanceId> {
        if self.exhausted {
            return None;
        }
        let model = self.network.model;
        let id = InstanceId(self.network.instances.len() as u32);
        self.network.instances.push(Instance {
            kind,
            component,
            parent,
            consolidated,
            attached: false,
            singles: Vec::new(),
            lists: Vec::new(),
            peers: Vec::new(),
        });
        if depth > MAX_DEPTH || self.network.instances.len() > MAX_INSTANCES {
            let span = self.network.span_of(id);
            self.exhausted = true;
            self.errors.push(if depth > MAX_DEPTH {
                NetworkError::TooDeep {
                    limit: MAX_DEPTH,
                    instance: model.type_of(kind).name.to_owned(),
                    span,
                }
            } else {
                NetworkError::TooManyInstances {
                    limit: MAX_INSTANCES,
                    span,
                }
            });
            return None;
        }
        let children = component.map_or_else(Vec::new, |id| model.children(id).collect());
        for (slot, child) in filled_slots(model, kind, &children) {
            let child_kind = model.component(child).component_type;
            let child =
                self.instantiate(child_kind, Some(child), Some(id), consolidated, depth + 1)?;
            self.network.instance_mut(id).singles.push((slot, child));
        }
        self.check_counts(kind, &children, id);
        for &(role, child) in &children {
            let part = model.component(child);
            let Role::List(list) = role else {
                continue;
            };
            if is_bare_connection(model, child) {
                continue;
            }
            let element =
                self.instantiate(part.component_type, Some(child), Some(id), false, depth + 1)?;
            self.append(id, list, element);
        }
        let attachments: Vec<&'d str> = model.type_of(kind).attachments.keys().copied().collect();
        for list in hash_order(&attachments) {
            let lists = &mut self.network.instance_mut(id).lists;
            if !lists.iter().any(|(name, _)| *name == list) {
                lists.push((list, Vec::new()));
            }
        }
        Some(id)
    }

    /// Reports lists with more elements than their `Children` allows.
    fn check_counts(&mut self, kind: TypeId, children: &[(Role<'d>, ComponentId)], id: InstanceId) {
        for (name, list) in &self.network.model.type_of(kind).lists {
            let Some(max) = list.max else {
                continue;
            };
            let of_list = |(role, child): &(Role<'d>, ComponentId)| {
                (*role == Role::List(name)).then_some(*child)
            };
            let Some(excess) = children.iter().filter_map(of_list).nth(max) else {
                continue;
            };
            let why = list
                .element
                .attribute("description")
                .map(|why| why.value().to_owned());
            self.errors.push(NetworkError::TooManyChildren {
                list: (*name).to_owned(),
                max,
                instance: self.network.title(id),
                why,
                span: self.network.model.span_of(excess),
            });
        }
    }

    pub(crate) fn append(&mut self, owner: InstanceId, list: &'d str, element: InstanceId) {
        let lists = &mut self.network.instance_mut(owner).lists;
        match lists.iter_mut().find(|(name, _)| *name == list) {
            Some((_, elements)) => elements.push(element),
            None => lists.push((list, vec![element])),
        }
    }

    /// Runs the instantiating elements of the `Structure`s of an instance and of all below it.
    pub(crate) fn populate(&mut self, id: InstanceId, depth: usize) {
        if self.exhausted {
            return;
        }
        let structure = self.network.type_of(id).structure.clone();
        for element in structure.iter() {
            match element {
                StructureElement::ChildInstance { component } => {
                    self.child_instance(id, *component, depth);
                }
                StructureElement::MultiInstantiate { .. } => {
                    self.multi_instantiate(id, element, depth);
                }
                StructureElement::Unsupported { element } => {
                    self.network.warnings.get_mut().push(NetworkError::Ignored {
                        element: element.name().to_owned(),
                        span: element.span(),
                    });
                }
                _ => {}
            }
        }
        for child in self.children(id) {
            self.populate(child, depth + 1);
        }
    }

    fn children(&self, id: InstanceId) -> Vec<InstanceId> {
        let instance = self.network.instance(id);
        let singles = instance.singles.iter().map(|(_, child)| *child);
        let listed = instance
            .lists
            .iter()
            .flat_map(|(_, list)| list.iter().copied());
        singles.chain(listed).collect()
    }

    fn child_instance(&mut self, id: InstanceId, name: Attribute<'d>, depth: usize) {
        let place = Place::of(&self.network, id);
        let Some(component) = self.referenced(place, name) else {
            return;
        };
        let kind = self.network.model.component(component).component_type;
        if let Some(child) = self.instantiate(kind, Some(component), Some(id), true, depth + 1) {
            self.network
                .instance_mut(id)
                .singles
                .push((name.value(), child));
        }
    }

    /// The component that a name in a `Structure` refers to: a reference or slot of the component,
    /// or, after `../`, of the one around it.
    pub(crate) fn referenced(&mut self, place: Place, name: Attribute<'d>) -> Option<ComponentId> {
        let model = self.network.model;
        let (owner, wanted) = match name.value().strip_prefix("../") {
            Some(wanted) => {
                let around = place
                    .parent
                    .and_then(|p| self.network.instance(p).component);
                (around, wanted)
            }
            None => (place.component, name.value()),
        };
        let found = owner.and_then(|owner| {
            model.reference(owner, wanted).or_else(|| {
                let mut children = model.children(owner);
                let slot = |role| matches!(role, Role::Slot(slot) if slot == wanted);
                children
                    .find(|(role, _)| slot(*role))
                    .map(|(_, child)| child)
            })
        });
        if found.is_none() {
            let error = match owner {
                Some(owner) => NetworkError::MissingAttribute {
                    component: model.component(owner).title(),
                    attribute: wanted.to_owned(),
                    span: model.component(owner).element.name_span(),
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

    fn multi_instantiate(&mut self, id: InstanceId, element: &StructureElement<'d>, depth: usize) {
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
        let made = match (component, component_type) {
            (Some(component), _) => {
                let place = Place::of(&self.network, id);
                let component = self.referenced(place, *component);
                component.map(|c| (self.network.model.component(c).component_type, Some(c)))
            }
            (None, Some(name)) => match self.network.model.type_named(name.value()) {
                Some(kind) => Some((kind, None)),
                None => {
                    self.errors.push(NetworkError::UnknownName {
                        name: name.value().to_owned(),
                        suggestion: None,
                        span: name.span(),
                    });
                    None
                }
            },
            (None, None) => {
                self.errors.push(NetworkError::UnknownName {
                    name: "component".to_owned(),
                    suggestion: None,
                    span: element.span(),
                });
                None
            }
        };
        let (Some(count), Some((kind, component))) = (count, made) else {
            return;
        };
        let size = component.map_or(1, |component| size_of(self.network.model, component));
        let expected = count.saturating_mul(size);
        if expected.saturating_add(self.network.instances.len() as u64) > MAX_INSTANCES as u64 {
            self.exhausted = true;
            self.errors.push(NetworkError::TooManyInstances {
                limit: MAX_INSTANCES,
                span: self.network.span_of(id),
            });
            return;
        }
        for index in 0..count {
            let Some(child) = self.instantiate(kind, component, Some(id), true, depth + 1) else {
                return;
            };
            self.append(id, "", child);
            self.assign(child, Place::of(&self.network, id), assigns, Some(index));
        }
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
        if !(0.0..=1e9).contains(&value) {
            self.errors.push(NetworkError::BadCount {
                what: format!("`{text}` of {}", self.network.title(id)),
                value,
                span: self.network.span_of(id),
            });
            return None;
        }
        Some((value + 0.5).floor() as u64)
    }

    /// Sets properties of a new instance. Names mean what they mean in the component that makes
    /// it; those of an element of a population (`index`) first what they mean there.
    pub(crate) fn assign(
        &mut self,
        made: InstanceId,
        maker: Place,
        assigns: &[Assign<'d>],
        index: Option<u64>,
    ) {
        for assign in assigns {
            let inner = index.map(|_| made);
            let value = self.evaluate(&assign.value, inner, maker, index);
            if let Some(value) = value {
                self.network.assigned.insert((made, assign.property), value);
            }
        }
    }

    /// A value over parameters and properties of an instance, else of the component around.
    pub(crate) fn evaluate(
        &mut self,
        formula: &Formula<'d>,
        inner: Option<InstanceId>,
        place: Place,
        index: Option<u64>,
    ) -> Option<f64> {
        let network = &self.network;
        let at = |id: InstanceId, name: &str| {
            (network.parameter(id, name)).or_else(|| network.property(id, name))
        };
        let lookup = &mut |name: &str| match (name, index) {
            ("index", Some(index)) => Some(index as f64),
            _ => (inner.and_then(|inner| at(inner, name)))
                .or_else(|| {
                    place
                        .component
                        .and_then(|c| network.model.parameter(c, name))
                })
                .or_else(|| place.instance.and_then(|id| at(id, name)))
                .or_else(|| {
                    network
                        .model
                        .constants
                        .get(name)
                        .map(|constant| constant.value)
                }),
        };
        match formula.expression.evaluate(lookup) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(NetworkError::BadAssign {
                    reason: error.to_string(),
                    span: formula.source.span(),
                });
                None
            }
        }
    }

    /// Runs the connecting elements of an instance and of all below it, in document order.
    pub(crate) fn connect(&mut self, id: InstanceId) {
        let place = Place::of(&self.network, id);
        self.run_connections(place);
        let instance = self.network.instance(id);
        let singles: Vec<InstanceId> = instance.singles.iter().map(|(_, child)| *child).collect();
        let component = instance.component;
        let products = self.network.list(id, "").map(<[_]>::to_vec);
        for child in singles {
            self.connect(child);
        }
        let model = self.network.model;
        let children = component.map_or_else(Vec::new, |id| model.children(id).collect());
        let mut cursors: HashMap<&'d str, usize> = HashMap::new();
        for &(role, child) in &children {
            let Role::List(list) = role else {
                continue;
            };
            if is_bare_connection(model, child) {
                self.run_connections(Place {
                    component: Some(child),
                    instance: None,
                    parent: Some(id),
                });
                continue;
            }
            let cursor = cursors.entry(list).or_default();
            let element = self
                .network
                .list(id, list)
                .and_then(|l| l.get(*cursor).copied());
            *cursor += 1;
            if let Some(element) = element {
                self.connect(element);
            }
        }
        for product in products.into_iter().flatten() {
            self.connect(product);
        }
    }

    fn run_connections(&mut self, place: Place) {
        let kind = match (place.instance, place.component) {
            (Some(id), _) => self.network.instance(id).kind,
            (None, Some(component)) => self.network.model.component(component).component_type,
            (None, None) => return,
        };
        let structure = &self.network.model.type_of(kind).structure;
        if !structure.is_empty() {
            Connector::new(self, place).run(structure);
        }
    }
}

/// Number of instances that one of a component brings with it, itself among them.
fn size_of(model: &Model<'_>, component: ComponentId) -> u64 {
    let mut waiting = vec![component];
    let mut size = 0;
    while let Some(next) = waiting.pop() {
        size += 1;
        waiting.extend(&model.component(next).children);
    }
    size
}

/// Filled `Child` slots in the order in which jLEMS walks them.
pub(crate) fn filled_slots<'d>(
    model: &Model<'d>,
    kind: TypeId,
    children: &[(Role<'d>, ComponentId)],
) -> Vec<(&'d str, ComponentId)> {
    let component_type: &ComponentType<'d> = model.type_of(kind);
    let in_slot = |slot: &str| {
        (children.iter().rev())
            .find(|(role, _)| matches!(role, Role::Slot(own) if *own == slot))
            .map(|(_, child)| *child)
    };
    let filled: Vec<(&'d str, ComponentId)> = (component_type.slots.keys().copied())
        .filter_map(|slot| Some((slot, in_slot(slot)?)))
        .collect();
    let names: Vec<&'d str> = filled.iter().map(|(name, _)| *name).collect();
    let child_of = |slot| {
        filled
            .iter()
            .find(|(name, _)| *name == slot)
            .map(|(_, c)| *c)
    };
    (hash_order(&names).into_iter())
        .filter_map(|slot| Some((slot, child_of(slot)?)))
        .collect()
}

/// A list element that only connects others: it runs its `Structure` and needs no instance.
pub(crate) fn is_bare_connection(model: &Model<'_>, component: ComponentId) -> bool {
    let kind = model.type_of_component(component);
    kind.dynamics.is_none()
        && kind.attachments.is_empty()
        && !kind.structure.is_empty()
        && model.component(component).children.is_empty()
        && kind.structure.iter().all(|element| {
            matches!(
                element,
                StructureElement::WithInstance { .. }
                    | StructureElement::WithList { .. }
                    | StructureElement::EventConnection(_)
                    | StructureElement::Tunnel(_)
            )
        })
}
