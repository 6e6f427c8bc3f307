//! The border between Rust and machine code: the only module with `unsafe`.
//!
//! Machine code is given three pointers: to the context, which it only hands back to the
//! functions here, to the memory, and to the links. What it may do with the latter two is proven
//! by [`validate`](crate::validate) for calls within the populations, and
//! [`advance`](Backend::advance) and [`handle`](Backend::handle) admit no others.
//!
//! While machine code runs, the state is only used through the context, and only while machine
//! code waits for one of the functions here. Those never keep a reference to the content of the
//! memory, and never move it.
//!
//! A panic cannot unwind into machine code: it ends the process at the border of an
//! `extern "C"` function.

#![allow(unsafe_code)]

use std::sync::Mutex;

use cranelift_jit::JITModule;
use cranelift_module::FuncId;
use lems_kernel::{Backend, Call, Program, State, emit};

use crate::assembler::{Assembler, Part};
use crate::{JitError, Populations, validate};

/// Context, memory, links, time, step, first instance, one after the last.
type StepFunction =
    unsafe extern "C" fn(*const Context<'_>, *mut f64, *const u32, f64, f64, i64, i64);
/// Context, memory, links, instance.
type HandlerFunction = unsafe extern "C" fn(*const Context<'_>, *mut f64, *const u32, i64);

/// All kernels and handlers of a program as machine code.
pub struct CompiledProgram<'p> {
    program: &'p Program,
    populations: Populations,
    kernels: Vec<StepFunction>,
    handlers: Vec<HandlerFunction>,
    _code: Code,
}

/// What the functions that machine code calls need.
pub(crate) struct Context<'c> {
    compiled: &'c CompiledProgram<'c>,
    state: *mut State,
}

/// The pages that machine code is in.
struct Code(Mutex<Option<JITModule>>);

impl<'p> CompiledProgram<'p> {
    /// Compiles all kernels and handlers of a program; its set-up kernels are left to the
    /// interpreter.
    ///
    /// # Errors
    ///
    /// If a kernel does not pass [`validate`], or Cranelift does not support the processor or
    /// the size of a kernel.
    pub fn compile(program: &'p Program) -> Result<Self, JitError> {
        let populations = validate(program)?;
        let mut assembler = Assembler::new()?;
        let kernels = define(&mut assembler, program, &populations, Part::Kernel)?;
        let handlers = define(&mut assembler, program, &populations, Part::Handler)?;
        let module = assembler.finish()?;
        let kernels = kernels
            .into_iter()
            .map(|function| module.get_finalized_function(function))
            // SAFETY: the assembler defines kernels with the parameters of a `StepFunction` and
            // the calling convention of C. The code lives as long as the module.
            .map(|code| unsafe { std::mem::transmute::<*const u8, StepFunction>(code) })
            .collect();
        let handlers = handlers
            .into_iter()
            .map(|function| module.get_finalized_function(function))
            // SAFETY: as above, with the parameters of a `HandlerFunction`.
            .map(|code| unsafe { std::mem::transmute::<*const u8, HandlerFunction>(code) })
            .collect();
        Ok(CompiledProgram {
            program,
            populations,
            kernels,
            handlers,
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
}

fn define(
    assembler: &mut Assembler,
    program: &Program,
    populations: &Populations,
    part: fn(u32) -> Part,
) -> Result<Vec<FuncId>, JitError> {
    let count = match part(0) {
        Part::Kernel(_) => program.kernels.len(),
        Part::Handler(_) => program.handlers.len(),
    };
    (0..count as u32)
        .map(|number| assembler.define(program, part(number), populations))
        .collect()
}

impl Backend for CompiledProgram<'_> {
    /// # Panics
    ///
    /// If the state is not one of the program's, or the call goes beyond the schedule's.
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        let number = call.kernel as usize;
        let function = self.kernels[number];
        assert!(
            call.last <= self.populations.kernels[number],
            "a call goes beyond the schedule"
        );
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let context = Context {
            compiled: self,
            state,
        };
        let (first, last) = (i64::from(call.first), i64::from(call.last));
        // SAFETY: `memory` is of the size that the program was validated with, `links` is the
        // program's own, which `self` borrows, and the instances are within the populations; so
        // the code stays inside both. It passes the context on to the functions below and does
        // not use it otherwise. `state` is not used here before the code returns.
        unsafe { function(&context, memory, links, time, step, first, last) }
    }

    /// # Panics
    ///
    /// If the state is not one of the program's, or no event of the program runs the handler for
    /// the instance.
    fn handle(&self, state: &mut State, handler: u32, instance: u32) {
        let number = handler as usize;
        let function = self.handlers[number];
        assert!(
            instance < self.populations.handlers[number],
            "an event has an unknown receiver"
        );
        let memory = self.memory(state);
        let links = self.program.links.as_ptr();
        let context = Context {
            compiled: self,
            state,
        };
        // SAFETY: as in `advance`.
        unsafe { function(&context, memory, links, i64::from(instance)) }
    }
}

/// Sends an event for machine code.
pub(crate) extern "C" fn emit_event(context: *const Context<'_>, source: i64) {
    // SAFETY: machine code passes the context of the `advance` or `handle` that runs it, which
    // waits and does not use the state. Machine code waits too, so this is the only reference.
    let (compiled, state) = unsafe {
        let context = &*context;
        (context.compiled, &mut *context.state)
    };
    let memory = state.memory.as_ptr();
    // Validation has shown that source numbers fit.
    emit(compiled.program, compiled, state, source as u32);
    assert_eq!(
        memory,
        state.memory.as_ptr(),
        "the memory moved during an event"
    );
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
    scheme: i64,
    occupancies: *mut f64,
    count: i64,
    rates: *const f64,
    step: f64,
) {
    // SAFETY: as in `emit_event`; only the program is used.
    let program = unsafe { (*context).compiled.program };
    let scheme = &program.schemes[scheme as usize];
    // SAFETY: the translator lays out both arrays with these sizes (validation has shown that
    // there are two rates for each edge), aligned, filled, and used by nothing else meanwhile.
    let (occupancies, rates) = unsafe {
        (
            std::slice::from_raw_parts_mut(occupancies, count as usize),
            std::slice::from_raw_parts(rates, 2 * scheme.edges.len()),
        )
    };
    let rates: Vec<(f64, f64)> = (rates.chunks_exact(2))
        .map(|pair| (pair[0], pair[1]))
        .collect();
    scheme.propagate(occupancies, &rates, step);
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
