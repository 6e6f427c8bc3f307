//! Figures on a page of their own.

use std::fmt::Write;

use crate::{Figure, escaped};

/// How many places side by side a curve keeps its shape in: at most, and on a page of many curves.
const PLACES: usize = 8_000;
const PLACES_OF_ALL: usize = 400_000;
const LEAST_PLACES: usize = 500;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page with figures that needs no other file and no network.
pub fn html(title: &str, figures: &[Figure]) -> String {
    let curves: usize = figures.iter().map(|figure| figure.curves.len()).sum();
    let places = (PLACES_OF_ALL / curves.max(1)).clamp(LEAST_PLACES, PLACES);
    let data: Vec<String> = (figures.iter())
        .map(|figure| json(figure, places))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<title>{}</title>\n\
         <style>\n{STYLE}</style></head>\n<body>\n<main></main>\n\
         <p class=\"help\">Drag to zoom, wheel to zoom at the pointer, shift and drag to move, double \
         click to see all; click on a name to hide its curve.</p>\n\
         <script>\nconst FIGURES = [{}];\n{SCRIPT}</script>\n</body></html>\n",
        escaped(title),
        data.join(",\n")
    )
}

fn json(figure: &Figure, places: usize) -> String {
    let [x0, x1, y0, y1] = figure.bounds();
    let mut text = format!(
        "{{\"title\":{},\"x\":{},\"y\":{},\"raster\":{},\
         \"bounds\":[{x0:e},{x1:e},{y0:e},{y1:e}],\"curves\":[",
        word(&figure.title),
        word(&figure.x_label),
        word(&figure.y_label),
        figure.is_raster()
    );
    for (index, curve) in figure.curves.iter().enumerate() {
        let comma = if index > 0 { "," } else { "" };
        let _ = write!(
            text,
            "{comma}\n{{\"name\":{},\"color\":{},\"marks\":{},\"points\":[",
            word(&curve.name),
            word(&curve.color(index)),
            curve.marks
        );
        for (number, (x, y)) in curve.thinned(places).into_iter().enumerate() {
            let comma = if number > 0 { "," } else { "" };
            let _ = write!(text, "{comma}{},{}", x as f32, y as f32);
        }
        text.push_str("]}");
    }
    text + "]}"
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
