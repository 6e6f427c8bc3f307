//! Programs of models read from text in memory.

use lems_document::{Document, IncludeOptions, MemorySources};
use lems_model::Model;
use lems_network::{Network, NetworkError, Shapes};

use super::{Lowered, MOST, Method, Probe, Recorded, lower_within};
use lems_ir::{Action, Backend, Interpreter, Operation, State, Statement};

const TYPES: &str = r#"
  <Dimension name="time" t="1"/> <Constant symbol="SEC" dimension="time" value="1"/>
  <ComponentType name="cell"><Parameter name="p" dimension="none"/>
    <Dynamics><StateVariable name="x" dimension="none"/>
      <DerivedVariable name="seen" dimension="none" value="x + p"/>
      <DerivedVariable name="unseen" dimension="none" value="x * p"/>
      <TimeDerivative variable="x" value="seen / SEC"/>
      <OnStart><StateAssignment variable="x" value="1"/></OnStart></Dynamics></ComponentType>
  <ComponentType name="population"><ComponentReference name="component" type="cell"/>
    <Structure><MultiInstantiate number="3" component="component"/></Structure></ComponentType>
  <ComponentType name="net"><Children name="populations" type="population"/></ComponentType>
  <cell id="a" p="1"/> <cell id="b" p="2"/>
"#;

fn lowered(net: &str, path: &str) -> Lowered {
    lowered_within(net, path, MOST).unwrap()
}

fn lowered_within(net: &str, path: &str, most: usize) -> Result<Lowered, Vec<NetworkError>> {
    let text = format!("<Lems>{TYPES}{net}</Lems>");
    let sources = MemorySources::from([("model.xml", text.as_str())]);
    let document = Document::load("model.xml", &sources, &IncludeOptions::default()).unwrap();
    let model = Model::read(&document).unwrap();
    let network = Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
    let shapes = Shapes::of(&network);
    let (instance, name) = path.rsplit_once('/').unwrap();
    let instance = (0..lems_index::narrow(network.instances.len()))
        .map(lems_network::InstanceId)
        .find(|id| network.path(*id) == instance)
        .unwrap();
    let recorded = Recorded {
        values: vec![network.local(instance, name).unwrap()],
        ..Recorded::default()
    };
    lower_within(&network, &shapes, &recorded, Method::default(), most)
}

const SAME: &str = r#"<net id="n"><population id="one" component="a"/>
    <population id="two" component="a"/></net>"#;
const MIXED: &str = r#"<net id="n"><population id="one" component="a"/>
    <population id="two" component="b"/></net>"#;

#[test]
fn neighbouring_populations_of_one_shape_are_one_call() {
    let program = lowered(SAME, "one[0]/x").program;
    assert_eq!(program.kernels.len(), 1);
    let calls: Vec<_> = program
        .calls()
        .map(|call| (call.first, call.last))
        .collect();
    assert_eq!(calls, [(0, 6)]);
}

#[test]
fn parameters_are_constants_only_where_all_members_agree() {
    let loads = |net| {
        let program = lowered(net, "one[0]/x").program;
        let body = &program.kernels[0].body;
        let load = |s: &&Statement| matches!(s, Statement::Let(_, Operation::Load(_)));
        body.iter().filter(load).count()
    };
    assert_eq!(loads(SAME), 1);
    assert_eq!(loads(MIXED), 2);
}

#[test]
fn variables_that_no_one_reads_are_not_stored() {
    let names: Vec<String> = lowered(SAME, "one[0]/x")
        .columns
        .into_iter()
        .map(|(_, name)| name)
        .collect();
    assert!(names.contains(&"cell/x".to_owned()), "{names:?}");
    assert!(!names.contains(&"cell/unseen".to_owned()), "{names:?}");
    assert!(!names.contains(&"cell/seen".to_owned()), "{names:?}");
}

#[test]
fn a_step_is_forward_euler() {
    let lowered = lowered(MIXED, "two[1]/x");
    let interpreter = Interpreter::new(&lowered.program);
    let mut state = State::new(&lowered.program, 1);
    interpreter.run_setup(&mut state);
    for call in lowered.program.calls() {
        interpreter.advance(&mut state, *call, 0.5, 0.5);
    }
    let Probe::Slot(slot) = lowered.values[0] else {
        panic!("a variable has a slot");
    };
    assert_eq!(state.memory[slot as usize], 1.0 + 0.5 * (1.0 + 2.0));
}

