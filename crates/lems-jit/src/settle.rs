//! Events of instances that were computed together, delivered as if one had come after the other.
//!
//! An instance that gets an event from one before it should have had it before its own step: it
//! goes back to where it was before the step, gets the event, and makes the step again when its
//! turn comes. All others were right the first time, and those that have not made their step yet
//! just get the event.

use std::cell::{Cell, RefCell};

use lems_kernel::{Backend, Call, Program, State, Stored, emit};

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

/// The events of instances that made their step together, on their way.
pub(crate) struct Settling<'s, 'p> {
    compiled: &'s CompiledProgram<'p>,
    program: &'s Program,
    block: &'s CompiledBlock,
    /// The instances that made their step together.
    call: Call,
    /// What they held before it, in one or several pieces.
    saved: &'s [&'s Saved],
    /// The instance whose turn it is.
    turn: Cell<u32>,
    /// Instances that went back, and must make their step again; the next one at the end.
    again: RefCell<Vec<u32>>,
}

impl<'s, 'p> Settling<'s, 'p> {
    pub(crate) fn new(
        compiled: &'s CompiledProgram<'p>,
        program: &'s Program,
        block: &'s CompiledBlock,
        call: Call,
        saved: &'s [&'s Saved],
    ) -> Self {
        Settling {
            compiled,
            program,
            block,
            call,
            saved,
            turn: Cell::new(call.first),
            again: RefCell::default(),
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
                    emit(self.program, self, state, emission.source);
                }
            }
        }
    }

    /// Takes an instance back to where it was before the call, if its turn is still to come.
    fn go_back(&self, state: &mut State, owner: u32) {
        let to_come = self.turn.get() < owner && owner < self.call.last;
        if !to_come {
            return;
        }
        let mut again = self.again.borrow_mut();
        if let Err(place) = again.binary_search_by(|other| owner.cmp(other)) {
            again.insert(place, owner);
            #[cfg(test)]
            WENT_BACK.set(WENT_BACK.get() + 1);
            let exposed = &self.block.exposed;
            let columns = &self.block.plan.independence.stored;
            let links = &self.program.links;
            let restored = (self.saved.iter())
                .map(|saved| saved.restore(exposed, columns, links, owner, &mut state.memory));
            let restored: usize = restored.sum();
            debug_assert_eq!(restored, size(columns, links, owner), "of {owner}");
        }
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
        let owners = &self.block.plan.independence.owners;
        if self.block.exposed.can_come_from(self.turn.get())
            && let Some(owners) = owners.get(handler as usize)
        {
            for instance in instances {
                if let Some(owner) = owners.get(*instance as usize) {
                    self.go_back(state, *owner);
                }
            }
        }
        self.compiled.handle_with(self, state, handler, instances);
    }
}
