//! The state of one function that is being made: its registers, loops and addresses.
//!
//! Register `r` becomes variable `r`. A place becomes the address of its array, advanced by the
//! instance, plus a constant displacement. Loops test at their end, behind one test that skips a loop
//! without instances.

use std::collections::HashMap;
use std::mem::swap;

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::types::{F64, I8, I64};
use cranelift_codegen::ir::{
    Block as Label, FuncRef, Function, Inst, InstBuilder, MemFlagsData, Value,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, Variable};
use cranelift_jit::JITModule;
use cranelift_module::{FuncId, Module};
use lems_ir::{Comparison, Definitions, Fusion, Level, Place, Program, Register, Scalar};
use lems_optimise::Reads;

use crate::codegen::abi::{Declaration, HANDLER_PARAMETERS, Helper};

pub(crate) const SLOT_BYTES: u64 = size_of::<f64>() as u64;
pub(crate) const LINK_BYTES: u64 = size_of::<u32>() as u64;

/// How memory is accessed; validation has shown that all addresses are inside it.
pub(crate) const MEMORY: MemFlagsData = MemFlagsData::trusted();
/// How vectors are accessed; they need not begin at a multiple of their size.
pub(crate) const VECTOR: MemFlagsData = MemFlagsData::new().with_notrap();
/// How the links are accessed, which nothing changes.
const LINKS: MemFlagsData = MemFlagsData::trusted().with_readonly().with_can_move();

/// Columns that the code so far does not store, by first slot: the address where the copy of instance
/// zero would be.
pub(crate) type Uncopied = HashMap<u32, Value>;

/// Bytes from the start of an array to one of its slots, for an instruction that takes an address and
/// a displacement.
///
/// # Panics
///
/// If an instruction cannot hold the number. Arrays on the stack and buffers of a block are far smaller.
pub(crate) fn displacement(slots: u64) -> i32 {
    match i32::try_from(slots.saturating_mul(SLOT_BYTES)) {
        Ok(bytes) => bytes,
        Err(_) => lems_index::bug(&format!("a displacement of {slots} slots")),
    }
}

/// The current instance of a loop.
#[derive(Clone, Copy)]
pub(crate) struct Instance {
    pub(crate) index: Value,
    /// Address of `memory[index]`.
    slot: Value,
    /// Address of `links[index]`.
    pub(crate) link: Value,
    pub(crate) population: u32,
}

/// A loop over instances whose body is being made.
pub(crate) struct Count {
    /// The instance that the loop is at.
    pub(crate) index: Value,
    body: Label,
    end: Label,
}

/// The helpers as one function sees them.
pub(crate) struct Imports<'m> {
    module: &'m mut JITModule,
    declarations: &'static [Declaration],
    /// For each declaration: the helper in the module.
    helpers: &'m [FuncId],
    /// For each declaration: the helper in the function, if the function calls it.
    references: Vec<Option<FuncRef>>,
    fuses: bool,
}

impl<'m> Imports<'m> {
    /// For a function that calls nothing yet; `fuses` says whether a product and a sum take one
    /// instruction.
    pub(crate) fn new(
        module: &'m mut JITModule,
        declarations: &'static [Declaration],
        helpers: &'m [FuncId],
        fuses: bool,
    ) -> Self {
        Imports {
            module,
            declarations,
            helpers,
            references: vec![None; declarations.len()],
            fuses,
        }
    }

    /// Whether a product and a sum take one instruction.
    pub(crate) fn fuses(&self) -> bool {
        self.fuses
    }

    /// The reference by which a function calls a helper.
    ///
    /// # Panics
    ///
    /// If the helper is not declared.
    fn import(&mut self, helper: Helper, function: &mut Function) -> FuncRef {
        let mut declarations = self.declarations.iter();
        let number = declarations.position(|declaration| declaration.helper == helper);
        assert!(number.is_some(), "{helper:?} is not declared");
        let number = number.unwrap_or_default();
        *self.references[number].get_or_insert_with(|| {
            (self.module).declare_func_in_func(self.helpers[number], function)
        })
    }

