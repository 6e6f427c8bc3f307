//! From the instructions of a kernel to Cranelift's.
//!
//! Register `r` becomes variable `r`; a place becomes the address of its array, advanced by the
//! instance, plus a constant displacement. The loops test at their end, behind one test that
//! skips a loop without instances.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64, F64X2, I8, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, StackSlotData, StackSlotKind, Type, Value};
use cranelift_frontend::{FunctionBuilder, Switch, Variable};
use lems_index::{bug, narrow};
use lems_ir::{
    Block, Comparison, Definitions, Function, Fusion, Kernel, Level, Logic, Operation, Operator,
    Place, Program, Register, Scalar, Statement,
};
use lems_optimise::{Reads, count_reads};

use crate::assembler::{Imports, Part};
use crate::helpers::Helper;
use crate::lanes::{LANES, LaneLoop};
use crate::saving::Unsaved;
use crate::tables;

/// Parameters of a step function: context, memory, links, time, step, first and last instance.
pub(crate) const STEP_PARAMETERS: [Type; 7] = [I64, I64, I64, F64, F64, I64, I64];
/// Parameters of a handler function: context, memory, links, address of the instances, how many.
pub(crate) const HANDLER_PARAMETERS: [Type; 5] = [I64, I64, I64, I64, I64];

pub(crate) const SLOT_BYTES: u64 = size_of::<f64>() as u64;
/// Binary logarithm of the alignment of a slot.
const SLOT_ALIGNMENT: u8 = 3;

/// Bytes from the start of an array to one of its slots, for an instruction that takes an address and a
/// displacement.
///
/// # Panics
///
/// If an instruction cannot hold it. Arrays on the stack and buffers of a block are far smaller.
pub(crate) fn displacement(slots: u64) -> i32 {
    match i32::try_from(slots.saturating_mul(SLOT_BYTES)) {
        Ok(bytes) => bytes,
        Err(_) => bug(&format!("a displacement of {slots} slots")),
    }
}

const LINK_BYTES: u64 = size_of::<u32>() as u64;

/// The variables; validation has shown that all addresses are inside the memory.
pub(crate) const MEMORY: MemFlagsData = MemFlagsData::trusted();
/// The links, which nothing changes.
const LINKS: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

/// The current instance of a loop.
#[derive(Clone, Copy)]
pub(crate) struct Instance {
    pub(crate) index: Value,
    /// Address of `memory[index]`.
    slot: Value,
    /// Address of `links[index]`.
    link: Value,
    population: u32,
}

pub(crate) struct Translator<'a, 'f> {
    program: &'a Program,
    pub(crate) imports: Imports<'a>,
    pub(crate) builder: FunctionBuilder<'f>,
    variables: Vec<Variable>,
    /// Type of each register.
    pub(crate) scalars: Vec<Scalar>,
    reads: Reads,
    pub(crate) definitions: Definitions,
    pub(crate) context: Value,
    memory: Value,
    links: Value,
    pub(crate) time: Value,
    pub(crate) step: Value,
    pub(crate) instances: Vec<Instance>,
    pub(crate) unsaved: Unsaved,
}

/// A loop over instances whose body is being made.
pub(crate) struct Count {
    /// The instance that it is at.
    pub(crate) index: Value,
    body: cranelift_codegen::ir::Block,
    end: cranelift_codegen::ir::Block,
}

