"""The interface that BioSimulators asks of a simulator: SED-ML tasks and COMBINE archives with LEMS models.

>>> from jlems.compat.biosimulators import exec_sedml_docs_in_combine_archive
>>> results, log = exec_sedml_docs_in_combine_archive("model.omex", "results")

``python -m jlems.compat.biosimulators -i model.omex -o results`` is the same as a program. It needs the package
``biosimulators-utils``. As for the other simulators of NeuroML there, a variable's target is a path in the network, such as
``pop[0]/v``, and the simulation of the task gives length and step.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

from .._load import load
from .._objects import Simulation
from .._problems import UsageError
from .._version import __version__

NAME = "jlems-rs"
# Euler's method, which LEMS models are run by.
EULER = "KISAO_0000030"
TIME = "urn:sedml:symbol:time"


class Prepared(NamedTuple):
    """A task that is compiled."""

    simulation: Simulation
    rows: int
    """How many of the last rows are wanted."""


def exec_sedml_docs_in_combine_archive(archive_filename: str, out_dir: str, config: Any = None) -> tuple[Any, Any]:
    """Runs the SED-ML documents of a COMBINE archive, and writes their reports.

    Returns
    -------
    tuple
        Results of the documents, and the log.
    """
    from biosimulators_utils.combine.exec import exec_sedml_docs_in_archive  # type: ignore[import-not-found,unused-ignore]

    found: tuple[Any, Any] = exec_sedml_docs_in_archive(
        exec_sed_doc, archive_filename, out_dir, apply_xml_model_changes=True, config=config
    )
    return found


def exec_sed_doc(doc: Any, working_dir: str, base_out_path: str, rel_out_path: Any = None, **options: Any) -> Any:
    """Runs the tasks of a SED-ML document, and writes its reports."""
    from biosimulators_utils.sedml.exec import exec_sed_doc as execute  # type: ignore[import-not-found,unused-ignore]

    options.setdefault("apply_xml_model_changes", True)
    run = functools.partial(exec_sed_task, config=options.get("config"))
    return execute(run, doc, working_dir, base_out_path, rel_out_path, **options)


def preprocess_sed_task(task: Any, variables: Any, config: Any = None) -> Prepared:
    """Compiles a task, to run it as often as one likes.

    Raises
    ------
    UsageError
        The task is not a uniform time course from zero by Euler's method, or a variable is neither the time nor a
        path.
    ModelError
        The model is wrong, or a path leads nowhere.
    """
    course = task.simulation
    if type(course).__name__ != "UniformTimeCourseSimulation":
        raise UsageError(f"task `{task.id}`: only a uniform time course can be run, not {type(course).__name__}")
    if course.initial_time != 0:
        raise UsageError(f"task `{task.id}`: the initial time is {course.initial_time}; only 0 is possible")
    if course.algorithm.kisao_id != EULER:
        raise UsageError(f"task `{task.id}`: {course.algorithm.kisao_id} is not here; there is {EULER}, Euler's method")
    if course.algorithm.changes:
        raise UsageError(f"task `{task.id}`: the algorithm has no parameters")
    for variable in variables:
        if variable.symbol not in (None, TIME) or not (variable.symbol or variable.target):
            raise UsageError(f"variable `{variable.id}` is neither the time nor a path")
    step = (course.output_end_time - course.output_start_time) / course.number_of_steps
    model = load(task.model.source, step=step, length=course.output_end_time)
    targets = list(dict.fromkeys(variable.target for variable in variables if variable.target))
    return Prepared(model.simulation(record=targets, spikes=[]), course.number_of_steps + 1)


def exec_sed_task(
    task: Any, variables: Any, preprocessed_task: Prepared | None = None, log: Any = None, config: Any = None
) -> tuple[Any, Any]:
    """Runs a task.

    Returns
    -------
    tuple
        Arrays of the variables, in SI units, shape ``(number_of_steps + 1,)`` each, and the log of the task.
    """
    from biosimulators_utils.log.data_model import TaskLog  # type: ignore[import-not-found,unused-ignore]
    from biosimulators_utils.report.data_model import VariableResults  # type: ignore[import-not-found,unused-ignore]

    prepared = preprocessed_task or preprocess_sed_task(task, variables, config)
    result = prepared.simulation.run()
    results = VariableResults()
    for variable in variables:
        values = result.t if variable.symbol else result[variable.target].values
        results[variable.id] = values[-prepared.rows :]
    log = log or TaskLog()
    log.algorithm = EULER
    log.simulator_details = {"package": NAME, "version": __version__, "steps": result.summary.steps}
    return results, log


def main() -> None:
    """The program that BioSimulators calls."""
    from biosimulators_utils.simulator.cli import build_cli  # type: ignore[import-not-found,unused-ignore]

    url = "https://github.com/jlems-rs/jlems-rs"
    app = build_cli(NAME, __version__, NAME, __version__, url, exec_sedml_docs_in_combine_archive)
    with app(label="app") as program:
        program.run()


if __name__ == "__main__":
    main()
