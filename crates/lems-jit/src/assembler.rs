//! Cranelift's machinery: settings, declarations, definitions, listings.

use std::fmt::Write as _;
use std::sync::Arc;

use cranelift_codegen::ir::{AbiParam, FuncRef, Function, Signature};
use cranelift_codegen::isa::{TargetFrontendConfig, TargetIsa};
use cranelift_codegen::settings::{self, Configurable, SetResult};
use cranelift_codegen::{Context, control::ControlPlane};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use lems_ir::Program;
use lems_optimise::without_single_loops;

use crate::blocks::{BLOCK_PARAMETERS, translate_block};
use crate::helpers::{CEIL, DECLARATIONS, Helper};
use crate::plan::{BlockPlan, block_plan};
use crate::translate::{HANDLER_PARAMETERS, STEP_PARAMETERS, translate};
use crate::validate::{validate_block, validate_kernel};
use crate::{JitError, Populations, validate};

/// A kernel of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Index in [`Program::kernels`].
    Kernel(u32),
    /// The same, for blocks of instances together.
    Block(u32),
    /// Index in [`Program::handlers`].
    Handler(u32),
}

/// The code of one kernel, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Cranelift's intermediate code, before optimisation.
    pub clif: String,
    /// Assembly of the machine code.
    pub disassembly: String,
}

/// The code of one kernel or handler of a program.
///
/// # Errors
///
/// As for [`CompiledProgram::compile`](crate::CompiledProgram::compile); also if the program has
/// no such part.
pub fn listing(program: &Program, part: Part) -> Result<Listing, JitError> {
    let populations = validate(program)?;
    let mut assembler = Assembler::new()?;
    let name = assembler.build(program, part, &populations)?;
    let mut clif = assembler.context.func.display().to_string();
    for (declaration, function) in DECLARATIONS.iter().zip(&assembler.helpers) {
        let reference = format!("u0:{} ", function.as_u32());
        if clif.contains(&reference) {
            // Writing to a string cannot fail.
            let _ = writeln!(clif, "; {reference}is {}", declaration.name);
        }
    }
    assembler.context.set_disasm(true);
    let mut control = ControlPlane::default();
    let code = (assembler.context)
        .compile(assembler.module.isa(), &mut control)
        .map_err(|error| JitError::Code {
            kernel: name.clone(),
            reason: error.inner.to_string(),
        })?;
    let disassembly = code.vcode.clone().unwrap_or_default();
    Ok(Listing { clif, disassembly })
}

/// Turns kernels into functions of one module.
pub(crate) struct Assembler {
    module: JITModule,
    context: Context,
    frontend: FunctionBuilderContext,
    step: Signature,
    block: Signature,
    handler: Signature,
    helpers: Vec<FuncId>,
    fuses: bool,
}

impl Assembler {
    pub(crate) fn new() -> Result<Assembler, JitError> {
        let mut builder = JITBuilder::with_isa(host()?, default_libcall_names());
        builder.symbol(CEIL.0, CEIL.1);
        for declaration in &DECLARATIONS {
            builder.symbol(symbol(declaration.name), declaration.address);
        }
        let mut module = JITModule::new(builder);
        let mut helpers = Vec::with_capacity(DECLARATIONS.len());
        for declaration in &DECLARATIONS {
            let mut signature = signature(&module, declaration.parameters);
            signature
                .returns
                .extend(declaration.result.map(AbiParam::new));
            let function = module
                .declare_function(&symbol(declaration.name), Linkage::Import, &signature)
                .map_err(|error| JitError::Host(error.to_string()))?;
            helpers.push(function);
        }
        Ok(Assembler {
            context: module.make_context(),
            frontend: FunctionBuilderContext::new(),
            step: signature(&module, &STEP_PARAMETERS),
            block: signature(&module, &BLOCK_PARAMETERS),
            handler: signature(&module, &HANDLER_PARAMETERS),
            fuses: fuses(module.isa()),
            module,
            helpers,
        })
    }

    /// Compiles a kernel of a validated program.
    pub(crate) fn define(
        &mut self,
        program: &Program,
        part: Part,
        populations: &Populations,
    ) -> Result<FuncId, JitError> {
        let name = self.build(program, part, populations)?;
        self.define_built(&name)
    }

    /// Compiles the block form of a kernel of a validated program; with `saves`, it saves what it
    /// stores.
    pub(crate) fn define_block(
        &mut self,
        program: &Program,
        number: u32,
        plan: &BlockPlan,
        saves: bool,
        populations: &Populations,
    ) -> Result<FuncId, JitError> {
        self.build_block(program, number, plan, saves, populations)?;
        self.define_built(&plan.kernel.name)
    }

    fn define_built(&mut self, kernel: &str) -> Result<FuncId, JitError> {
        let failed = |error: cranelift_module::ModuleError| JitError::Code {
            kernel: kernel.to_owned(),
            reason: error.to_string(),
        };
        let signature = &self.context.func.signature;
        let function = (self.module)
            .declare_anonymous_function(signature)
            .map_err(failed)?;
        (self.module)
            .define_function(function, &mut self.context)
            .map_err(failed)?;
        Ok(function)
    }

