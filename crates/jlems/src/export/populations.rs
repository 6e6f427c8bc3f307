//! The populations of a network, as the exporters want them.

use std::collections::HashMap;
use std::rc::Rc;

use lems_engine::Simulation;
use lems_export::{Population, PopulationCell};
use lems_index::{Id, narrow};
use lems_network::{InstanceId, MemberId, Network, ShapeId, Shapes};

/// The populations of a network: names, and where their cells are.
pub(super) struct Populations(Vec<(String, Vec<Place>)>);

/// Where a cell is: a cell with dendrites, or a member of a shape.
enum Place {
    Cable(usize),
    Member(ShapeId, MemberId),
}

impl Populations {
    pub fn of(network: &Network<'_, '_>) -> Populations {
        let shapes = Shapes::of(network);
        let place = |instance: InstanceId| match network.cables.place_of(instance) {
            Some((cable, _)) => Place::Cable(cable),
            None => {
                let location = shapes.location(instance);
                Place::Member(location.shape, location.member)
            }
        };
        let populations = network.populations().into_iter().map(|population| {
            let name = match network.component_id(population) {
                Some(id) => id.to_owned(),
                None => network.path(population),
            };
            let cells = network.cells(population).into_iter();
            (name, cells.map(|cell| place(cell.instance)).collect())
        });
        Populations(populations.collect())
    }

    /// The same, with cells as the program of a run has them.
    pub fn in_memory_of(&self, simulation: &Simulation) -> Vec<Population> {
        let columns = simulation
            .shapes
            .iter()
            .map(|(first, shape)| (*shape, *first));
        let columns: Vec<(ShapeId, u32)> = columns.collect();
        let of_shape = |shape: ShapeId| -> Rc<[u32]> {
            let own = columns.iter().filter(|(of, _)| *of == shape);
            own.map(|(_, first)| *first).collect()
        };
        let mut known: HashMap<ShapeId, Rc<[u32]>> = HashMap::new();
        let mut cell = |place: &Place| match *place {
            Place::Cable(cable) => PopulationCell::Cable(cable),
            Place::Member(shape, member) => PopulationCell::Member {
                columns: known
                    .entry(shape)
                    .or_insert_with(|| of_shape(shape))
                    .clone(),
                member: narrow(member.index()),
            },
        };
        let of = |(name, cells): &(String, Vec<Place>)| Population {
            name: name.clone(),
            cells: cells.iter().map(&mut cell).collect(),
        };
        self.0.iter().map(of).collect()
    }
}
