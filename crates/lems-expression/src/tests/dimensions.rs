//! Dimensions of expressions.

use super::parse;
use crate::{Dimension, DimensionError, Inferred, Known, dimension_of};

const VOLTAGE: Dimension = Dimension {
    m: 1,
    l: 2,
    t: -3,
    i: -1,
    k: 0,
    n: 0,
    j: 0,
};

const TIME: Dimension = Dimension {
    m: 0,
    l: 0,
    t: 1,
    i: 0,
    k: 0,
    n: 0,
    j: 0,
};

fn known(name: &str) -> Known {
    match name {
        "v" | "w" => Known::Dimension(VOLTAGE),
        "t" | "tau" => Known::Dimension(TIME),
        "n" => Known::Dimension(Dimension::NONE),
        "any" => Known::Any,
        _ => Known::Unknown,
    }
}

fn infer(text: &str) -> Result<Inferred, DimensionError> {
    dimension_of(&parse(text), &known)
}

#[test]
fn dimensions_are_inferred() {
    let none = Inferred::Dimension(Dimension::NONE);
    let voltage = Inferred::Dimension(VOLTAGE);
    for (text, expected) in [
        ("v", voltage),
        ("v + w", voltage),
        ("v - 0", voltage),
        ("0 + v", voltage),
        ("-v", voltage),
        ("2*v", voltage),
        ("v/w", none),
        ("v*t", Inferred::Dimension(VOLTAGE.times(TIME))),
        ("1/t", Inferred::Dimension(Dimension::NONE.per(TIME))),
        ("v^2", Inferred::Dimension(VOLTAGE.power(2))),
        ("t^-1", Inferred::Dimension(TIME.power(-1))),
        ("(t^2)^0.5", Inferred::Dimension(TIME)),
        ("(t*t)^(1/2)", Inferred::Dimension(TIME)),
        ("n^0.5", none),
        ("n^n", none),
        ("v^n", Inferred::Any),
        ("exp(-t/tau)", none),
        ("random(1)", none),
        ("exp(0)", none),
        ("0", Inferred::Zero),
        ("-0", Inferred::Zero),
        ("0*0", Inferred::Zero),
        ("0 + 0", Inferred::Zero),
        ("0 + 0 + v", voltage),
        ("any^2", Inferred::Any),
        ("0*v", voltage),
        ("any", Inferred::Any),
        ("any + v", voltage),
        ("any*v", Inferred::Any),
        ("exp(any)", none),
        ("v .gt. 0", Inferred::Truth),
        ("0 .lt. v .and. t .gt. tau", Inferred::Truth),
        (".not. v .gt. w", Inferred::Truth),
        ("any .gt. v", Inferred::Truth),
        ("3", none),
    ] {
        assert_eq!(infer(text), Ok(expected), "{text}");
    }
}

#[test]
fn wrong_dimensions_are_refused_in_place() {
    let mismatch = |range, operation, left, right| DimensionError::Mismatch {
        range,
        operation,
        left,
        right,
    };
    for (text, error) in [
        ("1 + (v - t)", mismatch(5..10, "-", VOLTAGE, TIME)),
        ("v + 1", mismatch(0..5, "+", VOLTAGE, Dimension::NONE)),
        (
            "n .gt. 0 .and. v .gt. t",
            mismatch(15..23, ".gt.", VOLTAGE, TIME),
        ),
        (
            "2*exp(v)",
            DimensionError::NotDimensionless {
                range: 6..7,
                function: "exp",
                dimension: VOLTAGE,
            },
        ),
        (
            "2^v",
            DimensionError::NotDimensionless {
                range: 2..3,
                function: "^",
                dimension: VOLTAGE,
            },
        ),
        (
            "t^0.5",
            DimensionError::FractionalPower {
                range: 0..5,
                dimension: TIME,
                power: 0.5,
            },
        ),
        (
            "t^1e300",
            DimensionError::FractionalPower {
                range: 0..7,
                dimension: TIME,
                power: 1e300,
            },
        ),
        (
            "v + nope",
            DimensionError::UnknownVariable {
                name: "nope".to_owned(),
                range: 4..8,
            },
        ),
    ] {
        let range = error.range();
        assert!(text.get(range).is_some_and(|place| !place.is_empty()));
        assert_eq!(infer(text), Err(error), "{text}");
    }
}

#[test]
fn dimensions_print_as_base_units() {
    assert_eq!(VOLTAGE.to_string(), "kg m^2 s^-3 A^-1");
    assert_eq!(Dimension::default().to_string(), "none");
    assert_eq!(TIME.to_string(), "s");
    let rest = Dimension {
        k: 1,
        n: -1,
        j: 2,
        ..Dimension::NONE
    };
    assert_eq!(rest.to_string(), "K mol^-1 cd^2");
}

#[test]
fn dimensions_are_multiplied_and_divided() {
    assert_eq!(VOLTAGE.times(TIME), Dimension { t: -2, ..VOLTAGE });
    assert_eq!(VOLTAGE.per(TIME), Dimension { t: -4, ..VOLTAGE });
    assert_eq!(TIME.power(-3), Dimension { t: -3, ..TIME });
    assert!(!TIME.is_none() && TIME.per(TIME).is_none());
}

#[test]
fn enormous_exponents_stay_in_range() {
    let large = Dimension {
        m: i32::MAX,
        ..Dimension::NONE
    };
    assert_eq!(large.times(large).m, i32::MAX);
    assert_eq!(large.power(-2).m, i32::MIN);
}
