"""Tests of OSBModelValidation (OMV) without Java and NEURON.

>>> import jlems.compat.omv
>>> jlems.compat.omv.install()

From then on OMV has the engine ``jLEMS_rs``, and its engines that call jNeuroML or jLEMS run in this process, so that
existing ``.omt`` files need no change. ``python -m jlems.omv`` is the program ``omv`` with it.
"""

from __future__ import annotations

import glob
import importlib
import os
from typing import Any

from .._version import __version__
from .pyneuroml import jnml

# Words before and after the files on the command line of jNeuroML, by the name of the engine.
ENGINES: dict[str, tuple[list[str], list[str]]] = {
    "jLEMS_rs": ([], ["-nogui"]),
    "jLEMS": ([], ["-nogui"]),
    "jNeuroML": ([], ["-nogui"]),
    "jNeuroML_NEURON": ([], ["-neuron", "-run", "-nogui"]),
    "jNeuroML_NetPyNE": ([], ["-netpyne", "-run", "-nogui"]),
    "jNeuroML_validate": (["-validate"], []),
}
_originals: dict[str, Any] = {}


def install() -> None:
    """Makes OMV run its tests in this process, where this package can.

    Raises
    ------
    ImportError
        OSBModelValidation is not installed.
    """
    engines: dict[str, Any] = importlib.import_module("omv.engines").OMVEngines
    for name, words in ENGINES.items():
        if name not in _originals:
            _originals[name] = engines.get(name)
            engines[name] = _engine(name, *words)


def uninstall() -> None:
    """Gives OMV its own engines back."""
    engines: dict[str, Any] = importlib.import_module("omv.engines").OMVEngines
    for name, original in _originals.items():
        if original is None:
            engines.pop(name, None)
        else:
            engines[name] = original
    _originals.clear()


def _engine(engine_name: str, before: list[str], after: list[str]) -> type:
    module = importlib.import_module("omv.engines.engine")

    class Engine(module.OMVEngine):  # type: ignore[misc,name-defined]
        name = engine_name

        @staticmethod
        def is_installed() -> str:
            return f"v{__version__} (jlems-rs)"

        @staticmethod
        def install(version: str | None) -> None:
            """It is here already."""

        def run(self) -> None:
            files = _files(self.modelpath, module.PATH_DELIMITER)
            outcome = jnml([*before, *files, *after], os.path.dirname(files[0]) if files else ".")
            self.returncode, self.stdout = (1, "no such files") if outcome is None else outcome
            if self.returncode != 0:
                raise module.EngineExecutionError(self.stdout)

    return Engine


def _files(text: str, delimiter: str) -> list[str]:
    """The files of a target, in which patterns may stand."""
    return [file for pattern in text.split(delimiter) for file in sorted(glob.glob(pattern))]
