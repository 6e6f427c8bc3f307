//! Tests of the program as it is called from a terminal.

use crate::folder::{DECAY, DECAY_TYPES, Folder};

#[test]
fn every_way_to_run_a_file_writes_the_same_output_to_the_working_directory() {
    let ways: [&[&str]; 7] = [
        &["run", "LEMS_decay.xml"],
        &["LEMS_decay.xml"],
        &["LEMS_decay.xml", "-nogui"],
        &["-nogui", "LEMS_decay.xml"],
        &["run", "LEMS_decay.xml", "-nogui"],
        &["run", "LEMS_decay.xml", "--backend", "interp"],
        &["run", "LEMS_decay.xml", "--quiet"],
    ];
    let mut written = Vec::new();
    for way in ways {
        let folder = Folder::with_decay();
        folder.succeed(way);
        let names = folder.names();
        assert_eq!(
            names,
            ["LEMS_decay.xml", "decay.dat", "decay_types.xml"],
            "{way:?}"
        );
        written.push(folder.read("decay.dat"));
    }
    assert_eq!(written[0].lines().count(), 11);
    assert!(written[0].starts_with("0.0\t1.0\t"), "{}", written[0]);
    assert!(written.iter().all(|text| *text == written[0]));
}

#[test]
fn outputs_go_to_the_working_directory_and_not_to_that_of_the_model() {
    let folder = Folder::new();
    folder.write("models/LEMS_decay.xml", DECAY);
    folder.write("models/decay_types.xml", DECAY_TYPES);
    folder.succeed(&["models/LEMS_decay.xml"]);
    assert_eq!(folder.names(), ["decay.dat", "models"]);
}

#[test]
fn included_files_are_found_in_the_folders_named() {
    let folder = Folder::new();
    folder.write("models/LEMS_decay.xml", DECAY);
    folder.write("types/decay_types.xml", DECAY_TYPES);
    let message = folder.fail(&["models/LEMS_decay.xml"], 1);
    assert!(message.contains("decay_types.xml"), "{message}");
    folder.succeed(&["models/LEMS_decay.xml", "-I", "types"]);
    folder.succeed(&[
        "run",
        "--include",
        "nowhere",
        "-I",
        "types",
        "models/LEMS_decay.xml",
    ]);
    assert_eq!(folder.names(), ["decay.dat", "models", "types"]);
}

#[test]
fn success_is_reported_unless_quiet() {
    let folder = Folder::with_decay();
    let report = folder.succeed(&["LEMS_decay.xml"]);
    assert!(report.contains("10 steps"), "{report}");
    assert!(report.contains("decay.dat"), "{report}");
    assert_eq!(folder.succeed(&["LEMS_decay.xml", "--quiet"]), "");
}

#[test]
fn a_plan_tells_steps_and_rows_and_writes_nothing() {
    let folder = Folder::with_decay();
    let plan = folder.succeed(&["run", "--plan", "LEMS_decay.xml"]);
    for line in [
        "decay                   1         0",
        "steps            10 of 0.1 ms: 1 ms",
        "decay.dat        11 rows of 1 column: about 242 bytes",
    ] {
        assert!(plan.lines().any(|other| other == line), "{line}\n{plan}");
    }
    assert_eq!(folder.names(), ["LEMS_decay.xml", "decay_types.xml"]);
    assert_eq!(folder.succeed(&["--plan", "LEMS_decay.xml"]), plan);
}

