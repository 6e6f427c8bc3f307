//! Checks what types declare: names must be names, may be declared once, and must mean something.

use lems_document::{Attribute, Element, Span, nearest};
use lems_expression::{Expression, Node, is_function};
use petgraph::{algo::kosaraju_scc, graph::DiGraph};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    ComponentType, Definition, Dynamics, Model, ModelError, Variable, attributes,
    read::wrong_dimension, table::place_of_name, units::parse_quantity,
};

/// Most `Case`s of a variable, each of which is nested in the one before.
const MOST_CASES: usize = 1000;

/// Checks the declarations of every type.
pub(crate) fn check(model: &mut Model<'_>) -> Vec<ModelError> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for kind in model.types.values() {
        if !kind.element.is_embedded() {
            attributes::check(kind.element, &mut warnings);
        }
        let mut checker = Checker {
            model,
            kind,
            errors: &mut errors,
            warnings: &mut warnings,
        };
        checker.members();
    }
    model.warnings.extend(warnings);
    errors
}

struct Checker<'c, 'd> {
    model: &'c Model<'d>,
    kind: &'c ComponentType<'d>,
    errors: &'c mut Vec<ModelError>,
    warnings: &'c mut Vec<ModelError>,
}

/// What declares names of one kind first.
type Places<'d> = FxHashMap<(&'static str, &'d str), Element<'d>>;

/// Elements that may be declared again in the same words without a warning.
const REPEATABLE: [&str; 4] = [
    "Constant",
    "DerivedVariable",
    "ConditionalDerivedVariable",
    "Property",
];

/// What jLEMS takes twice: of parameters and constants it uses the first, of properties and regimes the last, and
/// variables it computes one after the other.
const TAKEN_TWICE: [&str; 6] = [
    "Parameter",
    "Property",
    "Constant",
    "DerivedVariable",
    "ConditionalDerivedVariable",
    "Regime",
];

