//! Block kernels.

use lems_ir::{Block, Function, Register, Scalar, Statement};

use super::flatten::{Reads, count_reads};

/// A step kernel as parts that each run for a whole block of instances.
///
/// Values that one part hands to another are in buffers: one double for each instance of the block. A
/// truth value is a mask of all ones or all zeros.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockKernel {
    /// The name of the kernel.
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
    /// Sends events from source `port + i`, instance after instance, and for each instance in the order
    /// given: where the mask in the buffer is set, or always if there is no buffer.
    Emit(Vec<(Option<u32>, u32)>),
}

/// Code between buffers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Piece {
    /// Registers that are loaded from buffers at the start.
    pub inputs: Vec<(Register, u32)>,
    /// The statements.
    pub body: Block,
    /// Registers that are stored in buffers at the end.
    pub outputs: Vec<(Register, u32)>,
}

impl Piece {
    /// Whether anything outside depends on the code.
    pub(super) fn has_effect(&self) -> bool {
        !self.outputs.is_empty()
            || (self.body.iter()).any(|statement| !matches!(statement, Statement::Let(..)))
    }
}

impl BlockKernel {
    /// How often each register is read.
    pub fn reads(&self) -> Reads {
        let mut reads = Reads::default();
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
    /// The code of the part, unless it is a call or an event.
    pub fn code(&self) -> Option<&Block> {
        match self {
            Part::Lanes(piece) | Part::Each(piece) => Some(&piece.body),
            _ => None,
        }
    }
}
