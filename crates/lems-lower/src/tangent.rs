//! Derivatives of kernels, exact: forward differentiation (R. E. Wengert, Comm. ACM 7, 1964).
//!
//! A kernel is a list of operations, so its derivative by a variable is one more operation or a few
//! for each that depends on the variable. Values that go through memory have no derivative; code
//! keeps what it computes in registers, so only what earlier kernels stored does.

use lems_index::narrow;
use lems_ir::{
    Block, Comparison, Definitions, Function, Kernel, Operation, Operator, Place, Register, Scalar,
    Statement, statements,
};

/// By what something is differentiated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    /// By what is loaded from a place.
    Place(Place),
    /// By what is in a register.
    Register(Register),
}

/// A state variable that moves by its rate times the step, as code does it for now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Move {
    /// The variable as its rate has it.
    pub state: Variable,
    /// If the rate depends on the variable in other ways, too: the variable as they have it, and as it
    /// is when the move begins.
    pub elsewhere: Option<(Register, Register)>,
    /// Its rate.
    pub rate: Register,
    /// The register that is assigned the change.
    pub change: Register,
    /// How long it moves, in seconds.
    pub length: Register,
}

/// Stores the derivative of what the kernel stores in `value` by what it loads from `by` in `slope`,
/// after the statement that stores the value.
pub(super) fn store_slope(kernel: &mut Kernel, by: Place, value: Place, slope: Place) {
    let stored = kernel.body.iter().find_map(|statement| match statement {
        Statement::Store(place, register) if *place == value => Some(*register),
        _ => None,
    });
    let Some(result) = stored else {
        return;
    };
    let tangents = Tangents::of(kernel, Variable::Place(by), result);
    let mut body = std::mem::take(&mut kernel.body);
    let mut writer = Writer {
        kernel,
        tangents,
        site: None,
        definitions: Definitions::of([]),
    };
    let mut made = Block::with_capacity(body.len());
    writer.block(&mut body, &mut made);
    let tangent = writer.tangent_or_zero(result, &mut made);
    made.push(Statement::Store(slope, tangent));
    writer.kernel.body = made;
}

/// Replaces the moves of a kernel, which are rate times step, by the solution of the equation that is
/// linear in the state and has the same rate and derivative: exact for gates and for whatever decays.
pub(super) fn move_exactly(kernel: &mut Kernel, moves: &[Move]) {
    for one in moves {
        let mut change = Change {
            one: *one,
            rate: one.rate,
            derivative: None,
        };
        // What the rate depends on elsewhere is for another value of the state: corrected by the
        // derivative.
        if let Some((there, before)) = one.elsewhere {
            let tangents = Tangents::of(kernel, Variable::Register(there), one.rate);
            if let Some(derivative) = tangents.of_register(one.rate) {
                change.derivative = Some(derivative);
                let corrected = new_register(kernel, Scalar::Real);
                change.rate = corrected;
                rewrite(kernel, tangents, Some(Site::Correct(change, there, before)));
            }
        }
        let tangents = Tangents::of(kernel, one.state, one.rate);
        // If the rate does not depend on the state, the move is right as it is.
        if tangents.of_register(one.rate).is_some() || change.derivative.is_some() {
            rewrite(kernel, tangents, Some(Site::Move(change)));
        }
    }
}

/// A move with the derivatives that are known of it.
#[derive(Debug, Clone, Copy)]
struct Change {
    one: Move,
    /// The rate, corrected for what depends on the state elsewhere.
    rate: Register,
    /// The derivative by the state elsewhere.
    derivative: Option<Register>,
}

/// What is written at the statement of a move, besides derivatives.
#[derive(Debug, Clone, Copy)]
enum Site {
    /// Before the operation, the rate is corrected for the distance of two values of the state.
    Correct(Change, Register, Register),
    /// The exact move replaces the operation.
    Move(Change),
}

impl Site {
    fn change(&self) -> Register {
        match self {
            Site::Correct(change, ..) | Site::Move(change) => change.one.change,
        }
    }
}

/// Writes a kernel anew, with derivatives in it.
fn rewrite(kernel: &mut Kernel, tangents: Tangents, site: Option<Site>) {
    let mut body = std::mem::take(&mut kernel.body);
    let mut made = Block::with_capacity(body.len());
    let mut writer = Writer {
        kernel,
        tangents,
        site,
        definitions: Definitions::of([&body]),
    };
    writer.block(&mut body, &mut made);
    writer.kernel.body = made;
}

