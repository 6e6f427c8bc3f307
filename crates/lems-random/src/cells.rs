//! Random cells with dendrites, in networks.

use std::fmt::Write;

use crate::{Timing, dice::Dice};

/// A LEMS file with one or two random types of cells, a population of each, and what connects them.
pub(crate) fn generate(dice: &mut Dice, steps: usize) -> (String, Timing) {
    let timing = Timing {
        step: *dice.pick(&[10, 25, 50]).unwrap_or(&25),
        steps,
    };
    let mut text = String::from(
        "<Lems>\n<Target component=\"sim\"/>\n<Include file=\"Cells.xml\"/>\n\
         <Include file=\"Networks.xml\"/>\n<Include file=\"Simulation.xml\"/>\n",
    );
    text += TYPES;
    let channels: Vec<Channel> = (0..dice.between(2, 6))
        .map(|number| channel(dice, number, &mut text))
        .collect();
    let cells: Vec<Cell> = (0..dice.between(1, 2))
        .map(|number| cell(dice, number, &channels, &mut text))
        .collect();
    network(dice, &cells, &mut text);
    simulation(dice, timing, &cells, &mut text);
    text += "</Lems>\n";
    (text, timing)
}

/// Types that no core type is like: a gate whose equation is not linear in its state, and a pool that sees
/// its own concentration.
const TYPES: &str = r#"
<ComponentType name="cubicGate" extends="gate">
  <Parameter name="tau" dimension="time"/><Parameter name="half" dimension="voltage"/><Parameter name="width" dimension="voltage"/>
  <Requirement name="v" dimension="voltage"/>
  <Exposure name="x" dimension="none"/>
  <Dynamics>
    <StateVariable name="x" dimension="none" exposure="x"/>
    <DerivedVariable name="inf" dimension="none" value="1/(1+exp((half-v)/width))"/>
    <DerivedVariable name="q" dimension="none" exposure="q" value="x"/>
    <DerivedVariable name="fcond" dimension="none" exposure="fcond" value="q^instances"/>
    <TimeDerivative variable="x" value="(inf-x^3)/tau"/>
    <OnStart><StateAssignment variable="x" value="inf"/></OnStart>
  </Dynamics>
</ComponentType>
<ComponentType name="sinkPool" extends="concentrationModel">
  <Parameter name="rest" dimension="concentration"/><Parameter name="rate" dimension="per_time"/><Parameter name="depth" dimension="length"/>
  <Constant name="F" dimension="charge_per_mole" value="96485.3C_per_mol"/>
  <Requirement name="iCa" dimension="current"/>
  <Dynamics>
    <StateVariable name="concentration" exposure="concentration" dimension="concentration"/>
    <StateVariable name="extConcentration" exposure="extConcentration" dimension="concentration"/>
    <TimeDerivative variable="concentration" value="iCa/(2*F*surfaceArea*depth) - rate*(concentration-rest)*concentration/rest"/>
    <OnStart><StateAssignment variable="concentration" value="initialConcentration"/><StateAssignment variable="extConcentration" value="initialExtConcentration"/></OnStart>
    <OnCondition test="concentration .lt. 0"><StateAssignment variable="concentration" value="0"/></OnCondition>
  </Dynamics>
</ComponentType>
"#;

/// An ion channel that has been written.
struct Channel {
    id: String,
    ion: &'static str,
}

/// A cell that has been written.
struct Cell {
    id: String,
    segments: usize,
    /// Whether calcium has a pool in it.
    has_pool: bool,
    size: usize,
}

fn rate(dice: &mut Dice, tag: &str, direction: f64) -> String {
    let kind = dice.word(&["HHExpRate", "HHExpLinearRate", "HHSigmoidRate"]);
    let (speed, middle, scale) = (dice.number(), dice.between(20, 70), dice.between(6, 30));
    let scale = scale as f64 * direction;
    format!(
        r#"<{tag} type="{kind}" rate="{speed}per_ms" midpoint="-{middle}mV" scale="{scale}mV"/>"#
    )
}

