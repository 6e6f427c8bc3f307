//! Reads model files from the file system.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use lems_document::SourceReader;

/// Names in a folder that are looked at for a suggestion.
const MOST_NAMES: usize = 10_000;

/// The file system, with paths relative to the working directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSources;

impl SourceReader for FileSources {
    fn read(&self, path: &str, most: usize) -> Result<Option<String>, String> {
        if Path::new(path).is_dir() {
            return Err("it is a folder, not a file".to_owned());
        }
        match beginning(path, most) {
            Ok(bytes) if is_hdf5(path, &bytes) => from_hdf5(bytes, most).map(Some),
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                // Latin-1: what older tools write where a name has an accent.
                Err(error) => Ok(Some(
                    error.into_bytes().into_iter().map(char::from).collect(),
                )),
            },
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
            {
                Ok(None)
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        let folder = Path::new(".").join(Path::new(path).parent().unwrap_or(Path::new("")));
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .take(MOST_NAMES)
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let (path, slash) = (entry.path(), if entry.path().is_dir() { "/" } else { "" });
                (path.is_file() || path.is_dir()).then(|| name + slash)
            })
            .collect()
    }

    fn canonical(&self, path: &str) -> String {
        match fs::canonicalize(path) {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_) => path.to_owned(),
        }
    }
}

/// Whether a file is HDF5, or means to be.
fn is_hdf5(path: &str, bytes: &[u8]) -> bool {
    bytes.starts_with(lems_hdf5::SIGNATURE) || path.ends_with(".h5")
}

fn from_hdf5(bytes: Vec<u8>, most: usize) -> Result<String, String> {
    if bytes.len() > most {
        return Err(format!("it has more than {most} bytes"));
    }
    lems_hdf5::network_as_xml(bytes, most).map_err(|error| error.to_string())
}

/// A file, or one byte more than `most` of it.
fn beginning(path: &str, most: usize) -> std::io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let wanted = (most as u64).saturating_add(1);
    let mut bytes = Vec::with_capacity(file.metadata()?.len().min(wanted) as usize);
    file.take(wanted).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The file system inside a few folders: all else is not there, whatever leads to it.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    folders: Vec<PathBuf>,
}

impl Sandbox {
    /// The folder of a file, and others.
    pub fn around(file: &str, others: &[String]) -> Sandbox {
        let own = Path::new(file).parent().unwrap_or(Path::new(""));
        // An empty path is the working directory.
        let own = Path::new(".").join(own);
        let folders = [own].into_iter().chain(others.iter().map(PathBuf::from));
        Sandbox {
            folders: folders.flat_map(fs::canonicalize).collect(),
        }
    }
}

impl SourceReader for Sandbox {
    fn read(&self, path: &str, most: usize) -> Result<Option<String>, String> {
        let Ok(place) = fs::canonicalize(path) else {
            return Ok(None);
        };
        // A pipe or a device may never end.
        let ends = place.is_file() || place.is_dir();
        let inside = self.folders.iter().any(|folder| place.starts_with(folder));
        match inside && ends {
            true => FileSources.read(&place.to_string_lossy(), most),
            false => Ok(None),
        }
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        let folder = Path::new(".").join(Path::new(path).parent().unwrap_or(Path::new("")));
        let place = fs::canonicalize(folder);
        let is_inside = |place: &PathBuf| self.folders.iter().any(|own| place.starts_with(own));
        match place.as_ref().is_ok_and(is_inside) {
            true => FileSources.names_beside(path),
            false => Vec::new(),
        }
    }

    fn canonical(&self, path: &str) -> String {
        FileSources.canonical(path)
    }
}
