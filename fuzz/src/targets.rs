//! What is fuzzed: each function takes any bytes and fails by panicking.
//!
//! The fuzzers of `fuzz/` call them, and so does `tests/found.rs` with what they found.

use std::ops::ControlFlow;

use arbitrary::Unstructured;
use jlems_rs::document::{
    Document, Element, IncludeOptions, Limits, MemorySources, Source, SourceId,
};
use jlems_rs::output::{MemoryStore, write_java_float};
use jlems_rs::schema::{Schema, SchemaError};
use jlems_rs::{BackendKind, Failure, Options};
use lems_expression::{Dimension, Expression, Known, dimension_of};

/// Panics on a weakness.
pub type Target = fn(&[u8]);

/// Name and function of each target; `kernels` is apart, because it needs the generators of the
/// back ends' tests.
pub const TARGETS: [(&str, Target); 6] = [
    ("xml", xml),
    ("schemas", schemas),
    ("expressions", expressions),
    ("quantities", quantities),
    ("models", models),
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
        text: text.to_owned(),
        embedded: false,
    };
    let (schema, file, limits) = (source(schema), source(file), Limits::default());
    let is_placed = |error: &SchemaError, source: &Source| {
        let span = error.span().expect("a place");
        assert!((source.text.get(span.start as usize..span.end as usize)).is_some());
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
        let text = |span: jlems_rs::document::Span| {
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

/// Every message can be shown, and names a place and a remedy.
fn is_told(failure: &Failure) {
    for diagnostic in &failure.diagnostics {
        assert!(diagnostic.help.is_some(), "{}", diagnostic.message);
        assert!(diagnostic.span.is_some(), "{}", diagnostic.message);
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
                let range = expression.variable_range(index as u32);
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
    mutated(&mut Unstructured::new(data)).ok()
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

fn mutated(choices: &mut Unstructured<'_>) -> arbitrary::Result<String> {
    let mut text = (*choices.choose(&SEEDS)?).to_owned();
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
    let sources = MemorySources::from([("model.xml", text)]);
    let outputs = [BackendKind::Interpreter, BackendKind::Jit].map(|backend| {
        let options = Options {
            backend,
            core_types: Some(&[]),
            threads: std::num::NonZeroUsize::new(1),
            ..Options::default()
        };
        match few_steps(&sources, &options) {
            Ok(outputs) => outputs,
            Err(failure) => {
                assert!(!failure.diagnostics.is_empty());
                let _ = failure.render(false);
                None
            }
        }
    });
    assert_eq!(outputs[0], outputs[1]);
}

/// What is written, if the model is small enough to be run.
fn few_steps(sources: &MemorySources, options: &Options) -> Result<Option<String>, Failure> {
    let document = jlems_rs::load_runnable("model.xml", sources, options)?;
    let model = jlems_rs::read_model(&document)?;
    let (_, estimates) = jlems_rs::estimate(&document, &model)?;
    let is_small = |e: &jlems_rs::network::Estimate| e.instances() + e.connections < MOST;
    if !estimates.iter().all(is_small) {
        return Ok(None);
    }
    let mut store = MemoryStore::default();
    let mut stop = |_: &jlems_rs::engine::Simulation, step: u64, _: f64| match step < 5 {
        true => ControlFlow::Continue(()),
        false => ControlFlow::Break(()),
    };
    jlems_rs::run("model.xml", sources, &mut store, options, &mut stop)?;
    Ok(Some(format!("{store:?}")))
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
