//! Which kernels are too long to become machine code.
//!
//! The time that Cranelift takes grows with the square of a function's length. Its memory grows with the
//! number of branches times the number of values that live across them. A kernel that is too long is
//! interpreted instead, which gives the same bits.

use lems_ir::{Kernel, statements};

/// Most statements of a kernel.
const MOST_STATEMENTS: usize = 16_000;
/// Most statements times branches; the product bounds the number of values that live across branches.
const MOST_ACROSS_BRANCHES: usize = 40_000_000;

/// Whether a kernel is too long to become machine code, and is interpreted.
pub fn too_long(kernel: &Kernel) -> bool {
    let (mut count, mut branches) = (0_usize, 0_usize);
    for statement in statements([&kernel.body]) {
        count += 1;
        branches += statement.nested().len();
    }
    count > MOST_STATEMENTS || count.saturating_mul(branches) > MOST_ACROSS_BRANCHES
}
