//! Kernels that take a block of instances through each of their parts together.
//!
//! Machine code for one instance after another waits for every result. A block of instances keeps the
//! processor busy, fills its vector registers, and makes one call for all arguments of an elementary
//! function. [`block_kernel`] rearranges a kernel in this way. [`independence`] proves for which programs
//! this gives the results of the sequential order. [`tailed_kernel`] does the same for part of a kernel.

mod flatten;
mod independence;
mod inline;
mod kernel;
mod ordered;
mod print;
mod schedule;
mod split;
mod survey;
mod tail;
#[cfg(test)]
mod tests;

pub(crate) use flatten::count_assignments;
pub use flatten::{Reads, carried, count_reads, flat_loop_body};
pub use independence::{Independence, independence};
pub use inline::inline_one_to_one;
pub use kernel::{BlockKernel, Part, Piece};
pub use ordered::Ordered;
pub use split::block_kernel;
pub use survey::{Extent, Stored};
pub use tail::tailed_kernel;
