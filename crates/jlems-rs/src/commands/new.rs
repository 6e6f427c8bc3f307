//! `jlems-rs new FILE.nml`: a LEMS file that runs a NeuroML file.

use std::path::{Component, Path};

use clap::Args;
use jlems::{Code, Failure, Options, Settings, visible};

use super::core_types::SearchArguments;
use super::output_file;
use super::recordings::{RecordingArguments, around, sentence};

/// What to run and where to write it.
#[derive(Debug, Args)]
pub struct Arguments {
    /// NeuroML file with a network or a cell.
    file: String,
    /// LEMS file to write, instead of the standard output.
    #[arg(short, long, value_name = "FILE")]
    output: Option<String>,
    /// Overwrite an existing file.
    #[arg(long, requires = "output")]
    force: bool,
    /// Length of the simulation, such as `2s`; if not given, what the model recommends, or 500 ms.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    length: Option<String>,
    /// Step of the simulation, such as `0.025ms`; 0.01 ms if not given.
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    step: Option<String>,
    #[command(flatten)]
    recording: RecordingArguments,
    #[command(flatten)]
    search: SearchArguments,
}

/// The file, unless it was written; then what it does.
pub fn run(arguments: &Arguments) -> Result<String, Failure> {
    let file = arguments.file.as_str();
    let options = Options {
        settings: Settings {
            length: arguments.length.clone(),
            step: arguments.step.clone(),
            ..Settings::default()
        },
        ..arguments.search.options()?
    };
    output_file::check_free(arguments.output.as_deref(), arguments.force)?;
    let reader = arguments.search.reader(file, &options);
    let simulation = arguments.recording.simulation(file, &*reader, &options)?;
    let mut simulation = simulation.ok_or_else(|| {
        let message = format!("{file} is a LEMS file, which says itself what it runs");
        let help = "`jlems-rs run` runs it, with other recordings by `--record` and `--spikes`";
        Failure::plain(Code::NOTHING_TO_RUN, message, Some(help.to_owned()))
    })?;
    // The user learns of a wrong path or time now, not when the file is run.
    let whole = around(file, &simulation, &*reader);
    let document = jlems::load_runnable(&whole.path, &whole, &options)?;
    let model = jlems::read_model_in_use(&document)?;
    jlems::prepare(&document, &model, &options)?;
    let Some(output) = &arguments.output else {
        return Ok(simulation.to_lems());
    };
    output_file::make_folder_of(output);
    if let Some(path) = path_from(output, file) {
        simulation.file = path;
    }
    let inputs = document.own_files();
    output_file::write(output, simulation.to_lems(), &inputs)?;
    Ok(format!(
        "wrote {}: {}",
        visible(output),
        sentence(&simulation)
    ))
}

/// The path by which one file includes another, with `/` between the steps.
fn path_from(including: &str, file: &str) -> Option<String> {
    let folder = Path::new(including).parent().unwrap_or(Path::new(""));
    let folder = Path::new(".").join(folder).canonicalize().ok()?;
    let file = Path::new(file).canonicalize().ok()?;
    let shared = (folder.components().zip(file.components()))
        .take_while(|(one, other)| one == other)
        .count();
    let up = folder.components().skip(shared).map(|_| "..".to_owned());
    let down = file.components().skip(shared);
    let down = down.map(|step: Component<'_>| step.as_os_str().to_string_lossy().into_owned());
    Some(up.chain(down).collect::<Vec<_>>().join("/"))
}
