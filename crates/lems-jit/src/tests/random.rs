//! Random programs.
//!
//! A program is grown from a stream of random numbers, so that any stream gives a sound one and
//! a shorter stream a smaller one.

use lems_ir::Scheduled;
use lems_ir::{
    Action, Block, Call, Comparison, Edge, Function, Kernel, Level, Logic, Operation, Operator,
    Place, Program, Register, Routes, Scalar, Scheme, Statement, Target,
};
use proptest::prelude::*;

use super::agree;

const MEMORY: u32 = 64;
const SPECIAL: [f64; 12] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.1,
    -2.5,
    5e-324,
    1e300,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
    40.0,
];
const HANDLERS: u32 = 3;
/// Sources from `SOURCES * n` on only reach handlers from `n` on, so that no event goes round.
const SOURCES: u32 = 24;
const HANDLER_INSTANCES: u32 = 4;

pub(super) struct Dice<'a> {
    numbers: std::slice::Iter<'a, u32>,
}

impl<'a> Dice<'a> {
    pub(super) fn new(numbers: &'a [u32]) -> Self {
        Dice {
            numbers: numbers.iter(),
        }
    }

    pub(super) fn roll(&mut self, sides: u32) -> u32 {
        self.numbers.next().map_or(0, |number| number % sides)
    }

    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.roll(items.len() as u32) as usize]
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.len() == 0
    }

    pub(super) fn constant(&mut self) -> f64 {
        match self.roll(3) {
            0 => f64::from(self.roll(2000)) / 1000.0 - 1.0,
            _ => self.pick(&SPECIAL),
        }
    }
}

/// Grows one kernel.
struct Gardener<'d, 'n, 'l> {
    dice: &'d mut Dice<'n>,
    links: &'l mut Vec<u32>,
    registers: Vec<Scalar>,
    /// Registers that are assigned on every path to here.
    assigned: Vec<Register>,
    /// Of each level around.
    populations: Vec<u32>,
    first_source: u32,
}

