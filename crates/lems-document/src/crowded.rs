//! Limits on the attributes of one element and on the prefixes in scope.
//!
//! The XML parser compares each attribute of an element with all before it, and copies the prefixes
//! in scope for each element that declares one. Both costs are quadratic, so both are counted before
//! a text is parsed.

use crate::error::DocumentError;
use crate::options::Limits;
use crate::source::{SourceId, Span};

/// Checks that no element of a text has too many attributes or too many prefixes in scope. It does
/// not check whether the text is XML.
///
/// # Errors
/// The first element that exceeds a limit, at the name in its start tag.
pub(crate) fn check(text: &str, id: SourceId, limits: &Limits) -> Result<(), DocumentError> {
    // Number of prefixes in scope, for each open element.
    let mut scopes: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + found;
        let rest = text.get(start..).unwrap_or_default();
        // Skip comments, CDATA sections, processing instructions and declarations.
        let skipped = [
            ("<!--", "-->"),
            ("<![CDATA[", "]]>"),
            ("<?", "?>"),
            ("<!", ">"),
        ];
        if let Some((begin, end)) = skipped.iter().find(|(begin, _)| rest.starts_with(begin)) {
            let inside = rest.get(begin.len()..).unwrap_or_default();
            let Some(length) = inside.find(end) else {
                return Ok(());
            };
            at = start + begin.len() + length + end.len();
            continue;
        }
        // Read one tag and keep track of the prefixes in scope.
        let tag = Tag::of(rest);
        at = start + tag.length;
        if rest.starts_with("</") {
            scopes.pop();
            continue;
        }
        let in_scope = scopes.last().copied().unwrap_or(0) + tag.prefixes;
        if !tag.is_empty {
            scopes.push(in_scope);
        }
        // Compare the counts with the limits.
        let span = || Span::new(id, start + 1..start + 1 + tag.name);
        if tag.attributes > limits.attributes {
            return Err(DocumentError::TooManyAttributes {
                limit: limits.attributes,
                span: span(),
            });
        }
        if in_scope > limits.prefixes {
            return Err(DocumentError::TooManyPrefixes {
                limit: limits.prefixes,
                span: span(),
            });
        }
    }
    Ok(())
}

/// The counts of a start or end tag.
struct Tag {
    /// Bytes from `<` to `>`.
    length: usize,
    /// Bytes of the name.
    name: usize,
    /// Number of attributes, including declarations of prefixes.
    attributes: usize,
    /// Number of declarations of prefixes.
    prefixes: usize,
    /// Whether it ends with `/>`.
    is_empty: bool,
}

impl Tag {
    /// The tag at the beginning of a text, which begins with `<`.
    fn of(text: &str) -> Tag {
        let bytes = text.as_bytes();
        let ends_name = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'/' | b'>');
        let inside = bytes.get(1..).unwrap_or_default();
        let mut tag = Tag {
            length: bytes.len(),
            name: inside.iter().position(ends_name).unwrap_or(inside.len()),
            attributes: 0,
            prefixes: 0,
            is_empty: false,
        };
        // The open quote, if we are in a value, and the start of the name of the current attribute.
        let (mut quote, mut name) = (None, 0);
        for (index, &byte) in bytes.iter().enumerate().skip(1) {
            match (quote, byte) {
                (Some(open), _) if open == byte => (quote, name) = (None, index + 1),
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'=') => {
                    tag.attributes += 1;
                    let written = bytes.get(name..index).unwrap_or_default().trim_ascii();
                    tag.prefixes += usize::from(written.starts_with(b"xmlns"));
                }
                (None, b'>') => {
                    tag.length = index + 1;
                    tag.is_empty = bytes.get(index - 1) == Some(&b'/');
                    break;
                }
                (None, b' ' | b'\t' | b'\n' | b'\r') => {
                    // A space before `=` belongs to the name before it.
                    let written = bytes.get(name..index).unwrap_or_default();
                    if name <= tag.name || written.trim_ascii().is_empty() {
                        name = index;
                    }
                }
                (None, _) => {}
            }
        }
        tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, attributes: usize, prefixes: usize) -> Result<(), DocumentError> {
        let limits = Limits {
            attributes,
            prefixes,
            ..Limits::default()
        };
        check(text, SourceId(0), &limits)
    }

    #[test]
    fn attributes_of_one_element_are_counted() {
        let text = "<a><!-- <b c='' d='' e=''> --><b c=\"=>=\" d = 'x'/><?f g='' h='' i=''?></a>";
        assert_eq!(checked(text, 2, 0), Ok(()));
        let Err(DocumentError::TooManyAttributes { limit: 1, span }) = checked(text, 1, 0) else {
            panic!("two attributes are too many");
        };
        assert_eq!(text.get(span.start as usize..span.end as usize), Some("b"));
    }

    #[test]
    fn prefixes_in_scope_are_counted() {
        let text = "<a xmlns='u' x=''><b xmlns:p = 'v'></b><b xmlns:q='v'/><c\nxmlns:r='w'/></a>";
        assert_eq!(checked(text, 9, 2), Ok(()));
        let Err(DocumentError::TooManyPrefixes { limit: 1, span }) = checked(text, 9, 1) else {
            panic!("two prefixes are too many");
        };
        assert_eq!(text.get(span.start as usize..span.end as usize), Some("b"));
        let deep = "<a xmlns:p='v'>".repeat(30);
        assert!(checked(&deep, 9, 29).is_err() && checked(&deep, 9, 30).is_ok());
    }

    #[test]
    fn what_is_no_xml_is_left_to_others() {
        for text in [
            "",
            "<",
            "<a",
            "<a b='",
            "<!-- <a",
            "</a></a><b/>",
            "<a =''='='",
            "<![CDATA[",
        ] {
            assert_eq!(checked(text, 3, 3), Ok(()), "{text}");
        }
    }
}
