//! One mechanism: its variables, its kernels as procedures, and its text as NMODL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use lems_ir::{Block, Kernel, Level, Operation, Place, Statement};

use super::foreign::{Foreign, Foreigns, Source};
use super::helpers;
use super::ports::Ports;
use super::print::{Named, Printed, Reads, Scope, number, print, register};
use crate::error::ExportError;
use crate::groups::{Loop, Part};
use crate::names::Names;
use crate::places::{Column, Places};

/// What a variable of a mechanism starts from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Never changes, and is the same in all instances.
    Fixed(f64),
    /// Never changes; each instance is given its own.
    Given,
    /// Changes, and starts from the same value everywhere.
    From(f64),
    /// Changes, and starts from a variable of this name, which each instance is given.
    FromOwn(String),
}

/// A column as a variable.
#[derive(Debug, Clone)]
pub(super) struct Variable {
    pub name: String,
    pub column: u32,
    pub group: usize,
    pub kind: Kind,
    pub label: String,
}

/// Names of the variables that a loop over attached instances uses.
#[derive(Debug, Clone)]
pub(super) enum LoopNames {
    /// The number of members, if they are all that an instance has.
    Members(String),
    /// The first member and the one after the last, for each host inside an instance.
    Bounds(String, String),
    /// The number of runs (or where those of each host begin), and kind, first and last of each.
    Runs {
        at: String,
        kind: String,
        first: String,
        last: String,
    },
}

/// How events leave by a port.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    pub name: String,
    pub group: usize,
    /// Whether the mechanism sends the events itself.
    pub own: bool,
    /// Where handlers count events, which are sent from the next step on, as all others of their step.
    pub held: Option<String>,
}

/// The columns of a mechanism that is a piece of membrane of a cell with dendrites.
#[derive(Debug, Clone, Copy)]
pub(super) struct Membrane {
    potential: u32,
    rate: u32,
    capacitance: u32,
}

/// When a kernel runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Once in each step; of a membrane, after the potentials have moved.
    Step,
    /// While they move: the current through the membrane.
    Currents,
}

/// A mechanism with names for all that its kernels use.
pub(super) struct Module<'p> {
    pub places: &'p Places<'p>,
    pub ports: &'p Ports,
    pub number: usize,
    pub name: String,
    pub variables: BTreeMap<u32, Variable>,
    pub loops: BTreeMap<Loop, LoopNames>,
    pub counters: BTreeMap<u32, Counter>,
    pub foreign: Foreigns,
    pub membrane: Option<Membrane>,
    step: String,
    time: String,
    parts: Vec<Part>,
}

impl<'p> Module<'p> {
    /// Names everything in a mechanism; `memory` is what the variables start from.
    pub fn new(
        places: &'p Places<'p>,
        ports: &'p Ports,
        mechanism: usize,
        name: String,
        memory: &[f64],
    ) -> Result<Self, ExportError> {
        let Some(of) = places.mechanisms.get(mechanism) else {
            return Err(ExportError::Bug { what: "mechanism" });
        };
        let mut names = Names::default();
        for word in helpers::WORDS {
            names.give(word);
        }
        let step = names.give("time_step");
        let time = names.give("time_now");
        let mut module = Module {
            places,
            ports,
            number: mechanism,
            name,
            variables: BTreeMap::new(),
            loops: BTreeMap::new(),
            counters: BTreeMap::new(),
            foreign: Foreigns::default(),
            membrane: membrane(places, mechanism),
            step,
            time,
            parts: Vec::new(),
        };
        for group in &of.groups {
            module.name_group(*group, &mut names, memory);
        }
        module.choose_own_port();
        let mut foreign = Foreigns::default();
        for part in &module.parts {
            if let Some(kernel) = module.kernel(*part) {
                foreign.read(&kernel.body, *part, &module, memory, &mut names)?;
            }
        }
        module.foreign = foreign;
        Ok(module)
    }

