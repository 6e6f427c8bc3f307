"""How runs behave: errors, signals, threads, steps."""

from __future__ import annotations

import errno
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import threading
import time
import warnings
from typing import Callable

import numpy as np
import pytest

import jlems

from conftest import CELL, GROWING, NETWORK, ROOT, program


def test_all_problems_of_a_model_are_told() -> None:
    text = CELL.replace('C="0.2nF"', 'C="0.2mV"').replace("leakReversal", "leakReversl")
    with pytest.raises(jlems.ModelError) as caught:
        jlems.loads(text, name="cell.xml")
    errors = [one for one in caught.value.problems if one.severity == "error"]
    assert len(errors) >= 2
    for one in errors:
        assert one.code.startswith("E") and one.file == "cell.xml" and one.line == 3 and one.column
    assert "did you mean `leakReversal`?" in str(caught.value) and "^^^" in str(caught.value)
    assert caught.value._render_traceback_()[0].startswith("ModelError: error[")


def test_a_run_that_fails_keeps_what_it_has() -> None:
    simulation = jlems.loads(GROWING).simulation()
    with pytest.raises(jlems.RunError, match="`x` is inf") as caught:
        simulation.run()
    result = caught.value.result
    assert result is not None and result.partial and 500 < len(result.t) < 5000
    assert np.isfinite(result["x"].values).all()
    assert caught.value.problems[0].code == "E0501"


def test_warnings_are_warnings() -> None:
    text = CELL.replace("</network>", "</network><Include file='nothing_there.xml'/>")
    with pytest.warns(jlems.JlemsWarning, match="nothing_there") as caught:
        jlems.loads(text, name="a.xml")
    assert caught[0].filename == __file__
    assert caught[0].message.problem.file == "a.xml"


def test_every_warning_names_the_line_of_the_user(tmp_path: pathlib.Path) -> None:
    file, spec = tmp_path / "LEMS_a.xml", tmp_path / "a.toml"
    file.write_text(CELL.replace("</network>", "</network><Include file='nothing_there.xml'/>"))
    spec.write_text('model = "LEMS_a.xml"\n[grid]\n"iaf/C" = ["1 nF"]\n')
    model = jlems.loads(CELL)
    simulation = model.simulation(free="iaf/C")
    huge = {"iaf/C": "1e400 nF"}
    points = simulation.sweep({"iaf/C": ["1e400 nF"]})
    calls: dict[str, Callable[[], object]] = {
        "run": lambda: jlems.run(file),
        "run a model": lambda: jlems.run(model, set=huge),
        "load": lambda: jlems.load(file),
        "load and set": lambda: jlems.load(NETWORK, set={"excitation/gbase": "1e400 nS"}),
        "loads": lambda: jlems.loads(file.read_text()),
        "LEMSSimulation": lambda: _including(file).run(),
        "model.with_": lambda: model.with_(huge),
        "model.run": lambda: model.run(set=huge),
        "simulation.with_": lambda: simulation.with_(huge),
        "simulation.run": lambda: simulation.run(set=huge),
        "a value of a run": lambda: simulation.start().__setitem__("iaf/C", "1e400 nF"),
        "sweep": points.run,
        "parts of a sweep": lambda: list(points.iter()),
        "sweep of a file": lambda: jlems.Sweep.from_toml(spec).run(),
    }
    for what, call in calls.items():
        with pytest.warns(jlems.JlemsWarning) as caught:
            call()
        assert {one.filename for one in caught} == {__file__}, what
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for _ in range(2):
                with pytest.raises(jlems.JlemsWarning, match="W0103|W0227"):
                    call()


def _including(file: pathlib.Path) -> jlems.LEMSSimulation:
    simulation = jlems.LEMSSimulation("a", 1, 0.1, target="net")
    simulation.include_lems_file(str(file))
    return simulation


def test_a_strict_run_refuses() -> None:
    text = CELL.replace("</network>", "</network><Include file='nothing_there.xml'/>")
    with pytest.warns(jlems.JlemsWarning):
        model = jlems.loads(text)
    with pytest.raises(jlems.ModelError):
        model.simulation(strict=True)


