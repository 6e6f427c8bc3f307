//! What is wrong with a text that is not XML, in the words of people who write models.

use roxmltree::Error;

use crate::error::DocumentError;
use crate::source::Span;

const QUOTES: &str = "an attribute is written `name=\"value\"`, with plain quotes";

/// The error of the XML parser with a likely remedy.
pub(crate) fn explained(error: &Error, text: &str, span: Span) -> DocumentError {
    let (message, hint) = match other_format(text) {
        Some((message, hint)) => (message.to_owned(), hint),
        None => in_words(error, text, span),
    };
    DocumentError::Malformed {
        message,
        hint,
        span,
    }
}

/// What a text is that does not begin like XML.
fn other_format(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.trim_start_matches('\u{feff}');
    let mut start = text.chars();
    let first = [start.next(), start.next()];
    let is_utf16 = matches!(
        first,
        [Some('\0'), Some('<')]
            | [Some('<'), Some('\0')]
            | [Some('ÿ'), Some('þ')]
            | [Some('þ'), Some('ÿ')]
    );
    if is_utf16 {
        return Some((
            "the file is written in UTF-16 or UTF-32",
            "save it as UTF-8 in your editor",
        ));
    }
    let is_binary = |byte: char| byte.is_control() && !byte.is_whitespace();
    if text.chars().take(16).any(is_binary) || text.starts_with("PK") {
        return Some((
            "this is no text",
            "is the file compressed, or is it another file than you meant?",
        ));
    }
    match text.trim_start().chars().next() {
        None => Some((
            "there is nothing in the file",
            "a model is written inside `<Lems> ... </Lems>`",
        )),
        Some('<') => None,
        Some(_) => Some((
            "the file does not begin with `<`",
            "is this the file that you meant? Nothing but comments may stand before `<Lems>`",
        )),
    }
}

fn in_words(error: &Error, text: &str, span: Span) -> (String, &'static str) {
    let position = error.pos();
    let message = error.to_string().replace(&format!(" at {position}"), "");
    let found = text.get(span.start as usize..).unwrap_or_default();
    let own = |message: &str, hint| (message.to_owned(), hint);
    match error {
        Error::MalformedEntityReference(_) | Error::UnknownEntityReference(..) => (
            message,
            "the character `&` is written `&amp;`, and in conditions `.and.`",
        ),
        Error::DtdDetected => (message, "remove the `<!DOCTYPE ...>`"),
        Error::UnexpectedCloseTag(..) => (
            message,
            "every element ends with `/>` or with its own closing tag",
        ),
        Error::UnclosedRootNode => own(
            "the file ends before its outermost element is closed",
            "every element ends with `/>` or with its own closing tag",
        ),
        Error::UnexpectedEndOfStream => own(
            "the file ends in the middle of an element",
            "is the file complete?",
        ),
        Error::NoRootNode => own(
            "there is nothing but comments in the file",
            "a model is written inside `<Lems> ... </Lems>`",
        ),
        Error::UnknownNamespace(..) => (
            message,
            "declare the prefix with an attribute `xmlns:prefix`, or remove it",
        ),
        Error::DuplicatedAttribute(..) => (message, "remove one of the two"),
        Error::UnexpectedDeclaration(_) => own(
            "`<?xml ...?>` stands behind something else",
            "it must be the very first thing in the file: remove what is before it, blanks too",
        ),
        Error::InvalidChar(b'"' | b'\'', b'<', _) => own(
            "`<` inside an attribute value",
            "in expressions `<` is written `.lt.`; or a closing quote is missing",
        ),
        Error::InvalidChar2("a quote", ..) => own("the value has no quotes", QUOTES),
        Error::InvalidChar(b'=', ..) => own("the attribute has no value", QUOTES),
        Error::InvalidChar2("a whitespace", ..) => own(
            "there is no blank between two attributes",
            "put one between the closing quote and the next name",
        ),
        Error::NonXmlChar(..) => (
            message,
            "remove this character: it has no meaning in a text",
        ),
        Error::InvalidString("-->", _) => {
            own("the comment is never closed", "a comment ends with `-->`")
        }
        Error::InvalidString("]]>", _) => {
            own("the CDATA section is never closed", "it ends with `]]>`")
        }
        Error::UnknownToken(_) if found.starts_with('<') => own(
            "there is a second outermost element",
            "put all elements inside one `<Lems> ... </Lems>`",
        ),
        Error::UnknownToken(_) => own(
            "there is text outside of the outermost element",
            "put it into a comment, `<!-- ... -->`, or remove it",
        ),
        Error::InvalidName(_) => own(
            "this is no name of an element or attribute",
            "a bare `<` is written `&lt;`, and in expressions `.lt.`",
        ),
        _ => (message, QUOTES),
    }
}
