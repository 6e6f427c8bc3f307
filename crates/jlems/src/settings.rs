//! Values that a command line gives to components, instead of those in the files.

use std::collections::HashSet;
use std::ops::Range;

use lems_document::{Attribute, Document, Element, Override, Source, SourceId, Span, nearest};
use lems_model::{ComponentId, Model, ParameterKind};

use crate::{Code, Diagnostic, Failure};

/// Changes of a model that leave its files alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `path/parameter=value`: ids, or names of elements, from the top level down. The last of several values counts.
    pub set: Vec<String>,
    /// Step of the simulation, as in `0.01 ms`.
    pub step: Option<String>,
    /// Length of the simulation, as in `1 s`.
    pub length: Option<String>,
    /// Settings that were given before, in their order: those that come later count. [`Settings::then`] adds to them.
    pub earlier: Vec<Settings>,
}

/// Most components that a message lists.
const LISTED: usize = 5;

impl Settings {
    /// These settings, and others that are given later and count more.
    #[must_use]
    pub fn then(mut self, later: Settings) -> Settings {
        for mut next in later.in_order() {
            let has_times = |one: &Settings| one.step.is_some() || one.length.is_some();
            if !has_times(&self) && !has_times(&next) {
                self.set.append(&mut next.set);
            } else if self.set.is_empty() && next.set.is_empty() {
                self.step = next.step.or(self.step);
                self.length = next.length.or(self.length);
            } else {
                let mut earlier = std::mem::take(&mut self.earlier);
                earlier.push(self);
                self = Settings { earlier, ..next };
            }
        }
        self
    }

    /// The same settings one after the other, none of which has earlier ones.
    fn in_order(mut self) -> Vec<Settings> {
        let mut all = std::mem::take(&mut self.earlier);
        all.push(self);
        all
    }

    /// The same without step and length, for a file that has no simulation yet.
    #[must_use]
    pub fn without_times(mut self) -> Settings {
        for settings in &mut self.earlier {
            (settings.step, settings.length) = (None, None);
        }
        (self.step, self.length) = (None, None);
        self
    }

    /// The step that counts, if one is given.
    pub fn last_step(&self) -> Option<&String> {
        let earlier = self.earlier.iter().rev();
        let mut all = std::iter::once(self).chain(earlier);
        all.find_map(|settings| settings.step.as_ref())
    }

    /// The length that counts, if one is given.
    pub fn last_length(&self) -> Option<&String> {
        let earlier = self.earlier.iter().rev();
        let mut all = std::iter::once(self).chain(earlier);
        all.find_map(|settings| settings.length.as_ref())
    }

    /// Gives the elements of a document their new attributes.
    ///
    /// # Errors
    /// A setting without `=`, a path that leads to no component or to several, nothing that has a
    /// step, a step or a length that `set` gives another value. Whether the component has such a parameter is known
    /// when the model is read.
    pub(crate) fn apply(&self, document: &mut Document) -> Result<(), Failure> {
        let mut problems = Problems::default();
        let mut overrides = Vec::new();
        for settings in self.earlier.iter().chain([self]) {
            overrides.extend(settings.overrides(document, &mut problems));
        }
        problems.none()?;
        for given in overrides {
            document.set_attribute(given);
        }
        Ok(())
    }

    /// The attributes that these settings give, without those that were given earlier.
    fn overrides(&self, document: &Document, problems: &mut Problems) -> Vec<Override> {
        let mut overrides: Vec<Override> = Vec::new();
        for text in &self.set {
            match place(document, text) {
                Ok(found) => overrides.push(found),
                Err((range, message, help)) => problems.add(SET, text, range, message, help),
            }
        }
        let set = overrides.len();
        for (option, attribute, text) in [
            ("--step", "increment", &self.step),
            ("--length", "total", &self.length),
        ] {
            let Some(text) = text else { continue };
            let whole = 0..text.len();
            let Some((element, name)) = of_run(document, attribute) else {
                let message = format!("the target has no simulation that `{option}` is for");
                problems.add(option, text, whole, message, None);
                continue;
            };
            let mut before = overrides.iter().take(set).rev();
            let same = before.find(|one| one.element == element && one.name == name);
            if let Some(other) = same
                && other.text.get(other.value.clone()) != Some(text.trim())
            {
                let path = other.text.split('=').next().unwrap_or_default();
                let message =
                    format!("`{SET} {path}` gives this, too, and not in the words of `{option}`");
                let help = "give one of them".to_owned();
                problems.add(option, text, whole, message, Some(help));
                continue;
            }
            overrides.push(Override {
                element,
                name,
                origin: option.to_owned(),
                text: text.clone(),
                value: whole,
            });
        }
        overrides
    }
}

