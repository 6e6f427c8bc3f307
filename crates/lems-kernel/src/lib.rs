//! What one shape of instances does in one step, as a small typed program over columns, and its
//! reference interpreter.
//!
//! A [`Program`] holds one [`Kernel`] per shape and one per event handler, the schedule in
//! which jLEMS's order visits the instances, and the tables that events follow. A [`State`] is
//! everything that changes while a model runs. A [`Backend`] advances a state: the
//! [`Interpreter`] here, or machine code.

mod blocks;
mod definitions;
mod deliveries;
mod fast;
mod interpreter;
mod ir;
mod lower;
mod print;
mod program;
mod queue;
mod routes;
mod scheme;
mod state;

pub use blocks::{
    BlockKernel, Extent, InTurn, Independence, Part, Piece, Reads, Stored, block_kernel, carried,
    count_reads, flat_loop_body, independence, tailed_kernel, without_single_loops,
};
pub use definitions::Definitions;
pub use deliveries::Deliveries;
pub use fast::fast;
pub use interpreter::Interpreter;
pub use ir::{
    Block, Comparison, Function, Fusion, Kernel, Level, Logic, MAX_LEVELS, Operation, Operator,
    Place, Register, Scalar, Statement, statements,
};
pub use lower::{Lowered, Probe, Recorded, lower};
pub use program::{Call, Program, Setup};
pub use queue::{EventQueue, QueuedEvent};
pub use routes::{Action, Receivers, Routes, Target};
pub use scheme::{Edge, Scheme};
pub use state::{Backend, Fault, MAX_RELAY_DEPTH, State, deliver_due, emit};
