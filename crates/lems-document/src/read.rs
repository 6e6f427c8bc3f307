//! Parses one XML text into the arrays of the tree.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::crowded;
use crate::error::DocumentError;
use crate::malformed::{self, tag_length};
use crate::options::{ForeignLanguage, IncludeOptions, Limits};
use crate::repair::{self, Repaired};
use crate::rows::{Cut, Run};
use crate::source::{Source, SourceId, Span};
use crate::text::SourceText;
use crate::tree::{AttributeRecord, DECODED, ElementRecord, Text, Tree};
use lems_index::narrow;

/// The contribution of one file; its elements are in the tree.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) span: Span,
    /// The top-level items in the order of the text.
    pub(crate) items: Vec<Item>,
    /// The language of the file, if it is a foreign one.
    pub(crate) foreign: Option<ForeignLanguage>,
    /// Mistakes that were accepted.
    pub(crate) mistakes: Vec<DocumentError>,
    /// The XML error, if the repaired text may differ from what its author meant.
    pub(crate) doubt: Option<DocumentError>,
}

pub(crate) enum Item {
    /// A top-level element.
    Element(u32),
    /// A top-level include.
    Include(Include),
    /// An include inside another element, with the index of the include element.
    Nested(u32, Include),
}

/// An include element.
pub(crate) struct Include {
    /// File name or address; empty if there is none.
    pub(crate) file: String,
    pub(crate) is_url: bool,
    /// Whether it has attributes, but none that names a file.
    pub(crate) is_ignored: bool,
    /// The place of the file name or, without one, of the start tag.
    pub(crate) span: Span,
}

struct OpenElement {
    end: usize,
    index: u32,
    has_text: bool,
}

/// Adds the elements of one source after another to a tree.
#[derive(Default)]
pub(crate) struct Builder {
    pub(crate) tree: Tree,
    name_indices: FxHashMap<Box<str>, u32>,
}

impl Builder {
    /// A builder that continues an existing tree.
    pub(crate) fn of(tree: Tree) -> Builder {
        let names = (0..).zip(&tree.names);
        let name_indices = names
            .map(|(index, name)| (name.as_str().into(), index))
            .collect();
        Builder { tree, name_indices }
    }

    /// Reads a source. After an error, some of its elements may be in the tree, but nothing refers to
    /// them.
    pub(crate) fn read(
        &mut self,
        id: SourceId,
        source: &mut Source,
        options: &IncludeOptions,
    ) -> Result<File, DocumentError> {
        options.limits.allow_text(source)?;
        source.text.condense();
        let Some(cut) = source.text.cut() else {
            return self.read_singly(id, source, options);
        };
        let size = self.tree.size();
        let read = self.read_rest(id, source, cut, options);
        // An error is reported with the words and places of the whole text.
        read.or_else(|_| {
            source.text.expand();
            self.tree.truncate(size);
            self.read_singly(id, source, options)
        })
    }

    /// Reads a source without its runs of like elements, of which only the first ones are left, and then the
    /// runs.
    fn read_rest(
        &mut self,
        id: SourceId,
        source: &Source,
        cut: &Cut,
        options: &IncludeOptions,
    ) -> Result<File, DocumentError> {
        let limits = &options.limits;
        crowded::check(&cut.text, id, limits)?;
        let left = limits.elements.saturating_sub(self.tree.count());
        let xml =
            with_limit(&cut.text, left).map_err(|error| refused(&error, id, source, limits))?;
        let places = Places {
            text: &source.text,
            changed: Changed::Cut(cut),
        };
        self.elements(id, &xml, &places, options)
    }

