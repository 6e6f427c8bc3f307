//! Generates ComponentTypes and components of them.

use crate::component_type::{ComponentType, FixedChild, List, Names};
use crate::dice::Dice;
use crate::dimension::Dimension;
use crate::dynamics::{Gardener, Role, Selection, Sender};
use crate::expression::{Scope, Variable, Writer};
use crate::xml::Xml;

/// Variables that every root provides to all instances inside it. Types in between may provide them
/// too.
pub const PROMISED: [(&str, Dimension, Role); 3] = [
    ("drive", Dimension::None, Role::State),
    ("level", Dimension::Voltage, Role::Derived),
    ("hidden", Dimension::None, Role::Hidden),
];

const COLOURS: [&str; 2] = ["red", "blue"];

/// An instance of the model: its path and its type.
#[derive(Debug, Clone)]
pub struct Place {
    /// Path from the root.
    pub path: String,
    /// Index of its type; None if it has nothing but recordable variables.
    pub of: Option<usize>,
    /// Names of its recordable variables.
    pub recordable: Vec<String>,
}

/// The purpose of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A part of another component.
    Part,
    /// A cell, which a population instantiates many times.
    Cell,
    /// The whole network.
    Root,
    /// A synapse, which a connection attaches.
    Synapse,
}

/// A model under construction.
pub struct Builder {
    /// The source of random choices.
    pub dice: Dice,
    /// The source of names.
    pub names: Names,
    /// All types so far.
    pub types: Vec<ComponentType>,
    /// The text so far.
    pub xml: Xml,
    /// Whether the model draws random numbers.
    pub draws: bool,
    /// Whether only cells send events, at most one each, so that many can be computed together.
    pub calm: bool,
    globals: Scope,
}

impl Builder {
    /// An empty model with global constants.
    pub fn new(seed: u64) -> Builder {
        let mut dice = Dice::new(seed);
        let calm = dice.chance(40);
        let draws = !calm && dice.chance(25);
        let mut builder = Builder {
            dice,
            names: Names::default(),
            types: Vec::new(),
            xml: Xml::default(),
            draws,
            calm,
            globals: Scope::new(),
        };
        builder.xml.open("Lems", &[]);
        builder.xml.leaf("Target", &[("component", "experiment")]);
        crate::dimension::define(&mut builder.xml);
        for dimension in Dimension::PHYSICAL.into_iter().chain([Dimension::None]) {
            let name = builder.name();
            let value = dimension.plain_quantity(&mut builder.dice);
            builder.xml.leaf(
                "Constant",
                &[
                    ("name", &name),
                    ("symbol", &name),
                    ("dimension", dimension.name()),
                    ("value", &value),
                ],
            );
            builder.globals.push(settled(name, dimension));
        }
        builder
    }

    /// A new name.
    pub fn name(&mut self) -> String {
        self.names.fresh(&mut self.dice)
    }

    /// Generates a type with the given children, and returns its index.
    pub fn grow(&mut self, purpose: Purpose, children: ComponentType) -> usize {
        let mut xml = Xml::default();
        let mut new = ComponentType {
            name: self.name(),
            ..children
        };
        let name = new.name.clone();
        xml.open("ComponentType", &[("name", &name)]);
        // Parameters, constants and time.
        let mut known = self.parameters(&mut new, &mut xml);
        known.push(Variable {
            name: "t".to_owned(),
            dimension: Dimension::Time,
            positive: false,
            tame: true,
        });
        // A text and a property.
        if new.colour {
            xml.leaf("Text", &[("name", "colour")]);
        }
        if matches!(purpose, Purpose::Cell | Purpose::Synapse) && self.dice.chance(70) {
            let name = self.name();
            let start = self.dice.number();
            xml.leaf(
                "Property",
                &[
                    ("name", &name),
                    ("dimension", "none"),
                    ("defaultValue", &start),
                ],
            );
            known.push(Variable {
                name: name.clone(),
                dimension: Dimension::None,
                positive: false,
                tame: true,
            });
            new.properties.push(name);
        }
        // A type without a promised variable may require it, or have it itself; a root has all.
        let mut promised = Vec::new();
        for promise in PROMISED {
            let (name, dimension, _) = promise;
            match self.dice.between(0, 2) {
                _ if purpose == Purpose::Root => promised.push(promise),
                0 => {
                    xml.leaf(
                        "Requirement",
                        &[("name", name), ("dimension", dimension.name())],
                    );
                    known.push(Variable {
                        name: name.to_owned(),
                        dimension,
                        positive: false,
                        tame: true,
                    });
                    new.recordable.push(name.to_owned());
                }
                1 if purpose != Purpose::Synapse => promised.push(promise),
                _ => {}
            }
        }
        for (slot, of) in &new.slots {
            xml.leaf("Child", &[("name", slot), ("type", &self.types[*of].name)]);
        }
        for list in &new.lists {
            xml.leaf(
                "Children",
                &[("name", &list.name), ("type", &self.types[list.of].name)],
            );
        }
        for (list, of) in &new.attachments {
            xml.leaf(
                "Attachments",
                &[("name", list), ("type", &self.types[*of].name)],
            );
        }
        // The Dynamics.
        let selections = self.selections(&new);
        let receives = purpose == Purpose::Synapse || self.dice.chance(60);
        let gardener = Gardener {
            dice: &mut self.dice,
            names: &mut self.names,
            draws: self.draws,
            sender: match (self.calm, purpose) {
                (false, _) => Sender::Any,
                (true, Purpose::Cell) => Sender::Once,
                (true, _) => Sender::Never,
            },
            component_type: &mut new,
            known,
            selections,
        };
        xml.paste(&gardener.grow(&promised, receives));
        xml.close();
        self.xml.paste(&xml.finish());
        self.types.push(new);
        self.types.len() - 1
    }

