//! The cells of populations, under the paths by which recordings name them.

use crate::{InstanceId, Network};

/// A member of a population.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The cell itself, without a wrapper around it.
    pub instance: InstanceId,
    /// Its path from the root of the network: `pop[3]`, or `pop/3/cell` if it is in a wrapper.
    pub path: String,
    /// Whether it is in a wrapper (an `instance` of a `populationList`).
    pub wrapped: bool,
}

impl Cell {
    /// The path of something in the cell: its own with `rest` behind it. Of a cell in a wrapper, `rest` may begin with
    /// the cell's own name, as in `pop/*/cell/v`.
    pub fn path_to(&self, rest: &str) -> String {
        let own = self.path.rsplit('/').next().filter(|_| self.wrapped);
        let inner = own.and_then(|own| rest.strip_prefix('/')?.strip_prefix(own));
        let rest = inner.filter(|rest| rest.starts_with('/')).unwrap_or(rest);
        format!("{}{rest}", self.path)
    }
}

impl<'d> Network<'_, 'd> {
    /// What stands directly in the network and has others in a list, in document order of each kind.
    pub fn populations(&self) -> Vec<InstanceId> {
        let lists = self.instance(Self::ROOT).lists.iter();
        let all = lists.flat_map(|(_, list)| list.iter().copied());
        all.filter(|id| self.elements(*id).is_some_and(|cells| !cells.is_empty()))
            .collect()
    }

    /// One of the [`populations`](Self::populations) by its id.
    pub fn population_named(&self, name: &str) -> Option<InstanceId> {
        let mut all = self.populations().into_iter();
        all.find(|id| self.component_id(*id) == Some(name))
    }

    /// The cells of a population in their order.
    pub fn cells(&self, population: InstanceId) -> Vec<Cell> {
        let name = self.path(population);
        let elements = self.elements(population).unwrap_or_default();
        let cell = |(number, element): (usize, &InstanceId)| {
            let instance = self.unwrapped(*element);
            let wrapped = instance != *element;
            let path = match (wrapped, self.component_id(instance)) {
                (true, Some(inner)) => match self.component_id(*element) {
                    Some(id) => format!("{name}/{id}/{inner}"),
                    None => format!("{name}[{number}]/{inner}"),
                },
                _ => format!("{name}[{number}]"),
            };
            Cell {
                instance,
                path,
                wrapped,
            }
        };
        elements.iter().enumerate().map(cell).collect()
    }

    /// The port by which an instance sends events: the one of that name if it has it, else the first.
    pub fn sending_port(&self, id: InstanceId, preferred: &str) -> Option<&'d str> {
        let ports = &self.type_of(id).ports;
        let mut sending = (ports.iter())
            .filter(|(_, port)| port.direction == lems_model::Direction::Out)
            .map(|(name, _)| *name);
        let first = sending.next()?;
        Some(match first == preferred {
            true => first,
            false => sending.find(|name| *name == preferred).unwrap_or(first),
        })
    }
}
