//! Names other than types, and names that were nearly hit.

use lems_document::nearest;
use lems_model::Model;
use serde::Serialize;

use super::words::si_unit;

/// Most names that a suggestion holds.
const MOST_SUGGESTED: usize = 5;

/// What a name means that is not a type's.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Definition {
    /// A `Dimension`.
    Dimension {
        /// Its name.
        name: String,
        /// SI base units.
        base_units: String,
        /// Symbols of its units.
        units: Vec<String>,
    },
    /// A `Unit`.
    Unit {
        /// Its symbol.
        name: String,
        /// Name of its dimension.
        dimension: String,
        /// SI value of 1 of it.
        one: f64,
        /// SI value of 0 of it.
        zero: f64,
        /// The SI unit.
        si: Option<String>,
    },
    /// A global `Constant`.
    Constant {
        /// Its symbol.
        name: String,
        /// Name of its dimension.
        dimension: String,
        /// SI value.
        value: f64,
        /// The SI unit.
        si: Option<String>,
    },
}

impl Definition {
    /// The dimension, the unit and the constant of that name, as far as there are such.
    pub fn named(model: &Model<'_>, name: &str) -> Vec<Definition> {
        let mut found = Vec::new();
        let title = |dimension| {
            let mut named = model.dimensions.iter();
            let known = named.find(|(_, known)| **known == dimension);
            known.map_or_else(|| dimension.to_string(), |(name, _)| (*name).to_owned())
        };
        if let Some(dimension) = model.dimensions.get(name) {
            let units = model.units.iter();
            found.push(Definition::Dimension {
                name: name.to_owned(),
                base_units: dimension.to_string(),
                units: units
                    .filter(|(symbol, unit)| unit.dimension == *dimension && **symbol != "none")
                    .map(|(symbol, _)| (*symbol).to_owned())
                    .collect(),
            });
        }
        if let Some(unit) = model.units.get(name).filter(|_| name != "none") {
            found.push(Definition::Unit {
                name: name.to_owned(),
                dimension: title(unit.dimension),
                one: unit.to_si(1.0),
                zero: unit.to_si(0.0),
                si: si_unit(model, unit.dimension),
            });
        }
        if let Some(constant) = model.constants.get(name) {
            found.push(Definition::Constant {
                name: name.to_owned(),
                dimension: constant.dimension.map_or_else(|| "*".to_owned(), title),
                value: constant.value,
                si: constant.dimension.and_then(|own| si_unit(model, own)),
            });
        }
        found
    }

    /// A line or two for people.
    pub fn text(&self) -> String {
        let in_si = |si: &Option<String>| si.as_ref().map_or(String::new(), |si| format!(" {si}"));
        match self {
            Definition::Dimension {
                name,
                base_units,
                units,
            } => {
                let line = match base_units.as_str() {
                    "none" => format!("{name}: the dimension of pure numbers\n"),
                    _ => format!("{name}: a dimension, {base_units} in SI base units\n"),
                };
                match units.is_empty() {
                    true => line,
                    false => format!("{line}units: {}\n", units.join(", ")),
                }
            }
            Definition::Unit {
                name,
                dimension,
                one,
                zero,
                si,
            } => {
                let line = format!(
                    "{name}: a unit of {dimension}, 1 {name} is {one:?}{}",
                    in_si(si)
                );
                match *zero == 0.0 {
                    true => format!("{line}\n"),
                    false => format!("{line}, 0 {name} is {zero:?}{}\n", in_si(si)),
                }
            }
            Definition::Constant {
                name,
                dimension,
                value,
                si,
            } => format!("{name}: a constant, {value:?}{} ({dimension})\n", in_si(si)),
        }
    }
}

/// Names that may be meant: a misspelt one, then those that begin with `name`, those that hold it
/// and those that nearly begin with it.
pub fn near_names<'a>(name: &str, candidates: &[&'a str]) -> Vec<&'a str> {
    let wanted = name.to_lowercase();
    let length = wanted.chars().count();
    let begins = |candidate: &&&str| candidate.to_lowercase().starts_with(&wanted);
    let holds = |candidate: &&&str| candidate.to_lowercase().contains(&wanted);
    let nearly_begins = |candidate: &&&str| {
        let beginning = |length| candidate.chars().take(length).collect::<String>();
        let beginnings = [beginning(length), beginning(length + 1)];
        nearest(name, beginnings.iter().map(String::as_str)).is_some()
    };
    let misspelt = nearest(name, candidates.iter().copied()).into_iter();
    let beginning = candidates.iter().filter(begins).filter(|_| length > 1);
    let holding = candidates.iter().filter(holds);
    let beginning_nearly = candidates.iter().filter(nearly_begins);
    let others = holding.chain(beginning_nearly).filter(|_| length > 2);
    let mut near: Vec<&str> = Vec::new();
    for candidate in misspelt.chain(beginning.chain(others).copied()) {
        if near.len() < MOST_SUGGESTED && !near.contains(&candidate) {
            near.push(candidate);
        }
    }
    near
}

#[cfg(test)]
mod tests {
    use super::near_names;

    #[test]
    fn names_that_are_misspelt_or_cut_short_are_found() {
        let names = ["fastCell", "fastCellWithRest", "cellBase", "slowSynapse"];
        assert_eq!(
            near_names("fastCel", &names),
            ["fastCell", "fastCellWithRest"]
        );
        assert_eq!(
            near_names("cell", &names),
            ["cellBase", "fastCell", "fastCellWithRest"]
        );
        assert_eq!(near_names("slwSyn", &names), ["slowSynapse"]);
        assert_eq!(near_names("fa", &names), ["fastCell", "fastCellWithRest"]);
        assert!(near_names("", &names).is_empty());
        assert!(near_names("membrane", &names).is_empty());
    }

    #[test]
    fn a_suggestion_is_no_list_of_everything() {
        let names: Vec<String> = (0..100).map(|number| format!("cell{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(near_names("cell", &names).len(), super::MOST_SUGGESTED);
    }
}
