//! Events that are sent into ports between steps act as those of connections do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::num::NonZeroUsize;

use jlems::{
    BackendKind, Checkpoint, Compiled, Failure, Loaded, MemorySources, Options, Run, Settings,
    Traces,
};

/// Cells that get the events of two sources, by synapses without a delay. The sources follow the cells in a step.
const NETWORK: &str = r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <iafCell id="iaf" leakReversal="-60mV" thresh="-50mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
  <expTwoSynapse id="fast" gbase="5nS" erev="0mV" tauRise="0.5ms" tauDecay="4ms"/>
  <expOneSynapse id="slow" gbase="9nS" erev="0mV" tauDecay="7ms"/>
  <spikeGenerator id="seven" period="7ms"/>
  <spikeGenerator id="nine" period="9ms"/>
  <network id="net">
    <population id="cells" component="iaf" size="40"/>
    <population id="sevens" component="seven" size="1"/>
    <population id="nines" component="nine" size="1"/>
    CONNECTIONS
  </network>
  <Simulation id="sim" length="60ms" step="0.01ms" target="net">
    <OutputFile id="v" fileName="v.dat"><OutputColumn id="0" quantity="cells[0]/v"/>
      <OutputColumn id="1" quantity="cells[1]/v"/><OutputColumn id="39" quantity="cells[39]/v"/></OutputFile>
    <EventOutputFile id="s" fileName="s.spikes" format="TIME_ID">
      <EventSelection id="0" select="cells[0]" eventPort="spike"/>
      <EventSelection id="1" select="sevens[0]" eventPort="spike"/>
      <EventSelection id="2" select="nines[0]" eventPort="spike"/></EventOutputFile>
  </Simulation></Lems>"#;

/// Every cell gets the events of one source, and every second those of the other.
fn network() -> String {
    let connection = |from: &str, cell: usize, synapse: &str| {
        format!(
            r#"<synapticConnection from="{from}[0]" to="cells[{cell}]" synapse="{synapse}"
                 destination="synapses"/>"#
        )
    };
    let sevens = (0..40).map(|cell| connection("sevens", cell, "fast"));
    let nines = (1..40)
        .step_by(2)
        .map(|cell| connection("nines", cell, "slow"));
    let connections: Vec<String> = sevens.chain(nines).collect();
    NETWORK.replace("CONNECTIONS", &connections.concat())
}

fn compiled(text: &str, options: &Options) -> Result<Compiled, Failure> {
    let sources = MemorySources::from([("LEMS_net.xml", text)]);
    let loaded = Loaded::read("LEMS_net.xml", &sources, options)?;
    loaded.check(options)?.build(options)?.compile(options)
}

/// The sources never fire by themselves.
fn silent(options: &Options) -> Options {
    let set = ["seven/period=1000s", "nine/period=1000s"];
    Options {
        settings: Settings {
            set: set.map(str::to_owned).to_vec(),
            ..Settings::default()
        },
        ..options.clone()
    }
}

fn with_inlets(options: &Options) -> Options {
    let slow = (1..40)
        .step_by(2)
        .map(|cell| format!("cells/{cell}/slow/in"));
    let fast = "cells[*]/synapses:fast:0/in".to_owned();
    Options {
        inlets: [fast].into_iter().chain(slow).collect(),
        ..silent(options)
    }
}

/// Sends what the sources of another run have sent, until a time.
fn send_until(run: &mut Run, events: &[(f64, usize)], until: f64) {
    for (time, source) in events {
        if *time <= run.time() || *time > until {
            continue;
        }
        run.advance(*time).unwrap();
        let ports: Vec<(String, u32)> = (run.simulation().inlets())
            .map(|(path, source)| (path.to_owned(), source))
            .collect();
        let is_meant = |path: &str| path.contains(["fast", "slow"][*source]);
        for (_, port) in ports.iter().filter(|(path, _)| is_meant(path)) {
            run.send(*port).unwrap();
        }
    }
    run.advance(until).unwrap();
}

/// When each source has fired.
fn sent(traces: &Traces) -> Vec<(f64, usize)> {
    let of_sources = (traces.events[0].all.iter()).filter(|event| event.selection > 0);
    of_sources
        .map(|event| (event.time, event.selection - 1))
        .collect()
}

