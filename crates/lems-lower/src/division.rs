//! Which part of the whole program the program of a distributed network is.

use std::ops::Range;

use lems_index::{Id, IdVec, narrow};
use lems_network::{InstanceId, MemberId, Network, NodeId, ShapeId};

use super::{LoopNest, Lowering, PortKey, columns::ColumnId};

/// Which part of the whole program a program is. Its tables have the numbers of the whole.
#[derive(Debug, Clone)]
pub struct Division {
    /// Whether the parts of all ranks together are the whole program.
    pub is_sound: bool,
    /// Rank of each instance that the schedule runs, in order; empty if there is only one rank.
    pub positions: Vec<u16>,
    /// Sources whose events reach instances of other ranks that this program does not have, and whether some reach
    /// them without a delay.
    pub crossings: Vec<(u32, bool)>,
    /// Slots of memory that no other part has.
    pub slots: Vec<Range<u32>>,
    /// Links that no other part has.
    pub links: Vec<Range<u32>>,
    /// For each handler: the instances that no other part has.
    pub receivers: Vec<Vec<Range<u32>>>,
    /// Whether this part has what belongs to the whole network.
    pub is_first: bool,
}

impl Division {
    pub(super) fn new() -> Division {
        Division {
            is_sound: true,
            positions: Vec::new(),
            crossings: Vec::new(),
            slots: Vec::new(),
            links: Vec::new(),
            receivers: Vec::new(),
            is_first: true,
        }
    }

    /// Adds links from `first` on that no other part has.
    pub(super) fn add_links(&mut self, first: u32, are_own: &[bool]) {
        add(&mut self.links, first, are_own);
    }
}

/// Adds the numbers from `first` on that are own, after smaller ones.
fn add(ranges: &mut Vec<Range<u32>>, first: u32, are_own: &[bool]) {
    for (number, is_own) in (first..).zip(are_own) {
        match ranges.last_mut() {
            _ if !is_own => {}
            Some(last) if last.end == number => last.end += 1,
            _ => ranges.push(number..number + 1),
        }
    }
}

impl<'d> Lowering<'_, '_, 'd> {
    /// Whether an instance belongs to this part.
    pub(super) fn is_own(&self, id: InstanceId) -> bool {
        let distribution = self.network.distribution.as_ref();
        distribution.is_none_or(|own| own.is_own(self.network.rank_of(id)))
    }

    /// Whether the members of a shape are left out where they belong to other ranks.
    pub(super) fn is_plain(&self, shape: ShapeId) -> bool {
        let shape = self.shape(shape);
        let first = self.network.instance(shape.first_instance(NodeId::ROOT));
        let distribution = self.network.distribution.as_ref();
        shape.attached && distribution.is_some_and(|own| own.is_plain(first.component))
    }

    /// Notes that the code of a member reads an instance. What ranks leave out must not be read from elsewhere.
    pub(super) fn look_at(&mut self, nest: &LoopNest, member: MemberId, read: InstanceId) {
        if self.network.distribution.is_none() {
            return;
        }
        let location = self.shapes.location(read);
        let is_itself = location.shape == nest.shape && location.member == member;
        self.division.is_sound &= is_itself || !self.is_plain(location.shape);
    }

    /// Notes which rank runs the next position of the schedule.
    pub(super) fn assign_position(&mut self, shape: ShapeId, member: MemberId) {
        if self.network.distribution.is_none() {
            return;
        }
        let rank = |node| {
            self.network
                .rank_of(self.shape(shape).instance(member, node))
        };
        let own = rank(NodeId::ROOT);
        let nodes = &self.shape(shape).nodes;
        self.division.is_sound &= nodes.ids().all(|node| rank(node) == own);
        self.division.positions.push(own);
    }

    /// Notes which instances of handlers no other part has.
    pub(super) fn divide_handlers(&mut self) {
        self.division.is_first = self.is_own(Network::ROOT);
        let mut receivers = vec![Vec::new(); self.program.handlers.len()];
        let handlers: Vec<_> = self.handler_of.iter().collect();
        for (key, handler) in handlers {
            let are_own = self.own_members(key.shape, key.node);
            add(&mut receivers[handler.index()], 0, &are_own);
        }
        self.division.receivers = receivers;
    }

    /// Notes whose events reach what other ranks have.
    pub(super) fn cross(&mut self) {
        let Some(distribution) = &self.network.distribution else {
            return;
        };
        // Ranks have different elements in such lists, so that a path can lead elsewhere.
        self.division.is_sound &= !distribution.leads_to_attached;
        let crossing = |(&(instance, port), at_once): (&(InstanceId, &'d str), &bool)| {
            let location = self.shapes.location(instance);
            let key = PortKey {
                shape: location.shape,
                node: location.node,
                port,
            };
            let source = self.sources.get(&key)?.of(location.member);
            Some((source, *at_once))
        };
        let mut crossings: Vec<_> = distribution.crossings.iter().filter_map(crossing).collect();
        crossings.sort_unstable_by_key(|(source, _)| *source);
        self.division.crossings = crossings;
    }

    /// Which members of a shape no other part has, as far as a node is concerned.
    pub(super) fn own_members(&self, shape: ShapeId, node: NodeId) -> Vec<bool> {
        let shape = self.shape(shape);
        if self.network.distribution.is_none() {
            return vec![true; shape.members];
        }
        let mut are_own = vec![false; shape.members];
        for member in shape.member_ids() {
            are_own[member.index()] = self.is_own(shape.instance(member, node));
        }
        are_own
    }

    /// Notes which slots no other part has.
    pub(super) fn divide_slots(&mut self, bases: &IdVec<ColumnId, Option<u32>>) {
        if self.network.distribution.is_none() {
            self.division
                .slots
                .push(0..narrow(self.program.memory.len()));
            return;
        }
        let mut slots = Vec::new();
        for (id, column) in self.columns.all.iter_enumerated() {
            let (Some(base), shape) = (bases[id], self.shape(column.shape)) else {
                continue;
            };
            if column.members != shape.members {
                // A number of the whole network.
                if self.is_own(Network::ROOT) {
                    add(&mut slots, base, &vec![true; column.members]);
                }
                continue;
            }
            add(
                &mut slots,
                base,
                &self.own_members(column.shape, column.node),
            );
        }
        self.division.slots = slots;
    }
}
