"""NeuroMLlite with this package as a simulator.

>>> import jlems.compat.neuromllite
>>> jlems.compat.neuromllite.install()

From then on ``generate_and_run(simulation, simulator="jLEMS_rs")`` runs a simulation in this process, and scripts that end with
``check_to_generate_or_run`` know the option ``-jlemsrs``. The simulators whose names begin with ``jNeuroML`` run as
:mod:`jlems.compat.pyneuroml` says.
"""

from __future__ import annotations

import importlib
from typing import Any, Callable

from . import pyneuroml

SIMULATOR = "jLEMS_rs"
OPTION = "-jlemsrs"
_MODULE = "neuromllite.NetworkGenerator"
# Pairs of the original and its replacement, by name.
_replaced: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}


def install() -> None:
    """Adds the simulator to NeuroMLlite.

    Raises
    ------
    ImportError
        NeuroMLlite or pyNeuroML is not installed.
    """
    if _replaced:
        return
    pyneuroml.install()
    generator = importlib.import_module(_MODULE)
    run, check = generator.generate_and_run, generator.check_to_generate_or_run

    def generate_and_run(simulation: Any, simulator: str, *more: Any, **options: Any) -> Any:
        # It writes the network and a LEMS file as for jNeuroML.
        return run(simulation, "jNeuroML" if simulator == SIMULATOR else simulator, *more, **options)

    def check_to_generate_or_run(argv: list[str], sim: Any) -> Any:
        if OPTION in argv:
            return generate_and_run(sim, SIMULATOR)
        return check(argv, sim)

    for original, replacement in ((run, generate_and_run), (check, check_to_generate_or_run)):
        _replaced[original.__name__] = (original, replacement)
        pyneuroml.replace(original.__name__, original, replacement)


def uninstall() -> None:
    """Gives NeuroMLlite its own functions back; pyNeuroML keeps those of this package."""
    for name, (original, replacement) in _replaced.items():
        pyneuroml.replace(name, replacement, original)
    _replaced.clear()
