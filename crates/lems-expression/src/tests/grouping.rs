//! How operands, functions and conditions group, and what is one word or number.

use super::{grouped, parse};
use crate::{Expression, ExpressionError};

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
