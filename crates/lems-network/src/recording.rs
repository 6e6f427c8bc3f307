//! What a simulation runs and records: `Run`, `Record`, `DataWriter` and similar elements.

use lems_document::{Attribute, Span};
use lems_math::JavaRandom;
use lems_model::{ComponentId, Model, Role, Siblings, SimulationElement};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::build::MAX_INSTANCES;
use crate::rounded;
use crate::{CableRules, Network, NetworkError, Share, hash_order};

/// Everything that the target of a document asks to run and to record.
#[derive(Debug, Clone)]
pub struct Experiment<'d> {
    /// Runs, one after another.
    pub runs: Vec<Run>,
    /// Files of columns.
    pub data_files: Vec<DataFile<'d>>,
    /// Files of events.
    pub event_files: Vec<EventFile<'d>>,
    /// Plots.
    pub displays: Vec<Display<'d>>,
    /// The generator behind `random()`, as it stands before the network is built.
    pub random: JavaRandom,
    /// Most instances that a network may get.
    pub most_instances: usize,
    /// How types describe cells with dendrites; without it each cell is one compartment.
    pub cable_rules: Option<CableRules>,
    /// Components whose parameters are to be values in memory, not constants in code, because other
    /// runs will have other values.
    pub free: FxHashSet<ComponentId>,
    /// Paths of ports that take events from outside the run, in which `pop[*]` stands for every cell of a population.
    pub inlets: Vec<Attribute<'d>>,
    /// The share of the network that is built, if several ranks share it.
    pub share: Option<Share>,
    /// What is legal, but probably a mistake.
    pub warnings: Vec<NetworkError>,
}

/// A `Run` of a target: what runs, for how long, and in which steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Run {
    /// The component whose network runs.
    pub target: ComponentId,
    /// Length of a step, in seconds.
    pub step: f64,
    /// Length of the run, in seconds.
    pub length: f64,
    /// Number of steps; one more row is recorded.
    pub steps: u64,
}

/// A file of columns (`OutputFile`).
#[derive(Debug, Clone)]
pub struct DataFile<'d> {
    /// Path as the model gives it.
    pub path: String,
    /// Where the model names it; None if it is for a picture.
    pub span: Option<Span>,
    /// Whether it is for a picture.
    pub drawn: bool,
    /// Its columns.
    pub columns: Vec<Recording<'d>>,
}

/// A column or line before its path is resolved.
#[derive(Debug, Clone, Copy)]
pub struct Recording<'d> {
    /// Path of the quantity, from the root of the run.
    pub quantity: Attribute<'d>,
    /// What it is divided by.
    pub scale: f64,
    /// What the time is divided by.
    pub time_scale: f64,
}

/// A file of events (`EventOutputFile`).
#[derive(Debug, Clone)]
pub struct EventFile<'d> {
    /// Path as the model gives it.
    pub path: String,
    /// Where the model names it.
    pub span: Span,
    /// Order of the fields in a line; None if it is unknown, and then the file stays empty.
    pub format: Option<EventFormat>,
    /// What it records.
    pub selections: Vec<EventSelection<'d>>,
}

/// Order of time and id in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFormat {
    /// Id, then time.
    IdTime,
    /// Time, then id.
    TimeId,
}

/// The events of one port of one instance.
#[derive(Debug, Clone, Copy)]
pub struct EventSelection<'d> {
    /// Path of the instance.
    pub select: Attribute<'d>,
    /// Its port; None: the first.
    pub port: Option<Attribute<'d>>,
    /// Written with each event.
    pub id: &'d str,
}

/// A plot (`Display`).
#[derive(Debug, Clone)]
pub struct Display<'d> {
    /// Title.
    pub title: &'d str,
    /// xmin, xmax, ymin, ymax.
    pub region: [Option<f64>; 4],
    /// Its lines.
    pub lines: Vec<Line<'d>>,
}

/// A line of a plot.
#[derive(Debug, Clone, Copy)]
pub struct Line<'d> {
    /// What it shows.
    pub recording: Recording<'d>,
    /// Its id.
    pub id: &'d str,
    /// Colour as the model gives it.
    pub color: Option<&'d str>,
}

impl<'d> Experiment<'d> {
    /// Most steps of a run.
    pub const MOST_STEPS: u64 = 1 << 40;

    /// Starts the generator behind `random()` anew.
    pub fn reseed(&mut self, seed: i64) {
        self.random = JavaRandom::new(seed);
    }

