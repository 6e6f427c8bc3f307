//! Programs that are faster because their results need not have jLEMS's bits.
//!
//! What is computed stays the same in exact arithmetic; what changes is the rounding. Nothing
//! here knows what a synapse is: what may be merged is proven from its equations.

mod cheaper;
mod merge;
#[cfg(test)]
mod tests;

use lems_ir::{Probe, Program};

/// The program in fewer operations: linear attached instances merged per host, divisions by
/// constants as multiplications, small whole powers as products, and, if the processor can do
/// that, products `fused` with what they are added to. Values in `recorded` keep their slots.
pub fn fast(mut program: Program, recorded: &[Probe], fused: bool) -> Program {
    merge::merge_linear(&mut program, recorded);
    for kernel in program.kernels.iter_mut().chain(&mut program.handlers) {
        cheaper::cheapen(kernel);
        if fused {
            cheaper::fuse(kernel);
        }
    }
    program
}
