//! The Rust functions that machine code calls.

use cranelift_codegen::ir::Type;
use cranelift_codegen::ir::types::{F64, I64};
use lems_ir::Function;
use lems_math as math;

use crate::native;

/// A Rust function that machine code calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Helper {
    /// Sends an event: context, number of the source, instance that the kernel is at.
    Emit,
    /// Draws a random number: context.
    Draw,
    /// Advances a kinetic scheme: context, scheme, occupancies, their number, rates, step.
    Propagate,
    /// The first number to the power of the second.
    Power,
    /// An elementary function that has no instruction of its own.
    Elementary(Function),
    /// The same for rows of values, in place: values, number of rows, distance of two rows,
    /// length of a row.
    CallRows(Function),
    /// Rows of values to the powers in others, in place: bases, exponents, and as above.
    PowerRows,
    /// Advances a kinetic scheme for a row of instances: context, scheme, occupancies, their
    /// number, rates, distance of two rows, length of a row, step.
    PropagateRows,
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
pub(crate) const DECLARATIONS: [Declaration; 26] = [
    Declaration {
        helper: Helper::Emit,
        name: "emit",
        address: native::emit_event as *const u8,
        parameters: &[I64, I64, I64],
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
    rows(Function::Sin, "sin_rows", native::rows::<Sin>),
    rows(Function::Cos, "cos_rows", native::rows::<Cos>),
    rows(Function::Tan, "tan_rows", native::rows::<Tan>),
    rows(Function::Sinh, "sinh_rows", native::rows::<Sinh>),
    rows(Function::Cosh, "cosh_rows", native::rows::<Cosh>),
    rows(Function::Tanh, "tanh_rows", native::rows::<Tanh>),
    rows(Function::Exp, "exp_rows", native::rows::<Exp>),
    rows(Function::Ln, "ln_rows", native::rows::<Ln>),
    rows(
        Function::Heaviside,
        "heaviside_rows",
        native::rows::<Heaviside>,
    ),
    rows(
        Function::Factorial,
        "factorial_rows",
        native::rows::<Factorial>,
    ),
    Declaration {
        helper: Helper::PowerRows,
        name: "pow_rows",
        address: native::power_rows as *const u8,
        parameters: &[I64, I64, I64, I64, I64],
        result: None,
    },
    Declaration {
        helper: Helper::PropagateRows,
        name: "propagate_rows",
        address: native::propagate_rows as *const u8,
        parameters: &[I64, I64, I64, I64, I64, I64, I64, F64],
        result: None,
    },
];

const fn rows(
    function: Function,
    name: &'static str,
    wrapper: extern "C" fn(*mut f64, usize, usize, usize),
) -> Declaration {
    Declaration {
        helper: Helper::CallRows(function),
        name,
        address: wrapper as *const u8,
        parameters: &[I64, I64, I64, I64],
        result: None,
    }
}

/// A function of many values at once.
pub(crate) trait InPlace {
    /// Replaces each value by the function of it.
    fn apply(values: &mut [f64]);
}

macro_rules! in_place {
    ($($name:ident $function:ident),*) => {
        $(
            pub(crate) struct $name;
            impl InPlace for $name {
                fn apply(values: &mut [f64]) {
                    for value in values {
                        *value = $function(*value);
                    }
                }
            }
        )*
    };
}

in_place!(Sin sin, Cos cos, Tan tan, Sinh sinh, Cosh cosh, Tanh tanh, Ln ln, Heaviside heaviside,
    Factorial factorial);

pub(crate) struct Exp;

impl InPlace for Exp {
    fn apply(values: &mut [f64]) {
        math::exp_in_place(values);
    }
}

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
    Function::Ln.apply(x)
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
