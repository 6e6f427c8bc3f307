//! The parts of a block kernel as machine code: one function that takes a block of instances
//! through all of them.
//!
//! Buffer `b` begins `b * stride` doubles after the first; the place of an instance in it is its
//! distance from the first instance of the block.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F64, F64X2, I64};
use cranelift_codegen::ir::{Block as Label, InstBuilder, Type, Value};
use cranelift_frontend::FunctionBuilder;
use lems_ir::{Definitions, Level, Program, Scalar};
use lems_optimise::{Part, Piece};

use crate::assembler::Imports;
use crate::helpers::Helper;
use crate::lanes::{LANES, Lanes};
use crate::plan::BlockPlan;
use crate::translate::{MEMORY, SLOT_BYTES, Translator, displacement};

/// Parameters of a block function: context, memory, links, time, step, first and last instance,
/// buffers, addresses of the copies of columns.
pub(crate) const BLOCK_PARAMETERS: [Type; 9] = [I64, I64, I64, F64, F64, I64, I64, I64, I64];

/// Fills a function, whose signature is set, with the code of a block kernel, which runs for an
/// even number of instances, the plan's stride at most; with `saves`, it copies what they hold in
/// columns before it stores anything there.
pub(crate) fn translate_block(
    program: &Program,
    plan: &BlockPlan,
    population: u32,
    saves: bool,
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
    if saves {
        translator.save_columns(&plan.independence.stored, parameters[8]);
    }
    let mut parts = Parts {
        translator: &mut translator,
        population,
        stride: plan.stride,
        first: parameters[5],
        last: parameters[6],
        buffers: parameters[7],
    };
    for part in &kernel.parts {
        parts.part(part);
    }
    translator.leave();
}

struct Parts<'t, 'a, 'f> {
    translator: &'t mut Translator<'a, 'f>,
    population: u32,
    stride: u32,
    first: Value,
    last: Value,
    buffers: Value,
}

