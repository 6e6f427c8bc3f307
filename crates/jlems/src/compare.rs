//! How much two outputs differ.

use std::collections::BTreeMap;

use serde::Serialize;

/// How alike two outputs are, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likeness {
    /// The same bytes.
    Identical,
    /// The same numbers, written otherwise.
    SameValues,
    /// Within the tolerance.
    Close,
    /// Not.
    Different,
}

impl Likeness {
    /// How messages call it.
    pub fn title(self) -> &'static str {
        match self {
            Likeness::Identical => "identical",
            Likeness::SameValues => "same values",
            Likeness::Close => "close",
            Likeness::Different => "different",
        }
    }
}

/// How two outputs differ.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// In a word.
    pub verdict: Likeness,
    /// Rows of either.
    pub rows: [usize; 2],
    /// Columns that differ, of data files.
    pub columns: Vec<Column>,
    /// Trains of events that differ, of event files.
    pub trains: Vec<Train>,
    /// What keeps the rest from being compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remark: Option<String>,
}

/// The largest differences in one column of two data files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Column {
    /// From 0, which is the time.
    pub column: usize,
    /// The largest difference.
    pub absolute: Difference,
    /// The largest difference divided by the larger of the two magnitudes.
    pub relative: Difference,
    /// The largest magnitude in either column.
    pub magnitude: f64,
}

/// A difference and where it is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Difference {
    /// How large.
    pub value: f64,
    /// Row, from 1.
    pub row: usize,
    /// The time in that row.
    pub time: f64,
}

/// The first difference between two series of events with the same id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Train {
    /// The id that both have.
    pub id: String,
    /// Events of either.
    pub events: [usize; 2],
    /// Number of the first event that differs, from 1.
    pub first: usize,
    /// Its time in either, if it is there.
    pub times: [Option<f64>; 2],
}

/// Compares two texts of `OutputFile`s or `EventOutputFile`s; differences up to `tolerance` times
/// the largest value of a column, or times the time of an event, are close.
pub fn compare(a: &str, b: &str, tolerance: f64) -> Comparison {
    let mut comparison = match (is_of_events(a), is_of_events(b)) {
        (true, true) => events(a, b, tolerance),
        (false, false) => data(a, b, tolerance),
        _ => {
            // An empty file may be either.
            let remark = "one has events, the other columns".to_owned();
            match a.is_empty() || b.is_empty() {
                true => events(a, b, tolerance),
                false => unlike(a, b, remark),
            }
        }
    };
    if a == b {
        comparison.verdict = Likeness::Identical;
    }
    comparison
}

fn unlike(a: &str, b: &str, remark: String) -> Comparison {
    Comparison {
        verdict: Likeness::Different,
        rows: [a.lines().count(), b.lines().count()],
        columns: Vec::new(),
        trains: Vec::new(),
        remark: Some(remark),
    }
}

/// Lines of events have an id and a time, and no tab at their ends as those of data have.
fn is_of_events(text: &str) -> bool {
    let Some(first) = text.lines().next() else {
        return false;
    };
    !first.ends_with('\t') && event_columns(text).is_some()
}

/// Which column has the ids: the one in which all words are whole numbers or no numbers.
fn event_columns(text: &str) -> Option<(usize, usize)> {
    let is_id = |word: &str| word.parse::<i64>().is_ok() || word.parse::<f64>().is_err();
    let (mut first, mut second) = (true, true);
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let (Some(a), Some(b), None) = (words.next(), words.next(), words.next()) else {
            return None;
        };
        first &= is_id(a);
        second &= is_id(b);
    }
    match (first, second) {
        (true, _) => Some((0, 1)),
        (false, true) => Some((1, 0)),
        (false, false) => None,
    }
}

/// Times of events by id, if a text is an `EventOutputFile`, in either order of the columns.
pub fn event_trains(text: &str) -> Option<BTreeMap<&str, Vec<f64>>> {
    is_of_events(text).then(|| trains(text))
}

fn trains(text: &str) -> BTreeMap<&str, Vec<f64>> {
    let (id, time) = event_columns(text).unwrap_or((0, 1));
    let mut trains: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let (Some(id), Some(time)) = (words.get(id), words.get(time)) {
            let time = time.parse().unwrap_or(f64::NAN);
            trains.entry(id).or_default().push(time);
        }
    }
    trains
}

fn events(a: &str, b: &str, tolerance: f64) -> Comparison {
    let (left, right) = (trains(a), trains(b));
    let mut verdict = Likeness::SameValues;
    let mut found = Vec::new();
    let none = Vec::new();
    let ids: std::collections::BTreeSet<&str> = left.keys().chain(right.keys()).copied().collect();
    for id in ids {
        let (one, other) = (
            left.get(id).unwrap_or(&none),
            right.get(id).unwrap_or(&none),
        );
        let pairs = one.iter().zip(other);
        let near = |(x, y): (&f64, &f64)| (x - y).abs() <= tolerance * x.abs().max(y.abs());
        let same = |(x, y): (&f64, &f64)| x.to_bits() == y.to_bits();
        let shortest = one.len().min(other.len());
        let first = pairs
            .clone()
            .position(|pair| !same(pair))
            .unwrap_or(shortest);
        if first == shortest && one.len() == other.len() {
            continue;
        }
        verdict = match one.len() != other.len() || !pairs.clone().all(near) {
            true => Likeness::Different,
            false => verdict.max(Likeness::Close),
        };
        found.push(Train {
            id: id.to_owned(),
            events: [one.len(), other.len()],
            first: first + 1,
            times: [one.get(first).copied(), other.get(first).copied()],
        });
    }
    Comparison {
        verdict,
        rows: [a.lines().count(), b.lines().count()],
        columns: Vec::new(),
        trains: found,
        remark: None,
    }
}

