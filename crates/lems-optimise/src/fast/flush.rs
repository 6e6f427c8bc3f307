//! State that decays ends while it is still a normal number.
//!
//! A synapse that gets no events decays for ever. After some hundred time constants its state is a subnormal number, and
//! there it stays. Processors compute with such numbers a hundred times slower than with others.

use std::collections::BTreeSet;

use lems_index::narrow;
use rustc_hash::{FxHashMap, FxHashSet};

use crate::blocks::count_assignments;
use lems_ir::{
    Block, Definitions, Kernel, Operation, Operator, Place, Program, Register, Scalar, Statement,
};

/// What is added to state and subtracted from it again. Much larger state does not change by that. Smaller state becomes a
/// multiple of 1e-196, or 0: too small to matter, and its products with parameters are still normal numbers.
const TINY: f64 = 1e-180;

/// Ends the decay of state where a multiple of the state is subtracted from it. State that decides something stays as it
/// is: what is compared, is divided by another such state or divides it, or is the argument of a function, by itself or
/// with other such state.
pub(super) fn flush(program: &mut Program) {
    let mut decaying = FxHashSet::default();
    for kernel in &mut program.kernels {
        Flusher::of(kernel).flush(kernel, &mut |place| {
            decaying.insert(key(place));
            false
        });
    }
    if decaying.is_empty() {
        return;
    }
    let deciding = deciding(program, &decaying);
    if deciding.contains(&ANY) {
        return;
    }
    for kernel in &mut program.kernels {
        Flusher::of(kernel).flush(kernel, &mut |place| !deciding.contains(&key(place)));
    }
}

/// The first slot of a place; [`ANY`] if it is not known.
fn key(place: Place) -> u32 {
    match place {
        Place::Slot(slot) => slot,
        Place::Column { base, .. } => base,
        Place::Linked { .. } => ANY,
    }
}

/// The key of state that is read by way of a table.
const ANY: u32 = u32::MAX;

/// A multiple of a variable.
#[derive(Clone, Copy, PartialEq)]
struct Multiple {
    of: Place,
    /// Whether it has the other sign if all parameters are positive.
    is_negative: bool,
    /// Whether it is the variable less a part of it.
    is_less: bool,
}

/// For each register: the multiple that its value is.
type Multiples = FxHashMap<Register, Multiple>;

struct Flusher {
    definitions: Definitions,
    assigned_once: FxHashMap<Register, u32>,
}

impl Flusher {
    fn of(kernel: &Kernel) -> Flusher {
        let mut assignments = FxHashMap::default();
        count_assignments(&kernel.body, &mut assignments);
        assignments.retain(|_, count| *count == 1);
        Flusher {
            definitions: Definitions::of([&kernel.body]),
            assigned_once: assignments,
        }
    }

    /// Flushes the variables of a kernel that are multiples of themselves, if `wanted` says so.
    fn flush(&self, kernel: &mut Kernel, wanted: &mut dyn FnMut(Place) -> bool) {
        let body = std::mem::take(&mut kernel.body);
        let multiples = &mut FxHashMap::default();
        kernel.body = self.block(body, multiples, &mut kernel.registers, wanted);
    }

    fn block(
        &self,
        block: Block,
        multiples: &mut Multiples,
        registers: &mut Vec<Scalar>,
        wanted: &mut dyn FnMut(Place) -> bool,
    ) -> Block {
        let mut out = Block::with_capacity(block.len());
        for mut statement in block {
            for inner in statement.nested_mut() {
                let block = std::mem::take(inner);
                *inner = self.block(block, &mut multiples.clone(), registers, wanted);
            }
            match statement {
                Statement::Let(result, operation) => {
                    if self.assigned_once.contains_key(&result)
                        && let Some(multiple) = self.multiple(operation, multiples)
                    {
                        multiples.insert(result, multiple);
                    }
                    out.push(statement);
                }
                Statement::Store(place, value)
                    if (multiples.get(&value))
                        .is_some_and(|new| new.of == place && new.is_less)
                        && wanted(place) =>
                {
                    let flushed = flushed(value, &mut out, registers);
                    out.push(Statement::Store(place, flushed));
                }
                _ => out.push(statement),
            }
        }
        out
    }

    /// The result of an operation, if it is a multiple of a variable.
    fn multiple(&self, operation: Operation, multiples: &Multiples) -> Option<Multiple> {
        let of = |register: Register| multiples.get(&register).copied();
        let is_zero = |register| self.definitions.constant(register) == Some(0.0);
        let part = |multiple: Multiple| Multiple {
            is_less: false,
            ..multiple
        };
        let negative = |multiple: Multiple| Multiple {
            is_negative: !multiple.is_negative,
            ..multiple
        };
        let by = |multiple, factor| match self.definitions.constant(factor) {
            Some(factor) if factor < 0.0 => negative(multiple),
            _ => multiple,
        };
        let sum = |left: Option<Multiple>, right: Option<Multiple>| match (left, right) {
            (Some(left), Some(right)) if left.of == right.of => Some(Multiple {
                is_less: left.is_negative != right.is_negative,
                ..left
            }),
            _ => None,
        };
        match operation {
            Operation::Load(of) => Some(Multiple {
                of,
                is_negative: false,
                is_less: false,
            }),
            Operation::Copy(register) => of(register),
            Operation::Binary(Operator::Multiply, left, right) => {
                let (multiple, factor) = match of(left) {
                    Some(left) => (left, right),
                    None => (of(right)?, left),
                };
                Some(by(part(multiple), factor))
            }
            Operation::Binary(Operator::Divide, left, right) => Some(by(part(of(left)?), right)),
            Operation::Binary(Operator::Add, left, right) => sum(of(left), of(right)),
            Operation::Binary(Operator::Subtract, left, right) if is_zero(left) => {
                of(right).map(part).map(negative)
            }
            Operation::Binary(Operator::Subtract, left, right) => {
                sum(of(left), of(right).map(negative))
            }
            _ => None,
        }
    }
}

