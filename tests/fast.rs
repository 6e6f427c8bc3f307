//! Tests of `--fast`: both back ends agree to the last bit, and their outputs are close to those of jLEMS.

use crate::support;
use crate::support::{BACKENDS, Outputs, assert_none, cases, check_all, difference, run_with};
use jlems::Options;
use lems_host::FileSources;

/// Largest difference from jLEMS, as a fraction of the range of a column.
const TOLERANCE: f64 = 1e-5;

/// Cases in which a rounding error moves a spike to another step, or decides a comparison.
const SENSITIVE: [&str; 4] = [
    "comparisons",
    "functions-any",
    "izhikevich-network",
    "operators",
];

fn run_fast(case: &support::Case) -> Vec<Result<Outputs, String>> {
    let run = |backend| {
        let options = Options {
            backend,
            fast: true,
            ..Options::default()
        };
        let path = case.folder.join(&case.run);
        run_with(&path.to_string_lossy(), &FileSources, &options)
    };
    BACKENDS.map(run).into()
}

#[test]
fn back_ends_agree() {
    let cases = cases();
    let failures = check_all(&cases, |case| match run_fast(case).as_slice() {
        [Ok(compiled), Ok(interpreted)] => (compiled.iter())
            .filter_map(|(name, bytes)| difference(name, &interpreted[name], bytes))
            .map(|message| format!("{}: {message}", case.name))
            .collect(),
        [Err(message), _] | [_, Err(message)] => vec![format!("{}: {message}", case.name)],
        _ => vec![format!("{}: not run twice", case.name)],
    });
    assert_none(&failures, cases.len());
}

/// Columns of numbers; none if the file has something else.
fn columns(bytes: &[u8]) -> Option<Vec<Vec<f64>>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for line in text.lines() {
        for (number, field) in line.split_whitespace().enumerate() {
            let value = field.parse().ok()?;
            match columns.get_mut(number) {
                Some(column) => column.push(value),
                None => columns.push(vec![value]),
            }
        }
    }
    Some(columns)
}

/// Largest difference between two files, as a fraction of the range of its column.
fn distance(golden: &[u8], got: &[u8]) -> Option<f64> {
    let (golden, got) = (columns(golden)?, columns(got)?);
    let lengths = |columns: &[Vec<f64>]| columns.iter().map(Vec::len).collect::<Vec<_>>();
    if lengths(&golden) != lengths(&got) {
        return Some(f64::INFINITY);
    }
    let of_column = |(golden, got): (&Vec<f64>, &Vec<f64>)| {
        let largest = golden
            .iter()
            .fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let differences = golden
            .iter()
            .zip(got)
            .map(|(golden, got)| (golden - got).abs());
        let difference = differences.fold(0.0, f64::max);
        if difference == 0.0 {
            0.0
        } else {
            difference / largest
        }
    };
    Some(golden.iter().zip(&got).map(of_column).fold(0.0, f64::max))
}

#[test]
fn results_stay_close_to_jlems() {
    let cases = cases();
    let failures = check_all(&cases, |case| {
        let outputs = match run_fast(case).remove(0) {
            Ok(outputs) => outputs,
            Err(message) => return vec![message],
        };
        let mut found = Vec::new();
        for name in &case.outputs {
            let kept = case.kept(name, &outputs[name]);
            let Some(distance) = distance(&case.golden(name), &kept) else {
                continue;
            };
            let sensitive = SENSITIVE.contains(&case.name.as_str());
            if distance > TOLERANCE && !sensitive {
                found.push(format!("{}/{name}: {distance:e}", case.name));
            }
        }
        found
    });
    assert_none(&failures, cases.len());
}