    /// Generates a type that extends another one and fixes some of its parameters.
    pub fn extend(&mut self, parent: usize) -> usize {
        let mut new = self.types[parent].clone();
        let parent_name = std::mem::replace(&mut new.name, self.name());
        self.xml.open(
            "ComponentType",
            &[("name", &new.name), ("extends", &parent_name)],
        );
        if new.colour {
            self.xml.leaf("Text", &[("name", "colour")]);
        }
        let dice = &mut self.dice;
        for (name, dimension) in new.parameters.clone() {
            if dice.chance(50) {
                let value = dimension.quantity(dice);
                self.xml
                    .leaf("Fixed", &[("parameter", &name), ("value", &value)]);
                if dice.chance(70) {
                    new.parameters.retain(|(other, _)| *other != name);
                }
            }
        }
        self.xml.close();
        self.types.push(new);
        self.types.len() - 1
    }

    /// Writes parameters and constants, and returns the scope with them. Together with the global
    /// constants, it has a positive variable in each dimension.
    fn parameters(&mut self, new: &mut ComponentType, xml: &mut Xml) -> Scope {
        // Parameters and constants.
        let mut own = Scope::new();
        for dimension in Dimension::PHYSICAL
            .into_iter()
            .chain([Dimension::None, Dimension::None])
        {
            let name = self.name();
            let kind = self.dice.between(0, 2);
            match kind {
                0 => {
                    xml.leaf(
                        "Parameter",
                        &[("name", &name), ("dimension", dimension.name())],
                    );
                    new.parameters.push((name.clone(), dimension));
                }
                1 => {
                    let value = dimension.quantity(&mut self.dice);
                    xml.leaf(
                        "Constant",
                        &[
                            ("name", &name),
                            ("dimension", dimension.name()),
                            ("value", &value),
                        ],
                    );
                }
                _ => continue,
            }
            new.recordable.push(name.clone());
            own.push(settled(name, dimension));
        }
        // Parameters derived from them.
        let numbers: Vec<String> = own
            .iter()
            .filter(|v| v.dimension == Dimension::None)
            .map(|v| v.name.clone())
            .collect();
        let bases: Scope = own
            .iter()
            .filter(|v| v.dimension != Dimension::Time)
            .cloned()
            .collect();
        for _ in 0..self.dice.between(0, 2) {
            let Some(base) = self.dice.pick(&bases).cloned() else {
                break;
            };
            let name = self.name();
            let (factor, divisor) = (self.dice.number(), self.dice.number());
            let value = match self.dice.pick(&numbers) {
                Some(number) => format!("{factor} * {} / {number} + {}", base.name, base.name),
                None => format!("{} * exp(1 / {divisor} - {factor})", base.name),
            };
            xml.leaf(
                "DerivedParameter",
                &[
                    ("name", &name),
                    ("dimension", base.dimension.name()),
                    ("value", &value),
                ],
            );
            new.recordable.push(name.clone());
            own.push(Variable { name, ..base });
        }
        own.extend(self.globals.iter().cloned());
        own
    }

