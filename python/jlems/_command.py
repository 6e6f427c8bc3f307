"""The program ``jlems-rs``, as the package installs it."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Does what the command line says, and gives the exit status."""
    from ._jlems import command_line

    # A signal ends the run after the step at hand: the program sees to it itself.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return command_line(["jlems-rs", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
