"""Many runs of one model with other values."""

from __future__ import annotations

import itertools
import os
from typing import Any, Callable, Generic, Iterable, Iterator, Mapping, NamedTuple, Sequence, TypeVar, overload

from . import _jlems
from ._optional import needed
from ._pages import table as html_table
from ._problems import Problem, UsageError, warn
from ._result import Layout, Result
from ._simulation import CompiledModel, layout_of
from ._values import count, path_text, paths, shown, word

Compiled = TypeVar("Compiled", bound=CompiledModel)
AnyPoints = TypeVar("AnyPoints", bound="Points[Any]")


class Points(Generic[Compiled]):
    """What :class:`Sweep` does with its points."""

    def __init__(
        self,
        simulation: Compiled,
        table: Any,
        *,
        zip: bool = False,
        seeds: Iterable[int] | None = None,
        parameters: Iterable[str] | Mapping[str, str] | None = None,
    ) -> None:
        if not isinstance(simulation, CompiledModel):
            raise UsageError(f"a Simulation is needed, not {shown(simulation)}")
        self._simulation: Compiled | None = simulation
        self._file: SweepFile[Compiled] | None = None
        self.axes: dict[str, list[Any]] | None = None
        if parameters is not None:
            table = _rows(table, parameters)
        points = self._points(table, zip)
        if seeds is not None:
            try:
                numbers = [count(seed, "seeds", -(2**63)) for seed in seeds]
            except TypeError:
                raise UsageError(f"seeds: a list of whole numbers is needed, not {shown(seeds)}") from None
            if any("seed" in point for point in points):
                raise UsageError("sweep: the table has seeds already, so `seeds` cannot give others")
            points = [{**point, "seed": seed} for point in points for seed in numbers]
            if self.axes is not None:
                self.axes["seed"] = list(numbers)
        self.points = points

    points: Sequence[dict[str, Any]]
    """The values of each point; ``"seed"`` is its seed."""

    @property
    def simulation(self) -> Compiled:
        """What is run with the values of the points."""
        if self._simulation is None and self._file is not None:
            self._simulation = self._file.compiled()
        assert self._simulation is not None
        return self._simulation

    def _points(self, table: Any, together: bool) -> list[dict[str, Any]]:
        if hasattr(table, "to_dict") and hasattr(table, "columns"):  # pandas
            _once(table.columns)
            return [dict(row) for row in table.to_dict("records")]
        if isinstance(table, Mapping):
            columns = {}
            for path, values in table.items():
                if isinstance(values, str) or not hasattr(values, "__iter__"):
                    raise UsageError(f"sweep: {path}: a list of values is needed, not {shown(values)}")
                columns[path] = list(values)
            if together:
                lengths = {len(values) for values in columns.values()}
                if len(lengths) > 1:
                    raise UsageError("sweep: lists that belong together have the same length")
                rows = list(zip(*columns.values()))
            else:
                self.axes = columns
                rows = list(itertools.product(*columns.values()))
            return [dict(zip(columns, row)) for row in rows]
        try:
            pairs = [list(point.items()) if isinstance(point, Mapping) else list(point) for point in table]
            points = [dict(point) for point in pairs]
        except (TypeError, ValueError):
            raise UsageError("sweep: a dict, a list of dicts or a DataFrame is needed") from None
        for point, found in zip(points, pairs):
            if len(point) < len(found):
                _once(name for name, _ in found)
        return points

    def __len__(self) -> int:
        return len(self.points)

    def run(
        self,
        *,
        threads: int | None = None,
        reduce: Callable[[Result], Any] | None = None,
        progress: bool | Callable[[int, int], Any] | None = None,
        errors: str = "raise",
    ) -> SweepOutcome:
        """Runs all points on threads, outside of Python's lock.

        Parameters
        ----------
        threads : int, optional
            As many as there are processors if not given. Each run is on one thread; results are the same for
            every number of threads.
        reduce : callable, optional
            What to keep of each result: a number, an array, or a dict of several. It is called in the order of the
            points, as their runs end. Without it the results are kept. What it raises ends the sweep. The ``features`` of
            a sweep of a file are kept in any case, as ``features`` of the outcome.
        progress : bool or callable, optional
            True for a bar. A callable gets how many points are done and how many there are; the sweep ends
            early if it returns something true.
        errors : {"raise", "keep"}
            Whether a point that fails ends the sweep, or its exception takes the place of its value.

        Returns
        -------
        SweepOutcome

        Raises
        ------
        KeyboardInterrupt
            Ctrl-C, within 0.1 s.
        ModelError, RunError, LimitError
            A point that fails, if ``errors`` is ``"raise"``.

        ``outcome`` of these exceptions, and of those that ``reduce`` raises, has the values of the points before.
        """
        if reduce is not None and not callable(reduce):
            raise UsageError(f"reduce: a callable is needed, not {shown(reduce)}")
        if errors not in ("raise", "keep"):
            raise UsageError(f"errors: {shown(errors)} is not allowed; there are \"raise\" and \"keep\"")
        values: list[Any] = []
        file = self._file
        features: list[dict[str, float | None]] | None = None
        if file is not None and file.features:
            file.check(self.simulation._layout)
            features = []
        failed: list[BaseException] = []
        bar = _Bar(progress, len(self.points))
        told = self.simulation.warnings

        def take(number: int, result: Result | None, error: BaseException | None) -> bool:
            if error is None and result is not None:
                new = [one for one in result.summary.warnings if one not in told]
                told.extend(new)
                numbers = None if file is None or features is None else file.features_of(result)
                values.append(result if reduce is None else reduce(result))
                if features is not None and numbers is not None:
                    features.append(numbers)
                # A filter may make an exception of it.
                warn(new)
            elif errors == "keep":
                values.append(error)
                if features is not None:
                    features.append({})
            elif error is not None:
                point = ", ".join(f"{k}={v}" for k, v in self.points[number].items())
                if hasattr(error, "add_note"):
                    error.add_note(f"in point {number} of the sweep: {point}")
                failed.append(error)
                return False
            return not bar.tell(number + 1)

        try:
            self._deliver(threads, take)
            if failed:
                raise failed[0]
        except BaseException as error:
            error.outcome = SweepOutcome(self, values, features)  # type: ignore[attr-defined]
            raise
        finally:
            bar.close()
        return SweepOutcome(self, values, features)

    def iter(self, *, threads: int | None = None) -> Iterator[tuple[dict[str, Any], Result]]:
        """Pairs of points and their results, some points at a time, so that few results are in memory."""
        number = _threads(threads)
        for start in range(0, len(self.points), 4 * number):
            some = part(type(self), self.simulation, self.points[start : start + 4 * number])
            yield from zip(some.points, some.run(threads=threads).values)

    def to_parquet(
        self,
        folder: str | os.PathLike[str],
        *,
        threads: int | None = None,
        shard: tuple[int, int] | str | None = None,
        fast: bool = False,
        progress: bool | Callable[[int, int], Any] | None = None,
    ) -> Written:
        """Runs the points of a sweep :meth:`from_toml` that are missing in a folder, and writes Parquet files: the
        same bytes as the command ``jlems-rs sweep`` writes. Each can go on with what the other has begun.

        Parameters
        ----------
        folder : path
            It is made if it is not there.
        threads : int, optional
            As many as there are processors if not given. The files are the same for every number.
        shard : (int, int) or str, optional
            Which of how many shares to run, as in ``(3, 64)`` or ``"3/64"``, from 0; ``"job"`` is the number of the
            task in a job array of Slurm, LSF or Grid Engine. Several processes may write to one folder.
        fast : bool
            Whether results may have other rounding errors than jLEMS's.
        progress : bool or callable, optional
            As for :meth:`run`.

        Returns
        -------
        Written
            How many points were run, and how many of them failed. A point that fails is a row with its error.

        Raises
        ------
        ModelError, UsageError, FileError, LimitError
            Those of the model and of its first point; a folder of another sweep; files that cannot be written.
        KeyboardInterrupt
            Ctrl-C. What is written stays, and the same call goes on.
        """
        if self._file is None:
            raise UsageError("to_parquet is for sweeps of a file; here there is `run().to_pandas()`")
        bar = _Bar(progress, None)
        try:
            written = self._file.specified.run(
                path_text(folder, "folder"), _threads(threads), _shard(shard), bool(fast), bar.show
            )
        finally:
            bar.close()
        return Written(*written)

    def _deliver(
        self,
        threads: int | None,
        take: Callable[[int, Result | None, BaseException | None], bool],
    ) -> None:
        simulation = self.simulation
        points = []
        for point in self.points:
            values = {path: value for path, value in point.items() if path != "seed"}
            seed = point.get("seed")
            points.append((simulation.model._settings(values), None if seed is None else _seed(seed)))
        known = simulation._layout

        def receive(number: int, engine: Any, numbers: Any, error: Any) -> bool:
            if engine is None:
                return take(number, None, error)
            layout = known
            if engine.columns != known.columns or len(engine.events) != len(known.events):
                layout = layout_of(engine, simulation.model)
            warnings = [Problem(*one) for one in engine.warnings]
            result = Result(layout, numbers, engine.instances, warnings)
            return take(number, result if result.error is None else None, result.error)

        _jlems.sweep(
            simulation.model._source, simulation._choices, points, _threads(threads), receive
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return (part, (type(self), self._simulation, self.points, None, self.axes))

    def __repr__(self) -> str:
        return f"<jlems.Sweep of {len(self.points)} points>"


def part(
    kind: type[AnyPoints],
    simulation: CompiledModel | None,
    points: Sequence[dict[str, Any]],
    file: SweepFile[Any] | None = None,
    axes: dict[str, list[Any]] | None = None,
) -> AnyPoints:
    """A sweep of points that need no more checks."""
    sweep = kind.__new__(kind)
    sweep._simulation, sweep._file, sweep.points, sweep.axes = simulation, file, points, axes
    return sweep


class Written(NamedTuple):
    """What :meth:`Sweep.to_parquet` has done."""

    runs: int
    """Points that were run."""
    failed: int
    """Points that failed among them."""


class SweepFile(Generic[Compiled]):
    """The file that specifies a sweep, and what makes a simulation of it."""

    def __init__(self, path: str, compile: Callable[[_jlems.Specified], Compiled]) -> None:
        self._compile = compile
        self.path = path
        self.specified = _jlems.Specified(path)
        self.points = _Points(self.specified)

    @property
    def features(self) -> list[tuple[str, bool, str]]:
        """The numbers that are kept of each run: name, whether it is about spikes, and what it is of."""
        return self.specified.features

    def check(self, layout: Layout) -> None:
        """Checks that each feature is of one thing that is recorded."""
        populations = {name for file in layout.events for name in file.populations}
        for name, is_of_spikes, subject in self.features:
            if subject not in (populations if is_of_spikes else layout.columns):
                raise UsageError(
                    f"`{name}` is not about one thing that the model records; name one quantity, such as `pop[0]/v`, or "
                    "one population"
                )

    def features_of(self, result: Result) -> dict[str, float | None]:
        """The features of a run; None for those that it does not have, such as the first of no spikes."""
        found: dict[str, float | None] = {}
        for number, (name, is_of_spikes, subject) in enumerate(self.features):
            if is_of_spikes:
                spikes = result.spikes[subject]
                found[name] = self.specified.of_spikes(number, spikes.times, spikes.n, result.summary.time)
            else:
                found[name] = self.specified.of_trace(number, result[subject].values)
        return found

    def compiled(self) -> Compiled:
        """The simulation whose values the points change."""
        return self._compile(self.specified)


class _Points(Sequence[dict[str, Any]]):
    """The points of a specification, which may be more than there is memory for."""

    def __init__(self, specified: _jlems.Specified) -> None:
        self._specified = specified

    def __len__(self) -> int:
        return len(self._specified)

    @overload
    def __getitem__(self, place: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, place: slice) -> list[dict[str, Any]]: ...
    def __getitem__(self, place: int | slice) -> dict[str, Any] | list[dict[str, Any]]:
        numbers = range(len(self))[place]
        return self._point(numbers) if isinstance(numbers, int) else [self._point(n) for n in numbers]

    def _point(self, number: int) -> dict[str, Any]:
        values, seed = self._specified.point(number)
        return dict(values) if seed is None else {**dict(values), "seed": seed}

    def __repr__(self) -> str:
        return f"<{len(self)} points>"


def _once(names: Iterable[Any]) -> None:
    """Refuses names that occur twice: a point would lose all values but the last."""
    seen = set()
    for name in names:
        if name in seen:
            raise UsageError(f"sweep: {shown(name)} is there twice")
        seen.add(name)


def _rows(table: Any, parameters: Iterable[str] | Mapping[str, str]) -> list[dict[str, Any]]:
    """Points of rows of numbers, as optimisers have them."""
    units = None
    if isinstance(parameters, Mapping):
        units = [word(unit, f"parameters: {shown(name)}") for name, unit in parameters.items()]
    names = paths(parameters, "parameters") or []
    _once(names)
    if isinstance(table, Mapping) or hasattr(table, "columns"):
        raise UsageError("sweep: `parameters` are for rows of numbers; this table has names of its own")
    try:
        rows = list(table)
    except TypeError:
        raise UsageError(f"sweep: rows of {len(names)} numbers are needed, not {shown(table)}") from None
    points = []
    for row in rows:
        try:
            values = [float(value) for value in row]
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"sweep: rows of {len(names)} numbers are needed, not {shown(row)}") from None
        if len(values) != len(names):
            raise UsageError(f"sweep: a row has {len(values)} values, and there are {len(names)} parameters")
        texts = values if units is None else [f"{value!r} {unit}" for value, unit in zip(values, units)]
        points.append(dict(zip(names, texts)))
    return points


