//! Colours that are visible on white.

/// Distinguishable colours, for curves that have no colour.
const PALETTE: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f3c8d", "#555555",
];

/// Largest brightness, between 0 and 1, at which a colour is visible on white.
const BRIGHTEST: f64 = 0.68;

/// The colour with three or six hexadecimal digits, darkened if it would be invisible on white.
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
    let [r, g, b] = parts.map(|part| darkened(part, brightness));
    Some(format!("#{r:02x}{g:02x}{b:02x}"))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a part of a colour is a whole number, and it becomes no greater: `brightness` is above `BRIGHTEST`"
)]
fn darkened(part: u8, brightness: f64) -> u8 {
    (f64::from(part) * BRIGHTEST / brightness) as u8
}

/// The default colour for the curve or population with this number.
pub fn numbered(index: usize) -> String {
    let color = PALETTE.get(index % PALETTE.len());
    color.copied().unwrap_or("black").to_owned()
}

/// A colour that is safe to write into a page: the given one if it is a colour, else the default.
pub fn seen(given: Option<&str>, index: usize) -> String {
    let given = given.unwrap_or_default().trim();
    if let Some(color) = given.strip_prefix('#').and_then(on_white) {
        return color;
    }
    let is_name = !given.is_empty() && given.chars().all(|letter| letter.is_ascii_alphabetic());
    if is_name {
        given.to_owned()
    } else {
        numbered(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_can_be_seen() {
        let color = |given: &str| seen(Some(given), 0);
        assert_eq!(color("#12aB34"), "#12aB34");
        assert_eq!(color("#36c"), "#3366cc");
        assert_eq!(color("#ffffff"), "#adadad");
        assert_eq!(color("#ffff00"), "#c3c300");
        assert_eq!(color("#12"), PALETTE[0]);
        assert_eq!(color("#éa1"), PALETTE[0]);
        assert_eq!(color("red"), "red");
        assert_eq!(color("red\" onload=\"x"), PALETTE[0]);
    }
}
