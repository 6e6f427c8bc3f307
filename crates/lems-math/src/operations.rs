//! The operations of LEMS on doubles. Each is defined here once, and used by expressions, the
//! interpreter, constant folding and the functions that machine code calls.

use std::fmt;

use crate::{cos, cosh, exp, factorial, heaviside, log, pow, sin, sinh, tan, tanh};

/// Arithmetic with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
}

/// Comparison of two numbers, with the meaning of IEEE 754.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `.lt.`
    Less,
    /// `.gt.`
    Greater,
    /// `.leq.`
    LessOrEqual,
    /// `.geq.`
    GreaterOrEqual,
    /// `.eq.`
    Equal,
    /// `.neq.`
    NotEqual,
}

/// Combination of two conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    /// `.and.`
    And,
    /// `.or.`
    Or,
}

/// Function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// Sine of an argument in radians.
    Sin,
    /// Cosine of an argument in radians.
    Cos,
    /// Tangent of an argument in radians.
    Tan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Hyperbolic tangent.
    Tanh,
    /// Exponential.
    Exp,
    /// Natural logarithm; NaN if the argument is not positive.
    Ln,
    /// Square root, NaN for negative arguments.
    Sqrt,
    /// Smallest integer that is not below the argument.
    Ceil,
    /// Absolute value.
    Abs,
    /// Step function: 0 below zero, 0.5 at zero, 1 above.
    Heaviside,
    /// Product of the integers from 1 to the argument.
    Factorial,
}

impl BinaryOperator {
    /// The result, in double precision.
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            BinaryOperator::Add => left + right,
            BinaryOperator::Subtract => left - right,
            BinaryOperator::Multiply => left * right,
            BinaryOperator::Divide => left / right,
            BinaryOperator::Power => pow(left, right),
        }
    }
}

impl Comparison {
    /// Whether the comparison of `left` with `right` holds. With NaN only `.neq.` holds.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Less => left < right,
            Comparison::Greater => left > right,
            Comparison::LessOrEqual => left <= right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
        }
    }

    /// How C writes it, and NMODL and the text form of programs.
    pub fn c_operator(self) -> &'static str {
        match self {
            Comparison::Less => "<",
            Comparison::Greater => ">",
            Comparison::LessOrEqual => "<=",
            Comparison::GreaterOrEqual => ">=",
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
        }
    }
}

impl Logic {
    /// The combination of two conditions.
    pub fn apply(self, left: bool, right: bool) -> bool {
        match self {
            Logic::And => left && right,
            Logic::Or => left || right,
        }
    }
}

impl fmt::Display for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Function {
    /// All functions.
    pub const ALL: [Function; 13] = [
        Function::Sin,
        Function::Cos,
        Function::Tan,
        Function::Sinh,
        Function::Cosh,
        Function::Tanh,
        Function::Exp,
        Function::Ln,
        Function::Sqrt,
        Function::Ceil,
        Function::Abs,
        Function::Heaviside,
        Function::Factorial,
    ];

    /// The name in LEMS expressions; `ln` for the natural logarithm, which may also be written `log`.
    pub const fn name(self) -> &'static str {
        match self {
            Function::Sin => "sin",
            Function::Cos => "cos",
            Function::Tan => "tan",
            Function::Sinh => "sinh",
            Function::Cosh => "cosh",
            Function::Tanh => "tanh",
            Function::Exp => "exp",
            Function::Ln => "ln",
            Function::Sqrt => "sqrt",
            Function::Ceil => "ceil",
            Function::Abs => "abs",
            Function::Heaviside => "H",
            Function::Factorial => "factorial",
        }
    }

    /// The value, in double precision.
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Function::Sin => sin(x),
            Function::Cos => cos(x),
            Function::Tan => tan(x),
            Function::Sinh => sinh(x),
            Function::Cosh => cosh(x),
            Function::Tanh => tanh(x),
            Function::Exp => exp(x),
            Function::Ln if x <= 0.0 => f64::NAN,
            Function::Ln => log(x),
            Function::Sqrt => x.sqrt(),
            Function::Ceil => x.ceil(),
            Function::Abs => x.abs(),
            Function::Heaviside => heaviside(x),
            Function::Factorial => factorial(x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_hands_on_the_bits_of_a_nan() {
        for nan in [f64::NAN, -f64::NAN] {
            assert_eq!(Function::Ln.apply(nan).to_bits(), log(nan).to_bits());
        }
        assert!(Function::Ln.apply(0.0).is_nan() && Function::Ln.apply(-1.0).is_nan());
    }
}