impl Gardener<'_, '_, '_> {
    fn block(&mut self, statements: u32, depth: u32) -> Block {
        let assigned = self.assigned.len();
        let mut block = Vec::new();
        for _ in 0..statements {
            if self.dice.is_empty() {
                break;
            }
            self.statement(depth, &mut block);
        }
        self.assigned.truncate(assigned);
        block
    }

    fn statement(&mut self, depth: u32, block: &mut Block) {
        match self.dice.roll(if depth < 3 { 16 } else { 12 }) {
            0..=1 => {
                let place = self.place();
                let target = self.target(Scalar::Real);
                block.push(Statement::Let(target, Operation::Load(place)));
            }
            2..=3 => {
                let place = self.place();
                let register = self.real(block);
                block.push(Statement::Store(place, register));
            }
            4 => {
                let level = self.level();
                let port = self.first_source + self.dice.roll(SOURCES / 2);
                block.push(Statement::Emit { port, level });
            }
            5 => {
                let mut reals = |gardener: &mut Self, count: u32| -> Vec<Register> {
                    (0..count).map(|_| gardener.real(block)).collect()
                };
                let occupancies = reals(self, 3);
                let rates = reals(self, 4);
                let results = (0..3).map(|_| self.target(Scalar::Real)).collect();
                block.push(Statement::Propagate {
                    scheme: 0,
                    occupancies,
                    rates: rates
                        .chunks_exact(2)
                        .map(|pair| (pair[0], pair[1]))
                        .collect(),
                    results,
                });
            }
            6..=11 => self.assignment(block),
            12..=13 => {
                let condition = self.truth(block);
                let statements = self.dice.roll(8);
                let then = self.block(statements, depth + 1);
                let otherwise = self.block(self.dice.numbers.len().min(4) as u32, depth + 1);
                block.push(Statement::If {
                    condition,
                    then,
                    otherwise,
                });
            }
            14 => {
                let population = 1 + self.dice.roll(6);
                let offsets = self.offsets(population);
                let level = Level(self.populations.len() as u8);
                let body = self.attached(population, depth);
                block.push(Statement::ForAttached {
                    offsets,
                    level,
                    body,
                });
            }
            _ => {
                let populations = [1 + self.dice.roll(5), 1 + self.dice.roll(5)];
                let count = 1 + self.dice.roll(4);
                let runs = self.links.len() as u32;
                for _ in 0..count {
                    let arm = self.dice.roll(2);
                    let ends = [0, 1].map(|_| self.dice.roll(populations[arm as usize] + 1));
                    self.links.push(arm);
                    self.links.extend(ends);
                }
                let offsets = self.offsets(count);
                let level = Level(self.populations.len() as u8);
                let arms = populations.map(|population| self.attached(population, depth));
                block.push(Statement::ForRuns {
                    offsets,
                    runs,
                    level,
                    arms: arms.into(),
                });
            }
        }
    }

    /// A table of ranges below `population` for the instances of the innermost level; some of
    /// them are empty or end before they start.
    fn offsets(&mut self, population: u32) -> u32 {
        let offsets = self.links.len() as u32;
        let outer = self.populations.last().copied().unwrap_or(0);
        for _ in 0..=outer {
            let entry = self.dice.roll(population + 1);
            self.links.push(entry);
        }
        offsets
    }

    fn attached(&mut self, population: u32, depth: u32) -> Block {
        self.populations.push(population);
        let statements = 1 + self.dice.roll(6);
        let body = self.block(statements, depth + 1);
        self.populations.pop();
        body
    }

    fn assignment(&mut self, block: &mut Block) {
        let (scalar, operation) = match self.dice.roll(11) {
            0 => (Scalar::Real, Operation::Constant(self.dice.constant())),
            1 => (Scalar::Real, Operation::Time),
            2 => (Scalar::Real, Operation::Step),
            3..=4 => {
                let operator = self.dice.pick(&[
                    Operator::Add,
                    Operator::Subtract,
                    Operator::Multiply,
                    Operator::Divide,
                    Operator::Power,
                ]);
                let (left, right) = (self.real(block), self.real(block));
                (Scalar::Real, Operation::Binary(operator, left, right))
            }
            5 => {
                let comparison = self.dice.pick(&[
                    Comparison::Less,
                    Comparison::Greater,
                    Comparison::LessOrEqual,
                    Comparison::GreaterOrEqual,
                    Comparison::Equal,
                    Comparison::NotEqual,
                ]);
                let (left, right) = (self.real(block), self.real(block));
                (Scalar::Truth, Operation::Compare(comparison, left, right))
            }
            6 => {
                let logic = self.dice.pick(&[Logic::And, Logic::Or]);
                let (left, right) = (self.truth(block), self.truth(block));
                (Scalar::Truth, Operation::Logic(logic, left, right))
            }
            7 => (Scalar::Truth, Operation::Not(self.truth(block))),
            8 => {
                let condition = self.truth(block);
                let (yes, no) = (self.real(block), self.real(block));
                (Scalar::Real, Operation::Select(condition, yes, no))
            }
            9 => {
                let function = self.dice.pick(&Function::ALL);
                (Scalar::Real, Operation::Call(function, self.real(block)))
            }
            _ => match self.dice.roll(3) {
                0 => (Scalar::Real, Operation::Random(self.real(block))),
                1 => (Scalar::Real, Operation::Copy(self.real(block))),
                _ => (Scalar::Truth, Operation::Copy(self.truth(block))),
            },
        };
        let target = self.target(scalar);
        block.push(Statement::Let(target, operation));
    }

    /// A register to assign: one in use, or a new one.
    fn target(&mut self, scalar: Scalar) -> Register {
        let known = self.known(scalar);
        if !known.is_empty() && self.dice.roll(2) == 0 {
            return self.dice.pick(&known);
        }
        let register = Register(self.registers.len() as u32);
        self.registers.push(scalar);
        self.assigned.push(register);
        register
    }

    fn known(&self, scalar: Scalar) -> Vec<Register> {
        let known = self.assigned.iter().copied();
        known
            .filter(|register| self.registers[register.0 as usize] == scalar)
            .collect()
    }

    fn real(&mut self, block: &mut Block) -> Register {
        let known = self.known(Scalar::Real);
        if !known.is_empty() {
            return self.dice.pick(&known);
        }
        let operation = Operation::Constant(self.dice.constant());
        let register = self.target(Scalar::Real);
        block.push(Statement::Let(register, operation));
        register
    }

    fn truth(&mut self, block: &mut Block) -> Register {
        let known = self.known(Scalar::Truth);
        if !known.is_empty() {
            return self.dice.pick(&known);
        }
        let (left, right) = (self.real(block), self.real(block));
        let operation = Operation::Compare(Comparison::LessOrEqual, left, right);
        let register = self.target(Scalar::Truth);
        block.push(Statement::Let(register, operation));
        register
    }

    fn place(&mut self) -> Place {
        let level = self.level();
        let population = self.populations[usize::from(level.0)];
        match self.dice.roll(3) {
            0 => Place::Slot(self.dice.roll(MEMORY)),
            1 => Place::Column {
                base: self.dice.roll(MEMORY - population + 1),
                level,
            },
            _ => {
                let table = self.links.len() as u32;
                for _ in 0..population {
                    let target = self.dice.roll(MEMORY);
                    self.links.push(target);
                }
                Place::Linked { table, level }
            }
        }
    }

    fn level(&mut self) -> Level {
        Level(self.dice.roll(self.populations.len() as u32) as u8)
    }
}

