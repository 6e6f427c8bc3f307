"""Sweeps of the command line, read as tables."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import jlems

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
pytest.importorskip("pyarrow")


def test_a_folder_is_a_table(tmp_path: Path) -> None:
    """pandas reads all parts at once, with the numbers of runs in this process."""
    model = EXAMPLES / "izhikevich-network" / "LEMS_izhikevich_network.xml"
    spec = tmp_path / "sweep.toml"
    spec.write_text(
        f"""model = '{model}'
length = "300 ms"
[grid]
"excitation/gbase" = {{ from = "2 nS", to = "20 nS", count = 3 }}
[record]
features = ["max(followers[0]/v)"]
traces = ["followers[0]/v"]
events = ["pacemakers"]
every = 10
"""
    )
    command = [sys.executable, "-m", "jlems", "sweep", str(spec), "-o", str(tmp_path / "out")]
    subprocess.run(command, check=True, env={**os.environ, "NO_COLOR": "1"})
    table = pd.read_parquet(tmp_path / "out").sort_values("point")
    assert list(table["excitation/gbase"]) == [2.0, 11.0, 20.0]
    simulation = jlems.load(model).with_(length="300 ms").simulation(
        record=["followers[0]/v"], spikes=["pacemakers"]
    )
    for _, row in table.iterrows():
        result = simulation.run(set={"excitation/gbase": f"{row['excitation/gbase']} nS"})
        trace = result["followers[0]/v"].values
        assert np.array_equal(row["followers[0]/v"], trace[::10])
        assert row["max(followers[0]/v)"] == trace.max()
        assert np.array_equal(row["pacemakers times"], result.spikes["pacemakers"].times)
        assert np.array_equal(row["pacemakers spikes"], result.spikes["pacemakers"].ids)
