//! What can be wrong with a model.

use lems_document::Span;
use lems_expression::{DimensionError, ExpressionError};

/// An error, or a warning, about a LEMS document; places are byte ranges of its sources.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum ModelError {
    #[error("this is not a LEMS file: its outermost element is `{root}`, not `Lems`")]
    NotLems { root: String, span: Span },
    #[error("no `Target`: nothing says which component to run")]
    NoTarget { span: Span },
    #[error("the target `{name}` has no `Simulation`: it does not say how long to run")]
    NothingToRun { name: String, span: Span },
    #[error("missing attribute `{attribute}` on `{element}`")]
    MissingAttribute {
        element: String,
        attribute: &'static str,
        span: Span,
    },
    #[error("`{text}` is not a quantity")]
    BadQuantity { text: String, span: Span },
    #[error("`{text}` is too large a number")]
    HugeQuantity { text: String, span: Span },
    #[error("`{text}` is not a whole number")]
    BadInteger { text: String, span: Span },
    #[error("`{text}` is not a number")]
    BadNumber { text: String, span: Span },
    #[error("unknown unit `{symbol}`")]
    UnknownUnit {
        symbol: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("unknown dimension `{name}`")]
    UnknownDimension {
        name: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("{what} `{name}` is defined twice, differently")]
    Conflict {
        what: &'static str,
        name: String,
        span: Span,
        first: Span,
    },
    #[error("{what} `{name}` is defined twice")]
    Duplicate {
        what: &'static str,
        name: String,
        span: Span,
        first: Span,
    },
    #[error("this `{block}` has more than one `Transition`: the last one counts")]
    TransitionTwice {
        block: String,
        span: Span,
        first: Span,
    },
    #[error("`{element}` has the id `{id}`, as a `{other}` beside it has: a path may mean either")]
    SharedId {
        element: String,
        other: String,
        id: String,
        span: Span,
        first: Span,
    },
    #[error("{what} `{name}` stands here twice, in the same words")]
    Repeated {
        what: &'static str,
        name: String,
        span: Span,
        first: Span,
    },
    #[error("unknown ComponentType `{name}`")]
    UnknownType {
        name: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("ComponentTypes extend one another in a circle: {}", chain.join(" -> "))]
    InheritanceCycle { chain: Vec<String>, span: Span },
    #[error("components extend one another in a circle: {}", chain.join(" -> "))]
    PrototypeCycle { chain: Vec<String>, span: Span },
    #[error("derived parameters of `{component_type}` need one another: {}", chain.join(" -> "))]
    DerivedParameterCycle {
        component_type: String,
        chain: Vec<String>,
        span: Span,
    },
    #[error("{error}")]
    Expression { error: ExpressionError, span: Span },
    #[error("{message}")]
    Dimensions {
        error: DimensionError,
        message: String,
        span: Span,
    },
    #[error("the {what} of `{variable}` must be {expected}, but this is {found}")]
    Mismatch {
        variable: String,
        what: &'static str,
        expected: String,
        found: String,
        span: Span,
    },
    #[error("the unit `{symbol}` is too large or too small to be computed with")]
    BadUnit { symbol: String, span: Span },
    #[error("this is a {found}, but a {expected} is needed")]
    WrongKind {
        expected: &'static str,
        found: &'static str,
        span: Span,
    },
    #[error("unknown variable `{name}` in `{component_type}`")]
    UnknownVariable {
        name: String,
        component_type: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{component_type}` has no state variable `{name}`")]
    UnknownStateVariable {
        name: String,
        component_type: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{component_type}` has no event port `{name}`")]
    UnknownPort {
        name: String,
        component_type: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{component_type}` has no regime `{name}`")]
    UnknownRegime {
        name: String,
        component_type: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{path}` is not a path to a variable")]
    BadPath { path: String, span: Span },
    #[error("`{path}` selects several values, but nothing says how to reduce them to one")]
    NoReduce { path: String, span: Span },
    #[error("unknown reduction `{name}`")]
    UnknownReduce { name: String, span: Span },
    #[error("{component} needs the parameter `{parameter}`")]
    MissingParameter {
        component: String,
        parameter: String,
        near: Option<String>,
        span: Span,
    },
    #[error("`{component_type}` has no parameter `{attribute}`")]
    UnknownAttribute {
        attribute: String,
        component_type: String,
        suggestion: Option<String>,
        variant: Option<String>,
        span: Span,
    },
    #[error("`{element}` has no attribute `{attribute}`: it has no effect")]
    UselessAttribute {
        attribute: String,
        element: String,
        suggestion: Option<String>,
        known: &'static [&'static str],
        span: Span,
    },
    #[error("`{text}` is {found}, but the parameter `{parameter}` needs {expected}")]
    WrongDimension {
        parameter: String,
        expected: String,
        found: String,
        text: String,
        example: Option<String>,
        span: Span,
    },
    #[error("no component has the id `{id}`")]
    UnknownComponent {
        id: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("there is no `{id}` beside this component")]
    UnknownSibling {
        id: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{component_type}` cannot contain `{child}`")]
    ChildNotAllowed {
        component_type: String,
        child: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("parameter path `{path}` of `{component_type}` leads nowhere")]
    UnresolvedParameterPath {
        path: String,
        component_type: String,
        span: Span,
    },
    #[error("more than {limit} {what} in a row")]
    TooDeep {
        what: &'static str,
        limit: usize,
        span: Span,
    },
    #[error("the types have more than {limit} declarations with those that they inherit")]
    TooManyDeclarations { limit: usize, span: Span },
    #[error("`{element}` is ignored here")]
    Ignored { element: String, span: Span },
    #[error(
        "this `OnEvent` is never run: `{component_type}` has regimes, and only they see events"
    )]
    HandlerBesideRegimes { component_type: String, span: Span },
    #[error("{component} is attached to nothing: the run is as if it were not there")]
    NeverAttached { component: String, span: Span },
    #[error("derived variables of `{component_type}` need one another: {}", chain.join(" -> "))]
    VariableCycle {
        component_type: String,
        chain: Vec<String>,
        span: Span,
    },
    #[error("`{component_type}` has no exposure `{name}`")]
    UnknownExposure {
        name: String,
        component_type: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{attribute}` is {}, not `{text}`", either(allowed))]
    BadChoice {
        attribute: &'static str,
        text: String,
        allowed: &'static [&'static str],
        span: Span,
    },
    #[error("`{name}` cannot be the name of a variable")]
    BadName { name: String, span: Span },
    #[error("`{component_type}` has no `Children` called `{name}`")]
    UnknownList {
        name: String,
        component_type: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{name}` has no `Case`")]
    NoCase { name: String, span: Span },
}

/// Why a model could not be read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelFailure {
    /// What is wrong.
    pub errors: Vec<ModelError>,
    /// What is wrong although jLEMS accepts it. It can be the cause of an error.
    pub warnings: Vec<ModelError>,
}

/// `a`, `b` or `c`.
fn either(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => String::new(),
    }
}

impl ModelError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        use ModelError::*;
        match self {
            NotLems { .. } => 201,
            NoTarget { .. } => 202,
            NothingToRun { .. } => 203,
            MissingAttribute { .. } => 204,
            BadQuantity { .. } => 205,
            BadInteger { .. } => 206,
            BadNumber { .. } => 207,
            UnknownUnit { .. } => 208,
            UnknownDimension { .. } => 209,
            Conflict { .. } => 210,
            Duplicate { .. } | TransitionTwice { .. } | SharedId { .. } => 211,
            UnknownType { .. } => 212,
            InheritanceCycle { .. } => 213,
            PrototypeCycle { .. } => 214,
            DerivedParameterCycle { .. } => 215,
            MissingParameter { .. } => 216,
            UnknownAttribute { .. } => 217,
            WrongDimension { .. } => 218,
            UnknownComponent { .. } => 219,
            ChildNotAllowed { .. } => 221,
            UnresolvedParameterPath { .. } => 222,
            TooDeep { .. } => 223,
            TooManyDeclarations { .. } => 250,
            BadUnit { .. } => 224,
            Ignored { .. } => 225,
            VariableCycle { .. } => 226,
            HugeQuantity { .. } => 227,
            UnknownSibling { .. } => 228,
            HandlerBesideRegimes { .. } => 229,
            UnknownExposure { .. } => 240,
            BadChoice { .. } => 241,
            BadName { .. } => 242,
            UnknownList { .. } => 243,
            NoCase { .. } => 244,
            NeverAttached { .. } => 245,
            Repeated { .. } => 246,
            UselessAttribute { .. } => 247,
            Expression { error, .. } => error.code(),
            Dimensions { error, .. } => error.code(),
            Mismatch { .. } => 323,
            WrongKind { .. } => 324,
            UnknownVariable { .. } => 330,
            UnknownStateVariable { .. } => 331,
            UnknownPort { .. } => 332,
            UnknownRegime { .. } => 333,
            BadPath { .. } => 334,
            NoReduce { .. } => 335,
            UnknownReduce { .. } => 336,
        }
    }

    /// Where the error is.
    pub fn span(&self) -> Span {
        use ModelError::*;
        match self {
            NotLems { span, .. }
            | NoTarget { span }
            | NothingToRun { span, .. }
            | MissingAttribute { span, .. }
            | BadQuantity { span, .. }
            | HugeQuantity { span, .. }
            | UnknownSibling { span, .. }
            | BadInteger { span, .. }
            | BadNumber { span, .. }
            | UnknownUnit { span, .. }
            | UnknownDimension { span, .. }
            | Conflict { span, .. }
            | Duplicate { span, .. }
            | TransitionTwice { span, .. }
            | SharedId { span, .. }
            | Repeated { span, .. }
            | UnknownType { span, .. }
            | InheritanceCycle { span, .. }
            | PrototypeCycle { span, .. }
            | DerivedParameterCycle { span, .. }
            | Expression { span, .. }
            | Dimensions { span, .. }
            | Mismatch { span, .. }
            | BadUnit { span, .. }
            | WrongKind { span, .. }
            | UnknownVariable { span, .. }
            | UnknownStateVariable { span, .. }
            | UnknownPort { span, .. }
            | UnknownRegime { span, .. }
            | BadPath { span, .. }
            | NoReduce { span, .. }
            | UnknownReduce { span, .. }
            | MissingParameter { span, .. }
            | UnknownAttribute { span, .. }
            | UselessAttribute { span, .. }
            | WrongDimension { span, .. }
            | UnknownComponent { span, .. }
            | ChildNotAllowed { span, .. }
            | UnresolvedParameterPath { span, .. }
            | TooDeep { span, .. }
            | TooManyDeclarations { span, .. }
            | Ignored { span, .. }
            | HandlerBesideRegimes { span, .. }
            | NeverAttached { span, .. }
            | VariableCycle { span, .. }
            | UnknownExposure { span, .. }
            | BadChoice { span, .. }
            | BadName { span, .. }
            | UnknownList { span, .. }
            | NoCase { span, .. } => *span,
        }
    }

    /// A second place that the error is about, and what is there.
    pub fn related(&self) -> Option<(Span, &'static str)> {
        match self {
            ModelError::Conflict { first, .. }
            | ModelError::Duplicate { first, .. }
            | ModelError::TransitionTwice { first, .. }
            | ModelError::SharedId { first, .. }
            | ModelError::Repeated { first, .. } => Some((*first, "first defined here")),
            _ => None,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        use ModelError::*;
        let did_you_mean =
            |name: &Option<String>| (name.as_ref()).map(|name| format!("did you mean `{name}`?"));
        match self {
            NotLems { root, .. } if root == "neuroml" => Some(
                "a NeuroML file holds a model but does not say how to run it: `jlems-rs run FILE` decides that, \
                 and `jlems-rs new FILE -o LEMS_file.xml` writes a LEMS file with a `Simulation` that does"
                    .to_owned(),
            ),
            NotLems { .. } => Some("put the definitions inside `<Lems> ... </Lems>`".to_owned()),
            NoTarget { .. } => Some(
                "add `<Target component=\"ID\"/>`, ID being the id of a `Simulation`".to_owned(),
            ),
            NothingToRun { .. } => Some(
                "let the target be a `Simulation` (or a component whose type has a `Run`), with a \
                 length, a step and this component as its target"
                    .to_owned(),
            ),
            MissingAttribute { attribute, .. } => Some(format!("add `{attribute}=\"...\"`")),
            BadQuantity { text, .. } if text.contains(',') => {
                Some("the decimal separator is a point, as in `0.5 ms`".to_owned())
            }
            HugeQuantity { .. } => Some("no number is larger than about 1.8e308".to_owned()),
            BadQuantity { .. } => {
                Some("write a number, and its unit if it has one, such as `-65 mV` or `3`".to_owned())
            }
            UnknownUnit { suggestion, .. } => did_you_mean(suggestion)
                .or_else(|| Some("units are case sensitive; a `Unit` element defines one".to_owned())),
            UnknownDimension { suggestion, .. }
            | UnknownType { suggestion, .. }
            | UnknownVariable { suggestion, .. }
            | UnknownStateVariable { suggestion, .. }
            | UnknownPort { suggestion, .. }
            | UnknownRegime { suggestion, .. }
            | UnknownAttribute { suggestion, .. }
            | UnknownComponent { suggestion, .. }
            | UnknownSibling { suggestion, .. }
            | UnknownExposure { suggestion, .. }
            | UnknownList { suggestion, .. }
            | ChildNotAllowed { suggestion, .. } => did_you_mean(suggestion).or(match self {
                UnknownType { .. } => {
                    Some("is the file that defines it included?".to_owned())
                }
                UnknownComponent { .. } => {
                    Some("only components at the top level can be referred to by id".to_owned())
                }
                UnknownStateVariable { .. } => Some("declare it with `StateVariable`".to_owned()),
                UnknownPort { .. } => Some("declare it with `EventPort`".to_owned()),
                UnknownExposure { .. } => Some("declare it with `Exposure`".to_owned()),
                UnknownList { .. } => Some("declare it with `Children`".to_owned()),
                UnknownRegime { .. } => Some("declare it with `Regime`".to_owned()),
                UnknownDimension { .. } => Some(
                    "a dimension is `voltage`, not `mV`; a `Dimension` element defines one"
                        .to_owned(),
                ),
                UnknownVariable { .. } => Some(
                    "declare it in this type: what comes from around the component with \
                     `Requirement`, what comes from a child with `DerivedVariable select`"
                        .to_owned(),
                ),
                UnknownAttribute { variant: Some(variant), .. } => {
                    Some(format!("a `{variant}` has one"))
                }
                UnknownAttribute { component_type, .. } => {
                    Some(format!("`jlems-rs describe {component_type}` lists what there is"))
                }
                ChildNotAllowed { component_type, .. } => Some(format!(
                    "declare it with `Child` or `Children` in the type; `jlems-rs describe \
                     {component_type}` lists what there is"
                )),
                UnknownSibling { .. } => Some("check the ids of the components beside it".to_owned()),
                _ => None,
            }),
            UselessAttribute { attribute, .. } if attribute == "valueCondition" => {
                Some("write a `ConditionalDerivedVariable` with a `Case` for each value".to_owned())
            }
            UselessAttribute { suggestion, known, .. } => did_you_mean(suggestion).or_else(|| {
                (!known.is_empty()).then(|| format!("it may have {}", either(known)))
            }),
            Conflict { .. } | Duplicate { .. } => Some("rename or remove one of them".to_owned()),
            SharedId { .. } => Some("give one of them another id".to_owned()),
            Repeated { .. } | TransitionTwice { .. } => Some("remove one of them".to_owned()),
            Expression { error, .. } => error.help(),
            MissingParameter { near: Some(near), parameter, .. } => {
                Some(format!("there is `{near}`; did you mean `{parameter}`?"))
            }
            MissingParameter { parameter, .. } => Some(format!("add `{parameter}=\"...\"`")),
            BadUnit { .. } => Some(
                "its value in SI units is `(x + offset) * scale * 10^power`: check power and scale"
                    .to_owned(),
            ),
            Dimensions { error: DimensionError::NotDimensionless { .. }, .. } => Some(
                "divide the quantity by one of the same dimension, such as a scale parameter"
                    .to_owned(),
            ),
            Dimensions { .. } => {
                Some("check that no factor or scale is missing on one side".to_owned())
            }
            Mismatch { what: "rate", .. } => Some(
                "the value of a `TimeDerivative` is per second: is a time constant missing?"
                    .to_owned(),
            ),
            WrongKind { expected: "condition", .. } => {
                Some("compare the number with something, as in `v .gt. thresh`".to_owned())
            }
            WrongKind { .. } => Some(
                "use a `ConditionalDerivedVariable`, or `H(a - b)`, which is 1 where a is above b"
                    .to_owned(),
            ),
            BadInteger { .. } => Some("write a whole number, such as `-3`".to_owned()),
            BadNumber { .. } => Some("write a plain number, such as `1e-3`".to_owned()),
            InheritanceCycle { .. } | PrototypeCycle { .. } => {
                Some("remove one `extends` of the circle".to_owned())
            }
            DerivedParameterCycle { .. } => {
                Some("let one of them use only plain parameters".to_owned())
            }
            UnresolvedParameterPath { .. } => Some(
                "a path is child or reference names and a parameter separated by `/`, such as \
                 `../cell/C`"
                    .to_owned(),
            ),
            WrongDimension { example: Some(example), .. } => {
                Some(format!("units of that dimension are {example}"))
            }
            HandlerBesideRegimes { .. } => {
                Some("put it into each regime in which it should run".to_owned())
            }
            NeverAttached { .. } => Some(
                "is a connection or an input list missing, or does one name another by mistake?"
                    .to_owned(),
            ),
            NoReduce { .. } => {
                Some("add `reduce=\"add\"` or `reduce=\"multiply\"`".to_owned())
            }
            UnknownReduce { .. } => Some("`add` and `multiply` are known".to_owned()),
            BadPath { .. } => Some(
                "a path is child names and a variable separated by `/`, such as `channel/g` or \
                 `synapses[*]/i`"
                    .to_owned(),
            ),
            WrongDimension { example: None, .. } => {
                Some("no unit of that dimension is defined: add a `Unit`".to_owned())
            }
            Mismatch { .. } => {
                Some("check that no factor is missing, and the declared dimension".to_owned())
            }
            VariableCycle { .. } => Some(
                "let one of them use only parameters, requirements and state variables".to_owned(),
            ),
            TooManyDeclarations { .. } => {
                Some("each type has a copy of what it inherits: let fewer types extend it".to_owned())
            }
            TooDeep { .. } => Some("derive them from one another in fewer steps".to_owned()),
            BadChoice { allowed, attribute, .. } => {
                Some(format!("write `{attribute}=\"{}\"`", allowed.first().unwrap_or(&"")))
            }
            BadName { .. } => Some(
                "expressions can use a name only if it has letters, digits and `_`, and begins \
                 with a letter"
                    .to_owned(),
            ),
            NoCase { .. } => {
                Some("add `<Case condition=\"...\" value=\"...\"/>` and `<Case value=\"...\"/>`".to_owned())
            }
            Ignored { .. } => Some("check its spelling and where it stands".to_owned()),
        }
    }
}
