//! Draws traces and events.
//!
//! A [`Figure`] has several panels over a common time axis: each has curves of one unit, or rows of
//! events. [`svg`], [`png`] and [`text`] draw one figure, the last with characters. [`html`] puts
//! several figures on a page that can zoom, show values and hide curves. The page contains its own
//! script and loads nothing from elsewhere.
//!
//! A [`Shape`] is that of a cell, and its colours are groups or values: [`shape_svg`], [`shape_png`],
//! [`shape_html`].

mod axis;
mod color;
mod html;
mod layout;
mod lines;
mod png;
mod rows;
mod shape;
mod sheet;
mod svg;
mod text;
mod thin;
mod units;

pub use html::html;
pub use png::{PngError, png, shape_png};
pub use shape::{Shape, ShapeColors, ShapePiece, shape_html, shape_svg};
pub use svg::svg;
pub use text::text;

/// Panels below one another, over the same time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// The title above it.
    pub title: String,
    /// The range of time, in seconds; None for the range of the data.
    pub time: [Option<f64>; 2],
    /// The unit of the time axis in seconds; None for a suitable one.
    pub time_scale: Option<f64>,
    /// Width and height, in pixels.
    pub size: Option<(u32, u32)>,
    /// The panels.
    pub panels: Vec<Panel>,
}

/// One plot of a figure.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Panel {
    /// The title above it, if the figure has several panels.
    pub title: String,
    /// The quantity of the values.
    pub quantity: String,
    /// The unit of the values. An SI unit without a prefix gets a suitable prefix.
    pub unit: String,
    /// Lowest and highest value to show, in that unit; None for the range of the data.
    pub range: [Option<f64>; 2],
    /// The content.
    pub content: Content,
}

/// The content of a panel.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Curves over time. If there are many, they are drawn below one another, on the same scale.
    Curves(Vec<Curve>),
    /// Events, with one row per source from the bottom up, and the rates of the populations.
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
    /// The name in the legend.
    pub name: String,
    /// A hexadecimal colour such as `#ee40FF`, or a name of a colour; a default if it is neither.
    pub color: Option<String>,
    /// Times in seconds and values, from left to right. A number that is not finite makes a gap.
    pub points: Vec<(f64, f64)>,
}

/// The events of one source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// The name beside the row.
    pub name: String,
    /// The population of the source. Rows of one population have the same colour and a common rate.
    pub population: String,
    /// The times of the events in seconds, in order.
    pub times: Vec<f64>,
}

/// The whole part of a number of dots, letters or places; 0 for a negative number.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a dot is not drawn, and what is beyond a `usize` is outside of every drawing"
)]
fn whole(number: f64) -> usize {
    number as usize
}

/// The text, or its two ends if it has more than `most` letters.
fn fitting(text: &str, most: usize) -> String {
    let letters: Vec<char> = text.chars().collect();
    if letters.len() <= most {
        return text.to_owned();
    }
    let (start, end) = letters.split_at(most / 2);
    let end = end.iter().skip(end.len().saturating_sub(most / 2));
    start.iter().chain(['…'].iter()).chain(end).collect()
}
