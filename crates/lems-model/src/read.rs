//! Reads definitions: dimensions, units, constants and ComponentTypes.

mod dynamics;
mod structure;

use std::collections::BTreeSet;
use std::sync::Arc;

use lems_document::{Attribute, Document, Element, Span, nearest};
use lems_expression::{Dimension, Expression, parse_number};
use rustc_hash::FxHashMap;

use crate::table::place_of_name;
use crate::{
    ChildList, ChildSlot, ComponentType, Constant, Direction, EventPort, Exposure, Formula, Model,
    ModelError, Parameter, ParameterKind, ParameterPath, Property, Reference, SimulationElement,
    Unit,
    check::wrong_condition,
    types::Quantity,
    units::{Dimensions, parse_quantity, too_large},
};

/// Reads all definitions, of types those that are wanted, into the model and returns the other
/// top-level elements: components and targets.
pub(crate) fn definitions<'d>(
    document: &'d Document,
    is_wanted: &dyn Fn(Element<'d>) -> bool,
    model: &mut Model<'d>,
) -> (Vec<Element<'d>>, Vec<ModelError>) {
    let mut reader = Reader {
        model,
        words: document.words(|| default_list_names(document)),
        errors: Vec::new(),
        defined: FxHashMap::default(),
    };
    let (mut units, mut constants, mut types, mut others) = (vec![], vec![], vec![], vec![]);
    (reader.model.dimensions).insert("none", Dimension::NONE);
    (reader.model.units).insert("none", Unit::ONE);
    for element in document.roots() {
        match element.name() {
            "Dimension" => reader.dimension(element),
            "Unit" => units.push(element),
            "Constant" => constants.push(element),
            "ComponentType" if is_wanted(element) => types.push(element),
            _ if is_component(&element) => others.push(element),
            _ => {}
        }
    }
    units.into_iter().for_each(|element| reader.unit(element));
    for element in constants {
        reader.constant(element);
    }
    for element in types {
        reader.component_type(element);
    }
    (others, reader.errors)
}

/// Whether a top-level element is no definition, but a component or a target.
pub(crate) fn is_component(element: &Element<'_>) -> bool {
    let definitions = [
        "Dimension",
        "Unit",
        "Constant",
        "ComponentType",
        "Assertion",
    ];
    !definitions.contains(&element.name())
}

/// The model that grows and the errors met on the way.
struct Reader<'m, 'd> {
    model: &'m mut Model<'d>,
    /// Names that do not stand in the document.
    words: &'d BTreeSet<String>,
    errors: Vec<ModelError>,
    /// Places of dimensions and units by kind and name.
    defined: FxHashMap<(&'static str, &'d str), Span>,
}

/// Names of the `Children` lists of a document that have no `name`.
fn default_list_names(document: &Document) -> BTreeSet<String> {
    (document
        .roots()
        .filter(|root| root.name() == "ComponentType"))
    .flat_map(Element::children)
    .filter(|child| child.name() == "Children" && child.attribute("name").is_none())
    .filter_map(|child| child.attribute("type"))
    .map(|kind| default_list_name(kind.value()))
    .collect()
}

/// What jLEMS calls a list without a name: `gridPoints` for a list of `GridPoint`.
fn default_list_name(type_name: &str) -> String {
    let mut rest = type_name.chars();
    let first = rest.next().into_iter().flat_map(char::to_lowercase);
    first.chain(rest.as_str().chars()).chain(['s']).collect()
}

