//! Steps that are larger than a time constant.

use lems_expression::{BinaryOperator, Dimension, Node};
use lems_model::{ComponentId, ComponentType, TimeDerivative};
use rustc_hash::FxHashSet;

use crate::{Network, NetworkError, rounded};

/// Warns of each time constant that is shorter than the step.
pub(super) fn coarse(network: &Network<'_, '_>, step: f64) -> Vec<NetworkError> {
    let mut found = Vec::new();
    let components: FxHashSet<ComponentId> = (network.instances.iter())
        .filter_map(|instance| instance.component)
        .collect();
    let mut components: Vec<ComponentId> = components.into_iter().collect();
    components.sort_unstable();
    for id in components {
        for parameter in time_constants(network.model.type_of_component(id)) {
            let Some(value) = network.model.parameter(id, parameter) else {
                continue;
            };
            if value > 0.0 && value < step {
                let given = network.model.element(id).attribute(parameter);
                found.push(NetworkError::CoarseStep {
                    step: rounded(step),
                    parameter: parameter.to_owned(),
                    component: network.model.title(id),
                    value: rounded(value),
                    span: given.map_or_else(|| network.model.span_of(id), |a| a.span()),
                });
            }
        }
    }
    found
}

/// Parameters by which a type divides in the rate of a variable that depends on itself.
fn time_constants<'t>(kind: &'t ComponentType<'_>) -> Vec<&'t str> {
    let Some(dynamics) = &kind.dynamics else {
        return Vec::new();
    };
    let rates = dynamics.with_regimes().flat_map(|block| &block.rates);
    let is_time = |name: &&str| {
        let parameter = kind.parameters.get(*name);
        parameter.is_some_and(|parameter| parameter.dimension == Some(Dimension::TIME))
    };
    rates.flat_map(divisors).filter(is_time).collect()
}

fn divisors<'t>(rate: &'t TimeDerivative<'_>) -> Vec<&'t str> {
    let expression = &rate.value.expression;
    let variables = expression.variables();
    if !variables.iter().any(|name| name == rate.variable) {
        return Vec::new();
    }
    let nodes = expression.nodes();
    let divisor = |node: &Node| match node {
        Node::Binary(BinaryOperator::Divide, _, by) => match nodes.get(*by as usize)? {
            Node::Variable(index) => variables.get(*index as usize).map(String::as_str),
            _ => None,
        },
        _ => None,
    };
    nodes.iter().filter_map(divisor).collect()
}
