//! Cells with dendrites: the kernels of their nodes, and the systems that join the nodes.
//!
//! A shape of nodes has up to four kernels, one for each [`Phase`] of its step. By the method of second
//! order, states are half a step away from potentials:
//!
//! 1. The states of a compartment move by a step, at the potential in the middle of it. What is attached
//!    moves by half a step.
//! 2. The rate of the potential is computed with the new states, and its derivative by the potential.
//! 3. The potentials move together.
//! 4. What is attached moves by the second half. What is recorded is computed for this moment.
//! 5. Conditions are tested at the new potential, and others get to see it.
//!
//! By the implicit method, the potentials move first, then all states by a whole step. [`Method`] has the
//! order of each method.

use lems_equations::{Moving, Phase, definition};
use lems_index::narrow;
use lems_ir::{Call, Comparison, Kernel, Operator, Register, Scheduled, Setup};
use lems_network::{NodeId, Readable, ShapeId, Variable};
use rustc_hash::{FxHashMap, FxHashSet};

use super::{
    LoopNest, Lowering, Method, Recorded,
    code::Code,
    columns::{Address, ColumnKind},
    equations::{Clock, NodeContext},
    method::Part,
    nodes::{CableKernels, InstanceColumns, PendingNode},
    stage::{Length, Stage},
    step::Totals,
    tangent::{move_exactly, store_slope},
};

