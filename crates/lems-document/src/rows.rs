//! Runs of like elements, which need no tree of their own.
//!
//! Large networks consist of long runs of elements that differ in the values of their attributes only.
//! [`Cut`] finds them in a text and leaves out all but the first of each. The XML parser reads what is
//! left, so it decides what the elements mean, and the other elements of a run mean the same. No error is
//! lost, because only whole elements without content are left out, and whole lines of blanks between them.

use std::ops::Range;
use std::sync::Arc;

use lems_index::{bug, narrow};

/// Fewer elements in a row are read one by one.
const ROWS_FROM: usize = 16;
/// Elements with more attributes are read one by one, because each attribute is found by those before it.
const MOST_ATTRIBUTES: usize = 64;

/// A text without most elements of its runs.
#[derive(Clone, Default)]
pub(crate) struct Cut {
    pub(crate) text: String,
    /// The runs in the order of the text.
    pub(crate) runs: Vec<Run>,
    /// The values of all runs, each with its quote after it.
    pub(crate) values: String,
    /// Bytes of the whole text.
    pub(crate) length: usize,
}

/// Elements that follow one another and differ in the values of their attributes only.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) rows: Arc<Rows>,
    /// The blanks between elements, if they are always the same.
    pub(crate) blanks: Option<String>,
    /// Where the first one ends in the text of the file, and where the last one does.
    left_out: Range<usize>,
    /// Where the first one ends in the text that is left.
    pub(crate) at: usize,
}

impl Run {
    /// A run of elements that begin at `starts`, with the same blanks between them or with others.
    fn of(
        pattern: &Pattern<'_>,
        mut starts: Vec<u32>,
        blanks: Option<&str>,
        left_out: Range<usize>,
    ) -> Run {
        starts.shrink_to_fit();
        let pieces: Vec<u32> = (pattern.pieces.iter())
            .map(|piece| narrow(piece.len()))
            .collect();
        // Of each element only its values are kept, each with its quote, and so are blanks that differ.
        let common = match blanks {
            Some(blanks) => pieces.iter().sum::<u32>() + narrow(blanks.len() + 1),
            None => pieces.iter().sum::<u32>(),
        };
        let rows = Rows {
            saved: common - narrow(pieces.len()),
            starts,
            pieces,
            quote: pattern.quote,
            values: 0,
        };
        Run {
            rows: Arc::new(rows),
            blanks: blanks.map(str::to_owned),
            left_out,
            at: 0,
        }
    }

    /// Bytes of the first element.
    pub(crate) fn first_length(&self) -> usize {
        let start = self.rows.starts.first().copied().unwrap_or_default();
        self.left_out.start.saturating_sub(start as usize)
    }

    /// Moves what is kept of each element to the front of a part of the text, after the first `end` bytes. The part
    /// begins at `base`. Returns where what is kept ends. It never reaches what is still to be read, as each value had
    /// a name before it.
    fn condense(&self, text: &mut [u8], base: usize, mut end: usize) -> usize {
        let mut keep = |text: &mut [u8], kept: Range<usize>| {
            let length = kept.len();
            text.copy_within(kept, end);
            if let Some(quote) = text.get_mut(end + length) {
                *quote = self.rows.quote;
            }
            end += length + 1;
        };
        let (last, before) = self.rows.pieces.split_last().unwrap_or((&0, &[]));
        for (row, start) in self.rows.starts.iter().enumerate() {
            let mut at = *start as usize - base;
            for piece in before {
                at += *piece as usize;
                let rest = text.get(at..).unwrap_or_default();
                let length = rest.iter().position(|byte| *byte == self.rows.quote);
                let length = length.unwrap_or_default();
                keep(text, at..at + length);
                at += length;
            }
            if self.blanks.is_none() {
                at += *last as usize;
                let next = self.rows.starts.get(row + 1);
                keep(text, at..next.map_or(at, |next| *next as usize - base));
            }
        }
        end
    }
}

/// Where the elements of a run are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// Where each begins in the text of the file.
    pub(crate) starts: Vec<u32>,
    /// The length of the text before the first value, between values, and after the last one.
    pub(crate) pieces: Vec<u32>,
    /// The quote around each value.
    pub(crate) quote: u8,
    /// Where the values of the first element begin among those that are kept.
    pub(crate) values: u32,
    /// How many bytes fewer are kept of each element.
    saved: u32,
}

