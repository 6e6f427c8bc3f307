//! Why a kernel is not rearranged.

/// What keeps a kernel from running in blocks, or a loop from running for two instances side by side.
///
/// Columns are named by their first slot, and tables by their first entry in the links.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The program has no such kernel.
    #[error("there is no kernel {0}")]
    UnknownKernel(u32),
    /// An event runs a handler that the program does not have.
    #[error("there is no handler {0}")]
    UnknownHandler(u32),
    /// The schedule does not call the kernel.
    #[error("the schedule does not run it")]
    NoInstances,
    /// The longest call has too few instances.
    #[error(
        "blocks need at least {fewest} instances, but it runs for at most {instances} at a time"
    )]
    FewInstances {
        /// Instances of the longest call.
        instances: u32,
        /// Fewest instances that are worth blocks.
        fewest: u32,
    },
    /// An address or a loop names a level that is not around it.
    #[error("level {0} is out of place")]
    Level(u8),
    /// Attached instances have attached instances themselves.
    #[error("instances are attached to attached instances")]
    NestedLoops,
    /// A statement that only set-up kernels may have.
    #[error("it repeats a block, as only set-up kernels do")]
    Repeats,

    /// One column has values of instances and of what is attached to them.
    #[error("column {0} is used at two levels")]
    TwoLevels(u32),
    /// A slot that is the same for all instances is stored.
    #[error("instances store slot {0}, which all of them share")]
    StoresSlot(u32),
    /// Variables of other instances are stored.
    #[error("instances store variables of others, through table {0}")]
    StoresLinked(u32),
    /// Random numbers are drawn in the order of the instances.
    #[error("instances draw random numbers, one after another")]
    Draws,
    /// Attached instances send events.
    #[error("attached instances send events")]
    AttachedEvents,
    /// Several instances share what is attached.
    #[error("several instances share what is attached to them")]
    SharedAttachments,
    /// Columns overlap without being the same.
    #[error("columns {first} and {second} overlap")]
    Overlap {
        /// First slot of one column.
        first: u32,
        /// First slot of the other.
        second: u32,
    },
    /// After the step has sent an event, it uses variables that the event may change.
    #[error("after it sends an event, it uses column {0}, which handlers of the event use too")]
    UsedAfterEvent(u32),
    /// Handlers store what instances read of one another.
    #[error("handlers store slot {slot} (of column {column}), which other instances read")]
    HandlersStore {
        /// The slot.
        slot: u32,
        /// The column of the kernel that it is part of; the slot itself if it is part of none.
        column: u32,
    },
    /// A handler that an event without a delay runs has an obstacle.
    #[error("handler {handler}, which its events run at once, is in the way: {reason}")]
    Handler {
        /// Number of the handler.
        handler: u32,
        /// What is wrong with it.
        reason: Box<Obstacle>,
    },
    /// A handler reaches variables of more than one instance of the kernel.
    #[error("it reaches variables of several instances")]
    SeveralOwners,
    /// A handler loops over attached instances.
    #[error("it reaches what is attached to its instance")]
    ReachesAttached,

    /// A statement that has no form without branches.
    #[error("{0}")]
    Branch(Branch),
    /// A result that no buffer holds.
    #[error("register {0} crosses between parts, but is in no buffer")]
    NoBuffer(u32),
    /// Copies that start no loop.
    #[error("it copies registers for no loop")]
    CopiesWithoutLoop,
    /// A column cannot be copied before it is stored, so no step can be rolled back.
    #[error("events can roll an instance back, but its variables cannot be copied first")]
    NoCopies,
    /// Neither the whole kernel nor a part of it can run in blocks.
    #[error("{order}; and no part of it can be split off: {split}")]
    NoHead {
        /// Why the order of the instances matters.
        order: Box<Obstacle>,
        /// Why the kernel is not split into a parallel head and a sequential tail.
        split: Box<Obstacle>,
    },
    /// What can run in blocks calls no function that would gain from it.
    #[error("what does not depend on the order calls no function of whole buffers")]
    CheapHead,
    /// A function is called under a condition, so that calling it always would cost more.
    #[error("it calls a function under a condition")]
    ConditionalCall,
    /// A loop may load what it stores for another instance.
    #[error("it may load what it stores for another instance")]
    LoadsStored,
    /// A store or a call depends on what an instance hands to the next.
    #[error("more than a sum depends on what one instance hands to the next")]
    Chained,
}

/// A statement that cannot be computed without branches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Branch {
    /// A random number.
    #[error("it draws random numbers")]
    Draw,
    /// A loop inside a branch.
    #[error("it loops over attached instances under a condition")]
    Loop,
    /// A kinetic scheme inside a branch.
    #[error("it advances a kinetic scheme under a condition")]
    Scheme,
    /// A truth value that is assigned again inside a branch.
    #[error("it assigns a truth value again under a condition")]
    Truth,
    /// A truth value that a loop carries from one round to the next.
    #[error("a loop hands a truth value from one attached instance to the next")]
    CarriedTruth,
    /// A register that is read outside the loop that assigns it.
    #[error("a value of an attached instance is used outside of its loop")]
    Escape,
    /// Registers whose values a loop swaps from one round to the next.
    #[error("a loop swaps values that it hands from one attached instance to the next")]
    Swap,
    /// A branch, an event or a loop where only straight code can be.
    #[error("a loop over attached instances has a branch around an event or a loop")]
    NotStraight,
    /// A branch with more than an event in it.
    #[error("it has a branch around more than an event")]
    MoreThanAnEvent,
}

impl From<Branch> for Obstacle {
    fn from(branch: Branch) -> Obstacle {
        Obstacle::Branch(branch)
    }
}
