//! Sweeps: the same numbers as single runs, in shards, broken off and gone on with.

#![allow(
    clippy::cast_possible_truncation,
    reason = "files hold numbers of single precision"
)]

use crate::folder;
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::folder::Folder;
use parquet::file::reader::{FileReader, SerializedFileReader};

/// Three sizes of a time constant, each with two seeds.
const SPEC: &str = r#"model = "LEMS_decay.xml"
seeds = [1, 2]
[grid]
"d/tau" = { from = "5 ms", to = "15 ms", count = 3 }
[record]
features = ["last(x)", "mean(x)"]
traces = ["x"]
every = 5
"#;

/// The rows of all parts of a folder, as text, by number of point.
fn rows(folder: &Path) -> BTreeMap<i64, String> {
    let mut rows = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "parquet")
        {
            continue;
        }
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let number = row.to_string();
            let number = number.strip_prefix("{point: ").unwrap();
            let number = number.split(',').next().unwrap().parse().unwrap();
            assert!(
                rows.insert(number, row.to_string()).is_none(),
                "a point twice"
            );
        }
    }
    rows
}

fn sweep(folder: &Folder, arguments: &[&str]) -> (bool, String) {
    let output = folder.call(&[&["sweep", "sweep.toml"], arguments].concat());
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn decay(spec: &str) -> Folder {
    let folder = Folder::with_decay();
    folder.write("sweep.toml", spec);
    folder
}

#[test]
fn a_point_has_the_numbers_of_a_run() {
    let folder = decay(SPEC);
    let (well, said) = sweep(&folder, &["-o", "out"]);
    assert!(well, "{said}");
    assert!(said.starts_with("6 runs in "), "{said}");
    let rows = rows(&folder.0.join("out"));
    assert_eq!(rows.len(), 6);
    for (number, tau) in [(0, "5"), (2, "10"), (4, "15")] {
        let setting = format!("d/tau={tau} ms");
        folder.call(&["LEMS_decay.xml", "--set", &setting, "--every", "5"]);
        let text = folder.read("decay.dat");
        let column = text.lines().map(|line| line.split('\t').nth(1).unwrap());
        let of_run: Vec<f32> = column.map(|value| value.parse().unwrap()).collect();
        let row = &rows[&number];
        assert!(
            row.contains(&format!("d/tau: {tau}.0, seed: 1, error: null")),
            "{row}"
        );
        let list = row.split("x: [").nth(1).unwrap().trim_end_matches("]}");
        let of_sweep: Vec<f32> = list
            .split(", ")
            .map(|value| value.parse::<f64>().unwrap() as f32)
            .collect();
        assert_eq!(of_run, of_sweep);
        let last = row
            .split("last(x): ")
            .nth(1)
            .unwrap()
            .split(',')
            .next()
            .unwrap();
        assert_eq!(last.parse::<f64>().unwrap() as f32, *of_run.last().unwrap());
    }
}

#[test]
fn shards_and_threads_give_the_parts_of_the_whole() {
    let folder = decay(SPEC);
    assert!(sweep(&folder, &["-o", "whole", "--threads", "1"]).0);
    for shard in ["0/4", "1/4", "3/4", "2/4"] {
        let (well, said) = sweep(
            &folder,
            &["-o", "parts", "--shard", shard, "--threads", "3"],
        );
        assert!(well, "{said}");
    }
    let names = |name: &str| {
        let entries = std::fs::read_dir(folder.0.join(name)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names("whole"), names("parts"));
    for name in names("whole") {
        let bytes =
            |folder_name: &str| std::fs::read(folder.0.join(folder_name).join(&name)).unwrap();
        assert_eq!(bytes("whole"), bytes("parts"), "{name:?}");
    }
}

/// The tasks of a job array begin at once, and none finds a folder; the same command may be running twice, too.
#[test]
fn processes_that_begin_at_once_share_a_folder() {
    let folder = decay(SPEC);
    assert!(sweep(&folder, &["-o", "whole", "--threads", "1"]).0);
    for round in 0..30 {
        let name = format!("shared{round}");
        let begun: Vec<_> = ["0/3", "1/3", "2/3", "0/1", "0/1", "0/1", "0/1", "0/1"]
            .map(|shard| {
                let mut command = folder.command();
                command.args(["sweep", "sweep.toml", "-o", &name, "--shard", shard]);
                command.stdout(Stdio::null()).stderr(Stdio::piped());
                command.spawn().unwrap()
            })
            .into();
        for process in begun {
            let output = process.wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{said}");
        }
        assert_eq!(rows(&folder.0.join(&name)), rows(&folder.0.join("whole")));
        let entries = std::fs::read_dir(folder.0.join(&name)).unwrap();
        let hidden = entries.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with('.')
        });
        assert_eq!(hidden.count(), 0, "temporary files are left");
    }
}

