//! Runs the connecting elements of a `Structure`: event connections, attachments, tunnels.

use lems_document::{Attribute, Choice, Element, nearest};
use lems_model::StructureElement;

use crate::names::{Names, equal};
use crate::path::{Followed, Path};
use crate::structure::{Place, chosen, connects};
use crate::{InstanceId, Network, NetworkError, build::Builder};

pub(crate) struct Connector<'b, 'r, 'm, 'd> {
    pub builder: &'b mut Builder<'r, 'm, 'd>,
    pub place: Place,
    names: Names<'d>,
    /// The instances that each `ForEach` around is at.
    visited: Vec<InstanceId>,
    /// The pairs that a `PairFilter` works on.
    pairs: Option<PairsKey<'d>>,
    followed: Followed<'d>,
    /// The element of the component, if it is one of a table.
    row: Option<Element<'d>>,
    /// The texts that the components of a table have been asked for, and where all of them have them.
    columns: Vec<(&'d str, Option<usize>)>,
}

/// A `PairCollection` of an instance.
type PairsKey<'d> = (InstanceId, &'d str);

/// Whether two names of a `Structure` stand for the same path, as in the types of inputs.
fn is_same(elements: &[StructureElement<'_>], first: Attribute<'_>, second: Attribute<'_>) -> bool {
    let path_of = |wanted: Attribute<'_>| {
        elements.iter().find_map(|element| match element {
            StructureElement::WithInstance { instance, name } if *name == wanted.value() => {
                Some(instance.value())
            }
            _ => None,
        })
    };
    path_of(first).is_some_and(|path| path_of(second) == Some(path))
}

impl<'b, 'r, 'm, 'd> Connector<'b, 'r, 'm, 'd> {
    pub(crate) fn new(builder: &'b mut Builder<'r, 'm, 'd>, place: Place) -> Self {
        Connector {
            builder,
            place,
            names: Names::default(),
            visited: Vec::new(),
            pairs: None,
            followed: Followed::default(),
            row: None,
            columns: Vec::new(),
        }
    }

    /// Begins anew at another component of the same table.
    pub(crate) fn move_to(&mut self, place: Place, row: Option<Element<'d>>) {
        self.place = place;
        self.row = row;
        self.names.clear();
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
                    let attaches = connection.wiring.receiver.is_some();
                    let ends = [connection.from, connection.to].map(|name| match attaches {
                        true => self.named(name),
                        false => self.named_or_part(name),
                    });
                    if let [Some(from), Some(to)] = ends {
                        let is_input = attaches
                            && self.network().cables.is_node(from)
                            && is_same(elements, connection.from, connection.to);
                        // An input of a cell with dendrites does not get the spikes of its cell.
                        let sender = (!is_input).then_some(from);
                        self.connect(&connection.wiring, sender, to);
                    }
                }
                StructureElement::Tunnel(tunnel) => self.tunnel(tunnel),
                StructureElement::ForEach {
                    instances,
                    name,
                    body,
                } => self.for_each(*instances, name, body),
                StructureElement::Apply { list, body } => self.apply(*list, body),
                StructureElement::Choose { cases } => {
                    if connects(element) {
                        let body = chosen(cases, |test| self.builder.test(test, self.place));
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
                            self.connect(wiring, Some(from), to);
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

    pub(crate) fn network(&self) -> &Network<'m, 'd> {
        &self.builder.network
    }

    /// The text of an attribute of the component, looked up by the name that the `Structure` uses.
    pub(crate) fn text(&mut self, name: &'d str) -> Option<Attribute<'d>> {
        let Some(row) = self.row else {
            return self.network().model.text(self.place.component?, name);
        };
        row.written_at(self.column(row, name)?)
    }

    /// Which attribute of the elements of a table has a name.
    fn column(&mut self, row: Element<'d>, name: &'d str) -> Option<usize> {
        let known = self.columns.iter().find(|(known, _)| equal(known, name));
        match known {
            Some((_, column)) => *column,
            None => {
                let column = row.column(name);
                self.columns.push((name, column));
                column
            }
        }
    }

    /// Which of the different paths in an attribute of a table this component has, if what they lead to is kept.
    fn choice(&mut self, name: &'d str) -> Option<Choice> {
        let row = self.row.filter(|_| self.builder.waiting.is_empty())?;
        let column = self.column(row, name)?;
        row.choice_at(column)
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
        let choice = self.choice(instance.value());
        if let Some(found) = choice.and_then(|choice| self.followed.of_value(choice)) {
            return Some(found);
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
        let text = source.value().trim();
        let own = text.starts_with("./") || text == "this";
        // What only connects others is no instance: its paths start at what is around it.
        let start = if own {
            self.place.instance.or(self.place.parent)
        } else {
            self.place.parent.or(self.place.instance)
        }?;
        let path = Path::new(text, source);
        let mut found = match self.builder.waiting.is_empty() {
            true => (self.followed).follow(&self.builder.network, start, path),
            false => self.builder.follow(start, path),
        };
        if found.is_err() && !self.network().cables.all.is_empty() {
            // Some files for cells with dendrites leave out `../`.
            found = self.builder.follow(Network::ROOT, path).or(found);
        }
        match found {
            Ok(found) => {
                let located = self.located(found, instance.value());
                if let Some(choice) = choice.filter(|_| self.followed.is_lasting(start, path)) {
                    self.followed.set_of_value(choice, located);
                }
                Some(located)
            }
            Err(error) => {
                self.builder.errors.push(error);
                None
            }
        }
    }

    /// The compartment that the component names, if what an attribute has led to is a cell with dendrites.
    fn located(&mut self, found: InstanceId, attribute: &str) -> InstanceId {
        let cell = self.network().unwrapped(found);
        self.place.component.map_or(cell, |connection| {
            (self.builder).cable_location(cell, connection, attribute)
        })
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
        let step = format!("[{number}]");
        match (self.builder).follow(population, Path::new(&step, source)) {
            Ok(found) => Some(self.located(found, index.value())),
            Err(NetworkError::IndexTooLarge {
                inside, size, span, ..
            }) => {
                self.builder.errors.push(NetworkError::IndexTooLarge {
                    path: format!("{}{step}", source.value()),
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

    /// Fills a `Collection`, unless that is done.
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

    /// Gives an instance a name, and returns the instance that had it before.
    fn name(&mut self, name: &'d str, instance: InstanceId) -> Option<InstanceId> {
        self.names.insert(name, instance)
    }

    /// The instance that has a name, or the part of this one that has it.
    fn named_or_part(&mut self, name: Attribute<'d>) -> Option<InstanceId> {
        let is_named = self.names.get(name.value()).is_some();
        let part = (self.place.instance).filter(|_| !is_named);
        let part = part.and_then(|id| self.network().part(id, name.value()));
        part.or_else(|| self.named(name))
    }

    /// The instance that has a name.
    pub(crate) fn named(&mut self, name: Attribute<'d>) -> Option<InstanceId> {
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
}
