//! Reads a whole program.

use std::str::FromStr;

use crate::{
    Action, Cable, CableNode, Call, Edge, Kernel, Membrane, Program, Routes, Scheduled, Scheme,
    SchemeMethod, Setup, Solver, Target,
};

use super::cursor::{Cursor, Line, Token, lines, list};
use super::{MOST_COUNTED, MOST_NESTED, Problem, TextError};

/// What a line has to begin with that is not inside another.
const SECTIONS: &str = "`memory`, `links`, `scheme`, `cable`, `kernel`, `handler`, `setup`, \
                        `routes` or `schedule`";

/// Reads what `Display` writes; see [`Problem`] for what can be wrong.
impl FromStr for Program {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Program, TextError> {
        let mut parser = Parser::new(lines(text, 1)?);
        let mut program = Program::default();
        while let Some(cursor) = parser.line_of(0)? {
            parser.advance();
            parser.section(cursor, &mut program)?;
        }
        Ok(program)
    }
}

/// A place among the lines of a text.
pub(super) struct Parser<'t> {
    lines: Vec<Line<'t>>,
    next: usize,
    /// Blocks around.
    nested: usize,
    /// How many things may still be counted or repeated.
    room: usize,
    /// Sections that may be there once only.
    seen: Vec<&'static str>,
}

impl<'t> Parser<'t> {
    pub(super) fn new(lines: Vec<Line<'t>>) -> Parser<'t> {
        Parser {
            lines,
            next: 0,
            nested: 0,
            room: MOST_COUNTED,
            seen: Vec::new(),
        }
    }

    pub(super) fn next_line(&self) -> Option<Line<'t>> {
        self.lines.get(self.next).copied()
    }

