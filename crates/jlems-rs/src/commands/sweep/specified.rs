//! A sweep that a file specifies: which points it has, and running those that are missing in a folder.

use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jlems::{
    Code, Compiled, Diagnostic, Failure, Loaded, Options, Pace, Settings, Traces, visible,
};
use lems_document::{Source, SourceId, SourceReader, Span};
use lems_model::Definitions;
use lems_sweep::{Point, Spec, SweepError};

use super::folder::Folder;
use super::rows::{self, Kept, Layout, RECORDED, Row};
use crate::commands::recordings::RecordingArguments;

/// The file that specifies a sweep, and the table of points that it names.
#[derive(Debug)]
pub struct Specification {
    path: String,
    text: String,
    /// The table of points, if there is one.
    table: String,
    spec: Spec,
}

impl Specification {
    /// Reads a file.
    ///
    /// # Errors
    /// Files that cannot be read, and what makes no sense in them.
    pub fn read(path: &str) -> Result<Specification, Failure> {
        let unreadable = |error: std::io::Error| {
            let message = format!("cannot read {}: {error}", visible(path));
            let diagnostic = Diagnostic::new(Code::UNREADABLE, message, None, None);
            Failure {
                sources: Vec::new(),
                diagnostics: vec![diagnostic.with_missing_file(missing(path, &error))],
            }
        };
        let text = lems_host::text_of(Path::new(path)).map_err(unreadable)?;
        let read_table = RefCell::new(String::new());
        let table = |name: &str| {
            let place = beside(path).join(name);
            let failed = |error: std::io::Error| SweepError::Points {
                message: format!("cannot read {}: {error}", place.display()),
                missing_file: missing(&place.to_string_lossy(), &error),
            };
            let table = lems_host::text_of(&place).map_err(failed)?;
            read_table.borrow_mut().clone_from(&table);
            Ok(table)
        };
        let spec = Spec::read_with(&text, &table);
        let spec = spec.map_err(|error| wrong(path, &text, &error))?;
        Ok(Specification {
            path: path.to_owned(),
            table: read_table.into_inner(),
            text,
            spec,
        })
    }

    /// What it specifies.
    pub fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Path of the model.
    pub fn model(&self) -> String {
        let place = beside(&self.path).join(&self.spec.model);
        place.to_string_lossy().into_owned()
    }

    /// Quantities and populations that have to be recorded. If both are empty, they are those of the model.
    pub fn recorded(&self) -> (Vec<String>, Vec<String>) {
        rows::wanted(&self.spec.record)
    }

    /// Options to which those of the specification are added.
    #[must_use]
    pub fn options(&self, mut options: Options) -> Options {
        let spec = &self.spec;
        options.include.extend(spec.include.iter().cloned());
        options.settings = Settings {
            step: spec.step.clone(),
            length: spec.length.clone(),
            ..Settings::default()
        };
        options.free = spec.parameters().map(|own| own.path.to_owned()).collect();
        options.threads = Some(std::num::NonZeroUsize::MIN);
        options
    }
}

/// A path that leads to no file, if that is what an error is about.
fn missing(path: &str, error: &std::io::Error) -> Option<String> {
    (error.kind() == std::io::ErrorKind::NotFound).then(|| path.to_owned())
}

/// The folder that a file is in.
fn beside(path: &str) -> &Path {
    Path::new(path).parent().unwrap_or(Path::new(""))
}

/// What is wrong with a specification, at its place.
fn wrong(path: &str, text: &str, error: &SweepError) -> Failure {
    let source = Source {
        name: path.to_owned(),
        text: text.to_owned().into(),
        embedded: false,
    };
    let span = error
        .span()
        .map(|range| Span::new(SourceId::after(&[]), range));
    let help = error.help().map(str::to_owned);
    let missing = error.missing_file().map(str::to_owned);
    let diagnostic = Diagnostic::new(Code::WRONG_SWEEP, error.to_string(), span, help);
    Failure {
        sources: vec![source],
        diagnostics: vec![diagnostic.with_missing_file(missing)],
    }
}

/// How far a sweep is, for other threads, and whether it is to end.
#[derive(Debug, Default)]
pub struct SweepProgress {
    points: AtomicU64,
    failed: AtomicU64,
    ended: Arc<AtomicBool>,
}

impl SweepProgress {
    /// That of a sweep which ends after the current steps once a flag is set.
    pub fn ended_by(flag: Arc<AtomicBool>) -> SweepProgress {
        SweepProgress {
            ended: flag,
            ..SweepProgress::default()
        }
    }

    /// Points that were run.
    pub fn points(&self) -> u64 {
        self.points.load(Ordering::Relaxed)
    }

    /// Points that failed among those that were run.
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn count(&self, row: &Row) {
        self.points.fetch_add(1, Ordering::Relaxed);
        self.failed
            .fetch_add(u64::from(row.error.is_some()), Ordering::Relaxed);
    }
}

/// A sweep whose model is read, and what is kept of each of its runs.
pub struct Sweep<'s> {
    specification: &'s Specification,
    loaded: Loaded,
    options: Options,
    layout: Layout,
}

