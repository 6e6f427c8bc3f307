//! Pictures of traces and events.
//!
//! A [`Figure`] is what a LEMS `Display` asks for: curves, a title, a region. [`svg`] and [`png`]
//! draw one, [`text`] with characters; [`html`] puts several on a page that zooms, reads values and hides curves, with a
//! script of its own and nothing from elsewhere.

mod axis;
mod html;
mod png;
mod svg;
mod text;

pub use html::html;
pub use png::{PngError, png};
pub use svg::svg;
pub use text::text;

/// One plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// Above it.
    pub title: String,
    /// Below the horizontal axis.
    pub x_label: String,
    /// Beside the vertical axis.
    pub y_label: String,
    /// xmin, xmax, ymin, ymax; where the data end if None.
    pub region: [Option<f64>; 4],
    /// What it shows.
    pub curves: Vec<Curve>,
}

/// A line, or the events of one source.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curve {
    /// In the legend.
    pub name: String,
    /// A hexadecimal colour such as `#ee40FF`, or a name; one of a few if it is neither.
    pub color: Option<String>,
    /// Points, from left to right.
    pub points: Vec<(f64, f64)>,
    /// Drawn as upright strokes instead of a line.
    pub marks: bool,
}

/// Colours that can be told apart, for curves without one.
const PALETTE: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#555555",
];

/// The brightest that a colour can be and still be seen on white, of 0 to 1.
const BRIGHTEST: f64 = 0.68;

/// The colour of three or six hexadecimal digits, darker if it could not be seen on white.
fn on_white(digits: &str) -> Option<String> {
    let digits: String = match digits.len() {
        3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
        6 => digits.to_owned(),
        _ => return None,
    };
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    let parts = [part(0)?, part(2)?, part(4)?];
    let weights = [0.299, 0.587, 0.114];
    let weighted = parts.iter().zip(weights).map(|(p, w)| f64::from(*p) * w);
    let brightness = weighted.sum::<f64>() / 255.0;
    if brightness <= BRIGHTEST {
        return Some(format!("#{digits}"));
    }
    let [r, g, b] = parts.map(|part| (f64::from(part) * BRIGHTEST / brightness) as u8);
    Some(format!("#{r:02x}{g:02x}{b:02x}"))
}

impl Curve {
    /// A colour that is safe to write into a page.
    fn color(&self, index: usize) -> String {
        let given = self.color.as_deref().unwrap_or_default().trim();
        if let Some(color) = given.strip_prefix('#').and_then(on_white) {
            return color;
        }
        let is_name = !given.is_empty() && given.chars().all(|letter| letter.is_ascii_alphabetic());
        match is_name {
            true => given.to_owned(),
            false => PALETTE
                .get(index % PALETTE.len())
                .unwrap_or(&"black")
                .to_string(),
        }
    }

    /// Fewer points that look the same when the curve is `buckets` wide: of those that share a
    /// place the first, lowest, highest and last. Where points are not finite there is a gap: one
    /// whose height is NaN.
    fn thinned(&self, buckets: usize) -> Vec<(f64, f64)> {
        let finite = |(x, y): &(f64, f64)| x.is_finite() && y.is_finite();
        let size = match self.marks || self.points.len() <= 4 * buckets {
            true => 1,
            false => self.points.len().div_ceil(buckets.max(1)),
        };
        let mut kept = Vec::with_capacity(self.points.len().min(4 * buckets));
        let runs = self.points.split(|point| !finite(point));
        for run in runs.filter(|run| !run.is_empty()) {
            if let (Some((x, _)), false) = (kept.last(), self.marks) {
                kept.push((*x, f64::NAN));
            }
            run.chunks(size).for_each(|bucket| thin(bucket, &mut kept));
        }
        kept
    }
}

/// The first, lowest, highest and last of the points.
fn thin(bucket: &[(f64, f64)], kept: &mut Vec<(f64, f64)>) {
    let by_height = |a: &usize, b: &usize| {
        let height = |at: &usize| bucket.get(*at).map_or(0.0, |point| point.1);
        height(a).total_cmp(&height(b))
    };
    let lowest = (0..bucket.len()).min_by(by_height).unwrap_or(0);
    let highest = (0..bucket.len()).max_by(by_height).unwrap_or(0);
    let mut chosen = [0, lowest, highest, bucket.len().saturating_sub(1)];
    chosen.sort_unstable();
    let mut last = None;
    for at in chosen {
        if last != Some(at) {
            kept.extend(bucket.get(at));
        }
        last = Some(at);
    }
}

impl Figure {
    /// Whether it shows events only: each source is a row, and rows have whole numbers.
    fn is_raster(&self) -> bool {
        !self.curves.is_empty() && self.curves.iter().all(|curve| curve.marks)
    }

