//! Runs in memory.

use std::ops::ControlFlow;

use lems_document::{Document, IncludeOptions, MemorySources};
use lems_ir::Interpreter;
use lems_model::Model;
use lems_network::Experiment;
use lems_output::MemoryStore;

use crate::{
    Cursor, EngineError, Event, Method, Moment, RecordSettings, RunSettings, Simulation, Summary,
    Traces,
};

pub(crate) const TYPES: &str = r#"
  <Dimension name="time" t="1"/> <Unit symbol="s" dimension="time"/>
  <ComponentType name="sim"><Parameter name="step" dimension="time"/>
    <Parameter name="length" dimension="time"/><ComponentReference name="target" type="Component"/>
    <Children name="files" type="file"/> <Children name="events" type="eventFile"/>
    <Simulation><Run component="target" variable="t" increment="step" total="length"/></Simulation>
  </ComponentType>
  <ComponentType name="file"><Text name="name"/><Children name="columns" type="column"/>
    <Simulation><DataWriter fileName="name"/></Simulation></ComponentType>
  <ComponentType name="column"><Path name="quantity"/>
    <Simulation><Record quantity="quantity"/></Simulation></ComponentType>
  <ComponentType name="eventFile"><Text name="fileName"/><Text name="format"/>
    <Children name="selections" type="selection"/>
    <Simulation><EventWriter fileName="fileName" format="format"/></Simulation></ComponentType>
  <ComponentType name="selection"><Path name="select"/><Text name="port"/>
    <Simulation><EventRecord quantity="select" eventPort="port"/></Simulation></ComponentType>
  <ComponentType name="clock"><EventPort name="tick" direction="out"/>
    <Dynamics><StateVariable name="x" dimension="none"/><DerivedVariable name="y" value="ln(3 - x)"/>
      <TimeDerivative variable="x" value="1 / SEC"/>
      <OnCondition test="x .gt. 1.5 .and. x .lt. 2.5"><EventOut port="tick"/></OnCondition>
    </Dynamics></ComponentType>
  <Constant name="SEC" symbol="SEC" dimension="time" value="1"/>
  <clock id="c"/>
"#;

/// The run of the component `r`.
pub(crate) fn simulation(text: &str) -> Simulation {
    let sources = MemorySources::from([("model.xml", text)]);
    let document = Document::load("model.xml", &sources, &IncludeOptions::default()).unwrap();
    let model = Model::read(&document).unwrap();
    let experiment = Experiment::of(&model, model.ids["r"]).unwrap();
    Simulation::new(
        &model,
        &experiment,
        experiment.runs[0],
        RecordSettings::default(),
        Method::default(),
    )
    .unwrap()
}

fn run(length: &str, quantity: &str, stop: bool) -> (Result<Summary, EngineError>, MemoryStore) {
    let text = format!(
        r#"<Lems>{TYPES}<sim id="r" step="1 s" length="{length}" target="c">
             <file name="x.dat"><column quantity="{quantity}"/></file>
             <eventFile fileName="x.events" format="TIME_ID"><selection id="7" select="" port="tick"/>
             </eventFile></sim></Lems>"#
    );
    let simulation = simulation(&text);
    let store = MemoryStore::new();
    let interpreter = Interpreter::new(&simulation.program);
    let mut control = |_: &mut Moment<'_, '_>| match stop {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(1),
    };
    let settings = RunSettings::default();
    let store_of_run = &mut store.clone();
    let result = simulation.run(&interpreter, store_of_run, None, &settings, &mut control);
    (result, store)
}

#[test]
fn there_is_one_row_more_than_steps() {
    let (result, store) = run("2 s", "x", false);
    assert_eq!(result.unwrap().steps, 2);
    assert_eq!(
        store.text("x.dat").unwrap(),
        "0.0\t0.0\t\n1.0\t1.0\t\n2.0\t2.0\t\n"
    );
    assert_eq!(store.text("x.events").unwrap(), "2.0\t7\n");
}

#[test]
fn no_steps_give_the_initial_row() {
    let (result, store) = run("0 s", "x", false);
    assert_eq!(result.unwrap().steps, 0);
    assert_eq!(store.text("x.dat").unwrap(), "0.0\t0.0\t\n");
}