/// What messages call a text of [`Settings::set`].
const SET: &str = "--set";

/// Numbers of the elements that parameters are of, which are named as settings name them.
///
/// # Errors
/// A path that leads to no component or to several.
pub(crate) fn elements_of(document: &Document, paths: &[String]) -> Result<HashSet<u32>, Failure> {
    let mut problems = Problems::default();
    let found = places(document, paths, &mut problems);
    let elements = found.iter().map(|(_, place)| place.element).collect();
    problems.none().map(|()| elements)
}

/// Where free parameters are, by their paths. What is wrong with a path is added to the problems.
fn places<'p>(
    document: &Document,
    paths: &'p [String],
    problems: &mut Problems,
) -> Vec<(&'p String, Override)> {
    let mut found = Vec::new();
    for path in paths {
        match place(document, &format!("{path}=")) {
            Ok(place) => found.push((path, place)),
            Err((range, message, help)) => problems.add("free", path, range, message, help),
        }
    }
    found
}

/// Checks that the components that were given values have such parameters.
///
/// # Errors
/// A name that the component's type does not declare, or that it computes.
pub(crate) fn check(document: &Document, model: &Model<'_>) -> Result<(), Failure> {
    let mut diagnostics = Vec::new();
    for (element, attribute) in document.overridden() {
        let Some(component) = component_of(model, element.number()) else {
            let message = format!("`{}` is not a component", element.name());
            diagnostics.push(wrong(message, attribute.span(), None));
            continue;
        };
        if let Some((message, help)) = unknown_parameter(model, component, attribute.name()) {
            diagnostics.push(wrong(message, attribute.name_span(), help));
        }
    }
    if diagnostics.is_empty() {
        return Ok(());
    }
    Err(Failure {
        sources: document.sources().to_vec(),
        diagnostics,
    })
}

/// Checks that the components of free parameters have such parameters.
///
/// # Errors
/// A path that leads to no component or to several; a name as of [`check`].
pub(crate) fn check_free(
    document: &Document,
    model: &Model<'_>,
    paths: &[String],
) -> Result<(), Failure> {
    let mut problems = Problems::default();
    for (path, place) in places(document, paths, &mut problems) {
        let wrong = match component_of(model, place.element) {
            None => Some((format!("`{path}` is not in a component"), None)),
            Some(component) => unknown_parameter(model, component, &place.name),
        };
        if let Some((message, help)) = wrong {
            let range = path.rfind(&place.name).unwrap_or(0)..path.trim_end().len();
            problems.add("free", path, range, message, help);
        }
    }
    problems.none()
}

/// The component of an element.
fn component_of(model: &Model<'_>, element: u32) -> Option<ComponentId> {
    let mut components = model.component_ids();
    components.find(|id| model.element(*id).number() == element)
}

