//! From kernels and block plans to machine code, by Cranelift.
//!
//! [`translator`] holds the state of one function that is being made. [`translate`], [`attached`],
//! [`two_hosts`], [`lanes`], [`parts`], [`undo`] and [`division`] add statements to it. [`assembler`] owns the module and turns
//! the finished functions into code. [`abi`] holds what the code and its callers have to agree on.

pub(crate) mod abi;
pub(crate) mod assembler;
mod attached;
mod division;
mod exponential;
mod lane_loop;
mod lanes;
mod parts;
mod translate;
mod translator;
mod two_hosts;
mod undo;
