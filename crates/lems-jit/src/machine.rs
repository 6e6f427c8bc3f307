//! The border between Rust and machine code: the only file with `unsafe`.
//!
//! Machine code gets three pointers: to the context, which it only hands back to the functions here,
//! to the memory of a state, and to the links of its program. The functions of [`Machine`] and [`Work`]
//! are safe to call: they assert what they can check, and name the rest as a duty of the caller.
//!
//! # Safety
//!
//! Each `unsafe` block cites the facts that it rests on by their numbers.
//!
//! 1. **Addresses are inside the arrays.** [`validate`](crate::plan::validate::validate) proved, for all
//!    instances below [`Populations`], that code only reads and writes inside the memory and the links. The
//!    functions here assert that a call stays below the populations, and that the memory has the size for
//!    which the program was validated. The links are those of the program, which [`Machine`] holds, so
//!    nobody changes them.
//! 2. **Functions have the types that are declared here.** The assembler defines each function with the
//!    parameter list of `codegen::abi` that belongs to its type, and with the calling convention of C.
//! 3. **Code outlives its pointers.** The functions are fields of [`Machine`], which owns the module. They
//!    are private to this file, and a call borrows the machine, so no code runs when the module is freed.
//! 4. **The state has one user at a time.** A caller lends its `&mut State` until the code returns, and does
//!    not use it before. Machine code does not use it either: it hands the context to a helper, and waits
//!    until the helper returns. So the references that a helper makes from the context are the only ones.
//! 5. **The memory does not move.** No helper keeps a reference to the content of the memory, or resizes
//!    it; after an event this is asserted. The caller of [`Work::new`] keeps the state until the work is done.
//! 6. **Threads write to different places.** Each instance of a [`Work`] is computed by one thread
//!    (`run::work_stealing` and `run::in_order` hand it out once). Code for an instance writes only what belongs
//!    to that instance, and reads nothing that code for another instance writes:
//!    `lems_optimise::independence` proved this, and where it could not, the plan allows one thread. All
//!    threads go through raw pointers, never through references to the content of the memory.
//! 7. **Threads that compute blocks have no state.** Their context has a log for events and a null pointer
//!    for the state. Block functions that draw random numbers, the other use of the state, have a tail, and
//!    so one thread and a state.
//! 8. **A commit meets nobody.** One thread at a time commits. It runs handlers and stores only for
//!    instances that no thread computes (events for others are deferred), and these write nothing that others
//!    read, by fact 6.
//! 9. **Buffers are large enough, and private.** Each thread has its own buffers. Before a call they are
//!    resized to what the plan needs, and the number of instances is asserted to be even and at most the
//!    plan's stride.
//! 10. **Copies are inside the undo log.** If a function makes copies, the undo log has been asserted to have
//!     room for a range of instances that contains those of the block. `plan::undo::can_copy` proved that the
//!     slots of fewer instances lie in the range of slots of more. An undo log is lent to one thread at a time.
//! 11. **Rows do not overlap.** Machine code passes rows with `length <= stride`, inside the buffers of its
//!     thread, and waits. `validate_block` proved that the buffers exist, and that no buffer is written by a
//!     helper that also reads it as another argument.
//! 12. **Arrays on the stack have the sizes that helpers expect.** The translator lays them out, aligned and
//!     filled, with two rates for each edge of the scheme, as `validate` proved; nothing else uses them.
//! 13. **Shared memory is atomic.** A double and an atomic integer of 64 bits have one size and alignment, which
//!     is asserted when this is compiled, and all bits are valid in both. The doubles are borrowed exclusively
//!     as long as the atomics are in use.
//!
//! A panic cannot unwind into machine code: at the border of an `extern "C"` function it ends the process.

#![allow(unsafe_code)]

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

use cranelift_codegen::ir::types::{F64, I64};
use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use lems_index::narrow;
use lems_ir::{Backend, Call, Function, Interpreter, Program, Scheduled, State, emit};
use lems_math as math;

use crate::codegen::abi::{Declaration, Emission, Helper, Helpers, LANES};
use crate::functions::{self, InPlace};
use crate::held::Held;
use crate::plan::block::BlockPlan;
use crate::plan::rollback::RollbackSources;
use crate::plan::validate::Populations;
use crate::run::undo::{Speculation, UndoLog};

