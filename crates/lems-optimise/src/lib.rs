//! Functions from programs to programs.
//!
//! [`blocks`](block_kernel) turns the kernel of one instance into code for many that make their step together,
//! with the same results. [`fast`] takes cheaper arithmetic with other rounding errors.

mod blocks;
mod fast;

pub use blocks::{
    BlockKernel, Extent, InTurn, Independence, Part, Piece, Reads, Stored, block_kernel, carried,
    count_reads, flat_loop_body, independence, tailed_kernel, without_single_loops,
};
pub use fast::fast;
