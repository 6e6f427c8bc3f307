//! `validate --schema`: files that do not fit a schema, and schemas that cannot be used.
//!
//! `UPDATE_SNAPSHOTS=1` rewrites the messages of `tests/bad/schema`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "support/folder.rs"]
mod folder;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use folder::Folder;
use serde_json::Value;

const SCHEMA: &str = "inputs.xsd";

const INPUTS: &str = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="inputs"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    xsi:schemaLocation="http://www.neuroml.org/schema/neuroml2 nowhere.xsd">
  <notes>Two of them</notes>
  <pulseGenerator id="p" delay="1ms" duration="2 ms" amplitude="1nA"/>
  <pulseGenerator id="q" delay="1.5ms" duration="2ms" amplitude="1nA"/>
</neuroml>
"#;

const LEMS: &str = r#"<Lems>
  <Include file="Cells.xml"/>
  <Include file="Inputs.xml"/>
  <Include file="inputs.nml"/>
</Lems>
"#;

fn bad() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bad/schema")
}

/// A folder with the schema of the tests, and these files.
fn with<const N: usize>(files: [(&str, &str); N]) -> Folder {
    let folder = Folder::new();
    let schema = std::fs::read_to_string(bad().join(SCHEMA)).unwrap();
    folder.write(SCHEMA, &schema);
    for (name, text) in files {
        folder.write(name, text);
    }
    folder
}

#[test]
fn every_bad_file_and_schema_has_its_message() {
    let mut complaints = Vec::new();
    let mut met = BTreeSet::new();
    let entries = std::fs::read_dir(bad()).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| !path.ends_with(SCHEMA) && path.extension().unwrap() != "stderr");
    files.sort();
    assert!(files.len() >= 15);
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap();
        let (schema, file) = match name.ends_with(".xsd") {
            true => (name, "unknown_attribute.nml"),
            false => (SCHEMA, name),
        };
        let output = Command::new(env!("CARGO_BIN_EXE_jlems-rs"))
            .args(["validate", "--schema", schema, file])
            .current_dir(bad())
            .output()
            .unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        for one in message.split("\n\n").filter(|one| one.contains("error[")) {
            if !one.contains("--> ") || !one.contains('^') {
                complaints.push(format!("{name}: no place: {one}"));
            }
            if !one.contains("= help: ") && !one.contains("E0707") {
                complaints.push(format!("{name}: no remedy: {one}"));
            }
            met.insert(one.split(['[', ']']).nth(1).unwrap().to_owned());
        }
        if output.status.code() != Some(1) {
            complaints.push(format!("{name}: status {:?}", output.status.code()));
        }
        let snapshot = path.with_extension("stderr");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&snapshot, &message).unwrap();
        }
        let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
        if message != expected {
            complaints.push(format!("{name}: expected:\n{expected}\ngot:\n{message}"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
    let of_schemas = jlems_rs::Code::all().filter(|code| code.0 >= 700);
    for code in of_schemas.map(|code| code.label(jlems_rs::Severity::Error)) {
        assert!(met.contains(&code), "{code} is in no message");
    }
}

#[test]
fn what_fits_is_valid_and_what_is_included_is_held_too() {
    let folder = with([("inputs.nml", INPUTS), ("LEMS.xml", LEMS)]);
    let said = folder.succeed(&["validate", "--schema", SCHEMA, "inputs.nml", "LEMS.xml"]);
    assert_eq!(said, "inputs.nml: valid\nLEMS.xml: valid\n2 valid, 0 not\n");

    folder.write(
        "inputs.nml",
        &INPUTS.replace("id=\"inputs\"", "id=\"in puts\""),
    );
    for file in ["inputs.nml", "LEMS.xml"] {
        folder.succeed(&["validate", file]);
        let output = folder.call(&["validate", "--schema", SCHEMA, file]);
        assert_eq!(output.status.code(), Some(1));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains("error[E0706]"), "{message}");
        assert!(message.contains("--> inputs.nml:1:"), "{message}");
    }
}

#[test]
fn a_file_of_the_other_language_is_passed_over_and_told() {
    let alone = LEMS.replace("  <Include file=\"inputs.nml\"/>\n", "");
    let folder = with([("inputs.nml", INPUTS), ("LEMS.xml", &alone)]);
    let said = folder.succeed(&["validate", "--schema", SCHEMA, "inputs.nml", "LEMS.xml"]);
    assert!(
        said.contains("LEMS.xml: valid (the schema is not for it)\n"),
        "{said}"
    );

    let output = folder.call(&["validate", "--schema", SCHEMA, "LEMS.xml"]);
    assert_eq!(output.status.code(), Some(1), "a schema for nothing");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("none of the files is of the language"),
        "{message}"
    );
    assert!(
        message.contains("files that begin with `neuroml` are"),
        "{message}"
    );
}

#[test]
fn lems_files_are_held_against_a_schema_of_lems() {
    let folder = with([("inputs.nml", INPUTS), ("LEMS.xml", LEMS)]);
    let schema = |namespace: &str| {
        format!(
            "<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\" {namespace} elementFormDefault=\"qualified\">\
             <xs:element name=\"Lems\"><xs:complexType><xs:sequence><xs:element name=\"Include\" maxOccurs=\"9\">\
             <xs:complexType><xs:attribute name=\"file\" use=\"required\"/></xs:complexType></xs:element>\
             </xs:sequence></xs:complexType></xs:element></xs:schema>"
        )
    };
    folder.write("lems.xsd", &schema(""));
    let said = folder.succeed(&["validate", "--schema", "lems.xsd", "LEMS.xml", "inputs.nml"]);
    assert!(
        said.contains("LEMS.xml: valid\ninputs.nml: valid (the schema is not for it)"),
        "{said}"
    );

    folder.write("lems.xsd", &schema("targetNamespace=\"urn:lems\""));
    let output = folder.call(&["validate", "--schema", "lems.xsd", "LEMS.xml"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("error[E0702]: the schema does not declare `Lems` without a namespace")
    );
    assert!(
        message.contains("write `xmlns=\"urn:lems\"` in it"),
        "{message}"
    );
    assert_eq!(message.matches("error[").count(), 1, "{message}");
}

#[test]
fn the_schema_is_applied_although_the_model_cannot_be_read() {
    let broken = INPUTS.replace("<notes>", "<include href=\"http://nowhere/a.nml\"/><notes>");
    let folder = with([("inputs.nml", &broken), ("no.nml", "<neuroml")]);
    let output = folder.call(&["validate", "--schema", SCHEMA, "inputs.nml"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("error[E0106]") && message.contains("error[E0702]"),
        "{message}"
    );

    let output = folder.call(&["validate", "--schema", SCHEMA, "no.nml"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("error[E0101]"), "{message}");
    assert_eq!(message.matches("error[").count(), 1, "{message}");

    let output = folder.call(&["validate", "--schema", "nowhere.xsd", "inputs.nml"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("there is no file `nowhere.xsd`"),
        "{message}"
    );
}

#[test]
fn machines_are_told_how_many_files_were_held() {
    let folder = with([("inputs.nml", INPUTS), ("LEMS.xml", LEMS)]);
    let output = folder.call(&[
        "validate",
        "--json",
        "--schema",
        SCHEMA,
        "LEMS.xml",
        "inputs.nml",
    ]);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&told[0]["valid"], &told[0]["held_against_schema"]),
        (&Value::Bool(true), &Value::from(1))
    );
    let plain = folder.call(&["validate", "--json", "inputs.nml"]);
    let told: Value = serde_json::from_slice(&plain.stdout).unwrap();
    assert_eq!(told[0].get("held_against_schema"), None);
}
