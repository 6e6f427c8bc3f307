//! Times the writing of data rows and event lines to memory.

#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

use std::time::Duration;

use criterion::{Criterion, Throughput};
use jlems_rs::output::{DataFile, EventFile, EventFormat, MemoryStore, OutputError};

const ROWS: u32 = 10_000;
const EVENTS: u32 = 100_000;

/// Writes values like those of a voltage trace: with many digits, and slowly changing.
fn rows(columns: u32) -> Result<(), OutputError> {
    let mut file = DataFile::create(&mut MemoryStore::new(), "rows.dat")?;
    let mut row = vec![0.0; columns as usize + 1];
    for number in 0..ROWS {
        let time = f64::from(number) * 1e-5;
        for (column, value) in (0..).zip(&mut row) {
            *value = -0.065 + time * 0.0137 * (f64::from(column) - 5.3);
        }
        if let Some(first) = row.first_mut() {
            *first = time;
        }
        file.row(&row)?;
    }
    file.finish()
}

fn events() -> Result<(), OutputError> {
    let ids: Vec<String> = (0..100).map(|id| id.to_string()).collect();
    let store = &mut MemoryStore::new();
    let mut file = EventFile::create(store, "events.spikes", EventFormat::IdTime, &ids)?;
    for number in 0..EVENTS {
        file.event(number as usize % 100, f64::from(number / 7) * 1e-4)?;
    }
    file.finish()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let mut group = criterion.benchmark_group("writers");
    for columns in [1, 10] {
        group.throughput(Throughput::Elements(u64::from(ROWS * (columns + 1))));
        group.bench_function(format!("values, {columns} columns"), |bencher| {
            bencher.iter(|| rows(columns).expect("memory takes all"));
        });
    }
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    group.bench_function("events", |bencher| {
        bencher.iter(|| events().expect("memory takes all"));
    });
    group.finish();
    criterion.final_summary();
}
