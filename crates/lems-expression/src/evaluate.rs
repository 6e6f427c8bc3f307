//! Evaluates an expression directly from its tree.

use std::ops::Range;

use thiserror::Error;

use lems_math::Logic;

use crate::tree::{Expression, Node};

/// Why an expression cannot be evaluated. Ranges are byte ranges in the text.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs)]
pub enum EvaluationError {
    /// The lookup does not know the variable.
    #[error("unknown variable `{name}`")]
    UnknownVariable { name: String, range: Range<usize> },
    /// `random` has a value only in a running simulation.
    #[error("`random` has no value outside of a running simulation")]
    Random { range: Range<usize> },
}

impl EvaluationError {
    /// The byte range in the text.
    pub fn range(&self) -> Range<usize> {
        match self {
            EvaluationError::UnknownVariable { range, .. } | EvaluationError::Random { range } => {
                range.clone()
            }
        }
    }
}

impl Expression {
    /// Evaluates the expression in double precision, one operation after the other. A condition gives
    /// 1 or 0.
    ///
    /// Every variable is looked up once, before anything is computed.
    ///
    /// # Errors
    ///
    /// A variable that `lookup` does not know, or a use of `random`.
    pub fn evaluate(
        &self,
        lookup: &mut dyn FnMut(&str) -> Option<f64>,
    ) -> Result<f64, EvaluationError> {
        self.value(lookup, None)
    }

    /// Like [`evaluate`](Self::evaluate), but with random numbers: `draw` is called for each `random`
    /// in the expression, from left to right, and returns the next number in [0, 1).
    ///
    /// # Errors
    ///
    /// A variable that `lookup` does not know. In this case `draw` is not called.
    pub fn evaluate_drawing(
        &self,
        lookup: &mut dyn FnMut(&str) -> Option<f64>,
        draw: &mut dyn FnMut() -> f64,
    ) -> Result<f64, EvaluationError> {
        self.value(lookup, Some(draw))
    }

    /// Evaluates the expression; without `draw`, `random` is an error.
    fn value(
        &self,
        lookup: &mut dyn FnMut(&str) -> Option<f64>,
        mut draw: Option<&mut dyn FnMut() -> f64>,
    ) -> Result<f64, EvaluationError> {
        // Look up all variables.
        let mut variables = Vec::with_capacity(self.variables.len());
        for (index, name) in self.variables.iter().enumerate() {
            let value = lookup(name).ok_or_else(|| EvaluationError::UnknownVariable {
                name: name.clone(),
                range: self.variable_range(index),
            })?;
            variables.push(value);
        }
        // Compute the nodes in post-order: operands come before their operation.
        let mut values: Vec<f64> = Vec::with_capacity(self.nodes.len());
        for (index, node) in self.nodes.iter().enumerate() {
            let of = |operand: u32| values.get(operand as usize).copied().unwrap_or(f64::NAN);
            let value = match *node {
                Node::Number(value) => value,
                Node::Variable(variable) => variables
                    .get(variable as usize)
                    .copied()
                    .unwrap_or(f64::NAN),
                Node::Binary(operator, left, right) => operator.apply(of(left), of(right)),
                Node::Random(argument) => match &mut draw {
                    Some(draw) => of(argument) * draw(),
                    None => {
                        let range = self.range(index);
                        return Err(EvaluationError::Random { range });
                    }
                },
                Node::Call(function, argument) => function.apply(of(argument)),
                Node::Compare(comparison, left, right) => {
                    truth(comparison.holds(of(left), of(right)))
                }
                Node::Logic(Logic::And, left, right) => truth(of(left) != 0.0 && of(right) != 0.0),
                Node::Logic(Logic::Or, left, right) => truth(of(left) != 0.0 || of(right) != 0.0),
                Node::Not(operand) => truth(of(operand) == 0.0),
            };
            values.push(value);
        }
        Ok(values.last().copied().unwrap_or(f64::NAN))
    }
}

fn truth(holds: bool) -> f64 {
    if holds { 1.0 } else { 0.0 }
}
