//! Runs the connecting elements of a `Structure`: event connections, attachments, tunnels.

use lems_document::{Attribute, nearest};
use lems_model::{
    ComponentId, ComponentType, Direction, Dynamics, StructureElement, Tunnel, Wiring,
};
use rustc_hash::FxHashMap;

use crate::error::LONGEST_DELAY;
use crate::structure::{Place, connects};
use crate::{InstanceId, Network, NetworkError, Route, build::Builder, hash_order};

pub(crate) struct Connector<'b, 'r, 'm, 'd> {
    builder: &'b mut Builder<'r, 'm, 'd>,
    place: Place,
    names: Names<'d>,
    /// The instances that each `ForEach` around is at.
    visited: Vec<InstanceId>,
    /// The pairs that a `PairFilter` works on.
    pairs: Option<PairsKey<'d>>,
}

/// Names of instances, each once.
#[derive(Default)]
struct Names<'d> {
    /// Looking through a few is fastest, and most structures have no more.
    few: Vec<(&'d str, InstanceId)>,
    more: FxHashMap<&'d str, InstanceId>,
}

/// Most names that are looked through one by one.
const FEW: usize = 16;

impl<'d> Names<'d> {
    fn get(&self, name: &str) -> Option<InstanceId> {
        let few = self.few.iter().find(|(known, _)| *known == name);
        few.map(|(_, instance)| *instance)
            .or_else(|| self.more.get(name).copied())
    }

    /// Gives an instance a name; gives the one that had it.
    fn insert(&mut self, name: &'d str, instance: InstanceId) -> Option<InstanceId> {
        if let Some((_, named)) = self.few.iter_mut().find(|(known, _)| *known == name) {
            return Some(std::mem::replace(named, instance));
        }
        if self.few.len() < FEW && self.more.is_empty() {
            self.few.push((name, instance));
            return None;
        }
        self.more.insert(name, instance)
    }

    fn remove(&mut self, name: &str) {
        self.few.retain(|(known, _)| *known != name);
        self.more.remove(name);
    }

    fn all(&self) -> impl Iterator<Item = &'d str> {
        let few = self.few.iter().map(|(name, _)| *name);
        few.chain(self.more.keys().copied())
    }
}

/// A `PairCollection` of an instance.
type PairsKey<'d> = (InstanceId, &'d str);

impl<'b, 'r, 'm, 'd> Connector<'b, 'r, 'm, 'd> {
    pub(crate) fn new(builder: &'b mut Builder<'r, 'm, 'd>, place: Place) -> Self {
        Connector {
            builder,
            place,
            names: Names::default(),
            visited: Vec::new(),
            pairs: None,
        }
    }

