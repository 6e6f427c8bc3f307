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
mod error;
mod expression;
mod mechanism;
mod read;
mod text;
mod units;

use lems_export::{Density, Insert, mechanism_name};
use lems_network::{CableRules, Column, InstanceId, Network, Readable, Variable};
use rustc_hash::{FxHashMap, FxHashSet};

pub use error::NotNative;

use current::{Compartment, Term};
use read::{Read, Reader, Role, nodes_of};
use text::Printer;

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

/// Where a recorded value is among mechanisms: the sum of these, each times its factor, is in SI units.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The cell with dendrites.
    pub cable: usize,
    /// Its node.
    pub node: usize,
    /// Name of a range variable, and its factor.
    pub terms: Vec<(String, f64)>,
}

/// An element of a compartment that becomes a mechanism.
struct Element<'d> {
    id: InstanceId,
    cable: usize,
    node: usize,
    home: InstanceId,
    role: Role<'d>,
    nodes: Vec<(InstanceId, String)>,
    base: String,
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
    ) -> Result<Membranes, NotNative> {
        let mut elements = Vec::new();
        for (cable, of) in network.cables.all.iter().enumerate() {
            for (node, home) in of.instances.iter().enumerate() {
                if let Some(home) = home {
                    elements_of(network, rules, (cable, node), *home, &mut elements)?;
                }
            }
        }
        let mut number_of: FxHashMap<InstanceId, usize> = FxHashMap::default();
        for (number, element) in elements.iter().enumerate() {
            number_of.extend(element.nodes.iter().map(|(id, _)| (*id, number)));
        }
        let mut membranes = Membranes::default();
        wanted(network, recorded, &number_of, &mut elements);
        membranes.read(network, rules, &elements)?;
        check_readers(network, rules, &number_of)?;
        Ok(membranes)
    }

    /// Reads each kind of element once, and finds the values of its parameters everywhere.
    fn read<'d>(
        &mut self,
        network: &Network<'_, 'd>,
        rules: &CableRules,
        elements: &[Element<'d>],
    ) -> Result<(), NotNative> {
        // Elements of one component are alike; those of several that refer to one may be.
        let mut reads: Vec<(String, Read<'d>)> = Vec::new();
        let mut of_component: FxHashMap<(u32, u32, usize), usize> = FxHashMap::default();
        let mut kind_of = Vec::with_capacity(elements.len());
        for element in elements {
            let instance = network.instance(element.id);
            let key = instance
                .component
                .map(|component| (component.0, instance.kind.0, element.nodes.len()));
            if let Some(known) = key.and_then(|key| of_component.get(&key)) {
                kind_of.push(*known);
                continue;
            }
            let reader = Reader::new(
                network,
                rules.ions(),
                rules.called(),
                element.home,
                element.nodes.clone(),
            );
            let title = title_of(network, element.id);
            let read = reader.read(title, &element.role)?;
            if self.temperature.is_some()
                && read.temperature.is_some()
                && self.temperature != read.temperature
            {
                return Err(NotNative::Bug("single temperature"));
            }
            self.temperature = self.temperature.or(read.temperature);
            let alike = reads.iter().position(|(base, other)| {
                *base == element.base
                    && other.mechanism == read.mechanism
                    && other.sources == read.sources
            });
            let number = alike.unwrap_or(reads.len());
            if alike.is_none() {
                reads.push((element.base.clone(), read));
            }
            if let Some(key) = key {
                of_component.insert(key, number);
            }
            kind_of.push(number);
        }
        // A second element of one kind in a compartment needs a mechanism of its own.
        let mut kinds: Vec<(usize, usize)> = Vec::new();
        let mut kind_of_element = Vec::with_capacity(elements.len());
        let mut seen: FxHashMap<(InstanceId, usize), usize> = FxHashMap::default();
        for (element, read) in elements.iter().zip(&kind_of) {
            let count = seen.entry((element.home, *read)).or_insert(0);
            let kind = (*read, *count);
            *count += 1;
            let number = kinds
                .iter()
                .position(|known| *known == kind)
                .unwrap_or(kinds.len());
            if number == kinds.len() {
                kinds.push(kind);
            }
            kind_of_element.push(number);
        }
        let mut taken: FxHashMap<String, u32> = FxHashMap::default();
        let names: Vec<String> = (kinds.iter())
            .map(|(read, _)| {
                let wanted = reads
                    .get(*read)
                    .map_or_else(String::new, |(base, _)| mechanism_name(base));
                let count = taken.entry(wanted.to_lowercase()).or_insert(0);
                *count += 1;
                if *count == 1 {
                    wanted
                } else {
                    format!("{wanted}_{count}")
                }
            })
            .collect();
        self.known = (reads.iter()).map(|(_, read)| known(read)).collect();
        self.inserted = (network.cables.all.iter())
            .map(|cable| vec![Vec::new(); cable.instances.len()])
            .collect();
        for (number, ((read_number, _), name)) in kinds.iter().zip(&names).enumerate() {
            let Some((_, read)) = reads.get(*read_number) else {
                continue;
            };
            let members: Vec<&Element<'d>> = (elements.iter().zip(&kind_of_element))
                .filter(|(_, kind)| **kind == number)
                .map(|(element, _)| element)
                .collect();
            self.place(network, rules, read, (*read_number, name), &members)?;
        }
        let is_used = |ion: usize| {
            reads
                .iter()
                .any(|(_, read)| read.mechanism.ions.iter().any(|of| of.ion == ion))
        };
        for (_, rule) in rules
            .ions()
            .iter()
            .enumerate()
            .filter(|(ion, _)| is_used(*ion))
        {
            for (variable, suffix) in [(&rule.inside, "i"), (&rule.outside, "o")] {
                let mut given = network
                    .cables
                    .given
                    .iter()
                    .filter(|((_, name), _)| name == variable);
                if let Some((_, value)) = given.next() {
                    let ion = &rule.name;
                    self.concentrations
                        .push((format!("{ion}{suffix}0_{ion}_ion"), *value));
                }
            }
        }
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
        for instance in &mut network.instances {
            for (_, list) in &mut instance.lists {
                list.retain(|element| !self.elements.contains_key(element));
            }
        }
    }

    /// Where a recorded value is among mechanisms; None if it is elsewhere.
    ///
    /// # Errors
    /// It depends on mechanisms, but is no sum of variables of them.
    pub fn recorded<'d>(
        &self,
        network: &Network<'_, 'd>,
        column: &Column<'d>,
    ) -> Result<Option<Recorded>, NotNative> {
        let Readable { instance, variable } = column.value;
        let (Variable::Exposed(name) | Variable::Live(name)) = variable else {
            return Ok(None);
        };
        if let Some((place, node)) = self.element_around(network, instance) {
            let term = self.term(place, node, name, 1.0);
            return term
                .map(|term| {
                    Some(Recorded {
                        cable: place.cable,
                        node: place.node,
                        terms: vec![term],
                    })
                })
                .ok_or_else(|| NotNative::Recorded(name.to_owned()));
        }
        let Some(home) = home_of(network, instance) else {
            return Ok(None);
        };
        if instance == home && name == network.cables.potential {
            return Ok(None);
        }
        let compartment = Compartment { network, id: home };
        let Some(terms) = compartment.terms(instance, name) else {
            return Ok(None);
        };
        let mut all = Vec::new();
        let mut at = None;
        let area = network
            .cables
            .given
            .get(&(home, network.cables.area))
            .copied()
            .unwrap_or(f64::NAN);
        for term in &terms {
            let Some(value) = term.value else {
                return Ok(None);
            };
            let Some((place, node)) = self.element_around(network, value.instance) else {
                return Ok(None);
            };
            let (Variable::Exposed(own) | Variable::Live(own)) = value.variable else {
                return Ok(None);
            };
            let factor = term.coefficient * lems_math::pow(area, f64::from(term.area));
            let of_capacitance = term.capacitance != 0;
            let found = self
                .term(place, node, own, factor)
                .filter(|_| !of_capacitance);
            all.push(found.ok_or_else(|| NotNative::Recorded(name.to_owned()))?);
            at = Some((place.cable, place.node));
        }
        Ok(at.map(|(cable, node)| Recorded {
            cable,
            node,
            terms: all,
        }))
    }

    fn term(&self, place: Place, node: usize, name: &str, factor: f64) -> Option<(String, f64)> {
        let variables = &self.known.get(place.known)?.variables;
        let (_, _, nmodl, power) = variables
            .iter()
            .find(|(of, lems, _, _)| *of == node && lems == name)?;
        let suffix = &self.densities.get(place.density)?.name;
        Some((
            format!("{nmodl}_{suffix}"),
            factor * lems_math::pow(10.0, f64::from(*power)),
        ))
    }

    /// The element that an instance is in, and which of its nodes it is.
    fn element_around(&self, network: &Network<'_, '_>, id: InstanceId) -> Option<(Place, usize)> {
        let mut current = Some(id);
        while let Some(of) = current {
            if let Some(place) = self.elements.get(&of) {
                let nodes = nodes_of(network, of)?;
                let node = nodes.iter().position(|(node, _)| *node == id)?;
                return Some((*place, node));
            }
            current = network.instance(of).parent;
        }
        None
    }
}

