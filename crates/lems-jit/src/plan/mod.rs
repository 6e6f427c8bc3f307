//! What is decided about a program before any code is made.
//!
//! Nothing here knows Cranelift, threads or a state: all decisions follow from the program alone.

pub(crate) mod block;
pub(crate) mod length;
pub(crate) mod rollback;
pub(crate) mod tables;
pub(crate) mod undo;
pub(crate) mod validate;
