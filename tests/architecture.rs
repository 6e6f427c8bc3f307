//! Checks the dependencies that each crate must not have, and other rules of the architecture.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use nml2_coretypes::CORE_TYPES;
use support::workspace;

/// (crate, dependencies that neither it nor any crate of this workspace below it has)
const MAY_NOT_DEPEND: [(&str, &[&str]); 15] = [
    ("lems-math", &["roxmltree", "lems-", "cranelift"]),
    (
        "lems-expression",
        &["roxmltree", "lems-document", "cranelift"],
    ),
    ("lems-document", &["lems-", "cranelift"]),
    ("lems-model", &["lems-network", "lems-ir", "cranelift"]),
    ("lems-network", &["lems-ir", "lems-engine", "cranelift"]),
    ("lems-equations", &["lems-ir", "lems-engine", "cranelift"]),
    ("lems-ir", &["roxmltree", "lems-", "cranelift"]),
    ("lems-optimise", &READS_MODELS),
    ("lems-jit", &READS_MODELS),
    (
        "lems-lower",
        &["lems-optimise", "lems-engine", "lems-output", "cranelift"],
    ),
    (
        "lems-schema",
        &[
            "lems-model",
            "lems-expression",
            "nml2-coretypes",
            "cranelift",
        ],
    ),
    (
        "lems-hdf5",
        &["lems-document", "lems-model", "roxmltree", "cranelift"],
    ),
    ("lems-plot", &["lems-", "roxmltree", "cranelift"]),
    (
        "lems-output",
        &["lems-", "roxmltree", "cranelift", "cap-std", "rustix"],
    ),
    ("jlems", &OF_A_MACHINE),
];

/// (crate, dependencies that it does not have directly)
const MAY_NOT_NAME: [(&str, &[&str]); 3] = [
    ("lems-equations", &["roxmltree", "lems-document"]),
    ("lems-lower", &["roxmltree", "lems-document"]),
    ("lems-engine", &["roxmltree", "lems-document", "cranelift"]),
];

/// Crates that read models; no crate that executes them depends on these.
const READS_MODELS: [&str; 5] = [
    "roxmltree",
    "lems-document",
    "lems-expression",
    "lems-model",
    "lems-network",
];

/// Dependencies of a command line, or that touch files, terminal, clock or signals. A library that
/// is built into other programs has none of them.
const OF_A_MACHINE: [&str; 13] = [
    "anstream",
    "cap-std",
    "clap",
    "clap_complete",
    "clap_mangen",
    "indicatif",
    "jiff",
    "lems-host",
    "lems-plot",
    "memory-stats",
    "rustix",
    "signal-hook",
    "terminal_size",
];

/// The stages, in the order in which data pass through them.
const STAGES: [&str; 10] = [
    "lems-document",
    "lems-model",
    "lems-network",
    "lems-equations",
    "lems-lower",
    "lems-optimise",
    "lems-jit",
    "lems-engine",
    "jlems",
    "jlems-rs",
];

/// Where I/O is allowed: the command lines, and the crate that stands for the machine.
const MAY_TOUCH_THE_WORLD: [&str; 3] = [
    "crates/jlems-rs/src/",
    "crates/lems-host/src/",
    "crates/lems-random/src/main.rs",
];

/// Types of NeuroML that appear in help texts of messages only.
const NAMED_IN_MESSAGES: [(&str, &str); 1] =
    [("crates/lems-network/src/error.rs", "networkWithTemperature")];

const WORLD: [&str; 14] = [
    "std::fs",
    "std::env",
    "std::time::Instant",
    "std::net",
    "std::process",
    "std::io::stdin",
    "std::io::stdout",
    "std::io::stderr",
    "print!(",
    "println!(",
    "eprint!(",
    "eprintln!(",
    "Instant::now",
    "SystemTime",
];

