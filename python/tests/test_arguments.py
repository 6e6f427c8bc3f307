"""Bad arguments: each with the exception that it gives."""

from __future__ import annotations

from typing import Any, Callable

import pytest

import jlems

from conftest import CELL, NETWORK

U, M, F, K = jlems.UsageError, jlems.ModelError, FileNotFoundError, KeyError


def model() -> jlems.Model:
    return jlems.loads(CELL)


def simulation() -> jlems.Simulation:
    return model().simulation()


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
    ("record a missing variable", lambda: model().simulation(record="cells[0]/w"), M),
    ("record a missing member", lambda: model().simulation(record="cells[9]/v"), M),
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
    ("a LEMS file without a target", lambda: jlems.LEMSSimulation("a", 1, 0.1).to_xml(), U),
]


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
@pytest.mark.parametrize("what, call, kind", BAD, ids=[one[0] for one in BAD])
def test_bad_arguments(what: str, call: Callable[[], Any], kind: type[BaseException]) -> None:
    with pytest.raises(kind) as caught:
        call()
    assert str(caught.value).strip()
    assert not isinstance(caught.value, jlems.InternalError)


def test_there_are_enough() -> None:
    assert len(BAD) >= 60


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
@pytest.mark.parametrize(
    "call, said",
    [
        (lambda: jlems.run(NETWORK, duration="1 s"), "did you mean `length`?"),
        (lambda: jlems.run(NETWORK, dt="1 ms"), "did you mean `step`?"),
        (lambda: jlems.run(NETWORK, recrod="x"), "did you mean `record`?"),
        (lambda: result().spikes["cell"], "did you mean `cells`?"),
        (lambda: model().components["iafs"], "did you mean `iaf`?"),
        (lambda: result()["cells[0]/v"].to("nA"), "`nA` is a unit of current, not of voltage"),
    ],
)
def test_messages_name_what_was_meant(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(Exception) as caught:
        call()
    assert said in str(caught.value)
