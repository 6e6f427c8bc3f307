//! The stages as values: owned, shared between threads, with warnings and limits; the numbers of a
//! run in memory, and the same bytes as text.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::time::Duration;

use jlems::{
    BackendKind, Built, Checkpoint, Code, Compiled, Failure, Host, LimitError, Limits, Loaded,
    MemorySources, MemoryStore, Options, Run, RunError, TextFiles, Traces,
};

const NETWORK: &str = r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF"
    leakConductance="0.01uS"/>
  <network id="net"><population id="cells" component="iaf" size="2"/></network>
  <Simulation id="sim" length="100ms" step="0.1ms" target="net">
    <OutputFile id="v" fileName="v.dat"><OutputColumn id="v" quantity="cells[0]/v"/></OutputFile>
    <EventOutputFile id="s" fileName="cells.spikes" format="TIME_ID">
      <EventSelection id="0" select="cells[0]" eventPort="spike"/>
      <EventSelection id="1" select="cells[1]" eventPort="spike"/></EventOutputFile>
  </Simulation></Lems>"#;

fn built(text: &str, options: &Options) -> Result<Built, Failure> {
    let sources = MemorySources::from([("LEMS_net.xml", text)]);
    let loaded = Loaded::read("LEMS_net.xml", &sources, options)?;
    loaded.check(options)?.build(options)
}

fn compiled(options: &Options) -> Compiled {
    built(NETWORK, options).unwrap().compile(options).unwrap()
}

#[test]
fn stages_are_owned_and_go_to_other_threads() {
    fn is_free<T: Send + Sync + 'static>() {}
    is_free::<Options>();
    is_free::<Loaded>();
    is_free::<Built>();
    is_free::<Compiled>();
    is_free::<Run<Traces>>();
    is_free::<Failure>();
    is_free::<RunError>();
}

