//! Errors and warnings as people read them: the source line, the place underlined, the likely
//! fix.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use lems_document::{Document, DocumentError, LoadFailure, Source, Span};
use lems_engine::EngineError;
use lems_export::ExportError;
use lems_model::ModelError;
use lems_network::NetworkError;
use lems_schema::SchemaError;

use crate::Code;
use crate::explain::Severity;
use crate::visible::{shortened, visible, visible_source};

/// One message about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// What `jlems-rs explain` tells more about.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What it comes from, as lines of their own.
    pub causes: Vec<String>,
    /// Where.
    pub span: Option<Span>,
    /// Another place that it is about, and what is there.
    pub related: Option<(Span, &'static str)>,
    /// The likely fix, in one sentence.
    pub help: Option<String>,
    /// The file that is not there, if that is what is wrong.
    pub missing_file: Option<String>,
}

/// Why a model was not run: all errors of the stage that found some.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Failure {
    /// What the places of the diagnostics are in.
    pub sources: Vec<Source>,
    /// The errors.
    pub diagnostics: Vec<Diagnostic>,
}

/// All messages with their source lines, in full.
impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.render(false))
    }
}

impl std::error::Error for Failure {}

/// Most diagnostics that are written out.
pub const MOST_SHOWN: usize = 20;

impl Failure {
    /// A failure that has no place in a source.
    pub fn plain(code: Code, message: impl Into<String>, help: Option<String>) -> Failure {
        Failure {
            sources: Vec::new(),
            diagnostics: vec![Diagnostic::new(code, message.into(), None, help)],
        }
    }

    /// All errors of a stage, each of them once.
    pub(crate) fn of<'e, E>(sources: &[Source], errors: &'e [E]) -> Failure
    where
        Diagnostic: From<&'e E>,
    {
        let mut seen = HashSet::new();
        let mut diagnostics: Vec<Diagnostic> = errors.iter().map(Diagnostic::from).collect();
        diagnostics.retain(|diagnostic| seen.insert((diagnostic.span, diagnostic.message.clone())));
        Failure {
            sources: sources.to_vec(),
            diagnostics,
        }
    }

    /// The same with those warnings about what was read that are always shown, because one of them may be the
    /// cause. If the text was probably misread, that is the cause, and nothing else is shown.
    pub(crate) fn with_warnings_of(mut self, document: &Document) -> Failure {
        if let Some(doubt) = document.doubt() {
            return Failure::of(document.sources(), std::slice::from_ref(doubt));
        }
        self.add(Failure::warnings_of(document));
        self
    }

    /// The warnings of a document that are always shown.
    pub fn warnings_of(document: &Document) -> Failure {
        Failure::always_shown(document.sources(), document.warnings())
    }

    /// Those warnings about the sources that are always shown.
    pub(crate) fn always_shown<'e, E>(sources: &[Source], warnings: &'e [E]) -> Failure
    where
        Diagnostic: From<&'e E>,
    {
        let shown = warnings
            .iter()
            .map(|one| Diagnostic::from(one).as_warning());
        let diagnostics: Vec<Diagnostic> = shown.filter(Diagnostic::is_always_shown).collect();
        let sources = if diagnostics.is_empty() {
            Vec::new()
        } else {
            sources.to_vec()
        };
        Failure {
            sources,
            diagnostics,
        }
    }

    /// The errors, without the warnings that may name their cause.
    pub(crate) fn into_errors(mut self) -> Vec<Diagnostic> {
        self.diagnostics
            .retain(|one| one.severity == Severity::Error);
        self.diagnostics
    }

    /// The same as warnings.
    pub(crate) fn into_warnings(mut self) -> Failure {
        let found = std::mem::take(&mut self.diagnostics).into_iter();
        self.diagnostics = found.map(Diagnostic::as_warning).collect();
        self
    }

    /// The same with other diagnostics about the same sources.
    pub(crate) fn and(mut self, other: Failure) -> Failure {
        self.add(other);
        self
    }

    /// Adds diagnostics about the same sources, unless they are there.
    pub(crate) fn add(&mut self, other: Failure) {
        if self.sources.is_empty() {
            self.sources = other.sources;
        }
        let key = |one: &Diagnostic| (one.span, one.message.clone());
        // The error says what is wrong with the text; the warnings say what is read of it.
        let is_refused = self
            .diagnostics
            .iter()
            .any(|one| one.severity == Severity::Error && one.code == Code::MALFORMED);
        let is_explained = |one: &Diagnostic| {
            is_refused && one.severity == Severity::Warning && one.code == Code::MALFORMED
        };
        let known: HashSet<_> = self.diagnostics.iter().map(key).collect();
        let new = other.diagnostics.into_iter();
        self.diagnostics
            .extend(new.filter(|one| !known.contains(&key(one)) && !is_explained(one)));
    }

    /// The messages with their source lines, `colored` for a terminal; after the first
    /// [`MOST_SHOWN`] only how many more there are. Warnings that are always shown come last and
    /// are counted by themselves, so that no errors hide them.
    pub fn render(&self, colored: bool) -> String {
        self.render_within(colored, None)
    }

    /// The same for a terminal of so many columns.
    pub fn render_within(&self, colored: bool, width: Option<usize>) -> String {
        let (always, others): (Vec<&Diagnostic>, Vec<&Diagnostic>) = self
            .diagnostics
            .iter()
            .partition(|one| one.severity == Severity::Warning && one.is_always_shown());
        self.rendered(&others, colored, width) + &self.rendered(&always, colored, width)
    }

    fn rendered(&self, diagnostics: &[&Diagnostic], colored: bool, width: Option<usize>) -> String {
        let shown = diagnostics.iter().take(MOST_SHOWN);
        let mut text: String = shown
            .map(|diagnostic| diagnostic.render(&self.sources, colored, width) + "\n\n")
            .collect();
        let rest = diagnostics.get(MOST_SHOWN..).unwrap_or_default();
        let is_error = |diagnostic: &&Diagnostic| diagnostic.severity == Severity::Error;
        let kind = match rest.iter().any(is_error) {
            true => "error",
            false => "warning",
        };
        match rest.len() {
            0 => {}
            1 => text.push_str(&format!("{kind}: and 1 more {kind}\n\n")),
            more => text.push_str(&format!("{kind}: and {more} more {kind}s\n\n")),
        }
        text
    }
}

