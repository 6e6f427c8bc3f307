//! Values of all variables at the same time, which the order of jLEMS's step does not give.
//!
//! A stage computes a variable when it is needed, after the variables that it depends on.

use lems_equations::{Computation, Moving, RateSum, definition};
use lems_expression::Expression;
use lems_model::{ConditionalVariable, KineticScheme, Selection};
use lems_network::{NodeId, Readable, Variable as Readout};
use rustc_hash::{FxHashMap, FxHashSet};

use super::tangent::Variable;
use super::{
    LoopNest, Lowering,
    code::Code,
    equations::{NodeContext, cases, evaluate, operator_of},
    occupancies::implicit_step,
};
use lems_ir::{Operator, Register};

/// A variable of a node of the shape.
pub(super) type Name<'d> = (NodeId, &'d str);

/// Values at one time.
pub(super) struct Stage<'s, 'm, 'd> {
    time: Register,
    values: FxHashMap<NodeId, FxHashMap<&'d str, Register>>,
    /// Variables being computed. A variable that depends on itself has the value of the last step.
    open: FxHashSet<Name<'d>>,
    before: Option<Before<'s, 'm, 'd>>,
    /// The nodes whose variables are computed; all nodes if there is no such set.
    only: Option<FxHashSet<NodeId>>,
}

/// The stage before: states move from its time to the time of the stage.
struct Before<'s, 'm, 'd> {
    stage: Box<Stage<'s, 'm, 'd>>,
    moving: &'s Moving<'m, 'd>,
    length: Length,
}

/// How far states move, in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    /// In seconds.
    pub seconds: Register,
    /// As a part of the step.
    pub part: Register,
}

impl<'s, 'm, 'd> Stage<'s, 'm, 'd> {
    /// A stage in which some variables are known; states that are not are as they are in memory.
    pub fn new(time: Register, known: &FxHashMap<Name<'d>, Register>) -> Self {
        let mut stage = Stage {
            time,
            values: FxHashMap::default(),
            open: FxHashSet::default(),
            before: None,
            only: None,
        };
        #[expect(clippy::iter_over_hash_type, reason = "they only go into another map")]
        for (name, register) in known {
            stage.learn(*name, *register);
        }
        stage
    }

    /// A stage that computes the variables of some nodes only. Variables of other nodes are read from memory.
    /// Requirements of all nodes are read again.
    pub fn only(time: Register, nodes: FxHashSet<NodeId>) -> Self {
        Stage {
            only: Some(nodes),
            ..Stage::new(time, &FxHashMap::default())
        }
    }

    /// A stage in which states have moved by a length from where they are in memory.
    pub fn later(time: Register, moving: &'s Moving<'m, 'd>, length: Length) -> Self {
        let before = Before {
            stage: Box::new(Stage::new(time, &FxHashMap::default())),
            moving,
            length,
        };
        Stage {
            before: Some(before),
            ..Stage::new(time, &FxHashMap::default())
        }
    }

    /// Sets the value of a variable.
    pub fn learn(&mut self, (node, name): Name<'d>, register: Register) {
        self.values.entry(node).or_default().insert(name, register);
    }

    /// The value of a variable of a node, if it is known.
    fn value(&self, node: NodeId, name: &str) -> Option<Register> {
        self.values.get(&node)?.get(name).copied()
    }
}

impl<'d> Lowering<'_, '_, 'd> {
    /// The value of a state after it has moved by a length. Its rate is computed from the values at a stage, except
    /// that the state itself has its value before the move, so that linear equations are solved exactly.
    pub(super) fn moved(
        &mut self,
        code: &mut Code,
        nest: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        state: &RateSum<'_, 'd>,
        length: Length,
    ) -> Register {
        let at = NodeContext {
            node: state.node,
            ..nest
        };
        let place = self.live(at, state.name);
        let before = code.load(place);
        // The state as the rate has it, apart from how others depend on it at the stage.
        let own = match stage.before {
            Some(_) => code.settled(before),
            None => before,
        };
        let mut total = None;
        for rate in &state.rates {
            let expression = &rate.value.expression;
            let known = Some((state.name, own));
            let value = self.stage_value_with(code, at, stage, expression, known);
            total = Some(code.combine(Operator::Add, total, value));
        }
        let Some(rate) = total else {
            return before;
        };
        let there = stage
            .value(state.node, state.name)
            .map(|there| (there, before));
        let by = Variable::Register(own);
        let change = code.exact_move(by, there, rate, length.seconds);
        code.binary(Operator::Add, before, change)
    }

