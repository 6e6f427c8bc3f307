//! Checks that models that run in jLEMS run here too. The models of `tests/tolerated` have mistakes
//! that jLEMS accepts: they write the bytes of jLEMS, with a warning. The test also generates
//! `docs/verdicts.md`, which compares every code with the behaviour of jLEMS. `UPDATE_SNAPSHOTS=1` updates
//! the messages and the page; `tests/goldens/jlems_verdicts.py` updates the results of jLEMS.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::folder::{DECAY_TYPES, Folder};
use jlems::{Code, Severity};

/// Models that run in jLEMS but not here, each with the reason.
const REFUSED_HERE: &[(&str, &str)] = &[
    ("delay_infinite", "the event never arrives"),
    ("delay_negative", "jLEMS takes the delay as none"),
    ("delay_not_a_number", "jLEMS takes the delay as none"),
    ("delay_too_long", "the event never arrives"),
    ("scale_infinite", "all values are 0"),
    ("scale_zero", "all values are infinite, or no numbers"),
    (
        "length_infinite",
        "jLEMS makes no step and writes an empty file",
    ),
    ("expression_deep", "more brackets than the limit"),
    ("output_file_long_name", "jLEMS goes on without the file"),
    ("output_in_a_file", "jLEMS goes on without the file"),
    ("simulation_length_nan", "jLEMS makes no step"),
    ("simulation_step_overflow", "jLEMS makes no step"),
    (
        "simulation_step_underflow",
        "jLEMS makes no step and writes an empty file",
    ),
    ("step_nan", "jLEMS makes no step"),
    (
        "step_negative",
        "jLEMS makes no step and writes an empty file",
    ),
    ("step_zero", "jLEMS makes no step and writes an empty file"),
];

/// Models without a warning, because their mistakes are not checked: dimensions in regimes, ids in
/// lists.
const WITHOUT_WARNING: [&str; 2] = ["dimension-in-regime", "kinetic-state-twice"];

/// Largest number of files that the page names for a code.
const MOST_NAMED: usize = 3;

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests")
}

fn updating() -> bool {
    std::env::var_os("UPDATE_SNAPSHOTS").is_some()
}

fn models(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(tests().join(folder)).unwrap();
    let mut models: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "xml"))
        .collect();
    models.sort();
    models
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

