"""Scripts of pyNeuroML without Java.

>>> import jlems.compat.pyneuroml
>>> jlems.compat.pyneuroml.install()

From then on pyNeuroML's functions that call jNeuroML run in this process: ``run_lems_with_jneuroml``,
``run_lems_with_jneuroml_neuron``, ``run_multiple_lems_with``, ``validate_neuroml2``, the analyses of cells and channels,
and so do the exports to NEURON and NetPyNE, pictures and graphs. Other exports and conversions still call Java.
``uninstall()`` puts everything back. ``python -m jlems.pynml`` is the program ``pynml`` with it.
"""

from __future__ import annotations

import importlib
import logging
import os
import shlex
import shutil
import subprocess
import sys
from typing import Any, Callable, NamedTuple

from .. import _jlems
from .._functions import validate
from .._objects import Model
from .._problems import JlemsError, MissingFileError, Problem
from .._simulation import write_model
from .._values import folder_list, path_text
from .._version import __version__

logger = logging.getLogger("jlems")

VERSION = f"jlems-rs v{__version__} (as jnml; results of jNeuroML 0.14.0)\n"
FINISHED = "Finished reading, building, running and displaying LEMS model\n"
NOT_HERE = "exports and conversions need jNeuroML, which needs Java"
# Simulators that jNeuroML exports a model for, and then starts. Here the engine runs the model itself.
SIMULATORS = ("-neuron", "-netpyne")
# Pictures and graphs of a model, which are made here.
PICTURES = ("-svg", "-png", "-graph", "-lems-graph")

# Functions of `pyneuroml.runners` that are replaced, there and where they were imported by name.
_NAMES = ("run_jneuroml", "run_jneuroml_with_realtime_output", "run_multiple_lems_with")
_originals: dict[str, Callable[..., Any]] = {}
# Those of `SIMULATORS` whose runs are made here.
_simulators: tuple[str, ...] = SIMULATORS
# Functions of pyNeuroML that call `run_jneuroml` for a run.
_IN_PROCESS = ("run_lems_with_jneuroml", "run_lems_with_jneuroml_neuron", "run_lems_with_jneuroml_netpyne")


class Outcome(NamedTuple):
    """What a command did: its exit status, and what it says."""

    status: int
    output: str


def jnml(words: list[str], folder: str | os.PathLike[str] = ".") -> Outcome | None:
    """Does what a command line of jNeuroML says, in a folder; None if it is not done here.

    Parameters
    ----------
    words : list of str
        The words after ``jnml``: ``FILE -nogui``, ``-norun``, ``-I FOLDERS``, ``-outputdir FOLDER``,
        ``-neuron``, ``-neuron -run``, ``-netpyne``, ``-netpyne -run``, ``-svg``, ``-png``, ``-graph``, ``-lems-graph``,
        ``-validate FILES``, ``-v``.
    folder : path
        Where relative paths start.
    """
    folder = os.fspath(folder)
    if not os.path.isdir(folder):
        return Outcome(1, f"{folder}: there is no such folder\n")
    if words and words[0] in ("-v", "-version", "--version"):
        return Outcome(0, VERSION)
    if words and words[0] == "-validate" and len(words) > 1:
        return _validated([os.path.join(folder, word) for word in words[1:]])
    if any(word in PICTURES for word in words):
        return _by_program(words, folder)
    command = _command(words, folder)
    if command is None:
        return None
    if command.simulator is not None and not command.runs:
        return _by_program(words, folder)
    return _run(command)


class _Command(NamedTuple):
    """What the words of a run or an export mean."""

    file: str
    include: list[str]
    output: str
    runs: bool
    # The simulator that jNeuroML would export the model for, if it is not jLEMS.
    simulator: str | None


def _command(words: list[str], folder: str) -> _Command | None:
    file, include, output, runs = None, list[str](), folder, True
    simulator, is_export = None, True
    rest = iter(words)
    for word in rest:
        if word in ("-nogui", "-compile", "-json"):
            continue
        if word == "-norun":
            runs = False
        elif word == "-run":
            is_export = False
        elif word == "-np":
            # Processors: every number of threads gives the same results.
            next(rest, "")
        elif word in _simulators and simulator is None:
            simulator = word
        elif word == "-I":
            paths = next(rest, "").split(os.pathsep)
            include += [os.path.join(folder, path) for path in paths if path]
        elif word == "-outputdir":
            output = os.path.join(folder, next(rest, ""))
        elif word.startswith("-") or file is not None:
            return None
        else:
            file = word
    if file is None or (simulator is None and not is_export):
        return None
    if simulator is not None:
        runs = not is_export
    return _Command(os.path.join(folder, file), include, output, runs, simulator)


def _run(command: _Command) -> Outcome:
    try:
        source = _jlems.Source(path_text(command.file), {}, folder_list(command.include))
        model = Model(source, _check=False)
        if not command.runs:
            model.simulation()
            return Outcome(0, VERSION)
        summary = write_model(model, command.output)
    except JlemsError as error:
        return Outcome(1, f"{VERSION}{error}\n")
    said = [Problem(*one) for one in summary["warnings"]]
    texts = [one.rendered + "\n" for one in said if one.shown]
    texts += [f"wrote {os.path.join(command.output, name)}\n" for name in summary["files"]]
    return Outcome(0, VERSION + "".join(texts) + FINISHED)


