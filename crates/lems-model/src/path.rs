//! The paths in `select` attributes. Each is parsed once, when its type is read.

use lems_document::Attribute;

/// A path from an instance to variables below it.
#[derive(Debug, Clone)]
pub struct Select<'d> {
    /// Steps down to the instances.
    pub steps: Vec<Step<'d>>,
    /// The variable there.
    pub variable: &'d str,
    /// The attribute that holds the path.
    pub source: Attribute<'d>,
}

impl<'d> Select<'d> {
    /// Reads `a/b`, `list[*]/x` or `list[attribute='value']/x`.
    pub(crate) fn parse(source: Attribute<'d>) -> Option<Self> {
        let mut parts: Vec<&str> = source.value().trim().split('/').map(str::trim).collect();
        let variable = parts.pop().filter(|name| !name.is_empty())?;
        let steps = parts.into_iter().map(Step::parse).collect::<Option<_>>()?;
        Some(Select {
            steps,
            variable,
            source,
        })
    }

    /// Whether the path leads to all elements of a list, or some.
    pub fn is_of_several(&self) -> bool {
        let mut steps = self.steps.iter();
        steps.any(|step| !matches!(step, Step::Name(_)))
    }
}

/// One step of a path in a selection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'d> {
    /// A child by slot, reference or id.
    Name(&'d str),
    /// `list[*]`: all elements of a list.
    All(&'d str),
    /// `list[attribute='value']`: the elements with that attribute.
    Where {
        /// The list.
        list: &'d str,
        /// Name of a reference or text.
        attribute: &'d str,
        /// Its value.
        value: &'d str,
    },
}

impl<'d> Step<'d> {
    fn parse(text: &'d str) -> Option<Self> {
        let Some((list, rest)) = text.split_once('[') else {
            return match text.strip_suffix('*') {
                Some(list) => Some(Step::All(list)),
                None => (!text.is_empty()).then_some(Step::Name(text)),
            };
        };
        let predicate = rest.strip_suffix(']')?.trim();
        if predicate == "*" {
            return Some(Step::All(list));
        }
        let (attribute, value) = predicate.split_once('=')?;
        let value = value.trim_matches(|c: char| c == '=' || c.is_whitespace());
        let value = value.trim_matches(|c| c == '\'' || c == '"');
        Some(Step::Where {
            list,
            attribute: attribute.trim(),
            value,
        })
    }
}

/// The path of a `DerivedParameter` to a parameter of another component.
#[derive(Debug, Clone)]
pub struct ParameterPath<'d> {
    /// Where the path begins and where it leads. None if the text is no path.
    pub(crate) route: Option<Route<'d>>,
    /// The attribute that holds the path.
    pub source: Attribute<'d>,
}

/// The parts of a [`ParameterPath`].
#[derive(Debug, Clone)]
pub(crate) struct Route<'d> {
    /// `//Type[reference=...]`: the path leads on from the component of that type whose reference means the
    /// component at the end of the steps.
    pub search: Option<Search<'d>>,
    /// Names of components, from the component that has the parameter. `..` leads to its parent.
    pub steps: Vec<&'d str>,
    /// The parameter there.
    pub parameter: &'d str,
}

/// The components among which a [`Route`] searches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Search<'d> {
    /// Name of their type.
    pub kind: &'d str,
    /// The reference that is compared.
    pub reference: &'d str,
}

impl<'d> ParameterPath<'d> {
    pub(crate) fn parse(source: Attribute<'d>) -> Self {
        let route = Route::parse(source.value());
        ParameterPath { route, source }
    }
}

impl<'d> Route<'d> {
    /// Reads `a/b/parameter`, `../parameter` or `//Type[reference=path]/parameter`.
    fn parse(text: &'d str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("//") else {
            let (steps, parameter) = text.rsplit_once('/').unwrap_or((".", text));
            return Some(Route::new(None, steps, parameter));
        };
        let (kind, rest) = rest.split_once('[')?;
        let (predicate, parameter) = rest.split_once("]/")?;
        let (reference, steps) = predicate.split_once('=')?;
        let reference = reference.trim();
        let search = Search { kind, reference };
        Some(Route::new(Some(search), steps.trim(), parameter))
    }

    fn new(search: Option<Search<'d>>, steps: &'d str, parameter: &'d str) -> Self {
        Route {
            search,
            steps: steps.split('/').map(str::trim).collect(),
            parameter: parameter.trim(),
        }
    }
}
