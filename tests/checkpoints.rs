//! Runs that are interrupted and resumed from a checkpoint: they write the same as without a break.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder::Folder;
use lems_engine::Checkpoint;
use lems_math::JavaRandom;

/// Random noise, delayed events on their way all the time, and both kinds of outputs.
const MODEL: &str = r#"<Lems>
  <Include file="NeuroMLCoreDimensions.xml"/>
  <Include file="Simulation.xml"/>
  <ComponentType name="walker">
    <Parameter name="tau" dimension="time"/>
    <EventPort name="in" direction="in"/>
    <EventPort name="out" direction="out"/>
    <Exposure name="x" dimension="none"/>
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <TimeDerivative variable="x" value="(random(3) - x) / tau"/>
      <OnCondition test="x .gt. 1.4">
        <StateAssignment variable="x" value="random(1)"/>
        <EventOut port="out"/>
      </OnCondition>
      <OnEvent port="in"><StateAssignment variable="x" value="x + 0.1"/></OnEvent>
    </Dynamics>
  </ComponentType>
  <ComponentType name="pair">
    <Children name="walkers" type="walker"/>
    <Parameter name="delay" dimension="time"/>
    <Structure>
      <With instance="a" as="a"/>
      <With instance="b" as="b"/>
      <EventConnection from="a" to="b" delay="delay"/>
      <EventConnection from="b" to="a" delay="delay"/>
    </Structure>
  </ComponentType>
  <pair id="pair" delay="3 ms">
    <walker id="a" tau="2 ms"/>
    <walker id="b" tau="3 ms"/>
  </pair>
  <Simulation id="sim" length="4 s" step="0.01 ms" target="pair" seed="5">
    <Display id="show" title="Walk" timeScale="1ms" xmin="0" xmax="1" ymin="0" ymax="1">
      <Line id="line" quantity="a/x" scale="1" color="red" timeScale="1ms"/>
    </Display>
    <OutputFile id="out" fileName="walk.dat">
      <OutputColumn id="a" quantity="a/x"/>
      <OutputColumn id="b" quantity="b/x"/>
    </OutputFile>
    <EventOutputFile id="events" fileName="walk.spikes" format="ID_TIME">
      <EventSelection id="0" select="a" eventPort="out"/>
      <EventSelection id="1" select="b" eventPort="out"/>
    </EventOutputFile>
  </Simulation>
  <Target component="sim" timesFile="times.dat"/>
</Lems>
"#;

/// A replacement for the beginning of the simulation, which runs two networks.
const SECOND_RUN: &str = r#"<ComponentType name="twice" extends="Simulation">
    <ComponentReference name="other" type="pair"/>
    <Simulation>
      <Run component="target" variable="t" increment="step" total="length"/>
      <Run component="other" variable="t" increment="step" total="length"/>
    </Simulation>
  </ComponentType>
  <pair id="second" delay="4 ms">
    <walker id="a" tau="1 ms"/>
    <walker id="b" tau="1 ms"/>
  </pair>
  <twice id="sim" other="second""#;

const CELL: &str = r#"<Lems>
  <Include file="Cells.xml"/>
  <Include file="Simulation.xml"/>
  <iafTauCell id="cell" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="cell"/>
  <Target component="sim"/>
</Lems>
"#;

const OUTPUTS: [&str; 3] = ["times.dat", "walk.dat", "walk.spikes"];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("LEMS_walk.xml", MODEL);
    folder
}

/// Starts a run with `--checkpoint c` and `options`, and kills it after the second checkpoint that
/// follows `begun`.
fn killed(folder: &Folder, begun: impl Fn() -> bool, options: &[&str]) {
    let keep = [
        "LEMS_walk.xml",
        "--checkpoint",
        "c",
        "--checkpoint-every",
        "50 ms",
    ];
    let mut child = (folder.command().args(keep).args(options))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = || std::fs::read(folder.0.join("c")).ok();
    wait_until(|| checkpoint().is_some() && begun());
    let first = checkpoint();
    wait_until(|| checkpoint() != first);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        folder.0.join("walk.dat.partial").exists(),
        "the run came to its end too soon"
    );
}

