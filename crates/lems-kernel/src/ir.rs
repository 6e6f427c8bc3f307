//! The instructions of a kernel.
//!
//! A kernel is structured code over an unlimited set of typed registers. Registers may be
//! assigned more than once (accumulators, alternatives of a condition); every use is preceded by
//! an assignment on every path. Instances are addressed through nested loops: level 0 is the
//! instance that the kernel is called for, level `n + 1` an instance attached to the one of
//! level `n`.

pub use lems_expression::{BinaryOperator as Operator, Comparison, Logic};

/// Deepest nesting of attachment loops in a kernel, level 0 included.
pub const MAX_LEVELS: usize = 8;

/// The program of one shape in one step, or of one event handler for one instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Kernel {
    /// Shown by `show kernel`: the component type and what the kernel does.
    pub name: String,
    /// Type of each register, by register number.
    pub registers: Vec<Scalar>,
    /// Run once for each instance.
    pub body: Block,
}

/// Statements in the order in which they run.
pub type Block = Vec<Statement>;

/// A virtual register of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Register(pub u32);

/// The loop whose current instance an address is about: 0 is the kernel's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(pub u8);

/// Type of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// An IEEE double, in SI units.
    Real,
    /// A truth value.
    Truth,
}

/// Where a double lives in [`State::memory`](crate::State::memory).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// `memory[slot]`, the same for all instances.
    Slot(u32),
    /// `memory[base + i]`, where `i` is the instance of `level`.
    Column {
        /// First slot of the column.
        base: u32,
        /// Loop that gives the instance.
        level: Level,
    },
    /// `memory[links[table + i]]`, where `i` is the instance of `level`: a variable of another
    /// group.
    Linked {
        /// First entry of the table in [`Program::links`](crate::Program::links).
        table: u32,
        /// Loop that gives the instance.
        level: Level,
    },
}

/// Functions of one double with the bits of `lems_math`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Function {
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Tangent.
    Tan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Hyperbolic tangent.
    Tanh,
    /// Exponential.
    Exp,
    /// Natural logarithm; NaN for arguments of zero or less.
    Ln,
    /// Square root; NaN for negative arguments.
    Sqrt,
    /// Smallest integer not below.
    Ceil,
    /// Absolute value.
    Abs,
    /// Step function, one half at zero.
    Heaviside,
    /// Product of the integers up to the argument.
    Factorial,
}

/// What a register is assigned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Operation {
    /// A literal.
    Constant(f64),
    /// Time at the end of the step, in seconds.
    Time,
    /// Length of the step, in seconds.
    Step,
    /// A variable.
    Load(Place),
    /// The value of another register.
    Copy(Register),
    /// Arithmetic on two doubles; `Power` is `lems_math::pow`.
    Binary(Operator, Register, Register),
    /// IEEE comparison of two doubles.
    Compare(Comparison, Register, Register),
    /// Both or either of two truth values, both already computed.
    Logic(Logic, Register, Register),
    /// The other truth value.
    Not(Register),
    /// The second register where the first is true, else the third (doubles).
    Select(Register, Register, Register),
    /// An elementary function.
    Call(Function, Register),
    /// The register times the next double of the model's random generator.
    Random(Register),
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// Assigns a register.
    Let(Register, Operation),
    /// Writes a double to memory.
    Store(Place, Register),
    /// Runs one of two blocks.
    If {
        /// Truth register.
        condition: Register,
        /// Run where it is true.
        then: Block,
        /// Run where it is false.
        otherwise: Block,
    },
    /// Sends an event from source number `port + i`, `i` being the instance of `level`: its
    /// receivers run before the next statement and may change any of their variables.
    Emit {
        /// Number of the first instance's source in [`Routes`](crate::Routes).
        port: u32,
        /// Loop that gives the instance.
        level: Level,
    },
    /// Runs the body for the instances `links[offsets + i] .. links[offsets + i + 1]`, `i` being
    /// the instance of the level outside; `level` is one more than that.
    ForAttached {
        /// First entry of the offset table in the links.
        offsets: u32,
        /// Level of the attached instances.
        level: Level,
        /// Run for each of them.
        body: Block,
    },
    /// Like `ForAttached` where the attached instances are of several shapes in any order: for
    /// each `r` in `links[offsets + i] .. links[offsets + i + 1]` the triple
    /// `(arm, first, last)` at `links[runs + 3 r]` runs `arms[arm]` for `first .. last`.
    ForRuns {
        /// First entry of the offset table in the links.
        offsets: u32,
        /// First triple in the links.
        runs: u32,
        /// Level of the attached instances.
        level: Level,
        /// One body for each shape.
        arms: Vec<Block>,
    },
    /// Advances the occupancies of a kinetic scheme by one step (`KineticScheme` of LEMS).
    Propagate {
        /// Index in [`Program::schemes`](crate::Program::schemes).
        scheme: u32,
        /// Occupancy of each state before the step.
        occupancies: Vec<Register>,
        /// Forward and reverse rate of each edge, per second.
        rates: Vec<(Register, Register)>,
        /// Assigned the occupancies after the step.
        results: Vec<Register>,
    },
    /// Runs the block, and once more if that changed memory, drew a random number or sent an
    /// event. Only in set-up kernels, which machine code does not cover.
    Twice(Block),
}
