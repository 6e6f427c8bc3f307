//! What the places, events and loops of a kernel are called in its mechanism.

use lems_ir::{Clock, Level, Place};

use super::foreign::{Foreign, Source};
use super::mechanism::{Kind, LoopNames, Module, Phase};
use super::print::{Named, Reads, Scope};
use crate::groups::{Loop, Part};

/// A mechanism as one of its kernels sees it.
pub(super) struct PartScope<'m, 'p> {
    pub module: &'m Module<'p>,
    pub part: Part,
}

impl Scope for PartScope<'_, '_> {
    fn place(&self, place: Place, loops: &[Loop]) -> Named {
        let module = self.module;
        if let Place::Column { base, level } = place
            && let Some(variable) = module.variables.get(&base)
            && let Some((_, index)) = module.level(self.part, loops, level)
        {
            let name = &variable.name;
            return match variable.kind {
                Kind::Fixed(_) => Named {
                    text: name.clone(),
                    reads: Reads::Nothing,
                },
                Kind::Given => Named {
                    text: format!("{name}{index}"),
                    reads: Reads::Nothing,
                },
                Kind::From(_) | Kind::FromOwn(_) => Named {
                    text: format!("{name}{index}"),
                    reads: Reads::Column(base),
                },
            };
        }
        match module.foreign.get(place, module, self.part, loops) {
            Some(Foreign {
                text,
                source: Source::Constant,
            }) => Named {
                text,
                reads: Reads::Nothing,
            },
            Some(Foreign { text, .. }) => Named {
                text,
                reads: Reads::Any,
            },
            None => Named {
                text: "unknown".to_owned(),
                reads: Reads::Any,
            },
        }
    }

    fn emit(&self, port: u32, level: Level, loops: &[Loop]) -> Vec<String> {
        let module = self.module;
        let Some(of) = module.ports.get(port) else {
            return Vec::new();
        };
        let Some((group, index)) = module.level(self.part, loops, level) else {
            return Vec::new();
        };
        let argument = match module.places.is_attached(group) {
            true => format!("j{}", level.0),
            false => String::new(),
        };
        let inside = of
            .inside
            .iter()
            .map(|handler| format!("handle_{handler}({argument})"));
        let mut lines: Vec<String> = inside.collect();
        if let Some(counter) = module.counters.get(&port) {
            let is_handler = matches!(self.part, Part::Handler(_));
            let name = if is_handler {
                counter.held.as_ref()
            } else {
                None
            };
            let name = format!("{}{index}", name.unwrap_or(&counter.name));
            lines.push(format!("{name} = {name} + 1"));
        }
        lines
    }

    fn open(&self, loops: &[Loop]) -> Vec<String> {
        let module = self.module;
        let (Some(key), level) = (loops.last(), loops.len()) else {
            return Vec::new();
        };
        let outer = level - 1;
        let host = module
            .places
            .groups
            .at(self.part, loops.get(..outer).unwrap_or_default());
        let nested = host.is_some_and(|host| module.places.is_attached(host));
        // The bounds of a loop of NMODL are no elements of arrays.
        let from = |index: String, first: String, last: String| {
            vec![
                format!("first_{index} = {first}"),
                format!("last_{index} = {last} - 1"),
                format!("FROM {index} = first_{index} TO last_{index} {{"),
            ]
        };
        let over = |index: String, name: &str| match nested {
            true => from(
                index,
                format!("{name}[j{outer}]"),
                format!("{name}[j{outer} + 1]"),
            ),
            false => vec![format!("FROM {index} = 0 TO {name} - 1 {{")],
        };
        match module.loops.get(key) {
            Some(LoopNames::Bounds(first, end)) => {
                let host = if nested {
                    format!("[j{outer}]")
                } else {
                    String::new()
                };
                from(
                    format!("j{level}"),
                    format!("{first}{host}"),
                    format!("{end}{host}"),
                )
            }
            Some(LoopNames::Members(name)) => over(format!("j{level}"), name),
            Some(LoopNames::Runs {
                at,
                kind,
                first,
                last,
            }) => {
                let arm = match key {
                    Loop::Run { arm, .. } => *arm,
                    Loop::Attached { .. } => 0,
                };
                let mut lines = over(format!("k{level}"), at);
                lines.push(format!("if ({kind}[k{level}] == {arm}) {{"));
                let (first, last) = (format!("{first}[k{level}]"), format!("{last}[k{level}]"));
                lines.extend(from(format!("j{level}"), first, last));
                lines
            }
            None => Vec::new(),
        }
    }

    fn step(&self) -> String {
        self.module.step.clone()
    }

    fn time(&self) -> String {
        let (time, step) = (&self.module.time, &self.module.step);
        let clock = self.module.places.program.clock;
        match (self.module.phase(self.part), clock) {
            (Phase::Step, _) => time.clone(),
            (Phase::Currents, Clock::Halves) => "(t/1000)".to_owned(),
            (Phase::Currents, Clock::Sum | Clock::Product) => format!("({time} + {step}/2)"),
        }
    }
}
