#!/usr/bin/env python3
"""Measures the Python package: import, runs, sweeps, notebooks, memory, leaks.

    benches/python.py [--wheel FILE] [--java] [--rounds N] [--only NAME ...]

Each measure is made in processes of its own, `--rounds` times. What is compared is run in turn, in one round after the
other. The table has medians. Libraries of linear algebra get one thread (OPENBLAS_NUM_THREADS, OMP_NUM_THREADS): those of
numpy's OpenBLAS wait for work in a loop after `import numpy`, and processor time would count that. Needs the package, and libNeuroML for `notebook`, pyNeuroML for `text` and `--java`.
Linux or macOS.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
NETWORK = ROOT / "examples/izhikevich-network/LEMS_izhikevich_network.xml"

# What the scripts have in common. `cpu` counts the processes that were waited for, too.
HEAD = f"""
import json, os, resource, sys, time
FILE = {str(NETWORK)!r}
TEN = [f"{{population}}[{{n}}]/v" for population in ("pacemakers", "followers") for n in range(5)]
def cpu():
    return sum(getattr(resource.getrusage(who), field) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
               for field in ("ru_utime", "ru_stime"))
def timed(body):
    wall, used = time.perf_counter(), cpu()
    body()
    return {{"cpu": cpu() - used, "wall": time.perf_counter() - wall}}
def resident():
    if os.path.exists("/proc/self/statm"):
        return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
    return peak()
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
def say(**found):
    print("FOUND " + json.dumps(found))
"""

# A simulation with ten output columns, for those who read files.
TEXT = """
lems = open(FILE).read()
import re, shutil
lems = re.sub(r'length="[^"]*"', 'length="10s"', lems, count=1)
lems = re.sub(r"<OutputFile.*?</OutputFile>", "", lems, flags=re.S)
columns = "".join(f'<OutputColumn id="c{n}" quantity="{path}"/>' for n, path in enumerate(TEN))
lems = lems.replace("</Simulation>", f'<OutputFile id="ten" fileName="ten.dat">{columns}</OutputFile></Simulation>')
open("LEMS_ten.xml", "w").write(lems)
for name in os.listdir(os.path.dirname(FILE)):
    if name.endswith(".nml"):
        shutil.copy(os.path.join(os.path.dirname(FILE), name), ".")
import logging; logging.disable(logging.CRITICAL)
from pyneuroml.runners import run_lems_with_jneuroml
"""

SCRIPTS = {
    "import": """
import numpy
say(**timed(lambda: __import__("jlems")))
""",
    "run": """
import jlems
run = lambda: jlems.run(FILE, length="10 s", record=TEN, spikes="*")
run()
say(**timed(run))
""",
    "text": TEXT
    + """
import jlems.compat.pyneuroml; jlems.compat.pyneuroml.install()
run = lambda: run_lems_with_jneuroml("LEMS_ten.xml", nogui=True, load_saved_data=True, reload_events=True)
run()
say(**timed(run))
""",
    "java": TEXT
    + """
run = lambda: run_lems_with_jneuroml("LEMS_ten.xml", nogui=True, load_saved_data=True, reload_events=True)
say(**timed(run))
""",
    "sweep": """
import jlems
model = jlems.load(FILE, length="1 s")
name = next(id for id, component in model.components.items() if "C" in component.parameters)
simulation = model.simulation(record=[], spikes="*")
sweep = simulation.sweep({f"{name}/C": [f"{90 + 0.02 * n} pF" for n in range(1000)]})
count = lambda result: sum(spikes.count for spikes in result.spikes.values())
say(one=timed(lambda: sweep.run(threads=1, reduce=count)), two=timed(lambda: sweep.run(threads=2, reduce=count)))
""",
    "runs": """
import jlems
simulation = jlems.load(FILE, length="1 s").simulation(record=[], spikes="*")
say(**timed(lambda: [simulation.run() for _ in range(1000)]))
""",
    "notebook": """
start = time.perf_counter()
import jlems
imported = time.perf_counter()
import neuroml
from neuroml.utils import component_factory
document = component_factory("NeuroMLDocument", id="net")
cell = dict(v0="-60mV", C="100pF", k="0.7nS_per_mV", vr="-60mV", vt="-40mV", vpeak="35mV", a="0.03per_ms", b="-2nS", c="-50mV", d="100pA")
document.add("Izhikevich2007Cell", id="iz", **cell)
document.add("PulseGenerator", id="pg", delay="50ms", duration="400ms", amplitude="0.1nA")
network = document.add("Network", id="net", validate=False)
network.add("Population", id="pop", component="iz", size=10)
network.add("ExplicitInput", target="pop[0]", input="pg")
def cell():
    result = jlems.from_neuroml(document, length="500 ms", step="0.1 ms").run(record="pop[*]/v", spikes="*")
    assert "<svg" in result._repr_html_()
