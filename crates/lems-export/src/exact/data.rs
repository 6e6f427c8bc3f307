//! The numbers that the instances of mechanisms are given, and how they are connected.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lems_index::narrow;

use lems_ir::{Action, Scheduled};

use super::foreign::{Key, Read};
use super::mechanism::{Kind, LoopNames, Module};
use super::ports::{Ports, does_something, is_inside};
use crate::cables::branches;
use crate::driver::{
    Column, Connections, Data, Membranes, Pending, Pointer, PortData, SectionData, Selection,
};
use crate::groups::{Loop, Part};
use crate::job::{Job, Recorded};
use crate::places::Places;
use crate::template;

/// Everything that the driver needs to know of a run.
pub(super) fn of(
    job: &Job<'_>,
    places: &Places<'_>,
    ports: &Ports,
    modules: &[Module<'_>],
) -> Data {
    let mut data = Data::default();
    for module in modules {
        let instances = places
            .mechanisms
            .get(module.number)
            .map_or(0, |of| of.instances);
        data.mechanisms.push((module.name.clone(), instances));
        variables(module, &job.start.memory, &mut data);
        loops(module, &mut data);
        values_of_others(module, modules, &job.start.memory, &mut data);
    }
    let sources = port_data(ports, modules, &mut data);
    connections(places, ports, modules, &sources, &mut data);
    recordings(job, places, modules, &mut data);
    selections(job, places, ports, &sources, &mut data);
    cells(job, places, modules, &mut data);
    for event in job.start.queue.events() {
        match event.action {
            Action::Handle { handler, instance } => {
                let group = places.groups.of_handler(handler);
                let location = group.and_then(|group| places.locate(group, instance));
                if let Some(at) = location
                    && let Some(module) = modules.get(at.mechanism)
                {
                    data.pending.push(Pending {
                        mechanism: module.name.clone(),
                        instance: at.instance,
                        handler,
                        place: at.index,
                        delay: event.time,
                    });
                }
            }
            Action::Record { selection } => data.recorded_at_start.push(selection),
        }
    }
    data.pending
        .sort_by(|one, other| one.delay.total_cmp(&other.delay));
    data.recorded_at_start.extend(&job.start.recorded);
    data
}

/// A piece of membrane of a cell with dendrites, in SI units.
struct Piece {
    cable: u32,
    section: u32,
    along: f64,
    capacitance: f64,
    potential: f64,
}

/// The cells with dendrites, and where on them the membranes are.
fn cells(job: &Job<'_>, places: &Places<'_>, modules: &[Module<'_>], data: &mut Data) {
    data.cables.clone_from(&job.cell_of_cable);
    data.templates = !job.densities.is_empty();
    let names = template::names(job);
    for (number, cell) in job.cells.iter().enumerate() {
        let names = names.get(number).filter(|_| data.templates);
        let cable = job.cell_of_cable.iter().position(|of| *of == number);
        let cable = cable.and_then(|cable| places.program.cables.get(cable));
        let branches = cable.map(|cable| branches(cable).0).unwrap_or_default();
        let sections =
            cell.sections
                .iter()
                .zip(branches)
                .enumerate()
                .map(|(number, (section, branch))| SectionData {
                    name: names
                        .and_then(|names| names.sections.get(number))
                        .unwrap_or(&section.name)
                        .clone(),
                    parent: branch.parent,
                    divisions: branch.divisions,
                    resistivity: section.resistivity,
                    points: section.points.clone(),
                });
        let name = names.map_or(&cell.name, |names| &names.template);
        data.cells.push((name.clone(), sections.collect()));
    }
    let value = |slot: u32| job.start.memory.get(slot as usize).copied().unwrap_or(0.0);
    let mut found: BTreeMap<(usize, u32), Piece> = BTreeMap::new();
    for (number, cable) in places.program.cables.iter().enumerate() {
        let (_, at) = branches(cable);
        for (node, (section, along)) in cable.nodes().iter().zip(at) {
            let Some(membrane) = node.membrane else {
                continue;
            };
            let location = places
                .member(node.potential)
                .and_then(|(group, member)| places.locate(group, member));
            let Some(location) = location else { continue };
            let piece = Piece {
                cable: narrow(number),
                section: narrow(section),
                along,
                capacitance: value(membrane.capacitance),
                potential: value(node.potential),
            };
            found.insert((location.mechanism, location.instance), piece);
        }
    }
    for ((mechanism, _), piece) in found {
        let Some(module) = modules.get(mechanism) else {
            continue;
        };
        if data
            .membranes
            .last()
            .is_none_or(|last| last.mechanism != module.name)
        {
            data.membranes.push(Membranes {
                mechanism: module.name.clone(),
                ..Membranes::default()
            });
        }
        if let Some(of) = data.membranes.last_mut() {
            of.cables.push(piece.cable);
            of.sections.push(piece.section);
            of.along.push(piece.along);
            of.capacitances.push(piece.capacitance);
            of.potentials.push(piece.potential);
        }
    }
    if data.templates {
        leave_out_idle(places, modules, data);
    }
}

/// Notes which pieces of membrane have something to do besides their density mechanisms: something is attached
/// to them, or something else knows them.
fn leave_out_idle(places: &Places<'_>, modules: &[Module<'_>], data: &mut Data) {
    let mut used: BTreeSet<(&str, u32)> = BTreeSet::new();
    for pointer in &data.pointers {
        used.insert((&pointer.mechanism, pointer.instance));
        used.insert((&pointer.other, pointer.target));
    }
    let senders = data
        .connections
        .iter()
        .flat_map(|of| of.members.iter().map(|member| (of.port, *member)));
    let selected = data
        .event_files
        .iter()
        .flat_map(|(_, _, selections)| selections);
    let heard = senders.chain(selected.filter_map(|selection| selection.port));
    for (port, member) in heard {
        if let Some(port) = data.ports.get(port)
            && let Some(instance) = port.instances.get(member as usize)
        {
            used.insert((&port.mechanism, *instance));
        }
    }
    for of in &data.connections {
        used.extend(
            of.instances
                .iter()
                .map(|instance| (of.mechanism.as_str(), *instance)),
        );
    }
    used.extend(
        data.pending
            .iter()
            .map(|of| (of.mechanism.as_str(), of.instance)),
    );
    for column in data.data_files.iter().flat_map(|(_, columns)| columns) {
        if let Column::Variable {
            mechanism,
            instance,
            ..
        } = column
        {
            used.insert((mechanism, *instance));
        }
    }
    let mut all = Vec::new();
    for of in &data.membranes {
        let module = modules.iter().find(|module| module.name == of.mechanism);
        let groups = module.and_then(|module| places.mechanisms.get(module.number));
        let has_attached = |instance: u32| {
            let (Some(module), Some(of)) = (module, groups) else {
                return true;
            };
            let mut spans = of.groups.iter().filter(|group| places.is_attached(**group));
            spans.any(|group| {
                let spans = places.spans(module.number, *group);
                spans
                    .get(instance as usize)
                    .is_some_and(|span| span.count > 0)
            })
        };
        let is_used = |instance: u32| {
            used.contains(&(of.mechanism.as_str(), instance)) || has_attached(instance)
        };
        all.push(
            (0..narrow(of.cables.len()))
                .map(is_used)
                .collect::<Vec<bool>>(),
        );
    }
    for (of, used) in data.membranes.iter_mut().zip(all) {
        of.used = used;
    }
}

/// The members of a group as rows of an array, or as one number for each instance.
fn give(
    module: &Module<'_>,
    group: usize,
    name: &str,
    value: &dyn Fn(u32) -> f64,
    data: &mut Data,
) {
    let spans = module.places.spans(module.number, group);
    let values: Vec<f64> = (spans.iter())
        .flat_map(|span| span.first..span.first + span.count)
        .map(value)
        .collect();
    let is_attached = module.places.is_attached(group);
    let counts = is_attached.then(|| spans.iter().map(|span| span.count).collect());
    data.give(module.name.clone(), name, counts, values);
}

fn variables(module: &Module<'_>, memory: &[f64], data: &mut Data) {
    for variable in module.variables.values() {
        let value = |member: u32| {
            let slot = (variable.column + member) as usize;
            memory.get(slot).copied().unwrap_or(0.0)
        };
        match &variable.kind {
            Kind::Given => give(module, variable.group, &variable.name, &value, data),
            Kind::FromOwn(start) => give(module, variable.group, start, &value, data),
            Kind::Fixed(_) | Kind::From(_) => {}
        }
    }
}

/// The number of members of each loop, and the order of runs.
fn loops(module: &Module<'_>, data: &mut Data) {
    let places = module.places;
    let mut done: Vec<&str> = Vec::new();
    for (key, names) in &module.loops {
        let Some(host) = module.host_of(*key) else {
            continue;
        };
        let is_nested = places.is_attached(host);
        let mechanism = || module.name.clone();
        match names {
            LoopNames::Bounds(first, end) => {
                let group = module.group_of(*key);
                let own = group
                    .map(|group| places.spans(module.number, group))
                    .unwrap_or_default();
                let (mut firsts, mut ends) = (Vec::new(), Vec::new());
                for (span, own) in places.spans(module.number, host).iter().zip(own) {
                    let hosts = span.first..span.first + span.count;
                    let ranges: Vec<_> = hosts.flat_map(|host| places.range(*key, host)).collect();
                    let local = |member: u32| f64::from(member.saturating_sub(own.first));
                    firsts.push(ranges.iter().map(|range| local(range.first)).collect());
                    ends.push(
                        ranges
                            .iter()
                            .map(|range| local(range.first) + f64::from(range.count))
                            .collect(),
                    );
                }
                push_rows(mechanism(), first, firsts, is_nested, data);
                push_rows(mechanism(), end, ends, is_nested, data);
            }
            LoopNames::Members(name) => {
                let rows: Vec<Vec<f64>> = (places.spans(module.number, host).iter())
                    .map(|span| {
                        let counts = (span.first..span.first + span.count).map(|host| {
                            places
                                .range(*key, host)
                                .iter()
                                .map(|span| span.count)
                                .sum::<u32>()
                        });
                        row(counts, is_nested)
                    })
                    .collect();
                push_rows(mechanism(), name, rows, is_nested, data);
            }
            LoopNames::Runs {
                at,
                kind,
                first,
                last,
            } => {
                if done.contains(&at.as_str()) {
                    continue;
                }
                done.push(at);
                let (mut ats, mut kinds, mut firsts, mut lasts) =
                    (Vec::new(), Vec::new(), Vec::new(), Vec::new());
                for (instance, span) in places.spans(module.number, host).iter().enumerate() {
                    let hosts = span.first..span.first + span.count;
                    let runs: Vec<(u32, crate::places::Span)> = hosts
                        .clone()
                        .flat_map(|host| places.runs(*key, host))
                        .collect();
                    ats.push(row(
                        hosts.map(|host| narrow(places.runs(*key, host).len())),
                        is_nested,
                    ));
                    let begin = |arm: u32| first_of_arm(module, *key, arm, instance).unwrap_or(0);
                    kinds.push(runs.iter().map(|(arm, _)| f64::from(*arm)).collect());
                    firsts.push(
                        runs.iter()
                            .map(|(arm, span)| f64::from(span.first.saturating_sub(begin(*arm))))
                            .collect(),
                    );
                    lasts.push(
                        runs.iter()
                            .map(|(arm, span)| {
                                f64::from((span.first + span.count).saturating_sub(begin(*arm)))
                            })
                            .collect(),
                    );
                }
                push_rows(mechanism(), at, ats, is_nested, data);
                for (name, rows) in [(kind, kinds), (first, firsts), (last, lasts)] {
                    push_rows(mechanism(), name, rows, true, data);
                }
            }
        }
    }
}

/// The first member of the group that an arm of a loop goes through, in an instance.
fn first_of_arm(module: &Module<'_>, key: Loop, arm: u32, instance: usize) -> Option<u32> {
    let Loop::Run { offsets, runs, .. } = key else {
        return None;
    };
    let key = Loop::Run {
        offsets,
        runs,
        arm: arm as usize,
    };
    let group = module.group_of(key)?;
    module
        .places
        .spans(module.number, group)
        .get(instance)
        .map(|span| span.first)
}

/// One count, or where the members of each host begin and the last ones end.
fn row(counts: impl Iterator<Item = u32>, is_nested: bool) -> Vec<f64> {
    if !is_nested {
        return vec![f64::from(counts.sum::<u32>())];
    }
    let mut ends = vec![0.0];
    let mut end = 0;
    for count in counts {
        end += count;
        ends.push(f64::from(end));
    }
    ends
}

fn push_rows(mechanism: String, name: &str, rows: Vec<Vec<f64>>, is_array: bool, data: &mut Data) {
    let counts = is_array.then(|| rows.iter().map(|row| narrow(row.len())).collect());
    data.give(
        mechanism,
        name,
        counts,
        rows.into_iter().flatten().collect(),
    );
}

fn values_of_others(module: &Module<'_>, modules: &[Module<'_>], memory: &[f64], data: &mut Data) {
    let places = module.places;
    for (key, read) in &module.foreign.reads {
        match read {
            Read::Literal(_) => {}
            Read::Values { name, group, slots } => {
                let value = |member: u32| {
                    let slot = slots.get(member as usize).copied().unwrap_or(0);
                    memory.get(slot as usize).copied().unwrap_or(0.0)
                };
                give(module, *group, name, &value, data);
            }
            Read::Pointers {
                names,
                group,
                slots,
            } => {
                for (instance, span) in places.spans(module.number, *group).iter().enumerate() {
                    for (number, name) in names.iter().enumerate() {
                        // A pointer that an instance has no use for points where the first one does.
                        let number = narrow(number);
                        let member = span.first + if number < span.count { number } else { 0 };
                        let index = match key {
                            Key::Slot(_) => 0,
                            Key::Table(_) => member as usize,
                        };
                        let slot = slots.get(index).or(slots.first()).copied().unwrap_or(0);
                        let target = places.member(slot).and_then(|(group, member)| {
                            let at = places.locate(group, member)?;
                            let other = modules.get(at.mechanism)?;
                            let column = places.column(slot)?;
                            let variable = other.variables.get(&column.first)?;
                            let place = places.is_attached(group).then_some(at.index);
                            Some((
                                other.name.clone(),
                                variable.name.clone(),
                                at.instance,
                                place,
                            ))
                        });
                        if let Some((other, variable, target, place)) = target {
                            data.pointers.push(Pointer {
                                mechanism: module.name.clone(),
                                pointer: name.clone(),
                                instance: narrow(instance),
                                other,
                                variable,
                                target,
                                place,
                            });
                        }
                    }
                }
            }
        }
    }
}