def test_limits() -> None:
    with pytest.raises(jlems.LimitError, match="steps"):
        jlems.load(NETWORK, limits={"steps": 10}).run()
    with pytest.raises(jlems.LimitError, match="every"):
        jlems.load(NETWORK, length="1e7 s", limits={"memory": "1GB", "steps": "1e12"}).simulation()
    with pytest.raises(jlems.LimitError) as caught:
        jlems.load(NETWORK, length="100000 s", limits={"time": "1 s"}).run(every=1000)
    assert caught.value.result is not None and len(caught.value.result.t) > 1
    for time in (0.2, "0.2", "0.2s", "200e-3 s"):
        with pytest.raises(jlems.LimitError, match=r"not done after 0\.2 s"):
            jlems.load(NETWORK, length="100000 s", limits={"time": time}).run(every=1000)


def test_advice_names_arguments_and_no_options() -> None:
    with pytest.raises(jlems.LimitError, match=r'`limits=\{"time": …\}`, or run less with `length`') as caught:
        jlems.load(NETWORK, length="100000 s", limits={"time": "0.1 s"}).run(every=1000)
    assert "--" not in caught.value.problems[0].help
    with pytest.raises(jlems.UsageError, match=r'`set=\{"cell/C": "0.2 nF"\}`'):
        jlems.load(NETWORK, set={"": "1"})


def test_messages_are_about_arguments_and_not_about_options(tmp_path: pathlib.Path) -> None:
    model, simulation = jlems.loads(CELL), jlems.loads(CELL).simulation(free="iaf/C")
    (tmp_path / "cells.nml").write_text('<neuroml id="x"/>')
    calls: list[tuple[str, Callable[[], object]]] = [
        ('set["iaf/C"]', lambda: model.with_({"iaf/C": "1 mV"})),
        ('set["iaf/C"]', lambda: model.run(set={"iaf/C": "1 mz"})),
        ('set["iaff/C"]', lambda: jlems.loads(CELL, set={"iaff/C": "1 pF"})),
        ('set["iaf/C"]', lambda: simulation.run(set={"iaf/C": "1 mV"})),
        ('set["iaf/C"]', lambda: simulation.sweep({"iaf/C": ["1 mV"]}).run()),
        ("step", lambda: model.with_(step="1 mV")),
        ("length", lambda: model.with_(length="1 mV")),
        ("step", lambda: model.with_(step="-1 ms").simulation()),
        ("length", lambda: jlems.loads("<Lems/>", length="1 s")),
    ]
    for place, call in calls:
        with pytest.raises(jlems.JlemsError) as caught:
            call()
        assert f"--> {place}:1:" in str(caught.value) and caught.value.problems[0].file == place
        assert " --" not in str(caught.value).replace(" -->", "") and "`--" not in str(caught.value)
    with pytest.warns(jlems.JlemsWarning, match=r'set\["iaf/C"\]:1'):
        model.with_({"iaf/C": "1e400 nF"})
    with simulation.start() as run, pytest.raises(jlems.JlemsError, match=r'set\["iaf/C"\]:1'):
        run["iaf/C"] = "1 mV"


def test_the_result_is_kept_if_warnings_are_exceptions() -> None:
    # What is not recorded may be no number.
    lost = """<Lems><Target component="sim"/><Include file="Simulation.xml"/><Include file="Networks.xml"/>
<ComponentType name="Lost"><Exposure name="x" dimension="none"/><Exposure name="t" dimension="none"/>
  <Constant name="tau" dimension="time" value="1ms"/>
  <Dynamics><StateVariable name="x" dimension="none" exposure="x"/><StateVariable name="t" dimension="none" exposure="t"/>
  <TimeDerivative variable="x" value="sqrt(0 - 1) / tau"/><TimeDerivative variable="t" value="1 / tau"/></Dynamics></ComponentType>
<Lost id="lost"/><Simulation id="sim" length="10ms" step="1ms" target="lost">
  <OutputFile id="o" fileName="t.dat"><OutputColumn id="t" quantity="t"/></OutputFile></Simulation></Lems>"""
    simulation = jlems.loads(lost).simulation()
    with pytest.warns(jlems.JlemsWarning, match="W0527"):
        expected = simulation.run().values

    def by_hand() -> object:
        with simulation.start() as run:
            return run.run()

    def by_steps() -> object:
        with simulation.start() as run:
            run.advance("1 s")
            return run.result()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for call in (simulation.run, by_hand, by_steps, lambda: simulation.run(seed=3)):
            with pytest.raises(jlems.JlemsWarning, match="W0527") as caught:
                call()
            for warning in (caught.value, pickle.loads(pickle.dumps(caught.value))):
                assert np.array_equal(warning.result.values, expected)


