//! Models that cannot run: each file of `tests/bad` fails with the message in the file next to it.
//!
//! `UPDATE_SNAPSHOTS=1` rewrites the messages.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

/// Long enough for a slow machine, and too short for endless loops.
const LONGEST: Duration = Duration::from_secs(10);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bad")
}

fn files(extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap();
    let mut files: Vec<PathBuf> = (entries.map(|entry| entry.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    files
}

fn run(file: &Path, out_dir: &Path) -> (Output, Duration) {
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_jlems-rs"))
        .arg("run")
        .arg(file.file_name().unwrap())
        .arg("--out-dir")
        .arg(out_dir)
        .current_dir(folder())
        .output()
        .unwrap();
    (output, started.elapsed())
}

/// A complaint if the program does not treat a file as expected.
fn complaint(file: &Path, out_dir: &Path) -> Option<String> {
    let (output, time) = run(file, out_dir);
    let message =
        String::from_utf8_lossy(&output.stderr).replace(out_dir.to_str().unwrap(), "OUT_DIR");
    if output.status.code() != Some(1) {
        return Some(format!(
            "status {:?}, not 1:\n{message}",
            output.status.code()
        ));
    }
    if !message.starts_with("error[E") || message.contains("panicked") {
        return Some(format!("not an error message:\n{message}"));
    }
    if time > LONGEST {
        return Some(format!("took {time:?}"));
    }
    let finished = |name: &String| !name.ends_with(".partial");
    if names(out_dir).iter().any(finished) {
        return Some(format!("left {:?}", names(out_dir)));
    }
    let snapshot = file.with_extension("stderr");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&snapshot, &message).unwrap();
        return None;
    }
    let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
    (message != expected).then(|| format!("expected:\n{expected}\ngot:\n{message}"))
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| name(entry.unwrap())).collect()
}

#[test]
fn every_bad_file_fails_with_its_message_and_leaves_no_output() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad-input");
    let mut complaints = Vec::new();
    let files = files("xml");
    assert!(files.len() >= 350);
    for file in &files {
        let out_dir = root.join(file.file_stem().unwrap());
        std::fs::create_dir_all(&out_dir).unwrap();
        if let Some(complaint) = complaint(file, &out_dir) {
            complaints.push(format!("{}: {complaint}", file.display()));
        }
        std::fs::remove_dir_all(&out_dir).unwrap();
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn no_message_is_left_without_its_file() {
    for snapshot in files("stderr") {
        let file = snapshot.with_extension("xml");
        assert!(file.exists(), "{}", snapshot.display());
    }
}

/// Codes without a file in `tests/bad`: limits that a small file cannot reach, failures of the
/// system, warnings, checkpoints, and runs by several ranks.
const NOT_IN_THE_CORPUS: [&str; 73] = [
    "E0102", "E0103", "E0105", "E0108", "E0109", "E0112", "E0113", "E0114", "E0115", "E0130",
    "E0131", "E0140", "E0141", "E0142", "E0206", "E0215", "E0217", "E0225", "E0226", "E0227",
    "E0228", "E0229", "E0242", "E0244", "E0245", "E0246", "E0247", "E0250", "E0311", "E0314",
    "E0333", "E0336", "E0408", "E0416", "E0421", "E0425", "E0426", "E0430", "E0431", "E0440",
    "E0441", "E0442", "E0443", "E0444", "E0445", "E0446", "E0447", "E0448", "E0449", "E0450",
    "E0506", "E0507", "E0508", "E0509", "E0520", "E0521", "E0522", "E0523", "E0524", "E0525",
    "E0526", "E0527", "E0528", "E0529", "E0541", "E0542", "E0543", "E0544", "E0545", "E0550",
    "E0551", "E0552", "E0553",
];

/// Errors without a place: about a run, or about a file without lines.
const WITHOUT_A_PLACE: [&str; 3] = ["E0107", "E0501", "E0502"];

#[test]
fn every_message_names_a_place_and_a_remedy() {
    let mut complaints = Vec::new();
    for snapshot in files("stderr") {
        let text = std::fs::read_to_string(&snapshot).unwrap();
        for message in text.split("error[").skip(1) {
            let code = message.get(..5).unwrap_or_default();
            let underlined = message.contains("--> ") && message.contains('^');
            if !underlined && !WITHOUT_A_PLACE.contains(&code) {
                complaints.push(format!("{}: no place", snapshot.display()));
            }
            if !message.contains("= help: ") {
                complaints.push(format!("{}: no remedy", snapshot.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn every_code_is_met_in_some_message_and_explained() {
    let mut met: BTreeSet<String> = NOT_IN_THE_CORPUS.map(str::to_owned).into();
    for snapshot in files("stderr") {
        let text = std::fs::read_to_string(snapshot).unwrap();
        let codes = text.split("error[").skip(1);
        met.extend(codes.filter_map(|rest| Some(rest.split_once(']')?.0.to_owned())));
    }
    let explained: BTreeSet<String> = jlems::Code::all()
        .filter(|code| code.0 < 600)
        .map(|code| code.label(jlems::Severity::Error))
        .collect();
    assert_eq!(met, explained);
}

/// The folders whose sources give codes.
const GIVE_CODES: [&str; 10] = [
    "jlems",
    "lems-document",
    "lems-engine",
    "lems-export",
    "lems-expression",
    "lems-model",
    "lems-network",
    "lems-output",
    "lems-schema",
    "lems-swc",
];

#[test]
fn every_code_is_given_by_some_error_and_explained() {
    let crates = folder().join("../../crates");
    let mut given = BTreeSet::new();
    for name in GIVE_CODES {
        for entry in std::fs::read_dir(crates.join(name).join("src")).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "rs") {
                given.extend(codes_of(&std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let explained: BTreeSet<u16> = jlems::Code::all().map(|code| code.0).collect();
    assert_eq!(given, explained);
    let texts = std::fs::read_dir(crates.join("jlems/src/explain")).unwrap();
    assert_eq!(texts.count(), explained.len(), "a text is not listed");
}

/// The codes in the functions `code` of a source file, and those that are constants.
fn codes_of(source: &str) -> BTreeSet<u16> {
    let functions = source.split("pub fn code(&self) -> u16 {").skip(1);
    let functions = functions.filter_map(|rest| rest.split("\n    }\n").next());
    let results = functions.flat_map(|function| function.split("=> ").skip(1));
    let constants = source.split(": Code = Code(").skip(1);
    let digits = |text: &str| {
        let end = text.find(|letter: char| !letter.is_ascii_digit());
        text.get(..end?)?.parse().ok()
    };
    results.chain(constants).filter_map(digits).collect()
}
