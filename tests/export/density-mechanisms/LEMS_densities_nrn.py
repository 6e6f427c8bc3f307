#!/usr/bin/env python3
"""LEMS_densities.xml in NEURON: builds the network, runs it, and writes its files.

Made by jlems-rs. Compile the mechanisms beside this file first: `nrnivmodl`. `build()` makes the
network without running it.
"""

import argparse
import math
import os
import sys
import time

import numpy

HERE = os.path.dirname(os.path.abspath(__file__))
INF, NAN = math.inf, math.nan


def read(text, kind):
    """The numbers of a text; `2*5` is a 2 five times."""
    if "*" not in text:
        return list(map(kind, text.split()))
    found = []
    for word in text.split():
        number, _, count = word.partition("*")
        found += [kind(number)] * int(count or 1)
    return found


def ints(text):
    return read(text, int)


def floats(text):
    return read(text, float)


# Length of a step in seconds, number of steps, steps from one row to the next.
STEP, STEPS, EVERY = 1e-5, 2000, 1

# How the time of a row is found: by adding up steps, as their product, or by adding up half steps in ms.
CLOCK = "product"

# How many instances of each mechanism there are.
MECHANISMS = {
    "cell": 5,
}

# Cells with dendrites, each a template in a file of its name, and their sections.
CELLS = {
    "densities": ["body", "dendrite"],
}

# The cells that there are.
CABLES = ["densities"]

# Mechanism of a membrane; for each instance the cell, the section, how far along it, the capacitance (F)
# and the potential at the start (V), and whether it does anything.
MEMBRANES = [
    ("cell", [0]*5, [0, 1, 1, 1, 1], [0.5, 0.125, 0.375, 0.625, 0.875], [1.2566370614359169e-11, 2.748927932845963e-12, 1.9635199520328304e-12, 1.5707963267948965e-12, 1.5707963267948965e-12], [-0.065]*5, [1, 0, 0, 0, 0]),
]

# Mechanism, variable, its value in each instance (SI units).
SCALARS = [
    ("cell", "surfaceArea", [1.256637061435917e-9, 2.7489279328459627e-10, 1.9635199520328304e-10, 1.5707963267948964e-10, 1.5707963267948964e-10]),
    ("cell", "totCap_start", [1.2566370614359169e-11, 2.748927932845963e-12, 1.9635199520328304e-12, 1.5707963267948965e-12, 1.5707963267948965e-12]),
    ("cell", "n_pulseGenerator", [1.0, 0.0, 0.0, 0.0, 0.0]),
]

# Mechanism, array, how many elements each instance has, and all elements.
ARRAYS = [
]

# Mechanism, pointer, instances; mechanism and variable that they point to, instances, places.
POINTERS = [
]

# Mechanism, counter of events, whether the mechanism sends them itself, instances, places.
PORTS = [
]

# Number of the port, handler, mechanism; then for each connection the sender, the receiver, the place
# there, and the delay in seconds.
CONNECTIONS = [
]

# Mechanism, instance, handler, place, time: events on their way at the start.
EVENTS_ON_THEIR_WAY = [
]

# Selections whose events are recorded at the start.
EVENTS_AT_START = []

# Path; then for each column mechanism, variable, instance, place, and what the SI value is divided by;
# for a range variable of a cell None, names with factors that make them SI, cell, section and how far along
# it; for a constant None, the constant, None, None.
DATA_FILES = [
    ("densities.dat", [
        (None, (("v", 0.001),), 0, (0, 0.5), 1.0),
        (None, (("v", 0.001),), 0, (1, 0.875), 1.0),
        (None, (("concentration_pool", 1.0),), 0, (0, 0.5), 1.0),
        (None, (("iDensity_calcium", 1.256637061435917e-8),), 0, (0, 0.5), 1.0),
        (None, (("n_q_potassium", 1.0),), 0, (0, 0.5), 1.0),
        (None, (("m_o_occupancy_calcium", 1.0),), 0, (0, 0.5), 1.0),
        (None, (("s_q_slow", 1.0),), 0, (0, 0.5), 1.0),
    ]),
]

# Path, order of the fields; then id, port, member and order of each selection.
EVENT_FILES = [
]

# The file of times, if one is wanted.
TIMES_FILE = None

# State of java.util.Random at the start, and the mechanisms that draw.
GENERATOR, DRAWING = None, []

# Density mechanisms; the temperature (degrees Celsius) and the concentrations (mM) that they find.
DENSITIES = ["leak", "potassium", "slow", "calcium", "pool"]
CELSIUS, CONCENTRATIONS = 20.0, []

