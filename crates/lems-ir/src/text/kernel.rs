//! Reads the body of a kernel.

use std::str::FromStr;

use crate::{
    Block, Comparison, Function, Fusion, Kernel, Level, Logic, Operation, Operator, Place,
    Register, Scalar, Statement,
};

use super::cursor::{Cursor, Token, lines, list};
use super::program::Parser;
use super::registers::inferred;
use super::{Problem, TextError};

/// Reads the listing that `Display` writes: the name on the first line, then the body.
impl FromStr for Kernel {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Kernel, TextError> {
        let (name, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut parser = Parser::new(lines(body, 2)?);
        let name = name.strip_suffix('\r').unwrap_or(name).to_owned();
        let kernel = parser.kernel(name, 0)?;
        match parser.next_line() {
            Some(line) => Err(line.start().error(Problem::NotAligned)),
            None => Ok(kernel),
        }
    }
}

/// What a `for` goes over.
enum Range {
    /// The instances of a level.
    Attached { level: Level, offsets: u32 },
    /// Runs of instances of the level after `outer`.
    Runs { outer: Level, offsets: u32 },
}

/// The head of one body of a loop over runs.
struct Arm {
    level: Level,
    runs: u32,
    /// `None` if the loop has no bodies.
    number: Option<u32>,
}

impl Parser<'_> {
    /// The kernel below a line with the given indentation.
    pub(super) fn kernel(&mut self, name: String, indent: usize) -> Result<Kernel, TextError> {
        let here = self.place();
        let Some(inner) = self.open(indent)? else {
            return Ok(Kernel {
                name,
                registers: Vec::new(),
                body: Block::new(),
            });
        };
        let declared = self.declaration(inner)?;
        let body = self.statements(inner)?;
        let registers = match declared {
            Some(registers) => registers,
            None => inferred(&body).map_err(|problem| here.error(problem))?,
        };
        Ok(Kernel {
            name,
            registers,
            body,
        })
    }

    /// The types of the registers, if the next line says them.
    fn declaration(&mut self, indent: usize) -> Result<Option<Vec<Scalar>>, TextError> {
        let Some(mut cursor) = self.line_of(indent)? else {
            return Ok(None);
        };
        if !cursor.takes("registers") {
            return Ok(None);
        }
        let mut registers = Vec::new();
        if !cursor.takes("none") {
            loop {
                let before = cursor;
                let count = cursor.integer()? as usize;
                self.count(count).map_err(|problem| before.error(problem))?;
                let scalar = match cursor.peek() {
                    Token::Word("real") => Scalar::Real,
                    Token::Word("truth") => Scalar::Truth,
                    _ => return Err(cursor.expected("`real` or `truth`")),
                };
                cursor.take();
                registers.resize(registers.len() + count, scalar);
                if !cursor.takes(",") {
                    break;
                }
            }
        }
        cursor.end()?;
        self.advance();
        Ok(Some(registers))
    }

    /// The block inside a line with the given indentation; empty if nothing is.
    fn block(&mut self, indent: usize) -> Result<Block, TextError> {
        let Some(inner) = self.open(indent)? else {
            return Ok(Block::new());
        };
        let block = self.statements(inner)?;
        self.close();
        Ok(block)
    }

    /// All statements with the given indentation.
    fn statements(&mut self, indent: usize) -> Result<Block, TextError> {
        let mut block = Block::new();
        while let Some(cursor) = self.line_of(indent)? {
            self.advance();
            block.push(self.statement(cursor, indent)?);
        }
        Ok(block)
    }

    fn statement(&mut self, mut cursor: Cursor<'_>, indent: usize) -> Result<Statement, TextError> {
        if cursor.takes("if") {
            let condition = register(&mut cursor)?;
            cursor.end()?;
            let then = self.block(indent)?;
            let otherwise = self.otherwise(indent)?;
            return Ok(Statement::If {
                condition,
                then,
                otherwise,
            });
        }
        if cursor.takes("for") {
            return match range(&mut cursor)? {
                Range::Attached { level, offsets } => Ok(Statement::ForAttached {
                    offsets,
                    level,
                    body: self.block(indent)?,
                }),
                Range::Runs { outer, offsets } => self.runs(cursor, indent, outer, offsets),
            };
        }
        if cursor.takes("twice") {
            cursor.end()?;
            return Ok(Statement::Twice(self.block(indent)?));
        }
        let statement = simple(&mut cursor)?;
        cursor.end()?;
        Ok(statement)
    }

