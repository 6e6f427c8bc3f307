"""Compiled models, and runs of them that are advanced step by step."""

from __future__ import annotations

import os
import re
from types import TracebackType
from typing import Any, Callable, Iterable, Mapping, NamedTuple, TypeVar

from . import _jlems
from ._errors import RunError
from ._problems import JlemsWarning, Problem, UsageError, warn
from ._model import LoadedModel
from ._pages import table
from ._result import EventFile, Layout, Result, Table, matching
from ._values import count, did_you_mean, no_others, path_text, paths, seconds, shown

AnyCompiled = TypeVar("AnyCompiled", bound="CompiledModel")

# A path with a `*` for the number of a member.
_MEMBERS = re.compile(r"[^*]*[^*/\[]\[\*\][^*]*|[^*/\[]+/\*(?:/[^*]*)?")


class Progress(NamedTuple):
    """How far a run is."""

    steps: int
    """Steps made."""
    of_steps: int
    """Steps of the run."""
    t: float
    """Simulated time, in seconds."""
    seconds: float
    """Time since the run began, in seconds."""

    @property
    def seconds_left(self) -> float:
        """Time that is left if the run goes on as fast, in seconds."""
        return self.seconds / max(self.steps, 1) * (self.of_steps - self.steps)


class CompiledModel:
    """What :class:`Simulation` does by itself: it runs, writes files and starts runs in steps."""

    __slots__ = ("model", "_choices", "_engine", "_layout", "__weakref__")

    model: LoadedModel

    def __init__(
        self,
        model: LoadedModel,
        *,
        record: str | Iterable[str] | None = None,
        spikes: str | Iterable[str] | None = None,
        every: int = 1,
        seed: int | None = None,
        threads: int | None = None,
        fast: bool = False,
        backend: str = "jit",
        strict: bool = False,
        free: str | Iterable[str] | None = None,
        inlets: str | Iterable[str] | None = None,
    ) -> None:
        if not isinstance(model, LoadedModel):
            raise UsageError(f"a Model is needed, not {type(model).__name__}; `jlems.load` makes one")
        if backend not in ("jit", "interpreter"):
            raise UsageError(f"backend: {shown(backend)} is not allowed; there are \"jit\" and \"interpreter\"")
        self.model = model
        self._choices: dict[str, Any] = {
            "record": paths(record, "record"),
            "spikes": paths(spikes, "spikes"),
            "every": count(every, "every"),
            "seed": None if seed is None else count(seed, "seed", -(2**63)),
            "threads": None if threads is None else count(threads, "threads"),
            "fast": bool(fast),
            "interpreter": backend == "interpreter",
            "strict": bool(strict),
            "free": paths(free, "free") or [],
            "inlets": paths(inlets, "inlets") or [],
        }
        self._made(_jlems.engine(model._source, self._choices))
        # What was told when the model was loaded is not told again.
        warn(self.warnings, known=model._warnings or ())

    def _made(self, engine: _jlems.Engine) -> None:
        self._engine = engine
        self._layout = layout_of(engine, self.model)

    @property
    def columns(self) -> list[str]:
        """Paths of the recorded quantities."""
        return list(self._layout.columns)

    @property
    def inlets(self) -> list[str]:
        """Paths of the ports that events can be sent into."""
        return [path for path, _ in self._engine.inlets]

    @property
    def steps(self) -> int:
        """Steps of the run."""
        return self._engine.steps

    @property
    def step(self) -> float:
        """Length of a step, in seconds."""
        return self._engine.step

    @property
    def instances(self) -> int:
        """Instances of the network."""
        return self._engine.instances

    @property
    def compile_seconds(self) -> float:
        """Time that reading, building and compiling took, in seconds."""
        return self._engine.seconds

    @property
    def warnings(self) -> list[Problem]:
        """What is legal in the model and its network, but probably not meant."""
        return [Problem(*one) for one in self._engine.warnings]

    def with_(
        self: AnyCompiled,
        set: Mapping[str, Any] | None = None,
        *,
        step: Any = None,
        length: Any = None,
        seed: int | None = None,
    ) -> AnyCompiled:
        """The simulation with other values of the model: see :meth:`Model.with_`.

        The machine code is the same if only free parameters change.
        """
        return self._changed(set, step, length, seed)

    def _changed(
        self: AnyCompiled, set: Mapping[str, Any] | None, step: Any, length: Any, seed: int | None
    ) -> AnyCompiled:
        choices = dict(self._choices)
        if seed is not None:
            choices["seed"] = count(seed, "seed", -(2**63))
        model = self.model._changed(set, step, length, check=False)
        if step is None and length is None and self._choices["free"] and self._frees(set):
            engine = _jlems.with_values(self._engine, self.model._settings(set), choices["seed"])
            changed = _compiled(type(self), model, choices, engine)
        else:
            changed = _compiled(type(self), model, choices)
        warn(changed.warnings, known=self.warnings)
        return changed

    def _frees(self, set: Mapping[str, Any] | None) -> bool:
        return all(path in self._choices["free"] for path in set or ())

    def run(
        self,
        *,
        set: Mapping[str, Any] | None = None,
        step: Any = None,
        length: Any = None,
        seed: int | None = None,
        progress: bool | Callable[[Progress], Any] | None = None,
    ) -> Result:
        """Runs from the start to the end. Other Python threads go on meanwhile.

        Parameters
        ----------
        set, step, length, seed
            Other values for this run: the model is built again for it, and compiled again unless only ``free``
            parameters change.
        progress : bool or callable, optional
            True for a bar: of tqdm if it is installed, else a line on the standard error. A callable gets a
            :class:`Progress` several times a second; the run ends early if it returns something true.

        Returns
        -------
        Result
            ``partial`` if the callable ended the run.

        Raises
        ------
        RunError
            The run cannot go on. ``result`` of the exception has what was recorded before.
        KeyboardInterrupt
            Ctrl-C, within 0.1 s. ``result`` of the exception has what was recorded before.
        """
        if set is not None or step is not None or length is not None or seed is not None:
            changed = self._changed(set, step, length, seed)
            return changed.run(progress=progress)
        with _Watcher(progress) as watcher:
            numbers = self._engine.run(watcher.callback)
        return self._result(numbers)

    def _result(self, numbers: Mapping[str, Any]) -> Result:
        result = Result(self._layout, numbers, self.instances, self.warnings)
        error = result.error
        if error is not None:
            error.result = result  # type: ignore[attr-defined]
            raise error
        try:
            warn_of_nan(numbers.get("not_a_number"))
        except JlemsWarning as warning:
            warning.result = result
            raise
        return result

    def write(
        self,
        folder: str | os.PathLike[str] = ".",
        *,
        progress: bool | Callable[[Progress], Any] | None = None,
    ) -> list[str]:
        """Runs the model and writes its own output files as it goes, as ``jlems-rs run`` does.

        No values are held in memory. ``record``, ``spikes`` and the other choices have no effect here.

        Returns
        -------
        list of str
            Names of the files, from the folder.
        """
        summary = write_model(self.model, folder, progress)
        files: list[str] = summary["files"]
        return files

    def start(self, *, checkpoint: bytes | None = None) -> Running:
        """Starts a run that is advanced step by step: see :class:`Running`.

        Parameters
        ----------
        checkpoint : bytes, optional
            What :meth:`Running.checkpoint` of the same simulation gave. The run goes on from there to the same
            bits; what is recorded begins there. If the run had changed free parameters, that is the simulation with
            these values: ``simulation.with_({"pulse/amplitude": "0.2 nA"}).start(checkpoint=saved)``.
        """
        if checkpoint is not None and not isinstance(checkpoint, (bytes, bytearray, memoryview)):
            raise UsageError(f"checkpoint: bytes are needed, not {shown(checkpoint)}")
        return Running(self, _jlems.start(self._engine, None if checkpoint is None else bytes(checkpoint)))

    def __repr__(self) -> str:
        return (
            f"<jlems.Simulation of {self.model.path!r}: {self.instances} instances, {self.steps} steps, "
            f"{len(self._layout.columns)} quantities>"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("simulation", self.model.path),
            ("steps", f"{self.steps} of {self.step:g} s"),
            ("instances", self.instances),
            ("quantities", ", ".join(self._layout.columns[:6]) + (", …" if len(self._layout.columns) > 6 else "")),
            ("compiled in", f"{1000 * self.compile_seconds:.1f} ms"),
        ]
        return table(rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_compiled, (type(self), self.model, self._choices))


