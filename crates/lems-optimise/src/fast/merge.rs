//! Merges instances that are attached to one host and obey the same linear equations into one instance, whose
//! state is the sum of their states.
//!
//! There are three conditions. The next value of each state is a sum of states times factors that all
//! instances have in common. Events add to a state something that does not depend on it. And the host only
//! adds up such sums. Then the sums over all instances obey the same equations. Most synapse models whose state
//! is a conductance meet the conditions.

use lems_index::narrow;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::BTreeMap;
use std::ops::Range;

use crate::{Reads, count_reads, flat_loop_body};
use lems_ir::{
    Block, Call, Definitions, Kernel, Level, Operation, Operator, Place, Probe, Program, Register,
    Scalar, Setup, Statement,
};

/// Merges all loops over attached instances that can be merged.
pub(super) fn merge_linear(program: &mut Program, recorded: &[Probe]) {
    for number in 0..program.kernels.len() {
        let population = program.population(narrow(number));
        if population == 0 {
            continue;
        }
        let Some(mut kernel) = program.kernels.get(number).cloned() else {
            continue;
        };
        let mut reads = Reads::default();
        count_reads(&kernel.body, &mut reads);
        let definitions = Definitions::of([&kernel.body]);
        let zero = |register: &Register| definitions.constant(*register) == Some(0.0);
        let mut body = Block::new();
        for statement in std::mem::take(&mut kernel.body) {
            let site = Site::of(&statement, population);
            let merged = site.and_then(|site| {
                site.merged(program, recorded, &reads, &zero, &mut kernel.registers)
            });
            match merged {
                Some(merged) => body.extend(merged),
                None => body.push(statement),
            }
        }
        kernel.body = body;
        program.kernels[number] = kernel;
    }
}

/// A loop over attached instances.
struct Site<'s> {
    offsets: u32,
    body: &'s Block,
    /// Number of hosts.
    hosts: u32,
}

