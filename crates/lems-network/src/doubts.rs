//! What is legal in a run, but surely not meant.

use std::collections::HashSet;

use lems_expression::{BinaryOperator, Dimension, Node};
use lems_model::{ComponentId, ComponentType, TimeDerivative};

use crate::{Experiment, Network, NetworkError, Run, Variable};

impl<'d> Network<'_, 'd> {
    /// Columns that never change or are there twice, and steps larger than a time constant.
    pub fn doubts(&self, experiment: &Experiment<'d>, run: &Run) -> Vec<NetworkError> {
        let mut found = Vec::new();
        // Displays, whose names no file can have, may well show thresholds.
        let files = experiment.data_files.iter();
        for file in files.filter(|file| !file.path.starts_with('\0')) {
            let mut seen = HashSet::new();
            for recording in &file.columns {
                let Ok(column) = self.column(recording) else {
                    continue;
                };
                let (quantity, span) = (recording.quantity.value(), recording.quantity.span());
                let quantity = quantity.to_owned();
                match column.value.variable {
                    Variable::Fixed(value) => found.push(NetworkError::ConstantColumn {
                        quantity,
                        value: rounded(value),
                        span,
                    }),
                    Variable::Exposed(name) | Variable::Live(name) => {
                        if !seen.insert((column.value.instance, name)) {
                            found.push(NetworkError::ColumnTwice { quantity, span });
                        }
                    }
                }
            }
        }
        found.extend(self.coarse_steps(run.step));
        found
    }

    fn coarse_steps(&self, step: f64) -> Vec<NetworkError> {
        let mut found = Vec::new();
        let components: HashSet<ComponentId> = (self.instances.iter())
            .filter_map(|instance| instance.component)
            .collect();
        let mut components: Vec<ComponentId> = components.into_iter().collect();
        components.sort_unstable();
        for id in components {
            for parameter in time_constants(self.model.type_of_component(id)) {
                let Some(value) = self.model.parameter(id, parameter) else {
                    continue;
                };
                if value > 0.0 && value < step {
                    let component = self.model.component(id);
                    let given = component.element.attribute(parameter);
                    found.push(NetworkError::CoarseStep {
                        step: rounded(step),
                        parameter: parameter.to_owned(),
                        component: component.title(),
                        value: rounded(value),
                        span: given.map_or_else(|| self.model.span_of(id), |a| a.span()),
                    });
                }
            }
        }
        found
    }
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

/// A number without the last digits, which conversion to SI units and the sum of many steps blur.
pub fn rounded(number: f64) -> f64 {
    format!("{number:.9e}").parse().unwrap_or(number)
}
