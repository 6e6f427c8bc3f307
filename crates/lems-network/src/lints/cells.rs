//! What is doubtful about cells with dendrites.

use std::rc::Rc;

use crate::{Cable, CablePlan, InstanceId, Network, NetworkError, Variable};

/// The doubts about each cell component, once.
pub(super) fn doubtful(network: &Network<'_, '_>) -> Vec<NetworkError> {
    let mut plans: Vec<&Rc<CablePlan>> = Vec::new();
    let mut doubts: Vec<NetworkError> = Vec::new();
    for cable in &network.cables.all {
        // The cells of a population follow one another, and share a plan.
        let is_known = |known: &&&Rc<CablePlan>| Rc::ptr_eq(known, &cable.plan);
        if plans.iter().rev().find(is_known).is_some() {
            continue;
        }
        plans.push(&cable.plan);
        let of_plan = cable.plan.doubts.iter().cloned();
        for doubt in of_plan.chain(nothing_gives(network, cable)) {
            if !doubts.contains(&doubt) {
                doubts.push(doubt);
            }
        }
    }
    doubts
}

/// What reads a value of a compartment that holds only because an element is missing: once for each
/// part of the cell and each such element.
fn nothing_gives(network: &Network<'_, '_>, cable: &Cable) -> Vec<NetworkError> {
    let model = network.model;
    let mut found: Vec<NetworkError> = Vec::new();
    let main = cable.instances.iter().flatten().next();
    let cell = main.and_then(|main| network.instance(*main).component);
    let cell = cell.map_or_else(String::new, |cell| model.title(cell));
    let parts = (cable.instances.iter().flatten()).flat_map(|node| network.parts_of(*node));
    for reader in parts {
        let component = network.instance(reader).component;
        let (Some(component), Some(missing)) = (component, missing(network, reader)) else {
            continue;
        };
        let reader = model.title(component);
        let known = found.iter_mut().find_map(|known| match known {
            NetworkError::NothingGives {
                part,
                element,
                compartments,
                ..
            } if *part == reader && *element == missing.element => Some(compartments),
            _ => None,
        });
        if let Some(compartments) = known {
            *compartments += 1;
            continue;
        }
        found.push(NetworkError::NothingGives {
            part: reader,
            variable: missing.variable.to_owned(),
            element: missing.element.to_owned(),
            compartments: 1,
            cell: cell.clone(),
            value: missing.value,
            span: model.element(component).span(),
        });
    }
    found
}

/// A value that holds because an element is missing.
struct Missing<'d> {
    variable: &'d str,
    element: &'d str,
    /// In SI units.
    value: f64,
}

/// The first requirement of an instance that is met by such a value.
fn missing<'d>(network: &Network<'_, 'd>, id: InstanceId) -> Option<Missing<'d>> {
    let cables = &network.cables;
    network.type_of(id).requirements.keys().find_map(|name| {
        let (variable, element) = cables.missing.get_key_value(name)?;
        let origin = network.origin(network.requirement(id, name)?);
        let (Variable::Live(own) | Variable::Exposed(own)) = origin.variable else {
            return None;
        };
        let value = *cables.given.get(&(origin.instance, own))?;
        Some(Missing {
            variable,
            element,
            value,
        })
    })
}
