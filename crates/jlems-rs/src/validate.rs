//! Checks of a model that is not run.

use std::collections::{HashMap, HashSet};

use lems_document::{Attribute, Document, Element, Source, SourceReader, Span, nearest};
use lems_model::{ComponentId, Model, ModelError, Role};
use lems_network::{Network, NetworkError};
use lems_schema::Schema;
use nml2_coretypes::{COUNTS, ENDS, NAMINGS, TREES};

use crate::around::{load_with_types, with_core_types};
use crate::{Code, Diagnostic, Failure, Options, Severity, prepare, read_model, schemas};

/// What is wrong with a file and all that it includes: errors, then warnings.
#[derive(Debug, Clone, Default)]
pub struct Verdict {
    /// What the places of the diagnostics are in.
    pub sources: Vec<Source>,
    /// What was found.
    pub diagnostics: Vec<Diagnostic>,
    /// How many of the files were held against a schema.
    pub held: usize,
}

impl Verdict {
    /// Number of diagnostics of that severity.
    pub fn count(&self, severity: Severity) -> usize {
        let found = self.diagnostics.iter();
        found.filter(|other| other.severity == severity).count()
    }
}

/// Checks a LEMS file, or a NeuroML file without anything to run, as far as that goes without
/// running it: XML, definitions, components, references, units, equations, networks, recordings.
/// With a schema, it and all that it includes are also held against that: all but the files of
/// the language, LEMS or NeuroML, that the schema is not for.
pub fn validate(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
    schema: Option<&Schema>,
) -> Verdict {
    let mut verdict = model(path, reader, options);
    if let Some(schema) = schema {
        let around = with_core_types(path);
        let is_own = |source: &Source| !source.embedded && source.name != around;
        let sources = verdict.sources.iter().enumerate();
        let own = sources.filter(|(_, source)| is_own(source));
        let (held, found) = schemas::hold(schema, own, &options.limits.document);
        verdict.held = held;
        let first_warning = verdict.count(Severity::Error);
        let already = |one: &Diagnostic| verdict.diagnostics.contains(one);
        let new: Vec<Diagnostic> = found.into_iter().filter(|one| !already(one)).collect();
        verdict
            .diagnostics
            .splice(first_warning..first_warning, new);
    }
    verdict
}

fn model(path: &str, reader: &dyn SourceReader, options: &Options) -> Verdict {
    let document = match load_with_types(path, reader, options) {
        Ok(document) => document,
        Err(failure) => return failure.into(),
    };
    let mut warnings: Vec<Diagnostic> = document.warnings().iter().map(Diagnostic::from).collect();
    let mut errors = names_and_counts(&document, &mut warnings);
    match read_model(&document) {
        Err(failure) => errors.extend(errors_of(failure)),
        Ok(model) => {
            errors.extend(same_ids(&model).iter().map(Diagnostic::from));
            let of_user = |span: Span| !document.source(span.source).embedded;
            warnings.extend(unusual_ids(&model).filter(|doubt| doubt.span.is_some_and(of_user)));
            for warning in (model.warnings.iter()).filter(|warning| of_user(warning.span())) {
                match warning {
                    // Readers of NeuroML may use what these types do not: only a slip is an error.
                    ModelError::UnknownAttribute {
                        suggestion: Some(_),
                        ..
                    } => errors.push(Diagnostic::from(warning)),
                    _ => warnings.push(Diagnostic::from(warning)),
                }
            }
            let (wrong, doubtful) = networks(&document, &model, options);
            errors.extend(wrong);
            warnings.extend(doubtful);
        }
    }
    // What jLEMS runs all the same is wrong, too.
    let (mistakes, warnings): (Vec<Diagnostic>, Vec<Diagnostic>) = warnings
        .into_iter()
        .partition(|warning| warning.code.is_mistake());
    errors.extend(mistakes);
    let mut seen = HashSet::new();
    let warnings = warnings.into_iter().map(Diagnostic::as_warning);
    let mut diagnostics: Vec<Diagnostic> = errors.into_iter().chain(warnings).collect();
    diagnostics.retain(|diagnostic| seen.insert((diagnostic.span, diagnostic.message.clone())));
    Verdict {
        sources: document.sources().to_vec(),
        diagnostics,
        held: 0,
    }
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Verdict {
        Verdict {
            sources: failure.sources,
            diagnostics: failure.diagnostics,
            held: 0,
        }
    }
}

