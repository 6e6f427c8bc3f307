//! Tests of `compare`: two files, a run with files, and a run with another program.

use crate::folder::Folder;
use serde_json::Value;

#[test]
fn a_run_is_compared_with_what_it_should_give() {
    let folder = Folder::with_decay();
    folder.write("golden/empty", "");
    folder.succeed(&["LEMS_decay.xml", "--out-dir", "golden"]);
    let with_files = ["compare", "LEMS_decay.xml", "--with-files", "golden"];
    let said = folder.succeed(&with_files);
    assert_eq!(said, "decay.dat: identical (11 rows)\n");
    assert!(!folder.names().contains(&"decay.dat".to_owned()));

    let golden = folder.read("golden/decay.dat");
    folder.write(
        "golden/decay.dat",
        &golden.replace("0.001\t0.9", "0.001\t0.8"),
    );
    let output = folder.call(&with_files);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("decay.dat: different (11 rows)\n"),
        "{said}"
    );
    assert!(said.contains("at t = 0.001 (row 11)"), "{said}");

    folder.write("golden/decay.dat", &thinned(&golden));
    folder.fail(&with_files, 1);
    folder.succeed(&[&with_files[..], &["--every", "5"]].concat());

    let changed = [&with_files[..], &["--set", "d/tau=11 ms"]].concat();
    assert_eq!(folder.call(&changed).status.code(), Some(1));
    std::fs::remove_file(folder.0.join("golden/decay.dat")).unwrap();
    assert!(folder.fail(&with_files, 1).contains("E0605"));
}

#[test]
fn half_a_line_of_a_partial_file_is_left_out() {
    let folder = Folder::new();
    folder.write("a.dat.partial", "0.0\t1.0\t\n0.1\t2.0\t\n0.2\t3");
    folder.write("b.dat", "0.0\t1.0\t\n0.1\t2.0\t\n");
    folder.write("c.dat", "0.0\t1.0\t\n0.1\t2.0");
    for arguments in [
        &["compare", "a.dat.partial", "b.dat"][..],
        &["compare", "b.dat", "a.dat.partial"],
        &["plot", "a.dat.partial"],
    ] {
        let output = folder.call(arguments);
        assert!(output.status.success(), "{arguments:?}");
        assert_eq!(
            String::from_utf8_lossy(&output.stderr),
            "a.dat.partial ends within a line, which is left out\n"
        );
    }
    let whole = folder.succeed(&["compare", "b.dat", "c.dat"]);
    assert_eq!(whole, "b.dat: same values (2 rows)\n");
}

fn thinned(text: &str) -> String {
    text.split_inclusive('\n').step_by(5).collect()
}

