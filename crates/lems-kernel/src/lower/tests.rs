//! Programs of models read from text in memory.

use lems_document::{Document, IncludeOptions, MemorySources};
use lems_model::Model;
use lems_network::{Network, Shapes};

use super::{Lowered, Probe, Recorded, lower};
use crate::{Backend, Interpreter, Operation, State, Statement};

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
    let text = format!("<Lems>{TYPES}{net}</Lems>");
    let sources = MemorySources::from([("model.xml", text.as_str())]);
    let document = Document::load("model.xml", &sources, &IncludeOptions::default()).unwrap();
    let model = Model::read(&document).unwrap();
    let network = Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
    let shapes = Shapes::of(&network);
    let (instance, name) = path.rsplit_once('/').unwrap();
    let instance = (0..network.instances.len() as u32)
        .map(lems_network::InstanceId)
        .find(|id| network.path(*id) == instance)
        .unwrap();
    let recorded = Recorded {
        values: vec![network.local(instance, name).unwrap()],
        events: Vec::new(),
    };
    lower(&network, &shapes, &recorded).unwrap()
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
        .schedule
        .iter()
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
    for call in &lowered.program.schedule {
        interpreter.advance(&mut state, *call, 0.5, 0.5);
    }
    let Probe::Slot(slot) = lowered.values[0] else {
        panic!("a variable has a slot");
    };
    assert_eq!(state.memory[slot as usize], 1.0 + 0.5 * (1.0 + 2.0));
}
