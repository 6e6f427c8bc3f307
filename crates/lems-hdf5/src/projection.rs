//! Converts projections of the three kinds.

use crate::error::Hdf5Error;
use crate::file::{Column, Folder, Row, Table};
use crate::population::{Population, Populations};
use crate::xml::Text;

/// The kind of connections in a projection. The order is that of NeuroML's schema.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Synapses that receive spikes.
    Chemical,
    /// Gap junctions.
    Electrical,
    /// Synapses that read the potential.
    Continuous,
}

impl Kind {
    /// The name of the element, which is also the value of the attribute `type`.
    fn element(self) -> &'static str {
        match self {
            Kind::Chemical => "projection",
            Kind::Electrical => "electricalProjection",
            Kind::Continuous => "continuousProjection",
        }
    }

    /// The attributes that name the synapses or their two sides.
    fn means(self) -> &'static [&'static str] {
        match self {
            Kind::Chemical | Kind::Electrical => &["synapse"],
            Kind::Continuous => &["preComponent", "postComponent"],
        }
    }

    /// The element for a connection without a weight, and for one with a weight.
    fn connections(self, has_lists: bool) -> (&'static str, Option<&'static str>) {
        match (self, has_lists) {
            (Kind::Chemical, _) => ("connection", Some("connectionWD")),
            (Kind::Electrical, true) => (
                "electricalConnectionInstance",
                Some("electricalConnectionInstanceW"),
            ),
            (Kind::Electrical, false) => ("electricalConnection", None),
            (Kind::Continuous, true) => (
                "continuousConnectionInstance",
                Some("continuousConnectionInstanceW"),
            ),
            (Kind::Continuous, false) => ("continuousConnection", None),
        }
    }
}

/// A projection, read from its group.
pub struct Projection<'p> {
    /// Its kind.
    pub kind: Kind,
    folder: Folder,
    populations: &'p Populations,
    pre: String,
    post: String,
    /// Attributes that name the synapses; they belong to the projection or to each connection.
    means: Vec<(&'static str, String)>,
}

impl<'p> Projection<'p> {
    /// Reads everything except the connections.
    ///
    /// # Errors
    /// A missing attribute, an unknown kind, or an unknown population.
    pub fn new(folder: Folder, populations: &'p Populations) -> Result<Projection<'p>, Hdf5Error> {
        let kind = kind_of(&folder)?;
        let pre = folder.required("presynapticPopulation")?;
        let post = folder.required("postsynapticPopulation")?;
        populations.of(&folder, &pre)?;
        populations.of(&folder, &post)?;
        let means = kind.means().iter();
        let means = means.map(|&name| Ok((name, folder.required(name)?)));
        let means = means.collect::<Result<_, Hdf5Error>>()?;
        Ok(Projection {
            kind,
            folder,
            populations,
            pre,
            post,
            means,
        })
    }

    /// Writes the projection with its connections. Those without weights and delays come first.
    ///
    /// # Errors
    /// A damaged table, or too much text.
    pub fn write(&self, text: &mut Text<'_>) -> Result<(), Hdf5Error> {
        let id = self.folder.required("id")?;
        let mut attributes = vec![
            ("id", &*id),
            ("presynapticPopulation", &*self.pre),
            ("postsynapticPopulation", &*self.post),
        ];
        if self.kind == Kind::Chemical {
            attributes.extend(self.means.iter().map(|(name, value)| (*name, &**value)));
        }
        text.open(2, self.kind.element(), &attributes)?;
        // The tables are read twice instead of keeping the text of connections with weights until the others are written.
        let tables = self.folder.tables()?;
        let mut weighted = Vec::new();
        for table in &tables {
            let links = self.links(table)?;
            let mut has_weighted = false;
            table.each_row(|index, row| {
                let is_weighted = links.is_weighted(row);
                has_weighted |= is_weighted;
                match is_weighted {
                    true => Ok(()),
                    false => self.connection(&links, index, row, text),
                }
            })?;
            weighted.extend(has_weighted.then_some((table, links)));
        }
        for (table, links) in weighted {
            table.each_row(|index, row| match links.is_weighted(row) {
                true => self.connection(&links, index, row, text),
                false => Ok(()),
            })?;
        }
        text.close(2, self.kind.element())
    }

    /// Finds what the connections of a table have in common.
    fn links(&self, table: &Table) -> Result<Links<'_>, Hdf5Error> {
        let ends = [self.end("pre", table)?, self.end("post", table)?];
        let has_lists = ends.iter().any(|end| end.population.is_list);
        let (plain, weighted) = self.kind.connections(has_lists);
        let delay = table.column("delay");
        Ok(Links {
            ends,
            id: table.column("id"),
            weight: table.column("weight"),
            delay: delay.filter(|_| self.kind == Kind::Chemical),
            has_lists,
            plain,
            weighted,
        })
    }

