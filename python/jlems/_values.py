"""Values that users give: numbers, texts with units, quantities of other libraries."""

from __future__ import annotations

import os
import re
from typing import Any, Iterable, Mapping, TypeVar

from ._problems import FileError, UsageError

T = TypeVar("T")

# What other packages call the arguments.
_OTHER_NAMES = {
    "duration": "length", "tstop": "length", "sim_time": "length", "dt": "step", "time_step": "step",
    "parameters": "set", "params": "set", "simulation_seed": "seed",
}  # fmt: skip


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown name: one that is near, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(names), 1)
    return f"; did you mean `{near[0]}`?" if near else ""


class Named(dict[str, T]):
    """A dict whose message about a missing name has one that is near."""

    def __missing__(self, name: str) -> T:
        names = did_you_mean(name, self) if isinstance(name, str) else ""
        there = "" if names else f"; there is {', '.join(list(self)[:10])}" if self else "; there is nothing"
        raise KeyError(f"{name}: not here{names}{there}")


def no_others(function: str, given: Iterable[str], allowed: Iterable[str]) -> None:
    """Refuses arguments that a function does not have."""
    known = list(allowed)
    for name in given:
        if name not in known:
            other = _OTHER_NAMES.get(name)
            hint = f"; did you mean `{other}`?" if other in known else did_you_mean(name, known)
            raise TypeError(f"{function}() has no argument `{name}`{hint}")


def in_unit(values: T, dimension: str | None, unit: str) -> T:
    """Values in SI units as multiples of another unit of NeuroML of the same dimension."""
    from . import _jlems

    word(unit, "unit")
    try:
        found = [one for one in _described(_jlems.describe(unit)) if one.get("is") == "unit"]
    except UsageError:
        found = []
    if not found:
        raise UsageError(f"there is no unit `{unit}`")
    scale = found[0]
    if dimension is not None and scale["dimension"] != dimension:
        raise UsageError(f"`{unit}` is a unit of {scale['dimension']}, not of {dimension}")
    one, zero = scale["one"], scale["zero"]
    return (values - zero) / (one - zero) if zero else values / one  # type: ignore[no-any-return]


def _described(text: str) -> list[dict[str, Any]]:
    import json

    found = json.loads(text)
    return found if isinstance(found, list) else []


def seconds_text(time: Any, name: str) -> str:
    """A time as LEMS has it: a text with its unit, or a number of seconds."""
    if isinstance(time, str):
        return word(time, name)
    return with_own_unit(time) or f"{number(time, name)!r} s"


def with_own_unit(value: Any) -> str | None:
    """A parameter of a component as a text with its unit; None for what has no unit of LEMS."""
    unit = getattr(value, "unit", None)
    if isinstance(value, float) and isinstance(unit, str) and unit and " " not in unit:
        return f"{float(value)!r} {unit}"
    return None


def seconds(time: Any, name: str) -> float:
    """A time in seconds, of a number of seconds or a text such as ``"10 ms"``."""
    if not isinstance(time, str):
        own = with_own_unit(time)
        if own is None:
            return finite(number(time, name), name)
        time = own
    text = time.strip()
    for unit, scale in _TIMES.items():
        if text.endswith(unit):
            value = decimal(text[: -len(unit)].strip())
            if value is not None:
                return finite(value * scale, name)
    raise UsageError(
        f"{name}: {shown(time)} is no time; write it as in \"10 ms\", or as seconds; the units are {', '.join(_TIMES)}"
    )


# The units of time that NeuroML has, which `length` and `step` of a model take.
_TIMES = {"ms": 1e-3, "min": 60.0, "hour": 3600.0, "s": 1.0}
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def decimal(text: str) -> float | None:
    """A number as LEMS writes it, in ASCII."""
    return float(text) if _DECIMAL.fullmatch(text) else None


def finite(value: float, name: str) -> float:
    """The same number, if it is neither infinite nor NaN."""
    if value - value != 0:
        raise UsageError(f"{name}: {value!r} is no time")
    return value


def number(value: Any, name: str) -> float:
    """A number, also of pint or astropy, whose quantities become numbers in SI units."""
    if isinstance(value, bool):
        raise UsageError(f"{name}: {shown(value)} is no number")
    if hasattr(value, "to_base_units"):  # pint
        value = value.to_base_units().magnitude
    elif hasattr(value, "si") and hasattr(value.si, "value"):  # astropy
        value = value.si.value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise UsageError(f"{name}: {shown(value)} is no number") from None


def paths(given: Any, name: str) -> list[str] | None:
    """A list of paths, of a list or one path."""
    if given is None:
        return None
    try:
        found = [given] if isinstance(given, str) else list(given)
    except TypeError:
        raise UsageError(f"{name}: a list of paths is needed, not {shown(given)}") from None
    for path in found:
        if not isinstance(path, str) or not _is_text(path):
            raise UsageError(f"{name}: {shown(path)} is no path")
    return found


def _is_text(path: str) -> bool:
    """Whether a path has no half of a surrogate pair."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def count(value: Any, name: str, least: int = 1) -> int:
    """A whole number that is not too small."""
    import operator

    try:
        number = operator.index(value)
    except TypeError:
        raise UsageError(f"{name}: a whole number is needed, not {shown(value)}") from None
    if isinstance(value, bool) or not least <= number < 2**63:
        raise UsageError(f"{name}: {shown(value)} is not allowed; it is from {least} to {2**63 - 1}")
    return number


def folder_list(given: Any) -> list[str]:
    """Folders to search for included files."""
    if isinstance(given, (str, bytes, os.PathLike)):
        given = [given]
    try:
        folders = list(given)
        return [path_text(folder) for folder in folders]
    except (TypeError, UsageError):
        raise UsageError(f"include: folders are needed, not {shown(given)}") from None


def path_text(path: Any, name: str = "") -> str:
    """A path as the engine takes it."""
    try:
        text = str(os.fsdecode(path))
    except UnicodeDecodeError:
        raise FileError(f"{shown(path)}: paths must be UTF-8") from None
    except TypeError:
        start = f"{name}: " if name else ""
        raise UsageError(f"{start}a path is needed, not {type(path).__name__}") from None
    if not _is_text(text):
        raise FileError(f"{text!r}: paths must be UTF-8")
    if "\0" in text:
        raise FileError(f"{text!r}: no path has a zero byte")
    return text


def word(value: Any, name: str) -> str:
    """A name or another short text."""
    if not isinstance(value, str):
        raise UsageError(f"{name}: a text is needed, not {shown(value)}")
    if not _is_text(value):
        raise UsageError(f"{name}: {shown(value)} is no text: it has half of a surrogate pair")
    return value


def shown(value: Any) -> str:
    """A value in a message."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no integers of many thousands of digits.
        return f"this {type(value).__name__}"
    return text if len(text) <= 100 else f"{text[:100]}…"


def limit_list(given: Mapping[str, Any] | None) -> list[str]:
    """Limits as the command line takes them."""
    if given is None:
        return []
    if not isinstance(given, Mapping):
        raise UsageError("limits: a dict is needed, as in {\"memory\": \"8GB\"}")
    return [f"{name}={value}" for name, value in given.items()]
