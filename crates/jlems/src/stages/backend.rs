//! The back end of a run: machine code or the interpreter.

use std::num::NonZeroUsize;
use std::sync::Arc;

use lems_ir::{Backend, Call, Interpreter, Program, State};
use lems_jit::{CompiledProgram, JitError};

use crate::{BackendKind, Code, Failure, Options};

/// A back end that several threads can use.
pub(crate) type SharedBackend = Arc<dyn Backend + Send + Sync>;

/// The chosen back end of a program.
pub(super) fn back_end(
    program: &Arc<Program>,
    options: &Options,
) -> Result<SharedBackend, Failure> {
    Ok(match options.backend {
        BackendKind::Interpreter => Arc::new(Interpreted(Arc::clone(program))),
        BackendKind::Jit => {
            let threads = threads_of(options.threads);
            let compiled = CompiledProgram::shared(Arc::clone(program), threads);
            Arc::new(compiled.map_err(not_compiled)?)
        }
    })
}

/// The failure of a program that does not become machine code.
fn not_compiled(error: JitError) -> Failure {
    Failure::plain(
        Code::NOT_COMPILED,
        format!("the model cannot be compiled: {error}"),
        Some("run it with `--backend interp` and report this".to_owned()),
    )
}

/// Calls `body` with the chosen back end of a program.
///
/// # Errors
/// The program cannot be compiled.
pub(crate) fn with_backend<T>(
    program: &Program,
    kind: BackendKind,
    threads: Option<NonZeroUsize>,
    body: impl FnOnce(&dyn Backend) -> T,
) -> Result<T, Failure> {
    match kind {
        BackendKind::Interpreter => Ok(body(&Interpreter::new(program))),
        BackendKind::Jit => match CompiledProgram::with_threads(program, threads_of(threads)) {
            Ok(compiled) => Ok(body(&compiled)),
            Err(error) => Err(not_compiled(error)),
        },
    }
}

/// The number of threads that was asked for, or that of the computer.
fn threads_of(threads: Option<NonZeroUsize>) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    threads.map_or_else(all, NonZeroUsize::get)
}

/// The interpreter of a program that it shares with others.
struct Interpreted(Arc<Program>);

impl Backend for Interpreted {
    fn advance(&self, state: &mut State, call: Call, time: f64, step: f64) {
        Interpreter::new(&self.0).advance(state, call, time, step);
    }

    fn handle(&self, state: &mut State, handler: u32, instances: &[u32]) {
        Interpreter::new(&self.0).handle(state, handler, instances);
    }
}
