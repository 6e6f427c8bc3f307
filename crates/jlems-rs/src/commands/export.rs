//! `jlems-rs export`: a model as the files of another simulator.

mod other_programs;
mod picture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use jlems::export::{Exported, File, Form, export};
use jlems::{Code, Diagnostic, Failure, Options, visible};

use super::changes::ChangeArguments;
use super::core_types::SearchArguments;
use super::printing::{print, print_error, rendered};
use super::recordings::RecordingArguments;

pub use other_programs::real_jneuroml;
use picture::{PictureArguments, PictureForm};

/// What to export to.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write mechanisms (NMODL) and a Python file that builds and runs the model in NEURON.
    Neuron(NeuronArguments),
    /// Write the mechanisms of NEURON and a Python file that builds and runs the model in NetPyNE.
    Netpyne(NetpyneArguments),
    /// Write a Python file that runs the model in EDEN, which reads LEMS files itself.
    Eden(OneFileArguments),
    /// Write a graph of the types in use and of the network, which Graphviz draws (`dot -Tsvg`).
    Graph(OneFileArguments),
    /// Draw the network with the shapes of its cells, or the cells of a file without a network, as SVG.
    Svg(PictureArguments),
    /// Draw the same as PNG.
    Png(PictureArguments),
}

/// What to export to NEURON.
#[derive(Debug, Args)]
pub struct NeuronArguments {
    #[command(flatten)]
    program: ProgramArguments,
    /// Refuse what NEURON computes in its own way: cells with dendrites. All other numbers are those of
    /// jlems-rs in any case.
    #[arg(long)]
    exact: bool,
}

/// What to export to NetPyNE.
#[derive(Debug, Args)]
pub struct NetpyneArguments {
    #[command(flatten)]
    program: ProgramArguments,
    /// Compile the mechanisms and write the network as JSON of NetPyNE, too. Without `--run`, the model is not run.
    #[arg(long)]
    json: bool,
}

