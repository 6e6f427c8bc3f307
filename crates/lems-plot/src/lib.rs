//! Pictures of traces and events.
//!
//! A [`Figure`] is some panels over a common time: curves of one unit each, or rows of events.
//! [`svg`] and [`png`] draw one, [`text`] with characters; [`html`] puts several on a page that
//! zooms, reads values and hides curves, with a script of its own and nothing from elsewhere.

mod axis;
mod color;
mod html;
mod layout;
mod lines;
mod png;
mod rows;
mod svg;
mod text;
mod thin;
mod units;

pub use html::html;
pub use png::{PngError, png};
pub use svg::svg;
pub use text::text;

/// Some panels, one below the other, over the same time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// Above it.
    pub title: String,
    /// Where the time begins and ends, in seconds; where the data do if None.
    pub time: [Option<f64>; 2],
    /// How many seconds the unit of the time axis has; a fitting one if None.
    pub time_scale: Option<f64>,
    /// Width and height, in pixels.
    pub size: Option<(u32, u32)>,
    /// What it shows.
    pub panels: Vec<Panel>,
}

/// One plot of a figure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// Above it, in a figure of several.
    pub title: String,
    /// What the values are.
    pub quantity: String,
    /// Their unit. An SI unit without prefix gets one that fits.
    pub unit: String,
    /// Lowest and highest value shown, in that unit; where the data end if None.
    pub range: [Option<f64>; 2],
    /// What it shows.
    pub content: Content,
}

/// What a panel shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Values over time. Many are drawn one below the other, on the same scale.
    Curves(Vec<Curve>),
    /// Events, a row for each source from the bottom up, with the rates of the populations.
    Rows(Vec<Row>),
}

impl Default for Content {
    fn default() -> Content {
        Content::Curves(Vec::new())
    }
}

/// Values over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// In the legend.
    pub name: String,
    /// A hexadecimal colour such as `#ee40FF`, or a name; one of a few if it is neither.
    pub color: Option<String>,
    /// Times in seconds and values, from left to right. Where one is not finite, there is a gap.
    pub points: Vec<(f64, f64)>,
}

/// The events of one source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Beside the row.
    pub name: String,
    /// What it belongs to: rows of one population have one colour, and a common rate.
    pub population: String,
    /// When the events are, in seconds, in order.
    pub times: Vec<f64>,
}

/// Text for XML and HTML.
fn escaped(text: &str) -> String {
    (text.replace('&', "&amp;").replace('<', "&lt;"))
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// How many whole dots, letters or places there are in so many: none in a negative number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a dot is not drawn, and what is beyond a `usize` is outside of every drawing"
)]
fn whole(number: f64) -> usize {
    number as usize
}

/// The text, or its ends if it has more than so many letters.
fn fitting(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let (start, end) = letters.split_at(most / 2);
    let end = end.iter().skip(end.len().saturating_sub(most / 2));
    start.iter().chain(['…'].iter()).chain(end).collect()
}
