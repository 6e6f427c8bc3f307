//! `jlems-rs completions` and `jlems-rs man`.

use clap::{Args, Command};
use clap_complete::Shell;
use jlems::{Code, Failure};
use lems_document::nearest;

/// Which shell to complete for.
#[derive(Debug, Args)]
pub struct CompletionArguments {
    /// Shell that will read the definitions.
    #[arg(value_enum)]
    shell: Shell,
}

/// Which page to print.
#[derive(Debug, Args)]
pub struct ManArguments {
    /// Command that the page describes, followed by its subcommand if it has one; if none is given,
    /// the page describes the program.
    command: Vec<String>,
}

/// The definitions that a shell completes command lines with.
pub fn completions(arguments: &CompletionArguments, program: &mut Command) -> String {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, program, "jlems-rs", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// A manual page, in roff.
pub fn man(arguments: &ManArguments, program: Command) -> Result<String, Failure> {
    let mut command = program;
    command.build();
    for name in &arguments.command {
        let Some(found) = command.find_subcommand(name) else {
            let message = format!("`{}` has no command `{name}`", command.get_name());
            let names = command.get_subcommands().map(Command::get_name);
            let names: Vec<&str> = names.collect();
            let help = match nearest(name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "it has none".to_owned(),
                None => format!("it has {}", names.join(", ")),
            };
            return Err(Failure::plain(Code::NO_SUCH_NAME, message, Some(help)));
        };
        command = found.clone();
    }
    let mut text = Vec::new();
    match clap_mangen::Man::new(command).render(&mut text) {
        Ok(()) => Ok(String::from_utf8_lossy(&text).into_owned()),
        Err(error) => {
            let message = format!("the page cannot be written: {error}");
            Err(Failure::plain(Code::NO_SUCH_NAME, message, None))
        }
    }
}
