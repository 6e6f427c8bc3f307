//! Makes connections: routes of events with their ports and delays, attached instances, tunnels.

use lems_document::{Attribute, nearest};
use lems_model::{ComponentId, ComponentType, Direction, Dynamics, EventPort, Tunnel, Wiring};

use crate::connect::Connector;
use crate::error::LONGEST_DELAY;
use crate::leave_out::Attaching;
use crate::{InstanceId, NetworkError, Route, hash_order, regimes_in_order};

impl<'d> Connector<'_, '_, '_, 'd> {
    /// Connects two instances. Without a sender, what is attached gets no events.
    pub(crate) fn connect(
        &mut self,
        wiring: &Wiring<'d>,
        from: Option<InstanceId>,
        to: InstanceId,
    ) {
        if self.is_counted(wiring, to) {
            return;
        }
        self.note_ends([from.unwrap_or(to), to]);
        let sender = from.and_then(|from| {
            let port = self.port(wiring.source_port, from, Direction::Out)?;
            Some((from, port))
        });
        let delay = self.delay(wiring);
        let (target, reaches) = match wiring.receiver {
            Some(receiver) => {
                let given = wiring.receiver_container.and_then(|name| self.text(name));
                let container = given.filter(|container| !container.value().is_empty());
                let Some(component) = self.builder.referenced(self.place, receiver) else {
                    return;
                };
                let Some((attached, attaching)) =
                    self.attach_share(wiring, component, to, container)
                else {
                    return;
                };
                if let (Some(given), None) = (given, container) {
                    self.empty_destination(given, component, to);
                }
                let reaches = sender
                    .is_none_or(|sender| self.crosses(sender, to, delay, attaching, component));
                (attached, reaches)
            }
            None => (to, true),
        };
        let target_port = self.port(wiring.target_port, target, Direction::In);
        if let (Some((source, source_port)), Some(target_port), true) =
            (sender, target_port, reaches)
        {
            self.builder.network.routes.push(&Route {
                source,
                source_port,
                target,
                target_port,
                delay,
            });
        }
    }

    /// Attaches what a connection attaches, or finds an instance that is like it if another rank does.
    fn attach_share(
        &mut self,
        wiring: &Wiring<'d>,
        component: ComponentId,
        host: InstanceId,
        container: Option<Attribute<'d>>,
    ) -> Option<(InstanceId, Attaching)> {
        let list = self.attachment_list(component, host, container)?;
        let attaching = self.attaching(wiring, component, (host, list))?;
        let attached = match attaching {
            Attaching::Absent(like) => like,
            Attaching::Here | Attaching::Representative => {
                let made = self.attach_to(list, component, host, true)?;
                self.builder.assign(made, self.place, &wiring.assigns, None);
                made
            }
        };
        self.note(component, (host, list), attaching, attached);
        Some((attached, attaching))
    }

    /// Warns of an attribute that should name a list and is empty, once for each type of what has it.
    fn empty_destination(
        &mut self,
        given: Attribute<'d>,
        component: ComponentId,
        host: InstanceId,
    ) {
        let model = self.network().model;
        let Some(maker) = self.place.component else {
            return;
        };
        let kind = model.component(maker).component_type;
        if !self.builder.without_destination.insert(kind) {
            return;
        }
        if let Some(list) = self.attachment_list(component, host, None) {
            let warning = NetworkError::EmptyDestination {
                attribute: given.name().to_owned(),
                component: model.title(component),
                list: list.to_owned(),
                span: given.span(),
            };
            self.network().warnings.borrow_mut().push(warning);
        }
    }

    /// How long an event takes, in seconds.
    fn delay(&mut self, wiring: &Wiring<'d>) -> f64 {
        let (Some(name), Some(component)) = (wiring.delay, self.place.component) else {
            return 0.0;
        };
        let model = self.network().model;
        let value = model.parameter(component, name).unwrap_or(0.0);
        if !(0.0..=LONGEST_DELAY).contains(&value) {
            let place = model.text(component, name).map(Attribute::span);
            let span = place.unwrap_or_else(|| model.span_of(component));
            let component = model.title(component);
            let error = NetworkError::BadDelay {
                value,
                component,
                span,
            };
            self.builder.errors.push(error);
        }
        value
    }

    /// The port that an attribute names, else the first of the instance's type.
    fn port(
        &mut self,
        attribute: Option<&'d str>,
        id: InstanceId,
        direction: Direction,
    ) -> Option<&'d str> {
        let number = self.network().instance(id).kind;
        let kind = self.network().model.type_of(number);
        let named = (attribute.and_then(|attribute| self.text(attribute)))
            .filter(|port| !port.value().is_empty());
        let Some(named) = named else {
            let first = || match direction {
                Direction::Out => first_out(kind),
                Direction::In => first_in(kind),
            };
            let ports = &mut self.builder.ports;
            return *ports.entry((number, direction)).or_insert_with(first);
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
        self.attach_to(list, component, host, consolidated)
    }

    /// The same in a list.
    fn attach_to(
        &mut self,
        list: &'d str,
        component: ComponentId,
        host: InstanceId,
        consolidated: bool,
    ) -> Option<InstanceId> {
        let kind = self.network().model.component(component).component_type;
        let made =
            (self.builder).instantiate(kind, Some(component), Some(host), consolidated, 0)?;
        self.builder.network.instances.set_attached(made);
        self.builder.append(host, list, made);
        self.builder.build(made);
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
                component: model.title(component),
                lists: lists.keys().map(|list| (*list).to_owned()).collect(),
                span,
            };
            self.builder.errors.push(error);
        }
        found
    }

    /// Attaches an instance to each end, which see each other.
    pub(crate) fn tunnel(&mut self, tunnel: &Tunnel<'d>) {
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
            let peers = &mut self.builder.network.peers;
            peers.entry(a).or_default().push((tunnel.name, b));
            peers.entry(b).or_default().push((tunnel.name, a));
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
    let mut regimes = regimes_in_order(dynamics);
    first(dynamics).or_else(|| regimes.find_map(|(_, regime)| first(&regime.dynamics)))
}

/// The port that an unnamed connection enters by: the first in jLEMS's table that is handled outside regimes, else the
/// first that is declared.
fn first_in<'d>(kind: &ComponentType<'d>) -> Option<&'d str> {
    let main = kind.dynamics.iter().flat_map(|dynamics| &dynamics.on_event);
    let handled: Vec<&'d str> = main.map(|handler| handler.port.value()).collect();
    let is_in = |port: &EventPort| port.direction == Direction::In;
    let declared = kind.ports.iter().filter(|(_, port)| is_in(port));
    let declared: Vec<&'d str> = declared.map(|(name, _)| *name).collect();
    let first = |ports: &[&'d str]| hash_order(ports).first().copied();
    first(&handled).or_else(|| first(&declared))
}

/// The ports on which an event makes instances of a type do something.
pub(crate) fn handled_ports<'d>(kind: &ComponentType<'d>) -> Vec<&'d str> {
    let mut handled: Vec<&'d str> = Vec::new();
    let blocks = (kind.dynamics.iter()).flat_map(|dynamics| dynamics.with_regimes());
    for handler in blocks.flat_map(|block| &block.on_event) {
        if !handled.contains(&handler.port.value()) {
            handled.push(handler.port.value());
        }
    }
    handled
}
