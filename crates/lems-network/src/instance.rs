//! Instances: running copies of components.

use std::cell::{OnceCell, RefCell};

use lems_document::Span;
use lems_index::IdVec;
use lems_math::JavaRandom;
use lems_model::{ComponentId, ComponentType, Model, TypeId};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::instances::Contents;
use crate::meaning::DeclaredNames;
use crate::{Assigned, Cables, Connections, Instance, InstanceId, Instances, NetworkError};

/// So many singles or lists of an instance are looked up in a table.
const MANY_NAMES: usize = 16;

/// Which rank of how many builds its share of a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The rank, from zero.
    pub rank: u16,
    /// Number of ranks.
    pub ranks: u16,
}

/// How the instances of a network are distributed over ranks, and what one rank leaves out.
#[derive(Debug, Clone)]
pub struct Distribution<'d> {
    pub(crate) share: Share,
    /// Ranks of the instances that are there before any is attached; [`NO_RANK`] for what groups others.
    pub(crate) ranks: Vec<u16>,
    /// For each host and list: what is left out.
    pub(crate) absent: FxHashMap<(InstanceId, &'d str), Vec<Absent>>,
    /// Number of instances that are left out.
    pub(crate) left_out: usize,
    /// By sender and port of events that reach plain instances of another rank than the sender's: whether some have no
    /// delay.
    pub crossings: FxHashMap<(InstanceId, &'d str), bool>,
    /// Whether the path of a connection leads to what other connections attach.
    pub leads_to_attached: bool,
    /// For each kind: an instance that all ranks make.
    pub(crate) representatives: FxHashMap<PlainKind<'d>, Representative>,
    pub(crate) plain: FxHashMap<ComponentId, bool>,
}

/// The rank of instances that only group others.
pub(crate) const NO_RANK: u16 = u16::MAX;

/// Neighbours in a list that are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Absent {
    /// Number of instances in the list before them.
    pub after: u32,
    /// An instance of the same shape.
    pub like: InstanceId,
    pub count: u32,
}

/// What connections attach that has the same code, and may differ in values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlainKind<'d> {
    pub component: ComponentId,
    /// The type of the connections.
    pub maker: TypeId,
    /// The population of the hosts.
    pub group: InstanceId,
    /// Their list.
    pub list: &'d str,
}

/// An instance that is made on all ranks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Representative {
    pub like: InstanceId,
    /// Whether one with other values is made on all ranks, too.
    pub varied: bool,
}

impl<'d> Distribution<'d> {
    pub(crate) fn absent(&self, host: InstanceId, list: &'d str) -> &[Absent] {
        self.absent.get(&(host, list)).map_or(&[], Vec::as_slice)
    }

    /// Whether an instance was attached after all others were made, or is in such an instance.
    pub fn is_attached(&self, id: InstanceId) -> bool {
        id.0 as usize >= self.ranks.len()
    }

    /// Whether the instances that connections attach of a component are plain. A rank leaves out the plain instances of
    /// other ranks.
    pub fn is_plain(&self, component: Option<ComponentId>) -> bool {
        component.is_some_and(|component| self.plain.get(&component) == Some(&true))
    }

    /// Whether a rank is that whose share this is.
    pub fn is_own(&self, rank: u16) -> bool {
        rank == self.share.rank
    }
}

/// Elements by component id, for the long lists that paths went through: instance, number of the
/// list.
pub(crate) type IdTables<'d> = FxHashMap<(InstanceId, usize), IdTable<'d>>;

/// The elements of a list by component id.
#[derive(Debug, Clone, Default)]
pub(crate) struct IdTable<'d> {
    /// Number of elements that the table knows; the list may have got more since.
    pub seen: usize,
    pub ids: FxHashMap<&'d str, InstanceId>,
}

/// What of an instance has names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    Single,
    List,
}

/// Names and the numbers of the first that have them.
#[derive(Debug, Clone, Default)]
pub(crate) struct NameTable<'d> {
    numbers: FxHashMap<&'d str, usize>,
    /// How many are in the table.
    seen: usize,
}

