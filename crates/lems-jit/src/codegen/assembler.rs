//! Cranelift's machinery: settings, declarations, definitions, listings.

use std::fmt::Write as _;
use std::sync::Arc;

use cranelift_codegen::ir::{AbiParam, Signature, Type};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable, SetResult};
use cranelift_codegen::{Context, control::ControlPlane};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module, default_libcall_names};
use lems_ir::Program;
use lems_optimise::inline_one_to_one;

use crate::codegen::abi::{
    BLOCK_PARAMETERS, Declaration, HANDLER_PARAMETERS, Helpers, Listing, Part, STEP_PARAMETERS,
};
use crate::codegen::parts::translate_block;
use crate::codegen::translate::translate;
use crate::codegen::translator::Imports;
use crate::error::JitError;
use crate::plan::block::{BlockPlan, block_plan};
use crate::plan::validate::{Populations, validate_block, validate_kernel};

/// Turns kernels into functions of one module.
pub(crate) struct Assembler {
    module: JITModule,
    context: Context,
    frontend: FunctionBuilderContext,
    step: Signature,
    block: Signature,
    handler: Signature,
    declarations: &'static [Declaration],
    /// For each declaration: the helper in the module.
    helpers: Vec<FuncId>,
    fuses: bool,
}

impl Assembler {
    /// An empty module, whose code can call these helpers.
    ///
    /// # Errors
    ///
    /// If Cranelift does not support the processor.
    pub(crate) fn new(helpers: &Helpers) -> Result<Assembler, JitError> {
        let declarations = helpers.declarations;
        // The addresses of all functions that code can call.
        let mut builder = JITBuilder::with_isa(host()?, default_libcall_names());
        builder.symbol(helpers.ceil.0, helpers.ceil.1);
        for declaration in declarations {
            builder.symbol(symbol(declaration.name), declaration.address);
        }
        // Their signatures.
        let mut module = JITModule::new(builder);
        let mut functions = Vec::with_capacity(declarations.len());
        for declaration in declarations {
            let mut signature = signature(&module, declaration.parameters);
            signature
                .returns
                .extend(declaration.result.map(AbiParam::new));
            let function = module
                .declare_function(&symbol(declaration.name), Linkage::Import, &signature)
                .map_err(|error| JitError::Host(error.to_string()))?;
            functions.push(function);
        }
        Ok(Assembler {
            context: module.make_context(),
            frontend: FunctionBuilderContext::new(),
            step: signature(&module, &STEP_PARAMETERS),
            block: signature(&module, &BLOCK_PARAMETERS),
            handler: signature(&module, &HANDLER_PARAMETERS),
            fuses: fuses(module.isa()),
            module,
            declarations,
            helpers: functions,
        })
    }

    /// The code of one kernel or handler of a validated program, as text.
    ///
    /// # Errors
    ///
    /// If the program has no such part, or Cranelift cannot compile it.
    pub(crate) fn list(
        &mut self,
        program: &Program,
        part: Part,
        populations: &Populations,
    ) -> Result<Listing, JitError> {
        let name = self.build(program, part, populations)?;
        // Cranelift shows numbers of functions: the names of the helpers follow at the end.
        let mut clif = self.context.func.display().to_string();
        for (declaration, function) in self.declarations.iter().zip(&self.helpers) {
            let reference = format!("u0:{} ", function.as_u32());
            if clif.contains(&reference) {
                // Writing to a string cannot fail.
                let _ = writeln!(clif, "; {reference}is {}", declaration.name);
            }
        }
        self.context.set_disasm(true);
        let mut control = ControlPlane::default();
        let code = (self.context)
            .compile(self.module.isa(), &mut control)
            .map_err(|error| JitError::Code {
                kernel: name.clone(),
                reason: error.inner.to_string(),
            })?;
        let disassembly = code.vcode.clone().unwrap_or_default();
        Ok(Listing { clif, disassembly })
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

    /// Compiles the block form of a kernel of a validated program. If `copies` is true, the code copies
    /// the old content of columns before it stores anything there.
    pub(crate) fn define_block(
        &mut self,
        program: &Program,
        number: u32,
        plan: &BlockPlan,
        copies: bool,
        populations: &Populations,
    ) -> Result<FuncId, JitError> {
        self.build_block(program, number, plan, copies, populations)?;
        self.define_built(&plan.kernel.name)
    }

    /// Turns the function that was built last into machine code.
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

    /// The module, with all its code ready to run.
    pub(crate) fn finish(mut self) -> Result<JITModule, JitError> {
        (self.module.finalize_definitions())
            .map_err(|error| JitError::Memory(error.to_string()))?;
        Ok(self.module)
    }

    /// Makes the code of a part of a program; returns the name of its kernel.
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
            // A listing shows the code without copies, as for a kernel that no event rolls back.
            Part::Block(number) => {
                let plan = block_plan(program, number).map_err(|obstacle| JitError::NoBlocks {
                    kernel: number,
                    obstacle,
                })?;
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
        let kernel = inline_one_to_one(program, kernel, population);
        validate_kernel(program, &kernel, population)?;
        let (imports, builder) = self.begin(signature);
        translate(program, &kernel, part, population, imports, builder);
        Ok(kernel.name)
    }

    /// Makes the code of the block form of a kernel.
    fn build_block(
        &mut self,
        program: &Program,
        number: u32,
        plan: &BlockPlan,
        copies: bool,
        populations: &Populations,
    ) -> Result<(), JitError> {
        let population = populations.kernels.get(number as usize).copied();
        let population = population.ok_or(JitError::UnknownKernel(number))?;
        validate_block(program, &plan.kernel, population)?;
        let (imports, builder) = self.begin(self.block.clone());
        translate_block(program, plan, population, copies, imports, builder);
        Ok(())
    }

    /// Begins the code of a function.
    fn begin(&mut self, signature: Signature) -> (Imports<'_>, FunctionBuilder<'_>) {
        self.module.clear_context(&mut self.context);
        self.context.func.signature = signature;
        let imports = Imports::new(
            &mut self.module,
            self.declarations,
            &self.helpers,
            self.fuses,
        );
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.frontend);
        (imports, builder)
    }
}

/// The name of a helper among the symbols. The prefix keeps it apart from the names of the C library.
fn symbol(name: &str) -> String {
    format!("lems_{name}")
}

fn signature(module: &JITModule, parameters: &[Type]) -> Signature {
    let mut signature = module.make_signature();
    (signature.params).extend(parameters.iter().copied().map(AbiParam::new));
    signature
}

/// Whether the processor has an instruction that multiplies and adds with one rounding. Without it, the
/// operation is slow.
pub fn can_fuse() -> bool {
    host().is_ok_and(|isa| fuses(&*isa))
}

fn fuses(isa: &dyn TargetIsa) -> bool {
    let mut flags = isa.isa_flags().into_iter();
    let fma = |flag: &settings::Value| flag.name == "has_fma" && flag.as_bool() == Some(true);
    isa.name() != "x64" || flags.any(|flag| fma(&flag))
}

/// The processor of this computer, which must have pointers of 64 bits.
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

/// Cranelift's settings: optimised code at fixed addresses, verified in debug builds.
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
