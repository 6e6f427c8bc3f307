#!/usr/bin/env python3
"""Times axons of Hodgkin and Huxley's channels against Arbor, which reads the same NeuroML file.

    pip install arbor==0.12.2
    cargo build --release
    python benches/arbor.py [--copies 1 10 100]

A soma and an axon of 1.8 mm make 91 compartments in both programs. Arbor reads the shape from the file, and has the channels as
its mechanism `hh`. Both programs use one thread and run in turn, one round to warm up and --rounds more. The table has
medians of processor time: of jlems-rs from its start to its end, and of Arbor the steps alone. Before that, the potentials
of the soma are compared.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

from cells import processor_time
from models import HODGKIN_HUXLEY_CHANNELS

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]

CELL = """
  <cell id="fibre">
    <morphology id="shape">
      <segment id="0" name="soma">
        <proximal x="0" y="0" z="0" diameter="20"/>
        <distal x="20" y="0" z="0" diameter="20"/>
      </segment>
      <segment id="1" name="axon">
        <parent segment="0"/>
        <proximal x="20" y="0" z="0" diameter="1"/>
        <distal x="1820" y="0" z="0" diameter="1"/>
      </segment>
      <segmentGroup id="soma_section" neuroLexId="sao864921383"><member segment="0"/></segmentGroup>
      <segmentGroup id="axon_section" neuroLexId="sao864921383">
        <property tag="numberInternalDivisions" value="90"/>
        <member segment="1"/>
      </segmentGroup>
    </morphology>
    <biophysicalProperties id="physics">
      <membraneProperties>
        <channelDensity id="leaks" ionChannel="leak" condDensity="0.3 mS_per_cm2" erev="-54.3mV" ion="non_specific"/>
        <channelDensity id="sodiums" ionChannel="na" condDensity="120 mS_per_cm2" erev="50mV" ion="na"/>
        <channelDensity id="potassiums" ionChannel="k" condDensity="36 mS_per_cm2" erev="-77mV" ion="k"/>
        <spikeThresh value="-20mV"/>
        <specificCapacitance value="1 uF_per_cm2"/>
        <initMembPotential value="-65mV"/>
      </membraneProperties>
      <intracellularProperties><resistivity value="35.4 ohm_cm"/></intracellularProperties>
    </biophysicalProperties>
  </cell>
"""

DRIVE = """
  <pulseGenerator id="kick" delay="2ms" duration="1ms" amplitude="0.5nA"/>
"""

# Prints its processor time in `run` and the potential of the first soma at every millisecond.
ARBOR = """
import json, sys, time
import arbor
from arbor import units as U

copies, length, step = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
shape = arbor.neuroml("fibres.nml").cell_morphology("fibre").morphology
soma = "(location 0 0.0054945)"
decor = (
    arbor.decor()
    .set_property(Vm=-65 * U.mV, cm=0.01 * U.F / U.m2, rL=35.4 * U.Ohm * U.cm, tempK=279.45 * U.Kelvin)
    .set_ion("na", rev_pot=50 * U.mV)
    .set_ion("k", rev_pot=-77 * U.mV)
    .paint("(all)", arbor.density("hh", {"gnabar": 0.12, "gkbar": 0.036, "gl": 0.0003, "el": -54.3}))
    .place(soma, arbor.i_clamp(2 * U.ms, 1 * U.ms, 0.5 * U.nA))
    .place(soma, arbor.threshold_detector(-20 * U.mV), "spikes")
)
cell = arbor.cable_cell(shape, decor, arbor.label_dict(), arbor.cv_policy("(max-extent 20)"))


class Fibres(arbor.recipe):
    def __init__(self):
        arbor.recipe.__init__(self)
        self.properties = arbor.neuron_cable_properties()
        self.properties.catalogue = arbor.default_catalogue()

    def num_cells(self):
        return copies

    def cell_kind(self, gid):
        return arbor.cell_kind.cable

    def cell_description(self, gid):
        return cell

    def global_properties(self, kind):
        return self.properties

    def probes(self, gid):
        return [arbor.cable_probe_membrane_voltage(soma, "v")] if gid == 0 else []


