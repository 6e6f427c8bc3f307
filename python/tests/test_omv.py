"""OSBModelValidation with the engine of the package."""

from __future__ import annotations

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

import jlems

from conftest import NETWORK

pytest.importorskip("omv.engines")
compat = pytest.importorskip("jlems.compat.omv")


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    for file in [NETWORK, *NETWORK.parent.glob("*.nml")]:
        shutil.copy(file, tmp_path)
    return tmp_path


def omv(folder: pathlib.Path, engine: str, target: str, expected: list[float] | None) -> subprocess.CompletedProcess[str]:
    """Writes a test of OMV and runs it."""
    test: dict[str, object] = {"target": target, "engine": engine}
    if expected is not None:
        observable = {
            "file": {"path": "izhikevich_network.dat", "columns": [0, 1], "scaling": [1000, 1000]},
            "spike detection": {"method": "threshold", "threshold": 0},
            "tolerance": 1e-6,
        }
        test |= {"mep": ".test.mep", "experiments": {"run": {"observables": {"spike times": observable}}}}
        mep = {"system": "network", "experiments": {"run": {"expected": {"spike times": expected}}}}
        (folder / ".test.mep").write_text(json.dumps(mep))
    (folder / ".test.omt").write_text(json.dumps(test))
    command = [sys.executable, "-m", "jlems.omv", "test", ".test.omt", "-V"]
    environment = {"PATH": "", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("engine", ["jLEMS_rs", "jNeuroML", "jNeuroML_NEURON"])
def test_runs(folder: pathlib.Path, engine: str) -> None:
    trace = jlems.run(NETWORK)["pacemakers[0]/v"]
    v, t = trace.values * 1000, trace.t * 1000
    expected = [float(t[n]) for n in range(1, len(v)) if v[n - 1] < 0 <= v[n]]
    done = omv(folder, engine, NETWORK.name, expected)
    assert done.returncode == 0, done.stdout + done.stderr
    wrong = omv(folder, engine, NETWORK.name, [one + 5 for one in expected])
    assert wrong.returncode != 0


def test_validation(folder: pathlib.Path) -> None:
    assert omv(folder, "jNeuroML_validate", "*.nml", None).returncode == 0
    file = next(folder.glob("*.nml"))
    file.write_text(file.read_text().replace("<population ", "<population colour='red' ", 1))
    done = omv(folder, "jNeuroML_validate", "*.nml", None)
    assert "colour" in done.stdout


def test_engines_are_put_back() -> None:
    from omv.engines import OMVEngines

    before = dict(OMVEngines)
    compat.install()
    compat.install()
    assert OMVEngines["jLEMS_rs"].is_installed() and OMVEngines["jNeuroML"] is not before["jNeuroML"]
    compat.uninstall()
    assert OMVEngines == before