impl Diagnostic {
    /// A message about a place; it has no further causes or notes.
    pub fn new(
        code: Code,
        message: String,
        span: Option<Span>,
        help: Option<String>,
    ) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: shortened(message),
            causes: Vec::new(),
            span,
            related: None,
            help: help.map(shortened),
            missing_file: None,
        }
    }

    /// The same about a file that is not there.
    #[must_use]
    pub fn with_missing_file(mut self, file: Option<String>) -> Diagnostic {
        self.missing_file = file;
        self
    }

    /// Whether it is shown without being asked for.
    pub fn is_always_shown(&self) -> bool {
        self.severity == Severity::Error || self.code.is_always_shown()
    }

    /// The same, as an error.
    pub(crate) fn into_error(mut self) -> Diagnostic {
        self.severity = Severity::Error;
        self
    }

    /// The same, as a warning.
    pub fn as_warning(mut self) -> Diagnostic {
        self.severity = Severity::Warning;
        self
    }

    /// The message with its source lines, which are cut to a `width` in columns if there is one.
    pub fn render(&self, sources: &[Source], colored: bool, width: Option<usize>) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let label = self.code.label(self.severity);
        let lines = [&self.message].into_iter().chain(&self.causes);
        let message: Vec<_> = lines.map(|line| visible(line)).collect();
        let title = level.primary_title(message.join("\n")).id(label);
        let mut group = Group::with_title(title);
        let excerpts: Vec<_> = (self.span.into_iter().map(|span| (span, None)))
            .chain(self.related.map(|(span, label)| (span, Some(label))))
            .filter_map(|(span, label)| Some((Excerpt::of(sources, span)?, label)))
            .collect();
        for (excerpt, label) in &excerpts {
            let kind = match label {
                None => AnnotationKind::Primary,
                Some(_) => AnnotationKind::Context,
            };
            let mut annotation = kind.span(excerpt.start..excerpt.end);
            if let Some(label) = *label {
                annotation = annotation.label(label);
            }
            group = group.element(
                Snippet::source(visible_source(excerpt.text))
                    .path(visible(&excerpt.name))
                    .line_start(excerpt.line)
                    .annotation(annotation),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(visible(help)));
        }
        let renderer = if colored {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let renderer = width.map_or(renderer.clone(), |width| renderer.term_width(width));
        renderer.render(&[group])
    }
}

