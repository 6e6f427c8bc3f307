//! Draws the shape of a cell.

use std::fmt::Write;

use crate::axis::ticks;
use crate::color::numbered;
use crate::units::fitting_unit;
use lems_xml::escape;

use crate::fitting;

/// The shape of a cell and the colours of its pieces.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Shape {
    /// The title above it.
    pub title: String,
    /// What it consists of.
    pub pieces: Vec<ShapePiece>,
    /// What the colours mean.
    pub colors: ShapeColors,
}

/// A tapered piece of a cell; a sphere if both ends are the same.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ShapePiece {
    /// x, y, z and diameter of its ends, in micrometres.
    pub ends: [[f64; 4]; 2],
    /// Its name, which a page shows at the pointer.
    pub name: String,
    /// The number of its group, or its value; NaN for none.
    pub value: f64,
}

/// What the colours of a shape mean.
#[derive(Debug, Clone, PartialEq)]
pub enum ShapeColors {
    /// The names of groups, by number.
    Groups(Vec<String>),
    /// A quantity and its unit. An SI unit without a prefix gets a suitable prefix.
    Values {
        /// The quantity.
        quantity: String,
        /// The unit.
        unit: String,
    },
}

impl Default for ShapeColors {
    fn default() -> ShapeColors {
        ShapeColors::Groups(Vec::new())
    }
}

const SIZE: f64 = 720.0;
const BORDER: f64 = 30.0;
const TITLE: f64 = 40.0;
const LEGEND_LINE: f64 = 18.0;
const LEGEND_WIDTH: f64 = 200.0;
/// Smallest width of a branch in a picture, in pixels.
const THINNEST: f64 = 0.8;
/// The colour of what has no group and no value.
const NONE: &str = "#bbbbbb";
/// From low to high.
const RAMP: [[f64; 3]; 5] = [
    [68.0, 1.0, 84.0],
    [59.0, 82.0, 139.0],
    [33.0, 145.0, 140.0],
    [94.0, 190.0, 80.0],
    [230.0, 190.0, 20.0],
];
/// Steps of the ramp. More would look the same.
const SHADES: usize = 64;
/// Most pieces that have names in a picture.
const MOST_NAMED: usize = 20_000;

/// Draws a shape as SVG: its two longest axes, with a scale and a legend.
pub fn shape_svg(shape: &Shape) -> String {
    let view = View::of(shape);
    let (width, height) = (view.width + LEGEND_WIDTH, view.height + TITLE);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{}\" y=\"24\" text-anchor=\"middle\" font-size=\"15\">{}</text>\n",
        width / 2.0,
        escape(&fitting(&shape.title, 80))
    );
    let palette = Palette::of(shape);
    // What is behind is drawn first.
    let mut order: Vec<&ShapePiece> = shape.pieces.iter().collect();
    order.sort_by(|left, right| view.depth(left).total_cmp(&view.depth(right)));
    let is_named = shape.pieces.len() <= MOST_NAMED;
    text.push_str("<g class=\"shape\" stroke-linejoin=\"round\">\n");
    for piece in order {
        view.draw(&mut text, piece, &palette.color(piece.value), is_named);
    }
    text.push_str("</g>\n");
    view.scale(&mut text);
    palette.legend(&mut text, view.width);
    text + "</svg>\n"
}

const STYLE: &str = include_str!("shape.css");
const SCRIPT: &str = include_str!("shape.js");

/// A page with shapes that can be moved and zoomed. It needs no other files and no network.
pub fn shape_html(title: &str, shapes: &[Shape]) -> String {
    let pictures: String = shapes.iter().map(shape_svg).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style></head>\n<body>\n<main>\n{pictures}</main>\n\
         <p>Wheel to zoom, drag to move, double click to see all. The pointer shows the names of \
         segments.</p>\n<script>\n{SCRIPT}</script>\n</body></html>\n",
        escape(title)
    )
}

/// From micrometres to pixels.
struct View {
    /// The axes to the right, up, and towards the reader.
    axes: [usize; 3],
    /// Lowest x and highest y that are drawn, in micrometres.
    origin: [f64; 2],
    /// Pixels in a micrometre.
    scale: f64,
    width: f64,
    height: f64,
}

impl View {
    fn of(shape: &Shape) -> View {
        let ends = || shape.pieces.iter().flat_map(|piece| piece.ends);
        let range = |axis: usize| {
            let around = ends().map(|end| (coordinate(&end, axis), coordinate(&end, 3) / 2.0));
            let around = around.filter(|(at, radius)| at.is_finite() && radius.is_finite());
            around.fold(
                [f64::INFINITY, f64::NEG_INFINITY],
                |[low, high], (at, radius)| [low.min(at - radius), high.max(at + radius)],
            )
        };
        let extent = |axis: usize| {
            let [low, high] = range(axis);
            (high - low).max(0.0)
        };
        // The shortest axis points to the reader.
        let mut axes = [0, 1, 2];
        if extent(2) > extent(1) && extent(1) <= extent(0) {
            axes = [0, 2, 1];
        } else if extent(2) > extent(0) {
            axes = [1, 2, 0];
        }
        let [right, up, _] = axes;
        let longest = extent(right).max(extent(up));
        let room = SIZE - 2.0 * BORDER;
        let scale = if longest > 0.0 { room / longest } else { 1.0 };
        let low = |axis: usize| range(axis).first().copied().filter(|low| low.is_finite());
        let high = |axis: usize| range(axis).last().copied().filter(|high| high.is_finite());
        View {
            axes,
            origin: [low(right).unwrap_or(0.0), high(up).unwrap_or(0.0)],
            scale,
            width: extent(right) * scale + 2.0 * BORDER,
            height: (extent(up) * scale + 2.0 * BORDER).max(200.0),
        }
    }

