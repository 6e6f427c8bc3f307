//! Trees of embedded files, parsed when the program is built.
//!
//! The format consists of 32-bit little-endian words: first the number of words, then the words, and
//! then the texts that they refer to, concatenated. A list begins with its length.

use crate::error::DocumentError;
use crate::options::{IncludeOptions, Limits};
use crate::read::{Builder, File, Include, Item};
use crate::source::{EmbeddedFile, Source, SourceId, Span};
use crate::tree::{AttributeRecord, DECODED, ElementRecord, Text};
use lems_index::narrow;

/// The contents of [`EmbeddedFile::prepared`] for a text.
///
/// # Errors
///
/// The text cannot be read.
pub fn prepare(text: String) -> Result<Vec<u8>, DocumentError> {
    // Parse the text.
    let source = Source {
        name: String::new(),
        text: text.into(),
        embedded: true,
    };
    let mut builder = Builder::default();
    let file = builder.read_singly(SourceId(0), &source, &IncludeOptions::default())?;
    let tree = builder.finish();
    // Write the arrays of the tree.
    let mut writer = Writer::default();
    writer.list(&tree.names, |writer, name| writer.text(name));
    writer.list(&tree.elements, |writer, element| {
        writer.words(&[
            element.name,
            element.start,
            element.tag_end,
            element.first_attribute,
            element.subtree_end,
        ]);
    });
    writer.list(&tree.attributes, |writer, attribute| {
        writer.words(&[
            attribute.name,
            attribute.name_start,
            attribute.value_start,
            attribute.value_end,
        ]);
    });
    writer.list(&tree.decoded, |writer, (attribute, value)| {
        writer.words(&[*attribute]);
        writer.text(value);
    });
    writer.list(&tree.texts, |writer, (element, text)| {
        writer.words(&[*element]);
        match text {
            Text::InSource(start, end) => writer.words(&[0, *start, *end]),
            Text::Decoded(text) => {
                writer.words(&[1]);
                writer.text(text);
            }
        }
    });
    // Write the top-level items.
    writer.text(&file.name);
    writer.words(&[file.span.start, file.span.end]);
    writer.list(&file.items, |writer, item| match item {
        Item::Element(index) => writer.words(&[ELEMENT, *index]),
        Item::Include(include) => {
            writer.words(&[INCLUDE]);
            writer.include(include);
        }
        Item::Nested(index, include) => {
            writer.words(&[NESTED, *index]);
            writer.include(include);
        }
    });
    Ok(writer.finish())
}

const ELEMENT: u32 = 0;
const INCLUDE: u32 = 1;
const NESTED: u32 = 2;

impl Builder {
    /// Adds the prepared tree of a file. None if the file has none, or if it exceeds the limit on
    /// elements; the caller then parses the text.
    pub(crate) fn take(
        &mut self,
        id: SourceId,
        file: EmbeddedFile,
        limits: &Limits,
    ) -> Option<File> {
        // Names get new numbers, because other files may have added names before.
        let mut reader = Reader::new(file.prepared)?;
        let names = reader.list(|reader| Some(self.name(reader.text()?)))?;
        let name = |index: u32| Some(*names.get((index & !DECODED) as usize)? | index & DECODED);
        let tree = &mut self.tree;
        let first_element = narrow(tree.count());
        let first_attribute = narrow(tree.attributes.len());
        // Read all arrays before adding any of them, so that damaged data add no elements. Indices are
        // relative to the file, and are shifted past the elements and attributes that exist already.
        let elements = reader.records(|[index, start, tag_end, attribute, subtree_end]| {
            Some(ElementRecord {
                name: name(index)?,
                source: id,
                start,
                tag_end,
                first_attribute: first_attribute.checked_add(attribute)?,
                subtree_end: first_element.checked_add(subtree_end)?,
            })
        })?;
        if tree.count() + elements.len() > limits.elements {
            return None;
        }
        let attributes = reader.records(|[index, name_start, value_start, value_end]| {
            Some(AttributeRecord {
                name: name(index)?,
                name_start,
                value_start,
                value_end,
            })
        })?;
        let decoded = reader.list(|reader| {
            let [attribute] = reader.words()?;
            Some((
                first_attribute.checked_add(attribute)?,
                reader.text()?.into(),
            ))
        })?;
        let texts = reader.list(|reader| {
            let [element, kind] = reader.words()?;
            let text = match kind {
                0 => {
                    let [start, end] = reader.words()?;
                    Text::InSource(start, end)
                }
                _ => Text::Decoded(reader.text()?.into()),
            };
            Some((first_element.checked_add(element)?, text))
        })?;
        // Add the arrays to the tree.
        tree.elements.extend(elements);
        tree.attributes.extend(attributes);
        tree.decoded.extend(decoded);
        tree.texts.extend(texts);
        let span = |[start, end]: [u32; 2]| Span {
            source: id,
            start,
            end,
        };
        // Read the top-level items.
        Some(File {
            name: reader.text()?.to_owned(),
            span: span(reader.words()?),
            foreign: None,
            mistakes: Vec::new(),
            doubt: None,
            items: reader.list(|reader| {
                let [kind] = reader.words()?;
                Some(match kind {
                    INCLUDE => Item::Include(reader.include(id)?),
                    ELEMENT => {
                        let [index] = reader.words()?;
                        Item::Element(first_element.checked_add(index)?)
                    }
                    _ => {
                        let [index] = reader.words()?;
                        Item::Nested(first_element.checked_add(index)?, reader.include(id)?)
                    }
                })
            })?,
        })
    }
}

