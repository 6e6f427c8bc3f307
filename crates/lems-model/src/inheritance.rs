//! `extends` of ComponentTypes: own declarations first, inherited ones after.

use std::sync::Arc;

use lems_document::nearest;
use lems_index::Id as _;
use petgraph::{algo::kosaraju_scc, graph::DiGraph};

use crate::{ComponentType, Dynamics, Model, ModelError, Table, TypeId};

/// Most types or components that extend one another in a row.
pub(crate) const MAX_EXTENDS: usize = 200;

/// Most declarations of all types together, those that they inherit among them: each type has its own
/// copy of what it inherits.
const MAX_DECLARATIONS: usize = 3_000_000;

/// Resolves all `extends`, parents before their children.
pub(crate) fn resolve(model: &mut Model<'_>) -> Result<(), Vec<ModelError>> {
    let mut errors = Vec::new();
    let mut graph = DiGraph::<TypeId, ()>::new();
    let nodes: Vec<_> = (0..model.types.len())
        .map(|index| graph.add_node(TypeId::at(index)))
        .collect();
    for index in 0..model.types.len() {
        let element = model.types[index].element;
        let Some(extends) = element.attribute("extends") else {
            continue;
        };
        match model.type_named(extends.value()) {
            Some(parent) => {
                Arc::make_mut(&mut model.types)[index].parent = Some(parent);
                graph.add_edge(nodes[index], nodes[parent.0 as usize], ());
            }
            None => errors.push(ModelError::UnknownType {
                name: extends.value().to_owned(),
                suggestion: nearest(extends.value(), model.types.keys().copied())
                    .map(str::to_owned),
                span: extends.span(),
            }),
        }
    }
    let mut depths = vec![0; model.types.len()];
    let mut declarations = 0;
    for component in kosaraju_scc(&graph) {
        let id = graph[component[0]];
        let parent = model.type_of(id).parent;
        if component.len() > 1 || parent == Some(id) {
            errors.push(cycle(model, id));
        } else {
            depths[id.0 as usize] = parent.map_or(0, |parent| depths[parent.0 as usize] + 1);
            if depths[id.0 as usize] > MAX_EXTENDS {
                errors.push(ModelError::TooDeep {
                    what: "`extends`",
                    limit: MAX_EXTENDS,
                    span: crate::table::place_of_name(model.type_of(id).element, "extends"),
                });
                break;
            }
            let inherited = parent.map_or(0, |parent| model.type_of(parent).declarations());
            declarations += model.type_of(id).declarations() + inherited;
            if declarations > MAX_DECLARATIONS {
                errors.push(ModelError::TooManyDeclarations {
                    limit: MAX_DECLARATIONS,
                    span: crate::table::place_of_name(model.type_of(id).element, "name"),
                });
                break;
            }
            let parent = parent.map(|parent| model.type_of(parent).clone());
            let own = &mut Arc::make_mut(&mut model.types)[id.0 as usize];
            let declares_dynamics = own.dynamics.is_some();
            if let Some(parent) = parent {
                inherit(own, &parent);
            }
            if let (true, Some(dynamics)) = (declares_dynamics, &mut own.dynamics) {
                let dynamics = Arc::make_mut(dynamics);
                dynamics.requirements = own.requirements.keys().copied().collect();
                dynamics.exposures = own.exposures.keys().copied().collect();
            }
            apply_fixed(own);
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

fn cycle(model: &Model<'_>, start: TypeId) -> ModelError {
    let name = |id: TypeId| model.type_of(id).name.to_owned();
    let mut chain = vec![name(start)];
    let mut current = start;
    while let Some(parent) = model.type_of(current).parent {
        chain.push(name(parent));
        if parent == start {
            break;
        }
        current = parent;
    }
    ModelError::InheritanceCycle {
        chain,
        span: crate::table::place_of_name(model.type_of(start).element, "name"),
    }
}

fn inherit<'d>(own: &mut ComponentType<'d>, parent: &ComponentType<'d>) {
    append(&mut own.parameters, &parent.parameters);
    append(&mut own.properties, &parent.properties);
    append(&mut own.requirements, &parent.requirements);
    append(&mut own.exposures, &parent.exposures);
    append(&mut own.ports, &parent.ports);
    append(&mut own.slots, &parent.slots);
    append(&mut own.lists, &parent.lists);
    append(&mut own.attachments, &parent.attachments);
    own.collections.extend(&parent.collections);
    own.pair_collections.extend(&parent.pair_collections);
    append(&mut own.references, &parent.references);
    append(&mut own.texts, &parent.texts);
    own.dynamics = match (own.dynamics.take(), &parent.dynamics) {
        (Some(own), Some(base)) if own.extends_base => Some(Arc::new(joined(base, &own))),
        (own, base) => own.or_else(|| base.clone()),
    };
    if own.structure.is_empty() {
        own.structure = parent.structure.clone();
    }
    if own.simulation.is_empty() {
        own.simulation = parent.simulation.clone();
    }
}

/// Dynamics that begin with those of a base (`Super`).
fn joined<'d>(base: &Dynamics<'d>, own: &Dynamics<'d>) -> Dynamics<'d> {
    let mut joined = base.clone();
    let own = own.clone();
    joined.simultaneous |= own.simultaneous;
    joined.state.extend(own.state);
    joined.selections.extend(own.selections);
    joined.derived.extend(own.derived);
    joined.conditional.extend(own.conditional);
    joined.rates.extend(own.rates);
    joined.on_start.extend(own.on_start);
    joined.on_entry.extend(own.on_entry);
    joined.on_condition.extend(own.on_condition);
    joined.on_event.extend(own.on_event);
    joined.regimes.extend(own.regimes);
    joined.schemes.extend(own.schemes);
    joined
}

fn apply_fixed(own: &mut ComponentType<'_>) {
    for (name, quantity) in &own.fixed {
        if let Some(parameter) = own.parameters.get_mut(name) {
            parameter.fixed = Some(*quantity);
        }
    }
}

fn append<'d, V: Clone>(own: &mut Table<'d, V>, parent: &Table<'d, V>) {
    for (name, value) in parent {
        if !own.contains_key(name) {
            own.insert(*name, value.clone());
        }
    }
}
