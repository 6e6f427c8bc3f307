//! Shared code of the tests: paths, runs in memory, and comparison of outputs.

#![allow(dead_code, reason = "no test needs all of it")]

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use jlems_rs::document::SourceReader;
use jlems_rs::engine::{Checkpoint, Moment, Simulation};
use jlems_rs::output::MemoryStore;
use jlems_rs::{BackendKind, Failure, FileSources, Options};
use serde_json::Value;

pub const BACKENDS: [BackendKind; 2] = [BackendKind::Jit, BackendKind::Interpreter];

/// Finished outputs by name.
pub type Outputs = BTreeMap<String, Vec<u8>>;

pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

/// A folder beside the workspace or named by an environment variable. If it does not exist, a message
/// is printed.
pub fn reference_folder(variable: &str, beside_workspace: &str) -> Option<PathBuf> {
    let folder = match std::env::var_os(variable) {
        Some(folder) => PathBuf::from(folder),
        None => workspace().join("..").join(beside_workspace),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("skipped: no folder {} (set {variable})", folder.display());
    None
}

pub fn read_json(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The strings of a list; empty if the value is not a list.
pub fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().expect("a string").to_owned())
        .collect()
}

/// One folder with a `case.json`, as `tests/models/README.md` describes it.
pub struct Case {
    pub name: String,
    pub folder: PathBuf,
    pub run: String,
    pub same_as: Vec<String>,
    pub outputs: Vec<String>,
    every: BTreeMap<String, usize>,
}

impl Case {
    fn read(folder: PathBuf) -> Case {
        let case = read_json(&folder.join("case.json"));
        let every = case["every"].as_object().into_iter().flatten();
        Case {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            run: case["run"].as_str().expect("run").to_owned(),
            same_as: strings(&case["same_as"]),
            outputs: strings(&case["outputs"]),
            every: every
                .map(|(file, step)| {
                    (
                        file.clone(),
                        serde_json::from_value(step.clone()).expect("a count"),
                    )
                })
                .collect(),
            folder,
        }
    }

    /// The output of jLEMS, as far as it is stored.
    pub fn golden(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.folder.join("golden").join(name))
            .unwrap_or_else(|error| panic!("golden/{name} of {}: {error}", self.name))
    }

    /// The part of an output that its golden file stores.
    pub fn kept(&self, name: &str, output: &[u8]) -> Vec<u8> {
        match self.every.get(name) {
            None => output.to_vec(),
            Some(&step) => thinned(output, step),
        }
    }

    /// The differences between the outputs of a run and the golden files; empty if there are none.
    pub fn differences(&self, outputs: &Outputs) -> Vec<String> {
        let mut found = Vec::new();
        for name in &self.outputs {
            found.extend(match outputs.get(name) {
                None => Some(format!("{name}: not written")),
                Some(got) => difference(name, &self.golden(name), &self.kept(name, got)),
            });
        }
        let unexpected = outputs.keys().filter(|name| !self.outputs.contains(name));
        found.extend(unexpected.map(|name| format!("{name}: written, but not expected")));
        found
    }
}

/// Every case below `tests/models` and `examples`.
pub fn cases() -> Vec<Case> {
    let mut folders = Vec::new();
    let mut unvisited = vec![
        workspace().join("tests/models"),
        workspace().join("examples"),
    ];
    while let Some(folder) = unvisited.pop() {
        if folder.join("case.json").is_file() {
            folders.push(folder);
            continue;
        }
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                unvisited.push(path);
            }
        }
    }
    folders.sort();
    folders.into_iter().map(Case::read).collect()
}

pub fn case(name: &str) -> Case {
    cases().into_iter().find(|case| case.name == name).unwrap()
}

fn thinned(text: &[u8], step: usize) -> Vec<u8> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines.step_by(step).flatten().copied().collect()
}

pub fn run_file(path: &Path, backend: BackendKind) -> Result<Outputs, String> {
    run(&path.to_string_lossy(), &FileSources, backend)
}

