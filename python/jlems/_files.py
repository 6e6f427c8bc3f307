"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Any, Iterator

from ._problems import FileError, MissingFileError


@contextmanager
def whole(path: str) -> Iterator[str]:
    """A name beside a path to write to; the file gets the path when it is finished.

    Raises
    ------
    FileError
        The file cannot be written. What was at the path stays.
    """
    partial = None
    try:
        # The file that a link leads to is replaced, not the link. A device or a pipe cannot be replaced.
        target = os.path.realpath(path)
        if os.path.exists(target) and not os.path.isfile(target):
            yield path
            return
        partial = _partial(target)
        yield partial
        os.replace(partial, target)
    except OSError as error:
        raise _failed(path, error) from error
    finally:
        # After a failure it is still there.
        if partial is not None and os.path.lexists(partial):
            os.unlink(partial)


def write_text(path: str, text: str) -> None:
    """Writes a text file as a whole."""
    with whole(path) as partial, open(partial, "w", encoding="utf-8") as stream:
        stream.write(text)


def _partial(target: str) -> str:
    """A new empty file beside a target, named as the engine names its own."""
    number = 0
    while True:
        partial = f"{target}.partial{number or ''}"
        try:
            open(partial, "xb").close()
        except FileExistsError:
            number += 1
            continue
        return partial


def _failed(path: str, error: OSError) -> FileError:
    text = f"cannot write {path}: {error.strerror or error}"
    failed = MissingFileError(text) if isinstance(error, FileNotFoundError) else FileError(text)
    failed.errno, failed.strerror, failed.filename = error.errno, error.strerror, path
    return failed


def is_on_disk(path: str, options: dict[str, Any]) -> bool:
    """Whether pandas writes one file with this name, and no folder, and nothing on another machine."""
    return "://" not in path and not any(
        options.get(name) for name in ("partition_cols", "storage_options", "filesystem")
    )
