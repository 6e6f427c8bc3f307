//! The NeuroML 2 core ComponentTypes as LEMS files, embedded.
//!
//! The files define the dimensions, units and ComponentTypes of NeuroML, with
//! the names and equations of the standard. A model with
//! `<Include file="Cells.xml"/>` finds them without any file on disk.

mod cell;
mod rules;
pub mod simulation;

use lems_document::{EmbeddedFile, ForeignLanguage, Note};

pub use cell::cell_of_tracing;
pub use rules::{
    BORROWINGS, Borrowing, CONNECTIONS, COUNTS, ConnectionEnd, Connections, Count, ENDS, End,
    MISPLACED, Misplaced, NAMINGS, NEEDS, Naming, Need, PLACES, REFERENCES, Reference, TREES, Tree,
    UNIQUES, UNROOTED, Unique,
};

/// The release of NeuroML whose definitions are in [`CORE_TYPES`].
pub const NEUROML_VERSION: &str = "2.3.1";

/// Languages whose files are often found together with NeuroML 2 and have elements of the same names.
pub const FOREIGN_LANGUAGES: &[ForeignLanguage] = &[ForeignLanguage {
    namespace: "http://morphml.org/",
    name: "NeuroML version 1",
    help: "neuroConstruct reads it and writes NeuroML 2; `jnml -validatev1` checks it",
}];

/// Elements of NeuroML that describe a model and do not change what it computes.
pub const NOTES: &[Note] = &[
    Note {
        name: "notes",
        is_child: false,
        in_types: true,
    },
    Note {
        name: "annotation",
        is_child: false,
        in_types: false,
    },
    Note {
        name: "property",
        is_child: true,
        in_types: false,
    },
];

/// The allowed structure of a NeuroML file, as a table that `lems_schema::Schema::of_table` reads:
/// elements with the order and number of their children, their attributes, and the allowed values.
pub const STRUCTURE: &str = include_str!("../structure.txt");

/// What the types of cells with dendrites call their parts, as `lems_network::CableRules` reads it.
pub const CABLES: &str = include_str!("../cables.txt");

macro_rules! core_file {
    ($name:literal) => {
        EmbeddedFile {
            name: $name,
            text: include_str!(concat!("../", $name)),
            prepared: include_bytes!(concat!(env!("OUT_DIR"), "/", $name, ".tree")),
        }
    };
}

/// The core files. Each file comes before the files that include it.
pub const CORE_TYPES: &[EmbeddedFile] = &[
    core_file!("NeuroMLCoreDimensions.xml"),
    core_file!("NeuroMLCoreCompTypes.xml"),
    core_file!("Simulation.xml"),
    core_file!("Inputs.xml"),
    core_file!("Synapses.xml"),
    core_file!("Channels.xml"),
    core_file!("Cells.xml"),
    core_file!("Networks.xml"),
    core_file!("PyNN.xml"),
    core_file!("NeuroML2CoreTypes.xml"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn included_files(text: &str) -> Vec<&str> {
        text.split("<Include file=\"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap())
            .collect()
    }

    #[test]
    fn every_include_names_an_embedded_file_that_comes_earlier() {
        let mut embedded = HashSet::new();
        for EmbeddedFile { name, text, .. } in CORE_TYPES {
            for included in included_files(text) {
                assert!(
                    embedded.contains(included),
                    "{name} includes {included}, which no earlier entry holds"
                );
            }
            embedded.insert(*name);
        }
    }

    #[test]
    fn every_file_is_prepared_from_its_text() {
        for file in CORE_TYPES {
            let prepared = lems_document::prepare(file.text.to_owned()).unwrap();
            assert!(prepared == file.prepared, "{}", file.name);
        }
    }

    #[test]
    fn the_include_finder_sees_every_include() {
        let elements: usize = CORE_TYPES
            .iter()
            .map(|file| file.text.matches("<Include").count())
            .sum();
        let found: usize = CORE_TYPES
            .iter()
            .map(|file| included_files(file.text).len())
            .sum();
        assert_eq!(elements, found);
        assert!(found > 0);
    }

    #[test]
    fn the_files_of_the_standard_are_all_there_once() {
        let names: HashSet<&str> = CORE_TYPES.iter().map(|file| file.name).collect();
        assert_eq!(CORE_TYPES.len(), 10);
        assert_eq!(names.len(), 10);
    }

    #[test]
    fn no_component_type_is_defined_twice() {
        let mut defined = HashSet::new();
        for EmbeddedFile {
            name: file, text, ..
        } in CORE_TYPES
        {
            for rest in text.split("<ComponentType name=\"").skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(defined.insert(name), "{file} defines {name} again");
            }
        }
        assert!(defined.contains("izhikevich2007Cell"));
    }
}
