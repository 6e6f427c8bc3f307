//! One run made by several ranks, with the bytes of one.
//!
//! A rank is a process, or a thread, that has read the whole model. [`Part`] is the part of the program that one
//! rank runs: instances that touch no variable that instances of other ranks store. [`RankBackend`] runs it, and
//! sends the other ranks its events and the number of random numbers that it has drawn. [`Ranks`] is the protocol,
//! and [`Exchange`] carries the messages: between [`threads`] of one process, or through another implementation.
//!
//! Rank 0 leads: it has all recorded values after each step, and decides whether the run goes on. No rank has the
//! variables of all: each writes those of its own to a part of a checkpoint.

mod clusters;
mod exchange;
mod footprint;
mod part;
mod partition;
mod ranks;
mod step;
mod window;
mod words;

pub use exchange::{Exchange, Gone, ThreadRank, threads};
pub use part::Part;
pub use partition::Cut;
pub use ranks::{Command, Disconnected, Ranks};
pub use step::RankBackend;
