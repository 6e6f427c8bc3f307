//! The merged document, and handles to its elements and attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::DocumentError;
use crate::malformed::name_end;
use crate::options::Note;
use crate::rows::Rows;
use crate::source::{Source, SourceId, Span};
use crate::text::SourceText;
use lems_index::{Place, Runs, bug, narrow};

/// A file merged with all the files that it includes, as one sequence of top-level elements.
///
/// One array holds the elements in the order of the text, another the attributes.
/// Each name is stored once, and values stay in the text of their source. One record stands for a run of
/// like elements; where each of them begins is kept beside.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) sources: Vec<Source>,
    /// Copies of a document share it.
    pub(crate) tree: Arc<Tree>,
    /// Top-level elements, as indices of `tree.elements`.
    pub(crate) roots: Vec<u32>,
    pub(crate) root_name: String,
    pub(crate) root_span: Span,
    pub(crate) warnings: Vec<DocumentError>,
    pub(crate) doubt: Option<DocumentError>,
    /// Elements that describe the model.
    pub(crate) notes: &'static [Note],
    pub(crate) words: OnceLock<BTreeSet<String>>,
    /// Attributes outside the text.
    pub(crate) given: Vec<Given>,
    /// For an element: those of them that replace or extend its own.
    pub(crate) overrides: BTreeMap<u32, Vec<u32>>,
    /// For an element: elements outside the text that follow its children.
    pub(crate) additions: BTreeMap<u32, Vec<u32>>,
    /// Attributes outside the text that belong to no element.
    pub(crate) added_texts: Vec<u32>,
}

/// An attribute outside the text.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) name: String,
    pub(crate) source: SourceId,
    /// Its place in the source.
    pub(crate) record: AttributeRecord,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) names: Vec<String>,
    /// In pre-order: the descendants of an element follow it. An element is known by its number.
    pub(crate) elements: Vec<ElementRecord>,
    /// Which of the records stand for runs of like elements without content.
    pub(crate) runs: Runs,
    /// Those elements, run by run. Their record has the places of the first one.
    pub(crate) rows: Vec<Arc<Rows>>,
    /// In the order of their elements.
    pub(crate) attributes: Vec<AttributeRecord>,
    /// Values that differ from the text because of entities or line ends, sorted by attribute.
    pub(crate) decoded: Vec<(u32, Box<str>)>,
    /// Text content, sorted by element.
    pub(crate) texts: Vec<(u32, Text)>,
}

#[derive(Debug, Clone)]
pub(crate) struct ElementRecord {
    pub(crate) name: u32,
    pub(crate) source: SourceId,
    pub(crate) start: u32,
    pub(crate) tag_end: u32,
    pub(crate) first_attribute: u32,
    /// Number of the first element that is not inside this one.
    pub(crate) subtree_end: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct AttributeRecord {
    /// Index of the name, with [`DECODED`] if the value is not in the text; with [`GIVEN`] an index of
    /// [`Document::given`].
    pub(crate) name: u32,
    pub(crate) name_start: u32,
    pub(crate) value_start: u32,
    pub(crate) value_end: u32,
}

pub(crate) const DECODED: u32 = 1 << 31;
pub(crate) const GIVEN: u32 = 1 << 30;

impl AttributeRecord {
    /// The record of the same attribute of another element of a run, with its value and where that begins.
    fn moved_to(self, start: u32, value: &str) -> AttributeRecord {
        AttributeRecord {
            name: self.name,
            name_start: start.saturating_sub(self.value_start.saturating_sub(self.name_start)),
            value_start: start,
            value_end: start + narrow(value.len()),
        }
    }
}

impl Tree {
    /// How many elements there are.
    pub(crate) fn count(&self) -> usize {
        self.runs.count(self.elements.len())
    }

    /// Makes the record that was added last stand for all elements of a run.
    pub(crate) fn repeat_last(&mut self, rows: Arc<Rows>) {
        let record = self.elements.len().saturating_sub(1);
        self.runs.push(narrow(record), rows.count);
        self.rows.push(rows);
    }

    /// The lengths of all tables, for [`truncate`](Self::truncate).
    pub(crate) fn size(&self) -> [usize; 5] {
        [
            self.elements.len(),
            self.attributes.len(),
            self.decoded.len(),
            self.texts.len(),
            self.rows.len(),
        ]
    }

