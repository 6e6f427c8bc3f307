//! `Dynamics simultaneous="true"`: a node and all below it advance together, by the classical
//! fourth-order Runge-Kutta method, every rate seeing the other variables of the same stage.

use std::collections::{HashMap, HashSet};

use lems_expression::Expression;
use lems_model::Dynamics;
use lems_network::{Part, Readable, Variable};

use super::{
    Frame, Lowering,
    code::Code,
    equations::{Clock, Spot, cases, evaluate, operator_of},
};
use lems_ir::{Operator, Register};

/// A variable of a node of the shape.
type Name<'d> = (usize, &'d str);

/// Values at one point of the step.
struct Stage<'d> {
    time: Register,
    values: HashMap<Name<'d>, Register>,
    /// Variables being computed: one that needs itself has last step's value.
    open: HashSet<Name<'d>>,
}

impl<'d> Lowering<'_, '_, 'd> {
    /// Whether jLEMS would flatten the node: only consolidated ones are.
    pub(super) fn is_simultaneous(&self, shape: u32, node: usize) -> bool {
        self.shape(shape).nodes[node].consolidated
            && self
                .dynamics(shape, node)
                .is_some_and(|dynamics| dynamics.simultaneous)
    }

    pub(super) fn simultaneous_step(&mut self, code: &mut Code, frame: &Frame, node: usize) {
        let nodes = self.below(frame.shape, node);
        let spot = |node| Spot {
            frame,
            node,
            clock: Clock::Step,
        };
        for &node in &nodes {
            for part in self.parts(frame.shape, node) {
                if let Part::Attached(list) = *part {
                    self.step_attached(code, frame, node, list);
                }
            }
            match self.dynamics(frame.shape, node) {
                Some(dynamics) => self.begin_step(code, spot(node), dynamics),
                None => self.tell_recorded_time(code, spot(node)),
            }
        }
        let states = self.integrated(frame.shape, &nodes);
        let start: HashMap<Name<'d>, Register> = (states.iter())
            .map(|&(node, name)| {
                let place = self.live(spot(node), name);
                ((node, name), code.load(place))
            })
            .collect();
        let (time, step) = (code.time(), code.step());
        let two = code.constant(2.0);
        let half = code.binary(Operator::Divide, step, two);
        let middle = code.binary(Operator::Add, time, half);
        let end = code.binary(Operator::Add, time, step);
        let first = self.stage(code, frame, &nodes, &states, start.clone(), time, true);
        let mut rates = vec![first];
        for (fraction, time) in [(half, middle), (half, middle), (step, end)] {
            let last = &rates[rates.len() - 1];
            let mut moved = HashMap::new();
            for (name, rate) in states.iter().zip(last) {
                let change = code.binary(Operator::Multiply, fraction, *rate);
                let before = start[name];
                moved.insert(*name, code.binary(Operator::Add, before, change));
            }
            rates.push(self.stage(code, frame, &nodes, &states, moved, time, false));
        }
        let six = code.constant(6.0);
        for (index, &(node, name)) in states.iter().enumerate() {
            let [k1, k2, k3, k4] = [0, 1, 2, 3].map(|stage: usize| rates[stage][index]);
            let twice_k2 = code.binary(Operator::Multiply, two, k2);
            let twice_k3 = code.binary(Operator::Multiply, two, k3);
            let sum = code.binary(Operator::Add, k1, twice_k2);
            let sum = code.binary(Operator::Add, sum, twice_k3);
            let sum = code.binary(Operator::Add, sum, k4);
            let mean = code.binary(Operator::Divide, sum, six);
            let change = code.binary(Operator::Multiply, step, mean);
            let after = code.binary(Operator::Add, start[&(node, name)], change);
            let place = self.live(spot(node), name);
            code.store(place, after);
        }
        for &node in &nodes {
            if let Some(dynamics) = self.dynamics(frame.shape, node) {
                self.end_step(code, spot(node), dynamics);
            }
        }
    }

