//! The files of a checkpoint that several ranks write.
//!
//! The parts of the next checkpoint have names of their own, so the last one stays whole until the new file `NAME` takes
//! the place of the old one. A run that is ended between the two leaves parts that nothing needs. The next run that
//! saves to `NAME` removes them.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jlems::{Failure, exchange_seals};
use lems_engine::{CheckpointError, CheckpointFiles, EngineError, Moment, PartName, Seal};
use lems_output::OutputError;
use lems_ranks::Ranks;

/// How often rank 0 looks for the part of another rank: some file systems show new files late.
const LOOKS: u32 = 50;
const PAUSE: Duration = Duration::from_millis(100);

/// The files of the checkpoint at a path.
#[derive(Debug)]
pub struct Files(pub PathBuf);

impl CheckpointFiles for Files {
    fn open(&self, part: Option<PartName>) -> io::Result<Box<dyn Read + '_>> {
        let path = part.map_or_else(|| self.0.clone(), |part| path_of(&self.0, part));
        Ok(Box::new(File::open(path)?))
    }

    fn name(&self, part: PartName) -> String {
        path_of(&self.0, part).display().to_string()
    }
}

/// Where a part of the checkpoint at `path` is.
fn path_of(path: &Path, part: PartName) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.rank-{:05}", part.generation, part.rank));
    name.into()
}

/// The part that a file beside the checkpoint with a name is, if it is one.
fn part_of(checkpoint: &str, file: &str) -> Option<PartName> {
    let rest = file.strip_prefix(checkpoint)?.strip_prefix('.')?;
    let (generation, rank) = rest.split_once(".rank-")?;
    let part = PartName {
        generation: generation.parse().ok()?,
        rank: rank.parse().ok()?,
    };
    let is_name = path_of(Path::new(checkpoint), part) == Path::new(file);
    is_name.then_some(part)
}

/// Writes the part of this rank, and returns the seals of the parts of all.
///
/// # Errors
/// A part that a rank cannot write; a rank that has ended.
pub fn write(
    path: &Path,
    generation: u64,
    ranks: &Ranks,
    moment: &mut Moment<'_, '_>,
) -> Result<Vec<Seal>, Failure> {
    let rank = ranks.rank();
    let own = write_own(&path_of(path, PartName { generation, rank }), moment);
    let own_seal = own.as_ref().copied().map_err(ToString::to_string);
    let all = exchange_seals(ranks, own_seal);
    own?;
    Ok(all?)
}

fn write_own(path: &Path, moment: &mut Moment<'_, '_>) -> Result<Seal, EngineError> {
    let bytes = moment.checkpoint()?;
    let failed = |error: io::Error| OutputError::Write {
        path: path.display().to_string(),
        message: error.to_string(),
    };
    // Nothing refers to what is there: it is left of a run that was ended.
    let _ = fs::remove_file(path);
    let made = File::options().write(true).create_new(true).open(path);
    let mut file = made.map_err(failed)?;
    file.write_all(&bytes).map_err(failed)?;
    file.sync_all().map_err(failed)?;
    sync_folder(path);
    Seal::of(&bytes).ok_or(CheckpointError::NotOne.into())
}

/// Checks that this process finds the parts that others have written.
///
/// # Errors
/// It does not, because the processes have different folders.
pub fn find(path: &Path, generation: u64, seals: &[Seal]) -> Result<(), EngineError> {
    for (rank, seal) in seals.iter().enumerate() {
        let part = path_of(path, PartName { generation, rank });
        let mut looks = 0;
        while seal_at(&part).as_ref() != Some(seal) {
            looks += 1;
            if looks == LOOKS {
                let name = part.display().to_string();
                let problem =
                    format!("process {rank} has written it, but process 0 does not find it");
                return Err(CheckpointError::Part { name, problem }.into());
            }
            std::thread::sleep(PAUSE);
        }
    }
    Ok(())
}

fn seal_at(path: &Path) -> Option<Seal> {
    let mut beginning = Vec::new();
    let file = File::open(path).ok()?;
    file.take(100).read_to_end(&mut beginning).ok()?;
    Seal::of(&beginning)
}

/// Makes a new name in the folder of a file last when the machine stops, where the system can.
pub fn sync_folder(path: &Path) {
    let folder = path.parent().unwrap_or(Path::new(""));
    let _ = File::open(Path::new(".").join(folder)).and_then(|folder| folder.sync_all());
}

/// Removes the parts of all checkpoints at `path` but the one that has `number` parts of a generation.
pub fn remove_others(path: &Path, generation: u64, number: usize) {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return;
    };
    let folder = Path::new(".").join(path.parent().unwrap_or(Path::new("")));
    // What cannot be removed stays, and nothing needs it.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let part = entry
            .file_name()
            .to_str()
            .and_then(|file| part_of(name, file));
        let is_needed = |part: PartName| part.generation == generation && part.rank < number;
        if part.is_some_and(|part| !is_needed(part)) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Removes the parts of a generation.
pub fn remove(path: &Path, generation: u64, number: usize) {
    for rank in 0..number {
        let _ = fs::remove_file(path_of(path, PartName { generation, rank }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_parts_are_taken_for_parts() {
        let part = PartName {
            generation: 12,
            rank: 123_456,
        };
        let name = path_of(Path::new("a.b"), part);
        assert_eq!(name, Path::new("a.b.12.rank-123456"));
        assert_eq!(part_of("a.b", "a.b.12.rank-123456"), Some(part));
        for other in [
            "a.b",
            "a.b.rank-00001",
            "a.b.1.rank-1",
            "a.b.01.rank-00001",
            "a.b.1.rank-00001.partial",
            "a.b.+1.rank-00001",
            "a.c.1.rank-00001",
        ] {
            assert_eq!(part_of("a.b", other), None, "{other}");
        }
    }
}