    fn depth(&self, piece: &ShapePiece) -> f64 {
        let [_, _, depth] = self.axes;
        piece.ends.iter().map(|end| coordinate(end, depth)).sum()
    }

    /// x, y and radius in pixels.
    fn place(&self, end: &[f64; 4]) -> [f64; 3] {
        let ([right, up, _], [left, top]) = (self.axes, self.origin);
        [
            BORDER + (coordinate(end, right) - left) * self.scale,
            TITLE + BORDER + (top - coordinate(end, up)) * self.scale,
            (coordinate(end, 3) / 2.0 * self.scale).max(THINNEST / 2.0),
        ]
    }

    fn draw(&self, text: &mut String, piece: &ShapePiece, color: &str, is_named: bool) {
        let [start, end] = piece.ends.each_ref().map(|end| self.place(end));
        let ([x1, y1, r1], [x2, y2, r2]) = (start, end);
        if !start.iter().chain(&end).all(|value| value.is_finite()) {
            return;
        }
        let length = (x2 - x1).hypot(y2 - y1);
        let name = match is_named && !piece.name.is_empty() {
            true => format!("<title>{}</title>", escape(&piece.name)),
            false => String::new(),
        };
        if length < 0.05 {
            let radius = r1.max(r2);
            let _ = writeln!(
                text,
                "<circle cx=\"{x1:.2}\" cy=\"{y1:.2}\" r=\"{radius:.2}\" fill=\"{color}\">{name}</circle>"
            );
            return;
        }
        // Across the piece, of length one.
        let (across_x, across_y) = ((y1 - y2) / length, (x2 - x1) / length);
        let corner =
            |x: f64, y: f64, by: f64| format!("{:.2} {:.2}", x + across_x * by, y + across_y * by);
        let _ = writeln!(
            text,
            "<path d=\"M{}L{}L{}L{}Z\" fill=\"{color}\" stroke=\"{color}\" stroke-width=\"0.3\">{name}</path>",
            corner(x1, y1, r1),
            corner(x2, y2, r2),
            corner(x2, y2, -r2),
            corner(x1, y1, -r1),
        );
    }

    /// A bar of a round length, about a fifth of the picture.
    fn scale(&self, text: &mut String) {
        let micrometres = (self.width - 2.0 * BORDER) / self.scale;
        let Some((length, _)) = ticks(0.0, micrometres, 5)
            .into_iter()
            .find(|(at, _)| *at > 0.0)
        else {
            return;
        };
        let [right, up, _] = self
            .axes
            .map(|axis| ["x", "y", "z"].get(axis).copied().unwrap_or(""));
        let bottom = TITLE + self.height - 8.0;
        let end = BORDER + length * self.scale;
        let _ = writeln!(
            text,
            "<path d=\"M{BORDER} {bottom}H{end:.2}\" stroke=\"black\" stroke-width=\"2\"/>\n\
             <text x=\"{BORDER}\" y=\"{}\">{length} µm ({right} to the right, {up} up)</text>",
            bottom - 6.0
        );
    }
}

fn coordinate(end: &[f64; 4], axis: usize) -> f64 {
    end.get(axis).copied().unwrap_or(f64::NAN)
}

/// Colours and what they mean.
struct Palette<'s> {
    colors: &'s ShapeColors,
    range: [f64; 2],
}

impl<'s> Palette<'s> {
    fn of(shape: &'s Shape) -> Palette<'s> {
        let values = shape.pieces.iter().map(|piece| piece.value);
        let range = (values.filter(|value| value.is_finite()))
            .fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
                [low.min(value), high.max(value)]
            });
        Palette {
            colors: &shape.colors,
            range,
        }
    }

    fn color(&self, value: f64) -> String {
        if !value.is_finite() {
            return NONE.to_owned();
        }
        match self.colors {
            ShapeColors::Groups(_) => numbered(crate::whole(value)),
            ShapeColors::Values { .. } => {
                let [low, high] = self.range;
                let along = if high > low {
                    (value - low) / (high - low)
                } else {
                    0.5
                };
                shade(along)
            }
        }
    }

    fn legend(&self, text: &mut String, left: f64) {
        let mut line = TITLE + 20.0;
        let mut entry = |color: &str, words: &str| {
            let _ = writeln!(
                text,
                "<rect x=\"{left:.0}\" y=\"{:.0}\" width=\"12\" height=\"12\" fill=\"{color}\"/>\
                 <text x=\"{:.0}\" y=\"{line:.0}\">{}</text>",
                line - 10.0,
                left + 18.0,
                escape(&fitting(words, 26))
            );
            line += LEGEND_LINE;
        };
        match self.colors {
            ShapeColors::Groups(names) => {
                for (number, name) in names.iter().enumerate().take(30) {
                    entry(&numbered(number), name);
                }
            }
            ShapeColors::Values { quantity, unit } => {
                let [low, high] = self.range;
                let largest = low.abs().max(high.abs());
                let (unit, scale) = fitting_unit(unit, largest);
                let unit = match unit.is_empty() {
                    true => String::new(),
                    false => format!(" ({unit})"),
                };
                entry("white", &format!("{quantity}{unit}"));
                const STEPS: u32 = 6;
                for step in (0..=STEPS).rev() {
                    let along = f64::from(step) / f64::from(STEPS);
                    let value = (low + (high - low) * along) / scale;
                    if value.is_finite() {
                        entry(&shade(along), &short(value));
                    }
                }
            }
        }
    }
}

