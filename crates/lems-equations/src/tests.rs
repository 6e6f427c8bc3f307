//! The order of a step, which decides the last bits of every result.

use lems_document::{Document, IncludeOptions, MemorySources};
use lems_index::Id;
use lems_model::Model;
use lems_network::{Network, ShapeId, Shapes};

use crate::Equations;

/// A cell with one of everything, the declarations in an order that is not that of a step.
const MODEL: &str = r#"<Lems>
  <Target component="n"/>
  <Dimension name="time" t="1"/> <Constant symbol="SEC" dimension="time" value="1"/>
  <ComponentType name="gate"><Exposure name="open" dimension="none"/>
    <Requirement name="level" dimension="none"/>
    <Dynamics><StateVariable name="open" dimension="none" exposure="open"/>
      <TimeDerivative variable="open" value="level / SEC"/></Dynamics></ComponentType>
  <ComponentType name="synapse"><Exposure name="g" dimension="none"/>
    <EventPort name="in" direction="in"/>
    <Dynamics><StateVariable name="g" dimension="none" exposure="g"/>
      <OnEvent port="in"><StateAssignment variable="g" value="g + 1"/></OnEvent></Dynamics></ComponentType>
  <ComponentType name="cell"><Exposure name="x" dimension="none"/>
    <Requirement name="outside" dimension="none"/>
    <Child name="gate" type="gate"/><Attachments name="synapses" type="synapse"/>
    <EventPort name="spike" direction="out"/><EventPort name="arrival" direction="in"/>
    <Dynamics>
      <Regime name="rest" initial="true">
        <OnCondition test="y .gt. 1"><Transition regime="firing"/></OnCondition>
        <TimeDerivative variable="y" value="late / SEC"/></Regime>
      <Regime name="firing"><OnEntry><StateAssignment variable="y" value="0"/></OnEntry></Regime>
      <OnCondition test="x .gt. 1"><EventOut port="spike"/>
        <StateAssignment variable="x" value="0"/></OnCondition>
      <TimeDerivative variable="x" value="sum / SEC"/>
      <ConditionalDerivedVariable name="late" dimension="none">
        <Case condition="x .gt. 0" value="early"/><Case value="1"/></ConditionalDerivedVariable>
      <DerivedVariable name="early" dimension="none" value="total + opened"/>
      <DerivedVariable name="sum" dimension="none" value="early + outside"/>
      <DerivedVariable name="opened" dimension="none" select="gate/open"/>
      <DerivedVariable name="total" dimension="none" select="synapses[*]/g" reduce="add"/>
      <StateVariable name="x" dimension="none" exposure="x"/>
      <StateVariable name="y" dimension="none"/>
      <StateVariable name="level" dimension="none"/>
    </Dynamics></ComponentType>
  <ComponentType name="link"><Path name="to"/><ComponentReference name="synapse" type="synapse"/>
    <Structure><With instance="to" as="b"/>
      <EventConnection from="b" to="b" receiver="synapse" sourcePort="spike" targetPort="in"/></Structure></ComponentType>
  <ComponentType name="net"><Property name="outside" dimension="none" defaultValue="1"/>
    <Children name="cells" type="cell"/><Children name="links" type="link"/></ComponentType>
  <synapse id="s"/>
  <net id="n"><cell id="c"><gate id="g"/></cell><link to="c" synapse="s"/></net>
</Lems>"#;

fn with_equations<T>(use_them: impl FnOnce(Equations<'_, '_, '_>) -> T) -> T {
    let sources = MemorySources::from([("model.xml", MODEL)]);
    let document = Document::load("model.xml", &sources, &IncludeOptions::default()).unwrap();
    let model = Model::read(&document).unwrap();
    let random = lems_math::JavaRandom::new(1);
    let network = Network::build(&model, model.ids["n"], random).unwrap();
    let shapes = Shapes::of(&network);
    use_them(Equations::of(&network, &shapes))
}

#[test]
fn a_step_has_one_order() {
    let lines = with_equations(|equations| equations.step_order(ShapeId::from_u32(0)));
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    let expected = [
        "gate `c/g`: note t",
        "gate `c/g`: read level (Requirement)",
        "gate `c/g`: rate of open = level / SEC (TimeDerivative)",
        "gate `c/g`: update open by its rate (Euler) (TimeDerivative)",
        "gate `c/g`: publish open (Exposure)",
        "cell `c`: step all in synapses (Attachments)",
        "  synapse `c/synapses:s:0`: note t",
        "  synapse `c/synapses:s:0`: publish g (Exposure)",
        "cell `c`: note t",
        "cell `c`: read outside (Requirement)",
        "cell `c`: opened = gate/open (DerivedVariable)",
        "cell `c`: total = sum of synapses[*]/g (DerivedVariable)",
        "cell `c`: early = total + opened (DerivedVariable)",
        "cell `c`: sum = early + outside (DerivedVariable)",
        "cell `c`: late = early if x .gt. 0, 1 otherwise (ConditionalDerivedVariable)",
        "cell `c`: rate of x = sum / SEC (TimeDerivative)",
        "cell `c`: update x by its rate (Euler) (TimeDerivative)",
        "cell `c`: if x .gt. 1 (OnCondition)",
        "  cell `c`: x := 0 (StateAssignment)",
        "  cell `c`: send an event on spike (EventOut)",
        "cell `c`: publish x (Exposure)",
        "cell `c`: if rest was active (Regime)",
        "  cell `c`: rate of y = late / SEC (TimeDerivative)",
        "  cell `c`: update y by its rate (Euler) (TimeDerivative)",
        "  cell `c`: if y .gt. 1 (OnCondition)",
        "    cell `c`: enter firing (Transition)",
        "cell `c`: if firing was active (Regime)",
        "net: note t if it is recorded",
    ];
    assert_eq!(lines, expected);
}
