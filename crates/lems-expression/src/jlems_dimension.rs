//! Infers the dimension of an expression as the check of jLEMS does.
//!
//! [`dimension_of`](crate::dimension_of) is the strict analysis. The check of jLEMS is weaker: a sum
//! has the dimension of its left side, and a literal 0 has every dimension. A model that passes this
//! check runs in jLEMS, so an error that only the strict analysis finds is reported as a warning.

use crate::dimension::Dimension;
use crate::tree::{Expression, Node};
use lems_math::BinaryOperator;

/// What the check of jLEMS knows about a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checked {
    /// Its dimension.
    pub dimension: CheckedDimension,
    /// The value, if the check knows it. A 0 has every dimension.
    literal: Option<f64>,
}

/// The dimension of a [`Checked`] value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedDimension {
    /// A known dimension.
    Known(Dimension),
    /// The check cannot determine it, as for a power whose exponent is a variable.
    Undetermined,
    /// Declared as `*`: it fits everywhere.
    Free,
}

/// jLEMS would refuse the model: the check finds an error or an unknown variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Checked {
    /// A variable that is declared with a dimension; None means `*`.
    pub fn declared(dimension: Option<Dimension>) -> Checked {
        Checked::of(dimension.map_or(CheckedDimension::Free, CheckedDimension::Known))
    }

    /// Whether this value fits something with the given dimension.
    pub fn can_be(self, expected: Dimension) -> bool {
        match self.dimension {
            CheckedDimension::Known(dimension) => self.is_zero() || dimension == expected,
            CheckedDimension::Free => true,
            CheckedDimension::Undetermined => false,
        }
    }

    fn of(dimension: CheckedDimension) -> Checked {
        let literal = None;
        Checked { dimension, literal }
    }

    fn number() -> Checked {
        Checked::of(CheckedDimension::Known(Dimension::NONE))
    }

    fn is_zero(self) -> bool {
        self.literal == Some(0.0)
    }

    /// The dimension if it is known; `Ok(None)` if it is free.
    fn known(self) -> Result<Option<Dimension>, Refused> {
        match self.dimension {
            CheckedDimension::Known(dimension) => Ok(Some(dimension)),
            CheckedDimension::Free => Ok(None),
            CheckedDimension::Undetermined => Err(Refused),
        }
    }
}

/// The dimension of an expression as jLEMS checks it. `lookup` returns what is known about a
/// variable, or None for an unknown variable.
///
/// # Errors
///
/// jLEMS refuses the expression.
pub fn jlems_dimension_of(
    expression: &Expression,
    lookup: &dyn Fn(&str) -> Option<Checked>,
) -> Result<Checked, Refused> {
    let mut found: Vec<Checked> = Vec::with_capacity(expression.nodes.len());
    for node in &expression.nodes {
        let of = |node: u32| found.get(node as usize).copied().ok_or(Refused);
        let checked = match *node {
            Node::Number(value) => Checked {
                literal: Some(value),
                ..Checked::number()
            },
            Node::Variable(index) => {
                let name = expression.variables.get(index as usize).ok_or(Refused)?;
                lookup(name).ok_or(Refused)?
            }
            Node::Binary(operator, left, right) => arithmetic(operator, of(left)?, of(right)?)?,
            Node::Call(_, argument) | Node::Random(argument) => function(of(argument)?)?,
            Node::Compare(_, left, right) => comparison(of(left)?, of(right)?)?,
            Node::Logic(..) | Node::Not(_) => Checked::number(),
        };
        found.push(checked);
    }
    found.pop().ok_or(Refused)
}

/// The dimension of an arithmetic operation, as jLEMS checks it.
fn arithmetic(operator: BinaryOperator, left: Checked, right: Checked) -> Result<Checked, Refused> {
    let (Some(left_dimension), Some(right_dimension)) = (left.known()?, right.known()?) else {
        return Ok(Checked::declared(None));
    };
    let equal = left_dimension == right_dimension;
    let combined = |dimension| Ok(Checked::declared(Some(dimension)));
    match operator {
        // The whole sum has the type of its left side, even if that is a literal 0.
        BinaryOperator::Add | BinaryOperator::Subtract if equal => Ok(left),
        BinaryOperator::Subtract if left.is_zero() => Ok(right),
        BinaryOperator::Subtract if right.is_zero() => Ok(left),
        BinaryOperator::Add | BinaryOperator::Subtract => Err(Refused),
        BinaryOperator::Multiply => combined(left_dimension.times(right_dimension)),
        BinaryOperator::Divide => combined(left_dimension.per(right_dimension)),
        BinaryOperator::Power if left_dimension.is_none() => Ok(Checked::number()),
        BinaryOperator::Power if !right_dimension.is_none() => Err(Refused),
        BinaryOperator::Power => Ok(match right.literal.and_then(whole) {
            Some(exponent) => Checked::declared(Some(left_dimension.power(exponent))),
            None => Checked::of(CheckedDimension::Undetermined),
        }),
    }
}

fn function(argument: Checked) -> Result<Checked, Refused> {
    match argument.known()? {
        Some(dimension) if !dimension.is_none() => Err(Refused),
        _ => Ok(Checked::number()),
    }
}

fn comparison(left: Checked, right: Checked) -> Result<Checked, Refused> {
    match (left.known()?, right.known()?) {
        (Some(one), Some(other)) if one != other && !left.is_zero() && !right.is_zero() => {
            Err(Refused)
        }
        _ => Ok(Checked::number()),
    }
}

/// The exponent that jLEMS uses. An exponent at most one half below a whole number is rounded up, so
/// a square root (`^0.5`) keeps the dimension. Any other exponent is unknown.
#[expect(
    clippy::cast_possible_truncation,
    reason = "beyond 32 bits it is the nearest end, as it is in Java"
)]
fn whole(exponent: f64) -> Option<i32> {
    let nearest = (exponent + 0.5).floor();
    (exponent - nearest < 1e-6).then_some(nearest as i32)
}
