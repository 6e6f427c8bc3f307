//! Printing, and properties of all expressions: what is printed is read as the same tree.

use proptest::prelude::*;

use super::parse;
use crate::{Expression, Known, Node, dimension_of};

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