def test_other_threads_go_on() -> None:
    simulation = jlems.load(NETWORK, length="20 s").simulation(record=[], spikes=[])
    gaps, done = [], threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last)
            last = now

    thread = threading.Thread(target=tick)
    thread.start()
    simulation.run()
    done.set()
    thread.join()
    assert len(gaps) > 3


def test_runs_on_several_python_threads() -> None:
    from concurrent.futures import ThreadPoolExecutor

    simulation = jlems.load(NETWORK, length="200 ms").simulation()
    expected = simulation.run().values
    with ThreadPoolExecutor(4) as pool:
        for result in pool.map(lambda _: simulation.run(), range(8)):
            assert np.array_equal(result.values, expected)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_a_run_and_keeps_what_is_recorded() -> None:
    script = f"""
import os, signal, threading, time, jlems
simulation = jlems.load({str(NETWORK)!r}, length="100000 s").simulation(every=100)
sent = []
def interrupt():
    time.sleep(0.3)
    sent.append(time.process_time())
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt).start()
try:
    simulation.run()
except KeyboardInterrupt as error:
    print(time.process_time() - sent[0], len(error.result.t), error.result.partial)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seconds, rows, partial = done.stdout.split()
    # Seconds of the processor, with room for a busy machine: the run itself would take minutes.
    assert float(seconds) < 2 and int(rows) > 1 and partial == "True"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_ends_the_wait_for_a_simulation(tmp_path: pathlib.Path) -> None:
    # Building this takes far longer than the time after which the signal comes.
    network = NETWORK.with_name("izhikevich_network.net.nml").read_text()
    rows = "".join(f'<connection id="{n}" preCellId="../p[{n % 997}]" postCellId="../p[{n % 1000}]"/>' for n in range(300_000))
    network = network.split("<network ")[0] + f"""<network id="n"><population id="p" component="regularSpiking" size="1000"/>
        <projection id="j" presynapticPopulation="p" postsynapticPopulation="p" synapse="excitation">{rows}</projection></network></neuroml>"""
    (tmp_path / "large.nml").write_text(network)
    script = """
import os, signal, threading, time, jlems
model = jlems.load("large.nml", length="1 ms")
sent = []
def interrupt():
    sent.append(time.perf_counter())
    os.kill(os.getpid(), signal.SIGINT)
threading.Timer(0.05, interrupt).start()
try:
    model.simulation()
    print("built")
except KeyboardInterrupt:
    waited = time.perf_counter() - sent[0]
    begun = time.perf_counter()
    model.simulation()
    print(waited < time.perf_counter() - begun)
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert done.stdout.split() == ["True"], done.stderr


def test_progress() -> None:
    seen: list[jlems.Progress] = []
    jlems.load(NETWORK, length="60 s").run(record=[], spikes=[], progress=seen.append)
    assert all(a.steps <= b.steps for a, b in zip(seen, seen[1:]))
    assert not seen or (seen[0].of_steps == 600000 and seen[0].seconds_left >= 0)
    with pytest.raises(ZeroDivisionError):
        jlems.load(NETWORK, length="1000 s").run(every=1000, progress=lambda _: 1 / 0)


def test_a_temperature_that_nothing_takes_is_refused() -> None:
    network = NETWORK.with_name("izhikevich_network.net.nml")
    for file in (NETWORK, network):
        with pytest.raises(jlems.UsageError, match="no use for"):
            jlems.load(file, temperature="32 degC", length="5 ms").run()


