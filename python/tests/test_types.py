"""The package is typed, and its documentation runs."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import inspect
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

import jlems

from conftest import ROOT


@pytest.mark.skipif(importlib.util.find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_is_content(tmp_path: pathlib.Path) -> None:
    # mypy does not look at what is installed.
    package = tmp_path / "jlems"
    shutil.copytree(pathlib.Path(jlems.__file__).parent, package)
    user = tmp_path / "user.py"
    user.write_text(
        "import jlems\n"
        "result = jlems.run('LEMS_a.xml', length='1 s')\n"
        "peak: float = float(result['pop[0]/v'].max())\n"
        "number: int = result.spikes['pop'].count\n"
        "with jlems.load('LEMS_a.xml').simulation(record='pop[*]/v').start() as run:\n"
        "    run.advance('10 ms')\n"
        "    saved: bytes = run.checkpoint()\n"
    )
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path), str(package), str(user)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout


def test_everything_public_is_described() -> None:
    lacking = []
    for name in jlems.__all__:
        thing = getattr(jlems, name)
        if inspect.isclass(thing) or inspect.isfunction(thing):
            if not thing.__doc__:
                lacking.append(name)
    assert not lacking
    assert (pathlib.Path(jlems.__file__).parent / "py.typed").exists()


def test_the_page_of_the_book_runs(tmp_path: pathlib.Path) -> None:
    page = (ROOT / "docs/python.md").read_text()
    blocks = re.findall(r"^```python( no-run)?\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    for kind, block in blocks:
        if kind:
            continue
        script = tmp_path / "block.py"
        script.write_text(block)
        environment = {"MPLBACKEND": "Agg", "PATH": "", "HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "block.py"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        if "No module named" in done.stderr or "pip install" in done.stderr:
            continue
        assert done.returncode == 0, block + done.stderr


def test_the_version_is_that_of_the_distribution() -> None:
    assert jlems.__version__ == importlib.metadata.version("jlems-rs")


def test_import_is_quick() -> None:
    script = "import time, numpy; a = time.process_time(); import jlems; print(time.process_time() - a)"
    seconds = min(
        float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout)
        for _ in range(5)
    )
    assert seconds < 0.1
