"""Models: reading, looking, changing."""

from __future__ import annotations

import pathlib
import pickle
from typing import Callable

import numpy as np
import pytest

import jlems

from conftest import CELL, GROWING, NETWORK, ROOT


def test_components_have_si_values() -> None:
    cell = jlems.loads(CELL).components["iaf"]
    assert cell.type == "iafCell" and cell.C == pytest.approx(0.2e-9, rel=1e-15) and cell["C"].unit == "F"
    assert repr(jlems.loads(CELL.replace("0.2nF", "2e-10F")).components["iaf"].C) == "2e-10 F"
    with pytest.raises(AttributeError, match="no `D`"):
        cell.D


def test_populations_and_quantities() -> None:
    model = jlems.load(NETWORK)
    sizes = {one.path: one.size for one in model.populations}
    assert sizes == {"pacemakers": 5, "followers": 5}
    assert "pacemakers[*]/v" in model.quantities
    assert sum(one.number for one in model.connections) > 0
    result = model.run(length="10 ms", record="pacemakers[*]/v")
    assert result["pacemakers[*]/v"].shape == (5, 101)


@pytest.mark.parametrize(
    ("file", "some"),
    [
        (NETWORK, ["pacemakers[*]/v", "followers[*]/u"]),
        (
            ROOT / "examples/hodgkin-huxley/LEMS_hodgkin_huxley.xml",
            ["axons[*]/v", "axons[*]/biophysics/membraneProperties/sodiumChannels/sodium/m/q"],
        ),
        (
            ROOT / "examples/dendrite/LEMS_dendrite.xml",
            ["cells[*]/v", "cells[*]/2/v", "cells[*]/membrane/membraneProperties/na_soma/na/m/q"],
        ),
    ],
)
def test_all_that_is_listed_can_be_recorded(file: pathlib.Path, some: list[str]) -> None:
    model = jlems.load(file, length="0.1 ms")
    quantities = model.quantities
    assert set(some) <= set(quantities), quantities
    assert len(quantities) == len(set(quantities))
    result = model.run(record=quantities)
    for path in quantities:
        assert np.isfinite(result[path].values).all(), path


def test_a_target_without_populations_has_quantities_of_its_own() -> None:
    assert jlems.loads(GROWING).quantities == ["x"]


def test_change_makes_another_model() -> None:
    model = jlems.loads(CELL)
    for value in ("0.1 nF", 0.1e-9, np.float64(0.1e-9)):
        changed = model.with_({"iaf/C": value})
        assert changed.components["iaf"].C == pytest.approx(0.1e-9, rel=1e-15)
    assert model.components["iaf"].C == pytest.approx(0.2e-9, rel=1e-15)


def test_the_length_that_is_given_last_counts(tmp_path: pathlib.Path) -> None:
    (tmp_path / "LEMS_cell.xml").write_text(CELL)
    model = jlems.load(tmp_path / "LEMS_cell.xml", length="20 ms", step="0.1 ms")
    assert model.simulation().steps == 200
    assert model.with_({"sim/length": "30 ms"}).simulation().steps == 300
    assert model.with_({"sim/length": 0.03}).with_({"iaf/C": "0.1 nF"}).simulation().steps == 300
    assert model.with_({"sim/length": "30 ms"}).with_(length="10 ms").simulation().steps == 100
    assert model.with_({"sim/length": "30 ms"}, step="0.05 ms").simulation().steps == 600
    assert model.with_({"sim/step": "0.05 ms"}).simulation().steps == 400
    assert model.run(set={"sim/length": "30 ms"}).t[-1] == pytest.approx(0.03)
    assert jlems.load(tmp_path / "LEMS_cell.xml", set={"sim/length": "5 ms"}).simulation().steps == 500
    simulation = model.simulation()
    assert simulation.with_({"sim/length": "30 ms"}).steps == 300
    restored = pickle.loads(pickle.dumps(model.with_({"sim/length": "30 ms"})))
    assert restored.with_(step="0.2 ms").simulation().steps == 150
    lengths = ["10 ms", "30 ms"]
    assert [len(result.t) for result in simulation.sweep({"sim/length": lengths}).run()] == [101, 301]
    # Both in one call are one value, or a mistake.
    both = {"sim/length": "30 ms"}
    assert model.with_(both, length="30 ms").simulation().steps == 300
    calls: list[Callable[[], object]] = [
        lambda: model.with_(both, length="20 ms"),
        lambda: model.run(set=both, length="20 ms"),
        lambda: simulation.run(set=both, length="20 ms"),
        lambda: jlems.load(tmp_path / "LEMS_cell.xml", set=both, length="20 ms"),
        lambda: jlems.run(tmp_path / "LEMS_cell.xml", set={"sim/step": "1 ms"}, step="0.1 ms"),
    ]
    for call in calls:
        with pytest.raises(jlems.UsageError, match=r"`set=\{\"sim/.*: …\}` gives this, too, and not in the words of `"):
            call()


