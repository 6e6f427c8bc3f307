#!/usr/bin/env python3
"""LEMS_izhikevich_network.xml in NetPyNE: builds the network, runs it, and writes its files.

Made by jlems-rs. Compile the mechanisms beside this file first: `nrnivmodl`. `build()` makes the
network without running it.
"""

import argparse
import contextlib
import io
import math
import os
import sys

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
STEP, STEPS, EVERY = 0.0001, 100000, 1

# How the time of a row is found: by adding up steps, as their product, or by adding up half steps in ms.
CLOCK = "sum"

# How many instances of each mechanism there are.
MECHANISMS = {
    "izhikevich2007Cell": 10,
}

# Cells with dendrites: name, section that it begins on and where, number of compartments, resistivity
# (ohm cm), points (um) of each section.
CELLS = {
}

# The cells that there are.
CABLES = []

# Mechanism of a membrane; for each instance the cell, the section, how far along it, the capacitance (F)
# and the potential at the start (V), and whether it does anything.
MEMBRANES = [
]

# Mechanism, variable, its value in each instance (SI units).
SCALARS = [
    ("izhikevich2007Cell", "vm_start", [-0.06]*5 + [-0.075]*5),
    ("izhikevich2007Cell", "k_", [7e-7]*5 + [1.2e-6]*5),
    ("izhikevich2007Cell", "vr", [-0.06]*5 + [-0.075]*5),
    ("izhikevich2007Cell", "vt", [-0.04]*5 + [-0.045]*5),
    ("izhikevich2007Cell", "C", [1e-10]*5 + [1.5e-10]*5),
    ("izhikevich2007Cell", "a", [30.0]*5 + [10.0]*5),
    ("izhikevich2007Cell", "b", [-2e-9]*5 + [5e-9]*5),
    ("izhikevich2007Cell", "vpeak", [0.035]*5 + [0.05]*5),
    ("izhikevich2007Cell", "c", [-0.05]*5 + [-0.056]*5),
    ("izhikevich2007Cell", "d", [1e-10]*5 + [1.3e-10]*5),
    ("izhikevich2007Cell", "n_expOneSynapse", [1.0, 2.0, 4.0, 3.0, 2.0, 4.0, 3.0, 3.0, 3.0, 4.0]),
    ("izhikevich2007Cell", "n_pulseGenerator", [1.0]*5 + [0.0]*5),
]

# Mechanism, array, how many elements each instance has, and all elements.
ARRAYS = [
    ("izhikevich2007Cell", "expOneSynapse_gbase", [1, 2, 4, 3, 2, 4, 3, 3, 3, 4], [1e-9]*12 + [9.000000000000001e-9]*17),
    ("izhikevich2007Cell", "expOneSynapse_erev", [1, 2, 4, 3, 2, 4, 3, 3, 3, 4], [-0.08]*12 + [0.0]*17),
    ("izhikevich2007Cell", "expOneSynapse_tauDecay", [1, 2, 4, 3, 2, 4, 3, 3, 3, 4], [0.025]*12 + [0.012]*17),
    ("izhikevich2007Cell", "pulseGenerator_delay", [1]*5 + [0]*5, [0.05, 0.07, 0.09, 0.11, 0.13]),
    ("izhikevich2007Cell", "pulseGenerator_amplitude", [1]*5 + [0]*5, [6.199999999999999e-11, 7e-11, 7.8e-11, 8.7e-11, 9.8e-11]),
]

# Mechanism, pointer, instances; mechanism and variable that they point to, instances, places.
POINTERS = [
]

# Mechanism, counter of events, whether the mechanism sends them itself, instances, places.
PORTS = [
    ("izhikevich2007Cell", "sent", True, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [None]*10),
]

# Number of the port, handler, mechanism; then for each connection the sender, the receiver, the place
# there, and the delay in seconds.
CONNECTIONS = [
    (0, 0, "izhikevich2007Cell", [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 8, 9], [6, 7, 9, 5, 8, 9, 5, 7, 8, 5, 6, 7, 9, 5, 6, 8, 9, 1, 2, 3, 0, 2, 3, 4, 2, 3, 4, 2, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 1, 2, 2, 3, 2, 2, 3, 0, 0, 0, 0, 1, 1, 0, 2, 2, 1, 3, 1], [5e-5]*29),
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
    ("izhikevich_network.dat", [
        ("izhikevich2007Cell", "vm", 0, None, 1.0),
        ("izhikevich2007Cell", "vm", 5, None, 1.0),
    ]),
]