    /// The start of the last line that was read, as the place of an error about what follows it.
    pub(super) fn place(&self) -> Cursor<'t> {
        let before = self.next.checked_sub(1);
        let line = before.and_then(|before| self.lines.get(before));
        let line = line.copied().or_else(|| self.next_line());
        let nowhere = Line {
            number: 1,
            indent: 0,
            text: "",
        };
        line.unwrap_or(nowhere).start()
    }

    /// The next line if it belongs to a block with the given indentation.
    pub(super) fn line_of(&self, indent: usize) -> Result<Option<Cursor<'t>>, TextError> {
        match self.next_line() {
            Some(line) if line.indent > indent => Err(line.start().error(Problem::TooFarIn)),
            Some(line) if line.indent == indent => Ok(Some(line.start())),
            Some(_) | None => Ok(None),
        }
    }

    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    /// The indentation of the block inside a line; `None` if there is none. A block that is
    /// opened must be closed.
    pub(super) fn open(&mut self, indent: usize) -> Result<Option<usize>, TextError> {
        match self.next_line() {
            Some(line) if line.indent > indent => {
                if self.nested == MOST_NESTED {
                    return Err(line.start().error(Problem::Nesting));
                }
                self.nested += 1;
                Ok(Some(line.indent))
            }
            Some(_) | None => Ok(None),
        }
    }

    pub(super) fn close(&mut self) {
        self.nested = self.nested.saturating_sub(1);
    }

    /// Counts things that the text does not spell out, so that a short text cannot ask for very many.
    pub(super) fn count(&mut self, things: usize) -> Result<(), Problem> {
        self.room = self.room.checked_sub(things).ok_or(Problem::TooMuch)?;
        Ok(())
    }

    fn section(&mut self, mut cursor: Cursor<'t>, program: &mut Program) -> Result<(), TextError> {
        let start = cursor;
        let Token::Word(word) = cursor.take() else {
            return Err(start.expected(SECTIONS));
        };
        match word {
            "memory" => {
                self.once("memory", start)?;
                cursor.end()?;
                self.table(&['m', 'c'], Cursor::double, &mut program.memory)
            }
            "links" => {
                self.once("links", start)?;
                cursor.end()?;
                self.table(&['t'], Cursor::integer, &mut program.links)
            }
            "scheme" => {
                program.schemes.push(scheme(cursor, program.schemes.len())?);
                Ok(())
            }
            "cable" => {
                cursor.next_number(program.cables.len())?;
                cursor.end()?;
                let nodes = self.inside(0, cable_node)?;
                program.cables.push(Cable::new(nodes));
                Ok(())
            }
            "kernel" => self.numbered_kernel(cursor, &mut program.kernels),
            "handler" => self.numbered_kernel(cursor, &mut program.handlers),
            "setup" if cursor.takes("schedule") => {
                self.once("setup schedule", start)?;
                cursor.end()?;
                program.setup = self.setup(0)?;
                Ok(())
            }
            "setup" => self.numbered_kernel(cursor, &mut program.setups),
            "routes" => {
                self.once("routes", start)?;
                program.routes = self.routes(cursor)?;
                Ok(())
            }
            "schedule" => {
                self.once("schedule", start)?;
                cursor.end()?;
                program.schedule = self.inside(0, scheduled)?;
                Ok(())
            }
            _ => Err(start.expected(SECTIONS)),
        }
    }

    fn once(&mut self, section: &'static str, start: Cursor<'_>) -> Result<(), TextError> {
        if self.seen.contains(&section) {
            return Err(start.error(Problem::SecondSection(section)));
        }
        self.seen.push(section);
        Ok(())
    }

    fn numbered_kernel(
        &mut self,
        mut cursor: Cursor<'_>,
        kernels: &mut Vec<Kernel>,
    ) -> Result<(), TextError> {
        cursor.next_number(kernels.len())?;
        let name = cursor.name()?;
        cursor.end()?;
        let kernel = self.kernel(name, 0)?;
        self.nested = 0;
        kernels.push(kernel);
        Ok(())
    }

    /// One thing from each line inside a line with the given indentation.
    fn inside<T>(
        &mut self,
        indent: usize,
        thing: impl Fn(&mut Cursor<'t>) -> Result<T, TextError>,
    ) -> Result<Vec<T>, TextError> {
        let mut things = Vec::new();
        let Some(inner) = self.open(indent)? else {
            return Ok(things);
        };
        while let Some(mut cursor) = self.line_of(inner)? {
            things.push(thing(&mut cursor)?);
            cursor.end()?;
            self.advance();
        }
        self.close();
        Ok(things)
    }

    /// Lines of numbers, each line after the number of its first.
    fn table<T: Copy>(
        &mut self,
        letters: &[char],
        number: impl Fn(&mut Cursor<'t>) -> Result<T, TextError>,
        numbers: &mut Vec<T>,
    ) -> Result<(), TextError> {
        let Some(inner) = self.open(0)? else {
            return Ok(());
        };
        while let Some(mut cursor) = self.line_of(inner)? {
            label(&mut cursor, letters, numbers.len())?;
            cursor.all(&[":"])?;
            while cursor.peek() != Token::End {
                let before = cursor;
                let Some(count) = cursor.factor()? else {
                    numbers.push(number(&mut cursor)?);
                    continue;
                };
                let counted = self.count(count as usize);
                counted.map_err(|problem| before.error(problem))?;
                let repeated = number(&mut cursor)?;
                numbers.resize(numbers.len() + count as usize, repeated);
            }
            self.advance();
        }
        self.close();
        Ok(())
    }

    fn routes(&mut self, mut cursor: Cursor<'t>) -> Result<Routes, TextError> {
        cursor.all(&["of"])?;
        let before = cursor;
        let sources = cursor.integer()?;
        let counted = self.count(sources as usize);
        counted.map_err(|problem| before.error(problem))?;
        cursor.all(&["sources"])?;
        cursor.end()?;
        let routes = self.inside(0, |cursor| {
            let before = *cursor;
            let source = cursor.integer()?;
            if source >= sources {
                return Err(before.error(Problem::UnknownSource {
                    source_number: source,
                    sources,
                }));
            }
            cursor.all(&["->"])?;
            Ok((source, target(cursor)?))
        })?;
        Ok(match sources {
            0 => Routes::default(),
            _ => Routes::new(sources, &routes),
        })
    }

    /// The parts of the set-up schedule inside a line with the given indentation.
    fn setup(&mut self, indent: usize) -> Result<Vec<Setup>, TextError> {
        let mut parts = Vec::new();
        let Some(inner) = self.open(indent)? else {
            return Ok(parts);
        };
        while let Some(mut cursor) = self.line_of(inner)? {
            let twice = cursor.takes("twice");
            let one = match twice {
                true => None,
                false => Some(call(&mut cursor, "setup")?),
            };
            cursor.end()?;
            self.advance();
            parts.push(match one {
                Some(call) => Setup::Call(call),
                None => Setup::Twice(self.setup(inner)?),
            });
        }
        self.close();
        Ok(parts)
    }
}

/// The number of the first entry of a line of a table, which is the next one.
fn label(cursor: &mut Cursor<'_>, letters: &[char], expected: usize) -> Result<(), TextError> {
    let before = *cursor;
    for letter in letters {
        if let Some(found) = cursor.numbered(*letter)? {
            return match found as usize == expected {
                true => Ok(()),
                false => Err(before.error(Problem::OutOfOrder { found, expected })),
            };
        }
    }
    let letters: Vec<String> = letters.iter().map(|l| format!("`{l}{expected}`")).collect();
    Err(before.expected(letters.join(" or ")))
}

/// A part of a step.
fn scheduled(cursor: &mut Cursor<'_>) -> Result<Scheduled, TextError> {
    let begins = |word: &str| {
        let mut ahead = *cursor;
        ahead.takes(word)
    };
    if begins("midway") {
        return Ok(Scheduled::Midway(call(cursor, "midway")?));
    }
    if begins("solve") {
        cursor.all(&["solve"])?;
        let solver = if cursor.takes("implicit") {
            Solver::Implicit
        } else {
            Solver::Trapezoidal
        };
        let first = cursor.integer()?;
        cursor.all(&[".."])?;
        return Ok(Scheduled::Solve(solver, first..cursor.integer()?));
    }
    Ok(Scheduled::Call(call(cursor, "kernel")?))
}

fn call(cursor: &mut Cursor<'_>, kind: &str) -> Result<Call, TextError> {
    cursor.all(&[kind])?;
    let kernel = cursor.integer()?;
    cursor.all(&["for"])?;
    let first = cursor.integer()?;
    cursor.all(&[".."])?;
    let last = cursor.integer()?;
    Ok(Call {
        kernel,
        first,
        last,
    })
}

fn scheme(mut cursor: Cursor<'_>, number: usize) -> Result<Scheme, TextError> {
    cursor.next_number(number)?;
    cursor.all(&["of"])?;
    let size = cursor.integer()? as usize;
    cursor.all(&["states"])?;
    let method = if cursor.takes("by") {
        cursor.all(&["uniformisation"])?;
        SchemeMethod::Uniformisation
    } else {
        SchemeMethod::Squaring
    };
    cursor.all(&[":"])?;
    let edges = list(&mut cursor, |cursor| {
        let source = cursor.integer()? as usize;
        cursor.all(&["<->"])?;
        let target = cursor.integer()? as usize;
        Ok(Edge { source, target })
    })?;
    cursor.end()?;
    Ok(Scheme {
        edges,
        size,
        method,
    })
}

fn cable_node(cursor: &mut Cursor<'_>) -> Result<CableNode, TextError> {
    let mut node = CableNode {
        parent: None,
        conductance: 0.0,
        potential: slot(cursor)?,
        has_capacitance: true,
        membrane: None,
    };
    if cursor.takes("to") {
        node.parent = Some(cursor.integer()?);
    }
    if cursor.takes("by") {
        node.conductance = cursor.double()?;
    }
    while cursor.takes(",") {
        if cursor.takes("point") {
            node.has_capacitance = false;
        } else if cursor.takes("rate") {
            let rate = slot(cursor)?;
            cursor.all(&["slope"])?;
            let slope = slot(cursor)?;
            cursor.all(&["capacitance"])?;
            let capacitance = slot(cursor)?;
            node.membrane = Some(Membrane {
                rate,
                slope,
                capacitance,
            });
        } else {
            return Err(cursor.expected("`point` or `rate`"));
        }
    }
    Ok(node)
}

/// A slot of memory, such as `m3`.
fn slot(cursor: &mut Cursor<'_>) -> Result<u32, TextError> {
    cursor
        .numbered('m')?
        .ok_or_else(|| cursor.expected("a slot such as `m0`"))
}

fn target(cursor: &mut Cursor<'_>) -> Result<Target, TextError> {
    let action = if cursor.takes("handler") {
        let handler = cursor.integer()?;
        cursor.all(&["for"])?;
        let instance = cursor.integer()?;
        Action::Handle { handler, instance }
    } else if cursor.takes("record") {
        let selection = cursor.integer()?;
        Action::Record { selection }
    } else {
        return Err(cursor.expected("`handler` or `record`"));
    };
    let delay = match cursor.takes("after") {
        true => cursor.double()?,
        false => 0.0,
    };
    Ok(Target { action, delay })
}