def test_a_path_to_record_that_leads_nowhere_is_a_mistake_of_the_call() -> None:
    network = NETWORK.with_name("izhikevich_network.net.nml")
    for file in (NETWORK, network):
        model = jlems.load(file, length="5 ms", step="0.1 ms")
        with pytest.raises(jlems.UsageError, match=r"nobody") as raised:
            model.run(record="nobody[0]/v")
        # The text that asks for it is none that the caller has written.
        assert "OutputColumn" not in str(raised.value) and "as a simulation" not in str(raised.value)


def test_the_name_of_a_segment_records_no_soma() -> None:
    model = jlems.load(ROOT / "examples/dendrite/LEMS_dendrite.xml", length="1 ms")
    for path in ("cells[0]/trunk/v", "cells/0/trunk/v", ["cells[0]/v", "cells[0]/soma_section/v"]):
        with pytest.raises(jlems.UsageError, match=r"number of a segment, as in `pop\[0\]/7/v`") as raised:
            model.run(record=path)
        assert raised.value.problems[0].code == "E0421" and "OutputColumn" not in str(raised.value)
    with pytest.raises(jlems.UsageError, match="E0401"):
        model.run(record="cells[*]/trunk/v")
    assert model.run(record=["cells[0]/pyramid/v", "cells/0/pyramid/1/v", "cells[0]/1/v"]).values.shape == (3, 101)


def test_a_display_of_a_cell_with_dendrites_may_have_lines_that_lead_nowhere(tmp_path: pathlib.Path) -> None:
    for file in (ROOT / "examples/dendrite").iterdir():
        if file.is_file():
            (tmp_path / file.name).write_bytes(file.read_bytes())
    line = '<Line id="{0}" quantity="cells/0/pyramid/{0}/v" scale="1mV" color="#000000" timeScale="1ms"/>'
    lines = "".join(map(line.format, ["1", "nowhere", "2"]))
    display = f'<Display id="d" title="x" xmin="0" xmax="1" ymin="0" ymax="1" timeScale="1ms">{lines}</Display>'
    model = tmp_path / "LEMS_dendrite.xml"
    model.write_text(model.read_text().replace("<OutputFile", display + "<OutputFile"))
    with pytest.warns(jlems.JlemsWarning, match="W0450.*the display lacks this line"):
        simulation = jlems.load(model, length="1 ms").simulation()
    assert ["nowhere" in problem.message for problem in simulation.warnings] == [True]
    result = simulation.run()
    assert len(result["cells/0/pyramid/1/v"]) == 101
    assert "<svg" in result._repr_html_()
    model.write_text(model.read_text().replace("pyramid/nowhere/v", "pyramid/1/nothing"))
    assert jlems.validate(model) and [one.code for one in jlems.validate(model)] == ["W0450"]


def test_step_by_step() -> None:
    simulation = jlems.load(NETWORK, length="100 ms").simulation(record="pacemakers[*]/v")
    whole = simulation.run()
    with simulation.start() as run:
        run.advance("10 ms")
        assert run.steps == 100 and run.t == pytest.approx(0.01)
        assert np.array_equal(run["pacemakers[*]/v"], whole["pacemakers[*]/v"].values[:, 100])
        assert run["pacemakers[2]/v"] == whole["pacemakers[2]/v"][100]
        peeked = run.peek()
        assert peeked.partial and len(peeked.t) == 101
        run.step(50)
        saved = run.checkpoint()
        result = run.run()
        assert np.array_equal(result.values, whole.values) and not result.partial
        with pytest.raises(RuntimeError):
            run.step()
    with simulation.start(checkpoint=saved) as run:
        assert run.steps == 150
        rest = run.run()
    assert np.array_equal(rest.values, whole.values[:, 151:])
    assert np.array_equal(rest.t, whole.t[151:])


