//! The proof that the machine code of a program stays inside the program's arrays.
//!
//! Machine code checks no bounds. But everything that an address depends on is known before a run: the
//! ranges of instances in the schedule and the routes, the tables of links that give the ranges of inner
//! loops, and the bases of the columns. If a program passes, every slot, column and table entry is inside the
//! memory and the links, for all instances that a call within [`Populations`] can reach.

use std::ops::Range;

use lems_ir::{
    Action, Block, CableNode, Kernel, Level, MAX_LEVELS, Membrane, Operation, Place, Program,
    Register, Scalar, Scheduled, Statement,
};
use lems_optimise::{BlockKernel, Part};

use crate::error::{CableDefect, Defect, JitError};
use crate::plan::tables;

/// Deepest nesting of blocks in a kernel.
const MAX_NESTING: usize = 256;

/// How far calls of kernels and handlers may go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Populations {
    /// For each kernel, one more than the largest instance in the schedule.
    pub kernels: Vec<u32>,
    /// For each handler, one more than the largest instance among the receivers of events.
    pub handlers: Vec<u32>,
}

/// Checks that all kernels and handlers stay inside the memory and the links of the program, for calls
/// within the returned populations. Also checks that registers are assigned before they are read, and that
/// types and levels are right.
///
/// # Errors
///
/// The first defect found.
pub fn validate(program: &Program) -> Result<Populations, JitError> {
    let populations = populations(program)?;
    validate_cables(program)?;
    let kernels = program.kernels.iter().zip(&populations.kernels);
    let handlers = program.handlers.iter().zip(&populations.handlers);
    for (kernel, &population) in kernels.chain(handlers) {
        validate_kernel(program, kernel, population)?;
    }
    Ok(populations)
}

/// Checks that cables are trees inside the memory, that the schedule solves those that there are, and that no
/// cable needs what the solution of another one changes.
fn validate_cables(program: &Program) -> Result<(), JitError> {
    let cables = program.cables.len();
    for scheduled in &program.schedule {
        if let Scheduled::Solve(_, Range { end: last, .. }) = *scheduled
            && last as usize > cables
        {
            return Err(JitError::UnknownCable { last, cables });
        }
    }
    let size = program.memory.len();
    for (number, cable) in program.cables.iter().enumerate() {
        let outside = cable.slots().find(|slot| *slot as usize >= size);
        let memory = outside.map(|slot| CableDefect::Memory { slot, size });
        let late = |(node, of): (usize, &CableNode)| {
            let parent = of.parent.filter(|parent| *parent as usize >= node)?;
            Some(CableDefect::Parent { node, parent })
        };
        let mut nodes = cable.nodes().iter().enumerate();
        if let Some(defect) = memory.or_else(|| nodes.find_map(late)) {
            return Err(JitError::Cable { number, defect });
        }
    }
    // Potentials are nothing else, of no node of any cable.
    let mut used = vec![false; if cables > 0 { size } else { 0 }];
    let nodes = || {
        (0..)
            .zip(&program.cables)
            .flat_map(|(number, cable)| cable.nodes().iter().map(move |node| (number, node)))
    };
    let shared = |number, slot| {
        let defect = CableDefect::Shared { slot };
        Err(JitError::Cable { number, defect })
    };
    for (number, node) in nodes() {
        if std::mem::replace(&mut used[node.potential as usize], true) {
            return shared(number, node.potential);
        }
    }
    for (number, node) in nodes() {
        let membrane = node.membrane.iter().flat_map(Membrane::slots);
        if let Some(slot) = membrane.into_iter().find(|slot| used[*slot as usize]) {
            return shared(number, slot);
        }
    }
    Ok(())
}

/// The same checks for one kernel or handler, for calls within a population.
///
/// # Errors
///
/// The first defect found.
pub(crate) fn validate_kernel(
    program: &Program,
    kernel: &Kernel,
    population: u32,
) -> Result<(), JitError> {
    let mut check = Check {
        program,
        registers: &kernel.registers,
        assigned: vec![false; kernel.registers.len()],
        trail: Vec::new(),
        populations: vec![population],
        nesting: 0,
    };
    (check.block(&kernel.body)).map_err(|defect| JitError::Kernel {
        kernel: kernel.name.clone(),
        defect,
    })
}

