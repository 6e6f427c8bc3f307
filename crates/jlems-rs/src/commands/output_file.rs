//! Files that a command writes because its command line names them.

use std::path::Path;

use jlems::{Code, Failure};
use lems_engine::EngineError;
use lems_host::FileStore;
use lems_output::{OutputError, OutputStore};

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
    let write = || -> Result<(), OutputError> {
        let mut store = FileStore::new();
        store.reserve(&[path], inputs)?;
        let mut sink = store.create(path)?;
        sink.write(content.as_ref())?;
        sink.finish()
    };
    Ok(write().map_err(EngineError::from)?)
}
