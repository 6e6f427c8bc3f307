//! Generates random expressions with correct dimensions and safe values.
//!
//! They have few parentheses, so that the precedence of every operator matters. Operands that would be
//! unsafe under some precedence (a divisor near zero, a large exponent) are never written.

use crate::dice::Dice;
use crate::dimension::Dimension;

/// A variable that an expression may use.
#[derive(Debug, Clone, PartialEq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its dimension.
    pub dimension: Dimension,
    /// Whether it is always positive.
    pub positive: bool,
    /// Whether it always stays of order one.
    pub tame: bool,
}

/// The variables that an expression may use. At least one in each dimension is positive.
pub type Scope = Vec<Variable>;

/// Writes expressions over a scope.
pub struct Writer<'w> {
    /// The source of random choices.
    pub dice: &'w mut Dice,
    /// The variables in scope.
    pub scope: &'w [Variable],
    /// Whether `random()` may be used.
    pub draws: bool,
}

/// Largest depth of nested expressions.
const DEPTH: u32 = 2;

impl Writer<'_> {
    /// Any expression of a dimension. Its value may be large if it uses a variable that is not tame.
    pub fn any(&mut self, dimension: Dimension) -> String {
        match dimension {
            Dimension::None => self.chain(DEPTH),
            _ => self.sum(dimension, DEPTH),
        }
    }

    /// An expression whose value is of order one for all values of its variables. It can be the last
    /// factor of a product.
    pub fn bounded(&mut self, dimension: Dimension) -> String {
        let number = self.bounded_number();
        match dimension {
            Dimension::None => number,
            _ => format!("{} * {number}", self.positive(dimension)),
        }
    }

    /// A positive constant of a dimension.
    pub fn positive(&mut self, dimension: Dimension) -> String {
        self.name(|variable| variable.positive && variable.dimension == dimension)
            .unwrap_or_else(|| "1".to_owned())
    }

    /// A condition.
    pub fn condition(&mut self) -> String {
        let mut text = self.comparison();
        for _ in 0..self.dice.between(0, 5).saturating_sub(3) {
            let logic = self.dice.word(&[".and.", ".or."]);
            let next = self.comparison();
            text = format!("{text} {logic} {next}");
        }
        text
    }

    /// A comparison, mostly of plain numbers.
    fn comparison(&mut self) -> String {
        let dimension = match self.dice.between(0, 3) {
            0 => self
                .dice
                .pick(&Dimension::PHYSICAL)
                .copied()
                .unwrap_or(Dimension::None),
            1 => Dimension::Time,
            _ => Dimension::None,
        };
        let left = self.side(dimension);
        if self.dice.chance(8) {
            let right = self.side(dimension);
            let equal = self.dice.word(&[".eq.", ".neq."]);
            return format!("({left} {equal} {right})");
        }
        let right = match self.dice.chance(20) {
            true => "0".to_owned(),
            false => self.side(dimension),
        };
        let operator = self.dice.word(&[".gt.", ".lt.", ".geq.", ".leq.", ".neq."]);
        format!("{left} {operator} {right}")
    }

    fn side(&mut self, dimension: Dimension) -> String {
        match dimension {
            Dimension::None => self.chain(1),
            _ => self.sum(dimension, 0),
        }
    }

    fn name(&mut self, which: impl Fn(&Variable) -> bool) -> Option<String> {
        let fitting: Vec<&Variable> = self.scope.iter().filter(|v| which(v)).collect();
        self.dice
            .pick(&fitting)
            .map(|variable| variable.name.clone())
    }

    fn gap(&mut self) -> &'static str {
        self.dice.word(&["", " ", " ", "  "])
    }

    /// Numbers that are joined by operators of all precedences.
    fn chain(&mut self, depth: u32) -> String {
        let mut text = match self.dice.chance(10) {
            true => format!("-{}", self.atom(depth)),
            false => self.atom(depth),
        };
        let mut power = false;
        for _ in 0..self.dice.between(0, 4) {
            let operator = match self.dice.between(0, 9) {
                0..=2 => "+",
                3 | 4 => "-",
                5 | 6 => "*",
                7 | 8 => "/",
                _ if power => "+",
                _ => "^",
            };
            power = operator == "^";
            let right = match operator {
                "^" => self.dice.word(&["2", "3", "2.", "1"]).to_owned(),
                "/" => self.divisor(depth),
                _ => self.atom(depth),
            };
            let sign = match operator != "^" && self.dice.chance(7) {
                true => "-",
                false => "",
            };
            let gap = match sign {
                "" => self.gap(),
                _ => " ",
            };
            text = format!("{text} {operator}{gap}{sign}{right}");
        }
        text
    }

    /// A sum of terms of a physical dimension.
    fn sum(&mut self, dimension: Dimension, depth: u32) -> String {
        let mut text = match self.dice.chance(10) {
            true => format!("-{}", self.term(dimension, depth)),
            false => self.term(dimension, depth),
        };
        for _ in 0..self.dice.between(0, 2) {
            let operator = self.dice.word(&["+", "-"]);
            text = format!("{text} {operator} {}", self.term(dimension, depth));
        }
        text
    }

    fn term(&mut self, dimension: Dimension, depth: u32) -> String {
        let mut text = self.carrier(dimension);
        if self.dice.chance(40) {
            text = format!("{text} / {}", self.divisor(depth));
        }
        if self.dice.chance(40) {
            text = format!("{} * {text}", self.atom(depth));
        }
        if self.dice.chance(30) {
            text = format!("{text} * {}", self.atom(depth));
        }
        text
    }

    fn carrier(&mut self, dimension: Dimension) -> String {
        use Dimension::{Conductance, Current, Rate, Time, Voltage};
        if self.dice.chance(70) {
            return self.of(dimension);
        }
        match dimension {
            Voltage => format!("{} / {}", self.of(Current), self.positive(Conductance)),
            Current => format!("{} * {}", self.of(Conductance), self.of(Voltage)),
            Conductance => format!("{} / {}", self.of(Current), self.positive(Voltage)),
            Rate => format!("{} / {}", self.dice.number(), self.positive(Time)),
            Time => format!("{} / {}", self.dice.number(), self.positive(Rate)),
            Dimension::None => self.atom(0),
        }
    }

    fn of(&mut self, dimension: Dimension) -> String {
        self.name(|variable| variable.dimension == dimension)
            .unwrap_or_else(|| self.positive(dimension))
    }

    /// A pure number that needs no parentheses.
    fn atom(&mut self, depth: u32) -> String {
        match self.dice.between(0, if depth == 0 { 5 } else { 9 }) {
            0 => self.dice.number(),
            1..=3 => self.of(Dimension::None),
            4 | 5 => {
                let dimension = self.dice.pick(&Dimension::PHYSICAL).copied();
                let dimension = dimension.unwrap_or(Dimension::Time);
                format!("({} / {})", self.of(dimension), self.positive(dimension))
            }
            6 => format!("({})", self.chain(depth - 1)),
            _ => self.call(depth - 1),
        }
    }

    /// A function with an argument that is safe for it.
    fn call(&mut self, depth: u32) -> String {
        match self.dice.between(0, 15) {
            0 => format!("sin({})", self.chain(depth)),
            1 => format!("cos({})", self.chain(depth)),
            2 => format!("tan({})", self.small(depth)),
            3 => format!("sinh({})", self.small(depth)),
            4 => format!("cosh({})", self.small(depth)),
            5 => format!("tanh({})", self.chain(depth)),
            6 | 7 => format!("exp({})", self.small(depth)),
            8 => format!("ln({})", self.above_zero(depth)),
            9 => format!("log({})", self.above_zero(depth)),
            10 => format!("sqrt({})", self.above_zero(depth)),
            11 => format!("abs({})", self.chain(depth)),
            12 => format!("ceil({})", self.chain(depth)),
            13 => format!("H({})", self.chain(depth)),
            14 => match self.dice.chance(30) {
                true => format!("factorial({})", self.dice.between(0, 6)),
                false => {
                    let power = self.dice.word(&["0.5", "1.7", "-1", "-.3", "(1 / 3)"]);
                    format!("({})^{power}", self.above_zero(depth))
                }
            },
            _ if self.draws => format!("random({})", self.dice.number()),
            _ => format!("sin {}", self.of(Dimension::None)),
        }
    }

    /// A number between -1.4 and 1.4.
    fn small(&mut self, depth: u32) -> String {
        let factor = self.dice.word(&["", "1.4 * ", "-"]);
        let function = self.dice.word(&["tanh", "sin", "cos"]);
        format!("{factor}{function}({})", self.chain(depth))
    }

    /// A number of at least 0.1.
    fn above_zero(&mut self, depth: u32) -> String {
        match self.dice.between(0, 2) {
            0 => format!("0.1 + abs({})", self.chain(depth)),
            1 => format!(
                "1.5 + {}({})",
                self.dice.word(&["tanh", "sin"]),
                self.chain(depth)
            ),
            _ => {
                let name = self.of(Dimension::None);
                format!("{name} * {name} + 0.25")
            }
        }
    }

    /// A number that is not near zero and needs no parentheses.
    fn divisor(&mut self, depth: u32) -> String {
        match self.dice.between(0, 5) {
            0 => self.dice.number(),
            1 if depth > 0 => format!("({})", self.above_zero(depth - 1)),
            2 if depth > 0 => format!("cosh({})", self.small(depth - 1)),
            3 if depth > 0 => format!("exp({})", self.small(depth - 1)),
            _ => self.positive(Dimension::None),
        }
    }

    fn bounded_number(&mut self) -> String {
        match self.dice.between(0, 7) {
            0 | 1 => format!("tanh({})", self.chain(DEPTH)),
            2 => format!("sin({})", self.chain(DEPTH)),
            3 => format!("tanh({}) * cos({})", self.chain(1), self.chain(1)),
            4 => {
                let name = self.of(Dimension::None);
                format!("{name} / (1 + abs({name}))")
            }
            5 => format!("exp(-abs({}))", self.chain(DEPTH)),
            6 => format!("1 / (1 + exp({}))", self.small(1)),
            _ => format!("H({})", self.chain(DEPTH)),
        }
    }
}
