//! The order of a step as lines of text.

use std::fmt;

use lems_model::{Actions, Assignment, ConditionalVariable, Reduce, Selection, TimeDerivative};
use lems_network::{InstanceId, NodeId, ShapeId};

use crate::{
    Clock, Computation, Equations, Item, Moving, Phase, RegimeItems, Simultaneous, step::definition,
};

/// One line of the order of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderLine {
    /// How many lines it is inside.
    pub depth: usize,
    /// Name of the component type.
    pub component_type: String,
    /// Path of the instance that does it, in the first member of the shape; empty for the root.
    pub path: String,
    /// What is done.
    pub what: String,
    /// Name of the LEMS element that says so; empty where none does.
    pub element: &'static str,
}

impl fmt::Display for OrderLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indent = "  ".repeat(self.depth);
        write!(formatter, "{indent}{}", self.component_type)?;
        if !self.path.is_empty() {
            write!(formatter, " `{}`", self.path)?;
        }
        write!(formatter, ": {}", self.what)?;
        match self.element {
            "" => Ok(()),
            element => write!(formatter, " ({element})"),
        }
    }
}

impl<'d> Equations<'_, '_, 'd> {
    /// The order in which a shape makes its step, one line for each thing that is done. Lines about
    /// attached instances are those of their first instance, one after the other for each shape.
    pub fn step_order(&self, shape: ShapeId) -> Vec<OrderLine> {
        let mut lines = Lines {
            equations: *self,
            all: Vec::new(),
            depth: 0,
            phase: None,
        };
        lines.shape(shape);
        lines.all
    }

    /// The shapes of what is attached to a list of a node, in the order in which they are met.
    pub(crate) fn attached(&self, shape: ShapeId, node: NodeId, list: &str) -> Vec<ShapeId> {
        let mut shapes = Vec::new();
        for member in self.shape(shape).member_ids() {
            let instance = self.shape(shape).instance(member, node);
            for element in self.network.list(instance, list).unwrap_or_default() {
                let its = self.shapes.location(*element).shape;
                if self.network.instance(*element).attached && !shapes.contains(&its) {
                    shapes.push(its);
                }
            }
        }
        shapes
    }
}

/// The lines made so far.
struct Lines<'n, 'm, 'd> {
    equations: Equations<'n, 'm, 'd>,
    all: Vec<OrderLine>,
    depth: usize,
    /// The part of the step of a cable that the lines are about.
    phase: Option<Phase>,
}

/// The node that lines are about.
#[derive(Clone, Copy)]
struct At {
    shape: ShapeId,
    node: NodeId,
    instance: InstanceId,
}