def test_slices_add_up_to_the_whole() -> None:
    simulation = jlems.load(NETWORK, length="100 ms").simulation(record=[], spikes=[])
    assert simulation.step == pytest.approx(1e-4)
    for slice, number, unit in [
        (0.25, 1, "ms"), (0.25, 3, "ms"), (0.25, 4, "ms"), (0.25, 333, "ms"), (0.04, 1, "ms"), (0.04, 2, "ms"),
        (0.04, 1001, "ms"), (0.1, 777, "ms"), (0.05, 1, "ms"), (0.05, 999, "ms"), (1e-5, 7, "s"), (0.3, 33, "ms"),
    ]:  # fmt: skip
        with simulation.start() as run, simulation.start() as whole:
            for _ in range(number):
                run.advance(f"{slice} {unit}")
            whole.advance(f"{slice * number!r} {unit}")
            assert run.steps == whole.steps, (slice, number)
    with simulation.start() as run:
        run.advance("0.04 ms")
        run.step(0)  # From here on times are counted anew.
        run.advance("0.04 ms")
        assert run.steps == 0
        run.advance("0.04 ms")
        run.step(3)
        run.advance("0.04 ms")
        assert run.steps == 4
        run.advance("0.04 ms")
        saved = run.checkpoint()
        assert run.steps == 5
    with simulation.start(checkpoint=saved) as run:
        for steps in (5, 6, 6, 7):
            run.advance("0.04 ms")
            assert run.steps == steps
        for time in (1e300, 1e308, 1e308, "1 ms"):
            run.advance(time)
            assert run.done and run.steps == simulation.steps


def test_times_are_counted_anew_after_an_interruption() -> None:
    with jlems.load(NETWORK, length="1000 s").simulation(record=[], spikes=[]).start() as run:
        run.advance(900, progress=lambda _: True)
        steps = run.steps
        assert steps < 9_000_000
        run.advance("1 ms")
        assert run.steps == steps + 10


def test_no_value_before_the_first_row() -> None:
    simulation = jlems.loads(CELL).simulation(every=7)
    with simulation.start() as run:
        assert run["cells[0]/v"] == pytest.approx(-0.07, abs=0.03)
        run.step(10)
        saved = run.checkpoint()
    with simulation.start(checkpoint=saved) as run:
        with pytest.raises(jlems.UsageError, match="no row is recorded yet"):
            run["cells[0]/v"]
        run.step(4)
        assert np.isfinite(run["cells[0]/v"])


def test_events_from_outside() -> None:
    """A population that never spikes by itself is a way in."""
    text = CELL.replace('<network id="net">', """<Include file="Synapses.xml"/>
        <expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="2ms"/>
        <iafCell id="quiet" leakReversal="-60mV" thresh="0mV" reset="-60mV" C="0.2nF" leakConductance="0.01uS"/>
        <network id="net"><population id="in" component="quiet" size="2"/><population id="out" component="quiet" size="1"/>
        <projection id="p" presynapticPopulation="in" postsynapticPopulation="out" synapse="syn">
        <connectionWD id="0" preCellId="../in[0]" postCellId="../out[0]" weight="1" delay="0ms"/>
        <connectionWD id="1" preCellId="../in[1]" postCellId="../out[0]" weight="2" delay="3ms"/></projection>""")
    simulation = jlems.loads(text).simulation(record="out[0]/v", spikes=["in"])
    quiet = simulation.run()["out[0]/v"].values
    with simulation.start() as run:
        run.advance("10 ms")
        run.send("in[0]")
        run.advance("10 ms")
        run.send("in[1]")
        saved = run.checkpoint()
        with pytest.raises(KeyError, match="no inlet, and no cell whose spikes are recorded; did you mean `in"):
            run.send("in[5]")
        with pytest.raises(KeyError, match="`inlets` and `spikes` of the simulation say what can send"):
            run.send("out[0]")
        result = run.run()
    v = result["out[0]/v"].values
    assert np.array_equal(v[:1001], quiet[:1001]) and v[1100] > quiet[1100] + 1e-5
    # The second event is on its way for 3 ms.
    rises = np.flatnonzero(np.diff(v) > 1e-6)
    assert rises[0] in (1000, 1001) and any(2299 <= rise <= 2302 for rise in rises)
    assert result.spikes["in"].ids.tolist() == [0, 1]
    assert result.spikes["in"].times == pytest.approx([0.01, 0.02])
    with simulation.start(checkpoint=saved) as run:
        assert np.array_equal(run.run()["out[0]/v"].values, v[2001:])