fn start(options: &Options) -> Run {
    compiled(&network(), options)
        .unwrap()
        .start(options)
        .unwrap()
}

/// What is recorded of the cells.
fn of_cells(traces: &Traces) -> (Vec<Vec<f64>>, Vec<f64>) {
    let spikes = traces.events[0].times_of("0").collect();
    (traces.tables[0].columns.clone(), spikes)
}

#[test]
fn events_from_outside_act_as_those_of_a_connection() {
    for (backend, threads, fast) in [
        (BackendKind::Interpreter, 1, false),
        (BackendKind::Jit, 1, false),
        (BackendKind::Jit, 3, false),
        (BackendKind::Jit, 2, true),
    ] {
        let options = Options {
            backend,
            threads: NonZeroUsize::new(threads),
            fast,
            ..Options::default()
        };
        let mut connected = start(&options);
        connected.advance(1.0).unwrap();
        let expected = connected.into_sink();
        let events = sent(&expected);
        assert!(events.len() > 10 && !of_cells(&expected).1.is_empty());
        let options = with_inlets(&options);
        let mut run = start(&options);
        assert_eq!(run.simulation().inlets().count(), 60);
        send_until(&mut run, &events, 1.0);
        assert_eq!(of_cells(run.sink()), of_cells(&expected), "{options:?}");
    }
}

#[test]
fn a_run_is_the_same_with_inlets_and_without() {
    let plain = silent(&Options::default());
    let with = with_inlets(&plain);
    let [without, with_them] =
        [&plain, &with].map(|options| compiled(&network(), options).unwrap());
    let numbers = |compiled: &Compiled| {
        let mut run = compiled.start(&plain).unwrap();
        run.advance(1.0).unwrap();
        run.into_sink()
    };
    assert_eq!(numbers(&without), numbers(&with_them));
    assert_eq!(without.simulation().inlets().count(), 0);
    let [old, new] = [&without, &with_them].map(|one| &*one.simulation().program);
    assert_eq!((&old.kernels, &old.handlers), (&new.kernels, &new.handlers));
    let connections: Vec<_> = old.routes.all().collect();
    let more: Vec<_> = new.routes.all().collect();
    assert_eq!(connections, more[..connections.len()]);
    assert_eq!(more.len(), connections.len() + 60);
}

#[test]
fn a_run_goes_on_from_a_checkpoint_with_other_inlets() {
    let options = Options::default();
    let events = {
        let mut run = start(&options);
        run.advance(1.0).unwrap();
        sent(run.sink())
    };
    let with = with_inlets(&options);
    let whole = {
        let mut run = start(&with);
        send_until(&mut run, &events, 0.030);
        run.advance(1.0).unwrap();
        run.into_sink()
    };
    let mut run = start(&with);
    send_until(&mut run, &events, 0.030);
    let saved = run.checkpoint().unwrap();
    for options in [&with, &silent(&options)] {
        let compiled = compiled(&network(), options).unwrap();
        let saved = Checkpoint::read(&saved).unwrap();
        let open = |simulation: &_, _| Ok(Traces::of(simulation));
        let mut rest = compiled.resume(saved, open, options).unwrap();
        rest.advance(1.0).unwrap();
        let (rest, whole) = (of_cells(rest.sink()).0, of_cells(&whole).0);
        for (rest, whole) in rest.iter().zip(&whole) {
            assert_eq!(rest[..], whole[whole.len() - rest.len()..]);
            assert!(rest.len() > 2000);
        }
    }
}