# Path, order of the fields; then id, port, member and order of each selection.
EVENT_FILES = [
    ("izhikevich_network.spikes", "ID_TIME", [
        ("0", 0, 0, 4294967296),
        ("1", 0, 1, 4294967297),
        ("2", 0, 2, 4294967298),
        ("3", 0, 3, 4294967299),
        ("4", 0, 4, 4294967300),
        ("5", 0, 5, 4294967301),
        ("6", 0, 6, 4294967302),
        ("7", 0, 7, 4294967303),
        ("8", 0, 8, 4294967304),
        ("9", 0, 9, 4294967305),
    ]),
]

# The file of times, if one is wanted.
TIMES_FILE = None

# State of java.util.Random at the start, and the mechanisms that draw.
GENERATOR, DRAWING = None, []

# Density mechanisms; the temperature (degrees Celsius) and the concentrations (mM) that they find.
DENSITIES = []
CELSIUS, CONCENTRATIONS = None, []

# Populations: name, the mechanism or the cell that it is of, the first instance or cell of it, and how many.
POPULATIONS = [
    ("pacemakers", "izhikevich2007Cell", 0, 5),
    ("followers", "izhikevich2007Cell", 5, 5),
]

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


# The population of the mechanisms that count events for others.
COUNTERS = "EventPort"


class Layout:
    """Where the instances of mechanisms and the senders of events are among NetPyNE's cells. A cell is a population and a
    number in it."""

    def __init__(self):
        # By mechanism and instance: the cell, section and how far along it.
        self.places, cables = {}, {}
        for population, kind, first, count in POPULATIONS:
            for number in range(count):
                if kind in CELLS:
                    cables[first + number] = population, number
                else:
                    self.places[kind, first + number] = (population, number), "soma", 0.5
        for name, of, sections, along, _, _, used in MEMBRANES:
            for instance, (cable, section, place) in enumerate(zip(of, sections, along)):
                if used[instance]:
                    self.places[name, instance] = cables[cable], section_names(CABLES[cable])[section], place
        # By port and member: the cell that sends its events. The first sender in a cell has that of the cell.
        self.senders, self.counters, taken = {}, 0, set()
        for port, (name, _, own, instances, _) in enumerate(PORTS):
            for member, instance in enumerate(instances):
                if (name, instance) not in self.places:
                    continue
                cell = self.places[name, instance][0] if own else (COUNTERS, self.counters)
                self.counters += not own
                if cell not in taken:
                    self.senders[port, member] = cell
                    taken.add(cell)

    def connections(self):
        """All connections of cells: population before and after, mechanism there; then sender, receiver and their event
        in lists. And the connections that NetPyNE has no lists for: further senders, and a cell with itself."""
        lists, others = {}, []
        for port, handler, name, members, instances, places, delays in CONNECTIONS:
            for member, instance, place, delay in zip(members, instances, places, delays):
                receiver, section, along = self.places[name, instance]
                sender = self.senders.get((port, member))
                if sender is None or sender == receiver:
                    others.append((port, member, name, instance, handler, place, delay))
                else:
                    made = sender[1], receiver[1], section, along, handler, place, delay
                    lists.setdefault((sender[0], receiver[0], name), []).append(made)
        return lists, others


def section_names(kind):
    """Names of the sections of a cell with dendrites."""
    return CELLS[kind] if DENSITIES else [name for name, *_ in CELLS[kind]]


