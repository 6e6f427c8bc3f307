//! Operators and functions: spelling and binding strength.

/// Arithmetic with two operands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `^`
    Power,
}

/// Comparison of two numbers, with the meaning of IEEE 754.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `.lt.`
    Less,
    /// `.gt.`
    Greater,
    /// `.leq.`
    LessOrEqual,
    /// `.geq.`
    GreaterOrEqual,
    /// `.eq.`
    Equal,
    /// `.neq.`
    NotEqual,
}

/// Combination of two conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Logic {
    /// `.and.`
    And,
    /// `.or.`
    Or,
}

/// Function of one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Function {
    /// `sin`, argument in radians.
    Sin,
    /// `cos`, argument in radians.
    Cos,
    /// `tan`, argument in radians.
    Tan,
    /// `sinh`
    Sinh,
    /// `cosh`
    Cosh,
    /// `tanh`
    Tanh,
    /// `exp`
    Exp,
    /// `ln` and `log`: the natural logarithm, NaN where the argument is not positive.
    Ln,
    /// `sqrt`
    Sqrt,
    /// `ceil`: the next integer upwards.
    Ceil,
    /// `abs`
    Abs,
    /// `H`: 0 below zero, 0.5 at zero, 1 above.
    Heaviside,
    /// `random(x)`: uniform in [0, x).
    Random,
    /// `factorial` of a whole number.
    Factorial,
}

/// How tightly something binds: what comes first in this list is grouped first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Numbers, variables, parentheses and applied functions.
    Value,
    /// A `-` that follows another operator.
    Negate,
    Power,
    Divide,
    Multiply,
    /// Also a `-` at the start of an expression or after `(`.
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

impl BinaryOperator {
    pub(crate) fn level(self) -> Level {
        match self {
            BinaryOperator::Add => Level::Add,
            BinaryOperator::Subtract => Level::Subtract,
            BinaryOperator::Multiply => Level::Multiply,
            BinaryOperator::Divide => Level::Divide,
            BinaryOperator::Power => Level::Power,
        }
    }

    pub(crate) fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::Divide => "/",
            BinaryOperator::Power => "^",
        }
    }
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Comparison::Less => ".lt.",
            Comparison::Greater => ".gt.",
            Comparison::LessOrEqual => ".leq.",
            Comparison::GreaterOrEqual => ".geq.",
            Comparison::Equal => ".eq.",
            Comparison::NotEqual => ".neq.",
        }
    }

    /// Whether `left` compares to `right` in this way; false for NaN, except with `.neq.`.
    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Comparison::Less => left < right,
            Comparison::Greater => left > right,
            Comparison::LessOrEqual => left <= right,
            Comparison::GreaterOrEqual => left >= right,
            Comparison::Equal => left == right,
            Comparison::NotEqual => left != right,
        }
    }
}

impl Logic {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Logic::And => ".and.",
            Logic::Or => ".or.",
        }
    }
}

impl Function {
    pub(crate) const NAMES: [(&'static str, Function); 15] = [
        ("sin", Function::Sin),
        ("cos", Function::Cos),
        ("tan", Function::Tan),
        ("sinh", Function::Sinh),
        ("cosh", Function::Cosh),
        ("tanh", Function::Tanh),
        ("exp", Function::Exp),
        ("ln", Function::Ln),
        ("log", Function::Ln),
        ("sqrt", Function::Sqrt),
        ("ceil", Function::Ceil),
        ("abs", Function::Abs),
        ("H", Function::Heaviside),
        ("random", Function::Random),
        ("factorial", Function::Factorial),
    ];

    /// The function of that name.
    pub fn named(name: &str) -> Option<Function> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, function)| *function)
    }

    /// The name in expressions; `ln` for the natural logarithm.
    pub fn name(self) -> &'static str {
        Self::NAMES
            .iter()
            .find(|(_, function)| *function == self)
            .map_or("", |(name, _)| name)
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
    /// The operator of that spelling, in lower case; None for `.not.`.
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
            Infix::Arithmetic(operator) => operator.level(),
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
