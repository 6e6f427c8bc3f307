//! Draws a figure as SVG.

use std::fmt::Write;

use crate::axis::{readable, ticks};
use crate::layout::{Laid, Line, Sheet};
use crate::thin::{between, thinned};
use lems_xml::escape;

use crate::{Figure, fitting, whole};

const WIDTH: f64 = 760.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 40.0;
/// Heights below a panel: of the gap, the numbers and the name of the time axis.
const GAP: f64 = 12.0;
const NUMBERS: f64 = 20.0;
const AXIS_NAME: f64 = 20.0;
/// Height of the title of a panel.
const PANEL_TITLE: f64 = 18.0;
const LEGEND_LINE: f64 = 18.0;
/// Width of a name in the legend without its letters, and width of a letter.
const LEGEND_SAMPLE: f64 = 44.0;
const LETTER: f64 = 7.2;
/// Largest number of letters of a name beside an axis.
const BESIDE: usize = 24;
/// Smallest distance of two names beside an axis.
const NAME_HEIGHT: f64 = 11.0;
/// Smallest distance at which two events of a row are distinguishable.
const NEAREST: f64 = 0.25;

/// Draws a figure as SVG.
pub fn svg(figure: &Figure) -> String {
    // Compute the size of the picture and of the panels.
    let mut sheet = Sheet::of(figure);
    let width = figure.size.map_or(WIDTH, |size| f64::from(size.0));
    let left = margin(&sheet);
    let plot_width = (width - left - RIGHT).max(50.0);
    let legends: Vec<Legend> = (sheet.panels.iter())
        .map(|laid| Legend::of(laid, plot_width))
        .collect();
    let around = around(&sheet, &legends);
    if let Some((_, height)) = figure.size {
        sheet = sheet.stretched((f64::from(height) - around).max(0.0));
    }
    let panels: f64 = sheet.panels.iter().map(|laid| laid.height).sum();
    let height = figure
        .size
        .map_or(0.0, |size| f64::from(size.1))
        .max(panels + around);
    // The beginning of the file and the title.
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    let title_letters = whole(width / (1.25 * LETTER));
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"24\" text-anchor=\"middle\" font-size=\"15\">{}</text>",
        width / 2.0,
        escape(&fitting(sheet.title, title_letters))
    );
    // The panels from top to bottom, each with its legend.
    let mut top = TOP;
    for (number, (laid, legend)) in sheet.panels.iter().zip(&legends).enumerate() {
        let is_last = number + 1 == sheet.panels.len();
        if !laid.title.is_empty() {
            top += PANEL_TITLE;
        }
        let frame = Frame {
            number,
            left,
            top,
            width: plot_width,
            height: laid.height,
            x: sheet.x,
            y: laid.y,
        };
        frame.draw(&mut text, laid, is_last);
        top += laid.height + GAP;
        if is_last {
            top += NUMBERS + AXIS_NAME;
            let _ = writeln!(
                text,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                left + plot_width / 2.0,
                top - 16.0,
                escape(&sheet.x_label)
            );
        }
        legend.draw(&mut text, laid, left, top);
        top += legend.height();
    }
    text + "</svg>\n"
}

/// The width of the space to the left of the panels, for the numbers or names and the labels of axes.
fn margin(sheet: &Sheet<'_>) -> f64 {
    let names = sheet
        .panels
        .iter()
        .flat_map(|laid| laid.names.iter().chain(&laid.groups));
    let letters = names
        .map(|name| name.text.chars().count().min(BESIDE))
        .max();
    (34.0 + LETTER * letters.unwrap_or(0) as f64).max(70.0)
}

/// The total height of everything except the panels.
fn around(sheet: &Sheet<'_>, legends: &[Legend]) -> f64 {
    let titles = sheet.panels.iter().filter(|laid| !laid.title.is_empty());
    let legends: f64 = legends.iter().map(Legend::height).sum();
    TOP + GAP * sheet.panels.len() as f64
        + PANEL_TITLE * titles.count() as f64
        + NUMBERS
        + AXIS_NAME
        + legends
}

/// The legend below a panel.
struct Legend {
    names: Vec<String>,
    column: f64,
    per_line: usize,
}

