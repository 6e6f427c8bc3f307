//! Operators and functions: spelling and binding strength.

use lems_math::{BinaryOperator, Comparison, Function, Logic};

/// The meaning of a name before a parenthesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Applied {
    /// A function of the argument.
    Function(Function),
    /// `random(x)`: uniform in [0, x).
    Random,
}

/// Binding strength. The variants are ordered from the tightest to the loosest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Numbers, variables, parentheses and applied functions.
    Value,
    /// A `-` that follows another operator.
    Negate,
    Power,
    Divide,
    Multiply,
    /// A subtraction, or a `-` at the start of an expression or after `(`.
    Subtract,
    Add,
    Compare,
    Not,
    Logic,
}

impl Level {
    /// The loosest level that still binds tighter than this one.
    pub(crate) fn tighter(self) -> Level {
        match self {
            Level::Value | Level::Negate => Level::Value,
            Level::Power => Level::Negate,
            Level::Divide => Level::Power,
            Level::Multiply => Level::Divide,
            Level::Subtract => Level::Multiply,
            Level::Add => Level::Subtract,
            Level::Compare => Level::Add,
            Level::Not => Level::Compare,
            Level::Logic => Level::Not,
        }
    }
}

/// How an operator is written.
pub(crate) trait Spelling {
    fn symbol(self) -> &'static str;
}

impl Spelling for BinaryOperator {
    fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Power => "^",
        }
    }
}

impl Spelling for Comparison {
    fn symbol(self) -> &'static str {
        match self {
            Comparison::Less => ".lt.",
            Comparison::Greater => ".gt.",
            Comparison::LessOrEqual => ".leq.",
            Comparison::GreaterOrEqual => ".geq.",
            Comparison::Equal => ".eq.",
            Comparison::NotEqual => ".neq.",
        }
    }
}

impl Spelling for Logic {
    fn symbol(self) -> &'static str {
        match self {
            Logic::And => ".and.",
            Logic::Or => ".or.",
        }
    }
}

/// Whether a name before a parenthesis is the name of a function.
pub fn is_function(name: &str) -> bool {
    Applied::named(name).is_some()
}

impl Applied {
    /// The meaning of a name.
    pub(crate) fn named(name: &str) -> Option<Applied> {
        match name {
            "log" => Some(Applied::Function(Function::Ln)),
            "random" => Some(Applied::Random),
            _ => {
                let function = Function::ALL.into_iter().find(|known| known.name() == name);
                function.map(Applied::Function)
            }
        }
    }

    /// All names, for help texts.
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        let functions = Function::ALL.into_iter().map(Function::name);
        functions.chain(["log", "random"])
    }

    /// The name in expressions; `ln` for the natural logarithm.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Applied::Function(function) => function.name(),
            Applied::Random => "random",
        }
    }
}

/// How tightly an arithmetic operator binds.
pub(crate) fn level_of(operator: BinaryOperator) -> Level {
    match operator {
        BinaryOperator::Add => Level::Add,
        BinaryOperator::Subtract => Level::Subtract,
        BinaryOperator::Multiply => Level::Multiply,
        BinaryOperator::Divide => Level::Divide,
        BinaryOperator::Power => Level::Power,
    }
}

/// An operator between two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Infix {
    Arithmetic(BinaryOperator),
    Compare(Comparison),
    Logic(Logic),
}

impl Infix {
    /// The operator with this spelling, in lower case; None for `.not.`.
    pub(crate) fn spelled(text: &str) -> Option<Infix> {
        Some(match text {
            "+" => Infix::Arithmetic(BinaryOperator::Add),
            "-" => Infix::Arithmetic(BinaryOperator::Subtract),
            "*" => Infix::Arithmetic(BinaryOperator::Multiply),
            "/" => Infix::Arithmetic(BinaryOperator::Divide),
            "^" => Infix::Arithmetic(BinaryOperator::Power),
            ".lt." | "<" => Infix::Compare(Comparison::Less),
            ".gt." | ">" => Infix::Compare(Comparison::Greater),
            ".leq." | ".le." | "<=" => Infix::Compare(Comparison::LessOrEqual),
            ".geq." | ".ge." | ">=" => Infix::Compare(Comparison::GreaterOrEqual),
            ".eq." | "==" => Infix::Compare(Comparison::Equal),
            ".neq." | ".ne." | "!=" => Infix::Compare(Comparison::NotEqual),
            ".and." | "&&" => Infix::Logic(Logic::And),
            ".or." | "||" => Infix::Logic(Logic::Or),
            _ => return None,
        })
    }

    pub(crate) fn level(self) -> Level {
        match self {
            Infix::Arithmetic(operator) => level_of(operator),
            Infix::Compare(_) => Level::Compare,
            Infix::Logic(_) => Level::Logic,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Infix::Arithmetic(operator) => operator.symbol(),
            Infix::Compare(comparison) => comparison.symbol(),
            Infix::Logic(logic) => logic.symbol(),
        }
    }
}
