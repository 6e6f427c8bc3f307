"""Many runs."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import warnings

import numpy as np
import pytest

import jlems

from conftest import CELL, NETWORK

VALUES = [f"0.{n} nF" for n in range(1, 10)]


@pytest.fixture
def simulation() -> jlems.Simulation:
    return jlems.loads(CELL).simulation()


@pytest.mark.parametrize("threads", [1, 3])
def test_every_point_is_a_run(simulation: jlems.Simulation, threads: int) -> None:
    outcome = simulation.sweep({"iaf/C": VALUES}).run(threads=threads)
    assert len(outcome) == len(VALUES)
    for value, result in zip(VALUES, outcome):
        expected = simulation.run(set={"iaf/C": value})
        assert np.array_equal(result.values, expected.values)
        assert np.array_equal(result.spikes["cells"].times, expected.spikes["cells"].times)


def test_numbers_are_si(simulation: jlems.Simulation) -> None:
    outcome = simulation.sweep({"iaf/C": np.array([1e-10, 2e-10])}).run()
    assert np.array_equal(outcome[1].values, simulation.run(set={"iaf/C": "2e-10 F"}).values)


def test_reduce_and_tables(simulation: jlems.Simulation) -> None:
    sweep = simulation.sweep({"iaf/C": VALUES[:3], "iaf/leakConductance": ["0.01 uS", "0.02 uS"]})
    assert len(sweep) == 6
    outcome = sweep.run(reduce=lambda result: result.spikes["cells"].count)
    assert outcome.to_array().shape == (3, 2)
    single = simulation.run(set={"iaf/C": VALUES[2], "iaf/leakConductance": "0.02 uS"})
    assert outcome.to_array()[2, 1] == single.spikes["cells"].count
    xarray = pytest.importorskip("xarray")
    array = outcome.to_xarray()
    assert isinstance(array, xarray.DataArray) and array.dims == ("iaf/C", "iaf/leakConductance")
    assert list(outcome.to_pandas().columns) == ["iaf/C", "iaf/leakConductance", "value"]


def test_forms_of_tables(simulation: jlems.Simulation) -> None:
    pandas = pytest.importorskip("pandas")
    table = {"iaf/C": VALUES[:2], "iaf/leakConductance": ["0.01 uS", "0.02 uS"]}
    points = [dict(zip(table, pair)) for pair in zip(*table.values())]
    for sweep in (
        simulation.sweep(table, zip=True),
        simulation.sweep(points),
        simulation.sweep(pandas.DataFrame(table)),
    ):
        assert sweep.points == points
    assert len(simulation.sweep(points, seeds=[1, 2, 3])) == 6
    pairs = list(simulation.sweep(points).iter(threads=1))
    assert [point for point, _ in pairs] == points


def test_rows_of_numbers_are_candidates_of_an_optimiser(simulation: jlems.Simulation) -> None:
    rows = np.array([[0.1, 0.01], [0.2, 0.02]])
    units = {"iaf/C": "nF", "iaf/leakConductance": "uS"}
    with_units = simulation.sweep(rows, parameters=units)
    assert with_units.points[1] == {"iaf/C": "0.2 nF", "iaf/leakConductance": "0.02 uS"}
    in_si = simulation.sweep([[1e-10, 1e-8], (2e-10, 2e-8)], parameters=list(units))
    for ours, other in zip(with_units.run(), in_si.run()):
        assert np.allclose(ours.values, other.values)
    assert len(simulation.sweep(rows, parameters=units, seeds=[1, 2, 3])) == 6
    with pytest.raises(jlems.UsageError, match="3 values, and there are 2"):
        simulation.sweep([[1, 2, 3]], parameters=units)


def test_a_parameter_that_is_there_twice_is_refused(simulation: jlems.Simulation) -> None:
    two = ["iaf/C", "iaf/C"]
    with pytest.raises(jlems.UsageError, match="'iaf/C' is there twice"):
        simulation.sweep([[1e-9, 2e-9]], parameters=two)
    with pytest.raises(jlems.UsageError, match="'iaf/C' is there twice"):
        simulation.sweep([[("iaf/C", "1 nF"), ("iaf/C", "2 nF")]])
    with pytest.raises(jlems.UsageError, match="has seeds already"):
        simulation.sweep({"seed": [1, 2]}, seeds=[3])
    with pytest.raises(jlems.UsageError, match="parameters: 'iaf/C': a text is needed, not None"):
        simulation.sweep([[1e-9]], parameters={"iaf/C": None})  # type: ignore[dict-item]
    assert simulation.sweep([[1e-9], [2e-9]], parameters="iaf/C").points[1] == {"iaf/C": 2e-9}
    pandas = pytest.importorskip("pandas")
    with pytest.raises(jlems.UsageError, match="'iaf/C' is there twice"):
        simulation.sweep(pandas.DataFrame([[1e-9, 2e-9]], columns=two))


def test_seeds_are_those_of_runs() -> None:
    text = CELL.replace("</network>", '</network><spikeGeneratorPoisson id="p" averageRate="50 Hz"/>')
    text = text.replace('<population id="cells"', '<population id="sources" component="p" size="2"/><population id="cells"')
    text = text.replace("Networks.xml", "Inputs.xml\"/><Include file=\"Networks.xml")
    simulation = jlems.loads(text).simulation(spikes="sources")
    outcome = simulation.sweep([{}], seeds=[1, 2, 1]).run(threads=2)
    times = [result.spikes["sources"].times for result in outcome]
    assert np.array_equal(times[0], times[2]) and not np.array_equal(times[0], times[1])
    assert np.array_equal(times[1], simulation.run(seed=2).spikes["sources"].times)


def test_errors(simulation: jlems.Simulation) -> None:
    points = [{"iaf/C": "0.1 nF"}, {"iaf/D": "0.1 nF"}, {"iaf/C": "0.3 nF"}]
    with pytest.raises(jlems.UsageError, match="no parameter `D`"):
        simulation.sweep(points).run()
    kept = simulation.sweep(points).run(errors="keep")
    assert isinstance(kept[1], jlems.UsageError) and isinstance(kept[2], jlems.Result)
    with pytest.raises(ZeroDivisionError):
        simulation.sweep({"iaf/C": VALUES}).run(reduce=lambda _: 1 / 0)


def test_what_ends_a_sweep_has_the_values_of_the_points_before(simulation: jlems.Simulation) -> None:
    count = lambda result: result.spikes["cells"].count  # noqa: E731
    expected = simulation.sweep({"iaf/C": VALUES}).run(reduce=count).values

    def third(result: jlems.Result) -> int:
        seen.append(result)
        return count(result) if len(seen) < 3 else 1 // 0

    seen: list[jlems.Result] = []
    with pytest.raises(ZeroDivisionError) as raised:
        simulation.sweep({"iaf/C": VALUES}).run(reduce=third)
    assert raised.value.outcome.values == expected[:2]  # type: ignore[attr-defined]
    with pytest.raises(jlems.ModelError) as failed:
        simulation.sweep({"iaf/C": [*VALUES[:2], "1 mV"]}).run(reduce=count)
    assert failed.value.outcome.values == expected[:2]  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(jlems.JlemsWarning, match="W0227") as warned:
            simulation.sweep({"iaf/C": [*VALUES[:2], "1e400 nF", VALUES[3]]}).run(reduce=count)
    assert warned.value.outcome.values[:2] == expected[:2]  # type: ignore[attr-defined]
    assert len(warned.value.outcome.points) == 3  # type: ignore[attr-defined]


def test_progress_can_end_a_sweep(simulation: jlems.Simulation) -> None:
    outcome = simulation.sweep({"iaf/C": VALUES}).run(progress=lambda done, of: done == 4)
    assert len(outcome) == 4


def test_dicts_make_columns(simulation: jlems.Simulation) -> None:
    pytest.importorskip("pandas")
    points = [{"iaf/C": "0.1 nF"}, {"iaf/D": "0.1 nF"}, {"iaf/C": "0.3 nF"}]
    sweep = simulation.sweep(points)
    outcome = sweep.run(reduce=lambda one: {"count": len(one.spikes["cells"]), "last": one.t[-1]}, errors="keep")
    table = outcome.to_pandas()
    assert set(table.columns) == {"iaf/C", "iaf/D", "count", "last", "value"}
    assert table["count"][0] == outcome[0]["count"] > 0 and table["last"][2] == pytest.approx(0.1)
    assert table["value"][1] is outcome[1] and isinstance(outcome[1], jlems.UsageError)
    with pytest.raises(jlems.UsageError, match="'iaf/C' is a parameter"):
        simulation.sweep({"iaf/C": VALUES[:1]}).run(reduce=lambda _: {"iaf/C": 1}).to_pandas()


def test_results_make_an_array_of_objects(simulation: jlems.Simulation) -> None:
    array = simulation.sweep({"iaf/C": VALUES[:2], "iaf/thresh": ["-52 mV", "-53 mV", "-54 mV"]}).run().to_array()
    assert array.shape == (2, 3) and array.dtype == object and isinstance(array[1, 2], jlems.Result)


LARGE = NETWORK.with_name("izhikevich_network.net.nml")


def interrupted(folder: pathlib.Path, body: str) -> list[str]:
    """The words that a script prints about Ctrl-C, which comes while it builds a large network."""
    text = LARGE.read_text()
    rows = "".join(f'<connection id="{n}" preCellId="../p[{n % 997}]" postCellId="../p[{n % 1000}]"/>' for n in range(300_000))
    text = text.split("<network ")[0] + f"""<network id="n"><population id="p" component="regularSpiking" size="1000"/>
        <projection id="j" presynapticPopulation="p" postsynapticPopulation="p" synapse="excitation">{rows}</projection></network></neuroml>"""
    (folder / "large.nml").write_text(text)
    (folder / "large.toml").write_text('model = "large.nml"\nlength = "1 ms"\n[grid]\n"excitation/gbase" = ["1 nS", "2 nS"]\n')
    script = f"""
