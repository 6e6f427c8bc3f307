mod place;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use lems_output::{Mark, OutputError, OutputSink, OutputStore};
use place::{FilePlace, Identity, Inputs, Key, Place, Places, identity_at, open_stream};

/// Outputs as files. A file is written as `<path>.partial`, or with a number after it if that is
/// there, and renamed when it is finished, so that nothing incomplete is ever found under the final
/// name. Links are followed: the file that they lead to is replaced. What is no regular file, such
/// as a device or a pipe, is written on as it is.
#[derive(Clone, Debug, Default)]
pub struct FileStore {
    folder: PathBuf,
    places: Places,
    /// Files that are not to be overwritten.
    inputs: Inputs,
    /// Who writes which file.
    outputs: HashMap<Key, String>,
    /// The same for those that are there, whatever they are called.
    identities: HashMap<Identity, String>,
    /// Folders that outputs asked for and that were not there.
    made: Vec<PathBuf>,
    /// The same folders and those around them, outer folders first.
    made_levels: Vec<PathBuf>,
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

    /// The same, without files outside of its folder, which has to be there.
    pub fn confined(self) -> Self {
        Self {
            places: Places::below(&self.folder),
            ..self
        }
    }

    /// The folders that outputs asked for and that were not there, in the order in which they were made.
    pub fn made_folders(&self) -> &[PathBuf] {
        &self.made
    }

    /// Removes the folders that were made for outputs and are empty, because the run was refused.
    pub fn remove_empty_folders(&mut self) {
        for folder in &self.made_levels {
            self.places.remove_empty_folder(folder);
        }
        self.made_levels.retain(|folder| folder.is_dir());
        self.made.retain(|folder| folder.is_dir());
    }

    /// Leaves a file, relative to the working directory, to another store: no output may have it.
    ///
    /// # Errors
    /// One of the outputs has it.
    pub fn leave(&mut self, path: &str) -> Result<(), OutputError> {
        if let Ok(Place::File(place)) = Places::default().find(path, Path::new(path)) {
            self.hold(path, &place)?;
        }
        Ok(())
    }

    /// The bytes of an output that is complete, if it is a file.
    pub fn read(&mut self, path: &str) -> Option<Vec<u8>> {
        let Ok(Place::File(place)) = self.target(path) else {
            return None;
        };
        let mut bytes = Vec::new();
        let mut file = place.open(&place.key.name, false).ok()?;
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The same as [`FileStore::target`], in a folder that is made if it is not there.
    fn target_in_folder(&mut self, name: &str) -> Result<Place, OutputError> {
        let made = self.places.make_folder(name, &self.folder.join(name))?;
        self.made.extend(made.first().cloned());
        // A later folder may be inside an earlier one, and is removed before it.
        self.made_levels.splice(..0, made);
        self.target(name)
    }

    /// Where an output goes, if it may.
    fn target(&mut self, name: &str) -> Result<Place, OutputError> {
        let place = self.places.find(name, &self.folder.join(name))?;
        let is_input = match &place {
            Place::Stream(path) => self.inputs.contain(path),
            Place::File(place) => {
                let partial = place.key.beside(place.partial_name(0));
                self.inputs.contain(&place.key.path()) || self.inputs.contain(&partial.path())
            }
        };
        match is_input {
            true => Err(OutputError::IsInput {
                path: name.to_owned(),
            }),
            false => Ok(place),
        }
    }

    /// Notes that an output is written to a place. Returns the output that already is, if there is one.
    fn hold(&mut self, name: &str, place: &FilePlace) -> Result<Option<String>, OutputError> {
        if let Some(earlier) = self.outputs.get(&place.key) {
            return Ok(Some(earlier.clone()));
        }
        self.outputs.insert(place.key.clone(), name.to_owned());
        let Some(identity) = identity_at(&place.key.path()) else {
            return Ok(None);
        };
        match self.identities.entry(identity) {
            Entry::Vacant(free) => {
                free.insert(name.to_owned());
                Ok(None)
            }
            Entry::Occupied(earlier) => Err(OutputError::SameFile {
                path: name.to_owned(),
                other: earlier.get().clone(),
            }),
        }
    }

    /// A new file that an output grows in, and its name.
    fn create_partial(&self, place: &FilePlace) -> io::Result<(OsString, File)> {
        let mut number = 0;
        loop {
            let name = place.partial_name(number);
            number += 1;
            // An output of that name will be there in the end.
            if self.outputs.contains_key(&place.key.beside(&*name)) {
                continue;
            }
            match place.create_new(&name) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                created => return Ok((name, created?)),
            }
        }
    }
}