/// Context, memory, links, time, step, first instance, one after the last instance.
type StepFunction =
    unsafe extern "C" fn(*const Context<'_>, *mut f64, *const u32, f64, f64, i64, i64);
/// The same, then the buffers, and where the copies of each column go.
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
/// Context, memory, links, instances, how many there are.
type HandlerFunction =
    unsafe extern "C" fn(*const Context<'_>, *mut f64, *const u32, *const u32, i64);

/// What the helpers need.
struct Context<'c> {
    program: &'c Program,
    /// Runs the handlers of events.
    backend: &'c dyn Backend,
    state: *mut State,
    /// Where events are logged; null if they are delivered at once.
    log: *mut Vec<Emission>,
}

/// The memory of a state, which several threads read and change at the same time.
#[derive(Clone, Copy)]
pub(crate) struct SharedMemory<'m>(&'m [AtomicU64]);

impl<'m> SharedMemory<'m> {
    /// All of a memory.
    pub(crate) fn of(memory: &'m mut [f64]) -> SharedMemory<'m> {
        const {
            assert!(size_of::<f64>() == size_of::<AtomicU64>());
            assert!(align_of::<f64>() == align_of::<AtomicU64>());
        }
        // SAFETY: 13.
        SharedMemory(unsafe {
            std::slice::from_raw_parts(memory.as_mut_ptr().cast(), memory.len())
        })
    }

    /// The value in a slot.
    ///
    /// # Panics
    ///
    /// If there is no such slot.
    #[inline(always)]
    pub(crate) fn value(self, slot: u32) -> f64 {
        f64::from_bits(self.0[slot as usize].load(Ordering::Relaxed))
    }

    /// Changes the value in a slot, which no other thread uses.
    ///
    /// # Panics
    ///
    /// If there is no such slot.
    #[inline(always)]
    pub(crate) fn add(self, slot: u32, change: f64) {
        let value = &self.0[slot as usize];
        let sum = f64::from_bits(value.load(Ordering::Relaxed)) + change;
        value.store(sum.to_bits(), Ordering::Relaxed);
    }
}

/// The functions of a validated program.
pub(crate) struct Machine<'p> {
    program: Held<'p>,
    populations: Populations,
    /// `None` where a kernel is interpreted.
    kernels: Vec<Option<Kernel>>,
    /// `None` where a handler is interpreted.
    handlers: Vec<Option<HandlerFunction>>,
    /// The schedule, if all its calls compute one instance after another in machine code.
    sequential: Option<Vec<SequentialCall>>,
    _code: Code,
}

struct Kernel {
    step: StepFunction,
    block: Option<CompiledBlock>,
}

/// The block form of a kernel.
pub(crate) struct CompiledBlock {
    function: BlockFunction,
    pub(crate) plan: BlockPlan,
    pub(crate) sources: RollbackSources,
}

/// A call of the schedule that computes one instance after another.
struct SequentialCall {
    function: StepFunction,
    first: i64,
    last: i64,
}

/// The functions of a kernel in a module.
pub(crate) struct DefinedKernel {
    pub(crate) step: FuncId,
    pub(crate) block: Option<DefinedBlock>,
}

/// The block form of a kernel in a module.
pub(crate) struct DefinedBlock {
    pub(crate) function: FuncId,
    pub(crate) plan: BlockPlan,
    pub(crate) sources: RollbackSources,
}

/// The pages that machine code is in.
struct Code(Mutex<Option<JITModule>>);

impl Drop for Code {
    fn drop(&mut self) {
        let module = match self.0.get_mut() {
            Ok(module) => module.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some(module) = module {
            // SAFETY: 3.
            unsafe { module.free_memory() }
        }
    }
}

impl CompiledBlock {
    /// Whether its function copies the old content of the columns that it stores.
    pub(crate) fn copies(&self) -> bool {
        self.sources != RollbackSources::None
    }

