//! Code without branches: both sides are computed, and conditions select.
//!
//! No operation on doubles traps, so computing a value that is not used changes nothing.

use lems_index::narrow;
use std::collections::{HashMap, HashSet};

use lems_ir::{Block, Kernel, Logic, Operation, Register, Scalar, Statement, statements};

/// The kernel's code with every register assigned once, conditions as selections, and branches
/// only around what sends events; loops keep their bodies, flat where that is possible. With it,
/// the registers that hold what `results` hold at the end. `None` where a branch or a loop holds
/// what must not run twice or out of order.
pub(super) fn flat(kernel: &Kernel, results: &[Register]) -> Option<(Kernel, Vec<Register>)> {
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
    Some((flat, results))
}

/// How often each register is read.
pub type Reads = HashMap<Register, u32>;

/// Adds the reads of a block, and of all inside it.
pub fn count_reads(block: &Block, reads: &mut Reads) {
    for register in statements([block]).flat_map(Statement::operands) {
        *reads.entry(register).or_default() += 1;
    }
}

/// The body of a loop without branches; the registers that it hands on from one run to the next
/// are assigned at the end. New registers are added. `None` if it cannot do without branches, or
/// if something else than what it hands on is read outside; `reads` are those of the kernel.
pub fn flat_loop_body(body: &Block, reads: &Reads, registers: &mut Vec<Scalar>) -> Option<Block> {
    if escapes(body, reads) {
        return None;
    }
    flattened_loop_body(body, registers)
}

/// Whether a register that a loop body assigns, but does not hand on, is read outside.
fn escapes(body: &Block, reads: &Reads) -> bool {
    let mut inside = Reads::new();
    count_reads(body, &mut inside);
    let mut assigned = HashMap::new();
    count_assignments(body, &mut assigned);
    for register in carried(body) {
        assigned.remove(&register);
    }
    assigned
        .keys()
        .any(|register| reads.get(register) != inside.get(register))
}

fn flattened_loop_body(body: &Block, registers: &mut Vec<Scalar>) -> Option<Block> {
    let carried = carried(body);
    let mut flattener = Flattener::of(body, std::mem::take(registers));
    let done = flattener.loop_body(body, &carried);
    *registers = flattener.registers;
    done?;
    let straight = (flattener.out.iter())
        .all(|statement| matches!(statement, Statement::Let(..) | Statement::Store(..)));
    straight.then_some(flattener.out)
}

struct Flattener {
    registers: Vec<Scalar>,
    /// Registers that are assigned more than once.
    repeated: HashSet<Register>,
    /// Reads of the original.
    reads: Reads,
    /// The register that holds the value of a register of the original.
    current: HashMap<Register, Register>,
    truths: HashMap<Register, bool>,
    constants: HashMap<Register, f64>,
    out: Block,
}

