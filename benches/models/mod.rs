//! Generates models of any size as text, for the benches.

#![allow(dead_code, reason = "no bench needs all of it")]

use std::fmt::Write;

use jlems_rs::Options;
use jlems_rs::document::{Document, MemorySources};

/// Reads a model with the embedded core types.
pub fn document(text: &str) -> Document {
    let sources = MemorySources::from([("model.xml", text)]);
    jlems_rs::load("model.xml", &sources, &Options::default()).expect("a model")
}

/// A network of Izhikevich cells with `synapses` synapses each.
pub fn izhikevich(cells: usize, synapses: usize) -> String {
    let mut body = String::from(
        r#"<izhikevich2007Cell id="cell" C="100pF" v0="-60mV" k="0.7nS_per_mV" vr="-60mV" vt="-40mV"
             vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>
           <expOneSynapse id="synapse" gbase="0.1nS" erev="0mV" tauDecay="3ms"/>"#,
    );
    let mut connections = String::new();
    for number in 0..cells * synapses {
        let (source, target) = (number / synapses, number * 7919 % cells);
        let _ = writeln!(
            connections,
            r#"<connection id="{number}" preCellId="../pop[{source}]" postCellId="../pop[{target}]"/>"#
        );
    }
    if synapses > 0 {
        connections = format!(
            r#"<projection id="projection" presynapticPopulation="pop" postsynapticPopulation="pop"
                 synapse="synapse">{connections}</projection>"#
        );
    }
    network(&mut body, cells, &connections, "100pA")
}

/// A network of Hodgkin-Huxley cells: three gates with two rates each.
pub fn hodgkin_huxley(cells: usize) -> String {
    let mut body = format!(
        r#"{SODIUM}
           <ionChannelHH id="k" conductance="10pS"><gateHHrates id="n" instances="4">
             <forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
             <reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/>
           </gateHHrates></ionChannelHH>
           <ionChannelHH id="leak" conductance="10pS"/>
           <pointCellCondBased id="cell" C="10pF" v0="-65mV" thresh="-20mV">
             <channelPopulation id="leaks" ionChannel="leak" number="300" erev="-54.3mV"/>
             <channelPopulation id="nas" ionChannel="na" number="120000" erev="50mV"/>
             <channelPopulation id="ks" ionChannel="k" number="36000" erev="-77mV"/>
           </pointCellCondBased>"#
    );
    network(&mut body, cells, "", "80pA")
}

/// A network of cells with a potassium channel that is a kinetic scheme.
pub fn kinetic(cells: usize) -> String {
    let mut body = format!(
        r#"{SODIUM}
           <ionChannelKS id="k" conductance="8pS"><gateKS id="n" instances="1">
             <closedState id="c1"/><closedState id="c2"/><openState id="o1"/>
             <vHalfTransition from="c1" to="c2" vHalf="0mV" z="1.5" gamma="0.75" tau="3.2ms" tauMin="0.3ms"/>
             <vHalfTransition from="c2" to="o1" vHalf="0mV" z="1.5" gamma="0.75" tau="3.2ms" tauMin="0.3ms"/>
           </gateKS></ionChannelKS>
           <pointCellCondBased id="cell" C="10pF" v0="-65mV" thresh="-20mV">
             <channelPopulation id="nas" ionChannel="na" number="120000" erev="50mV"/>
             <channelPopulation id="ks" ionChannel="k" number="18000" erev="-77mV"/>
           </pointCellCondBased>"#
    );
    network(&mut body, cells, "", "50pA")
}

const SODIUM: &str = r#"<ionChannelHH id="na" conductance="10pS">
  <gateHHrates id="m" instances="3">
    <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
    <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/></gateHHrates>
  <gateHHrates id="h" instances="1">
    <forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
    <reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/></gateHHrates>
</ionChannelHH>"#;

/// A population of `cell`s, each driven by a current. Nothing is recorded.
fn network(body: &mut String, cells: usize, connections: &str, amplitude: &str) -> String {
    for cell in 0..cells {
        let _ = writeln!(
            body,
            r#"<pulseGenerator id="pulse{cell}" delay="0ms" duration="1e9ms" amplitude="{amplitude}"/>"#
        );
    }
    let _ = writeln!(
        body,
        r#"<network id="net"><population id="pop" component="cell" size="{cells}"/>{connections}"#
    );
    for cell in 0..cells {
        let _ = writeln!(
            body,
            r#"<explicitInput target="pop[{cell}]" input="pulse{cell}"/>"#
        );
    }
    format!(
        r#"<Lems><Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
           {body}</network><Simulation id="sim" length="1ms" step="0.01ms" target="net"/>
           <Target component="sim"/></Lems>"#
    )
}
