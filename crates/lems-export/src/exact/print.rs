//! Kernels as statements of NMODL, with the same operations in the same order.
//!
//! A register that is assigned and used once becomes a part of the expression that uses it, unless
//! something between the two could change its value.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use lems_ir::{
    Block, Function, Kernel, Level, Logic, Operation, Operator, Place, Register, Scheme, Statement,
};

use crate::groups::Loop;

/// Longest expression that becomes a part of another one, in characters.
const LONGEST: usize = 110;

/// What names and values places of a kernel have in a mechanism.
pub(super) trait Scope {
    /// How a place is written inside the given loops, and what it depends on.
    fn place(&self, place: Place, loops: &[Loop]) -> Named;
    /// The lines that send an event; none if it has no receiver.
    fn emit(&self, port: u32, level: Level, loops: &[Loop]) -> Vec<String>;
    /// How a loop over what is attached begins: the lines before its body. Those that end with `{` open a
    /// block, others assign a bound to a variable.
    fn open(&self, loops: &[Loop]) -> Vec<String>;
    /// The name of the variable with the length of a step.
    fn step(&self) -> String;
    /// The name of the variable with the time at the end of the step.
    fn time(&self) -> String;
}

/// A place by its name in a mechanism.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub text: String,
    pub reads: Reads,
}

/// What the value of an expression depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Reads {
    /// Nothing that changes.
    Nothing,
    /// A column of the mechanism's own.
    Column(u32),
    /// A variable of another instance, or an unknown one.
    Any,
    /// A register that is assigned more than once.
    Register(Register),
}

/// How strongly the outermost operator of an expression binds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Logic,
    Comparison,
    Sum,
    Product,
    Atom,
}

#[derive(Debug, Clone)]
struct Text {
    text: String,
    binding: Binding,
    reads: BTreeSet<Reads>,
}

impl Text {
    fn atom(text: String) -> Text {
        Text {
            text,
            binding: Binding::Atom,
            reads: BTreeSet::new(),
        }
    }

    /// The text as an operand of something that binds at least so strongly.
    fn within(&self, binding: Binding) -> String {
        match self.binding >= binding {
            true => self.text.clone(),
            false => format!("({})", self.text),
        }
    }
}

/// A kernel as NMODL.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// The statements, indented by one step.
    pub lines: Vec<String>,
    /// The registers that are left.
    pub locals: BTreeSet<Register>,
    /// Bounds of loops.
    pub bounds: BTreeSet<String>,
    /// Kinetic schemes that it propagates.
    pub schemes: BTreeSet<u32>,
    /// Whether it draws random numbers.
    pub draws: bool,
    /// Functions of LEMS that NMODL has not.
    pub functions: BTreeSet<&'static str>,
    /// Whether it reads the time.
    pub timed: bool,
}

/// Prints a kernel.
pub(super) fn print(kernel: &Kernel, schemes: &[Scheme], scope: &dyn Scope) -> Printed {
    let registers = kernel.registers.len();
    let (mut assigned, mut used) = (vec![0_u32; registers], vec![0_u32; registers]);
    let count = |counts: &mut Vec<u32>, register: Register| {
        if let Some(count) = counts.get_mut(register.0 as usize) {
            *count += 1;
        }
    };
    for statement in lems_ir::statements([&kernel.body]) {
        statement
            .operands()
            .into_iter()
            .for_each(|register| count(&mut used, register));
        statement
            .assigned()
            .into_iter()
            .for_each(|register| count(&mut assigned, register));
    }
    let mut printer = Printer {
        scope,
        schemes,
        assigned,
        used,
        waiting: BTreeMap::new(),
        fixed: HashMap::new(),
        loops: Vec::new(),
        depth: 1,
        printed: Printed::default(),
    };
    printer.block(&kernel.body);
    printer.printed
}

struct Printer<'p> {
    scope: &'p dyn Scope,
    schemes: &'p [Scheme],
    /// How often each register is assigned, and how often it is read.
    assigned: Vec<u32>,
    used: Vec<u32>,
    /// Expressions that are not written yet.
    waiting: BTreeMap<Register, Text>,
    /// Registers whose values never change, such as constants.
    fixed: HashMap<Register, Text>,
    loops: Vec<Loop>,
    depth: usize,
    printed: Printed,
}

