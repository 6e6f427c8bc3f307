//! Time per value of a data file of 100,000 rows and 11 columns.

use lems_output::{DataFile, FileStore, MemoryStore, OutputError, OutputStore};
use std::time::Instant;

const ROWS: usize = 100_000;
const COLUMNS: usize = 11;

fn write(store: &mut dyn OutputStore) -> Result<(), OutputError> {
    let mut file = DataFile::create(store, "write_timing.dat")?;
    let mut row = [0.0; COLUMNS];
    for i in 0..ROWS {
        let time = i as f64 * 1e-5;
        for (column, value) in row.iter_mut().enumerate() {
            *value = -0.065 + time * 0.0137 * (column as f64 - 5.3);
        }
        if let Some(first) = row.first_mut() {
            *first = time;
        }
        file.row(&row)?;
    }
    file.finish()
}

fn timing(name: &str, store: &mut dyn OutputStore) -> Result<(), OutputError> {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let start = Instant::now();
        write(store)?;
        best = best.min(start.elapsed().as_secs_f64());
    }
    let per_value = best * 1e9 / (ROWS * COLUMNS) as f64;
    println!(
        "{name:10} {:6.1} ms {per_value:6.1} ns per value",
        best * 1e3
    );
    Ok(())
}

fn main() -> Result<(), OutputError> {
    timing("memory", &mut MemoryStore::new())?;
    timing("file", &mut FileStore::in_folder(std::env::temp_dir()))
}
