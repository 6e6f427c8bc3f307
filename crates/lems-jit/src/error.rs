//! What keeps a program from becoming machine code.

use lems_ir::Scalar;
use lems_optimise::Obstacle;

/// Why a program could not be compiled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum JitError {
    /// No machine code can be made for this processor.
    #[error("no machine code for this processor: {0}")]
    Host(String),
    /// A kernel would not run properly.
    #[error("kernel `{kernel}`: {defect}")]
    Kernel {
        /// Name of the kernel.
        kernel: String,
        /// What is wrong with it.
        defect: Defect,
    },
    /// The schedule calls a kernel that does not exist.
    #[error("the schedule calls kernel {0}, which does not exist")]
    UnknownKernel(u32),
    /// A kernel that has no block form.
    #[error("kernel {kernel} does not run for blocks of instances: {obstacle}")]
    NoBlocks {
        /// Number of the kernel.
        kernel: u32,
        /// Why it has none.
        obstacle: Obstacle,
    },
    /// A cable reaches outside the memory, or its nodes are not a tree with parents before children.
    #[error("cable {number}: {defect}")]
    Cable {
        /// Number of the cable.
        number: usize,
        /// What is wrong with it.
        defect: CableDefect,
    },
    /// The schedule solves cables that do not exist.
    #[error("the schedule solves cables up to {last} of {cables}")]
    UnknownCable {
        /// One after the last cable that it solves.
        last: u32,
        /// Number of cables.
        cables: usize,
    },
    /// An event runs a handler that does not exist.
    #[error("an event runs handler {0}, which does not exist")]
    UnknownHandler(u32),
    /// Cranelift gave up on a kernel.
    #[error("kernel `{kernel}` could not be compiled: {reason}")]
    Code {
        /// Name of the kernel.
        kernel: String,
        /// What Cranelift said.
        reason: String,
    },
    /// No threads for it.
    #[error("no threads: {0}")]
    Threads(String),
    /// The machine code found no memory.
    #[error("no memory for machine code: {0}")]
    Memory(String),
}

/// What is wrong with a cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CableDefect {
    /// A slot outside the memory.
    #[error("slot {slot} is needed of a memory of {size}")]
    Memory {
        /// The slot.
        slot: u32,
        /// Doubles in the memory.
        size: usize,
    },
    /// A node whose parent does not come before it.
    #[error("node {node} has node {parent} as its parent, which does not come before it")]
    Parent {
        /// Number of the node.
        node: usize,
        /// Number of its parent.
        parent: u32,
    },
    /// A potential that something else of a cable is, too: the order of the cables would matter.
    #[error("slot {slot} is a potential and something else of a cable, too")]
    Shared {
        /// The slot.
        slot: u32,
    },
}

/// What is wrong with a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Defect {
    /// A place outside the memory.
    #[error("place {end} is needed of a memory of {size}")]
    Memory {
        /// One after the largest slot of the place.
        end: u64,
        /// Doubles in the memory.
        size: usize,
    },
    /// A table outside the links.
    #[error("entry {end} is needed of {size} links")]
    Links {
        /// One after the largest entry of the table.
        end: u64,
        /// Entries in the links.
        size: usize,
    },
    /// A run of attached instances that names no body.
    #[error("a run needs body {arm} of {arms}")]
    Arm {
        /// Number of the body.
        arm: u32,
        /// Number of bodies.
        arms: usize,
    },
    /// A source number that does not fit 32 bits.
    #[error("port {port} has too large a number for {population} instances")]
    Port {
        /// Source of the first instance.
        port: u32,
        /// Number of instances.
        population: u32,
    },
    /// A register that the kernel does not list.
    #[error("register {0} is unknown")]
    UnknownRegister(u32),
    /// A register is used as a value of the other type.
    #[error("register {register} is not {expected:?}")]
    RegisterType {
        /// Number of the register.
        register: u32,
        /// The type that belongs there.
        expected: Scalar,
    },
    /// A register that may be read before it is assigned.
    #[error("register {0} may be read before it is assigned")]
    Unassigned(u32),
    /// An address about a loop that is not around it, or a loop that is not one level further in.
    #[error("level {0} is out of place")]
    Level(u8),
    /// A kinetic scheme that does not exist.
    #[error("scheme {0} is unknown")]
    UnknownScheme(u32),
    /// A kinetic scheme with another number of states or transitions than registers for them.
    #[error("scheme {0} does not fit its registers")]
    SchemeShape(u32),
    /// A statement for set-up kernels only.
    #[error("it repeats a block, which only a set-up kernel may")]
    Twice,
    /// A buffer that a block kernel does not list.
    #[error("buffer {end} is needed of {buffers}")]
    Buffer {
        /// One after the last buffer.
        end: u64,
        /// Number of buffers.
        buffers: u32,
    },
    /// Buffers that a helper writes and others that it reads are the same.
    #[error("buffers from {written} on are written while those from {read} on are read")]
    Overlap {
        /// First buffer that is written.
        written: u32,
        /// First buffer that is read.
        read: u32,
    },
    /// A branch, a loop or a draw in code for instances side by side.
    #[error("code for instances side by side is not straight")]
    Crooked,
    /// Blocks are nested too deeply.
    #[error("more than {0} blocks are inside one another")]
    Nesting(usize),
}
