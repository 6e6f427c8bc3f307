//! Checks that every model in `tests/models` and `examples` writes its golden files byte for byte, on
//! both back ends.

use std::path::Path;

use crate::support::{
    BACKENDS, Outputs, assert_none, cases, check_all, difference, run_file, run_in_halves, run_with,
};
use jlems::{BackendKind, Options};
use lems_host::FileSources;

#[test]
fn every_case_writes_its_goldens() {
    check(run_file);
}

/// Each half of the run uses another back end.
#[test]
fn every_case_writes_its_goldens_in_two_halves() {
    let [jit, interpreter] = BACKENDS;
    check(|path, backend| match backend == jit {
        true => run_in_halves(path, [jit, interpreter]),
        false => run_in_halves(path, [interpreter, jit]),
    });
}

fn check(run: impl Fn(&Path, BackendKind) -> Result<Outputs, String> + Sync) {
    let cases = cases();
    let mut runs = Vec::new();
    for case in &cases {
        for file in std::iter::once(&case.run).chain(&case.same_as) {
            runs.extend(BACKENDS.map(|backend| (case, file, backend)));
        }
    }
    let failures = check_all(&runs, |&(case, file, backend)| {
        let found = match run(&case.folder.join(file), backend) {
            Ok(outputs) => case.differences(&outputs),
            Err(message) => vec![message],
        };
        let place = format!("{}/{file} ({backend:?})", case.name);
        (found.into_iter())
            .map(|message| format!("{place}: {message}"))
            .collect()
    });
    println!("{} runs of {} cases", runs.len(), cases.len());
    assert_none(&failures, runs.len());
}

/// With omitted rows, machine code makes several steps without returning.
#[test]
fn back_ends_agree_on_every_seventh_row() {
    let failures = check_all(&cases(), |case| {
        let path = case.folder.join(&case.run);
        let [jit, interpreter] = BACKENDS.map(|backend| {
            let options = Options {
                backend,
                every: 7,
                ..Options::default()
            };
            run_with(&path.to_string_lossy(), &FileSources, &options).expect("a run")
        });
        assert_eq!(jit.len(), case.outputs.len(), "{}", case.name);
        (interpreter.iter())
            .filter_map(|(name, output)| difference(name, output, &jit[name]))
            .map(|message| format!("{}: {message}", case.name))
            .collect()
    });
    assert_none(&failures, cases().len());
}

#[test]
fn the_cases_of_the_order_of_evaluation_are_all_there() {
    let names: Vec<String> = cases().into_iter().map(|case| case.name).collect();
    for number in 1..=10 {
        let prefix = format!("b{number}-");
        assert!(
            names.iter().any(|name| name.starts_with(&prefix)),
            "no case {prefix}…"
        );
    }
}

#[test]
fn a_difference_names_the_first_line_that_differs() {
    assert_eq!(difference("a.dat", b"1\n2\n", b"1\n2\n"), None);
    let cases: [(&[u8], &str); 3] = [
        (
            b"1\n3\n",
            "a.dat, line 2:\n    expected \"2\"\n    got      \"3\"",
        ),
        (
            b"1\n",
            "a.dat, line 2:\n    expected \"2\"\n    got      \"\"",
        ),
        (
            b"1\n2\n3",
            "a.dat, line 3:\n    expected \"\"\n    got      \"3\"",
        ),
    ];
    for (got, message) in cases {
        assert_eq!(
            difference("a.dat", b"1\n2\n", got).as_deref(),
            Some(message)
        );
    }
}
