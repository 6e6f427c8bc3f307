//! Where the values of other instances are, seen from a kernel.

use lems_index::{Id, narrow};
use std::rc::Rc;

use lems_network::{
    InstanceId, Meaning, MemberId, NetworkError, NodeId, Readable, ShapeId, Variable,
};

use super::{
    AddressTable, LoopNest, Lowering,
    attachments::Variant,
    code::Code,
    columns::{Address, ColumnId, ColumnKind, Content},
};
use lems_ir::{Level, Place, Register};

/// A value of another instance, for all members that a piece of code runs for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Read {
    /// The same number for all.
    Constant(f64),
    /// A variable of the instances that some loop is at.
    Here { column: ColumnId, level: u8 },
    /// A variable of one instance.
    There(Address),
    /// A variable of an instance that differs between the members.
    Each(Vec<Option<Address>>),
    /// A number that differs between the members.
    Numbers(Vec<f64>),
}

/// The same for one member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum MemberRead {
    Number(f64),
    Here { column: ColumnId, level: u8 },
    There(Address),
}

/// Where the members of a nest have a value, one after the other.
#[derive(Default)]
struct Places {
    /// Where the first has it.
    common: Option<MemberRead>,
    /// Where each has it, once they differ.
    each: Vec<MemberRead>,
    added: usize,
    /// Whether it must not become a constant.
    free: bool,
}

impl Places {
    fn add(&mut self, one: MemberRead) {
        let first = *self.common.get_or_insert(one);
        if !self.each.is_empty() || !same(first, one) {
            self.each.resize(self.added, first);
            self.each.push(one);
        }
        self.added += 1;
    }
}

impl<'d> Lowering<'_, '_, 'd> {
    /// The place of a value that `find` gives for the instance of each member.
    pub(super) fn find_read(
        &mut self,
        nest: &LoopNest,
        node: NodeId,
        find: &mut dyn FnMut(&Self, InstanceId) -> Result<Readable<'d>, NetworkError>,
    ) -> Result<Read, NetworkError> {
        let mut places = Places::default();
        for member in nest.members.iter() {
            let instance = self.shape(nest.shape).instance(member, node);
            let readable = find(self, instance)?;
            places.free |= self.network.is_free_at(readable.instance);
            places.add(self.one(nest, member, readable));
        }
        Ok(self.read_at(nest, places))
    }

