//! Numbers that a sweep keeps of each run.

use std::ops::Range;

use crate::SweepError;

/// A number of a run, such as `mean(pop[0]/v)` or `count(pop)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feature {
    /// As it is written; the name of its column.
    pub name: String,
    /// What it is about.
    pub subject: Subject,
    kind: Kind,
    /// Where it is written, in bytes.
    pub span: Range<usize>,
}

/// What a feature is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// Path of a quantity.
    Trace(String),
    /// A population, whose spikes are meant.
    Spikes(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Mean,
    Least,
    Most,
    First,
    Last,
    Deviation,
    Count,
    Rate,
    FirstTime,
    LastTime,
}

/// What a quantity has features of.
const OF_TRACES: [(&str, Kind); 6] = [
    ("mean", Kind::Mean),
    ("min", Kind::Least),
    ("max", Kind::Most),
    ("first", Kind::First),
    ("last", Kind::Last),
    ("std", Kind::Deviation),
];
/// What the spikes of a population have features of.
const OF_SPIKES: [(&str, Kind); 4] = [
    ("count", Kind::Count),
    ("rate", Kind::Rate),
    ("first_spike", Kind::FirstTime),
    ("last_spike", Kind::LastTime),
];

impl Feature {
    /// Reads `function(path)`.
    pub(crate) fn parse(text: &str, span: Range<usize>) -> Result<Feature, SweepError> {
        let names = || {
            let names = OF_TRACES.iter().chain(&OF_SPIKES).map(|(name, _)| *name);
            names.collect::<Vec<_>>().join(", ")
        };
        let wrong = |message: String| {
            SweepError::value(message, Some(span.clone())).with_help(format!(
                "write it as in `mean(pop[0]/v)` or `count(pop)`; there are {}",
                names()
            ))
        };
        let inner = text
            .trim()
            .strip_suffix(')')
            .and_then(|text| text.split_once('('));
        let Some((function, subject)) = inner else {
            return Err(wrong(format!("`{text}` is no feature")));
        };
        let (function, subject) = (function.trim(), subject.trim().to_owned());
        let find = |table: &[(&str, Kind)]| {
            let found = table.iter().find(|(name, _)| *name == function);
            found.map(|(_, kind)| *kind)
        };
        let (kind, subject) = match (find(&OF_TRACES), find(&OF_SPIKES)) {
            (Some(kind), _) => (kind, Subject::Trace(subject)),
            (_, Some(kind)) => (kind, Subject::Spikes(subject)),
            _ => return Err(wrong(format!("there is no feature `{function}`"))),
        };
        Ok(Feature {
            name: text.trim().to_owned(),
            subject,
            kind,
            span,
        })
    }

    /// Its value of a quantity in all rows, in SI units; none of no rows.
    pub fn of_trace(&self, values: &[f64]) -> Option<f64> {
        let number = values.len() as f64;
        let mean = || values.iter().sum::<f64>() / number;
        let value = match self.kind {
            Kind::Mean => mean(),
            Kind::Least => values.iter().copied().fold(f64::INFINITY, f64::min),
            Kind::Most => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            Kind::First => *values.first()?,
            Kind::Last => *values.last()?,
            Kind::Deviation => {
                let mean = mean();
                let squares = values.iter().map(|value| (value - mean) * (value - mean));
                (squares.sum::<f64>() / number).sqrt()
            }
            Kind::Count | Kind::Rate | Kind::FirstTime | Kind::LastTime => return None,
        };
        (!values.is_empty()).then_some(value)
    }

    /// Its value of the times of all spikes of `cells` cells in a run, in seconds and in order, and the length
    /// of the run. `rate` is per cell and second.
    pub fn of_spikes(&self, times: &[f64], cells: usize, length: f64) -> Option<f64> {
        match self.kind {
            Kind::Count => Some(times.len() as f64),
            Kind::Rate => {
                let all = cells as f64 * length;
                (all > 0.0).then(|| times.len() as f64 / all)
            }
            Kind::FirstTime => times.first().copied(),
            Kind::LastTime => times.last().copied(),
            _ => None,
        }
    }
}
