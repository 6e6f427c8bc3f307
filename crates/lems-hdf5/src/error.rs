//! Errors in HDF5 files.

use thiserror::Error;

/// An error in an HDF5 file. Each message can follow "cannot read `file`: ".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum Hdf5Error {
    /// The file was not given: an error of the disk, of the network, or because it became shorter.
    #[error("{0}")]
    NotReadable(String),
    /// The file is not HDF5.
    #[error("it is no HDF5 file: it does not begin with HDF5's signature")]
    NotHdf5,
    /// The bytes violate the format.
    #[error("its HDF5 is broken, or not complete: {0}")]
    Broken(String),
    /// A table claims more numbers than the file can hold.
    #[error("its HDF5 is broken: the table `{table}` is larger than the file")]
    Inflated { table: String },
    /// The file is HDF5, but does not contain a network.
    #[error(
        "it is HDF5, but holds no network of NeuroML: there is no group `{missing}` (libNeuroML's \
         NeuroMLHdf5Writer writes it)"
    )]
    NoNetwork { missing: &'static str },
    /// A group lacks a required attribute.
    #[error("the group `{group}` has no attribute `{attribute}`")]
    NoAttribute { group: String, attribute: String },
    /// An attribute has an unexpected value.
    #[error("the attribute `{attribute}` of the group `{group}` is {found}, not {expected}")]
    WrongAttribute {
        group: String,
        attribute: &'static str,
        found: String,
        expected: &'static str,
    },
    /// A projection or input list names a population that does not exist.
    #[error("the group `{group}` is about `{population}`, which is no population of the network")]
    NoPopulation { group: String, population: String },
    /// A data set is not a table of numbers.
    #[error("`{table}` is no table of numbers with rows and at most {most} columns")]
    NoTable { table: String, most: u64 },
    /// A table lacks a column.
    #[error("the table `{table}` has no column `{column}`")]
    NoColumn { table: String, column: &'static str },
    /// The file contains XML for everything except the network, but it is not a NeuroML document.
    #[error("its `neuroml_top_level` is no NeuroML document")]
    NoTopLevel,
    /// A text contains a character that XML does not allow.
    #[error("an attribute or a name in it has a character that XML does not allow")]
    NoXmlCharacter,
    /// The text of the network would be larger than allowed.
    #[error("as XML it has more than {limit} bytes")]
    TooLarge { limit: usize },
}
