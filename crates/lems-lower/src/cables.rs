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
use lems_index::{Id, narrow};
use lems_ir::{Cable, CableNode, Call, Membrane, Register, Stage};
use lems_network::{NodeId, ShapeId};

use super::{
    KernelId, LoopNest, Lowering,
    code::Code,
    columns::{Address, ColumnKind},
    equations::NodeContext,
    tangent::{move_exactly, store_slope},
};

/// The kernels of a shape of nodes; none where there is nothing to do.
#[derive(Debug, Clone, Copy)]
pub(super) struct CableKernels {
    members: u32,
    states: Option<KernelId>,
    currents: Option<KernelId>,
    end: Option<KernelId>,
}

/// A node of a cable, by the columns of its instance.
#[derive(Debug, Clone)]
pub(super) struct PendingNode {
    parent: Option<u32>,
    conductance: f64,
    has_capacitance: bool,
    instance: Option<InstanceColumns>,
}

#[derive(Debug, Clone, Copy)]
struct InstanceColumns {
    potential: Address,
    rate: Address,
    slope: Address,
    capacitance: Address,
}

impl PendingNode {
    /// What the solution of the cable reads or writes.
    pub fn addresses(&self) -> impl Iterator<Item = Address> {
        let of = |columns: InstanceColumns| {
            [
                columns.potential,
                columns.rate,
                columns.slope,
                columns.capacitance,
            ]
        };
        self.instance.map(of).into_iter().flatten()
    }
}

/// A cable whose columns have their slots. Nodes without an instance get slots at the end of memory.
pub(super) fn finished(
    nodes: &[PendingNode],
    slot: &dyn Fn(Address) -> u32,
    memory: &mut Vec<f64>,
) -> Cable {
    let node = |node: &PendingNode| {
        let potential = match node.instance {
            Some(columns) => slot(columns.potential),
            None => {
                memory.push(0.0);
                narrow(memory.len() - 1)
            }
        };
        CableNode {
            parent: node.parent,
            conductance: node.conductance,
            has_capacitance: node.has_capacitance,
            potential,
            membrane: node.instance.map(|columns| Membrane {
                rate: slot(columns.rate),
                slope: slot(columns.slope),
                capacitance: slot(columns.capacitance),
            }),
        }
    };
    Cable {
        nodes: nodes.iter().map(node).collect(),
    }
}

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
    fn phase(&mut self, shape: ShapeId, phase: Phase) -> Option<KernelId> {
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
        let id = KernelId::at(self.program.kernels.len());
        self.program.kernels.push(kernel);
        Some(id)
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
        let call = |kernels: &CableKernels, kernel: Option<KernelId>| {
            kernel.map(|kernel| Call {
                kernel: kernel.get(),
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
            let instance = cable.instances.get(number).copied().flatten();
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
