//! Values of `DerivedParameter`s: in order of need, whatever the order of declaration. Those that
//! need one another are computed in order of declaration, as in jLEMS, and are 0 before.

use lems_math::JavaRandom;
use petgraph::{algo::kosaraju_scc, graph::DiGraph};
use rustc_hash::FxHashMap;

use crate::{ComponentId, ComponentType, Model, ModelError, ParameterKind, Role, TypeId};

/// Computes all derived parameters, those of parents before those of their children.
pub(crate) fn evaluate(model: &mut Model<'_>) -> Result<(), Vec<ModelError>> {
    let mut errors = Vec::new();
    let mut circles = Vec::new();
    let orders: Vec<Order> = (0..model.types.len())
        .map(|index| order(&model.types[index], &mut circles))
        .collect();
    model.warnings.append(&mut circles);
    let mut targets = Targets::default();
    for id in model.component_ids() {
        let kind = model.component(id).component_type;
        let order = &orders[kind.0 as usize];
        for &parameter in &order.in_circles {
            model.components.set_parameter(id, parameter, 0.0);
        }
        for &parameter in &order.all {
            let mut draws = Draws(model.random.clone());
            let value = value(model, id, kind, parameter, &mut targets, &mut draws);
            model.random = draws.0;
            match value {
                Ok(value) => model.components.set_parameter(id, parameter, value),
                Err(error) => errors.push(error),
            }
        }
    }
    if errors.is_empty() {
        Ok(())
    } else {
        errors.dedup();
        Err(errors)
    }
}

/// Indices of a type's derived parameters.
#[derive(Default)]
struct Order {
    /// Each after those that it uses.
    all: Vec<usize>,
    /// Those that need one another.
    in_circles: Vec<usize>,
}

fn order(component_type: &ComponentType<'_>, circles: &mut Vec<ModelError>) -> Order {
    let parameters = &component_type.parameters;
    let mut graph = DiGraph::<usize, ()>::new();
    let nodes: Vec<_> = (0..parameters.len()).map(|i| graph.add_node(i)).collect();
    for (index, parameter) in parameters.values().enumerate() {
        if let ParameterKind::Derived(formula) = &parameter.kind {
            for name in formula.expression.variables() {
                if let Some(used) = parameters.get_index_of(name.as_str()) {
                    graph.add_edge(nodes[index], nodes[used], ());
                }
            }
        }
    }
    let mut order = Order::default();
    for group in kosaraju_scc(&graph) {
        let first = graph[group[0]];
        if group.len() > 1 || graph.contains_edge(group[0], group[0]) {
            let name = |index: usize| {
                parameters
                    .get_index(index)
                    .map(|(name, _)| name.to_string())
            };
            let mut chain: Vec<String> = group.iter().filter_map(|n| name(graph[*n])).collect();
            chain.extend(name(first));
            let mut members: Vec<usize> = group.iter().map(|node| graph[*node]).collect();
            members.sort_unstable();
            order.all.extend(&members);
            order.in_circles.extend(members);
            circles.push(ModelError::DerivedParameterCycle {
                component_type: component_type.name.to_owned(),
                chain,
                span: crate::table::place_of_name(parameters[first].element, "name"),
            });
        } else if matches!(
            parameters[first].kind,
            ParameterKind::Derived(_) | ParameterKind::Selected(_)
        ) {
            order.all.push(first);
        }
    }
    order
}

fn value(
    model: &Model<'_>,
    id: ComponentId,
    kind: TypeId,
    index: usize,
    targets: &mut Targets,
    draws: &mut Draws,
) -> Result<f64, ModelError> {
    let component_type = model.type_of(kind);
    match &component_type.parameters[index].kind {
        ParameterKind::Derived(formula) => formula
            .expression
            .evaluate_drawing(
                &mut |name| {
                    model
                        .parameter(id, name)
                        .or_else(|| model.constants.get(name).map(|constant| constant.value))
                },
                &mut || draws.next(),
            )
            .map_err(|_| {
                let variables = formula.expression.variables();
                let unknown = variables.iter().position(|name| {
                    !component_type.parameters.contains_key(name.as_str())
                        && !model.constants.contains_key(name.as_str())
                });
                let name = unknown.and_then(|index| variables.get(index).cloned());
                let name = name.unwrap_or_default();
                let range = unknown.map(|index| formula.expression.variable_range(index));
                ModelError::UnknownVariable {
                    suggestion: lems_document::nearest(
                        &name,
                        component_type.parameters.keys().copied(),
                    )
                    .map(str::to_owned),
                    name,
                    component_type: component_type.name.to_owned(),
                    span: range.map_or(formula.source.span(), |range| formula.span(range)),
                }
            }),
        ParameterKind::Selected(path) => {
            selected(model, id, path.value(), targets).ok_or_else(|| {
                ModelError::UnresolvedParameterPath {
                    path: path.value().to_owned(),
                    component_type: component_type.name.to_owned(),
                    span: path.span(),
                }
            })
        }
        ParameterKind::Given | ParameterKind::Default(_) => Ok(f64::NAN),
    }
}

/// The generator behind `random()`, made when it is needed first.
struct Draws(Option<JavaRandom>);

impl Draws {
    fn next(&mut self) -> f64 {
        (self.0.get_or_insert_with(|| JavaRandom::new(1234))).next_double()
    }
}

/// Components by type name, reference and the component that the reference means.
#[derive(Default)]
struct Targets {
    by_reference: FxHashMap<(String, String), FxHashMap<ComponentId, ComponentId>>,
}

/// Follows `a/b/parameter`, `../parameter` or `//Type[reference=path]/parameter`.
fn selected(model: &Model<'_>, id: ComponentId, path: &str, targets: &mut Targets) -> Option<f64> {
    if let Some(search) = path.strip_prefix("//") {
        let (kind, rest) = search.split_once('[')?;
        let (predicate, parameter) = rest.split_once("]/")?;
        let (reference, path) = predicate.split_once('=')?;
        let wanted = follow(model, id, path.trim())?;
        let key = (kind.to_owned(), reference.trim().to_owned());
        let found = targets
            .by_reference
            .entry(key)
            .or_insert_with_key(|(kind, reference)| {
                let mut found = FxHashMap::default();
                for candidate in model.component_ids().rev() {
                    if model.is_a(model.component(candidate).component_type, kind)
                        && let Some(target) = model.reference(candidate, reference)
                    {
                        found.insert(target, candidate);
                    }
                }
                found
            });
        return model.parameter(*found.get(&wanted)?, parameter.trim());
    }
    let (steps, parameter) = path.rsplit_once('/').unwrap_or((".", path));
    model.parameter(follow(model, id, steps)?, parameter.trim())
}

fn follow(model: &Model<'_>, start: ComponentId, path: &str) -> Option<ComponentId> {
    let mut current = start;
    for step in path.split('/').map(str::trim) {
        current = match step {
            "." | "" | "this" => current,
            ".." => model.component(current).parent?,
            name => model.reference(current, name).or_else(|| {
                (model.children(current)).find_map(|(role, child)| {
                    let named = model.name(child) == Some(name);
                    let here = matches!(role, Role::Slot(slot) if slot == name);
                    (named || here).then_some(child)
                })
            })?,
        };
    }
    Some(current)
}
