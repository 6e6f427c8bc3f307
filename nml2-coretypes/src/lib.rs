//! The NeuroML 2 core ComponentTypes as LEMS files, embedded.
//!
//! The files define the dimensions, units and ComponentTypes of NeuroML under
//! the names and with the equations of the standard, so that a model that says
//! `<Include file="Cells.xml"/>` finds them without any file on disk.

mod rules;

pub use rules::{COUNTS, Count, ENDS, End, NAMINGS, Naming, TREES, Tree};

/// The release of NeuroML whose definitions [`CORE_TYPES`] holds.
pub const NEUROML_VERSION: &str = "2.3.1";

/// The core files as pairs of file name (what an `Include` asks for) and LEMS
/// text, each file before those that include it.
pub const CORE_TYPES: &[(&str, &str)] = &[
    (
        "NeuroMLCoreDimensions.xml",
        include_str!("../NeuroMLCoreDimensions.xml"),
    ),
    (
        "NeuroMLCoreCompTypes.xml",
        include_str!("../NeuroMLCoreCompTypes.xml"),
    ),
    ("Simulation.xml", include_str!("../Simulation.xml")),
    ("Inputs.xml", include_str!("../Inputs.xml")),
    ("Synapses.xml", include_str!("../Synapses.xml")),
    ("Channels.xml", include_str!("../Channels.xml")),
    ("Cells.xml", include_str!("../Cells.xml")),
    ("Networks.xml", include_str!("../Networks.xml")),
    ("PyNN.xml", include_str!("../PyNN.xml")),
    (
        "NeuroML2CoreTypes.xml",
        include_str!("../NeuroML2CoreTypes.xml"),
    ),
];

#[cfg(test)]
mod tests {
    use super::CORE_TYPES;
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
        for (name, text) in CORE_TYPES {
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
    fn the_include_finder_sees_every_include() {
        let elements: usize = CORE_TYPES
            .iter()
            .map(|(_, text)| text.matches("<Include").count())
            .sum();
        let found: usize = CORE_TYPES
            .iter()
            .map(|(_, text)| included_files(text).len())
            .sum();
        assert_eq!(elements, found);
        assert!(found > 0);
    }

    #[test]
    fn the_files_of_the_standard_are_all_there_once() {
        let names: HashSet<&str> = CORE_TYPES.iter().map(|(name, _)| *name).collect();
        assert_eq!(CORE_TYPES.len(), 10);
        assert_eq!(names.len(), 10);
    }

    #[test]
    fn no_component_type_is_defined_twice() {
        let mut defined = HashSet::new();
        for (file, text) in CORE_TYPES {
            for rest in text.split("<ComponentType name=\"").skip(1) {
                let name = rest.split('"').next().unwrap();
                assert!(defined.insert(name), "{file} defines {name} again");
            }
        }
        assert!(defined.contains("izhikevich2007Cell"));
    }
}
