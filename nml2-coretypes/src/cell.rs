//! Writes a traced neuron as a NeuroML file with a cell.

use std::collections::BTreeMap;
use std::fmt::Write;

use lems_swc::{Branch, Kind, Place, Tracing};
use lems_xml::escape;

/// The mark of a segment group that is an unbranched section.
const SECTION: &str = "sao864921383";

/// The group of a kind of branch, and the beginning of the names of its sections.
fn words(kind: Kind) -> (String, String) {
    let words = match kind {
        Kind::Soma => ("soma_group", "soma"),
        Kind::Axon => ("axon_group", "axon"),
        Kind::Basal => ("basal_dendrite", "dend"),
        Kind::Apical => ("apical_dendrite", "apic"),
        Kind::Other(number) => {
            // A name may have no hyphen.
            let number = number.to_string().replace('-', "minus_");
            return (format!("type_{number}_group"), format!("type_{number}"));
        }
    };
    (words.0.to_owned(), words.1.to_owned())
}

/// The term of the Gene Ontology for a group, if there is one.
fn term(group: &str) -> Option<&'static str> {
    match group {
        "soma_group" => Some("GO:0043025"),
        "axon_group" => Some("GO:0030424"),
        "dendrite_group" => Some("GO:0030425"),
        _ => None,
    }
}

/// The text of a NeuroML file with a cell of that id: its shape, with a section for each branch, and the
/// groups that cells usually have: `all`, `soma_group`, `axon_group`, `dendrite_group`, `basal_dendrite`
/// and `apical_dendrite`. `origin` is named in the notes.
pub fn cell_of_tracing(tracing: &Tracing, id: &str, origin: &str) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let id = escape(id);
    let _ = writeln!(
        text,
        "<neuroml xmlns=\"http://www.neuroml.org/schema/neuroml2\" \
         xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xsi:schemaLocation=\"http://www.neuroml.org/schema/neuroml2 \
         https://raw.github.com/NeuroML/NeuroML2/development/Schemas/NeuroML2/NeuroML_v2.3.1.xsd\" \
         id=\"{id}\">\n  <cell id=\"{id}\">\n    <notes>Shape from {}. Compartments are no longer than a \
         tenth of the length constant at 100 Hz, with 1 uF_per_cm2 and 100 ohm_cm.</notes>\n    \
         <morphology id=\"morphology_{id}\">",
        escape(origin)
    );
    segments(&mut text, tracing);
    let groups = sections(&mut text, tracing);
    for (group, sections) in groups {
        open_group(&mut text, &group, term(&group));
        for section in sections {
            let _ = writeln!(text, "        <include segmentGroup=\"{section}\"/>");
        }
        text.push_str("      </segmentGroup>\n");
    }
    text + "    </morphology>\n  </cell>\n</neuroml>\n"
}

fn segments(text: &mut String, tracing: &Tracing) {
    for branch in &tracing.branches {
        let (_, name) = words(branch.kind);
        for (number, index) in branch.pieces.iter().enumerate() {
            let Some(piece) = tracing.pieces.get(*index) else {
                continue;
            };
            let _ = writeln!(
                text,
                "      <segment id=\"{index}\" name=\"{name}_seg_{index}\">"
            );
            let before = piece.parent.and_then(|(parent, along)| {
                let along = match along {
                    1.0 => String::new(),
                    along => format!(" fractionAlong=\"{along}\""),
                };
                let _ = writeln!(text, "        <parent segment=\"{parent}\"{along}/>");
                tracing.pieces.get(parent)
            });
            // Inside a section a segment begins where the one before ends.
            let follows = number > 0 && before.is_some_and(|before| before.end == piece.start);
            if !follows {
                point(text, "proximal", &piece.start);
            }
            point(text, "distal", &piece.end);
            text.push_str("      </segment>\n");
        }
    }
}

fn point(text: &mut String, name: &str, place: &Place) {
    let ([x, y, z], diameter) = (place.at, place.diameter);
    let _ = writeln!(
        text,
        "        <{name} x=\"{x}\" y=\"{y}\" z=\"{z}\" diameter=\"{diameter}\"/>"
    );
}

fn open_group(text: &mut String, id: &str, term: Option<&str>) {
    let term = term.map_or_else(String::new, |term| format!(" neuroLexId=\"{term}\""));
    let _ = writeln!(text, "      <segmentGroup id=\"{id}\"{term}>");
}

/// Writes the groups that are sections; gives the other groups with the sections in them.
fn sections(text: &mut String, tracing: &Tracing) -> Vec<(String, Vec<String>)> {
    let mut counts: BTreeMap<Kind, usize> = BTreeMap::new();
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut add =
        |group: &str, section: &str| match groups.iter_mut().find(|(name, _)| name == group) {
            Some((_, sections)) => sections.push(section.to_owned()),
            None => groups.push((group.to_owned(), vec![section.to_owned()])),
        };
    for branch in &tracing.branches {
        let (group, name) = words(branch.kind);
        let count = counts.entry(branch.kind).or_default();
        let section = format!("{name}_{count}");
        *count += 1;
        section_group(text, tracing, branch, &section);
        add("all", &section);
        add(&group, &section);
        if matches!(branch.kind, Kind::Basal | Kind::Apical) {
            add("dendrite_group", &section);
        }
    }
    groups
}

fn section_group(text: &mut String, tracing: &Tracing, branch: &Branch, section: &str) {
    open_group(text, section, Some(SECTION));
    let divisions = tracing.divisions(branch);
    if divisions > 1 {
        let _ = writeln!(
            text,
            "        <property tag=\"numberInternalDivisions\" value=\"{divisions}\"/>"
        );
    }
    for piece in &branch.pieces {
        let _ = writeln!(text, "        <member segment=\"{piece}\"/>");
    }
    text.push_str("      </segmentGroup>\n");
}
