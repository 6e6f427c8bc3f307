//! Physical dimensions and their inference over expressions.

use std::fmt;
use std::ops::Range;

use thiserror::Error;

use lems_math::BinaryOperator;

use crate::operators::{Applied, Spelling};
use crate::tree::{Expression, Node};

/// Exponents of the seven base quantities, as in the LEMS element `Dimension`. The default is `none`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Dimension {
    /// Mass (kilogram).
    pub m: i32,
    /// Length (metre).
    pub l: i32,
    /// Time (second).
    pub t: i32,
    /// Electric current (ampere).
    pub i: i32,
    /// Temperature (kelvin).
    pub k: i32,
    /// Amount of substance (mole).
    pub n: i32,
    /// Luminous intensity (candela).
    pub j: i32,
}

impl Dimension {
    /// The dimension of pure numbers.
    pub const NONE: Dimension = Dimension {
        m: 0,
        l: 0,
        t: 0,
        i: 0,
        k: 0,
        n: 0,
        j: 0,
    };

    /// The dimension of time.
    pub const TIME: Dimension = Dimension {
        t: 1,
        ..Dimension::NONE
    };

    /// The dimension of an area.
    pub const AREA: Dimension = Dimension {
        l: 2,
        ..Dimension::NONE
    };

    /// The dimension of a product.
    pub fn times(self, other: Dimension) -> Dimension {
        self.combine(other, i32::saturating_add)
    }

    /// The dimension of a quotient.
    pub fn per(self, other: Dimension) -> Dimension {
        self.combine(other, i32::saturating_sub)
    }

    /// The dimension of a whole power.
    pub fn power(self, exponent: i32) -> Dimension {
        self.combine(Dimension::NONE, |own, _| own.saturating_mul(exponent))
    }

    /// Whether this is the dimension of pure numbers.
    pub fn is_none(self) -> bool {
        self == Dimension::NONE
    }

    fn combine(self, other: Dimension, with: impl Fn(i32, i32) -> i32) -> Dimension {
        Dimension {
            m: with(self.m, other.m),
            l: with(self.l, other.l),
            t: with(self.t, other.t),
            i: with(self.i, other.i),
            k: with(self.k, other.k),
            n: with(self.n, other.n),
            j: with(self.j, other.j),
        }
    }

    fn exponents(self) -> [(&'static str, i32); 7] {
        [
            ("kg", self.m),
            ("m", self.l),
            ("s", self.t),
            ("A", self.i),
            ("K", self.k),
            ("mol", self.n),
            ("cd", self.j),
        ]
    }
}

/// Base units with exponents, such as `kg m^2 s^-3 A^-1`, or `none`.
impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return formatter.write_str("none");
        }
        let present = self
            .exponents()
            .into_iter()
            .filter(|(_, exponent)| *exponent != 0);
        for (index, (unit, exponent)) in present.enumerate() {
            let separator = if index == 0 { "" } else { " " };
            match exponent {
                1 => write!(formatter, "{separator}{unit}")?,
                _ => write!(formatter, "{separator}{unit}^{exponent}")?,
            }
        }
        Ok(())
    }
}

/// What is known about a variable in the scope of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A variable of this dimension.
    Dimension(Dimension),
    /// A variable whose dimension is free (`dimension="*"`) or unknown.
    Any,
    /// No such variable.
    Unknown,
}

/// The dimension of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inferred {
    /// A quantity of this dimension.
    Dimension(Dimension),
    /// The literal 0, which is a quantity of every dimension.
    Zero,
    /// Any dimension, because a variable in it has a free dimension.
    Any,
    /// A condition.
    Truth,
}

/// A dimension error in an expression. Ranges are byte ranges in its text.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs)]
pub enum DimensionError {
    /// A sum, difference or comparison of different dimensions.
    #[error("`{operation}` of different dimensions: {left} on the left, {right} on the right")]
    Mismatch {
        range: Range<usize>,
        operation: &'static str,
        left: Dimension,
        right: Dimension,
    },
    /// The argument of a function, or an exponent (`^`), is not a pure number.
    #[error("`{function}` needs a pure number, not a quantity of dimension {dimension}")]
    NotDimensionless {
        range: Range<usize>,
        function: &'static str,
        dimension: Dimension,
    },
    /// A variable that the lookup does not know.
    #[error("unknown variable `{name}`")]
    UnknownVariable { name: String, range: Range<usize> },
    /// A power whose dimension would have exponents that are not whole numbers.
    #[error("the power {power} of a quantity of dimension {dimension} has no whole exponents")]
    FractionalPower {
        range: Range<usize>,
        dimension: Dimension,
        power: f64,
    },
}

