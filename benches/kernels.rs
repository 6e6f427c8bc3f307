//! Times the steps and the compilation of small models, on both back ends.

#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

mod models;

use std::num::NonZeroUsize;
use std::time::Duration;

use criterion::{Criterion, Throughput};
use jlems::Options;
use lems_engine::Simulation;
use lems_ir::{Backend, Interpreter, State, make_step};
use lems_jit::CompiledProgram;

const STEP: f64 = 1e-5;

fn simulation(text: &str) -> Simulation {
    let document = models::document(text);
    let model = jlems::read_model(&document).expect("a sound model");
    let mut made = jlems::prepare(&document, &model, &Options::default()).expect("a network");
    made.pop().expect("a run")
}

/// Times one step of all cells. Each step continues from the state of the previous one.
fn steps(criterion: &mut Criterion, name: &str, cells: usize, text: &str) {
    let program = simulation(text).program;
    let mut group = criterion.benchmark_group(format!("step/{name}"));
    group.throughput(Throughput::Elements(cells as u64));
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let compiled = CompiledProgram::with_threads(&program, threads);
    let compiled = compiled.expect("a program that compiles");
    let interpreter = Interpreter::new(&program);
    let back_ends: [(&str, &dyn Backend); 2] = [("jit", &compiled), ("interpreter", &interpreter)];
    for (title, backend) in back_ends {
        let mut state = State::new(&program, 1);
        interpreter.run_setup(&mut state);
        let mut time = 0.0;
        group.bench_function(title, |bencher| {
            bencher.iter(|| {
                time += STEP;
                make_step(&program, backend, &mut state, time, STEP);
                state.recorded.clear();
            });
        });
    }
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    let izhikevich = |cells, synapses| models::izhikevich(cells, synapses);
    for (name, cells, text) in [
        ("izhikevich 1", 1, izhikevich(1, 0)),
        ("izhikevich 1000", 1000, izhikevich(1000, 0)),
        ("izhikevich 100, synapses 100", 100, izhikevich(100, 100)),
        ("hodgkin-huxley 1", 1, models::hodgkin_huxley(1)),
        ("hodgkin-huxley 100", 100, models::hodgkin_huxley(100)),
        ("kinetic 10", 10, models::kinetic(10)),
    ] {
        steps(&mut criterion, name, cells, &text);
    }
    let program = simulation(&models::hodgkin_huxley(1)).program;
    criterion.bench_function("compile/hodgkin-huxley", |bencher| {
        bencher.iter(|| CompiledProgram::compile(&program));
    });
    criterion.final_summary();
}
