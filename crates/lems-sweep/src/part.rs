//! Rows of points as a Parquet file.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{PrimitiveTypeBuilder, Type};

use crate::SweepError;

/// A column of a table, with a value for each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The unit of its values, if it has one.
    pub unit: Option<String>,
    /// Its values.
    pub values: Values,
}

/// Values of a column. What a run that failed has none of is None.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Whole numbers.
    Whole(Vec<Option<i64>>),
    /// Numbers.
    Real(Vec<Option<f64>>),
    /// Texts.
    Text(Vec<Option<String>>),
    /// A list of whole numbers in each row.
    WholeLists(Vec<Option<Vec<i64>>>),
    /// A list of numbers in each row.
    RealLists(Vec<Option<Vec<f64>>>),
}

/// A Parquet file of columns with equally many rows. The same columns give the same bytes.
///
/// # Errors
/// More than 2^31 rows or values in a list.
pub fn part(columns: &[Column]) -> Result<Vec<u8>, SweepError> {
    written(columns).map_err(|error| SweepError::Parquet(error.to_string()))
}

fn written(columns: &[Column]) -> Result<Vec<u8>, ParquetError> {
    let fields = columns.iter().map(|column| field(column).map(Arc::new));
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    let schema = Type::group_type_builder("sweep")
        .with_fields(fields)
        .build()?;
    let units = columns.iter().filter_map(|column| {
        let unit = column.unit.clone()?;
        Some(KeyValue::new(format!("unit of {}", column.name), unit))
    });
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by("jlems-rs".to_owned())
        .set_key_value_metadata(Some(units.collect()))
        .build();
    let mut bytes = Vec::new();
    let mut file = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::new(properties))?;
    let mut group = file.next_row_group()?;
    for column in columns {
        let Some(mut writer) = group.next_column()? else {
            break;
        };
        write(&column.values, writer.untyped())?;
        writer.close()?;
    }
    group.close()?;
    file.close()?;
    Ok(bytes)
}

/// The schema of a column; lists as the format of Parquet describes them.
fn field(column: &Column) -> Result<Type, ParquetError> {
    let name = column.name.as_str();
    let physical = match column.values {
        Values::Whole(_) | Values::WholeLists(_) => Physical::INT64,
        Values::Real(_) | Values::RealLists(_) => Physical::DOUBLE,
        Values::Text(_) => Physical::BYTE_ARRAY,
    };
    match column.values {
        Values::Whole(_) | Values::Real(_) => {
            primitive(name, physical, Repetition::OPTIONAL).build()
        }
        Values::Text(_) => primitive(name, physical, Repetition::OPTIONAL)
            .with_logical_type(Some(LogicalType::String))
            .with_converted_type(ConvertedType::UTF8)
            .build(),
        Values::WholeLists(_) | Values::RealLists(_) => {
            let element = primitive("element", physical, Repetition::REQUIRED).build()?;
            let list = Type::group_type_builder("list")
                .with_repetition(Repetition::REPEATED)
                .with_fields(vec![Arc::new(element)])
                .build()?;
            Type::group_type_builder(name)
                .with_repetition(Repetition::OPTIONAL)
                .with_logical_type(Some(LogicalType::List))
                .with_converted_type(ConvertedType::LIST)
                .with_fields(vec![Arc::new(list)])
                .build()
        }
    }
}

fn primitive(name: &str, physical: Physical, repetition: Repetition) -> PrimitiveTypeBuilder<'_> {
    Type::primitive_type_builder(name, physical).with_repetition(repetition)
}

fn write(values: &Values, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
    match (values, writer) {
        (Values::Whole(values), ColumnWriter::Int64ColumnWriter(writer)) => {
            let (present, levels) = optional(values);
            writer.write_batch(&present, Some(&levels), None)?;
        }
        (Values::Real(values), ColumnWriter::DoubleColumnWriter(writer)) => {
            let (present, levels) = optional(values);
            writer.write_batch(&present, Some(&levels), None)?;
        }
        (Values::Text(values), ColumnWriter::ByteArrayColumnWriter(writer)) => {
            let (present, levels) = optional(values);
            let present: Vec<ByteArray> = present.iter().map(|text| text.as_str().into()).collect();
            writer.write_batch(&present, Some(&levels), None)?;
        }
        (Values::WholeLists(lists), ColumnWriter::Int64ColumnWriter(writer)) => {
            let (present, definitions, repetitions) = listed(lists);
            writer.write_batch(&present, Some(&definitions), Some(&repetitions))?;
        }
        (Values::RealLists(lists), ColumnWriter::DoubleColumnWriter(writer)) => {
            let (present, definitions, repetitions) = listed(lists);
            writer.write_batch(&present, Some(&definitions), Some(&repetitions))?;
        }
        _ => return Err(ParquetError::General("a column has two types".to_owned())),
    }
    Ok(())
}

/// The values that exist, and for each row whether it has one.
fn optional<T: Clone>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    let present = values.iter().flatten().cloned().collect();
    let levels = values
        .iter()
        .map(|value| i16::from(value.is_some()))
        .collect();
    (present, levels)
}

/// The elements of lists, and their definition and repetition levels: 0 is no list, 1 an empty one, 2 an
/// element; and an element that is not the first of its list has the repetition 1.
fn listed<T: Copy>(lists: &[Option<Vec<T>>]) -> (Vec<T>, Vec<i16>, Vec<i16>) {
    let (mut present, mut definitions, mut repetitions) = (Vec::new(), Vec::new(), Vec::new());
    for list in lists {
        match list.as_deref() {
            None => definitions.push(0),
            Some([]) => definitions.push(1),
            Some(elements) => {
                present.extend_from_slice(elements);
                definitions.extend(elements.iter().map(|_| 2));
                repetitions.push(0);
                repetitions.extend(elements.iter().skip(1).map(|_| 1));
                continue;
            }
        }
        repetitions.push(0);
    }
    (present, definitions, repetitions)
}
