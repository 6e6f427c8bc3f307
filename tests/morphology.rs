//! What is told of the shapes of cells: `show cell`, and the warnings about them.

use crate::dendrite;
use crate::folder::Folder;
use jlems::cells::{AtRest, CellColors, DrawnCell, ResolvedCell, Shown};
use jlems::{Loaded, MemorySources, Options, Severity, validate};

/// A cell with these segments and groups, and this membrane, as a NeuroML file.
fn cell(shape: &str, membrane: &str) -> String {
    format!(
        r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
  <ionChannelPassive id="pas" conductance="10pS"/>
  <cell id="c">
    <morphology id="m">{shape}</morphology>
    <biophysicalProperties id="b">
      <membraneProperties>
        {membrane}
        <spikeThresh value="-20mV"/>
        <specificCapacitance value="1 uF_per_cm2"/>
        <initMembPotential value="-65mV"/>
      </membraneProperties>
      <intracellularProperties><resistivity value="100 ohm_cm"/></intracellularProperties>
    </biophysicalProperties>
  </cell>
</neuroml>"#
    )
}

/// A cylinder of 1000 um and 2 um as a section of so many compartments.
fn cylinder(compartments: usize) -> String {
    format!(
        r#"<segment id="0"><proximal x="0" y="0" z="0" diameter="2"/>
             <distal x="1000" y="0" z="0" diameter="2"/></segment>
           <segmentGroup id="cable" neuroLexId="sao864921383">
             <property tag="numberInternalDivisions" value="{compartments}"/>
             <member segment="0"/></segmentGroup>"#
    )
}

const LEAK: &str = r#"<channelDensity id="leak" ionChannel="pas" condDensity="0.1 mS_per_cm2"
    erev="-65 mV" ion="non_specific"/>"#;

fn shown(text: &str) -> ResolvedCell {
    let sources = MemorySources::from([("cell.nml", text)]);
    let options = Options::default();
    let document = jlems::load_with_types("cell.nml", &sources, &options).unwrap();
    let model = jlems::read_model(&document).unwrap();
    let mut cells = ResolvedCell::all(&document, &model, None, &options).unwrap();
    assert_eq!(cells.len(), 1);
    cells.remove(0)
}

fn near(value: f64, expected: f64, tolerance: f64) {
    let error = (value / expected - 1.0).abs();
    assert!(error < tolerance, "{value} instead of {expected}");
}

/// Length constant of the cylinder, in metres: √(d / (4 g Ra)).
fn length_constant() -> f64 {
    (2e-6_f64 / 4.0).sqrt()
}

#[test]
fn the_input_resistance_of_a_sealed_cylinder_is_that_of_cable_theory() {
    let cell = shown(&cell(&cylinder(400), LEAK));
    let lambda = length_constant();
    let (length, radius) = (1e-3, 1e-6_f64);
    // Of a cylinder without an end: Ra λ / (π r²).
    let scale = lambda / (std::f64::consts::PI * radius * radius);
    for compartment in &cell.compartments {
        let x = compartment.distance;
        let expected = scale * lems_math::cosh(x / lambda) * lems_math::cosh((length - x) / lambda)
            / lems_math::sinh(length / lambda);
        near(compartment.input_resistance.unwrap(), expected, 1e-5);
    }
}

#[test]
fn sums_of_a_passive_cylinder_are_its_area_times_the_densities() {
    let cell = shown(&cell(&cylinder(7), LEAK));
    let area = std::f64::consts::PI * 2e-6 * 1e-3;
    near(cell.area, area, 1e-12);
    near(cell.length, 1e-3, 1e-12);
    let AtRest {
        potential,
        uniform,
        conductance,
        capacitance,
        time_constant,
        ..
    } = cell.at_rest.unwrap();
    near(potential, -0.065, 1e-12);
    assert!(uniform);
    near(conductance, area * 1.0, 1e-9);
    near(capacitance, area * 0.01, 1e-12);
    // Cm / g, whatever the shape.
    near(time_constant.unwrap(), 0.01, 1e-6);
    let section = &cell.sections[0];
    near(
        section.electrotonic_length.unwrap(),
        1e-3 / length_constant(),
        1e-9,
    );
    // L / λ at 100 Hz is √(π f R C).
    near(
        section.axial_resistance,
        1e-3 / (std::f64::consts::PI * 1e-12),
        1e-9,
    );
    let resistance_times_capacitance = section.axial_resistance * capacitance;
    let lengths = (std::f64::consts::PI * 100.0 * resistance_times_capacitance).sqrt();
    let advised = section.advised_compartments.unwrap() as f64;
    assert_eq!(advised, (10.0 * lengths).ceil());
    let leak = cell
        .parts
        .iter()
        .find(|part| part.id.as_deref() == Some("leak"))
        .unwrap();
    near(leak.totals[0].value, area, 1e-9);
    assert_eq!(leak.totals[0].unit.as_deref(), Some("S"));
}