/// A number with four digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.3e}").parse().unwrap_or(value);
    match rounded.abs() {
        usual if usual == 0.0 || (1e-3..1e6).contains(&usual) => rounded.to_string(),
        _ => format!("{rounded:e}"),
    }
}

/// A colour of the ramp, from 0 to 1.
fn shade(along: f64) -> String {
    let step = (along.clamp(0.0, 1.0) * SHADES as f64).round() / SHADES as f64;
    let place = step * (RAMP.len() - 1) as f64;
    let before = crate::whole(place).min(RAMP.len() - 2);
    let share = place - before as f64;
    let part = |number: usize| {
        let of = |at: usize| {
            RAMP.get(at)
                .and_then(|color| color.get(number))
                .copied()
                .unwrap_or(0.0)
        };
        let mixed = of(before) + (of(before + 1) - of(before)) * share;
        crate::whole(mixed.round())
    };
    format!("#{:02x}{:02x}{:02x}", part(0), part(1), part(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(ends: [[f64; 4]; 2], value: f64) -> ShapePiece {
        ShapePiece {
            ends,
            name: "segment <1>".to_owned(),
            value,
        }
    }

    fn shape() -> Shape {
        Shape {
            title: "c & d".to_owned(),
            pieces: vec![
                piece([[0.0, 0.0, 0.0, 20.0]; 2], 0.0),
                piece([[0.0, 0.0, 0.0, 4.0], [0.0, 100.0, 0.0, 2.0]], 1.0),
                piece([[0.0, 0.0, 0.0, 4.0], [f64::NAN, 100.0, 0.0, 2.0]], 1.0),
            ],
            colors: ShapeColors::Groups(vec!["soma".to_owned(), "dend".to_owned()]),
        }
    }

    #[test]
    fn a_shape_has_its_pieces_their_names_and_a_legend() {
        let text = shape_svg(&shape());
        assert_eq!(text.matches("<circle").count(), 1, "{text}");
        // One frustum and the bar of the scale; what has no place is left out.
        assert_eq!(text.matches("<path").count(), 2, "{text}");
        for expected in [
            "c &amp; d",
            "segment &lt;1&gt;",
            ">soma<",
            ">dend<",
            "µm (x to the right, y up)",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        assert!(!text.contains("NaN"), "{text}");
    }

    #[test]
    fn values_have_the_colours_between_lowest_and_highest() {
        let mut shape = shape();
        shape.colors = ShapeColors::Values {
            quantity: "v".to_owned(),
            unit: "V".to_owned(),
        };
        let text = shape_svg(&shape);
        assert!(text.contains(&format!("fill=\"{}\"", shade(0.0))), "{text}");
        assert!(text.contains(&format!("fill=\"{}\"", shade(1.0))), "{text}");
        assert!(text.contains("v (V)"), "{text}");
        assert_eq!(shade(0.0), "#440154");
        assert_eq!(shade(1.0), "#e6be14");
        assert_eq!(shade(0.5), "#21918c");
    }

    #[test]
    fn the_shortest_axis_points_to_the_reader() {
        let view = |end: [f64; 3]| {
            let [x, y, z] = end;
            let pieces = vec![piece([[0.0, 0.0, 0.0, 1.0], [x, y, z, 1.0]], 0.0)];
            View::of(&Shape {
                pieces,
                ..Shape::default()
            })
            .axes
        };
        assert_eq!(view([10.0, 10.0, 1.0]), [0, 1, 2]);
        assert_eq!(view([10.0, 1.0, 10.0]), [0, 2, 1]);
        assert_eq!(view([1.0, 10.0, 10.0]), [1, 2, 0]);
        assert_eq!(view([0.0, 0.0, 0.0]), [0, 1, 2]);
    }

    #[test]
    fn an_empty_shape_and_a_page_can_be_drawn() {
        assert!(shape_svg(&Shape::default()).ends_with("</svg>\n"));
        let page = shape_html("a < b", &[shape()]);
        assert!(
            page.contains("a &lt; b") && !page.contains("src="),
            "{page}"
        );
    }
}