impl Rows {
    /// The values of an element in the order of its attributes, each with the place where it begins in the text of
    /// the file. `kept` are the values of the text.
    pub(crate) fn values<'t>(
        &self,
        kept: &'t str,
        row: u32,
    ) -> impl Iterator<Item = (&'t str, u32)> {
        let first = self.starts.first().copied().unwrap_or_default();
        let start = self.starts.get(row as usize).copied().unwrap_or(first);
        let place = u64::from(self.values) + u64::from(start - first)
            - u64::from(row) * u64::from(self.saved);
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let values = kept.get(place..).unwrap_or_default();
        let count = self.pieces.len().saturating_sub(1);
        let mut at = start;
        (values
            .split(char::from(self.quote))
            .zip(self.pieces.iter())
            .take(count))
        .map(move |(value, piece)| {
            let begin = at + *piece;
            at = begin + narrow(value.len());
            (value, begin)
        })
    }

    /// The length of the tag of an element.
    pub(crate) fn tag_length(&self, kept: &str, row: u32) -> u32 {
        let values = self.values(kept, row).map(|(value, _)| narrow(value.len()));
        values.sum::<u32>() + self.pieces.iter().sum::<u32>()
    }
}

impl Cut {
    /// Leaves the runs out of a text.
    ///
    /// # Errors
    /// The text, if it has no runs.
    pub(crate) fn of(text: String) -> Result<Cut, String> {
        let runs = found(&text, 0);
        if runs.is_empty() {
            return Err(text);
        }
        let mut cut = Cut::default();
        cut.add_with(text, runs);
        Ok(cut)
    }

    /// Adds the next part of the text, which begins outside of comments and the like.
    pub(crate) fn add(&mut self, part: String) {
        let runs = found(&part, self.length);
        self.add_with(part, runs);
    }

    /// Adds the beginning of a part of the text, up to the end of a run with which the part ends. Returns the rest:
    /// all of it if there is no such run.
    pub(crate) fn add_beginning(&mut self, mut part: String) -> String {
        let runs = found(&part, self.length);
        let end = runs.last().map(|run| run.left_out.end - self.length);
        // At most a part of one more element is after it.
        let is_last = |end: &usize| !part.get(*end..).unwrap_or_default().contains('>');
        let Some(end) = end.filter(is_last) else {
            return part;
        };
        let rest = part.split_off(end);
        self.add_with(part, runs);
        rest
    }

    /// Adds a part of the text that has runs.
    fn add_with(&mut self, part: String, runs: Vec<Run>) {
        let base = self.length;
        self.length += part.len();
        let mut from = base;
        let left = |range: Range<usize>| {
            let part = part.get(range.start - base..range.end - base);
            part.unwrap_or_default()
        };
        for mut run in runs {
            self.text.push_str(left(from..run.left_out.start));
            run.at = self.text.len();
            from = run.left_out.end;
            self.runs.push(run);
        }
        self.text.push_str(left(from..self.length));
        // The values are kept in the memory of the text.
        let mut bytes = part.into_bytes();
        let mut end = 0;
        let first = self.runs.partition_point(|run| run.left_out.end <= base);
        for run in self.runs.iter_mut().skip(first) {
            let values = narrow(self.values.len() + end);
            if let Some(rows) = Arc::get_mut(&mut run.rows) {
                rows.values = values;
            }
            end = run.condense(&mut bytes, base, end);
        }
        bytes.truncate(end);
        let Ok(mut values) = String::from_utf8(bytes) else {
            bug("the values of rows are not text");
        };
        match self.values.is_empty() {
            true => {
                values.shrink_to_fit();
                self.values = values;
            }
            false => self.values.push_str(&values),
        }
    }

    /// Translates a range in the shortened text to a range in the text of the file.
    pub(crate) fn original(&self, range: Range<usize>) -> Range<usize> {
        // What begins where a run was left out is after it, and what ends there is before it.
        let start = self.runs.partition_point(|run| run.at <= range.start);
        let end = self.runs.partition_point(|run| run.at < range.end);
        let moved = |place: usize, before: usize| {
            let run = before.checked_sub(1).and_then(|at| self.runs.get(at));
            run.map_or(place, |run| place - run.at + run.left_out.end)
        };
        let start = moved(range.start, start);
        start..moved(range.end, end).max(start)
    }

    /// Translates a place in the text of the file to one in the shortened text. None if it was left out.
    pub(crate) fn place(&self, place: usize) -> Option<usize> {
        let after = self.runs.partition_point(|run| run.left_out.end <= place);
        if (self.runs.get(after)).is_some_and(|next| next.left_out.start < place) {
            return None;
        }
        match after.checked_sub(1).and_then(|at| self.runs.get(at)) {
            Some(run) => Some(place - run.left_out.end + run.at),
            None => Some(place),
        }
    }
}

