"""Results as arrays, and what they become."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import jlems

from conftest import CELL, NETWORK


@pytest.fixture(scope="module")
def result() -> jlems.Result:
    return jlems.run(NETWORK, length="1 s", record=["pacemakers[*]/v", "followers[0]/u"], spikes="*")


def test_arrays_are_views(result: jlems.Result) -> None:
    assert result.values.dtype == np.float64 and result.values.shape == (6, 10001)
    assert np.shares_memory(result["pacemakers[*]/v"].values, result.values)
    assert np.shares_memory(np.asarray(result["pacemakers[1]/v"]), result.values)
    assert result["pacemakers[1]/v"].values.flags.c_contiguous
    assert result.t.shape == (10001,) and result.t[0] == 0


def test_traces(result: jlems.Result) -> None:
    trace = result["pacemakers[1]/v"]
    assert trace.dimension == "voltage" and trace.unit == "V"
    assert np.array_equal(trace * 1000, trace.values * 1000)
    assert np.mean(trace) == trace.mean() == trace.values.mean()
    assert (trace > 0).any() and len(trace) == 10001 and trace[0] == trace.values[0]
    assert np.asarray(trace, dtype=np.float32).dtype == np.float32
    assert result["pacemakers[*]/v"].paths == [f"pacemakers[{n}]/v" for n in range(5)]
    assert set(result) == set(result.columns) and len(result) == 6
    assert "pacemakers[0]/v" in result and "pacemakers[9]/v" not in result
    with pytest.raises(KeyError, match="did you mean"):
        result["pacemakers[0]/w"]


def test_spikes(result: jlems.Result) -> None:
    spikes = result.spikes["pacemakers"]
    assert spikes.ids.dtype == np.int32 and spikes.times.dtype == np.float64
    assert spikes.n == 5 and spikes.count == len(spikes) == spikes.counts().sum() > 0
    assert (np.diff(spikes.times) >= 0).all()
    assert sum(map(len, spikes.trains())) == spikes.count
    assert np.allclose(spikes.rates(), spikes.counts() / 1.0)
    starts, rates = spikes.rates(0.1)
    assert len(starts) == 10 and np.isclose(rates.sum() * 0.1 * 5, spikes.count)
    assert len(spikes.isi(0)) == max(0, len(spikes.of(0)) - 1)


def test_events_are_those_of_the_file() -> None:
    result = jlems.loads(CELL).run()
    events = result.events["cells.spikes"]
    assert events.ids.dtype == np.int32 and list(events.sources) == ["cells[0]"]
    assert np.array_equal(events.times, result.spikes["cells"].times)


def test_tables(result: jlems.Result, tmp_path: pathlib.Path) -> None:
    pandas = pytest.importorskip("pandas")
    xarray = pytest.importorskip("xarray")
    frame = result.to_pandas()
    assert isinstance(frame, pandas.DataFrame) and frame.index.name == "t"
    assert np.array_equal(frame["pacemakers[0]/v"], result["pacemakers[0]/v"].values)
    assert np.shares_memory(frame.values, result.values)
    data = result.to_xarray()
    assert isinstance(data, xarray.Dataset) and data["pacemakers[0]/v"].attrs["units"] == "V"
    result.to_npz(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as loaded:
        assert np.array_equal(loaded["values"], result.values)
        assert np.array_equal(loaded["spikes/pacemakers/times"], result.spikes["pacemakers"].times)
    assert result.as_dict()["t"] == result.t.tolist()


def test_pictures(result: jlems.Result) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    assert len(result.plot()) == 1
    result["pacemakers[*]/v"].plot()
    result.spikes["pacemakers"].plot()
    plt.close("all")


def test_recorded_is_what_is_asked_for() -> None:
    model = jlems.load(NETWORK, length="10 ms")
    assert list(model.run(record=[], spikes=[])) == []
    assert model.run(record=["followers[0]/u"]).columns == ["followers[0]/u"]
    only = model.run(spikes="followers")
    assert set(only.spikes) == {"followers"} and "pacemakers[0]/v" in only
    assert len(model.run(every=10).t) == 11


def test_unit_and_time_of_an_early_end() -> None:
    model = jlems.load(NETWORK, length="1000 s")
    result = model.run(progress=lambda progress: progress.t > 0.01)
    assert result.partial and result.t[-1] < 1000 and result.values.shape[1] == len(result.t)
    assert "partial" in repr(result)
