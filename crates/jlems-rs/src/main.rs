//! The command line.

mod commands;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::do_not_end_when_a_file_is_full();
    let arguments: Vec<_> = std::env::args_os().collect();
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
