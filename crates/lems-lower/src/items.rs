//! The code of each item of the ordered lists of equations.

use lems_equations::{Computation, Item, Phase, RegimeItems};
use lems_model::{Condition, TimeDerivative};
use lems_network::{NetworkError, NodeId};
use rustc_hash::FxHashMap;

use super::tangent::Variable;
use super::{
    LoopNest, Lowering,
    code::Code,
    columns::ColumnKind,
    equations::{Clock, NodeContext},
    stage::Stage,
    step::Totals,
};
use lems_ir::{Block, Operator, Register, Statement};

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes the code of one item; `totals` are the selections that are folded already.
    pub(super) fn item(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        item: &Item<'_, 'd>,
        totals: &mut Totals<'d>,
    ) {
        match item {
            Item::Attached(list) => {
                let folded = self.step_attached(code, at.nest, at.node, list);
                totals.extend(folded);
            }
            Item::Scheme(scheme) => {
                let result = if at.clock == Clock::Zero {
                    self.start_at_rest(code, at, scheme)
                } else {
                    self.propagate(code, at, scheme)
                };
                self.errors.extend(result.err());
            }
            Item::Clock(lems_equations::Clock::Always) => self.tell_time(code, at),
            Item::Clock(lems_equations::Clock::IfRecorded) => {
                if self.clocks.contains(&(at.nest.shape, at.node)) {
                    self.tell_time(code, at);
                }
            }
            Item::Compute(computation) => self.compute(code, at, *computation, totals),
            Item::Integrate(rates) => self.integrate(code, at, rates),
            Item::Move(moving) => self.move_states(code, at, moving),
            Item::Settle(names) => {
                let stage = Stage::new(code.time(), &FxHashMap::default());
                self.settle(code, at, names, totals, stage);
            }
            Item::SettleAlone(names) => {
                let nodes = names.iter().map(|(node, _)| *node).collect();
                let stage = Stage::only(code.time(), nodes);
                self.settle(code, at, names, totals, stage);
            }
            Item::SettleAtZero(names) => {
                let nodes = names.iter().map(|(node, _)| *node).collect();
                let mut stage = Stage::only(code.time(), nodes);
                let zero = code.constant(0.0);
                let moving = self.equations.all_moving(at.nest.shape);
                for state in &moving.states {
                    stage.learn((state.node, state.name), zero);
                }
                self.settle(code, at, names, totals, stage);
            }
            Item::Rate(rate) => {
                let value = self.expression(code, at, &rate.value);
                let place = self.place(at, ColumnKind::Rate);
                code.store(place, value);
            }
            Item::Simultaneous(simultaneous) => self.simultaneous(code, at.nest, simultaneous),
            Item::Condition(condition) => self.condition(code, at, condition),
            Item::Actions(actions) => self.actions(code, at, actions),
            Item::Create(regime, assignment) => {
                let regime = Some(*regime);
                self.assign(code, NodeContext { regime, ..at }, assignment);
            }
            Item::Enter(regime) => self.enter(code, at, regime),
            Item::Publish(name) => self.publish(code, at, name),
            Item::Regimes(regimes) => self.regimes(code, at, regimes, totals),
        }
    }

    /// Stores the time for the event handlers of a node.
    fn tell_time(&mut self, code: &mut Code, at: NodeContext<'_>) {
        let time = code.time();
        let place = self.live(at, "t");
        code.store(place, time);
    }

    /// Computes and stores a variable or requirement.
    fn compute(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        computation: Computation<'_, 'd>,
        totals: &Totals<'d>,
    ) {
        if let Some(value) = self.given(code, at, computation.name()) {
            let place = self.live(at, computation.name());
            code.store(place, value);
            return;
        }
        let value = match computation {
            Computation::Requirement(name) => self.requirement(code, at, name),
            Computation::Select(selection) => {
                let mut folded = totals.iter();
                let is_this = |(node, name, _): &&(NodeId, &str, Register)| {
                    *node == at.node && *name == selection.name
                };
                match folded.find(is_this) {
                    Some((_, _, total)) => Ok(*total),
                    None => self.selection(code, at, selection),
                }
            }
            Computation::Derived(variable) => Ok(self.expression(code, at, &variable.value)),
            Computation::Conditional(variable) => Ok(self.conditional(code, at, variable)),
        };
        match value {
            Ok(value) => {
                let place = self.live(at, computation.name());
                code.store(place, value);
            }
            Err(error) => self.errors.push(error),
        }
    }

    /// The value of a requirement, from around the node.
    pub(super) fn requirement(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        name: &'d str,
    ) -> Result<Register, NetworkError> {
        let read = match self.common_read(self.around(at.nest, at.node), name) {
            Some(read) => read,
            None => self.find_read(at.nest, at.node, &mut |lowering, instance| {
                let found = lowering.network.requirement(instance, name);
                found.ok_or_else(|| NetworkError::UnmetRequirement {
                    variable: name.to_owned(),
                    instance: lowering.network.title(instance),
                    span: lowering.network.span_of(instance),
                })
            })?,
        };
        Ok(self.load_read(code, at.nest, &read))
    }

    /// Computes all rates, then moves each state variable by its rate times the step.
    fn integrate(&mut self, code: &mut Code, at: NodeContext<'_>, rates: &[TimeDerivative<'d>]) {
        let values: Vec<Register> = (rates.iter())
            .map(|rate| self.expression(code, at, &rate.value))
            .collect();
        for (rate, value) in rates.iter().zip(values) {
            let place = self.live(at, rate.variable);
            let step = code.step();
            let change = if at.nest.phase.is_some() && !self.method.is_neurons() {
                let length = if at.nest.halved {
                    let half = code.constant(0.5);
                    code.binary(Operator::Multiply, half, step)
                } else {
                    step
                };
                code.exact_move(Variable::Place(place), None, value, length)
            } else {
                code.binary(Operator::Multiply, step, value)
            };
            let before = code.load(place);
            let after = code.binary(Operator::Add, before, change);
            code.store(place, after);
        }
    }

    fn condition(&mut self, code: &mut Code, at: NodeContext<'_>, condition: &Condition<'d>) {
        // NEURON tests the conditions of mechanisms with the currents of the next step.
        let clock = match at.nest.phase {
            Some(Phase::Advance) => Clock::Ahead,
            _ => at.clock,
        };
        let at = NodeContext { clock, ..at };
        let test = self.expression(code, at, &condition.test);
        code.begin();
        self.actions(code, at, &condition.actions);
        let then = code.end();
        if !then.is_empty() {
            code.push(Statement::If {
                condition: test,
                then,
                otherwise: Block::new(),
            });
        }
    }

    /// Copies what others see of a variable, if the variable can change before they read it.
    fn publish(&mut self, code: &mut Code, at: NodeContext<'_>, name: &'d str) {
        if self.changes_after_step(at.nest.shape, at.node, name) {
            let live = self.live(at, name);
            let value = code.load(live);
            let snapshot = self.place(at, ColumnKind::Snapshot(name));
            code.store(snapshot, value);
        }
    }

    /// Does the items of the regime that is active now.
    fn regimes(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        regimes: &[RegimeItems<'_, 'd>],
        totals: &mut Totals<'d>,
    ) {
        let place = self.place(at, ColumnKind::Regime);
        let active = code.load(place);
        // A regime makes its whole step at once.
        let nest = LoopNest {
            halved: false,
            ..at.nest.clone()
        };
        for (number, regime) in regimes.iter().enumerate() {
            let at = NodeContext {
                nest: &nest,
                regime: Some(number),
                ..at
            };
            self.while_active(code, active, number, &mut |lowering, code| {
                for item in &regime.items {
                    lowering.item(code, at, item, totals);
                }
            });
        }
    }
}