    /// How many of `team` threads can take part in a call.
    pub(crate) fn threads(&self, call: Call, team: u32) -> u32 {
        if self.sources.passed_on() {
            1
        } else {
            self.plan.threads(call, team)
        }
    }
}

impl<'p> Machine<'p> {
    /// The functions of a finished module, by kernel and by handler of a program; `populations` are
    /// those that the program was validated for. Whatever has no function is interpreted.
    pub(crate) fn load(
        program: Held<'p>,
        populations: Populations,
        module: JITModule,
        kernels: Vec<Option<DefinedKernel>>,
        handlers: Vec<Option<FuncId>>,
    ) -> Self {
        let block = |block: DefinedBlock| CompiledBlock {
            function: block_function(&module, block.function),
            plan: block.plan,
            sources: block.sources,
        };
        let kernel = |kernel: DefinedKernel| Kernel {
            step: step_function(&module, kernel.step),
            block: kernel.block.map(block),
        };
        let kernels: Vec<Option<Kernel>> = (kernels.into_iter())
            .map(|defined| defined.map(kernel))
            .collect();
        let handlers = (handlers.into_iter())
            .map(|defined| defined.map(|function| handler_function(&module, function)))
            .collect();
        let mut machine = Machine {
            program,
            populations,
            kernels,
            handlers,
            sequential: None,
            _code: Code(Mutex::new(Some(module))),
        };
        machine.sequential = (machine.program.schedule.iter())
            .map(|scheduled| match scheduled {
                Scheduled::Call(call) => machine.sequential_call(call),
                Scheduled::Midway(_) | Scheduled::Solve(..) => None,
            })
            .collect();
        machine
    }

    /// A call of the schedule, if it computes one instance after another in machine code.
    fn sequential_call(&self, call: &Call) -> Option<SequentialCall> {
        let kernel = self.kernels.get(call.kernel as usize)?.as_ref()?;
        self.block_for(call).is_none().then_some(SequentialCall {
            function: kernel.step,
            first: i64::from(call.first),
            last: i64::from(call.last),
        })
    }

    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// The block form that computes a call, if there is one and the call is long enough.
    pub(crate) fn block_for(&self, call: &Call) -> Option<&CompiledBlock> {
        let block = self.kernels[call.kernel as usize].as_ref()?.block.as_ref();
        block.filter(|block| block.plan.is_for(call))
    }

    /// The block forms of all kernels.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = &CompiledBlock> {
        let kernels = self.kernels.iter().flatten();
        kernels.filter_map(|kernel| kernel.block.as_ref())
    }

    /// The memory of a state.
    ///
    /// # Panics
    ///
    /// If the state belongs to another program.
    fn memory(&self, state: &mut State) -> *mut f64 {
        assert_eq!(
            state.memory.len(),
            self.program.memory.len(),
            "the state belongs to another program"
        );
        state.memory.as_mut_ptr()
    }

    /// The context of a call whose events are delivered at once, to handlers that `backend` runs.
    fn context<'c>(&'c self, backend: &'c dyn Backend, state: *mut State) -> Context<'c> {
        Context {
            program: &self.program,
            backend,
            state,
            log: std::ptr::null_mut(),
        }
    }

    /// Computes one instance after another. Their events are delivered at once, to handlers that
    /// `backend` runs. No thread may compute or change what the instances read.
    ///
    /// # Panics
    ///
    /// If the state belongs to another program, or the call goes beyond those of the schedule.
    pub(crate) fn advance(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        call: Call,
        time: f64,
        step: f64,
    ) {
        let number = call.kernel as usize;
        let Some(Kernel { step: function, .. }) = self.kernels[number] else {
            return Interpreter::new(&self.program).advance_for(backend, state, call, time, step);
        };
        assert!(
            call.last <= self.populations.kernels[number],
            "a call goes beyond the schedule"
        );
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let context = self.context(backend, state);
        let (first, last) = (i64::from(call.first), i64::from(call.last));
        // SAFETY: 1, 2, 3, 4, 5, and 8 during a commit.
        unsafe { function(&context, memory, links, time, step, first, last) }
    }

    /// Runs a handler for one instance after another. Their own events reach handlers that `backend`
    /// runs. No thread may compute or change what the instances read.
    ///
    /// # Panics
    ///
    /// If the state belongs to another program, or no event of the program runs the handler for one of
    /// the instances.
    pub(crate) fn handle(
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
        let context = self.context(backend, state);
        let (numbers, count) = (instances.as_ptr(), instances.len() as i64);
        // SAFETY: 1, 2, 3, 4, 5, and 8 during a commit. The code reads `count` numbers.
        unsafe { function(&context, memory, links, numbers, count) }
    }

