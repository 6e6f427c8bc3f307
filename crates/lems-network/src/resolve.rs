//! What the recordings and event selections of a simulation mean on a network.

use lems_document::Attribute;
use lems_model::Direction;

use crate::path::Path;
use crate::wiring::first_out;
use crate::{EventSelection, InstanceId, Network, NetworkError, Readable, Recording};

/// A recording with its path resolved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column<'d> {
    /// What is read.
    pub value: Readable<'d>,
    /// What it is divided by.
    pub scale: f64,
}

impl<'d> Network<'_, 'd> {
    /// What a recording reads.
    ///
    /// # Errors
    /// A path that leads nowhere; a variable that is not there.
    pub fn column(&self, recording: &Recording<'d>) -> Result<Column<'d>, NetworkError> {
        let source = recording.quantity;
        let (path, variable) = Path::to_variable(source);
        let value = match self.follow(Network::ROOT, path) {
            Ok(instance) => self.recorded(instance, variable, source),
            Err(error) => self.recorded_of_connection(path, variable).ok_or(error),
        }?;
        Ok(Column {
            value,
            scale: recording.scale,
        })
    }

    /// What a recording of an instance reads.
    fn recorded(
        &self,
        instance: InstanceId,
        variable: &str,
        source: Attribute<'d>,
    ) -> Result<Readable<'d>, NetworkError> {
        if let Some(zero) = self.unfilled_in_list(instance, variable, source) {
            return Ok(zero);
        }
        (self.local(instance, variable))
            .or_else(|| self.local(self.unwrapped(instance), variable))
            .ok_or_else(|| NetworkError::UnknownVariable {
                variable: variable.to_owned(),
                instance: self.title(instance),
                suggestion: self.suggest_recording(instance, variable),
                span: source.part_span(variable),
            })
    }

    /// What a recording reads of an element of a `Children` list, if its name is an exposure without a variable and
    /// that of something else: 0, as in a selection.
    fn unfilled_in_list(
        &self,
        instance: InstanceId,
        variable: &str,
        source: Attribute<'d>,
    ) -> Option<Readable<'d>> {
        let is_another = self.type_of(instance).leaves_unfilled(variable)
            && self.local(instance, variable).is_some();
        let parent = self.instance(instance).parent.filter(|_| is_another)?;
        let mut lists = self.instance(parent).lists.iter();
        lists.find(|(name, list)| !name.is_empty() && list.contains(&instance))?;
        self.unfilled(instance, variable, source)
    }

    /// What a recording reads, if its path leads to a connection that has no instance.
    fn recorded_of_connection(&self, path: Path<'d, 'd>, variable: &str) -> Option<Readable<'d>> {
        let (to_owner, id) = path.split_last();
        let owner = self.follow(Network::ROOT, to_owner).ok()?;
        self.at_connection_called(owner, id, variable)
    }

    /// A variable that may be meant: that of the first cell of a population; that of the child of
    /// that name; one with a near name; that of what has the name deeper down.
    fn suggest_recording(&self, instance: InstanceId, name: &str) -> Option<String> {
        let inner = self.unwrapped(instance);
        if let Some(first) = self.list(instance, "").and_then(<[_]>::first)
            && self.local(self.unwrapped(*first), name).is_some()
        {
            return Some(format!("{}/{name}", self.path(*first)));
        }
        let near = self.suggest(inner, name);
        let deeper = || near.is_none().then(|| self.further_down(inner, name));
        let Some(named) = self.step(inner, name).or_else(|| deeper().flatten()) else {
            return near;
        };
        let dynamics = self.type_of(named).dynamics.as_ref()?;
        let shown = dynamics.state.values().find_map(|state| state.exposure)?;
        Some(format!("{}/{shown}", self.below(inner, named)))
    }

    /// The instance and port of an event selection; no port if its type sends nothing.
    ///
    /// # Errors
    /// A path that leads nowhere; a port that is not there.
    pub fn selection(
        &self,
        selection: &EventSelection<'d>,
    ) -> Result<(InstanceId, Option<&'d str>), NetworkError> {
        let source = selection.select;
        let instance = self.unwrapped(self.follow(Network::ROOT, Path::from_root(source))?);
        let kind = self.type_of(instance);
        let Some(port) = selection.port else {
            return Ok((instance, first_out(kind)));
        };
        match kind.ports.get_key_value(port.value()) {
            Some((name, found)) => {
                if found.direction == Direction::In {
                    let warning = NetworkError::NotSent {
                        port: (*name).to_owned(),
                        instance: self.title(instance),
                        suggestion: first_out(kind).map(str::to_owned),
                        span: port.span(),
                    };
                    self.warnings.borrow_mut().push(warning);
                }
                Ok((instance, Some(name)))
            }
            None => {
                let first = self.list(instance, "").and_then(<[_]>::first);
                let sender = first.filter(|id| self.type_of(**id).ports.contains_key(port.value()));
                Err(NetworkError::UnknownPort {
                    port: port.value().to_owned(),
                    instance: self.title(instance),
                    suggestion: match sender {
                        Some(sender) => Some(self.path(*sender)),
                        None => lems_document::nearest(port.value(), kind.ports.keys().copied())
                            .map(str::to_owned),
                    },
                    span: if sender.is_some() {
                        source.span()
                    } else {
                        port.span()
                    },
                })
            }
        }
    }
}
