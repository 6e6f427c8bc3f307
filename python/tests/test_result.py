"""Results as arrays, and what they become."""

from __future__ import annotations

import os
import pathlib
import pickle
import subprocess
import sys

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


def test_arrays_are_read_only(result: jlems.Result) -> None:
    """Files of the result have the numbers of the run."""
    spikes = result.spikes["pacemakers"]
    copy = pickle.loads(pickle.dumps(result))
    for array in (result.values, result.t, result["pacemakers[*]/v"].values, spikes.times, copy.values):
        with pytest.raises(ValueError, match="read-only"):
            array[..., 0] = 1.0
    own = result["pacemakers[0]/v"].values.copy()
    own[0] = 1.0


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


def test_other_units(result: jlems.Result) -> None:
    trace = result["pacemakers[*]/v"]
    assert np.allclose(trace.to("mV"), trace.values * 1000) and trace.to("mV").shape == trace.shape
    assert (abs(trace) == np.abs(trace.values)).all() and (trace**2 == trace.values**2).all()
    assert trace.argmax() == trace.values.argmax() and trace.sum() == trace.values.sum()
    cell = jlems.loads(CELL).components["iaf"]
    assert cell.C.to("pF") == pytest.approx(200) and cell.leakReversal.to("mV") == pytest.approx(-50)


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
    assert repr(result.events) == f"{{'cells.spikes': <Events: {len(events.times)} of 1 selections>}}"


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


def test_neo(result: jlems.Result) -> None:
    pytest.importorskip("neo")
    block = result.to_neo()
    segment = block.segments[0]
    signals = {signal.name: signal for signal in segment.analogsignals}
    assert set(signals) == set(result)
    signal = signals["pacemakers[0]/v"]
    assert np.array_equal(signal.rescale("V").magnitude[:, 0], result["pacemakers[0]/v"].values)
    assert signal.times[-1].rescale("s") == pytest.approx(1.0)
    assert signals["followers[0]/u"].dimensionality.string == "A"
    trains = {train.name: train for train in segment.spiketrains}
    assert np.array_equal(trains["pacemakers[2]"].magnitude, result.spikes["pacemakers"].of(2))
    assert len(trains) == sum(spikes.n for spikes in result.spikes.values())


def test_units_that_neo_does_not_know() -> None:
    pytest.importorskip("neo")
    from jlems._result import _neo_unit

    names = {"mol_per_m3": "mol/m**3", "per_s": "1/s", "S_per_m2": "S/m**2", "quarks": "dimensionless", None: "dimensionless"}
    for name, expected in names.items():
        assert _neo_unit(name).dimensionality.string == expected


