"""What the tests share."""

from __future__ import annotations

import pathlib
import subprocess
import sys
from typing import Iterator

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NETWORK = ROOT / "examples/izhikevich-network/LEMS_izhikevich_network.xml"

CELL = """<Lems><Target component="sim"/>
<Include file="Cells.xml"/><Include file="Networks.xml"/><Include file="Simulation.xml"/>
<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
<network id="net"><population id="cells" component="iaf" size="3"/></network>
<Simulation id="sim" length="100ms" step="0.01ms" target="net">
  <OutputFile id="v" fileName="v.dat"><OutputColumn id="v" quantity="cells[0]/v"/></OutputFile>
  <EventOutputFile id="s" fileName="cells.spikes" format="TIME_ID">
    <EventSelection id="0" select="cells[0]" eventPort="spike"/></EventOutputFile>
</Simulation></Lems>"""

# A cell that is neither quick nor finite: it grows.
GROWING = """<Lems><Target component="sim"/><Include file="Simulation.xml"/>
<ComponentType name="Grower"><Exposure name="x" dimension="none"/>
  <Dynamics><StateVariable name="x" dimension="none" exposure="x"/><OnStart><StateAssignment variable="x" value="1"/></OnStart>
  <TimeDerivative variable="x" value="x * x / tau"/></Dynamics><Constant name="tau" dimension="time" value="1s"/></ComponentType>
<Include file="Networks.xml"/>
<Grower id="g"/>
<Simulation id="sim" length="5s" step="1ms" target="g">
  <OutputFile id="x" fileName="x.dat"><OutputColumn id="x" quantity="x"/></OutputFile></Simulation></Lems>"""


@pytest.fixture
def without_java(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> Iterator[None]:
    """An empty folder, no Java on the PATH, and pyNeuroML runs in this process."""
    compat = pytest.importorskip("jlems.compat.pyneuroml")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)
    compat.install()
    yield
    compat.uninstall()


@pytest.fixture
def cell_text() -> str:
    return CELL


@pytest.fixture
def growing_text() -> str:
    return GROWING


def program(*words: object, cwd: object = None) -> subprocess.CompletedProcess[str]:
    """Runs the command line that comes with the package."""
    command = [sys.executable, "-m", "jlems", *map(str, words)]
    return subprocess.run(command, cwd=str(cwd or "."), capture_output=True, text=True)
