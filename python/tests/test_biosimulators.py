"""The interface of BioSimulators. Its utilities are not among the packages that the tests install, because they need old ones."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import numpy as np
import pytest

import jlems
from jlems.compat import biosimulators

from conftest import CELL

data = pytest.importorskip("biosimulators_utils.sedml.data_model")


def task(source: pathlib.Path, **changes: Any) -> Any:
    course = data.UniformTimeCourseSimulation(
        id="course", initial_time=0.0, output_start_time=0.02, output_end_time=0.1, number_of_steps=8000,
        algorithm=data.Algorithm(kisao_id="KISAO_0000030"),
    )  # fmt: skip
    for name, value in changes.items():
        setattr(course, name, value)
    model = data.Model(id="net", source=str(source), language=data.ModelLanguage.LEMS.value)
    return data.Task(id="task", model=model, simulation=course)


@pytest.fixture
def source(tmp_path: pathlib.Path) -> pathlib.Path:
    file = tmp_path / "LEMS_cell.xml"
    file.write_text(CELL)
    return file


def variables(one: Any) -> list[Any]:
    return [
        data.Variable(id="time", symbol=data.Symbol.time.value, task=one),
        data.Variable(id="v", target="cells[1]/v", task=one),
    ]


def test_a_task(source: pathlib.Path) -> None:
    one = task(source)
    results, log = biosimulators.exec_sed_task(one, variables(one))
    expected = jlems.load(source).run(record="cells[1]/v")
    assert results["v"].shape == results["time"].shape == (8001,)
    assert results["time"][0] == pytest.approx(0.02) and results["time"][-1] == pytest.approx(0.1)
    assert np.array_equal(results["v"], expected["cells[1]/v"].values[-8001:])
    assert log.algorithm == "KISAO_0000030"


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"initial_time": 0.01}, "only 0"),
        ({"algorithm": data.Algorithm(kisao_id="KISAO_0000019")}, "Euler"),
    ],
)
def test_what_cannot_be_run(source: pathlib.Path, changes: dict[str, Any], said: str) -> None:
    one = task(source, **changes)
    with pytest.raises(jlems.UsageError, match=said):
        biosimulators.exec_sed_task(one, variables(one))


def test_an_archive(source: pathlib.Path, tmp_path: pathlib.Path) -> None:
    from biosimulators_utils.combine.data_model import CombineArchive, CombineArchiveContent, CombineArchiveContentFormat
    from biosimulators_utils.combine.io import CombineArchiveWriter
    from biosimulators_utils.report.io import ReportReader
    from biosimulators_utils.sedml.io import SedmlSimulationWriter

    folder = tmp_path / "archive"
    folder.mkdir()
    shutil.copy(source, folder)
    document = data.SedDocument(level=1, version=3)
    one = task(pathlib.Path(source.name))
    document.models.append(one.model)
    document.simulations.append(one.simulation)
    document.tasks.append(one)
    report = data.Report(id="report")
    for variable in variables(one):
        generator = data.DataGenerator(id=f"g_{variable.id}", variables=[variable], math=variable.id)
        document.data_generators.append(generator)
        report.data_sets.append(data.DataSet(id=f"d_{variable.id}", label=variable.id, data_generator=generator))
    document.outputs.append(report)
    SedmlSimulationWriter().run(document, str(folder / "simulation.sedml"), validate_models_with_languages=False)
    formats = CombineArchiveContentFormat
    archive = CombineArchive(
        contents=[
            CombineArchiveContent(location=source.name, format=formats.LEMS),
            CombineArchiveContent(location="simulation.sedml", format=formats.SED_ML, master=True),
        ]
    )
    CombineArchiveWriter().run(archive, str(folder), str(tmp_path / "model.omex"))
    _, log = biosimulators.exec_sedml_docs_in_combine_archive(str(tmp_path / "model.omex"), str(tmp_path / "out"))
    assert log.exception is None and log.status.value == "SUCCEEDED", log.to_json()
    found = ReportReader().run(report, str(tmp_path / "out"), "simulation.sedml/report")
    expected = jlems.load(source).run(record="cells[1]/v")
    assert np.allclose(found["d_v"], expected["cells[1]/v"].values[-8001:])
