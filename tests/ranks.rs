//! Runs that several ranks make together write the bytes of one.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::folder::{Folder, Outputs, files_below, outputs_below};

/// Whether a file says what to run.
fn is_runnable(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "xml")
        && std::fs::read_to_string(path).is_ok_and(|text| text.contains("<Target "))
}

/// Status, messages and outputs of a run; reports tell times and are left out.
fn outcome(model: &Path, arguments: &[&str]) -> Outcome {
    let outputs = Folder::new();
    let mut command = outputs.command();
    let output = (command.current_dir(model.parent().unwrap()))
        .args(["run", "--quiet", "--out-dir"])
        .arg(&outputs.0)
        .args(arguments)
        .arg(model.file_name().unwrap())
        .output()
        .unwrap();
    let messages = String::from_utf8(output.stderr).unwrap();
    let messages = messages.replace(&outputs.0.display().to_string(), "");
    (output.status.code(), messages, outputs_below(&outputs.0))
}

/// Status, messages and outputs.
type Outcome = (Option<i32>, String, Outputs);

/// Panics if two outcomes differ, and says in what.
fn assert_same(shared: &Outcome, alone: &Outcome, what: &str) {
    assert_eq!((shared.0, &shared.1), (alone.0, &alone.1), "{what}");
    let names = |of: &Outcome| of.2.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(shared), names(alone), "{what}");
    for (name, bytes) in &shared.2 {
        let expected = &alone.2[name];
        let place = (bytes.iter().zip(expected)).position(|(byte, other)| byte != other);
        assert!(
            bytes == expected,
            "{what}: {name} has {} bytes, not {}, and differs first at {place:?}",
            bytes.len(),
            expected.len()
        );
    }
}

#[test]
fn every_model_has_the_same_outputs_by_any_number_of_ranks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folders = ["tests/models", "examples"].map(|folder| files_below(&root.join(folder)));
    let mut models = folders.concat();
    models.retain(|path| is_runnable(path));
    assert!(models.len() > 100, "only {} models", models.len());
    models.sort();
    for (number, model) in models.iter().enumerate() {
        let alone = outcome(model, &["--threads", "1"]);
        let ranks = (2 + number % 4).to_string();
        let shared = outcome(model, &["--ranks", &ranks]);
        assert_same(
            &shared,
            &alone,
            &format!("{} by {ranks} ranks", model.display()),
        );
        let shared = outcome(model, &["--ranks", "2", "--backend", "interp"]);
        let what = format!("{} by 2 ranks, interpreted", model.display());
        assert_same(&shared, &alone, &what);
    }
}

/// Cells in two populations; the second ones become infinite if `rate` is large.
fn two(rate: &str) -> Folder {
    Folder::with_two("1", rate, "20 ms")
}

#[test]
fn a_value_that_is_not_finite_ends_all_ranks_with_the_same_message() {
    let folder = two("1 per_ms");
    let model = folder.0.join("LEMS_two.xml");
    let alone = outcome(&model, &[]);
    assert_eq!(alone.0, Some(1));
    assert!(alone.1.contains("two[2]/x"), "{}", alone.1);
    for ranks in ["2", "3", "7"] {
        assert_eq!(outcome(&model, &["--ranks", ranks]), alone, "{ranks} ranks");
    }
}

#[test]
fn a_checkpoint_is_resumed_by_another_number_of_ranks() {
    let folder = two("0.01 per_ms");
    folder.succeed(&["LEMS_two.xml"]);
    let whole = folder.read("x.dat");
    for (first, then) in [("3", "2"), ("1", "4"), ("2", "1")] {
        let folder = two("0.01 per_ms");
        let begin = ["LEMS_two.xml", "--length", "9.3 ms", "--ranks", first];
        folder.succeed(&[&begin[..], &["--checkpoint", "saved"]].concat());
        assert_ne!(folder.read("x.dat"), whole);
        folder.succeed(&["LEMS_two.xml", "--ranks", then, "--resume", "saved"]);
        assert_eq!(folder.read("x.dat"), whole, "{first} ranks, then {then}");
    }
}

