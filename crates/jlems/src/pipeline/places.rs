//! The place in the files that a kernel comes from. Messages about the kernel show it.

use lems_document::Span;
use lems_ir::{Kernel, Program};
use lems_model::Model;

use crate::{Code, Diagnostic};

/// The type that a kernel is of, or its `OnEvent`, by the name of the kernel.
pub(super) fn place_of_kernel(model: &Model<'_>, name: &str) -> Option<Span> {
    let (kind, port) = match name.rsplit_once(" on ") {
        Some((kind, port)) if model.type_named(name).is_none() => (kind, Some(port)),
        _ => (name, None),
    };
    let kind = model.type_of(model.type_named(kind)?);
    let dynamics = kind.dynamics.iter().flat_map(|dynamics| {
        let regimes = dynamics.regimes.values().map(|regime| &regime.dynamics);
        regimes.chain([&**dynamics])
    });
    let mut handlers = dynamics.flat_map(|dynamics| &dynamics.on_event);
    let handler = handlers.find(|handler| Some(handler.port.value()) == port);
    let name = || kind.element.attribute("name").map(|name| name.span());
    (handler.map(|handler| handler.port.span())).or_else(name)
}

/// Warnings of kernels that are interpreted because they are too long for machine code.
pub(crate) fn long_kernels(model: &Model<'_>, program: &Program) -> Vec<Diagnostic> {
    let kernels = program.kernels.iter().chain(&program.handlers);
    let warning = |kernel: &Kernel| {
        let span = place_of_kernel(model, &kernel.name);
        let message = format!(
            "`{}` is too long for machine code, and runs in the interpreter",
            kernel.name
        );
        let help = "it is slower, with the same results; divide it into several types".to_owned();
        Diagnostic::new(Code::LONG_KERNEL, message, span, Some(help))
    };
    let long = kernels.filter(|kernel| lems_jit::too_long(kernel));
    long.map(warning).collect()
}
