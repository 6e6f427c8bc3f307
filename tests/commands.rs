//! Tests of the subcommands that show something instead of running a model.

#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

const MODEL: &str = r#"<Lems>
  <Target component="sim"/>
  <Include file="NeuroMLCoreDimensions.xml"/>
  <Include file="Simulation.xml"/>
  <ComponentType name="leaky" description="Relaxes
      towards zero.">
    <Parameter name="tau" dimension="time" description="How fast."/>
    <Exposure name="x" dimension="none" description="What relaxes."/>
    <EventPort name="in" direction="in" description="Adds 1."/>
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <TimeDerivative variable="x" value="-x / tau"/>
      <OnStart><StateAssignment variable="x" value="1"/></OnStart>
      <OnEvent port="in"><StateAssignment variable="x" value="x + 1"/></OnEvent>
    </Dynamics>
  </ComponentType>
  <ComponentType name="slow" extends="leaky"/>
  <slow id="d" tau="10 ms" speed="3"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="d">
    <OutputFile id="out" fileName="x.dat"><OutputColumn id="x" quantity="x"/></OutputFile>
  </Simulation>
</Lems>
"#;

/// The folder that all commands run in, with the model.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("commands");
        std::fs::create_dir_all(folder.join("out")).unwrap();
        std::fs::write(folder.join("LEMS_leaky.xml"), MODEL).unwrap();
        folder
    })
}

fn call(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_jlems-rs"))
        .args(arguments)
        .current_dir(folder())
        .output()
        .unwrap()
}

/// The output of a command that must succeed.
fn shown(arguments: &[&str]) -> String {
    let output = call(arguments);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {message}");
    String::from_utf8(output.stdout).unwrap()
}

fn status(arguments: &[&str]) -> (i32, String) {
    let output = call(arguments);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), message)
}

#[test]
fn types_are_listed_with_what_they_extend_and_mean() {
    let core = shown(&["types"]);
    let line = core
        .lines()
        .find(|line| line.starts_with("expOneSynapse "))
        .unwrap();
    assert!(line.contains(" baseConductanceBasedSynapse "), "{line}");
    assert!(core.lines().is_sorted(), "{core}");
    let own = shown(&["types", "LEMS_leaky.xml"]);
    assert!(
        own.lines()
            .any(|line| line.ends_with("Relaxes towards zero.")),
        "{own}"
    );
    assert!(!own.contains("expOneSynapse"), "{own}");
}

