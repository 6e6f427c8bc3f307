//! Kernels as text, for `show kernel` and for the text of a whole program ([`crate::text`]).

use std::fmt::{Display, Formatter, Result};

use crate::{Fusion, Kernel, Level, Logic, Operation, Operator, Place, Register, Statement};

/// A listing, one statement a line.
///
/// `m7` is slot 7, `c12[i0]` the column from slot 12, `c[t3[i0]]` a variable of another group
/// through the links from entry 3, `t3` the offset table there. `i0` is the kernel's own
/// instance, `i1`, `i2` … are those attached to it.
impl Display for Kernel {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "{}", self.name)?;
        write_block(f, &self.body, 1)
    }
}

/// A listing of statements, indented by one step.
#[derive(Debug, Clone, Copy)]
pub struct Listing<'b>(pub &'b [Statement]);

impl Display for Listing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write_block(f, self.0, 1)
    }
}

pub(crate) fn write_block(f: &mut Formatter<'_>, block: &[Statement], depth: usize) -> Result {
    block
        .iter()
        .try_for_each(|statement| write_statement(f, statement, depth))
}

fn write_statement(f: &mut Formatter<'_>, statement: &Statement, depth: usize) -> Result {
    let indent = "  ".repeat(depth);
    match statement {
        Statement::Let(register, operation) => writeln!(f, "{indent}{register} = {operation}"),
        Statement::Store(place, register) => writeln!(f, "{indent}{place} = {register}"),
        Statement::If {
            condition,
            then,
            otherwise,
        } => {
            writeln!(f, "{indent}if {condition}")?;
            write_block(f, then, depth + 1)?;
            if !otherwise.is_empty() {
                writeln!(f, "{indent}else")?;
                write_block(f, otherwise, depth + 1)?;
            }
            Ok(())
        }
        Statement::Emit { port, level } => writeln!(f, "{indent}emit {port} + {level}"),
        Statement::ForAttached {
            offsets,
            level,
            body,
        } => {
            write_range(f, &indent, *level, *level, *offsets)?;
            write_block(f, body, depth + 1)
        }
        Statement::ForRuns {
            offsets,
            runs,
            level,
            arms,
        } => {
            write_range(f, &indent, "r", *level, *offsets)?;
            if arms.is_empty() {
                write_arm(f, &indent, *level, *runs, "none")?;
            }
            for (number, arm) in arms.iter().enumerate() {
                write_arm(f, &indent, *level, *runs, number)?;
                write_block(f, arm, depth + 2)?;
            }
            Ok(())
        }
        Statement::Propagate {
            scheme,
            occupancies,
            rates,
            results,
        } => {
            let rates = rates
                .iter()
                .map(|(forward, reverse)| format!("{forward} / {reverse}"));
            writeln!(
                f,
                "{indent}{} = propagate scheme {scheme} from {} with {}",
                list(results),
                list(occupancies),
                list(rates)
            )
        }
        Statement::Twice(body) => {
            writeln!(f, "{indent}twice")?;
            write_block(f, body, depth + 1)
        }
    }
}

fn write_range(
    f: &mut Formatter<'_>,
    indent: &str,
    index: impl Display,
    level: Level,
    offsets: u32,
) -> Result {
    let outer = Level(level.0.saturating_sub(1));
    let table = format!("t{offsets}");
    writeln!(
        f,
        "{indent}for {index} in {table}[{outer}] .. {table}[{outer} + 1]"
    )
}

fn write_arm(
    f: &mut Formatter<'_>,
    indent: &str,
    level: Level,
    runs: u32,
    number: impl Display,
) -> Result {
    writeln!(
        f,
        "{indent}  for {level} in t{runs}[3 r + 1] .. t{runs}[3 r + 2] where t{runs}[3 r] is {number}"
    )
}

/// Items with commas between them; `none` if there are none.
fn list(items: impl IntoIterator<Item = impl Display>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| item.to_string()).collect();
    match items.is_empty() {
        true => "none".to_owned(),
        false => items.join(", "),
    }
}

/// A double as the shortest decimal that reads back as the same one; a NaN with its bits unless
/// they are the usual ones.
pub(crate) struct Double(pub(crate) f64);

impl Display for Double {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let usual = f64::NAN.to_bits();
        match self.0.to_bits() {
            _ if !self.0.is_nan() => write!(f, "{:?}", self.0),
            bits if bits == usual => write!(f, "NaN"),
            bits if bits == usual | 1 << 63 => write!(f, "-NaN"),
            bits => write!(f, "NaN({bits:#018x})"),
        }
    }
}

