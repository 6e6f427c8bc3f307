//! What can be recorded of a network.

use lems_model::TypeId;
use rustc_hash::FxHashMap;

use crate::{InstanceId, Network, Variable};

impl Network<'_, '_> {
    /// Paths of the exposed values that can be recorded of every member of a population. `[*]` stands for the number
    /// of the member.
    ///
    /// These are the values of the member and of its children. A cell with dendrites also has the values of the
    /// compartment in the middle of each segment. Instances that are attached to single members are left out. If the
    /// target has no populations, the paths are those of its own values and of its segments.
    pub fn quantities(&self) -> Vec<String> {
        let mut found = Found {
            network: self,
            names: FxHashMap::default(),
            paths: Vec::new(),
        };
        for (cell, place) in self.first_cells() {
            found.add_cell(cell, &place);
        }
        if found.paths.is_empty() {
            found.add_cell(Network::ROOT, "");
        }
        found.paths
    }

    /// The first member of each population, which stands for all, with what paths to a member begin with: `pop[*]/`.
    /// The target itself if there are no members.
    pub fn first_cells(&self) -> Vec<(InstanceId, String)> {
        let populations = self.populations().into_iter();
        let firsts = populations.filter_map(|population| {
            let name = self.component_id(population)?;
            let first = self.cells(population).first()?.instance;
            Some((first, format!("{name}[*]/")))
        });
        let mut firsts: Vec<(InstanceId, String)> = firsts.collect();
        if firsts.is_empty() {
            firsts.push((Network::ROOT, String::new()));
        }
        firsts
    }
}

/// Paths that are being collected.
struct Found<'n, 'm, 'd> {
    network: &'n Network<'m, 'd>,
    /// Names of what the instances of a type expose.
    names: FxHashMap<TypeId, Vec<&'d str>>,
    paths: Vec<String>,
}

impl Found<'_, '_, '_> {
    /// A member of a population, with its compartments if it is a cell with dendrites.
    fn add_cell(&mut self, cell: InstanceId, place: &str) {
        self.add_all(cell, place);
        let Some(cable) = self.network.cables.cell_at(cell) else {
            return;
        };
        for segment in cable.plan.morphology.segments() {
            let id = segment.id.to_string();
            let compartment = self.network.cables.segment(cell, &id);
            if let Some(compartment) = compartment.filter(|compartment| *compartment != cell) {
                self.add_all(compartment, &format!("{place}{id}/"));
            }
        }
    }

    /// What an instance and those in it expose.
    fn add_all(&mut self, top: InstanceId, place: &str) {
        let network = self.network;
        let mut waiting = vec![top];
        while let Some(id) = waiting.pop() {
            let below = match id == top {
                true => String::new(),
                false => network.below(top, id) + "/",
            };
            let names = self.names.entry(network.instance(id).kind).or_default();
            if names.is_empty() {
                let is_variable = |name: &&str| {
                    let value = network.local(id, name);
                    value.is_some_and(|value| !matches!(value.variable, Variable::Fixed(_)))
                };
                let exposures = network.type_of(id).exposures.keys().copied();
                *names = exposures.filter(is_variable).collect();
            }
            let paths = names.iter().map(|name| format!("{place}{below}{name}"));
            self.paths.extend(paths);
            let inner = network.instance(id).inner();
            let mut inner: Vec<InstanceId> = inner
                .filter(|inner| !network.instance(*inner).attached)
                .filter(|inner| !network.cables.is_beside(*inner))
                // No path leads to a child without a name of its own.
                .filter(|inner| !network.below(top, *inner).contains('['))
                .collect();
            inner.reverse();
            waiting.extend(inner);
        }
    }
}
