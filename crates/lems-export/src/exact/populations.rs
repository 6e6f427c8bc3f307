//! The populations of a model among the instances of mechanisms and the cells with dendrites.

use std::collections::{HashMap, HashSet};

use lems_index::narrow;

use super::mechanism::Module;
use crate::driver::{Data, PopulationData};
use crate::job::{Job, PopulationCell};
use crate::places::Places;

/// What a cell is: a cell with dendrites, or an instance of a mechanism.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Cell(usize),
    Mechanism(usize),
}

/// All cells of a run, in populations. The cells of a population are of one kind, and follow one another. A cell that
/// is in no population of the model is put into one with the name of its kind.
pub(super) fn of(
    job: &Job<'_>,
    places: &Places<'_>,
    modules: &[Module<'_>],
    data: &Data,
) -> Vec<PopulationData> {
    let mut named: HashMap<(bool, usize, u32), &str> = HashMap::new();
    for population in &job.populations {
        for cell in &population.cells {
            let key = match cell {
                PopulationCell::Cable(cable) => Some((true, 0, narrow(*cable))),
                PopulationCell::Member { columns, member } => {
                    let mut slots = columns.iter().map(|first| first + member);
                    slots.find_map(|slot| {
                        let (group, member) = places.member(slot)?;
                        let at = places.locate(group, member)?;
                        Some((false, at.mechanism, at.instance))
                    })
                }
            };
            named.extend(key.map(|key| (key, population.name.as_str())));
        }
    }
    let cables = (data.cables.iter().enumerate())
        .map(|(number, cell)| (Kind::Cell(*cell), (true, 0, narrow(number))));
    let points = (modules.iter().filter(|module| module.membrane.is_none())).flat_map(|module| {
        let instances = places.mechanisms.get(module.number);
        let instances = instances.map_or(0, |of| of.instances);
        (0..instances).map(|instance| {
            let kind = Kind::Mechanism(module.number);
            (kind, (false, module.number, instance))
        })
    });
    let mut populations: Vec<PopulationData> = Vec::new();
    let mut last: Option<(Kind, Option<&str>)> = None;
    let mut taken: HashSet<String> = HashSet::from(["EventPort".to_owned()]);
    for (kind, key) in cables.chain(points) {
        let name = named.get(&key).copied();
        if last == Some((kind, name))
            && let Some(population) = populations.last_mut()
        {
            population.count += 1;
            continue;
        }
        last = Some((kind, name));
        let of = match kind {
            Kind::Cell(cell) => data.cells.get(cell).map(|(name, _)| name.as_str()),
            Kind::Mechanism(number) => modules.get(number).map(|module| module.name.as_str()),
        };
        let of = of.unwrap_or_default();
        populations.push(PopulationData {
            name: unused(name.unwrap_or(of), &mut taken),
            kind: of.to_owned(),
            first: key.2,
            count: 1,
        });
    }
    populations
}

/// The name, with a number if it is taken.
fn unused(name: &str, taken: &mut HashSet<String>) -> String {
    let mut unused = name.to_owned();
    let mut number = 1;
    while !taken.insert(unused.clone()) {
        number += 1;
        unused = format!("{name}_{number}");
    }
    unused
}