    fn frontend_config(&self) -> TargetFrontendConfig {
        self.module.target_config()
    }
}

/// A function that is being made from the code of a kernel.
pub(crate) struct Translator<'a, 'f> {
    pub(crate) program: &'a Program,
    pub(crate) imports: Imports<'a>,
    pub(crate) builder: FunctionBuilder<'f>,
    /// By register.
    variables: Vec<Variable>,
    /// For each register: its type.
    pub(crate) scalars: Vec<Scalar>,
    /// How often each register of the kernel is read.
    pub(crate) reads: Reads,
    pub(crate) definitions: Definitions,
    pub(crate) context: Value,
    memory: Value,
    pub(crate) links: Value,
    pub(crate) time: Value,
    pub(crate) step: Value,
    /// For each level: the instance that the loop is at.
    pub(crate) instances: Vec<Instance>,
    pub(crate) uncopied: Uncopied,
}

impl<'a, 'f> Translator<'a, 'f> {
    /// Begins a function whose first parameters are context, memory and links. A function with more
    /// parameters than a handler also gets time and step.
    pub(crate) fn enter(
        program: &'a Program,
        registers: &[Scalar],
        reads: Reads,
        definitions: Definitions,
        imports: Imports<'a>,
        mut builder: FunctionBuilder<'f>,
    ) -> (Translator<'a, 'f>, Vec<Value>) {
        // The entry block, whose parameters are those of the function.
        let entry = builder.create_block();
        builder.append_block_params_for_function_params(entry);
        builder.switch_to_block(entry);
        builder.seal_block(entry);
        let parameters = builder.block_params(entry).to_vec();
        // Handlers run between steps: they have no time and no step.
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
            uncopied: Uncopied::default(),
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
    pub(crate) fn declare(&mut self, registers: &[Scalar]) {
        let variables = self.variables_for(registers);
        self.variables.extend(variables);
        self.scalars.extend(registers);
    }

    /// A variable for each of some registers.
    pub(crate) fn variables_for(&mut self, registers: &[Scalar]) -> Vec<Variable> {
        let declare = |scalar: &Scalar| {
            self.builder.declare_var(match scalar {
                Scalar::Real => F64,
                Scalar::Truth => I8,
            })
        };
        registers.iter().map(declare).collect()
    }

    /// Has registers stand for other variables.
    pub(crate) fn swap_variables(&mut self, others: &mut Vec<Variable>) {
        swap(&mut self.variables, others);
    }
}

/// Registers and calls.
impl Translator<'_, '_> {
    pub(crate) fn get(&mut self, register: Register) -> Value {
        self.builder.use_var(self.variables[register.0 as usize])
    }

    pub(crate) fn set(&mut self, register: Register, value: Value) {
        self.builder
            .def_var(self.variables[register.0 as usize], value);
    }

    /// Calls a helper.
    pub(crate) fn call(&mut self, helper: Helper, arguments: &[Value]) -> Inst {
        let function = self.imports.import(helper, self.builder.func);
        self.builder.ins().call(function, arguments)
    }

    /// Calls a helper that returns a number.
    pub(crate) fn call_value(&mut self, helper: Helper, arguments: &[Value]) -> Value {
        let call = self.call(helper, arguments);
        self.builder.inst_results(call)[0]
    }

    /// A fused product and sum (or difference): one rounding only. The values are doubles or vectors of
    /// doubles.
    pub(crate) fn fused(&mut self, fusion: Fusion, [a, b, c]: [Value; 3]) -> Value {
        let (a, c) = match fusion {
            Fusion::Add => (a, c),
            Fusion::Subtract => (a, self.builder.ins().fneg(c)),
            Fusion::SubtractFrom => (self.builder.ins().fneg(a), c),
        };
        self.builder.ins().fma(a, b, c)
    }
}

/// Loops and branches.
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

