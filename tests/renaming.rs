//! Checks that names mean nothing to the engine. The core types are merged into a NeuroML model, and
//! everything that a ComponentType declares is renamed; the model then writes the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use crate::support::{BACKENDS, assert_none, case, check_all, run};
use jlems::Options;
use lems_document::{Document, Element, MemorySources};
use lems_host::FileSources;

/// Models with many kinds of cells, channels, synapses, inputs and connections.
const MODELS: [&str; 8] = [
    "izhikevich-network",
    "hodgkin-huxley",
    "custom-types",
    "cell-pinsky-rinzel",
    "connections-weights-delays",
    "gap-junctions",
    "input-lists",
    "synapses",
];

/// Words that have a meaning in LEMS itself, apart from the names of elements.
const WORDS_OF_LEMS: [&str; 8] = [
    "Component",
    "id",
    "type",
    "name",
    "extends",
    "t",
    "this",
    "parent",
];

/// Attributes in a ComponentType that do not name anything that a ComponentType declares.
const PLAIN_ATTRIBUTES: [&str; 9] = [
    "description",
    "dimension",
    "direction",
    "reduce",
    "required",
    "local",
    "initial",
    "defaultValue",
    "simultaneous",
];

#[test]
fn renamed_models_write_the_same_bytes() {
    let cases = MODELS.map(case);
    let runs: Vec<_> = (cases.iter())
        .flat_map(|case| BACKENDS.map(|backend| (case, backend)))
        .collect();
    let failures = check_all(&runs, |&(case, backend)| {
        let path = case.folder.join(&case.run);
        let options = Options::default();
        let document = jlems::load(&path.to_string_lossy(), &FileSources, &options)
            .unwrap_or_else(|failure| panic!("{}", failure.render(false)));
        let renamed = Renamer::new(&document).document(&document);
        let sources = MemorySources::from([("renamed.xml", renamed.as_str())]);
        let found = match run("renamed.xml", &sources, backend) {
            Ok(outputs) => case.differences(&outputs),
            Err(message) => vec![message],
        };
        (found.into_iter())
            .map(|message| format!("{} ({backend:?}): {message}", case.name))
            .collect()
    });
    assert_none(&failures, runs.len());
}

#[test]
fn nothing_that_a_type_declares_keeps_its_name() {
    let case = case(MODELS[0]);
    let path = case.folder.join(&case.run);
    let document = jlems::load(&path.to_string_lossy(), &FileSources, &Options::default())
        .unwrap_or_else(|failure| panic!("{}", failure.render(false)));
    let renamer = Renamer::new(&document);
    for name in [
        "izhikevich2007Cell",
        "population",
        "v",
        "spike",
        "Simulation",
        "fileName",
    ] {
        assert!(renamer.names.contains_key(name), "{name} is not renamed");
    }
    assert!(renamer.names.len() > 600, "{} names", renamer.names.len());
    let renamed = renamer.document(&document);
    let sources = MemorySources::from([("renamed.xml", renamed.as_str())]);
    let renamed = jlems::load("renamed.xml", &sources, &Options::default())
        .unwrap_or_else(|failure| panic!("{}", failure.render(false)));
    let mut kept = BTreeSet::new();
    let types = renamed
        .roots()
        .filter(|root| root.name() == "ComponentType");
    for component_type in types {
        for declared in declared_names(component_type) {
            if !is_invented(&declared) && !WORDS_OF_LEMS.contains(&declared.as_str()) {
                kept.insert(declared);
            }
        }
    }
    assert!(kept.is_empty(), "kept: {kept:?}");
}

fn is_invented(name: &str) -> bool {
    name.strip_prefix("foo_")
        .is_some_and(|number| number.parse::<usize>().is_ok())
}

/// The names that a ComponentType and the elements inside it declare.
fn declared_names(component_type: Element<'_>) -> Vec<String> {
    let mut names = Vec::new();
    let mut unvisited = vec![component_type];
    while let Some(element) = unvisited.pop() {
        unvisited.extend(element.children());
        for attribute in ["name", "as", "exposure"] {
            names.extend(
                element
                    .attribute(attribute)
                    .map(|name| name.value().to_owned()),
            );
        }
    }
    names
}

/// The kind of a top-level element.
#[derive(Clone, Copy)]
enum Place {
    Unit,
    Target,
    Type,
    Component,
}

/// The new name of every name that a ComponentType declares.
struct Renamer {
    names: BTreeMap<String, String>,
    /// Attributes of components that hold quantities or file names.
    plain: BTreeSet<String>,
}

impl Renamer {
    fn new(document: &Document) -> Renamer {
        let mut declared = BTreeSet::new();
        let mut plain = BTreeSet::from(["fileName".to_owned()]);
        for root in document
            .roots()
            .filter(|root| root.name() == "ComponentType")
        {
            declared.extend(declared_names(root));
            let quantities = root
                .children()
                .filter(|child| matches!(child.name(), "Parameter" | "Constant" | "Property"));
            plain.extend(
                quantities.filter_map(|child| Some(child.attribute("name")?.value().to_owned())),
            );
        }
        let names = (declared.into_iter())
            .filter(|name| !WORDS_OF_LEMS.contains(&name.as_str()))
            .enumerate()
            .map(|(number, name)| (name, format!("foo_{number}")))
            .collect();
        Renamer { names, plain }
    }

    fn document(&self, document: &Document) -> String {
        let mut text = "<Lems>\n".to_owned();
        for root in document.roots() {
            let place = match root.name() {
                "Dimension" | "Unit" | "Constant" | "Assertion" => Place::Unit,
                "Target" => Place::Target,
                "ComponentType" => Place::Type,
                _ => Place::Component,
            };
            self.element(root, place, &mut text);
        }
        text + "</Lems>\n"
    }

    fn element(&self, element: Element<'_>, place: Place, text: &mut String) {
        let of_component = |name: &str| match place {
            Place::Component => self.renamed(name),
            _ => name.to_owned(),
        };
        let name = of_component(element.name());
        text.push_str(&format!("<{name}"));
        for attribute in element.attributes() {
            let value = match self.holds_names(element, attribute.name(), place) {
                true => self.renamed(attribute.value()),
                false => attribute.value().to_owned(),
            };
            let name = of_component(attribute.name());
            text.push_str(&format!(" {name}=\"{}\"", escaped(&value)));
        }
        text.push_str(">\n");
        for child in element.children() {
            self.element(child, place, text);
        }
        text.push_str(&format!("</{name}>\n"));
    }

    fn holds_names(&self, element: Element<'_>, attribute: &str, place: Place) -> bool {
        match place {
            Place::Unit => false,
            Place::Target => attribute == "component",
            Place::Component => !self.plain.contains(attribute),
            Place::Type => {
                let is_quantity =
                    attribute == "value" && matches!(element.name(), "Constant" | "Fixed");
                let is_plain = is_quantity || PLAIN_ATTRIBUTES.contains(&attribute);
                !is_plain
            }
        }
    }

    /// The text, in which every declared name is replaced: the whole text, or words of it.
    fn renamed(&self, text: &str) -> String {
        let is_of_word = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let mut renamed = String::new();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest
                .find(|letter| !is_of_word(letter))
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            renamed.push_str(self.names.get(word).map_or(word, String::as_str));
            let end = after.find(is_of_word).unwrap_or(after.len());
            let (between, after) = after.split_at(end);
            renamed.push_str(between);
            rest = after;
        }
        renamed
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
