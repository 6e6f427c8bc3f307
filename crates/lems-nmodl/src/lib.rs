//! Cells with dendrites as NEURON's users write them: a density mechanism for each kind of channel and pool.
//!
//! [`Membranes::of`] takes the compartments of a network apart. The current through the membrane of a compartment
//! is a sum over elements of lists, such as densities of channels; each of these becomes a mechanism, and so does
//! each element whose variable is the concentration of an ion. Nothing else of a compartment is touched:
//! [`Membranes::remove_from`] takes those elements out of a network, and what is left of it can be exported as
//! any other.
//!
//! Equations are printed as the model has them, in units in which they hold without factors (see `units.rs`).
//! A state is moved by `cnexp` if its equation is linear in it, a kinetic scheme is a `KINETIC` block.

mod current;
mod elements;
mod error;
mod expression;
mod kinds;
mod mechanism;
mod moves;
mod read;
mod recorded;
mod statements;
mod text;
mod units;

use lems_export::{Density, Insert};
use lems_network::{CableRules, Column, InstanceId, Network, Variable};
use rustc_hash::{FxHashMap, FxHashSet};

pub use error::NotNative;
pub use moves::Moves;
pub use recorded::Recorded;

use elements::{Element, all_elements, check_readers, note_recorded};
use kinds::Kinds;
use read::Read;
use recorded::known;
use statements::Printer;

/// The density mechanisms of a network, and where they are.
#[derive(Debug, Clone, Default)]
pub struct Membranes {
    /// The mechanisms.
    pub densities: Vec<Density>,
    /// What is inserted at each node of each cell with dendrites.
    pub inserted: Vec<Vec<Vec<Insert>>>,
    /// The temperature that mechanisms read, in kelvin.
    pub temperature: Option<f64>,
    /// Concentrations of ions where no mechanism computes them: NEURON's name, and the value in mM.
    pub concentrations: Vec<(String, f64)>,
    elements: FxHashMap<InstanceId, Place>,
    /// The mechanisms of variables that are recorded.
    known: Vec<Known>,
}

/// Where an element is.
#[derive(Debug, Clone, Copy)]
struct Place {
    cable: usize,
    node: usize,
    density: usize,
    /// Which of the mechanisms that were read it is.
    known: usize,
}

/// The names of variables of a mechanism: node of the element, name in LEMS, name in NMODL, power of ten.
#[derive(Debug, Clone)]
struct Known {
    variables: Vec<(usize, String, String, i32)>,
}

impl Membranes {
    /// Takes the cells of a network apart; `recorded` are the values that have to be variables of mechanisms.
    ///
    /// # Errors
    /// What a density mechanism cannot have.
    pub fn of<'d>(
        network: &Network<'_, 'd>,
        rules: &CableRules,
        recorded: &[Column<'d>],
        moves: Moves,
    ) -> Result<Membranes, NotNative> {
        let mut elements = all_elements(network, rules)?;
        let mut number_of: FxHashMap<InstanceId, usize> = FxHashMap::default();
        for (number, element) in elements.iter().enumerate() {
            number_of.extend(element.nodes.iter().map(|(id, _)| (*id, number)));
        }
        note_recorded(network, recorded, &number_of, &mut elements);
        let mut membranes = Membranes::default();
        membranes.add_mechanisms(network, rules, &elements, moves)?;
        check_readers(network, rules, &number_of)?;
        Ok(membranes)
    }

    /// Reads each kind of element once, and finds the values of its parameters everywhere.
    fn add_mechanisms<'d>(
        &mut self,
        network: &Network<'_, 'd>,
        rules: &CableRules,
        elements: &[Element<'d>],
        moves: Moves,
    ) -> Result<(), NotNative> {
        let kinds = Kinds::of(network, rules, elements, moves)?;
        self.temperature = kinds.temperature;
        self.known = (kinds.reads.iter()).map(|(_, read)| known(read)).collect();
        self.inserted = (network.cables.all.iter())
            .map(|cable| vec![Vec::new(); cable.instances.len()])
            .collect();
        for mechanism in kinds.mechanisms(elements) {
            if let Some((_, read)) = kinds.reads.get(mechanism.kind) {
                let named = (mechanism.kind, mechanism.name.as_str());
                self.place(network, rules, read, named, &mechanism.members)?;
            }
        }
        self.concentrations = given_concentrations(network, rules, &kinds);
        Ok(())
    }

