//! What is refused, where the error points, and what it advises.

use super::{parse, refused};
use crate::{Dimension, Expression, ExpressionError};

#[test]
fn refusals_point_at_the_cause() {
    use ExpressionError as E;
    type Check = fn(&ExpressionError) -> bool;
    let cases: [(&str, &str, Check); 38] = [
        ("", "", |e| matches!(e, E::Empty { .. })),
        ("  ", "  ", |e| matches!(e, E::Empty { .. })),
        ("()", ")", |e| matches!(e, E::MissingOperand { .. })),
        ("a +", "+", |e| {
            matches!(e, E::MissingOperand { found: None, .. })
        }),
        ("exp", "exp", |e| {
            matches!(e, E::MissingOperand { found: None, .. })
        }),
        ("exp()", ")", |e| matches!(e, E::MissingOperand { .. })),
        ("a * / b", "/", |e| matches!(e, E::MissingOperand { .. })),
        ("a ** b", "*", |e| matches!(e, E::MissingOperand { .. })),
        ("a * + b", "+", |e| matches!(e, E::MissingOperand { .. })),
        ("-", "-", |e| matches!(e, E::MissingOperand { .. })),
        ("a b", "b", |e| matches!(e, E::MissingOperator { .. })),
        ("2 x", "x", |e| matches!(e, E::MissingOperator { .. })),
        ("2 (x)", "(", |e| matches!(e, E::MissingOperator { .. })),
        ("(a)(b)", "(", |e| matches!(e, E::MissingOperator { .. })),
        ("a .not. b", ".not.", |e| {
            matches!(e, E::MissingOperator { .. })
        }),
        ("2x", "2x", |e| matches!(e, E::BadNumber { .. })),
        ("a + 0x10", "0x10", |e| matches!(e, E::BadNumber { .. })),
        ("1e", "1e", |e| matches!(e, E::BadNumber { .. })),
        ("1.2.3", "1.2.3", |e| matches!(e, E::BadNumber { .. })),
        ("10mV", "10mV", |e| matches!(e, E::BadNumber { .. })),
        (
            "((a)",
            "(",
            |e| matches!(e, E::UnclosedParenthesis { range } if range.start == 0),
        ),
        (
            "a + (b*(c)",
            "(",
            |e| matches!(e, E::UnclosedParenthesis { range } if range.start == 4),
        ),
        ("a % b", "%", |e| matches!(e, E::UnexpectedCharacter { .. })),
        ("max(a, b)", "max", |e| {
            matches!(e, E::UnknownFunction { .. }) || matches!(e, E::UnexpectedCharacter { .. })
        }),
        ("a , b", ",", |e| {
            matches!(e, E::UnexpectedCharacter { character: ',', .. })
        }),
        ("a \u{2212} b", "\u{2212}", |e| {
            matches!(e, E::UnexpectedCharacter { .. })
        }),
        ("!a", "!", |e| matches!(e, E::UnexpectedCharacter { .. })),
        ("a = b", "=", |e| matches!(e, E::UnexpectedCharacter { .. })),
        ("a .GT. b", ".GT.", |e| {
            matches!(e, E::UnknownOperator { .. })
        }),
        ("a .gr. b", ".gr.", |e| {
            matches!(e, E::UnknownOperator { .. })
        }),
        ("a .gt b", ".gt", |e| matches!(e, E::UnknownOperator { .. })),
        ("floor(x)", "floor", |e| {
            matches!(e, E::UnknownFunction { .. })
        }),
        ("foo (x)", "foo", |e| matches!(e, E::UnknownFunction { .. })),
        ("1 + (a .gt. b)", "(a .gt. b)", |e| {
            matches!(e, E::ConditionAsNumber { operation: "+", .. })
        }),
        ("exp(a .gt. b)", "(a .gt. b)", |e| {
            matches!(
                e,
                E::ConditionAsNumber {
                    operation: "exp",
                    ..
                }
            )
        }),
        ("a .lt. b .lt. c", "a .lt. b", |e| {
            matches!(
                e,
                E::ConditionAsNumber {
                    operation: ".lt.",
                    ..
                }
            )
        }),
        ("a .and. b .gt. c", "a", |e| {
            matches!(
                e,
                E::NumberAsCondition {
                    operation: ".and.",
                    ..
                }
            )
        }),
        (".not. a", "a", |e| {
            matches!(
                e,
                E::NumberAsCondition {
                    operation: ".not.",
                    ..
                }
            )
        }),
    ];
    for (text, place, check) in cases {
        let error = refused(text);
        assert!(check(&error), "{text}: {error:?}");
        if text != "max(a, b)" {
            assert_eq!(&text[error.range()], place, "{text}: {error:?}");
        }
    }
}

