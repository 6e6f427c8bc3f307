//! Every limit that can be set is kept, and told as it is.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "support/folder.rs"]
mod folder;

use std::path::Path;
use std::time::{Duration, Instant};

use folder::{DECAY, Folder};
use jlems_rs::{LIMITS, Limits, Unit, memory};

/// A limit that a small model reaches, and the code of the message.
const REACHED: [(&str, &str); 14] = [
    ("file-bytes=100", "E0108"),
    ("total-bytes=10kB", "E0114"),
    ("files=2", "E0109"),
    ("include-depth=1", "E0110"),
    ("elements=20", "E0112"),
    ("element-depth=3", "E0111"),
    ("instances=7", "E0414"),
    ("memory=1MB", "E0425"),
    ("kernels=1", "E0521"),
    ("statements=2", "E0522"),
    ("events=3", "E0520"),
    ("steps=9", "E0411"),
    ("output-bytes=98", "E0528"),
    ("time=0", "E0523"),
];

/// Spikes that arrive after the end.
const NETWORK: &str = r#"<Lems>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="Simulation.xml"/>
  <spikeGenerator id="clock" period="0.1 ms"/>
  <iafCell id="cell" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="3 nF"
    leakConductance="0.1 uS"/>
  <expOneSynapse id="synapse" gbase="1 nS" erev="0 mV" tauDecay="3 ms"/>
  <network id="net">
    <population id="clocks" component="clock" size="3"/>
    <population id="cells" component="cell" size="3"/>
    <projection id="p" presynapticPopulation="clocks" postsynapticPopulation="cells" synapse="synapse">
      <connectionWD id="0" preCellId="../clocks[0]" postCellId="../cells[0]" weight="1" delay="9 ms"/>
      <connectionWD id="1" preCellId="../clocks[1]" postCellId="../cells[1]" weight="1" delay="9 ms"/>
    </projection>
  </network>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="net">
    <OutputFile id="out" fileName="v.dat">
      <OutputColumn id="v" quantity="cells[0]/v"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#;

fn network() -> Folder {
    Folder::with("LEMS_net.xml", NETWORK)
}

#[test]
fn every_limit_is_kept() {
    let folder = network();
    folder.succeed(&["LEMS_net.xml"]);
    for (name, _) in REACHED {
        assert!(
            LIMITS
                .iter()
                .any(|limit| name.split('=').next() == Some(limit.name))
        );
    }
    for (limit, code) in REACHED {
        let message = folder.fail(&["run", "--limit", limit, "LEMS_net.xml"], 1);
        assert!(
            message.contains(&format!("error[{code}]")),
            "{limit}: {message}"
        );
    }
    assert_eq!(REACHED.len(), LIMITS.len());
}

#[test]
fn limits_that_are_not_reached_change_nothing() {
    let folder = network();
    folder.succeed(&["LEMS_net.xml"]);
    let unlimited = folder.read("v.dat");
    let wide = "--limit files=5000 --limit instances=12 --limit steps=10 --limit time=1h";
    let words: Vec<&str> = wide.split(' ').chain(["LEMS_net.xml"]).collect();
    folder.succeed(&words);
    assert_eq!(folder.read("v.dat"), unlimited);
}

#[test]
fn an_unknown_limit_is_a_wrong_command_line() {
    let folder = network();
    let message = folder.fail(&["run", "--limit", "cells=3", "LEMS_net.xml"], 2);
    assert!(
        message.contains("there are file-bytes, total-bytes,"),
        "{message}"
    );
}

#[test]
fn a_network_that_does_not_fit_is_refused_at_once() {
    let folder = Folder::new();
    folder.write(
        "LEMS_net.xml",
        &NETWORK.replace("size=\"3\"", "size=\"20000000\""),
    );
    let started = Instant::now();
    let message = folder.fail(&["run", "--limit", "memory=1GiB", "LEMS_net.xml"], 1);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(message.contains("more than 1.0 GiB"), "{message}");
    assert!(message.contains("<population id=\"clocks\""), "{message}");
}

#[test]
fn time_is_up_in_a_long_run_and_what_was_recorded_is_kept() {
    let folder = Folder::new();
    folder.write("LEMS_long.xml", &DECAY.replace("\"1 ms\"", "\"1e6 s\""));
    folder.write("decay_types.xml", folder::DECAY_TYPES);
    let started = Instant::now();
    let message = folder.fail(&["run", "--limit", "time=1", "LEMS_long.xml"], 1);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert!(
        message.contains("E0523") && message.contains("kept decay.dat.partial"),
        "{message}"
    );
    assert!(folder.read("decay.dat.partial").ends_with("\t\n"));
}

