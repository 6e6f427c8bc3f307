//! Draws a figure with characters, for a terminal.

use std::fmt::Write;

use crate::axis::{readable, ticks};
use crate::layout::{Laid, Line, Sheet};
use crate::thin::{between, thinned};
use crate::{Figure, fitting, whole};

/// Width of the curves in characters.
const COLUMNS: usize = 68;
/// Height of a panel in lines: for values, for a rate, and the maximum for rows.
const LINES: usize = 16;
const RATE_LINES: usize = 5;
const MOST_LINES: usize = 40;
/// Panels whose height is at most this are drawn with the height of a rate.
const RATE_HEIGHT: f64 = 90.0;
/// Number of dots of a Braille character in each direction.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bit of each dot in a Braille character, by line and column.
const DOTS: [[u32; ACROSS]; DOWN] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
/// Width of the numbers of the vertical axis, and largest width of names, in letters.
const MARGIN: usize = 9;
const MOST_MARGIN: usize = 20;

/// Draws a figure with the dots of Braille characters, about 78 characters wide.
pub fn text(figure: &Figure) -> String {
    let sheet = Sheet::of(figure);
    let names = sheet
        .panels
        .iter()
        .flat_map(|laid| laid.names.iter().chain(&laid.groups));
    let letters = names.map(|name| name.text.chars().count()).max();
    let margin = letters.unwrap_or(0).clamp(MARGIN, MOST_MARGIN);
    let mut text = format!("{:margin$}  {}\n", "", sheet.title);
    for laid in &sheet.panels {
        if !laid.title.is_empty() {
            let _ = writeln!(text, "{:margin$}  {}", "", laid.title);
        }
        panel(&mut text, laid, sheet.x, margin);
        let legend = legend(laid);
        if !legend.is_empty() {
            let _ = writeln!(text, "{:margin$}  {legend}", "");
        }
    }
    let column = |x: f64| (x - sheet.x[0]) / (sheet.x[1] - sheet.x[0]) * COLUMNS as f64;
    let mut numbers = String::new();
    for (value, label) in ticks(sheet.x[0], sheet.x[1], 6) {
        let at = whole(column(value));
        let begin = (at + 1).saturating_sub(label.chars().count().div_ceil(2));
        numbers += &" ".repeat(begin.saturating_sub(numbers.chars().count()));
        numbers += &label;
    }
    let _ = writeln!(text, "{:margin$}  {numbers}  {}", "", sheet.x_label);
    text
}

/// Draws the curves of a panel and its axes, but not the numbers of the time axis.
fn panel(text: &mut String, laid: &Laid, x: [f64; 2], margin: usize) {
    // Draw the curves as dots.
    let [y0, y1] = laid.y;
    let lines = match laid.names.len() {
        0 if laid.height <= RATE_HEIGHT => RATE_LINES,
        0 => LINES,
        names => names.clamp(RATE_LINES, MOST_LINES),
    };
    let column = |value: f64| (value - x[0]) / (x[1] - x[0]) * (COLUMNS * ACROSS - 1) as f64;
    let line = |value: f64| (y1 - value) / (y1 - y0) * (lines * DOWN - 1) as f64;
    let mut dots = vec![[0_u32; COLUMNS]; lines];
    for curve in &laid.curves {
        draw(curve, x, &mut dots, |(x, y)| (column(x), line(y)));
    }
    // Put numbers or names at lines of the vertical axis.
    let mut labels = vec![String::new(); lines];
    let mut put = |value: f64, label: String| {
        if let Some(place) = labels.get_mut(whole(line(value).round()) / DOWN) {
            *place = label;
        }
    };
    if laid.names.is_empty() {
        let marks = ticks(y0, y1, (lines / 4).max(2));
        marks
            .into_iter()
            .for_each(|(value, label)| put(value, label));
    } else {
        let apart = (y1 - y0) / lines as f64;
        for name in readable([&laid.names, &laid.groups], laid.y, apart) {
            put(name.at, fitting(&name.text, margin - 1));
        }
    }
    // Write the lines.
    for (label, dots) in labels.iter().zip(&dots) {
        let drawn: String = dots.iter().copied().map(braille).collect();
        let edge = if label.is_empty() {
            '\u{2502}'
        } else {
            '\u{2524}'
        };
        let _ = writeln!(text, "{label:>margin$} {edge}{}", drawn.trim_end());
    }
    // Write the horizontal axis with its ticks.
    let mut axis = String::new();
    for (value, _) in ticks(x[0], x[1], 6) {
        let at = whole(column(value).round()) / ACROSS;
        axis += &"\u{2500}".repeat(at.saturating_sub(axis.chars().count()));
        axis.push('\u{252c}');
    }
    axis += &"\u{2500}".repeat(COLUMNS.saturating_sub(axis.chars().count()));
    let _ = writeln!(text, "{:margin$} \u{2514}{axis}", "");
}

