use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::{Mark, OutputError, OutputSink, OutputStore};

/// Outputs as files. A file is written as `<path>.partial` and renamed when it is finished, so that
/// nothing incomplete is ever found under the final name. What is no regular file, such as a device,
/// is written on as it is.
#[derive(Clone, Debug, Default)]
pub struct FileStore {
    folder: PathBuf,
    /// Whether all files have to be below the folder.
    confined: bool,
    /// Canonical paths of files that are not to be overwritten.
    inputs: HashSet<PathBuf>,
    /// Outputs by name, and a token that all of one name have until they are closed.
    open: HashMap<PathBuf, Arc<()>>,
    /// Folders that were not there.
    made: Vec<PathBuf>,
}

impl FileStore {
    /// A store whose relative paths start at the working directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store whose relative paths start at `folder`.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            ..Self::default()
        }
    }

    /// The same, without files outside of its folder.
    pub fn confined(self) -> Self {
        Self {
            confined: true,
            ..self
        }
    }

    /// The folders that outputs asked for and that were not there, in the order in which they were made.
    pub fn made_folders(&self) -> &[PathBuf] {
        &self.made
    }

    /// Makes the folder that an output is to be in, unless it is there.
    fn make_folder(&mut self, name: &str) -> Result<(), OutputError> {
        let path = self.folder.join(name);
        let parent = path.parent().unwrap_or(Path::new(""));
        if canonical_folder(parent).is_some() {
            return Ok(());
        }
        if self.confined && !self.would_be_inside(name, parent) {
            let path = name.to_owned();
            return Err(OutputError::Outside { path });
        }
        fs::create_dir_all(parent).map_err(|error| OutputError::MissingFolder {
            path: name.to_owned(),
            folder: parent.display().to_string(),
            reason: error.to_string(),
        })?;
        self.made.push(parent.to_owned());
        Ok(())
    }

    /// Whether a folder that is not there would come to lie in that of the store. What is there of
    /// it may be a link; from there on `..` would lead out again.
    fn would_be_inside(&self, name: &str, folder: &Path) -> bool {
        let leads_up = Path::new(name)
            .components()
            .any(|part| part == Component::ParentDir);
        let own = canonical_folder(&self.folder);
        let nearest = folder.ancestors().find_map(canonical_folder);
        !leads_up
            && own
                .zip(nearest)
                .is_some_and(|(own, nearest)| nearest.starts_with(own))
    }

    /// Outputs may share a path (the one finished last stays), so the second gets a partial name of
    /// its own.
    fn partial_name(&mut self, target: &Path) -> (PathBuf, Arc<()>) {
        let token = self.open.entry(target.to_path_buf()).or_default();
        let mut name = with_suffix(target, ".partial").into_os_string();
        match Arc::strong_count(token) - 1 {
            0 => {}
            earlier => name.push(earlier.to_string()),
        }
        (PathBuf::from(name), Arc::clone(token))
    }

    /// Where an output goes, if it may.
    fn target(&self, name: &str) -> Result<Target, OutputError> {
        let name = || name.to_owned();
        let path = self.folder.join(name());
        if path.is_dir() {
            return Err(OutputError::IsFolder { path: name() });
        }
        let parent = path.parent().unwrap_or(Path::new(""));
        let folder = canonical_folder(parent).ok_or_else(|| OutputError::MissingFolder {
            path: name(),
            folder: parent.display().to_string(),
            reason: "only a run from the start makes folders".to_owned(),
        })?;
        let regular = path.is_file() || !path.exists();
        let outside = || !canonical_folder(&self.folder).is_some_and(|own| folder.starts_with(own));
        if self.confined && (!regular || outside()) {
            return Err(OutputError::Outside { path: name() });
        }
        if self.is_input(&path) {
            return Err(OutputError::IsInput { path: name() });
        }
        Ok(Target {
            path,
            folder,
            regular,
        })
    }

    fn is_input(&self, path: &Path) -> bool {
        fs::canonicalize(path).is_ok_and(|place| self.inputs.contains(&place))
    }
}

struct Target {
    path: PathBuf,
    /// Its folder without links.
    folder: PathBuf,
    /// Whether it is a file, or nothing yet.
    regular: bool,
}

fn canonical_folder(folder: &Path) -> Option<PathBuf> {
    // An empty path is the working directory.
    let folder = fs::canonicalize(Path::new(".").join(folder)).ok()?;
    folder.is_dir().then_some(folder)
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    PathBuf::from(name)
}

/// A new file in place of what has that name: a link there would lead elsewhere.
fn create_anew(path: &Path) -> std::io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => File::create_new(path),
    }
}

