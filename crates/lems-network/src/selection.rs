//! Which instances a `Gather`, `GatherPairs` or `PairFilter` takes: `line[index % 5 .eq. 0]`,
//! `a .minus. b`, `x[abs(p:position - q:position) .lt. range]`.

mod choose;
mod parse;
mod tokens;

use std::ops::Range;

use lems_expression::{Comparison, Logic};

pub(crate) use parse::parse;

/// Why a text is no selection.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SelectionError {
    /// What is wrong.
    pub reason: String,
    /// Where, in bytes of the text.
    pub range: Range<usize>,
}

/// A set of instances, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Selection {
    /// The instances at the end of the steps.
    Path(Vec<Step>),
    /// `.or.`: those of all, each once.
    Union(Vec<Selection>),
    /// `.minus.`: those of the first that the others do not have.
    Difference(Vec<Selection>),
    /// `.and.`: those of the first that all others have.
    Intersection(Vec<Selection>),
}

/// From some instances to others.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Those that go by this name where one is.
    Members(String),
    /// Those of a selection in parentheses.
    Group(Selection),
    /// `[condition]`: those where it holds.
    Where(Condition),
    /// `[k]`: the one with this number.
    Number(usize),
}

/// What is true or false of an instance.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Condition {
    /// Two values compared.
    Compare(Comparison, Value, Value),
    /// Conditions joined from left to right.
    Logic(Box<Condition>, Vec<(Logic, Condition)>),
}

/// A number that an instance has.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// Always the same.
    Number(f64),
    /// A variable, there or where the steps lead.
    Variable(Vec<Step>, String),
    /// `abs`.
    Absolute(Box<Value>),
    /// A value and what is done to it, from left to right.
    Chain(Box<Value>, Vec<(Operator, Value)>),
}

/// What is done to two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    /// Of both as whole numbers.
    Remainder,
}

impl Operator {
    pub fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            Operator::Remainder => {
                let whole = |value: f64| lems_math::saturating_i64((value + 0.5).floor());
                (whole(left).checked_rem(whole(right))).map_or(f64::NAN, |rest| rest as f64)
            }
        }
    }
}

/// Whether a comparison holds. A number very close to a whole number counts as that, so that sums of steps can
/// be compared. Two numbers near 0 are compared as they are.
pub(crate) fn holds(comparison: Comparison, left: f64, right: f64) -> bool {
    const NEAR: f64 = 1e-6;
    const SAME: f64 = 1e-12;
    let whole = |value: f64| (value + 0.5).floor();
    let near = |value: f64| (value - whole(value)).abs() < NEAR;
    let counts = near(left) && near(right);
    let tiny = whole(left) == 0.0 && whole(right) == 0.0 && (left - right).abs() > SAME;
    if counts && !tiny {
        comparison.holds(whole(left), whole(right))
    } else {
        comparison.holds(left, right)
    }
}

#[cfg(test)]
mod tests;
