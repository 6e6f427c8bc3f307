//! Generates connections: their types, and random ones between instances.

use crate::builder::{Builder, Place, join};
use crate::xml::Xml;

/// The types of connections, by name.
pub struct Wires {
    pub plain: String,
    pub ports: String,
    pub delayed: String,
    pub attaching: String,
    pub projection: String,
    pub tunnel: String,
    pub holder: String,
}

impl Wires {
    /// All names.
    pub fn names(&self) -> [&String; 7] {
        [
            &self.plain,
            &self.ports,
            &self.delayed,
            &self.attaching,
            &self.projection,
            &self.tunnel,
            &self.holder,
        ]
    }
}

/// An instance that can send or receive events.
#[derive(Debug, Clone)]
pub struct End {
    pub path: String,
    pub of: usize,
}

/// Writes the types of connections. `weights` are the properties of the synapse and of the coupling
/// that they set.
pub fn define(builder: &mut Builder, weights: [Option<String>; 2]) -> Wires {
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

/// Connects a random port for sending to a random port for receiving, if there are any.
pub fn connect(builder: &mut Builder, wires: &Wires, ends: &[End]) {
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
pub struct Attached {
    pub places: Vec<Place>,
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
pub fn attach(
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
pub fn tunnel(
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
