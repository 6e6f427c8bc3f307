//! Reads model files from the file system.

use std::io::ErrorKind;
use std::path::Path;

use lems_document::SourceReader;

/// The file system, with paths relative to the working directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct FileSources;

impl SourceReader for FileSources {
    fn read(&self, path: &str) -> Result<Option<String>, String> {
        if Path::new(path).is_dir() {
            return Ok(None);
        }
        match std::fs::read(path) {
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

    fn canonical(&self, path: &str) -> String {
        match std::fs::canonicalize(path) {
            Ok(path) => path.to_string_lossy().into_owned(),
            Err(_) => path.to_owned(),
        }
    }
}
