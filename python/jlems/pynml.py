"""``python -m jlems.pynml`` is pyNeuroML's ``pynml``, without Java where it can be."""

from __future__ import annotations

import sys

from .compat.pyneuroml import install


def main() -> None:
    """Does what ``pynml`` does with the words of the command line."""
    install()
    from pyneuroml.pynml import main as pynml  # type: ignore[import-untyped,import-not-found,unused-ignore]

    sys.argv[0] = "pynml"
    pynml()


if __name__ == "__main__":
    main()