/// The ports that others hear: the number of the port in the driver, and the place of each source there.
fn port_data(ports: &Ports, modules: &[Module<'_>], data: &mut Data) -> HashMap<u32, (usize, u32)> {
    let mut found = HashMap::new();
    for port in ports.all() {
        for module in modules {
            let Some(counter) = module.counters.get(&port.first) else {
                continue;
            };
            let attached = module.places.is_attached(port.group);
            let spans = module.places.spans(module.number, port.group);
            let (mut instances, mut places) = (Vec::new(), Vec::new());
            for (instance, span) in spans.iter().enumerate() {
                for index in 0..span.count {
                    let source = port.first + span.first + index;
                    found.insert(source, (data.ports.len(), narrow(instances.len())));
                    instances.push(narrow(instance));
                    places.push(index);
                }
            }
            data.ports.push(PortData {
                mechanism: module.name.clone(),
                counter: counter.name.clone(),
                own: counter.own,
                instances,
                places: attached.then_some(places),
            });
        }
    }
    found
}

fn connections(
    places: &Places<'_>,
    ports: &Ports,
    modules: &[Module<'_>],
    sources: &HashMap<u32, (usize, u32)>,
    data: &mut Data,
) {
    let mut found: BTreeMap<(usize, u32, usize), Connections> = BTreeMap::new();
    for (source, target) in places.program.routes.all() {
        let Action::Handle { handler, instance } = target.action else {
            continue;
        };
        let Some((port, _)) = ports.of_source(source) else {
            continue;
        };
        if is_inside(port, target) || !does_something(places.program, target) {
            continue;
        }
        let Some((number, member)) = sources.get(&source).copied() else {
            continue;
        };
        let at = places
            .groups
            .of_handler(handler)
            .and_then(|group| places.locate(group, instance));
        let Some(at) = at else { continue };
        let Some(module) = modules.get(at.mechanism) else {
            continue;
        };
        let key = (number, handler, at.mechanism);
        let connections = found.entry(key).or_insert_with(|| Connections {
            port: number,
            handler,
            mechanism: module.name.clone(),
            ..Connections::default()
        });
        connections.members.push(member);
        connections.instances.push(at.instance);
        connections.places.push(at.index);
        connections.delays.push(target.delay.max(0.0));
    }
    data.connections.extend(found.into_values());
}

fn recordings(job: &Job<'_>, places: &Places<'_>, modules: &[Module<'_>], data: &mut Data) {
    for file in &job.data_files {
        let columns = file.columns.iter().map(|quantity| {
            let along = |cable: usize, node: usize| {
                let cable = places.program.cables.get(cable);
                let places = cable.map(|cable| branches(cable).1).unwrap_or_default();
                places.get(node).copied().unwrap_or_default()
            };
            let range = |cable: usize, node: usize, terms: Vec<(String, f64)>| Column::Range {
                cable,
                place: along(cable, node),
                terms,
                scale: quantity.scale,
            };
            let slot = match &quantity.value {
                Recorded::Constant(value) => {
                    return Column::Constant {
                        value: *value,
                        scale: quantity.scale,
                    };
                }
                Recorded::Potential { cable, node } => {
                    return range(*cable, *node, vec![("v".to_owned(), 0.001)]);
                }
                Recorded::Ranges { cable, node, terms } => {
                    return range(*cable, *node, terms.clone());
                }
                Recorded::Slot(slot) => *slot,
            };
            let variable = places
                .column(slot)
                .filter(|column| column.written)
                .and_then(|column| {
                    let (group, member) = places.member(slot)?;
                    let at = places.locate(group, member)?;
                    let module = modules.get(at.mechanism)?;
                    let variable = module.variables.get(&column.first)?;
                    Some(Column::Variable {
                        mechanism: module.name.clone(),
                        variable: variable.name.clone(),
                        instance: at.instance,
                        place: places.is_attached(group).then_some(at.index),
                        scale: quantity.scale,
                    })
                });
            let value = job.start.memory.get(slot as usize).copied().unwrap_or(0.0);
            variable.unwrap_or(Column::Constant {
                value,
                scale: quantity.scale,
            })
        });
        data.data_files.push((file.path.clone(), columns.collect()));
    }
}

fn selections(
    job: &Job<'_>,
    places: &Places<'_>,
    ports: &Ports,
    numbers: &HashMap<u32, (usize, u32)>,
    data: &mut Data,
) {
    let mut sources: BTreeMap<u32, u32> = BTreeMap::new();
    for (source, target) in places.program.routes.all() {
        if let Action::Record { selection } = target.action {
            sources.insert(selection, source);
        }
    }
    let mut number = 0;
    for file in &job.event_files {
        let mut own = Vec::new();
        for id in &file.ids {
            let source = sources.get(&number).copied();
            let port = source.and_then(|source| ports.of_source(source));
            let place = source.and_then(|source| numbers.get(&source).copied());
            let rank = port.map_or(0, |(port, member)| rank(places, port.group, member));
            own.push(Selection {
                id: id.clone(),
                port: place,
                rank,
            });
            number += 1;
        }
        data.event_files.push((file.path.clone(), file.order, own));
    }
}

/// When in a step an instance comes, for the order of events in a file.
fn rank(places: &Places<'_>, group: usize, member: u32) -> u64 {
    let Some(at) = places.locate(group, member) else {
        return 0;
    };
    let root = places
        .mechanisms
        .get(at.mechanism)
        .and_then(|of| of.groups.first());
    let parts = root
        .and_then(|root| places.groups.all.get(*root))
        .map(|group| &group.parts);
    let scheduled = places
        .program
        .schedule
        .iter()
        .position(|scheduled| match scheduled {
            Scheduled::Call(call) => {
                parts.is_some_and(|parts| parts.contains(&Part::Kernel(call.kernel)))
                    && (call.first..call.last).contains(&at.instance)
            }
            Scheduled::Midway(_) | Scheduled::Solve(..) => false,
        });
    (scheduled.map_or(0, |scheduled| scheduled as u64 + 1) << 32) + u64::from(at.instance)
}
