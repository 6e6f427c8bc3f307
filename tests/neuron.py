#!/usr/bin/env python3
"""Exports models to NEURON, compiles and runs them, and compares their outputs with those of jlems-rs.

    pip install neuron
    python tests/neuron.py ../shared/corpus [NAME ...] [--engine target/release/jlems-rs] [--work FOLDER]

A folder has a `manifest.json` with cases (`name` or `id`, `lems_file`), each in the folder of its name. The table has a
line for each: `same` if all files have the same bytes; `close` with the largest difference as a part of the range of its
column, if that is below 1e-4; else what failed or differs first. Compiled mechanisms are kept in the work folder and used
again.

With `--converge` the question is another: NEURON's results with the model's step, and with a quarter of it, are compared
with those of `jlems-rs run` with a twentieth, in the mean over a column and as a part of its range. A line has both
distances for the column that is worst, and the order: the power of the step that the distance follows. If NEURON is right,
the order is about 1 or more, or the distance at a quarter of the step is at most three times that of jlems-rs ("like
jlems-rs"). Where two spikes differ in time, so do the potentials, by much for a short time; the mean sees that, the largest
difference says little.

With `--method neuron` the mechanisms are those with the numbers of the program that jNeuroML exports, and are compared with
`jlems-rs run --method neuron`.

With `--netpyne` (`pip install netpyne`) the outputs of the export to NetPyNE are compared with those of the export to NEURON.

With `--lfpy` (`pip install LFPy`) LFPy reads the templates of cells with dendrites, injects a current and finds the potential
beside the cell; in NEURON alone, the same template must have the same membrane potential.
"""

import argparse
import hashlib
import json
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys


def call(*command, folder):
    """Runs a command; gives None, or the last lines of what it says if it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return None if done.returncode == 0 else " | ".join((done.stdout + done.stderr).split("\n")[-6:])


def compiled(work, cache):
    """Compiles the mechanisms of a folder, unless the same ones were compiled before."""
    mechanisms = sorted(work.glob("*.mod"))
    key = hashlib.sha256(b"\0".join(path.name.encode() + path.read_bytes() for path in mechanisms)).hexdigest()
    known = cache / key
    if not known.exists():
        problem = call("nrnivmodl", folder=work)
        if problem or not list(work.glob("*/special")):
            return problem or "nrnivmodl made nothing"
        shutil.copytree(next(work.glob("*/special")).parent, known / "x86_64")
    shutil.copytree(known / "x86_64", work / "x86_64", dirs_exist_ok=True)
    return None


def differences(expected, found):
    """What differs between two folders of outputs; reports of runs are left out."""
    worst = 0
    for path in sorted(path for path in expected.rglob("*") if path.is_file()):
        if path.suffix not in (".dat", ".spikes", ".txt") or "report" in path.name:
            continue
        other = found / path.relative_to(expected)
        if not other.exists():
            return f"no {path.name}"
        one, two = path.read_text().splitlines(), other.read_text().splitlines()
        unequal = [row for row, (a, b) in enumerate(zip(one, two)) if a != b]
        if len(one) == len(two) and largest(one, two) < 1e-4:
            worst = max(worst, largest(one, two))
        elif unequal or len(one) != len(two):
            first = unequal[0] if unequal else min(len(one), len(two))
            return f"{path.name}: {len(unequal)} of {len(one)} lines differ, from line {first + 1} on"
    return f"close {worst:.1e}" if worst else None


def largest(one, two):
    """The largest difference of two tables as a part of the range of its column; infinite for other texts."""
    try:
        one, two = ([[float(word) for word in line.split()] for line in lines] for lines in (one, two))
    except ValueError:
        return math.inf
    if [len(row) for row in one] != [len(row) for row in two]:
        return math.inf
    columns = zip(zip(*one), zip(*two))
    return max((max(abs(a - b) for a, b in zip(x, y)) / ((max(x) - min(x)) or 1) for x, y in columns), default=0)


def distances(expected, found):
    """Mean differences of all columns of the data files of two folders, by file and column; rows are of the same times."""
    import numpy

    known = {}
    for path in sorted(path for path in expected.rglob("*.dat") if path.is_file()):
        one = numpy.loadtxt(path, ndmin=2)
        two = numpy.loadtxt(found / path.relative_to(expected), ndmin=2)
        two = two[:: max(round((len(two) - 1) / max(len(one) - 1, 1)), 1)]
        if one.shape != two.shape:
            raise ValueError(f"{path.name} has {two.shape[0]} rows, not {one.shape[0]}")
        extent = one.max(axis=0) - one.min(axis=0)
        mean = abs(one - two).mean(axis=0) / numpy.where(extent > 0, extent, 1)
        known.update({(path.name, column): value for column, value in enumerate(mean[1:], 1) if extent[column] > 0})
    return known


def stepped(engine, model, step, options, folder):
    """Runs a model with another step; some models define no second."""
    for unit, per_second in ("ms", 1000), ("s", 1):
        problem = call(engine, "run", "-q", model, "--step", f"{step * per_second!r}{unit}", *options, folder=folder)
        if not problem:
            break
    return problem


def converges(case, folder, work, engine, cache, method):
    """Compares two steps of NEURON with a short step of jlems-rs."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model = case["lems_file"]
    options = "--method", method, "-q", "-o", str(work)
    problem = call(engine, "export", "neuron", model, *options, folder=folder) or compiled(work, cache)
    if problem:
        return f"export: {problem}"
    script = pathlib.Path(model).stem + "_nrn.py"
    step = float(re.search(r"^STEP.* = ([^,]+),", (work / script).read_text(), re.MULTILINE).group(1))
    expected = ("--every", "20", "--out-dir", str(work / "expected"))
    problem = stepped(engine, model, step / 20, expected, folder)
    problem = problem or stepped(engine, model, step / 4, ("--every", "4", "--out-dir", str(work / "own")), folder)
    for part in 1, 4:
        dt = ("--dt", repr(1000 * step / part), "--out", f"found{part}")
        problem = problem or call(sys.executable, script, "--quiet", *dt, folder=work)
    if problem:
        return f"run: {problem}"
    try:
        long, quarter, own = (distances(work / "expected", work / other) for other in ("found1", "found4", "own"))
    except ValueError as error:
        return str(error)
    if not long:
        return "nothing that changes is recorded"
    worst = max(long, key=lambda column: quarter[column])
    one, other = long[worst], quarter[worst]
    order = math.log(one / other, 4) if one > 0 and other > 0 else math.inf
    name = "native" if list(work.glob("*.hoc")) else "points"
    # Outputs have seven digits. What jumps, or is chaotic, follows no power of the step in jlems-rs either.
    verdict = "converges" if order > 0.8 or other < 1e-6 else "like jlems-rs" if other < 3 * max(own.values()) else "differs"
    return f"{name} {verdict} {one:.1e} {other:.1e} order {order:.2f} ({worst[0]}, column {worst[1]})"


LFPY = """
import sys

import LFPy
import numpy
from neuron import h

name = sys.argv[1]
cell = LFPy.TemplateCell(morphology=f"{name}.hoc", templatefile=f"{name}.hoc", templatename=name, templateargs=None,
                         passive=False, v_init=-65, celsius=30, nsegs_method=None, dt=0.025, tstop=20)
stimulus = LFPy.StimIntElectrode(cell, idx=0, pptype="IClamp", amp=0.2, dur=10, delay=5)
electrode = LFPy.RecExtElectrode(cell, **{axis: numpy.array([200.0]) for axis in "xyz"})
cell.simulate(probes=[electrode], rec_imem=True, rec_vmem=True)

other = getattr(h, name)()
first = next(iter(list(other.all)[0]))
clamp = h.IClamp(first)
clamp.amp, clamp.dur, clamp.delay = 0.2, 10, 5
potential = h.Vector().record(first._ref_v)
h.finitialize(-65)
while len(potential) < len(cell.tvec):
    h.fadvance()
difference = abs(cell.vmem[0] - potential.as_numpy()).max()
# From the first step on, what flows through the membrane is what the electrode injects.
flows = abs(cell.imem[:, 1:].sum(axis=0)).max()
seen = abs(electrode.data).max()
if not (difference < 1e-6 and flows < 0.2 + 1e-6 and 0 < seen < 10):
    sys.exit(f"{name}: potentials differ by {difference} mV, {flows} nA flow, {seen} mV at the electrode")
"""


