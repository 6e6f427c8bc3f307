//! Which file a name means, whatever leads to it.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use lems_output::OutputError;

/// Most links that lead to a file one after another, as Linux has it.
const MOST_LINKS: usize = 40;
/// Most bytes of a name in a folder.
const LONGEST_NAME: usize = 255;
/// Where the files are that processes have open; their links lead to what has no other name.
const OPEN_FILES: &str = "/proc";

/// What an output is written to.
#[derive(Debug)]
pub(super) enum Place {
    /// A regular file, or nothing yet.
    File(FilePlace),
    /// A device, a pipe or an open file: written on as it is.
    Stream(PathBuf),
}

/// A name in an open folder. It stays the same file even if the path to the folder is changed meanwhile.
#[derive(Debug, Clone)]
pub(super) struct FilePlace {
    pub key: Key,
    folder: Arc<Dir>,
    /// The folder as people know it.
    shown: PathBuf,
}

/// A folder without links, and a name in it that is no link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    folder: PathBuf,
    pub name: OsString,
}

impl Key {
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// Another name in the same folder.
    pub fn beside(&self, name: impl Into<OsString>) -> Key {
        Key {
            folder: self.folder.clone(),
            name: name.into(),
        }
    }
}

impl FilePlace {
    /// Makes a file that was not there.
    pub fn create_new(&self, name: &OsStr) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        Ok(self.folder.open_with(name, &options)?.into_std())
    }

    /// Opens a regular file of the folder.
    pub fn open(&self, name: &OsStr, writes: bool) -> io::Result<File> {
        // A link would lead elsewhere, and a pipe would be waited for.
        if !self.folder.symlink_metadata(name)?.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let mut options = OpenOptions::new();
        options.read(true).write(writes);
        Ok(self.folder.open_with(name, &options)?.into_std())
    }

    /// Bytes of a file of the folder; None if there is none.
    pub fn length(&self, name: &OsStr) -> Option<u64> {
        let file = self.folder.symlink_metadata(name).ok()?;
        file.is_file().then(|| file.len())
    }

    pub fn rename(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        self.folder.rename(from, &self.folder, to)
    }

    pub fn remove(&self, name: &OsStr) -> io::Result<()> {
        self.folder.remove_file(name)
    }

    /// A file of the folder as people know it.
    pub fn shown(&self, name: &OsStr) -> String {
        self.shown.join(name).display().to_string()
    }

    /// Whether a file can be made in the folder; makes none that has a name.
    pub fn try_folder(&self) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{Access, AtFlags, Mode, OFlags, accessat, openat};
            use rustix::io::Errno;

            let nameless = OFlags::TMPFILE | OFlags::WRONLY | OFlags::CLOEXEC;
            match openat(&*self.folder, ".", nameless, Mode::RUSR | Mode::WUSR) {
                Ok(_) => {}
                // Not every file system has files without a name.
                Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                    let rights = Access::WRITE_OK | Access::EXEC_OK;
                    accessat(&*self.folder, ".", rights, AtFlags::EACCESS)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// The names under which the file may grow: the first, and one for each number.
    pub fn partial_name(&self, number: usize) -> OsString {
        let suffix = match number {
            0 => String::new(),
            more => more.to_string(),
        };
        partial_name(&self.key.name, &suffix)
    }

    /// Whether a name is one of those under which the file may grow.
    pub fn is_partial_name(&self, name: &str) -> bool {
        let digits = name.rsplit_once(".partial").map(|(_, digits)| digits);
        digits.is_some_and(|digits| {
            digits.bytes().all(|byte| byte.is_ascii_digit())
                && partial_name(&self.key.name, digits) == name
        })
    }
}

/// The name with `.partial` and a number, cut short if it were too long for a file system.
fn partial_name(name: &OsStr, number: &str) -> OsString {
    let suffix = format!(".partial{number}");
    let whole = name.len() + suffix.len();
    let mut partial = match name.to_str() {
        Some(text) if whole > LONGEST_NAME => {
            let end = text.floor_char_boundary(LONGEST_NAME.saturating_sub(suffix.len()));
            OsString::from(text.get(..end).unwrap_or_default())
        }
        _ => name.to_owned(),
    };
    partial.push(suffix);
    partial
}

