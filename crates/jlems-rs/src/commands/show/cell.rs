//! `jlems-rs show cell FILE [CELL]`.

use std::fmt::Write;

use clap::Args;
use jlems::cells::{ResolvedCell, ResolvedPart, ResolvedSection};
use jlems::resolved::ResolvedValue;
use jlems::{Failure, visible};

use crate::commands::changes::ChangedModel;
use crate::commands::printing::{counted, json};

/// Most sections that are listed.
const LISTED: usize = 60;

/// Which cell to show and how.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    model: ChangedModel,
    /// Id of the cell; without it, all cells with segments are shown.
    cell: Option<String>,
    /// Print everything as JSON, with each compartment.
    #[arg(long)]
    json: bool,
}

/// The cells of a file as compartments.
pub fn cell(arguments: &Arguments) -> Result<String, Failure> {
    let (document, options) = arguments.model.load_with_types()?;
    let model = jlems::read_model(&document)?;
    let cells = ResolvedCell::all(&document, &model, arguments.cell.as_deref(), &options)?;
    match arguments.json {
        true => json(&cells),
        false => Ok(cells.iter().map(text_of).collect::<Vec<_>>().join("\n")),
    }
}

fn text_of(cell: &ResolvedCell) -> String {
    let mut text = String::new();
    let (id, kind, file) = (visible(&cell.id), visible(&cell.kind), visible(&cell.file));
    let _ = writeln!(text, "{kind} {id}  ({file}:{})", cell.line);
    let counts = [
        counted(cell.segments as u64, "segment"),
        counted(cell.sections.len() as u64, "section"),
        counted(cell.compartments.len() as u64, "compartment"),
    ];
    let size = [
        format!("{} um long", short(cell.length * MICRO)),
        format!("{} um2 of membrane", short(cell.area * MICRO * MICRO)),
    ];
    let _ = writeln!(text, "{}; {}", counts.join(", "), size.join(", "));
    text.push_str("\nsections\n");
    sections(&mut text, &cell.sections);
    text.push_str("\nwhat is where\n");
    parts(&mut text, cell);
    at_rest(&mut text, cell);
    text
}

/// Micrometres in a metre.
const MICRO: f64 = 1e6;

fn sections(text: &mut String, sections: &[ResolvedSection]) {
    let titles = [
        "name",
        "parent",
        "segments",
        "compartments",
        "length um",
        "diameter um",
        "area um2",
        "length constants",
        "advised",
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    for section in sections.iter().take(LISTED) {
        let advised = section.advised_compartments;
        let advised = advised.filter(|advised| *advised > section.compartments);
        rows.push(vec![
            visible(&section.name).into_owned(),
            section
                .parent
                .as_deref()
                .map_or("-".into(), visible)
                .into_owned(),
            section.segments.len().to_string(),
            section.compartments.to_string(),
            short(section.length * MICRO),
            short(section.diameter * MICRO),
            short(section.area * MICRO * MICRO),
            section.electrotonic_length.map_or("-".to_owned(), short),
            advised.map_or(String::new(), |advised| advised.to_string()),
        ]);
    }
    table(text, &rows, 2);
    let more = sections.len().saturating_sub(LISTED);
    if more > 0 {
        let _ = writeln!(text, "  and {}", counted(more as u64, "more section"));
    }
}

fn parts(text: &mut String, cell: &ResolvedCell) {
    let mut rows = Vec::new();
    for part in &cell.parts {
        let place = match (&part.place, part.compartments) {
            (Some(place), _) => visible(place).into_owned(),
            (None, _) => "everywhere".to_owned(),
        };
        let area = format!("{} um2", short(part.area * MICRO * MICRO));
        let of = format!("{} of {}", part.compartments, cell.compartments.len());
        rows.push(vec![title(part), place, of, area, values(part)]);
    }
    table(text, &rows, 5);
}

fn title(part: &ResolvedPart) -> String {
    let id = part.id.as_deref().unwrap_or_default();
    format!("{} {}", visible(&part.kind), visible(id))
        .trim_end()
        .to_owned()
}

/// Parameters and their sums over the area.
fn values(part: &ResolvedPart) -> String {
    let value = |ResolvedValue { name, value, unit }: &ResolvedValue| {
        let unit = unit.as_deref().unwrap_or_default();
        format!("{name} {} {unit}", short(*value))
            .trim_end()
            .to_owned()
    };
    let given = part.parameters.iter().map(value);
    let totals = part
        .totals
        .iter()
        .map(|total| format!("in all {}", value(total)));
    given.chain(totals).collect::<Vec<_>>().join(", ")
}

fn at_rest(text: &mut String, cell: &ResolvedCell) {
    let Some(rest) = &cell.at_rest else {
        text.push_str(
            "\nIts state before a run cannot be computed: `jlems-rs validate` may say why.\n",
        );
        return;
    };
    let most = if rest.uniform {
        ""
    } else {
        ", elsewhere other potentials"
    };
    let _ = writeln!(
        text,
        "\nbefore the first step (at {} mV{most})",
        short(rest.potential * 1e3)
    );
    let ratio = rest.capacitance / rest.conductance;
    let mut rows = vec![
        (
            "conductance of the membrane",
            format!("{} nS", short(rest.conductance * 1e9)),
        ),
        (
            "capacitance",
            format!("{} pF", short(rest.capacitance * 1e12)),
        ),
    ];
    if ratio.is_finite() && ratio > 0.0 {
        rows.push((
            "capacitance / conductance",
            format!("{} ms", short(ratio * 1e3)),
        ));
    }
    match (rest.input_resistance, rest.time_constant) {
        (Some(resistance), Some(time)) => {
            rows.push((
                "input resistance",
                format!("{} MOhm", short(resistance * 1e-6)),
            ));
            rows.push(("slowest time constant", format!("{} ms", short(time * 1e3))));
        }
        _ => rows.push((
            "input resistance",
            "none: a small current would not stay small".to_owned(),
        )),
    }
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    for (name, value) in rows {
        let _ = writeln!(text, "  {name:width$}  {value}");
    }
}

/// Rows below one another; those of the first columns stand left, the others right.
fn table(text: &mut String, rows: &[Vec<String>], left: usize) {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    for row in rows {
        let mut line = String::from(" ");
        for (column, cell) in row.iter().enumerate() {
            let width = width(column);
            let _ = match column < left {
                true => write!(line, " {cell:width$} "),
                false => write!(line, " {cell:>width$} "),
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
}

/// A number with four digits.
fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded.abs() {
        usual if (1e-3..1e6).contains(&usual) => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}