#[test]
fn what_jlems_tolerates_runs_with_its_bytes_and_a_warning() {
    let mut complaints = Vec::new();
    for model in models("tolerated") {
        let golden = std::fs::read(model.with_extension("dat")).unwrap();
        let file = name(&model) + ".xml";
        let folder = Folder::with(&file, &std::fs::read_to_string(&model).unwrap());
        for backend in ["jit", "interp"] {
            let output = folder.call(&["run", &file, "--backend", backend]);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let written = std::fs::read(folder.0.join(name(&model) + ".dat")).unwrap_or_default();
            if !output.status.success() || written != golden {
                complaints.push(format!("{file} ({backend}): not jLEMS's bytes\n{said}"));
            }
            let snapshot = model.with_extension("stderr");
            if updating() {
                std::fs::write(&snapshot, &said).unwrap();
            }
            let expected = std::fs::read_to_string(&snapshot).unwrap_or_default();
            let warns = said.starts_with("warning[W");
            if said != expected || warns == WITHOUT_WARNING.contains(&&*name(&model)) {
                complaints.push(format!("{file}: expected:\n{expected}\ngot:\n{said}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn mistakes_that_jlems_tolerates_are_errors_if_asked_for() {
    let mut complaints = Vec::new();
    for model in models("tolerated") {
        let snapshot = std::fs::read_to_string(model.with_extension("stderr")).unwrap();
        let is_mistake = |code: &String| Code::parse(code).unwrap().is_mistake();
        let has_mistake = codes(&snapshot).iter().any(is_mistake);
        let file = name(&model) + ".xml";
        let folder = Folder::with(&file, &std::fs::read_to_string(&model).unwrap());
        let strict = folder.call(&["run", "--strict", &file]);
        if strict.status.success() == has_mistake {
            complaints.push(format!("{file}: run --strict ends with {}", strict.status));
        }
        if has_mistake && folder.names() != [file.clone()] {
            complaints.push(format!("{file}: --strict writes {:?}", folder.names()));
        }
        let validated = folder.call(&["validate", &file]);
        if validated.status.success() && has_mistake {
            complaints.push(format!("{file}: validate says that it is valid"));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn what_jlems_runs_is_refused_for_a_stated_reason_only() {
    let refused: BTreeSet<&str> = REFUSED_HERE.iter().map(|(name, _)| *name).collect();
    let jlems = verdicts();
    let runs: BTreeSet<&str> = (jlems.iter())
        .filter(|(_, verdict)| *verdict == "runs")
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(runs, refused);
    let tested: BTreeSet<String> = models("bad").iter().map(|model| name(model)).collect();
    let known: BTreeSet<String> = jlems.into_keys().collect();
    let stale: Vec<&String> = known.symmetric_difference(&tested).collect();
    let hint = "make tests/bad/jlems.tsv anew with tests/goldens/jlems_verdicts.py";
    assert!(stale.is_empty(), "{stale:?}: {hint}");
}

/// The decay model with one change, which jLEMS refuses.
fn decay(old: &str, new: &str) -> String {
    let text = r#"<Lems>
  <Target component="sim"/>
  <Include file="NeuroMLCoreDimensions.xml"/>
  <Include file="Simulation.xml"/>
  <ComponentType name="decay">
    <Parameter name="tau" dimension="time"/>
    <Exposure name="x" dimension="none"/>
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <TimeDerivative variable="x" value="(1 - x) / tau"/>
    </Dynamics>
  </ComponentType>
  <decay id="d" tau="10 ms"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="d">
    <OutputFile id="out" fileName="out.dat"><OutputColumn id="x" quantity="x"/></OutputFile>
  </Simulation>
</Lems>
"#;
    assert!(text.contains(old), "{old}");
    text.replacen(old, new, 1)
}

/// A network of two populations with other elements.
fn network(inside: &str) -> String {
    format!(
        r#"<Lems>
  <Target component="sim"/>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <Include file="Simulation.xml"/>
  <iafCell id="cell" leakReversal="-60mV" thresh="-55mV" reset="-65mV" C="1nF" leakConductance="0.1uS"/>
  <pulseGenerator id="pulse" delay="0ms" duration="10ms" amplitude="2nA"/>
  <expOneSynapse id="syn" gbase="50nS" erev="0mV" tauDecay="3ms"/>
  <network id="net">
    <population id="a" component="cell" size="1"/>
    <population id="b" type="populationList" component="cell">
      <instance id="0"><location x="0" y="0" z="0"/></instance>
    </population>
    {inside}
  </network>
  <Simulation id="sim" length="3ms" step="0.1ms" target="net">
    <OutputFile id="o" fileName="network.dat"><OutputColumn id="v" quantity="a[0]/v"/></OutputFile>
  </Simulation>
</Lems>
"#
    )
}

fn projection(id: &str, attributes: &str) -> String {
    format!(
        r#"<projection id="{id}" presynapticPopulation="a" postsynapticPopulation="b" synapse="syn">
      <connection id="0" preCellId="../a[0]" postCellId="../b/0/cell" {attributes}/>
    </projection>
    <explicitInput target="a[0]" input="pulse" destination="synapses"/>"#
    )
}

fn input(id: &str, destination: &str) -> String {
    format!(
        r#"<inputList id="{id}" component="pulse" population="a">
      <input id="0" target="../a[0]" destination="{destination}"/>
    </inputList>"#
    ) + &projection("p", "")
}

/// jLEMS refuses these models. They run here with a warning, which `--strict` turns into an error.
#[test]
fn what_jlems_refuses_does_not_run_without_a_word() {
    let end = "</ComponentType>";
    let parameter = r#"<Parameter name="tau" dimension="time"/>"#;
    let rate = r#"<TimeDerivative variable="x" value="(1 - x) / tau"/>"#;
    let target = r#"<Target component="sim"/>"#;
    let fixed = format!(r#"{parameter}<Fixed parameter="tau" value="3 mV"/>"#);
    let dynamics = r#"<Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
    </Dynamics></ComponentType>"#;
    let transitions = r#"<Regime name="a" initial="true">
        <OnCondition test="x .gt. 1"><Transition regime="b"/><Transition regime="a"/></OnCondition>
      </Regime><Regime name="b"/>"#;
    let ports = format!(r#"{parameter}<EventPort name="in" direction="in"/>"#);
    let events = r#"</OutputFile>
    <EventOutputFile id="events" fileName="events.dat" format="ID_TIME">
      <EventSelection id="0" select="." eventPort="in"/>
    </EventOutputFile>"#;
    let selecting = decay(parameter, &ports).replace("</OutputFile>", events);
    let models = [
        ("W0218", decay(parameter, &fixed)),
        ("W0211", decay(end, dynamics)),
        ("W0211", decay(rate, transitions)),
        (
            "W0219",
            decay(target, &format!(r#"{target}<Target component="gone"/>"#)),
        ),
        ("W0204", decay(target, &format!("{target}<Target/>"))),
        ("W0405", selecting),
        ("W0211", network(&projection("a", ""))),
        ("W0211", network(&projection("b", ""))),
        ("W0211", network(&input("a", "synapses"))),
        ("W0407", network(&projection("p", r#"destination="""#))),
        ("W0407", network(&input("i", ""))),
    ];
    for (code, text) in models {
        let folder = Folder::with("model.xml", &text);
        let output = folder.call(&["run", "model.xml"]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}\n{said}");
        assert_eq!(codes(&said), BTreeSet::from([code.to_owned()]), "{said}");
        assert!(said.contains("--> model.xml:"), "{said}");
        folder.fail(&["run", "--strict", "model.xml"], 1);
    }
    for inside in [projection("p", ""), input("i", "synapses")] {
        let folder = Folder::with("model.xml", &network(&inside));
        let output = folder.call(&["run", "model.xml"]);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    }
}

#[test]
fn attributes_without_an_effect_are_told_of_unasked() {
    let folder = Folder::with_decay();
    let rate = r#"value="-x / tau""#;
    let conditional = format!(r#"{rate} valueCondition="x .gt. 0.5""#);
    folder.write("decay_types.xml", &DECAY_TYPES.replace(rate, &conditional));
    let output = folder.call(&["run", "LEMS_decay.xml"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(codes(&said), BTreeSet::from(["W0247".to_owned()]), "{said}");
}

#[test]
fn the_page_of_verdicts_is_up_to_date() {
    let page = tests().join("../docs/verdicts.md");
    let made = table();
    let kept = std::fs::read_to_string(&page).unwrap();
    let (begin, end) = ("<!-- begin: tests/verdicts.rs -->\n", "<!-- end -->");
    let (head, rest) = kept.split_once(begin).unwrap();
    let (_, tail) = rest.split_once(end).unwrap();
    let new = format!("{head}{begin}\n{made}\n{end}{tail}");
    if updating() {
        std::fs::write(&page, &new).unwrap();
    } else {
        assert_eq!(kept, new, "run the test with UPDATE_SNAPSHOTS=1");
    }
}

/// The verdict of jLEMS on each model of `tests/bad`.
fn verdicts() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(tests().join("bad/jlems.tsv")).unwrap();
    let lines = text.lines().map(|line| line.split_once('\t').unwrap());
    lines
        .map(|(name, verdict)| (name.to_owned(), verdict.to_owned()))
        .collect()
}

/// The codes of the errors and warnings in a message.
fn codes(message: &str) -> BTreeSet<String> {
    let labels = message.split(['[', ']']);
    let is_label = |word: &&str| {
        let number = word.strip_prefix(['E', 'W']);
        number.is_some_and(|rest| rest.len() == 4 && rest.bytes().all(|b| b.is_ascii_digit()))
    };
    labels.filter(is_label).map(str::to_owned).collect()
}

/// Models with a code, grouped by the behaviour of jLEMS and of this program.
#[derive(Default)]
struct Evidence {
    both_refuse: Vec<String>,
    refused_here: Vec<String>,
    tolerated: Vec<String>,
}

/// The table of the page: a row for each code and outcome.
fn table() -> String {
    let mut evidence: BTreeMap<u16, Evidence> = BTreeMap::new();
    let jlems = verdicts();
    for model in models("bad") {
        let message = std::fs::read_to_string(model.with_extension("stderr")).unwrap();
        let name = name(&model);
        for code in codes(&message).iter().filter(|code| code.starts_with('E')) {
            let of_code = evidence.entry(Code::parse(code).unwrap().0).or_default();
            match jlems.get(&name).map(String::as_str) {
                Some("runs") => of_code.refused_here.push(format!("bad/{name}")),
                _ => of_code.both_refuse.push(format!("bad/{name}")),
            }
        }
    }
    for model in models("tolerated") {
        let message = std::fs::read_to_string(model.with_extension("stderr")).unwrap();
        for code in codes(&message) {
            let of_code = evidence.entry(Code::parse(&code).unwrap().0).or_default();
            of_code
                .tolerated
                .push(format!("tolerated/{}", name(&model)));
        }
    }
    let mut table = String::from("| code | it says | jLEMS | jlems-rs | models in `tests` |\n");
    table.push_str("| --- | --- | --- | --- | --- |\n");
    for code in Code::all().filter(|code| code.0 < 500) {
        let label = code.label(Severity::Error);
        let mut row = |jlems: &str, here: &str, models: &[String]| {
            if models.is_empty() {
                return;
            }
            let named: Vec<String> = (models.iter().take(MOST_NAMED))
                .map(|model| format!("`{model}`"))
                .collect();
            let more = match models.len().saturating_sub(MOST_NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let title = code.title();
            let named = named.join(", ") + &more;
            let _ = writeln!(table, "| {label} | {title} | {jlems} | {here} | {named} |");
        };
        let Some(of_code) = evidence.get(&code.0) else {
            let title = code.title();
            let _ = writeln!(table, "| {label} | {title} | | | other tests |");
            continue;
        };
        row("refuses", "error", &of_code.both_refuse);
        row("runs", "warning, same bytes", &of_code.tolerated);
        for model in &of_code.refused_here {
            let file = model.trim_start_matches("bad/");
            let (_, reason) = REFUSED_HERE.iter().find(|(name, _)| *name == file).unwrap();
            row(reason, "error", std::slice::from_ref(model));
        }
    }
    table
}
