//! Generates populations, and the root that contains them and their connections.

use crate::builder::{Builder, Place, Purpose, join};
use crate::component_type::{ComponentType, List};
use crate::dimension::Dimension;
use crate::wires::{self, Attached, End, Wires, attach, connect, tunnel};
use crate::xml::Xml;

/// Largest size of a small population, and of a crowd: a population whose cells have many connections
/// to one another.
const FEW: usize = 4;
const MANY: usize = 30;

/// A population: its ComponentType, its cell and its size.
struct Population {
    type_name: String,
    id: String,
    cell: usize,
    cell_id: String,
    size: usize,
    cell_places: Vec<Place>,
}

/// All variables and events that can be recorded.
#[derive(Debug, Clone, Default)]
pub struct Recordable {
    /// Paths of variables.
    pub values: Vec<String>,
    /// Paths of instances, each with a port.
    pub events: Vec<(String, String)>,
}

/// Generates all types and components of a network with the id `net`.
pub fn grow(builder: &mut Builder) -> Recordable {
    // Generate the types.
    let parts = grow_parts(builder);
    let synapse_children = match builder.dice.chance(30) {
        true => builder.children(&parts[..1], false),
        false => ComponentType::default(),
    };
    let synapse = builder.grow(Purpose::Synapse, synapse_children);
    let coupling = grow_coupling(builder);
    let cells: Vec<usize> = (0..builder.dice.between(1, 2))
        .map(|_| grow_cell(builder, &parts, synapse, coupling))
        .collect();
    let weights = [synapse, coupling].map(|of| builder.types[of].properties.first().cloned());
    let wires = wires::define(builder, weights);
    let populations: Vec<Population> = (0..builder.dice.between(1, 3))
        .filter_map(|_| plan_population(builder, &cells))
        .collect();
    let children = ComponentType {
        attachments: Vec::new(),
        ..builder.children(&parts, true)
    };
    let root = grow_root(builder, children, &populations, &wires);

    // Write the components for synapses, couplings and cells.
    let synapses: Vec<(String, Vec<Place>)> = (0..2)
        .map(|_| {
            let id = builder.name();
            let tag = builder.types[synapse].name.clone();
            let places = builder.component(&tag, &id, synapse, "");
            (id, places)
        })
        .collect();
    let couplings: Vec<(String, Vec<Place>)> = (0..2)
        .map(|_| {
            let id = builder.name();
            let tag = builder.types[coupling].name.clone();
            let places = builder.component(&tag, &id, coupling, "");
            (id, places)
        })
        .collect();
    let populations: Vec<Population> = populations
        .into_iter()
        .map(|population| {
            let tag = builder.types[population.cell].name.clone();
            let cell_places = builder.component(&tag, &population.cell_id, population.cell, "");
            Population {
                cell_places,
                ..population
            }
        })
        .collect();

    // Write the root and the populations, and collect all instances.
    let tag = builder.types[root].name.clone();
    let mut places = builder.open_component(&tag, "net", root, "");
    for population in &populations {
        write_population(builder, population);
        for index in 0..population.size {
            let path = format!("{}[{index}]", population.id);
            places.extend(population.cell_places.iter().map(|place| Place {
                path: join(&path, &place.path),
                ..place.clone()
            }));
        }
    }
    if let Some(population) = populations.first().filter(|_| builder.dice.chance(40)) {
        let id = builder.name();
        builder
            .xml
            .leaf(&wires.holder, &[("id", &id), ("held", &population.cell_id)]);
        places.extend(population.cell_places.iter().map(|place| Place {
            path: join(&join(&id, &population.cell_id), &place.path),
            ..place.clone()
        }));
    }
    let ends: Vec<End> = (places.iter())
        .filter(|place| !place.path.is_empty())
        .filter_map(|place| {
            Some(End {
                path: place.path.clone(),
                of: place.of?,
            })
        })
        .collect();
    // Write the connections: many within crowds, and some between any instances.
    let mut attached = Attached::default();
    for crowd in populations
        .iter()
        .filter(|population| population.size > FEW)
    {
        let within = format!("{}[", crowd.id);
        let ends: Vec<End> = (ends.iter().filter(|end| end.path.starts_with(&within)))
            .cloned()
            .collect();
        for _ in 0..builder.dice.between(0, 2 * crowd.size) {
            connect(builder, &wires, &ends);
        }
        for _ in 0..builder.dice.between(0, 2 * crowd.size) {
            attach(builder, &wires, &ends, synapse, &synapses, &mut attached);
        }
    }
    for _ in 0..builder.dice.between(0, 7) {
        connect(builder, &wires, &ends);
    }
    for _ in 0..builder.dice.between(0, 4) {
        attach(builder, &wires, &ends, synapse, &synapses, &mut attached);
    }
    for _ in 0..builder.dice.between(0, 3) {
        tunnel(builder, &wires, &ends, coupling, &couplings, &mut attached);
    }
    builder.xml.close();
    places.extend(attached.places);
    recordable(builder, &places)
}

/// Everything that can be recorded at the given instances.
fn recordable(builder: &Builder, places: &[Place]) -> Recordable {
    let mut all = Recordable::default();
    for place in places {
        all.values
            .extend(place.recordable.iter().map(|name| join(&place.path, name)));
        if let Some(of) = place.of.filter(|_| !place.path.is_empty()) {
            let outs = &builder.types[of].outs;
            all.events.extend(
                outs.iter()
                    .map(|out| (place.path.clone(), out.name.clone())),
            );
        }
    }
    all
}

