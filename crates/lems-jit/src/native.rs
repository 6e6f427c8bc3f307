//! The border between Rust and machine code: the only module with `unsafe`.
//!
//! Machine code is given three pointers: to the context, which it only hands back to the
//! functions here, to the memory, and to the links. What it may do with the latter two is proven
//! by [`validate`](crate::validate) for calls within the populations, and
//! [`advance`](Backend::advance) and [`handle`](Backend::handle) admit no others.
//!
//! While machine code runs, the state is only used through the context, and only while machine
//! code waits for one of the functions here. Those never keep a reference to the content of the
//! memory, and never move it. Of several threads, one at a time has the state; where machine code
//! runs in others, it is given no state, and the content of the memory is only touched through
//! pointers.
//!
//! A panic cannot unwind into machine code: it ends the process at the border of an
//! `extern "C"` function.

#![allow(unsafe_code)]

use lems_index::narrow;
use std::ops::{Deref, Range};
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex};

use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use lems_ir::{Backend, Call, Interpreter, Kernel, Program, State, emit};

use crate::assembler::{Assembler, Part};
use crate::helpers::InPlace;
use crate::lanes::LANES;
use crate::plan::{BlockPlan, FEWEST_TOGETHER, block_plan};
use crate::saved::Saved;
use crate::senders::{Senders, senders};
use crate::settle::Emission;
use crate::together::{Kept, Together};
use crate::{JitError, Populations, too_long, validate};

/// Context, memory, links, time, step, first instance, one after the last.
type StepFunction =
    unsafe extern "C" fn(*const Context<'_>, *mut f64, *const u32, f64, f64, i64, i64);
/// The same, buffers, and where columns are saved.
type BlockFunction = unsafe extern "C" fn(
    *const Context<'_>,
    *mut f64,
    *const u32,
    f64,
    f64,
    i64,
    i64,
    *mut f64,
    *const AtomicPtr<f64>,
);
/// Context, memory, links, instances, how many.
type HandlerFunction =
    unsafe extern "C" fn(*const Context<'_>, *mut f64, *const u32, *const u32, i64);

/// All kernels and handlers of a program as machine code.
pub struct CompiledProgram<'p> {
    program: Held<'p>,
    populations: Populations,
    /// `None` where a kernel is too long: it is interpreted.
    kernels: Vec<Option<CompiledKernel>>,
    handlers: Vec<Option<HandlerFunction>>,
    /// The schedule, if all its calls compute one instance after the other in machine code.
    in_order: Option<Vec<InOrder>>,
    together: Together,
    _code: Code,
}

/// A program that is borrowed, or shared with its other owners.
enum Held<'p> {
    Borrowed(&'p Program),
    Shared(Arc<Program>),
}

impl Deref for Held<'_> {
    type Target = Program;

    fn deref(&self) -> &Program {
        match self {
            Held::Borrowed(program) => program,
            Held::Shared(program) => program,
        }
    }
}

struct CompiledKernel {
    step: StepFunction,
    block: Option<CompiledBlock>,
}

impl CompiledKernel {
    /// What computes the instances of a call together, if that is worth it.
    fn block_for(&self, call: &Call) -> Option<&CompiledBlock> {
        let together = call.last.saturating_sub(call.first) >= FEWEST_TOGETHER;
        self.block.as_ref().filter(|_| together)
    }
}

/// A call of the schedule that computes one instance after the other.
struct InOrder {
    function: StepFunction,
    first: i64,
    last: i64,
}

/// A kernel whose instances can be computed in any order.
pub(crate) struct CompiledBlock {
    function: BlockFunction,
    pub(crate) plan: BlockPlan,
    pub(crate) senders: Senders,
}

impl CompiledBlock {
    /// Whether its function saves what it stores.
    pub(crate) fn saves(&self) -> bool {
        self.senders != Senders::Nobody
    }

    /// How many of `team` threads can take part in a call.
    pub(crate) fn threads(&self, call: Call, team: u32) -> u32 {
        match self.senders.passed_on() {
            true => 1,
            false => self.plan.threads(call, team),
        }
    }
}

/// What the functions that machine code calls need.
pub(crate) struct Context<'c> {
    program: &'c Program,
    /// Runs the handlers of events.
    backend: &'c dyn Backend,
    state: *mut State,
    /// Where events are kept for later; null if they are delivered at once.
    log: *mut Vec<Emission>,
}

