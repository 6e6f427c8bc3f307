//! What a rank builds of a network.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use jlems::{Loaded, MemorySources, Options};
use lems_ranks::{Ranks, threads};

/// A network of two populations of ten cells with what is given.
fn network(populations: [&str; 2], connections: &str) -> String {
    let [one, two] = populations;
    format!(
        r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <iafCell id="iaf" leakReversal="-60mV" thresh="-50mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
  <expTwoSynapse id="fast" gbase="5nS" erev="0mV" tauRise="0.5ms" tauDecay="4ms"/>
  <poissonFiringSynapse id="noise" averageRate="80Hz" synapse="fast" spikeTarget="./fast"/>
  <pulseGenerator id="pulse" delay="1ms" duration="9ms" amplitude="1nA"/>
  <network id="net">{one}{two}{connections}</network>
  <Simulation id="sim" length="1ms" step="0.01ms" target="net"/></Lems>"#
    )
}

/// Whether two ranks build parts of a network.
fn are_parts(text: &str) -> bool {
    let is_part = |ranks: Ranks| {
        let options = Options {
            ranks: Some(ranks),
            ..Options::default()
        };
        let sources = MemorySources::from([("LEMS_net.xml", text)]);
        let loaded = Loaded::read("LEMS_net.xml", &sources, &options).unwrap();
        let built = loaded.check(&options).unwrap().build(&options).unwrap();
        built.simulations()[0].is_part()
    };
    std::thread::scope(|scope| {
        let ranks = threads(2).into_iter().map(Ranks::new);
        let ranks: Vec<_> = ranks.map(|ranks| scope.spawn(|| is_part(ranks))).collect();
        let parts: Vec<bool> = ranks.into_iter().map(|rank| rank.join().unwrap()).collect();
        assert_eq!(parts[0], parts[1]);
        parts[0]
    })
}

const SIZES: [&str; 2] = [
    r#"<population id="one" component="iaf" size="10"/>"#,
    r#"<population id="two" component="iaf" size="10"/>"#,
];

#[test]
fn networks_are_cut_whatever_form_their_populations_and_connections_have() {
    let of_sizes = r#"<projection id="p" presynapticPopulation="one" postsynapticPopulation="two" synapse="fast">
<connection id="0" preCellId="../one[0]" postCellId="../two[1]"/>
<connection id="1" preCellId="../one[2]" postCellId="../two[2]"/></projection>
<synapticConnection from="one[1]" to="two[0]" synapse="fast" destination="synapses"/>
<explicitInput target="one[0]" input="pulse"/>
<explicitInput target="two[9]" input="noise"/>"#;
    assert!(are_parts(&network(SIZES, of_sizes)));
    let instances: String = (0..10)
        .map(|id| format!(r#"<instance id="{id}"><location x="0" y="0" z="{id}"/></instance>"#))
        .collect();
    let lists = ["one", "two"].map(|id| {
        format!(r#"<population id="{id}" component="iaf" type="populationList">{instances}</population>"#)
    });
    let of_lists = r#"<projection id="p" presynapticPopulation="one" postsynapticPopulation="two" synapse="fast">
<connectionWD id="0" preCellId="../one/0/iaf" postCellId="../two/1/iaf" weight="2" delay="1ms"/>
<connectionWD id="1" preCellId="../one/2/iaf" postCellId="../two/2/iaf" weight="3" delay="0ms"/></projection>
<inputList id="i" component="pulse" population="one">
<input id="0" target="../one/0/iaf" destination="synapses"/>
<input id="1" target="../one/2/iaf" destination="synapses"/></inputList>"#;
    assert!(are_parts(&network([&lists[0], &lists[1]], of_lists)));
    // Cells of two kinds with synapses and inputs of one kind.
    let of_both = r#"<projection id="p" presynapticPopulation="one" postsynapticPopulation="one" synapse="fast">
<connection id="0" preCellId="../one[0]" postCellId="../one[1]"/>
<connection id="1" preCellId="../one[2]" postCellId="../two/2/iaf"/></projection>
<explicitInput target="one[0]" input="pulse"/><explicitInput target="two[9]" input="pulse"/>"#;
    assert!(are_parts(&network([SIZES[0], &lists[1]], of_both)));
}

#[test]
fn cells_that_look_at_one_another_are_built_by_all() {
    let junction = r#"<electricalProjection id="e" presynapticPopulation="one" postsynapticPopulation="two">
<electricalConnection id="0" preCell="2" postCell="0" synapse="junction"/></electricalProjection>"#;
    let text = network(SIZES, junction);
    let text = text.replace(
        "<network",
        r#"<gapJunction id="junction" conductance="10pS"/><network"#,
    );
    assert!(!are_parts(&text));
}
