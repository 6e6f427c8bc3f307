//! The populations of a network, to which other groups refer.

use std::collections::BTreeMap;

use crate::error::Hdf5Error;
use crate::file::Folder;

/// A population, as references to its cells need it.
pub struct Population {
    /// The component of its cells.
    pub component: String,
    /// Whether each instance has its own element.
    pub is_list: bool,
}

/// The populations of a network, by id.
#[derive(Default)]
pub struct Populations(pub BTreeMap<String, Population>);

impl Populations {
    /// The population with this id, to which a group refers.
    ///
    /// # Errors
    /// There is no such population.
    pub fn of(&self, folder: &Folder, id: &str) -> Result<&Population, Hdf5Error> {
        self.0.get(id).ok_or_else(|| Hdf5Error::NoPopulation {
            group: folder.path().to_owned(),
            population: id.escape_debug().to_string(),
        })
    }
}
