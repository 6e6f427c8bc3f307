//! Replays the seeds of the fuzzers and the inputs that they found: see `fuzz/README.md`.

#![allow(
    clippy::cast_possible_truncation,
    reason = "the fuzzers make small numbers of random large ones"
)]

#[path = "../fuzz/src/targets.rs"]
mod targets;

use std::path::Path;

/// The bytes of all files of a folder whose names begin with `prefix`.
fn inputs(folder: &str, prefix: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz")
        .join(folder);
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| {
        file.file_name()
            .unwrap()
            .to_string_lossy()
            .starts_with(prefix)
    });
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect()
}

#[test]
fn no_input_of_the_fuzzers_does_harm() {
    for (name, target) in targets::TARGETS {
        let seeds = inputs(&format!("seeds/{name}"), "");
        assert!(!seeds.is_empty(), "{name} starts from nothing");
        for input in seeds.iter().chain(&inputs("found", name)) {
            target(input);
        }
    }
}

#[test]
fn random_inputs_do_no_harm() {
    let mut state: u64 = 1;
    for (_, target) in targets::TARGETS {
        for length in 0..200 {
            let input: Vec<u8> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6364136223846793005)
                        .wrapping_add(1442695040888963407);
                    (state >> 56) as u8
                })
                .collect();
            target(&input);
        }
    }
}

/// The models that the target `cells` makes are to be refused for their trees, not for missing types.
#[test]
fn the_tree_that_the_fuzzers_change_runs() {
    targets::run_unchanged_tree();
}
