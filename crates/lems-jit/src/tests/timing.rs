//! Measurements, run by hand: `cargo test --release -p lems-jit timing -- --ignored --nocapture`.

use std::time::Instant;

use lems_kernel::{
    Action, Backend, Comparison, Edge, Function, Interpreter, Kernel, Level, Operation, Operator,
    Place, Program, Register, Routes, Scalar, Scheme, State, Statement, Target,
};

use super::{kernel, program};
use crate::CompiledProgram;

/// Writes straight-line code with a new register for each value.
#[derive(Default)]
struct Writer {
    registers: Vec<Scalar>,
    body: Vec<Statement>,
}

impl Writer {
    fn set(&mut self, scalar: Scalar, operation: Operation) -> Register {
        let register = Register(self.registers.len() as u32);
        self.registers.push(scalar);
        self.body.push(Statement::Let(register, operation));
        register
    }

    fn constant(&mut self, value: f64) -> Register {
        self.set(Scalar::Real, Operation::Constant(value))
    }

    fn load(&mut self, place: Place) -> Register {
        self.set(Scalar::Real, Operation::Load(place))
    }

    fn binary(&mut self, operator: Operator, left: Register, right: Register) -> Register {
        self.set(Scalar::Real, Operation::Binary(operator, left, right))
    }

    fn add(&mut self, left: Register, right: Register) -> Register {
        self.binary(Operator::Add, left, right)
    }

    fn subtract(&mut self, left: Register, right: Register) -> Register {
        self.binary(Operator::Subtract, left, right)
    }

    fn multiply(&mut self, left: Register, right: Register) -> Register {
        self.binary(Operator::Multiply, left, right)
    }

    fn divide(&mut self, left: Register, right: Register) -> Register {
        self.binary(Operator::Divide, left, right)
    }

    fn exp(&mut self, argument: Register) -> Register {
        self.set(Scalar::Real, Operation::Call(Function::Exp, argument))
    }

    fn store(&mut self, place: Place, register: Register) {
        self.body.push(Statement::Store(place, register));
    }

    fn finish(self) -> Kernel {
        kernel(&self.registers, self.body)
    }
}

fn column(number: u32, population: u32) -> Place {
    Place::Column {
        base: 8 + number * population,
        level: Level(0),
    }
}

/// Izhikevich's cell of 2007: v and u, seven parameters in slots, a current per cell.
fn izhikevich(population: u32) -> Program {
    let mut w = Writer::default();
    let [v, u, current] = [0, 1, 2].map(|number| w.load(column(number, population)));
    let [k, vr, vt, capacity, a, b, peak, reset] =
        [0, 1, 2, 3, 4, 5, 6, 7].map(|slot| w.load(Place::Slot(slot)));
    let step = w.set(Scalar::Real, Operation::Step);
    let over_rest = w.subtract(v, vr);
    let over_threshold = w.subtract(v, vt);
    let product = w.multiply(over_rest, over_threshold);
    let inward = w.multiply(k, product);
    let inward = w.subtract(inward, u);
    let inward = w.add(inward, current);
    let dv = w.divide(inward, capacity);
    let recovery = w.multiply(b, over_rest);
    let recovery = w.subtract(recovery, u);
    let du = w.multiply(a, recovery);
    let dv = w.multiply(step, dv);
    let du = w.multiply(step, du);
    let v = w.add(v, dv);
    let u = w.add(u, du);
    w.store(column(0, population), v);
    w.store(column(1, population), u);
    let fires = w.set(
        Scalar::Truth,
        Operation::Compare(Comparison::Greater, v, peak),
    );
    w.body.push(Statement::If {
        condition: fires,
        then: vec![
            Statement::Store(column(0, population), reset),
            Statement::Emit {
                port: 0,
                level: Level(0),
            },
        ],
        otherwise: vec![],
    });
    let mut memory = vec![0.7e-6, -60e-3, -40e-3, 100e-12, 30.0, -2e-9, 35e-3, -50e-3];
    memory.extend((0..population).map(|_| -60e-3));
    memory.extend((0..population).map(|_| 0.0));
    memory.extend((0..population).map(|i| 100e-12 + 1e-12 * f64::from(i % 97)));
    let mut program = program(w.finish(), population, &memory);
    program.routes = Routes {
        offsets: (0..=population).collect(),
        targets: vec![
            Target {
                action: Action::Record { selection: 0 },
                delay: 0.0
            };
            population as usize
        ],
    };
    program
}

