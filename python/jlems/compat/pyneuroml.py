"""Scripts of pyNeuroML without Java.

>>> import jlems.compat.pyneuroml
>>> jlems.compat.pyneuroml.install()

From then on pyNeuroML's functions that call jNeuroML run in this process: ``run_lems_with_jneuroml``,
``run_multiple_lems_with``, ``validate_neuroml2``, the analyses of cells and channels. Conversions and exports are not
here: they still call Java. ``uninstall()`` puts everything back. ``python -m jlems.pynml`` is the program
``pynml`` with it.
"""

from __future__ import annotations

import importlib
import logging
import os
import shlex
import shutil
import sys
from typing import Any, Callable, NamedTuple

from .. import _jlems
from .._errors import JlemsError, Problem
from .._functions import validate
from .._model import Model
from .._simulation import write_model
from .._version import __version__

logger = logging.getLogger("jlems")

VERSION = f"jlems-rs v{__version__} (as jnml; results of jNeuroML 0.14.0)\n"
FINISHED = "Finished reading, building, running and displaying LEMS model\n"
NOT_HERE = "exports and conversions need jNeuroML, which needs Java"

# Where pyNeuroML has the functions: where they are defined, and where they are imported by name.
_NAMES = ("run_jneuroml", "run_jneuroml_with_realtime_output", "run_multiple_lems_with")
_PLACES = (
    "pyneuroml.runners",
    "pyneuroml.pynml",
    "pyneuroml.modelgraphs",
    "pyneuroml.biosimulations",
    "pyneuroml.utils.jnmlwrapper",
)
_saved: dict[tuple[str, str], Callable[..., Any]] = {}


class Outcome(NamedTuple):
    """What a command did: its exit status, and what it says."""

    status: int
    output: str


def jnml(words: list[str], folder: str | os.PathLike[str] = ".") -> Outcome | None:
    """Does what a command line of jNeuroML says, in a folder; None if it is an export or a conversion.

    Parameters
    ----------
    words : list of str
        The words after ``jnml``: ``FILE -nogui``, ``-norun``, ``-I FOLDERS``, ``-outputdir FOLDER``,
        ``-validate FILES``, ``-v``.
    folder : path
        Where relative paths start.
    """
    folder = os.fspath(folder)
    if words and words[0] in ("-v", "-version", "--version"):
        return Outcome(0, VERSION)
    if words and words[0] == "-validate" and len(words) > 1:
        return _validated([os.path.join(folder, word) for word in words[1:]])
    file, include, output, runs = None, list[str](), folder, True
    rest = iter(words)
    for word in rest:
        if word == "-nogui":
            continue
        if word == "-norun":
            runs = False
        elif word == "-I":
            paths = next(rest, "").split(os.pathsep)
            include += [os.path.join(folder, path) for path in paths if path]
        elif word == "-outputdir":
            output = os.path.join(folder, next(rest, ""))
        elif word.startswith("-") or file is not None:
            return None
        else:
            file = word
    if file is None:
        return None
    model = Model(_jlems.Source(os.path.join(folder, file), {}, include), _check=False)
    try:
        if not runs:
            model.simulation()
            return Outcome(0, VERSION)
        summary = write_model(model, output)
    except JlemsError as error:
        return Outcome(1, f"{VERSION}{error}\n")
    said = [Problem(*one) for one in summary["warnings"]]
    texts = [one.rendered + "\n" for one in said if one.shown]
    texts += [f"wrote {os.path.join(output, name)}\n" for name in summary["files"]]
    return Outcome(0, VERSION + "".join(texts) + FINISHED)


def _validated(files: list[str]) -> Outcome:
    reports = []
    for file in files:
        try:
            reports.append(validate(file))
        except JlemsError as error:
            return Outcome(1, f"{error}\n")
    texts = []
    for report in reports:
        texts.append(f"{report}\n")
        if report:
            texts.append("Valid against schema and all tests\n")
    invalid = sum(not report for report in reports)
    # Scripts look for these words of jNeuroML.
    texts.append(f"{len(reports)} validated: {len(reports) - invalid} passed, {invalid} failed\n")
    return Outcome(1 if invalid else 0, "".join(texts))


def _words(pre_args: Any, target_file: Any, post_args: Any, folder: str) -> list[str]:
    target = "" if target_file is None else os.fspath(target_file)
    # A name with blanks is one word if there is such a file.
    is_file = target != "" and os.path.exists(os.path.join(folder, target))
    words = [target] if is_file else _split(target)
    return [*_split(pre_args), *words, *_split(post_args)]


def _split(arguments: Any) -> list[str]:
    if not isinstance(arguments, str):
        return [str(one) for one in arguments or ()]
    return shlex.split(arguments, posix=os.name != "nt")


