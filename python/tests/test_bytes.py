"""Values are those of the command line, to the last bit: files written from results are the same bytes."""

from __future__ import annotations

import json
import pathlib
import pickle
import warnings

import numpy as np
import pytest

import jlems

from conftest import NETWORK, ROOT, program

CASES = sorted([*ROOT.glob("tests/models/*/case.json"), *ROOT.glob("examples/*/case.json")])
FEW = [case for case in CASES if case.parent.name in (
    "izhikevich-network", "event-files", "display", "random-seed", "hdf5-network", "recorded-time", "poisson-synapses"
)]


def names(cases: list[pathlib.Path]) -> list[str]:
    return [case.parent.name for case in cases]


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if "report" not in path.name}


def expected(case: pathlib.Path, folder: pathlib.Path) -> dict[str, bytes]:
    file = case.parent / json.loads(case.read_text())["run"]
    done = program("run", "--quiet", "--out-dir", folder, file)
    assert done.returncode == 0, done.stderr
    return contents(folder)


def loaded(case: pathlib.Path) -> jlems.Model:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return jlems.load(case.parent / json.loads(case.read_text())["run"])


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_files_of_a_result(case: pathlib.Path, tmp_path: pathlib.Path) -> None:
    wanted = expected(case, tmp_path / "program")
    model = loaded(case)
    written = model.run().to_files(tmp_path / "result")
    found = contents(tmp_path / "result")
    assert found == wanted
    assert set(written) >= set(wanted)


@pytest.mark.filterwarnings("ignore::jlems.JlemsWarning")
@pytest.mark.parametrize("case", FEW, ids=names(FEW))
def test_files_on_other_ways(case: pathlib.Path, tmp_path: pathlib.Path) -> None:
    wanted = expected(case, tmp_path / "program")
    simulation = loaded(case).simulation(threads=2)
    simulation.write(tmp_path / "written")
    assert contents(tmp_path / "written") == wanted
    pickle.loads(pickle.dumps(simulation)).run().to_files(tmp_path / "pickled")
    assert contents(tmp_path / "pickled") == wanted
    pickle.loads(pickle.dumps(simulation.run())).to_files(tmp_path / "result")
    assert contents(tmp_path / "result") == wanted
    with simulation.start() as run:
        for steps in (0, 1, 7, 1000):
            run.step(steps)
        while not run.done:
            run.advance(simulation.step * 777)
        run.result().to_files(tmp_path / "stepwise")
    assert contents(tmp_path / "stepwise") == wanted


def test_as_written_is_what_a_file_has(tmp_path: pathlib.Path) -> None:
    result = jlems.run(NETWORK, length="1 s", write=tmp_path)
    text = np.loadtxt(tmp_path / "izhikevich_network.dat", dtype=np.float32)
    written = result.as_written()
    assert np.array_equal(written["t"], text[:, 0])
    assert np.array_equal(written["pacemakers[0]/v"], text[:, 1])


def test_every_and_seed_are_those_of_the_command_line(tmp_path: pathlib.Path) -> None:
    file = ROOT / "tests/models/poisson-synapses"
    file = file / json.loads((file / "case.json").read_text())["run"]
    options = ["--seed", 7, "--every", 3]
    assert program("run", "--quiet", *options, "--out-dir", tmp_path / "a", file).returncode == 0
    jlems.run(file, seed=7, every=3, write=tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != {}


def test_settings_are_those_of_the_command_line(tmp_path: pathlib.Path) -> None:
    model = jlems.load(NETWORK)
    path = next(f"{id}/C" for id, one in model.components.items() if "C" in one.parameters)
    assert program(
        "run", "--quiet", "--set", f"{path}=1.1e-10 F", "--length", "500ms", "--out-dir", tmp_path / "a", NETWORK
    ).returncode == 0
    model.with_({path: 1.1e-10}, length=0.5).run(write=tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != {}