#[test]
fn what_jlems_reads_is_read_with_a_remark() {
    for (text, same, places) in [
        ("+x", "0 + x", &[][..]),
        ("+x - 2", "0 + (x - 2)", &[]),
        ("(+ x) * y", "(0 + x) * y", &[]),
        ("* x / y", "0 * (x / y)", &["*"]),
        ("y - (/ x)", "y - (0 / x)", &["/"]),
        (".gt. x", "0 .gt. x", &[".gt."]),
        ("x + 1) * 2", "(x + 1) * 2", &[")"]),
        ("(x)) ^ 2) / y", "((x) ^ 2) / y", &[")", ")"]),
        ("exp(x)) .lt. 2", "exp(x) .lt. 2", &[")"]),
    ] {
        let expression = parse(text);
        assert_eq!(expression, parse(same), "{text}");
        let found: Vec<&str> = (expression.tolerated().iter())
            .map(|error| &text[error.range()])
            .collect();
        assert_eq!(found, places, "{text}");
        assert!(expression.tolerated().iter().all(|e| e.help().is_some()));
    }
    assert_eq!(parse("x * (y + 1)").tolerated(), []);
}

#[test]
fn jlems_checks_less_than_makes_sense() {
    use crate::{Checked, jlems_dimension_of};
    let time = Dimension {
        t: 1,
        ..Dimension::NONE
    };
    let rate = time.power(-1);
    let checked = |text: &str| {
        let lookup = |name: &str| match name {
            "tau" => Some(Checked::declared(Some(time))),
            "x" => Some(Checked::declared(Some(Dimension::NONE))),
            "any" => Some(Checked::declared(None)),
            "zero" => jlems_dimension_of(&Expression::number(0.0), &|_| None).ok(),
            _ => None,
        };
        jlems_dimension_of(&parse(text), &lookup)
    };
    // Which texts can be the rate of a pure number, and which jLEMS refuses for any variable.
    for text in [
        "1 / tau",
        "zero - x / 150",
        "0 - x / 150",
        "-x",
        "zero + x",
        "any * x",
        "tau ^ (0 - 1) * 0",
        "0",
        "1 / tau ^ 0.5",
    ] {
        let expected = text != "tau ^ (0 - 1) * 0";
        assert_eq!(
            checked(text).is_ok_and(|c| c.can_be(rate)),
            expected,
            "{text}"
        );
    }
    for text in ["3 - x / 150", "x", "tau", "tau ^ x"] {
        assert!(!checked(text).unwrap().can_be(rate), "{text}");
    }
    for text in [
        "x + tau",
        "0 + tau",
        "tau - 1",
        "exp(tau)",
        "tau .gt. 1",
        "x ^ tau + tau ^ tau",
        "1 / tau ^ 0.3",
        "1 + tau ^ x",
        "unknown",
    ] {
        assert!(checked(text).is_err(), "{text}");
    }
    for text in [
        "tau .gt. 0",
        "zero .lt. tau",
        "x .gt. 3 .and. tau .gt. 0",
        "any + tau",
    ] {
        assert!(checked(text).is_ok(), "{text}");
    }
}

#[test]
fn refusals_help() {
    for (text, hint) in [
        ("floor(x)", "write `-ceil(-x)`"),
        ("round(x)", "-ceil(-x - 0.5)"),
        ("pow(x)", "a^b"),
        ("log10(x)", "/ ln(10)"),
        ("log2(x)", "/ ln(2)"),
        ("sign(x)", "2 * H(x) - 1"),
        ("min(x)", "(a + b - abs(a - b)) / 2"),
        ("max(x)", "(a + b + abs(a - b)) / 2"),
        ("if(x)", "use a ConditionalDerivedVariable"),
        ("heaviside(x)", "the step function is `H`"),
        ("fabs(x)", "the absolute value is `abs`"),
        ("rand(x)", "uniform between 0 and x"),
        ("sqr(x)", "did you mean `sqrt`"),
        ("Exp(x)", "did you mean `exp`"),
        (
            "weight(x)",
            "if `weight` is a variable, write `weight * (...)`",
        ),
        ("a .GT. b", "write `.gt.`"),
        ("a .grt. b", "did you mean `.gt.`"),
        ("a .xyzzy. b", "the operators are .lt. .gt."),
        ("a and b", "write `.and.`"),
        ("a .gt. 0 .not. b .gt. 0", "in front of a condition"),
        ("2 x", "products are written with `*`"),
        ("2x", "write `2 * x` for a product"),
        ("1.2.3", "one decimal point"),
        ("0x10", "hexadecimal"),
        ("1x10", "write `1 * x10`"),
        ("1e", "as in `1e3`"),
        ("a ** b", "a^b"),
        ("a * + b", "leave out a sign `+`"),
        ("a * ()", "in front of this `)`"),
        ("a *", "missing at the end"),
        ("a * / b", "an operator stands between two values"),
        ("a, b", "functions have one argument"),
        ("a % b", "the remainder of a by b"),
        ("a [ b", "only round parentheses"),
        ("a = b", "equality is `.eq.`"),
        ("! a", "negation is `.not.`"),
        ("a & b", "two conditions are joined"),
        ("a | b", "one of two conditions"),
        ("a \u{2212} b", "plain `-`"),
        ("a × b", "multiplication is `*`"),
        ("a ÷ b", "division is `/`"),
        ("a ≤ b", "write `.leq.`"),
        ("a ≥ b", "write `.geq.`"),
        ("a ≠ b", "write `.neq.`"),
        ("a²", "powers are written with `^`"),
        ("a ? b", "write a `ConditionalDerivedVariable`"),
        ("a ; b", "names have letters, digits and `_`"),
        ("a .lt. b .lt. c", "comparisons are joined with `.and.`"),
        ("1 + (a .lt. b)", "write `H(a - b)`"),
        (".not. a", "x .gt. 0"),
        ("", "write an expression"),
        (&"(".repeat(3000), "split it"),
        (&"a".repeat(70_000), "split it"),
        ("(a", "add its `)`"),
    ] {
        let help = refused(text).help().unwrap_or_default();
        assert!(help.contains(hint), "{text:.40}: {help}");
    }
    for (text, message) in [
        ("a +", "found the end"),
        ("a + )", "found `)`"),
        ("a b", "before `b`"),
    ] {
        let error = refused(text).to_string();
        assert!(error.ends_with(message), "{error}");
    }
}