/// The pages that machine code is in.
struct Code(Mutex<Option<JITModule>>);

impl<'p> CompiledProgram<'p> {
    /// Compiles the kernels and handlers of a program; its set-up kernels, and those that are
    /// [`too_long`], are left to the interpreter.
    ///
    /// # Errors
    ///
    /// If a kernel does not pass [`validate`], or Cranelift does not support the processor or
    /// the size of a kernel.
    pub fn compile(program: &'p Program) -> Result<Self, JitError> {
        Self::with_threads(program, 1)
    }

    /// The same, with steps of many instances on several threads. Results do not depend on their
    /// number.
    ///
    /// # Errors
    ///
    /// As of [`compile`](Self::compile); also if there are no such threads.
    pub fn with_threads(program: &'p Program, threads: usize) -> Result<Self, JitError> {
        Self::without(too_long, program, threads)
    }

    /// The same, but the result also owns the program, so that it can be kept without a lifetime.
    ///
    /// # Errors
    ///
    /// As of [`with_threads`](Self::with_threads).
    pub fn shared(
        program: Arc<Program>,
        threads: usize,
    ) -> Result<CompiledProgram<'static>, JitError> {
        CompiledProgram::of(too_long, Held::Shared(program), threads)
    }

    /// The same, but kernels and handlers that are `interpreted` do not become machine code.
    pub(crate) fn without(
        interpreted: fn(&Kernel) -> bool,
        program: &'p Program,
        threads: usize,
    ) -> Result<Self, JitError> {
        Self::of(interpreted, Held::Borrowed(program), threads)
    }

    fn of(
        interpreted: fn(&Kernel) -> bool,
        held: Held<'p>,
        threads: usize,
    ) -> Result<Self, JitError> {
        let program: &Program = &held;
        let populations = validate(program)?;
        let mut assembler = Assembler::new()?;
        let mut define = |kernels: &[Kernel], part: fn(u32) -> Part| {
            (0..)
                .zip(kernels)
                .map(|(number, kernel)| match interpreted(kernel) {
                    true => Ok(None),
                    false => (assembler.define(program, part(number), &populations)).map(Some),
                })
                .collect::<Result<Vec<Option<FuncId>>, JitError>>()
        };
        let kernels = define(&program.kernels, Part::Kernel)?;
        let handlers = define(&program.handlers, Part::Handler)?;
        let plans: Vec<Option<BlockPlan>> = (0..)
            .zip(&kernels)
            .map(|(number, compiled)| compiled.and_then(|_| block_plan(program, number)))
            .collect();
        let worth_sharing = |plan: &BlockPlan| plan.longest / plan.share >= 2;
        // An interpreted handler would use the memory as one thing while threads use parts of it.
        let several =
            plans.iter().flatten().any(worth_sharing) && handlers.iter().all(Option::is_some);
        let threads = if several { threads.max(1) } else { 1 };
        let blocks = define_blocks(
            &mut assembler,
            program,
            &populations,
            plans,
            narrow(threads),
        )?;
        let module = assembler.finish()?;
        let kernels: Vec<Option<CompiledKernel>> = (kernels.into_iter().zip(blocks))
            .map(|(step, block)| {
                Some(CompiledKernel {
                    step: step_function(&module, step?),
                    block: block.map(|block| CompiledBlock {
                        function: block_function(&module, block.function),
                        senders: block.senders,
                        plan: block.plan,
                    }),
                })
            })
            .collect();
        let handlers = handlers
            .into_iter()
            .map(|function| Some(handler_function(&module, function?)))
            .collect();
        let blocks = kernels.iter().flatten();
        let blocks = blocks.filter_map(|kernel| kernel.block.as_ref());
        let together = Together::new(threads, blocks.map(|block| &block.plan))?;
        let in_order = (program.schedule.iter())
            .map(|call| {
                let kernel = kernels.get(call.kernel as usize)?.as_ref()?;
                kernel.block_for(call).is_none().then_some(InOrder {
                    function: kernel.step,
                    first: i64::from(call.first),
                    last: i64::from(call.last),
                })
            })
            .collect();
        Ok(CompiledProgram {
            program: held,
            populations,
            kernels,
            handlers,
            in_order,
            together,
            _code: Code(Mutex::new(Some(module))),
        })
    }

    /// The memory of a state of this program.
    fn memory(&self, state: &mut State) -> *mut f64 {
        assert_eq!(
            state.memory.len(),
            self.program.memory.len(),
            "the state belongs to another program"
        );
        state.memory.as_mut_ptr()
    }

    /// Computes instances one after the other; their events are delivered at once, to handlers
    /// that `backend` runs.
    ///
    /// # Panics
    ///
    /// If the state is not one of the program's, or the call goes beyond the schedule's.
    pub(crate) fn advance_in_order(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        call: Call,
        time: f64,
        step: f64,
    ) {
        let number = call.kernel as usize;
        let Some(CompiledKernel { step: function, .. }) = self.kernels[number] else {
            return Interpreter::new(&self.program).advance_for(backend, state, call, time, step);
        };
        assert!(
            call.last <= self.populations.kernels[number],
            "a call goes beyond the schedule"
        );
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let context = Context {
            program: &self.program,
            backend,
            state,
            log: std::ptr::null_mut(),
        };
        let (first, last) = (i64::from(call.first), i64::from(call.last));
        // SAFETY: `memory` is of the size that the program was validated with, `links` is the
        // program's own, which `self` holds, and the instances are within the populations; so
        // the code stays inside both. It passes the context on to the functions below and does
        // not use it otherwise. `state` is not used here before the code returns.
        unsafe { function(&context, memory, links, time, step, first, last) }
    }

    pub(crate) fn together(&self) -> &Together {
        &self.together
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Stores a value while other threads may use other slots.
    ///
    /// # Panics
    ///
    /// If there is no such slot, or the state is not one of the program's.
    pub(crate) fn store(&self, state: &mut State, slot: usize, value: f64) {
        let memory = self.memory(state);
        assert!(slot < self.program.memory.len(), "a slot is out of reach");
        // SAFETY: the slot is inside the memory, and whoever settles events is the only one to use
        // slots of instances whose step is settled.
        unsafe { memory.add(slot).write(value) }
    }

    /// Computes instances block by block, in one or several threads, and delivers their events as if
    /// one had come after the other.
    fn advance_together(
        &self,
        block: &CompiledBlock,
        state: &mut State,
        call: Call,
        time: f64,
        step: f64,
    ) {
        assert!(
            call.last <= self.populations.kernels[call.kernel as usize],
            "a call goes beyond the schedule"
        );
        let even = Call {
            last: call.last - (call.last - call.first) % LANES,
            ..call
        };
        let work = Work {
            program: &self.program,
            block,
            instances: even.first..even.last,
            memory: AtomicPtr::new(self.memory(state)),
            time,
            step,
        };
        match (block.plan.has_tail, block.plan.independence.interferes()) {
            (true, _) => self.advance_with_tail(&work, state, even),
            (false, true) => self.advance_in_units(&work, state, even),
            (false, false) => self.advance_in_shares(&work, state, even),
        }
        if even.last < call.last {
            let rest = Call {
                first: even.last,
                ..call
            };
            self.advance_in_order(self, state, rest, time, step);
        }
    }

    /// Runs a handler, for one instance after the other, whose own events reach handlers that
    /// `backend` runs.
    ///
    /// # Panics
    ///
    /// If the state is not one of the program's, or no event of the program runs the handler for
    /// an instance that is as large.
    pub(crate) fn handle_with(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        handler: u32,
        instances: &[u32],
    ) {
        let number = handler as usize;
        let Some(function) = self.handlers[number] else {
            return Interpreter::new(&self.program).handle_for(backend, state, handler, instances);
        };
        let population = self.populations.handlers[number];
        assert!(
            instances.iter().all(|instance| *instance < population),
            "an event has an unknown receiver"
        );
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let context = Context {
            program: &self.program,
            backend,
            state,
            log: std::ptr::null_mut(),
        };
        // SAFETY: as in `advance_in_order`. The code reads as many instances as there are.
        unsafe {
            function(
                &context,
                memory,
                links,
                instances.as_ptr(),
                instances.len() as i64,
            );
        }
    }
}