impl Display for Register {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "r{}", self.0)
    }
}

impl Display for Level {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "i{}", self.0)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Place::Slot(slot) => write!(f, "m{slot}"),
            Place::Column { base, level } => write!(f, "c{base}[{level}]"),
            Place::Linked { table, level } => write!(f, "c[t{table}[{level}]]"),
        }
    }
}

impl Display for Operation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Operation::Constant(value) => write!(f, "{}", Double(*value)),
            Operation::Time => write!(f, "time"),
            Operation::Step => write!(f, "step"),
            Operation::Load(place) => write!(f, "{place}"),
            Operation::Copy(register) => write!(f, "{register}"),
            Operation::Binary(operator, left, right) => {
                let symbol = match operator {
                    Operator::Add => "+",
                    Operator::Subtract => "-",
                    Operator::Multiply => "*",
                    Operator::Divide => "/",
                    Operator::Power => "^",
                };
                write!(f, "{left} {symbol} {right}")
            }
            Operation::Compare(comparison, left, right) => {
                write!(f, "{left} {} {right}", comparison.c_operator())
            }
            Operation::Logic(Logic::And, left, right) => write!(f, "{left} and {right}"),
            Operation::Logic(Logic::Or, left, right) => write!(f, "{left} or {right}"),
            Operation::Not(register) => write!(f, "not {register}"),
            Operation::Select(condition, yes, no) => {
                write!(f, "if {condition} then {yes} else {no}")
            }
            Operation::Call(function, argument) => write!(f, "{function}({argument})"),
            Operation::Fused(Fusion::Add, a, b, c) => write!(f, "fused {a} * {b} + {c}"),
            Operation::Fused(Fusion::Subtract, a, b, c) => write!(f, "fused {a} * {b} - {c}"),
            Operation::Fused(Fusion::SubtractFrom, a, b, c) => write!(f, "fused {c} - {a} * {b}"),
            Operation::Random(scale) => write!(f, "random({scale})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Comparison, Function, Scalar};

    #[test]
    fn a_listing_reads_like_a_program() {
        let r = Register;
        let load = |register, place| Statement::Let(r(register), Operation::Load(place));
        let own = Level(0);
        let kernel = Kernel {
            name: "cell".to_owned(),
            registers: vec![Scalar::Real, Scalar::Real, Scalar::Real, Scalar::Truth],
            body: vec![
                Statement::Let(r(0), Operation::Constant(1e-3)),
                load(1, Place::Slot(7)),
                Statement::Let(r(2), Operation::Binary(Operator::Multiply, r(0), r(1))),
                Statement::Let(r(3), Operation::Compare(Comparison::Greater, r(2), r(0))),
                Statement::If {
                    condition: r(3),
                    then: vec![Statement::Emit {
                        port: 5,
                        level: own,
                    }],
                    otherwise: vec![Statement::Let(r(0), Operation::Call(Function::Exp, r(1)))],
                },
                Statement::ForAttached {
                    offsets: 20,
                    level: Level(1),
                    body: vec![load(
                        1,
                        Place::Linked {
                            table: 9,
                            level: Level(1),
                        },
                    )],
                },
                Statement::ForRuns {
                    offsets: 30,
                    runs: 40,
                    level: Level(1),
                    arms: vec![vec![], vec![load(1, Place::Slot(8))]],
                },
                Statement::Store(
                    Place::Column {
                        base: 12,
                        level: own,
                    },
                    r(2),
                ),
                Statement::Propagate {
                    scheme: 2,
                    occupancies: vec![r(0), r(1)],
                    rates: vec![(r(1), r(2))],
                    results: vec![r(0), r(1)],
                },
            ],
        };
        let expected = "\
cell
  r0 = 0.001
  r1 = m7
  r2 = r0 * r1
  r3 = r2 > r0
  if r3
    emit 5 + i0
  else
    r0 = exp(r1)
  for i1 in t20[i0] .. t20[i0 + 1]
    r1 = c[t9[i1]]
  for r in t30[i0] .. t30[i0 + 1]
    for i1 in t40[3 r + 1] .. t40[3 r + 2] where t40[3 r] is 0
    for i1 in t40[3 r + 1] .. t40[3 r + 2] where t40[3 r] is 1
      r1 = m8
  c12[i0] = r2
  r0, r1 = propagate scheme 2 from r0, r1 with r1 / r2
";
        assert_eq!(kernel.to_string(), expected);
    }
}
