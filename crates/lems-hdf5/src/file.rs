//! Groups, attributes and tables of an HDF5 file. Only this module uses the HDF5 library.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek};
use std::panic::{AssertUnwindSafe, catch_unwind};

use hdf5_pure::{
    AttrValue, ChunkCacheConfig, DType, Dataset, Error, File, FileAccessProperties, FormatError,
    Group, Layout, MetadataCacheConfig, ReadSeekSource, Source, WriteMarkPolicy,
};
use lems_output::write_java_float;

use crate::error::Hdf5Error;

/// Largest ratio of sizes that deflate can reach.
const MOST_INFLATION: u64 = 1032;
/// Largest number of columns. Tables of NeuroML have at most nine; other programs may add a few.
const MOST_COLUMNS: u64 = 32;
/// Smallest number of bytes of text for one row.
const LEAST_ROW: u64 = 30;
/// A missing value as PyTables stores it: the pickled `None` of Python.
const PICKLED_NONE: &str = "N.";
/// Bytes of a table that are read together, if a chunk is not larger.
const WINDOW: u64 = 1 << 20;
/// Bytes of headers of groups and tables that are kept so that they are not read again.
const HEADERS: usize = 1 << 20;

/// A group with its attributes.
pub struct Folder {
    group: Group,
    path: String,
    attributes: HashMap<String, String>,
    limits: Limits,
}

/// A group that was not opened yet.
pub struct Closed {
    name: String,
    group: Group,
    path: String,
    limits: Limits,
}

/// Limits on the size of a table.
#[derive(Clone, Copy)]
struct Limits {
    /// Bytes that the file can hold.
    bytes: u64,
    /// Rows that the text can hold.
    rows: u64,
    /// Bytes of the text.
    text: usize,
}

/// Opens a file and returns its outermost group. The text is to have at most `most` bytes.
pub fn open(source: impl Read + Seek + Send + 'static, most: usize) -> Result<Folder, Hdf5Error> {
    let (group, bytes) = ask(|| {
        let source = ReadSeekSource::new(source)?;
        let bytes = source.len();
        // Chunks are read once, in whole windows, so that it would be of no use to keep them. A mark of a writer that did
        // not close the file is no obstacle.
        let properties = FileAccessProperties::new()
            .with_write_mark_policy(WriteMarkPolicy::AllowSnapshot)
            .with_metadata_cache(MetadataCacheConfig::new(HEADERS))
            .with_chunk_cache(ChunkCacheConfig::new().with_max_bytes(0));
        let file = File::from_source_with_options(source, properties)?;
        Ok((file.root(), bytes))
    })?;
    let limits = Limits {
        bytes: bytes.saturating_mul(MOST_INFLATION),
        rows: most as u64 / LEAST_ROW,
        text: most,
    };
    Folder::new(group, String::new(), limits)
}

impl Closed {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Opens it.
    pub fn open(&self) -> Result<Folder, Hdf5Error> {
        Folder::new(self.group.clone(), self.path.clone(), self.limits)
    }
}

impl Folder {
    fn new(group: Group, path: String, limits: Limits) -> Result<Folder, Hdf5Error> {
        let attributes = ask(|| Ok(texts(group.attrs()?)))?;
        Ok(Folder {
            group,
            path,
            attributes,
            limits,
        })
    }

    /// Its path, such as `/neuroml/network`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The groups in it, sorted by the bytes of their names.
    pub fn folders(&self) -> Result<Vec<Closed>, Hdf5Error> {
        let mut named: Vec<_> = ask(|| Ok(self.group.iter_groups()?.collect()))?;
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        let closed = named.into_iter().map(|(name, group)| Closed {
            path: format!("{}/{name}", self.path),
            name,
            group,
            limits: self.limits,
        });
        Ok(closed.collect())
    }

    /// The tables in it, sorted by name.
    pub fn tables(&self) -> Result<Vec<Table>, Hdf5Error> {
        let mut named: Vec<_> = ask(|| Ok(self.group.iter_datasets()?.collect()))?;
        named.sort_by(|(one, _), (other, _)| one.cmp(other));
        let table = |(name, data)| Table::new(data, format!("{}/{name}", self.path), self.limits);
        named.into_iter().map(table).collect()
    }

    /// The value of an attribute as text: a string, the first of several strings, or a number.
    pub fn text(&self, attribute: &str) -> Option<String> {
        self.attributes.get(attribute).cloned()
    }