simulation = arbor.simulation(Fibres(), arbor.context(threads=1))
simulation.record(arbor.spike_recording.all)
handle = simulation.sample(0, "v", arbor.regular_schedule(1 * U.ms))
begin = time.process_time()
simulation.run(length * U.ms, step * U.ms)
used = time.process_time() - begin
samples, _ = simulation.samples(handle)[0]
print(json.dumps({"cpu": used, "v": samples.tolist()}))
"""


def write_model(folder: pathlib.Path, copies: int, length: float, step: float) -> None:
    """The network as NeuroML, its LEMS file, and the script for Arbor."""
    inputs = "".join(
        f'<input id="{n}" target="../fibres/{n}/fibre" segmentId="0" fractionAlong="0.5" destination="synapses"/>'
        for n in range(copies)
    )
    instances = "".join(f'<instance id="{n}"><location x="0" y="0" z="0"/></instance>' for n in range(copies))
    network = f"""
  <network id="network" type="networkWithTemperature" temperature="6.3degC">
    <population id="fibres" component="fibre" type="populationList" size="{copies}">{instances}</population>
    <inputList id="kicks" component="kick" population="fibres">{inputs}</inputList>
  </network>"""
    (folder / "fibres.nml").write_text(
        f'<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="fibres">{HODGKIN_HUXLEY_CHANNELS}{CELL}{DRIVE}{network}</neuroml>'
    )
    (folder / "LEMS_fibres.xml").write_text(f"""<Lems>
  <Target component="sim"/>
  <Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
  <Include file="fibres.nml"/>
  <Simulation id="sim" length="{length}ms" step="{step}ms" target="network">
    <OutputFile id="potentials" fileName="soma.dat"><OutputColumn id="v" quantity="fibres/0/fibre/0/v"/></OutputFile>
    <EventOutputFile id="events" fileName="soma.spikes" format="ID_TIME">
      <EventSelection id="0" select="fibres/0/fibre" eventPort="spike"/>
    </EventOutputFile>
  </Simulation>
</Lems>""")
    (folder / "arbor_run.py").write_text(ARBOR)


def own_time(arguments, folder: pathlib.Path) -> float:
    command = [arguments.program, "run", "--quiet", "--threads", "1", "LEMS_fibres.xml"]
    return processor_time(command, folder)[0]


def arbor_run(arguments, folder: pathlib.Path, copies: int) -> dict:
    command = [arguments.python, "arbor_run.py", str(copies), str(arguments.length), str(arguments.step)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Arbor failed:\n{done.stderr.rstrip()}")
    return json.loads(done.stdout)


def largest_difference(folder: pathlib.Path, samples: list, step: float) -> float:
    """The largest difference of the potentials at whole milliseconds, in mV."""
    rows = [line.split() for line in (folder / "soma.dat").read_text().splitlines()]
    own = {round(float(time) * 1e3 / step): float(v) * 1e3 for time, v in rows}
    return max(abs(own[round(time / step)] - v) for time, v in samples)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--length", type=float, default=100, help="milliseconds")
    parser.add_argument("--step", type=float, default=0.01, help="milliseconds")
    parser.add_argument("--rounds", type=int, default=5)
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    parser.add_argument("--program", default=f"{target}/release/jlems-rs")
    parser.add_argument("--python", default=sys.executable, help="a Python that has Arbor")
    arguments = parser.parse_args()
    print("| axons | largest difference, mV | jlems-rs, whole process, s | Arbor's run, s | ratio |")
    print("| --- | --- | --- | --- | --- |")
    for copies in arguments.copies:
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            write_model(folder, copies, arguments.length, arguments.step)
            own, others = [], []
            for _ in range(arguments.rounds + 1):
                own.append(own_time(arguments, folder))
                found = arbor_run(arguments, folder, copies)
                others.append(found["cpu"])
            difference = largest_difference(folder, found["v"], arguments.step)
            own, other = statistics.median(own[1:]), statistics.median(others[1:])
            print(f"| {copies} | {difference:.3f} | {own:.3f} | {other:.3f} | {own / other:.2f} |", flush=True)


if __name__ == "__main__":
    main()
