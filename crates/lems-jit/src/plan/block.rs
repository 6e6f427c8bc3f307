//! Which kernels take blocks of instances through their parts together, and how large the blocks
//! are.

use lems_index::narrow;
use lems_ir::{Block, Call, Kernel, Program, Statement};
use lems_optimise::{
    BlockKernel, Independence, Part, block_kernel, independence, tailed_kernel,
    without_single_loops,
};

use crate::codegen::abi::LANES;
use crate::plan::rollback::Reach;
use crate::plan::undo::{can_copy, stored_columns};

/// Calls of fewer instances are computed one after another.
const FEWEST_TOGETHER: u32 = 4;
/// The same for kernels that call no functions of whole buffers, and so gain less.
const FEWEST_WITHOUT_CALLS: u32 = 16;
/// Most instances in a block.
const LARGEST_BLOCK: u32 = 64;
/// Doubles in the buffers of a block, which should stay in the cache.
const LARGEST_BUFFERS: u32 = 3_000;
/// Doubles of a block that are saved, which should do so too.
const LARGEST_COPY: u32 = 2_000;

/// Tests and fuzzers want several threads at work, and on several units, in small programs too.
const SMALL: bool = cfg!(any(test, fuzzing));

/// Most blocks of a unit of work where several threads finish such units in order.
const BLOCKS_OF_A_UNIT: u32 = if SMALL { 1 } else { 32 };
/// Fewest units of a step for each of them, if there are that many blocks.
const FEWEST_UNITS: u32 = 16;
/// Units that each of them can have made before they are finished.
const UNITS_IN_WORK: u32 = 2;

/// How a kernel takes many instances through a step.
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
    /// What makes the order of the instances irrelevant.
    pub independence: Independence,
    /// Whether the last part has all for which it matters after all, and sends its events at once.
    pub has_tail: bool,
}

impl BlockPlan {
    /// Whether a call is long enough to be computed in blocks.
    pub(crate) fn is_for(&self, call: &Call) -> bool {
        call.last.saturating_sub(call.first) >= FEWEST_TOGETHER
    }

    /// How many of `team` threads are worth their while for a call.
    pub(crate) fn threads(&self, call: Call, team: u32) -> u32 {
        let length = call.last.saturating_sub(call.first);
        team.min(length / self.share).max(1)
    }

    /// How far instances can be ahead of others if a number of threads computes them.
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

/// The block form of a kernel; `None` if it runs for few instances at a time, or if their order
/// matters in all that would be worth it.
pub fn block_plan(program: &Program, kernel: u32) -> Option<BlockPlan> {
    let code = program.kernels.get(kernel as usize)?;
    let calls = program.schedule.iter().filter(|call| call.kernel == kernel);
    let longest = calls
        .map(|call| call.last.saturating_sub(call.first))
        .max()?;
    if longest < FEWEST_TOGETHER {
        return None;
    }
    let population = program.population(kernel);
    let code = without_single_loops(program, code, population);
    let (kernel, independence, has_tail) = match in_any_order(program, kernel, &code) {
        Some((block, independence)) => (block, independence, false),
        None => {
            let tailed = tailed_kernel(program, kernel, &code)?;
            (tailed, Independence::default(), true)
        }
    };
    let calls_functions = |part: &Part| {
        matches!(
            part,
            Part::Call { .. } | Part::Power { .. } | Part::Propagate { .. }
        )
    };
    if longest < FEWEST_WITHOUT_CALLS && !kernel.parts.iter().any(calls_functions) {
        return None;
    }
    let saved = match independence.interferes() {
        true => saved_per_instance(program, &independence, population),
        false => 0,
    };
    let stride = stride(longest, kernel.buffers, saved);
    let share = match independence.in_turn.is_empty() && !has_tail {
        true => share(program, &kernel),
        false => WHOLE,
    };
    Some(BlockPlan {
        kernel,
        longest,
        stride,
        share,
        independence,
        has_tail,
    })
}

/// The parts of a kernel whose instances can be computed in any order but for what the parts take
/// care of.
fn in_any_order(
    program: &Program,
    number: u32,
    code: &Kernel,
) -> Option<(BlockKernel, Independence)> {
    let mut independence = independence(program, number)?;
    let kernel = block_kernel(code, &independence.in_turn)?;
    let stored = stored_columns(&kernel.parts);
    (independence.stored).retain(|column| stored.contains(&column.base));
    let (columns, links) = (&independence.stored, &program.links);
    let population = program.population(number);
    let copies = || can_copy(&kernel.parts, columns, links, population);
    (!independence.interferes() || copies()).then_some((kernel, independence))
}

/// The size of blocks of about the same size, of which each fits the cache.
fn stride(longest: u32, buffers: u32, saved: u32) -> u32 {
    let fitting = (LARGEST_BUFFERS / buffers.max(1)).min(LARGEST_COPY / saved.max(1));
    let largest = fitting.clamp(8, LARGEST_BLOCK);
    let blocks = longest.div_ceil(largest);
    longest.div_ceil(blocks.max(1)).next_multiple_of(LANES)
}

/// Doubles that are saved for an instance of about the usual size.
fn saved_per_instance(program: &Program, independence: &Independence, population: u32) -> u32 {
    let mut doubles = 0;
    for column in &independence.stored {
        column.ranges(&program.links, 0..population, |slots| {
            doubles += slots.len()
        });
    }
    narrow(doubles / population.max(1) as usize)
}

/// More instances than any call has, an even number.
const WHOLE: u32 = u32::MAX - 1;
/// Statements that are worth a thread: well above what it takes to wake it.
const STATEMENTS_OF_A_SHARE: u64 = if SMALL { 1 } else { 700_000 };
/// Fewest instances that are worth one, however much each does.
const FEWEST_OF_A_SHARE: u32 = if SMALL { 8 } else { 64 };
/// Most instances of a share, however little each does.
const MOST_OF_A_SHARE: u32 = 1 << 20;

fn share(program: &Program, kernel: &BlockKernel) -> u32 {
    let mut statements = 1;
    for part in &kernel.parts {
        statements += match part {
            Part::Lanes(piece) | Part::Each(piece) => weight(program, &piece.body),
            Part::Call { count, .. } | Part::Power { count, .. } => 20 * u64::from(*count),
            Part::Propagate { states, .. } => 100 * u64::from(*states),
            Part::Emit(events) => events.len() as u64,
        };
    }
    let share = u32::try_from(STATEMENTS_OF_A_SHARE / statements).unwrap_or(MOST_OF_A_SHARE);
    let share = share.clamp(FEWEST_OF_A_SHARE, MOST_OF_A_SHARE);
    share.next_multiple_of(LANES)
}

/// Statements that one instance runs, those of loops as often as for the first instance.
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
