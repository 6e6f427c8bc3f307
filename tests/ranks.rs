//! Runs that several ranks make together write the bytes of one.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "support/folder.rs"]
mod folder;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use folder::{DECAY_TYPES, Folder};

/// All files of a folder and those below that say what to run.
fn runnable(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            runnable(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "xml")
            && std::fs::read_to_string(&path).is_ok_and(|text| text.contains("<Target "))
        {
            found.push(path);
        }
    }
}

/// Status, messages and outputs of a run; reports tell times and are left out.
fn outcome(model: &Path, arguments: &[&str]) -> (Option<i32>, String, BTreeMap<String, Vec<u8>>) {
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
    let mut files = BTreeMap::new();
    let mut open = vec![outputs.0.clone()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(&outputs.0).unwrap().display().to_string();
            if path.is_dir() {
                open.push(path);
            } else if !name.contains("report") {
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    (output.status.code(), messages, files)
}

#[test]
fn every_model_has_the_same_outputs_by_any_number_of_ranks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut models = Vec::new();
    runnable(&root.join("tests/models"), &mut models);
    runnable(&root.join("examples"), &mut models);
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

/// Two cells, of which the second becomes infinite if `rate` is large.
fn two(rate: &str) -> String {
    format!(
        r#"<Lems>
  <Include file="Simulation.xml"/>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="decay_types.xml"/>
  <ComponentType name="growing">
    <Parameter name="rate" dimension="per_time"/>
    <Exposure name="x" dimension="none"/>
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <OnStart><StateAssignment variable="x" value="1"/></OnStart>
      <TimeDerivative variable="x" value="x * x * rate"/>
    </Dynamics>
  </ComponentType>
  <decay id="d" tau="10 ms"/>
  <growing id="g" rate="{rate}"/>
  <network id="net">
    <population id="one" component="d" size="3"/>
    <population id="two" component="g" size="3"/>
  </network>
  <Simulation id="sim" length="20 ms" step="0.1 ms" target="net">
    <OutputFile id="out" fileName="x.dat">
      <OutputColumn id="a" quantity="one[0]/x"/>
      <OutputColumn id="b" quantity="two[2]/x"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#
    )
}

#[test]
fn a_value_that_is_not_finite_ends_all_ranks_with_the_same_message() {
    let folder = Folder::with("LEMS_two.xml", &two("1 per_ms"));
    folder.write("decay_types.xml", DECAY_TYPES);
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
    let folder = Folder::with("LEMS_two.xml", &two("0.01 per_ms"));
    folder.write("decay_types.xml", DECAY_TYPES);
    folder.succeed(&["LEMS_two.xml"]);
    let whole = folder.read("x.dat");
    for (first, then) in [("3", "2"), ("1", "4"), ("2", "1")] {
        let folder = Folder::with("LEMS_two.xml", &two("0.01 per_ms"));
        folder.write("decay_types.xml", DECAY_TYPES);
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
