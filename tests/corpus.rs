//! Compares the outputs of a corpus of published models with those of jLEMS, byte for byte.
//!
//! The corpus is a folder beside the workspace (`../shared/corpus`, or the folder in the environment
//! variable `LEMS_CORPUS`). It has a `manifest.json` with the cases, and for each case a folder with the
//! model and its `golden` outputs. Without the corpus the test does nothing.

use std::path::Path;

use crate::support::{
    BACKENDS, Outputs, assert_none, check_all, difference, read_json, reference_folder, run_file,
    run_in_halves,
};
use jlems::BackendKind;
use serde_json::Value;

#[test]
fn every_deterministic_case_writes_the_bytes_of_jlems() {
    check(&BACKENDS, run_file);
}

#[test]
fn every_deterministic_case_writes_the_bytes_of_jlems_in_two_halves() {
    check(&BACKENDS[..1], |path, _| run_in_halves(path, BACKENDS));
}

fn check(
    backends: &[BackendKind],
    run: impl Fn(&Path, BackendKind) -> Result<Outputs, String> + Sync,
) {
    let Some(corpus) = reference_folder("LEMS_CORPUS", "shared/corpus") else {
        return;
    };
    let manifest = read_json(&corpus.join("manifest.json"));
    let cases = manifest["cases"].as_array().expect("a list of cases");
    let mut runs = Vec::new();
    for case in cases.iter().filter(|case| case["deterministic"] == true) {
        runs.extend(backends.iter().map(|backend| (case, *backend)));
    }
    assert!(!runs.is_empty(), "an empty corpus");
    let failures = check_all(&runs, |&(case, backend)| {
        failures(&corpus, case, backend, &run)
    });
    println!("{} runs of {} cases", runs.len(), cases.len());
    assert_none(&failures, runs.len());
}

fn failures(
    corpus: &Path,
    case: &Value,
    backend: BackendKind,
    run: impl Fn(&Path, BackendKind) -> Result<Outputs, String>,
) -> Vec<String> {
    let name = case["name"].as_str().expect("a name");
    let file = corpus
        .join(name)
        .join(case["lems_file"].as_str().expect("a file"));
    let golden_folder = file.parent().expect("a folder").join("golden");
    let golden_folder = if golden_folder.is_dir() {
        golden_folder
    } else {
        corpus.join(name).join("golden")
    };
    let mut found = Vec::new();
    match run(&file, backend) {
        Err(message) => found.push(message),
        Ok(outputs) => {
            for output in case["outputs"].as_array().expect("a list of outputs") {
                let path = output["file"].as_str().expect("a file");
                let golden = std::fs::read(golden_folder.join(path))
                    .unwrap_or_else(|error| panic!("golden/{path} of {name}: {error}"));
                found.extend(match outputs.get(path) {
                    None => Some(format!("{path}: not written")),
                    Some(got) => difference(path, &golden, got),
                });
            }
        }
    }
    (found.into_iter())
        .map(|message| format!("{name} ({backend:?}): {message}"))
        .collect()
}
