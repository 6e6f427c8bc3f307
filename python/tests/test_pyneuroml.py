"""Scripts of pyNeuroML without Java: they make the calls that NeuroML's pages make, with `install()` and nothing else."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import jlems

from conftest import NETWORK, ROOT

neuroml = pytest.importorskip("neuroml")
pynml = pytest.importorskip("pyneuroml.pynml")
runners = pytest.importorskip("pyneuroml.runners")
compat = pytest.importorskip("jlems.compat.pyneuroml")


pytestmark = pytest.mark.usefixtures("without_java")


def izhikevich() -> Any:
    """The network of NeuroML's getting-started page, made of the same calls: cells, synapse, projection, inputs."""
    from neuroml.utils import component_factory

    document = component_factory("NeuroMLDocument", id="IzNet")
    parameters = dict(
        v0="-60mV", C="100 pF", k="0.7 nS_per_mV", vr="-60 mV", vt="-40 mV", vpeak="35 mV", a="0.03 per_ms",
        b="-2 nS", c="-50.0 mV", d="100 pA",
    )
    document.add("Izhikevich2007Cell", id="iz0", **parameters)
    document.add("ExpOneSynapse", id="syn0", gbase="65nS", erev="0mV", tau_decay="3ms")
    network = document.add("Network", id="IzNet", validate=False)
    size = 5
    network.add("Population", id="pop0", component="iz0", size=size)
    network.add("Population", id="pop1", component="iz0", size=size)
    projection = network.add(
        "Projection", id="proj", presynaptic_population="pop0", postsynaptic_population="pop1", synapse="syn0", validate=False
    )
    for pre in range(size):
        document.add("PulseGenerator", id=f"pg_{pre}", delay=f"{pre * 10}ms", duration="400ms", amplitude=f"{0.1 + 0.01 * pre} nA")
        network.add("ExplicitInput", target=f"pop0[{pre}]", input=f"pg_{pre}")
        for post in range(size):
            if (pre + post) % 2:
                projection.add("Connection", id=pre * size + post, pre_cell_id=f"../pop0[{pre}]", post_cell_id=f"../pop1[{post}]")
    return document


def written(document: Any) -> str:
    from neuroml.writers import NeuroMLWriter

    NeuroMLWriter.write(document, "izhikevich.net.nml")
    return "izhikevich.net.nml"


def simulation(file: str) -> str:
    from pyneuroml.lems import LEMSSimulation

    sim = LEMSSimulation(sim_id="net_sim", duration=300, dt=0.1, simulation_seed=123)
    sim.assign_simulation_target("IzNet")
    sim.include_neuroml2_file(file)
    sim.create_event_output_file("pop0", "net_sim.spikes", format="ID_TIME")
    for number in range(5):
        sim.add_selection_to_event_output_file("pop0", number, f"pop0[{number}]", "spike")
    sim.create_output_file("v", "net_sim.v.dat")
    sim.add_column_to_output_file("v", "v0", "pop0[0]/v")
    sim.add_column_to_output_file("v", "v1", "pop1[1]/v")
    sim.create_display("d", "Potentials", "-80", "40")
    sim.add_line_to_display("d", "v0", "pop0[0]/v", "1mV")
    return str(sim.save_to_file())


def test_the_page_from_its_first_line_to_its_last() -> None:
    file = written(izhikevich())
    valid, output = pynml.validate_neuroml2(file, return_string=True)
    assert valid and "Valid against schema and all tests" in output
    lems = simulation(file)
    traces, events = pynml.run_lems_with_jneuroml(
        lems, max_memory="2G", nogui=True, plot=False, load_saved_data=True, reload_events=True
    )
    result = jlems.run(lems)
    assert np.array_equal(np.float32(traces["pop0[0]/v"]), result.as_written()["pop0[0]/v"])
    assert len(events["pop0[0]"]) == len(result.spikes["pop0"].of(0)) > 0
    assert max(traces["pop0[0]/v"]) > 0


