use lems_expression::Comparison;
use proptest::prelude::*;

use super::{Condition, Operator, Selection, Step, Value, holds, parse};

fn name(name: &str) -> Selection {
    Selection::Path(vec![Step::Members(name.to_owned())])
}

fn variable(name: &str) -> Value {
    Value::Variable(Vec::new(), name.to_owned())
}

#[test]
fn operators_on_sets_bind_in_their_order() {
    let expected = Selection::Union(vec![
        name("a"),
        Selection::Difference(vec![
            name("b"),
            Selection::Intersection(vec![name("c"), name("d")]),
            name("e"),
        ]),
    ]);
    assert_eq!(
        parse("a .or. b .minus. c .and. d .minus. e").unwrap(),
        expected
    );
}

#[test]
fn brackets_follow_one_another() {
    let Ok(Selection::Path(steps)) = parse("a/b[3][index .gt. 3]/c") else {
        panic!("a path");
    };
    assert_eq!(steps[2], Step::Number(3));
    let above = Condition::Compare(Comparison::Greater, variable("index"), Value::Number(3.0));
    assert_eq!(steps[3], Step::Where(above));
    assert_eq!(steps[4], Step::Members("c".to_owned()));
}

#[test]
fn sum_and_remainder_are_taken_from_left_to_right() {
    let Ok(Selection::Path(steps)) = parse("a[i + 1 % 2 - 1 .eq. -1]") else {
        panic!("a path");
    };
    let one = || Value::Number(1.0);
    let difference = Value::Chain(
        Box::new(Value::Number(2.0)),
        vec![(Operator::Subtract, one())],
    );
    let left = Value::Chain(
        Box::new(variable("i")),
        vec![(Operator::Add, one()), (Operator::Remainder, difference)],
    );
    let minus = Value::Chain(
        Box::new(Value::Number(0.0)),
        vec![(Operator::Subtract, one())],
    );
    let condition = Condition::Compare(Comparison::Equal, left, minus);
    assert_eq!(steps[1], Step::Where(condition));
}

#[test]
fn errors_point_at_what_is_wrong() {
    let wrong = [
        ("", 0..0),
        ("a b", 2..3),
        ("a[index]", 7..8),
        ("a[b .lt. c", 10..10),
        ("a .nor. b", 2..7),
        ("a & b", 2..3),
        ("a.b", 1..2),
        ("(a", 2..2),
        ("a[b[2] .lt. 1]", 7..11),
    ];
    for (text, range) in wrong {
        let error = parse(text).unwrap_err();
        assert_eq!(error.range, range, "{text}: {}", error.reason);
    }
    assert!(parse(&"(".repeat(100_000)).is_err());
}

#[test]
fn near_whole_numbers_count_as_whole() {
    assert!(holds(Comparison::Equal, 3.0 - 1e-9, 3.0));
    assert!(!holds(Comparison::Less, 3.0 - 1e-9, 3.0));
    assert!(holds(Comparison::Less, 2.4, 2.5));
    assert!(holds(Comparison::Less, 4e-7, 5e-7));
    assert!(holds(Comparison::Equal, 1e-15, 0.0));
}

#[test]
fn remainder_is_of_whole_numbers() {
    assert_eq!(Operator::Remainder.apply(7.0, 5.0), 2.0);
    assert_eq!(Operator::Remainder.apply(6.999_999, 5.0), 2.0);
    assert!(Operator::Remainder.apply(1.0, 0.0).is_nan());
}

proptest! {
    #[test]
    fn no_text_does_harm(text in r"[a-c0-9.\[\]()/:+*% -]{0,40}|\PC{0,20}") {
        if let Err(error) = parse(&text) {
            prop_assert!(text.get(error.range).is_some());
        }
    }
}
