//! The command line, as a function: of the program `jlems-rs`, and of the one that comes with the
//! Python package. The package also runs sweeps as the command `sweep` does.

mod commands;
mod stack;

use std::ffi::OsString;
use std::process::ExitCode;

pub use commands::sweep::{Folder, Specification, Sweep, SweepProgress, shard};

/// Does what a command line says, the name of the program first, and gives the exit status. A wrong
/// command line ends the process, and so do `--help`, `--version` and some limits.
pub fn run(arguments: Vec<OsString>) -> ExitCode {
    stack::with_enough(execute, arguments)
}

fn execute(arguments: Vec<OsString>) -> ExitCode {
    commands::do_not_end_when_a_file_is_full();
    if let Some(words) = commands::jnml::arguments(&arguments) {
        return commands::jnml::run(&words);
    }
    let arguments = arguments
        .into_iter()
        .map(|argument| match argument.to_str() {
            Some("-nogui") => "--nogui".into(),
            _ => argument,
        });
    commands::words::read(arguments.collect()).execute()
}
