//! Checks that the estimates of `run --plan` are right.

use std::collections::BTreeMap;

use crate::support::{assert_none, cases, check_all};
use jlems::Options;
use lems_document::Document;
use lems_host::FileSources;
use lems_model::Model;
use lems_network::{Estimate, Experiment, Network};

/// Cases whose instances cannot be counted without building them.
const UNTOLD: [&str; 3] = ["apply", "better-selections", "structure-selections"];

/// The number of instances of each type and of routes, as estimated and as built. None if the
/// estimate reports that it is incomplete.
fn both(document: &Document) -> Vec<Option<[BTreeMap<String, u64>; 2]>> {
    let model = Model::read(document).unwrap();
    let target = model.target.unwrap().component;
    let experiment = Experiment::of(&model, target).unwrap();
    let runs = experiment.runs.iter().map(|run| {
        let estimate = Estimate::of(&model, run.target).unwrap();
        let mut built = BTreeMap::new();
        let network = Network::build(&model, run.target, experiment.random.clone()).unwrap();
        for instance in network.instances.iter() {
            let name = model.type_of(instance.kind).name.to_owned();
            *built.entry(name).or_default() += 1;
        }
        let told = estimate.untold == 0;
        assert!(!told || network.routes.len() as u64 <= estimate.connections);
        let name = |kind| model.type_of(kind).name.to_owned();
        let estimated = estimate.kinds.iter();
        let estimated = estimated.map(|(kind, count)| (name(*kind), count.instances));
        (estimate.untold == 0).then(|| [estimated.collect(), built])
    });
    runs.collect()
}

#[test]
fn a_network_has_as_many_instances_as_estimated() {
    let cases = cases();
    let failures = check_all(&cases, |case| {
        let path = case.folder.join(&case.run);
        let options = Options::default();
        let document = jlems::load(&path.to_string_lossy(), &FileSources, &options).unwrap();
        let mut found = Vec::new();
        for (number, counts) in both(&document).into_iter().enumerate() {
            let name = format!("{}, run {number}", case.name);
            match counts {
                None if UNTOLD.contains(&case.name.as_str()) => {}
                None => found.push(format!("{name}: not all could be counted")),
                Some([estimated, built]) if estimated != built => {
                    found.push(format!("{name}: {estimated:?}\n  but {built:?}"));
                }
                Some(_) => {}
            }
        }
        found
    });
    assert_none(&failures, cases.len());
}
