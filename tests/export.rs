//! Exports: what the files are, that they are the same every time, and what they do with odd names.
//!
//! Whether NEURON computes the right numbers with them is checked by `tests/neuron.py`.

use crate::support::workspace;
use jlems::cells::{CellColors, DrawnCell, picture};
use jlems::export::{File, Form, export};
use jlems::{Failure, Loaded, MemorySources, Method, Options};
use lems_host::FileSources;

/// The files of an export of a file of the workspace.
fn of_file(path: &str) -> Vec<File> {
    let path = workspace().join(path);
    let exported = export(
        &path.to_string_lossy(),
        &FileSources,
        &Options::default(),
        Form::NeuronExact,
    );
    exported.unwrap_or_else(|failure| panic!("{failure}")).files
}

/// The files of an export of a file of the workspace to NetPyNE.
fn netpyne_of_file(path: &str) -> Vec<File> {
    let path = workspace().join(path);
    let options = Options::default();
    let exported = export(
        &path.to_string_lossy(),
        &FileSources,
        &options,
        Form::Netpyne,
    );
    exported.unwrap_or_else(|failure| panic!("{failure}")).files
}

/// The files of an export of a text.
fn of_text(text: &str) -> Result<Vec<File>, Failure> {
    let sources = MemorySources::from([("LEMS_test.xml", text)]);
    export(
        "LEMS_test.xml",
        &sources,
        &Options::default(),
        Form::NeuronExact,
    )
    .map(|exported| exported.files)
}

