//! The reference back end: runs kernels one statement at a time.

use lems_index::narrow;

use crate::{
    Backend, Block, Call, Kernel, Level, MAX_LEVELS, Operation, Place, Program, Register, Setup,
    State, Statement, emit,
};

/// Runs a [`Program`] by walking its statements. Machine code must give the same bits.
#[derive(Debug, Clone, Copy)]
pub struct Interpreter<'p> {
    program: &'p Program,
}

/// What one run of a kernel keeps besides the state.
struct Frame<'k> {
    /// Runs the handlers of its events.
    backend: &'k dyn Backend,
    registers: Vec<f64>,
    instances: [usize; MAX_LEVELS],
    time: f64,
    step: f64,
    changed: bool,
    name: &'k str,
}

impl Backend for Interpreter<'_> {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        self.advance_for(self, state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        self.handle_for(self, state, handler, instances);
    }
}

impl<'p> Interpreter<'p> {
    /// An interpreter of a program.
    pub fn new(program: &'p Program) -> Self {
        Interpreter { program }
    }

    /// Runs a step kernel, whose events reach handlers that `backend` runs.
    pub fn advance_for(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        call: Call,
        time: f64,
        step: f64,
    ) {
        if let Some(kernel) = self.program.kernels.get(call.kernel as usize) {
            self.run(backend, kernel, state, call, time, step);
        }
    }

    /// Runs an event handler for instances, whose events reach handlers that `backend` runs.
    pub fn handle_for(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        handler: u32,
        instances: &[u32],
    ) {
        let Some(kernel) = self.program.handlers.get(handler as usize) else {
            return;
        };
        for &instance in instances {
            let call = Call {
                kernel: handler,
                first: instance,
                last: instance + 1,
            };
            self.run(backend, kernel, state, call, 0.0, 0.0);
        }
    }

    /// Runs the initial passes of the model: time is 0.
    pub fn run_setup(&self, state: &mut State) {
        self.run_setup_parts(&self.program.setup, state);
    }

    fn run_setup_parts(&self, parts: &[Setup], state: &mut State) -> bool {
        let mut changed = false;
        for part in parts {
            changed |= match part {
                Setup::Call(call) => match self.program.setups.get(call.kernel as usize) {
                    Some(kernel) => self.run(self, kernel, state, *call, 0.0, 0.0),
                    None => false,
                },
                Setup::Twice(parts) => {
                    let effects = state.effects;
                    let once = self.run_setup_parts(parts, state);
                    if once || state.effects != effects {
                        self.run_setup_parts(parts, state);
                    }
                    once
                }
            };
        }
        changed
    }

    fn run(
        &self,
        backend: &dyn Backend,
        kernel: &Kernel,
        state: &mut State,
        call: Call,
        time: f64,
        step: f64,
    ) -> bool {
        let mut frame = Frame {
            backend,
            registers: vec![0.0; kernel.registers.len()],
            instances: [0; MAX_LEVELS],
            time,
            step,
            changed: false,
            name: &kernel.name,
        };
        for instance in call.first..call.last {
            frame.instances[0] = instance as usize;
            self.block(&kernel.body, state, &mut frame);
        }
        frame.changed
    }

    fn block(&self, block: &Block, state: &mut State, frame: &mut Frame) {
        for statement in block {
            self.statement(statement, state, frame);
        }
    }

