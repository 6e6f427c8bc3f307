//! One XML text into the arrays of the tree.

use std::ops::Range;

use rustc_hash::FxHashMap;

use crate::crowded;
use crate::error::DocumentError;
use crate::include::{ForeignLanguage, IncludeOptions, Limits};
use crate::malformed;
use crate::source::{Source, SourceId, Span};
use crate::tree::{AttributeRecord, DECODED, ElementRecord, Text, Tree};

const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// What a file contributes: its top-level elements lie in the tree.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// In the order of the text.
    pub(crate) items: Vec<Item>,
    /// The language that the file is written in, if that is none of ours.
    pub(crate) foreign: Option<ForeignLanguage>,
}

pub(crate) enum Item {
    /// A top-level element.
    Element(u32),
    /// A top-level include.
    Include(Include),
    /// An include inside another element: which element it is.
    Nested(u32, Include),
}

/// An include element.
pub(crate) struct Include {
    /// File name or address; empty if there is none.
    pub(crate) file: String,
    pub(crate) is_url: bool,
    /// The name of the file in the text, or the start tag.
    pub(crate) span: Span,
}

struct OpenElement {
    end: usize,
    index: u32,
    has_text: bool,
}

/// Writes the elements of one source after another into a tree.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) tree: Tree,
    name_indices: FxHashMap<Box<str>, u32>,
}

impl Builder {
    /// Reads a source. On an error its elements may lie in the tree, but nothing refers to them.
    pub(crate) fn read(
        &mut self,
        id: SourceId,
        source: &Source,
        options: &IncludeOptions,
    ) -> Result<File, DocumentError> {
        let limits = &options.limits;
        let text = &*source.text;
        crowded::check(text, id, limits)?;
        let left = limits.elements.saturating_sub(self.tree.elements.len());
        let (mut blanked, mut blanked_again) = (String::new(), String::new());
        let without_prefix;
        let xml = match parsed(text, &mut blanked, left) {
            Err(roxmltree::Error::UnknownNamespace(prefix, _)) => {
                without_prefix = without_attributes(text, &prefix);
                parsed(&without_prefix, &mut blanked_again, left)
            }
            other => other,
        };
        let xml = xml.map_err(|error| refused(&error, id, source, limits))?;
        let outermost = xml.root_element();
        let range = outermost.range();
        let span = |range: Range<usize>| Span {
            source: id,
            start: range.start as u32,
            end: (range.start + tag_length(text.get(range).unwrap_or_default())) as u32,
        };
        let mut file = File {
            name: outermost.tag_name().name().to_owned(),
            span: span(range),
            items: Vec::new(),
            foreign: foreign(outermost, options.foreign),
        };
        let mut open: Vec<OpenElement> = Vec::new();
        for node in outermost.descendants().skip(1) {
            let range = node.range();
            while open.last().is_some_and(|last| last.end <= range.start) {
                self.close(open.pop());
            }
            if node.is_element() {
                let span = span(range.clone());
                if self.tree.elements.len() >= limits.elements {
                    return Err(DocumentError::TooManyElements {
                        limit: limits.elements,
                        span,
                    });
                }
                if open.len() + 1 >= limits.element_depth {
                    return Err(DocumentError::TooDeep {
                        limit: limits.element_depth,
                        span,
                    });
                }
                let index = self.element(node, span);
                match (node.tag_name().name(), open.is_empty()) {
                    ("Include" | "include", true) => {
                        file.items.push(Item::Include(include(node, span)));
                    }
                    (_, true) => file.items.push(Item::Element(index)),
                    ("Include", false) if node.has_attribute("file") => {
                        file.items.push(Item::Nested(index, include(node, span)));
                    }
                    ("include", false) if node.has_attribute("href") => {
                        file.items.push(Item::Nested(index, include(node, span)));
                    }
                    _ => {}
                }
                open.push(OpenElement {
                    end: range.end,
                    index,
                    has_text: false,
                });
            } else if node.is_text()
                && let Some(last) = open.last_mut()
                && !last.has_text
            {
                last.has_text = self.text(last.index, node, text);
            }
        }
        while !open.is_empty() {
            self.close(open.pop());
        }
        Ok(file)
    }

    pub(crate) fn finish(mut self) -> Tree {
        // The text of an element may come after its children.
        self.tree.texts.sort_by_key(|(element, _)| *element);
        self.tree
    }

