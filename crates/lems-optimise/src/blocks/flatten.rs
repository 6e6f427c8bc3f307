//! Code without branches: both sides of a condition are computed, and the condition selects.
//!
//! No operation on doubles traps, so computing a value that is not used changes nothing.

use lems_index::narrow;

use lems_ir::{Block, Kernel, Logic, Operation, Register, Scalar, Statement, statements};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::obstacle::{Branch, Obstacle};

/// The kernel's code in flat form, and the registers that hold the final values of `results`.
///
/// In flat form every register is assigned once, conditions are selections, and the only branches are
/// around events. Loops keep their bodies, which are flat if that is possible.
///
/// # Errors
///
/// If a branch or a loop has something that must not run twice or out of order.
pub(super) fn flat(
    kernel: &Kernel,
    results: &[Register],
) -> Result<(Kernel, Vec<Register>), Obstacle> {
    let mut flattener = Flattener::of(&kernel.body, kernel.registers.clone());
    count_reads(&kernel.body, &mut flattener.reads);
    for register in results {
        *flattener.reads.entry(*register).or_default() += 1;
    }
    flattener.block(&kernel.body, None)?;
    let results = results.iter().map(|register| flattener.now(*register));
    let results = results.collect();
    let flat = Kernel {
        name: kernel.name.clone(),
        registers: flattener.registers,
        body: flattener.out,
    };
    Ok((flat, results))
}

/// How often each register is read.
pub type Reads = FxHashMap<Register, u32>;

/// Adds the reads of a block, and of all inside it.
pub fn count_reads(block: &Block, reads: &mut Reads) {
    for register in statements([block]).flat_map(Statement::operands) {
        *reads.entry(register).or_default() += 1;
    }
}

/// The body of a loop without branches. The registers that it carries from one round to the next are assigned
/// at the end. New registers are added to `registers`; `reads` are those of the kernel.
///
/// # Errors
///
/// If the body needs branches, or if a register is read outside that the body assigns but does not hand on.
pub fn flat_loop_body(
    body: &Block,
    reads: &Reads,
    registers: &mut Vec<Scalar>,
) -> Result<Block, Obstacle> {
    if escapes(body, reads) {
        return Err(Branch::Escape.into());
    }
    flattened_loop_body(body, registers)
}

/// Whether a register is read outside that a loop body assigns but does not hand on.
fn escapes(body: &Block, reads: &Reads) -> bool {
    let mut inside = Reads::default();
    count_reads(body, &mut inside);
    let mut assigned = FxHashMap::default();
    count_assignments(body, &mut assigned);
    for register in carried(body) {
        assigned.remove(&register);
    }
    assigned
        .keys()
        .any(|register| reads.get(register) != inside.get(register))
}

/// The body of a loop in flat form, without any branch or loop in it.
fn flattened_loop_body(body: &Block, registers: &mut Vec<Scalar>) -> Result<Block, Obstacle> {
    let carried = carried(body);
    let mut flattener = Flattener::of(body, std::mem::take(registers));
    let done = flattener.loop_body(body, &carried);
    *registers = flattener.registers;
    done?;
    let straight = (flattener.out.iter())
        .all(|statement| matches!(statement, Statement::Let(..) | Statement::Store(..)));
    if straight {
        Ok(flattener.out)
    } else {
        Err(Branch::NotStraight.into())
    }
}

/// Flat code that is being made.
struct Flattener {
    registers: Vec<Scalar>,
    /// Registers that are assigned more than once.
    repeated: FxHashSet<Register>,
    /// How often the original reads each register.
    reads: Reads,
    /// For each register of the original: the register that holds its value now.
    current: FxHashMap<Register, Register>,
    /// Truth values that are known without running.
    truths: FxHashMap<Register, bool>,
    /// Numbers that are known without running.
    constants: FxHashMap<Register, f64>,
    out: Block,
}

impl Flattener {
    fn of(body: &Block, registers: Vec<Scalar>) -> Flattener {
        let mut assignments = FxHashMap::default();
        count_assignments(body, &mut assignments);
        let repeated = assignments.into_iter().filter(|(_, n)| *n > 1);
        Flattener {
            registers,
            repeated: repeated.map(|(register, _)| register).collect(),
            reads: Reads::default(),
            current: FxHashMap::default(),
            truths: FxHashMap::default(),
            constants: FxHashMap::default(),
            out: Block::new(),
        }
    }

    fn fresh(&mut self, scalar: Scalar) -> Register {
        let register = Register(narrow(self.registers.len()));
        self.registers.push(scalar);
        register
    }

    fn scalar(&self, register: Register) -> Scalar {
        self.registers[register.0 as usize]
    }

    fn now(&self, register: Register) -> Register {
        *self.current.get(&register).unwrap_or(&register)
    }

