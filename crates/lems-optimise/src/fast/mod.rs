//! Faster programs whose results may differ from jLEMS's in rounding.
//!
//! In exact arithmetic the results stay the same. Nothing here knows what a synapse is: the equations prove
//! which instances can be merged.

mod cheaper;
mod flush;
mod merge;
#[cfg(test)]
mod tests;

use lems_ir::{Probe, Program, SchemeMethod};

/// The program with fewer and cheaper operations. Linear attached instances are merged per host. Divisions by
/// constants become multiplications, and small whole powers become products. Kinetic schemes advance by uniformisation.
/// State that decays stays a normal number. If `fused` is true, products are fused with the sums that they are terms of.
/// Values in `recorded` keep their slots.
pub fn fast(mut program: Program, recorded: &[Probe], fused: bool) -> Program {
    merge::merge_linear(&mut program, recorded);
    for scheme in &mut program.schemes {
        scheme.method = SchemeMethod::Uniformisation;
    }
    flush::flush(&mut program);
    for kernel in program.kernels.iter_mut().chain(&mut program.handlers) {
        cheaper::cheapen(kernel);
        if fused {
            cheaper::fuse(kernel);
        }
    }
    program
}