#[test]
fn a_cell_with_a_passive_dendrite_decays_more_slowly_than_its_soma() {
    // A leaky soma on a cable without leak: all the charge must leave through the soma.
    let shape = r#"<segment id="0"><proximal x="0" y="0" z="0" diameter="10"/>
          <distal x="10" y="0" z="0" diameter="10"/></segment>
        <segment id="1"><parent segment="0"/><proximal x="10" y="0" z="0" diameter="10"/>
          <distal x="20" y="0" z="0" diameter="10"/></segment>"#;
    let only_soma = LEAK.replace("erev", r#"segment="0" erev"#);
    let cell = shown(&cell(shape, &only_soma));
    let rest = cell.at_rest.unwrap();
    // The two are almost one: twice the capacitance on the same conductance.
    near(rest.time_constant.unwrap(), 0.02, 1e-3);
    near(rest.capacitance / rest.conductance, 0.02, 1e-9);
    near(rest.input_resistance.unwrap(), 1.0 / rest.conductance, 1e-9);
    let leak = cell
        .parts
        .iter()
        .find(|part| part.id.as_deref() == Some("leak"))
        .unwrap();
    assert_eq!((leak.compartments, leak.place.as_deref()), (1, Some("0")));
}

#[test]
fn a_cell_of_one_compartment_is_shown_too() {
    let shape = r#"<segment id="0"><proximal x="0" y="0" z="0" diameter="10"/>
          <distal x="0" y="0" z="0" diameter="10"/></segment>"#;
    let cell = shown(&cell(shape, LEAK));
    let area = std::f64::consts::PI * 1e-10;
    near(cell.area, area, 1e-12);
    near(
        cell.at_rest.unwrap().input_resistance.unwrap(),
        1.0 / area,
        1e-6,
    );
}

#[test]
fn a_cell_is_shown_as_text_and_as_json() {
    let folder = Folder::new();
    folder.write("x.cell.nml", &cell(&cylinder(3), LEAK));
    let text = folder.call(&["show", "cell", "x.cell.nml"]);
    let text = String::from_utf8(text.stdout).unwrap();
    for expected in [
        "cell c  (x.cell.nml:3)",
        "1 segment, 1 section, 3 compartments",
        "channelDensity leak",
        "everywhere",
        "input resistance",
        "10 ms",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let json = folder.call(&["show", "cell", "x.cell.nml", "c", "--json"]);
    let cells: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(cells[0]["compartments"].as_array().unwrap().len(), 3);
    let missing = folder.call(&["show", "cell", "x.cell.nml", "d"]);
    assert_eq!(missing.status.code(), Some(1));
    let message = String::from_utf8(missing.stderr).unwrap();
    assert!(
        message.contains("there are `c`") || message.contains("did you mean `c`"),
        "{message}"
    );
}

/// The messages of `validate` about a file: those with a code.
fn found(text: &str, code: u16) -> Vec<(Severity, String)> {
    let sources = MemorySources::from([("cell.nml", text)]);
    let verdict = validate("cell.nml", &sources, &Options::default(), None);
    let found = verdict.diagnostics.into_iter();
    found
        .filter(|one| one.code.0 == code)
        .map(|one| (one.severity, one.message))
        .collect()
}

#[test]
fn a_density_that_covers_nothing_is_doubtful() {
    let empty = r#"<segmentGroup id="nothing"><include segmentGroup="less"/></segmentGroup>
        <segmentGroup id="less"/>"#;
    let shape = cylinder(20) + empty;
    let nowhere = LEAK.replace("erev", r#"segmentGroup="nothing" erev"#);
    let found = found(&cell(&shape, &nowhere), 444);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, Severity::Warning);
    assert!(found[0].1.contains("`nothing`"), "{found:?}");
}

#[test]
fn long_compartments_are_told_of_once() {
    let long = found(&cell(&cylinder(1), LEAK), 445);
    assert_eq!(long.len(), 1, "{long:?}");
    assert!(found(&cell(&cylinder(20), LEAK), 445).is_empty());
}

#[test]
fn segments_in_no_section_are_told_of_once() {
    let more = r#"<segment id="1"><parent segment="0"/><distal x="1001" y="0" z="0" diameter="2"/></segment>
        <segment id="2"><parent segment="1"/><distal x="1002" y="0" z="0" diameter="2"/></segment>"#;
    let shape = more.to_owned() + &cylinder(20);
    let outside = found(&cell(&shape, LEAK), 446);
    assert_eq!(outside.len(), 1, "{outside:?}");
    assert!(outside[0].1.contains("2 segments"), "{outside:?}");
    // Without any section each segment is one.
    let without = shape.split("<segmentGroup").next().unwrap();
    assert!(found(&cell(without, LEAK), 446).is_empty());
}

#[test]
fn what_only_a_run_refuses_leaves_a_neuroml_file_valid() {
    // The schema and the rules of `jnml -validate` pass a section that branches.
    let more = r#"<segment id="1"><parent segment="0" fractionAlong="0.5"/>
        <distal x="500" y="10" z="0" diameter="2"/></segment>"#;
    let shape =
        more.to_owned() + &cylinder(3).replace("<member", r#"<member segment="1"/><member"#);
    let found = found(&cell(&shape, LEAK), 432);
    assert!(!found.is_empty());
    assert!(
        found
            .iter()
            .all(|(severity, _)| *severity == Severity::Warning),
        "{found:?}"
    );
}

/// A run of three cells `c` of a file, with the potential in the middle of segment 0 recorded.
fn run_of(file: &str) -> String {
    format!(
        r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <Include file="{file}"/>
  <network id="net"><population id="pop" component="c" size="3"/></network>
  <Simulation id="sim" length="5 ms" step="0.05 ms" target="net">
    <OutputFile id="o" fileName="v.dat"><OutputColumn id="v" quantity="pop[0]/v"/></OutputFile>
  </Simulation></Lems>"#
    )
}

#[test]
fn a_plan_counts_the_compartments_of_all_cells() {
    let folder = Folder::new();
    let text = cell(&cylinder(7), LEAK);
    folder.write("x.cell.nml", &text);
    folder.write("LEMS_x.xml", &run_of("x.cell.nml"));
    let plan = folder.call(&["run", "--plan", "--json", "LEMS_x.xml"]);
    let plan: serde_json::Value = serde_json::from_slice(&plan.stdout).unwrap();
    let run = &plan["runs"][0];
    assert_eq!(
        (run["cables"].as_u64(), run["compartments"].as_u64()),
        (Some(3), Some(21))
    );
    let number = |name: &str| {
        let types = run["types"].as_array().unwrap().iter();
        let mut found = types.filter(|kind| kind["type"] == name);
        found
            .next()
            .map_or(0, |kind| kind["instances"].as_u64().unwrap())
    };
    assert_eq!(number("cell"), 21);
    assert_eq!(number("channelDensity"), 21);
    assert_eq!(
        number("segment"),
        0,
        "the shape is no part of a compartment"
    );
    // What the network holds.
    let shown = folder.call(&["show", "network", "--json", "LEMS_x.xml"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown[0]["instances"], run["instances"]);
    assert_eq!(shown[0]["compartments"], 21);
    assert_eq!(
        shown[0]["populations"][0]["size"], 3,
        "cells, not compartments"
    );
}

#[test]
fn a_concentration_that_nothing_gives_is_told_of_once() {
    let nernst =
        r#"<channelDensityNernst id="ca" ionChannel="pas" condDensity="0.1 mS_per_cm2" ion="ca"/>"#;
    let pool = r#"<intracellularProperties>
        <species id="ca" ion="ca" concentrationModel="pool" initialConcentration="1e-4 mM" initialExtConcentration="2 mM" GROUP/>"#;
    let model = r#"<decayingPoolConcentrationModel id="pool" ion="ca" restingConc="1e-4 mM" decayConstant="5 ms" shellThickness="0.2 um"/>
        <cell"#;
    let end = r#"<segment id="1"><parent segment="0"/><distal x="1001" y="0" z="0" diameter="2"/></segment>
        <segmentGroup id="end"><member segment="1"/></segmentGroup>"#;
    let text = cell(&(cylinder(7) + end), nernst).replacen("<cell", model, 1);
    let everywhere = text.replace("<intracellularProperties>", &pool.replace("GROUP", ""));
    let at_end = r#"segmentGroup="end""#;
    let at_end = text.replace("<intracellularProperties>", &pool.replace("GROUP", at_end));
    for (text, expected) in [
        (text, Some("8 compartments")),
        (at_end, Some("7 compartments")),
        (everywhere, None),
    ] {
        let folder = Folder::new();
        folder.write("x.cell.nml", &text);
        folder.write("LEMS_x.xml", &run_of("x.cell.nml"));
        let run = folder.call(&["run", "-v", "LEMS_x.xml"]);
        let messages = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.success(), "{messages}");
        let told = messages.matches("[W0447]").count();
        assert_eq!(told, expected.iter().count(), "{messages}");
        if let Some(expected) = expected {
            assert!(messages.contains(expected), "{messages}");
            assert!(messages.contains("no `species` gives"), "{messages}");
        }
    }
}

#[test]
fn channels_that_are_counted_are_shown_without_a_place_too() {
    let counted = r#"<channelPopulation id="n" ionChannel="pas" number="100" erev="-60mV"/>"#;
    let cell = shown(&cell(&cylinder(4), &(LEAK.to_owned() + counted)));
    let part = |id: &str| {
        cell.parts
            .iter()
            .find(|part| part.id.as_deref() == Some(id))
    };
    assert_eq!(part("n").unwrap().compartments, 4);
    assert_eq!(part("leak").unwrap().compartments, 4);
}

/// The schema has the attribute, the official type does not name it.
#[test]
fn channels_of_a_segment_are_legal() {
    for channels in [
        r#"<channelPopulation id="n" ionChannel="pas" number="100" erev="-60mV" segment="0"/>"#,
        &LEAK.replace("/>", r#" segment="0"/>"#),
    ] {
        let folder = Folder::new();
        folder.write("x.cell.nml", &cell(&cylinder(1), channels));
        let validated = folder.call(&["validate", "-v", "x.cell.nml"]);
        let said = String::from_utf8(validated.stderr).unwrap();
        assert!(said.contains("W0445") && !said.contains("0217"), "{said}");
    }
}

#[test]
fn densities_of_one_channel_on_the_same_membrane_are_told_once() {
    let shape = cylinder(4)
        + r#"<segment id="1"><parent segment="0"/><distal x="1100" y="0" z="0" diameter="2"/></segment>
            <segmentGroup id="end" neuroLexId="sao864921383"><member segment="1"/></segmentGroup>"#;
    let at = |id: &str, group: &str| {
        let place = format!(r#" segmentGroup="{group}"/>"#);
        LEAK.replace("leak", id).replace("/>", &place)
    };
    for (membrane, told) in [
        (at("a", "cable") + &at("b", "end"), None),
        (LEAK.to_owned() + &at("b", "end"), Some("in a compartment")),
        (
            LEAK.to_owned() + &at("b", "end") + &at("c", "cable"),
            Some("in 5 compartments"),
        ),
    ] {
        let folder = Folder::new();
        folder.write("x.cell.nml", &cell(&shape, &membrane));
        folder.write("LEMS_x.xml", &run_of("x.cell.nml"));
        let run = folder.call(&["run", "-v", "LEMS_x.xml"]);
        let messages = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.success(), "{messages}");
        assert_eq!(
            messages.matches("[W0449]").count(),
            usize::from(told.is_some()),
            "{messages}"
        );
        assert!(messages.contains(told.unwrap_or_default()), "{messages}");
    }
}

#[test]
fn a_line_of_a_display_that_leads_nowhere_is_a_warning_of_the_run_and_of_its_validation() {
    let points = r#"<population id="points" component="iaf" size="2"/></network>
        <iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>"#;
    for (path, told) in [
        ("points[0]/v", None),
        ("points[0]/nope", Some("has no variable `nope`")),
        ("points[9]/v", Some("counted from 0")),
        ("pop[0]/0/nope", Some("has no variable `nope`")),
        ("pop[0]/7/v", Some("leads nowhere")),
        ("nobody[0]/v", Some("leads nowhere")),
    ] {
        let display = format!(
            r#"<Display id="d" title="" xmin="0" xmax="1" ymin="0" ymax="1" timeScale="1ms"><Line id="a"
                 quantity="{path}" scale="1mV" color="red" timeScale="1ms"/></Display></Simulation>"#
        );
        let lems = run_of("x.cell.nml").replace("</network>", points);
        let folder = Folder::new();
        folder.write("x.cell.nml", &cell(&cylinder(4), LEAK));
        folder.write("LEMS_x.xml", &lems.replace("</Simulation>", &display));
        for command in [&["run"][..], &["run", "--strict"], &["validate"]] {
            let said = folder.call(&[command, &["LEMS_x.xml"]].concat());
            let messages = String::from_utf8(said.stderr).unwrap();
            assert!(said.status.success(), "{path}: {messages}");
            let number = messages.matches("warning[W0450]").count();
            assert_eq!(number, usize::from(told.is_some()), "{path}: {messages}");
            assert!(messages.contains(told.unwrap_or_default()), "{messages}");
        }
    }
}

/// jLEMS refuses two segments, however many compartments they are.
#[test]
fn two_segments_of_one_compartment_are_a_cell_with_dendrites() {
    let shape = r#"<segment id="0"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/></segment>
        <segment id="1"><parent segment="0"/><distal x="30" y="0" z="0" diameter="4"/></segment>
        <segmentGroup id="soma" neuroLexId="sao864921383"><member segment="0"/><member segment="1"/></segmentGroup>"#;
    let folder = Folder::new();
    let membrane = LEAK.replace("-65 mV", "-60 mV");
    folder.write("x.cell.nml", &cell(shape, &membrane));
    folder.write("LEMS_x.xml", &run_of("x.cell.nml"));
    let last = |options: &[&str]| -> f64 {
        folder.succeed(&[&["run"], options, &["LEMS_x.xml"]].concat());
        let rows = folder.read("v.dat");
        let last = rows.lines().last().unwrap();
        last.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    // 5 ms with a time constant of 10 ms: 0.6065 of the difference is left.
    let expected = -0.06 - 0.005 * 0.606_531;
    for options in [&[][..], &["--method", "implicit"], &["--method", "neuron"]] {
        near(last(options), expected, 2e-4);
    }
}

#[test]
fn members_of_groups_that_are_not_there_are_left_out() {
    let density = LEAK
        .replace("-65 mV", "-60 mV")
        .replace("/>", r#" segmentGroup="some"/>"#);
    let output_with = |more: &str| {
        let group =
            format!(r#"<segmentGroup id="some"><member segment="0"/>{more}</segmentGroup>"#);
        let folder = Folder::new();
        folder.write("x.cell.nml", &cell(&(cylinder(3) + &group), &density));
        folder.write("LEMS_x.xml", &run_of("x.cell.nml"));
        let run = folder.call(&["run", "LEMS_x.xml"]);
        let messages = String::from_utf8(run.stderr).unwrap();
        assert!(run.status.success(), "{messages}");
        let told = messages.matches("[W0448]").count();
        assert_eq!(told, usize::from(!more.is_empty()), "{messages}");
        if !more.is_empty() {
            let strict = folder.call(&["run", "--strict", "LEMS_x.xml"]);
            assert!(!strict.status.success());
        }
        folder.read("v.dat")
    };
    let expected = output_with("");
    for more in [
        r#"<member segment="5"/><member segment="-7"/>"#,
        r#"<path><from segment="0"/><to segment="5"/></path>"#,
        r#"<path><from segment="5"/></path>"#,
        r#"<subTree><from segment="5"/></subTree>"#,
    ] {
        assert_eq!(output_with(more), expected, "{more}");
    }
}

#[test]
fn a_density_that_varies_carries_current_though_it_is_the_only_one() {
    let varying = r#"<channelDensityNonUniform id="leak" ionChannel="pas" erev="-60 mV" ion="non_specific">
        <variableParameter parameter="condDensity" segmentGroup="cable">
          <inhomogeneousValue inhomogeneousParameter="path" value="1 + 0 * p"/>
        </variableParameter></channelDensityNonUniform>"#;
    let measured = cylinder(3).replace(
        "<property",
        r#"<inhomogeneousParameter id="path" variable="p" metric="Path Length from root"/><property"#,
    );
    let text = cell(&measured, varying);
    let shown = shown(&text);
    near(shown.at_rest.unwrap().conductance, shown.area, 1e-9);
    let folder = Folder::new();
    folder.write("x.cell.nml", &text);
    folder.write("LEMS_x.xml", &run_of("x.cell.nml"));
    let run = folder.call(&["run", "LEMS_x.xml"]);
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
    let last = folder.read("v.dat");
    let last: f64 = last
        .lines()
        .last()
        .unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    // Half a time constant of 10 ms on the way from -65 to -60 mV.
    near(last, -0.060 - 0.005 * lems_math::exp(-0.5), 1e-4);
}

const SWC: &str = "# a soma, two dendrites of two forks, an axon\n\
    1 1 0 0 0 10 -1\n2 1 0 -10 0 10 1\n3 1 0 10 0 10 1\n\
    4 3 10 0 0 1.5 1\n5 3 80 5 0 1.2 4\n6 3 160 40 0 0.8 5\n7 4 150 -50 0 0.7 5\n\
    8 2 0 -12 0 0.5 2\n9 2 0 -100 5 0.3 8\n";

#[test]
fn a_traced_neuron_becomes_a_valid_cell_of_its_area() {
    let folder = Folder::new();
    folder.write("n.swc", SWC);
    let converted = folder.call(&["convert", "n.swc", "-o", "n.cell.nml"]);
    assert!(
        converted.status.success(),
        "{}",
        String::from_utf8_lossy(&converted.stderr)
    );
    let valid = folder.call(&["validate", "n.cell.nml"]);
    let said = String::from_utf8(valid.stdout).unwrap();
    assert!(said.starts_with("n.cell.nml: valid\n"), "{said}");
    let cell = shown(&folder.read("n.cell.nml"));
    // A sphere, and four frusta of which none is the way through the soma.
    let frustum = |length: f64, first: f64, second: f64| {
        std::f64::consts::PI * (first + second) * length.hypot(first - second)
    };
    let expected = 400.0 * std::f64::consts::PI
        + frustum(70f64.hypot(5.0), 1.5, 1.2)
        + frustum(80f64.hypot(35.0), 1.2, 0.8)
        + frustum(70f64.hypot(55.0), 1.2, 0.7)
        + frustum(88f64.hypot(5.0), 0.5, 0.3);
    near(cell.area * 1e12, expected, 1e-9);
    let names: Vec<&str> = cell
        .sections
        .iter()
        .map(|section| section.name.as_str())
        .collect();
    assert_eq!(names, ["soma_0", "dend_0", "dend_1", "apic_0", "axon_0"]);
    assert!(cell.sections.iter().all(|section| section.declared));
    // As many compartments as advised with the capacitance and resistivity that it says.
    assert!(cell.sections[1].compartments > 1);
    let again = folder.call(&["convert", "n.swc", "-o", "n.cell.nml"]);
    assert_eq!(again.status.code(), Some(1), "a file is not written over");
    let printed = folder.call(&["convert", "n.swc"]);
    assert_eq!(
        String::from_utf8(printed.stdout).unwrap(),
        folder.read("n.cell.nml")
    );
}

#[test]
fn a_broken_tracing_is_refused_with_its_places() {
    let folder = Folder::new();
    folder.write("n.swc", "1 1 0 0 0 10 -1\n2 3 10 0 0 0 1\n3 3 20 0 0\n");
    let output = folder.call(&["convert", "n.swc", "-o", "n.cell.nml"]);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    for expected in ["error[E0140]", "n.swc:2:12", "n.swc:3:1", "= help"] {
        assert!(message.contains(expected), "{expected}: {message}");
    }
    assert_eq!(folder.names(), ["n.swc"]);
}

#[test]
fn the_shape_of_a_cell_is_drawn_by_group_and_by_density() {
    let folder = Folder::new();
    folder.write("n.swc", SWC);
    folder.call(&["convert", "n.swc", "-o", "n.cell.nml"]);
    let drawn = folder.call(&["plot", "--morphology", "n.cell.nml"]);
    assert!(
        drawn.status.success(),
        "{}",
        String::from_utf8_lossy(&drawn.stderr)
    );
    let svg = folder.read("n.cell.svg");
    for group in [
        "soma_group",
        "basal_dendrite",
        "apical_dendrite",
        "axon_group",
    ] {
        assert!(svg.contains(&format!(">{group}<")), "{group}: {svg}");
    }
    assert!(svg.contains("<title>4 in axon_0</title>"), "{svg}");
    folder.write("x.cell.nml", &cell(&cylinder(3), LEAK));
    let page = [
        "plot",
        "--morphology",
        "--form",
        "html",
        "--color-by",
        "leak",
        "x.cell.nml",
    ];
    assert!(folder.call(&page).status.success());
    assert!(
        folder
            .read("x.cell.html")
            .contains("leak: condDensity (S/m²)")
    );
    let unknown = folder.call(&["plot", "--morphology", "--color-by", "lek", "x.cell.nml"]);
    let message = String::from_utf8(unknown.stderr).unwrap();
    assert!(message.contains("did you mean `leak`?"), "{message}");
}

#[test]
fn a_shape_shows_a_variable_at_a_time() {
    let sources = dendrite::sources(&dendrite::read(dendrite::LEMS));
    let options = Options::default();
    let drawn = |variable| {
        let time = "12 ms";
        let shown = Shown { variable, time };
        DrawnCell::at_a_time(dendrite::LEMS, &sources, &options, None, shown)
    };
    // What the file records itself, at its row of that time.
    let built = Loaded::read(dendrite::LEMS, &sources, &options).unwrap();
    let built = built.check(&options).unwrap().build(&options).unwrap();
    let mut run = built.compile(&options).unwrap().start(&options).unwrap();
    run.advance(0.012).unwrap();
    let recorded = run.sink().table("dendrite.dat").unwrap();
    let cells = drawn("v").unwrap();
    assert_eq!(cells.len(), 1);
    let segments = &cells[0].segments;
    assert_eq!(segments.len(), 4);
    for (number, segment) in segments.iter().enumerate().take(3) {
        let column = recorded.column(&format!("cells/0/pyramid/{number}/v"));
        let last = column.unwrap().last().unwrap();
        assert_eq!(segment.value.to_bits(), last.to_bits(), "{}", segment.name);
    }
    let values = CellColors::Values {
        quantity: "v at 12 ms".to_owned(),
        unit: "V".to_owned(),
    };
    assert_eq!(cells[0].colors, values);
    // A gate, which only the soma has, and a variable that is not there.
    let gate = drawn("membrane/membraneProperties/na_soma/na/m/q").unwrap();
    let values: Vec<f64> = gate[0].segments.iter().map(|s| s.value).collect();
    assert!((0.0..1.0).contains(&values[0]), "{values:?}");
    assert!(values[1..].iter().all(|value| value.is_nan()), "{values:?}");
    let message = drawn("caCon").unwrap_err().render(false);
    assert!(message.contains("did you mean `caConc`?"), "{message}");
}

#[test]
fn a_variable_at_a_time_is_shown_of_each_population_and_of_a_cell_alone() {
    let folder = Folder::new();
    folder.write("x.cell.nml", &cell(&cylinder(3), LEAK));
    let lems = |network: &str, target: &str| {
        format!(
            r#"<Lems><Target component="sim"/><Include file="Cells.xml"/><Include file="Networks.xml"/>
  <Include file="Simulation.xml"/><Include file="x.cell.nml"/>{network}
  <Simulation id="sim" length="2ms" step="0.1ms" target="{target}"/></Lems>"#
        )
    };
    let two = r#"<network id="net"><population id="a" component="c" size="2"/>
        <population id="b" component="c" size="1"/></network>"#;
    folder.write("LEMS_two.xml", &lems(two, "net"));
    folder.write("LEMS_cell.xml", &lems("", "c"));
    let empty = r#"<network id="net"/>"#;
    folder.write("LEMS_none.xml", &lems(empty, "net"));
    let drawn = |file: &str, time: &str| {
        let output = folder.call(&["plot", "--morphology", "--at", time, file]);
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(said).unwrap())
    };
    assert!(drawn("LEMS_two.xml", "1 ms").0);
    assert!(folder.read("LEMS_two.1.svg").contains(">c in a<"));
    assert!(folder.read("LEMS_two.2.svg").contains(">c in b<"));
    assert!(drawn("LEMS_cell.xml", "1 ms").0);
    assert!(folder.read("LEMS_cell.svg").contains("v at 1 ms (mV)"));
    // A NeuroML file is run as a network of its cell.
    assert!(drawn("x.cell.nml", "1 ms").0);
    let (_, said) = drawn("LEMS_none.xml", "1 ms");
    assert!(
        said.contains("no network that is run has such a cell"),
        "{said}"
    );
    let (_, said) = drawn("LEMS_two.xml", "-1 ms");
    assert!(said.contains("--at:1:1"), "{said}");
}

/// A chain of segments, each the child of the one before.
fn chain(segments: usize) -> String {
    let mut shape = String::new();
    for number in 0..segments {
        let (x, parent) = (number + 1, number.saturating_sub(1));
        let start = match number {
            0 => r#"<proximal x="0" y="0" z="0" diameter="2"/>"#.to_owned(),
            _ => format!(r#"<parent segment="{parent}"/>"#),
        };
        shape += &format!(
            r#"<segment id="{number}">{start}<distal x="{x}" y="0" z="0" diameter="2"/></segment>"#
        );
    }
    shape
}

#[test]
fn deep_chains_of_segments_and_groups_need_no_stack() {
    let deep = chain(100_000);
    let text = cell(&deep, LEAK);
    let cell_of_chain = shown(&text);
    assert_eq!(cell_of_chain.compartments.len(), 100_000);
    near(cell_of_chain.area, std::f64::consts::PI * 2e-6 * 0.1, 1e-9);
    // Groups that include one another in a long chain, and in a long circle.
    let groups = |last: &str| -> String {
        let mut text = format!(r#"<segmentGroup id="g0">{last}</segmentGroup>"#);
        for number in 1..50_000 {
            let before = number - 1;
            text += &format!(
                r#"<segmentGroup id="g{number}"><include segmentGroup="g{before}"/></segmentGroup>"#
            );
        }
        text
    };
    let shape = chain(1) + &groups(r#"<member segment="0"/>"#);
    assert_eq!(shown(&cell(&shape, LEAK)).compartments.len(), 1);
    let circle = chain(1) + &groups(r#"<include segmentGroup="g49999"/>"#);
    assert!(!found(&cell(&circle, LEAK), 432).is_empty());
}

#[test]
fn groups_of_groups_cannot_take_all_memory() {
    // Each group has all members of those before, so the sum grows with the square.
    let mut shape = chain(20_000);
    for number in 0..20_000 {
        let before = match number {
            0 => String::new(),
            _ => format!(r#"<include segmentGroup="g{}"/>"#, number - 1),
        };
        shape += &format!(
            r#"<segmentGroup id="g{number}">{before}<member segment="{number}"/></segmentGroup>"#
        );
    }
    let found = found(&cell(&shape, LEAK), 432);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].1.contains("members together"), "{found:?}");
}
