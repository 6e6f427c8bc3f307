//! Parses tokens into a tree, by operator precedence.
//!
//! Operators wait on a stack until an operator follows that does not bind tighter.
//! When an operator leaves the stack, its node is appended to the tree, so the
//! nodes are in post-order and no recursion is needed.

use lems_index::narrow;
use std::collections::HashMap;
use std::ops::Range;

use crate::error::ExpressionError;
use crate::lexer::{Token, TokenKind, tokens};
use crate::number::parse_number;
use lems_math::BinaryOperator;

use crate::operators::{Applied, Infix, Level};
use crate::tree::{Expression, Node};

/// Longest text of an expression, in bytes.
const LENGTH_LIMIT: usize = 64 * 1024;
/// Largest depth of parentheses, functions and signs around a value.
const NESTING_LIMIT: usize = 2000;

impl Expression {
    /// Parses an arithmetic expression or a condition.
    ///
    /// # Errors
    ///
    /// The first syntax error in `text`, with its place.
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        parse(text)
    }
}

/// Parses the text of an expression.
fn parse(text: &str) -> Result<Expression, ExpressionError> {
    if text.len() > LENGTH_LIMIT {
        let range = 0..text.floor_char_boundary(LENGTH_LIMIT);
        return Err(ExpressionError::TooLong {
            limit: LENGTH_LIMIT,
            range,
        });
    }
    if let Some(value) = parse_number(text) {
        let start = text.len() - text.trim_start().len();
        let mut number = Expression::number(value);
        number.ranges = vec![compact(&(start..start + text.trim().len()))];
        return Ok(number);
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Err(ExpressionError::Empty {
            range: 0..text.len(),
        });
    }
    let mut parser = Parser::default();
    for (index, token) in tokens.iter().enumerate() {
        parser.token(token, tokens.get(index + 1))?;
    }
    parser.finish()
}

/// An operator whose last operand is not complete.
struct Pending {
    kind: PendingKind,
    range: Range<usize>,
}

#[derive(Clone, Copy)]
enum PendingKind {
    Open,
    /// The `-` of a negative value that follows an operator. It becomes `0 - value`, and the 0 is
    /// already on the stack of operands.
    Negate,
    Call(Applied),
    Not,
    Infix(Infix),
}

impl PendingKind {
    fn nests(self) -> bool {
        !matches!(self, PendingKind::Infix(_))
    }

    /// The binding strength; None for an open parenthesis, which only a `)` removes.
    fn level(self) -> Option<Level> {
        match self {
            PendingKind::Open => None,
            PendingKind::Call(_) => Some(Level::Value),
            PendingKind::Negate => Some(Level::Negate),
            PendingKind::Not => Some(Level::Not),
            PendingKind::Infix(infix) => Some(infix.level()),
        }
    }
}

struct Operand {
    node: u32,
    /// The range, including parentheses around it.
    range: Range<usize>,
    condition: bool,
}

/// What comes before the next token.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    Start,
    Operator,
    Value,
}

struct Parser {
    nodes: Vec<Node>,
    ranges: Vec<(u32, u32)>,
    variables: Vec<String>,
    variable_ranges: Vec<(u32, u32)>,
    variable_indices: HashMap<String, u32>,
    operands: Vec<Operand>,
    pending: Vec<Pending>,
    nesting: usize,
    before: Before,
    last: Range<usize>,
    tolerated: Vec<ExpressionError>,
}

impl Default for Parser {
    fn default() -> Self {
        Parser {
            nodes: Vec::new(),
            ranges: Vec::new(),
            variables: Vec::new(),
            variable_ranges: Vec::new(),
            variable_indices: HashMap::new(),
            operands: Vec::new(),
            pending: Vec::new(),
            nesting: 0,
            before: Before::Start,
            last: 0..0,
            tolerated: Vec::new(),
        }
    }
}

impl Parser {
    fn token(
        &mut self,
        token: &Token<'_>,
        next: Option<&Token<'_>>,
    ) -> Result<(), ExpressionError> {
        if self.before == Before::Value {
            self.after_value(token)?;
        } else {
            self.before_value(token, next)?;
        }
        self.last = token.range.clone();
        Ok(())
    }