    /// The occupancies of a kinetic scheme after they have moved by a length, with its rates as they are
    /// at a stage.
    pub(super) fn occupied(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        scheme: &KineticScheme<'d>,
        length: Length,
    ) -> Vec<(Name<'d>, Register)> {
        let graph = match self.scheme_graph(at, scheme) {
            Ok(graph) => graph,
            Err(error) => {
                self.errors.push(error);
                return Vec::new();
            }
        };
        // The exact step multiplies rates by the step itself.
        let is_implicit = self.method.is_neurons();
        let factor = match is_implicit {
            true => length.seconds,
            false => length.part,
        };
        let mut rates = Vec::new();
        for &edge in &graph.edges {
            let mut rate = |name| {
                let rate = self.stage_read(code, NodeContext { node: edge, ..at }, stage, name);
                code.binary(Operator::Multiply, rate, factor)
            };
            rates.push((rate(scheme.forward_rate), rate(scheme.reverse_rate)));
        }
        let before: Vec<Register> = (graph.states.iter())
            .map(|state| {
                let place = self.live(NodeContext { node: *state, ..at }, scheme.state_variable);
                code.load(place)
            })
            .collect();
        let results = if is_implicit {
            let edges = self.program.schemes[graph.number as usize].edges.clone();
            implicit_step(code, &before, &edges, &rates)
        } else {
            code.propagate(graph.number, before, rates)
        };
        let names = graph
            .states
            .into_iter()
            .map(|node| (node, scheme.state_variable));
        names.zip(results).collect()
    }

    /// The value at a stage of what a name means at a node, seen from outside.
    pub(super) fn stage_read(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        name: &str,
    ) -> Register {
        let found = self.network.read(self.first_instance(at), name);
        match found.and_then(|readable| self.inside(at.nest, readable)) {
            Some((node, name)) => {
                self.stage_variable(code, NodeContext { node, ..at }, stage, name)
            }
            None => self.stage_variable(code, at, stage, name),
        }
    }

    /// A state after it has moved from the stage before, if there is one.
    fn predicted(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        name: &str,
    ) -> Option<Register> {
        let mut before = stage.before.take()?;
        let moving = before.moving;
        let is_this = |state: &&RateSum<'_, '_>| state.node == at.node && state.name == name;
        if let Some(state) = moving.states.iter().find(is_this) {
            let moved = self.moved(code, at, &mut before.stage, state, before.length);
            stage.learn((state.node, state.name), moved);
        } else {
            let parent = self.shape(at.nest.shape).nodes[at.node].parent;
            let schemes = moving
                .schemes
                .iter()
                .filter(|(node, scheme)| Some(*node) == parent && scheme.state_variable == name);
            for (node, scheme) in schemes {
                let at = NodeContext { node: *node, ..at };
                let moved = self.occupied(code, at, &mut before.stage, scheme, before.length);
                for (name, register) in moved {
                    stage.learn(name, register);
                }
            }
        }
        stage.before = Some(before);
        stage.value(at.node, name)
    }

    /// The value of an expression at one stage.
    pub(super) fn stage_value(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        expression: &Expression,
    ) -> Register {
        self.stage_value_with(code, at, stage, expression, None)
    }

    /// The value of an expression at one stage, except that one name has a given value.
    fn stage_value_with(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        expression: &Expression,
        known: Option<(&str, Register)>,
    ) -> Register {
        let mut variables = Vec::new();
        for name in expression.variables() {
            variables.push(match known {
                Some((known, register)) if name == known => register,
                _ => self.stage_variable(code, at, stage, name),
            });
        }
        evaluate(code, expression, &variables)
    }

