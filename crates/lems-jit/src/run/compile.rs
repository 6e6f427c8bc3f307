//! From a program to its functions: which kernels are compiled, and in which forms.

use cranelift_module::FuncId;
use lems_index::narrow;
use lems_ir::{Kernel, Program};

use crate::codegen::abi::{Listing, Part};
use crate::codegen::assembler::Assembler;
use crate::error::JitError;
use crate::held::Held;
use crate::machine::{DefinedBlock, DefinedKernel, HELPERS, Machine};
use crate::plan::block::{BlockPlan, NODES_OF_A_SHARE, block_plan};
use crate::plan::rollback::{RollbackSources, rollback_sources};
use crate::plan::validate::{Populations, validate};

/// The code of one kernel or handler of a program.
///
/// # Errors
///
/// As for [`CompiledProgram::compile`](crate::CompiledProgram::compile); also if the program has
/// no such part.
pub fn listing(program: &Program, part: Part) -> Result<Listing, JitError> {
    let populations = validate(program)?;
    Assembler::new(&HELPERS)?.list(program, part, &populations)
}

/// Compiles a program for a number of threads; also the number of threads that are of use to it. Kernels
/// and handlers that are `interpreted` do not become machine code.
///
/// # Errors
///
/// If a kernel does not pass [`validate`], or Cranelift does not support the processor or the size of a
/// kernel.
pub(crate) fn compile(
    interpreted: fn(&Kernel) -> bool,
    held: Held<'_>,
    threads: usize,
) -> Result<(Machine<'_>, usize), JitError> {
    let program: &Program = &held;
    let populations = validate(program)?;
    let mut assembler = Assembler::new(&HELPERS)?;
    // Each kernel and handler for one instance after another.
    let mut define = |kernels: &[Kernel], part: fn(u32) -> Part| {
        (0..)
            .zip(kernels)
            .map(|(number, kernel)| {
                let wanted = !interpreted(kernel);
                wanted
                    .then(|| assembler.define(program, part(number), &populations))
                    .transpose()
            })
            .collect::<Result<Vec<Option<FuncId>>, JitError>>()
    };
    let kernels = define(&program.kernels, Part::Kernel)?;
    let handlers = define(&program.handlers, Part::Handler)?;
    // The kernels that also have a form for blocks of instances.
    let plans: Vec<Option<BlockPlan>> = (0..)
        .zip(&kernels)
        .map(|(number, compiled)| compiled.and_then(|_| block_plan(program, number).ok()))
        .collect();
    let threads = useful_threads(program, &plans, &handlers, threads);
    let blocks = define_blocks(
        &mut assembler,
        program,
        &populations,
        plans,
        narrow(threads),
    )?;
    // The code, ready to run.
    let module = assembler.finish()?;
    let kernels = (kernels.into_iter().zip(blocks))
        .map(|(step, block)| step.map(|step| DefinedKernel { step, block }))
        .collect();
    let machine = Machine::load(held, populations, module, kernels, handlers);
    Ok((machine, threads))
}

/// At most the given number of threads, and no more than a kernel or the cables are worth, since threads without
/// work look for some.
///
/// An interpreted handler also means one thread: it would use the memory as a whole while threads use
/// parts of it.
fn useful_threads(
    program: &Program,
    plans: &[Option<BlockPlan>],
    handlers: &[Option<FuncId>],
    threads: usize,
) -> usize {
    if !handlers.iter().all(Option::is_some) {
        return 1;
    }
    let shares = |plan: &BlockPlan| (plan.longest / plan.share) as usize;
    let nodes: usize = program.cables.iter().map(|cable| cable.nodes().len()).sum();
    let of_kernels = plans.iter().flatten().map(shares).max().unwrap_or(0);
    let most = of_kernels.max(nodes / NODES_OF_A_SHARE);
    threads.min(most).max(1)
}

/// Compiles the block forms of the kernels that have a plan, for a number of threads. A block form that
/// does not pass validation is left out.
fn define_blocks(
    assembler: &mut Assembler,
    program: &Program,
    populations: &Populations,
    plans: Vec<Option<BlockPlan>>,
    threads: u32,
) -> Result<Vec<Option<DefinedBlock>>, JitError> {
    (0..)
        .zip(plans)
        .map(|(number, plan)| {
            let Some(plan) = plan else { return Ok(None) };
            let sources = rollback_sources(program, number, &plan.independence, |call| {
                plan.reach(plan.threads(call, threads))
            });
            let copies = sources != RollbackSources::None;
            match assembler.define_block(program, number, &plan, copies, populations) {
                Ok(function) => Ok(Some(DefinedBlock {
                    function,
                    plan,
                    sources,
                })),
                Err(error @ JitError::Kernel { .. }) => {
                    // Instances can still take turns, so that only the tests stop at such a bug.
                    debug_assert!(false, "the form for blocks is wrong: {error}");
                    Ok(None)
                }
                Err(error) => Err(error),
            }
        })
        .collect()
}
