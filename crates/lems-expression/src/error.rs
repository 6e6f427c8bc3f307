//! Syntax errors in expressions.

use std::ops::Range;

use thiserror::Error;

use crate::operators::Applied;
use lems_suggest::nearest;

/// Why a text is not an expression. Ranges are byte ranges in the text.
#[derive(Clone, Debug, PartialEq, Error)]
#[allow(missing_docs)]
pub enum ExpressionError {
    /// The text is empty or blank.
    #[error("the expression is empty")]
    Empty { range: Range<usize> },
    /// The text has more bytes than allowed.
    #[error("the expression is longer than {limit} bytes")]
    TooLong { limit: usize, range: Range<usize> },
    /// Parentheses, functions and signs are nested more deeply than allowed.
    #[error("more than {limit} parentheses, functions and signs inside one another")]
    TooDeep { limit: usize, range: Range<usize> },
    /// A word that starts like a number but is not one.
    #[error("`{text}` is neither a number nor a name")]
    BadNumber { text: String, range: Range<usize> },
    /// A character that is not part of any operator, number or name.
    #[error("`{character}` has no meaning in an expression")]
    UnexpectedCharacter {
        character: char,
        range: Range<usize>,
    },
    /// A word between dots that is not an operator.
    #[error("there is no operator `{text}`")]
    UnknownOperator { text: String, range: Range<usize> },
    /// A name before a parenthesis that is not a function.
    #[error("there is no function `{name}`")]
    UnknownFunction { name: String, range: Range<usize> },
    /// An operator, a parenthesis or the end (None) where a value is needed.
    #[error(
        "expected a number, a variable, a function or `(`, found {}",
        describe(found)
    )]
    MissingOperand {
        found: Option<String>,
        range: Range<usize>,
    },
    /// A second value where an operator is needed.
    #[error("expected an operator or `)` before `{found}`")]
    MissingOperator { found: String, range: Range<usize> },
    /// A `(` without its `)`.
    #[error("this `(` is never closed")]
    UnclosedParenthesis { range: Range<usize> },
    /// A `)` without its `(`.
    #[error("this `)` closes nothing")]
    UnopenedParenthesis { range: Range<usize> },
    /// A comparison used as a number.
    #[error("`{operation}` needs a number here, not a condition")]
    ConditionAsNumber {
        operation: &'static str,
        range: Range<usize>,
    },
    /// A number is used as a condition.
    #[error("`{operation}` needs a condition here, not a number")]
    NumberAsCondition {
        operation: &'static str,
        range: Range<usize>,
    },
    /// The thread that reads has less stack left than the lexer wants. The expression itself may be right.
    #[error("this thread has too little stack to read an expression")]
    TooLittleStack { range: Range<usize> },
}

fn describe(found: &Option<String>) -> String {
    found
        .as_ref()
        .map_or("the end".to_owned(), |found| format!("`{found}`"))
}

const OPERATORS: [&str; 9] = [
    ".lt.", ".gt.", ".leq.", ".geq.", ".eq.", ".neq.", ".and.", ".or.", ".not.",
];

impl ExpressionError {
    /// The stable number of the error: 205 is shown as `E0205`, or as `W0205` for a warning.
    pub fn code(&self) -> u16 {
        use ExpressionError::*;
        match self {
            Empty { .. } => 301,
            TooLong { .. } => 302,
            TooDeep { .. } => 303,
            BadNumber { .. } => 304,
            UnexpectedCharacter { .. } => 305,
            UnknownOperator { .. } => 306,
            UnknownFunction { .. } => 307,
            MissingOperand { .. } => 308,
            MissingOperator { .. } => 309,
            UnclosedParenthesis { .. } => 310,
            UnopenedParenthesis { .. } => 311,
            ConditionAsNumber { .. } => 312,
            NumberAsCondition { .. } => 313,
            TooLittleStack { .. } => 314,
        }
    }

    /// The byte range in the text.
    pub fn range(&self) -> Range<usize> {
        match self {
            ExpressionError::Empty { range }
            | ExpressionError::TooLong { range, .. }
            | ExpressionError::TooDeep { range, .. }
            | ExpressionError::BadNumber { range, .. }
            | ExpressionError::UnexpectedCharacter { range, .. }
            | ExpressionError::UnknownOperator { range, .. }
            | ExpressionError::UnknownFunction { range, .. }
            | ExpressionError::MissingOperand { range, .. }
            | ExpressionError::MissingOperator { range, .. }
            | ExpressionError::UnclosedParenthesis { range }
            | ExpressionError::UnopenedParenthesis { range }
            | ExpressionError::ConditionAsNumber { range, .. }
            | ExpressionError::NumberAsCondition { range, .. }
            | ExpressionError::TooLittleStack { range } => range.clone(),
        }
    }