    /// Drops what was added since the tree had a size.
    pub(crate) fn truncate(&mut self, [elements, attributes, decoded, texts, rows]: [usize; 5]) {
        self.elements.truncate(elements);
        self.attributes.truncate(attributes);
        self.decoded.truncate(decoded);
        self.texts.truncate(texts);
        self.rows.truncate(rows);
        self.runs.truncate(rows);
    }

    /// The record of an element and, if it is one of a run, the run and which of its elements it is.
    pub(crate) fn record(&self, number: u32) -> Option<(&ElementRecord, Option<(&Rows, u32)>)> {
        let place = self.runs.place(number);
        let record = self.elements.get(place.record as usize)?;
        Some((record, self.row(place)))
    }

    /// The run that an element is in, and which of its elements it is.
    fn row(&self, place: Place) -> Option<(&Rows, u32)> {
        let (table, row) = place.table?;
        Some((self.rows.get(table as usize)?, row))
    }

    /// The number of the first element that is not inside an element.
    pub(crate) fn subtree_end(&self, number: u32) -> u32 {
        match self.record(number) {
            Some((record, None)) => record.subtree_end,
            _ => number.saturating_add(1),
        }
    }

    /// Says that nothing more is inside an element.
    pub(crate) fn end(&mut self, number: u32) {
        let end = narrow(self.count());
        let record = self.runs.place(number).record;
        if let Some(record) = self.elements.get_mut(record as usize) {
            record.subtree_end = end;
        }
    }

    /// The attributes of a record.
    pub(crate) fn attributes_of(&self, record: u32) -> Range<u32> {
        let first = |record: u32| Some(self.elements.get(record as usize)?.first_attribute);
        let all = narrow(self.attributes.len());
        first(record).unwrap_or(all)..first(record.saturating_add(1)).unwrap_or(all)
    }

    /// The index of a name that is about to be added.
    ///
    /// # Panics
    /// The index is so large that it uses the bits of [`DECODED`] and [`GIVEN`].
    pub(crate) fn next_name(&self) -> u32 {
        let index = narrow(self.names.len());
        if index & (DECODED | GIVEN) != 0 {
            bug(&format!("{index} names, which a limit should have refused"));
        }
        index
    }
}

#[derive(Debug, Clone)]
pub(crate) enum Text {
    InSource(u32, u32),
    Decoded(Box<str>),
}

impl Document {
    /// Names that are derived from the text but do not occur in it, such as the name of a list that
    /// has none. They are stored here so that they live as long as the text. `make` is called only the
    /// first time.
    pub fn words(&self, make: impl FnOnce() -> BTreeSet<String>) -> &BTreeSet<String> {
        self.words.get_or_init(make)
    }

    /// The top-level elements of the root file in order, with each include
    /// replaced by the top-level elements of the included file.
    pub fn roots(&self) -> impl Iterator<Item = Element<'_>> {
        self.roots.iter().map(|&index| Element {
            document: self,
            index,
        })
    }

    /// Name of the outermost element of the root file (`Lems`, `neuroml` ...).
    pub fn root_name(&self) -> &str {
        &self.root_name
    }

    /// Start tag of the outermost element of the root file.
    pub fn root_span(&self) -> Span {
        self.root_span
    }

    /// The source of a span of this document; the root file for an unknown id.
    pub fn source(&self, id: SourceId) -> &Source {
        static NOWHERE: Source = Source {
            name: String::new(),
            text: SourceText::empty(),
            embedded: false,
        };
        self.sources
            .get(id.0 as usize)
            .or(self.sources.first())
            .unwrap_or(&NOWHERE)
    }

    /// All files that were read, the root file first; a [`SourceId`] is an index into them.
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// Names of the files that were read, without the embedded ones.
    pub fn own_files(&self) -> Vec<&str> {
        let own = self.sources.iter().filter(|source| !source.embedded);
        own.map(|source| source.name.as_str()).collect()
    }

    /// Drops the tree and returns the files.
    pub fn into_sources(self) -> Vec<Source> {
        self.sources
    }