def test_quantities_of_other_libraries() -> None:
    class Pint:
        magnitude = 1e-10

        def to_base_units(self) -> Pint:
            return self

    class Astropy:
        class si:
            value = 1e-10

    model = jlems.loads(CELL)
    for value in (Pint(), Astropy()):
        assert model.with_({"iaf/C": value}).components["iaf"].C == 1e-10


def test_texts_include_texts() -> None:
    cells = '<neuroml id="n"><iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/></neuroml>'
    start, end = CELL.index("<iafCell"), CELL.index("<network")
    text = CELL[:start] + '<Include file="cells.nml"/>' + CELL[end:]
    result = jlems.run(jlems.loads(text, files={"cells.nml": cells}))
    assert np.array_equal(result.values, jlems.loads(CELL).run().values)
    with pytest.raises(jlems.ModelError, match="cells.nml"):
        jlems.loads(text)


def test_a_neuroml_file_runs(tmp_path: pathlib.Path) -> None:
    file = ROOT / "examples/izhikevich-network/izhikevich_network.net.nml"
    result = jlems.run(file, length="20 ms", step="0.1 ms")
    assert result.t[-1] == pytest.approx(0.02) and len(result.t) == 201
    assert list(result) == ["pacemakers[0]/v", "followers[0]/v"]
    assert set(result.spikes) == {"pacemakers", "followers"}
    assert not list(tmp_path.iterdir())


def test_one_cell_runs() -> None:
    text = '<neuroml id="n"><iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/></neuroml>'
    result = jlems.loads(text, name="cell.nml", target="iaf", length="100 ms").run(spikes="*")
    assert [spikes.count for spikes in result.spikes.values()] == [4] or result.spikes


