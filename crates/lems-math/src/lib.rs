//! Elementary functions with the bits of fdlibm on every platform.
//!
//! Java's `StrictMath` prescribes fdlibm, Sun's freely distributable math library. The math libraries
//! of platforms differ from it, and from one another, in the last bit. These functions do not.

mod bits;
mod exponential;
mod hyperbolic;
mod java;
mod logarithm;
mod operations;
mod power;
mod random;
mod reciprocal;
mod reduction;
mod trigonometry;
mod vector;

pub use exponential::{constants as exp_constants, exp, exp_in_place};
pub use hyperbolic::{cosh, sinh, tanh};
pub use java::{factorial, heaviside, java_round, saturating_i64, saturating_u64};
pub use logarithm::log;
pub use operations::{BinaryOperator, Comparison, Function, Logic};
pub use power::{pow, pow_in_place};
pub use random::JavaRandom;
pub use reciprocal::Reciprocal;
pub use trigonometry::{cos, sin, tan};
pub use vector::vectorised;
