//! Source texts, places in them, and access to files.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use lems_index::narrow;

use crate::text::SourceText;

/// Suffix of the names of embedded files, as shown to the user.
pub(crate) const EMBEDDED: &str = " (core types)";

/// Index of a source in [`Document::sources`](crate::Document::sources).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub u32);

impl SourceId {
    /// The id of the next source to be added to a list.
    ///
    /// # Panics
    /// The list is too long for 32 bits: see [`narrow`].
    pub fn after(sources: &[Source]) -> SourceId {
        SourceId(narrow(sources.len()))
    }
}

/// A range of bytes in the text of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The source.
    pub source: SourceId,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Span {
    /// The span of a range of bytes.
    ///
    /// # Panics
    /// The range ends beyond 4 GiB, which no source does: see [`narrow`].
    pub fn new(source: SourceId, range: Range<usize>) -> Span {
        Span {
            source,
            start: narrow(range.start),
            end: narrow(range.end),
        }
    }
}

/// A text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The name shown to the user: a path, or a file name with `(core types)`.
    pub name: String,
    /// The whole text.
    pub text: SourceText,
    /// Whether it is embedded in the program, so it was not written by the user.
    pub embedded: bool,
}

impl Source {
    /// Line and column of a byte, both counted from 1, the column in characters.
    ///
    /// Offsets beyond the end count as the end.
    pub fn line_column(&self, offset: u32) -> (usize, usize) {
        self.text.line_column(offset as usize)
    }
}

/// The lines of a text. Counting them once is faster than [`Source::line_column`] for many places.
#[derive(Clone, Debug)]
pub struct Lines {
    ends: Vec<usize>,
}

impl Lines {
    /// Those of a text.
    pub fn of(source: &Source) -> Lines {
        let ends = source.text.line_ends();
        Lines { ends }
    }

    /// The line of a byte, counted from 1.
    pub fn line(&self, offset: u32) -> usize {
        self.ends.partition_point(|end| *end < offset as usize) + 1
    }
}

/// A file that is embedded in the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedFile {
    /// The file name, as an include writes it.
    pub name: &'static str,
    /// The whole text.
    pub text: &'static str,
    /// The result of [`prepare`](crate::prepare) for the text, so that it need not be parsed; empty
    /// if the text is to be parsed.
    pub prepared: &'static [u8],
}

impl EmbeddedFile {
    /// A file that has not been prepared.
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        let prepared = &[];
        EmbeddedFile {
            name,
            text,
            prepared,
        }
    }
}

/// Access to the files that a document is made of.
pub trait SourceReader {
    /// The text of a file; None if there is no such file. If the file has more than `most` bytes, its
    /// beginning is enough, but at least `most + 1` bytes, so that the caller can refuse it.
    ///
    /// # Errors
    ///
    /// A message for the user: why the text is not available (permission, not UTF-8 ...).
    fn read(&self, path: &str, most: usize) -> Result<Option<SourceText>, String>;

    /// False if there is certainly no file at a path. This is asked for each folder in which an included file may be,
    /// before its canonical name, which takes much longer to find.
    fn may_exist(&self, _path: &str) -> bool {
        true
    }

    /// Names in the same folder, for suggestions; the names of folders end with `/`.
    fn names_beside(&self, _path: &str) -> Vec<String> {
        Vec::new()
    }

    /// The canonical name of a file: the same for all paths to that file.
    fn canonical(&self, path: &str) -> String;
}

/// Files in memory, keyed by path, with `.` and `..` resolved.
#[derive(Clone, Debug, Default)]
pub struct MemorySources(pub BTreeMap<String, String>);

impl<const N: usize> From<[(&str, &str); N]> for MemorySources {
    fn from(files: [(&str, &str); N]) -> Self {
        MemorySources(
            files
                .map(|(path, text)| (path.to_owned(), text.to_owned()))
                .into(),
        )
    }
}

impl SourceReader for MemorySources {
    fn read(&self, path: &str, _most: usize) -> Result<Option<SourceText>, String> {
        Ok(self.0.get(&collapsed(path)).cloned().map(SourceText::from))
    }

    fn names_beside(&self, path: &str) -> Vec<String> {
        let path = collapsed(path);
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let files = self.0.keys().filter_map(|file| match folder {
            "" => Some(file.as_str()),
            folder => file.strip_prefix(folder)?.strip_prefix('/'),
        });
        let names = files.map(|name| match name.find('/') {
            Some(end) => name.get(..=end).unwrap_or_default().to_owned(),
            None => name.to_owned(),
        });
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn canonical(&self, path: &str) -> String {
        collapsed(path)
    }
}

fn collapsed(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            "" if !parts.is_empty() => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts.join("/")
}