def _compiled(
    kind: type[AnyCompiled],
    model: LoadedModel,
    choices: dict[str, Any],
    engine: _jlems.Engine | None = None,
) -> AnyCompiled:
    simulation = kind.__new__(kind)
    simulation.model = model
    simulation._choices = choices
    simulation._made(engine or _jlems.engine(model._source, choices))
    return simulation


def layout_of(engine: _jlems.Engine, model: LoadedModel) -> Layout:
    """What an engine records, as plain data."""
    return Layout(
        os.path.basename(model.path),
        engine.columns,
        engine.dimensions,
        [Table(*one) for one in engine.tables],
        [EventFile(*one) for one in engine.events],
        engine.displays,
        engine.times_file,
        engine.inputs,
    )


def warn_of_nan(variable: str | None) -> None:
    """Warns of a variable that is not a number at the end of a run, which nothing recorded shows.

    Raises
    ------
    JlemsWarning
        A filter makes an exception of it.
    """
    if variable is None:
        return
    message = f"`{variable}` is not a number at the end of the run"
    help = "record it to see when and why; what is recorded is finite"
    problem = Problem(
        "W0527", "warning", message, None, None, None, None, help, f"warning[W0527]: {message}", True
    )
    warn([problem])


class Running:
    """A run between two steps. Use it in a ``with``, or end it by :meth:`result`.

    Examples
    --------
    >>> with simulation.start() as run:
    ...     while not run.done:
    ...         run.advance("10 ms")
    ...         if run["pop[*]/v"].max() > 0.03:
    ...             break
    ...     result = run.result()
    """

    __slots__ = ("_simulation", "_running", "_sources", "_ports", "_values", "_start", "_failed", "_asked")

    def __init__(self, simulation: CompiledModel, running: _jlems.Running) -> None:
        self._simulation = simulation
        self._running = running
        self._sources: dict[str, list[int]] = {}
        self._ports: dict[str, int] | None = None
        self._values: dict[str, Any] = {}
        self._start = self.t
        self._failed: RunError | None = None
        self._asked: _Asked | None = None

    @property
    def steps(self) -> int:
        """Steps made."""
        return self._running.place()[0]

    @property
    def t(self) -> float:
        """Simulated time, in seconds."""
        return self._running.place()[1]

    @property
    def done(self) -> bool:
        """Whether all steps are made, or the run cannot go on."""
        _, _, at_end, stopped = self._running.place()
        return at_end or stopped

    def advance(
        self, time: Any, *, progress: bool | Callable[[Progress], Any] | None = None
    ) -> None:
        """Makes the steps of some simulated time, or those that are left.

        Times add up: the run goes to the step that is nearest to all that was asked for since the start. So four times
        ``"0.25 ms"`` are one ``"1 ms"``, also with steps of 0.1 ms. After :meth:`step`, and after a run that was
        interrupted, times are counted from the step where the run is.

        Parameters
        ----------
        time : str or float
            A text such as ``"10 ms"``, or seconds.
        progress
            See :meth:`Simulation.run`.

        Raises
        ------
        RunError
            The run cannot go on. ``result`` of the exception has what was recorded before.
        KeyboardInterrupt
            Ctrl-C, within 0.1 s. The run can go on, and :meth:`peek` has what was recorded.
        """
        length = seconds(time, "time")
        if not length >= 0:
            raise UsageError(f"time: {shown(time)} is not allowed; a run goes forward")
        steps = self.steps
        asked = self._asked
        if asked is None or asked.target != steps:
            asked = self._asked = _Asked(steps)
        asked.add(length, self._simulation.step, self._simulation.steps)
        self._to(asked.target, progress)

    def step(self, steps: int = 1) -> None:
        """Makes so many steps, or those that are left."""
        self._asked = None
        self._to(self.steps + count(steps, "steps", 0), None)

    def send(self, path: str) -> None:
        """Sends an event now: into a port, or from a cell as if it had spiked.

        What receives on the port does what an event of a connection without a delay would make it do, before the
        next step. An event from a cell goes to all that is connected to it, after the delay of the connection, and
        is recorded; the cell itself stays as it is.

        Parameters
        ----------
        path : str
            A port, such as ``"pop[3]/synapse/in"``: one of the ``inlets`` of the simulation. Or a cell, such as
            ``"pop[3]"``: one of those whose spikes the simulation records. With ``*`` for the number of the member, to
            all of them one after another.

        Raises
        ------
        KeyError
            The path is none of these.
        RunError
            The event leads to others without end.
        """
        if not isinstance(path, str):
            raise UsageError(f"path: {shown(path)} is no path")
        for source in self._sources.get(path) or self._found(path):
            self._running.send(source)

    def _found(self, path: str) -> list[int]:
        """The sources that a path stands for."""
        simulation, running = self._simulation, self._running
        if self._ports is None:
            self._ports = dict(simulation._engine.inlets)
        ports = matching(path, self._ports)
        if "*" in path and _MEMBERS.fullmatch(path.strip().strip("/")) is None:
            raise KeyError(f"{path}: a `*` stands for the number of a member, as in `pop[*]/synapse/in`")
        sources = [self._ports[port] for port in ports]
        cells: list[str] = []
        for number, file in enumerate(simulation._layout.events):
            cells += file.sources
            if not sources:
                found = matching(path, file.sources)
                numbers = (running.source(number, file.sources.index(cell)) for cell in found)
                sources = [source for source in numbers if source is not None]
        if not sources:
            hint = did_you_mean(path, [*self._ports, *cells])
            raise KeyError(
                f"{path}: no inlet, and no cell whose spikes are recorded{hint}; `inlets` and `spikes` of the "
                "simulation say what can send"
            )
        self._sources[path] = sources
        return sources

    def run(self, *, progress: bool | Callable[[Progress], Any] | None = None) -> Result:
        """Goes on to the end, and gives the result. Raises what :meth:`advance` does."""
        self._to(self._simulation.steps, progress)
        return self.result()

    def _to(self, steps: int, progress: bool | Callable[[Progress], Any] | None) -> None:
        if self._failed is not None:
            raise self._failed
        try:
            with _Watcher(progress) as watcher:
                self._running.advance(min(steps, 2**64 - 1), watcher.callback)
        except RunError as error:
            error.result = self.peek()
            self._failed = error
            raise

    def __getitem__(self, path: str) -> Any:
        """The recorded value of the last row: a float, or an array of shape ``(N,)`` for a path with ``*``.

        Raises
        ------
        UsageError
            There is no row yet: the run goes on from a checkpoint between two rows.
        """
        import numpy as np

        last = self._running.last()
        if last is None:
            raise UsageError(f"{path}: no row is recorded yet")
        values = np.array(last)
        row = {"t": np.zeros(1), "values": values[:, None], "events": []}
        numbers = {**row, "steps": 0, "time": 0.0, "seconds": 0.0, "stopped": False, "error": None}
        trace = Result(self._simulation._layout, numbers, 0, [])[path]
        return float(trace.values[0]) if trace.values.ndim == 1 else trace.values[:, 0].copy()

    def __contains__(self, path: object) -> bool:
        """Whether a path is recorded."""
        return isinstance(path, str) and bool(matching(path, self._simulation._layout.columns))

    # Python would count through the paths.
    __iter__ = None

    def __setitem__(self, path: str, value: Any) -> None:
        """Gives a free parameter another value from now on, such as ``run["pulse/amplitude"] = "0.2 nA"``.

        Variables stay as they are: what is computed from the parameter only at the start, such as an initial
        potential, does not change.

        Raises
        ------
        UsageError
            The parameter is not one of the ``free`` ones of the simulation.
        ModelError
            The value makes no sense.
        """
        simulation = self._simulation
        free = simulation._choices["free"]
        if not isinstance(path, str):
            raise UsageError(f"path: {shown(path)} is no path")
        if path not in free:
            hint = did_you_mean(path, free) or "; say it in `free` when the simulation is made"
            raise UsageError(f"{path}: this parameter is not free{hint}")
        values = {**self._values, path: value}
        texts = simulation.model._settings(values)
        engine = _jlems.with_values(simulation._engine, texts, simulation._choices["seed"])
        self._running.change(engine)
        self._values = values
        warn((Problem(*one) for one in engine.warnings), known=simulation.warnings)

    def peek(self) -> Result:
        """A copy of what is recorded up to now; the run goes on."""
        steps, t, at_end, _ = self._running.place()
        numbers = self._running.numbers(take=False)
        more = {
            "steps": steps, "time": t, "seconds": 0.0, "stopped": not at_end, "error": None, "start": self._start,
        }  # fmt: skip
        return Result(
            self._simulation._layout,
            {**numbers, **more},
            self._simulation.instances,
            self._simulation.warnings,
        )

    def result(self) -> Result:
        """Ends the run, and gives what is recorded; ``partial`` if steps are left. If the run could not go on, ``error``
        says why."""
        _, _, at_end, _ = self._running.place()
        numbers = self._running.numbers(take=True)
        numbers["stopped"] = not at_end
        numbers["start"] = self._start
        result = self._simulation._result(numbers)
        result.error = self._failed
        return result

    def checkpoint(self) -> bytes:
        """The state of the run, for :meth:`Simulation.start`, also in another process."""
        return self._running.checkpoint()

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._running.numbers(take=True)
        except RuntimeError:
            pass  # The result has been taken.

    def __repr__(self) -> str:
        try:
            return f"<jlems.Running at {self.t:g} s of {self._simulation.steps * self._simulation.step:g} s>"
        except RuntimeError as error:
            return f"<jlems.Running: {error}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a run does not pickle; its `checkpoint()` does")


