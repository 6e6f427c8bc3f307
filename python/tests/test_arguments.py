"""Bad arguments: each with the exception that it gives."""

from __future__ import annotations

import os
import pathlib
from typing import Any, Callable

import pytest

import jlems

from conftest import CELL, NETWORK

U, M, F, K = jlems.UsageError, jlems.ModelError, FileNotFoundError, KeyError


def model() -> jlems.Model:
    return jlems.loads(CELL)


def simulation() -> jlems.Simulation:
    return model().simulation()


def including(path: str) -> jlems.LEMSSimulation:
    made = jlems.LEMSSimulation("a", 1, 0.1, "net")
    made.include_neuroml2_file(path)
    return made


def result() -> jlems.Result:
    return jlems.loads(CELL, length="1 ms").run()


BAD: list[tuple[str, Callable[[], Any], type[BaseException]]] = [
    ("load nothing", lambda: jlems.load(""), F),
    ("load a missing file", lambda: jlems.load("missing.xml"), F),
    ("load a folder", lambda: jlems.load("/"), OSError),
    ("load None", lambda: jlems.load(None), U),  # type: ignore[arg-type]
    ("load a number", lambda: jlems.load(3), U),  # type: ignore[arg-type]
    ("load with a bad include", lambda: jlems.load(NETWORK, include=3), U),
    ("load with a target that a LEMS file does not need", lambda: jlems.load(NETWORK, target="x").run(), U),
    ("load with a bad step", lambda: jlems.load(NETWORK, step="x").run(), M),
    ("load with a step of voltage", lambda: jlems.load(NETWORK, step="1 mV").run(), M),
    ("load with no step", lambda: jlems.load(NETWORK, step=0).run(), M),
    ("load with a negative step", lambda: jlems.load(NETWORK, step=-1e-4).run(), M),
    ("load with a step of a list", lambda: jlems.load(NETWORK, step=[1]), U),
    ("load with a negative length", lambda: jlems.load(NETWORK, length="-1 s").run(), M),
    ("load with a bool as length", lambda: jlems.load(NETWORK, length=True), U),
    ("load with a length that is not a number", lambda: jlems.load(NETWORK, length=float("nan")).run(), M),
    ("trace in an unknown unit", lambda: result()["cells[0]/v"].to("mVolt"), U),
    ("trace in a unit of another dimension", lambda: result()["cells[0]/v"].to("nA"), U),
    ("parameter in a unit of another dimension", lambda: model().components["iaf"].C.to("mV"), U),
    ("spikes that are not recorded", lambda: result().spikes["cell"], K),
    ("a component that is not there", lambda: model().components["iafs"], K),
    ("a type that is not there", lambda: model().types["iafCel"], K),
    ("duration instead of length", lambda: jlems.run(NETWORK, duration="1 s"), TypeError),
    ("dt instead of step", lambda: model().run(dt="1 ms"), TypeError),
    ("unknown keyword of load", lambda: jlems.load(NETWORK, lenght="1 s"), TypeError),  # type: ignore[call-arg]
    ("limits that are no dict", lambda: jlems.load(NETWORK, limits="8GB"), U),  # type: ignore[arg-type]
    ("unknown limit", lambda: jlems.load(NETWORK, limits={"memry": "8GB"}), U),
    ("bad limit", lambda: jlems.load(NETWORK, limits={"memory": "much"}), U),
    ("empty text", lambda: jlems.loads(""), M),
    ("text that is no XML", lambda: jlems.loads("hello"), M),
    ("None as a text", lambda: jlems.loads(None), U),  # type: ignore[arg-type]
    ("a path as a text", lambda: jlems.loads(NETWORK), U),  # type: ignore[arg-type]
    ("files that are no texts", lambda: jlems.loads(CELL, files={"a": 1}), U),  # type: ignore[dict-item]
    ("a model that runs nothing", lambda: jlems.loads("<Lems/>").run(), M),
    ("from_neuroml of None", lambda: jlems.from_neuroml(None), U),
    ("from_lems of None", lambda: jlems.from_lems(None), U),
    ("run None", lambda: jlems.run(None), U),
    ("run with an unknown keyword", lambda: jlems.run(NETWORK, recrod="x"), TypeError),
    ("run a model with a target", lambda: jlems.run(model(), target="x"), U),
    ("set a list", lambda: model().with_(["iaf/C=1nF"]), U),  # type: ignore[arg-type]
    ("set a number as path", lambda: model().with_({3: "1nF"}), U),  # type: ignore[dict-item]
    ("set nothing", lambda: model().with_({"iaf/C": None}), U),
    ("set a list of values", lambda: model().with_({"iaf/C": [1, 2]}), U),
    ("set a bool", lambda: model().with_({"iaf/C": True}), U),
    ("set an unknown parameter", lambda: model().with_({"iaf/D": "1nF"}), U),
    ("set an unknown parameter to a number", lambda: model().with_({"iaf/D": 1.0}), U),
    ("set of an unknown component", lambda: model().with_({"oaf/C": "1nF"}), U),
    ("set without a parameter", lambda: model().with_({"iaf": "1nF"}), U),
    ("set a wrong dimension", lambda: model().with_({"iaf/C": "1mV"}), M),
    ("set a text without a number", lambda: model().with_({"iaf/C": "much"}), M),
    ("describe an unknown type", lambda: model().describe("x"), U),
    ("simulation of a path", lambda: jlems.Simulation(NETWORK), U),  # type: ignore[arg-type]
    ("record a missing population", lambda: model().simulation(record="nowhere[*]/v"), U),
    ("record a missing variable", lambda: model().simulation(record="cells[0]/w"), U),
    ("record a missing member", lambda: model().simulation(record="cells[9]/v"), U),
    ("record two stars", lambda: model().simulation(record="cells[*]/*/v"), U),
    ("record a number", lambda: model().simulation(record=3), U),  # type: ignore[arg-type]
    ("record numbers", lambda: model().simulation(record=[3]), U),  # type: ignore[list-item]
    ("spikes of a missing population", lambda: model().simulation(spikes="nowhere"), U),
    ("every zero", lambda: model().simulation(every=0), U),
    ("every a half", lambda: model().simulation(every=0.5), U),  # type: ignore[arg-type]
    ("every a bool", lambda: model().simulation(every=True), U),
    ("no threads", lambda: model().simulation(threads=0), U),
    ("an inlet that is no path", lambda: model().simulation(inlets=[3]), U),
    ("an inlet of a missing population", lambda: model().simulation(inlets="nowhere[*]/in"), M),
    ("an inlet of a port that sends", lambda: model().simulation(inlets="cells[0]/spike"), M),
    ("a seed that is no number", lambda: model().simulation(seed="x"), U),  # type: ignore[arg-type]
    ("a seed that is too large", lambda: model().simulation(seed=2**70), U),
    ("an unknown backend", lambda: model().simulation(backend="gpu"), U),
    ("progress that is no callable", lambda: simulation().run(progress=3), U),  # type: ignore[arg-type]
    ("run an unknown setting", lambda: simulation().run(set={"iaf/D": "1nF"}), U),
    ("write where nothing can be", lambda: simulation().write("/proc/nowhere"), OSError),
    ("files where nothing can be", lambda: result().to_files("/proc/nowhere"), OSError),
    ("a path that is not recorded", lambda: result()["cells[1]/v"], K),
    ("a star that stands for nothing", lambda: result()["rows[*]/v"], K),
    ("a number as path", lambda: result()[0], K),  # type: ignore[index]
    ("bins of nothing", lambda: result().spikes["cells"].rates(0), U),
    ("advance by a text", lambda: simulation().start().advance("soon"), U),
    ("advance back", lambda: simulation().start().advance(-1), U),
    ("step back", lambda: simulation().start().step(-1), U),
    ("a checkpoint of nothing", lambda: simulation().start(checkpoint=b""), jlems.RunError),
    ("sweep a number", lambda: simulation().sweep(3), U),
    ("sweep a value", lambda: simulation().sweep({"iaf/C": "1nF"}), U),
    ("sweep lists of two lengths", lambda: simulation().sweep({"a": [1], "b": [1, 2]}, zip=True), U),
    ("sweep an unknown path", lambda: simulation().sweep({"iaf/D": ["1nF"]}).run(), U),
    ("sweep with a bad choice of errors", lambda: simulation().sweep({"iaf/C": ["1nF"]}).run(errors="x"), U),
    ("sweep without threads", lambda: simulation().sweep({"iaf/C": ["1nF"]}).run(threads=0), U),
    ("sweep with bad seeds", lambda: simulation().sweep({"iaf/C": ["1nF"]}, seeds=["x"]), U),  # type: ignore[list-item]
    ("validate None", lambda: jlems.validate(None), U),
    ("validate against a missing schema", lambda: jlems.validate(NETWORK, schema="missing.xsd"), jlems.JlemsError),
    ("explain nothing", lambda: jlems.explain("X"), U),
    ("types of an unknown base", lambda: jlems.types(extends="nobody"), U),
    ("a time that is none", lambda: jlems.LEMSSimulation("a", "long", 0.1), U),
    ("a target that is no text", lambda: jlems.load(NETWORK, target=5), U),  # type: ignore[arg-type]
    ("a temperature that is no text", lambda: jlems.load(NETWORK, temperature=32.0), U),  # type: ignore[arg-type]
    ("a text with half of a character", lambda: jlems.loads("\udcff"), U),
    ("a value with half of a character", lambda: model().with_({"iaf/C": "\udcff"}), U),
    ("a step with half of a character", lambda: model().with_(step="\udcff"), U),
    ("files that are no dict", lambda: jlems.loads(CELL, files=5), U),  # type: ignore[arg-type]
    ("a model of None", lambda: jlems.Model(None), U),  # type: ignore[arg-type]
    ("a sweep of None", lambda: jlems.Sweep(None, {}), U),  # type: ignore[arg-type]
    ("describe a number", lambda: jlems.describe(5), U),  # type: ignore[arg-type]
    ("describe a number of a model", lambda: model().describe(5), U),  # type: ignore[arg-type]
    ("explain a number", lambda: jlems.explain(5), U),  # type: ignore[arg-type]
    ("types of a number", lambda: jlems.types(extends=5), U),  # type: ignore[arg-type]
    ("a trace in a number", lambda: result()["cells[0]/v"].to(5), U),  # type: ignore[arg-type]
    ("a quantity that is too large", lambda: jlems.Quantity(10**400), U),
    ("a quantity that is too large to be shown", lambda: jlems.Quantity(10**9999), U),
    ("a value that is too large to be shown", lambda: model().with_({"iaf/C": 10**9999}), U),
    ("a seed that is too large to be shown", lambda: model().simulation(seed=10**9999), U),
    ("advance by a number that is too large", lambda: simulation().start().advance(10**9999), U),
    ("advance by digits that are not ASCII", lambda: simulation().start().advance("٣ ms"), U),
    ("advance by a number with underscores", lambda: simulation().start().advance("1_0 ms"), U),
    ("advance by a unit that NeuroML has not", lambda: simulation().start().advance("1 us"), U),
    ("bins that are too many to count", lambda: result().spikes["cells"].rates(5e-324), U),
    ("bins that are too many for a number", lambda: result().spikes["cells"].rates("1e-300 s"), U),
    ("bins that are too many for memory", lambda: result().spikes["cells"].rates(1e-12), U),
    ("a checkpoint that is a text", lambda: simulation().start(checkpoint="text"), U),  # type: ignore[arg-type]
    ("a checkpoint that is a number", lambda: simulation().start(checkpoint=3), U),  # type: ignore[arg-type]
    ("candidates that are too large", lambda: simulation().sweep([[10**400]], parameters=["iaf/C"]), U),
    ("candidates that are texts", lambda: simulation().sweep([["x"]], parameters=["iaf/C"]), U),
    ("candidates that are no rows", lambda: simulation().sweep(3, parameters=["iaf/C"]), U),
    ("candidates that are a dict", lambda: simulation().sweep({"iaf/C": [1e-9]}, parameters=["iaf/C"]), U),
    ("seeds that are a number", lambda: simulation().sweep({}, seeds=3), U),  # type: ignore[arg-type]
    ("a seed of a point that is a text", lambda: simulation().sweep([{"seed": "x"}]).run(), U),
    ("sweep with a reduce of a number", lambda: simulation().sweep([{}]).run(reduce=3), U),  # type: ignore[arg-type]
    ("sweep with a progress of a number", lambda: simulation().sweep([{}]).run(progress=3), U),  # type: ignore[arg-type]
    ("write into a number", lambda: result().to_files(5), U),  # type: ignore[arg-type]
    ("a duration that is too large", lambda: jlems.LEMSSimulation("a", 10**400, 0.1), U),
    ("a duration that is no number", lambda: jlems.LEMSSimulation("a", "nan", 0.1), U),
    ("a unit that is no text", lambda: jlems.Quantity(1, 5), U),  # type: ignore[arg-type]
    ("spikes of a list", lambda: result().spikes["cells"].of([]), IndexError),  # type: ignore[arg-type]
    ("spikes of a number that is too large", lambda: result().spikes["cells"].of(10**9999), IndexError),
    ("a list of a component", lambda: model().components["iaf"][[]], K),  # type: ignore[index]
    ("a backend that is too large to be shown", lambda: model().simulation(backend=10**9999), U),
    ("send a number that is too large to be shown", lambda: simulation().start().send(10**9999), U),  # type: ignore[arg-type]
    ("a path with a zero byte", lambda: result().to_npz("\0"), OSError),
    ("load a path with a zero byte", lambda: jlems.load("\0"), OSError),
    ("meta that is no dict", lambda: jlems.LEMSSimulation("a", 1, 0.1, meta=5), U),  # type: ignore[arg-type]
    ("a comment that is no text", lambda: jlems.LEMSSimulation("a", 1, 0.1, comment=5), U),  # type: ignore[arg-type]
    ("an id that is no text", lambda: jlems.LEMSSimulation(5, 1, 0.1), U),  # type: ignore[arg-type]
    ("a LEMS file without a target", lambda: jlems.LEMSSimulation("a", 1, 0.1).to_xml(), U),
]


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
@pytest.mark.parametrize("what, call, kind", BAD, ids=[one[0] for one in BAD])
def test_bad_arguments(what: str, call: Callable[[], Any], kind: type[BaseException]) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).strip()
    assert not isinstance(caught.value, jlems.InternalError)


