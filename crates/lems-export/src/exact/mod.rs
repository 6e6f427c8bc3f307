//! The kernels of a program as mechanisms of NEURON, in SI units and jLEMS's order of operations.

mod data;
mod foreign;
mod helpers;
mod mechanism;
mod module_text;
mod populations;
mod ports;
mod print;
mod scope;

use std::collections::HashMap;

use lems_ir::{Program, Scheduled};

use crate::driver::{self, Builder};
use crate::error::ExportError;
use crate::groups::Part;
use crate::job::{Density, File, Job};
use crate::names::{self, identifier};
use crate::places::Places;
use crate::template;
use foreign::Read;
use mechanism::Module;
use module_text::module_text;
use ports::Ports;

/// The program as NEURON delivers events from one instance to another: without a delay at the start of
/// the next step, otherwise after the delay in whole steps. `columns` are
/// the first slots of its columns and their names, `step` is the length of a step in seconds.
///
/// # Errors
/// Those of [`exact`] that are about attachments.
pub fn late_events(
    program: &Program,
    columns: &[(u32, String)],
    step: f64,
) -> Result<Program, ExportError> {
    let places = Places::of(program, columns)?;
    let ports = Ports::of(&places);
    Ok(ports::late(program, &ports, step))
}

/// A run as NMODL files, one for each kind of instance, and a Python file that runs them in NEURON.
///
/// NEURON then computes the numbers of the program that [`late_events`] gives, which should be the
/// program of the job.
///
/// # Errors
/// What NEURON cannot compute in the same way.
pub fn exact(job: &Job<'_>) -> Result<Vec<File>, ExportError> {
    match job.program.cables.is_empty() {
        true => neuron(job),
        false => Err(ExportError::Cables),
    }
}

/// The same, with cells with dendrites as sections of NEURON, whose potentials NEURON computes.
///
/// # Errors
/// What NEURON cannot compute in the same way.
pub fn neuron(job: &Job<'_>) -> Result<Vec<File>, ExportError> {
    built_by(Builder::Neuron, job)
}

/// The same mechanisms, with a Python file that builds and runs the network in NetPyNE.
///
/// # Errors
/// What NEURON cannot compute in the same way.
pub fn netpyne(job: &Job<'_>) -> Result<Vec<File>, ExportError> {
    built_by(Builder::Netpyne, job)
}

fn built_by(builder: Builder, job: &Job<'_>) -> Result<Vec<File>, ExportError> {
    let places = Places::of(job.program, job.columns)?;
    let ports = Ports::of(&places);
    let names = mechanism_names(&places, &job.densities);
    let mut modules = Vec::new();
    for (number, name) in names.into_iter().enumerate() {
        modules.push(Module::new(
            &places,
            &ports,
            number,
            name,
            &job.start.memory,
        )?);
    }
    check_order(&places, &modules)?;
    // A text for each mechanism, and those that all exports share if they are needed.
    let mut files = Vec::new();
    let mut drawing = Vec::new();
    for module in &modules {
        let (text, draws) = module_text(module, job.step);
        drawing.extend(draws.then_some(module));
        files.push(File {
            name: format!("{}.mod", module.name),
            text,
        });
    }
    check_draws(&places, &drawing)?;
    if modules
        .iter()
        .any(|module| module.counters.values().any(|counter| !counter.own))
    {
        let text = include_str!("event_port.mod").to_owned();
        files.push(File {
            name: "EventPort.mod".to_owned(),
            text,
        });
    }
    if !drawing.is_empty() {
        let text = include_str!("generator.mod").to_owned();
        files.push(File {
            name: "Generator.mod".to_owned(),
            text,
        });
    }
    let mut data = data::of(job, &places, &ports, &modules);
    data.populations = populations::of(job, &places, &modules, &data);
    // A membrane all of whose currents are those of density mechanisms needs no mechanism besides.
    let idle: Vec<String> = (data.membranes.iter())
        .filter(|of| !of.used.is_empty() && !of.used.contains(&true))
        .map(|of| format!("{}.mod", of.mechanism))
        .collect();
    files.retain(|file| !idle.contains(&file.name));
    files.extend(job.densities.iter().map(|density| File {
        name: format!("{}.mod", density.name),
        text: density.text.clone(),
    }));
    if !job.densities.is_empty() {
        files.extend(template::files(job));
    }
    if !drawing.is_empty() {
        data.generator = Some(job.start.random.state());
        data.drawing = drawing.iter().map(|module| module.name.clone()).collect();
    }
    files.push(driver::file(job, &data, builder));
    Ok(files)
}