# ---------------------------------------------------------------------------------------------------
# What follows is the same for all models.


# Mechanisms of which no instance does anything.
IDLE = {name for name, *_, used in MEMBRANES if not any(used)}


class Network:
    """The instances of the model: `mechanisms` has a list of point processes for each mechanism; those that do nothing are None."""

    def __init__(self):
        self.cells, self.mechanisms, self.sections, self.ports, self.connections = [], {}, [], [], []
        self.numbers = {}


def load_mechanisms():
    """Gives NEURON with the mechanisms of this folder, which `nrnivmodl` compiles."""
    os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")
    import neuron
    from neuron import h

    names = list(MECHANISMS) + ["EventPort"] * any(not own for _, _, own, _, _ in PORTS)
    names += ["Generator"] * (GENERATOR is not None)
    names = [name for name in names if name not in IDLE]
    def missing():
        return [name for name in [*names, *DENSITIES] if not h.name_declared(name)]

    if missing():
        loaded = neuron.load_mechanisms(HERE, warn_if_already_loaded=False)
        if not loaded or missing():
            raise Problem(f"no compiled mechanisms in {HERE}: run `nrnivmodl` there first")
    for name in CELLS if DENSITIES else []:
        h.load_file(os.path.join(HERE, f"{name}.hoc"))
    return h


def fill(h, network, step):
    """Gives all instances their values and pointers, and those that draw random numbers the generator."""
    if step != STEP:
        for instance in (instance for instances in network.mechanisms.values() for instance in instances if instance):
            instance.time_step = step
    for name, variable, values in SCALARS:
        for instance, value in zip(network.mechanisms[name], values):
            if instance is not None:
                setattr(instance, variable, value)
    for name, variable, counts, values in ARRAYS:
        place = 0
        for instance, count in zip(network.mechanisms[name], counts):
            if instance is not None:
                array = getattr(instance, variable)
                for index in range(count):
                    array[index] = values[place + index]
            place += count
    for name, pointer, readers, other, variable, instances, places in POINTERS:
        for reader, instance, place in zip(readers, instances, places):
            target = reference(network.mechanisms[other][instance], variable, place)
            h.setpointer(target, pointer, network.mechanisms[name][reader])
    if GENERATOR is not None:
        network.sections.append(h.Section(name="generator"))
        generator = h.Generator(network.sections[-1](0.5))
        generator.low_start, generator.high_start = GENERATOR & 0xFFFFFF, GENERATOR >> 24
        for instance in (instance for name in DRAWING for instance in network.mechanisms[name]):
            h.setpointer(generator._ref_low, "generator_low", instance)
            h.setpointer(generator._ref_high, "generator_high", instance)
        network.generator = generator


def find_senders(h, network, make_port):
    """Finds what sends events: an instance itself, or a port that counts them, made for the instance."""
    for name, counter, own, instances, places in PORTS:
        senders = [network.mechanisms[name][instance] for instance in instances]
        if not own:
            owners = list(zip(senders, places))
            senders = []
            for owner, place in owners:
                senders.append(None)
                if owner is not None:
                    senders[-1] = make_port(owner)
                    h.setpointer(reference(owner, counter, place), "count", senders[-1])
        network.ports.append(senders)


def send_at_thresholds(h, network):
    """Lets a connection of an instance with itself say when it has events to send, instead of `WATCH`, which NEURON takes
    longer for."""
    for name, counter, own, *_ in PORTS:
        for instance in network.mechanisms[name] if own else []:
            if instance is None:
                continue
            instance.watches = 0
            connection = h.NetCon(reference(instance, counter, None), instance, sec=instance.get_segment().sec)
            connection.threshold, connection.delay, connection.weight[0] = 0.5, 0, -1
            network.connections.append(connection)


def delay_of(delay, step):
    """The delay of a connection in ms. An event is sent at the start of the step after its own, and
    received in the step in whose first half it is due."""
    if CABLES:
        # Without a delay, a quarter of a step stands in the table.
        return 0 if delay < 0.3 * step else 1000 * delay
    return 1000 * step * max(steps_of(delay, step) - 1, 0)


def steps_of(delay, step):
    """Steps until an event with this delay in seconds arrives; a delay of whole steps takes so many."""
    return math.ceil(delay / step - 1e-9)


def reference(instance, variable, place):
    """The variable for a pointer; `place` is an index, or None."""
    pointer = getattr(instance, "_ref_" + variable)
    return pointer if place is None else pointer[place]


