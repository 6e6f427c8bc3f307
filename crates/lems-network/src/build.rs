//! Makes the tree of instances of a component and walks it to run all `Structure`s.

use std::cell::{OnceCell, RefCell};

use lems_math::JavaRandom;
use lems_model::{ComponentId, ComponentType, Direction, Model, Role, Siblings, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    Assigned, Connections, InstanceId, Instances, MAX_DEPTH, Network, NetworkError, Share,
    cables::{CableBuilder, CableRules, Cables, Origin},
    connect::Connector,
    hash_order,
    instance::Distribution,
    instances,
    path::Path,
    share::{Survey, can_be_distributed},
    structure::{Place, is_bare_connection, makes_instances},
};

/// Most instances of a network.
pub(crate) const MAX_INSTANCES: usize = 100_000_000;

impl<'m, 'd> Network<'m, 'd> {
    /// Makes the instances of `target` and connects them in document order; each `Structure`
    /// first makes its instances, then its connections, and those that it needs from another
    /// come before. `random` is drawn from whenever an `Assign` needs a random number.
    ///
    /// # Errors
    /// All paths, names and ports that lead nowhere.
    pub fn build(
        model: &'m Model<'d>,
        target: ComponentId,
        random: JavaRandom,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        Network::build_within(model, target, random, MAX_INSTANCES, None)
    }

    /// The same with `most` instances at most, and with cells that have dendrites if there are rules
    /// for them.
    ///
    /// # Errors
    /// Those of [`build`](Self::build); more instances.
    pub fn build_within(
        model: &'m Model<'d>,
        target: ComponentId,
        random: JavaRandom,
        most: usize,
        cables: Option<&CableRules>,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        let cables = CableBuilder {
            rules: cables,
            ..CableBuilder::default()
        };
        Network::build_with(model, target, random, most, cables)
    }

    /// The share of the network that one of several ranks needs; the whole network if it cannot be distributed.
    ///
    /// # Errors
    /// Those of [`build_within`](Self::build_within).
    pub fn build_share(
        model: &'m Model<'d>,
        target: ComponentId,
        random: JavaRandom,
        most: usize,
        cables: Option<&CableRules>,
        share: Share,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        let cable_builder = CableBuilder {
            rules: cables,
            ..CableBuilder::default()
        };
        if can_be_distributed(model) {
            let mut builder = Builder::new(model, random.clone(), most, cable_builder);
            if let Some(root) = builder.begin(target)
                && builder.distribute(root, share)
            {
                return builder.finish(root);
            }
        }
        Network::build_within(model, target, random, most, cables)
    }

    /// Makes a network of one cell that has a shape, as compartments even if it is only one.
    ///
    /// # Errors
    /// Those of [`build`](Self::build).
    pub fn of_cell(
        model: &'m Model<'d>,
        cell: ComponentId,
        random: JavaRandom,
        rules: &CableRules,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        let cables = CableBuilder {
            rules: Some(rules),
            always: true,
            ..CableBuilder::default()
        };
        Network::build_with(model, cell, random, MAX_INSTANCES, cables)
    }

    fn build_with(
        model: &'m Model<'d>,
        target: ComponentId,
        random: JavaRandom,
        most: usize,
        cables: CableBuilder<'_>,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        let mut builder = Builder::new(model, random, most, cables);
        match builder.begin(target) {
            Some(root) => builder.finish(root),
            None => Err(builder.errors),
        }
    }
}

