#!/usr/bin/env python3
"""Run the examples through pyNeuroML, with jlems-rs in place of jNeuroML and with jNeuroML itself.

    pip install pyneuroml
    PATH="/folder/of/jlems-rs:$PATH" python tests/pynml.py [--java /folder/of/java]

For each example, pyNeuroML's run_lems_with_jneuroml runs the model and reads traces and events back: once with
scripts/pynml first on the PATH, and once with Java. Both must give the same numbers. The status is 1 if they differ.
"""
import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

from pyneuroml.runners import run_lems_with_jneuroml

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]


def results(example, path):
    """Traces and events of an example, and the seconds that the run took, with this PATH."""
    case = json.loads((example / "case.json").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / example.name
        shutil.copytree(example, copy, ignore=shutil.ignore_patterns("golden"))
        os.environ["PATH"] = path
        os.chdir(copy)
        started = time.time()
        read = run_lems_with_jneuroml(case["run"], nogui=True, load_saved_data=True, reload_events=True)
        seconds = time.time() - started
        os.chdir(REPOSITORY)
    return read, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--java", help="folder with the Java to compare with (default: as on the PATH)")
    asked = parser.parse_args()

    path = os.environ["PATH"]
    real = f"{asked.java}:{path}" if asked.java else path
    ours = f"{REPOSITORY / 'scripts' / 'pynml'}:{real}"
    differing = []
    for example in sorted(case.parent for case in (REPOSITORY / "examples").glob("*/case.json")):
        try:
            (with_ours, seconds), (with_java, java_seconds) = results(example, ours), results(example, real)
        except ValueError as problem:
            print(f"{example.name}: pyNeuroML does not read it back ({problem})")
            continue
        same = with_ours == with_java
        print(f"{example.name}: {'same' if same else 'DIFFERENT'}, {seconds:.1f} s and {java_seconds:.1f} s", flush=True)
        if not same:
            differing.append(example.name)
    sys.exit(f"different: {', '.join(differing)}" if differing else 0)


if __name__ == "__main__":
    main()
