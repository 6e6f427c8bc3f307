//! The command line, in the process of Python.

use std::ffi::OsString;
use std::process::ExitCode;

use pyo3::prelude::*;

use crate::failure::detached;

/// Does what a command line of `jlems-rs` says, the name of the program first, and gives the exit status.
/// A wrong command line ends the process.
#[pyfunction]
pub fn command_line(py: Python<'_>, words: Vec<OsString>) -> PyResult<u8> {
    detached(py, || {
        let status = jlems_rs::run(words);
        // An exit code tells only whether it equals another.
        let mut all = u8::MIN..=u8::MAX;
        all.find(|number| ExitCode::from(*number) == status)
            .unwrap_or(1)
    })
}
