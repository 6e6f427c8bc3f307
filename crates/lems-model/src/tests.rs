//! Models read from text in memory.

use lems_document::{Document, EmbeddedFile, IncludeOptions, MemorySources};

use crate::{Model, ModelError};

const UNITS: &str = r#"
  <Dimension name="time" t="1"/> <Dimension name="voltage" m="1" l="2" t="-3" i="-1"/>
  <Unit symbol="ms" dimension="time" power="-3"/> <Unit symbol="mV" dimension="voltage" power="-3"/>
"#;

fn document(body: &str) -> Document {
    let text = format!("<Lems>{UNITS}{body}</Lems>");
    let sources = MemorySources::from([("model.xml", text.as_str())]);
    Document::load("model.xml", &sources, &IncludeOptions::default()).unwrap()
}

fn errors(body: &str) -> Vec<String> {
    let document = document(body);
    let errors = Model::read(&document).expect_err("an error").errors;
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn own_declarations_come_before_inherited_ones() {
    let document = document(
        r#"<ComponentType name="base"><Parameter name="a" dimension="none"/>
             <Parameter name="b" dimension="none"/></ComponentType>
           <ComponentType name="sub" extends="base"><Parameter name="c" dimension="none"/>
             <Fixed parameter="b" value="3"/></ComponentType>
           <sub id="x" a="1" c="2"/>"#,
    );
    let model = Model::read(&document).unwrap();
    let names: Vec<&str> = model.types["sub"].parameters.keys().copied().collect();
    assert_eq!(names, ["c", "a", "b"]);
    assert_eq!(model.parameter(model.ids["x"], "b"), Some(3.0));
    let sub = model.type_named("sub").unwrap();
    assert!(model.is_a(sub, "base") && !model.is_a(sub, "other"));
}

#[test]
fn circles_of_types_are_printed() {
    let errors =
        errors(r#"<ComponentType name="a" extends="b"/><ComponentType name="b" extends="a"/>"#);
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("a -> b -> a") || errors[0].contains("b -> a -> b"),
        "{errors:?}"
    );
}

#[test]
fn derived_parameters_are_computed_in_order_of_need() {
    let document = document(
        r#"<ComponentType name="t"><Parameter name="p" dimension="none"/>
             <DerivedParameter name="twice" dimension="none" value="once * 2"/>
             <DerivedParameter name="once" dimension="none" value="p + 1"/></ComponentType>
           <t id="x" p="3"/>"#,
    );
    let model = Model::read(&document).unwrap();
    assert_eq!(model.parameter(model.ids["x"], "twice"), Some(8.0));
}

#[test]
fn a_derived_parameter_that_another_component_selects_is_computed_before() {
    let document = document(
        r#"<ComponentType name="kid"><Parameter name="p" dimension="none"/>
             <DerivedParameter name="d" dimension="none" value="p * 2"/></ComponentType>
           <ComponentType name="parent"><Child name="k" type="kid"/>
             <ComponentReference name="ref" type="kid"/>
             <DerivedParameter name="ofChild" dimension="none" select="k/d"/>
             <DerivedParameter name="ofOther" dimension="none" select="ref/d"/>
             <DerivedParameter name="sum" dimension="none" value="ofChild + 10 * ofOther"/></ComponentType>
           <parent id="x" ref="late"><k p="2"/></parent>
           <kid id="late" p="5"/>"#,
    );
    let model = Model::read(&document).unwrap();
    assert_eq!(model.parameter(model.ids["x"], "sum"), Some(104.0));
}

#[test]
fn what_components_select_from_one_another_is_0_where_it_is_read_too_early() {
    let document = document(
        r#"<ComponentType name="t"><ComponentReference name="other" type="t"/>
             <DerivedParameter name="a" dimension="none" select="other/b"/>
             <DerivedParameter name="b" dimension="none" value="a + 1"/></ComponentType>
           <t id="x" other="y"/><t id="y" other="x"/>"#,
    );
    let model = Model::read(&document).unwrap();
    let value = |id| model.parameter(model.ids[id], "b");
    assert_eq!((value("x"), value("y")), (Some(2.0), Some(1.0)));
}

#[test]
fn a_long_chain_of_selected_parameters_needs_no_deep_stack() {
    let first = r#"<ComponentType name="t"><DerivedParameter name="a" dimension="none" value="1"/></ComponentType>
        <ComponentType name="u" extends="t"><ComponentReference name="other" type="t"/>
          <DerivedParameter name="a" dimension="none" select="other/a"/></ComponentType><t id="u20000"/>"#;
    let links = (0..20_000).map(|i| format!(r#"<u id="u{i}" other="u{}"/>"#, i + 1));
    let document = document(&(first.to_owned() + &links.collect::<String>()));
    let model = Model::read(&document).unwrap();
    assert_eq!(model.parameter(model.ids["u0"], "a"), Some(1.0));
}

#[test]
fn all_errors_of_a_stage_come_together() {
    let errors = errors(
        r#"<ComponentType name="t"><Parameter name="tau" dimension="time"/></ComponentType>
           <t id="a" tau="3 mV"/> <t id="b"/> <t id="c" tau="3 msec"/>"#,
    );
    assert_eq!(errors.len(), 3, "{errors:?}");
}

#[test]
fn a_misspelt_parameter_is_pointed_at() {
    let document = document(
        r#"<ComponentType name="t"><Parameter name="tauDecay" dimension="time"/></ComponentType>
           <t id="a" tauDecy="3 ms"/>"#,
    );
    let errors = Model::read(&document).expect_err("an error").errors;
    assert!(
        matches!(&errors[..], [ModelError::MissingParameter { near: Some(near), .. }]
        if near == "tauDecy")
    );
    let span = errors[0].span();
    let text = &document.source(span.source).text;
    assert_eq!(&text[span.start as usize..span.end as usize], "tauDecy");
}

#[test]
fn rates_must_have_the_dimension_of_their_variable_per_time() {
    let errors = errors(
        r#"<ComponentType name="t"><Parameter name="v0" dimension="voltage"/>
             <Dynamics><StateVariable name="v" dimension="voltage"/>
               <TimeDerivative variable="v" value="v0 - v"/></Dynamics></ComponentType>"#,
    );
    assert_eq!(errors.len(), 1);
    assert!(errors[0].contains('v'), "{errors:?}");
}

#[test]
fn an_attribute_fills_a_slot_with_a_component() {
    let document = document(
        r#"<ComponentType name="part"/>
           <ComponentType name="whole"><Child name="inside" type="part"/></ComponentType>
           <part id="p"/> <whole id="w" inside="p"/>"#,
    );
    let model = Model::read(&document).unwrap();
    let children: Vec<_> = model.children(model.ids["w"]).collect();
    assert_eq!(children.len(), 1);
    assert_eq!(children[0].1, model.ids["p"]);
}

const EMBEDDED: &[EmbeddedFile] = &[EmbeddedFile::new(
    "Types.xml",
    r#"<Lems><ComponentType name="base"/>
         <ComponentType name="cell" extends="base"><Children name="parts" type="part"/></ComponentType>
         <ComponentType name="part"/>
         <ComponentType name="holder"><Attachments name="inputs" type="input"/></ComponentType>
         <ComponentType name="input"/>
         <ComponentType name="other" extends="cell"/></Lems>"#,
)];

fn with_embedded_types(body: &str) -> Document {
    let text = format!("<Lems><Include file='Types.xml'/>{body}</Lems>");
    let sources = MemorySources::from([("model.xml", text.as_str())]);
    let options = IncludeOptions {
        embedded: EMBEDDED,
        ..IncludeOptions::default()
    };
    Document::load("model.xml", &sources, &options).unwrap()
}

#[test]
fn embedded_types_that_nothing_names_are_left_out() {
    let names = |body: &str| -> Vec<String> {
        let document = with_embedded_types(body);
        let model = Model::read_in_use(&document, &[]).unwrap();
        model.types.keys().map(|name| (*name).to_owned()).collect()
    };
    assert_eq!(names("<cell id='x'/>"), ["base", "cell", "part"]);
    assert_eq!(names("<Component id='x' type='part'/>"), ["part"]);
    assert_eq!(
        names("<ComponentType name='own' extends='other'/>"),
        ["base", "cell", "part", "other", "own"]
    );
    assert_eq!(
        Model::read(&with_embedded_types("")).unwrap().types.len(),
        6
    );
}

#[test]
fn types_that_are_left_out_are_still_known_to_messages() {
    let document = with_embedded_types("<Component id='x' type='holdr'/><Target component='x'/>");
    let failure = Model::read_in_use(&document, &[]).unwrap_err();
    assert_eq!(failure, Model::read(&document).unwrap_err());
    let errors = failure.errors;
    assert!(errors[0].help().unwrap().contains("`holder`"), "{errors:?}");
    let document = with_embedded_types("<input id='i'/><part id='p'/><Target component='p'/>");
    let warnings = Model::read_in_use(&document, &[]).unwrap().warnings;
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings, Model::read(&document).unwrap().warnings);
}
