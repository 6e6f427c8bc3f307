//! `jlems-rs sweep SPEC.toml -o FOLDER`: many runs of one model.

mod folder;
mod rows;
mod specified;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use jlems::{Code, Failure, visible};
use lems_sweep::{Shard, Spec, SweepError};

use super::core_types::SearchArguments;
use super::printing::{counted, print, print_error};
use super::run::signals::Signals;

pub use folder::Folder;
pub use specified::{Specification, Sweep, SweepProgress};

/// What to run and where the results go.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Specification of the sweep, in TOML.
    spec: String,
    /// Folder for the results. What is there already is not run again.
    #[arg(short, long, value_name = "FOLDER")]
    output: PathBuf,
    /// Run only this part of the sweep, as in `3/64`: its number from 0, and how many there are. If not
    /// given, a job array of Slurm, LSF or Grid Engine decides.
    #[arg(long, value_name = "NUMBER/OF")]
    shard: Option<String>,
    /// Number of points that run at the same time; as many as the computer has cores, if not given.
    #[arg(long, value_name = "NUMBER")]
    threads: Option<NonZeroUsize>,
    /// Run faster, with optimisations that change rounding errors only.
    #[arg(long)]
    fast: bool,
    /// Print what would be run, and run nothing.
    #[arg(long)]
    plan: bool,
    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    search: SearchArguments,
}

/// Runs the points that are missing in the folder.
pub fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let started = Instant::now();
    let specification = Specification::read(&arguments.spec)?;
    let shard = shard(arguments.shard.as_deref())?;
    let mut options = specification.options(arguments.search.options()?);
    options.fast = arguments.fast;
    super::watch::watch_over(&options);
    let reader = (arguments.search).reader(&specification.model(), &options);
    let sweep = Sweep::read(&specification, options, &*reader)?;
    let spec = specification.spec();
    let folder = sweep.folder(&arguments.output);
    let missing = folder.missing(spec, shard)?;
    if arguments.plan {
        print(&plan(spec, &folder, shard, missing.len()))?;
        return Ok(ExitCode::SUCCESS);
    }
    folder.begin()?;
    let signals = Signals::take();
    signals.keep();
    let progress = SweepProgress::ended_by(signals.interrupted());
    sweep.run(&folder, &missing, threads(arguments), &progress)?;
    if let Some(status) = signals.status() {
        print_error("the sweep was ended; the same command goes on with it\n");
        return Ok(ExitCode::from(status));
    }
    if !arguments.quiet {
        let seconds = started.elapsed().as_secs_f64();
        let mut said = format!("{} in {seconds:.1} s", counted(progress.points(), "run"));
        let failed = progress.failed();
        if failed > 0 {
            said += &format!(", {failed} of which failed: see the column `error`");
        }
        let place = arguments.output.display().to_string();
        print(&format!("{said}\nthe results are in {}\n", visible(&place)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The part of a sweep that this process runs: the one that is given, as in `3/64`, or else that of its task in
/// a job array, or else the whole.
///
/// # Errors
/// A shard that does not exist, or an array that does not make sense.
pub fn shard(given: Option<&str>) -> Result<Shard, Failure> {
    let plain = |error: SweepError| {
        let help = error.help().map(str::to_owned);
        Failure::plain(Code::WRONG_COMMAND, error.to_string(), help)
    };
    match given {
        Some(text) => text.parse().map_err(plain),
        None => {
            let variable = |name: &str| std::env::var(name).ok();
            let found = Shard::of_job(&variable, None).map_err(plain)?;
            Ok(found.unwrap_or(Shard::WHOLE))
        }
    }
}

fn threads(arguments: &Arguments) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.threads.map_or_else(all, NonZeroUsize::get)
}

fn plan(spec: &Spec, folder: &Folder, shard: Shard, missing: usize) -> String {
    let parameters: Vec<&str> = spec.parameters().map(|own| own.path).collect();
    let mut text = format!(
        "{} of {}\n",
        counted(spec.points(), "point"),
        visible(&spec.model)
    );
    if !parameters.is_empty() {
        text += &format!("parameters: {}\n", visible(&parameters.join(", ")));
    }
    let (batches, size) = (folder.batches(spec), folder.size(spec));
    text += &format!("files: {batches}, of {} each\n", counted(size, "point"));
    if shard != Shard::WHOLE {
        text += &format!("shard: {} of {}\n", shard.number, shard.of);
    }
    text + &format!("missing here: {}\n", counted(missing as u64, "file"))
}