class Recording:
    """What is recorded of a network while it runs."""

    def __init__(self, h, network):
        self.columns, self.spikes = {}, []
        for _, columns in DATA_FILES:
            for column in columns:
                name, variable, instance, place = column[:4]
                if place is None and instance is None or column[:4] in self.columns:
                    continue
                if name is not None:
                    target = reference(network.mechanisms[name][instance], variable, place)
                    self.columns[column[:4]] = [(h.Vector().record(target), 1)]
                    continue
                segment = network.cells[instance].sections[place[0]](place[1])
                self.columns[column[:4]] = [
                    (h.Vector().record(reference(segment, range_variable, None)), factor)
                    for range_variable, factor in variable]
        # NEURON records the events of a sender once; several selections may be of it.
        self.times, self.numbers, self.listeners = h.Vector(), h.Vector(), []
        self.selections, self.senders, self.known_as, known = [], [], {}, {}
        for number, (_, _, selections) in enumerate(EVENT_FILES):
            for identifier, port, member, rank in selections:
                if port is not None and (port, member) not in known:
                    known[port, member] = len(known)
                    sender = self.listen(h, network, (port, member), known[port, member])
                    self.known_as[sender] = known[port, member]
                    self.senders.append([])
                if port is not None:
                    self.senders[known[port, member]].append(len(self.selections))
                self.selections.append((number, identifier, rank))

    def listen(self, h, network, port, number):
        """Records the events of a member of a port, under the number that is given, or another."""
        if network.numbers:
            h.ParallelContext().spike_record(network.numbers[port], self.times, self.numbers)
            return network.numbers[port]
        listener = h.NetCon(network.ports[port[0]][port[1]], None)
        listener.record(self.times, self.numbers, number)
        self.listeners.append(listener)
        return number

    def values(self, column):
        """What a column has recorded, in SI units."""
        parts = [vector.as_numpy() if factor == 1 else factor * vector.as_numpy()
                 for vector, factor in self.columns[column]]
        return sum(parts[1:], parts[0])

    def events(self, step, steps):
        """Step, file and id of each event, in jLEMS's order."""
        found = [(0, -1, selection) for selection in EVENTS_AT_START]
        steps_of_events = numpy.rint(numpy.array(self.times) / (1000 * step)).astype(int).tolist()
        for when, number in zip(steps_of_events, numpy.array(self.numbers).tolist()):
            known = self.known_as.get(int(number))
            for selection in [] if known is None else self.senders[known]:
                found.append((when, self.selections[selection][2], selection))
        found.sort(key=lambda event: event[:2])
        for when, _, selection in found:
            if when <= steps:
                number, identifier, _ = self.selections[selection]
                yield when, number, identifier


def at_start(h, network, step):
    """What NEURON does at the start of a run: sets potentials, and sends the events that are on their way. The
    result must be kept until then."""

    def start():
        for name, cables, sections, along, _, potentials, _ in MEMBRANES:
            for cable, number, place, potential in zip(cables, sections, along, potentials):
                section = network.cells[cable].sections[number]
                if 0 < place < 1:
                    section(place).v = 1000 * potential
                    section(0).v = section(1).v = 1000 * potential
                else:
                    section(place).v = 1000 * potential

    # Events that are on their way at the start.
    waiting = [(h.NetCon(None, network.mechanisms[name][instance]), handler, place, delay)
               for name, instance, handler, place, delay in EVENTS_ON_THEIR_WAY]

    def send():
        for connection, handler, place, delay in waiting:
            connection.weight[0], connection.weight[1] = handler, place
            connection.delay = 0
            connection.event(delay_of(delay, step))

    return h.FInitializeHandler(0, start), h.FInitializeHandler(1, send)


def float_text(value):
    """A number as Java prints a float of 32 bits."""
    value = numpy.float32(value)
    if value == 0:
        return "-0.0" if numpy.signbit(value) else "0.0"
    if not numpy.isfinite(value):
        return "NaN" if numpy.isnan(value) else "-Infinity" if value < 0 else "Infinity"
    if 1e-3 <= abs(value) < 1e7:
        text = numpy.format_float_positional(value, unique=True, trim="0")
        return text if "." in text else text + ".0"
    digits, exponent = numpy.format_float_scientific(value, unique=True, trim="0").split("e")
    return f"{digits}E{int(exponent)}"