#[test]
fn a_model_that_cannot_be_cut_says_why() {
    let folder = Folder::with_decay();
    let mut command = folder.command();
    let output = command
        .args(["LEMS_decay.xml", "--ranks", "2"])
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && message.contains("it is one instance"),
        "{message}"
    );
}

/// Cells in two populations with synapses of two kinds, with weights and delays, and with Poisson inputs. `line`
/// is one more recorded quantity.
fn network(line: &str) -> Folder {
    network_with(line, None)
}

/// The same; or if all delays have a least one, in milliseconds, without anything else that ranks tell one another.
fn network_with(line: &str, least: Option<usize>) -> Folder {
    let mut text = String::from(
        r#"<neuroml id="net">
<izhikevich2007Cell id="iz" v0="-60mV" C="100 pF" k="0.7 nS_per_mV" vr="-60mV" vt="-40mV" vpeak="35mV"
 a="0.03per_ms" b="-2nS" c="-50 mV" d="100 pA"/>
<expOneSynapse id="fast" gbase="2nS" erev="0mV" tauDecay="3ms"/>
<expOneSynapse id="slow" gbase="0.5nS" erev="-70mV" tauDecay="30ms"/>
<expTwoSynapse id="two" gbase="1nS" erev="0mV" tauRise="1ms" tauDecay="9ms"/>
<poissonFiringSynapse id="noise" averageRate="80Hz" synapse="fast" spikeTarget="./fast"/>
<pulseGenerator id="pulse" delay="1ms" duration="300ms" amplitude="90pA"/>
<network id="nw"><population id="a" component="iz" size="23"/><population id="b" component="iz" size="11"/>"#,
    );
    let cells: Vec<String> = (0..23)
        .map(|cell| format!("a[{cell}]"))
        .chain((0..11).map(|cell| format!("b[{cell}]")))
        .collect();
    let mut seed = 1_usize;
    let mut next = |below: usize| {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        (seed >> 8) % below
    };
    let populations = [("a", 23), ("b", 11)];
    for (number, synapse) in ["fast", "slow", "two"].into_iter().enumerate() {
        let (from, from_size) = populations[number % 2];
        let (to, to_size) = populations[number.div_ceil(2) % 2];
        text += &format!(
            "<projection id=\"p{number}\" presynapticPopulation=\"{from}\" postsynapticPopulation=\"{to}\" synapse=\"{synapse}\">"
        );
        for id in 0..150 {
            let (pre, post) = (next(from_size), next(to_size));
            text += &match number {
                0 if least.is_none() => format!(
                    "<connection id=\"{id}\" preCellId=\"../{from}[{pre}]\" postCellId=\"../{to}[{post}]\"/>"
                ),
                _ => format!(
                    "<connectionWD id=\"{id}\" preCellId=\"../{from}[{pre}]\" postCellId=\"../{to}[{post}]\" weight=\"{}\" delay=\"{}ms\"/>",
                    1 + next(3),
                    least.unwrap_or(0) + next(4)
                ),
            };
        }
        text += "</projection>";
    }
    for (id, cell) in cells.iter().enumerate() {
        let is_noisy = least.is_none() && id % 3 == 0;
        let input = if is_noisy { "noise" } else { "pulse" };
        text += &format!("<explicitInput target=\"{cell}\" input=\"{input}\"/>");
    }
    text += "</network></neuroml>";
    let mut lems = format!(
        r#"<Lems><Target component="sim"/><Include file="Cells.xml"/><Include file="Networks.xml"/>
<Include file="Simulation.xml"/><Include file="net.nml"/>
<Simulation id="sim" length="120ms" step="0.1ms" target="nw">
<OutputFile id="o" fileName="v.dat"><OutputColumn id="x" quantity="a[3]/v"/><OutputColumn id="y" quantity="b[9]/v"/>{line}
</OutputFile><EventOutputFile id="e" fileName="spikes.dat" format="ID_TIME">"#
    );
    for (id, cell) in cells.iter().enumerate() {
        lems += &format!("<EventSelection id=\"{id}\" select=\"{cell}\" eventPort=\"spike\"/>");
    }
    lems += "</EventOutputFile></Simulation></Lems>";
    let folder = Folder::new();
    std::fs::write(folder.0.join("net.nml"), text).unwrap();
    std::fs::write(folder.0.join("LEMS_net.xml"), lems).unwrap();
    folder
}

