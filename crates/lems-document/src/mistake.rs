//! Describes the mistakes that were repaired in a text.

use std::ops::Range;

use crate::error::DocumentError;
use crate::malformed::{QUOTES, TO_CLOSE};
use crate::source::{SourceId, Span};

/// Something that is not well-formed XML but is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) kind: Kind,
    /// The place in the original text.
    pub(crate) place: Range<usize>,
    /// The start tag that the mistake concerns.
    pub(crate) related: Option<Range<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    TextOutside,
    LateDeclaration,
    NoBlank,
    CommentInTag,
    /// An `&` that begins no reference, or a reference to an unknown entity.
    Reference,
    /// A character that XML forbids.
    Character,
    LessThan,
    /// `]]>` in a text.
    SectionEnd,
    /// Something in a tag that is not an attribute.
    Attributes,
    /// An undeclared prefix of an element.
    Prefix,
    /// An end tag, and the innermost open element, which has another name.
    EndTag(Box<str>, Box<str>),
    /// An end tag after the outermost element.
    ExtraEndTag(Box<str>),
    /// The innermost element that is still open at the end.
    Unclosed(Box<str>),
}

impl Mistake {
    pub(crate) fn explained(&self, source: SourceId) -> DocumentError {
        let span = |range: &Range<usize>| Span::new(source, range.clone());
        let (message, hint) = self.kind.in_words();
        let related = self.related.as_ref().map(span);
        DocumentError::Malformed {
            message,
            hint,
            span: span(&self.place),
            related: related.map(|tag| (tag, "this is not closed")),
        }
    }

    /// The message after the last listed mistake: how many more there are.
    pub(crate) fn and_more(&self, more: usize, source: SourceId) -> DocumentError {
        let mut error = self.explained(source);
        if let DocumentError::Malformed {
            message, related, ..
        } = &mut error
        {
            *message = format!("{more} more mistakes follow this one");
            *related = None;
        }
        error
    }
}

impl Kind {
    /// A message and a hint.
    fn in_words(&self) -> (String, &'static str) {
        let (message, hint) = match self {
            Kind::TextOutside => (
                "the text outside of the outermost element is not read",
                "put it into a comment, `<!-- ... -->`, or remove it",
            ),
            Kind::LateDeclaration => (
                "`<?xml ...?>` stands behind something else",
                "it must be the very first thing in the file: remove what is before it, blanks too",
            ),
            Kind::NoBlank => (
                "there is no blank between two attributes",
                "put one between the closing quote and the next name",
            ),
            Kind::CommentInTag => ("the comment is inside a tag", "put it between two elements"),
            Kind::Reference => (
                "this `&` begins no known reference, and is read as it is",
                "the character `&` is written `&amp;`",
            ),
            Kind::Character => (
                "this character has no meaning in a text, and is read as it is",
                "remove it",
            ),
            Kind::LessThan => (
                "`<` inside an attribute value is read as it is",
                "the character `<` is written `&lt;`",
            ),
            Kind::SectionEnd => (
                "`]]>` ends nothing, and is read as it is",
                "the character `>` is written `&gt;`",
            ),
            Kind::Attributes => (
                "this is no attribute: the tag is read up to here only",
                QUOTES,
            ),
            Kind::Prefix => (
                "the prefix is not declared, and is left out",
                "declare it with an attribute `xmlns:prefix`, or remove it",
            ),
            Kind::EndTag(end, open) => {
                let message = format!(
                    "`<{open}>` is not closed before `</{end}>`: nothing behind it is read"
                );
                return (message, TO_CLOSE);
            }
            Kind::ExtraEndTag(end) => {
                let message = format!("`</{end}>` closes nothing: nothing behind it is read");
                return (
                    message,
                    "remove it, or is the tag missing that it should close?",
                );
            }
            Kind::Unclosed(open) => {
                let message = format!("the file ends before `<{open}>` is closed");
                return (message, TO_CLOSE);
            }
        };
        (message.to_owned(), hint)
    }
}
