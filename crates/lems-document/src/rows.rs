//! Runs of like elements, which need no tree of their own.
//!
//! Large networks consist of long runs of elements that differ in the values of their attributes only.
//! [`Cut`] finds them in a text and leaves out all but the first of each. The XML parser reads what is
//! left, so it decides what the elements mean, and the other elements of a run mean the same. No error is
//! lost, because only whole elements without content are left out, and whole lines of blanks between them.

use std::ops::Range;
use std::sync::Arc;

use lems_index::{bug, narrow};

use crate::columns::{Column, Different};

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
    /// The values of all runs that are in no column, each with its quote after it.
    pub(crate) values: String,
    /// Bytes of the whole text.
    pub(crate) length: usize,
}

/// Elements that follow one another and differ in the values of their attributes only.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) rows: Arc<Rows>,
    /// Where its elements begin in the text of the file, until they are condensed.
    starts: Vec<u32>,
    /// The blanks between elements, if they are always the same.
    pub(crate) blanks: Option<String>,
    /// Where the first one ends in the text of the file, and where the last one does.
    left_out: Range<usize>,
    /// Where the first one ends in the text that is left.
    pub(crate) at: usize,
}

impl Run {
    /// A run of elements that begin at `starts` in the text of the file, with the same blanks between them or with
    /// others. A part of the text begins at `base`; the elements are in it.
    fn of(
        pattern: &Pattern<'_>,
        (part, base): (&str, usize),
        starts: Vec<u32>,
        blanks: Option<&str>,
        left_out: Range<usize>,
    ) -> Run {
        let pieces: Vec<u32> = (pattern.pieces.iter())
            .map(|piece| narrow(piece.len()))
            .collect();
        let mut rows = Rows {
            count: starts.len(),
            pieces,
            quote: pattern.quote,
            blanks: blanks.map(|blanks| narrow(blanks.len())),
            ..Rows::default()
        };
        rows.columns = rows.find_columns(&starts, part, base);
        Run {
            rows: Arc::new(rows),
            starts,
            blanks: blanks.map(str::to_owned),
            left_out,
            at: 0,
        }
    }

    /// Bytes of the first element.
    pub(crate) fn first_length(&self) -> usize {
        let start = self.rows.first_start().unwrap_or_default();
        self.left_out.start.saturating_sub(start as usize)
    }
}

/// The elements of a run: where they are, and their values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// How many there are.
    pub(crate) count: usize,
    /// The length of the text before the first value, between values, and after the last one.
    pub(crate) pieces: Vec<u32>,
    /// The quote around each value.
    quote: u8,
    /// The values of each attribute. None if many are different: they are in the text of all kept values, element by
    /// element, each with its quote.
    columns: Vec<Option<Column>>,
    /// The length of the blanks after each element. None if it differs: then these blanks are kept, too, after the values
    /// of the element.
    blanks: Option<u32>,
    /// For every few elements, where the first of them is.
    places: Vec<Place>,
}

/// Where an element is.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Where it begins in the text of the file.
    start: u32,
    /// Where its values begin in the text of all kept values.
    kept: u32,
}

impl Rows {
    /// The values of an element in the order of its attributes. `kept` is the text of all kept values.
    pub(crate) fn values<'t>(&'t self, kept: &'t str, row: u32) -> impl Iterator<Item = &'t str> {
        let mut kept = self.kept_values(kept, row);
        (self.columns.iter()).map(move |column| {
            let value = match column {
                Some(column) => column.value(row),
                None => kept.next(),
            };
            value.unwrap_or_default()
        })
    }

    /// Which of the different values of one attribute an element has, if they are kept once each.
    #[inline]
    pub(crate) fn choice(&self, row: u32, column: usize) -> Option<u32> {
        self.columns.get(column)?.as_ref()?.choice(row)
    }

    /// The value of one attribute of an element.
    #[inline]
    pub(crate) fn value<'t>(&'t self, kept: &'t str, row: u32, column: usize) -> Option<&'t str> {
        match self.columns.get(column)? {
            Some(column) => column.value(row),
            None => {
                let before = self.columns.iter().take(column);
                let before = before.filter(|column| column.is_none()).count();
                self.kept_values(kept, row).nth(before)
            }
        }
    }