/// All instances of a model and how they are connected.
#[derive(Debug, Clone)]
pub struct Network<'m, 'd> {
    /// The model that the instances are made from.
    pub model: &'m Model<'d>,
    /// Instances; the first is the root.
    pub instances: Instances<'d>,
    /// Event connections, in the order in which they were made.
    pub routes: Connections<'d>,
    /// Values set by `Assign`, or copied by `CoInstantiate`.
    pub assigned: Assigned<'d>,
    /// Names of assigned values that the type of the instance does not know.
    pub(crate) additions: FxHashMap<InstanceId, Vec<&'d str>>,
    /// All these names.
    pub(crate) added_names: FxHashSet<&'d str>,
    /// The generator behind `random()`, as the building of the network leaves it.
    pub random: JavaRandom,
    /// What is legal, but probably a mistake.
    pub warnings: RefCell<Vec<NetworkError>>,
    pub(crate) by_id: RefCell<IdTables<'d>>,
    /// Where the names of instances are that have many singles or lists.
    pub(crate) by_name: RefCell<FxHashMap<(InstanceId, Named), NameTable<'d>>>,
    /// What names mean, by type; found out when a type is asked first.
    pub(crate) meanings: IdVec<TypeId, OnceCell<DeclaredNames<'d>>>,
    /// Cells with dendrites.
    pub cables: Cables<'d>,
    /// Other ends of tunnels, by name.
    pub(crate) peers: FxHashMap<InstanceId, Vec<(&'d str, InstanceId)>>,
    /// Components whose parameters are to be values in memory, not constants in code.
    pub(crate) free: FxHashSet<ComponentId>,
    /// How the instances are distributed over ranks, if this is the share of one.
    pub distribution: Option<Distribution<'d>>,
}

impl<'m, 'd> Network<'m, 'd> {
    /// The root instance.
    pub const ROOT: InstanceId = InstanceId(0);

    /// Whether the parameters of a component are to be values in memory, not constants in code.
    pub fn is_free(&self, component: ComponentId) -> bool {
        self.free.contains(&component)
    }

    /// The same of the component of an instance.
    pub fn is_free_at(&self, id: InstanceId) -> bool {
        !self.free.is_empty()
            && self
                .instance(id)
                .component
                .is_some_and(|of| self.is_free(of))
    }

    /// An instance by number.
    #[inline]
    pub fn instance(&self, id: InstanceId) -> Instance<'_, 'd> {
        self.instances.get(id)
    }

    /// What is in an instance, to be changed.
    pub(crate) fn contents_mut(&mut self, id: InstanceId) -> &mut Contents<'d> {
        self.instances.contents_mut(id)
    }

    /// Which of the lists of an instance has a name.
    pub(crate) fn number_of_list(&self, id: InstanceId, name: &str) -> Option<usize> {
        let lists = self.instance(id).lists;
        // Each index of a path asks for the list without a name.
        if name.is_empty() && lists.len() < MANY_NAMES {
            return lists.iter().position(|(list, _)| list.is_empty());
        }
        self.number_of(id, Named::List, lists, name)
    }

    /// The first single of an instance that has a name.
    pub(crate) fn single(&self, id: InstanceId, name: &str) -> Option<InstanceId> {
        let singles = self.instance(id).singles;
        let number = self.number_of(id, Named::Single, singles, name)?;
        singles.get(number).map(|(_, single)| *single)
    }

