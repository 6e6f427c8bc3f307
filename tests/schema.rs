//! Tests of `validate --schema`: files that violate a schema, and schemas that cannot be used.
//!
//! `UPDATE_SNAPSHOTS=1` rewrites the messages of `tests/bad/schema`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::folder::Folder;
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
    let of_schemas = jlems::Code::all().filter(|code| (700..800).contains(&code.0));
    for code in of_schemas.map(|code| code.label(jlems::Severity::Error)) {
        assert!(met.contains(&code), "{code} is in no message");
    }
}

#[test]
fn the_verdict_goes_by_the_file_itself() {
    let folder = with([("inputs.nml", INPUTS), ("LEMS.xml", LEMS)]);
    let said = folder.succeed(&["validate", "--schema", SCHEMA, "inputs.nml", "LEMS.xml"]);
    assert_eq!(said, "inputs.nml: valid\nLEMS.xml: valid\n2 valid, 0 not\n");

    folder.write(
        "inputs.nml",
        &INPUTS.replace("id=\"inputs\"", "id=\"in puts\""),
    );
    for (file, status, told) in [
        ("inputs.nml", 1, "error[E0706]"),
        ("LEMS.xml", 0, "warning[W0706]"),
    ] {
        let output = folder.call(&["validate", "-v", "--schema", SCHEMA, file]);
        assert_eq!(output.status.code(), Some(status));
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(message.contains(told), "{message}");
        assert!(message.contains("--> inputs.nml:1:"), "{message}");
    }
}

#[test]
fn a_type_of_the_model_is_said_to_be_one() {
    let own = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="own">
  <ComponentType name="ramp" extends="basePointCurrent"/>
  <ramp id="r"/>
</neuroml>"#;
    let including = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="both"><include href="own.nml"/></neuroml>"#;
    let folder = with([("own.nml", own), ("both.nml", including)]);
    let message = folder.fail(&["validate", "--no-schema", "own.nml"], 1);
    assert!(
        message.contains("`ramp` is a type of the model, which the schema cannot know"),
        "{message}"
    );
    assert_eq!(message.matches("error[").count(), 1, "{message}");
    folder.succeed(&["validate", "--no-schema", "both.nml"]);
}

#[test]
fn a_schema_is_found() {
    let folder = with([(
        "inputs.nml",
        &INPUTS.replace(
            "Two of them</notes>",
            "Two of them</notes><notes>More</notes>",
        ),
    )]);
    let own = std::fs::read_to_string(bad().join(SCHEMA)).unwrap();
    folder.write(
        "env/lib/python3.12/site-packages/neuroml/nml/NeuroML_v2.9.xsd",
        "no schema",
    );
    folder.write(
        "env/lib/python3.12/site-packages/neuroml/nml/NeuroML_v2.10.1.xsd",
        &own,
    );
    folder.write(
        "env/lib/python3.12/site-packages/neuroml/nml/NeuroML_v2beta5.xsd",
        "no schema",
    );
    folder.write("bin/env/bin/python3", "never run");
    let held_against = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = folder.command();
        for name in ["NEUROML_SCHEMA", "VIRTUAL_ENV", "CONDA_PREFIX", "PATH"] {
            command.env_remove(name);
        }
        for (name, value) in variables {
            command.env(name, folder.0.join(value));
        }
        let arguments = ["validate", "-v", "inputs.nml"];
        let output = command.args(arguments).args(more).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        said.lines().last().unwrap().replace('\\', "/")
    };
    let newest = "site-packages/neuroml/nml/NeuroML_v2.10.1.xsd";
    assert_eq!(
        held_against(&[], &[]),
        "held against the rules of NeuroML 2.3.1"
    );
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        assert!(held_against(&[(name, "env")], &[]).ends_with(newest));
        assert_eq!(
            held_against(&[(name, "env")], &["--no-schema"]),
            held_against(&[], &[])
        );
    }
    folder.write("env/bin/python3", "never run");
    assert!(held_against(&[("PATH", "env/bin")], &[]).ends_with(newest));
    let named = [("NEUROML_SCHEMA", SCHEMA), ("VIRTUAL_ENV", "env")];
    assert!(held_against(&named, &[]).ends_with(&format!("/{SCHEMA}")));
    assert_eq!(
        held_against(&named, &["--schema", SCHEMA]),
        format!("held against {SCHEMA}")
    );
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
    let broken = INPUTS.replace("<notes>", "<include href=\"no.nml\"/><notes>");
    let folder = with([("inputs.nml", &broken), ("no.nml", "<neuroml")]);
    let output = folder.call(&["validate", "--schema", SCHEMA, "inputs.nml"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("error[E0101]") && message.contains("error[E0702]"),
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
    assert_eq!(told[0]["schema"], SCHEMA);
    let plain = folder.call(&["validate", "--json", "--no-schema", "inputs.nml"]);
    let told: Value = serde_json::from_slice(&plain.stdout).unwrap();
    assert_eq!(told[0]["schema"], "the rules of NeuroML 2.3.1");
}
