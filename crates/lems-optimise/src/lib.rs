//! Functions from programs to programs.
//!
//! [`block_kernel`] turns the kernel of one instance into code for many instances that make their step
//! together, with the same results. [`fast`] uses cheaper arithmetic with other rounding errors. An
//! [`Obstacle`] says why something is left as it is.

mod blocks;
mod fast;
mod obstacle;

pub use blocks::{
    BlockKernel, Extent, Independence, Ordered, Part, Piece, Reads, Stored, block_kernel, carried,
    count_reads, flat_loop_body, independence, inline_one_to_one, tailed_kernel,
};
pub use fast::fast;
pub use obstacle::{Branch, Obstacle};