/// The label of the axis and the names of the curves.
fn legend(laid: &Laid) -> String {
    let names: Vec<&str> = (laid.legend.iter())
        .map(|(name, _)| name.as_str())
        .collect();
    match (laid.y_label.as_str(), names.join(", ")) {
        (_, _) if laid.is_empty => "nothing recorded".to_owned(),
        ("", names) => names,
        (label, names) if names.is_empty() => label.to_owned(),
        (label, names) => format!("{label}: {names}"),
    }
}

fn braille(dots: u32) -> char {
    match dots {
        0 => ' ',
        dots => char::from_u32(0x2800 + dots).unwrap_or('?'),
    }
}

/// Sets the dots of a curve: of its points and of the lines between them.
fn draw(
    curve: &Line,
    x: [f64; 2],
    dots: &mut [[u32; COLUMNS]],
    place: impl Fn((f64, f64)) -> (f64, f64),
) {
    // Sets the dot at a place, if it is inside the panel.
    let mut set = |x: f64, y: f64| {
        let (x, y) = (x.round(), y.round());
        if x < 0.0 || y < 0.0 {
            return;
        }
        let (x, y) = (whole(x), whole(y));
        let character = dots
            .get_mut(y / DOWN)
            .and_then(|line| line.get_mut(x / ACROSS));
        let dot = DOTS.get(y % DOWN).and_then(|line| line.get(x % ACROSS));
        if let (Some(character), Some(dot)) = (character, dot) {
            *character |= dot;
        }
    };
    // Events are single dots; the points of a curve are connected, except across a gap.
    let mut last = None;
    let points = between(&curve.points, x);
    let points = if curve.marks {
        points.to_vec()
    } else {
        thinned(points, x, COLUMNS * ACROSS)
    };
    for point in points {
        let (x, y) = place(point);
        if !y.is_finite() {
            last = None;
            continue;
        }
        let (from_x, from_y) = match last {
            Some(last) if !curve.marks => last,
            _ => (x, y),
        };
        // The number of dots per line is limited, because a line may end far outside the panel.
        let longest = (x - from_x)
            .abs()
            .max((y - from_y).abs())
            .ceil()
            .clamp(1.0, 1000.0);
        for step in 0..=whole(longest) {
            let part = step as f64 / longest;
            set(from_x + part * (x - from_x), from_y + part * (y - from_y));
        }
        last = Some((x, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Curve, Panel};

    fn line(points: Vec<(f64, f64)>) -> Figure {
        let curve = Curve {
            name: "v".to_owned(),
            points,
            ..Curve::default()
        };
        Figure {
            title: "rise".to_owned(),
            panels: vec![Panel {
                unit: "kV".to_owned(),
                range: [Some(0.0), Some(1.0)],
                content: Content::Curves(vec![curve]),
                ..Panel::default()
            }],
            ..Figure::default()
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
        assert!(lines[LINES + 3].contains("0.4") && lines[LINES + 3].ends_with("time (s)"));
        assert_eq!(lines[LINES + 2].trim(), "kV: v");
    }

    #[test]
    fn nothing_finite_is_an_empty_picture() {
        let drawn = text(&line(vec![(0.0, f64::NAN), (1.0, f64::INFINITY)]));
        let is_dot = |letter: char| ('\u{2801}'..='\u{28ff}').contains(&letter);
        assert!(!drawn.chars().any(is_dot), "{drawn}");
        assert!(drawn.contains("nothing recorded"), "{drawn}");
    }

    #[test]
    fn what_leaves_the_region_is_cut_off() {
        let drawn = text(&line(vec![(0.0, 0.5), (0.5, 1e30), (1.0, 0.5)]));
        assert_eq!(drawn.lines().count(), 1 + LINES + 3);
    }
}