#[test]
fn networks_whose_synapses_are_built_where_they_are_needed_have_the_same_outputs() {
    let lines = [
        "",
        r#"<OutputColumn id="i" quantity="a[20]/iSyn"/>"#,
        r#"<OutputColumn id="g" quantity="a[20]/synapses:fast:1/g"/>"#,
    ];
    for line in lines {
        let folder = network(line);
        let model = folder.0.join("LEMS_net.xml");
        let alone = outcome(&model, &["--threads", "1"]);
        assert_eq!(alone.0, Some(0), "{}", alone.1);
        assert!(alone.2.values().any(|text| text.len() > 2000), "it spikes");
        for ranks in ["2", "3", "5"] {
            let shared = outcome(&model, &["--ranks", ranks]);
            assert_same(&shared, &alone, &format!("{line:?} by {ranks} ranks"));
        }
        let shared = outcome(&model, &["--ranks", "2", "--backend", "interp"]);
        assert_same(&shared, &alone, &format!("{line:?} interpreted"));
        let fast = outcome(&model, &["--threads", "1", "--fast"]);
        assert_same(
            &outcome(&model, &["--ranks", "2", "--fast"]),
            &fast,
            "--fast",
        );
    }
}

#[test]
fn a_checkpoint_in_parts_is_resumed_by_any_number_of_ranks() {
    let whole = network("");
    whole.succeed(&["LEMS_net.xml"]);
    for (first, then) in [
        ("3", "2"),
        ("1", "4"),
        ("2", "1"),
        ("8", "3"),
        ("4", "8"),
        ("5", "5"),
        ("7", "6"),
    ] {
        let folder = network("");
        let begin = ["LEMS_net.xml", "--length", "61 ms", "--ranks", first];
        folder.succeed(&[&begin[..], &["--checkpoint", "saved"]].concat());
        assert_eq!(parts(&folder).len(), number_of_parts(first), "{first}");
        let go_on = ["LEMS_net.xml", "--ranks", then, "--resume", "saved"];
        folder.succeed(&[&go_on[..], &["--checkpoint-every", "20 ms"]].concat());
        for file in ["v.dat", "spikes.dat"] {
            assert_eq!(
                folder.read(file),
                whole.read(file),
                "{first} ranks, then {then}"
            );
        }
        let left = parts(&folder);
        assert_eq!(left.len(), number_of_parts(then), "{left:?}");
    }
}

/// Ranks of such a network need one exchange for many steps.
#[test]
fn networks_with_delays_have_the_same_outputs_however_they_are_recorded() {
    let folder = network_with("", Some(2));
    let model = folder.0.join("LEMS_net.xml");
    for options in [
        &[][..],
        &["--every", "7"],
        &["--checkpoint-every", "0.7 ms"],
        &["--backend", "interp"],
    ] {
        let outcome = |ranks: &str| {
            let saved = Folder::new();
            let path = saved.0.join("saved");
            let keep = ["--checkpoint", path.to_str().unwrap()];
            let is_kept = options.first() == Some(&"--checkpoint-every");
            let keep = if is_kept { &keep[..] } else { &[] };
            outcome(&model, &[options, keep, &["--ranks", ranks]].concat())
        };
        let alone = outcome("1");
        assert_eq!(alone.0, Some(0), "{}", alone.1);
        assert!(alone.2.values().any(|text| text.len() > 2000), "it spikes");
        for ranks in ["2", "3", "5", "8"] {
            let what = format!("{options:?} by {ranks} ranks");
            assert_same(&outcome(ranks), &alone, &what);
        }
    }
    let whole = network_with("", Some(2));
    whole.succeed(&["LEMS_net.xml"]);
    for (first, then) in [("3", "2"), ("2", "1"), ("1", "4")] {
        let folder = network_with("", Some(2));
        let begin = ["LEMS_net.xml", "--length", "61 ms", "--ranks", first];
        folder.succeed(&[&begin[..], &["--checkpoint", "saved"]].concat());
        folder.succeed(&["LEMS_net.xml", "--ranks", then, "--resume", "saved"]);
        for file in ["v.dat", "spikes.dat"] {
            assert_eq!(folder.read(file), whole.read(file), "{first}, then {then}");
        }
    }
}