    /// Reads a source with a record for each element. After an error, some of its elements may be in the
    /// tree, but nothing refers to them.
    pub(crate) fn read_singly(
        &mut self,
        id: SourceId,
        source: &Source,
        options: &IncludeOptions,
    ) -> Result<File, DocumentError> {
        // Check the limits, and parse the text.
        let limits = &options.limits;
        let text = &*source.text;
        limits.allow_text(source)?;
        crowded::check(text, id, limits)?;
        let left = limits.elements.saturating_sub(self.tree.count());
        let may_end_early = id == SourceId(0);
        let repaired = OnceCell::new();
        let (xml, error) = parsed(text, &repaired, left, may_end_early)
            .map_err(|error| refused(&error, id, source, limits))?;
        let repaired = repaired.get();
        let error = error.filter(|_| repaired.is_some_and(|new| new.is_doubtful));
        let places = Places {
            text: &source.text,
            changed: repaired.map_or(Changed::Nothing, Changed::Repaired),
        };
        let file = self.elements(id, &xml, &places, options)?;
        Ok(File {
            mistakes: repaired.map_or_else(Vec::new, |new| new.explained(id)),
            doubt: error.map(|error| refused(&error, id, source, limits)),
            ..file
        })
    }

    /// Adds the elements, attributes and texts of a parsed text in document order.
    fn elements(
        &mut self,
        id: SourceId,
        xml: &roxmltree::Document<'_>,
        places: &Places<'_>,
        options: &IncludeOptions,
    ) -> Result<File, DocumentError> {
        // The outermost element is not part of the tree, but its name and place are kept.
        let limits = &options.limits;
        let outermost = xml.root_element();
        let range = outermost.range();
        let read_text = xml.input_text();
        let span = |range: Range<usize>| {
            let tag = tag_length(read_text.get(range.clone()).unwrap_or_default());
            Span::new(id, places.original(range.start..range.start + tag))
        };
        let mut file = File {
            name: outermost.tag_name().name().to_owned(),
            span: span(range),
            items: Vec::new(),
            foreign: foreign(outermost, options.foreign),
            mistakes: Vec::new(),
            doubt: None,
        };
        let mut runs = places.runs().iter().peekable();
        let mut open: Vec<OpenElement> = Vec::new();
        for node in outermost.descendants().skip(1) {
            let range = node.range();
            while let Some(closed) = open.pop_if(|last| last.end <= range.start) {
                self.tree.end(closed.index);
            }
            if node.is_element() {
                let span = span(range.clone());
                let run = runs.next_if(|run| run.rows.first_start() == Some(span.start));
                let rows = run.map_or(1, |run| run.rows.count);
                if self.tree.count() + rows > limits.elements {
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
                let index = self.element(node, span, places);
                if let Some(run) = run {
                    self.tree.repeat_last(run.rows.clone());
                }
                match (node.tag_name().name(), open.is_empty()) {
                    ("Include" | "include", true) => {
                        file.items.push(Item::Include(include(node, span, places)));
                    }
                    (_, true) => {
                        let numbers = (index..).take(rows);
                        file.items.extend(numbers.map(Item::Element));
                    }
                    ("Include", false) if node.has_attribute("file") => {
                        file.items
                            .push(Item::Nested(index, include(node, span, places)));
                    }
                    ("include", false) if node.has_attribute("href") => {
                        file.items
                            .push(Item::Nested(index, include(node, span, places)));
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
                last.has_text = self.text(last.index, node, places);
            }
        }
        while let Some(closed) = open.pop() {
            self.tree.end(closed.index);
        }
        Ok(file)
    }

    pub(crate) fn finish(mut self) -> Tree {
        // An element may get its text after its children, so the texts are not sorted yet.
        self.tree.texts.sort_by_key(|(element, _)| *element);
        self.tree
    }

    /// Adds an element and its attributes; returns its index.
    fn element(&mut self, node: roxmltree::Node<'_, '_>, span: Span, places: &Places<'_>) -> u32 {
        let index = narrow(self.tree.count());
        let record = ElementRecord {
            name: self.name(node.tag_name().name()),
            source: span.source,
            start: span.start,
            tag_end: span.end,
            first_attribute: narrow(self.tree.attributes.len()),
            subtree_end: index + 1,
        };
        self.tree.elements.push(record);
        let text = node.document().input_text();
        for attribute in own_attributes(node) {
            self.attribute(attribute, text, places);
        }
        index
    }

    /// Adds an attribute. Its value is stored only if it differs from the text.
    fn attribute(
        &mut self,
        attribute: roxmltree::Attribute<'_, '_>,
        text: &str,
        places: &Places<'_>,
    ) {
        let (name_range, value) = attribute_ranges(attribute, text);
        let (name_range, value) = (places.original(name_range), places.original(value));
        let mut name = self.name(attribute.name());
        let content = places.restored(attribute.value());
        if places.text.part(value.clone()) != Some(&*content) {
            let index = narrow(self.tree.attributes.len());
            self.tree.decoded.push((index, content.into()));
            name |= DECODED;
        }
        self.tree.attributes.push(AttributeRecord {
            name,
            name_start: narrow(name_range.start),
            value_start: narrow(value.start),
            value_end: narrow(value.end),
        });
    }

    /// Stores the text of an element unless it is blank; returns whether it was stored.
    fn text(&mut self, element: u32, node: roxmltree::Node<'_, '_>, places: &Places<'_>) -> bool {
        let content = places.restored(node.text().unwrap_or_default());
        let trimmed = content.trim();
        if trimmed.is_empty() {
            return false;
        }
        let range = places.original(node.range());
        let kept = if places.text.part(range.clone()) == Some(&*content) {
            let start = range.start + (content.len() - content.trim_start().len());
            Text::InSource(narrow(start), narrow(start + trimmed.len()))
        } else {
            Text::Decoded(trimmed.into())
        };
        self.tree.texts.push((element, kept));
        true
    }

    pub(crate) fn name(&mut self, name: &str) -> u32 {
        if let Some(&index) = self.name_indices.get(name) {
            return index;
        }
        let index = self.tree.next_name();
        self.tree.names.push(name.to_owned());
        self.name_indices.insert(name.into(), index);
        index
    }
}

/// Parses a text of at most `elements` elements. If the text is not well-formed, it is repaired as
/// jLEMS reads it: `repaired` then holds the new text, whose tree is returned with the XML error.
pub(crate) fn parsed<'t>(
    text: &'t str,
    repaired: &'t OnceCell<Repaired>,
    elements: usize,
    may_end_early: bool,
) -> Result<(roxmltree::Document<'t>, Option<roxmltree::Error>), roxmltree::Error> {
    use roxmltree::Error;
    let error = match with_limit(text, elements) {
        Ok(xml) => return Ok((xml, None)),
        Err(error) if is_limit(&error) => return Err(error),
        Err(error) => error,
    };
    let (new, silent) = repair::repaired(text, may_end_early);
    // jLEMS accepts some of these errors silently. Then the next error is the one to report.
    let error = match error {
        Error::InvalidComment(_) | Error::UnknownNamespace(..) => {
            with_limit(&silent, elements).err().unwrap_or(error)
        }
        error => error,
    };
    // The repaired text may be longer, and offsets in it must fit into 32 bits as well.
    let Some(new) = new.filter(|new| u32::try_from(new.text.len()).is_ok()) else {
        return Err(error);
    };
    match with_limit(&repaired.get_or_init(|| new).text, elements) {
        Ok(xml) => Ok((xml, Some(error))),
        Err(other) if is_limit(&other) => Err(other),
        Err(_) => Err(error),
    }
}

fn with_limit(text: &str, elements: usize) -> Result<roxmltree::Document<'_>, roxmltree::Error> {
    let nodes_limit = u32::try_from(elements.saturating_mul(3).saturating_add(100));
    let options = roxmltree::ParsingOptions {
        nodes_limit: nodes_limit.unwrap_or(u32::MAX),
        ..Default::default()
    };
    roxmltree::Document::parse_with_options(text, options)
}

fn is_limit(error: &roxmltree::Error) -> bool {
    use roxmltree::Error;
    matches!(
        error,
        Error::NodesLimitReached | Error::AttributesLimitReached
    )
}

/// Translates places in the parsed text to places in the text of the file.
struct Places<'t> {
    /// The text of the file.
    text: &'t SourceText,
    /// How the text that was parsed differs from it.
    changed: Changed<'t>,
}

