//! Which part of the data to draw, and how large.

use std::str::FromStr;

use clap::Args;
use lems_plot::Figure;

/// Options about what a picture shows.
#[derive(Debug, Args)]
pub struct Look {
    /// Draw only these columns or events. They are given by numbers and ranges (`1,3-5`; column 1
    /// is the first after the time, events have ids), or by names: paths, variables, populations.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<Choice>,
    #[command(flatten)]
    pub frame: Frame,
}

/// Options about the frame of a picture: its time, size and title.
#[derive(Debug, Args)]
pub struct Frame {
    /// Time at which the picture begins, in seconds or with a unit (`20ms`).
    #[arg(long, value_name = "TIME", value_parser = seconds, allow_hyphen_values = true)]
    from: Option<f64>,
    /// Time at which the picture ends.
    #[arg(long, value_name = "TIME", value_parser = seconds, allow_hyphen_values = true)]
    to: Option<f64>,
    /// Width and height in pixels: `1200x600`.
    #[arg(long, value_name = "SIZE", value_parser = size)]
    size: Option<(u32, u32)>,
    /// Title of the picture, instead of that of the display or the names of the files.
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
}

impl Frame {
    /// The figure as these options want it.
    pub fn applied(&self, figure: Figure) -> Figure {
        Figure {
            title: self.title.clone().unwrap_or(figure.title),
            time: [self.from.or(figure.time[0]), self.to.or(figure.time[1])],
            size: self.size.or(figure.size),
            ..figure
        }
    }

    /// Whether a time is to be drawn.
    pub fn shows(&self, time: f64) -> bool {
        self.from.is_none_or(|from| time >= from) && self.to.is_none_or(|to| time <= to)
    }
}

/// Some columns.
#[derive(Debug, Clone, PartialEq)]
pub enum Choice {
    /// The columns from the first number to the second.
    Numbers(u64, u64),
    /// The columns that have this name.
    Name(String),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Choice, String> {
        let text = text.trim();
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        match (first.trim().parse(), last.trim().parse()) {
            (Ok(first), Ok(last)) if first <= last => Ok(Choice::Numbers(first, last)),
            (Ok(_), Ok(_)) => Err("the range ends before it begins".to_owned()),
            _ if text.is_empty() => Err("a number, a range or a name is missing".to_owned()),
            _ => Ok(Choice::Name(text.to_owned())),
        }
    }
}

impl Choice {
    /// Whether it means the column with this number and one of these names.
    pub fn means(&self, number: Option<u64>, names: &[&str]) -> bool {
        match self {
            Choice::Numbers(first, last) => {
                number.is_some_and(|number| (*first..=*last).contains(&number))
            }
            Choice::Name(name) => names.contains(&name.as_str()),
        }
    }
}

impl std::fmt::Display for Choice {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Choice::Numbers(first, last) if first == last => write!(formatter, "{first}"),
            Choice::Numbers(first, last) => write!(formatter, "{first}-{last}"),
            Choice::Name(name) => write!(formatter, "{name}"),
        }
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match text.get(number.len()..).unwrap_or_default() {
        "" | "s" => 1.0,
        "ms" => 1e-3,
        "us" => 1e-6,
        "min" => 60.0,
        "h" => 3600.0,
        other => {
            return Err(format!(
                "there is no unit `{other}` of time: s, ms, us, min, h"
            ));
        }
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number * unit),
        _ => Err("it is no number of seconds, such as 0.5 or 20ms".to_owned()),
    }
}

/// Most pixels of a picture in either direction.
const LARGEST: u32 = 10_000;
const SMALLEST: u32 = 100;

fn size(text: &str) -> Result<(u32, u32), String> {
    let sides = text.split_once('x');
    let sides = sides.and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    let fits = |side| (SMALLEST..=LARGEST).contains(&side);
    match sides {
        Some((width, height)) if fits(width) && fits(height) => Ok((width, height)),
        Some(_) => Err(format!("a side has {SMALLEST} to {LARGEST} pixels")),
        None => Err("it is no width and height, such as 1200x600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_numbers_ranges_or_names() {
        let choice = |text: &str| text.parse::<Choice>();
        assert_eq!(choice("3"), Ok(Choice::Numbers(3, 3)));
        assert_eq!(choice("2-4"), Ok(Choice::Numbers(2, 4)));
        assert_eq!(choice("a-1"), Ok(Choice::Name("a-1".to_owned())));
        assert!(choice("4-2").is_err() && choice(" ").is_err());
    }

    #[test]
    fn times_have_units() {
        assert_eq!(seconds("0.5"), Ok(0.5));
        assert_eq!(seconds("20ms"), Ok(0.02));
        assert_eq!(seconds("1e-3 s"), Ok(1e-3));
        assert!(seconds("5 mV").is_err() && seconds("ms").is_err() && seconds("inf").is_err());
    }

    #[test]
    fn sizes_have_two_sides_within_bounds() {
        assert_eq!(size("1200x600"), Ok((1200, 600)));
        assert!(size("1200").is_err() && size("0x5").is_err() && size("99999x600").is_err());
    }
}
