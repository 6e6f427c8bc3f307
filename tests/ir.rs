//! The programs of `tests/ir`: each is run in every way there is, and must leave the same.
//!
//! A file starts with what it shows, in comments. The program follows, in the form that the
//! module `lems_ir::text` describes. What it must leave stands at the end:
//!
//! ```text
//! ; steps: 3
//! ; step: 0.25
//! ; expect c4 = 10.0 20.0 30.0
//! ```
//!
//! `steps` is the number of steps (1 if it is not there) and `step` their length in seconds (1.0
//! if it is not there). The first step ends after one `step`, and the set-up schedule runs before
//! it. The random generator starts from the seed 42. What can be expected:
//!
//! - `m3 = 1.5 2.0` or `c3 = 1.5 2.0`: the numbers in memory from slot 3 on;
//! - `kernel 0 in blocks`, with `, with a tail` or `, on 3 threads` after it: how it is compiled;
//! - `events 9 9`: the event selections that recorded an event, in order;
//! - `draws 4`: how many random numbers were drawn;
//! - `waiting handler 0 for 1 at 1.5`: an event that is still on its way;
//! - `fault …`: why the run ended before its last step.
//!
//! A file has a line for each of these that is true, except for numbers in memory, of which it
//! names those that matter. `UPDATE_IR=1 cargo test -p lems-jit --test ir` writes what programs
//! leave into their files; write `; expect c4 = ? ? ?` for numbers that are not known yet.
//!
//! The programs of `tests/ir/rejected` must not become machine code. They say why at the end:
//! ``; rejected: kernel `k`: …``.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lems_ir::{
    Action, Backend, Call, Function, Interpreter, Operation, Place, Program, Scheduled, State,
    Statement, deliver_due, statements,
};
use lems_jit::{CompiledProgram, block_plan, validate};
use lems_math::JavaRandom;

const SEED: i64 = 42;
/// More random numbers than any program draws.
const MOST_DRAWS: u64 = 100_000;
/// Most threads that a program is run on.
const THREADS: u32 = 3;
/// Fewer equal numbers are written one by one.
const FEWEST_REPEATED: usize = 4;

/// A file of `tests/ir`.
struct Page {
    path: PathBuf,
    text: String,
    program: Program,
    steps: u32,
    step: f64,
}

/// How the calls of the schedule are made.
#[derive(Clone, Copy)]
enum Manner {
    /// For so many instances at a time at most.
    AtMost(u32),
    /// Several steps at once, where the back end can.
    ManySteps,
}

/// All that a run leaves, in a form that can be compared.
#[derive(Debug, PartialEq)]
struct Outcome {
    memory: Vec<u64>,
    events: Vec<u32>,
    random: u64,
    waiting: Vec<String>,
    fault: Option<String>,
    depth: u32,
}

