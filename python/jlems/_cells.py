"""Cells with dendrites: their segments and groups, and the compartments that they are computed in."""

from __future__ import annotations

import json
from typing import Any, Mapping, NamedTuple

from ._pages import table
from ._quantity import Quantity
from ._values import Named, did_you_mean


class Segment(NamedTuple):
    """A segment of a cell. Its id is the number in paths such as ``"pop[0]/7/v"``, and in ``segmentId``."""

    id: int
    """Its id."""
    name: str | None
    """Its name, such as ``"soma"``."""
    parent: int | None
    """Id of the segment that it begins at; None for the root."""
    section: str
    """Name of its section."""
    groups: list[str]
    """Names of the segment groups that it is in."""
    compartments: list[int]
    """Numbers of the compartments that it is in."""
    length: Quantity
    """Length, in metres."""
    diameter: Quantity
    """Mean of the diameters of its ends, in metres."""
    area: Quantity
    """Area of its membrane, in square metres."""
    distance: Quantity
    """Length of the path from the root to its middle, in metres."""


class Section(NamedTuple):
    """An unbranched piece of a cell: a segment group that says so, or a segment in no such group."""

    name: str
    """Name of its group, or of its only segment."""
    declared: bool
    """Whether a group declares it."""
    parent: str | None
    """Section at which it begins; None for the first."""
    segments: list[int]
    """Ids of its segments, from its beginning to its end."""
    compartments: list[int]
    """Numbers of its compartments, from its beginning to its end."""
    length: Quantity
    """Length, in metres."""
    diameter: Quantity
    """Mean of its diameter, in metres."""
    area: Quantity
    """Area of its membrane, in square metres."""
    axial_resistance: Quantity
    """Resistance of the cytoplasm from end to end, in ohm."""
    electrotonic_length: float | None
    """Length over length constant, for constant currents; None if the membrane has no conductance."""
    advised_compartments: int | None
    """Number of compartments that are no longer than a tenth of the length constant at 100 Hz."""


class Compartment(NamedTuple):
    """A piece of a section with one potential."""

    section: str
    """Name of its section."""
    segments: list[int]
    """Ids of the segments that it is on."""
    length: Quantity
    """Length, in metres."""
    diameter: Quantity
    """Mean of its diameter, in metres."""
    area: Quantity
    """Area of its membrane, in square metres."""
    distance: Quantity
    """Length of the path from the root to its middle, in metres."""
    potential: Quantity | None
    """Potential before the first step, in volts."""
    conductance: Quantity | None
    """Conductance of its membrane before the first step, in siemens."""
    capacitance: Quantity | None
    """Capacitance of its membrane, in farads."""
    input_resistance: Quantity | None
    """Input resistance in its middle, in ohm."""


class Part(NamedTuple):
    """Something that is in some compartments of a cell, or in all: a density, a pool, a property of the membrane."""

    id: str | None
    """Its id."""
    type: str
    """Name of its type."""
    place: str | None
    """The segment group or the segment that it names; None for the whole cell."""
    compartments: int
    """Number of compartments that it is in."""
    area: Quantity
    """Area of the membrane that it covers, in square metres."""
    parameters: dict[str, Quantity]
    """Its parameters."""
    totals: dict[str, Quantity]
    """Parameters per area, times the area."""
    references: dict[str, str]
    """Ids of the components that it refers to, such as its channel."""


class AtRest(NamedTuple):
    """A cell before the first step."""

    potential: Quantity
    """Potential in the compartment that stands for the cell, in volts."""
    uniform: bool
    """Whether all compartments have that potential."""
    conductance: Quantity
    """Conductance of the whole membrane, in siemens."""
    capacitance: Quantity
    """Capacitance of the whole membrane, in farads."""
    input_resistance: Quantity | None
    """Input resistance, in ohm; None if a potential would not stay where it is."""
    time_constant: Quantity | None
    """Time constant of the slowest decay of the potentials, in seconds."""


_UNITS = {
    "length": "m", "diameter": "m", "distance": "m", "area": "m2", "axial_resistance": "ohm", "input_resistance": "ohm",
    "potential": "V", "conductance": "S", "capacitance": "F", "time_constant": "s",
}  # fmt: skip