/// Without the warnings, which are told anyway.
fn errors_of(failure: Failure) -> Vec<Diagnostic> {
    let mut errors = failure.diagnostics;
    errors.retain(|diagnostic| diagnostic.severity == Severity::Error);
    errors
}

/// Builds what a model runs; of a model without a target, everything that nothing else refers to.
fn networks(
    document: &Document,
    model: &Model<'_>,
    options: &Options,
) -> (Vec<Diagnostic>, Vec<Diagnostic>) {
    if model.target.is_some() {
        return match prepare(document, model, options) {
            Err(failure) => (errors_of(failure), Vec::new()),
            Ok(runs) => {
                let warnings = runs.iter().flat_map(|run| run.warnings.iter());
                (Vec::new(), warnings.map(Diagnostic::from).collect())
            }
        };
    }
    let used: HashSet<ComponentId> = (model.components.iter())
        .flat_map(|component| component.references.iter().map(|(_, target)| *target))
        .collect();
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for &id in &model.top_level {
        let of_user = !document.source(model.span_of(id).source).embedded;
        if !of_user || used.contains(&id) {
            continue;
        }
        if let Err(failure) = options.limits.allow_network(document, model, id) {
            errors.extend(errors_of(failure));
            continue;
        }
        let random = lems_math::JavaRandom::new(options.seed.unwrap_or_default());
        match Network::build_within(model, id, random, options.limits.most_instances()) {
            Ok(network) => {
                let found = network.warnings.into_inner();
                warnings.extend(found.iter().map(Diagnostic::from));
            }
            Err(found) => {
                // What cannot be run may still be right, such as a cell of many segments.
                let matters = |error: &&NetworkError| {
                    use NetworkError::{NothingToRun, TooManyChildren};
                    !matches!(error, NothingToRun { .. } | TooManyChildren { .. })
                };
                errors.extend(found.iter().filter(matters).map(Diagnostic::from));
            }
        }
    }
    (errors, warnings)
}

/// Components of one id where a path or a reference could mean either.
fn same_ids(model: &Model<'_>) -> Vec<ModelError> {
    let mut first: HashMap<(Option<ComponentId>, &str, &str), ComponentId> = HashMap::new();
    let mut errors = Vec::new();
    for index in 0..model.components.len() {
        let id = ComponentId(index as u32);
        let component = model.component(id);
        let Some(name) = component.id else { continue };
        let role = match component.role {
            Role::TopLevel => "",
            Role::Slot(role) | Role::List(role) => role,
        };
        let key = (component.parent, role, name);
        if let Some(first) = first.insert(key, id) {
            errors.push(ModelError::Duplicate {
                what: "component",
                name: name.to_owned(),
                span: model.span_of(id),
                first: model.span_of(first),
            });
        }
    }
    errors
}

/// Top-level components that others cannot name.
fn unusual_ids(model: &Model<'_>) -> impl Iterator<Item = Diagnostic> {
    let breaks_paths = |letter: char| letter.is_whitespace() || "/[]:*=".contains(letter);
    model.top_level.iter().filter_map(move |id| {
        let component = model.component(*id);
        let element = component.element.name();
        let (message, help) = match component.id {
            None => (
                format!("this {element} has no id: nothing can refer to it"),
                Some("add `id=\"...\"`".to_owned()),
            ),
            Some(id) if id.contains(breaks_paths) => (
                format!("the id `{id}` cannot be written in a path"),
                Some("letters, digits and `_` are usual, beginning with a letter".to_owned()),
            ),
            Some(_) => return None,
        };
        Some(wrong(message, model.span_of(*id), help))
    })
}

fn wrong(message: String, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(Code(603), message, Some(span), help)
}

/// What the rules of NeuroML ask for beyond its types.
fn names_and_counts(document: &Document, warnings: &mut Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut errors = Vec::new();
    let mut unvisited: Vec<Element<'_>> = (document.roots())
        .filter(|root| !document.source(root.span().source).embedded)
        .collect();
    while let Some(element) = unvisited.pop() {
        counts(element, &mut errors);
        ends(element, warnings);
        namings(document, element, &mut errors, warnings);
        trees(element, &mut errors);
        unvisited.extend(element.children());
    }
    errors.sort_by_key(|error| error.span.map(|span| (span.source, span.start)));
    errors
}

