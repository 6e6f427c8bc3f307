"""``python -m jlems.omv`` is OSBModelValidation's ``omv``, without Java and NEURON where it can be."""

from __future__ import annotations

import sys

from .compat.omv import install


def main() -> None:
    """Does what ``omv`` does with the words of the command line."""
    install()
    from omv.omv_util import main as omv  # type: ignore[import-untyped,import-not-found,unused-ignore]

    sys.argv[0] = "omv"
    omv()


if __name__ == "__main__":
    main()
