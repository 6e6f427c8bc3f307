//! Makes the statements of one kernel: computes constants, shares common subexpressions, and
//! remembers which register holds which variable.

use lems_index::{Id, narrow};
use rustc_hash::{FxHashMap, FxHashSet};
use std::rc::Rc;

use super::{
    columns::ColumnId,
    knowledge::Knowledge,
    tangent::{Move, Variable},
};
use lems_ir::{
    Block, Comparison, Function, Kernel, Level, Logic, Operation, Operator, Place, Register,
    Scalar, Statement,
};

/// An operation that gives the same value whenever its operands do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Pure {
    Constant(u64),
    Time,
    Step,
    Binary(Operator, Register, Register),
    Compare(Comparison, Register, Register),
    Logic(Logic, Register, Register),
    Not(Register),
    Call(Function, Register),
}

/// A kernel in the making.
#[derive(Debug, Default)]
pub(super) struct Code {
    registers: Vec<Scalar>,
    constants: FxHashMap<Register, f64>,
    mutable: FxHashSet<Register>,
    known: Knowledge<Pure>,
    blocks: Vec<Block>,
    current: Block,
    volatile: Rc<FxHashSet<ColumnId>>,
    multiplies_powers: bool,
    /// Changes of state variables that are to become exact.
    moves: Vec<Move>,
}

impl Code {
    /// Code in which events can change the columns of `volatile`.
    pub fn new(volatile: Rc<FxHashSet<ColumnId>>) -> Code {
        Code {
            volatile,
            ..Code::default()
        }
    }

    pub fn into_kernel(self, name: String) -> Kernel {
        Kernel {
            name,
            registers: self.registers,
            body: self.current,
        }
    }

    fn register(&mut self, scalar: Scalar) -> Register {
        let register = Register(narrow(self.registers.len()));
        self.registers.push(scalar);
        register
    }

    fn assign(&mut self, scalar: Scalar, operation: Operation) -> Register {
        let register = self.register(scalar);
        self.current.push(Statement::Let(register, operation));
        register
    }

    /// A register with the value of an operation, which is computed once in a block and those in it.
    fn pure(&mut self, key: Pure, scalar: Scalar, operation: Operation) -> Register {
        let operands: &[Register] = match &key {
            Pure::Binary(_, a, b) | Pure::Compare(_, a, b) | Pure::Logic(_, a, b) => &[*a, *b],
            Pure::Not(a) | Pure::Call(_, a) => &[*a],
            Pure::Constant(_) | Pure::Time | Pure::Step => &[],
        };
        if operands
            .iter()
            .any(|operand| self.mutable.contains(operand))
        {
            return self.assign(scalar, operation);
        }
        if let Some(register) = self.known.value(&key) {
            return register;
        }
        let register = self.assign(scalar, operation);
        self.known.learn_value(key, register);
        register
    }

    pub fn constant(&mut self, value: f64) -> Register {
        let key = Pure::Constant(value.to_bits());
        let register = self.pure(key, Scalar::Real, Operation::Constant(value));
        self.constants.insert(register, value);
        register
    }

    pub fn time(&mut self) -> Register {
        self.pure(Pure::Time, Scalar::Real, Operation::Time)
    }

    pub fn step(&mut self) -> Register {
        self.pure(Pure::Step, Scalar::Real, Operation::Step)
    }

    /// Has powers with small whole exponents computed by multiplications, which are faster than the
    /// function, but may differ from it in the last bit.
    pub fn multiply_powers(&mut self) {
        self.multiplies_powers = true;
    }

    /// A power, by squares.
    fn product(&mut self, base: Register, exponent: u32) -> Register {
        let mut square = base;
        let mut product = None;
        let mut rest = exponent;
        loop {
            if rest % 2 == 1 {
                product = Some(match product {
                    Some(product) => self.binary(Operator::Multiply, product, square),
                    None => square,
                });
            }
            rest /= 2;
            if rest == 0 {
                break;
            }
            square = self.binary(Operator::Multiply, square, square);
        }
        product.unwrap_or(base)
    }

    /// One of two numbers that are in registers already.
    pub fn select(&mut self, condition: Register, yes: Register, no: Register) -> Register {
        self.assign(Scalar::Real, Operation::Select(condition, yes, no))
    }

    fn value_of(&self, register: Register) -> Option<f64> {
        self.constants.get(&register).copied()
    }

    /// Combines a running total with a value, by an operator such as the sum. Without a total, gives the value.
    pub fn combine(
        &mut self,
        operator: Operator,
        total: Option<Register>,
        value: Register,
    ) -> Register {
        match total {
            Some(total) => self.binary(operator, total, value),
            None => value,
        }
    }

    pub fn binary(&mut self, operator: Operator, left: Register, right: Register) -> Register {
        if let (Some(left), Some(right)) = (self.value_of(left), self.value_of(right)) {
            return self.constant(operator.apply(left, right));
        }
        if let Some(same) = self.identity(operator, left, right) {
            return same;
        }
        // fdlibm's pow squares by one multiplication, too.
        if operator == Operator::Power && self.value_of(right) == Some(2.0) {
            return self.binary(Operator::Multiply, left, left);
        }
        if operator == Operator::Power
            && self.multiplies_powers
            && let Some(exponent) = self.value_of(right).and_then(small_exponent)
        {
            return self.product(left, exponent);
        }
        let key = Pure::Binary(operator, left, right);
        self.pure(key, Scalar::Real, Operation::Binary(operator, left, right))
    }

    /// The operand that the operation leaves as it is, to the last bit, for every value of it.
    fn identity(&self, operator: Operator, left: Register, right: Register) -> Option<Register> {
        let one = |register| self.value_of(register) == Some(1.0);
        match operator {
            Operator::Multiply if one(left) => Some(right),
            Operator::Multiply | Operator::Divide | Operator::Power if one(right) => Some(left),
            _ => None,
        }
    }

