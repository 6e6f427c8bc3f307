//! Checks that the estimates of `run --plan` are right.

use std::collections::BTreeMap;

use crate::folder::Folder;
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

/// Forty thousand synapses, each of which holds a part in a part in a part in a part.
fn nested_synapses() -> String {
    let connections: String = (0..40_000)
        .map(|number| {
            format!("<connection id=\"{number}\" preCellId=\"../clocks[0]\" postCellId=\"../cells[0]\"/>\n")
        })
        .collect();
    format!(
        r#"<Lems>
        <Target component="sim"/>
        <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
        <ComponentType name="part"><Children name="parts" type="part"/></ComponentType>
        <ComponentType name="nested" extends="expOneSynapse"><Children name="parts" type="part"/></ComponentType>
        <iafCell id="cell" leakReversal="-65mV" thresh="-55mV" reset="-65mV" C="0.2nF" leakConductance="10nS"/>
        <spikeGenerator id="clock" period="1ms"/>
        <nested id="synapse" gbase="1nS" erev="0mV" tauDecay="2ms">
            <part id="a"><part id="b"><part id="c"><part id="d"/></part></part></part>
        </nested>
        <network id="net">
            <population id="clocks" component="clock" size="1"/>
            <population id="cells" component="cell" size="1"/>
            <projection id="all" presynapticPopulation="clocks" postsynapticPopulation="cells" synapse="synapse">
            {connections}
            </projection>
        </network>
        <Simulation id="sim" length="0.1ms" step="0.05ms" target="net"/>
        </Lems>"#
    )
}

#[test]
fn synapses_with_parts_take_as_much_memory_as_estimated() {
    let folder = Folder::with("LEMS_nested.xml", &nested_synapses());
    let plan = folder.succeed(&["run", "--plan", "LEMS_nested.xml"]);
    let peak = plan.split("peak memory").nth(1).unwrap();
    let peak: f64 = peak.split_whitespace().nth(1).unwrap().parse().unwrap();
    let run = |share: f64| {
        let limit = format!("memory={}MiB", (share * peak).round());
        folder.call(&["run", "--limit", &limit, "LEMS_nested.xml"])
    };
    let enough = run(1.4);
    let errors = String::from_utf8_lossy(&enough.stderr);
    assert!(enough.status.success(), "{peak}: {errors}");
    assert!(!run(0.9).status.success());
}
