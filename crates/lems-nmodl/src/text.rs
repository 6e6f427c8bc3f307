//! The text of a mechanism.

use std::fmt::Write;

use lems_expression::Dimension;
use lems_network::IonRule;

use crate::NotNative;
use crate::expression::{has_steps, is_linear, print};
use crate::mechanism::{Computed, Equation, IonUse, Mechanism, Quantity, Reference, Value};
use crate::units::{number, power_of_ten, unit};

/// Longest line before it is broken.
const LINE: usize = 110;

/// A mechanism with the values of its parameters, which are in SI units.
pub(crate) struct Printer<'a> {
    pub mechanism: &'a Mechanism,
    /// Its name in NEURON.
    pub name: &'a str,
    pub ions: &'a [IonRule],
    pub defaults: &'a [f64],
    /// Parameters that segments have their own values of, by index.
    pub ranges: &'a [bool],
}

impl Printer<'_> {
    /// The whole file.
    pub fn text(&self) -> Result<String, NotNative> {
        let mut text = String::new();
        let _ = writeln!(
            text,
            ": {}: {}, as a density mechanism. Made by jlems-rs.\n\
             : Units are mV, ms, mA, cm, K and mM, in which the equations of the model hold as they stand there.\n",
            self.name,
            plain(&self.mechanism.title)
        );
        self.neuron_block(&mut text);
        text.push_str("UNITS {\n    (mV) = (millivolt)\n    (mA) = (milliamp)\n    (S) = (siemens)\n    (um) = (micron)\n    (mM) = (milli/liter)\n}\n\n");
        self.declarations(&mut text);
        self.initial(&mut text)?;
        self.breakpoint(&mut text);
        self.steps(&mut text)?;
        let rates = self.mechanism.needed(self.mechanism.read_by_rates());
        if !rates.is_empty() {
            self.procedure(&mut text, "rates", &rates)?;
        }
        let current = self.needed_by_current();
        if !current.is_empty() {
            self.procedure(&mut text, "current", &current)?;
        }
        if self
            .mechanism
            .equations()
            .iter()
            .any(|equation| has_steps(&equation.expression))
        {
            text.push_str(
                "FUNCTION heaviside(x) {\n    heaviside = 0\n    if (x == 0) {\n        heaviside = 0.5\n    }\n    \
                 if (x > 0) {\n        heaviside = 1\n    }\n}\n\n",
            );
        }
        while text.ends_with("\n\n") {
            text.pop();
        }
        Ok(text)
    }

    fn reads(&self, reference: Reference) -> bool {
        self.mechanism.references().contains(&reference)
    }

    fn ion(&self, of: &IonUse) -> &str {
        self.ions.get(of.ion).map_or("", |rule| rule.name.as_str())
    }

    /// Whether there is something to do after the states have moved.
    fn is_test(&self) -> bool {
        !self.mechanism.tests.is_empty()
            || self.concentrations().next().is_some()
            || self.is_shown()
    }

    /// Whether variables of a mechanism without a current are computed for those who look at them.
    fn is_shown(&self) -> bool {
        self.mechanism.output.is_none() && !self.needed_by_current().is_empty()
    }

    /// Names of the concentrations of ions that the mechanism gives, and the variables that they are.
    fn concentrations(&self) -> impl Iterator<Item = (String, usize)> {
        self.mechanism.ions.iter().flat_map(|of| {
            let inside = of
                .inside
                .map(|variable| (format!("{}i", self.ion(of)), variable));
            let outside = of
                .outside
                .map(|variable| (format!("{}o", self.ion(of)), variable));
            inside.into_iter().chain(outside)
        })
    }

    fn neuron_block(&self, text: &mut String) {
        let _ = write!(
            text,
            "NEURON {{\n    THREADSAFE\n    SUFFIX {}\n",
            self.name
        );
        let mut carries = false;
        for of in &self.mechanism.ions {
            let (ion, mut reads, mut writes) = (self.ion(of), Vec::new(), Vec::new());
            for (reference, name, written) in [
                (
                    Reference::Inside(of.ion),
                    format!("{ion}i"),
                    of.inside.is_some(),
                ),
                (
                    Reference::Outside(of.ion),
                    format!("{ion}o"),
                    of.outside.is_some(),
                ),
                (Reference::Current(of.ion), format!("i{ion}"), of.carries),
            ] {
                match written {
                    true => writes.push(name),
                    false if self.reads(reference) => reads.push(name),
                    false => {}
                }
            }
            carries |= of.carries;
            let _ = write!(text, "    USEION {ion}");
            for (word, names) in [("READ", reads), ("WRITE", writes)] {
                if !names.is_empty() {
                    let _ = write!(text, " {word} {}", names.join(", "));
                }
            }
            let valence = self.ions.get(of.ion).map_or(0, |rule| rule.valence);
            let _ = writeln!(text, " VALENCE {valence}");
        }
        if self.mechanism.output.is_some() && !carries {
            text.push_str("    NONSPECIFIC_CURRENT i\n");
        }
        let parameters = self
            .mechanism
            .parameters
            .iter()
            .zip(self.ranges)
            .filter(|(_, range)| **range);
        let parameters = parameters.map(|(parameter, _)| parameter.name.as_str());
        let variables = self
            .mechanism
            .variables
            .iter()
            .map(|variable| variable.name.as_str());
        let names: Vec<&str> = parameters.chain(variables).collect();
        let mut line = String::new();
        for name in names {
            if line.len() + name.len() > LINE {
                let _ = writeln!(text, "    RANGE {line}");
                line.clear();
            }
            line.push_str(if line.is_empty() { "" } else { ", " });
            line.push_str(name);
        }
        if !line.is_empty() {
            let _ = writeln!(text, "    RANGE {line}");
        }
        text.push_str("}\n\n");
    }

    fn declarations(&self, text: &mut String) {
        let mechanism = self.mechanism;
        let mut lines: Vec<String> = Vec::new();
        for (parameter, value) in mechanism.parameters.iter().zip(self.defaults) {
            let Quantity {
                name,
                dimension,
                path,
            } = parameter;
            let value = number(*value, *dimension);
            lines.push(format!(
                "{name} = {value} ({})  : {}",
                unit(*dimension),
                plain(path)
            ));
        }
        block(text, "PARAMETER", &lines);
        let declared = |index: &usize| {
            let Quantity {
                name,
                dimension,
                path,
            } = mechanism.variables.get(*index)?;
            Some(format!("{name} ({})  : {}", unit(*dimension), plain(path)))
        };
        let lines: Vec<String> = mechanism.states.iter().filter_map(declared).collect();
        block(text, "STATE", &lines);
        let others: Vec<usize> = (0..mechanism.variables.len())
            .filter(|index| !mechanism.states.contains(index))
            .collect();
        let mut lines: Vec<String> = others.iter().filter_map(declared).collect();
        lines.push("v (mV)  : potential".to_owned());
        if self.reads(Reference::Temperature) {
            lines.push("celsius (degC)  : temperature".to_owned());
        }
        let of_compartment = mechanism.output.is_some_and(|output| output.of_compartment);
        let currents = (0..self.ions.len()).any(|ion| self.reads(Reference::Current(ion)));
        if self.reads(Reference::Area) || of_compartment || currents {
            lines.push("area (um2)  : membrane area".to_owned());
        }
        for of in &mechanism.ions {
            let ion = self.ion(of);
            if of.inside.is_some() || self.reads(Reference::Inside(of.ion)) {
                lines.push(format!("{ion}i (mM)  : concentration inside"));
            }
            if of.outside.is_some() || self.reads(Reference::Outside(of.ion)) {
                lines.push(format!("{ion}o (mM)  : concentration outside"));
            }
            if of.carries || self.reads(Reference::Current(of.ion)) {
                lines.push(format!(
                    "i{ion} (mA/cm2)  : current of the ion, out of the cell"
                ));
            }
        }
        if mechanism.output.is_some() && !mechanism.ions.iter().any(|of| of.carries) {
            lines.push("i (mA/cm2)  : current, out of the cell".to_owned());
        }
        block(text, "ASSIGNED", &lines);
    }

    fn initial(&self, text: &mut String) -> Result<(), NotNative> {
        let mechanism = self.mechanism;
        text.push_str("INITIAL {\n");
        for state in &mechanism.states {
            let _ = writeln!(text, "    {} = 0", self.variable(*state));
        }
        // Values at the start may be computed from others that were set before.
        let mut set: Vec<usize> = Vec::new();
        let mut known: Vec<usize> = Vec::new();
        let of_rates = mechanism.needed(mechanism.read_by_rates());
        let for_starts = mechanism.needed(
            mechanism
                .starts
                .iter()
                .flat_map(|(_, value)| value.names.clone()),
        );
        if for_starts
            .iter()
            .any(|computed| of_rates.contains(computed))
        {
            text.push_str("    rates()\n");
            known.extend(of_rates.iter().map(|computed| computed.variable));
        }
        for (variable, value) in &mechanism.starts {
            let needed = mechanism.needed(value.names.iter().copied());
            for computed in needed {
                let changes = mechanism
                    .depends_on(computed.value.references(), &|state| set.contains(&state));
                if changes || !known.contains(&computed.variable) {
                    known.push(computed.variable);
                    self.computation(text, computed, "    ")?;
                }
            }
            comment(
                text,
                "    ",
                &format!("{} := {}", self.path(*variable), value.text),
            );
            let dimension = mechanism
                .variables
                .get(*variable)
                .and_then(|variable| variable.dimension);
            let _ = writeln!(
                text,
                "    {} = {}",
                self.variable(*variable),
                self.side(value, dimension)?
            );
            set.push(*variable);
        }
        for number in 0..mechanism.schemes.len() {
            let _ = writeln!(
                text,
                "    SOLVE {} STEADYSTATE sparse",
                self.scheme_name(number)
            );
        }
        self.give_concentrations(text)?;
        text.push_str(if self.is_shown() {
            "    current()\n"
        } else {
            ""
        });
        text.push_str("}\n\n");
        Ok(())
    }

    /// The lines that give ions their concentrations.
    fn give_concentrations(&self, text: &mut String) -> Result<(), NotNative> {
        for (name, variable) in self.concentrations() {
            for computed in self.mechanism.needed([Reference::Variable(variable)]) {
                self.computation(text, computed, "    ")?;
            }
            let _ = writeln!(text, "    {name} = {}", self.variable(variable));
        }
        Ok(())
    }

    fn scheme_name(&self, number: usize) -> String {
        match number {
            0 => "scheme".to_owned(),
            more => format!("scheme_{}", more + 1),
        }
    }

    /// Whether all equations of states are linear in the state itself.
    fn is_linear(&self) -> bool {
        self.mechanism.moving.iter().all(|of| {
            let through_others = |reference: &Reference| {
                let is_own = *reference == Reference::Variable(of.variable);
                !is_own
                    && self
                        .mechanism
                        .depends_on([*reference], &|state| state == of.variable)
            };
            let is_own = |rate: &Equation, index: u32| {
                rate.names.get(index as usize) == Some(&Reference::Variable(of.variable))
            };
            (of.rates.iter()).all(|rate| {
                !rate.names.iter().any(through_others)
                    && is_linear(&rate.expression, &|index| is_own(rate, index))
            })
        })
    }

    fn needed_by_current(&self) -> Vec<&Computed> {
        // All that is recorded is computed, too.
        let mechanism = self.mechanism;
        let rates: Vec<usize> = mechanism
            .needed(mechanism.read_by_rates())
            .iter()
            .map(|computed| computed.variable)
            .collect();
        let output = mechanism.output.map(|output| output.variable);
        let others = mechanism.computed.iter().map(|computed| computed.variable);
        let others = others.filter(|variable| !rates.contains(variable));
        mechanism.needed(others.chain(output).map(Reference::Variable))
    }

    fn breakpoint(&self, text: &mut String) {
        let mechanism = self.mechanism;
        text.push_str("BREAKPOINT {\n");
        for number in 0..mechanism.schemes.len() {
            let _ = writeln!(text, "    SOLVE {} METHOD sparse", self.scheme_name(number));
        }
        if !mechanism.moving.is_empty() {
            let method = if self.is_linear() {
                "cnexp"
            } else {
                "derivimplicit"
            };
            let _ = writeln!(text, "    SOLVE states METHOD {method}");
        }
        if self.is_test() {
            text.push_str("    SOLVE update METHOD after_cvode\n");
        }
        if mechanism.output.is_some() && !self.needed_by_current().is_empty() {
            text.push_str("    current()\n");
        }
        if let Some(output) = mechanism.output {
            let carried = mechanism.ions.iter().find(|of| of.carries);
            let name = carried.map_or_else(|| "i".to_owned(), |of| format!("i{}", self.ion(of)));
            let mut value = format!("-{}", self.variable(output.variable));
            if output.coefficient != 1.0 {
                value = format!("{}*{value}", number(output.coefficient, None));
            }
            if output.of_compartment {
                value.push_str("/(1e-8*area)");
            }
            let _ = writeln!(text, "    {name} = {value}");
        }
        text.push_str("}\n\n");
    }

    /// The blocks that move the states.
    fn steps(&self, text: &mut String) -> Result<(), NotNative> {
        let mechanism = self.mechanism;
        let has_rates = !mechanism.needed(mechanism.read_by_rates()).is_empty();
        let rates = if has_rates { "    rates()\n" } else { "" };
        for (number, scheme) in mechanism.schemes.iter().enumerate() {
            let _ = write!(text, "KINETIC {} {{\n{rates}", self.scheme_name(number));
            for (from, to, forward, back) in &scheme.transitions {
                let (from, to) = (self.variable(*from), self.variable(*to));
                let (forward, back) = (self.reference(*forward), self.reference(*back));
                let _ = writeln!(text, "    ~ {from} <-> {to} ({forward}, {back})");
            }
            let states: Vec<&str> = scheme
                .states
                .iter()
                .map(|state| self.variable(*state))
                .collect();
            let _ = writeln!(text, "    CONSERVE {} = 1\n}}\n", states.join(" + "));
        }
        if !mechanism.moving.is_empty() {
            let _ = write!(text, "DERIVATIVE states {{\n{rates}");
            for of in &mechanism.moving {
                let dimension = mechanism
                    .variables
                    .get(of.variable)
                    .and_then(|variable| variable.dimension);
                let per_time = dimension.map(|dimension| dimension.per(Dimension::TIME));
                let mut sides = Vec::new();
                for rate in &of.rates {
                    comment(
                        text,
                        "    ",
                        &format!(
                            "d {}/dt = {}, {}",
                            self.path(of.variable),
                            rate.text,
                            unit(per_time)
                        ),
                    );
                    sides.push(self.side(rate, per_time)?);
                }
                let _ = writeln!(
                    text,
                    "    {}' = {}",
                    self.variable(of.variable),
                    broken(&sides.join(" + "))
                );
            }
            text.push_str("}\n\n");
        }
        if !self.is_test() {
            return Ok(());
        }
        text.push_str("PROCEDURE update() {\n");
        for test in &mechanism.tests {
            for computed in mechanism.needed(test.condition.names.iter().copied()) {
                self.computation(text, computed, "    ")?;
            }
            comment(text, "    ", &format!("if {}", test.condition.text));
            let _ = writeln!(
                text,
                "    if ({}) {{",
                broken(&self.side(&test.condition, None)?)
            );
            for (variable, value) in &test.assignments {
                for computed in mechanism.needed(value.names.iter().copied()) {
                    self.computation(text, computed, "        ")?;
                }
                let dimension = mechanism
                    .variables
                    .get(*variable)
                    .and_then(|variable| variable.dimension);
                let _ = writeln!(
                    text,
                    "        {} = {}",
                    self.variable(*variable),
                    broken(&self.side(value, dimension)?)
                );
            }
            text.push_str("    }\n");
        }
        self.give_concentrations(text)?;
        text.push_str(if self.is_shown() {
            "    current()\n"
        } else {
            ""
        });
        text.push_str("}\n\n");
        Ok(())
    }

    fn procedure(&self, text: &mut String, name: &str, all: &[&Computed]) -> Result<(), NotNative> {
        let _ = writeln!(text, "PROCEDURE {name}() {{");
        for computed in all {
            self.computation(text, computed, "    ")?;
        }
        text.push_str("}\n\n");
        Ok(())
    }

    /// The lines that compute a variable, with its equation and unit as a comment.
    fn computation(
        &self,
        text: &mut String,
        computed: &Computed,
        indent: &str,
    ) -> Result<(), NotNative> {
        let quantity = self
            .mechanism
            .variables
            .get(computed.variable)
            .ok_or(NotNative::Bug("variable"))?;
        let (name, path, dimension) = (&quantity.name, &quantity.path, quantity.dimension);
        let is_in = unit(dimension);
        match &computed.value {
            Value::Formula(equation) => {
                comment(
                    text,
                    indent,
                    &format!("{path} = {}, {is_in}", equation.text),
                );
                let _ = writeln!(
                    text,
                    "{indent}{name} = {}",
                    broken(&self.side(equation, dimension)?)
                );
            }
            Value::Sum(all) | Value::Product(all) => {
                let is_sum = matches!(computed.value, Value::Sum(_));
                let (between, empty) = if is_sum { (" + ", "0") } else { ("*", "1") };
                if let Some(selection) = &computed.selection {
                    let fold = match (all.len(), is_sum) {
                        (1, _) => "",
                        (_, true) => "sum of ",
                        (_, false) => "product of ",
                    };
                    comment(
                        text,
                        indent,
                        &format!("{path} = {fold}{selection}, {is_in}"),
                    );
                }
                let texts: Vec<String> = all
                    .iter()
                    .map(|reference| self.reference(*reference))
                    .collect();
                let value = if texts.is_empty() {
                    empty.to_owned()
                } else {
                    texts.join(between)
                };
                let _ = writeln!(text, "{indent}{name} = {}", broken(&value));
            }
            Value::Cases(cases) => {
                comment(text, indent, &format!("{path}, {is_in}"));
                let _ = writeln!(text, "{indent}{name} = 0");
                let mut otherwise = false;
                for (test, value) in cases {
                    let side = broken(&self.side(value, dimension)?);
                    let value_text = plain(&value.text);
                    match test {
                        Some(test) => {
                            let before = if otherwise { " else if" } else { "if" };
                            let indented = if otherwise { "" } else { indent };
                            let condition = broken(&self.side(test, None)?);
                            let _ = write!(
                                text,
                                "{indented}{before} ({condition}) {{\n{indent}    : {value_text} if {}\n{indent}    {name} = {side}\n{indent}}}",
                                plain(&test.text)
                            );
                            otherwise = true;
                        }
                        None if otherwise => {
                            let _ = write!(
                                text,
                                " else {{\n{indent}    : {value_text} otherwise\n{indent}    {name} = {side}\n{indent}}}"
                            );
                            break;
                        }
                        None => {
                            let _ = write!(text, "{indent}{name} = {side}");
                            otherwise = true;
                            break;
                        }
                    }
                }
                text.push_str(if otherwise { "\n" } else { "" });
            }
        }
        Ok(())
    }

    /// An equation's right side, in the units of the mechanism.
    fn side(&self, equation: &Equation, dimension: Option<Dimension>) -> Result<String, NotNative> {
        let in_si = !equation.homogeneous;
        let names: Vec<String> = (equation.names.iter())
            .map(|reference| {
                let name = self.reference(*reference);
                match self
                    .mechanism
                    .dimension_of(*reference)
                    .map_or(0, power_of_ten)
                {
                    power if in_si && power != 0 => format!("1e{power}*{name}"),
                    _ => name,
                }
            })
            .collect();
        let text = print(&equation.expression, &names)?;
        Ok(match dimension.map_or(0, power_of_ten) {
            power if in_si && power != 0 => format!("1e{}*({text})", -power),
            _ => text,
        })
    }

    fn variable(&self, index: usize) -> &str {
        self.mechanism
            .variables
            .get(index)
            .map_or("unknown", |variable| &variable.name)
    }

    fn path(&self, index: usize) -> &str {
        self.mechanism
            .variables
            .get(index)
            .map_or("", |variable| &variable.path)
    }

    fn reference(&self, reference: Reference) -> String {
        let ion = |ion: usize| self.ions.get(ion).map_or("", |rule| rule.name.as_str());
        match reference {
            Reference::Variable(index) => self.variable(index).to_owned(),
            Reference::Parameter(index) => self
                .mechanism
                .parameters
                .get(index)
                .map_or_else(String::new, |parameter| parameter.name.clone()),
            Reference::Potential => "v".to_owned(),
            Reference::Time => "t".to_owned(),
            Reference::Temperature => "(celsius + 273.15)".to_owned(),
            Reference::Area => "(1e-8*area)".to_owned(),
            Reference::Inside(of) => format!("{}i", ion(of)),
            Reference::Outside(of) => format!("{}o", ion(of)),
            Reference::Current(of) => format!("(-1e-8*area*i{})", ion(of)),
        }
    }
}

/// A block of declarations.
fn block(text: &mut String, word: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "{word} {{");
    for line in lines {
        let _ = writeln!(text, "    {line}");
    }
    text.push_str("}\n\n");
}

fn comment(text: &mut String, indent: &str, what: &str) {
    let _ = writeln!(text, "{indent}: {}", plain(what));
}

/// A text of a model as a comment can hold it.
fn plain(text: &str) -> String {
    let shown = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            ' '
        }
    };
    let text: String = text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .map(shown)
        .collect();
    match text.char_indices().nth(300) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// An expression in several lines if it is long: NMODL has lines of limited length.
fn broken(text: &str) -> String {
    let mut lines = String::new();
    let mut length = 0;
    for word in text.split_inclusive(' ') {
        // A sign is kept with what follows it.
        if length + word.len() > LINE && length > 0 && !matches!(word.trim(), "+" | "-") {
            lines.truncate(lines.trim_end().len());
            lines.push_str("\n            ");
            length = 0;
        }
        lines.push_str(word);
        length += word.len();
    }
    lines
}