#[test]
fn job_arrays_are_shards() {
    let folder = decay(SPEC);
    let mut command = folder.command();
    command.args(["sweep", "sweep.toml", "-o", "out", "--quiet"]);
    command.envs([
        ("SLURM_ARRAY_TASK_ID", "2"),
        ("SLURM_ARRAY_TASK_MIN", "1"),
        ("SLURM_ARRAY_TASK_MAX", "3"),
    ]);
    assert!(command.status().unwrap().success());
    let numbers: Vec<i64> = rows(&folder.0.join("out")).into_keys().collect();
    assert_eq!(numbers, [1, 4]);
}

#[test]
fn a_killed_sweep_goes_on() {
    let spec = SPEC
        .replace("count = 3", "count = 150")
        .replace("seeds = [1, 2]", "length = \"5 s\"");
    let folder = decay(&spec);
    assert!(sweep(&folder, &["-o", "whole"]).0);
    let whole = rows(&folder.0.join("whole"));
    assert_eq!(whole.len(), 150);
    let parts = || {
        let entries = std::fs::read_dir(folder.0.join("broken"));
        entries.map_or(0, |entries| {
            entries
                .flatten()
                .filter(|entry| entry.file_name().to_string_lossy().ends_with("parquet"))
                .count()
        })
    };
    let mut killed = 0;
    for _ in 0..5 {
        let mut child = (folder
            .command()
            .args(["sweep", "sweep.toml", "-o", "broken"]))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
        let (before, deadline) = (parts(), Instant::now() + Duration::from_secs(60));
        while parts() == before && Instant::now() < deadline && child.try_wait().unwrap().is_none()
        {
            std::thread::sleep(Duration::from_millis(1));
        }
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(killed > 0, "the sweep was never killed in the middle");
    // Those who read the folder as a table find nothing but parts in it: other names begin with `.` or `_`.
    let entries = std::fs::read_dir(folder.0.join("broken")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert!(
        names
            .into_iter()
            .all(|name| name.starts_with(['.', '_']) || name.ends_with(".parquet"))
    );
    assert!(sweep(&folder, &["-o", "broken"]).0);
    assert_eq!(rows(&folder.0.join("broken")), whole);
    // Nothing is run again.
    let (well, said) = sweep(&folder, &["-o", "broken"]);
    assert!(well && said.starts_with("0 runs in "), "{said}");
}

#[test]
fn a_point_that_fails_is_a_row_with_its_error() {
    let spec = SPEC.replace(
        "{ from = \"5 ms\", to = \"15 ms\", count = 3 }",
        "[\"5 ms\", \"5 mV\"]",
    );
    let folder = decay(&spec);
    let (well, said) = sweep(&folder, &["-o", "out"]);
    assert!(well, "{said}");
    assert!(said.contains("2 of which failed"), "{said}");
    let rows = rows(&folder.0.join("out"));
    assert!(
        rows[&0].contains("d/tau: \"5 ms\", seed: 1, error: null"),
        "{}",
        rows[&0]
    );
    assert!(rows[&2].contains("error: \"E0"), "{}", rows[&2]);
    assert!(
        rows[&2].ends_with("last(x): null, mean(x): null, x: null}"),
        "{}",
        rows[&2]
    );
}

#[test]
fn a_model_without_wishes_keeps_what_it_records() {
    let folder = decay("model = \"LEMS_decay.xml\"");
    assert!(sweep(&folder, &["-o", "out"]).0);
    let rows = rows(&folder.0.join("out"));
    assert!(
        rows[&0].starts_with("{point: 0, error: null, x: [1.0, "),
        "{}",
        rows[&0]
    );
    // The files of the model are not written.
    assert!(!folder.names().contains(&"decay.dat".to_owned()));
}

#[test]
fn spikes_of_a_population_are_kept() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/izhikevich-network");
    let folder = Folder::new();
    let model = examples.join("LEMS_izhikevich_network.xml");
    let spec = format!(
        "model = '{}'\nlength = \"300 ms\"\n[record]\n\
         features = [\"count(pacemakers)\", \"rate(pacemakers)\", \"first_spike(pacemakers)\"]\n\
         events = [\"pacemakers\"]\n",
        model.display()
    );
    folder.write("sweep.toml", &spec);
    let (well, said) = sweep(&folder, &["-o", "out"]);
    assert!(well, "{said}");
    let row = rows(&folder.0.join("out")).remove(&0).unwrap();
    let model = model.to_string_lossy().into_owned();
    folder.call(&[
        "run",
        &model,
        "--length",
        "300 ms",
        "--spikes",
        "pacemakers",
    ]);
    let text = folder.read("recorded.pacemakers.spikes");
    let lines: Vec<(&str, &str)> = text
        .lines()
        .map(|line| {
            let mut fields = line.split_whitespace();
            (fields.next().unwrap(), fields.next().unwrap())
        })
        .collect();
    assert!(!lines.is_empty());
    assert!(
        row.contains(&format!("count(pacemakers): {}.0", lines.len())),
        "{row}"
    );
    let ids: Vec<&str> = lines.iter().map(|(id, _)| *id).collect();
    assert!(
        row.contains(&format!("pacemakers spikes: [{}]", ids.join(", "))),
        "{row}"
    );
    let first: f64 = lines[0].1.parse().unwrap();
    let told = row
        .split("first_spike(pacemakers): ")
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap();
    assert_eq!(told.parse::<f64>().unwrap() as f32, first as f32);
}

#[test]
fn the_sweep_of_the_example_runs() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/izhikevich-network");
    let spec = examples.join("gbase.toml");
    let folder = Folder::new();
    let output = folder.call(&["sweep", &spec.to_string_lossy(), "-o", "out"]);
    assert!(output.status.success());
    let rows = rows(&folder.0.join("out"));
    assert_eq!(rows.len(), 40);
    assert!(
        rows.values()
            .all(|row| row.contains("error: null, rate(followers): "))
    );
}

