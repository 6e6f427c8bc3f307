//! Checkpoints in files: when they are written, and how a run continues from one.

use std::fs::File;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{ArgGroup, Args};
use jlems::{Code, Failure, Stop, visible};
use lems_engine::{Checkpoint, CheckpointError, EngineError, Moment};
use lems_host::FileStore;
use lems_output::OutputStore;
use lems_ranks::{Command, Ranks};

use super::parts::{self, Files};

/// Time by the clock between two checkpoints.
const PERIOD: Duration = Duration::from_secs(600);

/// Options that protect a run from being lost.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("kept").multiple(true)))]
pub struct CheckpointArguments {
    /// File to save the run to: every ten minutes, when it is interrupted, and at its end.
    #[arg(long, value_name = "FILE", group = "kept")]
    checkpoint: Option<PathBuf>,
    /// Save the run at intervals of simulated time, such as `10s`, instead of every ten minutes.
    #[arg(long, value_name = "TIME", requires = "kept", value_parser = seconds)]
    checkpoint_every: Option<f64>,
    /// Continue the run that was saved in this checkpoint, and keep saving to it unless
    /// `--checkpoint` names another file.
    #[arg(long, value_name = "FILE", group = "kept")]
    resume: Option<PathBuf>,
}

impl CheckpointArguments {
    /// The checkpoint that is read and not written.
    pub fn input(&self) -> Option<String> {
        let resume = self
            .resume
            .as_ref()
            .filter(|_| self.checkpoint != self.resume);
        let resume = resume.filter(|_| self.checkpoint.is_some())?;
        Some(resume.to_string_lossy().into_owned())
    }

    /// The checkpoint from which the run continues.
    ///
    /// # Errors
    /// A checkpoint that cannot be read or is none.
    pub fn resumed(&self) -> Result<Option<Checkpoint>, Failure> {
        self.resume.as_deref().map(read).transpose()
    }

    /// The checkpoint that is written.
    pub fn output(&self) -> Option<&Path> {
        self.checkpoint.as_deref().or(self.resume.as_deref())
    }

    /// Simulated time between two checkpoints, in seconds.
    pub fn every(&self) -> Option<f64> {
        self.checkpoint_every
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let units = [
        ("ms", 1e-3),
        ("us", 1e-6),
        ("min", 60.0),
        ("h", 3600.0),
        ("s", 1.0),
    ];
    let number = |(unit, scale): (&str, f64)| {
        let number: f64 = text.trim().strip_suffix(unit)?.trim().parse().ok()?;
        Some(number * scale)
    };
    (units.into_iter().find_map(number))
        .filter(|time| *time > 0.0 && time.is_finite())
        .ok_or_else(|| "a time is a number and `h`, `min`, `s`, `ms` or `us`".to_owned())
}

/// Writes the checkpoints of a run.
pub struct Keeper {
    path: Option<PathBuf>,
    by_the_clock: bool,
    written: Option<Instant>,
    /// The ranks that make the run together, if several do. This one leads.
    ranks: Option<Ranks>,
    /// Number of the last checkpoint that has parts.
    generation: u64,
}

impl Keeper {
    /// What keeps a run as the arguments say, and what the run goes on from.
    ///
    /// # Errors
    /// A checkpoint that would be replaced, cannot be read or is none.
    pub fn new(
        arguments: &CheckpointArguments,
        ranks: Option<Ranks>,
    ) -> Result<(Keeper, Option<Checkpoint>), Failure> {
        let CheckpointArguments {
            checkpoint,
            checkpoint_every,
            resume,
        } = arguments;
        if let Some(path) = checkpoint
            && path.exists()
            && resume.as_ref() != Some(path)
        {
            let path = path.display();
            let message = format!("the checkpoint `{path}` is there already");
            let help = format!("`--resume {path}` goes on from it; remove it to begin anew");
            return Err(Failure::plain(
                Code::REPLACED_CHECKPOINT,
                message,
                Some(help),
            ));
        }
        let resumed = arguments.resumed()?;
        let keeper = Keeper {
            path: arguments.output().map(Path::to_owned),
            by_the_clock: checkpoint_every.is_none(),
            written: None,
            ranks,
            generation: resumed.as_ref().map_or(0, Checkpoint::generation),
        };
        Ok((keeper, resumed))
    }

