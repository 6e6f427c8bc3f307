#!/usr/bin/env python3
"""Computes how long a network takes on many nodes, from constants of one machine.

    python3 benches/scale_model.py                                  the constants below, 1 to 1,024 nodes
    python3 benches/scale_model.py --measure target/release/jlems-rs    measures them here first
    python3 benches/scale_model.py --total-cells 1000000 --rate 10

The model is arithmetic, not a measurement on a cluster: nobody has measured jlems-rs on more than one machine. A step of
one rank takes

    work     cells and synapses of the rank, shared by its threads, and its synaptic events
    repeat   the whole work again, if connections have no delay and an event of another rank reaches it in the step
    reports  a look at each spike of the whole network
    exchange rounds x (latency x log2(ranks) + bytes / bandwidth); a second round if a spike crosses without a delay; one for
             as many steps as fit into the least delay, if all connections have one
    wait     for the slowest rank: imbalance x sqrt(2 ln(ranks)) of the work

Not counted: steps that are made a third time, the copy of the variables that a repeated step begins from, and outputs.

As the program is today, each rank reads and builds the whole network, so set-up and memory grow with all of it.

Constants are times and bytes as options name them. `--measure` finds those of this machine: the time per step and cell and
per step and synapse (two lengths of runs without and with synapses), set-up and memory per cell and connection (the
peak of a process that makes one step), and the time of an exchange (a small network alone and by two processes of
`mpirun`). What cannot be measured on one machine is assumed: latency and bandwidth between nodes, imbalance, and the
share of threads. Python 3.8+, standard library only.
"""
import argparse
import math
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import models  # noqa: E402

# (name, value, whether `--measure` finds it, what it is)
CONSTANTS = [
    ("cell", 2.7, True, "ns per step and cell"),
    ("synapse", 0.865, True, "ns per step and synapse"),
    ("event", 10.0, False, "ns to deliver a spike to a synapse"),
    ("look", 5.0, False, "ns to look at a spike of the network"),
    ("setup-cell", 5850.0, True, "ns to read and build a cell"),
    ("setup-connection", 2195.0, True, "ns to read and build a connection"),
    ("bytes-cell", 1208.0, True, "bytes per cell at the peak"),
    ("bytes-connection", 298.0, True, "bytes per connection at the peak"),
    ("exchange", 5.5, True, "us of an exchange between two ranks of a node"),
    ("latency", 2.0, False, "us between two nodes"),
    ("bandwidth", 12.0, False, "GB/s between two nodes"),
    ("imbalance", 0.03, False, "standard deviation of the work of ranks"),
    ("threads-share", 0.9, False, "share of each thread after the first that is not lost"),
]
# Words of a report that go with one message of MPI, each of 8 bytes.
SMALL_REPORT = 31


class Run:
    """The processor time, wall time and peak memory of a run."""

    def __init__(self, command, folder):
        began = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, env=os.environ | ALLOWED)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"{shlex.join(command)} ended with status {process.returncode}")
        self.wall = time.perf_counter() - began
        self.processor = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * 1024


# Open MPI does not start processes of root, or more than there are processors, if it is not told to.
ALLOWED = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
}


def measured(program, mpirun, cells, synapses, rounds):
    """The constants that can be measured on this machine."""
    program = os.path.abspath(program)
    with tempfile.TemporaryDirectory() as folder:

        def runs(sizes, launcher=()):
            """Medians of processor time and peak of a network, and the shortest wall time."""
            name = models.write(folder, "izhikevich:" + sizes)
            command = [*launcher, program, "run", "--quiet", "--threads", "1", f"LEMS_{name}.xml"]
            made = [Run(command, folder) for _ in range(rounds)]
            processor, peak = (statistics.median(getattr(run, what) for run in made) for what in ("processor", "peak"))
            return processor, peak, min(run.wall for run in made)

        few, many = 1, 400
        without = {steps: runs(f"cells={cells},synapses=0,steps={steps}") for steps in (few, many)}
        with_them = {steps: runs(f"cells={cells},synapses={synapses},steps={steps}") for steps in (few, many)}
        # The peak of a small process is that of the Python process which it was before.
        larger = {times: runs(f"cells={times * cells},synapses=0,steps=1") for times in (3, 9)}
        per_step = lambda of: (of[many][0] - of[few][0]) / (many - few)
        connections = cells * synapses
        found = {
            "cell": per_step(without) / cells * 1e9,
            "synapse": (per_step(with_them) - per_step(without)) / connections * 1e9,
            "setup-cell": (larger[9][0] - larger[3][0]) / (6 * cells) * 1e9,
            "setup-connection": (with_them[few][0] - without[few][0]) / connections * 1e9,
            "bytes-cell": (larger[9][1] - larger[3][1]) / (6 * cells),
            "bytes-connection": 0.0,
        }
        found["bytes-connection"] = (with_them[few][1] - found["bytes-cell"] * cells) / connections
        if mpirun:
            few, many = 10_000, 210_000
            launcher = [*mpirun, "-n", "2"]
            # The synapses have no delay, so that each step needs an exchange.
            wall = lambda steps, by: runs(f"cells=16,synapses=1,steps={steps}", by)[2]
            alone, together = (wall(many, by) - wall(few, by) for by in ((), launcher))
            found["exchange"] = (together - alone) / (many - few) * 1e6
        return found