    /// The paths that a type can select: one variable of a child, or variables of a list with `reduce`.
    fn selections(&mut self, new: &ComponentType) -> Vec<Selection> {
        let mut all = Vec::new();
        let one = |path: String, variable: &Variable| Selection {
            path,
            dimension: variable.dimension,
            reduce: "",
            tame: variable.tame,
        };
        // Variables of children, and of their children.
        for (slot, of) in &new.slots {
            let child = &self.types[*of];
            all.extend(
                child
                    .readable
                    .iter()
                    .map(|v| one(format!("{slot}/{}", v.name), v)),
            );
            for (inner, of) in &child.slots {
                let inner_type = &self.types[*of];
                let path = |v: &Variable| format!("{slot}/{inner}/{}", v.name);
                all.extend(inner_type.readable.iter().map(|v| one(path(v), v)));
            }
        }
        // Variables of all elements of a list, or of those with a colour.
        let lists = new.lists.iter().map(|list| (list.name.clone(), list.of));
        for (list, of) in lists.chain(new.attachments.clone()) {
            let element = self.types[of].clone();
            let mut steps = vec![(String::new(), element.readable)];
            for (slot, of) in element.slots {
                steps.push((format!("/{slot}"), self.types[of].readable.clone()));
            }
            for (step, readable) in steps {
                for variable in readable {
                    let which = match element.colour && self.dice.chance(50) {
                        true => format!("colour='{}'", self.dice.word(&COLOURS)),
                        false => "*".to_owned(),
                    };
                    let reduce = match variable.dimension {
                        Dimension::None => self.dice.word(&["add", "multiply", "add"]),
                        _ => "add",
                    };
                    all.push(Selection {
                        path: format!("{list}[{which}]{step}/{}", variable.name),
                        dimension: variable.dimension,
                        reduce,
                        tame: variable.tame,
                    });
                }
            }
        }
        all
    }

    /// Generates a type with a kinetic scheme.
    pub fn grow_scheme(&mut self) -> usize {
        let [
            place,
            passage,
            name,
            nodes,
            edges,
            forward,
            backward,
            out,
            back,
            share,
            total,
        ] = std::array::from_fn(|_| self.name());
        // The type of a state.
        let mut xml = Xml::default();
        xml.within("ComponentType", &[("name", &place)], |xml| {
            xml.leaf("Exposure", &[("name", &share), ("dimension", "none")]);
            xml.within("Dynamics", &[], |xml| {
                let share = [
                    ("name", share.as_str()),
                    ("dimension", "none"),
                    ("exposure", &share),
                ];
                xml.leaf("StateVariable", &share);
            });
        });
        // The type of a transition, with a forward and a backward rate.
        let scope = [
            Variable {
                name: "drive".to_owned(),
                dimension: Dimension::None,
                positive: false,
                tame: true,
            },
            settled(out.clone(), Dimension::Rate),
        ]
        .into_iter()
        .chain(self.globals.clone())
        .collect::<Scope>();
        xml.open("ComponentType", &[("name", &passage)]);
        for parameter in [&out, &back] {
            xml.leaf(
                "Parameter",
                &[("name", parameter), ("dimension", "per_time")],
            );
        }
        xml.leaf("Requirement", &[("name", "drive"), ("dimension", "none")]);
        for end in ["here", "there"] {
            xml.leaf("Link", &[("name", end), ("type", &place)]);
        }
        for rate in [&forward, &backward] {
            xml.leaf("Exposure", &[("name", rate), ("dimension", "per_time")]);
        }
        xml.open("Dynamics", &[]);
        for (rate, parameter) in [(&forward, &out), (&backward, &back)] {
            let mut writer = Writer {
                dice: &mut self.dice,
                scope: &scope,
                draws: false,
            };
            let value = format!(
                "{parameter} * exp(-abs({}))",
                writer.bounded(Dimension::None)
            );
            xml.leaf(
                "DerivedVariable",
                &[
                    ("name", rate),
                    ("dimension", "per_time"),
                    ("exposure", rate),
                    ("value", &value),
                ],
            );
        }
        xml.close();
        xml.close();
        // The type with the scheme.
        xml.within("ComponentType", &[("name", &name)], |xml| {
            xml.leaf("Children", &[("name", &nodes), ("type", &place)]);
            xml.leaf("Children", &[("name", &edges), ("type", &passage)]);
            xml.leaf("Exposure", &[("name", &total), ("dimension", "none")]);
            xml.within("Dynamics", &[], |xml| {
                xml.leaf(
                    "KineticScheme",
                    &[
                        ("name", "flow"),
                        ("nodes", &nodes),
                        ("edges", &edges),
                        ("stateVariable", &share),
                        ("edgeSource", "here"),
                        ("edgeTarget", "there"),
                        ("forwardRate", &forward),
                        ("reverseRate", &backward),
                    ],
                );
                let select = format!("{nodes}[*]/{share}");
                xml.leaf(
                    "DerivedVariable",
                    &[
                        ("name", &total),
                        ("dimension", "none"),
                        ("exposure", &total),
                        ("select", &select),
                        ("reduce", "add"),
                    ],
                );
            });
        });
        self.xml.paste(&xml.finish());
        // Its states, and transitions that join them in a chain or a ring.
        let count = self.dice.between(2, 4);
        let mut fixed: Vec<FixedChild> = (0..count)
            .map(|index| FixedChild {
                tag: place.clone(),
                id: format!("n{index}"),
                attributes: Vec::new(),
                recordable: vec![share.clone()],
            })
            .collect();
        for index in 0..count - 1 + self.dice.between(0, 1) {
            let mut ends = [format!("n{index}"), format!("n{}", (index + 1) % count)]
                .map(|end| end.replace(&format!("n{count}"), "n0"));
            self.dice.shuffle(&mut ends);
            let [here, there] = ends;
            let mut attributes = vec![("here".to_owned(), here), ("there".to_owned(), there)];
            for parameter in [&out, &back] {
                attributes.push((parameter.clone(), Dimension::Rate.quantity(&mut self.dice)));
            }
            fixed.push(FixedChild {
                tag: passage.clone(),
                id: format!("e{index}"),
                attributes,
                recordable: vec![forward.clone()],
            });
        }
        // Register the type.
        self.types.push(ComponentType {
            name,
            readable: vec![Variable {
                name: total,
                dimension: Dimension::None,
                positive: false,
                tame: true,
            }],
            fixed,
            ..ComponentType::default()
        });
        self.types.len() - 1
    }

