//! `jlems-rs compare`: compares two files, or a run with its expected outputs.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use jlems::{Code, Comparison, Failure, Likeness, Options, Settings, visible};
use lems_document::SourceReader;
use lems_engine::EngineError;
use lems_host::FileStore;
use lems_output::{MemoryStore, OutputStore};
use lems_plot::Figure;
use serde::Serialize;

use super::changes::ChangeArguments;
use super::core_types::SearchArguments;
use super::differences::figure;
use super::output_file::NotingReader;
use super::plot::{self, Form};
use super::printing::{counted, print, print_as_is};

/// What to compare with what.
#[derive(Debug, Args)]
pub struct Arguments {
    /// LEMS file to run, an output file, or a folder of them.
    first: String,
    /// The other output file, or the folder that holds it.
    #[arg(required_unless_present_any = ["with_files", "with"])]
    second: Option<String>,
    /// Folder with the expected outputs of a run.
    #[arg(long, value_name = "FOLDER", conflicts_with = "second")]
    with_files: Option<PathBuf>,
    /// Another simulator that runs the same file, such as `jnml`: it is called as `PROGRAM FILE
    /// -nogui`. With `--set`, `--step` or `--length` it gets a copy of the file with these settings.
    #[arg(long, value_name = "PROGRAM", conflicts_with_all = ["second", "with_files"])]
    with: Option<String>,
    #[command(flatten)]
    search: SearchArguments,
    #[command(flatten)]
    changes: ChangeArguments,
    /// Compare only every N-th row of a run's outputs, as `run --every N` writes them.
    #[arg(long, value_name = "NUMBER", default_value_t = 1, conflicts_with_all = ["second", "with"],
          value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Largest difference that counts as close, relative to the largest value of a column or to
    /// the time of an event.
    #[arg(long, value_name = "NUMBER", default_value_t = 1e-6)]
    tolerance: f64,
    /// Print the differences as JSON.
    #[arg(long)]
    json: bool,
    /// Draw the differences into files named after the first file.
    #[arg(long, value_enum, value_name = "FORM")]
    plot: Option<Form>,
}

#[derive(Debug, Serialize)]
struct Compared {
    file: String,
    #[serde(flatten)]
    comparison: Comparison,
    #[serde(skip)]
    picture: Option<Figure>,
}

impl Compared {
    fn new(arguments: &Arguments, file: String, a: &str, b: &str) -> Compared {
        let comparison = jlems::compare(a, b, arguments.tolerance);
        let picture = (arguments.plot).and_then(|_| figure(&file, a, b, &comparison));
        Compared {
            file,
            comparison,
            picture,
        }
    }
}

/// Compares outputs. The exit status is 1 if something differs.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut store = FileStore::new();
    let compared = match &arguments.second {
        Some(second) => {
            let pairs = pairs(Path::new(&arguments.first), Path::new(second))?;
            let compared = pairs.iter().map(|(first, second)| {
                let (a, b) = (read(first)?, read(second)?);
                let name = first.display().to_string();
                Ok(Compared::new(arguments, name, &a, &b))
            });
            compared.collect::<Result<_, Failure>>()?
        }
        None => outputs(arguments, &mut store)?,
    };
    if arguments.json {
        print_as_is(&super::printing::json(&compared)?)?;
    } else {
        print(&compared.iter().map(report).collect::<String>())?;
    }
    if let Some(form) = arguments.plot {
        let pictures = compared
            .iter()
            .filter_map(|compared| compared.picture.clone());
        let stem = Path::new(&arguments.first).file_stem().unwrap_or_default();
        let name = format!("{}.differences.dat", stem.to_string_lossy());
        let folder = Path::new("");
        let compared_files = [
            Some(Path::new(&arguments.first)),
            arguments.second.as_ref().map(Path::new),
            arguments.with_files.as_deref(),
        ];
        let inputs = compared_files.into_iter().flatten().flat_map(files_at);
        let inputs: Vec<String> = inputs.collect();
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        store.reserve(&[], &inputs).map_err(EngineError::from)?;
        let pictures: Vec<Figure> = pictures.collect();
        let drawn = plot::write(&name, folder, &mut store, form, &pictures)?;
        if !arguments.json {
            print(&drawn)?;
        }
    }
    let worst = compared
        .iter()
        .map(|compared| compared.comparison.verdict)
        .max();
    Ok(match worst {
        Some(Likeness::Different) => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    })
}

