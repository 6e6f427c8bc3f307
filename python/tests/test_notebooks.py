"""The notebooks in `examples` run from their first cell to their last, and show pictures without scripts."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from conftest import ROOT

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")

NOTEBOOKS = sorted(path.name for path in (ROOT / "examples").glob("*.ipynb"))


def test_there_are_notebooks() -> None:
    assert len(NOTEBOOKS) >= 2


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_run(name: str, tmp_path: pathlib.Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    folder = tmp_path / "examples"
    before = {path for path in folder.rglob("*")}
    notebook = nbformat.read(folder / name, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells), "notebooks are kept without outputs"
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    client.execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    shown = [output.data for output in outputs if output.output_type == "execute_result"]
    pages = [data[kind] for data in shown for kind in ("text/html", "image/svg+xml") if kind in data]
    assert any("<svg" in page for page in pages)
    assert not any("<script" in page for page in pages)
    # Nothing is left on the disk.
    assert {path for path in folder.rglob("*") if ".ipynb_checkpoints" not in path.parts} == before