#[test]
fn a_plan_of_more_than_memory_holds_is_told_at_once() {
    let folder = Folder::new();
    folder.write(
        "LEMS_many.xml",
        r#"<Lems><Include file="Cells.xml"/><Include file="Networks.xml"/>
             <Include file="Simulation.xml"/>
             <iafTauCell id="c" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
             <network id="n"><population id="p" component="c" size="1000000000"/></network>
             <Simulation id="sim" length="1 ms" step="0.1 ms" target="n"/>
             <Target component="sim"/></Lems>"#,
    );
    let plan = folder.succeed(&["run", "--plan", "LEMS_many.xml"]);
    let cells = plan.lines().find(|line| line.starts_with("iafTauCell"));
    let words: Vec<&str> = cells.unwrap().split_whitespace().collect();
    assert_eq!(words, ["iafTauCell", "1000000000", "0"]);
    assert!(plan.contains("will be refused"), "{plan}");
    let message = folder.fail(&["run", "LEMS_many.xml"], 1);
    assert!(message.contains("100000000 instances"), "{message}");
}

#[test]
fn a_plan_says_what_could_not_be_counted() {
    let folder = Folder::new();
    let write = |test: &str| {
        folder.write(
            "LEMS_herd.xml",
            &format!(
                r#"<Lems><Include file="Simulation.xml"/>
                     <ComponentType name="sheep"/>
                     <ComponentType name="herd"><Parameter name="size" dimension="none"/>
                       <Structure><If test="{test}">
                         <MultiInstantiate number="size" componentType="sheep"/></If></Structure>
                     </ComponentType>
                     <herd id="h" size="3"/>
                     <Simulation id="sim" length="1 ms" step="0.1 ms" target="h"/>
                     <Target component="sim"/></Lems>"#
            ),
        );
        folder.succeed(&["run", "--plan", "LEMS_herd.xml"])
    };
    let told = write("size .gt. 2");
    let sheep = told.lines().find(|line| line.starts_with("sheep"));
    let words: Vec<&str> = sheep.unwrap().split_whitespace().collect();
    assert_eq!(words, ["sheep", "3", "0"]);
    assert!(!told.contains("could not be counted"), "{told}");
    let untold = write("random(size) .gt. 2");
    assert!(
        untold.contains("1 element could not be counted: there may be more."),
        "{untold}"
    );
}

