//! The initial passes: requirements, variables, `OnStart` blocks, the initial regime.

use lems_index::Id;

use lems_equations::{Equations, Setup};
use lems_network::{NodeId, ShapeId, Visit};
use rustc_hash::FxHashSet;

use super::{
    LoopNest, Lowering, SetupId,
    code::Code,
    columns::{ColumnKind, Content},
    equations::{Clock, NodeContext, push_loop},
    step::Totals,
};
use lems_ir::Statement;

/// Parts of the set-up of a shape: what its members do when they are made, or their initial passes.
type PartsOf<'n, 'm, 'd> = fn(&Equations<'n, 'm, 'd>, ShapeId) -> Vec<Setup<'m, 'd>>;

impl<'n, 'm, 'd> Lowering<'n, 'm, 'd> {
    /// Makes the set-up kernels: one for the members of a shape, or two for a container, before
    /// and after its children.
    pub(super) fn setups(&mut self) {
        self.initial_content();
        let mut containers = FxHashSet::default();
        collect_containers(&self.shapes.visits, &mut containers);
        for shape in self.shapes.shapes.ids() {
            if self.shape(shape).attached {
                continue;
            }
            let nest = self.top_nest(shape);
            self.creations_of[shape] = self.creations(shape, &nest);
            let name = format!("set-up of {}", self.type_name(shape, NodeId::ROOT));
            if containers.contains(&shape) {
                let [before, after] = self.equations.setup_of_container(shape);
                let mut code = Code::new(self.columns.volatile.clone());
                self.initialise(&mut code, &nest, &before, Equations::setup);
                self.add_setup(shape, code, name.clone());
                let mut code = Code::new(self.columns.volatile.clone());
                self.initialise(&mut code, &nest, &after, Equations::setup);
                self.add_setup(shape, code, name);
            } else {
                let mut code = Code::new(self.columns.volatile.clone());
                let setup = self.equations.setup(shape);
                self.initialise(&mut code, &nest, &setup, Equations::setup);
                self.add_setup(shape, code, name);
            }
        }
    }

    /// The kernels of what the members of a shape do once when they are made, and of the same of what is attached to
    /// them; None where nothing does anything.
    fn creations(&mut self, shape: ShapeId, nest: &LoopNest) -> [Option<SetupId>; 2] {
        let name = format!("creation of {}", self.type_name(shape, NodeId::ROOT));
        self.equations.creation(shape).map(|parts| {
            let mut code = Code::new(self.columns.volatile.clone());
            self.initialise(&mut code, nest, &parts, |equations, shape| {
                equations.creation(shape).into_iter().flatten().collect()
            });
            let kernel = code.into_kernel(name.clone());
            (!kernel.body.is_empty()).then(|| {
                self.program.setups.push(kernel);
                SetupId::at(self.program.setups.len() - 1)
            })
        })
    }

    fn add_setup(&mut self, shape: ShapeId, code: Code, name: String) {
        self.setups_of[shape].push(SetupId::at(self.program.setups.len()));
        self.program.setups.push(code.into_kernel(name));
    }

    /// Values before any pass: assigned state variables, occupancies of kinetic schemes, the
    /// number of the initial regime.
    fn initial_content(&mut self) {
        for shape in self.shapes.shapes.ids() {
            let nest = self.top_nest(shape);
            for node in self.shape(shape).nodes.ids() {
                let Some(dynamics) = self.dynamics(shape, node) else {
                    continue;
                };
                let at = NodeContext::new(&nest, node, Clock::Zero);
                for scheme in &dynamics.schemes {
                    self.initial_occupancy(at, scheme);
                }
                for name in dynamics.state.keys().copied() {
                    self.assigned_state(shape, node, name);
                }
            }
        }
    }

    /// Fills the column of a state variable that `Assign` sets in some members, or that is a property or a parameter, too.
    fn assigned_state(&mut self, shape: ShapeId, node: NodeId, name: &'d str) {
        let kind = self.equations.kind(shape, node);
        let is_value = kind.properties.contains_key(name) || kind.parameters.contains_key(name);
        let assigned = |member| {
            let instance = self.shape(shape).instance(member, node);
            (self.network.assigned.get(instance, name))
                .or_else(|| self.network.property(instance, name))
                .or_else(|| self.network.parameter(instance, name))
        };
        let mut asked = (self.shape(shape).member_ids()).take(self.asked(shape, node, name));
        if !is_value
            && (self.network.assigned.is_empty() || asked.all(|member| assigned(member).is_none()))
        {
            return;
        }
        let mut values = vec![0.0; self.shape(shape).members];
        for member in self.shape(shape).member_ids() {
            values[member.index()] = assigned(member).unwrap_or(0.0);
        }
        let column = self.column(shape, node, ColumnKind::Live(name));
        self.columns.set(column, Content::Each(values));
    }

    /// Makes the code of parts of the set-up of a shape. `of_attached` gives the same parts of attached instances.
    fn initialise(
        &mut self,
        code: &mut Code,
        nest: &LoopNest,
        parts: &[Setup<'m, 'd>],
        of_attached: PartsOf<'n, 'm, 'd>,
    ) {
        for part in parts {
            match part {
                Setup::Pass { node, items } => {
                    let at = NodeContext::new(nest, *node, Clock::Zero);
                    for item in items {
                        self.item(code, at, item, &mut Totals::new());
                    }
                    code.forget();
                }
                Setup::Attached { node, list } => {
                    let attachments = self.attachments(nest.shape, *node, list);
                    let mut bodies = Vec::new();
                    for variant in &attachments.variants {
                        let inner = self.variant_nest(nest, *node, variant);
                        code.begin_anew();
                        let parts = of_attached(&self.equations, inner.shape);
                        self.initialise(code, &inner, &parts, of_attached);
                        bodies.push(code.end());
                    }
                    if bodies.iter().any(|body| !body.is_empty()) {
                        push_loop(code, nest.level, &attachments, bodies);
                    }
                    code.forget();
                }
                Setup::Twice(inner) => {
                    code.begin_anew();
                    self.initialise(code, nest, inner, of_attached);
                    let body = code.end();
                    code.push(Statement::Twice(body));
                    code.forget();
                }
            }
        }
    }
}

/// The shapes of containers.
fn collect_containers(visits: &[Visit], containers: &mut FxHashSet<ShapeId>) {
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