    /// The elements that describe a model and do not change what it computes.
    pub fn notes(&self) -> &'static [Note] {
        self.notes
    }

    /// Problems that did not prevent the document from being read.
    pub fn warnings(&self) -> &[DocumentError] {
        &self.warnings
    }

    /// The XML error of a text that was repaired, perhaps not as its author meant. If the model does
    /// not run, this is the likely cause. The warnings describe the repairs.
    pub fn doubt(&self) -> Option<&DocumentError> {
        self.doubt.as_ref()
    }

    fn slice(&self, source: SourceId, start: u32, end: u32) -> &str {
        let text = &self.source(source).text;
        let end = text.len().min(end as usize);
        text.part(start as usize..end).unwrap_or_default()
    }

    /// The value of an attribute that is not in a run.
    fn value(&self, source: SourceId, index: u32, record: AttributeRecord) -> &str {
        if record.name & DECODED == 0 {
            return self.slice(source, record.value_start, record.value_end);
        }
        let decoded = &self.tree.decoded;
        let found = decoded.binary_search_by_key(&index, |(attribute, _)| *attribute);
        found
            .ok()
            .and_then(|position| decoded.get(position))
            .map_or("", |(_, value)| value)
    }

    fn name(&self, index: u32) -> &str {
        let place = (index & !(DECODED | GIVEN)) as usize;
        let name = match index & GIVEN {
            0 => self.tree.names.get(place),
            _ => self.given.get(place).map(|given| &given.name),
        };
        name.map_or("", String::as_str)
    }
}

/// An element of a document: a handle that can be copied.
#[derive(Clone, Copy)]
pub struct Element<'d> {
    pub(crate) document: &'d Document,
    pub(crate) index: u32,
}

/// One of the different values of an attribute in a run of like elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The number of the run in its document.
    pub run: u32,
    /// Which of the attributes in the start tags it is.
    pub column: usize,
    /// The number of the value among the different ones.
    pub value: u32,
}

