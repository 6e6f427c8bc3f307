//! The command line.

mod commands;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = std::env::args_os().map(|argument| match argument.to_str() {
        Some("-nogui") => "--nogui".into(),
        _ => argument,
    });
    commands::CommandLine::parse_from(arguments).execute()
}