def step_of(ranks, cells, is_delayed, given):
    """Seconds of a step with so many cells in each rank; whether all connections have a delay of a step or more."""
    constants, ns, us = given.constants, 1e-9, 1e-6
    threads = 1 + (given.threads - 1) * constants["threads-share"]
    synapses = cells * given.synapses
    firing = given.rate * given.step * 1e-3
    equations = (cells * constants["cell"] + synapses * constants["synapse"]) * ns / threads
    work = equations + synapses * firing * constants["event"] * ns
    spikes = ranks * cells * firing
    if ranks == 1:
        return work
    # The chance that a spike of another rank reaches a rank in a step, if it can do so at once.
    from_others = synapses * firing * (ranks - 1) / ranks
    repeated = 0.0 if is_delayed else -math.expm1(-from_others)
    window = max(1, math.ceil(given.delay / given.step) - 1) if is_delayed and given.delay else 1
    words = 4 + window * spikes / ranks
    size = ranks * 8 * max(words, SMALL_REPORT)
    nodes = math.ceil(ranks / given.ranks)
    within = constants["exchange"] * us * math.log2(min(ranks, given.ranks)) if given.ranks > 1 else 0.0
    between = constants["latency"] * us * math.ceil(math.log2(nodes)) if nodes > 1 else 0.0
    calls = 1 if words <= SMALL_REPORT else 2
    exchange = calls * (within + between) + (size / (constants["bandwidth"] * 1e9) if nodes > 1 else 0.0)
    # A step in which a spike crosses at once is final when a second exchange tells the same.
    rounds = 1 / window if is_delayed else 1 - math.expm1(-spikes)
    wait = constants["imbalance"] * math.sqrt(2 * math.log(ranks)) * work
    return work * (1 + repeated) + wait + rounds * exchange + spikes * constants["look"] * ns


def second_of(nodes, is_delayed, given):
    """Seconds that a simulated second takes."""
    cells = given.total_cells or given.cells * nodes
    ranks = nodes * given.ranks
    return step_of(ranks, cells / ranks, is_delayed, given) * 1000 / given.step


def row(nodes, given):
    """A row of the table."""
    constants = given.constants
    cells = given.total_cells or given.cells * nodes
    connections = cells * given.synapses
    yield f"{nodes:,}"
    yield short(cells).strip()
    yield short(connections).strip()
    for is_delayed in (True, False):
        # What one node would take, with a share of the network if that does not grow.
        ideal = second_of(1, True, given) / (nodes if given.total_cells else 1)
        seconds = second_of(nodes, is_delayed, given)
        yield f"{seconds:.3g} ({100 * ideal / seconds:.0f} %)"
    set_up = cells * constants["setup-cell"] + connections * constants["setup-connection"]
    yield f"{set_up * 1e-9:,.0f}"
    memory = cells * constants["bytes-cell"] + connections * constants["bytes-connection"]
    yield short(memory * given.ranks) + "B"


def short(number):
    """A number with three digits and a prefix."""
    for size, prefix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {prefix}"
    return f"{number:.3g} "


def shown(given, origin):
    """The assumptions and the table, as Markdown."""
    kind = f"{given.total_cells:,} cells in all" if given.total_cells else f"{given.cells:,} cells a node"
    yield (f"{kind}, {given.synapses:,} synapses each, {given.rate:g} Hz, steps of {given.step:g} ms; ranks of a node: "
           f"{given.ranks}, threads of each: {given.threads}.")
    yield ""
    yield "| constant | value | |"
    yield "| --- | --- | --- |"
    for name, _, _, unit in CONSTANTS:
        yield f"| `--{name}` | {given.constants[name]:,.4g} {unit} | {origin[name]} |"
    yield ""
    yield "| nodes | cells | connections | 1 s with delays, s | 1 s without delays, s | set-up, s | memory of a node |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for nodes in given.nodes:
        yield f"| {' | '.join(row(nodes, given))} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", metavar="PROGRAM", help="measure the constants of this machine with this program")
    parser.add_argument("--mpirun", type=shlex.split, default=["mpirun"], help="launcher; empty: the exchange is not measured")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each measurement, of which the median counts")
    parser.add_argument("--cells", type=int, default=100_000, help="cells of each node: weak scaling")
    parser.add_argument("--total-cells", type=int, help="cells of the network instead: strong scaling")
    parser.add_argument("--synapses", type=int, default=100, help="synapses of each cell")
    parser.add_argument("--rate", type=float, default=5.0, help="spikes of a cell in a second")
    parser.add_argument("--step", type=float, default=0.1, help="length of a step in ms")
    parser.add_argument("--delay", type=float, help="least delay of connections that have one, in ms, instead of a step")
    parser.add_argument("--ranks", type=int, default=1, help="ranks of a node")
    parser.add_argument("--threads", type=int, default=16, help="threads of a rank")
    parser.add_argument("--nodes", type=lambda text: [int(one) for one in text.split(",")],
                        default=[2**power for power in range(11)], help="numbers of nodes, such as 1,16,256")
    for name, value, _, unit in CONSTANTS:
        parser.add_argument(f"--{name}", type=float, metavar="NUMBER", help=f"{unit} (if not measured: {value:g})")
    given = parser.parse_args()
    given.constants = {name: value for name, value, *_ in CONSTANTS}
    origin = {name: "measured 2026-11-29" if is_measured else "assumed" for name, _, is_measured, _ in CONSTANTS}
    if given.measure:
        found = measured(given.measure, given.mpirun, 10_000, 100, given.rounds)
        given.constants.update(found)
        origin.update(dict.fromkeys(found, "measured"))
    for name in given.constants:
        value = getattr(given, name.replace("-", "_"))
        if value is not None:
            given.constants[name], origin[name] = value, "given"
    print("\n".join(shown(given, origin)))


if __name__ == "__main__":
    main()