/// All runs of a part of a text that begins at `base`, outside of comments and the like.
fn found(text: &str, base: usize) -> Vec<Run> {
    let bytes = text.as_bytes();
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find('<')) {
        let start = at + next;
        let rest = text.get(start..).unwrap_or_default();
        if let Some(skipped) = not_an_element(rest) {
            at = start + skipped;
            continue;
        }
        at = start + 1;
        let Some((pattern, first_end)) = Pattern::of(bytes, start) else {
            continue;
        };
        // Follow the elements that are like the first one.
        let mut starts = vec![narrow(base + start)];
        let mut end = first_end;
        let mut blanks_between = None;
        let mut is_even = true;
        loop {
            let next = end + blanks(bytes.get(end..).unwrap_or_default());
            let Some(next_end) = pattern.end_of(bytes, next) else {
                break;
            };
            let between = text.get(end..next).unwrap_or_default();
            is_even &= *blanks_between.get_or_insert(between) == between;
            starts.push(narrow(base + next));
            end = next_end;
        }
        at = end;
        if starts.len() >= ROWS_FROM {
            let blanks = blanks_between.filter(|_| is_even);
            let left_out = base + first_end..base + end;
            runs.push(Run::of(&pattern, starts, blanks, left_out));
        }
    }
    runs
}

/// The length of a comment, CDATA section, processing instruction or declaration at the beginning of a
/// text. None if it begins with something else.
fn not_an_element(rest: &str) -> Option<usize> {
    let kinds = [
        ("<!--", "-->"),
        ("<![CDATA[", "]]>"),
        ("<?", "?>"),
        ("<!", ">"),
    ];
    let (begin, end) = kinds.iter().find(|(begin, _)| rest.starts_with(begin))?;
    let inside = rest.get(begin.len()..).unwrap_or_default();
    let length = inside.find(end).map(|at| begin.len() + at + end.len());
    Some(length.unwrap_or(rest.len()))
}

/// What an element is like: the text around the values of its attributes.
struct Pattern<'t> {
    /// The text before the first value, between values, and after the last one.
    pieces: Vec<&'t [u8]>,
    quote: u8,
}

impl<'t> Pattern<'t> {
    /// The pattern of the element without content that begins at a place, and the place where it ends.
    /// None if it is not as plain as most: prefixes, references and characters that are not ASCII are
    /// for the XML parser, as are includes.
    fn of(text: &'t [u8], start: usize) -> Option<(Pattern<'t>, usize)> {
        let name = name_at(text, start + 1);
        if name.is_empty() || name.eq_ignore_ascii_case(b"include") {
            return None;
        }
        let mut pieces = Vec::new();
        let mut quote = None;
        let (mut from, mut at) = (start, start + 1 + name.len());
        loop {
            let blanks = blanks(text.get(at..)?);
            at += blanks;
            if text.get(at..)?.starts_with(b"/>") {
                break;
            }
            let name = name_at(text, at);
            if blanks == 0 || name.is_empty() || name == b"xmlns" {
                return None;
            }
            if pieces.len() == MOST_ATTRIBUTES {
                return None;
            }
            at += name.len();
            let [b'=', open @ (b'"' | b'\'')] = *text.get(at..at + 2)? else {
                return None;
            };
            if *quote.get_or_insert(open) != open {
                return None;
            }
            pieces.push(text.get(from..at + 2)?);
            from = value_end(text, at + 2, open)?;
            at = from + 1;
        }
        pieces.push(text.get(from..at + 2)?);
        let quote = quote?;
        Some((Pattern { pieces, quote }, at + 2))
    }

    /// Where an element ends that begins at a place. None if it is not like this.
    fn end_of(&self, text: &[u8], start: usize) -> Option<usize> {
        let mut at = start;
        for (number, piece) in self.pieces.iter().enumerate() {
            if number > 0 {
                at = value_end(text, at, self.quote)?;
            }
            if !text.get(at..)?.starts_with(piece) {
                return None;
            }
            at += piece.len();
        }
        Some(at)
    }
}

/// The number of blanks at the beginning of a text.
fn blanks(text: &[u8]) -> usize {
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    text.iter().take_while(is_blank).count()
}

/// The name without a prefix that begins at a place; empty if there is none.
fn name_at(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = rest.iter().take_while(is_part).count();
    match rest {
        [first, ..] if first.is_ascii_alphabetic() || *first == b'_' => {
            rest.get(..length).unwrap_or_default()
        }
        _ => &[],
    }
}

/// Where the value ends that begins at a place. None if its text is not the value itself.
fn value_end(text: &[u8], start: usize, quote: u8) -> Option<usize> {
    let rest = text.get(start..)?;
    let is_plain = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'<' | b'&');
    let length = (rest.iter()).position(|byte| *byte == quote || !is_plain(byte))?;
    (rest.get(length) == Some(&quote)).then_some(start + length)
}
