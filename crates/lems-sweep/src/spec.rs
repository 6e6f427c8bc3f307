//! Which runs a sweep makes, and what it keeps of each.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use crate::SweepError;
use crate::feature::Feature;
use crate::sampling::{Method, sample};
use crate::value::{Unit, common_unit, parsed, printed};

/// Most points of a sweep.
const MOST_POINTS: u64 = 1_000_000_000_000;
/// Most values that are written out.
const MOST_VALUES: u64 = 100_000_000;

/// What a sweep runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Path of the model, from the folder of the specification.
    pub model: String,
    /// Folders searched for included files.
    pub include: Vec<String>,
    /// Step of the simulation, as in `0.01 ms`, if it is not the model's.
    pub step: Option<String>,
    /// Length of the simulation, as in `1 s`, if it is not the model's.
    pub length: Option<String>,
    /// What is kept of each run.
    pub record: Record,
    /// What the points differ in. The last one changes fastest, except that the seed changes faster still.
    factors: Vec<Factor>,
    seeds: Option<Vec<i64>>,
}

/// What is kept of each run.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Record {
    /// Numbers of each run.
    pub features: Vec<Feature>,
    /// Paths of quantities that are kept as they are.
    pub traces: Vec<String>,
    /// Populations whose spikes are kept, or `*` for all.
    pub events: Vec<String>,
    /// Traces keep every N-th row.
    pub every: u64,
}

/// Parameters that change together.
#[derive(Debug, Clone, PartialEq)]
struct Factor {
    paths: Vec<String>,
    /// For each path, a value for each of the points.
    values: Vec<Vec<String>>,
}

impl Factor {
    fn points(&self) -> u64 {
        self.values.first().map_or(1, |values| values.len() as u64)
    }
}

/// A parameter that the points differ in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter<'s> {
    /// Its path, as `--set` has it.
    pub path: &'s str,
    /// The unit of its values, if they are numbers of one unit.
    pub unit: Option<Unit>,
}

/// One run of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Point<'s> {
    /// Its number, from zero.
    pub number: u64,
    /// Paths and values, in the order of the parameters.
    pub values: Vec<(&'s str, &'s str)>,
    /// The seed of its random numbers, if it is not the model's.
    pub seed: Option<i64>,
}

impl Point<'_> {
    /// Its values as settings, `path=value`.
    pub fn settings(&self) -> impl Iterator<Item = String> {
        self.values
            .iter()
            .map(|(path, value)| format!("{path}={value}"))
    }
}

/// The text as TOML has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    model: String,
    #[serde(default)]
    include: Vec<String>,
    step: Option<String>,
    length: Option<String>,
    seeds: Option<Spanned<Vec<i64>>>,
    points: Option<String>,
    #[serde(default)]
    grid: Table<Axis>,
    #[serde(default)]
    zip: Table<Axis>,
    random: Option<RawRandom>,
    #[serde(default)]
    record: RawRecord,
}

/// A table in the order of the text.
type Table<T> = std::collections::BTreeMap<Spanned<String>, T>;

#[derive(Deserialize)]
#[serde(untagged)]
enum Axis {
    List(Vec<Scalar>),
    Between(Between),
}

/// Values from one to another.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Between {
    from: Scalar,
    to: Scalar,
    count: Option<u64>,
    #[serde(default)]
    scale: Scale,
}

