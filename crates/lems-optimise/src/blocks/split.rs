//! From straight-line code to parts that a block of instances passes through.
//!
//! Every statement belongs to a slot: three for each phase, one for code in lanes, one for loops,
//! one for functions of whole buffers. Functions and loops come as early as what they need
//! allows, all else as late as what needs it allows, so that few values cross between parts. What
//! must keep to the order of the instances is one loop, with all that lies between.

use lems_index::narrow;
use std::collections::{HashMap, HashSet};

use super::units::{Emits, KINDS, Kind, Unit, is_free, units, with_one_in_turn};
use super::{BlockKernel, InTurn, Part, Piece};
use lems_ir::{Function, Kernel, Operation, Place, Register, Statement};

/// The parts of a flat kernel, and the buffers in which `results` are after the last of them.
pub(super) fn split(
    kernel: &Kernel,
    in_turn: &InTurn,
    results: &[Register],
) -> Option<(BlockKernel, Vec<u32>)> {
    let (units, emits) = units(&kernel.body, in_turn)?;
    let mut units = with_one_in_turn(units);
    let conditions = emits.iter().filter_map(|(condition, _)| *condition);
    let wanted: HashSet<Register> = conditions.chain(results.iter().copied()).collect();
    as_early_as_possible(&mut units);
    as_late_as_possible(&mut units, wanted.clone());
    let mut layout = Layout::new(&units, wanted);
    layout.parts(&units, &emits);
    let buffers = (results.iter())
        .map(|register| layout.buffer_of.get(register).copied())
        .collect::<Option<_>>()?;
    let kernel = BlockKernel {
        name: kernel.name.clone(),
        registers: kernel.registers.clone(),
        buffers: layout.buffers,
        parts: layout.parts,
    };
    Some((kernel, buffers))
}

fn as_early_as_possible(units: &mut [Unit]) {
    for index in 0..units.len() {
        let (before, [unit, ..]) = units.split_at_mut(index) else {
            return;
        };
        for other in before.iter() {
            if unit.depends_on(other) {
                unit.slot = unit.slot.max(unit.after(other));
            }
        }
    }
}

fn as_late_as_possible(units: &mut Vec<Unit>, mut wanted: HashSet<Register>) {
    let last = units.iter().map(Unit::lanes_before).max().unwrap_or(0);
    let mut kept = Vec::new();
    while let Some(mut unit) = units.pop() {
        let idle = unit.stores.is_empty() && !unit.writes.iter().any(|r| wanted.contains(r));
        if idle {
            continue;
        }
        if unit.kind == Kind::Lanes {
            let needed_by = |later: &&Unit| later.reads_of(&unit) || unit.conflicts(later);
            let limit = kept.iter().filter(needed_by).map(Unit::lanes_before).min();
            unit.slot = unit.slot.max(limit.unwrap_or(last));
        }
        wanted.extend(unit.reads.iter().copied());
        kept.push(unit);
    }
    kept.reverse();
    *units = kept;
}

/// Gives values their buffers and makes the parts.
struct Layout {
    parts: Vec<Part>,
    buffers: u32,
    /// Where the values are that cross between parts.
    buffer_of: HashMap<Register, u32>,
    /// Unit that assigns each register.
    source: HashMap<Register, usize>,
    /// Registers that some part must put into their buffer.
    crossing: HashSet<Register>,
}

/// A function and the registers with its arguments and results.
type Row = (Vec<Register>, Vec<Register>);

impl Layout {
    fn new(units: &[Unit], crossing: HashSet<Register>) -> Layout {
        let mut source = HashMap::new();
        for (index, unit) in units.iter().enumerate() {
            source.extend(unit.writes.iter().map(|register| (*register, index)));
        }
        Layout {
            parts: Vec::new(),
            buffers: 0,
            buffer_of: HashMap::new(),
            source,
            crossing,
        }
    }

    fn reserve(&mut self, count: usize) -> u32 {
        let first = self.buffers;
        self.buffers += narrow(count);
        first
    }

    fn parts(&mut self, units: &[Unit], emits: &Emits) {
        let slots = units.iter().map(|unit| unit.slot + 1).max().unwrap_or(0);
        let in_slot = |slot: u32| units.iter().filter(move |unit| unit.slot == slot);
        for slot in 0..slots {
            let buffers = slot / KINDS * KINDS + Kind::Buffers as u32;
            let arguments = in_slot(buffers).flat_map(|unit| &unit.reads);
            let reads = in_slot(slot).flat_map(|unit| &unit.reads);
            match slot % KINDS {
                0 => reads
                    .chain(arguments)
                    .for_each(|r| self.cross(units, slot, *r)),
                1 => reads.for_each(|r| self.cross(units, slot, *r)),
                _ => {}
            }
        }
        for phase in 0..slots.div_ceil(KINDS) {
            let rows = in_slot(phase * KINDS + Kind::Buffers as u32).collect::<Vec<_>>();
            let (calls, arguments) = self.rows(&rows);
            for kind in [Kind::Lanes, Kind::Each] {
                let slot = phase * KINDS + kind as u32;
                let arguments = if kind == Kind::Lanes {
                    arguments.as_slice()
                } else {
                    &[]
                };
                let piece = self.piece(units, slot, arguments);
                if piece.has_effect() {
                    self.parts.push(match kind {
                        Kind::Lanes => Part::Lanes(piece),
                        _ => Part::Each(piece),
                    });
                }
            }
            self.parts.extend(calls);
        }
        if !emits.is_empty() {
            let conditions = emits.iter().map(|(condition, port)| {
                let buffer = condition.and_then(|c| self.buffer_of.get(&c).copied());
                (buffer, *port)
            });
            self.parts.push(Part::Emit(conditions.collect()));
        }
    }

