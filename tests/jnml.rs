//! Tests of the program when it is called like jNeuroML.

use std::process::{Command, Output};

use crate::folder::{DECAY, DECAY_TYPES, Folder};

/// Calls the program by its other name, with an empty environment.
#[cfg(unix)]
fn jnml(folder: &Folder, arguments: &[&str]) -> Output {
    let link = folder.0.join("jnml");
    if !link.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jlems-rs"), &link).unwrap();
    }
    let mut command = Command::new(link);
    command.args(arguments).current_dir(&folder.0).env_clear();
    command.output().unwrap()
}

#[cfg(unix)]
#[test]
fn every_form_of_the_command_line_runs_the_file() {
    for form in [
        &["LEMS_decay.xml", "-nogui"][..],
        &["LEMS_decay.xml"],
        &["-nogui", "LEMS_decay.xml"],
        &["LEMS_decay.xml", "-nogui", "-I", ""],
        &["LEMS_decay.xml", "-I", "nowhere:here", "-nogui"],
    ] {
        let folder = Folder::with_decay();
        let output = jnml(&folder, form);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{form:?}: {message}");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.ends_with("displaying LEMS model\n"), "{said}");
        let wants_windows = !form.contains(&"-nogui");
        assert_eq!(said.contains("--plot html"), wants_windows, "{said}");
        assert_eq!(folder.read("decay.dat").lines().count(), 11, "{form:?}");
    }
}

#[cfg(unix)]
#[test]
fn folders_for_includes_and_outputs_are_used() {
    let folder = Folder::new();
    folder.write("LEMS_decay.xml", DECAY);
    folder.write("types/decay_types.xml", DECAY_TYPES);
    folder.write("out/empty", "");
    assert!(
        !jnml(&folder, &["LEMS_decay.xml", "-nogui"])
            .status
            .success()
    );
    let output = jnml(
        &folder,
        &[
            "LEMS_decay.xml",
            "-nogui",
            "-I",
            "a:types",
            "-outputdir",
            "out",
        ],
    );
    assert!(output.status.success());
    assert!(folder.0.join("out/decay.dat").exists());
}

