//! Bounds on what a model may take: time, memory and disk are shared with others.

use std::time::Duration;

use lems_document::Document;
use lems_ir::{Program, statements};
use lems_model::{ComponentId, Model};
use lems_network::{Estimate, Experiment, NetworkError, Run};

use crate::{Code, Diagnostic, Failure, Host, Stage, memory};

/// Bounds on what a model may take. [`LIMITS`] lists them by name; `usize::MAX` is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How much is read.
    pub document: lems_document::Limits,
    /// Instances of a network.
    pub instances: usize,
    /// Bytes in use, for a network as estimated before it is built; no bound by default.
    pub memory: usize,
    /// Kernels of a program.
    pub kernels: usize,
    /// Statements of all kernels of a program.
    pub statements: usize,
    /// Events on their way at one time.
    pub events: usize,
    /// Events without a delay that one step delivers.
    pub deliveries: usize,
    /// Steps of a run.
    pub steps: usize,
    /// Bytes of all outputs together.
    pub output_bytes: usize,
    /// Milliseconds by the clock, from the first file read to the last row written.
    pub milliseconds: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            document: lems_document::Limits::default(),
            instances: as_bound(Estimate::LIMIT),
            memory: usize::MAX,
            kernels: 100_000,
            statements: 10_000_000,
            events: 100_000_000,
            deliveries: 100_000_000,
            steps: as_bound(Experiment::MOST_STEPS),
            output_bytes: usize::MAX,
            milliseconds: usize::MAX,
        }
    }
}

/// A number as a bound: none if this machine cannot count so far.
fn as_bound(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// How a limit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A whole number.
    Count,
    /// Bytes, or `kB`, `MB`, `GB`, `KiB`, `MiB`, `GiB`.
    Bytes,
    /// Seconds, or `s`, `min`, `h`, `d`; kept in milliseconds, of which parts are rounded up.
    Seconds,
}

/// One limit that users can set by its name.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// As on the command line.
    pub name: &'static str,
    /// How it is written.
    pub unit: Unit,
    /// Where it is kept.
    of: fn(&mut Limits) -> &mut usize,
    /// Whether it can only be lowered. With a higher limit, a model could exhaust the stack or overflow.
    fixed: bool,
}

/// All bounds that can be set.
pub const LIMITS: [Limit; 17] = {
    use Unit::{Bytes, Count, Seconds};
    const fn limit(name: &'static str, unit: Unit, of: fn(&mut Limits) -> &mut usize) -> Limit {
        let fixed = false;
        Limit {
            name,
            unit,
            of,
            fixed,
        }
    }
    const fn fixed(limit: Limit) -> Limit {
        Limit {
            fixed: true,
            ..limit
        }
    }
    [
        limit("file-bytes", Bytes, |l| &mut l.document.source_bytes),
        limit("total-bytes", Bytes, |l| &mut l.document.total_bytes),
        limit("files", Count, |l| &mut l.document.sources),
        fixed(limit("include-depth", Count, |l| {
            &mut l.document.include_depth
        })),
        limit("elements", Count, |l| &mut l.document.elements),
        fixed(limit("element-depth", Count, |l| {
            &mut l.document.element_depth
        })),
        limit("attributes", Count, |l| &mut l.document.attributes),
        limit("prefixes", Count, |l| &mut l.document.prefixes),
        fixed(limit("instances", Count, |l| &mut l.instances)),
        limit("memory", Bytes, |l| &mut l.memory),
        limit("kernels", Count, |l| &mut l.kernels),
        limit("statements", Count, |l| &mut l.statements),
        limit("events", Count, |l| &mut l.events),
        limit("deliveries", Count, |l| &mut l.deliveries),
        fixed(limit("steps", Count, |l| &mut l.steps)),
        limit("output-bytes", Bytes, |l| &mut l.output_bytes),
        limit("time", Seconds, |l| &mut l.milliseconds),
    ]
};

