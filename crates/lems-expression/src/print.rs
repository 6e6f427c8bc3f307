//! Prints expressions.

use std::fmt;

use crate::number::parse_number;
use lems_math::BinaryOperator;

use crate::operators::{Applied, Infix, Level, level_of};
use crate::tree::{Expression, Node};

/// A part that is still to be printed; the last one on the stack comes first.
enum Piece {
    Text(&'static str),
    Tree {
        node: usize,
        /// An operation that binds looser than this needs parentheses.
        loosest: Level,
        /// Whether the part is at the start or after `(`, where a minus sign binds like a subtraction.
        leading: bool,
    },
}

/// Prints with as few parentheses as possible, such that parsing gives the same tree.
impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.print();
        // The whole text `-5` is a number, but `(-5)` is a subtraction from 0.
        if self.constant().is_none() && parse_number(&text).is_some() {
            write!(formatter, "({text})")
        } else {
            formatter.write_str(&text)
        }
    }
}

impl Expression {
    /// The text of the whole tree. An explicit stack avoids deep recursion.
    fn print(&self) -> String {
        let mut text = String::new();
        let mut pieces = vec![outermost(self.root())];
        while let Some(piece) = pieces.pop() {
            match piece {
                Piece::Text(piece) => text.push_str(piece),
                Piece::Tree {
                    node,
                    loosest,
                    leading,
                } => {
                    if self.level(node, leading) > loosest {
                        text.push('(');
                        pieces.push(Piece::Text(")"));
                        pieces.push(outermost(node));
                    } else {
                        self.print_node(node, leading, &mut text, &mut pieces);
                    }
                }
            }
        }
        text
    }

    /// Prints the beginning of one node, and pushes the parts that follow.
    fn print_node(&self, index: usize, leading: bool, text: &mut String, pieces: &mut Vec<Piece>) {
        let Some(&node) = self.nodes.get(index) else {
            return;
        };
        match node {
            Node::Number(value) => print_number(value, text),
            Node::Variable(variable) => {
                text.push_str(
                    self.variables
                        .get(variable as usize)
                        .map_or("", String::as_str),
                );
            }
            Node::Binary(..) if self.is_negation(node) => {
                text.push('-');
                let loosest = if leading {
                    Level::Subtract.tighter()
                } else {
                    Level::Negate
                };
                if let Node::Binary(_, _, operand) = node {
                    pieces.push(inner(operand, loosest, false));
                }
            }
            Node::Binary(operator, left, right) => {
                print_infix(Infix::Arithmetic(operator), left, right, leading, pieces);
            }
            Node::Compare(comparison, left, right) => {
                print_infix(Infix::Compare(comparison), left, right, leading, pieces);
            }
            Node::Logic(logic, left, right) => {
                print_infix(Infix::Logic(logic), left, right, leading, pieces);
            }
            Node::Call(function, argument) => {
                print_applied(Applied::Function(function), argument, text, pieces);
            }
            Node::Random(argument) => print_applied(Applied::Random, argument, text, pieces),
            Node::Not(operand) => {
                text.push_str(".not. ");
                pieces.push(inner(operand, Level::Not, false));
            }
        }
    }

    fn level(&self, index: usize, leading: bool) -> Level {
        match self.nodes.get(index) {
            None | Some(Node::Number(_) | Node::Variable(_) | Node::Call(..) | Node::Random(_)) => {
                Level::Value
            }
            Some(&node @ Node::Binary(..)) if !leading && self.is_negation(node) => Level::Negate,
            Some(Node::Binary(operator, ..)) => level_of(*operator),
            Some(Node::Compare(..)) => Level::Compare,
            Some(Node::Logic(..)) => Level::Logic,
            Some(Node::Not(_)) => Level::Not,
        }
    }

    fn is_negation(&self, node: Node) -> bool {
        let Node::Binary(BinaryOperator::Subtract, left, _) = node else {
            return false;
        };
        matches!(self.nodes.get(left as usize), Some(Node::Number(zero)) if zero.to_bits() == 0)
    }
}

fn outermost(node: usize) -> Piece {
    Piece::Tree {
        node,
        loosest: Level::Logic,
        leading: true,
    }
}

fn inner(node: u32, loosest: Level, leading: bool) -> Piece {
    Piece::Tree {
        node: node as usize,
        loosest,
        leading,
    }
}

fn print_infix(infix: Infix, left: u32, right: u32, leading: bool, pieces: &mut Vec<Piece>) {
    let spaced = infix.level() >= Level::Subtract;
    let space = Piece::Text(if spaced { " " } else { "" });
    let other_space = Piece::Text(if spaced { " " } else { "" });
    pieces.push(inner(right, infix.level().tighter(), false));
    pieces.push(space);
    pieces.push(Piece::Text(infix.symbol()));
    pieces.push(other_space);
    pieces.push(inner(left, infix.level(), leading));
}

/// Prints a function: its name, and its argument in parentheses. Pieces are taken from the end.
fn print_applied(applied: Applied, argument: u32, text: &mut String, pieces: &mut Vec<Piece>) {
    text.push_str(applied.name());
    text.push('(');
    pieces.push(Piece::Text(")"));
    pieces.push(outermost(argument as usize));
}

fn print_number(value: f64, text: &mut String) {
    if value.is_nan() {
        text.push_str("NaN");
    } else if value.is_infinite() {
        // `Infinity` is a number only if it is the whole text, and a variable otherwise.
        text.push_str(if value > 0.0 { "1e999" } else { "-1e999" });
    } else {
        let digits = format!("{value:?}");
        text.push_str(digits.strip_suffix(".0").unwrap_or(&digits));
    }
}
