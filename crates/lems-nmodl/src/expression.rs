//! Expressions of LEMS as NMODL.

use lems_expression::{BinaryOperator, Expression, Function, Logic, Node};

use crate::NotNative;

/// A text and how tightly its outermost operation binds; parts that bind looser get parentheses.
struct Piece {
    text: String,
    level: u8,
}

const LOGIC: u8 = 0;
const COMPARE: u8 = 1;
const SUM: u8 = 2;
const PRODUCT: u8 = 3;
const POWER: u8 = 4;
const VALUE: u8 = 5;

impl Piece {
    fn at_least(&self, level: u8) -> String {
        match self.level >= level {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }
}

/// An expression with other names for its variables, one for each.
pub(crate) fn print(expression: &Expression, names: &[String]) -> Result<String, NotNative> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(expression.nodes().len());
    for node in expression.nodes() {
        let piece = piece(*node, names, &pieces)?;
        pieces.push(piece);
    }
    pieces
        .pop()
        .map(|piece| piece.text)
        .ok_or(NotNative::Bug("root of an expression"))
}

/// Whether an expression uses a function of NMODL that has to be defined in the file: the step function.
pub(crate) fn has_steps(expression: &Expression) -> bool {
    let mut nodes = expression.nodes().iter();
    nodes.any(|node| matches!(node, Node::Call(Function::Heaviside, _)))
}

fn piece(node: Node, names: &[String], pieces: &[Piece]) -> Result<Piece, NotNative> {
    let of = |index: u32| pieces.get(index as usize).ok_or(NotNative::Bug("operand"));
    Ok(match node {
        Node::Number(value) => number(value),
        Node::Variable(index) => {
            let name = names
                .get(index as usize)
                .ok_or(NotNative::Bug("name of a variable"))?;
            // A name may stand for a product.
            let level = if name.contains('*') { PRODUCT } else { VALUE };
            Piece {
                text: name.clone(),
                level,
            }
        }
        Node::Binary(operator, left, right) => binary(operator, of(left)?, of(right)?),
        Node::Compare(comparison, left, right) => {
            let symbol = comparison.c_operator();
            let text = format!(
                "{} {symbol} {}",
                of(left)?.at_least(SUM),
                of(right)?.at_least(SUM)
            );
            Piece {
                text,
                level: COMPARE,
            }
        }
        Node::Logic(logic, left, right) => {
            let symbol = match logic {
                Logic::And => "&&",
                Logic::Or => "||",
            };
            let text = format!("({}) {symbol} ({})", of(left)?.text, of(right)?.text);
            Piece { text, level: LOGIC }
        }
        Node::Not(operand) => Piece {
            text: format!("!({})", of(operand)?.text),
            level: VALUE,
        },
        Node::Call(function, argument) => {
            let name = match function {
                Function::Ln => "log",
                Function::Abs => "fabs",
                Function::Heaviside => "heaviside",
                Function::Factorial => return Err(NotNative::Function("factorial")),
                Function::Sin
                | Function::Cos
                | Function::Tan
                | Function::Sinh
                | Function::Cosh
                | Function::Tanh
                | Function::Exp
                | Function::Sqrt
                | Function::Ceil => function.name(),
            };
            Piece {
                text: format!("{name}({})", of(argument)?.text),
                level: VALUE,
            }
        }
        Node::Random(_) => return Err(NotNative::Function("random")),
    })
}

fn binary(operator: BinaryOperator, left: &Piece, right: &Piece) -> Piece {
    let (symbol, level) = match operator {
        BinaryOperator::Add => (" + ", SUM),
        BinaryOperator::Subtract if left.text == "0" => {
            let text = format!("-{}", right.at_least(PRODUCT));
            return Piece { text, level: SUM };
        }
        BinaryOperator::Subtract => (" - ", SUM),
        BinaryOperator::Multiply => ("*", PRODUCT),
        BinaryOperator::Divide => ("/", PRODUCT),
        BinaryOperator::Power => ("^", POWER),
    };
    // Operations of one level are grouped from the left, but for powers, which always get parentheses.
    let left_level = if level == POWER { VALUE } else { level };
    let text = format!(
        "{}{symbol}{}",
        left.at_least(left_level),
        right.at_least(level + 1)
    );
    Piece { text, level }
}

fn number(value: f64) -> Piece {
    let text = format!("{value:?}");
    let text = text.strip_suffix(".0").unwrap_or(&text).to_owned();
    match value.is_sign_negative() && value != 0.0 {
        true => Piece {
            text: format!("({text})"),
            level: VALUE,
        },
        false => Piece {
            text: text.trim_start_matches('-').to_owned(),
            level: VALUE,
        },
    }
}

/// Whether an expression is linear in one of its variables, by its index: then its rate of change does not depend
/// on that variable.
pub(crate) fn is_linear(expression: &Expression, is_variable: &dyn Fn(u32) -> bool) -> bool {
    // Degree of each node: 0 without the variable, 1 if it is linear in it, 2 otherwise.
    let mut degrees: Vec<u8> = Vec::with_capacity(expression.nodes().len());
    for node in expression.nodes() {
        let of = |index: &u32| degrees.get(*index as usize).copied().unwrap_or(2);
        degrees.push(match node {
            Node::Number(_) => 0,
            Node::Variable(index) => u8::from(is_variable(*index)),
            Node::Binary(BinaryOperator::Add | BinaryOperator::Subtract, left, right) => {
                of(left).max(of(right))
            }
            Node::Binary(BinaryOperator::Multiply, left, right) => (of(left) + of(right)).min(2),
            Node::Binary(BinaryOperator::Divide, left, right) if of(right) == 0 => of(left),
            Node::Binary(_, left, right)
            | Node::Compare(_, left, right)
            | Node::Logic(_, left, right) => {
                if of(left) + of(right) > 0 {
                    2
                } else {
                    0
                }
            }
            Node::Call(_, operand) | Node::Random(operand) | Node::Not(operand) => {
                if of(operand) > 0 { 2 } else { 0 }
            }
        });
    }
    degrees.last().is_some_and(|degree| *degree < 2)
}