#[test]
fn no_crate_depends_on_what_it_must_not_know() {
    let mut found = Vec::new();
    for (name, forbidden) in MAY_NOT_DEPEND {
        for dependency in everything_below(name) {
            if is_any_of(&dependency, forbidden) {
                found.push(format!("{name} is built on {dependency}"));
            }
        }
    }
    for (name, forbidden) in MAY_NOT_NAME {
        for dependency in dependencies(name) {
            if is_any_of(&dependency, forbidden) {
                found.push(format!("{name} depends on {dependency}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_stage_depends_on_a_later_one() {
    for (position, stage) in STAGES.iter().enumerate() {
        let below = everything_below(stage);
        for later in &STAGES[position + 1..] {
            assert!(!below.contains(*later), "{stage} is built on {later}");
        }
    }
}

#[test]
fn one_crate_reads_xml_one_hdf5_and_one_makes_machine_code() {
    for (name, _) in crates() {
        for dependency in dependencies(&name) {
            assert!(
                dependency != "hdf5-pure" || name == "lems-hdf5",
                "{name} reads HDF5"
            );
            assert!(
                dependency != "roxmltree" || name == "lems-document",
                "{name} reads XML"
            );
            assert!(
                !dependency.starts_with("cranelift") || name == "lems-jit",
                "{name} uses {dependency}"
            );
        }
    }
}

#[test]
fn only_the_machine_code_crate_is_unsafe() {
    let mut used = false;
    for source in Source::all() {
        let unsafe_words =
            words(&source.code).filter(|word| *word == "unsafe" || *word == "unsafe_code");
        if source.path.starts_with("crates/lems-jit/src/") {
            used |= unsafe_words.count() > 0;
        } else {
            assert_eq!(unsafe_words.count(), 0, "{} is unsafe", source.path);
        }
    }
    assert!(used, "lems-jit is where the test expects it");
    for (name, folder) in crates() {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} goes without the lints of the workspace"
        );
    }
}

#[test]
fn only_the_command_line_touches_files_terminal_and_clock() {
    let mut found = Vec::new();
    let mut touched = false;
    for source in Source::all() {
        let allowed = MAY_TOUCH_THE_WORLD
            .iter()
            .any(|place| source.path.starts_with(place));
        let code = with_grouped_imports_spelt_out(&source.code);
        for thing in WORLD.iter().filter(|thing| code.contains(**thing)) {
            touched |= allowed;
            if !allowed {
                found.push(format!("{} uses {thing}", source.path));
            }
        }
    }
    assert!(touched, "the command line is where the test expects it");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn grouped_imports_hide_nothing() {
    let code =
        with_grouped_imports_spelt_out("use std::{fmt, fs::File};\nuse std::io::{Read, stdout};");
    assert!(code.contains("std::fs"), "{code}");
    assert!(code.contains("std::io::stdout"), "{code}");
}

#[test]
fn no_code_names_a_component_type_of_neuroml() {
    let types: BTreeSet<&str> = (CORE_TYPES.iter())
        .flat_map(|file| file.text.split("<ComponentType name=\"").skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| is_distinctive(name))
        .collect();
    for expected in [
        "iafCell",
        "pulseGenerator",
        "izhikevich2007Cell",
        "ionChannelHH",
    ] {
        assert!(types.contains(expected), "{expected} is not looked for");
    }
    let mut found = Vec::new();
    // The crate with NeuroML's core files also has the other rules of NeuroML, and knows how to run
    // a NeuroML file. The layout of networks in HDF5 is specific to NeuroML, too.
    let is_neuroml = |source: &Source| {
        let places = ["nml2-coretypes/src/", "crates/lems-hdf5/src/"];
        places.iter().any(|place| source.path.starts_with(place))
    };
    for source in (Source::all().into_iter()).filter(|source| !is_neuroml(source)) {
        for word in words(&source.code) {
            let named = types.contains(word) || word.to_lowercase().contains("izhikevich");
            if named && !NAMED_IN_MESSAGES.contains(&(source.path.as_str(), word)) {
                found.push(format!("{} names {word}", source.path));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Whether code has no reason to use this name, such as `iafCell`, unlike `instance`.
fn is_distinctive(name: &str) -> bool {
    name.starts_with(|first: char| first.is_lowercase()) && name.contains(char::is_uppercase)
}

fn is_any_of(dependency: &str, forbidden: &[&str]) -> bool {
    forbidden.iter().any(|name| match name.strip_suffix('-') {
        // Every crate may use mathematical functions and indices.
        Some(_) => {
            dependency.starts_with(name) && !["lems-math", "lems-index"].contains(&dependency)
        }
        None => dependency == *name || dependency.starts_with(&format!("{name}-")),
    })
}

/// The crates of the workspace and their folders.
fn crates() -> Vec<(String, PathBuf)> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(workspace().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("Cargo.toml").is_file())
        .collect();
    folders.sort();
    let name = |folder: &Path| folder.file_name().unwrap().to_string_lossy().into_owned();
    let named = folders.into_iter().map(|folder| (name(&folder), folder));
    named.collect()
}

/// The direct dependencies of a crate, without those of its tests.
fn dependencies(name: &str) -> BTreeSet<String> {
    let path = workspace().join("crates").join(name).join("Cargo.toml");
    let manifest = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut found = BTreeSet::new();
    let mut section = "";
    for line in manifest.lines().map(str::trim) {
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
            if let Some((kind, name)) = section.rsplit_once('.')
                && is_of_dependencies(kind)
            {
                found.insert(name.to_owned());
            }
        } else if is_of_dependencies(section)
            && let Some(name) = line.split(['.', '=', ' ']).next()
            && !name.is_empty()
            && !name.starts_with('#')
        {
            found.insert(name.to_owned());
        }
    }
    found
}

/// Whether a section lists dependencies: `[dependencies]`, `[build-dependencies]`,
/// `[target.'…'.dependencies]`.
fn is_of_dependencies(section: &str) -> bool {
    section.ends_with("dependencies") && !section.ends_with("dev-dependencies")
}

/// All dependencies of a crate, direct or through other crates of the workspace.
fn everything_below(name: &str) -> BTreeSet<String> {
    let own: BTreeSet<String> = crates().into_iter().map(|(name, _)| name).collect();
    let mut found = BTreeSet::new();
    let mut unvisited = vec![name.to_owned()];
    while let Some(name) = unvisited.pop() {
        for dependency in dependencies(&name) {
            if found.insert(dependency.clone()) && own.contains(&dependency) {
                unvisited.push(dependency);
            }
        }
    }
    found
}

/// A Rust file of a crate without its comments and tests.
struct Source {
    /// Path from the root of the workspace, with `/`.
    path: String,
    code: String,
}

impl Source {
    fn all() -> Vec<Source> {
        let mut sources = Vec::new();
        let mut unvisited: Vec<PathBuf> = crates()
            .into_iter()
            .map(|(_, folder)| folder.join("src"))
            .collect();
        unvisited.push(workspace().join("nml2-coretypes/src"));
        while let Some(path) = unvisited.pop() {
            if path.file_stem().is_some_and(|name| name == "tests") {
                continue;
            }
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).unwrap();
                unvisited.extend(entries.map(|entry| entry.unwrap().path()));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(workspace()).unwrap();
                sources.push(Source {
                    path: path.to_string_lossy().replace('\\', "/"),
                    code: code_of(&text),
                });
            }
        }
        assert!(sources.len() > 50, "only {} Rust files", sources.len());
        sources
    }
}

/// The code without comments, and without the tests at the end of the file.
fn code_of(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text);
    let lines = code.lines().map(|line| match line.split_once("//") {
        Some((before, _)) => before,
        None => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The code, followed by a line for every name in a `use` with braces: for `use std::{fmt, fs};`
/// these are `std::fmt` and `std::fs`.
fn with_grouped_imports_spelt_out(code: &str) -> String {
    let mut spelt_out = code.to_owned();
    for import in code.split("use ").skip(1) {
        let import = import.split(';').next().unwrap_or_default();
        if let Some((prefix, names)) = import.split_once('{') {
            for name in names.split([',', '{', '}']) {
                spelt_out.push_str(&format!("\n{}{}", prefix.trim(), name.trim()));
            }
        }
    }
    spelt_out
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    let words = code.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    words.filter(|word| !word.is_empty())
}