#[test]
fn a_plan_of_a_broken_model_is_its_errors() {
    let folder = Folder::with_decay();
    folder.write("LEMS_decay.xml", &DECAY.replace("tau=", "tua="));
    let message = folder.fail(&["run", "--plan", "LEMS_decay.xml"], 1);
    assert!(message.contains("did you mean `tau`"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let folder = Folder::new();
    let message = folder.fail(&["run", "LEMS_nowhere.xml"], 1);
    assert!(message.contains("LEMS_nowhere.xml"), "{message}");
    assert!(folder.names().is_empty());
}

#[test]
fn a_folder_is_no_model() {
    let folder = Folder::new();
    folder.write("models/empty.txt", "");
    let message = folder.fail(&["models"], 1);
    assert!(message.contains("models"), "{message}");
}

#[test]
fn a_model_without_a_simulation_says_what_to_do() {
    let folder = Folder::new();
    folder.write(
        "cells.nml",
        r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="cells">
             <iafTauCell id="c" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
           </neuroml>"#,
    );
    let message = folder.fail(&["show", "network", "cells.nml"], 1);
    assert!(message.contains("cells.nml"), "{message}");
    assert!(message.contains("help"), "{message}");
    assert!(message.contains("jlems-rs new"), "{message}");
    assert_eq!(folder.names(), ["cells.nml"]);
}

#[test]
fn the_wrong_arguments_are_explained() {
    let folder = Folder::with_decay();
    let message = folder.fail(&[], 2);
    assert!(message.contains("Usage"), "{message}");
    let message = folder.fail(&["--no-such-option", "LEMS_decay.xml"], 2);
    assert!(message.contains("--no-such-option"), "{message}");
    let message = folder.fail(&["LEMS_decay.xml", "--backend", "abacus"], 2);
    assert!(message.contains("abacus"), "{message}");
    assert!(folder.succeed(&["--help"]).contains("Usage"));
    assert!(
        folder
            .succeed(&["--version"])
            .contains(env!("CARGO_PKG_VERSION"))
    );
    assert_eq!(folder.names(), ["LEMS_decay.xml", "decay_types.xml"]);
}

#[test]
fn a_broken_model_leaves_earlier_outputs_alone() {
    let broken = [
        ("not XML", DECAY.replace("</Simulation>", "")),
        (
            "no such type",
            DECAY.replace("<decay id=\"d\" tau=\"10 ms\"/>", "<decoy id=\"d\"/>"),
        ),
        ("no such parameter", DECAY.replace("tau=", "tua=")),
        ("no such unit", DECAY.replace("\"10 ms\"", "\"10 mz\"")),
        ("wrong dimension", DECAY.replace("\"10 ms\"", "\"10 mV\"")),
        (
            "no such component",
            DECAY.replace("target=\"d\"", "target=\"e\""),
        ),
        (
            "no such variable",
            DECAY.replace("quantity=\"x\"", "quantity=\"y\""),
        ),
        (
            "no folder that could be made",
            DECAY.replace("decay.dat", "decay_types.xml/decay.dat"),
        ),
    ];
    for (what, model) in broken {
        assert_ne!(model, DECAY, "{what}");
        let folder = Folder::with_decay();
        folder.write("LEMS_decay.xml", &model);
        folder.write("decay.dat", "from an earlier run\n");
        let message = folder.fail(&["LEMS_decay.xml"], 1);
        assert!(message.starts_with("error"), "{what}: {message}");
        assert_eq!(folder.read("decay.dat"), "from an earlier run\n", "{what}");
        let names = folder.names();
        assert_eq!(
            names,
            ["LEMS_decay.xml", "decay.dat", "decay_types.xml"],
            "{what}"
        );
    }
}

#[test]
fn an_output_replaces_an_earlier_one() {
    let folder = Folder::with_decay();
    folder.write("decay.dat", "from an earlier run\n");
    folder.succeed(&["LEMS_decay.xml"]);
    assert!(folder.read("decay.dat").starts_with("0.0\t1.0\t"));
}

#[test]
fn errors_name_file_line_and_column() {
    let folder = Folder::with_decay();
    folder.write("LEMS_decay.xml", &DECAY.replace("tau=", "tua="));
    let message = folder.fail(&["LEMS_decay.xml"], 1);
    assert!(message.contains("LEMS_decay.xml:4:"), "{message}");
    assert!(message.contains("did you mean `tau`"), "{message}");
}

#[test]
fn a_word_that_is_no_command_or_option_is_told_as_it_was_written() {
    let folder = Folder::with_decay();
    for (words, expected) in [
        (
            &["valdate", "LEMS_decay.xml"][..],
            ["`valdate`", "`validate`"],
        ),
        (
            &["-validate", "LEMS_decay.xml"],
            ["`-validate`", "`jlems-rs jnml`"],
        ),
        (
            &["LEMS_decay.xml", "-neuron"],
            ["`-neuron`", "`jlems-rs jnml`"],
        ),
        (
            &["run", "LEMS_decay.xml", "--sed", "1"],
            ["'--sed'", "'--seed'"],
        ),
        (&["types", "puls"], ["`puls`", "grep -i puls"]),
    ] {
        let status = if words[0] == "types" { 1 } else { 2 };
        let message = folder.fail(words, status);
        for part in expected {
            assert!(message.contains(part), "{words:?}: {message}");
        }
    }
    let message = folder.fail(&["plot", "-o", "x.svg", "x.dat"], 2);
    assert!(
        message.contains("'-o'") && !message.contains("-- -o"),
        "{message}"
    );
}

#[test]
fn the_output_folder_is_made_if_it_is_not_there() {
    let folder = Folder::with_decay();
    folder.succeed(&["LEMS_decay.xml", "--out-dir", "new/one"]);
    assert!(folder.0.join("new/one/decay.dat").exists());
}
