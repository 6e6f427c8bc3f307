//! Groups of instances of equal shape.
//!
//! Instances whose children are the same in kind and order have the same shape: one kernel steps
//! them all. A tree that holds a population is a container: its children are grouped by
//! themselves and its own variables, if any, make a shape without children.

use std::ops::Range;

use lems_index::{Id, IdVec, narrow};
use lems_model::{ComponentId, Model, Step, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{InstanceId, Network, instance::Absent};

/// A run of at least this many equal elements of a list is a population.
const POPULATION_FROM: usize = 8;
/// A tree of more instances than this is a container.
const LARGEST_SHAPE: usize = 1000;

lems_index::ids! {
    /// Index of a shape in [`Shapes::shapes`].
    pub struct ShapeId;
    /// Index of a member of a shape.
    pub struct MemberId;
    /// Index of a node in [`Shape::nodes`].
    pub struct NodeId;
    /// Index of a signature.
    struct SignatureId;
}

impl NodeId {
    /// The root of a shape.
    pub const ROOT: NodeId = NodeId(0);
}

/// The place of what has none.
const NOWHERE: u32 = u32::MAX;

/// All shapes of a network, their members, and the order in which a step visits them.
#[derive(Debug, Clone)]
pub struct Shapes<'d> {
    /// The shapes.
    pub shapes: IdVec<ShapeId, Shape<'d>>,
    /// Where each instance is: the number of its place, and the member.
    locations: IdVec<InstanceId, (u32, MemberId)>,
    /// Nodes of shapes; those of one shape follow one another.
    places: Vec<(ShapeId, NodeId)>,
    /// What a step visits, in order; attached instances are visited with their hosts.
    pub visits: Vec<Visit>,
    /// For each host and list: members that other ranks have, with the number of instances in the list before them.
    absent: FxHashMap<(InstanceId, &'d str), Vec<(u32, Attached)>>,
}

/// Members of a shape that follow one another in a list of what is attached to an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attached {
    /// Their shape.
    pub shape: ShapeId,
    /// The first.
    pub first: MemberId,
    /// Their number.
    pub count: u32,
    /// Whether they are there, or another rank has them.
    pub is_here: bool,
}

/// Where an instance is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// Its shape.
    pub shape: ShapeId,
    /// The member of the shape that it is in.
    pub member: MemberId,
    /// The node that it is in each member.
    pub node: NodeId,
}

/// What equal instance trees have in common: a type with the shapes of its children.
#[derive(Debug, Clone)]
pub struct Shape<'d> {
    /// Its instances from the root down, parents before children.
    pub nodes: IdVec<NodeId, Node<'d>>,
    /// Number of members.
    pub members: usize,
    /// The instances of the nodes of each member that is there, member after member.
    instances: Vec<InstanceId>,
    /// Members that are there, as long as one follows another: the first member, and how many that are there come
    /// before it.
    runs: Vec<(u32, u32)>,
    /// The place of its first node in [`Shapes::places`].
    first_place: u32,
    /// Whether its members are attached to others.
    pub attached: bool,
    /// Whether its members are nodes of cells with dendrites.
    pub cable: bool,
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
    pub parent: Option<NodeId>,
    /// What is stepped before it, in order.
    pub parts: Vec<Part<'d>>,
}

/// What a node contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'d> {
    /// Another node of the shape.
    Child(NodeId),
    /// The instances attached to a list.
    Attached(&'d str),
}

/// What a step visits.
#[derive(Debug, Clone, PartialEq)]
pub enum Visit {
    /// One member of a shape.
    Member {
        /// The shape.
        shape: ShapeId,
        /// The member.
        member: MemberId,
    },
    /// A container: its children, then itself.
    Container {
        /// The shape of its own variables.
        shape: ShapeId,
        /// The member.
        member: MemberId,
        /// Its children.
        children: Vec<Visit>,
    },
}