def net_params(step=STEP):
    """The network as NetPyNE has it: types of cells, populations, connections."""
    h = load_mechanisms()
    from netpyne import specs

    layout, params = Layout(), specs.NetParams()
    set_concentrations(h)
    for name in CELLS:
        if DENSITIES:
            # NetPyNE reads the template. Where a cell is must not change its points, which are numbers of 32 bits.
            file = os.path.join(HERE, f"{name}.hoc")
            params.importCellParams(label=name, fileName=file, cellName=name, somaAtOrigin=False)
        else:
            params.cellParams[name] = {"secs": sections_of(name)}
    kinds = [kind for _, kind, _, _ in POPULATIONS if kind not in CELLS]
    for name in dict.fromkeys(kinds + [COUNTERS] * (layout.counters > 0)):
        mechanism = {"mod": name, "loc": 0.5}
        if name != COUNTERS:
            # A mechanism with a `vref` receives the events of connections itself.
            mechanism["vref"] = "time_step"
        params.cellParams[name] = {"secs": {"soma": {
            "geom": {"L": 10, "diam": 10}, "topol": {}, "mechs": {}, "pointps": {name: mechanism}}}}
    for name, kind, first, count in POPULATIONS:
        params.popParams[name] = {"cellType": kind, "cellsList": cells_of(kind, first, count, step)}
    if layout.counters:
        params.popParams[COUNTERS] = {"cellType": COUNTERS, "cellsList": [{} for _ in range(layout.counters)]}
    for name, *_, used in MEMBRANES:
        if any(used):
            params.synMechParams[name] = {"mod": name}
    for number, ((before, after, name), made) in enumerate(layout.connections()[0].items()):
        rule = {"preConds": {"pop": before}, "postConds": {"pop": after},
                "connList": [[sender, receiver] for sender, receiver, *_ in made],
                "sec": [section for _, _, section, *_ in made], "loc": [along for _, _, _, along, *_ in made],
                "weight": [handler for *_, handler, _, _ in made], "delay": [delay_of(delay, step) for *_, delay in made]}
        if name in params.synMechParams:
            rule["synMech"] = name
        params.connParams[f"{number}: {before} to {after}"] = rule
    return params


def sections_of(name):
    """The sections of a cell that is not a template."""
    sections = {}
    for section, parent, along, divisions, resistivity, points in CELLS[name]:
        sections[section] = {"geom": {"nseg": divisions, "Ra": resistivity, "pt3d": points}, "topol": {}, "mechs": {}}
        if parent is not None:
            sections[section]["topol"] = {"parentSec": CELLS[name][parent][0], "parentX": along, "childX": 0}
    return sections


def cells_of(kind, first, count, step):
    """The cells of a population; a mechanism with the values of its variables."""
    if kind in CELLS:
        return [{} for _ in range(count)]
    given = [(variable, values) for name, variable, values in SCALARS if name == kind]
    own = range(first, first + count)
    return [{"params": {"time_step": step, **{variable: values[of] for variable, values in given}}} for of in own]


def set_concentrations(h):
    for name, concentration in CONCENTRATIONS:
        setattr(h, name, concentration)


def sim_config(steps=STEPS, step=STEP):
    """How NetPyNE runs the network."""
    from netpyne import specs

    config = specs.SimConfig()
    # One step more than rows: what is sent in a step is seen at the start of the next.
    config.duration, config.dt = 1000 * step * (steps + 1), 1000 * step
    config.hParams = {"celsius": 6.3 if CELSIUS is None else CELSIUS, "v_init": -65}
    config.recordStep, config.progressBar, config.pt3dRelativeToCellLocation = config.dt, 0, False
    # Synapses at one place are one mechanism.
    config.oneSynPerNetcon = False
    config.filename, config.saveJson = os.path.splitext(os.path.abspath(__file__))[0], True
    return config


def build(steps=STEPS, step=STEP, params=None, config=None):
    """Makes all cells and connections in NetPyNE, for steps of this length in seconds."""
    h = load_mechanisms()
    from netpyne import sim

    sim.initialize(netParams=params or net_params(step), simConfig=config or sim_config(steps, step))
    if sim.nhosts > 1:
        raise Problem("this network is made for one process")
    sim.net.createPops()
    sim.net.createCells()
    set_concentrations(h)
    layout, network, pops = Layout(), Network(), {}
    for cell in sim.net.cells:
        pops.setdefault(cell.tags["pop"], []).append(cell)
    find_instances(layout, network, pops)
    fill(h, network, step)
    send_at_thresholds(h, network)
    counters = iter(pops.get(COUNTERS, []))
    find_senders(h, network, lambda owner: mechanism_of(next(counters)))
    # NetPyNE's number of each sender. Further senders of a cell have numbers after those of all cells.
    network.gids, free = {}, sim.net.lastGid
    for port, senders in enumerate(network.ports):
        for member, sender in enumerate(senders):
            cell = layout.senders.get((port, member))
            if cell:
                network.gids[port, member] = pops[cell[0]][cell[1]].gid
            elif sender is not None:
                network.gids[port, member], free = free, free + 1
    give_numbers(h, sim, network)
    connect(sim, layout, network, pops, step)
    sim.net.addStims()
    sim.setupRecording()
    return network


def mechanism_of(cell):
    """The mechanism of a cell without dendrites."""
    return cell.secs["soma"]["pointps"][cell.tags["cellType"]]["hObj"]


