//! Tests of parsing, printing, evaluation, dimensions and suggestions.

mod dimensions;
mod grouping;
mod printing;
mod refusals;
mod values;

use crate::operators::Spelling;
use crate::{Expression, ExpressionError, Node};

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> ExpressionError {
    Expression::parse(text).expect_err(text)
}

/// The tree with parentheses around every operation and a minus sign only between operands.
fn grouped(text: &str) -> String {
    let expression = parse(text);
    let mut texts: Vec<String> = Vec::new();
    for node in expression.nodes() {
        let of = |operand: u32| texts[operand as usize].clone();
        texts.push(match *node {
            Node::Number(value) => value.to_string(),
            Node::Variable(index) => expression.variables()[index as usize].clone(),
            Node::Binary(operator, left, right) => {
                format!("({}{}{})", of(left), operator.symbol(), of(right))
            }
            Node::Call(function, argument) => format!("{}[{}]", function.name(), of(argument)),
            Node::Random(argument) => format!("random[{}]", of(argument)),
            Node::Compare(comparison, left, right) => {
                format!("({} {} {})", of(left), comparison.symbol(), of(right))
            }
            Node::Logic(logic, left, right) => {
                format!("({} {} {})", of(left), logic.symbol(), of(right))
            }
            Node::Not(operand) => format!("(.not. {})", of(operand)),
        });
    }
    texts.pop().unwrap()
}

fn value(text: &str) -> f64 {
    parse(text).evaluate(&mut |_| None).unwrap()
}
