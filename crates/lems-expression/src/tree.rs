//! The syntax tree.

use std::ops::Range;

use crate::error::ExpressionError;
use lems_math::{BinaryOperator, Comparison, Function, Logic};

/// One operation of an expression. Operands are indices into [`Expression::nodes`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Node {
    /// A literal number.
    Number(f64),
    /// A variable, by its index in [`Expression::variables`].
    Variable(u32),
    /// Arithmetic on two numbers. A minus sign in front of `x` is `0 - x`.
    Binary(BinaryOperator, u32, u32),
    /// A function of a number.
    Call(Function, u32),
    /// A random number, uniform from 0 to the operand.
    Random(u32),
    /// A condition on two numbers.
    Compare(Comparison, u32, u32),
    /// A condition on two conditions.
    Logic(Logic, u32, u32),
    /// A condition that is true if its operand is false.
    Not(u32),
}

/// The syntax tree of an arithmetic expression or a condition.
///
/// The nodes are in post-order: operands come before the operation that uses
/// them, and the last node is the root, so a pass over the tree is a loop.
/// Two expressions are equal if their trees are equal; the spelling does not matter.
#[derive(Clone, Debug)]
pub struct Expression {
    pub(crate) nodes: Vec<Node>,
    pub(crate) ranges: Vec<(u32, u32)>,
    pub(crate) variables: Vec<String>,
    pub(crate) variable_ranges: Vec<(u32, u32)>,
    pub(crate) tolerated: Vec<ExpressionError>,
}

impl Expression {
    /// An expression that is a single number.
    pub fn number(value: f64) -> Expression {
        Expression {
            nodes: vec![Node::Number(value)],
            ranges: vec![(0, 0)],
            variables: Vec::new(),
            variable_ranges: Vec::new(),
            tolerated: Vec::new(),
        }
    }

    /// Errors in the text that are accepted because jLEMS accepts them: a `)` without `(`, and an
    /// operator without a left side.
    pub fn tolerated(&self) -> &[ExpressionError] {
        &self.tolerated
    }

    /// All nodes: operands come before operations, and the root is last. Never empty.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Index of the root in [`nodes`](Self::nodes).
    pub fn root(&self) -> usize {
        self.nodes.len().saturating_sub(1)
    }

    /// The byte range of a node in the text; an empty range for an unknown node.
    pub fn range(&self, node: usize) -> Range<usize> {
        as_range(self.ranges.get(node))
    }

    /// The distinct variable names in order of their first appearance.
    pub fn variables(&self) -> &[String] {
        &self.variables
    }

    /// The byte range where a variable first appears in the text; an empty range for an unknown index.
    pub fn variable_range(&self, index: usize) -> Range<usize> {
        as_range(self.variable_ranges.get(index))
    }

    /// Whether the expression is a condition rather than a number.
    pub fn is_condition(&self) -> bool {
        matches!(
            self.nodes.last(),
            Some(Node::Compare(..) | Node::Logic(..) | Node::Not(_))
        )
    }

    /// The value, if the expression is a single literal number.
    pub fn constant(&self) -> Option<f64> {
        match self.nodes.last() {
            Some(Node::Number(value)) => Some(*value),
            _ => None,
        }
    }
}

fn as_range(range: Option<&(u32, u32)>) -> Range<usize> {
    range.map_or(0..0, |&(start, end)| start as usize..end as usize)
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        let same = |pair: (&Node, &Node)| match pair {
            (Node::Number(left), Node::Number(right)) => left.to_bits() == right.to_bits(),
            (left, right) => left == right,
        };
        self.variables == other.variables
            && self.nodes.len() == other.nodes.len()
            && self.nodes.iter().zip(&other.nodes).all(same)
    }
}

impl Eq for Expression {}
