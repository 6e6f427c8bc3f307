//! `jlems-rs validate FILES`: what is wrong, without running anything.

use std::fmt::{Display, Write};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use jlems_rs::schema::Schema;
use jlems_rs::{Code, Diagnostic, Failure, FileSources, Severity, Stage, Verdict};
use serde::Serialize;

use super::core_types::SearchArguments;
use super::messages::Message;
use super::{counted, print, print_error};

/// What to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// LEMS and NeuroML files to check, each with all that it includes; a folder stands for its
    /// files `*.nml` and `LEMS*.xml`.
    #[arg(required = true)]
    pub files: Vec<String>,
    #[command(flatten)]
    pub search: SearchArguments,
    /// Hold the files also against this XML Schema (XSD), all but those of the language, LEMS or
    /// NeuroML, that it is not for.
    #[arg(long, value_name = "FILE")]
    pub schema: Option<String>,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    /// Say nothing of files that are valid.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Print warnings in full.
    #[arg(short, long)]
    pub verbose: bool,
}

#[derive(Serialize)]
struct Checked {
    file: String,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_against_schema: Option<usize>,
    messages: Vec<Message>,
}

/// Checks every file; a line for each.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let options = arguments.search.options()?;
    super::watch_over(&options);
    options.stage.begin(Stage::SCHEMA);
    let read = |path| jlems_rs::read_schema(path, &FileSources, &options.limits.document);
    let schema = arguments.schema.as_deref().map(read).transpose()?;
    options.stage.begin(Stage::READING);
    let (mut checked, mut held) = (Vec::new(), 0);
    for file in &files(&arguments.files)? {
        let reader = arguments.search.reader(file, &options);
        let verdict = jlems_rs::validate(file, &*reader, &options, schema.as_ref());
        held += verdict.held;
        let valid = verdict.count(Severity::Error) == 0;
        let messages = match arguments.json {
            true => Message::all(&verdict.diagnostics, &verdict.sources),
            false => Vec::new(),
        };
        checked.push(Checked {
            file: file.clone(),
            valid,
            held_against_schema: schema.as_ref().map(|_| verdict.held),
            messages,
        });
        if arguments.json {
            continue;
        }
        if !valid || !arguments.quiet {
            let passed_over = schema.is_some() && valid && verdict.held == 0;
            print(&line(file, &verdict, passed_over, arguments.verbose));
        }
        print_error(&details(verdict, arguments.verbose));
    }
    if arguments.json {
        print(&super::json(&checked)?);
    }
    let invalid = checked.iter().filter(|checked| !checked.valid).count();
    if !arguments.json && checked.len() > 1 && !arguments.quiet {
        print(&format!(
            "{} valid, {invalid} not\n",
            checked.len() - invalid
        ));
    }
    if let (Some(schema), Some(path), 0, 0) = (&schema, &arguments.schema, held, invalid) {
        return Err(for_none(schema, path));
    }
    Ok(match invalid {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}

/// The files, and those of the folders by name.
fn files(given: &[String]) -> Result<Vec<String>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if !Path::new(path).is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |why: &dyn Display| {
            Failure::plain(Code(107), format!("the folder `{path}` {why}"), None)
        };
        let mut found = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_lems = name.starts_with("LEMS") && name.ends_with(".xml");
            if is_lems || name.ends_with(".nml") {
                found.push(entry.path().display().to_string());
            }
        }
        if found.is_empty() {
            return Err(failed(&"has no files `*.nml` or `LEMS*.xml`"));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

/// A schema that nothing was held against is a mistake.
fn for_none(schema: &Schema, path: &str) -> Failure {
    let roots: Vec<&str> = schema.roots().take(5).collect();
    let help = match roots.as_slice() {
        [] => "it declares no element that a file may begin with".to_owned(),
        roots => format!("files that begin with `{}` are", roots.join("`, `")),
    };
    let message = format!("none of the files is of the language that `{path}` is for");
    Failure::plain(Code(702), message, Some(help))
}

fn line(file: &str, verdict: &Verdict, passed_over: bool, verbose: bool) -> String {
    let errors = verdict.count(Severity::Error);
    let warnings = verdict.count(Severity::Warning);
    let mut text = match errors {
        0 => format!("{file}: valid"),
        _ => format!("{file}: {}", counted(errors as u64, "error")),
    };
    if warnings > 0 {
        let _ = write!(text, ", {}", counted(warnings as u64, "warning"));
        if !verbose && !verdict.diagnostics.iter().all(Diagnostic::is_always_shown) {
            text.push_str(" (-v shows them)");
        }
    }
    if passed_over {
        text.push_str(" (the schema is not for it)");
    }
    text + "\n"
}

fn details(verdict: Verdict, warnings: bool) -> String {
    let mut shown = Failure {
        sources: verdict.sources,
        diagnostics: verdict.diagnostics,
    };
    shown
        .diagnostics
        .retain(|diagnostic| warnings || diagnostic.is_always_shown());
    shown.render(std::io::stderr().is_terminal())
}
