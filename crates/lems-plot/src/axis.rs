//! Where the marks of an axis are.

/// Values of 1, 2 or 5 times a power of ten between two numbers, about `number` of them, and how
/// they are written.
pub fn ticks(from: f64, to: f64, number: usize) -> Vec<(f64, String)> {
    let rough = (to - from) / number.max(1) as f64;
    if !(rough > 0.0 && rough.is_finite()) {
        return Vec::new();
    }
    let exponent = exponent_of(rough);
    let power: f64 = format!("1e{exponent}").parse().unwrap_or(1.0);
    let multiples = [1.0, 2.0, 5.0, 10.0];
    let step = multiples.map(|multiple| multiple * power);
    let step = step
        .into_iter()
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * power);
    let decimals = usize::try_from(-exponent_of(step)).unwrap_or(0);
    let first = (from / step).ceil();
    (0..=2 * number as u32)
        .map(|count| (first + f64::from(count)) * step)
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

/// The power of ten that a number is written with.
fn exponent_of(number: f64) -> i32 {
    let text = format!("{number:e}");
    let exponent = text.rsplit_once('e').map(|(_, exponent)| exponent.parse());
    exponent.and_then(Result::ok).unwrap_or(0)
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
}