found = timed(cell)
say(wall=found["wall"], cpu=found["cpu"], import_wall=imported - start)
""",
    "memory": """
import jlems
simulation = jlems.load(FILE, length="100 s", step="0.1 ms").simulation(record=TEN, spikes=[])
before = peak()
result = simulation.run()
arrays = result.t.nbytes + result.values.nbytes
assert result.values.shape == (10, 1000001)
say(arrays=arrays, beyond=peak() - before - arrays)
""",
    "leaks": """
import jlems
model = jlems.load(FILE, length="10 ms")
simulation = model.simulation(record=TEN, spikes="*")
sizes = []
for number in range(10001):
    # Every tenth run also reads, builds and compiles anew, and fails now and then.
    if number % 10 == 0:
        jlems.load(FILE, length="1 ms").run(seed=number)
        try:
            jlems.loads("<Lems><nothing/></Lems>").run()
        except jlems.ModelError:
            pass
    simulation.run()
    with simulation.start() as run:
        run.step(3)
    if number in (1000, 5000, 10000):
        sizes.append(resident())
say(after_1000=sizes[0], after_5000=sizes[1], after_10000=sizes[2])
""",
}


def measured(name: str, folder: str) -> dict[str, object]:
    """What a script says of itself."""
    command = [sys.executable, "-c", HEAD + SCRIPTS[name]]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    for line in done.stdout.splitlines():
        if line.startswith("FOUND "):
            return json.loads(line.removeprefix("FOUND "))  # type: ignore[no-any-return]
    raise SystemExit(f"{name}: {done.stderr or done.stdout}")


def median(rounds: list[dict[str, object]], *path: str) -> float:
    values = []
    for found in rounds:
        value: object = found
        for step in path:
            value = value[step]  # type: ignore[index]
        values.append(float(value))  # type: ignore[arg-type]
    return statistics.median(values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=pathlib.Path)
    parser.add_argument("--java", action="store_true", help="also run with jNeuroML, which needs Java")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="*", choices=sorted(SCRIPTS), default=[])
    arguments = parser.parse_args()
    names = [name for name in SCRIPTS if name != "java" or arguments.java]
    names = [name for name in names if not arguments.only or name in arguments.only]
    found: dict[str, list[dict[str, object]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(arguments.rounds):
            for name in names:
                if number == 0 or name not in ("leaks", "memory"):
                    found[name].append(measured(name, folder))

    rows: list[tuple[str, str, str]] = []

    def row(name: str, what: str, value: float, unit: str, goal: str = "") -> None:
        rows.append((what, f"{value:.4g} {unit}", goal))

    if "import" in found:
        row("import", "`import jlems` after numpy, CPU", 1000 * median(found["import"], "cpu"), "ms", "<= 15 ms")
    if "run" in found:
        row("run", "10 cells, 10 s, ten potentials as arrays, CPU", median(found["run"], "cpu"), "s", "<= 0.015 s")
    for name, what in (("text", "the same by `run_lems_with_jneuroml` with `install()`, CPU"), ("java", "the same with Java, CPU")):
        if name in found:
            row(name, what, median(found[name], "cpu"), "s")
    if "sweep" in found:
        row("sweep", "1,000 values of a parameter, 1 s, spikes, one thread, CPU", median(found["sweep"], "one", "cpu"), "s", "<= 1.5 s")
        row("sweep", "the same on two threads, wall", median(found["sweep"], "two", "wall"), "s", "<= 0.85 s")
    if "runs" in found:
        row("runs", "1,000 runs of a simulation, 1 s, spikes, CPU", median(found["runs"], "cpu"), "s")
    if "notebook" in found:
        row("notebook", "from a libNeuroML document to the picture, wall", median(found["notebook"], "wall"), "s", "<= 0.3 s")
        row("notebook", "`import jlems` with numpy before it, wall", median(found["notebook"], "import_wall"), "s")
    if "memory" in found:
        row("memory", "peak memory beyond the arrays, 1e6 rows x 10", median(found["memory"], "beyond") / 2**20, "MiB", "<= 20 MB")
    if "leaks" in found:
        one = found["leaks"][0]
        grown = (float(one["after_10000"]) - float(one["after_1000"])) / 2**20  # type: ignore[arg-type]
        row("leaks", "memory gained from run 1,000 to run 10,000", grown, "MiB", "flat")
    if arguments.wheel:
        row("wheel", "wheel", arguments.wheel.stat().st_size / 1e6, "MB", "<= 12 MB")
    print("| what | measured | goal |\n| --- | --- | --- |")
    for one in rows:
        print(f"| {' | '.join(one)} |")
    print(f"\n{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, medians of {arguments.rounds} rounds")


if __name__ == "__main__":
    main()
