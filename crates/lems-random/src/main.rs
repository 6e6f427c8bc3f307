//! Writes random models, or checks with them that both back ends give the same bits.

use std::process::ExitCode;
use std::time::Instant;

use clap::{Args, Parser, Subcommand};
use lems_random::{RandomModel, back_ends};

/// Random LEMS models, to compare back ends and engines on.
#[derive(Debug, Parser)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run models with the interpreter and as machine code, and compare all variables.
    BackEnds {
        #[command(flatten)]
        which: Which,
    },
    /// Write models as LEMS files.
    Write {
        #[command(flatten)]
        which: Which,
        /// Folder for the files, one SEED.xml per model.
        #[arg(long, default_value = ".")]
        folder: std::path::PathBuf,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// Number of models.
    #[arg(long, default_value_t = 1)]
    models: u64,
    /// Seed of the first model; the others have the following seeds.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of time steps of each model.
    #[arg(long, default_value_t = 50)]
    steps: usize,
}

impl Which {
    fn models(&self) -> impl Iterator<Item = RandomModel> {
        let steps = self.steps;
        (self.seed..self.seed.saturating_add(self.models))
            .map(move |seed| RandomModel::new(seed, steps))
    }
}

/// Runs the command of the command line.
fn main() -> ExitCode {
    match CommandLine::parse().command {
        Command::BackEnds { which } => compare(&which),
        Command::Write { which, folder } => {
            for model in which.models() {
                let path = folder.join(format!("{}.xml", model.seed));
                if let Err(error) = std::fs::write(&path, &model.text) {
                    eprintln!("{}: {error}", path.display());
                    return ExitCode::FAILURE;
                }
            }
            ExitCode::SUCCESS
        }
    }
}

/// Compares the back ends on all models, and prints a summary.
fn compare(which: &Which) -> ExitCode {
    let started = Instant::now();
    let (mut failed, mut not_finite, mut variables, mut events, mut instances) = (0, 0, 0, 0, 0);
    let (mut kernels, mut together, mut interfering) = (0, 0, 0);
    for model in which.models() {
        match back_ends(&model) {
            Ok(passed) => {
                not_finite += usize::from(passed.not_finite);
                variables += passed.variables;
                events += passed.events;
                instances += passed.instances;
                kernels += passed.kernels;
                together += passed.together;
                interfering += passed.interfering;
            }
            Err(difference) => {
                failed += 1;
                println!("seed {}: {difference}", model.seed);
            }
        }
    }
    println!(
        "{} models, {failed} failed; {instances} instances, {variables} variables, {events} recorded events; \
         {together} of {kernels} kernels in blocks, {interfering} of them with events to one another; \
         {not_finite} models with infinities; {:.1} s",
        which.models,
        started.elapsed().as_secs_f64()
    );
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}
