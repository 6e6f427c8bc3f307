//! Where the values of other instances are, seen from a kernel.

use lems_index::narrow;
use std::rc::Rc;

use lems_network::{InstanceId, Meaning, NetworkError, Readable, Variable};

use super::{
    Address, Frame, Lowering,
    code::Code,
    columns::{Content, Flavour},
};
use lems_ir::{Level, Place, Register};

/// A value of another instance, for all members that a piece of code runs for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Source {
    /// The same number for all.
    Constant(f64),
    /// A variable of the instances that some loop is at.
    Here { column: u32, level: u8 },
    /// A variable of one instance.
    There(Address),
    /// A variable of an instance that differs between the members.
    Each(Vec<Option<Address>>),
    /// A number that differs between the members.
    Numbers(Vec<f64>),
}

/// The same for one member.
#[derive(Debug, Clone, Copy, PartialEq)]
enum One {
    Number(f64),
    Here { column: u32, level: u8 },
    There(Address),
}

/// Where the members of a frame have a value, one after the other.
#[derive(Default)]
struct Places {
    /// Where the first has it.
    common: Option<One>,
    /// Where each has it, once they differ.
    each: Vec<One>,
    added: usize,
}

impl Places {
    fn add(&mut self, one: One) {
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
    pub(super) fn source_of(
        &mut self,
        frame: &Frame,
        node: usize,
        find: &mut dyn FnMut(&Self, InstanceId) -> Result<Readable<'d>, NetworkError>,
    ) -> Result<Source, NetworkError> {
        let mut places = Places::default();
        for &member in frame.members.iter() {
            let instance = self.shape(frame.shape).instance(member as usize, node);
            let readable = find(self, instance)?;
            places.add(self.one(frame, member, readable));
        }
        Ok(self.source_at(frame, places))
    }

    /// The same for values that are known already, in the order of the members.
    pub(super) fn source_of_values<'v>(
        &mut self,
        frame: &Frame,
        values: impl Iterator<Item = &'v Readable<'d>>,
    ) -> Source
    where
        'd: 'v,
    {
        let mut places = Places::default();
        for (&member, readable) in frame.members.iter().zip(values) {
            places.add(self.one(frame, member, *readable));
        }
        self.source_at(frame, places)
    }

    fn source_at(&mut self, frame: &Frame, places: Places) -> Source {
        match places.common {
            None => Source::Constant(0.0),
            Some(_) if !places.each.is_empty() => self.differing(frame, &places.each),
            Some(One::Number(value)) => Source::Constant(value),
            Some(One::Here { column, level }) => Source::Here { column, level },
            Some(One::There(address)) => Source::There(address),
        }
    }

    fn one(&mut self, mut frame: &Frame, mut member: u32, readable: Readable<'d>) -> One {
        if let Variable::Fixed(value) = readable.variable {
            return One::Number(value);
        }
        let (column, its_member) = self.address(readable);
        let home = self.shapes.home(readable.instance);
        loop {
            if home.shape == frame.shape && its_member == member {
                return One::Here {
                    column,
                    level: frame.level,
                };
            }
            let Some((outer, _)) = frame.host.as_deref() else {
                return One::There((column, its_member));
            };
            let root = self.shape(frame.shape).instance(member as usize, 0);
            let Some(parent) = self.network.instance(root).parent else {
                return One::There((column, its_member));
            };
            member = self.shapes.home(parent).member;
            frame = outer;
        }
    }

    /// The place of what `name` means at a node or around it, if the types alone tell that for
    /// all members, so that none of them has to be asked.
    pub(super) fn common_source(
        &mut self,
        start: Option<(&Frame, usize)>,
        name: &str,
    ) -> Option<Source> {
        let mut place = start;
        while let Some((frame, node)) = place {
            let kind = self.shape(frame.shape).nodes[node].kind;
            let variable = match self.network.meaning(kind, name) {
                Meaning::Variable(variable) => variable,
                Meaning::Value => return None,
                Meaning::Nothing => {
                    place = self.around(frame, node);
                    if place.is_none() {
                        return self.outer_source(frame, name);
                    }
                    continue;
                }
            };
            let column = self.column_of(frame.shape, node, variable);
            let level = frame.level;
            return (!frame.members.is_empty()).then_some(Source::Here { column, level });
        }
        None
    }

