//! Lists in which one record can stand for many things that are alike.

use crate::narrow;

/// The numbers of the things in a list of records. Most records are one thing, and some are the rows of a
/// table. Things are numbered from zero in the order of the list, each row for itself.
///
/// ```
/// use lems_index::{Place, Runs};
///
/// let mut runs = Runs::default();
/// runs.push(1, 100); // the record after the first one has 100 rows
/// assert_eq!(runs.place(0), Place { record: 0, table: None });
/// assert_eq!(runs.place(40), Place { record: 1, table: Some((0, 39)) });
/// assert_eq!(runs.place(101), Place { record: 2, table: None });
/// assert_eq!(runs.count(3), 102);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs {
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    /// The number of the first row.
    first: u32,
    rows: u32,
    record: u32,
}

/// Where a thing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index of its record.
    pub record: u32,
    /// If the record stands for a table: the number of the table, and the row.
    pub table: Option<(u32, u32)>,
}

impl Runs {
    /// Adds a table with this number of rows as the record at an index, which must be larger than those before.
    ///
    /// # Panics
    /// The number of a row does not fit into 32 bits: see [`narrow`].
    pub fn push(&mut self, record: u32, rows: usize) {
        let first = narrow(self.count(record as usize));
        narrow(first as usize + rows);
        self.runs.push(Run {
            first,
            rows: narrow(rows),
            record,
        });
    }

    /// Where a thing is kept.
    #[inline]
    pub fn place(&self, number: u32) -> Place {
        let before = self.runs.partition_point(|run| run.first <= number);
        let Some((table, run)) =
            (before.checked_sub(1)).and_then(|at| Some((at, self.runs.get(at)?)))
        else {
            return Place {
                record: number,
                table: None,
            };
        };
        let row = number - run.first;
        match row.checked_sub(run.rows) {
            None => Place {
                record: run.record,
                table: Some((narrow(table), row)),
            },
            Some(after) => Place {
                record: run.record.saturating_add(1).saturating_add(after),
                table: None,
            },
        }
    }

    /// The number of things in a number of records.
    pub fn count(&self, records: usize) -> usize {
        match self.runs.last() {
            None => records,
            Some(run) => {
                let after = records.saturating_sub(run.record as usize + 1);
                run.first as usize + run.rows as usize + after
            }
        }
    }

    /// How many rows a table has; 0 if there is none with that number.
    pub fn rows(&self, table: u32) -> u32 {
        self.runs.get(table as usize).map_or(0, |run| run.rows)
    }

    /// How many tables there are.
    pub fn tables(&self) -> usize {
        self.runs.len()
    }

    /// Keeps a number of tables, and forgets those after them.
    pub fn truncate(&mut self, tables: usize) {
        self.runs.truncate(tables);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_and_every_single_record_has_one_number() {
        let sizes = [1, 1, 3, 1, 2, 5, 1];
        let mut runs = Runs::default();
        let mut wanted = Vec::new();
        let mut tables = 0;
        for (record, rows) in (0..).zip(sizes) {
            if rows > 1 {
                runs.push(record, rows);
                wanted.extend((0..narrow(rows)).map(|row| (record, Some((tables, row)))));
                tables += 1;
            } else {
                wanted.push((record, None));
            }
        }
        let found: Vec<_> = (0..14)
            .map(|number| runs.place(number))
            .map(|place| (place.record, place.table))
            .collect();
        assert_eq!(found, wanted);
        assert_eq!(runs.count(7), 14);
        assert_eq!([runs.rows(0), runs.rows(2), runs.rows(3)], [3, 5, 0]);
        runs.truncate(1);
        assert_eq!((runs.tables(), runs.count(4)), (1, 6));
    }
}
