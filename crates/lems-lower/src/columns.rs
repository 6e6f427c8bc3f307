//! Columns: one value for each member of a shape.

use std::rc::Rc;

use lems_index::{Id, IdVec};
use lems_ir::{Level, Place};
use lems_network::{MemberId, NodeId, ShapeId};
use rustc_hash::{FxHashMap, FxHashSet};

lems_index::ids! {
    /// Index of a column.
    pub(super) struct ColumnId;
}

impl ColumnId {
    /// The column as code names it until memory is laid out, for the member that a loop is at.
    pub fn place(self, level: u8) -> Place {
        Place::Column {
            base: self.get(),
            level: Level(level),
        }
    }
}

/// A variable of one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub column: ColumnId,
    pub member: MemberId,
}

/// What a column holds for its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum ColumnKind<'d> {
    /// A variable as it is.
    Live(&'d str),
    /// A variable that a regime, given by its number, has to itself.
    OfRegime(u32, &'d str),
    /// A variable as of the end of the instance's step.
    Snapshot(&'d str),
    /// A variable of a compartment as it is recorded: at the time of the row, while the variable itself
    /// is half a step ahead or behind.
    Row(&'d str),
    /// A parameter or property that differs between the members.
    Parameter(&'d str),
    /// A fixed value of other instances that differs between the members; numbered.
    Value(u32),
    /// The rate of the potential of a cable.
    Rate,
    /// The derivative of that rate by the potential.
    Slope,
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
    pub shape: ShapeId,
    pub node: NodeId,
    pub kind: ColumnKind<'d>,
    pub members: usize,
    pub content: Content,
}

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ColumnKey<'d> {
    shape: ShapeId,
    node: NodeId,
    kind: ColumnKind<'d>,
}

/// All columns; a place in code names one by number until memory is laid out.
#[derive(Debug, Default)]
pub(super) struct Columns<'d> {
    pub all: IdVec<ColumnId, Column<'d>>,
    index: FxHashMap<ColumnKey<'d>, ColumnId>,
    /// Columns that event handlers write.
    pub volatile: Rc<FxHashSet<ColumnId>>,
}

impl<'d> Columns<'d> {
    /// The column of that kind of a node. A new one has `members` members and holds zeros.
    pub fn get(
        &mut self,
        shape: ShapeId,
        node: NodeId,
        kind: ColumnKind<'d>,
        members: usize,
    ) -> ColumnId {
        let key = ColumnKey { shape, node, kind };
        *self.index.entry(key).or_insert_with(|| {
            self.all.push(Column {
                shape,
                node,
                kind,
                members,
                content: Content::Uniform(0.0),
            })
        })
    }

    /// Says what a column holds before the first step.
    pub fn set(&mut self, column: ColumnId, content: Content) {
        self.all[column].content = content;
    }

    /// A kind that no column has.
    pub fn next_value(&self) -> ColumnKind<'d> {
        ColumnKind::Value(self.all.next_id().get())
    }
}