    fn name_group(&mut self, group: usize, names: &mut Names, memory: &[f64]) {
        let places = self.places;
        let Some(of) = places.groups.all.get(group) else {
            return;
        };
        let attached = places.is_attached(group);
        for first in &of.columns {
            let Some(column) = places.column(*first) else {
                continue;
            };
            let name = names.give(&variable_name(column, attached));
            let spans = places.spans(self.number, group).iter();
            let members = spans.flat_map(|span| span.first..span.first + span.count);
            let values = members.filter_map(|member| memory.get((column.first + member) as usize));
            let kind = match (column.written, uniform(values.copied())) {
                (false, Some(value)) => Kind::Fixed(value),
                (false, None) => Kind::Given,
                (true, Some(value)) => Kind::From(value),
                (true, None) => Kind::FromOwn(names.give(&format!("{name}_start"))),
            };
            let label = column.label.clone();
            let variable = Variable {
                name,
                column: *first,
                group,
                kind,
                label,
            };
            self.variables.insert(*first, variable);
        }
        let title = places.name_of(group);
        let in_mechanism = |host: &usize| {
            places
                .mechanisms
                .get(self.number)
                .is_some_and(|of| of.groups.contains(host))
        };
        for (_, key) in of.hosts.iter().filter(|(host, _)| in_mechanism(host)) {
            let loop_names = match key {
                Loop::Attached { .. } if self.is_whole(*key, group) => {
                    LoopNames::Members(names.give(&format!("n_{title}")))
                }
                Loop::Attached { .. } => LoopNames::Bounds(
                    names.give(&format!("first_{title}")),
                    names.give(&format!("end_{title}")),
                ),
                Loop::Run { offsets, runs, .. } => {
                    let shared = self.loops.iter().find_map(|(other, names)| match other {
                        Loop::Run {
                            offsets: o,
                            runs: r,
                            ..
                        } if (o, r) == (offsets, runs) => Some(names.clone()),
                        _ => None,
                    });
                    shared.unwrap_or_else(|| LoopNames::Runs {
                        at: names.give("n_runs"),
                        kind: names.give("run_kind"),
                        first: names.give("run_first"),
                        last: names.give("run_last"),
                    })
                }
            };
            self.loops.insert(*key, loop_names);
        }
        for port in of.ports.iter().filter_map(|first| self.ports.get(*first)) {
            if port.outside {
                let name = names.give("sent");
                let handlers = of
                    .parts
                    .iter()
                    .chain(&self.parts)
                    .filter(|part| matches!(part, Part::Handler(_)));
                let mut kernels = handlers.filter_map(|part| self.kernel(*part));
                let sends = |kernel: &Kernel| sends_to(kernel, port.first);
                let held = kernels.any(sends).then(|| names.give("held"));
                self.counters.insert(
                    port.first,
                    Counter {
                        name,
                        group,
                        own: false,
                        held,
                    },
                );
            }
        }
        self.parts.extend(of.parts.iter().copied());
        self.parts.sort();
    }

    /// Whether a loop always goes through all members of a group that an instance of the mechanism has.
    fn is_whole(&self, key: Loop, group: usize) -> bool {
        let Some(host) = self.host_of(key) else {
            return false;
        };
        let hosts = self.places.spans(self.number, host).iter();
        let spans = self.places.spans(self.number, group);
        !self.places.is_attached(host)
            && hosts.zip(spans).all(|(host, span)| {
                let range = self.places.range(key, host.first);
                range.iter().all(|range| range.count == span.count)
            })
    }

    /// Chooses the port whose events the mechanism sends itself: NEURON lets it have one.
    fn choose_own_port(&mut self) {
        let free = |counter: &&mut Counter| !self.places.is_attached(counter.group);
        let mut candidates = self.counters.values_mut();
        if let Some(counter) = candidates.find(free) {
            counter.own = true;
        }
    }

