//! What an instance does when an event arrives.

use lems_index::narrow;
use std::collections::HashMap;
use std::rc::Rc;

use lems_model::{Dynamics, EventHandler, Trigger};

use super::{
    Lowering,
    code::Code,
    columns::Flavour,
    equations::{Clock, Spot},
};

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes a handler for every port that some block handles, and notes what handlers write.
    pub(super) fn handlers(&mut self) {
        for shape in 0..narrow(self.shapes.shapes.len()) {
            for node in 0..self.shape(shape).nodes.len() {
                if let Some(dynamics) = self.dynamics(shape, node) {
                    self.note_volatile(shape, node, dynamics);
                }
            }
        }
        for shape in 0..narrow(self.shapes.shapes.len()) {
            for node in 0..self.shape(shape).nodes.len() {
                if let Some(dynamics) = self.dynamics(shape, node) {
                    for (port, of_port) in handled_ports(dynamics) {
                        self.handler(shape, node, dynamics, port, &of_port);
                    }
                }
            }
        }
    }

    fn note_volatile(&mut self, shape: u32, node: usize, dynamics: &Dynamics<'d>) {
        if handled_ports(dynamics).is_empty() {
            return;
        }
        let regimes = dynamics.regimes.values();
        let of_regimes = regimes
            .flat_map(|regime| (regime.dynamics).actions_on([Trigger::Event, Trigger::Entry]));
        let blocks = dynamics.actions_on([Trigger::Event]).chain(of_regimes);
        let mut written: Vec<Flavour<'d>> = blocks
            .flat_map(|actions| &actions.assignments)
            .map(|assignment| Flavour::Live(assignment.variable))
            .collect();
        written.push(Flavour::Regime);
        for flavour in written {
            let column = self.column(shape, node, flavour);
            Rc::make_mut(&mut self.columns.volatile).insert(column);
        }
    }

    fn handler(
        &mut self,
        shape: u32,
        node: usize,
        dynamics: &Dynamics<'d>,
        port: &'d str,
        of_port: &[&EventHandler<'d>],
    ) {
        let frame = self.top_frame(shape);
        let at = Spot {
            frame: &frame,
            node,
            clock: Clock::Local,
        };
        let mut code = Code::new(self.columns.volatile.clone());
        if dynamics.regimes.is_empty() {
            for handler in of_port {
                self.actions(&mut code, at, &handler.actions, 0);
            }
        } else {
            // As in jLEMS: where there are regimes, only they see events.
            let place = self.place(at, Flavour::Regime);
            let active = code.load(place);
            for (number, regime) in dynamics.regimes.values().enumerate() {
                self.while_active(&mut code, active, number, &mut |lowering, code| {
                    let handlers = &regime.dynamics.on_event;
                    for handler in handlers.iter().filter(|h| h.port.value() == port) {
                        lowering.actions(code, at, &handler.actions, 0);
                    }
                });
            }
        }
        let name = format!("{} on {port}", self.type_name(shape, node));
        let number = narrow(self.program.handlers.len());
        self.program.handlers.push(code.into_kernel(name));
        self.handler_of.insert((shape, narrow(node), port), number);
    }
}

/// Ports that the main block or a regime handles, in the order in which they are named first, each with
/// what handles it, the main block's first.
fn handled_ports<'m, 'd>(dynamics: &'m Dynamics<'d>) -> Vec<(&'d str, Vec<&'m EventHandler<'d>>)> {
    let mut ports: Vec<(&'d str, Vec<&'m EventHandler<'d>>)> = Vec::new();
    let mut places = HashMap::new();
    let regimes = dynamics
        .regimes
        .values()
        .flat_map(|regime| &regime.dynamics.on_event);
    for handler in dynamics.on_event.iter().chain(regimes) {
        let port = handler.port.value();
        let place = *places.entry(port).or_insert_with(|| {
            ports.push((port, Vec::new()));
            ports.len() - 1
        });
        ports[place].1.push(handler);
    }
    ports
}
