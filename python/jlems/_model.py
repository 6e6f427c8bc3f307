"""Models: read, looked at, changed."""

from __future__ import annotations

import json
import os
from html import escape
from typing import Any, Iterable, Iterator, Mapping, NamedTuple, TypeVar

from . import _jlems
from ._cells import Cell, cells_of
from ._pages import table, type_page
from ._problems import JlemsError, Problem, UsageError, warn
from ._quantity import Quantity
from ._values import Named, number, seconds_text, shown, with_own_unit, word

AnyModel = TypeVar("AnyModel", bound="LoadedModel")


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
        if not isinstance(name, str):
            raise KeyError(f"{shown(name)}: names of parameters and children are texts")
        if name in self.parameters:
            return self.parameters[name]
        if name in self.references:
            return self.references[name]
        for child in self.children:
            if name in (child.id, child.type):
                return child
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[name]  # type: ignore[index]
        except KeyError:
            return False
        return True

    # Python would count through the items.
    __iter__ = None

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


class LoadedModel:
    """What :class:`Model` knows and can change without running anything."""

    __slots__ = ("_source", "_warnings", "_components", "_cells", "_network")

    def __init__(self, source: _jlems.Source, _check: bool = True) -> None:
        if not isinstance(source, _jlems.Source):
            raise UsageError(f"this class is not for {shown(source)}; `jlems.load` makes a Model")
        self._source = source
        self._components: dict[str, Component] | None = None
        self._cells: dict[str, Cell] | None = None
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
    def cells(self) -> dict[str, Cell]:
        """The cells with segments by id: their segments, groups and compartments, and what is where in them.

        The id of a segment is the number in paths such as ``"pop[0]/7/v"``, and what an input or a connection of the
        model names as ``segmentId``. Cells that the model runs are as they begin there; others as they are alone.

        Raises
        ------
        ModelError
            The shape of a cell is wrong.

        Examples
        --------
        >>> model.cells["pyramid"].groups["dendrites"]
        [1, 2, 3]
        """
        if self._cells is None:
            self._cells = cells_of(self._source.cells())
        return self._cells

    @property
    def types(self) -> dict[str, TypeSummary]:
        """The component types of the model by name: NeuroML's, and its own."""
        return types_of(self._source.types())

    def describe(self, name: str) -> Description:
        """Describes a type, dimension, unit or constant of the model.

        Raises
        ------
        UsageError
            There is none of that name.
        """
        return Description(name, json.loads(self._source.describe(word(name, "name"))))

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
        self: AnyModel,
        set: Mapping[str, Any] | None = None,
        *,
        step: Any = None,
        length: Any = None,
    ) -> AnyModel:
        """The model with other values; this one stays as it is.

        Parameters
        ----------
        set : dict, optional
            Values by path, as ``--set`` of the command line has them: ``{"cell/C": "20 pF"}``. A path leads
            from the top level down, by ids or names of elements. A value is a text with its unit, or a
            number in SI units, or a quantity of pint or astropy.
        step, length : str or float, optional
            Time step and length of the simulation: a text with its unit, or seconds. What a later call gives counts,
            whether as ``length`` or as ``set={"sim/length": ...}``.

        Raises
        ------
        UsageError
            A path that leads nowhere, a value that is no number, a step or a length that ``set`` gives another value.
        ModelError
            A value makes no sense where it is, such as one of another dimension. What is only seen when the network is
            built, such as a step of nothing or a negative length, is an error of :meth:`Model.simulation`.
        """
        changed = self._changed(set, step, length, check=True)
        warn(changed.warnings, known=self.warnings)
        return changed

    def _changed(
        self: AnyModel, set: Mapping[str, Any] | None, step: Any, length: Any, check: bool
    ) -> AnyModel:
        source = _with_times(self._source, self._settings(set), step, length)
        return type(self)(source, _check=check)

    def _settings(self, given: Mapping[str, Any] | None) -> list[str]:
        """Settings as the engine takes them: ``path=value``, numbers with their SI units."""
        if given is None:
            return []
        if not isinstance(given, Mapping):
            raise UsageError(f"set: a dict of paths and values is needed, not {type(given).__name__}")
        texts = []
        for path, value in given.items():
            if not isinstance(path, str):
                raise UsageError(f"set: {shown(path)} is no path; write it as in \"cell/C\"")
            if not isinstance(value, str):
                in_si = number(value, f"set: {path}")
                value = with_own_unit(value) or f"{in_si!r} {self._unit_of(path, in_si)}".strip()
            texts.append(word(f"{path}={value}", "set"))
        return texts

    def _unit_of(self, path: str, value: float) -> str:
        """The SI unit of a parameter that gets a value."""
        *steps, name = path.replace(".", "/").split("/") if "/" not in path else path.split("/")
        if steps:
            found = self._component_at(steps)
            if found is not None and name in found.parameters:
                unit = found.parameters[name].unit
                if unit is None or " " not in unit:
                    return unit or ""
        try:
            # If the path leads nowhere, the engine says so, and what may be meant.
            self._source.with_settings([word(f"{path}={value!r}", "set")]).check()
        except UsageError:
            raise
        except JlemsError:
            pass
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

    def to_xml(self) -> str:
        """The model with all its includes as one LEMS text, which jLEMS reads too."""
        return self._source.to_xml()

    def __repr__(self) -> str:
        return f"<jlems.Model {self.path!r}>"

    def _repr_html_(self) -> str:
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
        return (_restored, (type(self), self._source.parts()))


def _restored(kind: type[AnyModel], parts: Any) -> AnyModel:
    return kind(_jlems.Source.of_parts(parts), _check=False)


def _with_times(source: _jlems.Source, texts: list[str], step: Any, length: Any) -> _jlems.Source:
    return source.with_settings(
        texts,
        None if step is None else seconds_text(step, "step"),
        None if length is None else seconds_text(length, "length"),
    )


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
        if isinstance(self.data, dict):
            return type_page(self.data)
        return f"<pre>{escape(repr(self))}</pre>"


def types_of(text: str) -> dict[str, TypeSummary]:
    """Component types by name, of what the engine tells about them."""
    found = Named[TypeSummary]()
    for one in json.loads(text):
        summary = one["summary"]
        found[summary["name"]] = TypeSummary(
            summary["name"], one["bases"][1:], summary["file"], summary["description"]
        )
    return found


def loaded(
    kind: type[AnyModel], source: _jlems.Source, set: Mapping[str, Any] | None, step: Any, length: Any
) -> AnyModel:
    """A checked model of a source with other values; warns of what is doubtful in it."""
    if set is None:
        model = kind(_with_times(source, [], step, length))
    else:
        # The texts of values need the model for its units.
        model = kind(source, _check=False)._changed(set, step, length, check=True)
    warn(model.warnings)
    return model
