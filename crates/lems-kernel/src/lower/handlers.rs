//! What an instance does when an event arrives.

use lems_model::Dynamics;

use super::{
    Lowering,
    code::Code,
    columns::Flavour,
    equations::{Clock, Spot},
};

impl<'d> Lowering<'_, '_, 'd> {
    /// Makes a handler for every port that some block handles, and notes what handlers write.
    pub(super) fn handlers(&mut self) {
        for shape in 0..self.shapes.shapes.len() as u32 {
            for node in 0..self.shape(shape).nodes.len() {
                if let Some(dynamics) = self.dynamics(shape, node) {
                    self.note_volatile(shape, node, dynamics);
                }
            }
        }
        for shape in 0..self.shapes.shapes.len() as u32 {
            for node in 0..self.shape(shape).nodes.len() {
                if let Some(dynamics) = self.dynamics(shape, node) {
                    for port in handled_ports(dynamics) {
                        self.handler(shape, node, dynamics, port);
                    }
                }
            }
        }
    }

    fn note_volatile(&mut self, shape: u32, node: usize, dynamics: &Dynamics<'d>) {
        if handled_ports(dynamics).is_empty() {
            return;
        }
        let mut blocks: Vec<_> = dynamics
            .on_event
            .iter()
            .map(|handler| &handler.actions)
            .collect();
        for regime in dynamics.regimes.values() {
            blocks.extend(
                regime
                    .dynamics
                    .on_event
                    .iter()
                    .map(|handler| &handler.actions),
            );
            blocks.extend(&regime.dynamics.on_entry);
        }
        let mut written: Vec<Flavour<'d>> = (blocks.iter())
            .flat_map(|actions| &actions.assignments)
            .map(|assignment| Flavour::Live(assignment.variable))
            .collect();
        written.push(Flavour::Regime);
        for flavour in written {
            let column = self.column(shape, node, flavour);
            self.columns.volatile.insert(column);
        }
    }

    fn handler(&mut self, shape: u32, node: usize, dynamics: &Dynamics<'d>, port: &'d str) {
        let frame = self.top_frame(shape);
        let at = Spot {
            frame: &frame,
            node,
            clock: Clock::Local,
        };
        let mut code = Code::new(self.columns.volatile.clone());
        if dynamics.regimes.is_empty() {
            let handlers = &dynamics.on_event;
            for handler in handlers.iter().filter(|h| h.port.value() == port) {
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
        let number = self.program.handlers.len() as u32;
        self.program.handlers.push(code.into_kernel(name));
        self.handler_of.insert((shape, node as u32, port), number);
    }
}

/// Ports that the main block or a regime handles.
fn handled_ports<'d>(dynamics: &Dynamics<'d>) -> Vec<&'d str> {
    let mut ports = Vec::new();
    let regimes = dynamics
        .regimes
        .values()
        .flat_map(|regime| &regime.dynamics.on_event);
    for handler in dynamics.on_event.iter().chain(regimes) {
        if !ports.contains(&handler.port.value()) {
            ports.push(handler.port.value());
        }
    }
    ports
}