#[test]
fn outputs_that_will_not_fit_are_refused_before_anything_is_built() {
    let folder = Folder::new();
    folder.write("LEMS_net.xml", &NETWORK.replace("\"1 ms\"", "\"100000 s\""));
    let limit = ["--limit", "output-bytes=8GB"];
    let message = folder.fail(&[&limit[..], &["LEMS_net.xml"]].concat(), 1);
    assert!(
        message.contains("the outputs will have at least 8.4 GiB, more than 7.5 GiB"),
        "{message}"
    );
    assert_eq!(folder.names(), ["LEMS_net.xml"]);
    let plan = [&["run", "--plan"][..], &limit, &["LEMS_net.xml"]].concat();
    assert!(folder.succeed(&plan).contains("It will be refused"));
    let fewer = [&plan[..], &["--every", "2"]].concat();
    assert!(!folder.succeed(&fewer).contains("It will be refused"));
}

#[test]
fn full_lines_are_kept_when_the_outputs_are_full() {
    let folder = Folder::new();
    folder.write("LEMS_long.xml", &DECAY.replace("\"1 ms\"", "\"10 s\""));
    folder.write("decay_types.xml", folder::DECAY_TYPES);
    let message = folder.fail(&["run", "--limit", "output-bytes=1MB", "LEMS_long.xml"], 1);
    assert!(
        message.contains("error[E0528]: the outputs have more than 1000000 bytes")
            && message.contains("kept decay.dat.partial"),
        "{message}"
    );
    let kept = folder.read("decay.dat.partial");
    assert!(kept.ends_with("\t\n") && (999_900..=1_000_000).contains(&kept.len()));
    folder.succeed(&["LEMS_long.xml"]);
    assert!(folder.read("decay.dat").starts_with(&kept));
}

/// A source whose event reaches the last of 41 sinks 2^40 times, all in one step.
fn avalanche() -> String {
    let types = r#"<Lems><Include file="Simulation.xml"/>
  <ComponentType name="source"><EventPort name="spike" direction="out"/>
    <Dynamics><OnCondition test="1 .gt. 0"><EventOut port="spike"/></OnCondition></Dynamics>
  </ComponentType>
  <ComponentType name="sink"><Exposure name="c" dimension="none"/>
    <EventPort name="in" direction="in"/><EventPort name="spike" direction="out"/>
    <Dynamics><StateVariable name="c" dimension="none" exposure="c"/>
      <OnEvent port="in"><StateAssignment variable="c" value="c + 1"/><EventOut port="spike"/>
      </OnEvent></Dynamics>
  </ComponentType>
  <ComponentType name="wire"><Path name="from"/><Path name="to"/>
    <Structure><With instance="from" as="a"/><With instance="to" as="b"/>
      <EventConnection from="a" to="b"/></Structure>
  </ComponentType>
  <ComponentType name="circuit"><Children name="sinks" type="sink"/>
    <Children name="sources" type="source"/><Children name="wires" type="wire"/></ComponentType>
  <circuit id="net"><source id="s"/><wire id="first" from="s" to="k0"/>
"#;
    let wire = |from: usize, to: usize| format!("<wire from=\"k{from}\" to=\"k{to}\"/>");
    let sinks = (0..41).map(|number| format!("<sink id=\"k{number}\"/>"));
    let wires = (0..40).map(|number| wire(number, number + 1).repeat(2));
    let rest = r#"</circuit><Simulation id="sim" length="1 ms" step="0.1 ms" target="net">
    <OutputFile id="out" fileName="c.dat"><OutputColumn id="c" quantity="k0/c"/></OutputFile>
  </Simulation><Target component="sim"/></Lems>"#;
    types.to_owned() + &sinks.chain(wires).collect::<String>() + rest
}

#[test]
fn a_step_without_end_is_stopped() {
    let folder = Folder::new();
    folder.write("LEMS_avalanche.xml", &avalanche());
    let started = Instant::now();
    let message = folder.fail(&["run", "--limit", "time=1", "LEMS_avalanche.xml"], 1);
    assert!(message.contains("error[E0523]"), "{message}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_device_without_end_is_not_read_to_its_end() {
    let folder = Folder::new();
    let message = folder.fail(&["run", "--limit", "file-bytes=1MB", "/dev/zero"], 1);
    assert!(
        message.contains("`/dev/zero` has more than 1000000 bytes"),
        "{message}"
    );
}

/// A row of the table of `docs/limits.md`.
fn row(name: &str, default: &str) -> String {
    format!("| `{name}` | {default} |")
}

#[test]
fn the_table_of_limits_is_complete() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/limits.md");
    let text = std::fs::read_to_string(path).unwrap();
    for limit in &LIMITS {
        let default = match (limit.name, Limits::default().get(limit)) {
            ("memory", _) => "that of the machine".to_owned(),
            (_, usize::MAX) => "none".to_owned(),
            (_, value) if limit.unit == Unit::Bytes => memory::size(value as u64),
            (_, value) => value.to_string(),
        };
        assert!(
            text.contains(&row(limit.name, &default)),
            "{}: {default}",
            limit.name
        );
    }
    let rows = text.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, LIMITS.len());
}
