/// What can go wrong while output is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The folder that the file should be in is not there and cannot be made.
    #[error(
        "cannot create `{path}`: there is no folder `{folder}`, and it cannot be made: {reason}"
    )]
    MissingFolder {
        /// The file, as named in the model.
        path: String,
        /// The folder that was looked for.
        folder: String,
        /// Why it is not made.
        reason: String,
    },
    /// There is a folder where the file should be.
    #[error("cannot create `{path}`: it is a folder")]
    IsFolder {
        /// The file, as named in the model.
        path: String,
    },
    /// The run reads the file that would be written, or the one that it would grow in.
    #[error("the output `{path}` is one of the files that are read, or grows in one")]
    IsInput {
        /// The file, as named in the model.
        path: String,
    },
    /// Something else is written to the same file.
    #[error("`{path}` and `{other}` are one file, and both would be written")]
    SameFile {
        /// The file, as named in the model.
        path: String,
        /// What else it is called.
        other: String,
    },
    /// The file would be outside of the folder that outputs are confined to.
    #[error("the output `{path}` is outside of the output folder")]
    Outside {
        /// The file, as named in the model.
        path: String,
    },
    /// The file cannot be created.
    #[error("cannot create `{path}`: {message}")]
    Create {
        /// The file, as named in the model.
        path: String,
        /// The reason that the operating system gives.
        message: String,
    },
    /// The file cannot be written on.
    #[error("cannot write `{path}`: {message}")]
    Write {
        /// The file, as named in the model.
        path: String,
        /// The reason that the operating system gives.
        message: String,
    },
    /// The outputs of a run have more bytes than they may.
    #[error("the outputs have more than {limit} bytes, the most that they may")]
    TooManyBytes {
        /// Most bytes of all outputs together.
        limit: u64,
    },
    /// The complete file cannot be given its final name.
    #[error("`{path}` is complete but stays under the name `{partial}`: {message}")]
    Finish {
        /// The file, as named in the model.
        path: String,
        /// The file that holds the output now.
        partial: String,
        /// The reason that the operating system gives.
        message: String,
    },
    /// What an earlier run has written of a file is not there to go on with.
    #[error("cannot go on with `{path}`: `{partial}` {problem}")]
    NotContinued {
        /// The file, as named in the model.
        path: String,
        /// Where the earlier run has written.
        partial: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An event of a selection that the event file was not created with.
    #[error("`{path}` has {selections} event selections, so there is none at index {index}")]
    UnknownSelection {
        /// The event file.
        path: String,
        /// Index that the event was reported with.
        index: usize,
        /// Number of selections of the file.
        selections: usize,
    },
}

impl OutputError {
    /// The stable number of the error: 503 is shown as `E0503`.
    pub fn code(&self) -> u16 {
        match self {
            OutputError::MissingFolder { .. } => 503,
            OutputError::IsFolder { .. } => 504,
            OutputError::Create { .. } => 505,
            OutputError::Write { .. } => 506,
            OutputError::Finish { .. } => 507,
            OutputError::IsInput { .. } => 524,
            OutputError::Outside { .. } => 526,
            OutputError::TooManyBytes { .. } => 528,
            OutputError::SameFile { .. } => 529,
            OutputError::NotContinued { .. } => 544,
            _ => 508,
        }
    }

    /// The output that it is about, as named in the model.
    pub fn path(&self) -> Option<&str> {
        match self {
            Self::MissingFolder { path, .. }
            | Self::IsFolder { path }
            | Self::IsInput { path }
            | Self::SameFile { path, .. }
            | Self::Outside { path }
            | Self::Create { path, .. }
            | Self::Write { path, .. }
            | Self::Finish { path, .. }
            | Self::NotContinued { path, .. }
            | Self::UnknownSelection { path, .. } => Some(path),
            Self::TooManyBytes { .. } => None,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::MissingFolder { .. } => {
                Some("is the name right, and may you write there?".to_owned())
            }
            Self::IsFolder { .. } | Self::IsInput { .. } | Self::SameFile { .. } => {
                Some("choose another name for the file".to_owned())
            }
            Self::Outside { .. } => {
                Some("run without `--sandbox`, or choose the folder with `--out-dir`".to_owned())
            }
            Self::TooManyBytes { .. } => Some(
                "allow more with `--limit output-bytes=…`, or write fewer rows with `--every`"
                    .to_owned(),
            ),
            Self::Finish { partial, path, .. } => {
                Some(format!("rename `{partial}` to `{path}` by hand"))
            }
            Self::NotContinued { .. } => Some(
                "a run goes on with the files that it had written, in the folder that they were in"
                    .to_owned(),
            ),
            Self::Create { .. } | Self::Write { .. } => Some(
                "is the name right, the disk not full, and may you write to the folder?".to_owned(),
            ),
            _ => None,
        }
    }
}
