//! Ports of instances that take events from outside the run.

use lems_document::{Attribute, nearest};

use crate::path::Path;
use crate::wiring::handled_ports;
use crate::{InstanceId, Network, NetworkError};

/// A port of an instance that takes events from outside the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inlet<'d> {
    /// The instance.
    pub instance: InstanceId,
    /// Its port.
    pub port: &'d str,
    /// Path of the port from the root of the network, as it was asked for: `pop[0]/synapse/in`.
    pub path: String,
}

impl<'d> Network<'_, 'd> {
    /// The port that a path leads to, or those of all cells of a population: `pop[*]/in`.
    ///
    /// # Errors
    /// A path that leads nowhere; a port that is not there, or does nothing when an event arrives.
    pub fn inlets(&self, source: Attribute<'d>) -> Result<Vec<Inlet<'d>>, NetworkError> {
        let path = source.value().trim().trim_matches('/');
        let all = (path.split_once("[*]")).or_else(|| path.split_once("/*"));
        let Some((population, rest)) = all else {
            return Ok(vec![self.inlet(path, source)?]);
        };
        let population = self.follow(Network::ROOT, Path::new(population, source))?;
        let cells = self.cells(population);
        if cells.is_empty() {
            // This says what is in the place of a population.
            return Ok(vec![self.inlet(path, source)?]);
        }
        (cells.iter())
            .map(|cell| self.inlet(&cell.path_to(rest), source))
            .collect()
    }

    fn inlet(&self, path: &str, source: Attribute<'d>) -> Result<Inlet<'d>, NetworkError> {
        let (steps, port) = path.rsplit_once('/').unwrap_or(("", path));
        let instance = self.follow(Network::ROOT, Path::new(steps, source))?;
        let instance = self.unwrapped(instance);
        let kind = self.type_of(instance);
        if let Some(port) = handled_ports(kind).into_iter().find(|own| *own == port) {
            return Ok(Inlet {
                instance,
                port,
                path: path.to_owned(),
            });
        }
        let suggestion = (nearest(port, handled_ports(kind)).map(str::to_owned))
            .or_else(|| self.suggest_inlet(instance, path, source));
        let (port_name, instance_name) = (port.to_owned(), self.title(instance));
        let span = source.part_span(port);
        Err(match kind.ports.contains_key(port) {
            true => NetworkError::NotReceived {
                port: port_name,
                instance: instance_name,
                suggestion,
                span,
            },
            false => NetworkError::UnknownPort {
                port: port_name,
                instance: instance_name,
                suggestion,
                span,
            },
        })
    }

    /// A path to a port that may be meant, where the last step of a path names none: one of what the whole path
    /// leads to, or of what is inside the instance.
    fn suggest_inlet(
        &self,
        instance: InstanceId,
        path: &str,
        source: Attribute<'d>,
    ) -> Option<String> {
        let first = |id: InstanceId| handled_ports(self.type_of(id)).into_iter().next();
        let whole = self.follow(Network::ROOT, Path::new(path, source)).ok();
        let whole = whole.map(|id| self.unwrapped(id));
        if let Some(port) = whole.and_then(first) {
            return Some(format!("{path}/{port}"));
        }
        let inside = self.find_inside(whole.unwrap_or(instance), |id| first(id).is_some())?;
        Some(format!("{}/{}", self.path(inside), first(inside)?))
    }
}