    /// Writes a connection.
    fn connection(
        &self,
        links: &Links<'_>,
        index: u64,
        row: Row<'_>,
        text: &mut Text<'_>,
    ) -> Result<(), Hdf5Error> {
        // The attributes that all connections have.
        let mut attributes = vec![("id", row.id(links.id, index))];
        for end in &links.ends {
            let cell = row.whole(Some(end.cell)).unwrap_or_default();
            let cell = match self.kind == Kind::Chemical || links.has_lists {
                true => format!("../{}/{cell}/{}", end.id, end.population.component),
                false => cell.to_string(),
            };
            let segment = row.whole(end.segment).map(|segment| segment.to_string());
            let fraction = end.fraction.map(|column| row.real(column));
            let values = [Some(cell), segment, fraction];
            let named = end.names.into_iter().zip(values);
            attributes.extend(named.filter_map(|(name, value)| Some((name, value?))));
        }
        if self.kind != Kind::Chemical {
            attributes.extend(self.means.iter().cloned());
        }
        // A plain connection, or one with weight and delay.
        let Some(name) = links.weighted.filter(|_| links.is_weighted(row)) else {
            return text.empty(3, links.plain, &attributes);
        };
        let weight = (links.weight).map_or("1.0".to_owned(), |column| row.real(column));
        attributes.push(("weight", weight));
        if self.kind == Kind::Chemical {
            let delay = (links.delay).map_or("0.0".to_owned(), |column| row.real(column));
            attributes.push(("delay", format!("{delay} ms")));
        }
        text.empty(3, name, &attributes)
    }

    /// The side of the connections in a table: the cells that they come from (`pre`) or go to (`post`).
    fn end(&self, side: &'static str, table: &Table) -> Result<End<'_>, Hdf5Error> {
        let is_old = self.kind == Kind::Chemical;
        let (id, cell, names) = match (side, is_old) {
            ("pre", true) => (&self.pre, "pre_cell_id", ["preCellId", "preSegmentId", PRE]),
            ("pre", false) => (&self.pre, "pre_cell_id", ["preCell", "preSegment", PRE]),
            (_, true) => (
                &self.post,
                "post_cell_id",
                ["postCellId", "postSegmentId", POST],
            ),
            (_, false) => (
                &self.post,
                "post_cell_id",
                ["postCell", "postSegment", POST],
            ),
        };
        Ok(End {
            id,
            population: self.populations.of(&self.folder, id)?,
            cell: table.required(cell)?,
            segment: table.column(&format!("{side}_segment_id")),
            fraction: table.column(&format!("{side}_fraction_along")),
            names,
        })
    }
}

const PRE: &str = "preFractionAlong";
const POST: &str = "postFractionAlong";

/// The connections of a table.
struct Links<'p> {
    ends: [End<'p>; 2],
    id: Option<Column>,
    weight: Option<Column>,
    delay: Option<Column>,
    /// Whether a population at one of the ends is a list.
    has_lists: bool,
    /// The element for a connection without a weight.
    plain: &'static str,
    /// The element for a connection with a weight, if there is one.
    weighted: Option<&'static str>,
}

impl Links<'_> {
    /// Whether a connection is written with its weight. A weight of 1 and a delay of 0 are the defaults and are omitted.
    fn is_weighted(&self, row: Row<'_>) -> bool {
        let has_weight = || (self.weight).is_some_and(|column| row.number(column) != 1.0);
        let has_delay = || (self.delay).is_some_and(|column| row.number(column) != 0.0);
        self.weighted.is_some() && (has_weight() || has_delay())
    }
}

/// One side of the connections of a table.
struct End<'p> {
    id: &'p str,
    population: &'p Population,
    cell: Column,
    segment: Option<Column>,
    fraction: Option<Column>,
    /// The names of the attributes for the cell, the segment and the place on the segment.
    names: [&'static str; 3],
}

fn kind_of(folder: &Folder) -> Result<Kind, Hdf5Error> {
    // Older files have no `type`, because they have only one kind.
    let kind = folder.text("type").unwrap_or("projection".to_owned());
    let kinds = [Kind::Chemical, Kind::Electrical, Kind::Continuous];
    let named = kinds.into_iter().find(|named| named.element() == kind);
    named.ok_or_else(|| Hdf5Error::WrongAttribute {
        group: folder.path().to_owned(),
        attribute: "type",
        found: format!("`{}`", kind.escape_debug()),
        expected: "`projection`, `electricalProjection` or `continuousProjection`",
    })
}