    /// A node and all below it, children first.
    fn below(&self, shape: u32, node: usize) -> Vec<usize> {
        let mut nodes = Vec::new();
        for part in self.parts(shape, node) {
            if let Part::Child(child) = *part {
                nodes.extend(self.below(shape, child));
            }
        }
        nodes.push(node);
        nodes
    }

    /// State variables that have rates.
    fn integrated(&self, shape: u32, nodes: &[usize]) -> Vec<Name<'d>> {
        let mut names = Vec::new();
        for &node in nodes {
            let rates = self
                .dynamics(shape, node)
                .into_iter()
                .flat_map(|d| &d.rates);
            for rate in rates {
                if !names.contains(&(node, rate.variable)) {
                    names.push((node, rate.variable));
                }
            }
        }
        names
    }

    /// The rates of all states at one point; `keep` stores the derived variables there.
    #[allow(clippy::too_many_arguments)]
    fn stage(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        nodes: &[usize],
        states: &[Name<'d>],
        values: HashMap<Name<'d>, Register>,
        time: Register,
        keep: bool,
    ) -> Vec<Register> {
        let mut stage = Stage {
            time,
            values,
            open: HashSet::new(),
        };
        if keep {
            self.keep(code, frame, nodes, &mut stage);
        }
        let mut rates = Vec::new();
        for &(node, name) in states {
            let Some(dynamics) = self.dynamics(frame.shape, node) else {
                continue;
            };
            let mut total = None;
            for rate in dynamics.rates.iter().filter(|rate| rate.variable == name) {
                let value = self.stage_value(code, frame, &mut stage, node, &rate.value.expression);
                total = Some(match total {
                    None => value,
                    Some(sum) => code.binary(Operator::Add, sum, value),
                });
            }
            rates.extend(total);
        }
        rates
    }

    /// Stores requirements and derived variables, for readers outside and for handlers.
    fn keep(&mut self, code: &mut Code, frame: &Frame, nodes: &[usize], stage: &mut Stage<'d>) {
        for &node in nodes.iter().rev() {
            let at = Spot {
                frame,
                node,
                clock: Clock::Step,
            };
            let kind = self
                .network
                .model
                .type_of(self.shape(frame.shape).nodes[node].kind);
            let Some(dynamics) = self.dynamics(frame.shape, node) else {
                continue;
            };
            let derived = dynamics.computed_variables().map(|variable| variable.name);
            for name in kind.requirements.keys().copied().chain(derived) {
                let value = self.stage_variable(code, frame, stage, node, name);
                let place = self.live(at, name);
                code.store(place, value);
            }
        }
    }

    fn stage_value(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        stage: &mut Stage<'d>,
        node: usize,
        expression: &Expression,
    ) -> Register {
        let variables: Vec<Register> = (expression.variables().iter())
            .map(|name| self.stage_variable(code, frame, stage, node, name))
            .collect();
        evaluate(code, expression, &variables)
    }

    fn stage_variable(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        stage: &mut Stage<'d>,
        node: usize,
        name: &str,
    ) -> Register {
        let at = Spot {
            frame,
            node,
            clock: Clock::Step,
        };
        let kind = self
            .network
            .model
            .type_of(self.shape(frame.shape).nodes[node].kind);
        if kind.parameters.contains_key(name) || kind.properties.contains_key(name) {
            return self.variable(code, at, name);
        }
        let known = stage
            .values
            .iter()
            .find(|((n, own), _)| *n == node && *own == name);
        if let Some((_, register)) = known {
            return *register;
        }
        let found = (self.dynamics(frame.shape, node))
            .and_then(|dynamics| Definition::of(dynamics, name))
            .or_else(|| {
                kind.requirements
                    .get_key_value(name)
                    .map(|(own, _)| Definition::Outer(own))
            });
        let Some(definition) = found else {
            return if name == "t" {
                stage.time
            } else {
                self.variable(code, at, name)
            };
        };
        let key = (node, definition.name());
        if !stage.open.insert(key) {
            return self.variable(code, at, name);
        }
        let value = self.defined(code, frame, stage, node, definition);
        stage.open.remove(&key);
        stage.values.insert(key, value);
        value
    }

    fn defined(
        &mut self,
        code: &mut Code,
        frame: &Frame,
        stage: &mut Stage<'d>,
        node: usize,
        definition: Definition<'_, 'd>,
    ) -> Register {
        let at = Spot {
            frame,
            node,
            clock: Clock::Step,
        };
        let instance = self
            .shape(frame.shape)
            .instance(frame.members[0] as usize, node);
        match definition {
            Definition::Value(variable) => {
                self.stage_value(code, frame, stage, node, &variable.value.expression)
            }
            Definition::Cases(variable) => {
                let mut prepared: Vec<Vec<Register>> = Vec::new();
                for case in &variable.cases {
                    let condition = case.condition.iter().map(|condition| &condition.expression);
                    for expression in condition.chain([&case.value.expression]) {
                        let variables = (expression.variables().iter())
                            .map(|name| self.stage_variable(code, frame, stage, node, name));
                        prepared.push(variables.collect());
                    }
                }
                let mut prepared = prepared.into_iter();
                cases(code, variable, &mut |code, expression| {
                    evaluate(code, expression, &prepared.next().unwrap_or_default())
                })
            }
            Definition::Selection(selection) => {
                let inside = (self.network.selected(instance, selection).ok())
                    .map(|found| {
                        found
                            .iter()
                            .map(|r| self.inside(frame, *r))
                            .collect::<Vec<_>>()
                    })
                    .and_then(|found| found.into_iter().collect::<Option<Vec<Name<'d>>>>());
                match inside {
                    Some(names) if !names.is_empty() => {
                        let operator = operator_of(selection);
                        let mut folded = None;
                        for (node, name) in names {
                            let value = self.stage_variable(code, frame, stage, node, name);
                            folded = Some(match folded {
                                None => value,
                                Some(sum) => code.binary(operator, sum, value),
                            });
                        }
                        folded.unwrap_or_else(|| code.constant(0.0))
                    }
                    _ => match self.selection(code, at, selection) {
                        Ok(value) => value,
                        Err(error) => {
                            self.errors.push(error);
                            code.constant(f64::NAN)
                        }
                    },
                }
            }
            Definition::Outer(name) => {
                let found = self.network.requirement(instance, name);
                match found.and_then(|readable| self.inside(frame, readable)) {
                    Some((node, name)) => self.stage_variable(code, frame, stage, node, name),
                    None => {
                        self.requirements(code, at);
                        self.variable(code, at, name)
                    }
                }
            }
        }
    }

    /// The node and variable of a value that lies in the shape itself.
    fn inside(&self, frame: &Frame, readable: Readable<'d>) -> Option<Name<'d>> {
        let home = self.shapes.home(readable.instance);
        match readable.variable {
            Variable::Exposed(name) | Variable::Live(name)
                if home.shape == frame.shape && home.member == frame.members[0] =>
            {
                Some((home.node as usize, name))
            }
            _ => None,
        }
    }
}

/// How a variable of a node gets its value.
#[derive(Clone, Copy)]
enum Definition<'m, 'd> {
    Value(&'m lems_model::DerivedVariable<'d>),
    Cases(&'m lems_model::ConditionalVariable<'d>),
    Selection(&'m lems_model::Selection<'d>),
    Outer(&'d str),
}

impl<'m, 'd> Definition<'m, 'd> {
    fn of(dynamics: &'m Dynamics<'d>, name: &str) -> Option<Self> {
        (dynamics
            .derived
            .iter()
            .find(|v| v.name == name)
            .map(Definition::Value))
        .or_else(|| {
            let mut conditional = dynamics.conditional.iter();
            conditional.find(|v| v.name == name).map(Definition::Cases)
        })
        .or_else(|| {
            let mut selections = dynamics.selections.iter();
            selections
                .find(|v| v.name == name)
                .map(Definition::Selection)
        })
    }

    fn name(&self) -> &'d str {
        match self {
            Definition::Value(variable) => variable.name,
            Definition::Cases(variable) => variable.name,
            Definition::Selection(selection) => selection.name,
            Definition::Outer(name) => name,
        }
    }
}
