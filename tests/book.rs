//! Tests of the book and the READMEs: their commands are run, the output is compared, and their links
//! are followed.
//!
//! On a page, a block marked `sh` is run by `sh -e`, one marked `sh fails` must fail, and one marked
//! `sh no-run` is not run. `python` blocks are run if Python has the modules. The blocks of a page run
//! one after the other in one folder, which initially contains a copy of `examples`. A `text` block
//! after one that is run is its output, in which `…` stands for anything within a line or, on a line
//! by itself, for any lines. An `xml` block with a whole file is written to the file that is named in
//! backticks at the end of the line above. An excerpt must be part of an existing file.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folder::{Folder, files_below};
use crate::support::{assert_none, check_all, workspace};

#[test]
fn every_block_does_what_its_page_says() {
    let tools = Folder::new();
    for name in ["jlems-rs", "jnml"] {
        symlink(env!("CARGO_BIN_EXE_jlems-rs"), tools.0.join(name)).unwrap();
    }
    let pages: Vec<Page> = (pages().iter())
        .map(|path| Page::read(path))
        .filter(|page| !page.blocks.is_empty())
        .collect();
    assert!(pages.len() > 5, "only {} pages", pages.len());
    let failures = check_all(&pages, |page| page.failures(&tools.0));
    assert_none(&failures, pages.len());
}

#[test]
fn every_link_leads_somewhere() {
    let mut failures = Vec::new();
    let mut links = 0;
    for path in pages_below(&workspace()) {
        let text = std::fs::read_to_string(&path).unwrap();
        for target in link_targets(&text) {
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((&target, ""));
            let file = match file {
                "" => path.clone(),
                _ => path.parent().unwrap().join(file),
            };
            if !file.exists() {
                failures.push(format!("{}: no {target}", path.display()));
            } else if !heading.is_empty() && !headings(&file).contains(heading) {
                failures.push(format!("{}: no heading {target}", path.display()));
            }
        }
    }
    assert!(links > 50, "only {links} links");
    assert_none(&failures, links);
}

/// A paragraph of one word in capitals, or a mark of unfinished work, was to be replaced before the page was read.
#[test]
fn no_page_has_a_placeholder() {
    let mut failures = Vec::new();
    let pages = pages_below(&workspace());
    for path in &pages {
        let text = without_code(&std::fs::read_to_string(path).unwrap());
        for line in text.lines().map(str::trim) {
            let is_capital = |c: char| c.is_ascii_uppercase() || c == '_';
            let is_word = line.len() > 3 && line.chars().all(is_capital);
            if is_word || line.contains("TODO") || line.contains("FIXME") {
                failures.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert_none(&failures, pages.len());
}

#[test]
fn the_book_has_all_pages_and_its_links_stay_inside() {
    let docs = workspace().join("docs");
    let summary = std::fs::read_to_string(docs.join("SUMMARY.md")).unwrap();
    let chapters: BTreeSet<PathBuf> = (link_targets(&summary).iter())
        .map(|name| docs.join(name).canonicalize().unwrap())
        .collect();
    let mut failures = Vec::new();
    for page in pages_below(&docs) {
        let name = page.strip_prefix(&docs).unwrap().display();
        let is_decision = page.starts_with(docs.join("decisions"));
        if !is_decision
            && !page.ends_with("SUMMARY.md")
            && !chapters.contains(&page.canonicalize().unwrap())
        {
            failures.push(format!("docs/{name} is not in docs/SUMMARY.md"));
        }
        for target in link_targets(&std::fs::read_to_string(&page).unwrap()) {
            let file = target.split('#').next().unwrap_or_default();
            let leads_to = page.parent().unwrap().join(file);
            if file.ends_with(".md") && !chapters.contains(&leads_to.canonicalize().unwrap()) {
                failures.push(format!(
                    "docs/{name} links to {file}, which is not in docs/SUMMARY.md"
                ));
            }
        }
    }
    assert_none(&failures, chapters.len());
}

#[test]
fn the_page_on_the_language_names_every_element() {
    let docs = workspace().join("docs");
    let support = std::fs::read_to_string(docs.join("support.md")).unwrap();
    let language = std::fs::read_to_string(docs.join("language.md")).unwrap();
    let elements = support.split("## NeuroML").next().unwrap().lines();
    let names = elements.filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let missing: Vec<&str> = names
        .filter(|name| !language.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "not in docs/language.md: {missing:?}");
}

#[test]
fn an_ellipsis_stands_for_anything() {
    assert!(is_as_shown("a 1 b\nc\n", "a … b\nc\n"));
    assert!(is_as_shown("a\nb\nc\nd\n", "a\n…\nd\n"));
    assert!(is_as_shown("a\nd\n", "a\n…\nd\n"));
    assert!(!is_as_shown("a\nb\n", "a\n"));
    assert!(!is_as_shown("a 1 c\n", "a … b\n"));
    assert!(!is_as_shown("a\nb\n", "…\nc\n"));
}

/// The README, the pages of the book and those of the examples.
fn pages() -> Vec<PathBuf> {
    let root = workspace();
    let mut pages = vec![root.join("README.md")];
    for folder in ["docs", "examples"] {
        pages.extend(pages_below(&root.join(folder)));
    }
    pages.retain(|page| !page.starts_with(root.join("docs/reference")));
    pages
}

fn pages_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = files_below(folder);
    files.retain(|path| has_extension(path, &["md"]));
    files
}

fn has_extension(path: &Path, expected: &[&str]) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| expected.contains(&extension))
}

