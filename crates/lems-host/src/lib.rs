//! The machine that models are run on: files to read and to write, memory, clock.
//!
//! `jlems` touches none of these. It reads sources through a `SourceReader`, writes outputs through
//! an `OutputStore` and asks a [`Host`](jlems::Host) for time and memory; the types here are those
//! of an ordinary machine.

mod machine;
mod memory;
mod sources;
mod store;

pub use machine::Machine;
pub use memory::{is_full, most, used};
pub use sources::{FileSources, Sandbox, bytes_of, text_of};
pub use store::FileStore;
