//! Where recorded values are among the variables of mechanisms.

use lems_network::{Column, InstanceId, Network, Readable, Variable};

use crate::current::Compartment;
use crate::elements::home_of;
use crate::read::{Read, nodes_of};
use crate::{Known, Membranes, NotNative, Place, units};

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

impl Membranes {
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

/// The names of the variables of a mechanism.
pub(crate) fn known(read: &Read<'_>) -> Known {
    let of = |((node, name), index): (&(usize, &str), &usize)| {
        let quantity = read.mechanism.variables.get(*index)?;
        let power = quantity.dimension.map_or(0, units::power_of_ten);
        Some((*node, (*name).to_owned(), quantity.name.clone(), power))
    };
    Known {
        variables: read.variables.iter().filter_map(of).collect(),
    }
}
