//! Tests of includes from the command line: where files are found, and the messages for missing files.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use crate::folder::{DECAY, DECAY_TYPES, Folder};

/// The decay model with one more include after the others.
fn decay_with(include: &str) -> Folder {
    let folder = Folder::with_decay();
    let include = format!("{include}\n  <decay id");
    folder.write("LEMS_decay.xml", &DECAY.replacen("<decay id", &include, 1));
    folder
}

/// The warnings of a run that must succeed.
fn said_by_run(folder: &Folder, arguments: &[&str]) -> String {
    let all = [&["run"], arguments, &["LEMS_decay.xml"]].concat();
    let output = folder.call(&all);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(folder.read("decay.dat").starts_with("0.0\t1.0\t\n"));
    said
}

#[test]
fn a_run_goes_on_without_a_missing_include_and_shows_it() {
    for include in [
        "<Include file=\"lost.nml\"/>",
        "<include href=\"lost.nml\"/>",
        "<notes><include href=\"lost.nml\"/></notes>",
    ] {
        let said = said_by_run(&decay_with(include), &[]);
        assert!(said.contains("warning[W0103]"), "{said}");
        assert!(said.contains("`lost.nml` was not found"), "{said}");
        assert!(said.contains("LEMS_decay.xml:4:"), "{said}");
    }
}

#[test]
fn the_places_that_were_looked_at_are_listed() {
    let folder = decay_with("<Include file=\"/lib/lost.nml\"/>");
    let said = said_by_run(&folder, &["-I", "first", "-I", "second"]);
    assert!(
        said.contains("no `lib/lost.nml` in the working directory, `first`, `second`, nor"),
        "{said}"
    );
}

#[test]
fn a_later_failure_tells_of_the_missing_include_once() {
    for (element, code) in [
        ("<lostType id=\"x\"/>", "E0212"),
        ("<decay id=\"x\" tau=\"1 fortnight\"/>", "E0208"),
    ] {
        let folder = decay_with(&format!("<Include file=\"lost.nml\"/>{element}"));
        let said = folder.fail(&["run", "LEMS_decay.xml"], 1);
        assert!(said.starts_with(&format!("error[{code}]")), "{said}");
        assert_eq!(
            said.matches("`lost.nml` was not found").count(),
            1,
            "{said}"
        );
    }
    let folder = decay_with("<Include file=\"lost.nml\"/>");
    for command in [
        &["run", "LEMS_decay.xml", "--set", "nobody/x=1"] as &[&str],
        &["run", "LEMS_decay.xml", "--step", "0 ms"],
        &["run", "LEMS_decay.xml", "--out-dir", "LEMS_decay.xml/sub"],
        &["run", "LEMS_decay.xml", "--limit", "steps=1"],
        &["run", "--plan", "LEMS_decay.xml", "--set", "nobody/x=1"],
    ] {
        let said = folder.fail(command, 1);
        let count = said.matches("`lost.nml` was not found").count();
        assert_eq!(count, 1, "{command:?}: {said}");
    }
}

#[test]
fn many_errors_do_not_hide_a_missing_include() {
    let many = "<lostType/>".repeat(100);
    let folder = decay_with(&format!("<Include file=\"lost.nml\"/>{many}"));
    let said = folder.fail(&["run", "LEMS_decay.xml"], 1);
    assert!(said.contains("and 80 more errors"), "{said}");
    assert_eq!(
        said.matches("`lost.nml` was not found").count(),
        1,
        "{said}"
    );
}

#[test]
fn machines_are_told_of_a_missing_include_among_the_warnings() {
    for (more, status) in [("", true), ("<lostType/>", false)] {
        let folder = decay_with(&format!("<Include file=\"lost.nml\"/>{more}"));
        let output = folder.call(&["run", "--json", "LEMS_decay.xml"]);
        assert_eq!(output.status.success(), status);
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, warnings) = text.split_once("\"warnings\": [").unwrap();
        let (warnings, errors) = warnings.split_once("\"errors\": [").unwrap();
        assert!(warnings.contains("`lost.nml` was not found"), "{text}");
        assert!(!errors.contains("lost.nml"), "{text}");
    }
}

