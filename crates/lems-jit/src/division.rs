//! Divisions by constants as products, which take a fraction of the time and give the same bits.

use std::collections::HashMap;

use cranelift_codegen::ir::types::F64;
use cranelift_codegen::ir::{InstBuilder, Type, Value};
use lems_kernel::{Block, Operation, Operator, Register, Statement, statements};
use lems_math::Reciprocal;

use crate::translate::Translator;

/// The operations that are all that registers are ever assigned.
pub(crate) struct Definitions(HashMap<Register, Option<Operation>>);

impl Definitions {
    pub(crate) fn of<'b>(blocks: impl IntoIterator<Item = &'b Block>) -> Definitions {
        let mut definitions = HashMap::new();
        for statement in statements(blocks) {
            for register in statement.assigned() {
                let operation = match statement {
                    Statement::Let(_, operation) => Some(*operation),
                    _ => None,
                };
                (definitions.entry(register))
                    .and_modify(|known: &mut Option<Operation>| {
                        *known = known.filter(|known| operation.as_ref() == Some(known));
                    })
                    .or_insert(operation);
            }
        }
        Definitions(definitions)
    }

    fn constant(&self, register: Register) -> Option<f64> {
        match self.0.get(&register) {
            Some(Some(Operation::Constant(value))) => Some(*value),
            _ => None,
        }
    }

    /// Whether a register holds a sum of which one term is a constant, so that it is zero or not
    /// much smaller than the last place of the constant.
    fn is_never_tiny(&self, register: Register) -> bool {
        let Some(Some(Operation::Binary(Operator::Add | Operator::Subtract, left, right))) =
            self.0.get(&register)
        else {
            return false;
        };
        let smallest_term = Reciprocal::SMALLEST_DIVIDEND * 2.0 / f64::EPSILON;
        let mut terms = [left, right]
            .into_iter()
            .filter_map(|term| self.constant(*term));
        terms.any(|term| term.abs() >= smallest_term)
    }
}

impl Translator<'_, '_> {
    /// The quotient of two registers, whose values are doubles or vectors of them.
    pub(crate) fn divide(&mut self, registers: [Register; 2], [x, divisor]: [Value; 2]) -> Value {
        match self.reciprocal(registers) {
            Some(Reciprocal { high, low }) => {
                let of = self.builder.func.dfg.value_type(x);
                let [high, low] = [high, low].map(|number| self.real(of, number));
                let rest = self.builder.ins().fmul(x, low);
                self.builder.ins().fma(x, high, rest)
            }
            None => self.builder.ins().fdiv(x, divisor),
        }
    }

    /// What the dividend can be multiplied by instead; a test for tiny dividends would take as
    /// long as the division.
    fn reciprocal(&self, [dividend, divisor]: [Register; 2]) -> Option<Reciprocal> {
        let possible = self.fuses() && self.definitions.is_never_tiny(dividend);
        Reciprocal::of(self.definitions.constant(divisor).filter(|_| possible)?)
    }

    fn real(&mut self, of: Type, number: f64) -> Value {
        match of {
            F64 => self.builder.ins().f64const(number),
            _ => self.constant_pair(number),
        }
    }
}
