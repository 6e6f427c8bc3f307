//! One run made by several ranks, with the bytes of one.
//!
//! A rank is a process, or a thread, that has read the whole model. [`Part`] is what one of them makes in each
//! step: the instances that touch nothing of what instances of other ranks store. [`RankBackend`] makes it,
//! and tells the others which events were sent and how many random numbers were drawn. [`Ranks`] is the
//! conversation, and [`Exchange`] what carries it: [`threads`] of one process, or whatever else implements it.
//!
//! Rank 0 leads: it has all values that are recorded after each step, and decides whether the run goes on.

mod clusters;
mod exchange;
mod footprint;
mod part;
mod partition;
mod ranks;
mod step;

pub use exchange::{Exchange, Gone, ThreadRank, threads};
pub use part::Part;
pub use ranks::{Left, Ranks, Wish};
pub use step::RankBackend;
