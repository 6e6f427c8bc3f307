//! Groups of instances of equal shape.
//!
//! Instances whose children are the same in kind and order have the same shape: one kernel steps
//! them all. A tree that holds a population is a container: its children are grouped by
//! themselves and its own variables, if any, make a shape without children.

use std::collections::{HashMap, HashSet};

use rustc_hash::FxHashMap;

use lems_model::{ComponentId, Model, Step, TypeId};

use crate::{InstanceId, Network};

/// A run of at least this many equal elements of a list is a population.
const POPULATION_FROM: usize = 8;
/// A tree of more instances than this is a container.
const LARGEST_SHAPE: usize = 1000;

/// All shapes of a network, their members, and the order in which a step visits them.
#[derive(Debug, Clone)]
pub struct Shapes<'d> {
    /// The shapes.
    pub shapes: Vec<Shape<'d>>,
    /// Where each instance is, by instance number.
    pub homes: Vec<Home>,
    /// What a step visits, in order; attached instances are visited with their hosts.
    pub visits: Vec<Visit>,
}

/// Where an instance is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Home {
    /// Index of its shape.
    pub shape: u32,
    /// Index among the members of the shape.
    pub member: u32,
    /// Index of the node that it is in each member.
    pub node: u32,
}

/// One shape.
#[derive(Debug, Clone)]
pub struct Shape<'d> {
    /// Its instances from the root down, parents before children.
    pub nodes: Vec<Node<'d>>,
    /// Number of members.
    pub members: usize,
    /// The instance of each member and node: `instances[member * nodes.len() + node]`.
    pub instances: Vec<InstanceId>,
    /// Whether its members are attached to others.
    pub attached: bool,
}

/// One instance of a shape.
#[derive(Debug, Clone)]
pub struct Node<'d> {
    /// Its type.
    pub kind: TypeId,
    /// Its component, if that is the same in all members.
    pub component: Option<ComponentId>,
    /// Whether its `OnStart` blocks run twice.
    pub consolidated: bool,
    /// The node around it.
    pub parent: Option<usize>,
    /// What is stepped before it, in order.
    pub parts: Vec<Part<'d>>,
}

/// What a node contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'d> {
    /// Another node of the shape.
    Child(usize),
    /// The instances attached to a list.
    Attached(&'d str),
}

/// What a step visits.
#[derive(Debug, Clone, PartialEq)]
pub enum Visit {
    /// One member of a shape.
    Member {
        /// Index of the shape.
        shape: u32,
        /// Index of the member.
        member: u32,
    },
    /// A container: its children, then itself.
    Container {
        /// Index of the shape of its own variables.
        shape: u32,
        /// Index of the member.
        member: u32,
        /// Its children.
        children: Vec<Visit>,
    },
}

impl<'d> Shape<'d> {
    /// The instance of a node in a member.
    pub fn instance(&self, member: usize, node: usize) -> InstanceId {
        self.instances[member * self.nodes.len() + node]
    }
}

impl<'d> Shapes<'d> {
    /// Sorts the instances of a network.
    pub fn of(network: &Network<'_, 'd>) -> Shapes<'d> {
        let count = network.instances.len();
        let mut sorter = Sorter {
            network,
            structural: Structural::of(network.model),
            signatures: HashMap::new(),
            leaves: FxHashMap::default(),
            sizes: vec![0; count],
            populous: vec![false; count],
            signature_of: vec![u32::MAX; count],
            shape_of: FxHashMap::default(),
            shapes: Shapes {
                shapes: Vec::new(),
                homes: vec![
                    Home {
                        shape: u32::MAX,
                        member: 0,
                        node: 0,
                    };
                    count
                ],
                visits: Vec::new(),
            },
        };
        if count > 0 {
            sorter.sign(Network::ROOT);
            let visit = sorter.visit(Network::ROOT);
            sorter.shapes.visits.push(visit);
        }
        sorter.shapes
    }

    /// Where an instance is kept.
    pub fn home(&self, id: InstanceId) -> Home {
        self.homes[id.0 as usize]
    }
}

/// Words that decide what paths lead to, so that they are part of a shape.
struct Structural<'d> {
    ids: HashSet<&'d str>,
    attributes: HashSet<&'d str>,
}