SYNAPSES = CELL.replace('<network id="net">', """<Include file="Synapses.xml"/><Include file="Inputs.xml"/>
    <expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="2ms"/><spikeGenerator id="clock" period="PERIOD"/>
    <iafCell id="quiet" leakReversal="-60mV" thresh="0mV" reset="-60mV" C="0.2nF" leakConductance="0.01uS"/>
    <network id="net"><population id="out" component="quiet" size="3"/><population id="clocks" component="clock" size="1"/>
    <synapticConnection from="clocks[0]" to="out[0]" synapse="syn" destination="synapses"/>
    <synapticConnection from="clocks[0]" to="out[2]" synapse="syn" destination="synapses"/>""")


@pytest.mark.parametrize("backend", ["jit", "interpreter"])
def test_events_into_ports(backend: str) -> None:
    """Into a synapse, as a connection would send them."""
    connected = jlems.loads(SYNAPSES.replace("PERIOD", "13ms"))
    connected_simulation = connected.simulation(record="out[*]/v", spikes="clocks", backend=backend)
    expected = connected_simulation.run()
    silent = jlems.loads(SYNAPSES.replace("PERIOD", "1000s"))
    inlets = ["out[0]/syn/in", "out/2/synapses:syn:0/in"]
    simulation = silent.simulation(record="out[*]/v", inlets=inlets, backend=backend)
    assert simulation.inlets == inlets
    with simulation.start() as run:
        for t in expected.spikes["clocks"].times:
            run.step(round(t / simulation.step) - run.steps)
            for path in inlets:
                run.send(path)
        saved = run.checkpoint()
        result = run.run()
    assert len(expected.spikes["clocks"].times) == 7
    assert np.array_equal(result["out[*]/v"].values, expected["out[*]/v"].values)
    assert result["out[0]/v"].values.max() > result["out[1]/v"].values.max()
    # The run goes on without inlets, too, and in a copy of the simulation.
    without = silent.simulation(record="out[*]/v", backend=backend)
    for other in (without, pickle.loads(pickle.dumps(simulation))):
        with other.start(checkpoint=saved) as run:
            rest = run.run()
        assert np.array_equal(rest.values, result.values[:, -rest.values.shape[1] :])
    assert np.array_equal(without.run().values, simulation.run().values)


def test_inlets_of_all_members_and_with_free_parameters() -> None:
    text = SYNAPSES.replace("PERIOD", "1000s").replace(
        "</network>",
        """<synapticConnection from="clocks[0]" to="out[1]" synapse="syn" destination="synapses"/></network>""",
    )
    simulation = jlems.loads(text).simulation(record="out[*]/v", inlets="out[*]/syn/in", free="syn/gbase")
    assert simulation.inlets == [f"out[{number}]/syn/in" for number in range(3)]
    with simulation.start() as run:
        run["syn/gbase"] = "50 nS"
        run.send("out[1]/syn/in")
        run.advance("1 ms")
        first, second, _ = run["out[*]/v"]
        assert second > first + 1e-3
        run.send("out[*]/syn/in")
        before = run["out[*]/v"]
        run.advance("1 ms")
        assert (run["out[*]/v"] > before + 1e-3).all()
    assert simulation.with_({"syn/gbase": "1 nS"}).inlets == simulation.inlets


def test_a_star_is_the_number_of_a_member() -> None:
    simulation = jlems.loads(CELL).simulation(record="cells[*]/v", spikes="cells")
    with simulation.start() as run:
        for path in ("*", "**", "cells*", "cells[*", "c*s[0]", "*[0]", "cells[**]", "/*", "cells[*]/*"):
            with pytest.raises(KeyError, match="stands for the number of a member"):
                run.send(path)
        run.send("cells[*]")
        run.send("cells/*")
        assert len(run.result().spikes["cells"].times) == 6


def test_a_run_and_a_component_have_names_and_no_numbers() -> None:
    model = jlems.loads(CELL)
    with model.simulation(record="cells[*]/v").start() as run:
        assert "cells[1]/v" in run and "cells[*]/v" in run and "x" not in run and 0 not in run
        with pytest.raises(TypeError, match="not iterable"):
            list(run)  # type: ignore[call-overload]
    cell = model.components["iaf"]
    assert "C" in cell and "x" not in cell and 0 not in cell
    with pytest.raises(TypeError, match="not iterable"):
        list(cell)  # type: ignore[call-overload]