    pub fn kernel(&self, part: Part) -> Option<&'p Kernel> {
        let program = self.places.program;
        match part {
            Part::Kernel(number) => program.kernels.get(number as usize),
            Part::Handler(number) => program.handlers.get(number as usize),
        }
    }

    /// Kernels and handlers that run for its instances or for what is attached to them.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The group at a level of a part, and the index by which its members are found.
    pub fn level(&self, part: Part, loops: &[Loop], level: Level) -> Option<(usize, String)> {
        let level = usize::from(level.0);
        let group = self.places.groups.at(part, loops.get(..level)?)?;
        let index = match self.places.is_attached(group) {
            true => format!("[j{level}]"),
            false => String::new(),
        };
        Some((group, index))
    }

    /// The number of elements of an array with the members of a group in it.
    pub fn size(&self, group: usize) -> String {
        match self.places.is_attached(group) {
            true => format!("[{}]", self.places.most(self.number, group)),
            false => String::new(),
        }
    }

    /// The handlers that run for instances of the mechanism or for what is attached to them.
    fn handlers(&self) -> impl Iterator<Item = (u32, usize)> {
        let numbers = self.parts.iter().filter_map(|part| match part {
            Part::Handler(number) => Some(*number),
            Part::Kernel(_) => None,
        });
        numbers.filter_map(|number| Some((number, self.places.groups.of_handler(number)?)))
    }

    /// When a kernel runs.
    fn phase(&self, part: Part) -> Phase {
        let (Part::Kernel(_), Some(membrane)) = (part, self.membrane) else {
            return Phase::Step;
        };
        let rate = |statement: &Statement| matches!(statement, Statement::Store(Place::Column { base, .. }, _) if *base == membrane.rate);
        let body = self.kernel(part).map(|kernel| &kernel.body);
        match lems_ir::statements(body).any(rate) {
            true => Phase::Currents,
            false => Phase::Step,
        }
    }

    /// The kernels of a step in its order, but for that of the currents.
    fn steps(&self) -> Vec<Part> {
        let schedule = &self.places.program.schedule;
        let place = |part: &Part| {
            schedule.iter().position(|stage| {
                stage
                    .call()
                    .is_some_and(|call| Part::Kernel(call.kernel) == *part)
            })
        };
        let kernels = self
            .parts
            .iter()
            .copied()
            .filter(|part| matches!(part, Part::Kernel(_)));
        let mut steps: Vec<Part> = kernels
            .filter(|part| self.phase(*part) == Phase::Step)
            .collect();
        steps.sort_by_key(place);
        steps
    }

    /// The procedure that a part becomes.
    fn procedure(&self, part: Part) -> String {
        let steps = self.steps();
        let number = steps.iter().position(|of| *of == part);
        match (part, number) {
            (Part::Handler(number), _) => format!("handle_{number}"),
            (_, Some(number)) if steps.len() > 1 => format!("advance_{}", number + 1),
            (_, Some(_)) => "advance".to_owned(),
            (_, None) => "find_currents".to_owned(),
        }
    }

    /// The lines that move the time by a step. jLEMS adds up the steps; with cables it is a product.
    fn tick(&self) -> String {
        let (time, step) = (&self.time, &self.step);
        match self.places.program.cables.is_empty() {
            true => format!("    {time} = {time} + {step}\n"),
            false => format!("    steps_done = steps_done + 1\n    {time} = steps_done*{step}\n"),
        }
    }

    /// The name of the variable of a column.
    fn name_of(&self, column: u32) -> &str {
        self.variables
            .get(&column)
            .map_or("unknown", |variable| &variable.name)
    }

    /// The whole mechanism as NMODL.
    pub fn text(&self, step: f64) -> (String, bool) {
        let printed: Vec<(Part, Printed)> = (self.parts.iter())
            .filter_map(|part| {
                let scope = PartScope {
                    module: self,
                    part: *part,
                };
                let kernel = self.kernel(*part)?;
                Some((*part, print(kernel, &self.places.program.schemes, &scope)))
            })
            .collect();
        let schemes: BTreeSet<u32> = printed
            .iter()
            .flat_map(|(_, of)| of.schemes.clone())
            .collect();
        let functions: BTreeSet<&str> = printed
            .iter()
            .flat_map(|(_, of)| of.functions.clone())
            .collect();
        let draws = printed.iter().any(|(_, of)| of.draws);
        let timed = printed.iter().any(|(_, of)| of.timed);
        let held = self.counters.values().any(|counter| counter.held.is_some());
        let kernels = printed
            .iter()
            .filter(|(part, _)| matches!(part, Part::Kernel(_)))
            .count();
        let own = self.counters.values().find(|counter| counter.own);
        let mut text = String::new();
        let _ = writeln!(
            text,
            ": {}, computed step by step as jLEMS does: SI units, its order of operations.",
            self.places
                .mechanisms
                .get(self.number)
                .and_then(|of| of.groups.first())
                .map(|group| self.places.name_of(*group))
                .unwrap_or_default()
        );
        let _ = writeln!(
            text,
            ": Made by jlems-rs. It is not attached to the potential of its section.\n"
        );
        self.declarations(&mut text, step, timed, &schemes, draws);
        // What every run starts from.
        text.push_str("INITIAL {\n");
        self.initial(&mut text, timed);
        if own.is_some() {
            text.push_str("    net_send(0, 1)\n");
        }
        text.push_str("}\n\n");
        self.blocks(&mut text, kernels > 0 || held, timed);
        if held && self.steps().is_empty() {
            text.push_str("PROCEDURE advance() {\n");
            self.release(&mut text);
            text.push_str("}\n\n");
        }
        // The kernels of a step, and a procedure for each handler.
        for (part, of) in &printed {
            match part {
                Part::Kernel(_) => {
                    let _ = writeln!(text, "PROCEDURE {}() {{", self.procedure(*part));
                    locals(&mut text, of);
                    if timed && self.membrane.is_none() {
                        text.push_str(&self.tick());
                    }
                }
                Part::Handler(number) => {
                    let group = self.places.groups.of_handler(*number);
                    let attached = group.is_some_and(|group| self.places.is_attached(group));
                    let name = self.kernel(*part).map_or("", |kernel| kernel.name.as_str());
                    let _ = writeln!(text, ": {}", plain(name));
                    let argument = if attached { "j0" } else { "" };
                    let _ = writeln!(text, "PROCEDURE handle_{number}({argument}) {{");
                    locals(&mut text, of);
                }
            }
            for line in &of.lines {
                text.push_str(line);
                text.push('\n');
            }
            if self.ends_step(*part) {
                self.release(&mut text);
            }
            text.push_str("}\n\n");
        }
        self.receive(&mut text, own);
        text.push_str(&self.foreign.functions());
        for scheme in schemes {
            if let Some(of) = self.places.program.schemes.get(scheme as usize) {
                text.push_str(&helpers::propagate(scheme, of, &self.step));
            }
        }
        for function in functions {
            text.push_str(helpers::function(function));
        }
        if draws {
            text.push_str(helpers::DRAW);
        }
        let text = text.trim_end().to_owned() + "\n";
        (text, draws)
    }

    fn declarations(
        &self,
        text: &mut String,
        step: f64,
        timed: bool,
        schemes: &BTreeSet<u32>,
        draws: bool,
    ) {
        let mut parameters = vec![(
            format!("{} = {}", self.step, bare(step)),
            "length of a step (s)".to_owned(),
        )];
        let mut assigned: Vec<(String, String)> = Vec::new();
        let mut ranges = vec![self.step.clone()];
        if timed {
            assigned.push((
                self.time.clone(),
                "time at the end of the step (s)".to_owned(),
            ));
            ranges.push(self.time.clone());
            if !self.places.program.cables.is_empty() {
                assigned.push(("steps_done".to_owned(), "number of steps".to_owned()));
                ranges.push("steps_done".to_owned());
            }
        }
        for variable in self.variables.values() {
            ranges.push(variable.name.clone());
            let label = plain(&variable.label);
            let size = self.size(variable.group);
            match &variable.kind {
                Kind::Fixed(value) => {
                    parameters.push((format!("{} = {}", variable.name, bare(*value)), label))
                }
                Kind::FromOwn(start) => {
                    ranges.push(start.clone());
                    assigned.push((format!("{start}{size}"), format!("{label}, at the start")));
                    assigned.push((format!("{}{size}", variable.name), label));
                }
                Kind::Given | Kind::From(_) => {
                    assigned.push((format!("{}{size}", variable.name), label))
                }
            }
        }
        for (name, size) in self.loop_arrays() {
            ranges.push(name.clone());
            assigned.push((format!("{name}{size}"), "what is attached".to_owned()));
        }
        for counter in self.counters.values() {
            ranges.push(counter.name.clone());
            let size = self.size(counter.group);
            assigned.push((
                format!("{}{size}", counter.name),
                "events to be sent".to_owned(),
            ));
            if let Some(held) = &counter.held {
                ranges.push(held.clone());
                assigned.push((
                    format!("{held}{size}"),
                    "events to be sent after this step".to_owned(),
                ));
            }
        }
        for (name, size) in self.foreign.values(self) {
            ranges.push(name.clone());
            assigned.push((
                format!("{name}{size}"),
                "a value of another instance".to_owned(),
            ));
        }
        for scheme in schemes {
            let of = self.places.program.schemes.get(*scheme as usize);
            for (name, size) in of
                .map(|of| helpers::arrays(*scheme, of))
                .unwrap_or_default()
            {
                assigned.push((format!("{name}[{size}]"), "of a kinetic scheme".to_owned()));
                ranges.push(name);
            }
        }
        let pointers = self.foreign.pointers();
        assigned.extend(
            pointers
                .iter()
                .map(|name| (name.clone(), "a variable of another instance".to_owned())),
        );
        text.push_str("NEURON {\n");
        let name = &self.name;
        let mut pointers = pointers;
        // A generator that all mechanisms share is not for several threads.
        text.push_str(if draws { "" } else { "    THREADSAFE\n" });
        let _ = writeln!(text, "    POINT_PROCESS {name}");
        text.push_str(if self.membrane.is_some() {
            "    NONSPECIFIC_CURRENT i\n"
        } else {
            ""
        });
        lists(text, "RANGE", &ranges);
        if draws {
            pointers.extend(["generator_low".to_owned(), "generator_high".to_owned()]);
        }
        lists(text, "POINTER", &pointers);
        text.push_str("}\n\n");
        if self.membrane.is_some() {
            assigned.push(("v (mV)".to_owned(), "potential".to_owned()));
            let what = "current through the membrane, without that into its capacitance";
            assigned.push(("i (nA)".to_owned(), what.to_owned()));
        }
        section(text, "PARAMETER", &parameters);
        if draws {
            assigned.push((
                "generator_low".to_owned(),
                "the generator's state, lower half".to_owned(),
            ));
            assigned.push(("generator_high".to_owned(), "upper half".to_owned()));
        }
        section(text, "ASSIGNED", &assigned);
    }

    /// The variables that loops use, and their sizes.
    fn loop_arrays(&self) -> Vec<(String, String)> {
        let mut arrays = Vec::new();
        for (key, names) in &self.loops {
            let host = self.host_of(*key);
            let hosts = host
                .filter(|host| self.places.is_attached(*host))
                .map(|host| self.places.most(self.number, host));
            let size = hosts.map(|hosts| format!("[{hosts}]")).unwrap_or_default();
            match names {
                LoopNames::Members(name) => arrays.push((name.clone(), size)),
                LoopNames::Bounds(first, end) => {
                    arrays.extend([first, end].map(|name| (name.clone(), size.clone())))
                }
                LoopNames::Runs {
                    at,
                    kind,
                    first,
                    last,
                } => {
                    let most = self.most_runs(*key).max(1);
                    let size = hosts
                        .map(|hosts| format!("[{}]", hosts + 1))
                        .unwrap_or_default();
                    arrays.push((at.clone(), size));
                    arrays.extend(
                        [kind, first, last].map(|name| (name.clone(), format!("[{most}]"))),
                    );
                }
            }
        }
        arrays.sort();
        arrays.dedup();
        arrays
    }

    /// The group that the loop's members are attached to.
    pub fn host_of(&self, key: Loop) -> Option<usize> {
        let mut hosts = self.places.groups.all.iter().flat_map(|group| &group.hosts);
        hosts.find(|(_, of)| *of == key).map(|(host, _)| *host)
    }

    /// The group that a loop goes through.
    pub fn group_of(&self, key: Loop) -> Option<usize> {
        let mut groups = self.places.groups.all.iter();
        groups.position(|group| group.hosts.iter().any(|(_, of)| *of == key))
    }

    fn most_runs(&self, key: Loop) -> usize {
        let spans = self
            .host_of(key)
            .map(|host| self.places.spans(self.number, host))
            .unwrap_or_default();
        let counts = spans.iter().map(|span| {
            let hosts = span.first..span.first + span.count;
            hosts.map(|host| self.places.runs(key, host).len()).sum()
        });
        counts.max().unwrap_or(0)
    }

    fn initial(&self, text: &mut String, timed: bool) {
        if timed {
            let _ = writeln!(text, "    {} = 0", self.time);
            text.push_str(if self.places.program.cables.is_empty() {
                ""
            } else {
                "    steps_done = 0\n"
            });
        }
        let mut starts: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for variable in self.variables.values() {
            let (name, index) = (
                &variable.name,
                if self.places.is_attached(variable.group) {
                    "[j0]"
                } else {
                    ""
                },
            );
            let start = match &variable.kind {
                Kind::From(value) => number(*value),
                Kind::FromOwn(start) => format!("{start}{index}"),
                Kind::Fixed(_) | Kind::Given => continue,
            };
            starts
                .entry(variable.group)
                .or_default()
                .push(format!("{name}{index} = {start}"));
        }
        for counter in self.counters.values() {
            let index = if self.places.is_attached(counter.group) {
                "[j0]"
            } else {
                ""
            };
            for name in [Some(&counter.name), counter.held.as_ref()]
                .into_iter()
                .flatten()
            {
                starts
                    .entry(counter.group)
                    .or_default()
                    .push(format!("{name}{index} = 0"));
            }
        }
        for (group, lines) in starts {
            let attached = self.places.is_attached(group);
            if attached {
                let _ = writeln!(
                    text,
                    "    FROM j0 = 0 TO {} {{",
                    self.places.most(self.number, group) - 1
                );
            }
            let indent = if attached { "        " } else { "    " };
            for line in lines {
                let _ = writeln!(text, "{indent}{line}");
            }
            text.push_str(if attached { "    }\n" } else { "" });
        }
    }

    /// Whether a part is the last of a step.
    fn ends_step(&self, part: Part) -> bool {
        self.steps().last() == Some(&part)
    }

    /// The blocks that NEURON runs in a step.
    fn blocks(&self, text: &mut String, has_steps: bool, timed: bool) {
        let Some(membrane) = self.membrane else {
            if has_steps {
                text.push_str("BREAKPOINT {\n    SOLVE advance METHOD after_cvode\n}\n\n");
            }
            return;
        };
        let potential = format!("    {} = 0.001*v\n", self.name_of(membrane.potential));
        let has = |phase: Phase| {
            let mut kernels = self
                .parts
                .iter()
                .filter(|part| matches!(part, Part::Kernel(_)));
            kernels.any(|part| self.phase(*part) == phase)
        };
        // The potentials move by an implicit step, then all else at the new potentials.
        text.push_str("BREAKPOINT {\n    SOLVE finish METHOD after_cvode\n");
        text.push_str(&potential);
        text.push_str(if has(Phase::Currents) {
            "    find_currents()\n"
        } else {
            ""
        });
        let (rate, capacitance) = (
            self.name_of(membrane.rate),
            self.name_of(membrane.capacitance),
        );
        let _ = writeln!(text, "    i = 0 - 1e9*{rate}*{capacitance}\n}}\n");
        text.push_str("PROCEDURE finish() {\n");
        text.push_str(&potential);
        text.push_str(if timed { self.tick() } else { String::new() }.as_str());
        for part in self.steps() {
            let _ = writeln!(text, "    {}()", self.procedure(part));
        }
        if self.steps().is_empty() && self.counters.values().any(|counter| counter.held.is_some()) {
            text.push_str("    advance()\n");
        }
        text.push_str("}\n\n");
    }

    /// What handlers have counted up to the end of a step is sent then.
    fn release(&self, text: &mut String) {
        for counter in self.counters.values() {
            let (Some(held), name) = (&counter.held, &counter.name) else {
                continue;
            };
            let _ = match self.places.is_attached(counter.group) {
                true => writeln!(
                    text,
                    "    FROM j0 = 0 TO {} {{\n        {name}[j0] = {name}[j0] + {held}[j0]\n        {held}[j0] = 0\n    }}",
                    self.places.most(self.number, counter.group) - 1
                ),
                false => writeln!(text, "    {name} = {name} + {held}\n    {held} = 0"),
            };
        }
    }

    fn receive(&self, text: &mut String, own: Option<&Counter>) {
        let handlers: Vec<(u32, usize)> = self.handlers().collect();
        if own.is_none() && handlers.is_empty() {
            return;
        }
        text.push_str(
            ": Events come with the number of a handler and the place of what is attached.\n",
        );
        text.push_str("NET_RECEIVE(handler, place) {\n");
        // Without it, NEURON sets all numbers of a connection but the first to zero at the start.
        text.push_str("    INITIAL {\n    }\n");
        let mut otherwise = "    ";
        if let Some(counter) = own {
            let name = &counter.name;
            let _ = write!(
                text,
                "    if (flag == 1) {{\n        WATCH ({name} > 0.5) 2\n    }} else if (flag == 2) {{\n        \
                 WHILE ({name} > 0.5) {{\n            {name} = {name} - 1\n            net_event(t)\n        }}\n        \
                 WATCH ({name} > 0.5) 2\n    }}"
            );
            otherwise = " else ";
        }
        for (number, group) in handlers {
            let argument = if self.places.is_attached(group) {
                "place"
            } else {
                ""
            };
            let _ = write!(
                text,
                "{otherwise}if (handler == {number}) {{\n        handle_{number}({argument})\n    }}"
            );
            otherwise = " else ";
        }
        text.push_str("\n}\n\n");
    }
}

