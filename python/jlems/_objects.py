"""The classes that make one another: :class:`Model`, :class:`Simulation` and :class:`Sweep`."""

from __future__ import annotations

import os
from typing import Any, Callable, Iterable, Mapping

from . import _jlems
from ._model import LoadedModel, loaded
from ._problems import UsageError
from ._result import Result
from ._simulation import CompiledModel, Progress
from ._sweep import Points, SweepFile, part
from ._values import folder_list, no_others, path_text

_OF_MODEL = (
    "set", "step", "length", "target", "temperature", "include", "limits", "base", "name", "files",
)  # fmt: skip
_OF_SIMULATION = ("record", "spikes", "every", "threads", "fast", "backend", "strict")
# What `Simulation` takes besides the model.
_OF_CONSTRUCTOR = tuple(CompiledModel.__init__.__kwdefaults__ or ())


class Model(LoadedModel):
    """A LEMS or NeuroML model. Make one by :func:`load`, :func:`loads`, :func:`from_neuroml`.

    A model does not change: :meth:`with_` gives another one. It keeps the texts that it was read from, so
    it stays the same when its files change, and can be pickled.
    """

    __slots__ = ()

    def simulation(self, **choices: Any) -> Simulation:
        """Builds and compiles the run of the model. See :class:`Simulation` for the arguments."""
        for name in ("set", "step", "length"):
            if name in choices:
                raise TypeError(
                    f"simulation() has no argument `{name}`: `model.with_({name}=...).simulation()` does it"
                )
        no_others("simulation", choices, _OF_CONSTRUCTOR)
        return Simulation(self, **choices)

    def run(self, **choices: Any) -> Result:
        """Runs the model: ``self.simulation(...).run(...)``. See :func:`jlems.run`."""
        return run_model(self, changed, **choices)


class Simulation(CompiledModel):
    """A run of a model that is built and compiled.

    Parameters
    ----------
    model : Model
    record : path or list of paths, optional
        What to record: ``"pop[0]/v"``, or ``"pop[*]/v"`` for all members of a population. Without it, the
        output files and displays of the model say it; of a NeuroML file, the potential of the first cell of
        each population is recorded, if ``spikes`` says nothing either.
    spikes : population or list of populations, optional
        Whose spikes to record; ``"*"`` stands for all. Without it, the event files of the model say it; of a
        NeuroML file, all spikes are recorded, if ``record`` says nothing either.
    every : int
        With 10, only every tenth row is recorded, beginning with the first.
    seed : int, optional
        Seed of the random generator, instead of the model's.
    threads : int, optional
        Threads that share the steps of large networks; as many as there are processors if not given. Results
        are the same for every number.
    fast : bool
        Whether results may have other rounding errors than jLEMS's.
    backend : {"jit", "interpreter"}
        What runs the equations: machine code, or an interpreter that is slow and gives the same results.
    strict : bool
        Whether mistakes that jLEMS accepts are errors.
    free : str or list of str, optional
        Parameters whose values change later, such as ``"cell/C"``: runs with other values of them
        (``run(set=...)``) need no new machine code, and a :class:`Running` takes them between steps.
    inlets : path or list of paths, optional
        Ports of cells and synapses that :meth:`Running.send` sends events into: ``"pop[0]/synapse/in"``, or
        ``"pop[*]/in"`` for all members of a population. Results are the same with them and without.

    Raises
    ------
    ModelError
        Paths, names and ports that lead nowhere, of the model or of ``inlets``; nothing to run.
    UsageError
        ``record`` or ``spikes`` lead nowhere.
    LimitError
        The network or its recorded values need more than the limits of the model allow.
    """

    __slots__ = ()

    model: Model
    """The model."""

    def sweep(
        self,
        table: Any,
        *,
        zip: bool = False,
        seeds: Iterable[int] | None = None,
        parameters: Iterable[str] | Mapping[str, str] | None = None,
    ) -> Sweep:
        """Runs with many values: see :class:`Sweep`.

        Parameters
        ----------
        table : dict, list of dicts, DataFrame, or rows of numbers
            Values by path. Of a dict all combinations are run, the last path fastest. Rows are what
            ``parameters`` says.
        zip : bool
            Whether values at the same place belong together, instead of all combinations.
        seeds : iterable of int, optional
            Every point is run with each of these seeds.
        parameters : list of str, or dict of str
            Paths that the numbers of each row belong to, for candidates of an optimiser: a list of lists, or an
            array with a row for each candidate. A dict has the units of the numbers, which are SI units without it.

        Examples
        --------
        >>> candidates = [[90, 2.5], [110, 4]]
        >>> simulation.sweep(candidates, parameters={"cell/C": "pF", "synapse/gbase": "nS"}).run()
        """
        return Sweep(self, table, zip=zip, seeds=seeds, parameters=parameters)


class Sweep(Points[Simulation]):
    """Points to run, each with values of its own. Make one by :meth:`Simulation.sweep` or :meth:`from_toml`.

    Examples
    --------
    >>> sweep = simulation.sweep({"syn0/gbase": [f"{g} nS" for g in range(20, 90)]})
    >>> outcome = sweep.run(reduce=lambda result: result.spikes["IzPop1"].count)
    >>> outcome.values
    [...]
    """

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Sweep:
        """The sweep that a file specifies, as the command ``jlems-rs sweep`` reads it.

        :meth:`run` keeps results in memory, and the ``features`` of the file. :meth:`to_parquet` writes the files of the
        command. A sweep that goes to another process reads the file again there.

        Raises
        ------
        UsageError, FileError
            What makes no sense in the file, or cannot be read.

        Examples
        --------
        >>> sweep = jlems.Sweep.from_toml("gbase.toml")
        >>> len(sweep), sweep.points[0]
        (40, {'excitation/gbase': '2 nS', 'regularSpiking/C': '90 pF', 'seed': 1})
        """
        file = SweepFile(path_text(path), _simulation_of)
        return part(cls, None, file.points, file)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._file is not None:
            return (Sweep.from_toml, (os.path.abspath(self._file.path),))
        return super().__reduce__()


def _simulation_of(specified: _jlems.Specified) -> Simulation:
    include, step, length = specified.settings
    record, spikes = specified.recorded
    source = _jlems.Source(specified.model, {}, folder_list(include))
    model = loaded(Model, source, None, step, length)
    if not record and not spikes:
        return model.simulation()
    return model.simulation(record=record, spikes=spikes)


def changed(model: Model, **choices: Any) -> Model:
    """The model with other values; refuses what only reading a model takes."""
    changes = {k: choices.pop(k) for k in ("set", "step", "length") if choices.get(k) is not None}
    left = sorted(name for name, value in choices.items() if value)
    if left:
        raise UsageError(f"a model that is loaded takes no `{left[0]}`")
    return model.with_(**changes) if changes else model


def run_model(
    source: Any,
    model_of: Callable[..., Model],
    /,
    *,
    write: bool | str | os.PathLike[str] = False,
    progress: bool | Callable[[Progress], Any] | None = None,
    seed: int | None = None,
    **choices: Any,
) -> Result:
    """What :func:`jlems.run` does with a model of its source, which ``model_of`` makes."""
    no_others("run", choices, (*_OF_SIMULATION, *_OF_MODEL, "write", "progress", "seed"))
    of_simulation = {name: choices.pop(name) for name in _OF_SIMULATION if name in choices}
    model = model_of(source, **choices)
    simulation = Simulation(model, seed=seed, **of_simulation)
    result = simulation.run(progress=progress)
    if write is not False:
        result.to_files("." if write is True else write)
    return result
