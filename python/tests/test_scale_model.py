"""The arithmetic of `benches/scale_model.py`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from conftest import ROOT


def rows(*options: str) -> list[list[str]]:
    """The last table, without its head."""
    command = [sys.executable, str(ROOT / "benches" / "scale_model.py"), *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True, env={"PYTHONDONTWRITEBYTECODE": "1"}).stdout
    lines = text.split("| --- |\n")[-1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def seconds(cell: str) -> float:
    return float(cell.split()[0])


def efficiency(cell: str) -> float:
    return float(cell.split("(")[1].split()[0]) / 100


def test_one_node_is_what_its_constants_say() -> None:
    simple = ["--cell", "2", "--synapse", "1", "--event", "0", "--threads", "1", "--setup-cell", "1e3",
              "--setup-connection", "1e3", "--bytes-cell", "1000", "--bytes-connection", "100"]  # fmt: skip
    (row,) = rows(*simple, "--nodes", "1", "--cells", "1000", "--synapses", "10", "--step", "0.1")
    # 10,000 steps of 1,000 cells with 10 synapses: 2 ns and 10 ns each.
    assert row == ["1", "1 k", "10 k", "0.12 (100 %)", "0.12 (100 %)", "0", "2 MB"]


def test_many_nodes_take_longer_and_hold_the_whole_network() -> None:
    table = rows()
    assert [row[0] for row in table] == [f"{2**power:,}" for power in range(11)]
    for way in (3, 4):
        times = [seconds(row[way]) for row in table]
        assert times == sorted(times)
        assert all(efficiency(row[way]) <= 1 for row in table)
    assert all(seconds(row[4]) > 1.8 * seconds(row[3]) for row in table[1:5]), "steps are made twice"
    assert (table[0][6], table[10][6]) == ("3.1 GB", "3.18 TB")


def test_a_given_network_is_shared() -> None:
    table = rows("--total-cells", "100000", "--nodes", "1,4", "--latency", "0", "--exchange", "0", "--imbalance", "0",
                 "--bandwidth", "1e9", "--look", "0")  # fmt: skip
    assert seconds(table[1][3]) == pytest.approx(seconds(table[0][3]) / 4, rel=0.01)
    assert [efficiency(row[3]) for row in table] == [1, 1]
