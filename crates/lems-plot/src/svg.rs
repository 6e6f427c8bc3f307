//! A figure as SVG.

use std::fmt::Write;

use crate::axis::ticks;
use crate::{Figure, escaped};

const WIDTH: f64 = 760.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
const PLOT_HEIGHT: f64 = 320.0;
const LEGEND_LINE: f64 = 18.0;
/// What a name in the legend takes besides its letters, and what a letter takes.
const LEGEND_SAMPLE: f64 = 44.0;
const LETTER: f64 = 7.2;
/// Most curves that the legend names.
const NAMED: usize = 40;
/// Most letters of a name, or of a title, that fit.
const FITTING: usize = 84;

/// Draws a figure.
pub fn svg(figure: &Figure) -> String {
    let [x0, x1, y0, y1] = figure.bounds();
    let plot_width = WIDTH - LEFT - RIGHT;
    let x = |value: f64| LEFT + (value - x0) / (x1 - x0) * plot_width;
    let y = |value: f64| TOP + (y1 - value) / (y1 - y0) * PLOT_HEIGHT;
    let bottom = TOP + PLOT_HEIGHT;
    let named = match figure.is_raster() {
        true => 0,
        false => figure.curves.len().min(NAMED),
    };
    let names: Vec<String> = (figure.curves.iter().take(named))
        .map(|curve| fitting(&curve.name))
        .collect();
    let longest = names.iter().map(|name| name.chars().count()).max();
    let legend_column = LEGEND_SAMPLE + LETTER * longest.unwrap_or(0) as f64;
    let per_line = ((plot_width / legend_column) as usize).max(1);
    let unnamed = match named {
        0 => 0,
        _ => figure.curves.len() - named,
    };
    let lines = named.div_ceil(per_line) + usize::from(unnamed > 0);
    let height = bottom + 50.0 + LEGEND_LINE * lines as f64;
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         width=\"{WIDTH}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <clipPath id=\"plot\"><rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{plot_width}\" \
         height=\"{PLOT_HEIGHT}\"/></clipPath>\n"
    );
    let middle = LEFT + plot_width / 2.0;
    let _ = writeln!(
        text,
        "<text x=\"{middle}\" y=\"24\" text-anchor=\"middle\" font-size=\"15\">{}</text>",
        escaped(&fitting(&figure.title))
    );
    for (value, label) in ticks(x0, x1, 8) {
        let _ = writeln!(
            text,
            "<path d=\"M{0:.1} {TOP}V{bottom}\" stroke=\"#e4e4e4\"/>\
             <text x=\"{0:.1}\" y=\"{1}\" text-anchor=\"middle\">{label}</text>",
            x(value),
            bottom + 16.0
        );
    }
    let rows = match figure.is_raster() {
        true => (y1 - y0).clamp(1.0, 12.0) as usize,
        false => 8,
    };
    for (value, label) in ticks(y0, y1, rows) {
        let _ = writeln!(
            text,
            "<path d=\"M{LEFT} {0:.1}H{1}\" stroke=\"#e4e4e4\"/>\
             <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{label}</text>",
            y(value),
            WIDTH - RIGHT,
            LEFT - 6.0,
            y(value) + 4.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n\
         <text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
        bottom + 36.0,
        escaped(&figure.x_label),
        TOP + PLOT_HEIGHT / 2.0,
        escaped(&figure.y_label)
    );
    let _ = writeln!(
        text,
        "<g clip-path=\"url(#plot)\" fill=\"none\" stroke-width=\"1.2\">"
    );
    let mark = (0.7 * PLOT_HEIGHT / (y1 - y0)).clamp(1.0, 20.0);
    for (index, curve) in figure.curves.iter().enumerate() {
        let mut path = String::new();
        let mut starts = true;
        for (px, py) in curve.thinned(plot_width as usize) {
            if py.is_nan() {
                starts = true;
                continue;
            }
            let _ = match (curve.marks, starts) {
                (true, _) => write!(path, "M{:.2} {:.2}v-{mark:.1}", x(px), y(py) + mark / 2.0),
                (false, true) => write!(path, "M{:.2} {:.2}", x(px), y(py)),
                (false, false) => write!(path, "L{:.2} {:.2}", x(px), y(py)),
            };
            starts = false;
        }
        let _ = writeln!(
            text,
            "<path stroke=\"{}\" d=\"{path}\"/>",
            curve.color(index)
        );
    }
    let _ = writeln!(
        text,
        "</g>\n<rect x=\"{LEFT}\" y=\"{TOP}\" width=\"{plot_width}\" height=\"{PLOT_HEIGHT}\" \
         fill=\"none\" stroke=\"black\"/>"
    );
    for (index, (curve, name)) in figure.curves.iter().zip(&names).enumerate() {
        let at = LEFT + (index % per_line) as f64 * legend_column;
        let base = bottom + 56.0 + (index / per_line) as f64 * LEGEND_LINE;
        let _ = writeln!(
            text,
            "<path d=\"M{at:.1} {0}h18\" stroke=\"{1}\" stroke-width=\"2\"/>\
             <text x=\"{2:.1}\" y=\"{base}\">{3}</text>",
            base - 4.0,
            curve.color(index),
            at + 24.0,
            escaped(name)
        );
    }
    if unnamed > 0 {
        let base = height - 12.0;
        let _ = writeln!(
            text,
            "<text x=\"{LEFT}\" y=\"{base}\">and {unnamed} more</text>"
        );
    }
    text + "</svg>\n"
}

/// The text, or its ends if it is too long.
fn fitting(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    match letters.len() > FITTING {
        false => text.to_owned(),
        true => {
            let (start, end) = letters.split_at(FITTING / 2);
            let end = end.iter().skip(end.len().saturating_sub(FITTING / 2));
            start.iter().chain(['…'].iter()).chain(end).collect()
        }
    }
}
