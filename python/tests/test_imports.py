"""The files of the package import one another in one direction."""

from __future__ import annotations

import ast
import pathlib

import jlems

PACKAGE = pathlib.Path(jlems.__file__).parent


def name_of(file: pathlib.Path) -> str:
    parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: pathlib.Path, modules: set[str]) -> set[str]:
    """Modules of the package that a file imports: at its top, in functions, and for types."""
    package = file.parent.relative_to(PACKAGE.parent).parts
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*start, *(node.module or "").split(".")]).strip(".")
            for name in node.names:
                inner = f"{base}.{name.name}"
                found.add(inner if inner in modules else base)
    return found & modules


def circles(graph: dict[str, set[str]]) -> list[set[str]]:
    """Sets of modules that all lead to one another."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(graph[start])
        while waiting:
            module = waiting.pop()
            if module not in found:
                found.add(module)
                waiting += graph[module]
        return found

    leads_to = {module: reached(module) for module in graph}
    found = []
    for module in graph:
        circle = {other for other in leads_to[module] if module in leads_to[other]}
        if circle and circle not in found:
            found.append(circle)
    return found


def test_no_files_import_one_another() -> None:
    files = {name_of(file): file for file in PACKAGE.rglob("*.py")}
    engine = "jlems._jlems"  # Machine code, which imports no file of the package when it is loaded.
    graph = {name: imports(file, {*files, engine}) for name, file in files.items()}
    graph[engine] = set()
    assert graph["jlems._load"] >= {"jlems._model", "jlems._objects"}
    assert circles(graph) == []


def test_circles_are_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set[str]()}
    assert circles(graph) == [{"a", "b", "c"}]