/// `NAME=VALUE`, understood.
#[derive(Debug, Clone, Copy)]
pub struct LimitSetting {
    limit: &'static Limit,
    value: usize,
}

impl std::str::FromStr for LimitSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let names = LIMITS.each_ref().map(|limit| limit.name).join(", ");
        let limit = (LIMITS.iter().find(|limit| limit.name == name.trim()))
            .ok_or_else(|| format!("there is no such limit; there are {names}"))?;
        let value = limit.unit.read(value.trim()).ok_or_else(|| {
            let example = limit.unit.example();
            format!("write the value as in `{}={example}`", limit.name)
        })?;
        let most = *(limit.of)(&mut Limits::default());
        match limit.fixed && value > most {
            true => Err(format!("it can only be lowered, from {most}")),
            false => Ok(LimitSetting { limit, value }),
        }
    }
}

impl Unit {
    fn units(self) -> &'static [(&'static str, f64)] {
        match self {
            Unit::Count => &[("", 1.0)],
            Unit::Bytes => &[
                ("", 1.0),
                ("kB", 1e3),
                ("MB", 1e6),
                ("GB", 1e9),
                ("KiB", 1024.0),
                ("MiB", 1048576.0),
                ("GiB", 1073741824.0),
            ],
            Unit::Seconds => &[
                ("", 1.0),
                ("s", 1.0),
                ("min", 60.0),
                ("h", 3600.0),
                ("d", 86400.0),
            ],
        }
    }

    fn example(self) -> &'static str {
        match self {
            Unit::Count => "1000",
            Unit::Bytes => "8GB",
            Unit::Seconds => "30min",
        }
    }

    fn read(self, text: &str) -> Option<usize> {
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
        let unit = text.get(digits.len()..)?;
        let (_, factor) = self.units().iter().find(|(name, _)| *name == unit)?;
        let number: f64 = digits.trim_end().parse().ok()?;
        // A part of a millisecond is one more, so that a short time is not none.
        let number = match self {
            Unit::Seconds => (number * factor * 1e3).ceil(),
            Unit::Count | Unit::Bytes => number * factor,
        };
        (number >= 0.0 && number.is_finite()).then(|| as_bound(lems_math::saturating_u64(number)))
    }
}

impl Limits {
    /// Changes one of them.
    pub fn set(&mut self, setting: LimitSetting) {
        *(setting.limit.of)(self) = setting.value;
    }

    /// A bound by its name in [`LIMITS`].
    pub fn get(mut self, limit: &Limit) -> usize {
        *(limit.of)(&mut self)
    }

    /// The time that a run may take, if there is a bound.
    pub fn time(&self) -> Option<Duration> {
        (self.milliseconds < usize::MAX).then(|| Duration::from_millis(self.milliseconds as u64))
    }

    /// Whether the steps of a run and its network stay within the limits.
    ///
    /// # Errors
    /// Too many steps, instances or bytes.
    pub(crate) fn allow_run(
        &self,
        document: &Document,
        model: &Model<'_>,
        owner: ComponentId,
        run: &Run,
    ) -> Result<(), Failure> {
        if run.steps > self.steps as u64 {
            let error = NetworkError::TooManySteps {
                steps: run.steps as f64,
                limit: self.steps as u64,
                span: model.span_of(owner),
            };
            return Err(Failure::of(document.sources(), &[error]));
        }
        self.allow_network(document, model, run.target)
    }

    /// Checks that a network stays within the limits, without building it.
    ///
    /// # Errors
    /// Too many instances or bytes; components inside one another too deep.
    pub(crate) fn allow_network(
        &self,
        document: &Document,
        model: &Model<'_>,
        target: ComponentId,
    ) -> Result<(), Failure> {
        let failed = |error| Failure::of(document.sources(), &[error]);
        let estimate = Estimate::within(model, target, self.instances).map_err(failed)?;
        let largest = estimate.largest.map_or(target, |(_, component)| component);
        let span = model.span_of(largest);
        if estimate.instances() > self.instances as u64 {
            let limit = self.instances;
            return Err(failed(NetworkError::TooManyInstances { limit, span }));
        }
        let bytes = memory::Needed::of(document, model, &estimate).peak;
        if bytes > self.memory as u64 {
            let (needed, limit) = (memory::size(bytes), memory::size(self.memory as u64));
            return Err(failed(NetworkError::TooMuchMemory {
                needed,
                limit,
                span,
            }));
        }
        Ok(())
    }