/// The files that are compared at a path: itself, or those of a folder.
fn files_at(path: &Path) -> Vec<String> {
    let Ok(entries) = path.read_dir() else {
        return vec![path.to_string_lossy().into_owned()];
    };
    let files = entries.flatten().map(|entry| entry.path());
    files
        .map(|file| file.to_string_lossy().into_owned())
        .collect()
}

fn failed(message: String) -> Failure {
    Failure::plain(Code::NOTHING_TO_COMPARE, message, None)
}

/// What is compared with what: a file in a folder is that of the same name.
fn pairs(first: &Path, second: &Path) -> Result<Vec<(PathBuf, PathBuf)>, Failure> {
    let with_name = |file: &Path| second.join(file.file_name().unwrap_or_default());
    if !second.is_dir() {
        return Ok(vec![(first.to_owned(), second.to_owned())]);
    }
    if !first.is_dir() {
        let other = with_name(first);
        if !other.exists() {
            let folder = second.display();
            let message = format!("there is no file `{}`", other.display());
            let help = format!(
                "`jlems-rs compare {} --with-files {folder}` runs a model and compares its outputs",
                first.display()
            );
            return Err(Failure::plain(
                Code::NOTHING_TO_COMPARE,
                message,
                Some(help),
            ));
        }
        return Ok(vec![(first.to_owned(), other)]);
    }
    let io = |error: std::io::Error| failed(format!("cannot read `{}`: {error}", first.display()));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(first).map_err(io)? {
        let path = entry.map_err(io)?.path();
        files.extend(path.is_file().then_some(path));
    }
    files.sort();
    Ok((files.into_iter())
        .map(|file| (file.clone(), with_name(&file)))
        .collect())
}

fn read(path: &Path) -> Result<String, Failure> {
    let text = super::printing::text_of_output(path);
    text.map_err(|error| failed(format!("cannot read `{}`: {error}", path.display())))
}

/// Runs the model and looks for the other version of each output. `pictures` keeps away from the model's files.
fn outputs(arguments: &Arguments, pictures: &mut FileStore) -> Result<Vec<Compared>, Failure> {
    let options = Options {
        settings: arguments.changes.settings(),
        every: arguments.every,
        ..arguments.search.options()?
    };
    let store = MemoryStore::new();
    let file = &arguments.first;
    let reader = NotingReader::new(arguments.search.reader(file, &options));
    jlems::run(
        file,
        &reader,
        &mut store.clone(),
        &options,
        &mut |_, _, _| ControlFlow::Continue(()),
    )?;
    reader.keep_from(pictures)?;
    let own = store.outputs();
    let references = match (&arguments.with_files, &arguments.with) {
        (Some(folder), _) => in_folder(folder, &own, arguments.search.sandbox)?,
        (None, Some(program)) => by_program(program, file, &reader, &own, &options)?,
        (None, None) => BTreeMap::new(),
    };
    let compared = own.into_iter().map(|(file, bytes)| {
        let reference = references.get(&file).map_or("", String::as_str);
        Compared::new(arguments, file, &String::from_utf8_lossy(&bytes), reference)
    });
    Ok(compared.collect())
}

type Outputs = BTreeMap<String, Vec<u8>>;

/// The files of these names, `confined` to those in the folder, or else of their last parts.
fn in_folder(
    folder: &Path,
    own: &Outputs,
    confined: bool,
) -> Result<BTreeMap<String, String>, Failure> {
    let found = own.keys().map(|path| {
        let whole = folder.join(path);
        let bare = folder.join(Path::new(path).file_name().unwrap_or_default());
        let is_there = whole.is_file() && (!confined || stays_below(Path::new(path)));
        let text = read(if is_there { &whole } else { &bare })?;
        Ok((path.clone(), text))
    });
    found.collect()
}