def run_jneuroml(
    pre_args: str | None = "",
    target_file: str | os.PathLike[str] | None = "",
    post_args: str | None = "",
    max_memory: str | None = None,
    exec_in_dir: str = ".",
    verbose: bool = False,
    report_jnml_output: bool = True,
    exit_on_fail: bool = False,
    return_string: bool = False,
    output_prefix: str = " jNeuroML >>  ",
) -> Any:
    """What ``pyneuroml.runners.run_jneuroml`` does, without Java.

    Returns
    -------
    bool, or tuple of bool and str
        Whether it went well; with ``return_string`` also what was said.
    """
    words = _words(pre_args, target_file, post_args, exec_in_dir)
    outcome = jnml(words, exec_in_dir)
    if outcome is None:
        memory = {} if max_memory is None else {"max_memory": max_memory}
        return _by_java(
            words,
            "run_jneuroml",
            pre_args,
            target_file,
            post_args,
            exec_in_dir=exec_in_dir,
            verbose=verbose,
            report_jnml_output=report_jnml_output,
            exit_on_fail=exit_on_fail,
            return_string=return_string,
            output_prefix=output_prefix,
            **memory,
        )
    _tell(outcome, verbose or report_jnml_output, output_prefix)
    if outcome.status != 0 and exit_on_fail:
        sys.exit(outcome.status)
    well = outcome.status == 0
    return (well, outcome.output) if return_string else well


def run_jneuroml_with_realtime_output(
    pre_args: str | None = "",
    target_file: str | os.PathLike[str] | None = "",
    post_args: str | None = "",
    max_memory: str | None = None,
    exec_in_dir: str = ".",
    verbose: bool = False,
    exit_on_fail: bool = True,
) -> bool:
    """What ``pyneuroml.runners.run_jneuroml_with_realtime_output`` does, without Java."""
    words = _words(pre_args, target_file, post_args, exec_in_dir)
    outcome = jnml(words, exec_in_dir)
    if outcome is None:
        memory = {} if max_memory is None else {"max_memory": max_memory}
        return bool(
            _by_java(
                words,
                "run_jneuroml_with_realtime_output",
                pre_args,
                target_file,
                post_args,
                exec_in_dir=exec_in_dir,
                verbose=verbose,
                exit_on_fail=exit_on_fail,
                **memory,
            )
        )
    _tell(outcome, verbose, " jNeuroML >>  ")
    if outcome.status != 0 and exit_on_fail:
        sys.exit(outcome.status)
    return outcome.status == 0


def _tell(outcome: Outcome, is_wanted: bool, prefix: str) -> None:
    lines = [prefix + line for line in outcome.output.splitlines()]
    if outcome.status != 0:
        logger.error("\n".join(lines))
    elif is_wanted:
        logger.info("\n".join(lines))


def _by_java(words: list[str], name: str, *arguments: Any, **options: Any) -> Any:
    original = _saved.get(("pyneuroml.runners", name))
    if original is not None and shutil.which("java"):
        return original(*arguments, **options)
    message = f"`jnml {' '.join(words)}` cannot be done here: {NOT_HERE}"
    logger.error(message)
    if options.get("exit_on_fail"):
        sys.exit(1)
    return (False, message) if options.get("return_string") else False


class _Job:
    """What ``run_multiple_lems_with`` gives for each file: called, it waits for the run and gives its value."""

    def __init__(self, future: Any) -> None:
        self._future = future

    def __call__(self) -> Any:
        return self._future.result()

    @property
    def finished(self) -> bool:
        return bool(self._future.done())


def run_multiple_lems_with(num_parallel: int | None, sims_spec: dict[Any, Any]) -> dict[Any, Any]:
    """What ``pyneuroml.runners.run_multiple_lems_with`` does: on threads of this process.

    Returns
    -------
    dict
        A callable for each file that gives what the run gave.
    """
    from concurrent.futures import ThreadPoolExecutor

    runners = importlib.import_module("pyneuroml.runners")
    if any(spec.get("engine") != "jneuroml" for spec in sims_spec.values()):
        return _saved["pyneuroml.runners", "run_multiple_lems_with"](num_parallel, sims_spec)  # type: ignore[no-any-return]

    def run(file: Any, spec: dict[str, Any]) -> Any:
        try:
            return runners.run_lems_with_jneuroml(file, *spec.get("args", ()), **spec.get("kwargs", {}))
        except SystemExit:
            # Of several runs one that fails ends only itself.
            return False

    with ThreadPoolExecutor(num_parallel or os.cpu_count() or 1) as pool:
        return {file: _Job(pool.submit(run, file, spec)) for file, spec in sims_spec.items()}


def install() -> None:
    """Makes pyNeuroML run LEMS files and validate NeuroML files in this process.

    Raises
    ------
    ImportError
        pyNeuroML is not installed.
    """
    for place in _PLACES:
        try:
            module = importlib.import_module(place)
        except ImportError:
            if place == "pyneuroml.runners":
                raise
            continue
        for name in _NAMES:
            current = getattr(module, name, None)
            replacement = globals()[name]
            if current is not None and current is not replacement:
                _saved[place, name] = current
                setattr(module, name, replacement)


def uninstall() -> None:
    """Gives pyNeuroML its own functions back."""
    for (place, name), original in _saved.items():
        setattr(sys.modules[place], name, original)
    _saved.clear()


def is_installed() -> bool:
    """Whether pyNeuroML runs in this process."""
    return bool(_saved)