impl<'d> Checker<'_, 'd> {
    fn members(&mut self) {
        let mut places = Places::default();
        let used_ports = self.used_ports();
        let mut behaviour = None;
        for member in self.kind.element.children() {
            match member.name() {
                "Parameter" => self.named(member, "parameter", &mut places),
                "DerivedParameter" => self.named(member, "derived parameter", &mut places),
                "Property" => self.named(member, "property", &mut places),
                "Constant" => self.named(member, "constant", &mut places),
                "EventPort" => {
                    let name = member.attribute("name").map(Attribute::value);
                    let is_used = name.is_some_and(|name| used_ports.contains(name));
                    self.once(member, "event port", &mut places, !is_used);
                    let directions = &["in", "out", "receive", "send"];
                    self.choice(member, "direction", directions, !is_used);
                }
                "Child" | "Children" | "ComponentReference" | "Link" | "Attachments" => {
                    self.type_exists(member);
                }
                "Fixed" => self.fixed(member),
                "Dynamics" | "Behavior" => {
                    let span = member.name_span();
                    let first = *behaviour.get_or_insert(span);
                    self.duplicate("the `Dynamics` of", self.kind.name, span, first, true);
                    self.behaviour(member, &mut Places::default());
                }
                _ => {}
            }
        }
        if let Some(dynamics) = self.model.own_dynamics(self.kind) {
            self.cycles(dynamics);
            for regime in dynamics.regimes.values() {
                self.cycles(&regime.dynamics);
            }
        }
    }

    fn behaviour(&mut self, dynamics: Element<'d>, places: &mut Places<'d>) {
        let mut initial = None;
        for child in dynamics.children() {
            match child.name() {
                "StateVariable" => {
                    self.named(child, "state variable", places);
                    self.exposure_exists(child);
                }
                "DerivedVariable" => {
                    self.named(child, "derived variable", places);
                    self.exposure_exists(child);
                }
                "ConditionalDerivedVariable" => {
                    self.named(child, "conditional variable", places);
                    self.exposure_exists(child);
                    self.cases(child);
                }
                "KineticScheme" if dynamics.name() != "Regime" => {
                    self.list_exists(child, "nodes");
                    self.list_exists(child, "edges");
                }
                "OnStart" | "OnEntry" | "OnCondition" | "OnEvent" => self.one_transition(child),
                "Regime" => {
                    self.once(child, "regime", places, true);
                    self.choice(child, "initial", &["true", "false"], false);
                    if child.attribute("initial").map(Attribute::value) == Some("true") {
                        let span = place_of_name(child, "initial");
                        let first = *initial.get_or_insert(span);
                        self.duplicate("initial regime of", self.kind.name, span, first, true);
                    }
                    // A regime has variables of its own.
                    self.behaviour(child, &mut Places::default());
                }
                _ => {}
            }
        }
    }

    /// Warns of a fixed value that does not fit its parameter. The value is used in spite of that.
    fn fixed(&mut self, fixed: Element<'d>) {
        let attributes = ["parameter", "value"].map(|name| fixed.attribute(name));
        if let [Some(name), Some(value)] = attributes
            && let Some(parameter) = self.kind.parameters.get(name.value())
            && let Ok(quantity) = parse_quantity(value, &self.model.units)
        {
            let (expected, found) = (parameter.dimension, quantity.dimension);
            let wrong = wrong_dimension(self.model, name.value(), expected, found, value);
            self.warnings.extend(wrong);
        }
    }

    /// Warns of a second transition of what is done at one time.
    fn one_transition(&mut self, block: Element<'d>) {
        let children = block.children();
        let mut transitions = children.filter(|child| child.name() == "Transition");
        if let (Some(first), Some(last)) = (transitions.next(), transitions.last()) {
            self.warnings.push(ModelError::TransitionTwice {
                block: block.name().to_owned(),
                span: place_of_name(last, "regime"),
                first: place_of_name(first, "regime"),
            });
        }
    }

    /// A variable: it has a name that expressions can use, once.
    fn named(&mut self, element: Element<'d>, what: &'static str, places: &mut Places<'d>) {
        if let Some(name) = element.attribute("name")
            && !name.value().trim().is_empty()
            && !is_name(name.value())
        {
            self.warnings.push(ModelError::BadName {
                name: name.value().to_owned(),
                span: name.span(),
            });
        }
        let passes = match element.name() {
            "StateVariable" => !self.assigns(),
            name => TAKEN_TWICE.contains(&name),
        };
        self.once(element, what, places, passes);
    }

    /// Reports a second declaration of a name: a warning if jLEMS `passes` it, else an error.
    fn once(
        &mut self,
        element: Element<'d>,
        what: &'static str,
        places: &mut Places<'d>,
        passes: bool,
    ) {
        let Some(name) = element.attribute("name") else {
            return;
        };
        let first = *(places.entry((what, name.value()))).or_insert(element);
        let span = name.span();
        let first_span = place_of_name(first, "name");
        if REPEATABLE.contains(&element.name()) && span != first_span && first.equals(element) {
            self.warnings.push(ModelError::Repeated {
                what,
                name: name.value().to_owned(),
                span,
                first: first_span,
            });
        } else {
            self.duplicate(what, name.value(), span, first_span, passes);
        }
    }

    fn duplicate(&mut self, what: &'static str, name: &str, span: Span, first: Span, passes: bool) {
        if first == span {
            return;
        }
        let error = ModelError::Duplicate {
            what,
            name: name.to_owned(),
            span,
            first,
        };
        self.reports(passes).push(error);
    }

    /// Where mistakes go that jLEMS passes, and others.
    fn reports(&mut self, passes: bool) -> &mut Vec<ModelError> {
        if passes { self.warnings } else { self.errors }
    }

    /// Whether the type or a regime of it computes rates or assigns: jLEMS looks up state variables
    /// by name then, and stops if there are two of one name.
    fn assigns(&self) -> bool {
        let Some(dynamics) = &self.kind.dynamics else {
            return false;
        };
        dynamics.with_regimes().any(|dynamics| {
            let mut actions = dynamics.actions();
            !dynamics.rates.is_empty() || actions.any(|actions| !actions.assignments.is_empty())
        })
    }

    /// The ports that the equations of the type send or receive on.
    fn used_ports(&self) -> FxHashSet<&'d str> {
        let dynamics = self.kind.dynamics.iter();
        dynamics
            .flat_map(|dynamics| dynamics.with_regimes())
            .flat_map(|dynamics| {
                let handled = dynamics.on_event.iter().map(|handler| handler.port);
                let sent = dynamics.actions().flat_map(|actions| &actions.events);
                handled.chain(sent.copied()).map(Attribute::value)
            })
            .collect()
    }

    fn choice(
        &mut self,
        element: Element<'d>,
        attribute: &'static str,
        allowed: &'static [&'static str],
        passes: bool,
    ) {
        if let Some(found) = element.attribute(attribute)
            && !allowed.contains(&found.value().trim())
        {
            let error = ModelError::BadChoice {
                attribute,
                text: found.value().to_owned(),
                allowed,
                span: found.span(),
            };
            self.reports(passes).push(error);
        }
    }

    fn type_exists(&mut self, member: Element<'d>) {
        let kind = ["type", "compClass", "substitute"].map(|name| member.attribute(name));
        if let Some(kind) = kind.into_iter().flatten().next()
            && kind.value() != "Component"
            && self.model.type_named(kind.value()).is_none()
        {
            let known = self.model.types.keys().copied();
            self.errors.push(ModelError::UnknownType {
                name: kind.value().to_owned(),
                suggestion: nearest(kind.value(), known).map(str::to_owned),
                span: kind.span(),
            });
        }
    }

    fn exposure_exists(&mut self, variable: Element<'d>) {
        if let Some(exposure) = variable.attribute("exposure")
            && !self.kind.exposures.contains_key(exposure.value())
        {
            let known = self.kind.exposures.keys().copied();
            self.errors.push(ModelError::UnknownExposure {
                name: exposure.value().to_owned(),
                component_type: self.kind.name.to_owned(),
                suggestion: nearest(exposure.value(), known).map(str::to_owned),
                span: exposure.span(),
            });
        }
    }

    fn list_exists(&mut self, scheme: Element<'d>, attribute: &str) {
        if let Some(list) = scheme.attribute(attribute)
            && !self.kind.lists.contains_key(list.value())
        {
            let known = self.kind.lists.keys().copied();
            self.errors.push(ModelError::UnknownList {
                name: list.value().to_owned(),
                component_type: self.kind.name.to_owned(),
                suggestion: nearest(list.value(), known).map(str::to_owned),
                span: list.span(),
            });
        }
    }

    fn cases(&mut self, variable: Element<'d>) {
        let cases = variable.children().filter(|child| child.name() == "Case");
        match cases.count() {
            0 => self.warnings.push(ModelError::NoCase {
                name: (variable.attribute("name"))
                    .map_or_else(String::new, |name| name.value().to_owned()),
                span: place_of_name(variable, "name"),
            }),
            1..=MOST_CASES => {}
            _ => self.errors.push(ModelError::TooDeep {
                what: "`Case`s",
                limit: MOST_CASES,
                span: place_of_name(variable, "name"),
            }),
        }
    }

    /// Warns of derived variables that need one another.
    fn cycles(&mut self, dynamics: &Dynamics<'d>) {
        let variables: Vec<Variable<'_, 'd>> = (dynamics.computed_variables())
            .filter(|variable| !matches!(variable.definition, Definition::Selection(_)))
            .collect();
        let mut graph = DiGraph::<usize, ()>::new();
        let nodes: FxHashMap<&str, _> = (variables.iter().enumerate())
            .map(|(index, variable)| (variable.name, graph.add_node(index)))
            .collect();
        for variable in &variables {
            let formulas = variable.definition.formulas();
            let used = formulas.flat_map(|formula| formula.expression.variables());
            for used in used.filter(|used| !self.kind.parameters.contains_key(used.as_str())) {
                if let Some(used) = nodes.get(used.as_str()) {
                    // One that is there already does no harm, and looking for it takes long.
                    graph.add_edge(nodes[variable.name], *used, ());
                }
            }
        }
        for group in kosaraju_scc(&graph) {
            let Some(&first) = group.first() else {
                continue;
            };
            if group.len() == 1 && !graph.contains_edge(first, first) {
                continue;
            }
            let element = variables[graph[first]].element;
            let chain = group
                .iter()
                .chain([&first])
                .map(|node| variables[graph[*node]].name);
            self.warnings.push(ModelError::VariableCycle {
                component_type: self.kind.name.to_owned(),
                chain: chain.map(str::to_owned).collect(),
                span: place_of_name(element, "name"),
            });
        }
    }
}

/// Whether an expression can use it.
fn is_name(text: &str) -> bool {
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let is_plain = text.chars().all(is_word)
        && text.starts_with(|first: char| !first.is_ascii_digit())
        && !is_function(text);
    is_plain
        || Expression::parse(text)
            .is_ok_and(|expression| matches!(expression.nodes(), [Node::Variable(_)]))
}