impl<'d> Reader<'_, 'd> {
    fn required(&mut self, element: Element<'d>, name: &'static str) -> Option<Attribute<'d>> {
        let found = self.given(element, name);
        found.map_err(|error| self.errors.push(error)).ok()
    }

    /// An attribute without which jLEMS makes no use of the element.
    fn useful(&mut self, element: Element<'d>, name: &'static str) -> Option<Attribute<'d>> {
        let found = self.given(element, name);
        found.map_err(|error| self.model.warnings.push(error)).ok()
    }

    fn given(&self, element: Element<'d>, name: &'static str) -> Result<Attribute<'d>, ModelError> {
        (element.attribute(name))
            .filter(|found| name != "name" || !found.value().trim().is_empty())
            .ok_or_else(|| ModelError::MissingAttribute {
                element: element.name().to_owned(),
                attribute: name,
                span: element.name_span(),
            })
    }

    fn name(&mut self, element: Element<'d>) -> Option<&'d str> {
        self.required(element, "name").map(Attribute::value)
    }

    /// The name of something that nothing can refer to without one.
    fn useful_name(&mut self, element: Element<'d>) -> Option<&'d str> {
        self.useful(element, "name").map(Attribute::value)
    }

    fn integer(&mut self, element: Element<'d>, name: &str) -> i32 {
        let Some(attribute) = element.attribute(name) else {
            return 0;
        };
        // Blanks around it make it unreadable for jLEMS.
        attribute.value().parse().unwrap_or_else(|_| {
            self.model.warnings.push(ModelError::BadInteger {
                text: attribute.value().to_owned(),
                span: attribute.span(),
            });
            0
        })
    }

    /// The number in an attribute, or the default if the attribute is missing.
    fn number(&self, element: Element<'d>, name: &str, default: f64) -> Result<f64, ModelError> {
        let Some(attribute) = element.attribute(name) else {
            return Ok(default);
        };
        parse_number(attribute.value()).ok_or_else(|| ModelError::BadNumber {
            text: attribute.value().to_owned(),
            span: attribute.span(),
        })
    }

    fn dimension(&mut self, element: Element<'d>) {
        let dimension = Dimension {
            m: self.integer(element, "m"),
            l: self.integer(element, "l"),
            t: self.integer(element, "t"),
            i: self.integer(element, "i"),
            k: self.integer(element, "k"),
            n: self.integer(element, "n"),
            j: self.integer(element, "j"),
        };
        let Some(name) = self.useful(element, "name") else {
            return;
        };
        let known = self.model.dimensions.insert(name.value(), dimension);
        self.defined(
            "dimension",
            name,
            known.is_none_or(|known| known == dimension),
        );
    }

    fn unit(&mut self, element: Element<'d>) {
        let Some(symbol) = self.useful(element, "symbol") else {
            return;
        };
        let dimension = (self.required(element, "dimension"))
            .and_then(|attribute| self.dimension_named(attribute))
            .unwrap_or_default();
        let power = self.integer(element, "power");
        let offset = self.number(element, "offset", 0.0);
        let offset = offset.unwrap_or_else(|error| {
            self.model.warnings.push(error);
            0.0
        });
        let scale = match self.number(element, "scale", 1.0) {
            Ok(scale) => scale,
            // No quantity can have the unit, as in jLEMS.
            Err(error) => return self.model.warnings.push(error),
        };
        let unit = Unit {
            dimension,
            power,
            scale,
            offset,
        };
        if !unit.to_si(1.0).is_finite() || unit.to_si(1.0) == unit.to_si(0.0) {
            self.errors.push(ModelError::BadUnit {
                symbol: symbol.value().to_owned(),
                span: symbol.span(),
            });
        }
        let known = self.model.units.insert(symbol.value(), unit);
        self.defined("unit", symbol, known.is_none_or(|known| known == unit));
    }

    /// Remembers where something is defined. Reports a definition that differs from an earlier one of the same
    /// name.
    fn defined(&mut self, what: &'static str, name: Attribute<'d>, agrees: bool) {
        let first = *(self.defined.entry((what, name.value()))).or_insert(name.span());
        if !agrees {
            self.errors.push(ModelError::Conflict {
                what,
                name: name.value().to_owned(),
                span: name.span(),
                first,
            });
        }
    }

    fn dimension_named(&mut self, attribute: Attribute<'d>) -> Option<Dimension> {
        let known: &Dimensions<'_> = &self.model.dimensions;
        let found = known.get(attribute.value().trim()).copied();
        if found.is_none() && attribute.value() != "*" {
            self.errors.push(ModelError::UnknownDimension {
                name: attribute.value().to_owned(),
                suggestion: nearest(attribute.value(), known.keys().copied()).map(str::to_owned),
                span: attribute.span(),
            });
        }
        found
    }

    /// The `dimension` attribute; dimensionless without one, None for `*`.
    fn declared_dimension(&mut self, element: Element<'d>) -> Option<Dimension> {
        match element.attribute("dimension") {
            Some(attribute) => self.dimension_named(attribute),
            None => Some(Dimension::NONE),
        }
    }

    fn constant(&mut self, element: Element<'d>) {
        let symbol = element
            .attribute("symbol")
            .or_else(|| self.useful(element, "name"));
        let (Some(symbol), Some(value)) = (symbol, self.required(element, "value")) else {
            return;
        };
        let dimension = self.declared_dimension(element);
        let number = match parse_number(value.value()) {
            Some(number) => Some(number),
            None => self.constant_expression(value),
        };
        let quantity = match number {
            Some(number) => number,
            None => match self.quantity(value) {
                Ok(quantity) => quantity.value,
                Err(error) => {
                    self.errors.push(error);
                    return;
                }
            },
        };
        let constant = Constant {
            value: quantity,
            dimension,
        };
        self.model.constants.insert(symbol.value(), constant);
    }

    fn constant_expression(&self, value: Attribute<'d>) -> Option<f64> {
        let expression = Expression::parse(value.value()).ok()?;
        let constants = &self.model.constants;
        expression
            .evaluate(&mut |name| constants.get(name).map(|constant| constant.value))
            .ok()
    }

    fn formula(&mut self, source: Attribute<'d>) -> Option<Formula<'d>> {
        match Expression::parse(source.value()) {
            Ok(expression) => {
                for error in expression.tolerated() {
                    let span = source.sub_span(error.range());
                    let error = error.clone();
                    let warning = ModelError::Expression { error, span };
                    self.model.warnings.push(warning);
                }
                Some(Formula { expression, source })
            }
            Err(error) => {
                let span = source.sub_span(error.range());
                self.errors.push(ModelError::Expression { error, span });
                None
            }
        }
    }

    fn required_formula(
        &mut self,
        element: Element<'d>,
        name: &'static str,
    ) -> Option<Formula<'d>> {
        let source = self.required(element, name)?;
        self.formula(source)
    }

    /// A formula that jLEMS does not read before it needs it: a wrong one is only a warning.
    fn late_formula(&mut self, source: Attribute<'d>) -> Option<Formula<'d>> {
        match Expression::parse(source.value()) {
            Ok(_) => self.formula(source),
            Err(error) => {
                let span = source.sub_span(error.range());
                let warning = ModelError::Expression { error, span };
                self.model.warnings.push(warning);
                None
            }
        }
    }

    /// A condition on what a structure makes: jLEMS makes nothing, whatever it says.
    fn condition(&mut self, element: Element<'d>) -> Option<Formula<'d>> {
        let test = self.useful(element, "test")?;
        let test = self.late_formula(test)?;
        let wrong = wrong_condition(&test);
        let is_condition = wrong.is_none();
        self.model.warnings.extend(wrong);
        is_condition.then_some(test)
    }

    fn ignored(&mut self, element: Element<'d>) {
        self.model.warnings.push(ModelError::Ignored {
            element: element.name().to_owned(),
            span: element.name_span(),
        });
    }

    fn component_type(&mut self, element: Element<'d>) {
        let Some(name) = self.name(element) else {
            return;
        };
        if let Some(first) = self.model.types.get(name) {
            self.errors.push(ModelError::Duplicate {
                what: "ComponentType",
                name: name.to_owned(),
                span: place_of_name(element, "name"),
                first: place_of_name(first.element, "name"),
            });
            return;
        }
        let mut own = ComponentType {
            name,
            element,
            parent: None,
            parameters: Default::default(),
            fixed: Vec::new(),
            properties: Default::default(),
            requirements: Default::default(),
            exposures: Default::default(),
            ports: Default::default(),
            slots: Default::default(),
            lists: Default::default(),
            attachments: Default::default(),
            collections: Default::default(),
            pair_collections: Default::default(),
            references: Default::default(),
            texts: Default::default(),
            dynamics: None,
            structure: Arc::default(),
            simulation: Arc::default(),
        };
        for child in element.children() {
            self.declaration(child, &mut own);
        }
        Arc::make_mut(&mut self.model.types).insert(name, own);
    }

    fn declaration(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        match child.name() {
            "Parameter" | "IndexParameter" | "IntegerParameter" | "Constant"
            | "DerivedParameter" => self.parameter(child, own),
            "Fixed" => self.fixed(child, own),
            "Property" => self.property(child, own),
            "Requirement" => {
                if let Some(name) = self.useful_name(child) {
                    let dimension = self.declared_dimension(child);
                    own.requirements.insert(name, dimension);
                }
            }
            "Exposure" => {
                if let Some(name) = self.useful_name(child) {
                    let dimension = self.declared_dimension(child);
                    own.exposures.insert(name, Exposure { dimension });
                }
            }
            "EventPort" => self.event_port(child, own),
            "Child" => self.child_slot(child, own),
            "Children" => self.child_list(child, own),
            "Attachments" => {
                let kind = child
                    .attribute("type")
                    .or_else(|| child.attribute("compClass"));
                let kind = kind.or_else(|| self.required(child, "type"));
                if let (Some(name), Some(kind)) = (self.useful_name(child), kind) {
                    own.attachments.insert(name, kind.value());
                }
            }
            "ComponentReference" | "Link" => self.reference(child, own),
            "Text" | "Path" | "PathParameter" | "ComponentTypeReference" => {
                if let Some(name) = self.useful_name(child) {
                    own.texts.insert(name, child);
                }
            }
            "Dynamics" | "Behavior" => own.dynamics = Some(Arc::new(self.dynamics(child))),
            "Structure" => {
                let elements = self.structure(child);
                Arc::make_mut(&mut own.structure).extend(elements);
            }
            "Simulation" => {
                let elements = self.simulation(child);
                Arc::make_mut(&mut own.simulation).extend(elements);
            }
            "Collection" => own.collections.extend(self.useful_name(child)),
            "PairCollection" => own.pair_collections.extend(self.useful_name(child)),
            "ComponentRequirement" | "InstanceRequirement" | "About" | "Meta" => {}
            name if (self.model.note(name)).is_some_and(|note| note.in_types) => {}
            _ => self.ignored(child),
        }
    }

    fn parameter(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let Some(name) = self.name(child) else {
            return;
        };
        let dimension = match child.attribute("dimension") {
            None if matches!(child.name(), "Parameter" | "DerivedParameter") => None,
            _ => self.declared_dimension(child),
        };
        let kind = match child.name() {
            "Constant" => {
                let Some(value) = self.required(child, "value") else {
                    return;
                };
                match self.quantity(value) {
                    Ok(quantity) => {
                        self.check_quantity(name, dimension, quantity.dimension, value);
                        ParameterKind::Default(quantity)
                    }
                    Err(error) => return self.errors.push(error),
                }
            }
            "DerivedParameter" => match (child.attribute("value"), child.attribute("select")) {
                (None, Some(select)) => ParameterKind::Selected(ParameterPath::parse(select)),
                _ => {
                    let value = self.required(child, "value");
                    match value.and_then(|value| self.late_formula(value)) {
                        Some(formula) => ParameterKind::Derived(formula),
                        None => return,
                    }
                }
            },
            _ => ParameterKind::Given,
        };
        let parameter = Parameter {
            dimension,
            kind,
            fixed: None,
            element: child,
        };
        // Of several the first counts, as in jLEMS.
        own.parameters.entry(name).or_insert(parameter);
    }

    fn quantity(&mut self, value: Attribute<'d>) -> Result<Quantity, ModelError> {
        let quantity = parse_quantity(value, &self.model.units)?;
        self.model.warnings.extend(too_large(value, quantity));
        Ok(quantity)
    }

    fn check_quantity(
        &mut self,
        parameter: &str,
        expected: Option<Dimension>,
        found: Dimension,
        value: Attribute<'d>,
    ) {
        let error = wrong_dimension(self.model, parameter, expected, found, value);
        self.errors.extend(error);
    }

    fn fixed(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let (Some(parameter), Some(value)) = (
            self.required(child, "parameter"),
            self.required(child, "value"),
        ) else {
            return;
        };
        match self.quantity(value) {
            Ok(quantity) => own.fixed.push((parameter.value(), quantity)),
            Err(error) => self.errors.push(error),
        }
    }

    fn property(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let Some(name) = self.useful_name(child) else {
            return;
        };
        let dimension = self.declared_dimension(child);
        let default = match self.number(child, "defaultValue", f64::NAN) {
            Ok(default) => default,
            Err(error) => return self.errors.push(error),
        };
        let property = Property { dimension, default };
        own.properties.insert(name, property);
    }

    fn event_port(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let Some(name) = self.useful_name(child) else {
            return;
        };
        let direction = match child.attribute("direction").map(Attribute::value) {
            Some("out" | "send") => Direction::Out,
            _ => Direction::In,
        };
        own.ports.insert(name, EventPort { direction });
    }

    fn child_slot(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let kind = child
            .attribute("type")
            .or_else(|| child.attribute("substitute"));
        let name = self.useful_name(child);
        if let (Some(name), Some(kind)) = (name, kind.or_else(|| self.required(child, "type"))) {
            let slot = ChildSlot {
                type_name: kind.value(),
                element: child,
            };
            own.slots.insert(name, slot);
        }
    }

    fn child_list(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let Some(kind) = self.required(child, "type") else {
            return;
        };
        let name = match child.attribute("name") {
            Some(name) => name.value(),
            None => match self.words.get(&default_list_name(kind.value())) {
                Some(name) => name.as_str(),
                None => return,
            },
        };
        let max = child
            .attribute("max")
            .and_then(|max| max.value().trim().parse().ok());
        let list = ChildList {
            type_name: kind.value(),
            max,
            element: child,
        };
        own.lists.insert(name, list);
    }

    fn reference(&mut self, child: Element<'d>, own: &mut ComponentType<'d>) {
        let Some(name) = self.useful_name(child) else {
            return;
        };
        let word = |attribute| child.attribute(attribute).map(Attribute::value);
        let reference = Reference {
            type_name: word("type").unwrap_or("Component"),
            local: child.name() == "Link" || word("local") == Some("true"),
            required: word("required") != Some("false"),
            element: child,
        };
        own.references.insert(name, reference);
    }

    fn simulation(&mut self, element: Element<'d>) -> Vec<SimulationElement<'d>> {
        let mut elements = Vec::new();
        for child in element.children() {
            elements.extend(self.simulation_element(child));
        }
        elements
    }

    fn simulation_element(&mut self, child: Element<'d>) -> Option<SimulationElement<'d>> {
        let word = |attribute| child.attribute(attribute).map(Attribute::value);
        Some(match child.name() {
            "Run" => SimulationElement::Run {
                component: self.required(child, "component")?,
                increment: self.required(child, "increment")?,
                total: self.required(child, "total")?,
            },
            "Record" => SimulationElement::Record {
                quantity: self.required(child, "quantity")?,
                time_scale: word("timeScale"),
                scale: word("scale"),
                color: word("color"),
                destination: word("destination"),
                element: child,
            },
            "EventRecord" => SimulationElement::EventRecord {
                quantity: self.required(child, "quantity")?,
                event_port: word("eventPort"),
            },
            "DataDisplay" => SimulationElement::DataDisplay {
                title: word("title"),
                data_region: word("dataRegion"),
            },
            "DataWriter" => SimulationElement::DataWriter {
                path: word("path"),
                file_name: word("fileName"),
            },
            "EventWriter" => SimulationElement::EventWriter {
                path: word("path"),
                file_name: word("fileName"),
                format: word("format"),
            },
            "Meta" => return None,
            _ => {
                self.ignored(child);
                return None;
            }
        })
    }
}

/// The error for a value of the wrong dimension, with a unit that would be right.
pub(crate) fn wrong_dimension(
    model: &Model<'_>,
    parameter: &str,
    expected: Option<Dimension>,
    found: Dimension,
    value: Attribute<'_>,
) -> Option<ModelError> {
    let expected = expected.filter(|expected| *expected != found)?;
    let symbols: Vec<String> = (model.units.iter())
        .filter(|(_, unit)| unit.dimension == expected)
        .map(|(symbol, _)| format!("`{symbol}`"))
        .take(6)
        .collect();
    Some(ModelError::WrongDimension {
        parameter: parameter.to_owned(),
        expected: model.dimension_title(expected),
        found: model.dimension_title(found),
        text: value.value().to_owned(),
        example: (!symbols.is_empty()).then(|| symbols.join(", ")),
        span: value.span(),
    })
}