impl OutputStore for FileStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        let failed = |error: io::Error| OutputError::Create {
            path: path.to_owned(),
            message: error.to_string(),
        };
        let place = match self.target_in_folder(path)? {
            Place::File(place) => place,
            Place::Stream(at) => {
                return Ok(Box::new(StreamSink {
                    path: path.to_owned(),
                    file: open_stream(&at).map_err(failed)?,
                }));
            }
        };
        let (partial, file) = self.create_partial(&place).map_err(failed)?;
        let mark = Mark {
            partial: partial.to_string_lossy().into_owned(),
            ..Mark::default()
        };
        Ok(Box::new(FileSink {
            path: path.to_owned(),
            place,
            partial,
            file,
            bytes: 0,
            mark,
        }))
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        let Place::File(place) = self.target(path)? else {
            // What went to a device or a pipe is where it belongs.
            return self.create(path);
        };
        match reopened(&place, mark) {
            Ok(file) => Ok(Box::new(FileSink {
                path: path.to_owned(),
                place,
                partial: OsString::from(&mark.partial),
                file,
                bytes: mark.bytes,
                mark: mark.clone(),
            })),
            Err(problem) => Err(OutputError::NotContinued {
                path: path.to_owned(),
                partial: place.shown(OsStr::new(&mark.partial)),
                problem,
            }),
        }
    }

    fn reserve(
        &mut self,
        outputs: &[&str],
        inputs: &[&str],
    ) -> Result<Vec<[usize; 2]>, OutputError> {
        for input in inputs {
            self.inputs.add(Path::new(input));
        }
        let mut shared = Vec::new();
        let mut seen: HashMap<Key, usize> = HashMap::new();
        for (number, path) in outputs.iter().enumerate() {
            let Place::File(place) = self.target_in_folder(path)? else {
                continue;
            };
            if let Some(earlier) = seen.insert(place.key.clone(), number) {
                shared.push([earlier, number]);
                continue;
            }
            if let Some(other) = self.hold(path, &place)? {
                return Err(OutputError::SameFile {
                    path: (*path).to_owned(),
                    other,
                });
            }
            place.try_folder().map_err(|error| OutputError::Create {
                path: (*path).to_owned(),
                message: error.to_string(),
            })?;
        }
        Ok(shared)
    }
}

/// The partial file, cut off at the mark; or what is wrong with it. A run may have been ended while
/// it gave its outputs their names: one that ends at the mark is taken back.
fn reopened(place: &FilePlace, mark: &Mark) -> Result<File, String> {
    let failed = |error: io::Error| format!("cannot be opened: {error}");
    if !place.is_partial_name(&mark.partial) {
        return Err("is no name under which it is written".to_owned());
    }
    let (partial, target) = (OsStr::new(&mark.partial), &*place.key.name);
    let is_finished = place.length(partial).is_none() && place.length(target) == Some(mark.bytes);
    let name = if is_finished { target } else { partial };
    let mut file = place.open(name, true).map_err(failed)?;
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
        place.rename(target, partial).map_err(failed)?;
    }
    Ok(file)
}

fn failed_write(path: &str, error: &io::Error) -> OutputError {
    OutputError::Write {
        path: path.to_owned(),
        message: error.to_string(),
    }
}

struct FileSink {
    path: String,
    place: FilePlace,
    partial: OsString,
    file: File,
    /// How many have been written.
    bytes: u64,
    /// The mark that was asked for last. When it is asked for again, the bytes after it are read from the file.
    mark: Mark,
}

impl FileSink {
    /// Writes the file to disk, and moves the mark to its end.
    fn go_on_marking(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        let mut written = self.place.open(&self.partial, false)?;
        written.seek(SeekFrom::Start(self.mark.bytes))?;
        let rest = self.bytes - self.mark.bytes;
        self.mark.read(written.take(rest))?;
        match self.mark.bytes == self.bytes {
            true => Ok(()),
            false => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl OutputSink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        if let Err(error) = self.file.write_all(bytes) {
            // A full disk may have taken full lines, which stay, and half a line. What cannot be cut
            // off either stays too.
            let reached = self.file.stream_position().unwrap_or(self.bytes);
            let taken = usize::try_from(reached.saturating_sub(self.bytes)).unwrap_or(0);
            let taken = bytes.get(..taken).unwrap_or_default();
            let end_of_line = taken.iter().rposition(|byte| *byte == b'\n');
            self.bytes += end_of_line.map_or(0, |place| place as u64 + 1);
            let _ = self.file.set_len(self.bytes);
            return Err(failed_write(&self.path, &error));
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        self.go_on_marking()
            .map_err(|error| failed_write(&self.path, &error))?;
        Ok(self.mark.clone())
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        let Self {
            path,
            place,
            partial,
            file,
            ..
        } = *self;
        // Systems stamp files with a clock that lags by some milliseconds. Scripts compare the stamp with the time at which
        // they started the run, which may be later. Where the stamp cannot be set, it lags as ever.
        let _ = file.set_modified(SystemTime::now());
        drop(file);
        (place.rename(&partial, &place.key.name)).map_err(|error| OutputError::Finish {
            path,
            partial: place.shown(&partial),
            message: error.to_string(),
        })
    }

    fn discard(self: Box<Self>) {
        // A file that cannot be removed stays, as one of a run that ended early does.
        let _ = self.place.remove(&self.partial);
    }

    fn place(&self) -> Option<String> {
        Some(self.place.shown(&self.partial))
    }
}

/// What is no regular file: it gives nothing back and gets no other name.
struct StreamSink {
    path: String,
    file: File,
}

impl OutputSink for StreamSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.file.write_all(bytes);
        written.map_err(|error| failed_write(&self.path, &error))
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        Ok(Mark::default())
    }

    fn finish(self: Box<Self>) -> Result<(), OutputError> {
        Ok(())
    }

    fn place(&self) -> Option<String> {
        Some(self.path.clone())
    }
}
