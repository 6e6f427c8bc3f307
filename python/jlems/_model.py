"""Models: read, looked at, changed."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, NamedTuple

from . import _jlems
from ._errors import JlemsError, Problem, UsageError, warn
from ._values import Named, folder_list, in_unit, limit_list, no_others, seconds_text, settings

if TYPE_CHECKING:
    from ._result import Result
    from ._simulation import Simulation


class Quantity(float):
    """A parameter: a float in SI units that knows its unit."""

    unit: str | None

    def __new__(cls, value: float, unit: str | None = None) -> Quantity:
        quantity = super().__new__(cls, value)
        quantity.unit = unit
        return quantity

    def to(self, unit: str) -> float:
        """The value in another unit, such as ``"pF"``.

        Raises
        ------
        UsageError
            There is no such unit in NeuroML.
        """
        return in_unit(float(self), self._dimension(), unit)

    def _dimension(self) -> str | None:
        found = json.loads(_jlems.describe(self.unit)) if self.unit else []
        units = [one["dimension"] for one in found if isinstance(one, dict) and one.get("is") == "unit"]
        return units[0] if units else None

    def __repr__(self) -> str:
        return f"{float(self)!r} {self.unit or ''}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return (Quantity, (float(self), self.unit))


class Component:
    """A component of a model. Its parameters are attributes, and items: ``cell.C``, ``cell["C"]``."""

    __slots__ = ("id", "type", "file", "line", "parameters", "references", "children")

    id: str | None
    """Its ``id``."""
    type: str
    """Name of its type."""
    file: str
    """File that defines it."""
    line: int
    """Line there, from 1."""
    parameters: dict[str, Quantity]
    """Values in SI units: given, fixed, derived or by default."""
    references: dict[str, str]
    """Ids of the components that it refers to."""
    children: list[Component]
    """Components in it."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.id = found.get("id")
        self.type = found["type"]
        self.file = found["file"]
        self.line = found["line"]
        self.parameters = {
            one["name"]: Quantity(one["value"], one.get("unit")) for one in found["parameters"]
        }
        self.references = dict(found["references"])
        self.children = [Component(child) for child in found["children"]]

    def __getitem__(self, name: str) -> Any:
        if name in self.parameters:
            return self.parameters[name]
        if name in self.references:
            return self.references[name]
        for child in self.children:
            if name in (child.id, child.type):
                return child
        raise KeyError(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Component.__slots__:
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{self.type} `{self.id}` has no `{name}`") from None

    def __dir__(self) -> list[str]:
        return [*Component.__slots__, *self.parameters, *self.references]

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"<{self.type} {self.id}: {values}>"

    def _repr_html_(self) -> str:
        from ._pages import table

        title: list[list[object]] = [[self.type, self.id], ["defined in", f"{self.file}:{self.line}"]]
        values = [[name, repr(value)] for name, value in self.parameters.items()]
        references = [[name, one] for name, one in self.references.items()]
        children = [[child.type, child.id] for child in self.children]
        return table([*title, *values, *references, *children])


class Population(NamedTuple):
    """A population of a network."""

    path: str
    """Where it is, such as ``"pop"``."""
    component: str
    """Id of the component that its members are of."""
    type: str
    """Type of this component."""
    size: int
    """How many there are."""


class Connections(NamedTuple):
    """Connections of one kind."""

    source: str
    target: str
    through: str
    number: int


class Model:
    """A LEMS or NeuroML model. Make one by :func:`load`, :func:`loads`, :func:`from_neuroml`.

    A model does not change: :meth:`with_` gives another one. It keeps the texts that it was read from, so
    it stays the same when its files change, and can be pickled.
    """

    __slots__ = ("_source", "_warnings", "_components", "_network")

    def __init__(self, source: _jlems.Source, _check: bool = True) -> None:
        self._source = source
        self._components: dict[str, Component] | None = None
        self._network: dict[str, Any] | None = None
        self._warnings: list[Problem] | None = None
        if _check:
            self._warnings = [Problem(*one) for one in source.check()]

    @property
    def path(self) -> str:
        """Path of the file, or the name of the text."""
        return self._source.path

    @property
    def warnings(self) -> list[Problem]:
        """What is legal in the model, but probably not meant."""
        if self._warnings is None:
            self._warnings = [Problem(*one) for one in self._source.check()]
        return self._warnings

    @property
    def components(self) -> dict[str, Component]:
        """The top-level components by id. Values are in SI units."""
        if self._components is None:
            found = json.loads(self._source.components())["components"]
            components = [Component(one) for one in found]
            # As for references, the last of several counts.
            self._components = Named({one.id: one for one in components if one.id is not None})
        return self._components

    @property
    def types(self) -> dict[str, TypeSummary]:
        """The component types of the model by name: NeuroML's, and its own."""
        return _types(self._source.types())

    def describe(self, name: str) -> Description:
        """Describes a type, dimension, unit or constant of the model.

        Raises
        ------
        UsageError
            There is none of that name.
        """
        return Description(name, json.loads(self._source.describe(name)))

    def _network_of(self) -> dict[str, Any]:
        if self._network is None:
            networks = json.loads(self._source.network())
            self._network = networks[-1] if networks else {}
        return self._network

    @property
    def populations(self) -> list[Population]:
        """The populations of the network that the model runs."""
        found = self._network_of().get("populations", [])
        return [
            Population(one["in"] if "in" in one else one["place"], one["component"], one["type"], one["size"])
            for one in found
        ]

    @property
    def connections(self) -> list[Connections]:
        """The connections of the network that the model runs, counted by their ends."""
        found = self._network_of().get("connections", [])
        return [Connections(one["from"], one["to"], one["through"], one["number"]) for one in found]

    @property
    def quantities(self) -> list[str]:
        """Paths that can be recorded: what the members of all populations and their children expose.

        A ``*`` stands for all members: ``pop[*]/v``. Of a cell with dendrites these are also the gates, densities and
        concentrations of each segment: ``pop[*]/7/biophys/membraneProperties/na_all/na/m/q``. What is attached to
        single members, such as synapses, can be recorded, too, but is not in the list.
        """
        return self._source.quantities()

    def with_(
        self,
        set: Mapping[str, Any] | None = None,
        *,
        step: Any = None,
        length: Any = None,
    ) -> Model:
        """The model with other values; this one stays as it is.

        Parameters
        ----------
        set : dict, optional
            Values by path, as ``--set`` of the command line has them: ``{"cell/C": "20 pF"}``. A path leads
            from the top level down, by ids or names of elements. A value is a text with its unit, or a
            number in SI units, or a quantity of pint or astropy.
        step, length : str or float, optional
            Time step and length of the simulation: a text with its unit, or seconds.

        Raises
        ------
        UsageError
            A path that leads nowhere, a value that is no number.
        ModelError
            The model is wrong with these values.
        """
        source = self._source.with_settings(
            settings(self, set),
            None if step is None else seconds_text(step, "step"),
            None if length is None else seconds_text(length, "length"),
        )
        return Model(source)

    def _unit_of(self, path: str) -> str:
        """The SI unit of a parameter."""
        *steps, name = path.replace(".", "/").split("/") if "/" not in path else path.split("/")
        if steps:
            found = self._component_at(steps)
            if found is not None and name in found.parameters:
                unit = found.parameters[name].unit
                if unit is None or " " not in unit:
                    return unit or ""
        raise UsageError(
            f"set: the unit of `{path}` is not known; give the value as a text with its unit"
        )

    def _component_at(self, steps: list[str]) -> Component | None:
        found = self.components.get(steps[0])
        if found is None:
            # The only one of that id anywhere.
            everywhere = [one for one in _walk(self.components.values()) if one.id == steps[0]]
            found = everywhere[0] if len(everywhere) == 1 else None
        for step in steps[1:]:
            if found is None:
                return None
            inner = [one for one in found.children if one.id == step]
            inner = inner or [one for one in found.children if one.type == step]
            found = inner[0] if inner else None
        return found

    def simulation(self, **choices: Any) -> Simulation:
        """Builds and compiles the run of the model. See :class:`Simulation` for the arguments."""
        from ._simulation import CHOICES, Simulation

        for name in ("set", "step", "length"):
            if name in choices:
                raise TypeError(
                    f"simulation() has no argument `{name}`: `model.with_({name}=...).simulation()` does it"
                )
        no_others("simulation", choices, CHOICES)
        return Simulation(self, **choices)

    def run(self, **choices: Any) -> Result:
        """Runs the model: ``self.simulation(...).run(...)``. See :func:`jlems.run`."""
        from ._simulation import run_model

        return run_model(self, **choices)

    def to_xml(self) -> str:
        """The model with all its includes as one LEMS text, which jLEMS reads too."""
        return self._source.to_xml()

    def __repr__(self) -> str:
        return f"<jlems.Model {self.path!r}>"

    def _repr_html_(self) -> str:
        from ._pages import table

        rows: list[tuple[str, str]] = [("model", self.path)]
        try:
            for population in self.populations:
                text = f"{population.size} × {population.component} ({population.type})"
                rows.append((population.path or "the network", text))
            for one in self.connections:
                rows.append((f"{one.source} → {one.target}", f"{one.number} × {one.through}"))
        except JlemsError:  # A file of components alone runs nothing.
            for component in self.components.values():
                rows.append((str(component.id), component.type))
        return table(rows)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_restored, (self._source.parts(),))