enum Changed<'t> {
    Nothing,
    Repaired(&'t Repaired),
    Cut(&'t Cut),
}

impl<'t> Places<'t> {
    fn original(&self, range: Range<usize>) -> Range<usize> {
        match self.changed {
            Changed::Nothing => range,
            Changed::Repaired(repaired) => repaired.original(range),
            Changed::Cut(cut) => cut.original(range),
        }
    }

    fn restored<'c>(&self, content: &'c str) -> Cow<'c, str> {
        match self.changed {
            Changed::Repaired(_) => Repaired::restored(content).into(),
            Changed::Nothing | Changed::Cut(_) => content.into(),
        }
    }

    /// The runs of elements of which only the first was parsed.
    fn runs(&self) -> &'t [Run] {
        match self.changed {
            Changed::Cut(cut) => &cut.runs,
            Changed::Nothing | Changed::Repaired(_) => &[],
        }
    }
}

/// The attributes of the element's own namespace or of none. Attributes of other namespaces are not
/// for LEMS: `xml:id` is not `id`.
fn own_attributes<'a, 'i>(
    node: roxmltree::Node<'a, 'i>,
) -> impl Iterator<Item = roxmltree::Attribute<'a, 'i>> {
    let own = node.tag_name().namespace();
    let is_plain = |attribute: &roxmltree::Attribute<'_, '_>| attribute.namespace().is_none();
    let is_own = move |attribute: &roxmltree::Attribute<'_, '_>| attribute.namespace() == own;
    // An attribute with the prefix of its element counts like one without a prefix, unless there is
    // also one of the same name without a prefix.
    let plain: FxHashSet<&str> = match own.is_some() && node.attributes().any(|a| is_own(&a)) {
        true => (node.attributes().filter(is_plain))
            .map(|attribute| attribute.name())
            .collect(),
        false => FxHashSet::default(),
    };
    node.attributes().filter(move |attribute| {
        is_plain(attribute) || is_own(attribute) && !plain.contains(attribute.name())
    })
}