/// Checks that NEURON computes mechanisms that draw random numbers in the order of the schedule.
fn check_draws(places: &Places<'_>, drawing: &[&Module<'_>]) -> Result<(), ExportError> {
    let mut last: Option<(&Module<'_>, u32)> = None;
    for call in places.program.calls() {
        let is_of = |module: &&&Module<'_>| module.parts().contains(&Part::Kernel(call.kernel));
        let Some(module) = drawing.iter().find(is_of) else {
            continue;
        };
        if let Some((before, end)) = last
            && (before.name.as_str(), end) > (module.name.as_str(), call.first)
        {
            let (first, second) = (before.name.clone(), module.name.clone());
            return Err(ExportError::SharedGenerator { first, second });
        }
        last = Some((module, call.last));
    }
    Ok(())
}

/// Names for all mechanisms. If one reads another, or several draw random numbers, they are numbered,
/// because NEURON computes mechanisms in the order of their names.
fn mechanism_names(places: &Places<'_>, densities: &[Density]) -> Vec<String> {
    let is_ordered = lems_ir::statements(places.program.kernels.iter().map(|kernel| &kernel.body))
        .any(|statement| {
            matches!(
                statement,
                lems_ir::Statement::Let(
                    _,
                    lems_ir::Operation::Load(
                        lems_ir::Place::Slot(_) | lems_ir::Place::Linked { .. }
                    )
                )
            )
        });
    let draws = places.program.kernels.iter().filter(|kernel| {
        let mut inside = lems_ir::statements([&kernel.body]);
        inside.any(|statement| {
            matches!(
                statement,
                lems_ir::Statement::Let(_, lems_ir::Operation::Random(_))
            )
        })
    });
    let is_numbered = (is_ordered || draws.count() > 1) && places.mechanisms.len() > 1;
    let first_stage = |mechanism: usize| {
        let of = places.mechanisms.get(mechanism);
        let root = of.and_then(|of| of.groups.first());
        let group = root.and_then(|root| places.groups.all.get(*root));
        let schedule = places.program.schedule.iter();
        schedule.enumerate().find_map(|(number, scheduled)| {
            let kernel = Part::Kernel(scheduled.call()?.kernel);
            group
                .filter(|group| group.parts.contains(&kernel))
                .map(|_| number)
        })
    };
    let mut order: Vec<(usize, usize)> = (0..places.mechanisms.len())
        .map(|mechanism| (first_stage(mechanism).unwrap_or(usize::MAX), mechanism))
        .collect();
    order.sort();
    let mut ranks = vec![0; order.len()];
    for (rank, (_, mechanism)) in order.iter().enumerate() {
        if let Some(entry) = ranks.get_mut(*mechanism) {
            *entry = rank;
        }
    }
    let densities = densities.iter();
    let mut taken: HashMap<String, u32> = densities.map(|of| (of.name.to_lowercase(), 1)).collect();
    let mut names = Vec::new();
    for (of, rank) in places.mechanisms.iter().zip(ranks) {
        let root = of
            .groups
            .first()
            .map(|root| places.name_of(*root))
            .unwrap_or_default();
        let name = match is_numbered {
            true => format!("m{rank:03}_{}", identifier(&root)),
            false => names::mechanism_name(&root),
        };
        // A file system may not tell small letters from capital ones.
        let count = taken.entry(name.to_lowercase()).or_insert(0);
        *count += 1;
        names.push(match *count {
            1 => name,
            more => format!("{name}_{more}"),
        });
    }
    names
}

/// Checks that NEURON computes an instance after those that it reads as of this step, and before those
/// that it reads as of the step before.
fn check_order(places: &Places<'_>, modules: &[Module<'_>]) -> Result<(), ExportError> {
    let mut sorted: Vec<(&str, usize)> = modules
        .iter()
        .map(|module| (module.name.as_str(), module.number))
        .collect();
    sorted.sort_unstable();
    let rank = |mechanism: usize| sorted.iter().position(|(_, number)| *number == mechanism);
    let scheduled = |group: usize, member: u32| {
        let of = places.groups.all.get(group)?;
        places
            .program
            .schedule
            .iter()
            .position(|scheduled| match scheduled {
                Scheduled::Call(call) => {
                    of.parts.contains(&Part::Kernel(call.kernel))
                        && (call.first..call.last).contains(&member)
                }
                Scheduled::Midway(_) | Scheduled::Solve(..) => false,
            })
    };
    for module in modules {
        let own_root = places
            .mechanisms
            .get(module.number)
            .and_then(|of| of.groups.first())
            .copied();
        for (reader, slot) in module
            .foreign
            .reads
            .values()
            .flat_map(|read| pairs(read, module))
        {
            let Some((group, member)) = places.member(slot) else {
                continue;
            };
            let Some(other) = places.locate(group, member) else {
                continue;
            };
            let (Some(own_root), Some(other_root)) = (
                own_root,
                places
                    .mechanisms
                    .get(other.mechanism)
                    .and_then(|of| of.groups.first()),
            ) else {
                continue;
            };
            let own = (scheduled(own_root, reader), reader);
            let read = (scheduled(*other_root, other.instance), other.instance);
            // Pieces of membrane read one another between the parts of a step.
            if module.membrane.is_some() {
                continue;
            }
            let in_neuron =
                (rank(other.mechanism), other.instance).cmp(&(rank(module.number), reader));
            if own.0.is_some() && read.0.is_some() && read.cmp(&own) != in_neuron {
                return Err(ExportError::Order {
                    reader: places.name_of(own_root),
                    read: places.name_of(*other_root),
                });
            }
        }
    }
    Ok(())
}

/// Instances of the mechanism, and the slots that they point to.
fn pairs(read: &Read, module: &Module<'_>) -> Vec<(u32, u32)> {
    let Read::Pointers { group, slots, .. } = read else {
        return Vec::new();
    };
    let spans = module
        .places
        .spans(module.number, *group)
        .iter()
        .enumerate();
    let shared = slots.len() == 1 && spans.len() > 1;
    spans
        .flat_map(|(instance, span)| {
            (span.first..span.first + span.count).map(move |member| (instance, member))
        })
        .filter_map(|(instance, member)| {
            let slot = slots.get(if shared { 0 } else { member as usize })?;
            Some((lems_index::narrow(instance), *slot))
        })
        .collect()
}
