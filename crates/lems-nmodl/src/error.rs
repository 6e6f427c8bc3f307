//! Why a cell cannot be taken apart into density mechanisms.

/// What NEURON's density mechanisms do not have. Such a cell is exported as one mechanism for each kind of
/// compartment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNative {
    /// The current through the membrane is not a sum over parts.
    #[error("the current through the membrane of `{cell}` is not a sum of currents of its parts")]
    Current {
        /// Name of the type of the cell.
        cell: String,
    },
    /// A concentration is not that of one part.
    #[error("the concentration `{variable}` is not that of one part of a compartment")]
    Concentration {
        /// The variable of the cell.
        variable: String,
    },
    /// A part does what only point processes do.
    #[error("`{part}` has {what}, which a density mechanism has not")]
    Part {
        /// Name of its type.
        part: String,
        /// What it has.
        what: &'static str,
    },
    /// A part reads a variable around it that NEURON has not.
    #[error("`{part}` reads `{variable}` of `{owner}`")]
    Reads {
        /// Name of its type.
        part: String,
        /// The variable.
        variable: String,
        /// Name of the type whose variable it is.
        owner: String,
    },
    /// A function that density mechanisms do not have.
    #[error("an equation of a channel or pool calls `{0}`")]
    Function(&'static str),
    /// A part that is in a piece of a section.
    #[error("`{part}` is in a part of a section only")]
    Partly {
        /// Its name.
        part: String,
    },
    /// A quantity of a cell that is recorded.
    #[error("`{0}` is recorded, which is no sum of variables of mechanisms")]
    Recorded(String),
    /// A mistake in the exporter.
    #[error("this is a bug in jlems-rs: the exporter found no {0}")]
    Bug(&'static str),
}