#[derive(Deserialize, Clone, Copy, Default, PartialEq)]
#[serde(rename_all = "kebab-case")]
enum Scale {
    #[default]
    Linear,
    Log,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Whole(i64),
    Real(f64),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Scalar::Text(text) => text.trim().to_owned(),
            Scalar::Whole(number) => number.to_string(),
            Scalar::Real(number) => number.to_string(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRandom {
    count: Spanned<u64>,
    #[serde(default)]
    seed: i64,
    #[serde(default)]
    method: Method,
    values: Table<Between>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawRecord {
    #[serde(default)]
    features: Vec<Spanned<String>>,
    #[serde(default)]
    traces: Vec<String>,
    #[serde(default)]
    events: Vec<String>,
    every: Option<Spanned<u64>>,
}

impl Spec {
    /// Reads a specification that names no table of points.
    ///
    /// # Errors
    /// Text that is no TOML, unknown keys, values that make no sense.
    pub fn read(text: &str) -> Result<Spec, SweepError> {
        Spec::read_with(text, &|path| {
            let message = format!("the table of points `{path}` cannot be read here");
            Err(SweepError::points(message))
        })
    }

    /// Reads a specification; `table` gives the text of a file that it names as its table of points, in CSV
    /// with the paths of the parameters in the first line.
    ///
    /// # Errors
    /// Those of [`Spec::read`]; those of `table`; rows of different lengths.
    pub fn read_with(
        text: &str,
        table: &dyn Fn(&str) -> Result<String, SweepError>,
    ) -> Result<Spec, SweepError> {
        let raw: Raw = toml::from_str(text).map_err(|error| SweepError::Text {
            message: error.message().to_owned(),
            span: error.span(),
        })?;
        let mut factors = Vec::new();
        if let Some(path) = &raw.points {
            factors.push(of_table(&table(path)?)?);
        }
        for (path, axis) in in_order(raw.grid) {
            let values = values_of(&axis, &path)?;
            factors.push(Factor {
                paths: vec![path.into_inner()],
                values: vec![values],
            });
        }
        factors.extend(zipped(in_order(raw.zip))?);
        factors.extend(raw.random.map(random).transpose()?);
        let spec = Spec {
            model: raw.model,
            include: raw.include,
            step: raw.step,
            length: raw.length,
            record: record(raw.record)?,
            factors,
            seeds: raw.seeds.map(|seeds| filled(seeds, "seeds")).transpose()?,
        };
        spec.checked(text)
    }

    fn checked(self, text: &str) -> Result<Spec, SweepError> {
        let mut paths: Vec<&str> = self.paths().collect();
        paths.sort_unstable();
        if let Some([twice, _]) = paths.windows(2).find(|pair| pair[0] == pair[1]) {
            let place = text.find(*twice).map(|start| start..start + twice.len());
            let message = format!("the parameter `{twice}` gets values twice");
            return Err(SweepError::value(message, place));
        }
        let sizes = self.factors.iter().map(Factor::points);
        let seeds = self.seeds.as_ref().map_or(1, |seeds| seeds.len() as u64);
        let points = sizes.fold(seeds, u64::saturating_mul);
        if points > MOST_POINTS {
            let message = format!("the sweep has more than {MOST_POINTS} points");
            return Err(SweepError::value(message, None));
        }
        Ok(self)
    }

    /// Number of points.
    pub fn points(&self) -> u64 {
        let seeds = self.seeds.as_ref().map_or(1, |seeds| seeds.len() as u64);
        self.factors.iter().map(Factor::points).product::<u64>() * seeds
    }

    /// Whether the points have seeds of their own.
    pub fn has_seeds(&self) -> bool {
        self.seeds.is_some()
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        let paths = self.factors.iter().flat_map(|factor| &factor.paths);
        paths.map(String::as_str)
    }

    /// The parameters that the points differ in, in the order of the values of a point.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'_>> {
        self.factors.iter().flat_map(|factor| {
            let pairs = factor.paths.iter().zip(&factor.values);
            pairs.map(|(path, values)| Parameter {
                path,
                unit: common_unit(values.iter().map(String::as_str)),
            })
        })
    }

    /// A point by its number, below [`Spec::points`]. Larger numbers begin again with the first point.
    pub fn point(&self, number: u64) -> Point<'_> {
        let mut rest = number;
        let mut place = |of: u64| {
            let place = rest % of.max(1);
            rest /= of.max(1);
            usize::try_from(place).unwrap_or(usize::MAX)
        };
        let seed =
            (self.seeds.as_ref()).and_then(|seeds| seeds.get(place(seeds.len() as u64)).copied());
        let mut values = Vec::new();
        for factor in self.factors.iter().rev() {
            let place = place(factor.points());
            let pairs = factor.paths.iter().zip(&factor.values).rev();
            values.extend(
                pairs.filter_map(|(path, values)| {
                    Some((path.as_str(), values.get(place)?.as_str()))
                }),
            );
        }
        values.reverse();
        Point {
            number,
            values,
            seed,
        }
    }
}

/// The entries of a table in the order of the text.
fn in_order<T>(table: Table<T>) -> Vec<(Spanned<String>, T)> {
    let mut entries: Vec<_> = table.into_iter().collect();
    entries.sort_by_key(|(path, _)| path.span().start);
    entries
}

/// A list that is not empty.
fn filled<T>(list: Spanned<Vec<T>>, name: &str) -> Result<Vec<T>, SweepError> {
    match list.get_ref().is_empty() {
        false => Ok(list.into_inner()),
        true => Err(SweepError::value(
            format!("`{name}` is empty"),
            Some(list.span()),
        )),
    }
}

fn values_of(axis: &Axis, path: &Spanned<String>) -> Result<Vec<String>, SweepError> {
    let span = || Some(path.span());
    match axis {
        Axis::List(list) if list.is_empty() => {
            let message = format!("`{}` has no values", path.get_ref());
            Err(SweepError::value(message, span()))
        }
        Axis::List(list) => Ok(list.iter().map(Scalar::text).collect()),
        Axis::Between(between) => {
            let Some(count) = between
                .count
                .filter(|count| (1..=MOST_VALUES).contains(count))
            else {
                let message = format!("`{}` needs a count of at least 1", path.get_ref());
                return Err(SweepError::value(message, span())
                    .with_help("how many values from `from` to `to`: `count = 11`"));
            };
            let range = NumberRange::of(between, path)?;
            let last = (count - 1).max(1) as f64;
            Ok((0..count)
                .map(|place| range.at(place as f64 / last))
                .collect())
        }
    }
}

/// Numbers with a unit from one to another.
struct NumberRange<'b> {
    from: f64,
    to: f64,
    unit: &'b str,
    scale: Scale,
}

