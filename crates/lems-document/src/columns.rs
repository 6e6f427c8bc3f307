//! The values of an attribute in a run of like elements, where many elements have the same ones.

use lems_index::narrow;
use rustc_hash::FxHashMap;

/// The values of an attribute in a run: each different one once, and for each element which one it has.
#[derive(Debug, Clone)]
pub(crate) struct Column {
    /// The different values, one after the other.
    words: String,
    /// Where each ends.
    ends: Vec<u32>,
    choices: Choices,
}

/// Which of the different values each element has.
#[derive(Debug, Clone)]
enum Choices {
    /// There is one.
    First,
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Column {
    /// Which of the different values an element has.
    #[inline]
    pub(crate) fn choice(&self, row: u32) -> Option<u32> {
        match &self.choices {
            Choices::First => Some(0),
            Choices::Short(choices) => choices.get(row as usize).map(|choice| u32::from(*choice)),
            Choices::Long(choices) => choices.get(row as usize).copied(),
        }
    }

    /// The value that an element has.
    #[inline]
    pub(crate) fn value(&self, row: u32) -> Option<&str> {
        let choice = self.choice(row)? as usize;
        let start = match choice.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        let end = *self.ends.get(choice)?;
        self.words.get(start as usize..end as usize)
    }

    /// Number of bytes in memory.
    pub(crate) fn bytes(&self) -> usize {
        let choices = match &self.choices {
            Choices::First => 0,
            Choices::Short(choices) => size_of_val(choices.as_slice()),
            Choices::Long(choices) => size_of_val(choices.as_slice()),
        };
        self.words.len() + size_of_val(self.ends.as_slice()) + choices
    }
}

/// The values of a column that were seen so far.
pub(crate) struct Different<'t> {
    numbers: FxHashMap<&'t str, u32>,
    words: Vec<&'t str>,
    choices: Vec<u32>,
    most: usize,
}

impl<'t> Different<'t> {
    /// For a column of so many elements.
    pub(crate) fn of(rows: usize) -> Different<'t> {
        Different {
            numbers: FxHashMap::default(),
            words: Vec::new(),
            choices: Vec::with_capacity(rows),
            // A value takes about as much memory as it saves in four elements.
            most: rows / 4,
        }
    }

    /// Adds the value of the next element. False if there are too many different ones for a [`Column`].
    #[must_use]
    pub(crate) fn add(&mut self, value: &'t str) -> bool {
        // Neighbours often have the same one.
        let last = self.choices.last().copied();
        let is_last = |number: &u32| self.words.get(*number as usize) == Some(&value);
        let number = last.filter(is_last).unwrap_or_else(|| {
            let next = narrow(self.words.len());
            *self.numbers.entry(value).or_insert_with(|| {
                self.words.push(value);
                next
            })
        });
        self.choices.push(number);
        self.words.len() <= self.most
    }

    pub(crate) fn column(self) -> Column {
        let mut end = 0;
        let ends = self.words.iter().map(|word| {
            end += word.len();
            narrow(end)
        });
        Column {
            ends: ends.collect(),
            words: self.words.concat(),
            choices: match self.words.len() {
                1 => Choices::First,
                different if different <= 1 << 16 => {
                    let short = |choice: &u32| u16::try_from(*choice).unwrap_or_default();
                    // A list of its own, of its own size.
                    Choices::Short(self.choices.iter().map(short).collect())
                }
                _ => Choices::Long(self.choices),
            },
        }
    }
}