/// Runs the file with another simulator, in a folder made for that. If there are settings, it runs a copy of the
/// file that contains them.
fn by_program(
    program: &str,
    file: &str,
    reader: &dyn SourceReader,
    own: &Outputs,
    options: &Options,
) -> Result<BTreeMap<String, String>, Failure> {
    if is_this_program(program) {
        let message =
            format!("`{program}` is a link to jlems-rs, which would be compared with itself");
        let help = "name jNeuroML's own program with its folder".to_owned();
        return Err(Failure::plain(
            Code::NOTHING_TO_COMPARE,
            message,
            Some(help),
        ));
    }
    let cannot_make = |error| failed(format!("cannot make a folder for `{program}`: {error}"));
    let folder = new_folder().map_err(cannot_make)?;
    let folders = own.keys().filter_map(|path| Path::new(path).parent());
    // What is written elsewhere is not for this folder.
    for inner in folders.filter(|inner| stays_below(inner)) {
        std::fs::create_dir_all(folder.join(inner)).map_err(cannot_make)?;
    }
    let result = (|| {
        let io = |error: std::io::Error| failed(error.to_string());
        let file = if options.settings == Settings::default() {
            std::fs::canonicalize(file).map_err(io)?
        } else {
            let flat = jlems::load(file, reader, options)?.flat();
            let copy = folder.join(Path::new(file).file_name().unwrap_or_default());
            std::fs::write(&copy, flat).map_err(io)?;
            copy
        };
        let called = Command::new(program)
            .arg(&file)
            .arg("-nogui")
            .current_dir(&folder)
            .output();
        let output = called.map_err(|error| failed(format!("cannot run `{program}`: {error}")))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            let last: Vec<&str> = said.lines().rev().take(5).collect();
            let last: Vec<&str> = last.into_iter().rev().collect();
            let mut failure = failed(format!("`{program}` failed:"));
            for diagnostic in &mut failure.diagnostics {
                diagnostic.causes = last.iter().map(|line| (*line).to_owned()).collect();
            }
            return Err(failure);
        }
        in_folder(&folder, own, false)
    })();
    let _ = std::fs::remove_dir_all(&folder);
    result
}

/// Whether a path does not lead out of the folder that it starts in.
fn stays_below(path: &Path) -> bool {
    let mut parts = path.components();
    parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// A new folder, under a name that is not used.
fn new_folder() -> std::io::Result<PathBuf> {
    let mut number = 0;
    loop {
        let name = format!("jlems-rs-compare-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        match std::fs::create_dir(&folder) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
            made => return made.map(|()| folder),
        }
    }
}

fn is_this_program(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = match program.contains('/') {
        true => Some(PathBuf::from(program)),
        false => (std::env::split_paths(&path).map(|folder| folder.join(program)))
            .find(|place| place.is_file()),
    };
    let own = std::env::current_exe().and_then(std::fs::canonicalize);
    let other = found.map(std::fs::canonicalize);
    matches!((own, other), (Ok(own), Some(Ok(other))) if own == other)
}

/// Most columns and trains of a file that are listed.
const LISTED: usize = 10;

fn report(compared: &Compared) -> String {
    let Compared {
        file, comparison, ..
    } = compared;
    let mut text = format!("{}: {}", visible(file), comparison.verdict.title());
    let [a, b] = comparison.rows;
    let _ = match a == b {
        true => writeln!(text, " ({})", counted(a as u64, "row")),
        false => writeln!(text, " ({}, {b} in the other)", counted(a as u64, "row")),
    };
    if let Some(remark) = &comparison.remark {
        let _ = writeln!(text, "  {}", visible(remark));
    }
    for column in comparison.columns.iter().take(LISTED) {
        let (absolute, relative) = (column.absolute, column.relative);
        let _ = writeln!(
            text,
            "  column {} differs by up to {:.3e} at t = {} (row {}); relative {:.1e} at t = {} (row {})",
            column.column,
            absolute.value,
            absolute.time,
            absolute.row,
            relative.value,
            relative.time,
            relative.row
        );
    }
    let time = |time: Option<f64>| time.map_or("missing".to_owned(), |time| format!("at {time}"));
    for train in comparison.trains.iter().take(LISTED) {
        let _ = writeln!(
            text,
            "  events of {}: number {} is {}, {} in the other ({} and {} in all)",
            visible(&train.id),
            train.first,
            time(train.times[0]),
            time(train.times[1]),
            train.events[0],
            train.events[1]
        );
    }
    let more = comparison
        .columns
        .len()
        .max(comparison.trains.len())
        .saturating_sub(LISTED);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text
}
