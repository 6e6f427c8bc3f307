use std::ops::Range;

/// What is wrong with a sweep.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SweepError {
    /// The text is no TOML, or has other keys.
    #[error("{message}")]
    Text {
        /// What the reader of TOML says.
        message: String,
        /// Where, in bytes.
        span: Option<Range<usize>>,
    },
    /// A value that makes no sense.
    #[error("{message}")]
    Value {
        /// What is wrong.
        message: String,
        /// How to mend it.
        help: Option<String>,
        /// Where, in bytes.
        span: Option<Range<usize>>,
    },
    /// The table of points cannot be read.
    #[error("the points: {message}")]
    Points {
        /// Why.
        message: String,
        /// Path of the table, if it is not there.
        missing_file: Option<String>,
    },
    /// A shard that does not exist.
    #[error("the shard `{0}` is not a number, a `/`, and how many there are")]
    Shard(String),
    /// The table cannot be written as Parquet.
    #[error("the results cannot be written as Parquet: {0}")]
    Parquet(String),
}

impl SweepError {
    /// A value that makes no sense, without a known way to mend it.
    pub(crate) fn value(message: impl Into<String>, span: Option<Range<usize>>) -> SweepError {
        SweepError::Value {
            message: message.into(),
            help: None,
            span,
        }
    }

    /// A table of points that cannot be read, but is there.
    pub(crate) fn points(message: impl Into<String>) -> SweepError {
        SweepError::Points {
            message: message.into(),
            missing_file: None,
        }
    }

    /// The same with the likely fix.
    pub(crate) fn with_help(self, text: impl Into<String>) -> SweepError {
        match self {
            SweepError::Value { message, span, .. } => SweepError::Value {
                message,
                help: Some(text.into()),
                span,
            },
            other => other,
        }
    }

    /// Where in the specification, in bytes.
    pub fn span(&self) -> Option<Range<usize>> {
        match self {
            SweepError::Text { span, .. } | SweepError::Value { span, .. } => span.clone(),
            _ => None,
        }
    }

    /// The file that is not there, if that is what is wrong.
    pub fn missing_file(&self) -> Option<&str> {
        match self {
            SweepError::Points { missing_file, .. } => missing_file.as_deref(),
            _ => None,
        }
    }

    /// How to mend it.
    pub fn help(&self) -> Option<&str> {
        match self {
            SweepError::Value { help, .. } => help.as_deref(),
            _ => None,
        }
    }
}
