//! Values of `DerivedParameter`s: in order of need, whatever the order of declaration. Those that need one another are
//! computed in order of declaration, as in jLEMS, and are 0 before.

use lems_math::JavaRandom;
use petgraph::{algo::kosaraju_scc, graph::DiGraph, visit::DfsPostOrder};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::path::{Route, Search};
use crate::{ComponentId, ComponentType, Model, ModelError, ParameterKind, Role, TypeId};

/// Computes all derived parameters: those of parents before those of their children, but those that a `select` needs
/// before those that select them.
pub(crate) fn evaluate(model: &mut Model<'_>) -> Result<(), Vec<ModelError>> {
    let mut circles = Vec::new();
    let orders: Vec<Vec<usize>> = (0..model.types.len())
        .map(|index| order(&model.types[index], &mut circles))
        .collect();
    model.warnings.append(&mut circles);
    let mut evaluation = Evaluation {
        orders,
        targets: Targets::default(),
        computed: FxHashMap::default(),
        errors: Vec::new(),
    };
    for id in model.component_ids() {
        evaluation.component(model, id);
    }
    let mut errors = evaluation.errors;
    if errors.is_empty() {
        Ok(())
    } else {
        errors.dedup();
        Err(errors)
    }
}

/// What is known while derived parameters are computed.
struct Evaluation<'d> {
    /// The derived parameters of each type, in the order in which they are computed.
    orders: Vec<Vec<usize>>,
    targets: Targets<'d>,
    /// How many of its derived parameters each component has.
    computed: FxHashMap<ComponentId, usize>,
    errors: Vec<ModelError>,
}

/// The first derived parameters of a component.
#[derive(Clone, Copy)]
struct Wanted {
    component: ComponentId,
    count: usize,
}

impl<'d> Evaluation<'d> {
    /// Computes the derived parameters of a component, and before each one those of others that it selects.
    fn component(&mut self, model: &mut Model<'d>, id: ComponentId) {
        let kind = model.component(id).component_type;
        let count = self.orders[kind.0 as usize].len();
        if count == 0 {
            return;
        }
        let mut unfinished = vec![Wanted {
            component: id,
            count,
        }];
        let mut waiting = FxHashSet::from_iter([id]);
        while let Some(&Wanted { component, count }) = unfinished.last() {
            let kind = model.component(component).component_type;
            let computed = self.computed.get(&component).copied().unwrap_or(0);
            if computed >= count {
                unfinished.pop();
                waiting.remove(&component);
                continue;
            }
            let parameter = self.orders[kind.0 as usize][computed];
            // What two components select from one another is 0 where it is read too early, as in jLEMS.
            if let Some(needed) = self.needed(model, component, parameter)
                && waiting.insert(needed.component)
            {
                unfinished.push(needed);
                continue;
            }
            let mut draws = Draws(model.random.clone());
            let value = value(
                model,
                component,
                kind,
                parameter,
                &mut self.targets,
                &mut draws,
            );
            model.random = draws.0;
            match value {
                Ok(value) => model.components.set_parameter(component, parameter, value),
                Err(error) => self.errors.push(error),
            }
            self.computed.insert(component, computed + 1);
        }
    }

    /// The parameters of another component that have still to be computed before one that selects from them.
    fn needed(&mut self, model: &Model<'d>, id: ComponentId, parameter: usize) -> Option<Wanted> {
        let kind = &model.type_of_component(id).parameters[parameter].kind;
        let ParameterKind::Selected(path) = kind else {
            return None;
        };
        let route = path.route.as_ref()?;
        let component = target(model, id, route, &mut self.targets)?;
        let kind = model.component(component).component_type;
        let selected = model
            .type_of(kind)
            .parameters
            .get_index_of(route.parameter)?;
        let order = &self.orders[kind.0 as usize];
        let count = order.iter().position(|known| *known == selected)? + 1;
        let computed = self.computed.get(&component).copied().unwrap_or(0);
        (computed < count).then_some(Wanted { component, count })
    }
}

