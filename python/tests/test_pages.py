"""Scripts that make the calls of NeuroML's pages, from the first to the last, with `install()` and no Java."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import jlems

neuroml = pytest.importorskip("neuroml")
pynml = pytest.importorskip("pyneuroml.pynml")
runners = pytest.importorskip("pyneuroml.runners")
compat = pytest.importorskip("jlems.compat.pyneuroml")
pytest.importorskip("matplotlib").use("Agg")


pytestmark = pytest.mark.usefixtures("without_java")


def rate(kind: str, value: str, midpoint: str, scale: str) -> Any:
    from neuroml.utils import component_factory

    return component_factory("HHRate", type=kind, rate=value, midpoint=midpoint, scale=scale)


def channel(name: str, species: str | None, gates: dict[str, tuple[int, Any, Any]]) -> str:
    """Writes and validates a channel; gives its file."""
    from neuroml.utils import component_factory

    made = component_factory("IonChannelHH", id=name, conductance="10pS", species=species, validate=False)
    for gate_name, (instances, forward, reverse) in gates.items():
        gate = component_factory("GateHHRates", id=gate_name, instances=str(instances), validate=False)
        gate.add(forward, hint="forward_rate", validate=False)
        gate.add(reverse, hint="reverse_rate")
        made.add(gate)
    document = component_factory("NeuroMLDocument", id=name)
    document.add(made)
    document.validate(recursive=True)
    file = f"{name}.channel.nml"
    pynml.write_neuroml2_file(nml2_doc=document, nml2_file_name=file, validate=True)
    return file


def sodium() -> str:
    m = (3, rate("HHExpLinearRate", "1per_ms", "-40mV", "10mV"), rate("HHExpRate", "4per_ms", "-65mV", "-18mV"))
    h = (1, rate("HHExpRate", "0.07per_ms", "-65mV", "-20mV"), rate("HHSigmoidRate", "1per_ms", "-35mV", "10mV"))
    return channel("na_channel", "na", {"na_m": m, "na_h": h})


def potassium() -> str:
    n = (4, rate("HHExpLinearRate", "0.1per_ms", "-55mV", "10mV"), rate("HHExpRate", "0.125per_ms", "-65mV", "-80mV"))
    return channel("k_channel", "k", {"k_n": n})


def cell(several_segments: bool) -> str:
    """Writes and validates a cell with the channels of Hodgkin and Huxley; gives its file."""
    document = neuroml.NeuroMLDocument(id="cell")
    made = document.add("Cell", id="hh_cell", validate=False)
    made.setup_nml_cell()
    soma = made.add_segment(
        prox=[0, 0, 0, 17.8], dist=[0, 0, 0, 17.8], name="soma", parent=None, fraction_along=1.0,
        group_id="soma_0", seg_type="soma",
    )  # fmt: skip
    if several_segments:
        made.add_unbranched_segments(
            [[0, 0, 0, 2.0], [0, 100, 0, 2.0], [0, 200, 0, 1.0]],
            parent=soma, fraction_along=0.5, group_id="dend_0", seg_type="dendrite",
        )  # fmt: skip
    for name, density, reversal, ion, file in (
        ("na", "120.0 mS_per_cm2", "50.0 mV", "na", sodium()),
        ("k", "360 S_per_m2", "-77mV", "k", potassium()),
        ("leak", "3.0 S_per_m2", "-54.3mV", "non_specific", channel("leak_channel", None, {})),
    ):
        made.add_channel_density(
            document, cd_id=f"{name}_channels", cond_density=density, erev=reversal, ion=ion,
            ion_channel=f"{name}_channel", ion_chan_def_file=file,
        )  # fmt: skip
    made.add_membrane_property("SpikeThresh", value="-20mV")
    made.set_specific_capacitance("1.0 uF_per_cm2")
    made.set_init_memb_potential("-65mV")
    made.set_resistivity("0.03 kohm_cm")
    document.validate(recursive=True)
    pynml.write_neuroml2_file(nml2_doc=document, nml2_file_name="hh.cell.nml", validate=True)
    return "hh.cell.nml"


def network(several_segments: bool = False) -> str:
    """Writes and validates a network of the cell with a current; gives its file."""
    from neuroml.utils import component_factory

    document = component_factory("NeuroMLDocument", id="network")
    document.add("IncludeType", href=cell(several_segments))
    made = document.add("Network", id="hh_net", validate=False)
    made.add("Population", id="pop0", component="hh_cell", size=1)
    document.add("PulseGenerator", id="pg", delay="10ms", duration="40ms", amplitude="0.25nA")
    made.add("ExplicitInput", target="pop0[0]", input="pg")
    document.validate(recursive=True)
    pynml.write_neuroml2_file(nml2_doc=document, nml2_file_name="hh.net.nml", validate=True)
    return "hh.net.nml"


def simulation(file: str, quantities: dict[str, str], duration: float = 60) -> str:
    from pyneuroml.lems import LEMSSimulation

    made = LEMSSimulation(sim_id="hh_sim", duration=duration, dt=0.01, simulation_seed=123)
    made.include_neuroml2_file(file)
    made.assign_simulation_target("hh_net")
    made.create_output_file(id="output0", file_name="hh_sim.dat")
    for column, quantity in quantities.items():
        made.add_column_to_output_file("output0", column_id=column, quantity=quantity)
    return str(made.save_to_file())


def picture(title: str, file: str, *columns: Any, labels: list[str] | None = None) -> None:
    """Draws columns as the pages do."""
    times, *curves = columns
    pynml.generate_plot(
        [times] * len(curves), list(curves), title, labels=labels, show_plot_already=False,
        save_figure_to=file, xaxis="time (s)", yaxis="value",
    )  # fmt: skip
    assert pathlib.Path(file).stat().st_size > 1000


def upward_crossings(v: Any) -> int:
    return int(np.sum((v[1:] > 0) & (v[:-1] <= 0)))


def test_a_cell_of_one_compartment() -> None:
    lems = simulation(
        network(),
        {
            "pop0[0]/v": "pop0[0]/v",
            "pop0[0]/iChannels": "pop0[0]/iChannels",
            "pop0[0]/na/iDensity": "pop0[0]/biophys/membraneProperties/na_channels/iDensity/",
            "pop0[0]/k/iDensity": "pop0[0]/biophys/membraneProperties/k_channels/iDensity/",
        },
    )
    pynml.run_lems_with_jneuroml(lems, max_memory="2G", nogui=True, plot=False)
    data = np.loadtxt("hh_sim.dat")
    assert data.shape == (6001, 5) and upward_crossings(data[:, 1]) >= 2
    picture("Membrane potential", "v.png", data[:, 0], data[:, 1])
    picture("current density", "i.png", data[:, 0], data[:, 3], data[:, 4], labels=["Na", "K"])


SEGMENTS = {"soma": "pop0/0/hh_cell/0/v", "dend_near": "pop0/0/hh_cell/1/v", "dend_far": "pop0/0/hh_cell/2/v"}


def test_a_cell_of_several_compartments() -> None:
    """The page ends with a run by NEURON: it is made here, and needs neither NEURON nor Java."""
    lems = simulation(network(several_segments=True), SEGMENTS)
    traces = pynml.run_lems_with_jneuroml_neuron(
        lems, max_memory="2G", nogui=True, plot=False, skip_run=False, load_saved_data=True
    )
    # NEURON would have left its scripts; only the model's own files are written.
    assert not list(pathlib.Path().glob("*_nrn.py")) and not list(pathlib.Path().glob("*.mod"))
    data = np.loadtxt("hh_sim.dat")
    assert data.shape == (6001, 4) and len(traces["t"]) == 6001
    assert upward_crossings(data[:, 1]) >= 2
    assert not np.array_equal(data[:, 1], data[:, 3])
    picture("Membrane potential", "v.png", data[:, 0], *data[:, 1:].T, labels=list(SEGMENTS))
    # The package gives the same numbers in memory.
    result = jlems.run(lems)
    assert np.array_equal(np.float32(data[:, 3]), result["pop0/0/hh_cell/2/v"].values.astype(np.float32))


@pytest.mark.parametrize("engine", ["jneuroml_neuron", "jneuroml_netpyne"])
def test_each_way_to_ask_for_a_run_with_another_simulator(engine: str) -> None:
    lems = simulation(network(several_segments=True), SEGMENTS, duration=20)
    written = pathlib.Path("hh_sim.dat")
    assert runners.run_lems_with(engine, lems, nogui=True) is True
    expected = written.read_bytes()
    written.unlink()
    specs = {lems: {"engine": engine, "args": (), "kwargs": {"nogui": True, "load_saved_data": True}}}
    assert len(runners.run_multiple_lems_with(2, specs)[lems]()[SEGMENTS["soma"]]) == 2001
    assert written.read_bytes() == expected
    os.mkdir("elsewhere")
    flag = "-" + engine.removeprefix("jneuroml_")
    assert runners.run_jneuroml("", lems, f"{flag} -run -compile -nogui -outputdir elsewhere")
    assert pathlib.Path("elsewhere/hh_sim.dat").read_bytes() == expected
    assert runners.run_jneuroml_with_realtime_output("", lems, f"{flag} -run -nogui")


def test_pynml_runs_what_was_meant_for_neuron() -> None:
    lems = simulation(network(several_segments=True), SEGMENTS, duration=20)
    command = [sys.executable, "-m", "jlems.pynml", lems, "-neuron", "-run", "-nogui"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "", "HOME": os.getcwd()})
    assert done.returncode == 0, done.stderr
    assert np.loadtxt("hh_sim.dat").shape == (2001, 4)


def test_a_run_by_neuron_that_fails() -> None:
    lems = pathlib.Path(simulation(network(), {"v": "pop0[0]/v"}))
    lems.write_text(lems.read_text().replace("pop0[0]/v", "pop7[0]/v"))
    assert pynml.run_lems_with_jneuroml_neuron(str(lems), nogui=True, exit_on_fail=False) is False
    with pytest.raises(SystemExit):
        pynml.run_lems_with_jneuroml_neuron(str(lems), nogui=True)


def test_an_export_to_neuron_writes_scripts_and_runs_nothing() -> None:
    lems = simulation(network(), {"v": "pop0[0]/v"})
    assert pynml.run_lems_with_jneuroml_neuron(
        lems, nogui=True, only_generate_scripts=True, compile_mods=False
    )
    assert os.path.exists(lems.removesuffix(".xml") + "_nrn.py")
    assert list(pathlib.Path().glob("*.mod"))
    assert not os.path.exists("hh_sim.dat")


def test_an_export_to_netpyne_is_made_here() -> None:
    lems = simulation(network(), {"v": "pop0[0]/v"})
    assert pynml.run_lems_with_jneuroml_netpyne(
        lems, nogui=True, only_generate_scripts=True, exit_on_fail=False
    )
    assert os.path.exists(lems.removesuffix(".xml") + "_netpyne.py")
    assert not os.path.exists("hh_sim.dat")


def test_runs_with_neuron_can_be_left_to_neuron() -> None:
    lems = simulation(network(), {"v": "pop0[0]/v"})
    compat.install(simulators=False)
    assert not pynml.run_lems_with_jneuroml_neuron(lems, nogui=True, exit_on_fail=False)
    assert pynml.run_lems_with_jneuroml(lems, nogui=True)


def test_an_analysis_of_channels() -> None:
    sodium(), potassium()
    from pyneuroml.analysis.NML2ChannelAnalysis import run

    run(
        channel_files=["na_channel.channel.nml", "k_channel.channel.nml"], v=[], temperature=20, min_v=-80,
        max_v=40, step_target_voltage=40, duration=20, clamp_base_voltage=-70, clamp_delay=5, nogui=True, md=False,
    )  # fmt: skip
    gates = [path.name for path in pathlib.Path().glob("*.inf.lems.dat")]
    assert len(gates) == 3
    table = np.loadtxt("na_channel.na_m.inf.lems.dat")
    # The steady state of m rises from 0 to 1 with the potential.
    assert table[:, 1].min() < 0.1 and table[:, 1].max() > 0.9 and (np.diff(table[:, 1]) >= 0).all()


def test_the_program_for_an_analysis_of_channels() -> None:
    file = potassium()
    script = (
        "import jlems.compat.pyneuroml as c; c.install()\n"
        "from pyneuroml.analysis.NML2ChannelAnalysis import main; main()"
    )
    command = [sys.executable, "-c", script, file, "-nogui"]
    environment = {"PATH": "", "HOME": os.getcwd(), "MPLBACKEND": "Agg"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert list(pathlib.Path().glob("*.lems.dat"))


@pytest.mark.parametrize("simulator", ["jNeuroML", "jNeuroML_NEURON"])
@pytest.mark.parametrize("several_segments", [False, True])
def test_rates_of_a_cell_for_several_currents(simulator: str, several_segments: bool) -> None:
    pytest.importorskip("pyelectro")
    from pyneuroml.analysis import generate_current_vs_frequency_curve

    rates = generate_current_vs_frequency_curve(
        cell(several_segments), "hh_cell", start_amp_nA=0.0, end_amp_nA=0.4, step_nA=0.2, analysis_duration=200,
        analysis_delay=50, temperature="6.3degC", plot_voltage_traces=True, plot_if=True, plot_iv=True,
        save_if_figure_to="if.png", show_plot_already=False, simulator=simulator,
    )  # fmt: skip
    values = [rates[amplitude] for amplitude in sorted(rates)]
    assert len(values) == 3 and values[0] == 0 and values[-1] > 50
    assert os.path.exists("if.png")


def test_a_lems_model_of_pylems() -> None:
    lems = pytest.importorskip("lems.api")
    model = lems.Model()
    model.add(lems.Dimension(name="time", t=1))
    model.add(lems.Unit(name="second", symbol="s", dimension="time", power=1))
    oscillator = lems.ComponentType(name="oscillator")
    model.add(oscillator)
    oscillator.add(lems.Parameter(name="omega", dimension="none"))
    oscillator.add(lems.Constant(name="sec", value="1s", dimension="time"))
    for name in ("x", "y"):
        oscillator.add(lems.Exposure(name=name, dimension="none"))
        oscillator.dynamics.add(lems.StateVariable(name=name, dimension="none", exposure=name))
    oscillator.dynamics.add(lems.TimeDerivative(variable="x", value="omega * y / sec"))
    oscillator.dynamics.add(lems.TimeDerivative(variable="y", value="-omega * x / sec"))
    start = lems.OnStart()
    start.add(lems.StateAssignment(variable="x", value="1"))
    oscillator.dynamics.add(start)
    model.add(lems.Component(id_="o", type_="oscillator", omega="2"))
    model.export_to_file("LEMS_oscillator.xml")
    assert jlems.load("LEMS_oscillator.xml").components["o"].omega == 2.0
    assert jlems.from_lems(model).components["o"].omega == 2.0


@pytest.mark.parametrize("processes", [1, 2])
def test_a_fit(processes: int) -> None:
    """The runs of a fit may be made in other processes, which take them over, too."""
    pytest.importorskip("neurotune")
    from pyneuroml.tune.NeuroMLTuner import run_optimisation

    document = neuroml.NeuroMLDocument(id="fit")
    document.add(
        "Izhikevich2007Cell", id="iz", C="100pF", v0="-60mV", k="0.7nS_per_mV", vr="-60mV", vt="-40mV",
        vpeak="35mV", a="0.03per_ms", b="-2nS", c="-50.0mV", d="100pA",
    )  # fmt: skip
    document.add("PulseGenerator", id="stim", delay="10ms", duration="300ms", amplitude="100pA")
    net = document.add("Network", id="net", validate=False)
    net.add("Population", id="pop", component="iz", size=1)
    net.add("ExplicitInput", target="pop[0]", input="stim")
    pynml.write_neuroml2_file(document, "fit.net.nml", validate=True)
    measure = "pop[0]/v:mean_spike_frequency"
    report = run_optimisation(
        prefix="fit", neuroml_file="fit.net.nml", target="net", parameters=["izhikevich2007Cell:iz/C/pF"],
        weights={measure: 1}, target_data={measure: 20.0}, seed=1, simulator="jNeuroML", dt=0.1, nogui=True,
        # Names of its defaults, which win over the names of its documentation.
        simTime=300, populationSize=4, maxEvaluations=8, numSelected=2, numOffspring=4, mutationRate=0.2,
        numElites=1, maxConstraints=[300], minConstraints=[10], numParallelEvaluations=processes,
        showPlotAlready=False,
    )  # fmt: skip
    assert report["fitness"] >= 0 and 10 <= report["fittest vars"]["izhikevich2007Cell:iz/C/pF"] <= 300
