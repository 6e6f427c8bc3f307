//! What can go wrong when a network is built.

use lems_document::Span;

/// An error about the instances of a model.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[allow(missing_docs)]
pub enum NetworkError {
    #[error("the target {component} runs nothing")]
    NothingToRun { component: String, span: Span },
    #[error("`{path}` leads nowhere: {inside} has no `{step}`")]
    UnresolvedPath {
        path: String,
        step: String,
        inside: String,
        suggestion: Option<String>,
        there: Vec<String>,
        span: Span,
    },
    #[error("`{path}` leads nowhere: {inside} has {}, counted from 0", elements(*size))]
    IndexTooLarge {
        path: String,
        inside: String,
        size: usize,
        span: Span,
    },
    #[error("{instance} has no variable `{variable}`")]
    UnknownVariable {
        variable: String,
        instance: String,
        suggestion: Option<String>,
        span: Span,
    },
    /// A warning: a line of a display shows nothing. What is wrong with its path would be an error elsewhere.
    #[error("{error}, so the display lacks this line")]
    UndrawnLine { error: Box<NetworkError> },
    #[error("no variable of `{component_type}` has the exposure `{exposure}`: it is 0 here")]
    UnfilledExposure {
        exposure: String,
        component_type: String,
        span: Span,
    },
    #[error("{instance} requires `{variable}`, which nothing around it has")]
    UnmetRequirement {
        variable: String,
        instance: String,
        span: Span,
    },
    #[error("{instance} has no event port `{port}`")]
    UnknownPort {
        port: String,
        instance: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{name}` names no attribute, reference or instance here")]
    UnknownName {
        name: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("{component} needs the attribute `{attribute}`")]
    MissingAttribute {
        component: String,
        attribute: String,
        span: Span,
    },
    #[error("{instance} has no list to attach {component} to")]
    NoAttachments {
        instance: String,
        component: String,
        lists: Vec<String>,
        span: Span,
    },
    #[error("{what} is {value}: it must be a whole number from 0 to 1 000 000 000")]
    BadCount {
        what: String,
        value: f64,
        span: Span,
    },
    #[error("the step of the simulation is {value} s: it must be positive")]
    BadStep { value: f64, span: Span },
    #[error("the length of the simulation is {value} s: it must be finite, and not negative")]
    BadLength { value: f64, span: Span },
    #[error("the simulation has {steps} steps, more than {limit}")]
    TooManySteps { steps: f64, limit: u64, span: Span },
    #[error("the delay of {component} is {value} s: it must be from 0 to {LONGEST_DELAY:e} s")]
    BadDelay {
        value: f64,
        component: String,
        span: Span,
    },
    #[error("`{name}` is {value}: a value cannot be divided by that")]
    BadScale {
        name: String,
        value: f64,
        span: Span,
    },
    #[error("`{text}` is not a seed: a whole number of at most 64 bits")]
    BadSeed { text: String, span: Span },
    #[error("{instance} has more than {max} `{list}`")]
    TooManyChildren {
        list: String,
        max: usize,
        instance: String,
        why: Option<String>,
        span: Span,
    },
    #[error("`{path}` names `{step}`, but the only instance there is {instance}")]
    OtherName {
        path: String,
        step: String,
        instance: String,
        span: Span,
    },
    #[error("instances contain one another more than {limit} deep at {instance}")]
    TooDeep {
        limit: usize,
        instance: String,
        span: Span,
    },
    #[error("the network needs more than {most} {table}")]
    TooLarge {
        table: &'static str,
        most: usize,
        span: Span,
    },
    #[error("the model has more than {limit} instances")]
    TooManyInstances { limit: usize, span: Span },
    #[error("the network would take about {needed} of memory, more than {limit}")]
    TooMuchMemory {
        needed: String,
        limit: String,
        span: Span,
    },
    #[error("an assigned value cannot be computed: {reason}")]
    BadAssign { reason: String, span: Span },
    #[error("`{element}` has no effect in a `Structure` here")]
    Ignored { element: String, span: Span },
    #[error("the edge {edge} of a kinetic scheme does not join two of its states")]
    BadEdge { edge: String, span: Span },
    #[error("{cell}: {problem}")]
    BadMorphology {
        cell: String,
        problem: String,
        help: Option<String>,
        span: Span,
    },
    #[error("this selection is wrong: {reason}")]
    BadSelection { reason: String, span: Span },
    #[error("{instance} depends on what it makes itself")]
    CircularSelection { instance: String, span: Span },
    #[error("the regime `{regime}` of {instance} leads back to itself without waiting")]
    EndlessTransitions {
        regime: String,
        instance: String,
        span: Span,
    },
    #[error(
        "from the regime `{regime}` of {instance}, regimes lead to one another more than {most} times in one step"
    )]
    TooManyTransitions {
        most: usize,
        regime: String,
        instance: String,
        span: Span,
    },
    #[error("`{quantity}` never changes: every row will have {value} (in SI units)")]
    ConstantColumn {
        quantity: String,
        value: f64,
        span: Span,
    },
    #[error("`{quantity}` is in this file twice")]
    ColumnTwice { quantity: String, span: Span },
    #[error(
        "the step of {step} s is larger than the time constant `{parameter}` of {component}, {value} s"
    )]
    CoarseStep {
        step: f64,
        parameter: String,
        component: String,
        value: f64,
        span: Span,
    },
    #[error("{part} is in {place} of {cell}, which has no membrane: it has no effect")]
    CoversNothing {
        part: String,
        place: String,
        cell: String,
        span: Span,
    },
    #[error(
        "compartments of {cell} are up to {lengths} length constants long (at 100 Hz): those of \
         `{section}`{}", others(*sections)
    )]
    LongCompartments {
        cell: String,
        section: String,
        sections: usize,
        lengths: f64,
        divisions: String,
        declared: bool,
        span: Span,
    },
    #[error(
        "{} of {cell} in no section, as {first}: each is a section of its own, with one compartment",
        are_segments(*segments)
    )]
    OutsideSections {
        cell: String,
        segments: usize,
        first: String,
        span: Span,
    },
    #[error(
        "{} and {} of {channel} cover the same membrane in {} of {cell}: they add up",
        densities[0], densities[1], in_compartments(*compartments)
    )]
    Overlap {
        cell: String,
        channel: String,
        densities: [String; 2],
        compartments: usize,
        span: Span,
    },
    #[error(
        "groups of {cell} name {}, which the cell has not: they are left out",
        segments_not_there(*segments, *first)
    )]
    MissingMembers {
        cell: String,
        segments: usize,
        first: i64,
        span: Span,
    },
    #[error(
        "{part} reads `{variable}`, which no `{element}` gives in {compartments} of {cell}: it is \
         {value} there (in SI units)", compartments = in_compartments(*compartments)
    )]
    NothingGives {
        part: String,
        variable: String,
        element: String,
        compartments: usize,
        cell: String,
        value: f64,
        span: Span,
    },
    #[error("the length of {length} s is no whole number of steps of {step} s")]
    UnevenLength {
        length: f64,
        step: f64,
        end: f64,
        span: Span,
    },
    #[error("elements of {list} have no id: paths count them, 0 and up, in the order of the file")]
    Nameless { list: String, span: Span },
    #[error("`format` is `ID_TIME` or `TIME_ID`, not `{format}`: the file stays empty")]
    UnknownFormat { format: String, span: Span },
    #[error("another output has the id `{id}`, too, and gets the columns of this one")]
    SameOutputId { id: String, span: Span },
    #[error("{instance} receives on `{port}` and sends nothing on it: nothing is recorded")]
    NotSent {
        port: String,
        instance: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("an event on `{port}` of {instance} does nothing")]
    NotReceived {
        port: String,
        instance: String,
        suggestion: Option<String>,
        span: Span,
    },
    #[error("`{attribute}` is empty: {component} is attached to the only fitting list, `{list}`")]
    EmptyDestination {
        attribute: String,
        component: String,
        list: String,
        span: Span,
    },
    #[error("the output has no file name in `{attribute}`")]
    NoFileName { attribute: String, span: Span },
}

/// Longest delay of an event, in seconds: beyond it, steps could not be told apart.
pub(crate) const LONGEST_DELAY: f64 = 1e12;

/// Most names that a message lists.
pub(crate) const LISTED: usize = 8;

fn elements(size: usize) -> String {
    match size {
        1 => "1 element".to_owned(),
        _ => format!("{size} elements"),
    }
}

fn others(sections: usize) -> String {
    match sections {
        0 | 1 => String::new(),
        2 => ", and those of another section are long, too".to_owned(),
        _ => format!(
            ", and those of {} other sections are long, too",
            sections - 1
        ),
    }
}

fn in_compartments(count: usize) -> String {
    match count {
        1 => "a compartment".to_owned(),
        _ => format!("{count} compartments"),
    }
}

fn are_segments(number: usize) -> String {
    match number {
        1 => "a segment is".to_owned(),
        _ => format!("{number} segments are"),
    }
}

fn segments_not_there(number: usize, first: i64) -> String {
    match number {
        1 => format!("segment {first}"),
        _ => format!("{number} segments, as {first}"),
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = (names.iter().take(LISTED))
        .map(|name| format!("`{name}`"))
        .collect();
    let more = if names.len() > LISTED { ", …" } else { "" };
    quoted.join(", ") + more
}

impl NetworkError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        use NetworkError::*;
        match self {
            NothingToRun { .. } => 203,
            UnknownFormat { .. } => 241,
            SameOutputId { .. } => 430,
            UnresolvedPath { .. } => 401,
            IndexTooLarge { .. } => 402,
            UnknownVariable { .. } | UnfilledExposure { .. } => 403,
            UnmetRequirement { .. } => 404,
            UnknownPort { .. } | NotSent { .. } | NotReceived { .. } => 405,
            UnknownName { .. } => 406,
            NoAttachments { .. } | EmptyDestination { .. } => 407,
            BadCount { .. } => 408,
            BadStep { .. } => 409,
            BadLength { .. } => 410,
            TooManySteps { .. } => 411,
            BadSeed { .. } => 412,
            TooDeep { .. } => 413,
            TooManyInstances { .. } => 414,
            BadAssign { .. } => 415,
            Ignored { .. } => 416,
            BadEdge { .. } => 417,
            BadMorphology { .. } => 432,
            NoFileName { .. } => 418,
            MissingAttribute { .. } => 419,
            TooManyChildren { .. } => 420,
            OtherName { .. } => 421,
            BadSelection { .. } => 422,
            CircularSelection { .. } => 423,
            EndlessTransitions { .. } | TooManyTransitions { .. } => 424,
            TooMuchMemory { .. } => 425,
            Nameless { .. } => 426,
            BadDelay { .. } => 428,
            BadScale { .. } => 429,
            TooLarge { .. } => 431,
            ConstantColumn { .. } => 440,
            ColumnTwice { .. } => 441,
            CoarseStep { .. } => 442,
            UnevenLength { .. } => 443,
            CoversNothing { .. } => 444,
            LongCompartments { .. } => 445,
            OutsideSections { .. } => 446,
            NothingGives { .. } => 447,
            MissingMembers { .. } => 448,
            Overlap { .. } => 449,
            UndrawnLine { .. } => 450,
        }
    }

    /// Where the error is.
    pub fn span(&self) -> Span {
        use NetworkError::*;
        match self {
            UndrawnLine { error } => error.span(),
            NothingToRun { span, .. }
            | UnresolvedPath { span, .. }
            | IndexTooLarge { span, .. }
            | UnknownVariable { span, .. }
            | UnfilledExposure { span, .. }
            | UnmetRequirement { span, .. }
            | UnknownPort { span, .. }
            | UnknownName { span, .. }
            | MissingAttribute { span, .. }
            | NoAttachments { span, .. }
            | BadCount { span, .. }
            | BadStep { span, .. }
            | BadLength { span, .. }
            | TooManySteps { span, .. }
            | BadDelay { span, .. }
            | BadScale { span, .. }
            | BadSeed { span, .. }
            | TooDeep { span, .. }
            | TooManyChildren { span, .. }
            | OtherName { span, .. }
            | TooLarge { span, .. }
            | TooManyInstances { span, .. }
            | TooMuchMemory { span, .. }
            | BadAssign { span, .. }
            | Ignored { span, .. }
            | BadEdge { span, .. }
            | BadMorphology { span, .. }
            | BadSelection { span, .. }
            | CircularSelection { span, .. }
            | EndlessTransitions { span, .. }
            | TooManyTransitions { span, .. }
            | ConstantColumn { span, .. }
            | ColumnTwice { span, .. }
            | CoarseStep { span, .. }
            | UnevenLength { span, .. }
            | CoversNothing { span, .. }
            | LongCompartments { span, .. }
            | OutsideSections { span, .. }
            | MissingMembers { span, .. }
            | Overlap { span, .. }
            | NothingGives { span, .. }
            | Nameless { span, .. }
            | UnknownFormat { span, .. }
            | SameOutputId { span, .. }
            | NotSent { span, .. }
            | NotReceived { span, .. }
            | EmptyDestination { span, .. }
            | NoFileName { span, .. } => *span,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        use NetworkError::*;
        match self {
            UndrawnLine { error } => error.help(),
            UnresolvedPath { suggestion: Some(name), step, .. } if name == step => {
                Some(format!("put an element `<{name} .../>` into it"))
            }
            UnknownVariable { suggestion: Some(name), variable, .. } if name == variable => {
                Some("its type only says that there is one: give it a `type` that computes it".to_owned())
            }
            UnresolvedPath { suggestion: Some(name), .. }
            | UnknownVariable { suggestion: Some(name), .. }
            | UnknownPort { suggestion: Some(name), .. }
            | NotReceived { suggestion: Some(name), .. }
            | UnknownName { suggestion: Some(name), .. } => Some(format!("did you mean `{name}`?")),
            UnresolvedPath { there, .. } if !there.is_empty() => {
                Some(format!("it has {}", listed(there)))
            }
            UnresolvedPath { .. } => Some(
                "a path goes down from the target by ids, as in `population[0]/v` or \
                 `population/0/cell/v`"
                    .to_owned(),
            ),
            UnknownVariable { .. } => Some(
                "name an exposure, a variable or a parameter of the type, as in `population[0]/v`; \
                 `jlems-rs describe TYPE` lists them"
                    .to_owned(),
            ),
            UnknownPort { .. } => {
                Some("declare it with `EventPort`; `jlems-rs describe TYPE` lists the ports".to_owned())
            }
            UnknownName { .. } => Some(
                "name a parameter, a reference or a text of the type, or what `With` or `ForEach` \
                 calls an instance"
                    .to_owned(),
            ),
            NothingToRun { .. } => Some(
                "let the target be a `Simulation` with a length, a step and a target of its own"
                    .to_owned(),
            ),
            UnmetRequirement { variable, .. } if variable == "temperature" => Some(
                "give the network a temperature: `type=\"networkWithTemperature\" \
                 temperature=\"32 degC\"`, or a cell that runs alone `--temperature 32degC`"
                    .to_owned(),
            ),
            UnmetRequirement { variable, .. } => {
                Some(format!("put it inside a component that has `{variable}`"))
            }
            NoAttachments { lists, .. } if lists.is_empty() => {
                Some("its type needs an `Attachments` element".to_owned())
            }
            NoAttachments { lists, .. } => Some(format!(
                "name one of its lists with `destination`: {}",
                lists.join(", ")
            )),
            TooManyChildren { why, max, .. } => Some(why.clone().unwrap_or_else(|| {
                format!("leave {max} of them, or give the list a larger `max`")
            })),
            BadStep { .. } => Some("give a positive step, such as `step=\"0.01ms\"`".to_owned()),
            MissingAttribute { attribute, .. } => Some(format!(
                "add `{attribute}=\"...\"`: the id of a component, or the path of an instance"
            )),
            BadDelay { value, .. } if *value > 0.0 => {
                Some("leave the connection out if its events are never to arrive".to_owned())
            }
            BadDelay { .. } => Some(
                "an event cannot arrive before it is sent: give a delay such as `delay=\"5ms\"`"
                    .to_owned(),
            ),
            BadScale { .. } => Some("give a unit to count in, such as `scale=\"1mV\"`".to_owned()),
            BadLength { .. } => Some("give a length, such as `length=\"100ms\"`".to_owned()),
            IndexTooLarge { size: 0, .. } => {
                Some("is the size of the population right?".to_owned())
            }
            IndexTooLarge { size, .. } => Some(format!("the last one is [{}]", size - 1)),
            TooDeep { .. } => Some("does a component contain itself?".to_owned()),
            TooLarge { .. } => Some("one run cannot number more of them: run parts of the network by themselves".to_owned()),
            TooManyInstances { .. } => Some("is the number of copies right?".to_owned()),
            TooMuchMemory { .. } => Some(
                "`jlems-rs run --plan` tells what takes it; allow more with `--limit memory=…`"
                    .to_owned(),
            ),
            BadCount { .. } => Some("check the number of copies".to_owned()),
            EndlessTransitions { .. } | TooManyTransitions { .. } => {
                Some("let one of the regimes wait for a condition or an event".to_owned())
            }
            ConstantColumn { .. } => Some("is a variable meant, such as `v`?".to_owned()),
            ColumnTwice { .. } => Some("was it copied, and its index forgotten?".to_owned()),
            CoarseStep { .. } => Some(
                "take a tenth of the time constant or less: with this step the variable overshoots"
                    .to_owned(),
            ),
            CoversNothing { .. } => Some("is another group meant, or are its segments missing?".to_owned()),
            LongCompartments { divisions, declared: true, .. } => {
                Some(format!("`{divisions}` in its group would make them a tenth"))
            }
            LongCompartments { divisions, .. } => {
                Some(format!("make it a section: a group with `{divisions}`"))
            }
            OutsideSections { .. } => {
                Some("add them to the groups of the sections that they belong to".to_owned())
            }
            MissingMembers { .. } => Some("name segments of this morphology".to_owned()),
            Overlap { .. } => Some(
                "the program that jNeuroML exports for NEURON takes the last of them only".to_owned(),
            ),
            NothingGives { element, .. } => {
                Some(format!("add a `{element}` that covers these compartments"))
            }
            UnevenLength { end, .. } => Some(format!("the run ends at {end} s")),
            Nameless { .. } => Some("add `id=\"0\"`, `id=\"1\"` and so on".to_owned()),
            UnfilledExposure { exposure, .. } => Some(format!(
                "give its `Dynamics` a variable with `exposure=\"{exposure}\"`"
            )),
            NotSent { suggestion, .. } => Some(match suggestion {
                Some(port) => format!("it sends on `{port}`"),
                None => "it sends no events".to_owned(),
            }),
            NotReceived { .. } => {
                Some("name a port that its type handles with `OnEvent`".to_owned())
            }
            EmptyDestination { attribute, list, .. } => {
                Some(format!("write `{attribute}=\"{list}\"`"))
            }
            SameOutputId { .. } => Some("give each output an id of its own".to_owned()),
            UnknownFormat { .. } => Some("write `format=\"ID_TIME\"`".to_owned()),
            NoFileName { attribute, .. } => Some(format!("write `{attribute}=\"out.dat\"`")),
            TooManySteps { .. } => Some("is the step too small for the length?".to_owned()),
            BadSeed { .. } => Some("write a whole number, such as `seed=\"7\"`".to_owned()),
            BadAssign { .. } => {
                Some("a value uses parameters and properties of the instances around it".to_owned())
            }
            Ignored { .. } => Some("check its spelling and where it stands".to_owned()),
            OtherName { .. } => Some("write the id of the component that is there".to_owned()),
            BadEdge { .. } => {
                Some("let `from` and `to` be ids of states of the same scheme".to_owned())
            }
            BadMorphology { help, .. } => Some(help.clone().unwrap_or_else(|| {
                "segments are joined to one tree, each to its parent".to_owned()
            })),
            BadSelection { .. } => Some(
                "a selection is a collection with a condition on its instances, as in \
                 `cells[index .lt. 3]`"
                    .to_owned(),
            ),
            CircularSelection { .. } => {
                Some("select instances that do not depend on this one".to_owned())
            }
        }
    }
}
