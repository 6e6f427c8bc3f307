//! Machine code for kernels, made by Cranelift.
//!
//! [`CompiledProgram`] is the second back end of a [`Program`](lems_ir::Program): it gives the
//! bits that the [`Interpreter`](lems_ir::Interpreter) gives, faster. [`validate`] proves
//! before any code is made that the code can only touch memory inside the program's arrays;
//! [`listing`] shows the code of one kernel.

mod assembler;
mod belt;
mod blocks;
mod division;
mod error;
mod exponential;
mod helpers;
mod lanes;
mod length;
mod native;
mod plan;
mod saved;
mod saving;
mod senders;
mod settle;
mod shares;
mod tables;
mod team;
mod together;
mod translate;
mod validate;
mod wait;

#[cfg(test)]
mod tests;

pub use assembler::{Listing, Part, can_fuse, listing};
pub use error::{Defect, JitError};
pub use length::too_long;
pub use native::CompiledProgram;
pub use plan::{BlockPlan, block_plan};
pub use validate::{Populations, validate};