def float_texts(values):
    """Numbers as Java prints floats of 32 bits."""
    values = numpy.asarray(values, numpy.float32)
    # Python prints these in the same way, and faster.
    are_plain = (abs(values) >= 1e-3) & (abs(values) < 1e6)
    return [str(value) if is_plain else float_text(value) for value, is_plain in zip(values, are_plain)]


def times_of(steps, step):
    """The times of all rows, in seconds."""
    if CLOCK == "product":
        return [row * step for row in range(steps + 1)]
    terms = numpy.full(2 * steps, 1000 * step / 2) if CLOCK == "halves" else numpy.full(steps, step)
    sums = [0.0, *numpy.cumsum(terms).tolist()]
    return [time / 1000 for time in sums[::2]] if CLOCK == "halves" else sums


def write(folder, recording, steps, step):
    """Writes the files that `jlems-rs run` writes, each of them whole or not at all."""
    times = times_of(steps, step)
    time_texts = float_texts(times)
    rows = range(0, steps + 1, EVERY)
    for path, columns in DATA_FILES:
        texts = [[time_texts[row] for row in rows]]
        for column in columns:
            if column[0] is None and column[2] is None:
                texts.append([float_text(column[1] / column[4])] * len(rows))
                continue
            values = recording.values(column[:4])[: steps + 1 : EVERY] / column[4]
            if not numpy.isfinite(values).all():
                raise Problem(f"{column[0]}.{column[1]}, written to {path}, is not finite")
            texts.append(float_texts(values))
        lines = ("".join(text + "\t" for text in row) for row in zip(*texts))
        write_file(folder, path, lines)
    events = list(recording.events(step, steps))
    for number, (path, order, _) in enumerate(EVENT_FILES):
        own = [(time_texts[when], identifier) for when, of, identifier in events if of == number]
        if order == "ID_TIME":
            own = [(identifier, time) for time, identifier in own]
        write_file(folder, path, ("\t".join(event) for event in own if order))
    if TIMES_FILE:
        write_file(folder, TIMES_FILE, (time_texts[row] for row in rows))


def write_file(folder, path, lines):
    """Writes a file beside its final name, and moves it there when it is whole."""
    path = os.path.join(folder, path)
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path + ".partial", "w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".partial", path)


class Problem(Exception):
    """Something that the user can mend."""


