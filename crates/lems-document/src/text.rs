//! The text of a source. Of runs of like elements only the values of the attributes are kept.

use std::borrow::Cow;
use std::fmt;
use std::ops::{ControlFlow, Deref, Range};
use std::sync::OnceLock;

use lems_index::narrow;

use crate::rows::{Cut, Run};

/// The text of a source. It is used like a string. A text with long runs of like elements is stored without what
/// all elements of a run have in common; it is put together again when it is asked for as a whole.
#[derive(Clone)]
pub struct SourceText {
    kept: Kept,
    whole: OnceLock<String>,
}

#[derive(Clone)]
enum Kept {
    Whole(Cow<'static, str>),
    Condensed(Box<Cut>),
}

/// Puts a text together from pieces as they are read, so that a large one is never in memory as a whole.
pub struct Condenser {
    cut: Cut,
    /// What was not looked at yet.
    rest: String,
    /// From so many bytes on it is looked at.
    from: usize,
    /// The least number of these bytes.
    part: usize,
}

impl Default for Condenser {
    fn default() -> Self {
        Condenser::with_parts_of(PART)
    }
}

/// So many bytes are looked at together.
const PART: usize = 1 << 24;

impl Condenser {
    /// One that looks at so many bytes together.
    pub(crate) fn with_parts_of(part: usize) -> Condenser {
        Condenser {
            cut: Cut::default(),
            rest: String::new(),
            from: part,
            part,
        }
    }

    /// Whether there is no text yet.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty() && self.cut.length == 0
    }

    /// Adds the next piece.
    pub fn push(&mut self, piece: &str) {
        self.rest.push_str(piece);
        if self.rest.len() < self.from {
            return;
        }
        self.rest = self.cut.add_beginning(std::mem::take(&mut self.rest));
        // Where no run ends, more is looked at the next time.
        self.from = self.part.max(2 * self.rest.len());
    }

    /// The text.
    pub fn finish(mut self) -> SourceText {
        if self.cut.runs.is_empty() {
            return self.rest.into();
        }
        self.cut.add(self.rest);
        self.cut.values.shrink_to_fit();
        SourceText {
            kept: Kept::Condensed(Box::new(self.cut)),
            whole: OnceLock::new(),
        }
    }
}

impl SourceText {
    /// The empty text.
    pub(crate) const fn empty() -> SourceText {
        SourceText {
            kept: Kept::Whole(Cow::Borrowed("")),
            whole: OnceLock::new(),
        }
    }

    /// Number of bytes of the whole text.
    pub fn len(&self) -> usize {
        match &self.kept {
            Kept::Whole(text) => text.len(),
            Kept::Condensed(cut) => cut.length,
        }
    }

    /// Line and column of a byte, both counted from 1, the column in characters. The text is not put together for it.
    pub(crate) fn line_column(&self, offset: usize) -> (usize, usize) {
        let (mut left, mut line, mut column) = (offset, 1, 1);
        let mut count = |piece: &str| {
            let end = piece.floor_char_boundary(left);
            let counted = piece.get(..end).unwrap_or_default();
            let newlines = counted.bytes().filter(|&byte| byte == b'\n').count();
            line += newlines;
            let of_line = match counted.rfind('\n') {
                Some(newline) => {
                    column = 1;
                    counted.get(newline + 1..).unwrap_or_default()
                }
                None => counted,
            };
            column += of_line.chars().count();
            left -= end;
            match end < piece.len() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        };
        let _ = self.each_piece(&mut count);
        (line, column)
    }

    /// The offset of each end of a line. The text is not put together for it.
    pub(crate) fn line_ends(&self) -> Vec<usize> {
        let (mut ends, mut begin) = (Vec::new(), 0);
        let _ = self.each_piece(&mut |piece| {
            let newlines = piece.match_indices('\n');
            ends.extend(newlines.map(|(at, _)| begin + at));
            begin += piece.len();
            ControlFlow::Continue(())
        });
        ends
    }

    /// Gives the text in pieces, one after the other.
    fn each_piece(&self, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
        match &self.kept {
            Kept::Whole(text) => give(text),
            Kept::Condensed(cut) => pieces_of(cut, give),
        }
    }

    /// Whether there is no text.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of bytes that are kept of the text.
    pub fn kept_bytes(&self) -> usize {
        match &self.kept {
            Kept::Whole(text) => text.len(),
            Kept::Condensed(cut) => {
                let columns = cut.runs.iter().map(|run| run.rows.column_bytes());
                cut.text.len() + cut.values.len() + columns.sum::<usize>()
            }
        }
    }

