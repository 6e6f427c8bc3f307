//! Selects the widest vector instructions of the processor at run time.

use multiversion::multiversion;

/// Runs code that is compiled for the vector instructions of the processor. The code must be
/// `#[inline(always)]`. The results do not depend on the instructions, because nothing is fused or
/// reordered.
#[multiversion(targets(
    "x86_64+avx512f+avx512bw+avx512cd+avx512dq+avx512vl+avx2+avx+bmi1+bmi2+f16c+fma+lzcnt+movbe+popcnt",
    "x86_64+avx2+avx+bmi1+bmi2+f16c+fma+lzcnt+movbe+popcnt",
))]
pub fn vectorised<F: FnOnce()>(code: F) {
    code();
}
