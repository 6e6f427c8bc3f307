//! Tests of runs and commands that are ended from outside: by signals, full disks and closed pipes.

#![cfg(unix)]

use std::fs::File;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::folder::{DECAY, Folder};

const LONG: [&str; 3] = ["LEMS_decay.xml", "--length", "20000 s"];

fn begun(folder: &Folder, arguments: &[&str]) -> Child {
    let child = (folder.command().args(LONG).args(arguments))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let rows = || std::fs::metadata(folder.0.join("decay.dat.partial")).map(|file| file.len());
    while !rows().is_ok_and(|rows| rows > 0) {
        assert!(Instant::now() < deadline, "nothing is written");
        std::thread::sleep(Duration::from_millis(1));
    }
    child
}

fn send(signal: &str, child: &Child) {
    let number = child.id().to_string();
    let sent = Command::new("kill").args(["-s", signal, &number]).status();
    assert!(sent.unwrap().success());
}

fn ended(child: Child) -> (Output, String) {
    let output = child.wait_with_output().unwrap();
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, message)
}

#[test]
fn every_signal_that_ends_a_run_keeps_it() {
    for (signal, status) in [("TERM", 143), ("HUP", 129), ("INT", 130)] {
        let folder = Folder::with_decay();
        let child = begun(&folder, &["--checkpoint", "c"]);
        send(signal, &child);
        let (output, message) = ended(child);
        assert_eq!(output.status.code(), Some(status), "{signal}: {message}");
        assert!(message.starts_with("interrupted after "), "{message}");
        assert!(message.contains("kept c (`--resume`"), "{message}");
        let rows = folder.read("decay.dat.partial");
        assert!(rows.ends_with("\t\n"));
        let number = rows.lines().count() - 1;
        let length = format!("{} ms", number as f64 / 10.0);
        folder.succeed(&["LEMS_decay.xml", "--resume", "c", "--length", &length]);
        assert_eq!(
            folder.read("decay.dat"),
            rows,
            "the checkpoint is of the end"
        );
    }
}

#[test]
fn what_is_to_outlive_a_terminal_does() {
    let folder = Folder::with_decay();
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    let script = format!("trap '' HUP; exec '{program}' LEMS_decay.xml --length 20000s");
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(&folder.0);
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let grown = || {
        let file = std::fs::metadata(folder.0.join("decay.dat.partial"));
        file.map_or(0, |file| file.len())
    };
    let wait_for_more = |than: u64| {
        while grown() <= than {
            assert!(Instant::now() < deadline, "nothing is written");
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    wait_for_more(0);
    send("HUP", &child);
    wait_for_more(grown() + 100_000);
    send("TERM", &child);
    let (output, message) = ended(child);
    assert_eq!(output.status.code(), Some(143), "{message}");
}

#[test]
fn a_second_signal_ends_the_program_at_once() {
    let folder = Folder::with_decay();
    let pipe = folder.0.join("wait.dat");
    assert!(
        Command::new("mkfifo")
            .arg(&pipe)
            .status()
            .unwrap()
            .success()
    );
    folder.write("LEMS_decay.xml", &DECAY.replace("decay.dat", "wait.dat"));
    let child = (folder.command().args(LONG))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A reader that reads nothing, so the run blocks in the middle of a step.
    let reader = File::open(&pipe).unwrap();
    let asleep = || {
        let state = std::fs::read_to_string(format!("/proc/{}/wchan", child.id()));
        state.is_ok_and(|state| state.contains("pipe"))
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    while !asleep() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    send("TERM", &child);
    std::thread::sleep(Duration::from_millis(100));
    send("INT", &child);
    let (output, message) = ended(child);
    drop(reader);
    assert_eq!(output.status.code(), Some(130), "{message}");
}

#[test]
fn a_file_that_may_not_grow_is_an_error() {
    let folder = Folder::with_decay();
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    let script = format!("ulimit -f 90; exec '{program}' LEMS_decay.xml --length 1s");
    let mut command = Command::new("bash");
    let output = (command.args(["-c", &script]).current_dir(&folder.0)).output();
    let output = output.unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), None);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("error[E0506]"), "{message}");
    let kept = folder.read("decay.dat.partial");
    assert!(kept.ends_with("\t\n"));
    let rows = format!("{} rows", kept.lines().count());
    assert!(message.contains(&rows), "{message} has no {rows}");
}

/// Command lines that print something.
const PRINTING: [&[&str]; 14] = [
    &["LEMS_decay.xml"],
    &["run", "--json", "LEMS_decay.xml"],
    &["run", "--plan", "LEMS_decay.xml"],
    &["validate", "LEMS_decay.xml"],
    &["validate", "--json", "LEMS_decay.xml"],
    &["types"],
    &["describe", "iafCell"],
    &["show", "model", "LEMS_decay.xml"],
    &["show", "kernel", "LEMS_decay.xml"],
    &["flatten", "LEMS_decay.xml"],
    &["explain"],
    &["completions", "bash"],
    &["man"],
    &["jnml", "-h"],
];

#[test]
fn a_full_standard_output_is_an_error() {
    let folder = Folder::with_decay();
    for arguments in PRINTING
        .into_iter()
        .chain([&["--help"][..], &["--version"]])
    {
        let Ok(full) = File::options().write(true).open("/dev/full") else {
            eprintln!("skipped: there is no /dev/full here");
            return;
        };
        let output = folder
            .command()
            .args(arguments)
            .stdout(full)
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("error[E0609]"), "{arguments:?}: {message}");
    }
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let folder = Folder::with_decay();
    for arguments in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = folder
            .command()
            .args(arguments)
            .stdout(writer)
            .output()
            .unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {message}");
        assert_eq!(message, "", "{arguments:?}");
    }
}