/// A mechanism as one of its kernels sees it.
struct PartScope<'m, 'p> {
    module: &'m Module<'p>,
    part: Part,
}

impl Scope for PartScope<'_, '_> {
    fn place(&self, place: Place, loops: &[Loop]) -> Named {
        let module = self.module;
        if let Place::Column { base, level } = place
            && let Some(variable) = module.variables.get(&base)
            && let Some((_, index)) = module.level(self.part, loops, level)
        {
            let name = &variable.name;
            return match variable.kind {
                Kind::Fixed(_) => Named {
                    text: name.clone(),
                    reads: Reads::Nothing,
                },
                Kind::Given => Named {
                    text: format!("{name}{index}"),
                    reads: Reads::Nothing,
                },
                Kind::From(_) | Kind::FromOwn(_) => Named {
                    text: format!("{name}{index}"),
                    reads: Reads::Column(base),
                },
            };
        }
        match module.foreign.get(place, module, self.part, loops) {
            Some(Foreign {
                text,
                source: Source::Constant,
            }) => Named {
                text,
                reads: Reads::Nothing,
            },
            Some(Foreign { text, .. }) => Named {
                text,
                reads: Reads::Any,
            },
            None => Named {
                text: "unknown".to_owned(),
                reads: Reads::Any,
            },
        }
    }

