/// `x` to the power `y` (fdlibm `e_pow.c`).
///
/// As in Java, and unlike C99, a NaN exponent and an infinite exponent of ±1 give NaN.
pub fn pow(x: f64, y: f64) -> f64 {
    if y.is_nan() || (x.abs() == 1.0 && y.is_infinite()) {
        f64::NAN
    } else {
        libm::pow(x, y)
    }
}
