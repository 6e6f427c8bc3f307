//! What outputs may and may not overwrite, and where they go.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

#[path = "support/folder.rs"]
mod folder;

use std::os::unix::fs::{FileTypeExt, symlink};

use folder::{DECAY, DECAY_TYPES, Folder};

/// A model in a folder of its own beside one with types and one for outputs.
fn guest() -> Folder {
    let folder = Folder::new();
    folder.write("guest/LEMS_decay.xml", DECAY);
    folder.write("guest/decay_types.xml", DECAY_TYPES);
    folder.write("shared/decay_types.xml", DECAY_TYPES);
    folder.write("out/keep", "");
    folder
}

fn writing(name: &str) -> String {
    DECAY.replace("decay.dat", name)
}

#[test]
fn an_output_never_overwrites_an_input() {
    let folder = Folder::with_decay();
    symlink("decay_types.xml", folder.0.join("link.dat")).unwrap();
    symlink(".", folder.0.join("here")).unwrap();
    for name in [
        "decay_types.xml",
        "./here/decay_types.xml",
        "link.dat",
        "LEMS_other.xml",
    ] {
        folder.write("LEMS_other.xml", &writing(name));
        let message = folder.fail(&["LEMS_other.xml"], 1);
        assert!(message.contains("error[E0524]"), "{name}: {message}");
        assert_eq!(folder.read("decay_types.xml"), DECAY_TYPES);
        assert_eq!(folder.read("LEMS_other.xml"), writing(name));
    }
    folder.write("decay.dat.partial", DECAY_TYPES);
    folder.write(
        "LEMS_other.xml",
        &DECAY.replace("decay_types.xml", "decay.dat.partial"),
    );
    assert!(folder.fail(&["LEMS_other.xml"], 1).contains("error[E0524]"));
    assert_eq!(folder.read("decay.dat.partial"), DECAY_TYPES);
}

#[test]
fn a_picture_never_overwrites_an_input() {
    let folder = Folder::with_decay();
    folder.write("model.html", DECAY);
    let message = folder.fail(&["run", "--plot", "html", "model.html"], 1);
    assert!(message.contains("error[E0524]"), "{message}");
    assert_eq!(folder.read("model.html"), DECAY);
}

#[test]
fn of_two_outputs_with_one_name_the_last_stays() {
    let folder = Folder::with_decay();
    let second = "<OutputFile id=\"b\" fileName=\"decay.dat\"/></Simulation>";
    folder.write("LEMS_twice.xml", &DECAY.replace("</Simulation>", second));
    let output = folder.call(&["-v", "LEMS_twice.xml"]);
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{message}");
    assert!(message.contains("warning[W0525]"), "{message}");
    let rows = folder.read("decay.dat");
    assert_eq!(
        rows.lines().next(),
        Some("0.0\t"),
        "a file without columns has the time"
    );
}

#[test]
fn a_sandbox_reads_its_folders_only() {
    let folder = guest();
    symlink("../shared/decay_types.xml", folder.0.join("guest/link.xml")).unwrap();
    let absolute = folder.0.join("shared/decay_types.xml");
    let outside = [
        "../shared/decay_types.xml",
        "link.xml",
        absolute.to_str().unwrap(),
    ];
    for name in outside {
        folder.write("guest/LEMS_in.xml", &DECAY.replace("decay_types.xml", name));
        let call = ["run", "--out-dir", "out", "guest/LEMS_in.xml"];
        folder.succeed(&call);
        let confined: Vec<&str> = call.into_iter().chain(["--sandbox"]).collect();
        let message = folder.fail(&confined, 1);
        assert!(message.contains("warning[W0103]"), "{name}: {message}");
        let allowed: Vec<&str> = confined.into_iter().chain(["-I", "shared"]).collect();
        folder.succeed(&allowed);
    }
    folder.succeed(&[
        "run",
        "--sandbox",
        "--out-dir",
        "out",
        "guest/LEMS_decay.xml",
    ]);
}

#[test]
fn a_sandbox_does_not_wait_for_a_pipe() {
    let folder = guest();
    let pipe = folder.0.join("guest/pipe.xml");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    folder.write(
        "guest/LEMS_pipe.xml",
        &DECAY.replace("decay_types.xml", "pipe.xml"),
    );
    let message = folder.fail(&["run", "--sandbox", "guest/LEMS_pipe.xml"], 1);
    assert!(message.contains("warning[W0103]"), "{message}");
}

