//! Networks of models read from text in memory.

use lems_document::{Document, IncludeOptions, MemorySources};
use lems_model::Model;

use crate::path::Path;
use crate::{Estimate, Experiment, Network, NetworkError, Shapes, Share, Variable};

const TYPES: &str = r#"
  <Dimension name="time" t="1"/> <Unit symbol="ms" dimension="time" power="-3"/>
  <ComponentType name="cell"><Parameter name="p" dimension="none"/>
    <Attachments name="synapses" type="synapse"/> <Exposure name="x" dimension="none"/>
    <EventPort name="spike" direction="out"/>
    <Dynamics><StateVariable name="x" dimension="none" exposure="x"/>
      <OnCondition test="x .gt. p"><EventOut port="spike"/></OnCondition></Dynamics></ComponentType>
  <ComponentType name="synapse"><Requirement name="x" dimension="none"/>
    <Property name="weight" dimension="none" defaultValue="1"/>
    <EventPort name="in" direction="in"/>
    <Dynamics><StateVariable name="g" dimension="none"/>
      <OnEvent port="in"><StateAssignment variable="g" value="g + weight * x"/></OnEvent></Dynamics>
  </ComponentType>
  <ComponentType name="population"><ComponentReference name="component" type="cell"/>
    <Parameter name="size" dimension="none"/>
    <Structure><MultiInstantiate number="size" component="component"/></Structure></ComponentType>
  <ComponentType name="link"><Path name="from"/><Path name="to"/>
    <ComponentReference name="synapse" type="synapse"/><Parameter name="w" dimension="none"/>
    <Structure><With instance="from" as="a"/><With instance="to" as="b"/>
      <EventConnection from="a" to="b" receiver="synapse"><Assign property="weight" value="w"/>
      </EventConnection></Structure></ComponentType>
  <ComponentType name="net"><Children name="populations" type="population"/>
    <Children name="links" type="link"/></ComponentType>
  <ComponentType name="sim"><Parameter name="step" dimension="time"/>
    <Parameter name="length" dimension="time"/><ComponentReference name="target" type="net"/>
    <Simulation><Run component="target" variable="t" increment="step" total="length"/></Simulation>
  </ComponentType>
  <cell id="a" p="1"/> <cell id="b" p="2"/> <synapse id="s"/>
"#;

fn document(body: &str) -> Document {
    let text = format!("<Lems>{TYPES}{body}</Lems>");
    let sources = MemorySources::from([("model.xml", text.as_str())]);
    Document::load("model.xml", &sources, &IncludeOptions::default()).unwrap()
}

const NET: &str = r#"<net id="n"><link from="one[0]" to="two[2]" synapse="s" w="5"/>
    <population id="one" component="a" size="3"/> <population id="two" component="b" size="4"/></net>"#;

#[test]
fn cells_of_two_populations_share_a_shape() {
    let document = document(NET);
    let model = Model::read(&document).unwrap();
    let network = Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
    let shapes = Shapes::of(&network);
    let cells = model.type_named("cell").unwrap();
    let of_cells: Vec<_> = shapes
        .shapes
        .iter()
        .filter(|s| s.nodes[crate::NodeId::ROOT].kind == cells)
        .collect();
    assert_eq!(of_cells.len(), 1);
    assert_eq!(of_cells[0].members, 7);
}

#[test]
fn a_connection_before_its_populations_finds_them() {
    let document = document(NET);
    let model = Model::read(&document).unwrap();
    let network = Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
    assert_eq!(network.routes.len(), 1);
    let route = network.routes.iter().next().unwrap();
    assert_eq!(network.path(route.source), "one[0]");
    assert_eq!(network.path(route.target), "two[2]/synapses:s:0");
    assert_eq!(network.property(route.target, "weight"), Some(5.0));
    let read = network.requirement(route.target, "x").unwrap();
    assert_eq!(read.variable, Variable::Exposed("x"));
    assert_eq!(network.path(read.instance), "two[2]");
}

