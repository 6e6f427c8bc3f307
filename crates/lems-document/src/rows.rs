//! Runs of like elements, which need no tree of their own.
//!
//! Large networks consist of long runs of elements that differ in the values of their attributes only.
//! [`Cut::of`] finds them in a text and leaves out all but the first of each. The XML parser reads what is
//! left, so it decides what the elements mean, and the other elements of a run mean the same. No error is
//! lost, because only whole elements without content are left out, and whole lines of blanks between them.

use std::ops::Range;

use lems_index::narrow;

/// Fewer elements in a row are read one by one.
const ROWS_FROM: usize = 16;

/// A text without most elements of its runs.
pub(crate) struct Cut {
    pub(crate) text: String,
    /// The runs in the order of the text.
    pub(crate) runs: Vec<Run>,
}

/// Elements that follow one another and differ in the values of their attributes only.
pub(crate) struct Run {
    pub(crate) rows: Rows,
    /// Where the first one ends in the text of the file, and where the last one does.
    left_out: Range<usize>,
    /// Where the first one ends in the text that is left.
    at: usize,
}

/// Where the elements of a run are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rows {
    /// Where each begins in the text of the file.
    pub(crate) starts: Vec<u32>,
    /// The length of the text before the first value, between values, and after the last one.
    gaps: Vec<u32>,
    /// The quote around each value.
    quote: u8,
}

impl Rows {
    /// The range of a value in the element that begins at a place.
    pub(crate) fn value(&self, text: &[u8], start: u32, number: usize) -> Range<usize> {
        let mut value = start as usize..start as usize;
        for gap in self.gaps.iter().take(number + 1) {
            let from = value.end + *gap as usize;
            let rest = text.get(from..).unwrap_or_default();
            let length = rest.iter().position(|byte| *byte == self.quote);
            value = from..from + length.unwrap_or_default();
        }
        value
    }
}

impl Cut {
    /// Leaves the runs out of a text. None if it has no runs.
    pub(crate) fn of(text: &str) -> Option<Cut> {
        let mut runs = found(text);
        if runs.is_empty() {
            return None;
        }
        let mut left = String::new();
        let mut from = 0;
        for run in &mut runs {
            left.push_str(text.get(from..run.left_out.start).unwrap_or_default());
            run.at = left.len();
            from = run.left_out.end;
        }
        left.push_str(text.get(from..).unwrap_or_default());
        Some(Cut { text: left, runs })
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
}

/// All runs of a text, outside of comments and the like.
fn found(text: &str) -> Vec<Run> {
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
        let mut starts = vec![narrow(start)];
        let mut end = first_end;
        loop {
            let next = end + blanks(bytes.get(end..).unwrap_or_default());
            let Some(next_end) = pattern.end_of(bytes, next) else {
                break;
            };
            starts.push(narrow(next));
            end = next_end;
        }
        at = end;
        if starts.len() >= ROWS_FROM {
            starts.shrink_to_fit();
            let gaps = pattern.pieces.iter().map(|piece| narrow(piece.len()));
            let rows = Rows {
                starts,
                gaps: gaps.collect(),
                quote: pattern.quote,
            };
            runs.push(Run {
                rows,
                left_out: first_end..end,
                at: 0,
            });
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
