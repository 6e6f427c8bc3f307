//! Tables as Parquet, read again by the reader of the format's library.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lems_sweep::{Column, Values, part};
use parquet::file::reader::{FileReader, SerializedFileReader};

fn column(name: &str, unit: Option<&str>, values: Values) -> Column {
    Column {
        name: name.to_owned(),
        unit: unit.map(str::to_owned),
        values,
    }
}

fn columns() -> Vec<Column> {
    vec![
        column(
            "point",
            None,
            Values::Whole(vec![Some(0), Some(1), Some(2)]),
        ),
        column(
            "cell/C",
            Some("pF"),
            Values::Real(vec![Some(10.0), None, Some(3.0)]),
        ),
        column(
            "error",
            None,
            Values::Text(vec![None, Some("E0401: µ".to_owned()), None]),
        ),
        column(
            "pop[0]/v",
            Some("V"),
            Values::RealLists(vec![Some(vec![1.0, 2.0]), None, Some(vec![])]),
        ),
        column(
            "pop.ids",
            None,
            Values::WholeLists(vec![Some(vec![]), None, Some(vec![7, 8, 9])]),
        ),
    ]
}

#[test]
fn rows_are_read_as_they_were_written() {
    let reader = SerializedFileReader::new(bytes::Bytes::from(part(&columns()).unwrap())).unwrap();
    let rows: Vec<String> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| row.unwrap().to_string())
        .collect();
    let expected = [
        "{point: 0, cell/C: 10.0, error: null, pop[0]/v: [1.0, 2.0], pop.ids: []}",
        "{point: 1, cell/C: null, error: \"E0401: µ\", pop[0]/v: null, pop.ids: null}",
        "{point: 2, cell/C: 3.0, error: null, pop[0]/v: [], pop.ids: [7, 8, 9]}",
    ];
    assert_eq!(rows, expected);
    let file = reader.metadata().file_metadata();
    let units = file.key_value_metadata().unwrap();
    assert_eq!(units[0].key, "unit of cell/C");
    assert_eq!(units[0].value.as_deref(), Some("pF"));
}

#[test]
fn the_same_columns_give_the_same_bytes() {
    assert_eq!(part(&columns()).unwrap(), part(&columns()).unwrap());
}
