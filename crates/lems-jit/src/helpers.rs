//! The Rust functions that machine code calls.

use cranelift_codegen::ir::Type;
use cranelift_codegen::ir::types::{F64, I64};
use lems_kernel::Function;
use lems_math as math;

use crate::native;

/// A Rust function that machine code calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    /// Sends an event: context, number of the source.
    Emit,
    /// Draws a random number: context.
    Draw,
    /// Advances a kinetic scheme: context, scheme, occupancies, their number, rates, step.
    Propagate,
    /// The first number to the power of the second.
    Power,
    /// An elementary function that has no instruction of its own.
    Elementary(Function),
}

/// What Cranelift has to know of a helper.
pub(crate) struct Declaration {
    pub(crate) helper: Helper,
    pub(crate) name: &'static str,
    pub(crate) address: *const u8,
    pub(crate) parameters: &'static [Type],
    pub(crate) result: Option<Type>,
}

/// Name of the function that Cranelift calls on processors that cannot round.
pub(crate) const CEIL: (&str, *const u8) = ("ceil", ceil as *const u8);

/// All helpers.
pub(crate) const DECLARATIONS: [Declaration; 14] = [
    Declaration {
        helper: Helper::Emit,
        name: "emit",
        address: native::emit_event as *const u8,
        parameters: &[I64, I64],
        result: None,
    },
    Declaration {
        helper: Helper::Draw,
        name: "draw",
        address: native::draw as *const u8,
        parameters: &[I64],
        result: Some(F64),
    },
    Declaration {
        helper: Helper::Propagate,
        name: "propagate",
        address: native::propagate as *const u8,
        parameters: &[I64, I64, I64, I64, I64, F64],
        result: None,
    },
    Declaration {
        helper: Helper::Power,
        name: "pow",
        address: power as *const u8,
        parameters: &[F64, F64],
        result: Some(F64),
    },
    elementary(Function::Sin, "sin", sin),
    elementary(Function::Cos, "cos", cos),
    elementary(Function::Tan, "tan", tan),
    elementary(Function::Sinh, "sinh", sinh),
    elementary(Function::Cosh, "cosh", cosh),
    elementary(Function::Tanh, "tanh", tanh),
    elementary(Function::Exp, "exp", exp),
    elementary(Function::Ln, "ln", ln),
    elementary(Function::Heaviside, "heaviside", heaviside),
    elementary(Function::Factorial, "factorial", factorial),
];

const fn elementary(
    function: Function,
    name: &'static str,
    wrapper: extern "C" fn(f64) -> f64,
) -> Declaration {
    Declaration {
        helper: Helper::Elementary(function),
        name,
        address: wrapper as *const u8,
        parameters: &[F64],
        result: Some(F64),
    }
}

extern "C" fn sin(x: f64) -> f64 {
    math::sin(x)
}

extern "C" fn cos(x: f64) -> f64 {
    math::cos(x)
}

extern "C" fn tan(x: f64) -> f64 {
    math::tan(x)
}

extern "C" fn sinh(x: f64) -> f64 {
    math::sinh(x)
}

extern "C" fn cosh(x: f64) -> f64 {
    math::cosh(x)
}

extern "C" fn tanh(x: f64) -> f64 {
    math::tanh(x)
}

extern "C" fn exp(x: f64) -> f64 {
    math::exp(x)
}

extern "C" fn ln(x: f64) -> f64 {
    if x <= 0.0 { f64::NAN } else { math::log(x) }
}

extern "C" fn heaviside(x: f64) -> f64 {
    math::heaviside(x)
}

extern "C" fn factorial(n: f64) -> f64 {
    math::factorial(n)
}

extern "C" fn power(base: f64, exponent: f64) -> f64 {
    math::pow(base, exponent)
}

extern "C" fn ceil(x: f64) -> f64 {
    x.ceil()
}
