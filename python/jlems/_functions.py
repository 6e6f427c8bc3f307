"""The functions of the package that are no constructors."""

from __future__ import annotations

import json
import os
from html import escape
from typing import Any, Iterator

from . import _jlems
from ._load import model_of, neuroml_text
from ._model import Description, TypeSummary, types_of
from ._objects import run_model
from ._problems import Problem, UsageError
from ._result import Result
from ._values import folder_list, path_text, word


def run(source: Any, **choices: Any) -> Result:
    """Runs a model, and gives what it records.

    Parameters
    ----------
    source : path, Model, neuroml.NeuroMLDocument or lems.api.Model
        What to run. A NeuroML file or document without a simulation runs for 500 ms in steps of 0.01 ms, if
        ``length`` and ``step`` say nothing else.
    set, step, length, target, temperature, include, limits
        See :func:`load`.
    record, spikes, every, seed, threads, fast, backend, strict
        See :class:`Simulation`.
    progress
        See :meth:`Simulation.run`.
    write : bool or path
        Whether to write the output files of the model, into the working directory or another folder: the same
        bytes as ``jlems-rs run`` writes. Without it nothing is written.

    Returns
    -------
    Result

    Raises
    ------
    ModelError, RunError, UsageError, FileError, LimitError, KeyboardInterrupt
        See :func:`load`, :class:`Simulation` and :meth:`Simulation.run`.

    Examples
    --------
    >>> result = jlems.run("examples/izhikevich-network/LEMS_izhikevich_network.xml", length="1 s")
    >>> result["pacemakers[0]/v"].max()
    """
    return run_model(source, model_of, **choices)


class Report:
    """What is wrong with a file. It is true if the file is valid."""

    __slots__ = ("path", "valid", "problems")

    path: str
    valid: bool
    problems: list[Problem]
    """Errors first, then warnings."""

    def __init__(self, path: str, valid: bool, problems: list[Problem]) -> None:
        self.path = path
        self.valid = valid
        self.problems = problems

    @property
    def errors(self) -> list[Problem]:
        return [one for one in self.problems if one.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        return [one for one in self.problems if one.severity == "warning"]

    def __bool__(self) -> bool:
        return self.valid

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)

    def __len__(self) -> int:
        return len(self.problems)

    def __str__(self) -> str:
        verdict = "valid" if self.valid else f"{len(self.errors)} errors"
        shown = [one.rendered for one in self.problems if one.shown]
        return "\n\n".join([f"{self.path}: {verdict}", *shown])

    def __repr__(self) -> str:
        return f"<jlems.Report {self.path!r}: {'valid' if self.valid else 'not valid'}>"

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def validate(
    source: Any,
    *,
    schema: str | os.PathLike[str] | None = None,
    include: Any = (),
) -> Report:
    """Checks a LEMS or NeuroML file without running it. NeuroML files get the verdict of ``jnml -validate``.

    Parameters
    ----------
    source : path or neuroml.NeuroMLDocument
        What to check.
    schema : path, optional
        XML Schema to check NeuroML files against, instead of the rules of NeuroML 2.3.1.
    include : path or list of paths, optional
        Folders to search for included files.

    Returns
    -------
    Report
        True if the file is valid; ``problems`` has all errors and warnings.

    Raises
    ------
    MissingFileError
        The file or the schema is not there.
    UsageError, FileError
        The schema cannot be used, or not be read.

    Examples
    --------
    >>> bool(jlems.validate("examples/izhikevich-network/izhikevich_network.net.nml"))
    True
    """
    folders = folder_list(include)
    if type(source).__module__.split(".")[0] == "neuroml":
        name = "document.nml"
        engine = _jlems.Source(name, {name: neuroml_text(source)}, folders)
    else:
        name = path_text(source)
        engine = _jlems.Source(name, {}, folders)
    valid, problems, _ = _jlems.validate(engine, None if schema is None else path_text(schema, "schema"))
    return Report(name, valid, [Problem(*one) for one in problems])


def types(*, extends: str | None = None) -> dict[str, TypeSummary]:
    """The component types of NeuroML by name, or those that extend another.

    Examples
    --------
    >>> sorted(jlems.types(extends="baseSpikeSource"))[:2]
    """
    found = types_of(_jlems.core_types())
    if extends is None:
        return found
    if word(extends, "extends") not in found:
        describe(extends)  # Raises with names that may be meant.
    return {k: v for k, v in found.items() if k == extends or extends in v.bases}


def describe(name: str) -> Description:
    """Describes a component type, dimension, unit or constant of NeuroML.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    return Description(name, json.loads(_jlems.describe(word(name, "name"))))


def explain(code: str) -> str:
    """Explains the code of an error or a warning, such as ``"E0216"``.

    Raises
    ------
    UsageError
        There is no such code.
    """
    text = _jlems.explain(word(code, "code"))
    if text is None:
        raise UsageError(f"there is no code `{code}`")
    return text