impl<'d> Structural<'d> {
    fn of(model: &Model<'d>) -> Self {
        let mut words = Structural {
            ids: HashSet::new(),
            attributes: HashSet::new(),
        };
        for dynamics in model
            .types
            .values()
            .filter_map(|kind| kind.dynamics.as_ref())
        {
            for step in dynamics.selections.iter().flat_map(|s| &s.select.steps) {
                match step {
                    Step::Name(name) => words.ids.insert(name),
                    Step::Where { attribute, .. } => words.attributes.insert(attribute),
                    Step::All(_) => false,
                };
            }
            for scheme in &dynamics.schemes {
                words.attributes.insert(scheme.edge_source);
                words.attributes.insert(scheme.edge_target);
            }
        }
        words
    }
}

#[derive(PartialEq, Eq, Hash)]
struct Signature<'d> {
    kind: TypeId,
    consolidated: bool,
    container: bool,
    attached: bool,
    words: Vec<(&'d str, &'d str)>,
    /// Slot or list, id where paths use it, signature.
    children: Vec<(&'d str, &'d str, u32)>,
}

struct Sorter<'n, 'm, 'd> {
    network: &'n Network<'m, 'd>,
    structural: Structural<'d>,
    signatures: HashMap<Signature<'d>, u32>,
    /// Signatures of instances that are like others of their component, without anything in them.
    leaves: FxHashMap<(TypeId, Option<ComponentId>, bool, bool), u32>,
    sizes: Vec<usize>,
    populous: Vec<bool>,
    signature_of: Vec<u32>,
    shape_of: FxHashMap<u32, u32>,
    shapes: Shapes<'d>,
}

impl<'d> Sorter<'_, '_, 'd> {
    /// Children that belong to the tree itself, in order: name of slot or list, instance.
    fn inner(&self, id: InstanceId) -> Vec<(&'d str, InstanceId)> {
        let instance = self.network.instance(id);
        let mut inner = instance.singles.clone();
        for (list, elements) in &instance.lists {
            let own = elements
                .iter()
                .filter(|e| !self.network.instance(**e).attached);
            inner.extend(own.map(|element| (*list, *element)));
        }
        inner
    }

    /// Whether an instance holds nothing, and its component tells all about its signature.
    fn is_leaf(&self, id: InstanceId) -> bool {
        let instance = self.network.instance(id);
        instance.singles.is_empty()
            && instance.lists.is_empty()
            && self.network.peers.is_empty()
            && self.network.additions.is_empty()
    }

    /// Signs an instance and all below it.
    fn sign(&mut self, id: InstanceId) -> u32 {
        let network = self.network;
        let instance = network.instance(id);
        let leaf = (self.is_leaf(id)).then_some((
            instance.kind,
            instance.component,
            instance.consolidated,
            instance.attached,
        ));
        if let Some(known) = leaf.and_then(|leaf| self.leaves.get(&leaf)) {
            self.sizes[id.0 as usize] = 1;
            self.signature_of[id.0 as usize] = *known;
            return *known;
        }
        let inner = self.inner(id);
        for list in instance.lists.iter().map(|(_, list)| list) {
            for element in list.iter().filter(|e| network.instance(**e).attached) {
                self.sign(*element);
            }
        }
        let mut size = 1;
        let mut populous = false;
        let mut children = Vec::with_capacity(inner.len());
        for &(list, child) in &inner {
            let signature = self.sign(child);
            size += self.sizes[child.0 as usize];
            populous |= self.populous[child.0 as usize] || list.is_empty();
            let id = network
                .component_id(child)
                .filter(|id| self.structural.ids.contains(id));
            children.push((list, id.unwrap_or(""), signature));
        }
        let bare = network.type_of(id).dynamics.is_none();
        populous |= size > LARGEST_SHAPE || bare && has_population(&children);
        if instance.attached {
            populous = false;
        }
        if populous {
            children.clear();
        }
        let peers = network.peers.get(&id).into_iter().flatten();
        let mut words: Vec<(&'d str, &'d str)> = peers.map(|(name, _)| ("", *name)).collect();
        if let Some(component) = instance.component {
            for attribute in &self.structural.attributes {
                if let Some(value) = network.model.text(component, attribute) {
                    words.push((attribute, value.value()));
                }
            }
        }
        let additions = network.additions.get(&id).into_iter().flatten();
        words.extend(additions.map(|name| ("index", *name)));
        words.sort_unstable();
        let signature = Signature {
            kind: instance.kind,
            consolidated: instance.consolidated,
            container: populous,
            attached: instance.attached,
            words,
            children,
        };
        let next = lems_index::narrow(self.signatures.len());
        let signature = *self.signatures.entry(signature).or_insert(next);
        if let Some(leaf) = leaf {
            self.leaves.insert(leaf, signature);
        }
        self.sizes[id.0 as usize] = size;
        self.populous[id.0 as usize] = populous;
        self.signature_of[id.0 as usize] = signature;
        signature
    }