    /// Ends a loop whose body computes `step` indices at a time.
    pub(crate) fn end_count(&mut self, count: Count, last: Value, step: u32) {
        let Count { index, body, end } = count;
        let next = self.builder.ins().iadd_imm_s(index, i64::from(step));
        self.repeat_while_below(next, last, body, end);
        self.builder.seal_block(body);
        self.builder.seal_block(end);
        self.builder.switch_to_block(end);
    }

    /// Runs code for each index in a range.
    pub(crate) fn count(&mut self, first: Value, last: Value, code: impl FnOnce(&mut Self, Value)) {
        let count = self.begin_count(first, last);
        code(self, count.index);
        self.end_count(count, last, 1);
    }

    /// Jumps to the body of a loop with an index that is below `last`, else to its end.
    fn repeat_while_below(&mut self, index: Value, last: Value, body: Label, end: Label) {
        let below = self
            .builder
            .ins()
            .icmp(IntCC::UnsignedLessThan, index, last);
        self.builder
            .ins()
            .brif(below, body, &[index.into()], end, &[]);
    }

    /// Begins code for an instance of one more level.
    pub(crate) fn enter_level(&mut self, index: Value, population: u32) {
        let instance = self.instance_at(index, population);
        self.instances.push(instance);
    }

    /// The instance at an index.
    pub(crate) fn instance_at(&mut self, index: Value, population: u32) -> Instance {
        Instance {
            index,
            slot: self.element(self.memory, index, SLOT_BYTES),
            link: self.element(self.links, index, LINK_BYTES),
            population,
        }
    }

    /// Ends code for an instance of the innermost level.
    pub(crate) fn leave_level(&mut self) {
        self.instances.pop();
    }

    /// Begins code that runs if a condition holds, which is rare; returns the label of what follows it.
    pub(crate) fn begin_rare(&mut self, condition: Value) -> Label {
        let (yes, next) = (self.builder.create_block(), self.builder.create_block());
        self.builder.ins().brif(condition, yes, &[], next, &[]);
        self.builder.seal_block(yes);
        self.builder.set_cold_block(yes);
        self.builder.switch_to_block(yes);
        next
    }

    /// Ends code that [`begin_rare`](Self::begin_rare) began.
    pub(crate) fn end_rare(&mut self, next: Label) {
        self.builder.ins().jump(next, &[]);
        self.builder.seal_block(next);
        self.builder.switch_to_block(next);
    }
}

/// Addresses.
impl Translator<'_, '_> {
    /// Address of an element of an array whose elements have `bytes` bytes, a power of two.
    pub(crate) fn element(&mut self, array: Value, index: Value, bytes: u64) -> Value {
        let shift = i64::from(bytes.trailing_zeros());
        let offset = self.builder.ins().ishl_imm_u(index, shift);
        self.builder.ins().iadd(array, offset)
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

    /// Base and displacement of the address of the slot that entry `table + i` of the links names.
    pub(crate) fn linked(&mut self, table: u32, level: Level) -> (Value, i32) {
        let Instance { link, .. } = self.at(level);
        let target = self.link(link, u64::from(table));
        (self.element(self.memory, target, SLOT_BYTES), 0)
    }

    /// Ends of the range that an offset table gives for an instance.
    pub(crate) fn range(&mut self, offsets: u32, outer: Instance) -> (Value, Value) {
        let first = self.link(outer.link, u64::from(offsets));
        let last = self.link(outer.link, u64::from(offsets) + 1);
        (first, last)
    }

    /// The link that is `entry` links after an address.
    pub(crate) fn link(&mut self, address: Value, entry: u64) -> Value {
        let (address, displacement) = self.displaced(address, entry * LINK_BYTES);
        self.builder.ins().uload32(LINKS, address, displacement)
    }

    /// An address plus a number of bytes, as base and displacement.
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
}

/// Cranelift's name of a comparison.
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
