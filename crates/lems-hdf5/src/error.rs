//! Why a file gives no network.

use thiserror::Error;

/// What is wrong with an HDF5 file; each message can follow "cannot read `file`: ".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum Hdf5Error {
    /// No HDF5 file at all.
    #[error("it is no HDF5 file: it does not begin with HDF5's signature")]
    NotHdf5,
    /// The bytes contradict the format.
    #[error("its HDF5 is broken, or not complete: {0}")]
    Broken(String),
    /// A table that says that it has more numbers than the file can hold.
    #[error("its HDF5 is broken: the table `{table}` is larger than the file")]
    Inflated { table: String },
    /// An HDF5 file of something else.
    #[error(
        "it is HDF5, but holds no network of NeuroML: there is no group `{missing}` (libNeuroML's \
         NeuroMLHdf5Writer writes it)"
    )]
    NoNetwork { missing: &'static str },
    /// A group without an attribute that it needs.
    #[error("the group `{group}` has no attribute `{attribute}`")]
    NoAttribute { group: String, attribute: String },
    /// An attribute that holds something else than expected.
    #[error("the attribute `{attribute}` of the group `{group}` is {found}, not {expected}")]
    WrongAttribute {
        group: String,
        attribute: &'static str,
        found: String,
        expected: &'static str,
    },
    /// A projection or input list on a population that is not there.
    #[error("the group `{group}` is about `{population}`, which is no population of the network")]
    NoPopulation { group: String, population: String },
    /// A data set that is no table of numbers.
    #[error("`{table}` is no table of numbers with rows and at most {most} columns")]
    NoTable { table: String, most: u64 },
    /// A table that lacks a column.
    #[error("the table `{table}` has no column `{column}`")]
    NoColumn { table: String, column: &'static str },
    /// The XML that a file brings along for everything but the network.
    #[error("its `neuroml_top_level` is no NeuroML document")]
    NoTopLevel,
    /// A character that XML does not have.
    #[error("an attribute or a name in it has a character that XML does not allow")]
    NoXmlCharacter,
    /// More text than allowed.
    #[error("as XML it has more than {limit} bytes")]
    TooLarge { limit: usize },
}
