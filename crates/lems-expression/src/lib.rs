//! The expression language of LEMS: grammar, syntax tree, dimensional analysis.
//!
//! An [`Expression`] is parsed from the text of an attribute such as
//! `value="(v - vrest) / tau"` or `test="v .gt. thresh"`. Its tree groups the
//! operands as jLEMS does, because the grouping affects the last bit of a result.
//! In jLEMS every operator has its own precedence: `a*b/c` is `a*(b/c)`.
//!
//! ```
//! use lems_expression::Expression;
//!
//! let expression = Expression::parse("a*b/c")?;
//! assert_eq!(expression, Expression::parse("a*(b/c)")?);
//! assert_eq!(expression.variables(), ["a", "b", "c"]);
//! # Ok::<(), lems_expression::ExpressionError>(())
//! ```

mod dimension;
mod error;
mod evaluate;
mod jlems_dimension;
mod lexer;
mod number;
mod operators;
mod parser;
mod print;
mod tree;

#[cfg(test)]
mod tests;

pub use dimension::{Dimension, DimensionError, Inferred, Known, dimension_of};
pub use error::ExpressionError;
pub use evaluate::EvaluationError;
pub use jlems_dimension::{Checked, CheckedDimension, Refused, jlems_dimension_of};
pub use lems_math::{BinaryOperator, Comparison, Function, Logic};
pub use number::parse_number;
pub use operators::is_function;
pub use tree::{Expression, Node};
