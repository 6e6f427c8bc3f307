//! Networks of NeuroML 2 that are stored as HDF5 (`*.nml.h5`), as XML text.
//!
//! Bytes of a file go in, the text of the same network as XML comes out. Elements come in the
//! order in which jNeuroML makes them, because the order of populations, projections, connections
//! and inputs decides the last bits of a run: populations, projections of each kind and input
//! lists by the names of their groups, rows as in their tables.
//!
//! A file may hold anything: what it says of its sizes is believed only as far as its bytes can
//! hold that much.

mod error;
mod file;
mod network;
mod projection;
mod xml;

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use error::Hdf5Error;

/// What every HDF5 file of NeuroML begins with.
pub const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// The first line of every text that is made here.
pub const HEADING: &str = "<!-- HDF5, as XML -->\n";

/// The NeuroML text of the network in an HDF5 file, of at most `most` bytes.
///
/// # Errors
///
/// The bytes are no HDF5 file, a broken one, or one without a network of NeuroML; the text would
/// be longer.
pub fn network_as_xml(bytes: Vec<u8>, most: usize) -> Result<String, Hdf5Error> {
    if !bytes.starts_with(SIGNATURE) {
        return Err(Hdf5Error::NotHdf5);
    }
    // The library is not ours and reads what a stranger may have written. If it panics, the file
    // is at fault, and nothing that the panic interrupted is looked at again.
    let text = catch_unwind(AssertUnwindSafe(|| network::text(bytes, most)));
    text.unwrap_or(Err(Hdf5Error::Broken(
        "the library that reads it gave up".to_owned(),
    )))
}