impl Visit {
    /// All members that it visits, in the order of a step: children before their container.
    pub fn members(&self, found: &mut impl FnMut(ShapeId, MemberId)) {
        let (shape, member) = match self {
            Visit::Member { shape, member } => (*shape, *member),
            Visit::Container {
                shape,
                member,
                children,
            } => {
                for child in children {
                    child.members(found);
                }
                (*shape, *member)
            }
        };
        found(shape, member);
    }
}

impl<'d> Shape<'d> {
    /// The instance of a node in a member.
    pub fn instance(&self, member: MemberId, node: NodeId) -> InstanceId {
        let (first, before) = match self.runs[..] {
            [run] => run,
            _ => self.run_of(member),
        };
        let place = (member.get() - first + before) as usize;
        self.instances[place * self.nodes.len() + node.index()]
    }

    /// The run that a member is in.
    fn run_of(&self, member: MemberId) -> (u32, u32) {
        let after = self
            .runs
            .partition_point(|(first, _)| *first <= member.get());
        let run = after.checked_sub(1).map(|run| self.runs[run]);
        run.unwrap_or_default()
    }

    /// The members on this rank. These are all members, unless other ranks have some.
    pub fn member_ids(&self) -> impl Iterator<Item = MemberId> + Clone + use<'d> {
        self.member_runs().into_iter().flatten().map(MemberId::at)
    }

    /// The same, as ranges.
    pub fn member_runs(&self) -> Vec<Range<usize>> {
        let present = narrow(self.instances.len() / self.nodes.len().max(1));
        let ends = self.runs.iter().skip(1).map(|(_, before)| *before);
        (self.runs.iter().zip(ends.chain([present])))
            .map(|((first, before), end)| *first as usize..(first + (end - before)) as usize)
            .collect()
    }

    /// The instance of a node in the first member.
    pub fn first_instance(&self, node: NodeId) -> InstanceId {
        self.instances[node.index()]
    }
}

impl<'d> Shapes<'d> {
    /// Sorts the instances of a network.
    pub fn of(network: &Network<'_, 'd>) -> Shapes<'d> {
        let count = network.instances.len();
        let mut sorter = Sorter {
            network,
            structural: Structural::of(network.model),
            signatures: FxHashMap::default(),
            leaves: vec![None; network.instances.origins()],
            populous: FxHashSet::default(),
            whole: false,
            signed: Vec::new(),
            shape_of: IdVec::new(),
            shapes: Shapes {
                shapes: IdVec::new(),
                locations: (0..count)
                    .map(|_| (NOWHERE, MemberId::from_u32(0)))
                    .collect(),
                places: Vec::new(),
                visits: Vec::new(),
                absent: FxHashMap::default(),
            },
        };
        if count > 0 {
            sorter.sign(Network::ROOT);
            let visit = sorter.visit(Network::ROOT);
            sorter.shapes.visits.push(visit);
            for other in network.cables.beside(Network::ROOT) {
                let visit = sorter.visit(other);
                sorter.shapes.visits.push(visit);
            }
        }
        sorter.shapes
    }

    /// What is attached to a list of an instance, in order.
    pub fn attached(
        &self,
        network: &Network<'_, 'd>,
        host: InstanceId,
        list: &'d str,
    ) -> impl Iterator<Item = Attached> {
        let others = self.absent.get(&(host, list));
        let mut others = others.into_iter().flatten().peekable();
        let here = network.list(host, list).unwrap_or_default();
        let mut here = here.iter().enumerate().peekable();
        std::iter::from_fn(move || {
            loop {
                let place = here.peek().map(|(place, _)| *place);
                let is_next = |after: u32| place.is_none_or(|place| after as usize <= place);
                if let Some((_, other)) = others.next_if(|(after, _)| is_next(*after)) {
                    return Some(*other);
                }
                let (_, element) = here.next()?;
                if network.instance(*element).attached {
                    let location = self.location(*element);
                    return Some(Attached {
                        shape: location.shape,
                        first: location.member,
                        count: 1,
                        is_here: true,
                    });
                }
            }
        })
    }

    /// Where an instance is kept.
    ///
    /// # Panics
    /// The instance is of another network.
    pub fn location(&self, id: InstanceId) -> Location {
        let (place, member) = self.locations[id];
        match self.places.get(place as usize) {
            Some(&(shape, node)) => Location {
                shape,
                member,
                node,
            },
            None => lems_index::bug(&format!("instance {} has no shape", id.0)),
        }
    }
}