#[test]
fn validate_and_flatten_tell_of_a_missing_include() {
    let folder = decay_with("<Include file=\"lost.nml\"/>");
    for (command, status) in [("validate", 1), ("flatten", 0)] {
        let output = folder.call(&[command, "LEMS_decay.xml"]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert_eq!(
            said.matches("`lost.nml` was not found").count(),
            1,
            "{said}"
        );
    }
}

#[test]
fn other_warnings_are_counted_beside_those_that_are_shown() {
    let folder = decay_with("<Include file=\"lost.nml\"/><Include file=\"/decay_types.xml\"/>");
    let said = said_by_run(&folder, &[]);
    assert!(said.contains("1 more warning; -v shows it\n"), "{said}");
    assert!(!said.contains("W0115"), "{said}");
    let said = said_by_run(&folder, &["-v"]);
    assert!(said.contains("W0103") && said.contains("W0115"), "{said}");
    assert_eq!(said_by_run(&folder, &["-q"]), "");
}

#[test]
fn a_path_from_the_root_is_searched_below_the_folder_also_in_a_sandbox() {
    let folder = Folder::new();
    folder.write(
        "m/LEMS_decay.xml",
        &DECAY.replace("decay_types", "/parts/decay_types"),
    );
    folder.write("m/parts/decay_types.xml", DECAY_TYPES);
    folder.succeed(&["run", "m/LEMS_decay.xml"]);
    folder.succeed(&["run", "--sandbox", "m/LEMS_decay.xml"]);
    // A path that is really absolute has precedence, except with `--sandbox`.
    let elsewhere = Folder::with("decay_types.xml", "<Lems><lostType/></Lems>");
    let path = elsewhere.0.join("decay_types.xml");
    let path = path.to_str().unwrap();
    folder.write("m/LEMS_decay.xml", &DECAY.replace("decay_types.xml", path));
    folder.write(&format!("m/{path}"), DECAY_TYPES);
    folder.fail(&["run", "m/LEMS_decay.xml"], 1);
    folder.succeed(&["run", "--sandbox", "m/LEMS_decay.xml"]);
}

#[test]
fn files_in_a_circle_are_read_once() {
    let folder = Folder::with_decay();
    let types = DECAY_TYPES.replace("</Lems>", "<Include file=\"LEMS_decay.xml\"/></Lems>");
    folder.write("decay_types.xml", &types);
    let said = said_by_run(&folder, &["-v"]);
    assert!(
        said.contains("warning[W0105]: files include each other"),
        "{said}"
    );
}

#[test]
fn names_in_the_other_unicode_form_and_with_backslashes_are_found() {
    for (written, on_disk) in [
        ("caf\u{e9}.xml", "cafe\u{301}.xml"),
        ("cafe\u{301}.xml", "caf\u{e9}.xml"),
        ("parts\\types.xml", "parts/types.xml"),
        ("par ts/types.xml", "parts/types.xml"),
        ("two words.xml", "two words.xml"),
    ] {
        let folder = Folder::with("LEMS_decay.xml", &DECAY.replace("decay_types.xml", written));
        folder.write(on_disk, DECAY_TYPES);
        let said = said_by_run(&folder, &["-v"]);
        assert_eq!(said.contains("W0115"), written != on_disk, "{said}");
    }
    for (written, meant) in [
        ("Decay_Types.xml", "decay_types.xml"),
        ("cells.xml", "Cells.xml"),
    ] {
        let folder = decay_with(&format!("<Include file=\"{written}\"/>"));
        let said = said_by_run(&folder, &[]);
        assert!(said.contains(&format!("did you mean `{meant}`?")), "{said}");
    }
}

#[test]
fn a_folder_is_no_file() {
    let folder = decay_with("<Include file=\"parts\"/>");
    folder.write("parts/x.xml", "");
    for file in ["LEMS_decay.xml", "parts"] {
        let said = folder.fail(&["run", file], 1);
        assert!(said.contains("E0107"), "{said}");
        assert!(said.contains("`parts`: it is a folder"), "{said}");
    }
}

const CHANNELML: &str = r#"<channelml xmlns="http://morphml.org/channelml/schema">
  <channel_type name="leak"/>
</channelml>"#;

#[test]
fn version_1_is_told_as_another_language() {
    let folder = decay_with("<Include file=\"old.xml\"/>");
    folder.write("old.xml", CHANNELML);
    folder.write(
        "cell.nml",
        "<m:morphml xmlns:m=\"http://morphml.org/morphml/schema\"><m:cells/></m:morphml>",
    );
    for command in [
        ["run", "LEMS_decay.xml"],
        ["run", "old.xml"],
        ["validate", "old.xml"],
        ["validate", "cell.nml"],
    ] {
        let said = folder.fail(&command, 1);
        assert_eq!(said.matches("error").count(), 1, "{said}");
        assert!(
            said.contains("E0116") && said.contains("NeuroML version 1"),
            "{said}"
        );
        assert!(
            said.contains("neuroConstruct") && said.contains("-validatev1"),
            "{said}"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_not_shown() {
    let folder = decay_with("<Include file=\"lost.nml\"/>");
    for bytes in [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x9b31m".as_slice(),
        b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\xb3\x1b[31m",
        b"BZh91AY&SYabcdefghijklmnop\x07\x1b]0;title\x07",
        b"\xff\xfe<\0L\0e\0m\0s\0/\0>\0",
    ] {
        std::fs::write(folder.0.join("lost.nml"), bytes).unwrap();
        for file in ["LEMS_decay.xml", "lost.nml"] {
            let said = folder.fail(&["run", file], 1);
            assert!(
                said.contains("E0107") && said.contains("lost.nml"),
                "{said}"
            );
            let is_shown = |c: char| c == '\n' || !c.is_control();
            assert!(said.chars().all(is_shown) && said.is_ascii(), "{said}");
        }
    }
}

#[test]
fn control_characters_inside_a_text_reach_no_terminal() {
    let folder = Folder::with("a.xml", "<Lems>\n  <a \u{9b}31m x='\u{1b}[31m'/></Lems>");
    for output in [
        folder.call(&["run", "a.xml"]),
        folder.call(&["validate", "a.xml"]),
    ] {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains("error["), "{said}");
        assert!(
            said.chars().all(|c| c == '\n' || !c.is_control()),
            "{said:?}"
        );
    }
}

#[test]
fn the_tag_that_is_not_closed_is_underlined() {
    for (text, place, message) in [
        (
            "<Lems>\n  <a>\n    <b/>\n</Lems>",
            "2:3",
            "`<a>` is not closed before `</Lems>`",
        ),
        (
            "<Lems>\n  <a>\n  </b>\n</Lems>",
            "2:3",
            "`<a>` is not closed before `</b>`",
        ),
        (
            "<Lems>\n  <a/></a>\n  <b/>\n</Lems>",
            "2:7",
            "`</a>` closes nothing",
        ),
        ("<Lems>\n  <a x='1'", "2:3", "the tag `<a` has no `>`"),
        (
            "<Lems>\n  <a x='>'/>\n  <!-- </c> -->\n  <b>\n",
            "4:3",
            "before `<b>` is closed",
        ),
        (
            "<Lems>\n  <a><![CDATA[</Lems>]]></a>",
            "1:1",
            "before `<Lems>` is closed",
        ),
    ] {
        let folder = Folder::with("a.xml", text);
        let said = folder.fail(&["run", "a.xml"], 1);
        assert!(said.contains(message), "{said}");
        assert!(said.contains(&format!("a.xml:{place}\n")), "{said}");
    }
}

const WITHOUT_IDS: &str = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">
  <iafCell id="c" leakConductance="1 nS" leakReversal="-60 mV" thresh="-50 mV" reset="-65 mV" C="9 pF"/>
  <network id="net">
    <population id="cells" component="c" type="populationList" size="2">
      <instance><location x="0" y="0" z="0"/></instance>
      <instance><location x="1" y="0" z="0"/></instance>
    </population>
  </network>
</neuroml>
"#;

#[test]
fn instances_without_ids_are_warned_of() {
    let folder = Folder::with("net.nml", WITHOUT_IDS);
    let output = folder.call(&["validate", "net.nml"]);
    let (said, line) = (output.stderr, output.stdout);
    let said = String::from_utf8(said).unwrap();
    assert!(
        String::from_utf8(line)
            .unwrap()
            .starts_with("net.nml: valid, 1 warning")
    );
    assert!(
        said.contains("W0426") && said.contains("net.nml:5:"),
        "{said}"
    );
    let model = r#"<Lems><Include file="Cells.xml"/><Include file="Networks.xml"/>
      <Include file="Simulation.xml"/><Include file="net.nml"/><Target component="sim"/>
      <Simulation id="sim" length="1 ms" step="0.1 ms" target="net">
        <OutputFile id="o" fileName="o.dat"><OutputColumn id="v" quantity="cells/1/c/v"/></OutputFile>
      </Simulation></Lems>"#;
    folder.write("LEMS_m.xml", model);
    let output = folder.call(&["LEMS_m.xml"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert_eq!(said.matches("W0426").count(), 1, "{said}");
    assert_eq!(folder.read("o.dat").lines().count(), 11);
    folder.write("LEMS_m.xml", &model.replace("cells/1/c", "cells/2/c"));
    folder.fail(&["LEMS_m.xml"], 1);
}
