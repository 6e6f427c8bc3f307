//! Checks the dependencies that each crate must not have, and other rules of the architecture.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::workspace;
use nml2_coretypes::CORE_TYPES;

/// (crate, dependencies that neither it nor any crate of this workspace below it has)
const MAY_NOT_DEPEND: [(&str, &[&str]); 21] = [
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
    ("lems-ranks", &READS_MODELS),
    ("lems-mpi", &READS_MODELS),
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
    (
        "lems-morphology",
        &["lems-document", "lems-model", "roxmltree", "cranelift"],
    ),
    ("lems-swc", &["lems-", "roxmltree", "cranelift"]),
    ("lems-export", &READS_MODELS),
    ("lems-nmodl", &["lems-lower", "lems-engine", "cranelift"]),
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
const OF_A_MACHINE: [&str; 15] = [
    "anstream",
    "cap-std",
    "clap",
    "clap_complete",
    "clap_mangen",
    "indicatif",
    "jiff",
    "lems-host",
    "lems-mpi",
    "lems-plot",
    "libloading",
    "memory-stats",
    "rustix",
    "signal-hook",
    "terminal_size",
];

/// The stages, in the order in which data pass through them.
const STAGES: [&str; 12] = [
    "lems-document",
    "lems-model",
    "lems-network",
    "lems-equations",
    "lems-lower",
    "lems-optimise",
    "lems-jit",
    "lems-engine",
    "lems-ranks",
    "jlems",
    "jlems-rs",
    "jlems-py",
];

/// Where I/O is allowed: the command lines, the module of Python, and the crate that stands for the
/// machine.
const MAY_TOUCH_THE_WORLD: [&str; 4] = [
    "crates/jlems-rs/src/",
    "crates/jlems-py/src/",
    "crates/lems-host/src/",
    "crates/lems-random/src/main.rs",
];

/// Types of NeuroML that appear in help texts of messages only.
const NAMED_IN_MESSAGES: [(&str, &str); 1] =
    [("crates/lems-network/src/error.rs", "networkWithTemperature")];

/// Names of types of NeuroML that are also words of LEMS, of XML Schema, or of messages.
const OTHER_MEANINGS: [&str; 11] = [
    "Meta",
    "Simulation",
    "cell",
    "from",
    "include",
    "instance",
    "parent",
    "path",
    "property",
    "segment",
    "to",
];

/// The only files with `unsafe`: the borders to machine code and to the library of MPI.
const UNSAFE: [&str; 2] = [
    "crates/lems-jit/src/machine.rs",
    "crates/lems-mpi/src/border.rs",
];

/// Two files that import each other can be read as one; three cannot.
const LARGEST_CIRCLE: usize = 2;

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
fn one_crate_each_reads_xml_reads_hdf5_makes_machine_code_and_opens_libraries() {
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
                dependency != "libloading" || name == "lems-mpi",
                "{name} opens libraries"
            );
            assert!(
                !dependency.starts_with("cranelift") || name == "lems-jit",
                "{name} uses {dependency}"
            );
        }
    }
}

#[test]
fn only_the_borders_are_unsafe() {
    let mut used = BTreeSet::new();
    for source in Source::all() {
        let unsafe_words =
            words(&source.code).filter(|word| *word == "unsafe" || *word == "unsafe_code");
        if let Some(border) = UNSAFE.iter().find(|border| **border == source.path) {
            used.extend((unsafe_words.count() > 0).then_some(*border));
        } else {
            assert_eq!(unsafe_words.count(), 0, "{} is unsafe", source.path);
        }
    }
    assert!(
        used.into_iter().eq(UNSAFE),
        "borders are where the test expects them"
    );
    for (name, folder) in crates() {
        let manifest = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        assert!(
            manifest.contains("[lints]\nworkspace = true"),
            "{name} goes without the lints of the workspace"
        );
    }
}