#[derive(Default)]
struct Writer {
    words: Vec<u32>,
    texts: String,
}

impl Writer {
    fn words(&mut self, words: &[u32]) {
        self.words.extend(words);
    }

    fn text(&mut self, text: &str) {
        let start = narrow(self.texts.len());
        self.texts.push_str(text);
        self.words(&[start, narrow(self.texts.len())]);
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.words(&[narrow(items.len())]);
        items.iter().for_each(|item| write(self, item));
    }

    fn include(&mut self, include: &Include) {
        let is_url = u32::from(include.is_url);
        self.words(&[is_url, include.span.start, include.span.end]);
        self.text(&include.file);
    }

    fn finish(self) -> Vec<u8> {
        let number = narrow(self.words.len());
        let words = [number].into_iter().chain(self.words);
        let mut bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
        bytes.extend(self.texts.into_bytes());
        bytes
    }
}

struct Reader<'b> {
    words: std::slice::Iter<'b, [u8; 4]>,
    texts: &'b str,
}

impl<'b> Reader<'b> {
    fn new(bytes: &'b [u8]) -> Option<Self> {
        let (number, rest) = bytes.split_first_chunk::<4>()?;
        let number = u32::from_le_bytes(*number) as usize;
        let (words, texts) = rest.split_at_checked(number.checked_mul(4)?)?;
        Some(Reader {
            words: words.as_chunks().0.iter(),
            texts: std::str::from_utf8(texts).ok()?,
        })
    }

    fn words<const N: usize>(&mut self) -> Option<[u32; N]> {
        let (words, rest) = self.words.as_slice().split_first_chunk::<N>()?;
        self.words = rest.iter();
        Some(words.map(u32::from_le_bytes))
    }

    fn text(&mut self) -> Option<&'b str> {
        let [start, end] = self.words()?;
        self.texts.get(start as usize..end as usize)
    }

    fn include(&mut self, source: SourceId) -> Option<Include> {
        let [is_url, start, end] = self.words()?;
        Some(Include {
            is_url: is_url != 0,
            is_ignored: false,
            span: Span { source, start, end },
            file: self.text()?.to_owned(),
        })
    }

    /// A list whose items have as many words each.
    fn records<T, const N: usize>(
        &mut self,
        item: impl Fn([u32; N]) -> Option<T>,
    ) -> Option<Vec<T>> {
        let [length] = self.words()?;
        let words = (length as usize).checked_mul(N)?;
        let (records, rest) = self.words.as_slice().split_at_checked(words)?;
        self.words = rest.iter();
        let mut items = Vec::with_capacity(length as usize);
        for record in records.as_chunks::<N>().0 {
            items.push(item(record.map(u32::from_le_bytes))?);
        }
        Some(items)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let [length] = self.words()?;
        let room = (length as usize).min(self.words.len());
        let mut items = Vec::with_capacity(room);
        for _ in 0..length {
            items.push(item(self)?);
        }
        Some(items)
    }
}