    pub fn call(&mut self, function: Function, argument: Register) -> Register {
        if let Some(argument) = self.value_of(argument) {
            return self.constant(function.apply(argument));
        }
        let key = Pure::Call(function, argument);
        self.pure(key, Scalar::Real, Operation::Call(function, argument))
    }

    /// A comparison. One of constants becomes a comparison of zeros, as there are no constant truths.
    pub fn compare(&mut self, how: Comparison, left: Register, right: Register) -> Register {
        if let (Some(a), Some(b)) = (self.value_of(left), self.value_of(right)) {
            let truth = how.holds(a, b);
            let zero = self.constant(0.0);
            let how = if truth {
                Comparison::Equal
            } else {
                Comparison::NotEqual
            };
            let key = Pure::Compare(how, zero, zero);
            return self.pure(key, Scalar::Truth, Operation::Compare(how, zero, zero));
        }
        let key = Pure::Compare(how, left, right);
        self.pure(key, Scalar::Truth, Operation::Compare(how, left, right))
    }

    pub fn logic(&mut self, how: Logic, left: Register, right: Register) -> Register {
        let key = Pure::Logic(how, left, right);
        self.pure(key, Scalar::Truth, Operation::Logic(how, left, right))
    }

    pub fn not(&mut self, register: Register) -> Register {
        self.pure(Pure::Not(register), Scalar::Truth, Operation::Not(register))
    }

    pub fn random(&mut self, scale: Register) -> Register {
        self.assign(Scalar::Real, Operation::Random(scale))
    }

    pub fn load(&mut self, place: Place) -> Register {
        if let Some(register) = self.known.place(place) {
            return register;
        }
        let register = self.assign(Scalar::Real, Operation::Load(place));
        if !matches!(place, Place::Linked { .. }) {
            self.known.learn_place(place, register);
        }
        register
    }

    pub fn store(&mut self, place: Place, register: Register) {
        if self.known.place(place) == Some(register) {
            return;
        }
        self.current.push(Statement::Store(place, register));
        self.known.learn_place(place, register);
    }

    /// Lets loads from a place give the value of a register until what is known of memory is forgotten.
    pub fn suppose(&mut self, place: Place, register: Register) {
        self.known.learn_place(place, register);
    }

    /// A register that may be assigned again.
    pub fn accumulator(&mut self, initial: Register) -> Register {
        let register = self.assign(Scalar::Real, Operation::Copy(initial));
        self.mutable.insert(register);
        register
    }

    pub fn set(&mut self, accumulator: Register, value: Register) {
        self.current
            .push(Statement::Let(accumulator, Operation::Copy(value)));
    }

    /// A copy of the present value of an accumulator, in a register that does not change.
    pub fn settled(&mut self, accumulator: Register) -> Register {
        self.assign(Scalar::Real, Operation::Copy(accumulator))
    }

    /// A register with the change of a state variable during a time, which is in a register. At first it is the rate
    /// times the time. [`move_exactly`](super::tangent::move_exactly) corrects it where the rate depends on the
    /// variable.
    pub fn exact_move(
        &mut self,
        state: Variable,
        elsewhere: Option<(Register, Register)>,
        rate: Register,
        length: Register,
    ) -> Register {
        let product = Operation::Binary(Operator::Multiply, length, rate);
        let change = self.assign(Scalar::Real, product);
        self.moves.push(Move {
            state,
            elsewhere,
            rate,
            change,
            length,
        });
        change
    }

    /// The moves that were made so far.
    pub fn take_moves(&mut self) -> Vec<Move> {
        std::mem::take(&mut self.moves)
    }

    pub fn emit(&mut self, port: u32, level: Level) {
        self.current.push(Statement::Emit { port, level });
        self.forget_volatile();
    }

    fn forget_volatile(&mut self) {
        let volatile = &self.volatile;
        self.known.keep_places(|place| match place {
            Place::Column { base, .. } => !volatile.contains(&ColumnId::from_u32(*base)),
            Place::Slot(_) | Place::Linked { .. } => false,
        });
    }

    /// Starts a nested block that runs at most once.
    pub fn begin(&mut self) {
        self.known.begin();
        self.blocks.push(std::mem::take(&mut self.current));
    }

    /// Starts a nested block that may run many times.
    pub fn begin_loop(&mut self) {
        self.forget_volatile();
        self.begin();
    }

    /// Starts a nested block in which nothing is known of memory.
    pub fn begin_anew(&mut self) {
        self.forget();
        self.begin();
    }

    /// Ends a nested block: what it changed is no longer known.
    pub fn end(&mut self) -> Block {
        self.known.end();
        std::mem::replace(&mut self.current, self.blocks.pop().unwrap_or_default())
    }

    /// Forgets all that is known of memory.
    pub fn forget(&mut self) {
        self.known.keep_places(|_| false);
    }

    pub fn push(&mut self, statement: Statement) {
        self.current.push(statement);
    }

    /// Registers with the occupancies of a kinetic scheme after a step.
    pub fn propagate(
        &mut self,
        scheme: u32,
        occupancies: Vec<Register>,
        rates: Vec<(Register, Register)>,
    ) -> Vec<Register> {
        let results: Vec<Register> = occupancies
            .iter()
            .map(|_| self.register(Scalar::Real))
            .collect();
        self.current.push(Statement::Propagate {
            scheme,
            occupancies,
            rates,
            results: results.clone(),
        });
        results
    }
}

/// An exponent as a whole number, if it is one for which multiplications are worth it.
fn small_exponent(exponent: f64) -> Option<u32> {
    (1..=16).find(|whole| f64::from(*whole) == exponent)
}