/// Fills a function, whose signature is set, with the code of a validated kernel; `population`
/// is one more than the largest instance that it will be called for.
pub(crate) fn translate(
    program: &Program,
    kernel: &Kernel,
    part: Part,
    population: u32,
    imports: Imports<'_>,
    builder: FunctionBuilder<'_>,
) {
    let mut reads = Reads::new();
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

impl<'a, 'f> Translator<'a, 'f> {
    /// Begins a function whose first parameters are context, memory, links and, if it has two
    /// doubles, time and step.
    pub(crate) fn enter(
        program: &'a Program,
        registers: &[Scalar],
        reads: Reads,
        definitions: Definitions,
        imports: Imports<'a>,
        mut builder: FunctionBuilder<'f>,
    ) -> (Translator<'a, 'f>, Vec<Value>) {
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let parameters = builder.block_params(entry).to_vec();
        let (time, step) = if parameters.len() > HANDLER_PARAMETERS.len() {
            (parameters[3], parameters[4])
        } else {
            let zero = builder.ins().f64const(0.0);
            (zero, zero)
        };
        let mut translator = Translator {
            program,
            imports,
            builder,
            variables: Vec::new(),
            scalars: Vec::new(),
            reads,
            definitions,
            context: parameters[0],
            memory: parameters[1],
            links: parameters[2],
            time,
            step,
            instances: Vec::new(),
            unsaved: Unsaved::default(),
        };
        translator.declare(registers);
        (translator, parameters)
    }

    /// Ends the function.
    pub(crate) fn leave(mut self) {
        self.builder.ins().return_(&[]);
        let frontend = self.imports.frontend_config();
        self.builder.finalize(frontend);
    }

    /// Adds registers.
    fn declare(&mut self, registers: &[Scalar]) {
        for scalar in registers {
            self.variables.push(self.builder.declare_var(match scalar {
                Scalar::Real => F64,
                Scalar::Truth => I8,
            }));
            self.scalars.push(*scalar);
        }
    }
}

impl Translator<'_, '_> {
    /// Begins a loop over the indices from `first` to before `last`.
    pub(crate) fn begin_count(&mut self, first: Value, last: Value) -> Count {
        let body = self.builder.create_block();
        let end = self.builder.create_block();
        let index = self.builder.append_block_param(body, I64);
        self.repeat_while_below(first, last, body, end);
        self.builder.switch_to_block(body);
        Count { index, body, end }
    }

    /// Ends a loop whose body was for `step` indices.
    pub(crate) fn end_count(&mut self, count: Count, last: Value, step: u32) {
        let Count { index, body, end } = count;
        let next = self.builder.ins().iadd_imm_s(index, i64::from(step));
        self.repeat_while_below(next, last, body, end);
        self.builder.seal_block(body);
        self.builder.seal_block(end);
        self.builder.switch_to_block(end);
    }

    /// Runs code for each index in a range.
    fn count(&mut self, first: Value, last: Value, code: impl FnOnce(&mut Self, Value)) {
        let count = self.begin_count(first, last);
        code(self, count.index);
        self.end_count(count, last, 1);
    }

    fn repeat_while_below(
        &mut self,
        index: Value,
        last: Value,
        body: cranelift_codegen::ir::Block,
        end: cranelift_codegen::ir::Block,
    ) {
        let below = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, index, last);
        self.builder
            .ins()
            .brif(below, body, &[index.into()], end, &[]);
    }

    /// Runs a block for one instance of one more level.
    fn instance(&mut self, index: Value, population: u32, block: &Block) {
        self.enter_level(index, population);
        self.block(block);
        self.leave_level();
    }

    /// Begins code for an instance of one more level.
    pub(crate) fn enter_level(&mut self, index: Value, population: u32) {
        let slot = self.element(self.memory, index, SLOT_BYTES);
        let link = self.element(self.links, index, LINK_BYTES);
        self.instances.push(Instance {
            index,
            slot,
            link,
            population,
        });
    }

    pub(crate) fn leave_level(&mut self) {
        self.instances.pop();
    }

    pub(crate) fn any_receiver(&self, port: u32, population: u32) -> bool {
        tables::any_receiver(self.program, port, population)
    }

    pub(crate) fn element(&mut self, array: Value, index: Value, bytes: u64) -> Value {
        let shift = i64::from(bytes.trailing_zeros());
        let offset = self.builder.ins().ishl_imm_u(index, shift);
        self.builder.ins().iadd(array, offset)
    }

    pub(crate) fn block(&mut self, block: &Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
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
            // Validation admits none.
            Statement::Twice(_) => {}
        }
    }

    /// Runs a body for the attached instances of a range, two at a time where that is possible.
    fn attached(
        &mut self,
        mut first: Value,
        last: Value,
        level: Level,
        population: u32,
        body: &Block,
    ) {
        let mut populations: Vec<u32> = self.instances.iter().map(|i| i.population).collect();
        populations.push(population);
        let unsaved = self.take_unsaved(level, body);
        let mut scalars = self.scalars.clone();
        let program = self.program;
        let reads = &self.reads;
        let pairs = LaneLoop::of(program, body, level, &populations, reads, &mut scalars);
        if let Some(pairs) = pairs {
            self.declare(&scalars[self.scalars.len()..]);
            // A table that goes backwards leaves nothing to do.
            let after = self.builder.ins().umax(first, last);
            let length = self.builder.ins().isub(after, first);
            self.before_lane_loop(&pairs);
            let even = self.builder.ins().band_imm_s(length, -i64::from(LANES));
            let end = self.builder.ins().iadd(first, even);
            let count = self.begin_count(first, end);
            self.enter_level(count.index, population);
            self.save(&unsaved, F64X2);
            self.lane_loop(level, &pairs);
            self.leave_level();
            self.end_count(count, end, LANES);
            first = end;
        }
        self.count(first, last, |translator, index| {
            translator.enter_level(index, population);
            translator.save(&unsaved, F64);
            translator.block(body);
            translator.leave_level();
        });
    }

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

    /// Runs the body that the triple of a run names for the instances that it names.
    fn run(&mut self, run: Value, runs: u32, level: Level, arms: &[Block], populations: &[u32]) {
        let index = self.builder.ins().imul_imm_s(run, 3);
        let triple = self.element(self.links, index, LINK_BYTES);
        let [arm, first, last] = [0, 1, 2].map(|i| self.link(triple, u64::from(runs) + i));
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

    /// Address of an array on the stack with the values of registers.
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
            Operation::Call(function, argument) => {
                let argument = self.get(argument);
                match function {
                    Function::Sqrt => self.builder.ins().sqrt(argument),
                    Function::Ceil => self.builder.ins().ceil(argument),
                    Function::Abs => self.builder.ins().fabs(argument),
                    function => self.call_value(Helper::Elementary(function), &[argument]),
                }
            }
            Operation::Random(scale) => {
                let draw = self.call_value(Helper::Draw, &[self.context]);
                let scale = self.get(scale);
                self.builder.ins().fmul(scale, draw)
            }
        }
    }

    /// A product and a third number, in one rounding; of doubles, or of vectors of them.
    pub(crate) fn fused(&mut self, fusion: Fusion, [a, b, c]: [Value; 3]) -> Value {
        let (a, c) = match fusion {
            Fusion::Add => (a, c),
            Fusion::Subtract => (a, self.builder.ins().fneg(c)),
            Fusion::SubtractFrom => (self.builder.ins().fneg(a), c),
        };
        self.builder.ins().fma(a, b, c)
    }

    pub(crate) fn call(
        &mut self,
        helper: Helper,
        arguments: &[Value],
    ) -> cranelift_codegen::ir::Inst {
        let function = self.imports.import(helper, self.builder.func);
        self.builder.ins().call(function, arguments)
    }

    pub(crate) fn call_value(&mut self, helper: Helper, arguments: &[Value]) -> Value {
        let call = self.call(helper, arguments);
        self.builder.inst_results(call)[0]
    }

    /// Base and displacement of the address of a place.
    pub(crate) fn address(&mut self, place: Place) -> (Value, i32) {
        match place {
            Place::Slot(slot) => self.displaced(self.memory, u64::from(slot) * SLOT_BYTES),
            Place::Column { base, level } => {
                let Instance { slot, .. } = self.at(level);
                self.displaced(slot, u64::from(base) * SLOT_BYTES)
            }
            Place::Linked { table, level } => self.linked(table, level),
        }
    }

    /// The same for the place that entry `table + i` of the links names.
    pub(crate) fn linked(&mut self, table: u32, level: Level) -> (Value, i32) {
        let Instance { link, .. } = self.at(level);
        let target = self.link(link, u64::from(table));
        (self.element(self.memory, target, SLOT_BYTES), 0)
    }

    /// Ends of the range that an offset table gives for an instance.
    fn range(&mut self, offsets: u32, outer: Instance) -> (Value, Value) {
        let first = self.link(outer.link, u64::from(offsets));
        let last = self.link(outer.link, u64::from(offsets) + 1);
        (first, last)
    }

    /// The link that is `entry` links after an address.
    fn link(&mut self, address: Value, entry: u64) -> Value {
        let (address, displacement) = self.displaced(address, entry * LINK_BYTES);
        self.builder.ins().uload32(LINKS, address, displacement)
    }

    fn displaced(&mut self, address: Value, bytes: u64) -> (Value, i32) {
        match i32::try_from(bytes) {
            Ok(displacement) => (address, displacement),
            Err(_) => {
                let bytes = self.builder.ins().iconst(I64, bytes.cast_signed());
                (self.builder.ins().iadd(address, bytes), 0)
            }
        }
    }

    fn at(&self, level: Level) -> Instance {
        self.instances[usize::from(level.0)]
    }

    pub(crate) fn get(&mut self, register: Register) -> Value {
        self.builder.use_var(self.variables[register.0 as usize])
    }

    pub(crate) fn set(&mut self, register: Register, value: Value) {
        self.builder
            .def_var(self.variables[register.0 as usize], value);
    }
}

pub(crate) fn condition_code(comparison: Comparison) -> FloatCC {
    match comparison {
        Comparison::Less => FloatCC::LessThan,
        Comparison::Greater => FloatCC::GreaterThan,
        Comparison::LessOrEqual => FloatCC::LessThanOrEqual,
        Comparison::GreaterOrEqual => FloatCC::GreaterThanOrEqual,
        Comparison::Equal => FloatCC::Equal,
        Comparison::NotEqual => FloatCC::NotEqual,
    }
}
