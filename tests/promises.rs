//! Checks the promises of `docs/threat-model.md` and `docs/dependencies.md`.

use std::collections::BTreeSet;

use crate::support::workspace;

/// The libraries in tables of `docs/dependencies.md`.
fn listed() -> BTreeSet<String> {
    let text = std::fs::read_to_string(workspace().join("docs/dependencies.md")).unwrap();
    (text.lines())
        .filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
        .collect()
}

#[test]
fn every_dependency_has_a_reason() {
    let manifest = std::fs::read_to_string(workspace().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("[workspace.dependencies]\n").unwrap();
    let (section, _) = rest.split_once("\n[").unwrap();
    let used: BTreeSet<String> = (section.lines())
        .filter(|line| !line.contains("path = ") && !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split([' ', '=']).next().unwrap().to_owned())
        .collect();
    assert_eq!(listed(), used);
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let file = workspace().join("crates/lems-jit/src/machine.rs");
    let text = std::fs::read_to_string(file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    // The numbered facts at the head of the file.
    let is_fact = |number: usize| {
        let start = format!("//! {number}. **");
        lines.iter().any(|line| line.starts_with(&start))
    };
    assert!(is_fact(1));
    let mut blocks = 0;
    for (number, line) in lines.iter().enumerate() {
        if line.contains("unsafe {") || line.contains("unsafe impl") {
            blocks += 1;
            let above = &lines[number.saturating_sub(8)..number];
            let reason = above.iter().rev().find_map(|line| {
                let (_, reason) = line.split_once("// SAFETY: ")?;
                Some(reason)
            });
            let reason = reason.unwrap_or_else(|| panic!("line {}: {line}", number + 1));
            let facts = reason.split(|letter: char| !letter.is_ascii_digit());
            let facts: Vec<usize> = facts.filter_map(|fact| fact.parse().ok()).collect();
            assert!(
                !facts.is_empty() && facts.iter().all(|fact| is_fact(*fact)),
                "line {}: {reason}",
                number + 1
            );
        }
    }
    assert!(blocks > 10);
}

#[cfg(target_os = "linux")]
#[test]
fn no_page_is_writable_and_executable_while_machine_code_runs() {
    use std::ops::ControlFlow;

    use jlems::Options;
    use lems_host::FileSources;
    use lems_output::MemoryStore;

    let file = workspace().join("fuzz/seeds/small.xml");
    let mut executable = 0;
    let mut look = |_: &lems_engine::Simulation, _: u64, _: f64| {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        for line in maps.lines() {
            let rights = line.split(' ').nth(1).unwrap();
            assert!(!(rights.contains('w') && rights.contains('x')), "{line}");
            // A mapping of code without a file.
            let anonymous = line.split_whitespace().nth(5).is_none();
            executable += usize::from(rights.contains('x') && anonymous);
        }
        ControlFlow::Continue(())
    };
    let run = jlems::run(
        file.to_str().unwrap(),
        &FileSources,
        &mut MemoryStore::new(),
        &Options::default(),
        &mut look,
    );
    assert!(run.is_ok(), "{run:?}");
    assert!(executable > 0, "machine code is where the test expects it");
}