def test_members_of_lists_by_either_spelling() -> None:
    network = CELL[CELL.index('<network id="net">') : CELL.index("</network>")]
    listed = """<Include file="Synapses.xml"/><expOneSynapse id="syn" gbase="5nS" erev="0mV" tauDecay="2ms"/>
        <iafCell id="quiet" leakReversal="-60mV" thresh="0mV" reset="-60mV" C="0.2nF" leakConductance="0.01uS"/>
        <network id="net"><population id="all" component="quiet" type="populationList" size="2">
        <instance id="0"><location x="0" y="0" z="0"/></instance><instance id="1"><location x="0" y="0" z="0"/></instance>
        </population><projection id="p" presynapticPopulation="all" postsynapticPopulation="all" synapse="syn">
        <connectionWD id="0" preCellId="../all/0/quiet" postCellId="../all/1/quiet" weight="1" delay="0ms"/></projection>"""
    model = jlems.loads(CELL.replace(network, listed))
    simulation = model.simulation(record="all[*]/v", spikes="all", inlets="all[1]/syn/in")
    results = []
    for cell, port in [("all[0]", "all[1]/syn/in"), ("all/0/quiet", "all/1/quiet/syn/in")]:
        with simulation.start() as run:
            run.send(cell)
            run.send(port)
            results.append(run.run())
    one, other = results
    assert np.array_equal(one.values, other.values) and one["all[1]/v"].values.max() > -0.06
    assert np.array_equal(one["all[1]/v"].values, one["all/1/quiet/v"].values)
    assert len(one.spikes["all"].times) == 1
    with simulation.start() as run:
        for path in ("all/1", "all/*/quiet", "all/1/syn/in"):
            run.send(path)
    # Each member once, however it is written.
    both = model.simulation(record=["all[0]/v", "all[*]/v"], spikes="all").run()
    assert both["all[*]/v"].values.shape[0] == 2
    assert "all[*]/v" in both and "all/1/v" in both and "all[2]/v" not in both


def test_arguments_that_belong_elsewhere() -> None:
    model = jlems.loads(CELL)
    with pytest.raises(TypeError, match=r"`model.with_\(length=...\).simulation\(\)` does it"):
        model.simulation(length="1 s")
    with pytest.raises(TypeError, match="no argument `recrod`; did you mean `record`"):
        model.simulation(recrod="cells[0]/v")


def test_wrong_inlets_are_explained() -> None:
    model = jlems.loads(SYNAPSES.replace("PERIOD", "13ms"))
    for path, code, text in [
        ("ou[0]/syn/in", "E0401", "did you mean `out`"),
        ("out[3]/syn/in", "E0402", "the last one is [2]"),
        ("out[0]/syn/inn", "E0405", "did you mean `in`"),
        ("out[0]/spike", "E0405", "did you mean `out[0]/synapses:syn:0/in`"),
        ("out[1]/in", "E0405", 'model.describe("TYPE")'),
    ]:
        with pytest.raises(jlems.ModelError, match="inlets:1:") as caught:
            model.simulation(inlets=[path])
        assert caught.value.problems[0].code == code, path
        assert text in str(caught.value), path
    with pytest.raises(jlems.UsageError, match="a list of paths is needed"):
        model.simulation(inlets=3)  # type: ignore[arg-type]


def test_a_callback_cannot_touch_its_own_run() -> None:
    with jlems.load(NETWORK, length="1000 s").simulation(every=1000).start() as run:
        with pytest.raises(RuntimeError, match="being advanced"):
            run.advance(900, progress=lambda _: run.t)
        assert 0 < run.t < 900 and not run.done
        run.step(1)


def test_an_early_result_is_partial() -> None:
    with jlems.load(NETWORK).simulation().start() as run:
        run.advance(0.01)
        assert run.result().partial


def test_a_checkpoint_of_another_run_is_refused() -> None:
    with jlems.load(NETWORK).simulation().start() as run:
        run.step(10)
        saved = run.checkpoint()
    with pytest.raises(jlems.RunError):
        jlems.loads(CELL).simulation().start(checkpoint=saved)
    with pytest.raises(jlems.RunError):
        jlems.load(NETWORK).simulation().start(checkpoint=b"nothing")


