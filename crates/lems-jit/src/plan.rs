//! Which kernels take blocks of instances through their parts together, and how large the blocks
//! are.

use lems_kernel::{BlockKernel, Independence, Program, block_kernel, independence};

use crate::lanes::LANES;

/// Fewer instances are computed one after the other.
pub(crate) const FEWEST_TOGETHER: u32 = 4;
/// Most instances in a block.
const LARGEST_BLOCK: u32 = 64;
/// Doubles in the buffers of a block, which should stay in the cache.
const LARGEST_BUFFERS: u32 = 3_000;

/// How a kernel takes many instances through a step.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockPlan {
    /// Its parts.
    pub kernel: BlockKernel,
    /// Most instances in a block, an even number: the size of each buffer.
    pub stride: u32,
    /// What makes the order of the instances irrelevant.
    pub independence: Independence,
}

/// The block form of a kernel; `None` if it runs for few instances at a time, or if their order
/// matters.
pub fn block_plan(program: &Program, kernel: u32) -> Option<BlockPlan> {
    let code = program.kernels.get(kernel as usize)?;
    let calls = program.schedule.iter().filter(|call| call.kernel == kernel);
    let longest = calls
        .map(|call| call.last.saturating_sub(call.first))
        .max()?;
    if longest < FEWEST_TOGETHER {
        return None;
    }
    let independence = independence(program, kernel)?;
    let kernel = block_kernel(code)?;
    let stride = stride(longest, kernel.buffers);
    Some(BlockPlan {
        kernel,
        stride,
        independence,
    })
}

/// The size of blocks of about the same size, of which each fits the cache.
fn stride(longest: u32, buffers: u32) -> u32 {
    let largest = (LARGEST_BUFFERS / buffers.max(1)).clamp(8, LARGEST_BLOCK);
    let blocks = longest.div_ceil(largest);
    longest.div_ceil(blocks.max(1)).next_multiple_of(LANES)
}