NOT_UTF8 = "paths/\udcff"  # What `os.fsdecode` makes of the byte 0xff.
PATHS: dict[str, Callable[[Any], Any]] = {
    "load": jlems.load,
    "run": jlems.run,
    "write": lambda path: jlems.run(NETWORK, length="1 ms", write=path),
    "include": lambda path: jlems.load(NETWORK, include=path),
    "includes": lambda path: jlems.load(NETWORK, include=[path]),
    "name": lambda path: jlems.loads(CELL, name=path),
    "files": lambda path: jlems.loads(CELL, files={os.fsdecode(path): "<Lems/>"}),
    "validate": jlems.validate,
    "schema": lambda path: jlems.validate(NETWORK, schema=path),
    "sweep": jlems.Sweep.from_toml,
    "simulation.write": lambda path: simulation().write(path),
    "to_files": lambda path: result().to_files(path),
    "to_parquet": lambda path: result().to_parquet(path),
    "LEMSSimulation": including,
}


@pytest.mark.skipif(os.name == "nt", reason="paths are UTF-16 there")
@pytest.mark.parametrize("what", PATHS)
def test_paths_are_utf8(what: str) -> None:
    for path in (NOT_UTF8, os.fsencode(NOT_UTF8), pathlib.Path(NOT_UTF8)):
        with pytest.raises(jlems.FileError, match="paths must be UTF-8"):
            PATHS[what](path)


