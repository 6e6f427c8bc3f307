#!/usr/bin/env python3
"""Writes the models with which jlems-rs is timed.

  models.py FOLDER WORKLOAD[:KEY=NUMBER,...] ...     e.g. models.py models izhikevich:cells=1000,synapses=100
  models.py --list                                   workloads with their sizes

A model is LEMS_NAME.xml. The C references read the same network from the files beside it:
NAME.parameters (name and SI value per line), NAME.edges (pairs of 32-bit numbers, source and
target, in the order in which the synapses are attached), NAME.currents (64-bit floats, amperes).
The same arguments always give the same bytes. Python 3.8+, standard library only.
"""
import argparse
import array
import inspect
import math
import os
import sys


class Random:
    """A linear congruential generator of 64 bits; the upper 31 are used."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) & (2**64 - 1)
        return (self.state >> 33) % limit


def si(number, power):
    """A quantity converted as the engines do: the number times the double nearest to the power of ten."""
    return float(number) * float(f"1e{power}")


def random_edges(sources, targets, per_source, seed):
    """Every source gets `per_source` targets: never itself, but perhaps the same target several times."""
    random = Random(seed)
    edges = array.array("I")
    for source in range(sources):
        for _ in range(per_source):
            target = random.below(targets)
            if target == source and sources == targets:
                target = (target + 1) % targets
            edges.extend((source, target))
    return edges


def random_weights(count, low, high, seed):
    """Multiples of 1/64, which have the same value in decimal and binary."""
    random = Random(seed)
    return [low + random.below((high - low) * 64) / 64 for _ in range(count)]


def pairs(edges):
    return zip(edges[0::2], edges[1::2])


class Writer:
    """One model and the files for its C reference."""

    def __init__(self, folder, name):
        os.makedirs(folder, exist_ok=True)
        self.base = os.path.join(folder, name)
        self.name = name
        self.file = open(os.path.join(folder, f"LEMS_{name}.xml"), "w", newline="\n")
        self.line("<Lems>")
        self.line('  <Target component="sim"/>')
        for include in ("Cells.xml", "Networks.xml", "Simulation.xml"):
            self.line(f'  <Include file="{include}"/>')

    def line(self, text):
        self.file.write(text + "\n")

    def population(self, name, component, size):
        self.line(f'    <population id="{name}" component="{component}" size="{size}"/>')

    def projection(self, name, source, target, synapse, edges):
        self.line(f'    <projection id="{name}" presynapticPopulation="{source}" '
                  f'postsynapticPopulation="{target}" synapse="{synapse}">')
        for number, (a, b) in enumerate(pairs(edges)):
            self.line(f'      <connection id="{number}" preCellId="../{source}[{a}]" postCellId="../{target}[{b}]"/>')
        self.line("    </projection>")

    def junctions(self, name, population, synapse, edges):
        self.line(f'    <electricalProjection id="{name}" presynapticPopulation="{population}" '
                  f'postsynapticPopulation="{population}">')
        for number, (a, b) in enumerate(pairs(edges)):
            self.line(f'      <electricalConnection id="{number}" preCell="{a}" postCell="{b}" synapse="{synapse}"/>')
        self.line("    </electricalProjection>")

    def pulse(self, delay_ms, duration_ms):
        self.line(f'  <pulseGenerator id="pulse" delay="{delay_ms}ms" duration="{duration_ms}ms" amplitude="1pA"/>')

    def inputs(self, name, population, weights):
        self.line(f'    <inputList id="{name}" population="{population}" component="pulse">')
        for number, weight in enumerate(weights):
            self.line(f'      <inputW id="{number}" target="../{population}[{number}]" destination="synapses" '
                      f'weight="{weight!r}"/>')
        self.line("    </inputList>")

    def finish(self, step_ms, steps, spikes=(), columns=()):
        """`spikes`: paths of cells, whose ids count from 0; `columns`: paths of values."""
        length = repr(round(step_ms * steps, 9))
        self.line(f'  <Simulation id="sim" length="{length}ms" step="{step_ms}ms" target="net" seed="1">')
        if columns:
            self.line(f'    <OutputFile id="columns" fileName="{self.name}.dat">')
            for number, path in enumerate(columns):
                self.line(f'      <OutputColumn id="c{number}" quantity="{path}"/>')
            self.line("    </OutputFile>")
        if spikes:
            self.line(f'    <EventOutputFile id="events" fileName="{self.name}.spikes" format="ID_TIME">')
            for number, path in enumerate(spikes):
                self.line(f'      <EventSelection id="{number}" select="{path}" eventPort="spike"/>')
            self.line("    </EventOutputFile>")
        self.line("  </Simulation>")
        self.line("</Lems>")
        self.file.close()

    def reference(self, parameters, currents, edges=()):
        with open(f"{self.base}.parameters", "w", newline="\n") as file:
            for name, value in parameters.items():
                file.write(f"{name} {value!r}\n")
        with open(f"{self.base}.currents", "wb") as file:
            array.array("d", currents).tofile(file)
        with open(f"{self.base}.edges", "wb") as file:
            array.array("I", edges).tofile(file)


IZHIKEVICH = ('  <izhikevich2007Cell id="iz" C="100pF" v0="-60mV" k="0.7nS_per_mV" vr="-60mV" vt="-40mV" '
              'vpeak="35mV" a="0.03per_ms" b="-2nS" c="-50mV" d="100pA"/>')

NA_CHANNEL = '''  <ionChannelHH id="na" conductance="10pS" species="na">
    <gateHHrates id="m" instances="3">
      <forwardRate type="HHExpLinearRate" rate="1per_ms" midpoint="-40mV" scale="10mV"/>
      <reverseRate type="HHExpRate" rate="4per_ms" midpoint="-65mV" scale="-18mV"/>
    </gateHHrates>
    <gateHHrates id="h" instances="1">
      <forwardRate type="HHExpRate" rate="0.07per_ms" midpoint="-65mV" scale="-20mV"/>
      <reverseRate type="HHSigmoidRate" rate="1per_ms" midpoint="-35mV" scale="10mV"/>
    </gateHHrates>
  </ionChannelHH>'''

HODGKIN_HUXLEY_CHANNELS = '''  <ionChannelHH id="leak" conductance="10pS"/>
''' + NA_CHANNEL + '''
  <ionChannelHH id="k" conductance="10pS" species="k">
    <gateHHrates id="n" instances="4">
      <forwardRate type="HHExpLinearRate" rate="0.1per_ms" midpoint="-55mV" scale="10mV"/>
      <reverseRate type="HHExpRate" rate="0.125per_ms" midpoint="-65mV" scale="-80mV"/>
    </gateHHrates>
  </ionChannelHH>'''

HODGKIN_HUXLEY = HODGKIN_HUXLEY_CHANNELS + '''
  <pointCellCondBased id="hh" C="10pF" v0="-65mV" thresh="-20mV">
    <channelPopulation id="leaks" ionChannel="leak" number="300" erev="-54.3mV"/>
    <channelPopulation id="nas" ionChannel="na" number="120000" erev="50mV"/>
    <channelPopulation id="ks" ionChannel="k" number="36000" erev="-77mV"/>
  </pointCellCondBased>'''

KINETIC = NA_CHANNEL + '''
  <ionChannelKS id="k" conductance="8pS">
    <gateKS id="n" instances="1">
      <closedState id="closed"/>
      <openState id="open"/>
      <vHalfTransition from="closed" to="open" vHalf="0mV" z="1.5" gamma="0.75" tau="3.2ms" tauMin="0.3ms"/>
    </gateKS>
  </ionChannelKS>
  <pointCellCondBased id="ks" C="10pF" v0="-65mV" thresh="-20mV">
    <channelPopulation id="nas" ionChannel="na" number="120000" erev="50mV"/>
    <channelPopulation id="ks" ionChannel="k" number="18000" erev="-77mV"/>
  </pointCellCondBased>'''

# Largest total conductance of the synapses of one cell, in nS.
TOTAL_CONDUCTANCE = 8


def izhikevich_parameters(cells, steps, conductance, columns):
    return {
        "cells": cells, "steps": steps, "step": si("0.1", -3), "columns": columns,
        "C": si(100, -12), "v0": si(-60, -3), "k": si("0.7", -6), "vr": si(-60, -3), "vt": si(-40, -3),
        "vpeak": si(35, -3), "a": si("0.03", 3), "b": si(-2, -9), "c": si(-50, -3), "d": si(100, -12),
        "gbase": si(conductance, -9), "erev": 0.0, "tau": si(3, -3),
    }


def seed(folder, steps=100_000):
    """two populations of five Izhikevich cells, 20 synapses, all spikes recorded"""
    writer = Writer(folder, "seed")
    weights = [105.5, 153.625, 124.5, 131.25, 102.125]
    edges = array.array("I", [number for a in range(5) for b in range(5) if a != b for number in (a, b)])
    writer.line('  <expOneSynapse id="synapse" gbase="65nS" erev="0mV" tauDecay="3ms"/>')
    writer.line(IZHIKEVICH)
    writer.pulse(0, steps)
    writer.line('  <network id="net">')
    writer.population("first", "iz", 5)
    writer.population("second", "iz", 5)
    writer.projection("projection", "first", "second", "synapse", edges)
    writer.inputs("drive", "first", weights)
    writer.line("  </network>")
    cells = [f"{population}[{i}]" for population in ("first", "second") for i in range(5)]
    writer.finish(0.1, steps, spikes=cells)
    shifted = [number for a, b in pairs(edges) for number in (a, b + 5)]
    currents = [weight * si(1, -12) for weight in weights] + [0.0] * 5
    writer.reference(izhikevich_parameters(10, steps, 65, 0), currents, shifted)
    return writer.name


def izhikevich_network(folder, name, cells, synapses, steps, recorded, columns):
    writer = Writer(folder, name)
    edges = random_edges(cells, cells, synapses, 1)
    weights = random_weights(cells, 56, 120, 7)
    conductance = TOTAL_CONDUCTANCE / max(synapses, 1)
    writer.line(f'  <expOneSynapse id="synapse" gbase="{conductance!r}nS" erev="0mV" tauDecay="3ms"/>')
    writer.line(IZHIKEVICH)
    writer.pulse(0, steps)
    writer.line('  <network id="net">')
    writer.population("pop", "iz", cells)
    if edges:
        writer.projection("projection", "pop", "pop", "synapse", edges)
    writer.inputs("drive", "pop", weights)
    writer.line("  </network>")
    writer.finish(0.1, steps, spikes=[f"pop[{i}]" for i in range(recorded)],
                  columns=[f"pop[{i}]/v" for i in range(columns)])
    currents = [weight * si(1, -12) for weight in weights]
    writer.reference(izhikevich_parameters(cells, steps, conductance, columns), currents, edges)
    return writer.name


def izhikevich(folder, cells=1_000, synapses=10, steps=10_000):
    """Izhikevich cells with random synapses, all spikes recorded"""
    return izhikevich_network(folder, f"izhikevich_{cells}_{synapses}", cells, synapses, steps, cells, 0)


def rows(folder, steps=100_000):
    """one Izhikevich cell, its voltage written in each step"""
    return izhikevich_network(folder, "rows", 1, 0, steps, 0, 1)


def load(folder, cells=10_000, synapses=100, steps=1):
    """an Izhikevich network that is read, built and compiled, and then makes one step"""
    return izhikevich_network(folder, f"load_{cells}_{synapses}", cells, synapses, steps, 1, 0)


def point_cells(folder, name, cell, text, cells, steps, weights, columns, parameters, junctions=()):
    """`junctions`: pairs of cells that a gap junction joins."""
    writer = Writer(folder, name)
    writer.line(text)
    if junctions:
        writer.line('  <gapJunction id="junction" conductance="20pS"/>')
    length = steps * 0.01
    delay, duration = round(length / 6, 3), round(length * 2 / 3, 3)
    writer.pulse(delay, duration)
    writer.line('  <network id="net">')
    writer.population("pop", cell, cells)
    if junctions:
        writer.junctions("gaps", "pop", "junction", junctions)
    writer.inputs("drive", "pop", weights)
    writer.line("  </network>")
    writer.finish(0.01, steps, spikes=[f"pop[{i}]" for i in range(cells)], columns=columns)
    writer.reference({
        "cells": cells, "steps": steps, "step": si("0.01", -3), "columns": len(columns),
        "delay": si(delay, -3), "duration": si(duration, -3),
        "C": si(10, -12), "v0": si(-65, -3), "thresh": si(-20, -3),
        "number_na": 120000.0, "erev_na": si(50, -3), "erev_k": si(-77, -3),
        "m_rate": si(1, 3), "m_midpoint": si(-40, -3), "m_scale": si(10, -3),
        "m_reverse_rate": si(4, 3), "m_reverse_midpoint": si(-65, -3), "m_reverse_scale": si(-18, -3),
        "h_rate": si("0.07", 3), "h_midpoint": si(-65, -3), "h_scale": si(-20, -3),
        "h_reverse_rate": si(1, 3), "h_reverse_midpoint": si(-35, -3), "h_reverse_scale": si(10, -3),
        "conductance_na": si(10, -12), **parameters,
    }, [weight * si(1, -12) for weight in weights], junctions)
    return name


def hodgkin_huxley(folder, cells=100, steps=30_000, columns=0, junctions=0):
    """Hodgkin-Huxley cells under a pulse; `columns`: voltage and gates of the first in each step;
    `junctions`: gap junctions from each to random others"""
    quantities = ["v", "nas/na/m/q", "nas/na/h/q", "ks/k/n/q", "iMemb"]
    name = f"hodgkin_huxley_{cells}" + (f"_{junctions}" if junctions else "")
    return point_cells(folder, name, "hh", HODGKIN_HUXLEY, cells, steps,
                       [80 + (i % 100) * 0.5 for i in range(cells)],
                       [f"pop[0]/{quantity}" for quantity in quantities[:columns]], {
                           "conductance_k": si(10, -12), "conductance_leak": si(10, -12),
                           "number_leak": 300.0, "number_k": 36000.0, "erev_leak": si("-54.3", -3),
                           "conductance_junction": si(20, -12),
                           "n_rate": si("0.1", 3), "n_midpoint": si(-55, -3), "n_scale": si(10, -3),
                           "n_reverse_rate": si("0.125", 3), "n_reverse_midpoint": si(-65, -3),
                           "n_reverse_scale": si(-80, -3),
                       }, random_edges(cells, cells, junctions, 5))


def noise(folder, cells=100, steps=10_000):
    """Hodgkin-Huxley cells, each with its own random events"""
    writer = Writer(folder, f"noise_{cells}")
    writer.line(HODGKIN_HUXLEY)
    writer.line('  <expTwoSynapse id="excitation" gbase="0.6nS" erev="0mV" tauRise="0.3ms" tauDecay="2ms"/>')
    writer.line('  <poissonFiringSynapse id="poisson" averageRate="400Hz" synapse="excitation" spikeTarget="./excitation"/>')
    writer.line('  <network id="net">')
    writer.population("pop", "hh", cells)
    for number in range(cells):
        writer.line(f'    <explicitInput target="pop[{number}]" input="poisson" destination="synapses"/>')
    writer.line("  </network>")
    writer.finish(0.01, steps, spikes=[f"pop[{number}]" for number in range(cells)])
    return writer.name


def kinetic(folder, cells=50, steps=30_000):
    """cells with a potassium channel that is a kinetic scheme of two states"""
    return point_cells(folder, f"kinetic_{cells}", "ks", KINETIC, cells, steps,
                       [50 + (i % 100) * 0.625 for i in range(cells)], [], {
                           "conductance_k": si(8, -12), "number_k": 18000.0,
                           "vhalf": 0.0, "z": 1.5, "gamma": 0.75, "tau": si("3.2", -3), "tau_min": si("0.3", -3),
                           "kte": si("25.3", -3),
                       })


def waveform_factor(rise, decay):
    """The factor that scales the peak of a difference of two exponentials to 1."""
    peak = math.log(decay / rise) * ((rise * decay) / (decay - rise))
    return 1 / (-math.exp(-(peak / rise)) + math.exp(-(peak / decay)))


def plastic(folder, cells=1_000, synapses=100, steps=5_000):
    """integrate-and-fire cells, four of five excitatory, with depressing synapses"""
    writer = Writer(folder, f"plastic_{cells}_{synapses}")
    excitatory = max(cells * 4 // 5, 1)
    inhibitory = max(cells - excitatory, 1)
    of_excitatory = max(synapses * 4 // 5, 1)
    sizes = {"exc": excitatory, "inh": inhibitory}
    writer.line('  <iafRefCell id="iaf" leakReversal="-65mV" thresh="-50mV" reset="-65mV" C="200pF" '
                'leakConductance="10nS" refract="2ms"/>')
    writer.line(f'  <blockingPlasticSynapse id="excitation" gbase="{40 / of_excitatory!r}nS" erev="0mV" tauRise="0.5ms" '
                'tauDecay="3ms">')
    writer.line('    <tsodyksMarkramDepMechanism id="depression" initReleaseProb="0.5" tauRec="100ms"/>')
    writer.line("  </blockingPlasticSynapse>")
    writer.line(f'  <expTwoSynapse id="inhibition" gbase="{160 / synapses!r}nS" erev="-80mV" tauRise="0.5ms" '
                'tauDecay="6ms"/>')
    writer.pulse(0, steps)
    writer.line('  <network id="net">')
    for name, size in sizes.items():
        writer.population(name, "iaf", size)
    seeds = iter((11, 12, 13, 14))
    offsets = {"exc": 0, "inh": excitatory}
    all_edges = array.array("I")
    for source, synapse in (("exc", "excitation"), ("inh", "inhibition")):
        for target in sizes:
            per_source = max(synapses * sizes[target] // cells, 1)
            edges = random_edges(sizes[source], sizes[target], per_source, next(seeds))
            for a, b in pairs(edges):
                all_edges.extend((a + offsets[source], b + offsets[target]))
            writer.projection(f"{source}_{target}", source, target, synapse, edges)
    weights = {name: random_weights(size, 130, 200, 21 + offsets[name]) for name, size in sizes.items()}
    for name in sizes:
        writer.inputs(f"drive_{name}", name, weights[name])
    writer.line("  </network>")
    writer.finish(0.1, steps, spikes=[f"{name}[{i}]" for name, size in sizes.items() for i in range(size)])
    writer.reference({
        "cells": excitatory + inhibitory, "excitatory": excitatory, "steps": steps, "step": si("0.1", -3),
        "C": si(200, -12), "leak": si(10, -9), "rest": si(-65, -3), "thresh": si(-50, -3), "reset": si(-65, -3),
        "refract": si(2, -3), "release": 0.5, "recovery": si(100, -3),
        "exc_gbase": si(40 / of_excitatory, -9), "exc_erev": 0.0, "exc_rise": si("0.5", -3), "exc_decay": si(3, -3),
        "exc_waveform": waveform_factor(si("0.5", -3), si(3, -3)),
        "inh_gbase": si(160 / synapses, -9), "inh_erev": si(-80, -3), "inh_rise": si("0.5", -3), "inh_decay": si(6, -3),
        "inh_waveform": waveform_factor(si("0.5", -3), si(6, -3)),
    }, [weight * si(1, -12) for name in sizes for weight in weights[name]], all_edges)
    return writer.name


WORKLOADS = {function.__name__: function for function in
             (seed, rows, hodgkin_huxley, izhikevich, plastic, kinetic, noise, load)}


def write(folder, specification):
    """Writes the model for a text such as `izhikevich:cells=100`, and returns its name."""
    workload, _, sizes = specification.partition(":")
    if workload not in WORKLOADS:
        sys.exit(f"there is no workload `{workload}`: {', '.join(WORKLOADS)}")
    settings = {}
    for setting in filter(None, sizes.split(",")):
        key, _, number = setting.partition("=")
        settings[key] = int(number)
    return WORKLOADS[workload](folder, **settings)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", action="store_true", help="list the workloads")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("workloads", nargs="*")
    args = parser.parse_args()
    if args.list or not args.folder:
        for name, function in WORKLOADS.items():
            sizes = list(inspect.signature(function).parameters.values())[1:]
            print(f"{name}:{','.join(f'{size.name}={size.default}' for size in sizes)}\n    {function.__doc__}")
        return
    for specification in args.workloads or WORKLOADS:
        print(write(args.folder, specification))


if __name__ == "__main__":
    main()
