//! What generated code and its callers have to agree on: parameters, helpers and plain data.
//!
//! `machine` declares the same functions as Rust types, and says at which addresses the helpers are.

use cranelift_codegen::ir::Type;
use cranelift_codegen::ir::types::{F64, I64};
use lems_ir::Function;

/// Number of instances that code for several instances side by side computes.
pub(crate) const LANES: u32 = 2;

/// Parameters of a step function: context, memory, links, time, step, first instance, one after the
/// last instance.
pub(crate) const STEP_PARAMETERS: [Type; 7] = [I64, I64, I64, F64, F64, I64, I64];
/// Parameters of a block function: those of a step function, then the buffers, then a table with the
/// address for the copies of each column.
pub(crate) const BLOCK_PARAMETERS: [Type; 9] = [I64, I64, I64, F64, F64, I64, I64, I64, I64];
/// Parameters of a handler function: context, memory, links, address of the instance numbers, how
/// many there are.
pub(crate) const HANDLER_PARAMETERS: [Type; 5] = [I64, I64, I64, I64, I64];

/// A kernel of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Index in [`Program::kernels`](lems_ir::Program::kernels).
    Kernel(u32),
    /// The block form of the kernel with this index.
    Block(u32),
    /// Index in [`Program::handlers`](lems_ir::Program::handlers).
    Handler(u32),
}

/// The code of one kernel, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Cranelift's intermediate code, before optimisation.
    pub clif: String,
    /// Assembly of the machine code.
    pub disassembly: String,
}

/// An event that an instance of a kernel sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Emission {
    pub(crate) instance: u32,
    pub(crate) source: u32,
}

/// A Rust function that machine code calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    /// Sends an event: context, number of the source, instance that the kernel is at.
    Emit,
    /// Draws a random number: context.
    Draw,
    /// Advances a kinetic scheme: context, scheme, occupancies, their number, rates, step.
    Propagate,
    /// The first number to the power of the second.
    Power,
    /// An elementary function that has no instruction of its own.
    Elementary(Function),
    /// An elementary function of rows of values, in place: values, number of rows, distance between
    /// the starts of two rows, length of a row.
    CallRows(Function),
    /// Raises rows of values to the powers in other rows, in place: bases, exponents, then the last
    /// three parameters of `CallRows`.
    PowerRows,
    /// Advances a kinetic scheme for a row of instances: context, scheme, occupancies, their
    /// number, rates, distance between the starts of two rows, length of a row, step.
    PropagateRows,
}

/// What Cranelift has to know about a helper.
pub(crate) struct Declaration {
    pub(crate) helper: Helper,
    pub(crate) name: &'static str,
    pub(crate) address: *const u8,
    pub(crate) parameters: &'static [Type],
    pub(crate) result: Option<Type>,
}

/// All functions that machine code can call.
pub(crate) struct Helpers {
    pub(crate) declarations: &'static [Declaration],
    /// Name and address of the function that Cranelift calls on processors that cannot round.
    pub(crate) ceil: (&'static str, *const u8),
}

impl Declaration {
    /// An elementary function of one number.
    pub(crate) const fn elementary(
        function: Function,
        name: &'static str,
        wrapper: extern "C" fn(f64) -> f64,
    ) -> Declaration {
        Declaration {
            helper: Helper::Elementary(function),
            name,
            address: wrapper as *const u8,
            parameters: &[F64],
            result: Some(F64),
        }
    }

    /// An elementary function for rows of numbers.
    pub(crate) const fn rows(
        function: Function,
        name: &'static str,
        wrapper: extern "C" fn(*mut f64, usize, usize, usize),
    ) -> Declaration {
        Declaration {
            helper: Helper::CallRows(function),
            name,
            address: wrapper as *const u8,
            parameters: &[I64, I64, I64, I64],
            result: None,
        }
    }
}
