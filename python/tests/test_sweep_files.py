"""Sweeps that a file specifies: by the command line and in this process, with the same files, read as tables."""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Callable

import numpy as np
import pytest

import jlems

from conftest import CELL

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"

SPEC = """model = "cell.xml"
length = "50 ms"
seeds = [1, 2]
[grid]
"iaf/C" = { from = "0.1 nF", to = "0.3 nF", count = 5 }
[record]
features = ["last(cells[0]/v)", "count(cells)"]
traces = ["cells[1]/v"]
every = 100
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    (tmp_path / "cell.xml").write_text(CELL)
    (tmp_path / "sweep.toml").write_text(SPEC)
    return tmp_path / "sweep.toml"


def by_command(spec: Path, folder: Path, *options: str) -> None:
    command = [sys.executable, "-m", "jlems", "sweep", str(spec), "-o", str(folder), *options]
    subprocess.run(command, check=True, env={**os.environ, "NO_COLOR": "1"}, stdout=subprocess.DEVNULL)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_is_a_table(tmp_path: Path) -> None:
    """pandas reads all parts at once, with the numbers of runs in this process."""
    pytest.importorskip("pyarrow")
    import pandas as pd

    model = EXAMPLES / "izhikevich-network" / "LEMS_izhikevich_network.xml"
    spec = tmp_path / "sweep.toml"
    spec.write_text(
        f"""model = '{model}'