def _restored(parts: Any) -> Model:
    return Model(_jlems.Source.of_parts(parts), _check=False)


def _walk(components: Iterable[Component]) -> Iterator[Component]:
    for component in components:
        yield component
        yield from _walk(component.children)


class TypeSummary(NamedTuple):
    """A component type in short."""

    name: str
    bases: list[str]
    """The type that it extends, the one that this extends, and so on."""
    file: str
    description: str


class Description:
    """What is known about a type, dimension, unit or constant: ``data`` has it all."""

    __slots__ = ("name", "data")

    def __init__(self, name: str, data: Any) -> None:
        self.name = name
        self.data = data

    @property
    def exposures(self) -> dict[str, str | None]:
        """Names of what a type exposes, with their dimensions."""
        return self._members("exposures")

    @property
    def parameters(self) -> dict[str, str | None]:
        """Names of the parameters of a type, with their dimensions."""
        return self._members("parameters")

    def _members(self, section: str) -> dict[str, str | None]:
        members = self.data.get(section, []) if isinstance(self.data, dict) else []
        return {one["name"]: one.get("dimension") for one in members}

    def __repr__(self) -> str:
        if not isinstance(self.data, dict):
            return "\n".join(str(one) for one in self.data)
        lines = [" extends ".join([self.data["name"], *self.data["extends"]])]
        lines += [self.data["description"]] if self.data["description"] else []
        for section in ("parameters", "constants", "requirements", "exposures", "event_ports"):
            members = self.data.get(section, [])
            if members:
                lines += ["", section.replace("_", " ")]
            for one in members:
                lines.append(f"  {one['name']}  {one.get('dimension') or ''}  {one['description']}".rstrip())
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from ._pages import type_page

        if isinstance(self.data, dict):
            return type_page(self.data)
        from html import escape

        return f"<pre>{escape(repr(self))}</pre>"


