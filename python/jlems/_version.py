"""The version of the engine."""

from ._jlems import version

__version__: str = version()