    /// The value of a required attribute as text.
    ///
    /// # Errors
    /// The attribute is missing.
    pub fn required(&self, attribute: &str) -> Result<String, Hdf5Error> {
        self.text(attribute).ok_or_else(|| Hdf5Error::NoAttribute {
            group: self.path.clone(),
            attribute: attribute.to_owned(),
        })
    }

    /// The attributes whose names begin with `prefix`. The keys are the names without the prefix.
    pub fn texts_after(&self, prefix: &str) -> BTreeMap<&str, &str> {
        let named = self.attributes.iter();
        named
            .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, &**value)))
            .collect()
    }
}

/// The attributes that have a text.
fn texts(attributes: HashMap<String, AttrValue>) -> HashMap<String, String> {
    let texts = attributes.into_iter();
    texts
        .filter_map(|(name, value)| Some((name, text_of(&value)?)))
        .collect()
}

fn text_of(value: &AttrValue) -> Option<String> {
    let text = match (value.as_str(), value.as_strings()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(texts)) => texts.first().cloned().unwrap_or_default(),
        (None, None) => match (value.as_i64(), value.as_u64()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => value.as_f64()?.to_string(),
        },
    };
    (text != PICKLED_NONE).then_some(text)
}

/// A table of numbers, whose columns may have names. Its rows are read when they are asked for, a window at a time.
pub struct Table {
    data: Dataset,
    path: String,
    /// Whether the numbers were stored in 32 bits.
    single: bool,
    columns: HashMap<String, usize>,
    rows: u64,
    width: usize,
    /// Rows that are read together.
    window: u64,
}

impl Table {
    /// Finds a table and its columns, after checking its type and size.
    fn new(data: Dataset, path: String, limits: Limits) -> Result<Table, Hdf5Error> {
        let no_table = || Hdf5Error::NoTable {
            table: path.clone(),
            most: MOST_COLUMNS,
        };
        // Check the shape, and the type of the numbers.
        let &[rows, width] = &*ask(|| data.shape())? else {
            return Err(no_table());
        };
        let kind = ask(|| data.dtype())?;
        if !(1..=MOST_COLUMNS).contains(&width) || !is_number(&kind) {
            return Err(no_table());
        }
        if rows > limits.rows {
            let limit = limits.text;
            return Err(Hdf5Error::TooLarge { limit });
        }
        // The file itself declares these sizes, so they are checked before memory is allocated.
        let size = ask(|| data.element_size())?;
        let chunk = ask(|| data.chunk_shape())?.unwrap_or_default();
        let bytes_of = |extents: &[u64]| {
            extents.iter().try_fold(size, |bytes, &extent| {
                bytes.checked_mul(extent).filter(|&b| b <= limits.bytes)
            })
        };
        let (Some(bytes), Some(_)) = (bytes_of(&[rows, width]), bytes_of(&chunk)) else {
            return Err(Hdf5Error::Inflated { table: path });
        };
        let Ok(columns) = usize::try_from(width) else {
            return Err(Hdf5Error::Inflated { table: path });
        };
        ask(|| stored_as_declared(&data.layout()?, bytes))?;
        let window = window(size.saturating_mul(width), chunk.first().copied());
        Ok(Table {
            single: kind == DType::F32,
            columns: columns_of(&ask(|| Ok(texts(data.attrs()?)))?),
            rows,
            width: columns,
            window,
            data,
            path,
        })
    }