    /// Adds a mechanism and the places that it is in, with the parameters that are not the same in all of them.
    fn place<'d>(
        &mut self,
        network: &Network<'_, 'd>,
        rules: &CableRules,
        read: &Read<'d>,
        (known, name): (usize, &str),
        members: &[&Element<'d>],
    ) -> Result<(), NotNative> {
        let parameters = &read.mechanism.parameters;
        let values: Vec<Vec<f64>> = (read.sources.iter())
            .map(|(node, name)| {
                let value = |element: &&Element<'d>| {
                    let id = element.nodes.get(*node).map_or(element.id, |(id, _)| *id);
                    value_of(network, id, name)
                };
                members.iter().map(value).collect()
            })
            .collect();
        let first = |values: &Vec<f64>| values.first().copied().unwrap_or(0.0);
        let defaults: Vec<f64> = values.iter().map(first).collect();
        let is_same = |values: &Vec<f64>| {
            values
                .iter()
                .all(|value| value.to_bits() == first(values).to_bits())
        };
        let varies: Vec<bool> = values.iter().map(|values| !is_same(values)).collect();
        let ranges: Vec<bool> = (varies.iter().enumerate())
            .map(|(index, varies)| *varies || read.mechanism.own.contains(&index))
            .collect();
        let printer = Printer {
            mechanism: &read.mechanism,
            name,
            ions: rules.ions(),
            defaults: &defaults,
            ranges: &ranges,
        };
        let density = self.densities.len();
        // Where it is not, in a section that has it, it is made to do nothing.
        let idle = (read.sources.iter().zip(parameters)).find(|((node, lems), _)| {
            *node == 0 && (rules.is_density(lems) || rules.is_counted(lems))
        });
        self.densities.push(Density {
            name: name.to_owned(),
            text: printer.text()?,
            idle: idle.map(|(_, parameter)| parameter.name.clone()),
        });
        for (number, element) in members.iter().enumerate() {
            let own = (values.iter().zip(parameters).zip(&ranges))
                .filter(|(_, range)| **range)
                .filter_map(|((values, parameter), _)| {
                    let text = units::number(*values.get(number)?, parameter.dimension);
                    Some((parameter.name.clone(), text))
                });
            let insert = Insert {
                density,
                values: own.collect(),
            };
            if let Some(node) =
                (self.inserted.get_mut(element.cable)).and_then(|cable| cable.get_mut(element.node))
            {
                node.push(insert);
            }
            let place = Place {
                cable: element.cable,
                node: element.node,
                density,
                known,
            };
            self.elements.insert(element.id, place);
        }
        Ok(())
    }

    /// Takes the elements that became mechanisms out of a network.
    pub fn remove_from(&self, network: &mut Network<'_, '_>, rules: &CableRules) {
        // Compartments with and without pools are alike then: nobody reads the concentrations.
        let homes: Vec<InstanceId> = network
            .cables
            .all
            .iter()
            .flat_map(|cable| &cable.instances)
            .flatten()
            .copied()
            .collect();
        for home in homes {
            let names = rules
                .ions()
                .iter()
                .flat_map(|rule| [&rule.inside, &rule.outside]);
            let names: FxHashSet<&str> = names.map(String::as_str).collect();
            let dynamics = network.type_of(home).dynamics.iter();
            let variables = dynamics.flat_map(|dynamics| dynamics.computed_variables());
            for variable in variables.filter(|variable| names.contains(variable.name)) {
                network
                    .cables
                    .given
                    .entry((home, variable.name))
                    .or_insert(0.0);
            }
        }
        for contents in network.instances.all_contents_mut() {
            for (_, list) in &mut contents.lists {
                list.retain(|element| !self.elements.contains_key(element));
            }
        }
    }
}

/// Concentrations of ions that mechanisms use and that are the same everywhere: NEURON's name, and the value in mM.
fn given_concentrations(
    network: &Network<'_, '_>,
    rules: &CableRules,
    kinds: &Kinds<'_>,
) -> Vec<(String, f64)> {
    let is_used = |ion: usize| {
        let mut ions = kinds
            .reads
            .iter()
            .flat_map(|(_, read)| &read.mechanism.ions);
        ions.any(|of| of.ion == ion)
    };
    let mut concentrations = Vec::new();
    let ions = rules.ions().iter().enumerate();
    for (_, rule) in ions.filter(|(ion, _)| is_used(*ion)) {
        for (variable, suffix) in [(&rule.inside, "i"), (&rule.outside, "o")] {
            let mut given = network.cables.given.iter();
            if let Some((_, value)) = given.find(|((_, name), _)| name == variable) {
                let ion = &rule.name;
                concentrations.push((format!("{ion}{suffix}0_{ion}_ion"), *value));
            }
        }
    }
    concentrations
}

/// A parameter, property or requirement that never changes, in SI units.
fn value_of(network: &Network<'_, '_>, id: InstanceId, name: &str) -> f64 {
    let kind = network.type_of(id);
    let own = match kind.parameters.contains_key(name) {
        true => network.parameter(id, name),
        false => network.property(id, name),
    };
    let around = || match network.requirement(id, name)?.variable {
        Variable::Fixed(value) => Some(value),
        Variable::Exposed(_) | Variable::Live(_) => None,
    };
    own.or_else(around).unwrap_or(f64::NAN)
}