    pub(crate) fn run(&mut self, elements: &[StructureElement<'d>]) {
        for element in elements {
            match element {
                StructureElement::WithInstance { instance, name } => {
                    if let Some(found) = self.with_instance(*instance) {
                        self.name(name, found);
                    }
                }
                StructureElement::WithList { list, index, name } => {
                    if let Some(found) = self.with_list(*list, *index) {
                        self.name(name, found);
                    }
                }
                StructureElement::EventConnection(connection) => {
                    let ends = (self.named(connection.from), self.named(connection.to));
                    if let (Some(from), Some(to)) = ends {
                        self.connect(&connection.wiring, from, to);
                    }
                }
                StructureElement::Tunnel(tunnel) => self.tunnel(tunnel),
                StructureElement::ForEach {
                    instances,
                    name,
                    body,
                } => self.for_each(*instances, name, body),
                StructureElement::Apply { list, body } => self.apply(*list, body),
                StructureElement::If { test, body } => {
                    if body.iter().any(connects) && self.builder.test(test, self.place) {
                        self.run(body);
                    }
                }
                StructureElement::Choose { cases } => {
                    if !(cases.iter()).any(|(_, body)| body.iter().any(connects)) {
                        continue;
                    }
                    let chosen = cases.iter().find(|(test, _)| {
                        (test.as_ref()).is_none_or(|test| self.builder.test(test, self.place))
                    });
                    if let Some((_, body)) = chosen {
                        self.run(body);
                    }
                }
                StructureElement::Gather { path, collection } => {
                    self.gather(*path, *collection);
                }
                StructureElement::GatherPairs {
                    first,
                    second,
                    collection,
                    body,
                } => {
                    if let Some(key) = self.gather_pairs(*first, *second, *collection) {
                        self.run_on_pairs(key, body);
                    }
                }
                StructureElement::PairFilter { select } => self.filter_pairs(*select),
                StructureElement::IncludePair { collection } => self.include_pair(*collection),
                StructureElement::PairsEventConnection {
                    pairs,
                    wiring,
                    body,
                } => {
                    if let Some(key) = self.pairs_key(*pairs) {
                        self.run_on_pairs(key, body);
                        let pairs = self.builder.pairs.get(&key).cloned().unwrap_or_default();
                        for (from, to) in pairs {
                            self.connect(wiring, from, to);
                        }
                    }
                }
                StructureElement::ChildInstance { .. }
                | StructureElement::MultiInstantiate { .. }
                | StructureElement::CoInstantiate { .. }
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
        let known = self.names.all();
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
        let given = self.text(instance.value());
        if given.is_none()
            && let Some(component) = self.place.component
            && (self.network().model.type_of_component(component).texts)
                .contains_key(instance.value())
        {
            let model = self.network().model;
            self.builder.errors.push(NetworkError::MissingAttribute {
                component: model.title(component),
                attribute: instance.value().to_owned(),
                span: model.element(component).name_span(),
            });
            return None;
        }
        let source = given.unwrap_or(instance);
        let path = source.value().trim();
        let own = path.starts_with("./") || path == "this";
        // What only connects others is no instance: its paths start at what is around it.
        let start = if own {
            self.place.instance.or(self.place.parent)
        } else {
            self.place.parent.or(self.place.instance)
        }?;
        let mut found = self.builder.follow(start, path, source);
        if found.is_err() && !self.network().cables.all.is_empty() {
            // Files for cells with dendrites are about that leave out `../`.
            found = self.builder.follow(Network::ROOT, path, source).or(found);
        }
        match found {
            Ok(found) => {
                let cell = self.network().unwrapped(found);
                let connection = self.place.component;
                Some(connection.map_or(cell, |connection| {
                    (self.builder).cable_location(cell, connection, instance.value())
                }))
            }
            Err(error) => {
                self.builder.errors.push(error);
                None
            }
        }
    }

    fn with_list(&mut self, list: Attribute<'d>, index: Attribute<'d>) -> Option<InstanceId> {
        let mut around = self.place.around;
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
        let mut from = self.place.around;
        let population = loop {
            let id = from?;
            self.builder.complete(id);
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
            .builder
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
            Some(attribute) => (self.place.around)
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
            self.builder.complete(id);
            if let Some(list) = self.network().list(id, wanted.value()) {
                break list.to_vec();
            }
            if let Some(found) = self.network().step(id, wanted.value()) {
                match self.builder.members(found, wanted.span()) {
                    Some(members) => break members,
                    None => return,
                }
            }
            current = self.network().instance(id).parent;
        };
        for element in elements {
            let outer = self.name(name, element);
            self.visited.push(element);
            self.run(body);
            self.visited.pop();
            match outer {
                Some(outer) => drop(self.name(name, outer)),
                None => self.names.remove(name),
            }
        }
    }

    /// Runs the elements as if they stood in the `Structure` of each element of a list.
    fn apply(&mut self, list: Attribute<'d>, body: &[StructureElement<'d>]) {
        let Some(id) = self.place.instance else {
            return;
        };
        let kind = self.network().type_of(id);
        if !kind.lists.contains_key(list.value()) && !kind.attachments.contains_key(list.value()) {
            self.unknown_name(list);
            return;
        }
        let elements = (self.network().list(id, list.value()))
            .unwrap_or_default()
            .to_vec();
        let outer = self.place;
        for element in elements {
            self.builder.build(element);
            self.place = Place {
                instance: Some(element),
                parent: Some(id),
                ..outer
            };
            self.run(body);
        }
        self.place = outer;
    }

    /// Sees to it that a `Collection` is filled.
    fn gather(&mut self, path: Attribute<'d>, collection: Attribute<'d>) {
        let Some(id) = self.place.instance else {
            return;
        };
        match self
            .network()
            .type_of(id)
            .collections
            .get(collection.value())
        {
            Some(name) => {
                self.builder.collection(id, name, path.span());
            }
            None => self.unknown_name(collection),
        }
    }

    fn pairs_key(&mut self, name: Attribute<'d>) -> Option<PairsKey<'d>> {
        let id = self.place.instance?;
        let found = self
            .network()
            .type_of(id)
            .pair_collections
            .get(name.value());
        if found.is_none() {
            self.unknown_name(name);
        }
        Some((id, found?))
    }

    /// Puts all pairs of two selections into a collection.
    fn gather_pairs(
        &mut self,
        first: Attribute<'d>,
        second: Attribute<'d>,
        collection: Attribute<'d>,
    ) -> Option<PairsKey<'d>> {
        let key = self.pairs_key(collection)?;
        let first = self.builder.selected(key.0, first)?;
        let second = self.builder.selected(key.0, second)?;
        if first.len().saturating_mul(second.len()) > self.builder.most {
            self.builder.errors.push(NetworkError::TooManyInstances {
                limit: self.builder.most,
                span: collection.span(),
            });
            return None;
        }
        let pairs = (first.iter())
            .flat_map(|p| second.iter().map(|q| (*p, *q)))
            .collect();
        self.builder.pairs.insert(key, pairs);
        Some(key)
    }

    fn run_on_pairs(&mut self, key: PairsKey<'d>, body: &[StructureElement<'d>]) {
        let outer = self.pairs.replace(key);
        self.run(body);
        self.pairs = outer;
    }

    fn filter_pairs(&mut self, select: Attribute<'d>) {
        let Some(key) = self.pairs else {
            self.builder.errors.push(NetworkError::BadSelection {
                reason: "there are no pairs around a `PairFilter`".to_owned(),
                span: select.span(),
            });
            return;
        };
        let pairs = self.builder.pairs.remove(&key).unwrap_or_default();
        if let Some(kept) = self.builder.selected_pairs(key.0, &pairs, select) {
            self.builder.pairs.insert(key, kept);
        }
    }

    fn include_pair(&mut self, collection: Attribute<'d>) {
        let Some(key) = self.pairs_key(collection) else {
            return;
        };
        match self.visited.as_slice() {
            [.., p, q] => {
                let pair = (*p, *q);
                self.builder.pairs.entry(key).or_default().push(pair);
            }
            _ => self.builder.errors.push(NetworkError::BadSelection {
                reason: "an `IncludePair` takes its pair from two `ForEach` around it".to_owned(),
                span: collection.span(),
            }),
        }
    }

    /// Gives an instance a name; gives the one that had it.
    fn name(&mut self, name: &'d str, instance: InstanceId) -> Option<InstanceId> {
        self.names.insert(name, instance)
    }

    fn named(&mut self, name: Attribute<'d>) -> Option<InstanceId> {
        let found = match name.value() {
            "this" => self.place.instance,
            "parent" => self.place.parent,
            other => self.names.get(other),
        };
        if found.is_none() && self.builder.errors.is_empty() {
            self.unknown_name(name);
        }
        found
    }

    fn connect(&mut self, wiring: &Wiring<'d>, from: InstanceId, to: InstanceId) {
        let source_port = self.port(wiring.source_port, from, Direction::Out);
        let delay = self.delay(wiring);
        let target = match wiring.receiver {
            Some(receiver) => {
                let given = wiring.receiver_container.and_then(|name| self.text(name));
                let container = given.filter(|container| !container.value().is_empty());
                let Some(component) = self.builder.referenced(self.place, receiver) else {
                    return;
                };
                let Some(attached) = self.attach(component, to, container, true) else {
                    return;
                };
                if let (Some(given), None) = (given, container) {
                    self.empty_destination(given, component, to);
                }
                attached
            }
            None => to,
        };
        if wiring.receiver.is_some() {
            self.builder
                .assign(target, self.place, &wiring.assigns, None);
        }
        let target_port = self.port(wiring.target_port, target, Direction::In);
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
        let kind = self.network().model.component(component).component_type;
        let made =
            (self.builder).instantiate(kind, Some(component), Some(host), consolidated, 0)?;
        self.builder.network.instance_mut(made).attached = true;
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
