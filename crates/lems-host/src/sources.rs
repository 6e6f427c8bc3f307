//! Reads model files from the file system.

use std::fs::{self, File, FileType};
use std::io::{self, Cursor, ErrorKind, Read, Seek, Take};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use lems_document::{Condenser, SourceReader, SourceText};

/// Names in a folder that are looked at for a suggestion.
const MOST_NAMES: usize = 10_000;
/// Bytes that are read at once.
const PIECE: usize = 1 << 18;
/// Bytes that a file may have to be read in one call of the system.
const SMALL: usize = 1 << 15;
/// Most bytes of a pipe or a device.
const ENDLESS: usize = 256 << 20;
/// Why a folder is not read.
const FOLDER: &str = "it is a folder, not a file";

/// The file system, with paths relative to the working directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSources;

impl SourceReader for FileSources {
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String> {
        let kind = fs::metadata(path).map(|about| about.file_type());
        if kind.as_ref().is_ok_and(FileType::is_dir) {
            return Err(FOLDER.to_owned());
        }
        // What is no file may never end.
        if most > ENDLESS && kind.is_ok_and(|kind| !kind.is_file()) {
            let text = source_text(path, File::open(path), ENDLESS)?;
            return match text {
                Some(text) if text.len() > ENDLESS => {
                    Err(format!("it is no file, and has more than {ENDLESS} bytes"))
                }
                text => Ok(text),
            };
        }
        source_text(path, File::open(path), most)
    }

    fn may_exist(&self, path: &str) -> bool {
        Path::new(path).try_exists().unwrap_or(true)
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(folder_of(path))
            .into_iter()
            .flatten()
            .flatten();
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

/// The folder that a file is in.
fn folder_of(path: &str) -> PathBuf {
    // An empty path is the working directory.
    Path::new(".").join(Path::new(path).parent().unwrap_or(Path::new("")))
}

/// Whether a file is HDF5, or means to be.
fn is_hdf5(path: &str, bytes: &[u8]) -> bool {
    bytes.starts_with(lems_hdf5::SIGNATURE) || path.ends_with(".h5")
}

/// The text of a network in a file, of which the first bytes were read.
fn from_hdf5(file: Take<File>, mut bytes: Vec<u8>, most: usize) -> Result<SourceText, String> {
    let message = |error: io::Error| error.to_string();
    let too_large = || Err(format!("it has more than {most} bytes"));
    let about = file.get_ref().metadata().map_err(message)?;
    if about.is_file() {
        return match about.len() > most as u64 {
            true => too_large(),
            false => from_source(file.into_inner(), most),
        };
    }
    // The library reads here and there, which is impossible in a pipe: take all bytes first.
    let mut file = file;
    file.read_to_end(&mut bytes).map_err(message)?;
    match bytes.len() > most {
        true => too_large(),
        false => from_source(Cursor::new(bytes), most),
    }
}

fn from_source(
    source: impl Read + Seek + Send + 'static,
    most: usize,
) -> Result<SourceText, String> {
    let mut text = Condenser::default();
    let read = lems_hdf5::network_as_xml(source, most, &mut |piece| text.push(piece));
    read.map_err(|error| error.to_string())?;
    Ok(text.finish())
}

/// The text of a file that is no HDF5.
fn whole_text(bytes: io::Result<Vec<u8>>) -> Result<Option<SourceText>, String> {
    match bytes {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text.into())),
            // Latin-1: what older tools write where a name has an accent.
            Err(error) => {
                let letters = error.into_bytes().into_iter().map(char::from);
                Ok(Some(letters.collect::<String>().into()))
            }
        },
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The text of a file. It is read piece by piece, so that a large one is never in memory as a whole.
fn source_text(
    path: &str,
    file: io::Result<File>,
    most: usize,
) -> Result<Option<SourceText>, String> {
    let mut file = match file {
        Ok(file) => file.take((most as u64).saturating_add(1)),
        Err(error) => return whole_text(Err(error)),
    };
    let mut text = Condenser::default();
    // Most files have a few thousand bytes, and then take one call of the system. A large one makes its own room.
    let mut bytes = Vec::with_capacity(SMALL);
    loop {
        let read = (&mut file).take(PIECE as u64).read_to_end(&mut bytes);
        let read = match read {
            Ok(read) => read,
            Err(error) => return whole_text(Err(error)),
        };
        if text.is_empty() && is_hdf5(path, &bytes) {
            return from_hdf5(file, bytes, most).map(Some);
        }
        let piece = valid_beginning(&bytes);
        let is_text = bytes.len() - piece.len() < 4;
        if !is_text || read == 0 && !bytes.is_empty() {
            // It is not text in UTF-8: begin anew with all bytes.
            let mut all = text.finish().as_bytes().to_vec();
            all.append(&mut bytes);
            let rest = file.read_to_end(&mut all);
            return whole_text(rest.map(|_| all));
        }
        text.push(piece);
        let valid = piece.len();
        bytes.drain(..valid);
        if read == 0 {
            return Ok(Some(text.finish()));
        }
    }
}

/// The beginning of some bytes that is text in UTF-8.
fn valid_beginning(bytes: &[u8]) -> &str {
    let beginning = match str::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => bytes.get(..error.valid_up_to()),
    };
    str::from_utf8(beginning.unwrap_or_default()).unwrap_or_default()
}

