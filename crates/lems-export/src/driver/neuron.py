

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