/// Gates of a Hodgkin-Huxley kind: `gates` gates with two rates of one exponential each.
fn gates(population: u32, gates: u32) -> Program {
    let mut w = Writer::default();
    let v = w.load(column(0, population));
    let step = w.set(Scalar::Real, Operation::Step);
    for gate in 1..=gates {
        let mut rate = |scale: f64| {
            let midpoint = w.constant(-40e-3 - 1e-3 * f64::from(gate));
            let scale = w.constant(scale);
            let x = w.subtract(v, midpoint);
            let x = w.divide(x, scale);
            w.exp(x)
        };
        let (alpha, beta) = (rate(0.01), rate(-0.02));
        let n = w.load(column(gate, population));
        let sum = w.add(alpha, beta);
        let steady = w.divide(alpha, sum);
        let distance = w.subtract(steady, n);
        let slope = w.multiply(distance, sum);
        let change = w.multiply(step, slope);
        let n = w.add(n, change);
        w.store(column(gate, population), n);
    }
    let memory = vec![0.3; (8 + (gates + 1) * population) as usize];
    program(w.finish(), population, &memory)
}

/// A chain of states with rates of 1 per ms.
fn scheme(states: u32) -> Program {
    let mut w = Writer::default();
    let occupancies: Vec<Register> = (0..states).map(|slot| w.load(Place::Slot(slot))).collect();
    let rate = w.constant(1000.0);
    w.body.push(Statement::Propagate {
        scheme: 0,
        occupancies: occupancies.clone(),
        rates: vec![(rate, rate); states as usize - 1],
        results: occupancies.clone(),
    });
    for (slot, register) in (0..).zip(occupancies) {
        w.store(Place::Slot(slot), register);
    }
    let mut program = program(
        w.finish(),
        1,
        &vec![1.0 / f64::from(states); states as usize],
    );
    let edges = (0..states as usize - 1).map(|source| Edge {
        source,
        target: source + 1,
    });
    program.schemes = vec![Scheme::new(edges.collect())];
    program
}

fn measure(program: &Program, backend: &dyn Backend, steps: u32) -> f64 {
    let mut state = State::new(program, 0);
    let call = program.schedule[0];
    let step = 0.025e-3;
    let start = Instant::now();
    for number in 0..steps {
        backend.advance(&mut state, call, f64::from(number) * step, step);
        state.recorded.clear();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(steps)
}

fn report(name: &str, program: &Program, steps: u32) {
    let start = Instant::now();
    let compiled = CompiledProgram::compile(program).expect("sound");
    let compile = start.elapsed().as_secs_f64() * 1e3;
    let machine = (0..5)
        .map(|_| measure(program, &compiled, steps))
        .fold(f64::INFINITY, f64::min);
    let interpreter = measure(program, &Interpreter::new(program), steps / 50 + 1);
    let population = f64::from(program.schedule[0].last);
    println!(
        "{name}, {population} instances: compiled in {compile:.2} ms; {machine:.1} ns a step, \
         {:.2} ns an instance; interpreter {:.1} ns an instance",
        machine / population,
        interpreter / population
    );
}

#[test]
#[ignore = "a measurement"]
fn kernels() {
    report("Izhikevich", &izhikevich(10_000), 2_000);
    report("Izhikevich", &izhikevich(10), 1_000_000);
    report("Izhikevich", &izhikevich(1), 2_000_000);
    report("3 gates", &gates(10_000, 3), 200);
    report("3 gates", &gates(1, 3), 200_000);
    report("40 gates", &gates(1, 40), 20_000);
    report("6 states", &scheme(6), 5_000);
    report("2 states", &scheme(2), 50_000);
    let start = Instant::now();
    CompiledProgram::compile(&Program::default()).expect("sound");
    println!("no kernels: {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
    let mut many = gates(10, 3);
    many.kernels = vec![many.kernels[0].clone(); 50];
    let start = Instant::now();
    CompiledProgram::compile(&many).expect("sound");
    println!(
        "50 kernels of 3 gates: {:.2} ms",
        start.elapsed().as_secs_f64() * 1e3
    );
}