def test_the_page_in_memory() -> None:
    """The same without files: the same numbers."""
    document = izhikevich()
    sim = jlems.LEMSSimulation(sim_id="net_sim", duration=300, dt=0.1, simulation_seed=123)
    sim.assign_simulation_target("IzNet")
    sim.include_neuroml2_file(document)
    sim.create_output_file("v", "net_sim.v.dat")
    sim.add_column_to_output_file("v", "v0", "pop0[0]/v")
    result = sim.run()
    lems = simulation(written(document))
    assert np.array_equal(result["pop0[0]/v"].values, jlems.run(lems)["pop0[0]/v"].values)
    assert not os.path.exists("net_sim.v.dat")


def test_broken_files_are_refused() -> None:
    file = pathlib.Path(written(izhikevich()))
    text = file.read_text()
    for old, new in (('vpeak="35 mV"', 'vpeak="35 mV" colour="red"'), ("tauDecay", "tauDecy"), ('id="pg_0" ', "")):
        assert old in text
        file.write_text(text.replace(old, new, 1))
        assert pynml.validate_neuroml2(str(file)) is False
        valid, output = pynml.validate_neuroml2(str(file), return_string=True)
        assert not valid and "error[" in output and "1 failed" in output
    assert pynml.validate_neuroml2("missing.nml") is False
    # A LEMS file is none of NeuroML: jNeuroML refuses it, too.
    file.write_text(text)
    valid, output = pynml.validate_neuroml2(simulation(str(file)), return_string=True)
    assert not valid and "is a LEMS file" in output and "1 failed" in output


def test_a_model_that_fails() -> None:
    lems = pathlib.Path(simulation(written(izhikevich())))
    lems.write_text(lems.read_text().replace("pop0[0]/v", "pop9[0]/v"))
    assert pynml.run_lems_with_jneuroml(str(lems), nogui=True, exit_on_fail=False) is False
    with pytest.raises(SystemExit):
        pynml.run_lems_with_jneuroml(str(lems), nogui=True)
    with pytest.raises(SystemExit):
        pynml.validate_neuroml2_lems_file(str(lems))


def test_another_folder() -> None:
    os.mkdir("elsewhere")
    lems = simulation(written(izhikevich()))
    for name in (lems, "izhikevich.net.nml"):
        shutil.move(name, "elsewhere")
    traces = pynml.run_lems_with_jneuroml(lems, nogui=True, load_saved_data=True, exec_in_dir="elsewhere")
    assert len(traces["t"]) == 3001 and os.path.exists("elsewhere/net_sim.v.dat")


def test_included_folders() -> None:
    os.mkdir("my cells")
    lems = simulation(written(izhikevich()))
    shutil.move("izhikevich.net.nml", "my cells")
    assert pynml.run_lems_with_jneuroml(lems, paths_to_include=["my cells"], nogui=True)


def test_several_at_once() -> None:
    files = {}
    for number in range(3):
        os.mkdir(f"run{number}")
        lems = simulation(written(izhikevich()))
        for name in (lems, "izhikevich.net.nml"):
            shutil.move(name, f"run{number}")
        files[f"run{number}/{lems}"] = {
            "engine": "jneuroml",
            "kwargs": {"nogui": True, "load_saved_data": True, "exec_in_dir": f"run{number}"},
        }
    specs = {os.path.join(os.getcwd(), name): spec for name, spec in files.items()}
    results = runners.run_multiple_lems_with(2, specs)
    assert len(results) == 3
    for job in results.values():
        assert len(job()["t"]) == 3001


def test_the_written_files_are_those_of_the_program(tmp_path: pathlib.Path) -> None:
    pynml.run_lems_with_jneuroml(str(NETWORK), nogui=True)
    command = [sys.executable, "-m", "jlems", "run", "--quiet", "--out-dir", "program", str(NETWORK)]
    subprocess.run(command, check=True)
    for name in ("izhikevich_network.dat", "izhikevich_network.spikes"):
        assert pathlib.Path(name).read_bytes() == pathlib.Path("program", name).read_bytes()


