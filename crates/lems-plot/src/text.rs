//! A figure as characters, for a terminal.

use std::fmt::Write;

use crate::axis::ticks;
use crate::{Curve, Figure};

/// Characters across and lines down that the curves get.
const COLUMNS: usize = 68;
const LINES: usize = 16;
/// Dots of a Braille character.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bit of each dot, by line and column.
const DOTS: [[u32; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Letters that the numbers of the vertical axis get.
const MARGIN: usize = 9;
/// Most curves that the last line names.
const NAMED: usize = 8;

/// Draws a figure with dots of Braille characters, 78 characters wide.
pub fn text(figure: &Figure) -> String {
    let [x0, x1, y0, y1] = figure.bounds();
    let column = |x: f64| (x - x0) / (x1 - x0) * (COLUMNS * ACROSS - 1) as f64;
    let line = |y: f64| (y1 - y) / (y1 - y0) * (LINES * DOWN - 1) as f64;
    let mut dots = vec![[0_u32; COLUMNS]; LINES];
    for curve in &figure.curves {
        draw(curve, &mut dots, |(x, y)| (column(x), line(y)));
    }
    let mut labels = vec![String::new(); LINES];
    for (value, label) in ticks(y0, y1, 4) {
        if let Some(place) = labels.get_mut(line(value).round() as usize / DOWN) {
            *place = label;
        }
    }
    let mut text = format!("{:MARGIN$}  {}\n", "", figure.title);
    for (label, dots) in labels.iter().zip(&dots) {
        let drawn: String = dots.iter().copied().map(braille).collect();
        let edge = if label.is_empty() {
            '\u{2502}'
        } else {
            '\u{2524}'
        };
        let _ = writeln!(text, "{label:>MARGIN$} {edge}{}", drawn.trim_end());
    }
    let mut axis = String::new();
    let mut numbers = String::new();
    for (value, label) in ticks(x0, x1, 6) {
        let at = column(value).round() as usize / ACROSS;
        axis += &"\u{2500}".repeat(at.saturating_sub(axis.chars().count()));
        axis.push('\u{252c}');
        let begin = (at + 1).saturating_sub(label.chars().count().div_ceil(2));
        numbers += &" ".repeat(begin.saturating_sub(numbers.chars().count()));
        numbers += &label;
    }
    axis += &"\u{2500}".repeat(COLUMNS.saturating_sub(axis.chars().count()));
    let _ = writeln!(text, "{:MARGIN$} \u{2514}{axis}", "");
    let _ = writeln!(text, "{:MARGIN$}  {numbers}  {}", "", figure.x_label);
    text + &legend(figure)
}

fn legend(figure: &Figure) -> String {
    let names = figure.curves.iter().map(|curve| curve.name.as_str());
    let named: Vec<&str> = match figure.is_raster() {
        true => Vec::new(),
        false => names.take(NAMED).collect(),
    };
    let more = match figure.curves.len() - named.len() {
        0 => String::new(),
        _ if named.is_empty() => String::new(),
        more => format!(" and {more} more"),
    };
    let unit = match figure.y_label.as_str() {
        "" => String::new(),
        label if named.is_empty() => label.to_owned(),
        label => format!("{label}: "),
    };
    format!("{:MARGIN$}  {unit}{}{more}", "", named.join(", "))
        .trim_end()
        .to_owned()
        + "\n"
}

fn braille(dots: u32) -> char {
    match dots {
        0 => ' ',
        dots => char::from_u32(0x2800 + dots).unwrap_or('?'),
    }
}

/// Sets the dots of a curve: of its points, and of the lines between them.
fn draw(curve: &Curve, dots: &mut [[u32; COLUMNS]], place: impl Fn((f64, f64)) -> (f64, f64)) {
    let mut set = |x: f64, y: f64| {
        let (x, y) = (x.round(), y.round());
        if x < 0.0 || y < 0.0 {
            return;
        }
        let (x, y) = (x as usize, y as usize);
        let character = dots
            .get_mut(y / DOWN)
            .and_then(|line| line.get_mut(x / ACROSS));
        let dot = DOTS.get(y % DOWN).and_then(|line| line.get(x % ACROSS));
        if let (Some(character), Some(dot)) = (character, dot) {
            *character |= dot;
        }
    };
    let mut last = None;
    for point in curve.thinned(COLUMNS * ACROSS) {
        let (x, y) = place(point);
        if !y.is_finite() {
            last = None;
            continue;
        }
        let (from_x, from_y) = match last {
            Some(last) if !curve.marks => last,
            _ => (x, y),
        };
        // What is far outside is not followed dot by dot.
        let longest = (x - from_x)
            .abs()
            .max((y - from_y).abs())
            .ceil()
            .clamp(1.0, 1000.0);
        for step in 0..=longest as u32 {
            let part = f64::from(step) / longest;
            set(from_x + part * (x - from_x), from_y + part * (y - from_y));
        }
        last = Some((x, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(points: Vec<(f64, f64)>) -> Figure {
        Figure {
            title: "rise".to_owned(),
            x_label: "time / s".to_owned(),
            y_label: "V".to_owned(),
            region: [None, None, Some(0.0), Some(1.0)],
            curves: vec![Curve {
                name: "v".to_owned(),
                points,
                ..Curve::default()
            }],
        }
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        let drawn = text(&line(vec![(0.0, 0.0), (1.0, 1.0)]));
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), 1 + LINES + 3, "{drawn}");
        assert!(lines[0].ends_with("rise"), "{drawn}");
        let top: Vec<char> = lines[1].chars().collect();
        assert_eq!(top.len(), MARGIN + 2 + COLUMNS, "{drawn}");
        let bottom = lines[LINES].chars().nth(MARGIN + 2);
        assert_eq!(bottom, char::from_u32(0x2800 + 0xc0), "{drawn}");
        let is_drawn = |line: &&&str| line.chars().any(|c| ('\u{2800}'..='\u{28ff}').contains(&c));
        assert_eq!(lines.iter().filter(is_drawn).count(), LINES, "{drawn}");
        assert!(lines[LINES + 2].contains("0.4") && lines[LINES + 2].ends_with("time / s"));
        assert_eq!(lines[LINES + 3].trim(), "V: v");
    }

    #[test]
    fn nothing_finite_is_an_empty_picture() {
        let drawn = text(&line(vec![(0.0, f64::NAN), (1.0, f64::INFINITY)]));
        assert!(
            !drawn
                .chars()
                .any(|c| ('\u{2801}'..='\u{28ff}').contains(&c)),
            "{drawn}"
        );
    }

    #[test]
    fn what_leaves_the_region_is_cut_off() {
        let drawn = text(&line(vec![(0.0, 0.5), (0.5, 1e30), (1.0, 0.5)]));
        assert_eq!(drawn.lines().count(), 1 + LINES + 3);
    }
}
