//! What a specification means, and what is wrong with some.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use lems_sweep::{Spec, SweepError};
use proptest::prelude::*;

fn spec(text: &str) -> Spec {
    Spec::read(&format!("model = \"net.xml\"\n{text}")).unwrap()
}

fn settings(spec: &Spec) -> Vec<String> {
    let point = |number| {
        let point = spec.point(number);
        let seed = point.seed.map(|seed| format!("seed={seed}"));
        point.settings().chain(seed).collect::<Vec<_>>().join(" ")
    };
    (0..spec.points()).map(point).collect()
}

#[test]
fn a_grid_has_all_combinations_in_the_order_of_the_text() {
    let spec = spec("seeds = [1, 2]\n[grid]\n\"b/y\" = [\"1 nS\", \"2 nS\"]\n\"a/x\" = [3, 0.5]");
    let expected = [
        "b/y=1 nS a/x=3 seed=1",
        "b/y=1 nS a/x=3 seed=2",
        "b/y=1 nS a/x=0.5 seed=1",
        "b/y=1 nS a/x=0.5 seed=2",
        "b/y=2 nS a/x=3 seed=1",
        "b/y=2 nS a/x=3 seed=2",
        "b/y=2 nS a/x=0.5 seed=1",
        "b/y=2 nS a/x=0.5 seed=2",
    ];
    assert_eq!(settings(&spec), expected);
    let units: Vec<_> = (spec.parameters().map(|own| own.unit.unwrap().0)).collect();
    assert_eq!(units, ["nS", ""]);
}

#[test]
fn ranges_are_linear_or_logarithmic() {
    let linear = spec("[grid]\n\"c/C\" = { from = \"10 pF\", to = \"30 pF\", count = 3 }");
    assert_eq!(settings(&linear), ["c/C=10 pF", "c/C=20 pF", "c/C=30 pF"]);
    let log = spec("[grid]\nc = { from = 1, to = 100, count = 3, scale = \"log\" }");
    assert_eq!(settings(&log), ["c=1", "c=10", "c=100"]);
    let one = spec("[grid]\nc = { from = \"1 s\", to = \"9 s\", count = 1 }");
    assert_eq!(settings(&one), ["c=1 s"]);
}

#[test]
fn parameters_change_together_or_come_from_a_table() {
    let together = spec("[zip]\na = [1, 2]\nb = [\"x\", \"y\"]");
    assert_eq!(settings(&together), ["a=1 b=x", "a=2 b=y"]);
    let text = "model = \"net.xml\"\npoints = \"p.csv\"\n[grid]\nc = [7, 8]";
    let table = |path: &str| {
        assert_eq!(path, "p.csv");
        Ok("a/x, b\n1 mV, 2\n3 mV, 4\n".to_owned())
    };
    let spec = Spec::read_with(text, &table).unwrap();
    let expected = [
        "a/x=1 mV b=2 c=7",
        "a/x=1 mV b=2 c=8",
        "a/x=3 mV b=4 c=7",
        "a/x=3 mV b=4 c=8",
    ];
    assert_eq!(settings(&spec), expected);
}

#[test]
fn random_points_depend_on_the_seed_alone() {
    let text = |seed: i64, method: &str| {
        format!(
            "[random]\ncount = 20\nseed = {seed}\nmethod = \"{method}\"\n[random.values]\n\
             a = {{ from = \"1 mV\", to = \"2 mV\" }}\nb = {{ from = 1, to = 100, scale = \"log\" }}"
        )
    };
    for method in ["uniform", "latin-hypercube"] {
        let first = settings(&spec(&text(1, method)));
        assert_eq!(first.len(), 20);
        assert_eq!(first, settings(&spec(&text(1, method))));
        assert_ne!(first, settings(&spec(&text(2, method))));
    }
}

#[test]
fn a_model_alone_is_one_point() {
    assert_eq!(settings(&spec("")), [""]);
}

