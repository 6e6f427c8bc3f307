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