    /// Saves the run if it is time to, or if the run is to end. Decides whether it continues.
    pub fn look(
        &mut self,
        moment: &mut Moment<'_, '_>,
        wish: ControlFlow<Stop>,
    ) -> ControlFlow<Stop> {
        let Some(path) = self.path.clone() else {
            return wish;
        };
        let is_old = |written: Instant| self.by_the_clock && written.elapsed() >= PERIOD;
        // The first is written at once: better no run than one that cannot be kept.
        if moment.due || wish.is_break() || self.written.is_none_or(is_old) {
            if let Err(failure) = self.write(&path, moment) {
                return ControlFlow::Break(Stop::Failed(failure));
            }
            self.written = Some(Instant::now());
        }
        wish
    }

    /// Whenever this is ended, the file is the old checkpoint or the new one, and the parts of that one are there.
    fn write(&mut self, path: &Path, moment: &mut Moment<'_, '_>) -> Result<(), Failure> {
        let is_first = self.written.is_none();
        let (old, new) = (self.generation, self.generation + 1);
        let (bytes, parts) = match &self.ranks {
            None => (moment.checkpoint()?, 0),
            Some(ranks) => {
                // If a rank has ended, the words that follow say so.
                let _ = ranks.broadcast(Command::Save(new));
                let seals = parts::write(path, new, ranks, moment)?;
                if is_first {
                    parts::find(path, new, &seals)?;
                }
                self.generation = new;
                (moment.checkpoint_of_parts(new, &seals)?, seals.len())
            }
        };
        let mut sink = FileStore::new()
            .create(&path.to_string_lossy())
            .map_err(EngineError::from)?;
        sink.write(&bytes).map_err(EngineError::from)?;
        sink.mark().map_err(EngineError::from)?;
        sink.finish().map_err(EngineError::from)?;
        if is_first {
            parts::sync_folder(path);
            parts::remove_others(path, self.generation, parts);
        } else if parts > 0 {
            parts::sync_folder(path);
            parts::remove(path, old, parts);
        }
        Ok(())
    }

    /// The checkpoint, relative to the working directory.
    pub fn path(&self) -> Option<String> {
        let path = self.path.as_ref()?;
        Some(path.to_string_lossy().into_owned())
    }

    /// How an interrupted run can be gone on with.
    pub fn way_on(&self) -> String {
        match &self.path {
            Some(_) => self.kept("`--resume` goes on from it"),
            None => "it cannot be resumed: only a run with `--checkpoint FILE` can\n".to_owned(),
        }
    }

    /// What is said of the last checkpoint, and what it is for.
    pub fn kept(&self, purpose: &str) -> String {
        (self.path.as_ref()).map_or_else(String::new, |path| {
            format!("kept {} ({purpose})\n", visible(&path.to_string_lossy()))
        })
    }
}

fn read(path: &Path) -> Result<Checkpoint, Failure> {
    let failed = |error: io::Error| {
        let message = format!("cannot read the checkpoint `{}`: {error}", path.display());
        Failure::plain(
            Code::NOT_A_CHECKPOINT,
            message,
            Some(CheckpointError::NotOne.help()),
        )
    };
    // A pipe can be read only once.
    let checkpoint = match path.metadata().map_err(failed)?.is_file() {
        true => {
            File::open(path).map_err(failed)?;
            Checkpoint::open(Arc::new(Files(path.to_owned())))
        }
        false => Checkpoint::read(&lems_host::bytes_of(path).map_err(failed)?),
    };
    Ok(checkpoint.map_err(EngineError::from)?)
}
