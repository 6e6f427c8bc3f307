//! From the statements of a kernel to Cranelift's instructions, for one instance at a time.

use cranelift_codegen::ir::types::{F64, I64};
use cranelift_codegen::ir::{InstBuilder, StackSlotData, StackSlotKind, Value};
use cranelift_frontend::{FunctionBuilder, Switch};
use lems_index::narrow;
use lems_ir::{
    Block, Definitions, Function, Kernel, Level, Logic, Operation, Operator, Program, Register,
    Statement,
};
use lems_optimise::{Reads, count_reads};

use crate::codegen::abi::{Helper, Part};
use crate::codegen::translator::{
    Imports, Instance, LINK_BYTES, MEMORY, Translator, condition_code, displacement,
};
use crate::plan::tables;

/// Binary logarithm of the alignment of a slot.
const SLOT_ALIGNMENT: u8 = 3;

/// Fills a function with the code of a validated kernel. The signature of the function is already set;
/// `population` is one more than the largest instance that it will be called for.
pub(crate) fn translate(
    program: &Program,
    kernel: &Kernel,
    part: Part,
    population: u32,
    imports: Imports<'_>,
    builder: FunctionBuilder<'_>,
) {
    let mut reads = Reads::default();
    count_reads(&kernel.body, &mut reads);
    let definitions = Definitions::of([&kernel.body]);
    let (mut translator, parameters) = Translator::enter(
        program,
        &kernel.registers,
        reads,
        definitions,
        imports,
        builder,
    );
    // The loop over instances: a range for a step, a list for a handler.
    match part {
        Part::Kernel(_) | Part::Block(_) => {
            let (first, last) = (parameters[5], parameters[6]);
            let count = translator.begin_count(first, last);
            translator.instance(count.index, population, &kernel.body);
            translator.end_count(count, last, 1);
        }
        Part::Handler(_) => {
            let (instances, number) = (parameters[3], parameters[4]);
            let none = translator.builder.ins().iconst(I64, 0);
            translator.count(none, number, |translator, position| {
                let place = translator.element(instances, position, LINK_BYTES);
                let builder = &mut translator.builder;
                let instance = builder.ins().uload32(MEMORY, place, 0);
                translator.instance(instance, population, &kernel.body);
            });
        }
    }
    translator.leave();
}

impl Translator<'_, '_> {
    /// Runs a block for one instance of one more level.
    fn instance(&mut self, index: Value, population: u32, block: &Block) {
        self.enter_level(index, population);
        self.block(block);
        self.leave_level();
    }

    /// Whether any of the sources `port .. port + population` has a receiver.
    pub(crate) fn any_receiver(&self, port: u32, population: u32) -> bool {
        tables::any_receiver(self.program, port, population)
    }

    /// Runs the statements of a block.
    pub(crate) fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    /// Runs a statement, for the instances that the loops are at.
    pub(crate) fn statement(&mut self, statement: &Statement) {
        match statement {
            Statement::Let(register, operation) => {
                let value = self.operation(operation);
                self.set(*register, value);
            }
            Statement::Store(place, register) => {
                let value = self.get(*register);
                let (address, displacement) = self.address(*place);
                (self.builder.ins()).store(MEMORY, value, address, displacement);
            }
            Statement::If {
                condition,
                then,
                otherwise,
            } => self.choose(*condition, then, otherwise),
            Statement::Emit { port, level } => {
                let Instance {
                    index, population, ..
                } = self.instances[usize::from(level.0)];
                if self.any_receiver(*port, population) {
                    let source = self.builder.ins().iadd_imm_s(index, i64::from(*port));
                    let outermost = self.instances[0].index;
                    self.call(Helper::Emit, &[self.context, source, outermost]);
                }
            }
            Statement::ForAttached {
                offsets,
                level,
                body,
            } => {
                let outer = self.instances[usize::from(level.0) - 1];
                // Validation has shown that the table is sound.
                let population =
                    tables::attached(self.program, *offsets, outer.population).unwrap_or(0);
                let (first, last) = self.range(*offsets, outer);
                self.attached(first, last, *level, population, body);
            }
            Statement::ForRuns {
                offsets,
                runs,
                level,
                arms,
            } => {
                let outer = self.instances[usize::from(level.0) - 1];
                let populations =
                    tables::runs(self.program, *offsets, *runs, outer.population, arms.len())
                        .unwrap_or_default();
                let (first, last) = self.range(*offsets, outer);
                self.count(first, last, |translator, run| {
                    translator.run(run, *runs, *level, arms, &populations);
                });
            }
            Statement::Propagate {
                scheme,
                occupancies,
                rates,
                results,
            } => self.propagate(*scheme, occupancies, rates, results),
            // Validation accepts none.
            Statement::Twice(_) => {}
        }
    }

    /// Runs one of two blocks. A side that sends an event is taken to be rare.
    fn choose(&mut self, condition: Register, then: &Block, otherwise: &Block) {
        let condition = self.get(condition);
        let yes = self.builder.create_block();
        let no = self.builder.create_block();
        let end = self.builder.create_block();
        self.builder.ins().brif(condition, yes, &[], no, &[]);
        for (start, block) in [(yes, then), (no, otherwise)] {
            self.builder.seal_block(start);
            self.builder.switch_to_block(start);
            if block
                .iter()
                .any(|statement| matches!(statement, Statement::Emit { .. }))
            {
                self.builder.set_cold_block(start);
            }
            self.block(block);
            self.builder.ins().jump(end, &[]);
        }
        self.builder.seal_block(end);
        self.builder.switch_to_block(end);
    }

