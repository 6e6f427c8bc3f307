//! From straight-line code to parts through which a block of instances passes.
//!
//! Each statement is scheduled in a slot. A phase has three slots: one for code in lanes, one for loops, one
//! for functions of whole buffers. Functions and loops come as early as their operands allow. All else comes
//! as late as its uses allow, so that few values cross between parts. What must keep the order of the
//! instances is one loop, with everything that lies between.

use lems_index::narrow;
use rustc_hash::{FxHashMap, FxHashSet};

use super::flatten;
use super::kernel::{BlockKernel, Part, Piece};
use super::ordered::Ordered;
use super::schedule::{Emits, Item, KINDS, Kind, is_free, items, with_one_ordered_loop};
use crate::obstacle::Obstacle;
use lems_ir::{Function, Kernel, Operation, Place, Register, Statement};

/// The kernel by parts. One part has all code that must run for one instance after another.
///
/// # Errors
///
/// If some of its code must run for one instance alone.
pub fn block_kernel(kernel: &Kernel, ordered: &Ordered) -> Result<BlockKernel, Obstacle> {
    let (flat, _) = flatten::flat(kernel, &[])?;
    split(&flat, ordered, &[]).map(|(kernel, _)| kernel)
}

/// The parts of a flat kernel, and the buffers in which `results` are after the last part.
///
/// # Errors
///
/// If the code has statements that no part can have.
pub(super) fn split(
    kernel: &Kernel,
    ordered: &Ordered,
    results: &[Register],
) -> Result<(BlockKernel, Vec<u32>), Obstacle> {
    let (items, emits) = items(&kernel.body, ordered)?;
    let mut items = with_one_ordered_loop(items);
    // What must exist at the end: results, and the conditions of events.
    let conditions = emits.iter().filter_map(|(condition, _)| *condition);
    let wanted: FxHashSet<Register> = conditions.chain(results.iter().copied()).collect();
    as_early_as_possible(&mut items);
    as_late_as_possible(&mut items, wanted.clone());
    let mut layout = Layout::new(&items, wanted);
    layout.parts(&items, &emits);
    let buffer = |register: &Register| {
        let buffer = layout.buffer_of.get(register).copied();
        buffer.ok_or(Obstacle::NoBuffer(register.0))
    };
    let buffers = results.iter().map(buffer).collect::<Result<_, _>>()?;
    let kernel = BlockKernel {
        name: kernel.name.clone(),
        registers: kernel.registers.clone(),
        buffers: layout.buffers,
        parts: layout.parts,
    };
    Ok((kernel, buffers))
}

/// Gives each item the first slot after all items that it depends on.
fn as_early_as_possible(items: &mut [Item]) {
    for index in 0..items.len() {
        let (before, [item, ..]) = items.split_at_mut(index) else {
            return;
        };
        for other in before.iter() {
            if item.depends_on(other) {
                item.slot = item.slot.max(item.after(other));
            }
        }
    }
}

/// Moves code in lanes to the last slot before all items that need it, and drops items that nothing needs.
fn as_late_as_possible(items: &mut Vec<Item>, mut wanted: FxHashSet<Register>) {
    let last = items.iter().map(Item::lanes_before).max().unwrap_or(0);
    let mut kept = Vec::new();
    while let Some(mut item) = items.pop() {
        let idle = item.stores.is_empty() && !item.writes.iter().any(|r| wanted.contains(r));
        if idle {
            continue;
        }
        if item.kind == Kind::Lanes {
            let needed_by = |later: &&Item| later.reads_of(&item) || item.conflicts(later);
            let limit = kept.iter().filter(needed_by).map(Item::lanes_before).min();
            item.slot = item.slot.max(limit.unwrap_or(last));
        }
        wanted.extend(item.reads.iter().copied());
        kept.push(item);
    }
    kept.reverse();
    *items = kept;
}

/// Gives values their buffers and makes the parts.
struct Layout {
    parts: Vec<Part>,
    buffers: u32,
    /// The buffers of values that cross between parts.
    buffer_of: FxHashMap<Register, u32>,
    /// For each register: the item that assigns it.
    source: FxHashMap<Register, usize>,
    /// Registers that the part that assigns them must store in a buffer.
    crossing: FxHashSet<Register>,
}

/// Registers with the arguments of a function, and registers for its results.
type Row = (Vec<Register>, Vec<Register>);