    /// Builds the network of one of the runs.
    ///
    /// # Errors
    /// Those of [`Network::build_within`].
    pub fn network<'m>(
        &self,
        model: &'m Model<'d>,
        run: Run,
    ) -> Result<Network<'m, 'd>, Vec<NetworkError>> {
        let (random, cables) = (self.random.clone(), self.cable_rules.as_ref());
        let (target, most) = (run.target, self.most_instances);
        let mut network = match self.share {
            Some(share) => Network::build_share(model, target, random, most, cables, share),
            None => Network::build_within(model, target, random, most, cables),
        }?;
        network.free.clone_from(&self.free);
        Ok(network)
    }

    /// Collects the runs and recordings of a component and all components in it.
    ///
    /// # Errors
    /// A step that is not positive, a length that is negative, a seed that is no number, nothing
    /// to run.
    pub fn of(model: &Model<'d>, target: ComponentId) -> Result<Experiment<'d>, Vec<NetworkError>> {
        let mut collector = Collector {
            model,
            experiment: Experiment {
                runs: Vec::new(),
                data_files: Vec::new(),
                event_files: Vec::new(),
                displays: Vec::new(),
                random: JavaRandom::new(1234),
                most_instances: MAX_INSTANCES,
                share: None,
                cable_rules: None,
                free: FxHashSet::default(),
                inlets: Vec::new(),
                warnings: Vec::new(),
            },
            errors: Vec::new(),
            writers: FxHashMap::default(),
            data_ids: Vec::new(),
            records: Vec::new(),
        };
        collector.seed(target);
        if let Some(random) = &model.random {
            collector.experiment.random = random.clone();
        }
        collector.collect(target, None);
        collector.distribute();
        if collector.experiment.runs.is_empty() && collector.errors.is_empty() {
            collector.errors.push(NetworkError::NothingToRun {
                component: model.title(target),
                span: model.span_of(target),
            });
        }
        if collector.errors.is_empty() {
            Ok(collector.experiment)
        } else {
            Err(collector.errors)
        }
    }
}

/// The recorder that the records below a component belong to.
#[derive(Debug, Clone, Copy)]
enum Writer {
    Data(usize),
    Events(usize),
    Display(usize),
}

struct Collector<'m, 'd> {
    model: &'m Model<'d>,
    experiment: Experiment<'d>,
    errors: Vec<NetworkError>,
    writers: FxHashMap<ComponentId, Writer>,
    /// The ids of the elements that ask for files of columns, in the order of these.
    data_ids: Vec<Option<&'d str>>,
    records: Vec<Record<'d>>,
}

/// A record whose writer may still have to be met.
struct Record<'d> {
    writer: Option<Writer>,
    destination: Option<ComponentId>,
    line: Line<'d>,
    /// A scale that nothing can be divided by.
    bad_scale: Option<NetworkError>,
}

