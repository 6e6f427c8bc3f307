//! Events of instances that were computed together, delivered as if one had come after the other.
//!
//! An instance that gets an event from one before it should have had it before its own step: it
//! goes back to where it was before the step, gets the event, and makes the step again when its
//! turn comes. All others were right the first time, and those that have not made their step yet
//! just get the event. Where others may be at an instance that comes later, the event waits until
//! its turn comes to be settled. Where instances read one another, all later ones go back together.

use std::cell::{Cell, RefCell};
use std::ops::Range;

use lems_ir::{Backend, Call, State, emit};
use lems_optimise::Stored;

use crate::CompiledProgram;
use crate::native::CompiledBlock;
use crate::saved::Saved;

#[cfg(test)]
thread_local! {
    /// Instances that went back so far.
    pub(crate) static WENT_BACK: Cell<u64> = const { Cell::new(0) };
}

/// An event that an instance of a kernel sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emission {
    pub(crate) instance: u32,
    pub(crate) source: u32,
}

/// An event that waits for its receiver's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deferred {
    /// The instance that the receiver is part of.
    owner: u32,
    handler: u32,
    instance: u32,
}

/// The events of instances that made their step together, on their way.
pub(crate) struct Settling<'s, 'p> {
    compiled: &'s CompiledProgram<'p>,
    block: &'s CompiledBlock,
    /// The instances that made their step together.
    call: Call,
    /// What they held before it.
    saved: &'s Saved,
    /// Instances after them that others may be computing: what is sent there is deferred.
    ahead: Range<u32>,
    deferred: RefCell<&'s mut Vec<Deferred>>,
    /// The instance whose turn it is.
    turn: Cell<u32>,
    /// Instances that went back, and must make their step again; the next one at the end.
    again: RefCell<Vec<u32>>,
}

impl<'s, 'p> Settling<'s, 'p> {
    pub(crate) fn new(
        compiled: &'s CompiledProgram<'p>,
        block: &'s CompiledBlock,
        call: Call,
        saved: &'s Saved,
        ahead: Range<u32>,
        deferred: &'s mut Vec<Deferred>,
    ) -> Self {
        Settling {
            compiled,
            block,
            call,
            saved,
            ahead,
            deferred: RefCell::new(deferred),
            turn: Cell::new(call.first),
            again: RefCell::default(),
        }
    }

    /// Delivers what waits for these instances.
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
            self.go_back(state, event.owner);
            (self.compiled).handle_with(self, state, event.handler, &[event.instance]);
        }
    }

    /// Delivers the events in the order of the instances.
    pub(crate) fn settle<'l>(
        &self,
        state: &mut State,
        log: impl Iterator<Item = &'l Emission>,
        time: f64,
        step: f64,
    ) {
        let mut log = log.peekable();
        loop {
            let again = self.again.borrow().last().copied();
            let next = log.peek().map(|emission| emission.instance);
            match (again, next) {
                (Some(again), next) if next.is_none_or(|next| again <= next) => {
                    self.again.borrow_mut().pop();
                    while log.next_if(|emission| emission.instance == again).is_some() {}
                    self.turn.set(again);
                    let call = Call {
                        kernel: self.call.kernel,
                        first: again,
                        last: again + 1,
                    };
                    self.compiled
                        .advance_in_order(self, state, call, time, step);
                }
                _ => {
                    let Some(emission) = log.next() else { return };
                    self.turn.set(emission.instance);
                    emit(self.compiled.program(), self, state, emission.source);
                }
            }
        }
    }

    /// Takes an instance back to where it was before the call, unless it is there.
    fn go_back(&self, state: &mut State, owner: u32) {
        let mut again = self.again.borrow_mut();
        if let Err(place) = again.binary_search_by(|other| owner.cmp(other)) {
            again.insert(place, owner);
            #[cfg(test)]
            WENT_BACK.set(WENT_BACK.get() + 1);
            let columns = &self.block.plan.independence.stored;
            let links = &self.compiled.program().links;
            let restored = (self.saved).restore(columns, links, owner, |slot, value| {
                self.compiled.store(state, slot, value);
            });
            debug_assert_eq!(restored, size(columns, links, owner), "of {owner}");
        }
    }

    /// Makes ready for an event what it reaches in the call; whether it is to be deferred.
    fn prepare(&self, state: &mut State, owner: u32, handler: u32, instance: u32) -> bool {
        let is_ahead = self.ahead.contains(&owner);
        if is_ahead {
            self.deferred.borrow_mut().push(Deferred {
                owner,
                handler,
                instance,
            });
        } else if self.turn.get() < owner && owner < self.call.last {
            match self.block.plan.independence.in_turn.is_empty() {
                true => self.go_back(state, owner),
                false => (self.turn.get() + 1..self.call.last)
                    .rev()
                    .for_each(|later| self.go_back(state, later)),
            }
        }
        is_ahead
    }
}

/// Number of slots of an instance.
fn size(columns: &[Stored], links: &[u32], instance: u32) -> usize {
    let mut size = 0;
    for column in columns {
        column.ranges(links, instance..instance + 1, |slots| size += slots.len());
    }
    size
}

impl Backend for Settling<'_, '_> {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        self.compiled
            .advance_in_order(self, state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        let owners = self.block.plan.independence.owners.get(handler as usize);
        match owners.filter(|owners| !owners.is_empty()) {
            Some(owners) if self.block.senders.contain(self.turn.get()) => {
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
                self.compiled.handle_with(self, state, handler, instances);
            }
            _ => self.compiled.handle_with(self, state, handler, instances),
        }
    }
}
