//! Tests of the options of `run` that change the model, the outputs and the messages.

use crate::folder;
use std::path::Path;

use crate::folder::{DECAY, Folder};
use serde_json::Value;

const NETWORK: &str = r#"<Lems>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="Simulation.xml"/>
  <iafTauCell id="cell" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
  <iafTauCell id="other" leakReversal="-60mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
  <network id="net">
    <population id="pop" component="cell" size="1"/>
    <population id="pop2" component="cell" size="1"/>
  </network>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="net">
    <OutputFile id="out" fileName="v.dat">
      <OutputColumn id="a" quantity="pop[0]/v"/>
      <OutputColumn id="b" quantity="pop2[0]/v"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#;

fn network() -> Folder {
    Folder::with("LEMS_net.xml", NETWORK)
}

#[test]
fn a_setting_does_what_an_edit_of_the_file_does() {
    for (settings, from, to) in [
        (
            &["--set", "cell/leakReversal=-65 mV"][..],
            "\"-50mV\"",
            "\"-65 mV\"",
        ),
        (
            &["--set", "cell.tau = 12ms"],
            "id=\"cell\" leakReversal=\"-50mV\" thresh=\"-55mV\" reset=\"-70mV\" tau=\"30ms\"",
            "id=\"cell\" leakReversal=\"-50mV\" thresh=\"-55mV\" reset=\"-70mV\" tau=\"12ms\"",
        ),
        (
            &["--set", "net/pop2/component=other"],
            "\"pop2\" component=\"cell\"",
            "\"pop2\" component=\"other\"",
        ),
        (
            &["--set", "pop2/component=other"],
            "\"pop2\" component=\"cell\"",
            "\"pop2\" component=\"other\"",
        ),
        (
            &[
                "--set",
                "cell/reset=-1mV",
                "--set",
                "cell/reset=-71mV",
                "--set",
                "cell/leakReversal=-10mV",
            ],
            "\"-50mV\" thresh=\"-55mV\" reset=\"-70mV\"",
            "\"-10mV\" thresh=\"-55mV\" reset=\"-71mV\"",
        ),
        (&["--step", "0.05ms"], "step=\"0.1 ms\"", "step=\"0.05ms\""),
        (
            &["--length", "0.002 s"],
            "length=\"1 ms\"",
            "length=\"0.002 s\"",
        ),
        (&["--set", "sim/out/OutputColumn=x"], "", ""),
    ] {
        let folder = network();
        let mut arguments = vec!["LEMS_net.xml"];
        arguments.extend(settings);
        if from.is_empty() {
            folder.fail(&arguments, 1);
            continue;
        }
        folder.succeed(&arguments);
        let edited = Folder::new();
        assert!(NETWORK.contains(from), "{from}");
        edited.write("LEMS_net.xml", &NETWORK.replacen(from, to, 1));
        edited.succeed(&["LEMS_net.xml"]);
        assert_eq!(folder.read("v.dat"), edited.read("v.dat"), "{settings:?}");
        let unset = network();
        unset.succeed(&["LEMS_net.xml"]);
        assert_ne!(folder.read("v.dat"), unset.read("v.dat"), "{settings:?}");
    }
}

#[test]
fn a_setting_that_fits_nothing_is_explained() {
    for (setting, expected) in [
        ("cell/leakReversl=-65mV", "did you mean `leakReversal`?"),
        ("cel/tau=3ms", "did you mean `cell`?"),
        ("net/popp/size=3", "did you mean `pop`?"),
        ("cell/tau=3mV", "`tau` needs `time`"),
        ("cell/tau=3mz", "unknown unit `mz`"),
        ("cell/tau", "gives no value"),
        ("tau=3ms", "names no component"),
        ("net/population/size=3", "`pop` and `pop2`"),
        ("pop/component=nothing", "no component has the id `nothing`"),
        ("sim/length=-1ms", "--set:1:12"),
    ] {
        let folder = network();
        let message = folder.fail(&["LEMS_net.xml", "--set", setting], 1);
        assert!(message.contains(expected), "{setting}: {message}");
        assert!(message.contains("--set:1:"), "{setting}: {message}");
        assert_eq!(folder.names(), ["LEMS_net.xml"]);
    }
    let message = network().fail(&["LEMS_net.xml", "--step", "1 mV"], 1);
    assert!(message.contains("--step:1:1"), "{message}");
    let message = network().fail(&["LEMS_net.xml", "--step", "-1 ms"], 1);
    assert!(message.contains("--step:1:1"), "{message}");
}

#[test]
fn a_length_that_two_options_give_is_refused_unless_it_is_the_same() {
    for (option, set) in [
        ("--length", "sim/length=2 ms"),
        ("--step", "sim.step=0.2 ms"),
    ] {
        let value = set.split('=').nth(1).unwrap();
        network().succeed(&["LEMS_net.xml", "--set", set, option, value]);
        let message = network().fail(&["LEMS_net.xml", "--set", set, option, "0.5 ms"], 1);
        let path = set.split('=').next().unwrap();
        let expected =
            format!("`--set {path}` gives this, too, and not in the words of `{option}`");
        assert!(message.contains(&expected), "{message}");
        assert!(message.contains(&format!("{option}:1:1")), "{message}");
    }
}