def in_lfpy(case, folder, work, engine, cache, method):
    """Uses the templates of an export in LFPy and in NEURON alone."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    options = "--method", method, "-q", "-o", str(work)
    problem = call(engine, "export", "neuron", case["lems_file"], *options, folder=folder)
    templates = sorted(path.stem for path in work.glob("*.hoc"))
    if problem or not templates:
        return f"export: {problem or 'no templates'}"
    problem = compiled(work, cache)
    for template in templates:
        problem = problem or call(sys.executable, "-c", LFPY, template, folder=work)
    return problem or "same"


def in_netpyne(case, folder, work, engine, cache, method):
    """Compares the outputs of the exports to NEURON and to NetPyNE."""
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    model = case["lems_file"]
    scripts = {form: f"{pathlib.Path(model).stem}_{suffix}.py" for form, suffix in (("neuron", "nrn"), ("netpyne", "netpyne"))}
    for form in scripts:
        problem = call(engine, "export", form, model, "--method", method, "-q", "-o", str(work), folder=folder)
        if problem:
            return f"export {form}: {problem}"
    problem = compiled(work, cache)
    for form, script in scripts.items():
        problem = problem or call(sys.executable, script, "--quiet", "--out", form, folder=work)
        if problem:
            return f"{form}: {problem}"
    return differences(work / "neuron", work / "netpyne") or "same"


def check(case, folder, work, engine, cache, method):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    export = (engine, "export", "neuron", case["lems_file"], "--method", method, "-q", "-o", str(work))
    expected = ("--method", method, "-q", "--out-dir", str(work / "expected"))
    reference = (engine, "run", "--late-events", case["lems_file"], *expected)
    script = pathlib.Path(case["lems_file"]).stem + "_nrn.py"
    steps = [
        ("export", lambda: call(*export, folder=folder)),
        ("jlems-rs", lambda: call(*reference, folder=folder)),
        ("nrnivmodl", lambda: compiled(work, cache)),
        ("NEURON", lambda: call(sys.executable, script, "--quiet", "--out", "found", folder=work)),
        ("differs", lambda: differences(work / "expected", work / "found")),
    ]
    for name, step in steps:
        problem = step()
        if problem:
            return problem if problem.startswith("close") else f"{name}: {problem}"
    return "same"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help="only cases with one of these in their names")
    parser.add_argument("--engine", default="target/release/jlems-rs")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("target/neuron"))
    parser.add_argument("--method", choices=("implicit", "neuron"), default="implicit", help="how cells with dendrites are computed")
    parser.add_argument("--converge", action="store_true", help="compare with short steps, instead of bytes")
    parser.add_argument("--netpyne", action="store_true", help="compare the export to NetPyNE with that to NEURON")
    parser.add_argument("--lfpy", action="store_true", help="use templates of cells in LFPy")
    given = parser.parse_args()
    engine, work = str(pathlib.Path(given.engine).resolve()), given.work.resolve()
    os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    manifest = json.loads((given.corpus / "manifest.json").read_text())
    cases = next(value for value in manifest.values() if isinstance(value, list))
    cases = [{"name": case.get("id"), **case} for case in cases]
    cases = [case for case in cases if not given.names or any(name in case["name"] for name in given.names)]
    same = close = 0
    how = converges if given.converge else in_netpyne if given.netpyne else in_lfpy if given.lfpy else check
    for case in cases:
        result = how(case, given.corpus / case["name"], work / case["name"], engine, work / "compiled", given.method)
        close += " converges " in result
        same += result == "same"
        close += result.startswith("close")
        print(f"{case['name']:40} {result}", flush=True)
    print(f"{same} of {len(cases)} are the same, {close} are close")
    return 0 if same + close == len(cases) else 1


if __name__ == "__main__":
    sys.exit(main())
