//! Converts NeuroML's layout of groups, attributes and tables to elements.
//!
//! `/neuroml/network` has a group for each population (`population_cells`), projection
//! (`projection_links`) and input list (`inputList_drive`, in older files `input_list_drive`); a
//! table in it has a row for each instance, connection or input.

use crate::error::Hdf5Error;
use crate::file::{Closed, Folder, Table};
use crate::population::{Population, Populations};
use crate::projection::Projection;
use crate::xml::{HEADING, Text};

const NAMESPACE: &str = "http://www.neuroml.org/schema/neuroml2";
const DOCUMENT: &str = "neuroml";
const NETWORK: &str = "network";

/// Writes the text of the whole file.
pub fn write(root: &Folder, text: &mut Text<'_>) -> Result<(), Hdf5Error> {
    let missing = "/neuroml";
    let document = match closed(root, DOCUMENT)? {
        Some(document) => document.open()?,
        None => return Err(Hdf5Error::NoNetwork { missing }),
    };
    let contents = closed(&document, NETWORK)?;
    let top_level = document.text("neuroml_top_level");
    text.raw(HEADING)?;
    // The file contains everything except the network as XML of another program.
    let end = match &top_level {
        Some(xml) => {
            let (inside, end) = opened(xml)?;
            text.raw(&inside)?;
            end
        }
        None if contents.is_some() => {
            let id = document.text("id").unwrap_or_default();
            let attributes = [("xmlns", NAMESPACE), ("id", &*id)];
            text.open(0, DOCUMENT, &attributes)?;
            format!("</{DOCUMENT}>\n")
        }
        None => {
            let missing = "/neuroml/network";
            return Err(Hdf5Error::NoNetwork { missing });
        }
    };
    if let Some(contents) = contents {
        network(&contents.open()?, text)?;
    }
    text.raw(&end)
}

/// The group with this name in a group.
fn closed(folder: &Folder, name: &str) -> Result<Option<Closed>, Hdf5Error> {
    let folders = folder.folders()?.into_iter();
    Ok(folders.into_iter().find(|folder| folder.name() == name))
}

/// Splits an XML document before the end tag of its outermost element; the second part is that tag.
fn opened(xml: &str) -> Result<(String, String), Hdf5Error> {
    let xml = xml.trim();
    // A declaration is allowed only at the very beginning, so it is removed.
    let declared = xml
        .strip_prefix("<?xml")
        .and_then(|rest| rest.split_once("?>"));
    let xml = declared.map_or(xml, |(_, rest)| rest.trim_start());
    let (inside, name) = match xml.strip_suffix("/>") {
        Some(start) => {
            let (_, tag) = start.rsplit_once('<').ok_or(Hdf5Error::NoTopLevel)?;
            let name = tag.split(char::is_whitespace).next().unwrap_or_default();
            (format!("{}>\n", start.trim_end()), name)
        }
        None => {
            let (inside, end) = xml.rsplit_once("</").ok_or(Hdf5Error::NoTopLevel)?;
            let name = end.strip_suffix('>').ok_or(Hdf5Error::NoTopLevel)?;
            (inside.trim_end().to_owned() + "\n", name.trim_end())
        }
    };
    match name.rsplit(':').next() == Some(DOCUMENT) {
        true => Ok((inside, format!("</{name}>\n"))),
        false => Err(Hdf5Error::NoTopLevel),
    }
}

/// Writes the network element with everything in it.
fn network(folder: &Folder, text: &mut Text<'_>) -> Result<(), Hdf5Error> {
    let id = folder.required("id")?;
    let temperature = folder.text("temperature");
    let mut attributes = vec![("id", &*id)];
    if let Some(temperature) = &temperature {
        attributes.push(("type", "networkWithTemperature"));
        attributes.push(("temperature", temperature));
    }
    text.open(1, NETWORK, &attributes)?;
    if let Some(notes) = folder.text("notes").filter(|notes| !notes.is_empty()) {
        text.around(2, "notes", &notes)?;
    }
    let folders = folder.folders()?;
    let named = |start: &'static str| {
        let folders = folders.iter();
        folders.filter(move |folder| folder.name().starts_with(start))
    };
    let mut populations = Populations::default();
    for folder in named("population_") {
        population(&folder.open()?, &mut populations, text)?;
    }
    let mut projections = Vec::new();
    for folder in named("projection_") {
        projections.push(Projection::new(folder.open()?, &populations)?);
    }
    // NeuroML's schema requires projections to be grouped by kind.
    projections.sort_by_key(|projection| projection.kind);
    for projection in &projections {
        projection.write(text)?;
    }
    // `inputList_` comes before `input_list_` in the order of names.
    for folder in named("inputList_").chain(named("input_list_")) {
        input_list(&folder.open()?, &populations, text)?;
    }
    text.close(1, NETWORK)
}

