//! Commit: the events of instances that were computed together are delivered as if one instance had come
//! after another.
//!
//! The step of a block is speculation: it assumes that no instance gets an event from an instance before
//! it. If one does, the event should have come before its step. So the instance is rolled back to its state
//! before the step, gets the event, and its step is replayed when its turn comes. All other steps were
//! right the first time, and instances that have not made their step yet just get the event.
//!
//! Two cases differ. If another thread may be computing the receiver, the event is deferred until the unit
//! of the receiver is committed. If instances read one another, all later instances roll back together.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use lems_ir::{Backend, Call, State, emit};
use lems_optimise::Stored;

use crate::codegen::abi::Emission;
use crate::machine::{CompiledBlock, Machine};
use crate::run::undo::UndoLog;

#[cfg(test)]
thread_local! {
    /// Instances that were rolled back so far.
    pub(crate) static ROLLED_BACK: Cell<u64> = const { Cell::new(0) };
}

/// An event that waits until the unit of its receiver is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deferred {
    /// The instance that the receiver is part of.
    owner: u32,
    handler: u32,
    instance: u32,
}

/// The commit of some instances that made their step together.
pub(crate) struct Commit<'s, 'p> {
    machine: &'s Machine<'p>,
    block: &'s CompiledBlock,
    /// The instances that made their step together.
    call: Call,
    /// What they held before it.
    undo: &'s UndoLog,
    /// Instances after them that other threads may be computing: their events are deferred.
    ahead: Range<u32>,
    deferred: RefCell<&'s mut Vec<Deferred>>,
    /// The instance whose turn it is.
    turn: Cell<u32>,
    /// Instances that were rolled back and must be replayed, in descending order.
    replay: RefCell<Vec<u32>>,
}

impl<'s, 'p> Commit<'s, 'p> {
    /// For the instances of `call`, whose old content is in `undo`. Events for instances `ahead` are added to
    /// `deferred`.
    pub(crate) fn new(
        machine: &'s Machine<'p>,
        block: &'s CompiledBlock,
        call: Call,
        undo: &'s UndoLog,
        ahead: Range<u32>,
        deferred: &'s mut Vec<Deferred>,
    ) -> Self {
        Commit {
            machine,
            block,
            call,
            undo,
            ahead,
            deferred: RefCell::new(deferred),
            turn: Cell::new(call.first),
            replay: RefCell::default(),
        }
    }

    /// Delivers the events that were deferred for these instances.
    pub(crate) fn deliver_deferred(&self, state: &mut State) {
        let mut due = Vec::new();
        self.deferred.borrow_mut().retain(|event| {
            let is_due = (self.call.first..self.call.last).contains(&event.owner);
            if is_due {
                due.push(*event);
            }
            !is_due
        });
        for event in due {
            self.roll_back(state, event.owner);
            (self.machine).handle(self, state, event.handler, &[event.instance]);
        }
    }

    /// Delivers the events in the order of the instances, and replays those that are rolled back.
    pub(crate) fn run<'l>(
        &self,
        state: &mut State,
        log: impl Iterator<Item = &'l Emission>,
        time: f64,
        step: f64,
    ) {
        let mut log = log.peekable();
        loop {
            let replay = self.replay.borrow().last().copied();
            let next = log.peek().map(|emission| emission.instance);
            match (replay, next) {
                // A replayed step sends its events itself: those of the first attempt are dropped.
                (Some(replay), next) if next.is_none_or(|next| replay <= next) => {
                    self.replay.borrow_mut().pop();
                    while log
                        .next_if(|emission| emission.instance == replay)
                        .is_some()
                    {}
                    self.turn.set(replay);
                    let call = Call {
                        kernel: self.call.kernel,
                        first: replay,
                        last: replay + 1,
                    };
                    self.machine.advance(self, state, call, time, step);
                }
                _ => {
                    let Some(emission) = log.next() else { return };
                    self.turn.set(emission.instance);
                    emit(self.machine.program(), self, state, emission.source);
                }
            }
        }
    }

    /// Returns an instance to its state before the call, unless that is done already.
    fn roll_back(&self, state: &mut State, owner: u32) {
        let mut replay = self.replay.borrow_mut();
        if let Err(place) = replay.binary_search_by(|other| owner.cmp(other)) {
            replay.insert(place, owner);
            #[cfg(test)]
            ROLLED_BACK.set(ROLLED_BACK.get() + 1);
            let columns = &self.block.plan.independence.stored;
            let links = &self.machine.program().links;
            let restored = (self.undo).restore(columns, links, owner, |slot, value| {
                self.machine.store(state, slot, value);
            });
            debug_assert_eq!(restored, size(columns, links, owner), "of {owner}");
        }
    }

    /// Makes what an event reaches ready for it; returns whether the event is deferred instead.
    fn prepare(&self, state: &mut State, owner: u32, handler: u32, instance: u32) -> bool {
        let is_ahead = self.ahead.contains(&owner);
        if is_ahead {
            self.deferred.borrow_mut().push(Deferred {
                owner,
                handler,
                instance,
            });
        } else if self.turn.get() < owner && owner < self.call.last {
            if self.block.plan.independence.ordered.is_empty() {
                self.roll_back(state, owner);
            } else {
                let later = self.turn.get() + 1..self.call.last;
                later.rev().for_each(|later| self.roll_back(state, later));
            }
        }
        is_ahead
    }
}

/// Number of slots that belong to an instance.
fn size(columns: &[Stored], links: &[u32], instance: u32) -> usize {
    let mut size = 0;
    for column in columns {
        column.ranges(links, instance..instance + 1, |slots| size += slots.len());
    }
    size
}

impl Backend for Commit<'_, '_> {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        self.machine.advance(self, state, call, time, step);
    }

    /// Runs a handler. Before that it rolls back those instances of the call that the event should have reached
    /// before their step.
    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        let owners = self.block.plan.independence.owners.get(handler as usize);
        match owners.filter(|owners| !owners.is_empty()) {
            Some(owners) if self.block.sources.contain(self.turn.get()) => {
                // The list is only copied if some of its events are deferred.
                let mut not_deferred: Option<Vec<u32>> = None;
                for (place, instance) in instances.iter().enumerate() {
                    let deferred = (owners.get(*instance as usize).copied())
                        .is_some_and(|owner| self.prepare(state, owner, handler, *instance));
                    match &mut not_deferred {
                        None if deferred => not_deferred = Some(instances[..place].to_vec()),
                        Some(others) if !deferred => others.push(*instance),
                        _ => {}
                    }
                }
                let instances = not_deferred.as_deref().unwrap_or(instances);
                self.machine.handle(self, state, handler, instances);
            }
            _ => self.machine.handle(self, state, handler, instances),
        }
    }
}