/// The same checks for a block kernel, for calls within a population.
///
/// # Errors
///
/// The first defect found.
pub(crate) fn validate_block(
    program: &Program,
    kernel: &BlockKernel,
    population: u32,
) -> Result<(), JitError> {
    let mut check = Check {
        program,
        registers: &kernel.registers,
        assigned: Vec::new(),
        trail: Vec::new(),
        populations: vec![population],
        nesting: 0,
    };
    (kernel.parts.iter())
        .try_for_each(|part| check.part(part, kernel.buffers))
        .map_err(|defect| JitError::Kernel {
            kernel: kernel.name.clone(),
            defect,
        })
}

/// The populations of all kernels, by the schedule, and of all handlers, by the routes.
fn populations(program: &Program) -> Result<Populations, JitError> {
    let mut populations = Populations {
        kernels: vec![0; program.kernels.len()],
        handlers: vec![0; program.handlers.len()],
    };
    for call in program.calls() {
        let population = populations
            .kernels
            .get_mut(call.kernel as usize)
            .ok_or(JitError::UnknownKernel(call.kernel))?;
        *population = call.last.max(*population);
    }
    for (_, target) in program.routes.all() {
        if let Action::Handle { handler, instance } = target.action {
            let population = populations
                .handlers
                .get_mut(handler as usize)
                .ok_or(JitError::UnknownHandler(handler))?;
            *population = instance.saturating_add(1).max(*population);
        }
    }
    Ok(populations)
}

/// What is known at one point of the code of a kernel.
struct Check<'a> {
    program: &'a Program,
    registers: &'a [Scalar],
    /// For each register: whether it is assigned for certain.
    assigned: Vec<bool>,
    /// The assigned registers, in the order of their assignments.
    trail: Vec<u32>,
    /// For each level: one more than the largest instance; zero if the loop never runs.
    populations: Vec<u32>,
    /// Blocks around this point.
    nesting: usize,
}