#[test]
fn a_sandbox_writes_below_its_folder_only() {
    let folder = guest();
    symlink("../shared", folder.0.join("out/away")).unwrap();
    symlink("/dev/null", folder.0.join("out/null")).unwrap();
    let absolute = folder.0.join("v.dat");
    for name in ["../v.dat", "away/v.dat", absolute.to_str().unwrap(), "null"] {
        folder.write("guest/LEMS_out.xml", &writing(name));
        let call = ["run", "--sandbox", "--out-dir", "out", "guest/LEMS_out.xml"];
        let message = folder.fail(&call, 1);
        assert!(message.contains("error[E0526]"), "{name}: {message}");
    }
    folder.write("guest/LEMS_out.xml", &writing("../out/v.dat"));
    folder.succeed(&["run", "--sandbox", "--out-dir", "out", "guest/LEMS_out.xml"]);
    assert_eq!(folder.names(), ["guest", "out", "shared"]);
}

#[test]
fn a_link_in_place_of_a_partial_file_is_not_followed() {
    let folder = Folder::with_decay();
    folder.write("precious", "old");
    symlink("precious", folder.0.join("decay.dat.partial")).unwrap();
    folder.succeed(&["LEMS_decay.xml"]);
    assert_eq!(folder.read("precious"), "old");
    assert!(folder.read("decay.dat").ends_with("\t\n"));
}

#[test]
fn a_device_is_written_as_it_is() {
    let folder = Folder::with_decay();
    symlink("/dev/null", folder.0.join("null.dat")).unwrap();
    folder.write("LEMS_null.xml", &writing("null.dat"));
    folder.succeed(&["LEMS_null.xml"]);
    assert!(folder.0.join("null.dat").is_symlink());
    let full = std::fs::metadata("/dev/full");
    if !full.is_ok_and(|device| device.file_type().is_char_device()) {
        eprintln!("skipped: /dev/full is no device here");
        return;
    }
    symlink("/dev/full", folder.0.join("full.dat")).unwrap();
    folder.write("LEMS_full.xml", &writing("full.dat"));
    let message = folder.fail(&["LEMS_full.xml"], 1);
    assert!(message.contains("error[E0506]"), "{message}");
    assert!(folder.0.join("full.dat").is_symlink());
}

#[test]
fn a_file_that_grows_beyond_what_is_allowed_ends_on_a_full_line() {
    let folder = Folder::with_decay();
    folder.write("LEMS_long.xml", &DECAY.replace("\"1 ms\"", "\"1 s\""));
    folder.write("decay.dat", "old");
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    let script = format!("trap '' XFSZ; ulimit -f 90; exec '{program}' LEMS_long.xml");
    let mut shell = std::process::Command::new("bash");
    let output = shell
        .args(["-c", &script])
        .current_dir(&folder.0)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{message}");
    assert!(message.contains("error[E0506]"), "{message}");
    assert_eq!(folder.read("decay.dat"), "old");
    let partial = folder.read("decay.dat.partial");
    assert!(
        partial.ends_with("\t\n") && partial.len() > 60_000,
        "{}",
        partial.len()
    );
}

#[test]
fn what_cannot_be_written_is_known_before_the_network_is_built() {
    let folder = Folder::with_decay();
    let model = writing("gone/v.dat").replace("quantity=\"x\"", "quantity=\"nowhere/x\"");
    folder.write("LEMS_gone.xml", &model);
    folder.write("gone", "a file is in the way");
    let message = folder.fail(&["LEMS_gone.xml"], 1);
    assert!(
        message.contains("error[E0503]") && !message.contains("E0401"),
        "{message}"
    );
    assert!(message.contains("LEMS_gone.xml:6:"), "{message}");
    std::fs::remove_file(folder.0.join("gone")).unwrap();
    assert!(folder.fail(&["LEMS_gone.xml"], 1).contains("error[E0401]"));
    assert_eq!(std::fs::read_dir(folder.0.join("gone")).unwrap().count(), 0);
}

#[test]
fn folders_that_are_missing_are_made_with_a_word() {
    let folder = Folder::with_decay();
    folder.write("LEMS_deep.xml", &writing("results/today/v.dat"));
    let said = folder.succeed(&["LEMS_deep.xml"]);
    assert!(
        said.starts_with("made the folder results/today/\nwrote "),
        "{said}"
    );
    assert!(!folder.succeed(&["LEMS_deep.xml"]).contains("made"));
    assert_eq!(folder.read("results/today/v.dat").lines().count(), 11);
    let said = folder.succeed(&["LEMS_deep.xml", "--out-dir", "out", "--sandbox"]);
    assert!(
        said.starts_with("made the folder out/\nmade the folder out/results/today/\n"),
        "{said}"
    );
    folder.write("LEMS_up.xml", &writing("../beside/v.dat"));
    let message = folder.fail(&["LEMS_up.xml", "--out-dir", "out", "--sandbox"], 1);
    assert!(
        message.contains("error[E0526]") && message.contains("LEMS_up.xml:6:"),
        "{message}"
    );
    assert!(!folder.0.join("beside").exists());
}
