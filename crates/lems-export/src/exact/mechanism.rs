//! A mechanism: its variables, loops and ports, with names for all of them.

use std::collections::BTreeMap;

use lems_ir::{Kernel, Level, Place, Statement};

use super::foreign::Foreigns;
use super::helpers;
use super::ports::Ports;
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
    pub potential: u32,
    pub rate: u32,
    pub capacitance: u32,
}

/// When a kernel runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
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
    /// The variable with the length of a step.
    pub step: String,
    /// The variable with the time.
    pub time: String,
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
    pub fn handlers(&self) -> impl Iterator<Item = (u32, usize)> {
        let numbers = self.parts.iter().filter_map(|part| match part {
            Part::Handler(number) => Some(*number),
            Part::Kernel(_) => None,
        });
        numbers.filter_map(|number| Some((number, self.places.groups.of_handler(number)?)))
    }

    /// When a kernel runs.
    pub fn phase(&self, part: Part) -> Phase {
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

    /// The kernels of a step, in order, without the kernel of the currents.
    pub fn steps(&self) -> Vec<Part> {
        let schedule = &self.places.program.schedule;
        let place = |part: &Part| {
            schedule.iter().position(|scheduled| {
                scheduled
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
    pub fn procedure(&self, part: Part) -> String {
        let steps = self.steps();
        let number = steps.iter().position(|of| *of == part);
        match (part, number) {
            (Part::Handler(number), _) => format!("handle_{number}"),
            (_, Some(number)) if steps.len() > 1 => format!("advance_{}", number + 1),
            (_, Some(_)) => "advance".to_owned(),
            (_, None) => "find_currents".to_owned(),
        }
    }

    /// The name of the variable of a column.
    pub fn name_of(&self, column: u32) -> &str {
        self.variables
            .get(&column)
            .map_or("unknown", |variable| &variable.name)
    }

    /// The variables that loops use, and their sizes.
    pub fn loop_arrays(&self) -> Vec<(String, String)> {
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
}

/// The columns of the membrane, if a mechanism is one.
fn membrane(places: &Places<'_>, mechanism: usize) -> Option<Membrane> {
    let root = *places.mechanisms.get(mechanism)?.groups.first()?;
    let nodes = places.program.cables.iter().flat_map(|cable| cable.nodes());
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