pub(super) fn grow(numbers: &[u32]) -> Program {
    let mut dice = Dice::new(numbers);
    let mut program = Program {
        schemes: vec![Scheme::new(vec![
            Edge {
                source: 0,
                target: 1,
            },
            Edge {
                source: 1,
                target: 2,
            },
        ])],
        ..Program::default()
    };
    let sources = SOURCES * (HANDLERS + 1);
    let mut routes = Vec::new();
    for source in 0..sources {
        let first_handler = source / SOURCES;
        for _ in 0..dice.roll(3) {
            let action = match dice.roll(HANDLERS + 1 - first_handler) {
                0 => Action::Record { selection: source },
                handler => Action::Handle {
                    handler: first_handler + handler - 1,
                    instance: dice.roll(HANDLER_INSTANCES),
                },
            };
            let delay = dice.pick(&[0.0, -1.0, 0.25, 0.3, 5.0]);
            routes.push((source, Target { action, delay }));
        }
    }
    program.routes = Routes::new(sources, &routes);
    program.memory = (0..MEMORY).map(|_| dice.constant()).collect();
    for number in 0..2 + HANDLERS {
        let (population, first_source) = match number {
            0 | 1 => (1 + dice.roll(5), 0),
            handler => (HANDLER_INSTANCES, (handler - 1) * SOURCES),
        };
        let statements = 4 + dice.roll(24);
        let mut gardener = Gardener {
            dice: &mut dice,
            links: &mut program.links,
            registers: Vec::new(),
            assigned: Vec::new(),
            populations: vec![population],
            first_source,
        };
        let kernel = Kernel {
            body: gardener.block(statements, 0),
            registers: gardener.registers,
            name: format!("kernel {number}"),
        };
        match number {
            0 | 1 => {
                let first = dice.roll(2);
                program.kernels.push(kernel);
                program.schedule.push(Scheduled::Call(Call {
                    kernel: number,
                    first,
                    last: population,
                }));
            }
            _ => program.handlers.push(kernel),
        }
    }
    program
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn back_ends_agree(numbers in prop::collection::vec(any::<u32>(), 200..1500)) {
        agree(&grow(&numbers));
    }
}

#[test]
fn back_ends_agree_on_what_the_fuzzer_found() {
    let found = super::found("kernels");
    assert!(!found.is_empty());
    found.iter().for_each(|numbers| {
        agree(&grow(numbers));
    });
}
