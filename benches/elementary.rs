//! Times the elementary functions: on independent arguments, and on the result of the previous call.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput};

/// Name, function, smallest and largest argument.
type Case = (&'static str, fn(f64) -> f64, f64, f64);

/// Numbers from `low` to `high` in random order.
fn arguments(low: f64, high: f64) -> Vec<f64> {
    (0..4096_u32)
        .map(|i| f64::from(i.wrapping_mul(2_654_435_761)) / 4_294_967_296.0 * (high - low) + low)
        .collect()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .measurement_time(Duration::from_secs(1))
        .configure_from_args();
    let mut group = criterion.benchmark_group("elementary");
    let functions: [Case; 6] = [
        ("exp", lems_math::exp, -30.0, 10.0),
        ("exp of libm", libm::exp, -30.0, 10.0),
        ("log", lems_math::log, 0.001, 100.0),
        ("sin", lems_math::sin, -10.0, 10.0),
        ("tanh", lems_math::tanh, -10.0, 10.0),
        ("pow 3", |x| lems_math::pow(x, 3.0), 0.0, 1.0),
    ];
    for (name, function, low, high) in functions {
        let values = arguments(low, high);
        group.throughput(Throughput::Elements(values.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for &x in &values {
                    black_box(function(black_box(x)));
                }
            });
        });
        group.bench_function(format!("{name}, each on the last"), |bencher| {
            bencher.iter(|| (values.iter()).fold(0.0, |last, &x| function(x + last * 1e-300)));
        });
    }
    let values = arguments(-30.0, 10.0);
    let mut results = values.clone();
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function("exp_in_place", |bencher| {
        bencher.iter(|| {
            results.copy_from_slice(&values);
            lems_math::exp_in_place(black_box(&mut results));
        });
    });
    group.finish();
    criterion.final_summary();
}