    fn otherwise(&mut self, indent: usize) -> Result<Block, TextError> {
        let Some(mut cursor) = self.line_of(indent)? else {
            return Ok(Block::new());
        };
        if !cursor.takes("else") {
            return Ok(Block::new());
        }
        cursor.end()?;
        self.advance();
        self.block(indent)
    }

    /// The bodies of a loop over runs.
    fn runs(
        &mut self,
        head: Cursor<'_>,
        indent: usize,
        outer: Level,
        offsets: u32,
    ) -> Result<Statement, TextError> {
        let missing = || head.expected("a line `for …` with a body below");
        let inner = self.open(indent)?.ok_or_else(missing)?;
        let mut arms = Vec::new();
        let mut first: Option<(Level, u32)> = None;
        while let Some(mut cursor) = self.line_of(inner)? {
            let start = cursor;
            let arm = arm(&mut cursor)?;
            let same = first.is_none_or(|first| first == (arm.level, arm.runs));
            if !same || outer_of(arm.level) != outer {
                return Err(start.expected("the level and table of the same loop"));
            }
            first = Some((arm.level, arm.runs));
            let Some(number) = arm.number else {
                // A loop without bodies is this line only.
                if !arms.is_empty() {
                    return Err(start.expected("another body or the end of the loop"));
                }
                self.advance();
                break;
            };
            if number as usize != arms.len() {
                return Err(start.error(Problem::OutOfOrder {
                    found: number,
                    expected: arms.len(),
                }));
            }
            self.advance();
            arms.push(self.block(inner)?);
        }
        if let Some(cursor) = self.line_of(inner)? {
            return Err(cursor.expected("the end of the loop"));
        }
        self.close();
        let (level, runs) = first.ok_or_else(missing)?;
        Ok(Statement::ForRuns {
            offsets,
            runs,
            level,
            arms,
        })
    }
}

/// A statement of one line.
fn simple(cursor: &mut Cursor<'_>) -> Result<Statement, TextError> {
    if cursor.takes("emit") {
        let port = cursor.integer()?;
        cursor.all(&["+"])?;
        let level = level(cursor)?;
        return Ok(Statement::Emit { port, level });
    }
    if let Some(place) = place(cursor)? {
        cursor.all(&["="])?;
        return Ok(Statement::Store(place, register(cursor)?));
    }
    let start = *cursor;
    let is_of_registers = matches!(cursor.peek(), Token::Word(word)
        if word == "none" || word.starts_with('r'));
    if !is_of_registers {
        return Err(cursor.expected("a statement"));
    }
    let results = list(cursor, register)?;
    cursor.all(&["="])?;
    if cursor.takes("propagate") {
        return propagate(cursor, results);
    }
    match results[..] {
        [register] => Ok(Statement::Let(register, operation(cursor)?)),
        _ => Err(start.expected("one register, or `propagate` after the `=`")),
    }
}

fn propagate(cursor: &mut Cursor<'_>, results: Vec<Register>) -> Result<Statement, TextError> {
    cursor.all(&["scheme"])?;
    let scheme = cursor.integer()?;
    cursor.all(&["from"])?;
    let occupancies = list(cursor, register)?;
    cursor.all(&["with"])?;
    let rates = list(cursor, |cursor| {
        let forward = register(cursor)?;
        cursor.all(&["/"])?;
        Ok((forward, register(cursor)?))
    })?;
    Ok(Statement::Propagate {
        scheme,
        occupancies,
        rates,
        results,
    })
}