def _types(text: str) -> dict[str, TypeSummary]:
    found = Named[TypeSummary]()
    for one in json.loads(text):
        summary = one["summary"]
        found[summary["name"]] = TypeSummary(
            summary["name"], one["bases"][1:], summary["file"], summary["description"]
        )
    return found


def load(
    path: str | os.PathLike[str],
    *,
    include: Any = (),
    target: str | None = None,
    temperature: str | None = None,
    set: Mapping[str, Any] | None = None,
    step: Any = None,
    length: Any = None,
    limits: Mapping[str, Any] | None = None,
) -> Model:
    """Reads a LEMS or NeuroML file with all that it includes.

    Parameters
    ----------
    path : str or path-like
        LEMS file, NeuroML file, or network in HDF5.
    include : path or list of paths, optional
        Folders to search for included files, besides the folder of the file.
    target : str, optional
        Network or cell to run, of a NeuroML file that has several. A cell runs in a network of one.
    temperature : str, optional
        Temperature of a cell that runs without a network, such as ``"32 degC"``.
    set, step, length
        Other values than the file has: see :meth:`Model.with_`. A NeuroML file runs for 500 ms in steps of
        0.01 ms if nothing else is said.
    limits : dict, optional
        What the model may use, such as ``{"memory": "8GB", "time": "1h"}``, as ``--limit`` has it.

    Returns
    -------
    Model

    Raises
    ------
    MissingFileError
        The file is not there.
    ModelError
        The model is wrong; ``problems`` has all errors with file, line, column and the likely fix.

    Warns
    -----
    JlemsWarning
        Something is legal, but probably not meant.

    Examples
    --------
    >>> model = jlems.load("examples/izhikevich-network/LEMS_izhikevich_network.xml")
    >>> model.components["iz2007RS0"].C
    1e-10 F
    """
    source = _jlems.Source(
        _path(path), {}, folder_list(include), target, temperature, limit_list(limits)
    )
    return _loaded(source, set, step, length)