/// Compares files with those in a folder of `tests/export`, or writes them there.
fn compare_with(folder: &str, files: &[File]) {
    let folder = workspace().join("tests/export").join(folder);
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    if update {
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
    }
    for file in files {
        let path = folder.join(&file.name);
        if update {
            std::fs::write(&path, &file.text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            file.text,
            expected,
            "{} (UPDATE_SNAPSHOTS=1 writes it)",
            path.display()
        );
    }
    assert_eq!(
        std::fs::read_dir(&folder).unwrap().count(),
        files.len(),
        "{}",
        folder.display()
    );
}

#[test]
fn cells_with_synapses_become_one_mechanism_and_a_driver() {
    compare_with(
        "izhikevich-network",
        &of_file("examples/izhikevich-network/LEMS_izhikevich_network.xml"),
    );
}

#[test]
fn netpyne_gets_the_same_mechanisms_and_the_populations_of_the_model() {
    let path = "examples/izhikevich-network/LEMS_izhikevich_network.xml";
    let mut files = netpyne_of_file(path);
    let mut of_neuron = of_file(path);
    let script = files.pop().expect("a script");
    of_neuron.pop();
    assert_eq!(files, of_neuron);
    assert_eq!(script.name, "LEMS_izhikevich_network_netpyne.py");
    for expected in [
        r#"    ("pacemakers", "izhikevich2007Cell", 0, 5),"#,
        r#"    ("followers", "izhikevich2007Cell", 5, 5),"#,
    ] {
        assert!(
            script.text.contains(expected),
            "{expected} in {}",
            script.text
        );
    }
    compare_with("izhikevich-netpyne", &[script]);
}

#[test]
fn netpyne_reads_cells_with_dendrites_from_their_templates() {
    let files = netpyne_of_file("tests/export-models/LEMS_densities.xml");
    assert!(files.iter().any(|file| file.name == "densities.hoc"));
    let script = files.last().expect("a script");
    assert!(script.text.contains("importCellParams("));
    assert!(
        script.text.contains(r#", "densities", 0, 1),"#),
        "{}",
        script.text
    );
}

#[test]
fn cells_that_are_in_no_population_are_in_one_of_their_mechanism() {
    let text = with_variables(&["x"], "decaying");
    let sources = MemorySources::from([("LEMS_test.xml", text.as_str())]);
    let exported = export(
        "LEMS_test.xml",
        &sources,
        &Options::default(),
        Form::Netpyne,
    );
    let files = exported.unwrap_or_else(|failure| panic!("{failure}")).files;
    let script = text_of(&files, "LEMS_test_netpyne.py");
    assert!(
        script.contains(r#"    ("decaying", "decaying", 0, 1),"#),
        "{script}"
    );
}

#[test]
fn kinetic_schemes_become_procedures() {
    let files = of_file("examples/kinetic-potassium/LEMS_kinetic_potassium.xml");
    let mechanisms: Vec<File> = files
        .into_iter()
        .filter(|file| file.name.ends_with(".mod"))
        .collect();
    compare_with("kinetic-potassium", &mechanisms);
}

#[test]
fn the_same_model_gives_the_same_bytes_wherever_it_is() {
    let one = of_file("examples/plastic-synapses/LEMS_plastic_synapses.xml");
    let other = of_file("examples/../examples/plastic-synapses/LEMS_plastic_synapses.xml");
    assert_eq!(one, other);
    for file in one {
        assert!(
            !file.text.contains(&*workspace().to_string_lossy()),
            "{}",
            file.name
        );
    }
}

/// A component with state variables of these names, which all decay.
fn with_variables(names: &[&str], component_type: &str) -> String {
    let states: String = (names.iter())
        .map(|name| format!(r#"<StateVariable name="{name}" dimension="none"/>"#))
        .collect();
    let rates: String = (names.iter())
        .map(|name| format!(r#"<TimeDerivative variable="{name}" value="(1 - {name})/tau"/>"#))
        .collect();
    let columns: String = (names.iter())
        .map(|name| format!(r#"<OutputColumn id="{name}" quantity="{name}"/>"#))
        .collect();
    format!(
        r#"<Lems><Target component="sim"/><Include file="Simulation.xml"/>
  <ComponentType name="{component_type}"><Parameter name="tau" dimension="time"/>
    <Dynamics>{states}{rates}</Dynamics></ComponentType>
  <{component_type} id="it" tau="1ms"/>
  <Simulation id="sim" length="1ms" step="0.1ms" target="it">
    <OutputFile id="o" fileName="o.dat">{columns}</OutputFile></Simulation></Lems>"#
    )
}

#[test]
fn names_that_nmodl_has_another_use_for_get_an_underscore() {
    let names = ["if", "v", "STATE", "celsius", "r1", "step", "tau_2", "x.y"];
    let names: Vec<&str> = names
        .into_iter()
        .filter(|name| !name.contains('.'))
        .collect();
    let files =
        of_text(&with_variables(&names, "IClamp")).unwrap_or_else(|failure| panic!("{failure}"));
    let mechanism = &files[0];
    assert_eq!(mechanism.name, "IClamp_.mod", "NEURON has an IClamp");
    for name in ["if_", "vm", "STATE_", "celsius_", "r1_", "step_", "tau_2"] {
        let declared = format!("\n    {name} ");
        assert!(
            mechanism.text.contains(&declared),
            "{name} in {}",
            mechanism.text
        );
    }
}

#[test]
fn of_several_runs_the_last_is_exported() {
    let run = |target: &str| {
        format!(r#"<Run component="{target}" variable="t" increment="step" total="length"/>"#)
    };
    let twice = format!(
        r#"<ComponentType name="twice" extends="Simulation"><ComponentReference name="other" type="decaying"/>
             <Simulation>{}{}</Simulation></ComponentType>
           <decaying id="that" tau="2ms"/><Simulation id="sim""#,
        run("target"),
        run("other")
    );
    let one = with_variables(&["x"], "decaying");
    let two = one
        .replace("<Simulation id=\"sim\"", &twice)
        .replace(
            "<Simulation id=\"sim\" ",
            "<twice id=\"sim\" other=\"that\" ",
        )
        .replace("</Simulation></Lems>", "</twice></Lems>");
    let sources = MemorySources::from([("LEMS_test.xml", two.as_str())]);
    let exported = export("LEMS_test.xml", &sources, &Options::default(), Form::Neuron);
    let exported = exported.unwrap_or_else(|failure| panic!("{failure}"));
    let codes: Vec<u16> = exported.warnings.iter().map(|one| one.code.0).collect();
    assert_eq!(codes, [806]);
    assert_eq!(exported.files, native(&one.replace("1ms\"/>", "2ms\"/>")));
}

/// A ball and a stick, with a current into the ball.
const CELL: &str = r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <ionChannelHH id="leak" conductance="10pS"/>
  <cell id="ball">
    <morphology id="m">
      <segment id="0"><proximal x="0" y="0" z="0" diameter="10"/><distal x="10" y="0" z="0" diameter="10"/></segment>
      <segment id="1"><parent segment="0"/><distal x="60" y="0" z="0" diameter="2"/></segment>
    </morphology>
    <biophysicalProperties id="b"><membraneProperties>
        <channelDensity id="l" ionChannel="leak" condDensity="0.3 mS_per_cm2" erev="-65mV" ion="non_specific"/>
        <spikeThresh value="0mV"/><specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-65mV"/>
      </membraneProperties>
      <intracellularProperties><resistivity value="100 ohm_cm"/></intracellularProperties></biophysicalProperties>
  </cell>
  <pulseGenerator id="p" delay="1ms" duration="5ms" amplitude="0.1nA"/>
  <network id="net"><population id="pop" component="ball" size="2"/>
    <inputList id="i" component="p" population="pop"><input id="0" target="../pop[0]" destination="synapses"/></inputList>
  </network>
  <Simulation id="sim" length="10ms" step="0.025ms" target="net">
    <OutputFile id="o" fileName="v.dat"><OutputColumn id="v" quantity="pop[0]/v"/></OutputFile>
  </Simulation></Lems>"#;

/// The files of a native export of a text.
fn native(text: &str) -> Vec<File> {
    let sources = MemorySources::from([("LEMS_test.xml", text)]);
    let exported = export("LEMS_test.xml", &sources, &Options::default(), Form::Neuron);
    exported.unwrap_or_else(|failure| panic!("{failure}")).files
}

fn text_of<'f>(files: &'f [File], name: &str) -> &'f str {
    let file = files.iter().find(|file| file.name == name);
    &file.unwrap_or_else(|| panic!("there is no {name}")).text
}

#[test]
fn a_cell_with_dendrites_becomes_sections_and_density_mechanisms() {
    let refused = of_text(CELL).expect_err("there is no exact export");
    assert_eq!(refused.diagnostics[0].code.0, 801);
    let files = native(CELL);
    let cell = text_of(&files, "ball.hoc");
    for expected in [
        "begintemplate ball\n",
        "connect Seg1(0), Seg0(1.0)",
        "Seg1 nseg = 1",
        "Seg0 Ra = 100.0",
        "Seg0 insert leak",
        "Seg0 gmax_leak = 0.0003",
        "Seg0 cm = 1.0",
    ] {
        let expected = expected.replace("Seg", "segment_");
        assert!(cell.contains(&expected), "{expected} in {cell}");
    }
    let channel = text_of(&files, "leak.mod");
    for expected in [
        "SUFFIX leak",
        "NONSPECIFIC_CURRENT i",
        "gmax = 0.0003 (S/cm2)",
        "erev = -65 (mV)",
        "    : iDensity = gDensity * (erev - v), mA/cm2\n    iDensity = gDensity*(erev - v)\n",
        "i = -iDensity",
    ] {
        assert!(channel.contains(expected), "{expected} in {channel}");
    }
    // The input needs a mechanism in one compartment of each cell.
    let driver = text_of(&files, "LEMS_test_nrn.py");
    assert!(driver.contains(r#"CABLES = ["ball", "ball"]"#), "{driver}");
    assert!(driver.contains("[1, 0, 0, 0]"), "{driver}");
    for file in &files {
        assert!(!file.text.contains("VERBATIM"), "{}", file.name);
    }
}

#[test]
fn a_cell_whose_channels_are_no_mechanisms_is_exported_as_a_whole() {
    let locked = CELL.replace(
        r#"<ionChannelHH id="leak" conductance="10pS"/>"#,
        r#"<ComponentType name="lockedChannel" extends="baseIonChannel"><Dynamics>
             <StateVariable name="fopen" dimension="none" exposure="fopen"/>
             <DerivedVariable name="g" dimension="conductance" exposure="g" value="conductance*fopen"/>
             <Regime name="closed" initial="true"><OnCondition test="v .gt. 0"><Transition regime="open"/></OnCondition></Regime>
             <Regime name="open"><OnEntry><StateAssignment variable="fopen" value="1"/></OnEntry></Regime>
           </Dynamics></ComponentType><lockedChannel id="leak" conductance="10pS"/>"#,
    );
    let sources = MemorySources::from([("LEMS_test.xml", locked.as_str())]);
    let exported = export("LEMS_test.xml", &sources, &Options::default(), Form::Neuron);
    let exported = exported.unwrap_or_else(|failure| panic!("{failure}"));
    let reason = exported.remark.unwrap_or_default();
    assert!(reason.contains("regimes"), "{reason}");
    assert!(
        exported
            .files
            .iter()
            .all(|file| !file.name.ends_with(".hoc"))
    );
}

#[test]
fn density_mechanisms_quote_the_equations_of_channels_and_pools() {
    let path = workspace().join("tests/export-models/LEMS_densities.xml");
    let exported = export(
        &path.to_string_lossy(),
        &FileSources,
        &Options::default(),
        Form::Neuron,
    );
    let files = exported.unwrap_or_else(|failure| panic!("{failure}")).files;
    compare_with("density-mechanisms", &files);
}

#[test]
fn mechanisms_can_have_the_numbers_of_those_that_jneuroml_makes() {
    let path = workspace().join("tests/export-models/LEMS_densities.xml");
    let options = Options {
        method: Method::Neuron,
        ..Options::default()
    };
    let exported = export(
        &path.to_string_lossy(),
        &FileSources,
        &options,
        Form::Neuron,
    );
    let files = exported.unwrap_or_else(|failure| panic!("{failure}")).files;
    compare_with("density-mechanisms-by-euler", &files);
}

#[test]
fn a_graph_has_types_populations_and_connections() {
    let text = with_events("0ms");
    let sources = MemorySources::from([("LEMS_test.xml", text.as_str())]);
    let exported = export("LEMS_test.xml", &sources, &Options::default(), Form::Graph);
    let files = exported.unwrap_or_else(|failure| panic!("{failure}")).files;
    let [graph] = &files[..] else {
        panic!("one file")
    };
    assert_eq!(graph.name, "LEMS_test.dot");
    for expected in [
        r#""type iafCell" [label="iafCell"];"#,
        r#""type iafCell" -> "type baseIafCapCell" [arrowhead=empty];"#,
        r#""place sources" -> "place cells" [label="1 expOneSynapse"];"#,
    ] {
        assert!(
            graph.text.contains(expected),
            "{expected} in {}",
            graph.text
        );
    }
}

/// The picture of a text.
fn picture_of(text: &str) -> Result<DrawnCell, Failure> {
    let sources = MemorySources::from([("net.nml", text)]);
    let options = Options::default();
    let document = jlems::load_with_types("net.nml", &sources, &options)?;
    let model = jlems::read_model(&document)?;
    picture(&document, &model, "net.nml")
}

/// Two cells at their places, and so many spike sources without places.
fn network_to_draw(sources: &str) -> String {
    format!(
        r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">
  <spikeGenerator id="source" period="10ms"/>
  <cell id="stick"><morphology id="m">
    <segment id="0"><proximal x="0" y="0" z="0" diameter="2"/><distal x="0" y="30" z="0" diameter="2"/></segment>
  </morphology></cell>
  <network id="net">
    <population id="sticks" component="stick" size="2" type="populationList">
      <instance id="0"><location x="0" y="0" z="0"/></instance>
      <instance id="1"><location x="100" y="-50" z="7"/></instance>
    </population>
    <population id="sources" component="source" size="{sources}"/>
  </network></neuroml>"#
    )
}

#[test]
fn a_picture_has_cells_at_their_places_and_others_below() {
    let drawn = picture_of(&network_to_draw("3")).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(drawn.id, "net");
    let populations = CellColors::Groups(vec!["sticks".to_owned(), "sources".to_owned()]);
    assert_eq!(drawn.colors, populations);
    let begins = drawn.segments.iter().map(|segment| segment.ends[0]);
    let micrometres: Vec<String> = begins
        .map(|[x, y, z, _]| format!("{:.0} {:.0} {:.0}", x * 1e6, y * 1e6, z * 1e6))
        .collect();
    assert_eq!(micrometres[..2], ["0 0 0", "100 -50 7"]);
    let sources = &drawn.segments[2..];
    assert_eq!(sources.len(), 3);
    assert!(sources.iter().all(|source| source.ends[0][1] < -51e-6));
    assert_eq!(drawn.segments[1].name, "sticks[1]: 0");
}

#[test]
fn a_network_that_is_too_large_is_not_drawn() {
    let refused = picture_of(&network_to_draw("1e9")).expect_err("too many");
    assert!(refused.to_string().contains("too many"), "{refused}");
}

#[test]
fn cells_without_a_network_are_drawn_side_by_side() {
    let cell = |id: &str| {
        let segment = r#"<segment id="0"><proximal x="-5" y="0" z="0" diameter="2"/><distal x="5" y="0" z="0" diameter="2"/></segment>"#;
        format!(r#"<cell id="{id}"><morphology id="m{id}">{segment}</morphology></cell>"#)
    };
    let both = format!("<neuroml id=\"n\">{}{}</neuroml>", cell("a"), cell("b"));
    let drawn = picture_of(&both).unwrap_or_else(|failure| panic!("{failure}"));
    let [one, other] = &drawn.segments[..] else {
        panic!("two segments")
    };
    assert!(one.ends[1][0] < other.ends[0][0]);
    let refused = picture_of("<neuroml id=\"n\"/>").expect_err("nothing to draw");
    assert!(refused.to_string().contains("no cell that has segments"));
}

#[test]
fn a_model_that_may_get_to_a_mistake_is_not_exported() {
    let model = workspace().join("tests/bad/unknown_variable_in_case.xml");
    let text = std::fs::read_to_string(model).unwrap();
    let refused = of_text(&text).expect_err("no simulator ends there");
    assert!(refused.to_string().contains("E0330"), "{refused}");
}

/// A spike source that excites a cell after a delay.
fn with_events(delay: &str) -> String {
    format!(
        r#"<Lems><Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <spikeGenerator id="source" period="0.35ms"/>
  <expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="3ms"/>
  <iafCell id="iaf" leakReversal="-50mV" thresh="-20mV" reset="-50mV" C="0.2nF" leakConductance="0.01uS"/>
  <network id="net">
    <population id="sources" component="source" size="1"/>
    <population id="cells" component="iaf" size="1"/>
    <projection id="p" presynapticPopulation="sources" postsynapticPopulation="cells" synapse="syn">
      <connectionWD id="0" preCellId="../sources[0]" postCellId="../cells[0]" weight="1" delay="{delay}"/>
    </projection>
  </network>
  <Simulation id="sim" length="1ms" step="0.1ms" target="net">
    <OutputFile id="o" fileName="o.dat"><OutputColumn id="v" quantity="cells[0]/v"/></OutputFile>
  </Simulation></Lems>"#
    )
}

/// The row in which the cell feels the first spike.
fn row_of_arrival(delay: &str, late_events: bool) -> Option<usize> {
    let text = with_events(delay);
    let sources = MemorySources::from([("LEMS_test.xml", text.as_str())]);
    let options = Options {
        late_events,
        ..Options::default()
    };
    let loaded = Loaded::read("LEMS_test.xml", &sources, &options)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let checked = loaded
        .check(&options)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let built = checked
        .build(&options)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let compiled = built
        .compile(&options)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let mut run = compiled
        .start(&options)
        .unwrap_or_else(|failure| panic!("{failure}"));
    run.advance(0.001).unwrap();
    run.sink().tables[0].columns[0]
        .iter()
        .position(|v| *v > -0.04999999)
}

#[test]
fn late_events_arrive_in_the_next_step_or_after_whole_steps() {
    let sent = row_of_arrival("0ms", false).expect("an event arrives");
    assert_eq!(row_of_arrival("0ms", true), Some(sent + 1));
    assert_eq!(row_of_arrival("0.2ms", true), Some(sent + 2));
    assert_eq!(row_of_arrival("0.25ms", true), Some(sent + 3));
}
