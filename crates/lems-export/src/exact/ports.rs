//! Where events leave a mechanism, and which of them stay inside an instance.

use std::collections::HashMap;

use lems_ir::{Action, Program, Routes, Target};

use crate::places::Places;

/// A port of a group: one source of events for each member.
#[derive(Debug, Clone)]
pub(super) struct Port {
    /// The source of the first member.
    pub first: u32,
    pub group: usize,
    /// Handlers that every member runs for itself at once.
    pub inside: Vec<u32>,
    /// Whether others hear the events, or something records them.
    pub outside: bool,
}

/// All ports of a program, in the order of their sources.
#[derive(Debug)]
pub(super) struct Ports(Vec<Port>);

impl Ports {
    pub fn of(places: &Places<'_>) -> Ports {
        let groups = places.groups.all.iter().enumerate();
        let mut ports: Vec<Port> = groups
            .flat_map(|(group, of)| of.ports.iter().map(move |first| (*first, group)))
            .map(|(first, group)| Port {
                first,
                group,
                inside: Vec::new(),
                outside: false,
            })
            .collect();
        ports.sort_by_key(|port| port.first);
        let ends: Vec<u32> = ports
            .iter()
            .skip(1)
            .map(|port| port.first)
            .chain([places.program.routes.sources()])
            .collect();
        for (port, end) in ports.iter_mut().zip(ends) {
            port.inside = inside(places, port, end);
            let own = |target: &Target| is_inside(port, *target);
            let targets =
                (port.first..end).flat_map(|source| places.program.routes.targets(source));
            port.outside = targets
                .filter(|target| does_something(places.program, *target))
                .any(|target| !own(&target));
        }
        Ports(ports)
    }

    /// The port that a source is of, and the member.
    pub fn of_source(&self, source: u32) -> Option<(&Port, u32)> {
        let after = self.0.partition_point(|port| port.first <= source);
        let port = self.0.get(after.checked_sub(1)?)?;
        Some((port, source - port.first))
    }

    pub fn get(&self, first: u32) -> Option<&Port> {
        self.0.iter().find(|port| port.first == first)
    }

    pub fn all(&self) -> &[Port] {
        &self.0
    }
}

/// Whether a target gets the events of a port inside the instance, at once.
pub(super) fn is_inside(port: &Port, target: Target) -> bool {
    match target.action {
        Action::Handle { handler, .. } => target.delay <= 0.0 && port.inside.contains(&handler),
        Action::Record { .. } => false,
    }
}

/// Whether anything follows of an event at a target.
pub(super) fn does_something(program: &Program, target: Target) -> bool {
    match target.action {
        Action::Handle { handler, .. } => {
            let handler = program.handlers.get(handler as usize);
            handler.is_some_and(|kernel| !kernel.body.is_empty())
        }
        Action::Record { .. } => true,
    }
}

/// The handlers that events of a port run only for the member that sends them.
fn inside(places: &Places<'_>, port: &Port, end: u32) -> Vec<u32> {
    let mut counts: HashMap<u32, (u32, bool)> = HashMap::new();
    let mut order = Vec::new();
    for source in port.first..end {
        for target in places.program.routes.targets(source) {
            let Action::Handle { handler, instance } = target.action else {
                continue;
            };
            if !counts.contains_key(&handler) {
                order.push(handler);
            }
            let is_own = instance == source - port.first && target.delay <= 0.0;
            let (count, all) = counts.entry(handler).or_insert((0, true));
            *count += 1;
            *all &= is_own;
        }
    }
    order.retain(|handler| {
        let of_group = places.groups.of_handler(*handler) == Some(port.group);
        of_group && counts.get(handler) == Some(&(end - port.first, true))
    });
    order
}

/// The program with delays of whole steps less a half for all events that do not stay inside an
/// instance, as NEURON delivers them. Without the half, what is due at the end of a step would be a
/// matter of rounding.
pub(super) fn late(program: &Program, ports: &Ports, step: f64) -> Program {
    let mut routes: Vec<(u32, Target)> = Vec::new();
    for (source, mut target) in program.routes.all() {
        let port = ports.of_source(source);
        let stays = port.is_some_and(|(port, _)| is_inside(port, target));
        let leaves = !stays && matches!(target.action, Action::Handle { .. });
        if leaves && !program.cables.is_empty() {
            // Such a program delivers what is due in the first half of a step, as NEURON does.
            if target.delay <= 0.0 {
                target.delay = step / 4.0;
            }
        } else if leaves {
            let steps = (target.delay / step - 1e-9).ceil().max(1.0);
            target.delay = (steps - 0.5) * step;
        }
        routes.push((source, target));
    }
    Program {
        routes: Routes::new(program.routes.sources(), &routes),
        ..program.clone()
    }
}