/// The compartment that an instance is in.
fn home_of(network: &Network<'_, '_>, id: InstanceId) -> Option<InstanceId> {
    let parent = |id: &InstanceId| network.instance(*id).parent;
    std::iter::successors(Some(id), parent).find(|id| network.cables.is_node(*id))
}

fn known(read: &Read<'_>) -> Known {
    let of = |((node, name), index): (&(usize, &str), &usize)| {
        let quantity = read.mechanism.variables.get(*index)?;
        let power = quantity.dimension.map_or(0, units::power_of_ten);
        Some((*node, (*name).to_owned(), quantity.name.clone(), power))
    };
    Known {
        variables: read.variables.iter().filter_map(of).collect(),
    }
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

/// What an element is called: by the component that it refers to, if it does.
fn base_name(network: &Network<'_, '_>, id: InstanceId) -> String {
    let kind = network.type_of(id);
    let component = network.instance(id).component;
    let referred = component.and_then(|component| {
        let mut names = kind.references.keys();
        names.find_map(|name| {
            let model = network.model;
            model.name(model.reference(component, name)?)
        })
    });
    referred
        .or_else(|| network.component_id(id))
        .unwrap_or(kind.name)
        .to_owned()
}

fn title_of(network: &Network<'_, '_>, id: InstanceId) -> String {
    let kind = network.type_of(id).name;
    let inner = network
        .instance(id)
        .singles
        .iter()
        .map(|(_, child)| network.type_of(*child).name);
    let inner: Vec<&str> = inner.collect();
    match inner.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind} of {}", inner.join(", ")),
    }
}