    /// Writes a component and everything in it, and returns the instances. `path` is the path of the
    /// component from the root.
    pub fn component(&mut self, tag: &str, id: &str, of: usize, path: &str) -> Vec<Place> {
        let places = self.open_component(tag, id, of, path);
        self.xml.close();
        places
    }

    /// Like [`component`](Self::component), but leaves the element open.
    pub fn open_component(&mut self, tag: &str, id: &str, of: usize, path: &str) -> Vec<Place> {
        let own = self.types[of].clone();
        // The element with its parameters.
        let mut attributes = vec![("id", id.to_owned())];
        if tag != own.name && self.dice.chance(50) {
            attributes.push(("type", own.name.clone()));
        }
        for (name, dimension) in &own.parameters {
            attributes.push((name, dimension.quantity(&mut self.dice)));
        }
        if own.colour {
            attributes.push(("colour", self.dice.word(&COLOURS).to_owned()));
        }
        let attributes: Vec<(&str, &str)> =
            attributes.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.xml.open(tag, &attributes);
        // Its place, and the places of its children.
        let mut recordable = own.recordable.clone();
        recordable.extend(own.readable.iter().map(|v| v.name.clone()));
        recordable.extend(own.properties.iter().cloned());
        let mut places = vec![Place {
            path: path.to_owned(),
            of: Some(of),
            recordable,
        }];
        for (slot, of) in &own.slots {
            let id = self.name();
            places.extend(self.component(slot, &id, *of, &join(path, slot)));
        }
        for list in &own.lists {
            for of in &list.elements {
                let tag = self.types[*of].name.clone();
                let id = self.name();
                places.extend(self.component(&tag, &id, *of, &join(path, &id)));
            }
        }
        for child in &own.fixed {
            let mut attributes = vec![("id", child.id.as_str())];
            attributes.extend(
                child
                    .attributes
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str())),
            );
            self.xml.leaf(&child.tag, &attributes);
            let path = join(path, &child.id);
            places.push(Place {
                path,
                of: None,
                recordable: child.recordable.clone(),
            });
        }
        places
    }

    /// Random children of the given types: slots, and also lists if `lists` is set.
    pub fn children(&mut self, from: &[usize], lists: bool) -> ComponentType {
        let mut new = ComponentType::default();
        for _ in 0..self.dice.between(0, 2) {
            if let Some(of) = self.dice.pick(from).copied() {
                new.slots.push((self.name(), of));
            }
        }
        for _ in 0..if lists { self.dice.between(0, 2) } else { 0 } {
            let Some(of) = self.dice.pick(from).copied() else {
                continue;
            };
            // jLEMS puts a child into the last list that accepts its type.
            if new.lists.iter().any(|list: &List| list.of == of) {
                continue;
            }
            let sub =
                (self.dice.chance(30) && self.types[of].fixed.is_empty()).then(|| self.extend(of));
            let elements = (0..self.dice.between(0, 3))
                .map(|_| match sub {
                    Some(sub) if self.dice.chance(50) => sub,
                    _ => of,
                })
                .collect();
            new.lists.push(List {
                name: self.name(),
                of,
                elements,
            });
        }
        new
    }
}

/// A positive constant.
fn settled(name: String, dimension: Dimension) -> Variable {
    Variable {
        name,
        dimension,
        positive: true,
        tame: true,
    }
}

/// A path with one more step.
pub fn join(path: &str, step: &str) -> String {
    match (path, step) {
        ("", _) => step.to_owned(),
        (_, "") => path.to_owned(),
        _ => format!("{path}/{step}"),
    }
}
