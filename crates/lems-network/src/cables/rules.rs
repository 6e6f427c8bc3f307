//! The names that component types have for the parts of a cell with dendrites.

use lems_model::{ComponentId, Digits, Model};
use thiserror::Error;

/// A mistake in the text of rules.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CableRulesError {
    /// A line begins with a word that means nothing.
    #[error("line {line}: `{word}` is no word of these rules")]
    UnknownWord {
        /// Number of the line, from one.
        line: usize,
        /// The word.
        word: String,
    },
    /// A line has too many or too few names, or a number that is none.
    #[error("line {line}: `{word}` needs {needs}")]
    Names {
        /// Number of the line, from one.
        line: usize,
        /// The first word of the line.
        word: String,
        /// What it needs.
        needs: &'static str,
    },
    /// A word is missing.
    #[error("a line with `{0}` is missing")]
    Missing(&'static str),
}

/// Where a connection or an input is on a cell: names of attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceRule {
    /// The path of the cell.
    pub cell: String,
    /// The segment.
    pub segment: String,
    /// The fraction along the segment.
    pub fraction: String,
}

/// A value of a variable of the cell if an element is missing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DefaultRule {
    /// The element.
    pub element: String,
    /// The variable.
    pub variable: String,
    /// Its value in SI units.
    pub value: f64,
}

/// An ion that NEURON knows by name. If its concentrations are variables of a cell, these have names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IonRule {
    /// Its name in NEURON.
    pub name: String,
    /// Its valence.
    pub valence: i32,
    /// The variable that is its concentration inside.
    pub inside: String,
    /// That outside.
    pub outside: String,
    /// Its current into a compartment.
    pub current: String,
}

/// How component types describe cells with dendrites. No Rust file knows these names; they stand in a
/// file beside the types, such as `nml2-coretypes/cables.txt`, which explains each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CableRules {
    pub(crate) cell: String,
    pub(crate) potential: String,
    pub(crate) capacitance: String,
    pub(crate) area: String,
    pub(crate) morphology: String,
    pub(crate) length_unit: f64,
    pub(crate) segment: String,
    pub(crate) segment_id: String,
    pub(crate) parent: String,
    pub(crate) parent_segment: String,
    pub(crate) parent_fraction: String,
    pub(crate) proximal: String,
    pub(crate) distal: String,
    pub(crate) coordinates: [String; 4],
    pub(crate) group: String,
    pub(crate) member: [String; 2],
    pub(crate) include: [String; 2],
    pub(crate) path: String,
    pub(crate) subtree: String,
    pub(crate) from: [String; 2],
    pub(crate) to: [String; 2],
    pub(crate) section: [String; 2],
    pub(crate) divisions: [String; 4],
    pub(crate) covers_group: String,
    pub(crate) covers_segment: String,
    pub(crate) whole: String,
    pub(crate) exclusive: Vec<String>,
    pub(crate) density: Vec<String>,
    pub(crate) counted: Vec<String>,
    pub(crate) passed_on: Vec<String>,
    pub(crate) varying: Vec<[String; 2]>,
    pub(crate) variable: [String; 3],
    pub(crate) formula: [String; 3],
    pub(crate) measure: [String; 2],
    pub(crate) begins_at_zero: [String; 2],
    pub(crate) ends_at_one: [String; 2],
    pub(crate) around: Vec<(String, f64)>,
    pub(crate) resistivity: [String; 2],
    pub(crate) specific_capacitance: [String; 2],
    pub(crate) defaults: Vec<DefaultRule>,
    pub(crate) places: Vec<PlaceRule>,
    pub(crate) digits: Digits,
    pub(crate) displacement: Option<[String; 4]>,
    /// Whether coordinates have single precision.
    pub(crate) single_precision: bool,
    pub(crate) ions: Vec<IonRule>,
    pub(crate) carried_ion: String,
    pub(crate) called: Vec<[String; 2]>,
}

impl CableRules {
    /// Types that are made of others in a compartment: the one that a model names, and the one whose
    /// equations it has there.
    pub fn companions(&self) -> impl Iterator<Item = (&str, &str)> {
        self.varying
            .iter()
            .map(|[from, to]| (from.as_str(), to.as_str()))
    }