    /// The same for values that are known already, in the order of the members.
    pub(super) fn read_of_values<'v>(
        &mut self,
        nest: &LoopNest,
        values: impl Iterator<Item = &'v Readable<'d>>,
    ) -> Read
    where
        'd: 'v,
    {
        let mut places = Places::default();
        for (member, readable) in nest.members.iter().zip(values) {
            places.free |= self.network.is_free_at(readable.instance);
            places.add(self.one(nest, member, *readable));
        }
        self.read_at(nest, places)
    }

    fn read_at(&mut self, nest: &LoopNest, places: Places) -> Read {
        match places.common {
            None => Read::Constant(0.0),
            Some(_) if !places.each.is_empty() => self.differing(nest, &places.each),
            Some(number @ MemberRead::Number(_)) if places.free => {
                self.differing(nest, &vec![number; places.added])
            }
            Some(MemberRead::Number(value)) => Read::Constant(value),
            Some(MemberRead::Here { column, level }) => Read::Here { column, level },
            Some(MemberRead::There(address)) => Read::There(address),
        }
    }

    /// Where a member of a nest has a value: in the instances that the loops are at, if it is there.
    fn one(
        &mut self,
        mut nest: &LoopNest,
        mut member: MemberId,
        readable: Readable<'d>,
    ) -> MemberRead {
        self.look_at(nest, member, readable.instance);
        if let Variable::Fixed(value) = readable.variable {
            return MemberRead::Number(value);
        }
        let address = self.address(readable);
        let location = self.shapes.location(readable.instance);
        loop {
            if location.shape == nest.shape && address.member == member {
                return MemberRead::Here {
                    column: address.column,
                    level: nest.level,
                };
            }
            let Some((outer, _)) = nest.host.as_deref() else {
                return MemberRead::There(address);
            };
            let root = self.shape(nest.shape).instance(member, NodeId::ROOT);
            let Some(parent) = self.network.instance(root).parent else {
                return MemberRead::There(address);
            };
            member = self.shapes.location(parent).member;
            nest = outer;
        }
    }

    /// The place of what `name` means at a node or around it, if it is found without asking each member what is around
    /// it: the types alone determine it, or it is a number that all instances of an outer node share.
    pub(super) fn common_read(
        &mut self,
        start: Option<(&LoopNest, NodeId)>,
        name: &str,
    ) -> Option<Read> {
        let mut place = start;
        while let Some((nest, node)) = place {
            let kind = self.shape(nest.shape).nodes[node].kind;
            let variable = match self.network.meaning(kind, name) {
                Meaning::Variable(variable) => Some(variable),
                Meaning::Nothing => None,
                Meaning::Value => {
                    let shape = self.shape(nest.shape);
                    let members = nest.members.iter();
                    let found = members.take(self.asked(nest.shape, node, name));
                    let found = found.map(|member| {
                        let instance = shape.instance(member, node);
                        self.network.local(instance, name)
                    });
                    match self.common(found)? {
                        None => None,
                        Some(one) => return self.constant(one).map(Read::Constant),
                    }
                }
            };
            let Some(variable) = variable else {
                place = self.around(nest, node);
                if place.is_none() {
                    return self.outer_read(nest, name);
                }
                continue;
            };
            let column = self.column_of(nest.shape, node, variable);
            let level = nest.level;
            return nest
                .members
                .first()
                .is_some()
                .then_some(Read::Here { column, level });
        }
        None
    }

    /// How many members of a node have to be asked for a value that never changes: one, if it is that of their common
    /// component because none was set in an instance, else all.
    pub(super) fn asked(&self, shape: ShapeId, node: NodeId, name: &str) -> usize {
        let network = self.network;
        let component = self.shape(shape).nodes[node].component;
        let is_common = component.is_some_and(|component| !network.is_free(component))
            && !network.cables.changes_parameters()
            && network.assigned.of(name).is_none()
            && name != "index";
        if is_common { 1 } else { usize::MAX }
    }

    /// What is found in several places, if it is the same in all: nothing, a value of one instance, or a constant.
    fn common(
        &self,
        mut found: impl Iterator<Item = Option<Readable<'d>>>,
    ) -> Option<Option<Readable<'d>>> {
        let first = found.next()?;
        let bits = |readable: Option<Readable<'d>>| self.constant(readable?).map(f64::to_bits);
        let is_same =
            |other| other == first || bits(first).is_some_and(|own| bits(other) == Some(own));
        found.all(is_same).then_some(first)
    }

    /// The number that a value always is, unless it is a free parameter, which stays a value in memory.
    fn constant(&self, readable: Readable<'d>) -> Option<f64> {
        match readable.variable {
            Variable::Fixed(number) if !self.network.is_free_at(readable.instance) => Some(number),
            _ => None,
        }
    }

    /// The node around a node of all members.
    pub(super) fn around<'f>(
        &self,
        nest: &'f LoopNest,
        node: NodeId,
    ) -> Option<(&'f LoopNest, NodeId)> {
        match self.shape(nest.shape).nodes[node].parent {
            Some(parent) => Some((nest, parent)),
            None => nest.host.as_deref().map(|(host, node)| (host, *node)),
        }
    }

    /// The place of what `name` means around the members, if it is the same value or the same number for all. Members
    /// that follow one another in the same instance are asked once.
    fn outer_read(&mut self, nest: &LoopNest, name: &str) -> Option<Read> {
        let parent = |root: &InstanceId| self.network.instance(*root).parent;
        let mut last = None;
        let roots = (nest.members.iter())
            .map(|member| self.shape(nest.shape).instance(member, NodeId::ROOT))
            .filter(|root| last.replace(parent(root)) != Some(parent(root)));
        let found = roots.map(|root| self.network.requirement(root, name));
        let readable = self.common(found)??;
        Some(match (self.constant(readable), readable.variable) {
            (Some(value), _) => Read::Constant(value),
            (None, Variable::Fixed(value)) => Read::There(self.number(nest, value)),
            _ => Read::There(self.address(readable)),
        })
    }

    /// A value that is not in the same place for all members: a column of numbers if none can change,
    /// else a table of addresses.
    fn differing(&mut self, nest: &LoopNest, each: &[MemberRead]) -> Read {
        let members = self.shape(nest.shape).members;
        if each.iter().all(|one| matches!(one, MemberRead::Number(_))) {
            let mut numbers = vec![0.0; members];
            for (member, one) in nest.members.iter().zip(each) {
                if let MemberRead::Number(value) = one {
                    numbers[member.index()] = *value;
                }
            }
            return Read::Numbers(numbers);
        }
        let mut addresses = vec![None; members];
        for (member, one) in nest.members.iter().zip(each) {
            addresses[member.index()] = Some(match *one {
                MemberRead::There(address) => address,
                MemberRead::Here { column, level } => Address {
                    column,
                    member: self.member_at(nest, member, level),
                },
                MemberRead::Number(value) => self.number(nest, value),
            });
        }
        Read::Each(addresses)
    }

    /// The address of a number, in a column of its own.
    pub(super) fn number(&mut self, nest: &LoopNest, value: f64) -> Address {
        let kind = self.columns.next_value();
        let column = self.columns.get(nest.shape, NodeId::ROOT, kind, 1);
        self.columns.set(column, Content::Uniform(value));
        Address {
            column,
            member: MemberId::from_u32(0),
        }
    }

    /// The member that the loop of `level` is at when the innermost one is at `member`.
    fn member_at(&self, nest: &LoopNest, member: MemberId, level: u8) -> MemberId {
        let (mut nest, mut member) = (nest.clone(), member);
        while nest.level > level {
            let root = self.shape(nest.shape).instance(member, NodeId::ROOT);
            let parent = self.network.instance(root).parent;
            let (Some(parent), Some(host)) = (parent, nest.host.clone()) else {
                break;
            };
            member = self.shapes.location(parent).member;
            nest = host.0.clone();
        }
        member
    }

    /// A register with a value of another instance.
    pub(super) fn load_read(&mut self, code: &mut Code, nest: &LoopNest, read: &Read) -> Register {
        match read {
            Read::Constant(value) => code.constant(*value),
            Read::Here { column, level } => code.load(column.place(*level)),
            Read::There(address) => {
                let slot = self.slot_of(*address);
                code.load(Place::Slot(slot))
            }
            Read::Each(addresses) => {
                let are_own = self.own_members(nest.shape, NodeId::ROOT);
                let table = self.address_table(addresses.clone(), &are_own);
                code.load(Place::Linked {
                    table,
                    level: Level(nest.level),
                })
            }
            Read::Numbers(numbers) => {
                let kind = self.columns.next_value();
                let column = self.column(nest.shape, NodeId::ROOT, kind);
                self.columns.set(column, Content::Each(numbers.clone()));
                code.load(column.place(nest.level))
            }
        }
    }

    /// Number of an address in code, until memory is laid out.
    pub(super) fn slot_of(&mut self, address: Address) -> u32 {
        let (slot, _) = self.slots.insert_full(address);
        narrow(slot)
    }

    /// A table of addresses in the links; the slots are filled in at the end. `are_own` says which ones no other part
    /// of the program has.
    pub(super) fn address_table(
        &mut self,
        addresses: Vec<Option<Address>>,
        are_own: &[bool],
    ) -> u32 {
        let Some(first) = self.first_link(addresses.len()) else {
            return 0;
        };
        let end = self.program.links.len() + addresses.len();
        self.program.links.resize(end, 0);
        self.division.add_links(first, are_own);
        self.address_tables.push(AddressTable { first, addresses });
        first
    }

    /// A parameter of a node: a constant if all members have the same.
    pub(super) fn parameter(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        node: NodeId,
        name: &'d str,
    ) -> Register {
        let network = self.network;
        let component = self.shape(nest.shape).nodes[node].component;
        let is_shared = component.is_some_and(|component| {
            !network.cables.changes_parameters() && !network.is_free(component)
        });
        let value = |instance| network.parameter(instance, name);
        self.own_value(code, nest, node, name, is_shared, &value)
    }

    /// A property of a node: a constant if all members have the same.
    pub(super) fn property(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        node: NodeId,
        name: &'d str,
    ) -> Register {
        let kind = self.shape(nest.shape).nodes[node].kind;
        let property = self.network.model.type_of(kind).properties.get(name);
        let default = property.map(|property| property.default);
        let assigned = self.network.assigned.of(name);
        let value = |instance| assigned.and_then(|values| values.get(instance)).or(default);
        self.own_value(code, nest, node, name, assigned.is_none(), &value)
    }

    /// A value of the instances of a node: a constant if all members have the same and none is free,
    /// else a column. With `is_shared`, that is known to be so, and only the first instance is asked.
    pub(super) fn own_value(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        node: NodeId,
        name: &'d str,
        is_shared: bool,
        value: &dyn Fn(InstanceId) -> Option<f64>,
    ) -> Register {
        let shape = self.shape(nest.shape);
        let value = |member| declared(value(shape.instance(member, node)), name);
        let first = match shape.member_ids().next() {
            Some(member) => value(member),
            None => return code.constant(0.0),
        };
        if is_shared {
            return code.constant(first);
        }
        let differs = |member: &MemberId| {
            value(*member).to_bits() != first.to_bits()
                || self.network.is_free_at(shape.instance(*member, node))
        };
        if !shape.member_ids().any(|member| differs(&member)) {
            return code.constant(first);
        }
        // Other ranks have the values of members that are not there.
        let mut values = vec![0.0; shape.members];
        for member in shape.member_ids() {
            values[member.index()] = value(member);
        }
        let column = self.column(nest.shape, node, ColumnKind::Parameter(name));
        self.columns.set(column, Content::Each(values));
        code.load(column.place(nest.level))
    }

    /// The nest of the instances attached to a node.
    pub(super) fn variant_nest(
        &self,
        host: &LoopNest,
        node: NodeId,
        variant: &Variant,
    ) -> LoopNest {
        LoopNest {
            shape: variant.shape,
            level: host.level + 1,
            members: variant.members.clone(),
            phase: host.phase,
            halved: self.halves(host.phase),
            host: Some(Rc::new((host.clone(), node))),
        }
    }
}

/// The value of a parameter or property that the type declares: every instance of the type has one.
fn declared(value: Option<f64>, name: &str) -> f64 {
    match value {
        Some(value) => value,
        None => lems_index::bug(&format!("an instance without the declared value `{name}`")),
    }
}

fn same(first: MemberRead, other: MemberRead) -> bool {
    match (first, other) {
        (MemberRead::Number(a), MemberRead::Number(b)) => a.to_bits() == b.to_bits(),
        _ => first == other,
    }
}