fn operation(cursor: &mut Cursor<'_>) -> Result<Operation, TextError> {
    if let Some(left) = cursor.numbered('r')? {
        return binary(cursor, Register(left));
    }
    if let Some(place) = place(cursor)? {
        return Ok(Operation::Load(place));
    }
    let word = match cursor.peek() {
        Token::Word(word) => word,
        Token::Number(_) | Token::Sign("-") => return cursor.double().map(Operation::Constant),
        _ => return Err(cursor.expected("an operation")),
    };
    match word {
        "inf" | "NaN" => return cursor.double().map(Operation::Constant),
        "time" | "step" => {
            cursor.take();
            return Ok(match word {
                "time" => Operation::Time,
                _ => Operation::Step,
            });
        }
        "not" => {
            cursor.take();
            return register(cursor).map(Operation::Not);
        }
        "if" => {
            cursor.take();
            let condition = register(cursor)?;
            cursor.all(&["then"])?;
            let yes = register(cursor)?;
            cursor.all(&["else"])?;
            return Ok(Operation::Select(condition, yes, register(cursor)?));
        }
        "fused" => {
            cursor.take();
            return fused(cursor);
        }
        _ => {}
    }
    let function = Function::ALL.into_iter().find(|known| known.name() == word);
    if function.is_none() && word != "random" {
        return Err(cursor.expected("an operation"));
    }
    cursor.take();
    cursor.all(&["("])?;
    let argument = register(cursor)?;
    cursor.all(&[")"])?;
    Ok(match function {
        Some(function) => Operation::Call(function, argument),
        None => Operation::Random(argument),
    })
}

/// What follows the first register of an operation.
fn binary(cursor: &mut Cursor<'_>, left: Register) -> Result<Operation, TextError> {
    let make: fn(Register, Register) -> Operation = match cursor.peek() {
        Token::Sign("+") => |l, r| Operation::Binary(Operator::Add, l, r),
        Token::Sign("-") => |l, r| Operation::Binary(Operator::Subtract, l, r),
        Token::Sign("*") => |l, r| Operation::Binary(Operator::Multiply, l, r),
        Token::Sign("/") => |l, r| Operation::Binary(Operator::Divide, l, r),
        Token::Sign("^") => |l, r| Operation::Binary(Operator::Power, l, r),
        Token::Sign("<") => |l, r| Operation::Compare(Comparison::Less, l, r),
        Token::Sign(">") => |l, r| Operation::Compare(Comparison::Greater, l, r),
        Token::Sign("<=") => |l, r| Operation::Compare(Comparison::LessOrEqual, l, r),
        Token::Sign(">=") => |l, r| Operation::Compare(Comparison::GreaterOrEqual, l, r),
        Token::Sign("==") => |l, r| Operation::Compare(Comparison::Equal, l, r),
        Token::Sign("!=") => |l, r| Operation::Compare(Comparison::NotEqual, l, r),
        Token::Word("and") => |l, r| Operation::Logic(Logic::And, l, r),
        Token::Word("or") => |l, r| Operation::Logic(Logic::Or, l, r),
        Token::End => return Ok(Operation::Copy(left)),
        _ => return Err(cursor.expected("an operator or the end of the line")),
    };
    cursor.take();
    Ok(make(left, register(cursor)?))
}

/// `a * b + c`, `a * b - c` or `c - a * b`.
fn fused(cursor: &mut Cursor<'_>) -> Result<Operation, TextError> {
    let first = register(cursor)?;
    if cursor.takes("-") {
        let a = register(cursor)?;
        cursor.all(&["*"])?;
        let b = register(cursor)?;
        return Ok(Operation::Fused(Fusion::SubtractFrom, a, b, first));
    }
    cursor.all(&["*"])?;
    let second = register(cursor)?;
    let fusion = match cursor.peek() {
        Token::Sign("+") => Fusion::Add,
        Token::Sign("-") => Fusion::Subtract,
        _ => return Err(cursor.expected("`+` or `-`")),
    };
    cursor.take();
    Ok(Operation::Fused(fusion, first, second, register(cursor)?))
}