/// The registers that depend on a variable, with registers for their derivatives.
struct Tangents {
    by: Variable,
    /// By number of the register.
    registers: Vec<Option<Register>>,
}

impl Tangents {
    /// Finds what depends on a variable and matters for `result`, and makes room for the derivatives.
    fn of(kernel: &mut Kernel, by: Variable, result: Register) -> Tangents {
        // What each register is computed from; one that loops assign again has several origins.
        let count = kernel.registers.len();
        let mut origins: Vec<Vec<&Operation>> = vec![Vec::new(); count];
        for statement in statements([&kernel.body]) {
            if let Statement::Let(register, operation) = statement
                && let Some(own) = origins.get_mut(register.0 as usize)
            {
                own.push(operation);
            }
        }
        // What matters for the result, in the order in which it is found.
        let mut matters = vec![false; count];
        let mut found = vec![result];
        let mut next = 0;
        while let Some(register) = found.get(next).copied() {
            next += 1;
            let known = matters.get_mut(register.0 as usize);
            if known.is_none_or(|known| std::mem::replace(known, true)) {
                continue;
            }
            for operation in origins.get(register.0 as usize).into_iter().flatten() {
                found.extend(operation.operands());
            }
        }
        let mut active = vec![false; count];
        // Of what matters, what depends on the variable. Origins are mostly found after what they are
        // for, so the list is gone through from its end.
        loop {
            let mut changed = false;
            for register in found.iter().rev() {
                let index = register.0 as usize;
                let is_real = kernel.registers.get(index) == Some(&Scalar::Real);
                if !is_real || active.get(index) != Some(&false) {
                    continue;
                }
                let depends = |operation: &&Operation| match operation {
                    Operation::Load(place) => by == Variable::Place(*place),
                    Operation::Compare(..) | Operation::Logic(..) | Operation::Not(_) => false,
                    operation => (operation.operands())
                        .any(|operand| active.get(operand.0 as usize) == Some(&true)),
                };
                let is_it = by == Variable::Register(*register);
                if (is_it || origins.get(index).into_iter().flatten().any(depends))
                    && let Some(is_active) = active.get_mut(index)
                {
                    *is_active = true;
                    changed = true;
                }
            }
            if !changed {
                break;
            }
        }
        let mut registers = Vec::with_capacity(active.len());
        for is_active in active {
            registers.push(is_active.then(|| new_register(kernel, Scalar::Real)));
        }
        Tangents { by, registers }
    }

    fn of_register(&self, register: Register) -> Option<Register> {
        self.registers.get(register.0 as usize).copied().flatten()
    }
}

fn new_register(kernel: &mut Kernel, scalar: Scalar) -> Register {
    let register = Register(narrow(kernel.registers.len()));
    kernel.registers.push(scalar);
    register
}

/// Writes a kernel anew, with derivatives in it.
struct Writer<'k> {
    kernel: &'k mut Kernel,
    tangents: Tangents,
    /// Where more is written.
    site: Option<Site>,
    /// What is known of registers of the kernel as it was.
    definitions: Definitions,
}

/// A rate of the form `(target - state) / time`, whose target and time do not depend on the state:
/// that of a gate, and of whatever else decays.
#[derive(Debug, Clone, Copy)]
struct Relaxation {
    /// `target - state`.
    distance: Register,
    /// The time constant.
    time: Register,
}