    /// The kept values from those of an element on.
    pub(crate) fn kept_values<'t>(
        &self,
        kept: &'t str,
        row: u32,
    ) -> impl Iterator<Item = &'t str> + use<'t> {
        let (row, every) = (row as usize, self.rows_to_a_place());
        let place = self.places.get(row / every).copied();
        let values = place.and_then(|place| kept.get(place.kept as usize..));
        let before = row % every * self.kept_to_a_row();
        (values.unwrap_or_default())
            .split(char::from(self.quote))
            .skip(before)
    }

    /// Where the value of an attribute begins in the text of the file.
    pub(crate) fn value_start(&self, kept: &str, row: u32, column: usize) -> Option<u32> {
        let start = self.start(kept, row)?;
        let pieces = self.pieces.get(..=column)?.iter().sum::<u32>();
        let values = self.values(kept, row).take(column);
        Some(start + pieces + values.map(|value| narrow(value.len())).sum::<u32>())
    }

    /// Where the first element begins in the text of the file.
    pub(crate) fn first_start(&self) -> Option<u32> {
        Some(self.places.first()?.start)
    }

    /// Where an element begins in the text of the file.
    pub(crate) fn start(&self, kept: &str, row: u32) -> Option<u32> {
        let every = narrow(self.rows_to_a_place());
        let place = self.places.get((row / every) as usize)?;
        let before = row - row % every..row;
        let lengths = before.map(|row| {
            let blanks = || narrow(self.blanks_after(kept, row).unwrap_or_default().len());
            self.tag_length(kept, row) + self.blanks.unwrap_or_else(blanks)
        });
        Some(place.start + lengths.sum::<u32>())
    }

    /// The length of the tag of an element.
    pub(crate) fn tag_length(&self, kept: &str, row: u32) -> u32 {
        let values = self.values(kept, row).map(|value| narrow(value.len()));
        values.sum::<u32>() + self.pieces.iter().sum::<u32>()
    }

    /// Number of bytes of the columns.
    pub(crate) fn column_bytes(&self) -> usize {
        self.columns.iter().flatten().map(Column::bytes).sum()
    }

    /// The blanks after an element.
    pub(crate) fn blanks_after<'t>(&self, kept: &'t str, row: u32) -> Option<&'t str> {
        let values = self.kept_to_a_row().checked_sub(1)?;
        (self.kept_values(kept, row).nth(values)).filter(|_| self.blanks.is_none())
    }

    /// How many values are kept of each element.
    fn kept_to_a_row(&self) -> usize {
        let values = self.columns.iter().filter(|column| column.is_none());
        values.count() + usize::from(self.blanks.is_none())
    }

    /// For so many elements one place is stored, so that few values must be passed over to find those of an element.
    fn rows_to_a_place(&self) -> usize {
        (8 / self.kept_to_a_row().max(1)).max(1)
    }

    /// Where the values of an element are in a part of the text that begins at `base`.
    fn written<'r>(
        &'r self,
        part: &'r [u8],
        base: usize,
        start: u32,
    ) -> impl Iterator<Item = Range<usize>> + 'r {
        let mut at = (start as usize).saturating_sub(base);
        let (_, before) = self.pieces.split_last().unwrap_or((&0, &[]));
        before.iter().map(move |piece| {
            let begin = at + *piece as usize;
            let rest = part.get(begin..).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == self.quote);
            at = begin + length.unwrap_or_default();
            begin..at
        })
    }

    fn find_columns(&self, starts: &[u32], part: &str, base: usize) -> Vec<Option<Column>> {
        let count = self.pieces.len().saturating_sub(1);
        let mut found: Vec<Option<Different<'_>>> = Vec::new();
        found.resize_with(count, || Some(Different::of(starts.len())));
        for start in starts {
            let values = self.written(part.as_bytes(), base, *start);
            for (column, value) in found.iter_mut().zip(values) {
                let value = part.get(value).unwrap_or_default();
                if column.as_mut().is_some_and(|column| !column.add(value)) {
                    *column = None;
                }
            }
        }
        let found = found.into_iter();
        found.map(|some| some.map(Different::column)).collect()
    }

    /// Moves what is kept of each element to the front of a part of the text, after the first `end` bytes. The part
    /// begins at `base`; its first byte will be byte `offset` of all that is kept. Returns where what is kept ends. It
    /// never reaches what is still to be read, as each value had a name before it.
    fn condense(
        &mut self,
        starts: &[u32],
        (part, base): (&mut [u8], usize),
        offset: usize,
        mut end: usize,
    ) -> usize {
        let every = self.rows_to_a_place();
        let last = self.pieces.last().copied().unwrap_or_default() as usize;
        let mut places = Vec::new();
        let mut kept = Vec::new();
        for (row, start) in starts.iter().enumerate() {
            if row % every == 0 {
                places.push(Place {
                    start: *start,
                    kept: narrow(offset + end),
                });
            }
            kept.clear();
            let mut tag_end = *start as usize - base;
            for (column, value) in self.columns.iter().zip(self.written(part, base, *start)) {
                tag_end = value.end;
                if column.is_none() {
                    kept.push(value);
                }
            }
            tag_end += last;
            if self.blanks.is_none() {
                let next = starts.get(row + 1);
                kept.push(tag_end..next.map_or(tag_end, |next| *next as usize - base));
            }
            for value in kept.drain(..) {
                let length = value.len();
                part.copy_within(value, end);
                if let Some(quote) = part.get_mut(end + length) {
                    *quote = self.quote;
                }
                end += length + 1;
            }
        }
        places.shrink_to_fit();
        self.places = places;
        end
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
            let Some(rows) = Arc::get_mut(&mut run.rows) else {
                bug("a run that is being made is used already");
            };
            let starts = std::mem::take(&mut run.starts);
            end = rows.condense(&starts, (&mut bytes, base), self.values.len(), end);
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
            runs.push(Run::of(&pattern, (text, base), starts, blanks, left_out));
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
