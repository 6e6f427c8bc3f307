//! The dimensions of random models and their quantities.

use crate::dice::Dice;
use crate::xml::Xml;

/// The dimension of a variable. In the units ms, 1/ms, mV, nA and uS all values are of order one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dimension {
    /// A plain number.
    None,
    /// Time.
    Time,
    /// One over time.
    Rate,
    /// Voltage.
    Voltage,
    /// Current.
    Current,
    /// Conductance.
    Conductance,
}

impl Dimension {
    /// All except the plain number.
    pub const PHYSICAL: [Dimension; 5] = [
        Dimension::Time,
        Dimension::Rate,
        Dimension::Voltage,
        Dimension::Current,
        Dimension::Conductance,
    ];

    /// Its name in the model.
    pub fn name(self) -> &'static str {
        match self {
            Dimension::None => "none",
            Dimension::Time => "time",
            Dimension::Rate => "per_time",
            Dimension::Voltage => "voltage",
            Dimension::Current => "current",
            Dimension::Conductance => "conductance",
        }
    }

    /// Symbols of units, each with the power of ten that converts it to the unit of order one.
    fn units(self) -> &'static [(&'static str, i32)] {
        match self {
            Dimension::None => &[("", 0)],
            Dimension::Time => &[("ms", 0), ("s", -3), ("us", 3)],
            Dimension::Rate => &[("per_ms", 0), ("Hz", 3)],
            Dimension::Voltage => &[("mV", 0), ("V", -3)],
            Dimension::Current => &[("nA", 0), ("pA", 3)],
            Dimension::Conductance => &[("uS", 0), ("nS", 3)],
        }
    }

    /// The factor of the unit of order one to SI units, as a suffix of a number.
    fn si(self) -> &'static str {
        match self {
            Dimension::None => "",
            Dimension::Time | Dimension::Voltage => "e-3",
            Dimension::Rate => "e3",
            Dimension::Current => "e-9",
            Dimension::Conductance => "e-6",
        }
    }

    /// A positive quantity of order one, with a unit.
    pub fn quantity(self, dice: &mut Dice) -> String {
        let mantissa = format!("{}.{}", dice.between(0, 4), dice.between(1, 999));
        let (unit, power) = dice.pick(self.units()).copied().unwrap_or(("", 0));
        let exponent = match power {
            0 => String::new(),
            power => format!("e{power}"),
        };
        let space = dice.word(&["", " "]);
        format!("{mantissa}{exponent}{space}{unit}")
            .trim_end()
            .to_owned()
    }

    /// A positive quantity of order one in SI units, without a unit.
    pub fn plain_quantity(self, dice: &mut Dice) -> String {
        format!(
            "{}.{}{}",
            dice.between(1, 4),
            dice.between(0, 999),
            self.si()
        )
    }
}

/// Writes the definitions of all dimensions and units.
pub fn define(xml: &mut Xml) {
    // The dimensions.
    xml.leaf("Dimension", &[("name", "time"), ("t", "1")]);
    xml.leaf("Dimension", &[("name", "per_time"), ("t", "-1")]);
    xml.leaf(
        "Dimension",
        &[
            ("name", "voltage"),
            ("m", "1"),
            ("l", "2"),
            ("t", "-3"),
            ("i", "-1"),
        ],
    );
    xml.leaf("Dimension", &[("name", "current"), ("i", "1")]);
    xml.leaf(
        "Dimension",
        &[
            ("name", "conductance"),
            ("m", "-1"),
            ("l", "-2"),
            ("t", "3"),
            ("i", "2"),
        ],
    );
    // The units.
    for (symbol, dimension, power) in [
        ("s", "time", "0"),
        ("ms", "time", "-3"),
        ("us", "time", "-6"),
        ("Hz", "per_time", "0"),
        ("per_ms", "per_time", "3"),
        ("V", "voltage", "0"),
        ("mV", "voltage", "-3"),
        ("nA", "current", "-9"),
        ("pA", "current", "-12"),
        ("uS", "conductance", "-6"),
        ("nS", "conductance", "-9"),
    ] {
        xml.leaf(
            "Unit",
            &[
                ("symbol", symbol),
                ("dimension", dimension),
                ("power", power),
            ],
        );
    }
}