    fn statement(&self, statement: &Statement, state: &mut State, frame: &mut Frame) {
        match statement {
            Statement::Let(register, operation) => {
                let value = self.operation(operation, state, frame);
                frame.set(*register, value);
            }
            Statement::Store(place, register) => {
                let slot = self.slot(*place, frame);
                let value = frame.get(*register);
                let cell = &mut state.memory[slot];
                frame.changed |= cell.to_bits() != value.to_bits();
                *cell = value;
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => {
                let chosen = if frame.truth(*condition) {
                    then
                } else {
                    otherwise
                };
                self.block(chosen, state, frame);
            }
            Statement::Emit { port, level } => {
                let source = *port + narrow(frame.instance(*level));
                emit(self.program, frame.backend, state, source);
            }
            Statement::ForAttached {
                offsets,
                level,
                body,
            } => {
                let (first, last) = self.offsets(*offsets, *level, frame);
                for instance in first..last {
                    frame.instances[level.0 as usize] = instance;
                    self.block(body, state, frame);
                }
            }
            Statement::ForRuns {
                offsets,
                runs,
                level,
                arms,
            } => {
                let (first, last) = self.offsets(*offsets, *level, frame);
                for run in first..last {
                    let triple = *runs as usize + 3 * run;
                    let [arm, from, to] = [0, 1, 2].map(|i| self.program.links[triple + i]);
                    for instance in from..to {
                        frame.instances[level.0 as usize] = instance as usize;
                        self.block(&arms[arm as usize], state, frame);
                    }
                }
            }
            Statement::Propagate {
                scheme,
                occupancies,
                rates,
                results,
            } => {
                let mut values: Vec<f64> = occupancies.iter().map(|r| frame.get(*r)).collect();
                let rates: Vec<(f64, f64)> = rates
                    .iter()
                    .map(|(forward, reverse)| (frame.get(*forward), frame.get(*reverse)))
                    .collect();
                self.program.schemes[*scheme as usize].propagate(&mut values, &rates, frame.step);
                for (register, value) in results.iter().zip(values) {
                    frame.set(*register, value);
                }
            }
            Statement::Twice(body) => {
                let changed_before = std::mem::replace(&mut frame.changed, false);
                let effects = state.effects;
                self.block(body, state, frame);
                if frame.changed || state.effects != effects {
                    self.block(body, state, frame);
                }
                frame.changed |= changed_before;
            }
        }
    }

    fn offsets(&self, table: u32, level: Level, frame: &Frame) -> (usize, usize) {
        let outer = frame.instances[level.0 as usize - 1];
        let entry = table as usize + outer;
        let links = &self.program.links;
        (links[entry] as usize, links[entry + 1] as usize)
    }

    fn slot(&self, place: Place, frame: &Frame) -> usize {
        match place {
            Place::Slot(slot) => slot as usize,
            Place::Column { base, level } => base as usize + frame.instance(level),
            Place::Linked { table, level } => {
                self.program.links[table as usize + frame.instance(level)] as usize
            }
        }
    }

    fn operation(&self, operation: &Operation, state: &mut State, frame: &Frame) -> f64 {
        match *operation {
            Operation::Constant(value) => value,
            Operation::Time => frame.time,
            Operation::Step => frame.step,
            Operation::Load(place) => state.memory[self.slot(place, frame)],
            Operation::Copy(register) => frame.get(register),
            Operation::Binary(operator, left, right) => {
                operator.apply(frame.get(left), frame.get(right))
            }
            Operation::Fused(fusion, a, b, c) => {
                fusion.apply(frame.get(a), frame.get(b), frame.get(c))
            }
            Operation::Compare(comparison, left, right) => {
                truth(comparison.holds(frame.get(left), frame.get(right)))
            }
            Operation::Logic(logic, left, right) => {
                truth(logic.apply(frame.truth(left), frame.truth(right)))
            }
            Operation::Not(register) => truth(!frame.truth(register)),
            Operation::Select(condition, yes, no) => {
                frame.get(if frame.truth(condition) { yes } else { no })
            }
            Operation::Call(function, argument) => function.apply(frame.get(argument)),
            Operation::Random(scale) => frame.get(scale) * state.draw(),
        }
    }
}

impl Frame<'_> {
    fn get(&self, register: Register) -> f64 {
        debug_assert!(
            (register.0 as usize) < self.registers.len(),
            "unknown register in {}",
            self.name
        );
        self.registers[register.0 as usize]
    }

    fn set(&mut self, register: Register, value: f64) {
        self.registers[register.0 as usize] = value;
    }

    fn truth(&self, register: Register) -> bool {
        self.get(register) != 0.0
    }

    fn instance(&self, level: Level) -> usize {
        self.instances[level.0 as usize]
    }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}
