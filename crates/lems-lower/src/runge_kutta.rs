//! `Dynamics simultaneous="true"`: a node and all below it advance together, by the classical
//! fourth-order Runge-Kutta method, every rate seeing the other variables of the same stage.

use lems_equations::{RateSum, Simultaneous};
use rustc_hash::FxHashMap;

use super::{
    LoopNest, Lowering,
    code::Code,
    equations::{Clock, NodeContext},
    stage::{Name, Stage},
};
use lems_ir::{Operator, Register};

impl<'d> Lowering<'_, '_, 'd> {
    /// Moves the state variables of several nodes together.
    pub(super) fn simultaneous(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        together: &Simultaneous<'_, 'd>,
    ) {
        let context = |node| NodeContext::new(nest, node, Clock::Step);
        // All state variables as they are at the beginning.
        let states = &together.states;
        let start: FxHashMap<Name<'d>, Register> = (states.iter())
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
        let mut stage = Stage::new(time, &start);
        for &(node, name) in &together.stored {
            let value = self.stage_variable(code, context(node), &mut stage, name);
            let place = self.live(context(node), name);
            code.store(place, value);
        }
        let mut rates = vec![self.stage_rates(code, nest, &mut stage, states)];
        // The other stages, each from states that the rates of the stage before have moved.
        for (fraction, time) in [(half, middle), (half, middle), (step, end)] {
            let last = &rates[rates.len() - 1];
            let mut moved = FxHashMap::default();
            for (state, rate) in states.iter().zip(last) {
                let name = (state.node, state.name);
                let change = code.binary(Operator::Multiply, fraction, *rate);
                moved.insert(name, code.binary(Operator::Add, start[&name], change));
            }
            let mut stage = Stage::new(time, &moved);
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
        stage: &mut Stage<'_, '_, 'd>,
        states: &[RateSum<'_, 'd>],
    ) -> Vec<Register> {
        let mut rates = Vec::new();
        for state in states {
            let at = NodeContext::new(nest, state.node, Clock::Step);
            let mut total = None;
            for rate in &state.rates {
                let value = self.stage_value(code, at, stage, &rate.value.expression);
                total = Some(code.combine(Operator::Add, total, value));
            }
            rates.extend(total);
        }
        rates
    }
}
