//! The initial passes: requirements, variables, `OnStart` blocks, the initial regime.

use lems_index::narrow;
use std::collections::HashSet;

use lems_model::Dynamics;
use lems_network::{Part, Visit, hash_order};

use super::{
    Frame, Lowering,
    code::Code,
    columns::{Content, Flavour},
    equations::{Clock, Spot, push_loop},
};
use lems_ir::Statement;

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes the set-up kernels: one for the members of a shape, or two for a container, before
    /// and after its children.
    pub(super) fn setups(&mut self) {
        self.initial_content();
        let mut containers = HashSet::new();
        collect_containers(&self.shapes.visits, &mut containers);
        for shape in 0..narrow(self.shapes.shapes.len()) {
            if self.shape(shape).attached {
                continue;
            }
            let frame = self.top_frame(shape);
            let name = format!("set-up of {}", self.type_name(shape, 0));
            if containers.contains(&shape) {
                for derived in [false, true] {
                    let mut code = Code::new(self.columns.volatile.clone());
                    self.creation(&mut code, &frame, 0, !derived);
                    self.pass(&mut code, &frame, 0, derived);
                    self.add_setup(shape, code, name.clone());
                }
            } else {
                let mut code = Code::new(self.columns.volatile.clone());
                self.creation(&mut code, &frame, 0, true);
                self.initialise(&mut code, &frame, 0);
                self.add_setup(shape, code, name);
            }
        }
    }

    fn add_setup(&mut self, shape: u32, code: Code, name: String) {
        self.setups_of[shape as usize].push(narrow(self.program.setups.len()));
        self.program.setups.push(code.into_kernel(name));
    }

    /// Values before any pass: assigned state variables, occupancies of kinetic schemes, the
    /// number of the initial regime.
    fn initial_content(&mut self) {
        for shape in 0..narrow(self.shapes.shapes.len()) {
            let frame = self.top_frame(shape);
            for node in 0..self.shape(shape).nodes.len() {
                let Some(dynamics) = self.dynamics(shape, node) else {
                    continue;
                };
                let at = Spot {
                    frame: &frame,
                    node,
                    clock: Clock::Zero,
                };
                for scheme in &dynamics.schemes {
                    self.initial_occupancy(at, scheme);
                }
                for name in dynamics.state.keys().copied() {
                    self.assigned_state(shape, node, name);
                }
            }
        }
    }

    fn assigned_state(&mut self, shape: u32, node: usize, name: &'d str) {
        let members = self.shape(shape).members;
        let assigned = |member| {
            let instance = self.shape(shape).instance(member, node);
            self.network.assigned.get(&(instance, name)).copied()
        };
        if self.network.assigned.is_empty() || (0..members).all(|m| assigned(m).is_none()) {
            return;
        }
        let values = (0..members)
            .map(|member| assigned(member).unwrap_or(0.0))
            .collect();
        let column = self.column(shape, node, Flavour::Live(name));
        self.columns.set(column, Content::Each(values));
    }

    /// `OnStart` blocks of regimes run once, when an instance is made.
    fn creation(&mut self, code: &mut Code, frame: &Frame, node: usize, wanted: bool) {
        for part in self.parts(frame.shape, node) {
            if let Part::Child(child) = *part {
                self.creation(code, frame, child, wanted);
            }
        }
        let at = Spot {
            frame,
            node,
            clock: Clock::Zero,
        };
        if let Some(dynamics) = self.dynamics(frame.shape, node).filter(|_| wanted) {
            for regime in dynamics.regimes.values() {
                for start in &regime.dynamics.on_start {
                    self.actions(code, at, start, 0);
                }
            }
        }
    }

    /// `initialize` of jLEMS: a pass, then twice all children and another pass.
    fn initialise(&mut self, code: &mut Code, frame: &Frame, node: usize) {
        self.pass(code, frame, node, false);
        code.begin_anew();
        for part in self.parts(frame.shape, node) {
            match *part {
                Part::Child(child) => self.initialise(code, frame, child),
                Part::Attached(list) => {
                    let site = self.site(frame.shape, node, list);
                    let mut bodies = Vec::new();
                    for arm in &site.arms {
                        let inner = self.arm_frame(frame, node, arm);
                        code.begin_anew();
                        self.initialise(code, &inner, 0);
                        bodies.push(code.end());
                    }
                    push_loop(code, frame.level, &site, bodies);
                    code.forget();
                }
            }
        }
        if let Some(dynamics) = self.dynamics(frame.shape, node) {
            for scheme in &dynamics.schemes {
                let at = Spot {
                    frame,
                    node,
                    clock: Clock::Zero,
                };
                for list in [scheme.nodes, scheme.edges] {
                    for element in self.elements(at, list) {
                        self.initialise(code, frame, element);
                    }
                }
            }
        }
        self.pass(code, frame, node, true);
        let body = code.end();
        code.push(Statement::Twice(body));
        code.forget();
    }

    fn pass(&mut self, code: &mut Code, frame: &Frame, node: usize, derived: bool) {
        let Some(dynamics) = self.dynamics(frame.shape, node) else {
            return;
        };
        let at = Spot {
            frame,
            node,
            clock: Clock::Zero,
        };
        self.requirements(code, at);
        if derived {
            self.variables(code, at, dynamics, &Vec::new());
        }
        let times = if self.shape(frame.shape).nodes[node].consolidated {
            2
        } else {
            1
        };
        for _ in 0..times {
            for start in &dynamics.on_start {
                self.actions(code, at, start, 0);
            }
        }
        if let Some(regime) = initial_regime(dynamics) {
            self.enter(code, at, regime, 0);
        }
        self.synchronise(code, at, dynamics);
        code.forget();
    }
}

/// The shapes of containers.
fn collect_containers(visits: &[Visit], containers: &mut HashSet<u32>) {
    for visit in visits {
        if let Visit::Container {
            shape, children, ..
        } = visit
        {
            containers.insert(*shape);
            collect_containers(children, containers);
        }
    }
}

/// The last regime that says so in the order of jLEMS's table, else the first in that order.
fn initial_regime<'d>(dynamics: &Dynamics<'d>) -> Option<&'d str> {
    let names: Vec<&'d str> = dynamics.regimes.keys().copied().collect();
    let ordered = hash_order(&names);
    let is_initial = |name: &&&str| dynamics.regimes.get(**name).is_some_and(|r| r.initial);
    let initial = ordered.iter().rfind(is_initial);
    initial.or(ordered.first()).copied()
}