impl Legend {
    fn of(laid: &Laid, width: f64) -> Legend {
        let most = whole((width - LEGEND_SAMPLE) / LETTER).max(8);
        let names: Vec<String> = (laid.legend.iter())
            .map(|(name, _)| fitting(name, most))
            .collect();
        let longest = names.iter().map(|name| name.chars().count()).max();
        let column = LEGEND_SAMPLE + LETTER * longest.unwrap_or(0) as f64;
        Legend {
            names,
            column,
            per_line: whole(width / column).max(1),
        }
    }

    fn height(&self) -> f64 {
        LEGEND_LINE * self.names.len().div_ceil(self.per_line) as f64
    }

    fn draw(&self, text: &mut String, laid: &Laid, left: f64, top: f64) {
        for (index, (name, (_, color))) in self.names.iter().zip(&laid.legend).enumerate() {
            let at = left + (index % self.per_line) as f64 * self.column;
            let base = top + 8.0 + (index / self.per_line) as f64 * LEGEND_LINE;
            let _ = writeln!(
                text,
                "<path d=\"M{at:.1} {0}h18\" stroke=\"{color}\" stroke-width=\"2\"/>\
                 <text x=\"{1:.1}\" y=\"{base}\">{2}</text>",
                base - 4.0,
                at + 24.0,
                escape(name)
            );
        }
    }
}

