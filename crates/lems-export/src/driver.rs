//! The Python file that builds a network of mechanisms in NEURON or NetPyNE, runs it, and writes its outputs.

use std::fmt::Write;

use lems_ir::Clock;

use crate::job::{EventOrder, File, Job};

/// What the file knows of a run.
#[derive(Debug, Default)]
pub(crate) struct Data {
    /// Names and numbers of instances.
    pub mechanisms: Vec<(String, u32)>,
    pub scalars: Vec<Scalars>,
    pub arrays: Vec<Array>,
    pub pointers: Vec<Pointer>,
    pub ports: Vec<PortData>,
    pub connections: Vec<Connections>,
    pub data_files: Vec<(String, Vec<Column>)>,
    pub event_files: Vec<(String, Option<EventOrder>, Vec<Selection>)>,
    pub pending: Vec<Pending>,
    pub recorded_at_start: Vec<u32>,
    /// Cells with dendrites: name and sections.
    pub cells: Vec<(String, Vec<SectionData>)>,
    /// The cell of each cable.
    pub cables: Vec<usize>,
    pub membranes: Vec<Membranes>,
    pub populations: Vec<PopulationData>,
    /// Whether each cell is a template in a file of its own.
    pub templates: bool,
    /// The state of the random generator at the start, if mechanisms draw random numbers.
    pub generator: Option<u64>,
    /// Those mechanisms.
    pub drawing: Vec<String>,
}

impl Data {
    /// Gives a variable of a mechanism its values: `counts` says how many each instance has, otherwise it has one.
    pub fn give(
        &mut self,
        mechanism: String,
        variable: &str,
        counts: Option<Vec<u32>>,
        values: Vec<f64>,
    ) {
        let variable = variable.to_owned();
        match counts {
            Some(counts) => self.arrays.push(Array {
                mechanism,
                variable,
                counts,
                values,
            }),
            None => self.scalars.push(Scalars {
                mechanism,
                variable,
                values,
            }),
        }
    }
}

/// Cells of a population that follow one another.
#[derive(Debug)]
pub(crate) struct PopulationData {
    pub name: String,
    /// A mechanism or a cell with dendrites.
    pub kind: String,
    pub first: u32,
    pub count: u32,
}

/// A section of a cell.
#[derive(Debug)]
pub(crate) struct SectionData {
    pub name: String,
    /// The section that it begins on, and where.
    pub parent: Option<(usize, f64)>,
    pub divisions: usize,
    pub resistivity: f64,
    pub points: Vec<[f64; 4]>,
}

/// Where the instances of a mechanism are that is a piece of membrane: cable, section, how far along it;
/// its capacitance in farads; and its potential in volts at the start.
#[derive(Debug, Default)]
pub(crate) struct Membranes {
    pub mechanism: String,
    pub cables: Vec<u32>,
    pub sections: Vec<u32>,
    pub along: Vec<f64>,
    pub capacitances: Vec<f64>,
    pub potentials: Vec<f64>,
    /// Whether each does something; all do if this is empty.
    pub used: Vec<bool>,
}

/// A value of a variable for each instance.
#[derive(Debug)]
pub(crate) struct Scalars {
    pub mechanism: String,
    pub variable: String,
    pub values: Vec<f64>,
}

/// Values of an array: those of one instance after those of another.
#[derive(Debug)]
pub(crate) struct Array {
    pub mechanism: String,
    pub variable: String,
    pub counts: Vec<u32>,
    pub values: Vec<f64>,
}

/// A pointer of an instance to a variable of another.
#[derive(Debug)]
pub(crate) struct Pointer {
    pub mechanism: String,
    pub pointer: String,
    pub instance: u32,
    pub other: String,
    pub variable: String,
    pub target: u32,
    pub place: Option<u32>,
}

/// The instances that a port is of.
#[derive(Debug)]
pub(crate) struct PortData {
    pub mechanism: String,
    pub counter: String,
    pub own: bool,
    pub instances: Vec<u32>,
    pub places: Option<Vec<u32>>,
}

/// Connections of a port to a handler.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    pub port: usize,
    pub handler: u32,
    pub mechanism: String,
    pub members: Vec<u32>,
    pub instances: Vec<u32>,
    pub places: Vec<u32>,
    pub delays: Vec<f64>,
}