impl Flattener {
    fn of(body: &Block, registers: Vec<Scalar>) -> Flattener {
        let mut assignments = HashMap::new();
        count_assignments(body, &mut assignments);
        let repeated = assignments.into_iter().filter(|(_, n)| *n > 1);
        Flattener {
            registers,
            repeated: repeated.map(|(register, _)| register).collect(),
            reads: Reads::new(),
            current: HashMap::new(),
            truths: HashMap::new(),
            constants: HashMap::new(),
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

    fn block(&mut self, block: &Block, condition: Option<Register>) -> Option<()> {
        block
            .iter()
            .try_for_each(|statement| self.statement(statement, condition))
    }

    fn statement(&mut self, statement: &Statement, condition: Option<Register>) -> Option<()> {
        match statement {
            Statement::Let(register, operation) => self.let_(*register, operation, condition),
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
                Some(())
            }
            Statement::If {
                condition: test,
                then,
                otherwise,
            } => {
                let test = self.now(*test);
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
                        Some(())
                    }
                }
            }
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
                Some(())
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
                    scheme: *scheme,
                    occupancies,
                    rates,
                    results,
                });
                Some(())
            }
            _ => None,
        }
    }

    fn both(&mut self, condition: Option<Register>, test: Register) -> Register {
        match condition {
            None => test,
            Some(outer) => self.assign(Scalar::Truth, Operation::Logic(Logic::And, outer, test)),
        }
    }

    fn let_(
        &mut self,
        register: Register,
        operation: &Operation,
        condition: Option<Register>,
    ) -> Option<()> {
        let operation = operation.renamed(&|r| self.now(r));
        let before = self.current.get(&register).copied();
        let new = match operation {
            Operation::Random(_) => return None,
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
                    return None;
                }
                self.assign(Scalar::Real, Operation::Select(condition, new, before))
            }
            _ => new,
        };
        self.current.insert(register, value);
        Some(())
    }

    /// Remembers what is known of a value without running.
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

    /// A loop: what it hands from one run to the next gets registers of its own.
    fn attached(&mut self, statement: &Statement) -> Option<()> {
        let mut statement = statement.clone();
        let mut names = HashMap::new();
        for body in statement.nested_mut() {
            if escapes(body, &self.reads) {
                return None;
            }
            for register in carried(body) {
                if names.contains_key(&register) {
                    continue;
                }
                if self.scalar(register) == Scalar::Truth {
                    return None;
                }
                let start = self.now(register);
                let name = self.assign(Scalar::Real, Operation::Copy(start));
                names.insert(register, name);
            }
        }
        for body in statement.nested_mut() {
            rename(body, &|register| {
                let now = names.get(&register).or_else(|| self.current.get(&register));
                *now.unwrap_or(&register)
            });
            if let Some(flat) = flattened_loop_body(body, &mut self.registers) {
                *body = flat;
            }
        }
        self.out.push(statement);
        self.current.extend(names);
        Some(())
    }

    fn loop_body(&mut self, body: &Block, carried: &[Register]) -> Option<()> {
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
        // One that takes over another's start would see it changed.
        let starts: HashSet<Register> = carried.iter().copied().collect();
        if latest.iter().any(|(_, value)| starts.contains(value)) {
            return None;
        }
        for (register, value) in latest {
            self.out
                .push(Statement::Let(register, Operation::Copy(value)));
        }
        Some(())
    }
}

/// Adds how often each register is assigned in a block, and in all inside it.
pub(crate) fn count_assignments(block: &Block, counts: &mut HashMap<Register, u32>) {
    for register in statements([block]).flat_map(Statement::assigned) {
        *counts.entry(register).or_default() += 1;
    }
}

/// Registers that a body reads before it assigns them, and assigns: what a loop hands on from one
/// run of it to the next.
pub fn carried(body: &Block) -> Vec<Register> {
    let mut assigned = HashSet::new();
    let mut open = Vec::new();
    read_before(body, &mut assigned, &mut open);
    let mut all = HashMap::new();
    count_assignments(body, &mut all);
    open.retain(|register| all.contains_key(register));
    open.dedup();
    open
}

/// Adds the registers that are read where they may not have been assigned.
fn read_before(block: &Block, assigned: &mut HashSet<Register>, open: &mut Vec<Register>) {
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
        match statement {
            Statement::Let(register, operation) => {
                *register = name(*register);
                *operation = operation.renamed(name);
            }
            Statement::Store(_, register) => *register = name(*register),
            Statement::If { condition, .. } => *condition = name(*condition),
            Statement::Propagate {
                occupancies,
                rates,
                results,
                ..
            } => {
                let pairs = rates
                    .iter_mut()
                    .flat_map(|(forward, reverse)| [forward, reverse]);
                for register in occupancies.iter_mut().chain(pairs).chain(results) {
                    *register = name(*register);
                }
            }
            _ => {}
        }
        for inner in statement.nested_mut() {
            rename(inner, name);
        }
    }
}
