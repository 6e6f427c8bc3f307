//! Writers of data and event files, byte for byte as jLEMS writes them.
//!
//! The writers know no file system: they write to the sinks of an [`OutputStore`], such as
//! [`MemoryStore`] for everything that runs in memory. The one for files is in `lems-host`.

mod decimal;
mod error;
mod float;
mod limited;
mod mark;
mod memory;
mod report;
mod steele_white;
mod store;
mod writers;

pub use error::OutputError;
pub use float::write_java_float;
pub use limited::LimitedStore;
pub use mark::{Checksum, Mark};
pub use memory::MemoryStore;
pub use report::{Report, expand_report_name, write_report};
pub use store::{OutputSink, OutputStore};
pub use writers::{DataFile, EventFile, EventFormat, TimesFile};