def test_missing_files() -> None:
    with pytest.raises(FileNotFoundError) as caught:
        jlems.load("nowhere/LEMS_x.xml")
    assert isinstance(caught.value, jlems.JlemsError) and caught.value.problems


def test_missing_files_are_named(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cell.xml").write_text(CELL)
    (tmp_path / "points.toml").write_text('model = "cell.xml"\npoints = "nope.csv"\n')
    (tmp_path / "model.toml").write_text('model = "nope.xml"\n[grid]\n"iaf/C" = ["1 nF"]\n')
    calls: list[tuple[str, Callable[[], object]]] = [
        ("nope.xml", lambda: jlems.load("nope.xml")),
        ("nope.xml", lambda: jlems.run("nope.xml")),
        ("nope.xml", lambda: jlems.validate("nope.xml")),
        ("nope.nml", lambda: jlems.validate("nope.nml")),
        ("nope.xsd", lambda: jlems.validate("cell.xml", schema="nope.xsd")),
        ("nope.toml", lambda: jlems.Sweep.from_toml("nope.toml")),
        ("nope.csv", lambda: jlems.Sweep.from_toml("points.toml")),
        ("nope.xml", lambda: jlems.Sweep.from_toml("model.toml").run()),
        ("nope.xml", lambda: jlems.Sweep.from_toml("model.toml").to_parquet("out")),
    ]
    for name, call in calls:
        with pytest.raises(jlems.MissingFileError) as caught:
            call()
        for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
            assert error.filename == name and error.errno == errno.ENOENT and error.strerror
            assert name in str(error)


def test_nothing_is_written_or_printed(tmp_path: pathlib.Path) -> None:
    script = f"import jlems; jlems.run({str(NETWORK)!r}, length='10 ms')"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "") and not list(tmp_path.iterdir())


def test_outputs_do_not_replace_inputs(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "LEMS_a.xml"
    file.write_text(CELL.replace('fileName="v.dat"', 'fileName="LEMS_a.xml"'))
    with pytest.raises(jlems.FileError):
        jlems.run(file).to_files(tmp_path)
    assert "iafCell" in file.read_text()


def test_command_line(tmp_path: pathlib.Path) -> None:
    assert program("--version").stdout.startswith("jlems-rs ")
    assert program("run", "nowhere.xml").returncode == 1
    assert program("run").returncode == 2
    assert program("jnml", "-v").stdout.startswith("jlems-rs v")
    done = program("run", "--length", "10ms", NETWORK, cwd=tmp_path)
    assert done.returncode == 0 and (tmp_path / "izhikevich_network.dat").exists()


def test_many_runs_take_no_memory() -> None:
    resource = pytest.importorskip("resource")
    simulation = jlems.loads(CELL, length="10 ms").simulation()
    for _ in range(200):
        simulation.run()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2000):
        simulation.run()
    for _ in range(100):
        jlems.loads(CELL, length="1 ms").run()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, f"{grown} kB"


def test_a_run_that_cannot_go_on_says_so_again() -> None:
    simulation = jlems.loads(GROWING).simulation()
    with simulation.start() as run:
        with pytest.raises(jlems.RunError) as caught:
            run.advance("1000 s")
        assert caught.value.result is not None and len(caught.value.result.t) > 100
        with pytest.raises(jlems.RunError, match="`x` is inf"):
            run.advance("1 ms")
        result = run.result()
    assert result.error is caught.value and result.partial


def test_a_parameter_of_another_dimension_is_no_value() -> None:
    model = jlems.loads(CELL)
    cell = model.components["iaf"]
    with pytest.raises(jlems.ModelError):
        model.with_({"iaf/leakConductance": cell.C})
    with pytest.raises(jlems.ModelError):
        model.with_(length=cell.C)
    assert model.with_({"iaf/C": cell.C}).components["iaf"].C == cell.C
    with model.simulation().start() as run:
        for time in (cell.C, float("inf"), 10**400, "1e999 s"):
            with pytest.raises(jlems.UsageError):
                run.advance(time)