impl<'m, 'd> Lines<'_, 'm, 'd> {
    fn shape(&mut self, shape: ShapeId) {
        let equations = self.equations;
        let items = match self.phase {
            None if equations.shape(shape).cable => {
                for phase in Phase::ALL {
                    self.phase = Some(phase);
                    self.shape(shape);
                }
                self.phase = None;
                return;
            }
            None => equations.step(shape),
            Some(phase) => equations.phase(shape, phase),
        };
        for item in items {
            let instance = self.equations.shape(shape).first_instance(item.node);
            let node = item.node;
            self.item(
                At {
                    shape,
                    node,
                    instance,
                },
                &item.item,
            );
        }
    }

    fn line(&mut self, at: At, element: &'static str, what: String) {
        let network = self.equations.network;
        self.all.push(OrderLine {
            depth: self.depth,
            component_type: network.type_of(at.instance).name.to_owned(),
            path: network.path(at.instance),
            what,
            element,
        });
    }

    fn inside(&mut self, lines: impl FnOnce(&mut Self)) {
        self.depth += 1;
        lines(self);
        self.depth -= 1;
    }

    /// The lines of an item, those inside it one level deeper.
    fn item(&mut self, at: At, item: &Item<'m, 'd>) {
        match item {
            Item::Attached(list) => {
                self.line(at, "Attachments", format!("step all in {list}"));
                for shape in self.equations.attached(at.shape, at.node, list) {
                    self.inside(|lines| lines.shape(shape));
                }
            }
            Item::Scheme(scheme) => {
                let what = format!("advance {} of {}", scheme.state_variable, scheme.nodes);
                self.line(at, "KineticScheme", what);
            }
            Item::Clock(Clock::Always) => self.line(at, "", "note t".to_owned()),
            Item::Clock(Clock::IfRecorded) => {
                self.line(at, "", "note t if it is recorded".to_owned());
            }
            Item::Compute(computation) => self.computation(at, *computation),
            Item::Integrate(rates) => self.rates(at, rates),
            Item::Move(moving) => self.moving(at.shape, moving),
            Item::Settle(names) | Item::SettleAlone(names) | Item::SettleAtZero(names) => {
                self.settle(at.shape, names)
            }
            Item::Rate(rate) => {
                let what = format!("rate of {} = {}", rate.variable, rate.value.source.value());
                self.line(at, "TimeDerivative", what);
            }
            Item::Simultaneous(simultaneous) => self.simultaneous(at, simultaneous),
            Item::Condition(condition) => {
                let what = format!("if {}", condition.test.source.value());
                self.line(at, "OnCondition", what);
                self.inside(|lines| lines.actions(at, &condition.actions));
            }
            Item::Actions(actions) => self.actions(at, actions),
            Item::Create(_, assignment) => self.assignment(at, assignment),
            Item::Enter(regime) => self.line(at, "Regime", format!("enter {regime}")),
            Item::Publish(name) => self.line(at, "Exposure", format!("publish {name}")),
            Item::Regimes(regimes) => self.regimes(at, regimes),
        }
    }

    /// The lines of the states of a compartment.
    fn moving(&mut self, shape: ShapeId, moving: &Moving<'m, 'd>) {
        for (node, scheme) in &moving.schemes {
            self.item(self.at(shape, *node), &Item::Scheme(scheme));
        }
        for state in &moving.states {
            let rates = state.rates.iter().map(|rate| rate.value.source.value());
            let rates: Vec<_> = rates.map(|rate| rate.to_string()).collect();
            let what = format!("move {} by {}", state.name, rates.join(" + "));
            self.line(self.at(shape, state.node), "TimeDerivative", what);
        }
    }

    /// The lines of variables that are computed together.
    fn settle(&mut self, shape: ShapeId, names: &[(NodeId, &'d str)]) {
        for (node, name) in names {
            let computation = definition(self.equations.kind(shape, *node), name);
            if let Some(computation) = computation {
                self.computation(self.at(shape, *node), computation);
            }
        }
    }

    fn at(&self, shape: ShapeId, node: NodeId) -> At {
        At {
            shape,
            node,
            instance: self.equations.shape(shape).first_instance(node),
        }
    }

    /// The line of a computed variable or requirement.
    fn computation(&mut self, at: At, computation: Computation<'m, 'd>) {
        match computation {
            Computation::Requirement(name) => {
                self.line(at, "Requirement", format!("read {name}"));
            }
            Computation::Select(variable) => self.line(at, "DerivedVariable", selection(variable)),
            Computation::Derived(variable) => {
                let what = format!("{} = {}", variable.name, variable.value.source.value());
                self.line(at, "DerivedVariable", what);
            }
            Computation::Conditional(variable) => {
                self.line(at, "ConditionalDerivedVariable", conditional(variable));
            }
        }
    }

    fn rates(&mut self, at: At, rates: &[TimeDerivative<'d>]) {
        for rate in rates {
            let what = format!("rate of {} = {}", rate.variable, rate.value.source.value());
            self.line(at, "TimeDerivative", what);
        }
        for rate in rates {
            let what = format!("update {} by its rate (Euler)", rate.variable);
            self.line(at, "TimeDerivative", what);
        }
    }

    /// The lines of a Runge-Kutta step: the rates that each stage computes.
    fn simultaneous(&mut self, at: At, simultaneous: &Simultaneous<'m, 'd>) {
        self.line(at, "Dynamics", "update together (Runge-Kutta)".to_owned());
        self.inside(|lines| {
            for state in &simultaneous.states {
                let instance = lines.equations.shape(at.shape).first_instance(state.node);
                let node = state.node;
                for rate in &state.rates {
                    let what = format!("rate of {} = {}", state.name, rate.value.source.value());
                    lines.line(
                        At {
                            node,
                            instance,
                            ..at
                        },
                        "TimeDerivative",
                        what,
                    );
                }
            }
        });
    }

    fn assignment(&mut self, at: At, assignment: &Assignment<'d>) {
        let value = assignment.value.source.value();
        let what = format!("{} := {value}", assignment.variable);
        self.line(at, "StateAssignment", what);
    }

    fn actions(&mut self, at: At, actions: &Actions<'d>) {
        for assignment in &actions.assignments {
            self.assignment(at, assignment);
        }
        for port in &actions.events {
            self.line(at, "EventOut", format!("send an event on {}", port.value()));
        }
        if let Some(regime) = actions.transition {
            self.line(at, "Transition", format!("enter {}", regime.value()));
        }
    }

    fn regimes(&mut self, at: At, regimes: &[RegimeItems<'m, 'd>]) {
        for regime in regimes {
            self.line(at, "Regime", format!("if {} was active", regime.name));
            self.inside(|lines| {
                for item in &regime.items {
                    lines.item(at, item);
                }
            });
        }
    }
}

fn selection(variable: &Selection<'_>) -> String {
    let fold = match variable.reduce {
        Some(Reduce::Add) => "sum of ",
        Some(Reduce::Multiply) => "product of ",
        None => "",
    };
    format!(
        "{} = {fold}{}",
        variable.name,
        variable.select.source.value()
    )
}

fn conditional(variable: &ConditionalVariable<'_>) -> String {
    let cases = variable.cases.iter().map(|case| {
        let value = case.value.source.value();
        match &case.condition {
            Some(condition) => format!("{value} if {}", condition.source.value()),
            None => format!("{value} otherwise"),
        }
    });
    format!(
        "{} = {}",
        variable.name,
        cases.collect::<Vec<_>>().join(", ")
    )
}
