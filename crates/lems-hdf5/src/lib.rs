//! Converts networks of NeuroML 2 from HDF5 (`*.nml.h5`) to XML.
//!
//! The input is a file, the output the text of the same network in XML. Tables are read a window at a time, and the
//! text is given on piece by piece, so that neither is in memory as a whole. The elements
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

use std::io::{ErrorKind, Read, Seek, SeekFrom};

pub use error::Hdf5Error;
pub use xml::HEADING;
use xml::Text;

/// The first bytes of every HDF5 file of NeuroML.
pub const SIGNATURE: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Gives the network in an HDF5 file, as NeuroML text of at most `most` bytes, to `give`, piece by piece. If there is
/// an error, the pieces given so far are no network.
///
/// # Errors
///
/// The file is not HDF5, is damaged, or contains no network of NeuroML; it cannot be read; or the text would
/// be longer.
pub fn network_as_xml(
    mut source: impl Read + Seek + Send + 'static,
    most: usize,
    give: &mut dyn FnMut(&str),
) -> Result<(), Hdf5Error> {
    let mut signature = [0; SIGNATURE.len()];
    let beginning =
        (source.seek(SeekFrom::Start(0))).and_then(|_| source.read_exact(&mut signature));
    match beginning {
        Ok(()) if signature == *SIGNATURE => {}
        Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
            return Err(Hdf5Error::NotReadable(error.to_string()));
        }
        _ => return Err(Hdf5Error::NotHdf5),
    }
    let root = file::open(source, most)?;
    let mut text = Text::new(most, give);
    network::write(&root, &mut text)?;
    text.finish();
    Ok(())
}