    /// Gives each row with its index to `take`. The rows are read anew each time.
    ///
    /// # Errors
    /// A damaged table, or an error of `take`.
    pub fn each_row(
        &self,
        mut take: impl FnMut(u64, Row<'_>) -> Result<(), Hdf5Error>,
    ) -> Result<(), Hdf5Error> {
        let single = self.single;
        let mut start = 0;
        while start < self.rows {
            let count = self.window.min(self.rows - start);
            let numbers = ask(|| self.data.read_f64_rows(start, count))?;
            let rows = numbers.chunks_exact(self.width);
            if rows.len() as u64 != count {
                let message = format!("rows are missing in the table `{}`", self.path);
                return Err(Hdf5Error::Broken(message));
            }
            for (index, numbers) in (start..).zip(rows) {
                take(index, Row { numbers, single })?;
            }
            start += count;
        }
        Ok(())
    }

    /// The number of rows.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// The column with this name.
    pub fn column(&self, name: &str) -> Option<Column> {
        let place = self.columns.get(name).copied();
        place.filter(|&place| place < self.width).map(Column)
    }

    /// The column with this name or, without one, the column at this place.
    ///
    /// # Errors
    /// The table has fewer columns.
    pub fn column_or(&self, (name, place): (&'static str, usize)) -> Result<Column, Hdf5Error> {
        let otherwise = (place < self.width).then_some(Column(place));
        match self.column(name).or(otherwise) {
            Some(column) => Ok(column),
            None => self.required(name),
        }
    }

    /// The required column with this name.
    ///
    /// # Errors
    /// The column is missing.
    pub fn required(&self, column: &'static str) -> Result<Column, Hdf5Error> {
        self.column(column).ok_or_else(|| Hdf5Error::NoColumn {
            table: self.path.clone(),
            column,
        })
    }
}

/// Number of rows that are read together: whole chunks, so that none is unpacked twice.
fn window(row_bytes: u64, chunk_rows: Option<u64>) -> u64 {
    let rows = (WINDOW / row_bytes.max(1)).max(1);
    match chunk_rows {
        Some(chunk) if chunk > rows => chunk,
        Some(chunk) if chunk > 0 => rows - rows % chunk,
        _ => rows,
    }
}

/// The library makes this check only where it reads a table as a whole.
fn stored_as_declared(layout: &Layout, expected: u64) -> Result<(), Error> {
    let stored = match *layout {
        Layout::Compact { size } => size,
        Layout::Contiguous {
            address: Some(_),
            size,
        } => size,
        _ => return Ok(()),
    };
    if stored == expected || expected == 0 {
        return Ok(());
    }
    let [expected, actual] =
        [expected, stored].map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    Err(FormatError::DataSizeMismatch { expected, actual }.into())
}

/// A column of a table.
#[derive(Clone, Copy)]
pub struct Column(usize);

/// A row of a table. It is only for columns of the same table.
#[derive(Clone, Copy)]
pub struct Row<'t> {
    numbers: &'t [f64],
    single: bool,
}

impl Row<'_> {
    /// The number in a column.
    pub fn number(self, column: Column) -> f64 {
        // A column is within its table, and all rows have the same width.
        self.numbers.get(column.0).copied().unwrap_or(f64::NAN)
    }

    /// The number in a column, without its fraction; None without a column.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "ids are stored as floats, and one beyond 64 bits names nothing"
    )]
    pub fn whole(self, column: Option<Column>) -> Option<i64> {
        Some(self.number(column?) as i64)
    }

    /// The id of what the row stands for: the number in a column or, without one, the index of the row.
    pub fn id(self, column: Option<Column>, index: u64) -> String {
        match self.whole(column) {
            Some(id) => id.to_string(),
            None => index.to_string(),
        }
    }

    /// The number in a column as text: with the digits of Java for a 32-bit number, and with as few
    /// digits as possible for a 64-bit number.
    pub fn real(self, column: Column) -> String {
        let value = self.number(column);
        match self.single {
            true => {
                let mut digits = Vec::new();
                write_java_float(value, &mut digits);
                String::from_utf8_lossy(&digits).into_owned()
            }
            false => format!("{value:?}"),
        }
    }
}

/// The names of the columns and their indices: the attribute `column_2` names the third column.
fn columns_of(attributes: &HashMap<String, String>) -> HashMap<String, usize> {
    let named = attributes.iter().filter_map(|(name, value)| {
        let place = name.strip_prefix("column_")?.parse().ok()?;
        Some((value.clone(), place))
    });
    named.collect()
}

fn is_number(kind: &DType) -> bool {
    use DType::{F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    matches!(
        kind,
        F32 | F64 | I8 | I16 | I32 | I64 | U8 | U16 | U32 | U64
    )
}

/// Asks the library, which reads an untrusted file here. If it panics, the file is at fault. The caller drops the
/// interrupted state with the error, so it does not matter that it is inconsistent.
fn ask<T>(question: impl FnOnce() -> Result<T, Error>) -> Result<T, Hdf5Error> {
    let answer = catch_unwind(AssertUnwindSafe(|| question().map_err(broken)));
    answer.unwrap_or_else(|_| {
        let message = "the library that reads it gave up".to_owned();
        Err(Hdf5Error::Broken(message))
    })
}

fn broken(error: Error) -> Hdf5Error {
    match error {
        Error::Format(FormatError::Source(message)) => Hdf5Error::NotReadable(message),
        error => Hdf5Error::Broken(shown(&error.to_string())),
    }
}

/// The message of the library, without control characters for terminals.
fn shown(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).collect()
}