def test_a_model_stays_when_its_file_changes(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "LEMS_cell.xml"
    file.write_text(CELL)
    model = jlems.load(file)
    before = model.run().values
    file.write_text("no model any more")
    assert np.array_equal(model.run().values, before)


def test_to_xml_is_a_model() -> None:
    model = jlems.load(NETWORK)
    again = jlems.loads(model.to_xml())
    assert np.array_equal(again.run(length=0.1).values, model.run(length=0.1).values)


def test_types_and_descriptions() -> None:
    assert jlems.types()["iafCell"].bases[-1].startswith("base")
    assert "iafCell" in jlems.types(extends="baseCell")
    assert jlems.describe("iafCell").exposures["v"] == "voltage"
    assert "voltage" in repr(jlems.describe("voltage"))
    with pytest.raises(jlems.UsageError, match="did you mean"):
        jlems.describe("iafCel")
    assert jlems.explain("E0216").startswith("E0216")


def test_summaries_are_html() -> None:
    model = jlems.load(NETWORK)
    assert "pacemakers" in model._repr_html_()
    result = model.run(length="50 ms")
    page = result._repr_html_()
    assert page.count("<svg") >= 1 and "<script" not in page
    assert "<svg" in result["pacemakers[0]/v"]._repr_svg_()
    assert "parameters" in jlems.describe("iafCell")._repr_html_()


def test_from_neuroml() -> None:
    neuroml = pytest.importorskip("neuroml")
    document = neuroml.NeuroMLDocument(id="doc")
    document.iaf_cells.append(
        neuroml.IafCell(id="iaf", leak_reversal="-50mV", thresh="-55mV", reset="-70mV", C="0.2nF", leak_conductance="0.01uS")
    )
    network = neuroml.Network(id="net")
    network.populations.append(neuroml.Population(id="cells", component="iaf", size=3))
    document.networks.append(network)
    result = jlems.from_neuroml(document, "net", length="100 ms", step="0.01 ms").run()
    assert np.array_equal(result["cells[0]/v"].values, jlems.loads(CELL).run()["cells[0]/v"].values)
    assert jlems.run(document, length=0.01).spikes["cells"].n == 3
    assert jlems.validate(document)


def test_from_lems() -> None:
    lems = pytest.importorskip("lems.api")
    model = lems.Model()
    model.add(lems.Dimension("time", t=1))
    model.add(lems.Unit("second", "s", "time", 0))
    text = jlems.from_lems(model)
    assert isinstance(text, jlems.Model)


def test_lems_simulation(tmp_path: pathlib.Path) -> None:
    simulation = jlems.LEMSSimulation("sim1", 20, 0.1, target="izhikevichNetwork")
    simulation.include_neuroml2_file(str(ROOT / "examples/izhikevich-network/izhikevich_network.net.nml"))
    simulation.create_display("d", "Potentials", "-80", "40")
    simulation.add_line_to_display("d", "v", "pacemakers[0]/v", "1mV", "#ff0000")
    simulation.create_output_file("of", "v.dat")
    simulation.add_column_to_output_file("of", "v", "pacemakers[0]/v")
    simulation.create_event_output_file("ev", "s.spikes", format="TIME_ID")
    simulation.add_selection_to_event_output_file("ev", 0, "pacemakers[0]", "spike")
    result = simulation.run()
    assert list(result) == ["pacemakers[0]/v"] and len(result.t) == 201
    name = simulation.save_to_file(str(tmp_path / "LEMS_sim1.xml"))
    assert np.array_equal(jlems.run(name).values, result.values)
    with pytest.raises(jlems.UsageError):
        simulation.add_column_to_output_file("nowhere", "v", "v")


def test_the_segments_of_cells_are_listed() -> None:
    model = jlems.load(ROOT / "examples/dendrite/LEMS_dendrite.xml", length="1 ms")
    cell = model.cells["pyramid"]
    assert list(model.cells) == ["pyramid"] and isinstance(cell, jlems.Cell)
    names = [(one.id, one.name, one.parent) for one in cell.segments.values()]
    assert names == [(0, "soma", None), (1, "trunk", 0), (2, "left", 1), (3, "right", 1)]
    assert cell.groups["all"] == [0, 1, 2, 3]
    left = cell.segments[2]
    assert left.section == "left_section" and left.groups[0] == "left_section" and "all" in left.groups
    assert left.length == pytest.approx(200e-6) and left.length.to("um") == pytest.approx(200)
    assert left.distance == pytest.approx(20e-6 + 300e-6 + 100e-6) and left.diameter == pytest.approx(1.25e-6)
    assert cell.area == pytest.approx(sum(one.area for one in cell.segments.values()))
    assert [len(one.compartments) for one in cell.sections.values()] == [1, 9, 5, 5]
    assert left.compartments == cell.sections["left_section"].compartments
    assert {cell.compartments[number].section for number in left.compartments} == {"left_section"}
    leak = next(part for part in cell.parts if part.references.get("ionChannel") == "leak")
    assert leak.parameters["condDensity"].unit and leak.compartments == len(cell.compartments)
    assert cell.at_rest is not None and cell.at_rest.input_resistance is not None
    assert cell.at_rest.input_resistance.to("Mohm") > 1
    with pytest.raises(KeyError, match="there are 4"):
        cell.segments[7]
    with pytest.raises(KeyError, match="the id of this segment is 2"):
        cell.segments["left"]  # type: ignore[index]
    with pytest.raises(KeyError, match="did you mean `pyramid`"):
        model.cells["pyramidal"]
    assert "trunk_section" in cell._repr_html_() and "20 compartments" in repr(cell)
    # All of them can be recorded.
    paths = [f"cells[0]/{segment}/v" for segment in cell.segments]
    assert model.run(record=paths).columns == paths
    assert jlems.load(ROOT / "examples/dendrite/dendrite.nml").cells["pyramid"].groups == cell.groups
    assert pickle.loads(pickle.dumps(cell.segments[1])) == cell.segments[1]


def test_a_model_without_segments_has_no_cells() -> None:
    assert jlems.loads(CELL).cells == {}


def test_a_cell_of_a_wrong_shape_is_an_error() -> None:
    text = (ROOT / "examples/dendrite/dendrite.nml").read_text().replace('<parent segment="1"/>', '<parent segment="9"/>')
    with pytest.raises(jlems.ModelError, match="segment"):
        jlems.loads(text, name="dendrite.nml").cells