impl Parts<'_, '_, '_> {
    fn part(&mut self, part: &Part) {
        match part {
            Part::Lanes(piece) => self.lanes(piece),
            Part::Each(piece) => self.each(piece),
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

    /// Number of rows, distance of two rows, and length of a row, in doubles.
    fn rows(&mut self, count: u32) -> [Value; 3] {
        let builder = &mut self.translator.builder;
        let count = builder.ins().iconst(I64, i64::from(count));
        let stride = builder.ins().iconst(I64, i64::from(self.stride));
        let length = builder.ins().isub(self.last, self.first);
        [count, stride, length]
    }

    fn displacement(&self, buffer: u32) -> i32 {
        displacement(u64::from(buffer) * u64::from(self.stride))
    }

    fn buffer(&mut self, buffer: u32) -> Value {
        let displacement = i64::from(self.displacement(buffer));
        self.translator
            .builder
            .ins()
            .iadd_imm_s(self.buffers, displacement)
    }

    /// Address of the place of an instance in the first buffer.
    fn entry(&mut self, index: Value) -> Value {
        let builder = &mut self.translator.builder;
        let distance = builder.ins().isub(index, self.first);
        let bytes = builder
            .ins()
            .ishl_imm_u(distance, i64::from(SLOT_BYTES.trailing_zeros()));
        builder.ins().iadd(self.buffers, bytes)
    }

    fn lanes(&mut self, piece: &Piece) {
        let label = self.translator.begin_count(self.first, self.last);
        let entry = self.entry(label.index);
        self.translator.enter_level(label.index, self.population);
        let unsaved = self.translator.take_unsaved(Level(0), &piece.body);
        self.translator.save(&unsaved, F64X2);
        let mut lanes = Lanes::new(Level(0));
        for &(register, buffer) in &piece.inputs {
            let scalar = self.translator.scalars[register.0 as usize];
            let displacement = self.displacement(buffer);
            let pair = self.translator.load_pair(scalar, entry, displacement);
            lanes.values.insert(register, pair);
        }
        self.translator.lanes(&mut lanes, &piece.body);
        for &(register, buffer) in &piece.outputs {
            let pair = self.translator.both(&lanes, register);
            let displacement = self.displacement(buffer);
            self.translator.store_pair(pair, entry, displacement);
        }
        self.translator.leave_level();
        self.translator.end_count(label, self.last, LANES);
    }

    fn each(&mut self, piece: &Piece) {
        let label = self.translator.begin_count(self.first, self.last);
        let entry = self.entry(label.index);
        self.translator.enter_level(label.index, self.population);
        let unsaved = self.translator.take_unsaved(Level(0), &piece.body);
        self.translator.save(&unsaved, F64);
        for &(register, buffer) in &piece.inputs {
            let displacement = self.displacement(buffer);
            let translator = &mut *self.translator;
            let value = match translator.scalars[register.0 as usize] {
                Scalar::Real => translator
                    .builder
                    .ins()
                    .load(F64, MEMORY, entry, displacement),
                Scalar::Truth => self.mask_holds(entry, displacement),
            };
            self.translator.set(register, value);
        }
        self.translator.block(&piece.body);
        for &(register, buffer) in &piece.outputs {
            let displacement = self.displacement(buffer);
            let translator = &mut *self.translator;
            let value = translator.get(register);
            let value = match translator.scalars[register.0 as usize] {
                Scalar::Real => value,
                Scalar::Truth => translator.builder.ins().bmask(I64, value),
            };
            translator
                .builder
                .ins()
                .store(MEMORY, value, entry, displacement);
        }
        self.translator.leave_level();
        self.translator.end_count(label, self.last, 1);
    }

    /// Whether the mask at an address is set.
    fn mask_holds(&mut self, entry: Value, displacement: i32) -> Value {
        let builder = &mut self.translator.builder;
        let mask = builder.ins().load(I64, MEMORY, entry, displacement);
        builder.ins().icmp_imm_s(IntCC::NotEqual, mask, 0)
    }

    fn emit(&mut self, events: &[(Option<u32>, u32)]) {
        let events: Vec<(Option<u32>, u32)> = (events.iter().copied())
            .filter(|(_, port)| self.translator.any_receiver(*port, self.population))
            .collect();
        let masks: Option<Vec<u32>> = events.iter().map(|(mask, _)| *mask).collect();
        match masks.as_deref() {
            Some([]) => {}
            Some(masks) => {
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
                    let next = self.begin_if(any);
                    for lane in 0..LANES {
                        let lane = i64::from(lane);
                        let index = self.translator.builder.ins().iadd_imm_s(label.index, lane);
                        self.emit_one(&events, index);
                    }
                    self.end_if(next);
                }
                self.translator.end_count(label, self.last, LANES);
            }
            None => {
                let label = self.translator.begin_count(self.first, self.last);
                self.emit_one(&events, label.index);
                self.translator.end_count(label, self.last, 1);
            }
        }
    }

    /// Sends the events of one instance.
    fn emit_one(&mut self, events: &[(Option<u32>, u32)], index: Value) {
        let entry = self.entry(index);
        for &(mask, port) in events {
            let next = mask.map(|buffer| {
                let displacement = self.displacement(buffer);
                let holds = self.mask_holds(entry, displacement);
                self.begin_if(holds)
            });
            let translator = &mut *self.translator;
            let source = translator.builder.ins().iadd_imm_s(index, i64::from(port));
            translator.call(Helper::Emit, &[translator.context, source, index]);
            if let Some(next) = next {
                self.end_if(next);
            }
        }
    }

    fn begin_if(&mut self, condition: Value) -> Label {
        let builder = &mut self.translator.builder;
        let (yes, next) = (builder.create_block(), builder.create_block());
        builder.ins().brif(condition, yes, &[], next, &[]);
        builder.seal_block(yes);
        builder.set_cold_block(yes);
        builder.switch_to_block(yes);
        next
    }

    fn end_if(&mut self, next: Label) {
        let builder = &mut self.translator.builder;
        builder.ins().jump(next, &[]);
        builder.seal_block(next);
        builder.switch_to_block(next);
    }
}
