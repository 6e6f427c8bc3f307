//! Functions of numbers that machine code calls.

use lems_ir::Function;
use lems_math as math;

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

pub(crate) extern "C" fn sin(x: f64) -> f64 {
    math::sin(x)
}

pub(crate) extern "C" fn cos(x: f64) -> f64 {
    math::cos(x)
}

pub(crate) extern "C" fn tan(x: f64) -> f64 {
    math::tan(x)
}

pub(crate) extern "C" fn sinh(x: f64) -> f64 {
    math::sinh(x)
}

pub(crate) extern "C" fn cosh(x: f64) -> f64 {
    math::cosh(x)
}

pub(crate) extern "C" fn tanh(x: f64) -> f64 {
    math::tanh(x)
}

pub(crate) extern "C" fn exp(x: f64) -> f64 {
    math::exp(x)
}

pub(crate) extern "C" fn ln(x: f64) -> f64 {
    Function::Ln.apply(x)
}

pub(crate) extern "C" fn heaviside(x: f64) -> f64 {
    math::heaviside(x)
}

pub(crate) extern "C" fn factorial(n: f64) -> f64 {
    math::factorial(n)
}

pub(crate) extern "C" fn power(base: f64, exponent: f64) -> f64 {
    math::pow(base, exponent)
}

pub(crate) extern "C" fn ceil(x: f64) -> f64 {
    x.ceil()
}
