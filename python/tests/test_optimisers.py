"""The scripts in `examples/optimise` find what they look for. Of the four packages, the tests install the two small ones."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from conftest import ROOT

FOLDER = ROOT / "examples" / "optimise"
PACKAGES = sorted(path.stem.removeprefix("with_") for path in FOLDER.glob("with_*.py"))


def test_there_are_scripts() -> None:
    assert PACKAGES == ["bluepyopt", "inspyred", "nevergrad", "scipy"]


@pytest.mark.parametrize("package", PACKAGES)
def test_optimisers_find_the_cell(package: str) -> None:
    pytest.importorskip(package)
    command = [sys.executable, str(FOLDER / f"with_{package}.py")]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    found = re.match(r"found ([\d.]+) and ([\d.]+) mS/cm2 in (\d+) runs; the cell has 120 and 36", done.stdout)
    assert found, done.stdout
    assert abs(float(found[1]) - 120) < 4 and abs(float(found[2]) - 36) < 1.2, done.stdout
    assert int(found[3]) <= 1000
