//! Runs that end before their time and go on from a checkpoint: what they write is what they would
//! have written without a break.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "support/folder.rs"]
mod folder;

use std::process::Stdio;
use std::time::{Duration, Instant};

use folder::Folder;

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

const OUTPUTS: [&str; 3] = ["times.dat", "walk.dat", "walk.spikes"];

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("LEMS_walk.xml", MODEL);
    folder
}

/// Ends a run with a checkpoint after its first one, made after `length` of simulated time.
fn ended(folder: &Folder, length: &str, options: &[&str]) {
    let mut arguments = vec![
        "LEMS_walk.xml",
        "--checkpoint",
        "c",
        "--checkpoint-every",
        length,
    ];
    arguments.extend(options);
    let mut child = folder
        .command()
        .args(arguments)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let first = loop {
        assert!(Instant::now() < deadline, "no checkpoint is written");
        match std::fs::read(folder.0.join("c")) {
            Ok(bytes) => break bytes,
            Err(_) => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    while std::fs::read(folder.0.join("c")).unwrap() == first {
        assert!(Instant::now() < deadline, "only one checkpoint is written");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        folder.0.join("walk.dat.partial").exists(),
        "the run came to its end too soon"
    );
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
        ended(&broken, "50 ms", &before);
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
        ended(&broken, "50 ms", options);
        let message = broken.fail(&["LEMS_walk.xml", "--resume", "c"], 1);
        if options != ["--fast"] {
            assert!(
                message.starts_with("error[E0523]"),
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
