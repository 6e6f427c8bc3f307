//! Runs the connecting elements of a `Structure`: event connections, attachments, tunnels.

use std::collections::HashMap;

use lems_document::{Attribute, nearest};
use lems_model::{
    ComponentId, ComponentType, Direction, Dynamics, EventConnection, StructureElement, Tunnel,
};

use crate::{InstanceId, Network, NetworkError, Route, build::Builder, hash_order};

/// Where a `Structure` runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The component that it belongs to.
    pub component: Option<ComponentId>,
    /// Its instance, if it has one.
    pub instance: Option<InstanceId>,
    /// The instance around it.
    pub parent: Option<InstanceId>,
}

impl Place {
    pub(crate) fn of(network: &Network<'_, '_>, id: InstanceId) -> Place {
        let instance = network.instance(id);
        Place {
            component: instance.component,
            instance: Some(id),
            parent: instance.parent,
        }
    }
}

pub(crate) struct Connector<'b, 'm, 'd> {
    builder: &'b mut Builder<'m, 'd>,
    place: Place,
    names: HashMap<&'d str, InstanceId>,
}

impl<'b, 'm, 'd> Connector<'b, 'm, 'd> {
    pub(crate) fn new(builder: &'b mut Builder<'m, 'd>, place: Place) -> Self {
        Connector {
            builder,
            place,
            names: HashMap::new(),
        }
    }

    pub(crate) fn run(&mut self, elements: &[StructureElement<'d>]) {
        for element in elements {
            match element {
                StructureElement::WithInstance { instance, name } => {
                    if let Some(found) = self.with_instance(*instance) {
                        self.names.insert(name, found);
                    }
                }
                StructureElement::WithList { list, index, name } => {
                    if let Some(found) = self.with_list(*list, *index) {
                        self.names.insert(name, found);
                    }
                }
                StructureElement::EventConnection(connection) => self.connection(connection),
                StructureElement::Tunnel(tunnel) => self.tunnel(tunnel),
                StructureElement::ForEach {
                    instances,
                    name,
                    body,
                } => self.for_each(*instances, name, body),
                StructureElement::If { test, body } => {
                    let test = self.builder.evaluate(test, None, self.place, None);
                    if test.is_some_and(|test| test != 0.0) {
                        self.run(body);
                    }
                }
                StructureElement::Choose { cases } => {
                    for (test, body) in cases {
                        let holds = match test {
                            Some(test) => (self.builder.evaluate(test, None, self.place, None))
                                .is_some_and(|test| test != 0.0),
                            None => true,
                        };
                        if holds {
                            self.run(body);
                            break;
                        }
                    }
                }
                StructureElement::ChildInstance { .. }
                | StructureElement::MultiInstantiate { .. }
                | StructureElement::Unsupported { .. } => {}
            }
        }
    }

    fn network(&self) -> &Network<'m, 'd> {
        &self.builder.network
    }

    /// The text of an attribute of the component, looked up by the name that the `Structure` uses.
    fn text(&self, name: &str) -> Option<Attribute<'d>> {
        self.network().model.text(self.place.component?, name)
    }

    fn unknown_name(&mut self, name: Attribute<'d>) {
        let known = self.names.keys().copied();
        let error = NetworkError::UnknownName {
            name: name.value().to_owned(),
            suggestion: nearest(name.value(), known).map(str::to_owned),
            span: name.span(),
        };
        self.builder.errors.push(error);
    }

    fn with_instance(&mut self, instance: Attribute<'d>) -> Option<InstanceId> {
        match instance.value() {
            "this" if self.place.instance.is_some() => return self.place.instance,
            "parent" if self.place.parent.is_some() => return self.place.parent,
            _ => {}
        }
        let source = self.text(instance.value()).unwrap_or(instance);
        let path = source.value().trim();
        let own = path.starts_with("./") || path == "this";
        let start = if own {
            self.place.instance
        } else {
            self.place.parent
        };
        let start = start.or(self.place.instance)?;
        match self.network().follow(start, path, source) {
            Ok(found) => Some(self.network().unwrapped(found)),
            Err(error) => {
                self.builder.errors.push(error);
                None
            }
        }
    }

