//! Draws figures on a web page.

use std::fmt::Write;

use crate::layout::{Laid, Line, Name, Sheet};
use crate::thin::{straightened, thinned};
use lems_xml::escape;

use crate::{Figure, whole};

/// Largest distance of a line from an omitted point, as a fraction of the panel's height. This is a
/// twentieth of a pixel, so it stays invisible when a reader zooms.
const UNSEEN: f64 = 1e-4;
/// Largest number of points on a page; each needs about 15 bytes.
const MOST_POINTS: usize = 600_000;
/// Smallest number of columns in which a curve keeps its shape, even on a page with very many curves.
const LEAST_PLACES: usize = 400;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page with figures that needs no other files and no network.
pub fn html(title: &str, figures: &[Figure]) -> String {
    let mut sheets: Vec<Sheet<'_>> = figures.iter().map(Sheet::of).collect();
    straighten(&mut sheets);
    let data: Vec<String> = sheets.iter().zip(figures).map(json).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style></head>\n<body>\n\
         <button id=\"theme\" type=\"button\">dark or light</button>\n<main></main>\n\
         <p class=\"help\">Drag to zoom, wheel to zoom the time at the pointer (with shift: the \
         height), shift and drag to move, double click to see all; click on a name to hide its \
         curve. All panels show the same time.</p>\n\
         <script>\nconst FIGURES = [{}];\n{SCRIPT}</script>\n</body></html>\n",
        escape(title),
        data.join(",\n")
    )
}

