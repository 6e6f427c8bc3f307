//! Reads a selection. Of the operators, `.and.` binds tightest, then `.minus.`, then `.or.`; of
//! those on numbers `*`, then `-`, then `+` and `%` alike.

use lems_expression::{Comparison, Logic};

use super::{
    Condition, Operator, Selection, SelectionError, Step, Value,
    tokens::{Token, TokenKind, tokens},
};

/// Most parentheses and brackets inside one another.
const MAX_NESTING: usize = 50;

/// The selection that a text stands for.
pub(crate) fn parse(text: &str) -> Result<Selection, SelectionError> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        next: 0,
        end: text.len(),
        nesting: 0,
    };
    let selection = parser.selection()?;
    match parser.peek() {
        Some(_) => Err(parser.unexpected("the end")),
        None => Ok(selection),
    }
}

struct Parser<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
    end: usize,
    nesting: usize,
}

type Parsed<T> = Result<T, SelectionError>;

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = (self.peek()).is_some_and(|t| t.kind == TokenKind::Sign && t.text == sign);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.take(sign) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("`{sign}`")))
        }
    }

    fn unexpected(&self, expected: &str) -> SelectionError {
        match self.peek() {
            Some(token) => SelectionError {
                reason: format!("{expected} is expected here, not `{}`", token.text),
                range: token.range(),
            },
            None => SelectionError {
                reason: format!("{expected} is expected at the end"),
                range: self.end..self.end,
            },
        }
    }

    /// What `inner` reads, one bracket deeper.
    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.nesting == MAX_NESTING {
            let mut error = self.unexpected("something simpler");
            error.reason = format!("more than {MAX_NESTING} brackets inside one another");
            return Err(error);
        }
        self.nesting += 1;
        let read = inner(self);
        self.nesting -= 1;
        read
    }

    fn joined(
        &mut self,
        sign: &str,
        operand: impl Fn(&mut Self) -> Parsed<Selection>,
        join: impl FnOnce(Vec<Selection>) -> Selection,
    ) -> Parsed<Selection> {
        let first = operand(self)?;
        let mut all = vec![first];
        while self.take(sign) {
            all.push(operand(self)?);
        }
        match all.pop() {
            Some(only) if all.is_empty() => Ok(only),
            last => {
                all.extend(last);
                Ok(join(all))
            }
        }
    }

    fn selection(&mut self) -> Parsed<Selection> {
        self.joined(".or.", Self::difference, Selection::Union)
    }

    fn difference(&mut self) -> Parsed<Selection> {
        self.joined(".minus.", Self::intersection, Selection::Difference)
    }

    fn intersection(&mut self) -> Parsed<Selection> {
        self.joined(".and.", Self::path, Selection::Intersection)
    }

    fn path(&mut self) -> Parsed<Selection> {
        let mut steps = Vec::new();
        self.step(&mut steps)?;
        while self.take("/") {
            self.step(&mut steps)?;
        }
        Ok(Selection::Path(steps))
    }

    /// A name or a group, and the brackets behind it.
    fn step(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        match self.peek() {
            Some(token) if token.kind == TokenKind::Name => {
                self.next += 1;
                steps.push(Step::Members(token.text.to_owned()));
            }
            _ if self.take("(") => {
                steps.push(Step::Group(self.nested(Self::selection)?));
                self.expect(")")?;
            }
            _ => return Err(self.unexpected("the name of some instances")),
        }
        self.brackets(steps)
    }

    fn brackets(&mut self, steps: &mut Vec<Step>) -> Parsed<()> {
        while self.take("[") {
            let number = (self.peek()).and_then(|token| token.text.parse().ok());
            let closes = self.tokens.get(self.next + 1).map(|token| token.text) == Some("]");
            match number {
                Some(number) if closes => {
                    self.next += 1;
                    steps.push(Step::Number(number));
                }
                _ => steps.push(Step::Where(self.nested(Self::condition)?)),
            }
            self.expect("]")?;
        }
        Ok(())
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let first = self.comparison()?;
        let mut more = Vec::new();
        loop {
            let logic = if self.take(".and.") {
                Logic::And
            } else if self.take(".or.") {
                Logic::Or
            } else {
                break;
            };
            more.push((logic, self.comparison()?));
        }
        Ok(match more.is_empty() {
            true => first,
            false => Condition::Logic(Box::new(first), more),
        })
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        let left = self.value()?;
        let token = self.peek();
        let comparison = match token.map(|token| token.text) {
            Some(".lt.") => Comparison::Less,
            Some(".gt.") => Comparison::Greater,
            Some(".le." | ".leq.") => Comparison::LessOrEqual,
            Some(".ge." | ".geq.") => Comparison::GreaterOrEqual,
            Some(".eq.") => Comparison::Equal,
            Some(".ne." | ".neq.") => Comparison::NotEqual,
            _ => return Err(self.unexpected("a comparison such as `.lt.`")),
        };
        self.next += 1;
        Ok(Condition::Compare(comparison, left, self.value()?))
    }

    fn value(&mut self) -> Parsed<Value> {
        let operators = [("+", Operator::Add), ("%", Operator::Remainder)];
        self.chain(&operators, |parser| {
            parser.chain(&[("-", Operator::Subtract)], |parser| {
                parser.chain(&[("*", Operator::Multiply)], Self::operand)
            })
        })
    }

    fn chain(
        &mut self,
        operators: &[(&str, Operator)],
        operand: impl Fn(&mut Self) -> Parsed<Value>,
    ) -> Parsed<Value> {
        let first = operand(self)?;
        let mut more = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.take(sign)) {
            more.push((*operator, operand(self)?));
        }
        Ok(match more.is_empty() {
            true => first,
            false => Value::Chain(Box::new(first), more),
        })
    }

    fn operand(&mut self) -> Parsed<Value> {
        let negative = self.take("-");
        let value = self.plain_operand()?;
        Ok(match negative {
            true => Value::Chain(
                Box::new(Value::Number(0.0)),
                vec![(Operator::Subtract, value)],
            ),
            false => value,
        })
    }

    fn plain_operand(&mut self) -> Parsed<Value> {
        let Some(token) = self.peek() else {
            return Err(self.unexpected("a value"));
        };
        match token.kind {
            TokenKind::Number(number) => {
                self.next += 1;
                Ok(Value::Number(number))
            }
            TokenKind::Name if token.text == "abs" => {
                self.next += 1;
                self.expect("(")?;
                let inside = self.nested(Self::value)?;
                self.expect(")")?;
                Ok(Value::Absolute(Box::new(inside)))
            }
            TokenKind::Name => self.variable(),
            TokenKind::Sign if self.take("(") => {
                let inside = self.nested(Self::value)?;
                self.expect(")")?;
                Ok(inside)
            }
            TokenKind::Sign => Err(self.unexpected("a value")),
        }
    }

    /// `name`, `steps:name` or `steps/name`.
    fn variable(&mut self) -> Parsed<Value> {
        let mut steps = Vec::new();
        self.step(&mut steps)?;
        while self.take("/") || self.take(":") {
            self.step(&mut steps)?;
        }
        match steps.pop() {
            Some(Step::Members(name)) => Ok(Value::Variable(steps, name)),
            _ => Err(self.unexpected("`:` and the name of a variable")),
        }
    }
}