    fn with_list(&mut self, list: Attribute<'d>, index: Attribute<'d>) -> Option<InstanceId> {
        let mut around = self.place.parent;
        let mut source = self.text(list.value());
        while let (None, Some(id)) = (source, around) {
            let instance = self.network().instance(id);
            source = (instance.component)
                .and_then(|component| self.network().model.text(component, list.value()));
            around = instance.parent;
        }
        let Some(source) = source else {
            self.unknown_name(list);
            return None;
        };
        let mut from = self.place.parent;
        let population = loop {
            let id = from?;
            match self.network().step(id, source.value()) {
                Some(found) => break found,
                None => from = self.network().instance(id).parent,
            }
            if from.is_none() {
                self.unknown_name(source);
                return None;
            }
        };
        let number = (self.place.component)
            .and_then(|component| self.network().model.parameter(component, index.value()));
        let Some(number) = number else {
            self.unknown_name(index);
            return None;
        };
        let path = format!("{}[{number}]", source.value());
        match self
            .network()
            .follow(population, &format!("[{number}]"), source)
        {
            Ok(found) => Some(self.network().unwrapped(found)),
            Err(NetworkError::IndexTooLarge {
                inside, size, span, ..
            }) => {
                self.builder.errors.push(NetworkError::IndexTooLarge {
                    path,
                    inside,
                    size,
                    span,
                });
                None
            }
            Err(error) => {
                self.builder.errors.push(error);
                None
            }
        }
    }

    /// The instances that a list name, or the id of a population, means: looked for here, then
    /// outwards.
    fn for_each(&mut self, instances: Attribute<'d>, name: &'d str, body: &[StructureElement<'d>]) {
        let wanted = match instances.value().strip_prefix("../") {
            Some(attribute) => (self.place.parent)
                .and_then(|parent| self.network().instance(parent).component)
                .and_then(|component| self.network().model.text(component, attribute)),
            None => self.text(instances.value()),
        };
        let wanted = wanted.unwrap_or(instances);
        let mut current = self.place.instance.or(self.place.parent);
        let elements = loop {
            let Some(id) = current else {
                self.unknown_name(wanted);
                return;
            };
            let network = self.network();
            let list = network.list(id, wanted.value()).or_else(|| {
                let found = network.step(id, wanted.value())?;
                Some(network.elements(found).unwrap_or_default())
            });
            if let Some(list) = list {
                break list.to_vec();
            }
            current = network.instance(id).parent;
        };
        for element in elements {
            let outer = self.names.insert(name, element);
            self.run(body);
            match outer {
                Some(outer) => self.names.insert(name, outer),
                None => self.names.remove(name),
            };
        }
    }

    fn named(&mut self, name: Attribute<'d>) -> Option<InstanceId> {
        let found = match name.value() {
            "this" => self.place.instance,
            "parent" => self.place.parent,
            other => self.names.get(other).copied(),
        };
        if found.is_none() && self.builder.errors.is_empty() {
            self.unknown_name(name);
        }
        found
    }

    fn connection(&mut self, connection: &EventConnection<'d>) {
        let (Some(from), Some(to)) = (self.named(connection.from), self.named(connection.to))
        else {
            return;
        };
        let source_port = self.port(connection.source_port, from, Direction::Out);
        let delay = (connection.delay)
            .and_then(|delay| self.network().model.parameter(self.place.component?, delay))
            .unwrap_or(0.0);
        let target = match connection.receiver {
            Some(receiver) => {
                let container = (connection.receiver_container)
                    .and_then(|attribute| self.text(attribute))
                    .filter(|container| !container.value().is_empty());
                let Some(component) = self.builder.referenced(self.place, receiver) else {
                    return;
                };
                match self.attach(component, to, container, true) {
                    Some(attached) => attached,
                    None => return,
                }
            }
            None => to,
        };
        if connection.receiver.is_some() {
            self.builder
                .assign(target, self.place, &connection.assigns, None);
        }
        let target_port = self.port(connection.target_port, target, Direction::In);
        if let (Some(source_port), Some(target_port)) = (source_port, target_port) {
            self.builder.network.routes.push(Route {
                source: from,
                source_port,
                target,
                target_port,
                delay,
            });
        }
    }

    /// The port that an attribute names, else the first of the instance's type.
    fn port(
        &mut self,
        attribute: Option<&'d str>,
        id: InstanceId,
        direction: Direction,
    ) -> Option<&'d str> {
        let kind = self.network().type_of(id);
        let named = (attribute.and_then(|attribute| self.text(attribute)))
            .filter(|port| !port.value().is_empty());
        let Some(named) = named else {
            return match direction {
                Direction::Out => first_out(kind),
                Direction::In => first_in(kind),
            };
        };
        match kind.ports.get_key_value(named.value()) {
            Some((port, _)) => Some(port),
            None => {
                let candidates = (kind.ports.iter())
                    .filter(|(_, port)| port.direction == direction)
                    .map(|(name, _)| *name);
                self.builder.errors.push(NetworkError::UnknownPort {
                    port: named.value().to_owned(),
                    instance: self.network().title(id),
                    suggestion: nearest(named.value(), candidates).map(str::to_owned),
                    span: named.span(),
                });
                None
            }
        }
    }

