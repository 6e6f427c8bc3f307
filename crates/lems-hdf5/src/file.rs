//! Groups, attributes and tables of an HDF5 file. Only this module uses the HDF5 library.

use std::collections::{BTreeMap, HashMap};

use hdf5_pure::{AttrValue, DType, Dataset, Error, Group};
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

/// A group with its attributes.
pub struct Folder {
    group: Group,
    path: String,
    attributes: HashMap<String, AttrValue>,
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
pub fn open(bytes: Vec<u8>, most: usize) -> Result<Folder, Hdf5Error> {
    let limits = Limits {
        bytes: (bytes.len() as u64).saturating_mul(MOST_INFLATION),
        rows: most as u64 / LEAST_ROW,
        text: most,
    };
    let file = hdf5_pure::File::from_bytes(bytes).map_err(broken)?;
    Folder::new(file.root(), String::new(), limits)
}

impl Folder {
    fn new(group: Group, path: String, limits: Limits) -> Result<Folder, Hdf5Error> {
        let attributes = group.attrs().map_err(broken)?;
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

    /// The names of the groups in it, sorted by their bytes.
    pub fn names(&self) -> Result<Vec<String>, Hdf5Error> {
        let mut names = self.group.groups().map_err(broken)?;
        names.sort_unstable();
        Ok(names)
    }

    /// A group in it.
    pub fn folder(&self, name: &str) -> Result<Folder, Hdf5Error> {
        let group = self.group.group(name).map_err(broken)?;
        Folder::new(group, format!("{}/{name}", self.path), self.limits)
    }

    /// The tables in it, sorted by name.
    pub fn tables(&self) -> Result<Vec<Table>, Hdf5Error> {
        let mut names = self.group.datasets().map_err(broken)?;
        names.sort_unstable();
        let table = |name: String| {
            let data = self.group.dataset(&name).map_err(broken)?;
            Table::new(&data, format!("{}/{name}", self.path), self.limits)
        };
        names.into_iter().map(table).collect()
    }

    /// The value of an attribute as text: a string, the first of several strings, or a number.
    pub fn text(&self, attribute: &str) -> Option<String> {
        text_of(self.attributes.get(attribute)?)
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
    pub fn texts_after(&self, prefix: &str) -> BTreeMap<&str, String> {
        let named = self.attributes.iter();
        named
            .filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, text_of(value)?)))
            .collect()
    }
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

/// A table of numbers, whose columns may have names.
pub struct Table {
    path: String,
    /// Whether the numbers were stored in 32 bits.
    single: bool,
    columns: HashMap<String, usize>,
    width: usize,
    numbers: Vec<f64>,
}

impl Table {
    /// Reads a table, after checking its type and size.
    fn new(data: &Dataset, path: String, limits: Limits) -> Result<Table, Hdf5Error> {
        let no_table = || Hdf5Error::NoTable {
            table: path.clone(),
            most: MOST_COLUMNS,
        };
        // Check the shape, and the type of the numbers.
        let &[rows, width] = &*data.shape().map_err(broken)? else {
            return Err(no_table());
        };
        let kind = data.dtype().map_err(broken)?;
        if !(1..=MOST_COLUMNS).contains(&width) || !is_number(&kind) {
            return Err(no_table());
        }
        if rows > limits.rows {
            let limit = limits.text;
            return Err(Hdf5Error::TooLarge { limit });
        }
        // The file itself declares these sizes, so they are checked before memory is allocated.
        let size = data.element_size().map_err(broken)?;
        let chunk = data.chunk_shape().map_err(broken)?.unwrap_or_default();
        let is_possible = |extents: &[u64]| {
            let bytes = extents.iter().try_fold(size, |bytes, &extent| {
                bytes.checked_mul(extent).filter(|&b| b <= limits.bytes)
            });
            bytes.is_some()
        };
        if !is_possible(&[rows, width]) || !is_possible(&chunk) {
            return Err(Hdf5Error::Inflated { table: path });
        }
        let Ok(width) = usize::try_from(width) else {
            return Err(Hdf5Error::Inflated { table: path });
        };
        // Read the numbers.
        let numbers = match rows {
            0 => Vec::new(),
            _ => data.read_f64().map_err(broken)?,
        };
        let columns = columns(&data.attrs().map_err(broken)?);
        Ok(Table {
            single: kind == DType::F32,
            columns,
            width,
            numbers,
            path,
        })
    }

    /// The rows.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let single = self.single;
        let rows = self.numbers.chunks_exact(self.width);
        rows.map(move |numbers| Row { numbers, single })
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows().count()
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
fn columns(attributes: &HashMap<String, AttrValue>) -> HashMap<String, usize> {
    let named = attributes.iter().filter_map(|(name, value)| {
        let place = name.strip_prefix("column_")?.parse().ok()?;
        Some((text_of(value)?, place))
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

/// The message of the library, without control characters for terminals.
fn broken(error: Error) -> Hdf5Error {
    let message = error.to_string();
    Hdf5Error::Broken(message.chars().filter(|c| !c.is_control()).collect())
}
