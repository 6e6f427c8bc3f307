//! Which elements are alike, so that they share a mechanism.

use lems_export::mechanism_name;
use lems_network::{CableRules, InstanceId, Network};
use rustc_hash::FxHashMap;

use crate::elements::Element;
use crate::read::{Read, Reader};
use crate::{Moves, NotNative};

/// The kinds of the elements of a network.
pub(crate) struct Kinds<'d> {
    /// Each kind as a mechanism, and the name that the mechanism is named after.
    pub reads: Vec<(String, Read<'d>)>,
    /// The kind of each element.
    of_elements: Vec<usize>,
    /// The temperature that mechanisms read, in kelvin.
    pub temperature: Option<f64>,
}

/// A mechanism that is inserted at most once in each compartment.
pub(crate) struct Mechanism<'e, 'd> {
    pub kind: usize,
    pub name: String,
    pub members: Vec<&'e Element<'d>>,
}

impl<'d> Kinds<'d> {
    /// Reads each kind of element once.
    pub fn of(
        network: &Network<'_, 'd>,
        rules: &CableRules,
        elements: &[Element<'d>],
        moves: Moves,
    ) -> Result<Kinds<'d>, NotNative> {
        let mut kinds = Kinds {
            reads: Vec::new(),
            of_elements: Vec::with_capacity(elements.len()),
            temperature: None,
        };
        // Elements of one component are alike, so only the first of them is read.
        let mut of_component: FxHashMap<(u32, u32, usize), usize> = FxHashMap::default();
        for element in elements {
            let instance = network.instance(element.id);
            let key = instance
                .component
                .map(|component| (component.0, instance.kind.0, element.nodes.len()));
            let known = key.and_then(|key| of_component.get(&key).copied());
            let kind = match known {
                Some(kind) => kind,
                None => kinds.read(network, rules, element, moves)?,
            };
            if let Some(key) = key {
                of_component.insert(key, kind);
            }
            kinds.of_elements.push(kind);
        }
        Ok(kinds)
    }

    /// Reads an element. Returns its kind, which may be one that is known.
    fn read(
        &mut self,
        network: &Network<'_, 'd>,
        rules: &CableRules,
        element: &Element<'d>,
        moves: Moves,
    ) -> Result<usize, NotNative> {
        let (ions, called) = (rules.ions(), rules.called());
        let reader = Reader::new(network, ions, called, element.home, element.nodes.clone());
        let read = reader.read(title_of(network, element.id), &element.role, moves)?;
        if let (Some(known), Some(other)) = (self.temperature, read.temperature)
            && known != other
        {
            return Err(NotNative::Bug("single temperature"));
        }
        self.temperature = self.temperature.or(read.temperature);
        // Elements of several components that refer to the same one can be alike.
        let alike = self.reads.iter().position(|(base, other)| {
            *base == element.base
                && other.mechanism == read.mechanism
                && other.sources == read.sources
        });
        Ok(alike.unwrap_or_else(|| {
            self.reads.push((element.base.clone(), read));
            self.reads.len() - 1
        }))
    }

    /// The mechanisms. A second element of one kind in a compartment needs a mechanism of its own.
    pub fn mechanisms<'e>(&self, elements: &'e [Element<'d>]) -> Vec<Mechanism<'e, 'd>> {
        let mut mechanisms: Vec<Mechanism<'e, 'd>> = Vec::new();
        let mut number_of: FxHashMap<(usize, usize), usize> = FxHashMap::default();
        let mut seen: FxHashMap<(InstanceId, usize), usize> = FxHashMap::default();
        let mut taken: FxHashMap<String, u32> = FxHashMap::default();
        for (element, kind) in elements.iter().zip(&self.of_elements) {
            let count = seen.entry((element.home, *kind)).or_insert(0);
            let number = *number_of.entry((*kind, *count)).or_insert_with(|| {
                mechanisms.push(Mechanism {
                    kind: *kind,
                    name: self.name(*kind, &mut taken),
                    members: Vec::new(),
                });
                mechanisms.len() - 1
            });
            *count += 1;
            mechanisms[number].members.push(element);
        }
        mechanisms
    }

    /// A new name for a mechanism of a kind.
    fn name(&self, kind: usize, taken: &mut FxHashMap<String, u32>) -> String {
        let base = self.reads.get(kind);
        let wanted = base.map_or_else(String::new, |(base, _)| mechanism_name(base));
        let count = taken.entry(wanted.to_lowercase()).or_insert(0);
        *count += 1;
        match *count {
            1 => wanted,
            count => format!("{wanted}_{count}"),
        }
    }
}

/// What comments call an element.
fn title_of(network: &Network<'_, '_>, id: InstanceId) -> String {
    let kind = network.type_of(id).name;
    let inner = network
        .instance(id)
        .singles
        .iter()
        .map(|(_, child)| network.type_of(*child).name);
    let inner: Vec<&str> = inner.collect();
    match inner.is_empty() {
        true => kind.to_owned(),
        false => format!("{kind} of {}", inner.join(", ")),
    }
}
