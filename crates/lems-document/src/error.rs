//! Errors and warnings about files.

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
        /// A second place that the error concerns, and a label for it.
        related: Option<(Span, &'static str)>,
    },
    /// A file that is not text.
    #[error("cannot read `{file}`: {message}")]
    NotText {
        file: String,
        message: &'static str,
        hint: &'static str,
        span: Option<Span>,
    },
    /// The file that was asked for does not exist.
    #[error("there is no file `{file}`")]
    RootMissing {
        file: String,
        suggestion: Option<String>,
    },
    /// A warning: an included file was not found, and the include is ignored.
    #[error(
        "the included file `{file}` was not found; {}",
        looked(file, names, folders)
    )]
    MissingInclude {
        file: String,
        /// All spellings of the name that were tried in each folder.
        names: Vec<String>,
        folders: Vec<String>,
        suggestion: Option<String>,
        span: Span,
    },
    /// A warning: an included file was not found under the name that is written, but in another way.
    #[error("the included file `{file}` is found as `{found}`")]
    FoundElsewhere {
        file: String,
        found: String,
        detour: Detour,
        span: Span,
    },
    /// An include without the name of a file.
    #[error("an include needs the name of a file")]
    NamelessInclude { span: Span },
    /// A warning: a file includes itself, directly or through other files. The first and the last
    /// file of the chain are the same.
    #[error("files include each other in a cycle: {}", chain.join(" -> "))]
    IncludeCycle { chain: Vec<String>, span: Span },
    /// An include from the network.
    #[error("`{url}` is not fetched: includes are local files")]
    UrlInclude { url: String, span: Span },
    /// A warning: a local file was used instead of one from the network.
    #[error("`{url}` is not fetched; using `{file}` instead")]
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
    /// A file in a language that the caller listed as foreign.
    #[error("`{file}` is {language}, which is another language")]
    OtherLanguage {
        file: String,
        language: &'static str,
        hint: &'static str,
        span: Span,
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
    /// A longer chain of includes than allowed.
    #[error("more than {limit} files include one another in a row")]
    IncludesTooDeep { limit: usize, span: Span },
    /// Elements nested more deeply than allowed.
    #[error("more than {limit} elements inside one another")]
    TooDeep { limit: usize, span: Span },
    /// More elements than allowed.
    #[error("more than {limit} elements in all files together")]
    TooManyElements { limit: usize, span: Span },
    /// More attributes of one element than allowed.
    #[error("more than {limit} attributes of one element")]
    TooManyAttributes { limit: usize, span: Span },
    /// More prefixes of namespaces in scope at one place than allowed.
    #[error("more than {limit} prefixes of namespaces are declared around this element")]
    TooManyPrefixes { limit: usize, span: Span },
}

/// How a file was found that is not where its written name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detour {
    /// The path is absolute, but the file was found below a folder.
    Slash,
    /// In the folder of a file that was included before.
    Earlier,
    /// The file has `/` where the include has `\\`.
    Separator,
    /// The file has the name without blanks.
    Blanks,
    /// The name of the file has the same letters in another form of Unicode.
    Letters,
}

impl Detour {
    /// The difference between two spellings of a name.
    pub(crate) fn between(written: &str, spelling: &str) -> Detour {
        let without_blanks = !spelling.contains(char::is_whitespace);
        if written.contains('\\') && !spelling.contains('\\') {
            Detour::Separator
        } else if written.contains(char::is_whitespace) && without_blanks {
            Detour::Blanks
        } else {
            Detour::Letters
        }
    }

    /// The likely fix, in one sentence.
    fn help(self) -> &'static str {
        match self {
            Detour::Slash => {
                "a path that begins with `/` is absolute for most programs: write it without"
            }
            Detour::Earlier => {
                "it lies beside a file that was included before: write the folder too"
            }
            Detour::Separator => "write `/` between folders, as all systems understand it",
            Detour::Blanks => "write the name without blanks, as jLEMS reads it",
            Detour::Letters => {
                "the accents in the name of the file are stored in another form of Unicode: write \
                 it with plain letters, or rename the file"
            }
        }
    }
}

