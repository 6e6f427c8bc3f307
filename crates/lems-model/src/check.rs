//! Checks of equations: names, ports, dimensions.

use std::collections::HashMap;

use lems_document::{Attribute, Element, nearest};
use lems_expression::{
    BinaryOperator, Dimension, DimensionError, Inferred, Known, Node, dimension_of,
};

use crate::{
    Actions, Assignment, ComponentType, Direction, Dynamics, Formula, Model, ModelError,
    ParameterKind,
};

const TIME: Dimension = Dimension {
    m: 0,
    l: 0,
    t: 1,
    i: 0,
    k: 0,
    n: 0,
    j: 0,
};

/// Checks the equations of every type that declares some.
pub(crate) fn equations(model: &mut Model<'_>) -> Result<(), Vec<ModelError>> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    for component_type in model.types.values() {
        let Some(dynamics) = model.own_dynamics(component_type) else {
            continue;
        };
        let mut checker = Checker::new(model, component_type, dynamics);
        checker.main(dynamics);
        for regime in dynamics.regimes.values() {
            checker.regime(&regime.dynamics, dynamics);
        }
        errors.append(&mut checker.errors);
        warnings.append(&mut checker.warnings);
        warnings.extend(checker.held.into_values());
    }
    model.warnings.append(&mut warnings);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

struct Checker<'c, 'd> {
    model: &'c Model<'d>,
    component_type: &'c ComponentType<'d>,
    /// Variables that expressions may use, with their dimensions (None: any).
    scope: HashMap<&'c str, Option<Dimension>>,
    errors: Vec<ModelError>,
    warnings: Vec<ModelError>,
    /// Wrong dimensions of derived variables: errors if something that matters uses them.
    held: HashMap<&'c str, ModelError>,
}

impl<'c, 'd> Checker<'c, 'd> {
    fn new(
        model: &'c Model<'d>,
        component_type: &'c ComponentType<'d>,
        dynamics: &'c Dynamics<'d>,
    ) -> Self {
        let mut scope: HashMap<&'c str, Option<Dimension>> = HashMap::new();
        scope.insert("t", Some(TIME));
        scope.extend((model.constants.iter()).map(|(name, constant)| (*name, constant.dimension)));
        scope.extend((component_type.requirements.iter()).map(|(name, dim)| (*name, *dim)));
        scope.extend((component_type.properties.iter()).map(|(name, p)| (*name, p.dimension)));
        scope.extend(dynamics.state.iter().map(|(name, v)| (*name, v.dimension)));
        scope.extend(dynamics.selections.iter().map(|v| (v.name, v.dimension)));
        scope.extend(dynamics.derived.iter().map(|v| (v.name, v.dimension)));
        scope.extend(dynamics.conditional.iter().map(|v| (v.name, v.dimension)));
        scope.extend((component_type.parameters.iter()).map(|(name, parameter)| {
            let dimension = match parameter.kind {
                ParameterKind::Derived(_) | ParameterKind::Selected(_) => {
                    parameter.dimension.filter(|d| *d != Dimension::default())
                }
                _ => parameter.dimension,
            };
            (*name, dimension)
        }));
        Checker {
            model,
            component_type,
            scope,
            errors: Vec::new(),
            warnings: Vec::new(),
            held: HashMap::new(),
        }
    }

    fn main(&mut self, dynamics: &'c Dynamics<'d>) {
        for variable in &dynamics.selections {
            let several = variable
                .select
                .steps
                .iter()
                .any(|step| !matches!(step, crate::Step::Name(_)));
            if several && variable.reduce.is_none() {
                self.errors.push(ModelError::NoReduce {
                    path: variable.select.source.value().to_owned(),
                    span: variable.select.source.span(),
                });
            }
        }
        for variable in &dynamics.derived {
            let Some(found) = self.value(&variable.value, Some(variable.name)) else {
                continue;
            };
            match (variable.dimension, found) {
                (None, Inferred::Dimension(found)) => {
                    self.scope.insert(variable.name, Some(found));
                }
                (Some(expected), Inferred::Dimension(found)) if expected != found => {
                    let error =
                        self.mismatch(variable.name, "value", expected, found, &variable.value);
                    self.held.insert(variable.name, error);
                }
                _ => {}
            }
        }
        for variable in &dynamics.conditional {
            for case in &variable.cases {
                if let Some(condition) = &case.condition {
                    self.condition(condition);
                }
                let found = self.value(&case.value, None);
                if let (Some(expected), Some(Inferred::Dimension(found))) =
                    (variable.dimension, found)
                    && expected != found
                {
                    let error = self.mismatch(variable.name, "value", expected, found, &case.value);
                    self.warnings.push(error);
                }
            }
        }
        for rate in &dynamics.rates {
            self.state_variable(rate.variable, rate.element, &[dynamics]);
            let expected = self.declared(rate.variable).map(|d| d.per(TIME));
            self.assigned(rate.variable, "rate", expected, &rate.value);
        }
        for condition in &dynamics.on_condition {
            self.condition(&condition.test);
        }
        let blocks = dynamics.on_start.iter();
        let blocks = blocks.chain(dynamics.on_condition.iter().map(|c| &c.actions));
        for actions in blocks.chain(dynamics.on_event.iter().map(|h| &h.actions)) {
            for assignment in &actions.assignments {
                self.state_variable(assignment.variable, assignment.element, &[dynamics]);
                self.assignment(assignment);
            }
            self.outgoing(actions, dynamics);
        }
        for handler in &dynamics.on_event {
            self.port(handler.port, Direction::In);
            if !dynamics.regimes.is_empty() {
                self.warnings.push(ModelError::HandlerBesideRegimes {
                    component_type: self.component_type.name.to_owned(),
                    span: handler.port.span(),
                });
            }
        }
    }