impl<'d> Element<'d> {
    /// The record of this element; an empty one for an unknown index.
    fn record(self) -> &'d ElementRecord {
        const NOWHERE: ElementRecord = ElementRecord {
            name: u32::MAX,
            source: SourceId(0),
            start: 0,
            tag_end: 0,
            first_attribute: 0,
            subtree_end: 0,
        };
        let found = self.document.tree.record(self.index);
        found.map_or(&NOWHERE, |(record, _)| record)
    }

    /// The local name, without prefix and namespace.
    pub fn name(self) -> &'d str {
        self.document.name(self.record().name)
    }

    /// The start tag with its angle brackets.
    pub fn span(self) -> Span {
        let tree = &self.document.tree;
        let record = self.record();
        let row = tree.record(self.index).and_then(|found| found.1);
        let (start, end) = match row {
            None => (record.start, record.tag_end),
            Some((rows, row)) => {
                let values = self.document.source(record.source).text.values();
                let start = rows.start(values, row).unwrap_or_default();
                (start, start + rows.tag_length(values, row))
            }
        };
        Span {
            source: record.source,
            start,
            end,
        }
    }

    /// The local name in the start tag.
    pub fn name_span(self) -> Span {
        let span = self.span();
        // What was written before the name is the same in a run.
        let record = self.record();
        let tag = self
            .document
            .slice(record.source, record.start, record.tag_end);
        let end = span.start + narrow(name_end(tag));
        Span {
            source: span.source,
            start: end.saturating_sub(narrow(self.name().len())),
            end,
        }
    }

    /// The attributes in the order of the text, without namespace declarations and `xsi:` attributes.
    /// Attributes that were set or added later come last.
    pub fn attributes(self) -> impl Iterator<Item = Attribute<'d>> {
        let given = self.document.overrides_of(self.index);
        let stays = move |attribute: &Attribute<'d>| {
            given.is_empty() || self.override_named(attribute.name()).is_none()
        };
        self.written().filter(stays).chain(self.overrides())
    }

    /// The attributes written in this start tag.
    pub(crate) fn written(self) -> impl Iterator<Item = Attribute<'d>> {
        let tree = &self.document.tree;
        let place = tree.runs.place(self.index);
        let run = self.run(place);
        let mut values = run.map(|(rows, kept, row)| rows.values(kept, row));
        let all = tree.attributes_of(place.record);
        all.enumerate().filter_map(move |(column, index)| {
            let in_run = match &mut values {
                None => None,
                Some(values) => Some((values.next()?, column)),
            };
            self.attribute_at(place, index, in_run)
        })
    }

    /// The attribute of that name that is written in this start tag.
    fn written_named(self, name: &str) -> Option<Attribute<'d>> {
        self.written_at(self.column(name)?)
    }

    /// Which of the attributes that are written in this start tag has a name. It is the same in a run of like elements.
    pub fn column(self, name: &str) -> Option<usize> {
        let tree = &self.document.tree;
        let mut all = tree.attributes_of(tree.runs.place(self.index).record);
        all.position(|index| {
            let record = tree.attributes.get(index as usize);
            record.is_some_and(|record| self.document.name(record.name) == name)
        })
    }

    /// The attribute that is written at a place in this start tag.
    #[inline]
    pub fn written_at(self, column: usize) -> Option<Attribute<'d>> {
        let tree = &self.document.tree;
        let place = tree.runs.place(self.index);
        let index = tree.attributes_of(place.record).nth(column)?;
        let in_run = match self.run(place) {
            None => None,
            Some((rows, kept, row)) => Some((rows.value(kept, row, column)?, column)),
        };
        self.attribute_at(place, index, in_run)
    }

    /// Which of the different values that are written at a place in the start tags of a run this element has, if they are
    /// kept once each. Elements with equal choices have equal values there.
    #[inline]
    pub fn choice_at(self, column: usize) -> Option<Choice> {
        let tree = &self.document.tree;
        let (run, row) = tree.runs.place(self.index).table?;
        let value = tree.rows.get(run as usize)?.choice(row, column)?;
        Some(Choice { run, column, value })
    }

    /// The run that an element is in, the text of its kept values, and which of its elements it is.
    fn run(self, place: Place) -> Option<(&'d Rows, &'d str, u32)> {
        let tree = &self.document.tree;
        let (rows, row) = tree.row(place)?;
        let source = tree.elements.get(place.record as usize)?.source;
        Some((rows, self.document.source(source).text.values(), row))
    }

    /// The attribute in this start tag whose record has an index. `in_run` is its value in a run, and which of the
    /// attributes it is.
    fn attribute_at(
        self,
        place: Place,
        index: u32,
        in_run: Option<(&'d str, usize)>,
    ) -> Option<Attribute<'d>> {
        let document = self.document;
        let tree = &document.tree;
        let record = *tree.attributes.get(index as usize)?;
        let source = tree.elements.get(place.record as usize)?.source;
        Some(Attribute {
            element: self,
            record,
            value: match in_run {
                None => document.value(source, index, record),
                Some((value, _)) => value,
            },
            column: in_run.map(|(_, column)| narrow(column)),
        })
    }

    /// The attribute of that name.
    pub fn attribute(self, name: &str) -> Option<Attribute<'d>> {
        (self.override_named(name)).or_else(|| self.written_named(name))
    }

    /// How many elements, from this one on, are a run of like elements: they follow one another and differ
    /// in the values of their attributes only, and nothing is inside them. It is 1 for an element that was
    /// read by itself, and in a run that something was set in or added to.
    pub fn alike(self) -> u32 {
        let document = self.document;
        let Some((table, row)) = document.tree.runs.place(self.index).table else {
            return 1;
        };
        let rows = document.tree.runs.rows(table) - row;
        let run = self.index..self.index + rows;
        let is_written = document.overrides.range(run.clone()).next().is_none()
            && document.additions.range(run).next().is_none();
        if is_written { rows } else { 1 }
    }

    /// The element a number of places after this one in a run of like elements.
    #[must_use]
    pub fn following(self, places: u32) -> Element<'d> {
        Element {
            document: self.document,
            index: self.index.saturating_add(places),
        }
    }

    /// The elements directly inside this one, in order.
    pub fn children(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        let end = document.tree.subtree_end(self.index);
        let mut next = self.index + 1;
        let written = std::iter::from_fn(move || {
            if next >= end {
                return None;
            }
            let child = Element {
                document,
                index: next,
            };
            next = document.tree.subtree_end(next).max(next + 1);
            Some(child)
        });
        let added = document.additions.get(&self.index).into_iter().flatten();
        written.chain(added.map(move |&index| Element { document, index }))
    }

    /// This element and all elements inside it, in the order of the text, followed by the elements
    /// that were added to any of them.
    pub fn descendants(self) -> impl Iterator<Item = Element<'d>> {
        let document = self.document;
        let subtree = move |index: u32| index..document.tree.subtree_end(index).max(index + 1);
        let written = subtree(self.index);
        let added = document.additions.range(written.clone());
        let added = added.flat_map(|(_, elements)| elements).copied();
        (written.chain(added.flat_map(subtree))).map(move |index| Element { document, index })
    }

    /// Whether another element has the same content, with its attributes in any order.
    pub fn equals(self, other: Element<'_>) -> bool {
        let alike = |one: Element<'_>, other: Element<'_>| {
            one.name() == other.name()
                && one.children().count() == other.children().count()
                && one.attributes().count() == other.attributes().count()
                && (one.attributes()).all(|attribute| {
                    let found = other.attribute(attribute.name());
                    found.map(Attribute::value) == Some(attribute.value())
                })
        };
        let mut pairs = self.descendants().zip(other.descendants());
        pairs.all(|(one, other)| alike(one, other))
    }

    /// Whether it is from an embedded file, and not from a file of the user.
    pub fn is_embedded(self) -> bool {
        self.document.source(self.record().source).embedded
    }

    /// The first text directly inside this element that is not blank, trimmed; empty if there is none.
    pub fn text(self) -> &'d str {
        let texts = &self.document.tree.texts;
        let found = texts.binary_search_by_key(&self.index, |(element, _)| *element);
        match found.ok().and_then(|position| texts.get(position)) {
            None => "",
            Some((_, Text::Decoded(text))) => text,
            Some((_, Text::InSource(start, end))) => {
                self.document.slice(self.record().source, *start, *end)
            }
        }
    }
}