#[test]
fn a_folder_of_another_sweep_is_left_alone() {
    let folder = decay(SPEC);
    assert!(sweep(&folder, &["-o", "out"]).0);
    let before = rows(&folder.0.join("out"));
    folder.write("sweep.toml", &SPEC.replace("count = 3", "count = 4"));
    let (well, said) = sweep(&folder, &["-o", "out"]);
    assert!(
        !well && said.contains("its specification is another one"),
        "{said}"
    );
    folder.write("sweep.toml", SPEC);
    folder.write(
        "decay_types.xml",
        &folder::DECAY_TYPES.replace("-x / tau", "-2 * x / tau"),
    );
    let (well, said) = sweep(&folder, &["-o", "out"]);
    assert!(
        !well && said.contains("its model or its points have changed"),
        "{said}"
    );
    std::fs::remove_file(folder.0.join("out/_sweep.json")).unwrap();
    let (well, said) = sweep(&folder, &["-o", "out"]);
    assert!(
        !well && said.contains("has results, but no _sweep.json"),
        "{said}"
    );
    // Any part would be taken for one of this sweep.
    std::fs::create_dir(folder.0.join("strange")).unwrap();
    folder.write("strange/part-000003.parquet", "nothing of ours");
    let (well, said) = sweep(&folder, &["-o", "strange"]);
    assert!(
        !well && said.contains("has results, but no _sweep.json"),
        "{said}"
    );
    assert_eq!(rows(&folder.0.join("out")), before);
}

/// Specifications that cannot be run, with parts of the message.
const WRONG: [(&str, [&str; 2]); 7] = [
    ("model = \"none.xml\"", ["E0102", "none.xml"]),
    (
        "model = \"LEMS_decay.xml\"\n[grid]\n\"e/tau\" = [\"1 ms\"]",
        ["E0602", "no component has the id `e`"],
    ),
    (
        "model = \"LEMS_decay.xml\"\n[grid]\n\"d/tua\" = [\"1 ms\"]",
        ["E0602", "did you mean `tau`?"],
    ),
    (
        "model = \"LEMS_decay.xml\"\n[grid]\n\"d/tau\" = []",
        ["E0610", "sweep.toml:3:1"],
    ),
    (
        "model = \"LEMS_decay.xml\"\nmodle = 1",
        ["E0610", "unknown field"],
    ),
    (
        "model = \"LEMS_decay.xml\"\n[record]\nfeatures = [\"mean(y)\"]",
        ["y", "error"],
    ),
    (
        "points = \"none.csv\"\nmodel = \"LEMS_decay.xml\"",
        ["E0610", "none.csv"],
    ),
];

#[cfg(unix)]
#[test]
fn links_in_the_folder_stay() {
    use std::os::unix::fs::symlink;

    let folder = decay(SPEC);
    std::fs::create_dir(folder.0.join("out")).unwrap();
    for name in ["_sweep.json", "part-000001.parquet"] {
        let link = folder.0.join("out").join(name);
        // The second time, all but one part is there.
        let _ = std::fs::remove_file(&link);
        symlink("nowhere", &link).unwrap();
        let (well, said) = sweep(&folder, &["-o", "out"]);
        assert!(!well && said.contains(name), "{said}");
        assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("nowhere"));
        std::fs::remove_file(link).unwrap();
        let (well, said) = sweep(&folder, &["-o", "out"]);
        assert!(well, "{said}");
        assert_eq!(rows(&folder.0.join("out")).len(), 6);
    }
}

#[test]
fn what_is_wrong_is_said_before_anything_is_written() {
    for (spec, parts) in WRONG {
        let folder = decay(spec);
        let (well, said) = sweep(&folder, &["-o", "out"]);
        assert!(!well, "{spec}");
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{spec}: {said}"
        );
        assert!(!folder.0.join("out").exists(), "{spec}");
    }
    let folder = decay(SPEC);
    for shard in ["4/4", "x"] {
        let (well, said) = sweep(&folder, &["-o", "out", "--shard", shard]);
        assert!(!well && said.contains("the shard"), "{said}");
    }
    let (well, said) = sweep(&folder, &["-o", "out", "--plan"]);
    assert!(
        well && said.starts_with("6 points of LEMS_decay.xml\nparameters: d/tau\nfiles: 6"),
        "{said}"
    );
    assert!(!folder.0.join("out").exists());
}