    fn regime(&mut self, regime: &'c Dynamics<'d>, owner: &'c Dynamics<'d>) {
        let scope = self.scope.clone();
        let own = (regime.state.keys().copied()).chain(regime.derived.iter().map(|v| v.name));
        self.scope.extend(own.map(|name| (name, None)));
        let formulas = (regime.derived.iter().map(|v| &v.value))
            .chain(regime.rates.iter().map(|rate| &rate.value))
            .chain(regime.on_condition.iter().map(|condition| &condition.test));
        for formula in formulas {
            self.names(formula);
        }
        let tests = regime.on_condition.iter().map(|condition| &condition.test);
        self.errors.extend(tests.filter_map(wrong_condition));
        let values = (regime.derived.iter().map(|v| &v.value))
            .chain(regime.rates.iter().map(|rate| &rate.value));
        self.errors.extend(values.filter_map(wrong_number));
        for rate in &regime.rates {
            self.state_variable(rate.variable, rate.element, &[owner, regime]);
        }
        let blocks = (regime.on_start.iter()).chain(&regime.on_entry);
        let blocks = blocks.chain(regime.on_condition.iter().map(|c| &c.actions));
        for actions in blocks.chain(regime.on_event.iter().map(|h| &h.actions)) {
            for assignment in &actions.assignments {
                self.state_variable(assignment.variable, assignment.element, &[owner, regime]);
                self.names(&assignment.value);
                self.errors.extend(wrong_number(&assignment.value));
            }
            self.outgoing(actions, owner);
        }
        for handler in &regime.on_event {
            self.port(handler.port, Direction::In);
        }
        self.scope = scope;
    }

    fn declared(&self, name: &str) -> Option<Dimension> {
        self.scope.get(name).copied().flatten()
    }

    /// The dimension of a value; a wrong one inside is held if `holder` is a derived variable.
    fn value(&mut self, formula: &Formula<'d>, holder: Option<&'c str>) -> Option<Inferred> {
        match self.infer(formula) {
            Ok(Inferred::Truth) => {
                self.errors.extend(wrong_number(formula));
                None
            }
            Ok(found) => Some(found),
            Err(error) => {
                match holder {
                    Some(name) if !matches!(error, ModelError::UnknownVariable { .. }) => {
                        self.held.insert(name, error);
                    }
                    _ => self.errors.push(error),
                }
                None
            }
        }
    }

    fn condition(&mut self, formula: &Formula<'d>) {
        self.release(formula);
        match self.infer(formula) {
            Ok(Inferred::Truth) => {}
            Ok(_) => self.errors.extend(wrong_condition(formula)),
            Err(error) => self.errors.push(error),
        }
    }

    fn infer(&self, formula: &Formula<'d>) -> Result<Inferred, ModelError> {
        let lookup = |name: &str| match self.scope.get(name) {
            Some(_) if self.held.contains_key(name) => Known::Any,
            Some(Some(dimension)) => Known::Dimension(*dimension),
            Some(None) => Known::Any,
            None => Known::Unknown,
        };
        dimension_of(&formula.expression, &lookup).map_err(|error| match error {
            DimensionError::UnknownVariable { name, range } => {
                self.unknown_variable(&name, formula, range)
            }
            error => ModelError::Dimensions {
                message: self.message(&error),
                span: formula.span(error.range()),
                error,
            },
        })
    }

    fn message(&self, error: &DimensionError) -> String {
        let title = |dimension: &Dimension| self.model.dimension_title(*dimension);
        match error {
            DimensionError::Mismatch {
                operation,
                left,
                right,
                ..
            } => format!(
                "the two sides of `{operation}` differ in dimension: {} on the left, {} on the right",
                title(left),
                title(right)
            ),
            DimensionError::NotDimensionless {
                function,
                dimension,
                ..
            } => format!(
                "`{function}` needs a pure number, but this is {}",
                title(dimension)
            ),
            other => other.to_string(),
        }
    }

