//! The dimension that jLEMS's own check finds for an expression.
//!
//! [`dimension_of`](crate::dimension_of) says what makes sense. jLEMS notices less: to it a sum has
//! the dimension of its left side, and whatever is the literal 0 has every dimension. A model that
//! it lets pass runs there, so what only the stricter analysis objects to is worth a warning, not
//! an error.

use crate::dimension::Dimension;
use crate::tree::{Expression, Node};
use lems_math::BinaryOperator;

/// What jLEMS's check holds of a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Checked {
    /// Its dimension.
    pub dimension: CheckedDimension,
    /// The number that it stands for, where the check knows of one. A 0 has every dimension.
    literal: Option<f64>,
}

/// The dimension of a [`Checked`] value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckedDimension {
    /// This one.
    Known(Dimension),
    /// The check could not tell, as with a power whose exponent is a variable.
    Undetermined,
    /// Declared as `*`: never wrong.
    Free,
}

/// The check ends the run: it finds something wrong, or meets a variable that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Checked {
    /// A variable that is declared with a dimension; None stands for `*`.
    pub fn declared(dimension: Option<Dimension>) -> Checked {
        Checked::of(dimension.map_or(CheckedDimension::Free, CheckedDimension::Known))
    }

    /// Whether this can be the value of something with the given dimension.
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

    /// The dimension where there is one; Ok(None) for a free one.
    fn known(self) -> Result<Option<Dimension>, Refused> {
        match self.dimension {
            CheckedDimension::Known(dimension) => Ok(Some(dimension)),
            CheckedDimension::Free => Ok(None),
            CheckedDimension::Undetermined => Err(Refused),
        }
    }
}

/// The dimension of an expression as jLEMS checks it. `lookup` gives what it knows of a variable,
/// None for one that it does not know.
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

fn arithmetic(operator: BinaryOperator, left: Checked, right: Checked) -> Result<Checked, Refused> {
    let (Some(left_dimension), Some(right_dimension)) = (left.known()?, right.known()?) else {
        return Ok(Checked::declared(None));
    };
    let equal = left_dimension == right_dimension;
    let combined = |dimension| Ok(Checked::declared(Some(dimension)));
    match operator {
        // The left side stands for the whole sum, also where it is the literal 0.
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

/// The exponent that jLEMS computes with: an exponent is rounded up where it lies at most one half
/// below a whole number, so that a square root (`^0.5`) keeps the dimension; others are not known.
#[expect(
    clippy::cast_possible_truncation,
    reason = "beyond 32 bits it is the nearest end, as it is in Java"
)]
fn whole(exponent: f64) -> Option<i32> {
    let nearest = (exponent + 0.5).floor();
    (exponent - nearest < 1e-6).then_some(nearest as i32)
}
