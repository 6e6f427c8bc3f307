//! Tests of `validate` on correct files, and on files with one mistake.

use crate::folder;
use crate::folder::{DECAY, Folder};
use serde_json::Value;

const CELLS: &str = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="cells">
  <iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
  <passiveCell id="unused"/>
</neuroml>
"#;

const NETWORK: &str = r#"<?xml version="1.0"?>
<!-- <Lems> is not what this is -->
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="net_file">
  <include href="cells.nml"/>
  <ionChannelHH id="leak" conductance="10pS"/>
  <expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="3ms"/>
  <cell id="hh">
    <morphology id="m">
      <segment id="0" name="soma"><proximal x="0" y="0" z="0" diameter="10"/><distal x="0" y="0" z="0" diameter="10"/></segment>
      <segment id="1" name="dend"><parent segment="0"/><distal x="0" y="50" z="0" diameter="2"/></segment>
      <segmentGroup id="soma_group"><member segment="0"/></segmentGroup>
      <segmentGroup id="both"><member segment="1"/><include segmentGroup="soma_group"/></segmentGroup>
    </morphology>
    <biophysicalProperties id="b">
      <membraneProperties>
        <channelDensity id="leaks" ionChannel="leak" condDensity="3 S_per_m2" erev="-54mV" ion="non_specific" segmentGroup="soma_group"/>
        <spikeThresh value="-20mV"/><specificCapacitance value="1 uF_per_cm2" segmentGroup="all"/><initMembPotential value="-65mV"/>
      </membraneProperties>
      <intracellularProperties><resistivity value="0.1 kohm_cm"/></intracellularProperties>
    </biophysicalProperties>
  </cell>
  <network id="net">
    <population id="a" component="iaf" size="2" type="populationList">
      <instance id="0"><location x="0" y="0" z="0"/></instance>
      <instance id="1"><location x="1" y="0" z="0"/></instance>
    </population>
    <population id="b" component="iaf" size="3"/>
    <projection id="p" presynapticPopulation="a" postsynapticPopulation="b" synapse="syn">
      <connection id="0" preCellId="../a/1/iaf" postCellId="../b[2]"/>
    </projection>
  </network>
</neuroml>
"#;

fn folder(network: &str) -> Folder {
    let folder = Folder::new();
    folder.write(
        "cells.nml",
        &CELLS.replace("  <passiveCell id=\"unused\"/>\n", ""),
    );
    folder.write("net.nml", network);
    folder
}

#[test]
fn valid_files_are_said_to_be_valid() {
    let folder = folder(NETWORK);
    folder.write("LEMS_decay.xml", DECAY);
    folder.write("decay_types.xml", folder::DECAY_TYPES);
    let said = folder.succeed(&[
        "validate",
        "--no-schema",
        "net.nml",
        "cells.nml",
        "LEMS_decay.xml",
    ]);
    assert!(said.starts_with("net.nml: valid"), "{said}");
    assert!(
        said.contains("cells.nml: valid\nLEMS_decay.xml: valid\n3 valid, 0 not\n"),
        "{said}"
    );
    assert_eq!(
        folder.succeed(&["validate", "--no-schema", "-q", "cells.nml"]),
        ""
    );
}

/// The message about the network with one change.
fn refused(from: &str, to: &str, expected: &str) -> String {
    assert!(NETWORK.contains(from), "{from}");
    let folder = folder(&NETWORK.replacen(from, to, 1));
    let message = folder.fail(&["validate", "--no-schema", "net.nml"], 1);
    assert!(message.contains(expected), "{to}: {message}");
    message
}