    /// Stores a value, while other threads may use other slots. The caller is the thread that commits,
    /// and the slot belongs to an instance that no thread computes.
    ///
    /// # Panics
    ///
    /// If there is no such slot, or the state belongs to another program.
    pub(crate) fn store(&self, state: &mut State, slot: usize, value: f64) {
        let memory = self.memory(state);
        assert!(slot < self.program.memory.len(), "a slot is out of reach");
        // SAFETY: 5, 6, 8; the slot is inside the memory.
        unsafe { memory.add(slot).write(value) }
    }

    /// Makes steps until something has happened that others must see, if all calls of the schedule
    /// compute one instance after another; returns the number of steps made.
    ///
    /// # Panics
    ///
    /// If the state belongs to another program.
    pub(crate) fn steps(
        &self,
        backend: &dyn Backend,
        state: &mut State,
        time: &mut f64,
        step: f64,
        most: u64,
    ) -> u64 {
        let Some(calls) = &self.sequential else {
            return 0;
        };
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let (due, sent) = (state.queue.next_due(), state.queue.sent());
        let state: *mut State = state;
        let context = self.context(backend, state);
        let mut made = 0;
        while made < most {
            // An event that is due must be delivered first.
            let end = *time + step;
            if due.is_some_and(|due| due <= end) {
                break;
            }
            // SAFETY: 4, as no machine code is running.
            unsafe {
                (*state).now = end;
                (*state).deliveries.begin_step();
            }
            for call in calls {
                // SAFETY: 1, 2, 3, 4, 5; the populations are those of the schedule.
                unsafe {
                    (call.function)(&context, memory, links, end, step, call.first, call.last);
                }
            }
            *time = end;
            made += 1;
            // SAFETY: 4, as no machine code is running.
            let state = unsafe { &*state };
            let quiet = state.recorded.is_empty() && state.queue.sent() == sent;
            if !quiet || state.fault.is_some() {
                break;
            }
        }
        made
    }
}

/// A step of the instances of one call, block by block; several threads can share it.
pub(crate) struct Work<'w> {
    program: &'w Program,
    pub(crate) block: &'w CompiledBlock,
    /// An even number of instances, all of them within the schedule.
    instances: Range<u32>,
    /// The memory, of which each thread uses what belongs to its own instances.
    memory: AtomicPtr<f64>,
    pub(crate) time: f64,
    pub(crate) step: f64,
}

impl<'w> Work<'w> {
    /// A step of all instances of a call but the last of an odd number; also the instances that it leaves
    /// out. The state must outlive the work, and its memory must not be resized.
    ///
    /// # Panics
    ///
    /// If the state belongs to another program, or the call goes beyond those of the schedule.
    pub(crate) fn new(
        machine: &'w Machine<'_>,
        block: &'w CompiledBlock,
        state: &mut State,
        call: Call,
        time: f64,
        step: f64,
    ) -> (Self, Range<u32>) {
        assert!(
            call.last <= machine.populations.kernels[call.kernel as usize],
            "a call goes beyond the schedule"
        );
        let end = call.last - (call.last - call.first) % LANES;
        let work = Work {
            program: &machine.program,
            block,
            instances: call.first..end,
            memory: AtomicPtr::new(machine.memory(state)),
            time,
            step,
        };
        (work, end..call.last)
    }

    /// The instances that are computed in blocks.
    pub(crate) fn instances(&self) -> Range<u32> {
        self.instances.clone()
    }

    /// Computes a block of instances; logs their events, and copies what they held before if an event can
    /// roll them back. No other thread may compute them or commit their events meanwhile.
    ///
    /// # Panics
    ///
    /// If the number of instances is odd or larger than a block, if some are not among those of the
    /// step, or if the undo log has no room for them.
    pub(crate) fn advance(
        &self,
        buffers: &mut Vec<f64>,
        speculation: &mut Speculation,
        instances: Range<u32>,
    ) {
        let Speculation { undo, copies, log } = speculation;
        self.locate_copies(undo, copies, &instances);
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
    /// runs. No other thread may be at work.
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

    /// Calls the block function, after all checks.
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
        let links = self.program.links.as_ptr();
        let buffers = buffers.as_mut_ptr();
        let (first, last) = (i64::from(instances.start), i64::from(instances.end));
        let (time, step, copies) = (self.time, self.step, copies.as_ptr());
        // SAFETY: 1, 2, 3, 5, 6, 9, 10; with a log 7, without one 4.
        unsafe {
            (self.block.function)(
                context, memory, links, time, step, first, last, buffers, copies,
            );
        }
    }

