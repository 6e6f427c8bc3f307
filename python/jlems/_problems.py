"""Messages about a model, and the exceptions and warnings that bear them."""

from __future__ import annotations

import errno as codes
import os
import sys
import warnings
from typing import Any, Collection, Iterable, NamedTuple


class Problem(NamedTuple):
    """One message about a model."""

    code: str
    """Code, such as ``E0216``; :func:`jlems.explain` tells more about it."""
    severity: str
    """``"error"`` or ``"warning"``."""
    message: str
    """What is wrong."""
    file: str | None
    """File of the place, if there is one."""
    line: int | None
    """Line of the place, from 1."""
    column: int | None
    """Column of the place in characters, from 1."""
    text: str | None
    """The line."""
    help: str | None
    """The likely fix."""
    rendered: str
    """The message as the command line shows it: with the line, and the place underlined."""
    shown: bool
    """Whether the command line shows it without being asked."""

    def __str__(self) -> str:
        return self.rendered


class JlemsError(Exception):
    """Any failure of jlems.

    Attributes
    ----------
    problems : list of Problem
        All that was found, errors first. Empty if there is no more to tell than the text.
    """

    problems: list[Problem]

    def __init__(self, text: str = "", problems: Iterable[Any] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.problems = [Problem(*problem) for problem in problems]

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        problems = [tuple(problem) for problem in self.problems]
        # What was added to it, such as the `result` of a run. It may refer to this exception, so it comes later.
        added = {name: value for name, value in self.__dict__.items() if name not in ("text", "problems")}
        return (type(self), (self.text, problems), added or None)

    def _render_traceback_(self) -> list[str]:
        # IPython shows this in place of a stack of calls that is none of the user's business.
        return [f"{type(self).__name__}: {self.text}"]


class UsageError(JlemsError, ValueError):
    """What was asked for is not possible: a path that leads nowhere, a wrong setting."""


class FileError(JlemsError, OSError):
    """A file cannot be read or written."""

    def __reduce__(self) -> tuple[Any, ...]:
        kind, (text, problems), added = super().__reduce__()
        of_system = {name: getattr(self, name) for name in ("errno", "strerror", "filename")}
        return (kind, (text, problems), {**(added or {}), **of_system})


class MissingFileError(FileError, FileNotFoundError):
    """A file is not there. ``filename`` is its path."""

    def __init__(self, text: str = "", problems: Iterable[Any] = ()) -> None:
        super().__init__(text, problems)
        self.errno = codes.ENOENT
        self.strerror = os.strerror(codes.ENOENT)


class JlemsWarning(UserWarning):
    """Something in a model is legal, but probably not meant.

    Attributes
    ----------
    problem : Problem
        The whole message.
    result : Result or None
        What a run recorded at whose end this was told. So it is not lost if a filter makes an exception of the warning.
    """

    result: Any = None

    def __init__(self, problem: Problem) -> None:
        place = f" ({problem.file}:{problem.line})" if problem.file else ""
        super().__init__(f"{problem.code}: {problem.message}{place}")
        self.problem = problem

    def __reduce__(self) -> tuple[Any, ...]:
        added = {name: value for name, value in self.__dict__.items() if name != "problem"}
        return (type(self), (self.problem,), added or None)


_PACKAGE = os.path.dirname(__file__) + os.sep


def warn(problems: Iterable[Problem], known: Collection[Problem] = ()) -> None:
    """Warns of those problems that are always shown, but for those that are told already."""
    for problem in problems:
        if problem.shown and problem not in known:
            warnings.warn(JlemsWarning(problem), stacklevel=_calls_in_package())


def _calls_in_package() -> int:
    """The ``stacklevel`` with which the caller of this warns at the line of a user that called the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level
