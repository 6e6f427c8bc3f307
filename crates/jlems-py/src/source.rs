//! A model as Python holds it: its texts, and what is changed in them.

use std::collections::BTreeMap;
use std::sync::Arc;

use jlems::cells::ResolvedCell;
use jlems::{
    AS_A_SIMULATION, Around, Choices, Diagnostic, Failure, Limits, MadeOutputs, Options, Settings,
};
use lems_document::{Document, SourceReader};
use lems_model::Model;
use pyo3::prelude::*;

use crate::descriptions::{description, types};
use crate::failure::{Kind, Problem, exception, interruptible, json};
use crate::memory;
use crate::texts::{Text, Texts};

/// All data of a model, from which another process can make it again.
type Parts = (
    String,
    (BTreeMap<String, String>, BTreeMap<String, Text>),
    Vec<String>,
    Vec<(Vec<String>, Option<String>, Option<String>)>,
    (Option<String>, Option<String>),
    Vec<String>,
);

/// A model: where its text is, and what is changed in it.
#[pyclass(frozen, module = "jlems._jlems")]
#[derive(Debug, Clone)]
pub struct Source {
    pub path: String,
    pub texts: Arc<Texts>,
    include: Vec<String>,
    pub settings: Settings,
    target: Option<String>,
    temperature: Option<String>,
    limits: Vec<String>,
}

#[pymethods]
impl Source {
    /// A model at a path: in the given texts, or else a file.
    #[new]
    #[pyo3(signature = (path, given=BTreeMap::new(), include=Vec::new(), target=None, temperature=None, limits=Vec::new()))]
    fn new(
        path: String,
        given: BTreeMap<String, String>,
        include: Vec<String>,
        target: Option<String>,
        temperature: Option<String>,
        limits: Vec<String>,
    ) -> Source {
        Source {
            path,
            texts: Arc::new(Texts::new(given, true)),
            include,
            settings: Settings::default(),
            target,
            temperature,
            limits,
        }
    }

    /// The model with more settings.
    #[pyo3(signature = (set=Vec::new(), step=None, length=None))]
    fn with_settings(
        &self,
        set: Vec<String>,
        step: Option<String>,
        length: Option<String>,
    ) -> Source {
        let mut changed = self.clone();
        changed.settings = changed.settings.then(Settings {
            set,
            step,
            length,
            ..Settings::default()
        });
        changed
    }

    /// All that the model is.
    fn parts(&self) -> Parts {
        let settings = self.settings.earlier.iter().chain([&self.settings]);
        let settings = settings.map(|one| (one.set.clone(), one.step.clone(), one.length.clone()));
        (
            self.path.clone(),
            self.texts.all(),
            self.include.clone(),
            settings.collect(),
            (self.target.clone(), self.temperature.clone()),
            self.limits.clone(),
        )
    }

    /// The model with these parts.
    #[staticmethod]
    fn of_parts(parts: Parts) -> Source {
        let (path, (given, read), include, settings, (target, temperature), limits) = parts;
        let settings = settings.into_iter().map(|(set, step, length)| Settings {
            set,
            step,
            length,
            ..Settings::default()
        });
        Source {
            path,
            texts: Arc::new(Texts::restored(given, read)),
            include,
            settings: settings.fold(Settings::default(), Settings::then),
            target,
            temperature,
            limits,
        }
    }

    /// Path of the model.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    /// Reads the model, and gives its warnings.
    fn check(&self, py: Python<'_>) -> PyResult<Vec<Problem>> {
        let source = self.clone();
        let checked = interruptible(py, move || {
            let document = source.document()?;
            let model = jlems::read_model_in_use(&document)?;
            let of_document = document.warnings().iter().map(Diagnostic::from);
            let of_user = |warning: &&lems_model::ModelError| {
                !document.source(warning.span().source).embedded
            };
            let of_model = model.warnings.iter().filter(of_user).map(Diagnostic::from);
            let warnings: Vec<Diagnostic> = of_document
                .chain(of_model)
                .map(Diagnostic::as_warning)
                .collect();
            Ok(Problem::all(&warnings, document.sources()))
        })?;
        checked.map_err(|failure: Failure| exception(py, failure, Kind::Model))
    }

    /// The model as one LEMS text.
    fn to_xml(&self, py: Python<'_>) -> PyResult<String> {
        let source = self.clone();
        let text = interruptible(py, move || {
            let (around, mut options) = source.runnable(&Choices::default())?;
            options.additions = None;
            let reader = reader_of(&around, &source.texts);
            let path = around.as_ref().map_or(&source.path, |around| &around.path);
            let document = jlems::load(path, reader, &options)?;
            Ok(document.flat())
        })?;
        text.map_err(|failure: Failure| exception(py, failure, Kind::Model))
    }

    /// The components of the model, as JSON.
    fn components(&self, py: Python<'_>) -> PyResult<String> {
        let source = self.clone();
        let json = interruptible(py, move || {
            let document = source.document()?;
            let model = jlems::read_model(&document)?;
            json(&jlems::resolved::ResolvedModel::of(&model, &document))
        })?;
        json.map_err(|failure| exception(py, failure, Kind::Model))
    }

