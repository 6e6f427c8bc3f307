//! The stages of a run as values: [`Loaded`], [`Checked`], [`Built`], [`Compiled`], [`Run`].
//!
//! Each is made from the one before. It owns its data, except that [`Checked`] borrows the text. Each has the
//! warnings that its stage found. Every stage is checked against the limits of the [`Options`]; the time that they
//! allow begins with the first stage.

mod backend;
mod compiled;
mod cut;

use std::sync::Arc;
use std::time::Duration;

use lems_document::{Document, Source, SourceReader};
use lems_engine::{RecordSettings, Simulation};
use lems_model::{ComponentId, Definitions, Model, Target};
use lems_network::{DataFile, Experiment, NetworkError};
use lems_output::EventFormat;

use crate::displays;
use crate::host::{Pace, Timer};
use crate::pipeline::places::long_kernels;
use crate::reading::{
    INLETS, RECORD, definitions_in_use, doubts_of_model, experiment, read_model_in_use,
    read_model_like,
};
use crate::{
    Diagnostic, Failure, LimitError, Method, Options, Plots, Settings, Stage, display_name,
    is_of_a_request, late_events, load_runnable, settings,
};

pub(crate) use backend::with_backend;
pub use compiled::{Compiled, Run, RunError};

/// The clock and the limit on time of all stages together.
#[derive(Debug, Clone)]
pub(crate) struct Budget {
    timer: Timer,
    limit: Option<Duration>,
}

impl Budget {
    fn start(options: &Options) -> Budget {
        Budget {
            timer: Timer::start(&options.host()),
            limit: options.limits.time(),
        }
    }

    /// Whether there is time left.
    fn time_left(&self) -> Result<(), LimitError> {
        match self.limit {
            Some(limit) if self.timer.is_over(limit) => Err(LimitError::Time { limit }),
            _ => Ok(()),
        }
    }

    /// Chooses when a run of this budget is looked at.
    fn pace(&self) -> Pace {
        Pace::start(self.timer.host())
    }

    /// Begins a stage, if time and memory are left for it.
    fn begin(&self, stage: &'static str, options: &Options) -> Result<(), LimitError> {
        self.time_left()?;
        (options.limits).allow_memory(&*options.host(), &options.stage)?;
        options.stage.begin(stage);
        Ok(())
    }
}

/// A model as text, with all that it includes.
#[derive(Debug)]
pub struct Loaded {
    document: Document,
    budget: Budget,
}

impl Loaded {
    /// Reads a LEMS file that says what to run, and all that it includes.
    ///
    /// # Errors
    /// Malformed XML, missing files, circles of includes; settings of what is not there; a file that
    /// holds a model but does not say how to run it.
    pub fn read(
        path: &str,
        reader: &dyn SourceReader,
        options: &Options,
    ) -> Result<Loaded, Failure> {
        let budget = Budget::start(options);
        options.stage.begin(Stage::READING);
        let document = load_runnable(path, reader, options)?;
        Ok(Loaded { document, budget })
    }

    /// The same model with more settings, without reading its text again. The time that the limits
    /// allow begins anew.
    ///
    /// # Errors
    /// A setting names something that is not there.
    pub fn with_settings(&self, settings: &Settings, options: &Options) -> Result<Loaded, Failure> {
        let mut document = self.document.clone();
        match settings.apply(&mut document) {
            Ok(()) => Ok(Loaded {
                document,
                budget: Budget::start(options),
            }),
            Err(failure) => Err(failure.with_warnings_of(&document)),
        }
    }

    /// The text as a tree of elements.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// What was not read as it is written.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let warnings = self.document.warnings().iter();
        warnings
            .map(|warning| Diagnostic::from(warning).as_warning())
            .collect()
    }

    /// The texts that the places of all messages about this model are in.
    pub fn into_sources(self) -> Vec<Source> {
        self.document.into_sources()
    }

    /// Reads the types and components, and what the target runs and records.
    ///
    /// # Errors
    /// Everything that is wrong with definitions, components or equations; no target; a limit on
    /// time or memory.
    pub fn check(&self, options: &Options) -> Result<Checked<'_>, Failure> {
        self.check_like(None, options)
    }

    /// The dimensions, units and types of the model, for [`check_like`](Self::check_like). None if there is something
    /// wrong with them.
    pub fn definitions(&self) -> Option<Definitions<'_>> {
        definitions_in_use(&self.document)
    }

    /// The same as [`check`](Self::check), but quicker: with the definitions of the model that this one was made of by
    /// [`with_settings`](Self::with_settings).
    ///
    /// # Errors
    /// Those of [`check`](Self::check).
    pub fn check_like<'d>(
        &'d self,
        known: Option<&Definitions<'d>>,
        options: &Options,
    ) -> Result<Checked<'d>, Failure> {
        let begun = self.budget.begin(Stage::TYPES, options);
        let begun =
            begun.map_err(|error| Failure::from(error).and(Failure::warnings_of(&self.document)));
        begun.and_then(|()| Checked::within(&self.document, known, self.budget.clone()))
    }
}