pub(crate) struct Builder<'r, 'm, 'd> {
    pub network: Network<'m, 'd>,
    pub errors: Vec<NetworkError>,
    /// Most instances that there may be.
    pub most: usize,
    /// Whether a limit was reached, so that nothing more is made.
    pub exhausted: bool,
    /// Whether instances are missing because of an error, so that nothing is connected.
    pub incomplete: bool,
    /// Instances whose `Structure` has still to make instances.
    pub waiting: FxHashSet<InstanceId>,
    /// Instances whose `Structure` is making instances.
    pub making: Vec<InstanceId>,
    /// Which instances are built, with all in them.
    built: Vec<bool>,
    /// What the `Collection`s of instances hold; None while that is being computed.
    pub collections: FxHashMap<(InstanceId, &'d str), Option<Vec<InstanceId>>>,
    /// What the `PairCollection`s of instances hold.
    pub pairs: FxHashMap<(InstanceId, &'d str), Vec<(InstanceId, InstanceId)>>,
    /// The ports of types that connections without a port mean.
    pub ports: FxHashMap<(TypeId, Direction), Option<&'d str>>,
    /// Types of what names no list to attach to, though it has the attribute.
    pub(crate) without_destination: FxHashSet<TypeId>,
    /// Cells with dendrites.
    pub(crate) cables: CableBuilder<'r>,
    /// The counts of connections, if connections are counted instead of made.
    pub(crate) survey: Option<Survey>,
}

impl<'r, 'm, 'd> Builder<'r, 'm, 'd> {
    fn new(
        model: &'m Model<'d>,
        random: JavaRandom,
        most: usize,
        cables: CableBuilder<'r>,
    ) -> Self {
        let network = Network {
            model,
            instances: Instances::default(),
            routes: Connections::default(),
            assigned: Assigned::default(),
            additions: FxHashMap::default(),
            added_names: FxHashSet::default(),
            random,
            warnings: RefCell::default(),
            by_id: Default::default(),
            by_name: Default::default(),
            meanings: model.types.iter().map(|_| OnceCell::new()).collect(),
            cables: Cables::default(),
            peers: FxHashMap::default(),
            free: FxHashSet::default(),
            distribution: None,
        };
        Builder {
            network,
            errors: Vec::new(),
            // Instances are numbered with 32 bits.
            most: most.min(u32::MAX as usize),
            exhausted: false,
            incomplete: false,
            waiting: FxHashSet::default(),
            making: Vec::new(),
            built: Vec::new(),
            collections: FxHashMap::default(),
            pairs: FxHashMap::default(),
            ports: FxHashMap::default(),
            without_destination: FxHashSet::default(),
            cables,
            survey: None,
        }
    }

    /// Makes the root, with what it contains.
    fn begin(&mut self, target: ComponentId) -> Option<InstanceId> {
        self.look_for_cables();
        let kind = self.network.model.component(target).component_type;
        let root = self.instantiate(kind, Some(target), None, true, 0)?;
        self.incomplete = self.lacks_instances(0);
        Some(root)
    }

    /// Makes all that no connection makes, and distributes it over ranks. Returns whether that was possible.
    fn distribute(&mut self, root: InstanceId, share: Share) -> bool {
        self.survey = Some(Survey::default());
        self.build(root);
        self.built.clear();
        // The paths are followed again when the connections are made.
        let warnings = self.network.warnings.get_mut();
        warnings.retain(|warning| !matches!(warning, NetworkError::OtherName { .. }));
        let counts = self.survey.take().unwrap_or_default().counts;
        if !self.errors.is_empty() || !self.network.cables.all.is_empty() || counts.is_empty() {
            return false;
        }
        let Some(ranks) = self.network.ranks(&counts, share.ranks) else {
            return false;
        };
        self.network.distribution = Some(Distribution {
            share,
            ranks,
            absent: FxHashMap::default(),
            left_out: 0,
            crossings: FxHashMap::default(),
            leads_to_attached: false,
            representatives: FxHashMap::default(),
            plain: FxHashMap::default(),
        });
        true
    }

    /// Runs all `Structure`s.
    fn finish(mut self, root: InstanceId) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        self.build(root);
        if self.errors.is_empty() {
            self.network.warn_of_nameless_wrappers();
            Ok(self.network)
        } else {
            Err(self.errors)
        }
    }
}

