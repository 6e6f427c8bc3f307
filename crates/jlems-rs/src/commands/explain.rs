//! `jlems-rs explain E0101`: explains a code, or lists all codes.

use clap::Args;
use jlems_rs::{Code, Severity};

/// What to explain.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Code of an error or warning, such as E0216; without one, all codes are listed.
    #[arg(value_parser = code)]
    code: Option<Code>,
}

fn code(text: &str) -> Result<Code, String> {
    Code::parse(text).ok_or_else(|| "there is no such code; `explain` alone lists all".to_owned())
}

/// The explanation.
pub fn text(arguments: &Arguments) -> String {
    let label = |code: Code| code.label(Severity::Error);
    match arguments.code {
        Some(code) => format!("{}: {}", label(code), code.text().unwrap_or_default()),
        None => Code::all()
            .map(|code| format!("{}  {}\n", label(code), code.title()))
            .collect(),
    }
}
