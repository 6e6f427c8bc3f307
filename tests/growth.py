#!/usr/bin/env python3
"""Time of the processor and memory against the number of repeated parts, as a table for docs/limits.md.

    python3 tests/growth.py target/release/jlems-rs [LARGEST]

Every model is made here, run, and measured with wait4. The exponent is that of the last two sizes: 1 is
proportional, 2 a square. It tells nothing where the time is that of starting the program.
"""

import math
import os
import subprocess
import sys
import tempfile

FRAME = """<Lems>
  <Target component="sim"/>
  <Include file="NeuroMLCoreDimensions.xml"/>
  <Include file="Simulation.xml"/>
  {before}
  <ComponentType name="decay">
    <Parameter name="tau" dimension="time"/>
    <Exposure name="x" dimension="none"/>
    {members}
    <Dynamics>
      <StateVariable name="x" dimension="none" exposure="x"/>
      {dynamics}
    </Dynamics>
  </ComponentType>
  {after}
  <decay id="d" tau="10 ms"/>
  <Simulation id="sim" length="1 ms" step="0.1 ms" target="d">
    <OutputFile id="out" fileName="out.dat"><OutputColumn id="x" quantity="x"/></OutputFile>
  </Simulation>
</Lems>
"""


def model(before="", members="", dynamics="", after=""):
    return FRAME.format(before=before, members=members, dynamics=dynamics, after=after)


def each(size, part):
    return "\n".join(part(number) for number in range(size))


def case(number):
    return f'<Case condition="x .gt. {number}" value="{number}"/>'


KINDS = {
    "`ComponentType`": lambda n: model(
        each(n, lambda i: f'<ComponentType name="t{i}"><Parameter name="p" dimension="none"/></ComponentType>')
    ),
    "`Dimension`": lambda n: model(each(n, lambda i: f'<Dimension name="d{i}" m="1"/>')),
    "`Unit`": lambda n: model(each(n, lambda i: f'<Unit symbol="u{i}" dimension="time" power="-3"/>')),
    "`Constant`": lambda n: model(each(n, lambda i: f'<Constant name="c{i}" dimension="none" value="{i}"/>')),
    "component": lambda n: model(after=each(n, lambda i: f'<decay id="e{i}" tau="{i + 1} ms"/>')),
    "`Parameter`": lambda n: model(
        before=f'<ComponentType name="many">'
        + each(n, lambda i: f'<Parameter name="p{i}" dimension="none"/>')
        + "</ComponentType>"
    ),
    "`DerivedParameter`": lambda n: model(
        members=each(n, lambda i: f'<DerivedParameter name="p{i}" dimension="time" value="{i} * tau"/>')
    ),
    "`Exposure`": lambda n: model(
        before='<ComponentType name="many">'
        + each(n, lambda i: f'<Exposure name="p{i}" dimension="none"/>')
        + "</ComponentType>"
    ),
    "`StateVariable`, `TimeDerivative`": lambda n: model(
        dynamics=each(
            n,
            lambda i: f'<StateVariable name="s{i}" dimension="none"/>'
            f'<TimeDerivative variable="s{i}" value="s{(i + 1) % n} / tau"/>',
        )
    ),
    "`DerivedVariable`": lambda n: model(
        dynamics=each(n, lambda i: f'<DerivedVariable name="q{i}" dimension="none" value="x + {i}"/>')
    ),
    "`ConditionalDerivedVariable`": lambda n: model(
        dynamics=each(
            n,
            lambda i: f'<ConditionalDerivedVariable name="q{i}" dimension="none">'
            f'{case(i)}<Case value="x"/></ConditionalDerivedVariable>',
        )
    ),
    "`OnCondition`": lambda n: model(
        dynamics=each(
            n,
            lambda i: f'<OnCondition test="x .gt. {i}"><StateAssignment variable="x" value="{i}"/></OnCondition>',
        )
    ),
    "unknown name": lambda n: model(
        dynamics=each(n, lambda i: f'<DerivedVariable name="q{i}" dimension="none" value="y{i}"/>')
    ),
    "unknown element": lambda n: model(after=each(n, lambda i: f'<nothing{i} id="a"/>')),
    "element with an attribute": lambda n: model(before=each(n, lambda i: f'<notes a="{i}"/>')),
    "element with a prefix": lambda n: model(before=each(n, lambda i: f'<notes xmlns:p="u{i % 9}"/>')),
    "attribute of one element": lambda n: model(
        before="<notes " + " ".join(f'a{i}="{i}"' for i in range(n)) + "/>"
    ),
}


def taken(program, folder, text):
    """Seconds of the processor, megabytes, exit status."""
    path = os.path.join(folder, "model.xml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    child = subprocess.Popen(
        [program, "run", path], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    scale = 1 if sys.platform == "darwin" else 1024
    return used.ru_utime + used.ru_stime, used.ru_maxrss * scale / 1e6, child.returncode


def main():
    program = os.path.abspath(sys.argv[1])
    largest = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    sizes = [size for size in (100, 1_000, 10_000, 100_000) if size <= largest]
    heads = " | ".join(f"{size}" for size in sizes)
    print(f"| repeated | {heads} | exponents |")
    print("| --- |" + " --- |" * (len(sizes) + 1))
    with tempfile.TemporaryDirectory() as folder:
        for name, text in KINDS.items():
            row = [taken(program, folder, text(size)) for size in sizes]
            cells = []
            for seconds, megabytes, status in row:
                failed = "" if status == 0 else f", status {status}"
                cells.append(f"{seconds:.2f} s, {megabytes:.0f} MB{failed}")
            (time, memory, _), (more_time, more_memory, _) = row[-2:]
            ratio = math.log(sizes[-1] / sizes[-2])
            exponents = [
                math.log(max(more, 0.01) / max(less, 0.01)) / ratio
                for less, more in ((time, more_time), (memory, more_memory))
            ]
            cells.append(", ".join(f"{exponent:.1f}" for exponent in exponents))
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
