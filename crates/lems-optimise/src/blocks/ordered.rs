//! The code of a kernel that must keep the order of the instances, although the rest need not.

use std::collections::BTreeSet;

use lems_ir::{Place, Statement};

/// Variables that instances of a kernel store and other instances read. Only code that touches them must
/// keep the order of the instances.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ordered {
    /// First slots of the columns that are stored.
    columns: BTreeSet<u32>,
    /// Single slots where they are read.
    slots: BTreeSet<u32>,
    /// First entries of the tables in the links through which they are read.
    tables: BTreeSet<u32>,
}

impl Ordered {
    /// Whether instances read nothing of one another.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// Whether a statement itself, without those inside it, stores or reads one of the variables.
    pub(super) fn contains(&self, statement: &Statement) -> bool {
        let effects = statement.effects();
        let is_read = match effects.loads {
            Some(Place::Slot(slot)) => self.slots.contains(&slot),
            Some(Place::Linked { table, .. }) => self.tables.contains(&table),
            Some(Place::Column { .. }) | None => false,
        };
        let stored = effects.stores.and_then(|place| place.column());
        is_read || stored.is_some_and(|column| self.columns.contains(&column))
    }

    /// Adds a column, and a place where some of it is read.
    pub(super) fn add(&mut self, column: u32, read: Place) {
        self.columns.insert(column);
        match read {
            Place::Slot(slot) => self.slots.insert(slot),
            Place::Linked { table, .. } => self.tables.insert(table),
            Place::Column { base, .. } => self.columns.insert(base),
        };
    }
}
