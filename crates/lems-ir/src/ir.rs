//! The instructions of a kernel.
//!
//! A kernel is structured code over an unlimited set of typed registers. Registers may be
//! assigned more than once (accumulators, alternatives of a condition); every use is preceded by
//! an assignment on every path. Instances are addressed through nested loops: level 0 is the
//! instance that the kernel is called for, level `n + 1` an instance attached to the one of
//! level `n`.

pub use lems_math::{BinaryOperator as Operator, Comparison, Function, Logic};

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

/// How a product `a * b` and a third double `c` are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fusion {
    /// `a * b + c`
    Add,
    /// `a * b - c`
    Subtract,
    /// `c - a * b`
    SubtractFrom,
}

impl Fusion {
    /// The value for two factors and a third double.
    #[allow(
        clippy::disallowed_methods,
        reason = "what it stands for, and not jLEMS's"
    )]
    pub fn apply(self, a: f64, b: f64, c: f64) -> f64 {
        match self {
            Fusion::Add => a.mul_add(b, c),
            Fusion::Subtract => a.mul_add(b, -c),
            Fusion::SubtractFrom => (-a).mul_add(b, c),
        }
    }
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
    /// A product with another double added or taken away, rounded once. Only in fast programs.
    Fused(Fusion, Register, Register, Register),
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

/// One instruction of a kernel.
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

/// What a statement does beyond its registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effects {
    /// What it reads in memory.
    pub loads: Option<Place>,
    /// What it writes in memory.
    pub stores: Option<Place>,
    /// Whether it takes a number from the random generator.
    pub draws: bool,
    /// Whether it sends an event, whose receivers may change anything.
    pub sends: bool,
}

/// All statements of some blocks, and of the blocks inside them, in no order.
pub fn statements<'b>(
    blocks: impl IntoIterator<Item = &'b Block>,
) -> impl Iterator<Item = &'b Statement> {
    with_nested(blocks.into_iter().flatten().collect())
}

fn with_nested(mut unread: Vec<&Statement>) -> impl Iterator<Item = &Statement> {
    std::iter::from_fn(move || {
        let statement = unread.pop()?;
        unread.extend(statement.nested().into_iter().flatten());
        Some(statement)
    })
}

impl Operation {
    /// Registers that it reads.
    pub fn operands(&self) -> impl Iterator<Item = Register> {
        let operands = match *self {
            Operation::Constant(_) | Operation::Time | Operation::Step | Operation::Load(_) => {
                [None; 3]
            }
            Operation::Copy(a)
            | Operation::Not(a)
            | Operation::Call(_, a)
            | Operation::Random(a) => [Some(a), None, None],
            Operation::Binary(_, a, b)
            | Operation::Compare(_, a, b)
            | Operation::Logic(_, a, b) => [Some(a), Some(b), None],
            Operation::Select(a, b, c) | Operation::Fused(_, a, b, c) => {
                [Some(a), Some(b), Some(c)]
            }
        };
        operands.into_iter().flatten()
    }

    /// The same on other registers.
    pub fn renamed(&self, name: &dyn Fn(Register) -> Register) -> Operation {
        match *self {
            Operation::Copy(a) => Operation::Copy(name(a)),
            Operation::Not(a) => Operation::Not(name(a)),
            Operation::Call(function, a) => Operation::Call(function, name(a)),
            Operation::Random(a) => Operation::Random(name(a)),
            Operation::Binary(operator, a, b) => Operation::Binary(operator, name(a), name(b)),
            Operation::Compare(how, a, b) => Operation::Compare(how, name(a), name(b)),
            Operation::Logic(how, a, b) => Operation::Logic(how, name(a), name(b)),
            Operation::Select(a, b, c) => Operation::Select(name(a), name(b), name(c)),
            Operation::Fused(fusion, a, b, c) => {
                Operation::Fused(fusion, name(a), name(b), name(c))
            }
            operation @ (Operation::Constant(_)
            | Operation::Time
            | Operation::Step
            | Operation::Load(_)) => operation,
        }
    }
}

