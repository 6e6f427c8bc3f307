//! The tests of the program as a whole. They are one binary, because each one takes seconds to build:
//! `cargo test -p jlems-rs --test all goldens::` runs those of one file. `hostile.rs` is a binary of its own.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "support/dendrite.rs"]
mod dendrite;
#[path = "support/folder.rs"]
mod folder;
mod support;

mod architecture;
mod bad_input;
mod book;
mod cells;
mod checkpoints;
mod command_line;
mod commands;
mod compare;
mod core_types;
mod corpus;
mod export;
mod fast;
mod found;
mod goldens;
mod hdf5;
mod includes;
mod jnml;
mod limits;
mod morphology;
mod mpi;
mod newcomer;
mod outputs;
mod plan;
mod plot;
mod promises;
mod ranks;
mod reference_pages;
mod renaming;
mod run_options;
mod schema;
mod shown;
mod signals;
mod support_table;
mod sweep;
mod validate;
mod verdicts;
mod words;
