//! Kernels that take a block of instances through each of their parts together.
//!
//! Machine code for one instance after another waits for every result; a block of instances
//! keeps the processor busy, fills its vector registers, and makes one call for all arguments of
//! an elementary function. [`block_kernel`] rearranges a kernel so; [`Independence`] says for
//! which programs that gives what the sequential order gives. [`tailed_kernel`] does as much for
//! others as it can.

mod flatten;
mod in_turn;
mod independence;
mod inline;
mod print;
mod split;
mod tail;
#[cfg(test)]
mod tests;
mod units;

use lems_ir::{Block, Function, Kernel, Register, Scalar, Statement};

pub(crate) use flatten::count_assignments;
pub use flatten::{Reads, carried, count_reads, flat_loop_body};
pub use in_turn::InTurn;
pub use independence::{Extent, Independence, Stored, independence};
pub use inline::without_single_loops;
pub use tail::tailed_kernel;

/// A step kernel as parts that each run for a whole block of instances.
///
/// Values that one part hands to another live in buffers: one double for each instance of the
/// block, truth values as a mask of all ones or zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockKernel {
    /// As of the kernel.
    pub name: String,
    /// Type of each register, by register number.
    pub registers: Vec<Scalar>,
    /// Number of buffers.
    pub buffers: u32,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// What all instances of a block do before the next part begins.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Straight-line code for several instances side by side.
    Lanes(Piece),
    /// Code with loops, for one instance after another.
    Each(Piece),
    /// Replaces the content of `count` successive buffers by the function of it.
    Call {
        /// The function.
        function: Function,
        /// First buffer.
        first: u32,
        /// Number of buffers.
        count: u32,
    },
    /// Raises the content of `count` successive buffers to the powers in as many others.
    Power {
        /// First buffer with a base; they get the results.
        bases: u32,
        /// First buffer with an exponent.
        exponents: u32,
        /// Number of bases.
        count: u32,
    },
    /// Advances the occupancies of a kinetic scheme, in place.
    Propagate {
        /// Index in [`Program::schemes`](lems_ir::Program::schemes).
        scheme: u32,
        /// First of the buffers with the occupancies.
        occupancies: u32,
        /// Number of occupancies.
        states: u32,
        /// First of the buffers with forward and reverse rate of each edge.
        rates: u32,
    },
    /// Sends events, instance after instance, each in the order given: where the buffer has a
    /// mask of ones, or always; from source number `port + i`.
    Emit(Vec<(Option<u32>, u32)>),
}

/// Code between buffers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// Registers that are filled from buffers first.
    pub inputs: Vec<(Register, u32)>,
    /// What is done.
    pub body: Block,
    /// Registers that are put into buffers at the end.
    pub outputs: Vec<(Register, u32)>,
}

impl Piece {
    /// Whether it leaves anything behind.
    fn has_effect(&self) -> bool {
        !self.outputs.is_empty()
            || (self.body.iter()).any(|statement| !matches!(statement, Statement::Let(..)))
    }
}

impl BlockKernel {
    /// How often each register is read.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::new();
        for part in &self.parts {
            if let Part::Lanes(piece) | Part::Each(piece) = part {
                count_reads(&piece.body, &mut reads);
                for (register, _) in &piece.outputs {
                    *reads.entry(*register).or_default() += 1;
                }
            }
        }
        reads
    }
}

impl Part {
    /// The code that it consists of, if it is not a call or an event.
    pub fn code(&self) -> Option<&Block> {
        match self {
            Part::Lanes(piece) | Part::Each(piece) => Some(&piece.body),
            _ => None,
        }
    }
}

/// The kernel by parts, of which one has all code that must run for one instance after another;
/// `None` if some of its code must run for one instance alone.
pub fn block_kernel(kernel: &Kernel, in_turn: &InTurn) -> Option<BlockKernel> {
    let (flat, _) = flatten::flat(kernel, &[])?;
    split::split(&flat, in_turn, &[]).map(|(kernel, _)| kernel)
}