/// The derived parameters of a type: in order of declaration, but each after those that it uses.
fn order(component_type: &ComponentType<'_>, circles: &mut Vec<ModelError>) -> Vec<usize> {
    let parameters = &component_type.parameters;
    let is_derived = |kind: &ParameterKind<'_>| {
        matches!(kind, ParameterKind::Derived(_) | ParameterKind::Selected(_))
    };
    if !(parameters.values()).any(|parameter| is_derived(&parameter.kind)) {
        return Vec::new();
    }
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
    // Parameters that need one another keep the order of declaration.
    let mut circle_of = vec![usize::MAX; parameters.len()];
    for (number, group) in kosaraju_scc(&graph).into_iter().enumerate() {
        let first = graph[group[0]];
        if group.len() == 1 && !graph.contains_edge(group[0], group[0]) {
            continue;
        }
        let name = |index: usize| {
            parameters
                .get_index(index)
                .map(|(name, _)| name.to_string())
        };
        let mut chain: Vec<String> = group.iter().filter_map(|n| name(graph[*n])).collect();
        chain.extend(name(first));
        for node in &group {
            circle_of[graph[*node]] = number;
        }
        circles.push(ModelError::DerivedParameterCycle {
            component_type: component_type.name.to_owned(),
            chain,
            span: crate::table::place_of_name(parameters[first].element, "name"),
        });
    }
    graph.retain_edges(|graph, edge| {
        let ends = graph
            .edge_endpoints(edge)
            .map(|(a, b)| (graph[a], graph[b]));
        ends.is_none_or(|(user, used)| {
            circle_of[user] == usize::MAX || circle_of[user] != circle_of[used]
        })
    });
    let mut order = Vec::new();
    let mut walk = DfsPostOrder::empty(&graph);
    for node in nodes {
        walk.move_to(node);
        while let Some(next) = walk.next(&graph) {
            let index = graph[next];
            order.extend(is_derived(&parameters[index].kind).then_some(index));
        }
    }
    order
}

fn value<'d>(
    model: &Model<'d>,
    id: ComponentId,
    kind: TypeId,
    index: usize,
    targets: &mut Targets<'d>,
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
            let found = path.route.as_ref().and_then(|route| {
                model.parameter(target(model, id, route, targets)?, route.parameter)
            });
            found.ok_or_else(|| ModelError::UnresolvedParameterPath {
                path: path.source.value().to_owned(),
                component_type: component_type.name.to_owned(),
                span: path.source.span(),
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

/// Components by what their reference means, for each search.
#[derive(Default)]
struct Targets<'d> {
    by_search: FxHashMap<Search<'d>, FxHashMap<ComponentId, ComponentId>>,
}

impl<'d> Targets<'d> {
    fn of(
        &mut self,
        model: &Model<'d>,
        search: Search<'d>,
    ) -> &FxHashMap<ComponentId, ComponentId> {
        self.by_search.entry(search).or_insert_with(|| {
            let mut found = FxHashMap::default();
            for candidate in model.component_ids().rev() {
                if model.is_a(model.component(candidate).component_type, search.kind)
                    && let Some(target) = model.reference(candidate, search.reference)
                {
                    found.insert(target, candidate);
                }
            }
            found
        })
    }
}

/// The component whose parameter is at the end of a path.
fn target<'d>(
    model: &Model<'d>,
    id: ComponentId,
    route: &Route<'d>,
    targets: &mut Targets<'d>,
) -> Option<ComponentId> {
    let found = follow(model, id, &route.steps)?;
    match route.search {
        Some(search) => targets.of(model, search).get(&found).copied(),
        None => Some(found),
    }
}

fn follow(model: &Model<'_>, start: ComponentId, steps: &[&str]) -> Option<ComponentId> {
    let mut current = start;
    for step in steps {
        current = match *step {
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
