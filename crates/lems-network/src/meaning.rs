//! What the names that a type declares mean, for all its instances.

use lems_model::ComponentType;
use rustc_hash::FxHashMap;

/// Which value of an instance is meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Variable<'d> {
    /// The variable as of the end of the instance's own step.
    Exposed(&'d str),
    /// The variable as it is: not exposed, a requirement, or `t`.
    Live(&'d str),
    /// A value that never changes.
    Fixed(f64),
}

/// What a name means at all instances of a type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Meaning<'d> {
    /// The same variable.
    Variable(Variable<'d>),
    /// A value that each may have of its own, or not have.
    Value,
    /// Nothing; it may have a meaning around them.
    Nothing,
}

/// The public name of a variable: its `exposure`, or its own name if the type exposes that.
pub fn exposed_name<'d>(
    kind: &ComponentType<'d>,
    variable: &'d str,
    exposure: Option<&'d str>,
) -> Option<&'d str> {
    exposure.or_else(|| kind.dynamics.as_ref()?.exposures.get(variable).copied())
}

/// What the names that a type declares mean.
pub(crate) type DeclaredNames<'d> = FxHashMap<&'d str, Meaning<'d>>;

/// The names that a type declares. Of several things with one name, the first that is put into the table stays.
pub(crate) fn declared_names<'d>(kind: &ComponentType<'d>) -> DeclaredNames<'d> {
    let mut names = DeclaredNames::default();
    let variables = || {
        kind.dynamics
            .iter()
            .flat_map(|dynamics| dynamics.variables())
    };
    let exposed =
        || variables().filter_map(|v| Some((exposed_name(kind, v.name, v.exposure)?, v.name)));
    // Of several variables that are exposed under a name, the one that is called so comes first.
    let named_so = exposed().filter(|(name, own)| name == own);
    for (name, own) in named_so.chain(exposed()) {
        let meaning = Meaning::Variable(Variable::Exposed(own));
        names.entry(name).or_insert(meaning);
    }
    for own in variables().map(|v| v.name) {
        let meaning = Meaning::Variable(Variable::Live(own));
        names.entry(own).or_insert(meaning);
    }
    for name in kind.parameters.keys() {
        names.entry(name).or_insert(Meaning::Value);
    }
    for name in kind
        .dynamics
        .iter()
        .flat_map(|dynamics| &dynamics.requirements)
    {
        let meaning = Meaning::Variable(Variable::Live(name));
        names.entry(name).or_insert(meaning);
    }
    for name in kind.properties.keys() {
        names.entry(name).or_insert(Meaning::Value);
    }
    names
}
