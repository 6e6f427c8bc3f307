//! Reads `Structure`.

use lems_document::{Attribute, Element};

use super::Reader;
use crate::{Assign, EventConnection, StructureElement, Tunnel, Wiring};

impl<'d> Reader<'_, 'd> {
    pub(super) fn structure(&mut self, element: Element<'d>) -> Vec<StructureElement<'d>> {
        let mut elements = Vec::new();
        for child in element.children() {
            elements.extend(self.structure_element(child));
        }
        elements
    }

    fn structure_element(&mut self, child: Element<'d>) -> Option<StructureElement<'d>> {
        let word = |attribute| child.attribute(attribute).map(Attribute::value);
        Some(match child.name() {
            "ChildInstance" => StructureElement::ChildInstance {
                component: self.required(child, "component")?,
                assigns: self.assigns(child),
            },
            "MultiInstantiate" => StructureElement::MultiInstantiate {
                number: child.attribute("number"),
                component: child.attribute("component"),
                component_type: child.attribute("componentType"),
                assigns: self.assigns(child),
                element: child,
            },
            "CoInstantiate" => StructureElement::CoInstantiate {
                at: self.required(child, "at")?,
                component: child.attribute("component"),
                component_type: child.attribute("componentType"),
                assigns: self.assigns(child),
                element: child,
            },
            "Gather" => StructureElement::Gather {
                path: self.required(child, "pathParameter")?,
                collection: self.required(child, "collection")?,
            },
            "GatherPairs" => StructureElement::GatherPairs {
                first: self.required(child, "pFrom")?,
                second: self.required(child, "qFrom")?,
                collection: self.required(child, "collection")?,
                body: self.structure(child),
            },
            "PairFilter" => StructureElement::PairFilter {
                select: self.required(child, "select")?,
            },
            "IncludePair" => StructureElement::IncludePair {
                collection: self.required(child, "collection")?,
            },
            "PairsEventConnection" => StructureElement::PairsEventConnection {
                pairs: self.required(child, "pairs")?,
                wiring: self.wiring(child),
                body: self.structure(child),
            },
            "With" => match (child.attribute("instance"), child.attribute("list")) {
                (None, Some(list)) => StructureElement::WithList {
                    list,
                    index: self.required(child, "index")?,
                    name: self.required(child, "as")?.value(),
                },
                _ => StructureElement::WithInstance {
                    instance: self.required(child, "instance")?,
                    name: self.required(child, "as")?.value(),
                },
            },
            "EventConnection" => StructureElement::EventConnection(EventConnection {
                from: self.required(child, "from")?,
                to: self.required(child, "to")?,
                wiring: self.wiring(child),
            }),
            "Tunnel" => StructureElement::Tunnel(Tunnel {
                element: child,
                name: self.name(child)?,
                end_a: self.required(child, "endA")?,
                end_b: self.required(child, "endB")?,
                component_a: self.required(child, "componentA")?,
                component_b: self.required(child, "componentB")?,
                assigns: self.assigns(child),
            }),
            "ForEach" => StructureElement::ForEach {
                instances: self.required(child, "instances")?,
                name: word("as").unwrap_or("this"),
                body: self.structure(child),
            },
            "Apply" => StructureElement::Apply {
                list: self.required(child, "components")?,
                body: self.structure(child),
            },
            "If" => {
                let test = self.condition(child)?;
                StructureElement::Choose {
                    cases: vec![(Some(test), self.structure(child))],
                }
            }
            "Choose" => StructureElement::Choose {
                cases: self.choose_cases(child),
            },
            "Assign" => return None,
            _ => StructureElement::Unsupported { element: child },
        })
    }

    fn wiring(&mut self, element: Element<'d>) -> Wiring<'d> {
        let word = |attribute| element.attribute(attribute).map(Attribute::value);
        Wiring {
            source_port: word("sourcePort"),
            target_port: word("targetPort"),
            receiver: element.attribute("receiver"),
            receiver_container: word("receiverContainer"),
            delay: word("delay"),
            assigns: self.assigns(element),
        }
    }

    fn choose_cases(
        &mut self,
        element: Element<'d>,
    ) -> Vec<(Option<crate::Formula<'d>>, Vec<StructureElement<'d>>)> {
        let mut cases = Vec::new();
        for child in element.children() {
            match child.name() {
                "When" => {
                    if let Some(test) = self.condition(child) {
                        let body = self.structure(child);
                        cases.push((Some(test), body));
                    }
                }
                "Otherwise" => {
                    let body = self.structure(child);
                    cases.push((None, body));
                }
                _ => self.ignored(child),
            }
        }
        cases
    }

    fn assigns(&mut self, element: Element<'d>) -> Vec<Assign<'d>> {
        let mut assigns = Vec::new();
        for child in element.children().filter(|child| child.name() == "Assign") {
            let property = self.useful(child, "property");
            let value = self.required_formula(child, "value");
            if let (Some(property), Some(value)) = (property, value) {
                assigns.push(Assign {
                    property: property.value(),
                    value,
                    expose_as: child.attribute("exposeAs").map(Attribute::value),
                });
            }
        }
        assigns
    }
}
