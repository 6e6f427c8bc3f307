//! Solving cables: equal ones side by side, and on several threads.
//!
//! The cables of equal cells differ only in their slots of memory. Eight of them take each step of the
//! elimination together, each in a lane of vector instructions, with the operations and their order as in
//! [`Cable::changes`]; so the results have the same bits.

use std::ops::Range;

use lems_ir::{Cable, CableNode, CableScratch, Membrane, Program, Scheduled, Solver};
use lems_math::vectorised;

use crate::machine::SharedMemory;

/// Cables that are solved side by side.
const LANES: usize = 8;

/// A value for each of the cables that are solved side by side.
type Lanes<T> = [T; LANES];

/// The cables of each entry of the schedule that solves some, in batches.
pub(crate) struct CableBatches(Vec<Batches>);

/// The cables of one entry.
pub(crate) struct Batches {
    range: Range<u32>,
    /// Number of nodes of all of them.
    pub(crate) nodes: usize,
    pub(crate) all: Vec<Batch>,
}

impl CableBatches {
    /// Those of a program.
    pub(crate) fn of(program: &Program) -> CableBatches {
        let mut entries: Vec<Batches> = Vec::new();
        for scheduled in &program.schedule {
            if let Scheduled::Solve(_, range) = scheduled
                && !entries.iter().any(|known| known.range == *range)
            {
                let cables = program.cables_in(range);
                entries.push(Batches {
                    range: range.clone(),
                    nodes: cables.iter().map(|cable| cable.nodes().len()).sum(),
                    all: batches(cables, range.start as usize),
                });
            }
        }
        CableBatches(entries)
    }

    /// The batches of the entry that solves a range of cables.
    pub(crate) fn in_range(&self, range: &Range<u32>) -> Option<&Batches> {
        self.0.iter().find(|known| known.range == *range)
    }
}

/// Cables, in order, the first of which is `number` of the program; equal ones side by side if there are enough in
/// a row.
fn batches(cables: &[Cable], mut number: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut rest = cables;
    while let Some(first) = rest.first() {
        let equals = rest.first_chunk::<LANES>();
        let (batch, taken) = match equals.filter(|equals| equals.iter().all(|c| alike(c, first))) {
            Some(equals) => (Batch::side_by_side(equals), LANES),
            None => (Batch::One(number), 1),
        };
        batches.push(batch);
        rest = &rest[taken..];
        number += taken;
    }
    batches
}

/// Whether two cables differ only in their slots.
fn alike(one: &Cable, other: &Cable) -> bool {
    let same = |(one, other): (&CableNode, &CableNode)| {
        one.parent == other.parent
            && one.conductance.to_bits() == other.conductance.to_bits()
            && one.has_capacitance == other.has_capacitance
            && one.membrane.is_some() == other.membrane.is_some()
    };
    one.rows().len() == other.rows().len() && one.rows().iter().zip(other.rows()).all(same)
}

/// Cables that one thread solves at once.
pub(crate) enum Batch {
    /// One cable, by its number in [`Program::cables`].
    One(usize),
    /// Equal cables, by nodes.
    Equal(Vec<Row>),
}

/// The same node of equal cables.
pub(crate) struct Row {
    parent: Option<usize>,
    conductance: f64,
    has_capacitance: bool,
    /// Slots of the potentials.
    potentials: Lanes<u32>,
    membranes: Option<Membranes>,
}

/// The slots of what kernels compute for a node of equal cables.
struct Membranes {
    rates: Lanes<u32>,
    slopes: Lanes<u32>,
    capacitances: Lanes<u32>,
}

/// Room for the solution of one batch after the other.
#[derive(Default)]
pub(crate) struct BatchScratch {
    one: CableScratch,
    diagonal: Vec<Lanes<f64>>,
    right: Vec<Lanes<f64>>,
}

impl Batch {
    /// Cables that are alike, side by side.
    fn side_by_side(cables: &[Cable; LANES]) -> Batch {
        let row = |(index, node): (usize, &CableNode)| {
            let all = cables.each_ref().map(|cable| cable.rows()[index]);
            let membranes: Vec<Membrane> = all.iter().filter_map(|node| node.membrane).collect();
            // All have one or none has, as they are alike.
            let membranes = membranes.first_chunk::<LANES>();
            Row {
                parent: node.parent.map(|parent| parent as usize),
                conductance: node.conductance,
                has_capacitance: node.has_capacitance,
                potentials: all.map(|node| node.potential),
                membranes: membranes.map(|all| Membranes {
                    rates: all.map(|membrane| membrane.rate),
                    slopes: all.map(|membrane| membrane.slope),
                    capacitances: all.map(|membrane| membrane.capacitance),
                }),
            }
        };
        Batch::Equal(cables[0].rows().iter().enumerate().map(row).collect())
    }