    fn element(&mut self, node: roxmltree::Node<'_, '_>, span: Span) -> u32 {
        let index = self.tree.elements.len() as u32;
        let record = ElementRecord {
            name: self.name(node.tag_name().name()),
            source: span.source,
            start: span.start,
            tag_end: span.end,
            first_attribute: self.tree.attributes.len() as u32,
            subtree_end: index + 1,
        };
        self.tree.elements.push(record);
        let text = node.document().input_text();
        for attribute in node.attributes() {
            if attribute.namespace() != Some(SCHEMA_INSTANCE) {
                self.attribute(attribute, text);
            }
        }
        index
    }

    fn attribute(&mut self, attribute: roxmltree::Attribute<'_, '_>, text: &str) {
        let (name_range, value) = places(attribute, text);
        let mut name = self.name(attribute.name());
        if text.get(value.clone()) != Some(attribute.value()) {
            let index = self.tree.attributes.len() as u32;
            self.tree.decoded.push((index, attribute.value().into()));
            name |= DECODED;
        }
        self.tree.attributes.push(AttributeRecord {
            name,
            name_start: name_range.start as u32,
            value_start: value.start as u32,
            value_end: value.end as u32,
        });
    }

    /// Whether there was any text.
    fn text(&mut self, element: u32, node: roxmltree::Node<'_, '_>, text: &str) -> bool {
        let content = node.text().unwrap_or_default();
        let trimmed = content.trim();
        if trimmed.is_empty() {
            return false;
        }
        let range = node.range();
        let kept = if text.get(range.clone()) == Some(content) {
            let start = range.start + (content.len() - content.trim_start().len());
            Text::InSource(start as u32, (start + trimmed.len()) as u32)
        } else {
            Text::Decoded(trimmed.into())
        };
        self.tree.texts.push((element, kept));
        true
    }

    fn close(&mut self, element: Option<OpenElement>) {
        let end = self.tree.elements.len() as u32;
        if let Some(closed) = element
            && let Some(record) = self.tree.elements.get_mut(closed.index as usize)
        {
            record.subtree_end = end;
        }
    }

    pub(crate) fn name(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.name_indices.get(name) {
            return index;
        }
        let index = self.tree.names.len() as u32;
        self.tree.names.push(name.to_owned());
        self.name_indices.insert(name.into(), index);
        index
    }
}

/// The tree of a text of at most so many elements; `blanked` is where its text lies if that needs a
/// change.
pub(crate) fn parsed<'t>(
    text: &'t str,
    blanked: &'t mut String,
    elements: usize,
) -> Result<roxmltree::Document<'t>, roxmltree::Error> {
    let nodes_limit = u32::try_from(elements.saturating_mul(3).saturating_add(100));
    let parse = |text| {
        let options = roxmltree::ParsingOptions {
            nodes_limit: nodes_limit.unwrap_or(u32::MAX),
            ..Default::default()
        };
        roxmltree::Document::parse_with_options(text, options)
    };
    match parse(text) {
        Err(roxmltree::Error::InvalidComment(_)) => {
            *blanked = without_comments(text);
            parse(blanked)
        }
        other => other,
    }
}

/// Where the local name of an attribute is, and its value.
pub(crate) fn places(
    attribute: roxmltree::Attribute<'_, '_>,
    text: &str,
) -> (Range<usize>, Range<usize>) {
    let range = attribute.range();
    let written = text.get(range.clone()).unwrap_or_default();
    let equals = written.find('=').unwrap_or(0);
    let name_end = range.start + written.get(..equals).unwrap_or_default().trim_end().len();
    let after = written.get(equals + 1..).unwrap_or_default();
    let quoted = after.trim_start().len();
    (
        name_end - attribute.name().len()..name_end,
        range.end - quoted + 1..range.end - 1,
    )
}

fn include(node: roxmltree::Node<'_, '_>, tag: Span) -> Include {
    let find = |name| node.attributes().find(|attribute| attribute.name() == name);
    let local = find("file")
        .or(find("href"))
        .map(|attribute| (attribute, false));
    let Some((attribute, is_url)) = local.or(find("url").map(|attribute| (attribute, true))) else {
        return Include {
            file: String::new(),
            is_url: false,
            span: tag,
        };
    };
    let file = attribute.value().trim().to_owned();
    let value = attribute.range_value();
    Include {
        is_url: is_url || file.contains("://"),
        file,
        span: Span {
            start: value.start as u32,
            end: value.end as u32,
            ..tag
        },
    }
}

