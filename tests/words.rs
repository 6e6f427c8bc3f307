//! Generates `docs/dev/words.md`, which says what each public type of each crate is.
//!
//! A word is the name of a type that a crate exports at its root or from a public module there; its
//! meaning is the first sentence of the type's documentation. The test fails if the page is out of date;
//! `UPDATE_WORDS=1` updates it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::support::workspace;

/// What the page says before its tables.
const HEAD: &str = "\
# Words

Every type that a crate exports, with the first sentence of its documentation. A test makes this page
(`UPDATE_WORDS=1 cargo test -p jlems-rs --test all words::`). ARCHITECTURE.md explains the words that the whole
project shares, such as shape, kernel and commit.
";

#[test]
fn every_public_type_is_explained() {
    let mut page = HEAD.to_owned();
    let mut unexplained = Vec::new();
    let mut explained = 0;
    for folder in libraries() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let definitions = definitions(&folder.join("src"));
        let mut rows = String::new();
        for word in exported(&folder.join("src/lib.rs")) {
            // What is exported but not defined here is a word of another crate.
            let Some(meanings) = definitions.get(&word) else {
                continue;
            };
            for meaning in meanings {
                // The name of a LEMS element, in backticks, is explained in the book.
                if meaning.split_whitespace().count() < 3 && !meaning.contains('`') {
                    unexplained.push(format!("{name}: {word}"));
                }
                explained += 1;
                let _ = writeln!(rows, "| {word} | {} |", meaning.replace('|', "\\|"));
            }
        }
        if !rows.is_empty() {
            let _ = write!(
                page,
                "\n## {name}\n\n| word | meaning |\n| --- | --- |\n{rows}"
            );
        }
    }
    assert!(explained > 200, "only {explained} types are found");
    assert!(unexplained.is_empty(), "{}", unexplained.join("\n"));
    let path = workspace().join("docs/dev/words.md");
    if std::env::var_os("UPDATE_WORDS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "docs/dev/words.md is stale: run the test with UPDATE_WORDS=1"
    );
}

/// The folders of the crates that are libraries.
fn libraries() -> Vec<PathBuf> {
    let crates = std::fs::read_dir(workspace().join("crates")).unwrap();
    let mut folders: Vec<PathBuf> = crates.map(|entry| entry.unwrap().path()).collect();
    folders.push(workspace().join("nml2-coretypes"));
    folders.retain(|folder| folder.join("src/lib.rs").is_file());
    folders.sort_by_key(|folder| folder.file_name().map(ToOwned::to_owned));
    folders
}

/// The names of types that a crate exports: in `pub use`, as definitions, and in public modules.
fn exported(root: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(root).unwrap();
    let mut names = BTreeSet::new();
    for item in text.split("\npub use ").skip(1) {
        let item = item.split(';').next().unwrap();
        let words = item.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
        names.extend(words.filter(|word| is_type(word)).map(str::to_owned));
    }
    names.extend(defined(&text).into_iter().map(|(name, _)| name));
    for line in text.lines() {
        if let Some(module) = line.strip_prefix("pub mod ") {
            let module = module.trim_end_matches(';');
            let file = root.with_file_name(format!("{module}.rs"));
            let file = match file.is_file() {
                true => file,
                false => root.with_file_name(module).join("mod.rs"),
            };
            names.extend(exported(&file));
        }
    }
    names
}

fn is_type(word: &str) -> bool {
    word.starts_with(|first: char| first.is_uppercase()) && word.contains(char::is_lowercase)
}

/// By the name of a type: what it is, for each type of that name in a folder.
fn definitions(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            for (name, meanings) in definitions(&path) {
                found.entry(name).or_default().extend(meanings);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for (name, meaning) in defined(&std::fs::read_to_string(&path).unwrap()) {
                found.entry(name).or_default().insert(meaning);
            }
        }
    }
    found
}

/// The public types of a file, with the first sentence of what is written above each.
fn defined(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut documentation = String::new();
    for line in text.lines().map(str::trim_start) {
        if let Some(more) = line.strip_prefix("///") {
            // A blank line ends the first paragraph.
            documentation.push_str(if more.is_empty() { "\n" } else { more });
        } else if let Some(name) = type_named(line) {
            let paragraph = documentation.trim().split('\n').next().unwrap_or_default();
            found.push((name.to_owned(), without_links(first_sentence(paragraph))));
            documentation.clear();
        } else if !line.starts_with("#[") && !line.starts_with(')') {
            documentation.clear();
        }
    }
    found
}

/// The type that a line begins to define.
fn type_named(line: &str) -> Option<&str> {
    let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub type "];
    let rest = kinds.iter().find_map(|kind| line.strip_prefix(kind))?;
    let name = rest
        .split(|letter: char| !letter.is_alphanumeric())
        .next()?;
    is_type(name).then_some(name)
}

/// A text without the links of rustdoc: only the words that they are on.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    for part in text.split("](crate::") {
        let rest = match plain.is_empty() {
            true => part,
            false => part.split_once(')').map_or("", |(_, rest)| rest),
        };
        plain.push_str(rest);
    }
    plain.replace("[`", "`").replace("`]", "`")
}

fn first_sentence(text: &str) -> &str {
    let end = text.find(". ").map_or(text.len(), |end| end + 1);
    &text[..end]
}
