//! Tests of parsing, printing, evaluation, dimensions and suggestions.

use proptest::prelude::*;

use crate::operators::Spelling;
use crate::{
    Dimension, DimensionError, EvaluationError, Expression, ExpressionError, Inferred, Known, Node,
    dimension_of,
};

fn parse(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> ExpressionError {
    Expression::parse(text).expect_err(text)
}

/// The tree with parentheses around every operation and a minus sign only between operands.
fn grouped(text: &str) -> String {
    let expression = parse(text);
    let mut texts: Vec<String> = Vec::new();
    for node in expression.nodes() {
        let of = |operand: u32| texts[operand as usize].clone();
        texts.push(match *node {
            Node::Number(value) => value.to_string(),
            Node::Variable(index) => expression.variables()[index as usize].clone(),
            Node::Binary(operator, left, right) => {
                format!("({}{}{})", of(left), operator.symbol(), of(right))
            }
            Node::Call(function, argument) => format!("{}[{}]", function.name(), of(argument)),
            Node::Random(argument) => format!("random[{}]", of(argument)),
            Node::Compare(comparison, left, right) => {
                format!("({} {} {})", of(left), comparison.symbol(), of(right))
            }
            Node::Logic(logic, left, right) => {
                format!("({} {} {})", of(left), logic.symbol(), of(right))
            }
            Node::Not(operand) => format!("(.not. {})", of(operand)),
        });
    }
    texts.pop().unwrap()
}

fn value(text: &str) -> f64 {
    parse(text).evaluate(&mut |_| None).unwrap()
}

#[test]
fn operands_group_as_in_jlems() {
    for (text, tree) in [
        ("a*b/c", "(a*(b/c))"),
        ("-2^2", "(0-(2^2))"),
        ("a+b-c", "(a+(b-c))"),
        ("2*-2^2", "(2*((0-2)^2))"),
        ("a-b+c", "((a-b)+c)"),
        ("2^-1", "(2^(0-1))"),
        ("a/b*c", "((a/b)*c)"),
        ("-a*b", "(0-(a*b))"),
        ("a-b+c-d", "((a-b)+(c-d))"),
        ("3 - -2", "(3-(0-2))"),
        ("x*x/x*x", "((x*(x/x))*x)"),
        ("a*- -b", "(a*(0-(0-b)))"),
        ("2^3^2", "((2^3)^2)"),
        ("a-b-c", "((a-b)-c)"),
        ("a/b/c", "((a/b)/c)"),
        ("a+b+c", "((a+b)+c)"),
        ("-a+b", "((0-a)+b)"),
        ("-a-b", "((0-a)-b)"),
        ("(-a)^2", "((0-a)^2)"),
        ("(-a^2)", "(0-(a^2))"),
        ("a+-b*c", "(a+((0-b)*c))"),
        ("a*(b+c)/d", "(a*((b+c)/d))"),
        ("((a))", "a"),
        ("a^b/c*d-e+f", "(((((a^b)/c)*d)-e)+f)"),
        ("f+e-d*c/b^a", "(f+(e-(d*(c/(b^a)))))"),
    ] {
        assert_eq!(grouped(text), tree, "{text}");
    }
}

#[test]
fn functions_take_the_next_operand() {
    for (text, tree) in [
        ("exp 1", "exp[1]"),
        ("exp(1)", "exp[1]"),
        ("exp -x", "exp[(0-x)]"),
        ("exp(-x)", "exp[(0-x)]"),
        ("exp(-x/y)", "exp[(0-(x/y))]"),
        ("exp x^2", "(exp[x]^2)"),
        ("sin cos x", "sin[cos[x]]"),
        ("-exp x", "(0-exp[x])"),
        ("2*-exp(x)^2", "(2*((0-exp[x])^2))"),
        ("ln(x)", "ln[x]"),
        ("log(x)", "ln[x]"),
        ("H(x - 1)*random(2)", "(H[(x-1)]*random[2])"),
    ] {
        assert_eq!(grouped(text), tree, "{text}");
    }
    for name in [
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "exp",
        "sqrt",
        "ceil",
        "abs",
        "H",
        "random",
        "factorial",
    ] {
        assert_eq!(grouped(&format!("{name}(x)")), format!("{name}[x]"));
    }
}

#[test]
fn conditions_group_as_in_jlems() {
    for (text, tree) in [
        ("v .gt. thresh", "(v .gt. thresh)"),
        ("x.gt.y", "(x .gt. y)"),
        ("1.gt.x", "(1 .gt. x)"),
        ("1..gt..5", "(1 .gt. 0.5)"),
        ("a .gt. b .and. c .lt. d", "((a .gt. b) .and. (c .lt. d))"),
        (
            "a .gt. 0 .or. b .gt. 0 .and. c .gt. 0",
            "(((a .gt. 0) .or. (b .gt. 0)) .and. (c .gt. 0))",
        ),
        ("a .eq. b .and. c .eq. d", "((a .eq. b) .and. (c .eq. d))"),
        ("a+b .geq. c*d", "((a+b) .geq. (c*d))"),
        ("v .lt. -60", "(v .lt. (0-60))"),
        ("v .lt. -x^2", "(v .lt. ((0-x)^2))"),
        ("(a .neq. b)", "(a .neq. b)"),
        (
            "a .leq. b .or. (c .eq. d .and. e .lt. f)",
            "((a .leq. b) .or. ((c .eq. d) .and. (e .lt. f)))",
        ),
        (
            "a .le. b .and. c .ge. d .and. e .ne. f",
            "(((a .leq. b) .and. (c .geq. d)) .and. (e .neq. f))",
        ),
        (
            "a < b && c >= d || e != f",
            "(((a .lt. b) .and. (c .geq. d)) .or. (e .neq. f))",
        ),
        (
            "a<=b&&c==d&&e>f",
            "(((a .leq. b) .and. (c .eq. d)) .and. (e .gt. f))",
        ),
        (
            ".not. a .gt. b .and. c .lt. d",
            "((.not. (a .gt. b)) .and. (c .lt. d))",
        ),
        (".not. .not. (a .gt. b)", "(.not. (.not. (a .gt. b)))"),
    ] {
        assert_eq!(grouped(text), tree, "{text}");
        assert!(parse(text).is_condition());
    }
    assert!(!parse("a + b").is_condition());
}

#[test]
fn a_small_stack_is_not_taken_for_a_wrong_expression() {
    let thread = std::thread::Builder::new().stack_size(64 * 1024);
    let read = thread.spawn(|| Expression::parse("1 + 2")).unwrap();
    let error = read.join().unwrap().unwrap_err();
    assert!(
        matches!(error, ExpressionError::TooLittleStack { .. }),
        "{error}"
    );
    assert_eq!(error.range(), 0..5);
}

#[test]
fn words() {
    for (text, tree) in [
        ("rate-3", "(rate-3)"),
        ("rate -3", "(rate-3)"),
        ("1e-3*x", "(0.001*x)"),
        ("5.*.5", "(5*0.5)"),
        ("1d+2F", "(1+2)"),
        ("5.e1-e", "(50-e)"),
        ("a.b.c*_x1", "(a.b.c*_x1)"),
        ("a.b.gt.c", "(a.b .gt. c)"),
        ("é*Δt", "(é*Δt)"),
        ("x\t+\n\u{a0}y", "(x+y)"),
        ("expx + sine", "(expx+sine)"),
        ("sum", "sum"),
        ("1e999+1", "(inf+1)"),
    ] {
        assert_eq!(grouped(text), tree, "{text}");
    }
}

#[test]
fn a_whole_literal_is_one_number() {
    for (text, number) in [
        ("-5", -5.0),
        (" 1e-3 ", 0.001),
        ("+2", 2.0),
        ("1F", 1.0),
        ("-.5d", -0.5),
    ] {
        assert_eq!(parse(text).constant(), Some(number));
        assert_eq!(parse(text), Expression::number(number));
    }
    assert_eq!(parse("   -5 ").range(0), 3..5);
    assert!(parse("-0").constant().unwrap().is_sign_negative());
    assert!(parse("NaN").constant().unwrap().is_nan());
    assert_eq!(parse("Infinity").constant(), Some(f64::INFINITY));
    assert_eq!(parse("5 + 0").constant(), None);
    assert_eq!(parse("(-5)").constant(), None);
    assert_eq!(parse("x").constant(), None);
}

#[test]
fn places_of_nodes_and_variables() {
    let text = "é*(b + c) - exp(b) ";
    let expression = parse(text);
    let pieces: Vec<_> = (0..expression.nodes().len())
        .map(|node| &text[expression.range(node)])
        .collect();
    assert_eq!(
        pieces,
        [
            "é",
            "b",
            "c",
            "b + c",
            "é*(b + c)",
            "b",
            "exp(b)",
            "é*(b + c) - exp(b)"
        ]
    );
    assert_eq!(expression.root(), 7);
    assert_eq!(expression.variables(), ["é", "b", "c"]);
    assert_eq!(expression.variable_range(1), 4..5);
    assert_eq!(expression.range(99), 0..0);
}

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

#[test]
fn printing_uses_the_fewest_parentheses() {
    for (text, printed) in [
        ("a*(b/c)", "a*b/c"),
        ("(a*b)/c", "(a*b)/c"),
        ("a+(b-c)", "a + b - c"),
        ("(a+b)-c", "(a + b) - c"),
        ("a-(b-c)", "a - (b - c)"),
        ("(0-a)*b", "(-a)*b"),
        ("b*(0-a)", "b*-a"),
        ("b*(0-a^2)", "b*-(a^2)"),
        ("0 - a*b", "-a*b"),
        ("2^(0-1)", "2^-1"),
        ("a-(0-(0-b))", "a - --b"),
        ("exp((x))", "exp(x)"),
        ("log x", "ln(x)"),
        ("((a .gt. b)) .and. (c<d)", "a .gt. b .and. c .lt. d"),
        (
            "a .gt. b .and. (c .lt. d .or. e .eq. f)",
            "a .gt. b .and. (c .lt. d .or. e .eq. f)",
        ),
        (".not. (a .gt. b)", ".not. a .gt. b"),
        (
            ".not. (a .gt. b .or. c .gt. d)",
            ".not. (a .gt. b .or. c .gt. d)",
        ),
        ("-5", "-5"),
        ("0-5", "(-5)"),
        ("1e-7*1e20", "1e-7*1e20"),
        ("1e999*2", "1e999*2"),
        ("2.50", "2.5"),
        ("(NaN)", "(NaN)"),
    ] {
        assert_eq!(parse(text).to_string(), printed, "{text}");
        assert_eq!(parse(printed), parse(text), "{text}");
    }
}

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

/// Random expressions as text, with parentheses around every operation and some extra ones.
fn numbers() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-c]{1,2}",
        Just("0".to_owned()),
        any::<f64>()
            .prop_filter("finite", |x| x.is_finite())
            .prop_map(|x| format!("{:e}", x.abs())),
        (0..1000_u32).prop_map(|x| x.to_string()),
    ];
    leaf.prop_recursive(6, 64, 2, |inner| {
        prop_oneof![
            4 => (inner.clone(), "[-+*/^]", inner.clone())
                .prop_map(|(left, operator, right)| format!("(({left}) {operator} ({right}))")),
            2 => (inner.clone(), "[-+*/^]", inner.clone())
                .prop_map(|(left, operator, right)| format!("{left}{operator}{right}")),
            1 => inner.clone().prop_map(|x| format!("(-{x})")),
            1 => inner.clone().prop_map(|x| format!("(0-{x})")),
            1 => ("(sin|exp|ln|H|abs)", inner).prop_map(|(name, x)| format!("{name}({x})")),
        ]
    })
}

