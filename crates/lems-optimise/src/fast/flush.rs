//! State that decays becomes 0 while it is still a normal number.
//!
//! A synapse that gets no events decays for ever. After some hundred time constants its state is a subnormal number, and
//! there it stays. Processors compute with such numbers a hundred times slower than with others.

use lems_index::narrow;
use rustc_hash::FxHashMap;

use crate::blocks::count_assignments;
use lems_ir::{
    Block, Comparison, Definitions, Function, Kernel, Operation, Operator, Place, Register, Scalar,
    Statement,
};

/// Smaller state is 0. Its products with parameters are still normal numbers.
const TINY: f64 = 1e-200;

/// Replaces tiny state by 0 where the new state is a multiple of the old one, so that it would only become smaller.
pub(super) fn flush(kernel: &mut Kernel) {
    let mut assignments = FxHashMap::default();
    count_assignments(&kernel.body, &mut assignments);
    assignments.retain(|_, count| *count == 1);
    let definitions = Definitions::of([&kernel.body]);
    let mut flusher = Flusher {
        definitions,
        assigned_once: assignments,
        registers: &mut kernel.registers,
    };
    let body = std::mem::take(&mut kernel.body);
    kernel.body = flusher.block(body, &mut FxHashMap::default());
}

/// For each register: the variable that its value is a multiple of.
type Multiples = FxHashMap<Register, Place>;

struct Flusher<'k> {
    definitions: Definitions,
    assigned_once: FxHashMap<Register, u32>,
    registers: &'k mut Vec<Scalar>,
}

impl Flusher<'_> {
    fn block(&mut self, block: Block, multiples: &mut Multiples) -> Block {
        let mut out = Block::with_capacity(block.len());
        for mut statement in block {
            for inner in statement.nested_mut() {
                *inner = self.block(std::mem::take(inner), &mut multiples.clone());
            }
            match statement {
                Statement::Let(result, operation) => {
                    if self.assigned_once.contains_key(&result)
                        && let Some(place) = self.multiple(operation, multiples)
                    {
                        multiples.insert(result, place);
                    }
                    out.push(statement);
                }
                Statement::Store(place, value) if multiples.get(&value) == Some(&place) => {
                    let flushed = self.flushed(value, &mut out);
                    out.push(Statement::Store(place, flushed));
                }
                _ => out.push(statement),
            }
        }
        out
    }

    /// The value, or 0 where it is tiny.
    fn flushed(&mut self, value: Register, out: &mut Block) -> Register {
        let mut add = |scalar, operation| {
            let register = Register(narrow(self.registers.len()));
            self.registers.push(scalar);
            out.push(Statement::Let(register, operation));
            register
        };
        let zero = add(Scalar::Real, Operation::Constant(0.0));
        let tiny = add(Scalar::Real, Operation::Constant(TINY));
        let size = add(Scalar::Real, Operation::Call(Function::Abs, value));
        let is_tiny = add(
            Scalar::Truth,
            Operation::Compare(Comparison::Less, size, tiny),
        );
        add(Scalar::Real, Operation::Select(is_tiny, zero, value))
    }

    /// The variable that the result of an operation is a multiple of.
    fn multiple(&self, operation: Operation, multiples: &Multiples) -> Option<Place> {
        let of = |register: Register| multiples.get(&register).copied();
        let is_zero = |register| self.definitions.constant(register) == Some(0.0);
        let product = |left, right| of(left).or_else(|| of(right));
        // A sum of two multiples, or of one and 0.
        let sum = |left, right| match (of(left), of(right)) {
            (Some(place), other) if other == Some(place) || is_zero(right) => Some(place),
            (None, Some(place)) if is_zero(left) => Some(place),
            _ => None,
        };
        match operation {
            Operation::Load(place) => Some(place),
            Operation::Copy(register) => of(register),
            Operation::Binary(Operator::Multiply, left, right) => product(left, right),
            Operation::Binary(Operator::Divide, left, _) => of(left),
            Operation::Binary(Operator::Add | Operator::Subtract, left, right)
            | Operation::Select(_, left, right) => sum(left, right),
            _ => None,
        }
    }
}