/// A column of a data file.
#[derive(Debug)]
pub(crate) enum Column {
    Variable {
        mechanism: String,
        variable: String,
        instance: u32,
        place: Option<u32>,
        scale: f64,
    },
    Constant {
        value: f64,
        scale: f64,
    },
    /// A sum of range variables of a cell, each times a factor.
    Range {
        cable: usize,
        place: (usize, f64),
        terms: Vec<(String, f64)>,
        scale: f64,
    },
}

/// Whose events go to a file: number of the port and member, and when in a step it comes.
#[derive(Debug)]
pub(crate) struct Selection {
    pub id: String,
    pub port: Option<(usize, u32)>,
    pub rank: u64,
}

/// An event on its way at the start.
#[derive(Debug)]
pub(crate) struct Pending {
    pub mechanism: String,
    pub instance: u32,
    pub handler: u32,
    pub place: u32,
    pub delay: f64,
}

/// The program that builds the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builder {
    Neuron,
    Netpyne,
}

/// The file.
pub(crate) fn file(job: &Job<'_>, data: &Data, builder: Builder) -> File {
    let stem = job.name.strip_suffix(".xml").unwrap_or(job.name);
    let (name, suffix, modules, code) = match builder {
        Builder::Neuron => (
            "NEURON",
            "nrn",
            &["argparse", "math", "os", "sys", "time"][..],
            include_str!("driver/neuron.py"),
        ),
        Builder::Netpyne => (
            "NetPyNE",
            "netpyne",
            &["argparse", "contextlib", "io", "math", "os", "sys"][..],
            include_str!("driver/netpyne.py"),
        ),
    };
    let modules: String = (modules.iter())
        .map(|module| format!("import {module}\n"))
        .collect();
    let mut text = format!(
        "#!/usr/bin/env python3\n\"\"\"{} in {name}: builds the network, runs it, and writes its files.\n\n\
         Made by jlems-rs. Compile the mechanisms beside this file first: `nrnivmodl`. `build()` makes the\n\
         network without running it.\n\"\"\"\n\n{modules}\n\
         import numpy\n\nHERE = os.path.dirname(os.path.abspath(__file__))\nINF, NAN = math.inf, math.nan\n\n",
        comment(job.name)
    );
    text.push_str(include_str!("driver/numbers.py"));
    tables(&mut text, job, data);
    if builder == Builder::Netpyne {
        populations(&mut text, data);
    }
    text.push_str(include_str!("driver/common.py"));
    text.push_str(code);
    File {
        name: format!("{stem}_{suffix}.py"),
        text,
    }
}

/// The populations of NetPyNE.
fn populations(text: &mut String, data: &Data) {
    text.push_str(
        "# Populations: name, the mechanism or the cell that it is of, the first instance or cell of it, and how many.\n\
         POPULATIONS = [\n",
    );
    for of in &data.populations {
        let (name, kind) = (quoted(&of.name), quoted(&of.kind));
        let _ = writeln!(text, "    ({name}, {kind}, {}, {}),", of.first, of.count);
    }
    text.push_str("]\n\n");
}