impl Layout {
    fn new(items: &[Item], crossing: FxHashSet<Register>) -> Layout {
        let mut source = FxHashMap::default();
        for (index, item) in items.iter().enumerate() {
            source.extend(item.writes.iter().map(|register| (*register, index)));
        }
        Layout {
            parts: Vec::new(),
            buffers: 0,
            buffer_of: FxHashMap::default(),
            source,
            crossing,
        }
    }

    /// Adds buffers; returns the first.
    fn reserve(&mut self, count: usize) -> u32 {
        let first = self.buffers;
        self.buffers += narrow(count);
        first
    }

    /// Makes the parts, slot by slot.
    fn parts(&mut self, items: &[Item], emits: &Emits) {
        let slots = items.iter().map(|item| item.slot + 1).max().unwrap_or(0);
        let in_slot = |slot: u32| items.iter().filter(move |item| item.slot == slot);
        // Values that are read in another slot than they are assigned cross, unless they can be repeated.
        for slot in 0..slots {
            let buffers = slot / KINDS * KINDS + Kind::Buffers as u32;
            let arguments = in_slot(buffers).flat_map(|item| &item.reads);
            let reads = in_slot(slot).flat_map(|item| &item.reads);
            match slot % KINDS {
                0 => reads
                    .chain(arguments)
                    .for_each(|r| self.cross(items, slot, *r)),
                1 => reads.for_each(|r| self.cross(items, slot, *r)),
                _ => {}
            }
        }
        // In each phase: code in lanes, code with loops, functions of whole buffers.
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
                let piece = self.piece(items, slot, arguments);
                if piece.has_effect() {
                    self.parts.push(match kind {
                        Kind::Lanes => Part::Lanes(piece),
                        _ => Part::Each(piece),
                    });
                }
            }
            self.parts.extend(calls);
        }
        // At last the events.
        if !emits.is_empty() {
            let conditions = emits.iter().map(|(condition, port)| {
                let buffer = condition.and_then(|c| self.buffer_of.get(&c).copied());
                (buffer, *port)
            });
            self.parts.push(Part::Emit(conditions.collect()));
        }
    }

    /// Notes that a register is read in a slot.
    fn cross(&mut self, items: &[Item], slot: u32, register: Register) {
        let Some(&source) = self.source.get(&register) else {
            return;
        };
        let item = &items[source];
        if item.slot != slot && !can_repeat(items, source, slot) && item.kind != Kind::Buffers {
            self.crossing.insert(register);
        }
    }

    /// The calls of a phase, and the registers that its code in lanes must store in buffers as arguments.
    fn rows(&mut self, items: &[&Item]) -> (Vec<Part>, Vec<(Register, u32)>) {
        let mut parts = Vec::new();
        let mut arguments = Vec::new();
        let mut functions: Vec<(Function, Row)> = Vec::new();
        let mut powers: (Row, Vec<Register>) = Default::default();
        // Group arguments and results by function; a scheme is a call of its own.
        for item in items {
            match item.statements.first() {
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
        // One call for each function.
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

    /// The code of a slot, with the values that it gets from buffers and leaves in buffers.
    fn piece(&mut self, items: &[Item], slot: u32, arguments: &[(Register, u32)]) -> Piece {
        let here: Vec<&Item> = items.iter().filter(|item| item.slot == slot).collect();
        let mut piece = Piece::default();
        let mut present: FxHashSet<Register> = FxHashSet::default();
        let own: FxHashSet<Register> = here.iter().flat_map(|item| &item.writes).copied().collect();
        // Values from elsewhere are repeated or loaded from their buffer.
        let reads = here.iter().flat_map(|item| &item.reads).copied();
        for register in reads.chain(arguments.iter().map(|(register, _)| *register)) {
            if own.contains(&register) || !present.insert(register) {
                continue;
            }
            match (self.source.get(&register), self.buffer_of.get(&register)) {
                (Some(&source), _) if can_repeat(items, source, slot) => {
                    piece.body.extend(items[source].statements.iter().cloned());
                }
                (_, Some(&buffer)) => piece.inputs.push((register, buffer)),
                _ => {}
            }
        }
        // The statements, and the values that others need.
        for item in here {
            piece.body.extend(item.statements.iter().cloned());
            for register in &item.writes {
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

/// Whether a value can be computed again in a later slot: a constant, or a variable that nothing has stored
/// until then.
fn can_repeat(items: &[Item], source: usize, slot: u32) -> bool {
    match items[source].operation() {
        Some(Operation::Load(Place::Column { base, .. })) => {
            !(items.iter()).any(|item| item.slot < slot && item.stores.contains(base))
        }
        Some(Operation::Load(_)) => true,
        Some(operation) => is_free(operation),
        None => false,
    }
}