    /// Handles a token where a value, a function, a sign or `(` is expected.
    fn before_value(
        &mut self,
        token: &Token<'_>,
        next: Option<&Token<'_>>,
    ) -> Result<(), ExpressionError> {
        let range = token.range.clone();
        match token.kind {
            TokenKind::Number => {
                let bad = || ExpressionError::BadNumber {
                    text: token.text.to_owned(),
                    range: range.clone(),
                };
                let value = parse_number(token.text).ok_or_else(bad)?;
                self.operand(Node::Number(value), range, false);
                self.before = Before::Value;
            }
            TokenKind::Name => {
                if let Some(applied) = Applied::named(token.text) {
                    self.push(PendingKind::Call(applied), range)?;
                    self.before = Before::Operator;
                } else if next.is_some_and(|next| next.kind == TokenKind::Open) {
                    return Err(ExpressionError::UnknownFunction {
                        name: token.text.to_owned(),
                        range,
                    });
                } else {
                    let index = self.variable(token.text, &range);
                    self.operand(Node::Variable(index), range, false);
                    self.before = Before::Value;
                }
            }
            TokenKind::Open => {
                self.push(PendingKind::Open, range)?;
                self.before = Before::Start;
            }
            // A sign is a subtraction from 0. At the start it binds like a binary minus, as in jLEMS.
            TokenKind::Operator if token.text == "-" => {
                self.operand(Node::Number(0.0), range.clone(), false);
                let kind = match self.before {
                    Before::Start => {
                        PendingKind::Infix(Infix::Arithmetic(BinaryOperator::Subtract))
                    }
                    _ => PendingKind::Negate,
                };
                self.push(kind, range)?;
                self.before = Before::Operator;
            }
            TokenKind::Operator if token.text == ".not." => {
                self.push(PendingKind::Not, range)?;
                self.before = Before::Operator;
            }
            // As in jLEMS, the missing left side of an operator is 0.
            TokenKind::Operator
                if self.before == Before::Start && Infix::spelled(token.text).is_some() =>
            {
                if token.text != "+" {
                    self.tolerated.push(ExpressionError::MissingOperand {
                        found: Some(token.text.to_owned()),
                        range: range.clone(),
                    });
                }
                let start = range.start..range.start;
                self.operand(Node::Number(0.0), start, false);
                self.after_value(token)?;
            }
            TokenKind::Operator | TokenKind::Close => {
                return Err(ExpressionError::MissingOperand {
                    found: Some(token.text.to_owned()),
                    range,
                });
            }
        }
        Ok(())
    }

    /// Handles a token after a value: an operator or `)`.
    fn after_value(&mut self, token: &Token<'_>) -> Result<(), ExpressionError> {
        let range = token.range.clone();
        match (token.kind, Infix::spelled(token.text)) {
            (TokenKind::Operator, Some(infix)) => {
                self.reduce_to(infix.level())?;
                self.push(PendingKind::Infix(infix), range)?;
                self.before = Before::Operator;
                Ok(())
            }
            (TokenKind::Close, _) => self.close(range),
            _ => Err(ExpressionError::MissingOperator {
                found: token.text.to_owned(),
                range,
            }),
        }
    }

    /// Handles a `)`.
    fn close(&mut self, close: Range<usize>) -> Result<(), ExpressionError> {
        self.reduce_to(Level::Logic)?;
        let start = match self.pending.pop() {
            Some(open) => {
                self.nesting -= 1;
                open.range.start
            }
            // As in jLEMS, a `)` without `(` encloses everything before it.
            None => {
                let range = close.clone();
                self.tolerated
                    .push(ExpressionError::UnopenedParenthesis { range });
                0
            }
        };
        if let Some(inner) = self.operands.last_mut() {
            inner.range = start..close.end;
        }
        Ok(())
    }

    /// Completes the tree after the last token.
    fn finish(mut self) -> Result<Expression, ExpressionError> {
        if self.before != Before::Value {
            return Err(ExpressionError::MissingOperand {
                found: None,
                range: self.last,
            });
        }
        self.reduce_to(Level::Logic)?;
        if let Some(open) = self.pending.pop() {
            return Err(ExpressionError::UnclosedParenthesis { range: open.range });
        }
        Ok(Expression {
            nodes: self.nodes,
            ranges: self.ranges,
            variables: self.variables,
            variable_ranges: self.variable_ranges,
            tolerated: self.tolerated,
        })
    }

