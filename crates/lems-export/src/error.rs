//! What cannot be exported.

/// Why a model cannot be exported.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// Cells with dendrites.
    #[error(
        "an exact export has no cells with dendrites: NEURON solves their potentials in its own way"
    )]
    Cables,
    /// Random numbers of several kinds of instances.
    #[error(
        "`{first}` and `{second}` take random numbers from one generator, which NEURON's mechanisms do not share"
    )]
    SharedGenerator {
        /// Name of a kernel that draws.
        first: String,
        /// Name of another one.
        second: String,
    },
    /// What is attached to one instance is not in one piece.
    #[error("what is attached to `{host}` is in an order that NMODL has no loop for")]
    ScatteredAttachments {
        /// Name of the kernel with the loop.
        host: String,
    },
    /// An instance reads another one in an order that NEURON does not keep.
    #[error(
        "`{reader}` reads a value of `{read}` as of this step, but NEURON computes them in another order"
    )]
    Order {
        /// Name of the kernel that reads.
        reader: String,
        /// Name of the kernel that is read.
        read: String,
    },
    /// A mistake in the exporter.
    #[error("this is a bug in jlems-rs: the exporter found no {what}")]
    Bug {
        /// What is missing.
        what: &'static str,
    },
}

impl ExportError {
    /// The stable number of the error: 801 is shown as `E0801`.
    pub fn code(&self) -> u16 {
        match self {
            ExportError::Cables => 801,
            ExportError::SharedGenerator { .. } => 802,
            ExportError::ScatteredAttachments { .. } => 803,
            ExportError::Order { .. } => 804,
            ExportError::Bug { .. } => 805,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        match self {
            ExportError::Bug { .. } => None,
            _ => Some(
                "without `--exact`, the model is exported in NEURON's own way, which may have it"
                    .to_owned(),
            ),
        }
    }
}