/// The language whose namespace the outermost element of a file has, or declares if it has none.
fn foreign(
    outermost: roxmltree::Node<'_, '_>,
    languages: &[ForeignLanguage],
) -> Option<ForeignLanguage> {
    let own = outermost.tag_name().namespace();
    let declared = outermost.namespaces().map(|space| space.uri());
    let mut namespaces = own.into_iter().chain(declared.filter(|_| own.is_none()));
    namespaces.find_map(|namespace| {
        let mut languages = languages.iter();
        let found = languages.find(|language| namespace.starts_with(language.namespace));
        found.copied()
    })
}

/// The text with blanks for what comments contain, at the same offsets.
///
/// XML forbids `--` there, but jLEMS accepts it and rulers such as `<!-- ---- -->` occur.
fn without_comments(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<!--") {
        let Some((comment, behind)) = after.split_once("-->") else {
            break;
        };
        blanked.push_str(before);
        blanked.push_str("<!--");
        blanked.extend(blanks(comment));
        blanked.push_str("-->");
        rest = behind;
    }
    blanked + rest
}

/// The text with blanks for attributes with a prefix, at the same offsets.
///
/// XML wants the prefix declared, but jLEMS does not, and files with `xsi:schemaLocation` alone occur.
fn without_attributes(text: &str, prefix: &str) -> String {
    let start = format!("{prefix}:");
    let mut blanked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(place) = rest.find(&start) {
        let (before, attribute) = rest.split_at(place);
        let follows_blank = before.ends_with(|c: char| c.is_ascii_whitespace());
        blanked.push_str(before);
        rest = match attribute_length(attribute) {
            Some(length) if follows_blank => {
                let (attribute, behind) = attribute.split_at(length);
                blanked.extend(blanks(attribute));
                behind
            }
            _ => {
                blanked.push_str(&start);
                attribute.split_at(start.len()).1
            }
        };
    }
    blanked + rest
}

/// Length of the attribute that a text begins with.
fn attribute_length(text: &str) -> Option<usize> {
    let name = text.find(|c: char| c.is_ascii_whitespace() || "=<>'\"/".contains(c))?;
    let after_name = text.get(name..)?.trim_ascii_start();
    let value = after_name.strip_prefix('=')?.trim_ascii_start();
    let quote = value.chars().next().filter(|c| "'\"".contains(*c))?;
    let (inside, _) = value.get(1..)?.split_once(quote)?;
    Some(text.len() - value.len() + inside.len() + 2)
}

/// As many blanks as the text has bytes, with its ends of lines.
fn blanks(text: &str) -> impl Iterator<Item = char> {
    text.bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
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

pub(crate) fn refused(
    error: &roxmltree::Error,
    id: SourceId,
    source: &Source,
    limits: &Limits,
) -> DocumentError {
    use roxmltree::Error;
    let text = &*source.text;
    if let Some((message, hint)) = malformed::not_text(text) {
        return DocumentError::NotText {
            file: source.name.clone(),
            message,
            hint,
            span: None,
        };
    }
    let position = error.pos();
    let start = match error {
        Error::NoRootNode | Error::UnclosedRootNode | Error::UnexpectedEndOfStream => {
            text.trim_end().len()
        }
        Error::DtdDetected => text.find("<!DOCTYPE").unwrap_or(0),
        Error::InvalidString("-->", _) => text.rfind("<!--").unwrap_or(0),
        Error::InvalidString("]]>", _) => text.rfind("<![CDATA[").unwrap_or(0),
        _ => offset(text, position.row as usize, position.col as usize),
    };
    let end = text.ceil_char_boundary((start + 1).min(text.len()));
    let span = Span {
        source: id,
        start: start as u32,
        end: end as u32,
    };
    if matches!(
        error,
        Error::NodesLimitReached | Error::AttributesLimitReached
    ) {
        return DocumentError::TooManyElements {
            limit: limits.elements,
            span,
        };
    }
    malformed::explained(error, text, span)
}

/// Byte offset of a row and column that count from 1.
fn offset(text: &str, row: usize, column: usize) -> usize {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(row.saturating_sub(1))
        .map(str::len)
        .sum();
    let line = text.get(line_start..).unwrap_or_default();
    let in_line: usize = line
        .chars()
        .take(column.saturating_sub(1))
        .map(char::len_utf8)
        .sum();
    line_start + in_line
}