impl DimensionError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        use DimensionError::*;
        match self {
            Mismatch { .. } => 320,
            NotDimensionless { .. } => 321,
            FractionalPower { .. } => 322,
            UnknownVariable { .. } => 330,
        }
    }

    /// The byte range in the text.
    pub fn range(&self) -> Range<usize> {
        match self {
            DimensionError::Mismatch { range, .. }
            | DimensionError::NotDimensionless { range, .. }
            | DimensionError::UnknownVariable { range, .. }
            | DimensionError::FractionalPower { range, .. } => range.clone(),
        }
    }
}

/// Infers the dimension of an expression from the dimensions of its variables.
///
/// Sums, differences and comparisons need equal dimensions or a literal 0,
/// functions and exponents need pure numbers. A power of a quantity with an
/// exponent that is not a literal has a free dimension.
///
/// # Errors
///
/// The first operation with a dimension error, innermost and leftmost first.
pub fn dimension_of(
    expression: &Expression,
    lookup: &dyn Fn(&str) -> Known,
) -> Result<Inferred, DimensionError> {
    let mut analysis = Analysis {
        expression,
        found: Vec::with_capacity(expression.nodes.len()),
    };
    for index in 0..expression.nodes.len() {
        let value = analysis.node(index, lookup)?;
        analysis.found.push(value);
    }
    Ok(analysis.at(expression.root()).dimension)
}

#[derive(Clone, Copy)]
struct Value {
    dimension: Inferred,
    /// The value, if it does not depend on a variable.
    literal: Option<f64>,
}

struct Analysis<'e> {
    expression: &'e Expression,
    found: Vec<Value>,
}