/// Three cells with two ports each, and seven connections between them.
const CONNECTED: &str = r#"
  <ComponentType name="host" extends="cell"><Attachments name="synapses" type="synapse"/>
    <EventPort name="spike" direction="out"/><EventPort name="rest" direction="out"/>
    <Dynamics><StateVariable name="x" dimension="none"/>
      <DerivedVariable name="total" dimension="none" select="synapses[*]/g" reduce="add"/>
      <TimeDerivative variable="x" value="(p + total) / SEC"/>
      <OnCondition test="x .gt. 1"><EventOut port="spike"/></OnCondition>
      <OnCondition test="x .lt. 1"><EventOut port="rest"/></OnCondition></Dynamics></ComponentType>
  <ComponentType name="synapse"><Exposure name="g" dimension="none"/>
    <EventPort name="in" direction="in"/>
    <Dynamics><StateVariable name="g" dimension="none" exposure="g"/>
      <OnEvent port="in"><StateAssignment variable="g" value="g + 1"/></OnEvent></Dynamics></ComponentType>
  <ComponentType name="link"><Path name="from"/><Path name="to"/>
    <ComponentReference name="synapse" type="synapse"/>
    <Structure><With instance="from" as="a"/><With instance="to" as="b"/>
      <EventConnection from="a" to="b" receiver="synapse" sourcePort="spike" targetPort="in"/></Structure></ComponentType>
  <ComponentType name="linked" extends="net"><Children name="links" type="link"/></ComponentType>
  <host id="h" p="1"/> <synapse id="s"/>
  <linked id="n"><population id="one" component="h"/>
    <link from="one[0]" to="one[0]" synapse="s"/>
    <link from="one[0]" to="one[1]" synapse="s"/>
    <link from="one[0]" to="one[2]" synapse="s"/>
    <link from="one[1]" to="one[0]" synapse="s"/>
    <link from="one[1]" to="one[1]" synapse="s"/>
    <link from="one[1]" to="one[2]" synapse="s"/>
    <link from="one[2]" to="one[0]" synapse="s"/></linked>"#;

/// The table that a network of cells that send events to one another needs more of than `most` entries.
fn overflowing(most: usize) -> Option<&'static str> {
    let errors = lowered_within(CONNECTED, "one[0]/x", most).err()?;
    match errors.as_slice() {
        [NetworkError::TooLarge { table, .. }] => Some(*table),
        other => panic!("{other:?}"),
    }
}

#[test]
fn tables_that_grow_beyond_their_indices_are_an_error() {
    let tables: Vec<_> = (0..40).map(overflowing).collect();
    for expected in [
        "sources of events",
        "links between instances",
        "connections",
        "values in memory",
    ] {
        assert!(tables.contains(&Some(expected)), "{expected}: {tables:?}");
    }
    assert_eq!(tables.last(), Some(&None));
}

#[test]
fn a_name_without_a_meaning_ends_the_run_and_is_no_nan() {
    let net = r#"
      <ComponentType name="odd"><Dynamics><StateVariable name="x" dimension="none"/>
        <ConditionalDerivedVariable name="y" dimension="none">
          <Case condition="x .gt. 1" value="1"/><Case value="2 * nothing"/></ConditionalDerivedVariable>
        <ConditionalDerivedVariable name="z" dimension="none">
          <Case condition="x .gt. 1" value="1"/><Case value="3 * nothing"/></ConditionalDerivedVariable></Dynamics></ComponentType>
      <ComponentType name="odd_net"><Structure>
        <MultiInstantiate number="1" componentType="odd"/></Structure></ComponentType>
      <Target component="n"/>
      <odd_net id="n"/>"#;
    let lowered = lowered_within(net, "[0]/x", MOST).unwrap();
    let stops: Vec<String> = lowered.stops.iter().map(ToString::to_string).collect();
    assert_eq!(stops, ["unknown variable `nothing` in `odd`"; 2]);
    let recorded = lowered.program.routes.all();
    let recorded: Vec<Action> = recorded.map(|(_, target)| target.action).collect();
    assert_eq!(
        recorded,
        [0, 1].map(|selection| Action::Record { selection })
    );
}