impl Printer<'_> {
    fn line(&mut self, text: &str) {
        let indent = "    ".repeat(self.depth);
        self.printed.lines.push(format!("{indent}{text}"));
    }

    fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
        self.write_waiting(|_| true);
    }

    fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(register, operation) => self.assign(*register, operation),
            Statement::Store(place, register) => {
                let value = self.take(*register);
                let named = self.scope.place(*place, &self.loops);
                self.write_waiting(|text| {
                    text.reads.contains(&named.reads) || text.reads.contains(&Reads::Any)
                });
                self.line(&format!("{} = {}", named.text, value.text));
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.take(*condition);
                self.write_waiting(|_| true);
                self.line(&format!("if ({}) {{", condition.text));
                self.indented(then);
                if !otherwise.is_empty() {
                    self.line("} else {");
                    self.indented(otherwise);
                }
                self.line("}");
            }
            Statement::Emit { port, level } => {
                self.write_waiting(|_| true);
                for line in self.scope.emit(*port, *level, &self.loops) {
                    self.line(&line);
                }
            }
            Statement::ForAttached { offsets, body, .. } => {
                self.write_waiting(|_| true);
                self.repeated(Loop::Attached { offsets: *offsets }, body);
            }
            Statement::ForRuns {
                offsets,
                runs,
                arms,
                ..
            } => {
                self.write_waiting(|_| true);
                self.runs(*offsets, *runs, arms);
            }
            Statement::Propagate {
                scheme,
                occupancies,
                rates,
                results,
            } => {
                self.propagate(*scheme, occupancies, rates, results);
            }
            // Only set-up kernels have it, and they ran before the export.
            Statement::Twice(body) => self.block(body),
        }
    }

    fn indented(&mut self, block: &Block) {
        self.depth += 1;
        self.block(block);
        self.depth -= 1;
    }

    fn repeated(&mut self, key: Loop, body: &Block) {
        self.loops.push(key);
        let opening = self.scope.open(&self.loops);
        self.opened(&opening, body);
        self.loops.pop();
    }

    fn runs(&mut self, offsets: u32, runs: u32, arms: &[Block]) {
        // The first line of each loop goes through the runs, and all arms share it.
        let mut shared = false;
        for (arm, body) in arms.iter().enumerate() {
            self.loops.push(Loop::Run { offsets, runs, arm });
            let opening = self.scope.open(&self.loops);
            let is_block = |line: &String| line.ends_with('{');
            if let Some(first) = opening.iter().position(is_block) {
                let (around, inner) = opening.split_at(first + 1);
                if !shared {
                    self.open(around);
                    shared = true;
                }
                self.opened(inner, body);
            }
            self.loops.pop();
        }
        if shared {
            self.close(1);
        }
    }

    fn opened(&mut self, opening: &[String], body: &Block) {
        let blocks = self.open(opening);
        self.block(body);
        self.close(blocks);
    }

    /// Writes lines that open blocks, and gives how many.
    fn open(&mut self, opening: &[String]) -> usize {
        let mut blocks = 0;
        for line in opening {
            self.line(line);
            if line.ends_with('{') {
                self.depth += 1;
                blocks += 1;
            } else if let Some((name, _)) = line.split_once(" = ") {
                self.printed.bounds.insert(name.to_owned());
            }
        }
        blocks
    }

    fn close(&mut self, blocks: usize) {
        for _ in 0..blocks {
            self.depth -= 1;
            self.line("}");
        }
    }

    fn propagate(
        &mut self,
        number: u32,
        occupancies: &[Register],
        rates: &[(Register, Register)],
        results: &[Register],
    ) {
        let size = self
            .schemes
            .get(number as usize)
            .map_or(0, |scheme| scheme.size);
        let mut lines = Vec::new();
        for (index, occupancy) in occupancies.iter().enumerate().take(size) {
            lines.push(format!(
                "occupancy_{number}[{index}] = {}",
                self.take(*occupancy).text
            ));
        }
        for (index, (forward, reverse)) in rates.iter().enumerate() {
            lines.push(format!(
                "rate_{number}[{}] = {}",
                2 * index,
                self.take(*forward).text
            ));
            lines.push(format!(
                "rate_{number}[{}] = {}",
                2 * index + 1,
                self.take(*reverse).text
            ));
        }
        lines.push(format!("propagate_{number}()"));
        self.write_waiting(|_| true);
        for line in lines {
            self.line(&line);
        }
        for (index, result) in results.iter().enumerate() {
            self.printed.locals.insert(*result);
            let value = match occupancies.get(index) {
                Some(before) if index >= size => self.take(*before).text,
                _ => format!("occupancy_{number}[{index}]"),
            };
            self.line(&format!("{} = {value}", register(*result)));
        }
        self.printed.schemes.insert(number);
    }

    fn assign(&mut self, target: Register, operation: &Operation) {
        let once = self.assigned.get(target.0 as usize) == Some(&1);
        let uses = self.used.get(target.0 as usize).copied().unwrap_or(0);
        if let Operation::Select(condition, one, other) = operation {
            let (condition, one, other) =
                (self.take(*condition), self.take(*one), self.take(*other));
            self.write_register(target);
            let name = register(target);
            self.line(&format!(
                "if ({}) {{ {name} = {} }} else {{ {name} = {} }}",
                condition.text, one.text, other.text
            ));
            return;
        }
        let draws = matches!(operation, Operation::Random(_));
        let text = self.expression(operation);
        let is_fixed =
            text.reads.is_empty() && text.binding == Binding::Atom && !text.text.contains('(');
        let is_literal = matches!(operation, Operation::Constant(_));
        if once && (is_fixed || is_literal) {
            self.fixed.insert(target, text);
        } else if once && uses == 1 && !draws && text.text.len() <= LONGEST {
            self.waiting.insert(target, text);
        } else {
            self.write_register(target);
            self.line(&format!("{} = {}", register(target), text.text));
        }
    }

    /// Makes a register that is written now: what waits for its value before that is written first.
    fn write_register(&mut self, target: Register) {
        self.write_waiting(|text| text.reads.contains(&Reads::Register(target)));
        self.printed.locals.insert(target);
    }

    /// Writes expressions that wait, in the order of their registers.
    fn write_waiting(&mut self, which: impl Fn(&Text) -> bool) {
        let now: Vec<Register> = (self.waiting.iter())
            .filter(|(_, text)| which(text))
            .map(|(register, _)| *register)
            .collect();
        for target in now {
            if let Some(text) = self.waiting.remove(&target) {
                self.printed.locals.insert(target);
                self.line(&format!("{} = {}", register(target), text.text));
            }
        }
    }

    /// The value of a register as an expression.
    fn take(&mut self, operand: Register) -> Text {
        if let Some(text) = self.fixed.get(&operand) {
            return text.clone();
        }
        if let Some(text) = self.waiting.remove(&operand) {
            return text;
        }
        let mut text = Text::atom(register(operand));
        if self.assigned.get(operand.0 as usize) != Some(&1) {
            text.reads.insert(Reads::Register(operand));
        }
        text
    }

    fn expression(&mut self, operation: &Operation) -> Text {
        match *operation {
            Operation::Constant(value) => Text::atom(number(value)),
            Operation::Time => {
                self.printed.timed = true;
                Text::atom(self.scope.time())
            }
            Operation::Step => Text::atom(self.scope.step()),
            Operation::Load(place) => {
                let named = self.scope.place(place, &self.loops);
                let mut text = Text::atom(named.text);
                if named.reads != Reads::Nothing {
                    text.reads.insert(named.reads);
                }
                text
            }
            Operation::Copy(register) => self.take(register),
            Operation::Binary(operator, left, right) => self.binary(operator, left, right),
            Operation::Fused(fusion, a, b, c) => {
                let (a, b, c) = (self.take(a), self.take(b), self.take(c));
                let product = format!("{}*{}", a.within(Binding::Product), b.within(Binding::Atom));
                let text = match fusion {
                    lems_ir::Fusion::Add => format!("{product} + {}", c.within(Binding::Product)),
                    lems_ir::Fusion::Subtract => {
                        format!("{product} - {}", c.within(Binding::Product))
                    }
                    lems_ir::Fusion::SubtractFrom => {
                        format!("{} - {product}", c.within(Binding::Product))
                    }
                };
                joined(text, Binding::Sum, [a, b, c])
            }
            Operation::Compare(how, left, right) => {
                let (left, right) = (self.take(left), self.take(right));
                let symbol = how.c_operator();
                let text = format!(
                    "{} {symbol} {}",
                    left.within(Binding::Sum),
                    right.within(Binding::Sum)
                );
                joined(text, Binding::Comparison, [left, right])
            }
            Operation::Logic(how, left, right) => {
                let (left, right) = (self.take(left), self.take(right));
                let symbol = match how {
                    Logic::And => "&&",
                    Logic::Or => "||",
                };
                let text = format!(
                    "{} {symbol} {}",
                    left.within(Binding::Sum),
                    right.within(Binding::Sum)
                );
                joined(text, Binding::Logic, [left, right])
            }
            Operation::Not(operand) => {
                let operand = self.take(operand);
                joined(format!("!({})", operand.text), Binding::Logic, [operand])
            }
            // It is written as a statement.
            Operation::Select(_, one, _) => self.take(one),
            Operation::Call(function, operand) => self.call(function, operand),
            Operation::Random(operand) => {
                self.printed.draws = true;
                let operand = self.take(operand);
                let text = format!("{}*draw()", operand.within(Binding::Product));
                joined(text, Binding::Product, [operand])
            }
        }
    }

    fn binary(&mut self, operator: Operator, left: Register, right: Register) -> Text {
        let (left, right) = (self.take(left), self.take(right));
        let (text, binding) = match operator {
            Operator::Add | Operator::Subtract => {
                let symbol = if operator == Operator::Add { "+" } else { "-" };
                let (left, right) = (left.within(Binding::Sum), right.within(Binding::Product));
                (format!("{left} {symbol} {right}"), Binding::Sum)
            }
            Operator::Multiply | Operator::Divide => {
                let symbol = if operator == Operator::Multiply {
                    "*"
                } else {
                    "/"
                };
                let (left, right) = (left.within(Binding::Product), right.within(Binding::Atom));
                (format!("{left}{symbol}{right}"), Binding::Product)
            }
            Operator::Power => (format!("pow({}, {})", left.text, right.text), Binding::Atom),
        };
        joined(text, binding, [left, right])
    }

    fn call(&mut self, function: Function, operand: Register) -> Text {
        let operand = self.take(operand);
        let name = match function {
            Function::Ln => "log",
            Function::Abs => "fabs",
            Function::Ceil => "ceiling",
            Function::Heaviside => "heaviside",
            Function::Factorial => "factorial_of",
            Function::Sin => "sin",
            Function::Cos => "cos",
            Function::Tan => "tan",
            Function::Sinh => "sinh",
            Function::Cosh => "cosh",
            Function::Tanh => "tanh",
            Function::Exp => "exp",
            Function::Sqrt => "sqrt",
        };
        self.printed.functions.insert(name);
        joined(
            format!("{name}({})", operand.text),
            Binding::Atom,
            [operand],
        )
    }
}

fn joined<const N: usize>(text: String, binding: Binding, parts: [Text; N]) -> Text {
    let reads = parts.into_iter().flat_map(|part| part.reads).collect();
    Text {
        text,
        binding,
        reads,
    }
}

pub(super) fn register(register: Register) -> String {
    format!("r{}", register.0)
}

/// A number as a literal that reads back as the same double.
pub(crate) fn number(value: f64) -> String {
    let magnitude = match value.abs() {
        nan if nan.is_nan() => return "(1e999 - 1e999)".to_owned(),
        infinite if infinite.is_infinite() => "1e999".to_owned(),
        whole if whole < 1e15 && whole.fract() == 0.0 => format!("{whole}"),
        other => format!("{other:?}"),
    };
    match value.is_sign_negative() {
        true => format!("(-{magnitude})"),
        false => magnitude,
    }
}