    fn emit(&self, port: u32, level: Level, loops: &[Loop]) -> Vec<String> {
        let module = self.module;
        let Some(of) = module.ports.get(port) else {
            return Vec::new();
        };
        let Some((group, index)) = module.level(self.part, loops, level) else {
            return Vec::new();
        };
        let argument = match module.places.is_attached(group) {
            true => format!("j{}", level.0),
            false => String::new(),
        };
        let inside = of
            .inside
            .iter()
            .map(|handler| format!("handle_{handler}({argument})"));
        let mut lines: Vec<String> = inside.collect();
        if let Some(counter) = module.counters.get(&port) {
            let is_handler = matches!(self.part, Part::Handler(_));
            let name = if is_handler {
                counter.held.as_ref()
            } else {
                None
            };
            let name = format!("{}{index}", name.unwrap_or(&counter.name));
            lines.push(format!("{name} = {name} + 1"));
        }
        lines
    }

    fn open(&self, loops: &[Loop]) -> Vec<String> {
        let module = self.module;
        let (Some(key), level) = (loops.last(), loops.len()) else {
            return Vec::new();
        };
        let outer = level - 1;
        let host = module
            .places
            .groups
            .at(self.part, loops.get(..outer).unwrap_or_default());
        let nested = host.is_some_and(|host| module.places.is_attached(host));
        // The bounds of a loop of NMODL are no elements of arrays.
        let from = |index: String, first: String, last: String| {
            vec![
                format!("first_{index} = {first}"),
                format!("last_{index} = {last} - 1"),
                format!("FROM {index} = first_{index} TO last_{index} {{"),
            ]
        };
        let over = |index: String, name: &str| match nested {
            true => from(
                index,
                format!("{name}[j{outer}]"),
                format!("{name}[j{outer} + 1]"),
            ),
            false => vec![format!("FROM {index} = 0 TO {name} - 1 {{")],
        };
        match module.loops.get(key) {
            Some(LoopNames::Bounds(first, end)) => {
                let host = if nested {
                    format!("[j{outer}]")
                } else {
                    String::new()
                };
                from(
                    format!("j{level}"),
                    format!("{first}{host}"),
                    format!("{end}{host}"),
                )
            }
            Some(LoopNames::Members(name)) => over(format!("j{level}"), name),
            Some(LoopNames::Runs {
                at,
                kind,
                first,
                last,
            }) => {
                let arm = match key {
                    Loop::Run { arm, .. } => *arm,
                    Loop::Attached { .. } => 0,
                };
                let mut lines = over(format!("k{level}"), at);
                lines.push(format!("if ({kind}[k{level}] == {arm}) {{"));
                let (first, last) = (format!("{first}[k{level}]"), format!("{last}[k{level}]"));
                lines.extend(from(format!("j{level}"), first, last));
                lines
            }
            None => Vec::new(),
        }
    }