/// Message and help for a name that is no parameter of a component, or a parameter that cannot be given.
fn unknown_parameter(
    model: &Model<'_>,
    component: ComponentId,
    name: &str,
) -> Option<(String, Option<String>)> {
    let kind = model.type_of_component(component);
    let title = model.title(component);
    let is_given =
        |kind: &ParameterKind<'_>| matches!(kind, ParameterKind::Given | ParameterKind::Default(_));
    if (kind.parameters.get(name)).is_some_and(|parameter| !is_given(&parameter.kind)) {
        let message = format!("`{name}` of {title} is computed from others");
        let help = format!("`jlems-rs describe {}` tells from which", kind.name);
        return Some((message, Some(help)));
    }
    let given = kind.parameters.iter();
    let given = given.filter(|(_, parameter)| is_given(&parameter.kind));
    let known: Vec<&str> = (given.map(|(name, _)| *name))
        .chain(kind.texts.keys().copied())
        .chain(kind.references.keys().copied())
        .chain(kind.slots.keys().copied())
        .collect();
    if known.contains(&name) {
        return None;
    }
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => list(known.iter().map(|name| (*name).to_owned())).map(|l| format!("it has {l}")),
    };
    Some((format!("{title} has no parameter `{name}`"), help))
}

fn wrong(message: String, span: Span, help: Option<String>) -> Diagnostic {
    Diagnostic::new(Code::USELESS_SETTING, message, Some(span), help)
}

type Problem = (Range<usize>, String, Option<String>);

#[derive(Default)]
struct Problems(Failure);

impl Problems {
    fn add(
        &mut self,
        option: &str,
        text: &str,
        range: Range<usize>,
        message: String,
        help: Option<String>,
    ) {
        let span = Span::new(SourceId::after(&self.0.sources), range);
        self.0.sources.push(Source {
            name: option.to_owned(),
            text: text.to_owned().into(),
            embedded: false,
        });
        self.0.diagnostics.push(wrong(message, span, help));
    }

    fn none(self) -> Result<(), Failure> {
        match self.0.diagnostics.is_empty() {
            true => Ok(()),
            false => Err(self.0),
        }
    }
}

/// The element and attribute that `path/parameter=value` is about.
fn place(document: &Document, text: &str) -> Result<Override, Problem> {
    let example = || Some("write it as in `--set \"cell/C=0.2 nF\"`".to_owned());
    let Some(equals) = text.find('=') else {
        return Err((0..text.len(), "this gives no value".to_owned(), example()));
    };
    let path = text.get(..equals).unwrap_or_default().trim_end();
    let separator = if path.contains('/') { '/' } else { '.' };
    let Some((components, name)) = path.rsplit_once(separator) else {
        let message = format!("`{path}` names no component, or no parameter of one");
        return Err((0..path.len(), message, example()));
    };
    let mut steps = components.split(separator);
    let first = steps.next().unwrap_or_default();
    let mut start = 0;
    let mut element =
        outermost(document, first).map_err(|(message, help)| (0..first.len(), message, help))?;
    let mut walked = first;
    for step in steps {
        start += walked.len() + separator.len_utf8();
        walked = step;
        element = inside(element, step)
            .map_err(|(message, help)| (start..start + step.len(), message, help))?;
    }
    let value = text.get(equals + 1..).unwrap_or_default();
    let blank = value.len() - value.trim_start().len();
    Ok(Override {
        element: element.number(),
        name: name.trim().to_owned(),
        origin: SET.to_owned(),
        text: text.to_owned(),
        value: equals + 1 + blank..text.trim_end().len(),
    })
}

fn id(element: Element<'_>) -> Option<&str> {
    element.attribute("id").map(Attribute::value)
}

