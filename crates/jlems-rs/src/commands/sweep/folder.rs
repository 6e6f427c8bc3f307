//! The folder of a sweep: a file that says what it is, and parts of the table.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jlems::{Code, Failure, visible};
use lems_output::{Checksum, OutputError};
use lems_sweep::{Column, Shard, Spec, part};
use serde::{Deserialize, Serialize};

/// Name of the file that describes a folder. Programs that read Parquet files skip names that begin with `_`.
const MANIFEST: &str = "_sweep.json";
/// Most points of a part.
const LARGEST_PART: u64 = 256;
/// Parts that a sweep has at least, so that shards have something to share, if it has as many points.
const PARTS: u64 = 64;

/// What a folder is. Two sweeps with the same are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Manifest {
    /// Version of the program.
    jlems_rs: String,
    /// The specification.
    spec: String,
    /// Checksum of the texts of the model and of the table of points.
    model: String,
}

/// A folder of results.
pub struct Folder {
    path: PathBuf,
    manifest: Manifest,
}

impl Folder {
    /// The folder of the sweep of a specification and the other texts that it depends on; nothing is read or
    /// made.
    pub fn new<'t>(path: &Path, spec: &str, texts: impl Iterator<Item = &'t str>) -> Folder {
        let mut sum = Checksum::default();
        for text in texts {
            sum.add(text.as_bytes());
            // The length keeps two texts apart from one.
            sum.add(&text.len().to_le_bytes());
        }
        Folder {
            path: path.to_owned(),
            manifest: Manifest {
                jlems_rs: env!("CARGO_PKG_VERSION").to_owned(),
                spec: spec.to_owned(),
                model: format!("{:016x}", sum.value()),
            },
        }
    }

    /// Points of each part but the last.
    pub fn size(&self, spec: &Spec) -> u64 {
        spec.points().div_ceil(PARTS).clamp(1, LARGEST_PART)
    }

    /// Number of parts.
    pub fn batches(&self, spec: &Spec) -> u64 {
        spec.points().div_ceil(self.size(spec))
    }

    /// The numbers of the points of a part.
    pub fn points(&self, spec: &Spec, batch: u64) -> std::ops::Range<u64> {
        let first = batch * self.size(spec);
        first..(first + self.size(spec)).min(spec.points())
    }

    fn name(batch: u64) -> String {
        format!("part-{batch:06}.parquet")
    }

    /// The parts of a shard that are not there.
    ///
    /// # Errors
    /// The folder is that of another sweep, or cannot be read.
    pub fn missing(&self, spec: &Spec, shard: Shard) -> Result<Vec<u64>, Failure> {
        self.check()?;
        let own = (0..self.batches(spec)).filter(|batch| shard.has(*batch));
        Ok(own
            .filter(|batch| !self.path.join(Folder::name(*batch)).exists())
            .collect())
    }

    /// Whether the folder is that of this sweep, if it is of any.
    fn check(&self) -> Result<(), Failure> {
        // Parts come after the file that describes them, also if another process writes both just now.
        let has_parts = self.has_parts();
        let place = self.path.join(MANIFEST);
        let shown = place.display().to_string();
        let text = match lems_host::text_of(&place) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return if has_parts {
                    Err(self.undescribed())
                } else {
                    Ok(())
                };
            }
            Err(error) => {
                let message = format!("cannot read {}: {error}", visible(&shown));
                return Err(Failure::plain(Code::UNREADABLE, message, None));
            }
        };
        let differs = |what: &str| {
            let message = format!(
                "{} is of another sweep: {what}",
                visible(&self.path.display().to_string())
            );
            let help = "choose another folder, or remove this one".to_owned();
            Failure::plain(Code::MISFIT, message, Some(help))
        };
        let there: Manifest = serde_json::from_str(&text)
            .map_err(|_| differs(&format!("{MANIFEST} cannot be understood")))?;
        match &self.manifest {
            own if *own == there => Ok(()),
            own if own.spec != there.spec => Err(differs("its specification is another one")),
            own if own.model != there.model => {
                Err(differs("its model or its points have changed since"))
            }
            _ => Err(differs("it was made by another version of the program")),
        }
    }

    /// Whether any part is there, of whatever sweep.
    fn has_parts(&self) -> bool {
        let is_part = |entry: fs::DirEntry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.starts_with("part-") && name.ends_with(".parquet")
        };
        (self.path.read_dir()).is_ok_and(|entries| entries.flatten().any(is_part))
    }

    /// The failure of a folder with parts that does not say what they are of.
    fn undescribed(&self) -> Failure {
        let shown = self.path.display().to_string();
        let message = format!("{} has results, but no {MANIFEST}", visible(&shown));
        let help = "choose another folder".to_owned();
        Failure::plain(Code::MISFIT, message, Some(help))
    }

    /// Makes the folder, and says in it what it is.
    ///
    /// # Errors
    /// The folder cannot be made or written, or another sweep has begun in it meanwhile.
    pub fn begin(&self) -> Result<(), Failure> {
        if self.path.join(MANIFEST).exists() {
            return Ok(());
        }
        fs::create_dir_all(&self.path).map_err(|error| unwritable(&self.path, &error))?;
        let text = super::super::printing::json(&self.manifest)?;
        match self.put(MANIFEST, text.as_bytes())? {
            Put::New => Ok(()),
            // Another process has begun with the folder at the same time: the same sweep, as a rule.
            Put::There => self.check(),
        }
    }

    /// Writes a part.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, batch: u64, columns: &[Column]) -> Result<(), Failure> {
        let bytes =
            part(columns).map_err(|error| Failure::plain(Code::MISFIT, error.to_string(), None))?;
        // If it is there, another process has computed the same.
        self.put(&Folder::name(batch), &bytes)?;
        Ok(())
    }

    /// Writes a file as a whole or not at all, unless there is one with its name. Until it is whole, its name begins
    /// with a dot, and readers of Parquet leave it out.
    fn put(&self, name: &str, bytes: &[u8]) -> Result<Put, Failure> {
        let place = self.path.join(name);
        let hidden = format!(".{name}.");
        let mut builder = tempfile::Builder::new();
        builder.prefix(&hidden);
        // Others may read the results, as the user's mask says; a temporary file is its owner's alone otherwise.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder.tempfile_in(&self.path).and_then(|mut file| {
            file.write_all(bytes)?;
            Ok(file)
        });
        let file = file.map_err(|error| unwritable(&place, &error))?;
        match file.persist_noclobber(&place) {
            Ok(_) => Ok(Put::New),
            // A link that leads nowhere has the name, but is no file.
            Err(failed)
                if failed.error.kind() == io::ErrorKind::AlreadyExists && place.exists() =>
            {
                Ok(Put::There)
            }
            Err(failed) => Err(unwritable(&place, &failed.error)),
        }
    }
}

/// What became of a file that was to be written.
enum Put {
    New,
    There,
}

/// The failure of a file or folder that cannot be written.
fn unwritable(place: &Path, error: &io::Error) -> Failure {
    let error = OutputError::Write {
        path: place.display().to_string(),
        message: error.to_string(),
    };
    Failure::from(jlems::EngineError::from(error))
}
