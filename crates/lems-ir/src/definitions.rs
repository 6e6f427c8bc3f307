//! What registers stand for, where that is one operation.

use std::collections::HashMap;

use crate::{Block, Operation, Register, Statement, statements};

/// The operation that each register gets its value from, for registers that are assigned in one place.
pub struct Definitions(HashMap<Register, Option<Operation>>);

impl Definitions {
    /// Those of some blocks, and of the blocks inside them.
    pub fn of<'b>(blocks: impl IntoIterator<Item = &'b Block>) -> Definitions {
        let mut definitions = HashMap::new();
        for statement in statements(blocks) {
            for register in statement.assigned() {
                let operation = match statement {
                    Statement::Let(_, operation) => Some(*operation),
                    _ => None,
                };
                (definitions.entry(register))
                    .and_modify(|known: &mut Option<Operation>| {
                        *known = known.filter(|known| operation.is_some_and(|o| same(*known, o)));
                    })
                    .or_insert(operation);
            }
        }
        Definitions(definitions)
    }

    /// The operation, if there is one only.
    pub fn operation(&self, register: Register) -> Option<&Operation> {
        self.0.get(&register)?.as_ref()
    }

    /// The number, if the register only ever holds that one.
    pub fn constant(&self, register: Register) -> Option<f64> {
        match self.operation(register) {
            Some(Operation::Constant(value)) => Some(*value),
            _ => None,
        }
    }
}

/// Whether two operations are the same, to the bits of constants.
fn same(one: Operation, other: Operation) -> bool {
    match (one, other) {
        (Operation::Constant(one), Operation::Constant(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_always_the_same_is_known() {
        let set = |register, operation| Statement::Let(Register(register), operation);
        let body = vec![
            set(0, Operation::Constant(0.0)),
            set(1, Operation::Constant(2.0)),
            set(2, Operation::Time),
            Statement::If {
                condition: Register(3),
                then: vec![
                    set(0, Operation::Constant(-0.0)),
                    set(1, Operation::Constant(2.0)),
                ],
                otherwise: vec![set(2, Operation::Step)],
            },
        ];
        let definitions = Definitions::of([&body]);
        let constants = [0, 1, 2, 9].map(|number| definitions.constant(Register(number)));
        assert_eq!(constants, [None, Some(2.0), None, None]);
        assert_eq!(definitions.operation(Register(2)), None);
    }
}
