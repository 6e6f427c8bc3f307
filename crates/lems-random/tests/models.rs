//! Random models run on both back ends.

use std::collections::BTreeSet;

use lems_random::{RandomModel, back_ends, by_ranks, in_halves};

#[test]
fn interpreter_and_machine_code_agree() {
    let mut failed = Vec::new();
    let (mut events, mut variables, mut together, mut interfering) = (0, 0, 0, 0);
    for seed in 0..200 {
        match back_ends(&RandomModel::new(seed, 30)) {
            Ok(passed) => {
                events += passed.events;
                variables += passed.variables;
                together += passed.together;
                interfering += passed.interfering;
            }
            Err(difference) => failed.push(format!("seed {seed}: {difference}")),
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(events > 1_000, "only {events} events");
    assert!(variables > 10_000, "only {variables} variables");
    assert!(together > 50, "only {together} kernels in blocks");
    assert!(
        interfering > 10,
        "only {interfering} with events to one another"
    );
}

#[test]
fn interpreter_and_machine_code_agree_on_cells_with_dendrites() {
    let models = (0..120).map(|seed| RandomModel::with_cells(seed, 40));
    let results: Vec<_> = models
        .map(|model| (model.seed, back_ends(&model)))
        .collect();
    let failed = results.iter().filter_map(|(seed, result)| {
        let difference = result.as_ref().err()?;
        Some(format!("seed {seed}: {difference}"))
    });
    let failed: Vec<String> = failed.collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    let passed = || {
        results
            .iter()
            .filter_map(|(_, result)| result.as_ref().ok())
    };
    let variables: usize = passed().map(|passed| passed.variables).sum();
    assert!(variables > 100_000, "only {variables} variables");
    let finite = passed().filter(|passed| !passed.not_finite).count();
    assert!(finite > 60, "only {finite} without infinities");
}

#[test]
fn a_break_changes_nothing() {
    let models = (0..100).map(|seed| RandomModel::new(seed, 30));
    let results: Vec<_> = models
        .map(|model| (model.seed, in_halves(&model)))
        .collect();
    let failed = results.iter().filter(|(_, result)| result.is_err());
    assert_eq!(failed.count(), 0, "{results:?}");
    let complete = results
        .iter()
        .filter(|(_, result)| matches!(result, Ok(true)));
    assert!(complete.count() > 50, "{results:?}");
}

#[test]
fn any_number_of_ranks_gives_the_same_outputs() {
    let sizes = (2..=5).cycle();
    let results: Vec<_> = (0..60)
        .zip(sizes.clone().zip(sizes.skip(3)))
        .map(|(seed, (size, other))| (seed, by_ranks(&RandomModel::new(seed, 30), size, other)))
        .collect();
    let failed = results.iter().filter(|(_, result)| result.is_err());
    assert_eq!(failed.count(), 0, "{results:?}");
    let shared = results
        .iter()
        .filter_map(|(_, result)| result.as_ref().ok());
    let complete = shared.clone().filter(|shared| shared.is_complete);
    assert!(complete.count() > 30, "{results:?}");
    let cut = shared.filter(|shared| shared.is_cut);
    assert!(cut.count() > 5, "{results:?}");
}

#[test]
fn a_seed_gives_one_model() {
    assert_eq!(RandomModel::new(17, 30).text, RandomModel::new(17, 30).text);
}

#[test]
fn models_use_the_whole_language() {
    let models: Vec<String> = (0..100)
        .map(|seed| RandomModel::new(seed, 30).text)
        .collect();
    let wanted = [
        "<Regime ",
        "<OnEntry>",
        "<Transition ",
        "<OnEvent ",
        "<OnStart>",
        "<EventOut ",
        "<KineticScheme ",
        "<ConditionalDerivedVariable ",
        "<DerivedParameter ",
        "<Property ",
        "<Requirement ",
        "<Tunnel ",
        "<MultiInstantiate ",
        "<ChildInstance ",
        "<Attachments ",
        "<Assign ",
        "<Fixed ",
        "reduce=\"add\"",
        "reduce=\"multiply\"",
        "delay=\"",
        "extends=\"",
        "random(",
        "seed=\"",
        "colour='",
        "sin(",
        "cos(",
        "tan(",
        "sinh(",
        "cosh(",
        "tanh(",
        "exp(",
        "ln(",
        "log(",
        "sqrt(",
        "abs(",
        "ceil(",
        "H(",
        "factorial(",
        ".and.",
        ".or.",
        ".eq.",
        ".neq.",
        ".gt.",
        ".lt.",
        ".geq.",
        ".leq.",
        "^",
    ];
    let missing: BTreeSet<&str> = (wanted.into_iter())
        .filter(|word| !models.iter().any(|model| model.contains(word)))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