fn number_of_parts(ranks: &str) -> usize {
    ranks.parse().ok().filter(|number| *number > 1).unwrap_or(0)
}

/// Names of the files that ranks have written.
fn parts(folder: &Folder) -> Vec<String> {
    let mut names = folder.names();
    names.retain(|name| name.contains(".rank-"));
    names.sort();
    names
}

#[test]
fn parts_that_are_missing_or_damaged_are_named_and_nothing_is_overwritten() {
    let folder = network("");
    let begin = ["LEMS_net.xml", "--length", "61 ms", "--ranks", "3"];
    let begin = [&begin[..], &["--checkpoint", "saved"]].concat();
    folder.succeed(&begin);
    let other = network("");
    other.succeed(&begin);
    let parts = parts(&folder);
    let bytes = |name: &String| std::fs::read(folder.0.join(name)).unwrap();
    let good = bytes(&parts[1]);
    let mut changed = good.clone();
    changed[300] ^= 1;
    let mut last = good.clone();
    *last.last_mut().unwrap() ^= 1;
    let longer = [&good[..], b"0"].concat();
    for (content, problem) in [
        (None, "No such file"),
        (Some(Vec::new()), "it is something else"),
        (Some(b"hello\n".to_vec()), "it is something else"),
        (
            Some(bytes(&parts[0])),
            "it was written with another checkpoint",
        ),
        (
            Some(bytes(&"saved".to_owned())),
            "it was written with another checkpoint",
        ),
        (Some(changed), "its checksum is wrong"),
        (Some(last), "its checksum is wrong"),
        (Some(good[..good.len() - 1].to_vec()), "its full length"),
        (Some(longer), "its full length"),
    ] {
        let path = folder.0.join(&parts[1]);
        match &content {
            None => std::fs::remove_file(&path).unwrap(),
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
        }
        let before = outputs_below(&folder.0);
        for ranks in ["1", "2", "3"] {
            let message = folder.fail(&["LEMS_net.xml", "--ranks", ranks, "--resume", "saved"], 1);
            let is_clear = message.starts_with("error[E0541]")
                && message.contains(&parts[1])
                && message.contains(problem)
                && message.contains("help: ");
            assert!(is_clear, "{problem}: {message}");
            assert!(outputs_below(&folder.0) == before, "{problem}");
        }
    }
    std::fs::write(folder.0.join(&parts[1]), good).unwrap();
    folder.succeed(&["LEMS_net.xml", "--ranks", "4", "--resume", "saved"]);
}

/// Parts that a run has written for a checkpoint that was never completed.
#[test]
fn parts_of_a_checkpoint_that_was_not_completed_are_replaced() {
    let whole = network("");
    whole.succeed(&["LEMS_net.xml"]);
    let folder = network("");
    let begin = ["LEMS_net.xml", "--length", "61 ms", "--ranks", "2"];
    folder.succeed(&[&begin[..], &["--checkpoint", "saved"]].concat());
    let generation = |of: &str| of.split('.').nth(1).unwrap().parse::<u64>().unwrap();
    let next = generation(&parts(&folder)[0]) + 1;
    for (generation, rank) in [(next, 0), (next, 1), (next, 7), (next + 3, 2), (1, 0)] {
        folder.write(&format!("saved.{generation}.rank-{rank:05}"), "half a par");
    }
    folder.write("saved.old.rank-00001", "not a part");
    folder.succeed(&["LEMS_net.xml", "--ranks", "3", "--resume", "saved"]);
    assert_eq!(folder.read("v.dat"), whole.read("v.dat"));
    let mut left = parts(&folder);
    assert_eq!(left.pop().as_deref(), Some("saved.old.rank-00001"));
    assert_eq!(left.len(), 3, "{left:?}");
    assert!(left.iter().all(|name| generation(name) > next), "{left:?}");
    // One process needs no parts.
    folder.succeed(&["LEMS_net.xml", "--resume", "saved"]);
    assert_eq!(parts(&folder), ["saved.old.rank-00001"]);
}

