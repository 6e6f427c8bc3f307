//! Machine code for kernels, made by Cranelift.
//!
//! [`CompiledProgram`] is the second back end of a [`Program`](lems_ir::Program). It gives the same
//! bits as the [`Interpreter`](lems_ir::Interpreter), but faster. [`validate`] proves, before any
//! code is made, that the code can only touch memory inside the program's arrays. [`listing`] shows
//! the code of one kernel.
//!
//! The crate has three wings and a border. `plan` decides what is compiled, and in which form.
//! `codegen` makes the code. `run` uses it, on one thread or several. `machine` is the border between
//! Rust and machine code, and the only file with `unsafe`.

mod codegen;
mod error;
mod functions;
mod held;
mod machine;
mod plan;
mod run;

#[cfg(test)]
mod tests;

pub use lems_optimise::Obstacle;

pub use codegen::abi::{Listing, Part};
pub use codegen::assembler::can_fuse;
pub use error::{CableDefect, Defect, JitError};
pub use plan::block::{BlockPlan, block_plan};
pub use plan::length::too_long;
pub use plan::validate::{Populations, validate};
pub use run::compile::listing;
pub use run::compiled::CompiledProgram;