/// Words that decide what paths lead to, so that they are part of a shape.
struct Structural<'d> {
    ids: FxHashSet<&'d str>,
    attributes: FxHashSet<&'d str>,
}

impl<'d> Structural<'d> {
    /// The words that selections and kinetic schemes of a model look instances up by.
    fn of(model: &Model<'d>) -> Self {
        let mut words = Structural {
            ids: FxHashSet::default(),
            attributes: FxHashSet::default(),
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
    cable: bool,
    words: Vec<(&'d str, &'d str)>,
    /// Slot or list, id where paths use it, signature.
    children: Vec<(&'d str, &'d str, SignatureId)>,
}

/// An instance with all in it.
#[derive(Debug, Clone, Copy)]
struct Signed {
    signature: SignatureId,
    /// Number of instances.
    size: u32,
}

struct Sorter<'n, 'm, 'd> {
    network: &'n Network<'m, 'd>,
    structural: Structural<'d>,
    signatures: FxHashMap<Signature<'d>, SignatureId>,
    /// Signatures of instances with nothing in them, by what they are made from.
    leaves: Vec<Option<SignatureId>>,
    /// Containers.
    populous: FxHashSet<InstanceId>,
    /// Whether what is being signed is in an instance that is a member as a whole.
    whole: bool,
    /// By instance: the signature and the number of instances of what has been signed and contains others.
    signed: Vec<Option<Signed>>,
    /// The shapes of those signatures that have members.
    shape_of: IdVec<SignatureId, Option<ShapeId>>,
    shapes: Shapes<'d>,
}

impl<'d> Sorter<'_, '_, 'd> {
    /// Children that belong to the tree itself, in order: name of slot or list, instance.
    fn inner(&self, id: InstanceId) -> Vec<(&'d str, InstanceId)> {
        let instance = self.network.instance(id);
        let mut inner = instance.singles.to_vec();
        for (list, elements) in instance.lists {
            let own = self.own(id, list, elements);
            inner.extend(own.map(|element| (*list, element)));
        }
        inner
    }

