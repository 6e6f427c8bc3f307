//! Warns of attributes that an element of a ComponentType does not have. They have no effect.

use lems_document::{Element, nearest};

use crate::ModelError;

/// What an element of the language may have, beside a `description`.
const ATTRIBUTES: &[(&str, &[&str])] = &[
    ("ComponentType", &["name", "extends", "standalone", "id"]),
    ("Parameter", &["name", "dimension", "exposure"]),
    ("IndexParameter", &["name", "dimension"]),
    ("IntegerParameter", &["name", "dimension"]),
    (
        "DerivedParameter",
        &["name", "dimension", "value", "select"],
    ),
    ("Fixed", &["parameter", "value"]),
    ("Constant", &["name", "symbol", "dimension", "value"]),
    ("Property", &["name", "dimension", "defaultValue"]),
    ("Requirement", &["name", "dimension"]),
    ("ComponentRequirement", &["name", "type"]),
    ("InstanceRequirement", &["name", "type"]),
    ("Exposure", &["name", "dimension"]),
    ("Child", &["name", "type", "substitute"]),
    ("Children", &["name", "type", "min", "max"]),
    ("ComponentReference", REFERENCE),
    ("Link", REFERENCE),
    ("ComponentTypeReference", &["name"]),
    ("Path", &["name"]),
    ("PathParameter", &["name"]),
    ("Text", &["name"]),
    ("EventPort", &["name", "direction"]),
    ("Attachments", &["name", "type", "compClass"]),
    ("Collection", &["name"]),
    ("PairCollection", &["name"]),
    ("Dynamics", &["name", "simultaneous"]),
    ("Behavior", &["name", "simultaneous"]),
    ("StateVariable", &["name", "dimension", "exposure"]),
    ("TimeDerivative", &["variable", "value"]),
    (
        "DerivedVariable",
        &[
            "name",
            "dimension",
            "exposure",
            "value",
            "select",
            "reduce",
            "required",
        ],
    ),
    (
        "ConditionalDerivedVariable",
        &["name", "dimension", "exposure", "required"],
    ),
    ("Case", &["condition", "value", "name"]),
    ("OnStart", &[]),
    ("OnEntry", &[]),
    ("OnCondition", &["test"]),
    ("OnEvent", &["port"]),
    ("StateAssignment", &["variable", "value"]),
    ("EventOut", &["port"]),
    ("Transition", &["regime"]),
    ("Regime", &["name", "initial"]),
    (
        "KineticScheme",
        &[
            "name",
            "nodes",
            "edges",
            "stateVariable",
            "edgeSource",
            "edgeTarget",
            "forwardRate",
            "reverseRate",
            "dependency",
            "step",
        ],
    ),
    ("Structure", &[]),
    ("ChildInstance", &["component", "componentType"]),
    (
        "MultiInstantiate",
        &["number", "component", "componentType", "indexVariable"],
    ),
    ("Assign", &["property", "value", "exposeAs", "dimension"]),
    ("With", &["instance", "list", "index", "as"]),
    (
        "EventConnection",
        &[
            "from",
            "to",
            "sourcePort",
            "targetPort",
            "receiver",
            "receiverContainer",
            "delay",
        ],
    ),
    (
        "Tunnel",
        &[
            "name",
            "endA",
            "endB",
            "componentA",
            "componentB",
            "expose",
            "as",
        ],
    ),
    ("ForEach", &["instances", "as"]),
    ("Apply", &["components"]),
    ("If", &["test"]),
    ("When", &["test"]),
    ("Run", &["component", "variable", "increment", "total"]),
    (
        "Record",
        &["quantity", "timeScale", "scale", "color", "destination"],
    ),
    ("EventRecord", &["quantity", "eventPort"]),
    ("DataDisplay", &["title", "dataRegion"]),
    ("DataWriter", &["path", "fileName"]),
    ("EventWriter", &["path", "fileName", "format"]),
];

const REFERENCE: &[&str] = &[
    "name",
    "type",
    "root",
    "isAny",
    "local",
    "required",
    "defaultComponent",
];

/// Warns of attributes of a ComponentType and of what is inside it that the language does not have.
pub(crate) fn check(component_type: Element<'_>, warnings: &mut Vec<ModelError>) {
    let mut unvisited = vec![component_type];
    while let Some(element) = unvisited.pop() {
        unvisited.extend(element.children());
        let entry = ATTRIBUTES.iter().find(|(name, _)| *name == element.name());
        let Some((_, known)) = entry else {
            continue;
        };
        for attribute in element.attributes() {
            if !known.contains(&attribute.name()) && attribute.name() != "description" {
                warnings.push(ModelError::UselessAttribute {
                    attribute: attribute.name().to_owned(),
                    element: element.name().to_owned(),
                    suggestion: nearest(attribute.name(), known.iter().copied()).map(str::to_owned),
                    known,
                    span: attribute.name_span(),
                });
            }
        }
    }
}
