//! What the caller decides about reading: where files are looked for, and how much is read.

use crate::error::DocumentError;
use crate::source::{EmbeddedFile, Source};

/// Where included files are found and how much is read.
#[derive(Clone, Debug, Default)]
pub struct IncludeOptions {
    /// Folders searched after those of the including and of the root file (`-I`).
    pub folders: Vec<String>,
    /// Files that are always available. A file of the same name in a folder takes precedence.
    pub embedded: &'static [EmbeddedFile],
    /// Languages that are refused.
    pub foreign: &'static [ForeignLanguage],
    /// Elements that describe a model and do not change what it computes.
    pub notes: &'static [Note],
    /// How much is read.
    pub limits: Limits,
}

/// A language whose files are refused, although their elements may have known names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignLanguage {
    /// Prefix of the namespaces of its outermost elements.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Advice for users who have such a file.
    pub help: &'static str,
}

/// An element that describes a model to people or to other programs. A run computes the same without
/// it, so it is not a component at the top level, and paths pass over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The name of the element.
    pub name: &'static str,
    /// Whether it is a component where it stands inside another one.
    pub is_child: bool,
    /// Whether the definition of a type may contain it.
    pub in_types: bool,
}

/// Limits on what a document may contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes in one file; never more than 4 GiB.
    pub source_bytes: usize,
    /// Bytes in all files together; never more than 8 GiB.
    pub total_bytes: usize,
    /// Length of a chain of files that include one another.
    pub include_depth: usize,
    /// Number of files.
    pub sources: usize,
    /// Depth of nested elements.
    pub element_depth: usize,
    /// Elements in all files together.
    pub elements: usize,
    /// Attributes of one element.
    pub attributes: usize,
    /// Prefixes of namespaces in scope at one place.
    pub prefixes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            source_bytes: usize::MAX,
            total_bytes: usize::MAX,
            include_depth: 64,
            sources: 4096,
            element_depth: 256,
            elements: 50_000_000,
            attributes: 10_000,
            prefixes: 100,
        }
    }
}

impl Limits {
    /// Bytes that one file may have: offsets in it have 32 bits.
    pub(crate) fn most_bytes(&self) -> usize {
        self.source_bytes.min(u32::MAX as usize)
    }

    /// Bytes that all files together may have. An element or attribute has at least four bytes, so
    /// the number of elements, attributes and names fits into 31 bits.
    pub(crate) fn most_total_bytes(&self) -> usize {
        self.total_bytes.min((u32::MAX as usize).saturating_mul(2))
    }

    /// Checks that offsets in a text that did not come from a file also fit into 32 bits.
    ///
    /// # Errors
    /// The text has more bytes than a file may have.
    pub(crate) fn allow_text(&self, source: &Source) -> Result<(), DocumentError> {
        let limit = self.most_bytes();
        match source.text.len() > limit {
            true => Err(DocumentError::SourceTooLarge {
                file: source.name.clone(),
                limit,
                span: None,
            }),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_lets_places_and_numbers_leave_32_bits() {
        let none = Limits {
            source_bytes: usize::MAX,
            total_bytes: usize::MAX,
            ..Limits::default()
        };
        assert_eq!(none.most_bytes(), u32::MAX as usize);
        assert!(none.most_total_bytes() / 4 <= i32::MAX as usize);
    }
}