/// A model that is understood: types, components, and what its target runs and records.
#[derive(Debug)]
pub struct Checked<'d> {
    pub(crate) document: &'d Document,
    pub(crate) model: Model<'d>,
    pub(crate) target: Target<'d>,
    pub(crate) experiment: Experiment<'d>,
    budget: Budget,
}

impl<'d> Checked<'d> {
    /// What a document means, with a time that begins now.
    pub(crate) fn of(document: &'d Document, options: &Options) -> Result<Checked<'d>, Failure> {
        Checked::within(document, None, Budget::start(options))
    }

    fn within(
        document: &'d Document,
        known: Option<&Definitions<'d>>,
        budget: Budget,
    ) -> Result<Checked<'d>, Failure> {
        let model = match known {
            Some(known) => read_model_like(document, known)?,
            None => read_model_in_use(document)?,
        };
        match experiment(document, &model) {
            Ok((target, experiment)) => Ok(Checked {
                document,
                model,
                target,
                experiment: Experiment {
                    inlets: document.added_texts(INLETS).collect(),
                    ..experiment
                },
                budget,
            }),
            Err(failure) => {
                let doubts = doubts_of_model(document, &model.warnings);
                Err(failure.and(Failure::warnings_of(document)).and(doubts))
            }
        }
    }

    /// Types, components and units.
    pub fn model(&self) -> &Model<'d> {
        &self.model
    }

    /// What is legal in the user's files, but probably a mistake.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let of_user = |span: lems_document::Span| !self.document.source(span.source).embedded;
        let warnings = self.model.warnings.iter();
        warnings
            .filter(|warning| of_user(warning.span()))
            .map(|warning| Diagnostic::from(warning).as_warning())
            .collect()
    }

    /// The warnings so far that are shown with every failure, because they may name its cause.
    pub(crate) fn doubts(&self) -> Failure {
        let mut doubts = Failure::warnings_of(self.document);
        doubts.add(doubts_of_model(self.document, &self.model.warnings));
        doubts
    }

    /// Checks that the components of free parameters have such parameters. [`build`](Self::build) only asks that the
    /// components are there, because each of several models with one list of [`Options::free`] may lack some.
    ///
    /// # Errors
    /// A path that leads to no component or to several; a parameter that its component does not have.
    pub fn has_free(&self, paths: &[String]) -> Result<(), Failure> {
        settings::check_free(self.document, &self.model, paths)
    }

    /// Builds the network of each run, and the program of its steps.
    ///
    /// # Errors
    /// Paths, names and ports that lead nowhere; a limit.
    pub fn build(&self, options: &Options) -> Result<Built, Failure> {
        let begun = self.budget.begin(Stage::BUILDING, options);
        let built = begun.map_err(Failure::from);
        let built = built.and_then(|()| self.build_runs(options));
        built.map_err(|failure| failure.and(self.doubts()))
    }

    fn build_runs(&self, options: &Options) -> Result<Built, Failure> {
        let Checked {
            document,
            model,
            target,
            ..
        } = self;
        let mut experiment = self.experiment.clone();
        let rounded = as_exported(model, &mut experiment, options.method);
        let model = rounded.as_ref().unwrap_or(model);
        let simulations = simulations(document, model, *target, &mut experiment, options)?;
        let plots = if options.displays {
            displays::all(model, &experiment, &simulations)
        } else {
            Plots::default()
        };
        let interpreted = simulations.iter();
        let interpreted = interpreted.flat_map(|run| long_kernels(model, &run.program));
        let formats = experiment.event_files.iter().map(|file| file.format);
        Ok(Built {
            event_formats: formats.map(|format| format.map(format_of)).collect(),
            times_file: target.times_file.map(|file| file.value().to_owned()),
            interpreted: interpreted.map(Diagnostic::as_warning).collect(),
            plots,
            simulations: simulations.into_iter().map(Arc::new).collect(),
            budget: self.budget.clone(),
        })
    }
}

/// The model with its numbers rounded as in an export for NEURON, if the run is to reproduce NEURON's numbers.
pub(crate) fn as_exported<'d>(
    model: &Model<'d>,
    experiment: &mut Experiment<'d>,
    method: Method,
) -> Option<Model<'d>> {
    if !method.is_neurons() {
        return None;
    }
    let rules = experiment.cable_rules.as_ref()?.in_single_precision();
    let rounded = model.with_digits(rules.digits());
    experiment.cable_rules = Some(rules);
    Some(rounded)
}

fn format_of(format: lems_network::EventFormat) -> EventFormat {
    match format {
        lems_network::EventFormat::IdTime => EventFormat::IdTime,
        lems_network::EventFormat::TimeId => EventFormat::TimeId,
    }
}

