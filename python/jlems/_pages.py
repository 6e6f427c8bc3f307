"""Summaries as HTML, for notebooks. They need no scripts and no styles from elsewhere."""

from __future__ import annotations

from html import escape
from typing import Any, Iterable, Mapping

_LEFT = "style='text-align:left'"
_MOST_ROWS = 40


def table(rows: Iterable[Iterable[Any]], head: Iterable[str] = (), most: int = _MOST_ROWS) -> str:
    """A table; of more rows than ``most`` the rest is counted. The first cell of a row names it."""
    every = [[str("" if cell is None else cell) for cell in row] for row in rows]
    if not every:
        return ""
    lines = ["".join(f"<th {_LEFT}>{escape(cell)}</th>" for cell in head)] if head else []
    for first, *others in every[:most]:
        cells = "".join(f"<td {_LEFT}>{escape(cell)}</td>" for cell in others)
        lines.append(f"<th {_LEFT}>{escape(first)}</th>{cells}")
    if len(every) > most:
        lines.append(f"<td {_LEFT} colspan='{len(every[0])}'>and {len(every) - most} more</td>")
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


# Sections of the page of a type, in their order, and which of their entries are shown.
_SECTIONS = {
    "parameters": ("name", "dimension", "description", "from"),
    "derived_parameters": ("name", "dimension", "description", "from"),
    "constants": ("name", "dimension", "description", "from"),
    "properties": ("name", "dimension", "description", "from"),
    "requirements": ("name", "dimension", "description", "from"),
    "exposures": ("name", "dimension", "description", "from"),
    "event_ports": ("name", "direction", "description", "from"),
    "children": ("name", "type", "description", "from"),
    "attachments": ("name", "type", "description", "from"),
    "references": ("name", "type", "description", "from"),
    "texts": ("name", "description", "from"),
}


def type_page(data: Mapping[str, Any]) -> str:
    """The reference page of a component type: what it has, and its equations."""
    title = " extends ".join([data["name"], *data["extends"][:1]])
    parts = [f"<b>{escape(title)}</b> ({escape(data['file'])})<p>{escape(data['description'])}</p>"]
    if data["subtypes"]:
        parts.append(f"<p>extended by {escape(', '.join(data['subtypes']))}</p>")
    for section, entries in _SECTIONS.items():
        rows = [[one.get(entry) for entry in entries] for one in data.get(section, [])]
        if rows:
            parts.append(f"<i>{section.replace('_', ' ')}</i>{table(rows)}")
    for section in ("dynamics", "structure", "simulation"):
        lines = list(_statements(data.get(section, {}).get("statements", []), 0))
        if lines:
            parts.append(f"<i>{section}</i><pre>{escape(chr(10).join(lines))}</pre>")
    return "".join(parts)


def _statements(statements: Iterable[Mapping[str, Any]], depth: int) -> Iterable[str]:
    for one in statements:
        yield "  " * depth + str(one["text"])
        yield from _statements(one.get("body", []), depth + 1)
