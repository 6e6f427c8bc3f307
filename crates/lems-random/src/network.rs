//! Generates populations, connections, and the root that contains them.

use crate::builder::{Builder, Place, Purpose, join};
use crate::component_type::{ComponentType, List};
use crate::dimension::Dimension;
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

/// The types of connections, by name.
struct Wires {
    plain: String,
    ports: String,
    delayed: String,
    attaching: String,
    projection: String,
    tunnel: String,
    holder: String,
}

/// All variables and events that can be recorded.
#[derive(Debug, Clone, Default)]
pub struct Recordable {
    /// Paths of variables.
    pub values: Vec<String>,
    /// Paths of instances, each with a port.
    pub events: Vec<(String, String)>,
}

/// An instance that can send or receive events.
#[derive(Debug, Clone)]
struct End {
    path: String,
    of: usize,
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
    let wires = define_wires(builder, weights);
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

/// Writes the types of connections. `weights` are the properties of the synapse and of the coupling
/// that they set.
fn define_wires(builder: &mut Builder, weights: [Option<String>; 2]) -> Wires {
    let [synapse_weight, coupling_weight] = weights;
    let [plain, ports, delayed, attaching, projection, tunnel, holder] =
        std::array::from_fn(|_| builder.name());
    let mut xml = Xml::default();
    let ends = |xml: &mut Xml, connection: &[(&str, &str)]| {
        xml.within("Structure", &[], |xml| {
            xml.leaf("With", &[("instance", "from"), ("as", "a")]);
            xml.leaf("With", &[("instance", "to"), ("as", "b")]);
            let mut all = vec![("from", "a"), ("to", "b")];
            all.extend(connection);
            xml.leaf("EventConnection", &all);
        });
    };
    // Event connections: plain, with ports, and with a delay.
    for (name, texts, delay) in [
        (&plain, false, false),
        (&ports, true, false),
        (&delayed, true, true),
    ] {
        xml.open("ComponentType", &[("name", name)]);
        xml.leaf("Path", &[("name", "from")]);
        xml.leaf("Path", &[("name", "to")]);
        let mut connection = Vec::new();
        if texts {
            xml.leaf("Text", &[("name", "source")]);
            xml.leaf("Text", &[("name", "target")]);
            connection.extend([("sourcePort", "source"), ("targetPort", "target")]);
        }
        if delay {
            xml.leaf("Parameter", &[("name", "delay"), ("dimension", "time")]);
            connection.push(("delay", "delay"));
        }
        ends(&mut xml, &connection);
        xml.close();
    }
    // A connection that attaches a synapse.
    xml.open("ComponentType", &[("name", &attaching)]);
    for path in ["from", "to"] {
        xml.leaf("Path", &[("name", path)]);
    }
    for text in ["source", "target", "list"] {
        xml.leaf("Text", &[("name", text)]);
    }
    xml.leaf(
        "ComponentReference",
        &[("name", "synapse"), ("type", "Component")],
    );
    xml.leaf("Parameter", &[("name", "delay"), ("dimension", "time")]);
    xml.leaf("Parameter", &[("name", "weight"), ("dimension", "none")]);
    xml.within("Structure", &[], |xml| {
        xml.leaf("With", &[("instance", "from"), ("as", "a")]);
        xml.leaf("With", &[("instance", "to"), ("as", "b")]);
        let connection = [
            ("from", "a"),
            ("to", "b"),
            ("sourcePort", "source"),
            ("targetPort", "target"),
            ("receiver", "synapse"),
            ("receiverContainer", "list"),
            ("delay", "delay"),
        ];
        xml.within("EventConnection", &connection, |xml| {
            if let Some(property) = synapse_weight {
                xml.leaf(
                    "Assign",
                    &[("property", &property), ("value", "2 * weight / 3")],
                );
            }
        });
    });
    xml.close();
    // A list of connections.
    xml.within("ComponentType", &[("name", &projection)], |xml| {
        xml.leaf("Children", &[("name", "wires"), ("type", &ports)]);
    });
    // A tunnel between two cells.
    xml.within("ComponentType", &[("name", &tunnel)], |xml| {
        for path in ["from", "to"] {
            xml.leaf("Path", &[("name", path)]);
        }
        for reference in ["here", "there"] {
            xml.leaf(
                "ComponentReference",
                &[("name", reference), ("type", "Component")],
            );
        }
        xml.leaf("Parameter", &[("name", "weight"), ("dimension", "none")]);
        xml.within("Structure", &[], |xml| {
            xml.leaf("With", &[("instance", "from"), ("as", "a")]);
            xml.leaf("With", &[("instance", "to"), ("as", "b")]);
            let tunnel = [
                ("name", "peer"),
                ("endA", "a"),
                ("endB", "b"),
                ("componentA", "here"),
                ("componentB", "there"),
            ];
            xml.within("Tunnel", &tunnel, |xml| {
                if let Some(property) = coupling_weight {
                    xml.leaf(
                        "Assign",
                        &[("property", &property), ("value", "weight + 0.1")],
                    );
                }
            });
        });
    });
    // A component that contains one instance of a cell.
    xml.within("ComponentType", &[("name", &holder)], |xml| {
        xml.leaf(
            "ComponentReference",
            &[("name", "held"), ("type", "Component")],
        );
        xml.within("Structure", &[], |xml| {
            xml.leaf("ChildInstance", &[("component", "held")])
        });
    });
    let text = xml.finish();
    builder.xml.paste(&text);
    Wires {
        plain,
        ports,
        delayed,
        attaching,
        projection,
        tunnel,
        holder,
    }
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
        .chain([
            &wires.plain,
            &wires.ports,
            &wires.delayed,
            &wires.attaching,
            &wires.projection,
            &wires.tunnel,
            &wires.holder,
        ])
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

/// Connects a random port for sending to a random port for receiving, if there are any.
fn connect(builder: &mut Builder, wires: &Wires, ends: &[End]) {
    // Choose the ports.
    let Some((from, to)) = pair(builder, ends) else {
        return;
    };
    let outs = builder.types[ends[from].of].outs.clone();
    let ins = builder.types[ends[to].of].ins.clone();
    let (Some(out), Some(target)) = (builder.dice.pick(&outs).cloned(), builder.dice.pick(&ins))
    else {
        return;
    };
    if out.relay && from >= to {
        return;
    }
    // Write a connection of a random kind that is possible for these ports.
    let (from, to) = (&ends[from].path, &ends[to].path);
    let id = builder.name();
    let step = builder.dice.word(&["0.01", "0.1", "0.35", "1"]);
    let delay = format!("{step} ms");
    match builder.dice.between(0, 3) {
        0 if outs.len() == 1 && !out.shared => {
            builder
                .xml
                .leaf(&wires.plain, &[("id", &id), ("from", from), ("to", to)]);
        }
        1 if !out.relay => builder.xml.leaf(
            &wires.delayed,
            &[
                ("id", &id),
                ("from", from),
                ("to", to),
                ("source", &out.name),
                ("target", target),
                ("delay", &delay),
            ],
        ),
        2 => {
            let inner = builder.names.fresh(&mut builder.dice);
            let (from, to) = (format!("../{from}"), format!("../{to}"));
            builder
                .xml
                .within(&wires.projection, &[("id", &id)], |xml| {
                    xml.leaf(
                        &wires.ports,
                        &[
                            ("id", &inner),
                            ("from", &from),
                            ("to", &to),
                            ("source", &out.name),
                            ("target", target),
                        ],
                    );
                });
        }
        _ => builder.xml.leaf(
            &wires.ports,
            &[
                ("id", &id),
                ("from", from),
                ("to", to),
                ("source", &out.name),
                ("target", target),
            ],
        ),
    }
}

/// A random instance that sends events, and one that receives them.
fn pair(builder: &mut Builder, ends: &[End]) -> Option<(usize, usize)> {
    let all: Vec<usize> = (0..ends.len()).collect();
    let sources: Vec<usize> = (all.iter().copied())
        .filter(|end| !builder.types[ends[*end].of].outs.is_empty())
        .collect();
    let from = builder.dice.pick(&sources).copied()?;
    let targets: Vec<usize> = (all.iter().copied())
        .filter(|end| !builder.types[ends[*end].of].ins.is_empty())
        .collect();
    Some((from, builder.dice.pick(&targets).copied()?))
}

/// The instances that connections have attached so far.
#[derive(Default)]
struct Attached {
    places: Vec<Place>,
    /// The number of attachments by path of the list and id of the component.
    counts: std::collections::BTreeMap<(String, String), usize>,
}

impl Attached {
    fn add(&mut self, target: &str, list: &str, id: &str, places: &[Place]) {
        let count = self
            .counts
            .entry((join(target, list), id.to_owned()))
            .or_default();
        let path = join(target, &format!("{list}:{id}:{count}"));
        *count += 1;
        self.places.extend(places.iter().map(|place| Place {
            path: join(&path, &place.path),
            ..place.clone()
        }));
    }
}

/// Attaches a synapse to a cell.
fn attach(
    builder: &mut Builder,
    wires: &Wires,
    ends: &[End],
    synapse: usize,
    synapses: &[(String, Vec<Place>)],
    attached: &mut Attached,
) {
    // Choose the sender, the receiver, the list and the ports.
    let sources: Vec<&End> = ends
        .iter()
        .filter(|end| !builder.types[end.of].outs.is_empty())
        .collect();
    let takes = |end: &&End| {
        builder.types[end.of]
            .attachments
            .iter()
            .any(|(_, of)| *of == synapse)
    };
    let targets: Vec<&End> = ends.iter().filter(takes).collect();
    let (Some(from), Some(to)) = (builder.dice.pick(&sources), builder.dice.pick(&targets)) else {
        return;
    };
    let outs = builder.types[from.of].outs.clone();
    let ins = builder.types[synapse].ins.clone();
    let lists = builder.types[to.of].attachments.clone();
    let (Some(out), Some(port), Some((list, _)), Some((synapse_id, places))) = (
        builder.dice.pick(&outs),
        builder.dice.pick(&ins),
        lists.first(),
        builder.dice.pick(synapses),
    ) else {
        return;
    };
    // Write the connection.
    let delay = match out.relay {
        true => "0 ms".to_owned(),
        false => format!("{} ms", builder.dice.word(&["0", "0.05", "0.3", "2"])),
    };
    let (id, weight) = (builder.name(), builder.dice.number());
    builder.xml.leaf(
        &wires.attaching,
        &[
            ("id", &id),
            ("from", &from.path),
            ("to", &to.path),
            ("source", &out.name),
            ("target", port),
            ("list", list),
            ("synapse", synapse_id),
            ("delay", &delay),
            ("weight", &weight),
        ],
    );
    attached.add(&to.path, list, synapse_id, places);
}

/// Joins two cells by a tunnel.
fn tunnel(
    builder: &mut Builder,
    wires: &Wires,
    ends: &[End],
    coupling: usize,
    couplings: &[(String, Vec<Place>)],
    attached: &mut Attached,
) {
    let takes = |end: &&End| {
        builder.types[end.of]
            .attachments
            .iter()
            .any(|(_, of)| *of == coupling)
    };
    // Choose the cells and couplings.
    let cells: Vec<&End> = ends.iter().filter(takes).collect();
    let (Some(one), Some(other)) = (builder.dice.pick(&cells), builder.dice.pick(&cells)) else {
        return;
    };
    let (Some((here, here_places)), Some((there, there_places))) =
        (builder.dice.pick(couplings), builder.dice.pick(couplings))
    else {
        return;
    };
    if one.path == other.path {
        return;
    }
    // Write the tunnel.
    let (id, weight) = (builder.name(), builder.dice.number());
    builder.xml.leaf(
        &wires.tunnel,
        &[
            ("id", &id),
            ("from", &one.path),
            ("to", &other.path),
            ("here", here),
            ("there", there),
            ("weight", &weight),
        ],
    );
    for (end, id, places) in [(one, here, here_places), (other, there, there_places)] {
        if let Some((list, _)) = builder.types[end.of].attachments.first() {
            attached.add(&end.path, list, id, places);
        }
    }
}