def loads(
    text: str | bytes,
    *,
    name: str = "model.xml",
    files: Mapping[str, str] | None = None,
    include: Any = (),
    target: str | None = None,
    temperature: str | None = None,
    set: Mapping[str, Any] | None = None,
    step: Any = None,
    length: Any = None,
    limits: Mapping[str, Any] | None = None,
) -> Model:
    """Reads a model from a text in memory.

    Parameters
    ----------
    text : str or bytes
        LEMS or NeuroML.
    name : str
        What messages call it. Files that it includes are looked for in the folder of this name.
    files : dict, optional
        Texts of included files by path. They come before core types and files.

    The other arguments, exceptions and warnings are those of :func:`load`.

    Examples
    --------
    >>> model = jlems.loads("<Lems><Include file='Cells.xml'/><iafCell id='a' C='1 nF' .../></Lems>")
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str):
        raise UsageError(f"a text is needed, not {type(text).__name__}; `load` reads files")
    given = dict(files or {})
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise UsageError("files: a dict of paths and texts is needed")
    folder = os.path.dirname(name)
    given = {os.path.join(folder, key): value for key, value in given.items()}
    given[name] = text
    source = _jlems.Source(
        name, given, folder_list(include), target, temperature, limit_list(limits)
    )
    return _loaded(source, set, step, length)


def from_neuroml(
    document: Any,
    target: str | None = None,
    *,
    base: str | os.PathLike[str] = ".",
    name: str = "document.nml",
    **choices: Any,
) -> Model:
    """A model of a document that was built with libNeuroML. Nothing is written to the disk.

    Parameters
    ----------
    document : neuroml.NeuroMLDocument
        A network or a cell, with all that it needs.
    target : str, optional
        Network or cell to run, if the document has several.
    base : path
        Folder that ``IncludeType`` paths start from.
    name : str
        What messages call the document.
    **choices
        ``length``, ``step``, ``set``, ``temperature``, ``include``, ``limits``, ``files``: see :func:`load` and
        :func:`loads`.

    Examples
    --------
    >>> model = jlems.from_neuroml(document, "net", length="1 s", step="0.1 ms")
    >>> model.run()["pop[0]/v"].plot()
    """
    return loads(
        neuroml_text(document),
        name=os.path.join(os.fspath(base), name),
        target=target,
        **choices,
    )


def neuroml_text(document: Any) -> str:
    """The XML of a libNeuroML document."""
    import io

    try:
        from neuroml.writers import NeuroMLWriter  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise UsageError("this needs libNeuroML: pip install libNeuroML") from None
    stream = io.StringIO()
    try:
        NeuroMLWriter.write(document, stream, close=False)
    except Exception as error:
        raise UsageError(f"this is no document that libNeuroML can write: {error}") from error
    return stream.getvalue()


def from_lems(model: Any, *, name: str = "model.xml", **choices: Any) -> Model:
    """A model of a model that was built with PyLEMS (``lems.api.Model``).

    The arguments besides the model are those of :func:`loads`.
    """
    try:
        text = model.export_to_dom().toxml()
    except AttributeError:
        raise UsageError(f"a lems.api.Model is needed, not {type(model).__name__}") from None
    return loads(text, name=name, **choices)


def _path(path: Any) -> str:
    try:
        path = os.fspath(path)
    except TypeError:
        raise UsageError(f"a path is needed, not {type(path).__name__}") from None
    return path.decode() if isinstance(path, bytes) else str(path)


def _loaded(
    source: _jlems.Source, set: Mapping[str, Any] | None, step: Any, length: Any
) -> Model:
    if step is not None or length is not None:
        source = source.with_settings(
            [],
            None if step is None else seconds_text(step, "step"),
            None if length is None else seconds_text(length, "length"),
        )
    model = Model(source)
    if set is not None:
        model = model.with_(set)
    warn(model.warnings, stacklevel=3)
    return model


def quickly(
    path: Any,
    *,
    include: Any = (),
    target: str | None = None,
    temperature: str | None = None,
    set: Mapping[str, Any] | None = None,
    step: Any = None,
    length: Any = None,
    limits: Mapping[str, Any] | None = None,
) -> Model:
    """What :func:`load` does, without the check: the simulation that is made of it checks all."""
    source = _jlems.Source(
        _path(path), {}, folder_list(include), target, temperature, limit_list(limits)
    )
    model = Model(source, _check=False)
    if set is None and step is None and length is None:
        return model
    source = source.with_settings(
        settings(model, set),
        None if step is None else seconds_text(step, "step"),
        None if length is None else seconds_text(length, "length"),
    )
    return Model(source, _check=False)


def model_of(source: Any, **choices: Any) -> Model:
    """A model of whatever stands for one: a path, a model, a document of libNeuroML, a model of PyLEMS."""
    if isinstance(source, Model):
        changes = {k: choices.pop(k) for k in ("set", "step", "length") if choices.get(k) is not None}
        left = sorted(name for name, value in choices.items() if value)
        if left:
            raise UsageError(f"a model that is loaded takes no `{left[0]}`")
        return source.with_(**changes) if changes else source
    if hasattr(source, "export_to_dom"):
        return from_lems(source, **choices)
    if type(source).__module__.split(".")[0] == "neuroml":
        return from_neuroml(source, **choices)
    return quickly(source, **choices)