/// Omits points without a visible effect, and more points if they are too many for a page.
fn straighten(sheets: &mut [Sheet<'_>]) {
    for laid in sheets.iter_mut().flat_map(|sheet| &mut sheet.panels) {
        let tolerance = UNSEEN * drawn_height(laid);
        for line in laid.curves.iter_mut().filter(|line| !line.marks) {
            line.points = straightened(&line.points, tolerance);
        }
    }
    let count = |line: &Line| line.points.len();
    let panels = sheets.iter().flat_map(|sheet| &sheet.panels);
    let all: usize = panels.flat_map(|laid| &laid.curves).map(count).sum();
    if all <= MOST_POINTS {
        return;
    }
    for sheet in sheets {
        for line in sheet.panels.iter_mut().flat_map(|laid| &mut laid.curves) {
            let share = line.points.len() as f64 / all as f64 * MOST_POINTS as f64;
            let places = whole(share / 4.0);
            let times = line.points.iter().map(|point| point.0);
            let ends = times.fold([f64::INFINITY, f64::NEG_INFINITY], |[from, to], time| {
                [from.min(time), to.max(time)]
            });
            if line.marks {
                apart(&mut line.points, (ends[1] - ends[0]) / share.max(1.0));
            } else {
                line.points = thinned(&line.points, ends, places.max(LEAST_PLACES));
            }
        }
    }
}

/// The height in which a curve is drawn: that of its lane, if it has one.
fn drawn_height(laid: &Laid) -> f64 {
    match laid.lanes {
        Some(_) => 1.0,
        None => laid.y[1] - laid.y[0],
    }
}

/// Omits events whose distance from the previous one is less than `least`.
fn apart(points: &mut Vec<(f64, f64)>, least: f64) {
    let mut last = f64::NEG_INFINITY;
    points.retain(|(time, _)| {
        let is_kept = time - last >= least;
        if is_kept {
            last = *time;
        }
        is_kept
    });
}

/// A figure as JSON, for the script of the page.
fn json((sheet, figure): (&Sheet<'_>, &Figure)) -> String {
    let [x0, x1] = sheet.x;
    let size = match figure.size {
        Some((width, height)) => format!("[{width},{height}]"),
        None => "null".to_owned(),
    };
    let panels: Vec<String> = sheet.panels.iter().map(panel).collect();
    format!(
        "{{\"title\":{},\"x\":{},\"seconds\":{:e},\"home\":[{x0:e},{x1:e}],\"size\":{size},\
         \"panels\":[{}]}}",
        word(sheet.title),
        word(&sheet.x_label),
        sheet.seconds,
        panels.join(",\n")
    )
}

/// A panel as JSON.
fn panel(laid: &Laid) -> String {
    let names = |names: &[Name]| -> String {
        let name = |name: &Name| {
            let color = name.color.as_deref().map_or("null".to_owned(), word);
            format!("[{},{},{color}]", name.at, word(&name.text))
        };
        names.iter().map(name).collect::<Vec<_>>().join(",")
    };
    let lanes = match laid.lanes {
        Some([middle, apart]) => format!("[{middle:e},{apart:e}]"),
        None => "null".to_owned(),
    };
    let curves: Vec<String> = laid.curves.iter().map(curve).collect();
    format!(
        "{{\"title\":{},\"y\":{},\"range\":[{:e},{:e}],\"height\":{:.0},\"lanes\":{lanes},\
         \"empty\":{},\"named\":{},\"names\":[{}],\"groups\":[{}],\"legend\":[{}],\"curves\":[{}]}}",
        word(&laid.title),
        word(&laid.y_label),
        laid.y[0],
        laid.y[1],
        laid.height,
        laid.is_empty,
        !laid.names.is_empty(),
        names(&laid.names),
        names(&laid.groups),
        (laid.legend.iter())
            .map(|(name, color)| format!("[{},{}]", word(name), word(color)))
            .collect::<Vec<_>>()
            .join(","),
        curves.join(",")
    )
}

fn curve(line: &Line) -> String {
    let mut text = format!(
        "\n{{\"name\":{},\"color\":{},\"marks\":{},\"points\":[",
        word(&line.name),
        word(&line.color),
        line.marks
    );
    for (number, (x, y)) in line.points.iter().enumerate() {
        let comma = if number > 0 { "," } else { "" };
        let _ = write!(text, "{comma}{},{}", short(*x), short(*y));
    }
    text + "]}"
}

/// A number rounded to eight digits.
fn short(number: f64) -> f64 {
    format!("{number:.7e}").parse().unwrap_or(number)
}

/// A string for a script inside a page.
fn word(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        let _ = match letter {
            '"' | '\\' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                write!(quoted, "\\u{:04x}", u32::from(letter))
            }
            other => write!(quoted, "{other}"),
        };
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Curve, Panel, svg};

    fn figure(points: Vec<(f64, f64)>, number: usize) -> Figure {
        let curve = Curve {
            name: "v</script>".to_owned(),
            color: Some("red\" onload=\"x".to_owned()),
            points,
        };
        Figure {
            title: "a <b> & \"c\"".to_owned(),
            panels: vec![Panel {
                quantity: "<i>".to_owned(),
                content: Content::Curves(vec![curve; number]),
                ..Panel::default()
            }],
            ..Figure::default()
        }
    }

    #[test]
    fn nothing_from_a_model_is_markup() {
        let figure = figure(vec![(0.0, 1.0), (1.0, f64::NAN), (2.0, 1.0)], 1);
        let page = html("x<y", std::slice::from_ref(&figure));
        for text in [svg(&figure), page.clone()] {
            for markup in ["<b>", "<i>", "onload", "v</script>", "x<y"] {
                assert!(!text.contains(markup), "{markup}: {text}");
            }
        }
        assert!(svg(&figure).contains("a &lt;b&gt; &amp; &quot;c&quot;"));
        assert!(page.contains(",NaN,"));
    }

    #[test]
    fn a_page_keeps_spikes_and_stays_small() {
        // A spike of ten points in each thousand, and noise that is too small to be seen.
        let height = |at: usize| match at % 1000 {
            near @ 500..510 => ((near * near) % 37) as f64 + 10.0,
            _ => (at % 7) as f64 * 1e-4,
        };
        let points: Vec<_> = (0..100_000)
            .map(|at| (at as f64 * 1e-5, height(at)))
            .collect();
        let page = html("x", &[figure(points, 1)]);
        assert!(page.matches(',').count() < 5_000, "{}", page.len());
        // Each point of a spike is there, in milliseconds.
        for at in 501..510 {
            let point = format!("{},{}", short(at as f64 * 1e-2), short(height(at)));
            assert!(page.contains(&point), "{point}");
        }
    }

    #[test]
    fn a_page_of_noise_has_an_end() {
        let noise = |at: usize| ((at * at) % 1009) as f64;
        let points: Vec<_> = (0..200_000).map(|at| (at as f64, noise(at))).collect();
        let page = html("x", &[figure(points, 20)]);
        assert!(page.len() < 20 << 20, "{}", page.len());
        assert!(page.len() > 1 << 20, "{}", page.len());
    }
}