#[test]
fn programs_leave_the_same_however_they_run() {
    let mut failures = Vec::new();
    let pages = pages("");
    for page in &pages {
        if let Err(failure) = check(page) {
            failures.push(format!("{}: {failure}", page.path.display()));
        }
    }
    assert!(pages.len() >= 30, "only {} programs", pages.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn rejected_programs_say_why() {
    let mut failures = Vec::new();
    let pages = pages("rejected");
    for page in &pages {
        let Err(error) = validate(&page.program) else {
            failures.push(format!("{}: it is accepted", page.path.display()));
            continue;
        };
        assert_eq!(
            CompiledProgram::compile(&page.program).err().as_ref(),
            Some(&error)
        );
        let reason = format!("; rejected: {error}");
        let is_reason = |line: &str| line.starts_with("; rejected:");
        if let Err(failure) = compare(page, is_reason, &[reason]) {
            failures.push(format!("{}: {failure}", page.path.display()));
        }
    }
    assert!(pages.len() >= 12, "only {} programs", pages.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn programs_are_printed_as_they_are_read() {
    for page in pages("").iter().chain(&pages("rejected")) {
        let text = page.program.to_string();
        let again: Program = text.parse().unwrap();
        assert_eq!(again.to_string(), text, "{}", page.path.display());
    }
}

#[test]
fn every_instruction_is_in_some_program() {
    let pages = pages("");
    let kernels = pages.iter().flat_map(|page| {
        let program = &page.program;
        (program.kernels.iter())
            .chain(&program.handlers)
            .chain(&program.setups)
    });
    let mut found = BTreeSet::new();
    for statement in statements(kernels.map(|kernel| &kernel.body)) {
        found.extend(instructions(statement));
    }
    let mut missing: Vec<&str> = Vec::new();
    let functions = Function::ALL.map(Function::name);
    for wanted in INSTRUCTIONS.iter().chain(&functions) {
        if !found.contains(*wanted) {
            missing.push(wanted);
        }
    }
    assert!(missing.is_empty(), "no program has {missing:?}");
}

#[test]
fn the_page_on_programs_shows_programs() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/dev/ir.md");
    let text = std::fs::read_to_string(page).unwrap();
    let blocks = text.split("```ir\n").skip(1);
    let blocks: Vec<&str> = blocks.filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let program: Program = block
            .parse()
            .unwrap_or_else(|error| panic!("{error}\n{block}"));
        assert_eq!(validate(&program).err(), None);
    }
    for function in Function::ALL {
        assert!(text.contains(&format!("`{function}`")) || text.contains(&format!("`{function}(")));
    }
}

/// All that [`instructions`] can find, but for functions.
const INSTRUCTIONS: [&str; 35] = [
    "constant",
    "time",
    "step",
    "load slot",
    "load column",
    "load linked",
    "copy",
    "Add",
    "Subtract",
    "Multiply",
    "Divide",
    "Power",
    "fused Add",
    "fused Subtract",
    "fused SubtractFrom",
    "Less",
    "Greater",
    "LessOrEqual",
    "GreaterOrEqual",
    "Equal",
    "NotEqual",
    "And",
    "Or",
    "not",
    "select",
    "random",
    "store slot",
    "store column",
    "store linked",
    "if",
    "emit",
    "for attached",
    "for runs",
    "propagate",
    "twice",
];

/// What a statement shows.
fn instructions(statement: &Statement) -> Vec<String> {
    let place = |place: &Place| match place {
        Place::Slot(_) => "slot",
        Place::Column { .. } => "column",
        Place::Linked { .. } => "linked",
    };
    let name = match statement {
        Statement::Let(_, operation) => match operation {
            Operation::Constant(_) => "constant".to_owned(),
            Operation::Time => "time".to_owned(),
            Operation::Step => "step".to_owned(),
            Operation::Load(from) => format!("load {}", place(from)),
            Operation::Copy(_) => "copy".to_owned(),
            Operation::Binary(operator, ..) => format!("{operator:?}"),
            Operation::Fused(fusion, ..) => format!("fused {fusion:?}"),
            Operation::Compare(comparison, ..) => format!("{comparison:?}"),
            Operation::Logic(logic, ..) => format!("{logic:?}"),
            Operation::Not(_) => "not".to_owned(),
            Operation::Select(..) => "select".to_owned(),
            Operation::Call(function, _) => function.name().to_owned(),
            Operation::Random(_) => "random".to_owned(),
        },
        Statement::Store(to, _) => format!("store {}", place(to)),
        Statement::If { .. } => "if".to_owned(),
        Statement::Emit { .. } => "emit".to_owned(),
        Statement::ForAttached { .. } => "for attached".to_owned(),
        Statement::ForRuns { .. } => "for runs".to_owned(),
        Statement::Propagate { .. } => "propagate".to_owned(),
        Statement::Twice(_) => "twice".to_owned(),
    };
    vec![name]
}

/// Runs a program in all manners, which must leave the same, and what the file says.
fn check(page: &Page) -> Result<(), String> {
    let program = &page.program;
    let all = Manner::AtMost(u32::MAX);
    let expected = run(page, &Interpreter::new(program), all);
    let compiled = |threads: u32| {
        CompiledProgram::with_threads(program, threads as usize).map_err(|error| error.to_string())
    };
    let one = compiled(1)?;
    let manners = [
        ("one instance after the other", Manner::AtMost(3)),
        ("15 instances at a time", Manner::AtMost(15)),
        ("blocks of instances", all),
        ("many steps at once", Manner::ManySteps),
    ];
    for (name, manner) in manners {
        agree(name, &run(page, &one, manner), &expected)?;
    }
    for threads in 2..=THREADS {
        let outcome = run(page, &compiled(threads)?, all);
        agree(&format!("{threads} threads"), &outcome, &expected)?;
    }
    let mut lines = memory_lines(page, &expected)?;
    lines.extend(facts(program, &expected));
    if lines.is_empty() {
        return Err("it expects nothing".to_owned());
    }
    compare(page, |line| line.starts_with("; expect "), &lines)
}

fn agree(name: &str, outcome: &Outcome, expected: &Outcome) -> Result<(), String> {
    if outcome == expected {
        return Ok(());
    }
    let pairs = outcome.memory.iter().zip(&expected.memory);
    let slot = pairs.clone().position(|(ours, theirs)| ours != theirs);
    Err(match slot {
        Some(slot) => format!(
            "{name}: slot {slot} is {:?}, but the interpreter leaves {:?}",
            f64::from_bits(outcome.memory[slot]),
            f64::from_bits(expected.memory[slot]),
        ),
        None => format!("{name}: {outcome:?}, but the interpreter leaves {expected:?}"),
    })
}

/// Runs the set-up schedule and all steps.
fn run(page: &Page, backend: &dyn Backend, manner: Manner) -> Outcome {
    let program = &page.program;
    let mut state = State::new(program, SEED);
    Interpreter::new(program).run_setup(&mut state);
    let mut time = 0.0;
    let mut made = 0;
    while made < page.steps && state.fault.is_none() {
        if let Manner::ManySteps = manner {
            let most = u64::from(page.steps - made);
            let many = backend.steps(&mut state, &mut time, page.step, most);
            made += u32::try_from(many).unwrap();
            if many > 0 {
                continue;
            }
        }
        time += page.step;
        made += 1;
        deliver_due(backend, &mut state, time, program.due(time, page.step));
        let most = match manner {
            Manner::AtMost(most) => most,
            Manner::ManySteps => u32::MAX,
        };
        let (step, half) = (page.step, page.step / 2.0);
        for scheduled in &program.schedule {
            match scheduled {
                Scheduled::Call(call) => advance(backend, &mut state, *call, most, (time, step)),
                Scheduled::Midway(call) => {
                    advance(backend, &mut state, *call, most, (time - half, step));
                }
                Scheduled::Solve(solver, cables) => {
                    backend.solve(program, &mut state, *solver, cables, (time, step));
                }
            }
        }
    }
    let queue = state.queue.take_due(f64::INFINITY);
    let waiting = queue.iter().map(|event| match event.action {
        Action::Handle { handler, instance } => {
            format!("handler {handler} for {instance} at {:?}", event.time)
        }
        Action::Record { selection } => format!("record {selection} at {:?}", event.time),
    });
    Outcome {
        memory: state.memory.iter().copied().map(bits).collect(),
        events: state.recorded,
        random: state.random.state(),
        waiting: waiting.collect(),
        fault: state.fault.map(|fault| fault.to_string()),
        depth: state.depth,
    }
}

/// Makes a call in pieces of `most` instances.
fn advance(backend: &dyn Backend, state: &mut State, call: Call, most: u32, time: (f64, f64)) {
    let mut first = call.first;
    while first < call.last {
        let last = call.last.min(first.saturating_add(most));
        let piece = Call {
            first,
            last,
            ..call
        };
        backend.advance(state, piece, time.0, time.1);
        first = last;
    }
}

/// The bits of a double; the same for all NaNs, whose bits depend on the processor.
fn bits(value: f64) -> u64 {
    match value.is_nan() {
        true => f64::NAN.to_bits(),
        false => value.to_bits(),
    }
}

/// What is in the slots that the file expects something of.
fn memory_lines(page: &Page, outcome: &Outcome) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for line in page.text.lines() {
        let Some((label, numbers)) = line
            .strip_prefix("; expect ")
            .and_then(|rest| rest.split_once(" ="))
        else {
            continue;
        };
        let digits = label.strip_prefix(['m', 'c']).unwrap_or_default();
        let Ok(first) = digits.parse::<usize>() else {
            continue;
        };
        let (mut count, mut words) = (0, numbers.split_whitespace().peekable());
        while let Some(word) = words.next() {
            count += match words.next_if_eq(&"*") {
                Some(_) => {
                    words.next();
                    word.parse().map_err(|_| format!("`{word}` is no factor"))?
                }
                None => 1,
            };
        }
        let found = (outcome.memory.get(first..first + count))
            .ok_or_else(|| format!("`{label}` and what follows is not all in memory"))?;
        lines.push(format!("; expect {label} = {}", in_words(found)));
    }
    Ok(lines)
}

/// Numbers, equal neighbours with a factor.
fn in_words(numbers: &[u64]) -> String {
    let mut words = Vec::new();
    for run in numbers.chunk_by(|one, other| one == other) {
        let number = format!("{:?}", f64::from_bits(run[0]));
        match run.len() {
            length if length >= FEWEST_REPEATED => words.push(format!("{length} * {number}")),
            length => words.extend(vec![number; length]),
        }
    }
    words.join(" ")
}

/// All that is true of a run besides the memory.
fn facts(program: &Program, outcome: &Outcome) -> Vec<String> {
    let mut facts = Vec::new();
    for number in 0..u32::try_from(program.kernels.len()).unwrap() {
        let Ok(plan) = block_plan(program, number) else {
            continue;
        };
        let tail = if plan.has_tail { ", with a tail" } else { "" };
        let threads = match THREADS.min(plan.longest / plan.share) {
            0 | 1 => String::new(),
            threads => format!(", on {threads} threads"),
        };
        facts.push(format!("; expect kernel {number} in blocks{tail}{threads}"));
    }
    if !outcome.events.is_empty() {
        let numbers: Vec<String> = outcome.events.iter().map(u32::to_string).collect();
        facts.push(format!("; expect events {}", numbers.join(" ")));
    }
    let mut random = JavaRandom::new(SEED);
    let mut draws = 0;
    while random.state() != outcome.random {
        random.next_double();
        draws += 1;
        assert!(draws < MOST_DRAWS, "too many draws to count");
    }
    if draws > 0 {
        facts.push(format!("; expect draws {draws}"));
    }
    for event in &outcome.waiting {
        facts.push(format!("; expect waiting {event}"));
    }
    if let Some(fault) = &outcome.fault {
        facts.push(format!("; expect fault {fault}"));
    }
    facts
}

/// Compares what stands at the end of a file with what should, or writes that there.
fn compare(page: &Page, is_of_end: impl Fn(&str) -> bool, end: &[String]) -> Result<(), String> {
    let (found, body): (Vec<&str>, Vec<&str>) = page.text.lines().partition(|line| is_of_end(line));
    if found == end {
        return Ok(());
    }
    if std::env::var_os("UPDATE_IR").is_none() {
        return Err(format!(
            "it should end with\n{}\nbut ends with\n{}\n(UPDATE_IR=1 writes what should be there)",
            end.join("\n"),
            found.join("\n")
        ));
    }
    let body = body.join("\n");
    let body = body.trim_end();
    let last = body.lines().last().unwrap_or_default();
    let blank = if last.starts_with("; step") { "" } else { "\n" };
    let text = format!("{body}\n{blank}{}\n", end.join("\n"));
    std::fs::write(&page.path, text).map_err(|error| error.to_string())
}

/// The files of a folder of `tests/ir`, by name.
fn pages(folder: &str) -> Vec<Page> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/ir")
        .join(folder);
    let entries = std::fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "ir"));
    paths.sort();
    paths.into_iter().map(page).collect()
}

fn page(path: PathBuf) -> Page {
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("; "),
        "{} does not say what it shows",
        path.display()
    );
    let setting = |name: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| {
            line.strip_prefix("; ")?
                .strip_prefix(name)?
                .strip_prefix(": ")
        })
    };
    Page {
        program: (text.parse()).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        steps: setting("steps").map_or(1, |steps| steps.parse().unwrap()),
        step: setting("step").map_or(1.0, |step| step.parse().unwrap()),
        path,
        text,
    }
}
