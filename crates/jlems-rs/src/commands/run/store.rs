//! Output files, counted.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use lems_host::FileStore;
use lems_output::{Mark, MemoryStore, OutputError, OutputSink, OutputStore};
use serde::Serialize;

/// A file that a run has written.
#[derive(Debug, Clone, Serialize)]
pub struct Written {
    /// Where it is.
    pub path: String,
    /// Number of lines.
    pub rows: u64,
    /// Whether it has its final name.
    pub complete: bool,
}

/// Files, with a count of the rows of each.
pub struct CountingStore {
    folder: PathBuf,
    /// The folder and those around it, as far as they were not there; the innermost first.
    made: Vec<PathBuf>,
    /// Where the checkpoint goes.
    checkpoints: FileStore,
    /// The files themselves.
    pub files: FileStore,
    /// What displays show, which goes to no file.
    pub displays: MemoryStore,
    /// What the command reads besides the model, what it writes into the same folder, and what
    /// elsewhere.
    pub besides: Besides,
    written: Rc<RefCell<Vec<Written>>>,
    saving: Rc<Cell<Duration>>,
}

/// Files of a command that the model knows nothing of.
#[derive(Debug, Default)]
pub struct Besides {
    /// Files that it reads.
    pub inputs: Vec<String>,
    /// Names of outputs.
    pub outputs: Vec<String>,
    /// The checkpoint, relative to the working directory.
    pub checkpoint: Option<String>,
}

impl CountingStore {
    /// A store whose relative paths start at `folder`, which is made, or at the working directory; nothing
    /// is written outside of it if it is `confined`.
    pub fn new(folder: Option<&Path>, confined: bool) -> CountingStore {
        let levels = folder.into_iter().flat_map(Path::ancestors);
        let missing = levels.take_while(|level| *level != Path::new("") && !level.exists());
        let mut made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        // If it cannot be made, the first output says so.
        if let Some(folder) = made.first()
            && std::fs::create_dir_all(folder).is_err()
        {
            made.clear();
        }
        let folder = folder.unwrap_or(Path::new("")).to_owned();
        let files = FileStore::in_folder(&folder);
        CountingStore {
            folder,
            made,
            checkpoints: FileStore::new(),
            files: match confined {
                true => files.confined(),
                false => files,
            },
            displays: MemoryStore::new(),
            besides: Besides::default(),
            written: Rc::default(),
            saving: Rc::default(),
        }
    }

    /// The files that are no longer written to, in the order of their ends.
    pub fn written(&self) -> Vec<Written> {
        self.written.borrow().clone()
    }

    /// The folders that were not there before.
    pub fn made_folders(&self) -> Vec<String> {
        let own = self.made.first();
        let folders = own.into_iter().chain(self.files.made_folders());
        folders
            .map(|folder| format!("{}/", folder.display()))
            .collect()
    }

    /// Removes the folders that were made for the outputs of a run that was refused. A folder with
    /// something in it stays.
    pub fn remove_empty_folders(&mut self) {
        self.files.remove_empty_folders();
        self.checkpoints.remove_empty_folders();
        let is_removed = |folder: &PathBuf| std::fs::remove_dir(folder).is_ok();
        while self.made.first().is_some_and(is_removed) {
            self.made.remove(0);
        }
        if self
            .made
            .first()
            .is_none_or(|folder| *folder != self.folder)
        {
            self.made.clear();
        }
    }

    /// Where an output is.
    pub fn place(&self, path: &str) -> String {
        self.folder.join(path).display().to_string()
    }

    /// Time spent in writing.
    pub fn saving(&self) -> Duration {
        self.saving.get()
    }

    fn counting(&self, path: &str, file: Box<dyn OutputSink>, count: u64) -> Box<dyn OutputSink> {
        Box::new(CountingSink {
            file: Some(file),
            path: self.place(path),
            count,
            written: Rc::clone(&self.written),
            saving: Rc::clone(&self.saving),
        })
    }
}

impl OutputStore for CountingStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        if path.starts_with('\0') {
            return self.displays.create(path);
        }
        let file = self.files.create(path)?;
        Ok(self.counting(path, file, 0))
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        if path.starts_with('\0') {
            return self.displays.reopen(path, mark);
        }
        let file = self.files.reopen(path, mark)?;
        Ok(self.counting(path, file, mark.rows))
    }

    fn reserve(
        &mut self,
        outputs: &[&str],
        inputs: &[&str],
    ) -> Result<Vec<[usize; 2]>, OutputError> {
        let Besides {
            inputs: own_inputs,
            outputs: own_outputs,
            checkpoint,
        } = &self.besides;
        let inputs: Vec<&str> = (inputs.iter().copied())
            .chain(own_inputs.iter().map(String::as_str))
            .collect();
        if let Some(path) = checkpoint {
            self.checkpoints.reserve(&[path], &inputs)?;
            self.files.leave(path)?;
        }
        let all: Vec<&str> = (outputs.iter().copied())
            .chain(own_outputs.iter().map(String::as_str))
            .collect();
        let shared = self.files.reserve(&all, &inputs)?;
        // The names of pictures come last, and differ from one another.
        let with_picture = shared.iter().find_map(|[earlier, later]| {
            let picture = own_outputs.get(later.checked_sub(outputs.len())?)?;
            Some((outputs.get(*earlier)?, picture))
        });
        match with_picture {
            None => Ok(shared),
            Some((output, picture)) => Err(OutputError::SameFile {
                path: (*output).to_owned(),
                other: picture.clone(),
            }),
        }
    }
}

struct CountingSink {
    /// None once it is finished.
    file: Option<Box<dyn OutputSink>>,
    path: String,
    count: u64,
    written: Rc<RefCell<Vec<Written>>>,
    saving: Rc<Cell<Duration>>,
}

impl OutputSink for CountingSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let Some(file) = &mut self.file else {
            return Ok(());
        };
        let started = Instant::now();
        if let Err(error) = file.write(bytes) {
            // A full disk takes a part, of which the whole lines stay. A device does not give back what it got.
            let is_file = |place: &String| Path::new(place).is_file();
            let kept = self.place().filter(is_file);
            let kept = kept.and_then(|place| File::open(place).ok());
            let mut mark = Mark::default();
            if kept.is_some_and(|kept| mark.read(kept).is_ok()) {
                self.count = mark.rows;
            }
            return Err(error);
        }
        self.saving.set(self.saving.get() + started.elapsed());
        self.count += memchr::memchr_iter(b'\n', bytes).count() as u64;
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        let mark = (self.file.as_mut()).map_or_else(|| Ok(Mark::default()), |file| file.mark())?;
        // A device does not give back what it got.
        let rows = self.count;
        Ok(Mark { rows, ..mark })
    }

    fn finish(mut self: Box<Self>) -> Result<(), OutputError> {
        if let Some(file) = self.file.take() {
            file.finish()?;
            self.written.borrow_mut().push(Written {
                path: std::mem::take(&mut self.path),
                rows: self.count,
                complete: true,
            });
        }
        Ok(())
    }

    fn place(&self) -> Option<String> {
        self.file.as_ref()?.place()
    }
}

impl Drop for CountingSink {
    fn drop(&mut self) {
        if let Some(path) = self.place()
            && self.count > 0
        {
            self.written.borrow_mut().push(Written {
                path,
                rows: self.count,
                complete: false,
            });
        }
    }
}