#[test]
fn every_so_manieth_row_is_written() {
    let all = Folder::with_decay();
    all.succeed(&["LEMS_decay.xml"]);
    let text = all.read("decay.dat");
    for every in [1, 3, 5, 100] {
        let folder = Folder::with_decay();
        folder.succeed(&["LEMS_decay.xml", "--every", &every.to_string()]);
        let expected: String = text.split_inclusive('\n').step_by(every).collect();
        assert_eq!(folder.read("decay.dat"), expected, "{every}");
    }
    all.fail(&["LEMS_decay.xml", "--every", "0"], 2);
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn machines_are_told_what_was_done() {
    let folder = Folder::with_decay();
    std::fs::create_dir(folder.0.join("out")).unwrap();
    let told = json(&folder.succeed(&["LEMS_decay.xml", "--json", "--out-dir", "out"]));
    assert_eq!(told["status"], "done");
    assert_eq!(told["runs"][0]["steps"], 10);
    assert_eq!(told["runs"][0]["time"], 0.001);
    assert_eq!(told["files"][0]["path"], "out/decay.dat");
    assert_eq!(told["files"][0]["rows"], 11);
    assert_eq!(told["errors"], Value::Array(Vec::new()));

    folder.write("LEMS_decay.xml", &DECAY.replace("tau=", "tua="));
    let output = folder.call(&["LEMS_decay.xml", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told = json(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(told["status"], "failed");
    assert_eq!(told["errors"][0]["code"], "E0216");
    assert_eq!(told["errors"][0]["place"]["line"], 4);
}

#[test]
fn a_run_that_fails_says_what_it_kept() {
    let folder = Folder::with_decay();
    let types = folder.read("decay_types.xml");
    folder.write(
        "decay_types.xml",
        &types.replace("-x / tau", "x * exp(x) * 10000 / tau"),
    );
    let message = folder.fail(&["LEMS_decay.xml", "--length", "1s"], 1);
    assert!(message.contains("kept decay.dat.partial ("), "{message}");
    assert!(folder.names().contains(&"decay.dat.partial".to_owned()));
}

/// Only the program knows when the run has begun, so the test waits for its output.
#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run_after_a_step_and_keeps_what_was_recorded() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = Folder::with_decay();
    let child = folder
        .command()
        .args(["LEMS_decay.xml", "--length", "100000 s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let partial = folder.0.join("decay.dat.partial");
    let deadline = Instant::now() + Duration::from_secs(60);
    let has_rows = || std::fs::metadata(&partial).is_ok_and(|file| file.len() > 0);
    while !has_rows() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let process = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &process])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(message.starts_with("interrupted after "), "{message}");
    let rows = folder.read("decay.dat.partial").lines().count();
    assert!(
        message.contains(&format!("kept decay.dat.partial ({rows} rows)")),
        "{message}"
    );
    assert!(
        message.contains("only a run with `--checkpoint FILE` can"),
        "{message}"
    );
    assert!(folder.read("decay.dat.partial").ends_with("\t\n"));
    assert!(!folder.names().contains(&"decay.dat".to_owned()));
}

#[test]
fn a_value_that_nobody_records_may_be_no_number_but_is_told() {
    let folder = Folder::new();
    let types = folder::DECAY_TYPES.replace(
        "<OnStart>",
        "<StateVariable name=\"hidden\" dimension=\"none\"/>\
         <TimeDerivative variable=\"hidden\" value=\"ln(0 - x) / tau\"/><OnStart>",
    );
    folder.write("decay_types.xml", &types);
    folder.write("LEMS_decay.xml", DECAY);
    let output = folder.call(&["run", "-v", "LEMS_decay.xml"]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{message}");
    assert!(
        message.contains("E0527") || message.contains("W0527"),
        "{message}"
    );
    assert!(message.contains("hidden` is not a number"), "{message}");
    assert_eq!(folder.read("decay.dat").lines().count(), 11);
}

#[test]
fn what_was_not_finite_is_found_with_every_back_end() {
    let bad = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bad");
    for name in ["not_finite", "not_finite_grown", "not_finite_in_child"] {
        let text = std::fs::read_to_string(bad.join(name).with_extension("xml")).unwrap();
        let way = |words: &str| {
            let words: Vec<&str> = words.split(' ').chain(["LEMS_bad.xml"]).collect();
            let folder = Folder::with("LEMS_bad.xml", &text);
            folder.fail(&words, 1)
        };
        let message = way("run --backend interp");
        assert!(
            message.contains(" becomes ") && message.contains(" with "),
            "{message}"
        );
        assert_eq!(message, way("run --threads 1"));
        assert_eq!(message, way("run --threads 4"));
    }
}

#[test]
fn processes_that_would_write_the_same_files_are_refused() {
    let folder = network();
    let with = |name: &str, number: &str, arguments: &[&str]| {
        let mut command = folder.command();
        let command = command.env("JLEMS_MPI_LIBRARY", "no-library-of-mpi");
        command.env(name, number).args(arguments).output().unwrap()
    };
    for name in ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS"] {
        let refused = with(name, "2", &["LEMS_net.xml"]);
        let message = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(1), "{message}");
        for part in ["2 processes", "--mpi off", "JLEMS_MPI_LIBRARY"] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(folder.names(), ["LEMS_net.xml"]);
    }
    for (number, arguments) in [
        ("1", &["LEMS_net.xml"][..]),
        ("2", &["LEMS_net.xml", "--plan"]),
        ("2", &["LEMS_net.xml", "--mpi", "off"]),
    ] {
        let run = with("PMI_SIZE", number, arguments);
        assert_eq!(run.status.code(), Some(0), "{arguments:?}");
    }
    let both = with("PMI_SIZE", "2", &["LEMS_net.xml", "--ranks", "2"]);
    assert_eq!(both.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&both.stderr).contains("ranks of the run already"));
}