impl<'s> Site<'s> {
    fn of(statement: &'s Statement, hosts: u32) -> Option<Site<'s>> {
        match statement {
            Statement::ForAttached {
                offsets,
                level: Level(1),
                body,
            } => Some(Site {
                offsets: *offsets,
                body,
                hosts,
            }),
            _ => None,
        }
    }

    /// Makes the code of one instance that stands for all instances of a host, and adapts the handlers and the
    /// set-up of the program. Changes nothing if the instances cannot be merged.
    fn merged(
        &self,
        program: &mut Program,
        recorded: &[Probe],
        reads: &Reads,
        zero: &dyn Fn(&Register) -> bool,
        registers: &mut Vec<Scalar>,
    ) -> Option<Block> {
        // The conditions.
        let owners = self.owners(&program.links)?;
        let size = lems_index::next(owners.len())?;
        let flat = flat_loop_body(self.body, reads, registers).ok()?;
        let states = states(&flat)?;
        is_linear(&flat, &states, zero)?;
        let slots = |base: u32| base..base + size;
        if seen_elsewhere(program, recorded, self.body, &states, &slots) {
            return None;
        }
        let handlers = handlers_of(program, &states)?;
        // Without room for the sums and for links to them, nothing is merged.
        lems_index::next(program.memory.len() + states.len() * self.hosts as usize)?;
        lems_index::next(program.links.len() + states.len() * handlers.len() * owners.len())?;
        // New columns for the sums, one value for each host.
        let sums: BTreeMap<u32, u32> = (states.iter())
            .map(|base| {
                let sum = narrow(program.memory.len());
                program
                    .memory
                    .resize(program.memory.len() + self.hosts as usize, 0.0);
                (*base, sum)
            })
            .collect();
        // Handlers add to the sum of the host.
        for handler in handlers {
            for (base, sum) in &sums {
                let table = narrow(program.links.len());
                program.links.extend(owners.iter().map(|owner| sum + owner));
                let place = Place::Linked {
                    table,
                    level: Level(0),
                };
                if let Some(handler) = program.handlers.get_mut(handler) {
                    replace(&mut handler.body, *base, Level(0), place);
                }
            }
        }
        self.sum_before_the_first_step(program, &sums);
        // The body of the loop, for the sums.
        let mut merged = flat;
        for (base, sum) in &sums {
            let place = Place::Column {
                base: *sum,
                level: Level(0),
            };
            replace(&mut merged, *base, Level(1), place);
        }
        Some(merged)
    }

    /// The host of each attached instance, if each has one.
    fn owners(&self, links: &[u32]) -> Option<Vec<u32>> {
        let table = self.offsets as usize..self.offsets as usize + self.hosts as usize + 1;
        let offsets = links.get(table)?;
        if offsets.first() != Some(&0) || offsets.windows(2).any(|pair| pair[0] > pair[1]) {
            return None;
        }
        let each = |(host, pair): (usize, &[u32])| {
            std::iter::repeat_n(narrow(host), (pair[1] - pair[0]) as usize)
        };
        Some(offsets.windows(2).enumerate().flat_map(each).collect())
    }

    /// Adds a set-up kernel that sums the initial states of each host.
    fn sum_before_the_first_step(&self, program: &mut Program, sums: &BTreeMap<u32, u32>) {
        let mut registers = Vec::new();
        let mut body = Block::new();
        let mut fresh = || {
            let register = Register(narrow(registers.len()));
            registers.push(Scalar::Real);
            register
        };
        // For each state, a loop that adds up the values of the attached instances.
        for (&base, &sum) in sums {
            let [total, value, next] = [fresh(), fresh(), fresh()];
            let state = Place::Column {
                base,
                level: Level(1),
            };
            let place = Place::Column {
                base: sum,
                level: Level(0),
            };
            body.push(Statement::Let(total, Operation::Constant(0.0)));
            body.push(Statement::ForAttached {
                offsets: self.offsets,
                level: Level(1),
                body: vec![
                    Statement::Let(value, Operation::Load(state)),
                    Statement::Let(next, Operation::Binary(Operator::Add, total, value)),
                    Statement::Let(total, Operation::Copy(next)),
                ],
            });
            body.push(Statement::Store(place, total));
        }
        // The kernel runs for all hosts.
        let number = narrow(program.setups.len());
        program.setups.push(Kernel {
            name: "sums of merged instances".to_owned(),
            registers,
            body,
        });
        program.setup.push(Setup::Call(Call {
            kernel: number,
            first: 0,
            last: self.hosts,
        }));
    }
}

/// The columns of the attached instances, all of which must be stored.
fn states(flat: &Block) -> Option<FxHashSet<u32>> {
    let attached = |place: &Place| match *place {
        Place::Column {
            base,
            level: Level(1),
        } => Some(base),
        _ => None,
    };
    let stored: Option<FxHashSet<u32>> = (flat.iter())
        .filter_map(|statement| match statement {
            Statement::Store(place, _) => Some(attached(place)),
            _ => None,
        })
        .collect();
    let stored = stored?;
    let loads_only_them = flat.iter().all(|statement| match statement {
        Statement::Let(_, Operation::Load(place)) => match place {
            Place::Column {
                level: Level(0), ..
            }
            | Place::Slot(_) => true,
            Place::Linked { level, .. } => *level == Level(0),
            place => attached(place).is_some_and(|base| stored.contains(&base)),
        },
        _ => true,
    });
    (loads_only_them && !stored.is_empty()).then_some(stored)
}

/// What a register holds, seen from all instances of a host.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Nature {
    /// Zero.
    Zero,
    /// The same for all.
    Common,
    /// A sum of states times common factors.
    Linear,
    /// What the loop hands on: it only ever gets sums added.
    Total,
}