/// A page with its fenced blocks.
struct Page {
    path: PathBuf,
    blocks: Vec<Block>,
}

struct Block {
    line: usize,
    /// The text after the opening fence, such as `sh fails`.
    kind: String,
    /// The line of prose before it.
    above: String,
    text: String,
}

impl Page {
    fn read(path: &Path) -> Page {
        let text = std::fs::read_to_string(path).unwrap();
        let mut blocks: Vec<Block> = Vec::new();
        let (mut inside, mut above) = (false, "");
        for (index, line) in text.lines().enumerate() {
            match (line.strip_prefix("```"), inside) {
                (Some(kind), false) => {
                    inside = true;
                    blocks.push(Block {
                        line: index + 1,
                        kind: kind.to_owned(),
                        above: above.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(_), true) => (inside, above) = (false, ""),
                (None, true) => {
                    let block = blocks.last_mut().unwrap();
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                (None, false) if !line.trim().is_empty() => above = line,
                (None, false) => {}
            }
        }
        Page {
            path: path.to_owned(),
            blocks,
        }
    }

    /// Runs the blocks in a new folder.
    fn failures(&self, tools: &Path) -> Vec<String> {
        let folder = Folder::new();
        for path in ["examples", "nml2-coretypes"]
            .map(|name| files_below(&workspace().join(name)))
            .concat()
        {
            let name = path.strip_prefix(workspace()).unwrap().to_str().unwrap();
            folder.write(name, &std::fs::read_to_string(&path).unwrap());
        }
        let mut failures = Vec::new();
        let mut printed: Option<String> = None;
        for block in &self.blocks {
            let place = format!("{}:{}", self.path.display(), block.line);
            let result = match block.kind.as_str() {
                "sh" | "sh fails" | "python" => {
                    block.run(&folder, tools).map(|output| printed = output)
                }
                "text" => match printed.take() {
                    Some(printed) if !is_as_shown(&printed, &block.text) => {
                        Err(format!("prints this instead:\n{printed}"))
                    }
                    _ => Ok(()),
                },
                "xml" | "toml" => block.keep(&folder),
                // The test of the instructions reads programs.
                "sh no-run" | "python no-run" | "ir" | "nmodl" => Ok(()),
                other => Err(format!("what is a block of `{other}`?")),
            };
            if let Err(message) = result {
                failures.push(format!("{place}: {message}"));
            }
        }
        failures
    }
}

impl Block {
    /// The output of the block; None if this computer cannot run it.
    fn run(&self, folder: &Folder, tools: &Path) -> Result<Option<String>, String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let script = match self.kind.as_str() {
            "python" => {
                folder.write("block.py", &self.text);
                "exec 2>&1; python3 block.py"
            }
            _ => &format!("exec 2>&1; set -e\n{}", self.text),
        };
        let output = Command::new("sh")
            .args(["-c", script])
            .current_dir(&folder.0)
            .env("PATH", format!("{}:{path}", tools.display()))
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let lacks = ["No module named", "python3: not found"];
        if self.kind == "python" && lacks.iter().any(|what| printed.contains(what)) {
            eprintln!("not run: {}", printed.trim());
            return Ok(None);
        }
        match output.status.success() == (self.kind != "sh fails") {
            true => Ok(Some(printed)),
            false => Err(format!("ends with {}:\n{printed}", output.status)),
        }
    }

    /// Writes a whole file, whose name is in the line above. An excerpt must be from an existing file.
    fn keep(&self, folder: &Folder) -> Result<(), String> {
        if ["<?xml", "<Lems", "<neuroml", "model ="]
            .iter()
            .any(|start| self.text.starts_with(start))
        {
            let named = (self.above.strip_suffix(':')).and_then(|line| line.split('`').nth_back(1));
            let name = named.ok_or("the line above does not name the file")?;
            folder.write(name, &self.text);
            return Ok(());
        }
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let excerpt = words(&self.text);
        let stands_in = |path: &PathBuf| {
            has_extension(path, &["xml", "nml"])
                && words(&std::fs::read_to_string(path).unwrap()).contains(&excerpt)
        };
        match files_below(&folder.0).iter().any(stands_in) {
            true => Ok(()),
            false => Err("stands in no file of the examples or of this page".to_owned()),
        }
    }
}

fn is_as_shown(printed: &str, shown: &str) -> bool {
    let printed: Vec<&str> = printed.trim_end().lines().map(str::trim_end).collect();
    let shown: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
    lines_agree(&printed, &shown)
}

fn lines_agree(printed: &[&str], shown: &[&str]) -> bool {
    match (printed, shown) {
        (_, ["…", rest @ ..]) => {
            (0..=printed.len()).any(|skipped| lines_agree(&printed[skipped..], rest))
        }
        ([line, printed @ ..], [pattern, shown @ ..]) => {
            line_agrees(line, pattern) && lines_agree(printed, shown)
        }
        (printed, shown) => printed.is_empty() && shown.is_empty(),
    }
}

fn line_agrees(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('…') else {
        return line == pattern;
    };
    let Some(line) = line.strip_prefix(start) else {
        return false;
    };
    (line.char_indices().map(|(at, _)| at).chain([line.len()]))
        .any(|at| line_agrees(&line[at..], rest))
}

/// The targets of the links of a page, without those on other servers.
fn link_targets(text: &str) -> Vec<String> {
    let mut targets = Vec::new();
    for paragraph in without_code(text).split("](").skip(1) {
        let target = paragraph.split([')', ' ']).next().unwrap_or_default();
        if !target.contains("://") {
            targets.push(target.to_owned());
        }
    }
    targets
}

fn without_code(text: &str) -> String {
    let mut inside = false;
    let mut prose = String::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if !inside {
            let outside_ticks = line.split('`').step_by(2);
            prose.push_str(&outside_ticks.collect::<Vec<_>>().join(" "));
            prose.push('\n');
        }
    }
    prose
}

/// The anchors of the headings of a page.
fn headings(path: &Path) -> BTreeSet<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| line.starts_with('#'));
    lines
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = |letter: &char| letter.is_alphanumeric() || " -_".contains(*letter);
            words
                .chars()
                .filter(kept)
                .collect::<String>()
                .replace(' ', "-")
        })
        .collect()
}
