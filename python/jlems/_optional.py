"""Packages that are imported only when something needs them."""

from __future__ import annotations

import importlib
from typing import Any


def needed(module: str, package: str | None = None) -> Any:
    """An optional package, or an error that says how to install it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this needs {package or module}: pip install {package or module}") from error