/// Whether all that the body does is linear in the states and without constant terms.
fn is_linear(
    flat: &Block,
    states: &FxHashSet<u32>,
    zero: &dyn Fn(&Register) -> bool,
) -> Option<()> {
    let mut natures: FxHashMap<Register, Nature> = FxHashMap::default();
    for statement in flat {
        if let Statement::Let(register, Operation::Copy(_)) = statement {
            natures.insert(*register, Nature::Total);
        }
    }
    for statement in flat {
        match statement {
            Statement::Let(register, Operation::Copy(value)) => {
                (*natures.get(value)? == Nature::Total).then_some(())?;
                natures.insert(*register, Nature::Total);
            }
            Statement::Let(register, operation) => {
                let nature = nature(operation, &natures, states, zero)?;
                natures.insert(*register, nature);
            }
            Statement::Store(_, register) => {
                let nature = natures.get(register)?;
                matches!(nature, Nature::Linear | Nature::Zero).then_some(())?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// The nature of the result of an operation; `None` if it is not linear.
fn nature(
    operation: &Operation,
    natures: &FxHashMap<Register, Nature>,
    states: &FxHashSet<u32>,
    zero: &dyn Fn(&Register) -> bool,
) -> Option<Nature> {
    use Nature::{Common, Linear, Total, Zero};
    // What comes from outside of the loop is the same for all.
    let outside = |register: &Register| if zero(register) { Zero } else { Common };
    let of = |register: &Register| natures.get(register).copied().unwrap_or(outside(register));
    let common = |register: &Register| matches!(of(register), Common | Zero);
    // Sums and differences of linear terms are linear, and so are products with common factors.
    match operation {
        Operation::Constant(value) if *value == 0.0 => Some(Zero),
        Operation::Load(Place::Column {
            base,
            level: Level(1),
        }) if states.contains(base) => Some(Linear),
        Operation::Load(_) | Operation::Constant(_) | Operation::Time | Operation::Step => {
            Some(Common)
        }
        Operation::Binary(operator, left, right) => match (operator, of(left), of(right)) {
            (_, Common | Zero, Common | Zero) => Some(Common),
            (Operator::Add, Total, Linear | Zero) | (Operator::Add, Linear | Zero, Total) => {
                Some(Total)
            }
            (Operator::Add | Operator::Subtract, Linear | Zero, Linear | Zero) => Some(Linear),
            (Operator::Multiply, Linear, Common) | (Operator::Multiply, Common, Linear) => {
                Some(Linear)
            }
            (Operator::Divide, Linear, Common) => Some(Linear),
            _ => None,
        },
        Operation::Select(condition, yes, no) if common(condition) => match (of(yes), of(no)) {
            (Common | Zero, Common | Zero) => Some(Common),
            (Linear | Zero, Linear | Zero) => Some(Linear),
            _ => None,
        },
        Operation::Copy(_) | Operation::Random(_) => None,
        operation => operation
            .operands()
            .all(|operand| common(&operand))
            .then_some(Common),
    }
}

/// Whether anything but the loop itself and handlers sees the states.
fn seen_elsewhere(
    program: &Program,
    recorded: &[Probe],
    body: &Block,
    states: &FxHashSet<u32>,
    slots: &dyn Fn(u32) -> Range<u32>,
) -> bool {
    // Recordings.
    let inside = |slot: u32| states.iter().any(|base| slots(*base).contains(&slot));
    let probed = (recorded.iter()).any(|probe| matches!(probe, Probe::Slot(slot) if inside(*slot)));
    // Kernels: only one may use the states, and only in this loop.
    let mut own = FxHashSet::default();
    let mut all = Vec::new();
    reach(program, body, &[0, 0], &mut all);
    let in_loop = all
        .iter()
        .filter(|(place, _)| is_state(*place, states))
        .count();
    for (number, kernel) in program.kernels.iter().enumerate() {
        let mut places = Vec::new();
        reach(
            program,
            &kernel.body,
            &[program.population(narrow(number))],
            &mut places,
        );
        let mut in_kernel = 0;
        for (place, population) in places {
            let foreign = match place {
                place if is_state(place, states) => {
                    in_kernel += 1;
                    own.insert(number);
                    false
                }
                Place::Column { base, .. } => (base..base + population).any(inside),
                Place::Slot(slot) => inside(slot),
                Place::Linked { table, .. } => {
                    let table = table as usize..(table + population) as usize;
                    let links = program.links.get(table).unwrap_or_default();
                    links.iter().any(|slot| inside(*slot))
                }
            };
            if foreign {
                return true;
            }
        }
        if in_kernel != 0 && in_kernel != in_loop {
            return true;
        }
    }
    probed || own.len() != 1
}

fn is_state(place: Place, states: &FxHashSet<u32>) -> bool {
    matches!(place, Place::Column { base, .. } if states.contains(&base))
}

/// All places of a block, each with the number of instances of its level, for as many instances
/// of the levels around as given.
fn reach(program: &Program, block: &Block, populations: &[u32], found: &mut Vec<(Place, u32)>) {
    let outer = populations.last().copied().unwrap_or(0);
    let entries = |first: u32, count: u32| {
        let table = first as usize..first as usize + count as usize;
        program.links.get(table).unwrap_or_default()
    };
    for statement in block {
        let effects = statement.effects();
        for place in effects.loads.into_iter().chain(effects.stores) {
            let population = match place {
                Place::Slot(_) => 1,
                Place::Column { level, .. } | Place::Linked { level, .. } => {
                    populations.get(usize::from(level.0)).copied().unwrap_or(0)
                }
            };
            found.push((place, population));
        }
        // The number of instances that its loops reach.
        let inner = match statement {
            Statement::ForAttached { offsets, .. } => {
                entries(*offsets, outer + 1).iter().copied().max()
            }
            Statement::ForRuns { offsets, runs, .. } => {
                let last = entries(*offsets, outer + 1)
                    .iter()
                    .copied()
                    .max()
                    .unwrap_or(0);
                entries(*runs, 3 * last)
                    .chunks_exact(3)
                    .map(|triple| triple[2])
                    .max()
            }
            _ => None,
        };
        // The blocks inside it.
        let mut around = populations.to_vec();
        around.extend(inner);
        for block in statement.nested() {
            reach(program, block, &around, found);
        }
    }
}

/// The handlers that touch the states, if all they do to them is to add what does not depend on
/// them.
fn handlers_of(program: &Program, states: &FxHashSet<u32>) -> Option<Vec<usize>> {
    let mut found = Vec::new();
    for (number, handler) in program.handlers.iter().enumerate() {
        let mut places = Vec::new();
        reach(program, &handler.body, &[0], &mut places);
        if places.iter().any(|(place, _)| is_state(*place, states)) {
            only_adds(&handler.body, states)?;
            found.push(number);
        }
    }
    Some(found)
}

/// Whether a handler only adds to states what does not depend on them.
fn only_adds(body: &Block, states: &FxHashSet<u32>) -> Option<()> {
    // The state that a register holds, perhaps with something added.
    let mut of_state: FxHashMap<Register, u32> = FxHashMap::default();
    for statement in body {
        match statement {
            Statement::Let(register, Operation::Load(Place::Column { base, .. }))
                if states.contains(base) =>
            {
                of_state.insert(*register, *base);
            }
            Statement::Let(register, Operation::Binary(Operator::Add, left, right)) => {
                match (of_state.get(left).copied(), of_state.get(right).copied()) {
                    (None, None) => {}
                    (Some(base), None) | (None, Some(base)) => {
                        of_state.insert(*register, base);
                    }
                    (Some(_), Some(_)) => return None,
                }
            }
            Statement::Store(Place::Column { base, .. }, register) if states.contains(base) => {
                (of_state.get(register)? == base).then_some(())?;
            }
            Statement::Let(..) | Statement::Store(..) | Statement::Emit { .. } => {
                let reads_state = (statement.operands().iter()).any(|r| of_state.contains_key(r));
                (!reads_state).then_some(())?;
            }
            _ => return None,
        }
    }
    Some(())
}

/// Replaces a column of a level by another place.
fn replace(block: &mut Block, column: u32, at: Level, with: Place) {
    for statement in block {
        if let Some(place) = statement.place_mut()
            && matches!(*place, Place::Column { base, level } if base == column && level == at)
        {
            *place = with;
        }
        for inner in statement.nested_mut() {
            replace(inner, column, at, with);
        }
    }
}
