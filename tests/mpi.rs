//! Runs that the processes of `mpirun` make together write the bytes of one process.
//!
//! The tests need an `mpirun` on the search path, of any MPI, and say so where there is none.

#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::folder::{Folder, outputs_below};

/// Long enough for any of the runs here, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// Starts the program in so many processes, by a shell that may do something else before it.
fn started(folder: &Path, number: usize, before: &str, arguments: &[&str]) -> Child {
    let program = env!("CARGO_BIN_EXE_jlems-rs");
    let script =
        format!("rank=${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}; {before} exec '{program}' \"$@\"");
    let mut command = Command::new("mpirun");
    command
        .args(["-n", &number.to_string(), "sh", "-c", &script, "sh"])
        .args(arguments)
        // Open MPI 4 and 5 refuse both without being told.
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env("OMPI_MCA_rmaps_base_oversubscribe", "1")
        .env("PRTE_ALLOW_RUN_AS_ROOT", "1")
        .env("PRTE_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
        .env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// What the processes say; they must end.
fn ended(mut child: Child) -> Output {
    let started = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            let _ = child.kill();
            panic!("the processes do not end");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.wait_with_output().unwrap()
}

/// Status and all that the processes say.
fn by(folder: &Path, number: usize, before: &str, arguments: &[&str]) -> (bool, String) {
    let output = ended(started(folder, number, before, arguments));
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    (output.status.success(), said)
}

/// Whether there is an `mpirun`.
fn is_there() -> bool {
    let version = Command::new("mpirun").arg("--version").output();
    let is_there = version.is_ok_and(|output| output.status.success());
    if !is_there {
        println!("skipped: there is no mpirun");
    }
    is_there
}

/// Cells in two populations; the second ones become infinite if `rate` is large.
fn two(rate: &str, length: &str) -> Folder {
    Folder::with_two("random(1)", rate, length)
}

/// The number of a process that has written it into the file `pid-RANK`.
fn process(folder: &Folder, rank: usize) -> String {
    let path = folder.0.join(format!("pid-{rank}"));
    let started = Instant::now();
    loop {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(number) = text.strip_suffix('\n') {
            return number.to_owned();
        }
        assert!(started.elapsed() < PATIENCE, "process {rank} starts");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn models_have_the_same_outputs_by_any_number_of_processes() {
    if !is_there() {
        return;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for (model, number) in [
        ("examples/izhikevich-network/LEMS_izhikevich_network.xml", 3),
        ("tests/models/gap-junctions/LEMS_gap_junctions.xml", 2),
        ("tests/models/network-noise/LEMS_noise.xml", 4),
        ("tests/models/event-files/LEMS_event_files.xml", 2),
        (
            "tests/models/spike-generators-random/LEMS_spike_generators_random.xml",
            3,
        ),
    ] {
        let model = root.join(model);
        let (home, name) = (model.parent().unwrap(), model.file_name().unwrap());
        let name = name.to_str().unwrap();
        let (alone, together) = (Folder::new(), Folder::new());
        let arguments = |out: &Folder| {
            let out = out.0.to_str().unwrap().to_owned();
            ["run", "--quiet", "--out-dir", &out, name].map(str::to_owned)
        };
        let mut command = alone.command();
        command.current_dir(home).args(arguments(&alone));
        assert!(command.status().unwrap().success());
        let arguments = arguments(&together);
        let arguments = arguments.each_ref().map(String::as_str);
        assert_eq!(by(home, number, "", &arguments), (true, String::new()));
        let alone = outputs_below(&alone.0);
        assert!(!alone.is_empty());
        assert!(
            alone == outputs_below(&together.0),
            "{name} by {number} processes"
        );
    }
}

#[test]
fn the_first_process_alone_says_what_was_done_or_goes_wrong() {
    if !is_there() {
        return;
    }
    let folder = two("0.01 per_ms", "20 ms");
    let (is_done, said) = by(&folder.0, 3, "", &["LEMS_two.xml"]);
    assert!(is_done, "{said}");
    assert_eq!(said.matches("x.dat").count(), 1, "{said}");
    let folder = two("1 per_ms", "20 ms");
    let (is_done, said) = by(&folder.0, 3, "", &["LEMS_two.xml"]);
    assert!(!is_done && said.matches("two[").count() > 0, "{said}");
    assert_eq!(said.matches("error[").count(), 1, "{said}");
}

#[test]
fn a_checkpoint_is_resumed_by_another_number_of_processes() {
    if !is_there() {
        return;
    }
    let folder = two("0.01 per_ms", "20 ms");
    folder.succeed(&["LEMS_two.xml"]);
    let whole = folder.read("x.dat");
    for (first, then) in [(3, 2), (1, 4)] {
        let folder = two("0.01 per_ms", "20 ms");
        let begin = [
            "LEMS_two.xml",
            "--length",
            "9.3 ms",
            "--checkpoint",
            "saved",
        ];
        let (is_done, said) = by(&folder.0, first, "", &begin);
        assert!(is_done && folder.read("x.dat") != whole, "{said}");
        let go_on = ["LEMS_two.xml", "--resume", "saved"];
        let (is_done, said) = by(&folder.0, then, "", &go_on);
        assert!(is_done, "{said}");
        assert_eq!(folder.read("x.dat"), whole, "{first}, then {then}");
    }
}

#[test]
fn a_process_that_cannot_take_part_ends_the_run_with_its_reason() {
    if !is_there() {
        return;
    }
    let folder = two("0.01 per_ms", "20 ms");
    let elsewhere = two("0.02 per_ms", "20 ms");
    let empty = Folder::new();
    for (home, reason) in [
        (&elsewhere, "different models"),
        (&empty, "process 1 of the run has failed"),
    ] {
        let before = format!("[ $rank = 1 ] && cd '{}';", home.0.display());
        let (is_done, said) = by(&folder.0, 2, &before, &["LEMS_two.xml"]);
        assert!(!is_done && said.contains(reason), "{said}");
        assert!(!folder.names().contains(&"x.dat".to_owned()));
    }
}

#[test]
fn processes_that_do_not_share_a_folder_make_no_checkpoint() {
    if !is_there() {
        return;
    }
    let folder = two("0.01 per_ms", "20 ms");
    let elsewhere = two("0.01 per_ms", "20 ms");
    let before = format!("[ $rank = 1 ] && cd '{}';", elsewhere.0.display());
    let words = ["LEMS_two.xml", "--checkpoint", "saved"];
    let (is_done, said) = by(&folder.0, 2, &before, &words);
    assert!(!is_done && said.contains("E0541"), "{said}");
    assert!(said.contains("`saved.1.rank-00001`"), "{said}");
    let names = folder.names();
    assert!(!names.contains(&"saved".to_owned()), "{names:?}");
    assert!(!names.contains(&"x.dat".to_owned()), "{names:?}");
}

#[test]
fn a_process_that_dies_ends_the_run_and_no_file_is_final() {
    if !is_there() {
        return;
    }
    for victim in [0, 1] {
        let folder = two("0.00000001 per_ms", "1000 s");
        let words = ["LEMS_two.xml", "--checkpoint", "saved"];
        let child = started(&folder.0, 2, "echo $$ > pid-$rank;", &words);
        let victim = process(&folder, victim);
        let partial = |name: &String| name.contains("x.dat");
        let started = Instant::now();
        while !folder.names().iter().any(partial) {
            assert!(started.elapsed() < PATIENCE, "the run begins");
            std::thread::sleep(Duration::from_millis(10));
        }
        let killed = Command::new("kill").args(["-s", "KILL", &victim]).status();
        assert!(killed.unwrap().success());
        assert!(!ended(child).status.success());
        assert!(!folder.names().contains(&"x.dat".to_owned()));
    }
}
