//! Components, many of which are rows of tables.

use lems_document::{Attribute, Element};
use lems_index::{Runs, narrow};

use crate::TypeId;

/// Number of a component of a [`Model`](crate::Model).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ComponentId(pub u32);

impl ComponentId {
    /// That at an index.
    ///
    /// # Panics
    /// The index needs more than 32 bits. Each component is an element, and a document has fewer.
    pub fn at(index: usize) -> ComponentId {
        ComponentId(narrow(index))
    }
}

/// A component, or a table of like components. Those are of one type, have no children, and differ only in
/// their ids, values and texts.
#[derive(Debug, Clone)]
pub struct Component<'d> {
    /// Its type.
    pub component_type: TypeId,
    /// The component it is a child of.
    pub parent: Option<ComponentId>,
    /// The `Child` or `Children` of the parent's type that it belongs to.
    pub role: Role<'d>,
    /// The component whose values it `extends`.
    pub prototype: Option<ComponentId>,
    /// Children, in document order.
    pub children: Vec<Siblings>,
    /// Top-level components that are children too: an attribute with the name of a `Child`, or an
    /// `Insertion`, says so.
    pub adopted: Vec<(Role<'d>, ComponentId)>,
    /// The first element.
    pub(crate) element: Element<'d>,
    /// Its `id`.
    pub(crate) id: Option<&'d str>,
    /// SI values by index of [`ComponentType::parameters`](crate::ComponentType::parameters), component
    /// after component.
    pub(crate) parameters: Box<[f64]>,
    /// References and links that are given, with the components that they mean; if they differ, those of
    /// one component after those of another.
    pub(crate) references: Box<[(&'d str, ComponentId)]>,
    /// Whether the references differ.
    pub(crate) own_references: bool,
}

impl Component<'_> {
    /// Whether all components of the table refer to the same ones.
    pub fn shares_references(&self) -> bool {
        !self.own_references
    }
}

/// What a component is to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role<'d> {
    /// It has no parent.
    TopLevel,
    /// It fills this `Child`.
    Slot(&'d str),
    /// It is in this `Children`.
    List(&'d str),
}

/// Children that follow one another: one, or all of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Siblings {
    /// The first one.
    pub first: ComponentId,
    /// How many there are.
    pub count: u32,
}

impl Siblings {
    /// All of them.
    pub fn ids(self) -> impl Iterator<Item = ComponentId> + Clone {
        let first = self.first.0;
        (first..first.saturating_add(self.count)).map(ComponentId)
    }
}

impl From<ComponentId> for Siblings {
    fn from(first: ComponentId) -> Self {
        Siblings { first, count: 1 }
    }
}

/// All components, nested ones after their parents, with one record for each table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Components<'d> {
    records: Vec<Component<'d>>,
    runs: Runs,
}

impl<'d> Components<'d> {
    /// How many components there are.
    pub(crate) fn count(&self) -> usize {
        self.runs.count(self.records.len())
    }

    /// Adds a component, or a table of several. Returns the first one.
    pub(crate) fn push(&mut self, component: Component<'d>, rows: u32) -> Siblings {
        let first = ComponentId::at(self.count());
        if rows > 1 {
            self.runs.push(narrow(self.records.len()), rows as usize);
        }
        self.records.push(component);
        Siblings { first, count: rows }
    }

    /// All records, each with its first component and how many it stands for.
    pub(crate) fn records(&self) -> impl Iterator<Item = (Siblings, &Component<'d>)> {
        let mut next = 0;
        self.records.iter().map(move |record| {
            let first = ComponentId(next);
            let count = self.rows(first);
            next += count;
            (Siblings { first, count }, record)
        })
    }

    /// All records, to be changed, each with its first component.
    pub(crate) fn records_mut(
        &mut self,
    ) -> impl Iterator<Item = (ComponentId, &mut Component<'d>)> {
        let Components { records, runs } = self;
        let mut next = 0;
        records.iter_mut().map(move |record| {
            let first = ComponentId(next);
            next += rows(runs, first);
            (first, record)
        })
    }

    /// How many components the record of one stands for.
    pub(crate) fn rows(&self, id: ComponentId) -> u32 {
        rows(&self.runs, id)
    }

    #[inline]
    pub(crate) fn record(&self, id: ComponentId) -> &Component<'d> {
        &self.records[self.runs.place(id.0).record as usize]
    }

    pub(crate) fn record_mut(&mut self, id: ComponentId) -> &mut Component<'d> {
        &mut self.records[self.runs.place(id.0).record as usize]
    }

    /// The record of a component, how many components it stands for, and which of them it is.
    fn row(&self, id: ComponentId) -> (&Component<'d>, usize, usize) {
        let place = self.runs.place(id.0);
        let (rows, row) = place
            .table
            .map_or((1, 0), |(table, row)| (self.runs.rows(table), row));
        let record = &self.records[place.record as usize];
        (record, rows as usize, row as usize)
    }

    pub(crate) fn element(&self, id: ComponentId) -> Element<'d> {
        let (record, _, row) = self.row(id);
        record.element.following(narrow(row))
    }

    pub(crate) fn name(&self, id: ComponentId) -> Option<&'d str> {
        let (record, _, row) = self.row(id);
        match row {
            0 => record.id,
            // All elements of a table have the same attributes.
            _ => record
                .id
                .and(self.element(id).attribute("id"))
                .map(Attribute::value),
        }
    }

    pub(crate) fn parameters(&self, id: ComponentId) -> &[f64] {
        let (record, rows, row) = self.row(id);
        part(&record.parameters, rows, row)
    }

    pub(crate) fn set_parameter(&mut self, id: ComponentId, parameter: usize, value: f64) {
        let (record, rows, row) = self.row(id);
        let index = row * (record.parameters.len() / rows) + parameter;
        self.record_mut(id).parameters[index] = value;
    }

    pub(crate) fn references(&self, id: ComponentId) -> &[(&'d str, ComponentId)] {
        let (record, rows, row) = self.row(id);
        match record.own_references {
            true => part(&record.references, rows, row),
            false => &record.references,
        }
    }
}

fn rows(runs: &Runs, id: ComponentId) -> u32 {
    let place = runs.place(id.0);
    place.table.map_or(1, |(table, _)| runs.rows(table))
}

/// The part of one of several rows of equal length.
fn part<T>(all: &[T], rows: usize, row: usize) -> &[T] {
    let length = all.len() / rows;
    all.get(row * length..(row + 1) * length)
        .unwrap_or_default()
}
