//! Writes a variable of a compartment as a sum over parts of the compartment.

use lems_equations::{Computation, definition};
use lems_expression::{BinaryOperator, Expression, Node};
use lems_model::Reduce;
use lems_network::{InstanceId, Network, Readable, Variable};

/// Longest chain of variables that is followed.
const DEEPEST: usize = 100;

/// A value times a number and powers of the area and the capacitance of the compartment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Term<'d> {
    pub coefficient: f64,
    pub area: i32,
    pub capacitance: i32,
    /// The value: that of an element of a list. Without one, the term is a number.
    pub value: Option<Readable<'d>>,
}

/// A compartment, whose variables are taken apart.
#[derive(Clone, Copy)]
pub(crate) struct Compartment<'n, 'm, 'd> {
    pub network: &'n Network<'m, 'd>,
    pub id: InstanceId,
}

impl<'d> Compartment<'_, '_, 'd> {
    /// The terms whose sum a variable of an instance in the compartment is; None if it is not such a sum.
    pub fn terms(&self, id: InstanceId, name: &str) -> Option<Vec<Term<'d>>> {
        self.of_variable(id, name, 0)
    }

    /// The terms of an expression of the compartment itself.
    pub fn terms_of(&self, expression: &Expression) -> Option<Vec<Term<'d>>> {
        self.of_expression(self.id, expression, 0)
    }

    fn of_variable(&self, id: InstanceId, name: &str, depth: usize) -> Option<Vec<Term<'d>>> {
        let (network, cables) = (self.network, &self.network.cables);
        if depth > DEEPEST {
            return None;
        }
        if id == self.id && name == cables.area {
            return Some(vec![Term {
                area: 1,
                ..Term::number(1.0)
            }]);
        }
        if id == self.id && name == cables.capacitance {
            return Some(vec![Term {
                capacitance: 1,
                ..Term::number(1.0)
            }]);
        }
        if let Some(value) = cables.given.get(&(id, name)) {
            return Some(vec![Term::number(*value)]);
        }
        let kind = network.type_of(id);
        match definition(kind, name) {
            Some(Computation::Requirement(name)) => {
                self.of_readable(network.requirement(id, name)?, depth)
            }
            Some(Computation::Derived(variable)) => {
                self.of_expression(id, &variable.value.expression, depth)
            }
            Some(Computation::Select(selection)) => {
                let values = network.selected(id, selection).ok()?;
                if selection.select.is_of_several() {
                    let is_sum = selection.reduce == Some(Reduce::Add) || values.len() == 1;
                    let term = |value| Term {
                        value: Some(value),
                        ..Term::number(1.0)
                    };
                    return is_sum.then(|| values.into_iter().map(term).collect());
                }
                let [value] = values[..] else { return None };
                self.of_readable(value, depth)
            }
            Some(Computation::Conditional(_)) => None,
            None => {
                let value = network
                    .parameter(id, name)
                    .or_else(|| network.property(id, name))?;
                Some(vec![Term::number(value)])
            }
        }
    }

    fn of_readable(&self, value: Readable<'d>, depth: usize) -> Option<Vec<Term<'d>>> {
        match value.variable {
            Variable::Fixed(value) => Some(vec![Term::number(value)]),
            Variable::Exposed(name) | Variable::Live(name) => {
                self.of_variable(value.instance, name, depth + 1)
            }
        }
    }

    fn of_expression(
        &self,
        id: InstanceId,
        expression: &Expression,
        depth: usize,
    ) -> Option<Vec<Term<'d>>> {
        let mut found: Vec<Option<Vec<Term<'d>>>> = Vec::with_capacity(expression.nodes().len());
        for node in expression.nodes() {
            let mut of = |index: u32| found.get_mut(index as usize).and_then(Option::take);
            let terms = match *node {
                Node::Number(value) => Some(vec![Term::number(value)]),
                Node::Variable(index) => {
                    let name = expression.variables().get(index as usize)?;
                    self.of_variable(id, name, depth + 1)
                }
                Node::Binary(BinaryOperator::Add, left, right) => joined(of(left), of(right), 1.0),
                Node::Binary(BinaryOperator::Subtract, left, right) => {
                    joined(of(left), of(right), -1.0)
                }
                Node::Binary(BinaryOperator::Multiply, left, right) => {
                    match (of(left), of(right)) {
                        (Some(left), Some(right)) => {
                            product(&left, &right, 1).or_else(|| product(&right, &left, 1))
                        }
                        _ => None,
                    }
                }
                Node::Binary(BinaryOperator::Divide, left, right) => match (of(left), of(right)) {
                    (Some(left), Some(right)) => product(&left, &right, -1),
                    _ => None,
                },
                _ => None,
            };
            found.push(terms);
        }
        let terms = found.pop()??;
        Some(
            terms
                .into_iter()
                .filter(|term| term.value.is_some() || term.coefficient != 0.0)
                .collect(),
        )
    }
}

impl Term<'_> {
    fn number(coefficient: f64) -> Self {
        Term {
            coefficient,
            area: 0,
            capacitance: 0,
            value: None,
        }
    }
}

fn joined<'d>(
    left: Option<Vec<Term<'d>>>,
    right: Option<Vec<Term<'d>>>,
    sign: f64,
) -> Option<Vec<Term<'d>>> {
    let mut all = left?;
    all.extend(right?.into_iter().map(|term| Term {
        coefficient: sign * term.coefficient,
        ..term
    }));
    Some(all)
}

/// The product of a sum with a power of a single term without a value.
fn product<'d>(sum: &[Term<'d>], factor: &[Term<'d>], power: i32) -> Option<Vec<Term<'d>>> {
    let [factor] = factor else { return None };
    if factor.value.is_some() {
        return None;
    }
    let multiplied = |term: &Term<'d>| Term {
        coefficient: match power {
            1 => term.coefficient * factor.coefficient,
            _ => term.coefficient / factor.coefficient,
        },
        area: term.area + power * factor.area,
        capacitance: term.capacitance + power * factor.capacitance,
        value: term.value,
    };
    Some(sum.iter().map(multiplied).collect())
}
