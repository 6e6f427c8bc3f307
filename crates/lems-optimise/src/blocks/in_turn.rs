//! What makes instances that could be computed together wait for one another.

use std::collections::BTreeSet;

use lems_ir::{Operation, Place, Statement};

/// What instances of a kernel store and others read: only code that touches it has an order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InTurn {
    /// First slots of the columns that are stored.
    columns: BTreeSet<u32>,
    /// Where they are read: single slots, and first entries of tables in the links.
    slots: BTreeSet<u32>,
    tables: BTreeSet<u32>,
}

impl InTurn {
    /// Whether instances read nothing of one another.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether a statement itself stores or reads some of it.
    pub(super) fn contains(&self, statement: &Statement) -> bool {
        match statement {
            Statement::Let(_, Operation::Load(Place::Slot(slot))) => self.slots.contains(slot),
            Statement::Let(_, Operation::Load(Place::Linked { table, .. })) => {
                self.tables.contains(table)
            }
            Statement::Store(Place::Column { base, .. }, _) => self.columns.contains(base),
            _ => false,
        }
    }

    /// Adds a column and where some of it is read.
    pub(super) fn add(&mut self, column: u32, read: Place) {
        self.columns.insert(column);
        match read {
            Place::Slot(slot) => self.slots.insert(slot),
            Place::Linked { table, .. } => self.tables.insert(table),
            Place::Column { base, .. } => self.columns.insert(base),
        };
    }
}
