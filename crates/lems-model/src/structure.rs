//! `Structure`: which instances and connections a component adds to the network.

use lems_document::{Attribute, Element};

use crate::Formula;

/// One element of a `Structure`.
#[derive(Debug, Clone)]
pub enum StructureElement<'d> {
    /// `ChildInstance`: one instance of the component that a reference names.
    ChildInstance {
        /// Name of the reference, or `../name` for the parent's.
        component: Attribute<'d>,
        /// Values set in the instance.
        assigns: Vec<Assign<'d>>,
    },
    /// `MultiInstantiate`: several instances of a component.
    MultiInstantiate {
        /// How many: a parameter.
        number: Option<Attribute<'d>>,
        /// Name of the reference.
        component: Option<Attribute<'d>>,
        /// Name of a type, instead of a component.
        component_type: Option<Attribute<'d>>,
        /// Values set in each instance.
        assigns: Vec<Assign<'d>>,
        /// Its element.
        element: Element<'d>,
    },
    /// `CoInstantiate`: one instance of a component for each instance of a group, with the values
    /// that this one has.
    CoInstantiate {
        /// Name of the reference to the group.
        at: Attribute<'d>,
        /// Name of the reference.
        component: Option<Attribute<'d>>,
        /// Name of a type, instead of a component.
        component_type: Option<Attribute<'d>>,
        /// Values set in each instance.
        assigns: Vec<Assign<'d>>,
        /// Its element.
        element: Element<'d>,
    },
    /// `Gather`: puts the instances that a selection means into a `Collection`.
    Gather {
        /// Attribute of the component (`../name` for the parent's) that holds the selection.
        path: Attribute<'d>,
        /// The collection.
        collection: Attribute<'d>,
    },
    /// `GatherPairs`: puts every instance of one selection with every one of another into a
    /// `PairCollection`.
    GatherPairs {
        /// Attribute that holds the first selection.
        first: Attribute<'d>,
        /// Attribute that holds the second selection.
        second: Attribute<'d>,
        /// The collection.
        collection: Attribute<'d>,
        /// What is done with these pairs.
        body: Vec<StructureElement<'d>>,
    },
    /// `PairFilter`: keeps some of the pairs around it.
    PairFilter {
        /// A selection from the pairs, which are `x`, each with a `p` and a `q`.
        select: Attribute<'d>,
    },
    /// `IncludePair`: puts the instances of the two `ForEach` around it into a `PairCollection`.
    IncludePair {
        /// The collection.
        collection: Attribute<'d>,
    },
    /// `PairsEventConnection`: a connection for each pair.
    PairsEventConnection {
        /// The `PairCollection`.
        pairs: Attribute<'d>,
        /// How each is made.
        wiring: Wiring<'d>,
        /// What is done with the pairs before.
        body: Vec<StructureElement<'d>>,
    },
    /// `With instance`: names an instance that a path leads to.
    WithInstance {
        /// Attribute of the component that holds the path, or `this` or `parent`.
        instance: Attribute<'d>,
        /// The name.
        name: &'d str,
    },
    /// `With list`: names an element of a population.
    WithList {
        /// Attribute that names the list.
        list: Attribute<'d>,
        /// Parameter that holds the index.
        index: Attribute<'d>,
        /// The name.
        name: &'d str,
    },
    /// `EventConnection`.
    EventConnection(EventConnection<'d>),
    /// `Tunnel`.
    Tunnel(Tunnel<'d>),
    /// `ForEach`: the nested elements for each instance of a list.
    ForEach {
        /// Attribute (`../name` for the parent's) that names the list, or the list itself.
        instances: Attribute<'d>,
        /// Name of the instance in the nested elements.
        name: &'d str,
        /// The nested elements.
        body: Vec<StructureElement<'d>>,
    },
    /// `Apply`: the nested elements as if they stood in each instance of a list.
    Apply {
        /// Name of the list.
        list: Attribute<'d>,
        /// The nested elements.
        body: Vec<StructureElement<'d>>,
    },
    /// `Choose`: the first `When` whose test holds, else the `Otherwise`. An `If` is a `Choose` with one `When`.
    Choose {
        /// Tests over the parameters of the component (None: `Otherwise`), and nested elements.
        cases: Vec<(Option<Formula<'d>>, Vec<StructureElement<'d>>)>,
    },
    /// An element that has no effect here.
    Unsupported {
        /// The element.
        element: Element<'d>,
    },
}

impl<'d> StructureElement<'d> {
    /// The lists of elements inside this one: one for each case of a `Choose`, otherwise at most one.
    pub fn bodies(&self) -> impl Iterator<Item = &[StructureElement<'d>]> {
        let (body, cases) = match self {
            StructureElement::ForEach { body, .. }
            | StructureElement::Apply { body, .. }
            | StructureElement::GatherPairs { body, .. }
            | StructureElement::PairsEventConnection { body, .. } => {
                (Some(body.as_slice()), &[][..])
            }
            StructureElement::Choose { cases } => (None, cases.as_slice()),
            _ => (None, &[][..]),
        };
        body.into_iter()
            .chain(cases.iter().map(|(_, body)| body.as_slice()))
    }
}

/// An `Assign`: sets a property of a new instance.
#[derive(Debug, Clone)]
pub struct Assign<'d> {
    /// The property.
    pub property: &'d str,
    /// Its value.
    pub value: Formula<'d>,
    /// Attribute of the component that holds the name of a variable, new in the instance, for the
    /// same value.
    pub expose_as: Option<&'d str>,
}

/// An `EventConnection`.
#[derive(Debug, Clone)]
pub struct EventConnection<'d> {
    /// Name of the sending instance.
    pub from: Attribute<'d>,
    /// Name of the receiving instance.
    pub to: Attribute<'d>,
    /// How it is made.
    pub wiring: Wiring<'d>,
}

/// How events are connected; the attributes name attributes of the connection component.
#[derive(Debug, Clone)]
pub struct Wiring<'d> {
    /// Attribute that names the port of the sender.
    pub source_port: Option<&'d str>,
    /// Attribute that names the port of the receiver.
    pub target_port: Option<&'d str>,
    /// Reference to the component that is attached to the receiving instance.
    pub receiver: Option<Attribute<'d>>,
    /// Attribute that names the attachment list.
    pub receiver_container: Option<&'d str>,
    /// Parameter that holds the delay.
    pub delay: Option<&'d str>,
    /// Values set in the attached instance.
    pub assigns: Vec<Assign<'d>>,
}

/// A `Tunnel`: two attached instances that see each other.
#[derive(Debug, Clone)]
pub struct Tunnel<'d> {
    /// Its element.
    pub element: Element<'d>,
    /// Name of the other end, in each.
    pub name: &'d str,
    /// Name of the first instance.
    pub end_a: Attribute<'d>,
    /// Name of the second instance.
    pub end_b: Attribute<'d>,
    /// Reference to the component attached to the first.
    pub component_a: Attribute<'d>,
    /// Reference to the component attached to the second.
    pub component_b: Attribute<'d>,
    /// Values set in both.
    pub assigns: Vec<Assign<'d>>,
}