/// The value; 0, or as good as 0, where it is tiny.
fn flushed(value: Register, out: &mut Block, registers: &mut Vec<Scalar>) -> Register {
    let mut add = |operation| {
        let register = Register(narrow(registers.len()));
        registers.push(Scalar::Real);
        out.push(Statement::Let(register, operation));
        register
    };
    let tiny = add(Operation::Constant(TINY));
    let sum = add(Operation::Binary(Operator::Add, value, tiny));
    add(Operation::Binary(Operator::Subtract, sum, tiny))
}

/// Variables that are 0, or whose product with something is, if certain decaying variables are 0.
type Causes = BTreeSet<u32>;

/// The decaying variables that decide something.
fn deciding(program: &Program, decaying: &FxHashSet<u32>) -> FxHashSet<u32> {
    let mut search = Search {
        vanishing: (decaying
            .iter()
            .map(|place| (*place, Causes::from([*place]))))
        .collect(),
        registers: FxHashMap::default(),
        deciding: FxHashSet::default(),
        changed: true,
    };
    // Values go from one variable to another, so that this ends when nothing is new.
    while std::mem::take(&mut search.changed) {
        for kernel in program.kernels.iter().chain(&program.handlers) {
            search.registers.clear();
            search.block(&kernel.body);
            // Registers that loops carry are known the second time.
            search.block(&kernel.body);
        }
    }
    search.deciding
}

struct Search {
    /// Variables that vanish with decaying ones.
    vanishing: FxHashMap<u32, Causes>,
    /// Registers that do.
    registers: FxHashMap<Register, Causes>,
    deciding: FxHashSet<u32>,
    changed: bool,
}

impl Search {
    fn block(&mut self, block: &Block) {
        for statement in block {
            match statement {
                Statement::Let(result, operation) => {
                    self.decide(*operation);
                    if let Some(causes) = self.causes(*operation) {
                        self.registers.entry(*result).or_default().extend(causes);
                    }
                }
                Statement::Store(place, value) => {
                    let causes = self.registers.get(value).cloned().unwrap_or_default();
                    if !causes.is_empty() {
                        let known = self.vanishing.entry(key(*place)).or_default();
                        let before = known.len();
                        known.extend(causes);
                        self.changed |= known.len() > before;
                    }
                }
                Statement::Propagate { rates, .. } => {
                    for (forward, reverse) in rates {
                        self.decided_by(*forward);
                        self.decided_by(*reverse);
                    }
                }
                _ => {}
            }
            for inner in statement.nested() {
                self.block(inner);
            }
        }
    }

    /// Notes the variables that decide the result of an operation.
    fn decide(&mut self, operation: Operation) {
        match operation {
            Operation::Binary(Operator::Divide, dividend, divisor) => {
                let vanishes = self.registers.get(&divisor);
                if vanishes.is_some_and(|causes| !causes.is_empty()) {
                    self.decided_by(dividend);
                    self.decided_by(divisor);
                }
            }
            Operation::Binary(Operator::Power, left, right)
            | Operation::Compare(_, left, right) => {
                self.decided_by(left);
                self.decided_by(right);
            }
            Operation::Call(_, argument) => self.decided_by(argument),
            _ => {}
        }
    }

    fn decided_by(&mut self, register: Register) {
        let causes = self.registers.get(&register).into_iter().flatten();
        self.deciding.extend(causes);
    }

    /// What has to be 0 for the result of an operation to be 0; None if it is not 0 then.
    fn causes(&self, operation: Operation) -> Option<Causes> {
        let of = |register: Register| self.registers.get(&register).cloned();
        let joined = |left: Option<Causes>, right: Option<Causes>| {
            Some(left.into_iter().chain(right).flatten().collect())
        };
        let both = |left: Register, right: Register| {
            let (left, right) = (of(left)?, of(right)?);
            joined(Some(left), Some(right))
        };
        match operation {
            Operation::Constant(0.0) => Some(Causes::new()),
            Operation::Load(place @ Place::Linked { .. }) => Some(Causes::from([key(place)])),
            Operation::Load(place) => self.vanishing.get(&key(place)).cloned(),
            Operation::Copy(register) => of(register),
            Operation::Binary(Operator::Multiply, left, right) => match (of(left), of(right)) {
                (None, None) => None,
                (left, right) => joined(left, right),
            },
            Operation::Binary(Operator::Divide, left, _) => of(left),
            Operation::Binary(Operator::Add | Operator::Subtract, left, right)
            | Operation::Select(_, left, right) => both(left, right),
            _ => None,
        }
    }
}
