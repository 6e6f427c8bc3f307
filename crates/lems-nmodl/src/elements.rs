//! Which elements of compartments become mechanisms.

use lems_network::{CableRules, Column, InstanceId, Network, Readable, Variable};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::NotNative;
use crate::current::{Compartment, Term};
use crate::read::{Role, nodes_of};

/// An element of a compartment that becomes a mechanism.
pub(crate) struct Element<'d> {
    pub id: InstanceId,
    pub cable: usize,
    pub node: usize,
    /// The compartment.
    pub home: InstanceId,
    pub role: Role<'d>,
    /// The instances in it, and their paths.
    pub nodes: Vec<(InstanceId, String)>,
    /// The name that its mechanism is named after.
    pub base: String,
}

/// Elements of a compartment, and what each is there for.
type Roles<'d> = Vec<(InstanceId, Role<'d>)>;

/// The elements of all compartments that become mechanisms.
pub(crate) fn all_elements<'d>(
    network: &Network<'_, 'd>,
    rules: &CableRules,
) -> Result<Vec<Element<'d>>, NotNative> {
    let mut elements = Vec::new();
    for (cable, of) in network.cables.all.iter().enumerate() {
        for (node, home) in of.instances.iter().enumerate() {
            if let Some(home) = home {
                elements_of(network, rules, (cable, node), *home, &mut elements)?;
            }
        }
    }
    Ok(elements)
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
    let mut roles = currents(compartment)?;
    add_ions(compartment, rules, &mut roles)?;
    for (id, mut role) in roles {
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

/// An error about the current of a compartment, which is no sum over elements.
fn refused(compartment: Compartment<'_, '_, '_>) -> NotNative {
    let cell = compartment.network.type_of(compartment.id).name.to_owned();
    NotNative::Current { cell }
}

/// The elements that the current through the membrane is a sum over.
fn currents<'d>(compartment: Compartment<'_, '_, 'd>) -> Result<Roles<'d>, NotNative> {
    let Compartment { network, id: home } = compartment;
    let refuse = || refused(compartment);
    let dynamics = network.type_of(home).dynamics.iter();
    let rates = dynamics.flat_map(|dynamics| &dynamics.rates);
    let mut roles = Roles::new();
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
                || roles.iter().any(|(id, _)| *id == value.instance)
            {
                return Err(refuse());
            }
            let current = Some((name, term.area == 0, term.coefficient));
            roles.push((
                value.instance,
                Role {
                    current,
                    ..Role::default()
                },
            ));
        }
    }
    Ok(roles)
}

/// Adds the ions that currents consist of, and the elements that are the concentrations of ions.
fn add_ions<'d>(
    compartment: Compartment<'_, '_, 'd>,
    rules: &CableRules,
    roles: &mut Roles<'d>,
) -> Result<(), NotNative> {
    let Compartment { network, id: home } = compartment;
    let has_variable = |name: &str| {
        let dynamics = network.type_of(home).dynamics.iter();
        let mut variables = dynamics.flat_map(|dynamics| dynamics.variables());
        variables.any(|variable| variable.name == name)
    };
    let ions = rules.ions().iter().enumerate();
    for (ion, rule) in ions.filter(|(_, rule)| has_variable(&rule.inside)) {
        // The elements whose currents the ion carries.
        let terms = compartment.terms(home, &rule.current);
        let terms = terms.ok_or_else(|| refused(compartment))?;
        for value in terms.iter().filter_map(|term| term.value) {
            if let Some((_, role)) = roles.iter_mut().find(|(id, _)| *id == value.instance) {
                role.carries = Some(ion);
            }
        }
        // The elements that are its concentrations.
        for (variable, is_inside) in [(&rule.inside, true), (&rule.outside, false)] {
            let Some((element, name)) = concentration(compartment, variable)? else {
                continue;
            };
            let place = roles.iter().position(|(id, _)| *id == element);
            let place = place.unwrap_or_else(|| {
                roles.push((element, Role::default()));
                roles.len() - 1
            });
            let pool = roles[place].1.pool.get_or_insert((ion, None, None));
            if pool.0 != ion {
                return Err(NotNative::Concentration {
                    variable: variable.clone(),
                });
            }
            *(if is_inside { &mut pool.1 } else { &mut pool.2 }) = Some(name);
        }
    }
    Ok(())
}

/// The element and the variable of it that a concentration of a compartment is; None if it is a number.
fn concentration<'d>(
    compartment: Compartment<'_, '_, 'd>,
    variable: &str,
) -> Result<Option<(InstanceId, &'d str)>, NotNative> {
    let refuse = || NotNative::Concentration {
        variable: variable.to_owned(),
    };
    let terms = compartment.terms(compartment.id, variable);
    let terms = terms.ok_or_else(refuse)?;
    let values: Vec<&Term<'d>> = terms.iter().filter(|term| term.value.is_some()).collect();
    if values.is_empty() {
        return Ok(None);
    }
    let [
        Term {
            coefficient: 1.0,
            area: 0,
            capacitance: 0,
            value: Some(value),
        },
    ] = values[..]
    else {
        return Err(refuse());
    };
    match value.variable {
        Variable::Exposed(name) | Variable::Live(name) => Ok(Some((value.instance, name))),
        Variable::Fixed(_) => Err(refuse()),
    }
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
pub(crate) fn note_recorded<'d>(
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
pub(crate) fn check_readers(
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
    for (number, instance) in (0..).zip(network.instances.iter()) {
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

/// The compartment that an instance is in.
pub(crate) fn home_of(network: &Network<'_, '_>, id: InstanceId) -> Option<InstanceId> {
    let parent = |id: &InstanceId| network.instance(*id).parent;
    std::iter::successors(Some(id), parent).find(|id| network.cables.is_node(*id))
}