impl<'d> Collector<'_, 'd> {
    fn seed(&mut self, target: ComponentId) {
        let Some(seed) = self.model.text(target, "seed") else {
            return;
        };
        match seed.value().trim().parse() {
            Ok(number) => self.experiment.random = JavaRandom::new(number),
            Err(_) => self.errors.push(NetworkError::BadSeed {
                text: seed.value().to_owned(),
                span: seed.span(),
            }),
        }
    }

    fn collect(&mut self, id: ComponentId, writer: Option<Writer>) {
        let kind = self.model.type_of_component(id);
        let simulation = kind.simulation.clone();
        let mut writer = writer;
        for element in simulation.iter() {
            if let Some(own) = self.element(id, element, writer) {
                writer = Some(own);
                self.writers.insert(id, own);
            }
        }
        for child in self.children(id) {
            self.collect(child, writer);
        }
    }

    /// Children as jLEMS walks them: slots, then lists, by the hash of their names.
    fn children(&self, id: ComponentId) -> Vec<ComponentId> {
        let children = &self.model.component(id).children;
        let role = |children: &Siblings| self.model.component(children.first).role;
        let (mut slots, mut lists) = (Vec::new(), Vec::new());
        for child in children {
            let (names, name) = match role(child) {
                Role::Slot(name) => (&mut slots, name),
                Role::List(name) => (&mut lists, name),
                Role::TopLevel => continue,
            };
            if !names.contains(&name) {
                names.push(name);
            }
        }
        let slots = hash_order(&slots).into_iter().map(Role::Slot);
        let lists = hash_order(&lists).into_iter().map(Role::List);
        (slots.chain(lists))
            .flat_map(|part| {
                let of_part = children.iter().filter(move |group| role(group) == part);
                of_part.flat_map(|group| group.ids())
            })
            .collect()
    }

    /// Which file gets the columns of each. jLEMS knows files by the ids of their elements, so that
    /// the last one of an id gets the columns of all of them.
    fn receivers(&mut self) -> Vec<usize> {
        let last: FxHashMap<&str, usize> = (self.data_ids.iter().enumerate())
            .filter_map(|(file, id)| Some(((*id)?, file)))
            .collect();
        let mut receivers = Vec::with_capacity(self.data_ids.len());
        for (file, id) in self.data_ids.iter().enumerate() {
            let receiver = id.and_then(|id| last.get(id).copied()).unwrap_or(file);
            let data_file = self.experiment.data_files.get(file);
            if let (Some(id), Some(span)) = (id, data_file.and_then(|file| file.span))
                && receiver != file
            {
                let id = (*id).to_owned();
                let warning = NetworkError::SameOutputId { id, span };
                self.experiment.warnings.push(warning);
            }
            receivers.push(receiver);
        }
        receivers
    }

    /// Gives the records to their writers.
    fn distribute(&mut self) {
        let receivers = self.receivers();
        for record in std::mem::take(&mut self.records) {
            let named = (record.destination).and_then(|id| self.writers.get(&id).copied());
            match named.or(record.writer) {
                Some(Writer::Data(file)) => {
                    self.errors.extend(record.bad_scale);
                    let columns = &mut self.experiment.data_files[receivers[file]].columns;
                    columns.push(record.line.recording);
                }
                Some(Writer::Display(display)) => {
                    // The files do not depend on it.
                    self.experiment.warnings.extend(record.bad_scale);
                    self.experiment.displays[display].lines.push(record.line);
                }
                Some(Writer::Events(_)) | None => {}
            }
        }
    }

    /// The component that a reference means, of a component or of one around it.
    fn destination(&self, id: ComponentId, name: &str) -> Option<ComponentId> {
        let parent = |id: &ComponentId| self.model.component(*id).parent;
        std::iter::successors(Some(id), parent).find_map(|id| self.model.reference(id, name))
    }

    fn text(&self, id: ComponentId, name: Option<&str>) -> Option<Attribute<'d>> {
        self.model.text(id, name?)
    }

    /// What a record is divided by; the error if that makes no sense.
    fn scale(&self, id: ComponentId, name: Option<&str>) -> Result<f64, NetworkError> {
        let Some((name, value)) =
            name.and_then(|name| Some((name, self.model.parameter(id, name)?)))
        else {
            return Ok(1.0);
        };
        let given = self.model.text(id, name);
        if value.is_nan() && given.is_none() {
            return Ok(1.0);
        }
        if value.is_finite() && value != 0.0 {
            return Ok(value);
        }
        Err(NetworkError::BadScale {
            name: name.to_owned(),
            value,
            span: given.map_or_else(|| self.model.span_of(id), Attribute::span),
        })
    }

    fn element(
        &mut self,
        id: ComponentId,
        element: &SimulationElement<'d>,
        writer: Option<Writer>,
    ) -> Option<Writer> {
        match *element {
            SimulationElement::Run {
                component,
                increment,
                total,
            } => self.run(id, component, increment, total),
            SimulationElement::Record {
                quantity,
                time_scale,
                scale,
                color,
                destination,
                ..
            } => {
                let Some(quantity) = self.text(id, Some(quantity.value())) else {
                    self.missing(id, quantity);
                    return None;
                };
                let scale = self.scale(id, scale);
                let time_scale = self.scale(id, time_scale);
                let recording = Recording {
                    quantity,
                    scale: *scale.as_ref().unwrap_or(&1.0),
                    time_scale: *time_scale.as_ref().unwrap_or(&1.0),
                };
                self.records.push(Record {
                    writer,
                    destination: destination.and_then(|name| self.destination(id, name)),
                    line: Line {
                        recording,
                        id: self.model.name(id).unwrap_or(""),
                        color: self.text(id, color).map(Attribute::value),
                    },
                    bad_scale: scale.err().or(time_scale.err()),
                });
            }
            SimulationElement::EventRecord {
                quantity,
                event_port,
            } => {
                let Some(select) = self.text(id, Some(quantity.value())) else {
                    self.missing(id, quantity);
                    return None;
                };
                let selection = EventSelection {
                    select,
                    port: self.text(id, event_port),
                    // What jLEMS writes for a selection without an id.
                    id: self.model.name(id).unwrap_or("null"),
                };
                if let Some(Writer::Events(file)) = writer {
                    self.experiment.event_files[file].selections.push(selection);
                }
            }
            SimulationElement::DataDisplay { title, data_region } => {
                let mut region = [None; 4];
                let names = data_region.unwrap_or("").split(',').map(str::trim);
                for (bound, name) in region.iter_mut().zip(names) {
                    *bound = self.model.parameter(id, name);
                }
                self.experiment.displays.push(Display {
                    title: self.text(id, title).map_or("", Attribute::value),
                    region,
                    lines: Vec::new(),
                });
                return Some(Writer::Display(self.experiment.displays.len() - 1));
            }
            SimulationElement::DataWriter { path, file_name } => {
                let (path, span) = self.file(id, path, file_name)?;
                let columns = Vec::new();
                self.experiment.data_files.push(DataFile {
                    path,
                    span: Some(span),
                    drawn: false,
                    columns,
                });
                self.data_ids.push(self.model.name(id));
                return Some(Writer::Data(self.experiment.data_files.len() - 1));
            }
            SimulationElement::EventWriter {
                path,
                file_name,
                format,
            } => {
                let (path, span) = self.file(id, path, file_name)?;
                let given = self.text(id, format);
                let format = match given.map(Attribute::value) {
                    Some("ID_TIME") => Some(EventFormat::IdTime),
                    Some("TIME_ID") => Some(EventFormat::TimeId),
                    _ => None,
                };
                if let (None, Some(given)) = (format, given) {
                    self.experiment.warnings.push(NetworkError::UnknownFormat {
                        format: given.value().to_owned(),
                        span: given.span(),
                    });
                }
                self.experiment.event_files.push(EventFile {
                    path,
                    span,
                    format,
                    selections: Vec::new(),
                });
                return Some(Writer::Events(self.experiment.event_files.len() - 1));
            }
        }
        None
    }

    fn missing(&mut self, id: ComponentId, attribute: Attribute<'d>) {
        self.errors.push(NetworkError::MissingAttribute {
            component: self.model.title(id),
            attribute: attribute.value().to_owned(),
            span: self.model.element(id).name_span(),
        });
    }

    /// The path of an output, and where its name stands.
    fn file(
        &mut self,
        id: ComponentId,
        folder: Option<&str>,
        name: Option<&str>,
    ) -> Option<(String, Span)> {
        let attribute = name.unwrap_or("fileName");
        let name = self.text(id, Some(attribute));
        let Some(name) = name.filter(|name| !name.value().trim().is_empty()) else {
            self.errors.push(NetworkError::NoFileName {
                attribute: attribute.to_owned(),
                span: name.map_or_else(|| self.model.span_of(id), Attribute::span),
            });
            return None;
        };
        let folder = self.text(id, folder).map_or("", Attribute::value);
        let path = match folder.trim_end_matches('/') {
            "" => name.value().to_owned(),
            folder => format!("{folder}/{}", name.value()),
        };
        Some((path, name.span()))
    }

    fn run(
        &mut self,
        id: ComponentId,
        component: Attribute<'d>,
        increment: Attribute<'d>,
        total: Attribute<'d>,
    ) {
        let parameter = |name: &str| self.model.parameter(id, name);
        let values = (parameter(increment.value()), parameter(total.value()));
        let target = self.model.reference(id, component.value());
        let (Some(step), Some(length)) = values else {
            self.missing(id, if values.0.is_none() { increment } else { total });
            return;
        };
        let Some(target) = target else {
            self.missing(id, component);
            return;
        };
        let place = |name: &str| {
            let attribute = self.model.text(id, name);
            attribute.map_or_else(|| self.model.span_of(id), Attribute::span)
        };
        let steps = (length / step + 0.5).floor();
        if !(step > 0.0 && step.is_finite()) {
            let span = place(increment.value());
            self.errors
                .push(NetworkError::BadStep { value: step, span });
        } else if !(length >= 0.0 && length.is_finite()) {
            let span = place(total.value());
            self.errors.push(NetworkError::BadLength {
                value: length,
                span,
            });
        } else if steps > Experiment::MOST_STEPS as f64 {
            let span = place(increment.value());
            self.errors.push(NetworkError::TooManySteps {
                steps,
                limit: Experiment::MOST_STEPS,
                span,
            });
        } else {
            let end = steps * step;
            if (end - length).abs() > 1e-6 * step {
                let span = place(total.value());
                let [length, step, end] = [length, step, end].map(rounded);
                self.experiment.warnings.push(NetworkError::UnevenLength {
                    length,
                    step,
                    end,
                    span,
                });
            }
            self.experiment.runs.push(Run {
                target,
                step,
                length,
                steps: lems_math::saturating_u64(steps),
            });
        }
    }
}
