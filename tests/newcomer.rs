//! Tests of NeuroML files without a simulation, and of recordings in addition to those of a model.

use crate::folder::Folder;
use serde_json::Value;

const NML: &str = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
  CONTENT
</neuroml>
"#;

const CELLS: &str = r#"<iafCell id="quick" leakReversal="-65mV" thresh="-50mV" reset="-70mV" C="100pF" leakConductance="8nS"/>
  <izhikevichCell id="slow" v0="-70mV" thresh="30mV" a="0.02" b="0.2" c="-65" d="8"/>"#;

const NETWORK: &str = r#"<pulseGenerator id="push" delay="1ms" duration="80ms" amplitude="300pA"/>
  <network id="both">
    <population id="line" component="quick" size="3"/>
    <population id="spread" component="slow" type="populationList" size="2">
      <instance id="0"><location x="0" y="0" z="0"/></instance>
      <instance id="1"><location x="9" y="0" z="0"/></instance>
    </population>
    <explicitInput target="line[0]" input="push"/>
    <explicitInput target="line[2]" input="push"/>
  </network>"#;

/// A NeuroML file with two cells, and one with a network of them.
fn models() -> Folder {
    let folder = Folder::new();
    folder.write("cells.nml", &NML.replace("CONTENT", CELLS));
    let network = format!("<include href=\"cells.nml\"/>\n  {NETWORK}");
    folder.write("pair.net.nml", &NML.replace("CONTENT", &network));
    folder
}