pub fn run(path: &str, reader: &dyn SourceReader, backend: BackendKind) -> Result<Outputs, String> {
    let options = Options {
        backend,
        ..Options::default()
    };
    run_with(path, reader, &options)
}

pub fn run_with(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
) -> Result<Outputs, String> {
    let store = MemoryStore::new();
    let mut go_on = |_: &_, _, _| ControlFlow::Continue(());
    jlems_rs::run(path, reader, &mut store.clone(), options, &mut go_on)
        .map_err(|failure| failure.render(false))?;
    Ok(named(&store))
}

fn named(store: &MemoryStore) -> Outputs {
    let outputs = store.outputs().into_iter();
    outputs.map(|(name, text)| (plain(&name), text)).collect()
}

/// Runs the first half of the steps with one back end, and the rest from a checkpoint with another.
pub fn run_in_halves(path: &Path, [first, second]: [BackendKind; 2]) -> Result<Outputs, String> {
    let path = path.to_string_lossy();
    let message = |failure: Failure| failure.render(false);
    let options = |backend| Options {
        backend,
        // A checkpoint is due after every step, so any step can be the last one.
        checkpoint_every: Some(f64::MIN_POSITIVE),
        ..Options::default()
    };
    let mut saved = Vec::new();
    let mut to_the_middle = |run: &Simulation, moment: &mut Moment<'_, '_>| {
        if moment.steps < run.steps() / 2 {
            return ControlFlow::Continue(());
        }
        saved = moment.checkpoint().expect("a checkpoint");
        ControlFlow::Break(())
    };
    let (mut lost, reader) = (MemoryStore::new(), &FileSources);
    let half = options(first);
    jlems_rs::run_from(None, &path, reader, &mut lost, &half, &mut to_the_middle)
        .map_err(message)?;
    let checkpoint = Checkpoint::read(&saved).map_err(|error| error.to_string())?;
    let store = MemoryStore::new();
    let rest = options(second);
    let mut go_on = |_: &_, _: &mut Moment<'_, '_>| ControlFlow::Continue(());
    let (from, mut kept) = (Some(checkpoint), store.clone());
    jlems_rs::run_from(from, &path, reader, &mut kept, &rest, &mut go_on).map_err(message)?;
    Ok(named(&store))
}

/// A relative path without `.` and doubled separators, which means the same to a file system.
fn plain(path: &str) -> String {
    let parts = Path::new(path).components();
    let parts = parts.filter(|part| !matches!(part, Component::CurDir));
    parts.collect::<PathBuf>().to_string_lossy().into_owned()
}

/// The first line in which an output differs from its golden, if any does.
pub fn difference(name: &str, golden: &[u8], got: &[u8]) -> Option<String> {
    if golden == got {
        return None;
    }
    let mut expected = golden.split(|&byte| byte == b'\n');
    let mut actual = got.split(|&byte| byte == b'\n');
    let mut number = 0;
    loop {
        number += 1;
        let (line, other) = (expected.next(), actual.next());
        if line == other && line.is_some() {
            continue;
        }
        return Some(format!(
            "{name}, line {number}:\n    expected {}\n    got      {}",
            shown(line),
            shown(other)
        ));
    }
}

fn shown(line: Option<&[u8]>) -> String {
    match line {
        None => "the end of the file".to_owned(),
        Some(line) => format!("{:?}", String::from_utf8_lossy(line)),
    }
}

/// Runs `check` on all items in parallel, and returns its messages in the order of the items.
pub fn check_all<T: Sync>(items: &[T], check: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let messages = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { break };
            let found = check(item);
            messages.lock().unwrap().insert(index, found);
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let messages = messages.into_inner().unwrap();
    assert_eq!(messages.len(), items.len(), "every item is checked");
    messages.into_values().flatten().collect()
}

/// Fails with all messages, if there are any.
pub fn assert_none(messages: &[String], of: usize) {
    assert!(
        messages.is_empty(),
        "{} failures in {of} runs:\n\n{}\n",
        messages.len(),
        messages.join("\n\n")
    );
}
