//! What tells runs apart that go on otherwise: checksums of programs, of parts of them, and of outputs.

use std::fmt::Write;
use std::ops::Range;

use lems_ir::{Action, Program, Target};
use lems_lower::Division;
use lems_output::Checksum;

use crate::Simulation;

impl Simulation {
    /// A checksum of all that the course of the run depends on.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint_of_program() ^ self.run.step.to_bits() ^ self.run.steps
    }

    /// The same without the step.
    pub(crate) fn fingerprint_of_program(&self) -> u64 {
        self.whole.unwrap_or_else(|| {
            let [common, own] = self.checksums();
            common.wrapping_add(own)
        })
    }

    /// Checksums of what all parts of a program have, and of what only this part has. The sum of the first and of the
    /// second ones of all parts is that of the whole.
    pub fn checksums(&self) -> [u64; 2] {
        [common(self), own(self)]
    }
}

pub(crate) fn fingerprint_of_outputs(simulation: &Simulation) -> u64 {
    let mut sum = Checksum::default();
    // Writing to a checksum does not fail.
    for file in &simulation.data_files {
        let _ = writeln!(sum, "{:?}", file.path);
        for column in &file.columns {
            let _ = writeln!(sum, "{:?} {:?}", column.quantity, column.scale);
        }
    }
    let (events, times) = (&simulation.event_files, &simulation.recording.times_file);
    let _ = write!(sum, "{events:?} {times:?}");
    sum.value()
}

/// The checksum of what all parts have.
fn common(simulation: &Simulation) -> u64 {
    let Program {
        kernels,
        setups,
        handlers,
        schedule,
        setup,
        schemes,
        cables,
        clock,
        memory,
        links,
        // Each part has some.
        routes: _,
    } = &*simulation.program;
    let mut sum = Checksum::default();
    let _ = write!(
        sum,
        "{kernels:?} {setups:?} {handlers:?} {schedule:?} {setup:?} {schemes:?} \
         {cables:?} {clock:?} {:?} {} {}",
        simulation.random,
        memory.len(),
        links.len()
    );
    for column in simulation.data_files.iter().flat_map(|file| &file.columns) {
        let _ = write!(sum, "{:?}", column.probe);
    }
    sum.value()
}

/// The checksum of what a part has of links, routes and memory.
fn own(simulation: &Simulation) -> u64 {
    let Program {
        links,
        routes,
        memory,
        ..
    } = &*simulation.program;
    let division = simulation.division.as_ref();
    let mut sum = Sum::default();
    for number in numbers(division.map(|own| &own.links), links.len()) {
        let link = links.get(number as usize).copied().unwrap_or(0);
        sum.add(&[0, number.into(), link.into()]);
    }
    // Runs with and without inlets go on from one another.
    let is_sent = |(source, _): &(u32, Target)| *source < simulation.first_inlet;
    for (source, target) in routes.all().filter(is_sent) {
        let entry = match target.action {
            Action::Handle { handler, instance } => [1, handler, instance, source],
            Action::Record { selection } => [2, selection, 0, source],
        };
        if division.is_none_or(|own| is_own(own, target.action)) {
            let [kind, first, second, source] = entry.map(u64::from);
            sum.add(&[kind, source, first, second, target.delay.to_bits()]);
        }
    }
    for slot in numbers(division.map(|own| &own.slots), memory.len()) {
        let value = memory.get(slot as usize).copied().unwrap_or(0.0);
        sum.add(&[3, slot.into(), value.to_bits()]);
    }
    sum.0
}

/// The numbers in ranges; all up to `length` if there are none.
fn numbers(ranges: Option<&Vec<Range<u32>>>, length: usize) -> impl Iterator<Item = u32> {
    let all = std::iter::once(0..lems_index::narrow(length));
    let ranges = ranges.map_or_else(|| all.collect(), Clone::clone);
    ranges.into_iter().flatten()
}

/// Whether only this part does something when an event arrives.
fn is_own(division: &Division, action: Action) -> bool {
    match action {
        Action::Handle { handler, instance } => {
            let ranges = division.receivers.get(handler as usize);
            ranges.is_some_and(|ranges| {
                // The ranges ascend.
                let after = ranges.partition_point(|range| range.start <= instance);
                let range = after.checked_sub(1).and_then(|place| ranges.get(place));
                range.is_some_and(|range| range.contains(&instance))
            })
        }
        Action::Record { .. } => division.is_first,
    }
}

/// A checksum of entries in any order, so that ranks can add up theirs.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn add(&mut self, entry: &[u64]) {
        let mut mixed: u64 = 0x9e37_79b9_7f4a_7c15;
        for word in entry {
            mixed = (mixed ^ word).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^= mixed >> 32;
        }
        self.0 = self.0.wrapping_add(mixed);
    }
}