    /// The value of a name at one stage. What it is computed from is computed first.
    pub(super) fn stage_variable(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        name: &str,
    ) -> Register {
        let kind = self.equations.kind(at.nest.shape, at.node);
        if kind.parameters.contains_key(name) || kind.properties.contains_key(name) {
            return self.variable(code, at, name);
        }
        if let Some(register) = stage.value(at.node, name) {
            return register;
        }
        let definition = definition(kind, name);
        // A requirement has the value of a variable further out, which may have changed since.
        let hands_on = matches!(definition, Some(Computation::Requirement(_)));
        let is_other = |only: &FxHashSet<NodeId>| !only.contains(&at.node);
        if !hands_on && name != "t" && stage.only.as_ref().is_some_and(is_other) {
            return self.variable(code, at, name);
        }
        let Some(computation) = definition else {
            if let Some(register) = self.predicted(code, at, stage, name) {
                return register;
            }
            return if name == "t" {
                stage.time
            } else {
                self.variable(code, at, name)
            };
        };
        if let Some(value) = self.given(code, at, computation.name()) {
            stage.learn((at.node, computation.name()), value);
            return value;
        }
        let key = (at.node, computation.name());
        if !stage.open.insert(key) {
            return self.variable(code, at, name);
        }
        let value = match computation {
            Computation::Derived(variable) => {
                self.stage_value(code, at, stage, &variable.value.expression)
            }
            Computation::Conditional(variable) => self.stage_cases(code, at, stage, variable),
            Computation::Select(selection) => self.stage_selection(code, at, stage, selection),
            Computation::Requirement(name) => self.stage_requirement(code, at, stage, name),
        };
        stage.open.remove(&key);
        stage.learn(key, value);
        value
    }

    /// A conditional variable at one stage. The variables of all cases are computed before the
    /// first condition: what is computed inside a case would be known only there.
    fn stage_cases(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        variable: &ConditionalVariable<'d>,
    ) -> Register {
        let mut prepared: Vec<Vec<Register>> = Vec::new();
        for case in &variable.cases {
            for formula in case.condition.iter().chain([&case.value]) {
                let variables = (formula.expression.variables().iter())
                    .map(|name| self.stage_variable(code, at, stage, name));
                prepared.push(variables.collect());
            }
        }
        let mut prepared = prepared.into_iter();
        cases(code, variable, &mut |code, formula| {
            let variables = prepared.next().unwrap_or_default();
            evaluate(code, &formula.expression, &variables)
        })
    }

    /// A selection at one stage: of variables of the same stage, if all of them are in the shape.
    fn stage_selection(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        selection: &Selection<'d>,
    ) -> Register {
        let found = self.network.selected(self.first_instance(at), selection);
        let inside: Option<Vec<Name<'d>>> = found.ok().and_then(|found| {
            let names = found.iter().map(|readable| self.inside(at.nest, *readable));
            names.collect()
        });
        let mut folded = None;
        for (node, name) in inside.into_iter().flatten() {
            let value = self.stage_variable(code, NodeContext { node, ..at }, stage, name);
            folded = Some(code.combine(operator_of(selection), folded, value));
        }
        if let Some(folded) = folded {
            return folded;
        }
        self.selection(code, at, selection).unwrap_or_else(|error| {
            self.errors.push(error);
            // Any value will do: no program is made after an error.
            code.constant(0.0)
        })
    }

    /// A requirement at one stage: a variable of the same stage, if it is in the shape.
    fn stage_requirement(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'_, '_, 'd>,
        name: &'d str,
    ) -> Register {
        let found = self.network.requirement(self.first_instance(at), name);
        match found.and_then(|readable| self.inside(at.nest, readable)) {
            Some((node, name)) => {
                self.stage_variable(code, NodeContext { node, ..at }, stage, name)
            }
            None => self.requirement(code, at, name).unwrap_or_else(|error| {
                self.errors.push(error);
                code.constant(0.0)
            }),
        }
    }

    /// The instance of a node in the first member of a nest.
    pub(super) fn first_instance(&self, at: NodeContext<'_>) -> lems_network::InstanceId {
        match at.nest.members.first() {
            Some(first) => self.shape(at.nest.shape).instance(first, at.node),
            None => lems_index::bug("code is made for no member"),
        }
    }

    /// The node and variable of a value that lies in the shape itself.
    fn inside(&self, nest: &LoopNest, readable: Readable<'d>) -> Option<Name<'d>> {
        let location = self.shapes.location(readable.instance);
        match readable.variable {
            Readout::Exposed(name) | Readout::Live(name)
                if location.shape == nest.shape
                    && Some(location.member) == nest.members.first() =>
            {
                Some((location.node, name))
            }
            _ => None,
        }
    }
}