/// The lines of a source that a span is on.
struct Excerpt<'s> {
    name: Cow<'s, str>,
    text: &'s str,
    line: usize,
    start: usize,
    end: usize,
}

/// Most bytes of a source line that are shown.
const LONGEST_LINE: usize = 1 << 16;

impl<'s> Excerpt<'s> {
    fn of(sources: &'s [Source], span: Span) -> Option<Excerpt<'s>> {
        let source = sources.get(span.source.0 as usize)?;
        let text = &*source.text;
        let (start, end) = (span.start as usize, span.end as usize);
        let before = text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let rest = text.get(start..)?;
        let line_end = rest.find('\n').map_or(text.len(), |at| start + at);
        let first = floor_boundary(text, line_start.max(start.saturating_sub(LONGEST_LINE)));
        let last = floor_boundary(text, line_end.min(start + LONGEST_LINE));
        let (line, _) = source.line_column(span.start);
        let end = end.min(last).max(start.min(last));
        Some(Excerpt {
            name: match text.starts_with(lems_hdf5::HEADING) {
                true => format!("{} (as XML)", source.name).into(),
                false => source.name.as_str().into(),
            },
            text: text.get(first..last)?,
            line,
            start: start - first,
            end: floor_boundary(text, end) - first,
        })
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

impl From<&DocumentError> for Diagnostic {
    fn from(error: &DocumentError) -> Self {
        Diagnostic {
            related: error.related(),
            missing_file: error.missing_file().map(str::to_owned),
            ..Diagnostic::new(
                Code(error.code()),
                error.to_string(),
                error.span(),
                error.help(),
            )
        }
    }
}

/// What to include for a core type that is not known.
fn include_for(name: &str) -> Option<String> {
    let definition = format!("<ComponentType name=\"{name}\"");
    let mut files = nml2_coretypes::CORE_TYPES.iter();
    let file = files.find(|file| file.text.contains(&definition))?;
    Some(format!(
        "add `<Include file=\"{}\"/>`, which defines it",
        file.name
    ))
}

impl From<&ModelError> for Diagnostic {
    fn from(error: &ModelError) -> Self {
        if let ModelError::UnknownType { name, span, .. } = error
            && let Some(help) = include_for(name)
        {
            return Diagnostic::new(
                Code(error.code()),
                error.to_string(),
                Some(*span),
                Some(help),
            );
        }
        Diagnostic {
            related: error.related(),
            ..Diagnostic::new(
                Code(error.code()),
                error.to_string(),
                Some(error.span()),
                error.help(),
            )
        }
    }
}

impl From<&NetworkError> for Diagnostic {
    fn from(error: &NetworkError) -> Self {
        Diagnostic::new(
            Code(error.code()),
            error.to_string(),
            Some(error.span()),
            error.help(),
        )
    }
}

impl From<&SchemaError> for Diagnostic {
    fn from(error: &SchemaError) -> Self {
        if let SchemaError::Document(error) = error {
            return Diagnostic::from(error);
        }
        Diagnostic::new(
            Code(error.code()),
            error.to_string(),
            error.span(),
            error.help(),
        )
    }
}

impl From<ExportError> for Failure {
    fn from(error: ExportError) -> Self {
        Failure::plain(Code(error.code()), error.to_string(), error.help())
    }
}

impl From<&EngineError> for Diagnostic {
    fn from(error: &EngineError) -> Self {
        Diagnostic::new(Code(error.code()), error.to_string(), None, error.help())
    }
}

impl From<&EngineError> for Failure {
    fn from(error: &EngineError) -> Self {
        Failure {
            sources: Vec::new(),
            diagnostics: vec![Diagnostic::from(error)],
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        Failure::from(&error)
    }
}

impl From<LoadFailure> for Failure {
    fn from(failure: LoadFailure) -> Self {
        let warnings = Failure::always_shown(&failure.sources, &failure.warnings);
        let mut errors = Failure::of(&failure.sources, &failure.errors);
        errors.add(warnings);
        errors
    }
}