    fn step(&self) -> String {
        self.module.step.clone()
    }

    fn time(&self) -> String {
        let (time, step) = (&self.module.time, &self.module.step);
        match self.module.phase(self.part) {
            Phase::Step => time.clone(),
            Phase::Currents => format!("({time} + {step}/2)"),
        }
    }
}

/// The columns of the membrane, if a mechanism is one.
fn membrane(places: &Places<'_>, mechanism: usize) -> Option<Membrane> {
    let root = *places.mechanisms.get(mechanism)?.groups.first()?;
    let nodes = places.program.cables.iter().flat_map(|cable| &cable.nodes);
    let mut found = nodes.filter_map(|node| {
        let membrane = node.membrane?;
        let (group, _) = places.member(node.potential)?;
        (group == root).then_some((node.potential, membrane))
    });
    let (potential, membrane) = found.next()?;
    let first = |slot: u32| places.column(slot).map(|column| column.first);
    Some(Membrane {
        potential: first(potential)?,
        rate: first(membrane.rate)?,
        capacitance: first(membrane.capacitance)?,
    })
}

/// Whether a kernel sends events of a port.
fn sends_to(kernel: &Kernel, port: u32) -> bool {
    let mut inside = lems_ir::statements([&kernel.body]);
    inside.any(|statement| matches!(statement, Statement::Emit { port: of, .. } if *of == port))
}

