//! Values of expressions.

use super::{parse, value};
use crate::EvaluationError;

#[test]
fn values() {
    for (text, expected) in [
        ("2^3^2", 64.0),
        ("-2^2", -4.0),
        ("2*-2^2", 8.0),
        ("2^-1", 0.5),
        ("3 - -2", 5.0),
        ("exp 0", 1.0),
        ("H(0)", 0.5),
        ("H(-3) + H(3)", 1.0),
        ("ceil(1.2) + abs(-3) + sqrt(16)", 9.0),
        ("factorial(5)", 120.0),
        ("1/0", f64::INFINITY),
        ("1 .eq. 1", 1.0),
        ("1 .gt. 1", 0.0),
        ("1 .gt. 0 .or. 1 .lt. 0 .and. 1 .lt. 0", 0.0),
        (".not. 1 .gt. 2", 1.0),
        (".not. 2 .gt. 1", 0.0),
        ("ln(1)", 0.0),
        ("ln(exp(1))", 1.0),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
    for (operator, [less, equal, greater, unordered]) in [
        (".lt.", [1.0, 0.0, 0.0, 0.0]),
        (".gt.", [0.0, 0.0, 1.0, 0.0]),
        (".leq.", [1.0, 1.0, 0.0, 0.0]),
        (".geq.", [0.0, 1.0, 1.0, 0.0]),
        (".eq.", [0.0, 1.0, 0.0, 0.0]),
        (".neq.", [1.0, 0.0, 1.0, 1.0]),
    ] {
        assert_eq!(value(&format!("1 {operator} 2")), less, "{operator}");
        assert_eq!(value(&format!("2 {operator} 2")), equal, "{operator}");
        assert_eq!(value(&format!("3 {operator} 2")), greater, "{operator}");
        assert_eq!(value(&format!("0/0 {operator} 2")), unordered, "{operator}");
    }
    let [yes, no] = ["1 .gt. 0", "0 .gt. 1"];
    for (operator, [both, first, second, neither]) in [
        (".and.", [1.0, 0.0, 0.0, 0.0]),
        (".or.", [1.0, 1.0, 1.0, 0.0]),
    ] {
        assert_eq!(value(&format!("{yes} {operator} {yes}")), both);
        assert_eq!(value(&format!("{yes} {operator} {no}")), first);
        assert_eq!(value(&format!("{no} {operator} {yes}")), second);
        assert_eq!(value(&format!("{no} {operator} {no}")), neither);
    }
    for text in [
        "ln(0)",
        "log(-1)",
        "sqrt(-1)",
        "factorial(-1)",
        "factorial(2.5)",
        "0/0",
    ] {
        assert!(value(text).is_nan(), "{text}");
    }
    assert_eq!(value("0/0 .neq. 0"), 1.0);
    // The grouping decides the last bit: 0.1*(3/7) and (0.1*3)/7 differ.
    assert_eq!(
        value("0.1*3/7").to_bits(),
        (0.1 * (3.0 / 7.0_f64)).to_bits()
    );
    assert_ne!(
        value("0.1*3/7").to_bits(),
        ((0.1 * 3.0) / 7.0_f64).to_bits()
    );
}

#[test]
fn every_variable_is_needed_and_random_has_no_value() {
    let unknown = parse("0*x").evaluate(&mut |_| None).unwrap_err();
    assert_eq!(
        unknown,
        EvaluationError::UnknownVariable {
            name: "x".to_owned(),
            range: 2..3
        }
    );
    assert_eq!(unknown.range(), 2..3);
    let random = parse("1+random(1)").evaluate(&mut |_| None).unwrap_err();
    assert_eq!(random, EvaluationError::Random { range: 2..11 });
}

#[test]
fn random_numbers_are_drawn_from_left_to_right() {
    let mut draws = [0.25, 0.5].into_iter();
    let value = parse("random(a) - 10 * random(2)")
        .evaluate_drawing(&mut |_| Some(4.0), &mut || draws.next().unwrap());
    assert_eq!(value, Ok(-9.0));
    let mut drawn = false;
    let unknown = parse("random(1) + b").evaluate_drawing(&mut |_| None, &mut || {
        drawn = true;
        0.5
    });
    assert!(unknown.is_err() && !drawn);
}
