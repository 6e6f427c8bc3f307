use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::{OutputError, OutputSink, OutputStore};

/// Outputs as files. A file is written as `<path>.partial` and renamed when it is finished, so that
/// nothing incomplete is ever found under the final name.
#[derive(Clone, Debug, Default)]
pub struct FileStore {
    folder: PathBuf,
    created: HashMap<PathBuf, usize>,
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
            created: HashMap::new(),
        }
    }

    /// Two outputs of one run may share a path (the one finished last stays), so the second gets a
    /// partial name of its own.
    fn partial_name(&mut self, target: &Path) -> PathBuf {
        let earlier = self.created.entry(target.to_path_buf()).or_default();
        let mut name = OsString::from(target);
        name.push(".partial");
        if *earlier > 0 {
            name.push(earlier.to_string());
        }
        *earlier += 1;
        PathBuf::from(name)
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
        let partial = self.partial_name(&target);
        let file = File::create(&partial).map_err(|error| OutputError::Create {
            path: path.to_owned(),
            message: error.to_string(),
        })?;
        Ok(Box::new(FileSink {
            path: path.to_owned(),
            target,
            partial,
            file,
            length: 0,
        }))
    }
}

struct FileSink {
    path: String,
    target: PathBuf,
    partial: PathBuf,
    file: File,
    length: u64,
}

impl OutputSink for FileSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), OutputError> {
        let written = self.file.write_all(bytes);
        if let Err(error) = written {
            // A full disk may have taken half a line; what cannot be cut off either stays.
            let _ = self.file.set_len(self.length);
            return Err(OutputError::Write {
                path: self.path.clone(),
                message: error.to_string(),
            });
        }
        self.length += bytes.len() as u64;
        Ok(())
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