/// A model that becomes a program, and what is done with it.
#[derive(Debug, Args)]
struct ProgramArguments {
    #[command(flatten)]
    model: ModelArguments,
    /// How cells with dendrites are computed; the numbers of all others are those of jlems-rs.
    #[arg(long, value_enum, default_value_t = Method::Implicit)]
    method: Method,
    /// Compile the mechanisms, too, with `nrnivmodl`.
    #[arg(long)]
    compile: bool,
    /// Compile the mechanisms and run the model. Its files go to the working directory.
    #[arg(long)]
    run: bool,
    /// Folder that relative paths of outputs start from with `--run`, instead of the working directory.
    #[arg(long, value_name = "FOLDER", requires = "run")]
    out_dir: Option<PathBuf>,
    #[command(flatten)]
    recording: RecordingArguments,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Method {
    /// As NEURON computes mechanisms that are written for it: states by `cnexp`, at the new potentials
    Implicit,
    /// As the program that jNeuroML exports, to compare with its numbers: states by Euler's method, conductances that
    /// are a step late
    Neuron,
}

/// What to write as one file.
#[derive(Debug, Args)]
pub struct OneFileArguments {
    #[command(flatten)]
    model: ModelArguments,
}

/// Which model, and where its files go.
#[derive(Debug, Args)]
struct ModelArguments {
    /// LEMS file to export, or NeuroML file with a network or a cell.
    file: String,
    /// Folder that the files are written to.
    #[arg(short, long, value_name = "FOLDER", default_value = ".")]
    output: PathBuf,
    /// Seed of the random generator, instead of the model's.
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    seed: Option<i64>,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    changes: ChangeArguments,
    #[command(flatten)]
    search: SearchArguments,
}

impl ModelArguments {
    fn options(&self) -> Result<Options, Failure> {
        Ok(Options {
            seed: self.seed,
            settings: self.changes.settings(),
            ..self.search.options()?
        })
    }
}

/// Exports a model.
pub fn run(command: &Command) -> Result<ExitCode, Failure> {
    match command {
        Command::Neuron(arguments) => {
            let form = match arguments.exact {
                true => Form::NeuronExact,
                false => Form::Neuron,
            };
            program(&arguments.program, form, false)
        }
        Command::Netpyne(arguments) => program(&arguments.program, Form::Netpyne, arguments.json),
        Command::Eden(arguments) => one_file(&arguments.model, Form::Eden),
        Command::Graph(arguments) => one_file(&arguments.model, Form::Graph),
        Command::Svg(arguments) => drawn(arguments, PictureForm::Svg),
        Command::Png(arguments) => drawn(arguments, PictureForm::Png),
    }
}

/// An export with mechanisms and a Python file, which writes JSON of the network if that is wanted.
fn program(arguments: &ProgramArguments, form: Form, json: bool) -> Result<ExitCode, Failure> {
    let model = &arguments.model;
    let mut options = model.options()?;
    options.method = match arguments.method {
        Method::Implicit => jlems::Method::Implicit,
        Method::Neuron => jlems::Method::Neuron,
    };
    super::watch::watch_over(&options);
    let reader = model.search.reader(&model.file, &options);
    let runnable = (arguments.recording).runnable(&model.file, &*reader, &mut options)?;
    let exported = export(runnable.path(), runnable.reader(), &options, form)?;
    write(&exported, &model.output)?;
    if !model.quiet {
        warn(&exported);
        if let Some(reason) = &exported.remark {
            let reason = visible(reason);
            print(&format!(
                "channels are no mechanisms of their own: {reason}\n"
            ))?;
        }
        print(&said(&exported.files, &model.output))?;
    }
    if arguments.compile || arguments.run || json {
        other_programs::compile(&model.output)?;
    }
    if arguments.run || json {
        let script = script(&exported.files);
        let out = arguments.out_dir.as_deref().unwrap_or(Path::new("."));
        let options = [
            (model.quiet, "--quiet"),
            (json, "--json"),
            (!arguments.run, "--norun"),
        ];
        let options = options.iter().filter(|(is_given, _)| *is_given);
        let options: Vec<&str> = options.map(|(_, option)| *option).collect();
        other_programs::run_python(&model.output, script, out, &options)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn drawn(arguments: &PictureArguments, form: PictureForm) -> Result<ExitCode, Failure> {
    print(&picture::draw(arguments, form)?)?;
    Ok(ExitCode::SUCCESS)
}

/// An export that is one file.
fn one_file(model: &ModelArguments, form: Form) -> Result<ExitCode, Failure> {
    let options = model.options()?;
    let reader = model.search.reader(&model.file, &options);
    let exported = export(&model.file, &*reader, &options, form)?;
    write(&exported, &model.output)?;
    if !model.quiet {
        warn(&exported);
        let names: Vec<&str> = exported
            .files
            .iter()
            .map(|file| file.name.as_str())
            .collect();
        print(&format!("wrote {}\n", visible(&names.join(", "))))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes the files of an export to a folder, which is made if it is not there: all of them, or none.
fn write(exported: &Exported, folder: &Path) -> Result<(), Failure> {
    let sources = exported.sources.iter();
    let inputs: Vec<&str> = sources.map(|source| source.name.as_str()).collect();
    let files = exported.files.iter();
    let paths = files.map(|file| folder.join(&file.name).to_string_lossy().into_owned());
    let paths: Vec<String> = paths.collect();
    let files = paths.iter().zip(&exported.files);
    let files = files.map(|(path, file)| (path.as_str(), file.text.as_bytes()));
    super::output_file::write_all(&files.collect::<Vec<_>>(), &inputs)
}

fn warn(exported: &Exported) {
    let warnings = exported.warnings.iter();
    let warnings = warnings.filter(|warning| warning.code.is_always_shown());
    let diagnostics: Vec<Diagnostic> = warnings.cloned().map(Diagnostic::as_warning).collect();
    if !diagnostics.is_empty() {
        print_error(&rendered(&Failure {
            sources: exported.sources.clone(),
            diagnostics,
        }));
    }
}

/// The name of the Python file.
fn script(files: &[File]) -> &str {
    let mut scripts = files.iter().filter(|file| file.name.ends_with(".py"));
    scripts.next().map_or("", |file| file.name.as_str())
}

fn said(files: &[File], folder: &Path) -> String {
    let mechanisms = files.iter().filter(|file| file.name.ends_with(".mod"));
    let (folder, script) = (folder.to_string_lossy(), visible(script(files)));
    format!(
        "wrote {} and {script} to {}: `nrnivmodl` there compiles them, `python {script}` runs them\n",
        super::printing::counted(mechanisms.count() as u64, "mechanism"),
        visible(&folder)
    )
}

/// A failure of another program.
fn failed(message: String, help: &str) -> Failure {
    Failure::plain(Code::OTHER_PROGRAM, message, Some(help.to_owned()))
}