#[test]
fn paths_of_what_only_connects_start_around_it() {
    for [from, to] in [
        ["./one[0]", "./two[2]"],
        ["././one[0]", " two[2] "],
        ["/one[0]", "./two/2"],
    ] {
        let body = NET.replace("one[0]", from).replace("two[2]", to);
        let document = document(&body);
        let model = Model::read(&document).unwrap();
        let network =
            Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
        let route = network.routes.iter().next().unwrap();
        assert_eq!(network.path(route.source), "one[0]", "{from}");
        assert_eq!(network.path(route.target), "two[2]/synapses:s:0", "{to}");
    }
}

#[test]
fn a_path_that_leads_nowhere_is_an_error_at_its_step() {
    let body = NET.replace("two[2]", "tow[2]");
    let document = document(&body);
    let model = Model::read(&document).unwrap();
    let errors = Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1))
        .expect_err("an error");
    let [
        NetworkError::UnresolvedPath {
            suggestion, span, ..
        },
    ] = &errors[..]
    else {
        panic!("{errors:?}");
    };
    assert_eq!(suggestion.as_deref(), Some("two"));
    let text = &document.source(span.source).text;
    assert!(text[span.start as usize..span.end as usize].starts_with("tow"));
}

#[test]
fn steps_must_be_positive() {
    for (step, length) in [("0 ms", "1 ms"), ("-1 ms", "1 ms"), ("1 ms", "-1 ms")] {
        let body = format!(r#"{NET}<sim id="r" step="{step}" length="{length}" target="n"/>"#);
        let document = document(&body);
        let model = Model::read(&document).unwrap();
        let errors = Experiment::of(&model, model.ids["r"]).expect_err("an error");
        assert_eq!(errors.len(), 1, "{step} {length}");
    }
}

#[test]
fn half_steps_are_rounded_up() {
    let body = format!(r#"{NET}<sim id="r" step="0.1 ms" length="0.26 ms" target="n"/>"#);
    let document = document(&body);
    let model = Model::read(&document).unwrap();
    let experiment = Experiment::of(&model, model.ids["r"]).unwrap();
    assert_eq!(experiment.runs[0].steps, 3);
}

/// Structures that make different numbers of things under different conditions.
const CONDITIONS: &str = r#"
  <ComponentType name="wiring"><Parameter name="many" dimension="none"/>
    <ComponentReference name="synapse" type="synapse"/>
    <ComponentReference name="other" type="synapse"/>
    <Structure>
      <If test="many .gt. 1"><ForEach instances="one" as="a"><ForEach instances="two" as="b">
        <EventConnection from="a" to="b" receiver="synapse"/></ForEach></ForEach></If>
      <Choose>
        <When test="many .gt. 5"><ForEach instances="two" as="b">
          <EventConnection from="b" to="b" receiver="other"/></ForEach></When>
        <Otherwise><ForEach instances="one" as="a">
          <EventConnection from="a" to="a" receiver="other"/></ForEach></Otherwise>
      </Choose></Structure></ComponentType>
  <ComponentType name="group"><Children name="wirings" type="wiring"/>
    <Children name="populations" type="population"/></ComponentType>"#;

#[test]
fn an_estimate_follows_conditions_and_loops() {
    for (many, attached) in [(0, 3), (3, 12 + 3), (9, 12 + 4)] {
        let document = document(&format!(
            r#"{CONDITIONS}<group id="n"><wiring many="{many}" synapse="s" other="s"/>
               <population id="one" component="a" size="3"/>
               <population id="two" component="b" size="4"/></group>"#
        ));
        let model = Model::read(&document).unwrap();
        let estimate = Estimate::of(&model, model.ids["n"]).unwrap();
        let network =
            Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
        assert_eq!(estimate.attached(), attached, "{many}");
        assert_eq!(estimate.connections, network.routes.len() as u64, "{many}");
        assert_eq!(
            estimate.instances(),
            network.instances.len() as u64,
            "{many}"
        );
        assert_eq!(estimate.untold, 0, "{many}");
    }
}

#[test]
fn an_estimate_follows_conditions_around_what_makes_instances() {
    const HERD: &str = r#"<ComponentType name="herd" extends="population">
        <ComponentReference name="other" type="cell"/><ComponentReference name="synapse" type="synapse"/>
        <Structure>
          <If test="size .gt. 1"><MultiInstantiate number="size" component="component"/>
            <If test="size .gt. 4"><ChildInstance component="other"/></If></If>
          <Choose><When test="size .gt. 3"><MultiInstantiate number="2" component="other"/></When>
            <When test="size .gt. 2"/>
            <Otherwise><ChildInstance component="component"/></Otherwise></Choose>
        </Structure></ComponentType>
      <ComponentType name="wires"><ComponentReference name="synapse" type="synapse"/>
        <Structure><ForEach instances="one" as="a"><EventConnection from="a" to="a" receiver="synapse"/>
        </ForEach></Structure></ComponentType>
      <ComponentType name="field"><Children name="herds" type="herd"/>
        <Children name="wires" type="wires"/></ComponentType>"#;
    for (size, cells) in [(1, 1), (2, 3), (3, 3), (4, 6), (5, 8)] {
        let document = document(&format!(
            r#"{HERD}<field id="n"><herd id="one" component="a" other="b" synapse="s" size="{size}"/>
               <wires synapse="s"/></field>"#
        ));
        let model = Model::read(&document).unwrap();
        let estimate = Estimate::of(&model, model.ids["n"]).unwrap();
        let network =
            Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
        assert_eq!(estimate.untold, 0, "{size}");
        let cell = model.type_named("cell").unwrap();
        assert_eq!(estimate.kinds[&cell].instances, cells, "{size}");
        assert_eq!(
            estimate.instances(),
            network.instances.len() as u64,
            "{size}"
        );
        assert_eq!(estimate.connections, network.routes.len() as u64, "{size}");
    }
}

#[test]
fn an_estimate_says_when_a_condition_cannot_be_told() {
    let document = document(
        r#"<ComponentType name="herd" extends="population"><Structure>
             <If test="random(1) .gt. 0.5"><MultiInstantiate number="size" component="component"/></If>
           </Structure></ComponentType>
           <net id="n"><herd id="one" component="a" size="3"/></net>"#,
    );
    let model = Model::read(&document).unwrap();
    let estimate = Estimate::of(&model, model.ids["n"]).unwrap();
    assert_eq!((estimate.untold, estimate.instances()), (1, 2));
}

#[test]
fn an_estimate_stops_at_the_most_instances_that_are_allowed() {
    let document = document(NET);
    let model = Model::read(&document).unwrap();
    let within = |most| Estimate::within(&model, model.ids["n"], most);
    // The three copies of a population are one place.
    let all = Estimate::of(&model, model.ids["n"]).unwrap();
    assert_eq!(within(100).unwrap().instances(), all.instances());
    let error = within(1).unwrap_err();
    assert!(
        matches!(error, NetworkError::TooManyInstances { limit: 1, .. }),
        "{error}"
    );
}

#[test]
fn a_number_of_copies_that_is_not_whole_is_rounded_with_a_warning() {
    for (size, is_told) in [("2.5", true), ("2.9999999999999", false), ("3", false)] {
        let body = NET.replace("size=\"3\"", &format!("size=\"{size}\""));
        let document = document(&body);
        let model = Model::read(&document).unwrap();
        let network =
            Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
        let warnings = network.warnings.borrow();
        let is_meant = |one: &NetworkError| matches!(one, NetworkError::BadCount { .. });
        assert_eq!(warnings.iter().any(is_meant), is_told, "{size}");
        let sized = Estimate::of(&model, model.ids["n"]).unwrap();
        assert_eq!(sized.instances(), network.instances.len() as u64, "{size}");
    }
}

#[test]
fn an_estimate_says_when_it_is_none() {
    let body = NET.replace("size=\"3\"", "size=\"-3\"");
    let document = document(&body);
    let model = Model::read(&document).unwrap();
    let estimate = Estimate::of(&model, model.ids["n"]).unwrap();
    assert_eq!(estimate.untold, 1);
}

#[test]
fn an_element_that_can_make_nothing_where_it_stands_is_warned_of_once() {
    let document = document(
        r#"<ComponentType name="herd"><Children name="populations" type="population"/>
          <Structure><ForEach instances="one" as="a"><ForEach instances="two" as="b">
            <MultiInstantiate number="2" component="a"/></ForEach></ForEach></Structure></ComponentType>
        <ComponentType name="herds"><Children name="all" type="herd"/></ComponentType>
        <herds id="n"><herd><population id="one" component="a" size="3"/>
            <population id="two" component="b" size="2"/></herd>
          <herd><population id="one" component="a" size="1"/>
            <population id="two" component="b" size="2"/></herd></herds>"#,
    );
    let model = Model::read(&document).unwrap();
    let network = Network::build(&model, model.ids["n"], lems_math::JavaRandom::new(1)).unwrap();
    let warnings = network.warnings.into_inner();
    assert!(
        matches!(warnings.as_slice(), [NetworkError::Ignored { element, .. }] if element == "MultiInstantiate"),
        "{warnings:?}"
    );
}

#[test]
fn assigns_draw_in_document_order_whatever_needs_what() {
    let document = document(
        r#"<ComponentType name="noisy" extends="population"><Structure>
          <MultiInstantiate number="size" component="component"><Assign property="noise" value="random(1)"/>
          </MultiInstantiate></Structure></ComponentType>
        <net id="n"><link from="one[0]" to="two[1]" synapse="s" w="5"/>
          <noisy id="one" component="a" size="1"/><noisy id="two" component="b" size="2"/></net>"#,
    );
    let model = Model::read(&document).unwrap();
    let mut random = lems_math::JavaRandom::new(7);
    let network = Network::build(&model, model.ids["n"], random.clone()).unwrap();
    let source = document
        .roots()
        .next()
        .unwrap()
        .attributes()
        .next()
        .unwrap();
    for path in ["one[0]", "two[0]", "two[1]"] {
        let cell = network
            .follow(Network::ROOT, Path::new(path, source))
            .unwrap();
        assert_eq!(network.number_at(cell, "noise"), Some(random.next_double()));
    }
    assert_eq!(network.random, random);
}

#[test]
fn the_shares_of_ranks_have_the_synapses_of_a_network_once_and_its_numbers() {
    let cells = 40;
    let links = (0..400).map(|number| {
        let (from, to, weight) = (number * 7 % cells, number * 11 % cells, 1 + number % 3);
        format!("<link from=\"one[{from}]\" to=\"one[{to}]\" synapse=\"s\" w=\"{weight}\"/>")
    });
    let population = "<population id=\"one\" component=\"a\" size=\"40\"/>";
    let links: String = links.collect();
    let document = document(&format!("<net id=\"n\">{population}{links}</net>"));
    let model = Model::read(&document).unwrap();
    let random = || lems_math::JavaRandom::new(1);
    let whole = Network::build(&model, model.ids["n"], random()).unwrap();
    let members = |network: &Network<'_, '_>| -> Vec<usize> {
        let shapes = Shapes::of(network).shapes;
        shapes.iter().map(|shape| shape.members).collect()
    };
    let mut routes = 0;
    for rank in 0..4 {
        let share = Share { rank, ranks: 4 };
        let share = Network::build_share(&model, model.ids["n"], random(), 10_000, None, share);
        let share = share.unwrap();
        assert_eq!(share.size(), whole.size());
        assert_eq!(members(&share), members(&whole));
        // A quarter of the synapses, and two that stand for those of others.
        assert!(
            share.instances.len() < 42 + 100 + 20,
            "{}",
            share.instances.len()
        );
        routes += share.routes.len();
    }
    assert_eq!(routes, whole.routes.len());
}