/// A step of one kernel, which several threads may share.
pub(crate) struct Work<'w> {
    program: &'w Program,
    pub(crate) block: &'w CompiledBlock,
    /// An even number of instances, all within the schedule.
    instances: Range<u32>,
    /// The memory, of which each thread uses what belongs to its own instances.
    memory: AtomicPtr<f64>,
    pub(crate) time: f64,
    pub(crate) step: f64,
}

impl Work<'_> {
    /// Computes a block of instances, which nobody else may be computing or settling; keeps their
    /// events, and what may have to be brought back.
    ///
    /// # Panics
    ///
    /// If they are an odd number, more than a block has, or not among those of the step.
    pub(crate) fn advance(&self, buffers: &mut Vec<f64>, kept: &mut Kept, instances: Range<u32>) {
        let Kept { saved, copies, log } = kept;
        self.locate_copies(saved, copies, &instances);
        let context = Context {
            program: self.program,
            backend: &Nothing,
            state: std::ptr::null_mut(),
            log,
        };
        let memory = self.memory.load(Ordering::Relaxed);
        self.call(&context, memory, buffers, copies, instances);
    }

    /// Computes a block of instances, whose events are delivered at once, to handlers that `backend`
    /// runs. Nobody else may be at work.
    ///
    /// # Panics
    ///
    /// As for [`advance`](Self::advance); also if the state is not that of the work.
    pub(crate) fn advance_at_once(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        buffers: &mut Vec<f64>,
        instances: Range<u32>,
    ) {
        let memory = state.memory.as_mut_ptr();
        assert_eq!(
            memory,
            self.memory.load(Ordering::Relaxed),
            "the state is not that of the work"
        );
        let context = Context {
            program: self.program,
            backend,
            state,
            log: std::ptr::null_mut(),
        };
        self.call(&context, memory, buffers, &[], instances);
    }

    fn call(
        &self,
        context: &Context<'_>,
        memory: *mut f64,
        buffers: &mut Vec<f64>,
        copies: &[AtomicPtr<f64>],
        instances: Range<u32>,
    ) {
        let plan = &self.block.plan;
        assert!(
            self.instances.start <= instances.start && instances.end <= self.instances.end,
            "a block goes beyond the call"
        );
        let length = instances.end.saturating_sub(instances.start);
        assert!(
            length.is_multiple_of(LANES) && length <= plan.stride,
            "no block has {length} instances"
        );
        if buffers.len() < plan.buffers() {
            buffers.resize(plan.buffers(), 0.0);
        }
        let links = self.program.links.as_slice();
        let buffers = buffers.as_mut_ptr();
        let (first, last) = (i64::from(instances.start), i64::from(instances.end));
        // SAFETY: as in `advance_in_order`. The memory outlives the work. Each thread computes other instances,
        // and machine code for some does not write what belongs to others, nor read it if there are several
        // threads: `independence` says so, and where it does not, the plan has one thread. Handlers that run
        // meanwhile are for instances that nobody computes, and write nothing that others read, or there is one
        // thread and no log. The number of instances is even and within the stride, the buffers are of the size
        // that it was made for; `locate_copies` has seen room for what more instances store, in whose range lies
        // what these do, or nothing is copied. With a log, the functions that it calls leave the state alone.
        unsafe {
            (self.block.function)(
                context,
                memory,
                links.as_ptr(),
                self.time,
                self.step,
                first,
                last,
                buffers,
                copies.as_ptr(),
            );
        }
    }

    /// Lists where the copies of instances of each column go: the address for instance zero, which
    /// need not be one of them. None, if the function makes no copies.
    ///
    /// # Panics
    ///
    /// If there is no room for those of some instances.
    fn locate_copies(
        &self,
        saved: &mut Saved,
        copies: &mut Vec<AtomicPtr<f64>>,
        instances: &Range<u32>,
    ) {
        copies.clear();
        if self.block.saves() {
            let columns = saved.room_for(instances).unwrap_or_default();
            let stored = self.block.plan.independence.stored.len();
            assert_eq!(columns.len(), stored, "there is no room for copies");
            copies.extend(columns.iter_mut().map(|column| {
                AtomicPtr::new(column.values.as_mut_ptr().wrapping_sub(column.first))
            }));
        }
    }
}