length = "300 ms"
[grid]
"excitation/gbase" = {{ from = "2 nS", to = "20 nS", count = 3 }}
[record]
features = ["max(followers[0]/v)"]
traces = ["followers[0]/v"]
events = ["pacemakers"]
every = 10
"""
    )
    by_command(spec, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out").sort_values("point")
    assert list(table["excitation/gbase"]) == [2.0, 11.0, 20.0]
    simulation = jlems.load(model).with_(length="300 ms").simulation(
        record=["followers[0]/v"], spikes=["pacemakers"]
    )
    for _, row in table.iterrows():
        result = simulation.run(set={"excitation/gbase": f"{row['excitation/gbase']} nS"})
        trace = result["followers[0]/v"].values
        assert np.array_equal(row["followers[0]/v"], trace[::10])
        assert row["max(followers[0]/v)"] == trace.max()
        assert np.array_equal(row["pacemakers times"], result.spikes["pacemakers"].times)
        assert np.array_equal(row["pacemakers spikes"], result.spikes["pacemakers"].ids)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_files_are_those_of_the_command(spec: Path, tmp_path: Path, threads: int) -> None:
    by_command(spec, tmp_path / "command")
    sweep = jlems.Sweep.from_toml(spec)
    assert sweep.to_parquet(tmp_path / "here", threads=threads) == (10, 0)
    assert files(tmp_path / "here") == files(tmp_path / "command")
    assert len(files(tmp_path / "here")) == 11  # A part for each point, and what the folder is.


def test_each_goes_on_with_what_the_other_has_begun(spec: Path, tmp_path: Path) -> None:
    whole, both = tmp_path / "whole", tmp_path / "both"
    by_command(spec, whole)
    by_command(spec, both, "--shard", "0/3")
    sweep = jlems.Sweep.from_toml(spec)
    assert sweep.to_parquet(both, shard=(1, 3)).runs == 3
    by_command(spec, both, "--shard", "2/3")
    assert files(both) == files(whole)
    assert sweep.to_parquet(both) == jlems.Written(runs=0, failed=0)
    lost = sorted(whole.glob("*.parquet"))[4]
    lost.unlink()
    assert sweep.to_parquet(whole).runs == 1
    assert files(whole) == files(both)


def test_points_are_those_of_the_table(spec: Path, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    sweep = jlems.Sweep.from_toml(str(spec))
    assert len(sweep) == len(sweep.points) == 10
    assert sweep.points[0] == {"iaf/C": "0.1 nF", "seed": 1}
    assert sweep.points[-1] == {"iaf/C": "0.3 nF", "seed": 2}
    assert [point["seed"] for point in sweep.points[:3]] == [1, 2, 1]
    with pytest.raises(IndexError):
        sweep.points[10]
    sweep.to_parquet(tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out").sort_values("point")
    outcome = sweep.run()
    for point, result, (_, row) in zip(outcome.points, outcome, table.iterrows()):
        assert point["iaf/C"] == f"{row['iaf/C']} nF" and point["seed"] == row["seed"]
        assert result["cells[0]/v"].values[-1] == row["last(cells[0]/v)"]
        assert np.array_equal(result["cells[1]/v"].values[::100], row["cells[1]/v"])
        assert result.spikes["cells"].count == row["count(cells)"]


def test_features_of_the_file_are_kept(spec: Path, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    named = ["mean", "std", "min", "max", "first", "last"]
    features = [f"{name}(cells[0]/v)" for name in named]
    features += ["count(cells)", "rate(cells)", "first_spike(cells)", "last_spike( cells )"]
    listed = ", ".join(f'"{name}"' for name in features)
    spec.write_text(SPEC.replace('features = ["last(cells[0]/v)", "count(cells)"]', f"features = [{listed}]"))
    sweep = jlems.Sweep.from_toml(spec)
    sweep.to_parquet(tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out").sort_values("point").reset_index(drop=True)
    for reduce in (None, lambda result: result.spikes["cells"].count):
        outcome = sweep.run(reduce=reduce)
        assert len(outcome.features) == 10
        ours = outcome.to_pandas()
        for name in features:
            assert [one[name] for one in outcome.features] == list(table[name]), name
            assert list(ours[name]) == list(table[name])
        assert "rate(cells)" in outcome._repr_html_()
    kept = pickle.loads(pickle.dumps(sweep.run(reduce=lambda _: 0)))
    assert kept.features == outcome.features
    with pytest.raises(jlems.UsageError, match="is a parameter or a feature"):
        sweep.run(reduce=lambda _: {"rate(cells)": 1}).to_pandas()
    # A silent cell has no first spike.
    (tmp_path / "cell.xml").write_text(CELL.replace('leakReversal="-50mV"', 'leakReversal="-60mV"'))
    silent = jlems.Sweep.from_toml(spec).run(reduce=lambda _: None).features[0]
    assert silent["count(cells)"] == 0 and silent["first_spike(cells)"] is None
    (tmp_path / "cell.xml").write_text(CELL)
    spec.write_text(SPEC.replace("last(cells[0]/v)", "last(cells[*]/v)"))
    with pytest.raises(jlems.UsageError, match="not about one thing"):
        jlems.Sweep.from_toml(spec).run()
    # A point that fails has none, and a sweep without a file neither.
    spec.write_text(SPEC.replace('{ from = "0.1 nF", to = "0.3 nF", count = 5 }', '["0.1 nF", "1 mV"]'))
    failed = jlems.Sweep.from_toml(spec).run(errors="keep")
    assert [len(one) for one in failed.features] == [2, 2, 0, 0]
    assert jlems.loads(CELL).simulation().sweep([{}]).run().features == [{}]


def test_a_specification_may_have_more_points_than_fit_in_memory(spec: Path) -> None:
    spec.write_text(SPEC.replace("count = 5", "count = 100000").replace("[record]", '"iaf/leakReversal" = '
                    '{ from = "-60 mV", to = "-50 mV", count = 100000 }\n[record]'))  # fmt: skip
    sweep = jlems.Sweep.from_toml(spec)
    assert len(sweep) == 20_000_000_000
    assert sweep.points[len(sweep) - 1] == {"iaf/C": "0.3 nF", "iaf/leakReversal": "-50 mV", "seed": 2}


def test_without_wishes_the_recordings_of_the_model_are_kept(spec: Path, tmp_path: Path) -> None:
    spec.write_text('model = "cell.xml"\n[grid]\n"iaf/C" = ["0.1 nF", "0.2 nF"]\n')
    by_command(spec, tmp_path / "command")
    sweep = jlems.Sweep.from_toml(spec)
    sweep.to_parquet(tmp_path / "here")
    assert files(tmp_path / "here") == files(tmp_path / "command")
    assert sweep.run()[0].spikes["cells"].count > 0


def test_what_is_wrong_is_an_exception(spec: Path, tmp_path: Path) -> None:
    def wrong(old: str, new: str) -> jlems.Sweep:
        spec.write_text(SPEC.replace(old, new))
        return jlems.Sweep.from_toml(spec)

    with pytest.raises(jlems.UsageError, match="unknown field"):
        wrong("seeds", "sedes")
    with pytest.raises(jlems.JlemsError, match="nothing.toml"):
        jlems.Sweep.from_toml(tmp_path / "nothing.toml")
    out = tmp_path / "out"
    with pytest.raises(jlems.JlemsError, match="did you mean"):
        wrong("iaf/C", "iaf/CC").to_parquet(out)
    sweep = wrong("", "")
    for shard in [(3, 3), "3/3", "x", 3, (1, 0)]:
        with pytest.raises(jlems.UsageError, match="shard"):
            sweep.to_parquet(out, shard=shard)  # type: ignore[arg-type]
    assert not out.exists()
    sweep.to_parquet(out)
    with pytest.raises(jlems.JlemsError, match="its specification is another one"):
        wrong("50 ms", "60 ms").to_parquet(out)
    with pytest.raises(jlems.UsageError, match="from_toml|of a file"):
        jlems.loads(CELL).simulation().sweep({"iaf/C": ["0.1 nF"]}).to_parquet(out)


def test_a_point_that_fails_is_a_row(spec: Path, tmp_path: Path) -> None:
    spec.write_text(SPEC.replace('{ from = "0.1 nF", to = "0.3 nF", count = 5 }', '["0.1 nF", "1 mV"]'))
    assert jlems.Sweep.from_toml(spec).to_parquet(tmp_path / "out") == (4, 2)


def test_progress_tells_and_ends(spec: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    sweep = jlems.Sweep.from_toml(spec)
    sweep.to_parquet(tmp_path / "out", progress=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (10, 10)
    spec.write_text(SPEC.replace("50 ms", "100 s").replace("count = 5", "count = 500"))
    long = jlems.Sweep.from_toml(spec)
    written = long.to_parquet(tmp_path / "long", progress=lambda done, of: True)
    assert written.runs < 1000
    spec.write_text(SPEC.replace("50 ms", "1000 s"))
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        jlems.Sweep.from_toml(spec).to_parquet(tmp_path / "broken", threads=1)
    timer.join()
    assert not list((tmp_path / "broken").glob("*.parquet"))


def share(spec: str, folder: str, number: int, of: int) -> int:
    """What a process of a cluster does."""
    return jlems.Sweep.from_toml(spec).to_parquet(folder, threads=1, shard=(number, of)).runs


def by_processes(spec: str, folder: str) -> list[int]:
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(share, [spec] * 3, [folder] * 3, range(3), [3] * 3))


def by_joblib(spec: str, folder: str) -> list[int]:
    joblib = pytest.importorskip("joblib")
    call = joblib.delayed(jlems.Sweep.from_toml(spec).to_parquet)
    written = joblib.Parallel(n_jobs=2)(call(folder, threads=1, shard=(number, 3)) for number in range(3))
    return [one.runs for one in written]


def by_dask(spec: str, folder: str) -> list[int]:
    dask = pytest.importorskip("dask")
    calls = [dask.delayed(share)(spec, folder, number, 3) for number in range(3)]
    return list(dask.compute(*calls, scheduler="processes", num_workers=2))


def by_ray(spec: str, folder: str) -> list[int]:
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        call = ray.remote(lambda number: jlems.Sweep.from_toml(spec).to_parquet(folder, threads=1, shard=(number, 3)).runs)
        return list(ray.get([call.remote(number) for number in range(3)]))
    finally:
        ray.shutdown()


@pytest.mark.parametrize("way", [by_processes, by_joblib, by_dask, by_ray])
def test_processes_share_a_sweep(spec: Path, tmp_path: Path, way: Callable[[str, str], list[int]]) -> None:
    assert way(str(spec), str(tmp_path / "shared")) == [4, 3, 3]
    jlems.Sweep.from_toml(spec).to_parquet(tmp_path / "whole")
    assert files(tmp_path / "shared") == files(tmp_path / "whole")


def test_job_arrays_are_shards(spec: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = jlems.Sweep.from_toml(spec)
    assert sweep.to_parquet(tmp_path / "alone", shard="job").runs == 10
    for name, value in {"ID": "2", "MIN": "1", "MAX": "3"}.items():
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    assert sweep.to_parquet(tmp_path / "task", shard="job").runs == 3
    assert sweep.to_parquet(tmp_path / "whole").runs == 10


def test_sweeps_survive_pickling(spec: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(spec.parent)
    again = pickle.loads(pickle.dumps(jlems.Sweep.from_toml("sweep.toml")))
    monkeypatch.chdir("/")
    assert again.points[3] == {"iaf/C": "0.15 nF", "seed": 2} and len(again) == 10
    own = pickle.loads(pickle.dumps(jlems.loads(CELL).simulation().sweep({"iaf/C": ["0.1 nF", "0.2 nF"]})))
    assert own.axes == {"iaf/C": ["0.1 nF", "0.2 nF"]} and len(own.run()) == 2