    /// Checks that the runs of an experiment stay within the limits if no event occurs. Only every `every`-th row
    /// is written.
    ///
    /// # Errors
    /// Too many bytes, even if all numbers are short.
    pub fn allow_outputs(&self, experiment: &Experiment<'_>, every: u64) -> Result<(), LimitError> {
        let least = least_output_bytes(experiment, every);
        match least > self.output_bytes as u64 {
            true => Err(LimitError::OutputBytes {
                least: memory::size(least),
                limit: memory::size(self.output_bytes as u64),
            }),
            false => Ok(()),
        }
    }

    /// Most events that may be on their way, with what the memory has room for.
    pub(crate) fn most_events(&self, host: &dyn Host) -> usize {
        let left = (self.memory).saturating_sub(host.memory_in_use().unwrap_or(0));
        self.events.min(left / memory::EVENT_BYTES)
    }

    /// A warning if the limit on memory cannot be enforced. The system does not report how much memory is
    /// in use.
    pub(crate) fn doubt_of_memory(&self, used: Option<usize>) -> Option<Diagnostic> {
        let is_held = self.memory == usize::MAX || used.is_some();
        let message = "this system does not tell how much memory is in use";
        let help = "`--limit memory` only refuses networks that are estimated to take more";
        (!is_held).then(|| {
            Diagnostic::new(
                Code::TOO_MUCH_MEMORY,
                message.to_owned(),
                None,
                Some(help.to_owned()),
            )
        })
    }

    /// Whether the memory in use is within the limit at a stage.
    ///
    /// # Errors
    /// It is not.
    pub fn allow_memory(&self, host: &dyn Host, stage: &Stage) -> Result<(), LimitError> {
        match host.is_memory_full(self.memory) {
            true => Err(LimitError::Memory {
                limit: memory::size(self.memory as u64),
                stage: stage.name(),
            }),
            false => Ok(()),
        }
    }

    /// Largest number of instances that a network may get while it is built, if they could not be counted
    /// before.
    pub(crate) fn most_instances(&self) -> usize {
        self.instances
            .min(as_bound(self.memory as u64 / memory::ATTACHED_BYTES))
    }

    /// Whether a program stays within the limits.
    ///
    /// # Errors
    /// Too many kernels or statements.
    pub(crate) fn allow_program(&self, program: &Program) -> Result<(), LimitError> {
        let kernels = || {
            (program.kernels.iter())
                .chain(&program.setups)
                .chain(&program.handlers)
        };
        let statements = statements(kernels().map(|kernel| &kernel.body)).count();
        let (count, limit) = (kernels().count(), self.kernels);
        if count > limit {
            return Err(LimitError::Kernels { count, limit });
        }
        match statements > self.statements {
            true => Err(LimitError::Statements {
                count: statements,
                limit: self.statements,
            }),
            false => Ok(()),
        }
    }
}

/// Bytes that data files will have at least.
fn least_output_bytes(experiment: &Experiment<'_>, every: u64) -> u64 {
    // `0.0` and a tab.
    const VALUE_BYTES: u64 = 4;
    let values = experiment.data_files.iter();
    let values: u64 = values.map(|file| 1 + file.columns.len() as u64).sum();
    let line_breaks = experiment.data_files.len() as u64;
    let runs = experiment.runs.iter();
    let rows = runs.map(|run| (run.steps / every.max(1)).saturating_add(1));
    let rows = rows.fold(0, u64::saturating_add);
    rows.saturating_mul(values * VALUE_BYTES + line_breaks)
}