/// What the file knows of a run, as tables.
fn tables(text: &mut String, job: &Job<'_>, data: &Data) {
    let _ = writeln!(
        text,
        "# Length of a step in seconds, number of steps, steps from one row to the next."
    );
    let _ = writeln!(
        text,
        "STEP, STEPS, EVERY = {}, {}, {}\n",
        double(job.step),
        job.steps,
        job.every.max(1)
    );
    let clock = match job.program.clock {
        Clock::Sum => "sum",
        Clock::Product => "product",
        Clock::Halves => "halves",
    };
    let _ = writeln!(
        text,
        "# How the time of a row is found: by adding up steps, as their product, or by adding up half steps in ms.\n\
         CLOCK = \"{clock}\"\n"
    );
    text.push_str("# How many instances of each mechanism there are.\nMECHANISMS = {\n");
    for (name, instances) in &data.mechanisms {
        let _ = writeln!(text, "    {}: {instances},", quoted(name));
    }
    text.push_str("}\n\n");
    cells(text, data);
    text.push_str("# Mechanism, variable, its value in each instance (SI units).\nSCALARS = [\n");
    for scalars in &data.scalars {
        let (mechanism, variable) = (quoted(&scalars.mechanism), quoted(&scalars.variable));
        let _ = writeln!(
            text,
            "    ({mechanism}, {variable}, {}),",
            doubles(&scalars.values)
        );
    }
    text.push_str("]\n\n# Mechanism, array, how many elements each instance has, and all elements.\nARRAYS = [\n");
    for array in &data.arrays {
        let (mechanism, variable) = (quoted(&array.mechanism), quoted(&array.variable));
        let (counts, values) = (numbers(&array.counts), doubles(&array.values));
        let _ = writeln!(text, "    ({mechanism}, {variable}, {counts}, {values}),");
    }
    text.push_str(
        "]\n\n# Mechanism, pointer, instances; mechanism and variable that they point to, instances, places.\nPOINTERS = [\n",
    );
    for pointer in &data.pointers {
        let _ = writeln!(
            text,
            "    ({}, {}, [{}], {}, {}, [{}], [{}]),",
            quoted(&pointer.mechanism),
            quoted(&pointer.pointer),
            pointer.instance,
            quoted(&pointer.other),
            quoted(&pointer.variable),
            pointer.target,
            place(pointer.place)
        );
    }
    text.push_str(
        "]\n\n# Mechanism, counter of events, whether the mechanism sends them itself, instances, places.\nPORTS = [\n",
    );
    for port in &data.ports {
        let instances = numbers(&port.instances);
        let places = match &port.places {
            Some(places) => numbers(places),
            None => format!("[None]*{}", port.instances.len()),
        };
        let (mechanism, counter) = (quoted(&port.mechanism), quoted(&port.counter));
        let own = if port.own { "True" } else { "False" };
        let _ = writeln!(
            text,
            "    ({mechanism}, {counter}, {own}, {instances}, {places}),"
        );
    }
    text.push_str(
        "]\n\n# Number of the port, handler, mechanism; then for each connection the sender, the receiver, the place\n\
         # there, and the delay in seconds.\nCONNECTIONS = [\n",
    );
    for of in &data.connections {
        let _ = writeln!(
            text,
            "    ({}, {}, {}, {}, {}, {}, {}),",
            of.port,
            of.handler,
            quoted(&of.mechanism),
            numbers(&of.members),
            numbers(&of.instances),
            numbers(&of.places),
            doubles(&of.delays)
        );
    }
    text.push_str("]\n\n# Mechanism, instance, handler, place, time: events on their way at the start.\nEVENTS_ON_THEIR_WAY = [\n");
    for pending in &data.pending {
        let Pending {
            instance,
            handler,
            place,
            delay,
            ..
        } = pending;
        let _ = writeln!(
            text,
            "    ({}, {instance}, {handler}, {place}, {}),",
            quoted(&pending.mechanism),
            double(*delay)
        );
    }
    let _ = writeln!(
        text,
        "]\n\n# Selections whose events are recorded at the start.\nEVENTS_AT_START = {}\n",
        numbers(&data.recorded_at_start)
    );
    text.push_str(
        "# Path; then for each column mechanism, variable, instance, place, and what the SI value is divided by;\n\
         # for a range variable of a cell None, names with factors that make them SI, cell, section and how far along\n\
         # it; for a constant None, the constant, None, None.\nDATA_FILES = [\n",
    );
    for (path, columns) in &data.data_files {
        let _ = writeln!(text, "    ({}, [", quoted(path));
        for column in columns {
            data_column(text, column);
        }
        text.push_str("    ]),\n");
    }
    text.push_str("]\n\n# Path, order of the fields; then id, port, member and order of each selection.\nEVENT_FILES = [\n");
    for (path, order, selections) in &data.event_files {
        let order = match order {
            Some(EventOrder::IdTime) => "\"ID_TIME\"",
            Some(EventOrder::TimeId) => "\"TIME_ID\"",
            None => "None",
        };
        let _ = writeln!(text, "    ({}, {order}, [", quoted(path));
        for selection in selections {
            let (port, member) = match selection.port {
                Some((port, member)) => (port.to_string(), member.to_string()),
                None => ("None".to_owned(), "None".to_owned()),
            };
            let _ = writeln!(
                text,
                "        ({}, {port}, {member}, {}),",
                quoted(&selection.id),
                selection.rank
            );
        }
        text.push_str("    ]),\n");
    }
    let times = job.times_file.as_deref().map_or("None".to_owned(), quoted);
    let _ = writeln!(
        text,
        "]\n\n# The file of times, if one is wanted.\nTIMES_FILE = {times}\n"
    );
    let drawing: Vec<String> = data.drawing.iter().map(|name| quoted(name)).collect();
    let state = data
        .generator
        .map_or("None".to_owned(), |state| state.to_string());
    let _ = writeln!(
        text,
        "# State of java.util.Random at the start, and the mechanisms that draw.\nGENERATOR, DRAWING = {state}, [{}]\n",
        drawing.join(", ")
    );
    let concentrations: Vec<String> = (job.concentrations.iter())
        .map(|(name, value)| format!("({}, {})", quoted(name), double(*value)))
        .collect();
    let densities: Vec<String> = (job.densities.iter())
        .map(|density| quoted(&density.name))
        .collect();
    let _ = writeln!(
        text,
        "# Density mechanisms; the temperature (degrees Celsius) and the concentrations (mM) that they find.\n\
         DENSITIES = [{}]\nCELSIUS, CONCENTRATIONS = {}, [{}]\n",
        lines(&densities, ", ", 100),
        job.celsius.map_or("None".to_owned(), double),
        concentrations.join(", ")
    );
}

