//! Reads a file that is to be run: its text, its model, and what it says to run.

use lems_document::{Document, Element, IncludeOptions, SourceReader};
use lems_model::{Definitions, Model, ModelError, ModelFailure, Target};
use lems_network::{Estimate, Experiment};

use crate::{Failure, Options, settings};

/// What messages call the text of [`Options::additions`].
pub(crate) const RECORD: &str = "--record";

/// What messages call the texts of [`Options::inlets`].
pub(crate) const INLETS: &str = "inlets";

/// Reads a file and all that it includes.
///
/// # Errors
/// Malformed XML, missing files, circles of includes; settings of what is not there.
pub fn load(path: &str, reader: &dyn SourceReader, options: &Options) -> Result<Document, Failure> {
    let include = options.include_options();
    let mut document = Document::load(path, reader, &include)?;
    match apply(options, &mut document, &include) {
        Ok(()) => Ok(document),
        Err(failure) => Err(failure.with_warnings_of(&document)),
    }
}

/// Changes a document as the options say.
fn apply(
    options: &Options,
    document: &mut Document,
    include: &IncludeOptions,
) -> Result<(), Failure> {
    options.settings.apply(document)?;
    if let Some(text) = &options.additions
        && let Some(number) = settings::target(document).map(Element::number)
    {
        document.add_inside(number, RECORD, text.clone(), &include.limits)?;
    }
    for path in &options.inlets {
        document.add_text(INLETS, path);
    }
    Ok(())
}

/// Reads a file that is to be run.
///
/// # Errors
/// Those of [`load`]; a file that holds a model but does not say how to run it.
pub fn load_runnable(
    path: &str,
    reader: &dyn SourceReader,
    options: &Options,
) -> Result<Document, Failure> {
    let document = load(path, reader, options)?;
    let has_target = document.roots().any(|element| element.name() == "Target");
    if has_target || document.root_name().eq_ignore_ascii_case("Lems") {
        return Ok(document);
    }
    let error = ModelError::NotLems {
        root: document.root_name().to_owned(),
        span: document.root_span(),
    };
    Err(Failure::of(document.sources(), &[error]).with_warnings_of(&document))
}

/// Reads the model of a document.
///
/// # Errors
/// Everything that is wrong with its definitions, components or equations.
pub fn read_model(document: &Document) -> Result<Model<'_>, Failure> {
    checked(document, Model::read(document))
}

/// The same without the core types that nothing in the document is about.
///
/// # Errors
/// As of [`read_model`].
pub fn read_model_in_use(document: &Document) -> Result<Model<'_>, Failure> {
    checked(document, Model::read_in_use(document, &companions()))
}

/// The dimensions, units and types that the model of a document uses, if there is nothing wrong with them.
pub(crate) fn definitions_in_use(document: &Document) -> Option<Definitions<'_>> {
    Definitions::in_use(document, &companions())
}

/// Types that are made of others in a compartment, each with the one whose equations it has there.
fn companions() -> Vec<(&'static str, &'static str)> {
    crate::cable_rules().companions().collect()
}

/// The same as [`read_model_in_use`], with definitions of another document, from which this one differs in attributes
/// that were set.
pub(crate) fn read_model_like<'d>(
    document: &'d Document,
    definitions: &Definitions<'d>,
) -> Result<Model<'d>, Failure> {
    let sound = |model: &Model<'_>| settings::check(document, model).is_ok();
    match definitions.model_of(document).ok().filter(sound) {
        Some(model) => Ok(model),
        // The same errors as without these definitions.
        None => read_model_in_use(document),
    }
}

fn checked<'d>(
    document: &'d Document,
    model: Result<Model<'d>, ModelFailure>,
) -> Result<Model<'d>, Failure> {
    let model = model
        .map_err(|found| {
            let mut failure = Failure::of(document.sources(), &found.errors);
            failure.add(doubts_of_model(document, &found.warnings));
            failure
        })
        .and_then(|model| settings::check(document, &model).map(|()| model));
    model.map_err(|failure| failure.with_warnings_of(document))
}

/// The warnings of a model that are always shown, but for those about the core types.
pub(crate) fn doubts_of_model(document: &Document, warnings: &[ModelError]) -> Failure {
    let of_user = |warning: &&ModelError| !document.source(warning.span().source).embedded;
    let warnings: Vec<ModelError> = warnings.iter().filter(of_user).cloned().collect();
    Failure::always_shown(document.sources(), &warnings)
}

/// The simulation that a model asks for.
pub(crate) fn experiment<'d>(
    document: &Document,
    model: &Model<'d>,
) -> Result<(Target<'d>, Experiment<'d>), Failure> {
    let target = model
        .runnable_target(document)
        .map_err(|error| Failure::of(document.sources(), &[error]))?;
    let mut experiment = Experiment::of(model, target.component)
        .map_err(|errors| Failure::of(document.sources(), &errors))?;
    experiment.cable_rules = Some(crate::cable_rules().clone());
    Ok((target, experiment))
}

/// What the target of a model runs, and what the network of each run will hold; nothing is built.
///
/// # Errors
/// No target; nothing to run; components that contain one another too deep.
pub fn estimate<'d>(
    document: &Document,
    model: &Model<'d>,
) -> Result<(Experiment<'d>, Vec<Estimate>), Failure> {
    let failed = |failure: Failure| failure.with_warnings_of(document);
    let (_, experiment) = experiment(document, model).map_err(failed)?;
    let failed = |error| failed(Failure::of(document.sources(), &[error]));
    let estimates = (experiment.runs.iter())
        .map(|run| {
            let rules = experiment.cable_rules.as_ref();
            let most = usize::try_from(Estimate::LIMIT).unwrap_or(usize::MAX);
            Estimate::with_cables(model, run.target, most, rules).map_err(failed)
        })
        .collect::<Result<_, Failure>>()?;
    Ok((experiment, estimates))
}
