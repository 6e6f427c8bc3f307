//! Files that a command writes because its command line names them.

use std::cell::RefCell;
use std::path::Path;

use jlems::{Code, Failure};
use lems_document::{SourceReader, SourceText};
use lems_engine::EngineError;
use lems_host::FileStore;
use lems_output::{OutputError, OutputSink, OutputStore};

/// A reader that notes the files that it has read: no output may overwrite them.
pub struct NotingReader {
    reader: Box<dyn SourceReader>,
    read: RefCell<Vec<String>>,
}

impl NotingReader {
    /// Nothing is read yet.
    pub fn new(reader: Box<dyn SourceReader>) -> NotingReader {
        NotingReader {
            reader,
            read: RefCell::default(),
        }
    }

    /// Keeps a store from overwriting the files that were read.
    ///
    /// # Errors
    /// Something is to be written to one of them.
    pub fn keep_from(&self, store: &mut FileStore) -> Result<(), Failure> {
        let read = self.read.borrow();
        let inputs: Vec<&str> = read.iter().map(String::as_str).collect();
        store.reserve(&[], &inputs).map_err(EngineError::from)?;
        Ok(())
    }
}

impl SourceReader for NotingReader {
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String> {
        let text = self.reader.read(path, most)?;
        if text.is_some() {
            self.read.borrow_mut().push(path.to_owned());
        }
        Ok(text)
    }

    fn may_exist(&self, path: &str) -> bool {
        self.reader.may_exist(path)
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        self.reader.names_beside(path)
    }

    fn canonical(&self, path: &str) -> String {
        self.reader.canonical(path)
    }
}

/// Refuses a file that is there, unless it may be overwritten.
///
/// # Errors
/// It is there.
pub fn check_free(path: Option<&str>, may_overwrite: bool) -> Result<(), Failure> {
    match path {
        Some(path) if Path::new(path).exists() && !may_overwrite => {
            let message = format!("{path} is there already");
            let help = "choose another name, or write over it with `--force`".to_owned();
            Err(Failure::plain(Code::NO_SUCH_NAME, message, Some(help)))
        }
        _ => Ok(()),
    }
}

/// Makes the folder of a file. If it cannot be made, writing the file says so.
pub fn make_folder_of(path: &str) {
    if let Some(folder) = Path::new(path).parent() {
        let _ = std::fs::create_dir_all(folder);
    }
}

/// Writes a file that is none of the inputs.
///
/// # Errors
/// It is an input, or cannot be written.
pub fn write(path: &str, content: impl AsRef<[u8]>, inputs: &[&str]) -> Result<(), Failure> {
    write_all(&[(path, content.as_ref())], inputs)
}

/// Writes files that are none of the inputs: all of them, or none. Folders are made if they are not there.
///
/// # Errors
/// One of them is an input, or cannot be written.
pub fn write_all(files: &[(&str, &[u8])], inputs: &[&str]) -> Result<(), Failure> {
    let mut store = FileStore::new();
    let written = write_to(&mut store, files, inputs);
    if written.is_err() {
        store.remove_empty_folders();
    }
    Ok(written.map_err(EngineError::from)?)
}

fn write_to(
    store: &mut FileStore,
    files: &[(&str, &[u8])],
    inputs: &[&str],
) -> Result<(), OutputError> {
    let paths: Vec<&str> = files.iter().map(|(path, _)| *path).collect();
    store.reserve(&paths, inputs)?;
    let mut sinks = Vec::new();
    let written = files.iter().try_for_each(|(path, content)| {
        sinks.push(store.create(path)?);
        let sink = sinks.last_mut();
        sink.map_or(Ok(()), |sink| sink.write(content))
    });
    if written.is_err() {
        sinks.into_iter().for_each(OutputSink::discard);
        return written;
    }
    sinks.into_iter().try_for_each(OutputSink::finish)
}