/// Files that are not to be overwritten, under any of their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Inputs {
    paths: HashSet<PathBuf>,
    identities: HashSet<Identity>,
}

impl Inputs {
    pub fn add(&mut self, path: &Path) {
        self.paths.extend(fs::canonicalize(path));
        self.identities.extend(identity_at(path));
    }

    pub fn contain(&self, path: &Path) -> bool {
        self.paths.contains(path)
            || identity_at(path).is_some_and(|file| self.identities.contains(&file))
    }
}

/// Device and number of a file: the same for all its names.
pub(super) type Identity = (u64, u64);

/// That of what is at a path, if anything is.
pub(super) fn identity_at(path: &Path) -> Option<Identity> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let file = fs::metadata(path).ok()?;
        Some((file.dev(), file.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = path;
        None
    }
}

/// Where names lead.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The folder that must contain everything, and its path without links. None if there is no such folder.
    root: Option<(PathBuf, Arc<Dir>)>,
    confined: bool,
    /// The open folders. Each is opened once, because a process can have few open files.
    folders: HashMap<PathBuf, Arc<Dir>>,
}

impl Places {
    /// Those below a folder alone.
    pub fn below(folder: &Path) -> Places {
        let root = canonical_folder(folder).and_then(|path| {
            let open = Dir::open_ambient_dir(&path, ambient_authority()).ok()?;
            Some((path, Arc::new(open)))
        });
        Places {
            root,
            confined: true,
            folders: HashMap::new(),
        }
    }

    /// What `path` leads to, which the model calls `name`.
    pub fn find(&mut self, name: &str, path: &Path) -> Result<Place, OutputError> {
        let outside = || OutputError::Outside {
            path: name.to_owned(),
        };
        let failed = |message: String| OutputError::Create {
            path: name.to_owned(),
            message,
        };
        let (key, shown) = followed(name, path)?;
        let at = key.path();
        let found = match fs::metadata(&at) {
            Ok(found) => Some(found),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error.to_string())),
        };
        if found.as_ref().is_some_and(Metadata::is_dir) {
            return Err(OutputError::IsFolder {
                path: name.to_owned(),
            });
        }
        if at.is_symlink() || found.as_ref().is_some_and(|found| !found.is_file()) {
            if self.confined {
                return Err(outside());
            }
            return match found.as_ref().and_then(unfit) {
                Some(what) => Err(failed(format!("it is {what}"))),
                None => Ok(Place::Stream(at)),
            };
        }
        let folder = match &self.root {
            _ if !self.confined => self.folder(&key.folder),
            Some((root, open)) => {
                let below = key.folder.strip_prefix(root).map_err(|_| outside())?;
                match below == Path::new("") {
                    true => Ok(Arc::clone(open)),
                    // Found below it again: a link may have been put there meanwhile.
                    false => open.open_dir(below).map(Arc::new),
                }
            }
            None => return Err(outside()),
        };
        Ok(Place::File(FilePlace {
            folder: folder.map_err(|error| failed(error.to_string()))?,
            key,
            shown,
        }))
    }

    /// Makes the folder of `path`, which the model calls `name`, with all folders around it. Gives those
    /// that were not there, the innermost first.
    pub fn make_folder(&self, name: &str, path: &Path) -> Result<Vec<PathBuf>, OutputError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        let missing = (folder.ancestors()).take_while(|level| canonical_folder(level).is_none());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        if missing.is_empty() {
            return Ok(missing);
        }
        let made = if self.confined {
            let (root, below) = self.missing_below(folder).ok_or(OutputError::Outside {
                path: name.to_owned(),
            })?;
            root.create_dir_all(below)
        } else {
            fs::create_dir_all(folder)
        };
        match made {
            Ok(()) => Ok(missing),
            Err(error) => Err(OutputError::MissingFolder {
                path: name.to_owned(),
                folder: folder.display().to_string(),
                reason: error.to_string(),
            }),
        }
    }

    /// Removes a folder if nothing is in it.
    pub fn remove_empty_folder(&self, folder: &Path) {
        // A folder with something in it is not removed; neither is one that is gone.
        let _ = match &self.root {
            _ if !self.confined => fs::remove_dir(folder),
            Some((root, open)) => match canonical_folder(folder) {
                Some(found) => {
                    (found.strip_prefix(root)).map_or(Ok(()), |below| open.remove_dir(below))
                }
                None => Ok(()),
            },
            None => Ok(()),
        };
    }

    /// The root, and the path below it of a folder that is not there; None if it would be elsewhere.
    /// What is there of it may be a link; from there on `..` would lead out again.
    fn missing_below(&self, folder: &Path) -> Option<(&Dir, PathBuf)> {
        let (root, open) = self.root.as_ref()?;
        let (there, found) = folder
            .ancestors()
            .find_map(|there| Some((there, canonical_folder(there)?)))?;
        let missing = folder.strip_prefix(there).ok()?;
        let leads_up = missing
            .components()
            .any(|part| part == Component::ParentDir);
        let below = found.strip_prefix(root).ok()?;
        (!leads_up).then(|| (&**open, below.join(missing)))
    }

    fn folder(&mut self, path: &Path) -> io::Result<Arc<Dir>> {
        if let Some(open) = self.folders.get(path) {
            return Ok(Arc::clone(open));
        }
        let open = Arc::new(Dir::open_ambient_dir(path, ambient_authority())?);
        self.folders.insert(path.to_owned(), Arc::clone(&open));
        Ok(open)
    }
}

