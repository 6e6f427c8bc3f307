//! The parts of a block kernel, as one function that takes a block of instances through all of them.
//!
//! Buffer `b` begins `b * stride` doubles after the first buffer. The entry of an instance in a buffer is
//! its distance from the first instance of the block.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I64};
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;
use lems_ir::{Definitions, Level, Program, Register, Scalar};
use lems_optimise::{Part, Piece};

use crate::codegen::abi::{Helper, LANES};
use crate::codegen::lanes::Lanes;
use crate::codegen::translator::{Imports, MEMORY, SLOT_BYTES, Translator, displacement};
use crate::plan::block::BlockPlan;

/// Fills a function with the code of a block kernel. The signature of the function is already set.
///
/// The function runs for an even number of instances, at most the plan's stride. If `copies` is true, it
/// copies the old content of each column before it stores anything there.
pub(crate) fn translate_block(
    program: &Program,
    plan: &BlockPlan,
    population: u32,
    copies: bool,
    imports: Imports<'_>,
    builder: FunctionBuilder<'_>,
) {
    let kernel = &plan.kernel;
    let definitions = Definitions::of(kernel.parts.iter().filter_map(Part::code));
    let (mut translator, parameters) = Translator::enter(
        program,
        &kernel.registers,
        kernel.reads(),
        definitions,
        imports,
        builder,
    );
    if copies {
        translator.copy_columns(&plan.independence.stored, parameters[8]);
    }
    let mut parts = Parts {
        translator: &mut translator,
        population,
        stride: plan.stride,
        first: parameters[5],
        last: parameters[6],
        buffers: parameters[7],
        in_any_order: plan.independence.ordered.is_empty() && !plan.has_tail,
    };
    for part in &kernel.parts {
        parts.part(part);
    }
    translator.leave();
}

/// A block function that is being made.
struct Parts<'t, 'a, 'f> {
    translator: &'t mut Translator<'a, 'f>,
    population: u32,
    stride: u32,
    first: Value,
    last: Value,
    buffers: Value,
    /// Whether each part can run for the instances in any order.
    in_any_order: bool,
}

/// Where the buffers of a block are.
#[derive(Clone, Copy)]
struct Buffers {
    /// The first instance of the block.
    first: Value,
    /// Address of the first buffer.
    address: Value,
    stride: u32,
}

impl Buffers {
    /// Address of the entry of an instance in the first buffer.
    fn entry(self, translator: &mut Translator<'_, '_>, index: Value) -> Value {
        let builder = &mut translator.builder;
        let distance = builder.ins().isub(index, self.first);
        let bytes = builder
            .ins()
            .ishl_imm_u(distance, i64::from(SLOT_BYTES.trailing_zeros()));
        builder.ins().iadd(self.address, bytes)
    }

    /// Bytes from the first buffer to another.
    fn displacement(self, buffer: u32) -> i32 {
        displacement(u64::from(buffer) * u64::from(self.stride))
    }

    /// Gives registers the values that earlier parts left in buffers.
    fn load(self, translator: &mut Translator<'_, '_>, entry: Value, inputs: &[(Register, u32)]) {
        for &(register, buffer) in inputs {
            let displacement = self.displacement(buffer);
            let value = match translator.scalars[register.0 as usize] {
                Scalar::Real => (translator.builder.ins()).load(F64, MEMORY, entry, displacement),
                Scalar::Truth => mask_holds(translator, entry, displacement),
            };
            translator.set(register, value);
        }
    }

    /// Leaves the values of registers in buffers for later parts.
    fn store(self, translator: &mut Translator<'_, '_>, entry: Value, outputs: &[(Register, u32)]) {
        for &(register, buffer) in outputs {
            let displacement = self.displacement(buffer);
            let value = translator.get(register);
            let value = match translator.scalars[register.0 as usize] {
                Scalar::Real => value,
                Scalar::Truth => translator.builder.ins().bmask(I64, value),
            };
            (translator.builder.ins()).store(MEMORY, value, entry, displacement);
        }
    }
}

