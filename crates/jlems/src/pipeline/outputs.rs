//! The outputs of a run, and the places in the model that ask for them. Messages show these places.

use lems_document::{Document, Source, Span};
use lems_engine::EngineError;
use lems_output::{OutputError, OutputStore, expand_report_name};

use crate::reading::RECORD;
use crate::stages::Checked;
use crate::{Code, Diagnostic, Failure, Options};

/// The name of this program, as reports have it.
pub const SIMULATOR: &str = "jlems-rs";

/// The outputs of a run in the order in which they are opened, without those that are only drawn.
#[derive(Debug, Clone, Default)]
pub struct RunOutputs {
    wanted: Vec<Wanted>,
    /// Whether the last one is a report.
    with_report: bool,
}

#[derive(Debug, Clone)]
struct Wanted {
    name: String,
    origin: Origin,
}

/// What asks for an output.
#[derive(Debug, Clone, Copy)]
enum Origin {
    /// The output has no place in a text and no option.
    Unknown,
    Place(Span),
    Option(&'static str),
    /// No option was given that chooses what is recorded.
    Default,
}

impl RunOutputs {
    /// What a model asks for.
    pub(super) fn of(checked: &Checked<'_>, options: &Options) -> RunOutputs {
        let Checked {
            document,
            target,
            experiment,
            ..
        } = checked;
        let wanted = |name: &str, span: Option<Span>, option: &'static str| {
            let source = |span: Span| document.source(span.source).name.as_str();
            let made = options.made_outputs.as_ref();
            let origin = match (span, made) {
                (None, _) => Origin::Unknown,
                (Some(span), _) if source(span) == RECORD => Origin::Option(option),
                (Some(span), Some(made)) if source(span) == made.path => match made.chosen {
                    true => Origin::Option(option),
                    false => Origin::Default,
                },
                (Some(span), _) => Origin::Place(span),
            };
            let name = name.to_owned();
            Wanted { name, origin }
        };
        let data = experiment.data_files.iter();
        let data = data.map(|file| wanted(&file.path, file.span, RECORD));
        let events = experiment.event_files.iter();
        let events = events.map(|file| wanted(&file.path, Some(file.span), "--spikes"));
        let times = target.times_file;
        let times = times.map(|file| wanted(file.value(), Some(file.span()), RECORD));
        let report = target.report_file.map(|file| {
            let name = expand_report_name(file.value(), SIMULATOR, || options.timestamp.text());
            wanted(&name, Some(file.span()), RECORD)
        });
        RunOutputs {
            with_report: report.is_some(),
            wanted: data.chain(events).chain(times).chain(report).collect(),
        }
    }

    pub(super) fn report_file(&self) -> Option<&str> {
        let last = self.wanted.last().filter(|_| self.with_report)?;
        Some(&last.name)
    }

    /// Drops the texts of the sources that ask for no output.
    pub(super) fn keep_places(&self, sources: &mut [Source]) {
        let mut is_kept = vec![false; sources.len()];
        for wanted in &self.wanted {
            if let Origin::Place(span) = wanted.origin
                && let Some(is_kept) = is_kept.get_mut(span.source.0 as usize)
            {
                *is_kept = true;
            }
        }
        for (source, is_kept) in sources.iter_mut().zip(is_kept) {
            if !is_kept {
                source.text = "".into();
            }
        }
    }

    /// The failure because of an output, with the place or the option that asks for it.
    pub(super) fn failure(&self, error: OutputError, sources: &[Source]) -> Failure {
        let mut wanted = self.wanted.iter();
        let wanted = wanted.find(|wanted| error.path() == Some(&wanted.name));
        let mut failure = Failure::from(EngineError::from(error));
        failure.sources = sources.to_vec();
        for diagnostic in &mut failure.diagnostics {
            match wanted.map_or(Origin::Unknown, |wanted| wanted.origin) {
                Origin::Unknown => {}
                Origin::Place(span) => diagnostic.span = Some(span),
                Origin::Option(option) => {
                    let cause = format!("`{option}` asks for this output");
                    diagnostic.causes.push(cause);
                }
                Origin::Default => {
                    let cause =
                        "this output is made because neither `--record` nor `--spikes` is given";
                    diagnostic.causes.push(cause.to_owned());
                }
            }
        }
        failure
    }

    /// Checks that all outputs of a model can be written, before its network is built. Warns of outputs that
    /// share a name.
    pub(super) fn reserve(
        &self,
        store: &mut dyn OutputStore,
        document: &Document,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let names: Vec<&str> = (self.wanted.iter())
            .map(|wanted| wanted.name.as_str())
            .collect();
        let shared = store
            .reserve(&names, &document.own_files())
            .map_err(|error| self.failure(error, document.sources()))?;
        let warning = |[earlier, later]: [usize; 2]| {
            let (Wanted { name, origin }, other) = (self.wanted.get(later)?, names.get(earlier)?);
            let message = match other == name {
                true => format!("two outputs are called `{name}`: the last one stays"),
                false => {
                    format!("the outputs `{other}` and `{name}` are one file: the last one stays")
                }
            };
            let span = match origin {
                Origin::Place(span) => Some(*span),
                Origin::Unknown | Origin::Option(_) | Origin::Default => None,
            };
            let help = "give each a name of its own".to_owned();
            Some(Diagnostic::new(
                Code::SHARED_OUTPUT,
                message,
                span,
                Some(help),
            ))
        };
        Ok(shared.into_iter().filter_map(warning).collect())
    }
}
