//! What is fuzzed: each function takes any bytes and fails by panicking.
//!
//! The fuzzers of `fuzz/` call them, and so does `tests/found.rs` with what they found.

use std::ops::ControlFlow;

use arbitrary::Unstructured;
use jlems::{BackendKind, Code, Failure, Options, Stop};
use lems_document::{
    Document, Element, EmbeddedFile, IncludeOptions, Limits, MemorySources, Source, SourceId,
};
use lems_engine::{Checkpoint, Moment, Simulation};
use lems_expression::{Dimension, Expression, Known, dimension_of};
use lems_output::{Checksum, MemoryStore, write_java_float};
use lems_schema::{Schema, SchemaError};

/// Panics on a weakness.
pub type Target = fn(&[u8]);

/// Name and function of each target; `kernels` and `blocks` are apart, because they need the
/// generators of the back ends' tests.
pub const TARGETS: [(&str, Target); 9] = [
    ("xml", xml),
    ("schemas", schemas),
    ("expressions", expressions),
    ("quantities", quantities),
    ("models", models),
    ("cells", cells),
    ("swc", swc),
    ("checkpoints", checkpoints),
    ("numbers", numbers),
];

/// Files that include one another, with NUL between them.
pub fn xml(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut sources = MemorySources::default();
    for (name, text) in ["main.xml", "a.xml", "b.xml"].iter().zip(text.split('\0')) {
        sources.0.insert((*name).to_owned(), text.to_owned());
    }
    match Document::load("main.xml", &sources, &IncludeOptions::default()) {
        Ok(document) => document
            .roots()
            .for_each(|root| has_places(&document, root)),
        Err(failure) => {
            assert!(!failure.errors.is_empty());
            is_told(&Failure::from(failure));
        }
    }
}

/// A schema and a file to hold against it, with NUL between them.
pub fn schemas(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (schema, file) = text.split_once('\0').unwrap_or((&text, "<r/>"));
    let source = |text: &str| Source {
        name: String::new(),
        text: text.to_owned().into(),
        embedded: false,
    };
    let (schema, file, limits) = (source(schema), source(file), Limits::default());
    let is_placed = |error: &SchemaError, source: &Source| match error.span() {
        Some(span) => {
            let place = source.text.get(span.start as usize..span.end as usize);
            assert!(place.is_some());
        }
        None => assert!(error.to_string().starts_with("cannot read"), "{error}"),
    };
    match Schema::read(&schema, &limits) {
        Err(error) => is_placed(&error, &schema),
        Ok(schema) => match schema.violations(SourceId(0), &file, &limits) {
            Err(error) => is_placed(&error, &file),
            Ok(found) => found.iter().for_each(|error| is_placed(error, &file)),
        },
    }
}

fn has_places(document: &Document, root: Element<'_>) {
    let mut unvisited = vec![root];
    while let Some(element) = unvisited.pop() {
        let text = |span: lems_document::Span| {
            let source = document.source(span.source);
            source.text.get(span.start as usize..span.end as usize)
        };
        let name = text(element.name_span()).expect("a place in the text");
        assert!(name.ends_with(element.name()));
        for attribute in element.attributes() {
            assert!(text(attribute.span()).is_some());
            assert!(text(attribute.name_span()).is_some());
        }
        unvisited.extend(element.children());
    }
}

/// Every message can be shown, and names a place and a remedy. A file that is no text has no places.
fn is_told(failure: &Failure) {
    for diagnostic in &failure.diagnostics {
        assert!(diagnostic.help.is_some(), "{}", diagnostic.message);
        let has_place = diagnostic.span.is_some() || diagnostic.code == Code(107);
        assert!(has_place, "{}", diagnostic.message);
    }
    assert!(failure.render(false).starts_with("error[E"));
}