fn data_column(text: &mut String, column: &Column) {
    let _ = match column {
        Column::Variable {
            mechanism,
            variable,
            instance,
            place: at,
            scale,
        } => writeln!(
            text,
            "        ({}, {}, {instance}, {}, {}),",
            quoted(mechanism),
            quoted(variable),
            place(*at),
            double(*scale)
        ),
        Column::Constant { value, scale } => writeln!(
            text,
            "        (None, {}, None, None, {}),",
            double(*value),
            double(*scale)
        ),
        Column::Range {
            cable,
            place: (section, along),
            terms,
            scale,
        } => {
            let terms = terms
                .iter()
                .map(|(name, factor)| format!("({}, {}),", quoted(name), double(*factor)));
            let terms: Vec<String> = terms.collect();
            writeln!(
                text,
                "        (None, ({}), {cable}, ({section}, {}), {}),",
                terms.join(" "),
                double(*along),
                double(*scale)
            )
        }
    };
}

/// The cells with dendrites and their membranes.
fn cells(text: &mut String, data: &Data) {
    match data.templates {
        true => templates(text, data),
        false => sections(text, data),
    }
    let names: Vec<String> = data.cells.iter().map(|(name, _)| quoted(name)).collect();
    let cables: Vec<String> = data
        .cables
        .iter()
        .map(|cell| names.get(*cell).cloned().unwrap_or_default())
        .collect();
    let _ = writeln!(
        text,
        "# The cells that there are.\nCABLES = {}\n",
        list(&cables)
    );
    text.push_str("# Mechanism of a membrane; for each instance the cell, the section, how far along it, the capacitance (F)\n\
                   # and the potential at the start (V), and whether it does anything.\nMEMBRANES = [\n");
    for of in &data.membranes {
        let used = (0..of.cables.len()).map(|number| match of.used.get(number) {
            Some(false) => 0,
            Some(true) | None => 1,
        });
        let used: Vec<u32> = used.collect();
        let _ = writeln!(
            text,
            "    ({}, {}, {}, {}, {}, {}, {}),",
            quoted(&of.mechanism),
            numbers(&of.cables),
            numbers(&of.sections),
            doubles(&of.along),
            doubles(&of.capacitances),
            doubles(&of.potentials),
            numbers(&used)
        );
    }
    text.push_str("]\n\n");
}

/// Cells that are templates of hoc: the names of their sections.
fn templates(text: &mut String, data: &Data) {
    text.push_str("# Cells with dendrites, each a template in a file of its name, and their sections.\nCELLS = {\n");
    for (name, sections) in &data.cells {
        let names: Vec<String> = sections
            .iter()
            .map(|section| quoted(&section.name))
            .collect();
        let _ = writeln!(
            text,
            "    {}: [{}],",
            quoted(name),
            lines(&names, ", ", 100)
        );
    }
    text.push_str("}\n\n");
}