    /// Notes that a register is read in a slot.
    fn cross(&mut self, units: &[Unit], slot: u32, register: Register) {
        let Some(&source) = self.source.get(&register) else {
            return;
        };
        let unit = &units[source];
        if unit.slot != slot && !can_repeat(units, source, slot) && unit.kind != Kind::Buffers {
            self.crossing.insert(register);
        }
    }

    /// The calls of a phase, and what its code in lanes must put where for them.
    fn rows(&mut self, units: &[&Unit]) -> (Vec<Part>, Vec<(Register, u32)>) {
        let mut parts = Vec::new();
        let mut arguments = Vec::new();
        let mut functions: Vec<(Function, Row)> = Vec::new();
        let mut powers: (Row, Vec<Register>) = Default::default();
        for unit in units {
            match unit.statements.first() {
                Some(Statement::Let(result, Operation::Call(function, argument))) => {
                    let known = functions.iter().position(|(known, _)| known == function);
                    let index = known.unwrap_or_else(|| {
                        functions.push((*function, Row::default()));
                        functions.len() - 1
                    });
                    functions[index].1.0.push(*argument);
                    functions[index].1.1.push(*result);
                }
                Some(Statement::Let(result, Operation::Binary(_, base, exponent))) => {
                    powers.0.0.push(*base);
                    powers.0.1.push(*result);
                    powers.1.push(*exponent);
                }
                Some(Statement::Propagate {
                    scheme,
                    occupancies,
                    rates,
                    results,
                }) => {
                    let first = self.row(occupancies, results, &mut arguments);
                    let rates: Vec<Register> = rates
                        .iter()
                        .flat_map(|(forward, reverse)| [*forward, *reverse])
                        .collect();
                    let rates = self.row(&rates, &[], &mut arguments);
                    parts.push(Part::Propagate {
                        scheme: *scheme,
                        occupancies: first,
                        states: narrow(occupancies.len()),
                        rates,
                    });
                }
                _ => {}
            }
        }
        for (function, (inputs, results)) in functions {
            let first = self.row(&inputs, &results, &mut arguments);
            parts.push(Part::Call {
                function,
                first,
                count: narrow(inputs.len()),
            });
        }
        let ((bases, results), exponents) = powers;
        if !bases.is_empty() {
            let first = self.row(&bases, &results, &mut arguments);
            parts.push(Part::Power {
                bases: first,
                exponents: self.row(&exponents, &[], &mut arguments),
                count: narrow(bases.len()),
            });
        }
        (parts, arguments)
    }

    /// Successive buffers for arguments, which hold the results afterwards.
    fn row(
        &mut self,
        inputs: &[Register],
        results: &[Register],
        arguments: &mut Vec<(Register, u32)>,
    ) -> u32 {
        let first = self.reserve(inputs.len());
        arguments.extend(inputs.iter().copied().zip(first..));
        self.buffer_of.extend(results.iter().copied().zip(first..));
        first
    }

    fn piece(&mut self, units: &[Unit], slot: u32, arguments: &[(Register, u32)]) -> Piece {
        let here: Vec<&Unit> = units.iter().filter(|unit| unit.slot == slot).collect();
        let mut piece = Piece::default();
        let mut present: HashSet<Register> = HashSet::new();
        let own: HashSet<Register> = here.iter().flat_map(|unit| &unit.writes).copied().collect();
        let reads = here.iter().flat_map(|unit| &unit.reads).copied();
        for register in reads.chain(arguments.iter().map(|(register, _)| *register)) {
            if own.contains(&register) || !present.insert(register) {
                continue;
            }
            match (self.source.get(&register), self.buffer_of.get(&register)) {
                (Some(&source), _) if can_repeat(units, source, slot) => {
                    piece.body.extend(units[source].statements.iter().cloned());
                }
                (_, Some(&buffer)) => piece.inputs.push((register, buffer)),
                _ => {}
            }
        }
        for unit in here {
            piece.body.extend(unit.statements.iter().cloned());
            for register in &unit.writes {
                if self.crossing.contains(register) {
                    let buffer = self.reserve(1);
                    self.buffer_of.insert(*register, buffer);
                    piece.outputs.push((*register, buffer));
                }
            }
        }
        piece.outputs.extend_from_slice(arguments);
        piece
    }
}

/// Whether a value can be made again in a later slot: a constant, or a variable that nothing has
/// stored by then.
fn can_repeat(units: &[Unit], source: usize, slot: u32) -> bool {
    match units[source].operation() {
        Some(Operation::Load(Place::Column { base, .. })) => {
            !(units.iter()).any(|unit| unit.slot < slot && unit.stores.contains(base))
        }
        Some(Operation::Load(_)) => true,
        Some(operation) => is_free(operation),
        None => false,
    }
}
