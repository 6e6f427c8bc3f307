//! `jlems-rs validate FILES`: what is wrong, without running anything.

use std::fmt::{Display, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use jlems::{Code, Diagnostic, Failure, Severity, Stage, Verdict, visible};
use lems_schema::Schema;
use serde::Serialize;

use super::core_types::SearchArguments;
use super::messages::Message;
use super::printing::{counted, print, print_as_is, print_error};
use super::schema_search::{Chosen, SchemaArguments};

/// What to check.
#[derive(Debug, Args)]
pub struct Arguments {
    /// LEMS and NeuroML files to check, each with everything that it includes. A folder means the
    /// files `*.nml` and `LEMS*.xml` in it and in its subfolders.
    #[arg(required = true)]
    pub files: Vec<String>,
    #[command(flatten)]
    pub search: SearchArguments,
    #[command(flatten)]
    pub schema: SchemaArguments,
    /// Print the findings as JSON.
    #[arg(long)]
    pub json: bool,
    /// Print nothing about valid files.
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
    schema: Option<String>,
    held_against_schema: usize,
    messages: Vec<Message>,
}

/// Checks every file; a line for each.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let options = arguments.search.options()?;
    super::watch::watch_over(&options);
    options.stage.begin(Stage::SCHEMA);
    let Chosen { schema, name } = arguments.schema.choose(&options.limits)?;
    options.stage.begin(Stage::READING);
    let was_named = arguments.schema.schema.is_some();
    let (mut checked, mut held) = (Vec::new(), 0);
    for file in &files(&arguments.files)? {
        let reader = arguments.search.reader(file, &options);
        let verdict = jlems::validate(file, &*reader, &options, Some(&schema));
        held += verdict.held;
        let valid = verdict.count(Severity::Error) == 0;
        let messages = match arguments.json {
            true => Message::all(&verdict.diagnostics, &verdict.sources),
            false => Vec::new(),
        };
        checked.push(Checked {
            file: file.clone(),
            valid,
            schema: (verdict.held > 0).then(|| name.clone()),
            held_against_schema: verdict.held,
            messages,
        });
        if arguments.json {
            continue;
        }
        if !valid || !arguments.quiet {
            let passed_over = was_named && valid && verdict.held == 0;
            print(&line(file, &verdict, passed_over, arguments.verbose))?;
        }
        print_error(&details(verdict, arguments.verbose));
    }
    if arguments.json {
        print_as_is(&super::printing::json(&checked)?)?;
    }
    let invalid = checked.iter().filter(|checked| !checked.valid).count();
    if !arguments.json && checked.len() > 1 && !arguments.quiet {
        print(&format!(
            "{} valid, {invalid} not\n",
            checked.len() - invalid
        ))?;
    }
    if arguments.verbose && !arguments.json && held > 0 {
        print(&format!("held against {}\n", visible(&name)))?;
    }
    if was_named && held == 0 && invalid == 0 {
        return Err(for_none(&schema, &name));
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
        let mut found = models_below(Path::new(path))?;
        if found.is_empty() {
            return Err(failed(path, &"has no files `*.nml` or `LEMS*.xml`"));
        }
        found.sort();
        files.extend(found);
    }
    Ok(files)
}

/// The models in a folder and in those below it that are not hidden; links to folders are not followed.
fn models_below(folder: &Path) -> Result<Vec<String>, Failure> {
    let mut found = Vec::new();
    let mut unvisited = vec![folder.to_owned()];
    while let Some(folder) = unvisited.pop() {
        let failed = |error| failed(&folder.display().to_string(), &error);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_lems = name.starts_with("LEMS") && name.ends_with(".xml");
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                if !name.starts_with('.') {
                    unvisited.push(entry.path());
                }
            } else if is_lems || name.ends_with(".nml") {
                found.push(entry.path().display().to_string());
            }
        }
    }
    Ok(found)
}

fn failed(folder: &str, why: &dyn Display) -> Failure {
    Failure::plain(
        Code::UNREADABLE,
        format!("the folder `{folder}` {why}"),
        None,
    )
}

/// A schema that nothing was held against is a mistake.
fn for_none(schema: &Schema, path: &str) -> Failure {
    let roots: Vec<&str> = schema.roots().take(5).collect();
    let help = match roots.as_slice() {
        [] => "it declares no element that a file may begin with".to_owned(),
        roots => format!("files that begin with `{}` are", roots.join("`, `")),
    };
    let message = format!("none of the files is of the language that `{path}` is for");
    Failure::plain(Code::NOT_IN_SCHEMA, message, Some(help))
}

fn line(file: &str, verdict: &Verdict, passed_over: bool, verbose: bool) -> String {
    let errors = verdict.count(Severity::Error);
    let warnings = verdict.count(Severity::Warning);
    let file = visible(file);
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
    super::printing::rendered(&shown)
}