impl NumberRange<'_> {
    fn at(&self, place: f64) -> String {
        let NumberRange { from, to, .. } = *self;
        let number = match self.scale {
            // The ends are as they are written.
            _ if place <= 0.0 => from,
            _ if place >= 1.0 => to,
            Scale::Linear => from + (to - from) * place,
            Scale::Log => from * lems_math::pow(to / from, place),
        };
        printed(number, self.unit)
    }
}

impl NumberRange<'_> {
    fn of<'b>(between: &'b Between, path: &Spanned<String>) -> Result<NumberRange<'b>, SweepError> {
        fn text(scalar: &Scalar) -> (String, Option<&str>) {
            match scalar {
                Scalar::Text(own) => (own.clone(), Some(own)),
                other => (other.text(), None),
            }
        }
        let wrong = |message: String| SweepError::value(message, Some(path.span()));
        let read = |scalar: &'b Scalar| {
            let (written, own) = text(scalar);
            let found = match own {
                Some(own) => parsed(own),
                None => written
                    .parse()
                    .ok()
                    .filter(|number: &f64| number.is_finite())
                    .map(|number| (number, "")),
            };
            found.ok_or_else(|| wrong(format!("`{written}` is no number with a unit")))
        };
        let ((from, unit), (to, other)) = (read(&between.from)?, read(&between.to)?);
        if unit != other {
            let message = format!("`from` is in `{unit}` and `to` in `{other}`");
            return Err(wrong(message).with_help("write both with the same unit"));
        }
        if between.scale == Scale::Log && (from * to).total_cmp(&0.0).is_le() {
            let message = "a logarithmic scale needs two numbers of one sign".to_owned();
            return Err(wrong(message));
        }
        Ok(NumberRange {
            from,
            to,
            unit,
            scale: between.scale,
        })
    }
}

/// Parameters that change together.
fn zipped(table: Vec<(Spanned<String>, Axis)>) -> Result<Option<Factor>, SweepError> {
    let mut factor = Factor {
        paths: Vec::new(),
        values: Vec::new(),
    };
    for (path, axis) in table {
        let values = values_of(&axis, &path)?;
        if let Some(first) = factor
            .values
            .first()
            .filter(|first| first.len() != values.len())
        {
            let (name, number) = (path.get_ref(), values.len());
            let message = format!(
                "`{name}` has {number} values, and the first in `zip` has {}",
                first.len()
            );
            return Err(SweepError::value(message, Some(path.span()))
                .with_help("parameters that change together have as many values each"));
        }
        factor.paths.push(path.into_inner());
        factor.values.push(values);
    }
    Ok((!factor.paths.is_empty()).then_some(factor))
}

fn random(raw: RawRandom) -> Result<Factor, SweepError> {
    let count = *raw.count.get_ref();
    let table = in_order(raw.values);
    let values = count.saturating_mul(table.len() as u64);
    let Some(points) = usize::try_from(count)
        .ok()
        .filter(|_| (1..=MOST_VALUES).contains(&values))
    else {
        let message = format!(
            "`random` has {count} points with {} parameters",
            table.len()
        );
        return Err(SweepError::value(message, Some(raw.count.span())));
    };
    let places = sample(raw.method, raw.seed, points, table.len());
    let mut factor = Factor {
        paths: Vec::new(),
        values: Vec::new(),
    };
    for ((path, between), places) in table.into_iter().zip(places) {
        if between.count.is_some() {
            let message = format!("`{}` has a count of its own", path.get_ref());
            return Err(SweepError::value(message, Some(path.span()))
                .with_help("how many values there are says `count` of `random`"));
        }
        let range = NumberRange::of(&between, &path)?;
        factor
            .values
            .push(places.into_iter().map(|place| range.at(place)).collect());
        factor.paths.push(path.into_inner());
    }
    Ok(factor)
}

/// The points of a CSV table.
fn of_table(text: &str) -> Result<Factor, SweepError> {
    let failed = |error: csv::Error| SweepError::points(error.to_string());
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().map_err(failed)?;
    let paths: Vec<String> = header.iter().map(str::to_owned).collect();
    let mut values = vec![Vec::new(); paths.len()];
    for row in reader.records() {
        let row = row.map_err(failed)?;
        for (column, value) in values.iter_mut().zip(&row) {
            column.push(value.to_owned());
        }
    }
    match values.first().is_some_and(|column| !column.is_empty()) {
        true => Ok(Factor { paths, values }),
        false => Err(SweepError::points("there are none in the table")),
    }
}

fn record(raw: RawRecord) -> Result<Record, SweepError> {
    let features = raw.features.into_iter().map(|text| {
        let span: Range<usize> = text.span();
        Feature::parse(text.get_ref(), span)
    });
    let every = match raw.every {
        Some(every) if *every.get_ref() == 0 => {
            return Err(SweepError::value(
                "`every` is at least 1",
                Some(every.span()),
            ));
        }
        Some(every) => every.into_inner(),
        None => 1,
    };
    Ok(Record {
        features: features.collect::<Result<_, _>>()?,
        traces: raw.traces,
        events: raw.events,
        every,
    })
}
