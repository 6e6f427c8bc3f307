//! The text of a mechanism.

use std::fmt::Write;

use lems_expression::Dimension;

use crate::NotNative;
use crate::expression::{has_steps, is_linear};
use crate::mechanism::{Computed, Equation, IonUse, Moving, Quantity, Reference, Test};
use crate::statements::{LINE, Printer, broken, comment, plain};
use crate::units::{number, unit};

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
        if self.has_rates() {
            text.push_str("PROCEDURE rates() {\n");
            self.computations(&mut text, &self.mechanism.computed_for_rates())?;
            self.held_rates(&mut text)?;
            text.push_str("}\n\n");
        }
        let current = self.needed_by_current();
        if !current.is_empty() {
            text.push_str("PROCEDURE current() {\n");
            self.computations(&mut text, &current)?;
            text.push_str("}\n\n");
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
        let rates = self.names_of_rates().map(String::as_str);
        let names: Vec<&str> = parameters.chain(variables).chain(rates).collect();
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
        for (of, name) in mechanism.moving.iter().zip(self.names_of_rates()) {
            let (unit, path) = (unit(self.per_time(of.variable)), self.path(of.variable));
            lines.push(format!("{name} ({unit})  : rate of {}", plain(path)));
        }
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
        let of_rates = mechanism.computed_for_rates();
        let for_starts = mechanism.needed(
            mechanism
                .starts
                .iter()
                .flat_map(|(_, value)| value.names.clone()),
        );
        let is_read = |computed: &&Computed| of_rates.contains(computed);
        // What is held is at first that of states that are 0, as in mechanisms made by jNeuroML.
        if mechanism.held.is_some() && self.has_rates() || for_starts.iter().any(is_read) {
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
            let side = self.side(value, self.dimension(*variable))?;
            let _ = writeln!(text, "    {} = {side}", self.variable(*variable));
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
            .computed_for_rates()
            .iter()
            .map(|computed| computed.variable)
            .collect();
        let output = mechanism.output.map(|output| output.variable);
        let others = mechanism.computed.iter().map(|computed| computed.variable);
        let others = others.filter(|variable| !rates.contains(variable));
        let mut needed = mechanism.needed(others.chain(output).map(Reference::Variable));
        if mechanism.held.is_some() {
            needed.retain(|computed| !rates.contains(&computed.variable));
        }
        needed
    }

    /// Whether something is computed before the states move.
    fn has_rates(&self) -> bool {
        !self.mechanism.computed_for_rates().is_empty() || self.names_of_rates().next().is_some()
    }

    /// The names of the rates of the states, if they are variables.
    fn names_of_rates(&self) -> impl Iterator<Item = &String> {
        let held = self.mechanism.held.iter();
        held.flat_map(|held| &held.rates)
    }

    fn breakpoint(&self, text: &mut String) {
        let mechanism = self.mechanism;
        text.push_str("BREAKPOINT {\n");
        for number in 0..mechanism.schemes.len() {
            let _ = writeln!(text, "    SOLVE {} METHOD sparse", self.scheme_name(number));
        }
        if !mechanism.moving.is_empty() {
            // By `cnexp`, what moves by a variable moves by Euler's method.
            let method = match mechanism.held.is_some() || self.is_linear() {
                true => "cnexp",
                false => "derivimplicit",
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
        let rates = if self.has_rates() {
            "    rates()\n"
        } else {
            ""
        };
        // Kinetic schemes.
        for (number, scheme) in mechanism.schemes.iter().enumerate() {
            let _ = write!(text, "KINETIC {} {{\n{rates}", self.scheme_name(number));
            for (from, to, forward, back) in &scheme.transitions {
                let (from, to) = (self.variable(*from), self.variable(*to));
                let (forward, back) = (self.reference(*forward), self.reference(*back));
                let _ = writeln!(text, "    ~ {from} <-> {to} ({forward}, {back})");
            }
            let states = scheme.states.iter().map(|state| self.variable(*state));
            let states: Vec<&str> = states.collect();
            let _ = writeln!(text, "    CONSERVE {} = 1\n}}\n", states.join(" + "));
        }
        // Differential equations.
        if !mechanism.moving.is_empty() {
            let _ = write!(text, "DERIVATIVE states {{\n{rates}");
            let mut held = self.names_of_rates();
            for of in &mechanism.moving {
                match held.next() {
                    Some(rate) => {
                        let _ = writeln!(text, "    {}' = {rate}", self.variable(of.variable));
                    }
                    None => {
                        let left = format!("{}'", self.variable(of.variable));
                        self.rate(text, of, &left)?;
                    }
                }
            }
            text.push_str("}\n\n");
        }
        // What follows when the states have moved.
        if self.is_test() {
            text.push_str("PROCEDURE update() {\n");
            for test in &mechanism.tests {
                self.test(text, test)?;
            }
            self.give_concentrations(text)?;
            if self.is_shown() {
                text.push_str("    current()\n");
            }
            text.push_str("}\n\n");
        }
        Ok(())
    }

    /// The rates of the states, if they are variables.
    fn held_rates(&self, text: &mut String) -> Result<(), NotNative> {
        for (of, rate) in self.mechanism.moving.iter().zip(self.names_of_rates()) {
            self.rate(text, of, rate)?;
        }
        Ok(())
    }

    /// The dimension of the rate of a variable.
    fn per_time(&self, variable: usize) -> Option<Dimension> {
        let dimension = self.dimension(variable);
        dimension.map(|dimension| dimension.per(Dimension::TIME))
    }

    /// The line that says how a variable moves: `left` is what stands before the rate.
    fn rate(&self, text: &mut String, of: &Moving, left: &str) -> Result<(), NotNative> {
        let (per_time, path) = (self.per_time(of.variable), self.path(of.variable));
        let mut sides = Vec::new();
        for rate in &of.rates {
            let equation = format!("d {path}/dt = {}, {}", rate.text, unit(per_time));
            comment(text, "    ", &equation);
            sides.push(self.side(rate, per_time)?);
        }
        let _ = writeln!(text, "    {left} = {}", broken(&sides.join(" + ")));
        Ok(())
    }

    /// The assignments that are made where a condition holds.
    fn test(&self, text: &mut String, test: &Test) -> Result<(), NotNative> {
        for computed in self.mechanism.needed(test.condition.names.iter().copied()) {
            self.computation(text, computed, "    ")?;
        }
        comment(text, "    ", &format!("if {}", test.condition.text));
        let condition = broken(&self.side(&test.condition, None)?);
        let _ = writeln!(text, "    if ({condition}) {{");
        for (variable, value) in &test.assignments {
            for computed in self.mechanism.needed(value.names.iter().copied()) {
                self.computation(text, computed, "        ")?;
            }
            let side = broken(&self.side(value, self.dimension(*variable))?);
            let _ = writeln!(text, "        {} = {side}", self.variable(*variable));
        }
        text.push_str("    }\n");
        Ok(())
    }

    fn dimension(&self, variable: usize) -> Option<Dimension> {
        self.mechanism.variables.get(variable)?.dimension
    }

    fn computations(&self, text: &mut String, all: &[&Computed]) -> Result<(), NotNative> {
        for computed in all {
            self.computation(text, computed, "    ")?;
        }
        Ok(())
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