fn data(a: &str, b: &str, tolerance: f64) -> Comparison {
    let rows = [a.lines().count(), b.lines().count()];
    let mut columns: Vec<Column> = Vec::new();
    for (row, (left, right)) in a.lines().zip(b.lines()).enumerate() {
        let number = |word: &str| word.parse::<f64>();
        let left: Result<Vec<f64>, _> = left.split_whitespace().map(number).collect();
        let right: Result<Vec<f64>, _> = right.split_whitespace().map(number).collect();
        let (Ok(left), Ok(right)) = (left, right) else {
            return unlike(a, b, format!("row {} does not consist of numbers", row + 1));
        };
        if left.len() != right.len() {
            let (left, right) = (left.len(), right.len());
            return unlike(
                a,
                b,
                format!(
                    "row {} has {left} columns, and {right} in the other",
                    row + 1
                ),
            );
        }
        while columns.len() < left.len() {
            columns.push(Column {
                column: columns.len(),
                absolute: Difference::default(),
                relative: Difference::default(),
                magnitude: 0.0,
            });
        }
        let time = left.first().copied().unwrap_or(0.0);
        for ((x, y), column) in left.iter().zip(&right).zip(&mut columns) {
            let magnitude = x.abs().max(y.abs());
            column.magnitude = column.magnitude.max(magnitude);
            if x.to_bits() == y.to_bits() {
                continue;
            }
            let row = row + 1;
            let absolute = (x - y).abs();
            column.absolute.grow(absolute, row, time);
            column.relative.grow(absolute / magnitude, row, time);
        }
    }
    columns.retain(|column| column.absolute.row > 0);
    let is_near = |column: &Column| column.absolute.value <= tolerance * column.magnitude;
    let verdict = match columns.is_empty() {
        _ if rows[0] != rows[1] => Likeness::Different,
        true => Likeness::SameValues,
        false if !columns.iter().all(is_near) => Likeness::Different,
        false => Likeness::Close,
    };
    Comparison {
        verdict,
        rows,
        columns,
        trains: Vec::new(),
        remark: None,
    }
}

impl Difference {
    fn grow(&mut self, value: f64, row: usize, time: f64) {
        if self.row == 0 || value > self.value || value.is_nan() {
            *self = Difference { value, row, time };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_compared_column_by_column() {
        let a = "0.0\t1.0\t5.0\t\n0.1\t-2.0\t5.0\t\n";
        let equal = compare(a, a, 0.0);
        assert_eq!(
            (equal.verdict, equal.columns.len()),
            (Likeness::Identical, 0)
        );
        let written_otherwise = compare(a, &a.replace("-2.0", "-2"), 0.0);
        assert_eq!(written_otherwise.verdict, Likeness::SameValues);
        let b = a.replace("-2.0", "-2.5");
        let close = compare(a, &b, 0.21);
        assert_eq!(close.verdict, Likeness::Close);
        let [column] = close.columns.as_slice() else {
            panic!("{close:?}")
        };
        assert_eq!((column.column, column.absolute.value), (1, 0.5));
        assert_eq!((column.relative.value, column.relative.row), (0.2, 2));
        assert_eq!(column.absolute.time, 0.1);
        assert_eq!(compare(a, &b, 0.19).verdict, Likeness::Different);
        let shorter = compare(a, "0.0\t1.0\t5.0\t\n", 1.0);
        assert_eq!(
            (shorter.verdict, shorter.rows),
            (Likeness::Different, [2, 1])
        );
        assert_eq!(
            compare(a, &a.replace("5.0", "NaN"), 1.0).verdict,
            Likeness::Different
        );
        assert!(compare(a, &a.replace("5.0", "x"), 1.0).remark.is_some());
    }

    #[test]
    fn events_are_compared_train_by_train() {
        let a = "0\t0.1\n1\t0.15\n0\t0.2\n";
        let other_order = compare(a, "1\t0.15\n0\t0.1\n0\t0.2\n", 0.0);
        assert_eq!(other_order.verdict, Likeness::SameValues);
        assert_eq!(
            compare(a, "0.1\t0\n0.15\t1\n0.2\t0\n", 0.0).verdict,
            Likeness::SameValues
        );
        let missing = compare(a, "0\t0.1\n1\t0.15\n", 1.0);
        let [train] = missing.trains.as_slice() else {
            panic!("{missing:?}")
        };
        assert_eq!(
            (train.id.as_str(), train.events, train.first),
            ("0", [2, 1], 2)
        );
        assert_eq!(train.times, [Some(0.2), None]);
        assert_eq!(missing.verdict, Likeness::Different);
        let late = compare(a, &a.replace("0.15", "0.151"), 0.01);
        assert_eq!((late.verdict, late.trains.len()), (Likeness::Close, 1));
    }
}