/// Each text with a part of the message, and the text that it points at.
const WRONG: [(&str, &str, &str); 18] = [
    ("modle = 1", "unknown field `modle`", "modle"),
    ("[grid]\na = []", "`a` has no values", "a"),
    ("[grid]\na = { from = 1, to = 2 }", "needs a count", "a"),
    (
        "[grid]\na = { from = 1, to = 2, count = 0 }",
        "needs a count",
        "a",
    ),
    (
        "[grid]\na = { from = \"1 mV\", to = \"2 V\", count = 2 }",
        "in `mV` and `to` in `V`",
        "a",
    ),
    (
        "[grid]\na = { from = \"x\", to = 2, count = 2 }",
        "`x` is no number",
        "a",
    ),
    (
        "[grid]\na = { from = 0, to = 2, count = 2, scale = \"log\" }",
        "of one sign",
        "a",
    ),
    (
        "[grid]\na = { from = -1, to = 2, count = 2, scale = \"log\" }",
        "of one sign",
        "a",
    ),
    (
        "[grid]\na = [1]\n[zip]\na = [1]",
        "`a` gets values twice",
        "a",
    ),
    ("[zip]\na = [1]\nb = [1, 2]", "`b` has 2 values", "b"),
    (
        "[random]\ncount = 0\n[random.values]\na = { from = 1, to = 2 }",
        "0 points",
        "0",
    ),
    (
        "[random]\ncount = 1\n[random.values]\na = { from = 1, to = 2, count = 3 }",
        "a count of its own",
        "a",
    ),
    (
        "[random]\ncount = 1000000000000\n[random.values]\na = { from = 1, to = 2 }",
        "1000000000000 points",
        "1000000000000",
    ),
    ("seeds = []", "`seeds` is empty", "[]"),
    ("[record]\nevery = 0", "at least 1", "0"),
    (
        "[record]\nfeatures = [\"median(a/v)\"]",
        "no feature `median`",
        "\"median(a/v)\"",
    ),
    (
        "[record]\nfeatures = [\"mean\"]",
        "`mean` is no feature",
        "\"mean\"",
    ),
    ("seeds = [1", "", ""),
];

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (text, message, place) in WRONG {
        let text = format!("model = \"net.xml\"\n{text}");
        let error = Spec::read(&text).unwrap_err();
        assert!(error.to_string().contains(message), "{text}: {error}");
        let span = error.span().unwrap();
        if !place.is_empty() {
            assert_eq!(&text[span], place, "{text}: {error}");
        }
    }
    assert!(matches!(Spec::read(""), Err(SweepError::Text { .. })));
    let huge: String = (0..10)
        .map(|n| format!("p{n} = {{ from = 0, to = 1, count = 1000 }}\n"))
        .collect();
    let error = Spec::read(&format!("model = \"m\"\n[grid]\n{huge}")).unwrap_err();
    assert!(error.to_string().contains("points"), "{error}");
    for table in ["", "a,b\n", "a,b\n1\n"] {
        let read = |_: &str| Ok(table.to_owned());
        let error = Spec::read_with("model = \"m\"\npoints = \"p.csv\"", &read);
        assert!(matches!(error, Err(SweepError::Points { .. })), "{table}");
    }
}

proptest! {
    /// Any text gives a specification or an error.
    #[test]
    fn no_text_ends_the_program(text in ".*", table in ".*") {
        let _ = Spec::read_with(&text, &|_| Ok(table.clone()));
        let _ = Spec::read(&format!("model = \"m\"\n[grid]\na = {text}"));
    }

    /// All points differ.
    #[test]
    fn points_are_numbered_once(sizes in prop::collection::vec(1_usize..5, 1..4)) {
        let axes: String = sizes.iter().enumerate().map(|(number, size)| {
            let values: Vec<String> = (0..*size).map(|value| value.to_string()).collect();
            format!("p{number} = [{}]\n", values.join(", "))
        }).collect();
        let spec = spec(&format!("[grid]\n{axes}"));
        prop_assert_eq!(spec.points(), sizes.iter().product::<usize>() as u64);
        let mut all = settings(&spec);
        all.sort();
        all.dedup();
        prop_assert_eq!(all.len() as u64, spec.points());
    }
}
