//! One XML text with all of its contents.

use std::cell::OnceCell;
use std::ops::Range;

use crate::crowded;
use crate::error::DocumentError;
use crate::malformed::name_end;
use crate::options::Limits;
use crate::read::{attribute_ranges, parsed, refused};
use crate::repair::Repaired;
use crate::source::{Source, SourceId, Span};

/// An XML text with everything that a [`Document`](crate::Document) leaves out: namespaces, all
/// texts, `xsi:` attributes.
pub struct Markup<'t> {
    id: SourceId,
    /// The text that was parsed instead, if the original has comments with `--`.
    repaired: Option<&'t Repaired>,
    xml: roxmltree::Document<'t>,
}

/// A name with its namespace, which is empty if there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QualifiedName<'x> {
    /// The namespace.
    pub namespace: &'x str,
    /// The name without prefix.
    pub local: &'x str,
}

/// The beginning of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartTag<'x> {
    /// The name.
    pub name: QualifiedName<'x>,
    /// The place of the local name.
    pub span: Span,
    /// The attributes without declarations of prefixes.
    pub attributes: Vec<MarkupAttribute<'x>>,
    /// The prefixes in scope and their namespaces; the default namespace has an empty prefix.
    pub prefixes: Vec<(&'x str, &'x str)>,
}

/// An attribute in a start tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkupAttribute<'x> {
    /// The name.
    pub name: QualifiedName<'x>,
    /// The place of the local name.
    pub span: Span,
    /// The value with references resolved.
    pub value: &'x str,
    /// The place of the value, without the quotes.
    pub value_span: Span,
}

/// A part of an XML text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece<'x> {
    /// The beginning of an element.
    Start(StartTag<'x>),
    /// Text in the innermost open element, with references resolved; it may come in several pieces.
    Text(&'x str, Span),
    /// The end of the innermost open element.
    End,
}

impl Markup<'_> {
    /// Parses a source and returns the result of `read`.
    ///
    /// # Errors
    ///
    /// The text is not XML, or has more elements, attributes or prefixes than `limits` allow.
    pub fn of<R>(
        id: SourceId,
        source: &Source,
        limits: &Limits,
        read: impl FnOnce(&Markup<'_>) -> R,
    ) -> Result<R, DocumentError> {
        let text = &*source.text;
        limits.allow_text(source)?;
        crowded::check(text, id, limits)?;
        let repaired = OnceCell::new();
        let (xml, error) = parsed(text, &repaired, limits.elements, true)
            .map_err(|error| refused(&error, id, source, limits))?;
        let repaired = repaired.get();
        match error.filter(|_| !repaired.is_some_and(Repaired::is_xml)) {
            Some(error) => Err(refused(&error, id, source, limits)),
            None => Ok(read(&Markup { id, repaired, xml })),
        }
    }

    /// The outermost element.
    pub fn root(&self) -> StartTag<'_> {
        self.start_tag(self.xml.root_element())
    }

    /// All parts of the outermost element in document order.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut nodes = (self.xml.root_element().descendants())
            .filter(|node| node.is_element() || node.is_text())
            .peekable();
        let mut ends: Vec<usize> = Vec::new();
        std::iter::from_fn(move || {
            let next = nodes.peek().map(|node| node.range().start);
            if ends
                .last()
                .is_some_and(|end| next.is_none_or(|next| *end <= next))
            {
                ends.pop();
                return Some(Piece::End);
            }
            let node = nodes.next()?;
            let range = node.range();
            if node.is_text() {
                let text = node.text().unwrap_or_default();
                return Some(Piece::Text(text, self.span(range)));
            }
            ends.push(range.end);
            Some(Piece::Start(self.start_tag(node)))
        })
    }

    /// The start tag of an element, with places in the original text.
    fn start_tag<'x>(&'x self, node: roxmltree::Node<'x, 'x>) -> StartTag<'x> {
        let attributes = node.attributes().map(|attribute| {
            let (name, value) = attribute_ranges(attribute, self.xml.input_text());
            MarkupAttribute {
                name: qualified(attribute.namespace(), attribute.name()),
                span: self.span(name),
                value: attribute.value(),
                value_span: self.span(value),
            }
        });
        let prefixes = node.namespaces();
        let name = node.tag_name();
        StartTag {
            name: qualified(name.namespace(), name.name()),
            span: self.span(self.name_range(node)),
            attributes: attributes.collect(),
            prefixes: prefixes
                .map(|space| (space.name().unwrap_or_default(), space.uri()))
                .collect(),
        }
    }

    fn name_range(&self, node: roxmltree::Node<'_, '_>) -> Range<usize> {
        let start = node.range().start;
        let rest = self.xml.input_text().get(start..).unwrap_or_default();
        let end = start + name_end(rest);
        end.saturating_sub(node.tag_name().name().len())..end
    }

    fn span(&self, range: Range<usize>) -> Span {
        let range = match self.repaired {
            Some(repaired) => repaired.original(range),
            None => range,
        };
        Span::new(self.id, range)
    }
}

fn qualified<'x>(namespace: Option<&'x str>, local: &'x str) -> QualifiedName<'x> {
    QualifiedName {
        namespace: namespace.unwrap_or_default(),
        local,
    }
}
