//! Errors and warnings as people read them: the source line, the place underlined, the likely
//! fix.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use lems_document::{DocumentError, LoadFailure, Source, Span};
use lems_engine::EngineError;
use lems_model::ModelError;
use lems_network::NetworkError;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The model cannot be run.
    Error,
    /// It can, but probably not as meant.
    Warning,
}

/// One message about a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where.
    pub span: Option<Span>,
    /// Another place that it is about, and what is there.
    pub related: Option<(Span, &'static str)>,
    /// The likely fix, in one sentence.
    pub help: Option<String>,
}

/// Why a model was not run: all errors of the stage that found some.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Failure {
    /// What the places of the diagnostics are in.
    pub sources: Vec<Source>,
    /// The errors.
    pub diagnostics: Vec<Diagnostic>,
}

impl Failure {
    /// A failure that has no place in a source.
    pub fn plain(message: impl Into<String>, help: Option<String>) -> Failure {
        Failure {
            sources: Vec::new(),
            diagnostics: vec![Diagnostic {
                severity: Severity::Error,
                message: message.into(),
                span: None,
                related: None,
                help,
            }],
        }
    }

    /// The messages with their source lines, `colored` for a terminal.
    pub fn render(&self, colored: bool) -> String {
        let mut text = String::new();
        for diagnostic in &self.diagnostics {
            text.push_str(&diagnostic.render(&self.sources, colored));
            text.push_str("\n\n");
        }
        text
    }
}

impl Diagnostic {
    fn new(message: String, span: Option<Span>, help: Option<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            message,
            span,
            related: None,
            help,
        }
    }

    /// The same, as a warning.
    pub fn as_warning(mut self) -> Diagnostic {
        self.severity = Severity::Warning;
        self
    }

    /// The message with its source lines.
    pub fn render(&self, sources: &[Source], colored: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = Group::with_title(level.primary_title(self.message.as_str()));
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
                Snippet::source(excerpt.text)
                    .path(excerpt.name)
                    .line_start(excerpt.line)
                    .annotation(annotation),
            );
        }
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let renderer = if colored {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        renderer.render(&[group])
    }
}

/// The lines of a source that a span is on.
struct Excerpt<'s> {
    name: &'s str,
    text: &'s str,
    line: usize,
    start: usize,
    end: usize,
}

/// Most bytes of a source line that are shown.
const LONGEST_LINE: usize = 4096;

impl<'s> Excerpt<'s> {
    fn of(sources: &'s [Source], span: Span) -> Option<Excerpt<'s>> {
        let source = sources.get(span.source.0 as usize)?;
        let text = source.text.as_str();
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
            name: &source.name,
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
        Diagnostic::new(error.to_string(), error.span(), error.help())
    }
}

impl From<&ModelError> for Diagnostic {
    fn from(error: &ModelError) -> Self {
        Diagnostic {
            related: error.related(),
            ..Diagnostic::new(error.to_string(), Some(error.span()), error.help())
        }
    }
}

impl From<&NetworkError> for Diagnostic {
    fn from(error: &NetworkError) -> Self {
        Diagnostic::new(error.to_string(), Some(error.span()), error.help())
    }
}

impl From<&EngineError> for Diagnostic {
    fn from(error: &EngineError) -> Self {
        Diagnostic::new(error.to_string(), None, error.help())
    }
}

impl From<LoadFailure> for Failure {
    fn from(failure: LoadFailure) -> Self {
        Failure {
            diagnostics: failure.errors.iter().map(Diagnostic::from).collect(),
            sources: failure.sources,
        }
    }
}