/// The fuzzers are a package of their own, with a lock file that `cargo build --locked` must not want to change.
#[test]
fn the_lock_file_of_the_fuzzers_knows_what_our_crates_depend_on() {
    let path = workspace().join("fuzz/Cargo.lock");
    let lock = std::fs::read_to_string(&path).unwrap();
    let quoted = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
    let mut checked = 0;
    for package in lock.split("[[package]]").skip(1) {
        let line = |key: &str| package.lines().find(|line| line.starts_with(key));
        let name = quoted(line("name").unwrap());
        let is_ours = line("source").is_none();
        if !is_ours || !workspace().join("crates").join(&name).is_dir() {
            continue;
        }
        let listed = package
            .lines()
            .skip_while(|line| !line.starts_with("dependencies"));
        // The version follows a name that several versions have.
        let locked: BTreeSet<String> = (listed.map(quoted))
            .filter_map(|name| name.split(' ').next().map(str::to_owned))
            .filter(|name| !name.is_empty())
            .collect();
        assert_eq!(
            locked,
            dependencies(&name),
            "{name}: run `cargo update --workspace` in `fuzz`"
        );
        checked += 1;
    }
    assert!(checked > 10, "only {checked} crates in the lock file");
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

/// A file that no binary names would be tests that never run.
#[test]
fn every_file_of_tests_is_in_a_binary() {
    let tests = workspace().join("tests");
    let read = |path: &Path| std::fs::read_to_string(path).unwrap();
    let named = read(&tests.join("main.rs"));
    let mut binaries = read(&workspace().join("crates/jlems-rs/Cargo.toml"));
    binaries += &read(&workspace().join("crates/lems-jit/Cargo.toml"));
    let mut files = 0;
    for entry in std::fs::read_dir(&tests).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_named = named.lines().any(|line| line == format!("mod {name};"))
            || binaries.contains(&format!("tests/{name}.rs\""));
        assert!(is_named, "tests/main.rs has no `mod {name};`");
        files += 1;
    }
    assert!(files > 30);
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
    let all = (CORE_TYPES.iter())
        .flat_map(|file| file.text.split("<ComponentType name=\"").skip(1))
        .filter_map(|rest| rest.split('"').next());
    // Some names are plain words, which code may use as such, but not as a text of its own.
    let (types, plain): (BTreeSet<&str>, BTreeSet<&str>) =
        all.partition(|name| is_distinctive(name));
    for expected in [
        "iafCell",
        "pulseGenerator",
        "izhikevich2007Cell",
        "ionChannelHH",
    ] {
        assert!(types.contains(expected), "{expected} is not looked for");
    }
    for expected in ["annotation", "notes", "morphology"] {
        assert!(plain.contains(expected), "{expected} is not looked for");
    }
    let mut found = Vec::new();
    // The crate with NeuroML's core files also has the other rules of NeuroML, and knows how to run
    // a NeuroML file. The layout of networks in HDF5 is specific to NeuroML, too, and so are
    // random cells.
    let is_neuroml = |source: &Source| {
        let places = [
            "nml2-coretypes/src/",
            "crates/lems-hdf5/src/",
            "crates/lems-random/src/cells.rs",
        ];
        places.iter().any(|place| source.path.starts_with(place))
    };
    for source in (Source::all().into_iter()).filter(|source| !is_neuroml(source)) {
        for word in words(&source.code) {
            let named = types.contains(word) || word.to_lowercase().contains("izhikevich");
            if named && !NAMED_IN_MESSAGES.contains(&(source.path.as_str(), word)) {
                found.push(format!("{} names {word}", source.path));
            }
        }
        for text in source.code.split('"').filter(|text| plain.contains(text)) {
            if !OTHER_MEANINGS.contains(&text) {
                found.push(format!("{} names \"{text}\"", source.path));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_files_import_one_another_in_a_large_circle() {
    let sources = Source::all();
    let mut found = Vec::new();
    let names = crates()
        .into_iter()
        .map(|(name, _)| format!("crates/{name}"));
    for name in names.chain(["nml2-coretypes".to_owned()]) {
        let folder = format!("{name}/src/");
        let files: Vec<(&str, &str)> = (sources.iter())
            .filter_map(|source| Some((source.path.strip_prefix(&folder)?, source.code.as_str())))
            .collect();
        assert!(!files.is_empty(), "{name} has files");
        let circles = circles(&imports(&files));
        let large = (circles.iter()).filter(|circle| circle.len() > LARGEST_CIRCLE);
        found.extend(large.map(|circle| format!("{name}: {circle:?} import one another")));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn imports_are_found_in_all_their_forms() {
    let files = [
        (
            "lib.rs",
            "mod a; mod b; mod c; pub use b::{Deep, inner::Thing as Other};",
        ),
        ("a.rs", "use crate::{Deep, c::d::{self, E}};"),
        (
            "b/mod.rs",
            "mod inner; pub use inner::Deep; fn f() { inner::g() }",
        ),
        (
            "b/inner.rs",
            "use super::super::c;\nuse std::fmt::{self, Display};",
        ),
        ("c/mod.rs", "mod d;"),
        ("c/d.rs", "fn f() -> crate::a::A { super::d::E }"),
    ];
    let found = imports(&files);
    let of = |file: &str| found[file].iter().copied().collect::<Vec<_>>();
    // `Deep` is a re-export of a re-export; re-exports themselves import nothing.
    assert_eq!(of("a.rs"), ["b/inner.rs", "c/d.rs"]);
    assert_eq!(of("b/mod.rs"), ["b/inner.rs"]);
    assert_eq!(of("b/inner.rs"), ["c/mod.rs"]);
    assert_eq!(of("c/d.rs"), ["a.rs"]);
    assert!(of("lib.rs").is_empty() && of("c/mod.rs").is_empty());
    assert_eq!(circles(&found), [BTreeSet::from(["a.rs", "c/d.rs"])]);
}

/// The files that each file of a crate imports something from; files are named from `src/`.
fn imports<'f>(files: &[(&'f str, &str)]) -> BTreeMap<&'f str, BTreeSet<&'f str>> {
    let modules = Modules::of(files);
    let mut found = BTreeMap::new();
    for (file, code) in files {
        let module = module_of(file);
        let (uses, rest) = uses_and_rest(code);
        let private = uses.iter().filter(|(is_public, _)| !is_public);
        let paths = private.flat_map(|(_, tree)| paths_of_use(tree));
        let targets = paths
            .chain(paths_in_code(&rest))
            .filter_map(|path| modules.file_of(&module, &path, 0))
            .filter(|target| target != file);
        found.insert(*file, targets.collect());
    }
    found
}

/// Sets of files that all import one another, through further files of the set.
fn circles<'f>(imports: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> Vec<BTreeSet<&'f str>> {
    let reached = |start: &'f str| {
        let mut reached = BTreeSet::new();
        let mut unvisited = vec![start];
        while let Some(file) = unvisited.pop() {
            for target in imports.get(file).into_iter().flatten() {
                if reached.insert(*target) {
                    unvisited.push(target);
                }
            }
        }
        reached
    };
    let all: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (*file, reached(file))).collect();
    let mut circles = BTreeSet::new();
    for (file, reached) in &all {
        let back = reached.iter().filter(|other| all[**other].contains(file));
        let circle: BTreeSet<&str> = back.copied().collect();
        if !circle.is_empty() {
            circles.insert(circle);
        }
    }
    circles.into_iter().collect()
}

/// A module path from the root of a crate, or a path of names in code.
type Names = Vec<String>;

/// The modules of a crate that have files of their own.
struct Modules<'f> {
    files: BTreeMap<Names, &'f str>,
    /// By module: the last name and the whole path of what it re-exports.
    exports: BTreeMap<Names, Vec<(String, Names)>>,
}

