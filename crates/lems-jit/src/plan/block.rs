//! Which kernels run in blocks of instances, and how large the blocks, units and shares are.

use lems_index::narrow;
use lems_ir::{Block, Call, Kernel, Operation, Operator, Program, Statement};
use lems_optimise::{
    BlockKernel, Independence, Obstacle, Part, block_kernel, independence, inline_one_to_one,
    tailed_kernel,
};

use crate::codegen::abi::LANES;
use crate::plan::rollback::Reach;
use crate::plan::undo::{can_copy, stored_columns};

/// Calls of fewer instances are computed one after another.
const FEWEST_TOGETHER: u32 = 4;
/// The same for kernels that call no functions of whole buffers, and so gain less from blocks.
const FEWEST_WITHOUT_CALLS: u32 = 16;
/// Most instances in a block.
const LARGEST_BLOCK: u32 = 64;
/// Most doubles in the buffers of a block, which should stay in the cache.
const LARGEST_BUFFERS: u32 = 3_000;
/// Most doubles of a block in the undo log, which should stay in the cache too.
const LARGEST_COPY: u32 = 2_000;

/// Whether small programs are shared too: tests and fuzzers want several threads at work, on several units.
const SMALL: bool = cfg!(any(test, fuzzing));

/// Most blocks of a unit of work, if several threads commit units in order.
const BLOCKS_OF_A_UNIT: u32 = if SMALL { 1 } else { 32 };
/// Fewest units of a step for each thread, if there are enough blocks.
const FEWEST_UNITS: u32 = 16;
/// Units that each thread can have computed before they are committed.
const UNITS_IN_WORK: u32 = 2;

/// How a kernel computes a step of many instances.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockPlan {
    /// Its parts.
    pub kernel: BlockKernel,
    /// Number of instances of its longest call.
    pub longest: u32,
    /// Most instances in a block, an even number: the size of each buffer.
    pub stride: u32,
    /// Fewest instances that are worth a thread of their own, an even number.
    pub share: u32,
    /// What must be known to run the instances in any order.
    pub independence: Independence,
    /// Whether the last part is a sequential tail: it runs in instance order and delivers its events
    /// immediately.
    pub has_tail: bool,
}

impl BlockPlan {
    /// Whether a call is long enough to be computed in blocks.
    pub(crate) fn is_for(&self, call: &Call) -> bool {
        call.last.saturating_sub(call.first) >= FEWEST_TOGETHER
    }

    /// How many of `team` threads are worth it for a call.
    pub(crate) fn threads(&self, call: Call, team: u32) -> u32 {
        let length = call.last.saturating_sub(call.first);
        team.min(length / self.share).max(1)
    }

    /// How far ahead of others instances can be if a number of threads computes them.
    pub(crate) fn reach(&self, threads: u32) -> Reach {
        match threads {
            1 => Reach {
                unit: self.stride,
                window: 1,
            },
            threads => {
                let window = threads.saturating_mul(UNITS_IN_WORK);
                let blocks = self.longest / self.stride.max(1);
                let blocks = blocks / threads.saturating_mul(FEWEST_UNITS);
                let unit = self.stride * blocks.clamp(1, BLOCKS_OF_A_UNIT);
                Reach { unit, window }
            }
        }
    }

    /// Doubles that the buffers of a block take.
    pub(crate) fn buffers(&self) -> usize {
        self.kernel.buffers as usize * self.stride as usize
    }
}

/// The block form of a kernel.
///
/// # Errors
///
/// If it runs for few instances at a time, or if their order matters in everything that would be worth it.
pub fn block_plan(program: &Program, kernel: u32) -> Result<BlockPlan, Obstacle> {
    let code = program.kernels.get(kernel as usize);
    let code = code.ok_or(Obstacle::UnknownKernel(kernel))?;
    let calls = program.calls().filter(|call| call.kernel == kernel);
    let longest = calls
        .map(|call| call.last.saturating_sub(call.first))
        .max()
        .ok_or(Obstacle::NoInstances)?;
    at_least(FEWEST_TOGETHER, longest)?;
    // The whole kernel in any order, or else its head in blocks and its tail in order.
    let population = program.population(kernel);
    let code = inline_one_to_one(program, code, population);
    // Most small models end here, before the costly part.
    if !code.body.iter().any(calls_functions) {
        at_least(FEWEST_WITHOUT_CALLS, longest)?;
    }
    let (kernel, independence, has_tail) = match in_any_order(program, kernel, &code) {
        Ok((block, independence)) => (block, independence, false),
        Err(order) => {
            let tailed = tailed_kernel(program, kernel, &code);
            let tailed = tailed.map_err(|split| Obstacle::NoHead {
                order: Box::new(order),
                split: Box::new(split),
            })?;
            (tailed, Independence::default(), true)
        }
    };
    if !kernel.parts.iter().any(is_call) {
        at_least(FEWEST_WITHOUT_CALLS, longest)?;
    }
    // Sizes of blocks and of shares.
    let copied = if independence.interferes() {
        copied_per_instance(program, &independence, population)
    } else {
        0
    };
    let stride = stride(longest, kernel.buffers, copied);
    let share = if independence.ordered.is_empty() && !has_tail {
        share(program, &kernel, independence.interferes())
    } else {
        WHOLE
    };
    Ok(BlockPlan {
        kernel,
        longest,
        stride,
        share,
        independence,
        has_tail,
    })
}

