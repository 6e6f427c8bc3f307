//! Time per call of `exp`.
use std::hint::black_box;
use std::time::Instant;

fn timing(name: &str, values: &[f64], rounds: usize, mut run: impl FnMut(&[f64])) {
    let mut best = f64::INFINITY;
    for _ in 0..7 {
        let start = Instant::now();
        for _ in 0..rounds {
            run(black_box(values));
        }
        best = best.min(start.elapsed().as_secs_f64() / (rounds * values.len()) as f64);
    }
    println!("{name:28} {:6.2} ns", best * 1e9);
}

#[inline(never)]
fn call(x: f64) -> f64 {
    lems_math::exp(x)
}

fn main() {
    let values: Vec<f64> = (0..4096_u32)
        .map(|i| f64::from(i.wrapping_mul(2_654_435_761)) / 4_294_967_296.0 * 40.0 - 30.0)
        .collect();
    let mut out = values.clone();
    let rounds = 2000;
    timing("called, independent", &values, rounds, |values| {
        for &x in values {
            black_box(call(black_box(x)));
        }
    });
    timing("called, each on the last", &values, rounds, |values| {
        let mut x = 0.0;
        for &value in values {
            x = call(value + x * 1e-300);
        }
        black_box(x);
    });
    timing("libm, independent", &values, rounds, |values| {
        for &x in values {
            black_box(libm::exp(black_box(x)));
        }
    });
    timing("libm, each on the last", &values, rounds, |values| {
        let mut x = 0.0;
        for &value in values {
            x = libm::exp(value + x * 1e-300);
        }
        black_box(x);
    });
    timing("exp_in_place", &values, rounds, |values| {
        out.copy_from_slice(values);
        lems_math::exp_in_place(&mut out);
        black_box(&out);
    });
}