impl OutputStore for FileStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        self.make_folder(path)?;
        let target = self.target(path)?;
        let (partial, token) = match target.regular {
            true => self.partial_name(&target.path),
            false => (target.path.clone(), Arc::default()),
        };
        if self.is_input(&partial) {
            return Err(OutputError::IsInput {
                path: path.to_owned(),
            });
        }
        let file = match target.regular {
            true => create_anew(&partial),
            false => File::options().write(true).open(&partial),
        };
        let file = file.map_err(|error| OutputError::Create {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        Ok(Box::new(FileSink {
            path: path.to_owned(),
            target: target.path,
            partial,
            file,
            bytes: 0,
            mark: Mark::default(),
            _token: token,
        }))
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        let target = self.target(path)?;
        if !target.regular {
            // What went to a device or a pipe is where it belongs.
            return self.create(path);
        }
        let (partial, token) = self.partial_name(&target.path);
        match reopened(&target.path, &partial, mark) {
            Ok(file) => Ok(Box::new(FileSink {
                path: path.to_owned(),
                target: target.path,
                partial,
                file,
                bytes: mark.bytes,
                mark: mark.clone(),
                _token: token,
            })),
            Err(problem) => Err(OutputError::NotContinued {
                path: path.to_owned(),
                partial: partial.display().to_string(),
                problem,
            }),
        }
    }

    fn reserve(&mut self, outputs: &[&str], inputs: &[&str]) -> Result<(), OutputError> {
        self.inputs.extend(inputs.iter().flat_map(fs::canonicalize));
        let mut folders = HashSet::new();
        for path in outputs {
            self.make_folder(path)?;
            let target = self.target(path)?;
            if target.regular && folders.insert(target.folder) {
                // What an earlier run left under the partial name stays until this one begins.
                let trial = with_suffix(&target.path, ".trial");
                let created = create_anew(&trial).and_then(|_| fs::remove_file(&trial));
                created.map_err(|error| OutputError::Create {
                    path: (*path).to_owned(),
                    message: error.to_string(),
                })?;
            }
        }
        Ok(())
    }
}

/// The partial file, cut off at the mark; or what is wrong with it. A run may have been ended while
/// it gave its outputs their names: one that ends at the mark is taken back.
fn reopened(target: &Path, partial: &Path, mark: &Mark) -> Result<File, String> {
    let failed = |error: io::Error| format!("cannot be opened: {error}");
    let is_finished =
        !partial.exists() && fs::metadata(target).is_ok_and(|file| file.len() == mark.bytes);
    let place = if is_finished { target } else { partial };
    // A link would lead elsewhere.
    if !fs::symlink_metadata(place).map_err(failed)?.is_file() {
        return Err("is no file".to_owned());
    }
    let mut file = (File::options().read(true).write(true))
        .open(place)
        .map_err(failed)?;
    let mut found = Mark::default();
    found.read((&mut file).take(mark.bytes)).map_err(failed)?;
    if found.bytes < mark.bytes {
        return Err(format!("has {} bytes, and had {}", found.bytes, mark.bytes));
    }
    if found.checksum != mark.checksum {
        return Err("has other content than it had".to_owned());
    }
    file.set_len(mark.bytes).map_err(failed)?;
    file.seek(SeekFrom::End(0)).map_err(failed)?;
    if is_finished {
        fs::rename(target, partial).map_err(failed)?;
    }
    Ok(file)
}

struct FileSink {
    path: String,
    target: PathBuf,
    partial: PathBuf,
    file: File,
    /// How many have been written.
    bytes: u64,
    /// As it was asked for last; what came after it is read back when it is asked for again.
    mark: Mark,
    _token: Arc<()>,
}

impl FileSink {
    /// Brings the file into safety, and the mark to its end.
    fn go_on_marking(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        let mut written = File::open(&self.partial)?;
        written.seek(SeekFrom::Start(self.mark.bytes))?;
        let rest = self.bytes - self.mark.bytes;
        self.mark.read(written.take(rest))?;
        match self.mark.bytes == self.bytes {
            true => Ok(()),
            false => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    fn failed(&self, error: &io::Error) -> OutputError {
        OutputError::Write {
            path: self.path.clone(),
            message: error.to_string(),
        }
    }
}

impl OutputSink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.file.write_all(bytes);
        if let Err(error) = written {
            // A full disk may have taken half a line; what cannot be cut off either stays.
            let _ = self.file.set_len(self.bytes);
            return Err(self.failed(&error));
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        if self.partial != self.target {
            self.go_on_marking().map_err(|error| self.failed(&error))?;
        }
        Ok(self.mark.clone())
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        let Self {
            path,
            target,
            partial,
            file,
            ..
        } = *self;
        drop(file);
        if partial == target {
            return Ok(());
        }
        fs::rename(&partial, &target).map_err(|error| OutputError::Finish {
            path,
            partial: partial.display().to_string(),
            message: error.to_string(),
        })
    }

    fn place(&self) -> Option<String> {
        Some(self.partial.display().to_string())
    }
}