#[test]
fn a_network_recommends_its_length_and_step() {
    let folder = models();
    let notes = r#"<network id="both">
    <property tag="recommended_dt_ms" value="0.05"/><property tag="recommended_duration_ms" value=" 30 "/>"#;
    let network = NETWORK.replace(r#"<network id="both">"#, notes);
    folder.write(
        "noted.nml",
        &NML.replace("CONTENT", &format!("{CELLS}{network}")),
    );
    let said = folder.succeed(&["run", "noted.nml"]);
    assert!(said.contains("runs for 30ms in steps of 0.05ms"), "{said}");
    assert!(said.contains("(601 rows)"), "{said}");
    let said = folder.succeed(&["run", "noted.nml", "--length", "10ms"]);
    assert!(said.contains("runs for 10ms in steps of 0.05ms"), "{said}");
    for wrong in ["-3", "long", "", "inf"] {
        let text = folder.read("noted.nml").replace(" 30 ", wrong);
        folder.write("wrong.nml", &text);
        let said = folder.succeed(&["new", "wrong.nml"]);
        assert!(said.contains(r#"length="500ms" step="0.05ms""#), "{said}");
    }
}

/// The lines of a file, split at blanks.
fn table(text: &str) -> Vec<Vec<String>> {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect();
    text.lines().map(words).collect()
}

#[test]
fn a_network_runs_as_the_file_that_new_writes_for_it() {
    let folder = models();
    let said = folder.succeed(&["run", "pair.net.nml", "--length", "90ms"]);
    let expected = "pair.net.nml: the network `both` runs for 90ms in steps of 0.01ms; recorded is line[0]/v, \
                    spread/0/slow/v, the spikes of 3 cells into pair.line.spikes, the spikes of 2 cells into \
                    pair.spread.spikes\n";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("wrote pair.dat (9001 rows)"), "{said}");
    let names = ["pair.dat", "pair.line.spikes", "pair.spread.spikes"];
    let ran = names.map(|name| folder.read(name));
    let firing: Vec<String> = table(&ran[1])
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert!(
        firing.contains(&"0".to_owned()) && firing.contains(&"2".to_owned()),
        "{firing:?}"
    );
    assert!(!firing.contains(&"1".to_owned()));

    let said = folder.succeed(&[
        "new",
        "pair.net.nml",
        "--length",
        "90ms",
        "-o",
        "LEMS_pair.xml",
    ]);
    assert!(
        said.starts_with("wrote LEMS_pair.xml: the network `both`"),
        "{said}"
    );
    for name in names {
        std::fs::remove_file(folder.0.join(name)).unwrap();
    }
    folder.succeed(&["LEMS_pair.xml"]);
    assert_eq!(names.map(|name| folder.read(name)), ran);
    let validated = folder.call(&["validate", "LEMS_pair.xml"]);
    assert!(validated.status.success());
}

#[test]
fn new_writes_over_nothing_and_finds_the_file_from_elsewhere() {
    let folder = models();
    let printed = folder.succeed(&[
        "new",
        "pair.net.nml",
        "--step",
        "0.05 ms",
        "--length",
        "5ms",
    ]);
    assert!(
        printed.contains("length=\"5ms\" step=\"0.05 ms\" target=\"both\""),
        "{printed}"
    );
    folder.write("LEMS_pair.xml", "mine");
    let arguments = ["new", "pair.net.nml", "-o", "LEMS_pair.xml"];
    let message = folder.fail(&arguments, 1);
    assert!(
        message.contains("LEMS_pair.xml is there already") && message.contains("--force"),
        "{message}"
    );
    assert_eq!(folder.read("LEMS_pair.xml"), "mine");
    folder.succeed(&[&arguments[..], &["--force"]].concat());
    assert!(folder.read("LEMS_pair.xml").starts_with("<Lems>"));
    // The new file never overwrites the model, and its include is relative to the new file.
    folder.fail(&["new", "pair.net.nml", "-o", "pair.net.nml", "--force"], 1);
    folder.succeed(&[
        "new",
        "pair.net.nml",
        "--length",
        "1ms",
        "-o",
        "runs/short/LEMS_a.xml",
    ]);
    assert!(
        folder
            .read("runs/short/LEMS_a.xml")
            .contains("file=\"../../pair.net.nml\"")
    );
    folder.succeed(&["runs/short/LEMS_a.xml"]);
    let whole = folder.read("LEMS_pair.xml");
    assert!(
        whole.contains("<Include file=\"pair.net.nml\"/>"),
        "{whole}"
    );
}

#[test]
fn a_cell_runs_without_a_network() {
    let folder = models();
    let message = folder.fail(&["run", "cells.nml"], 1);
    assert!(message.contains("error[E0607]"), "{message}");
    assert!(
        message.contains("`quick` and `slow`") && message.contains("--target quick"),
        "{message}"
    );
    let message = folder.fail(&["run", "cells.nml", "--target", "slwo"], 1);
    assert!(message.contains("did you mean `slow`?"), "{message}");
    let said = folder.succeed(&[
        "run",
        "cells.nml",
        "--target",
        "slow",
        "--length",
        "20ms",
        "--step",
        "0.1ms",
    ]);
    assert!(
        said.contains("one cell `slow` runs for 20ms in steps of 0.1ms"),
        "{said}"
    );
    assert!(said.contains("pop_slow[0]/v"), "{said}");
    let rows = table(&folder.read("cells.dat"));
    assert_eq!(rows.len(), 201);
    assert_eq!(rows[0], ["0.0", "-0.07"]);
    // A network comes before its cells, and included components come last.
    let said = folder.succeed(&["new", "pair.net.nml", "--target", "quick"]);
    assert!(
        said.contains("<population id=\"pop_quick\" component=\"quick\" size=\"1\"/>"),
        "{said}"
    );
    let nothing = NML.replace(
        "CONTENT",
        "<pulseGenerator id=\"p\" delay=\"1ms\" duration=\"1ms\" amplitude=\"1pA\"/>",
    );
    folder.write("inputs.nml", &nothing);
    assert!(
        folder
            .fail(&["run", "inputs.nml"], 1)
            .contains("neither a network nor a cell")
    );
}

#[test]
fn a_cell_may_need_a_temperature() {
    let gate = r#"<ionChannelHH id="warm" conductance="10pS" species="na">
    <gateHHrates id="m" instances="1">
      <q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="20 degC"/>
      <forwardRate type="HHExpRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
      <reverseRate type="HHExpRate" rate="1per_ms" midpoint="-60mV" scale="-20mV"/>
    </gateHHrates>
  </ionChannelHH>
  <pointCellCondBased id="point" C="10 pF" v0="-65mV" thresh="20mV">
    <channelPopulation id="chans" ionChannel="warm" number="100" erev="50mV"/>
  </pointCellCondBased>"#;
    let folder = Folder::with("point.cell.nml", &NML.replace("CONTENT", gate));
    let message = folder.fail(&["run", "point.cell.nml", "--length", "1ms"], 1);
    assert!(message.contains("`--temperature 32degC`"), "{message}");
    let run = |temperature: &str| {
        folder.succeed(&[
            "run",
            "point.cell.nml",
            "--length",
            "1ms",
            "--temperature",
            temperature,
        ]);
        folder.read("point.dat")
    };
    assert_ne!(run("20degC"), run("30 degC"));
}

#[test]
fn what_is_recorded_can_be_chosen_with_wildcards() {
    let folder = models();
    let run = |options: &[&str]| {
        let arguments = [
            "run",
            "pair.net.nml",
            "--length",
            "30ms",
            "--record-file",
            "out/x.dat",
        ];
        folder.succeed(&[&arguments[..], options].concat())
    };
    for (path, columns) in [
        ("line[*]/v", 3),
        ("line[1]/v", 1),
        ("spread[*]/v", 2),
        ("spread/*/slow/U", 2),
        ("*[*]/v", 5),
    ] {
        let said = run(&["--record", path]);
        assert!(!said.contains("spikes"), "{said}");
        let rows = table(&folder.read("out/x.dat"));
        assert_eq!(rows[0].len(), columns + 1, "{path}: {:?}", rows[0]);
    }
    run(&[
        "--record",
        "line[2]/v",
        "--record",
        "spread[*]/v",
        "--spikes",
        "line",
        "--spikes",
        "spread/1/slow",
    ]);
    assert_eq!(table(&folder.read("out/x.dat"))[0].len(), 4);
    assert!(!folder.read("out/x.line.spikes").is_empty());
    assert!(folder.0.join("out/x.spread.spikes").exists());
    for (option, value, expected) in [
        ("--record", "lines[*]/v", "did you mean `line`?"),
        ("--record", "line[0]/w", "error[E0403]"),
        ("--record", "line[*]/*", "cannot be recorded"),
        ("--record", "spread[0]/quick/U", "error[E0421]"),
        ("--record", "spread[*]/quick/U", "error[E0401]"),
        ("--spikes", "spread/1/quick", "error[E0421]"),
        ("--spikes", "nobody", "there is `line` and `spread`"),
    ] {
        let message = folder.fail(&["run", "pair.net.nml", option, value], 1);
        assert!(message.contains(expected), "{value}: {message}");
        let message = folder.fail(&["new", "pair.net.nml", option, value], 1);
        assert!(message.contains(expected), "new, {value}: {message}");
    }
}

#[test]
fn a_lems_file_is_recorded_from_besides_what_it_asks_for() {
    let folder = models();
    folder.succeed(&[
        "new",
        "pair.net.nml",
        "--length",
        "30ms",
        "--record",
        "line[0]/v",
        "-o",
        "LEMS_pair.xml",
    ]);
    folder.succeed(&["LEMS_pair.xml"]);
    let alone = folder.read("pair.dat");
    let text = folder.read("LEMS_pair.xml");
    let said = folder.succeed(&["LEMS_pair.xml", "--spikes", "*", "--record", "line[*]/v"]);
    assert!(said.contains("wrote recorded.dat (3001 rows)"), "{said}");
    assert!(said.contains("wrote recorded.line.spikes"), "{said}");
    assert_eq!(folder.read("pair.dat"), alone);
    assert_eq!(folder.read("LEMS_pair.xml"), text);
    let first = |rows: &str| {
        table(rows)
            .into_iter()
            .map(|row| row[1].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(first(&folder.read("recorded.dat")), first(&alone));
    // The message about a wrong path refers to the option, not to a line of the file.
    let message = folder.fail(&["LEMS_pair.xml", "--record", "line[7]/v"], 1);
    assert!(
        message.contains("--record:") && message.contains("line[7]/v"),
        "{message}"
    );
    let message = folder.fail(&["LEMS_pair.xml", "--target", "both"], 1);
    assert!(message.contains("says itself what it runs"), "{message}");
    let message = folder.fail(&["new", "LEMS_pair.xml"], 1);
    assert!(message.contains("says itself what it runs"), "{message}");
}

#[test]
fn a_plan_is_told_to_machines_too() {
    let folder = models();
    let printed = folder.succeed(&[
        "run",
        "--plan",
        "--json",
        "pair.net.nml",
        "--length",
        "10ms",
    ]);
    let plan: Value = serde_json::from_str(&printed).unwrap();
    let run = &plan["runs"][0];
    assert_eq!(run["steps"], 1000);
    assert_eq!(run["length"], 0.01);
    assert!(run["peak_bytes"].as_u64().unwrap() > 1_000_000);
    assert_eq!(run["files"][0]["path"], "pair.dat");
    assert_eq!(run["files"][0]["rows"], 1001);
    assert_eq!(run["files"][1]["selections"], 3);
    assert_eq!(run["refusals"], Value::Array(Vec::new()));
    assert_eq!(folder.names(), ["cells.nml", "pair.net.nml"]);
    let short = folder.succeed(&[
        "run",
        "--plan",
        "--json",
        "pair.net.nml",
        "--limit",
        "memory=1kB",
    ]);
    let plan: Value = serde_json::from_str(&short).unwrap();
    assert_eq!(plan["runs"][0]["refusals"].as_array().unwrap().len(), 1);
}

#[test]
fn options_that_do_not_go_together_are_both_named() {
    let folder = Folder::with_decay();
    for (arguments, named) in [
        (
            &["validate", "-q", "-v", "LEMS_decay.xml"][..],
            ["--quiet", "--verbose"],
        ),
        (
            &["run", "-q", "-v", "LEMS_decay.xml"],
            ["--quiet", "--verbose"],
        ),
        (
            &[
                "compare",
                "LEMS_decay.xml",
                "--with-files",
                "a",
                "--with",
                "jnml",
            ],
            ["--with-files", "--with"],
        ),
        (
            &["run", "--step", "1ms", "--step", "2ms", "LEMS_decay.xml"],
            ["--step", "multiple times"],
        ),
    ] {
        let message = folder.fail(arguments, 2);
        assert!(
            named.iter().all(|name| message.contains(name)),
            "{arguments:?}: {message}"
        );
        assert!(!message.contains("did you mean"), "{message}");
    }
}

#[test]
fn colours_are_as_the_environment_wants_them() {
    let folder = Folder::new();
    let message = |variable: &str| {
        let mut command = folder.command();
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command
            .env(variable, "1")
            .args(["run", "nothing.xml"])
            .output()
            .unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(message("CLICOLOR_FORCE").contains('\u{1b}'));
    assert!(!message("NO_COLOR").contains('\u{1b}'));
}

#[test]
fn manuals_of_commands_inside_commands_are_there() {
    let folder = Folder::new();
    let page = folder.succeed(&["man", "show", "network"]);
    assert!(page.contains("network") && page.contains("json"), "{page}");
    assert!(
        folder
            .fail(&["man", "show", "netwrk"], 1)
            .contains("did you mean `network`?")
    );
    assert!(folder.succeed(&["man", "new"]).contains("record\\-file"));
    assert!(
        folder
            .succeed(&["completions", "bash"])
            .contains("--spikes")
    );
}

#[cfg(unix)]
#[test]
fn a_model_may_come_through_a_pipe() {
    let folder = Folder::with_decay();
    let script = format!(
        "cat LEMS_decay.xml | {} -q /dev/stdin",
        env!("CARGO_BIN_EXE_jlems-rs")
    );
    let mut shell = std::process::Command::new("sh");
    let status = shell
        .args(["-c", &script])
        .current_dir(&folder.0)
        .status()
        .unwrap();
    assert!(status.success());
    assert_eq!(folder.read("decay.dat").lines().count(), 11);
}
