//! Cells with dendrites: against the theory of cables, against a smaller step, and against each other.
//!
//! The corpus of cells (`../shared/corpus-cells`) is compared by its own tool; these tests need nothing
//! but the program.

use crate::dendrite;
use std::num::NonZeroUsize;

use jlems::{
    BackendKind, Checkpoint, Loaded, MemorySources, Method, Options, Run, Settings, Traces,
};

/// A cell with these segments and groups, densities and inputs, that is recorded in these places.
fn model(shape: &str, membrane: &str, inputs: &str, columns: &[&str], step: &str) -> String {
    let columns: String = (columns.iter().enumerate())
        .map(|(number, path)| format!(r#"<OutputColumn id="c{number}" quantity="{path}"/>"#))
        .collect();
    format!(
        r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <ionChannelHH id="leak" conductance="10pS"/>
  <ionChannelHH id="na" conductance="10pS">
    <gateHHrates id="m" instances="3">
      <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
      <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
    </gateHHrates>
    <gateHHrates id="h" instances="1">
      <forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
      <reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/>
    </gateHHrates>
  </ionChannelHH>
  <ionChannelHH id="k" conductance="10pS">
    <gateHHrates id="n" instances="4">
      <forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
      <reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/>
    </gateHHrates>
  </ionChannelHH>
  <ionChannelHH id="ca" conductance="10pS">
    <gateHHrates id="s" instances="2">
      <forwardRate type="HHSigmoidRate" rate="1.6per_ms" midpoint="5mV" scale="14mV"/>
      <reverseRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-8mV" scale="-5mV"/>
    </gateHHrates>
  </ionChannelHH>
  <ionChannelKS id="ks" conductance="10pS">
    <gateKS id="n" instances="1">
      <closedState id="c1"/><closedState id="c2"/><openState id="o"/>
      <forwardTransition id="f1" from="c1" to="c2"><rate type="HHExpRate" rate="0.1per_ms" midpoint="-60mV" scale="20mV"/></forwardTransition>
      <reverseTransition id="r1" from="c1" to="c2"><rate type="HHExpRate" rate="0.2per_ms" midpoint="-60mV" scale="-20mV"/></reverseTransition>
      <forwardTransition id="f2" from="c2" to="o"><rate type="HHExpRate" rate="0.3per_ms" midpoint="-60mV" scale="25mV"/></forwardTransition>
      <reverseTransition id="r2" from="c2" to="o"><rate type="HHExpRate" rate="0.1per_ms" midpoint="-60mV" scale="-25mV"/></reverseTransition>
    </gateKS>
  </ionChannelKS>
  <decayingPoolConcentrationModel id="pool" ion="ca" restingConc="1e-4 mM" decayConstant="5 ms" shellThickness="0.2 um"/>
  <cell id="c">
    <morphology id="m">{shape}</morphology>
    <biophysicalProperties id="b">
      <membraneProperties>
        {membrane}
        <spikeThresh value="-20mV"/>
        <specificCapacitance value="1 uF_per_cm2"/>
        <initMembPotential value="-65mV"/>
      </membraneProperties>
      <intracellularProperties>
        <species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4 mM" initialExtConcentration="2 mM"/>
        <resistivity value="100 ohm_cm"/>
      </intracellularProperties>
    </biophysicalProperties>
  </cell>
  <pulseGenerator id="p" delay="0ms" duration="1s" amplitude="0.1nA"/>
  <network id="net">
    <population id="pop" component="c" size="3"/>
    <inputList id="i" component="p" population="pop">{inputs}</inputList>
  </network>
  <Simulation id="sim" length="200ms" step="{step}" target="net">
    <OutputFile id="o" fileName="o.dat">{columns}</OutputFile>
  </Simulation></Lems>"#
    )
}

/// The recorded columns, one list of values each.
fn columns(text: &str, options: &Options) -> Vec<Vec<f64>> {
    let sources = MemorySources::from([("LEMS_c.xml", text)]);
    let loaded = Loaded::read("LEMS_c.xml", &sources, options).unwrap();
    let built = match loaded.check(options).and_then(|model| model.build(options)) {
        Ok(built) => built,
        Err(failure) => panic!("{}", failure.render(false)),
    };
    let compiled = built.compile(options).unwrap();
    let mut run = compiled.start(options).unwrap();
    run.advance(f64::INFINITY).unwrap();
    let traces: Traces = run.into_sink();
    let table = traces.tables.into_iter().next().unwrap();
    table.columns
}

/// The message of the only error of a model.
fn error(text: &str) -> String {
    let options = Options::default();
    let sources = MemorySources::from([("LEMS_c.xml", text)]);
    let loaded = Loaded::read("LEMS_c.xml", &sources, &options).unwrap();
    let built = loaded
        .check(&options)
        .and_then(|model| model.build(&options));
    built.expect_err("a cell that is none").render(false)
}

const LEAK: &str = r#"<channelDensity id="l" ionChannel="leak" condDensity="0.1 mS_per_cm2" erev="-65mV" ion="non_specific"/>"#;

const AXON: &str = r#"
  <segment id="0"><proximal x="0" y="0" z="0" diameter="20"/><distal x="20" y="0" z="0" diameter="20"/></segment>
  <segment id="1"><parent segment="0"/><proximal x="20" y="0" z="0" diameter="2"/><distal x="320" y="0" z="0" diameter="1"/></segment>
  <segment id="2"><parent segment="1" fractionAlong="0.5"/><proximal x="170" y="0" z="0" diameter="1"/><distal x="170" y="200" z="0" diameter="1"/></segment>
  <segmentGroup id="soma" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
  <segmentGroup id="dendrite" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="7"/><member segment="1"/></segmentGroup>
  <segmentGroup id="branch" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="4"/><member segment="2"/></segmentGroup>"#;

const ACTIVE: &str = r#"
  <channelDensity id="l" ionChannel="leak" condDensity="0.3 mS_per_cm2" erev="-54.3mV" ion="non_specific"/>
  <channelDensity id="na" ionChannel="na" condDensity="120 mS_per_cm2" erev="50mV" ion="na"/>
  <channelDensity id="k" ionChannel="k" condDensity="36 mS_per_cm2" erev="-77mV" ion="k"/>"#;

/// Densities whose channels and pool depend on one another.
const CALCIUM: &str = r#"
  <channelDensityNernst id="ca" ionChannel="ca" condDensity="0.5 mS_per_cm2" ion="ca"/>
  <channelDensity id="ks" ionChannel="ks" condDensity="0.1 mS_per_cm2" erev="-77mV" ion="k"/>"#;

const INPUT: &str = r#"<input id="0" target="../pop[0]" segmentId="0" fractionAlong="0.5" destination="synapses"/>"#;

/// A sealed cylinder of 1 mm, 2 um thick, with a current at its beginning.
#[test]
fn the_potential_along_a_sealed_cable_is_a_hyperbolic_cosine() {
    let shape = r#"
      <segment id="0"><proximal x="0" y="0" z="0" diameter="2"/><distal x="500" y="0" z="0" diameter="2"/></segment>
      <segment id="1"><parent segment="0"/><distal x="1000" y="0" z="0" diameter="2"/></segment>
      <segmentGroup id="s" neuroLexId="sao864921383"><property tag="numberInternalDivisions" value="201"/>
        <member segment="0"/><member segment="1"/></segmentGroup>"#;
    let input = r#"<input id="0" target="../pop[1]" segmentId="0" fractionAlong="0" destination="synapses"/>"#;
    let places = ["pop[1]/0/v", "pop[1]/1/v", "pop[0]/0/v"];
    let found = columns(
        &model(shape, LEAK, input, &places, "0.1ms"),
        &Options::default(),
    );
    // Membrane 1 S/m2, cytoplasm 1 ohm m, radius 1 um.
    let (radius, length, current): (f64, f64, f64) = (1e-6, 1e-3, 1e-10);
    let lambda = (radius / 2.0).sqrt();
    let infinite = 1.0 / (2.0 * std::f64::consts::PI * radius * lambda);
    let (cosh, sinh) = (lems_math::cosh, lems_math::sinh);
    let expected =
        |x: f64| -0.065 + current * infinite * cosh((length - x) / lambda) / sinh(length / lambda);
    for (column, x) in found.iter().zip([250e-6, 750e-6]) {
        let last = *column.last().unwrap();
        // The compartment around the place is 5 um long.
        let depolarised = (last + 0.065) / (expected(x) + 0.065);
        assert!((depolarised - 1.0).abs() < 5e-3, "{last} at {x}");
    }
    // The cell beside it gets nothing.
    assert!(found[2].iter().all(|v| (v + 0.065).abs() < 1e-12));
}

/// Largest distances of all recorded columns from those with a much smaller step, at steps that are each
/// half of the one before.
fn errors(method: Method, quantities: &[&str]) -> Vec<Vec<f64>> {
    let run = |step: &str, every: u64| {
        let options = Options {
            every,
            method,
            settings: Settings {
                length: Some("12 ms".to_owned()),
                ..Settings::default()
            },
            ..Options::default()
        };
        let membrane = format!("{ACTIVE}{CALCIUM}");
        columns(&model(AXON, &membrane, INPUT, quantities, step), &options)
    };
    let fine = run("0.000625ms", 64);
    // It spiked.
    assert!(fine[0].iter().any(|v| *v > 0.0));
    let error = |step, every| {
        let found = run(step, every);
        let largest = |(found, fine): (&Vec<f64>, &Vec<f64>)| {
            let pairs = found.iter().zip(fine);
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        found.iter().zip(&fine).map(largest).collect()
    };
    vec![error("0.02ms", 2), error("0.01ms", 4), error("0.005ms", 8)]
}

/// How many times smaller the errors of each quantity get where the step is halved.
fn check_order(method: Method, expected: std::ops::Range<f64>) {
    let quantities = [
        "pop[0]/v",
        "pop[0]/2/v",
        "pop[0]/2/b/membraneProperties/na/na/m/q",
        "pop[0]/2/b/membraneProperties/ks/ks/n/q",
        "pop[0]/2/b/membraneProperties/ca/iDensity",
        "pop[0]/2/caConc",
    ];
    let errors = errors(method, &quantities);
    for (number, quantity) in quantities.iter().enumerate() {
        for pair in errors.windows(2) {
            let ratio = pair[0][number] / pair[1][number];
            assert!(expected.contains(&ratio), "{quantity}: {ratio}, {errors:?}");
        }
    }
}

#[test]
fn the_default_method_is_of_second_order_in_all_that_is_recorded() {
    check_order(Method::SecondOrder, 3.0..5.5);
}

#[test]
fn the_implicit_method_is_of_first_order() {
    check_order(Method::Implicit, 1.5..2.7);
}

/// Nothing moves a cell that starts at the reversal potential of its only channels.
#[test]
fn kinetic_schemes_start_at_the_steady_state() {
    let density = r#"<channelDensity id="ks" ionChannel="ks" condDensity="1 mS_per_cm2" erev="-65mV" ion="k"/>"#;
    let places = ["pop[0]/2/b/membraneProperties/ks/ks/n/q"];
    let text = model(AXON, density, "", &places, "0.1ms");
    let found = &columns(&text, &Options::default())[0];
    let first = found[0];
    assert!(first > 0.01 && first < 0.99, "{first}");
    assert!(found.iter().all(|q| (q - first).abs() < 1e-12));
}

/// The type that such a density has in a compartment is named nowhere in the model.
#[test]
fn a_density_that_varies_over_the_cell_carries_its_ion() {
    let shape = AXON.to_owned()
        + r#"<segmentGroup id="inner"><member segment="1"/>
          <inhomogeneousParameter id="path" variable="p" metric="Path Length from root"/></segmentGroup>"#;
    let density = r#"<channelDensityNonUniformNernst id="ca" ionChannel="ca" ion="ca">
        <variableParameter parameter="condDensity" segmentGroup="inner">
          <inhomogeneousValue inhomogeneousParameter="path" value="20 * exp(-p / 100)"/>
        </variableParameter></channelDensityNonUniformNernst>"#;
    let membrane = format!("{ACTIVE}{density}");
    let places = ["pop[0]/1/caConc", "pop[0]/0/caConc"];
    let found = columns(
        &model(&shape, &membrane, INPUT, &places, "0.025ms"),
        &Options::default(),
    );
    assert!(found[0].iter().any(|c| *c > 2e-4));
    assert!(found[1].iter().all(|c| (c - 1e-4).abs() < 1e-9));
}

/// More instances in a compartment than a part of a network may have to be looped over as one.
#[test]
fn a_compartment_holds_any_number_of_densities() {
    let share = |number: usize| {
        format!(
            r#"<channelDensity id="l{number}" ionChannel="leak" condDensity="{} mS_per_cm2" erev="-65mV" ion="non_specific"/>"#,
            0.1 / 600.0
        )
    };
    let many: String = (0..600).map(share).collect();
    let [whole, parts] = [LEAK, &many].map(|membrane| {
        let text = model(AXON, membrane, INPUT, &["pop[0]/1/v"], "0.5ms");
        columns(&text, &Options::default()).remove(0)
    });
    assert!(whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-9));
}

/// The cell's own spikes reach its inputs in jLEMS, for one compartment.
#[test]
fn a_timed_input_gets_its_own_spikes_only() {
    let timed = r#"<expTwoSynapse id="s" gbase="1nS" erev="0mV" tauRise="1ms" tauDecay="9ms"/>
        <timedSynapticInput id="timed" synapse="s" spikeTarget="./s"><spike id="0" time="150ms"/></timedSynapticInput>
        <network id="net">"#;
    let list = r#"</inputList><inputList id="j" component="timed" population="pop">
        <input id="0" target="../pop[0]" destination="synapses" segmentId="1"/></inputList>"#;
    let quantities = ["pop[0]/v", "pop[0]/1/synapses:timed:0/s/g"];
    let text = model(AXON, ACTIVE, INPUT, &quantities, "0.025ms");
    let text = (text.replacen(r#"<network id="net">"#, timed, 1)).replacen("</inputList>", list, 1);
    let columns = columns(&text, &Options::default());
    let early = columns[0].len() / 2;
    assert!(columns[0][..early].iter().any(|v| *v > 0.0), "it spikes");
    assert!(columns[1][..early].iter().all(|g| *g == 0.0));
    assert!(columns[1].iter().any(|g| *g > 0.0));
}

/// Both ends of a gap junction or graded synapse may be given by the number of the cell or by its path.
#[test]
fn connections_by_number_are_on_their_segments() {
    let synapses = r#"<gapJunction id="gap" conductance="5nS"/><silentSynapse id="silent"/>
        <linearGradedSynapse id="graded" conductance="5nS"/><network id="net">"#;
    let cells = r#"type="populationList"><instance id="0"><location x="0" y="0" z="0"/></instance>
        <instance id="1"><location x="0" y="0" z="0"/></instance></population>"#;
    let gap = |connection: &str| {
        format!(
            r#"<electricalProjection id="e" presynapticPopulation="pop" postsynapticPopulation="pop">
            <electricalConnection{connection} synapse="gap"/></electricalProjection>"#
        )
    };
    let graded = |connection: &str| {
        format!(
            r#"<continuousProjection id="e" presynapticPopulation="pop" postsynapticPopulation="pop">
            <continuousConnection{connection} preComponent="silent" postComponent="graded"/>
            </continuousProjection>"#
        )
    };
    let potentials = |projection: String| {
        let quantities = ["pop[0]/v", "pop[1]/v", "pop[1]/1/v"];
        let text = model(AXON, ACTIVE, INPUT, &quantities, "0.5ms");
        let text = text.replacen(r#"<network id="net">"#, synapses, 1);
        let text = text.replacen(r#"size="3"/>"#, &format!("{cells}{projection}"), 1);
        columns(&text, &Options::default())
    };
    let by_number = r#" id="0" preCell="0" postCell="1""#;
    let by_path = r#"Instance id="0" preCell="../pop/0/c" postCell="../pop/1/c""#;
    let on = r#"preSegment="1" preFractionAlong="0.9" postSegment="1" postFractionAlong="0.2""#;
    for projection in [&gap as &dyn Fn(&str) -> String, &graded] {
        let found = potentials(projection(&format!("{by_number} {on}")));
        assert_eq!(found, potentials(projection(&format!("{by_path} {on}"))));
        assert_ne!(found, potentials(projection(by_number)));
    }
}

#[test]
fn both_back_ends_and_all_threads_give_the_same_bits() {
    let membrane = format!("{ACTIVE}{CALCIUM}");
    let text = model(
        AXON,
        &membrane,
        INPUT,
        &["pop[0]/v", "pop[0]/2/v", "pop[2]/1/v"],
        "0.025ms",
    );
    let run = |method, backend, threads| {
        let options = Options {
            method,
            backend,
            threads: NonZeroUsize::new(threads),
            ..Options::default()
        };
        let found = columns(&text, &options);
        found
            .concat()
            .into_iter()
            .map(f64::to_bits)
            .collect::<Vec<_>>()
    };
    for method in [Method::SecondOrder, Method::Implicit, Method::Neuron] {
        let machine_code = run(method, BackendKind::Jit, 1);
        assert!(machine_code == run(method, BackendKind::Interpreter, 1));
        assert!(machine_code == run(method, BackendKind::Jit, 3));
    }
}

/// Runs a model with a membrane of channels and a pool, up to a time in seconds, or from a checkpoint.
fn run_part(options: &Options, from: Option<Vec<u8>>, until: f64) -> (Run<Traces>, Vec<u8>) {
    let membrane = format!("{ACTIVE}{CALCIUM}");
    let places = [
        "pop[0]/v",
        "pop[0]/2/caConc",
        "pop[0]/2/b/membraneProperties/ks/ks/n/q",
    ];
    let text = model(AXON, &membrane, INPUT, &places, "0.025ms");
    let sources = MemorySources::from([("LEMS_c.xml", text.as_str())]);
    let loaded = Loaded::read("LEMS_c.xml", &sources, options).unwrap();
    let built = loaded.check(options).unwrap().build(options).unwrap();
    let compiled = built.compile(options).unwrap();
    let mut run = match from {
        None => compiled.start(options).unwrap(),
        Some(bytes) => {
            let checkpoint = Checkpoint::read(&bytes).unwrap();
            let open = |simulation: &_, _| Ok(Traces::of(simulation));
            compiled.resume(checkpoint, open, options).unwrap()
        }
    };
    run.advance(until).unwrap();
    let checkpoint = run.checkpoint().unwrap();
    (run, checkpoint)
}

fn last_rows(run: Run<Traces>, rows: usize) -> Vec<Vec<u64>> {
    let columns = &run.into_sink().tables[0].columns;
    let last = |column: &Vec<f64>| {
        let first = column.len() - rows;
        column[first..]
            .iter()
            .map(|value| value.to_bits())
            .collect()
    };
    columns.iter().map(last).collect()
}

#[test]
fn a_run_goes_on_from_a_checkpoint_with_the_same_bits() {
    for method in [Method::SecondOrder, Method::Implicit, Method::Neuron] {
        let options = Options {
            method,
            ..Options::default()
        };
        let (whole, _) = run_part(&options, None, 20e-3);
        let (_, half) = run_part(&options, None, 10e-3);
        let (rest, _) = run_part(&options, Some(half), 20e-3);
        assert!(last_rows(whole, 300) == last_rows(rest, 300));
    }
}

/// A checkpoint and the processes of one run rely on it.
#[test]
fn a_model_becomes_the_same_program_each_time() {
    // Compartments of several kinds are recorded, and synapses with two states are merged.
    let cells = dendrite::read(dendrite::LEMS).replace(
        "<OutputColumn id=\"soma\"",
        "<OutputColumn id=\"gate\" quantity=\"cells/0/pyramid/0/membrane/membraneProperties/na_soma/na/m/q\"/>
         <OutputColumn id=\"calcium\" quantity=\"cells/0/pyramid/1/caConc\"/>
         <OutputColumn id=\"left\" quantity=\"cells/0/pyramid/2/iSyn\"/>
         <OutputColumn id=\"right\" quantity=\"cells/0/pyramid/3/iChannels\"/>
         <OutputColumn id=\"soma\"",
    );
    let sources = dendrite::sources(&cells);
    for fast in [false, true] {
        let options = Options {
            fast,
            ..Options::default()
        };
        let program = || {
            let loaded = Loaded::read(dendrite::LEMS, &sources, &options).unwrap();
            let built = loaded.check(&options).unwrap().build(&options).unwrap();
            let compiled = built.compile(&options).unwrap();
            compiled.simulation().program.to_string()
        };
        let first = program();
        for _ in 0..8 {
            assert!(program() == first, "fast: {fast}");
        }
    }
}

#[test]
fn fast_code_gives_nearly_the_same() {
    let run = |fast| {
        let options = Options {
            fast,
            ..Options::default()
        };
        run_part(&options, None, 20e-3).0.into_sink().tables[0]
            .columns
            .clone()
    };
    for (column, fast) in run(false).iter().zip(&run(true)) {
        for (a, b) in column.iter().zip(fast) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }
}

/// A setting is the same as the value in the file.
#[test]
fn a_density_is_set_from_outside() {
    let path = "c/b/membraneProperties/l/condDensity=0.2 mS_per_cm2";
    let options = Options {
        settings: Settings {
            set: vec![path.to_owned()],
            ..Settings::default()
        },
        ..Options::default()
    };
    let text = model(AXON, LEAK, INPUT, &["pop[0]/2/v"], "0.1ms");
    let other = text.replace("0.1 mS_per_cm2", "0.2 mS_per_cm2");
    assert_ne!(text, other);
    assert!(columns(&text, &options) == columns(&other, &Options::default()));
}

/// The message names the equation, and the instance by its cell and segment.
#[test]
fn a_value_that_is_no_number_is_told_with_its_equation() {
    let broken = r#"<ionChannelHH id="leak" conductance="10pS"><gateHHrates id="b" instances="1">
        <forwardRate type="HHSigmoidRate" rate="1per_ms" midpoint="-65mV" scale="0mV"/>
        <reverseRate type="HHExpRate" rate="1per_ms" midpoint="-65mV" scale="10mV"/></gateHHrates></ionChannelHH>"#;
    let text = model(AXON, LEAK, INPUT, &["pop[0]/2/v"], "0.1ms")
        .replace(r#"<ionChannelHH id="leak" conductance="10pS"/>"#, broken);
    let options = Options::default();
    let sources = MemorySources::from([("LEMS_c.xml", text.as_str())]);
    let loaded = Loaded::read("LEMS_c.xml", &sources, &options).unwrap();
    let checked = loaded.check(&options).unwrap();
    let built = checked.build(&options).unwrap();
    let compiled = built.compile(&options).unwrap();
    let error = compiled
        .start(&options)
        .and_then(|mut run| run.advance(f64::INFINITY))
        .unwrap_err();
    let message = checked.explain(error, 0, &options).render(false);
    let place =
        "`r` of `pop[0]/2/b/membraneProperties/l/leak/b/forwardRate` (HHSigmoidRate) becomes NaN";
    assert!(message.contains(place), "{message}");
    assert!(message.contains("scale = 0"), "{message}");
}

/// The largest distance of the example from a golden of NEURON, in millivolts. The goldens have every tenth row:
/// `tests/goldens/make_neuron_goldens.py`.
fn distance_from(golden: &str, method: Method, backend: BackendKind) -> f64 {
    let sources = dendrite::sources(&dendrite::read(dendrite::LEMS));
    let golden: Vec<Vec<f64>> = (dendrite::read(&format!("golden-neuron/{golden}")).lines())
        .map(|line| {
            line.split('\t')
                .map(|value| value.parse().unwrap())
                .collect()
        })
        .collect();
    let options = Options {
        method,
        backend,
        every: 10,
        ..Options::default()
    };
    let loaded = Loaded::read(dendrite::LEMS, &sources, &options).unwrap();
    let built = loaded.check(&options).unwrap().build(&options).unwrap();
    let mut run = built.compile(&options).unwrap().start(&options).unwrap();
    run.advance(f64::INFINITY).unwrap();
    let tables = run.into_sink().tables;
    let columns = &tables[0].columns;
    assert_eq!(columns[0].len(), golden.len());
    let distances = golden.iter().enumerate().flat_map(|(row, golden)| {
        let pairs = columns.iter().zip(&golden[1..]);
        pairs.map(move |(column, golden)| 1e3 * (column[row] - golden).abs())
    });
    distances.fold(0.0, f64::max)
}

#[test]
fn the_example_is_near_to_what_neuron_leads_to_for_a_step_of_zero() {
    let distance = |method| distance_from("dendrite.dat", method, BackendKind::Jit);
    let found = [Method::SecondOrder, Method::Implicit].map(distance);
    assert!(found[0] < 0.06, "{found:?}");
    assert!((2.0..8.0).contains(&found[1]), "{found:?}");
}

/// The spikes of the example are steep: what differs in the ninth digit of an area is seen here.
#[test]
fn the_example_has_the_digits_of_the_exported_program() {
    for backend in [BackendKind::Jit, BackendKind::Interpreter] {
        let found = distance_from("own-step.dat", Method::Neuron, backend);
        assert!(found < 1e-8, "{found} mV by {backend:?}");
    }
}

/// What shows a network builds it as a run does.
#[test]
fn a_network_of_such_cells_is_shown_like_any_other() {
    let text = model(AXON, ACTIVE, INPUT, &["pop[0]/2/v"], "0.025ms");
    let sources = MemorySources::from([("LEMS_c.xml", text.as_str())]);
    let options = Options::default();
    let document = jlems::load_runnable("LEMS_c.xml", &sources, &options).unwrap();
    let shown = jlems::read_model_in_use(&document)
        .and_then(|model| jlems::resolved::ResolvedNetwork::all(&document, &model, &options));
    match shown {
        Ok(networks) => assert_eq!(networks.len(), 1),
        Err(failure) => panic!("{}", failure.render(false)),
    }
}

/// A density on half of a compartment is half of the density on all of it.
#[test]
fn a_group_that_covers_a_part_of_a_compartment_counts_as_that_part() {
    let shape = |groups: &str| {
        format!(
            r#"<segment id="0"><proximal x="0" y="0" z="0" diameter="2"/><distal x="50" y="0" z="0" diameter="2"/></segment>
      <segment id="1"><parent segment="0"/><distal x="100" y="0" z="0" diameter="2"/></segment>
      <segment id="2"><parent segment="1"/><distal x="200" y="0" z="0" diameter="2"/></segment>
      <segmentGroup id="s" neuroLexId="sao864921383"><member segment="0"/><member segment="1"/></segmentGroup>
      <segmentGroup id="t" neuroLexId="sao864921383"><member segment="2"/></segmentGroup>{groups}"#
        )
    };
    let density = |group: &str, value: &str| {
        format!(
            r#"<channelDensity id="l" ionChannel="leak" condDensity="{value}" erev="-60mV" ion="non_specific" segmentGroup="{group}"/>"#
        )
    };
    let run = |shape: &str, membrane: &str| {
        let text = model(
            shape,
            membrane,
            INPUT,
            &["pop[0]/0/v", "pop[0]/2/v"],
            "0.1ms",
        );
        columns(&text, &Options::default())
    };
    let half = shape(r#"<segmentGroup id="g"><member segment="1"/></segmentGroup>"#);
    let in_half = run(&half, &density("g", "1 mS_per_cm2"));
    let everywhere = run(&shape(""), &density("s", "0.5 mS_per_cm2"));
    for (a, b) in in_half.concat().iter().zip(everywhere.concat()) {
        assert!((a - b).abs() < 1e-12, "{a} {b}");
    }
}

#[test]
fn a_cell_that_is_no_tree_is_told_with_its_place() {
    let segment = |id: i32, parent: &str| {
        format!(
            r#"<segment id="{id}">{parent}<proximal x="0" y="0" z="0" diameter="1"/><distal x="9" y="0" z="0" diameter="1"/></segment>"#
        )
    };
    let parent = |id: i32| format!(r#"<parent segment="{id}"/>"#);
    let root = segment(0, "");
    let of = |shape: String| error(&model(&shape, LEAK, INPUT, &["pop[0]/v"], "0.1ms"));
    for (shape, words) in [
        (root.clone() + &segment(1, &parent(7)), "no segment 7"),
        (root.clone() + &segment(0, &parent(0)), "two segments 0"),
        (root.clone() + &segment(1, ""), "parent"),
        (
            root.clone() + &segment(1, &parent(2)) + &segment(2, &parent(1)),
            "ancestor",
        ),
        (
            root.clone() + &segment(1, r#"<parent segment="0" fractionAlong="2"/>"#),
            "between 0 and 1",
        ),
        (
            root.clone()
                + &segment(1, &parent(0))
                + r#"<segmentGroup id="g"><include segmentGroup="h"/></segmentGroup>"#,
            "no group `h`",
        ),
        (
            root.clone()
                + &segment(1, &parent(0))
                + r#"<segmentGroup id="g"><include segmentGroup="h"/></segmentGroup><segmentGroup id="h"><include segmentGroup="g"/></segmentGroup>"#,
            "includes itself",
        ),
        (
            root.clone()
                + &segment(1, &parent(0)).replace(r#"diameter="1"/></"#, r#"diameter="-1"/></"#),
            "negative",
        ),
    ] {
        let message = of(shape);
        assert!(message.contains("error[E0432]"), "{message}");
        assert!(message.contains(words), "{message}");
        assert!(message.contains("LEMS_c.xml:"), "{message}");
    }
}