    fn number_of<T>(
        &self,
        id: InstanceId,
        what: Named,
        all: &[(&'d str, T)],
        name: &str,
    ) -> Option<usize> {
        if all.len() < MANY_NAMES {
            return all.iter().position(|(known, _)| *known == name);
        }
        let mut tables = self.by_name.borrow_mut();
        let table = tables.entry((id, what)).or_default();
        // New ones come last.
        for (number, (name, _)) in all.iter().enumerate().skip(table.seen) {
            table.numbers.entry(name).or_insert(number);
        }
        table.seen = all.len();
        table.numbers.get(name).copied()
    }

    /// The type of an instance.
    #[inline]
    pub fn type_of(&self, id: InstanceId) -> &'m ComponentType<'d> {
        self.model.type_of(self.instance(id).kind)
    }

    /// All instances inside one.
    pub(crate) fn parts_of(&self, id: InstanceId) -> Vec<InstanceId> {
        let mut parts = Vec::new();
        let mut unread = vec![id];
        while let Some(id) = unread.pop() {
            let inner = self.instance(id).inner();
            unread.extend(inner.clone());
            parts.extend(inner);
        }
        parts
    }

    /// A parameter of an instance as its equations see it, in SI units.
    pub fn parameter(&self, id: InstanceId, name: &str) -> Option<f64> {
        let own = self.type_of(id).parameters.get_key_value(name);
        let component = self.instance(id).component;
        if component.is_some()
            && self.cables.changes_parameters()
            && let Some((name, _)) = own
            && let Some(value) = self.cables.parameters.get(&(id, *name))
        {
            return Some(*value);
        }
        let of_component = component.and_then(|component| self.model.parameter(component, name));
        if let Some(value) = of_component {
            return Some(value * self.share_of(id, name));
        }
        // An instance without a component, or of another type than its component has the defaults.
        let (_, parameter) = own?;
        let default = match &parameter.kind {
            lems_model::ParameterKind::Default(quantity) => Some(quantity.value),
            _ => parameter.fixed.map(|fixed| fixed.value),
        };
        (default.or_else(|| self.assigned.get(id, name))).or(Some(f64::NAN))
    }

    /// A property of an instance in SI units: assigned, or its default.
    pub fn property(&self, id: InstanceId, name: &str) -> Option<f64> {
        let property = self.type_of(id).properties.get(name)?;
        Some((self.assigned.get(id, name)).unwrap_or(property.default))
    }

    /// Sets a value of an instance.
    pub(crate) fn set(&mut self, id: InstanceId, name: &'d str, value: f64) {
        let kind = self.type_of(id);
        let known = kind.properties.contains_key(name)
            || kind.parameters.contains_key(name)
            || (kind.dynamics.as_ref()).is_some_and(|dynamics| dynamics.state.contains_key(name));
        if self.assigned.insert(id, name, value) && !known {
            self.additions.entry(id).or_default().push(name);
            self.added_names.insert(name);
        }
    }

    /// The name `index` as the type of an instance spells it, if it declares a property, parameter or state variable with
    /// this name: it then gets the number of the instance in its population.
    pub(crate) fn declared_index(&self, id: InstanceId) -> Option<&'d str> {
        let kind = self.type_of(id);
        let property = kind
            .properties
            .get_key_value("index")
            .map(|(name, _)| *name);
        let parameter = || {
            kind.parameters
                .get_key_value("index")
                .map(|(name, _)| *name)
        };
        let state = || {
            let dynamics = kind.dynamics.as_ref()?;
            dynamics.state.get_key_value("index").map(|(name, _)| *name)
        };
        property.or_else(parameter).or_else(state)
    }

    /// The `id` of the component of an instance.
    pub fn component_id(&self, id: InstanceId) -> Option<&'d str> {
        let component = self.instance(id).component?;
        self.model.name(component)
    }

    /// How messages call an instance, such as `pop0[3] (izhikevich2007Cell)`.
    pub fn title(&self, id: InstanceId) -> String {
        let kind = self.type_of(id).name;
        match self.instance(id).parent {
            None => format!("`{}` ({kind})", self.component_id(id).unwrap_or("the root")),
            Some(_) => format!("`{}` ({kind})", self.path(id)),
        }
    }

    /// The path from the root to an instance, as recorders write it.
    pub fn path(&self, id: InstanceId) -> String {
        let mut steps = Vec::new();
        let mut current = id;
        while let Some(parent) = self.instance(current).parent {
            // A compartment beside a cell is named as a segment of the cell.
            if let Some((cell, segment)) = self.step_to_compartment(current) {
                steps.push(segment.to_string());
                current = cell;
                continue;
            }
            steps.push(self.step_to(parent, current));
            current = parent;
        }
        steps.reverse();
        steps.join("/").replace("/[", "[")
    }

    fn step_to(&self, parent: InstanceId, child: InstanceId) -> String {
        let single = (self.instance(parent).singles.iter()).find(|(_, id)| *id == child);
        if single.is_some() {
            let name = single.map_or("", |(name, _)| *name);
            return self.component_id(child).unwrap_or(name).to_owned();
        }
        for (name, list) in self.instance(parent).lists {
            let Some(index) = list.iter().position(|id| *id == child) else {
                continue;
            };
            let id = self.component_id(child);
            return match (name.is_empty(), self.instance(child).attached, id) {
                (true, _, _) => format!("[{index}]"),
                (false, true, Some(id)) => {
                    let same = |other: &&InstanceId| self.component_id(**other) == Some(id);
                    let number = list.iter().take(index).filter(same).count();
                    format!("{name}:{id}:{number}")
                }
                (false, _, Some(id)) => id.to_owned(),
                (false, _, None) => format!("{name}[{index}]"),
            };
        }
        "?".to_owned()
    }

    /// A place for messages about an instance.
    pub fn span_of(&self, id: InstanceId) -> Span {
        let instance = self.instance(id);
        match instance.component {
            Some(component) => self.model.span_of(component),
            None => self.type_of(id).element.name_span(),
        }
    }
}