/// Builds the networks and programs of all runs of a target.
pub(crate) fn simulations<'d>(
    document: &Document,
    model: &Model<'d>,
    target: Target<'d>,
    experiment: &mut Experiment<'d>,
    options: &Options,
) -> Result<Vec<Simulation>, Failure> {
    let failed = |errors: Vec<NetworkError>| Failure::of(document.sources(), &errors);
    if let Some(seed) = options.seed {
        experiment.reseed(seed);
    }
    let is_added = |span: lems_document::Span| document.source(span.source).name == RECORD;
    let free = settings::elements_of(document, &options.free)?;
    let is_free = |id: &ComponentId| free.contains(&model.element(*id).number());
    experiment.free = match free.is_empty() {
        true => Default::default(),
        false => model.component_ids().filter(is_free).collect(),
    };
    if options.without_data {
        (experiment.data_files).retain(|file| file.span.is_some_and(is_added));
        experiment.displays.clear();
    }
    if options.without_events {
        (experiment.event_files).retain(|file| is_added(file.span));
    }
    if options.displays {
        for (number, display) in experiment.displays.iter().enumerate() {
            experiment.data_files.push(DataFile {
                path: display_name(number),
                span: None,
                drawn: true,
                columns: display.lines.iter().map(|line| line.recording).collect(),
            });
        }
    }
    let limits = &options.limits;
    limits.allow_outputs(experiment, options.every)?;
    experiment.most_instances = limits.most_instances();
    let mut simulations = Vec::new();
    for (number, run) in (0..).zip(experiment.runs.clone()) {
        limits.allow_run(document, model, target.component, &run)?;
        let recording = RecordSettings {
            number,
            every: options.every.max(1),
            times_file: target.times_file.map(|file| file.value().to_owned()),
        };
        let part = cut::part(model, experiment, run, &recording, options)?;
        let simulation = match part {
            Some(part) => part,
            None => Simulation::new(model, experiment, run, recording, options.method)
                .map_err(failed)?,
        };
        refuse_other_names(document, &simulation)?;
        let simulation = match options.late_events {
            true => late_events::delivered_late(simulation)?,
            false => simulation,
        };
        limits.allow_program(&simulation.program)?;
        simulations.push(match options.fast {
            true => simulation.fast(lems_jit::can_fuse()),
            false => simulation,
        });
    }
    Ok(simulations)
}

/// Refuses a path that the user asks for, and that has a name that nothing has. In a file, such a name stands for the only
/// instance there, as in jLEMS. Who asks for one means another, such as a segment by its name.
fn refuse_other_names(document: &Document, simulation: &Simulation) -> Result<(), Failure> {
    let is_wrong = |warning: &&NetworkError| {
        matches!(warning, NetworkError::OtherName { .. })
            && is_of_a_request(&document.source(warning.span().source).name)
    };
    let wrong = simulation.warnings.iter().filter(is_wrong);
    let wrong: Vec<NetworkError> = wrong.cloned().collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::of(document.sources(), &wrong);
    if !simulation.program.cables.is_empty() {
        for help in (failure.diagnostics.iter_mut()).flat_map(|one| &mut one.help) {
            help.push_str(", or the number of a segment, as in `pop[0]/7/v`");
        }
    }
    Err(failure)
}

/// The networks of all runs of a target as programs; nothing of the text is left.
#[derive(Debug, Clone)]
pub struct Built {
    simulations: Vec<Arc<Simulation>>,
    /// Warnings of kernels that are too long for machine code.
    pub(crate) interpreted: Vec<Diagnostic>,
    pub(crate) plots: Plots,
    event_formats: Vec<Option<EventFormat>>,
    times_file: Option<String>,
    budget: Budget,
}

impl Built {
    /// The runs of the target, in their order; mostly one.
    pub fn simulations(&self) -> &[Arc<Simulation>] {
        &self.simulations
    }

    /// What there is to draw, if [`Options::displays`] asks for it.
    pub fn plots(&self) -> &Plots {
        &self.plots
    }

    /// The order of the two fields in the lines of each event file; none where jLEMS does not know
    /// the order that the model names, and writes nothing.
    pub fn event_formats(&self) -> &[Option<EventFormat>] {
        &self.event_formats
    }

    /// The file that the times of the rows go to, if the model names one.
    pub fn times_file(&self) -> Option<&str> {
        self.times_file.as_deref()
    }

    /// What is legal in the networks, but probably a mistake, and kernels that will be slow.
    pub fn warnings(&self) -> Vec<Diagnostic> {
        let interpreted = self.interpreted.iter().cloned();
        interpreted.chain(self.doubts()).collect()
    }

    /// What is legal in the networks, but probably a mistake.
    pub(crate) fn doubts(&self) -> impl Iterator<Item = Diagnostic> {
        let warnings = self.simulations.iter().flat_map(|run| &run.warnings);
        warnings.map(|warning| Diagnostic::from(warning).as_warning())
    }
}