/// A file, or one byte more than `most` of it.
fn beginning(file: File, most: usize) -> io::Result<Vec<u8>> {
    let wanted = (most as u64).saturating_add(1);
    let expected = file.metadata()?.len().min(wanted);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(most));
    file.take(wanted).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The bytes of a file that is no model, such as a table or an output. A device such as `/dev/zero` never ends, so
/// a file may have at most a quarter of the bytes of memory that this process may use.
///
/// # Errors
/// The file cannot be read, or is larger.
pub fn bytes_of(path: &Path) -> io::Result<Vec<u8>> {
    let most = crate::memory::most().map_or(usize::MAX, |bytes| bytes / 4);
    let bytes = beginning(File::open(path)?, most)?;
    if bytes.len() > most {
        let message =
            format!("it has more than {most} bytes, a quarter of the memory that may be used");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// The text of a file that is no model, with the bounds of [`bytes_of`].
///
/// # Errors
/// Those of [`bytes_of`]; the bytes are not UTF-8.
pub fn text_of(path: &Path) -> io::Result<String> {
    let text = String::from_utf8(bytes_of(path)?);
    text.map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not text in UTF-8"))
}

/// The file system inside a few folders. No link leads out of them, even if it is changed while a file is opened.
#[derive(Debug, Clone, Default)]
pub struct Sandbox {
    /// The paths have no links. The folders are open, so that a path cannot come to mean another folder.
    folders: Vec<(PathBuf, Arc<Dir>)>,
}

impl Sandbox {
    /// The folder of a file, and others.
    pub fn around(file: &str, others: &[String]) -> Sandbox {
        let own = folder_of(file);
        let folders = [own].into_iter().chain(others.iter().map(PathBuf::from));
        let open = folders.flat_map(fs::canonicalize).filter_map(|path| {
            let open = Dir::open_ambient_dir(&path, ambient_authority()).ok()?;
            Some((path, Arc::new(open)))
        });
        Sandbox {
            folders: open.collect(),
        }
    }

    /// A folder of the sandbox, and the path in it without links that leads to the same as `path`.
    fn inside(&self, path: &Path) -> Option<(&Dir, PathBuf)> {
        let place = fs::canonicalize(path).ok()?;
        self.folders.iter().find_map(|(folder, open)| {
            let below = place.strip_prefix(folder).ok()?;
            Some((&**open, Path::new(".").join(below)))
        })
    }
}

impl Sandbox {
    /// Opens a file in the sandbox. None if there is none.
    fn open(&self, path: &str) -> Result<Option<File>, String> {
        let Some((folder, below)) = self.inside(Path::new(path)) else {
            return Ok(None);
        };
        // A pipe or a device may never end.
        match folder.metadata(&below) {
            Ok(found) if found.is_dir() => return Err(FOLDER.to_owned()),
            Ok(found) if found.is_file() => {}
            _ => return Ok(None),
        }
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            // If it has become a pipe since, opening it does not wait for the other end.
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        }
        let file = folder.open_with(&below, &options);
        Ok(file.ok().map(cap_std::fs::File::into_std))
    }
}

impl SourceReader for Sandbox {
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String> {
        match self.open(path)? {
            Some(file) => source_text(path, Ok(file), most),
            None => Ok(None),
        }
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        let Some((folder, below)) = self.inside(&folder_of(path)) else {
            return Vec::new();
        };
        let entries = folder.read_dir(below).into_iter().flatten().flatten();
        entries
            .take(MOST_NAMES)
            .filter_map(|entry| {
                let (kind, name) = (
                    entry.file_type().ok()?,
                    entry.file_name().into_string().ok()?,
                );
                let slash = if kind.is_dir() { "/" } else { "" };
                (kind.is_file() || kind.is_dir()).then(|| name + slash)
            })
            .collect()
    }

    fn canonical(&self, path: &str) -> String {
        FileSources.canonical(path)
    }
}