/// Stands where no event is delivered.
struct Nothing;

impl Backend for Nothing {
    fn advance(&self, _: &mut State, _: Call, _: f64, _: f64) {}

    fn handle(&self, _: &mut State, _: u32, _: &[u32]) {}
}

fn step_function(module: &JITModule, function: FuncId) -> StepFunction {
    let code = module.get_finalized_function(function);
    // SAFETY: the assembler defines kernels with the parameters of a `StepFunction` and the
    // calling convention of C. The code lives as long as the module.
    unsafe { std::mem::transmute::<*const u8, StepFunction>(code) }
}

fn block_function(module: &JITModule, function: FuncId) -> BlockFunction {
    let code = module.get_finalized_function(function);
    // SAFETY: as above, with the parameters of a `BlockFunction`.
    unsafe { std::mem::transmute::<*const u8, BlockFunction>(code) }
}

fn handler_function(module: &JITModule, function: FuncId) -> HandlerFunction {
    let code = module.get_finalized_function(function);
    // SAFETY: as above, with the parameters of a `HandlerFunction`.
    unsafe { std::mem::transmute::<*const u8, HandlerFunction>(code) }
}

/// A block function before all code is finished.
struct DefinedBlock {
    function: FuncId,
    senders: Senders,
    plan: BlockPlan,
}

