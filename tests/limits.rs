//! Checks that every limit that can be set is enforced and documented correctly.

use crate::folder;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::folder::{DECAY, Folder};
use jlems::{LIMITS, Limits, Unit, memory};

/// Limits that a small model reaches, each with the code of the message.
const REACHED: [(&str, &str); 17] = [
    ("file-bytes=100", "E0108"),
    ("total-bytes=10kB", "E0114"),
    ("files=2", "E0109"),
    ("include-depth=1", "E0110"),
    ("elements=20", "E0112"),
    ("element-depth=3", "E0111"),
    ("attributes=3", "E0130"),
    ("prefixes=0", "E0131"),
    ("instances=7", "E0414"),
    ("memory=1MB", "E0425"),
    ("kernels=1", "E0521"),
    ("statements=2", "E0522"),
    ("events=3", "E0520"),
    ("deliveries=0", "E0551"),
    ("steps=9", "E0411"),
    ("output-bytes=98", "E0528"),
    ("time=0", "E0523"),
];

/// A network with spikes that arrive after the end, and with some that arrive at once.
const NETWORK: &str = r#"<Lems xmlns="http://www.neuroml.org/lems/0.7.6">
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
      <connectionWD id="2" preCellId="../clocks[2]" postCellId="../cells[2]" weight="1" delay="0 ms"/>
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
    let wide = "--limit files=5000 --limit instances=13 --limit deliveries=3 --limit steps=10 --limit time=1h";
    let words: Vec<&str> = wide.split(' ').chain(["LEMS_net.xml"]).collect();
    folder.succeed(&words);
    assert_eq!(folder.read("v.dat"), unlimited);
}

