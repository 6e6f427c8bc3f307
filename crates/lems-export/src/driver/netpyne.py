

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
