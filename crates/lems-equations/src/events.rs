//! The order of what an event sets off.

use std::collections::HashMap;

use lems_model::{Dynamics, EventHandler, Trigger};

use crate::{Item, step::of_regimes};

/// What an instance does when an event arrives, for each port that the main block or a regime
/// handles, in the order in which they are named first.
///
/// As in jLEMS, only regimes see events where there are some.
pub fn handlers<'m, 'd>(dynamics: &'m Dynamics<'d>) -> Vec<(&'d str, Vec<Item<'m, 'd>>)> {
    if dynamics.regimes.is_empty() {
        return by_port(dynamics.on_event.iter());
    }
    let all = dynamics.with_regimes().flat_map(|block| &block.on_event);
    let handlers = by_port(all).into_iter().map(|(port, _)| {
        let of_active = of_regimes(dynamics, |regime| {
            let handlers = regime.dynamics.on_event.iter();
            let own = handlers.filter(|handler| handler.port.value() == port);
            own.map(|handler| Item::Actions(&handler.actions)).collect()
        });
        (port, of_active.into_iter().collect())
    });
    handlers.collect()
}

/// The actions of handlers by port, in the order in which the ports are named first.
fn by_port<'m, 'd: 'm>(
    handlers: impl Iterator<Item = &'m EventHandler<'d>>,
) -> Vec<(&'d str, Vec<Item<'m, 'd>>)> {
    let mut ports: Vec<(&'d str, Vec<Item<'m, 'd>>)> = Vec::new();
    let mut positions = HashMap::new();
    for handler in handlers {
        let port = handler.port.value();
        let position = *positions.entry(port).or_insert_with(|| {
            ports.push((port, Vec::new()));
            ports.len() - 1
        });
        ports[position].1.push(Item::Actions(&handler.actions));
    }
    ports
}

/// What regimes do when they become active: the `OnEntry` blocks of all of them, in order.
pub fn entries<'m, 'd>(dynamics: &'m Dynamics<'d>) -> impl Iterator<Item = Item<'m, 'd>> {
    let blocks = dynamics.with_regimes();
    let entries = blocks.flat_map(|block| block.actions_on([Trigger::Entry]));
    entries.map(Item::Actions)
}