/// The distance of the two potentials of a difference quotient, in volts.
const SMALL_POTENTIAL: f64 = 1e-6;

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes the kernels of a shape of nodes.
    pub(super) fn cable_shape(&mut self, shape: ShapeId) {
        let parts = self.method.parts().iter();
        let kernels = CableKernels {
            members: narrow(self.shape(shape).members),
            parts: parts.map(|part| self.phase(shape, part.phase()?)).collect(),
        };
        self.cable_kernels.push(kernels);
    }

    /// Makes the kernel of one part of a step.
    fn phase(&mut self, shape: ShapeId, phase: Phase) -> Option<u32> {
        let nest = LoopNest {
            phase: Some(phase),
            ..self.top_nest(shape)
        };
        let mut code = Code::new(self.columns.volatile.clone());
        code.multiply_powers();
        // By the implicit method nothing is left of what is attached.
        if phase == Phase::Conduct && self.method == Method::Neuron {
            self.difference_quotient(&mut code, &nest);
        } else if phase != Phase::Rest || self.method == Method::SecondOrder {
            self.step(&mut code, &nest);
        }
        if phase == Phase::Rest {
            self.fill_rows(&mut code, &nest);
        }
        let moves = code.take_moves();
        let name = match phase {
            Phase::States | Phase::Advance => "states of",
            Phase::Currents | Phase::Conduct => "currents of",
            Phase::Rest => "rest of",
            Phase::End => "end of",
            Phase::Hold => "start of",
        };
        let name = format!("{name} {}", self.type_name(shape, NodeId::ROOT));
        let mut kernel = code.into_kernel(name);
        move_exactly(&mut kernel, &moves);
        if phase == Phase::Currents {
            let potential = self.network.cables.potential;
            let mut place = |kind| self.column(shape, NodeId::ROOT, kind).place(0);
            let potential = place(ColumnKind::Live(potential));
            let (rate, slope) = (place(ColumnKind::Rate), place(ColumnKind::Slope));
            store_slope(&mut kernel, potential, rate, slope);
        }
        self.add_kernel(kernel)
    }

    /// Computes the rate of the potential at a slightly higher potential, then at the potential; their
    /// difference stands for the derivative, as in NEURON.
    fn difference_quotient(&mut self, code: &mut Code, nest: &LoopNest) {
        let at = NodeContext::new(nest, NodeId::ROOT, Clock::Step);
        let potential = self.live(at, self.network.cables.potential);
        let rate = self.place(at, ColumnKind::Rate);
        let now = code.load(potential);
        let distance = code.constant(SMALL_POTENTIAL);
        let higher = code.binary(Operator::Add, now, distance);
        code.suppose(potential, higher);
        self.step(code, nest);
        let of_higher = code.load(rate);
        code.forget();
        self.step(code, nest);
        let of_now = code.load(rate);
        let difference = code.binary(Operator::Subtract, of_higher, of_now);
        let slope = code.binary(Operator::Divide, difference, distance);
        let place = self.place(at, ColumnKind::Slope);
        code.store(place, slope);
    }

    fn add_kernel(&mut self, kernel: Kernel) -> Option<u32> {
        if kernel.body.is_empty() {
            return None;
        }
        let number = narrow(self.program.kernels.len());
        self.program.kernels.push(kernel);
        Some(number)
    }

    /// Whether attached instances move by half a step in this part of the step.
    pub(super) fn halves(&self, phase: Option<Phase>) -> bool {
        let has_moves = matches!(phase, Some(Phase::States | Phase::Rest));
        has_moves && self.method == Method::SecondOrder
    }

    /// Moves the states of a compartment by a step.
    pub(super) fn move_states(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        moving: &Moving<'_, 'd>,
    ) {
        let (time, step) = (code.time(), code.step());
        let one = code.constant(1.0);
        let whole = Length {
            seconds: step,
            part: one,
        };
        let (mut stage, length) = match self.method {
            Method::Neuron | Method::NeuronExported => {
                return self.step_states(code, at, moving, whole);
            }
            Method::Implicit => (Stage::new(time, &FxHashMap::default()), whole),
            Method::SecondOrder => {
                // The time here is that of the middle of the step of the potential. The first step of
                // the states is half as long as the others: from then on they are half a step ahead.
                let half = code.constant(0.5);
                let is_first = code.compare(Comparison::Less, time, step);
                let part = code.select(is_first, half, one);
                let length = scaled(code, whole, part);
                let to_middle = scaled(code, length, half);
                let half_step = code.binary(Operator::Multiply, half, step);
                let now = code.binary(Operator::Subtract, time, half_step);
                (Stage::later(now, moving, to_middle), length)
            }
        };
        // All new values, before the first of them is stored.
        let mut moved = Vec::new();
        for (node, scheme) in &moving.schemes {
            let at = NodeContext { node: *node, ..at };
            moved.extend(self.occupied(code, at, &mut stage, scheme, length));
        }
        for state in &moving.states {
            let value = self.moved(code, at, &mut stage, state, length);
            moved.push(((state.node, state.name), value));
        }
        for ((node, name), value) in moved {
            let place = self.live(NodeContext { node, ..at }, name);
            code.store(place, value);
        }
    }

    /// Moves the states of several nodes by their rates times the step (Euler), all rates computed from
    /// what is in memory.
    fn step_states(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        moving: &Moving<'_, 'd>,
        whole: Length,
    ) {
        let mut moment = Stage::only(code.time(), FxHashSet::default());
        let mut moved = Vec::new();
        for (node, scheme) in &moving.schemes {
            let at = NodeContext { node: *node, ..at };
            moved.extend(self.occupied(code, at, &mut moment, scheme, whole));
        }
        for state in &moving.states {
            let at = NodeContext {
                node: state.node,
                ..at
            };
            let place = self.live(at, state.name);
            let mut after = code.load(place);
            for rate in &state.rates {
                let rate = self.expression(code, at, &rate.value);
                let change = code.binary(Operator::Multiply, whole.seconds, rate);
                after = code.binary(Operator::Add, after, change);
            }
            moved.push(((state.node, state.name), after));
        }
        for ((node, name), value) in moved {
            let place = self.live(NodeContext { node, ..at }, name);
            code.store(place, value);
        }
    }

    /// Computes variables of several nodes from what others are now, and stores them; `totals` are the
    /// selections that loops over attached instances have folded already.
    pub(super) fn settle(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        names: &[(NodeId, &'d str)],
        totals: &Totals<'d>,
        mut stage: Stage<'_, '_, 'd>,
    ) {
        for (node, name, total) in totals {
            stage.learn((*node, name), *total);
        }
        for &(node, name) in names {
            let at = NodeContext { node, ..at };
            let value = self.stage_variable(code, at, &mut stage, name);
            let place = self.live(at, name);
            code.store(place, value);
        }
    }

    /// Notes what is recorded of compartments but is not at the time of the row when a step ends: all
    /// that moves or is computed, but for the potential.
    pub(super) fn note_rows(&mut self, recorded: &Recorded<'d>) {
        // NEURON records what its mechanisms have computed, whenever that was.
        if self.method.holds() {
            return;
        }
        for readable in &recorded.values {
            let (Variable::Live(name) | Variable::Exposed(name)) = readable.variable else {
                continue;
            };
            let location = self.shapes.location(readable.instance);
            let (shape, node) = (location.shape, location.node);
            if !self.shape(shape).cable {
                continue;
            }
            let moving = self.equations.moving(shape);
            let moves = (moving.states.iter()).any(|s| s.node == node && s.name == name);
            let is_computed = definition(self.equations.kind(shape, node), name).is_some();
            if moves || is_computed || self.is_occupancy(shape, node, name) {
                self.rows.entry(shape).or_default().insert((node, name));
            }
        }
    }

    /// Where a recorded value is.
    pub(super) fn recorded_address(&mut self, readable: Readable<'d>) -> Address {
        let location = self.shapes.location(readable.instance);
        if let Variable::Live(name) | Variable::Exposed(name) = readable.variable
            && let Some(rows) = self.rows.get(&location.shape)
            && rows.contains(&(location.node, name))
        {
            let column = self.column(location.shape, location.node, ColumnKind::Row(name));
            return Address {
                column,
                member: location.member,
            };
        }
        self.address(readable)
    }

    /// Computes what is recorded of compartments for the end of the step.
    fn fill_rows(&mut self, code: &mut Code, nest: &LoopNest) {
        let Some(rows) = self.rows.get(&nest.shape).cloned() else {
            return;
        };
        let moving = self.equations.moving(nest.shape);
        let time = code.time();
        let mut stage = match self.method {
            Method::Implicit | Method::Neuron | Method::NeuronExported => {
                Stage::new(time, &FxHashMap::default())
            }
            Method::SecondOrder => {
                let half = code.constant(0.5);
                let seconds = code.step();
                let one = code.constant(1.0);
                let length = scaled(code, Length { seconds, part: one }, half);
                Stage::later(time, &moving, length)
            }
        };
        for (node, name) in rows {
            let at = NodeContext::new(nest, node, Clock::Step);
            let value = self.stage_variable(code, at, &mut stage, name);
            let place = self.place(at, ColumnKind::Row(name));
            code.store(place, value);
        }
    }

    /// Copies what is recorded of compartments after the initial passes: the row of the start.
    pub(super) fn set_up_rows(&mut self) {
        let shapes: Vec<ShapeId> = self.rows.keys().copied().collect();
        for shape in shapes {
            let Some(rows) = self.rows.get(&shape).cloned() else {
                continue;
            };
            let mut code = Code::new(self.columns.volatile.clone());
            for (node, name) in rows {
                let place = self.column(shape, node, ColumnKind::Live(name)).place(0);
                let value = code.load(place);
                let place = self.column(shape, node, ColumnKind::Row(name)).place(0);
                code.store(place, value);
            }
            let call = Call {
                kernel: narrow(self.program.setups.len()),
                first: 0,
                last: narrow(self.shape(shape).members),
            };
            let name = format!("row of {}", self.type_name(shape, NodeId::ROOT));
            self.program.setups.push(code.into_kernel(name));
            self.program.setup.push(Setup::Call(call));
        }
    }

    /// Computes what mechanisms hold before the first step.
    fn set_up_held(&mut self) {
        if !self.method.holds() {
            return;
        }
        for shape in self.shapes.shapes.ids() {
            if !self.shape(shape).cable {
                continue;
            }
            let nest = LoopNest {
                phase: Some(Phase::Hold),
                ..self.top_nest(shape)
            };
            let mut code = Code::new(self.columns.volatile.clone());
            self.step(&mut code, &nest);
            let name = format!("start of {}", self.type_name(shape, NodeId::ROOT));
            let call = Call {
                kernel: narrow(self.program.setups.len()),
                first: 0,
                last: narrow(self.shape(shape).members),
            };
            self.program.setups.push(code.into_kernel(name));
            self.program.setup.push(Setup::Call(call));
        }
    }

    /// Puts the parts of a step of all cables before what others do.
    pub(super) fn schedule_cables(&mut self) {
        if self.network.cables.all.is_empty() {
            return;
        }
        self.set_up_rows();
        self.set_up_held();
        for cable in &self.network.cables.all {
            let nodes = self.cable_nodes(cable);
            self.cables.push(nodes);
        }
        let calls = |part: usize| {
            let kernels = self.cable_kernels.iter();
            kernels.filter_map(move |all| {
                Some(Call {
                    kernel: (*all.parts.get(part)?)?,
                    first: 0,
                    last: all.members,
                })
            })
        };
        let cables = 0..narrow(self.cables.len());
        let mut schedule: Vec<Scheduled> = Vec::new();
        for (number, part) in self.method.parts().iter().enumerate() {
            match part {
                Part::Midway(_) => schedule.extend(calls(number).map(Scheduled::Midway)),
                Part::AtEnd(_) => schedule.extend(calls(number).map(Scheduled::Call)),
                Part::Solve(solver) => schedule.push(Scheduled::Solve(*solver, cables.clone())),
            }
        }
        schedule.append(&mut self.program.schedule);
        self.program.schedule = schedule;
    }

    /// The nodes of a cable, by the columns of their instances.
    fn cable_nodes(&mut self, cable: &lems_network::Cable) -> Vec<PendingNode> {
        let cables = &self.network.cables;
        let plan = &cable.plan;
        let mut pending = Vec::with_capacity(plan.morphology.nodes().len());
        for (number, node) in plan.morphology.nodes().iter().enumerate() {
            let instance = cable.instance(number);
            let columns = instance.map(|instance| {
                let location = self.shapes.location(instance);
                let mut address = |kind| Address {
                    column: self.column(location.shape, location.node, kind),
                    member: location.member,
                };
                InstanceColumns {
                    potential: address(ColumnKind::Live(cables.potential)),
                    rate: address(ColumnKind::Rate),
                    slope: address(ColumnKind::Slope),
                    capacitance: address(ColumnKind::Live(cables.capacitance)),
                }
            });
            pending.push(PendingNode {
                parent: node.parent.map(narrow),
                conductance: plan.conductance(number),
                has_capacitance: node.compartment.is_some(),
                instance: columns,
            });
        }
        pending
    }

    /// The value of a variable that the shape of a cell gives, if it does.
    pub(super) fn given(
        &mut self,
        code: &mut Code,
        at: NodeContext<'_>,
        name: &'d str,
    ) -> Option<Register> {
        let network = self.network;
        let first = self.shape(at.nest.shape).first_instance(at.node);
        network.cables.given.get(&(first, name))?;
        let value = |instance| network.cables.given.get(&(instance, name)).copied();
        Some(self.own_value(code, at.nest, at.node, name, false, &value))
    }
}

/// A part of a length.
fn scaled(code: &mut Code, length: Length, part: Register) -> Length {
    Length {
        seconds: code.binary(Operator::Multiply, length.seconds, part),
        part: code.binary(Operator::Multiply, length.part, part),
    }
}
