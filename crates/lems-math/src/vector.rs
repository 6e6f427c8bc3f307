//! The widest vector instructions of the processor, chosen when the program runs.

use multiversion::multiversion;

/// Runs code, which must be `#[inline(always)]`, compiled for the vector instructions that the
/// processor has. The results do not depend on which those are: nothing is fused or reordered.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+avx+bmi1+bmi2+f16c+fma+lzcnt+movbe+popcnt",
    "x86_64+avx2+avx+bmi1+bmi2+f16c+fma+lzcnt+movbe+popcnt",
))]
pub fn vectorised<F: FnOnce()>(code: F) {
    code();
}