#[test]
fn misspelled_names_are_recognised() {
    let name = |text: &str| refused(&format!("{text}(x)")).help().unwrap_or_default();
    // One slip per three letters is tolerated, in any case of letters, but not another word. A swap is one slip.
    for (text, known) in [
        ("sni", Some("`sin`")),
        ("sim", Some("`sin`")),
        ("SIN", Some("`sin`")),
        ("snh", Some("`sinh`")),
        ("sinhh", Some("`sinh`")),
        ("factorail", Some("`factorial`")),
        ("fectoriol", Some("`factorial`")),
        ("bc", None),
        ("x", None),
        ("q", None),
    ] {
        let help = name(text);
        let expected = known.map_or("is a variable".to_owned(), |known| {
            format!("did you mean {known}")
        });
        assert!(help.contains(&expected), "{text}: {help}");
    }
}

#[test]
fn the_advice_on_missing_functions_is_right() {
    for (a, b) in [(7.5_f64, 2.0_f64), (-7.5, 2.0), (1.0, 3.0)] {
        let at = |text: &str| {
            parse(text)
                .evaluate(&mut |name| Some(if name == "a" { a } else { b }))
                .unwrap()
        };
        assert_eq!(at("-ceil(-a)"), a.floor());
        assert_eq!(at("a + b * ceil(-a/b)"), a.rem_euclid(b));
        assert_eq!(at("(a + b - abs(a - b)) / 2"), a.min(b));
        assert_eq!(at("(a + b + abs(a - b)) / 2"), a.max(b));
    }
}

#[test]
fn sizes_are_limited_and_long_sums_are_not_nested() {
    let sum = vec!["a"; 15_000].join("+");
    assert_eq!(parse(&sum).nodes().len(), 29_999);
    assert_eq!(parse(&parse(&sum).to_string()), parse(&sum));
    assert_eq!(
        parse(&vec!["x"; 5_000].join("-")).evaluate(&mut |_| Some(1.0)),
        Ok(-4_998.0)
    );
    let nested = |count: usize| format!("{}a{}", "(".repeat(count), ")".repeat(count));
    assert!(Expression::parse(&nested(2000)).is_ok());
    let sums = format!("{}a{}", "a+(".repeat(2000), ")".repeat(2000));
    assert!(Expression::parse(&sums).is_ok());
    assert_eq!(
        refused(&nested(2001)),
        ExpressionError::TooDeep {
            limit: 2000,
            range: 2000..2001
        }
    );
    for repeated in ["- ", "exp ", ".not. ", "exp(", "2^-"] {
        let text = repeated.repeat(10_000);
        assert!(matches!(
            refused(&text),
            ExpressionError::TooDeep { .. } | ExpressionError::MissingOperand { .. }
        ));
    }
    assert!(Expression::parse(&vec!["(a)"; 1_000].join("*")).is_ok());
    assert!(Expression::parse(&vec!["-exp(-a)"; 1_000].join("*")).is_ok());
    let long = "é".repeat(40_000);
    assert_eq!(refused(&long).range(), 0..64 * 1024);
    assert!(Expression::parse(&"a".repeat(64 * 1024)).is_ok());
}