    /// The likely fix, in one sentence.
    pub fn help(&self) -> Option<String> {
        match self {
            ExpressionError::BadNumber { text, .. } => Some(help_with_number(text)),
            ExpressionError::UnexpectedCharacter { character, .. } => {
                Some(help_with_character(*character).to_owned())
            }
            ExpressionError::UnknownOperator { text, .. } => Some(help_with_operator(text)),
            ExpressionError::UnknownFunction { name, .. } => Some(help_with_function(name)),
            ExpressionError::MissingOperand { found, .. } => {
                Some(help_with_operand(found.as_deref().unwrap_or_default()).to_owned())
            }
            ExpressionError::MissingOperator { found, .. } => Some(match found.as_str() {
                ".not." => "`.not.` stands in front of a condition, as in `a .gt. 0 .and. .not. b .gt. 0`".to_owned(),
                "and" | "or" | "lt" | "gt" | "leq" | "geq" | "eq" | "neq" => {
                    format!("write `.{found}.`: a dot on both sides")
                }
                _ => "products are written with `*`; units are not allowed in expressions".to_owned(),
            }),
            ExpressionError::ConditionAsNumber { operation, .. } if operation.starts_with('.') => {
                Some("comparisons are joined with `.and.`, as in `a .lt. b .and. b .lt. c`".to_owned())
            }
            ExpressionError::ConditionAsNumber { .. } => Some(
                "write `H(a - b)` for a number that is 1 where a is above b, or use a ConditionalDerivedVariable"
                    .to_owned(),
            ),
            ExpressionError::NumberAsCondition { .. } => {
                Some("compare the number with something, as in `x .gt. 0`".to_owned())
            }
            ExpressionError::Empty { .. } => {
                Some("write an expression, such as `(v0 - v) / tau`".to_owned())
            }
            ExpressionError::TooLong { .. } | ExpressionError::TooDeep { .. } => {
                Some("split it with `DerivedVariable`s".to_owned())
            }
            ExpressionError::TooLittleStack { .. } => Some(
                "read the model in a thread with a stack of at least a megabyte".to_owned(),
            ),
            ExpressionError::UnclosedParenthesis { .. } => Some("add its `)`".to_owned()),
            ExpressionError::UnopenedParenthesis { .. } => {
                Some("remove it, or add its `(`".to_owned())
            }
        }
    }
}

/// The likely fix for a word that starts like a number.
fn help_with_number(text: &str) -> String {
    let digits = text.len()
        - text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .len();
    let (number, rest) = text.split_at(digits);
    if matches!(rest, "e" | "E") {
        format!("an exponent needs digits, as in `{number}e3`")
    } else if rest.is_empty() {
        "a number has one decimal point".to_owned()
    } else if rest.starts_with(['x', 'X']) && number == "0" {
        "a hexadecimal number has a power of two, as in `0x10p0`".to_owned()
    } else {
        format!(
            "write `{number} * {rest}` for a product; units are not allowed in expressions: a quantity is \
             a `Constant` with a name, a dimension and a `value`"
        )
    }
}

/// The likely fix for an unexpected character, often from another language.
fn help_with_character(character: char) -> &'static str {
    match character {
        ',' => "functions have one argument, and the decimal separator is a point",
        '%' => "there is no remainder operator; the remainder of a by b is `a + b * ceil(-a/b)`",
        '[' | ']' | '{' | '}' => "only round parentheses group",
        '=' => "equality is `.eq.`",
        '!' => "negation is `.not.`, and inequality is `.neq.`",
        '&' => "two conditions are joined with `.and.`",
        '|' => "one of two conditions is `.or.`",
        '\u{2212}' | '\u{2013}' | '\u{2014}' => "the minus sign is the plain `-`",
        '×' | '·' => "multiplication is `*`",
        '÷' => "division is `/`",
        '≤' => "write `.leq.`",
        '≥' => "write `.geq.`",
        '≠' => "write `.neq.`",
        '²' | '³' => "powers are written with `^`, as in `x^2`",
        '?' | ':' => "write a `ConditionalDerivedVariable`",
        _ => "names have letters, digits and `_`; operators are `+ - * / ^` and words like `.lt.`",
    }
}

/// The likely fix for an unknown word between dots.
fn help_with_operator(text: &str) -> String {
    let lower = text.to_lowercase();
    let known = [
        "lt", "gt", "leq", "geq", "le", "ge", "ne", "eq", "neq", "and", "or", "not",
    ];
    if known.contains(&lower.trim_matches('.')) {
        return format!(
            "write `.{}.`: a dot on both sides, in lower case",
            lower.trim_matches('.')
        );
    }
    match nearest(&lower, OPERATORS) {
        Some(operator) => format!("did you mean `{operator}`?"),
        None => format!("the operators are {}", OPERATORS.join(" ")),
    }
}

/// The likely fix for an unknown function, often from another language.
fn help_with_function(name: &str) -> String {
    match name {
        "floor" | "int" => "write `-ceil(-x)` for the next integer downwards".to_owned(),
        "round" => "write `-ceil(-x - 0.5)`".to_owned(),
        "pow" | "power" => "write `a^b`".to_owned(),
        "log10" => "write `ln(x) / ln(10)`".to_owned(),
        "log2" => "write `ln(x) / ln(2)`".to_owned(),
        "sign" | "signum" | "sgn" => "write `2 * H(x) - 1`".to_owned(),
        "min" => "use a ConditionalDerivedVariable, or write `(a + b - abs(a - b)) / 2`".to_owned(),
        "max" => "use a ConditionalDerivedVariable, or write `(a + b + abs(a - b)) / 2`".to_owned(),
        "if" => "use a ConditionalDerivedVariable".to_owned(),
        "heaviside" | "step" => "the step function is `H`".to_owned(),
        "fabs" => "the absolute value is `abs`".to_owned(),
        "rand" => "`random(x)` is uniform between 0 and x".to_owned(),
        _ => match nearest(name, Applied::names()) {
            Some(known) => format!("did you mean `{known}`? A product is written `{name} * (...)`"),
            None => {
                let known: Vec<&str> = Applied::names().collect();
                format!(
                    "if `{name}` is a variable, write `{name} * (...)`; the functions are {}",
                    known.join(", ")
                )
            }
        },
    }
}

fn help_with_operand(found: &str) -> &'static str {
    match found {
        "*" => "a power is written `a^b`",
        "+" => "leave out a sign `+` in front of a value",
        ")" => "something is missing in front of this `)`",
        "" => "something is missing at the end",
        _ => "an operator stands between two values",
    }
}
