#!/usr/bin/env python3
"""Run the tests of OSBModelValidation (OMV) for jNeuroML with programs that are called as `jnml`.

    pip install OSBModelValidation
    python tests/omv.py MANIFEST --jnml FOLDER [--jnml FOLDER ...] [--engine jNeuroML_NEURON]

MANIFEST is the manifest.json of a corpus of models. Its cases with an `omv` entry contain the expectations of the
original tests. For each such case the script copies the model, sets the length and step that the expectations are for,
writes the .mep and .omt files, and calls `omv test` with JNML_HOME set to each FOLDER in turn. A FOLDER contains a
program (or a link) named `jnml`. Expectations about files or columns that a model does not write are omitted.
`--engine` selects the tests for an engine of OMV. jNeuroML_NEURON and jNeuroML_NetPyNE export, compile and run; OMV finds
NEURON in NEURON_HOME or in its own Python. The script prints a line for each case and the totals. The status is 1 if the
first FOLDER fails a test that another passes.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile


def with_original_times(text, case):
    for name in ("length", "step"):
        original = case.get("original", {}).get(name, case[name])
        text = text.replace(f'{name}="{case[name]}"', f'{name}="{original}"')
    return text


def columns_written(text):
    """The number of columns of each output file of a simulation, including the time."""
    files = re.findall(r'<OutputFile\b[^>]*fileName="([^"]*)"[^>]*>(.*?)</OutputFile>', text, re.S)
    return {name: 1 + inside.count("<OutputColumn ") for name, inside in files}


def can_be_checked(expectation, columns):
    wanted = expectation["columns"]
    return wanted is not None and max(wanted) < columns.get(expectation["file"], 0)


def write_test(lems_file, expectations, engine):
    experiments, expected = {}, {}
    for name, one in expectations.items():
        observable = {
            "file": {"path": one["file"], "columns": one["columns"], "scaling": one["scaling"]},
            "spike detection": {key: one[key] for key in ("method", "threshold") if one[key] is not None},
            "tolerance": one["tolerance"],
        }
        experiments[name] = {"observables": {one["observable"]: observable}}
        expected[name] = {"expected": {one["observable"]: one["expected"]}}
    mep = lems_file.with_name(".test.mep")
    omt = lems_file.with_name(".test.jnml.omt")
    mep.write_text(json.dumps({"system": lems_file.stem, "experiments": expected}))
    omt.write_text(json.dumps({"target": lems_file.name, "engine": engine, "mep": mep.name,
                               "experiments": experiments}))
    return omt


def prepare(source, case, expectations, engine, copy):
    """Copies a model with its test; returns the test file and the number of expectations that it checks."""
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("golden"))
    lems_file = copy / case["lems_file"]
    text = with_original_times(lems_file.read_text(), case)
    lems_file.write_text(text)
    columns = columns_written(text)
    for output in columns:
        (lems_file.parent / output).parent.mkdir(parents=True, exist_ok=True)
    checked = {name: one for name, one in expectations.items() if can_be_checked(one, columns)}
    return write_test(lems_file, checked, engine), len(checked)


def passed(omv, omt, home, verbose):
    """The number of expectations that the `jnml` in a folder meets, according to OMV."""
    environment = {**os.environ, "JNML_HOME": str(home)}
    done = subprocess.run([omv, "test", omt.name], cwd=omt.parent, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if verbose:
        print(done.stdout)
    return len(re.findall(r"^\[omv\] .*\u2714", done.stdout, re.M))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("manifest", type=pathlib.Path)
    parser.add_argument("--jnml", type=pathlib.Path, action="append", required=True, metavar="FOLDER")
    parser.add_argument("--omv", default=shutil.which("omv", path=str(pathlib.Path(sys.executable).parent)) or "omv")
    parser.add_argument("--engine", default="jNeuroML", help="whose tests of OMV are run")
    parser.add_argument("--case", action="append", help="only this case (may be repeated)")
    parser.add_argument("--verbose", action="store_true", help="print what OMV prints")
    asked = parser.parse_args()

    homes = [home.resolve() for home in asked.jnml]
    totals, of, worse = [0] * len(homes), 0, []
    cases = json.loads(asked.manifest.read_text())["cases"]
    chosen = [case for case in cases if not asked.case or case["name"] in asked.case]
    tests = ((case, test) for case in chosen for test in case.get("omv", []))
    for case, test in ((case, test) for case, test in tests if test.get("engine", "jNeuroML") == asked.engine):
        counts = []
        for home in homes:
            with tempfile.TemporaryDirectory() as temporary:
                copy = pathlib.Path(temporary) / case["name"]
                omt, number = prepare(asked.manifest.parent / case["name"], case, test["expectations"], asked.engine, copy)
                counts.append(passed(asked.omv, omt, home, asked.verbose) if number else 0)
        print(f"{case['name']}: {', '.join(map(str, counts))} of {number} that can be checked", flush=True)
        of += number
        totals = [total + count for total, count in zip(totals, counts)]
        if counts[0] < max(counts):
            worse.append(case["name"])
    for home, total in zip(homes, totals):
        print(f"{home}: {total} of {of} expectations are met")
    sys.exit(f"the first meets fewer in: {', '.join(worse)}" if worse else 0)


if __name__ == "__main__":
    main()