    fn visit(&mut self, id: InstanceId) -> Visit {
        if !self.populous[id.0 as usize] {
            let (shape, member) = self.enrol(id);
            return Visit::Member { shape, member };
        }
        let children = (self.inner(id).into_iter())
            .map(|(_, child)| self.visit(child))
            .collect();
        let (shape, member) = self.enrol(id);
        Visit::Container {
            shape,
            member,
            children,
        }
    }

    /// Makes an instance a member of its shape, and those attached to it members of theirs.
    fn enrol(&mut self, id: InstanceId) -> (u32, u32) {
        let signature = self.signature_of[id.0 as usize];
        let shape = match self.shape_of.get(&signature) {
            Some(shape) => *shape,
            None => {
                let mut nodes = Vec::new();
                self.nodes(id, None, &mut nodes);
                let shape = lems_index::narrow(self.shapes.shapes.len());
                self.shapes.shapes.push(Shape {
                    nodes,
                    members: 0,
                    instances: Vec::new(),
                    attached: self.network.instance(id).attached,
                });
                self.shape_of.insert(signature, shape);
                shape
            }
        };
        let member = lems_index::narrow(self.shapes.shapes[shape as usize].members);
        self.shapes.shapes[shape as usize].members += 1;
        let mut node = 0;
        self.enrol_node(id, shape, member, &mut node);
        (shape, member)
    }

    fn parts(&self, id: InstanceId) -> Vec<(&'d str, Option<InstanceId>)> {
        let instance = self.network.instance(id);
        let kind = self.network.type_of(id);
        if self.populous[id.0 as usize] {
            return kind.attachments.keys().map(|list| (*list, None)).collect();
        }
        let mut parts: Vec<_> = instance
            .singles
            .iter()
            .map(|(n, id)| (*n, Some(*id)))
            .collect();
        for (list, elements) in &instance.lists {
            let own = elements
                .iter()
                .filter(|e| !self.network.instance(**e).attached);
            parts.extend(own.map(|element| (*list, Some(*element))));
            if kind.attachments.contains_key(list) {
                parts.push((list, None));
            }
        }
        parts
    }

    fn nodes(&self, id: InstanceId, parent: Option<usize>, nodes: &mut Vec<Node<'d>>) -> usize {
        let instance = self.network.instance(id);
        let index = nodes.len();
        nodes.push(Node {
            kind: instance.kind,
            component: instance.component,
            consolidated: instance.consolidated,
            parent,
            parts: Vec::new(),
        });
        let mut parts = Vec::new();
        for (list, child) in self.parts(id) {
            parts.push(match child {
                Some(child) => Part::Child(self.nodes(child, Some(index), nodes)),
                None => Part::Attached(list),
            });
        }
        nodes[index].parts = parts;
        index
    }

    fn enrol_node(&mut self, id: InstanceId, shape: u32, member: u32, next: &mut u32) {
        self.shapes.homes[id.0 as usize] = Home {
            shape,
            member,
            node: *next,
        };
        let component = self.network.instance(id).component;
        let shape_of_all = &mut self.shapes.shapes[shape as usize];
        shape_of_all.instances.push(id);
        let common = &mut shape_of_all.nodes[*next as usize].component;
        *common = common.filter(|common| component == Some(*common));
        *next += 1;
        let instance = self.network.instance(id);
        if instance.singles.is_empty() && instance.lists.is_empty() {
            return;
        }
        for (list, child) in self.parts(id) {
            match child {
                Some(child) => self.enrol_node(child, shape, member, next),
                None => {
                    let attached = self.network.list(id, list).unwrap_or_default();
                    for element in attached {
                        if self.network.instance(*element).attached {
                            self.enrol(*element);
                        }
                    }
                }
            }
        }
    }
}

fn has_population(children: &[(&str, &str, u32)]) -> bool {
    let mut run = 0;
    let mut last = None;
    for (list, _, signature) in children {
        run = if last == Some((list, signature)) {
            run + 1
        } else {
            1
        };
        last = Some((list, signature));
        if run >= POPULATION_FROM {
            return true;
        }
    }
    false
}
