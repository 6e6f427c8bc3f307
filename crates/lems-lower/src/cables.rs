//! Cells with dendrites: the kernels of their nodes, and the systems that join the nodes.
//!
//! A step has three kernels for each shape of nodes, which run in the middle of the step, at its end,
//! and between them the solution of the cables:
//!
//! 1. All states but the potential move by a step, at the potential that they find.
//! 2. The rate of the potential is computed with the new states, and its derivative by the potential.
//! 3. The potentials move together.
//! 4. Conditions are tested at the new potential, and others get to see it.

use lems_equations::Phase;
use lems_index::narrow;
use lems_ir::{Call, Register, Stage};
use lems_network::{NodeId, ShapeId};

use super::{
    LoopNest, Lowering,
    code::Code,
    columns::{Address, ColumnKind},
    equations::NodeContext,
    nodes::{CableKernels, InstanceColumns, PendingNode},
    tangent::{move_exactly, store_slope},
};

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes the kernels of a shape of nodes.
    pub(super) fn cable_shape(&mut self, shape: ShapeId) {
        let kernels = CableKernels {
            members: narrow(self.shape(shape).members),
            states: self.phase(shape, Phase::States),
            currents: self.phase(shape, Phase::Currents),
            end: self.phase(shape, Phase::End),
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
        self.step(&mut code, &nest);
        let moves = code.take_moves();
        let name = match phase {
            Phase::States => "states of",
            Phase::Currents => "currents of",
            Phase::End => "end of",
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
        if kernel.body.is_empty() {
            return None;
        }
        let number = narrow(self.program.kernels.len());
        self.program.kernels.push(kernel);
        Some(number)
    }

    /// Puts the parts of a step of all cables before what others do.
    pub(super) fn schedule_cables(&mut self) {
        if self.network.cables.all.is_empty() {
            return;
        }
        for cable in &self.network.cables.all {
            let nodes = self.cable_nodes(cable);
            self.cables.push(nodes);
        }
        let call = |kernels: &CableKernels, kernel: Option<u32>| {
            kernel.map(|kernel| Call {
                kernel,
                first: 0,
                last: kernels.members,
            })
        };
        let kernels = self.cable_kernels.iter();
        let states = kernels.clone().filter_map(|all| call(all, all.states));
        let currents = kernels.clone().filter_map(|all| call(all, all.currents));
        let ends = kernels.filter_map(|all| call(all, all.end));
        let mut schedule: Vec<Stage> = states.chain(currents).map(Stage::Midway).collect();
        schedule.push(Stage::Solve(0..narrow(self.cables.len())));
        schedule.extend(ends.map(Stage::Call));
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
        Some(self.own_value(code, at.nest, at.node, name, &|instance| {
            network.cables.given.get(&(instance, name)).copied()
        }))
    }
}
