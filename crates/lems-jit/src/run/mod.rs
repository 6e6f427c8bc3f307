//! Running a compiled program: one instance after another, or many together on several threads.
//!
//! [`compiled`] makes the program and chooses. [`together`] computes instances block by block.
//! [`in_order`] and [`work_stealing`] share the blocks among the threads of a [`team`]. [`commit`]
//! delivers the events of a block in order, with the help of the [`undo`] log. [`cables`] solves the trees of
//! compartments.

mod cables;
pub(crate) mod commit;
pub(crate) mod compile;
pub(crate) mod compiled;
mod in_order;
mod team;
mod together;
pub(crate) mod undo;
mod wait;
mod work_stealing;