def test_parquet(result: jlems.Result, tmp_path: pathlib.Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    result.to_parquet(tmp_path / "a.parquet")
    frame = pandas.read_parquet(tmp_path / "a.parquet")
    assert np.array_equal(frame["pacemakers[4]/v"], result["pacemakers[4]/v"].values)
    assert np.array_equal(frame.index, result.t)


FULL = """
import os, resource, sys
import jlems
result = jlems.load(sys.argv[1], length="1 s").run()
simulation = jlems.LEMSSimulation("a" * 9000, 1, 0.1, "net")
for name, write in [("a.npz", result.to_npz), ("b", result.to_npz), ("a.parquet", result.to_parquet),
                    ("a.xml", simulation.save_to_file)]:
    written = name + ".npz" if name == "b" else name
    with open(written, "w") as stream:
        stream.write("before")
    if name == "a.parquet":
        try:
            import pandas, pyarrow
        except ImportError:
            continue
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, resource.RLIM_INFINITY))
    try:
        write(name)
    except jlems.FileError as error:
        assert error.errno and error.strerror and error.filename == written, error
    else:
        raise AssertionError(name)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert open(written).read() == "before", name
print(*sorted(os.listdir(".")))
"""


def test_a_full_disk_leaves_no_parts(tmp_path: pathlib.Path) -> None:
    pytest.importorskip("resource")
    done = subprocess.run([sys.executable, "-c", FULL, str(NETWORK)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["a.npz", "a.parquet", "a.xml", "b.npz"]


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_where_files_go(result: jlems.Result, tmp_path: pathlib.Path) -> None:
    result.to_npz(tmp_path / "a")
    (tmp_path / "a.npz.partial").write_text("of another run")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link.npz").symlink_to("folder/b.npz")
    result.to_npz(tmp_path / "link.npz")
    assert (tmp_path / "link.npz").is_symlink()
    for name in ("a.npz", "folder/b.npz"):
        with np.load(tmp_path / name) as loaded:
            assert np.array_equal(loaded["values"], result.values)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "a.npz.partial", "folder", "link.npz"]
    with pytest.raises(jlems.MissingFileError) as caught:
        result.to_npz(tmp_path / "nowhere" / "a.npz")
    assert caught.value.filename == str(tmp_path / "nowhere" / "a.npz")
    with pytest.raises(jlems.FileError):
        jlems.LEMSSimulation("a", 1, 0.1, "net").save_to_file(str(tmp_path))


def test_what_notebooks_show(result: jlems.Result) -> None:
    model = jlems.load(NETWORK, length="10 ms")
    simulation = model.simulation()
    name = next(id for id, component in model.components.items() if "C" in component.parameters)
    outcome = simulation.sweep({f"{name}/C": ["90 pF", "100 pF"]}).run(reduce=lambda result: len(result.t))
    shown = {
        "model": (model._repr_html_(), "pacemakers"),
        "component": (model.components[name]._repr_html_(), "F"),
        "simulation": (simulation._repr_html_(), "100 of 0.0001 s"),
        "result": (result._repr_html_(), "<svg"),
        "trace": (result["pacemakers[0]/v"]._repr_svg_(), "<svg"),
        "spikes": (result.spikes["pacemakers"]._repr_svg_(), "pacemakers[4]"),
        "sweep": (outcome._repr_html_(), "90 pF"),
        "type": (model.describe("izhikevich2007Cell")._repr_html_(), "d v/dt = iMemb / C"),
        "report": (jlems.validate(NETWORK)._repr_html_(), "valid"),
    }
    for what, (page, text) in shown.items():
        assert text in page, what
        assert "<script" not in page and "http" not in page.replace('xmlns="http://www.w3.org/2000/svg"', ""), what


def test_pages_are_escaped_and_short() -> None:
    from jlems._pages import table

    page = table([("<b>", n) for n in range(100)])
    assert "<b>" not in page and "&lt;b&gt;" in page and "and 60 more" in page and table([]) == ""


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


def test_equality_of_traces_is_an_array(result: jlems.Result) -> None:
    trace, other = result["pacemakers[0]/v"], result["pacemakers[0]/v"]
    assert (trace == other).all() and not (trace != other).any()
    assert (trace == trace.values).shape == trace.shape and not (trace == 1.0).any()


def test_spikes_of_some_members() -> None:
    """Counts, rates and trains are those of the recorded members, whatever their numbers."""
    whole = jlems.run(NETWORK, length="1 s", spikes="pacemakers").spikes["pacemakers"]
    some = jlems.run(NETWORK, length="1 s", spikes=["pacemakers[3]", "pacemakers[1]"]).spikes["pacemakers"]
    assert whole.members.tolist() == [0, 1, 2, 3, 4] and some.members.tolist() == [1, 3] and some.n == 2
    assert np.array_equal(some.counts(), whole.counts()[[1, 3]]) and some.counts().sum() == some.count > 0
    assert np.array_equal(some.rates(), whole.rates()[[1, 3]])
    for member, train in zip([1, 3], some.trains()):
        assert np.array_equal(train, whole.of(member)) and np.array_equal(some.of(member), train)
    starts, rates = some.rates("100 ms")
    assert len(starts) == 10 and rates.sum() * 0.1 * 2 == pytest.approx(some.count)
    for member in (0, 99, -1, "1"):
        with pytest.raises(IndexError, match="its spikes are not recorded"):
            some.of(member)  # type: ignore[arg-type]
    with pytest.raises(IndexError):
        some.isi(99)


def test_spikes_after_a_checkpoint() -> None:
    """Rates are those of the time that is recorded."""
    simulation = jlems.load(NETWORK, length="1 s").simulation(spikes="pacemakers")
    whole = simulation.run().spikes["pacemakers"]
    with simulation.start() as run:
        run.advance("0.6 s")
        saved = run.checkpoint()
        assert run.peek().spikes["pacemakers"].duration == pytest.approx(0.6)
    with simulation.start(checkpoint=saved) as run:
        rest = pickle.loads(pickle.dumps(run.run())).spikes["pacemakers"]
    assert rest.start == pytest.approx(0.6) and rest.duration == pytest.approx(0.4)
    assert rest.count == (whole.times >= 0.6).sum() > 0
    assert rest.rates().sum() == pytest.approx(rest.count / 0.4)
    starts, rates = rest.rates("0.1 s")
    assert starts == pytest.approx([0.6, 0.7, 0.8, 0.9]) and rates.sum() * 0.1 * 5 == pytest.approx(rest.count)