def find_instances(layout, network, pops):
    """Finds the instances of mechanisms among NetPyNE's cells, and adds those in the membranes of cells with dendrites."""
    network.cells = [None] * len(CABLES)
    for population, kind, first, _ in POPULATIONS:
        for number, cell in enumerate(pops[population] if kind in CELLS else [], first):
            network.cells[number] = Cell(cell, kind)
    network.mechanisms = {name: [None] * count for name, count in MECHANISMS.items()}
    membranes = {name for name, *_ in MEMBRANES}
    for (name, instance), ((population, number), section, along) in layout.places.items():
        cell = pops[population][number]
        if name in membranes:
            cell.addSynMech(synLabel=name, secLabel=section, loc=along)
            network.mechanisms[name][instance] = cell.secs[section]["synMechs"][-1]["hObj"]
        else:
            network.mechanisms[name][instance] = mechanism_of(cell)
    for name, cables, sections, along, capacitances, *_ in MEMBRANES:
        for cable, section, place, capacitance in zip(cables, sections, along, capacitances):
            segment = network.cells[cable].sections[section](place)
            # uF/cm2 from farads and um2. NetPyNE has read one value for each section.
            wanted = 1e14 * capacitance / segment.area() if 0 < place < 1 else segment.cm
            if not math.isclose(segment.cm, wanted, rel_tol=1e-6 if DENSITIES else 0):
                segment.cm = wanted


class Cell:
    """A cell with dendrites: its sections, in order."""

    def __init__(self, cell, kind):
        self.sections = [cell.secs[name]["hObj"] for name in section_names(kind)]


def give_numbers(h, sim, network):
    """Makes mechanisms the senders of the events of their cells. NetPyNE would take a potential that crosses a threshold;
    it does so in cells that send nothing."""
    senders = {gid: h.NetCon(network.ports[port][member], None) for (port, member), gid in network.gids.items()}
    for cell in sim.net.cells:
        if cell.gid not in senders:
            place, section = cell.spikeGenLocAndSec(cell.secs)
            senders[cell.gid] = h.NetCon(section["hObj"](place)._ref_v, None, sec=section["hObj"])
    sim.pc.gid_clear()
    for gid, sender in senders.items():
        sim.pc.set_gid2node(gid, sim.rank)
        sim.pc.cell(gid, sender)


def connect(sim, layout, network, pops, step):
    """Makes all connections. An event has two numbers, of which NetPyNE gives the first."""
    sim.net.connectCells()
    lists, others = layout.connections()
    made = {}
    for (_, after, _), own in lists.items():
        for _, receiver, *_, place, _ in own:
            cell = pops[after][receiver]
            next(made.setdefault(cell.gid, iter(cell.conns)))["hObj"].weight[1] = place
    for port, member, name, instance, handler, place, delay in others:
        connection = sim.pc.gid_connect(network.gids[port, member], network.mechanisms[name][instance])
        connection.weight[0], connection.weight[1] = handler, place
        connection.delay = delay_of(delay, step)
        network.connections.append(connection)


class EventsOfAll(Recording):
    """What is recorded while NetPyNE records the events of all cells."""

    def listen(self, h, network, port, number):
        return network.gids[port]


def run(network, steps=STEPS, step=STEP):
    """Runs a network for so many steps from its start, and gives what is recorded of it."""
    h = load_mechanisms()
    from netpyne import sim

    recording = EventsOfAll(h, network)
    sim.preRun()
    # Processes would exchange events so often; this must be more than a step.
    sim.pc.set_maxstep(100 * h.dt)
    handlers = at_start(h, network, step)
    sim.runSim(skipPreRun=True)
    del handlers
    recording.times, recording.numbers = (list(sim.simData[name]) for name in ("spkt", "spkid"))
    sim.gatherData()
    return recording


def options(parser):
    parser.add_argument("--json", "-json", action="store_true", help="write the network as JSON of NetPyNE, too")
    parser.add_argument("--norun", "-norun", action="store_true", help="only make the network")


def main():
    given = arguments(options)
    step, steps = length(given)
    with contextlib.redirect_stdout(io.StringIO() if given.quiet else sys.stdout):
        network = build(steps, step)
        if given.json:
            from netpyne import sim

            sim.saveData(include=["simConfig", "netParams", "net"])
        if given.norun:
            return
        recording = run(network, steps, step)
    write(given.out, recording, steps, step)
    if not given.quiet:
        print(f"{steps} steps, {len(recording.times)} events recorded", file=sys.stderr)


if __name__ == "__main__":
    exit_after(main)
