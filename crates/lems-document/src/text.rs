//! The text of a source. Of runs of like elements only the values of the attributes are kept.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::OnceLock;

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
    Condensed(Box<Condensed>),
}

/// A text without its runs, and the values in these.
#[derive(Clone)]
struct Condensed {
    /// Bytes of the whole text.
    length: usize,
    cut: Cut,
    /// The values of all runs, each with its quote after it.
    values: String,
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
            Kept::Condensed(condensed) => condensed.length,
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
            Kept::Condensed(condensed) => condensed.cut.text.len() + condensed.values.len(),
        }
    }

    /// A part of the text. None if it does not begin and end between characters.
    pub(crate) fn part(&self, range: Range<usize>) -> Option<&str> {
        match &self.kept {
            Kept::Whole(text) => text.get(range),
            Kept::Condensed(condensed) => {
                (condensed.part(range.clone())).or_else(|| self.get(range))
            }
        }
    }

    /// The values of the elements in runs, where [`Rows`](crate::rows::Rows) find them.
    pub(crate) fn values(&self) -> &str {
        match &self.kept {
            Kept::Whole(_) => "",
            Kept::Condensed(condensed) => &condensed.values,
        }
    }

    /// Drops what all elements of each run have in common.
    pub(crate) fn condense(&mut self, cut: Cut) {
        let text = match std::mem::replace(self, SourceText::empty()).kept {
            Kept::Whole(text) => text.into_owned(),
            Kept::Condensed(condensed) => condensed.whole(),
        };
        let length = text.len();
        let values = cut.values_of(text);
        self.kept = Kept::Condensed(Box::new(Condensed {
            length,
            cut,
            values,
        }));
    }
}

impl Condensed {
    /// A part of the text that is not in a run.
    fn part(&self, range: Range<usize>) -> Option<&str> {
        let start = self.cut.place(range.start)?;
        let end = self.cut.place(range.end)?;
        let is_in_one_piece = end.checked_sub(start) == range.end.checked_sub(range.start);
        self.cut.text.get(start..end).filter(|_| is_in_one_piece)
    }

    fn whole(&self) -> String {
        let mut whole = String::with_capacity(self.length);
        let mut from = 0;
        for run in &self.cut.runs {
            whole.push_str(self.cut.text.get(from..run.at).unwrap_or_default());
            self.push_run(&mut whole, run);
            from = run.at;
        }
        whole.push_str(self.cut.text.get(from..).unwrap_or_default());
        whole
    }

    /// Appends the elements of a run after the first one.
    fn push_run(&self, whole: &mut String, run: &Run) {
        let first = whole.len().saturating_sub(run.first_length());
        let first = whole.get(first..).unwrap_or_default().to_owned();
        let rows = &run.rows;
        let values = self.values.get(rows.values as usize..).unwrap_or_default();
        let mut values = values.split(char::from(rows.quote));
        // The pieces of text around the values of the first element.
        let mut pieces = Vec::new();
        let mut at = 0;
        for length in &rows.pieces {
            let end = at + *length as usize;
            pieces.push(first.get(at..end).unwrap_or_default());
            if pieces.len() < rows.pieces.len() {
                at = end + values.next().unwrap_or_default().len();
            }
        }
        for _ in 1..rows.starts.len() {
            let blanks = run.blanks.as_deref().or_else(|| values.next());
            whole.push_str(blanks.unwrap_or_default());
            for (number, piece) in pieces.iter().enumerate() {
                if number > 0 {
                    whole.push_str(values.next().unwrap_or_default());
                }
                whole.push_str(piece);
            }
        }
    }
}

impl Deref for SourceText {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.kept {
            Kept::Whole(text) => text,
            Kept::Condensed(condensed) => self.whole.get_or_init(|| condensed.whole()),
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
