//! What can be wrong with the text of a program.

use super::{MOST_COUNTED, MOST_NESTED};

/// Why a text is not a program, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct TextError {
    /// Line of the text, from 1.
    pub line: usize,
    /// Character of the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Something else belongs here.
    #[error("expected {wanted}, found {found}")]
    Expected {
        /// What belongs here.
        wanted: String,
        /// What is here.
        found: String,
    },
    /// A tab at the start of a line.
    #[error("the indentation has a tab; use spaces")]
    Tab,
    /// A line that is indented although the line above has no block.
    #[error("the line is indented further than its block")]
    TooFarIn,
    /// A line whose indentation lies between that of its block and that of the enclosing block.
    #[error("the indentation is not that of any block here")]
    NotAligned,
    /// Too many blocks inside one another.
    #[error("more than {MOST_NESTED} blocks are inside one another")]
    Nesting,
    /// A section that may be there once only.
    #[error("the text has a second section `{0}`")]
    SecondSection(&'static str),
    /// A number that is not the next one.
    #[error("the number is {found}, but {expected} comes next")]
    OutOfOrder {
        /// Number in the text.
        found: u32,
        /// Number that belongs there.
        expected: usize,
    },
    /// An integer that does not fit 32 bits.
    #[error("the number {0} does not fit 32 bits")]
    LargeInteger(String),
    /// A decimal number beyond the largest double.
    #[error("the number {0} is larger than any double")]
    LargeDouble(String),
    /// Hexadecimal bits that are not those of a NaN.
    #[error("{0} are not the bits of a NaN")]
    NotNan(String),
    /// A name without a closing quotation mark.
    #[error("the name has no closing quotation mark")]
    OpenName,
    /// A backslash before something else than Rust allows.
    #[error("the name has an unknown escape")]
    UnknownEscape,
    /// A text that stands for more than it spells out.
    #[error("the text repeats or counts more than {MOST_COUNTED} things")]
    TooMuch,
    /// A kernel whose registers have a gap.
    #[error("register r{0} is never used; the kernel needs a line `registers`")]
    Unmentioned(u32),
    /// A register that is assigned numbers and truth values.
    #[error("register r{0} is assigned both types; the kernel needs a line `registers`")]
    BothTypes(u32),
    /// A source beyond those that the section has.
    #[error("source {source_number} is not among the {sources}")]
    UnknownSource {
        /// Number in the text.
        source_number: u32,
        /// Number of sources.
        sources: u32,
    },
}
