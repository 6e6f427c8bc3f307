//! A program as text.

use std::fmt::{Display, Formatter, Result};

use crate::print::{Double, write_block};
use crate::{
    Action, Cable, Call, Kernel, Program, Scalar, Scheduled, Scheme, SchemeMethod, Setup, Solver,
};

use super::MOST_COUNTED;
use super::registers::inferred;

/// Numbers on a line of a table.
const ON_A_LINE: usize = 8;
/// Equal numbers that are worth a factor.
const FEWEST_REPEATED: usize = 4;

/// The text of a whole program, which [`FromStr`](std::str::FromStr) reads back with the same
/// bits.
impl Display for Program {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut sections = Sections { f, any: false };
        sections.memory(&self.memory)?;
        sections.links(&self.links)?;
        sections.schemes(&self.schemes)?;
        sections.cables(&self.cables)?;
        sections.kernels("kernel", &self.kernels)?;
        sections.kernels("handler", &self.handlers)?;
        sections.kernels("setup", &self.setups)?;
        sections.routes(self)?;
        sections.schedule(self)?;
        sections.setup(&self.setup)
    }
}

struct Sections<'f, 'o> {
    f: &'f mut Formatter<'o>,
    /// Whether there is a section before.
    any: bool,
}

impl Sections<'_, '_> {
    /// Puts a blank line between sections.
    fn begin(&mut self) -> Result {
        match std::mem::replace(&mut self.any, true) {
            true => writeln!(self.f),
            false => Ok(()),
        }
    }

    fn memory(&mut self, memory: &[f64]) -> Result {
        if memory.is_empty() {
            return Ok(());
        }
        self.begin()?;
        writeln!(self.f, "memory")?;
        let same = |one: &f64, other: &f64| one.to_bits() == other.to_bits();
        self.table("m", memory, same, |number, f| {
            write!(f, "{}", Double(*number))
        })
    }

    fn links(&mut self, links: &[u32]) -> Result {
        if links.is_empty() {
            return Ok(());
        }
        self.begin()?;
        writeln!(self.f, "links")?;
        self.table(
            "t",
            links,
            |one, other| one == other,
            |number, f| write!(f, "{number}"),
        )
    }