#[test]
fn a_recorded_value_that_is_not_finite_stops_the_run_without_outputs() {
    let (result, store) = run("9 s", "y", false);
    assert!(
        matches!(result, Err(EngineError::NotFinite { time: 4.0, .. })),
        "{result:?}"
    );
    assert!(store.outputs().is_empty());
}

#[test]
fn a_run_that_is_told_to_stop_finishes_no_output() {
    let (result, store) = run("9 s", "x", true);
    assert!(result.unwrap().interrupted);
    assert!(store.outputs().is_empty());
}

#[test]
fn a_cursor_goes_on_as_far_as_it_is_told_and_holds_the_numbers() {
    let text = format!(
        r#"<Lems>{TYPES}<sim id="r" step="1 s" length="3 s" target="c">
             <file name="x.dat"><column quantity="x"/></file>
             <eventFile fileName="x.events" format="TIME_ID"><selection id="7" select="" port="tick"/>
             </eventFile></sim></Lems>"#
    );
    let simulation = simulation(&text);
    let interpreter = Interpreter::new(&simulation.program);
    let settings = RunSettings::default();
    let sink = Traces::of(&simulation);
    let mut cursor = Cursor::start(&simulation, &settings, sink).unwrap();
    assert_eq!(cursor.sink().tables[0].times, [0.0]);
    cursor.advance(&simulation, &interpreter, 2).unwrap();
    assert_eq!((cursor.steps(), cursor.time()), (2, 2.0));
    assert_eq!(
        cursor.sink().tables[0].column("x").unwrap(),
        [0.0, 1.0, 2.0]
    );
    let tick = Event {
        time: 2.0,
        selection: 0,
    };
    assert_eq!(cursor.sink().events[0].all, [tick]);
    cursor.advance(&simulation, &interpreter, 99).unwrap();
    assert!(cursor.is_at_end(&simulation));
    let (summary, traces) = cursor.finish(&simulation).unwrap();
    assert_eq!((summary.steps, summary.interrupted), (3, false));
    assert_eq!(traces.tables[0].times.len(), 4);
    let times: Vec<f64> = traces.events[0].times_of("7").collect();
    assert_eq!(times, [2.0]);
}

/// Recorded quantities in the first three steps of the run of the component `r`.
fn columns<const N: usize>(text: &str, quantities: [&str; N]) -> [Vec<f64>; N] {
    let simulation = simulation(text);
    let interpreter = Interpreter::new(&simulation.program);
    let sink = Traces::of(&simulation);
    let mut cursor = Cursor::start(&simulation, &RunSettings::default(), sink).unwrap();
    cursor.advance(&simulation, &interpreter, 3).unwrap();
    let (_, traces) = cursor.finish(&simulation).unwrap();
    quantities.map(|quantity| traces.tables[0].column(quantity).unwrap().to_vec())
}