/// Generates the types of parts of cells; later ones may contain earlier ones.
fn grow_parts(builder: &mut Builder) -> Vec<usize> {
    let mut parts = Vec::new();
    for _ in 0..builder.dice.between(1, 2) {
        let colour = builder.dice.chance(40);
        parts.push(builder.grow(
            Purpose::Part,
            ComponentType {
                colour,
                ..ComponentType::default()
            },
        ));
    }
    if builder.dice.chance(25) {
        parts.push(builder.grow_scheme());
    }
    for _ in 0..builder.dice.between(0, 2) {
        let children = builder.children(&parts.clone(), true);
        parts.push(builder.grow(Purpose::Part, children));
    }
    parts
}

fn grow_cell(builder: &mut Builder, parts: &[usize], synapse: usize, coupling: usize) -> usize {
    let tunnels = builder.dice.chance(30);
    let mut children = builder.children(parts, !tunnels);
    let name = builder.name();
    // The end of a tunnel must have only one list of attachments.
    children
        .attachments
        .push((name, if tunnels { coupling } else { synapse }));
    builder.grow(Purpose::Cell, children)
}

/// Generates a type for the ends of tunnels. It reads the other end through the name `peer`.
fn grow_coupling(builder: &mut Builder) -> usize {
    let [name, weight, seen, current] = std::array::from_fn(|_| builder.name());
    let mut xml = Xml::default();
    let number = builder.dice.number();
    // Write the type.
    xml.within("ComponentType", &[("name", &name)], |xml| {
        xml.leaf(
            "Property",
            &[
                ("name", &weight),
                ("dimension", "none"),
                ("defaultValue", "1"),
            ],
        );
        xml.leaf("Requirement", &[("name", "drive"), ("dimension", "none")]);
        xml.leaf("Exposure", &[("name", &current), ("dimension", "none")]);
        xml.within("Dynamics", &[], |xml| {
            xml.leaf(
                "DerivedVariable",
                &[
                    ("name", &seen),
                    ("dimension", "none"),
                    ("select", "peer/drive"),
                ],
            );
            let value = format!("tanh({weight} * (drive - {seen} / {number}))");
            xml.leaf(
                "DerivedVariable",
                &[
                    ("name", &current),
                    ("dimension", "none"),
                    ("exposure", &current),
                    ("value", &value),
                ],
            );
        });
    });
    builder.xml.paste(&xml.finish());
    // Register the type.
    builder.types.push(ComponentType {
        name,
        properties: vec![weight],
        recordable: vec!["drive".to_owned(), seen],
        readable: vec![crate::expression::Variable {
            name: current,
            dimension: Dimension::None,
            positive: false,
            tame: true,
        }],
        ..ComponentType::default()
    });
    builder.types.len() - 1
}

/// Chooses the cell and the size of a population, and writes its type.
fn plan_population(builder: &mut Builder, cells: &[usize]) -> Option<Population> {
    let cell = builder.dice.pick(cells).copied()?;
    let [type_name, id, cell_id] = std::array::from_fn(|_| builder.name());
    let property = builder.types[cell].properties.first().cloned();
    let cell_type = builder.types[cell].name.clone();
    let assigns = builder.dice.chance(70);
    let value = match builder.dice.chance(50) {
        true => "gap * index + 0.5".to_owned(),
        false => format!("sin(index) / gap - {}", builder.dice.number()),
    };
    let xml = &mut builder.xml;
    xml.within("ComponentType", &[("name", &type_name)], |xml| {
        xml.leaf(
            "ComponentReference",
            &[("name", "of"), ("type", &cell_type)],
        );
        xml.leaf("Parameter", &[("name", "size"), ("dimension", "none")]);
        xml.leaf("Parameter", &[("name", "gap"), ("dimension", "none")]);
        xml.within("Structure", &[], |xml| {
            let many = [("number", "size"), ("component", "of")];
            match property.filter(|_| assigns) {
                Some(property) => xml.within("MultiInstantiate", &many, |xml| {
                    xml.leaf("Assign", &[("property", &property), ("value", &value)]);
                }),
                None => xml.leaf("MultiInstantiate", &many),
            }
        });
    });
    let size = match builder.dice.chance(if builder.calm { 70 } else { 15 }) {
        true => builder.dice.between(FEW, MANY),
        false => builder.dice.between(1, FEW),
    };
    Some(Population {
        type_name,
        id,
        cell,
        cell_id,
        size,
        cell_places: Vec::new(),
    })
}

fn write_population(builder: &mut Builder, population: &Population) {
    let gap = builder.dice.number();
    builder.xml.leaf(
        &population.type_name,
        &[
            ("id", &population.id),
            ("of", &population.cell_id),
            ("size", &population.size.to_string()),
            ("gap", &gap),
        ],
    );
}

/// Generates the root. Its lists of populations and connections have no generated elements, because
/// this module writes them.
fn grow_root(
    builder: &mut Builder,
    mut children: ComponentType,
    populations: &[Population],
    wires: &Wires,
) -> usize {
    let names: Vec<&String> = (populations.iter().map(|population| &population.type_name))
        .chain(wires.names())
        .collect();
    for name in names {
        builder.types.push(ComponentType {
            name: name.clone(),
            ..ComponentType::default()
        });
        let of = builder.types.len() - 1;
        children.lists.push(List {
            name: builder.name(),
            of,
            elements: Vec::new(),
        });
    }
    builder.grow(Purpose::Root, children)
}
