//! Why processes do not come together.

/// MPI cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MpiError {
    /// No library can be opened.
    #[error("no library of MPI can be opened: {}", joined(.0))]
    NoLibrary(Vec<Tried>),
    /// A library was opened that lacks a function of MPI.
    #[error("{library} is no library of MPI: it has no {function}")]
    NoMpi {
        /// The library.
        library: String,
        /// The function.
        function: &'static str,
    },
    /// A function of MPI has failed.
    #[error("{library} cannot start MPI: {function} fails")]
    NotStarted {
        /// The library.
        library: String,
        /// The function.
        function: &'static str,
    },
    /// MPI can only be used by the thread that has started it.
    #[error("{library} does not let one thread after another use MPI")]
    OneThreadOnly {
        /// The library.
        library: String,
    },
    /// The library does not know the launcher.
    #[error("{library} finds {found} of {launched} processes: it belongs to another launcher")]
    OfAnotherLauncher {
        /// The library.
        library: String,
        /// How many processes it finds.
        found: usize,
        /// How many there are.
        launched: usize,
    },
    /// The process has joined before.
    #[error("MPI was started before in this process")]
    StartedBefore,
    /// Libraries of MPI are not looked for on this system.
    #[error("MPI is not used on this system")]
    NotOnThisSystem,
}

/// A library that cannot be opened, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// Name or path of the library.
    pub library: String,
    /// What the system says.
    pub reason: String,
}

fn joined(tried: &[Tried]) -> String {
    let reasons: Vec<&str> = tried.iter().map(|tried| tried.reason.as_str()).collect();
    match reasons.is_empty() {
        true => "no name of one is known".to_owned(),
        false => reasons.join("; "),
    }
}