    /// The module with all its code ready to run.
    pub(crate) fn finish(mut self) -> Result<JITModule, JitError> {
        (self.module.finalize_definitions())
            .map_err(|error| JitError::Memory(error.to_string()))?;
        Ok(self.module)
    }

    /// Makes the code of a part; returns the name of its kernel.
    fn build(
        &mut self,
        program: &Program,
        part: Part,
        populations: &Populations,
    ) -> Result<String, JitError> {
        let (kernel, population, signature) = match part {
            Part::Kernel(number) => (
                program.kernels.get(number as usize),
                populations.kernels.get(number as usize),
                self.step.clone(),
            ),
            Part::Handler(number) => (
                program.handlers.get(number as usize),
                populations.handlers.get(number as usize),
                self.handler.clone(),
            ),
            Part::Block(number) => {
                let plan = block_plan(program, number).ok_or(JitError::NoBlocks(number))?;
                self.build_block(program, number, &plan, false, populations)?;
                return Ok(plan.kernel.name);
            }
        };
        let (Some(kernel), Some(&population)) = (kernel, population) else {
            return Err(match part {
                Part::Kernel(number) | Part::Block(number) => JitError::UnknownKernel(number),
                Part::Handler(number) => JitError::UnknownHandler(number),
            });
        };
        let kernel = without_single_loops(program, kernel, population);
        validate_kernel(program, &kernel, population)?;
        let (imports, builder) = self.begin(signature);
        translate(program, &kernel, part, population, imports, builder);
        Ok(kernel.name)
    }

    fn build_block(
        &mut self,
        program: &Program,
        number: u32,
        plan: &BlockPlan,
        saves: bool,
        populations: &Populations,
    ) -> Result<(), JitError> {
        let population = populations.kernels.get(number as usize).copied();
        let population = population.ok_or(JitError::UnknownKernel(number))?;
        validate_block(program, &plan.kernel, population)?;
        let (imports, builder) = self.begin(self.block.clone());
        translate_block(program, plan, population, saves, imports, builder);
        Ok(())
    }

    /// Begins the code of a function.
    fn begin(&mut self, signature: Signature) -> (Imports<'_>, FunctionBuilder<'_>) {
        self.module.clear_context(&mut self.context);
        self.context.func.signature = signature;
        let imports = Imports {
            module: &mut self.module,
            helpers: &self.helpers,
            fuses: self.fuses,
            references: [None; DECLARATIONS.len()],
        };
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.frontend);
        (imports, builder)
    }
}

/// The helpers as one function sees them.
pub(crate) struct Imports<'m> {
    module: &'m mut JITModule,
    helpers: &'m [FuncId],
    /// Whether a product and a sum take one instruction.
    pub(crate) fuses: bool,
    references: [Option<FuncRef>; DECLARATIONS.len()],
}

impl Imports<'_> {
    pub(crate) fn import(&mut self, helper: Helper, function: &mut Function) -> FuncRef {
        let number = (DECLARATIONS.iter())
            .position(|declaration| declaration.helper == helper)
            .unwrap_or_default();
        *self.references[number].get_or_insert_with(|| {
            (self.module).declare_func_in_func(self.helpers[number], function)
        })
    }

    pub(crate) fn frontend_config(&self) -> TargetFrontendConfig {
        self.module.target_config()
    }
}

/// The name of a helper among the symbols, where names of the C library must not stand in for it.
fn symbol(name: &str) -> String {
    format!("lems_{name}")
}

fn signature(module: &JITModule, parameters: &[cranelift_codegen::ir::Type]) -> Signature {
    let mut signature = module.make_signature();
    (signature.params).extend(parameters.iter().copied().map(AbiParam::new));
    signature
}

/// Whether the processor multiplies and adds at once; where it cannot, that takes long.
pub fn can_fuse() -> bool {
    host().is_ok_and(|isa| fuses(&*isa))
}

fn fuses(isa: &dyn TargetIsa) -> bool {
    let mut flags = isa.isa_flags().into_iter();
    let fma = |flag: &settings::Value| flag.name == "has_fma" && flag.as_bool() == Some(true);
    isa.name() != "x64" || flags.any(|flag| fma(&flag))
}

fn host() -> Result<Arc<dyn TargetIsa>, JitError> {
    let unsupported = |reason: String| JitError::Host(reason);
    let flags = flags().map_err(|error| unsupported(error.to_string()))?;
    let isa = cranelift_native::builder()
        .map_err(|reason| unsupported(reason.to_string()))?
        .finish(flags)
        .map_err(|error| unsupported(error.to_string()))?;
    match isa.pointer_bits() {
        64 => Ok(isa),
        bits => Err(unsupported(format!("it has pointers of {bits} bits"))),
    }
}

fn flags() -> SetResult<settings::Flags> {
    let mut builder = settings::builder();
    builder.set("opt_level", "speed")?;
    builder.set("is_pic", "false")?;
    builder.set("use_colocated_libcalls", "false")?;
    builder.set("unwind_info", "false")?;
    // A function with a large frame must hit the guard page, not jump over it.
    builder.set("enable_probestack", "true")?;
    builder.set("probestack_strategy", "inline")?;
    let verify = if cfg!(debug_assertions) {
        "true"
    } else {
        "false"
    };
    builder.set("enable_verifier", verify)?;
    Ok(settings::Flags::new(builder))
}
