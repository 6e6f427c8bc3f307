//! Checks of equations: names, ports, dimensions.

use std::sync::Arc;

use lems_document::{Attribute, Element, nearest};
use lems_expression::{
    Checked, CheckedDimension, Dimension, DimensionError, Inferred, Known, Refused, dimension_of,
    jlems_dimension_of,
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    Actions, Assignment, ComponentId, ComponentType, ConditionalVariable, DerivedVariable,
    Direction, Dynamics, Formula, Model, ModelError, ParameterKind, StructureElement, Trigger,
    TypeId,
};

/// Checks the equations of every type that declares some.
pub(crate) fn equations(model: &mut Model<'_>) -> Result<(), Vec<ModelError>> {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let used = dynamics_in_use(model);
    for component_type in model.types.values() {
        let Some(dynamics) = model.own_dynamics(component_type) else {
            continue;
        };
        let is_used = used.contains(&std::ptr::from_ref(dynamics));
        let mut checker = Checker::new(model, component_type, dynamics, is_used);
        checker.main(dynamics);
        for regime in dynamics.regimes.values() {
            checker.regime(&regime.dynamics, dynamics);
        }
        errors.append(&mut checker.errors);
        warnings.append(&mut checker.warnings);
        let mut held: Vec<ModelError> = checker.held.into_values().collect();
        held.sort_by_key(|error| error.span().start);
        warnings.extend(held);
    }
    model.warnings.append(&mut warnings);
    if errors.is_empty() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// The dynamics, own or inherited, of all that the target of a model leads to; of all components
/// where there is no target.
fn dynamics_in_use<'d>(model: &Model<'d>) -> FxHashSet<*const Dynamics<'d>> {
    let in_use = components_in_use(model).into_iter();
    let in_use = in_use.map(|id| model.type_of_component(id));
    let made = types_made(model)
        .into_iter()
        .map(|kind| model.type_of(kind));
    let dynamics = in_use.chain(made).filter_map(|kind| kind.dynamics.as_ref());
    dynamics.map(Arc::as_ptr).collect()
}

/// Types whose instances a `Structure` makes without a component.
pub(crate) fn types_made(model: &Model<'_>) -> Vec<TypeId> {
    let mut names = Vec::new();
    for kind in model.types.values() {
        names_made(&kind.structure, &mut names);
    }
    let made = names.into_iter();
    made.filter_map(|name| model.type_named(name)).collect()
}

fn names_made<'d>(structure: &[StructureElement<'d>], names: &mut Vec<&'d str>) {
    for element in structure {
        if let StructureElement::MultiInstantiate {
            component_type: Some(name),
            ..
        } = element
        {
            names.push(name.value());
        }
        for body in element.bodies() {
            names_made(body, names);
        }
    }
}

/// All that the target of a model leads to; all components where there is no target. One of each table stands for all.
pub(crate) fn components_in_use(model: &Model<'_>) -> Vec<ComponentId> {
    let mut waiting: Vec<ComponentId> = match model.target {
        Some(target) => vec![target.component],
        None => model.top_level.clone(),
    };
    let mut seen: FxHashSet<ComponentId> = waiting.iter().copied().collect();
    let mut used = Vec::new();
    while let Some(id) = waiting.pop() {
        used.push(id);
        let component = model.component(id);
        // Those of all in a table, which have their type in common.
        let references = component.references.iter().map(|(_, target)| *target);
        let groups = model.child_groups(id).into_iter();
        let children = groups.map(|(_, group)| group.first);
        let next = references.chain(children).chain(component.prototype);
        waiting.extend(next.filter(|next| seen.insert(*next)));
    }
    used
}

struct Checker<'c, 'd> {
    model: &'c Model<'d>,
    component_type: &'c ComponentType<'d>,
    /// Variables that expressions may use, with their dimensions (None: any).
    scope: FxHashMap<&'c str, Option<Dimension>>,
    /// The dimensions that jLEMS's own check finds. Variables that it cannot check are missing.
    checked: FxHashMap<&'c str, Checked>,
    errors: Vec<ModelError>,
    warnings: Vec<ModelError>,
    /// Wrong dimensions of derived variables: errors if something that matters uses them.
    held: FxHashMap<&'c str, ModelError>,
    /// Whether the target of the model runs a component with these dynamics.
    is_used: bool,
}