/// Writes a population, and records it for the references to its cells.
fn population(
    folder: &Folder,
    populations: &mut Populations,
    text: &mut Text<'_>,
) -> Result<(), Hdf5Error> {
    let id = folder.required("id")?;
    let component = folder.required("component")?;
    let tables = folder.tables()?;
    let is_list = !tables.is_empty();
    let size = match folder.text("size") {
        None if is_list => tables.iter().map(Table::len).sum::<u64>().to_string(),
        _ => folder.required("size")?,
    };
    if size.parse::<u32>().is_err() {
        return Err(Hdf5Error::WrongAttribute {
            group: folder.path().to_owned(),
            attribute: "size",
            found: format!("`{}`", size.escape_debug()),
            expected: "a number of cells",
        });
    }
    let mut attributes = vec![("id", &*id), ("component", &*component), ("size", &*size)];
    if is_list {
        attributes.push(("type", "populationList"));
    }
    text.open(2, "population", &attributes)?;
    for (tag, value) in folder.texts_after("property:") {
        text.empty(3, "property", &[("tag", tag), ("value", value)])?;
    }
    for table in &tables {
        instances(table, text)?;
    }
    text.close(2, "population")?;
    populations.0.insert(id, Population { component, is_list });
    Ok(())
}

/// Writes the instances of a population with their locations.
fn instances(table: &Table, text: &mut Text<'_>) -> Result<(), Hdf5Error> {
    // In a table without column names, the id comes before the location.
    let [x, y, z] = [("x", 1), ("y", 2), ("z", 3)];
    let [x, y, z] = [
        table.column_or(x)?,
        table.column_or(y)?,
        table.column_or(z)?,
    ];
    let id = table.column("id");
    table.each_row(|index, row| {
        let id = row.id(id, index);
        let place = [x, y, z].map(|column| row.real(column));
        text.open(3, "instance", &[("id", &id)])?;
        let [x, y, z] = &place;
        text.empty(4, "location", &[("x", x), ("y", y), ("z", z)])?;
        text.close(3, "instance")
    })
}

/// Writes an input list with its inputs.
fn input_list(
    folder: &Folder,
    populations: &Populations,
    text: &mut Text<'_>,
) -> Result<(), Hdf5Error> {
    let id = folder.required("id")?;
    let component = folder.required("component")?;
    let population = folder.required("population")?;
    let attributes = [
        ("id", &*id),
        ("population", &*population),
        ("component", &*component),
    ];
    text.open(2, "inputList", &attributes)?;
    let cells = &populations.of(folder, &population)?.component;
    for table in folder.tables()? {
        let target = table.required("target_cell_id")?;
        let [own, segment, fraction, weight] =
            ["id", "segment_id", "fraction_along", "weight"].map(|name| table.column(name));
        // One input for each row; its optional attributes depend on the columns.
        table.each_row(|index, row| {
            let own = row.id(own, index);
            let cell = row.whole(Some(target)).unwrap_or_default();
            let target = format!("../{population}/{cell}/{cells}");
            let segment = row.whole(segment).map(|segment| segment.to_string());
            let fraction = fraction.map(|column| row.real(column));
            let mut attributes = vec![
                ("id", &*own),
                ("target", &*target),
                ("destination", "synapses"),
            ];
            attributes.extend(segment.as_deref().map(|segment| ("segmentId", segment)));
            attributes.extend(fraction.as_deref().map(|place| ("fractionAlong", place)));
            let weight = weight.map(|column| row.real(column));
            let name = match &weight {
                Some(weight) => {
                    attributes.push(("weight", weight));
                    "inputW"
                }
                None => "input",
            };
            text.empty(3, name, &attributes)
        })?;
    }
    text.close(2, "inputList")
}