#[test]
fn runs_of_one_program_in_several_threads_give_the_same_numbers() {
    let options = Options::default();
    let compiled = compiled(&options);
    let run = || {
        let mut run = compiled.start(&options).unwrap();
        run.advance(1.0).unwrap();
        assert!(run.is_at_end());
        run.into_sink()
    };
    let all: Vec<Traces> = std::thread::scope(|scope| {
        let threads = [0; 3].map(|_| scope.spawn(run));
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert!(all.iter().all(|traces| traces == &all[0]));
    let table = all[0].table("v.dat").unwrap();
    assert_eq!(table.times.len(), 1001);
    assert_eq!(table.column("cells[0]/v").unwrap()[0], -0.05);
    assert!(all[0].events("cells.spikes").unwrap().times_of("1").count() > 1);
}

#[test]
fn a_run_is_advanced_bit_by_bit_on_both_back_ends() {
    for backend in [BackendKind::Jit, BackendKind::Interpreter] {
        let options = Options {
            backend,
            ..Options::default()
        };
        let compiled = compiled(&options);
        let mut whole = compiled.start(&options).unwrap();
        whole.step(u64::MAX).unwrap();
        let mut pieces = compiled.start(&options).unwrap();
        while !pieces.is_at_end() {
            pieces.step(7).unwrap();
        }
        assert_eq!(pieces.steps(), 1000);
        assert_eq!(whole.sink(), pieces.sink());
        // What was read can be taken out on the way.
        let mut emptied = compiled.start(&options).unwrap();
        emptied.advance(0.05).unwrap();
        assert_eq!(emptied.steps(), 500);
        emptied.sink_mut().tables[0].times.clear();
        emptied.advance(0.1).unwrap();
        assert_eq!(emptied.sink().tables[0].times.len(), 500);
    }
}

#[test]
fn text_files_and_memory_hold_the_same_numbers() {
    let options = Options::default();
    let compiled = compiled(&options);
    let store = MemoryStore::new();
    let files = |simulation: &_| TextFiles::create(simulation, &mut store.clone());
    let mut text = compiled.start_into(files, &options).unwrap();
    text.step(u64::MAX).unwrap();
    let (summary, _) = text.finish().unwrap();
    assert_eq!(summary.files, ["v.dat", "cells.spikes"]);
    let mut memory = compiled.start(&options).unwrap();
    memory.step(u64::MAX).unwrap();
    let table = &memory.sink().tables[0];
    let text = store.text("v.dat").unwrap();
    for (line, value) in text.lines().zip(&table.columns[0]) {
        // jLEMS writes the digits of a `float`.
        let written: f64 = line.split('\t').nth(1).unwrap().parse().unwrap();
        assert!(
            (written - value).abs() <= 1e-7 * value.abs(),
            "{line}: {value}"
        );
    }
    let events = store.text("cells.spikes").unwrap();
    assert_eq!(events.lines().count(), memory.sink().events[0].all.len());
}

#[test]
fn a_run_goes_on_from_a_checkpoint_in_memory() {
    let options = Options::default();
    let compiled = compiled(&options);
    let mut first = compiled.start(&options).unwrap();
    first.step(400).unwrap();
    let saved = Checkpoint::read(&first.checkpoint().unwrap()).unwrap();
    let empty = |simulation: &_, _| Ok(Traces::of(simulation));
    let mut second = compiled.resume(saved, empty, &options).unwrap();
    assert_eq!(second.steps(), 400);
    first.step(u64::MAX).unwrap();
    second.step(u64::MAX).unwrap();
    let (whole, rest) = (&first.sink().tables[0], &second.sink().tables[0]);
    assert_eq!(whole.columns[0][401..], rest.columns[0]);
}

#[test]
fn events_from_outside_go_where_those_of_their_source_go() {
    // The first cell never spikes by itself; what it sends arrives at the second one 2 ms later.
    let text = NETWORK
        .replace("thresh=\"-55mV\"", "thresh=\"0mV\"")
        .replace("leakReversal=\"-50mV\"", "leakReversal=\"-60mV\"")
        .replace("reset=\"-70mV\"", "reset=\"-60mV\"")
        .replace("cells[0]/v", "cells[1]/v")
        .replace(
            "<network id=\"net\">",
            r#"<Include file="Synapses.xml"/>
            <expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="2ms"/><network id="net">
            <projection id="p" presynapticPopulation="cells" postsynapticPopulation="cells" synapse="syn">
            <connectionWD id="0" preCellId="../cells[0]" postCellId="../cells[1]" weight="1" delay="2ms"/>
            </projection>"#,
        );
    let mut ends = Vec::new();
    for backend in [BackendKind::Jit, BackendKind::Interpreter] {
        let options = Options {
            backend,
            ..Options::default()
        };
        let compiled = built(&text, &options).unwrap().compile(&options).unwrap();
        let source = compiled.simulation().source(0, 0).unwrap();
        assert_eq!(compiled.simulation().source(0, 2), None);
        assert_eq!(compiled.simulation().source(1, 0), None);
        let mut run = compiled.start(&options).unwrap();
        run.step(100).unwrap();
        run.send(source).unwrap();
        run.step(u64::MAX).unwrap();
        let sent: Vec<f64> = run.sink().events[0].times_of("0").collect();
        assert_eq!(sent.len(), 1);
        assert!((sent[0] - 0.01).abs() < 1e-9);
        let v = run.sink().tables[0].column("cells[1]/v").unwrap();
        // The first cell is the second one's only source, so nothing moves before.
        let (before, after) = v.split_at(121);
        assert!(before.iter().all(|one| (one + 0.06).abs() < 1e-12));
        assert!(after.iter().any(|one| *one > -0.0595));
        ends.push(v.to_vec());
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn each_stage_has_its_warnings_and_its_failures() {
    let options = Options::default();
    let sources = MemorySources::from([("LEMS_net.xml", NETWORK)]);
    let loaded = Loaded::read("LEMS_net.xml", &sources, &options).unwrap();
    assert_eq!(loaded.warnings(), []);
    let checked = loaded.check(&options).unwrap();
    assert_eq!(checked.warnings(), []);
    assert_eq!(checked.build(&options).unwrap().warnings(), []);
    let failure = built(&NETWORK.replace("cells[0]/v", "cells[9]/v"), &options).unwrap_err();
    assert!(failure.to_string().contains("LEMS_net.xml:7"), "{failure}");
    let missing = Loaded::read("other.xml", &sources, &options).unwrap_err();
    assert_eq!(missing.diagnostics[0].code, Code(102));
}

/// A clock that is an hour later whenever it is looked at.
#[derive(Debug, Default)]
struct Hours(std::sync::atomic::AtomicU64);

impl Host for Hours {
    fn now(&self) -> Option<Duration> {
        let hours = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        Some(Duration::from_secs(3600 * hours))
    }

    fn memory_in_use(&self) -> Option<usize> {
        Some(1 << 30)
    }
}

#[test]
fn limits_are_held_against_every_stage() {
    let limited = |limits: Limits| Options {
        limits,
        host: Some(std::sync::Arc::new(Hours::default())),
        ..Options::default()
    };
    let instances = Limits {
        instances: 1,
        ..Limits::default()
    };
    let failure = built(NETWORK, &limited(instances)).unwrap_err();
    assert_eq!(failure.diagnostics[0].code, Code(414));
    let memory = Limits {
        memory: 1 << 29,
        ..Limits::default()
    };
    let failure = built(NETWORK, &limited(memory)).unwrap_err();
    assert_eq!(failure.diagnostics[0].code, Code(425));
    let options = limited(Limits {
        milliseconds: 3 * 3_600_000,
        ..Limits::default()
    });
    let late = match built(NETWORK, &options) {
        Err(failure) => failure,
        Ok(built) => match built
            .compile(&options)
            .map(|compiled| compiled.start(&options))
        {
            Err(failure) => failure,
            Ok(Err(error)) => error.into(),
            Ok(Ok(mut run)) => match run.step(u64::MAX) {
                Err(RunError::Limit(error @ LimitError::Time { .. })) => error.into(),
                other => panic!("{other:?}"),
            },
        },
    };
    assert_eq!(late.diagnostics[0].code, Code(523));
}

#[test]
fn a_run_that_fails_is_explained_with_the_equation() {
    let options = Options::default();
    let text = r#"<Lems><Target component="sim"/><Include file="Simulation.xml"/>
      <ComponentType name="root"><Exposure name="y" dimension="none"/><Dynamics>
        <StateVariable name="x" dimension="none"/><TimeDerivative variable="x" value="1 / SEC"/>
        <DerivedVariable name="y" dimension="none" exposure="y" value="ln(0.05 - x)"/>
      </Dynamics></ComponentType>
      <Constant name="SEC" symbol="SEC" dimension="time" value="1 s"/>
      <root id="r"/>
      <Simulation id="sim" length="100ms" step="1ms" target="r">
        <OutputFile id="o" fileName="y.dat"><OutputColumn id="y" quantity="y"/></OutputFile>
      </Simulation></Lems>"#;
    let sources = MemorySources::from([("LEMS_root.xml", text)]);
    let loaded = Loaded::read("LEMS_root.xml", &sources, &options).unwrap();
    let checked = loaded.check(&options).unwrap();
    let compiled = checked.build(&options).unwrap().compile(&options).unwrap();
    let mut run = compiled.start(&options).unwrap();
    let error = run.advance(1.0).unwrap_err();
    // What came before is still there, and the run does not go on.
    let (rows, steps) = (run.sink().tables[0].times.len(), run.steps());
    assert!(rows >= 50, "{rows} rows");
    assert!(run.is_stopped());
    run.advance(1.0).unwrap();
    assert_eq!(run.steps(), steps);
    let failure = checked.explain(error, 0, &options);
    let message = failure.to_string();
    assert!(message.contains("LEMS_root.xml:4"), "{message}");
    assert!(message.contains("`ln(0.05 - x)`"), "{message}");
}