    fn variable(&mut self, name: &str, range: &Range<usize>) -> u32 {
        if let Some(&index) = self.variable_indices.get(name) {
            return index;
        }
        let index = narrow(self.variables.len());
        self.variables.push(name.to_owned());
        self.variable_ranges.push(compact(range));
        self.variable_indices.insert(name.to_owned(), index);
        index
    }

    fn operand(&mut self, node: Node, range: Range<usize>, condition: bool) {
        let index = narrow(self.nodes.len());
        self.nodes.push(node);
        self.ranges.push(compact(&range));
        self.operands.push(Operand {
            node: index,
            range,
            condition,
        });
    }

    fn push(&mut self, kind: PendingKind, range: Range<usize>) -> Result<(), ExpressionError> {
        if kind.nests() {
            self.nesting += 1;
            if self.nesting > NESTING_LIMIT {
                return Err(ExpressionError::TooDeep {
                    limit: NESTING_LIMIT,
                    range,
                });
            }
        }
        self.pending.push(Pending { kind, range });
        Ok(())
    }

    /// Completes the waiting operators that bind at least as tightly as `level`, back to the last open
    /// parenthesis.
    fn reduce_to(&mut self, level: Level) -> Result<(), ExpressionError> {
        while let Some(pending) = self
            .pending
            .pop_if(|top| top.kind.level().is_some_and(|waiting| waiting <= level))
        {
            if pending.kind.nests() {
                self.nesting -= 1;
            }
            self.reduce(pending)?;
        }
        Ok(())
    }

    /// Completes one operator: replaces its operands on the stack by its node.
    fn reduce(&mut self, pending: Pending) -> Result<(), ExpressionError> {
        let missing = ExpressionError::MissingOperand {
            found: None,
            range: pending.range.clone(),
        };
        let Some(last) = self.operands.pop() else {
            return Err(missing);
        };
        // Functions and `.not.` have one operand.
        let infix = match pending.kind {
            PendingKind::Infix(infix) => infix,
            PendingKind::Negate => Infix::Arithmetic(BinaryOperator::Subtract),
            PendingKind::Call(applied) => {
                let argument = last.number(applied.name())?;
                let node = match applied {
                    Applied::Function(function) => Node::Call(function, argument),
                    Applied::Random => Node::Random(argument),
                };
                self.operand(node, pending.range.start..last.range.end, false);
                return Ok(());
            }
            PendingKind::Not => {
                let operand = last.condition(".not.")?;
                self.operand(
                    Node::Not(operand),
                    pending.range.start..last.range.end,
                    true,
                );
                return Ok(());
            }
            PendingKind::Open => {
                return Err(ExpressionError::UnclosedParenthesis {
                    range: pending.range,
                });
            }
        };
        // The other operators have two operands.
        let Some(first) = self.operands.pop() else {
            return Err(missing);
        };
        let symbol = infix.symbol();
        let node = match infix {
            Infix::Arithmetic(operator) => {
                Node::Binary(operator, first.number(symbol)?, last.number(symbol)?)
            }
            Infix::Compare(comparison) => {
                Node::Compare(comparison, first.number(symbol)?, last.number(symbol)?)
            }
            Infix::Logic(logic) => {
                Node::Logic(logic, first.condition(symbol)?, last.condition(symbol)?)
            }
        };
        let condition = !matches!(infix, Infix::Arithmetic(_));
        self.operand(node, first.range.start..last.range.end, condition);
        Ok(())
    }
}

impl Operand {
    fn number(&self, operation: &'static str) -> Result<u32, ExpressionError> {
        if self.condition {
            return Err(ExpressionError::ConditionAsNumber {
                operation,
                range: self.range.clone(),
            });
        }
        Ok(self.node)
    }

    fn condition(&self, operation: &'static str) -> Result<u32, ExpressionError> {
        if !self.condition {
            return Err(ExpressionError::NumberAsCondition {
                operation,
                range: self.range.clone(),
            });
        }
        Ok(self.node)
    }
}

fn compact(range: &Range<usize>) -> (u32, u32) {
    (narrow(range.start), narrow(range.end))
}