/// The value that all have, if they have one.
fn uniform(mut values: impl Iterator<Item = f64>) -> Option<f64> {
    let first = values.next()?;
    values
        .all(|value| value.to_bits() == first.to_bits())
        .then_some(first)
}

/// A name for a column: its path without the type of the mechanism.
fn variable_name(column: &Column, attached: bool) -> String {
    let label = column.label.replace(" (exposed)", "_exposed");
    match label.split_once('/') {
        Some((_, rest)) if !attached => rest.to_owned(),
        _ => label,
    }
}

/// A number without parentheses, as declarations want it.
fn bare(value: f64) -> String {
    let text = number(value);
    match text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        Some(inside) if !inside.contains(' ') => inside.to_owned(),
        _ => text,
    }
}

/// A name of a model as a comment can hold it.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_graphic() || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect()
}

fn locals(text: &mut String, of: &Printed) {
    let registers = of.locals.iter().map(|local| register(*local));
    let names: Vec<String> = registers.chain(of.bounds.iter().cloned()).collect();
    if !names.is_empty() {
        let _ = writeln!(text, "    LOCAL {}", wrapped(&names, "        "));
    }
}

/// Names with commas between them, in lines that are not too long.
fn wrapped(names: &[String], indent: &str) -> String {
    let mut text = String::new();
    let mut length = 0;
    for (number, name) in names.iter().enumerate() {
        if number > 0 {
            text.push(',');
            if length + name.len() > 90 {
                text.push('\n');
                text.push_str(indent);
                length = 0;
            } else {
                text.push(' ');
            }
        }
        text.push_str(name);
        length += name.len() + 2;
    }
    text
}

