//! Tests of where outputs go, and of what they may overwrite.

#![cfg(unix)]

use std::os::unix::fs::{FileTypeExt, symlink};
use std::process::Stdio;

use crate::folder::{DECAY, DECAY_TYPES, Folder};

/// A model in its own folder, beside a folder with types and a folder for outputs.
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

/// Pictures of other commands than `run`: files that a model includes, and files that were compared, are inputs, too.
#[test]
fn a_picture_overwrites_nothing_that_the_command_reads() {
    let folder = Folder::with_decay();
    let include = "<Include file=\"decay_types.xml\"/>";
    let with = |name: &str| DECAY.replace(include, &format!("<Include file=\"{name}\"/>"));
    folder.write("decay.svg", DECAY_TYPES);
    folder.write("plotted.xml", &with("decay.svg"));
    folder.write("compared.differences.svg", DECAY_TYPES);
    folder.write("compared.xml", &with("compared.differences.svg"));
    folder.succeed(&["plotted.xml"]);
    std::fs::create_dir(folder.0.join("expected")).unwrap();
    let rows = folder.read("decay.dat").replace("0.9", "0.8");
    folder.write("expected/decay.dat", &rows);
    folder.write("expected/.differences.svg", "not a picture");
    let example = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/dendrite/dendrite.nml"
    );
    let cell = std::fs::read_to_string(example).unwrap();
    let shaped = "id=\"dendrite\">\n<include href=\"shape.svg\"/>";
    folder.write("shape.nml", &cell.replacen("id=\"dendrite\">", shaped, 1));
    folder.write("shape.svg", "<neuroml id=\"empty\"/>");
    for (arguments, input) in [
        (
            &[
                "plot",
                "decay.dat",
                "--model",
                "plotted.xml",
                "--form",
                "svg",
            ][..],
            "decay.svg",
        ),
        (
            &[
                "compare",
                "compared.xml",
                "--with-files",
                "expected",
                "--plot",
                "svg",
            ],
            "compared.differences.svg",
        ),
        (&["plot", "--morphology", "shape.nml"], "shape.svg"),
    ] {
        let before = folder.read(input);
        let message = folder.fail(arguments, 1);
        assert!(message.contains("error[E0524]"), "{arguments:?}: {message}");
        assert_eq!(folder.read(input), before, "{arguments:?}");
    }
    // Two cells would get one picture.
    std::fs::create_dir(folder.0.join("other")).unwrap();
    folder.write("cell.nml", &cell);
    folder.write("other/cell.nml", &cell);
    folder.fail(&["plot", "--morphology", "cell.nml", "other/cell.nml"], 1);
    assert!(!folder.0.join("cell.svg").exists());
}

#[test]
fn of_two_outputs_with_one_name_the_last_stays() {
    let folder = Folder::with_decay();
    let second = "<OutputFile id=\"b\" fileName=\"decay.dat\"/></Simulation>";
    folder.write("LEMS_twice.xml", &DECAY.replace("</Simulation>", second));
    let output = folder.call(&["LEMS_twice.xml"]);
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
    assert!(
        message.contains("error[E0506]") && message.contains("LEMS_full.xml:6:"),
        "{message}"
    );
    assert!(folder.0.join("full.dat").is_symlink());
}

/// The system refuses to write after the network is built; the message names the element of the
/// output.
#[test]
fn what_fails_while_it_is_written_has_a_place() {
    let folder = Folder::with_decay();
    for name in ["full.dat", "full.txt", "full.net.spikes"] {
        symlink("/dev/full", folder.0.join(name)).unwrap();
    }
    let model = DECAY.replace(
        "<Target component=",
        "<Target reportFile='full.txt' component=",
    );
    folder.write("LEMS_report.xml", &model);
    let message = folder.fail(&["LEMS_report.xml"], 1);
    assert!(
        message.contains("error[E0506]") && message.contains("LEMS_report.xml:10:"),
        "{message}"
    );
    folder.write("LEMS_full.xml", &writing("full.dat"));
    let message = folder.fail(&["LEMS_full.xml", "--checkpoint", "full.checkpoint"], 1);
    assert!(
        message.contains("error[E0506]") && message.contains("LEMS_full.xml:6:"),
        "{message}"
    );
    folder.write("LEMS_decay.xml", DECAY);
    let recording = [
        "LEMS_decay.xml",
        "--record",
        "x",
        "--record-file",
        "full.dat",
    ];
    let message = folder.fail(&recording, 1);
    assert!(
        message.contains("error[E0506]") && message.contains("`--record` asks for this output"),
        "{message}"
    );
    assert!(!message.contains("-->"), "{message}");
}