class _Asked:
    """The time that slices of a run add up to."""

    def __init__(self, start: int) -> None:
        self._start = start
        self._sum = 0.0
        self._lost = 0.0
        self.target = start
        """The step nearest to it."""

    def add(self, length: float, step: float, most: int) -> None:
        """Adds a slice; the target is no later than the last step."""
        # The sum of Neumaier: many slices are as exact as one.
        total = self._sum + length
        large, small = (self._sum, length) if self._sum >= length else (length, self._sum)
        self._lost += (large - total) + small
        self._sum = total
        ratio = (self._sum + self._lost) / step
        # A slice may end in the middle of a step but for an error of rounding, which must not decide.
        near = ratio + 0.5 + 1e-9 + 1e-14 * ratio
        self.target = self._start + int(near) if near < most - self._start else most


class _Watcher:
    """Tells a user how far a run is."""

    def __init__(self, progress: Any) -> None:
        self._bar: Any = None
        self._said = 0.0
        if progress is None or progress is False:
            self.callback = None
        elif progress is True:
            self.callback = self._show
        elif callable(progress):
            self.callback = lambda *place: progress(Progress(*place))
        else:
            raise UsageError(f"progress: True or a callable is needed, not {shown(progress)}")

    def _show(self, steps: int, of_steps: int, t: float, seconds: float) -> bool:
        try:
            from tqdm.auto import tqdm  # type: ignore[import-untyped,import-not-found,unused-ignore]
        except ImportError:
            import sys

            if seconds - self._said >= 1:
                self._said = seconds
                print(f"\r{100 * steps // max(of_steps, 1)} %, {t:g} s", end="", file=sys.stderr)
            return False
        if self._bar is None:
            self._bar = tqdm(total=of_steps, unit="step", unit_scale=True)
        self._bar.update(steps - self._bar.n)
        return False

    def __enter__(self) -> _Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()
        elif self._said:
            import sys

            print(file=sys.stderr)


def write_model(
    model: LoadedModel, folder: str | os.PathLike[str], progress: Any = None
) -> Mapping[str, Any]:
    """Runs a model and writes its files; gives a summary."""
    import time

    now = time.localtime()
    began = (time.strftime("%Y-%m-%d %H:%M:%S", now), time.strftime("%Y%m%d%H%M%S", now))
    with _Watcher(progress) as watcher:
        return _jlems.run_to_files(model._source, path_text(folder, "folder"), began, watcher.callback)