impl Place {
    /// The first slot of the column that it is in, if it is in one.
    pub fn column(&self) -> Option<u32> {
        match self {
            Place::Column { base, .. } => Some(*base),
            Place::Slot(_) | Place::Linked { .. } => None,
        }
    }
}

impl Statement {
    /// What it does itself, not in the blocks inside it, beyond its registers.
    pub fn effects(&self) -> Effects {
        let none = Effects::default();
        match self {
            Statement::Let(_, Operation::Load(place)) => Effects {
                loads: Some(*place),
                ..none
            },
            Statement::Let(_, Operation::Random(_)) => Effects {
                draws: true,
                ..none
            },
            Statement::Store(place, _) => Effects {
                stores: Some(*place),
                ..none
            },
            Statement::Emit { .. } => Effects {
                sends: true,
                ..none
            },
            Statement::Let(..)
            | Statement::If { .. }
            | Statement::ForAttached { .. }
            | Statement::ForRuns { .. }
            | Statement::Propagate { .. }
            | Statement::Twice(_) => none,
        }
    }

    /// Gives its registers other names, but not those of the blocks inside it.
    pub fn rename(&mut self, name: &dyn Fn(Register) -> Register) {
        match self {
            Statement::Let(register, operation) => {
                *register = name(*register);
                *operation = operation.renamed(name);
            }
            Statement::Store(_, register)
            | Statement::If {
                condition: register,
                ..
            } => *register = name(*register),
            Statement::Propagate {
                occupancies,
                rates,
                results,
                ..
            } => {
                let pairs = rates
                    .iter_mut()
                    .flat_map(|(forward, reverse)| [forward, reverse]);
                for register in occupancies.iter_mut().chain(pairs).chain(results) {
                    *register = name(*register);
                }
            }
            Statement::Emit { .. }
            | Statement::ForAttached { .. }
            | Statement::ForRuns { .. }
            | Statement::Twice(_) => {}
        }
    }

    /// What it reads or writes in memory itself.
    pub fn place_mut(&mut self) -> Option<&mut Place> {
        match self {
            Statement::Let(_, Operation::Load(place)) | Statement::Store(place, _) => Some(place),
            _ => None,
        }
    }

    /// The statement and all in the blocks inside it, in no order.
    pub fn and_nested(&self) -> impl Iterator<Item = &Statement> {
        with_nested(vec![self])
    }

    /// Registers that it reads itself, not in the blocks inside it.
    pub fn operands(&self) -> Vec<Register> {
        match self {
            Statement::Let(_, operation) => operation.operands().collect(),
            Statement::Store(_, register) => vec![*register],
            Statement::If { condition, .. } => vec![*condition],
            Statement::Propagate {
                occupancies, rates, ..
            } => {
                let pairs = rates
                    .iter()
                    .flat_map(|(forward, reverse)| [*forward, *reverse]);
                occupancies.iter().copied().chain(pairs).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Registers that it assigns itself.
    pub fn assigned(&self) -> Vec<Register> {
        match self {
            Statement::Let(register, _) => vec![*register],
            Statement::Propagate { results, .. } => results.clone(),
            _ => Vec::new(),
        }
    }

    /// The blocks inside it.
    pub fn nested(&self) -> Vec<&Block> {
        match self {
            Statement::If {
                then, otherwise, ..
            } => vec![then, otherwise],
            Statement::ForAttached { body, .. } | Statement::Twice(body) => vec![body],
            Statement::ForRuns { arms, .. } => arms.iter().collect(),
            _ => Vec::new(),
        }
    }

    /// The blocks inside it.
    pub fn nested_mut(&mut self) -> Vec<&mut Block> {
        match self {
            Statement::If {
                then, otherwise, ..
            } => vec![then, otherwise],
            Statement::ForAttached { body, .. } | Statement::Twice(body) => vec![body],
            Statement::ForRuns { arms, .. } => arms.iter_mut().collect(),
            _ => Vec::new(),
        }
    }
}