/// Block forms of the kernels that have a plan and a sound one, for a number of threads.
fn define_blocks(
    assembler: &mut Assembler,
    program: &Program,
    populations: &Populations,
    plans: Vec<Option<BlockPlan>>,
    threads: u32,
) -> Result<Vec<Option<DefinedBlock>>, JitError> {
    (0..)
        .zip(plans)
        .map(|(number, plan)| {
            let Some(plan) = plan else { return Ok(None) };
            let senders = senders(program, number, &plan.independence, |call| {
                plan.reach(plan.threads(call, threads))
            });
            let saves = senders != Senders::Nobody;
            match assembler.define_block(program, number, &plan, saves, populations) {
                Ok(function) => Ok(Some(DefinedBlock {
                    function,
                    senders,
                    plan,
                })),
                Err(JitError::Kernel { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        })
        .collect()
}

impl Backend for CompiledProgram<'_> {
    /// # Panics
    ///
    /// If the state is not one of the program's, or the call goes beyond the schedule's.
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        let kernel = self.kernels[call.kernel as usize].as_ref();
        match kernel.and_then(|kernel| kernel.block_for(&call)) {
            Some(block) => self.advance_together(block, state, call, time, step),
            None => self.advance_in_order(self, state, call, time, step),
        }
    }

    /// # Panics
    ///
    /// If the state is not one of the program's, or no event of the program runs the handler for
    /// an instance that is as large.
    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        self.handle_with(self, state, handler, instances);
    }

    /// # Panics
    ///
    /// If the state is not one of the program's.
    fn steps(&self, state: &mut State, time: &mut f64, step: f64, most: u64) -> u64 {
        let Some(calls) = &self.in_order else {
            return 0;
        };
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let (due, sent) = (state.queue.next_due(), state.queue.sent());
        let state: *mut State = state;
        let context = Context {
            program: &self.program,
            backend: self,
            state,
            log: std::ptr::null_mut(),
        };
        let mut made = 0;
        while made < most {
            let end = *time + step;
            if due.is_some_and(|due| due <= end) {
                break;
            }
            // SAFETY: machine code is not running, so this is the only use of the state.
            unsafe {
                (*state).now = end;
                (*state).deliveries.begin_step();
            }
            for call in calls {
                // SAFETY: as in `advance_in_order`; the calls are those of the schedule, from
                // which the populations are. The state is not used here before the code returns.
                unsafe {
                    (call.function)(&context, memory, links, end, step, call.first, call.last);
                }
            }
            *time = end;
            made += 1;
            // SAFETY: machine code is not running any more.
            let state = unsafe { &*state };
            let quiet = state.recorded.is_empty() && state.queue.sent() == sent;
            if !quiet || state.fault.is_some() {
                break;
            }
        }
        made
    }
}

/// Sends an event for machine code, which is at `instance` of a kernel.
pub(crate) extern "C" fn emit_event(context: *const Context<'_>, source: usize, instance: usize) {
    // SAFETY: machine code passes the context of the call that runs it, which waits and uses
    // neither the state nor the log. Machine code waits too, so these are the only references.
    let (context, log) = unsafe {
        let context = &*context;
        (context, context.log.as_mut())
    };
    let (source, instance) = (narrow(source), narrow(instance));
    match log {
        Some(log) => log.push(Emission { instance, source }),
        None => {
            // SAFETY: as above.
            let state = unsafe { &mut *context.state };
            let memory = state.memory.as_ptr();
            emit(context.program, context.backend, state, source);
            assert_eq!(
                memory,
                state.memory.as_ptr(),
                "the memory moved during an event"
            );
        }
    }
}