impl<'m, 'd> Builder<'_, 'm, 'd> {
    /// Whether one of the errors after the first `errors` means that an instance is missing. If there are too many
    /// children, none is missing.
    pub(crate) fn lacks_instances(&self, errors: usize) -> bool {
        let is_lack = |error: &NetworkError| !matches!(error, NetworkError::TooManyChildren { .. });
        self.errors.iter().skip(errors).any(is_lack)
    }

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
        if let Some(plan) = self.cable_plan(kind, component, parent) {
            return self.instantiate_cable(
                &plan,
                Origin {
                    kind,
                    component,
                    parent,
                    consolidated,
                    depth,
                },
            );
        }
        if self.exhausted {
            return None;
        }
        // What varies over a cell has in each compartment the equations of what does not.
        let current = self.cables.current.as_ref().zip(component);
        let kind = current.map_or(kind, |((plan, _), component)| {
            plan.varying(component).map_or(kind, |varying| varying.kind)
        });
        let model = self.network.model;
        let origin = instances::Origin {
            kind,
            component,
            consolidated,
            attached: false,
        };
        let id = self.network.instances.push(origin, parent);
        if depth > MAX_DEPTH || self.network.instances.len() > self.most {
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
                    limit: self.most,
                    span,
                }
            });
            return None;
        }
        if model.type_of(kind).structure.iter().any(makes_instances) {
            self.waiting.insert(id);
        }
        if self.cables.rules.is_some() {
            self.place_part(id, component, parent);
        }
        let mut children = component.map_or_else(Vec::new, |id| model.child_groups(id));
        // A compartment has only the parts that cover it.
        let current = self.cables.current.clone();
        if let Some((plan, place)) = &current {
            let all = children.into_iter();
            let each = all.flat_map(|(role, group)| group.ids().map(move |child| (role, child)));
            let covering = each.filter(|(_, child)| plan.share(*child, *place).is_some());
            children = covering.map(|(role, child)| (role, child.into())).collect();
        }
        let slots = filled_slots(model, kind, &children);
        let lists = number_of_lists(&children).min(model.type_of(kind).lists.len());
        // Millions of synapses may contain a part or two each.
        if !slots.is_empty() || lists > 0 {
            let contents = self.network.contents_mut(id);
            contents.singles.reserve_exact(slots.len());
            contents.lists.reserve_exact(lists);
        }
        for (slot, child) in slots {
            let child_kind = model.component(child).component_type;
            let child =
                self.instantiate(child_kind, Some(child), Some(id), consolidated, depth + 1)?;
            self.network.contents_mut(id).singles.push((slot, child));
        }
        self.check_counts(kind, &children, id);
        for &(role, group) in &children {
            let Role::List(list) = role else {
                continue;
            };
            if is_bare_connection(model, group.first) {
                continue;
            }
            let kind = model.component(group.first).component_type;
            for child in group.ids() {
                let element = self.instantiate(kind, Some(child), Some(id), false, depth + 1)?;
                self.append(id, list, element);
            }
        }
        if model.type_of(kind).attachments.is_empty() {
            return Some(id);
        }
        let attachments: Vec<&'d str> = model.type_of(kind).attachments.keys().copied().collect();
        for list in hash_order(&attachments) {
            if self.network.number_of_list(id, list).is_none() {
                let lists = &mut self.network.contents_mut(id).lists;
                lists.push((list, Vec::new()));
            }
        }
        Some(id)
    }

    /// Reports lists with more elements than their `Children` allows.
    fn check_counts(&mut self, kind: TypeId, children: &[(Role<'d>, Siblings)], id: InstanceId) {
        if children.is_empty() {
            return;
        }
        let lists = &self.network.model.type_of(kind).lists;
        if lists.values().all(|list| list.max.is_none()) {
            return;
        }
        let mut of_lists: FxHashMap<&str, Vec<ComponentId>> = FxHashMap::default();
        for (role, group) in children {
            if let Role::List(list) = role {
                of_lists.entry(list).or_default().extend(group.ids());
            }
        }
        for (name, list) in lists {
            let Some(max) = list.max else {
                continue;
            };
            let Some(&excess) = of_lists.get(name).and_then(|of_list| of_list.get(max)) else {
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
        let number = self.network.number_of_list(owner, list);
        let lists = &mut self.network.contents_mut(owner).lists;
        match number.and_then(|number| lists.get_mut(number)) {
            Some((_, elements)) => elements.push(element),
            None => lists.push((list, vec![element])),
        }
    }

    /// Whether an instance contains nothing and has no `Structure`, as most synapses.
    fn has_nothing_inside(&self, id: InstanceId) -> bool {
        let Network { model, cables, .. } = &self.network;
        let instance = self.network.instance(id);
        let has_children = |component| !model.child_groups(component).is_empty();
        instance.singles.is_empty()
            && instance.lists.is_empty()
            && model.type_of(instance.kind).structure.is_empty()
            && !instance.component.is_some_and(has_children)
            && !cables.is_node(id)
    }

    /// Runs the `Structure`s of an instance and of all below it, in document order.
    pub(crate) fn build(&mut self, id: InstanceId) {
        let index = id.0 as usize;
        if self.built.len() <= index {
            self.built.resize(self.network.instances.len(), false);
        }
        if self.exhausted || std::mem::replace(&mut self.built[index], true) {
            return;
        }
        if self.has_nothing_inside(id) {
            return;
        }
        self.complete(id);
        // The other compartments of a cell are in no list.
        let beside: Vec<InstanceId> = self.network.cables.beside(id).collect();
        for other in beside {
            self.build(other);
        }
        self.run_connections(id);
        let instance = self.network.instance(id);
        let singles: Vec<InstanceId> = instance.singles.iter().map(|(_, child)| *child).collect();
        let component = instance.component;
        for child in singles {
            self.build(child);
        }
        let model = self.network.model;
        let children = component.map_or_else(Vec::new, |id| model.child_groups(id));
        if children.is_empty() && self.network.instance(id).lists.is_empty() {
            return;
        }
        let mut cursors: FxHashMap<&'d str, usize> = FxHashMap::default();
        for &(role, group) in &children {
            let Role::List(list) = role else {
                continue;
            };
            if is_bare_connection(model, group.first) {
                let stride = match &mut self.survey {
                    Some(survey) => {
                        let stride = Survey::stride(group.count as usize);
                        survey.weight = stride as u64;
                        stride
                    }
                    None => 1,
                };
                self.run_table(id, group, stride);
                continue;
            }
            for _ in group.ids() {
                let cursor = cursors.entry(list).or_default();
                let element = self
                    .network
                    .list(id, list)
                    .and_then(|l| l.get(*cursor).copied());
                *cursor += 1;
                if let Some(element) = element {
                    self.build(element);
                }
            }
        }
        let attachments = &self.network.type_of(id).attachments;
        let products: Vec<InstanceId> = (self.network.instance(id).lists.iter())
            .filter(|(list, _)| !attachments.contains_key(list))
            .flat_map(|(list, elements)| {
                let made_before = cursors.get(list).copied().unwrap_or(0);
                elements.iter().skip(made_before).copied()
            })
            .collect();
        for product in products {
            self.build(product);
        }
    }

    /// The instance at the end of a path, with whatever has to be made on the way.
    pub(crate) fn follow(
        &mut self,
        from: InstanceId,
        path: Path<'_, 'd>,
    ) -> Result<InstanceId, NetworkError> {
        if self.waiting.is_empty() {
            return self.network.follow(from, path);
        }
        let mut current = from;
        for step in path.steps() {
            self.complete_inside(current);
            current = self.network.take_step(current, step)?;
        }
        self.complete_inside(current);
        Ok(current)
    }

    /// Makes the instances of an instance, and of the one that it wraps.
    fn complete_inside(&mut self, id: InstanceId) {
        self.complete(id);
        let inner = self.network.unwrapped(id);
        self.complete(inner);
    }

    fn run_connections(&mut self, id: InstanceId) {
        if self.incomplete {
            return;
        }
        let structure = &self.network.type_of(id).structure;
        if !structure.is_empty() {
            let place = Place::of(&self.network, id);
            Connector::new(self, place).run(structure);
        }
    }

    /// Makes the connections of a component that has no instance, or of all of a table, or of some if they are counted.
    fn run_table(&mut self, owner: InstanceId, group: Siblings, stride: usize) {
        let first = group.first;
        let model = self.network.model;
        let structure = &model.type_of_component(first).structure;
        let first_row = model.is_in_table(first).then(|| model.element(first));
        let place = |connection| Place {
            component: Some(connection),
            around: Some(owner),
            instance: None,
            parent: Some(owner),
        };
        let mut connector = Connector::new(self, place(first));
        for connection in group.ids().step_by(stride) {
            if connector.builder.incomplete {
                return;
            }
            let row = first_row.map(|row| row.following(connection.0 - first.0));
            connector.move_to(place(connection), row);
            connector.run(structure);
        }
    }
}

/// Number of lists that children are in, or more if those of several lists are mixed.
pub(crate) fn number_of_lists(children: &[(Role<'_>, Siblings)]) -> usize {
    let lists = children.iter().filter_map(|(role, _)| match role {
        Role::List(list) => Some(*list),
        Role::Slot(_) | Role::TopLevel => None,
    });
    let mut last = None;
    lists
        .filter(|list| last.replace(*list) != Some(list))
        .count()
}

/// Filled `Child` slots in the order in which jLEMS walks them.
pub(crate) fn filled_slots<'d>(
    model: &Model<'d>,
    kind: TypeId,
    children: &[(Role<'d>, Siblings)],
) -> Vec<(&'d str, ComponentId)> {
    if children.is_empty() {
        return Vec::new();
    }
    let component_type: &ComponentType<'d> = model.type_of(kind);
    // The last of several in a slot counts.
    let in_slot: FxHashMap<&str, ComponentId> = (children.iter())
        .filter_map(|(role, child)| match role {
            Role::Slot(slot) => Some((*slot, child.first)),
            Role::List(_) | Role::TopLevel => None,
        })
        .collect();
    let names: Vec<&'d str> = (component_type.slots.keys().copied())
        .filter(|slot| in_slot.contains_key(slot))
        .collect();
    (hash_order(&names).into_iter())
        .filter_map(|slot| Some((slot, *in_slot.get(slot)?)))
        .collect()
}