/// Cells whose sections the Python file makes.
fn sections(text: &mut String, data: &Data) {
    text.push_str("# Cells with dendrites: name, section that it begins on and where, number of compartments, resistivity\n\
                   # (ohm cm), points (um) of each section.\nCELLS = {\n");
    for (name, sections) in &data.cells {
        let _ = writeln!(text, "    {}: [", quoted(name));
        for section in sections {
            let (parent, along) = match section.parent {
                Some((parent, along)) => (parent.to_string(), double(along)),
                None => ("None".to_owned(), "0.0".to_owned()),
            };
            let points: Vec<String> = (section.points.iter())
                .map(|[x, y, z, d]| {
                    format!(
                        "({}, {}, {}, {})",
                        double(*x),
                        double(*y),
                        double(*z),
                        double(*d)
                    )
                })
                .collect();
            let (name, divisions, resistivity) = (
                quoted(&section.name),
                section.divisions,
                double(section.resistivity),
            );
            let points = lines(&points, ", ", 100);
            let _ = writeln!(
                text,
                "        ({name}, {parent}, {along}, {divisions}, {resistivity}, [{points}]),"
            );
        }
        text.push_str("    ],\n");
    }
    text.push_str("}\n\n");
}

fn place(place: Option<u32>) -> String {
    place.map_or("None".to_owned(), |place| place.to_string())
}

/// A text for a docstring.
fn comment(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() || c == '"' || c == '\\' {
                '_'
            } else {
                c
            }
        })
        .collect()
}

/// A text as a literal of Python.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A double as a literal of Python.
fn double(value: f64) -> String {
    match value {
        nan if nan.is_nan() => "NAN".to_owned(),
        infinite if infinite.is_infinite() => if value > 0.0 { "INF" } else { "-INF" }.to_owned(),
        value => format!("{value:?}"),
    }
}

fn doubles(values: &[f64]) -> String {
    let texts: Vec<String> = values.iter().map(|value| double(*value)).collect();
    many(&texts, "floats")
}

fn numbers(values: &[u32]) -> String {
    let texts: Vec<String> = values.iter().map(u32::to_string).collect();
    many(&texts, "ints")
}

/// Numbers as a list, or as a text that a function of the file reads: Python takes much longer for a list.
fn many(texts: &[String], reader: &str) -> String {
    const FEW: usize = 30;
    if texts.len() <= FEW {
        return list(texts);
    }
    let runs = runs(texts).into_iter().map(|(text, count)| match count {
        1 => text.clone(),
        2 => format!("{text} {text}"),
        _ => format!("{text}*{count}"),
    });
    let runs: Vec<String> = runs.collect();
    format!("{reader}(\"\"\"{}\"\"\")", lines(&runs, " ", LINE))
}

/// A list; equal elements that follow one another are written once if that is shorter.
fn list(texts: &[String]) -> String {
    let runs = runs(texts);
    if !texts.is_empty() && runs.len() * 3 <= texts.len() {
        let runs: Vec<String> = runs
            .iter()
            .map(|(text, count)| format!("[{text}]*{count}"))
            .collect();
        return lines(&runs, " + ", LINE);
    }
    format!("[{}]", lines(texts, ", ", LINE))
}

/// Equal elements that follow one another, with how many there are.
fn runs(texts: &[String]) -> Vec<(&String, usize)> {
    let mut runs: Vec<(&String, usize)> = Vec::new();
    for text in texts {
        match runs.last_mut() {
            Some((last, count)) if *last == text => *count += 1,
            _ => runs.push((text, 1)),
        }
    }
    runs
}

/// How long lines of tables are.
const LINE: usize = 100;

fn lines(texts: &[String], between: &str, most: usize) -> String {
    let mut all = String::new();
    let mut length = 0;
    for (number, text) in texts.iter().enumerate() {
        if number > 0 {
            all.push_str(between.trim_end());
            if length > most {
                all.push_str("\n     ");
                length = 0;
            } else {
                all.push(' ');
            }
        }
        all.push_str(text);
        length += text.len() + between.len();
    }
    all
}