impl<'f> Modules<'f> {
    fn of(files: &[(&'f str, &str)]) -> Self {
        let mut modules = Modules {
            files: BTreeMap::new(),
            exports: BTreeMap::new(),
        };
        for (file, code) in files {
            let module = module_of(file);
            let (uses, _) = uses_and_rest(code);
            let public = uses.iter().filter(|(is_public, _)| *is_public);
            let exports = public
                .flat_map(|(_, tree)| paths_of_use(tree))
                .filter_map(|path| Some((path.last()?.clone(), path)))
                .collect();
            modules.exports.insert(module.clone(), exports);
            modules.files.insert(module, file);
        }
        modules
    }

    /// The file that a path in a module leads to, if it is one of the crate.
    fn file_of(&self, module: &Names, path: &[String], depth: usize) -> Option<&'f str> {
        assert!(depth < 20, "{path:?} is re-exported in a circle");
        let mut path = path;
        let mut at = module.clone();
        match path.first().map(String::as_str) {
            Some("crate") => {
                at.clear();
                path = &path[1..];
            }
            Some("self") => path = &path[1..],
            Some("super") => {
                while let Some("super") = path.first().map(String::as_str) {
                    at.pop();
                    path = &path[1..];
                }
            }
            // A child of the module; other crates are none of its children.
            Some(name) if !self.files.contains_key(&child(&at, name)) => return None,
            Some(_) => {}
            None => return None,
        }
        while let Some(name) = path.first() {
            let next = child(&at, name);
            if self.files.contains_key(&next) {
                at = next;
                path = &path[1..];
                continue;
            }
            let exports = self.exports.get(&at)?;
            let export = exports.iter().find(|(exported, _)| exported == name);
            return match export {
                Some((_, target)) => self.file_of(&at, target, depth + 1),
                None => self.files.get(&at).copied(),
            };
        }
        self.files.get(&at).copied()
    }
}

fn child(module: &Names, name: &str) -> Names {
    [module.as_slice(), &[name.to_owned()]].concat()
}

/// `a/b.rs` and `a/b/mod.rs` are module `a::b`, `lib.rs` is the root.
fn module_of(file: &str) -> Names {
    let path = file.trim_end_matches(".rs");
    let names = path.split('/').map(str::to_owned);
    names
        .filter(|name| name != "mod" && name != "lib")
        .collect()
}

/// The trees of all `use` of a file, with whether it is a re-export, and the code without them.
fn uses_and_rest(code: &str) -> (Vec<(bool, String)>, String) {
    let mut uses = Vec::new();
    let mut rest = String::new();
    for statement in code.split_inclusive(';') {
        let start = statement.rfind("use ").filter(|start| {
            let before = statement[..*start].chars().next_back();
            before.is_none_or(char::is_whitespace) && !statement[*start..].contains("fn ")
        });
        match start {
            Some(start) => {
                let before = statement[..start].trim_end();
                let is_public = before.ends_with("pub") || before.ends_with("pub(crate)");
                uses.push((is_public, statement[start + 4..].replace(';', "")));
                rest.push_str(before);
            }
            None => rest.push_str(statement),
        }
    }
    (uses, rest)
}

/// The paths of a `use`: `a::{self, b as c}` gives `a` and `a::b`.
fn paths_of_use(tree: &str) -> Vec<Names> {
    let mut paths = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut current = String::new();
    for letter in tree.chars().chain([',']) {
        match letter {
            '{' => {
                let outer = prefixes.last().cloned().unwrap_or_default();
                prefixes.push(outer + &std::mem::take(&mut current));
            }
            ',' | '}' => {
                if !current.trim().is_empty() {
                    let prefix = prefixes.last().map_or("", String::as_str);
                    let path = format!("{prefix}{current}");
                    let path = path.split(" as ").next().unwrap_or_default().trim();
                    let path = path.trim_end_matches("::self").trim_end_matches("::*");
                    let names = path.split("::").map(|name| name.trim().to_owned());
                    paths.push(names.collect());
                }
                current.clear();
                if letter == '}' {
                    prefixes.pop();
                }
            }
            letter => current.push(letter),
        }
    }
    paths
}

/// Paths of at least two names in code.
fn paths_in_code(code: &str) -> Vec<Names> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == ':';
    (code.split(|letter: char| !is_part(letter)))
        .filter(|path| path.contains("::"))
        .map(|path| path.split("::").map(str::to_owned).collect::<Names>())
        .filter(|path| path.len() > 1 && path.iter().all(|name| !name.contains(':')))
        .map(|path| path.into_iter().filter(|name| !name.is_empty()).collect())
        .collect()
}

/// Whether code has no reason to use this name, such as `iafCell`, unlike `instance`.
fn is_distinctive(name: &str) -> bool {
    name.starts_with(|first: char| first.is_lowercase()) && name.contains(char::is_uppercase)
}

fn is_any_of(dependency: &str, forbidden: &[&str]) -> bool {
    forbidden.iter().any(|name| match name.strip_suffix('-') {
        // Every crate may use mathematical functions, indices, suggestions and the writer of XML.
        Some(_) => {
            let is_common =
                ["lems-math", "lems-index", "lems-suggest", "lems-xml"].contains(&dependency);
            dependency.starts_with(name) && !is_common
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
