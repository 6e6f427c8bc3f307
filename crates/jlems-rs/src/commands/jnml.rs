//! The command line of jNeuroML, as far as a simulator has use for it.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use jlems::{Code, Failure};
use lems_host::FileSources;

use super::CommandLine;
use super::core_types::SearchArguments;
use super::printing::{fail, print, shown};

const HELP: &str = "\
jlems-rs, called as jnml

    jnml LEMS_FILE [-nogui] [-norun] [-I FOLDER:FOLDER] [-outputdir FOLDER]
        runs a LEMS file; -norun only reads and builds it; there is never a window: `jlems-rs run --plot html`
        draws what it would show
    jnml LEMS_FILE -neuron [-nogui] [-compile] [-run] [-outputdir FOLDER]
        exports to NEURON; -compile calls nrnivmodl, -run also runs the model there; cells with dendrites have
        the numbers of jNeuroML's export (`jlems-rs export neuron --method neuron`)
    jnml LEMS_FILE -netpyne [-compile] [-run] [-json] [-outputdir FOLDER]
        exports to NetPyNE; -json also has NetPyNE write the network as JSON
    jnml LEMS_FILE -eden [-outputdir FOLDER]
        writes a Python file that runs the model in EDEN; -graph writes a graph for Graphviz
    jnml NEUROML_FILE -svg [-outputdir FOLDER]
        draws the network with the shapes of its cells, or the cells; -png draws pixels
    jnml -validate FILE...
        checks NeuroML and LEMS files
    jnml -v
        prints the version
    jnml -h
        prints this

Other options (-sbml, -brian2, -moose, ...) are passed on to jNeuroML itself, if there is a `jnml` in PATH
besides this one. `jlems-rs --help` has more.
";

const VERSION: &str = concat!(
    "jlems-rs v",
    env!("CARGO_PKG_VERSION"),
    " (as jnml; results of jNeuroML 0.14.0)\n"
);

/// What jNeuroML's users look for at the end of its output.
const FINISHED: &str = "Finished reading, building, running and displaying LEMS model\n";

/// The arguments in jNeuroML's form, if the program is called by its name or `jlems-rs jnml`.
pub fn arguments(all: &[OsString]) -> Option<Vec<String>> {
    let program = all.first().map(|name| Path::new(name).file_stem());
    let first = match program.flatten().and_then(|name| name.to_str()) {
        Some("jnml") => 1,
        _ if all.get(1).is_some_and(|word| word == "jnml") => 2,
        _ => return None,
    };
    let words = all.get(first..).unwrap_or_default().iter();
    Some(
        words
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
    )
}

/// Does what jNeuroML would.
pub fn run(words: &[String]) -> ExitCode {
    match words.first().map(String::as_str) {
        None | Some("-h" | "-help" | "--help" | "-?") => said(HELP),
        Some("-v" | "-version" | "--version") => said(VERSION),
        Some("-validate") if words.len() > 1 => {
            let files = words.iter().skip(1).map(String::as_str);
            as_own(["validate"].into_iter().chain(files))
        }
        Some("-validate") => fail(&wrong("`-validate` needs the files to check")),
        Some(_) => simulate(words),
    }
}

/// The export that an option asks for.
fn format_of(option: &str) -> Option<&'static str> {
    Some(match option {
        "-neuron" => "neuron",
        "-netpyne" => "netpyne",
        "-eden" => "eden",
        "-graph" | "-lems-graph" => "graph",
        "-svg" => "svg",
        "-png" => "png",
        _ => return None,
    })
}

fn simulate(words: &[String]) -> ExitCode {
    let (mut file, mut include, mut folder, mut runs) = (None, Vec::new(), None, true);
    let (mut shows, mut export, mut done) = (true, None, Vec::new());
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if let Some(format) = format_of(word) {
            if let Some(other) = export.filter(|other| *other != format) {
                let message = format!("one export at a time: `-{other}` is there besides `{word}`");
                return fail(&wrong(&message));
            }
            export = Some(format);
            continue;
        }
        match word.as_str() {
            "-nogui" => shows = false,
            "-norun" => runs = false,
            "-compile" if compiles(export) => done.push("--compile"),
            "-run" if compiles(export) => done.push("--run"),
            "-json" if export == Some("netpyne") => done.push("--json"),
            "-I" => match rest.next() {
                Some(folders) => include.extend((!folders.is_empty()).then_some(folders)),
                None => return fail(&wrong("`-I` needs folders, with `:` between them")),
            },
            "-outputdir" => match rest.next() {
                Some(given) => folder = Some(given),
                None => return fail(&wrong("`-outputdir` needs a folder")),
            },
            option if option.starts_with('-') => {
                return passed_on(option, words);
            }
            _ if file.is_none() => file = Some(word),
            other => return fail(&wrong(&format!("one file at a time: what is `{other}`?"))),
        }
    }
    let Some(file) = file else {
        return fail(&wrong("no LEMS file is given"));
    };
    if let Some(form) = export {
        return exported(form, file, &include, folder, &done);
    }
    if !runs {
        return match build(file, &include) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => fail(&failure),
        };
    }
    let mut own = vec!["run"];
    own.extend(
        include
            .iter()
            .flat_map(|folders| ["--include", folders.as_str()]),
    );
    own.extend(
        folder
            .iter()
            .flat_map(|folder| ["--out-dir", folder.as_str()]),
    );
    if let Err(failure) = print(VERSION) {
        return fail(&failure);
    }
    let status = as_own(own.into_iter().chain(["--", file.as_str()]));
    if status == ExitCode::SUCCESS {
        let window = if shows {
            let file = jlems::visible(file);
            format!(
                "there is no window: `jlems-rs run --plot html {file}` draws the displays into a page\n"
            )
        } else {
            String::new()
        };
        return said(&(window + FINISHED));
    }
    status
}