fn gate(dice: &mut Dice, id: &str) -> String {
    let instances = dice.between(1, 4);
    let factor = match dice.chance(25) {
        true => r#"<q10Settings type="q10ExpTemp" q10Factor="3" experimentalTemp="6.3degC"/>"#,
        false => "",
    };
    match dice.between(0, 5) {
        0 | 1 => format!(
            r#"<gateHHrates id="{id}" instances="{instances}">{factor}{}{}</gateHHrates>"#,
            rate(dice, "forwardRate", 1.0),
            rate(dice, "reverseRate", -1.0)
        ),
        2 => format!(
            r#"<gateHHtauInf id="{id}" instances="{instances}">{factor}<timeCourse type="fixedTimeCourse" tau="{}ms"/><steadyState type="HHSigmoidVariable" rate="1" midpoint="-{}mV" scale="{}mV"/></gateHHtauInf>"#,
            dice.number(),
            dice.between(20, 70),
            dice.between(4, 15)
        ),
        3 => format!(
            r#"<gateHHInstantaneous id="{id}" instances="{instances}"><steadyState type="HHSigmoidVariable" rate="1" midpoint="-{}mV" scale="{}mV"/></gateHHInstantaneous>"#,
            dice.between(20, 70),
            dice.between(4, 15)
        ),
        4 => format!(
            r#"<cubicGate id="{id}" instances="{instances}" tau="{}ms" half="-{}mV" width="{}mV"/>"#,
            dice.number(),
            dice.between(20, 70),
            dice.between(4, 15)
        ),
        _ => format!(
            r#"<gateFractional id="{id}" instances="{instances}">{factor}{}{}</gateFractional>"#,
            sub_gate(dice, "a", 0.25),
            sub_gate(dice, "b", 0.75)
        ),
    }
}

fn sub_gate(dice: &mut Dice, id: &str, share: f64) -> String {
    format!(
        r#"<subGate id="{id}" fractionalConductance="{share}"><steadyState type="HHSigmoidVariable" rate="1" midpoint="-{}mV" scale="{}mV"/><timeCourse type="fixedTimeCourse" tau="{}ms"/></subGate>"#,
        dice.between(20, 70),
        dice.between(4, 15),
        dice.number()
    )
}

