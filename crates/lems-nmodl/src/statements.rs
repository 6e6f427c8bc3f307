//! The statements of a mechanism: how variables are computed, with equations as comments.

use std::fmt::Write;

use lems_expression::Dimension;
use lems_network::IonRule;

use crate::NotNative;
use crate::expression::print;
use crate::mechanism::{Computed, Equation, Mechanism, Quantity, Reference, Value};
use crate::units::{power_of_ten, unit};

/// Longest line before it is broken.
pub(crate) const LINE: usize = 110;

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
    /// The lines that compute a variable, with its equation and unit as a comment.
    pub fn computation(
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
            Value::Cases(cases) => self.cases(text, quantity, cases, indent)?,
        }
        Ok(())
    }

    /// The lines that compute a variable by cases.
    fn cases(
        &self,
        text: &mut String,
        quantity: &Quantity,
        cases: &[(Option<Equation>, Equation)],
        indent: &str,
    ) -> Result<(), NotNative> {
        let (name, dimension) = (&quantity.name, quantity.dimension);
        comment(
            text,
            indent,
            &format!("{}, {}", quantity.path, unit(dimension)),
        );
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
        Ok(())
    }

    /// An equation's right side, in the units of the mechanism.
    pub fn side(
        &self,
        equation: &Equation,
        dimension: Option<Dimension>,
    ) -> Result<String, NotNative> {
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

    pub fn variable(&self, index: usize) -> &str {
        self.mechanism
            .variables
            .get(index)
            .map_or("unknown", |variable| &variable.name)
    }

    pub fn path(&self, index: usize) -> &str {
        self.mechanism
            .variables
            .get(index)
            .map_or("", |variable| &variable.path)
    }

    pub fn reference(&self, reference: Reference) -> String {
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

/// Writes a comment line.
pub(crate) fn comment(text: &mut String, indent: &str, what: &str) {
    let _ = writeln!(text, "{indent}: {}", plain(what));
}

/// A text of a model as a comment can hold it.
pub(crate) fn plain(text: &str) -> String {
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
pub(crate) fn broken(text: &str) -> String {
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