    /// The ions that NEURON knows by name.
    pub fn ions(&self) -> &[IonRule] {
        &self.ions
    }

    /// The attribute that names the ion whose current a part is.
    pub fn carried_ion(&self) -> &str {
        &self.carried_ion
    }

    /// Parameters that have another name in NEURON: the name in the types, and NEURON's.
    pub fn called(&self) -> &[[String; 2]] {
        &self.called
    }

    /// Reads rules: a word and its names on each line; `#` begins a comment.
    ///
    /// # Errors
    /// The first line that says nothing, or a word that is missing.
    pub fn parse(text: &str) -> Result<CableRules, CableRulesError> {
        let mut rules = CableRules::default();
        let mut seen = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.split('#').next().unwrap_or_default();
            let mut names = line.split_whitespace().map(str::to_owned);
            let Some(word) = names.next() else {
                continue;
            };
            let names: Vec<String> = names.collect();
            rules.line(number, &word, names)?;
            seen.push(word);
        }
        let is_missing = |word: &&&str| !seen.iter().any(|seen| seen == **word);
        match WORDS.iter().find(is_missing) {
            Some(word) => Err(CableRulesError::Missing(word)),
            None => Ok(rules),
        }
    }

    fn line(&mut self, line: usize, word: &str, names: Vec<String>) -> Result<(), CableRulesError> {
        let wrong = |needs| CableRulesError::Names {
            line,
            word: word.to_owned(),
            needs,
        };
        let one = |field: &mut String, names: Vec<String>| {
            let [name] = <[String; 1]>::try_from(names).map_err(|_| wrong("one name"))?;
            *field = name;
            Ok(())
        };
        let two = |names: Vec<String>| names.try_into().map_err(|_| wrong("two names"));
        let three = |names: Vec<String>| names.try_into().map_err(|_| wrong("three names"));
        let four = |names: Vec<String>| names.try_into().map_err(|_| wrong("four names"));
        match word {
            "cell" => one(&mut self.cell, names)?,
            "potential" => one(&mut self.potential, names)?,
            "capacitance" => one(&mut self.capacitance, names)?,
            "area" => one(&mut self.area, names)?,
            "shape" => one(&mut self.morphology, names)?,
            "length-unit" => {
                let mut unit = String::new();
                one(&mut unit, names)?;
                self.length_unit = unit.parse().map_err(|_| wrong("a number"))?;
            }
            "piece" => one(&mut self.segment, names)?,
            "piece-id" => one(&mut self.segment_id, names)?,
            "parent" => one(&mut self.parent, names)?,
            "parent-segment" => one(&mut self.parent_segment, names)?,
            "parent-fraction" => one(&mut self.parent_fraction, names)?,
            "near-end" => one(&mut self.proximal, names)?,
            "far-end" => one(&mut self.distal, names)?,
            "coordinates" => self.coordinates = four(names)?,
            "group" => one(&mut self.group, names)?,
            "single" => self.member = two(names)?,
            "include" => self.include = two(names)?,
            "path" => one(&mut self.path, names)?,
            "subtree" => one(&mut self.subtree, names)?,
            "from" => self.from = two(names)?,
            "to" => self.to = two(names)?,
            "section" => self.section = two(names)?,
            "divisions" => self.divisions = four(names)?,
            "covers-group" => one(&mut self.covers_group, names)?,
            "covers-segment" => one(&mut self.covers_segment, names)?,
            "whole" => one(&mut self.whole, names)?,
            "exclusive" => self.exclusive = names,
            "density" => self.density = names,
            "counted" => self.counted = names,
            "passed-on" => self.passed_on = names,
            "varying" => self.varying.push(two(names)?),
            "variable" => self.variable = three(names)?,
            "formula" => self.formula = three(names)?,
            "measure" => self.measure = two(names)?,
            "begins-at-zero" => self.begins_at_zero = two(names)?,
            "ends-at-one" => self.ends_at_one = two(names)?,
            "around" => {
                let [variable, value] = two(names)?;
                let value = value.parse().map_err(|_| wrong("a number"))?;
                self.around.push((variable, value));
            }
            "rounded" => {
                let [dimension, factor] = two(names)?;
                let factor = factor.parse().map_err(|_| wrong("a number"))?;
                self.digits.units.push((dimension, factor));
            }
            "replaced" => {
                let [kind, parameter, value] = three(names)?;
                let value = value.parse().map_err(|_| wrong("a number"))?;
                self.digits.replaced.push((kind, parameter, value));
            }
            "single-precision" => self.digits.single = names,
            "displacement" => self.displacement = Some(four(names)?),
            "cytoplasm" => self.resistivity = two(names)?,
            "membrane" => self.specific_capacitance = two(names)?,
            "default" => {
                let [element, variable, value] = <[String; 3]>::try_from(names)
                    .map_err(|_| wrong("an element, a variable and a value"))?;
                let value = value.parse().map_err(|_| wrong("a number"))?;
                self.defaults.push(DefaultRule {
                    element,
                    variable,
                    value,
                });
            }
            "place" => {
                let [cell, segment, fraction] =
                    <[String; 3]>::try_from(names).map_err(|_| wrong("three names"))?;
                self.places.push(PlaceRule {
                    cell,
                    segment,
                    fraction,
                });
            }
            "ion" => {
                let mut names = names.into_iter();
                let (name, valence) = (
                    names.next(),
                    names.next().and_then(|text| text.parse().ok()),
                );
                let (Some(name), Some(valence)) = (name, valence) else {
                    return Err(wrong("an ion and its valence"));
                };
                let names: Vec<String> = names.collect();
                let variables = match names.is_empty() {
                    true => Default::default(),
                    false => three(names)?,
                };
                let [inside, outside, current] = variables;
                self.ions.push(IonRule {
                    name,
                    valence,
                    inside,
                    outside,
                    current,
                });
            }
            "carried-ion" => one(&mut self.carried_ion, names)?,
            "called" => self.called.push(two(names)?),
            _ => {
                return Err(CableRulesError::UnknownWord {
                    line,
                    word: word.to_owned(),
                });
            }
        }
        Ok(())
    }

    /// The components of a model that are trees of compartments, if they have a shape: those of the top
    /// level, in the order of the model.
    pub fn cells(&self, model: &Model<'_>) -> Vec<ComponentId> {
        let is_cell =
            |id: &ComponentId| model.is_a(model.component(*id).component_type, &self.cell);
        model.top_level.iter().copied().filter(is_cell).collect()
    }

    /// The same rules for a program that holds coordinates in single precision.
    #[must_use]
    pub fn in_single_precision(&self) -> CableRules {
        CableRules {
            single_precision: true,
            ..self.clone()
        }
    }

    /// How values of parameters are written for such a program.
    pub fn digits(&self) -> &Digits {
        &self.digits
    }

    /// The type of the cells.
    pub fn cell_type(&self) -> &str {
        &self.cell
    }

    /// Whether a parameter is per membrane area.
    pub fn is_density(&self, parameter: &str) -> bool {
        self.density.iter().any(|name| name == parameter)
    }

    /// Whether a parameter counts something in the whole of its group.
    pub fn is_counted(&self, parameter: &str) -> bool {
        self.counted.iter().any(|name| name == parameter)
    }

    /// The attributes that name the part of a cell that an element is for.
    pub fn coverings(&self) -> [&str; 2] {
        [&self.covers_group, &self.covers_segment]
    }

    /// The names of the attributes that say where on a cell something is, by the attribute with the
    /// path of the cell. Several rules may have that attribute.
    pub(crate) fn places_of(&self, cell: &str) -> impl Iterator<Item = &PlaceRule> {
        self.places.iter().filter(move |place| place.cell == cell)
    }
}

/// The words that must be there.
const WORDS: [&str; 35] = [
    "cell",
    "potential",
    "capacitance",
    "area",
    "shape",
    "length-unit",
    "piece",
    "piece-id",
    "parent",
    "parent-segment",
    "parent-fraction",
    "near-end",
    "far-end",
    "coordinates",
    "group",
    "single",
    "include",
    "path",
    "subtree",
    "from",
    "to",
    "section",
    "divisions",
    "covers-group",
    "covers-segment",
    "whole",
    "exclusive",
    "density",
    "variable",
    "formula",
    "measure",
    "begins-at-zero",
    "ends-at-one",
    "cytoplasm",
    "membrane",
];
