//! Reduces the number of points without a visible change.

/// A point: a time and a value.
pub type Point = (f64, f64);

fn is_finite(point: &Point) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

/// Applies a function that omits points to each stretch of finite points. Each gap between stretches
/// becomes one point with the value NaN.
fn by_stretch(points: &[Point], mut thin: impl FnMut(&[Point], &mut Vec<Point>)) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::new();
    for stretch in points.split(|point| !is_finite(point)) {
        if stretch.is_empty() {
            continue;
        }
        if let Some((x, _)) = kept.last() {
            kept.push((*x, f64::NAN));
        }
        thin(stretch, &mut kept);
    }
    kept
}

/// Omits the points whose distance from a line between other points is less than `tolerance`.
pub fn straightened(points: &[Point], tolerance: f64) -> Vec<Point> {
    by_stretch(points, |stretch, kept| straighten(stretch, tolerance, kept))
}

/// Keeps a point only where it is needed. From the last point kept, it goes as far as a line stays
/// within the tolerance of all points in between. The range of slopes of such lines narrows with each
/// point.
fn straighten(stretch: &[Point], tolerance: f64, kept: &mut Vec<Point>) {
    let Some((first, rest)) = stretch.split_first() else {
        return;
    };
    kept.push(*first);
    let (mut from, mut before) = (*first, *first);
    let mut slopes = (f64::NEG_INFINITY, f64::INFINITY);
    for point in rest {
        let slope = |offset: f64, from: Point| (point.1 + offset - from.1) / (point.0 - from.0);
        let here = slope(0.0, from);
        // If two points have the same time, the slope is NaN, which is in no range.
        if from != before && !(here >= slopes.0 && here <= slopes.1) {
            kept.push(before);
            from = before;
            slopes = (f64::NEG_INFINITY, f64::INFINITY);
        }
        slopes.0 = slopes.0.max(slope(-tolerance, from));
        slopes.1 = slopes.1.min(slope(tolerance, from));
        before = *point;
    }
    if before != from {
        kept.push(before);
    }
}

/// Divides the range between two times into `places` columns, and keeps the first, lowest, highest
/// and last point in each column. If there are few points, it keeps all.
pub fn thinned(points: &[Point], [from, to]: [f64; 2], places: usize) -> Vec<Point> {
    let size = (to - from) / places.max(1) as f64;
    let is_few = points.len() <= 4 * places;
    let place = |point: &Point| ((point.0 - from) / size).floor();
    by_stretch(points, |stretch, kept| {
        if is_few {
            kept.extend(stretch);
            return;
        }
        for shared in stretch.chunk_by(|a, b| place(a) == place(b)) {
            keep_ends(shared, kept);
        }
    })
}

/// Keeps the first, lowest, highest and last point, in their order and without repetition.
fn keep_ends(shared: &[Point], kept: &mut Vec<Point>) {
    let numbered = || shared.iter().enumerate();
    let lowest = numbered().min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let highest = numbered().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let number = |found: Option<(usize, &Point)>| found.map_or(0, |(number, _)| number);
    let mut chosen = [
        0,
        number(lowest),
        number(highest),
        shared.len().saturating_sub(1),
    ];
    chosen.sort_unstable();
    let mut last = None;
    for number in chosen {
        if last != Some(number) {
            kept.extend(shared.get(number));
        }
        last = Some(number);
    }
}

/// The points between two times, and the next point on either side.
pub fn between(points: &[Point], [from, to]: [f64; 2]) -> &[Point] {
    let first = points.partition_point(|point| point.0 < from);
    let last = points.partition_point(|point| point.0 <= to);
    let (first, last) = (first.saturating_sub(1), (last + 1).min(points.len()));
    points.get(first..last).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triangle(points: usize) -> Vec<Point> {
        let height = |at: usize| ((at % 200) as f64 - 100.0).abs() - 50.0;
        (0..points).map(|at| (at as f64, height(at))).collect()
    }

    #[test]
    fn thinning_keeps_ends_and_extremes() {
        let mut points = triangle(100_000);
        points[77_777].1 = 1e6;
        let kept = thinned(&points, [0.0, 1e5], 100);
        assert!(kept.len() <= 400, "{}", kept.len());
        assert_eq!(kept[0].0, 0.0);
        assert_eq!(kept[kept.len() - 1].0, 99_999.0);
        assert!(kept.contains(&(77_777.0, 1e6)));
        assert!(kept.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!(thinned(&triangle(300), [0.0, 300.0], 100).len(), 300);
    }

    #[test]
    fn a_straight_line_keeps_its_corners() {
        let kept = straightened(&triangle(1001), 1e-9);
        let corners: Vec<f64> = kept.iter().map(|point| point.0).collect();
        let hundreds: Vec<f64> = (0..=10).map(|at| f64::from(at) * 100.0).collect();
        assert_eq!(corners, hundreds);
    }

    #[test]
    fn no_point_is_further_away_than_the_tolerance() {
        let wave = |at: usize| ((at * at) % 101) as f64 / 1000.0 + (at / 500) as f64;
        let points: Vec<Point> = (0..5000).map(|at| (at as f64, wave(at))).collect();
        let kept = straightened(&points, 0.06);
        assert!(kept.len() < 2500, "{}", kept.len());
        for (x, y) in points {
            let after = kept.partition_point(|point| point.0 < x).max(1);
            let (a, b) = (kept[after - 1], kept[after]);
            let line = a.1 + (b.1 - a.1) * (x - a.0) / (b.0 - a.0);
            assert!((line - y).abs() <= 0.06 + 1e-9, "{x}: {line} for {y}");
        }
    }

    #[test]
    fn a_value_that_is_not_finite_breaks_the_line() {
        let mut points = triangle(9);
        points[4].1 = f64::NAN;
        points[8].1 = f64::INFINITY;
        for kept in [
            thinned(&points, [0.0, 9.0], 100),
            straightened(&points, 0.1),
        ] {
            assert_eq!(kept.iter().filter(|point| point.1.is_nan()).count(), 1);
        }
    }

    #[test]
    fn equal_times_are_no_harm() {
        let points = [(0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (1.0, 2.0), (1.0, 0.0)];
        let kept = straightened(&points, 0.1);
        assert_eq!(kept.first(), Some(&(0.0, 0.0)));
        assert_eq!(kept.last(), Some(&(1.0, 0.0)));
        assert!(
            kept.contains(&(0.0, 2.0)) && kept.contains(&(1.0, 2.0)),
            "{kept:?}"
        );
    }
}