def test_one_rule_for_times() -> None:
    """Lengths of models and times of runs have the same units."""
    for text in ("0.01 s", "10 ms", "1.e1ms", "+.1e2 ms", "0.0005 min", "0.00001 hour"):
        steps = model().with_(length=text).simulation().steps
        with simulation().start() as run:
            run.advance(text)
            assert run.steps == steps, text
    for text in ("10 us", "1_0 ms", "٣ ms", "10", "ms", "1 MS", "1 per_s", "nan ms", "1 ms s"):
        with pytest.raises(jlems.ModelError):
            model().with_(length=text).simulation()
        with pytest.raises(jlems.UsageError, match="the units are ms, min, hour, s"):
            simulation().start().advance(text)
    assert jlems.LEMSSimulation("a", "0.5 s", "0.1ms").duration == 500.0
    assert jlems.LEMSSimulation("a", jlems.Quantity(0.5, "s"), "25").duration == 500.0


def test_there_are_enough() -> None:
    assert len(BAD) >= 60


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: jlems.load("<Lems/>"), "`loads` reads texts"),
        (lambda: jlems.run("\n<Lems><Target component='x'/></Lems>"), "`loads` reads texts"),
        (lambda: jlems.loads(str(NETWORK)), "`load` reads files"),
        (lambda: jlems.run(NETWORK, duration="1 s"), "did you mean `length`?"),
        (lambda: jlems.run(NETWORK, dt="1 ms"), "did you mean `step`?"),
        (lambda: jlems.run(NETWORK, recrod="x"), "did you mean `record`?"),
        (lambda: model().with_({"excitation/gbas": 1e-9}), "no component has the id `excitation`"),
        (lambda: model().with_({"iaff/C": 1e-9}), "did you mean `iaf`?"),
        (lambda: model().with_({"iaf/CC": 1e-9}), "iafCell `iaf` has no parameter `CC`"),
        (lambda: model().with_({"iaf/CC": 1e-9}), "did you mean `C`?"),
        (lambda: model().with_({"iaf": 1e-9}), "`iaf` names no component, or no parameter of one"),
        (lambda: simulation().run(set={"iaf/CC": 1e-9}), "did you mean `C`?"),
        (lambda: result().spikes["cell"], "did you mean `cells`?"),
        (lambda: model().components["iafs"], "did you mean `iaf`?"),
        (lambda: result()["cells[0]/v"].to("nA"), "`nA` is a unit of current, not of voltage"),
    ],
)
def test_messages_name_what_was_meant(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(Exception) as caught:
        call()
    assert said in str(caught.value)


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
def test_with_says_what_it_can() -> None:
    """What is wrong with a text is told at once, and with the network when it is built."""
    for step in ("0 ms", "-1 ms"):
        changed = model().with_(step=step)
        with pytest.raises(jlems.ModelError):
            changed.simulation()
    for step in ("1 mV", "1 parsec"):
        with pytest.raises(jlems.ModelError):
            model().with_(step=step)
