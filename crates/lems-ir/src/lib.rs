//! The intermediate representation of a simulation: what one shape of instances does in one step, as a small
//! typed program over columns, and its reference interpreter.
//!
//! A [`Program`] holds one [`Kernel`] per shape and one per event handler, the schedule in
//! which jLEMS's order visits the instances, and the tables that events follow. A [`State`] is
//! everything that changes while a model runs. A [`Backend`] advances a state: the
//! [`Interpreter`] here, or machine code.
//!
//! Nothing here knows XML, component types or equations. `lems-lower` makes programs of networks.

mod cable;
mod clock;
mod definitions;
mod deliveries;
mod elimination;
mod interpreter;
mod ir;
mod print;
mod program;
mod queue;
mod routes;
mod scheme;
mod state;
pub mod text;

pub use cable::{Cable, CableNode, CableScratch, Membrane};
pub use clock::Clock;
pub use definitions::Definitions;
pub use deliveries::Deliveries;
pub use interpreter::Interpreter;
pub use ir::{
    Block, Comparison, Effects, Function, Fusion, Kernel, Level, Logic, MAX_LEVELS, Operation,
    Operator, Place, Register, Scalar, Statement, statements,
};
pub use print::Listing;
pub use program::{Call, Probe, Program, Scheduled, Setup, Solver};
pub use queue::{EventQueue, QueuedEvent};
pub use routes::{Action, Receivers, Routes, Target};
pub use scheme::{Edge, Scheme, SchemeMethod};
pub use state::{
    Ahead, Backend, Fault, MAX_RELAY_DEPTH, Share, State, deliver_due, emit, make_step,
    run_scheduled, sparse_copy,
};
