"""LEMS and NeuroML 2 models in Python: fast, without Java, with the results of jLEMS.

>>> import jlems
>>> result = jlems.run("LEMS_net.xml")
>>> result["pop[0]/v"]              # a trace: float64 in SI units
>>> result.spikes["pop"].rates()    # hertz, one for each cell

The classes are :class:`Model`, :class:`Simulation`, :class:`Result` with :class:`Trace` and :class:`Spikes`,
:class:`Running` for runs that are advanced step by step, and :class:`Sweep` for many runs. Everything is in SI
units. Files that a result writes are the same bytes as those of the command line.
"""

from __future__ import annotations

from ._cells import Cell
from ._errors import (
    FileError,
    InternalError,
    LimitError,
    MissingFileError,
    ModelError,
    RunError,
)
from ._functions import Report, describe, explain, run, types, validate
from ._lems_simulation import LEMSSimulation
from ._load import from_lems, from_neuroml, load, loads
from ._model import Component
from ._objects import Model, Simulation, Sweep
from ._problems import JlemsError, JlemsWarning, Problem, UsageError
from ._quantity import Quantity
from ._result import Events, Result, Spikes, Summary, Trace
from ._simulation import Progress, Running
from ._sweep import SweepOutcome, Written
from ._version import __version__

__all__ = [
    "Cell",
    "Component",
    "Events",
    "FileError",
    "InternalError",
    "JlemsError",
    "JlemsWarning",
    "LEMSSimulation",
    "LimitError",
    "MissingFileError",
    "Model",
    "ModelError",
    "Problem",
    "Progress",
    "Quantity",
    "Report",
    "Result",
    "RunError",
    "Running",
    "Simulation",
    "Spikes",
    "Summary",
    "Sweep",
    "SweepOutcome",
    "Trace",
    "UsageError",
    "Written",
    "__version__",
    "describe",
    "explain",
    "from_lems",
    "from_neuroml",
    "load",
    "loads",
    "run",
    "types",
    "validate",
]