impl Analysis<'_> {
    fn of(&self, node: u32) -> Value {
        self.at(node as usize)
    }

    fn at(&self, node: usize) -> Value {
        let unknown = Value {
            dimension: Inferred::Any,
            literal: None,
        };
        self.found.get(node).copied().unwrap_or(unknown)
    }

    /// The dimension of one node, from those of its operands, and its value if it is a literal.
    fn node(&self, index: usize, lookup: &dyn Fn(&str) -> Known) -> Result<Value, DimensionError> {
        let expression = self.expression;
        let mut literal = None;
        let dimension = match expression.nodes.get(index).copied() {
            None => Inferred::Any,
            Some(Node::Number(value)) => {
                literal = Some(value);
                if value == 0.0 { Inferred::Zero } else { NUMBER }
            }
            Some(Node::Variable(variable)) => {
                let name = expression
                    .variables
                    .get(variable as usize)
                    .map_or("", String::as_str);
                match lookup(name) {
                    Known::Dimension(dimension) => Inferred::Dimension(dimension),
                    Known::Any => Inferred::Any,
                    Known::Unknown => {
                        let range = expression.range(index);
                        return Err(DimensionError::UnknownVariable {
                            name: name.to_owned(),
                            range,
                        });
                    }
                }
            }
            Some(Node::Binary(operator, left, right)) => {
                // Fold literals, because the dimension of a power depends on the value of its exponent.
                literal = match (self.of(left).literal, self.of(right).literal) {
                    (Some(left), Some(right)) => Some(operator.apply(left, right)),
                    _ => None,
                };
                self.arithmetic(index, operator, left, right)?
            }
            Some(Node::Call(function, argument)) => {
                self.pure(argument, function.name())?;
                NUMBER
            }
            Some(Node::Random(argument)) => {
                self.pure(argument, Applied::Random.name())?;
                NUMBER
            }
            Some(Node::Compare(comparison, left, right)) => {
                self.same(index, comparison.symbol(), left, right)?;
                Inferred::Truth
            }
            Some(Node::Logic(..) | Node::Not(_)) => Inferred::Truth,
        };
        Ok(Value { dimension, literal })
    }

    /// The dimension of an arithmetic operation.
    fn arithmetic(
        &self,
        index: usize,
        operator: BinaryOperator,
        left: u32,
        right: u32,
    ) -> Result<Inferred, DimensionError> {
        let dimensions = (self.of(left).dimension, self.of(right).dimension);
        match operator {
            BinaryOperator::Add | BinaryOperator::Subtract => {
                self.same(index, operator.symbol(), left, right)
            }
            BinaryOperator::Multiply if dimensions == (Inferred::Zero, Inferred::Zero) => {
                Ok(Inferred::Zero)
            }
            BinaryOperator::Multiply => Ok(combine(dimensions, Dimension::times)),
            BinaryOperator::Divide => Ok(combine(dimensions, Dimension::per)),
            BinaryOperator::Power => self.power(index, left, right),
        }
    }

    /// Checks that two operands have the same dimension, and returns it.
    fn same(
        &self,
        index: usize,
        operation: &'static str,
        left: u32,
        right: u32,
    ) -> Result<Inferred, DimensionError> {
        match (self.of(left).dimension, self.of(right).dimension) {
            (Inferred::Dimension(left), Inferred::Dimension(right)) if left != right => {
                let range = self.expression.range(index);
                Err(DimensionError::Mismatch {
                    range,
                    operation,
                    left,
                    right,
                })
            }
            (known @ Inferred::Dimension(_), _) | (_, known @ Inferred::Dimension(_)) => Ok(known),
            (Inferred::Zero, Inferred::Zero) => Ok(Inferred::Zero),
            _ => Ok(Inferred::Any),
        }
    }

    /// The dimension of a power. It is free if the base has a dimension and the exponent is not a
    /// literal.
    fn power(&self, index: usize, base: u32, exponent: u32) -> Result<Inferred, DimensionError> {
        self.pure(exponent, BinaryOperator::Power.symbol())?;
        let dimension = match self.of(base).dimension {
            Inferred::Dimension(dimension) if !dimension.is_none() => dimension,
            Inferred::Any => return Ok(Inferred::Any),
            _ => return Ok(NUMBER),
        };
        let Some(power) = self.of(exponent).literal else {
            return Ok(Inferred::Any);
        };
        let range = self.expression.range(index);
        whole_power(dimension, power)
            .map(Inferred::Dimension)
            .ok_or(DimensionError::FractionalPower {
                range,
                dimension,
                power,
            })
    }

    fn pure(&self, node: u32, function: &'static str) -> Result<(), DimensionError> {
        match self.of(node).dimension {
            Inferred::Dimension(dimension) if !dimension.is_none() => {
                let range = self.expression.range(node as usize);
                Err(DimensionError::NotDimensionless {
                    range,
                    function,
                    dimension,
                })
            }
            _ => Ok(()),
        }
    }
}

const NUMBER: Inferred = Inferred::Dimension(Dimension::NONE);

/// The dimension of a product or quotient; a literal 0 counts as a pure number.
fn combine(
    dimensions: (Inferred, Inferred),
    with: impl Fn(Dimension, Dimension) -> Dimension,
) -> Inferred {
    let plain = |inferred| match inferred {
        Inferred::Dimension(dimension) => Some(dimension),
        Inferred::Zero => Some(Dimension::NONE),
        Inferred::Any | Inferred::Truth => None,
    };
    match (plain(dimensions.0), plain(dimensions.1)) {
        (Some(left), Some(right)) => Inferred::Dimension(with(left, right)),
        _ => Inferred::Any,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the caller has seen that the product is whole and of ordinary size"
)]
fn whole_product(exponent: i32, power: f64) -> i32 {
    (f64::from(exponent) * power) as i32
}

/// The dimension of a power. None if an exponent of the result is not a whole number within range.
fn whole_power(dimension: Dimension, power: f64) -> Option<Dimension> {
    let whole = |exponent: f64| exponent.fract() == 0.0 && exponent.abs() <= 1e6;
    dimension
        .exponents()
        .iter()
        .all(|&(_, exponent)| whole(f64::from(exponent) * power))
        .then(|| dimension.combine(Dimension::NONE, |own, _| whole_product(own, power)))
}
