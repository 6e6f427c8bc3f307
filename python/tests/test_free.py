"""Free parameters: other values without other machine code, between runs and between steps."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import jlems

from conftest import CELL

FREE = ["iaf/C", "iaf/leakReversal"]


@pytest.fixture
def simulation() -> jlems.Simulation:
    return jlems.loads(CELL).simulation(free=FREE)


@pytest.mark.parametrize("backend", ["jit", "interpreter"])
def test_runs_have_the_numbers_of_simulations_of_their_own(backend: str) -> None:
    model = jlems.loads(CELL)
    free = model.simulation(free=FREE, backend=backend)
    own = model.simulation(backend=backend)
    assert np.array_equal(free.run().values, own.run().values)
    for values in [{"iaf/C": "0.3 nF"}, {"iaf/C": 1e-10, "iaf/leakReversal": "-40 mV"}]:
        ours, expected = free.run(set=values), own.run(set=values)
        assert np.array_equal(ours.values, expected.values)
        assert np.array_equal(ours.spikes["cells"].times, expected.spikes["cells"].times)
    # A parameter that is not free can change, too; it takes longer.
    values = {"iaf/leakConductance": "0.02 uS"}
    assert np.array_equal(free.run(set=values).values, own.run(set=values).values)


def test_a_run_takes_values_between_steps(simulation: jlems.Simulation) -> None:
    def halves(**change: object) -> np.ndarray:
        with simulation.start() as run:
            run.advance("10 ms")
            for name, value in change.items():
                run[f"iaf/{name}"] = value
            return run.run().values

    whole = simulation.run().values
    assert np.array_equal(halves(), whole)
    assert np.array_equal(halves(C="0.2 nF"), whole)
    changed = halves(leakReversal="-40 mV")
    row = round(0.01 / simulation.step) + 1
    assert np.array_equal(changed[:, :row], whole[:, :row])
    assert not np.array_equal(changed[:, row:], whole[:, row:])
    # What was changed before stays.
    both = halves(leakReversal="-40 mV", C="0.25 nF")
    assert not np.array_equal(both, changed)


def test_what_is_not_free_is_refused(simulation: jlems.Simulation) -> None:
    with simulation.start() as run:
        with pytest.raises(jlems.UsageError, match="did you mean `iaf/C`"):
            run["iaf/CC"] = "1 nF"
        with pytest.raises(jlems.UsageError, match="say it in `free`"):
            run["thresh"] = "1 mV"
        with pytest.raises(jlems.ModelError):
            run["iaf/C"] = "1 mV"
        # The run goes on as before.
        assert np.array_equal(run.run().values, simulation.run().values)
    with pytest.raises(jlems.JlemsError, match="no component has the id `nothing`"):
        jlems.loads(CELL).simulation(free="nothing/C")


def test_free_parameters_survive_pickling(simulation: jlems.Simulation) -> None:
    again = pickle.loads(pickle.dumps(simulation))
    values = {"iaf/C": "0.3 nF"}
    assert np.array_equal(again.run(set=values).values, simulation.run(set=values).values)


@pytest.mark.parametrize(
    "free, message",
    [
        ("iaf/CC", "iafCell `iaf` has no parameter `CC`.*did you mean `C`"),
        (["iaf/C", "net/size"], "network `net` has no parameter `size`"),
    ],
)
def test_a_free_parameter_must_be_there(free: str | list[str], message: str) -> None:
    with pytest.raises(jlems.UsageError, match=f"(?s){message}"):
        jlems.loads(CELL).simulation(free=free)


def test_a_value_that_is_too_large_is_told(simulation: jlems.Simulation) -> None:
    huge = {"iaf/C": "1e400 nF"}
    model = jlems.loads(CELL)
    for make in (
        lambda: model.with_(huge),
        lambda: simulation.with_(huge),
        lambda: simulation.run(set=huge),
        lambda: model.simulation().run(set=huge),
        lambda: simulation.sweep({"iaf/C": ["0.2 nF", "1e400 nF"]}).run(threads=2),
        lambda: simulation.start().__setitem__("iaf/C", "1e400 nF"),
    ):
        with pytest.warns(jlems.JlemsWarning, match="W0227.*`1e400 nF` is too large") as told:
            make()
        assert len(told) == 1 and told[0].filename == __file__