/// An expression is printed as what it was read from, and errors lie in the text.
pub fn expressions(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match Expression::parse(text) {
        Ok(expression) => {
            let printed = expression.to_string();
            let again = Expression::parse(&printed).expect("what is printed is read");
            assert_eq!(again.to_string(), printed);
            let mut draws = 0.5;
            let value = |expression: &Expression, draws: &mut f64| {
                let mut variable = |name: &str| Some(name.len() as f64 - 1.5);
                let drawn = expression.evaluate_drawing(&mut variable, &mut || {
                    *draws = 1.0 - *draws;
                    *draws
                });
                drawn.map(f64::to_bits).map_err(|error| error.to_string())
            };
            let (first, second) = (
                value(&expression, &mut draws.clone()),
                value(&again, &mut draws),
            );
            let is_nan = |bits: &u64| f64::from_bits(*bits).is_nan();
            let both_nan = first.as_ref().is_ok_and(is_nan) && second.as_ref().is_ok_and(is_nan);
            assert!(
                both_nan || first == second,
                "{text} = {first:?}, {printed} = {second:?}"
            );
            for (index, name) in expression.variables().iter().enumerate() {
                let range = expression.variable_range(index);
                assert_eq!(text.get(range), Some(name.as_str()));
            }
            let lookup = |name: &str| match name.len() % 4 {
                0 => Known::Unknown,
                1 => Known::Any,
                length => Known::Dimension(Dimension {
                    t: length as i32 * i32::from(name.as_bytes()[0] % 3) - 2,
                    ..Dimension::default()
                }),
            };
            if let Err(error) = dimension_of(&expression, &lookup) {
                assert!(text.get(error.range()).is_some(), "{error}");
            }
        }
        Err(error) => {
            assert!(text.get(error.range()).is_some(), "{error}");
            assert!(error.help().is_some(), "{error}");
        }
    }
}

const SMALL: &str = include_str!("../seeds/small.xml");