impl Writer<'_> {
    fn block(&mut self, from: &mut Block, to: &mut Block) {
        for mut statement in from.drain(..) {
            for inner in statement.nested_mut() {
                let mut made = Block::with_capacity(inner.len());
                self.block(inner, &mut made);
                *inner = made;
            }
            match statement {
                Statement::Let(register, operation) => {
                    match self.site.filter(|site| site.change() == register) {
                        Some(Site::Move(change)) => {
                            self.exact_move(change, to);
                            continue;
                        }
                        Some(Site::Correct(change, there, before)) => {
                            self.correct(change, there, before, to);
                        }
                        None => {}
                    }
                    to.push(Statement::Let(register, operation));
                    if let Some(tangent) = self.tangents.of_register(register) {
                        let derivative = self.derivative(register, operation, to);
                        to.push(Statement::Let(tangent, derivative));
                    }
                }
                statement => to.push(statement),
            }
        }
    }

    fn put(&mut self, operation: Operation, to: &mut Block) -> Register {
        let register = new_register(self.kernel, Scalar::Real);
        to.push(Statement::Let(register, operation));
        register
    }

    fn truth(&mut self, operation: Operation, to: &mut Block) -> Register {
        let register = new_register(self.kernel, Scalar::Truth);
        to.push(Statement::Let(register, operation));
        register
    }

    fn constant(&mut self, value: f64, to: &mut Block) -> Register {
        self.put(Operation::Constant(value), to)
    }

    fn binary(&mut self, how: Operator, a: Register, b: Register, to: &mut Block) -> Register {
        self.put(Operation::Binary(how, a, b), to)
    }

    fn tangent_or_zero(&mut self, register: Register, to: &mut Block) -> Register {
        match self.tangents.of_register(register) {
            Some(tangent) => tangent,
            None => self.constant(0.0, to),
        }
    }

    /// The derivative of an operation whose result is in `result`.
    fn derivative(&mut self, result: Register, operation: Operation, to: &mut Block) -> Operation {
        let of = |register: Register| self.tangents.of_register(register);
        if self.tangents.by == Variable::Register(result) {
            return Operation::Constant(1.0);
        }
        match operation {
            Operation::Load(place) if Variable::Place(place) == self.tangents.by => {
                Operation::Constant(1.0)
            }
            Operation::Copy(a) => of(a).map_or(Operation::Constant(0.0), Operation::Copy),
            Operation::Binary(operator, a, b) => self.of_binary(operator, (a, b), result, to),
            Operation::Select(condition, _, _) => {
                let mut operands = operation.operands().skip(1);
                let mut next = || operands.next().unwrap_or(result);
                let (a, b) = (next(), next());
                let a = self.tangent_or_zero(a, to);
                let b = self.tangent_or_zero(b, to);
                Operation::Select(condition, a, b)
            }
            Operation::Call(function, a) => match of(a) {
                Some(tangent) => self.of_call(function, a, tangent, result, to),
                None => Operation::Constant(0.0),
            },
            Operation::Random(a) => match of(a) {
                // The same draw, which is the result over the factor.
                Some(tangent) => {
                    let draw = self.binary(Operator::Divide, result, a, to);
                    Operation::Binary(Operator::Multiply, draw, tangent)
                }
                None => Operation::Constant(0.0),
            },
            _ => Operation::Constant(0.0),
        }
    }

    fn of_binary(
        &mut self,
        operator: Operator,
        (a, b): (Register, Register),
        result: Register,
        to: &mut Block,
    ) -> Operation {
        use Operator::{Add, Divide, Multiply, Power, Subtract};
        let tangents = (self.tangents.of_register(a), self.tangents.of_register(b));
        match (operator, tangents) {
            (_, (None, None)) => Operation::Constant(0.0),
            (Add, (Some(t), None) | (None, Some(t))) | (Subtract, (Some(t), None)) => {
                Operation::Copy(t)
            }
            (Add | Subtract, (Some(s), Some(t))) => Operation::Binary(operator, s, t),
            (Subtract, (None, Some(t))) => {
                let zero = self.constant(0.0, to);
                Operation::Binary(Subtract, zero, t)
            }
            (Multiply, (Some(s), None)) => Operation::Binary(Multiply, s, b),
            (Multiply, (None, Some(t))) => Operation::Binary(Multiply, a, t),
            (Multiply, (Some(s), Some(t))) => {
                let left = self.binary(Multiply, s, b, to);
                let right = self.binary(Multiply, a, t, to);
                Operation::Binary(Add, left, right)
            }
            (Divide, (Some(s), None)) => Operation::Binary(Divide, s, b),
            (Divide, (s, Some(t))) => {
                // (s - q t) / b, where q is the quotient.
                let taken = self.binary(Multiply, result, t, to);
                let s = match s {
                    Some(s) => s,
                    None => self.constant(0.0, to),
                };
                let above = self.binary(Subtract, s, taken, to);
                Operation::Binary(Divide, above, b)
            }
            (Power, (Some(s), None)) => {
                // b a^(b - 1) s
                let one = self.constant(1.0, to);
                let less = self.binary(Subtract, b, one, to);
                let power = self.binary(Power, a, less, to);
                let factor = self.binary(Multiply, b, power, to);
                Operation::Binary(Multiply, factor, s)
            }
            (Power, (s, Some(t))) => {
                // a^b (t ln a + b s / a)
                let logarithm = self.put(Operation::Call(Function::Ln, a), to);
                let mut sum = self.binary(Multiply, t, logarithm, to);
                if let Some(s) = s {
                    let change = self.binary(Multiply, b, s, to);
                    let change = self.binary(Divide, change, a, to);
                    sum = self.binary(Add, sum, change, to);
                }
                Operation::Binary(Multiply, result, sum)
            }
        }
    }

    /// The derivative of a function of `a`, by the chain rule.
    fn of_call(
        &mut self,
        function: Function,
        a: Register,
        tangent: Register,
        result: Register,
        to: &mut Block,
    ) -> Operation {
        use Operator::{Add, Divide, Multiply, Subtract};
        let call = |function| Operation::Call(function, a);
        let times = |factor| Operation::Binary(Multiply, factor, tangent);
        match function {
            Function::Exp => times(result),
            Function::Ln => Operation::Binary(Divide, tangent, a),
            Function::Sqrt => {
                let twice = self.binary(Add, result, result, to);
                Operation::Binary(Divide, tangent, twice)
            }
            Function::Sin => {
                let factor = self.put(call(Function::Cos), to);
                times(factor)
            }
            Function::Cos => {
                let sine = self.put(call(Function::Sin), to);
                let product = self.binary(Multiply, sine, tangent, to);
                let zero = self.constant(0.0, to);
                Operation::Binary(Subtract, zero, product)
            }
            Function::Sinh => {
                let factor = self.put(call(Function::Cosh), to);
                times(factor)
            }
            Function::Cosh => {
                let factor = self.put(call(Function::Sinh), to);
                times(factor)
            }
            Function::Tan | Function::Tanh => {
                // 1 + tan^2, 1 - tanh^2
                let square = self.binary(Multiply, result, result, to);
                let one = self.constant(1.0, to);
                let how = if function == Function::Tan {
                    Add
                } else {
                    Subtract
                };
                let factor = self.binary(how, one, square, to);
                times(factor)
            }
            Function::Abs => {
                // -1, 0 or 1
                let zero = self.constant(0.0, to);
                let one = self.constant(1.0, to);
                let minus = self.constant(-1.0, to);
                let is_below = self.truth(Operation::Compare(Comparison::Less, a, zero), to);
                let factor = self.put(Operation::Select(is_below, minus, one), to);
                times(factor)
            }
            // What jumps has no slope between its jumps.
            _ => Operation::Constant(0.0),
        }
    }

    /// The rate as if what it depends on elsewhere were for the state as it is when the move begins.
    fn correct(&mut self, change: Change, there: Register, before: Register, to: &mut Block) {
        let derivative = self.tangent_or_zero(change.one.rate, to);
        let distance = self.binary(Operator::Subtract, before, there, to);
        let correction = self.binary(Operator::Multiply, derivative, distance, to);
        let sum = Operation::Binary(Operator::Add, change.one.rate, correction);
        to.push(Statement::Let(change.rate, sum));
    }

    /// The change of a state by the exponential of its derivative: rate * length * phi(z) with
    /// z = derivative * length and phi(z) = (exp(z) - 1) / z.
    fn exact_move(&mut self, change: Change, to: &mut Block) {
        use Operator::{Add, Divide, Multiply};
        if let Some(relaxation) = self.relaxation(&change) {
            self.relax(change.one, relaxation, to);
            return;
        }
        let one = change.one;
        let plain = self.binary(Multiply, one.length, change.rate, to);
        let own = self.tangent_or_zero(one.rate, to);
        let derivative = match change.derivative {
            Some(elsewhere) => self.binary(Add, own, elsewhere, to),
            None => own,
        };
        let z = self.binary(Multiply, derivative, one.length, to);
        let growth = self.growth(z, to);
        let quotient = self.binary(Divide, growth.exact, z, to);
        let phi = self.put(
            Operation::Select(growth.is_small, growth.series, quotient),
            to,
        );
        to.push(Statement::Let(
            one.change,
            Operation::Binary(Multiply, plain, phi),
        ));
    }

    /// The form of a rate, if it is a relaxation of the state alone.
    fn relaxation(&self, change: &Change) -> Option<Relaxation> {
        let Variable::Register(state) = change.one.state else {
            return None;
        };
        let independent = |register| self.tangents.of_register(register).is_none();
        let origin = |register| self.definitions.operation(register);
        let Some(&Operation::Binary(Operator::Divide, distance, time)) = origin(change.one.rate)
        else {
            return None;
        };
        let Some(&Operation::Binary(Operator::Subtract, target, subtracted)) = origin(distance)
        else {
            return None;
        };
        let fits = change.derivative.is_none()
            && subtracted == state
            && independent(target)
            && independent(time);
        fits.then_some(Relaxation { distance, time })
    }

    /// The same change as that of [`Writer::exact_move`], with one division instead of three: `distance * (1 -
    /// exp(-length / time))`.
    fn relax(&mut self, one: Move, relaxation: Relaxation, to: &mut Block) {
        use Operator::{Multiply, Subtract};
        let zero = self.constant(0.0, to);
        let backwards = self.binary(Subtract, zero, one.length, to);
        let z = self.quotient(backwards, relaxation.time, to);
        let growth = self.growth(z, to);
        let series = self.binary(Multiply, growth.series, z, to);
        let growth = self.put(Operation::Select(growth.is_small, series, growth.exact), to);
        let change = self.binary(Multiply, relaxation.distance, growth, to);
        to.push(Statement::Let(
            one.change,
            Operation::Binary(Subtract, zero, change),
        ));
    }

    /// `exp(z) - 1`, exact as long as z is not near 0.
    fn growth(&mut self, z: Register, to: &mut Block) -> Growth {
        use Operator::{Add, Multiply, Subtract};
        let exponential = self.put(Operation::Call(Function::Exp, z), to);
        let one = self.constant(1.0, to);
        let exact = self.binary(Subtract, exponential, one, to);
        // Near 0 the difference is inexact, so the first terms of the series take its place.
        let half = self.constant(0.5, to);
        let series = self.binary(Multiply, half, z, to);
        let series = self.binary(Add, series, one, to);
        let size = self.put(Operation::Call(Function::Abs, z), to);
        let small = self.constant(1e-6, to);
        let is_small = self.truth(Operation::Compare(Comparison::Less, size, small), to);
        Growth {
            exact,
            series,
            is_small,
        }
    }

    /// A quotient with a divisor that may itself be made of products and quotients, as time constants
    /// are: with one division instead of one for each of them.
    fn quotient(&mut self, dividend: Register, divisor: Register, to: &mut Block) -> Register {
        let mut factors = Factors::default();
        self.factors(divisor, Side::Above, DEEPEST, &mut factors);
        let multiply = Operator::Multiply;
        let mut result = dividend;
        for factor in factors.below {
            result = self.binary(multiply, result, factor, to);
        }
        let mut factors = factors.above.into_iter();
        match factors.next() {
            None => result,
            Some(first) => {
                let product = factors.fold(first, |product, factor| {
                    self.binary(multiply, product, factor, to)
                });
                self.binary(Operator::Divide, result, product, to)
            }
        }
    }

    /// What a register is made of by products and quotients.
    fn factors(&self, register: Register, side: Side, depth: u8, factors: &mut Factors) {
        let origin = (self.definitions.operation(register)).filter(|_| depth > 0);
        match (origin, side) {
            (Some(&Operation::Binary(Operator::Multiply, a, b)), side) => {
                self.factors(a, side, depth - 1, factors);
                self.factors(b, side, depth - 1, factors);
            }
            (Some(&Operation::Binary(Operator::Divide, a, b)), side) => {
                self.factors(a, side, depth - 1, factors);
                self.factors(b, side.other(), depth - 1, factors);
            }
            (_, Side::Above) => factors.above.push(register),
            (_, Side::Below) => factors.below.push(register),
        }
    }
}

/// `exp(z) - 1`.
struct Growth {
    /// The difference.
    exact: Register,
    /// The same divided by z, for small z.
    series: Register,
    /// Whether z is small.
    is_small: Register,
}

/// A product of powers with exponents 1 and -1.
#[derive(Default)]
struct Factors {
    above: Vec<Register>,
    below: Vec<Register>,
}

#[derive(Clone, Copy)]
enum Side {
    Above,
    Below,
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Above => Side::Below,
            Side::Below => Side::Above,
        }
    }
}

/// How deep products and quotients are looked into. Time constants have two or three levels.
const DEEPEST: u8 = 4;