/// A network whose parts contain a number of idle instances, and what three of its variables are in three steps.
fn with_idle_parts(number: usize) -> [Vec<f64>; 3] {
    let idle = "<idle/>".repeat(number);
    let text = format!(
        r#"<Lems>{TYPES}
          <ComponentType name="idle"/>
          <ComponentType name="full"><Children name="idle" type="idle"/></ComponentType>
          <ComponentType name="state"><Dynamics><StateVariable name="occupancy" dimension="none"/></Dynamics></ComponentType>
          <ComponentType name="edge"><Text name="from"/><Text name="to"/>
            <Dynamics><DerivedVariable name="rf" value="0.5 / SEC" dimension="per_time"/>
              <DerivedVariable name="rr" value="0.25 / SEC" dimension="per_time"/></Dynamics></ComponentType>
          <ComponentType name="scheme" extends="full"><Children name="states" type="state"/>
            <Children name="edges" type="edge"/>
            <Dynamics><KineticScheme name="k" nodes="states" edges="edges" stateVariable="occupancy" edgeSource="from"
              edgeTarget="to" forwardRate="rf" reverseRate="rr"/></Dynamics></ComponentType>
          <ComponentType name="decay"><Dynamics><StateVariable name="x" dimension="none"/>
            <OnStart><StateAssignment variable="x" value="1"/></OnStart>
            <TimeDerivative variable="x" value="-0.5 * x / SEC"/></Dynamics></ComponentType>
          <ComponentType name="together" extends="full"><Child name="inner" type="decay"/>
            <Dynamics simultaneous="true"><StateVariable name="y" dimension="none"/>
              <DerivedVariable name="z" select="inner/x"/><TimeDerivative variable="y" value="z / SEC"/>
            </Dynamics></ComponentType>
          <ComponentType name="synapse"><EventPort name="in" direction="in"/>
            <Dynamics><StateVariable name="w" dimension="none"/>
              <OnStart><StateAssignment variable="w" value="2"/></OnStart></Dynamics></ComponentType>
          <ComponentType name="target" extends="full"><Attachments name="synapses" type="synapse"/>
            <Dynamics><StateVariable name="n" dimension="none"/>
              <DerivedVariable name="w" select="synapses[*]/w" reduce="add"/>
              <TimeDerivative variable="n" value="w / SEC"/></Dynamics></ComponentType>
          <ComponentType name="connection"><ComponentReference name="synapse" type="synapse"/>
            <Structure><With instance="clock" as="a"/><With instance="target" as="b"/>
              <EventConnection from="a" to="b" receiver="synapse" receiverContainer="synapses"/></Structure>
          </ComponentType>
          <ComponentType name="net"><Child name="clock" type="clock"/><Child name="scheme" type="scheme"/>
            <Child name="together" type="together"/><Child name="target" type="target"/>
            <Children name="connections" type="connection"/></ComponentType>
          <Dimension name="per_time" t="-1"/>
          <synapse id="s"/>
          <net id="n"><clock id="clock"/>
            <scheme id="scheme">{idle}<state id="a"/><state id="b"/><edge id="e" from="a" to="b"/></scheme>
            <together id="together">{idle}<inner type="decay"/></together>
            <target id="target">{idle}</target>
            <connection id="c" synapse="s"/></net>
          <sim id="r" step="1 s" length="3 s" target="n"><file name="x.dat"><column quantity="scheme/a/occupancy"/>
            <column quantity="together/y"/><column quantity="target/n"/></file></sim></Lems>"#
    );
    columns(&text, ["scheme/a/occupancy", "together/y", "target/n"])
}

/// jLEMS records 8, 16 and 24: the blocks of both regimes run once, when the synapse is made.
#[test]
fn regimes_of_attached_instances_run_on_start() {
    let text = format!(
        r#"<Lems>{TYPES}
          <ComponentType name="synapse"><EventPort name="in" direction="in"/>
            <Dynamics><StateVariable name="w" dimension="none"/>
              <Regime name="first" initial="true"><OnStart><StateAssignment variable="w" value="w + 3"/></OnStart></Regime>
              <Regime name="second"><OnStart><StateAssignment variable="w" value="w + 5"/></OnStart></Regime>
            </Dynamics></ComponentType>
          <ComponentType name="target"><Attachments name="synapses" type="synapse"/>
            <Dynamics><StateVariable name="n" dimension="none"/>
              <DerivedVariable name="w" select="synapses[*]/w" reduce="add"/>
              <TimeDerivative variable="n" value="w / SEC"/></Dynamics></ComponentType>
          <ComponentType name="net"><ComponentReference name="synapse" type="synapse"/>
            <Child name="clock" type="clock"/><Child name="target" type="target"/>
            <Structure><With instance="clock" as="a"/><With instance="target" as="b"/>
              <EventConnection from="a" to="b" receiver="synapse" receiverContainer="synapses"/></Structure>
          </ComponentType>
          <synapse id="s"/><net id="n" synapse="s"><clock id="clock"/><target id="target"/></net>
          <sim id="r" step="1 s" length="3 s" target="n"><file name="x.dat"><column quantity="target/n"/></file></sim>
        </Lems>"#
    );
    assert_eq!(columns(&text, ["target/n"]), [[0.0, 8.0, 16.0, 24.0]]);
}

#[test]
fn a_large_tree_is_computed_like_a_small_one() {
    let small = with_idle_parts(1);
    assert!(
        small.iter().all(|values| values[3] != values[0]),
        "{small:?}"
    );
    assert_eq!(with_idle_parts(1_100), small);
}
