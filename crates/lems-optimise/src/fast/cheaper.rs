//! Cheaper operations, and fewer of them.

use lems_index::narrow;
use rustc_hash::FxHashMap;

use crate::blocks::count_assignments;
use crate::{Reads, count_reads};
use lems_ir::{
    Block, Definitions, Fusion, Kernel, Operation, Operator, Register, Scalar, Statement,
};

/// Largest exponent of a power that becomes a product.
const LARGEST_PRODUCT: u32 = 8;

/// Replaces divisions by constants and powers with small whole exponents.
pub(super) fn cheapen(kernel: &mut Kernel) {
    let definitions = Definitions::of([&kernel.body]);
    let body = std::mem::take(&mut kernel.body);
    kernel.body = cheaper(body, &definitions, &mut kernel.registers);
}

/// Fuses products with the sums and differences that they are terms of.
pub(super) fn fuse(kernel: &mut Kernel) {
    let mut reads = Reads::default();
    count_reads(&kernel.body, &mut reads);
    let mut assignments = FxHashMap::default();
    count_assignments(&kernel.body, &mut assignments);
    let once = |register: &Register| assignments.get(register) == Some(&1);
    let mut products = FxHashMap::default();
    fuse_block(&mut kernel.body, &mut products, &|result, factors| {
        once(&result) && factors.iter().all(once) && reads.get(&result) == Some(&1)
    });
}

/// For each register: the factors of a product whose registers do not change any more.
type Products = FxHashMap<Register, [Register; 2]>;

/// Fuses products in a block; `lasts` says whether a product and its factors are assigned once, and the
/// product is read once.
fn fuse_block(
    block: &mut Block,
    products: &mut Products,
    lasts: &dyn Fn(Register, [Register; 2]) -> bool,
) {
    for statement in block {
        if let Statement::Let(result, Operation::Binary(operator, left, right)) = statement {
            let (of_left, of_right) = (products.get(left), products.get(right));
            let fused = match (*operator, of_left, of_right) {
                (Operator::Multiply, ..) if lasts(*result, [*left, *right]) => {
                    products.insert(*result, [*left, *right]);
                    None
                }
                (Operator::Add, Some(&[a, b]), _) => Some((Fusion::Add, a, b, *right)),
                (Operator::Add, _, Some(&[a, b])) => Some((Fusion::Add, a, b, *left)),
                (Operator::Subtract, Some(&[a, b]), _) => Some((Fusion::Subtract, a, b, *right)),
                (Operator::Subtract, _, Some(&[a, b])) => Some((Fusion::SubtractFrom, a, b, *left)),
                _ => None,
            };
            if let Some((fusion, a, b, c)) = fused {
                *statement = Statement::Let(*result, Operation::Fused(fusion, a, b, c));
            }
        }
        for inner in statement.nested_mut() {
            fuse_block(inner, &mut products.clone(), lasts);
        }
    }
}

/// A block with cheaper operations: divisions by constants as products, small whole powers as products.
fn cheaper(block: Block, definitions: &Definitions, registers: &mut Vec<Scalar>) -> Block {
    let mut out = Block::with_capacity(block.len());
    for mut statement in block {
        for inner in statement.nested_mut() {
            *inner = cheaper(std::mem::take(inner), definitions, registers);
        }
        match statement {
            Statement::Let(result, Operation::Binary(Operator::Divide, left, right)) => {
                match reciprocal(definitions.constant(right)) {
                    Some(factor) => {
                        let factor = constant(factor, &mut out, registers);
                        let product = Operation::Binary(Operator::Multiply, left, factor);
                        out.push(Statement::Let(result, product));
                    }
                    None => out.push(statement),
                }
            }
            Statement::Let(result, Operation::Binary(Operator::Power, base, exponent)) => {
                match whole(definitions.constant(exponent)) {
                    Some(exponent) => power(result, base, exponent, &mut out, registers),
                    None => out.push(statement),
                }
            }
            statement => out.push(statement),
        }
    }
    out
}

fn fresh(registers: &mut Vec<Scalar>) -> Register {
    let register = Register(narrow(registers.len()));
    registers.push(Scalar::Real);
    register
}

fn constant(value: f64, out: &mut Block, registers: &mut Vec<Scalar>) -> Register {
    let register = fresh(registers);
    out.push(Statement::Let(register, Operation::Constant(value)));
    register
}

/// One divided by a constant, if multiplying by it stays far from the ends of the range.
fn reciprocal(value: Option<f64>) -> Option<f64> {
    let value = value?;
    let moderate = 1e-150..1e150;
    moderate.contains(&value.abs()).then(|| 1.0 / value)
}

/// A small whole exponent.
fn whole(value: Option<f64>) -> Option<u32> {
    let value = value?;
    (2..=LARGEST_PRODUCT).find(|whole| f64::from(*whole) == value)
}

/// A power by squaring.
fn power(
    result: Register,
    base: Register,
    exponent: u32,
    out: &mut Block,
    registers: &mut Vec<Scalar>,
) {
    let mut product: Option<Register> = None;
    let (mut square, mut rest) = (base, exponent);
    loop {
        let last = rest == 1;
        if rest % 2 == 1 {
            product = Some(match product {
                None => square,
                Some(factor) => {
                    let register = if last { result } else { fresh(registers) };
                    let operation = Operation::Binary(Operator::Multiply, factor, square);
                    out.push(Statement::Let(register, operation));
                    register
                }
            });
        }
        if last {
            break;
        }
        rest /= 2;
        let squared = fresh(registers);
        let operation = Operation::Binary(Operator::Multiply, square, square);
        out.push(Statement::Let(squared, operation));
        square = squared;
    }
    if let Some(product) = product
        && product != result
    {
        out.push(Statement::Let(result, Operation::Copy(product)));
    }
}