#[test]
fn two_files_are_compared() {
    let folder = Folder::new();
    folder.write("a.dat", "0.0\t1.0\t\n0.1\t2.0\t\n");
    folder.write("b.dat", "0\t1\n0.1\t2.0000001\n");
    folder.write("a.spikes", "0\t0.1\n1\t0.2\n");
    folder.write("b.spikes", "0\t0.1\n1\t0.2\n0\t0.3\n");
    let said = folder.succeed(&["compare", "a.dat", "b.dat"]);
    assert!(said.contains("a.dat: close"), "{said}");
    folder.fail(&["compare", "a.dat", "b.dat", "--tolerance", "0"], 1);
    let output = folder.call(&["compare", "a.spikes", "b.spikes", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["verdict"], "different");
    assert_eq!(told[0]["trains"][0]["id"], "0");
    assert_eq!(told[0]["trains"][0]["times"][1], 0.3);
    folder.fail(&["compare", "a.dat"], 2);
    assert!(
        folder
            .fail(&["compare", "a.dat", "c.dat"], 1)
            .contains("c.dat")
    );
}

#[test]
fn folders_are_compared_file_by_file() {
    let folder = Folder::new();
    folder.write("a/x.dat", "0.0\t1.0\t\n");
    folder.write("a/y.dat", "0.0\t2.0\t\n");
    folder.write("b/x.dat", "0.0\t1.0\t\n");
    folder.write("b/y.dat", "0.0\t3.0\t\n");
    let output = folder.call(&["compare", "a", "b"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("a/x.dat: identical"), "{said}");
    assert!(
        said.contains("a/y.dat: different (1 row)\n  column 1 differs by up to 1.000e0 at"),
        "{said}"
    );
    folder.succeed(&["compare", "a/x.dat", "b"]);
    let message = folder.fail(&["compare", "LEMS_x.xml", "b"], 1);
    assert!(message.contains("`jlems-rs compare LEMS_x.xml --with-files b`"));
    folder.write("a/z.dat", "");
    assert!(folder.fail(&["compare", "a", "b"], 1).contains("b/z.dat"));
}

#[cfg(unix)]
#[test]
fn a_link_to_the_program_is_no_other_program() {
    let folder = Folder::with_decay();
    let link = folder.0.join("jnml");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_jlems-rs"), &link).unwrap();
    let link = link.to_string_lossy();
    let message = folder.fail(&["compare", "LEMS_decay.xml", "--with", &link], 1);
    assert!(message.contains("compared with itself"), "{message}");
}

#[test]
fn differences_are_drawn() {
    let folder = Folder::new();
    folder.write("a.dat", "0.0\t1.0\t5.0\t\n0.1\t2.0\t5.0\t\n");
    folder.write("b.dat", "0.0\t1.0\t5.0\t\n0.1\t4.0\t5.0\t\n");
    let draw = |a: &str, b: &str| {
        let output = folder.call(&["compare", a, b, "--plot", "svg"]);
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(draw("a.dat", "b.dat").ends_with("drew a.differences.svg\n"));
    let svg = folder.read("a.differences.svg");
    for expected in [">a.dat: different<", ">column 1<", ">-2.0<"] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    assert!(!svg.contains(">column 2<"), "{svg}");
    folder.write("c.spikes", "0\t0.1\n1\t0.2\n");
    folder.write("d.spikes", "0\t0.1\n1\t0.2\n1\t0.3\n");
    assert!(draw("c.spikes", "d.spikes").contains("drew c.differences.svg\n"));
    let svg = folder.read("c.differences.svg");
    for expected in [">1, the first<", ">1, the other<"] {
        assert!(svg.contains(expected), "{expected}: {svg}");
    }
    let strokes = svg.lines().filter(|line| line.contains("v-"));
    let strokes: usize = strokes.map(|line| line.matches('M').count()).sum();
    assert_eq!(strokes, 3, "{svg}");
    assert!(!draw("a.dat", "a.dat").contains("drew"));
}

#[cfg(unix)]
#[test]
fn another_program_is_called_in_a_folder_of_its_own() {
    let folder = Folder::with_decay();
    let own = env!("CARGO_BIN_EXE_jlems-rs");
    folder.write("other", &format!("#!/bin/sh\nexec {own} jnml \"$@\"\n"));
    let program = folder.0.join("other");
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&program, executable).unwrap();
    let program = program.to_string_lossy().into_owned();
    let said = folder.succeed(&["compare", "LEMS_decay.xml", "--with", &program]);
    assert_eq!(said, "decay.dat: identical (11 rows)\n");
    assert!(!folder.names().contains(&"decay.dat".to_owned()));
    for setting in ["--step=0.2ms", "--set=d/tau=20ms"] {
        let changed = ["compare", "LEMS_decay.xml", "--with", &program, setting];
        assert!(folder.succeed(&changed).starts_with("decay.dat: identical"));
    }
    let message = folder.fail(&["compare", "LEMS_decay.xml", "--with", "false"], 1);
    assert!(message.contains("`false` failed"), "{message}");
}

#[test]
fn a_sandbox_compares_with_its_folder_only() {
    let folder = Folder::with_decay();
    folder.succeed(&["LEMS_decay.xml"]);
    folder.write("other/v.dat", "0.0\t3.0\t\n");
    folder.write("golden/v.dat", &folder.read("decay.dat"));
    let model = folder.read("LEMS_decay.xml");
    folder.write(
        "LEMS_out.xml",
        &model.replace("decay.dat", "../other/v.dat"),
    );
    let with_files = ["compare", "LEMS_out.xml", "--with-files", "golden"];
    let output = folder.call(&with_files);
    assert_eq!(output.status.code(), Some(1), "the other file is another");
    let said = folder.succeed(&[&with_files[..], &["--sandbox"]].concat());
    assert!(said.contains("identical"), "{said}");
}