/// A description of the names and folders that were tried.
fn looked(file: &str, names: &[String], folders: &[String]) -> String {
    let shown = |folder: &String| match folder.as_str() {
        "" => "the working directory".to_owned(),
        folder => format!("`{folder}`"),
    };
    let folders: Vec<String> = folders.iter().map(shown).collect();
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    let what = match names {
        [name] if name == file => "it is not".to_owned(),
        _ => format!("there is no {}", quoted.join(" or ")),
    };
    format!("{what} in {}, nor among the core types", folders.join(", "))
}

impl DocumentError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        use DocumentError::*;
        match self {
            Malformed { .. } => 101,
            RootMissing { .. } => 102,
            MissingInclude { .. } => 103,
            NamelessInclude { .. } => 104,
            IncludeCycle { .. } => 105,
            UrlInclude { .. } => 106,
            Unreadable { .. } | NotText { .. } => 107,
            SourceTooLarge { .. } => 108,
            TooManySources { .. } => 109,
            IncludesTooDeep { .. } => 110,
            TooDeep { .. } => 111,
            TooManyElements { .. } => 112,
            UrlReplaced { .. } => 113,
            TooMuchText { .. } => 114,
            FoundElsewhere { .. } => 115,
            OtherLanguage { .. } => 116,
            TooManyAttributes { .. } => 130,
            TooManyPrefixes { .. } => 131,
        }
    }

    /// The file that is not there, if that is what is wrong.
    pub fn missing_file(&self) -> Option<&str> {
        match self {
            DocumentError::RootMissing { file, .. } => Some(file),
            _ => None,
        }
    }

    /// The place of the error, if it has one.
    pub fn span(&self) -> Option<Span> {
        match self {
            DocumentError::RootMissing { .. } => None,
            DocumentError::Unreadable { span, .. }
            | DocumentError::NotText { span, .. }
            | DocumentError::SourceTooLarge { span, .. } => *span,
            DocumentError::Malformed { span, .. }
            | DocumentError::MissingInclude { span, .. }
            | DocumentError::FoundElsewhere { span, .. }
            | DocumentError::OtherLanguage { span, .. }
            | DocumentError::NamelessInclude { span }
            | DocumentError::IncludeCycle { span, .. }
            | DocumentError::UrlInclude { span, .. }
            | DocumentError::UrlReplaced { span, .. }
            | DocumentError::TooMuchText { span, .. }
            | DocumentError::TooManySources { span, .. }
            | DocumentError::IncludesTooDeep { span, .. }
            | DocumentError::TooDeep { span, .. }
            | DocumentError::TooManyElements { span, .. }
            | DocumentError::TooManyAttributes { span, .. }
            | DocumentError::TooManyPrefixes { span, .. } => Some(*span),
        }
    }

    /// A second place that the error concerns, and a label for it.
    pub fn related(&self) -> Option<(Span, &'static str)> {
        match self {
            DocumentError::Malformed { related, .. } => *related,
            _ => None,
        }
    }

    /// The same error, placed at the include if it has no place of its own.
    pub(crate) fn included_at(mut self, include: Option<Span>) -> DocumentError {
        if let DocumentError::NotText { span, .. } = &mut self {
            *span = span.or(include);
        }
        self
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            DocumentError::Malformed { hint, .. }
            | DocumentError::NotText { hint, .. }
            | DocumentError::OtherLanguage { hint, .. } => hint,
            DocumentError::FoundElsewhere { detour, .. } => detour.help(),
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
                 element each; `--limit` may allow more"
            }
            DocumentError::TooManyAttributes { .. } => {
                "allow more with `--limit attributes=…`; the time grows with their square"
            }
            DocumentError::TooManyPrefixes { .. } => {
                "declare prefixes where they are used; allow more with `--limit prefixes=…`"
            }
            DocumentError::TooManySources { .. } => "put several components into one file",
            DocumentError::IncludesTooDeep { .. } => "include the files from one file",
            DocumentError::TooDeep { .. } => "is a closing tag missing, or `/>`?",
            DocumentError::UrlReplaced { .. } => "include the file by its name",
        };
        Some(help.to_owned())
    }
}

/// All problems of a document that could not be read.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadFailure {
    /// The files that were read; the spans of the errors refer to them.
    pub sources: Vec<Source>,
    /// The problems, in the order in which the files were read.
    pub errors: Vec<DocumentError>,
    /// The warnings, one of which may be the cause of a problem.
    pub warnings: Vec<DocumentError>,
}

impl fmt::Display for LoadFailure {
    /// Writes each error on a line, with its file, line and column.
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