def _by_program(words: list[str], folder: str) -> Outcome:
    """Exports a model or draws it, by the program."""
    program = [sys.executable, "-m", "jlems", "jnml", *words]
    done = subprocess.run(program, cwd=folder or ".", capture_output=True, text=True)
    return Outcome(done.returncode, done.stdout + done.stderr)


def _validated(files: list[str]) -> Outcome:
    texts, invalid = [], 0
    for file in files:
        if _is_lems(file):
            texts.append(f"{file}: not valid: it is a LEMS file, and only NeuroML files are validated\n")
            invalid += 1
            continue
        try:
            report = validate(file)
        except MissingFileError as error:
            texts.append(f"{file}: not valid\n\n{error}\n")
            invalid += 1
            continue
        except JlemsError as error:
            return Outcome(1, f"{error}\n")
        texts.append(f"{report}\n")
        if report:
            texts.append("Valid against schema and all tests\n")
        invalid += not report
    # Scripts look for these words of jNeuroML.
    texts.append(f"{len(files)} validated: {len(files) - invalid} passed, {invalid} failed\n")
    return Outcome(1 if invalid else 0, "".join(texts))


def _is_lems(file: str) -> bool:
    from xml.etree import ElementTree

    try:
        for _, element in ElementTree.iterparse(file, events=("start",)):
            tag: str = element.tag
            return tag.rpartition("}")[2].lower() == "lems"
    except (OSError, ElementTree.ParseError):
        pass  # The validation tells.
    return False


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
    original = _originals.get(name)
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
    if not all(_function_of(spec.get("engine")) for spec in sims_spec.values()):
        return _originals["run_multiple_lems_with"](num_parallel, sims_spec)  # type: ignore[no-any-return]

    def run(file: Any, spec: dict[str, Any]) -> Any:
        function = getattr(runners, str(_function_of(spec["engine"])))
        try:
            return function(file, *spec.get("args", ()), **spec.get("kwargs", {}))
        except SystemExit:
            # Of several runs one that fails ends only itself.
            return False

    with ThreadPoolExecutor(num_parallel or os.cpu_count() or 1) as pool:
        return {file: _Job(pool.submit(run, file, spec)) for file, spec in sims_spec.items()}


def _function_of(engine: Any) -> str | None:
    """The function that an engine stands for, by the end of its name as in pyNeuroML, if it runs in this process."""
    names = (name for name in _IN_PROCESS if isinstance(engine, str) and engine and name.endswith(engine))
    return next(names, None)


def install(simulators: bool = True) -> None:
    """Makes pyNeuroML run LEMS files and validate NeuroML files in this process.

    Parameters
    ----------
    simulators : bool
        Whether runs with NEURON and NetPyNE are made here, too: ``run_lems_with_jneuroml_neuron``,
        ``run_lems_with_jneuroml_netpyne``. With False they call Java and these simulators as before.

    Raises
    ------
    ImportError
        pyNeuroML is not installed.
    """
    global _simulators
    _simulators = SIMULATORS if simulators else ()
    runners = importlib.import_module("pyneuroml.runners")
    for name in _NAMES:
        current, replacement = getattr(runners, name, None), globals()[name]
        if current is not None and current is not replacement:
            _originals[name] = current
            replace(name, current, replacement)
    _install_in_workers()


def uninstall() -> None:
    """Gives pyNeuroML its own functions back."""
    for name, original in _originals.items():
        if name in _NAMES:
            replace(name, globals()[name], original)
    if "submit" in _originals:
        importlib.import_module("ppft").Server.submit = _originals["submit"]
    _originals.clear()


def is_installed() -> bool:
    """Whether pyNeuroML runs in this process."""
    return bool(_originals)


def _install_in_workers() -> None:
    """Lets the processes of ppft, in which pyNeuroML makes the runs of a fit, do the same."""
    try:
        server = importlib.import_module("ppft").Server
    except ImportError:
        return
    if "submit" in _originals:
        return
    submit = _originals["submit"] = server.submit

    def submit_with_install(
        self: Any, func: Any, args: Any = (), depfuncs: Any = (), modules: tuple[str, ...] = (), *more: Any, **named: Any
    ) -> Any:
        names = (*modules, getattr(func, "__module__", None) or "")
        if any(name.split(".")[0] == "pyneuroml" for name in names):
            # A worker executes a text that begins with `from` as it stands.
            modules = (*modules, f"from {__name__} import install; install({bool(_simulators)})")
        return submit(self, func, args, depfuncs, modules, *more, **named)

    server.submit = submit_with_install


def replace(name: str, old: Any, new: Any) -> None:
    """Replaces a function in all modules that have it; those that are imported later take it from the first."""
    for module in list(sys.modules.values()):
        if module is not sys.modules[__name__] and getattr(module, "__dict__", {}).get(name) is old:
            setattr(module, name, new)
