//! Times the stages from text to program separately, on networks of Izhikevich cells.

#![allow(clippy::expect_used, reason = "a bench fails by panicking")]

mod models;

use std::time::Duration;

use criterion::{Criterion, Throughput};
use lems_lower::{Method, Recorded, lower};
use lems_network::{Network, Shapes};

fn stages(criterion: &mut Criterion, cells: usize, synapses: usize) {
    let text = models::izhikevich(cells, synapses);
    let document = models::document(&text);
    let model = jlems::read_model(&document).expect("a sound model");
    let (experiment, _) = jlems::estimate(&document, &model).expect("a runnable model");
    let target = experiment.runs.first().expect("a run").target;
    let network = Network::build(&model, target, experiment.random.clone()).expect("a network");
    let shapes = Shapes::of(&network);
    let recorded = Recorded::default();

    let mut group = criterion.benchmark_group(format!("load/{cells} cells, {synapses} synapses"));
    group.throughput(Throughput::Elements((cells * synapses) as u64));
    group.bench_function("document", |b| b.iter(|| models::document(&text)));
    group.bench_function("model", |b| b.iter(|| jlems::read_model(&document)));
    group.bench_function("estimate", |b| {
        b.iter(|| jlems::estimate(&document, &model));
    });
    group.bench_function("network", |b| {
        b.iter(|| Network::build(&model, target, experiment.random.clone()))
    });
    group.bench_function("shapes", |b| b.iter(|| Shapes::of(&network)));
    let method = Method::default();
    group.bench_function("lower", |b| {
        b.iter(|| lower(&network, &shapes, &recorded, method))
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    stages(&mut criterion, 100, 10);
    stages(&mut criterion, 1_000, 10);
    stages(&mut criterion, 1_000, 100);
    criterion.final_summary();
}