#[test]
fn a_type_is_described_with_what_it_inherits() {
    let text = shown(&["describe", "slow", "--in", "LEMS_leaky.xml"]);
    for part in [
        "slow extends leaky\n",
        "\nfrom LEMS_leaky.xml:17\n",
        "\nParameters\n  tau  time (s)  How fast. (of leaky)\n",
        "\nExposures\n  x  none  What relaxes. (of leaky)\n",
        "\nEvent ports\n  in  in  Adds 1. (of leaky)\n",
        "\nDynamics (of leaky)\n  state x: none [exposed]\n  d x/dt = -x / tau\n",
        "\n  at the start:\n    x := 1\n",
        "\n  on an event at in:\n    x := x + 1\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let (code, message) = status(&["describe", "izhikevich2007Cel"]);
    assert_eq!(code, 1);
    assert!(
        message.contains("did you mean `izhikevich2007Cell` or `izhikevichCell`?"),
        "{message}"
    );
}

#[test]
fn misspelt_and_shortened_names_are_answered_with_near_ones() {
    for (name, near) in [
        ("izhikevch", "`izhikevichCell` or `izhikevich2007Cell`?"),
        ("conection", "`connection`"),
        ("voltge", "did you mean `voltage`"),
        ("qqqqqqqq", "`jlems-rs types` lists all"),
    ] {
        let (code, message) = status(&["describe", name]);
        assert_eq!(code, 1);
        assert!(message.contains(near), "{near} in {message}");
    }
    let (code, message) = status(&["types", "--extends", "baseCel"]);
    assert_eq!(code, 1);
    assert!(message.contains("`baseCell`"), "{message}");
}

#[test]
fn a_description_says_what_a_type_holds_and_who_holds_it() {
    let file = "LEMS_parts.xml";
    let model = r#"<Lems>
      <Dimension name="time" t="1"/>
      <Dimension name="speed" l="1" t="-1"/>
      <Unit symbol="min" dimension="time" scale="60"/>
      <Unit symbol="sec" dimension="time"/>
      <Constant name="light" dimension="speed" value="299792458"/>
      <ComponentType name="base">
        <Parameter name="p" dimension="speed" description="Of the base."/>
        <Property name="weight" defaultValue="1"/>
        <Text name="word"/>
      </ComponentType>
      <ComponentType name="part" extends="base" description="A part. It has parts of parts.">
        <Parameter name="p" dimension="speed"/>
        <Parameter name="n" dimension="none"/>
        <Fixed parameter="n" value="3"/>
        <EventPort name="out" direction="out"/>
        <Constant name="c" dimension="time" value="2 sec"/>
        <DerivedParameter name="twice" dimension="time" value="2 * c"/>
        <Requirement name="r" dimension="*"/>
        <Dynamics>
          <ConditionalDerivedVariable name="y"><Case condition="t .gt. c" value="1"/><Case value="0"/></ConditionalDerivedVariable>
          <Regime name="idle" initial="true"><OnEntry><EventOut port="out"/></OnEntry></Regime>
          <OnCondition test="t .gt. c"/>
        </Dynamics>
      </ComponentType>
      <ComponentType name="whole">
        <Children name="parts" type="part"/>
        <Child name="other" type="base"/>
        <Link name="to" type="part"/>
        <ComponentReference name="kind" type="base"/>
        <Attachments name="added" type="part"/>
        <InstanceRequirement name="peer" type="base"/>
        <Structure><MultiInstantiate number="3" component="kind"/></Structure>
      </ComponentType>
    </Lems>"#;
    std::fs::write(folder().join(file), model).unwrap();
    let text = shown(&["describe", "part", "--in", file]);
    for part in [
        "\n  p  speed (m s^-1)   Of the base.\n",
        "\n  n  none fixed to 3\n",
        "\n  twice  time (sec) = 2 * c\n",
        "\n  c  time (sec) = 2 sec\n",
        "\n  weight  none 1 by default  (of base)\n",
        "\n  r  *\n",
        "\n  word  text  (of base)\n",
        "\n  y =\n    1 if t .gt. c\n    0 otherwise\n  when t .gt. c: nothing\n",
        "\n  regime idle (at first):\n    on entry:\n      send an event on out\n",
        "\n  whole  Attachments added\n",
        "\n  whole  InstanceRequirement peer  (any base)\n",
        "\n  whole  Children parts\n",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    let whole = shown(&["describe", "whole", "--in", file]);
    assert!(
        whole.contains("\nStructure\n  3 instances of kind\n"),
        "{whole}"
    );
    assert!(whole.contains("parts  any number of part\n"), "{whole}");
    let base = shown(&["describe", "base", "--in", file]);
    assert!(base.contains("\nextended by part\n"), "{base}");
    assert!(!base.contains("Children parts"), "{base}");
    let shown_in_file = |name| shown(&["describe", name, "--in", file]);
    assert_eq!(
        shown_in_file("min"),
        "min: a unit of time, 1 min is 60.0 sec\n"
    );
    assert_eq!(
        shown_in_file("light"),
        "light: a constant, 299792458.0 m s^-1 (speed)\n"
    );
    assert_eq!(
        shown_in_file("time"),
        "time: a dimension, s in SI base units\nunits: min, sec\n"
    );
}

#[test]
fn descriptions_and_lists_come_as_json() {
    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&shown(arguments)).unwrap()
    };
    let slow = json(&["describe", "slow", "--json", "--in", "LEMS_leaky.xml"]);
    assert_eq!(slow["extends"], serde_json::json!(["leaky"]));
    let tau = &slow["parameters"][0];
    assert_eq!(
        (&tau["name"], &tau["unit"], &tau["from"]),
        (&"tau".into(), &"s".into(), &"leaky".into())
    );
    assert_eq!(slow["dynamics"]["from"], "leaky");
    let start = &slow["dynamics"]["statements"][2];
    assert_eq!(start["element"], "OnStart");
    assert_eq!(start["body"][0]["text"], "x := 1");
    let unit = json(&["describe", "degC", "--json"]);
    assert_eq!(unit[0]["zero"], 273.15);
    let types = json(&["types", "--json", "LEMS_leaky.xml", "--extends", "leaky"]);
    let names: Vec<&str> = types
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["leaky", "slow"]);
    assert_eq!(types[0]["description"], "Relaxes towards zero.");
}

