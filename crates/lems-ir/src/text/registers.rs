//! The types of registers, from what they are assigned.

use std::collections::BTreeMap;

use crate::{Block, Operation, Register, Scalar, Statement};

use super::Problem;

/// The types of all registers of a kernel, each that of its first assignment.
///
/// # Errors
///
/// If a register is assigned both types, or one below the largest is never mentioned.
pub(super) fn inferred(body: &Block) -> Result<Vec<Scalar>, Problem> {
    let mut known: BTreeMap<u32, Option<Scalar>> = BTreeMap::new();
    // The text is walked from top to bottom, since a copy needs the type of its source.
    let mut open = vec![body.iter()];
    while let Some(block) = open.last_mut() {
        let Some(statement) = block.next() else {
            open.pop();
            continue;
        };
        for register in statement.operands() {
            known.entry(register.0).or_default();
        }
        let scalar = match statement {
            Statement::Let(_, operation) => scalar(operation, &known),
            _ => Scalar::Real,
        };
        for Register(number) in statement.assigned() {
            let first = known.entry(number).or_default();
            if first.is_some_and(|first| first != scalar) {
                return Err(Problem::BothTypes(number));
            }
            *first = Some(scalar);
        }
        let nested = statement.nested().into_iter().rev();
        open.extend(nested.map(|block| block.iter()));
    }
    for (expected, number) in (0..).zip(known.keys()) {
        if expected != *number {
            return Err(Problem::Unmentioned(expected));
        }
    }
    let types = known.into_values();
    Ok(types.map(|scalar| scalar.unwrap_or(Scalar::Real)).collect())
}

/// The type of what an operation gives.
fn scalar(operation: &Operation, known: &BTreeMap<u32, Option<Scalar>>) -> Scalar {
    match operation {
        Operation::Compare(..) | Operation::Logic(..) | Operation::Not(_) => Scalar::Truth,
        Operation::Copy(source) => {
            let source = known.get(&source.0).copied().flatten();
            source.unwrap_or(Scalar::Real)
        }
        Operation::Constant(_)
        | Operation::Time
        | Operation::Step
        | Operation::Load(_)
        | Operation::Binary(..)
        | Operation::Fused(..)
        | Operation::Select(..)
        | Operation::Call(..)
        | Operation::Random(_) => Scalar::Real,
    }
}