    fn assign(&mut self, scalar: Scalar, operation: Operation) -> Register {
        let register = self.fresh(scalar);
        self.out.push(Statement::Let(register, operation));
        register
    }

    /// Adds a block that runs if a condition holds, or always.
    fn block(&mut self, block: &Block, condition: Option<Register>) -> Result<(), Obstacle> {
        block
            .iter()
            .try_for_each(|statement| self.statement(statement, condition))
    }

    /// Adds a statement that runs if a condition holds, or always.
    fn statement(
        &mut self,
        statement: &Statement,
        condition: Option<Register>,
    ) -> Result<(), Obstacle> {
        match statement {
            Statement::Let(register, operation) => self.let_(*register, operation, condition),
            // A conditional store keeps the old value otherwise.
            Statement::Store(place, register) => {
                let value = self.now(*register);
                let value = match condition {
                    None => value,
                    Some(condition) => {
                        let old = self.assign(Scalar::Real, Operation::Load(*place));
                        self.assign(Scalar::Real, Operation::Select(condition, value, old))
                    }
                };
                self.out.push(Statement::Store(*place, value));
                Ok(())
            }
            Statement::If {
                condition: test,
                then,
                otherwise,
            } => self.branch(self.now(*test), then, otherwise, condition),
            // An event keeps its branch.
            Statement::Emit { .. } => {
                let emit = statement.clone();
                self.out.push(match condition {
                    None => emit,
                    Some(condition) => Statement::If {
                        condition,
                        then: vec![emit],
                        otherwise: Block::new(),
                    },
                });
                Ok(())
            }
            Statement::ForAttached { .. } | Statement::ForRuns { .. } if condition.is_none() => {
                self.attached(statement)
            }
            Statement::Propagate {
                scheme,
                occupancies,
                rates,
                results,
            } if condition.is_none() => {
                self.propagate(*scheme, occupancies, rates, results);
                Ok(())
            }
            // Loops and schemes must not run for the side that is not taken.
            Statement::ForAttached { .. } | Statement::ForRuns { .. } => Err(Branch::Loop.into()),
            Statement::Propagate { .. } => Err(Branch::Scheme.into()),
            Statement::Twice(_) => Err(Obstacle::Repeats),
        }
    }

    /// Adds both sides of a branch, or the one that is known to run.
    fn branch(
        &mut self,
        test: Register,
        then: &Block,
        otherwise: &Block,
        condition: Option<Register>,
    ) -> Result<(), Obstacle> {
        match self.truths.get(&test) {
            Some(true) => self.block(then, condition),
            Some(false) => self.block(otherwise, condition),
            None => {
                let holds = self.both(condition, test);
                self.block(then, Some(holds))?;
                if !otherwise.is_empty() {
                    let fails = self.assign(Scalar::Truth, Operation::Not(test));
                    let fails = self.both(condition, fails);
                    self.block(otherwise, Some(fails))?;
                }
                Ok(())
            }
        }
    }

    /// Adds the step of a kinetic scheme, whose results get new registers.
    fn propagate(
        &mut self,
        scheme: u32,
        occupancies: &[Register],
        rates: &[(Register, Register)],
        results: &[Register],
    ) {
        let occupancies = occupancies.iter().map(|r| self.now(*r)).collect();
        let rates = (rates.iter())
            .map(|(forward, reverse)| (self.now(*forward), self.now(*reverse)))
            .collect();
        let results = (results.iter())
            .map(|result| {
                let fresh = self.fresh(Scalar::Real);
                self.current.insert(*result, fresh);
                fresh
            })
            .collect();
        self.out.push(Statement::Propagate {
            scheme,
            occupancies,
            rates,
            results,
        });
    }

    /// A register that holds whether a condition and a test hold.
    fn both(&mut self, condition: Option<Register>, test: Register) -> Register {
        match condition {
            None => test,
            Some(outer) => self.assign(Scalar::Truth, Operation::Logic(Logic::And, outer, test)),
        }
    }

    /// Adds an assignment. Under a condition it becomes a selection between the new and the old value.
    fn let_(
        &mut self,
        register: Register,
        operation: &Operation,
        condition: Option<Register>,
    ) -> Result<(), Obstacle> {
        let operation = operation.renamed(&|r| self.now(r));
        let before = self.current.get(&register).copied();
        let new = match operation {
            Operation::Random(_) => return Err(Branch::Draw.into()),
            Operation::Copy(other) => other,
            operation => {
                let name = match self.repeated.contains(&register) {
                    true => self.fresh(self.scalar(register)),
                    false => register,
                };
                self.note(name, &operation);
                self.out.push(Statement::Let(name, operation));
                name
            }
        };
        let value = match (condition, before) {
            (Some(condition), Some(before)) if before != new => {
                if self.scalar(register) == Scalar::Truth {
                    return Err(Branch::Truth.into());
                }
                self.assign(Scalar::Real, Operation::Select(condition, new, before))
            }
            _ => new,
        };
        self.current.insert(register, value);
        Ok(())
    }