/// The top-level element with that id. If there is none, the only element in the document with that id.
fn outermost<'d>(
    document: &'d Document,
    name: &str,
) -> Result<Element<'d>, (String, Option<String>)> {
    // As for references, the last of several counts.
    if let Some(element) = document
        .roots()
        .filter(|root| id(*root) == Some(name))
        .last()
    {
        return Ok(element);
    }
    let mut found: Vec<(String, Element<'d>)> = Vec::new();
    let mut ids = HashSet::new();
    let mut unvisited: Vec<(String, Element<'d>)> = (document.roots())
        .filter_map(|root| Some((id(root)?.to_owned(), root)))
        .collect();
    ids.extend(unvisited.iter().filter_map(|(_, root)| id(*root)));
    while let Some((path, element)) = unvisited.pop() {
        for child in element.children() {
            let step = id(child).unwrap_or_else(|| child.name());
            if id(child) == Some(name) && found.len() <= LISTED {
                found.push((format!("{path}/{step}"), child));
            }
            if child.children().next().is_some() {
                unvisited.push((format!("{path}/{step}"), child));
            }
        }
    }
    match found.as_slice() {
        [(_, only)] => Ok(*only),
        [] => {
            let near = nearest(name, ids.iter().copied());
            let help = match near {
                Some(near) => Some(format!("did you mean `{near}`?")),
                None => Some("a path starts with the id of a component".to_owned()),
            };
            Err((format!("no component has the id `{name}`"), help))
        }
        several => {
            let mut paths: Vec<String> = several.iter().map(|(path, _)| path.clone()).collect();
            paths.sort();
            let help = list(paths).map(|paths| format!("which one: {paths}?"));
            Err((format!("several components have the id `{name}`"), help))
        }
    }
}

/// The child with that id. If there is none, the only child whose element has that name.
fn inside<'d>(parent: Element<'d>, name: &str) -> Result<Element<'d>, (String, Option<String>)> {
    if let Some(child) = parent.children().find(|child| id(*child) == Some(name)) {
        return Ok(child);
    }
    let mut named = parent.children().filter(|child| child.name() == name);
    if let Some(first) = named.next() {
        if named.next().is_none() {
            return Ok(first);
        }
        let ids = (parent.children().filter(|child| child.name() == name)).filter_map(id);
        let help = list(ids.map(str::to_owned)).map(|ids| format!("use an id: {ids}"));
        return Err((format!("there is more than one `{name}` here"), help));
    }
    let title = id(parent).unwrap_or_else(|| parent.name());
    let names: Vec<&str> = (parent.children())
        .map(|child| id(child).unwrap_or_else(|| child.name()))
        .collect();
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => {
            list(names.iter().map(|name| (*name).to_owned())).map(|names| format!("it has {names}"))
        }
    };
    Err((format!("`{title}` has no `{name}` in it"), help))
}

/// Names as a sentence has them, the first few of many.
pub(crate) fn list(names: impl IntoIterator<Item = String>) -> Option<String> {
    let quoted: Vec<String> = (names.into_iter())
        .map(|name| format!("`{name}`"))
        .collect();
    let shown = quoted.get(..quoted.len().min(LISTED)).unwrap_or_default();
    match (quoted.len(), shown) {
        (0, _) => None,
        (number, _) if number > LISTED => {
            Some(format!("{} and {} more", shown.join(", "), number - LISTED))
        }
        (_, [first @ .., last]) if !first.is_empty() => {
            Some(format!("{} and {last}", first.join(", ")))
        }
        _ => Some(shown.concat()),
    }
}

/// The component that a document runs.
pub(crate) fn target(document: &Document) -> Option<Element<'_>> {
    let target = document.roots().find(|root| root.name() == "Target")?;
    let component = target.attribute("component")?.value();
    document
        .roots()
        .filter(|root| id(*root) == Some(component))
        .last()
}

/// The target of a document, and the parameter that its type's `Run` names as `attribute`.
fn of_run(document: &Document, attribute: &str) -> Option<(u32, String)> {
    let element = target(document)?;
    let type_named = |name: &str| {
        let mut types = document
            .roots()
            .filter(|root| root.name() == "ComponentType");
        types.find(|root| root.attribute("name").map(Attribute::value) == Some(name))
    };
    let typed = element
        .attribute("type")
        .and_then(|attribute| type_named(attribute.value()));
    let mut kind = typed.or_else(|| type_named(element.name()))?;
    let mut seen = HashSet::new();
    while seen.insert(kind.number()) {
        let simulations = kind.children().filter(|child| child.name() == "Simulation");
        let run = (simulations.flat_map(Element::children)).find(|child| child.name() == "Run");
        if let Some(run) = run {
            return Some((
                element.number(),
                run.attribute(attribute)?.value().to_owned(),
            ));
        }
        kind = type_named(kind.attribute("extends")?.value())?;
    }
    None
}
