//! What can be wrong with files.

use std::fmt;

use thiserror::Error;

use crate::source::{Source, Span};

/// A problem in a file, or between files.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs)]
pub enum DocumentError {
    /// Not well-formed XML.
    #[error("not well-formed XML: {message}")]
    Malformed {
        message: String,
        hint: &'static str,
        span: Span,
    },
    /// The file that was asked for does not exist.
    #[error("there is no file `{file}`")]
    RootMissing {
        file: String,
        suggestion: Option<String>,
    },
    /// An included file is found nowhere.
    #[error(
        "the included file `{file}` is not found; looked for {}",
        list(searched)
    )]
    MissingInclude {
        file: String,
        searched: Vec<String>,
        suggestion: Option<String>,
        span: Span,
    },
    /// An include without the name of a file.
    #[error("an include needs the name of a file")]
    NamelessInclude { span: Span },
    /// A file includes itself, perhaps by way of others. The chain ends with the file it starts with.
    #[error("files include each other in a cycle: {}", chain.join(" -> "))]
    IncludeCycle { chain: Vec<String>, span: Span },
    /// An include from the network.
    #[error("`{url}` is not fetched: includes are local files")]
    UrlInclude { url: String, span: Span },
    /// A remark: a local file was used in place of one from the network.
    #[error("`{url}` is not fetched; using {file} instead")]
    UrlReplaced {
        url: String,
        file: String,
        span: Span,
    },
    /// A file exists, but its text is not available.
    #[error("cannot read `{file}`: {message}")]
    Unreadable {
        file: String,
        message: String,
        span: Option<Span>,
    },
    /// A file has more bytes than allowed.
    #[error("`{file}` has more than {limit} bytes")]
    SourceTooLarge {
        file: String,
        limit: usize,
        span: Option<Span>,
    },
    /// All files together have more bytes than allowed.
    #[error("more than {limit} bytes in all files together")]
    TooMuchText { limit: usize, span: Span },
    /// More files than allowed.
    #[error("more than {limit} files")]
    TooManySources { limit: usize, span: Span },
    /// More files inside one another than allowed.
    #[error("more than {limit} files include one another in a row")]
    IncludesTooDeep { limit: usize, span: Span },
    /// More elements inside one another than allowed.
    #[error("more than {limit} elements inside one another")]
    TooDeep { limit: usize, span: Span },
    /// More elements than allowed.
    #[error("more than {limit} elements in all files together")]
    TooManyElements { limit: usize, span: Span },
}

fn list(folders: &[String]) -> String {
    folders.join(", ")
}

impl DocumentError {
    /// The place, where there is one.
    pub fn span(&self) -> Option<Span> {
        match self {
            DocumentError::RootMissing { .. } => None,
            DocumentError::Unreadable { span, .. } | DocumentError::SourceTooLarge { span, .. } => {
                *span
            }
            DocumentError::Malformed { span, .. }
            | DocumentError::MissingInclude { span, .. }
            | DocumentError::NamelessInclude { span }
            | DocumentError::IncludeCycle { span, .. }
            | DocumentError::UrlInclude { span, .. }
            | DocumentError::UrlReplaced { span, .. }
            | DocumentError::TooMuchText { span, .. }
            | DocumentError::TooManySources { span, .. }
            | DocumentError::IncludesTooDeep { span, .. }
            | DocumentError::TooDeep { span, .. }
            | DocumentError::TooManyElements { span, .. } => Some(*span),
        }
    }

    /// The likely remedy in one sentence.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            DocumentError::Malformed { hint, .. } => hint,
            DocumentError::RootMissing {
                suggestion: Some(suggestion),
                ..
            }
            | DocumentError::MissingInclude {
                suggestion: Some(suggestion),
                ..
            } => {
                return Some(format!("did you mean `{suggestion}`?"));
            }
            DocumentError::MissingInclude { .. } => {
                "add the folder of the file to the search path with -I"
            }
            DocumentError::NamelessInclude { .. } => "write `<Include file=\"cells.xml\"/>`",
            DocumentError::IncludeCycle { .. } => {
                "remove one of these includes; definitions are visible in all files once included"
            }
            DocumentError::UrlInclude { .. } => "download the file and include it by its name",
            DocumentError::RootMissing { .. } => "check the spelling, and in which folder you are",
            DocumentError::Unreadable { .. } => {
                "check what kind of file it is, and who may read it"
            }
            DocumentError::SourceTooLarge { .. }
            | DocumentError::TooMuchText { .. }
            | DocumentError::TooManyElements { .. } => {
                "make populations with a `size` and connections with a `Structure` instead of one \
                 element each"
            }
            DocumentError::TooManySources { .. } => "put several components into one file",
            DocumentError::IncludesTooDeep { .. } => "include the files from one file",
            DocumentError::TooDeep { .. } => "is a closing tag missing, or `/>`?",
            DocumentError::UrlReplaced { .. } => return None,
        };
        Some(help.to_owned())
    }
}

/// All problems of a document that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadFailure {
    /// The files that were read, which the spans of the errors lie in.
    pub sources: Vec<Source>,
    /// The problems, in the order in which the files were read.
    pub errors: Vec<DocumentError>,
}

impl fmt::Display for LoadFailure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.errors.iter().enumerate() {
            if index > 0 {
                writeln!(formatter)?;
            }
            if let Some(span) = error.span()
                && let Some(source) = self.sources.get(span.source.0 as usize)
            {
                let (line, column) = source.line_column(span.start);
                write!(formatter, "{}:{line}:{column}: ", source.name)?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for LoadFailure {}