impl fmt::Debug for Element<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<{}> at {:?}", self.name(), self.span())
    }
}

/// An attribute of an element: a handle that can be copied.
#[derive(Clone, Copy)]
pub struct Attribute<'d> {
    element: Element<'d>,
    /// In a run that of the first element.
    record: AttributeRecord,
    value: &'d str,
    /// In a run, which of the attributes it is.
    column: Option<u32>,
}

impl<'d> Attribute<'d> {
    /// The local name, without prefix.
    pub fn name(self) -> &'d str {
        self.element.document.name(self.record.name)
    }

    /// The value with entities decoded.
    pub fn value(self) -> &'d str {
        self.value
    }

    /// The value in the text, without its quotes.
    pub fn span(self) -> Span {
        let record = self.record();
        self.span_between(record.value_start, record.value_end)
    }

    /// The local name in the text.
    pub fn name_span(self) -> Span {
        let start = self.record().name_start;
        self.span_between(start, start + narrow(self.name().len()))
    }

    /// The span of a range of bytes of the value.
    ///
    /// It is the span of the whole value if entities make the offsets differ.
    pub fn sub_span(self, range: Range<usize>) -> Span {
        if self.is_decoded() {
            return self.span();
        }
        let record = self.record();
        let place = |offset: usize| {
            let offset = u32::try_from(offset).unwrap_or(u32::MAX);
            (record.value_start.saturating_add(offset)).min(record.value_end)
        };
        self.span_between(place(range.start), place(range.end.max(range.start)))
    }

    /// The span of a part of the value, which must be a slice of [`Attribute::value`].
    ///
    /// For any other string, and for the empty one, it is the span of the whole value.
    pub fn part_span(self, part: &str) -> Span {
        let value = self.value();
        match (part.as_ptr() as usize).checked_sub(value.as_ptr() as usize) {
            Some(start) if !part.is_empty() && start + part.len() <= value.len() => {
                self.sub_span(start..start + part.len())
            }
            _ => self.span(),
        }
    }

    /// Where it is in the text.
    fn record(self) -> AttributeRecord {
        let moved = self.column.and_then(|column| {
            let place = self.element.document.tree.runs.place(self.element.index);
            let (rows, kept, row) = self.element.run(place)?;
            let start = rows.value_start(kept, row, column as usize)?;
            Some(self.record.moved_to(start, self.value))
        });
        moved.unwrap_or(self.record)
    }

    /// The attribute of an element that is not in its text.
    pub(crate) fn given(element: Element<'d>, index: u32) -> Option<Attribute<'d>> {
        let document = element.document;
        let Given { source, record, .. } = document.given.get(index as usize)?;
        Some(Attribute {
            element,
            record: *record,
            value: document.slice(*source, record.value_start, record.value_end),
            column: None,
        })
    }

    fn is_decoded(self) -> bool {
        self.record.name & DECODED != 0
    }

    fn source(self) -> SourceId {
        let given = (self.record.name & GIVEN != 0)
            .then(|| (self.element.document.given).get((self.record.name & !GIVEN) as usize));
        match given.flatten() {
            Some(given) => given.source,
            None => self.element.record().source,
        }
    }

    fn span_between(self, start: u32, end: u32) -> Span {
        Span {
            source: self.source(),
            start,
            end,
        }
    }
}

impl fmt::Debug for Attribute<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}={:?}", self.name(), self.value())
    }
}