/// The file at the end of a path and all links, and its folder as people know it.
fn followed(name: &str, path: &Path) -> Result<(Key, PathBuf), OutputError> {
    let is_folder = || OutputError::IsFolder {
        path: name.to_owned(),
    };
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        if path.is_dir() {
            return Err(is_folder());
        }
        let file = path.file_name().ok_or_else(is_folder)?.to_owned();
        let parent = path.parent().unwrap_or(Path::new(""));
        let folder = canonical_folder(parent).ok_or_else(|| OutputError::MissingFolder {
            path: name.to_owned(),
            folder: parent.display().to_string(),
            reason: "only a run from the start makes folders, and none that links lead to"
                .to_owned(),
        })?;
        let key = Key { folder, name: file };
        match fs::read_link(key.path()) {
            Ok(target) if !key.folder.starts_with(OPEN_FILES) => path = key.folder.join(target),
            _ => return Ok((key, parent.to_owned())),
        }
    }
    Err(OutputError::Create {
        path: name.to_owned(),
        message: "too many links lead to one another".to_owned(),
    })
}

fn canonical_folder(folder: &Path) -> Option<PathBuf> {
    // An empty path is the working directory.
    let folder = fs::canonicalize(Path::new(".").join(folder)).ok()?;
    folder.is_dir().then_some(folder)
}

/// What can be no output, although it is no folder.
fn unfit(file: &Metadata) -> Option<&'static str> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if file.file_type().is_socket() {
            return Some("a socket");
        }
        if file.file_type().is_block_device() {
            return Some("a disk");
        }
    }
    let _ = file;
    None
}

/// Opens a stream or device, to which output is written directly. The standard streams are those of the
/// program, so messages come after the output instead of overwriting it.
pub(super) fn open_stream(path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let own = PathBuf::from(format!("{OPEN_FILES}/{}/fd", std::process::id()));
        if path == own.join("1") {
            return Ok(io::stdout().as_fd().try_clone_to_owned()?.into());
        }
        if path == own.join("2") {
            return Ok(io::stderr().as_fd().try_clone_to_owned()?.into());
        }
    }
    File::options().append(true).open(path)
}
