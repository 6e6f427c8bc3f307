//! Columns: one value for each member of a shape.

use lems_index::narrow;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// What a column holds for its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ColumnKind<'d> {
    /// A variable as it is.
    Live(&'d str),
    /// A variable as of the end of the instance's step.
    Snapshot(&'d str),
    /// A parameter or property that differs between the members.
    Parameter(&'d str),
    /// A fixed value of other instances that differs between the members; numbered.
    Value(u32),
    /// The number of the active regime.
    Regime,
}

/// Content of a column before the first step.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Uniform(f64),
    Each(Vec<f64>),
}

#[derive(Debug, Clone)]
pub(super) struct Column<'d> {
    pub shape: u32,
    pub node: u32,
    pub kind: ColumnKind<'d>,
    pub members: usize,
    pub content: Content,
}

/// All columns; a place in code names one by number until memory is laid out.
#[derive(Debug, Default)]
pub(super) struct Columns<'d> {
    pub all: Vec<Column<'d>>,
    index: HashMap<(u32, u32, ColumnKind<'d>), u32>,
    /// Columns that event handlers write.
    pub volatile: Rc<HashSet<u32>>,
}

impl<'d> Columns<'d> {
    pub fn get(&mut self, shape: u32, node: usize, kind: ColumnKind<'d>, members: usize) -> u32 {
        let key = (shape, narrow(node), kind);
        *self.index.entry(key).or_insert_with(|| {
            let column = narrow(self.all.len());
            self.all.push(Column {
                shape,
                node: narrow(node),
                kind,
                members,
                content: Content::Uniform(0.0),
            });
            column
        })
    }

    pub fn set(&mut self, column: u32, content: Content) {
        self.all[column as usize].content = content;
    }

    pub fn next_value(&self) -> ColumnKind<'d> {
        ColumnKind::Value(narrow(self.all.len()))
    }
}