    /// Number of bytes that were in memory while the text was read in parts.
    pub fn bytes_while_read(&self) -> usize {
        self.len().min(self.kept_bytes().saturating_add(PART))
    }

    /// A part of the text. None if it does not begin and end between characters.
    pub(crate) fn part(&self, range: Range<usize>) -> Option<&str> {
        match &self.kept {
            Kept::Whole(text) => text.get(range),
            Kept::Condensed(cut) => part(cut, range.clone()).or_else(|| self.get(range)),
        }
    }

    /// The values of the elements in runs that are in no column, where [`Rows`](crate::rows::Rows) find them.
    pub(crate) fn values(&self) -> &str {
        match &self.kept {
            Kept::Whole(_) => "",
            Kept::Condensed(cut) => &cut.values,
        }
    }

    /// The text without its runs, if it has any.
    pub(crate) fn cut(&self) -> Option<&Cut> {
        match &self.kept {
            Kept::Whole(_) => None,
            Kept::Condensed(cut) => Some(cut),
        }
    }

    /// Drops what all elements of each run have in common.
    pub(crate) fn condense(&mut self) {
        if let Kept::Whole(Cow::Owned(text)) = &mut self.kept {
            self.kept = match Cut::of(std::mem::take(text)) {
                Ok(cut) => Kept::Condensed(Box::new(cut)),
                Err(text) => Kept::Whole(text.into()),
            };
        }
    }

    /// Keeps the whole text.
    pub(crate) fn expand(&mut self) {
        if let Kept::Condensed(cut) = &self.kept {
            let whole = self.whole.take();
            self.kept = Kept::Whole(whole.unwrap_or_else(|| whole_of(cut)).into());
        }
    }
}

/// A part of a text that is not in a run.
fn part(cut: &Cut, range: Range<usize>) -> Option<&str> {
    let start = cut.place(range.start)?;
    let end = cut.place(range.end)?;
    let is_in_one_piece = end.checked_sub(start) == range.end.checked_sub(range.start);
    cut.text.get(start..end).filter(|_| is_in_one_piece)
}

/// The text that was cut.
fn whole_of(cut: &Cut) -> String {
    let mut whole = String::with_capacity(cut.length);
    let _ = pieces_of(cut, &mut |piece| {
        whole.push_str(piece);
        ControlFlow::Continue(())
    });
    whole
}

/// Gives the pieces of the text that was cut, one after the other.
fn pieces_of(cut: &Cut, give: &mut dyn FnMut(&str) -> ControlFlow<()>) -> ControlFlow<()> {
    let mut from = 0;
    for run in &cut.runs {
        give(cut.text.get(from..run.at).unwrap_or_default())?;
        pieces_of_run(cut, run, give)?;
        from = run.at;
    }
    give(cut.text.get(from..).unwrap_or_default())
}

/// Gives the pieces of the elements of a run after the first one.
fn pieces_of_run(
    cut: &Cut,
    run: &Run,
    give: &mut dyn FnMut(&str) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let first = run.at.saturating_sub(run.first_length())..run.at;
    let first = cut.text.get(first).unwrap_or_default();
    let rows = &run.rows;
    // The pieces of text around the values of the first element.
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut values = rows.values(&cut.values, 0);
    for length in &rows.pieces {
        let end = at + *length as usize;
        pieces.push(first.get(at..end).unwrap_or_default());
        at = end + values.next().unwrap_or_default().len();
    }
    for row in 1..narrow(rows.count) {
        let blanks = (run.blanks.as_deref()).or_else(|| rows.blanks_after(&cut.values, row - 1));
        give(blanks.unwrap_or_default())?;
        let mut values = rows.values(&cut.values, row);
        for piece in &pieces {
            give(piece)?;
            give(values.next().unwrap_or_default())?;
        }
    }
    ControlFlow::Continue(())
}

impl Deref for SourceText {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.kept {
            Kept::Whole(text) => text,
            Kept::Condensed(cut) => self.whole.get_or_init(|| whole_of(cut)),
        }
    }
}

impl From<String> for SourceText {
    fn from(text: String) -> Self {
        Cow::<'static, str>::Owned(text).into()
    }
}

impl From<&'static str> for SourceText {
    fn from(text: &'static str) -> Self {
        Cow::Borrowed(text).into()
    }
}

impl From<Cow<'static, str>> for SourceText {
    fn from(text: Cow<'static, str>) -> Self {
        SourceText {
            kept: Kept::Whole(text),
            whole: OnceLock::new(),
        }
    }
}

impl PartialEq for SourceText {
    fn eq(&self, other: &SourceText) -> bool {
        **self == **other
    }
}

impl Eq for SourceText {}

impl fmt::Debug for SourceText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