    /// The cells with segments, as JSON.
    fn cells(&self, py: Python<'_>) -> PyResult<String> {
        let source = self.clone();
        let json = interruptible(py, move || {
            let options = source.options()?;
            let document = source.document()?;
            let model = jlems::read_model(&document)?;
            json(&ResolvedCell::some(&document, &model, None, &options)?)
        })?;
        json.map_err(|failure| exception(py, failure, Kind::Model))
    }

    /// What runs, as JSON: populations, connections, recorded variables.
    fn network(&self, py: Python<'_>) -> PyResult<String> {
        let source = self.clone();
        let json = interruptible(py, move || {
            let networks = source.of_network(jlems::resolved::ResolvedNetwork::all)?;
            json(&networks)
        })?;
        json.map_err(|failure| exception(py, failure, Kind::Model))
    }

    /// Paths that can be recorded.
    fn quantities(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let source = self.clone();
        let paths = interruptible(py, move || source.of_network(jlems::resolved::quantities))?;
        let paths = paths.map_err(|failure| exception(py, failure, Kind::Model))?;
        Ok(paths.into_iter().next_back().unwrap_or_default())
    }

    /// What a type of the model is, as JSON.
    fn describe(&self, py: Python<'_>, name: String) -> PyResult<String> {
        let source = self.clone();
        let json = interruptible(py, move || {
            let document = source.document()?;
            description(&document, &name)
        })?;
        json.map_err(|failure| exception(py, failure, Kind::Usage))
    }

    /// The types of the model, as JSON.
    fn types(&self, py: Python<'_>) -> PyResult<String> {
        let source = self.clone();
        let json = interruptible(py, move || {
            let document = source.document()?;
            types(&document)
        })?;
        json.map_err(|failure| exception(py, failure, Kind::Model))
    }
}

/// Where a model is read from, if a text says what to run of it.
pub fn reader_of<'r>(around: &'r Option<Around<'r>>, texts: &'r Texts) -> &'r dyn SourceReader {
    match around {
        Some(around) => around,
        None => texts,
    }
}

impl Source {
    /// Options for all stages.
    pub fn options(&self) -> Result<Options, Failure> {
        let mut limits = Limits {
            memory: memory::most(),
            ..Limits::default()
        };
        for text in &self.limits {
            match text.parse() {
                Ok(setting) => limits.set(setting),
                Err(message) => {
                    let message = format!("the limit `{text}`: {message}");
                    return Err(Failure::plain(jlems::Code(604), message, None));
                }
            }
        }
        Ok(Options {
            include: self.include.clone(),
            settings: self.settings.clone(),
            limits,
            host: Some(memory::machine()),
            ..Options::default()
        })
    }

    /// The text with all that it includes, and the core types if it does not include them itself.
    fn document(&self) -> Result<Document, Failure> {
        let mut options = self.options()?;
        // A NeuroML file has no simulation whose step could be set.
        if jlems::is_neuroml(&self.path, &*self.texts) {
            options.settings = options.settings.without_times();
        }
        jlems::load_with_types(&self.path, &*self.texts, &options)
    }

    /// What a function makes of the networks of the model, without what the model itself does not record.
    fn of_network<T>(
        &self,
        of: impl Fn(&Document, &Model<'_>, &Options) -> Result<Vec<T>, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let (around, mut options) = self.runnable(&Choices::default())?;
        options.additions = None;
        let reader = reader_of(&around, &self.texts);
        let path = around.as_ref().map_or(&self.path, |around| &around.path);
        let document = jlems::load_runnable(path, reader, &options)?;
        let model = jlems::read_model_in_use(&document)?;
        of(&document, &model, &options)
    }

    /// The text around a NeuroML file that says what to run and to record, or None for a file that
    /// says so itself; and the options to run it with.
    pub fn runnable(&self, choices: &Choices) -> Result<(Option<Around<'_>>, Options), Failure> {
        let mut options = self.options()?;
        let choices = Choices {
            target: self.target.clone(),
            temperature: self.temperature.clone(),
            ..choices.clone()
        };
        let texts = &*self.texts;
        if let Some(mut simulation) = jlems::simulation_of(&self.path, texts, &options, &choices)? {
            let settings = &self.settings;
            let (length, step) = (settings.last_length(), settings.last_step());
            (length.into_iter()).for_each(|length| simulation.length.clone_from(length));
            (step.into_iter()).for_each(|step| simulation.step.clone_from(step));
            let text = simulation.to_lems();
            let around = Around::new(&self.path, AS_A_SIMULATION, text, texts);
            options.made_outputs = Some(MadeOutputs {
                path: around.path.clone(),
                chosen: choices.record_something(),
            });
            return Ok((Some(around), options));
        }
        let only_neuroml = [("target", &self.target), ("temperature", &self.temperature)];
        let given = only_neuroml.map(|(name, value)| Some(name).zip(value.as_ref()));
        if let Some((name, value)) = given.into_iter().flatten().next() {
            let message = format!(
                "{} says itself what it runs, so there is no use for the {name} `{value}`",
                self.path
            );
            let help = "this is for a NeuroML file".to_owned();
            return Err(Failure::plain(jlems::Code(607), message, Some(help)));
        }
        let outputs = jlems::outputs_of(&self.path, texts, &options, &choices)?;
        options.additions = (!outputs.is_empty()).then(|| outputs.to_lems());
        Ok((None, options))
    }
}
