#!/usr/bin/env python3
"""Kills runs at random moments, and checks the files that they leave.

    tests/kill.py PROGRAM [--times 200] [--seed 1] [--signal KILL]

Under its final name there must be the old file or the complete new one. The partial file must be the beginning of the
complete one and end with a full line. The system may interrupt a write of many lines between two pages of memory; only
there may a line be cut. After TERM, HUP and INT the run writes full lines, and its exit status is 128 plus the number of
the signal.
"""

import argparse
import collections
import os
import random
import signal
import subprocess
import tempfile
import time

import firing

PAGE = os.sysconf("SC_PAGE_SIZE")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


def kill_one(command, folder, whole, longest, dice, number):
    """The files that a killed run left; an AssertionError if they are not as required."""
    final = os.path.join(folder, "v.dat")
    partial = final + ".partial"
    with open(final, "wb") as file:
        file.write(b"old\n")
    if os.path.exists(partial):
        os.remove(partial)
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(dice.uniform(0, longest))
    process.send_signal(number)
    status = process.wait()
    assert status in (0, -number, 128 + number), f"status {status}"
    left, rest = read(final), read(partial)
    if left == whole:
        assert rest is None, "complete, but there is a partial file"
        return "complete"
    assert left == b"old\n", f"the final name has {len(left or b'')} of {len(whole)} bytes"
    if rest is None:
        return "not begun"
    assert whole.startswith(rest), "the partial file is no beginning of the whole one"
    if not rest:
        return "empty"
    if rest.endswith(b"\n"):
        return "full lines"
    assert number == signal.SIGKILL, "a line is cut"
    assert len(rest) % PAGE == 0, f"a line is cut after {len(rest)} bytes"
    return "cut between pages"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signal", choices=["KILL", "TERM", "HUP", "INT"], default="KILL")
    arguments = parser.parse_args()
    program = os.path.abspath(arguments.program)
    dice = random.Random(arguments.seed)
    number = signal.Signals["SIG" + arguments.signal]
    ways = [["--threads", str(threads)] for threads in (1, 2, 4)] + [["--backend", "interp"]]
    failures = 0
    for way in ways:
        interpreted = "interp" in way
        size = 3 if interpreted else 300
        found = collections.Counter()
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "LEMS_net.xml"), "w") as file:
                file.write(firing.model(size, 200))
            command = [program, "run", "--quiet", *way, "LEMS_net.xml"]
            started = time.monotonic()
            subprocess.run(command, cwd=folder, check=True)
            took = time.monotonic() - started
            whole = read(os.path.join(folder, "v.dat"))
            for _ in range(arguments.times):
                try:
                    found[kill_one(command, folder, whole, 1.1 * took, dice, number)] += 1
                except AssertionError as failure:
                    found[f"WRONG: {failure}"] += 1
        failures += sum(count for what, count in found.items() if what.startswith("WRONG"))
        print(f"{' '.join(way)}: {len(whole)} bytes in {took:.2f} s; {dict(found)}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
