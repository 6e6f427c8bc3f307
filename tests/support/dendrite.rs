//! The files of `examples/dendrite`.

use jlems::MemorySources;

/// The file that is run.
pub const LEMS: &str = "LEMS_dendrite.xml";

/// The text of a file.
pub fn read(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/dendrite");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

/// The files, with `lems` as the text of the one that is run.
pub fn sources(lems: &str) -> MemorySources {
    let cell = read("dendrite.nml");
    MemorySources::from([(LEMS, lems), ("dendrite.nml", cell.as_str())])
}