#[test]
fn each_thing_that_is_wrong_is_found() {
    for (from, to, expected) in [
        (
            "iaf\" size=\"2\"",
            "iaf\" size=\"3\"",
            "the size is 3, but there are 2 of `instance`",
        ),
        ("../b[2]", "../b[3]", "../b[3]"),
        ("../a/1/iaf", "../a/7/iaf", "`7`"),
        ("synapse=\"syn\"", "synapse=\"sin\"", "did you mean `syn`?"),
        ("tauDecay=\"3ms\"", "tauDecay=\"3mV\"", "needs `time`"),
        ("tauDecay=\"3ms\"", "", "needs the parameter `tauDecay`"),
        ("gbase=\"1nS\"", "gbase=\"1nSi\"", "unknown unit `nSi`"),
        (
            "id=\"syn\"",
            "id=\"syn\" taudecay=\"1ms\"",
            "no parameter `taudecay`",
        ),
        (
            "<network id=\"net\">",
            "<network id=\"net\"><poppulation id=\"x\"/>",
            "did you mean `population`?",
        ),
        (
            "<member segment=\"1\"/>",
            "<member segment=\"2\"/>",
            "there is no segment `2` in this ",
        ),
        (
            "<parent segment=\"0\"/>",
            "",
            "2 of `segment` in this morphology have no `parent`: it must be one",
        ),
        (
            "<include segmentGroup=\"soma_group\"/>",
            "<include segmentGroup=\"soma_gruop\"/>",
            "did you mean `soma_group`?",
        ),
        (
            "segmentGroup=\"soma_group\"/>\n        <spike",
            "segmentGroup=\"dendrites\"/>\n        <spike",
            "no segmentGroup `dendrites`",
        ),
        (
            "<population id=\"b\"",
            "<population id=\"a\"",
            "component `a` is defined twice",
        ),
        (
            "<expOneSynapse id=\"syn\"",
            "<expTwoSynapse id=\"syn\" gbase=\"1nS\" erev=\"0mV\" tauDecay=\"3ms\" tauRise=\"1ms\"/><expOneSynapse id=\"syn\"",
            "component `syn` is defined twice",
        ),
        (
            "href=\"cells.nml\"",
            "href=\"cels.nml\"",
            "no component has the id `iaf`",
        ),
        ("</network>", "", "network"),
    ] {
        let message = refused(from, to, expected);
        assert!(message.contains("net.nml:"), "{to}: {message}");
    }
}