    /// Advances its potentials by a step, in seconds. No other thread uses them meanwhile, as `validate` proved
    /// that they belong to one cable.
    ///
    /// # Panics
    ///
    /// If the program or the memory is another one.
    pub(crate) fn advance(
        &self,
        program: &Program,
        memory: SharedMemory<'_>,
        solver: Solver,
        step: f64,
        scratch: &mut BatchScratch,
    ) {
        match self {
            Batch::One(number) => {
                let cable = &program.cables[*number];
                let value = |slot| memory.value(slot);
                let changes = cable.changes(value, solver, step, &mut scratch.one);
                for (node, change) in cable.rows().iter().zip(changes) {
                    memory.add(node.potential, *change);
                }
            }
            Batch::Equal(rows) => {
                let BatchScratch {
                    diagonal, right, ..
                } = scratch;
                diagonal.clear();
                diagonal.resize(rows.len(), [0.0; LANES]);
                right.clear();
                right.resize(rows.len(), [0.0; LANES]);
                vectorised(|| solve_rows(rows, memory, solver.parts(step), diagonal, right));
                for (row, changes) in rows.iter().zip(right) {
                    for (slot, change) in row.potentials.iter().zip(changes) {
                        memory.add(*slot, *change);
                    }
                }
            }
        }
    }
}

/// What [`Cable::changes`] does, for equal cables side by side. `diagonal` and `right` are zero at the
/// beginning; at the end `right` has the changes. `implicit` is the length of the implicit step, `beyond` how
/// far the potentials go beyond it.
#[inline(always)]
fn solve_rows(
    rows: &[Row],
    memory: SharedMemory<'_>,
    (implicit, beyond): (f64, f64),
    diagonal: &mut [Lanes<f64>],
    right: &mut [Lanes<f64>],
) {
    let rate = 1.0 / implicit;
    // The equations.
    for (index, row) in rows.iter().enumerate() {
        if let Some(membranes) = &row.membranes {
            let capacitances = loaded(memory, &membranes.capacitances);
            let slopes = loaded(memory, &membranes.slopes);
            let rates = loaded(memory, &membranes.rates);
            let (diagonal, right) = (&mut diagonal[index], &mut right[index]);
            if row.has_capacitance {
                for lane in 0..LANES {
                    diagonal[lane] += capacitances[lane] * rate;
                }
            }
            for lane in 0..LANES {
                diagonal[lane] -= capacitances[lane] * slopes[lane];
                right[lane] += capacitances[lane] * rates[lane];
            }
        }
        if let Some(parent) = row.parent {
            let above = loaded(memory, &rows[parent].potentials);
            let own = loaded(memory, &row.potentials);
            for lane in 0..LANES {
                let current = row.conductance * (above[lane] - own[lane]);
                right[index][lane] += current;
                right[parent][lane] -= current;
            }
        }
    }
    // From the leaves to the root.
    for (index, row) in rows.iter().enumerate().rev() {
        let (terms, sides) = (diagonal[index], right[index]);
        let Some(parent) = row.parent else {
            for lane in 0..LANES {
                right[index][lane] = sides[lane] / terms[lane];
            }
            continue;
        };
        for lane in 0..LANES {
            let resistance = 1.0 / (terms[lane] + row.conductance);
            let share = row.conductance * resistance;
            diagonal[parent][lane] += terms[lane] * share;
            right[parent][lane] += sides[lane] * share;
            diagonal[index][lane] = share;
            right[index][lane] = sides[lane] * resistance;
        }
    }
    // From the root to the leaves.
    for (index, row) in rows.iter().enumerate() {
        if let Some(parent) = row.parent {
            let above = right[parent];
            for lane in 0..LANES {
                right[index][lane] += diagonal[index][lane] * above[lane];
            }
        }
    }
    for (row, right) in rows.iter().zip(right) {
        if row.has_capacitance {
            for change in right {
                *change *= beyond;
            }
        }
    }
}

/// The values in some slots of the memory.
#[inline(always)]
fn loaded(memory: SharedMemory<'_>, slots: &Lanes<u32>) -> Lanes<f64> {
    slots.map(|slot| memory.value(slot))
}