/// What follows `for`: `i1 in t20[i0] .. t20[i0 + 1]`, or the same with `r`.
fn range(cursor: &mut Cursor<'_>) -> Result<Range, TextError> {
    let index = match cursor.takes("r") {
        true => None,
        false => Some(level(cursor)?),
    };
    cursor.all(&["in"])?;
    let offsets = table(cursor)?;
    cursor.all(&["["])?;
    let before = *cursor;
    let outer = level(cursor)?;
    if let Some(wanted) = index.map(outer_of).filter(|wanted| *wanted != outer) {
        return Err(before.expected(format!("`{wanted}`")));
    }
    cursor.all(&["]", ".."])?;
    same_table(cursor, offsets)?;
    cursor.all(&["[", &outer.to_string(), "+"])?;
    cursor.exactly(1)?;
    cursor.all(&["]"])?;
    cursor.end()?;
    Ok(match index {
        Some(level) => Range::Attached { level, offsets },
        None => Range::Runs { outer, offsets },
    })
}

/// `for i1 in t40[3 r + 1] .. t40[3 r + 2] where t40[3 r] is 0`.
fn arm(cursor: &mut Cursor<'_>) -> Result<Arm, TextError> {
    cursor.all(&["for"])?;
    let level = level(cursor)?;
    cursor.all(&["in"])?;
    let runs = table(cursor)?;
    entry(cursor, Some(1))?;
    cursor.all(&[".."])?;
    same_table(cursor, runs)?;
    entry(cursor, Some(2))?;
    cursor.all(&["where"])?;
    same_table(cursor, runs)?;
    entry(cursor, None)?;
    cursor.all(&["is"])?;
    let number = match cursor.takes("none") {
        true => None,
        false => Some(cursor.integer()?),
    };
    cursor.end()?;
    Ok(Arm {
        level,
        runs,
        number,
    })
}

/// `[3 r]` or `[3 r + 1]`.
fn entry(cursor: &mut Cursor<'_>, offset: Option<u32>) -> Result<(), TextError> {
    cursor.all(&["["])?;
    cursor.exactly(3)?;
    cursor.all(&["r"])?;
    if let Some(offset) = offset {
        cursor.all(&["+"])?;
        cursor.exactly(offset)?;
    }
    cursor.all(&["]"])
}

fn outer_of(level: Level) -> Level {
    Level(level.0.saturating_sub(1))
}

fn table(cursor: &mut Cursor<'_>) -> Result<u32, TextError> {
    let table = cursor.numbered('t')?;
    table.ok_or_else(|| cursor.expected("a table such as `t0`"))
}

fn same_table(cursor: &mut Cursor<'_>, wanted: u32) -> Result<(), TextError> {
    let before = *cursor;
    match table(cursor)? {
        table if table == wanted => Ok(()),
        _ => Err(before.expected(format!("`t{wanted}`"))),
    }
}

fn place(cursor: &mut Cursor<'_>) -> Result<Option<Place>, TextError> {
    if let Some(slot) = cursor.numbered('m')? {
        return Ok(Some(Place::Slot(slot)));
    }
    if let Some(base) = cursor.numbered('c')? {
        cursor.all(&["["])?;
        let level = level(cursor)?;
        cursor.all(&["]"])?;
        return Ok(Some(Place::Column { base, level }));
    }
    if cursor.takes("c") {
        cursor.all(&["["])?;
        let table = table(cursor)?;
        cursor.all(&["["])?;
        let level = level(cursor)?;
        cursor.all(&["]", "]"])?;
        return Ok(Some(Place::Linked { table, level }));
    }
    Ok(None)
}

fn register(cursor: &mut Cursor<'_>) -> Result<Register, TextError> {
    let number = cursor.numbered('r')?;
    let number = number.ok_or_else(|| cursor.expected("a register such as `r0`"))?;
    Ok(Register(number))
}

fn level(cursor: &mut Cursor<'_>) -> Result<Level, TextError> {
    let before = *cursor;
    let number = cursor
        .numbered('i')?
        .and_then(|number| u8::try_from(number).ok());
    let number = number.ok_or_else(|| before.expected("a level such as `i0`, up to `i255`"))?;
    Ok(Level(number))
}