    /// The region, with what it does not say taken from the data; never empty.
    fn bounds(&self) -> [f64; 4] {
        let finite = |(x, y): &&(f64, f64)| x.is_finite() && y.is_finite();
        let points = || {
            self.curves
                .iter()
                .flat_map(|curve| &curve.points)
                .filter(finite)
        };
        let range = |values: &mut dyn Iterator<Item = f64>| {
            let mut range = (f64::INFINITY, f64::NEG_INFINITY);
            for value in values {
                range = (range.0.min(value), range.1.max(value));
            }
            match range.0 <= range.1 {
                true => range,
                false => (0.0, 1.0),
            }
        };
        let x = range(&mut points().map(|point| point.0));
        let y = range(&mut points().map(|point| point.1));
        let margin = match self.is_raster() {
            true => 0.7,
            false => 0.05 * (y.1 - y.0),
        };
        let found = [x.0, x.1, y.0 - margin, y.1 + margin];
        let mut bounds = found;
        for ((bound, given), _) in bounds.iter_mut().zip(self.region).zip(0..) {
            *bound = given.filter(|given| given.is_finite()).unwrap_or(*bound);
        }
        for pair in [[0, 1], [2, 3]] {
            if bounds[pair[0]] >= bounds[pair[1]] {
                let middle = found[pair[0]];
                let half = if middle == 0.0 {
                    1.0
                } else {
                    0.1 * middle.abs()
                };
                bounds[pair[0]] = middle - half;
                bounds[pair[1]] = found[pair[1]].max(middle) + half;
            }
        }
        bounds
    }
}

/// Text for XML and HTML.
fn escaped(text: &str) -> String {
    (text.replace('&', "&amp;").replace('<', "&lt;"))
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(points: usize) -> Figure {
        let triangle = |at: usize| ((at % 200) as f64 - 100.0).abs() - 50.0;
        Figure {
            title: "a <b> & \"c\"".to_owned(),
            curves: vec![Curve {
                name: "v</script>".to_owned(),
                color: Some("red\" onload=\"x".to_owned()),
                points: (0..points).map(|at| (at as f64, triangle(at))).collect(),
                marks: false,
            }],
            ..Figure::default()
        }
    }

    #[test]
    fn thinning_keeps_ends_and_extremes() {
        let mut figure = sine(100_000);
        figure.curves[0].points[77_777].1 = 1e6;
        let kept = figure.curves[0].thinned(100);
        assert!(kept.len() <= 400, "{}", kept.len());
        assert_eq!(kept[0].0, 0.0);
        assert_eq!(kept[kept.len() - 1].0, 99_999.0);
        assert!(kept.contains(&(77_777.0, 1e6)));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(sine(300).curves[0].thinned(100).len(), 300);
    }

    #[test]
    fn a_value_that_is_not_finite_breaks_the_line() {
        let mut figure = sine(9);
        figure.curves[0].points[4].1 = f64::NAN;
        figure.curves[0].points[8].1 = f64::INFINITY;
        let kept = figure.curves[0].thinned(100);
        assert_eq!(kept.iter().filter(|point| point.1.is_nan()).count(), 1);
        let drawn = svg(&figure);
        let path = drawn.lines().find(|line| line.contains("L")).unwrap();
        assert_eq!(path.matches('M').count(), 2, "{path}");
        assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{drawn}");
        assert!(html("x", &[figure]).contains(",NaN,"));
    }

    #[test]
    fn nothing_from_a_model_is_markup() {
        let figure = sine(10);
        for text in [svg(&figure), html("x<y", std::slice::from_ref(&figure))] {
            assert!(!text.contains("<b>") && !text.contains("onload"), "{text}");
            assert!(
                !text.contains("v</script>") && !text.contains("x<y"),
                "{text}"
            );
        }
        assert!(svg(&figure).contains("a &lt;b&gt; &amp; &quot;c&quot;"));
    }

    #[test]
    fn every_colour_can_be_seen() {
        let color = |given: &str| {
            let curve = Curve {
                color: Some(given.to_owned()),
                ..Curve::default()
            };
            curve.color(0)
        };
        assert_eq!(color("#12aB34"), "#12aB34");
        assert_eq!(color("#36c"), "#3366cc");
        assert_eq!(color("#ffffff"), "#adadad");
        assert_eq!(color("#ffff00"), "#c3c300");
        assert_eq!(color("#12"), PALETTE[0]);
        assert_eq!(color("#éa1"), PALETTE[0]);
        assert_eq!(color("navy"), "navy");
    }

    #[test]
    fn rows_of_events_are_whole_numbers_apart() {
        let row = |id: f64| Curve {
            points: (0..9).map(|at| (at as f64, id)).collect(),
            marks: true,
            ..Curve::default()
        };
        let figure = Figure {
            curves: vec![row(0.0), row(1.0)],
            ..Figure::default()
        };
        assert_eq!(figure.bounds()[2..], [-0.7, 1.7]);
        let text = svg(&figure);
        assert!(
            text.contains(">1</text>") && !text.contains("0.5</text>"),
            "{text}"
        );
    }

    #[test]
    fn a_region_is_taken_from_the_data_where_it_is_not_given() {
        let mut figure = sine(101);
        assert_eq!(figure.bounds()[..2], [0.0, 100.0]);
        figure.region = [Some(10.0), None, Some(-3.0), Some(3.0)];
        assert_eq!(figure.bounds(), [10.0, 100.0, -3.0, 3.0]);
        figure.region = [Some(0.0), Some(0.0), Some(0.0), Some(0.0)];
        let [x0, x1, y0, y1] = figure.bounds();
        assert!(x0 < x1 && y0 < y1);
        let nothing = Figure::default().bounds();
        assert!(nothing[0] < nothing[1] && nothing[2] < nothing[3]);
    }
}