    /// Lists, for each column that the function copies, the address for the copy of instance zero. That
    /// instance need not be in the block, so the address may be outside the undo log.
    ///
    /// # Panics
    ///
    /// If the undo log has no room for some of the instances.
    fn locate_copies(
        &self,
        undo: &mut UndoLog,
        copies: &mut Vec<AtomicPtr<f64>>,
        instances: &Range<u32>,
    ) {
        copies.clear();
        if self.block.copies() {
            let columns = undo.room_for(instances).unwrap_or_default();
            let stored = self.block.plan.independence.stored.len();
            assert_eq!(columns.len(), stored, "there is no room for copies");
            copies.extend(columns.iter_mut().map(|column| {
                AtomicPtr::new(column.values.as_mut_ptr().wrapping_sub(column.first))
            }));
        }
    }
}

/// The back end of code that delivers no events.
struct Nothing;

impl Backend for Nothing {
    fn advance(&self, _: &mut State, _: Call, _: f64, _: f64) {}

    fn handle(&self, _: &mut State, _: u32, _: &[u32]) {}
}

fn step_function(module: &JITModule, function: FuncId) -> StepFunction {
    let code = module.get_finalized_function(function);
    // SAFETY: 2, 3.
    unsafe { std::mem::transmute::<*const u8, StepFunction>(code) }
}

fn block_function(module: &JITModule, function: FuncId) -> BlockFunction {
    let code = module.get_finalized_function(function);
    // SAFETY: 2, 3.
    unsafe { std::mem::transmute::<*const u8, BlockFunction>(code) }
}

fn handler_function(module: &JITModule, function: FuncId) -> HandlerFunction {
    let code = module.get_finalized_function(function);
    // SAFETY: 2, 3.
    unsafe { std::mem::transmute::<*const u8, HandlerFunction>(code) }
}

/// The functions that machine code calls, with their addresses.
pub(crate) const HELPERS: Helpers = Helpers {
    declarations: &DECLARATIONS,
    ceil: ("ceil", functions::ceil as *const u8),
};

const DECLARATIONS: [Declaration; 26] = [
    Declaration {
        helper: Helper::Emit,
        name: "emit",
        address: emit_event as *const u8,
        parameters: &[I64, I64, I64],
        result: None,
    },
    Declaration {
        helper: Helper::Draw,
        name: "draw",
        address: draw as *const u8,
        parameters: &[I64],
        result: Some(F64),
    },
    Declaration {
        helper: Helper::Propagate,
        name: "propagate",
        address: propagate as *const u8,
        parameters: &[I64, I64, I64, I64, I64, F64],
        result: None,
    },
    Declaration {
        helper: Helper::Power,
        name: "pow",
        address: functions::power as *const u8,
        parameters: &[F64, F64],
        result: Some(F64),
    },
    Declaration::elementary(Function::Sin, "sin", functions::sin),
    Declaration::elementary(Function::Cos, "cos", functions::cos),
    Declaration::elementary(Function::Tan, "tan", functions::tan),
    Declaration::elementary(Function::Sinh, "sinh", functions::sinh),
    Declaration::elementary(Function::Cosh, "cosh", functions::cosh),
    Declaration::elementary(Function::Tanh, "tanh", functions::tanh),
    Declaration::elementary(Function::Exp, "exp", functions::exp),
    Declaration::elementary(Function::Ln, "ln", functions::ln),
    Declaration::elementary(Function::Heaviside, "heaviside", functions::heaviside),
    Declaration::elementary(Function::Factorial, "factorial", functions::factorial),
    Declaration::rows(Function::Sin, "sin_rows", rows::<functions::Sin>),
    Declaration::rows(Function::Cos, "cos_rows", rows::<functions::Cos>),
    Declaration::rows(Function::Tan, "tan_rows", rows::<functions::Tan>),
    Declaration::rows(Function::Sinh, "sinh_rows", rows::<functions::Sinh>),
    Declaration::rows(Function::Cosh, "cosh_rows", rows::<functions::Cosh>),
    Declaration::rows(Function::Tanh, "tanh_rows", rows::<functions::Tanh>),
    Declaration::rows(Function::Exp, "exp_rows", rows::<functions::Exp>),
    Declaration::rows(Function::Ln, "ln_rows", rows::<functions::Ln>),
    Declaration::rows(
        Function::Heaviside,
        "heaviside_rows",
        rows::<functions::Heaviside>,
    ),
    Declaration::rows(
        Function::Factorial,
        "factorial_rows",
        rows::<functions::Factorial>,
    ),
    Declaration {
        helper: Helper::PowerRows,
        name: "pow_rows",
        address: power_rows as *const u8,
        parameters: &[I64, I64, I64, I64, I64],
        result: None,
    },
    Declaration {
        helper: Helper::PropagateRows,
        name: "propagate_rows",
        address: propagate_rows as *const u8,
        parameters: &[I64, I64, I64, I64, I64, I64, I64, F64],
        result: None,
    },
];