impl Check<'_> {
    /// Checks a part of a block kernel that has this number of buffers.
    fn part(&mut self, part: &Part, buffers: u32) -> Result<(), Defect> {
        let inside = |first: u32, count: usize| match u64::from(first) + count as u64 {
            end if end <= u64::from(buffers) => Ok(()),
            end => Err(Defect::Buffer { end, buffers }),
        };
        // Helpers get buffers that they write, and others that they read, as separate slices.
        let apart = |written: (u32, usize), read: (u32, usize)| {
            let end = |(first, count): (u32, usize)| u64::from(first) + count as u64;
            let overlap = u64::from(written.0) < end(read) && u64::from(read.0) < end(written);
            match overlap && written.1 > 0 && read.1 > 0 {
                true => Err(Defect::Overlap {
                    written: written.0,
                    read: read.0,
                }),
                false => Ok(()),
            }
        };
        match part {
            // Code: its inputs are assigned, and its outputs must be.
            Part::Lanes(piece) | Part::Each(piece) => {
                self.assigned = vec![false; self.registers.len()];
                self.trail.clear();
                let ends = piece.inputs.iter().chain(&piece.outputs);
                ends.clone()
                    .try_for_each(|(_, buffer)| inside(*buffer, 1))?;
                for (register, _) in &piece.inputs {
                    self.assign(*register, self.scalar(*register)?)?;
                }
                if matches!(part, Part::Lanes(_)) {
                    piece.body.iter().try_for_each(straight)?;
                }
                self.block(&piece.body)?;
                for (register, _) in &piece.outputs {
                    self.read(*register, self.scalar(*register)?)?;
                }
                Ok(())
            }
            // Calls: their buffers exist, and those written are not read.
            Part::Call { first, count, .. } => inside(*first, *count as usize),
            Part::Power {
                bases,
                exponents,
                count,
            } => {
                inside(*bases, *count as usize)?;
                inside(*exponents, *count as usize)?;
                apart((*bases, *count as usize), (*exponents, *count as usize))
            }
            Part::Propagate {
                scheme,
                occupancies,
                states,
                rates,
            } => {
                let edges = self
                    .program
                    .schemes
                    .get(*scheme as usize)
                    .map(|s| s.edges.len());
                let edges = edges.ok_or(Defect::UnknownScheme(*scheme))?;
                let states = *states as usize;
                self.scheme(*scheme, (states, edges, states))?;
                inside(*occupancies, states)?;
                inside(*rates, 2 * edges)?;
                apart((*occupancies, states), (*rates, 2 * edges))
            }
            Part::Emit(events) => events.iter().try_for_each(|(mask, port)| {
                inside(mask.unwrap_or(0), mask.iter().count())?;
                self.port(*port, Level(0))
            }),
        }
    }

    /// Checks that the sources of all instances have numbers of 32 bits.
    fn port(&self, port: u32, level: Level) -> Result<(), Defect> {
        let population = self.population(level)?;
        match port.checked_add(population) {
            Some(_) => Ok(()),
            None => Err(Defect::Port { port, population }),
        }
    }

    /// Checks the statements of a block.
    fn block(&mut self, block: &Block) -> Result<(), Defect> {
        if self.nesting == MAX_NESTING {
            return Err(Defect::Nesting(MAX_NESTING));
        }
        self.nesting += 1;
        for statement in block {
            self.statement(statement)?;
        }
        self.nesting -= 1;
        Ok(())
    }

    /// Checks a statement, and notes what it assigns.
    fn statement(&mut self, statement: &Statement) -> Result<(), Defect> {
        match statement {
            Statement::Let(register, operation) => {
                let scalar = self.operation(operation)?;
                self.assign(*register, scalar)
            }
            Statement::Store(place, register) => {
                self.read(*register, Scalar::Real)?;
                self.place(*place)
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => {
                self.read(*condition, Scalar::Truth)?;
                // Only registers that both sides assign are assigned afterwards.
                let before = self.trail.len();
                self.block(then)?;
                let mut by_one = self.back_to(before);
                by_one.sort_unstable();
                self.block(otherwise)?;
                for register in self.back_to(before) {
                    if by_one.binary_search(&register).is_ok() {
                        self.note(register);
                    }
                }
                Ok(())
            }
            Statement::Emit { port, level } => self.port(*port, *level),
            // Loops: their tables exist, and give the populations of their bodies.
            Statement::ForAttached {
                offsets,
                level,
                body,
            } => {
                let outer = self.outer_population(*level)?;
                let population = tables::attached(self.program, *offsets, outer)?;
                self.attached_block(body, population)
            }
            Statement::ForRuns {
                offsets,
                runs,
                level,
                arms,
            } => {
                let outer = self.outer_population(*level)?;
                let populations = tables::runs(self.program, *offsets, *runs, outer, arms.len())?;
                (arms.iter().zip(populations))
                    .try_for_each(|(arm, population)| self.attached_block(arm, population))
            }
            Statement::Propagate {
                scheme,
                occupancies,
                rates,
                results,
            } => {
                let shape = (occupancies.len(), rates.len(), results.len());
                self.scheme(*scheme, shape)?;
                let rates = rates
                    .iter()
                    .flat_map(|&(forward, reverse)| [forward, reverse]);
                for register in occupancies.iter().copied().chain(rates) {
                    self.read(register, Scalar::Real)?;
                }
                (results.iter()).try_for_each(|&register| self.assign(register, Scalar::Real))
            }
            Statement::Twice(_) => Err(Defect::Twice),
        }
    }

    /// Checks a loop body. It may not run at all, so its assignments do not count afterwards.
    fn attached_block(&mut self, body: &Block, population: u32) -> Result<(), Defect> {
        let before = self.trail.len();
        self.populations.push(population);
        self.block(body)?;
        self.populations.pop();
        self.back_to(before);
        Ok(())
    }

    /// Checks that a scheme exists, and has as many states and transitions as there are registers.
    fn scheme(&self, number: u32, shape: (usize, usize, usize)) -> Result<(), Defect> {
        let (occupancies, rates, results) = shape;
        let scheme = self.program.schemes.get(number as usize);
        let scheme = scheme.ok_or(Defect::UnknownScheme(number))?;
        let edges_fit = (scheme.edges.iter())
            .all(|edge| edge.source < scheme.size && edge.target < scheme.size);
        let registers_fit =
            rates == scheme.edges.len() && occupancies >= scheme.size && occupancies >= results;
        if edges_fit && registers_fit {
            Ok(())
        } else {
            Err(Defect::SchemeShape(number))
        }
    }

    /// Checks the operands of an operation; returns the type of its result.
    fn operation(&self, operation: &Operation) -> Result<Scalar, Defect> {
        use Scalar::{Real, Truth};
        match *operation {
            Operation::Constant(_) | Operation::Time | Operation::Step => Ok(Real),
            Operation::Load(place) => self.place(place).map(|()| Real),
            Operation::Copy(register) => {
                let scalar = self.scalar(register)?;
                self.read(register, scalar).map(|()| scalar)
            }
            Operation::Binary(_, left, right) => {
                self.read(left, Real)?;
                self.read(right, Real).map(|()| Real)
            }
            Operation::Fused(_, a, b, c) => {
                self.read(a, Real)?;
                self.read(b, Real)?;
                self.read(c, Real).map(|()| Real)
            }
            Operation::Compare(_, left, right) => {
                self.read(left, Real)?;
                self.read(right, Real).map(|()| Truth)
            }
            Operation::Logic(_, left, right) => {
                self.read(left, Truth)?;
                self.read(right, Truth).map(|()| Truth)
            }
            Operation::Not(register) => self.read(register, Truth).map(|()| Truth),
            Operation::Select(condition, yes, no) => {
                self.read(condition, Truth)?;
                self.read(yes, Real)?;
                self.read(no, Real).map(|()| Real)
            }
            Operation::Call(_, register) | Operation::Random(register) => {
                self.read(register, Real).map(|()| Real)
            }
        }
    }

    /// Checks that a place is inside the memory, for all instances of its level.
    fn place(&self, place: Place) -> Result<(), Defect> {
        let memory = self.program.memory.len();
        let inside = |end: u64| match end <= memory as u64 {
            true => Ok(()),
            false => Err(Defect::Memory { end, size: memory }),
        };
        match place {
            Place::Slot(slot) => inside(u64::from(slot) + 1),
            Place::Column { base, level } => match self.population(level)? {
                0 => Ok(()),
                population => inside(u64::from(base) + u64::from(population)),
            },
            Place::Linked { table, level } => {
                let links = &self.program.links;
                let start = table as usize;
                let end = match self.population(level)? {
                    0 => return Ok(()),
                    population => start + population as usize,
                };
                let targets = links.get(start..end).ok_or(Defect::Links {
                    end: end as u64,
                    size: links.len(),
                })?;
                let largest = targets.iter().copied().max().unwrap_or(0);
                inside(u64::from(largest) + 1)
            }
        }
    }

    fn population(&self, level: Level) -> Result<u32, Defect> {
        let population = self.populations.get(usize::from(level.0));
        population.copied().ok_or(Defect::Level(level.0))
    }

    /// The population of the loop around a new one of the given level.
    fn outer_population(&self, level: Level) -> Result<u32, Defect> {
        match self.populations.last() {
            Some(&population)
                if usize::from(level.0) == self.populations.len()
                    && usize::from(level.0) < MAX_LEVELS =>
            {
                Ok(population)
            }
            _ => Err(Defect::Level(level.0)),
        }
    }

    fn scalar(&self, register: Register) -> Result<Scalar, Defect> {
        let scalar = self.registers.get(register.0 as usize);
        scalar.copied().ok_or(Defect::UnknownRegister(register.0))
    }

    fn typed(&self, register: Register, expected: Scalar) -> Result<(), Defect> {
        match self.scalar(register)? == expected {
            true => Ok(()),
            false => Err(Defect::RegisterType {
                register: register.0,
                expected,
            }),
        }
    }

    fn read(&self, register: Register, expected: Scalar) -> Result<(), Defect> {
        self.typed(register, expected)?;
        match self.assigned.get(register.0 as usize) {
            Some(true) => Ok(()),
            _ => Err(Defect::Unassigned(register.0)),
        }
    }

    fn assign(&mut self, register: Register, scalar: Scalar) -> Result<(), Defect> {
        self.typed(register, scalar)?;
        self.note(register.0);
        Ok(())
    }

    /// Marks a register as assigned.
    fn note(&mut self, register: u32) {
        if let Some(assigned) = self.assigned.get_mut(register as usize)
            && !std::mem::replace(assigned, true)
        {
            self.trail.push(register);
        }
    }

    /// Forgets the assignments since the trail had this length. Returns their registers.
    fn back_to(&mut self, length: usize) -> Vec<u32> {
        let registers = self.trail.split_off(length);
        for register in &registers {
            if let Some(assigned) = self.assigned.get_mut(*register as usize) {
                *assigned = false;
            }
        }
        registers
    }
}

/// Code for instances side by side has no branches, no loops and no draws.
fn straight(statement: &Statement) -> Result<(), Defect> {
    match statement {
        Statement::Let(_, Operation::Random(_)) => Err(Defect::Crooked),
        Statement::Let(..)
        | Statement::Store(
            Place::Column {
                level: Level(0), ..
            },
            _,
        ) => Ok(()),
        _ => Err(Defect::Crooked),
    }
}
