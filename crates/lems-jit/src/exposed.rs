//! Which instances an event can take back to where they were before their step.

use std::ops::Range;

use lems_kernel::{Action, Block, Call, Independence, Level, Program, Statement};

/// Instances that lie so close together are saved with all between them.
const SMALLEST_GAP: u32 = 4;
/// To save all costs as much as to save every so manieth.
const COST_OF_ONE: usize = 12;

/// Ranges of instances of a kernel, in order, with at least all that an event of an instance before
/// them in the same round can reach. `round` is the number of instances in the rounds of a call.
pub(crate) fn exposed(
    program: &Program,
    number: u32,
    independence: &Independence,
    round: impl Fn(Call) -> u32,
) -> Vec<Range<u32>> {
    let population = program.population(number);
    if !independence.interferes() {
        return Vec::new();
    }
    let all = || std::iter::once(0..population).collect();
    let Some(ports) = own_ports(program, number) else {
        return all();
    };
    let sends: Vec<bool> = (program.handlers.iter())
        .map(|handler| !events(&handler.body).is_empty())
        .collect();
    let mut is_exposed = vec![false; population as usize];
    for call in (program.schedule.iter()).filter(|call| call.kernel == number) {
        let round = round(*call).max(1);
        for first in (call.first..call.last).step_by(round as usize) {
            let last = first.saturating_add(round).min(call.last);
            for instance in first..last {
                for (handler, receiver) in receivers(program, &ports, instance) {
                    // Where its own events go is not followed.
                    if sends.get(handler) != Some(&false) {
                        return all();
                    }
                    let owners = independence.owners.get(handler);
                    let owner = owners.and_then(|owners| owners.get(receiver)).copied();
                    if let Some(owner) = owner
                        && instance < owner
                        && owner < last
                    {
                        is_exposed[owner as usize] = true;
                    }
                }
            }
        }
    }
    let ranges = ranges(&is_exposed);
    match ranges.len() * COST_OF_ONE < population as usize {
        true => ranges,
        false => all(),
    }
}

/// The parts of ordered ranges that lie in a range.
pub(crate) fn parts_within(
    ranges: &[Range<u32>],
    within: Range<u32>,
) -> impl Iterator<Item = Range<u32>> {
    let first = ranges.partition_point(|range| range.end <= within.start);
    (ranges.get(first..).unwrap_or_default().iter())
        .take_while(move |range| range.start < within.end)
        .map(move |range| range.start.max(within.start)..range.end.min(within.end))
}

/// The ports that a kernel sends events through; `None` if attached instances send some, too.
fn own_ports(program: &Program, number: u32) -> Option<Vec<u32>> {
    let kernel = program.kernels.get(number as usize)?;
    (events(&kernel.body).into_iter())
        .map(|(port, level)| (level == Level(0)).then_some(port))
        .collect()
}

/// Port and level of all events in a block.
fn events(block: &Block) -> Vec<(u32, Level)> {
    let mut events = Vec::new();
    let mut unread = vec![block];
    while let Some(block) = unread.pop() {
        for statement in block {
            if let Statement::Emit { port, level } = statement {
                events.push((*port, *level));
            }
            unread.extend(statement.nested());
        }
    }
    events
}

/// Handlers, and the instances, that get events of an instance at once.
fn receivers(
    program: &Program,
    ports: &[u32],
    instance: u32,
) -> impl Iterator<Item = (usize, usize)> {
    (ports.iter())
        .flat_map(move |port| program.routes.targets(port.saturating_add(instance)))
        .filter(|target| target.delay <= 0.0)
        .filter_map(|target| match target.action {
            Action::Handle { handler, instance } => Some((handler as usize, instance as usize)),
            Action::Record { .. } => None,
        })
}

/// Ranges around all that are exposed.
fn ranges(is_exposed: &[bool]) -> Vec<Range<u32>> {
    let mut ranges: Vec<Range<u32>> = Vec::new();
    for (instance, _) in (0..).zip(is_exposed).filter(|(_, exposed)| **exposed) {
        match ranges.last_mut() {
            Some(last) if instance < last.end + SMALLEST_GAP => last.end = instance + 1,
            _ => ranges.push(instance..instance + 1),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_range() {
        let at = |places: &[usize]| {
            let mut is_exposed = [false; 30];
            places.iter().for_each(|place| is_exposed[*place] = true);
            ranges(&is_exposed)
        };
        assert_eq!(at(&[]), []);
        assert_eq!(at(&[0, 1, 4, 20, 29]), [0..5, 20..21, 29..30]);
    }

    #[test]
    fn parts_of_ranges_are_cut() {
        let ranges = [2..5, 8..9, 10..20];
        let within = |range| parts_within(&ranges, range).collect::<Vec<_>>();
        assert_eq!(within(0..30), ranges);
        assert_eq!(within(3..12), [3..5, 8..9, 10..12]);
        assert_eq!(within(5..8), []);
        assert_eq!(within(4..9), [4..5, 8..9]);
        assert_eq!(within(20..30), []);
    }
}