/// Whether an export has files that are compiled and run.
fn compiles(export: Option<&str>) -> bool {
    matches!(export, Some("neuron" | "netpyne"))
}

/// Exports a file as jNeuroML does: beside the LEMS file, or to a folder that is there. `done` are options of
/// `jlems-rs export` about what is done with the export.
fn exported(
    form: &str,
    file: &str,
    include: &[&String],
    folder: Option<&String>,
    done: &[&str],
) -> ExitCode {
    let beside = Path::new(file)
        .parent()
        .map(|folder| folder.to_string_lossy().into_owned());
    let beside = beside
        .filter(|folder| !folder.is_empty())
        .unwrap_or_else(|| ".".to_owned());
    let folder = folder.map_or(beside.as_str(), String::as_str);
    if !Path::new(folder).is_dir() {
        return fail(&wrong(&format!("there is no folder `{folder}`")));
    }
    let mut own = vec!["export", form, "--output", folder];
    let folders = include.iter();
    own.extend(folders.flat_map(|folders| ["--include", folders.as_str()]));
    own.extend(done);
    if compiles(Some(form)) {
        // Users of jNeuroML want its numbers.
        own.extend(["--method", "neuron"]);
    }
    if done.contains(&"--run") {
        own.extend(["--out-dir", folder]);
    }
    if let Err(failure) = print(VERSION) {
        return fail(&failure);
    }
    as_own(own.into_iter().chain(["--", file]))
}

/// Conversions of jNeuroML that this program has not.
const OF_JNEUROML: [&str; 18] = [
    "-brian",
    "-brian2",
    "-cvode",
    "-dlems",
    "-dnsim",
    "-matlab",
    "-moose",
    "-nineml",
    "-sbml",
    "-sbml-import",
    "-sbml-import-units",
    "-sbml-sedml",
    "-sedml",
    "-spineml",
    "-validatev1",
    "-vertex",
    "-vhdl",
    "-xpp",
];

/// A conversion that only jNeuroML has, where it is not installed.
fn only_jneuroml(option: &str) -> Failure {
    let message =
        format!("`{option}` is for jNeuroML itself, and there is no other `jnml` in PATH");
    let help = "jlems-rs has `-neuron`, `-netpyne`, `-eden`, `-graph`, `-svg` and `-png`; `pip install pyneuroml` \
                installs jNeuroML, which also needs Java"
        .to_owned();
    Failure::plain(Code::WRONG_COMMAND, message, Some(help))
}

/// Calls jNeuroML itself for an option that this program has not.
fn passed_on(option: &str, words: &[String]) -> ExitCode {
    let Some(program) = super::export::real_jneuroml() else {
        return fail(&match OF_JNEUROML.contains(&option) {
            true => only_jneuroml(option),
            false => wrong(&format!("jlems-rs has no option `{option}` of jnml")),
        });
    };
    let place = program.to_string_lossy().into_owned();
    if let Err(failure) = print(&format!(
        "`{option}` is for jNeuroML: calling {}\n",
        jlems::visible(&place)
    )) {
        return fail(&failure);
    }
    match std::process::Command::new(&program).args(words).status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(1))
        }
        Err(error) => fail(&wrong(&format!("`{place}` cannot be started: {error}"))),
    }
}

fn said(text: &str) -> ExitCode {
    shown(text).unwrap_or_else(|failure| fail(&failure))
}

/// Everything up to the first step.
fn build(file: &str, include: &[&String]) -> Result<(), Failure> {
    let folders = include.iter().map(|folders| (*folders).clone()).collect();
    let options = SearchArguments::including(folders).options()?;
    let document = jlems::load_runnable(file, &FileSources, &options)?;
    let model = jlems::read_model(&document)?;
    jlems::prepare(&document, &model, &options).map(|_| ())
}

fn as_own<'w>(words: impl Iterator<Item = &'w str>) -> ExitCode {
    CommandLine::parse_from(["jlems-rs"].into_iter().chain(words)).execute()
}

fn wrong(message: &str) -> Failure {
    let help = "`jnml -h` lists what can be done; other exports and conversions need jNeuroML, as `jnml` in PATH".to_owned();
    Failure::plain(Code::WRONG_COMMAND, message, Some(help))
}
