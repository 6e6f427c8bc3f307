//! What an instance does when an event arrives.

use lems_index::Id;
use std::rc::Rc;

use lems_equations::Item;
use lems_model::{Dynamics, Trigger};
use lems_network::{NodeId, ShapeId};

use super::{
    HandlerId, Lowering, PortKey,
    code::Code,
    columns::ColumnKind,
    equations::{Clock, NodeContext},
    step::Totals,
};

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes a handler for every port that some block handles, and notes what handlers write.
    pub(super) fn handlers(&mut self) {
        for shape in self.shapes.shapes.ids() {
            for node in self.shape(shape).nodes.ids() {
                if let Some(dynamics) = self.dynamics(shape, node) {
                    self.note_volatile(shape, node, dynamics);
                }
            }
        }
        for shape in self.shapes.shapes.ids() {
            for node in self.shape(shape).nodes.ids() {
                if let Some(dynamics) = self.dynamics(shape, node) {
                    for (port, items) in lems_equations::handlers(dynamics) {
                        self.handler(shape, node, port, &items);
                    }
                }
            }
        }
    }

    /// Notes the columns of a node that event handlers may write.
    fn note_volatile(&mut self, shape: ShapeId, node: NodeId, dynamics: &Dynamics<'d>) {
        if dynamics
            .with_regimes()
            .all(|block| block.on_event.is_empty())
        {
            return;
        }
        let mut written = vec![ColumnKind::Regime];
        let own = dynamics.actions_on([Trigger::Event]);
        let assigned = own.flat_map(|actions| &actions.assignments);
        written.extend(assigned.map(|assignment| ColumnKind::Live(assignment.variable)));
        for (number, regime) in dynamics.regimes.values().enumerate() {
            let blocks = (regime.dynamics).actions_on([Trigger::Event, Trigger::Entry]);
            let assigned = blocks.flat_map(|actions| &actions.assignments);
            written.extend(
                assigned.map(|assignment| {
                    self.own_kind(shape, node, Some(number), assignment.variable)
                }),
            );
        }
        for kind in written {
            let column = self.column(shape, node, kind);
            Rc::make_mut(&mut self.columns.volatile).insert(column);
        }
    }

    /// Makes the handler of one port of a node.
    fn handler(&mut self, shape: ShapeId, node: NodeId, port: &'d str, items: &[Item<'_, 'd>]) {
        let nest = self.top_nest(shape);
        let at = NodeContext::new(&nest, node, Clock::Local);
        let mut code = Code::new(self.columns.volatile.clone());
        for item in items {
            self.item(&mut code, at, item, &mut Totals::new());
        }
        let name = format!("{} on {port}", self.type_name(shape, node));
        let number = HandlerId::at(self.program.handlers.len());
        self.program.handlers.push(code.into_kernel(name));
        self.handler_of
            .insert(PortKey { shape, node, port }, number);
    }
}
