use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Mark, OutputError, OutputSink, OutputStore};

/// Outputs as files. A file is written as `<path>.partial` and renamed when it is finished, so that
/// nothing incomplete is ever found under the final name.
#[derive(Clone, Debug, Default)]
pub struct FileStore {
    folder: PathBuf,
    /// Outputs by name, and a token that all of one name have until they are closed.
    open: HashMap<PathBuf, Arc<()>>,
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
            open: HashMap::new(),
        }
    }

    /// Two outputs of one run may share a path (the one finished last stays), so the second gets a
    /// partial name of its own.
    fn partial_name(&mut self, target: &Path) -> (PathBuf, Arc<()>) {
        let token = self.open.entry(target.to_path_buf()).or_default();
        let mut name = OsString::from(target);
        name.push(".partial");
        match Arc::strong_count(token) - 1 {
            0 => {}
            earlier => name.push(earlier.to_string()),
        }
        (PathBuf::from(name), Arc::clone(token))
    }
}

impl OutputStore for FileStore {
    fn create(&mut self, path: &str) -> Result<Box<dyn OutputSink>, OutputError> {
        let target = self.folder.join(path);
        if target.is_dir() {
            return Err(OutputError::IsFolder {
                path: path.to_owned(),
            });
        }
        if let Some(folder) = target.parent()
            && folder != Path::new("")
            && !folder.is_dir()
        {
            return Err(OutputError::MissingFolder {
                path: path.to_owned(),
                folder: folder.display().to_string(),
            });
        }
        let (partial, token) = self.partial_name(&target);
        let file = File::create(&partial).map_err(|error| OutputError::Create {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        Ok(Box::new(FileSink {
            path: path.to_owned(),
            target,
            partial,
            file,
            mark: Mark::default(),
            _token: token,
        }))
    }

    fn reopen(&mut self, path: &str, mark: &Mark) -> Result<Box<dyn OutputSink>, OutputError> {
        let target = self.folder.join(path);
        let (partial, token) = self.partial_name(&target);
        match reopened(&target, &partial, mark) {
            Ok(file) => Ok(Box::new(FileSink {
                path: path.to_owned(),
                target,
                partial,
                file,
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
}

/// The partial file, cut off at the mark; or what is wrong with it. A run may have been ended while
/// it gave its outputs their names: one that ends at the mark is taken back.
fn reopened(target: &Path, partial: &Path, mark: &Mark) -> Result<File, String> {
    let failed = |error: io::Error| format!("cannot be opened: {error}");
    let is_finished = !partial.exists()
        && fs::metadata(target).is_ok_and(|file| file.is_file() && file.len() == mark.bytes);
    let place = if is_finished { target } else { partial };
    let mut file = (File::options().read(true).write(true))
        .open(place)
        .map_err(failed)?;
    let mut found = Mark::default();
    let mut lines = BufReader::new((&mut file).take(mark.bytes));
    loop {
        let bytes = lines.fill_buf().map_err(failed)?;
        if bytes.is_empty() {
            break;
        }
        found.add(bytes);
        let length = bytes.len();
        lines.consume(length);
    }
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
    mark: Mark,
    _token: Arc<()>,
}

impl OutputSink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.file.write_all(bytes);
        if let Err(error) = written {
            // A full disk may have taken half a line; what cannot be cut off either stays.
            let _ = self.file.set_len(self.mark.bytes);
            return Err(OutputError::Write {
                path: self.path.clone(),
                message: error.to_string(),
            });
        }
        self.mark.add(bytes);
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark, OutputError> {
        self.file.sync_all().map_err(|error| OutputError::Write {
            path: self.path.clone(),
            message: error.to_string(),
        })?;
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