/// Draws a random number for machine code.
pub(crate) extern "C" fn draw(context: *const Context<'_>) -> f64 {
    // SAFETY: as in `emit_event`.
    let state = unsafe { &mut *(*context).state };
    state.draw()
}

/// Advances a kinetic scheme for machine code, which passes arrays on its stack: `count`
/// occupancies, and the forward and reverse rate of each transition.
pub(crate) extern "C" fn propagate(
    context: *const Context<'_>,
    scheme: usize,
    occupancies: *mut f64,
    count: usize,
    rates: *const f64,
    step: f64,
) {
    // SAFETY: as in `emit_event`; only the program is used.
    let program = unsafe { (*context).program };
    let scheme = &program.schemes[scheme];
    // SAFETY: the translator lays out both arrays with these sizes (validation has shown that
    // there are two rates for each edge), aligned, filled, and used by nothing else meanwhile.
    let (occupancies, rates) = unsafe {
        (
            std::slice::from_raw_parts_mut(occupancies, count),
            std::slice::from_raw_parts(rates, 2 * scheme.edges.len()),
        )
    };
    let rates: Vec<(f64, f64)> = (rates.chunks_exact(2))
        .map(|pair| (pair[0], pair[1]))
        .collect();
    scheme.propagate(occupancies, &rates, step);
}

/// The rows of an array for machine code: `count` rows of `length` values, `stride` apart.
///
/// # Safety
///
/// The array has all these values, and nothing else uses them as long as the result is used.
unsafe fn row_slices<'r>(
    values: *mut f64,
    count: usize,
    stride: usize,
    length: usize,
) -> impl Iterator<Item = &'r mut [f64]> {
    // Full rows follow one another without a gap and are as good as a single long one.
    let (count, length) = match stride == length {
        true => (1, count * length),
        false => (count, length),
    };
    (0..count).map(move |row| {
        // SAFETY: promised by the caller; the rows do not overlap, as `length <= stride`.
        unsafe {
            let row = values.add(row * stride);
            std::slice::from_raw_parts_mut(row, length)
        }
    })
}

/// Replaces rows of values by a function of them, for machine code.
pub(crate) extern "C" fn rows<F: InPlace>(
    values: *mut f64,
    count: usize,
    stride: usize,
    length: usize,
) {
    // SAFETY: machine code passes buffers of its block, laid out so, and waits.
    for row in unsafe { row_slices(values, count, stride, length) } {
        F::apply(row);
    }
}

/// Raises rows of values to the powers in other rows, for machine code.
pub(crate) extern "C" fn power_rows(
    bases: *mut f64,
    exponents: *mut f64,
    count: usize,
    stride: usize,
    length: usize,
) {
    // SAFETY: as in `rows`. `validate` has shown that no buffer holds both a base and an exponent.
    let (bases, exponents) = unsafe {
        (
            row_slices(bases, count, stride, length),
            row_slices(exponents, count, stride, length),
        )
    };
    for (bases, exponents) in bases.zip(exponents) {
        lems_math::pow_in_place(bases, exponents);
    }
}

/// Advances a kinetic scheme for a row of instances, for machine code.
pub(crate) extern "C" fn propagate_rows(
    context: *const Context<'_>,
    scheme: usize,
    occupancies: *mut f64,
    states: usize,
    rates: *const f64,
    stride: usize,
    length: usize,
    step: f64,
) {
    // SAFETY: as in `emit_event`; only the program is used.
    let program = unsafe { (*context).program };
    let scheme = &program.schemes[scheme];
    let rows = |rows: usize| match rows {
        0 => 0,
        rows => (rows - 1) * stride + length,
    };
    // SAFETY: as in `rows`. `validate` has shown that there are buffers for all occupancies and for two rates of
    // each edge, and that none is in both; as `length <= stride`, neither slice reaches into the other.
    let (occupancies, rates) = unsafe {
        (
            std::slice::from_raw_parts_mut(occupancies, rows(states)),
            std::slice::from_raw_parts(rates, rows(2 * scheme.edges.len())),
        )
    };
    scheme.propagate_rows(occupancies, rates, stride, length, step);
}

impl Drop for Code {
    fn drop(&mut self) {
        let module = match self.0.get_mut() {
            Ok(module) => module.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some(module) = module {
            // SAFETY: the pointers into the code are in the `CompiledProgram` that is being
            // dropped and were never given away; no code runs, as that borrows it.
            unsafe { module.free_memory() }
        }
    }
}
