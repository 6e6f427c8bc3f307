"""NeuroMLlite with the package as its simulator, without Java."""

from __future__ import annotations

import pathlib
from typing import Any, Iterator

import pytest

neuromllite = pytest.importorskip("neuromllite")
pytest.importorskip("pyneuroml.runners")
compat = pytest.importorskip("jlems.compat.neuromllite")


SYNAPSE = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="syn">
  <expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="3ms"/></neuroml>"""


@pytest.fixture(autouse=True)
def taken_over(without_java: None) -> Iterator[None]:
    compat.install()
    yield
    compat.uninstall()


def simulation() -> Any:
    """A network of integrate-and-fire cells that are excited one after the other."""
    from neuromllite import Cell, InputSource, Input, Network, Population, RandomConnectivity, Projection, Simulation, Synapse

    network = Network(id="chain")
    network.cells.append(
        Cell(
            id="iaf", neuroml2_cell="iafCell",
            parameters={
                "leak_reversal": "-60mV", "thresh": "-50mV", "reset": "-65mV", "C": "0.2nF", "leak_conductance": "0.01uS",
            },
        )
    )  # fmt: skip
    pathlib.Path("syn.nml").write_text(SYNAPSE)
    network.synapses.append(Synapse(id="syn", neuroml2_source_file="syn.nml"))
    for name in ("first", "second"):
        network.populations.append(Population(id=name, size=3, component="iaf"))
    projection = Projection(id="p", presynaptic="first", postsynaptic="second", synapse="syn", weight=1, delay=0)
    projection.random_connectivity = RandomConnectivity(probability=1)
    network.projections.append(projection)
    pulse = {"amplitude": "0.3nA", "delay": "5ms", "duration": "90ms"}
    network.input_sources.append(InputSource(id="pulse", neuroml2_input="pulseGenerator", parameters=pulse))
    network.inputs.append(Input(id="i", input_source="pulse", population="first", percentage=100))
    network.to_json_file("chain.json")
    return Simulation(
        id="sim", network="chain.json", duration=100, dt=0.01, record_traces={"all": "*"}, record_spikes={"all": "*"}
    )


@pytest.mark.parametrize("simulator", ["jLEMS_rs", "jNeuroML", "jNeuroML_NEURON"])
def test_runs(simulator: str) -> None:
    from neuromllite.NetworkGenerator import generate_and_run

    traces, events = generate_and_run(simulation(), simulator=simulator, return_results=True)
    assert len(traces["t"]) == 10001 and len(traces) == 7
    assert sum(map(len, events.values())) > 3


def test_the_option_of_scripts() -> None:
    from neuromllite.NetworkGenerator import check_to_generate_or_run

    check_to_generate_or_run(["script.py", "-jlemsrs"], simulation())
    assert list(pathlib.Path().glob("sim.*.v.dat"))


def test_everything_is_put_back() -> None:
    from neuromllite import NetworkGenerator

    changed = NetworkGenerator.generate_and_run
    compat.uninstall()
    assert NetworkGenerator.generate_and_run is not changed
    assert NetworkGenerator.generate_and_run.__module__ == "neuromllite.NetworkGenerator"