impl Sweep<'_> {
    /// Reads the model, and builds its first point to learn what runs record. The options are those that the
    /// specification gives.
    ///
    /// # Errors
    /// Those of the model and of its first point.
    pub fn read<'s>(
        specification: &'s Specification,
        mut options: Options,
        reader: &dyn SourceReader,
    ) -> Result<Sweep<'s>, Failure> {
        let spec = &specification.spec;
        let file = specification.model();
        let (record, spikes) = specification.recorded();
        let is_chosen = !record.is_empty() || !spikes.is_empty();
        let recording = RecordingArguments::of(record, spikes, RECORDED);
        let runnable = recording.runnable(&file, reader, &mut options)?;
        options.without_data = is_chosen && runnable.says_itself();
        options.without_events = options.without_data;
        let loaded = Loaded::read(runnable.path(), runnable.reader(), &options)?;
        let compiled = compiled(&loaded, &spec.point(0), &options, (None, None))?;
        let layout = Layout::of(spec, compiled.simulation());
        let layout =
            layout.map_err(|error| wrong(&specification.path, &specification.text, &error))?;
        Ok(Sweep {
            specification,
            loaded,
            options,
            layout,
        })
    }

    /// A folder for the results; nothing is read or made.
    pub fn folder(&self, path: &Path) -> Folder {
        let own = self.loaded.document().sources().iter();
        let texts = own
            .filter(|source| !source.embedded)
            .map(|source| &*source.text);
        let texts = texts.chain([self.specification.table.as_str()]);
        Folder::new(path, &self.specification.text, texts)
    }

    /// Runs the points of some parts on threads, and writes these parts. Once the sweep is to end, no part is
    /// written any more.
    ///
    /// # Errors
    /// Files that cannot be written. A point that fails is no error.
    pub fn run(
        &self,
        folder: &Folder,
        parts: &[u64],
        threads: usize,
        progress: &SweepProgress,
    ) -> Result<(), Failure> {
        let spec = &self.specification.spec;
        let definitions = self.loaded.definitions();
        // The machine code that each thread has used last.
        let codes: Vec<Mutex<Option<Compiled>>> = (0..threads).map(|_| Mutex::default()).collect();
        for part in parts {
            let numbers: Vec<u64> = folder.points(spec, *part).collect();
            let Some(rows) = self.rows(&numbers, definitions.as_ref(), &codes, progress) else {
                break;
            };
            folder.write(*part, &self.layout.columns(spec, &rows))?;
        }
        Ok(())
    }

    /// The rows of some points; None if the sweep is to end first.
    fn rows(
        &self,
        numbers: &[u64],
        definitions: Option<&Definitions<'_>>,
        codes: &[Mutex<Option<Compiled>>],
        progress: &SweepProgress,
    ) -> Option<Vec<Row>> {
        let next = AtomicUsize::new(0);
        let rows: Mutex<Vec<Option<Row>>> = Mutex::new(vec![None; numbers.len()]);
        std::thread::scope(|scope| {
            for code in codes.iter().take(numbers.len()) {
                scope.spawn(|| {
                    let mut code = code.lock().unwrap_or_else(PoisonError::into_inner);
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(number) = numbers.get(place) else {
                            break;
                        };
                        if progress.is_ended() {
                            break;
                        }
                        let point = self.specification.spec.point(*number);
                        let row = self.row(&point, definitions, &mut code, progress);
                        row.iter().for_each(|row| progress.count(row));
                        let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(place) = rows.get_mut(place) {
                            *place = row;
                        }
                    }
                });
            }
        });
        let rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
        rows.into_iter().collect()
    }

    /// Runs a point; None if the sweep is to end first. A point that fails is a row with its error.
    fn row(
        &self,
        point: &Point<'_>,
        definitions: Option<&Definitions<'_>>,
        code: &mut Option<Compiled>,
        progress: &SweepProgress,
    ) -> Option<Row> {
        let known = (definitions, code.as_ref());
        let compiled = match compiled(&self.loaded, point, &self.options, known) {
            Ok(compiled) => code.insert(compiled),
            Err(failure) => return Some(Row::failed(point, &failure)),
        };
        let options = Options {
            seed: point.seed,
            ..self.options.clone()
        };
        let mut run = match compiled.start_into(|simulation| Ok(Traces::of(simulation)), &options) {
            Ok(run) => run,
            Err(error) => return Some(Row::failed(point, &error.into())),
        };
        let mut pace = Pace::start(&self.options.host());
        while !run.is_at_end() {
            if progress.is_ended() {
                return None;
            }
            if let Err(error) = run.step(pace.steps()) {
                return Some(Row::failed(point, &error.into()));
            }
        }
        let kept = Kept {
            length: run.time(),
            traces: run.into_sink(),
        };
        Some(self.layout.row(point, &kept))
    }
}

/// The run of a point, with the definitions of the model, and with the machine code of another point if it fits.
fn compiled(
    loaded: &Loaded,
    point: &Point<'_>,
    options: &Options,
    (definitions, known): (Option<&Definitions<'_>>, Option<&Compiled>),
) -> Result<Compiled, Failure> {
    let options = Options {
        seed: point.seed,
        ..options.clone()
    };
    let settings = Settings {
        set: point.settings().collect(),
        ..Settings::default()
    };
    let changed = loaded.with_settings(&settings, &options)?;
    let built = changed.check_like(definitions, &options)?.build(&options)?;
    match known {
        Some(known) => built.compile_like(known, &options),
        None => built.compile(&options),
    }
}
