//! `Dynamics simultaneous="true"`: a node and all below it advance together, by the classical
//! fourth-order Runge-Kutta method, every rate seeing the other variables of the same stage.

use std::collections::{HashMap, HashSet};

use lems_equations::{Computation, RateSum, Simultaneous, definition};
use lems_expression::Expression;
use lems_model::{ConditionalVariable, Selection};
use lems_network::{NodeId, Readable, Variable};

use super::{
    LoopNest, Lowering,
    code::Code,
    equations::{Clock, NodeContext, cases, evaluate, operator_of},
};
use lems_ir::{Operator, Register};

/// A variable of a node of the shape.
type Name<'d> = (NodeId, &'d str);

/// Values at one point of the step.
struct Stage<'d> {
    time: Register,
    values: HashMap<Name<'d>, Register>,
    /// Variables being computed: one that needs itself has last step's value.
    open: HashSet<Name<'d>>,
}

impl<'d> Stage<'d> {
    /// A stage of which the state variables are known.
    fn new(time: Register, states: HashMap<Name<'d>, Register>) -> Self {
        Stage {
            time,
            values: states,
            open: HashSet::new(),
        }
    }

    /// The value of a variable of a node, if it is known.
    fn value(&self, node: NodeId, name: &str) -> Option<Register> {
        let mut values = self.values.iter();
        let known = values.find(|((of, own), _)| *of == node && *own == name);
        known.map(|(_, register)| *register)
    }
}

impl<'d> Lowering<'_, '_, 'd> {
    /// Moves the state variables of several nodes together.
    pub(super) fn simultaneous(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        together: &Simultaneous<'_, 'd>,
    ) {
        let context = |node| NodeContext {
            nest,
            node,
            clock: Clock::Step,
        };
        // All state variables as they are at the beginning.
        let states = &together.states;
        let start: HashMap<Name<'d>, Register> = (states.iter())
            .map(|state| {
                let place = self.live(context(state.node), state.name);
                ((state.node, state.name), code.load(place))
            })
            .collect();
        // The points in time of the stages.
        let (time, step) = (code.time(), code.step());
        let two = code.constant(2.0);
        let half = code.binary(Operator::Divide, step, two);
        let middle = code.binary(Operator::Add, time, half);
        let end = code.binary(Operator::Add, time, step);
        // The first stage, which also stores the variables that others see.
        let mut stage = Stage::new(time, start.clone());
        for &(node, name) in &together.stored {
            let value = self.stage_variable(code, context(node), &mut stage, name);
            let place = self.live(context(node), name);
            code.store(place, value);
        }
        let mut rates = vec![self.stage_rates(code, nest, &mut stage, states)];
        // The other stages, each from states that the rates of the stage before have moved.
        for (fraction, time) in [(half, middle), (half, middle), (step, end)] {
            let last = &rates[rates.len() - 1];
            let mut moved = HashMap::new();
            for (state, rate) in states.iter().zip(last) {
                let name = (state.node, state.name);
                let change = code.binary(Operator::Multiply, fraction, *rate);
                moved.insert(name, code.binary(Operator::Add, start[&name], change));
            }
            let mut stage = Stage::new(time, moved);
            rates.push(self.stage_rates(code, nest, &mut stage, states));
        }
        // The weighted mean of the rates moves each state variable.
        let six = code.constant(6.0);
        for (index, state) in states.iter().enumerate() {
            let [k1, k2, k3, k4] = [0, 1, 2, 3].map(|stage: usize| rates[stage][index]);
            let twice_k2 = code.binary(Operator::Multiply, two, k2);
            let twice_k3 = code.binary(Operator::Multiply, two, k3);
            let sum = code.binary(Operator::Add, k1, twice_k2);
            let sum = code.binary(Operator::Add, sum, twice_k3);
            let sum = code.binary(Operator::Add, sum, k4);
            let mean = code.binary(Operator::Divide, sum, six);
            let change = code.binary(Operator::Multiply, step, mean);
            let before = start[&(state.node, state.name)];
            let after = code.binary(Operator::Add, before, change);
            let place = self.live(context(state.node), state.name);
            code.store(place, after);
        }
    }

    /// The rates of all state variables at one stage.
    fn stage_rates(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        stage: &mut Stage<'d>,
        states: &[RateSum<'_, 'd>],
    ) -> Vec<Register> {
        let mut rates = Vec::new();
        for state in states {
            let at = NodeContext {
                nest,
                node: state.node,
                clock: Clock::Step,
            };
            let mut total = None;
            for rate in &state.rates {
                let value = self.stage_value(code, at, stage, &rate.value.expression);
                total = Some(match total {
                    None => value,
                    Some(sum) => code.binary(Operator::Add, sum, value),
                });
            }
            rates.extend(total);
        }
        rates
    }

    /// The value of an expression at one stage.
    fn stage_value(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'d>,
        expression: &Expression,
    ) -> Register {
        let variables: Vec<Register> = (expression.variables().iter())
            .map(|name| self.stage_variable(code, at, stage, name))
            .collect();
        evaluate(code, expression, &variables)
    }

    /// The value of a name at one stage. What it is computed from is computed first.
    fn stage_variable(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'d>,
        name: &str,
    ) -> Register {
        let kind = self.equations.kind(at.nest.shape, at.node);
        if kind.parameters.contains_key(name) || kind.properties.contains_key(name) {
            return self.variable(code, at, name);
        }
        if let Some(register) = stage.value(at.node, name) {
            return register;
        }
        let Some(computation) = definition(kind, name) else {
            return if name == "t" {
                stage.time
            } else {
                self.variable(code, at, name)
            };
        };
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
        stage.values.insert(key, value);
        value
    }

    /// A conditional variable at one stage. The variables of all cases are computed before the
    /// first condition: what is computed inside a case would be known only there.
    fn stage_cases(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'d>,
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
        cases(code, variable, &mut |code, expression| {
            evaluate(code, expression, &prepared.next().unwrap_or_default())
        })
    }

    /// A selection at one stage: of variables of the same stage, if all of them are in the shape.
    fn stage_selection(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        stage: &mut Stage<'d>,
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
            folded = Some(match folded {
                None => value,
                Some(sum) => code.binary(operator_of(selection), sum, value),
            });
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
        stage: &mut Stage<'d>,
        name: &'d str,
    ) -> Register {
        let found = self.network.requirement(self.first_instance(at), name);
        match found.and_then(|readable| self.inside(at.nest, readable)) {
            Some((node, name)) => {
                self.stage_variable(code, NodeContext { node, ..at }, stage, name)
            }
            None => {
                self.requirements(code, at);
                self.variable(code, at, name)
            }
        }
    }

    /// The instance of a node in the first member of a nest.
    fn first_instance(&self, at: NodeContext<'_>) -> lems_network::InstanceId {
        self.shape(at.nest.shape)
            .instance(at.nest.members[0], at.node)
    }

    /// The node and variable of a value that lies in the shape itself.
    fn inside(&self, nest: &LoopNest, readable: Readable<'d>) -> Option<Name<'d>> {
        let home = self.shapes.home(readable.instance);
        match readable.variable {
            Variable::Exposed(name) | Variable::Live(name)
                if home.shape == nest.shape && home.member == nest.members[0] =>
            {
                Some((home.node, name))
            }
            _ => None,
        }
    }
}