def _seed(seed: Any) -> int:
    """The seed of a point; a DataFrame may hold it as a float."""
    if isinstance(seed, float) and seed.is_integer():
        seed = int(seed)
    return count(seed, "seed", -(2**63))


def _shard(shard: tuple[int, int] | str | None) -> str | None:
    """A shard as the engine takes it: None is that of the job."""
    if shard is None:
        return "0/1"
    if isinstance(shard, str):
        return None if shard == "job" else word(shard, "shard")
    try:
        number, of = shard
    except (TypeError, ValueError):
        raise UsageError(f"shard: {shown(shard)} is not a number and how many there are, as in (3, 64)") from None
    return f"{count(number, 'shard', 0)}/{count(of, 'shard')}"


class SweepOutcome:
    """The values of a sweep, in the order of its points."""

    def __init__(
        self, sweep: Points[Any], values: list[Any], features: list[dict[str, float | None]] | None = None
    ) -> None:
        self.points = sweep.points[: len(values)]
        """The points that were run."""
        self.values = values
        """What was kept of each."""
        self.features = [{} for _ in values] if features is None else features[: len(values)]
        """The ``features`` of the specification for each, by name, in SI units: None for one that the run does not have.
        No features of a point that failed, or of a sweep that no file specifies."""
        self._axes = sweep.axes if len(values) == len(sweep.points) else None

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, number: int) -> Any:
        return self.values[number]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def to_array(self) -> Any:
        """The values as an array, with an axis for each path if all combinations were run. Without ``reduce`` it is an
        array of objects: the results."""
        import numpy as np

        if any(isinstance(value, Result) for value in self.values):
            values = np.empty(len(self.values), dtype=object)
            values[:] = self.values
        else:
            values = np.asarray(self.values)
        if self._axes is None:
            return values
        shape = [len(axis) for axis in self._axes.values()]
        return values.reshape([*shape, *values.shape[1:]])

    def to_pandas(self) -> Any:
        """A DataFrame with a row for each point: its values, and ``value``; or a column for each key if ``reduce`` gives
        dicts. The exception of a point that failed is in the column ``value``, too. ``features`` are further columns.

        Raises
        ------
        UsageError
            A key of a dict is the name of a parameter or of a feature.
        """
        pandas = needed("pandas")
        known = [{**point, **features} for point, features in zip(self.points, self.features)]
        return pandas.DataFrame([{**one, **_columns(one, value)} for one, value in zip(known, self.values)])

    def to_xarray(self) -> Any:
        """A DataArray whose dimensions are the paths, if all combinations were run."""
        xarray = needed("xarray")
        if self._axes is None:
            raise UsageError("only all combinations of values make an array with dimensions")
        array = self.to_array()
        dims = [*self._axes, *(f"axis_{n}" for n in range(array.ndim - len(self._axes)))]
        return xarray.DataArray(array, coords=self._axes, dims=dims)

    def _repr_html_(self) -> str:
        known = [{**point, **features} for point, features in zip(self.points, self.features)]
        names = list(dict.fromkeys(name for one in known for name in one))
        rows = [[*(one.get(name) for name in names), value] for one, value in zip(known, self.values)]
        return html_table(rows, [*names, "value"])

    def __repr__(self) -> str:
        return f"<jlems.SweepOutcome of {len(self.values)} points>"


