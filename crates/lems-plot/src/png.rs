//! Draws a figure as PNG.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use thiserror::Error;

use crate::{Figure, Shape, shape_svg, svg};

/// A font with Latin, Greek and symbols. It is embedded, so a picture is the same on every computer.
const FONT: &[u8] = include_bytes!("../font/DejaVuSans.ttf");
/// Pixels per unit of the SVG if no size is given. This is enough for print in the width of a column.
const SCALE: f32 = 2.0;

/// Why a figure could not be drawn as PNG.
#[derive(Debug, Error)]
#[error("the picture cannot be drawn: {0}")]
pub struct PngError(String);

/// Draws a figure like [`svg`], in its given size, or in twice the size of the SVG if none is given.
///
/// # Errors
/// The figure is too large for the memory.
pub fn png(figure: &Figure) -> Result<Vec<u8>, PngError> {
    let scale = if figure.size.is_some() { 1.0 } else { SCALE };
    drawn(&svg(figure), scale)
}

/// Draws a shape like [`shape_svg`], in twice its size.
///
/// # Errors
/// The picture is too large for the memory.
pub fn shape_png(shape: &Shape) -> Result<Vec<u8>, PngError> {
    drawn(&shape_svg(shape), SCALE)
}

fn drawn(picture: &str, scale: f32) -> Result<Vec<u8>, PngError> {
    let failed = |reason: &dyn ToString| PngError(reason.to_string());
    let mut options = Options::default();
    let fonts = options.fontdb_mut();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family("DejaVu Sans");
    let tree = Tree::from_str(picture, &options).map_err(|error| failed(&error))?;
    let size = tree.size().to_int_size().scale_by(scale);
    let pixels = size.and_then(|size| Pixmap::new(size.width(), size.height()));
    let mut pixels = pixels.ok_or_else(|| failed(&"it is too large"))?;
    let scaled = Transform::from_scale(scale, scale);
    resvg::render(&tree, scaled, &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, Curve, Panel};

    fn figure(color: &str, title: &str) -> Figure {
        let curve = Curve {
            color: Some(color.to_owned()),
            points: vec![(0.0, 0.0), (1.0, 1.0)],
            ..Curve::default()
        };
        Figure {
            title: title.to_owned(),
            panels: vec![Panel {
                content: Content::Curves(vec![curve]),
                ..Panel::default()
            }],
            ..Figure::default()
        }
    }

    fn picture(color: &str, title: &str) -> Pixmap {
        Pixmap::decode_png(&png(&figure(color, title)).unwrap()).unwrap()
    }

    fn count(picture: &Pixmap, wanted: impl Fn(u8, u8, u8) -> bool) -> usize {
        let pixels = picture.pixels().iter();
        pixels
            .filter(|pixel| wanted(pixel.red(), pixel.green(), pixel.blue()))
            .count()
    }

    #[test]
    fn a_curve_has_its_colour() {
        let red = |r, g, b| r > 200 && g < 60 && b < 60;
        assert!(count(&picture("#ff0000", ""), red) > 500);
        assert_eq!(count(&picture("#0000ff", ""), red), 0);
    }

    #[test]
    fn text_is_drawn_without_fonts_of_the_computer() {
        let dark = |r, g, b| r < 80 && g < 80 && b < 80;
        let (none, some) = (picture("#ff0000", ""), picture("#ff0000", "µs Ω τ m² 1/m³"));
        assert!(count(&some, dark) > count(&none, dark) + 100);
    }

    #[test]
    fn a_picture_has_the_size_that_is_asked_for() {
        let sized = Figure {
            size: Some((640, 300)),
            ..figure("#ff0000", "")
        };
        let picture = Pixmap::decode_png(&png(&sized).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (640, 300));
    }
}