/// Whether a statement or one inside it computes what a part for whole buffers may compute.
fn calls_functions(statement: &Statement) -> bool {
    statement.and_nested().any(|statement| {
        matches!(
            statement,
            Statement::Propagate { .. }
                | Statement::Let(
                    _,
                    Operation::Call(..) | Operation::Binary(Operator::Power, ..)
                )
        )
    })
}

/// Whether a part calls a function of whole buffers.
fn is_call(part: &Part) -> bool {
    matches!(
        part,
        Part::Call { .. } | Part::Power { .. } | Part::Propagate { .. }
    )
}

/// Checks that the longest call has enough instances.
fn at_least(fewest: u32, instances: u32) -> Result<(), Obstacle> {
    if instances < fewest {
        return Err(Obstacle::FewInstances { instances, fewest });
    }
    Ok(())
}

/// The parts of a kernel whose instances can be computed in any order, except for what the parts keep in
/// order themselves.
fn in_any_order(
    program: &Program,
    number: u32,
    code: &Kernel,
) -> Result<(BlockKernel, Independence), Obstacle> {
    let mut independence = independence(program, number)?;
    let kernel = block_kernel(code, &independence.ordered)?;
    let stored = stored_columns(&kernel.parts);
    (independence.stored).retain(|column| stored.contains(&column.base));
    let (columns, links) = (&independence.stored, &program.links);
    let population = program.population(number);
    let copies = || can_copy(&kernel.parts, columns, links, population);
    if independence.interferes() && !copies() {
        return Err(Obstacle::NoCopies);
    }
    Ok((kernel, independence))
}

/// The number of instances of a block. All blocks have about the same size and fit into the cache.
fn stride(longest: u32, buffers: u32, copied: u32) -> u32 {
    let fitting = (LARGEST_BUFFERS / buffers.max(1)).min(LARGEST_COPY / copied.max(1));
    let largest = fitting.clamp(8, LARGEST_BLOCK);
    let blocks = longest.div_ceil(largest);
    longest.div_ceil(blocks.max(1)).next_multiple_of(LANES)
}

/// Doubles in the undo log for an average instance.
fn copied_per_instance(program: &Program, independence: &Independence, population: u32) -> u32 {
    let mut doubles = 0;
    for column in &independence.stored {
        column.ranges(&program.links, 0..population, |slots| {
            doubles += slots.len()
        });
    }
    narrow(doubles / population.max(1) as usize)
}

/// An even number of instances that is larger than any call: no thread shares.
const WHOLE: u32 = u32::MAX - 1;
/// Statements that are worth a thread: well above the cost of handing them out.
const STATEMENTS_OF_A_SHARE: u64 = if SMALL { 1 } else { 150_000 };
/// The same if events of one instance can reach another one, so that threads commit units in order.
const STATEMENTS_OF_A_SHARE_IN_ORDER: u64 = if SMALL { 1 } else { 700_000 };
/// Nodes of cables that are worth a thread.
pub(crate) const NODES_OF_A_SHARE: usize = if SMALL { 1 } else { 1_500 };
/// Fewest instances of a share, however many statements each runs.
const FEWEST_OF_A_SHARE: u32 = if SMALL { 8 } else { 64 };
/// Most instances of a share, however few statements each runs.
const MOST_OF_A_SHARE: u32 = 1 << 20;

/// Fewest instances that are worth a thread, by an estimate of the statements that each runs.
fn share(program: &Program, kernel: &BlockKernel, in_order: bool) -> u32 {
    let worthwhile = match in_order {
        true => STATEMENTS_OF_A_SHARE_IN_ORDER,
        false => STATEMENTS_OF_A_SHARE,
    };
    let mut statements = 1;
    for part in &kernel.parts {
        statements += match part {
            Part::Lanes(piece) | Part::Each(piece) => weight(program, &piece.body),
            Part::Call { count, .. } | Part::Power { count, .. } => 20 * u64::from(*count),
            Part::Propagate { states, .. } => 100 * u64::from(*states),
            Part::Emit(events) => events.len() as u64,
        };
    }
    let share = u32::try_from(worthwhile / statements).unwrap_or(MOST_OF_A_SHARE);
    let share = share.clamp(FEWEST_OF_A_SHARE, MOST_OF_A_SHARE);
    share.next_multiple_of(LANES)
}

/// Statements that one instance runs; those of loops count as often as they run for the first instance.
fn weight(program: &Program, block: &Block) -> u64 {
    let times = |statement: &Statement| match statement {
        Statement::ForAttached { offsets, .. } | Statement::ForRuns { offsets, .. } => {
            let offsets = program.links.get(*offsets as usize..*offsets as usize + 2);
            match offsets {
                Some([first, last]) => u64::from(last.saturating_sub(*first)),
                _ => 0,
            }
        }
        _ => 1,
    };
    let inner = |statement: &Statement| -> u64 {
        statement
            .nested()
            .into_iter()
            .map(|block| weight(program, block))
            .sum()
    };
    block
        .iter()
        .map(|statement| 1 + times(statement) * inner(statement))
        .sum()
}