def _columns(point: Mapping[str, Any], value: Any) -> Mapping[Any, Any]:
    """The columns of a value in a table with those of its point."""
    columns = value if isinstance(value, Mapping) and not isinstance(value, Result) else {"value": value}
    both = [name for name in columns if name in point]
    if both:
        raise UsageError(f"to_pandas: {shown(both[0])} is a parameter or a feature, so a value cannot have this name")
    return columns


class _Bar:
    def __init__(self, progress: Any, number: int | None) -> None:
        self._bar: Any = None
        if not (progress is None or isinstance(progress, bool) or callable(progress)):
            raise UsageError(f"progress: True or a callable is needed, not {shown(progress)}")
        self._callback = progress if callable(progress) else None
        self._number = number
        if progress is True:
            try:
                from tqdm.auto import tqdm  # type: ignore[import-untyped,import-not-found,unused-ignore]
            except ImportError:
                return
            self._bar = tqdm(total=number, unit="run")

    def tell(self, done: int) -> bool:
        return self.show(done, self._number or 0)

    def show(self, done: int, of: int) -> bool:
        if self._bar is not None:
            self._bar.total = of
            self._bar.update(done - self._bar.n)
        return bool(self._callback(done, of)) if self._callback else False

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _threads(threads: int | None) -> int:
    if threads is not None:
        return count(threads, "threads")
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