/// A network whose cells send spikes.
const NETWORK: &str = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="net">
  <iafTauCell id="cell" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
  <network id="n"><population id="pop" component="cell" size="1"/></network>
</neuroml>"#;

#[test]
fn outputs_of_a_neuroml_file_that_fail_name_the_option() {
    let folder = Folder::new();
    folder.write("net.nml", NETWORK);
    symlink("/dev/full", folder.0.join("net.dat")).unwrap();
    symlink("/dev/full", folder.0.join("net.pop.spikes")).unwrap();
    let message = folder.fail(&["net.nml"], 1);
    assert!(
        message.contains("error[E0506]") && message.contains("neither `--record` nor `--spikes`"),
        "{message}"
    );
    assert!(!message.contains("-->"), "{message}");
    let message = folder.fail(&["net.nml", "--spikes", "pop"], 1);
    assert!(
        message.contains("error[E0506]") && message.contains("`--spikes` asks for this output"),
        "{message}"
    );
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
    assert!(
        message.contains("error[E0506]") && message.contains("LEMS_long.xml:6:"),
        "{message}"
    );
    assert_eq!(folder.read("decay.dat"), "old");
    // Every full line that there is room for stays.
    let partial = folder.read("decay.dat.partial");
    assert!(
        partial.ends_with("\t\n") && partial.len() > 90 * 1024 - 100,
        "{}",
        partial.len()
    );
}

/// Names of the files in a folder.
fn names(folder: &Folder, below: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder.0.join(below))
        .into_iter()
        .flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn an_export_is_written_as_a_whole_or_not_at_all() {
    let folder = Folder::with_decay();
    // In place of the last file is a folder.
    std::fs::create_dir_all(folder.0.join("there/LEMS_decay_nrn.py")).unwrap();
    let export = ["export", "neuron", "LEMS_decay.xml", "-o"];
    let message = folder.fail(&[&export[..], &["there"]].concat(), 1);
    assert!(message.contains("LEMS_decay_nrn.py"), "{message}");
    assert_eq!(names(&folder, "there"), ["LEMS_decay_nrn.py"]);
    // There is room for the mechanism only.
    folder.write("old/decay.mod", "old");
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    for (out, left) in [("new/folder", &[][..]), ("old", &["decay.mod"])] {
        let command = export.join(" ");
        let script = format!("trap '' XFSZ; ulimit -f 8; exec '{program}' {command} {out}");
        let mut shell = std::process::Command::new("bash");
        let shell = shell.args(["-c", &script]).current_dir(&folder.0);
        let output = shell.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("error[E0506]"), "{message}");
        assert_eq!(names(&folder, out), left);
    }
    assert!(!folder.0.join("new").exists());
    assert_eq!(folder.read("old/decay.mod"), "old");
    folder.succeed(&[&export[..], &["old"]].concat());
    assert_eq!(names(&folder, "old"), ["LEMS_decay_nrn.py", "decay.mod"]);
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
    assert!(!folder.0.join("gone").exists());
}