/// Sends an event for machine code, which is at `instance` of a kernel.
extern "C" fn emit_event(context: *const Context<'_>, source: usize, instance: usize) {
    // SAFETY: 4; the same holds for the log.
    let (context, log) = unsafe {
        let context = &*context;
        (context, context.log.as_mut())
    };
    let (source, instance) = (narrow(source), narrow(instance));
    match log {
        Some(log) => log.push(Emission { instance, source }),
        None => {
            // SAFETY: 4; a context without a log has a state.
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
extern "C" fn draw(context: *const Context<'_>) -> f64 {
    // SAFETY: 4, 7.
    let state = unsafe { &mut *(*context).state };
    state.draw()
}

/// Advances a kinetic scheme for machine code, which passes arrays on its stack: `count`
/// occupancies, and the forward and reverse rate of each transition.
extern "C" fn propagate(
    context: *const Context<'_>,
    scheme: usize,
    occupancies: *mut f64,
    count: usize,
    rates: *const f64,
    step: f64,
) {
    // SAFETY: 4; only the program is used.
    let program = unsafe { (*context).program };
    let scheme = &program.schemes[scheme];
    // SAFETY: 12.
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
/// The array contains all these values, and nothing else uses them as long as the result is in use.
unsafe fn row_slices<'r>(
    values: *mut f64,
    count: usize,
    stride: usize,
    length: usize,
) -> impl Iterator<Item = &'r mut [f64]> {
    // Full rows follow one another without a gap: they are as good as one long row.
    let (count, length) = if stride == length {
        (1, count * length)
    } else {
        (count, length)
    };
    (0..count).map(move |row| {
        // SAFETY: 11; the caller promises the rest.
        unsafe {
            let row = values.add(row * stride);
            std::slice::from_raw_parts_mut(row, length)
        }
    })
}

/// Replaces rows of values by a function of them, for machine code.
extern "C" fn rows<F: InPlace>(values: *mut f64, count: usize, stride: usize, length: usize) {
    // SAFETY: 9, 11.
    for row in unsafe { row_slices(values, count, stride, length) } {
        F::apply(row);
    }
}

/// Raises rows of values to the powers in other rows, for machine code.
extern "C" fn power_rows(
    bases: *mut f64,
    exponents: *mut f64,
    count: usize,
    stride: usize,
    length: usize,
) {
    // SAFETY: 9, 11.
    let (bases, exponents) = unsafe {
        (
            row_slices(bases, count, stride, length),
            row_slices(exponents, count, stride, length),
        )
    };
    for (bases, exponents) in bases.zip(exponents) {
        math::pow_in_place(bases, exponents);
    }
}

/// Advances a kinetic scheme for a row of instances, for machine code.
extern "C" fn propagate_rows(
    context: *const Context<'_>,
    scheme: usize,
    occupancies: *mut f64,
    states: usize,
    rates: *const f64,
    stride: usize,
    length: usize,
    step: f64,
) {
    // SAFETY: 4; only the program is used.
    let program = unsafe { (*context).program };
    let scheme = &program.schemes[scheme];
    // The values from the first to the last of some rows.
    let span = |rows: usize| match rows {
        0 => 0,
        rows => (rows - 1) * stride + length,
    };
    // SAFETY: 9, 11; as `length <= stride`, neither span reaches into the other.
    let (occupancies, rates) = unsafe {
        (
            std::slice::from_raw_parts_mut(occupancies, span(states)),
            std::slice::from_raw_parts(rates, span(2 * scheme.edges.len())),
        )
    };
    scheme.propagate_rows(occupancies, rates, stride, length, step);
}
