//! Reads `Dynamics` and `Regime`.

use lems_document::{Attribute, Element};
use lems_expression::Expression;

use super::Reader;
use crate::{
    Actions, Assignment, Case, Condition, ConditionalVariable, DerivedVariable, Dynamics,
    EventHandler, Formula, KineticScheme, ModelError, Reduce, Regime, Select, Selection,
    StateVariable, TimeDerivative,
};

/// What a `reduce` attribute says.
#[derive(Clone, Copy, PartialEq)]
enum Reduction {
    Known(Reduce),
    /// Something that jLEMS does not know.
    Unknown,
}

impl<'d> Reader<'_, 'd> {
    pub(super) fn dynamics(&mut self, element: Element<'d>) -> Dynamics<'d> {
        let mut dynamics = Dynamics {
            simultaneous: element.attribute("simultaneous").map(Attribute::value) == Some("true"),
            ..Dynamics::default()
        };
        for child in element.children() {
            if child.name() == "Super" {
                dynamics.extends_base = true;
            } else if child.name() == "Regime" {
                self.regime(child, &mut dynamics);
            } else if child.name() == "KineticScheme" {
                // One in a regime is ignored.
                dynamics.schemes.extend(self.kinetic_scheme(child));
            } else {
                self.behaviour(child, &mut dynamics);
            }
        }
        dynamics
    }

    fn regime(&mut self, element: Element<'d>, owner: &mut Dynamics<'d>) {
        // One without a name can be in force, but not be entered.
        let name = self.useful_name(element).unwrap_or_default();
        let mut dynamics = Dynamics::default();
        for child in element.children() {
            self.behaviour(child, &mut dynamics);
        }
        let initial = element.attribute("initial").map(Attribute::value) == Some("true");
        let regime = Regime {
            initial,
            dynamics,
            element,
        };
        owner.regimes.insert(name, regime);
    }

    fn behaviour(&mut self, child: Element<'d>, dynamics: &mut Dynamics<'d>) {
        match child.name() {
            "StateVariable" => self.state_variable(child, dynamics),
            "DerivedVariable" => self.derived_variable(child, dynamics),
            "ConditionalDerivedVariable" => self.conditional_variable(child, dynamics),
            "TimeDerivative" => {
                let variable = self.required(child, "variable");
                let value = self.required_formula(child, "value");
                if let (Some(variable), Some(value)) = (variable, value) {
                    dynamics.rates.push(TimeDerivative {
                        variable: variable.value(),
                        value,
                        element: child,
                    });
                }
            }
            "OnStart" => {
                let actions = self.actions(child);
                dynamics.on_start.push(actions);
            }
            "OnEntry" => {
                let actions = self.actions(child);
                dynamics.on_entry.push(actions);
            }
            "OnCondition" => {
                let test = self.required_formula(child, "test");
                let actions = self.actions(child);
                if let Some(test) = test {
                    dynamics.on_condition.push(Condition { test, actions });
                }
            }
            "OnEvent" => {
                let actions = self.actions(child);
                if let Some(port) = self.required(child, "port") {
                    dynamics.on_event.push(EventHandler { port, actions });
                }
            }
            _ => self.ignored(child),
        }
    }

    fn exposure(&self, element: Element<'d>) -> Option<&'d str> {
        element.attribute("exposure").map(Attribute::value)
    }

    fn state_variable(&mut self, child: Element<'d>, dynamics: &mut Dynamics<'d>) {
        let Some(name) = self.useful_name(child) else {
            return;
        };
        let variable = StateVariable {
            dimension: self.declared_dimension(child),
            exposure: self.exposure(child),
            element: child,
        };
        dynamics.state.insert(name, variable);
    }

    fn derived_variable(&mut self, child: Element<'d>, dynamics: &mut Dynamics<'d>) {
        let Some(name) = self.useful_name(child) else {
            return;
        };
        let dimension = match child.attribute("dimension") {
            Some(attribute) => self.dimension_named(attribute),
            None => None,
        };
        let exposure = self.exposure(child);
        if child.attribute("value").is_none()
            && let Some(source) = child.attribute("select")
        {
            let Some(select) = Select::parse(source) else {
                return self.errors.push(ModelError::BadPath {
                    path: source.value().to_owned(),
                    span: source.span(),
                });
            };
            let reduce = self.reduce(child);
            if reduce == Some(Reduction::Unknown) && select.is_of_several() {
                // jLEMS makes a 0 of it.
                let expression = Expression::number(0.0);
                let value = Formula { expression, source };
                return dynamics.derived.push(DerivedVariable {
                    name,
                    dimension,
                    exposure,
                    value,
                    element: child,
                });
            }
            dynamics.selections.push(Selection {
                name,
                dimension,
                exposure,
                select,
                reduce: match reduce {
                    Some(Reduction::Known(reduce)) => Some(reduce),
                    Some(Reduction::Unknown) | None => None,
                },
                element: child,
            });
        } else if let Some(value) = self.required_formula(child, "value") {
            dynamics.derived.push(DerivedVariable {
                name,
                dimension,
                exposure,
                value,
                element: child,
            });
        }
    }

    fn reduce(&mut self, child: Element<'d>) -> Option<Reduction> {
        let attribute = child.attribute("reduce")?;
        Some(match attribute.value() {
            "add" | "sum" | "plus" | "+" => Reduction::Known(Reduce::Add),
            "multiply" | "product" | "times" | "*" => Reduction::Known(Reduce::Multiply),
            name => {
                self.model.warnings.push(ModelError::UnknownReduce {
                    name: name.to_owned(),
                    span: attribute.span(),
                });
                Reduction::Unknown
            }
        })
    }

    fn conditional_variable(&mut self, child: Element<'d>, dynamics: &mut Dynamics<'d>) {
        let Some(name) = self.useful_name(child) else {
            return;
        };
        let mut cases = Vec::new();
        for case in child.children() {
            if case.name() != "Case" {
                self.ignored(case);
                continue;
            }
            let condition = match case.attribute("condition") {
                Some(source) => match self.formula(source) {
                    Some(formula) => Some(formula),
                    None => continue,
                },
                None => None,
            };
            if let Some(value) = self.required_formula(case, "value") {
                cases.push(Case { condition, value });
            }
        }
        let dimension = match child.attribute("dimension") {
            Some(attribute) => self.dimension_named(attribute),
            None => None,
        };
        dynamics.conditional.push(ConditionalVariable {
            name,
            dimension,
            exposure: self.exposure(child),
            cases,
            element: child,
        });
    }

    fn actions(&mut self, element: Element<'d>) -> Actions<'d> {
        let mut actions = Actions::default();
        for child in element.children() {
            match child.name() {
                "StateAssignment" => {
                    let variable = self.required(child, "variable");
                    let value = self.required_formula(child, "value");
                    if let (Some(variable), Some(value)) = (variable, value) {
                        actions.assignments.push(Assignment {
                            variable: variable.value(),
                            value,
                            element: child,
                        });
                    }
                }
                "EventOut" => actions.events.extend(self.required(child, "port")),
                "Transition" => actions.transition = self.required(child, "regime"),
                _ => self.ignored(child),
            }
        }
        actions
    }

    fn kinetic_scheme(&mut self, element: Element<'d>) -> Option<KineticScheme<'d>> {
        let mut word =
            |attribute: &'static str| self.required(element, attribute).map(Attribute::value);
        Some(KineticScheme {
            element,
            nodes: word("nodes")?,
            edges: word("edges")?,
            state_variable: word("stateVariable")?,
            edge_source: word("edgeSource")?,
            edge_target: word("edgeTarget")?,
            forward_rate: word("forwardRate")?,
            reverse_rate: word("reverseRate")?,
        })
    }
}
