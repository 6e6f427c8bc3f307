//! What a name means at an instance.

use lems_document::{Attribute, nearest};
use lems_expression::Dimension;
use lems_model::{ComponentId, Definition, Role, Select, Selection, Step, TypeId};

use crate::meaning::{Meaning, Variable, declared_names};
use crate::structure::is_bare_connection;
use crate::{InstanceId, Network, NetworkError};

/// A value of an instance, as seen from outside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Readable<'d> {
    /// The instance.
    pub instance: InstanceId,
    /// What is read there.
    pub variable: Variable<'d>,
}

impl<'d> Network<'_, 'd> {
    /// Dimension of a value that can change; None if any is accepted.
    pub fn dimension(&self, value: &Readable<'d>) -> Option<Dimension> {
        match value.variable {
            Variable::Exposed(name) | Variable::Live(name) => {
                self.type_of(value.instance).dimension_of(name)
            }
            Variable::Fixed(_) => None,
        }
    }

    /// What `name` means at the instance itself.
    pub fn local(&self, id: InstanceId, name: &str) -> Option<Readable<'d>> {
        let variable = match self.meaning(self.instance(id).kind, name) {
            Meaning::Variable(variable) => variable,
            Meaning::Value => {
                let value = (self.property(id, name))
                    .or_else(|| self.own_parameter(id, name))
                    .or_else(|| self.added(id, name));
                match value {
                    Some(value) => Variable::Fixed(value),
                    None if name == "t" => Variable::Live("t"),
                    None => return None,
                }
            }
            Meaning::Nothing => return None,
        };
        Some(Readable {
            instance: id,
            variable,
        })
    }

    /// What `name` means at the instances of a type.
    pub fn meaning(&self, kind: TypeId, name: &str) -> Meaning<'d> {
        let declared = self.meanings[kind].get_or_init(|| declared_names(self.model.type_of(kind)));
        if let Some(meaning) = declared.get(name) {
            return *meaning;
        }
        match name {
            _ if name == "index" || self.added_names.contains(name) => Meaning::Value,
            "t" => Meaning::Variable(Variable::Live("t")),
            _ => Meaning::Nothing,
        }
    }

    /// A parameter of an instance as others see it: assigned, or that of its component.
    fn own_parameter(&self, id: InstanceId, name: &str) -> Option<f64> {
        let value = self.parameter(id, name)?;
        let (name, _) = self.type_of(id).parameters.get_key_value(name)?;
        Some(self.assigned.get(id, name).unwrap_or(value))
    }

    /// A value of an instance that its type does not know: assigned, or its number.
    pub(crate) fn added(&self, id: InstanceId, name: &str) -> Option<f64> {
        let number = || self.instance(id).number.filter(|_| name == "index");
        (self
            .additions
            .get(&id)
            .and_then(|names| names.iter().find(|known| **known == name)))
        .and_then(|name| self.assigned.get(id, name))
        .or_else(|| number().map(f64::from))
    }

    /// A parameter, property or added value of an instance, or 0 for a variable: while the network is built, variables
    /// have no other value.
    pub(crate) fn value_at(&self, id: InstanceId, name: &str) -> Option<f64> {
        let variable = || {
            let dynamics = self.type_of(id).dynamics.as_ref()?;
            let known = dynamics.variables().any(|variable| variable.name == name);
            known.then_some(0.0)
        };
        (self.added(id, name))
            .or_else(|| self.parameter(id, name))
            .or_else(|| self.property(id, name))
            .or_else(variable)
    }

    /// A number of an instance while the network is built: variables are still 0.
    pub(crate) fn number_at(&self, id: InstanceId, name: &str) -> Option<f64> {
        let value = match self.local(id, name)?.variable {
            Variable::Fixed(value) => Some(value),
            Variable::Exposed(_) => Some(0.0),
            Variable::Live(name) => {
                let elsewhere = self.type_of(id).reads_requirement(name) || name == "t";
                (!elsewhere).then_some(0.0)
            }
        };
        value.filter(|value| value.is_finite())
    }

    /// What `name` means at the instance or, failing that, around it.
    pub fn read(&self, id: InstanceId, name: &str) -> Option<Readable<'d>> {
        let mut current = Some(id);
        while let Some(id) = current {
            if let Some(found) = self.local(id, name) {
                return Some(found);
            }
            current = self.instance(id).parent;
        }
        None
    }

    /// What the name in a selection means at an element of a list. An exposure that its `Dynamics` has no variable for
    /// is 0 there, whatever else has its name, but not at what connections attach.
    fn read_in_list(&self, id: InstanceId, select: &Select<'d>) -> Option<Readable<'d>> {
        self.unfilled(id, select.variable, select.source)
            .or_else(|| self.read(id, select.variable))
    }

    /// 0 for an exposure that the dynamics of an element of a list have no variable for, with a warning at a place.
    pub(crate) fn unfilled(
        &self,
        id: InstanceId,
        exposure: &str,
        place: Attribute<'d>,
    ) -> Option<Readable<'d>> {
        let kind = self.type_of(id);
        if !kind.leaves_unfilled(exposure) || self.instance(id).attached {
            return None;
        }
        let warning = NetworkError::UnfilledExposure {
            exposure: exposure.to_owned(),
            component_type: kind.name.to_owned(),
            span: place.part_span(exposure),
        };
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
        Some(Readable {
            instance: id,
            variable: Variable::Fixed(0.0),
        })
    }

    /// What a `Requirement` of an instance means.
    pub fn requirement(&self, id: InstanceId, name: &str) -> Option<Readable<'d>> {
        self.read(self.instance(id).parent?, name)
            .or_else(|| self.around_cells(id, name))
    }

    /// Where a value comes from: what a requirement hands on is a value further out.
    pub fn origin(&self, readable: Readable<'d>) -> Readable<'d> {
        let mut current = readable;
        while let Variable::Live(name) | Variable::Exposed(name) = current.variable {
            let kind = self.type_of(current.instance);
            let mut own = kind
                .dynamics
                .iter()
                .flat_map(|dynamics| dynamics.variables());
            if !kind.reads_requirement(name) || own.any(|own| own.name == name) {
                break;
            }
            match self.requirement(current.instance, name) {
                Some(further) => current = further,
                None => break,
            }
        }
        current
    }

    /// The value of a name around cells with dendrites, if nothing gives it.
    fn around_cells(&self, id: InstanceId, name: &str) -> Option<Readable<'d>> {
        let found = self
            .cables
            .around
            .iter()
            .find(|(around, _)| *around == name)?;
        Some(Readable {
            instance: id,
            variable: Variable::Fixed(found.1),
        })
    }

    /// The values that a `select` of an instance leads to, in the order in which they are
    /// reduced.
    ///
    /// # Errors
    /// A child that is not there, unless the selection says `required="false"`; a variable that
    /// is not there.
    pub fn selected(
        &self,
        id: InstanceId,
        selection: &Selection<'d>,
    ) -> Result<Vec<Readable<'d>>, NetworkError> {
        let select = &selection.select;
        let optional = selection
            .element
            .attribute("required")
            .is_some_and(|a| a.value() == "false");
        let mut current = vec![id];
        let mut values = Vec::new();
        for (number, step) in select.steps.iter().enumerate() {
            let is_last = number + 1 == select.steps.len();
            let mut next = Vec::new();
            for id in current {
                let found = self.select_step(id, *step, &mut next);
                let known = values.len();
                if is_last && !(found && matches!(step, Step::Name(_))) {
                    values.extend(self.at_connections(id, *step, select.variable));
                }
                if !found && values.len() == known && !optional {
                    return Err(self.missing_child(id, select, *step));
                }
            }
            current = next;
        }
        let from_list = matches!(select.steps.last(), Some(Step::All(_) | Step::Where { .. }));
        for instance in current {
            let value = match from_list {
                true => self.read_in_list(instance, select),
                false => self.read(instance, select.variable),
            };
            values.push(value.ok_or_else(|| NetworkError::UnknownVariable {
                variable: select.variable.to_owned(),
                instance: self.title(instance),
                suggestion: self.suggest(instance, select.variable),
                span: select.source.span(),
            })?);
        }
        Ok(values)
    }

    /// Adds the instances that a step leads to. Returns false if there should be one and is none.
    fn select_step(&self, id: InstanceId, step: Step<'d>, found: &mut Vec<InstanceId>) -> bool {
        match step {
            Step::Name(name) => {
                let child = self.step(id, name);
                found.extend(child);
                child.is_some()
            }
            Step::All(list) => {
                found.extend_from_slice(self.list(id, list).unwrap_or_default());
                true
            }
            Step::Where {
                list,
                attribute,
                value,
            } => {
                let has = |element: &InstanceId| {
                    let component = self.instance(*element).component;
                    component.is_some_and(|of| self.has_text(of, attribute, value))
                };
                let list = self.list(id, list).unwrap_or_default();
                found.extend(list.iter().copied().filter(has));
                true
            }
        }
    }

    fn has_text(&self, component: ComponentId, attribute: &str, value: &str) -> bool {
        let text = self.model.text(component, attribute);
        text.is_some_and(|text| text.value() == value)
    }

    /// What a name means at the connections that a step leads to and that have no instance.
    fn at_connections(
        &self,
        owner: InstanceId,
        step: Step<'d>,
        name: &str,
    ) -> impl Iterator<Item = Readable<'d>> {
        let connections = self.bare_connections(owner, step).into_iter();
        connections.filter_map(move |connection| {
            (self.at_bare_connection(owner, connection, name)).or_else(|| self.read(owner, name))
        })
    }

    /// The connections in an instance that a step leads to and that have no instance. Of several with one id it is the
    /// last one.
    fn bare_connections(&self, owner: InstanceId, step: Step<'d>) -> Vec<ComponentId> {
        let (Step::Name(name) | Step::All(name) | Step::Where { list: name, .. }) = step;
        let is_name = matches!(step, Step::Name(_));
        // What connections attach is in no list of a component.
        if !is_name && !self.type_of(owner).lists.contains_key(name) {
            return Vec::new();
        }
        let component = self.instance(owner).component;
        let groups = component.map_or_else(Vec::new, |of| self.model.child_groups(of));
        let bare = groups.into_iter().filter(|(role, group)| {
            matches!(role, Role::List(list) if is_name || *list == name)
                && is_bare_connection(self.model, group.first)
        });
        let connections = bare.flat_map(|(_, group)| group.ids());
        let wanted = connections.filter(|connection| match step {
            Step::Name(id) => self.model.name(*connection) == Some(id),
            Step::All(_) => true,
            Step::Where {
                attribute, value, ..
            } => self.has_text(*connection, attribute, value),
        });
        match is_name {
            true => wanted.last().into_iter().collect(),
            false => wanted.collect(),
        }
    }

    /// What a name means at a connection that has no instance: its values never change.
    fn at_bare_connection(
        &self,
        owner: InstanceId,
        connection: ComponentId,
        name: &str,
    ) -> Option<Readable<'d>> {
        let property = || self.model.default_of(connection, name);
        let value = (self.model.parameter(connection, name)).or_else(property)?;
        Some(Readable {
            instance: owner,
            variable: Variable::Fixed(value),
        })
    }

    /// What the name of a variable means at a connection of an instance that has this id, but no instance.
    pub(crate) fn at_connection_called(
        &self,
        owner: InstanceId,
        id: &'d str,
        name: &str,
    ) -> Option<Readable<'d>> {
        let called = self.bare_connections(owner, Step::Name(id));
        self.at_bare_connection(owner, *called.first()?, name)
    }

    fn missing_child(&self, id: InstanceId, select: &Select<'d>, step: Step<'d>) -> NetworkError {
        let (Step::Name(name) | Step::All(name) | Step::Where { list: name, .. }) = step;
        let path = select.source.value().to_owned();
        let (step, inside) = (name.to_owned(), self.title(id));
        if self.list(id, name).is_some() {
            return NetworkError::UnresolvedPath {
                path,
                step,
                inside,
                suggestion: Some(format!("{name}[*]")),
                there: Vec::new(),
                span: select.source.span(),
            };
        }
        let children = self.instance(id).singles.iter().map(|(name, _)| *name);
        let slots = self.type_of(id).slots.keys().copied();
        NetworkError::UnresolvedPath {
            path,
            step,
            inside,
            suggestion: nearest(name, children.chain(slots)).map(str::to_owned),
            there: Vec::new(),
            span: self.span_of(id),
        }
    }

    /// The name of a variable of an instance that is near to `name`.
    pub fn suggest(&self, id: InstanceId, name: &str) -> Option<String> {
        let kind = self.type_of(id);
        let mut names: Vec<&str> = kind.exposures.keys().copied().collect();
        names.extend(kind.parameters.keys().copied());
        if let Some(dynamics) = &kind.dynamics {
            // Selections come last: of several names that are equally near the first is suggested.
            let is_selection =
                |v: &lems_model::Variable<'_, '_>| matches!(v.definition, Definition::Selection(_));
            let others = dynamics.variables().filter(|v| !is_selection(v));
            let selections = dynamics.variables().filter(is_selection);
            names.extend(others.chain(selections).map(|v| v.name));
        }
        nearest(name, names).map(str::to_owned)
    }
}