#[test]
fn types_that_extend_a_type_are_listed_however_far_they_are_from_it() {
    let list = shown(&["types", "--extends", "baseCell"]);
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert!(
        names.contains(&"baseCell") && names.contains(&"iafRefCell"),
        "{list}"
    );
    assert!(!names.contains(&"expOneSynapse"), "{list}");
}

#[test]
fn every_core_type_can_be_described() {
    let core = shown(&["types"]);
    assert!(core.lines().count() > 100);
    for name in core
        .lines()
        .step_by(10)
        .filter_map(|line| line.split(' ').next())
    {
        assert!(shown(&["describe", name]).starts_with(name));
    }
}

#[test]
fn kernels_are_listed_and_shown_in_every_form() {
    let list = shown(&["show", "kernel", "LEMS_leaky.xml"]);
    let kernel = list.lines().next().unwrap();
    assert!(
        kernel.starts_with("   0  kernel   ") && kernel.ends_with(" 1 instances"),
        "{list}"
    );
    let show = |form| shown(&["show", "kernel", "LEMS_leaky.xml", "--kernel", "0", form]);
    assert!(show("--ir").contains("step"), "{}", show("--ir"));
    assert!(show("--clif").starts_with("function"), "{}", show("--clif"));
    let assembly = show("--asm");
    assert!(assembly.contains("block0:"), "{assembly}");
    let (code, message) = status(&["show", "kernel", "LEMS_leaky.xml", "--kernel", "99"]);
    assert_eq!(code, 1, "{message}");
    assert_eq!(status(&["show", "kernel", "LEMS_leaky.xml", "--asm"]).0, 2);
    let block = [
        "show",
        "kernel",
        "LEMS_leaky.xml",
        "--kernel",
        "0",
        "--block",
    ];
    for arguments in [&block[..], &[&block[..], &["--clif"]].concat()] {
        let (code, message) = status(arguments);
        let reason = "blocks need at least 4 instances, but it runs for at most 1 at a time";
        assert_ne!(code, 0, "{message}");
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn the_order_of_a_step_is_shown() {
    let order = shown(&["show", "order", "LEMS_leaky.xml"]);
    assert_eq!(order.lines().count(), 1, "{order}");
    assert!(order.contains("[0]"), "{order}");
}

#[test]
fn a_model_is_shown_with_values_that_a_file_leaves_to_others() {
    let text = shown(&["show", "model", "LEMS_leaky.xml", "--set", "d/tau=25 ms"]);
    for expected in [
        "  slow < leaky  (LEMS_leaky.xml; 1 component)",
        "tau = 0.025 s",
        "target -> d",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let told: serde_json::Value =
        serde_json::from_str(&shown(&["show", "model", "LEMS_leaky.xml", "--json"])).unwrap();
    assert_eq!(told["target"], "sim");
    assert_eq!(told["components"][0]["type"], "slow");
    assert_eq!(told["components"][0]["parameters"][0]["value"], 0.01);
    assert_eq!(told["components"][0]["parameters"][0]["unit"], "s");
}

/// A network of two populations and five connections, from an example.
const NETWORK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../examples/izhikevich-network/LEMS_izhikevich_network.xml"
);

#[test]
fn a_network_is_shown_with_what_it_holds_and_records() {
    let told: serde_json::Value =
        serde_json::from_str(&shown(&["show", "network", NETWORK, "--json"])).unwrap();
    let network = &told[0];
    assert_eq!(network["populations"][0]["in"], "pacemakers");
    assert_eq!(network["populations"][0]["size"], 5);
    assert_eq!(network["populations"][0]["component"], "regularSpiking");
    let connections = network["connections"].as_array().unwrap();
    let to_followers = connections.iter().find(|c| c["to"] == "followers").unwrap();
    assert_eq!(to_followers["from"], "pacemakers");
    assert_eq!(to_followers["number"], 17);
    assert_eq!(network["columns"][1]["quantity"], "followers[0]/v");
    assert_eq!(network["columns"][1]["unit"], "V");
    assert_eq!(network["events"][9]["select"], "followers[4]");
    let text = shown(&["show", "network", NETWORK]);
    assert!(
        text.contains("  pacemakers -> followers   17  expOneSynapse\n"),
        "{text}"
    );
}

#[test]
fn a_flat_file_gives_what_its_parts_give() {
    let out = ["flat_out", "whole_out"].map(|name| folder().join(name));
    for folder in &out {
        std::fs::create_dir_all(folder).unwrap();
    }
    let setting = ["--length", "200ms", "--set", "pulse1/amplitude=90 pA"];
    shown(&[&["flatten", NETWORK, "-o", "flat.xml"], &setting[..]].concat());
    shown(&["run", "flat.xml", "--out-dir", "flat_out"]);
    shown(&[&["run", NETWORK, "--out-dir", "whole_out"], &setting[..]].concat());
    let [flat, whole] = out.map(|folder| {
        let read = |name| std::fs::read_to_string(folder.join(name)).unwrap();
        (
            read("izhikevich_network.dat"),
            read("izhikevich_network.spikes"),
        )
    });
    assert!(!whole.1.is_empty());
    assert_eq!(flat, whole);
    let text = std::fs::read_to_string(folder().join("flat.xml")).unwrap();
    assert!(!text.contains("izhikevich_network.net.nml") && text.contains("\"Cells.xml\""));
    assert_eq!(status(&["flatten", "nowhere.xml"]).0, 1);
}

#[test]
fn codes_are_explained() {
    let text = shown(&["explain", "E0216"]);
    assert!(text.starts_with("E0216: "), "{text}");
    assert_eq!(text, shown(&["explain", "e0216"]));
    assert!(shown(&["explain"]).contains("E0501  "));
    assert_eq!(status(&["explain", "E9999"]).0, 2);
}

#[test]
fn a_run_reports_rows_steps_and_time_and_counts_its_warnings() {
    let arguments = ["LEMS_leaky.xml", "--out-dir", "out"];
    let output = call(&arguments);
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(report.contains("wrote out/x.dat (11 rows)"), "{report}");
    assert!(
        report.contains("10 steps of 0.1 ms: 1 ms simulated in "),
        "{report}"
    );
    let (_, brief) = status(&arguments);
    assert_eq!(brief, "1 warning; -v shows it\n");
    let (_, full) = status(&[&arguments[..], &["-v"]].concat());
    assert!(full.starts_with("warning[W0217]: "), "{full}");
    assert!(full.contains("LEMS_leaky.xml:18:"), "{full}");
}

#[test]
fn other_core_types_replace_the_embedded_ones() {
    let arguments = ["types", "--core-types", "../commands"];
    let (code, message) = status(&["types", "--core-types", "out"]);
    assert_eq!(code, 1, "{message}");
    assert!(message.contains("no XML files"), "{message}");
    let (code, message) = status(&arguments);
    assert_eq!(code, 1);
    assert!(message.contains("NeuroMLCoreDimensions.xml"), "{message}");
}

#[test]
fn the_version_names_those_of_the_core_types_and_of_jlems() {
    let version = shown(&["--version"]);
    assert!(version.contains("core types 2.3"), "{version}");
    assert!(version.contains("jLEMS 0.12.0"), "{version}");
}

#[test]
fn the_command_line_must_name_a_file() {
    for arguments in [&["run"][..], &["-v"], &["show"], &["describe"]] {
        assert_eq!(status(arguments).0, 2, "{arguments:?}");
    }
    assert!(shown(&["--help"]).contains("Exit codes"));
}

#[test]
fn a_report_file_says_what_ran_and_how_long_it_took() {
    let model = MODEL
        .replace(
            "<Target component=\"sim\"/>",
            "<Target component=\"sim\" reportFile=\"of.__SIMULATOR__.txt\"/>",
        )
        .replace("x.dat", "reported.dat");
    std::fs::write(folder().join("LEMS_reported.xml"), model).unwrap();
    let said = shown(&["run", "LEMS_reported.xml"]);
    assert!(said.ends_with("wrote of.jlems-rs.txt\n"), "{said}");
    let report = std::fs::read_to_string(folder().join("of.jlems-rs.txt")).unwrap();
    let names: Vec<&str> = report
        .lines()
        .map(|line| line.split('=').next().unwrap())
        .collect();
    assert_eq!(
        names[1..],
        [
            "Simulator",
            "SimulatorVersion",
            "SimulationFile",
            "StartTime",
            "SetupTime",
            "RealSimulationTime",
            "SimulationSaveTime"
        ]
    );
    assert!(report.contains("LEMS_reported.xml"));
}

#[test]
fn users_are_not_warned_of_what_the_core_types_do() {
    let model = MODEL
        .replace("NeuroMLCoreDimensions.xml", "Cells.xml")
        .replace(" speed=\"3\"", "")
        .replace("x.dat", "silent.dat");
    std::fs::write(folder().join("LEMS_silent.xml"), model).unwrap();
    assert_eq!(
        status(&["run", "-v", "LEMS_silent.xml"]),
        (0, String::new())
    );
}