/// A kinetic scheme with a row of states.
fn scheme(dice: &mut Dice) -> String {
    let instances = dice.between(1, 2);
    let mut gate = format!(r#"<gateKS id="n" instances="{instances}">"#);
    let states = dice.between(2, 4);
    for number in 1..states {
        let _ = write!(gate, r#"<closedState id="s{number}"/>"#);
    }
    let _ = write!(gate, r#"<openState id="s{states}"/>"#);
    for number in 1..states {
        for (tag, direction) in [("forward", 1.0), ("reverse", -1.0)] {
            let rate = rate(dice, "rate", direction);
            let _ = write!(
                gate,
                r#"<{tag}Transition id="{tag}{number}" from="s{number}" to="s{}">{rate}</{tag}Transition>"#,
                number + 1
            );
        }
    }
    gate + "</gateKS>"
}

fn channel(dice: &mut Dice, number: usize, text: &mut String) -> Channel {
    let id = format!("ch{number}");
    let ion = dice.word(&["na", "k", "ca", "non_specific"]);
    if dice.chance(25) {
        let scheme = scheme(dice);
        let _ = writeln!(
            text,
            r#"<ionChannelKS id="{id}" conductance="10pS">{scheme}</ionChannelKS>"#
        );
        return Channel { id, ion };
    }
    let _ = write!(text, r#"<ionChannelHH id="{id}" conductance="10pS">"#);
    for of in 0..dice.between(0, 3) {
        *text += &gate(dice, &format!("g{of}"));
    }
    *text += "</ionChannelHH>\n";
    Channel { id, ion }
}

/// Segments in a random tree, and groups that are sections with random numbers of compartments.
fn morphology(dice: &mut Dice, text: &mut String, least: usize) -> usize {
    let count = dice.between(least, 14);
    *text += "<morphology id=\"m\">\n";
    let mut ends = vec![[0.0, 0.0, 0.0]];
    for number in 0..count {
        let _ = write!(text, r#"<segment id="{number}">"#);
        let thickness = |dice: &mut Dice| dice.between(2, 60) as f64 / 5.0;
        let parent = dice.between(0, number.max(1) - 1);
        let begin = ends.get(parent).copied().unwrap_or([0.0; 3]);
        if number > 0 {
            let along = match dice.chance(20) {
                true => r#" fractionAlong="0.5""#,
                false => "",
            };
            let _ = write!(text, r#"<parent segment="{parent}"{along}/>"#);
        }
        let point = |tag: &str, [x, y, z]: [f64; 3], diameter: f64| {
            format!(r#"<{tag} x="{x}" y="{y}" z="{z}" diameter="{diameter}"/>"#)
        };
        let mut thick = thickness(dice);
        if number == 0 || dice.chance(40) {
            *text += &point("proximal", begin, thick);
        }
        // The first segment may be a sphere.
        let mut end = begin;
        if number > 0 || dice.chance(70) {
            thick = thickness(dice);
            for coordinate in &mut end {
                *coordinate += dice.between(0, 60) as f64 - 30.0;
            }
            end[0] += 70.0;
        }
        *text += &point("distal", end, thick);
        *text += "</segment>\n";
        match ends.get_mut(number) {
            Some(own) => *own = end,
            None => ends.push(end),
        }
    }
    for number in 0..count {
        let _ = write!(
            text,
            r#"<segmentGroup id="s{number}" neuroLexId="sao864921383">"#
        );
        if dice.chance(60) {
            let divisions = dice.between(1, 7);
            let _ = write!(
                text,
                r#"<property tag="numberInternalDivisions" value="{divisions}"/>"#
            );
        }
        let _ = writeln!(text, r#"<member segment="{number}"/></segmentGroup>"#);
    }
    // A group of some of the sections.
    *text += r#"<segmentGroup id="some"><include segmentGroup="s0"/>"#;
    for number in 1..count {
        if dice.chance(50) {
            let _ = write!(text, r#"<include segmentGroup="s{number}"/>"#);
        }
    }
    *text += "</segmentGroup>\n</morphology>\n";
    count
}

fn density(dice: &mut Dice, number: usize, channel: &Channel, has_pool: bool) -> String {
    let group = match dice.chance(40) {
        true => r#" segmentGroup="some""#,
        false => "",
    };
    let (id, ion) = (&channel.id, channel.ion);
    let strength = dice.number();
    if ion == "ca" && has_pool {
        return match dice.chance(70) {
            true => format!(
                r#"<channelDensityNernst id="d{number}" ionChannel="{id}" condDensity="{strength} mS_per_cm2" ion="ca"{group}/>"#
            ),
            false => format!(
                r#"<channelDensityGHK id="d{number}" ionChannel="{id}" permeability="{}e-4 cm_per_s" ion="ca"{group}/>"#,
                dice.between(1, 30)
            ),
        };
    }
    let reversal = match ion {
        "na" => 50,
        "k" => -77,
        "ca" => 120,
        _ => -65,
    };
    format!(
        r#"<channelDensity id="d{number}" ionChannel="{id}" condDensity="{strength} mS_per_cm2" erev="{reversal}mV" ion="{ion}"{group}/>"#
    )
}

fn cell(dice: &mut Dice, number: usize, channels: &[Channel], text: &mut String) -> Cell {
    let id = format!("cell{number}");
    let has_pool = dice.chance(60);
    let pool = match dice.chance(60) {
        true => format!(
            r#"<decayingPoolConcentrationModel id="pool{number}" ion="ca" restingConc="1e-4 mM" decayConstant="{}ms" shellThickness="0.2um"/>"#,
            dice.between(3, 60)
        ),
        false => format!(
            r#"<sinkPool id="pool{number}" ion="ca" rest="1e-4 mM" rate="{}per_ms" depth="0.3um"/>"#,
            dice.number()
        ),
    };
    let _ = writeln!(text, "{pool}\n<cell id=\"{id}\">");
    // A model whose cells all have one compartment has none with dendrites.
    let least = if number == 0 { 2 } else { 1 };
    let segments = morphology(dice, text, least);
    *text += "<biophysicalProperties id=\"b\"><membraneProperties>\n";
    for (number, channel) in channels.iter().enumerate() {
        if dice.chance(70) {
            let _ = writeln!(text, "{}", density(dice, number, channel, has_pool));
        }
    }
    let _ = writeln!(
        text,
        r#"<spikeThresh value="-20mV"/><specificCapacitance value="{} uF_per_cm2"/><initMembPotential value="-{}mV"/>
</membraneProperties><intracellularProperties>"#,
        dice.number(),
        dice.between(50, 75)
    );
    if has_pool {
        let _ = writeln!(
            text,
            r#"<species id="ca" ion="ca" concentrationModel="pool{number}" initialConcentration="1e-4 mM" initialExtConcentration="2 mM"/>"#
        );
    }
    let _ = writeln!(
        text,
        r#"<resistivity value="{} ohm_cm"/></intracellularProperties></biophysicalProperties></cell>"#,
        dice.between(30, 300)
    );
    Cell {
        id,
        segments,
        has_pool,
        size: dice.between(1, 6),
    }
}

/// Populations with inputs, synapses, and gap junctions.
fn network(dice: &mut Dice, cells: &[Cell], text: &mut String) {
    let place = |dice: &mut Dice, cell: &Cell, side: &str| {
        let (segment, along) = (
            dice.between(0, cell.segments - 1),
            dice.word(&["0", "0.5", "0.8", "1"]),
        );
        format!(r#"{side}SegmentId="{segment}" {side}FractionAlong="{along}""#)
    };
    let _ = writeln!(
        text,
        r#"<pulseGenerator id="pulse" delay="0.2ms" duration="3ms" amplitude="{}nA"/>
<sineGenerator id="sine" delay="0ms" phase="0" duration="1s" amplitude="0.05nA" period="{}ms"/>
<expTwoSynapse id="two" gbase="{}nS" erev="0mV" tauRise="0.5ms" tauDecay="4ms"/>
<expOneSynapse id="one" gbase="{}nS" erev="-80mV" tauDecay="3ms"/>
<gapJunction id="gap" conductance="{}nS"/>
<networkWithTemperature id="net" type="networkWithTemperature" temperature="{}degC">"#,
        dice.number(),
        dice.between(2, 20),
        dice.number(),
        dice.number(),
        dice.number(),
        dice.between(6, 36)
    );
    for (number, cell) in cells.iter().enumerate() {
        let (id, size) = (&cell.id, cell.size);
        let _ = writeln!(
            text,
            r#"<population id="pop{number}" component="{id}" size="{size}"/>"#
        );
    }
    for (number, cell) in cells.iter().enumerate() {
        let _ = writeln!(
            text,
            r#"<inputList id="in{number}" component="pulse" population="pop{number}">"#
        );
        for input in 0..dice.between(1, 4) {
            let target = dice.between(0, cell.size - 1);
            let segment = dice.between(0, cell.segments - 1);
            let _ = writeln!(
                text,
                r#"<input id="{input}" target="../pop{number}[{target}]" segmentId="{segment}" fractionAlong="0.5" destination="synapses"/>"#
            );
        }
        *text += "</inputList>\n";
        if dice.chance(50) {
            let target = dice.between(0, cell.size - 1);
            let _ = writeln!(
                text,
                r#"<explicitInput target="pop{number}[{target}]" input="sine"/>"#
            );
        }
        // Connections to any population.
        for other in 0..cells.len() {
            let Some(receiver) = cells.get(other) else {
                continue;
            };
            let synapse = dice.word(&["two", "one"]);
            let _ = writeln!(
                text,
                r#"<projection id="p{number}{other}" presynapticPopulation="pop{number}" postsynapticPopulation="pop{other}" synapse="{synapse}">"#
            );
            for connection in 0..dice.between(0, 5) {
                let (from, to) = (
                    dice.between(0, cell.size - 1),
                    dice.between(0, receiver.size - 1),
                );
                let (pre, post) = (place(dice, cell, "pre"), place(dice, receiver, "post"));
                let delay = dice.word(&["0ms", "0.1ms", "1ms"]);
                let _ = writeln!(
                    text,
                    r#"<connectionWD id="{connection}" preCellId="../pop{number}[{from}]" postCellId="../pop{other}[{to}]" {pre} {post} weight="1.5" delay="{delay}"/>"#
                );
            }
            *text += "</projection>\n";
            if dice.chance(30) && (number != other || cell.size > 1) {
                let (pre, post) = (place(dice, cell, "pre"), place(dice, receiver, "post"));
                let _ = writeln!(
                    text,
                    r#"<electricalProjection id="e{number}{other}" presynapticPopulation="pop{number}" postsynapticPopulation="pop{other}"><electricalConnection id="0" preCell="0" postCell="{}" {} {} synapse="gap"/></electricalProjection>"#,
                    receiver.size - 1,
                    pre.replace("preSegmentId", "preSegment"),
                    post.replace("postSegmentId", "postSegment"),
                );
            }
        }
    }
    *text += "</networkWithTemperature>\n";
}

fn simulation(dice: &mut Dice, timing: Timing, cells: &[Cell], text: &mut String) {
    let milliseconds = |microseconds: usize| microseconds as f64 / 1e3;
    let _ = writeln!(
        text,
        r#"<Simulation id="sim" length="{}ms" step="{}ms" target="net" seed="7"><OutputFile id="o" fileName="values.dat">"#,
        milliseconds(timing.step * timing.steps),
        milliseconds(timing.step)
    );
    for (number, cell) in cells.iter().enumerate() {
        for column in 0..dice.between(1, 4) {
            let segment = dice.between(0, cell.segments - 1);
            let _ = writeln!(
                text,
                r#"<OutputColumn id="c{number}_{column}" quantity="pop{number}[0]/{segment}/v"/>"#
            );
        }
        if cell.has_pool {
            let _ = writeln!(
                text,
                r#"<OutputColumn id="ca{number}" quantity="pop{number}[0]/caConc"/>"#
            );
        }
    }
    *text += "</OutputFile><EventOutputFile id=\"e\" fileName=\"events.txt\" format=\"ID_TIME\">";
    for number in 0..cells.len() {
        let _ = write!(
            text,
            r#"<EventSelection id="{number}" select="pop{number}[0]" eventPort="spike"/>"#
        );
    }
    *text += "</EventOutputFile></Simulation>\n";
}