    /// Numbers, some on each line, after the number of the first.
    fn table<T>(
        &mut self,
        label: &str,
        numbers: &[T],
        same: impl Fn(&T, &T) -> bool,
        write_number: impl Fn(&T, &mut Formatter<'_>) -> Result,
    ) -> Result {
        let mut at = 0;
        let mut on_line = 0;
        let mut room = MOST_COUNTED;
        for run in numbers.chunk_by(|one, other| same(one, other)) {
            let Some(number) = run.first() else { continue };
            let repeated = run.len() >= FEWEST_REPEATED && run.len() <= room;
            if repeated {
                room -= run.len();
            }
            for _ in 0..if repeated { 1 } else { run.len() } {
                match on_line {
                    0 => write!(self.f, "  {label}{at}: ")?,
                    _ => write!(self.f, " ")?,
                }
                if repeated {
                    write!(self.f, "{} * ", run.len())?;
                }
                write_number(number, self.f)?;
                at += if repeated { run.len() } else { 1 };
                on_line += 1;
                if on_line == ON_A_LINE {
                    writeln!(self.f)?;
                    on_line = 0;
                }
            }
        }
        match on_line {
            0 => Ok(()),
            _ => writeln!(self.f),
        }
    }

    fn schemes(&mut self, schemes: &[Scheme]) -> Result {
        for (number, scheme) in schemes.iter().enumerate() {
            self.begin()?;
            let method = match scheme.method {
                SchemeMethod::Squaring => "",
                SchemeMethod::Uniformisation => " by uniformisation",
            };
            let size = scheme.size;
            write!(self.f, "scheme {number} of {size} states{method}: ")?;
            if scheme.edges.is_empty() {
                write!(self.f, "none")?;
            }
            for (place, edge) in scheme.edges.iter().enumerate() {
                let comma = if place == 0 { "" } else { ", " };
                write!(self.f, "{comma}{} <-> {}", edge.source, edge.target)?;
            }
            writeln!(self.f)?;
        }
        Ok(())
    }

    fn cables(&mut self, cables: &[Cable]) -> Result {
        for (number, cable) in cables.iter().enumerate() {
            self.begin()?;
            writeln!(self.f, "cable {number}")?;
            for node in cable.nodes() {
                write!(self.f, "  m{}", node.potential)?;
                if let Some(parent) = node.parent {
                    write!(self.f, " to {parent}")?;
                }
                if node.conductance.to_bits() != 0 {
                    write!(self.f, " by {}", Double(node.conductance))?;
                }
                if !node.has_capacitance {
                    write!(self.f, ", point")?;
                }
                if let Some(membrane) = node.membrane {
                    let (rate, slope) = (membrane.rate, membrane.slope);
                    let capacitance = membrane.capacitance;
                    write!(
                        self.f,
                        ", rate m{rate} slope m{slope} capacitance m{capacitance}"
                    )?;
                }
                writeln!(self.f)?;
            }
        }
        Ok(())
    }

    fn kernels(&mut self, kind: &str, kernels: &[Kernel]) -> Result {
        for (number, kernel) in kernels.iter().enumerate() {
            self.begin()?;
            writeln!(self.f, "{kind} {number} {:?}", kernel.name)?;
            if inferred(&kernel.body).as_ref() != Ok(&kernel.registers) {
                writeln!(self.f, "  registers {}", declaration(&kernel.registers))?;
            }
            write_block(self.f, &kernel.body, 1)?;
        }
        Ok(())
    }

    fn routes(&mut self, program: &Program) -> Result {
        let sources = program.routes.sources();
        if sources == 0 {
            return Ok(());
        }
        self.begin()?;
        writeln!(self.f, "routes of {sources} sources")?;
        for (source, target) in program.routes.all() {
            write!(self.f, "  {source} -> ")?;
            match target.action {
                Action::Handle { handler, instance } => {
                    write!(self.f, "handler {handler} for {instance}")?;
                }
                Action::Record { selection } => write!(self.f, "record {selection}")?,
            }
            match target.delay.to_bits() {
                0 => writeln!(self.f)?,
                _ => writeln!(self.f, " after {}", Double(target.delay))?,
            }
        }
        Ok(())
    }

    fn schedule(&mut self, program: &Program) -> Result {
        if program.schedule.is_empty() {
            return Ok(());
        }
        self.begin()?;
        writeln!(self.f, "schedule")?;
        for scheduled in &program.schedule {
            match scheduled {
                Scheduled::Call(call) => self.call("kernel", call)?,
                Scheduled::Midway(call) => self.call("midway", call)?,
                Scheduled::Solve(solver, cables) => {
                    let how = match solver {
                        Solver::Trapezoidal => "solve",
                        Solver::Implicit => "solve implicit",
                    };
                    writeln!(self.f, "  {how} {} .. {}", cables.start, cables.end)?;
                }
            }
        }
        Ok(())
    }

    fn call(&mut self, word: &str, call: &Call) -> Result {
        let (kernel, first, last) = (call.kernel, call.first, call.last);
        writeln!(self.f, "  {word} {kernel} for {first} .. {last}")
    }

    fn setup(&mut self, setup: &[Setup]) -> Result {
        if setup.is_empty() {
            return Ok(());
        }
        self.begin()?;
        writeln!(self.f, "setup schedule")?;
        write_setup(self.f, setup, 1)
    }
}

fn write_setup(f: &mut Formatter<'_>, setup: &[Setup], depth: usize) -> Result {
    let indent = "  ".repeat(depth);
    for part in setup {
        match part {
            Setup::Call(call) => {
                let (kernel, first, last) = (call.kernel, call.first, call.last);
                writeln!(f, "{indent}setup {kernel} for {first} .. {last}")?;
            }
            Setup::Twice(parts) => {
                writeln!(f, "{indent}twice")?;
                write_setup(f, parts, depth + 1)?;
            }
        }
    }
    Ok(())
}

/// The types of registers, equal neighbours together.
fn declaration(registers: &[Scalar]) -> String {
    if registers.is_empty() {
        return "none".to_owned();
    }
    let runs = registers.chunk_by(|one, other| one == other);
    let runs = runs.map(|run| {
        let word = match run.first() {
            Some(Scalar::Truth) => "truth",
            _ => "real",
        };
        format!("{} {word}", run.len())
    });
    runs.collect::<Vec<_>>().join(", ")
}