import os, signal, threading, time, jlems
sent = []
def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
def waited(call, after):
    timer = threading.Timer(after, interrupt)
    timer.start()
    try:
        call()
    except KeyboardInterrupt as error:
        return time.perf_counter() - sent[-1], error
    finally:
        timer.join()
    raise SystemExit("it was not interrupted")
{body}
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_sweep_at_once_and_keeps_the_points_before(tmp_path: pathlib.Path) -> None:
    words = interrupted(
        tmp_path,
        """
simulation = jlems.load("large.nml", length="1 ms").simulation()
sweep = simulation.sweep({"excitation/gbase": [f"{n} nS" for n in range(1, 9)]})
times = [time.perf_counter()]
sweep.run(threads=1, progress=lambda done, of: times.append(time.perf_counter()) or done == 3)
first, point = times[1] - times[0], (times[3] - times[1]) / 2
found = [waited(lambda: sweep.run(threads=1, reduce=lambda _: 1), first + part * point) for part in (1.1, 1.3, 1.5)]
print(max(seconds for seconds, _ in found) < 0.4 * point)
print(all(0 < len(error.outcome) < 8 for _, error in found), all(set(error.outcome) == {1} for _, error in found))
""",
    )
    assert words == ["True"] * 3


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_sweep_of_a_file_at_once(tmp_path: pathlib.Path) -> None:
    # While the model is read, and while a point is built.
    words = interrupted(
        tmp_path,
        """
begun = time.perf_counter()
jlems.Sweep.from_toml("large.toml").to_parquet("whole", threads=1)
whole = time.perf_counter() - begun
for part in (0.1, 0.6):
    seconds, _ = waited(lambda: jlems.Sweep.from_toml("large.toml").to_parquet("broken", threads=1), part * whole)
    print(seconds < max(0.15, whole / 8))
print(jlems.Sweep.from_toml("large.toml").to_parquet("broken", threads=1).failed)
print(all(open("whole/" + name, "rb").read() == open("broken/" + name, "rb").read() for name in os.listdir("whole")))
""",
    )
    assert words == ["True", "True", "0", "True"]
