//! Runs that several ranks make together write the bytes of one.

use std::path::Path;

use crate::folder::{Folder, Outputs, files_below, outputs_below};

/// Whether a file says what to run.
fn is_runnable(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "xml")
        && std::fs::read_to_string(path).is_ok_and(|text| text.contains("<Target "))
}

/// Status, messages and outputs of a run; reports tell times and are left out.
fn outcome(model: &Path, arguments: &[&str]) -> (Option<i32>, String, Outputs) {
    let outputs = Folder::new();
    let mut command = outputs.command();
    let output = (command.current_dir(model.parent().unwrap()))
        .args(["run", "--quiet", "--out-dir"])
        .arg(&outputs.0)
        .args(arguments)
        .arg(model.file_name().unwrap())
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let messages = messages.replace(&outputs.0.display().to_string(), "");
    (output.status.code(), messages, outputs_below(&outputs.0))
}

#[test]
fn every_model_has_the_same_outputs_by_any_number_of_ranks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["tests/models", "examples"].map(|folder| files_below(&root.join(folder)));
    let mut models = folders.concat();
    models.retain(|path| is_runnable(path));
    assert!(models.len() > 100, "only {} models", models.len());
    models.sort();
    for (number, model) in models.iter().enumerate() {
        let alone = outcome(model, &["--threads", "1"]);
        let ranks = (2 + number % 4).to_string();
        let shared = outcome(model, &["--ranks", &ranks]);
        assert!(shared == alone, "{} by {ranks} ranks", model.display());
        let shared = outcome(model, &["--ranks", "2", "--backend", "interp"]);
        assert!(
            shared == alone,
            "{} by 2 ranks, interpreted",
            model.display()
        );
    }
}

/// Cells in two populations; the second ones become infinite if `rate` is large.
fn two(rate: &str) -> Folder {
    Folder::with_two("1", rate, "20 ms")
}

#[test]
fn a_value_that_is_not_finite_ends_all_ranks_with_the_same_message() {
    let folder = two("1 per_ms");
    let model = folder.0.join("LEMS_two.xml");
    let alone = outcome(&model, &[]);
    assert_eq!(alone.0, Some(1));
    assert!(alone.1.contains("two[2]/x"), "{}", alone.1);
    for ranks in ["2", "3", "7"] {
        assert_eq!(outcome(&model, &["--ranks", ranks]), alone, "{ranks} ranks");
    }
}

#[test]
fn a_checkpoint_is_resumed_by_another_number_of_ranks() {
    let folder = two("0.01 per_ms");
    folder.succeed(&["LEMS_two.xml"]);
    let whole = folder.read("x.dat");
    for (first, then) in [("3", "2"), ("1", "4"), ("2", "1")] {
        let folder = two("0.01 per_ms");
        let begin = ["LEMS_two.xml", "--length", "9.3 ms", "--ranks", first];
        folder.succeed(&[&begin[..], &["--checkpoint", "saved"]].concat());
        assert_ne!(folder.read("x.dat"), whole);
        folder.succeed(&["LEMS_two.xml", "--ranks", then, "--resume", "saved"]);
        assert_eq!(folder.read("x.dat"), whole, "{first} ranks, then {then}");
    }
}

#[test]
fn a_model_that_cannot_be_cut_says_why() {
    let folder = Folder::with_decay();
    let mut command = folder.command();
    let output = command
        .args(["LEMS_decay.xml", "--ranks", "2"])
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && message.contains("it is one instance"),
        "{message}"
    );
}