    /// A new instance of `component` in an attachment list of `host`.
    fn attach(
        &mut self,
        component: ComponentId,
        host: InstanceId,
        container: Option<Attribute<'d>>,
        consolidated: bool,
    ) -> Option<InstanceId> {
        let list = self.attachment_list(component, host, container)?;
        let kind = self.network().model.component(component).component_type;
        let made =
            (self.builder).instantiate(kind, Some(component), Some(host), consolidated, 0)?;
        self.builder.network.instance_mut(made).attached = true;
        self.builder.append(host, list, made);
        self.builder.populate(made, 0);
        self.builder.connect(made);
        Some(made)
    }

    fn attachment_list(
        &mut self,
        component: ComponentId,
        host: InstanceId,
        container: Option<Attribute<'d>>,
    ) -> Option<&'d str> {
        let network = self.network();
        let (model, lists) = (network.model, &network.type_of(host).attachments);
        let found = match container {
            Some(container) => lists
                .get_key_value(container.value())
                .map(|(list, _)| *list),
            None if lists.len() == 1 => lists.keys().next().copied(),
            None => {
                let kind = model.component(component).component_type;
                let mut fitting = lists.iter().filter(|(_, of)| model.is_a(kind, of));
                match (fitting.next(), fitting.next()) {
                    (Some((list, _)), None) => Some(*list),
                    _ => None,
                }
            }
        };
        if found.is_none() {
            let span = match (container, self.place.component) {
                (Some(container), _) => container.span(),
                (None, Some(maker)) => model.span_of(maker),
                (None, None) => network.span_of(host),
            };
            let error = NetworkError::NoAttachments {
                instance: network.title(host),
                component: model.component(component).title(),
                lists: lists.keys().map(|list| (*list).to_owned()).collect(),
                span,
            };
            self.builder.errors.push(error);
        }
        found
    }

    fn tunnel(&mut self, tunnel: &Tunnel<'d>) {
        let (Some(end_a), Some(end_b)) = (self.named(tunnel.end_a), self.named(tunnel.end_b))
        else {
            return;
        };
        let component_a = self.builder.referenced(self.place, tunnel.component_a);
        let component_b = self.builder.referenced(self.place, tunnel.component_b);
        let (Some(component_a), Some(component_b)) = (component_a, component_b) else {
            return;
        };
        let a = self.attach(component_a, end_a, None, false);
        let b = self.attach(component_b, end_b, None, false);
        if let (Some(a), Some(b)) = (a, b) {
            self.builder
                .network
                .instance_mut(a)
                .peers
                .push((tunnel.name, b));
            self.builder
                .network
                .instance_mut(b)
                .peers
                .push((tunnel.name, a));
            for end in [a, b] {
                self.builder.assign(end, self.place, &tunnel.assigns, None);
            }
        }
    }
}

/// The port that an unnamed connection leaves from: the first that any block emits on.
pub(crate) fn first_out<'d>(kind: &ComponentType<'d>) -> Option<&'d str> {
    fn first<'d>(dynamics: &Dynamics<'d>) -> Option<&'d str> {
        let handled: Vec<&'d str> = dynamics.on_event.iter().map(|h| h.port.value()).collect();
        let by_port = hash_order(&handled).into_iter().flat_map(|port| {
            dynamics
                .on_event
                .iter()
                .filter(move |h| h.port.value() == port)
                .map(|h| &h.actions)
        });
        (dynamics.on_start.iter())
            .chain(&dynamics.on_entry)
            .chain(by_port)
            .chain(dynamics.on_condition.iter().map(|c| &c.actions))
            .find_map(|actions| actions.events.first())
            .map(|port| port.value())
    }
    let dynamics = kind.dynamics.as_ref()?;
    first(dynamics).or_else(|| {
        dynamics
            .regimes
            .values()
            .find_map(|regime| first(&regime.dynamics))
    })
}

/// The port that an unnamed connection enters by: the first that is handled, else declared.
fn first_in<'d>(kind: &ComponentType<'d>) -> Option<&'d str> {
    let mut handled: Vec<&'d str> = Vec::new();
    if let Some(dynamics) = &kind.dynamics {
        let regimes = dynamics
            .regimes
            .values()
            .flat_map(|regime| &regime.dynamics.on_event);
        for handler in dynamics.on_event.iter().chain(regimes) {
            if !handled.contains(&handler.port.value()) {
                handled.push(handler.port.value());
            }
        }
    }
    let declared = (kind.ports.iter())
        .filter(|(_, port)| port.direction == Direction::In)
        .map(|(name, _)| *name);
    hash_order(&handled)
        .first()
        .copied()
        .or_else(|| declared.into_iter().next())
}
