"""Parameters as numbers that know their unit."""

from __future__ import annotations

import json
from typing import Any

from . import _jlems
from ._problems import UsageError
from ._values import in_unit, shown, word


class Quantity(float):
    """A parameter: a float in SI units that knows its unit."""

    unit: str | None

    def __new__(cls, value: float, unit: str | None = None) -> Quantity:
        try:
            quantity = super().__new__(cls, value)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"{shown(value)} is no number") from None
        quantity.unit = None if unit is None else word(unit, "unit")
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