    /// The elements of a list that were not attached.
    fn own<'e>(
        &self,
        id: InstanceId,
        list: &str,
        elements: &'e [InstanceId],
    ) -> impl Iterator<Item = InstanceId> + use<'e, '_, 'd> {
        let network = self.network;
        // Most instances are attached, in lists in which there is nothing else.
        let kind = network.type_of(id);
        let is_for_attached = kind.attachments.contains_key(list)
            && !kind.lists.contains_key(list)
            && network.model.type_named(list).is_none();
        let elements = if is_for_attached { &[] } else { elements };
        let elements = elements.iter().copied();
        elements.filter(|element| !network.instance(*element).attached)
    }

    /// The number of what an instance is made from, if its signature depends on that alone.
    fn leaf(&self, id: InstanceId) -> Option<usize> {
        let origin = self.network.instances.origin_of_leaf(id)?;
        let is_like_others =
            self.network.peers.is_empty() && !self.network.additions.contains_key(&id);
        is_like_others.then_some(origin as usize)
    }

    /// Signs an instance and all below it, without what is attached: that is a member of shapes of its own.
    fn sign(&mut self, id: InstanceId) -> Signed {
        // An instance that is like another one has its signature.
        let leaf = self.leaf(id);
        let known = match leaf {
            Some(leaf) => self.leaves[leaf].map(|signature| Signed { signature, size: 1 }),
            None => self.signed.get(id.0 as usize).copied().flatten(),
        };
        if let Some(known) = known {
            return known;
        }
        let network = self.network;
        let instance = network.instance(id);
        let inner = self.inner(id);
        // Compartments and attached instances are members as a whole, and so is what computes all in it at once:
        // nothing in them is a container.
        let cable = network.cables.is_node(id);
        let dynamics = network.type_of(id).dynamics.as_deref();
        let computes_all =
            dynamics.is_some_and(|dynamics| dynamics.simultaneous || !dynamics.schemes.is_empty());
        let around = self.whole;
        self.whole |= instance.attached || cable || computes_all;
        // The children, unless the instance is a container.
        let mut size = 1;
        let mut populous = false;
        let mut children = Vec::with_capacity(inner.len());
        for &(list, child) in &inner {
            let signed = self.sign(child);
            size += signed.size;
            populous |=
                self.populous.contains(&child) || list.is_empty() || network.cables.is_node(child);
            let is_state = dynamics
                .is_some_and(|dynamics| dynamics.schemes.iter().any(|scheme| scheme.nodes == list));
            let id = network
                .component_id(child)
                .filter(|id| is_state || self.structural.ids.contains(id));
            children.push((list, id.unwrap_or(""), signed.signature));
        }
        let bare = network.type_of(id).dynamics.is_none();
        populous |= size as usize > LARGEST_SHAPE || bare && has_population(&children);
        populous &= !self.whole;
        self.whole = around;
        if populous {
            children.clear();
        }
        for other in network.cables.beside(id) {
            self.sign(other);
        }
        // What paths look the instance up by.
        let peers = network.peers.get(&id).into_iter().flatten();
        let mut words: Vec<(&'d str, &'d str)> = peers.map(|(name, _)| ("", *name)).collect();
        if let Some(component) = instance.component {
            #[expect(clippy::iter_over_hash_type, reason = "the words are sorted")]
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
            cable,
            words,
            children,
        };
        // Equal signatures have one number.
        let entry = self.signatures.entry(signature);
        let signature = *entry.or_insert_with(|| self.shape_of.push(None));
        let signed = Signed { signature, size };
        match leaf {
            Some(leaf) => self.leaves[leaf] = Some(signature),
            // It is in no other instance, so that nobody asks again.
            None if instance.attached => {}
            None => {
                let place = id.0 as usize;
                if self.signed.len() <= place {
                    self.signed.resize(place + 1, None);
                }
                self.signed[place] = Some(signed);
            }
        }
        if populous {
            self.populous.insert(id);
        }
        signed
    }

    /// Makes an instance and all in it members of shapes, in the order of a step.
    fn visit(&mut self, id: InstanceId) -> Visit {
        if !self.populous.contains(&id) {
            let (shape, member) = self.enrol(id);
            return Visit::Member { shape, member };
        }
        // The other compartments of a cell come after the one that stands for it.
        let mut children = Vec::new();
        for (_, child) in self.inner(id) {
            children.push(self.visit(child));
            for other in self.network.cables.beside(child) {
                children.push(self.visit(other));
            }
        }
        let (shape, member) = self.enrol(id);
        Visit::Container {
            shape,
            member,
            children,
        }
    }

    /// Makes an instance a member of its shape, and those attached to it members of theirs.
    fn enrol(&mut self, id: InstanceId) -> (ShapeId, MemberId) {
        let shape = self.shape_like(id);
        let members = self.shapes.shapes[shape].members;
        let member = MemberId::at(members);
        let shape_of_all = &mut self.shapes.shapes[shape];
        let present = narrow(shape_of_all.instances.len() / shape_of_all.nodes.len());
        let follows = shape_of_all.runs.last();
        if follows.is_none_or(|(first, before)| member.get() - first != present - before) {
            shape_of_all.runs.push((member.get(), present));
        }
        shape_of_all.members += 1;
        let mut node = NodeId::ROOT;
        self.enrol_node(id, shape, member, &mut node);
        (shape, member)
    }

    /// The shape that an instance is of.
    fn shape_like(&mut self, id: InstanceId) -> ShapeId {
        let signature = self.sign(id).signature;
        match self.shape_of[signature] {
            Some(shape) => shape,
            None => {
                let mut nodes = IdVec::new();
                self.nodes(id, None, &mut nodes);
                let shape = self.shapes.shapes.next_id();
                let first_place = narrow(self.shapes.places.len());
                let places = nodes.ids().map(|node| (shape, node));
                self.shapes.places.extend(places);
                self.shapes.shapes.push(Shape {
                    nodes,
                    first_place,
                    members: 0,
                    instances: Vec::new(),
                    runs: Vec::new(),
                    attached: self.network.instance(id).attached,
                    cable: self.network.cables.is_node(id),
                });
                self.shape_of[signature] = Some(shape);
                shape
            }
        }
    }

    /// Makes the instances attached to a list members of their shapes. Instances that are left out get numbers, too.
    fn enrol_attached(&mut self, host: InstanceId, list: &'d str) {
        let network = self.network;
        let attached = network.list(host, list).unwrap_or_default();
        let distribution = network.distribution.as_ref();
        let absent = distribution.map_or(&[][..], |own| own.absent(host, list));
        let mut absent = absent.iter().peekable();
        // The elements of a list are all over memory. A processor loads many at once if nothing else is done meanwhile.
        let are_attached: Vec<bool> = (attached.iter())
            .map(|element| network.instance(*element).attached)
            .collect();
        for (place, (element, is_attached)) in attached.iter().zip(are_attached).enumerate() {
            while let Some(next) = absent.next_if(|next| next.after as usize <= place) {
                self.skip((host, list), *next);
            }
            if is_attached {
                self.enrol(*element);
            }
        }
        for next in absent {
            self.skip((host, list), *next);
        }
    }

    fn skip(&mut self, place: (InstanceId, &'d str), absent: Absent) {
        let shape = self.shape_like(absent.like);
        let members = &mut self.shapes.shapes[shape].members;
        let attached = Attached {
            shape,
            first: MemberId::at(*members),
            count: absent.count,
            is_here: false,
        };
        *members += absent.count as usize;
        let others = self.shapes.absent.entry(place).or_default();
        others.push((absent.after, attached));
    }

    /// What a node contains: its list or slot, and the child; None for what is attached to the list.
    fn parts(&self, id: InstanceId) -> Vec<(&'d str, Option<InstanceId>)> {
        let instance = self.network.instance(id);
        let kind = self.network.type_of(id);
        if self.populous.contains(&id) {
            return kind.attachments.keys().map(|list| (*list, None)).collect();
        }
        let mut parts: Vec<_> = instance
            .singles
            .iter()
            .map(|(n, id)| (*n, Some(*id)))
            .collect();
        for (list, elements) in instance.lists {
            let own = self.own(id, list, elements);
            parts.extend(own.map(|element| (*list, Some(element))));
            if kind.attachments.contains_key(list) {
                parts.push((list, None));
            }
        }
        parts
    }

    /// Adds the nodes of an instance and of all in it.
    fn nodes(
        &self,
        id: InstanceId,
        parent: Option<NodeId>,
        nodes: &mut IdVec<NodeId, Node<'d>>,
    ) -> NodeId {
        let instance = self.network.instance(id);
        let index = nodes.push(Node {
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

    /// Makes an instance, and everything in it, nodes of a member, numbered from `next`.
    fn enrol_node(&mut self, id: InstanceId, shape: ShapeId, member: MemberId, next: &mut NodeId) {
        let component = self.network.instance(id).component;
        let shape_of_all = &mut self.shapes.shapes[shape];
        shape_of_all.instances.push(id);
        self.shapes.locations[id] = (shape_of_all.first_place + next.get(), member);
        let common = &mut shape_of_all.nodes[*next].component;
        *common = common.filter(|common| component == Some(*common));
        next.0 += 1;
        let instance = self.network.instance(id);
        if instance.singles.is_empty() && instance.lists.is_empty() {
            return;
        }
        for (list, child) in self.parts(id) {
            match child {
                Some(child) => self.enrol_node(child, shape, member, next),
                None => self.enrol_attached(id, list),
            }
        }
    }
}

/// Whether there is a long run of equal elements of one list.
fn has_population(children: &[(&str, &str, SignatureId)]) -> bool {
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