#[cfg(unix)]
#[test]
fn without_a_run_errors_are_found_and_nothing_is_written() {
    let folder = Folder::with_decay();
    assert!(
        jnml(&folder, &["LEMS_decay.xml", "-norun"])
            .status
            .success()
    );
    assert!(!folder.0.join("decay.dat").exists());
    folder.write(
        "LEMS_decay.xml",
        &DECAY.replace("quantity=\"x\"", "quantity=\"y\""),
    );
    let output = jnml(&folder, &["LEMS_decay.xml", "-norun"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0403"));
}

#[cfg(unix)]
#[test]
fn validates_tells_its_version_and_helps() {
    let folder = Folder::with_decay();
    folder.write("broken.nml", "<neuroml><iafCell id=\"a\"/></neuroml>");
    assert!(
        jnml(&folder, &["-validate", "LEMS_decay.xml"])
            .status
            .success()
    );
    let both = jnml(&folder, &["-validate", "LEMS_decay.xml", "broken.nml"]);
    assert_eq!(both.status.code(), Some(1));
    let version = String::from_utf8(jnml(&folder, &["-v"]).stdout).unwrap();
    let second = version.split_whitespace().nth(1).unwrap();
    assert_eq!(second, concat!("v", env!("CARGO_PKG_VERSION")));
    for help in [&["-h"][..], &[]] {
        let output = jnml(&folder, help);
        assert!(output.status.success());
        assert!(
            String::from_utf8(output.stdout)
                .unwrap()
                .contains("-validate FILE")
        );
    }
}

#[cfg(unix)]
#[test]
fn what_is_not_there_is_said_to_be_not_there() {
    let folder = Folder::with_decay();
    for (arguments, expected) in [
        (
            &["LEMS_decay.xml", "-brian2"][..],
            "`-brian2` is for jNeuroML itself",
        ),
        (&["LEMS_decay.xml", "-brain2"], "no option `-brain2`"),
        (&["LEMS_decay.xml", "-json"], "no option `-json`"),
        (
            &["-sbml-import", "x.sbml"],
            "`-sbml-import` is for jNeuroML",
        ),
        (&["LEMS_decay.xml", "other.xml"], "what is `other.xml`?"),
        (&["LEMS_decay.xml", "-I"], "needs folders"),
        (&["-validate"], "needs the files"),
        (&["-nogui"], "no LEMS file"),
    ] {
        let output = jnml(&folder, arguments);
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?}");
        assert!(message.contains(expected), "{arguments:?}: {message}");
        assert!(!folder.0.join("decay.dat").exists());
    }
}

/// Tests the calls that pyNeuroML makes to Java.
#[cfg(unix)]
#[test]
fn runs_of_pyneuroml_come_here_and_its_exports_go_to_java() {
    let folder = Folder::with_decay();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jlems-rs"), folder.0.join("jlems-rs")).unwrap();
    folder.write("other/java", "#!/bin/sh\necho \"Java: $*\"\n");
    let made = Command::new("chmod")
        .args(["+x", "other/java"])
        .current_dir(&folder.0)
        .status();
    assert!(made.unwrap().success());
    let scripts = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/pynml");
    let called = |words: &str| {
        let before = "java -Xmx400M -Djava.awt.headless=true -jar '/some where/jNeuroML-0.14.0-jar-with-dependencies.jar'";
        let here = folder.0.display();
        let output = Command::new("sh")
            .args(["-c", &format!("{before} {words}")])
            .env(
                "PATH",
                format!("{scripts}:{here}:{here}/other:/usr/bin:/bin"),
            )
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(called(" LEMS_decay.xml  -nogui -I ''").contains("wrote decay.dat"));
    assert!(called("-validate LEMS_decay.xml").contains("LEMS_decay.xml: valid"));
    let export = called("LEMS_decay.xml -neuron -nogui");
    assert!(
        export.starts_with("Java: ") && export.ends_with("LEMS_decay.xml -neuron -nogui\n"),
        "{export}"
    );
}

#[test]
fn the_name_may_be_the_first_word_instead() {
    let folder = Folder::with_decay();
    folder.succeed(&["jnml", "LEMS_decay.xml", "-nogui"]);
    assert!(folder.0.join("decay.dat").exists());
    let message = folder.fail(&["jnml", "-matlab", "LEMS_decay.xml"], 1);
    assert!(message.contains("`-matlab`"), "{message}");
}

#[test]
fn shells_and_readers_of_manuals_are_served() {
    let folder = Folder::new();
    let completions = folder.succeed(&["completions", "bash"]);
    assert!(completions.contains("--out-dir") && completions.contains("validate"));
    assert!(folder.succeed(&["man"]).contains(".TH jlems"));
    assert!(folder.succeed(&["man", "run"]).contains("out\\-dir"));
    folder.fail(&["man", "nothing"], 1);
}

#[cfg(unix)]
#[test]
fn an_export_to_neuron_has_the_names_of_jneuroml() {
    let folder = Folder::with_decay();
    let output = jnml(&folder, &["LEMS_decay.xml", "-neuron", "-nogui"]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(folder.read("LEMS_decay_nrn.py").contains("def build("));
    assert!(folder.read("decay.mod").contains("POINT_PROCESS decay"));
    let output = jnml(
        &folder,
        &["LEMS_decay.xml", "-neuron", "-outputdir", "nowhere"],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no folder `nowhere`"));
    let output = jnml(&folder, &["LEMS_decay.xml", "-neuron", "-run", "-nogui"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "there is no NEURON in an empty environment"
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0807"));
}

#[cfg(unix)]
#[test]
fn an_export_to_netpyne_has_the_names_of_jneuroml() {
    let folder = Folder::with_decay();
    folder.write("out/empty", "");
    let output = jnml(
        &folder,
        &["LEMS_decay.xml", "-netpyne", "-outputdir", "out"],
    );
    assert!(output.status.success(), "{output:?}");
    assert!(
        folder
            .read("out/LEMS_decay_netpyne.py")
            .contains("def net_params(")
    );
    assert!(folder.read("out/decay.mod").contains("POINT_PROCESS decay"));
    let output = jnml(&folder, &["LEMS_decay.xml", "-netpyne", "-json"]);
    assert_eq!(output.status.code(), Some(1), "JSON is written by NetPyNE");
    assert!(String::from_utf8_lossy(&output.stderr).contains("E0807"));
}

#[cfg(unix)]
#[test]
fn networks_are_drawn_as_svg_and_png() {
    let folder = Folder::new();
    let network = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">
        <spikeGenerator id="source" period="10ms"/>
        <network id="net"><population id="sources" component="source" size="2"/></network></neuroml>"#;
    folder.write("a.net.nml", network);
    let drawn = jnml(&folder, &["a.net.nml", "-svg"]);
    assert!(drawn.status.success(), "{drawn:?}");
    let picture = folder.read("a.net.svg");
    assert_eq!(picture.matches("<circle").count(), 2, "{picture}");
    assert!(picture.contains(">sources<"), "{picture}");
    let drawn = jnml(&folder, &["a.net.nml", "-png"]);
    assert!(drawn.status.success(), "{drawn:?}");
    let bytes = std::fs::read(folder.0.join("a.net.png")).unwrap();
    assert!(bytes.starts_with(b"\x89PNG"));
    let message = jnml(&folder, &["a.net.nml", "-png", "-run"]);
    assert!(!message.status.success());
    folder.fail(&["export", "svg", "a.net.nml", "-o", "a.net.nml"], 1);
    assert_eq!(folder.read("a.net.nml"), network);
}

/// Programs that write down how they were called, in place of NEURON's compiler and Python.
#[cfg(unix)]
#[test]
fn json_without_a_run_is_asked_of_the_script() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_decay();
    for (name, text) in [
        (
            "nrnivmodl",
            "#!/bin/sh\n/bin/mkdir made && echo > made/special\n",
        ),
        ("python3", "#!/bin/sh\necho \"$@\" > called\n"),
    ] {
        let path = format!("bin/{name}");
        folder.write(&path, text);
        let permissions = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.0.join(&path), permissions).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_jlems-rs"));
    command.args(["export", "netpyne", "LEMS_decay.xml", "--json", "-o", "out"]);
    command
        .env("PATH", folder.0.join("bin"))
        .env_remove("NEURON_HOME");
    let output = command.current_dir(&folder.0).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let called = folder.read("out/called");
    assert!(
        called.starts_with("LEMS_decay_netpyne.py --out "),
        "{called}"
    );
    assert!(called.ends_with("--json --norun\n"), "{called}");
}

#[cfg(unix)]
#[test]
fn a_compiler_that_fails_is_a_failure() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::with_decay();
    folder.write(
        "bin/nrnivmodl",
        "#!/bin/sh\necho no compiler here\nexit 0\n",
    );
    let compiler = folder.0.join("bin/nrnivmodl");
    std::fs::set_permissions(&compiler, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_jlems-rs"));
    command.args([
        "export",
        "neuron",
        "LEMS_decay.xml",
        "--compile",
        "-o",
        "out",
    ]);
    let output = command
        .current_dir(&folder.0)
        .env("PATH", folder.0.join("bin"))
        .env_remove("NEURON_HOME")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("no compiler here"), "{message}");
}