#[test]
fn ranks_that_are_killed_leave_a_checkpoint_that_can_be_resumed() {
    let whole = network("");
    let begin = ["LEMS_net.xml", "--length", "2 s"];
    whole.succeed(&begin);
    for (turn, ranks) in (0..).zip(["1", "2", "3", "4", "1", "3"]) {
        let folder = network("");
        let saves = [
            "--ranks",
            "3",
            "--checkpoint",
            "saved",
            "--checkpoint-every",
            "1 ms",
        ];
        let mut command = folder.command();
        command.args(begin).args(saves).stdout(Stdio::null());
        let mut child = command.spawn().unwrap();
        while !folder.0.join("saved").exists() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(7) + Duration::from_millis(31) * turn);
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(folder.0.join("saved").exists());
        folder.succeed(&[&begin[..], &["--ranks", ranks, "--resume", "saved"]].concat());
        for file in ["v.dat", "spikes.dat"] {
            assert_eq!(folder.read(file), whole.read(file), "turn {turn}");
        }
        assert_eq!(parts(&folder).len(), number_of_parts(ranks), "turn {turn}");
    }
}

#[test]
fn a_part_that_cannot_be_written_ends_the_run_with_its_name() {
    for rank in ["00000", "00002"] {
        let folder = network("");
        // A folder cannot be replaced by a file.
        std::fs::create_dir(folder.0.join(format!("saved.1.rank-{rank}"))).unwrap();
        let begin = ["LEMS_net.xml", "--ranks", "3", "--checkpoint", "saved"];
        let message = folder.fail(&begin, 1);
        let name = format!("saved.1.rank-{rank}");
        assert!(
            message.contains(&name) && message.contains("error["),
            "{message}"
        );
        assert!(!folder.names().contains(&"saved".to_owned()));
        assert!(!folder.names().contains(&"v.dat".to_owned()));
    }
}

#[test]
fn a_mistake_in_a_connection_is_reported_as_by_one_rank() {
    let folder = network("");
    let model = folder.0.join("net.nml");
    let text = std::fs::read_to_string(&model).unwrap();
    for (right, wrong) in [
        ("../a[2]\"", "../a[77]\""),
        ("synapse=\"slow\"", "synapse=\"iz\""),
    ] {
        assert!(text.contains(right));
        std::fs::write(&model, text.replace(right, wrong)).unwrap();
        let lems = folder.0.join("LEMS_net.xml");
        let alone = outcome(&lems, &[]);
        assert_eq!(alone.0, Some(1));
        assert_same(&outcome(&lems, &["--ranks", "3"]), &alone, wrong);
    }
}

#[test]
fn lists_of_cells_have_the_same_outputs_and_warnings() {
    let folder = network("");
    let model = folder.0.join("net.nml");
    let text = std::fs::read_to_string(&model).unwrap();
    let instances: String = (0..11)
        .map(|cell| {
            format!("<instance id=\"{cell}\"><location x=\"0\" y=\"0\" z=\"0\"/></instance>")
        })
        .collect();
    let text = text
        .replace(
            "<population id=\"b\" component=\"iz\" size=\"11\"/>",
            &format!("<population id=\"b\" component=\"iz\" type=\"populationList\">{instances}</population>"),
        )
        .replace("../b[4]", "../b/4/another");
    assert!(text.contains("/another"));
    std::fs::write(&model, text).unwrap();
    let warnings = |arguments: &[&str]| {
        let output = folder.call(&[&["LEMS_net.xml", "--verbose"], arguments].concat());
        assert!(output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let alone = warnings(&[]);
    assert!(alone.contains("another"), "{alone}");
    assert_eq!(warnings(&["--ranks", "3"]), alone);
    let model = folder.0.join("LEMS_net.xml");
    let alone = outcome(&model, &["--threads", "1"]);
    for ranks in ["2", "3", "5"] {
        let shared = outcome(&model, &["--ranks", ranks]);
        assert_same(&shared, &alone, &format!("{ranks} ranks"));
    }
}