#[test]
fn a_run_that_is_refused_leaves_no_folders() {
    let folder = Folder::with_decay();
    let text = writing("results/today/v.dat").replace("quantity=\"", "quantity=\"nothing/");
    assert!(text.contains("nothing/"), "{text}");
    folder.write("LEMS_wrong.xml", &text);
    let before = folder.names();
    for more in [&[][..], &["--sandbox"]] {
        let call = ["LEMS_wrong.xml", "--out-dir", "new/out", "--json"];
        let checkpoint = ["--checkpoint", "kept/run.checkpoint"];
        let told = folder.fail(&[&call[..], &checkpoint, more].concat(), 1);
        assert!(told.contains("E0401"), "{told}");
        assert_eq!(folder.names(), before);
    }
    // What was there stays.
    std::fs::create_dir(folder.0.join("new")).unwrap();
    folder.fail(&["LEMS_wrong.xml", "--out-dir", "new/out"], 1);
    assert!(folder.0.join("new").exists() && !folder.0.join("new/out").exists());
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

/// The decay model with other outputs.
fn writing_all(names: &[&str]) -> String {
    let file = |name: &&str| format!("<OutputFile id=\"o\" fileName=\"{name}\"/>");
    let files: String = names.iter().map(file).collect();
    DECAY.replace("</Simulation>", &(files + "</Simulation>"))
}

#[test]
fn what_is_not_of_the_run_stays_as_it_is() {
    let folder = Folder::with_decay();
    let others = [
        "decay.trial",
        "decay.dat.trial",
        "decay.dat.partial",
        "decay.dat.partial1",
        "c.partial",
    ];
    for name in others {
        folder.write(name, "mine");
    }
    folder.succeed(&["LEMS_decay.xml", "--checkpoint", "c"]);
    for name in others {
        assert_eq!(folder.read(name), "mine");
    }
    let own = ["LEMS_decay.xml", "decay_types.xml", "decay.dat", "c"];
    let mut expected = [&others[..], &own].concat();
    expected.sort_unstable();
    assert_eq!(folder.names(), expected);
}

#[test]
fn an_interrupted_run_goes_on_in_its_own_partial_file() {
    let folder = Folder::with_decay();
    folder.write("decay.dat.partial", "of an earlier run\n");
    let short = ["LEMS_decay.xml", "--checkpoint", "c"];
    folder.succeed(&short);
    // As if the run had been killed while it renamed its file.
    std::fs::rename(
        folder.0.join("decay.dat"),
        folder.0.join("decay.dat.partial1"),
    )
    .unwrap();
    folder.succeed(&["LEMS_decay.xml", "--resume", "c", "--length", "2 ms"]);
    assert_eq!(folder.read("decay.dat").lines().count(), 21);
    assert_eq!(folder.read("decay.dat.partial"), "of an earlier run\n");
    assert!(!folder.0.join("decay.dat.partial1").exists());
}

#[test]
fn two_spellings_of_one_output_are_one_name() {
    let folder = Folder::with_decay();
    std::fs::create_dir(folder.0.join("sub")).unwrap();
    symlink("sub", folder.0.join("other")).unwrap();
    symlink("linked.dat", folder.0.join("link.dat")).unwrap();
    for [one, other] in [
        ["./a.dat", "a.dat"],
        ["sub/a.dat", "other/a.dat"],
        ["sub/../b.dat", "b.dat"],
        ["link.dat", "linked.dat"],
    ] {
        folder.write("LEMS_two.xml", &writing_all(&[one, other]));
        let output = folder.call(&["-v", "LEMS_two.xml"]);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{message}");
        let names = format!("warning[W0525]: the outputs `{one}` and `{other}` are one file");
        assert!(message.contains(&names), "{message}");
        assert!(message.contains("LEMS_two.xml:9:"), "{message}");
        assert_eq!(folder.read(one).lines().count(), 11);
    }
    assert!(!folder.names().iter().any(|name| name.contains("partial")));
}

#[test]
fn an_output_may_be_called_as_another_grows() {
    let folder = Folder::with_decay();
    folder.write(
        "LEMS_two.xml",
        &writing_all(&["decay.dat.partial", "decay.dat.partial.partial"]),
    );
    folder.succeed(&["LEMS_two.xml"]);
    assert!(folder.read("decay.dat").starts_with("0.0\t1.0\t\n"));
    for name in ["decay.dat.partial", "decay.dat.partial.partial"] {
        assert!(folder.read(name).starts_with("0.0\t\n"), "{name}");
    }
    assert_eq!(folder.names().len(), 6);
}

#[test]
fn other_names_of_a_file_are_known_before_the_network_is_built() {
    let folder = Folder::with_decay();
    std::fs::hard_link(
        folder.0.join("decay_types.xml"),
        folder.0.join("also_types.dat"),
    )
    .unwrap();
    folder.write("a.dat", "old");
    std::fs::hard_link(folder.0.join("a.dat"), folder.0.join("b.dat")).unwrap();
    for (names, code) in [
        (&["also_types.dat"][..], "E0524"),
        (&["a.dat", "b.dat"], "E0529"),
    ] {
        let model = writing_all(names).replace("quantity=\"x\"", "quantity=\"nowhere/x\"");
        folder.write("LEMS_names.xml", &model);
        let message = folder.fail(&["LEMS_names.xml"], 1);
        assert!(message.starts_with(&format!("error[{code}]")), "{message}");
        assert!(message.contains("LEMS_names.xml:9:"), "{message}");
    }
    assert_eq!(folder.read("decay_types.xml"), DECAY_TYPES);
    assert_eq!(
        (folder.read("a.dat"), folder.read("b.dat")),
        ("old".into(), "old".into())
    );
}

#[test]
fn no_output_is_a_checkpoint_a_picture_or_the_core_types() {
    let folder = Folder::with_decay();
    folder.write("model.partial", DECAY);
    let message = folder.fail(&["run", "--checkpoint", "model", "model.partial"], 1);
    assert!(message.starts_with("error[E0524]"), "{message}");
    assert_eq!(folder.read("model.partial"), DECAY);
    for checkpoint in ["decay.dat", "./decay.dat"] {
        let message = folder.fail(&["LEMS_decay.xml", "--checkpoint", checkpoint], 1);
        assert!(message.starts_with("error[E0529]"), "{message}");
    }
    folder.write("LEMS_svg.xml", &writing("LEMS_svg.svg"));
    let message = folder.fail(&["run", "--plot", "svg", "LEMS_svg.xml"], 1);
    assert!(message.starts_with("error[E0529]"), "{message}");
    for file in nml2_coretypes::CORE_TYPES {
        folder.write(&format!("core/{}", file.name), file.text);
    }
    folder.write("LEMS_core.xml", &writing("core/Simulation.xml"));
    let message = folder.fail(&["run", "--core-types", "core", "LEMS_core.xml"], 1);
    assert!(message.starts_with("error[E0524]"), "{message}");
    let target = "<Target component=\"sim\" reportFile=\"decay_types.xml\"/>";
    folder.write(
        "LEMS_report.xml",
        &DECAY.replace("<Target component=\"sim\"/>", target),
    );
    let message = folder.fail(&["LEMS_report.xml"], 1);
    assert!(message.starts_with("error[E0524]"), "{message}");
    assert!(message.contains("LEMS_report.xml:10:"), "{message}");
    assert!(!folder.names().iter().any(|name| name.contains("decay.dat")));
}

#[test]
fn a_link_stays_a_link_to_what_is_written() {
    let folder = Folder::with_decay();
    folder.write("data/v.dat", "old");
    symlink("data/v.dat", folder.0.join("there.dat")).unwrap();
    symlink("data/new.dat", folder.0.join("nothing_yet.dat")).unwrap();
    folder.write(
        "LEMS_links.xml",
        &writing_all(&["there.dat", "nothing_yet.dat"]),
    );
    folder.succeed(&["LEMS_links.xml"]);
    for (link, file) in [("there.dat", "v.dat"), ("nothing_yet.dat", "new.dat")] {
        assert!(folder.0.join(link).is_symlink());
        assert_eq!(folder.read(&format!("data/{file}")).lines().count(), 11);
    }
    assert_eq!(std::fs::read_dir(folder.0.join("data")).unwrap().count(), 2);
    symlink("round.dat", folder.0.join("round.dat")).unwrap();
    folder.write("LEMS_links.xml", &writing("round.dat"));
    assert!(
        folder
            .fail(&["LEMS_links.xml"], 1)
            .starts_with("error[E0505]")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn rows_on_the_standard_output_come_before_what_is_said() {
    let folder = Folder::with_decay();
    symlink("/proc/self/fd/1", folder.0.join("link.dat")).unwrap();
    folder.write("LEMS_out.xml", &writing("link.dat"));
    folder.succeed(&["LEMS_decay.xml"]);
    let rows = folder.read("decay.dat");
    let log = std::fs::File::create(folder.0.join("log")).unwrap();
    let status = (folder.command().arg("LEMS_out.xml")).stdout(log).status();
    assert!(status.unwrap().success());
    let logged = folder.read("log");
    assert!(logged.starts_with(&rows), "{logged}");
    assert!(logged.contains("wrote link.dat (11 rows)"), "{logged}");
    assert!(folder.0.join("link.dat").is_symlink());
    let piped = folder.succeed(&["LEMS_out.xml"]);
    assert_eq!(piped.lines().next(), rows.lines().next());
    assert!(piped.starts_with(&rows), "{piped}");
}

#[test]
fn a_pipe_is_written_through_and_a_socket_is_refused() {
    let folder = Folder::with_decay();
    let pipe = folder.0.join("pipe.dat");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    folder.write("LEMS_pipe.xml", &writing("pipe.dat"));
    let run = (folder.command().arg("LEMS_pipe.xml"))
        .stdout(Stdio::null())
        .spawn();
    let rows = std::fs::read_to_string(&pipe).unwrap();
    assert!(run.unwrap().wait().unwrap().success());
    assert_eq!(rows.lines().count(), 11);
    assert!(
        std::fs::symlink_metadata(&pipe)
            .unwrap()
            .file_type()
            .is_fifo()
    );

    // The path of a socket must be short.
    let socket = std::env::temp_dir().join(format!("jlems-rs-{}", std::process::id()));
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    folder.write("LEMS_socket.xml", &writing(socket.to_str().unwrap()));
    let message = folder.fail(&["LEMS_socket.xml"], 1);
    drop(listener);
    std::fs::remove_file(&socket).unwrap();
    assert!(message.starts_with("error[E0505]"), "{message}");
    assert!(message.contains("it is a socket"), "{message}");
    assert!(message.contains("LEMS_socket.xml:6:"), "{message}");
}

#[test]
fn a_name_may_be_as_long_as_a_folder_takes_it() {
    let folder = Folder::with_decay();
    let ascii = "n".repeat(255);
    let others = ["n".repeat(254) + "m", "\u{b5}".repeat(127)];
    folder.write(
        "LEMS_long.xml",
        &writing_all(&[&ascii, &others[0], &others[1]]),
    );
    folder.succeed(&["LEMS_long.xml", "--checkpoint", &"c".repeat(250)]);
    for name in [&ascii, &others[0], &others[1]] {
        assert_eq!(folder.read(name).lines().count(), 11);
    }
    let model = writing(&"n".repeat(256)).replace("quantity=\"x\"", "quantity=\"nowhere/x\"");
    folder.write("LEMS_long.xml", &model);
    let message = folder.fail(&["LEMS_long.xml"], 1);
    assert!(message.starts_with("error[E0505]"), "{message}");
    assert!(message.contains("LEMS_long.xml:6:"), "{message}");
}

/// Repeatedly replaces a folder by a link to another folder and back, until it is dropped.
#[cfg(target_os = "linux")]
struct Swapping {
    go_on: std::sync::Arc<std::sync::atomic::AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

#[cfg(target_os = "linux")]
impl Swapping {
    fn of(place: std::path::PathBuf, other: &str) -> Swapping {
        let go_on = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(true));
        let link = place.with_extension("link");
        symlink(other, &link).unwrap();
        let flag = go_on.clone();
        let thread = std::thread::spawn(move || {
            use rustix::fs::{CWD, RenameFlags};
            while flag.load(std::sync::atomic::Ordering::Relaxed) {
                // Without a pause in between, because a run creates a folder as soon as it is missing.
                for _ in ["there", "and back"] {
                    rustix::fs::renameat_with(CWD, &place, CWD, &link, RenameFlags::EXCHANGE)
                        .unwrap();
                }
            }
        });
        Swapping {
            go_on,
            thread: Some(thread),
        }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Swapping {
    fn drop(&mut self) {
        self.go_on
            .store(false, std::sync::atomic::Ordering::Relaxed);
        let ended = self.thread.take().map(std::thread::JoinHandle::join);
        assert!(matches!(ended, Some(Ok(()))));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_sandbox_holds_while_another_process_moves_links() {
    let folder = guest();
    folder.write("out/sub/keep", "");
    folder.write("away/keep", "");
    folder.write("guest/types/decay_types.xml", DECAY_TYPES);
    // The file that must not be read has another initial value.
    let secret = DECAY_TYPES.replace("variable=\"x\" value=\"1\"", "variable=\"x\" value=\"7\"");
    assert_ne!(secret, DECAY_TYPES);
    folder.write("secret/decay_types.xml", &secret);
    let model = writing("sub/v.dat").replace("decay_types.xml", "types/decay_types.xml");
    folder.write("guest/LEMS_swap.xml", &model);
    let read_secret = || {
        let rows = std::fs::read_to_string(folder.0.join("out/sub/v.dat"));
        rows.is_ok_and(|rows| rows.starts_with("0.0\t7.0"))
    };
    let swapping = [
        Swapping::of(folder.0.join("out/sub"), "../away"),
        Swapping::of(folder.0.join("guest/types"), "../secret"),
    ];
    let call = [
        "run",
        "--sandbox",
        "--out-dir",
        "out",
        "guest/LEMS_swap.xml",
    ];
    for _ in 0..40 {
        folder.call(&call);
        assert!(!read_secret());
    }
    drop(swapping);
    assert_eq!(std::fs::read_dir(folder.0.join("away")).unwrap().count(), 1);
    folder.succeed(&call);
    assert!(!read_secret());
}