def test_a_conversion_needs_java() -> None:
    assert runners.run_jneuroml("", str(NETWORK), "-matlab", exit_on_fail=False) is False
    done, output = runners.run_jneuroml("", str(NETWORK), "-sbml", exit_on_fail=False, return_string=True)
    assert not done and "Java" in output
    with pytest.raises(SystemExit):
        runners.run_jneuroml("", str(NETWORK), "-sbml", exit_on_fail=True)


def test_pictures_graphs_and_scripts() -> None:
    from pyneuroml.modelgraphs import generate_lemsgraph

    network = written(izhikevich())
    lems = simulation(network)
    pynml.nml2_to_svg(network)
    assert pathlib.Path("izhikevich.net.svg").read_text().startswith("<svg")
    pynml.nml2_to_png(network)
    assert pathlib.Path("izhikevich.net.png").read_bytes().startswith(b"\x89PNG")
    assert generate_lemsgraph(lems)
    assert list(pathlib.Path().glob("LEMS_net_sim*.dot"))
    assert runners.run_jneuroml("", lems, "-netpyne")
    assert "def net_params" in pathlib.Path("LEMS_net_sim_netpyne.py").read_text()


def test_the_version_and_both_functions() -> None:
    assert runners.run_jneuroml("-v", None, None) is True
    assert runners.run_jneuroml("-randomflag", "", "") is False
    assert runners.run_jneuroml("-v", "", "", return_string=True)[1].startswith("jlems-rs v")
    assert runners.run_jneuroml_with_realtime_output("", str(NETWORK), " -nogui -norun") is True


def test_everything_is_put_back() -> None:
    assert compat.is_installed() and runners.run_jneuroml is compat.run_jneuroml
    compat.install()
    compat.uninstall()
    assert not compat.is_installed()
    assert runners.run_jneuroml.__module__ == "pyneuroml.runners"


def test_pynml_as_a_program() -> None:
    command = [sys.executable, "-m", "jlems.pynml", str(NETWORK), "-nogui"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "", "HOME": os.getcwd()})
    assert done.returncode == 0, done.stderr
    assert os.path.exists("izhikevich_network.dat")
    nml = ROOT / "examples/izhikevich-network/izhikevich_network.net.nml"
    command = [sys.executable, "-m", "jlems.pynml", "-validate", str(nml)]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": "", "HOME": os.getcwd()})
    assert done.returncode == 0, done.stderr


def test_a_cell_of_channels() -> None:
    """A Hodgkin-Huxley cell: its files validated one by one, then run."""
    from neuroml.utils import component_factory
    from neuroml.writers import NeuroMLWriter

    channel = component_factory("NeuroMLDocument", id="k")
    k = channel.add("IonChannelHH", id="k_channel", conductance="10pS", species="k", validate=False)
    gate = k.add("GateHHRates", id="n", instances="4", validate=False)
    gate.forward_rate = neuroml.HHRate(type="HHExpLinearRate", rate="0.1per_ms", midpoint="-55mV", scale="10mV")
    gate.reverse_rate = neuroml.HHRate(type="HHExpRate", rate="0.125per_ms", midpoint="-65mV", scale="-80mV")
    NeuroMLWriter.write(channel, "k.channel.nml")
    assert pynml.validate_neuroml2("k.channel.nml")


def test_a_current_frequency_curve() -> None:
    pytest.importorskip("pyelectro")
    from pyneuroml.analysis import generate_current_vs_frequency_curve

    file = written(izhikevich())
    rates = generate_current_vs_frequency_curve(
        file, "iz0", start_amp_nA=0.0, end_amp_nA=0.2, step_nA=0.1, analysis_duration=500, analysis_delay=50,
        plot_voltage_traces=False, plot_if=False, plot_iv=False, simulator="jNeuroML",
    )
    assert len(rates) == 3


def test_a_missing_folder_is_not_made() -> None:
    from pyneuroml.runners import run_jneuroml

    file = written(izhikevich())
    assert not run_jneuroml("", file, "-nogui", exec_in_dir="nowhere", exit_on_fail=False, report_jnml_output=False)
    assert not os.path.exists("nowhere")
