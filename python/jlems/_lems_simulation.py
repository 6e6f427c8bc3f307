"""LEMS files that run NeuroML: pyNeuroML's class of that name, which needs no file here."""

from __future__ import annotations

import os
from typing import Any, Iterable, Mapping

from ._files import write_text
from ._functions import run
from ._load import loads, neuroml_text
from ._objects import Model
from ._problems import UsageError
from ._result import Result
from ._values import decimal, finite, number, path_text, seconds, shown, with_own_unit, word

_CORE = ("Cells.xml", "Networks.xml", "Simulation.xml")


class LEMSSimulation:
    """A simulation of a NeuroML model, with what it records and shows.

    The constructor and the methods are those of ``pyneuroml.lems.LEMSSimulation``. :meth:`run` needs no file.

    Parameters
    ----------
    sim_id : str
        Id of the simulation.
    duration, dt : float or str
        Length and step, in milliseconds, or a text with a unit.
    target : str, optional
        Id of the network to run.
    simulation_seed : int, optional
        Seed of the random generator.
    comment : str
        A comment in the file.
    lems_file_generate_seed
        Accepted for compatibility: nothing here is random.
    meta : dict, optional
        Attributes of a ``Meta`` element, which simulators other than this one read.
    """

    def __init__(
        self,
        sim_id: str,
        duration: float | str,
        dt: float | str,
        target: str | None = None,
        comment: str | None = "",
        lems_file_generate_seed: Any = None,
        simulation_seed: int | None = 12345,
        meta: Mapping[str, Any] | None = None,
    ) -> None:
        self.id = word(sim_id, "sim_id")
        self.duration = _milliseconds(duration, "duration")
        self.dt = _milliseconds(dt, "dt")
        self.comment = "" if comment is None else word(comment, "comment")
        self.seed = simulation_seed
        if meta is not None and not isinstance(meta, Mapping):
            raise UsageError(f"meta: a dict is needed, not {shown(meta)}")
        self.meta = meta
        self.target = None if target is None else word(target, "target")
        self.report_file: str | None = None
        self._includes: list[str] = []
        self._files: dict[str, str] = {}
        self._displays: dict[str, dict[str, Any]] = {}
        self._outputs: dict[str, dict[str, Any]] = {}
        self._events: dict[str, dict[str, Any]] = {}

    def assign_simulation_target(self, target: str) -> None:
        """Says which network is run."""
        self.target = target

    def set_report_file(self, report_file_name: str) -> None:
        """Names a file for a report of the run."""
        self.report_file = report_file_name

    def include_neuroml2_file(
        self, nml2_file_name: Any, include_included: bool = True, relative_to_dir: str = "."
    ) -> None:
        """Includes a NeuroML file, or a document of libNeuroML, which needs no file."""
        if type(nml2_file_name).__module__.split(".")[0] == "neuroml":
            name = f"document{len(self._files)}.nml"
            self._files[name] = neuroml_text(nml2_file_name)
            nml2_file_name = name
        # What the file includes is found when it is read.
        self._include(nml2_file_name)

    def include_lems_file(self, lems_file_name: str, include_included: bool = True) -> None:
        """Includes a LEMS file."""
        self._include(lems_file_name)

    def _include(self, name: Any) -> None:
        name = path_text(name)
        if name not in self._includes:
            self._includes.append(name)

    def create_display(
        self, id: str, title: str, ymin: Any, ymax: Any, timeScale: str = "1ms"
    ) -> None:
        """Makes a display, which is drawn into files."""
        self._displays[id] = {
            "title": title, "ymin": ymin, "ymax": ymax, "timeScale": timeScale, "lines": []
        }

    def add_line_to_display(
        self,
        display_id: str,
        line_id: str,
        quantity: str,
        scale: Any = 1,
        color: str | None = None,
        timeScale: str = "1ms",
    ) -> None:
        """Adds a curve to a display."""
        line = {"id": line_id, "quantity": quantity, "scale": scale, "color": color, "timeScale": timeScale}
        self._of(self._displays, display_id, "display")["lines"].append(line)

    def create_output_file(self, id: str, file_name: str) -> None:
        """Makes a data file."""
        self._outputs[id] = {"file": file_name, "columns": []}

    def add_column_to_output_file(
        self, output_file_id: str, column_id: str, quantity: str, **_: Any
    ) -> None:
        """Adds a column to a data file."""
        self._of(self._outputs, output_file_id, "output file")["columns"].append((column_id, quantity))

    def create_event_output_file(self, id: str, file_name: str, format: str = "ID_TIME") -> None:
        """Makes an event file; ``format`` is ``ID_TIME`` or ``TIME_ID``."""
        self._events[id] = {"file": file_name, "format": format, "selections": []}

    def add_selection_to_event_output_file(
        self, event_output_file_id: str, event_id: Any, select: str, event_port: str
    ) -> None:
        """Adds the events of a cell to an event file."""
        file = self._of(self._events, event_output_file_id, "event output file")
        file["selections"].append((event_id, select, event_port))

    @staticmethod
    def _of(files: dict[str, dict[str, Any]], id: str, what: str) -> dict[str, Any]:
        if id not in files:
            raise UsageError(f"there is no {what} `{id}`")
        return files[id]

    @property
    def lems_info(self) -> dict[str, Any]:
        """The content as plain data."""
        return {
            "sim_id": self.id,
            "duration": self.duration,
            "dt": self.dt,
            "target": self.target,
            "seed": self.seed,
            "include_files": list(self._includes),
            "displays": [{"id": k, **v} for k, v in self._displays.items()],
            "output_files": [{"id": k, **v} for k, v in self._outputs.items()],
            "event_output_files": [{"id": k, **v} for k, v in self._events.items()],
            "report": self.report_file,
        }

    def to_xml(self) -> str:
        """The LEMS file as a text."""
        if self.target is None:
            raise UsageError("no target: `assign_simulation_target` says which network is run")
        report = _attributes(reportFile=self.report_file)
        comment = self.comment.replace("--", "- -").strip()
        lines = ["<Lems>"]
        lines += [f"    <!-- {comment} -->"] if comment else []
        lines += [f"    <Target{_attributes(component=self.id)}{report}/>"]
        lines += [f"    <Include{_attributes(file=name)}/>" for name in [*_CORE, *self._includes]]
        lines.append(
            "    <Simulation"
            + _attributes(
                id=self.id,
                length=f"{self.duration!r}ms",
                step=f"{self.dt!r}ms",
                target=self.target,
                seed=self.seed,
            )
            + ">"
        )
        if self.meta:
            words = {k: v for k, v in self.meta.items() if k != "for"}
            lines.append("        <Meta" + _attributes(**{"for": self.meta.get("for")}, **words) + "/>")
        for id, display in self._displays.items():
            lines.append(
                "        <Display"
                + _attributes(
                    id=id,
                    title=display["title"],
                    timeScale=display["timeScale"],
                    xmin="0",
                    xmax=self.duration,
                    ymin=display["ymin"],
                    ymax=display["ymax"],
                )
                + ">"
            )
            lines += ["            <Line" + _attributes(**line) + "/>" for line in display["lines"]]
            lines.append("        </Display>")
        for id, output in self._outputs.items():
            lines.append("        <OutputFile" + _attributes(id=id, fileName=output["file"]) + ">")
            lines += [
                "            <OutputColumn" + _attributes(id=column, quantity=quantity) + "/>"
                for column, quantity in output["columns"]
            ]
            lines.append("        </OutputFile>")
        for id, events in self._events.items():
            attributes = _attributes(id=id, fileName=events["file"], format=events["format"])
            lines.append(f"        <EventOutputFile{attributes}>")
            lines += [
                "            <EventSelection" + _attributes(id=event, select=select, eventPort=port) + "/>"
                for event, select, port in events["selections"]
            ]
            lines.append("        </EventOutputFile>")
        lines += ["    </Simulation>", "</Lems>", ""]
        return "\n".join(lines)

    def save_to_file(self, file_name: str | None = None) -> str:
        """Writes the LEMS file, ``LEMS_<id>.xml`` if not named, and gives its name.

        Raises
        ------
        FileError
            A file cannot be written. There is no part of it then, and a file that was there stays.
        """
        xml = self.to_xml()
        name = path_text(file_name or f"LEMS_{self.id}.xml")
        folder = os.path.dirname(name)
        for included, text in self._files.items():
            write_text(os.path.join(folder, included), text)
        write_text(name, xml)
        return name

    def model(self, **choices: Any) -> Model:
        """The model, without a file; ``choices`` are those of :func:`loads`."""
        name = choices.pop("name", f"LEMS_{self.id}.xml")
        return loads(self.to_xml(), name=name, files=self._files, **choices)

    def run(self, **choices: Any) -> Result:
        """Runs the simulation, without a file; ``choices`` are those of :func:`jlems.run`."""
        return run(self.model(), **choices)

    def __repr__(self) -> str:
        return f"<jlems.LEMSSimulation {self.id}: {self.target} for {self.duration:g} ms>"


def _milliseconds(time: Any, name: str) -> float:
    if not isinstance(time, str):
        has_unit = with_own_unit(time) or hasattr(time, "to_base_units") or hasattr(time, "si")
        return finite(seconds(time, name) * 1000 if has_unit else number(time, name), name)
    value = decimal(time.strip())
    if value is None:
        # What is written in milliseconds stays exact.
        text = time.strip()
        value = decimal(text[:-2].strip()) if text.endswith("ms") else None
    return finite(seconds(time, name) * 1000 if value is None else value, name)


def _attributes(**values: Any) -> str:
    found: Iterable[tuple[str, Any]] = values.items()
    texts = []
    for name, value in found:
        if value is None:
            continue
        if isinstance(value, float):
            value = repr(value)
        text = " ".join(str(value).split())
        for letter, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
            text = text.replace(letter, entity)
        texts.append(f' {name}="{text}"')
    return "".join(texts)
