//! What a layout consists of: a sheet with panels, names and lines in the units of the axes. All picture
//! formats share it.

/// A figure with its layout.
pub struct Sheet<'f> {
    pub title: &'f str,
    pub x_label: String,
    /// The range of the time axis, in its unit.
    pub x: [f64; 2],
    /// The unit of time in seconds.
    pub seconds: f64,
    pub panels: Vec<Laid>,
}

/// A panel with its layout.
#[derive(Default)]
pub struct Laid {
    pub title: String,
    pub y_label: String,
    /// Lowest and highest value, or row.
    pub y: [f64; 2],
    /// Height in pixels, without margins.
    pub height: f64,
    /// Names along the vertical axis, instead of numbers.
    pub names: Vec<Name>,
    /// Names of groups, which replace `names` if there is no room for these.
    pub groups: Vec<Name>,
    /// If each curve has its own lane: the value in the middle of a lane, and the distance of lanes.
    pub lanes: Option<[f64; 2]>,
    pub curves: Vec<Line>,
    /// The names and colours in the legend.
    pub legend: Vec<(String, String)>,
    /// Whether it has neither points nor events.
    pub is_empty: bool,
}

/// A name on an axis.
#[derive(Clone)]
pub struct Name {
    pub at: f64,
    pub text: String,
    pub color: Option<String>,
}

/// A curve, or the events of a row, which are drawn as strokes at one height.
pub struct Line {
    pub name: String,
    pub color: String,
    pub marks: bool,
    pub points: Vec<(f64, f64)>,
}

impl Sheet<'_> {
    /// Stretches the panels so that their total height is `height`, with a minimum for each panel.
    pub fn stretched(mut self, height: f64) -> Self {
        const LEAST: f64 = 30.0;
        let now: f64 = self.panels.iter().map(|laid| laid.height).sum();
        for laid in &mut self.panels {
            laid.height = (laid.height * height / now).max(LEAST);
        }
        self
    }
}

/// The given bounds, or else the range of the data with a margin on both sides; never empty.
pub fn bounds(found: (f64, f64), given: [Option<f64>; 2], margin: f64) -> [f64; 2] {
    let (low, high) = match found.0 <= found.1 {
        true => found,
        false => (0.0, 1.0),
    };
    let margin = margin * (high - low);
    let [from, to] = given.map(|given| given.filter(|given| given.is_finite()));
    let both = [from.unwrap_or(low - margin), to.unwrap_or(high + margin)];
    if both[0] < both[1] {
        return both;
    }
    let middle = from.or(to).unwrap_or(low);
    let half = match middle.abs() {
        0.0 => 1.0,
        size => 0.1 * size,
    };
    [from.unwrap_or(middle - half), middle + half]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_empty() {
        assert_eq!(
            bounds((f64::INFINITY, f64::NEG_INFINITY), [None; 2], 0.1),
            [-0.1, 1.1]
        );
        assert_eq!(bounds((5.0, 5.0), [None; 2], 0.1), [4.5, 5.5]);
        assert_eq!(bounds((0.0, 1.0), [Some(2.0), None], 0.0), [2.0, 2.2]);
        assert_eq!(
            bounds((0.0, 1.0), [Some(f64::NAN), Some(0.5)], 0.0),
            [0.0, 0.5]
        );
        let [from, to] = bounds((0.0, 1.0), [Some(3.0), Some(1.0)], 0.0);
        assert!(from < to);
    }
}