fn counts(element: Element<'_>, errors: &mut Vec<Diagnostic>) {
    for rule in COUNTS.iter().filter(|rule| rule.element == element.name()) {
        let number = element
            .children()
            .filter(|child| child.name() == rule.children)
            .count();
        if let Some(given) = element.attribute(rule.attribute)
            && number > 0
            && given.value().trim().parse() != Ok(number)
        {
            let (said, children) = (given.value(), rule.children);
            let message = format!(
                "the {} is {said}, but there are {number} of `{children}`",
                rule.attribute
            );
            let help = format!(
                "write `{}=\"{number}\"`, or is one missing?",
                rule.attribute
            );
            errors.push(wrong(message, given.span(), Some(help)));
        }
    }
}

fn ends(element: Element<'_>, warnings: &mut Vec<Diagnostic>) {
    for rule in ENDS {
        let Some(expected) = element.attribute(rule.attribute) else {
            continue;
        };
        for child in element.children() {
            let paths = rule.paths.iter().filter_map(|name| child.attribute(name));
            for path in paths.filter(|path| path.value().contains(['/', '['])) {
                let first = path.value().trim_start_matches(['.', '/']);
                let first = first.split(['/', '[']).next().unwrap_or_default();
                if first != expected.value() {
                    let message = format!(
                        "this leads into `{first}`, but `{}` is `{}`",
                        rule.attribute,
                        expected.value()
                    );
                    warnings.push(wrong(message, path.span(), None));
                }
            }
        }
    }
}

fn trees(element: Element<'_>, errors: &mut Vec<Diagnostic>) {
    for rule in TREES.iter().filter(|rule| rule.within == element.name()) {
        let nodes = element
            .children()
            .filter(|child| child.name() == rule.nodes);
        let is_root =
            |node: &Element<'_>| !node.children().any(|child| child.name() == rule.parent);
        let (roots, others): (Vec<Element<'_>>, Vec<Element<'_>>) = nodes.partition(is_root);
        let (Some(first), false) = (roots.get(1).or(others.first()), roots.len() == 1) else {
            continue;
        };
        let message = format!(
            "{} of `{}` in this {} have no `{}`: it must be one",
            roots.len(),
            rule.nodes,
            rule.within,
            rule.parent
        );
        errors.push(wrong(message, first.name_span(), None));
    }
}

fn namings(
    document: &Document,
    element: Element<'_>,
    errors: &mut Vec<Diagnostic>,
    warnings: &mut Vec<Diagnostic>,
) {
    for rule in NAMINGS
        .iter()
        .filter(|rule| rule.within.contains(&element.name()))
    {
        let inside = descendants([element]);
        let mut known = ids(inside.iter().copied(), rule.names);
        if known.is_empty() {
            // They may stand in an element of their own that this one refers to.
            known = ids(descendants(document.roots()), rule.names);
        }
        let is_empty = |named: &Element<'_>| {
            let mut children = named.children();
            !rule.filled_by.is_empty()
                && !children.any(|child| rule.filled_by.contains(&child.name()))
        };
        let empty = ids(inside.iter().copied().filter(is_empty), rule.names);
        for inner in inside {
            let Some(attribute) = inner.attribute(rule.attribute) else {
                continue;
            };
            let name = attribute.value();
            if empty.contains(name) && !rule.filled_by.contains(&inner.name()) {
                let message = format!("the {} `{name}` is empty: this is nowhere", rule.names);
                warnings.push(wrong(message, attribute.span(), None));
            }
            if known.contains(name) || rule.built_in.contains(&name) {
                continue;
            }
            let near = nearest(name, known.iter().copied());
            let help = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!(
                "there is no {} `{name}` in this {}",
                rule.names,
                element.name()
            );
            errors.push(wrong(message, attribute.span(), help));
        }
    }
}

/// The elements and all inside them; not those that are checked by themselves.
fn descendants<'d>(elements: impl IntoIterator<Item = Element<'d>>) -> Vec<Element<'d>> {
    let mut unvisited: Vec<Element<'d>> = elements.into_iter().collect();
    let mut found = Vec::new();
    while let Some(element) = unvisited.pop() {
        found.push(element);
        unvisited.extend(element.children());
    }
    found
}

fn ids<'d>(elements: impl IntoIterator<Item = Element<'d>>, name: &str) -> HashSet<&'d str> {
    let named = (elements.into_iter()).filter(|element| element.name() == name);
    named
        .filter_map(|element| element.attribute("id").map(Attribute::value))
        .collect()
}
