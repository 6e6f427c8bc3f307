//! Places the ticks and names of an axis.

use crate::layout::Name;
use crate::whole;

/// About `number` ticks between two numbers, with their labels. Their distance is 1, 2 or 5 times a
/// power of ten.
pub fn ticks(from: f64, to: f64, number: usize) -> Vec<(f64, String)> {
    let rough = (to - from) / number.max(1) as f64;
    if !(rough > 0.0 && rough.is_finite()) {
        return Vec::new();
    }
    let exponent = exponent_of(rough);
    let step = round_step(rough);
    let decimals = usize::try_from(-exponent_of(step)).unwrap_or(0);
    let first = (from / step).ceil();
    (0..=2 * number)
        .map(|count| (first + count as f64) * step)
        .take_while(|value| *value <= to + 1e-9 * step)
        .map(|value| {
            let value = if value.abs() < 1e-9 * step {
                0.0
            } else {
                value
            };
            let text = match exponent.abs() > 5 {
                true if value == 0.0 => "0".to_owned(),
                true => {
                    let digits = exponent_of(value) - exponent_of(step);
                    format!("{value:.0$e}", usize::try_from(digits).unwrap_or(0))
                }
                false => format!("{value:.decimals$}"),
            };
            (value, text)
        })
        .collect()
}

/// The smallest of 1, 2 and 5 times a power of ten that is not less than a positive number.
pub fn round_step(rough: f64) -> f64 {
    let power: f64 = format!("1e{}", exponent_of(rough)).parse().unwrap_or(1.0);
    let steps = [1.0, 2.0, 5.0, 10.0].map(|multiple| multiple * power);
    let step = steps.into_iter().find(|step| *step >= rough);
    step.unwrap_or(10.0 * power)
}

/// The decimal exponent of a number.
fn exponent_of(number: f64) -> i32 {
    let text = format!("{number:e}");
    let exponent = text.rsplit_once('e').map(|(_, exponent)| exponent.parse());
    exponent.and_then(Result::ok).unwrap_or(0)
}

/// The names of an axis for which there is room. These are all of the first names if their distance
/// is at least `apart`, else the second names, else some of the first.
pub fn readable([names, groups]: [&[Name]; 2], [low, high]: [f64; 2], apart: f64) -> Vec<&Name> {
    let inside = |name: &&Name| name.at >= low && name.at <= high;
    let names: Vec<&Name> = names.iter().filter(inside).collect();
    if apart <= 1.0 {
        return names;
    }
    if groups.is_empty() {
        let every = whole(round_step(apart));
        return names.into_iter().step_by(every.max(1)).collect();
    }
    let mut kept: Vec<&Name> = Vec::new();
    for group in groups.iter().filter(inside) {
        let is_free = |other: &&Name| (other.at - group.at).abs() >= apart;
        if kept.iter().all(is_free) {
            kept.push(group);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_round_and_inside() {
        let texts = |from, to| -> Vec<String> {
            ticks(from, to, 5)
                .into_iter()
                .map(|(_, text)| text)
                .collect()
        };
        assert_eq!(texts(0.0, 100.0), ["0", "20", "40", "60", "80", "100"]);
        assert_eq!(
            texts(-0.07, 0.03),
            ["-0.06", "-0.04", "-0.02", "0.00", "0.02"]
        );
        assert_eq!(texts(3.0, 7.0), ["3", "4", "5", "6", "7"]);
        assert_eq!(
            texts(-1.2e-10, 1.2e-10),
            ["-1e-10", "-5e-11", "0", "5e-11", "1e-10"]
        );
        assert!(texts(1.0, 1.0).is_empty() && texts(0.0, f64::NAN).is_empty());
        assert!(texts(0.0, 1e-12).len() >= 3);
    }

    #[test]
    fn names_are_shown_as_far_as_they_can_be_read() {
        let name = |at: u32| Name {
            at: f64::from(at),
            text: at.to_string(),
            color: None,
        };
        let names: Vec<Name> = (0..100).map(name).collect();
        let groups = [name(20), name(21), name(70)];
        let texts = |groups: &[Name], apart| -> Vec<String> {
            let shown = readable([&names, groups], [0.0, 99.0], apart);
            shown.into_iter().map(|name| name.text.clone()).collect()
        };
        assert_eq!(texts(&groups, 0.9).len(), 100);
        assert_eq!(texts(&groups, 12.0), ["20", "70"]);
        assert_eq!(texts(&[], 12.0), ["0", "20", "40", "60", "80"]);
    }
}