#[test]
fn a_time_may_be_a_part_of_a_second() {
    for (text, milliseconds) in [
        ("time=0.2", 200),
        ("time=0.9s", 900),
        ("time=1e-5", 1),
        ("time=0.5min", 30_000),
        ("time=2s", 2_000),
    ] {
        let mut limits = Limits::default();
        limits.set(text.parse().unwrap());
        let time = Duration::from_millis(milliseconds);
        assert_eq!(limits.time(), Some(time), "{text}");
    }
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

/// Forty types, each of which holds the next one twice: 2^40 instances of a few lines.
fn doubled() -> String {
    let types: String = (0..40)
        .map(|i| {
            let next = i + 1;
            format!(
                r#"<ComponentType name="t{i}">
                  <ComponentReference name="one" type="t{next}"/><ComponentReference name="other" type="t{next}"/>
                  <Structure><ChildInstance component="one"/><ChildInstance component="other"/></Structure>
                </ComponentType>
                <t{i} id="c{i}" one="c{next}" other="c{next}"/>"#
            )
        })
        .collect();
    format!(
        r#"<Lems><Include file="Simulation.xml"/><ComponentType name="t40"/><t40 id="c40"/>{types}
        <Simulation id="sim" length="1 ms" step="0.1 ms" target="c0"/><Target component="sim"/></Lems>"#
    )
}

#[test]
fn instances_are_counted_only_up_to_their_limit() {
    let folder = Folder::with("LEMS_doubled.xml", &doubled());
    let message = folder.fail(&["run", "--limit", "instances=1000", "LEMS_doubled.xml"], 1);
    assert!(
        message.contains("error[E0414]: the model has more than 1000 instances"),
        "{message}"
    );
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

/// A source whose event reaches the last of 61 sinks 2^60 times, all in one step.
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
    let sinks = (0..61).map(|number| format!("<sink id=\"k{number}\"/>"));
    let wires = (0..60).map(|number| wire(number, number + 1).repeat(2));
    let rest = r#"</circuit><Simulation id="sim" length="1 ms" step="0.1 ms" target="net">
    <OutputFile id="out" fileName="c.dat"><OutputColumn id="c" quantity="k0/c"/></OutputFile>
  </Simulation><Target component="sim"/></Lems>"#;
    types.to_owned() + &sinks.chain(wires).collect::<String>() + rest
}

#[test]
fn a_step_without_end_is_stopped() {
    let folder = Folder::new();
    folder.write("LEMS_avalanche.xml", &avalanche());
    let endless = ["--limit", "deliveries=1e15", "LEMS_avalanche.xml"];
    for backend in ["jit", "interp"] {
        let limits = ["run", "--backend", backend, "--limit", "time=1"];
        let message = folder.fail(&[&limits[..], &endless].concat(), 1);
        assert!(message.contains("error[E0523]"), "{message}");
        // The second run does not touch the files that the first one kept.
        assert!(message.contains("kept c.dat.partial"), "{message}");
    }
}

#[test]
fn too_many_events_in_one_step_are_an_error_that_names_where_they_arrive() {
    let folder = Folder::new();
    folder.write("LEMS_avalanche.xml", &avalanche());
    for (backend, limit) in [("jit", "deliveries=1e8"), ("interp", "deliveries=100000")] {
        let words = [
            "run",
            "--backend",
            backend,
            "--threads",
            "2",
            "--limit",
            limit,
        ];
        let message = folder.fail(&[&words[..], &["LEMS_avalanche.xml"]].concat(), 1);
        assert!(message.contains("error[E0551]"), "{message}");
        assert!(message.contains("--> LEMS_avalanche.xml:8:"), "{message}");
        assert!(message.contains("OnEvent port=\"in\""), "{message}");
    }
}

#[test]
fn equations_that_are_too_long_for_machine_code_are_interpreted() {
    let folder = Folder::new();
    folder.write("decay_types.xml", folder::DECAY_TYPES);
    folder.write("LEMS_decay.xml", DECAY);
    folder.succeed(&["LEMS_decay.xml"]);
    let short = folder.read("decay.dat");
    let conditions: String = (0..4_000)
        .map(|number| {
            format!(
                "<OnCondition test=\"x .gt. 1000 + {number}\">\
                 <StateAssignment variable=\"x\" value=\"{number}\"/></OnCondition>"
            )
        })
        .collect();
    let long = folder::DECAY_TYPES.replace("</Dynamics>", &(conditions + "</Dynamics>"));
    folder.write("decay_types.xml", &long);
    let output = folder.call(&["run", "LEMS_decay.xml"]);
    assert!(output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("warning[W0550]: `decay` is too long"),
        "{message}"
    );
    assert!(message.contains("--> decay_types.xml:"), "{message}");
    assert_eq!(folder.read("decay.dat"), short);
}

/// A model in which each event triggers two events that arrive one step later.
fn doubling() -> String {
    let later = "<Parameter name=\"after\" dimension=\"time\"/>\
                 <Structure><With instance=\"from\" as=\"a\"/><With instance=\"to\" as=\"b\"/>\
                 <EventConnection from=\"a\" to=\"b\" delay=\"after\"/></Structure>";
    let at_once = "<Structure><With instance=\"from\" as=\"a\"/><With instance=\"to\" as=\"b\"/>\n      \
                   <EventConnection from=\"a\" to=\"b\"/></Structure>";
    let model = avalanche();
    let (types, _) = model.split_once("<circuit id").unwrap();
    let (_, run) = model.split_once("</circuit>").unwrap();
    let types = types.replace(at_once, later);
    assert!(types.contains("delay"), "{types}");
    let wire = |from: &str| format!("<wire from=\"{from}\" to=\"k0\" after=\"0.1 ms\"/>");
    let circuit = wire("s") + &wire("k0").repeat(2);
    let run = run.replace("\"1 ms\"", "\"1 s\"");
    format!(
        "{types}<circuit id=\"net\"><source id=\"s\"/><sink id=\"k0\"/>{circuit}</circuit>{run}"
    )
}

#[test]
fn events_on_their_way_take_no_more_memory_than_allowed() {
    let folder = Folder::new();
    folder.write("LEMS_doubling.xml", &doubling());
    for backend in ["jit", "interp"] {
        let words = ["run", "--backend", backend, "--limit", "memory=200MB"];
        let message = folder.fail(&[&words[..], &["LEMS_doubling.xml"]].concat(), 1);
        assert!(message.contains("error[E0520]"), "{message}");
        assert!(message.contains("OnEvent port=\"in\""), "{message}");
        assert!(message.contains("--limit memory"), "{message}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_address_space_of_the_process_bounds_its_memory() {
    let folder = Folder::new();
    let large = NETWORK.replace("size=\"3\"", "size=\"5000000\"");
    folder.write("LEMS_net.xml", &large);
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    let output = std::process::Command::new("sh")
        .arg("-c")
        .arg(format!(
            "ulimit -v 2097152; exec \"{program}\" run LEMS_net.xml"
        ))
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("error[E0425]"), "{message}");
    assert!(message.contains("more than 1.9 GiB"), "{message}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_interrupt_ends_a_step_without_end() {
    let folder = Folder::new();
    folder.write("LEMS_avalanche.xml", &avalanche());
    let mut child = folder
        .command()
        .args(["run", "--limit", "deliveries=1e15", "LEMS_avalanche.xml"])
        .spawn()
        .unwrap();
    while !folder.names().contains(&"c.dat.partial".to_owned()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    let killed = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
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

#[cfg(target_os = "linux")]
#[test]
fn a_device_without_end_does_not_fill_the_memory() {
    let folder = Folder::with_decay();
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    for words in [
        "compare /dev/zero /dev/zero",
        "plot /dev/zero",
        "sweep /dev/zero -o out",
        "run --resume /dev/zero LEMS_decay.xml",
    ] {
        let script = format!("ulimit -v 2097152; exec \"{program}\" {words}");
        let mut command = std::process::Command::new("sh");
        let output = (command.args(["-c", &script]).current_dir(&folder.0)).output();
        let output = output.unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}: {message}");
        assert!(
            message.contains("a quarter of the memory"),
            "{words}: {message}"
        );
    }
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
    let is_of_a_limit = |line: &&str| line.starts_with("| `") && line.contains(" | E0");
    let rows = text.lines().filter(is_of_a_limit).count();
    assert_eq!(rows, LIMITS.len());
}
