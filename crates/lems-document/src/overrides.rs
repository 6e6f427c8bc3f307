//! Attributes that do not come from a file, such as those from the command line.

use std::ops::Range;

use crate::source::{Source, SourceId};
use crate::tree::{Attribute, AttributeRecord, Document, Element, GIVEN, Given};
use lems_index::narrow;

/// An attribute for an element of a document, and the text that sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Number of the element, from [`Element::number`].
    pub element: u32,
    /// Name of the attribute.
    pub name: String,
    /// The source of the value, as messages name it.
    pub origin: String,
    /// The text around the value.
    pub text: String,
    /// The range of the value in the text.
    pub value: Range<usize>,
}

impl Document {
    /// Sets an attribute of an element, and replaces the one of that name if there is one. If it is
    /// called several times, the last value counts.
    ///
    /// # Panics
    /// The text has more than 4 GiB, which no command line has.
    pub fn set_attribute(&mut self, given: Override) {
        let element = given.element;
        let number = self.add_record(given);
        self.overrides.entry(element).or_default().push(number);
    }

    /// Adds a text that belongs to no element, such as a path that a caller gives. Messages name `origin` as its
    /// source.
    ///
    /// # Panics
    /// As of [`set_attribute`](Self::set_attribute).
    pub fn add_text(&mut self, origin: &str, text: &str) {
        let number = self.add_record(Override {
            element: 0,
            name: origin.to_owned(),
            origin: origin.to_owned(),
            text: text.to_owned(),
            value: 0..text.len(),
        });
        self.added_texts.push(number);
    }

    /// The texts that were added with an origin, in their order.
    pub fn added_texts<'d>(&'d self, origin: &str) -> impl Iterator<Item = Attribute<'d>> {
        let no_element = Element {
            document: self,
            index: u32::MAX,
        };
        let texts = self.added_texts.iter();
        let texts = texts.filter_map(move |&index| Attribute::given(no_element, index));
        texts.filter(move |text| text.name() == origin)
    }

    /// Adds an attribute outside the text, and returns its number.
    fn add_record(&mut self, given: Override) -> u32 {
        let start = given.value.start.min(given.text.len());
        let before = given.text.get(..start).unwrap_or_default();
        let name_start = before.rfind(given.name.as_str());
        let source = SourceId::after(&self.sources);
        let number = narrow(self.given.len());
        self.given.push(Given {
            name: given.name,
            source,
            record: AttributeRecord {
                name: number | GIVEN,
                name_start: narrow(name_start.unwrap_or(start)),
                value_start: narrow(start),
                value_end: narrow(given.value.end),
            },
        });
        self.sources.push(Source {
            name: given.origin,
            text: given.text.into(),
            embedded: false,
        });
        number
    }

    /// Every attribute that was set, with its element.
    pub fn overridden(&self) -> impl Iterator<Item = (Element<'_>, Attribute<'_>)> {
        let elements = self.overrides.keys().map(|&index| Element {
            document: self,
            index,
        });
        elements.flat_map(|element| element.overrides().map(move |given| (element, given)))
    }

    pub(crate) fn overrides_of(&self, element: u32) -> &[u32] {
        self.overrides.get(&element).map_or(&[], Vec::as_slice)
    }
}

impl<'d> Element<'d> {
    /// A number that identifies the element within its document.
    pub fn number(self) -> u32 {
        self.index
    }

    /// The last override of each name.
    pub(crate) fn overrides(self) -> impl Iterator<Item = Attribute<'d>> {
        let given = self.document.overrides_of(self.index);
        (0..given.len()).filter_map(move |at| {
            let attribute = self.override_at(at)?;
            let later = (at + 1..given.len()).filter_map(move |at| self.override_at(at));
            let is_last = !later
                .into_iter()
                .any(|other| other.name() == attribute.name());
            is_last.then_some(attribute)
        })
    }

    pub(crate) fn override_named(self, name: &str) -> Option<Attribute<'d>> {
        let given = self.document.overrides_of(self.index);
        let mut attributes = (0..given.len()).rev().filter_map(|at| self.override_at(at));
        attributes.find(|attribute| attribute.name() == name)
    }

    fn override_at(self, at: usize) -> Option<Attribute<'d>> {
        Attribute::given(self, *self.document.overrides_of(self.index).get(at)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{IncludeOptions, LoadFailure, MemorySources};

    fn given(element: u32, name: &str, text: &str) -> Override {
        let value = text.find('=').map_or(0, |at| at + 1)..text.len();
        Override {
            element,
            name: name.to_owned(),
            origin: "--set".to_owned(),
            text: text.to_owned(),
            value,
        }
    }

    #[test]
    fn an_attribute_is_replaced_or_added_and_knows_where_it_comes_from() -> Result<(), LoadFailure>
    {
        let sources = MemorySources::from([(
            "a.xml",
            r#"<Lems><a id="a" x="1"/><a id="b" x="2"/></Lems>"#,
        )]);
        let mut document = Document::load("a.xml", &sources, &IncludeOptions::default())?;
        let number = document.roots().next().map_or(0, Element::number);
        document.set_attribute(given(number, "x", "a/x=3"));
        document.set_attribute(given(number, "x", "a/x=4 mV"));
        document.set_attribute(given(number, "y", "a/y=5"));
        let attributes = |element: Element<'_>| -> Vec<String> {
            let attributes = element.attributes();
            attributes
                .map(|a| format!("{}={}", a.name(), a.value()))
                .collect()
        };
        let roots: Vec<Element<'_>> = document.roots().collect();
        assert_eq!(attributes(roots[0]), ["id=a", "x=4 mV", "y=5"]);
        assert_eq!(attributes(roots[1]), ["id=b", "x=2"]);
        assert_eq!(document.overridden().count(), 2);
        let x = roots[0].attribute("x").unwrap();
        assert_eq!(document.source(x.span().source).name, "--set");
        assert_eq!((x.span().start, x.span().end), (4, 8));
        assert_eq!((x.name_span().start, x.name_span().end), (2, 3));
        Ok(())
    }

    #[test]
    fn a_text_can_belong_to_no_element() -> Result<(), LoadFailure> {
        let sources = MemorySources::from([("a.xml", r#"<Lems><a id="a" x="1"/></Lems>"#)]);
        let mut document = Document::load("a.xml", &sources, &IncludeOptions::default())?;
        document.add_text("inlets", "pop[0]/in");
        document.add_text("others", "");
        document.add_text("inlets", "pop[1]/in");
        let texts = |origin| -> Vec<&str> {
            let texts = document.added_texts(origin);
            texts.map(Attribute::value).collect()
        };
        assert_eq!(texts("inlets"), ["pop[0]/in", "pop[1]/in"]);
        assert_eq!(texts("others"), [""]);
        assert_eq!(document.roots().count(), 1);
        assert_eq!(document.overridden().count(), 0);
        let second = document.added_texts("inlets").nth(1).unwrap();
        let span = second.part_span(&second.value()[4..5]);
        assert_eq!(document.source(span.source).name, "inlets");
        assert_eq!((span.start, span.end), (4, 5));
        Ok(())
    }
}
