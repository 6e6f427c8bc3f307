//! What an element of a `Structure` does, told from its kind alone, and where a `Structure` runs.

use lems_model::{ComponentId, Model, StructureElement};

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
        StructureElement::ForEach { body, .. }
        | StructureElement::Apply { body, .. }
        | StructureElement::GatherPairs { body, .. }
        | StructureElement::PairsEventConnection { body, .. }
        | StructureElement::If { body, .. } => body.iter().any(makes_instances),
        StructureElement::Choose { cases } => {
            (cases.iter()).any(|(_, body)| body.iter().any(makes_instances))
        }
        _ => false,
    }
}

/// Whether an element does something else than making instances.
pub(crate) fn connects(element: &StructureElement<'_>) -> bool {
    match element {
        StructureElement::ChildInstance { .. }
        | StructureElement::MultiInstantiate { .. }
        | StructureElement::CoInstantiate { .. }
        | StructureElement::Unsupported { .. } => false,
        StructureElement::If { body, .. } => body.iter().any(connects),
        StructureElement::Choose { cases } => {
            (cases.iter()).any(|(_, body)| body.iter().any(connects))
        }
        _ => true,
    }
}

/// A list element that only connects others: it runs its `Structure` and needs no instance.
pub(crate) fn is_bare_connection(model: &Model<'_>, component: ComponentId) -> bool {
    let kind = model.type_of_component(component);
    kind.dynamics.is_none()
        && kind.attachments.is_empty()
        && !kind.structure.is_empty()
        && model.component(component).children.is_empty()
        && kind.structure.iter().all(|element| {
            matches!(
                element,
                StructureElement::WithInstance { .. }
                    | StructureElement::WithList { .. }
                    | StructureElement::EventConnection(_)
                    | StructureElement::Tunnel(_)
            )
        })
}
