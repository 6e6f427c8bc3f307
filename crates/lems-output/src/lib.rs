//! Writers of data and event files, byte for byte as jLEMS writes them.
//!
//! The writers know no file system: they write to the sinks of an [`OutputStore`], which is
//! [`FileStore`] for files and [`MemoryStore`] for everything that runs in memory.

mod decimal;
mod error;
mod files;
mod float;
mod limited;
mod mark;
mod memory;
mod report;
mod steele_white;
mod store;
mod writers;

pub use error::OutputError;
pub use files::FileStore;
pub use float::write_java_float;
pub use limited::LimitedStore;
pub use mark::{Checksum, Mark};
pub use memory::MemoryStore;
pub use report::{Report, expand_report_name, write_report};
pub use store::{OutputSink, OutputStore};
pub use writers::{DataFile, EventFile, EventFormat, TimesFile};
