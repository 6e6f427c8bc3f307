#!/usr/bin/env python3
"""Measures CPU time and memory against the number of repeated parts, as a table for docs/limits.md.

    python3 tests/growth.py target/release/jlems-rs [LARGEST]

Every model is written here, run, and measured with wait4. The exponent is computed from the last two sizes: 1 means
proportional, 2 means quadratic. It is meaningless if most of the time is the start of the program.
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


def many(size, part):
    """A type with many parts, of which there is no component."""
    return '<ComponentType name="many">' + each(size, part) + "</ComponentType>"


PART = """<ComponentType name="part">
  <Exposure name="y" dimension="none"/>
  <Dynamics><StateVariable name="y" dimension="none" exposure="y"/></Dynamics>
</ComponentType>"""


def structure(elements):
    """The component that runs has a structure with these elements."""
    return model(
        before="""<ComponentType name="unit">
  <Property name="weight" dimension="none" defaultValue="1"/>
</ComponentType>
<unit id="u"/>""",
        members=f"""<Parameter name="size" dimension="none"/>
<ComponentReference name="what" type="unit"/>
<EventPort name="in" direction="in"/>
<EventPort name="out" direction="out"/>
<Structure>{elements}</Structure>""",
        dynamics="""<OnEvent port="in"><StateAssignment variable="x" value="x + 1"/></OnEvent>
<OnCondition test="x .gt. 1"><EventOut port="out"/></OnCondition>""",
    ).replace('<decay id="d"', '<decay id="d" size="2" what="u"')


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
    "`EventPort`": lambda n: model(members=each(n, lambda i: f'<EventPort name="p{i}" direction="out"/>')),
    "`EventPort`, `OnEvent`": lambda n: model(
        members=each(n, lambda i: f'<EventPort name="p{i}" direction="in"/>'),
        dynamics=each(
            n, lambda i: f'<OnEvent port="p{i}"><StateAssignment variable="x" value="{i}"/></OnEvent>'
        ),
    ),
    "`EventPort`, `EventOut`": lambda n: model(
        members=each(n, lambda i: f'<EventPort name="p{i}" direction="out"/>'),
        dynamics='<OnCondition test="x .gt. 1">'
        + each(n, lambda i: f'<EventOut port="p{i}"/>')
        + "</OnCondition>",
    ),
    "`Regime`": lambda n: model(
        dynamics=each(
            n,
            lambda i: f'<Regime name="r{i}" initial="{"false" if i else "true"}">'
            f'<OnCondition test="x .gt. {i}"><Transition regime="r{(i + 1) % n}"/></OnCondition></Regime>',
        ),
    ),
    "`StateVariable`, `Regime`": lambda n: model(
        dynamics=each(
            n,
            lambda i: f'<StateVariable name="s{i}" dimension="none"/>'
            f'<Regime name="r{i}" initial="{"false" if i else "true"}">'
            f'<OnEntry><StateAssignment variable="s{i}" value="{i}"/></OnEntry></Regime>',
        ),
    ),
    "`StateAssignment`": lambda n: model(
        dynamics="<OnStart>"
        + each(n, lambda i: f'<StateAssignment variable="x" value="{i}"/>')
        + "</OnStart>"
    ),
    "`Property`": lambda n: model(members=each(n, lambda i: f'<Property name="p{i}" dimension="none"/>')),
    "`Requirement`": lambda n: model(
        before=many(n, lambda i: f'<Requirement name="p{i}" dimension="none"/>')
    ),
    "`Fixed`": lambda n: model(
        before=many(n, lambda i: f'<Parameter name="p{i}" dimension="none"/><Fixed parameter="p{i}" value="1"/>')
    ),
    "`Text`": lambda n: model(members=each(n, lambda i: f'<Text name="p{i}"/>')),
    "`Child`": lambda n: model(
        members=each(n, lambda i: f'<Child name="p{i}" type="part"/>'), before=PART
    ),
    "`Child`, filled": lambda n: model(
        before=PART
        + many(n, lambda i: f'<Child name="p{i}" type="part"/>')
        + "<many id='m'>"
        + each(n, lambda i: f'<p{i}/>')
        + "</many>"
    ),
    "`Child`, selected": lambda n: model(
        members=each(n, lambda i: f'<Child name="p{i}" type="part"/>'),
        before=PART,
        dynamics=each(n, lambda i: f'<DerivedVariable name="q{i}" dimension="none" select="p{i}/y"/>'),
    ).replace('tau="10 ms"/>', 'tau="10 ms">' + each(n, lambda i: f'<p{i}/>') + "</decay>"),
    "`Children`": lambda n: model(
        members=each(n, lambda i: f'<Children name="p{i}" type="part"/>'), before=PART
    ),
    "child of a list": lambda n: model(
        before=PART
        + '<ComponentType name="many"><Children name="parts" type="part"/></ComponentType><many id="m">'
        + each(n, lambda i: f'<part id="p{i}"/>')
        + "</many>"
    ),
    "`Attachments`": lambda n: model(
        members=each(n, lambda i: f'<Attachments name="p{i}" type="part"/>'), before=PART
    ),
    "`ComponentReference`": lambda n: model(
        before=many(n, lambda i: f'<ComponentReference name="p{i}" type="decay"/>')
    ),
    "`DerivedVariable` with `select`": lambda n: model(
        members='<Children name="parts" type="part"/>',
        before=PART,
        dynamics=each(
            n, lambda i: f'<DerivedVariable name="q{i}" dimension="none" select="parts[*]/y" reduce="add"/>'
        ),
    ),
    "`KineticScheme`": lambda n: model(
        before=PART,
        members='<Children name="parts" type="part"/>',
        dynamics=each(
            n,
            lambda i: f'<KineticScheme name="k{i}" nodes="parts" edges="parts" stateVariable="y" '
            'edgeSource="from" edgeTarget="to" forwardRate="rf" reverseRate="rr"/>',
        ),
    ),
    "`With`, `EventConnection`": lambda n: structure(
        each(
            n,
            lambda i: f'<With instance="this" as="a{i}"/><EventConnection from="a{i}" to="a{i}" '
            'sourcePort="out" targetPort="in"/>',
        )
    ),
    "`ChildInstance`": lambda n: structure(each(n, lambda i: '<ChildInstance component="what"/>')),
    "`MultiInstantiate`": lambda n: structure(
        each(n, lambda i: '<MultiInstantiate component="what" number="size"/>')
    ),
    "`Assign`": lambda n: structure(
        '<MultiInstantiate component="what" number="size">'
        + each(n, lambda i: '<Assign property="weight" value="1"/>')
        + "</MultiInstantiate>"
    ),
    "`Collection`": lambda n: model(members=each(n, lambda i: f'<Collection name="p{i}"/>')),
    "`OutputColumn`": lambda n: model().replace(
        "</OutputFile>", each(n, lambda i: f'<OutputColumn id="x{i}" quantity="x"/>') + "</OutputFile>"
    ),
    "`EventSelection`": lambda n: structure("").replace(
        "</Simulation>",
        '<EventOutputFile id="events" fileName="events.dat" format="ID_TIME">'
        + each(n, lambda i: f'<EventSelection id="{i}" select="." eventPort="out"/>')
        + "</EventOutputFile></Simulation>",
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
    """CPU seconds, megabytes, exit status."""
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