impl<'c, 'd> Checker<'c, 'd> {
    fn new(
        model: &'c Model<'d>,
        component_type: &'c ComponentType<'d>,
        dynamics: &'c Dynamics<'d>,
        is_used: bool,
    ) -> Self {
        let mut scope: FxHashMap<&'c str, Option<Dimension>> = FxHashMap::default();
        scope.insert("t", Some(Dimension::TIME));
        scope.extend((model.constants.iter()).map(|(name, constant)| (*name, constant.dimension)));
        scope.extend((component_type.requirements.iter()).map(|(name, dim)| (*name, *dim)));
        scope.extend((component_type.properties.iter()).map(|(name, p)| (*name, p.dimension)));
        scope.extend(dynamics.state.iter().map(|(name, v)| (*name, v.dimension)));
        scope.extend((component_type.parameters.iter()).map(|(name, p)| (*name, p.dimension)));
        let checked = (scope.iter())
            .map(|(name, dimension)| (*name, Checked::declared(*dimension)))
            .collect();
        scope.extend((dynamics.computed_variables()).map(|v| (v.name, v.dimension)));
        scope.extend((component_type.parameters.iter()).map(|(name, parameter)| {
            let dimension = match parameter.kind {
                ParameterKind::Derived(_) | ParameterKind::Selected(_) => {
                    parameter.dimension.filter(|d| *d != Dimension::NONE)
                }
                _ => parameter.dimension,
            };
            (*name, dimension)
        }));
        Checker {
            model,
            component_type,
            scope,
            checked,
            errors: Vec::new(),
            warnings: Vec::new(),
            held: FxHashMap::default(),
            is_used,
        }
    }