    /// Remembers what is known about a value without running.
    fn note(&mut self, register: Register, operation: &Operation) {
        match *operation {
            Operation::Constant(value) => {
                self.constants.insert(register, value);
            }
            Operation::Compare(how, left, right) => {
                let values = (self.constants.get(&left), self.constants.get(&right));
                if let (Some(left), Some(right)) = values {
                    self.truths.insert(register, how.holds(*left, *right));
                }
            }
            _ => {}
        }
    }

    /// Adds a loop. The values that it hands from one run to the next get registers of their own.
    fn attached(&mut self, statement: &Statement) -> Result<(), Obstacle> {
        let mut statement = statement.clone();
        // The registers that the loop hands on start with a copy of their current value.
        let mut names = FxHashMap::default();
        for body in statement.nested_mut() {
            if escapes(body, &self.reads) {
                return Err(Branch::Escape.into());
            }
            for register in carried(body) {
                if names.contains_key(&register) {
                    continue;
                }
                if self.scalar(register) == Scalar::Truth {
                    return Err(Branch::CarriedTruth.into());
                }
                let start = self.now(register);
                let name = self.assign(Scalar::Real, Operation::Copy(start));
                names.insert(register, name);
            }
        }
        // The bodies use these registers, and are flat if they can be.
        for body in statement.nested_mut() {
            rename(body, &|register| {
                let now = names.get(&register).or_else(|| self.current.get(&register));
                *now.unwrap_or(&register)
            });
            if let Ok(flat) = flattened_loop_body(body, &mut self.registers) {
                *body = flat;
            }
        }
        self.out.push(statement);
        self.current.extend(names);
        Ok(())
    }

    /// Adds the body of a loop, and at its end the assignments of the registers that it carries to the next
    /// round.
    fn loop_body(&mut self, body: &Block, carried: &[Register]) -> Result<(), Obstacle> {
        let mut latest = Vec::new();
        for &register in carried {
            self.current.insert(register, register);
            self.repeated.insert(register);
        }
        self.block(body, None)?;
        for &register in carried {
            let value = self.now(register);
            if value != register {
                latest.push((register, value));
            }
        }
        // Two carried registers that swap values cannot be assigned one after the other.
        let starts: FxHashSet<Register> = carried.iter().copied().collect();
        if latest.iter().any(|(_, value)| starts.contains(value)) {
            return Err(Branch::Swap.into());
        }
        for (register, value) in latest {
            self.out
                .push(Statement::Let(register, Operation::Copy(value)));
        }
        Ok(())
    }
}

/// Adds how often each register is assigned in a block, and in all inside it.
pub(crate) fn count_assignments(block: &Block, counts: &mut FxHashMap<Register, u32>) {
    for register in statements([block]).flat_map(Statement::assigned) {
        *counts.entry(register).or_default() += 1;
    }
}

/// Registers that a loop hands from one run of its body to the next: those that the body reads before it
/// assigns them.
pub fn carried(body: &Block) -> Vec<Register> {
    let mut assigned = FxHashSet::default();
    let mut open = Vec::new();
    read_before(body, &mut assigned, &mut open);
    let mut all = FxHashMap::default();
    count_assignments(body, &mut all);
    open.retain(|register| all.contains_key(register));
    open.dedup();
    open
}

/// Adds to `open` the registers that a block reads where they may not have been assigned.
fn read_before(block: &Block, assigned: &mut FxHashSet<Register>, open: &mut Vec<Register>) {
    for statement in block {
        for register in statement.operands() {
            if !assigned.contains(&register) && !open.contains(&register) {
                open.push(register);
            }
        }
        for inner in statement.nested() {
            read_before(inner, &mut assigned.clone(), open);
        }
        match statement {
            Statement::If {
                then, otherwise, ..
            } => {
                let mut sides = [assigned.clone(), assigned.clone()];
                for (side, block) in sides.iter_mut().zip([then, otherwise]) {
                    side.extend(block.iter().flat_map(Statement::assigned));
                }
                let [then, otherwise] = sides;
                assigned.extend(then.intersection(&otherwise));
            }
            _ => assigned.extend(statement.assigned()),
        }
    }
}

/// Renames all registers of a block.
pub(super) fn rename(block: &mut Block, name: &dyn Fn(Register) -> Register) {
    for statement in block {
        statement.rename(name);
        for inner in statement.nested_mut() {
            rename(inner, name);
        }
    }
}