/// Quantities and paths wherever a model has some.
pub fn quantities(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut escaped = String::new();
    for character in text.chars().filter(|c| !c.is_control()) {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    let places = [
        "10 ms",
        "3 mV",
        "pop[0]/v",
        "pop[1]",
        "parts[*]/g",
        "0.1 ms",
    ];
    let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
    let quoted = format!("\"{}\"", places[sum % places.len()]);
    run(&SMALL.replacen(&quoted, &format!("\"{escaped}\""), 1));
}

/// A model with parts of itself in other places.
pub fn models(data: &[u8]) {
    if let Some(text) = model_of(data) {
        run(&text);
    }
}

/// The model that choices stand for.
pub fn model_of(data: &[u8]) -> Option<String> {
    mutated(&mut Unstructured::new(data), &SEEDS).ok()
}

const TREE: &str = include_str!("../seeds/tree.xml");

/// The model that [`cells`] changes must be one that runs.
pub fn run_unchanged_tree() {
    let sources = MemorySources::from([("model.xml", TREE)]);
    let options = Options {
        core_types: None,
        ..options_for(BackendKind::Interpreter)
    };
    let course = Course::of(None, &sources, &options);
    assert!(course.is_complete);
}

/// The same of a model of a cell with dendrites.
pub fn cells(data: &[u8]) {
    if let Ok(text) = mutated(&mut Unstructured::new(data), &[TREE]) {
        run_with(&text, None);
    }
}

/// A traced neuron, whose cell is read again.
pub fn swc(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let mut sources = MemorySources::default();
    sources.0.insert("n.swc".to_owned(), text);
    match jlems::cell_of_swc("n.swc", &sources, None, &Options::default()) {
        Ok(cell) => {
            sources.0.insert("n.cell.nml".to_owned(), cell.text);
            let verdict = jlems::validate("n.cell.nml", &sources, &Options::default(), None);
            assert_eq!(
                verdict.count(jlems::Severity::Error),
                0,
                "{:?}",
                verdict.diagnostics
            );
        }
        Err(failure) => is_told(&failure),
    }
}

const SEEDS: [&str; 4] = [
    SMALL,
    include_str!("../seeds/regimes.xml"),
    include_str!("../seeds/scheme.xml"),
    include_str!("../seeds/structure.xml"),
];
const WORDS: [&str; 24] = [
    "", "0", "-1", "1e9", "1e400", "NaN", "none", "*", "..", "this", "parent", "true", "x", "v",
    "t", "pop", "pop[0]", "pop[9]/v", "x / 0", "x .gt. 0", "(", "d", "1 ms", "decay",
];

fn mutated(choices: &mut Unstructured<'_>, seeds: &[&str]) -> arbitrary::Result<String> {
    let mut text = (*choices.choose(seeds)?).to_owned();
    for _ in 0..choices.int_in_range(1..=6)? {
        let tags: Vec<(usize, usize)> = (text.match_indices('<'))
            .filter_map(|(start, _)| Some((start, start + text[start..].find('>')? + 1)))
            .collect();
        let values: Vec<(usize, usize)> = (text.match_indices("=\""))
            .filter_map(|(at, _)| Some((at + 2, at + 2 + text[at + 2..].find('"')?)))
            .collect();
        if tags.is_empty() || values.is_empty() {
            break;
        }
        let (tag, value) = (*choices.choose(&tags)?, *choices.choose(&values)?);
        match choices.int_in_range(0..=5)? {
            0 => text.replace_range(value.0..value.1, choices.choose(&WORDS)?),
            1 | 2 => {
                let other = *choices.choose(&values)?;
                let other = text[other.0..other.1].to_owned();
                text.replace_range(value.0..value.1, &other);
            }
            3 => text.replace_range(tag.0..tag.1, ""),
            4 => {
                let other = *choices.choose(&tags)?;
                let other = text[other.0..other.1].to_owned();
                text.insert_str(tag.0, &other);
            }
            _ => {
                // A whole line, which often is a whole element.
                let lines: Vec<&str> = text.lines().collect();
                let (from, to) = (
                    choices.choose_index(lines.len())?,
                    choices.choose_index(lines.len())?,
                );
                let mut lines: Vec<String> = lines.into_iter().map(str::to_owned).collect();
                let moved = lines[from].clone();
                lines.insert(to, moved);
                text = lines.join("\n");
            }
        }
    }
    Ok(text)
}

/// Most instances and connections of a network that is run.
const MOST: u64 = 2_000;

/// Runs a few steps of a model on both back ends, which write the same, or reports what is wrong
/// with it.
fn run(text: &str) {
    run_with(text, Some(&[]));
}

/// The same with other core types: None for those that come with the program.
fn run_with(text: &str, core_types: Option<&'static [EmbeddedFile]>) {
    let sources = MemorySources::from([("model.xml", text)]);
    let backends = [BackendKind::Interpreter, BackendKind::Jit];
    let [interpreter, jit] = backends.map(|backend| Options {
        core_types,
        ..options_for(backend)
    });
    match length_of_step(&sources, &interpreter) {
        Ok(Some(_)) => {
            let outputs = [&interpreter, &jit].map(|options| {
                let course = Course::of(None, &sources, options);
                (course.outputs, course.is_complete)
            });
            assert_eq!(outputs[0], outputs[1]);
        }
        Ok(None) => {}
        Err(failure) => is_shown(&failure),
    }
}

fn options_for(backend: BackendKind) -> Options {
    Options {
        backend,
        core_types: Some(&[]),
        threads: std::num::NonZeroUsize::new(1),
        ..Options::default()
    }
}

fn is_shown(failure: &Failure) {
    assert!(!failure.diagnostics.is_empty());
    let _ = failure.render(false);
}

/// The length of the steps of the first run of a model, in seconds, if it is small enough to be run.
fn length_of_step(sources: &MemorySources, options: &Options) -> Result<Option<f64>, Failure> {
    let document = jlems::load_runnable("model.xml", sources, options)?;
    let model = jlems::read_model(&document)?;
    let (experiment, estimates) = jlems::estimate(&document, &model)?;
    let is_small = |e: &lems_network::Estimate| e.instances() + e.connections < MOST;
    let run = experiment.runs.first();
    Ok(run
        .map(|run| run.step)
        .filter(|_| estimates.iter().all(is_small)))
}

/// Steps after which a run is broken off at the latest when it is looked at.
const LAST_LOOK: u64 = 24;

/// What is seen of a run.
#[derive(Debug, PartialEq)]
struct Course {
    checkpoints: Vec<Vec<u8>>,
    outputs: std::collections::BTreeMap<String, Vec<u8>>,
    is_complete: bool,
}

impl Course {
    fn of(from: Option<Checkpoint>, sources: &MemorySources, options: &Options) -> Course {
        let mut store = MemoryStore::default();
        let mut checkpoints = Vec::new();
        let resumed = from.is_some();
        let mut watch = |_: &Simulation, moment: &mut Moment<'_, '_>| {
            if moment.due && options.checkpoint_every.is_some() {
                match moment.checkpoint() {
                    Ok(bytes) => checkpoints.push(bytes),
                    // A forged checkpoint can say that its outputs have any number of bytes.
                    Err(_) if resumed => return ControlFlow::Break(Stop::User),
                    Err(error) => panic!("memory takes all: {error}"),
                }
            }
            match moment.steps < LAST_LOOK {
                true => ControlFlow::Continue(()),
                false => ControlFlow::Break(Stop::User),
            }
        };
        let outcome = jlems::run_from(from, "model.xml", sources, &mut store, options, &mut watch);
        if let Err(failure) = &outcome {
            is_shown(failure);
        }
        Course {
            checkpoints,
            outputs: store.outputs(),
            is_complete: outcome.is_ok(),
        }
    }
}

/// A run goes on from each of its checkpoints as it has gone on before, and bytes that are no
/// checkpoint of it are refused.
pub fn checkpoints(data: &[u8]) {
    let _ = Checkpoint::read(data);
    let _ = break_off(&mut Unstructured::new(data));
}

fn break_off(choices: &mut Unstructured<'_>) -> arbitrary::Result<()> {
    let backends = [BackendKind::Interpreter, BackendKind::Jit];
    let mut options = options_for(*choices.choose(&backends)?);
    let every = choices.int_in_range(1..=6)?;
    let place: u8 = choices.arbitrary()?;
    let is_forged: bool = choices.arbitrary()?;
    let damage: [(u16, u64); 3] = choices.arbitrary()?;
    let text = mutated(choices, &SEEDS)?;
    let sources = MemorySources::from([("model.xml", text.as_str())]);
    let Ok(Some(step)) = length_of_step(&sources, &options) else {
        return Ok(());
    };
    options.checkpoint_every = Some(f64::from(every) * step);
    let whole = Course::of(None, &sources, &options);
    if whole.checkpoints.is_empty() {
        return Ok(());
    }
    let place = usize::from(place) % whole.checkpoints.len();
    let bytes = &whole.checkpoints[place];
    let read = Checkpoint::read(bytes).expect("a checkpoint");
    let resumed = Course::of(Some(read.clone()), &sources, &options);
    assert!(resumed.checkpoints == whole.checkpoints[place..]);
    assert_eq!(resumed.outputs, whole.outputs);
    assert_eq!(resumed.is_complete, whole.is_complete);
    let other = options_for(match options.backend {
        BackendKind::Jit => BackendKind::Interpreter,
        BackendKind::Interpreter => BackendKind::Jit,
    });
    assert_eq!(
        Course::of(Some(read), &sources, &other).outputs,
        whole.outputs
    );

    let mut damaged = bytes.clone();
    for (place, value) in damage {
        change(&mut damaged, place.into(), value);
    }
    if is_forged {
        seal(&mut damaged);
    }
    match Checkpoint::read(&damaged) {
        Ok(read) => {
            assert!(is_forged || damaged == *bytes);
            Course::of(Some(read), &sources, &options);
        }
        Err(error) => assert!(!error.help().is_empty()),
    }
    Ok(())
}

/// Changes a byte, a number or the length of a checkpoint.
fn change(bytes: &mut Vec<u8>, place: usize, value: u64) {
    let place = place % bytes.len().max(1);
    match value % 8 {
        0 => bytes.truncate(place),
        1 => bytes.insert(place, (value >> 8) as u8),
        2..=4 => {
            if let Some(byte) = bytes.get_mut(place) {
                *byte = (value >> 8) as u8;
            }
        }
        kind => {
            // Numbers come in words of eight bytes after the text of the version.
            let numbers = [
                value >> 8,
                u64::MAX >> (value >> 8 & 63),
                (value >> 8 & 255),
            ];
            let words = HEADER + 8 + "0.1.0".len();
            let word = words + place / 8 * 8;
            if let Some(word) = bytes.get_mut(word..word + 8) {
                word.copy_from_slice(&numbers[kind as usize - 5].to_le_bytes());
            }
        }
    }
}

/// Bytes of a checkpoint before its content: a line, the length and the checksum of the content.
const HEADER: usize = 22 + 16;

/// Makes the length and the checksum of a checkpoint those of its content.
fn seal(bytes: &mut [u8]) {
    if let Some((header, content)) = bytes.split_at_mut_checked(HEADER) {
        let mut sum = Checksum::default();
        sum.add(content);
        header[22..30].copy_from_slice(&(content.len() as u64).to_le_bytes());
        header[30..38].copy_from_slice(&sum.value().to_le_bytes());
    }
}

/// Numbers are written so that they are read back.
pub fn numbers(data: &[u8]) {
    for bytes in data.chunks_exact(8) {
        let value = f64::from_bits(u64::from_le_bytes(bytes.try_into().expect("eight bytes")));
        let single = value as f32;
        for value in [f64::from(single), value] {
            let mut text = Vec::new();
            write_java_float(value, &mut text);
            let text = String::from_utf8(text).expect("text");
            let read: f32 = text.parse().expect("a number");
            let expected = value as f32;
            assert!(
                read.to_bits() == expected.to_bits() || read.is_nan() && expected.is_nan(),
                "{value} is written as {text}"
            );
            assert!(text.len() <= 16, "{text}");
            assert!(text.contains('.') || !expected.is_finite(), "{text}");
        }
    }
}
