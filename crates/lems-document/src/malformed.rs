//! Explains why a text is not XML, in words for people who write models.

use std::ops::Range;

use roxmltree::Error;

use crate::error::DocumentError;
use crate::source::Span;

pub(crate) const QUOTES: &str = "an attribute is written `name=\"value\"`, with plain quotes";

/// The error of the XML parser with a likely fix.
pub(crate) fn explained(error: &Error, text: &str, span: Span) -> DocumentError {
    if let Error::UnexpectedCloseTag(..) | Error::UnclosedRootNode = error
        && let Some(unclosed) = Unclosed::in_text(text)
    {
        return unclosed.explained(text, span);
    }
    let (message, hint) = match other_format(text) {
        Some((message, hint)) => (message.to_owned(), hint),
        None => in_words(error, text, span),
    };
    DocumentError::Malformed {
        message,
        hint,
        span,
        related: None,
    }
}

pub(crate) const TO_CLOSE: &str = "every element ends with `/>` or with its own closing tag";

/// A start tag without an end tag, or an end tag without a start tag.
enum Unclosed {
    /// The start tag, and the end tag that was found instead; None at the end of the file.
    Start(Range<usize>, Option<Range<usize>>),
    /// An end tag without a start tag.
    End(Range<usize>),
}

impl Unclosed {
    /// The first one in a text that is XML otherwise.
    fn in_text(text: &str) -> Option<Unclosed> {
        // Match end tags with start tags.
        let mut open: Vec<Range<usize>> = Vec::new();
        // An end tag of an element that is not open, and the depth there. It is either misspelt or
        // superfluous; later end tags decide which.
        let mut strange: Option<(Range<usize>, usize)> = None;
        let tags = Tags { text, at: 0 };
        for tag in tags {
            let written = text.get(tag.clone())?;
            if !written.starts_with("</") {
                if !written.ends_with("/>") {
                    open.push(tag);
                }
                continue;
            }
            let start = open.pop()?;
            let is_end_of = |start: &Range<usize>| name(text, start) == name(text, &tag);
            match strange.take() {
                None if is_end_of(&start) => {}
                None if open.iter().any(is_end_of) => {
                    return Some(Unclosed::Start(start, Some(tag)));
                }
                None => {
                    open.push(start);
                    strange = Some((tag, open.len()));
                }
                Some((end, depth)) if is_end_of(&start) => {
                    if open.len() < depth {
                        return Some(Unclosed::End(end));
                    }
                    strange = Some((end, depth));
                }
                Some((end, depth)) => {
                    open.push(start);
                    let start = open.get(depth - 1)?.clone();
                    return Some(Unclosed::Start(start, Some(end)));
                }
            }
        }
        // The end of the text.
        match strange {
            Some((end, depth)) => Some(Unclosed::Start(open.get(depth - 1)?.clone(), Some(end))),
            None => Some(Unclosed::Start(open.pop()?, None)),
        }
    }

    /// The error message for an unclosed element or a superfluous end tag.
    fn explained(self, text: &str, span: Span) -> DocumentError {
        let place = |range: &Range<usize>| Span::new(span.source, range.clone());
        let is_whole =
            |tag: &Range<usize>| text.get(tag.clone()).is_some_and(|tag| tag.ends_with('>'));
        let (message, range, related) = match &self {
            Unclosed::End(end) => {
                let message = format!("`</{}>` closes nothing", name(text, end));
                (message, end, None)
            }
            Unclosed::Start(start, None) if is_whole(start) => {
                let message = format!("the file ends before `<{}>` is closed", name(text, start));
                (message, start, None)
            }
            Unclosed::Start(start, None) => {
                let message = format!("the tag `<{}` has no `>`", name(text, start));
                (message, start, None)
            }
            Unclosed::Start(start, Some(end)) => {
                let (start_name, end_name) = (name(text, start), name(text, end));
                let message = format!("`<{start_name}>` is not closed before `</{end_name}>`");
                let related = (place(end), "this closes another element");
                (message, start, Some(related))
            }
        };
        let hint = match &self {
            Unclosed::End(_) => "remove it, or is the tag missing that it should close?",
            Unclosed::Start(..) => TO_CLOSE,
        };
        DocumentError::Malformed {
            message,
            hint,
            span: place(range),
            related,
        }
    }
}

/// The start and end tags of a text, one after another.
struct Tags<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Tags<'_> {
    type Item = Range<usize>;

    /// The next tag; comments, CDATA sections, instructions and declarations are skipped.
    fn next(&mut self) -> Option<Range<usize>> {
        const OTHERS: [(&str, &str); 4] = [
            ("<!--", "-->"),
            ("<![CDATA[", "]]>"),
            ("<?", "?>"),
            ("<!", ">"),
        ];
        loop {
            self.at += self.text.get(self.at..)?.find('<')?;
            let rest = self.text.get(self.at..)?;
            let Some((_, end)) = OTHERS.iter().find(|(start, _)| rest.starts_with(start)) else {
                let start = self.at;
                self.at += tag_length(rest);
                return Some(start..self.at);
            };
            self.at += rest.find(end)? + end.len();
        }
    }
}

/// The name in a tag.
fn name<'t>(text: &'t str, tag: &Range<usize>) -> &'t str {
    let tag = text.get(tag.clone()).unwrap_or_default();
    let tag = tag.trim_start_matches(['<', '/']);
    let end = tag.find(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '>'));
    tag.get(..end.unwrap_or(tag.len())).unwrap_or_default()
}

/// What a file seems to be whose text cannot be shown, and advice; None for ordinary text.
pub(crate) fn not_text(text: &str) -> Option<(&'static str, &'static str)> {
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
    let is_xml = text.trim_start().starts_with('<');
    let is_binary = |letter: char| letter.is_control() && !letter.is_whitespace();
    let looked_at = if is_xml { 16 } else { 1024 };
    if text.chars().take(looked_at).any(is_binary) || text.starts_with("PK") {
        return Some((
            "this is no text",
            "is the file compressed, or is it another file than you meant?",
        ));
    }
    None
}

/// What a text seems to be that does not begin like XML, and advice.
fn other_format(text: &str) -> Option<(&'static str, &'static str)> {
    let text = text.trim_start_matches('\u{feff}');
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

/// A message and a hint for an error of the XML parser.
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
        Error::UnexpectedCloseTag(..) => (message, TO_CLOSE),
        Error::UnclosedRootNode => own(
            "the file ends before its outermost element is closed",
            TO_CLOSE,
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

/// Length of the start tag that `element` begins with.
pub(crate) fn tag_length(element: &str) -> usize {
    let mut quote = None;
    for (index, byte) in element.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return index + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    element.len()
}

/// The end of the qualified name in the start tag that `element` begins with.
///
/// In a text that was repaired, more than a blank, `/` or `>` may follow the name: what follows was
/// left out.
pub(crate) fn name_end(element: &str) -> usize {
    let bracket = '<'.len_utf8();
    let name = element.get(bracket..).unwrap_or_default();
    name.find(ends_name)
        .map_or(element.len(), |length| bracket + length)
}

/// Whether a name ends before this character.
pub(crate) fn ends_name(letter: char) -> bool {
    letter.is_ascii_whitespace() || matches!(letter, '=' | '<' | '>' | '\'' | '"' | '/')
}