def arguments(add=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tstop", type=float, metavar="MS", help="length of the run, in ms")
    parser.add_argument("--dt", type=float, metavar="MS", help="length of a step, in ms")
    parser.add_argument("--out", default=".", metavar="FOLDER", help="where the outputs go")
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors")
    parser.add_argument("-nogui", action="store_true", help=argparse.SUPPRESS)
    if add:
        add(parser)
    return parser.parse_args()


def length(given):
    """The step in seconds and the number of steps that the arguments ask for."""
    step = STEP if given.dt is None else given.dt / 1000
    if not step > 0:
        raise Problem("--dt must be greater than 0")
    if given.tstop is None and given.dt is None:
        return step, STEPS
    whole = STEP * STEPS if given.tstop is None else given.tstop / 1000
    return step, max(math.ceil(whole / step - 1e-9), 0)


def exit_after(main):
    """Runs the program; NEURON would go on to read hoc."""
    try:
        main()
    except (Problem, OSError, ImportError, RuntimeError) as problem:
        print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
    sys.exit(0)


# Most instances of a mechanism in a section. A section for each would be computed, too; in a section with many,
# NEURON takes long to find one.
SHARING = 16


class Cell:
    """A cell with dendrites: its sections, in order."""

    def __init__(self, h, name, number):
        self.name = f"{name}_{number}"
        self.sections = []
        if DENSITIES:
            # A template of its own file.
            self.template = getattr(h, name)()
            self.sections = [getattr(self.template, section) for section in CELLS[name]]
            return
        for section_name, parent, along, divisions, resistivity, points in CELLS[name]:
            section = h.Section(name=section_name, cell=self)
            for point in points:
                section.pt3dadd(*point)
            section.nseg, section.Ra = divisions, resistivity
            if parent is not None:
                section.connect(self.sections[parent](along), 0)
            self.sections.append(section)

    def __repr__(self):
        return self.name


def make_points(h, network, name, count):
    """Makes the instances of a mechanism that is not in a membrane. Sections give them places; nothing flows there."""
    make, instances = getattr(h, name), []
    for first in range(0, count, SHARING):
        section = h.Section(name=f"{name}_{first}")
        section.L = section.diam = 10
        network.sections.append(section)
        # NEURON computes what was put into a section last first.
        instances += reversed([make(section(0.5)) for _ in range(first, min(first + SHARING, count))])
    return instances


def build(step=STEP, with_numbers=False):
    """Makes all instances and connections, for steps of this length in seconds. CoreNEURON knows what
    sends events by numbers."""
    h = load_mechanisms()
    if CELSIUS is not None:
        h.celsius = CELSIUS
    for name, concentration in CONCENTRATIONS:
        setattr(h, name, concentration)
    network = Network()
    network.cells = [Cell(h, name, number) for number, name in enumerate(CABLES)]
    for name, cables, sections, along, capacitances, _, used in MEMBRANES:
        instances = []
        for cable, number, place, capacitance, is_used in zip(cables, sections, along, capacitances, used):
            segment = network.cells[cable].sections[number](place)
            if 0 < place < 1 and not DENSITIES:
                # uF/cm2 from farads and um2.
                segment.cm = 1e14 * capacitance / segment.area()
            instances.append(getattr(h, name)(segment) if is_used else None)
        network.mechanisms[name] = instances
    for name, count in MECHANISMS.items():
        if name not in network.mechanisms:
            network.mechanisms[name] = make_points(h, network, name, count)
    fill(h, network, step)
    if not with_numbers:
        send_at_thresholds(h, network)
    find_senders(h, network, lambda owner: h.EventPort(owner.get_segment()))
    context = h.ParallelContext()
    for port, senders in enumerate(network.ports if with_numbers else []):
        for member, sender in enumerate(senders):
            if sender is None:
                continue
            number = len(network.numbers)
            network.numbers[port, member] = number
            context.set_gid2node(number, context.id())
            context.cell(number, h.NetCon(sender, None))
    for port, handler, name, members, instances, places, delays in CONNECTIONS:
        senders, receivers = network.ports[port], network.mechanisms[name]
        for member, instance, place, delay in zip(members, instances, places, delays):
            if with_numbers:
                connection = context.gid_connect(network.numbers[port, member], receivers[instance])
            else:
                connection = h.NetCon(senders[member], receivers[instance])
            connection.weight[0] = handler
            if place:
                connection.weight[1] = place
            connection.delay = delay_of(delay, step)
            network.connections.append(connection)
    return network


def run(network, steps=STEPS, step=STEP, threads=1, coreneuron=False, progress=None):
    """Runs a network for so many steps from its start, and gives what is recorded of it."""
    h = load_mechanisms()
    recording = Recording(h, network)
    context = h.ParallelContext()
    if threads > 1:
        if any(min(delays, default=1) <= 2 * step for *_, delays in CONNECTIONS) or POINTERS or DRAWING:
            raise Problem("instances without a delay of two steps between them need one thread")
        context.nthread(threads)
    h.dt = 1000 * step
    handlers = at_start(h, network, step)
    h.finitialize(-65)
    del handlers
    if coreneuron:
        from neuron import coreneuron as core

        core.enable, core.verbose = True, 0
        context.set_maxstep(10)
        context.psolve((steps + 1) * h.dt)
    else:
        # One step more than rows: what is sent in a step is seen at the start of the next.
        for done in range(steps + 1):
            if progress and done % 1024 == 0:
                progress(done, steps)
            h.fadvance()
    return recording


class Progress:
    """How far a run is, on the terminal."""

    def __init__(self):
        self.begun = time.monotonic()

    def __call__(self, done, steps):
        spent = time.monotonic() - self.begun
        left = spent * (steps - done) / done if done else 0
        print(f"\r{done} of {steps} steps, {left:.0f} s left ", end="", file=sys.stderr, flush=True)


def options(parser):
    parser.add_argument("--seed", type=int, help="accepted if the model draws no random numbers")
    parser.add_argument("--coreneuron", action="store_true", help="compute with CoreNEURON")
    parser.add_argument("--nthread", type=int, default=1, help="number of threads")


def main():
    given = arguments(options)
    step, steps = length(given)
    if given.seed is not None and GENERATOR is not None:
        raise Problem("the seed is a part of the export: set it in the model, or by `export --seed`")
    progress = Progress() if sys.stderr.isatty() and not given.quiet else None
    network = build(step, with_numbers=given.coreneuron)
    recording = run(network, steps, step, given.nthread, given.coreneuron, progress)
    write(given.out, recording, steps, step)
    if not given.quiet:
        print(f"{steps} steps, {len(recording.times)} events recorded", file=sys.stderr)


if __name__ == "__main__":
    exit_after(main)