/// Kills a run after it has written the checkpoint `c`.
fn ended(folder: &Folder, options: &[&str]) {
    killed(folder, || true, options);
}

fn wait_until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "nothing happens");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn assert_same(folder: &Folder, other: &Folder) {
    for name in OUTPUTS {
        assert!(folder.read(name) == other.read(name), "{name} differs");
    }
}

#[test]
fn what_goes_on_is_the_same_on_other_threads_and_back_ends() {
    let whole = folder();
    whole.succeed(&["LEMS_walk.xml"]);
    assert!(whole.read("walk.spikes").lines().count() > 100);
    for (before, after) in [
        (["--threads", "1"], ["--threads", "2"]),
        (["--threads", "2"], ["--backend", "interp"]),
        (["--backend", "interp"], ["--threads", "1"]),
    ] {
        let broken = folder();
        ended(&broken, &before);
        broken.succeed(&["LEMS_walk.xml", "--resume", "c", after[0], after[1]]);
        assert_same(&broken, &whole);
    }
}

#[test]
fn what_goes_on_has_its_options() {
    for options in [
        &["--every", "7"][..],
        &["--fast"],
        &["--plot", "svg"],
        &["--seed", "8"],
    ] {
        let with = |more: &[&'static str]| {
            let mut all = vec!["LEMS_walk.xml"];
            all.extend(options);
            all.extend(more);
            all
        };
        let (whole, broken) = (folder(), folder());
        whole.succeed(&with(&[]));
        ended(&broken, options);
        let message = broken.fail(&["LEMS_walk.xml", "--resume", "c"], 1);
        if options != ["--fast"] {
            assert!(
                message.starts_with("error[E0543]"),
                "{options:?}: {message}"
            );
        }
        broken.succeed(&with(&["--resume", "c"]));
        assert_same(&broken, &whole);
        if options[0] == "--plot" {
            assert_eq!(
                broken.read("LEMS_walk.1.svg"),
                whole.read("LEMS_walk.1.svg")
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_checkpoint_can_come_from_a_pipe() {
    let (whole, broken) = (folder(), folder());
    whole.succeed(&["LEMS_walk.xml"]);
    ended(&broken, &[]);
    let script = "cat c | \"$0\" LEMS_walk.xml --resume /dev/stdin --checkpoint d";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_jlems-rs")]);
    let output = command.current_dir(&broken.0).output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert_same(&broken, &whole);
}

#[test]
fn a_run_that_has_ended_goes_on_to_nothing_more_or_to_more_length() {
    let whole = folder();
    let short = ["LEMS_walk.xml", "--checkpoint", "c", "--length", "100ms"];
    let said = whole.succeed(&short);
    assert!(said.contains("kept c (not needed any more)"), "{said}");
    let broken = folder();
    broken.succeed(&short);
    // As if the run had been killed while it renamed its files.
    std::fs::rename(broken.0.join("walk.dat"), broken.0.join("walk.dat.partial")).unwrap();
    broken.succeed(&["LEMS_walk.xml", "--resume", "c", "--length", "100ms"]);
    assert_same(&broken, &whole);
    let longer = ["LEMS_walk.xml", "--length", "150ms"];
    whole.succeed(&longer);
    broken.succeed(&[&longer[..], &["--resume", "c"]].concat());
    assert_same(&broken, &whole);
    let message = broken.fail(&["LEMS_walk.xml", "--resume", "c", "--length", "99ms"], 1);
    assert!(message.starts_with("error[E0543]"), "{message}");
    assert!(
        message.contains("15000 steps, and this run has 9900"),
        "{message}"
    );
}

#[test]
fn of_several_runs_the_one_that_was_ended_goes_on() {
    let several = || {
        let folder = Folder::new();
        let text = MODEL.replace("<Simulation id=\"sim\"", SECOND_RUN);
        folder.write(
            "LEMS_walk.xml",
            &text.replace("</Simulation>\n  <Target", "</twice>\n  <Target"),
        );
        folder
    };
    let (whole, broken) = (several(), several());
    let said = whole.succeed(&["LEMS_walk.xml"]);
    assert_eq!(said.matches("400000 steps of").count(), 2, "{said}");
    let is_in_second = || broken.0.join("walk.spikes").exists();
    killed(&broken, is_in_second, &[]);
    broken.succeed(&["LEMS_walk.xml", "--resume", "c"]);
    assert_same(&broken, &whole);
}

#[test]
fn what_cannot_go_on_says_why_and_leaves_the_files_alone() {
    let broken = folder();
    ended(&broken, &[]);
    let good = std::fs::read(broken.0.join("c")).unwrap();
    let refused = |code: &str, arguments: &[&str]| {
        let before = std::fs::metadata(broken.0.join("walk.dat.partial")).map(|file| file.len());
        let message = broken.fail(&[&["LEMS_walk.xml"], arguments].concat(), 1);
        assert!(message.starts_with(&format!("error[{code}]")), "{message}");
        assert!(message.contains("help: "), "{message}");
        let after = std::fs::metadata(broken.0.join("walk.dat.partial")).map(|file| file.len());
        assert_eq!(before.ok(), after.ok(), "{message}");
    };
    refused("E0545", &["--checkpoint", "c"]);
    refused("E0541", &["--resume", "nothing"]);
    refused("E0541", &["--resume", "LEMS_walk.xml"]);
    for setting in [
        &["--step", "0.02 ms"][..],
        &["--seed", "6"],
        &["--every", "2"],
        &["--set", "pair/a/tau=4ms"],
        &["--plot", "svg"],
    ] {
        refused("E0543", &[&["--resume", "c"], setting].concat());
    }
    std::fs::write(broken.0.join("c"), &good[..good.len() - 1]).unwrap();
    refused("E0541", &["--resume", "c"]);
    let mut other = good.clone();
    *other.last_mut().unwrap() ^= 1;
    std::fs::write(broken.0.join("c"), other).unwrap();
    refused("E0541", &["--resume", "c"]);
    std::fs::write(broken.0.join("c"), good).unwrap();

    let partial = broken.0.join("walk.dat.partial");
    let written = std::fs::read(&partial).unwrap();
    let mut changed = written.clone();
    changed[10] ^= 1;
    for content in [Some(changed), Some(written[..100].to_vec()), None] {
        match content {
            Some(bytes) => std::fs::write(&partial, bytes).unwrap(),
            None => std::fs::remove_file(&partial).unwrap(),
        }
        refused("E0544", &["--resume", "c"]);
    }
    std::fs::write(&partial, written).unwrap();
    broken.succeed(&["LEMS_walk.xml", "--resume", "c"]);
}

#[test]
fn other_core_types_make_another_run() {
    let folder = Folder::new();
    folder.write("LEMS_cell.xml", CELL);
    folder.succeed(&["LEMS_cell.xml", "--checkpoint", "c"]);
    for file in nml2_coretypes::CORE_TYPES {
        let (name, text) = (file.name, file.text);
        folder.write(&format!("same/{name}"), text);
        folder.write(
            &format!("other/{name}"),
            &text.replace("(leakReversal - v) / tau", "(v - leakReversal) / tau"),
        );
    }
    assert_ne!(
        folder.read("same/Cells.xml"),
        folder.read("other/Cells.xml")
    );
    folder.succeed(&["LEMS_cell.xml", "--resume", "c", "--core-types", "same"]);
    let other = ["LEMS_cell.xml", "--resume", "c", "--core-types", "other"];
    let message = folder.fail(&other, 1);
    assert!(
        message.contains("another model, other parameters"),
        "{message}"
    );
}

#[test]
fn a_wrong_time_between_checkpoints_is_explained() {
    for time in ["10", "0s", "-1s", "s", "1 parsec", "infs", "nan s"] {
        let every = format!("--checkpoint-every={time}");
        let message = folder().fail(&["LEMS_walk.xml", "--checkpoint", "c", &every], 2);
        assert!(message.contains("a time is a number and"), "{message}");
    }
    folder().fail(&["LEMS_walk.xml", "--checkpoint-every", "1 s"], 2);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_how_to_go_on() {
    let whole = folder();
    whole.succeed(&["LEMS_walk.xml", "--length", "20 s"]);
    let broken = folder();
    let child = broken
        .command()
        .args(["LEMS_walk.xml", "--checkpoint", "c", "--length", "20 s"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until(|| broken.0.join("c").exists());
    let interrupt = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(interrupt.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{message}");
    assert!(
        message.contains("kept c (`--resume` goes on from it)"),
        "{message}"
    );
    broken.succeed(&["LEMS_walk.xml", "--resume", "c", "--length", "20 s"]);
    assert_same(&broken, &whole);
}

#[test]
fn a_run_whose_time_is_up_is_saved_first() {
    let (whole, broken) = (folder(), folder());
    let long = ["LEMS_walk.xml", "--length", "60 s"];
    whole.succeed(&long);
    // The interpreter takes several times as long as that.
    let keep = [
        "--backend",
        "interp",
        "--checkpoint",
        "c",
        "--limit",
        "time=1",
    ];
    let message = broken.fail(&[&long[..], &keep].concat(), 1);
    assert!(message.starts_with("error[E0523]"), "{message}");
    let recorded = broken.read("times.dat.partial").lines().count() as u64;
    let saved = Checkpoint::read(&std::fs::read(broken.0.join("c")).unwrap()).unwrap();
    assert_eq!(saved.steps() + 1, recorded);
    assert!(saved.steps() > 0);
    broken.succeed(&[&long[..], &["--resume", "c"]].concat());
    assert_same(&broken, &whole);
}

/// `KILLS=200 cargo test -p jlems-rs --test all checkpoints::killed -- --nocapture` repeats it more often.
#[test]
fn a_run_killed_at_any_moment_goes_on_to_the_same_end() {
    kill_often("KILL");
}

/// The same with a signal that lets a run end properly.
#[cfg(unix)]
#[test]
fn a_run_killed_politely_at_any_moment_goes_on_to_the_same_end() {
    kill_often("TERM");
}

fn kill_often(signal: &str) {
    let wanted = std::env::var("KILLS").map_or(4, |kills| kills.parse().unwrap());
    let whole = folder();
    whole.succeed(&["LEMS_walk.xml"]);
    let mut random = JavaRandom::new(1);
    let (mut kills, mut ends) = (0, 0);
    while kills < wanted {
        let broken = folder();
        for attempt in 1.. {
            let has_begun = broken.0.join("c").exists();
            let keep = if has_begun {
                "--resume"
            } else {
                "--checkpoint"
            };
            let mut child = broken
                .command()
                .args(["LEMS_walk.xml", keep, "c", "--checkpoint-every", "0.1 s"])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let patience = Duration::from_millis(100 * attempt);
            std::thread::sleep(patience.mul_f64(random.next_double()));
            match signal {
                "KILL" => child.kill().unwrap(),
                _ => drop(
                    Command::new("kill")
                        .args(["-s", signal, &child.id().to_string()])
                        .status(),
                ),
            }
            let status = child.wait().unwrap();
            if status.success() {
                break;
            }
            match signal {
                "KILL" => assert_eq!(status.code(), None, "it was not the kill that ended it"),
                // None: the signal came before the program had installed its handler.
                _ => assert!(matches!(status.code(), Some(143) | None), "{status}"),
            }
            kills += 1;
        }
        ends += 1;
        assert_same(&broken, &whole);
    }
    println!("{kills} times {signal}, {ends} runs with the same end");
}
