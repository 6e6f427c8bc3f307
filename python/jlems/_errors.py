"""Exceptions that the engine raises. A model that is wrong raises one exception with all its problems."""

from __future__ import annotations

from ._problems import FileError, JlemsError, MissingFileError, UsageError
from ._result import Result

__all__ = [
    "FileError",
    "InternalError",
    "LimitError",
    "MissingFileError",
    "ModelError",
    "RunError",
    "UsageError",
]


class ModelError(JlemsError, ValueError):
    """The model is wrong. ``problems`` has all errors of the stage that found some."""


class RunError(JlemsError, RuntimeError):
    """The run cannot go on, such as because a recorded value is not finite.

    Attributes
    ----------
    result : Result or None
        What was recorded before.
    """

    result: Result | None = None


class LimitError(RunError):
    """The model or the run needs more than a limit allows: memory, time, steps, instances."""


class InternalError(JlemsError, RuntimeError):
    """A bug in jlems-rs. Please report it."""