    fn main(&mut self, dynamics: &'c Dynamics<'d>) {
        for variable in &dynamics.selections {
            if variable.select.is_of_several() && variable.reduce.is_none() {
                self.if_used(ModelError::NoReduce {
                    path: variable.select.source.value().to_owned(),
                    span: variable.select.source.span(),
                });
            }
        }
        for variable in &dynamics.selections {
            let selected = Checked::declared(variable.dimension);
            self.checked.insert(variable.name, selected);
        }
        for variable in &dynamics.derived {
            self.derived(variable);
        }
        for variable in &dynamics.conditional {
            self.conditional(variable);
        }
        for rate in &dynamics.rates {
            self.state_variable(rate.variable, rate.element, &[dynamics]);
            let expected = self.declared(rate.variable).map(|d| d.per(Dimension::TIME));
            self.assigned(rate.variable, "rate", expected, &rate.value);
        }
        for condition in &dynamics.on_condition {
            self.condition(&condition.test);
        }
        // `OnEntry` has a meaning in regimes only.
        let triggers = [Trigger::Start, Trigger::Condition, Trigger::Event];
        for actions in dynamics.actions_on(triggers) {
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
        let own = (regime.state.keys().copied()).chain(regime.derived.iter().map(|v| v.name));
        // A copy of the scope for each of many regimes takes too long.
        let mut hidden = Vec::new();
        for name in own {
            hidden.push((name, self.scope.insert(name, None)));
        }
        let tests = || regime.on_condition.iter().map(|condition| &condition.test);
        let values = || {
            (regime.derived.iter().map(|v| &v.value))
                .chain(regime.rates.iter().map(|rate| &rate.value))
        };
        for formula in values().chain(tests()) {
            self.names(formula);
        }
        let wrong = tests()
            .filter_map(wrong_condition)
            .chain(values().filter_map(wrong_number));
        wrong.for_each(|error| self.if_used(error));
        for rate in &regime.rates {
            self.state_variable(rate.variable, rate.element, &[owner, regime]);
        }
        for actions in regime.actions() {
            for assignment in &actions.assignments {
                self.state_variable(assignment.variable, assignment.element, &[owner, regime]);
                self.names(&assignment.value);
                self.number_if_used(&assignment.value);
            }
            self.outgoing(actions, owner);
        }
        for handler in &regime.on_event {
            self.port(handler.port, Direction::In);
        }
        for (name, dimension) in hidden.into_iter().rev() {
            match dimension {
                Some(dimension) => self.scope.insert(name, dimension),
                None => self.scope.remove(name),
            };
        }
    }

    fn declared(&self, name: &str) -> Option<Dimension> {
        self.scope.get(name).copied().flatten()
    }

    /// A wrong dimension is an error only if something that matters uses the variable: jLEMS logs
    /// it, and then does not know the variable where it checks what uses it.
    fn derived(&mut self, variable: &'c DerivedVariable<'d>) {
        let formula = &variable.value;
        let checked = self.checked_value(formula, variable.dimension);
        if let Ok(checked) = checked {
            self.checked.insert(variable.name, checked);
        }
        let wrong = match (self.infer(formula), variable.dimension) {
            (Ok(Inferred::Truth), _) => return self.number_if_used(formula),
            (Ok(Inferred::Dimension(found)), None) => {
                self.scope.insert(variable.name, Some(found));
                return;
            }
            (Ok(Inferred::Dimension(found)), Some(expected)) if expected != found => {
                self.mismatch(variable.name, "value", expected, found, formula)
            }
            (Ok(_), _) => return,
            (Err(error @ ModelError::UnknownVariable { .. }), _) => return self.if_used(error),
            (Err(error), _) => error,
        };
        match checked {
            Ok(_) => self.warnings.push(wrong),
            Err(Refused) => {
                self.held.insert(variable.name, wrong);
            }
        }
    }

    /// jLEMS checks the value of the first case alone, and no condition.
    fn conditional(&mut self, variable: &'c ConditionalVariable<'d>) {
        let first = variable.cases.first().map(|case| &case.value);
        let checked = first.map(|value| self.checked(value));
        if let Some(Ok(checked)) = checked {
            self.checked.insert(variable.name, checked);
        }
        for (index, case) in variable.cases.iter().enumerate() {
            if let Some(condition) = &case.condition {
                self.case(condition);
            }
            let formula = &case.value;
            let wrong = match (self.infer(formula), variable.dimension) {
                (Ok(Inferred::Truth), _) => {
                    self.number_if_used(formula);
                    continue;
                }
                (Ok(Inferred::Dimension(found)), Some(expected)) if expected != found => {
                    let wrong = self.mismatch(variable.name, "value", expected, found, formula);
                    self.warnings.push(wrong);
                    continue;
                }
                (Ok(_), _) => continue,
                (Err(error), _) => error,
            };
            if index > 0 {
                self.if_reached(wrong);
            } else {
                self.wrong(wrong, matches!(checked, Some(Ok(_))));
            }
        }
    }

    /// The condition of a `Case`, which jLEMS does not check.
    fn case(&mut self, formula: &Formula<'d>) {
        match self.infer(formula) {
            Ok(Inferred::Truth) => {}
            Ok(_) => {
                if let Some(error) = wrong_condition(formula) {
                    self.if_used(error);
                }
            }
            Err(error) => self.if_reached(error),
        }
    }

    /// Reports what jLEMS notices only when it computes with this very equation of the type. An unknown name
    /// ends the run there, too. What the type declares where the equation cannot see it is an error at once.
    fn if_reached(&mut self, error: ModelError) {
        match &error {
            ModelError::UnknownVariable { name, .. } if !self.is_declared(name) => {
                self.warnings.push(error);
            }
            _ => self.if_used(error),
        }
    }

    /// Whether the type, or a regime of it, declares something with a name.
    fn is_declared(&self, name: &str) -> bool {
        let has = |dynamics: &Dynamics<'_>| {
            let mut computed = dynamics.computed_variables();
            dynamics.state.contains_key(name) || computed.any(|variable| variable.name == name)
        };
        let dynamics = self.component_type.dynamics.as_deref();
        let of_regimes = |dynamics: &Dynamics<'_>| {
            let mut regimes = dynamics.regimes.values();
            regimes.any(|regime| has(&regime.dynamics))
        };
        self.component_type.exposures.contains_key(name)
            || dynamics.is_some_and(|dynamics| has(dynamics) || of_regimes(dynamics))
    }

    /// Reports what jLEMS notices only when it computes with the type (a wrong dimension not even then). It is an error
    /// if a component that is run has the type, and otherwise a warning.
    fn if_used(&mut self, error: ModelError) {
        let is_dimension = matches!(error, ModelError::Dimensions { .. });
        if self.is_used && !is_dimension {
            self.errors.push(error);
        } else {
            self.warnings.push(error);
        }
    }

    fn number_if_used(&mut self, formula: &Formula<'d>) {
        if let Some(error) = wrong_number(formula) {
            self.if_used(error);
        }
    }

    /// Reports a mistake: an error where jLEMS refuses it, else a warning.
    fn wrong(&mut self, error: ModelError, jlems_passes: bool) {
        if jlems_passes && !matches!(error, ModelError::UnknownVariable { .. }) {
            self.warnings.push(error);
        } else {
            self.errors.push(error);
        }
    }

    fn condition(&mut self, formula: &Formula<'d>) {
        self.release(formula);
        match self.infer(formula) {
            Ok(Inferred::Truth) => {}
            Ok(_) => self.errors.extend(wrong_condition(formula)),
            Err(error) => {
                let passes = self.checked(formula).is_ok();
                self.wrong(error, passes);
            }
        }
    }

    fn checked(&self, formula: &Formula<'d>) -> Result<Checked, Refused> {
        jlems_dimension_of(&formula.expression, &|name| self.checked.get(name).copied())
    }

    /// The rule of jLEMS for a derived variable: its declared dimension must be that of its value, even if the value
    /// is the literal 0.
    fn checked_value(
        &self,
        formula: &Formula<'d>,
        declared: Option<Dimension>,
    ) -> Result<Checked, Refused> {
        let value = self.checked(formula)?;
        match (value.dimension, declared) {
            (CheckedDimension::Known(found), Some(declared)) if found != declared => Err(Refused),
            (CheckedDimension::Undetermined, Some(declared)) => {
                Ok(Checked::declared(Some(declared)))
            }
            (CheckedDimension::Undetermined, None) => Err(Refused),
            _ => Ok(value),
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
                let range = formula.expression.variable_range(index);
                let error = self.unknown_variable(name, formula, range);
                self.if_reached(error);
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
        let wrong = match (self.infer(formula), expected) {
            (Ok(Inferred::Truth), _) => return self.errors.extend(wrong_number(formula)),
            (Ok(Inferred::Dimension(found)), Some(expected)) if expected != found => {
                self.mismatch(variable, what, expected, found, formula)
            }
            (Ok(_), _) => return,
            (Err(error), _) => error,
        };
        let passes = self.checked(formula);
        let passes = passes.is_ok_and(|checked| expected.is_none_or(|dim| checked.can_be(dim)));
        self.wrong(wrong, passes);
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
            self.warnings.push(ModelError::UnknownRegime {
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
        self.if_used(ModelError::UnknownPort {
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
