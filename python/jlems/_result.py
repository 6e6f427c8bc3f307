"""Results: arrays of what a run recorded, in SI units."""

from __future__ import annotations

import operator
import os
import re
from html import escape
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, NamedTuple

from . import _jlems
from ._files import is_on_disk, whole
from ._optional import needed
from ._problems import JlemsError, Problem, UsageError
from ._values import Named, did_you_mean, in_unit, path_text, seconds, shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.int32]


_MOST_RASTER_ROWS = 200
_MOST_BINS = 100_000_000


class Table(NamedTuple):
    """A data file of the model: what a column of it records, and what its values are divided by."""

    path: str
    drawn: bool
    columns: list[int]
    scales: list[float]


class EventFile(NamedTuple):
    """An event file of the model."""

    path: str
    format: str | None
    ids: list[str]
    sources: list[str]
    populations: list[str]


class Layout(NamedTuple):
    """What a run records, as plain data."""

    name: str
    columns: list[str]
    dimensions: list[tuple[str | None, str | None]]
    tables: list[Table]
    events: list[EventFile]
    displays: list[Any]
    times_file: str | None
    inputs: list[str]


class Trace:
    """A recorded quantity over time: one curve, or one for each member of a population.

    It can be used as an array: numpy functions take it, arithmetic and comparisons give arrays.
    """

    __slots__ = ("path", "paths", "values", "t", "dimension", "unit")

    path: str
    """The path that was asked for."""
    paths: list[str]
    """Paths of the rows; one path if there is one row."""
    values: Floats
    """float64 in SI units, shape ``(T,)``, or ``(N, T)`` for a path with ``*``."""
    t: Floats
    """float64, shape ``(T,)``: times in seconds."""
    dimension: str | None
    """Dimension, such as ``"voltage"``; None for numbers."""
    unit: str | None
    """SI unit, such as ``"V"``; None for numbers."""

    def __init__(
        self,
        path: str,
        paths: list[str],
        values: Floats,
        t: Floats,
        dimension: str | None,
        unit: str | None,
    ) -> None:
        self.path = path
        self.paths = paths
        self.values = values
        self.t = t
        self.dimension = dimension
        self.unit = unit

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if dtype is None or dtype == self.values.dtype:
            return self.values.copy() if copy else self.values
        if copy is False:
            raise ValueError("values of another type are a copy")
        return self.values.astype(dtype)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, index: Any) -> Any:
        return self.values[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def ndim(self) -> int:
        return self.values.ndim

    def max(self, *args: Any, **options: Any) -> Any:
        return self.values.max(*args, **options)

    def min(self, *args: Any, **options: Any) -> Any:
        return self.values.min(*args, **options)

    def mean(self, *args: Any, **options: Any) -> Any:
        return self.values.mean(*args, **options)

    def std(self, *args: Any, **options: Any) -> Any:
        return self.values.std(*args, **options)

    def sum(self, *args: Any, **options: Any) -> Any:
        return self.values.sum(*args, **options)

    def argmax(self, *args: Any, **options: Any) -> Any:
        return self.values.argmax(*args, **options)

    def argmin(self, *args: Any, **options: Any) -> Any:
        return self.values.argmin(*args, **options)

    def to(self, unit: str) -> Floats:
        """The values in another unit, such as ``"mV"``: float64, of the same shape.

        Raises
        ------
        UsageError
            There is no such unit in NeuroML, or it is one of another dimension.
        """
        return in_unit(self.values, self.dimension, unit)

    def __add__(self, other: Any) -> Any:
        return self.values + other

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self.values - other

    def __rsub__(self, other: Any) -> Any:
        return other - self.values

    def __mul__(self, other: Any) -> Any:
        return self.values * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self.values / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.values

    def __neg__(self) -> Any:
        return -self.values

    def __abs__(self) -> Any:
        return abs(self.values)

    def __pow__(self, other: Any) -> Any:
        return self.values**other

    def __lt__(self, other: Any) -> Any:
        return self.values < other

    def __le__(self, other: Any) -> Any:
        return self.values <= other

    def __gt__(self, other: Any) -> Any:
        return self.values > other

    def __ge__(self, other: Any) -> Any:
        return self.values >= other

    def __eq__(self, other: object) -> Any:
        return self.values == other

    def __ne__(self, other: object) -> Any:
        return self.values != other

    # As of an array, whose equality is an array too.
    __hash__ = None  # type: ignore[assignment]

    def plot(self, ax: Any = None, **style: Any) -> Any:
        """Draws the curves with matplotlib; gives its Axes."""
        ax = _axes(ax)
        rows = self.values if self.values.ndim == 2 else [self.values]
        for path, row in zip(self.paths, rows):
            ax.plot(self.t, row, **{"label": path, **style})
        ax.set_xlabel("t (s)")
        ax.set_ylabel(_label(self.path, self.unit))
        return ax

    def __repr__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"<Trace {self.path!r} {self.values.shape}{unit}>"

    def _repr_svg_(self) -> str:
        rows = self.values if self.values.ndim == 2 else [self.values]
        curves = [(path, None, row) for path, row in zip(self.paths, rows)]
        panel = (self.path, self.path.rsplit("/", 1)[-1], self.unit or "", (None, None), curves)
        return _jlems.picture(self.path, self.t, [panel], [])


class Spikes:
    """The spikes of a population, in the order of time."""

    __slots__ = ("population", "ids", "times", "members", "start", "duration")

    population: str
    """Path of the population."""
    ids: Ints
    """int32, shape ``(S,)``: which member sent each spike."""
    times: Floats
    """float64, shape ``(S,)``: times in seconds."""
    members: Ints
    """int32, shape ``(n,)``: which members are recorded, in ascending order."""
    start: float
    """Time in seconds at which recording began: 0, or that of a checkpoint."""
    duration: float
    """Simulated time since then, in seconds."""

    def __init__(
        self, population: str, ids: Ints, times: Floats, members: Ints, duration: float, start: float = 0.0
    ) -> None:
        self.population = population
        self.ids = ids
        self.times = times
        self.members = members
        self.start = start
        self.duration = duration

    @property
    def n(self) -> int:
        """Number of members that are recorded."""
        return len(self.members)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def count(self) -> int:
        """Number of spikes."""
        return len(self.times)

    def of(self, member: int) -> Floats:
        """Times of the spikes of a member, in seconds: float64, shape ``(S_i,)``.

        Raises
        ------
        IndexError
            The member is not recorded.
        """
        try:
            is_recorded = operator.index(member) in self.members
        except (TypeError, OverflowError):
            is_recorded = False
        if not is_recorded:
            raise IndexError(f"{self.population}[{shown(member)}]: its spikes are not recorded")
        return self._train(member)

    def _train(self, member: int) -> Floats:
        found: Floats = self.times[self.ids == member]
        return found

    def trains(self) -> list[Floats]:
        """Times of the spikes of each recorded member, in the order of ``members``."""
        return [self._train(member) for member in self.members]

    def counts(self) -> Any:
        """Numbers of spikes of each recorded member, in the order of ``members``: int64, shape ``(n,)``."""
        import numpy as np

        last = int(self.members[-1]) if self.n else -1
        return np.bincount(self.ids, minlength=last + 1)[self.members]

    def rates(self, bin: str | float | None = None) -> Any:
        """Firing rates in hertz.

        Without ``bin`` those of each recorded member over the time that is recorded: float64, shape ``(n,)``. With a
        width, in seconds or as a text such as ``"10 ms"``, the mean rate of these members in each bin: two arrays,
        starts of the bins and rates.

        Raises
        ------
        UsageError
            The width is no time, or makes more than 100 million bins.
        """
        import numpy as np

        if bin is None:
            return self.counts() / self.duration if self.duration > 0 else self.counts() * 0.0
        width = seconds(bin, "bin")
        if not width > 0:
            raise UsageError(f"bin: {shown(bin)} is not allowed; a width such as \"10 ms\" is needed")
        ratio = self.duration / width
        if not ratio <= _MOST_BINS:
            many = f"{ratio:.3g} bins of {self.duration:g} s; {_MOST_BINS:,} are the most"
            raise UsageError(f"bin: {shown(bin)} makes {many}")
        number = max(1, int(np.ceil(ratio - 1e-9)))
        places = np.minimum(((self.times - self.start) / width).astype(int), number - 1)
        counts = np.bincount(places, minlength=number)
        return self.start + np.arange(number) * width, counts / (width * max(self.n, 1))

    def isi(self, member: int | None = None) -> Floats:
        """Intervals between the spikes of a member, or of all members one after another, in seconds."""
        import numpy as np

        if member is not None:
            return np.diff(self.of(member))
        intervals = [np.diff(train) for train in self.trains()]
        return np.concatenate(intervals) if intervals else np.zeros(0)

    def plot(self, ax: Any = None, **style: Any) -> Any:
        """Draws a raster with matplotlib; gives its Axes."""
        ax = _axes(ax)
        ax.plot(self.times, self.ids, **{"marker": "|", "linestyle": "none", **style})
        ax.set_xlabel("t (s)")
        ax.set_ylabel(self.population)
        return ax

    def __repr__(self) -> str:
        return f"<Spikes {self.population!r}: {len(self.times)} of {self.n} cells>"

    def _rows(self) -> list[tuple[str, str, Floats]]:
        """A row of a raster for each member, for as many as a picture can show."""
        members = self.members[:_MOST_RASTER_ROWS].tolist()
        return [(f"{self.population}[{member}]", self.population, self._train(member)) for member in members]

    def _repr_svg_(self) -> str:
        import numpy as np

        end = self.start + self.duration
        return _jlems.picture(self.population, np.zeros(0), [], self._rows(), (self.start, end))


class Events(NamedTuple):
    """The events of an event file of the model, in their order."""

    ids: Any
    """Ids as the file has them: int32 if all are numbers, else texts; shape ``(S,)``."""
    times: Any
    """float64, shape ``(S,)``: times in seconds."""
    sources: list[str]
    """What the selections of the file select."""

    def __repr__(self) -> str:
        return f"<Events: {len(self.times)} of {len(self.sources)} selections>"


class Summary(NamedTuple):
    """How a run went."""

    steps: int
    """Steps made."""
    time: float
    """Simulated time, in seconds."""
    seconds: float
    """Time that the run took, in seconds."""
    instances: int
    """Number of instances of the network."""
    warnings: list[Problem]
    """What is legal in the model, but probably not meant."""


class Result:
    """What a run recorded, by path: ``path in result``, ``result[path]``, ``for path in result``.

    ``result["pop[0]/v"]`` is a :class:`Trace` of shape ``(T,)``, ``result["pop[*]/v"]`` one of shape
    ``(N, T)``. All values are float64 in SI units, as the engine computes them; files of the same run have
    them as float32. The arrays are read-only, so that files and tables have the numbers of the run; ``.copy()`` gives
    one to change.
    """

    __slots__ = ("_layout", "_rows", "_numbers", "summary", "partial", "error", "_names", "_spikes", "_start", "__weakref__")

    summary: Summary
    """Steps, times, warnings."""
    partial: bool
    """Whether the run did not come to its end."""
    error: BaseException | None
    """Why not, if something went wrong."""

    def __init__(self, layout: Layout, numbers: Mapping[str, Any], instances: int, warnings: list[Problem]) -> None:
        self._layout = layout
        rows = len(numbers["t"])
        self._numbers = {
            "t": _read_only(numbers["t"]),
            "values": _read_only(numbers["values"][:, :rows]),
            "events": [(_read_only(times), _read_only(places)) for times, places in numbers["events"]],
        }
        self._rows = rows
        self._names: dict[str, int] | None = None
        self._spikes: dict[str, Spikes] | None = None
        self._start: float = numbers.get("start", 0.0)
        self.error = numbers["error"]
        self.partial = numbers["stopped"] or self.error is not None
        self.summary = Summary(
            numbers["steps"], numbers["time"], numbers["seconds"], instances, warnings
        )

    # -- arrays

    @property
    def t(self) -> Floats:
        """Times of the rows in seconds: float64, shape ``(T,)``. They are sums of steps, as jLEMS's are."""
        found: Floats = self._numbers["t"]
        return found

    @property
    def values(self) -> Floats:
        """All recorded values: float64, shape ``(len(columns), T)``, in SI units; not a copy, and read-only."""
        found: Floats = self._numbers["values"]
        return found

    @property
    def columns(self) -> list[str]:
        """Paths of the recorded quantities, in the order of ``values``."""
        return list(self._layout.columns)

    def _places(self) -> dict[str, int]:
        if self._names is None:
            self._names = {}
            for place, column in enumerate(self._layout.columns):
                self._names.setdefault(column.strip().strip("/"), place)
        return self._names

    def __getitem__(self, path: str) -> Trace:
        if not isinstance(path, str):
            raise KeyError(path)
        names = self._places()
        found = matching(path, names)
        if not found:
            raise KeyError(self._unknown(path))
        places = [names[name] for name in found]
        if "*" not in path:
            dimension, unit = self._layout.dimensions[places[0]]
            return Trace(path, [path], self.values[places[0]], self.t, dimension, unit)
        first, last = places[0], places[-1]
        neighbours = places == list(range(first, last + 1))
        values = self.values[first : last + 1] if neighbours else self.values[places]
        dimension, unit = self._layout.dimensions[first]
        return Trace(path, found, values, self.t, dimension, unit)

    def _unknown(self, path: str) -> str:
        return f"{path}: not recorded{did_you_mean(path, self._places())}"

    def __iter__(self) -> Iterator[str]:
        return iter(self._places())

    def __len__(self) -> int:
        return len(self._places())

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and bool(matching(path, self._places()))

    def keys(self) -> list[str]:
        """Paths of the recorded quantities."""
        return list(self._places())

    @property
    def spikes(self) -> dict[str, Spikes]:
        """The recorded spikes by population."""
        if self._spikes is None:
            self._spikes = self._found_spikes()
        return self._spikes

    def _found_spikes(self) -> dict[str, Spikes]:
        import numpy as np

        members: dict[str, set[int]] = {}
        parts: dict[str, list[Any]] = {}
        seen: set[str] = set()
        for file, (times, selections) in zip(self._layout.events, self._numbers["events"]):
            # A cell that several files record counts once.
            numbers: dict[str, Any] = {}
            for place, (source, population) in enumerate(zip(file.sources, file.populations)):
                number = _member(source, population)
                if source in seen or number is None:
                    continue
                seen.add(source)
                members.setdefault(population, set()).add(number)
                lookup = numbers.setdefault(population, np.full(len(file.ids), -1, np.int32))
                lookup[place] = number
            for population, lookup in numbers.items():
                ids = lookup[selections]
                kept = ids >= 0
                if kept.all():
                    parts.setdefault(population, []).append((ids, times))
                else:
                    parts.setdefault(population, []).append((ids[kept], times[kept]))
        spikes = Named[Spikes]()
        for population, found in parts.items():
            ids, times = found[0]
            if len(found) > 1:
                ids = np.concatenate([one for one, _ in found])
                times = np.concatenate([one for _, one in found])
                order = np.argsort(times, kind="stable")
                ids, times = ids[order], times[order]
            recorded = np.array(sorted(members[population]), dtype=np.int32)
            duration = self.summary.time - self._start
            spikes[population] = Spikes(population, ids, times, recorded, duration, self._start)
        return spikes

    @property
    def events(self) -> dict[str, Events]:
        """The events of the model's event files, by the names of these."""
        import numpy as np

        events = {}
        for file, (times, selections) in zip(self._layout.events, self._numbers["events"]):
            try:
                ids = np.array([int(one) for one in file.ids], dtype=np.int32)
            except ValueError:
                ids = np.array(file.ids, dtype=object)
            events[file.path] = Events(ids[selections], times, list(file.sources))
        return events

    # -- conversions

    def as_dict(self) -> dict[str, list[float]]:
        """Lists by path, times as ``"t"``: what pyNeuroML's ``reload_saved_data`` gives."""
        found = {"t": self.t.tolist()}
        for name, place in self._places().items():
            found[name] = self.values[place].tolist()
        return found

    def as_written(self) -> dict[str, Any]:
        """Arrays by path as a file of the run would have them: float32, times as ``"t"``."""
        import numpy as np

        found = {"t": self.t.astype(np.float32)}
        for name, place in self._places().items():
            found[name] = self.values[place].astype(np.float32)
        return found

    def to_pandas(self) -> Any:
        """A DataFrame with a column for each path and the times as its index. It shares the values, so
        ``.copy()`` gives one whose numbers can be changed."""
        pandas = needed("pandas")
        index = pandas.Index(self.t, name="t")
        frame = pandas.DataFrame(self.values.T, index=index, columns=list(self._layout.columns), copy=False)
        frame.attrs["unit"] = {
            name: unit for name, (_, unit) in zip(self._layout.columns, self._layout.dimensions)
        }
        return frame

    def to_xarray(self) -> Any:
        """A Dataset with a variable for each path over ``t``. It shares the values, so ``.copy(deep=True)`` gives one
        whose numbers can be changed."""
        xarray = needed("xarray")
        variables = {}
        for name, place in self._places().items():
            if name == "t":  # The times are the index.
                continue
            dimension, unit = self._layout.dimensions[place]
            attributes = {"units": unit or "1", "dimension": dimension or "none"}
            variables[name] = ("t", self.values[place], attributes)
        return xarray.Dataset(variables, coords={"t": ("t", self.t, {"units": "s"})})

    def to_npz(self, path: str | os.PathLike[str]) -> None:
        """Writes arrays for numpy: ``t``, ``values``, ``columns``, and for each population of which spikes are recorded
        ``spikes/POPULATION/ids`` and ``spikes/POPULATION/times``.

        As for ``numpy.savez``, ``.npz`` is added to a path that does not end with it.

        Raises
        ------
        FileError
            The file cannot be written. There is no part of it then, and a file that was there stays.
        """
        import numpy as np

        arrays: dict[str, Any] = {
            "t": self.t,
            "values": self.values,
            "columns": np.array(self._layout.columns, dtype=str),
        }
        for population, spikes in self.spikes.items():
            arrays[f"spikes/{population}/ids"] = spikes.ids
            arrays[f"spikes/{population}/times"] = spikes.times
        name = path_text(path)
        with whole(name if name.endswith(".npz") else f"{name}.npz") as partial, open(partial, "wb") as stream:
            np.savez(stream, **arrays)

    def to_parquet(self, path: str | os.PathLike[str], **options: Any) -> None:
        """Writes the DataFrame of :meth:`to_pandas` as Parquet. The options are those of ``DataFrame.to_parquet``.

        Raises
        ------
        FileError
            The file cannot be written. There is no part of it then, and a file that was there stays.
        """
        name, frame = path_text(path), self.to_pandas()
        if not is_on_disk(name, options):
            frame.to_parquet(name, **options)
            return
        with whole(name) as partial:
            frame.to_parquet(partial, **options)

    def to_neo(self) -> Any:
        """A ``neo.Block`` with one segment: a signal for each path, a spike train for each cell.

        Signals that are not in units of the package ``quantities`` are dimensionless; their annotation ``unit``
        has the name of the unit in LEMS.
        """
        neo = needed("neo")
        block = neo.Block(name=self._layout.name)
        segment = neo.Segment(name=self._layout.name)
        block.segments.append(segment)
        period = float(self.t[1] - self.t[0]) if self._rows > 1 else 1.0
        start = float(self.t[0]) if self._rows else 0.0
        for name, place in self._places().items():
            unit = self._layout.dimensions[place][1]
            signal = neo.AnalogSignal(
                self.values[place], units=_neo_unit(unit), sampling_rate=1 / period * _neo_unit("Hz"),
                t_start=start * _neo_unit("s"), name=name, unit=unit,
            )  # fmt: skip
            segment.analogsignals.append(signal)
        for population, spikes in self.spikes.items():
            for member, times in zip(spikes.members.tolist(), spikes.trains()):
                train = neo.SpikeTrain(
                    times, units="s", t_start=spikes.start, t_stop=spikes.start + spikes.duration,
                    name=f"{population}[{member}]",
                )  # fmt: skip
                segment.spiketrains.append(train)
        return block

    def to_files(self, folder: str | os.PathLike[str] = ".") -> list[str]:
        """Writes the output files into a folder: the same bytes as ``jlems-rs run``. They are those of the model, or
        with ``record`` and ``spikes`` those of ``--record`` and ``--spikes`` instead.

        Returns
        -------
        list of str
            Names of the files.

        Raises
        ------
        FileError
            A file cannot be written.
        """
        layout = self._layout
        tables = [(one.path, one.columns, one.scales) for one in layout.tables if not one.drawn]
        events = [
            (file.path, file.format, file.ids, times, selections)
            for file, (times, selections) in zip(layout.events, self._numbers["events"])
        ]
        return _jlems.write_outputs(
            path_text(folder, "folder"), self.t, self.values, tables, events, layout.times_file, layout.inputs
        )

    # -- pictures

    def plot(self, ax: Any = None) -> Any:
        """Draws the displays of the model, or all traces, with matplotlib.

        Returns
        -------
        list of matplotlib Axes
            One for each display; the given one, if there is one.
        """
        displays = self._displays()
        if ax is None:
            figure = needed("matplotlib.pyplot", "matplotlib").figure(
                figsize=(7, 3 * max(1, len(displays))), layout="constrained"
            )
            axes = figure.subplots(max(1, len(displays)), squeeze=False)[:, 0].tolist()
        else:
            axes = [ax] * max(1, len(displays))
        for axis, (title, region, lines) in zip(axes, displays):
            units = []
            for name, place, color, unit, time_scale, scale in lines:
                style = {"color": color} if color else {}
                axis.plot(self.t / time_scale, self.values[place] / scale, label=name, **style)
                units.append(unit)
            axis.set_title(title)
            axis.set_xlabel("t (s)" if all(line[4] == 1.0 for line in lines) else "t")
            if len(set(units)) == 1 and units[0]:
                axis.set_ylabel(units[0])
            if 1 < len(lines) <= 12:
                # matplotlib would look for a free corner among all values.
                axis.legend(loc="upper right")
        return axes

    def _displays(self) -> list[Any]:
        if self._layout.displays:
            return self._layout.displays
        lines = [
            (name, place, None, self._layout.dimensions[place][1], 1.0, 1.0)
            for name, place in self._places().items()
        ]
        return [(self._layout.name, (None,) * 4, lines)] if lines else []

    def _repr_html_(self) -> str:
        pictures = []
        for title, region, lines in self._displays()[:6]:
            panels: dict[str, list[Any]] = {}
            for name, place, color, unit, _, scale in lines[:40]:
                values = self.values[place] / scale if scale != 1.0 else self.values[place]
                panels.setdefault(unit or "", []).append((name, color, values))
            curves = [
                ("", "" if unit else "value", unit, (None, None), lines) for unit, lines in panels.items()
            ]
            pictures.append(_jlems.picture(title, self.t, curves, []))
        rows = [row for spikes in self.spikes.values() for row in spikes._rows()]
        if rows:
            pictures.append(_jlems.picture("spikes", self.t, [], rows, (self._start, self.summary.time)))
        return "".join(pictures) + f"<p>{escape(repr(self))}</p>"

    def __repr__(self) -> str:
        spikes = sum(len(times) for times, _ in self._numbers["events"])
        partial = " (partial)" if self.partial else ""
        return (
            f"<jlems.Result {self._layout.name}: {len(self._layout.columns)} quantities, "
            f"{self._rows} rows, {spikes} events, {self.summary.time:g} s{partial}>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        error = self.error if isinstance(self.error, JlemsError) else None
        state = (
            self._layout,
            self._numbers["t"],
            self._numbers["values"],
            self._numbers["events"],
            self.summary,
            self.partial,
            self._start,
        )
        # The exception refers to its result, so it comes later.
        return (_restored, state) if error is None else (_restored, state, error)

    def __setstate__(self, error: JlemsError) -> None:
        self.error = error


def _restored(
    layout: Layout,
    t: Any,
    values: Any,
    events: Any,
    summary: Summary,
    partial: bool,
    start: float,
) -> Result:
    numbers = {
        "t": t,
        "values": values,
        "events": events,
        "steps": summary.steps,
        "time": summary.time,
        "seconds": summary.seconds,
        "stopped": partial,
        "error": None,
        "start": start,
    }
    return Result(layout, numbers, summary.instances, summary.warnings)


def _read_only(array: Any) -> Any:
    """The array as one that cannot be written to; not a copy."""
    view = array.view()
    view.flags.writeable = False
    return view


def matching(path: str, names: Iterable[str]) -> list[str]:
    """The names that a path stands for, in their order: itself, or all members for ``*``; each member once."""
    wanted = path.strip().strip("/")
    if "*" not in wanted and wanted in names:
        return [wanted]
    pattern = re.compile("|".join(re.escape(one).replace(r"\*", "[^/]*") for one in _spellings(wanted)))
    found: dict[str, str] = {}
    for name in names:
        spellings = _spellings(name)
        if any(pattern.fullmatch(one) for one in spellings):
            found.setdefault(spellings[-1], name)
    return list(found.values()) if "*" in wanted else list(found.values())[:1]


_MEMBER = re.compile(r"([^/\[]+)/(\d+|\*)(?=/|$)")
# What follows the number is the cell, unless it is the number of a segment.
_CELL = re.compile(r"/(?!\d+(?:/|$))[^/]+")


def _spellings(path: str) -> list[str]:
    """A path, and how it is written for populations that do not list their members: ``pop/3/cell/v`` is ``pop[3]/v``,
    and so is ``pop/3/v``."""
    member = _MEMBER.match(path)
    if member is None:
        return [path]
    rest = path[member.end() :]
    start = f"{member[1]}[{member[2]}]"
    cell = _CELL.match(rest)
    return [path, start + rest, start + rest[cell.end() if cell else 0 :]]


def _member(source: str, population: str) -> int | None:
    """The number in ``pop[3]``."""
    number = source[len(population) :].strip("[]")
    return int(number) if population and number.isdigit() else None


def _label(path: str, unit: str | None) -> str:
    return f"{path} ({unit})" if unit else path


def _neo_unit(unit: str | None) -> Any:
    """A unit of LEMS, such as ``S_per_m2``, as ``quantities`` has it; without dimension if it has not."""
    quantities = needed("quantities")
    text = re.sub(r"(?<=[a-zA-Z])(\d)", r"**\1", (unit or "").removeprefix("SI "))
    text = text.replace("_per_", "/").replace("per_", "1/").replace("_", "*")
    try:
        return quantities.Quantity(1.0, text or "dimensionless").units
    except (LookupError, ValueError, SyntaxError):
        return quantities.dimensionless


def _axes(ax: Any) -> Any:
    if ax is not None:
        return ax
    return needed("matplotlib.pyplot", "matplotlib").gca()