/// A limit that a program or a run has reached.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LimitError {
    /// Kernels: one for each shape of instances, its set-up and its event handlers.
    #[error("the model is compiled to {count} kernels, more than {limit}")]
    #[allow(missing_docs)]
    Kernels { count: usize, limit: usize },
    /// Statements in them.
    #[error("the model is compiled to {count} statements, more than {limit}")]
    #[allow(missing_docs)]
    Statements { count: usize, limit: usize },
    /// Bytes of outputs.
    #[error("the outputs will have at least {least}, more than {limit}")]
    #[allow(missing_docs)]
    OutputBytes { least: String, limit: String },
    /// Memory in use.
    #[error("more memory than {limit} is in use {stage}")]
    #[allow(missing_docs)]
    Memory { limit: String, stage: &'static str },
    /// Time by the clock.
    #[error("the run is not done after {} s, the most that it may take", .limit.as_secs_f64())]
    #[allow(missing_docs)]
    Time { limit: Duration },
}

impl LimitError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        match self {
            LimitError::Kernels { .. } => 521,
            LimitError::Statements { .. } => 522,
            LimitError::Time { .. } => 523,
            LimitError::Memory { .. } => 425,
            LimitError::OutputBytes { .. } => 528,
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        let help = match self {
            LimitError::Kernels { .. } | LimitError::Statements { .. } => {
                "instances with the same types and attachments share a kernel; \
                 `jlems-rs show kernel` lists them"
            }
            LimitError::OutputBytes { .. } => {
                "allow more with `--limit output-bytes=…`, or write fewer rows with `--every`"
            }
            LimitError::Memory { .. } => "allow more with `--limit memory=…`",
            LimitError::Time { .. } => {
                "allow more with `--limit time=…`, or run less with `--length`"
            }
        };
        Some(help.to_owned())
    }
}

impl From<LimitError> for Failure {
    fn from(error: LimitError) -> Self {
        Failure::plain(Code(error.code()), error.to_string(), error.help())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_cannot_be_held_is_doubted() {
        let limited = Limits {
            memory: 1 << 30,
            ..Limits::default()
        };
        let unlimited = Limits {
            memory: usize::MAX,
            ..Limits::default()
        };
        assert!(limited.doubt_of_memory(None).is_some());
        assert!(limited.doubt_of_memory(Some(1 << 20)).is_none());
        assert!(unlimited.doubt_of_memory(None).is_none());
    }

    #[test]
    fn values_have_units() {
        let value = |text: &str| text.parse::<LimitSetting>().map(|setting| setting.value);
        assert_eq!(value("memory=1.5GiB"), Ok(3 << 29));
        assert_eq!(value("memory= 2 kB "), Ok(2000));
        assert_eq!(value("time=2min"), Ok(120_000));
        assert_eq!(value("time=1.5 h"), Ok(5_400_000));
        assert_eq!(value("time=0.2"), Ok(200));
        assert_eq!(value("time=0.2s"), Ok(200));
        assert_eq!(value("time=1e-6"), Ok(1));
        assert_eq!(value("steps=1e6"), Ok(1_000_000));
        for wrong in [
            "memory",
            "memory=",
            "memory=2 h",
            "time=-1",
            "steps=nan",
            "steps=1k",
        ] {
            let message = value(wrong).unwrap_err();
            assert!(message.starts_with("write the value as in `"), "{message}");
        }
        assert!(value("depth=3").unwrap_err().contains("element-depth"));
    }

    #[test]
    fn what_guards_the_stack_can_only_be_lowered() {
        let message = "element-depth=100000".parse::<LimitSetting>().unwrap_err();
        assert_eq!(message, "it can only be lowered, from 256");
        assert!("element-depth=10".parse::<LimitSetting>().is_ok());
        assert!("files=100000".parse::<LimitSetting>().is_ok());
    }
}