class Cell:
    """A cell with segments, as ``jlems-rs show cell`` shows it.

    Examples
    --------
    >>> cell = model.cells["pyramid"]
    >>> [(segment.id, segment.name) for segment in cell.segments.values()]
    [(0, 'soma'), (1, 'trunk'), (2, 'left'), (3, 'right')]
    >>> model.run(record=[f"cells[0]/{segment}/v" for segment in cell.groups["tuft"]])
    """

    __slots__ = (
        "id", "type", "file", "line", "length", "area", "segments", "groups", "sections", "compartments", "parts", "at_rest",
    )  # fmt: skip

    id: str
    """Its id."""
    type: str
    """Name of its type."""
    file: str
    """File that defines it."""
    line: int
    """Line there, from 1."""
    length: Quantity
    """Length of all sections together, in metres."""
    area: Quantity
    """Area of its membrane, in square metres."""
    segments: dict[int, Segment]
    """Its segments by id."""
    groups: dict[str, list[int]]
    """Ids of the segments of each segment group, by the name of the group."""
    sections: dict[str, Section]
    """Its sections by name."""
    compartments: list[Compartment]
    """Its compartments, in the order of the computation."""
    parts: list[Part]
    """What is where in it, in the order of the file."""
    at_rest: AtRest | None
    """Its state before the first step; None if that cannot be computed."""

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.id, self.type, self.file, self.line = found["id"], found["type"], found["file"], found["line"]
        self.length, self.area = Quantity(found["length"], "m"), Quantity(found["area"], "m2")
        self.groups = Named({one["name"]: one["segments"] for one in found["groups"]})
        self.compartments = [_made(Compartment, one) for one in found["compartments"]]
        of_segment: dict[int, list[int]] = {one["id"]: [] for one in found["shape"]}
        of_section: dict[str, list[int]] = {one["name"]: [] for one in found["sections"]}
        for number, compartment in enumerate(self.compartments):
            of_section[compartment.section].append(number)
            for segment in compartment.segments:
                of_segment[segment].append(number)
        in_groups: dict[int, list[str]] = {segment: [] for segment in of_segment}
        for group, segments in self.groups.items():
            for segment in segments:
                in_groups[segment].append(group)
        self.segments = _Segments()
        for one in found["shape"]:
            id = one["id"]
            self.segments[id] = _made(Segment, one, groups=in_groups[id], compartments=of_segment[id])
        self.sections = Named()
        for one in found["sections"]:
            self.sections[one["name"]] = _made(Section, one, compartments=of_section[one["name"]])
        self.parts = [
            _made(
                Part,
                one,
                place=one.get("in"),
                parameters=_values(one["parameters"]),
                totals=_values(one["totals"]),
                references=dict(one["references"]),
            )
            for one in found["parts"]
        ]
        rest = found.get("at_rest")
        self.at_rest = None if rest is None else _made(AtRest, rest)

    def __repr__(self) -> str:
        counts = f"{len(self.segments)} segments, {len(self.sections)} sections, {len(self.compartments)} compartments"
        return f"<{self.type} {self.id}: {counts}>"

    def _repr_html_(self) -> str:
        rows = [
            [one.id, one.name, one.parent, one.section, *(f"{1e6 * size:.4g}" for size in (one.length, one.diameter, one.distance)),
             ", ".join(one.groups)]
            for one in self.segments.values()
        ]  # fmt: skip
        head = ["segment", "name", "parent", "section", "length µm", "diameter µm", "distance µm", "groups"]
        counts = [[f"{self.type} {self.id}", f"{len(self.sections)} sections, {len(self.compartments)} compartments"]]
        return table(counts) + table(rows, head)


class _Segments(dict[int, Segment]):
    """A dict whose message about a missing id names the segment that may be meant."""

    def __missing__(self, id: object) -> Segment:
        if isinstance(id, str):
            named = [one.id for one in self.values() if one.name == id]
            names = [one.name for one in self.values() if one.name]
            hint = f"; the id of this segment is {named[0]}" if named else did_you_mean(id, names)
            raise KeyError(f"{id}: segments have numbers as ids{hint}")
        raise KeyError(f"{id}: there is no such segment; there are {len(self)}")


def cells_of(text: str) -> dict[str, Cell]:
    """Cells by id, of what the engine tells about them."""
    return Named({one["id"]: Cell(one) for one in json.loads(text)})


def _made(kind: Any, found: Mapping[str, Any], **more: Any) -> Any:
    """A tuple of what the engine tells: numbers with their SI units, and None for what is not there."""
    values = {**{name: found.get(name) for name in kind._fields}, **more}
    for name, value in values.items():
        if name in _UNITS and value is not None:
            values[name] = Quantity(value, _UNITS[name])
    return kind(**values)


def _values(found: list[Mapping[str, Any]]) -> dict[str, Quantity]:
    return {one["name"]: Quantity(one["value"], one.get("unit")) for one in found}