    /// Runs the body that an entry of the table of runs names, for the instances in that entry.
    fn run(&mut self, run: Value, runs: u32, level: Level, arms: &[Block], populations: &[u32]) {
        let index = self.builder.ins().imul_imm_s(run, 3);
        let triple = self.element(self.links, index, LINK_BYTES);
        let [arm, first, last] = [0, 1, 2].map(|i| self.link(triple, u64::from(runs) + i));
        // A switch with one target for each body.
        let end = self.builder.create_block();
        let starts: Vec<_> = arms.iter().map(|_| self.builder.create_block()).collect();
        let mut switch = Switch::new();
        for (number, &start) in starts.iter().enumerate() {
            switch.set_entry(number as u128, start);
        }
        switch.emit(&mut self.builder, arm, end);
        for ((start, body), &population) in starts.into_iter().zip(arms).zip(populations) {
            self.builder.seal_block(start);
            self.builder.switch_to_block(start);
            self.attached(first, last, level, population, body);
            self.builder.ins().jump(end, &[]);
        }
        self.builder.seal_block(end);
        self.builder.switch_to_block(end);
    }

    /// Advances a kinetic scheme: the helper reads and writes arrays on the stack.
    fn propagate(
        &mut self,
        scheme: u32,
        occupancies: &[Register],
        rates: &[(Register, Register)],
        results: &[Register],
    ) {
        let rates: Vec<Register> = (rates.iter())
            .flat_map(|&(forward, reverse)| [forward, reverse])
            .collect();
        let occupancies_slot = self.spill(occupancies);
        let rates_slot = self.spill(&rates);
        let scheme = self.builder.ins().iconst(I64, i64::from(scheme));
        let count = self.builder.ins().iconst(I64, occupancies.len() as i64);
        self.call(
            Helper::Propagate,
            &[
                self.context,
                scheme,
                occupancies_slot,
                count,
                rates_slot,
                self.step,
            ],
        );
        for (number, register) in results.iter().enumerate() {
            let displacement = displacement(number as u64);
            let value = self
                .builder
                .ins()
                .load(F64, MEMORY, occupancies_slot, displacement);
            self.set(*register, value);
        }
    }

    /// Stores the values of registers in an array on the stack; returns its address.
    fn spill(&mut self, registers: &[Register]) -> Value {
        let bytes = registers.len() * size_of::<f64>();
        let slot = self.builder.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            narrow(bytes),
            SLOT_ALIGNMENT,
        ));
        let address = self.builder.ins().stack_addr(I64, slot, 0);
        for (number, register) in registers.iter().enumerate() {
            let value = self.get(*register);
            let displacement = displacement(number as u64);
            self.builder
                .ins()
                .store(MEMORY, value, address, displacement);
        }
        address
    }

    /// The value of an operation, for the instances that the loops are at.
    pub(crate) fn operation(&mut self, operation: &Operation) -> Value {
        match *operation {
            Operation::Constant(value) => self.builder.ins().f64const(value),
            Operation::Time => self.time,
            Operation::Step => self.step,
            Operation::Load(place) => {
                let (address, displacement) = self.address(place);
                self.builder.ins().load(F64, MEMORY, address, displacement)
            }
            Operation::Copy(register) => self.get(register),
            // Powers are calls; divisions by constants may be products.
            Operation::Binary(operator, left, right) => {
                let registers = [left, right];
                let (left, right) = (self.get(left), self.get(right));
                match operator {
                    Operator::Add => self.builder.ins().fadd(left, right),
                    Operator::Subtract => self.builder.ins().fsub(left, right),
                    Operator::Multiply => self.builder.ins().fmul(left, right),
                    Operator::Divide => self.divide(registers, [left, right]),
                    Operator::Power => self.call_value(Helper::Power, &[left, right]),
                }
            }
            Operation::Fused(fusion, a, b, c) => {
                let values = [self.get(a), self.get(b), self.get(c)];
                self.fused(fusion, values)
            }
            Operation::Compare(comparison, left, right) => {
                let (left, right) = (self.get(left), self.get(right));
                self.builder
                    .ins()
                    .fcmp(condition_code(comparison), left, right)
            }
            Operation::Logic(logic, left, right) => {
                let (left, right) = (self.get(left), self.get(right));
                match logic {
                    Logic::And => self.builder.ins().band(left, right),
                    Logic::Or => self.builder.ins().bor(left, right),
                }
            }
            Operation::Not(register) => {
                let value = self.get(register);
                self.builder.ins().bxor_imm_u(value, 1)
            }
            Operation::Select(condition, yes, no) => {
                let (condition, yes, no) = (self.get(condition), self.get(yes), self.get(no));
                self.builder.ins().select(condition, yes, no)
            }
            // Functions with an instruction of their own, and the others as calls.
            Operation::Call(function, argument) => {
                let argument = self.get(argument);
                match function {
                    Function::Sqrt => self.builder.ins().sqrt(argument),
                    Function::Ceil => self.builder.ins().ceil(argument),
                    Function::Abs => self.builder.ins().fabs(argument),
                    function => self.call_value(Helper::Elementary(function), &[argument]),
                }
            }
            // A helper draws from the generator of the state.
            Operation::Random(scale) => {
                let draw = self.call_value(Helper::Draw, &[self.context]);
                let scale = self.get(scale);
                self.builder.ins().fmul(scale, draw)
            }
        }
    }
}