/// A neuron with a synapse far out on a dendrite, which a source drives.
const DENDRITE: &str = r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <expOneSynapse id="syn" gbase="2nS" erev="0mV" tauDecay="4ms"/>
  <spikeGenerator id="seven" period="7ms"/>
  <ionChannelHH id="leak" conductance="10pS"/>
  <cell id="tree"><morphology id="m">
      <segment id="0"><proximal x="0" y="0" z="0" diameter="12"/><distal x="12" y="0" z="0" diameter="12"/></segment>
      <segment id="1"><parent segment="0"/><proximal x="12" y="0" z="0" diameter="2"/>
        <distal x="312" y="0" z="0" diameter="2"/></segment>
      <segmentGroup id="dendrite"><property tag="numberInternalDivisions" value="5"/><member segment="1"/></segmentGroup>
    </morphology>
    <biophysicalProperties id="b"><membraneProperties>
        <channelDensity id="leaks" ionChannel="leak" condDensity="0.3mS_per_cm2" erev="-65mV" ion="non_specific"/>
        <specificCapacitance value="1uF_per_cm2"/><initMembPotential value="-65mV"/></membraneProperties>
      <intracellularProperties><resistivity value="150ohm_cm"/></intracellularProperties></biophysicalProperties></cell>
  <network id="net">
    <population id="trees" component="tree" size="2"/>
    <population id="sevens" component="seven" size="1"/>
    <projection id="p" presynapticPopulation="sevens" postsynapticPopulation="trees" synapse="syn">
      <connection id="0" preCellId="../sevens/0/seven" postCellId="../trees/0/tree" postSegmentId="1"
        postFractionAlong="0.9"/>
    </projection>
  </network>
  <Simulation id="sim" length="40ms" step="0.01ms" target="net">
    <OutputFile id="v" fileName="v.dat"><OutputColumn id="0" quantity="trees/0/tree/0/v"/>
      <OutputColumn id="1" quantity="trees/0/tree/1/v"/></OutputFile>
    <EventOutputFile id="s" fileName="s.spikes" format="TIME_ID">
      <EventSelection id="0" select="sevens[0]" eventPort="spike"/></EventOutputFile>
  </Simulation></Lems>"#;

#[test]
fn events_reach_synapses_on_dendrites() {
    for backend in [BackendKind::Interpreter, BackendKind::Jit] {
        let options = Options {
            backend,
            ..Options::default()
        };
        let mut connected = compiled(DENDRITE, &options)
            .unwrap()
            .start(&options)
            .unwrap();
        connected.advance(1.0).unwrap();
        let expected = connected.into_sink();
        let options = Options {
            inlets: vec!["trees[0]/1/synapses:syn:0/in".to_owned()],
            settings: Settings {
                set: vec!["seven/period=1000s".to_owned()],
                ..Settings::default()
            },
            ..options
        };
        let mut run = compiled(DENDRITE, &options)
            .unwrap()
            .start(&options)
            .unwrap();
        let port = run.simulation().inlets().next().unwrap().1;
        for time in expected.events[0].times_of("0") {
            run.advance(time).unwrap();
            run.send(port).unwrap();
        }
        run.advance(1.0).unwrap();
        assert_eq!(run.sink().tables[0].columns, expected.tables[0].columns);
        let soma = &expected.tables[0].columns[0];
        assert!(soma.iter().any(|v| *v > soma[0] + 1e-4));
    }
}

#[test]
fn wrong_inlets_are_explained() {
    let text = network();
    for (path, message, help) in [
        ("cell[0]/fast/in", "`cell[0]`", "did you mean `cells`?"),
        ("cells[40]/fast/in", "cells[40]", "the last one is [39]"),
        ("cells[*]/slow/in", "slow", "it has"),
        (
            "cells[0]/fast/inn",
            "no event port `inn`",
            "did you mean `in`?",
        ),
        (
            "cells[0]/fast",
            "no event port `fast`",
            "did you mean `cells[0]/fast/in`?",
        ),
        (
            "cells[0]/in",
            "no event port `in`",
            "did you mean `cells[0]/synapses:fast:0/in`?",
        ),
        (
            "cells[0]/spike",
            "an event on `spike` of",
            "did you mean `cells[0]/synapses:fast:0/in`?",
        ),
        ("sevens[0]/spike", "an event on `spike` of", "`OnEvent`"),
        ("cells/*", "no event port", "did you mean"),
        ("", "no event port ``", "did you mean"),
    ] {
        let options = Options {
            inlets: vec![path.to_owned()],
            ..Options::default()
        };
        let shown = compiled(&text, &options).unwrap_err().render(false);
        for part in [message, help, "--> inlets:1:"] {
            assert!(shown.contains(part), "{path}: {part} is not in {shown}");
        }
    }
}