/// The place of a panel in the picture, and the ranges of its axes.
struct Frame {
    number: usize,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
    x: [f64; 2],
    y: [f64; 2],
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        self.left + (value - self.x[0]) / (self.x[1] - self.x[0]) * self.width
    }

    fn y(&self, value: f64) -> f64 {
        self.top + (self.y[1] - value) / (self.y[1] - self.y[0]) * self.height
    }

    /// Draws a panel: title, grid, numbers or names, labels, curves and frame.
    fn draw(&self, text: &mut String, laid: &Laid, has_numbers: bool) {
        let (left, top, width, height) = (self.left, self.top, self.width, self.height);
        let bottom = top + height;
        if !laid.title.is_empty() {
            let title = fitting(&laid.title, whole(width / LETTER));
            let title = escape(&title);
            let base = top - 6.0;
            let _ = writeln!(
                text,
                "<text x=\"{left}\" y=\"{base}\" font-weight=\"bold\">{title}</text>"
            );
        }
        // The horizontal axis with its grid.
        let number = self.number;
        let _ = writeln!(
            text,
            "<clipPath id=\"plot{number}\"><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" \
             height=\"{height}\"/></clipPath>"
        );
        for (value, label) in ticks(self.x[0], self.x[1], whole(width / 80.0)) {
            let at = self.x(value);
            let _ = writeln!(
                text,
                "<path d=\"M{at:.1} {top}V{bottom}\" stroke=\"#e4e4e4\"/>"
            );
            if has_numbers {
                let base = bottom + 16.0;
                let _ = writeln!(
                    text,
                    "<text x=\"{at:.1}\" y=\"{base}\" text-anchor=\"middle\">{label}</text>"
                );
            }
        }
        // The vertical axis with numbers or names.
        if laid.names.is_empty() {
            for (value, label) in ticks(self.y[0], self.y[1], whole(height / 40.0).max(3)) {
                self.side(text, value, &label, None);
            }
        } else {
            let apart = NAME_HEIGHT * (self.y[1] - self.y[0]) / height;
            for name in readable([&laid.names, &laid.groups], self.y, apart) {
                let label = fitting(&name.text, BESIDE);
                let label = escape(&label);
                self.side(text, name.at, &label, name.color.as_deref());
            }
        }
        let _ = writeln!(
            text,
            "<text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            top + height / 2.0,
            escape(&fitting(&laid.y_label, whole(height / 6.0) + 6))
        );
        let _ = writeln!(
            text,
            "<g clip-path=\"url(#plot{number})\" fill=\"none\" stroke-width=\"1.2\">"
        );
        // The curves.
        for line in &laid.curves {
            let path = self.path(line);
            if !path.is_empty() {
                let _ = writeln!(text, "<path stroke=\"{}\" d=\"{path}\"/>", line.color);
            }
        }
        let _ = writeln!(
            text,
            "</g>\n<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" \
             fill=\"none\" stroke=\"black\"/>"
        );
        if laid.is_empty {
            let (middle, base) = (left + width / 2.0, top + height / 2.0);
            let _ = writeln!(
                text,
                "<text x=\"{middle}\" y=\"{base}\" text-anchor=\"middle\" fill=\"#777\">nothing \
                 recorded</text>"
            );
        }
    }

    /// Draws a number or name beside the panel, and its grid line.
    fn side(&self, text: &mut String, value: f64, label: &str, color: Option<&str>) {
        let (at, right, end) = (self.y(value), self.left + self.width, self.left - 6.0);
        let fill = color.map_or(String::new(), |color| format!(" fill=\"{color}\""));
        let _ = writeln!(
            text,
            "<path d=\"M{} {at:.1}H{right}\" stroke=\"#e4e4e4\"/>\
             <text x=\"{end}\" y=\"{:.1}\" text-anchor=\"end\"{fill}>{label}</text>",
            self.left,
            at + 4.0
        );
    }

    /// The path of a curve or of strokes, with no more points than are visible.
    fn path(&self, line: &Line) -> String {
        let points = between(&line.points, self.x);
        if line.marks {
            return self.strokes(points);
        }
        let points = thinned(points, self.x, whole(self.width));
        let mut path = String::new();
        for stretch in points.split(|point| point.1.is_nan()) {
            if let [(x, y)] = stretch {
                // A single point would be invisible, so it becomes a cross.
                let (x, y) = (self.x(*x), self.y(*y));
                let _ = write!(path, "M{:.2} {y:.2}h6m-3 -3v6", x - 3.0);
                continue;
            }
            for (index, (x, y)) in stretch.iter().enumerate() {
                let letter = if index == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{letter}{:.2} {:.2}", self.x(*x), self.y(*y));
            }
        }
        path
    }

    fn strokes(&self, points: &[(f64, f64)]) -> String {
        let size = (0.8 * self.height / (self.y[1] - self.y[0])).clamp(1.0, 20.0);
        let mut path = String::new();
        let mut last = f64::NEG_INFINITY;
        for (x, y) in points {
            let (x, y) = (self.x(*x), self.y(*y));
            if x - last >= NEAREST {
                let _ = write!(path, "M{x:.2} {:.2}v-{size:.1}", y + size / 2.0);
                last = x;
            }
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Curve, Panel, Row};

    fn figure(content: Content) -> Figure {
        Figure {
            panels: vec![Panel {
                content,
                ..Panel::default()
            }],
            ..Figure::default()
        }
    }

    fn curve(points: &[(f64, f64)]) -> Figure {
        figure(Content::Curves(vec![Curve {
            points: points.to_vec(),
            ..Curve::default()
        }]))
    }

    #[test]
    fn gaps_and_single_points_are_seen() {
        let nan = f64::NAN;
        let drawn = svg(&curve(&[
            (0.0, 0.0),
            (1.0, 1.0),
            (2.0, nan),
            (3.0, 1.0),
            (4.0, nan),
        ]));
        let path = drawn.lines().find(|line| line.contains('L')).unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert!(path.ends_with("v6\"/>"), "{path}");
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
    }

    #[test]
    fn a_size_is_kept() {
        let small = Figure {
            size: Some((500, 250)),
            ..curve(&[(0.0, 0.0), (1.0, 1.0)])
        };
        assert!(svg(&small).contains("width=\"500\" height=\"250\""));
    }

    #[test]
    fn an_empty_panel_says_so() {
        for content in [Content::default(), Content::Rows(vec![Row::default()])] {
            assert!(svg(&figure(content)).contains("nothing recorded"));
        }
    }

    #[test]
    fn a_figure_does_not_grow_with_the_number_of_events() {
        let row = Row {
            times: (0..200_000).map(f64::from).collect(),
            ..Row::default()
        };
        let drawn = svg(&figure(Content::Rows(vec![row])));
        assert!(drawn.len() < 100_000, "{}", drawn.len());
    }
}