    /// The node around a node of all members.
    pub(super) fn around<'f>(&self, frame: &'f Frame, node: usize) -> Option<(&'f Frame, usize)> {
        match self.shape(frame.shape).nodes[node].parent {
            Some(parent) => Some((frame, parent)),
            None => frame.host.as_deref().map(|(host, node)| (host, *node)),
        }
    }

    /// The place of what `name` means at the instance around all members, if it is one.
    fn outer_source(&mut self, frame: &Frame, name: &str) -> Option<Source> {
        let around = |member: &u32| {
            let root = self.shape(frame.shape).instance(*member as usize, 0);
            self.network.instance(root).parent
        };
        let mut all = frame.members.iter().map(around);
        let first = all.next()??;
        if !all.all(|other| other == Some(first)) {
            return None;
        }
        let readable = self.network.read(first, name)?;
        Some(match readable.variable {
            Variable::Fixed(value) => Source::Constant(value),
            _ => Source::There(self.address(readable)),
        })
    }

    fn differing(&mut self, frame: &Frame, each: &[One]) -> Source {
        let members = self.shape(frame.shape).members;
        if each.iter().all(|one| matches!(one, One::Number(_))) {
            let mut numbers = vec![0.0; members];
            for (member, one) in frame.members.iter().zip(each) {
                if let One::Number(value) = one {
                    numbers[*member as usize] = *value;
                }
            }
            return Source::Numbers(numbers);
        }
        let mut addresses = vec![None; members];
        for (member, one) in frame.members.iter().zip(each) {
            addresses[*member as usize] = Some(match *one {
                One::There(address) => address,
                One::Here { column, level } => (column, self.member_at(frame, *member, level)),
                One::Number(value) => {
                    let flavour = self.columns.next_value();
                    let column = self.columns.get(frame.shape, 0, flavour, 1);
                    self.columns.set(column, Content::Uniform(value));
                    (column, 0)
                }
            });
        }
        Source::Each(addresses)
    }

    /// The member that the loop of `level` is at when the innermost one is at `member`.
    fn member_at(&self, frame: &Frame, member: u32, level: u8) -> u32 {
        let (mut frame, mut member) = (frame.clone(), member);
        while frame.level > level {
            let root = self.shape(frame.shape).instance(member as usize, 0);
            let parent = self.network.instance(root).parent;
            let (Some(parent), Some(host)) = (parent, frame.host.clone()) else {
                break;
            };
            member = self.shapes.home(parent).member;
            frame = host.0.clone();
        }
        member
    }

    /// A register with a value of another instance.
    pub(super) fn load_source(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        source: &Source,
    ) -> Register {
        match source {
            Source::Constant(value) => code.constant(*value),
            Source::Here { column, level } => code.load(Place::Column {
                base: *column,
                level: Level(*level),
            }),
            Source::There(address) => {
                let slot = self.slot_of(*address);
                code.load(Place::Slot(slot))
            }
            Source::Each(addresses) => {
                let table = self.address_table(addresses.clone());
                code.load(Place::Linked {
                    table,
                    level: Level(frame.level),
                })
            }
            Source::Numbers(numbers) => {
                let flavour = self.columns.next_value();
                let column = self.column(frame.shape, 0, flavour);
                self.columns.set(column, Content::Each(numbers.clone()));
                code.load(Place::Column {
                    base: column,
                    level: Level(frame.level),
                })
            }
        }
    }

    /// Number of an address in code, until memory is laid out.
    pub(super) fn slot_of(&mut self, address: Address) -> u32 {
        let (slot, _) = self.slots.insert_full(address);
        narrow(slot)
    }

    /// A table of addresses in the links; the slots are filled in at the end.
    pub(super) fn address_table(&mut self, addresses: Vec<Option<Address>>) -> u32 {
        let first = self.program.links.len();
        let end = first + addresses.len();
        if !self.fits("links between instances", end) {
            return 0;
        }
        self.program.links.resize(end, 0);
        let first = narrow(first);
        self.address_tables.push((first, addresses));
        first
    }

    /// A parameter of a node: a constant if all members have the same.
    pub(super) fn parameter(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        node: usize,
        name: &'d str,
    ) -> Register {
        let network = self.network;
        match self.shape(frame.shape).nodes[node].component {
            Some(component) => {
                let value = network.model.parameter(component, name);
                code.constant(value.unwrap_or(f64::NAN))
            }
            None => self.own_value(code, frame, node, name, &|instance| {
                network.parameter(instance, name)
            }),
        }
    }

    /// A property of a node: a constant if all members have the same.
    pub(super) fn property(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        node: usize,
        name: &'d str,
    ) -> Register {
        let network = self.network;
        if network.assigned.is_empty() {
            let first = self.shape(frame.shape).instance(0, node);
            return code.constant(network.property(first, name).unwrap_or(f64::NAN));
        }
        self.own_value(code, frame, node, name, &|instance| {
            network.property(instance, name)
        })
    }

    fn own_value(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        node: usize,
        name: &'d str,
        value: &dyn Fn(InstanceId) -> Option<f64>,
    ) -> Register {
        let shape = self.shape(frame.shape);
        let value = |member| value(shape.instance(member, node)).unwrap_or(f64::NAN);
        let first = value(0);
        let differs = |member: &usize| value(*member).to_bits() != first.to_bits();
        let Some(different) = (1..shape.members).find(differs) else {
            return code.constant(first);
        };
        let mut values = vec![first; different];
        values.extend((different..shape.members).map(value));
        let column = self.column(frame.shape, node, Flavour::Parameter(name));
        self.columns.set(column, Content::Each(values));
        code.load(Place::Column {
            base: column,
            level: Level(frame.level),
        })
    }

    /// The frame of the instances attached to a node.
    pub(super) fn arm_frame(&self, host: &Frame, node: usize, arm: &(u32, Rc<Vec<u32>>)) -> Frame {
        Frame {
            shape: arm.0,
            level: host.level + 1,
            members: arm.1.clone(),
            host: Some(Rc::new((host.clone(), node))),
        }
    }
}

fn same(first: One, other: One) -> bool {
    match (first, other) {
        (One::Number(a), One::Number(b)) => a.to_bits() == b.to_bits(),
        _ => first == other,
    }
}
