//! Divisions by constants as multiplications, which are several times faster and give the same bits.

use cranelift_codegen::ir::types::F64;
use cranelift_codegen::ir::{InstBuilder, Type, Value};
use lems_ir::{Operation, Operator, Register};
use lems_math::Reciprocal;

use crate::codegen::translator::Translator;

impl Translator<'_, '_> {
    /// The quotient of two registers, whose values are doubles or vectors of doubles.
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

    /// The factor that replaces the divisor, if there is one that gives the same bits.
    ///
    /// The factor is wrong for tiny dividends. A test for them would cost as much as the division, so
    /// the dividend must be known not to be tiny.
    fn reciprocal(&self, [dividend, divisor]: [Register; 2]) -> Option<Reciprocal> {
        let possible = self.imports.fuses() && self.is_never_tiny(dividend);
        Reciprocal::of(self.definitions.constant(divisor).filter(|_| possible)?)
    }

    /// Whether a register holds a sum with a constant term. Such a sum is zero, or not much smaller
    /// than the last place of the constant.
    fn is_never_tiny(&self, register: Register) -> bool {
        let Some(Operation::Binary(Operator::Add | Operator::Subtract, left, right)) =
            self.definitions.operation(register)
        else {
            return false;
        };
        let smallest_term = Reciprocal::SMALLEST_DIVIDEND * 2.0 / f64::EPSILON;
        let mut terms = [left, right]
            .into_iter()
            .filter_map(|term| self.definitions.constant(*term));
        terms.any(|term| term.abs() >= smallest_term)
    }

    /// A constant as a double, or as a vector of two.
    fn real(&mut self, of: Type, number: f64) -> Value {
        match of {
            F64 => self.builder.ins().f64const(number),
            _ => self.constant_pair(number),
        }
    }
}
