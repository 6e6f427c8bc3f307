"""Models, simulations, results and errors in other processes."""

from __future__ import annotations

import multiprocessing
import os
import pathlib
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import jlems

from conftest import CELL, GROWING, NETWORK


def run_with(pair: tuple[jlems.Simulation, int]) -> jlems.Result:
    simulation, nanofarads = pair
    return simulation.run(set={"iaf/C": f"0.{nanofarads} nF"})


def test_pickled_things_are_the_same(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "LEMS_cell.xml"
    file.write_text(CELL)
    model = jlems.load(file).with_({"iaf/C": "0.3 nF"})
    result = model.run()
    file.unlink()
    for copy in (
        pickle.loads(pickle.dumps(model)).run(),
        pickle.loads(pickle.dumps(model.simulation())).run(),
        pickle.loads(pickle.dumps(result)),
    ):
        assert np.array_equal(copy.values, result.values) and np.array_equal(copy.t, result.t)
        assert np.array_equal(copy.spikes["cells"].times, result.spikes["cells"].times)
        assert copy.columns == result.columns and not copy.partial


def test_a_model_with_includes_needs_no_files_any_more() -> None:
    model = jlems.load(NETWORK, length="50 ms")
    texts = pickle.dumps(model)
    os.chdir("/")
    assert np.array_equal(pickle.loads(texts).run().values, model.run().values)


def test_errors_pickle() -> None:
    with pytest.raises(jlems.ModelError) as caught:
        jlems.loads(CELL.replace('C="0.2nF"', 'C="0.2mV"'))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value) and copy.problems == caught.value.problems


def test_an_error_of_a_run_takes_its_result_along() -> None:
    simulation = jlems.loads(GROWING).simulation()
    with pytest.raises(jlems.RunError) as caught:
        simulation.run()
    error = caught.value
    if hasattr(error, "add_note"):
        error.add_note("a note")
    for copy in (pickle.loads(pickle.dumps(error)), pickle.loads(pickle.dumps(error.result)).error):
        assert isinstance(copy, jlems.RunError) and str(copy) == str(error)
        assert copy.problems == error.problems and getattr(copy, "__notes__", 0) == getattr(error, "__notes__", 0)
        assert error.result is not None and copy.result is not None and copy.result.error is copy
        assert copy.result.partial and np.array_equal(copy.result.values, error.result.values)
    with ProcessPoolExecutor(1) as pool, pytest.raises(jlems.RunError) as travelled:
        pool.submit(simulation.run).result()
    assert travelled.value.result is not None


def test_a_run_does_not_pickle() -> None:
    with jlems.loads(CELL).simulation().start() as run, pytest.raises(TypeError, match="checkpoint"):
        pickle.dumps(run)


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    simulation = jlems.loads(CELL).simulation()
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        results = list(pool.map(run_with, [(simulation, n) for n in (1, 2, 3)]))
    for number, result in zip((1, 2, 3), results):
        expected = run_with((simulation, number))
        assert np.array_equal(result.values, expected.values)


def test_joblib() -> None:
    joblib = pytest.importorskip("joblib")
    simulation = jlems.loads(CELL).simulation()
    jobs = [joblib.delayed(run_with)((simulation, n)) for n in (1, 2)]
    for number, result in zip((1, 2), joblib.Parallel(2)(jobs)):
        assert np.array_equal(result.values, run_with((simulation, number)).values)


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask(scheduler: str) -> None:
    dask = pytest.importorskip("dask")
    simulation = jlems.loads(CELL).simulation()
    jobs = [dask.delayed(run_with)((simulation, n)) for n in (1, 2)]
    for number, result in zip((1, 2), dask.compute(*jobs, scheduler=scheduler)):
        assert np.array_equal(result.values, run_with((simulation, number)).values)


def test_ray() -> None:
    """Ray is not among the packages that the tests install, because it is large."""
    ray = pytest.importorskip("ray")
    simulation = jlems.loads(CELL).simulation()
    ray.init(num_cpus=2, include_dashboard=False, configure_logging=False)
    try:
        # Workers do not have this file, so they get a function that is sent as it is.
        run = ray.remote(lambda simulation, n: simulation.run(set={"iaf/C": f"0.{n} nF"}))
        held = ray.put(simulation)
        for number, result in zip((1, 2), ray.get([run.remote(held, n) for n in (1, 2)])):
            assert np.array_equal(result.values, run_with((simulation, number)).values)
    finally:
        ray.shutdown()