/// The places of the local name of an attribute and of its value.
pub(crate) fn attribute_ranges(
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

/// The contents of an include element. The first of `file`, `href` and `url` counts.
fn include(node: roxmltree::Node<'_, '_>, tag: Span, places: &Places<'_>) -> Include {
    let find = |name| own_attributes(node).find(|attribute| attribute.name() == name);
    let local = find("file")
        .or(find("href"))
        .map(|attribute| (attribute, false));
    let Some((attribute, is_url)) = local.or(find("url").map(|attribute| (attribute, true))) else {
        return Include {
            file: String::new(),
            is_url: false,
            is_ignored: node.has_tag_name("Include") && node.attributes().next().is_some(),
            span: tag,
        };
    };
    let file = attribute.value().trim().to_owned();
    let value = places.original(attribute.range_value());
    Include {
        is_url: is_url || file.contains("://"),
        is_ignored: false,
        file,
        span: Span::new(tag.source, value),
    }
}

/// The foreign language of a file, by the namespace of its outermost element. If that has no
/// namespace, the namespaces that it declares count.
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

/// The error for a text that the XML parser refuses, with its place.
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
    let span = Span::new(id, start..end);
    if is_limit(error) {
        return DocumentError::TooManyElements {
            limit: limits.elements,
            span,
        };
    }
    malformed::explained(error, text, span)
}

/// The byte offset of a row and column, both counted from 1.
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
