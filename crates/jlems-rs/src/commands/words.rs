//! Better messages than clap's for some wrong command lines.

use std::ffi::OsString;
use std::io::Write;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use jlems::{Code, Failure};
use lems_document::nearest;

use super::CommandLine;
use super::printing::{print_error, rendered, written};

/// Exit status of a wrong command line.
const WRONG: i32 = 2;

/// Reads a command line; a wrong one ends the program.
pub fn read(words: Vec<OsString>) -> CommandLine {
    CommandLine::try_parse_from(&words).unwrap_or_else(|mut error| {
        let words: Vec<&str> = words.iter().skip(1).filter_map(|w| w.to_str()).collect();
        if let Some(failure) = misunderstood(&error, &words) {
            print_error(&rendered(&failure));
            std::process::exit(WRONG);
        }
        // clap's tip about passing an option as a value, after `--`, only confuses here.
        error.remove(ContextKind::Suggested);
        if error.use_stderr() {
            error.exit();
        }
        // Help and version are what was asked for.
        let printed = error.print().and_then(|()| std::io::stdout().flush());
        match written(printed) {
            Ok(()) => std::process::exit(0),
            Err(failure) => {
                print_error(&rendered(&failure));
                std::process::exit(1);
            }
        }
    })
}

fn misunderstood(error: &clap::Error, words: &[&str]) -> Option<Failure> {
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let Some(ContextValue::String(letter)) = error.get(ContextKind::InvalidArg) else {
                return None;
            };
            let word = words.iter().find(|word| is_long(word, letter))?;
            let message = format!("there is no option `{word}`");
            let help = "`jlems-rs jnml` takes the command line of jNeuroML, without exports; options \
                        of jlems-rs begin with `--`";
            Some(Failure::plain(
                Code::WRONG_COMMAND,
                message,
                Some(help.to_owned()),
            ))
        }
        ErrorKind::ArgumentConflict => {
            // A file beside a file is a misspelt command; two options of a command are another matter.
            let first = words.first().filter(|word| !word.starts_with('-'))?;
            let commands = CommandLine::command();
            if commands.find_subcommand(first).is_some() {
                return None;
            }
            let names = commands.get_subcommands().map(clap::Command::get_name);
            let near = nearest(first, names)?;
            let help = format!("did you mean `{near}`?");
            let message = format!("there is no command `{first}`");
            Some(Failure::plain(Code::WRONG_COMMAND, message, Some(help)))
        }
        _ => None,
    }
}

/// Whether a word is a long option with one hyphen, of which clap sees a letter.
fn is_long(word: &str, option: &str) -> bool {
    let (Some(letters), Some(letter)) = (word.strip_prefix('-'), option.strip_prefix('-')) else {
        return false;
    };
    letters.len() > 2 && !letters.starts_with('-') && letter.len() == 1 && letters.contains(letter)
}