/// Whether the mask at an address is set.
fn mask_holds(translator: &mut Translator<'_, '_>, entry: Value, displacement: i32) -> Value {
    let builder = &mut translator.builder;
    let mask = builder.ins().load(I64, MEMORY, entry, displacement);
    builder.ins().icmp_imm_s(IntCC::NotEqual, mask, 0)
}

impl Parts<'_, '_, '_> {
    /// Runs one part for all instances of the block.
    fn part(&mut self, part: &Part) {
        match part {
            Part::Lanes(piece) => self.lanes(piece),
            Part::Each(piece) => self.each(piece),
            // Functions of whole buffers are calls of helpers.
            Part::Call {
                function,
                first,
                count,
            } => {
                let values = self.buffer(*first);
                let shape = self.rows(*count);
                self.translator.call(
                    Helper::CallRows(*function),
                    &[&[values], &shape[..]].concat(),
                );
            }
            Part::Power {
                bases,
                exponents,
                count,
            } => {
                let bases = self.buffer(*bases);
                let exponents = self.buffer(*exponents);
                let shape = self.rows(*count);
                let arguments = [&[bases, exponents], &shape[..]].concat();
                self.translator.call(Helper::PowerRows, &arguments);
            }
            // A scheme needs the context, for the program, and the step.
            Part::Propagate {
                scheme,
                occupancies,
                states,
                rates,
            } => {
                let occupancies = self.buffer(*occupancies);
                let rates = self.buffer(*rates);
                let [states, stride, length] = self.rows(*states);
                let translator = &mut *self.translator;
                let scheme = translator.builder.ins().iconst(I64, i64::from(*scheme));
                let (context, step) = (translator.context, translator.step);
                translator.call(
                    Helper::PropagateRows,
                    &[
                        context,
                        scheme,
                        occupancies,
                        states,
                        rates,
                        stride,
                        length,
                        step,
                    ],
                );
            }
            Part::Emit(events) => self.emit(events),
        }
    }

    /// Number of rows, distance between the starts of two rows, and length of a row, in doubles.
    fn rows(&mut self, count: u32) -> [Value; 3] {
        let builder = &mut self.translator.builder;
        let count = builder.ins().iconst(I64, i64::from(count));
        let stride = builder.ins().iconst(I64, i64::from(self.stride));
        let length = builder.ins().isub(self.last, self.first);
        [count, stride, length]
    }

    /// Where the buffers of the block are.
    fn buffers(&self) -> Buffers {
        Buffers {
            first: self.first,
            address: self.buffers,
            stride: self.stride,
        }
    }

    /// Bytes from the first buffer to another.
    fn displacement(&self, buffer: u32) -> i32 {
        self.buffers().displacement(buffer)
    }

    /// Address of a buffer.
    fn buffer(&mut self, buffer: u32) -> Value {
        let displacement = i64::from(self.displacement(buffer));
        self.translator
            .builder
            .ins()
            .iadd_imm_s(self.buffers, displacement)
    }

    /// Address of the entry of an instance in the first buffer.
    fn entry(&mut self, index: Value) -> Value {
        self.buffers().entry(self.translator, index)
    }

    /// Runs straight-line code for two instances at a time.
    fn lanes(&mut self, piece: &Piece) {
        let label = self.translator.begin_count(self.first, self.last);
        let entry = self.entry(label.index);
        self.translator.enter_level(label.index, self.population);
        let uncopied = self.translator.take_uncopied(Level(0), &piece.body);
        self.translator.copy(&uncopied, F64X2);
        let mut lanes = Lanes::new(Level(0));
        // What earlier parts left in buffers.
        for &(register, buffer) in &piece.inputs {
            let scalar = self.translator.scalars[register.0 as usize];
            let displacement = self.displacement(buffer);
            let pair = self.translator.load_pair(scalar, entry, displacement);
            lanes.values.insert(register, pair);
        }
        self.translator.lanes(&mut lanes, &piece.body);
        // What later parts need.
        for &(register, buffer) in &piece.outputs {
            let pair = self.translator.both(&lanes, register);
            let displacement = self.displacement(buffer);
            self.translator.store_pair(pair, entry, displacement);
        }
        self.translator.leave_level();
        self.translator.end_count(label, self.last, LANES);
    }

    /// Runs code for one instance after another, or for two of them at once.
    fn each(&mut self, piece: &Piece) {
        let buffers = self.buffers();
        let label = self.translator.begin_count(self.first, self.last);
        self.translator.enter_level(label.index, self.population);
        let uncopied = self.translator.take_uncopied(Level(0), &piece.body);
        let before = |translator: &mut Translator<'_, '_>| {
            translator.copy(&uncopied, F64);
            let entry = buffers.entry(translator, translator.instances[0].index);
            buffers.load(translator, entry, &piece.inputs);
        };
        let after = |translator: &mut Translator<'_, '_>| {
            let entry = buffers.entry(translator, translator.instances[0].index);
            buffers.store(translator, entry, &piece.outputs);
        };
        let two_hosts = match self.in_any_order {
            true => self.translator.two_hosts(&piece.body, self.population),
            false => None,
        };
        let step = match two_hosts {
            Some(code) => {
                let next = self.translator.builder.ins().iadd_imm_s(label.index, 1);
                let other = self.translator.instance_at(next, self.population);
                self.translator.for_two_hosts(code, other, before, after);
                2
            }
            None => {
                before(self.translator);
                self.translator.block(&piece.body);
                after(self.translator);
                1
            }
        };
        self.translator.leave_level();
        self.translator.end_count(label, self.last, step);
    }

    /// Sends the events of all instances, in their order.
    fn emit(&mut self, events: &[(Option<u32>, u32)]) {
        let events: Vec<(Option<u32>, u32)> = (events.iter().copied())
            .filter(|(_, port)| self.translator.any_receiver(*port, self.population))
            .collect();
        let masks: Option<Vec<u32>> = events.iter().map(|(mask, _)| *mask).collect();
        match masks.as_deref() {
            Some([]) => {}
            Some(masks) => self.emit_where_any(&events, masks),
            // Some events are sent unconditionally.
            None => {
                let label = self.translator.begin_count(self.first, self.last);
                self.emit_one(&events, label.index);
                self.translator.end_count(label, self.last, 1);
            }
        }
    }

    /// Sends events that all have conditions. One test skips two instances that send none.
    fn emit_where_any(&mut self, events: &[(Option<u32>, u32)], masks: &[u32]) {
        let label = self.translator.begin_count(self.first, self.last);
        let entry = self.entry(label.index);
        let mut any = None;
        for buffer in masks {
            let displacement = self.displacement(*buffer);
            let pair = self
                .translator
                .load_pair(Scalar::Truth, entry, displacement);
            any = Some(match any {
                None => pair,
                Some(others) => self.translator.builder.ins().bor(others, pair),
            });
        }
        if let Some(any) = any {
            let any = self.translator.builder.ins().vany_true(any);
            let next = self.translator.begin_rare(any);
            for lane in 0..LANES {
                let lane = i64::from(lane);
                let index = self.translator.builder.ins().iadd_imm_s(label.index, lane);
                self.emit_one(events, index);
            }
            self.translator.end_rare(next);
        }
        self.translator.end_count(label, self.last, LANES);
    }

    /// Sends the events of one instance.
    fn emit_one(&mut self, events: &[(Option<u32>, u32)], index: Value) {
        let entry = self.entry(index);
        for &(mask, port) in events {
            let next = mask.map(|buffer| {
                let displacement = self.displacement(buffer);
                let holds = mask_holds(self.translator, entry, displacement);
                self.translator.begin_rare(holds)
            });
            let translator = &mut *self.translator;
            let source = translator.builder.ins().iadd_imm_s(index, i64::from(port));
            translator.call(Helper::Emit, &[translator.context, source, index]);
            if let Some(next) = next {
                self.translator.end_rare(next);
            }
        }
    }
}
