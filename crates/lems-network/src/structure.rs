//! Where a `Structure` runs, and what follows from the kind of an element alone: whether it makes instances or
//! connects them.

use lems_model::{ComponentId, Formula, Model, StructureElement};

use crate::{InstanceId, Network};

/// Where a `Structure` runs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    /// The component that it belongs to.
    pub component: Option<ComponentId>,
    /// The instance around the component.
    pub around: Option<InstanceId>,
    /// The instance where it runs: that of the component, if it has one, or one that an `Apply`
    /// leads to.
    pub instance: Option<InstanceId>,
    /// The instance around that.
    pub parent: Option<InstanceId>,
}

impl Place {
    pub(crate) fn of(network: &Network<'_, '_>, id: InstanceId) -> Place {
        let instance = network.instance(id);
        Place {
            component: instance.component,
            around: instance.parent,
            instance: Some(id),
            parent: instance.parent,
        }
    }
}

/// Whether an element makes instances, or contains one that does.
pub(crate) fn makes_instances(element: &StructureElement<'_>) -> bool {
    match element {
        StructureElement::ChildInstance { .. }
        | StructureElement::MultiInstantiate { .. }
        | StructureElement::CoInstantiate { .. }
        | StructureElement::Unsupported { .. } => true,
        _ => element.bodies().flatten().any(makes_instances),
    }
}

/// Whether an element does something else than making instances.
pub(crate) fn connects(element: &StructureElement<'_>) -> bool {
    match element {
        StructureElement::ChildInstance { .. }
        | StructureElement::MultiInstantiate { .. }
        | StructureElement::CoInstantiate { .. }
        | StructureElement::Unsupported { .. } => false,
        StructureElement::Choose { .. } => element.bodies().flatten().any(connects),
        _ => true,
    }
}

/// The elements of the first case whose test holds; none if no test does.
pub(crate) fn chosen<'s, 'd>(
    cases: &'s [(Option<Formula<'d>>, Vec<StructureElement<'d>>)],
    mut holds: impl FnMut(&Formula<'d>) -> bool,
) -> &'s [StructureElement<'d>] {
    let mut cases = cases.iter();
    let found = cases.find(|(test, _)| test.as_ref().is_none_or(&mut holds));
    found.map_or(&[], |(_, body)| body)
}

/// Whether an element names instances or connects two of them, once each time that it runs.
pub(crate) fn is_plain_connection(element: &StructureElement<'_>) -> bool {
    matches!(
        element,
        StructureElement::WithInstance { .. }
            | StructureElement::WithList { .. }
            | StructureElement::EventConnection(_)
            | StructureElement::Tunnel(_)
    )
}

/// A list element that only connects others: it runs its `Structure` and needs no instance.
pub(crate) fn is_bare_connection(model: &Model<'_>, component: ComponentId) -> bool {
    let kind = model.type_of_component(component);
    kind.dynamics.is_none()
        && kind.attachments.is_empty()
        && !kind.structure.is_empty()
        && model.component(component).children.is_empty()
        && kind.structure.iter().all(is_plain_connection)
}
