//! The widest vector instructions of the processor, chosen when the program runs.

use pulp::{Arch, Simd, WithSimd};

struct Code<F>(F);

impl<F: FnOnce()> WithSimd for Code<F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        (self.0)();
    }
}

/// Runs code, which must be `#[inline(always)]`, compiled for the vector instructions that the
/// processor has. The results do not depend on which those are: nothing is fused or reordered.
#[inline]
pub fn vectorised(code: impl FnOnce()) {
    Arch::new().dispatch(Code(code));
}