fn conditions() -> impl Strategy<Value = String> {
    let leaf = (numbers(), "(\\.lt\\.|\\.eq\\.|\\.geq\\.|!=)", numbers())
        .prop_map(|(left, operator, right)| format!("{left} {operator} {right}"));
    leaf.prop_recursive(4, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), "(\\.and\\.|\\.or\\.)", inner.clone())
                .prop_map(|(left, operator, right)| format!("({left}) {operator} ({right})")),
            inner.prop_map(|x| format!(".not. ({x})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read(text in prop_oneof![numbers(), conditions()]) {
        let expression = parse(&text);
        let printed = expression.to_string();
        prop_assert_eq!(&parse(&printed), &expression, "{} printed as {}", text, printed);
    }

    #[test]
    fn no_printed_pair_of_parentheses_can_go(text in numbers()) {
        let expression = parse(&text);
        let printed = expression.to_string();
        let mut open = Vec::new();
        for (at, character) in printed.char_indices() {
            match character {
                '(' => open.push(at),
                ')' => {
                    let start = open.pop().unwrap();
                    let applied = printed[..start].ends_with(|c: char| c.is_alphabetic());
                    if !applied {
                        let without = format!("{} {} {}", &printed[..start], &printed[start + 1..at], &printed[at + 1..]);
                        prop_assert!(Expression::parse(&without).map_or(true, |other| other != expression), "{}", printed);
                    }
                }
                _ => {}
            }
        }
    }

    #[test]
    fn nodes_are_in_post_order(text in prop_oneof![numbers(), conditions()]) {
        let expression = parse(&text);
        // The operands of each operation must be on top of the stack of a stack machine, in order.
        let mut stack: Vec<u32> = Vec::new();
        for (index, node) in (0_u32..).zip(expression.nodes()) {
            let operands = match *node {
                Node::Number(_) | Node::Variable(_) => vec![],
                Node::Call(_, x) | Node::Random(x) | Node::Not(x) => vec![x],
                Node::Binary(_, x, y) | Node::Compare(_, x, y) | Node::Logic(_, x, y) => vec![x, y],
            };
            let taken = stack.split_off(stack.len() - operands.len());
            prop_assert_eq!(taken, operands);
            stack.push(index);
        }
        let left: Vec<usize> = stack.into_iter().map(|node| node as usize).collect();
        prop_assert_eq!(left, [expression.root()]);
    }

    #[test]
    fn any_text_is_read_or_refused_with_a_place_inside(
        text in "(a|1|\\.|e|\\+|-|\\*|/|\\^|\\(|\\)| |\\.gt\\.|\\.and\\.|exp|é|,|<|=|\\.not\\.){0,30}"
    ) {
        match Expression::parse(&text) {
            Ok(expression) => {
                prop_assert_eq!(&parse(&expression.to_string()), &expression);
                let _ = dimension_of(&expression, &|_| Known::Any);
            }
            Err(error) => {
                prop_assert!(text.get(error.range()).is_some());
                prop_assert!(!error.to_string().is_empty());
                let _ = error.help();
            }
        }
    }
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