    fn unknown_variable(
        &self,
        name: &str,
        formula: &Formula<'d>,
        range: std::ops::Range<usize>,
    ) -> ModelError {
        ModelError::UnknownVariable {
            name: name.to_owned(),
            component_type: self.component_type.name.to_owned(),
            suggestion: nearest(name, self.scope.keys().copied()).map(str::to_owned),
            span: formula.span(range),
        }
    }

    /// Reports the wrong dimensions of derived variables that the formula uses.
    fn release(&mut self, formula: &Formula<'d>) {
        for name in formula.expression.variables() {
            self.errors.extend(self.held.remove(name.as_str()));
        }
    }

    fn names(&mut self, formula: &Formula<'d>) {
        for (index, name) in formula.expression.variables().iter().enumerate() {
            if !self.scope.contains_key(name.as_str()) {
                let range = formula.expression.variable_range(index as u32);
                let error = self.unknown_variable(name, formula, range);
                self.errors.push(error);
            }
        }
    }

    fn assignment(&mut self, assignment: &Assignment<'d>) {
        let expected = self.declared(assignment.variable);
        self.assigned(
            assignment.variable,
            "new value",
            expected,
            &assignment.value,
        );
    }

    fn assigned(
        &mut self,
        variable: &str,
        what: &'static str,
        expected: Option<Dimension>,
        formula: &Formula<'d>,
    ) {
        self.release(formula);
        if let (Some(Inferred::Dimension(found)), Some(expected)) =
            (self.value(formula, None), expected)
            && expected != found
        {
            let error = self.mismatch(variable, what, expected, found, formula);
            if is_negation(formula) {
                self.warnings.push(error);
            } else {
                self.errors.push(error);
            }
        }
    }

    fn state_variable(&mut self, name: &str, element: Element<'d>, places: &[&Dynamics<'d>]) {
        if places.iter().any(|place| place.state.contains_key(name)) {
            return;
        }
        let known = places.iter().flat_map(|place| place.state.keys().copied());
        self.errors.push(ModelError::UnknownStateVariable {
            name: name.to_owned(),
            component_type: self.component_type.name.to_owned(),
            suggestion: nearest(name, known).map(str::to_owned),
            span: (element.attribute("variable")).map_or(element.span(), Attribute::span),
        });
    }

    fn outgoing(&mut self, actions: &Actions<'d>, owner: &Dynamics<'d>) {
        for port in &actions.events {
            self.port(*port, Direction::Out);
        }
        if let Some(regime) = actions.transition
            && !owner.regimes.contains_key(regime.value())
        {
            self.errors.push(ModelError::UnknownRegime {
                name: regime.value().to_owned(),
                component_type: self.component_type.name.to_owned(),
                suggestion: nearest(regime.value(), owner.regimes.keys().copied())
                    .map(str::to_owned),
                span: regime.span(),
            });
        }
    }

    fn port(&mut self, port: Attribute<'d>, direction: Direction) {
        let ports = &self.component_type.ports;
        if ports.contains_key(port.value()) {
            return;
        }
        let candidates = (ports.iter())
            .filter(|(_, port)| port.direction == direction)
            .map(|(name, _)| *name);
        self.errors.push(ModelError::UnknownPort {
            name: port.value().to_owned(),
            component_type: self.component_type.name.to_owned(),
            suggestion: nearest(port.value(), candidates).map(str::to_owned),
            span: port.span(),
        });
    }

    fn mismatch(
        &self,
        variable: &str,
        what: &'static str,
        expected: Dimension,
        found: Dimension,
        formula: &Formula<'_>,
    ) -> ModelError {
        ModelError::Mismatch {
            variable: variable.to_owned(),
            what,
            expected: self.model.dimension_title(expected),
            found: self.model.dimension_title(found),
            span: formula.source.span(),
        }
    }
}

/// An error if the formula is a number, where a condition is needed.
pub(crate) fn wrong_condition(formula: &Formula<'_>) -> Option<ModelError> {
    (!is_condition(formula)).then(|| ModelError::WrongKind {
        expected: "condition",
        found: "number",
        span: formula.source.span(),
    })
}

/// An error if the formula is a condition, where a number is needed.
fn wrong_number(formula: &Formula<'_>) -> Option<ModelError> {
    is_condition(formula).then(|| ModelError::WrongKind {
        expected: "number",
        found: "condition",
        span: formula.source.span(),
    })
}

fn is_condition(formula: &Formula<'_>) -> bool {
    matches!(
        dimension_of(&formula.expression, &|_| Known::Any),
        Ok(Inferred::Truth)
    )
}

/// Whether a value is `-x`, that is `0 - x`: jLEMS lets the zero stand for any dimension and so
/// accepts the whole.
fn is_negation(formula: &Formula<'_>) -> bool {
    let nodes = formula.expression.nodes();
    match nodes.last() {
        Some(Node::Binary(BinaryOperator::Subtract, left, _)) => {
            matches!(nodes.get(*left as usize), Some(Node::Number(0.0)))
        }
        _ => false,
    }
}