#[test]
fn connections_are_checked_although_the_cells_cannot_be_run() {
    let network = NETWORK.replace("id=\"b\" component=\"iaf\"", "id=\"b\" component=\"hh\"");
    folder(&network).succeed(&["validate", "--no-schema", "net.nml"]);
    let broken = folder(&network.replace("../b[2]", "../b[3]"));
    let output = broken.call(&["validate", "--no-schema", "net.nml"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("../b[3]"));
}

#[test]
fn what_runs_but_is_surely_not_meant_is_a_warning() {
    for (from, to, expected) in [
        (
            "<connection id=\"0\" preCellId=\"../a/1/iaf\" postCellId=\"../b[2]\"/>",
            "<connectionWD id=\"0\" preCellId=\"../b[1]\" postCellId=\"../b[2]\" weight=\"1\" delay=\"0ms\"/>",
            "warning[W0603]: this leads into `b`, but `presynapticPopulation` is `a`",
        ),
        (
            "<resistivity value=\"0.1 kohm_cm\"/>",
            "",
            "warning[W0603]: `intracellularProperties` has no `resistivity`",
        ),
        (
            "<specificCapacitance value=\"1 uF_per_cm2\" segmentGroup=\"all\"",
            "<specificCapacitance value=\"1 uF_per_cm2\" segmentGroup=\"axon\"",
            "warning[W0603]: there is no segmentGroup `axon` in this cell",
        ),
        (
            "href=\"cells.nml\"/>",
            "href=\"cells.nml\"/><include href=\"channels.nml\"/>",
            "warning[W0103]: the included file `channels.nml` was not found",
        ),
        (
            "href=\"cells.nml\"/>",
            "href=\"cells.nml\"/><include href=\"https://example.org/channels.nml\"/>",
            "warning[W0106]: `https://example.org/channels.nml` is not fetched",
        ),
        (
            "</projection>",
            "<connectionWD id=\"1\" preCellId=\"a/0/iaf\" postCellId=\"../b[0]\" weight=\"1\" delay=\"0ms\"/></projection>",
            "write `../` before it",
        ),
        (
            "</projection>",
            "<connection id=\"0\" preCellId=\"../a/0/iaf\" postCellId=\"../b[0]\"/></projection>",
            "warning[W0211]: component `0` is defined twice",
        ),
        (
            "<member segment=\"1\"/>",
            "<annotation><property tag=\"numberInternalDivisions\" value=\"3\"/></annotation><member segment=\"1\"/>",
            "move this property out of the annotation, to be a child of the segmentGroup",
        ),
        (
            "<member segment=\"0\"/>",
            "",
            "warning[W0603]: the segmentGroup `soma_group` is empty: this is nowhere",
        ),
    ] {
        let folder = folder(&NETWORK.replacen(from, to, 1));
        let output = folder.call(&["validate", "--no-schema", "-v", "net.nml"]);
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{message}");
        assert!(message.contains(expected), "{to}: {message}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.contains("valid, 1 warning"), "{to}: {said}{message}");
    }
}

#[test]
fn each_rule_of_the_structure_is_told_once() {
    for (from, to, expected) in [
        (
            "id=\"syn\"",
            "id=\"syn\" colour=\"green\"",
            "`expOneSynapse` has no attribute `colour`",
        ),
        ("id=\"net\"", "id=\"1 net\"", "`1 net` is no value for `id`"),
        (
            "<ionChannelHH id=\"leak\"",
            "<ionChannelHH conductance=\"1pS\"/><ionChannelHH id=\"leak\"",
            "`ionChannelHH` needs the attribute `id`",
        ),
        (
            "diameter=\"2\"",
            "diameter=\"0\"",
            "`0` is no value for `diameter`",
        ),
        (
            "<spikeThresh value=\"-20mV\"/>",
            "",
            "`membraneProperties` has no `spikeThresh`",
        ),
        (
            "<initMembPotential value=\"-65mV\"/>",
            "",
            "`membraneProperties` has no `initMembPotential`",
        ),
        (
            "<specificCapacitance value=\"1 uF_per_cm2\" segmentGroup=\"all\"/>",
            "",
            "`membraneProperties` has no `specificCapacitance`",
        ),
        (
            "<proximal x=\"0\" y=\"0\" z=\"0\" diameter=\"10\"/>",
            "",
            "this segment has no `proximal`, and no `parent` to take it from",
        ),
        (
            "<network id=\"net\">",
            "<moving id=\"m\"/><network id=\"net\">",
            "`moving` is not allowed here in `neuroml`",
        ),
        (
            "tauDecay=\"3ms\"",
            "tauDecy=\"3ms\"",
            "needs the parameter `tauDecay`",
        ),
        (
            "projection id=\"p\"",
            "projection id=\"a\"",
            "component `a` is defined twice",
        ),
        (
            "postsynapticPopulation=\"b\"",
            "postsynapticPopulation=\"c\"",
            "there is no population `c` in this network",
        ),
        (
            "../a/1/iaf",
            "../a/1/hh",
            "`../a/1/hh` leads to no member of the population `a`",
        ),
        ("../a/1/iaf", "a/1/iaf", "its first one is `../a/0/iaf`"),
        (
            "<include segmentGroup=\"soma_group\"/>",
            "<include segmentGroup=\"axon\"/>",
            "there is no segmentGroup `axon` in this cell",
        ),
    ] {
        let message = refused(from, to, expected);
        let is_path = to.contains("/1/");
        assert!(
            is_path || message.matches("error[").count() == 1,
            "{to}: {message}"
        );
    }
}

/// A cell with two pools of calcium, each for one part of the cell.
const POOLS: &str = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="pools">
  <fixedFactorConcentrationModel id="thin" ion="ca" restingConc="1e-4mM" decayConstant="5ms" rho="2 mol_per_m_per_A_per_s"/>
  <fixedFactorConcentrationModel id="wide" ion="ca" restingConc="1e-4mM" decayConstant="9ms" rho="1 mol_per_m_per_A_per_s"/>
  <cell id="pyramid" morphology="shape">
    <biophysicalProperties id="b">
      <membraneProperties>
        <spikeThresh value="-20mV"/><specificCapacitance value="1 uF_per_cm2"/><initMembPotential value="-65mV"/>
      </membraneProperties>
      <intracellularProperties>
        <species id="ca" ion="ca" concentrationModel="wide" initialConcentration="1e-4mM" initialExtConcentration="2mM" segmentGroup="body"/>
        <species id="ca" ion="ca" concentrationModel="thin" initialConcentration="1e-4mM" initialExtConcentration="2mM" segmentGroup="tree"/>
        <resistivity value="0.1 kohm_cm"/>
      </intracellularProperties>
    </biophysicalProperties>
  </cell>
</neuroml>
"#;

const SHAPE: &str = r#"  <morphology id="shape">
    <segment id="0"><proximal x="0" y="0" z="0" diameter="9"/><distal x="9" y="0" z="0" diameter="9"/></segment>
    <segment id="1"><parent segment="0"/><distal x="90" y="0" z="0" diameter="1"/></segment>
    <segmentGroup id="body"><member segment="0"/></segmentGroup>
    <segmentGroup id="tree"><member segment="1"/></segmentGroup>
  </morphology>
"#;

#[test]
fn an_element_may_stand_once_for_each_part_of_a_cell() {
    let start = "id=\"pools\">\n";
    let pools = POOLS.replace(start, &(start.to_owned() + SHAPE));
    let folder = Folder::with("pools.nml", &pools);
    let validate = ["validate", "--no-schema", "-v", "pools.nml"];
    let said = folder.succeed(&validate);
    assert_eq!(
        said,
        "pools.nml: valid\nheld against the rules of NeuroML 2.3.1\n"
    );

    folder.write(
        "pools.nml",
        &pools.replace("segmentGroup=\"tree\"", "segmentGroup=\"body\""),
    );
    let output = folder.call(&validate);
    assert!(output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("warning[W0603]: `ca` stands here twice for `body`"),
        "{message}"
    );

    // A component that a cell uses as its own is checked by the same rules as one inside the cell.
    folder.write(
        "pools.nml",
        &pools.replace("<member segment=\"1\"/>", "<member segment=\"7\"/>"),
    );
    let message = folder.fail(&validate, 1);
    assert!(
        message.contains("there is no segment `7` in this cell"),
        "{message}"
    );
    assert_eq!(message.matches("segment `7`").count(), 1, "{message}");
}

#[test]
fn what_an_included_cell_lacks_is_a_warning() {
    let incomplete = POOLS.replace("<spikeThresh value=\"-20mV\"/>", "");
    let incomplete = incomplete.replace("id=\"pools\">\n", &format!("id=\"pools\">\n{SHAPE}"));
    let folder = Folder::with("pools.nml", &incomplete);
    let including = "<neuroml xmlns=\"http://www.neuroml.org/schema/neuroml2\" id=\"f\"><include href=\"pools.nml\"/></neuroml>";
    folder.write("all.nml", including);
    let output = folder.call(&["validate", "--no-schema", "-v", "all.nml"]);
    assert!(output.status.success(), "{output:?}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("warning[W0603]: `membraneProperties` has no `spikeThresh`"),
        "{message}"
    );
    folder.fail(&["validate", "--no-schema", "pools.nml"], 1);
}

#[test]
fn what_the_including_file_may_bring_is_a_warning() {
    let known = r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="f">
  <poissonFiringSynapse id="noise" averageRate="10 Hz" synapse="exc" spikeTarget="./exc"/>
</neuroml>"#;
    let folder = Folder::with("noise.nml", known);
    let output = folder.call(&["validate", "--no-schema", "-v", "noise.nml"]);
    assert!(output.status.success(), "{output:?}");
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.contains("warning[W0219]: no component has the id `exc`"),
        "{message}"
    );
    // A file that is run must be complete.
    folder.write("LEMS_noise.xml", "<Lems><Include file=\"Cells.xml\"/><Include file=\"Inputs.xml\"/><Include file=\"noise.nml\"/></Lems>");
    let message = folder.fail(&["validate", "--no-schema", "LEMS_noise.xml"], 1);
    assert!(message.contains("error[E0219]"), "{message}");
}

/// A network that runs without warnings.
const RUN: &str = r#"<Lems>
  <Include file="Simulation.xml"/>
  <Include file="Cells.xml"/>
  <Include file="Networks.xml"/>
  <iafCell id="cell" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
  <pulseGenerator id="pulse" delay="1ms" duration="2ms" amplitude="1nA"/>
  <expOneSynapse id="syn" gbase="1nS" erev="0mV" tauDecay="3ms"/>
  <network id="net">
    <population id="pop" component="cell" size="2"/>
    <explicitInput target="pop[0]" input="pulse"/>
    <synapticConnection from="pop[0]" to="pop[1]" synapse="syn"/>
  </network>
  <Simulation id="sim" length="10ms" step="0.1ms" target="net">
    <Display id="d" title="" xmin="0" xmax="1" ymin="0" ymax="1" timeScale="1ms">
      <Line id="t" quantity="pop[0]/thresh" scale="1mV" timeScale="1ms"/>
    </Display>
    <OutputFile id="out" fileName="out.dat">
      <OutputColumn id="v0" quantity="pop[0]/v"/>
      <OutputColumn id="v1" quantity="pop[1]/v"/>
    </OutputFile>
  </Simulation>
  <Target component="sim"/>
</Lems>
"#;

#[test]
fn a_mistake_that_jlems_passes_is_a_warning_of_the_run_and_an_error_of_validate() {
    let folder = Folder::new();
    let events = "<EventOutputFile id=\"e\" fileName=\"e.spikes\" format=\"time_id\"/>";
    let model = RUN.replace("</OutputFile>", &format!("</OutputFile>{events}"));
    folder.write("LEMS_net.xml", &model);
    let expected = "`format` is `ID_TIME` or `TIME_ID`, not `time_id`";
    let said = folder.call(&["run", "LEMS_net.xml"]);
    assert!(said.status.success());
    let message = String::from_utf8(said.stderr).unwrap();
    assert!(
        message.contains(&format!("warning[W0241]: {expected}")),
        "{message}"
    );
    for command in [
        &["validate", "LEMS_net.xml"][..],
        &["run", "--strict", "LEMS_net.xml"],
    ] {
        let message = folder.fail(command, 1);
        assert!(
            message.contains(&format!("error[E0241]: {expected}")),
            "{message}"
        );
    }
}

#[test]
fn doubts_about_a_run_are_told_by_validate_and_by_the_run() {
    let warnings_of = |model: &str| {
        let folder = Folder::new();
        folder.write("LEMS_net.xml", model);
        let texts = ["validate", "run"].map(|command| {
            let output = folder.call(&[command, "-v", "LEMS_net.xml"]);
            assert!(output.status.success(), "{output:?}");
            String::from_utf8(output.stderr).unwrap()
        });
        assert_eq!(texts[0], texts[1]);
        texts[0].clone()
    };
    assert_eq!(warnings_of(RUN), "");
    for (from, to, expected) in [
        (
            "<explicitInput target=\"pop[0]\" input=\"pulse\"/>",
            "",
            "warning[W0245]: pulseGenerator `pulse` is attached to nothing",
        ),
        (
            "pop[1]/v",
            "pop[1]/thresh",
            "warning[W0440]: `pop[1]/thresh` never changes: every row will have -0.055",
        ),
        (
            "<Target component=\"sim\"/>",
            "<ComponentType name=\"kind\"><Dynamics>
               <DerivedVariable name=\"a\" value=\"1\" dimension=\"none\"/>
               <DerivedVariable name=\"a\" dimension=\"none\" value=\"1\"/>
             </Dynamics></ComponentType><Target component=\"sim\"/>",
            "warning[W0246]: derived variable `a` stands here twice, in the same words",
        ),
        (
            "pop[1]/v",
            "pop[0]/v",
            "warning[W0441]: `pop[0]/v` is in this file twice",
        ),
        (
            "tauDecay=\"3ms\"",
            "tauDecay=\"0.05ms\"",
            "the step of 0.0001 s is larger than the time constant `tauDecay` of expOneSynapse `syn`, 0.00005 s",
        ),
        (
            "length=\"10ms\"",
            "length=\"10.04ms\"",
            "the length of 0.01004 s is no whole number of steps of 0.0001 s",
        ),
    ] {
        assert!(RUN.contains(from), "{from}");
        let said = warnings_of(&RUN.replacen(from, to, 1));
        assert!(said.contains(expected), "{to}: {said}");
        assert_eq!(said.matches("warning[").count(), 1, "{to}: {said}");
    }
}

#[test]
fn machines_are_told_what_is_wrong() {
    let folder = folder(&NETWORK.replace("size=\"2\"", "size=\"9\""));
    let output = folder.call(&[
        "validate",
        "--no-schema",
        "--json",
        "cells.nml",
        "net.nml",
        "nowhere.nml",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["valid"], true);
    assert_eq!(told[1]["valid"], false);
    assert_eq!(told[1]["messages"][0]["code"], "E0603");
    assert_eq!(told[2]["valid"], false);
}

#[test]
fn derived_variables_in_a_circle_are_computed_and_warned_of() {
    let folder = Folder::new();
    let model = "<Lems><ComponentType name=\"ring\"><Dynamics>\
        <DerivedVariable name=\"a\" dimension=\"none\" value=\"b + 1\"/>\
        <DerivedVariable name=\"b\" dimension=\"none\" value=\"a * 0.5\"/>\
        </Dynamics></ComponentType></Lems>";
    folder.write("ring.xml", model);
    let output = folder.call(&["validate", "-v", "ring.xml"]);
    assert!(output.status.success(), "{output:?}");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(message.contains("warning[W0226]: derived variables of `ring` need one another"));
}

#[test]
fn a_folder_stands_for_its_models() {
    let folder = Folder::new();
    folder.write("models/LEMS_net.xml", RUN);
    folder.write("models/notes.xml", "no model");
    folder.write(
        "models/net.nml",
        "<neuroml id=\"n\"><network id=\"n\"></neuroml>",
    );
    let output = folder.call(&["validate", "--no-schema", "models"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        said,
        "models/LEMS_net.xml: valid\nmodels/net.nml: 1 error\n1 valid, 1 not\n"
    );
    folder.write("models/deep/er/cells.nml", CELLS);
    folder.write("models/.hidden/cells.nml", CELLS);
    let output = folder.call(&["validate", "--no-schema", "models"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("models/deep/er/cells.nml: "), "{said}");
    assert!(!said.contains("hidden"), "{said}");
    folder.write("empty/notes.xml", "no model");
    assert!(folder.fail(&["validate", "empty"], 1).contains("LEMS*.xml"));
}

#[test]
fn the_first_of_equally_near_names_is_suggested() {
    let populations: String = (1..10)
        .map(|number| format!(r#"<population id="p{number}" component="c" size="1"/>"#))
        .collect();
    let network = format!(
        r#"<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="n">
          <iafTauCell id="c" leakReversal="-50mV" thresh="-55mV" reset="-70mV" tau="30ms"/>
          <expOneSynapse id="s" gbase="1nS" erev="0mV" tauDecay="2ms"/>
          <network id="net">{populations}
            <projection id="a" presynapticPopulation="p0" postsynapticPopulation="p1" synapse="s"/>
          </network></neuroml>"#
    );
    let folder = Folder::with("near.nml", &network);
    let output = folder.call(&["validate", "near.nml"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("did you mean `p1`?"), "{said}");
}