/// The elements of a compartment that become mechanisms.
fn elements_of<'d>(
    network: &Network<'_, 'd>,
    rules: &CableRules,
    (cable, node): (usize, usize),
    home: InstanceId,
    elements: &mut Vec<Element<'d>>,
) -> Result<(), NotNative> {
    let compartment = Compartment { network, id: home };
    let kind = network.type_of(home);
    let refuse = || NotNative::Current {
        cell: kind.name.to_owned(),
    };
    let rates = kind.dynamics.iter().flat_map(|dynamics| &dynamics.rates);
    let mut own: Vec<(InstanceId, Role<'d>)> = Vec::new();
    for rate in rates.filter(|rate| rate.variable == network.cables.potential) {
        for term in compartment
            .terms_of(&rate.value.expression)
            .ok_or_else(refuse)?
        {
            let Some(value) = term
                .value
                .filter(|value| !network.instance(value.instance).attached)
            else {
                continue;
            };
            let (Variable::Exposed(name) | Variable::Live(name)) = value.variable else {
                return Err(refuse());
            };
            if term.capacitance != -1
                || !(0..=1).contains(&term.area)
                || own.iter().any(|(id, _)| *id == value.instance)
            {
                return Err(refuse());
            }
            let current = Some((name, term.area == 0, term.coefficient));
            own.push((
                value.instance,
                Role {
                    current,
                    ..Role::default()
                },
            ));
        }
    }
    let has_variable = |name: &str| {
        let mut variables = kind
            .dynamics
            .iter()
            .flat_map(|dynamics| dynamics.variables());
        variables.any(|variable| variable.name == name)
    };
    for (ion, rule) in rules
        .ions()
        .iter()
        .enumerate()
        .filter(|(_, rule)| has_variable(&rule.inside))
    {
        let terms = compartment.terms(home, &rule.current).ok_or_else(refuse)?;
        for value in terms.iter().filter_map(|term| term.value) {
            if let Some((_, role)) = own.iter_mut().find(|(id, _)| *id == value.instance) {
                role.carries = Some(ion);
            }
        }
        for (variable, is_inside) in [(&rule.inside, true), (&rule.outside, false)] {
            let refuse = || NotNative::Concentration {
                variable: variable.clone(),
            };
            let terms = compartment.terms(home, variable).ok_or_else(refuse)?;
            let values: Vec<&Term<'d>> = terms.iter().filter(|term| term.value.is_some()).collect();
            let [
                Term {
                    coefficient: 1.0,
                    area: 0,
                    capacitance: 0,
                    value: Some(value),
                },
            ] = values[..]
            else {
                if values.is_empty() {
                    continue;
                }
                return Err(refuse());
            };
            let (Variable::Exposed(name) | Variable::Live(name)) = value.variable else {
                return Err(refuse());
            };
            let place = own
                .iter()
                .position(|(id, _)| *id == value.instance)
                .unwrap_or_else(|| {
                    own.push((value.instance, Role::default()));
                    own.len() - 1
                });
            let pool = own[place].1.pool.get_or_insert((ion, None, None));
            if pool.0 != ion {
                return Err(refuse());
            }
            *(if is_inside { &mut pool.1 } else { &mut pool.2 }) = Some(name);
        }
    }
    for (id, mut role) in own {
        if role.current.is_some() && role.carries.is_none() {
            role.carries = named_ion(network, rules, id);
        }
        let nodes = nodes_of(network, id);
        let nodes = nodes.ok_or_else(|| NotNative::Part {
            part: network.type_of(id).name.to_owned(),
            what: "attachments",
        })?;
        let base = base_name(network, id);
        elements.push(Element {
            id,
            cable,
            node,
            home,
            role,
            nodes,
            base,
        });
    }
    Ok(())
}

/// The ion that an element says its current is of, if NEURON knows it.
fn named_ion(network: &Network<'_, '_>, rules: &CableRules, id: InstanceId) -> Option<usize> {
    let component = network.instance(id).component?;
    let name = network.model.text(component, rules.carried_ion())?;
    rules
        .ions()
        .iter()
        .position(|rule| rule.name == name.value())
}

/// Notes which variables of elements are recorded, for all elements of that name.
fn wanted<'d>(
    network: &Network<'_, 'd>,
    recorded: &[Column<'d>],
    number_of: &FxHashMap<InstanceId, usize>,
    elements: &mut [Element<'d>],
) {
    let mut wanted: FxHashMap<String, Vec<(usize, &'d str)>> = FxHashMap::default();
    let mut note = |value: Readable<'d>| {
        let (Variable::Exposed(name) | Variable::Live(name)) = value.variable else {
            return;
        };
        let element = number_of
            .get(&value.instance)
            .and_then(|number| elements.get(*number));
        let node = element.and_then(|element| {
            let node = element
                .nodes
                .iter()
                .position(|(id, _)| *id == value.instance)?;
            Some((element.base.clone(), node))
        });
        if let Some((base, node)) = node {
            let all = wanted.entry(base).or_default();
            if !all.contains(&(node, name)) {
                all.push((node, name));
            }
        }
    };
    for column in recorded {
        note(column.value);
        let (Variable::Exposed(name) | Variable::Live(name)) = column.value.variable else {
            continue;
        };
        let home = home_of(network, column.value.instance);
        let terms =
            home.and_then(|id| Compartment { network, id }.terms(column.value.instance, name));
        for value in terms.into_iter().flatten().filter_map(|term| term.value) {
            note(value);
        }
    }
    for element in elements {
        if let Some(all) = wanted.get(&element.base) {
            element.role.recorded.clone_from(all);
        }
    }
}

/// Checks that nothing that stays in the network reads what has become mechanisms.
fn check_readers(
    network: &Network<'_, '_>,
    rules: &CableRules,
    number_of: &FxHashMap<InstanceId, usize>,
) -> Result<(), NotNative> {
    // All that depends on mechanisms are the variables of cells that these rules name.
    let names = rules
        .ions()
        .iter()
        .flat_map(|rule| [&rule.inside, &rule.outside, &rule.current]);
    let names: FxHashSet<&str> = names.map(String::as_str).collect();
    for (number, instance) in (0..).zip(&network.instances) {
        let id = InstanceId(number);
        if number_of.contains_key(&id) {
            continue;
        }
        let kind = network.model.type_of(instance.kind);
        for name in kind.requirements.keys() {
            let Some(found) = network.requirement(id, name) else {
                continue;
            };
            let (Variable::Exposed(own) | Variable::Live(own)) = found.variable else {
                continue;
            };
            if names.contains(own) && network.cables.is_node(found.instance)
                || number_of.contains_key(&found.instance)
            {
                return Err(NotNative::Reads {
                    part: kind.name.to_owned(),
                    variable: own.to_owned(),
                    owner: network.type_of(found.instance).name.to_owned(),
                });
            }
        }
    }
    Ok(())
}
