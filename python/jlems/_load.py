"""Models of files, of texts, and of documents of other packages."""

from __future__ import annotations

import io
import os
from typing import Any, Mapping

from . import _jlems
from ._model import loaded
from ._objects import Model, changed
from ._problems import UsageError
from ._values import folder_list, limit_list, path_text, shown, word


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
        The model is wrong; ``problems`` has all errors with file, line, column and the likely fix. What is only seen
        when the network is built is an error of :meth:`Model.simulation`.

    Warns
    -----
    JlemsWarning
        Something is legal, but probably not meant.

    Examples
    --------
    >>> model = jlems.load("examples/izhikevich-network/LEMS_izhikevich_network.xml")
    >>> model.components["regularSpiking"].C
    1e-10 F
    """
    source = _source(_file(path), {}, include, target, temperature, limits)
    return loaded(Model, source, set, step, length)


def _file(path: Any) -> str:
    """The path of a file, which no text of a model is."""
    text = path_text(path)
    if text.lstrip().startswith("<") and not os.path.exists(text):
        raise UsageError(f"{shown(text)} is no path; `loads` reads texts")
    return text


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
    if "<" not in text and os.path.exists(text):
        raise UsageError(f"{shown(text)} is the path of a file; `load` reads files")
    name = path_text(name, "name")
    if files is not None and not isinstance(files, Mapping):
        raise UsageError("files: a dict of paths and texts is needed")
    given = dict(files or {})
    for key, value in given.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise UsageError("files: a dict of paths and texts is needed")
    folder = os.path.dirname(name)
    given = {os.path.join(folder, path_text(key)): value for key, value in given.items()}
    given[name] = text
    source = _source(name, given, include, target, temperature, limits)
    return loaded(Model, source, set, step, length)


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
        name=os.path.join(path_text(base, "base"), path_text(name, "name")),
        target=target,
        **choices,
    )


def neuroml_text(document: Any) -> str:
    """The XML of a libNeuroML document."""
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


def _source(
    path: str,
    files: dict[str, str],
    include: Any,
    target: str | None,
    temperature: str | None,
    limits: Mapping[str, Any] | None,
) -> _jlems.Source:
    target = None if target is None else word(target, "target")
    temperature = None if temperature is None else word(temperature, "temperature")
    try:
        return _jlems.Source(path, files, folder_list(include), target, temperature, limit_list(limits))
    except UnicodeEncodeError as error:
        raise UsageError(f"a text cannot be written in UTF-8: {error.reason}") from None


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
    source = _source(_file(path), {}, include, target, temperature, limits)
    model = Model(source, _check=False)
    if set is None and step is None and length is None:
        return model
    return model._changed(set, step, length, check=False)


def model_of(source: Any, **choices: Any) -> Model:
    """A model of whatever stands for one: a path, a model, a document of libNeuroML, a model of PyLEMS."""
    if isinstance(source, Model):
        return changed(source, **choices)
    if hasattr(source, "export_to_dom"):
        return from_lems(source, **choices)
    if type(source).__module__.split(".")[0] == "neuroml":
        return from_neuroml(source, **choices)
    return quickly(source, **choices)