fn lists(text: &mut String, word: &str, names: &[String]) {
    let mut line: Vec<String> = Vec::new();
    let mut length = 0;
    let mut all = Vec::new();
    for name in names {
        if length + name.len() > 90 && !line.is_empty() {
            all.push(std::mem::take(&mut line));
            length = 0;
        }
        length += name.len() + 2;
        line.push(name.clone());
    }
    all.extend((!line.is_empty()).then_some(line));
    for line in all {
        let _ = writeln!(text, "    {word} {}", line.join(", "));
    }
}

fn section(text: &mut String, word: &str, lines: &[(String, String)]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{word} {{");
    let width = lines
        .iter()
        .map(|(declaration, _)| declaration.len())
        .max()
        .unwrap_or(0)
        .min(40);
    for (declaration, comment) in lines {
        let _ = writeln!(text, "    {declaration:width$}  : {comment}");
    }
    text.push_str("}\n\n");
}

/// The places of a block, with the loops around each.
pub(super) fn places_of(
    block: &Block,
    loops: &mut Vec<Loop>,
    visit: &mut dyn FnMut(Place, &[Loop], bool),
) {
    for statement in block {
        match statement {
            Statement::Let(_, Operation::Load(place)) => visit(*place, loops, false),
            Statement::Store(place, _) => visit(*place, loops, true),
            Statement::If {
                then, otherwise, ..
            } => {
                places_of(then, loops, visit);
                places_of(otherwise, loops, visit);
            }
            Statement::ForAttached { offsets, body, .. } => {
                loops.push(Loop::Attached { offsets: *offsets });
                places_of(body, loops, visit);
                loops.pop();
            }
            Statement::ForRuns {
                offsets,
                runs,
                arms,
                ..
            } => {
                for (arm, body) in arms.iter().enumerate() {
                    loops.push(Loop::Run {
                        offsets: *offsets,
                        runs: *runs,
                        arm,
                    });
                    places_of(body, loops, visit);
                    loops.pop();
                }
            }
            Statement::Twice(body) => places_of(body, loops, visit),
            Statement::Let(..) | Statement::Emit { .. } | Statement::Propagate { .. } => {}
        }
    }
}
