//! `jlems-rs completions` and `jlems-rs man`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use jlems_rs::{Code, Failure};

use super::CommandLine;

/// Which shell to complete for.
#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// The shell that will read it.
    #[arg(value_enum)]
    shell: Shell,
}

/// Which page to print.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Command that the page is about; without one, the program.
    command: Option<String>,
}

/// The definitions that a shell completes command lines with.
pub fn completions(arguments: &CompletionArguments) -> String {
    let mut text = Vec::new();
    clap_complete::generate(
        arguments.shell,
        &mut CommandLine::command(),
        "jlems-rs",
        &mut text,
    );
    String::from_utf8_lossy(&text).into_owned()
}

/// A manual page, in roff.
pub fn man(arguments: &ManArguments) -> Result<String, Failure> {
    let mut command = CommandLine::command();
    command.build();
    if let Some(name) = &arguments.command {
        let Some(found) = command.find_subcommand(name) else {
            let message = format!("there is no command `{name}`");
            return Err(Failure::plain(Code(601), message, None));
        };
        command = found.clone();
    }
    let mut text = Vec::new();
    match clap_mangen::Man::new(command).render(&mut text) {
        Ok(()) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) => {
            let message = format!("the page cannot be written: {error}");
            Err(Failure::plain(Code(601), message, None))
        }
    }
}
