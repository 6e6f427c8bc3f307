//! Converts networks of NeuroML 2 from HDF5 (`*.nml.h5`) to XML.
//!
//! The input is the bytes of a file, the output the text of the same network in XML. The elements
//! are in the order in which jNeuroML creates them, because the order of populations, projections,
//! connections and inputs affects the last bits of a run. Populations, projections of each kind and
//! input lists are sorted by the names of their groups, and rows are in the order of their tables.
//!
//! Files are not trusted: a size that a file declares is accepted only if the bytes of the file can
//! hold that much.

mod error;
mod file;
mod network;
mod population;
mod projection;
mod xml;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use error::Hdf5Error;
pub use xml::HEADING;

/// The first bytes of every HDF5 file of NeuroML.
pub const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// The network in an HDF5 file as NeuroML text of at most `most` bytes.
///
/// # Errors
///
/// The bytes are not an HDF5 file, are damaged, or contain no network of NeuroML; or the text would
/// be longer.
pub fn network_as_xml(bytes: Vec<u8>, most: usize) -> Result<String, Hdf5Error> {
    if !bytes.starts_with(SIGNATURE) {
        return Err(Hdf5Error::NotHdf5);
    }
    // A third-party library reads an untrusted file here. If it panics, the file is at fault. The
    // interrupted state is dropped, so it does not matter that it is inconsistent.
    let text = catch_unwind(AssertUnwindSafe(|| network::text(bytes, most)));
    text.unwrap_or(Err(Hdf5Error::Broken(
        "the library that reads it gave up".to_owned(),
    )))
}
